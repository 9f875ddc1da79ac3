"""SDMX-ML 2.1 messages of structures and of reference metadata, with all languages, built with lxml.

What 2.1 has another name or shape for is turned into that:

- a provider of metadata is a data provider, a metadata provision agreement a provision agreement, and a data
  constraint a content constraint;
- the measure is the primary measure, whose id is always `OBS_VALUE`. Several measures are refused, not turned into
  a measure dimension, because that would be another structure, with other keys, than the one that was declared;
- what a metadata structure may report on stands in the structure itself, as metadata targets, and not in the
  metadataflow: ours has one for a dataflow and one for a part of its data (`ReportIds`);
- the metadata structure of a data structure is an annotation (`metadata_annotation`), as .Stat reads it. Which of
  its attributes stand where, the annotation cannot say;
- a metadata set has an id and names, no agency, version or description, and a report for each target.

What 2.1 cannot say at all (value lists, maps, codes taken over from other lists, several values at once) is
refused. A type that 2.1 does not know for the values of a component is `String` there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from cdmeta.errors import ConversionError
from cdmeta.formats.sdmx_elements import (
    Attributes,
    add,
    annotate,
    as_bytes,
    boolean,
    header,
    root,
    texts,
)
from cdmeta.formats.sdmx_ml_parts import (
    Manner,
    concept_notes,
    dimensions,
    item,
    item_ref,
    maintainable,
    metadata_attribute,
    organisations,
    region,
    relationship,
    reported_texts,
    represent,
)
from cdmeta.phrase import Phrase
from cdmeta.sdmx import artefacts as sdmx
from cdmeta.sdmx.artefacts import Annotation, Header, Maintainable, MetadataSet, Representation, Structure
from cdmeta.sdmx.constraints import attachment, beside_the_key, members
from cdmeta.sdmx.xsd import PRIMARY_MEASURE
from cdmeta.urn import Ref

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

METADATA = "METADATA"
"""Type of the annotation by which .Stat finds the metadata structure of a data structure: its URN is the title."""


@dataclass(frozen=True)
class ReportIds:
    """The ids by which a report refers to its metadata structure, in SDMX 2.1.

    Attributes:
        report: of the report structure.
        dataflow_target: of the metadata target that is a dataflow.
        key_target: of the metadata target that is a part of the data of a dataflow.
        dataflow: of the dataflow in either target.
    """

    report: str = "REPORT"
    dataflow_target: str = "DATAFLOW_TARGET"
    key_target: str = "KEY_TARGET"
    dataflow: str = "DATAFLOW"


OWN_IDS = ReportIds()
"""Those of the metadata structures that we write."""
SDG_IDS = ReportIds("SDG_META_RPT", "KEY_TARGET", "KEY_TARGET", "Dataflow")
"""Those of the metadata structure of the indicators of the Sustainable Development Goals."""

_KEY = "DIMENSION_DESCRIPTOR_VALUES_TARGET"
# Text types of 3.0 that 2.1 has none for; where values of data are concerned, these too.
_NOT_IN_21 = frozenset({"GeospatialInformation"})
_NOT_IN_DATA = frozenset({"XHTML"})
# Kinds whose name differs, in elements, in references and in the schemes of the latter.
_NAMES = {
    "DataConstraint": "ContentConstraint",
    "MetadataProviderScheme": "DataProviderScheme",
    "MetadataProvider": "DataProvider",
    "MetadataProvisionAgreement": "ProvisionAgreement",
}
_IDS = {"METADATA_PROVIDERS": "DATA_PROVIDERS"}
_TEXT_TYPES = ("String", "XHTML")


def metadata_annotation(structure: Ref) -> Annotation:
    """What tells .Stat that a data structure or dataflow has reference metadata by a metadata structure."""
    return Annotation(METADATA, structure.urn)


def structures(artefacts: Sequence[Structure], told: Header) -> bytes:
    """A structure message of any artefacts, in the order of the kinds below and, within a kind, as given.

    Raises:
        ConversionError: a text holds a character that XML cannot hold, with its place; or SDMX 2.1 cannot say what
            an artefact says.
    """
    for artefact in artefacts:
        _refuse_unsayable(artefact)
    message = root("2.1", "Structure", "str", "com")
    header(message, told)
    parent = add(message, "mes:Structures") if artefacts else message
    for container, writers in _writers(artefacts):
        chosen = [artefact for kind in writers for artefact in artefacts if artefact.kind == kind]
        group = add(parent, f"str:{container}") if chosen else parent
        for artefact in chosen:
            writers[artefact.kind](_maintainable(group, artefact), artefact)
    return as_bytes(message)


def metadata(
    sets: Sequence[MetadataSet],
    told: Header,
    key: Sequence[tuple[str, str]] = (),
    ids: ReportIds = OWN_IDS,
    structure: Ref | None = None,
) -> bytes:
    """A message of metadata sets, each with a report for each of its targets.

    Args:
        sets: the reports; an attribute that occurs more than once is repeated.
        told: the header.
        key: the part of the data of each target that the reports are on, as pairs of dimension and code; none for
            the whole dataflow.
        ids: those of the metadata structure.
        structure: the metadata structure, where the header has to name it, and not the metadataflows.

    Raises:
        ConversionError: a text holds a character that XML cannot hold, or is to be XHTML and is none; the message
            names the place.
    """
    message = root("2.1", "GenericMetadata", "gen", "com")
    head = header(message, told)
    named = list(dict.fromkeys(structure or report.metadataflow for report in sets))
    for number, ref in enumerate(named, start=1):
        element = add(head, "mes:Structure", {"structureID": f"MD{number}"})
        _refer(element, "com:Structure" if structure else "com:StructureUsage", ref)
    for report in sets:
        about: Attributes = {
            "structureRef": f"MD{named.index(structure or report.metadataflow) + 1}",
            "setID": report.id,
            "reportingBeginDate": report.reporting_begin.isoformat() if report.reporting_begin else None,
            "reportingEndDate": report.reporting_end.isoformat() if report.reporting_end else None,
        }
        element = add(message, "mes:MetadataSet", about)
        annotate(element, report.annotations)
        texts(element, "com:Name", report.name)
        for target in report.targets:
            written = add(element, "gen:Report", {"id": ids.report})
            _target(written, target, key, ids)
            _attribute_set(written, report.attributes)
    return as_bytes(message)


def _target(parent: Element, target: str, key: Sequence[tuple[str, str]], ids: ReportIds) -> None:
    element = add(parent, "gen:Target", {"id": ids.key_target if key else ids.dataflow_target})
    if key:
        keys = add(add(element, "gen:ReferenceValue", {"id": _KEY}), "gen:DataKey")
        for dimension, code in key:
            add(add(keys, "com:KeyValue", {"id": dimension}), "com:Value", text=code)
    referred = add(add(element, "gen:ReferenceValue", {"id": ids.dataflow}), "gen:ObjectReference")
    add(referred, "URN", text=target)


def _attribute_set(parent: Element, attributes: Sequence[sdmx.ReportedAttribute]) -> None:
    group = add(parent, "gen:AttributeSet") if attributes else parent
    for attribute in attributes:
        plain = attribute.value if isinstance(attribute.value, str) and not attribute.structured else None
        element = add(group, "gen:ReportedAttribute", {"id": attribute.id, "value": plain})
        reported_texts(element, attribute)
        _attribute_set(element, attribute.children)


def _refuse_unsayable(artefact: Structure) -> None:
    if artefact.kind in ("ValueList", "RepresentationMap", "StructureMap"):
        raise ConversionError(Phrase("error.sdmx21.kind", {"id": artefact.urn}))
    if isinstance(artefact, sdmx.Codelist) and artefact.extensions:
        raise ConversionError(Phrase("error.sdmx21.extensions", {"id": artefact.urn}))
    if isinstance(artefact, sdmx.DataStructure):
        _refuse_measures(artefact)
    for part in _with_values(artefact):
        if (
            part.representation
            and part.representation.codelist
            and part.representation.codelist.kind == "ValueList"
        ):
            raise ConversionError(Phrase("error.sdmx21.kind", {"id": part.representation.codelist.urn}))
        if part.representation and part.representation.max_occurs != 1:
            raise ConversionError(Phrase("error.sdmx21.occurs", {"part": part.id, "id": artefact.urn}))


def _with_values(
    artefact: Structure,
) -> Sequence[sdmx.Dimension | sdmx.Measure | sdmx.Attribute | sdmx.Concept]:
    if isinstance(artefact, sdmx.DataStructure):
        return artefact.components
    return artefact.concepts if isinstance(artefact, sdmx.ConceptScheme) else ()


def _refuse_measures(structure: sdmx.DataStructure) -> None:
    if not structure.measures:
        raise ConversionError(Phrase("error.sdmx21.no-measure", {"id": structure.urn}))
    if len(structure.measures) > 1:
        names = ", ".join(measure.id for measure in structure.measures)
        raise ConversionError(Phrase("error.sdmx21.measures", {"id": structure.urn, "measures": names}))


def _as_21(ref: Ref) -> Ref:
    return replace(ref, kind=_NAMES.get(ref.kind, ref.kind), id=_IDS.get(ref.id, ref.id))


def _refer(parent: Element, name: str, ref: Ref) -> None:
    """A reference by its parts, which every reader of 2.1 takes."""
    old = _as_21(ref)
    package = old.urn.split("=")[0].split(".")[-2]
    if old.item is None:
        what = {"id": old.id, "version": old.version, "agencyID": old.agency}
    else:
        parents = {"maintainableParentID": old.id, "maintainableParentVersion": old.version}
        what = {"id": old.item, **parents, "agencyID": old.agency}
    add(add(parent, name), "Ref", {**what, "package": package, "class": old.kind})


def _local(parent: Element, name: str, item: str) -> None:
    add(add(parent, name), "Ref", {"id": item})


def _level(parent: Element, level: str) -> None:
    if level == "observation":
        _local(parent, "str:PrimaryMeasure", PRIMARY_MEASURE)
    else:
        add(parent, "str:None")


_MANNER = Manner(_refer, _local, _level, _as_21, ("com:KeyValue", "com:Attribute", "com"))


def _maintainable(parent: Element, artefact: Maintainable) -> Element:
    name = f"str:{_as_21(artefact.ref).kind}"
    return maintainable(parent, name, artefact, _MANNER, _notes(artefact), isFinal="false")


def _notes(artefact: Maintainable) -> tuple[Annotation, ...]:
    """Its annotations, with the one for .Stat, unless it is there already."""
    if not isinstance(artefact, sdmx.DataStructure) or artefact.metadata is None:
        return artefact.annotations
    if any(note.type == METADATA for note in artefact.annotations):
        return artefact.annotations
    return (*artefact.annotations, metadata_annotation(artefact.metadata))


def _organisations(parent: Element, scheme: sdmx.AgencyScheme | sdmx.MetadataProviderScheme) -> None:
    organisations(parent, scheme, _MANNER)


def _codes(parent: Element, codelist: sdmx.Codelist) -> None:
    for code in codelist.codes:
        element = item(parent, item_ref("Code", codelist.ref, code.id, _MANNER), code.name, code.description)
        if code.parent:
            _local(element, "str:Parent", code.parent)


def _concepts(parent: Element, scheme: sdmx.ConceptScheme) -> None:
    for concept in scheme.concepts:
        names = (concept.name, concept.description)
        element = item(parent, scheme.concept_ref(concept.id), *names, concept_notes(concept))
        if concept.representation:
            represent(element, "str:CoreRepresentation", _known(concept.representation), _MANNER)


def _known(representation: Representation, unknown: frozenset[str] = _NOT_IN_21) -> Representation:
    """A representation, any text where 2.1 does not know its type."""
    return replace(representation, text_type="String") if representation.text_type in unknown else representation


def _component(
    parent: Element, name: str, part: sdmx.Dimension | sdmx.Measure | sdmx.Attribute, **attributes: str
) -> Element:
    element = add(parent, name, {"id": part.id, **attributes})
    _refer(element, "str:ConceptIdentity", part.concept)
    represent(element, "str:LocalRepresentation", _known(part.representation, _NOT_IN_21 | _NOT_IN_DATA), _MANNER)
    return element


def _dimension(parent: Element, name: str, part: sdmx.Dimension) -> None:
    _component(parent, name, part, position=str(part.position))


def _data_structure(parent: Element, structure: sdmx.DataStructure) -> None:
    components = add(parent, "str:DataStructureComponents")
    dimensions(components, structure, _dimension, _MANNER)
    if structure.attributes:
        attributes = add(components, "str:AttributeList", {"id": "AttributeDescriptor"})
        for attribute in structure.attributes:
            status = "Mandatory" if attribute.mandatory else "Conditional"
            element = _component(attributes, "str:Attribute", attribute, assignmentStatus=status)
            relationship(element, attribute, _MANNER)
    measures = add(components, "str:MeasureList", {"id": "MeasureDescriptor"})
    _component(measures, "str:PrimaryMeasure", replace(structure.measures[0], id=PRIMARY_MEASURE))


def _dataflow(parent: Element, dataflow: sdmx.Dataflow) -> None:
    _refer(parent, "str:Structure", dataflow.structure)


def _metadata_structure(parent: Element, structure: sdmx.MetadataStructure) -> None:
    components = add(parent, "str:MetadataStructureComponents")
    for name in (OWN_IDS.key_target, OWN_IDS.dataflow_target):
        target = add(components, "str:MetadataTarget", {"id": name})
        if name == OWN_IDS.key_target:
            key = add(target, "str:KeyDescriptorValuesTarget", {"id": _KEY})
            add(add(key, "str:LocalRepresentation"), "str:TextFormat", {"textType": "KeyValues"})
        flow = add(target, "str:IdentifiableObjectTarget", {"id": OWN_IDS.dataflow, "objectType": "Dataflow"})
        add(add(flow, "str:LocalRepresentation"), "str:TextFormat", {"textType": "IdentifiableReference"})
    report = add(components, "str:ReportStructure", {"id": OWN_IDS.report})
    for attribute in structure.attributes:
        metadata_attribute(report, attribute, _MANNER, _known)
    for name in (OWN_IDS.key_target, OWN_IDS.dataflow_target):
        _local(report, "str:MetadataTarget", name)


def _metadataflow(parent: Element, flow: sdmx.Metadataflow) -> None:
    _refer(parent, "str:Structure", flow.structure)


def _agreement(parent: Element, agreement: sdmx.MetadataProvisionAgreement) -> None:
    _refer(parent, "str:StructureUsage", agreement.metadataflow)
    _refer(parent, "str:DataProvider", agreement.provider)


def _constraint(parent: Element, constraint: sdmx.DataConstraint, beside: frozenset[str]) -> None:
    parent.set("type", "Allowed" if constraint.allowed else "Actual")
    if constraint.attached:
        kind = attachment(constraint)
        element = add(parent, "str:ConstraintAttachment")
        for ref in constraint.attached:
            _refer(element, f"str:{kind}", ref)
    for included, key in constraint.keys:
        element = add(add(parent, "str:DataKeySet", {"isIncluded": boolean(included)}), "str:Key")
        region(element, [(part, [value]) for part, value in key], frozenset(), _MANNER)
    for entry in constraint.regions:
        element = add(parent, "str:CubeRegion", {"include": boolean(entry.included)})
        region(element, members(entry), beside, _MANNER)


def _writers(
    artefacts: Sequence[Structure],
) -> tuple[tuple[str, Mapping[str, Callable[[Element, Any], None]]], ...]:
    """Containers in the order that the schema wants, with the writer of each kind that is in them."""

    def constraint(parent: Element, artefact: sdmx.DataConstraint) -> None:
        _constraint(parent, artefact, beside_the_key(artefact, artefacts))

    return (
        ("OrganisationSchemes", dict.fromkeys(("AgencyScheme", "MetadataProviderScheme"), _organisations)),
        ("Dataflows", {"Dataflow": _dataflow}),
        ("Metadataflows", {"Metadataflow": _metadataflow}),
        ("Codelists", {"Codelist": _codes}),
        ("Concepts", {"ConceptScheme": _concepts}),
        ("MetadataStructures", {"MetadataStructure": _metadata_structure}),
        ("DataStructures", {"DataStructure": _data_structure}),
        ("Constraints", {"DataConstraint": constraint}),
        ("ProvisionAgreements", {"MetadataProvisionAgreement": _agreement}),
    )
