"""Tables as the checks of disclosure see them: how often, how many, in which row first; never a value.

What is asked of a table comes back as numbers; the few values that have to be looked at one by one are judged in
here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cdmeta.package import Resource
from cdmeta.tables.engine import ROW
from cdmeta.tables.held import Condition, Held, UnsureError
from cdmeta.tables.shapes import MARKS, PATTERNS, Column, Shape, hit, measured, measures, number, shape_in_memory

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_AT_ONCE = 50
"""Columns that one query measures: its expressions grow with each."""
_BINS = 100
"""Values in an order that are told apart where the distance of groups is measured."""
_FIRST_ROWS = 1_000
"""Rows that mostly show that a table stands in no order."""


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
                return [shape_in_memory(self._held, column) for column in self.columns]
        found: list[Shape] = []
        for start in range(0, len(self.columns), _AT_ONCE):
            asked = [measures(column) for column in self.columns[start : start + _AT_ONCE]]
            parts = [part for of_column in asked for part in of_column]
            (numbers,) = self.ask(f"SELECT {', '.join(parts)} FROM {{t}}")  # noqa: S608  # our own names
            width = len(parts) // len(asked)
            found += [measured(numbers[place : place + width]) for place in range(0, len(numbers), width)]
        return found

    def hits(self, column: Column, shape: Shape) -> Mapping[str, tuple[int, int]]:
        """Which of PATTERNS a column holds: name → cells, and the row of the first."""
        names = [name for name, (mark, _) in PATTERNS.items() if shape.marks.get(mark)]
        if not names:
            return {}
        if self._held is not None:
            with suppress(UnsureError):
                found_here = {name: self._held.count(hit(column.sql, name)) for name in names}
                return {name: (count, row) for name, (count, row) in found_here.items() if row is not None}
        cells = [f"min({ROW}) FILTER (v{number}), count(*) FILTER (v{number})" for number in range(len(names))]
        found = [hit(column.sql, name) for name in names]
        inner = ", ".join(f"{test} AS v{number}" for number, test in enumerate(found))
        marked = " OR ".join(f"{column.sql} LIKE '{MARKS[PATTERNS[name][0]]}'" for name in names)
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
