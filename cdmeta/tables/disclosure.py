"""Tables as the checks of disclosure see them: how often, how many, in which row first; never a value.

All rows of a resource become one table of text in DuckDB, by `relations` where it takes them, else read by
`records` as the judge of rows reads them. Columns that no schema speaks of are looked at too. What is asked of a
table comes back as numbers; the few values that have to be looked at one by one are judged in here.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cache, cached_property, partial
from typing import TYPE_CHECKING, Any

from cdmeta import profile
from cdmeta.errors import ConversionError
from cdmeta.package import Package, Resource, UnreadableError
from cdmeta.tables import engine
from cdmeta.tables.engine import ROW, literal
from cdmeta.tables.held import MAX_BYTES, Condition, Held, UnsureError, to_number
from cdmeta.tables.held import matches as matches
from cdmeta.tables.inputs import READABLE, opened
from cdmeta.tables.packed import is_packed
from cdmeta.tables.plain import csv_scan
from cdmeta.tables.records import Record, TableReadError, kind, missing_values
from cdmeta.tables.relations import column as column_name
from cdmeta.tables.relations import relation
from cdmeta.tables.workbook import text

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_TEXT = ("csv", "tsv", "tab", "txt")
_READABLE = (*READABLE, "tab", "txt")
_MAX_ASIDES = 20
"""Sheets that no resource is about that are looked at: each opens its workbook anew."""
# Without upper bounds: they make RE2 build thousands of states, and it needs none to be quick.
_EMAIL = r"[\pL\pN_.+-]+@[\pL\pN_-]+[.][\pL\pN_-]"
_OCTET, _LARGE = "(25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])", "(25[0-5]|2[0-4][0-9]|1[0-9][0-9])"
# One part of three digits: 1.2.3.4 is the number of a section.
_IP = "|".join("[.]".join(_LARGE if part == large else _OCTET for part in range(4)) for large in range(4))
DIGITS = r"([0-9][^0-9A-Za-z]{0,2}){7}"
"""Seven digits, grouped or not: less is no phone number."""
_SITES = "twitter|x|facebook|instagram|tiktok|linkedin|threads|t|vk"
_ADDRESS = rf"(?i)(^|[/.\s])({_SITES})[.](com|me)/(in/|@)?[\w.%-]*[a-z][\w.%-]{{2,}}/?([?]|\s|$)"
_AT_ONCE = 50
"""Columns that one query measures: its expressions grow with each."""
_BINS = 100
"""Values in an order that are told apart where the distance of groups is measured."""
_FIRST_ROWS = 1_000
"""Rows that mostly show that a table stands in no order."""
_SMALL = 2**20
"""Bytes of all tables together up to which they are read here, sooner than the engine opens."""
PATTERNS = {
    "email": ("at", _EMAIL),
    "office": ("at", ""),
    "ip": ("dots", rf"^\s*({_IP})\s*$"),
    "ip6": ("colons", r"^\s*([0-9A-Fa-f]{1,4}:){3,7}(:?[0-9A-Fa-f]{1,4})+\s*$"),
    "handle": ("at", r"^\s*@\w[\w.]{2,29}\s*$"),
    "address": ("slashes", _ADDRESS),
}
"""What decides by itself: name → the mark without which there is none, and the pattern (offices: `_office`)."""
_MARKS = {
    "at": "%@%",
    "dots": "%.%.%.%",
    "colons": "%:%:%:%",
    "slashes": "%_/_%",
    "plus": "%+%",
    "spaces": "% % %",
}
DAY = r"^\s*([0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{1,2}[/.][0-9]{1,2}[/.][0-9]{4})([T ][0-9:.]+)?(Z|[+-][0-9:]+)?\s*$"
"""A day, or a day and a time."""


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes:
        name: as the schema calls it; its number (`#3`) where it does not, because what stands where a header
            should may be values.
        label: as the header calls it, to be looked at and never shown.
        given: its field descriptor; empty where the schema has none.
        sql: its name in DuckDB.
        pointer: to the field in the schema; None where it has none there.
    """

    name: str
    label: str
    given: Mapping[str, Any] = field(hash=False)
    sql: str
    pointer: str | None


