"""SDMX-ML 3.0 and 3.1 messages of structures and of reference metadata, with all languages, built with lxml.

One choice is made for readers, not by the standard: data attributes carry a `MeasureRelationship` only where
they are about some of the measures (it is optional, and sdmx1 fails on it).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any, Literal

from cdmeta.errors import ConversionError
from cdmeta.formats.sdmx_elements import (
    Attributes,
    add,
    annotate,
    as_bytes,
    boolean,
    header,
    namespaces,
    put_members,
    root,
    structured,
    texts,
    version_of,
)
from cdmeta.formats.sdmx_elements import sender_id as sender_id
from cdmeta.phrase import Phrase
from cdmeta.sdmx import artefacts as sdmx
from cdmeta.sdmx.artefacts import Annotation, Header, Maintainable, MetadataSet, Representation, Structure
from cdmeta.sdmx.constraints import attachment, beside_the_key, members, refuse_more_than_two_regions
from cdmeta.text import NO_TEXT, Text
from cdmeta.urn import Ref, is_concept_id

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

Version = Literal["3.0", "3.1"]

NAMESPACES: Mapping[str, str] = namespaces("3.0")
"""Prefixes of the namespaces that our messages of SDMX-ML 3.0 use."""

SAME_AS = "SAME_AS"
"""Type of the annotation whose title is the URN of an equal concept; SDMX has no element for that."""
MATCH = "_MATCH"
"""Ends the types of annotations that tell of a matching concept (`CLOSE_MATCH`); their title says which."""
PARENT = "PARENT"
"""Type of the annotation whose title is the id of the parent of a code, where `str:Parent` cannot hold that id.

