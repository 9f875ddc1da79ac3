"""What a person wrote into the sheet: a workbook or CSV, as spreadsheets save it.

A sheet comes from outside, so nothing in it is trusted: it is measured before it is opened, formulas are refused,
macros are never looked at. What cannot be read is told row by row, all of it at once.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
import unicodedata
import warnings
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from functools import cache
from itertools import islice
from typing import Any

from cdmeta import profile
from cdmeta.errors import SheetError
from cdmeta.form.questions import SEPARATOR, TAKE_OUT, is_asked_by_itself, is_list, unnumbered
from cdmeta.form.write import ANSWER_COLUMNS, COLUMNS, FORMULA
from cdmeta.licence import find
from cdmeta.period import to_date
from cdmeta.phrase import SEMICOLON, Phrase, Series, at, in_languages, name_of, title_of
from cdmeta.profile import WITHHELD, Field, nearest
from cdmeta.text import OPEN_QUESTION, is_language_tag, unaccented

MAX_BYTES = 20 * 2**20
_LICENCE = "licenses[].name"
"""An answer by whose short name other programs find the licence, however people space it."""
MAX_UNPACKED_BYTES = 40 * 2**20
MAX_MEMBERS = 1_000
MAX_SHEETS = 50
MAX_ROWS = 5_000
MAX_COLUMNS = 60
"""An honest sheet has a tenth of each."""

_HEAD_ROWS = 20
_LAST_ROW = 2**20
_ANSWER_KEYS = tuple(COLUMNS[column] for column in ANSWER_COLUMNS)
_BROKEN = (
    LookupError, ValueError, TypeError, AttributeError, ArithmeticError, AssertionError, SyntaxError, OSError,
    EOFError, RuntimeError, zipfile.BadZipFile, zlib.error,
)  # fmt: skip
"""What openpyxl and zipfile raise on what is no workbook."""


@dataclass(frozen=True)
class Sheet:
    """What was read.

    Attributes:
        answers: by path as in `questions.Question`; None takes an answer out. What was left empty is not here.
        problems: what could not be read, each with its place; nothing should be taken over while there are any.
    """

    answers: Mapping[str, Any] = field(hash=False)
    problems: tuple[Phrase, ...]


@dataclass(frozen=True)
class _Cell:
    """A cell: text, number, truth value, day or time; `kind` is `formula`, `error`, `percent` or empty."""

    value: Any = None
    kind: str = ""

    @property
    def is_blank(self) -> bool:
        return self.value is None or (isinstance(self.value, str) and self.value.strip() in ("", OPEN_QUESTION))


_Table = list[tuple[int, tuple[_Cell, ...]]]
"""Rows with their numbers; those with nothing in them are left out."""


@dataclass(frozen=True)
class _Row:
    """A row below a header: where it is, the name in its last column, its answers."""

    place: Phrase
    path: str
    cells: tuple[_Cell, ...]


class _WrongError(ValueError):
    """An answer that cannot be read; `phrase` says why."""

    def __init__(self, key: str, **params: Any) -> None:
        super().__init__(key)
        self.phrase = Phrase(f"form.wrong.{key}", params)


def read(data: bytes, name: str) -> Sheet:
    """Read a sheet that was filled in.

    Args:
        data: the bytes of an .xlsx or a .csv: comma, semicolon or tab, UTF-8, UTF-16 or windows-1252.
        name: what the file is called; for messages only.

    Raises:
        SheetError: it is no such file, is too large to be one, or has no column with the names of the fields.
    """
    if len(data) > MAX_BYTES:
        raise SheetError(at(name, "form.error.large"))
    if data.startswith(b"\xd0\xcf\x11\xe0"):
        raise SheetError(at(name, "form.error.old"))
    tables = _workbook(data, name) if data.startswith(b"PK") else [("", _csv(data, name))]
    if not any(_header(table) for _, table in tables):
        column = Phrase(f"form.column.{COLUMNS[-1]}")
        raise SheetError(at(name, "form.error.no-column", column=column))
    rows: list[_Row] = []
    problems: list[Phrase] = []
    for sheet, table in tables:
        head = _header(table)
        if "answer" not in head[1] if head else _has_paths(table):
            params = {"sheet": sheet or name, "column": Phrase("form.column.answer")}
            problems.append(Phrase("form.error.no-answers", params))
        rows += _rows(sheet, table, *head) if head else ()
    answers, wrong = _answers(rows)
    return Sheet(answers, (*problems, *wrong))


# --- rows


def _header(table: _Table) -> tuple[int, dict[str, int]] | None:
    """The number of the row with the headings, and key → column; None where there is none."""
    for number, row in table[:_HEAD_ROWS]:
        keys = [_headings().get(_fold(cell.value)) if isinstance(cell.value, str) else None for cell in row]
        if "path" in keys:
            return number, {key: column for column, key in reversed(list(enumerate(keys))) if key}
    return None


def _has_paths(table: _Table) -> bool:
    """A sheet of questions whose headings are gone; words such as `title` stand in other people's tables too."""
    texts = (cell.value.strip() for _, row in table for cell in row if isinstance(cell.value, str))
    return any(text.startswith("citizenData.") and text in _known() for text in texts)


