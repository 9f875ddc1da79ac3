"""Dataset → its SDMX artefacts: agency, code lists, concepts; a data structure and a dataflow for each table."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from cdmeta import profile
from cdmeta.columns import Column, Table
from cdmeta.components import RESERVED
from cdmeta.dataset import Dataset
from cdmeta.sdmx import profile_artefacts
from cdmeta.sdmx.artefacts import (
    Agency,
    AgencyScheme,
    Attachment,
    Attribute,
    Code,
    Codelist,
    Concept,
    ConceptScheme,
    Dataflow,
    DataStructure,
    Dimension,
    Group,
    Measure,
    Representation,
    Structure,
)
from cdmeta.sdmx.own import (
    CONFIDENTIALITY,
    DECIMALS,
    FREQUENCIES,
    MULTIPLIERS,
    NO_UNIT,
    STATUSES,
    OwnAttribute,
    kind_of,
    own_attributes,
    provenance_lists,
    unit_of,
)
from cdmeta.text import Text
from cdmeta.urn import Ref

MAX_DIGITS = 37
"""Of the bounds of a column; more digits are not compared exactly by the engine."""
_CROSS_DOMAIN = Ref("Concept", "SDMX", "CROSS_DOMAIN_CONCEPTS", "2.0")
_LISTS = {
    "FREQ": FREQUENCIES,
    "OBS_STATUS": STATUSES,
    "CONF_STATUS": CONFIDENTIALITY,
    "UNIT_MULT": MULTIPLIERS,
    "DECIMALS": DECIMALS,
}
"""The code list of SDMX that a component takes by its id, where the descriptor names none."""
_TEXT_TYPES = {"integer": "BigInteger", "number": "Double", "boolean": "Boolean"}


@dataclass(frozen=True)
class Flow:
    """A table with the artefacts that describe its observations."""

    table: Table
    structure: DataStructure
    dataflow: Dataflow


@dataclass(frozen=True)
class Structures:
    """The structural artefacts of a dataset.

    Attributes:
        agencies: the scheme of the parent agency that its agency is in; None where the agency is no sub-agency.
        codelists: its own code lists, and those of the profile that its data structures refer to; the standard
            ones of SDMX are not among them.
        concepts: its concept scheme; None where it has no table.
        flows: one for each table.
    """

    agencies: AgencyScheme | None
    codelists: tuple[Codelist, ...]
    concepts: ConceptScheme | None
    flows: tuple[Flow, ...]

    @property
    def artefacts(self) -> tuple[Structure, ...]:
        """All of them, each before those that refer to it."""
        first = [artefact for artefact in (self.agencies, *self.codelists, self.concepts) if artefact]
        return (*first, *(flow.structure for flow in self.flows), *(flow.dataflow for flow in self.flows))


def structures(dataset: Dataset) -> Structures:
    """The structural artefacts of a dataset whose reading gave no error."""
    lists = _Codelists(dataset)
    concepts = _Concepts(dataset)
    flows = tuple(_flow(dataset, table, lists, concepts) for table in dataset.tables)
    codelists = (*lists.used(), *(_profile_lists() if flows else ()))
    return Structures(_agencies(dataset), codelists, concepts.scheme() if flows else None, flows)


@cache
def standard_codelists() -> Mapping[Ref, Codelist]:
    """The SDMX code lists that data structures of ours refer to: ids and English names, for checking."""
    lists = (FREQUENCIES, STATUSES, CONFIDENTIALITY, MULTIPLIERS, DECIMALS)
    return MappingProxyType({ref: _standard(ref) for ref in lists})


def codes_of(codelists: Iterable[Codelist]) -> dict[Ref, Codelist]:
    """Code lists by reference, the standard ones among them, as far as all their codes are known."""
    whole = {ref: known for ref, known in standard_codelists().items() if not known.is_partial}
    return whole | {codelist.ref: codelist for codelist in codelists}


def standard_text(key: str) -> Text:
    """A text of our own for an artefact, in every language that has it."""
    return profile.in_languages("texts", key, "text")


def parent_and_id(agency: str) -> tuple[str, str]:
    """The agency in whose scheme an agency stands, and its id there; a top-level agency stands in SDMX's."""
    parent, _, own = agency.rpartition(".")
    return parent or "SDMX", own