@dataclass(frozen=True)
class Shape:
    """What a column holds, in numbers.

    Attributes:
        filled: cells that are not missing.
        distinct: different values, near enough.
        length: mean number of characters.
        longest: greatest number of characters.
        numbers: cells that are a number.
        marks: name of a mark (`at`, `dots`, `colons`, `slashes`, `plus`, `spaces`) → cells that hold it.
    """

    filled: int = 0
    distinct: int = 0
    length: float = 0.0
    longest: int = 0
    numbers: int = 0
    marks: Mapping[str, int] = field(default_factory=dict, hash=False)


@dataclass(frozen=True)
class Groups:
    """Records in groups of equal values.

    Attributes:
        least: records in the smallest group; 0 where there are no records.
        small: groups below the threshold asked for.
        records: the records in them.
        unique: records that are alone.
        row: where the first of the records in small groups stands.
    """

    least: int
    small: int
    records: int
    unique: int
    row: int | None


@dataclass(frozen=True)
class Table:
    """The rows of a resource.

    Attributes:
        resource: whose they are.
        columns: all there are, in order.
        rows: how many there are.
        sheet: the sheet of a workbook in which they stand.
        others: the other sheets of its workbooks that hold something, as the file and the name of each.
        is_aside: True for a sheet that no resource is about, and that is published with the others.
    """

    resource: Resource
    columns: tuple[Column, ...]
    rows: int = 0
    sheet: str | None = None
    others: tuple[tuple[str, str], ...] = ()
    is_aside: bool = False
    _sql: str = ""
    _connect: Callable[[], DuckDBPyConnection] | None = field(default=None, hash=False, compare=False)
    _held: Held | None = field(default=None, hash=False, compare=False)

    @property
    def needs_engine(self) -> bool:
        """All questions go to the engine."""
        return self._held is None

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        """What a query gives; `{t}` in it stands for the table."""
        if self._connect is None:
            return []
        return list(self._connect().execute(query.replace("{t}", self._sql)).fetchall())

    def shapes(self) -> list[Shape]:
        """The shape of each column."""
        if not self.columns or not self.rows:
            return [Shape() for _ in self.columns]
        if self._held is not None:
            with suppress(UnsureError):
                return [_shape_of(self._held, column) for column in self.columns]
        found: list[Shape] = []
        for start in range(0, len(self.columns), _AT_ONCE):
            measured = [_measures(column) for column in self.columns[start : start + _AT_ONCE]]
            parts = [part for measures in measured for part in measures]
            (numbers,) = self.ask(f"SELECT {', '.join(parts)} FROM {{t}}")  # noqa: S608  # our own names
            width = len(parts) // len(measured)
            found += [_shape(numbers[place : place + width]) for place in range(0, len(numbers), width)]
        return found

    def hits(self, column: Column, shape: Shape) -> Mapping[str, tuple[int, int]]:
        """Which of PATTERNS a column holds: name → cells, and the row of the first."""
        names = [name for name, (mark, _) in PATTERNS.items() if shape.marks.get(mark)]
        if not names:
            return {}
        if self._held is not None:
            with suppress(UnsureError):
                found_here = {name: self._held.count(_hit(column.sql, name)) for name in names}
                return {name: (count, row) for name, (count, row) in found_here.items() if row is not None}
        cells = [f"min({ROW}) FILTER (v{number}), count(*) FILTER (v{number})" for number in range(len(names))]
        found = [_hit(column.sql, name) for name in names]
        inner = ", ".join(f"{hit} AS v{number}" for number, hit in enumerate(found))
        marked = " OR ".join(f"{column.sql} LIKE '{_MARKS[PATTERNS[name][0]]}'" for name in names)
        (numbers,) = self.ask(
            f"SELECT {', '.join(cells)} FROM (SELECT {ROW}, {inner} FROM {{t}} WHERE {marked})"  # noqa: S608
        )
        pairs = zip(names, zip(numbers[1::2], numbers[::2], strict=True), strict=True)
        return {name: pair for name, pair in pairs if pair[0]}

    def distinct(self, column: Column) -> int:
        """How many different values a column holds, exactly."""
        if self._held is not None:
            return self._held.distinct(column.sql)
        return int(self.ask(f"SELECT count(DISTINCT {column.sql}) FROM {{t}}")[0][0])  # noqa: S608

    def count(self, condition: str | Condition) -> tuple[int, int | None]:
        """How many rows meet a condition, and the first of them."""
        if self._held is not None and isinstance(condition, Condition):
            with suppress(UnsureError):
                return self._held.count(condition)
        found = self.ask(f"SELECT count(*), min({ROW}) FROM {{t}} WHERE {condition}")  # noqa: S608
        return (found[0][0], found[0][1]) if found else (0, None)

    def matching(
        self, column: Column, condition: str | Condition, limit: int, holds: Callable[[str], bool]
    ) -> tuple[int, int | None, int, int]:
        """Judge the different values of a column that meet a condition, one by one.

        Returns:
            how many cells hold, the first row of them, how many values were judged, and how many held. One value
            more than the limit is never judged: where the limit was reached, not all were.
        """
        found = self._values(column, condition, limit)
        held = [(count, row) for value, count, row in found if holds(value)]
        rows = [row for _, row in held]
        return sum(count for count, _ in held), min(rows, default=None), len(found), len(held)

    def _values(self, column: Column, condition: str | Condition, limit: int) -> Sequence[tuple[Any, ...]]:
        if self._held is not None and isinstance(condition, Condition):
            with suppress(UnsureError):
                return self._held.matching(column.sql, condition)[:limit]
        return self.ask(
            f"SELECT {column.sql}, count(*), min({ROW}) AS first FROM {{t}} "  # noqa: S608
            f"WHERE {condition} GROUP BY 1 ORDER BY first LIMIT {limit}"
        )

    def groups(self, columns: Sequence[Column], threshold: int) -> Groups:
        """Group records by equal values of columns; a missing value equals another missing one."""
        if self._held is not None and columns:
            return _groups(self._held.groups([column.sql for column in columns]), threshold)
        return self.grouped(", ".join(column.sql for column in columns), "{t}", threshold)

    def grouped(self, keys: str, source: str, threshold: int) -> Groups:
        """Group the records of a source by keys."""
        ((least, small, records, unique, row),) = self.ask(
            f"SELECT coalesce(min(n), 0), count(*) FILTER (n < {threshold}), "  # noqa: S608  # our own names
            f"coalesce(sum(n) FILTER (n < {threshold}), 0)::BIGINT, count(*) FILTER (n = 1), "
            f"min(first) FILTER (n < {threshold}) FROM "
            f"(SELECT count(*) AS n, min({ROW}) AS first FROM {source} GROUP BY {keys})"
        ) or [(0, 0, 0, 0, None)]
        return Groups(least, small, records, unique, row)

    def alike(self, keys: Sequence[Column], secret: Column, threshold: int) -> Groups:
        """Groups of records by keys in which a secret has fewer different values than a threshold.

        A missing secret is no value of its own: a group in which all who answered gave one answer is such a
        group, and one in which nobody answered is none. Here `least` counts values, and `unique` groups
        with a single one.
        """
        if self._held is not None:
            told = self._held.alike([column.sql for column in keys], secret.sql)
            return _alike([entry for entry in told if entry[0]], threshold)
        by = ", ".join(column.sql for column in keys) or "()"
        ((least, small, records, unique, row),) = self.ask(
            f"SELECT coalesce(min(d), 0), count(*) FILTER (d < {threshold}), "  # noqa: S608  # our own names
            f"coalesce(sum(n) FILTER (d < {threshold}), 0)::BIGINT, count(*) FILTER (d = 1), "
            f"min(first) FILTER (d < {threshold}) FROM "
            f"(SELECT count(DISTINCT {secret.sql}) AS d, count({secret.sql}) AS n, min({ROW}) AS first "
            f"FROM {{t}} GROUP BY {by}) WHERE d > 0"
        ) or [(0, 0, 0, 0, None)]
        return Groups(least, small, records, unique, row)

    def closeness(
        self, keys: Sequence[Column], secret: Column, limit: float, *, is_ordered: bool
    ) -> tuple[Groups, float]:
        """Groups of records by one key or more in which the values of a secret are far from those of all records.

        How far is the earth mover's distance of t-closeness, from 0 to 1: between values in an order where they
        are numbers, of which more than _BINS come together, else between values that are all equally unlike.

        Returns:
            the groups beyond a limit, `least` and `unique` being 0; and the greatest distance.
        """
        by = ", ".join(column.sql for column in keys)
        value = number(secret) if is_ordered else secret.sql
        counted = (
            f"SELECT {by}, {value} AS s, count(*) AS n, min({ROW}) AS first FROM {{t}} "  # noqa: S608  # our own names
            f"GROUP BY {by}, s HAVING s IS NOT NULL"
        )
        rows = f"SELECT dense_rank() OVER (ORDER BY {by}) AS g, s, n, first FROM ({counted})"  # noqa: S608  # likewise
        far = _ordered(rows) if is_ordered else _unordered(rows)
        ((small, records, row, most),) = self.ask(
            f"SELECT count(*) FILTER (d > {limit}), coalesce(sum(n) FILTER (d > {limit}), 0)::BIGINT, "  # noqa: S608
            f"min(first) FILTER (d > {limit}), coalesce(max(d), 0) FROM ({far})"
        ) or [(0, 0, None, 0.0)]
        return Groups(0, small, records, 0, row), float(most)

    def is_sorted(self, column: Column) -> bool:
        """Tell whether the values of a column never fall, or never rise, from row to row; numbers as numbers."""
        return any(
            not self._falls(column, sign, f"{ROW} <= {_FIRST_ROWS}") and not self._falls(column, sign, "true")
            for sign in ("<", ">")
        )

    def _falls(self, column: Column, sign: str, condition: str) -> bool:
        cells = f"(coalesce({number(column)}, 'infinity'::DOUBLE), {column.sql})"
        inner = f"SELECT {cells} AS v, lag({cells}) OVER (ORDER BY {ROW}) AS w FROM {{t}} "  # noqa: S608
        where = f"WHERE {column.sql} IS NOT NULL AND {condition}"
        return bool(self.ask(f"SELECT 1 FROM ({inner}{where}) WHERE v {sign} w LIMIT 1"))  # noqa: S608

    def rare(self, column: Column, threshold: int) -> Groups:
        """The values of a column that fewer records have than a threshold; missing ones are left out."""
        if self._held is not None:
            return _groups(self._held.values(column.sql), threshold)
        return self.grouped(column.sql, f"(SELECT * FROM {{t}} WHERE {column.sql} IS NOT NULL)", threshold)  # noqa: S608

    def joined(
        self, other: Table, on: tuple[Column, Column], columns: tuple[Sequence[Column], Sequence[Column]]
    ) -> str:
        """A source for `grouped`: the records of this table beside those of another by a key.

        The columns come as `q0`, `q1` …, in order.
        """
        cells = [f"a.{column.sql}" for column in columns[0]] + [f"b.{column.sql}" for column in columns[1]]
        named = ", ".join(f"{cell} AS q{number}" for number, cell in enumerate(cells))
        return (
            f"(SELECT a.{ROW}, {named} FROM {{t}} AS a "  # noqa: S608  # our own names
            f"JOIN {other._sql} AS b ON a.{on[0].sql} = b.{on[1].sql})"
        )

    def shared(self, other: Table, on: tuple[Column, Column]) -> int:
        """How many different values two columns of two tables have in common."""
        found = self.ask(
            f"SELECT count(*) FROM (SELECT {on[0].sql} FROM {{t}} INTERSECT SELECT {on[1].sql} FROM {other._sql}) "  # noqa: S608
            "AS common(v) WHERE v IS NOT NULL"
        )
        return int(found[0][0]) if found else 0


