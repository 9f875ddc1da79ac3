"""SDMX-ML 2.1, 3.0 and 3.1 messages of structures and of reference metadata, read as streams with lxml.

Elements are taken by their local names, because the versions differ in namespaces far more than in names. Items of
schemes, keys of constraints and rows of maps are turned into values and let go of one by one, so that memory grows
with the artefacts and not with the message.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from functools import cache, partial
from typing import TYPE_CHECKING, Any, BinaryIO, cast
from xml.sax.saxutils import escape

from cdmeta.formats.messages import Skipped, absent, code_told, concept_told, day, refusal, whole
from cdmeta.phrase import Phrase
from cdmeta.sdmx import artefacts as sdmx
from cdmeta.sdmx.artefacts import Annotation, MetadataSet, ReportedAttribute, Representation, Structure
from cdmeta.text import NO_TEXT, Text
from cdmeta.urn import Ref, known_kind

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

NAMESPACE = "http://www.sdmx.org/resources/sdmxml/schemas/"
"""Begins the namespaces of all versions: `v2_1/message`."""
VERSIONS = ("v2_1", "v3_0", "v3_1")

_LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"
_XHTML = "{http://www.w3.org/1999/xhtml}"
_TIME, _MEASURE = "TIME_PERIOD", "OBS_VALUE"
_TIME_TYPE = "ObservationalTimePeriod"


def structures(stream: BinaryIO) -> Iterator[Structure | Skipped]:
    """The artefacts of a structure message, in its order, and what of it is not read.

    Args:
        stream: bytes of a message, of which the caller knows that it is XML.

    Raises:
        ConversionError: it is no well-formed XML or no such message, or lacks what an artefact has to have.
    """
    for element, items in _maintainables(stream):
        kind = _local(element.tag)
        read = _READERS.get(kind)
        if read is None or element.get("isExternalReference") in _TRUE or _is_beyond(element, items):
            yield Skipped(kind, element.get("agencyID", ""), element.get("id", ""), element.get("version", "1.0"))
        else:
            yield read(element, items)


def events(stream: BinaryIO) -> Iterator[tuple[str, Element]]:
    """Starts and ends of elements; nothing is fetched, no entity expanded, no document type taken.

    Raises:
        ConversionError: it is no well-formed XML of a version of SDMX-ML that is read.
    """
    from lxml import etree

    found = etree.iterparse(
        stream,
        events=("start", "end"),
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    first = True
    try:
        for event, element in found:
            if first:
                check_root(element)
                first = False
            yield event, element
    except etree.XMLSyntaxError as error:
        line = error.lineno or 1
        raise refusal("xml", line=line, reason=str(error.msg).partition(", line ")[0]) from error


def check_root(root: Element) -> None:
    """Raise ConversionError where a document has a document type, or is of no version that is read."""
    if root.getroottree().docinfo.internalDTD is not None:
        raise refusal("doctype")
    check_name(root.tag.removeprefix("{"))


def check_name(tag: str) -> None:
    """Raise ConversionError where the name of a root (`namespace}name`) is of no version that is read."""
    namespace, _, name = tag.rpartition("}")
    version = namespace.removeprefix(NAMESPACE).partition("/")[0]
    if not namespace.startswith(NAMESPACE):
        raise refusal("root", name=name)
    if version not in VERSIONS:
        raise refusal("version", version=version.removeprefix("v").replace("_", "."))


def _maintainables(stream: BinaryIO) -> Iterator[tuple[Element, list[Any]]]:
    """Each maintainable element at its end, with the values of its items, which it holds no more."""
    depth, base = 0, None
    items: list[Any] = []
    before: list[Element | None] = [None, None]
    for event, element in events(stream):
        if event == "start":
            depth += 1
            if base is None and _local(element.tag) == "Structures":
                base = depth
            elif base is None and depth == 1 and _local(element.tag) not in ("Structure", "RegistryInterface"):
                raise refusal("kind.structure", name=_local(element.tag))
            continue
        depth -= 1
        level = depth + 1 - base if base is not None else 0
        if level == 2:
            yield element, items
            items = []
            _forget(element, before, 0)
            before[1] = None
        elif level == 3 and (read := _item_reader(element)):
            items.append(read(element))
            _forget(element, before, 1)


def _item_reader(element: Element) -> Callable[[Element], Any] | None:
    parent = element.getparent()
    return None if parent is None else _ITEMS.get(_local(parent.tag), {}).get(_local(element.tag))


def _forget(element: Element, before: list[Element | None], place: int) -> None:
    """Empty an element, and take the one before it away: only what lies behind the parser may be touched."""
    for part in list(element):
        element.remove(part)
    element.text = None
    element.attrib.clear()
    previous, before[place] = before[place], element
    if previous is not None and (parent := previous.getparent()) is not None:
        parent.remove(previous)


@cache
def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


def _all(element: Element, *names: str) -> list[Element]:
    """The elements below, by the names of a path."""
    found = [element]
    for name in names:
        found = [child for entry in found for child in entry if _local(child.tag) == name]
    return found


def _one(element: Element, *names: str) -> Element | None:
    return next(iter(_all(element, *names)), None)


def _content(element: Element, *names: str) -> str | None:
    """The text of an element, without spaces around it, for ids and the like; None where it is not there."""
    found = _one(element, *names)
    return None if found is None else (found.text or "").strip()


def _texts(element: Element, name: str) -> Text:
    """A text in its languages; without one it is in English, which is the default of the schemas."""
    found = ((entry.get(_LANGUAGE, "en"), entry.text) for entry in _all(element, name))
    return Text(tuple((language, text) for language, text in found if text))


def _place(element: Element) -> str:
    """Where an element stands, as people find it: `Codelist CL_AREA, Code KE`."""
    above = [element, *element.iterancestors()]
    named = [f"{_local(entry.tag)} {entry.get('id')}" for entry in reversed(above) if entry.get("id")]
    return ", ".join([*named, *([] if element.get("id") else [_local(element.tag)])])


def _absent(element: Element, name: str) -> Exception:
    return absent(Phrase("error.message.at", {"place": _place(element), "line": _line(element)}), name)


def _line(element: Element) -> int:
    return int(cast(Any, element.sourceline) or 0)


def _id(element: Element) -> str:
    if value := element.get("id"):
        return value
    raise _absent(element, "id")


def _ref(element: Element | None, kind: str, owner: Element) -> Ref:
    """What an element refers to: a URN as its text (3.x), or the elements Ref or URN (2.1)."""
    found = None if element is None else _reference(element, kind)
    if found is None:
        raise _absent(owner if element is None else element, kind)
    return found


def _reference(element: Element, kind: str) -> Ref | None:
    if (urn := _content(element, "URN") or (element.text or "").strip()) and (found := Ref.read(urn)):
        return found
    if (ref := _one(element, "Ref")) is None:
        return None
    agency, id_ = ref.get("agencyID"), ref.get("id")
    if not agency or not id_:
        return None
    kind = known_kind(ref.get("class", "")) or kind
    if parent := ref.get("maintainableParentID"):
        return Ref(kind, agency, parent, ref.get("maintainableParentVersion", "1.0"), id_)
    if (scheme := _SCHEMES.get(kind)) is not None:
        return Ref(kind, agency, scheme, "1.0", id_)
    return Ref(kind, agency, id_, ref.get("version", "1.0"))


_SCHEMES = {
    "Agency": "AGENCIES",
    "DataProvider": "DATA_PROVIDERS",
    "MetadataProvider": "METADATA_PROVIDERS",
}
"""Ids that the schemes of organisations always have."""


def _annotations(element: Element) -> tuple[Annotation, ...]:
    return tuple(
        Annotation(
            _content(note, "AnnotationType") or None,
            _raw(note, "AnnotationTitle") or _raw(note, "AnnotationValue"),
            _texts(note, "AnnotationText"),
            note.get("id"),
        )
        for note in _all(element, "Annotations", "Annotation")
    )


def _raw(element: Element, name: str) -> str | None:
    found = _one(element, name)
    return None if found is None else found.text


def _common(element: Element) -> dict[str, Any]:
    """What all maintainable artefacts have."""
    agency = element.get("agencyID")
    if not agency:
        raise _absent(element, "agencyID")
    return {
        "agency": agency,
        "id": _id(element),
        "version": element.get("version", "1.0"),
        "name": _texts(element, "Name"),
        "description": _texts(element, "Description"),
        "annotations": _annotations(element),
    }


def _code(element: Element) -> sdmx.Code:
    """A code; there may be a million of them, so its parts are gone through once."""
    texts: dict[str, list[tuple[str, str]]] = {"Name": [], "Description": []}
    parent: str | None = None
    unread = 0
    for part in element:
        name = _local(part.tag)
        if name in texts and part.text:
            texts[name].append((part.get(_LANGUAGE, "en"), part.text))
        elif name == "Parent":
            parent = next(_locals(element, "Parent"), None)
        elif name == "Annotations":
            above, unread = code_told(_annotations(element))
            parent = parent or above
    name_, description = (Text(tuple(entries)) if entries else NO_TEXT for entries in texts.values())
    return sdmx.Code(_id(element), name_, description, parent, unread)


def _codelist(element: Element, items: list[Any]) -> sdmx.Codelist:
    extensions = tuple(item for item in items if isinstance(item, sdmx.CodelistExtension))
    codes = tuple(item for item in items if isinstance(item, sdmx.Code))
    partial_ = element.get("isPartial") in _TRUE
    return sdmx.Codelist(**_common(element), codes=codes, is_partial=partial_, extensions=extensions)


_TRUE = ("true", "1")


def _extension(element: Element) -> sdmx.CodelistExtension:
    excluded = _one(element, "ExclusiveCodeSelection")
    chosen = excluded if excluded is not None else _one(element, "InclusiveCodeSelection")
    values = () if chosen is None else tuple(entry.text or "" for entry in _all(chosen, "MemberValue"))
    codelist = _ref(_one(element, "Codelist"), "Codelist", element)
    return sdmx.CodelistExtension(codelist, element.get("prefix", ""), values, excluded is not None)


def _value_list(element: Element, items: list[Any]) -> sdmx.ValueList:
    return sdmx.ValueList(**_common(element), codes=tuple(items))


def _concept(element: Element) -> sdmx.Concept:
    core = _one(element, "CoreRepresentation")
    return sdmx.Concept(
        _id(element),
        _texts(element, "Name"),
        _texts(element, "Description"),
        None if core is None else _representation(core),
        **concept_told(_annotations(element)),
    )


def _concept_scheme(element: Element, items: list[Any]) -> sdmx.ConceptScheme:
    return sdmx.ConceptScheme(**_common(element), concepts=tuple(items))


def _organisation(element: Element) -> sdmx.Agency:
    return sdmx.Agency(_id(element), _texts(element, "Name"))


def _agencies(element: Element, items: list[Any]) -> sdmx.AgencyScheme:
    return sdmx.AgencyScheme(**_common(element), agencies=tuple(items))


def _data_providers(element: Element, items: list[Any]) -> sdmx.DataProviderScheme:
    return sdmx.DataProviderScheme(**_common(element), providers=tuple(items))


def _metadata_providers(element: Element, items: list[Any]) -> sdmx.MetadataProviderScheme:
    return sdmx.MetadataProviderScheme(**_common(element), providers=tuple(items))


def _representation(element: Element, default: str = "String") -> Representation:
    most = element.get("maxOccurs", "1")
    occurs = None if most == "unbounded" else _whole(element, most, "maxOccurs")
    if (enumeration := _one(element, "Enumeration")) is not None:
        return Representation(_ref(enumeration, "Codelist", element), max_occurs=occurs)
    facets = _one(element, "TextFormat")
    if facets is None:
        return Representation(text_type=default, max_occurs=occurs)
    number = partial(_facet, facets)
    return Representation(
        None,
        facets.get("textType", default),
        number("minLength"),
        number("maxLength"),
        facets.get("minValue"),
        facets.get("maxValue"),
        facets.get("pattern"),
        number("decimals"),
        occurs,
    )


def _facet(element: Element, name: str) -> int | None:
    value = element.get(name)
    return None if value is None else _whole(element, value, name)


def _whole(element: Element, value: str, name: str) -> int:
    if (found := whole(value)) is None:
        raise _absent(element, name)
    return found


def _local_representation(element: Element, default: str = "String") -> Representation:
    """The representation of a component; one that is the concept's says so."""
    found = _one(element, "LocalRepresentation")
    return Representation(from_concept=True) if found is None else _representation(found, default)


