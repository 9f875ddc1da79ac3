"""SDMX-ML 3.0 and 3.1 messages of structures and of reference metadata, with all languages, built with lxml.

One choice is made for readers, not by the standard: data attributes carry a `MeasureRelationship` only where
they are about some of the measures (it is optional, and sdmx1 fails on it).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any, Literal

from cdmeta.errors import ConversionError
from cdmeta.formats.sdmx_elements import (
    Attributes,
    add,
    as_bytes,
    boolean,
    header,
    root,
    texts,
    version_of,
)
from cdmeta.formats.sdmx_elements import sender_id as sender_id
from cdmeta.formats.sdmx_ml_parts import (
    Manner,
    concept_notes,
    dimensions,
    is_organisations,
    item,
    item_ref,
    maintainable,
    metadata_attribute,
    occurrences,
    organisations,
    region,
    relationship,
    reported_texts,
    represent,
)
from cdmeta.phrase import Phrase
from cdmeta.sdmx import artefacts as sdmx
from cdmeta.sdmx.artefacts import Annotation, Header, MetadataSet, Structure
from cdmeta.sdmx.constraints import attachment, beside_the_key, members, refuse_more_than_two_regions
from cdmeta.urn import Ref, is_concept_id

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

Version = Literal["3.0", "3.1"]

PARENT = "PARENT"
"""Type of the annotation whose title is the id of the parent of a code, where `str:Parent` cannot hold that id.

Any code may be a parent (`_T`, `0-14`), but the schema of SDMX-ML 3.0 wants a parent's id to start with a letter.
That of 3.1 takes any.
"""


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
            # Organisation schemes must not say their version (it is 1.0).
            version_ = {"version": None} if is_organisations(artefact) else {}
            notes = artefact.annotations
            write(maintainable(group, f"str:{kind}", artefact, _MANNER, notes, **version_), artefact)
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
        element = maintainable(
            message,
            "mes:MetadataSet",
            report,
            _MANNER,
            report.annotations,
            reportingBeginDate=report.reporting_begin.isoformat() if report.reporting_begin else None,
            reportingEndDate=report.reporting_end.isoformat() if report.reporting_end else None,
        )
        add(element, "gen:Metadataflow", text=report.metadataflow.urn)
        for target in report.targets:
            add(element, "gen:Target", text=target)
        _reported(element, report.attributes)
    return as_bytes(message)


def _refer(parent: Element, name: str, ref: Ref) -> None:
    add(parent, name, text=ref.urn)


def _local(parent: Element, name: str, id_: str) -> None:
    add(parent, name, text=id_)


def _level(parent: Element, level: str) -> None:
    add(parent, f"str:{level.capitalize()}")


_MANNER = Manner(
    _refer,
    _local,
    level=_level,
    named=lambda ref: ref,
    values=("str:KeyValue", "str:Component", "str"),
)


def _organisations(parent: Element, scheme: sdmx.AgencyScheme | sdmx.MetadataProviderScheme) -> None:
    organisations(parent, scheme, _MANNER)


def _codes(parent: Element, codelist: sdmx.Codelist) -> None:
    for code in codelist.codes:
        odd = version_of(parent) == "3.0" and code.parent is not None and not is_concept_id(code.parent)
        notes = [Annotation(PARENT, code.parent)] if odd else []
        ref = item_ref("Code", codelist.ref, code.id, _MANNER)
        element = item(parent, ref, code.name, code.description, notes)
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


def _concepts(parent: Element, scheme: sdmx.ConceptScheme) -> None:
    for concept in scheme.concepts:
        names = (concept.name, concept.description)
        element = item(parent, scheme.concept_ref(concept.id), *names, concept_notes(concept))
        if concept.representation:
            several = concept.representation.max_occurs != 1
            occurs = {"maxOccurs": occurrences(concept.representation.max_occurs)} if several else None
            represent(element, "str:CoreRepresentation", concept.representation, _MANNER, occurs)


def _dimension(parent: Element, name: str, part: sdmx.Dimension) -> None:
    element = add(parent, name, {"id": part.id, "position": None if part.is_time else str(part.position)})
    _refer(element, "str:ConceptIdentity", part.concept)
    represent(element, "str:LocalRepresentation", part.representation, _MANNER)


def _component(parent: Element, name: str, part: sdmx.Measure | sdmx.Attribute) -> Element:
    element = add(parent, name, {"id": part.id, "usage": "mandatory" if part.mandatory else "optional"})
    _refer(element, "str:ConceptIdentity", part.concept)
    most = occurrences(part.representation.max_occurs)
    occurs = {"minOccurs": "1" if part.mandatory else "0", "maxOccurs": most}
    represent(element, "str:LocalRepresentation", part.representation, _MANNER, occurs, multilingual=False)
    return element


def _data_structure(parent: Element, structure: sdmx.DataStructure) -> None:
    components = add(parent, "str:DataStructureComponents")
    dimensions(components, structure, _dimension, _MANNER)
    _attributes(components, structure)
    if structure.measures:
        measures = add(components, "str:MeasureList", {"id": "MeasureDescriptor"})
        for measure in structure.measures:
            _component(measures, "str:Measure", measure)
    if structure.metadata:
        _refer(parent, "str:Metadata", structure.metadata)


def _attributes(components: Element, structure: sdmx.DataStructure) -> None:
    if not structure.attributes and not structure.metadata_usages:
        return
    attributes = add(components, "str:AttributeList", {"id": "AttributeDescriptor"})
    for attribute in structure.attributes:
        element = _component(attributes, "str:Attribute", attribute)
        relationship(element, attribute, _MANNER)
        measures = add(element, "str:MeasureRelationship") if attribute.measures else element
        for measure in attribute.measures:
            add(measures, "str:Measure", text=measure)
    for usage in structure.metadata_usages:
        element = add(attributes, "str:MetadataAttributeUsage")
        add(element, "str:MetadataAttributeReference", text=usage.id)
        relationship(element, usage, _MANNER)


def _dataflow(parent: Element, dataflow: sdmx.Dataflow) -> None:
    add(parent, "str:Structure", text=dataflow.structure.urn)


def _metadata_structure(parent: Element, structure: sdmx.MetadataStructure) -> None:
    components = add(parent, "str:MetadataStructureComponents")
    attributes = add(components, "str:MetadataAttributeList", {"id": "MetadataAttributeDescriptor"})
    for attribute in structure.attributes:
        metadata_attribute(attributes, attribute, _MANNER)


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
            region(add(element, "str:Key"), [(part, (value,)) for part, value in key], beside, _MANNER)
    for entry in constraint.regions:
        element = add(parent, "str:CubeRegion", {"include": boolean(entry.included)})
        region(element, members(entry), beside, _MANNER)


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
        if not reported_texts(element, attribute) and isinstance(attribute.value, str):
            add(element, "gen:Value", text=attribute.value)
        _reported(element, attribute.children)


def _writers(artefacts: Sequence[Structure]) -> Mapping[str, tuple[str, Callable[[Element, Any], None]]]:
    """Kind to its container and writer, each kind behind what it refers to."""

    def constraint(parent: Element, artefact: sdmx.DataConstraint) -> None:
        _constraint(parent, artefact, beside_the_key(artefact, artefacts))

    return {
        "AgencyScheme": ("AgencySchemes", _organisations),
        "MetadataProviderScheme": ("MetadataProviderSchemes", _organisations),
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
