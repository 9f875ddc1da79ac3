"""Structures as SDMX-ML of any version writes them: versions differ in how they refer, hardly in what they say."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cdmeta.formats.sdmx_elements import Attributes, add, annotate, boolean, put_members, structured, texts
from cdmeta.sdmx import artefacts as sdmx
from cdmeta.sdmx.artefacts import Annotation, Maintainable, Representation
from cdmeta.text import NO_TEXT, Text
from cdmeta.urn import Ref

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

SAME_AS = "SAME_AS"
"""Type of the annotation whose title is the URN of an equal concept; SDMX has no element for that."""
MATCH = "_MATCH"
"""Ends the types of annotations that tell of a matching concept (`CLOSE_MATCH`); their title says which."""

# Whether a text may have translations is only said of texts; the default of the schema is that it may.
_TEXT_TYPES = ("String", "XHTML")


@dataclass(frozen=True)
class Manner:
    """How a version writes what it writes otherwise than the others.

    Attributes:
        refer: adds an element, by its name, that refers to an artefact.
        local: adds one that refers to a component by its id.
        level: adds to a relationship that an attribute belongs to the observations or to the dataflow.
        named: a reference as the version calls what it is to.
        values: names of the elements of values of dimensions and of other components, and the prefix of what is
            below them.
    """

    refer: Callable[[Element, str, Ref], None]
    local: Callable[[Element, str, str], None]
    level: Callable[[Element, str], None]
    named: Callable[[Ref], Ref]
    values: tuple[str, str, str]


def is_organisations(artefact: Maintainable) -> bool:
    """True of a scheme of organisations, which is always partial."""
    return isinstance(artefact, (sdmx.AgencyScheme, sdmx.MetadataProviderScheme))


def maintainable(
    parent: Element,
    name: str,
    artefact: Maintainable,
    manner: Manner,
    notes: Iterable[Annotation],
    **attributes: str | None,
) -> Element:
    """The element of an artefact with its names; `attributes` stand behind those that all have."""
    ref = manner.named(artefact.ref)
    partial = is_organisations(artefact) or (isinstance(artefact, sdmx.Codelist) and artefact.is_partial)
    told: dict[str, str | None] = {
        "urn": ref.urn,
        "isExternalReference": "false",
        "agencyID": ref.agency,
        "id": ref.id,
        "version": ref.version,
        **attributes,
        "isPartial": "true" if partial else None,
    }
    element = add(parent, name, told)
    _described(element, artefact.name, artefact.description, notes)
    return element


def item(
    parent: Element, ref: Ref, name: Text, description: Text = NO_TEXT, notes: Iterable[Annotation] = ()
) -> Element:
    """An item of a scheme; its kind names the element."""
    element = add(parent, f"str:{ref.kind}", {"urn": ref.urn, "id": ref.item})
    _described(element, name, description, notes)
    return element


def item_ref(kind: str, scheme: Ref, id_: str, manner: Manner) -> Ref:
    """A reference to an item of a scheme."""
    return manner.named(Ref(kind, scheme.agency, scheme.id, scheme.version, id_))


def _described(element: Element, name: Text, description: Text, notes: Iterable[Annotation]) -> None:
    annotate(element, notes)
    texts(element, "com:Name", name)
    texts(element, "com:Description", description)


def organisations(
    parent: Element, scheme: sdmx.AgencyScheme | sdmx.MetadataProviderScheme, manner: Manner
) -> None:
    """Agencies or providers."""
    if isinstance(scheme, sdmx.AgencyScheme):
        kind, members = "Agency", scheme.agencies
    else:
        kind, members = "MetadataProvider", scheme.providers
    for member in members:
        item(parent, item_ref(kind, scheme.ref, member.id, manner), member.name)


def match_type(kind: str) -> str:
    """The type of an annotation that tells of a match of a kind: `CLOSE_MATCH`."""
    return kind.upper() + MATCH


def concept_notes(concept: sdmx.Concept) -> list[Annotation]:
    """The annotations that tell which other concepts match."""
    same = [Annotation(SAME_AS, concept.same_as)] if concept.same_as else []
    return [*same, *(Annotation(match_type(kind), target) for kind, target in concept.matches)]


def occurrences(most: int | None) -> str:
    """How often something may occur, as SDMX writes it."""
    return "unbounded" if most is None else str(most)


def represent(
    parent: Element,
    name: str,
    representation: Representation,
    manner: Manner,
    occurs: Attributes | None = None,
    multilingual: bool | None = None,
) -> None:
    """The representation of a component or concept; nothing where that of the concept holds."""
    if representation.from_concept:
        return
    element = add(parent, name, occurs)
    if representation.codelist:
        manner.refer(element, "str:Enumeration", representation.codelist)
        return
    translatable = multilingual is not None and representation.text_type in _TEXT_TYPES
    told = boolean(bool(multilingual)) if translatable else None
    add(element, "str:TextFormat", {**_facets(representation), "isMultiLingual": told})


def _facets(representation: Representation) -> Attributes:
    """The attributes of a text format."""
    return {
        "textType": representation.text_type,
        "minLength": str(representation.min_length) if representation.min_length else None,
        "maxLength": str(representation.max_length) if representation.max_length else None,
        "minValue": representation.min_value,
        "maxValue": representation.max_value,
        "decimals": str(representation.decimals) if representation.decimals else None,
        "pattern": representation.pattern,
    }


def dimensions(
    components: Element,
    structure: sdmx.DataStructure,
    component: Callable[[Element, str, sdmx.Dimension], None],
    manner: Manner,
) -> None:
    """The dimensions, time last, each written by `component`; and the groups."""
    found = add(components, "str:DimensionList", {"id": "DimensionDescriptor"})
    for part in sorted(structure.dimensions, key=lambda part: (part.is_time, part.position)):
        component(found, "str:TimeDimension" if part.is_time else "str:Dimension", part)
    for group in structure.groups:
        element = add(components, "str:Group", {"id": group.id})
        for dimension in group.dimensions:
            manner.local(add(element, "str:GroupDimension"), "str:DimensionReference", dimension)


def relationship(parent: Element, part: sdmx.Attribute | sdmx.MetadataAttributeUsage, manner: Manner) -> None:
    """What an attribute belongs to."""
    element = add(parent, "str:AttributeRelationship")
    if part.group:
        manner.local(element, "str:Group", part.group)
    elif isinstance(part.attachment, tuple):
        for dimension in part.attachment:
            manner.local(element, "str:Dimension", dimension)
    else:
        manner.level(element, part.attachment)


def metadata_attribute(
    parent: Element,
    attribute: sdmx.MetadataAttribute,
    manner: Manner,
    taken: Callable[[Representation], Representation] = lambda found: found,
) -> None:
    """A metadata attribute and those below it, their representations as `taken` makes them.

    Occurrences are always written, because some readers take other defaults than the schema's (1).
    """
    cardinality: Attributes = {
        "id": attribute.id,
        "minOccurs": str(attribute.min_occurs),
        "maxOccurs": occurrences(attribute.max_occurs),
        "isPresentational": boolean(attribute.presentational),
    }
    element = add(parent, "str:MetadataAttribute", cardinality)
    manner.refer(element, "str:ConceptIdentity", attribute.concept)
    represent(element, "str:LocalRepresentation", taken(attribute.representation), manner, multilingual=True)
    for child in attribute.children:
        metadata_attribute(element, child, manner, taken)


def region(
    parent: Element,
    parts: Iterable[tuple[str, Sequence[str] | sdmx.TimeRange]],
    beside: frozenset[str],
    manner: Manner,
) -> None:
    """Values of dimensions, and behind them those of other components, as the schema wants it."""
    dimension, other, prefix = manner.values
    for id_, values in sorted(parts, key=lambda part: part[0] in beside):
        put_members(add(parent, other if id_ in beside else dimension, {"id": id_}), prefix, values)


def reported_texts(element: Element, attribute: sdmx.ReportedAttribute) -> bool:
    """What an attribute of a report says in texts; False where it says none, or a plain value."""
    if attribute.structured and attribute.value is not None:
        structured(element, attribute.value)
    elif isinstance(attribute.value, Text):
        texts(element, "com:Text", attribute.value)
    else:
        return False
    return True