def _concept_of(element: Element) -> Ref:
    return _ref(_one(element, "ConceptIdentity"), "Concept", element)


def _component_id(element: Element, concept: Ref, fixed: str | None = None) -> str:
    """The id of a component: in SDMX 2.1 that of its concept, where it has none of its own."""
    if found := element.get("id") or fixed or concept.item:
        return found
    raise _absent(element, "id")


def _data_structure(element: Element, _: list[Any]) -> sdmx.DataStructure:
    parts = _one(element, "DataStructureComponents")
    if parts is None:
        raise _absent(element, "DataStructureComponents")
    groups = {group.id: group for group in map(_group, _all(parts, "Group"))}
    metadata = _one(element, "Metadata")
    return sdmx.DataStructure(
        **_common(element),
        dimensions=_dimensions(parts),
        measures=tuple(_measure(part) for part in _parts(parts, "MeasureList", ("PrimaryMeasure", "Measure"))),
        attributes=tuple(_attribute(part, groups) for part in _parts(parts, "AttributeList", _ATTRIBUTES)),
        groups=tuple(groups.values()),
        metadata=None if metadata is None else _ref(metadata, "MetadataStructure", element),
        metadata_usages=tuple(
            _metadata_usage(part, groups) for part in _parts(parts, "AttributeList", ("MetadataAttributeUsage",))
        ),
    )


