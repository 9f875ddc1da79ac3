"""The rows of a table that may have something wrong, found by one reader of files and one engine.

The scan is sound: a row that it does not name has nothing wrong with it. It may name rows that are right; the
judge decides on all that it names, and sees them with their true numbers. What it cannot take it leaves to the
judge.

Which values are right it takes from gates (`gates`), and where a gate fails, from the judge, who is shown each
value once, however many rows hold it. Keys and references are compared by what the judge reads, not by how it is
written.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cdmeta.errors import ConversionError
from cdmeta.package import Package, Resource
from cdmeta.tables import engine, gates
from cdmeta.tables.cells import LATE, Column
from cdmeta.tables.plain import csv_scan, first_record, plain
from cdmeta.tables.records import Dialect, Record, TableReadError, canonical, missing_values

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

SMALL = 2**20
"""Bytes of a table up to which the judge reads it sooner than the engine starts."""
MAX_VALUES = 100_000
"""Different values of one column that the judge is shown; a column with more is the judge's as a whole."""
MAX_COLUMNS = 300
"""Columns of a table that the scan takes: its expressions grow with each, and DuckDB breaks off at thousands."""
_INJECTIVE = ("string", "date", "year")
"""Types whose gate lets no value be written in two ways."""
_AT_ONCE = 1_000
"""Rows that one statement keeps."""


@dataclass(frozen=True)
class Keyed:
    """Columns that the rows are compared by.

    Attributes:
        places: of the columns in a record.
        may_be_empty: False where an empty cell is an error.
        known: what is allowed to stand there, by `records.canonical`; None where the values may stand once.
    """

    places: tuple[int, ...]
    may_be_empty: bool
    known: frozenset[Any] | None


@dataclass(frozen=True)
class Doubts:
    """What the scan leaves to the judge.

    Attributes:
        records: the rows in doubt, in their order.
        rows: how many rows there are in all.
    """

    records: tuple[Record, ...]
    rows: int


class _NotMineError(Exception):
    """The table, or a column of it, is for the judge alone."""


def doubts(
    package: Package,
    resource: Resource,
    labels: Sequence[str] | None,
    columns: Sequence[Column],
    keyed: Sequence[Keyed],
    files: Mapping[str, Path] | None = None,
) -> Doubts | None:
    """Find the rows that may have something wrong; None where the table is for the judge alone.

    Args:
        package: the package.
        resource: one whose header the judge has read, and whose text is in its encoding.
        labels: the header, None where there is none.
        columns: the column of each place in a record; a record has as many cells.
        keyed: what its rows are compared by.
        files: its files uncompressed, by name; those of the package where it is not given, none that is no text.
    """
    if files is None:
        files = {part: package.path(part) for part in resource.paths}
    if not _is_large(files) or not _is_regular(labels, columns):
        return None
    try:
        with engine.session(package, *{path.parent for path in files.values()}) as session:
            found = _Scan(session.connection, files, resource, labels, columns)
            return found.doubts(keyed)
    except (ConversionError, _NotMineError, OSError, TableReadError):
        return None


def _is_regular(labels: Sequence[str] | None, columns: Sequence[Column]) -> bool:
    """Each column has a name of its own and a place in the file."""
    names = {owner.name for owner in columns}
    width = len(columns) if labels is None else len(labels)
    return 0 < len(names) == len(columns) == width <= MAX_COLUMNS


def _is_large(files: Mapping[str, Path]) -> bool:
    return bool(files) and sum(path.stat().st_size for path in files.values()) > SMALL


