"""SDMX-JSON 1.0, 2.0 and 2.1 messages of structures and of reference metadata, read an artefact at a time.

A member that has another shape than the schema says is told with the artefact that it is in.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, BinaryIO, Literal, TypeVar

from cdmeta.formats.json_stream import JsonStream, OddError
from cdmeta.formats.messages import Skipped, absent, code_told, concept_told, day, refusal
from cdmeta.sdmx import artefacts as sdmx
from cdmeta.sdmx.artefacts import Annotation, MetadataSet, Representation, Structure
from cdmeta.text import NO_TEXT, Text
from cdmeta.urn import Ref, known_kind

_TIME, _MEASURE = "TIME_PERIOD", "OBS_VALUE"

_Object = Mapping[str, Any]
_T = TypeVar("_T")


def structures(stream: BinaryIO) -> Iterator[Structure | Skipped]:
    """The artefacts of a structure message, and what of it is not read.

    Raises:
        ConversionError: it is no JSON or no such message, or lacks what an artefact has to have.
    """
    for container, data in _data(stream):
        if container in ("dataSets", "metadataSets"):
            raise refusal("kind.structure", name=container)
        kind = _kind(container)
        for entry in _entries(data):
            yield reading_of(kind, entry, partial(_structure, kind, entry))


def held(stream: BinaryIO) -> Literal["structures", "data", "metadata"]:
    """What a message holds, read as far as needed; of one that is none, what its reader will say so of.

    Raises:
        ConversionError: it is no JSON, or no message.
    """
    message = JsonStream(stream)
    has_content = False
    for name in named(message):
        if name == "dataSets":  # drafts of SDMX-JSON 1.0 have them at the top
            return "data"
        has_content = has_content or name == "data"
        for member in message.members() if name == "data" else ():
            if member in ("dataSets", "metadataSets"):
                return "data" if member == "dataSets" else "metadata"
            if _kind(member) in _READERS:
                return "structures"
            message.skip()
        if name != "data":
            message.skip()
    if not has_content:
        raise refusal("unknown")
    return "structures"


def metadata(stream: BinaryIO) -> Iterator[MetadataSet]:
    """The metadata sets of a message.

    Raises:
        ConversionError: as for `structures`.
    """
    names = []
    for container, data in _data(stream):
        names.append(container)
        if container != "metadataSets":
            data.skip()
            continue
        for entry in _entries(data):
            yield reading_of("MetadataSet", entry, partial(_set, entry))
    if "metadataSets" not in names:
        raise refusal("kind.metadata", name=", ".join(sorted(names)) or "{}")


def named(message: JsonStream) -> Iterator[str]:
    """The names in a message, each before its value, which has to be read; the message has to be an object."""
    if message.first() != "{":
        message.value()
        raise refusal("unknown")
    yield from message.members()
    message.end()


def _data(stream: BinaryIO) -> Iterator[tuple[str, JsonStream]]:
    """The names in the data of a message, each before its value, which has to be read."""
    message, is_there = JsonStream(stream), False
    for name in named(message):
        if name != "data" or message.first() != "{":
            message.skip()
            continue
        is_there = True
        for member in message.members():
            yield member, message
    if not is_there:
        raise refusal("unknown")


def _entries(data: JsonStream) -> Iterator[_Object]:
    """The objects in the list that is next."""
    for _ in data.items():
        entry = data.value()
        if isinstance(entry, Mapping):
            yield entry


def reading_of(kind: str, entry: _Object, read: Callable[[], _T]) -> _T:
    """Read an artefact; what is odd in it is told with its kind and id."""
    try:
        return read()
    except OddError as error:
        raise absent(f"{kind} {entry.get('id', '')}".strip(), str(error)) from error
    except RecursionError as error:
        raise refusal("json.deep") from error


def _kind(container: str) -> str:
    """`codelists` → `Codelist`; `categorySchemes` → `CategoryScheme`."""
    name = container[:1].upper() + container[1:]
    name = f"{name[:-3]}y" if name.endswith("ies") else name.removesuffix("s")
    return _BY_FOLD.get(name.casefold()) or known_kind(name) or name


def _structure(kind: str, entry: _Object) -> Structure | Skipped:
    read = _READERS.get(kind)
    if read is None or entry.get("isExternalReference") is True or _is_beyond(kind, entry):
        agency, id_, version = (str(entry.get(key) or "") for key in ("agencyID", "id", "version"))
        return Skipped(kind, agency, id_, version or "1.0")
    return read(entry)


def objects(entry: _Object, key: str) -> list[_Object]:
    """The objects of a member; none where it is not there."""
    found = entry.get(key)
    if found is None:
        return []
    if not isinstance(found, list) or not all(isinstance(part, Mapping) for part in found):
        raise OddError(key)
    return found


def _object(entry: _Object, key: str) -> _Object:
    found = entry.get(key)
    if found is None:
        return {}
    if not isinstance(found, Mapping):
        raise OddError(key)
    return found


def strings(entry: _Object, key: str) -> tuple[str, ...]:
    """The plain values of a member, as texts; none where it is not there."""
    found = entry.get(key)
    if found is None:
        return ()
    if not isinstance(found, list):
        raise OddError(key)
    return tuple(_text_of(part, key) for part in found)


def _text_of(value: Any, key: str) -> str:
    """A plain value as text, as SDMX-ML writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    raise OddError(key)


