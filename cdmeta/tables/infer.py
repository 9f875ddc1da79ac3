"""What a table is, from its bytes and values: for `cdmeta new`, which proposes it to a person.

A value decides for a type only where nothing is lost: what has leading zeros, a thousands separator or an
underscore stays text. The table is read once, in pieces; no more than the hashes of its cells is kept.
"""

from __future__ import annotations

import csv
import io
import itertools
import math
import re
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

from cdmeta.errors import TableError
from cdmeta.phrase import Phrase, at
from cdmeta.tables.records import Dialect, Record, TableReadError, read_records, scan, split_header

MISSING = ("NA", "N/A", "n/a", "-")
"""Beside the empty cell, what stands for a value that is missing, where the other values are no text."""

_DELIMITERS = ",;\t|"
_SAMPLE_BYTES = 2**16
_PIECE = 5_000
_REMEMBERED = 20_000
_MAX_KEY_CELLS = 20_000_000
_MAX_KEY_COLUMNS, _MAX_KEY_SETS = 6, 400
_YEARS_IF_NAMED, _YEARS = range(1000, 3000), range(1900, 2101)
_YEAR_NAMES = frozenset(
    {"year", "years", "yr", "año", "ano", "anio", "année", "annee", "jahr", "anno", "tahun", "mwaka"}
)
_IDENTIFIER = re.compile(r"(?:^|[_ .-])(?:id|code|key|uuid)$", re.IGNORECASE)
_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")


@dataclass(frozen=True)
class Inferred:
    """What was found out about a table.

    Attributes:
        encoding: name of its encoding.
        delimiter: what its cells stand apart by.
        schema: a Table Schema that its rows fit.
        rows: number of rows below the header.
        notes: what a person should look at: key of a text below `infer.`, and what fills it.
    """

    encoding: str
    delimiter: str
    schema: Mapping[str, Any] = field(hash=False)
    rows: int
    notes: tuple[tuple[str, Mapping[str, Any]], ...] = field(hash=False)


def infer(path: Path, called: Path | None = None) -> Inferred:
    """Find out the encoding, the delimiter and the schema of a table.

    Args:
        path: the table.
        called: what it is called in errors, where it was made from another file.

    Raises:
        TableError: it is no table of text, or its header does not name each column.
        OSError: it cannot be read.
    """
    called = called or path
    encoding = _encoding(path)
    dialect = Dialect(delimiter=_delimiter(path, encoding))
    try:
        table = split_header(read_records(path, path.name, encoding, dialect), dialect)
        labels = _labels(called, table.labels or [])
        columns = [_Column(label, dialect.delimiter) for label in labels]
        rows = _read(columns, table.records)
    except TableReadError as error:
        reason = Phrase(f"rows.{error.reason}", error.params)
        raise _error(called, "unreadable", row=error.row or 1, reason=reason) from error
    schema, notes = _schema(columns, rows)
    found: list[tuple[str, Mapping[str, Any]]] = [
        ("delimiter", {"delimiter": _called(dialect.delimiter)}),
        ("encoding", {"encoding": encoding}),
    ]
    return Inferred(encoding, dialect.delimiter, schema, rows, (*found, *notes))


def _error(path: Path, key: str, **params: Any) -> TableError:
    return TableError(at(path, f"infer.{key}", **params))


def _encoding(path: Path) -> str:
    with path.open("rb") as file:
        head = file.read(_SAMPLE_BYTES)
    if head.startswith(_WORKBOOKS):
        raise _error(path, "workbook")
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        candidates = ["utf-16"]
    elif b"\0" in head:
        # Text in UTF-16 without a mark: of most letters one half is zero.
        candidates = ["utf-16-le" if head[1::2].count(0) > head[::2].count(0) else "utf-16-be"]
    else:
        candidates = ["utf-8", "windows-1252", "iso-8859-1"]
    for name in candidates:
        place, has_zero, _ = scan(path, name)
        if place is None and not has_zero:
            return name
    raise _error(path, "binary")


