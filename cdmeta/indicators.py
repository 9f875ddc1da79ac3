"""What a descriptor declares as figures computed from records (`sdmx.indicators`), frozen and typed.

One table of figures is made of one table of records: by dimensions, by time, with totals. Two tables of the same
records would have to be protected together, because one subtracted from the other tells what each hides; so
there is one, in which `by` says which of the dimensions stand together.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

from cdmeta.finding import Finding, Where
from cdmeta.package import DESCRIPTOR, Package, Resource

CALCULATIONS = ("count", "sum", "mean", "median", "share")
PERIODS = ("year", "quarter", "month", "day")
TOTAL, UNKNOWN = "_T", "_U"
"""Codes of SDMX for all codes together, and for what is not known."""
MAX_DIMENSIONS, MAX_MEASURES, MAX_DECIMALS = 6, 20, 9
_NUMBERS = ("integer", "number")
_LARGE = 10**18
_TIMES = {"year": ("date", "datetime", "yearmonth"), "day": ("date", "datetime")}
_TIMES |= {"quarter": _TIMES["year"], "month": _TIMES["year"]}
_MEMBERS = (
    "name",
    "title",
    "description",
    "resource",
    "dimensions",
    "time",
    "by",
    "measures",
    "threshold",
    "target",
)
_OF_MEASURES = (
    "name", "title", "description", "calculate", "field", "weight", "where", "of", "per", "decimals", "base",
    "unit", "unitMult", "id", "concept",
)  # fmt: skip


@dataclass(frozen=True)
class Condition:
    """What rows have to meet in one column; a missing value meets none.

    Attributes:
        field: name of the column.
        values: one of these, as they stand in the rows; any where there are none.
        at_least, below: bounds of a number.
    """

    field: str
    values: tuple[str, ...] = ()
    at_least: float | None = None
    below: float | None = None


@dataclass(frozen=True)
class Calculation:
    """A measure that is computed.

    Attributes:
        name: of its column.
        given: the object that declares it.
        kind: one of CALCULATIONS.
        field: the column whose values are summed or averaged; empty for counts and shares.
        weight: the column of weights, or empty.
        where: conditions of which all are met by the rows that count; of a share, by the part.
        of: conditions of the whole of a share; none for all rows that have a value where `where` asks for one.
        per: by what a share is multiplied, 100 or 1.
        decimals: digits behind the point.
        base: name of a further measure, how many rows stand behind this one; empty for none.
    """

    name: str
    given: Mapping[str, Any] = field(hash=False)
    kind: str
    field: str
    weight: str
    where: tuple[Condition, ...]
    of: tuple[Condition, ...]
    per: int
    decimals: int
    base: str


@dataclass(frozen=True)
class Indicators:
    """A table of figures that is computed from records.

    Attributes:
        name: of the table.
        given: the object that declares it.
        pointer: JSON Pointer to it.
        source: the records.
        dimensions: names of the columns by which figures are told apart.
        unknown: those in which a missing value is a code of its own, `_U`; else its row is left out.
        time: name of the column of time, or empty.
        period: one of PERIODS into which days are put together; empty for the time as it stands.
        value: the time of all rows, where no column has it.
        by: which dimensions stand together; of the others there is the total.
        measures: what is computed.
        threshold: the least number of rows of a cell, where the descriptor asks for more than the profile; or 0.
    """

    name: str
    given: Mapping[str, Any] = field(hash=False)
    pointer: str
    source: Resource
    dimensions: tuple[str, ...]
    unknown: frozenset[str]
    time: str
    period: str
    value: str
    by: tuple[frozenset[str], ...]
    measures: tuple[Calculation, ...]
    threshold: int

    @property
    def where(self) -> Where:
        """Where it is declared."""
        return Where(DESCRIPTOR, self.pointer, self.name)


def indicators(package: Package, findings: list[Finding]) -> tuple[Indicators, ...]:
    """The tables of figures that a package declares and that can be computed.

    Args:
        package: any package whose descriptor could be read.
        findings: takes what is wrong in the others.
    """
    sdmx = package.descriptor.get("sdmx")
    given = sdmx.get("indicators") if isinstance(sdmx, Mapping) else None
    if given is None:
        return ()
    at = "/sdmx/indicators"
    if not isinstance(given, list) or not all(isinstance(entry, Mapping) for entry in given):
        findings.append(_useless("indicators", at))
        return ()
    made: list[Indicators] = []
    for number, entry in enumerate(given):
        reader = _Reader(package, entry, f"{at}/{number}")
        table = reader.table()
        findings += reader.findings
        if table and any(other.source is table.source for other in made):
            params = {"name": table.name, "resource": table.source.name}
            findings.append(Finding("CD754", table.where, params))
        elif table and table.name in {*(other.name for other in made), *(r.name for r in package.resources)}:
            findings.append(_useless("name", table.pointer))
        elif table:
            made.append(table)
    return tuple(made)


def _useless(member: str, at: str) -> Finding:
    return Finding("CD748", Where(DESCRIPTOR, at), {"member": member})


class _Reader:
    """Reads one declaration; whatever cannot be used becomes a finding."""

    def __init__(self, package: Package, given: Mapping[str, Any], at: str) -> None:
        self._package, self._given, self._at = package, given, at
        self.findings: list[Finding] = []
        self._fields: dict[str, Mapping[str, Any]] = {}

    def table(self) -> Indicators | None:
        given = self._given
        self._known(given, _MEMBERS, self._at)
        name = given.get("name")
        source = next((r for r in self._package.resources if r.name == given.get("resource")), None)
        if not isinstance(name, str) or not name:
            self._wrong("name")
        if source is None or not source.fields:
            self._column(given.get("resource"), "resource")
            return None
        self._fields = {str(entry.get("name")): entry for entry in source.fields}
        dimensions, unknown = self._dimensions()
        time, period, value = self._time()
        by, measures = self._by(dimensions), tuple(self._measures())
        names = [
            *dict.fromkeys(dimensions),
            time or "time_period",
            *(n for m in measures for n in (m.name, m.base) if n),
        ]
        if len({n.casefold() for n in names}) < len(names):
            self._wrong("name")
        threshold = given.get("threshold", 0)
        if isinstance(threshold, bool) or not isinstance(threshold, int) or threshold < 0:
            self._wrong("threshold")
        if self.findings:
            return None
        return Indicators(
            str(name), given, self._at, source, dimensions, unknown, time, period, value, by, measures, threshold
        )

    def _wrong(self, member: str, at: str = "") -> None:
        self.findings.append(_useless(member, at or self._at))

    def _column(self, name: Any, member: str, at: str = "") -> None:
        params = {"member": member, "field": name if isinstance(name, str) else "–"}
        self.findings.append(Finding("CD749", Where(DESCRIPTOR, at or self._at), params))

    def _known(self, given: Mapping[str, Any], members: Iterable[str], at: str) -> None:
        for member in given:
            if member.partition("@")[0] not in members:
                self._wrong(member, at)

    def _dimensions(self) -> tuple[tuple[str, ...], frozenset[str]]:
        given = self._given.get("dimensions")
        names, unknown = [], set()
        for part in given if isinstance(given, list) else []:
            told = part if isinstance(part, Mapping) else {"field": part}
            name = told.get("field")
            self._known(told, ("field", "unknown"), self._at)
            if not isinstance(name, str) or name not in self._fields:
                self._column(name, "dimensions")
                continue
            if told.get("unknown") is True:
                unknown.add(name)
            names.append(name)
            if not self._is_coded(name):
                self.findings.append(Finding("CD751", Where(DESCRIPTOR, self._at), {"field": name}))
        if not isinstance(given, list) or not given or len(set(names)) < len(names):
            self._wrong("dimensions")
        if len(names) > MAX_DIMENSIONS:
            self.findings.append(Finding("CD753", Where(DESCRIPTOR, self._at), {"limit": MAX_DIMENSIONS}))
        return tuple(names), frozenset(unknown)

    def _is_coded(self, name: str) -> bool:
        entry = self._fields[name]
        sdmx, rules = entry.get("sdmx"), entry.get("constraints")
        keys = self._source_schema.get("foreignKeys") if self._source_schema else None
        keys = keys if isinstance(keys, list) else []
        keyed = any(isinstance(key, Mapping) and key.get("fields") in (name, [name]) for key in keys)
        listed = "categories" in entry or (isinstance(rules, Mapping) and "enum" in rules)
        return listed or keyed or (isinstance(sdmx, Mapping) and "codelist" in sdmx)

    @property
    def _source_schema(self) -> Mapping[str, Any] | None:
        return next(r.schema for r in self._package.resources if r.name == self._given.get("resource"))

    def _time(self) -> tuple[str, str, str]:
        given = self._given.get("time")
        told = given if isinstance(given, Mapping) else {"field": given}
        self._known(told, ("field", "period", "value"), self._at)
        if isinstance(value := told.get("value"), str) and value:
            return "", "", value
        name, period = told.get("field"), told.get("period", "")
        if name is None:
            self.findings.append(Finding("CD752", Where(DESCRIPTOR, self._at), {}))
        elif not isinstance(name, str) or name not in self._fields:
            self._column(name, "time")
        elif period and (period not in PERIODS or self._fields[name].get("type") not in _TIMES[period]):
            self._wrong("period")
        else:
            return name, str(period), ""
        return "", "", ""

    def _by(self, dimensions: tuple[str, ...]) -> tuple[frozenset[str], ...]:
        """All combinations, from all dimensions to none, where nothing else is asked for."""
        given = self._given.get("by")
        if given is None:
            sizes = range(len(dimensions), -1, -1)
            return tuple(frozenset(some) for size in sizes for some in combinations(dimensions, size))
        if not isinstance(given, list) or not given or not all(isinstance(part, list) for part in given):
            self._wrong("by")
            return ()
        for name in (name for part in given for name in part if name not in dimensions):
            self._column(name, "by")
        return tuple(dict.fromkeys(frozenset(map(str, part)) for part in given))

    def _measures(self) -> Iterator[Calculation]:
        given = self._given.get("measures")
        listed = given if isinstance(given, list) else []
        if not 0 < len(listed) <= MAX_MEASURES:
            self._wrong("measures")
        for number, entry in enumerate(listed):
            at = f"{self._at}/measures/{number}"
            if not isinstance(entry, Mapping):
                self._wrong("measures", at)
            elif made := self._measure(entry, at):
                yield made

    def _measure(self, given: Mapping[str, Any], at: str) -> Calculation | None:
        before = len(self.findings)
        self._known(given, _OF_MEASURES, at)
        kind, name, base = given.get("calculate"), given.get("name"), given.get("base", "")
        decimals = given.get("decimals", 0 if kind == "count" and not given.get("weight") else 1)
        per = given.get("per", 100)
        for member, good in (
            ("calculate", kind in CALCULATIONS),
            ("name", isinstance(name, str) and bool(name)),
            ("base", isinstance(base, str)),
            ("decimals", decimals in range(MAX_DECIMALS + 1) and not isinstance(decimals, bool)),
            ("per", per in (1, 100) and (kind == "share" or "per" not in given)),
            ("of", kind == "share" or "of" not in given),
            ("where", kind != "share" or bool(given.get("where"))),
        ):
            if not good:
                self._wrong(member, at)
        value = self._number(given, "field", at, needed=kind in ("sum", "mean", "median"))
        weight = self._number(given, "weight", at, needed=False)
        where, of = (tuple(self._conditions(given, member, at)) for member in ("where", "of"))
        if len(self.findings) > before:
            return None
        return Calculation(str(name), given, str(kind), value, weight, where, of, per, decimals, base)

    def _number(self, given: Mapping[str, Any], member: str, at: str, *, needed: bool) -> str:
        name = given.get(member)
        if name is None and not needed:
            return ""
        if member == "field" and not needed:
            self._wrong(member, at)
        elif not isinstance(name, str) or name not in self._fields:
            self._column(name, member, at)
        elif self._fields[name].get("type") not in _NUMBERS:
            self.findings.append(Finding("CD750", Where(DESCRIPTOR, at), {"member": member, "field": name}))
        return str(name)

    def _conditions(self, given: Mapping[str, Any], member: str, at: str) -> Iterator[Condition]:
        listed = given.get(member, [])
        if not isinstance(listed, list):
            self._wrong(member, at)
            return
        for entry in listed:
            told = entry if isinstance(entry, Mapping) else {}
            name = told.get("field")
            self._known(told, ("field", "in", "atLeast", "below"), at)
            if not isinstance(name, str) or name not in self._fields:
                self._column(name, member, at)
                continue
            bounds = [told.get(bound) for bound in ("atLeast", "below")]
            values = told.get("in", [])
            is_number = self._fields[name].get("type") in _NUMBERS
            if any(bound is not None and not _is_number(bound) for bound in bounds) or not _are_values(values):
                self._wrong(member, at)
            elif any(bound is not None for bound in bounds) and not is_number:
                self.findings.append(Finding("CD750", Where(DESCRIPTOR, at), {"member": member, "field": name}))
            elif not self._has(name, values):
                self._wrong("in", at)
            else:
                yield Condition(name, tuple(map(_text, values)), *bounds)

    def _has(self, name: str, values: list[Any]) -> bool:
        """Tell whether values are among those that a column may hold, where its schema lists them."""
        entry = self._fields[name]
        rules, listed = entry.get("constraints"), entry.get("categories")
        listed = rules.get("enum") if listed is None and isinstance(rules, Mapping) else listed
        if not isinstance(listed, list):
            return True
        known = {_text(part.get("value") if isinstance(part, Mapping) else part) for part in listed}
        return known.issuperset(map(_text, values))


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < _LARGE


def _are_values(values: Any) -> bool:
    return isinstance(values, list) and all(isinstance(value, (str, int, float)) for value in values)


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
