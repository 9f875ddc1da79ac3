"""SDMX artefacts as small frozen values, multilingual, of the SDMX 3.0 information model.

Only what cdmeta writes is here. Writers in `cdmeta.formats` turn them into messages; nothing here knows of XML or
JSON. `Maintainable.ref` is how one artefact refers to another.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from cdmeta.text import NO_TEXT, Text
from cdmeta.urn import Ref


@dataclass(frozen=True)
class Representation:
    """What values a component takes: codes of a code list, or text of a type.

    Attributes:
        codelist: the code list, where enumerated.
        text_type: an SDMX `DataType` such as `String`, `Integer`, `ObservationalTimePeriod`, where not.
        min_length, max_length: of the text, in characters.
        min_value, max_value: bounds of a number, both inclusive, as written.
        pattern: a regular expression.
    """

    codelist: Ref | None = None
    text_type: str = "String"
    min_length: int | None = None
    max_length: int | None = None
    min_value: str | None = None
    max_value: str | None = None
    pattern: str | None = None


@dataclass(frozen=True)
class Maintainable:
    """What all maintainable artefacts have.

    Attributes:
        agency: maintainer, dotted where it is a sub-agency.
        id: NCName-style id.
        version: two parts (`1.0`), because what refers to a two-part version must itself be two-part.
        name: at least one language.
        description: may be empty.
    """

    kind: ClassVar[str] = ""

    agency: str
    id: str
    version: str
    name: Text
    description: Text = field(default=NO_TEXT, kw_only=True)

    @property
    def ref(self) -> Ref:
        """A reference to this artefact."""
        return Ref(self.kind, self.agency, self.id, self.version)

    @property
    def urn(self) -> str:
        """Its URN."""
        return self.ref.urn


@dataclass(frozen=True)
class Code:
    """A code; `parent` is the id of the code above it."""

    id: str
    name: Text
    description: Text = NO_TEXT
    parent: str | None = None


@dataclass(frozen=True)
class Codelist(Maintainable):
    """A code list."""

    kind = "Codelist"
    codes: tuple[Code, ...] = field(kw_only=True)


@dataclass(frozen=True)
class Concept:
    """A concept.

    Attributes:
        representation: its core representation.
        same_as: the URN of a concept that it equals.
        matches: other concepts, in SDMX or elsewhere: how they match (`exact`, `close`, `broad`, `narrow`,
            `related`, as in SKOS) and their URN or address.
    """

    id: str
    name: Text
    description: Text = NO_TEXT
    representation: Representation | None = None
    same_as: str | None = None
    matches: tuple[tuple[str, str], ...] = ()


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
    """

    id: str
    concept: Ref
    representation: Representation
    attachment: Literal["observation", "dataflow"] | tuple[str, ...] = "observation"
    mandatory: bool = False


@dataclass(frozen=True)
class DataStructure(Maintainable):
    """A data structure definition (DSD)."""

    kind = "DataStructure"
    dimensions: tuple[Dimension, ...] = field(kw_only=True)
    measures: tuple[Measure, ...] = field(kw_only=True)
    attributes: tuple[Attribute, ...] = field(kw_only=True, default=())

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
    """

    id: str
    value: Text | str | None = None
    children: tuple[ReportedAttribute, ...] = ()


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
    | MetadataProviderScheme
    | Codelist
    | ConceptScheme
    | DataStructure
    | Dataflow
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
