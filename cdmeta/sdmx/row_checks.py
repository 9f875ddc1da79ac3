"""What keeps rows from being observations: counted by the engine, told with the first row, and never quoted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from cdmeta.columns import Column, Table
from cdmeta.components import MISSING
from cdmeta.finding import Finding, Where
from cdmeta.sdmx.artefacts import Attribute, Codelist, Dimension, Measure, Representation
from cdmeta.sdmx.own import STATUSES, kind_of
from cdmeta.sdmx.structures import Flow
from cdmeta.sdmx.values import INTEGER, ITEM, NUMBER, frequency_of, is_no_code, some, value_of
from cdmeta.tables.engine import ROW, Session, literal
from cdmeta.urn import Ref

_CODE = r"[A-Za-z0-9_@$-]+"
ILLEGAL = r"[\x00-\x08\x0b\x0c\x0e-\x1f\x{fffe}\x{ffff}]"
"""Characters that XML cannot hold."""
_FORMS = {"BigInteger": INTEGER, "Double": f"{NUMBER}|-?INF", "Boolean": "true|false"}


@dataclass(frozen=True)
class Part:
    """A component of a data structure, with SQL of its value, and its column where it has one."""

    component: Dimension | Measure | Attribute
    sql: str
    column: Column | None

    @property
    def id(self) -> str:
        """The id of the component."""
        return self.component.id


@dataclass(frozen=True)
class _Check:
    """What must not be: a condition in SQL, and the finding that it gives."""

    code: str
    column: Column
    condition: str
    params: Mapping[str, str]


def broken(
    session: Session, view: str, flow: Flow, parts: Sequence[Part], codelists: Mapping[Ref, Codelist]
) -> Iterator[Finding]:
    """A finding for each rule of a column that rows break, with how many and the first."""
    checks = [
        check
        for entry in flow.table.columns
        for part in parts
        if part.column is entry
        for check in _checks(flow, part, entry, codelists)
    ]
    checks += _contradictions(flow, parts)
    counts = ", ".join(
        f"count(*) FILTER ({check.condition}), min({ROW}) FILTER ({check.condition})" for check in checks
    )
    (row,) = session.connection.execute(f"SELECT {counts} FROM {view}").fetchall()  # noqa: S608  # built here
    for number, check in enumerate(checks):
        count, first = row[2 * number : 2 * number + 2]
        if count:
            yield _finding(check.code, flow.table, check.column, count, first, check.params)


def scattered(session: Session, view: str, flow: Flow, parts: Sequence[Part]) -> Iterator[Finding]:
    """Attributes that differ inside what they belong to; an empty cell differs from none."""
    by_id = {part.id: part for part in parts}
    for part in parts:
        component, entry = part.component, part.column
        if entry is None or not isinstance(component, Attribute) or component.attachment == "observation":
            continue
        dimensions = component.attachment if isinstance(component.attachment, tuple) else ()
        key = ", ".join(by_id[id_].sql for id_ in dimensions) or "1"
        found = _differing(session, view, key, part.sql)
        if found is not None:
            columns = [by_id[id_].column for id_ in dimensions if id_ in by_id]
            level = ", ".join(column.name for column in columns if column) or "dataset"
            yield _finding("CD742", flow.table, entry, *found, {"level": level})


def varies(session: Session, view: str, key: Iterable[str], value: str) -> bool:
    """Tell whether a value differs inside a part of the key; an empty cell differs from any other."""
    grouping = ", ".join(key) or "1"
    mixed = f"min({value}) <> max({value}) OR count({value}) NOT IN (0, count(*))"
    query = f"SELECT 1 FROM {view} GROUP BY {grouping} HAVING {mixed} LIMIT 1"  # noqa: S608  # built here
    return bool(session.connection.execute(query).fetchall())


def repeated(session: Session, view: str, flow: Flow, parts: Sequence[Part]) -> Iterator[Finding]:
    """Rows whose key another row has. Hashes are compared first, so that clean tables need little memory."""
    table = flow.table
    key = ", ".join(part.sql for part in parts if isinstance(part.component, Dimension))
    hashes = f"SELECT hash({key}) AS h FROM {view} GROUP BY h HAVING count(*) > 1"  # noqa: S608  # built here
    numbered = (
        f"SELECT {ROW}, row_number() OVER (PARTITION BY {key} ORDER BY {ROW}) AS n "  # noqa: S608  # built here
        f"FROM {view} WHERE hash({key}) IN ({hashes})"
    )
    query = f"SELECT count(*), min({ROW}) FROM ({numbered}) WHERE n > 1"  # noqa: S608  # built here
    ((count, first),) = session.connection.execute(query).fetchall()
    if count:
        fields = ", ".join(entry.name for entry in (*table.dimensions, table.time))
        params = {"resource": table.name, "fields": fields, "count": count, "row": first}
        yield Finding("CD712", Where(resource=table.name, row=first), params)


def _finding(code: str, table: Table, column: Column, count: int, row: int, params: Mapping[str, str]) -> Finding:
    where = Where(resource=table.name, row=row, field=column.name)
    told = {"field": column.name, "resource": table.name, "count": count, "row": row}
    return Finding(code, where, told | dict(params))


def _differing(session: Session, view: str, key: str, value: str) -> tuple[int, int] | None:
    """How many rows differ from the first of their group that has a value, and the first of them.

    Groups are compared by their least and greatest value first, so that clean tables need little memory.
    """
    query = f"SELECT 1 FROM {view} GROUP BY {key} HAVING min({value}) <> max({value}) LIMIT 1"  # noqa: S608
    if not session.connection.execute(query).fetchall():
        return None
    beside = f"first_value({value}) OVER (PARTITION BY {key} ORDER BY {ROW})"
    compared = f"SELECT {ROW}, {value} <> {beside} AS differs FROM {view} WHERE {value} IS NOT NULL"  # noqa: S608
    query = f"SELECT count(*), min({ROW}) FROM ({compared}) WHERE differs"  # noqa: S608  # built here
    ((count, row),) = session.connection.execute(query).fetchall()
    return count, row


def _checks(flow: Flow, part: Part, entry: Column, codelists: Mapping[Ref, Codelist]) -> Iterator[_Check]:
    sql, component = part.sql, part.component
    several = component.representation.max_occurs != 1
    value = ITEM if several else sql

    def told(condition: str) -> str:
        return some(sql, condition) if several else condition

    if entry.role in ("dimension", "time"):
        yield _Check("CD713", entry, f"coalesce({sql}, '') = ''", {})
    elif isinstance(component, Attribute) and component.mandatory:
        yield _Check("CD713", entry, f"{sql} IS NULL", {})
    if entry.role == "time":
        yield _Check("CD707", entry, f"{sql} <> '' AND {frequency_of(sql)} IS NULL", {})
    elif (ref := component.representation.codelist) is not None:
        yield _Check("CD710", entry, told(_uncoded(flow, entry, value, codelists.get(ref))), {})
    else:
        for check in _uncoded_checks(entry, value, component.representation):
            yield replace(check, condition=told(check.condition))


def _contradictions(flow: Flow, parts: Sequence[Part]) -> Iterator[_Check]:
    """Figures that are there although their status says that they are missing."""
    missing = ", ".join(map(literal, MISSING))
    for part in parts:
        entry = part.column
        if entry is None or entry.role != "attribute" or part.component.representation.codelist != STATUSES:
            continue
        kind, about = kind_of(flow.table, part.id)
        if kind == "OBS_STATUS":
            for measure in (about,) if about else flow.table.measures:
                condition = f"{part.sql} IN ({missing}) AND {value_of(flow.table, measure)} IS NOT NULL"
                yield _Check("CD744", measure, condition, {"status": entry.name})


def _uncoded_checks(entry: Column, sql: str, taken: Representation) -> Iterator[_Check]:
    """Type, bounds and characters of a column without a code list, as its data structure has them."""
    if form := _FORMS.get(taken.text_type):
        yield _Check("CD717", entry, f"NOT regexp_full_match({sql}, {literal(form)})", {"type": entry.type})
    else:
        yield _Check("CD716", entry, f"regexp_matches({sql}, {literal(ILLEGAL)})", {})
    if outside := " OR ".join(_outside(sql, taken)):
        yield _Check("CD718", entry, outside, {})


def _outside(sql: str, taken: Representation) -> Iterator[str]:
    """SQL that tells whether a value is beyond a bound; integers are compared exactly where the engine can."""
    is_integer = taken.text_type == "BigInteger"
    for bound, sign in ((taken.min_value, "<"), (taken.max_value, ">")):
        if bound is not None:
            rough, exact = (
                f"try_cast({sql} AS {kind}) {sign} CAST({literal(bound)} AS {kind})"
                for kind in ("DOUBLE", "HUGEINT")
            )
            yield f"coalesce({exact}, {rough})" if is_integer else rough
    for length, sign in ((taken.min_length, "<"), (taken.max_length, ">")):
        if length is not None:
            yield f"length({sql}) {sign} {length}"


def _uncoded(flow: Flow, entry: Column, sql: str, known: Codelist | None) -> str:
    """SQL that tells whether a coded value is outside its list; of lists not at hand, only the form is known."""
    if entry.values:
        return is_no_code(flow.table, entry)
    if known is None:
        return f"NOT regexp_full_match({sql}, {literal(_CODE)})"
    return f"{sql} NOT IN ({', '.join(literal(code.id) for code in known.codes)})"
