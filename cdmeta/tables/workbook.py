"""Sheets of workbooks (xlsx, xls, ods) as tables, and what is easily overlooked in them as findings.

python-calamine reads the cells, `sheetxml` what it does not tell. A spreadsheet keeps all numbers as floats: a
whole number is read as one, in a field of text as its digits. A percentage is the number that is kept, 0.25 for
25 %. Columns are counted from the first that is used.
"""

from __future__ import annotations

import csv
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import cache
from importlib.resources import files as resource_files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cdmeta.finding import Finding, Where
from cdmeta.package import Resource
from cdmeta.phrase import Phrase
from cdmeta.tables.records import Dialect, Record, Table, TableReadError, one_after_the_other, split_header
from cdmeta.tables.sheetxml import Cell, Facts, is_filled, ods_facts, repacked, sheet_parts, xlsx_facts

if TYPE_CHECKING:
    from python_calamine import CalamineSheet, CalamineWorkbook

FORMATS = ("xlsx", "xlsm", "xls", "ods")
_DATES = ("date", "datetime", "time", "duration", "any")
_NUMBERS = ("integer", "number", "any")
_MAX_SHEETS_TOLD = 20
_TRIAL_BYTES, _TRIAL_SECONDS = 3 * 2**28, 60
_REFUSED, _PANICKED = 3, 4
"""What the trial ends with where calamine refuses the file, and is asked why when it is opened here; or panics."""
_TRIAL = f"""
import sys
from python_calamine import CalamineWorkbook
try:
    import resource
    resource.setrlimit(resource.RLIMIT_AS, (int(sys.argv[1]), int(sys.argv[1])))
except (ImportError, OSError, ValueError):
    pass
try:
    book = CalamineWorkbook.from_path(sys.argv[2])
    for place in range(len(book.sheet_names)):
        book.get_sheet_by_index(place)
except MemoryError:
    raise
except Exception:
    sys.exit({_REFUSED})
except BaseException:
    sys.exit({_PANICKED})
"""
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
"""The first bytes of a compound file, as an xls is (MS-CFB 2.2)."""


@dataclass(frozen=True)
class Sheet:
    """A sheet opened.

    Attributes:
        part: the file, as it is called in the package.
        name: its name.
        is_hidden: True where people do not see it.
        others: names of the other sheets that hold something.
        facts: what calamine does not tell.
        cells: the sheet of calamine.
    """

    part: str
    name: str
    is_hidden: bool
    others: tuple[str, ...]
    facts: Facts
    cells: CalamineSheet

    @property
    def first_column(self) -> int:
        """The first column that is used, from 0."""
        return self.cells.start[1] if self.cells.start else 0

    def rows(self) -> Iterator[tuple[int, list[Any]]]:
        """The number of each row, from 1, and its cells; empty ones are the empty text."""
        return enumerate(self.cells.iter_rows(), start=1)


def open_workbook(
    resource: Resource, kind: str, files: Mapping[str, Path], dialect: Dialect, scratch: Path
) -> Table:
    """Open the sheet that the dialect of a resource names, or the first, of each of its files.

    Args:
        resource: the resource.
        kind: one of FORMATS.
        files: its files, uncompressed, by name.
        dialect: which rows are the header or comments.
        scratch: a folder for what has to be unpacked.

    Raises:
        TableReadError: CD401, a workbook is damaged or too large; CD416, the dialect cannot be; CD422, there is no
            such sheet.
    """
    wanted = _wanted(resource)
    sheets = [
        open_sheet(path, part, kind, wanted, scratch / f"book-{number}.{kind}")
        for number, (part, path) in enumerate(files.items())
    ]
    first, *rest = (_Reader(resource, sheet, dialect) for sheet in sheets)
    records = one_after_the_other(first.table, ((reader.table, reader.whole()) for reader in rest))
    findings = [found for reader in (first, *rest) for found in reader.seen(is_named=wanted is not None)]
    return Table(
        first.table.labels,
        records,
        findings=tuple(findings),
        closing=lambda: [found for reader in (first, *rest) for found in reader.closing()],
        header_row=max(dialect.header_rows, default=1),
        sheet=sheets[0].name,
        others=tuple((sheet.part, name) for sheet in sheets for name in sheet.others),
    )