_ATTRIBUTES = ("Attribute", "ReportingYearStartDay")
_DIMENSIONS = ("Dimension", "MeasureDimension", "TimeDimension")


def _parts(parts: Element, container: str, names: tuple[str, ...]) -> list[Element]:
    found = _one(parts, container)
    return [] if found is None else [entry for entry in found if _local(entry.tag) in names]


def _dimensions(parts: Element) -> tuple[sdmx.Dimension, ...]:
    """The dimensions, time last; a position that is not told is that in the list."""
    read = []
    for place, part in enumerate(_parts(parts, "DimensionList", _DIMENSIONS), start=1):
        is_time = _local(part.tag) == "TimeDimension"
        concept = _concept_of(part)
        local = _local_representation(part, _TIME_TYPE if is_time else "String")
        position = _whole(part, part.get("position", str(place)), "position")
        id_ = _component_id(part, concept, _TIME if is_time else None)
        read.append(sdmx.Dimension(id_, concept, local, position, is_time))
    return tuple(sorted(read, key=lambda part: part.is_time))


def _group(element: Element) -> sdmx.Group:
    return sdmx.Group(_id(element), tuple(_locals(element, "GroupDimension", "DimensionReference")))


def _locals(element: Element, *names: str) -> Iterator[str]:
    """Ids of components that are referred to: as a text (3.x), or as the element Ref (2.1)."""
    for entry in _all(element, *names):
        ref = _one(entry, "Ref")
        if found := (entry.text or "").strip() if ref is None else ref.get("id", ""):
            yield found


