"""What a person says of how tables become data of somebody else's dataflow, and what is wrong with it (`CD76x`).

Lines come from a mapping file (`formats.mapping_csv`) or from the descriptor; a line tells of one component. What
no line tells of is taken where it is certain, and nowhere else. A table may have several mappings, its parts: one
for each of its measures, where their data structure has one measure and tells indicators apart by a dimension.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from cdmeta.finding import Finding, Where
from cdmeta.package import DESCRIPTOR, Package
from cdmeta.profile import nearest
from cdmeta.sdmx.artefacts import Dimension
from cdmeta.sdmx.proposals import near
from cdmeta.sdmx.structures import Flow
from cdmeta.sdmx.target import (
    FREQUENCIES,
    LEFT_OUT,
    Mapped,
    Source,
    Target,
    certain,
    component_of,
    only_measure,
    rows_left_out,
    statuses,
    suppressed_column,
    values_of,
)
from cdmeta.tables.engine import Session, accepts, identifier, literal, small_session
from cdmeta.tables.relations import code_rows
from cdmeta.text import pointer_step

CODE_COLUMNS = ("source", "target")
"""The columns of a map of codes."""
_PART = re.compile("[a-z0-9][a-z0-9_-]{0,63}")
"""What a part may be called: it stands in names of files, of which some systems do not tell case apart, and which
may not be long."""


@dataclass(frozen=True)
class Line:
    """What a person says of one component.

    Attributes:
        table: name of the table.
        component: id of a component of the target.
        source: where it has its values from, by the name of a column or an id; an empty one leaves it without.
        where: the place of the line.
        problem: why it cannot be followed, a key of the texts after `reason.`; empty where it can.
        params: what fills the blanks of that.
        part: which of several mappings of the table it belongs to; empty for all.
    """

    table: str
    component: str
    source: Source
    where: Where
    problem: str = ""
    params: Mapping[str, Any] = field(default_factory=dict, hash=False)
    part: str = ""


@dataclass(frozen=True)
class Sheet:
    """All that a person says.

    Attributes:
        lines: in order.
        dataflows: by the name of a table and a part, the dataflow that it becomes data of, as far as that is said.
        file: its name.
    """

    lines: tuple[Line, ...] = ()
    dataflows: Mapping[tuple[str, str], str] = field(default_factory=dict, hash=False)
    file: str = DESCRIPTOR

    def parts(self, table: str) -> tuple[str, ...]:
        """The names of the mappings of a table, in order; a single one has an empty name."""
        named = (*(line.part for line in self.lines if line.table == table), *self._parts_of(table))
        return tuple(dict.fromkeys(filter(None, named))) or ("",)

    def _parts_of(self, table: str) -> Iterator[str]:
        return (part for name, part in self.dataflows if name == table)

    def of(self, table: str, part: str = "") -> tuple[Line, ...]:
        """The lines on a table: those of a part, and those of all parts that it has none of its own for."""
        lines = [line for line in self.lines if line.table == table and line.part in ("", part)]
        own = {line.component for line in lines if line.part == part}
        return tuple(line for line in lines if line.part == part or line.component not in own)

    def dataflow(self, table: str, part: str = "") -> str:
        """The dataflow that a part of a table becomes data of; empty where nothing is said."""
        return self.dataflows.get((table, part)) or self.dataflows.get((table, ""), "")

    @property
    def tables(self) -> tuple[str, ...]:
        """The tables of which anything is said, in order."""
        return tuple(dict.fromkeys((*(line.table for line in self.lines), *(name for name, _ in self.dataflows))))


def of_descriptor(package: Package) -> Sheet:
    """What the descriptor says at its resources, in `sdmx.target`, and at its indicators, in `target`.

    Raises:
        ConversionError: the rows of a resource that maps codes cannot be read.
    """
    lines: list[Line] = []
    dataflows: dict[tuple[str, str], str] = {}
    for name, given, at in _targets(package):
        listed = given if isinstance(given, list) else []
        for pointer, target in [(f"{at}/{n}", each) for n, each in enumerate(listed)] or [(at, given)]:
            said = _object(target)
            part = _string(said.get("part"))
            other = clash(dataflows, name, part, _string(said.get("dataflow")))
            for component, member in _object(said.get("components")).items():
                where = Where(DESCRIPTOR, f"{pointer}/components/{pointer_step(component)}", name)
                line = _of_member(package, name, component, _object(member), where, part)
                lines.append(replace(line, problem=line.problem or "mapping-dataflow") if other else line)
    return Sheet(tuple(lines), dataflows)


def _targets(package: Package) -> Iterator[tuple[str, Any, str]]:
    """What is said of each table: its name, that, and the JSON Pointer to it."""
    for resource in package.resources:
        said = _object(resource.raw.get("sdmx")).get("target")
        yield resource.name, said, f"{resource.pointer}/sdmx/target"
    listed = _object(package.descriptor.get("sdmx")).get("indicators")
    for number, entry in enumerate(listed if isinstance(listed, list) else ()):
        name, said = _string(_object(entry).get("name")), _object(entry).get("target")
        if name and said is not None:
            yield name, said, f"/sdmx/indicators/{number}/target"


def mapped(flow: Flow, target: Target, sheet: Sheet, part: str = "") -> tuple[Mapped, tuple[Finding, ...]]:
    """A table mapped as a person says, and elsewhere where it is certain; and what stands in the way (`CD76x`).

    Args:
        flow: the table.
        target: the dataflow.
        sheet: what the person says.
        part: which of the mappings of the table is meant.
    """
    lines = sheet.of(flow.table.name, part)
    found = [*_unnamed(flow, sheet, part), *_unknown(flow, target, lines), *_unfollowed(lines)]
    found += _made_up(target, lines)
    ids = {part.id for part in target.structure.components}
    said = {line.component: own_source(flow, line.source) for line in lines if line.component in ids}
    measure = only_measure(flow, target, (source.component for source in said.values()))
    sources = certain(flow, target, measure) | said
    own = {part.id for part in flow.structure.components}
    sources = {id_: source for id_, source in sources.items() if source != Source()}
    made = Mapped(flow, target, MappingProxyType(sources), part)
    usable = {id_: source for id_, source in sources.items() if not source.component or source.component in own}
    return replace(made, sources=MappingProxyType(usable)), (*found, *_missing(made))


def unknown_tables(sheet: Sheet, flows: Iterable[Flow]) -> Iterator[Finding]:
    """Lines on tables that the package does not have (`CD766`), each table once."""
    tables = [flow.table.name for flow in flows]
    first = {line.table: line.where for line in reversed(sheet.lines)}
    for name in sheet.tables:
        if name not in tables:
            where = first.get(name, Where(sheet.file, resource=name))
            params = {"resource": name, "file": sheet.file, "near": nearest(name, tables) or ""}
            yield Finding("CD766", where, params)


def left_out(sheet: Sheet, flow: Flow) -> Finding:
    """That a table is not converted, because nothing is said of it (`CD764`)."""
    params = {"resource": flow.table.name, "file": sheet.file}
    return Finding("CD764", Where(resource=flow.table.name), params)


def rows_told(session: Session, made: Mapped, view: str) -> Iterator[Finding]:
    """What its rows say of a mapping: what it leaves out (`CD770`, `CD775`), what is suppressed unsaid (`CD773`).

    Args:
        session: the session that has the rows.
        made: the table.
        view: the view that `target.observations` made of it.

    Raises:
        ConversionError: the rows cannot be read.
    """
    name, structure = made.flow.table.name, made.target.structure.id
    told: dict[str, Any] = {"resource": made.label}
    total, left = rows_left_out(session, made, view)
    for id_, (count, absent) in left.items():
        where = Where(resource=name, field=id_)
        if count:
            yield Finding("CD770", where, told | {"component": id_, "count": count, "total": total})
        if absent:
            yield Finding("CD775", where, told | {"component": id_, "count": absent})
    for part in made.flow.structure.measures:
        ids = [id_ for id_, source in made.sources.items() if source.component == part.id]
        if ids and (count := _unflagged(session, made, part.id, view)):
            params = told | {"component": ids[0], "structure": structure, "count": count}
            yield Finding("CD773", Where(resource=name, field=ids[0]), params)


def _unflagged(session: Session, made: Mapped, measure: str, view: str) -> int:
    """How many observations are suppressed, and have no status that others do not have as well."""
    ids = statuses(made, measure)
    if not ids:
        return 0
    suppressed = suppressed_column(measure)
    told = [id_ for id_, source in made.sources.items() if source.component in ids]
    query = f"SELECT count(*) FROM {view} WHERE {suppressed}"  # noqa: S608  # built here
    if told:
        values = ", ".join(f"coalesce({identifier(id_)}, '')" for id_ in told)
        query += f" AND ({values}) IN (SELECT ({values}) FROM {view} WHERE NOT {suppressed})"  # noqa: S608  # likewise
    ((count,),) = session.connection.execute(query).fetchall()
    return int(count)


def clash(dataflows: dict[tuple[str, str], str], table: str, part: str, flow: str) -> bool:
    """Note the dataflow that a part of a table becomes data of; True where another one is noted already."""
    noted = dataflows.setdefault((table, part), flow) if flow else flow
    return noted.rpartition("=")[2] != flow.rpartition("=")[2]


def problem_of(source: Source) -> tuple[str, Mapping[str, Any]]:
    """Why a line cannot be followed, a key of the texts after `reason.`, and its blanks; empty where it can."""
    if source.component and source.value:
        return "mapping-both", {}
    if source.value == LEFT_OUT:
        return "mapping-left-out", {}
    if source.frequency and source.frequency not in FREQUENCIES:
        return "mapping-frequency", {"value": source.frequency, "known": ", ".join(FREQUENCIES)}
    if source.format and not _is_format(source.format):
        return "mapping-format", {"value": source.format}
    if source.codes and (source.format or source.frequency):
        return "mapping-dated-codes", {}
    return "", {}


def _is_format(text: str) -> bool:
    with small_session() as session:
        query = f"SELECT try_strptime(v, {literal(text)}) FROM (SELECT '1' AS v)"  # noqa: S608  # a literal
        return "%" in text and accepts(session, query)


def _of_member(
    package: Package, table: str, component: str, given: Mapping[str, Any], where: Where, part: str
) -> Line:
    codes, problem, params = _codes(package, given.get("codes"))
    texts = {name: _string(given.get(name)) for name in ("field", "value", "format", "frequency")}
    source = Source(texts["field"], texts["value"], codes, texts["format"], texts["frequency"])
    if not problem:
        problem, params = problem_of(source)
    return Line(table, component, source, where, problem, params, part)


def _codes(package: Package, given: Any) -> tuple[dict[str, str], str, Mapping[str, Any]]:
    """A map of codes: an object, or the name of a resource."""
    if isinstance(given, Mapping):
        return {_string(value): _string(code) for value, code in given.items()}, "", {}
    if not isinstance(given, str) or not given:
        return {}, "", {}
    resource = next((each for each in package.resources if each.name == given), None)
    if resource is None:
        return {}, "mapping-codes", {"name": given}
    rows = [(row.get("source", ""), row.get("target", "")) for row in code_rows(package, resource)]
    if {str(entry.get("name")) for entry in resource.fields} < set(CODE_COLUMNS):
        return {}, "mapping-columns", {"name": given}
    return pairs(rows, given)


def pairs(rows: Iterable[tuple[str, str]], name: str) -> tuple[dict[str, str], str, Mapping[str, Any]]:
    """A map of codes of its rows, and why it cannot be followed: a value may become one code only."""
    codes: dict[str, str] = {}
    for value, code in rows:
        if codes.setdefault(value, code) != code:
            return {}, "mapping-twice", {"name": name}
    return codes, "", {}


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _string(value: Any) -> str:
    return value if isinstance(value, str) else ""


def own_source(flow: Flow, source: Source) -> Source:
    """A source as people write it: columns by their names, and values as they stand in the rows, become ids."""
    if not source.component:
        return source
    component = component_of(flow, source.component)
    ids = {value.raw: value.id for value in values_of(flow, component)}
    return replace(
        source, component=component, codes={ids.get(value, value): code for value, code in source.codes.items()}
    )


def _unnamed(flow: Flow, sheet: Sheet, part: str) -> Iterator[Finding]:
    """That a part cannot be called so."""
    if part and not _PART.fullmatch(part):
        params = {"component": "part", "resource": flow.table.name, "reason": "mapping-part", "value": part}
        yield Finding("CD765", Where(sheet.file, resource=flow.table.name), params)


def _unknown(flow: Flow, target: Target, lines: Iterable[Line]) -> Iterator[Finding]:
    """Lines that name what is not there: components of the target, columns and components of the table."""
    ids = [part.id for part in target.structure.components]
    own = {part.id for part in flow.structure.components}
    names = [column.name for column in flow.table.columns] + sorted(own)
    for line in lines:
        params = {"resource": flow.table.name, "structure": target.structure.id, "component": line.component}
        if line.component not in ids:
            yield Finding("CD762", line.where, params | {"near": nearest(line.component, ids) or ""})
        field_ = line.source.component
        if field_ and component_of(flow, field_) not in own:
            yield Finding("CD763", line.where, params | {"field": field_, "near": nearest(field_, names) or ""})


def _unfollowed(lines: Iterable[Line]) -> Iterator[Finding]:
    """Lines that cannot be followed, and those on a component of which another line of the same part tells."""
    seen: set[str] = set()
    for line in lines:
        told = {"component": line.component, "resource": line.table}
        if line.problem:
            yield Finding("CD765", line.where, told | {"reason": line.problem} | dict(line.params))
        if line.component in seen:
            yield Finding("CD765", line.where, told | {"reason": "mapping-again"})
        seen.add(line.component)


def _made_up(target: Target, lines: Iterable[Line]) -> Iterator[Finding]:
    """Lines that give figures one value for all: one would stand where a figure is suppressed or missing, too."""
    measures = {part.id for part in target.structure.measures}
    for line in lines:
        if line.component in measures and line.source.value and not line.problem:
            params = {"component": line.component, "resource": line.table, "reason": "mapping-measure"}
            yield Finding("CD765", line.where, params)


def _missing(made: Mapped) -> Iterator[Finding]:
    """What the target asks for, and nothing is said of; one by one, with what comes nearest.

    Of its measures, one at least: data without figures are none, whatever may stay empty.
    """
    measures = made.target.structure.measures
    needed = measures[:1] if not any(part.id in made.sources for part in measures) else ()
    for part in made.target.structure.components:
        is_needed = isinstance(part, Dimension) or part.mandatory or part in needed
        if part.id not in made.sources and is_needed:
            nearest_ = near(made.flow, made.target, part)
            where = Where(resource=made.flow.table.name, field=part.id)
            params = {
                "resource": made.flow.table.name,
                "component": part.id,
                "structure": made.target.structure.id,
            }
            yield Finding(
                "CD760", where, params | {"name": str(made.target.name(part)) or part.id, "near": nearest_}
            )


def no_place(mappings: Sequence[Mapped]) -> Iterator[Finding]:
    """Columns that all mappings of a table have no place for: what they say is not published (`CD761`)."""
    flow, structure = mappings[0].flow, mappings[0].target.structure
    taken = {source.component for made in mappings for source in made.sources.values()}
    for column in flow.table.columns:
        if column.id not in taken:
            where = Where(resource=flow.table.name, field=column.name)
            yield Finding(
                "CD761", where, {"resource": flow.table.name, "field": column.name, "structure": structure.id}
            )
