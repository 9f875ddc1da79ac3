"""A table's observations as data of somebody else's data structure.

The components of the table's own data structure are what is mapped, so that frequency, status and unit, which no
column may hold, are there as well. A component of the target takes its values from one of them, by a map of codes
or a form of dates if need be, or has one value always. What has the same concept or the same id is taken as it is;
anything else a person has to say, in a mapping (`mappings`). What may be meant is proposed (`proposals`); nothing
guessed is ever used without having been written down.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Literal, get_args

from cdmeta.columns import Value
from cdmeta.components import SUPPRESSED
from cdmeta.errors import ConversionError
from cdmeta.phrase import Phrase
from cdmeta.sdmx.artefacts import (
    Attribute,
    Code,
    Codelist,
    DataConstraint,
    Dataflow,
    DataStructure,
    Dimension,
    Measure,
    Representation,
    Structure,
    ValueList,
)
from cdmeta.sdmx.check import Known
from cdmeta.sdmx.constraints import among, bounds
from cdmeta.sdmx.facets import PERIOD, is_point_in_time
from cdmeta.sdmx.observations import Cell, Observations
from cdmeta.sdmx.own import CONFIDENTIALITY, STATUSES, kind_of
from cdmeta.sdmx.store import Store
from cdmeta.sdmx.structures import Flow, codes_of
from cdmeta.sdmx.values import ITEM, MANY_CODES, each, values_in
from cdmeta.tables.engine import ROW, Session, identifier, literal
from cdmeta.text import Text
from cdmeta.urn import Ref

Component = Dimension | Measure | Attribute
Frequency = Literal["A", "S", "Q", "M", "W", "D"]
FREQUENCIES: tuple[str, ...] = get_args(Frequency)
"""Frequencies whose time periods can be made of dates, codes of SDMX:CL_FREQ."""
LEFT_OUT = "~"
"""What values of rows become that are not meant for the dataflow; no code of SDMX is called so."""

_FORMS: Mapping[str, str] = MappingProxyType(
    {
        "A": "strftime({0}, '%Y')",
        "S": "strftime({0}, '%Y') || '-S' || (1 + (month({0}) - 1) // 6)",
        "Q": "strftime({0}, '%Y') || '-Q' || quarter({0})",
        "M": "strftime({0}, '%Y-%m')",
        "W": "isoyear({0}) || '-W' || lpad(CAST(week({0}) AS VARCHAR), 2, '0')",
        "D": "strftime({0}, '%Y-%m-%d')",
    }
)
_FLOW = "urn:sdmx:org.sdmx.infomodel.datastructure.Dataflow="
_BOUND = frozenset({"Integer", "BigInteger", "Long", "Short", "Count", "Decimal", "Double", "Float", "Boolean"})
_BOUND |= {"ObservationalTimePeriod", "StandardTimePeriod", "TimeRange"}
"""Types of which no value needs escaping."""


@dataclass(frozen=True)
class Source:
    """Where a component of the target has its values from; an empty one leaves it without a value.

    Attributes:
        component: id of a component of the table's own data structure; empty where the value is always the same.
        value: that value.
        codes: what the values become; those that are not named, or become nothing, stay as they are, and rows of
            those that become `LEFT_OUT` are no observations.
        format: how dates are written in it, in the codes of strptime; empty for ISO 8601.
        frequency: the time periods that dates become; empty where they stay as they are.
    """

    component: str = ""
    value: str = ""
    codes: dict[str, str] = field(default_factory=dict, hash=False)
    format: str = ""
    frequency: str = ""

    @property
    def left_out(self) -> tuple[str, ...]:
        """The values whose rows are not meant for the dataflow."""
        return tuple(value for value, code in self.codes.items() if code == LEFT_OUT)


@dataclass(frozen=True)
class Target:
    """Somebody else's dataflow, with what is at hand about it.

    Attributes:
        dataflow, structure: the dataflow and its data structure.
        store: all artefacts at hand.
    """

    dataflow: Dataflow
    structure: DataStructure
    store: Store

    def name(self, part: Component) -> Text:
        """The name of a component: that of its concept."""
        concept = self.store.concept(part.concept)
        return concept.name if concept is not None else Text()

    def codes(self, part: Component) -> tuple[Code, ...]:
        """Its codes, as far as they are at hand."""
        codelist = self.store.codelist(self.store.representation(part))
        return codelist.codes if codelist is not None else ()

    def allowed(self, part: Component) -> tuple[Code, ...]:
        """Its codes that the constraints allow, looked at by themselves and not as parts of keys."""
        codes = self.codes(part)
        for constraint in self._constraints():
            for included, values in bounds(constraint, part.id):
                codes = tuple(code for code in codes if among(code.id, values) == included)
        return codes

    def has_all_codes(self, part: Component) -> bool:
        """Tell whether a component has a code list of which all codes are at hand."""
        return whole(self.store, self.store.representation(part)) is not None

    @property
    def whole_lists(self) -> tuple[Codelist | ValueList, ...]:
        """The code lists of its components, by the references in it, of which all codes are at hand."""
        found: dict[Ref, Codelist | ValueList] = {}
        for part in self.structure.components:
            taken = self.store.representation(part)
            if taken.codelist is not None and (codelist := whole(self.store, taken)) is not None:
                found[taken.codelist] = replace(
                    codelist, agency=taken.codelist.agency, id=taken.codelist.id, version=taken.codelist.version
                )
        return tuple(found.values())

    @property
    def resolved(self) -> DataStructure:
        """Its data structure, each component with its representation, be it that of its concept."""
        store = self.store
        return replace(
            self.structure,
            dimensions=tuple(
                replace(d, representation=store.representation(d)) for d in self.structure.dimensions
            ),
            measures=tuple(replace(m, representation=store.representation(m)) for m in self.structure.measures),
            attributes=tuple(
                replace(a, representation=store.representation(a)) for a in self.structure.attributes
            ),
        )

    @property
    def taken(self) -> DataStructure:
        """As `resolved`, time periods being taken where points in time are asked for: `check` warns of them."""
        return replace(self.resolved, dimensions=tuple(map(_taken, self.resolved.dimensions)))

    @property
    def known(self) -> Known:
        """What data of it are checked against."""
        return Known(self.structure, self.store.representation, self._ids, tuple(self._constraints()))

    def _ids(self, representation: Representation) -> frozenset[str] | None:
        codelist = whole(self.store, representation)
        return None if codelist is None else frozenset(code.id for code in codelist.codes)

    def _constraints(self) -> Iterator[DataConstraint]:
        for artefact in self.store:
            if isinstance(artefact, DataConstraint) and artefact.allowed:
                about = [self.store.get(ref) for ref in artefact.attached]
                if self.dataflow in about or self.structure in about:
                    yield artefact


@dataclass(frozen=True)
class Mapped:
    """A table mapped onto a target.

    Attributes:
        flow: the table with its own artefacts.
        target: what it is mapped onto.
        sources: by the id of a component of the target.
        part: which of several mappings of the table this is; empty where there is only one.
    """

    flow: Flow
    target: Target
    sources: Mapping[str, Source]
    part: str = ""

    @property
    def label(self) -> str:
        """What it is called in messages."""
        return f"{self.flow.table.name} ({self.part})" if self.part else self.flow.table.name

    @property
    def as_flow(self) -> Flow:
        """The table, as data of the target."""
        return replace(self.flow, structure=self.target.structure, dataflow=self.target.dataflow)


def _taken(part: Dimension) -> Dimension:
    if not is_point_in_time(part, part.representation):
        return part
    return replace(part, representation=replace(part.representation, text_type=PERIOD))


def of_structure(structure: DataStructure, store: Store) -> Target:
    """A data structure without a dataflow, as the target of data that name it alone."""
    same = (structure.agency, structure.id, structure.version, structure.name)
    return Target(Dataflow(*same, structure=structure.ref), structure, store)


def at_hand(artefacts: Iterable[Structure]) -> Store:
    """Artefacts of somebody else, beside the code lists of SDMX that we know whole."""
    return Store((*codes_of(()).values(), *artefacts))


def target(store: Store, dataflow: str = "") -> Target:
    """The dataflow that is meant, with its data structure.

    Args:
        store: what is at hand.
        dataflow: its URN, or `AGENCY:ID(VERSION)`; may be empty where there is only one. Where there is none, but
            one data structure, it tells which dataflow of that the data are of.

    Raises:
        ConversionError: it is not at hand, or nor is its structure; or there are several; they are listed.
    """
    flows = [artefact for artefact in store if isinstance(artefact, Dataflow)]
    made = [artefact for artefact in store if isinstance(artefact, DataStructure)]
    ref = Ref.read(dataflow) or Ref.read(f"{_FLOW}{dataflow.strip()}") if dataflow else None
    if ref is not None and ref.kind == "Dataflow":
        found = store.get(ref)
        if found is None and not flows and len(made) == 1:
            found = Dataflow(ref.agency, ref.id, ref.version, made[0].name, structure=made[0].ref)
    else:
        found = flows[0] if len(flows) == 1 and not dataflow else None
    if not isinstance(found, Dataflow):
        raise _refusal(flows, made, dataflow)
    structure = store.data_structure(found.structure)
    if structure is None:
        raise ConversionError(
            Phrase("error.target.structure", {"flow": found.ref.short, "structure": found.structure.short})
        )
    return Target(found, structure, store)


def _refusal(flows: Sequence[Dataflow], made: Sequence[DataStructure], dataflow: str) -> ConversionError:
    """Why it is not known which dataflow is meant."""
    listed = ", ".join(sorted(flow.ref.short for flow in flows))
    if not made:
        return ConversionError(Phrase("error.target.none"))
    if not flows:
        key = "error.target.unnamed" if len(made) == 1 else "error.target.structures"
        return ConversionError(Phrase(key, {"structures": ", ".join(sorted(each.ref.short for each in made))}))
    if dataflow:
        return ConversionError(Phrase("error.target.unknown", {"flow": dataflow, "flows": listed}))
    return ConversionError(Phrase("error.target.several", {"flows": listed}))


def certain(flow: Flow, target: Target, measure: str = "") -> dict[str, Source]:
    """What needs no person to say it: components of the same concept, or of the same id.

    Args:
        flow: the table.
        target: the dataflow.
        measure: the id of the only measure that is meant, where the table has several: what is about that one has
            the id that it would have if there were no others, and what is about others is none of the target's.
    """
    found: dict[str, Source] = {}
    ids = ids_about(flow, measure)
    own = [part for part in flow.structure.components if part.id in ids]
    for part in target.structure.components:
        same = [each.id for each in own if same_concept(each, part)] or [
            each.id for each in own if ids[each.id] == part.id
        ]
        if len(same) == 1 and all(source.component != same[0] for source in found.values()):
            found[part.id] = Source(same[0])
    return found


def ids_about(flow: Flow, measure: str) -> dict[str, str]:
    """The components of a table, and the ids that they would have if one measure were the only one.

    Args:
        flow: the table.
        measure: its id; empty for all components as they are.
    """
    measures = {part.id for part in flow.structure.measures}
    told = {part.id: kind_of(flow.table, part.id) for part in flow.structure.components}
    if not measure:
        return {id_: id_ for id_ in told}
    return {
        id_: id_ if about is None else kind
        for id_, (kind, about) in told.items()
        if id_ not in measures - {measure} and (about is None or about.id == measure)
    }


def only_measure(flow: Flow, target: Target, taken: Iterable[str]) -> str:
    """The one of several measures of a table that a target of one measure is of; empty where that is not plain.

    Args:
        flow: the table.
        target: the dataflow.
        taken: the ids of the components of the table that are mapped.
    """
    measures = {part.id for part in flow.structure.measures}
    found = measures & set(taken)
    return found.pop() if len(measures) > 1 and len(found) == len(target.structure.measures) == 1 else ""


def same_concept(own: Component, part: Component) -> bool:
    """One concept of one scheme, in whatever version."""
    one, other = own.concept, part.concept
    return bool(one.item) and (one.agency, one.id, one.item) == (other.agency, other.id, other.item)


def observations(session: Session, rows: Observations, made: Mapped, view: str) -> Observations:
    """The observations of a table as data of a target, without the rows that are not meant for it.

    The view also has what tells of a row what its observation may not (`suppressed_column`).

    Args:
        session: the session that has the rows.
        rows: the table's own observations.
        made: what they become.
        view: the name of the view that is made of them; that of all rows is called so with `_all` behind it.
    """
    cells = {cell.id: cell for cell in rows.cells}
    ids = [part.id for part in made.target.structure.components if part.id in made.sources]
    long = {
        id_: f"{view}_{n}"
        for n, id_ in enumerate(ids)
        if len(made.sources[id_].codes) > MANY_CODES and not _is_several(made.sources[id_], cells)
    }
    several = {cell.id for cell in _cells(made) if cell.several}
    _refuse_several(made, cells, several)
    columns = [
        f"{_values(made.sources[id_], cells, long.get(id_), id_ in several)} AS {identifier(id_)}" for id_ in ids
    ]
    out = {id_: _left_out_column(id_) for id_ in ids if made.sources[id_].left_out}
    columns += [f"{_left_out(made.sources[id_], cells, long.get(id_))} AS {name}" for id_, name in out.items()]
    columns += [f"{sql} AS {name}" for name, sql in _suppressed(made, cells)]
    joins = " ".join(_looked_up(session, made.sources[id_], cells, name) for id_, name in long.items())
    query = f"SELECT {', '.join([ROW, *columns])} FROM {rows.view} {joins}"  # noqa: S608  # built here
    session.connection.execute(f"CREATE VIEW {view}_all AS {query}")
    kept = f"WHERE {' AND '.join(f'{name} IS NULL' for name in out.values())}" if out else ""
    session.connection.execute(f"CREATE VIEW {view} AS SELECT * FROM {view}_all {kept}")  # noqa: S608  # likewise
    is_joined = rows.is_joined or bool(long)
    return Observations(made.target.taken, made.target.dataflow, view, tuple(_cells(made)), is_joined)


def rows_left_out(session: Session, made: Mapped, view: str) -> tuple[int, dict[str, tuple[int, int]]]:
    """How many rows a table has, and of each component whose map of codes is to leave some out, two numbers.

    These are how many rows it leaves out, and how many of the values that it names for that are in no row.

    Args:
        session: the session that has the rows.
        made: what they become.
        view: that of `observations`.

    Raises:
        ConversionError: the rows cannot be read.
    """
    ids = [id_ for id_, source in made.sources.items() if source.left_out]
    if not ids:
        return 0, {}
    do, told = session.connection.execute, {id_: _left_out_column(id_) for id_ in ids}
    counts = ", ".join(f"count({name})" for name in told.values())
    ((total, *found),) = do(f"SELECT count(*), {counts} FROM {view}_all").fetchall()  # noqa: S608  # built here
    absent = []
    for id_, name in told.items():
        values = f"SELECT unnest({name}) AS v FROM {view}_all"  # noqa: S608  # likewise
        ((there,),) = do(f"SELECT count(DISTINCT v) FROM ({values})").fetchall()  # noqa: S608  # likewise
        absent.append(len(made.sources[id_].left_out) - there)
    return total, dict(zip(ids, zip(found, absent, strict=True), strict=True))


def suppressed_column(measure: str) -> str:
    """The column that tells whether a measure of the table is suppressed in a row; no component is called so."""
    return identifier(f"suppressed {measure}")


def statuses(made: Mapped, measure: str) -> tuple[str, ...]:
    """The components of a table that tell why a figure of a measure is missing or who may see it."""
    coded = {part.id: part.representation.codelist for part in made.flow.structure.attributes}
    told = {id_: kind_of(made.flow.table, id_) for id_, ref in coded.items() if ref in (STATUSES, CONFIDENTIALITY)}
    kinds = ("OBS_STATUS", "CONF_STATUS")
    return tuple(
        id_ for id_, (kind, about) in told.items() if kind in kinds and (about is None or about.id == measure)
    )


def _suppressed(made: Mapped, cells: Mapping[str, Cell]) -> Iterator[tuple[str, str]]:
    """The columns that tell what is suppressed, with their SQL, of each measure that is mapped."""
    taken = {source.component for source in made.sources.values()}
    for part in made.flow.structure.measures:
        told = [f"{cells[id_].sql} = '{SUPPRESSED}'" for id_ in statuses(made, part.id) if id_ in cells]
        if part.id in taken and told:
            empty = f"{cells[part.id].sql} IS NULL"
            yield suppressed_column(part.id), f"coalesce({empty} AND ({' OR '.join(told)}), FALSE)"


def _left_out_column(id_: str) -> str:
    return identifier(f"left out {id_}")


def _left_out(source: Source, cells: Mapping[str, Cell], table: str | None) -> str:
    """SQL of the list of values for which a map of codes leaves a row out; NULL of rows that stay."""
    values = ", ".join(map(literal, source.left_out))
    if _is_several(source, cells):
        found = f"list_intersect({values_in(cells[source.component].sql)}, [{values}])"
        return f"CASE WHEN len({found}) > 0 THEN {found} END"
    own = _own(source, cells)
    out = f"{table}.target = {literal(LEFT_OUT)}" if table is not None else f"{own} IN ({values})"
    return f"CASE WHEN {out} THEN [{own}] END"


def column_name(flow: Flow, component: str) -> str:
    """The name of the column behind a component of a table; the component's id where it is no column."""
    return next((column.name for column in flow.table.columns if column.id == component), component)