def _wanted(resource: Resource) -> str | int | None:
    """The name of a sheet, or its number from 1 (Table Dialect 2.0, sheetName and sheetNumber)."""
    given = resource.dialect or {}
    # frictionless nests the properties of workbooks one level down, and calls both "sheet".
    nested = given.get("excel") or given.get("ods")
    given = {**given, **nested} if isinstance(nested, Mapping) else given
    name = given.get("sheetName", given.get("sheetNumber", given.get("sheet")))
    if name is None or (isinstance(name, str) and name) or (type(name) is int and name > 0):
        return name
    raise TableReadError("CD416", "sheet-dialect")


def open_sheet(path: Path, part: str, kind: str, wanted: str | int | None, scratch: Path) -> Sheet:
    """Open one sheet.

    Args:
        path: the workbook.
        part: what it is called in findings.
        kind: one of FORMATS.
        wanted: the name of the sheet or its number from 1; None for the first.
        scratch: a file to write the harmless copy of the workbook to, its ending being the kind.

    Raises:
        TableReadError: CD401, the workbook is damaged or too large; CD422, the sheet is not there.
    """
    if kind == "xls":
        # calamine looks at the bytes and not at the name, and would open a zip that nobody has checked.
        with path.open("rb") as file:
            if file.read(len(_OLE)) != _OLE:
                raise TableReadError("CD401", "workbook-damaged", part)
        _tried(path, part)
    else:
        path = repacked(path, part, scratch)
    seen = ods_facts(path, part) if kind == "ods" else []
    return _guarded(part, lambda: _opened(path, part, kind, wanted, seen))


def _tried(path: Path, part: str) -> None:
    """Open an xls in a process of its own that may take so much memory and time, and no more.

    calamine keeps all sheets, and believes what an xls says of their size: a few bytes may ask for more memory
    than there is, which ends the process. Where a system has no limit on memory, an end of the process and the
    time are noticed all the same.

    Raises:
        TableReadError: CD401, it takes more.
    """
    command = [sys.executable, "-P", "-c", _TRIAL, str(_TRIAL_BYTES), str(path)]
    try:
        done = subprocess.run(  # noqa: S603  # our own code, and a path as its argument
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=_TRIAL_SECONDS, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise TableReadError("CD401", "workbook-heavy", part) from error
    if done.returncode == _PANICKED:
        # Not opened here: it would write its backtrace to the terminal.
        raise TableReadError("CD401", "workbook-damaged", part)
    if done.returncode not in (0, _REFUSED):
        raise TableReadError("CD401", "workbook-heavy", part)


def _opened(path: Path, part: str, kind: str, wanted: str | int | None, seen: list[Facts]) -> Sheet:
    from python_calamine import CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

    with path.open("rb") as file:
        book = CalamineWorkbook.from_filelike(file)
    metadata = book.sheets_metadata
    places = [place for place, entry in enumerate(metadata) if entry.typ == SheetTypeEnum.WorkSheet]
    names = [metadata[place].name for place in places]
    chosen = _chosen(names, wanted)
    if chosen is None:
        told = ", ".join(names[:_MAX_SHEETS_TOLD])
        raise TableReadError("CD422", "sheet-absent", part, sheet=str(wanted or 1), sheets=told)
    is_xlsx = kind in ("xlsx", "xlsm")
    parts = sheet_parts(path, part) if is_xlsx else []
    place = places[chosen]
    if is_xlsx:
        if len(parts) != len(metadata):
            raise TableReadError("CD401", "workbook-damaged", part)
        facts = xlsx_facts(path, parts[place], part)
        others = [metadata[other].name for other in places if other != place and is_filled(path, parts[other])]
    else:
        facts = seen[place] if len(seen) == len(metadata) else Facts()
        others = [metadata[other].name for other in places if other != place and _is_used(book, other)]
    cells = book.get_sheet_by_index(place)
    facts.merged = facts.merged or list(cells.merged_cell_ranges or ())
    is_hidden = metadata[place].visible != SheetVisibleEnum.Visible
    return Sheet(part, names[chosen], is_hidden, tuple(others), facts, cells)


def _chosen(names: Sequence[str], wanted: str | int | None) -> int | None:
    if isinstance(wanted, str):
        return names.index(wanted) if wanted in names else None
    number = (wanted or 1) - 1
    return number if number < len(names) else None


def _is_used(book: CalamineWorkbook, place: int) -> bool:
    return book.get_sheet_by_index(place).end is not None


def _guarded(part: str, do: Callable[[], Sheet]) -> Sheet:
    """What is done with calamine; its failures, panics too, become findings."""
    from python_calamine import CalamineError, PasswordError

    try:
        return do()
    except PasswordError as error:
        raise TableReadError("CD401", "workbook-password", part) from error
    except (CalamineError, OSError, ValueError) as error:
        raise TableReadError("CD401", "workbook-damaged", part) from error
    except BaseException as error:
        # A panic of Rust is no Exception, and its class cannot be imported.
        if type(error).__name__ != "PanicException":
            raise
        raise TableReadError("CD401", "workbook-damaged", part) from error


# Cells


def plain(value: Any) -> Any:
    """A cell without the traces of the spreadsheet: None where it is empty, whole numbers whole."""
    if type(value) is float and value.is_integer() and abs(value) < 1e15:
        return int(value)
    return None if value == "" else value


def text(value: Any) -> str:
    """A cell that is not empty as text: digits, dates as ISO 8601 has them, TRUE or FALSE."""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, (date, time)):
        return value.isoformat()
    if isinstance(value, timedelta):
        return f"PT{value.total_seconds():.15g}S"
    return value if isinstance(value, str) else repr(value)