def _unordered(rows: str) -> str:
    """Half the sum of all differences in share; values that a group lacks differ by their share among all."""
    shares = (
        "SELECT g, n, first, n / sum(n) OVER (PARTITION BY g) AS p, "  # noqa: S608  # our own names
        f"sum(n) OVER (PARTITION BY s) / sum(n) OVER () AS q FROM ({rows})"
    )
    return (
        "SELECT (sum(abs(p - q)) + 1 - sum(q)) / 2 AS d, sum(n) AS n, min(first) AS first "  # noqa: S608  # likewise
        f"FROM ({shares}) GROUP BY g"
    )


def _ordered(rows: str) -> str:
    """The mean difference between the shares up to each value but the last."""
    return (
        f"WITH a AS (SELECT g, n, first, dense_rank() OVER (ORDER BY s) - 1 AS r FROM ({rows})), "  # noqa: S608
        f"m AS (SELECT least(max(r) + 1, {_BINS}) AS bins, max(r) + 1 AS known FROM a), "
        "b AS (SELECT g, n, first, r * bins // known AS r FROM a, m), "
        "q AS (SELECT r, sum(sum(n)) OVER (ORDER BY r) / sum(sum(n)) OVER () AS q FROM b GROUP BY r), "
        "c AS (SELECT g, r, sum(n) AS n FROM b GROUP BY g, r), "
        "k AS (SELECT g, sum(n) AS n, min(first) AS first FROM b GROUP BY g), "
        "f AS (SELECT k.g, k.n, k.first, q.q, "
        "sum(coalesce(c.n, 0)) OVER (PARTITION BY k.g ORDER BY q.r) / k.n AS p "
        "FROM k CROSS JOIN q LEFT JOIN c ON c.g = k.g AND c.r = q.r) "
        "SELECT sum(abs(p - q)) / greatest(max(bins) - 1, 1) AS d, any_value(n) AS n, any_value(first) AS first "
        "FROM f, m GROUP BY g"
    )