def _string(entry: _Object, key: str) -> str | None:
    value = entry.get(key)
    return None if value is None else _text_of(value, key)


def _needed(entry: _Object, key: str) -> str:
    if found := _string(entry, key):
        return found
    raise OddError(key)


def _whole(entry: _Object, key: str) -> int | None:
    value = entry.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int):
        raise OddError(key)
    return value


def _occurs(entry: _Object, key: str) -> int | None:
    """The most occurrences, 1 where it is not told; None for any number."""
    if entry.get(key) == "unbounded":
        return None
    return 1 if entry.get(key) is None else _whole(entry, key)


def _ref(entry: _Object, key: str) -> Ref:
    if (found := Ref.read(_string(entry, key))) is None:
        raise OddError(key)
    return found


def texts(entry: _Object, key: str = "name", language: str = "en") -> Text:
    """A text in all its languages; a lone one is in `language`, by default English as in SDMX-ML."""
    if by_language := _object(entry, f"{key}s"):
        pairs = ((language, _text_of(text, key)) for language, text in by_language.items())
        return Text(tuple((language, text) for language, text in pairs if text))
    alone = _string(entry, key)
    return Text(((language, alone),)) if alone else NO_TEXT


def notes(entry: _Object) -> tuple[Annotation, ...]:
    """The annotations of an object."""
    return tuple(
        Annotation(
            _string(note, "type"),
            _string(note, "title") or _string(note, "value"),
            texts(note, "text"),
            _string(note, "id"),
        )
        for note in objects(entry, "annotations")
    )


def _common(entry: _Object) -> dict[str, Any]:
    return {
        "agency": _needed(entry, "agencyID"),
        "id": _needed(entry, "id"),
        "version": _string(entry, "version") or "1.0",
        "name": texts(entry),
        "description": texts(entry, "description"),
        "annotations": notes(entry),
    }


def _code(entry: _Object) -> sdmx.Code:
    above, unread = code_told(notes(entry))
    parent = _string(entry, "parent") or above
    return sdmx.Code(_needed(entry, "id"), texts(entry), texts(entry, "description"), parent, unread)


def _codelist(entry: _Object) -> sdmx.Codelist:
    return sdmx.Codelist(
        **_common(entry),
        codes=tuple(map(_code, objects(entry, "codes"))),
        is_partial=entry.get("isPartial") is True,
        extensions=tuple(map(_extension, objects(entry, "codelistExtensions"))),
    )


def _extension(entry: _Object) -> sdmx.CodelistExtension:
    excluded = "exclusiveCodeSelection" in entry
    chosen = _object(entry, "exclusiveCodeSelection" if excluded else "inclusiveCodeSelection")
    members = _member_values({"values": chosen.get("memberValues")})  # texts in 2.0, objects in 2.1
    values = [*members, *strings(chosen, "wildcardedMemberValues")]
    return sdmx.CodelistExtension(_ref(entry, "codelist"), _string(entry, "prefix") or "", tuple(values), excluded)


