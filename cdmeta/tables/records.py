"""The records of a table of text as its descriptor says they are written: nothing is sniffed or guessed."""

from __future__ import annotations

import codecs
import csv
import itertools
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

from cdmeta.finding import Finding
from cdmeta.package import Resource

MAX_CELL_CHARACTERS = 4 * 2**20
"""A cell, or a line, longer than this is a quotation mark that was never closed, or no table at all."""

CHUNK = 2**20
COMPRESSIONS = {"gz": "gz", "gzip": "gz", "bz2": "bz2", "bzip2": "bz2", "xz": "xz", "zip": "zip"}
"""How files are compressed, by what `compression` or the ending of a name says."""
_NO_CHARSETS = ("idna", "mbcs", "oem", "punycode", "raw-unicode-escape", "undefined", "unicode-escape")
"""Codecs of Python that are no encodings of files."""

_LINE_ENDS = ("\r\n", "\n", "\r")


class TableReadError(Exception):
    """A table cannot be read on.

    Attributes:
        code: the finding that says so: `CD401`, `CD402`, `CD403`, `CD415`, `CD416`, `CD418` or `CD422`.
        reason: key of the text that says why, below `rows.`.
        params: what fills its blanks.
        file: the file, where there is one.
        row: the record at which it was noticed.
    """

    def __init__(self, code: str, reason: str, file: str | None = None, row: int | None = None, **params: Any):
        super().__init__(reason)
        self.code, self.reason, self.file, self.row, self.params = code, reason, file, row, params


@dataclass(frozen=True)
class Record:
    """One record: the file it stands in, its number there (the header being 1), its cells, and its sheet."""

    file: str | None
    row: int
    cells: list[Any]
    sheet: str | None = None


@dataclass(frozen=True)
class Dialect:
    """How a table is written, with the defaults of Table Dialect 2.0."""

    delimiter: str = ","
    quote: str = '"'
    double_quote: bool = True
    escape: str | None = None
    null: str | None = None
    skip_space: bool = False
    header_rows: tuple[int, ...] = (1,)
    header_join: str = " "
    comment_rows: frozenset[int] = frozenset()
    comment: str = ""

    @classmethod
    def of(cls, resource: Resource) -> Dialect:
        """The dialect that a resource gives, TSV having tabs.

        Raises:
            TableReadError: CD416, what it gives cannot be; CD418, it is more than is read here.
        """
        given = dict(resource.dialect or {})
        # frictionless nests the properties of CSV one level down.
        given |= nested if isinstance(nested := given.get("csv"), Mapping) else {}
        if given.get("lineTerminator", "\n") not in _LINE_ENDS:
            raise TableReadError("CD418", "line-terminator")
        if isinstance(delimiter := given.get("delimiter"), str) and len(delimiter) > 1:
            raise TableReadError("CD418", "long-delimiter")
        rows = given.get("headerRows", [1]) if given.get("header", True) is True else []
        tab = kind(resource) == "tsv"
        try:
            dialect = cls(
                given.get("delimiter", "\t" if tab else ","),
                given.get("quoteChar", '"'),
                given.get("doubleQuote", True) is True,
                given.get("escapeChar"),
                given.get("nullSequence"),
                given.get("skipInitialSpace", False) is True,
                tuple(sorted({int(row) for row in rows})),
                str(given.get("headerJoin", " ")),
                frozenset(int(row) for row in given.get("commentRows", [])),
                given.get("commentChar") or "",
            )
            csv.reader([], **dialect.options())
            if not isinstance(given.get("commentChar", ""), str) or min(dialect.header_rows, default=1) < 1:
                raise ValueError(given)
        except (TypeError, ValueError, OverflowError, csv.Error) as error:
            raise TableReadError("CD416", "dialect") from error
        return dialect

    def options(self) -> dict[str, Any]:
        """The same for Python's csv."""
        return {
            "delimiter": self.delimiter,
            "quotechar": self.quote or None,
            "quoting": csv.QUOTE_MINIMAL if self.quote else csv.QUOTE_NONE,
            "doublequote": self.double_quote if self.escape else True,
            "escapechar": self.escape,
            "skipinitialspace": self.skip_space,
            # A character behind a closing quote mostly means that the quote was meant to stand inside the text,
            # and that rows have been swallowed since.
            "strict": True,
        }

    def skips(self, record: Record) -> bool:
        """Tell whether a record is a comment."""
        if record.row in self.comment_rows:
            return True
        first = record.cells[0] if record.cells else None
        return bool(self.comment) and isinstance(first, str) and first.startswith(self.comment)