@cache
def _headings() -> Mapping[str, str]:
    """Heading in any language → its key."""
    return {
        _fold(text): key
        for key in (*_ANSWER_KEYS, "path")
        for _, text in in_languages("texts", f"form.column.{key}", "text")
    }


def _fold(text: str) -> str:
    """A text as it is compared: without regard to case, accents, spaces and the form of apostrophes."""
    return " ".join(unaccented(unicodedata.normalize("NFKC", text)).replace("’", "'").casefold().split())


def _rows(sheet: str, table: _Table, head: int, columns: Mapping[str, int]) -> Iterator[_Row]:
    for number, row in table:
        if number <= head:
            continue
        cells = tuple(
            row[columns[key]] if key in columns and columns[key] < len(row) else _Cell() for key in _ANSWER_KEYS
        )
        path = row[columns["path"]].value if columns["path"] < len(row) else None
        place = Phrase("form.place.sheet" if sheet else "form.place.row", {"sheet": sheet, "row": number})
        if path is not None or not all(cell.is_blank for cell in cells):
            yield _Row(place, str(path or "").strip(), cells)


def _answers(rows: Iterable[_Row]) -> tuple[dict[str, Any], list[Phrase]]:
    answers: dict[str, Any] = {}
    places: dict[str, Phrase] = {}
    problems: list[Phrase] = []
    for row in rows:
        if all(cell.is_blank for cell in row.cells):
            continue
        try:
            entry = _entry(row.path)
            value = _value(entry, row)
            if row.path in answers and answers[row.path] != value:
                raise _WrongError("twice", other=places[row.path])
        except _WrongError as error:
            problems.append(_problem(row, error.phrase))
        else:
            answers[row.path] = value
            places.setdefault(row.path, row.place)
    return answers, problems + list(_half_withheld(answers, places))


def _problem(row: _Row, what: Phrase) -> Phrase:
    if not row.path:
        return Phrase("form.problem.unnamed", {"place": row.place, "what": what})
    path = _generic(row.path)
    title = title_of(path) if path in profile.load().fields else row.path
    return Phrase("form.problem", {"place": row.place, "title": title, "what": what})


def _half_withheld(answers: Mapping[str, Any], places: Mapping[str, Phrase]) -> Iterator[Phrase]:
    """A period is withheld as a whole."""
    for path, value in answers.items():
        above, _, part = path.rpartition(".")
        if (
            part == "start"
            and answers.get(f"{above}.end", value) != value
            and WITHHELD in (value, answers[f"{above}.end"])
        ):
            what = Phrase("form.wrong.half-withheld", {"withheld": WITHHELD})
            yield Phrase("form.problem", {"place": places[path], "title": title_of(above), "what": what})