Any code may be a parent (`_T`, `0-14`), but the schema of SDMX-ML 3.0 wants a parent's id to start with a letter.
That of 3.1 takes any.
"""

# Whether a text may have translations is only said of texts; the default of the schema is that it may.
_TEXT_TYPES = ("String", "XHTML")


def structures(artefacts: Sequence[Structure], told: Header, version: Version = "3.0") -> bytes:
    """A structure message of any artefacts, in the order of the kinds below and, within a kind, as given.

    Raises:
        ConversionError: a text holds a character that XML cannot hold, with its place; or the version cannot say
            what an artefact says (SDMX 3.1 has no constraints on what data there are).
    """
    message = root(version, "Structure", "str", "com")
    header(message, told)
    parent = add(message, "mes:Structures") if artefacts else message
    for kind, (container, write) in _writers(artefacts).items():
        chosen = [artefact for artefact in artefacts if artefact.kind == kind]
        group = add(parent, f"str:{container}") if chosen else parent
        for artefact in chosen:
            write(_maintainable(group, f"str:{kind}", artefact), artefact)
    return as_bytes(message)


def metadata(sets: Sequence[MetadataSet], told: Header, version: Version = "3.0") -> bytes:
    """A message of metadata sets; an attribute that occurs more than once is repeated.

    Raises:
        ConversionError: a text holds a character that XML cannot hold, or is to be XHTML and is none; the message
            names the place.
    """
    message = root(version, "GenericMetadata", "gen", "com")
    head = header(message, told)
    for number, urn in enumerate(dict.fromkeys(report.metadataflow.urn for report in sets), start=1):
        add(add(head, "mes:Structure", {"structureID": f"MDF{number}"}), "com:StructureUsage", text=urn)
    for report in sets:
        element = _maintainable(
            message,
            "mes:MetadataSet",
            report,
            reportingBeginDate=report.reporting_begin.isoformat() if report.reporting_begin else None,
            reportingEndDate=report.reporting_end.isoformat() if report.reporting_end else None,
        )
        add(element, "gen:Metadataflow", text=report.metadataflow.urn)
        for target in report.targets:
            add(element, "gen:Target", text=target)
        _reported(element, report.attributes)
    return as_bytes(message)


def _maintainable(parent: Element, name: str, artefact: Maintainable, **attributes: str | None) -> Element:
    """The element of an artefact with its names; organisation schemes must not say their version (it is 1.0)."""
    organisations = isinstance(artefact, (sdmx.AgencyScheme, sdmx.MetadataProviderScheme))
    partial = organisations or (isinstance(artefact, sdmx.Codelist) and artefact.is_partial)
    element = add(
        parent,
        name,
        {
            "urn": artefact.urn,
            "isExternalReference": "false",
            "agencyID": artefact.agency,
            "id": artefact.id,
            "version": None if organisations else artefact.version,
            "isPartial": "true" if partial else None,
            **attributes,
        },
    )
    annotate(element, artefact.annotations)
    texts(element, "com:Name", artefact.name)
    texts(element, "com:Description", artefact.description)
    return element


def _item(
    parent: Element,
    name: str,
    scheme: Ref,
    item: str,
    text: Text,
    description: Text = NO_TEXT,
    notes: Iterable[Annotation] = (),
) -> Element:
    """An item of a scheme."""
    urn = Ref(name.partition(":")[2], scheme.agency, scheme.id, scheme.version, item).urn
    element = add(parent, name, {"urn": urn, "id": item})
    annotate(element, notes)
    texts(element, "com:Name", text)
    texts(element, "com:Description", description)
    return element


def _agencies(parent: Element, scheme: sdmx.AgencyScheme) -> None:
    for agency in scheme.agencies:
        _item(parent, "str:Agency", scheme.ref, agency.id, agency.name)


def _providers(parent: Element, scheme: sdmx.MetadataProviderScheme) -> None:
    for provider in scheme.providers:
        _item(parent, "str:MetadataProvider", scheme.ref, provider.id, provider.name)


def _codes(parent: Element, codelist: sdmx.Codelist) -> None:
    for code in codelist.codes:
        odd = version_of(parent) == "3.0" and code.parent is not None and not is_concept_id(code.parent)
        names = (code.id, code.name, code.description)
        notes = [Annotation(PARENT, code.parent)] if odd else []
        element = _item(parent, "str:Code", codelist.ref, *names, notes)
        if code.parent and not odd:
            add(element, "str:Parent", text=code.parent)
    for extension in codelist.extensions:
        _extension(parent, extension)


def _extension(parent: Element, extension: sdmx.CodelistExtension) -> None:
    element = add(parent, "str:CodelistExtension", {"prefix": extension.prefix or None})
    add(element, "str:Codelist", text=extension.codelist.urn)
    if extension.values:
        selection = add(element, f"str:{'Ex' if extension.excluded else 'In'}clusiveCodeSelection")
        for value in extension.values:
            if "-" in value:  # by a slip of the schemas (`[A-Za-z0-9_@$-%]+`), which the identifiers do not have
                raise ConversionError(Phrase("error.sdmx.member", {"id": value, "list": extension.codelist.urn}))
            add(selection, "str:MemberValue", text=value)


def _values(parent: Element, valuelist: sdmx.ValueList) -> None:
    for code in valuelist.codes:
        element = add(parent, "str:ValueItem", {"id": code.id})
        texts(element, "com:Name", code.name)
        texts(element, "com:Description", code.description)


def match_type(kind: str) -> str:
    """The type of an annotation that tells of a match of a kind: `CLOSE_MATCH`."""
    return kind.upper() + MATCH


def concept_notes(concept: sdmx.Concept) -> list[Annotation]:
    """The annotations that tell which other concepts match."""
    same = [Annotation(SAME_AS, concept.same_as)] if concept.same_as else []
    return [*same, *(Annotation(match_type(kind), target) for kind, target in concept.matches)]


def _concepts(parent: Element, scheme: sdmx.ConceptScheme) -> None:
    for concept in scheme.concepts:
        names = (concept.id, concept.name, concept.description)
        element = _item(parent, "str:Concept", scheme.ref, *names, concept_notes(concept))
        if concept.representation:
            several = concept.representation.max_occurs != 1
            occurs = {"maxOccurs": occurrences(concept.representation.max_occurs)} if several else None
            _representation(element, "str:CoreRepresentation", concept.representation, occurs)


def occurrences(most: int | None) -> str:
    """How often something may occur, as SDMX writes it."""
    return "unbounded" if most is None else str(most)


def _representation(
    parent: Element,
    name: str,
    representation: Representation,
    attributes: Attributes | None = None,
    multilingual: bool | None = None,
) -> None:
    if representation.from_concept:
        return
    element = add(parent, name, attributes)
    if representation.codelist:
        add(element, "str:Enumeration", text=representation.codelist.urn)
        return
    translatable = multilingual is not None and representation.text_type in _TEXT_TYPES
    facets = facets_of(representation)
    add(
        element,
        "str:TextFormat",
        {**facets, "isMultiLingual": boolean(bool(multilingual)) if translatable else None},
    )


def facets_of(representation: Representation) -> Attributes:
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


def _component(
    parent: Element, name: str, part: sdmx.Dimension | sdmx.Measure | sdmx.Attribute, **attributes: str
) -> Element:
    element = add(parent, name, {"id": part.id, **attributes})
    add(element, "str:ConceptIdentity", text=part.concept.urn)
    if isinstance(part, sdmx.Dimension):
        _representation(element, "str:LocalRepresentation", part.representation)
    else:
        most = occurrences(part.representation.max_occurs)
        occurs = {"minOccurs": "1" if part.mandatory else "0", "maxOccurs": most}
        _representation(element, "str:LocalRepresentation", part.representation, occurs, multilingual=False)
    return element


def _data_structure(parent: Element, structure: sdmx.DataStructure) -> None:
    components = add(parent, "str:DataStructureComponents")
    dimensions = add(components, "str:DimensionList", {"id": "DimensionDescriptor"})
    for part in sorted(structure.dimensions, key=lambda part: (part.is_time, part.position)):
        if part.is_time:
            _component(dimensions, "str:TimeDimension", part)
        else:
            _component(dimensions, "str:Dimension", part, position=str(part.position))
    for group in structure.groups:
        element = add(components, "str:Group", {"id": group.id})
        for dimension in group.dimensions:
            add(add(element, "str:GroupDimension"), "str:DimensionReference", text=dimension)
    _attributes(components, structure)
    if structure.measures:
        measures = add(components, "str:MeasureList", {"id": "MeasureDescriptor"})
        for measure in structure.measures:
            _component(measures, "str:Measure", measure, usage=_usage(measure))
    if structure.metadata:
        add(parent, "str:Metadata", text=structure.metadata.urn)


def _attributes(components: Element, structure: sdmx.DataStructure) -> None:
    if not structure.attributes and not structure.metadata_usages:
        return
    attributes = add(components, "str:AttributeList", {"id": "AttributeDescriptor"})
    for attribute in structure.attributes:
        element = _component(attributes, "str:Attribute", attribute, usage=_usage(attribute))
        _relationship(element, attribute)
        measures = add(element, "str:MeasureRelationship") if attribute.measures else element
        for measure in attribute.measures:
            add(measures, "str:Measure", text=measure)
    for usage in structure.metadata_usages:
        element = add(attributes, "str:MetadataAttributeUsage")
        add(element, "str:MetadataAttributeReference", text=usage.id)
        _relationship(element, usage)


def _usage(part: sdmx.Measure | sdmx.Attribute) -> str:
    return "mandatory" if part.mandatory else "optional"


def _relationship(parent: Element, attribute: sdmx.Attribute | sdmx.MetadataAttributeUsage) -> None:
    element = add(parent, "str:AttributeRelationship")
    if attribute.group:
        add(element, "str:Group", text=attribute.group)
    elif isinstance(attribute.attachment, tuple):
        for dimension in attribute.attachment:
            add(element, "str:Dimension", text=dimension)
    else:
        add(element, f"str:{attribute.attachment.capitalize()}")


def _dataflow(parent: Element, dataflow: sdmx.Dataflow) -> None:
    add(parent, "str:Structure", text=dataflow.structure.urn)


def _metadata_structure(parent: Element, structure: sdmx.MetadataStructure) -> None:
    components = add(parent, "str:MetadataStructureComponents")
    attributes = add(components, "str:MetadataAttributeList", {"id": "MetadataAttributeDescriptor"})
    for attribute in structure.attributes:
        _metadata_attribute(attributes, attribute)


def _metadata_attribute(parent: Element, attribute: sdmx.MetadataAttribute) -> None:
    """Occurrences are always written, because some readers take other defaults than the schema's (1)."""
    cardinality: Attributes = {
        "id": attribute.id,
        "minOccurs": str(attribute.min_occurs),
        "maxOccurs": occurrences(attribute.max_occurs),
        "isPresentational": boolean(attribute.presentational),
    }
    element = add(parent, "str:MetadataAttribute", cardinality)
    add(element, "str:ConceptIdentity", text=attribute.concept.urn)
    _representation(element, "str:LocalRepresentation", attribute.representation, multilingual=True)
    for child in attribute.children:
        _metadata_attribute(element, child)