@dataclass(frozen=True)
class Table:
    """A table opened for reading.

    Attributes:
        labels: its column names, None where the dialect says it has no header.
        records: its rows.
        files: its files, uncompressed, by their names, where they are CSV or TSV.
        findings: what was seen in opening it.
        closing: what was seen of its rows, once all have been read.
        header_row: number of the last row of the header.
        sheet: name of the sheet in a workbook.
        others: its other sheets that hold something, as the file and the name of each.
    """

    labels: list[str] | None
    records: Iterator[Record]
    files: Mapping[str, Path] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    closing: Callable[[], Iterable[Finding]] = tuple
    header_row: int = 1
    sheet: str | None = None
    others: tuple[tuple[str, str], ...] = ()


def kind(resource: Resource) -> str:
    """The format of a resource in lower case, as it says or as its first file is called; empty if neither."""
    given = resource.raw.get("format")
    if isinstance(given, str) and given.strip():
        return given.strip().lower().removeprefix(".")
    if resource.raw.get("mediatype") in ("text/csv", "text/tab-separated-values"):
        return "csv" if resource.raw["mediatype"] == "text/csv" else "tsv"
    return Path(bare_name(resource.paths[0])).suffix.lower().removeprefix(".") if resource.paths else ""


def missing_values(resource: Resource, entry: Mapping[str, Any]) -> frozenset[str]:
    """The texts that stand for no value in a field: its own, else those of the schema, labelled ones too."""
    given = entry.get("missingValues", (resource.schema or {}).get("missingValues", [""]))
    listed = given if isinstance(given, list) else []
    values = (part.get("value") if isinstance(part, Mapping) else part for part in listed)
    return frozenset(value for value in values if isinstance(value, str))


def bare_name(path: str) -> str:
    """The name of a file without the ending of a compression: `a.csv` of `a.csv.gz`."""
    name = PurePosixPath(path)
    is_packed = name.suffix.lower().removeprefix(".") in COMPRESSIONS and PurePosixPath(name.stem).suffix
    return name.stem if is_packed else path


def open_text(files: Mapping[str, Path], encoding: str, dialect: Dialect) -> Table:
    """Open files of text. Their rows follow each other; a header that a further file repeats is passed over.

    Args:
        files: the files, uncompressed, by their names.
        encoding: one in which they are text (`undecodable`).
        dialect: how they are written.
    """
    readers = [partial(read_records, path, part, encoding, dialect) for part, path in files.items()]
    first, *rest = ((split_header(records(), dialect), records()) for records in readers)
    return Table(first[0].labels, one_after_the_other(first[0], rest), files)


def encoding_of(resource: Resource) -> str:
    """The encoding that a resource names, UTF-8 where it names none.

    Raises:
        TableReadError: CD402, there is no such encoding.
    """
    name = resource.raw.get("encoding", "utf-8")
    try:
        if not isinstance(name, str):
            raise TypeError(name)
        if (known := codecs.lookup(name).name) in _NO_CHARSETS:
            raise LookupError(name)
        "a".encode(known)
        return known
    except (LookupError, TypeError, ValueError) as error:
        raise TableReadError("CD402", "encoding-unknown", encoding=str(name)[:40]) from error


def undecodable(path: Path, encoding: str) -> tuple[str, dict[str, Any]] | None:
    """Why a file is not in an encoding: key of a text and what fills it; None where it is.

    A byte order mark of UTF-8 is taken as what it is: spreadsheets write it, and it says what the standard asks.
    Zero bytes are UTF-16 read as something else. Text that is UTF-8 beyond ASCII is hardly ever meant as
    another encoding of single bytes; read as that, each accent would become two characters.
    """
    with path.open("rb") as file:
        head = file.read(4)
    if head.startswith((b"\xff\xfe", b"\xfe\xff")) and not encoding.startswith(("utf-16", "utf-32")):
        return "encoding-utf-16", {}
    place, has_zero, _ = scan(path, encoding)
    if place is not None:
        return "encoding-byte", {"place": place}
    if has_zero:
        return "encoding-zero", {}
    if encoding not in ("utf-8", "utf-8-sig", "ascii") and not encoding.startswith(("utf-16", "utf-32", "utf-7")):
        place, _, is_beyond_ascii = scan(path, "utf-8")
        if place is None and is_beyond_ascii:
            return "encoding-is-utf-8", {}
    return None


