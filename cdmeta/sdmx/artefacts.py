"""SDMX artefacts as small frozen values, multilingual, of the SDMX 3.0 information model.

What cdmeta writes and reads is here. What SDMX 2.1 calls or shapes otherwise is turned into the terms of 3.0 by
the readers in `cdmeta.formats`, and back by the writers. Nothing here knows of XML or JSON. `Maintainable.ref` is
how one artefact refers to another.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from cdmeta.text import NO_TEXT, Text
from cdmeta.urn import Ref

Attachment = Literal["observation", "dataflow"] | tuple[str, ...]
"""What an attribute belongs to: each observation, the data of a dataflow, or a partial key, by its dimensions."""


@dataclass(frozen=True)
class Representation:
    """What values a component takes: codes of a code list, or text of a type.

    Attributes:
        codelist: the code list or value list, where enumerated.
        text_type: an SDMX `DataType` such as `String`, `Integer`, `ObservationalTimePeriod`, where not.
        min_length, max_length: of the text, in characters.
        min_value, max_value: bounds of a number, both inclusive, as written.
        decimals: the most digits behind the decimal point.
        pattern: a regular expression.
        max_occurs: how many values at once a measure or an attribute takes; None for any number.
        from_concept: True where a component has no representation of its own: that of its concept holds, which
            `store.Store.representation` finds; everything else here says nothing then, `max_occurs` apart.
    """

    codelist: Ref | None = None
    text_type: str = "String"
    min_length: int | None = None
    max_length: int | None = None
    min_value: str | None = None
    max_value: str | None = None
    pattern: str | None = None
    decimals: int | None = None
    max_occurs: int | None = 1
    from_concept: bool = False


@dataclass(frozen=True)
class Annotation:
    """A note on an artefact, for systems that agree on its type.

    Attributes:
        type: what it is for, such as `METADATA`, by which .Stat finds the metadata structure of a data structure.
        title: its value, of one language.
        text: a value in several languages.
        id: its id.
    """

    type: str | None = None
    title: str | None = None
    text: Text = NO_TEXT
    id: str | None = None


@dataclass(frozen=True)
class Maintainable:
    """What all maintainable artefacts have.

    Attributes:
        agency: maintainer, dotted where it is a sub-agency.
        id: NCName-style id.
        version: of ours, two parts (`1.0`), because what refers to a two-part version must itself be two-part.
        name: at least one language.
        description: may be empty.
        annotations: for systems.
    """

    kind: ClassVar[str] = ""

    agency: str
    id: str
    version: str
    name: Text
    description: Text = field(default=NO_TEXT, kw_only=True)
    annotations: tuple[Annotation, ...] = field(default=(), kw_only=True)

    @property
    def ref(self) -> Ref:
        """A reference to this artefact."""
        return Ref(self.kind, self.agency, self.id, self.version)

    @property
    def urn(self) -> str:
        """Its URN."""
        return self.ref.urn


@dataclass(frozen=True, slots=True)
class Code:
    """A code.

    Attributes:
        parent: the id of the code above it.
        unread: how many annotations a message has of it, which are not read.
    """

    id: str
    name: Text
    description: Text = NO_TEXT
    parent: str | None = None
    unread: int = field(default=0, compare=False)


@dataclass(frozen=True)
class CodelistExtension:
    """Codes that a code list takes over from another (SDMX 3.0).

    Attributes:
        codelist: where they come from.
        prefix: what is put before their ids; empty for nothing.
        values: the ids that are meant, `%` standing for any characters; none for all.
        excluded: True where all but those are taken over.
    """

    codelist: Ref
    prefix: str = ""
    values: tuple[str, ...] = ()
    excluded: bool = False


@dataclass(frozen=True)
class Codelist(Maintainable):
    """A code list.

    Attributes:
        codes: its codes, each behind its parent or before it.
        is_partial: True where there are more codes than these.
        extensions: what it takes over from other lists.
    """

    kind = "Codelist"
    codes: tuple[Code, ...] = field(kw_only=True)
    is_partial: bool = field(kw_only=True, default=False)
    extensions: tuple[CodelistExtension, ...] = field(kw_only=True, default=())


@dataclass(frozen=True)
class ValueList(Maintainable):
    """A list of values that need not be ids (SDMX 3.0)."""

    kind = "ValueList"
    codes: tuple[Code, ...] = field(kw_only=True)


@dataclass(frozen=True)
class Concept:
    """A concept.

    Attributes:
        representation: its core representation.
        same_as: the URN of a concept that it equals.
        matches: other concepts, in SDMX or elsewhere: how they match (`exact`, `close`, `broad`, `narrow`,
            `related`, as in SKOS) and their URN or address.
        unread: how many other annotations a message has of it, which are not read.
    """

    id: str
    name: Text
    description: Text = NO_TEXT
    representation: Representation | None = None
    same_as: str | None = None
    matches: tuple[tuple[str, str], ...] = ()
    unread: int = field(default=0, compare=False)


@dataclass(frozen=True)
class ConceptScheme(Maintainable):
    """A concept scheme."""

    kind = "ConceptScheme"
    concepts: tuple[Concept, ...] = field(kw_only=True)

    def concept_ref(self, concept_id: str) -> Ref:
        """A reference to one of its concepts."""
        return Ref("Concept", self.agency, self.id, self.version, concept_id)


@dataclass(frozen=True)
class Agency:
    """An agency in an agency scheme; its id has no dots."""

    id: str
    name: Text


@dataclass(frozen=True)
class AgencyScheme(Maintainable):
    """Agencies of a parent agency; always `AGENCIES(1.0)`, partial: to be appended, never a replacement."""

    kind = "AgencyScheme"
    agencies: tuple[Agency, ...] = field(kw_only=True)


@dataclass(frozen=True)
class MetadataProviderScheme(Maintainable):
    """Metadata providers of a parent agency; always `METADATA_PROVIDERS(1.0)`, partial likewise."""

    kind = "MetadataProviderScheme"
    providers: tuple[Agency, ...] = field(kw_only=True)

    def provider_ref(self, provider_id: str) -> Ref:
        """A reference to one of its providers."""
        return Ref("MetadataProvider", self.agency, self.id, self.version, provider_id)


@dataclass(frozen=True)
class DataProviderScheme(Maintainable):
    """Data providers of a parent agency; always `DATA_PROVIDERS(1.0)`."""

    kind = "DataProviderScheme"
    providers: tuple[Agency, ...] = field(kw_only=True)


@dataclass(frozen=True)
class Dimension:
    """A dimension; `position` counts from 1, the time dimension is last."""

    id: str
    concept: Ref
    representation: Representation
    position: int
    is_time: bool = False


@dataclass(frozen=True)
class Measure:
    """A measure."""

    id: str
    concept: Ref
    representation: Representation
    mandatory: bool = False


@dataclass(frozen=True)
class Attribute:
    """A data attribute.

    Attributes:
        attachment: `observation`, `dataflow`, or the dimensions of the group or series that it belongs to.
        mandatory: True where each observation (or series, or data set) must have it.
        group: the id of the group that it belongs to, whose dimensions are those of `attachment`.
        measures: ids of the measures that it is about; none for all of them.
    """

    id: str
    concept: Ref
    representation: Representation
    attachment: Attachment = "observation"
    mandatory: bool = False
    group: str | None = None
    measures: tuple[str, ...] = ()


@dataclass(frozen=True)
class Group:
    """A group: a partial key, by the ids of its dimensions."""

    id: str
    dimensions: tuple[str, ...]


@dataclass(frozen=True)
class MetadataAttributeUsage:
    """A metadata attribute of the metadata structure that a data structure is linked to, with its attachment."""

    id: str
    attachment: Attachment = "observation"
    group: str | None = None


@dataclass(frozen=True)
class DataStructure(Maintainable):
    """A data structure definition (DSD).

    Attributes:
        dimensions: the time dimension last.
        measures: `OBS_VALUE` where SDMX 2.1 calls it the primary measure.
        attributes: of observations, series, groups and the dataflow.
        groups: partial keys that attributes may belong to.
        metadata: the metadata structure whose attributes may stand beside the data (SDMX 3.0).
        metadata_usages: which of them, and where.
    """

    kind = "DataStructure"
    dimensions: tuple[Dimension, ...] = field(kw_only=True)
    measures: tuple[Measure, ...] = field(kw_only=True)
    attributes: tuple[Attribute, ...] = field(kw_only=True, default=())
    groups: tuple[Group, ...] = field(kw_only=True, default=())
    metadata: Ref | None = field(kw_only=True, default=None)
    metadata_usages: tuple[MetadataAttributeUsage, ...] = field(kw_only=True, default=())

    @property
    def time(self) -> Dimension | None:
        """Its time dimension."""
        return next((part for part in self.dimensions if part.is_time), None)

    @property
    def key(self) -> tuple[Dimension, ...]:
        """The dimensions of a series: all but time, in the order of the key."""
        key = [part for part in self.dimensions if not part.is_time]
        return tuple(sorted(key, key=lambda part: part.position))

    @property
    def components(self) -> tuple[Dimension | Measure | Attribute, ...]:
        """Dimensions, measures, attributes, in that order."""
        return self.dimensions + self.measures + self.attributes


@dataclass(frozen=True)
class Dataflow(Maintainable):
    """A dataflow."""

    kind = "Dataflow"
    structure: Ref = field(kw_only=True)


@dataclass(frozen=True)
class TimeRange:
    """A range of time periods.

    Attributes:
        start, end: the first and the last period, in any form of SDMX; None where there is no such limit.
        start_included, end_included: False where the range only begins behind it, or ends before it.
    """

    start: str | None = None
    end: str | None = None
    start_included: bool = True
    end_included: bool = True


@dataclass(frozen=True)
class CubeRegion:
    """Which values of components are meant, all components at once.

    Attributes:
        values: by the id of a component, the values; an empty set for none.
        included: False where they are what is left out.
        ranges: by the id of a component, the time periods.
    """

    values: tuple[tuple[str, frozenset[str]], ...]
    included: bool = True
    ranges: tuple[tuple[str, TimeRange], ...] = ()


@dataclass(frozen=True)
class DataConstraint(Maintainable):
    """What data may hold, or do hold (a content constraint, in SDMX 2.1).

    Attributes:
        allowed: False where it tells what data there are, rather than what there may be.
        attached: data structures, dataflows, provision agreements or providers that it is on.
        regions: parts of the cube.
        keys: series or partial keys by ids of dimensions; whether they are the only ones (True) or left out.
    """

    kind = "DataConstraint"
    allowed: bool = field(kw_only=True, default=True)
    attached: tuple[Ref, ...] = field(kw_only=True, default=())
    regions: tuple[CubeRegion, ...] = field(kw_only=True, default=())
    keys: tuple[tuple[bool, tuple[tuple[str, str], ...]], ...] = field(kw_only=True, default=())


@dataclass(frozen=True)
class ValueMapping:
    """Values of the sources that become values of the targets, as many as the map has of each."""

    sources: tuple[str, ...]
    targets: tuple[str, ...]


@dataclass(frozen=True)
class RepresentationMap(Maintainable):
    """How values become other values (SDMX 3.0).

    Attributes:
        sources, targets: for each column a code list or value list, or an SDMX data type such as `String`.
        mappings: the rows; those not listed have no target.
    """

    kind = "RepresentationMap"
    sources: tuple[Ref | str, ...] = field(kw_only=True)
    targets: tuple[Ref | str, ...] = field(kw_only=True)
    mappings: tuple[ValueMapping, ...] = field(kw_only=True)


@dataclass(frozen=True)
class ComponentMap:
    """Components that become other components; their values by a representation map, or as they are."""

    sources: tuple[str, ...]
    targets: tuple[str, ...]
    representation_map: Ref | None = None


@dataclass(frozen=True)
class FixedValueMap:
    """A component of the target that has the same value always."""

    target: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class DatePatternMap:
    """A text that is read as a date by a pattern and becomes a time period of a frequency.

    Attributes:
        source, target: ids of components.
        pattern: as in Java's SimpleDateFormat, which SDMX names (`dd/MM/yyyy`).
        locale: of the names of months in it.
        frequency: code of CL_FREQ that the time period has.
    """

    source: str
    target: str
    pattern: str
    locale: str = "en"
    frequency: str = "D"


@dataclass(frozen=True)
class StructureMap(Maintainable):
    """How data of one structure become data of another (SDMX 3.0).

    Attributes:
        source, target: data structures or dataflows.
        components: what becomes what.
        fixed: what is the same always.
        dates: texts that become time periods.
    """

    kind = "StructureMap"
    source: Ref = field(kw_only=True)
    target: Ref = field(kw_only=True)
    components: tuple[ComponentMap, ...] = field(kw_only=True, default=())
    fixed: tuple[FixedValueMap, ...] = field(kw_only=True, default=())
    dates: tuple[DatePatternMap, ...] = field(kw_only=True, default=())


@dataclass(frozen=True)
class MetadataAttribute:
    """A metadata attribute of a metadata structure.

    Attributes:
        min_occurs: 0 or more.
        max_occurs: None for unbounded.
        presentational: True where it only holds its children and has no value.
    """

    id: str
    concept: Ref
    representation: Representation
    min_occurs: int = 0
    max_occurs: int | None = 1
    presentational: bool = False
    children: tuple[MetadataAttribute, ...] = ()

    def walk(self) -> Iterator[MetadataAttribute]:
        """This attribute and all below it, parents first."""
        yield self
        for child in self.children:
            yield from child.walk()


@dataclass(frozen=True)
class MetadataStructure(Maintainable):
    """A metadata structure definition (MSD)."""

    kind = "MetadataStructure"
    attributes: tuple[MetadataAttribute, ...] = field(kw_only=True)


@dataclass(frozen=True)
class Metadataflow(Maintainable):
    """A metadataflow; `targets` are URNs, with `*` for any, of what reports may be about."""

    kind = "Metadataflow"
    structure: Ref = field(kw_only=True)
    targets: tuple[str, ...] = field(kw_only=True)


@dataclass(frozen=True)
class MetadataProvisionAgreement(Maintainable):
    """A provider's agreement to report by a metadataflow."""

    kind = "MetadataProvisionAgreement"
    metadataflow: Ref = field(kw_only=True)
    provider: Ref = field(kw_only=True)