def _metadataflow(parent: Element, flow: sdmx.Metadataflow) -> None:
    add(parent, "str:Structure", text=flow.structure.urn)
    for target in flow.targets:
        add(parent, "str:Target", text=target)


def _agreement(parent: Element, agreement: sdmx.MetadataProvisionAgreement) -> None:
    add(parent, "str:Metadataflow", text=agreement.metadataflow.urn)
    add(parent, "str:MetadataProvider", text=agreement.provider.urn)


def _constraint(parent: Element, constraint: sdmx.DataConstraint, beside: frozenset[str]) -> None:
    """A constraint; `beside` are ids of components that are no dimensions."""
    version = version_of(parent)
    if version == "3.0":
        parent.set("role", "Allowed" if constraint.allowed else "Actual")
    elif not constraint.allowed:
        raise ConversionError(Phrase("error.sdmx.actual", {"id": constraint.urn}))
    refuse_more_than_two_regions(constraint)
    if constraint.attached:
        kind = attachment(constraint)
        element = add(parent, "str:ConstraintAttachment")
        for ref in constraint.attached:
            add(element, f"str:{kind}", text=ref.urn)
    for included, keys in groupby(constraint.keys, key=lambda key: key[0]):
        element = add(parent, "str:DataKeySet", {"isIncluded": boolean(included)})
        for _, key in keys:
            _region(add(element, "str:Key"), [(part, (value,)) for part, value in key], beside)
    for region in constraint.regions:
        element = add(parent, "str:CubeRegion", {"include": boolean(region.included)})
        _region(element, members(region), beside)