def _measure(element: Element) -> sdmx.Measure:
    concept = _concept_of(element)
    fixed = _MEASURE if _local(element.tag) == "PrimaryMeasure" else None
    id_ = fixed or _component_id(element, concept)
    return sdmx.Measure(id_, concept, _local_representation(element), element.get("usage") == "mandatory")


def _attribute(element: Element, groups: Mapping[str, sdmx.Group]) -> sdmx.Attribute:
    concept = _concept_of(element)
    attachment, group = _attachment(element, groups)
    mandatory = "mandatory" in (element.get("usage"), element.get("assignmentStatus", "").lower())
    return sdmx.Attribute(
        _component_id(element, concept),
        concept,
        _local_representation(element),
        attachment,
        mandatory,
        group,
        tuple(_locals(element, "MeasureRelationship", "Measure")),
    )


def _metadata_usage(element: Element, groups: Mapping[str, sdmx.Group]) -> sdmx.MetadataAttributeUsage:
    attribute = _content(element, "MetadataAttributeReference")
    if not attribute:
        raise _absent(element, "MetadataAttributeReference")
    if _one(element, "AttributeRelationship") is None:  # required, and left out by registries all the same
        return sdmx.MetadataAttributeUsage(attribute, "dataflow")
    return sdmx.MetadataAttributeUsage(attribute, *_attachment(element, groups))


