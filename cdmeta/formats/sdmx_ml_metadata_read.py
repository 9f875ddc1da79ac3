"""Reference metadata of SDMX-ML 2.1, 3.0 and 3.1, read as a stream with lxml."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, BinaryIO
from xml.sax.saxutils import escape

from cdmeta.formats.messages import day, refusal
from cdmeta.formats.sdmx_ml_parts_read import (
    LANGUAGE,
    below,
    common_parts,
    events,
    first,
    forget,
    id_of,
    lacking,
    local_name,
    raw_text,
    ref_of,
    reference_of,
    text_of,
    texts_of,
)
from cdmeta.sdmx.artefacts import MetadataSet, ReportedAttribute
from cdmeta.text import Text
from cdmeta.urn import Ref

if TYPE_CHECKING:
    from lxml.etree import _Element as Element


_ROOTS = ("GenericMetadata", "StructureSpecificMetadata")
_NAMES = ("Attribute", "ReportedAttribute")
_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
_XHTML = "{http://www.w3.org/1999/xhtml}"


def metadata(stream: BinaryIO) -> Iterator[MetadataSet]:
    """The metadata sets of a message.

    A report of SDMX 2.1, generic or structure-specific, is a set for itself. It has no metadataflow of its own, so
    what the header names counts, which may be a metadata structure; and it may lack a name and an id, which is
    that of the report then.

    Raises:
        ConversionError: as for `structures`.
    """
    depth = 0
    headed: dict[str, Ref] = {}
    before: list[Element | None] = [None]
    for event, element in events(stream):
        name = local_name(element.tag)
        if event == "start":
            depth += 1
            if depth == 1 and name not in _ROOTS:
                raise refusal("kind.metadata", name=name)
            continue
        depth -= 1
        if depth == 1 and name == "Header":
            headed = dict(_headed(element))
        elif depth == 1 and name == "MetadataSet":
            reports = below(element, "Report")
            yield from (_report(element, report, headed) for report in reports)
            if not reports:
                yield _metadata_set(element)
            forget(element, before, 0)


def _headed(header: Element) -> Iterator[tuple[str, Ref]]:
    for entry in below(header, "Structure"):
        for name, kind in (("Structure", "MetadataStructure"), ("StructureUsage", "Metadataflow")):
            if (found := first(entry, name)) is not None:
                yield entry.get("structureID", ""), ref_of(found, kind, entry)


def _metadata_set(element: Element) -> MetadataSet:
    flow = first(element, "Metadataflow")
    agreed = first(element, "MetadataProvisionAgreement") if flow is None else None
    kind = "Metadataflow" if agreed is None else "MetadataProvisionAgreement"
    return MetadataSet(
        **common_parts(element),
        metadataflow=ref_of(flow if agreed is None else agreed, kind, element),
        targets=tuple((target.text or "").strip() for target in below(element, "Target")),
        attributes=tuple(map(_reported, _attributes_of(element))),
        reporting_begin=_date(element, "reportingBeginDate"),
        reporting_end=_date(element, "reportingEndDate"),
    )


def _report(element: Element, report: Element, headed: Mapping[str, Ref]) -> MetadataSet:
    own = {local_name(str(name)): str(value) for name, value in element.attrib.items()}
    ref = headed.get(own.get("structureRef", ""))
    if ref is None:
        raise lacking(element, "structureRef")
    references = below(report, "Target", "ReferenceValue", "ObjectReference")
    references += below(report, "Target", "ReferenceValue", "DataSetReference")
    return MetadataSet(
        ref.agency,
        own.get("setID") or report.get("id") or _type_of(report) or id_of(report),
        "1.0",
        texts_of(element, "Name"),
        metadataflow=ref,
        targets=tuple(found for entry in references if (found := _target(entry))),
        attributes=tuple(map(_reported, _attributes_of(report))),
        reporting_begin=day(own.get("reportingBeginDate", "")),
        reporting_end=day(own.get("reportingEndDate", "")),
    )


def _target(element: Element) -> str | None:
    """The URN of what a report of SDMX 2.1 is on; one of a kind that we do not know stays as it is written."""
    if urn := text_of(element, "URN"):
        return urn
    found = reference_of(element, "Dataflow")
    return None if found is None else found.urn


def _date(element: Element, name: str) -> dt.date | None:
    """The day, where it is one: a year or a quarter is left away."""
    return day(element.get(name, ""))


def _attributes_of(element: Element) -> list[Element]:
    """What is reported: directly below, or in a set of its own."""
    direct = [child for child in element if local_name(child.tag) in _NAMES]
    return direct + [child for entry in below(element, "AttributeSet") for child in entry]


def _attribute_id(element: Element) -> str:
    """The id of an attribute; structure-specific messages call the element by it."""
    name = local_name(element.tag)
    return id_of(element) if name in _NAMES else name


def _type_of(element: Element) -> str:
    return element.get(_TYPE, "").rpartition(":")[2]


def _reported(element: Element) -> ReportedAttribute:
    value: Text | str | None = raw_text(element, "Value")
    if value is None:
        value = element.get("value")
    structured = below(element, "StructuredText")
    if structured:
        value = Text(tuple((entry.get(LANGUAGE, "en"), _markup(entry)) for entry in structured))
    elif texts := texts_of(element, "Text"):
        value = texts
    elif value is None and first(element, "Value") is not None:
        value = ""
    children = tuple(map(_reported, _attributes_of(element)))
    return ReportedAttribute(_attribute_id(element), value, children, bool(structured))


def _markup(element: Element) -> str:
    """XHTML as it is written between tags, without the names of its namespace."""
    from lxml import etree

    parts = [etree.tostring(_bare(child), encoding="unicode") for child in element]
    return escape(element.text or "") + "".join(parts)


def _bare(element: Element) -> Element:
    """The same element and what is in it, without namespaces that are only declared."""
    from lxml import etree

    made = etree.Element(element.tag.removeprefix(_XHTML))
    made.text, made.tail = element.text, element.tail
    for name, value in element.attrib.items():
        made.set(name, value)
    made.extend([_bare(child) for child in element])
    return made