@dataclass(frozen=True)
class Loaded:
    """All tables of a package that could be read, and the resources that could not."""

    tables: tuple[Table, ...]
    unread: tuple[Resource, ...]


_Make = Callable[[engine.Session, Package, Resource, str], Table]
"""Puts the rows of a resource into a table of a name, and tells all of it but how many there are."""


@contextmanager
def tables(package: Package) -> Iterator[Loaded]:
    """The tables of a package, as long as the context is open.

    Raises:
        ConversionError: the memory or the disk is used up.
    """
    if _is_small(package):
        with ExitStack() as stack:
            loaded = _hold(package, stack) if _kinds(package).issubset(_TEXT) else _lend(package, stack)
            if not loaded.unread:
                yield loaded
                return
    with engine.session(package) as session:
        yield _load(package, partial(_table, session, package, makers=(_by_engine, _by_records)))


def _lend(package: Package, stack: ExitStack) -> Loaded:
    """All tables in the engine that is open already."""
    session = stack.enter_context(engine.small_session())
    return _load(package, partial(_table, session, package, makers=(_by_records,)))


def _hold(package: Package, stack: ExitStack) -> Loaded:
    """All tables in memory; the engine gets them as soon as it is asked something."""
    shelf, is_tiny = _Shelf(stack), _bytes(package) <= MAX_BYTES

    def make(resource: Resource, name: str) -> Table | None:
        try:
            table, held = _in_memory(package, resource)
        except (TableReadError, OSError):
            # Why it cannot be read is told by the judge of rows; here the next way is tried.
            return None
        shelf.add(name, table.columns, held)
        own = held if is_tiny and held.is_plain else None
        return replace(table, rows=len(held.rows), _sql=name, _connect=shelf.connect, _held=own)

    loaded = _load(package, make)
    if not loaded.unread and any(table.needs_engine for table in loaded.tables) and not shelf.is_taken():
        return Loaded((), tuple(table.resource for table in loaded.tables))
    return loaded