def representation(column: Column) -> Representation:
    """What an uncoded column takes; facets of a list are about the list, not about its items."""
    text_type = _TEXT_TYPES.get(column.item_type or column.type, "String")
    if column.item_type:
        return Representation(text_type=text_type, max_occurs=None)
    facets = column.constraints
    if text_type in ("BigInteger", "Double"):
        low, high = _bounds(facets, whole=text_type == "BigInteger")
        return Representation(text_type=text_type, min_value=low, max_value=high)
    if text_type == "Boolean":
        return Representation(text_type=text_type)
    shortest, longest = _length(facets.get("minLength")), _length(facets.get("maxLength"))
    if shortest is not None and longest is not None and shortest > longest:
        return Representation()
    return Representation(min_length=shortest, max_length=longest)


def _standard(ref: Ref) -> Codelist:
    source = files("cdmeta.profiles").joinpath("sdmx", f"{ref.id}.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(io.StringIO(source, newline=""))
    codes = tuple(Code(row["id"], Text.of(row["name"] or row["id"], "en")) for row in rows)
    partial = ref == MULTIPLIERS
    return Codelist(ref.agency, ref.id, ref.version, Text((("en", ref.id),)), codes=codes, is_partial=partial)


def _profile_lists() -> tuple[Codelist, ...]:
    """The profile's code lists of the attributes that tell where figures come from."""
    wanted = provenance_lists()
    return tuple(codelist for codelist in profile_artefacts.codelists() if codelist.ref in wanted)


def _agencies(dataset: Dataset) -> AgencyScheme | None:
    parent, own = parent_and_id(dataset.agency)
    if "." not in dataset.agency:
        return None
    publisher = next((a.value for a in dataset.answer("contributors[].title") if a.value), own)
    name = publisher if isinstance(publisher, Text) else Text.of(publisher, dataset.language)
    agency = Agency(own, name or _plain(dataset, own))
    return AgencyScheme(parent, "AGENCIES", "1.0", standard_text("sdmx.agencies"), agencies=(agency,))


def _flow(dataset: Dataset, table: Table, lists: _Codelists, concepts: _Concepts) -> Flow:
    tail, version = f"{dataset.id}_{table.id}", dataset.artefact_version
    name = table.title or _plain(dataset, table.name)
    description = table.description or dataset.description
    build = _Components(dataset, table, lists, concepts)
    attributes = tuple(build.attributes())
    structure = DataStructure(
        dataset.agency,
        f"DSD_{tail}",
        version,
        name,
        description=description,
        dimensions=tuple(build.dimensions()),
        measures=tuple(build.measures()),
        attributes=attributes,
        groups=tuple(build.groups(attributes)),
    )
    flow = Dataflow(dataset.agency, f"DF_{tail}", version, name, description=description, structure=structure.ref)
    return Flow(table, structure, flow)


def dimension_ids(table: Table) -> tuple[str, ...]:
    """The ids of the dimensions of a series, in the order of the key."""
    return ("FREQ", *(column.id for column in table.dimensions if column.id != "FREQ"))


class _Components:
    """Makes the components of one table's data structure."""

    def __init__(self, dataset: Dataset, table: Table, lists: _Codelists, concepts: _Concepts) -> None:
        self._dataset, self._table = dataset, table
        self._lists, self._concepts = lists, concepts
        self._groups = _group_ids(table)

    def dimensions(self) -> Iterator[Dimension]:
        given = {column.id: column for column in self._table.dimensions}
        ids = dimension_ids(self._table)
        for position, id_ in enumerate(ids, 1):
            yield Dimension(id_, *self._parts(id_, given.get(id_)), position)
        time = Representation(text_type="ObservationalTimePeriod")
        concept = self._concepts.ref(self._table, self._table.time)
        yield Dimension("TIME_PERIOD", concept, time, len(ids) + 1, is_time=True)

    def measures(self) -> Iterator[Measure]:
        for column in self._table.measures:
            yield Measure(column.id, self._concepts.ref(self._table, column), representation(column))

    def attributes(self) -> Iterator[Attribute]:
        for own in own_attributes(self._dataset, self._table):
            attachment: Attachment = "dataflow" if own.field else "observation"
            parts = self._concepts.own(own), self._lists.of_own(self._table, own)
            measures = tuple(column.id for column in own.measures)
            yield Attribute(own.id, *parts, attachment, own.mandatory, measures=measures)
        for column in self._table.by_role("attribute"):
            _, about = kind_of(self._table, column.id)
            attachment, group = self._attachment(column)
            yield Attribute(
                column.id,
                *self._parts(column.id, column),
                attachment,
                column.required,
                group,
                (about.id,) if about else (),
            )

    def groups(self, attributes: Iterable[Attribute]) -> Iterator[Group]:
        """The groups that attributes belong to."""
        found = {a.group: a.attachment for a in attributes if a.group and isinstance(a.attachment, tuple)}
        for id_, dimensions in found.items():
            yield Group(id_, dimensions)

    def _attachment(self, column: Column) -> tuple[Attachment, str | None]:
        """What an attribute belongs to, and the group where that is a part of the key."""
        level, key = column.attachment, dimension_ids(self._table)
        if level == "dataset":
            return "dataflow", None
        if level == "series" or level == key:
            return key, None
        return (level, self._groups[level]) if isinstance(level, tuple) else ("observation", None)

    def _parts(self, id_: str, column: Column | None) -> tuple[Ref, Representation]:
        concept = self._concepts.ref(self._table, column) if column else self._concepts.own_ref(id_)
        return concept, self._lists.representation(self._table, id_, column)


def _group_ids(table: Table) -> dict[tuple[str, ...], str]:
    """An id for each part of the key that attributes belong to: `GROUP_REF_AREA_SEX`."""
    ids: dict[tuple[str, ...], str] = {}
    for column in table.by_role("attribute"):
        if isinstance(column.attachment, tuple) and column.attachment not in ids:
            id_ = "_".join(("GROUP", *column.attachment))
            while id_ in ids.values():
                id_ += "_"
            ids[column.attachment] = id_
    return ids


class _Codelists:
    """The code lists of a dataset; columns of several tables share one only where it is equal."""

    def __init__(self, dataset: Dataset) -> None:
        self._dataset = dataset
        self._units = tuple(self._unit_codes())
        self._by_id: dict[str, Codelist] = {}
        wanted: dict[str, dict[str, tuple[Code, ...]]] = {}
        for table in dataset.tables:
            for column in table.columns:
                if column.values and column.codelist is None:
                    codes = tuple(
                        Code(v.id, v.name or _plain(dataset, v.id), v.description, v.parent) for v in column.values
                    )
                    wanted.setdefault(column.id, {})[table.name] = codes
        for table in dataset.tables if self._units else ():
            if not table.has("UNIT_MEASURE"):
                wanted.setdefault("UNIT_MEASURE", {})[table.name] = self._units
        self._shared = {id_: len(set(by_table.values())) == 1 for id_, by_table in wanted.items()}
        self._codes = wanted

    def used(self) -> tuple[Codelist, ...]:
        return tuple(self._by_id.values())

    def representation(self, table: Table, id_: str, column: Column | None) -> Representation:
        if column is not None and column.codelist is not None:
            return Representation(column.codelist, max_occurs=None if column.item_type else 1)
        if id_ in self._codes and table.name in self._codes[id_]:
            return Representation(self._own(table, id_, column))
        standard = _LISTS.get(kind_of(table, id_)[0]) if column is None or column.role != "measure" else None
        return representation(column) if standard is None and column is not None else Representation(standard)

    def of_own(self, table: Table, own: OwnAttribute) -> Representation:
        """The code list of an attribute that no column is."""
        if own.codelist is not None:
            return Representation(own.codelist)
        if own.kind == "UNIT_MEASURE":
            return Representation(self._own(table, own.kind, None))
        return Representation(_LISTS[own.kind])

    def _own(self, table: Table, id_: str, column: Column | None) -> Ref:
        package, codes = self._dataset.id, self._codes[id_][table.name]
        name = f"CL_{package}_{id_}" if self._shared[id_] else f"CL_{package}_{table.id}_{id_}"
        while name in self._by_id and self._by_id[name].codes != codes:
            name += "_"
        title = column.title if column else standard_text(f"sdmx.{id_}")
        made = Codelist(
            self._dataset.agency,
            name,
            self._dataset.artefact_version,
            title or _plain(self._dataset, id_),
            codes=codes,
        )
        return self._by_id.setdefault(name, made).ref

    def _unit_codes(self) -> Iterator[Code]:
        units: dict[str, Code] = {}
        for table in self._dataset.tables:
            for measure in () if table.has("UNIT_MEASURE") else table.measures:
                id_ = unit_of(measure)
                name = measure.unit.name if measure.unit else standard_text(f"sdmx.unit.{NO_UNIT}")
                units.setdefault(id_, Code(id_, name or _plain(self._dataset, id_)))
        yield from units.values()


@dataclass
class _Concepts:
    """The concept scheme of a dataset; columns of several tables share a concept only where they mean the same."""

    dataset: Dataset
    _concepts: dict[str, Concept] = field(default_factory=dict)

    def scheme(self) -> ConceptScheme:
        """The scheme of the concepts referred to so far."""
        name = self.dataset.title or _plain(self.dataset, self.dataset.name)
        concepts = tuple(self._concepts.values())
        ref = self._ref("")
        return ConceptScheme(ref.agency, ref.id, ref.version, name, concepts=concepts)

    def own_ref(self, id_: str) -> Ref:
        """The concept of a component that every data structure of ours has, and that no column is."""
        return self._add(Concept(id_, standard_text(f"sdmx.{id_}"), same_as=_same_as(id_)))

    def own(self, own: OwnAttribute) -> Ref:
        """The concept of an attribute that no column is; of several units of measure, it is the same."""
        if own.field is None:
            return self.own_ref(own.kind)
        name, description = (profile.in_languages("fields", own.field, part) for part in ("title", "description"))
        return self._add(Concept(own.id, name, description, same_as=own.concept))

    def ref(self, table: Table, column: Column) -> Ref:
        """The concept of a column: the one that the descriptor names, or one of our own."""
        if column.concept is not None:
            return column.concept
        name = column.title or _plain(self.dataset, column.name if column.name.strip() else column.id)
        concept = Concept(column.id, name, column.description, same_as=_same_as(column.id))
        there = self._concepts.get(column.id)
        if there is None or there == concept:
            return self._add(concept)
        id_ = f"{column.id}_{table.id}"
        while id_ in self._concepts:
            id_ += "_"
        return self._add(Concept(id_, name, column.description, same_as=_same_as(column.id)))

    def _add(self, concept: Concept) -> Ref:
        self._concepts.setdefault(concept.id, concept)
        return self._ref(concept.id)

    def _ref(self, concept_id: str) -> Ref:
        version = self.dataset.artefact_version
        return Ref("Concept", self.dataset.agency, f"CS_{self.dataset.id}", version, concept_id)


def _same_as(id_: str) -> str | None:
    if id_ not in (*RESERVED, "UNIT_MULT", "DECIMALS", "CONF_STATUS"):
        return None
    scheme = _CROSS_DOMAIN
    return Ref(scheme.kind, scheme.agency, scheme.id, scheme.version, id_).urn


def _plain(dataset: Dataset, text: str) -> Text:
    return Text(((dataset.language, text),))


def _bounds(facets: Mapping[str, Any], *, whole: bool) -> tuple[str | None, str | None]:
    """The least and the greatest value as SDMX writes decimals; of a column of integers, the integers within."""
    low, high = _number(facets.get("minimum")), _number(facets.get("maximum"))
    if whole and low is not None:
        low = low.to_integral_value(ROUND_CEILING)
    if whole and high is not None:
        high = high.to_integral_value(ROUND_FLOOR)
    if low is not None and high is not None and low > high:
        return None, None  # nothing is within, and no XML schema can say so
    return _decimal(low), _decimal(high)


def _decimal(number: Decimal | None) -> str | None:
    return None if number is None else f"{number:f}"


def _number(value: Any) -> Decimal | None:
    """A bound; None of what is none, or of more digits than the engine and XML Schema compare exactly."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    number = Decimal(str(value))
    return number if number.is_finite() and number.adjusted() < MAX_DIGITS else None


def _length(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None