def _attachment(element: Element, groups: Mapping[str, sdmx.Group]) -> tuple[sdmx.Attachment, str | None]:
    """What an attribute belongs to; `None` of SDMX 2.1 is the dataflow, its primary measure the observation."""
    relationship = _one(element, "AttributeRelationship")
    if relationship is None:
        raise _absent(element, "AttributeRelationship")
    if dimensions := tuple(_locals(relationship, "Dimension")):
        return dimensions, None
    if group := next(_locals(relationship, "Group"), None):
        if group not in groups:
            raise _absent(relationship, f"Group {group}")
        return groups[group].dimensions, group
    named = {_local(entry.tag) for entry in relationship}
    return ("dataflow" if named & {"None", "Dataflow"} else "observation"), None


def _dataflow(element: Element, _: list[Any]) -> sdmx.Dataflow:
    structure = _ref(_one(element, "Structure"), "DataStructure", element)
    return sdmx.Dataflow(**_common(element), structure=structure)


def _constraint(element: Element, items: list[Any]) -> sdmx.DataConstraint:
    role = element.get("role") or element.get("type") or "Allowed"
    is_actual = role == "Actual" or _local(element.tag) == "AvailabilityConstraint"
    attached = [
        found
        for entry in _all(element, "ConstraintAttachment")
        for part in entry
        if (kind := known_kind(_local(part.tag))) and (found := _reference(part, kind))
    ]
    return sdmx.DataConstraint(
        **_common(element),
        allowed=not is_actual,
        attached=tuple(attached),
        regions=tuple(entry for item in items for entry in item if isinstance(entry, sdmx.CubeRegion)),
        keys=tuple(entry for item in items for entry in item if not isinstance(entry, sdmx.CubeRegion)),
    )


_MEMBERS = ("KeyValue", "Attribute", "Component")


def _regions(element: Element) -> list[sdmx.CubeRegion] | None:
    """A part of the cube, as those that are meant and those that are left out; None where that cannot be said.

    A member without values is left away: it stands for all of them, or for a range of time, which our artefacts do
    not hold.
    """
    members = [entry for entry in element if _local(entry.tag) in _MEMBERS]
    meant = element.get("include", "true") in _TRUE
    by_side: dict[bool, list[tuple[str, frozenset[str]]]] = {True: [], False: []}
    for entry in members:
        included, values = entry.get("include", "true") in _TRUE, frozenset(_member_values(entry))
        if values:
            by_side[included].append((_id(entry), values))
        elif not included and _one(entry, "TimeRange") is None:
            by_side[True].append((_id(entry), values))
    if by_side[False] and not meant:
        return None
    kept = [sdmx.CubeRegion(tuple(by_side[True]), meant)] if by_side[True] or not by_side[False] else []
    return kept + [sdmx.CubeRegion((value,), included=False) for value in by_side[False]]


