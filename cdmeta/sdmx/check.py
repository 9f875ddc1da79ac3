"""Data against their data structure: codes, types and facets, keys, attributes, constraints.

Rows are counted by the engine; a finding has a count, the first row and the component, never a value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

from cdmeta.finding import Finding, Where
from cdmeta.phrase import Phrase
from cdmeta.sdmx import facets
from cdmeta.sdmx.artefacts import (
    Attribute,
    CubeRegion,
    DataConstraint,
    DataStructure,
    Dimension,
    Measure,
    Representation,
    TimeRange,
)
from cdmeta.sdmx.periods import within
from cdmeta.sdmx.values import ITEM, some, values_in
from cdmeta.tables.engine import ROW, Session, accepts, identifier, literal

Component = Dimension | Measure | Attribute
UPDATES = ("A", "M", "D")
"""Actions (Append, Merge, Delete) whose observations may be parts of what is there already, so that nothing can be
missing in them."""


@dataclass(frozen=True)
class Rows:
    """Data of one data structure in a view of the engine.

    Attributes:
        file: name of the message.
        view: the view, with `row` and a column of text for each component, called by its id; NULL where there is
            no value.
        ids: the components that the message has.
        action: `I`, `A`, `R`, `D` or `M`, as in SDMX-CSV.
        multiple: those of the components whose cells are JSON arrays of values.
    """

    file: str
    view: str
    ids: tuple[str, ...]
    action: str = "I"
    multiple: frozenset[str] = frozenset()

    def values(self, id_: str) -> str:
        """A source of rows with each value of a component."""
        if id_ not in self.multiple:
            return self.view
        name = identifier(id_)
        each = f"unnest({values_in(name)})"
        return f"(SELECT {ROW}, {each} AS {name} FROM {self.view} WHERE {name} IS NOT NULL)"  # noqa: S608  # built here


@dataclass(frozen=True)
class Known:
    """What is known of the structure.

    Attributes:
        structure: the data structure.
        representation: of a component, that of its concept where it has none of its own.
        codes: the ids of the codes or values of an enumerated representation; None where its list is not at hand,
            or not whole.
        constraints: those that bind the data.
    """

    structure: DataStructure
    representation: Callable[[Component], Representation]
    codes: Callable[[Representation], frozenset[str] | None]
    constraints: tuple[DataConstraint, ...] = ()


def check(session: Session, rows: Rows, known: Known) -> tuple[Finding, ...]:
    """What is wrong with data (`CD78x`), by the structure, in its order.

    Raises:
        ConversionError: the rows cannot be read.
    """
    if not _ids(known, rows) and not _number(session, rows):
        return (_told("CD768", rows, ""),)
    checks = (_components, _values, _empty, _keys, _attachments, _allowed)
    return tuple(finding for part in checks for finding in part(session, rows, known))


def _number(session: Session, rows: Rows) -> int:
    (number,) = session.connection.execute(f"SELECT count(*) FROM {rows.view}").fetchone() or (0,)  # noqa: S608
    return int(number)


def check_together(session: Session, tables: Sequence[tuple[str, Rows]], known: Known) -> Iterator[Finding]:
    """What is wrong with tables of one dataflow together, each of which is right by itself (`CD771`, `CD772`).

    Args:
        session: the session that has all views.
        tables: each with its name.
        known: their structure.

    Raises:
        ConversionError: the rows cannot be read.
    """
    for (name, one), (other_name, other) in combinations(tables, 2):
        params = {"resource": name, "other": other_name}
        keys = ", ".join(identifier(part.id) for part in known.structure.dimensions)
        both = f"SELECT {keys} FROM {one.view} INTERSECT SELECT {keys} FROM {other.view}"  # noqa: S608  # built here
        if count := _count(session, both):
            yield Finding("CD771", Where(other.file, resource=other_name), params | {"count": count})
        for part in known.structure.attributes:
            if (
                part.id in one.ids
                and part.id in other.ids
                and (count := _uneven(session, part, one, other, known))
            ):
                where = Where(other.file, resource=other_name, field=part.id)
                yield Finding("CD772", where, params | {"field": part.id, "level": _level(part), "count": count})


def _uneven(session: Session, part: Attribute, one: Rows, other: Rows, known: Known) -> int:
    """In how many series, groups or data sets an attribute has another value in another table."""
    keys = _attached_to(part, one, known)
    if keys is None:
        return 0
    name = identifier(part.id)
    group = f"GROUP BY {', '.join(keys)}" if keys else ""
    told = [
        f"(SELECT {', '.join([*keys, f'any_value({name}) AS told'])} FROM {rows.view} {group}) AS t{number}"  # noqa: S608  # built here
        for number, rows in enumerate((one, other))
    ]
    joined = f" JOIN {told[1]} USING ({', '.join(keys)})" if keys else f", {told[1]}"
    return _count(session, f"SELECT 1 FROM {told[0]}{joined} WHERE t0.told <> t1.told")  # noqa: S608  # likewise


def _count(session: Session, query: str) -> int:
    ((count,),) = session.connection.execute(f"SELECT count(*) FROM ({query})").fetchall()  # noqa: S608  # built here
    return int(count)


def _components(session: Session, rows: Rows, known: Known) -> Iterator[Finding]:
    del session
    ids = [part.id for part in known.structure.components]
    for part in known.structure.dimensions:
        if part.id not in rows.ids:
            yield _told("CD780", rows, part.id)
    if rows.action not in UPDATES:
        mandatory = [part.id for part in known.structure.measures if part.mandatory]
        mandatory += [part.id for part in known.structure.attributes if part.mandatory]
        for id_ in mandatory:
            if id_ not in rows.ids:
                yield _told("CD780", rows, id_)
    for id_ in rows.ids:
        if id_ not in ids:
            yield _told("CD781", rows, id_)


def _present(rows: Rows, known: Known) -> Iterator[Component]:
    return (part for part in known.structure.components if part.id in rows.ids)


def _values(session: Session, rows: Rows, known: Known) -> Iterator[Finding]:
    for part in _present(rows, known):
        taken = known.representation(part)
        if part.id in rows.multiple and taken.max_occurs is not None:
            many = f"json_array_length({identifier(part.id)}) > {taken.max_occurs}"
            told = {"type": Phrase("expected.values", {"count": taken.max_occurs})}
            yield from _counted("CD784", session, rows, part.id, rows.view, many, told)
        if taken.codelist is not None:
            yield from _coded(session, rows, part, known.codes(taken))
        elif facets.is_point_in_time(part, taken):
            yield from _periods(session, rows, part, taken)
        else:
            yield from _uncoded(session, rows, part, taken)


def _coded(session: Session, rows: Rows, part: Component, codes: frozenset[str] | None) -> Iterator[Finding]:
    """Values without a code; of lists that are not at hand, nothing can be said but that."""
    if codes is None:
        yield _told("CD789", rows, part.id)
        return
    name = _table(session, codes)
    sql = identifier(part.id)
    missing = f"{sql} IS NOT NULL AND {sql} <> {literal(facets.INTENTIONALLY_MISSING)}"
    source = f"{rows.values(part.id)} ANTI JOIN {name} ON {sql} = {name}.id"
    yield from _counted("CD783", session, rows, part.id, source, missing)


def _uncoded(session: Session, rows: Rows, part: Component, taken: Representation) -> Iterator[Finding]:
    if (read := facets.pattern(taken)) is not None and not accepts(session, read):
        yield _told("CD789", rows, part.id)
        return
    told = {"type": taken.text_type}
    if (wrong := facets.wrong(identifier(part.id), taken)) is not None:
        yield from _counted("CD784", session, rows, part.id, rows.values(part.id), wrong, told)


def _periods(session: Session, rows: Rows, part: Component, taken: Representation) -> Iterator[Finding]:
    """Time periods where points in time are asked for, which .Stat has and takes; what is no period is wrong."""
    periods = replace(taken, text_type=facets.PERIOD)
    yield from _uncoded(session, rows, part, periods)
    kinds = (Representation(text_type=each.text_type) for each in (taken, periods))
    no_point, no_period = (facets.wrong(identifier(part.id), kind) for kind in kinds)
    yield from _counted("CD767", session, rows, part.id, rows.view, f"{no_point} AND NOT {no_period}")


def _table(session: Session, codes: Iterable[str]) -> str:
    """A table of codes: as a list within the query, a hundred thousand would be slow."""
    (number,) = session.connection.execute("SELECT count(*) FROM duckdb_tables()").fetchone() or (0,)
    name = f"codes_{number}"
    session.connection.execute(f"CREATE TEMP TABLE {name} (id VARCHAR)")
    session.connection.execute(f"INSERT INTO {name} SELECT unnest(?)", [sorted(codes)])  # our name
    return name


def _empty(session: Session, rows: Rows, known: Known) -> Iterator[Finding]:
    """Dimensions without a value, and mandatory measures and attributes without one where they belong."""
    for part in _present(rows, known):
        if isinstance(part, Dimension):
            if rows.action != "D":
                yield from _counted("CD782", session, rows, part.id, rows.view, f"{identifier(part.id)} IS NULL")
        elif part.mandatory and rows.action not in UPDATES:
            source, lacking = _lacking(part, rows, known)
            yield from _counted("CD785", session, rows, part.id, source, lacking)


def _lacking(part: Measure | Attribute, rows: Rows, known: Known) -> tuple[str, str]:
    """A source of rows, and what tells that a mandatory component is missing: once for each series or group."""
    keys = _attached_to(part, rows, known)
    if keys is None:
        return rows.view, f"{identifier(part.id)} IS NULL"
    group = f"GROUP BY {', '.join(keys)}" if keys else ""
    having = "" if group else "HAVING count(*) > 0"
    query = (
        f"SELECT min({ROW}) AS {ROW}, any_value({identifier(part.id)}) AS told FROM {rows.view} {group} {having}"  # noqa: S608  # built here
    )
    return f"({query})", "told IS NULL"


def _attached_to(part: Measure | Attribute, rows: Rows, known: Known) -> list[str] | None:
    """The columns of the partial key that an attribute belongs to; None where it belongs to observations."""
    if isinstance(part, Measure) or part.attachment == "observation":
        return None
    if part.attachment == "dataflow":
        return []
    if set(part.attachment) >= {dimension.id for dimension in known.structure.dimensions}:
        return None
    return [identifier(id_) for id_ in part.attachment if id_ in rows.ids]


def _keys(session: Session, rows: Rows, known: Known) -> Iterator[Finding]:
    """Observations whose key another has. Hashes are compared first, so that clean data need little memory."""
    key = [identifier(part.id) for part in known.structure.dimensions if part.id in rows.ids]
    if not key:
        return
    listed = ", ".join(key)
    hashes = f"SELECT hash({listed}) AS h FROM {rows.view} GROUP BY h HAVING count(*) > 1"  # noqa: S608  # built here
    numbered = (
        f"(SELECT {ROW}, row_number() OVER (PARTITION BY {listed} ORDER BY {ROW}) AS n "  # noqa: S608  # built here
        f"FROM {rows.view} WHERE hash({listed}) IN ({hashes}))"
    )
    yield from _counted("CD786", session, rows, ", ".join(_ids(known, rows)), numbered, "n > 1")


def _ids(known: Known, rows: Rows) -> list[str]:
    return [part.id for part in known.structure.dimensions if part.id in rows.ids]


def _attachments(session: Session, rows: Rows, known: Known) -> Iterator[Finding]:
    """Attributes of a series, a group or the data set that have two values in one."""
    for part in known.structure.attributes:
        keys = _attached_to(part, rows, known) if part.id in rows.ids else None
        if keys is None:
            continue
        name = identifier(part.id)
        group = f"GROUP BY {', '.join(keys)}" if keys else ""
        query = f"(SELECT min({ROW}) AS {ROW}, min({name}) <> max({name}) AS uneven FROM {rows.view} {group})"  # noqa: S608  # built here
        yield from _counted("CD787", session, rows, part.id, query, "uneven", {"level": _level(part)})


def _level(part: Attribute) -> str:
    """What an attribute belongs to, for messages."""
    return ", ".join(part.attachment) if isinstance(part.attachment, tuple) else part.attachment


def _allowed(session: Session, rows: Rows, known: Known) -> Iterator[Finding]:
    for constraint in known.constraints:
        if constraint.allowed and (outside := _outside(constraint, rows)):
            params = {"constraint": constraint.ref.short}
            yield from _counted("CD788", session, rows, "", rows.view, outside, params)


def _outside(constraint: DataConstraint, rows: Rows) -> str:
    """SQL that is true of observations that a constraint does not allow; empty where it forbids nothing."""
    included = [sql for region in constraint.regions if region.included and (sql := _region(region, rows))]
    excluded = [sql for region in constraint.regions if not region.included and (sql := _region(region, rows))]
    allowed = list(_of_keys((key for given, key in constraint.keys if given), rows))
    left = _of_keys((key for given, key in constraint.keys if not given), rows)
    forbidden = [*excluded, *left]
    parts = [f"NOT ({' OR '.join(group)})" for group in (included, allowed) if group]
    parts += [" OR ".join(forbidden)] if forbidden else []
    return " OR ".join(f"coalesce({part}, FALSE)" for part in parts)


def _region(region: CubeRegion, rows: Rows) -> str:
    """SQL that is true of observations in a part of the cube; what observations do not have binds nothing."""
    given: list[tuple[str, frozenset[str] | TimeRange]] = [*region.values, *region.ranges]
    if not region.included and any(id_ not in rows.ids for id_, _ in given):
        return ""
    parts = [_member(id_, limits, region, rows) for id_, limits in given if id_ in rows.ids]
    return f"({' AND '.join(parts)})" if parts else ""


def _member(id_: str, limits: frozenset[str] | TimeRange, region: CubeRegion, rows: Rows) -> str:
    """The same of one component: each of several values has to be included, and one that is excluded is enough."""
    name, several = identifier(id_), id_ in rows.multiple
    value = ITEM if several else name
    among = within(value, limits) if isinstance(limits, TimeRange) else _among(value, limits)
    if not region.included:
        return f"({some(name, among) if several else among})"
    inside = f"NOT ({some(name, f'NOT {among}')})" if several else among
    return f"({name} IS NULL OR {inside})"


def _among(sql: str, values: Iterable[str]) -> str:
    """SQL that is true of a value among others, in which `%` stands for any characters."""
    plain = ", ".join(literal(value) for value in sorted(values) if "%" not in value)
    parts = [f"{sql} IN ({plain})"] if plain else []
    for value in sorted(values):
        if "%" in value:
            escaped = value.replace("\\", "\\\\").replace("_", "\\_")
            parts.append(f"{sql} LIKE {literal(escaped)} ESCAPE '\\'")
    return f"({' OR '.join(parts)})" if parts else "FALSE"


def _of_keys(keys: Iterable[Iterable[tuple[str, str]]], rows: Rows) -> Iterator[str]:
    """SQL that is true of observations with one of some keys, which may be thousands."""
    found: dict[tuple[str, ...], list[str]] = {}
    for key in keys:
        if parts := [(id_, value) for id_, value in key if id_ in rows.ids]:
            values = ", ".join(literal(value) for _, value in parts)
            found.setdefault(tuple(id_ for id_, _ in parts), []).append(f"({values})")
    for ids, told in found.items():
        yield f"(({', '.join(map(identifier, ids))}) IN (VALUES {', '.join(told)}))"


def _counted(
    code: str,
    session: Session,
    rows: Rows,
    id_: str,
    source: str,
    condition: str,
    params: Mapping[str, Any] | None = None,
) -> Iterator[Finding]:
    """A finding with how many rows of a source fulfil a condition, and the first; none where none does."""
    query = f"SELECT count(*), min({ROW}) FROM {source} WHERE {condition}"  # noqa: S608  # all parts built here
    ((count, first),) = session.connection.execute(query).fetchall()
    if count:
        yield _told(code, rows, id_, {"count": count, "row": first, **(params or {})})


def _told(code: str, rows: Rows, id_: str, params: Mapping[str, Any] | None = None) -> Finding:
    where = Where(rows.file, row=(params or {}).get("row"), field=id_ or None)
    return Finding(code, where, {"file": rows.file, "field": id_, **(params or {})})
