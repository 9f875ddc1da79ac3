"""SDMX-ML 3.0 messages of structures and of reference metadata, with all languages, built with lxml.

One choice is made for readers rather than by the standard: data attributes carry no `MeasureRelationship` (it is
optional, and sdmx1 fails on it).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from cdmeta.errors import ConversionError
from cdmeta.phrase import Phrase, Series
from cdmeta.sdmx import artefacts as sdmx
from cdmeta.sdmx.artefacts import Header, Maintainable, MetadataSet, Representation, Structure
from cdmeta.text import NO_TEXT, Text
from cdmeta.urn import Ref, is_concept_id

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

_BASE = "http://www.sdmx.org/resources/sdmxml/schemas/v3_0"
NAMESPACES: Mapping[str, str] = {
    "mes": f"{_BASE}/message",
    "str": f"{_BASE}/structure",
    "gen": f"{_BASE}/metadata/generic",
    "com": f"{_BASE}/common",
}
"""Prefixes of the namespaces that our messages use."""

SAME_AS = "SAME_AS"
"""Type of the annotation whose title is the URN of an equal concept; SDMX has no element for that."""
MATCH = "_MATCH"
"""Ends the types of annotations that tell of a matching concept (`CLOSE_MATCH`); their title says which."""
PARENT = "PARENT"
"""Type of the annotation whose title is the id of the parent of a code, where `str:Parent` cannot hold that id.