def _native(value: Any, kind: str) -> Any:
    """A cell that is not empty as a field of a type takes it."""
    if isinstance(value, str) or (isinstance(value, bool) and kind != "string"):
        return value
    if isinstance(value, (date, time, timedelta)):
        if kind == "datetime" and type(value) is date:
            return datetime.combine(value, time())
        return value if kind in _DATES and not isinstance(value, timedelta) else text(value)
    return value if kind in _NUMBERS else text(value)


@dataclass
class _Tally:
    """How many cells of a column are of an unlikely kind, by the key of a text that says which; and the first."""

    counts: dict[str, int] = field(default_factory=dict)
    firsts: dict[str, int] = field(default_factory=dict)

    def add(self, key: str, row: int) -> None:
        self.counts[key] = self.counts.get(key, 0) + 1
        self.firsts.setdefault(key, row)


def _unlikely(value: Any, kind: str) -> str | None:
    """Key of the text that says why a value is unlikely in a field of a type."""
    if isinstance(value, (date, time, timedelta)):
        return None if kind in _DATES else "sheet-date"
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        if kind in ("date", "datetime", "time"):
            return "sheet-serial"
        return "sheet-digits" if kind == "string" else None
    return None


class _Reader:
    """The rows of a sheet, and what is to be told of it."""

    def __init__(self, resource: Resource, sheet: Sheet, dialect: Dialect) -> None:
        self._resource, self._sheet, self._dialect = resource, sheet, dialect
        self._is_total: list[bool] = []
        self._totals: list[int] = []
        self._last = 0
        split = split_header(self._records(), dialect)
        labels = list(split.labels) if split.labels is not None else None
        while labels and not labels[-1]:
            labels.pop()
        self._width = len(labels) if labels is not None else len(resource.fields)
        names = labels if labels is not None else [str(entry.get("name")) for entry in resource.fields]
        self._names = names
        given = {str(entry.get("name")): entry for entry in resource.fields}
        self._fields = [given.get(name, {}) for name in names]
        self._kinds = [str(entry.get("type", "any")) for entry in self._fields]
        self._tallies = [_Tally() for _ in names]
        self.table = Table(labels, self._typed(split.records))

    def whole(self) -> Iterator[Record]:
        """All rows, the header being one."""
        return self._typed(self._records())

    def _records(self) -> Iterator[Record]:
        for number, cells in self._sheet.rows():
            record = Record(self._sheet.part, number, [plain(cell) for cell in cells], self._sheet.name)
            if not self._dialect.skips(record):
                yield record

    def _typed(self, records: Iterable[Record]) -> Iterator[Record]:
        for record in records:
            self._look(record)
            cells = [
                None if value is None else _native(value, kind)
                for value, kind in zip(record.cells, self._kinds, strict=False)
            ]
            more = record.cells[len(cells) :]
            while more and more[-1] is None:
                more.pop()
            cells += more or [None] * (self._width - len(cells))
            yield Record(record.file, record.row, cells, record.sheet)

    def _look(self, record: Record) -> None:
        for value, kind, tally in zip(record.cells, self._kinds, self._tallies, strict=False):
            if value is not None and (key := _unlikely(value, kind)):
                tally.add(key, record.row)
        first = next((value for value in record.cells if value is not None), None)
        if first is not None:
            self._last = record.row
            if isinstance(first, str) and is_total(first):
                self._totals.append(record.row)

    # What is told

    def _where(self, row: int | None = None, name: str | None = None) -> Where:
        return Where(self._sheet.part, None, self._resource.name, self._sheet.name, row, name)

    def _finding(self, code: str, key: str = "", row: int | None = None, **params: Any) -> Finding:
        note = {"note": Phrase(f"rows.{key}", {"sheet": self._sheet.name} | params)} if key else {}
        named = {"sheet": self._sheet.name, "resource": self._resource.name, "row": row}
        return Finding(code, self._where(row, params.get("field")), named | params | note)

    def seen(self, *, is_named: bool) -> Iterator[Finding]:
        """What is seen in the sheet and the workbook as a whole."""
        sheet, facts = self._sheet, self._sheet.facts
        top = min(self._dialect.header_rows, default=1) - 1
        if sheet.others and not is_named:
            yield self._finding("CD429", others=", ".join(sheet.others[:_MAX_SHEETS_TOLD]))
        yield from self._by_column("CD423", facts.formulas)
        yield from self._by_column("CD424", facts.errors)
        if merged := sorted(first for first, last in facts.merged if last[0] >= top):
            yield self._finding("CD425", row=merged[0][0] + 1, count=len(merged))
        if sheet.is_hidden:
            yield self._finding("CD427", "sheet-hidden")
        if hidden := sorted(row for row in facts.hidden_rows if row >= top):
            yield self._finding("CD427", "rows-hidden", hidden[0] + 1, count=len(hidden))
        if columns := [self._name(column) for column in sorted(facts.hidden_columns)]:
            yield self._finding("CD427", "columns-hidden", names=", ".join(columns))

    def _by_column(self, code: str, cells: Iterable[Cell]) -> Iterator[Finding]:
        rows: dict[int, list[int]] = {}
        for row, column in sorted(cells):
            rows.setdefault(column, []).append(row + 1)
        for column, found in sorted(rows.items()):
            yield self._finding(code, row=found[0], field=self._name(column), count=len(found))

    def _name(self, column: int) -> str:
        """What a column is called, or the letters that the spreadsheet gives it."""
        place = column - self._sheet.first_column
        return self._names[place] if 0 <= place < len(self._names) and self._names[place] else letters(column)

    def closing(self) -> Iterator[Finding]:
        """What is seen once all rows have been read."""
        for name, kind, entry, tally in zip(self._names, self._kinds, self._fields, self._tallies, strict=True):
            for key, count in tally.counts.items():
                # Where the values are listed, digits that have lost their zeros are none of them.
                is_listed = "categories" in entry or "enum" in (entry.get("constraints") or {})
                if key == "sheet-digits" and is_listed:
                    continue
                code = "CD431" if key == "sheet-digits" else "CD428"
                note = "" if key == "sheet-digits" else key
                yield self._finding(code, note, tally.firsts[key], field=name, count=count, type=kind)
        # In a long table, where each group has its total, it stands in other rows too.
        if self._totals == [self._last] and self._last:
            yield self._finding("CD426", row=self._last)