class _Scan:
    """One table in the engine.

    The view `cells` has the cells as text, `c0`, `c1` …, never NULL: each use of it reads the file. The table
    `rows` is what one reading leaves: whether all gates let a row through, whether it may be empty, and the cells
    that rows are compared by. Numbering rows takes one processor instead of all, so the view `numbered` is read
    only where there is a row to name.
    """

    def __init__(
        self,
        connection: DuckDBPyConnection,
        files: Mapping[str, Path],
        resource: Resource,
        labels: Sequence[str] | None,
        columns: Sequence[Column],
    ) -> None:
        self._connection, self._resource, self._columns = connection, resource, columns
        self._gates = [self._gate(place) for place in range(len(columns))]
        delimiter, width = Dialect.of(resource).delimiter, len(columns)
        self._files = list(files)
        self._expected = 0
        unnumbered, numbered = [], []
        cells = _listed(f"coalesce(c{place}, '') AS c{place}" for place in range(width))
        for number, path in enumerate(files.values()):
            proof = plain(connection, path, resource, width)
            if proof is None:
                raise _NotMineError
            header = int(labels is not None and (number == 0 or _starts_with(path, labels, delimiter)))
            scan = csv_scan([path], width, delimiter, header=bool(header), breaks=proof.breaks)
            unnumbered.append(f"SELECT {cells} FROM {scan}")
            numbered.append(
                f"SELECT {number} AS file, row_number() OVER () + {header} AS row, {cells} FROM {scan}"
            )
            self._expected += proof.records - header
        self._do(f"CREATE TEMP VIEW cells AS {' UNION ALL '.join(unnumbered)}")
        self._do(f"CREATE TEMP VIEW numbered AS {' UNION ALL '.join(numbered)}")

    def doubts(self, keyed: Sequence[Keyed]) -> Doubts:
        """The rows in doubt, and how many rows there are."""
        gated = [gate for gate in self._gates if gate] or ["true"]
        blank = " AND ".join(self._missing(place) for place, gate in enumerate(self._gates) if gate) or "true"
        compared = _listed(f"c{place}" for place in sorted({place for entry in keyed for place in entry.places}))
        self._do(
            f"CREATE TEMP TABLE rows AS SELECT {' AND '.join(gated)} AS let, {blank} AS blank"
            f"{', ' if compared else ''}{compared} FROM cells"
        )
        ((rows, let, blank_rows),) = self._do("SELECT count(*), bool_and(let), count(*) FILTER (blank) FROM rows")
        if rows != self._expected:
            # A reader that passes over a blank line gives all rows below it another number.
            raise _NotMineError
        wrong = self._values(every=let is not True)
        conditions = [f"c{place} IN (SELECT c0 FROM bad{place})" for place, found in wrong.items() if found]
        if blank_rows:
            conditions.append("(" + " AND ".join(map(self._is_empty, range(len(self._columns)))) + ")")
        conditions += [part for entry in keyed for part in self._compared(entry)]
        if not conditions:
            return Doubts((), rows)
        cells = _listed(f"c{place}" for place in range(len(self._columns)))
        found = self._do(
            f"SELECT file, row, {cells} FROM numbered WHERE {' OR '.join(conditions)} ORDER BY file, row"
        )
        return Doubts(tuple(Record(self._files[file], row, list(rest)) for file, row, *rest in found), rows)

    # What is wrong in a cell

    def _values(self, *, every: bool) -> dict[int, bool]:
        """Show the judge the values that no gate lets through; tell for which columns it objects to some.

        Args:
            every: False where all gates let all rows through: only columns without a gate are looked at then.
        """
        let: Sequence[bool] = [True] * len(self._columns)
        if every:
            each = _listed(f"bool_and({gate or 'false'})" for gate in self._gates)
            (let,) = self._do(f"SELECT {each} FROM cells")
        wrong = {}
        self._none: dict[int, bool] = {}
        self._twofold: dict[int, bool] = {}
        self._told_apart: dict[int, bool] = {}
        for place, (owner, gate) in enumerate(zip(self._columns, self._gates, strict=True)):
            if gate and let[place]:
                continue
            values = self._distinct(place)
            read = [(value, *owner.read(value)) for value in values]
            if any(LATE in broken for _, _, broken in read):
                # What was not asked here is not asked again: the judge, who tells of it, needs time of his own.
                raise _NotMineError
            wrong[place] = self._keep(f"bad{place}", [value for value, _, broken in read if broken])
            self._none[place] = self._keep(f"none{place}", [value for value, found, _ in read if found is None])
            self._twofold[place] = any(found is not None and not broken for _, found, broken in read)
            self._told_apart[place] = not gate and _are_distinct(found for _, found, _ in read)
        return wrong

    def _distinct(self, place: int) -> list[str]:
        """The different values of a column that its gate does not let through."""
        gate = self._gates[place]
        where = f"WHERE NOT {gate}" if gate else ""
        found = self._do(f"SELECT DISTINCT c{place} FROM cells {where} LIMIT {MAX_VALUES + 1}")
        if len(found) > MAX_VALUES:
            raise _NotMineError
        return [value for (value,) in found]

    def _gate(self, place: int) -> str | None:
        made = gates.gate(*self._given(place))
        return made(f"c{place}") if made else None

    def _given(self, place: int) -> tuple[Mapping[str, Any], list[Any]]:
        """The field at a place, and its missing values; a column that the schema does not name takes anything."""
        owner = self._columns[place]
        entry = next((entry for entry in self._resource.fields if entry.get("name") == owner.name), None)
        if entry is None:
            return {"name": owner.name, "type": "any"}, [""]
        return entry, sorted(missing_values(self._resource, entry))

    def _missing(self, place: int) -> str:
        return gates.is_missing(f"c{place}", self._given(place)[1])

    def _is_empty(self, place: int) -> str:
        """An expression that is true wherever the judge reads no value."""
        none = f" OR c{place} IN (SELECT c0 FROM none{place})" if self._none.get(place) else ""
        return f"({self._missing(place)}{none})"

    # Keys and references

    def _compared(self, entry: Keyed) -> Iterator[str]:
        """Expressions for rows whose keys stand twice, or are empty, or lead nowhere."""
        cells = _listed(f"c{place}" for place in entry.places)
        empty = " OR ".join(map(self._is_empty, entry.places))
        if entry.known is None:
            names = _listed(map(self._identity, entry.places))
            twice = f"SELECT {names} FROM rows WHERE NOT ({empty}) GROUP BY ALL HAVING count(*) > 1"
            if self._do(f"SELECT 1 FROM ({twice}) LIMIT 1"):
                yield f"({names}) IN ({twice})"
            if not entry.may_be_empty and self._do(f"SELECT 1 FROM rows WHERE {empty} LIMIT 1"):
                yield empty
            return
        combinations = self._do(f"SELECT DISTINCT {cells} FROM rows LIMIT {MAX_VALUES + 1}")
        if len(combinations) > MAX_VALUES:
            raise _NotMineError
        name = f"lost{'_'.join(map(str, entry.places))}"
        if self._keep(name, [row for row in combinations if not self._is_known(entry, row)]):
            own = _listed(f"c{number}" for number in range(len(entry.places)))
            yield f"({cells}) IN (SELECT {own} FROM {name})"

    def _is_known(self, entry: Keyed, row: Sequence[str]) -> bool:
        read = [self._columns[place].read(cell)[0] for place, cell in zip(entry.places, row, strict=True)]
        values = tuple(map(canonical, read))
        return set(values) == {None} or values in (entry.known or ())

    def _identity(self, place: int) -> str:
        """An expression by which two cells are the same where the judge reads the same value."""
        kind = self._given(place)[0].get("type", "any")
        if self._told_apart.get(place) or (kind in _INJECTIVE and self._gates[place]):
            return f"c{place}"
        if kind == "integer" and self._gates[place] and not self._twofold.get(place):
            return f"coalesce(TRY_CAST(c{place} AS BIGINT)::VARCHAR, c{place})"
        raise _NotMineError

    # The engine

    def _do(self, query: str) -> list[tuple[Any, ...]]:
        return self._connection.execute(query).fetchall()

    def _keep(self, name: str, values: Sequence[Any]) -> bool:
        """Keep values, or rows of them, in a table of their own; tell whether there are any."""
        rows = [value if isinstance(value, tuple) else (value,) for value in values]
        if not rows:
            return False
        width = len(rows[0])
        self._do(f"CREATE TEMP TABLE {name} ({_listed(f'c{number} VARCHAR' for number in range(width))})")
        marks = "(" + ", ".join("?" * width) + ")"
        for start in range(0, len(rows), _AT_ONCE):
            part = rows[start : start + _AT_ONCE]
            flat = [value for row in part for value in row]
            self._connection.execute(f"INSERT INTO {name} VALUES {_listed([marks] * len(part))}", flat)
        return True


def _are_distinct(found: Iterable[Any]) -> bool:
    """Tell whether no two cells, each written in another way, are read as the same value."""
    values = [canonical(value) for value in found if value is not None]
    return len(set(values)) == len(values)


def _listed(parts: Iterable[str]) -> str:
    return ", ".join(parts)


def _starts_with(path: Path, labels: Sequence[str], delimiter: str) -> bool:
    """Tell whether a further file repeats the header."""
    return [cell.strip() for cell in first_record(path, delimiter)] == list(labels)