# --- names of fields


def _generic(path: str) -> str:
    """The field of a path: numbers, the part of a period and the language of a translation left out."""
    path = unnumbered(path)
    above, _, part = path.rpartition(".")
    entry = profile.load().fields.get(above)
    return above if part in ("start", "end") and entry is not None and entry.type == "period" else path


def _entry(path: str) -> Field:
    if not path:
        raise _WrongError("no-path", column=Phrase("form.column.path"))
    generic, (_, sign, tag) = _generic(path), path.partition("@")
    entry = profile.load().fields.get(generic)
    is_part = generic != unnumbered(path)
    numbers = re.findall(r"\[([0-9]*)\]", path)
    if (
        entry is None
        or not is_asked_by_itself(entry)
        or (entry.type == "period") != is_part
        or (sign and not (entry.type == "text" and is_language_tag(tag)))
        or not all(re.fullmatch("[1-9][0-9]{0,3}", number) for number in numbers)
    ):
        near = nearest(path, _known())
        raise _WrongError("path.near" if near else "path", path=path, near=near)
    return entry


@cache
def _known() -> tuple[str, ...]:
    """Paths as they stand in an empty sheet."""
    found: list[str] = []
    for path, entry in profile.load().fields.items():
        numbered = path.replace("[]", "[1]")
        if is_asked_by_itself(entry):
            found += [f"{numbered}.start", f"{numbered}.end"] if entry.type == "period" else [numbered]
    return tuple(found)


# --- values


def _value(entry: Field, row: _Row) -> Any:
    """The answer of a row; None takes out what is there."""
    cells = [cell for cell in row.cells if not cell.is_blank]
    for cell in cells:
        if cell.kind in ("formula", "error"):
            raise _WrongError(cell.kind)
    if [_text(cell.value) for cell in cells] == [TAKE_OUT]:
        return None
    if is_list(entry):
        items = [item for cell in cells for item in _items(entry, _text(cell.value))]
        return list(dict.fromkeys(items))
    if len(cells) > 1:
        raise _WrongError("one")
    return _single(entry, cells[0])


def _single(entry: Field, cell: _Cell) -> Any:
    if _is_withheld(entry, cell.value):
        return WITHHELD
    if entry.type == "code":
        return _code(entry, _text(cell.value))
    if entry.type == "boolean":
        return _truth(cell)
    if entry.type in ("date", "period"):
        return _day(cell.value)
    if entry.type in ("integer", "number", "percent"):
        return _number(entry, cell)
    text = _text(cell.value)
    if entry.path == _LICENCE and (known := find(text)) is not None:
        return known.id
    return text


def _is_withheld(entry: Field, value: Any) -> bool:
    """Withheld for safety, however it is typed."""
    return entry.withhold and isinstance(value, str) and re.sub(r"[\s_-]+", "_", value.strip()).upper() == WITHHELD