def _delimiter(path: Path, encoding: str) -> str:
    """The delimiter by which most of the first rows have as many cells as the header, and more than one."""
    with path.open(encoding="utf-8-sig" if encoding == "utf-8" else encoding, newline="") as file:
        lines = list(io.StringIO(file.read(_SAMPLE_BYTES), newline=""))
    lines = lines[:-1] if len(lines) > 2 else lines
    best, chosen = (0.0, 0), ","
    for delimiter in _DELIMITERS:
        widths = [len(row) for row in csv.reader(lines, delimiter=delimiter) if row]
        if widths and widths[0] > 1:
            score = (widths.count(widths[0]) / len(widths), widths[0])
            best, chosen = max((best, chosen), (score, delimiter), key=lambda pair: pair[0])
    return chosen


def _called(delimiter: str) -> Phrase:
    return Phrase("infer.delimiter." + {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}[delimiter])


def _labels(path: Path, labels: list[str]) -> list[str]:
    if not any(labels):
        raise _error(path, "headless")
    if "" in labels:
        raise _error(path, "unnamed", number=labels.index("") + 1)
    if twice := next((label for index, label in enumerate(labels) if label in labels[:index]), None):
        raise _error(path, "twice", name=twice)
    return labels


def _read(columns: list[_Column], records: Iterator[Record]) -> int:
    """Show all rows to the columns, and tell how many there were."""
    count, width = 0, len(columns)
    while piece := [record.cells for record in itertools.islice(records, _PIECE)]:
        rows = [row if len(row) == width else [*row, *[""] * width][:width] for row in piece if row]
        count += len(rows)
        keeps = count * width <= _MAX_KEY_CELLS
        for column, cells in zip(columns, zip(*rows, strict=True), strict=False):
            column.take(cells, keeps)
    return count


# Types


def _is_date(text: str) -> bool:
    try:
        return _DATE.fullmatch(text) is not None and bool(date.fromisoformat(text))
    except ValueError:
        return False


def _is_datetime(text: str) -> bool:
    try:
        return _DATETIME.fullmatch(text) is not None and bool(datetime.fromisoformat(text))
    except ValueError:
        return False


_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DATETIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?(?:Z|[+-][0-9]{2}:[0-9]{2})?"
)
_FOUR_DIGITS = re.compile(r"[0-9]{4}")
_WHOLE = r"-?(?:0|[1-9][0-9]*)"
Test = Callable[[str], object]


def _tests(name: str, delimiter: str) -> dict[str, Test]:
    """Type to the test that all values of a column have to pass, the first to be passed being taken."""
    words = re.split(r"[\W_]+", name.casefold())
    years = _YEARS_IF_NAMED if _YEAR_NAMES.intersection(words) else _YEARS
    tests: dict[str, Test] = {
        "boolean": re.compile(r"true|false|True|False|TRUE|FALSE").fullmatch,
        "year": lambda text: _FOUR_DIGITS.fullmatch(text) and int(text) in years,
        "integer": re.compile(_WHOLE).fullmatch,
        "number": re.compile(rf"(?:{_WHOLE}(?:\.[0-9]+)?|-?\.[0-9]+)(?:[eE][+-][0-9]+)?").fullmatch,
        "date": _is_date,
        "datetime": _is_datetime,
        "yearmonth": re.compile(r"(?:1[0-9]|20)[0-9]{2}-(?:0[1-9]|1[0-2])").fullmatch,
        "time": re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]").fullmatch,
    }
    if delimiter != ",":
        # With three digits behind it, a comma may as well part thousands.
        tests["decimal comma"] = re.compile(rf"{_WHOLE}(?:,(?:[0-9]{{1,2}}|[0-9]{{4,}}))?").fullmatch
    return tests