def _value_list(entry: _Object) -> sdmx.ValueList:
    return sdmx.ValueList(**_common(entry), codes=tuple(map(_code, objects(entry, "valueItems"))))


def _concept_scheme(entry: _Object) -> sdmx.ConceptScheme:
    return sdmx.ConceptScheme(**_common(entry), concepts=tuple(map(_concept, objects(entry, "concepts"))))


def _concept(entry: _Object) -> sdmx.Concept:
    core = representation(_object(entry, "coreRepresentation")) if "coreRepresentation" in entry else None
    names = (_needed(entry, "id"), texts(entry), texts(entry, "description"))
    return sdmx.Concept(*names, core, **concept_told(notes(entry)))


def _agencies(entry: _Object) -> sdmx.AgencyScheme:
    return sdmx.AgencyScheme(**_common(entry), agencies=_organisations(entry, "agencies"))


def _data_providers(entry: _Object) -> sdmx.DataProviderScheme:
    return sdmx.DataProviderScheme(**_common(entry), providers=_organisations(entry, "dataProviders"))


def _metadata_providers(entry: _Object) -> sdmx.MetadataProviderScheme:
    return sdmx.MetadataProviderScheme(**_common(entry), providers=_organisations(entry, "metadataProviders"))


def _organisations(entry: _Object, key: str) -> tuple[sdmx.Agency, ...]:
    return tuple(sdmx.Agency(_needed(part, "id"), texts(part)) for part in objects(entry, key))


def representation(entry: _Object, default: str = "String") -> Representation:
    """What values an object takes, by its enumeration, or else by its format."""
    most = _occurs(entry, "maxOccurs")
    if "enumeration" in entry:
        return Representation(_ref(entry, "enumeration"), max_occurs=most)
    facets = _object(entry, "format") or _object(entry, "textFormat")
    return Representation(
        None,
        _string(facets, "dataType") or _string(facets, "textType") or default,
        _whole(facets, "minLength"),
        _whole(facets, "maxLength"),
        _string(facets, "minValue"),
        _string(facets, "maxValue"),
        _string(facets, "pattern"),
        _whole(facets, "decimals"),
        most,
    )


def _local(entry: _Object, default: str = "String") -> Representation:
    if "localRepresentation" not in entry:
        return Representation(from_concept=True)
    return representation(_object(entry, "localRepresentation"), default)


def _data_structure(entry: _Object) -> sdmx.DataStructure:
    parts = _object(entry, "dataStructureComponents")
    groups = {
        _needed(group, "id"): sdmx.Group(_needed(group, "id"), strings(group, "groupDimensions"))
        for group in objects(parts, "groups")
    }
    listed = _object(parts, "attributeList")
    usages = objects(listed, "metadataAttributeUsages")
    return sdmx.DataStructure(
        **_common(entry),
        dimensions=tuple(_dimensions(_object(parts, "dimensionList"))),
        measures=tuple(_measures(_object(parts, "measureList"))),
        attributes=tuple(_attribute(part, groups) for part in objects(listed, "attributes")),
        groups=tuple(groups.values()),
        metadata=_ref(entry, "metadata") if entry.get("metadata") is not None else None,
        metadata_usages=tuple(
            sdmx.MetadataAttributeUsage(_needed(part, "metadataAttributeReference"), *_attachment(part, groups))
            for part in usages
        ),
    )


def _dimensions(entry: _Object) -> Iterator[sdmx.Dimension]:
    """The dimensions, time last; 1.0 has lists of measure and time dimensions, 2.0 one time dimension."""
    plain = [*objects(entry, "dimensions"), *objects(entry, "measureDimensions")]
    for place, part in enumerate(plain, start=1):
        concept = _ref(part, "conceptIdentity")
        yield sdmx.Dimension(_id(part, concept), concept, _local(part), _position(part, place))
    times = objects(entry, "timeDimensions")
    times = times or ([_object(entry, "timeDimension")] if entry.get("timeDimension") is not None else [])
    for time in times:
        local, place = _local(time, "ObservationalTimePeriod"), _position(time, len(plain) + 1)
        yield sdmx.Dimension(_string(time, "id") or _TIME, _ref(time, "conceptIdentity"), local, place, True)