def component_of(flow: Flow, name: str) -> str:
    """The id of the component that a name of a column, or an id, means; the name itself where it is neither."""
    return next((column.id for column in flow.table.columns if column.name == name), name)


def is_column(flow: Flow, component: str) -> bool:
    """Tell whether a component of a table is a column, and not made by us."""
    return any(column.id == component for column in flow.table.columns)


def values_of(flow: Flow, component: str) -> tuple[Value, ...]:
    """The values of the column behind a component of a table, where it has a list of them."""
    return next((column.values for column in flow.table.columns if column.id == component), ())


def whole(store: Store, representation: Representation) -> Codelist | ValueList | None:
    """The code list of a representation, where all its codes are at hand."""
    found = store.codelist(representation)
    if isinstance(found, Codelist) and (found.is_partial or found.extensions):
        return None
    return found


def _refuse_several(made: Mapped, cells: Mapping[str, Cell], several: Container[str]) -> None:
    """Raise ConversionError where a component of one value takes its values from one of several."""
    single = [source for id_, source in made.sources.items() if id_ not in several]
    if names := [source.component for source in single if _is_several(source, cells)]:
        told = {"names": ", ".join(names), "format": made.target.structure.ref.short}
        raise ConversionError(Phrase("error.data.several", told))


def _is_several(source: Source, cells: Mapping[str, Cell]) -> bool:
    return source.component in cells and cells[source.component].several