class _Shelf:
    """Tables that are put into the engine when it is asked for the first time."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack, self._waiting = stack, list[tuple[str, Sequence[Column], Held]]()

    def add(self, name: str, columns: Sequence[Column], held: Held) -> None:
        self._waiting.append((name, columns, held))

    def connect(self) -> DuckDBPyConnection:
        return self._connection

    def is_taken(self) -> bool:
        """The engine takes all tables."""
        import duckdb

        try:
            self.connect()
        except duckdb.Error:
            return False
        return True

    @cached_property
    def _connection(self) -> DuckDBPyConnection:
        session = self._stack.enter_context(engine.small_session())
        for name, columns, held in self._waiting:
            _write(session, zip(held.rows, zip(*held.columns.values(), strict=True), strict=True), columns, name)
        return session.connection


def _in_memory(package: Package, resource: Resource) -> tuple[Table, Held]:
    with _rows(package, resource) as (table, rows):
        listed = list(rows)
    cells = zip(*(texts for _, texts in listed), strict=True) if listed else [()] * len(table.columns)
    names = [column.sql for column in table.columns]
    return table, Held([row for row, _ in listed], dict(zip(names, cells, strict=True)))


def _load(package: Package, make: Callable[[Resource, str], Table | None]) -> Loaded:
    """All tables, each made under a name of its own; None where it cannot be."""
    loaded: list[Table] = []
    unread: list[Resource] = []
    for resource in filter(_has_rows, package.resources):
        table = make(resource, f"t{resource.index}")
        if table is None:
            unread.append(resource)
        else:
            loaded.append(table)
    for number, resource in enumerate(_asides(loaded)):
        table = make(resource, f"s{number}") if number < _MAX_ASIDES else None
        if table is not None:
            loaded.append(replace(table, is_aside=True))
        elif resource.index not in {other.index for other in unread}:
            unread.append(resource)
    return Loaded(tuple(loaded), tuple(unread))


def _asides(loaded: Sequence[Table]) -> list[Resource]:
    """The sheets of workbooks that no resource is about, each as a resource of its own: they are published too."""
    told = {(part, table.sheet) for table in loaded for part in table.resource.paths}
    found: list[Resource] = []
    for table in loaded:
        for part, name in table.others:
            if (part, name) not in told:
                told.add((part, name))
                found.append(replace(table.resource, paths=(part,), schema=None, dialect={"sheetName": name}))
    return found


def _has_rows(resource: Resource) -> bool:
    """A resource that has files, or rows in the descriptor; one without has been told of by the loader."""
    return bool(resource.paths) or "data" in resource.raw


def _is_small(package: Package) -> bool:
    """All tables are small, and of kinds that are read here without the engine."""
    kinds = _kinds(package)
    if "parquet" in kinds or not kinds.issubset(_READABLE) or any(map(is_packed, _present(package))):
        return False
    return _bytes(package) <= _SMALL


def _kinds(package: Package) -> set[str]:
    return {kind(resource) for resource in _present(package)}


def _present(package: Package) -> Iterator[Resource]:
    return (resource for resource in package.resources if resource.complete and resource.paths)


def _bytes(package: Package) -> int:
    """The size of all tables together, those in the descriptor among them."""
    paths = {package.path(part) for resource in _present(package) for part in resource.paths}
    inline = len(package.raw) if any("data" in resource.raw for resource in package.resources) else 0
    return inline + sum(path.stat().st_size for path in paths)


def _table(
    session: engine.Session, package: Package, resource: Resource, name: str, makers: Iterable[_Make]
) -> Table | None:
    import duckdb

    for make in makers:
        try:
            session.connection.execute(f"DROP TABLE IF EXISTS {name}")
            made = make(session, package, resource, name)
            count = session.connection.execute(f"SELECT count(*) FROM {name}").fetchall()[0][0]  # noqa: S608
        except (ConversionError, TableReadError, UnreadableError, duckdb.Error, OSError):
            # Why it cannot be read is told by the judge of rows; here the next way is tried.
            continue
        return replace(made, rows=count)
    return None


def _by_engine(session: engine.Session, package: Package, resource: Resource, name: str) -> Table:
    match = (resource.schema or {}).get("fieldsMatch", "exact")
    if match not in ("exact", ["exact"], "equal", ["equal"]):
        # There may be columns that the schema does not speak of.
        raise TableReadError("CD418", "columns")
    if kind(resource) == "parquet" and any(
        not {"decimalChar", "groupChar"}.isdisjoint(f) for f in resource.fields
    ):
        # The engine writes numbers with a point, whatever is said of those that are text.
        raise TableReadError("CD418", "columns")
    columns = tuple(_column(resource, number, entry) for number, entry in enumerate(resource.fields))
    # An empty cell tells nothing, even where the schema does not call it missing.
    cells = ", ".join([ROW, *(f"nullif({column.sql}, '') AS {column.sql}" for column in columns)])
    relation(session, package, resource).project(cells).create(name)
    return Table(resource, columns, _sql=name, _connect=lambda: session.connection)


def _column(resource: Resource, number: int, entry: Mapping[str, Any]) -> Column:
    inside = isinstance(resource.raw.get("schema"), Mapping)
    pointer = f"{resource.pointer}/schema/fields/{number}" if inside else None
    name = str(entry.get("name"))
    return Column(name, name, entry, column_name(number), pointer)


def _by_records(session: engine.Session, package: Package, resource: Resource, name: str) -> Table:
    with _rows(package, resource) as (table, rows):
        _write(session, rows, table.columns, name)
    return replace(table, _sql=name, _connect=lambda: session.connection)


_Row = tuple[int, Sequence[str | None]]
"""The number of a record, and its cells; None where one tells nothing."""


@contextmanager
def _rows(package: Package, resource: Resource) -> Iterator[tuple[Table, Iterator[_Row]]]:
    """A resource as a table, and its rows as they can be read."""
    if resource.paths and kind(resource) not in _READABLE:
        raise TableReadError("CD418", "format", format=kind(resource))
    with opened(package, resource, whole=True) as table:
        by_name = {str(entry.get("name")): number for number, entry in enumerate(resource.fields)}
        found, labels = table.records, table.labels or [str(entry.get("name")) for entry in resource.fields]
        if not labels:
            if (first := next(found, None)) is None:
                raise TableReadError("CD401", "empty")
            found, labels = itertools.chain([first], found), [""] * len(first.cells)
        columns = tuple(_labelled(resource, by_name, place, label) for place, label in enumerate(labels))
        yield Table(resource, columns, sheet=table.sheet, others=table.others), _texts(found, columns, resource)


def _texts(found: Iterable[Record], columns: Sequence[Column], resource: Resource) -> Iterator[_Row]:
    """Rows as they can be read, short ones filled up; of cells beyond the header the judge of rows tells."""
    width, missing = len(columns), [missing_values(resource, column.given) for column in columns]
    for record in found:
        cells = [*record.cells[:width], *[None] * (width - len(record.cells))]
        yield record.row, list(map(_told, cells, columns, missing))


def _labelled(resource: Resource, by_name: Mapping[str, int], place: int, label: str) -> Column:
    """The column at a place in the header."""
    number = by_name.get(label)
    if number is None:
        return Column(f"#{place + 1}", label, {}, column_name(place), None)
    return replace(_column(resource, number, resource.fields[number]), sql=column_name(place))


def _write(session: engine.Session, rows: Iterable[_Row], columns: Sequence[Column], name: str) -> None:
    """Put rows into a table of the engine."""
    path = session.scratch / f"{name}.csv"
    with path.open("w", encoding="utf-8", errors="replace", newline="") as file:
        for row, cells in rows:
            file.write(",".join([str(row), *map(_quoted, cells)]) + "\n")
    named = ", ".join([f"c0::BIGINT AS {ROW}", *(f"c{n} AS {c.sql}" for n, c in enumerate(columns, start=1))])
    scan = csv_scan([path], len(columns) + 1, ",", header=False)
    session.connection.execute(f"CREATE TEMP TABLE {name} AS SELECT {named} FROM {scan}")  # noqa: S608  # our own names
    path.unlink()


def _told(cell: Any, column: Column, missing: frozenset[str]) -> str | None:
    """A cell as the engine gets it; None where it tells nothing."""
    written = cell if isinstance(cell, str) else "" if cell is None else _native(cell, column)
    return None if written == "" or written in missing else written.replace("\0", "") or None


def _quoted(text: str | None) -> str:
    return "" if text is None else '"' + text.replace('"', '""') + '"'


def _native(cell: Any, column: Column) -> str:
    """A value that is no text as a file of text would have it."""
    if isinstance(cell, (list, dict)):
        return json.dumps(cell, ensure_ascii=False, default=str)
    if isinstance(cell, bytes):
        return cell.decode("utf-8", errors="replace")
    if isinstance(cell, (float, Decimal)):
        mark = column.given.get("decimalChar")
        return str(cell).replace(".", mark) if isinstance(mark, str) else str(cell)
    return text(cell)


@cache
def _office() -> str:
    """E-mail addresses whose part before the sign holds a word for an office."""
    words = "|".join(row["words"] for row in profile.table("text-words.csv") if row["kind"] == "office")
    return rf"(?i)(^|[^\pL\pN._+-])([\pL\pN]+[._+-])*({words})([._+-][\pL\pN]+)*@[\pL\pN_-]+[.][\pL\pN_.-]+"


def _hit(cell: str, name: str) -> Condition:
    """A condition for one of PATTERNS; an address of an office is none of a person."""
    if name == "office":
        return matches(cell, _office())
    if name == "email":
        others = f"regexp_replace({cell}, {literal(_office())}, ' ', 'g')"
        return Condition(str(matches(others, _EMAIL)), cell)
    return matches(cell, PATTERNS[name][1])


def _groups(found: Sequence[tuple[int, int]], threshold: int) -> Groups:
    """As `Table.grouped` sums them up."""
    small = [entry for entry in found if entry[0] < threshold]
    rows = [row for _, row in small]
    return Groups(
        min((count for count, _ in found), default=0),
        len(small),
        sum(count for count, _ in small),
        sum(count == 1 for count, _ in found),
        min(rows, default=None),
    )


def _alike(found: Sequence[tuple[int, int, int]], threshold: int) -> Groups:
    """As `Table.alike` sums them up."""
    small = [entry for entry in found if entry[0] < threshold]
    return Groups(
        min((values for values, _, _ in found), default=0),
        len(small),
        sum(records for _, records, _ in small),
        sum(values == 1 for values, _, _ in found),
        min((row for _, _, row in small), default=None),
    )


def _shape_of(held: Held, column: Column) -> Shape:
    """What `_measures` measures; the different values are counted exactly."""
    cells = [cell for cell in held.columns[column.sql] if cell is not None]
    if not cells:
        return Shape(marks=dict.fromkeys(_MARKS, 0))
    lengths = list(map(len, cells))
    return Shape(
        len(cells),
        len(set(cells)),
        sum(lengths) / len(cells),
        max(lengths),
        sum(to_number(_plainly(column, cell)) is not None for cell in cells),
        {name: sum(map(test, cells)) for name, test in _MARKED.items()},
    )


def _plainly(column: Column, cell: str) -> str:
    """As `number` writes a cell before it is cast."""
    given = column.given
    group, decimal = given.get("groupChar"), given.get("decimalChar", ".")
    if not given.get("bareNumber", True):
        raise UnsureError
    if isinstance(group, str) and group:
        cell = cell.replace(group, "")
    if isinstance(decimal, str) and decimal not in ("", "."):
        cell = cell.replace(decimal, ".")
    return cell


_MARKED: Mapping[str, Callable[[str], bool]] = {
    "at": lambda cell: "@" in cell,
    "dots": lambda cell: cell.count(".") >= 3,
    "colons": lambda cell: cell.count(":") >= 3,
    "slashes": lambda cell: "/" in cell[1:-1],
    "plus": lambda cell: "+" in cell,
    "spaces": lambda cell: cell.count(" ") >= 2,
}
"""The same as _MARKS."""


def _measures(column: Column) -> list[str]:
    """What `Shape` holds, as expressions over one column, in its order."""
    cell = column.sql
    return [
        f"count({cell})",
        f"approx_count_distinct({cell})",
        f"coalesce(avg(length({cell})), 0)",
        f"coalesce(max(length({cell})), 0)",
        f"count({number(column)})",
        *(f"count(*) FILTER ({cell} LIKE '{mark}')" for mark in _MARKS.values()),
    ]


def _shape(found: Sequence[Any]) -> Shape:
    filled, distinct, length, longest, numbers, *marks = found
    return Shape(filled, min(distinct, filled), length, longest, numbers, dict(zip(_MARKS, marks, strict=True)))


def number(column: Column) -> str:
    """A column as numbers, for SQL; NULL where a cell is none."""
    given, text = column.given, column.sql
    group, decimal = given.get("groupChar"), given.get("decimalChar", ".")
    if isinstance(group, str) and group:
        text = f"replace({text}, {literal(group)}, '')"
    if isinstance(decimal, str) and decimal not in ("", "."):
        text = f"replace({text}, {literal(decimal)}, '.')"
    text = text if given.get("bareNumber", True) else f"regexp_replace({text}, '^[^-0-9.]+|[^0-9.]+$', '', 'g')"
    return f"TRY_CAST({text} AS DOUBLE)"


def is_number(column: Column, sql: str, test: Callable[[float], bool]) -> Condition:
    """A condition on a column as numbers, false where a cell is none.

    Args:
        column: the column.
        sql: the condition, `{v}` standing for the number.
        test: the same in Python.
    """

    def of_cell(cell: str | None) -> bool:
        value = None if cell is None else to_number(_plainly(column, cell))
        return value is not None and test(value)

    return Condition(f"coalesce({sql.replace('{v}', number(column))}, false)", column.sql, of_cell)