Any code may be a parent (`_T`, `0-14`), but the schema of SDMX-ML 3.0 wants a parent's id to start with a letter.
"""

_LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"
# What is no Char of XML 1.0 (§2.2).
_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# Whether a text may have translations is only said of texts; the default of the schema is that it may.
_TEXT_TYPES = ("String", "XHTML")

_Attributes = Mapping[str, str | None]


def structures(artefacts: Sequence[Structure], header: Header) -> bytes:
    """A structure message of any artefacts, in the order of the kinds below and, within a kind, as given.

    Raises:
        ConversionError: a text holds a character that XML cannot hold; the message names the place.
    """
    root = _root("Structure", "str", "com")
    _header(root, header)
    parent = _add(root, "mes:Structures") if artefacts else root
    for kind, (container, write) in _WRITERS.items():
        chosen = [artefact for artefact in artefacts if artefact.kind == kind]
        group = _add(parent, f"str:{container}") if chosen else parent
        for artefact in chosen:
            write(_maintainable(group, f"str:{kind}", artefact), artefact)
    return _bytes(root)


def metadata(sets: Sequence[MetadataSet], header: Header) -> bytes:
    """A message of metadata sets; an attribute that occurs more than once is repeated.

    Raises:
        ConversionError: a text holds a character that XML cannot hold; the message names the place.
    """
    root = _root("GenericMetadata", "gen", "com")
    head = _header(root, header)
    for number, urn in enumerate(dict.fromkeys(report.metadataflow.urn for report in sets), start=1):
        _add(_add(head, "mes:Structure", {"structureID": f"MDF{number}"}), "com:StructureUsage", text=urn)
    for report in sets:
        element = _maintainable(
            root,
            "mes:MetadataSet",
            report,
            reportingBeginDate=report.reporting_begin.isoformat() if report.reporting_begin else None,
            reportingEndDate=report.reporting_end.isoformat() if report.reporting_end else None,
        )
        _add(element, "gen:Metadataflow", text=report.metadataflow.urn)
        for target in report.targets:
            _add(element, "gen:Target", text=target)
        _reported(element, report.attributes)
    return _bytes(root)


def _root(name: str, *prefixes: str) -> Element:
    from lxml import etree

    nsmap = {prefix: NAMESPACES[prefix] for prefix in ("mes", *prefixes)}
    return etree.Element(f"{{{NAMESPACES['mes']}}}{name}", nsmap=nsmap)


def _bytes(root: Element) -> bytes:
    from lxml import etree

    return etree.tostring(root, encoding="UTF-8", xml_declaration=True, pretty_print=True)


def _add(parent: Element, name: str, attributes: _Attributes | None = None, text: str | None = None) -> Element:
    from lxml import etree

    prefix, _, local = name.partition(":")
    element = etree.SubElement(parent, f"{{{NAMESPACES[prefix]}}}{local}")
    for key, value in (attributes or {}).items():
        if value is not None:
            element.set(key, _legal(value, element))
    if text is not None:
        element.text = _legal(text, element)
    return element


def _legal(value: str, element: Element) -> str:
    """The value, if XML can hold it: what was approved is written as it is, or not at all."""
    if (illegal := _ILLEGAL.search(value)) is None:
        return value
    place = [element.tag.partition("}")[2], *filter(None, (node.get("id") for node in element.iterancestors()))]
    params = {"place": Series(tuple(place), "list.within"), "code": f"{ord(illegal[0]):04X}"}
    raise ConversionError(Phrase("error.xml", params))


def _header(root: Element, header: Header) -> Element:
    element = _add(root, "mes:Header")
    _add(element, "mes:ID", text=header.id)
    _add(element, "mes:Test", text=_boolean(header.test))
    _add(element, "mes:Prepared", text=header.prepared.isoformat())
    _add(element, "mes:Sender", {"id": sender_id(header.sender)})
    return element


def sender_id(agency: str) -> str:
    """The id of a party in a header: that of the agency, whose dots are forbidden there (IDType)."""
    return agency.replace(".", "_")


def _boolean(value: bool) -> str:
    return "true" if value else "false"


def _texts(parent: Element, name: str, text: Text) -> None:
    for language, part in text:
        _add(parent, name, {_LANGUAGE: language}, part)


def _maintainable(parent: Element, name: str, artefact: Maintainable, **attributes: str | None) -> Element:
    """The element of an artefact with its names; organisation schemes must not say their version (it is 1.0)."""
    organisations = isinstance(artefact, (sdmx.AgencyScheme, sdmx.MetadataProviderScheme))
    element = _add(
        parent,
        name,
        {
            "urn": artefact.urn,
            "isExternalReference": "false",
            "agencyID": artefact.agency,
            "id": artefact.id,
            "version": None if organisations else artefact.version,
            "isPartial": "true" if organisations else None,
            **attributes,
        },
    )
    _texts(element, "com:Name", artefact.name)
    _texts(element, "com:Description", artefact.description)
    return element


def _item(
    parent: Element,
    name: str,
    scheme: Ref,
    item: str,
    text: Text,
    description: Text = NO_TEXT,
    annotations: Iterable[tuple[str, str | None]] = (),
) -> Element:
    """An item of a scheme; annotations are pairs of type and title, and none where the title is None."""
    urn = Ref(name.partition(":")[2], scheme.agency, scheme.id, scheme.version, item).urn
    element = _add(parent, name, {"urn": urn, "id": item})
    told = [(kind, title) for kind, title in annotations if title is not None]
    group = _add(element, "com:Annotations") if told else element
    for kind, title in told:
        annotation = _add(group, "com:Annotation")
        _add(annotation, "com:AnnotationTitle", text=title)
        _add(annotation, "com:AnnotationType", text=kind)
    _texts(element, "com:Name", text)
    _texts(element, "com:Description", description)
    return element


def _agencies(parent: Element, scheme: sdmx.AgencyScheme) -> None:
    for agency in scheme.agencies:
        _item(parent, "str:Agency", scheme.ref, agency.id, agency.name)


def _providers(parent: Element, scheme: sdmx.MetadataProviderScheme) -> None:
    for provider in scheme.providers:
        _item(parent, "str:MetadataProvider", scheme.ref, provider.id, provider.name)


def _codes(parent: Element, codelist: sdmx.Codelist) -> None:
    for code in codelist.codes:
        odd = code.parent if not is_concept_id(code.parent) else None
        names = (code.id, code.name, code.description)
        element = _item(parent, "str:Code", codelist.ref, *names, [(PARENT, odd)])
        if code.parent and not odd:
            _add(element, "str:Parent", text=code.parent)


def match_type(kind: str) -> str:
    """The type of an annotation that tells of a match of a kind: `CLOSE_MATCH`."""
    return kind.upper() + MATCH


def _concepts(parent: Element, scheme: sdmx.ConceptScheme) -> None:
    for concept in scheme.concepts:
        names = (concept.id, concept.name, concept.description)
        notes = [(SAME_AS, concept.same_as), *((match_type(kind), target) for kind, target in concept.matches)]
        element = _item(parent, "str:Concept", scheme.ref, *names, notes)
        if concept.representation:
            _representation(element, "str:CoreRepresentation", concept.representation)


def _representation(
    parent: Element,
    name: str,
    representation: Representation,
    attributes: _Attributes | None = None,
    multilingual: bool | None = None,
) -> None:
    element = _add(parent, name, attributes)
    if representation.codelist:
        _add(element, "str:Enumeration", text=representation.codelist.urn)
        return
    translatable = multilingual is not None and representation.text_type in _TEXT_TYPES
    facets: _Attributes = {
        "textType": representation.text_type,
        "minLength": str(representation.min_length) if representation.min_length else None,
        "maxLength": str(representation.max_length) if representation.max_length else None,
        "minValue": representation.min_value,
        "maxValue": representation.max_value,
        "pattern": representation.pattern,
        "isMultiLingual": _boolean(bool(multilingual)) if translatable else None,
    }
    _add(element, "str:TextFormat", facets)


def _component(
    parent: Element, name: str, part: sdmx.Dimension | sdmx.Measure | sdmx.Attribute, **attributes: str
) -> Element:
    element = _add(parent, name, {"id": part.id, **attributes})
    _add(element, "str:ConceptIdentity", text=part.concept.urn)
    if isinstance(part, sdmx.Dimension):
        _representation(element, "str:LocalRepresentation", part.representation)
    else:
        occurs = {"minOccurs": "1" if part.mandatory else "0", "maxOccurs": "1"}
        _representation(element, "str:LocalRepresentation", part.representation, occurs, multilingual=False)
    return element


def _data_structure(parent: Element, structure: sdmx.DataStructure) -> None:
    components = _add(parent, "str:DataStructureComponents")
    dimensions = _add(components, "str:DimensionList", {"id": "DimensionDescriptor"})
    for part in sorted(structure.dimensions, key=lambda part: (part.is_time, part.position)):
        if part.is_time:
            _component(dimensions, "str:TimeDimension", part)
        else:
            _component(dimensions, "str:Dimension", part, position=str(part.position))
    if structure.attributes:
        attributes = _add(components, "str:AttributeList", {"id": "AttributeDescriptor"})
        for attribute in structure.attributes:
            element = _component(attributes, "str:Attribute", attribute, usage=_usage(attribute))
            _relationship(element, attribute)
    if structure.measures:
        measures = _add(components, "str:MeasureList", {"id": "MeasureDescriptor"})
        for measure in structure.measures:
            _component(measures, "str:Measure", measure, usage=_usage(measure))


def _usage(part: sdmx.Measure | sdmx.Attribute) -> str:
    return "mandatory" if part.mandatory else "optional"


def _relationship(parent: Element, attribute: sdmx.Attribute) -> None:
    element = _add(parent, "str:AttributeRelationship")
    if isinstance(attribute.attachment, tuple):
        for dimension in attribute.attachment:
            _add(element, "str:Dimension", text=dimension)
    else:
        _add(element, f"str:{attribute.attachment.capitalize()}")


def _dataflow(parent: Element, dataflow: sdmx.Dataflow) -> None:
    _add(parent, "str:Structure", text=dataflow.structure.urn)


def _metadata_structure(parent: Element, structure: sdmx.MetadataStructure) -> None:
    components = _add(parent, "str:MetadataStructureComponents")
    attributes = _add(components, "str:MetadataAttributeList", {"id": "MetadataAttributeDescriptor"})
    for attribute in structure.attributes:
        _metadata_attribute(attributes, attribute)


def _metadata_attribute(parent: Element, attribute: sdmx.MetadataAttribute) -> None:
    """Occurrences are always written, because some readers take other defaults than the schema's (1)."""
    cardinality: _Attributes = {
        "id": attribute.id,
        "minOccurs": str(attribute.min_occurs),
        "maxOccurs": "unbounded" if attribute.max_occurs is None else str(attribute.max_occurs),
        "isPresentational": _boolean(attribute.presentational),
    }
    element = _add(parent, "str:MetadataAttribute", cardinality)
    _add(element, "str:ConceptIdentity", text=attribute.concept.urn)
    _representation(element, "str:LocalRepresentation", attribute.representation, multilingual=True)
    for child in attribute.children:
        _metadata_attribute(element, child)


