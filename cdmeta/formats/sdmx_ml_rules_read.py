"""Constraints and maps of SDMX-ML of any version: what data may hold, and what becomes what."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from cdmeta.formats.sdmx_ml_parts_read import (
    TRUE,
    Items,
    Readers,
    below,
    common_parts,
    first,
    id_of,
    local_ids,
    local_name,
    ref_of,
    reference_of,
    text_of,
)
from cdmeta.sdmx import artefacts as sdmx
from cdmeta.urn import Ref, known_kind

if TYPE_CHECKING:
    from lxml.etree import _Element as Element


def _constraint(element: Element, items: list[Any]) -> sdmx.DataConstraint:
    role = element.get("role") or element.get("type") or "Allowed"
    is_actual = role == "Actual" or local_name(element.tag) == "AvailabilityConstraint"
    attached = [
        found
        for entry in below(element, "ConstraintAttachment")
        for part in entry
        if (kind := known_kind(local_name(part.tag))) and (found := reference_of(part, kind))
    ]
    return sdmx.DataConstraint(
        **common_parts(element),
        allowed=not is_actual,
        attached=tuple(attached),
        regions=tuple(entry for item in items for entry in item if isinstance(entry, sdmx.CubeRegion)),
        keys=tuple(entry for item in items for entry in item if not isinstance(entry, sdmx.CubeRegion)),
    )


_MEMBERS = ("KeyValue", "Attribute", "Component")


def _regions(element: Element) -> list[sdmx.CubeRegion] | None:
    """A part of the cube, as those that are meant and those that are left out; None where that cannot be said.

    A member without values is left away: it stands for all of them.
    """
    members = [entry for entry in element if local_name(entry.tag) in _MEMBERS]
    meant = element.get("include", "true") in TRUE
    kept: list[tuple[str, frozenset[str]]] = []
    ranges: list[tuple[str, sdmx.TimeRange]] = []
    left: list[sdmx.CubeRegion] = []
    for entry in members:
        id_, included, values = (
            id_of(entry),
            entry.get("include", "true") in TRUE,
            frozenset(_member_values(entry)),
        )
        limits = first(entry, "TimeRange")
        if limits is not None and included:
            ranges.append((id_, _time_range(limits)))
        elif limits is not None:
            left.append(sdmx.CubeRegion((), included=False, ranges=((id_, _time_range(limits)),)))
        elif values and not included:
            left.append(sdmx.CubeRegion(((id_, values),), included=False))
        elif values or not included:
            kept.append((id_, values))
    if left and not meant:
        return None
    region = [sdmx.CubeRegion(tuple(kept), meant, tuple(ranges))] if kept or ranges or not left else []
    return region + left


def _time_range(element: Element) -> sdmx.TimeRange:
    limits = {local_name(entry.tag): entry for entry in element}
    start = limits.get("StartPeriod", limits.get("AfterPeriod"))
    end = limits.get("EndPeriod", limits.get("BeforePeriod"))
    (first, first_included), (last, last_included) = _limit(start), _limit(end)
    return sdmx.TimeRange(first, last, first_included, last_included)


def _limit(element: Element | None) -> tuple[str | None, bool]:
    if element is None:
        return None, True
    return (element.text or "").strip(), element.get("isInclusive", "true") in TRUE


def _member_values(element: Element) -> list[str]:
    return [(entry.text or "").strip() for entry in below(element, "Value")]


def _key_set(element: Element) -> list[tuple[bool, tuple[tuple[str, str], ...]]]:
    included = element.get("isIncluded", "true") in TRUE
    return [(included, tuple(_key_values(key))) for key in below(element, "Key")]


def _key_values(element: Element) -> Iterator[tuple[str, str]]:
    """Values of dimensions, and of other components where a key has such."""
    for entry in element:
        if local_name(entry.tag) in _MEMBERS:
            for value in _member_values(entry):
                yield id_of(entry), value


def _representation_map(element: Element, items: list[Any]) -> sdmx.RepresentationMap:
    return sdmx.RepresentationMap(
        **common_parts(element),
        sources=_columns(element, "Source"),
        targets=_columns(element, "Target"),
        mappings=tuple(items),
    )


def _columns(element: Element, side: str) -> tuple[Ref | str, ...]:
    found: list[Ref | str] = []
    for entry in element:
        if local_name(entry.tag) == f"{side}Codelist":
            found.append(ref_of(entry, "Codelist", element))
        elif local_name(entry.tag) == f"{side}DataType":
            found.append((entry.text or "").strip())
    return tuple(found)


def _mapping(element: Element) -> sdmx.ValueMapping | None:
    """A row of a map; None where it says more than which values become which."""
    if len(element.attrib) or any(len(entry.attrib) for entry in below(element, "SourceValue")):
        return None
    sources, targets = (
        tuple(entry.text or "" for entry in below(element, name)) for name in ("SourceValue", "TargetValue")
    )
    return sdmx.ValueMapping(sources, targets)


def _structure_map(element: Element, _: list[Any]) -> sdmx.StructureMap:
    return sdmx.StructureMap(
        **common_parts(element),
        source=ref_of(first(element, "Source"), "DataStructure", element),
        target=ref_of(first(element, "Target"), "DataStructure", element),
        components=tuple(map(_component_map, below(element, "ComponentMap"))),
        fixed=tuple(
            sdmx.FixedValueMap(
                text_of(entry, "Target") or "", tuple(value.text or "" for value in below(entry, "Value"))
            )
            for entry in below(element, "FixedValueMap")
        ),
        dates=tuple(map(_date_map, below(element, "DatePatternMap"))),
    )


def _component_map(element: Element) -> sdmx.ComponentMap:
    values = first(element, "RepresentationMap")
    return sdmx.ComponentMap(
        tuple(local_ids(element, "Source")),
        tuple(local_ids(element, "Target")),
        None if values is None else ref_of(values, "RepresentationMap", element),
    )


def _date_map(element: Element) -> sdmx.DatePatternMap:
    return sdmx.DatePatternMap(
        text_of(element, "Source") or "",
        text_of(element, "Target") or "",
        element.get("sourcePattern", ""),
        element.get("locale", "en"),
        text_of(element, "TargetFrequencyID") or "D",
    )


_IN_CONSTRAINTS = {"CubeRegion": _regions, "DataKeySet": _key_set}
_CONSTRAINTS = ("ContentConstraint", "DataConstraint", "AvailabilityConstraint")
ITEMS: Items = {
    **dict.fromkeys(_CONSTRAINTS, _IN_CONSTRAINTS),
    "RepresentationMap": {"RepresentationMapping": _mapping},
}
READERS: Readers = {
    **dict.fromkeys(_CONSTRAINTS, _constraint),
    "RepresentationMap": _representation_map,
    "StructureMap": _structure_map,
}