def scan(path: Path, encoding: str) -> tuple[int | None, bool, bool]:
    """The byte (from 1) at which a file is no text in an encoding; whether it holds U+0000; or beyond ASCII."""
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    done, has_zero, is_beyond_ascii = 0, False, False
    with path.open("rb") as file:
        while True:
            chunk = file.read(CHUNK)
            waiting = len(decoder.getstate()[0])
            try:
                text = decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError as error:
                return done - waiting + error.start + 1, has_zero, is_beyond_ascii
            except UnicodeError:
                return done + 1, has_zero, is_beyond_ascii
            has_zero = has_zero or "\0" in text
            is_beyond_ascii = is_beyond_ascii or not text.isascii()
            done += len(chunk)
            if not chunk:
                return None, has_zero, is_beyond_ascii


def read_records(path: Path, part: str, encoding: str, dialect: Dialect) -> Iterator[Record]:
    """The records of one file, comments left out.

    Args:
        path: the file.
        part: what it is called in records.
        encoding: one in which it is text (`undecodable`).
        dialect: how it is written.

    Raises:
        TableReadError: CD401, a line without end; CD415, a quotation mark in the wrong place.
    """
    row = 0
    encoding = "utf-8-sig" if encoding == "utf-8" else encoding
    csv.field_size_limit(MAX_CELL_CHARACTERS)
    with path.open(encoding=encoding, newline="") as file:
        lines = iter(lambda: file.readline(MAX_CELL_CHARACTERS), "")
        reader = csv.reader(_lines(lines, part), **dialect.options())
        try:
            for row, cells in enumerate(reader, start=1):
                record = Record(part, row, cells if dialect.null is None else _with_nulls(cells, dialect.null))
                if not dialect.skips(record):
                    yield record
        except csv.Error as error:
            raise TableReadError("CD415", "quote", part, row + 1) from error


def _lines(lines: Iterator[str], part: str) -> Iterator[str]:
    for line in lines:
        if len(line) == MAX_CELL_CHARACTERS and not line.endswith(_LINE_ENDS):
            raise TableReadError("CD401", "long-line", part, limit=f"{MAX_CELL_CHARACTERS:,}")
        yield line


def _with_nulls(cells: list[str], null: str) -> list[Any]:
    return [None if cell == null else cell for cell in cells]


def split_header(records: Iterator[Record], dialect: Dialect) -> Table:
    """Part the header from the rows below it."""
    if not dialect.header_rows:
        return Table(None, records)
    labels: list[str] = []
    previous: dict[int, str] = {}
    for record in records:
        if record.row > dialect.header_rows[-1]:
            return Table(labels, itertools.chain([record], records))
        if record.row in dialect.header_rows:
            _join(labels, previous, record.cells, dialect.header_join)
        if record.row == dialect.header_rows[-1]:
            break
    return Table(labels, records)


def _join(labels: list[str], previous: dict[int, str], cells: list[Any], join: str) -> None:
    """Add one row of a header; a cell that repeats the one above adds nothing."""
    for index, cell in enumerate(cells):
        text = "" if cell is None else str(cell).strip()
        if previous.get(index) == text:
            continue
        previous[index] = text
        if index < len(labels):
            labels[index] = join.join([labels[index], text])
        else:
            labels.append(text)


def one_after_the_other(first: Table, rest: Iterable[tuple[Table, Iterator[Record]]]) -> Iterator[Record]:
    """All rows; a further file that does not start with the same header has none, and is rows throughout."""
    yield from first.records
    for table, whole in rest:
        yield from table.records if table.labels == first.labels else whole


def open_inline(resource: Resource) -> Table:
    """Rows in the descriptor: a list of lists, the first being the header, or a list of objects."""
    data = resource.raw["data"]
    if not isinstance(data, list):
        raise TableReadError("CD418", "inline")
    if not data:
        return Table([], iter(()))
    if all(isinstance(row, Mapping) for row in data):
        names = [str(f.get("name")) for f in resource.fields]
        labels = list(dict.fromkeys(names + [key for row in data for key in row]))
        keyed = (Record(None, n, [row.get(label) for label in labels]) for n, row in enumerate(data, start=2))
        return Table(labels, keyed)
    if not all(isinstance(row, list) for row in data):
        raise TableReadError("CD418", "inline")
    listed = (Record(None, number, row) for number, row in enumerate(data, start=1))
    return split_header(listed, Dialect(header_rows=Dialect.of(resource).header_rows))


def canonical(value: Any) -> Any:
    """A value as something that can stand in a set: lists and objects as their JSON."""
    return json.dumps(value, sort_keys=True, default=str) if isinstance(value, (list, dict)) else value