@dataclass(frozen=True)
class ReportedAttribute:
    """A value of a metadata attribute in a report: one occurrence.

    Attributes:
        id: id of the metadata attribute.
        value: a multilingual text, or a plain value (a code, a number, a date, `true`) as written; None where
            the attribute is presentational.
        structured: True where the text is XHTML (`StructuredText`).
    """

    id: str
    value: Text | str | None = None
    children: tuple[ReportedAttribute, ...] = ()
    structured: bool = False


@dataclass(frozen=True)
class MetadataSet(Maintainable):
    """A report of reference metadata.

    Its version has three parts (`1.2.0`): SDMX-JSON 2.0 takes nothing else for a metadata set.

    Attributes:
        metadataflow: what it reports by.
        targets: URNs of what it is about.
        attributes: what it says; an attribute that occurs more than once is repeated.
        reporting_begin, reporting_end: first and last day that it covers.
    """

    kind = "MetadataSet"
    metadataflow: Ref = field(kw_only=True)
    targets: tuple[str, ...] = field(kw_only=True)
    attributes: tuple[ReportedAttribute, ...] = field(kw_only=True)
    reporting_begin: dt.date | None = field(kw_only=True, default=None)
    reporting_end: dt.date | None = field(kw_only=True, default=None)


Structure = (
    AgencyScheme
    | DataProviderScheme
    | MetadataProviderScheme
    | Codelist
    | ValueList
    | ConceptScheme
    | DataStructure
    | Dataflow
    | DataConstraint
    | RepresentationMap
    | StructureMap
    | MetadataStructure
    | Metadataflow
    | MetadataProvisionAgreement
)


@dataclass(frozen=True)
class Header:
    """The header of a message; nothing in it is invented, so the same input gives the same bytes.

    Attributes:
        id: id of the message.
        prepared: when it was prepared, with its time zone.
        sender: id of the sending agency.
        test: True for a draft that nobody approved.
    """

    id: str
    prepared: dt.datetime
    sender: str
    test: bool = False