def _position(entry: _Object, place: int) -> int:
    found = _whole(entry, "position")
    return place if found is None else found


def _id(entry: _Object, concept: Ref) -> str:
    return _string(entry, "id") or concept.item or _needed(entry, "id")


def _measures(entry: _Object) -> Iterator[sdmx.Measure]:
    if entry.get("primaryMeasure") is not None:
        primary = _object(entry, "primaryMeasure")
        yield sdmx.Measure(_MEASURE, _ref(primary, "conceptIdentity"), _local(primary))
    for part in objects(entry, "measures"):
        concept = _ref(part, "conceptIdentity")
        yield sdmx.Measure(_id(part, concept), concept, _local(part), _is_mandatory(part))


def _attribute(entry: _Object, groups: Mapping[str, sdmx.Group]) -> sdmx.Attribute:
    concept = _ref(entry, "conceptIdentity")
    attachment, group = _attachment(entry, groups)
    return sdmx.Attribute(
        _id(entry, concept),
        concept,
        _local(entry),
        attachment,
        _is_mandatory(entry),
        group,
        strings(entry, "measureRelationship"),
    )


def _is_mandatory(entry: _Object) -> bool:
    """By the member of 2.0, that of 1.0, or that of drafts of 2.0, which there are registries that write."""
    usage = _string(entry, "usage") or _string(entry, "assignmentStatus") or ""
    return usage.lower() == "mandatory" or entry.get("isMandatory") is True


def _attachment(entry: _Object, groups: Mapping[str, sdmx.Group]) -> tuple[sdmx.Attachment, str | None]:
    place = _object(entry, "attributeRelationship")
    if dimensions := strings(place, "dimensions"):
        return dimensions, None
    if group := _string(place, "group"):
        if group not in groups:
            raise OddError(f"group {group}")
        return groups[group].dimensions, group
    return ("dataflow" if place.keys() & {"none", "dataflow"} or not place else "observation"), None


def _dataflow(entry: _Object) -> sdmx.Dataflow:
    return sdmx.Dataflow(**_common(entry), structure=_ref(entry, "structure"))


def _constraint(entry: _Object) -> sdmx.DataConstraint:
    attachment = _object(entry, "constraintAttachment")
    urns = [urn for value in attachment.values() for urn in (value if isinstance(value, list) else [value])]
    role = _string(entry, "role") or _string(entry, "type")
    return sdmx.DataConstraint(
        **_common(entry),
        allowed=role != "Actual",
        attached=tuple(ref for ref in map(Ref.read, urns) if ref is not None),
        regions=tuple(region for part in objects(entry, "cubeRegions") for region in _regions(part)),
        keys=tuple(key for part in objects(entry, "dataKeySets") for key in _keys(part)),
    )


def _regions(entry: _Object) -> Iterator[sdmx.CubeRegion]:
    """As in SDMX-ML: those that are meant, and for each component of which values are left out, one more."""
    meant = entry.get("include", entry.get("isIncluded")) is not False
    kept: list[tuple[str, frozenset[str]]] = []
    ranges: list[tuple[str, sdmx.TimeRange]] = []
    left: list[sdmx.CubeRegion] = []
    for part in _members(entry):
        id_, included, values = (
            _needed(part, "id"),
            part.get("include") is not False,
            frozenset(_member_values(part)),
        )
        if "timeRange" in part and included:
            ranges.append((id_, _time_range(part)))
        elif "timeRange" in part:
            left.append(sdmx.CubeRegion((), included=False, ranges=((id_, _time_range(part)),)))
        elif values and not included:
            left.append(sdmx.CubeRegion(((id_, values),), included=False))
        elif values or not included:
            kept.append((id_, values))
    if kept or ranges or not left:
        yield sdmx.CubeRegion(tuple(kept), meant, tuple(ranges))
    yield from left


