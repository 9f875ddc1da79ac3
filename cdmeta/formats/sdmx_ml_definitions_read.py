"""Data structures and metadata structures of SDMX-ML of any version, and what is by them: flows and agreements."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cdmeta.formats.sdmx_ml_parts_read import (
    TRUE,
    Readers,
    below,
    common_parts,
    component_id,
    concept_of,
    first,
    id_of,
    lacking,
    local_ids,
    local_name,
    local_representation,
    ref_of,
    text_of,
    whole_number,
)
from cdmeta.sdmx import artefacts as sdmx

if TYPE_CHECKING:
    from lxml.etree import _Element as Element


_TIME, _MEASURE = "TIME_PERIOD", "OBS_VALUE"
_TIME_TYPE = "ObservationalTimePeriod"


def _data_structure(element: Element, _: list[Any]) -> sdmx.DataStructure:
    parts = first(element, "DataStructureComponents")
    if parts is None:
        raise lacking(element, "DataStructureComponents")
    groups = {group.id: group for group in map(_group, below(parts, "Group"))}
    metadata = first(element, "Metadata")
    return sdmx.DataStructure(
        **common_parts(element),
        dimensions=_dimensions(parts),
        measures=tuple(_measure(part) for part in _parts(parts, "MeasureList", ("PrimaryMeasure", "Measure"))),
        attributes=tuple(_attribute(part, groups) for part in _parts(parts, "AttributeList", _ATTRIBUTES)),
        groups=tuple(groups.values()),
        metadata=None if metadata is None else ref_of(metadata, "MetadataStructure", element),
        metadata_usages=tuple(
            _metadata_usage(part, groups) for part in _parts(parts, "AttributeList", ("MetadataAttributeUsage",))
        ),
    )


_ATTRIBUTES = ("Attribute", "ReportingYearStartDay")
_DIMENSIONS = ("Dimension", "MeasureDimension", "TimeDimension")


def _parts(parts: Element, container: str, names: tuple[str, ...]) -> list[Element]:
    found = first(parts, container)
    return [] if found is None else [entry for entry in found if local_name(entry.tag) in names]


def _dimensions(parts: Element) -> tuple[sdmx.Dimension, ...]:
    """The dimensions, time last; a position that is not told is that in the list."""
    read = []
    for place, part in enumerate(_parts(parts, "DimensionList", _DIMENSIONS), start=1):
        is_time = local_name(part.tag) == "TimeDimension"
        concept = concept_of(part)
        local = local_representation(part, _TIME_TYPE if is_time else "String")
        position = whole_number(part, part.get("position", str(place)), "position")
        id_ = component_id(part, concept, _TIME if is_time else None)
        read.append(sdmx.Dimension(id_, concept, local, position, is_time))
    return tuple(sorted(read, key=lambda part: part.is_time))


def _group(element: Element) -> sdmx.Group:
    return sdmx.Group(id_of(element), tuple(local_ids(element, "GroupDimension", "DimensionReference")))


def _measure(element: Element) -> sdmx.Measure:
    concept = concept_of(element)
    fixed = _MEASURE if local_name(element.tag) == "PrimaryMeasure" else None
    id_ = fixed or component_id(element, concept)
    return sdmx.Measure(id_, concept, local_representation(element), element.get("usage") == "mandatory")


def _attribute(element: Element, groups: Mapping[str, sdmx.Group]) -> sdmx.Attribute:
    concept = concept_of(element)
    attachment, group = _attachment(element, groups)
    mandatory = "mandatory" in (element.get("usage"), element.get("assignmentStatus", "").lower())
    return sdmx.Attribute(
        component_id(element, concept),
        concept,
        local_representation(element),
        attachment,
        mandatory,
        group,
        tuple(local_ids(element, "MeasureRelationship", "Measure")),
    )


def _metadata_usage(element: Element, groups: Mapping[str, sdmx.Group]) -> sdmx.MetadataAttributeUsage:
    attribute = text_of(element, "MetadataAttributeReference")
    if not attribute:
        raise lacking(element, "MetadataAttributeReference")
    if first(element, "AttributeRelationship") is None:  # required, and left out by registries all the same
        return sdmx.MetadataAttributeUsage(attribute, "dataflow")
    return sdmx.MetadataAttributeUsage(attribute, *_attachment(element, groups))


def _attachment(element: Element, groups: Mapping[str, sdmx.Group]) -> tuple[sdmx.Attachment, str | None]:
    """What an attribute belongs to; `None` of SDMX 2.1 is the dataflow, its primary measure the observation."""
    relationship = first(element, "AttributeRelationship")
    if relationship is None:
        raise lacking(element, "AttributeRelationship")
    if dimensions := tuple(local_ids(relationship, "Dimension")):
        return dimensions, None
    if group := next(local_ids(relationship, "Group"), None):
        if group not in groups:
            raise lacking(relationship, f"Group {group}")
        return groups[group].dimensions, group
    named = {local_name(entry.tag) for entry in relationship}
    return ("dataflow" if named & {"None", "Dataflow"} else "observation"), None


def _dataflow(element: Element, _: list[Any]) -> sdmx.Dataflow:
    structure = ref_of(first(element, "Structure"), "DataStructure", element)
    return sdmx.Dataflow(**common_parts(element), structure=structure)


def _metadata_structure(element: Element, _: list[Any]) -> sdmx.MetadataStructure:
    """The metadata structure; of SDMX 2.1, the attributes of all its report structures, each id once."""
    parts = first(element, "MetadataStructureComponents")
    if parts is None:
        raise lacking(element, "MetadataStructureComponents")
    found = below(parts, "MetadataAttributeList", "MetadataAttribute")
    found += below(parts, "ReportStructure", "MetadataAttribute")
    attributes = {entry.id: entry for entry in map(_metadata_attribute, reversed(found))}
    return sdmx.MetadataStructure(**common_parts(element), attributes=tuple(reversed(attributes.values())))


def _metadata_attribute(element: Element) -> sdmx.MetadataAttribute:
    concept = concept_of(element)
    most = element.get("maxOccurs", "1")
    return sdmx.MetadataAttribute(
        component_id(element, concept),
        concept,
        local_representation(element),
        whole_number(element, element.get("minOccurs", "1"), "minOccurs"),
        None if most == "unbounded" else whole_number(element, most, "maxOccurs"),
        element.get("isPresentational") in TRUE,
        tuple(_metadata_attribute(child) for child in below(element, "MetadataAttribute")),
    )


def _metadataflow(element: Element, _: list[Any]) -> sdmx.Metadataflow:
    structure = ref_of(first(element, "Structure"), "MetadataStructure", element)
    targets = tuple((target.text or "").strip() for target in below(element, "Target"))
    return sdmx.Metadataflow(**common_parts(element), structure=structure, targets=targets)


def _agreement(element: Element, _: list[Any]) -> sdmx.MetadataProvisionAgreement:
    return sdmx.MetadataProvisionAgreement(
        **common_parts(element),
        metadataflow=ref_of(first(element, "Metadataflow"), "Metadataflow", element),
        provider=ref_of(first(element, "MetadataProvider"), "MetadataProvider", element),
    )


READERS: Readers = {
    "DataStructure": _data_structure,
    "Dataflow": _dataflow,
    "MetadataStructure": _metadata_structure,
    "Metadataflow": _metadataflow,
    "MetadataProvisionAgreement": _agreement,
}
