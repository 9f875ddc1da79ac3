"""The tables of a package as the checks of disclosure get them, by the quickest way that takes them.

All rows of a resource become one table of text in DuckDB, by `relations` where it takes them, else read by
`records` as the judge of rows reads them; what is small is held in memory. Columns that no schema speaks of are
looked at too.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from cdmeta.errors import ConversionError
from cdmeta.package import Package, Resource
from cdmeta.strictjson import UnreadableError
from cdmeta.tables import engine
from cdmeta.tables.disclosure import Table
from cdmeta.tables.engine import ROW
from cdmeta.tables.held import MAX_BYTES, Held
from cdmeta.tables.inputs import READABLE, opened
from cdmeta.tables.packed import is_packed
from cdmeta.tables.plain import csv_scan, quoted
from cdmeta.tables.records import Record, TableReadError, kind, missing_values
from cdmeta.tables.relations import column as column_name
from cdmeta.tables.relations import relation
from cdmeta.tables.shapes import Column
from cdmeta.tables.workbook import text

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_TEXT = ("csv", "tsv", "tab", "txt")
_READABLE = (*READABLE, "tab", "txt")
_MAX_ASIDES = 20
"""Sheets that no resource is about that are looked at: each opens its workbook anew."""
_SMALL = 2**20
"""Bytes of all tables together up to which they are read here, sooner than the engine opens."""


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
            file.write(",".join([str(row), *map(quoted, cells)]) + "\n")
    named = ", ".join([f"c0::BIGINT AS {ROW}", *(f"c{n} AS {c.sql}" for n, c in enumerate(columns, start=1))])
    scan = csv_scan([path], len(columns) + 1, ",", header=False)
    session.connection.execute(f"CREATE TEMP TABLE {name} AS SELECT {named} FROM {scan}")  # noqa: S608  # our own names
    path.unlink()


def _told(cell: Any, column: Column, missing: frozenset[str]) -> str | None:
    """A cell as the engine gets it; None where it tells nothing."""
    written = cell if isinstance(cell, str) else "" if cell is None else _native(cell, column)
    return None if written == "" or written in missing else written.replace("\0", "") or None


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