def _text(value: Any) -> str:
    """A value as a person sees it: whole numbers without a point, days as ISO 8601 writes them."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, dt.datetime):
        return value.date().isoformat() if value.time() == dt.time() else value.isoformat()
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    return str(value).replace("\r\n", "\n").replace("\r", "\n").strip()


_ITEM = re.compile(
    rf'\s*(?:"((?:[^"]|"")*)"[^\S\n]*(?=[{SEPARATOR}\n]|$)|([^{SEPARATOR}\n]*))(?:[{SEPARATOR}\n]|$)'
)


def _items(entry: Field, text: str) -> Iterator[str]:
    """The items of a cell: parted by semicolons or lines; what is within quotation marks stays whole."""
    if entry.codelist and (code := _codes(entry.codelist).get(_fold(text))):
        yield code
        return
    for inside, plain in _ITEM.findall(text):
        if item := inside.replace('""', '"') or plain.strip():
            yield _code(entry, item) if entry.codelist else WITHHELD if _is_withheld(entry, item) else item


def _code(entry: Field, text: str) -> str:
    if (code := _codes(entry.codelist).get(_fold(text))) is not None:
        return code
    names = [name_of(entry.codelist, code) for code in profile.load().codelists[entry.codelist].codes]
    raise _WrongError("code", value=text, names=Series(tuple(names), SEMICOLON))


@cache
def _codes(codelist: str) -> Mapping[str, str]:
    """What stands for a code: itself, its short form, its name in any language, and the name with the code."""
    found: dict[str, str] = {}
    codes = profile.load().codelists[codelist].codes.values()
    for code in codes:
        for name in filter(None, (code.id, code.alias)):
            found[_fold(name)] = code.id
    for code in codes:
        for _, name in in_languages("codes", (codelist, code.id), "name"):
            found.setdefault(_fold(name), code.id)
            found.setdefault(_fold(f"{name} ({code.id})"), code.id)
    return found


def _truth(cell: _Cell) -> bool:
    words = {_fold(text): is_yes for is_yes, key in ((True, "form.yes"), (False, "form.no"))
             for _, text in in_languages("texts", key, "text")}  # fmt: skip
    words |= {"true": True, "false": False, "1": True, "0": False}
    if (value := words.get(_fold(_text(cell.value)))) is None:
        raise _WrongError("yes-no", value=_text(cell.value), yes=Phrase("form.yes"), no=Phrase("form.no"))
    return value


_SLASHED = re.compile(r"([0-9]{1,2})([/.-])([0-9]{1,2})\2([0-9]{4})")


def _day(value: Any) -> str:
    """A day: a date, or a text whose order of day and month is beyond doubt."""
    text = _text(value)
    year_first = re.fullmatch(r"([0-9]{4})[/.-]([0-9]{1,2})[/.-]([0-9]{1,2})", text)
    if year_first:
        text = "{}-{:0>2}-{:0>2}".format(*year_first.groups())
    elif match := _SLASHED.fullmatch(text):
        first, sign, second, year = int(match[1]), match[2], int(match[3]), match[4]
        if sign == "." or first > 12 or first == second:
            text = f"{year}-{second:02}-{first:02}"
        elif second > 12:
            text = f"{year}-{first:02}-{second:02}"
        else:
            raise _WrongError("day-order", value=text)
    if to_date(text) is None:
        raise _WrongError("day", value=text)
    return text


_SPACES = re.compile(r"(?<=[0-9])[ \u00a0\u202f](?=[0-9]{3}(?:[^0-9]|$))")


_DECIMAL = r"[0-9]{1,15}[.,][0-9]{1,20}|[0-9](?:\.[0-9]{1,20})?e[+-][0-9]{2,3}"
_LARGEST = 10**15
"""Above it, a spreadsheet no longer keeps each digit."""


def _number(entry: Field, cell: _Cell) -> int | float:
    """A number, whichever decimal mark it has; what may be a mark of thousands is refused."""
    value = cell.value
    if isinstance(value, str):
        value = _number_in(entry, value.strip())
    elif cell.kind == "percent":
        value = round(value * 100, 10)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    kinds = int if entry.type == "integer" else (int, float)
    if isinstance(value, bool) or not isinstance(value, kinds) or not 0 <= value < _LARGEST:
        raise _WrongError("whole" if entry.type == "integer" else "number", value=_text(cell.value))
    return value


def _number_in(entry: Field, text: str) -> int | float | None:
    """The number that a text holds, or None."""
    plain = _SPACES.sub("", text)
    if entry.type == "percent":
        plain = plain.removesuffix("%").rstrip()
    if entry.type != "integer" and re.fullmatch(r"[1-9][0-9]{0,2},[0-9]{3}", plain):
        raise _WrongError("thousands", value=text)
    if re.fullmatch("[0-9]{1,15}", plain):
        return int(plain)
    return float(plain.replace(",", ".")) if re.fullmatch(_DECIMAL, plain) else None


# --- files


def _csv(data: bytes, name: str) -> _Table:
    """The rows of a CSV file, by the delimiter which gives its header the columns that we know."""
    text = _decoded(data, name)
    for delimiter in (",", ";", "\t"):
        try:
            rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
            table = _counted(
                ((number, tuple(map(_csv_cell, row))) for number, row in enumerate(rows, 1) if row), name
            )
        except csv.Error as error:
            raise SheetError(at(name, "form.error.damaged", reason=str(error))) from error
        if _header(table):
            return table
    return []


def _counted(rows: Iterable[tuple[int, tuple[_Cell, ...]]], name: str) -> _Table:
    """The rows with anything in them, if they are not too many."""
    table = list(islice((row for row in rows if not all(cell.is_blank for cell in row[1])), MAX_ROWS + 1))
    if len(table) > MAX_ROWS:
        raise SheetError(at(name, "form.error.rows", count=MAX_ROWS))
    return table


def _decoded(data: bytes, name: str) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings = ["utf-16"]
    elif b"\0" in data:
        encodings = []
    else:
        encodings = ["utf-8-sig", "windows-1252", "iso-8859-1"]
    for encoding in encodings:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise SheetError(at(name, "form.error.kind"))


def _csv_cell(text: str) -> _Cell:
    """A cell of CSV; an apostrophe before what looks like a formula shows that it is none."""
    if text.startswith("'") and text.lstrip("'").startswith(FORMULA):
        return _Cell(text[1:])
    return _Cell(text, "formula" if text.startswith("=") else "")


def _workbook(data: bytes, name: str) -> list[tuple[str, _Table]]:
    """The sheets of a workbook, read cell by cell; merged cells, links and macros are never looked at."""
    from openpyxl import load_workbook

    try:
        _measure(data, name)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with closing(load_workbook(io.BytesIO(data), read_only=True, keep_links=False)) as book:
                if len(book.worksheets) > MAX_SHEETS:
                    raise SheetError(at(name, "form.error.large"))
                return [(sheet.title, _counted(_grid(sheet), name)) for sheet in book.worksheets]
    except _BROKEN as error:
        raise SheetError(at(name, "form.error.damaged", reason=type(error).__name__)) from error


def _measure(data: bytes, name: str) -> None:
    """Refuse what unpacks to too much, or declares entities, before anything is parsed."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        infos = archive.infolist()
        names = {info.filename for info in infos}
        if (
            len(names) < len(infos)
            or len(infos) > MAX_MEMBERS
            or sum(i.file_size for i in infos) > MAX_UNPACKED_BYTES
        ):
            raise SheetError(at(name, "form.error.large"))
        if "xl/workbook.xml" not in names:
            raise SheetError(at(name, "form.error.kind"))
        for info in infos:
            # A document type can declare entities that unfold without end; no spreadsheet writes one.
            if b"<!DOCTYPE" in archive.read(info).replace(b"\0", b""):
                raise SheetError(at(name, "form.error.doctype"))


def _grid(sheet: Any) -> Iterator[tuple[int, tuple[_Cell, ...]]]:
    from openpyxl.cell.read_only import EMPTY_CELL

    # Some programs write the very last row of a sheet, because of its height; what is between is empty.
    rows = sheet.iter_rows(min_row=1, max_row=_LAST_ROW, min_col=1, max_col=MAX_COLUMNS)
    blank = None
    for number, row in enumerate(rows, start=1):
        if row is blank:
            continue
        if all(cell is EMPTY_CELL for cell in row):
            # openpyxl gives the same object for each row that is not there; a million are passed in no time.
            blank = row
        else:
            yield number, tuple(map(_xlsx_cell, row))


def _xlsx_cell(cell: Any) -> _Cell:
    if cell.data_type == "f":
        return _Cell(cell.value, "formula")
    if cell.data_type == "e":
        return _Cell(cell.value, "error")
    is_number = isinstance(cell.value, int | float)
    return _Cell(cell.value, "percent" if is_number and "%" in str(cell.number_format) else "")