def _values(source: Source, cells: Mapping[str, Cell], table: str | None, several: bool) -> str:
    """SQL of a component of the target over the rows of the table; of what is not known there is none.

    Args:
        source: where its values are from.
        cells: the components of the table.
        table: the name of the table in which its codes are looked up, where they are many.
        several: whether it takes several values at once.
    """
    if _is_several(source, cells):
        sql = cells[source.component].sql
        return f"to_json({each(sql, _coded(ITEM, source))})::VARCHAR" if source.codes else sql
    value = _value(source, cells, table)
    return f"CASE WHEN {value} IS NOT NULL THEN to_json([{value}])::VARCHAR END" if several else value


def _value(source: Source, cells: Mapping[str, Cell], table: str | None) -> str:
    if not source.component:
        return literal(source.value)
    sql = _own(source, cells)
    return f"coalesce({table}.target, {sql})" if table is not None else _coded(sql, source)


def _coded(sql: str, source: Source) -> str:
    """SQL of what a value becomes by a map of codes."""
    cases = " ".join(f"WHEN {literal(value)} THEN {literal(code)}" for value, code in source.codes.items() if code)
    return f"CASE {sql} {cases} ELSE {sql} END" if cases else sql


def _own(source: Source, cells: Mapping[str, Cell]) -> str:
    """SQL of the component that a source takes, dates in their new form."""
    return _dated(cells[source.component].sql, source) if source.component in cells else "CAST(NULL AS VARCHAR)"