def _members(entry: _Object) -> list[_Object]:
    return [part for key in ("keyValues", "attributes", "components") for part in objects(entry, key)]


def _time_range(entry: _Object) -> sdmx.TimeRange:
    limits = _object(entry, "timeRange")
    start = _object(limits, "startPeriod") or _object(limits, "afterPeriod")
    end = _object(limits, "endPeriod") or _object(limits, "beforePeriod")
    whole = (each.get("isInclusive") is not False for each in (start, end))
    return sdmx.TimeRange(_string(start, "period"), _string(end, "period"), *whole)


def _member_values(entry: _Object) -> tuple[str, ...]:
    """Values of a component: texts, or objects that hold one beside its language or validity."""
    found = entry.get("values")
    if found is not None and not isinstance(found, list):
        raise OddError("values")
    plain = [value.get("value") if isinstance(value, Mapping) else value for value in found or []]
    return tuple(_text_of(value, "values") for value in plain)


def _keys(entry: _Object) -> Iterator[tuple[bool, tuple[tuple[str, str], ...]]]:
    for key in objects(entry, "keys"):
        pairs = []
        for part in [*objects(key, "keyValues"), *objects(key, "components")]:
            values = _member_values(part) or (_needed(part, "value"),)
            pairs += [(_needed(part, "id"), value) for value in values]
        yield entry.get("isIncluded") is not False, tuple(pairs)


def _metadata_structure(entry: _Object) -> sdmx.MetadataStructure:
    parts = _object(entry, "metadataStructureComponents")
    found = objects(_object(parts, "metadataAttributeList"), "metadataAttributes")
    for report in objects(parts, "reportStructures"):
        found = [*found, *objects(_object(report, "attributeList") or report, "metadataAttributes")]
    return sdmx.MetadataStructure(**_common(entry), attributes=tuple(map(_metadata_attribute, found)))


def _metadata_attribute(entry: _Object) -> sdmx.MetadataAttribute:
    concept = _ref(entry, "conceptIdentity")
    least = _whole(entry, "minOccurs")
    return sdmx.MetadataAttribute(
        _id(entry, concept),
        concept,
        _local(entry),
        1 if least is None else least,
        _occurs(entry, "maxOccurs"),
        entry.get("isPresentational") is True,
        tuple(map(_metadata_attribute, objects(entry, "metadataAttributes"))),
    )


def _metadataflow(entry: _Object) -> sdmx.Metadataflow:
    return sdmx.Metadataflow(
        **_common(entry), structure=_ref(entry, "structure"), targets=strings(entry, "targets")
    )


def _agreement(entry: _Object) -> sdmx.MetadataProvisionAgreement:
    return sdmx.MetadataProvisionAgreement(
        **_common(entry), metadataflow=_ref(entry, "metadataflow"), provider=_ref(entry, "metadataProvider")
    )


def _representation_map(entry: _Object) -> sdmx.RepresentationMap:
    return sdmx.RepresentationMap(
        **_common(entry),
        sources=tuple(map(_column, objects(entry, "source"))),
        targets=tuple(map(_column, objects(entry, "target"))),
        mappings=tuple(
            sdmx.ValueMapping(
                tuple(_needed(value, "value") for value in objects(row, "sourceValues")),
                strings(row, "targetValues"),
            )
            for row in objects(entry, "representationMappings")
        ),
    )


def _column(entry: _Object) -> Ref | str:
    key = next((name for name in ("codelist", "valuelist", "valueList") if name in entry), None)
    return _needed(entry, "dataType") if key is None else _ref(entry, key)


def _structure_map(entry: _Object) -> sdmx.StructureMap:
    return sdmx.StructureMap(
        **_common(entry),
        source=_ref(entry, "source"),
        target=_ref(entry, "target"),
        components=tuple(
            sdmx.ComponentMap(
                strings(part, "source"),
                strings(part, "target"),
                _ref(part, "representationMap") if part.get("representationMap") is not None else None,
            )
            for part in objects(entry, "componentMaps")
        ),
        fixed=tuple(
            sdmx.FixedValueMap(_needed(part, "target"), strings(part, "values"))
            for part in objects(entry, "fixedValueMaps")
        ),
        dates=tuple(date for part in objects(entry, "datePatternMaps") for date in _date_maps(part)),
    )


