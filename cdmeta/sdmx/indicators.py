"""Figures from records: computed by the engine, and left empty where they tell too much of too few.

All combinations of dimensions and their totals are computed, whether they are published or not: what stands
behind a total is needed to protect it. Sums are sums of decimals, so that they are the same in any order.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations

from cdmeta.checks import aggregates
from cdmeta.checks.columns import Release, release
from cdmeta.checks.consent import read
from cdmeta.columns import Column, Computed, Table
from cdmeta.components import SUPPRESSED
from cdmeta.computed import UNDEFINED
from cdmeta.finding import Finding, Where
from cdmeta.indicators import TOTAL, UNKNOWN, Calculation, Condition
from cdmeta.package import Package
from cdmeta.phrase import Phrase, Series
from cdmeta.sdmx import suppression
from cdmeta.sdmx.values import frequency_of, is_no_code, time_of, typed_cell, value_of, view_of, with_codes
from cdmeta.tables.engine import ROW, Session, literal
from cdmeta.tables.relations import as_written, column

MAX_CELLS = 100_000
"""Totals among them, and such as no record is in."""
_NUMBER = "DECIMAL(38, 9)"
_LENGTHS = {"year": 4, "month": 7, "day": 10}


def rows_of(session: Session, package: Package, table: Table) -> tuple[str, tuple[Finding, ...]]:
    """Make the view of a table's rows, be they in a file or computed, and give its name, and what was found.

    Raises:
        ConversionError: the rows cannot be read.
    """
    if table.computed is None:
        return view_of(session, package, table), ()
    return _Computation(session, package, table, table.computed).run()


@dataclass(frozen=True)
class _Behind:
    """The counts of rows behind the figures of a measure, as SQL.

    Attributes:
        counts: that have to be none, or as many as a cell has to have.
        extremes: pairs of a part and its whole, which tell of everybody where the part is nothing or all of it.
        few: how many contribute to a sum or a mean by more than nothing.
        alike: tells whether all values are the same.
    """

    counts: tuple[str, ...] = ()
    extremes: tuple[tuple[str, str], ...] = ()
    few: tuple[str, ...] = ()
    alike: tuple[str, ...] = ()


class _Computation:
    """Computes one table in a session."""

    def __init__(self, session: Session, package: Package, table: Table, computed: Computed) -> None:
        self._session, self._package, self._table = session, package, table
        self._declared, self._records = computed.indicators, computed.records
        self._columns = {entry.name: entry for entry in computed.records.columns}
        self._dimensions = [self._columns[name] for name in self._declared.dimensions]
        self._number = table.resource.index
        self._release = release(package)
        self._keys = [f"d{place}" for place in range(len(self._dimensions))]

    def run(self) -> tuple[str, tuple[Finding, ...]]:
        source = view_of(self._session, self._package, self._records)
        self._do(f"CREATE TABLE records{self._number} AS {self._read(source)}")
        found = list(self._unreadable())
        size = 0 if found else self._size()
        if size > MAX_CELLS:
            found.append(Finding("CD753", self._declared.where, {"limit": MAX_CELLS}))
        if found:
            self._do(f"DELETE FROM records{self._number}")  # noqa: S608  # names of our own, as below
        found += self._left_out()
        self._cube()
        hidden, proved = self._hidden()
        view = self._publish(hidden)
        if hidden:
            shown = self._count(f"SELECT count(*) FROM {view}")  # noqa: S608
            params = {"name": self._table.name, "count": len(hidden), "cells": shown}
            found.append(Finding("CD758", self._declared.where, params))
        codes = sorted({finding.code for finding in self._told(view)})
        if codes or not proved:
            params = {
                "name": self._table.name,
                "codes": Series(tuple(codes)) if codes else Phrase("indicators.unproved"),
            }
            found.append(Finding("CD759", self._declared.where, params))
        return view, tuple(found)

    def _do(self, query: str) -> None:
        self._session.connection.execute(query)

    def _count(self, query: str) -> int:
        return int(self._session.connection.execute(query).fetchall()[0][0] or 0)

    # Records

    def _read(self, source: str) -> str:
        """The columns that are needed, in their types."""
        cells = [ROW]
        for key, entry in zip(self._keys, self._dimensions, strict=True):
            code = value_of(self._records, entry)
            code = f"coalesce({code}, '{UNKNOWN}')" if entry.name in self._declared.unknown else code
            cells.append(f"{code} AS {key}")
        cells.append(f"{self._time()} AS tm")
        cells += [
            f"{self._typed(self._columns[name])} AS v{self._columns[name].index}" for name in self._numbers()
        ]
        for number, measure in enumerate(self._declared.measures):
            cells.append(f"{self._all(measure.where)} AS c{number}")
            cells.append(f"{self._all(measure.of)} AS o{number}")
            answered = [f"{typed_cell(self._records, self._columns[c.field])} IS NOT NULL" for c in measure.where]
            cells.append(f"({' AND '.join(answered) or 'TRUE'}) AS a{number}")
        cells += [f"({sql}) AS w{number}" for number, (_, sql) in enumerate(self._wrong())]
        return f"SELECT {', '.join(cells)} FROM {source}"  # noqa: S608

    def _numbers(self) -> list[str]:
        return sorted({name for m in self._declared.measures for name in (m.field, m.weight) if name})

    def _typed(self, entry: Column) -> str:
        return f"try_cast({typed_cell(self._records, entry)} AS {_NUMBER})"

    def _time(self) -> str:
        declared = self._declared
        if not declared.time:
            return literal(declared.value)
        time = time_of(self._records)
        if declared.period == "quarter":
            return f"concat(left({time}, 4), '-Q', (try_cast(substr({time}, 6, 2) AS INTEGER) + 2) // 3)"
        return f"left({time}, {_LENGTHS[declared.period]})" if declared.period else time

    def _all(self, conditions: Iterable[Condition]) -> str:
        met = [part for condition in conditions for part in self._met(condition)]
        return f"coalesce({' AND '.join(met) or 'TRUE'}, FALSE)"

    def _met(self, condition: Condition) -> Iterator[str]:
        entry = self._columns[condition.field]
        cell, number = typed_cell(self._records, entry), self._typed(entry)
        if condition.values:
            if entry.type in ("integer", "number"):
                values = ", ".join(f"try_cast({literal(value)} AS {_NUMBER})" for value in condition.values)
                yield f"{number} IN ({values})"
            else:
                yield f"{cell} IN ({', '.join(map(literal, condition.values))})"
        else:
            yield f"{cell} IS NOT NULL"
        for bound, sign in ((condition.at_least, ">="), (condition.below, "<")):
            if bound is not None:
                yield f"{number} {sign} {bound!r}"

    def _wrong(self) -> Iterator[tuple[str, str]]:
        """The columns that are computed with, and SQL of what cannot be."""
        for entry in self._dimensions:
            if entry.values:
                yield entry.name, is_no_code(self._records, entry)
        time = self._time()
        yield self._declared.time, f"{time} IS NOT NULL AND {frequency_of(time)} IS NULL"
        weights = {measure.weight for measure in self._declared.measures}
        for name in self._numbers():
            entry = self._columns[name]
            wrong = f"{typed_cell(self._records, entry)} IS NOT NULL AND {self._typed(entry)} IS NULL"
            yield name, f"{wrong} OR coalesce({self._typed(entry)} < 0, FALSE)" if name in weights else wrong

    def _unreadable(self) -> Iterator[Finding]:
        for number, (name, _) in enumerate(self._wrong()):
            query = f"SELECT count(*), min({ROW}) FROM records{self._number} WHERE w{number}"  # noqa: S608
            ((count, row),) = self._session.connection.execute(query).fetchall()
            if count:
                where = Where(resource=self._records.name, row=row, field=name or None)
                params = {"field": name or "time", "resource": self._records.name, "count": count, "row": row}
                yield Finding("CD757", where, params)

    def _left_out(self) -> Iterator[Finding]:
        """Rows that are in no cell, because a dimension or the time is missing."""
        missing = " OR ".join(f"{key} IS NULL" for key in (*self._keys, "tm"))
        if count := self._count(f"SELECT count(*) FROM records{self._number} WHERE {missing}"):  # noqa: S608
            self._do(f"DELETE FROM records{self._number} WHERE {missing}")  # noqa: S608
            params = {"name": self._table.name, "resource": self._records.name, "count": count}
            yield Finding("CD756", self._declared.where, params)

    def _size(self) -> int:
        """How many cells there may be, totals among them."""
        parts = [f"(count(DISTINCT {key}) + 1)" for key in self._keys]
        return self._count(
            f"SELECT {' * '.join(f'{part}::HUGEINT' for part in parts)} * count(DISTINCT tm) "  # noqa: S608
            f"FROM records{self._number}"
        )

    # Figures

    def _cube(self) -> None:
        """All cells with their figures `m0` …, rows `b0` … behind each, and counts `n0` … of rows."""
        figures = [f"{self._figure(n, m)} AS m{n}" for n, m in enumerate(self._declared.measures)]
        figures += [f"{self._base(n, m)} AS b{n}" for n, m in enumerate(self._declared.measures)]
        figures += [f"({sql}) AS n{number}" for number, sql in enumerate(self._counts())]
        figures += [f"({sql}) AS u{number}" for number, sql in enumerate(self._unsafe())]
        keys = ", ".join(f"coalesce({key}, '{TOTAL}') AS {key}" for key in self._keys)
        query = (
            f"SELECT tm, {keys}, {', '.join(figures)} FROM records{self._number} "  # noqa: S608
            f"GROUP BY GROUPING SETS ({', '.join(self._sets())})"
        )
        self._do(f"CREATE TABLE cube{self._number} AS {query}")
        for number, measure in enumerate(self._declared.measures):
            if measure.kind == "median" and measure.weight:
                self._weigh_median(number, measure)

    def _sets(self) -> Iterator[str]:
        for size in range(len(self._keys), -1, -1):
            for some in combinations(self._keys, size):
                yield f"({', '.join(('tm', *some))})"

    def _rows(self, number: int, measure: Calculation) -> str:
        """The rows that count for a measure: those of the whole, for a share."""
        wanted = [f"c{number}"]
        if measure.kind == "share":
            wanted = [f"o{number}" if measure.of else f"a{number}"]
        wanted += [f"{self._value(name)} IS NOT NULL" for name in (measure.field, measure.weight) if name]
        return " AND ".join(wanted)

    def _value(self, name: str) -> str:
        return f"v{self._columns[name].index}"

    def _base(self, number: int, measure: Calculation) -> str:
        return f"count(*) FILTER ({self._rows(number, measure)})"

    def _figure(self, number: int, measure: Calculation) -> str:
        rows = self._rows(number, measure)
        weight = f"sum({self._value(measure.weight)})" if measure.weight else "count(*)"
        value = self._value(measure.field) if measure.field else ""
        if measure.weight and value:
            product = f"CAST({value} AS DOUBLE) * CAST({self._value(measure.weight)} AS DOUBLE)"
            value = f"CAST({product} AS {_NUMBER})"
        whole = f"CAST({weight} FILTER ({rows}) AS DOUBLE)"
        if measure.kind == "share":
            return f"{measure.per} * coalesce({weight} FILTER ({rows} AND c{number}), 0) / nullif({whole}, 0)"
        if measure.kind == "mean":
            return f"CAST(sum({value}) FILTER ({rows}) AS DOUBLE) / nullif({whole}, 0)"
        if measure.kind == "median":
            return f"quantile_cont(CAST({value} AS DOUBLE), 0.5) FILTER ({rows})"
        summed = f"sum({value}) FILTER ({rows})" if measure.kind == "sum" else f"{weight} FILTER ({rows})"
        return f"coalesce({summed}, 0)"

    def _weigh_median(self, number: int, measure: Calculation) -> None:
        """The value below which half of the weight is; the mean of two, where half is reached between them."""
        value, weight = self._value(measure.field), self._value(measure.weight)
        self._do(f"UPDATE cube{self._number} SET m{number} = NULL")  # noqa: S608
        for some in self._sets():
            keys = some[1:-1].split(", ")
            told = ", ".join(key if key in keys else f"'{TOTAL}' AS {key}" for key in ("tm", *self._keys))
            part = f"PARTITION BY {', '.join(keys)}"
            inner = (
                f"SELECT {told}, CAST({value} AS DOUBLE) AS v, "  # noqa: S608
                f"2 * sum({weight}) OVER ({part} ORDER BY {value} RANGE UNBOUNDED PRECEDING) AS up, "
                f"sum({weight}) OVER ({part}) AS whole FROM records{self._number} "
                f"WHERE {self._rows(number, measure)} AND {weight} > 0"
            )
            names = ", ".join(("tm", *self._keys))
            middle = "(min(v) FILTER (up >= whole) + min(v) FILTER (up > whole)) / 2"
            same = " AND ".join(f"c.{key} = h.{key}" for key in ("tm", *self._keys))
            self._do(
                f"UPDATE cube{self._number} AS c SET m{number} = h.middle FROM "  # noqa: S608
                f"(SELECT {names}, {middle} AS middle FROM ({inner}) GROUP BY {names}) AS h WHERE {same}"
            )

    # What is hidden

    def _behind(self, number: int, measure: Calculation) -> _Behind:
        rows = self._rows(number, measure)
        base, part = f"count(*) FILTER ({rows})", f"count(*) FILTER ({rows} AND c{number})"
        if measure.kind == "share":
            return _Behind((part, f"{base} - {part}", base), ((part, base),))
        if measure.kind == "count":
            met = f"count(*) FILTER (c{number})"
            whole = (met, f"count(*) - {met}") if measure.where else ()
            return _Behind((*whole, base), ((met, "count(*)"),) if measure.where else ())
        value = self._value(measure.field)
        alike = f"min({value}) FILTER ({rows}) = max({value}) FILTER ({rows})"
        few = () if measure.kind == "median" else (f"count(*) FILTER ({rows} AND {value} <> 0)",)
        return _Behind((base,), (), few, (alike,))

    def _counts(self) -> list[str]:
        """SQL of all counts behind the figures, each once, rows first."""
        behind = [self._behind(number, measure) for number, measure in enumerate(self._declared.measures)]
        return list(dict.fromkeys(["count(*)", *(sql for one in behind for sql in (*one.counts, *one.few))]))

    def _unsafe(self) -> Iterator[str]:
        """SQL of what makes the figures of a cell tell too much."""
        least, few = self._threshold, int(self._release.threshold("contributors"))
        behind = [self._behind(number, measure) for number, measure in enumerate(self._declared.measures)]
        for sql in dict.fromkeys(["count(*)", *(sql for one in behind for sql in one.counts)]):
            yield f"({sql}) BETWEEN 1 AND {least - 1}"
        for one in behind:
            for part, whole in one.extremes:
                yield f"({whole}) > 0 AND (({part}) = 0 OR ({part}) = ({whole}))"
            yield from (f"({sql}) BETWEEN 1 AND {few - 1}" for sql in one.few)
            yield from (f"coalesce({sql}, FALSE)" for sql in one.alike)
        for one_, other in combinations(self._conditions(), 2):
            left, right = (f"count(*) FILTER ({a} AND NOT {b})" for a, b in ((one_, other), (other, one_)))
            yield f"least({left}, {right}) = 0 AND greatest({left}, {right}) BETWEEN 1 AND {least - 1}"

    def _conditions(self) -> list[str]:
        """Conditions by which measures count; where one implies another, their difference is a count as well."""
        found = []
        for number, measure in enumerate(self._declared.measures):
            found += [f"c{number}"] * bool(measure.where) + [f"o{number}"] * bool(measure.of)
        return found

    @property
    def _threshold(self) -> int:
        return max(self._declared.threshold, int(self._release.threshold("cell")))

    def _hidden(self) -> tuple[list[tuple[str, ...]], bool]:
        """Cells to be hidden, time first, and whether all of them are proved to be safe."""
        if self._release.about_things:
            return [], True
        counts, unsafe = len(self._counts()), sum(1 for _ in self._unsafe())
        cells = ", ".join(("tm", *self._keys, *(f"n{n}" for n in range(counts))))
        flags = " OR ".join(f"u{n}" for n in range(unsafe))
        query = f"SELECT {cells}, {flags} FROM cube{self._number} ORDER BY ALL"  # noqa: S608
        periods: dict[str, dict[tuple[str, ...], suppression.Cell]] = {}
        width = len(self._keys) + 1
        for row in self._session.connection.execute(query).fetchall():
            periods.setdefault(row[0], {})[row[1:width]] = suppression.Cell(row[width:-1], row[-1])
        hidden, proved = [], True
        for time, found in periods.items():
            keys, safe = suppression.Table(found, self._is_shown, self._threshold).protected()
            hidden += [(time, *key) for key in sorted(keys)]
            proved = proved and safe
        return hidden, proved

    def _is_shown(self, key: tuple[str, ...]) -> bool:
        names = zip(self._declared.dimensions, key, strict=True)
        return frozenset(name for name, code in names if code != TOTAL) in self._declared.by

    def _publish(self, hidden: list[tuple[str, ...]]) -> str:
        """The view of what is published: a figure, or why there is none."""
        names = ("tm", *self._keys)
        lists = list(map(list, zip(*hidden, strict=True))) or [[] for _ in names]
        unnested = ", ".join(f"unnest(${n}::VARCHAR[]) AS {key}" for n, key in enumerate(names, 1))
        self._session.connection.execute(f"CREATE TABLE hidden{self._number} AS SELECT {unnested}", lists)
        asked = " OR ".join(f"({self._is_set(some)})" for some in self._declared.by)
        cells = [f"row_number() OVER (ORDER BY {', '.join(names)}) + 1 AS {ROW}"]
        cells += [f"{sql} AS {name}" for name, sql in self._cells()]
        query = (
            f"SELECT {', '.join(cells)} FROM cube{self._number} LEFT JOIN "  # noqa: S608
            f"(SELECT *, TRUE AS gone FROM hidden{self._number}) USING ({', '.join(names)}) "
            f"WHERE {asked} ORDER BY {ROW}"
        )
        self._do(f"CREATE TABLE figures{self._number} AS {query}")
        return with_codes(self._session, self._table, f"figures{self._number}")

    def _is_set(self, some: frozenset[str]) -> str:
        pairs = zip(self._keys, self._declared.dimensions, strict=True)
        return " AND ".join(f"{key} {'<>' if name in some else '='} '{TOTAL}'" for key, name in pairs)

    def _cells(self) -> Iterator[tuple[str, str]]:
        keys = [*self._keys, "tm"]
        for place, key in enumerate(keys):
            yield column(place), key
        place = len(keys)
        for number, measure in enumerate(self._declared.measures):
            figures = [(f"m{number}", measure.decimals)]
            figures += [(f"b{number}", 0)] if measure.base else []
            for figure, decimals in figures:
                text = f"CAST(CAST({figure} AS DECIMAL(38, {decimals})) AS VARCHAR)"
                yield column(place), f"CASE WHEN gone IS NULL THEN {text} END"
                why = f"coalesce({text}, '{UNDEFINED}')"
                yield as_written(place), f"CASE WHEN gone IS NULL THEN {why} ELSE '{SUPPRESSED}' END"
                place += 1

    # What is told of the result

    def _told(self, view: str) -> Iterator[Finding]:
        """What the checks of disclosure find in the figures, each measure by itself."""
        answers = dict(self._package.answers) | {"releaseForm": "AGGREGATE"}
        place = len(self._keys) + 1
        for measure in self._declared.measures:
            yield from self._of_measure(view, _described(measure), place, answers)
            place += 1
            if measure.base:
                yield from self._of_measure(view, _COUNT, place, answers)
                place += 1

    def _of_measure(
        self, view: str, given: Mapping[str, object], place: int, answers: Mapping[str, object]
    ) -> Iterator[Finding]:
        dimension: Mapping[str, object] = {"type": "string", "sdmx": {"role": "dimension"}}
        columns = [(f"k{key}", dimension, key) for key in range(len(self._keys) + 1)]
        columns.append((str(given.get("name", "figure")), given, place))
        rows = self._count(f"SELECT count(*) FROM {view}")  # noqa: S608
        yield from aggregates.of_figures(
            self._table.resource, view, rows, columns, Release(read(answers)), self._session
        )


_COUNT: Mapping[str, object] = {"type": "integer", "sdmx": {"role": "measure", "id": "BASE_N"}}


def _described(measure: Calculation) -> Mapping[str, object]:
    """A column as the checks of disclosure know it, whatever it is called."""
    if measure.kind == "count" and not measure.weight:
        return _COUNT
    if measure.kind == "share":
        unit = {"role": "measure", "unit": "PERCENT"}
        return {"name": "share", "type": "number", "sdmx": unit}
    return {"type": "number", "sdmx": {"role": "measure"}}