def _member_values(element: Element) -> list[str]:
    return [(entry.text or "").strip() for entry in _all(element, "Value")]


def _key_set(element: Element) -> list[tuple[bool, tuple[tuple[str, str], ...]]]:
    included = element.get("isIncluded", "true") in _TRUE
    return [(included, tuple(_key_values(key))) for key in _all(element, "Key")]


def _key_values(element: Element) -> Iterator[tuple[str, str]]:
    """Values of dimensions, and of other components where a key has such."""
    for entry in element:
        if _local(entry.tag) in _MEMBERS:
            for value in _member_values(entry):
                yield _id(entry), value


def _metadata_structure(element: Element, _: list[Any]) -> sdmx.MetadataStructure:
    """The metadata structure; of SDMX 2.1, the attributes of all its report structures, each id once."""
    parts = _one(element, "MetadataStructureComponents")
    if parts is None:
        raise _absent(element, "MetadataStructureComponents")
    found = _all(parts, "MetadataAttributeList", "MetadataAttribute")
    found += _all(parts, "ReportStructure", "MetadataAttribute")
    attributes = {entry.id: entry for entry in map(_metadata_attribute, reversed(found))}
    return sdmx.MetadataStructure(**_common(element), attributes=tuple(reversed(attributes.values())))


def _metadata_attribute(element: Element) -> sdmx.MetadataAttribute:
    concept = _concept_of(element)
    most = element.get("maxOccurs", "1")
    return sdmx.MetadataAttribute(
        _component_id(element, concept),
        concept,
        _local_representation(element),
        _whole(element, element.get("minOccurs", "1"), "minOccurs"),
        None if most == "unbounded" else _whole(element, most, "maxOccurs"),
        element.get("isPresentational") in _TRUE,
        tuple(_metadata_attribute(child) for child in _all(element, "MetadataAttribute")),
    )


def _metadataflow(element: Element, _: list[Any]) -> sdmx.Metadataflow:
    structure = _ref(_one(element, "Structure"), "MetadataStructure", element)
    targets = tuple((target.text or "").strip() for target in _all(element, "Target"))
    return sdmx.Metadataflow(**_common(element), structure=structure, targets=targets)


def _agreement(element: Element, _: list[Any]) -> sdmx.MetadataProvisionAgreement:
    return sdmx.MetadataProvisionAgreement(
        **_common(element),
        metadataflow=_ref(_one(element, "Metadataflow"), "Metadataflow", element),
        provider=_ref(_one(element, "MetadataProvider"), "MetadataProvider", element),
    )


def _representation_map(element: Element, items: list[Any]) -> sdmx.RepresentationMap:
    return sdmx.RepresentationMap(
        **_common(element),
        sources=_columns(element, "Source"),
        targets=_columns(element, "Target"),
        mappings=tuple(items),
    )


def _columns(element: Element, side: str) -> tuple[Ref | str, ...]:
    found: list[Ref | str] = []
    for entry in element:
        if _local(entry.tag) == f"{side}Codelist":
            found.append(_ref(entry, "Codelist", element))
        elif _local(entry.tag) == f"{side}DataType":
            found.append((entry.text or "").strip())
    return tuple(found)


def _mapping(element: Element) -> sdmx.ValueMapping | None:
    """A row of a map; None where it says more than which values become which."""
    if len(element.attrib) or any(len(entry.attrib) for entry in _all(element, "SourceValue")):
        return None
    sources, targets = (
        tuple(entry.text or "" for entry in _all(element, name)) for name in ("SourceValue", "TargetValue")
    )
    return sdmx.ValueMapping(sources, targets)