def _region(
    parent: Element, parts: Iterable[tuple[str, Sequence[str] | sdmx.TimeRange]], beside: frozenset[str]
) -> None:
    """Values of dimensions, and behind them those of other components, as the schema wants it."""
    for part, values in sorted(parts, key=lambda part: part[0] in beside):
        element = add(parent, "str:Component" if part in beside else "str:KeyValue", {"id": part})
        put_members(element, "str", values)


def _representation_map(parent: Element, mapping: sdmx.RepresentationMap) -> None:
    for end, columns in (("Source", mapping.sources), ("Target", mapping.targets)):
        for column in columns:
            if isinstance(column, Ref):
                add(parent, f"str:{end}Codelist", text=column.urn)
            else:
                add(parent, f"str:{end}DataType", text=column)
    for row in mapping.mappings:
        element = add(parent, "str:RepresentationMapping")
        for value in row.sources:
            add(element, "str:SourceValue", text=value)
        for value in row.targets:
            add(element, "str:TargetValue", text=value)


def _structure_map(parent: Element, mapping: sdmx.StructureMap) -> None:
    add(parent, "str:Source", text=mapping.source.urn)
    add(parent, "str:Target", text=mapping.target.urn)
    for number, date in enumerate(mapping.dates, start=1):
        how: Attributes = {"id": f"DATE_{number}", "sourcePattern": date.pattern, "locale": date.locale}
        element = add(parent, "str:DatePatternMap", how)
        add(element, "str:Source", text=date.source)
        add(element, "str:Target", text=date.target)
        add(element, "str:TargetFrequencyID", text=date.frequency)
    for component in mapping.components:
        element = add(parent, "str:ComponentMap")
        for source in component.sources:
            add(element, "str:Source", text=source)
        for target in component.targets:
            add(element, "str:Target", text=target)
        if component.representation_map:
            add(element, "str:RepresentationMap", text=component.representation_map.urn)
    for fixed in mapping.fixed:
        element = add(parent, "str:FixedValueMap")
        add(element, "str:Target", text=fixed.target)
        for value in fixed.values:
            add(element, "str:Value", text=value)


def _reported(parent: Element, attributes: Sequence[sdmx.ReportedAttribute]) -> None:
    for attribute in attributes:
        element = add(parent, "gen:Attribute", {"id": attribute.id})
        if attribute.structured and attribute.value is not None:
            structured(element, attribute.value)
        elif isinstance(attribute.value, Text):
            texts(element, "com:Text", attribute.value)
        elif attribute.value is not None:
            add(element, "gen:Value", text=attribute.value)
        _reported(element, attribute.children)


def _writers(artefacts: Sequence[Structure]) -> Mapping[str, tuple[str, Callable[[Element, Any], None]]]:
    """Kind to its container and writer, each kind behind what it refers to."""

    def constraint(parent: Element, artefact: sdmx.DataConstraint) -> None:
        _constraint(parent, artefact, beside_the_key(artefact, artefacts))

    return {
        "AgencyScheme": ("AgencySchemes", _agencies),
        "MetadataProviderScheme": ("MetadataProviderSchemes", _providers),
        "Codelist": ("Codelists", _codes),
        "ValueList": ("ValueLists", _values),
        "ConceptScheme": ("ConceptSchemes", _concepts),
        "DataStructure": ("DataStructures", _data_structure),
        "Dataflow": ("Dataflows", _dataflow),
        "MetadataStructure": ("MetadataStructures", _metadata_structure),
        "Metadataflow": ("Metadataflows", _metadataflow),
        "MetadataProvisionAgreement": ("MetadataProvisionAgreements", _agreement),
        "RepresentationMap": ("RepresentationMaps", _representation_map),
        "StructureMap": ("StructureMaps", _structure_map),
        "DataConstraint": ("DataConstraints", constraint),
    }