class _Column:
    """What is known of one column while its cells pass by."""

    def __init__(self, name: str, delimiter: str) -> None:
        self.name = name
        self._tests = _tests(name, delimiter)
        self._seen: set[str] = set()
        self._has_values = False
        self._has_empty = False
        self.tokens: set[str] = set()
        self.has_leading_zeros = False
        self.hashes: array[int] | None = array("q")

    def take(self, cells: Iterable[str], keeps: bool) -> None:
        """Look at some cells; `keeps` tells whether their hashes may be kept to look for a key."""
        cells = tuple(cells)
        if keeps and self.hashes is not None:
            self.hashes.extend(map(hash, cells))
        else:
            self.hashes = None
        values = set(cells) - self._seen
        if len(self._seen) < _REMEMBERED:
            self._seen |= values
        for value in values:
            self._look(value)

    def _look(self, value: str) -> None:
        if value == "":
            self._has_empty = True
        elif value in MISSING:
            self.tokens.add(value)
        else:
            self._has_values = True
            self.has_leading_zeros |= len(value) > 1 and value[0] == "0" and value.isdecimal()
            for kind in [kind for kind, test in self._tests.items() if not test(value)]:
                del self._tests[kind]

    @property
    def kind(self) -> str:
        """Its type; text where nothing else fits all values, or where there are none."""
        return next(iter(self._tests), "string") if self._has_values else "string"

    @property
    def is_complete(self) -> bool:
        """True where each cell holds a value."""
        return not self._has_empty and (self.kind == "string" or not self.tokens)

    @property
    def is_measure(self) -> bool:
        """True where it holds figures rather than what they are about."""
        return self.kind in ("integer", "number", "decimal comma") and not _IDENTIFIER.search(self.name)


def _schema(columns: list[_Column], rows: int) -> tuple[dict[str, Any], list[tuple[str, dict[str, Any]]]]:
    tokens = {token for column in columns if column.kind != "string" for token in column.tokens}
    # A token that a text column has too may be a value there (NA is a country): then it is missing elsewhere only.
    shared = {token for column in columns if column.kind == "string" for token in column.tokens} & tokens
    general = ["", *(token for token in MISSING if token in tokens - shared)]
    schema: dict[str, Any] = {"fields": [_field(column, general, shared) for column in columns]}
    schema["missingValues"] = general
    key = _key(columns, rows)
    if key:
        schema["primaryKey"] = key
    return schema, list(_notes(columns, tokens, key))


def _field(column: _Column, general: list[str], shared: set[str]) -> dict[str, Any]:
    kind = column.kind
    entry: dict[str, Any] = {"name": column.name, "type": "number" if kind == "decimal comma" else kind}
    if kind == "decimal comma":
        entry["decimalChar"] = ","
    if kind != "string" and (own := [token for token in MISSING if token in column.tokens & shared]):
        entry["missingValues"] = [*general, *own]
    return entry


def _notes(columns: list[_Column], tokens: set[str], key: list[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    if tokens:
        yield "missing", {"tokens": ", ".join(sorted(tokens))}
    if zeros := [column.name for column in columns if column.kind == "string" and column.has_leading_zeros]:
        yield "zeros", {"names": ", ".join(zeros)}
    if commas := [column.name for column in columns if column.kind == "decimal comma"]:
        yield "comma", {"names": ", ".join(commas)}
    if key:
        yield "key", {"names": ", ".join(key)}


# The key


def _key(columns: list[_Column], rows: int) -> list[str]:
    """The smallest, left-most set of columns that tells the rows apart, in a table that has figures."""
    if rows < 2 or not any(column.is_measure for column in columns):
        return []
    kept = {c.name: c.hashes for c in columns if not c.is_measure and c.is_complete and c.hashes is not None}
    distinct = {name: len(set(hashes)) for name, hashes in kept.items()}
    sets = itertools.chain.from_iterable(
        itertools.combinations(kept, size) for size in range(1, min(len(kept), _MAX_KEY_COLUMNS) + 1)
    )
    possible = (names for names in sets if math.prod(distinct[name] for name in names) >= rows)
    for names in itertools.islice(possible, _MAX_KEY_SETS):
        if _is_unique(zip(*(kept[name] for name in names), strict=True)):
            return list(names)
    return []


def _is_unique(keys: Iterable[tuple[int, ...]]) -> bool:
    seen: set[tuple[int, ...]] = set()
    for key in keys:
        if key in seen:
            return False
        seen.add(key)
    return True