def to_csv(path: Path, target: Path, wanted: str | None = None) -> tuple[Finding, ...]:
    """Write a sheet as CSV in UTF-8, the first row being the header; tell what was seen in it.

    All cells are written: dates as YYYY-MM-DD, whole numbers without a decimal point, percentages as 0.25.

    Args:
        path: a workbook of one of FORMATS.
        target: the file to write.
        wanted: the name of the sheet; the first, where there is none.

    Raises:
        TableReadError: the workbook cannot be read, or the sheet is not there.
    """
    kind = path.suffix.lower().removeprefix(".")
    with tempfile.TemporaryDirectory(prefix="cdmeta-table-") as scratch:
        sheet = open_sheet(path, path.name, kind, wanted, Path(scratch) / f"book.{kind}")
    reader = _Reader(Resource(0, path.stem, {}, (), None, None), sheet, Dialect())
    with target.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(reader.table.labels or [])
        for record in reader.table.records:
            writer.writerow(["" if value is None else text(value) for value in record.cells])
    return (*reader.seen(is_named=wanted is not None), *reader.closing())


def letters(column: int) -> str:
    """The letters of a column, from 0: A, B … Z, AA."""
    name = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        name = chr(65 + rest) + name
    return name


def is_total(cell: str) -> bool:
    """Tell whether a cell names a row of totals, in the languages of `profiles/totals.csv`."""
    words = re.sub(r"[\W_]+", " ", cell.casefold()).strip()
    return words in _totals() or any(words.startswith(f"{word} ") for word in _totals())


@cache
def _totals() -> frozenset[str]:
    table = resource_files("cdmeta.profiles").joinpath("totals.csv").read_text(encoding="utf-8")
    return frozenset(row["text"] for row in csv.DictReader(table.splitlines()))