def _structure_map(element: Element, _: list[Any]) -> sdmx.StructureMap:
    return sdmx.StructureMap(
        **_common(element),
        source=_ref(_one(element, "Source"), "DataStructure", element),
        target=_ref(_one(element, "Target"), "DataStructure", element),
        components=tuple(map(_component_map, _all(element, "ComponentMap"))),
        fixed=tuple(
            sdmx.FixedValueMap(
                _content(entry, "Target") or "", tuple(value.text or "" for value in _all(entry, "Value"))
            )
            for entry in _all(element, "FixedValueMap")
        ),
        dates=tuple(map(_date_map, _all(element, "DatePatternMap"))),
    )


def _component_map(element: Element) -> sdmx.ComponentMap:
    values = _one(element, "RepresentationMap")
    return sdmx.ComponentMap(
        tuple(_locals(element, "Source")),
        tuple(_locals(element, "Target")),
        None if values is None else _ref(values, "RepresentationMap", element),
    )


def _date_map(element: Element) -> sdmx.DatePatternMap:
    return sdmx.DatePatternMap(
        _content(element, "Source") or "",
        _content(element, "Target") or "",
        element.get("sourcePattern", ""),
        element.get("locale", "en"),
        _content(element, "TargetFrequencyID") or "D",
    )


_CONTENT = {
    "Dataflow": "Structure",
    "Metadataflow": "Structure",
    "DataStructure": "DataStructureComponents",
    "MetadataStructure": "MetadataStructureComponents",
}
"""By kind: what is not there where the artefact is a mere stub."""


def _is_beyond(element: Element, items: list[Any]) -> bool:
    """True of an artefact that says what our artefacts cannot hold, so that to read it by halves would mislead."""
    kind = _local(element.tag)
    if None in items:
        return True
    if kind == "StructureMap":
        fixed = any(_one(entry, "Source") is not None for entry in _all(element, "FixedValueMap"))
        dated = any(
            _one(entry, "FrequencyDimension") is not None or len(_all(entry, "Source")) > 1
            for entry in _all(element, "DatePatternMap")
        )
        return fixed or dated or any(_all(element, name) for name in ("EpochMap", "FrequencyFormatMapping"))
    return kind in _CONTENT and _one(element, _CONTENT[kind]) is None


_IN_CONSTRAINTS: Mapping[str, Callable[[Element], Any]] = {"CubeRegion": _regions, "DataKeySet": _key_set}
_ITEMS: Mapping[str, Mapping[str, Callable[[Element], Any]]] = {
    "Codelist": {"Code": _code, "CodelistExtension": _extension},
    "ValueList": {"ValueItem": _code},
    "ConceptScheme": {"Concept": _concept},
    "AgencyScheme": {"Agency": _organisation},
    "DataProviderScheme": {"DataProvider": _organisation},
    "MetadataProviderScheme": {"MetadataProvider": _organisation},
    "ContentConstraint": _IN_CONSTRAINTS,
    "DataConstraint": _IN_CONSTRAINTS,
    "AvailabilityConstraint": _IN_CONSTRAINTS,
    "RepresentationMap": {"RepresentationMapping": _mapping},
}
"""By kind: the parts that there may be many of, which are read and let go of one by one."""
_READERS: Mapping[str, Callable[[Element, list[Any]], Structure]] = {
    "AgencyScheme": _agencies,
    "DataProviderScheme": _data_providers,
    "MetadataProviderScheme": _metadata_providers,
    "Codelist": _codelist,
    "ValueList": _value_list,
    "ConceptScheme": _concept_scheme,
    "DataStructure": _data_structure,
    "Dataflow": _dataflow,
    "ContentConstraint": _constraint,
    "DataConstraint": _constraint,
    "AvailabilityConstraint": _constraint,
    "MetadataStructure": _metadata_structure,
    "Metadataflow": _metadataflow,
    "MetadataProvisionAgreement": _agreement,
    "RepresentationMap": _representation_map,
    "StructureMap": _structure_map,
}