def _date_maps(entry: _Object) -> Iterator[sdmx.DatePatternMap]:
    for pair in objects(entry, "mappedComponents"):
        yield sdmx.DatePatternMap(
            _needed(pair, "source"),
            _needed(pair, "target"),
            _needed(entry, "sourcePattern"),
            _string(entry, "locale") or "en",
            _string(entry, "targetFrequencyID") or "D",
        )


_BY_FOLD = {"valuelist": "ValueList"}
"""Kinds that registries write in another case: `valuelists`."""
_CONTENT = {
    "Dataflow": "structure",
    "Metadataflow": "structure",
    "DataStructure": "dataStructureComponents",
    "MetadataStructure": "metadataStructureComponents",
}


def _is_beyond(kind: str, entry: _Object) -> bool:
    """True of a mere stub, and of what says more than our artefacts can hold (as in `sdmx_ml_read`)."""
    if kind == "RepresentationMap":
        rows = objects(entry, "representationMappings")
        sources = [value for row in rows for value in objects(row, "sourceValues")]
        return any({"validFrom", "validTo"} & row.keys() for row in rows) or any(
            value.keys() - {"value", "isRegEx"} or value.get("isRegEx") is True for value in sources
        )
    if kind == "StructureMap":
        fixed = any("source" in part for part in objects(entry, "fixedValueMaps"))
        dated = any("frequencyDimension" in part for part in objects(entry, "datePatternMaps"))
        return fixed or dated or bool(entry.get("epochMaps") or entry.get("frequencyFormatMappings"))
    if kind == "DataConstraint":
        regions = objects(entry, "cubeRegions")
        return any(
            region.get("include", region.get("isIncluded")) is False
            and any(
                part.get("include") is False and (part.get("values") or "timeRange" in part)
                for part in _members(region)
            )
            for region in regions
        )
    return kind in _CONTENT and _CONTENT[kind] not in entry


_READERS: Mapping[str, Callable[[_Object], Structure]] = {
    "AgencyScheme": _agencies,
    "DataProviderScheme": _data_providers,
    "MetadataProviderScheme": _metadata_providers,
    "Codelist": _codelist,
    "ValueList": _value_list,
    "ConceptScheme": _concept_scheme,
    "DataStructure": _data_structure,
    "Dataflow": _dataflow,
    "DataConstraint": _constraint,
    "MetadataStructure": _metadata_structure,
    "Metadataflow": _metadataflow,
    "MetadataProvisionAgreement": _agreement,
    "RepresentationMap": _representation_map,
    "StructureMap": _structure_map,
}


def _set(entry: _Object) -> MetadataSet:
    return MetadataSet(
        **_common(entry),
        metadataflow=_ref(entry, "metadataflow" if entry.get("metadataflow") else "metadataProvisionAgreement"),
        targets=strings(entry, "targets"),
        attributes=tuple(map(_reported, objects(entry, "attributes"))),
        reporting_begin=_date(entry, "reportingBegin"),
        reporting_end=_date(entry, "reportingEnd"),
    )


def _date(entry: _Object, key: str) -> dt.date | None:
    """The day, where it is one: a year or a quarter is left away."""
    return day(_string(entry, key) or "")


def _reported(entry: _Object) -> sdmx.ReportedAttribute:
    """A reported attribute; SDMX-JSON does not tell XHTML from other text, so `structured` stays False."""
    value = entry.get("value")
    read: Text | str | None
    if isinstance(value, Mapping):
        read = Text(tuple((language, _text_of(text, "value")) for language, text in value.items()))
    else:
        read = None if value is None else _text_of(value, "value")
    children = tuple(map(_reported, objects(entry, "attributes")))
    return sdmx.ReportedAttribute(_needed(entry, "id"), read, children)