def _looked_up(session: Session, source: Source, cells: Mapping[str, Cell], name: str) -> str:
    """Put a map of codes into a table of the session; SQL that joins it to the rows."""
    codes = {value: code for value, code in source.codes.items() if code}
    query = f"CREATE TABLE {name} AS SELECT unnest($1::VARCHAR[]) AS source, unnest($2::VARCHAR[]) AS target"
    session.connection.execute(query, [list(codes), list(codes.values())])
    return f"LEFT JOIN {name} ON {name}.source = {_own(source, cells)}"


def _dated(sql: str, source: Source) -> str:
    """SQL of a date in another form; a text that is no such date stays as it is, and is found wrong later."""
    if not source.format and not source.frequency:
        return sql
    read = (
        f"try_strptime({sql}, {literal(source.format)})" if source.format else f"try_cast(left({sql}, 10) AS DATE)"
    )
    return f"coalesce({_FORMS[source.frequency or 'D'].format(read)}, {sql})"


def _cells(made: Mapped) -> Iterator[Cell]:
    for part in made.target.structure.components:
        if part.id in made.sources:
            taken = made.target.store.representation(part)
            free = taken.codelist is None and taken.text_type not in _BOUND
            yield Cell(part.id, identifier(part.id), is_free=free, several=taken.max_occurs != 1)