def metadata(stream: BinaryIO) -> Iterator[MetadataSet]:
    """The metadata sets of a message.

    A report of SDMX 2.1 is a set for itself. It has no metadataflow of its own, so what the header names counts,
    which may be a metadata structure; and it may lack a name and an id, which is that of the report then.

    Raises:
        ConversionError: as for `structures`.
    """
    depth = 0
    headed: dict[str, Ref] = {}
    before: list[Element | None] = [None]
    for event, element in events(stream):
        name = _local(element.tag)
        if event == "start":
            depth += 1
            if depth == 1 and name != "GenericMetadata":
                raise refusal("specific" if name == "StructureSpecificMetadata" else "kind.metadata", name=name)
            continue
        depth -= 1
        if depth == 1 and name == "Header":
            headed = dict(_headed(element))
        elif depth == 1 and name == "MetadataSet":
            reports = _all(element, "Report")
            yield from (_report(element, report, headed) for report in reports)
            if not reports:
                yield _metadata_set(element)
            _forget(element, before, 0)


def _headed(header: Element) -> Iterator[tuple[str, Ref]]:
    for entry in _all(header, "Structure"):
        for name, kind in (("Structure", "MetadataStructure"), ("StructureUsage", "Metadataflow")):
            if (found := _one(entry, name)) is not None:
                yield entry.get("structureID", ""), _ref(found, kind, entry)


def _metadata_set(element: Element) -> MetadataSet:
    flow = _one(element, "Metadataflow")
    agreed = _one(element, "MetadataProvisionAgreement") if flow is None else None
    kind = "Metadataflow" if agreed is None else "MetadataProvisionAgreement"
    return MetadataSet(
        **_common(element),
        metadataflow=_ref(flow if agreed is None else agreed, kind, element),
        targets=tuple((target.text or "").strip() for target in _all(element, "Target")),
        attributes=tuple(map(_reported, _attributes_of(element))),
        reporting_begin=_date(element, "reportingBeginDate"),
        reporting_end=_date(element, "reportingEndDate"),
    )


def _report(element: Element, report: Element, headed: Mapping[str, Ref]) -> MetadataSet:
    ref = headed.get(element.get("structureRef", ""))
    if ref is None:
        raise _absent(element, "structureRef")
    references = _all(report, "Target", "ReferenceValue", "ObjectReference")
    references += _all(report, "Target", "ReferenceValue", "DataSetReference")
    return MetadataSet(
        ref.agency,
        element.get("setID") or _id(report),
        "1.0",
        _texts(element, "Name"),
        metadataflow=ref,
        targets=tuple(found for entry in references if (found := _target(entry))),
        attributes=tuple(map(_reported, _attributes_of(report))),
        reporting_begin=_date(element, "reportingBeginDate"),
        reporting_end=_date(element, "reportingEndDate"),
    )


def _target(element: Element) -> str | None:
    """The URN of what a report of SDMX 2.1 is on; one of a kind that we do not know stays as it is written."""
    if urn := _content(element, "URN"):
        return urn
    found = _reference(element, "Dataflow")
    return None if found is None else found.urn


def _date(element: Element, name: str) -> dt.date | None:
    """The day, where it is one: a year or a quarter is left away."""
    return day(element.get(name, ""))


def _attributes_of(element: Element) -> list[Element]:
    """What is reported: directly below, or in a set of its own."""
    names = ("Attribute", "ReportedAttribute")
    held = [element, *_all(element, "AttributeSet")]
    return [child for entry in held for child in entry if _local(child.tag) in names]


def _reported(element: Element) -> ReportedAttribute:
    value: Text | str | None = _raw(element, "Value")
    if value is None:
        value = element.get("value")
    structured = _all(element, "StructuredText")
    if structured:
        value = Text(tuple((entry.get(_LANGUAGE, "en"), _markup(entry)) for entry in structured))
    elif texts := _texts(element, "Text"):
        value = texts
    elif value is None and _one(element, "Value") is not None:
        value = ""
    children = tuple(map(_reported, _attributes_of(element)))
    return ReportedAttribute(_id(element), value, children, bool(structured))


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