def _metadataflow(parent: Element, flow: sdmx.Metadataflow) -> None:
    _add(parent, "str:Structure", text=flow.structure.urn)
    for target in flow.targets:
        _add(parent, "str:Target", text=target)


def _agreement(parent: Element, agreement: sdmx.MetadataProvisionAgreement) -> None:
    _add(parent, "str:Metadataflow", text=agreement.metadataflow.urn)
    _add(parent, "str:MetadataProvider", text=agreement.provider.urn)


def _reported(parent: Element, attributes: Sequence[sdmx.ReportedAttribute]) -> None:
    for attribute in attributes:
        element = _add(parent, "gen:Attribute", {"id": attribute.id})
        if isinstance(attribute.value, Text):
            _texts(element, "com:Text", attribute.value)
        elif attribute.value is not None:
            _add(element, "gen:Value", text=attribute.value)
        _reported(element, attribute.children)


# Kind to its container and writer, each kind behind what it refers to.
_WRITERS: Mapping[str, tuple[str, Callable[[Element, Any], None]]] = {
    "AgencyScheme": ("AgencySchemes", _agencies),
    "MetadataProviderScheme": ("MetadataProviderSchemes", _providers),
    "Codelist": ("Codelists", _codes),
    "ConceptScheme": ("ConceptSchemes", _concepts),
    "DataStructure": ("DataStructures", _data_structure),
    "Dataflow": ("Dataflows", _dataflow),
    "MetadataStructure": ("MetadataStructures", _metadata_structure),
    "Metadataflow": ("Metadataflows", _metadataflow),
    "MetadataProvisionAgreement": ("MetadataProvisionAgreements", _agreement),
}
