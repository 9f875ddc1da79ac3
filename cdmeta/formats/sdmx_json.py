"""SDMX-JSON 2.0 and 2.1 messages of structures and of reference metadata, with all languages.

`name` is the text in the artefact's first language and `names` holds them all, because a reader cannot tell which
language a lone `name` is in. `meta.schema` comes first: some readers look for it only there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from itertools import groupby
from typing import Any, Literal

from cdmeta.errors import ConversionError
from cdmeta.formats.sdmx_elements import sender_id
from cdmeta.formats.sdmx_ml_parts import concept_notes
from cdmeta.phrase import Phrase
from cdmeta.sdmx import artefacts as sdmx
from cdmeta.sdmx.artefacts import Annotation, Header, Maintainable, MetadataSet, Representation, Structure
from cdmeta.sdmx.constraints import attachment, beside_the_key, limits, members, refuse_more_than_two_regions
from cdmeta.text import NO_TEXT, Text
from cdmeta.urn import Ref

Version = Literal["2.0", "2.1"]

SCHEMAS: Mapping[Version, str] = {
    "2.0": "https://raw.githubusercontent.com/sdmx-twg/sdmx-json/master/{kind}-message/tools/schemas/2.0.0/sdmx-json-{kind}-schema.json",
    "2.1": "https://json.sdmx.org/2.1/sdmx-json-{kind}-schema.json",
}
"""Address of the schema of a kind of message, `structure` or `metadata`, by version."""

_SURROGATE = re.compile("[\ud800-\udfff]")
_TEXT_TYPES = ("String", "XHTML")

_Object = dict[str, Any]


def structures(artefacts: Sequence[Structure], header: Header, version: Version = "2.0") -> bytes:
    """A structure message of any artefacts, in the order of the kinds below and, within a kind, as given.

    Raises:
        ConversionError: a text holds half a character (a lone surrogate), which no encoding can hold; or the
            version cannot say what an artefact says (SDMX 3.1 has no constraints on what data there are).
    """
    data = {
        container: written
        for kind, (container, write) in _writers(artefacts, version).items()
        if (written := [_maintainable(entry, version) | write(entry) for entry in artefacts if entry.kind == kind])
    }
    return _bytes({"meta": _meta("structure", version, header, artefacts), "data": data})


def metadata(sets: Sequence[MetadataSet], header: Header, version: Version = "2.0") -> bytes:
    """A message of metadata sets; an attribute that occurs more than once is repeated.

    That a text is XHTML is said by the metadata structure alone.

    Raises:
        ConversionError: a text holds half a character (a lone surrogate), which no encoding can hold.
    """
    data = {"metadataSets": [_set(entry) for entry in sets]}
    return _bytes({"meta": _meta("metadata", version, header, sets), "data": data})


def _bytes(message: _Object) -> bytes:
    text = json.dumps(message, ensure_ascii=False, indent=1) + "\n"
    if half := _SURROGATE.search(text):
        before = text[max(0, half.start() - 40) : half.start()].split("\n")[-1].strip()
        raise ConversionError(Phrase("error.surrogate", {"code": f"{ord(half[0]):04X}", "before": before}))
    return text.encode()


def _meta(kind: str, version: Version, header: Header, values: Sequence[Any]) -> _Object:
    languages = sorted({tag.lower() for tag in _languages(values)})
    return {
        "schema": SCHEMAS[version].format(kind=kind),
        "id": header.id,
        "test": header.test,
        "prepared": header.prepared.isoformat(),
        **({"contentLanguages": languages} if languages else {}),
        "sender": {"id": sender_id(header.sender)},
    }


def _languages(value: Any) -> Iterator[str]:
    if isinstance(value, Text):
        yield from value.languages
    elif isinstance(value, (list, tuple)):
        for part in value:
            yield from _languages(part)
    elif is_dataclass(value):
        for entry in fields(value):
            yield from _languages(getattr(value, entry.name))


def _named(name: Text, description: Text = NO_TEXT) -> _Object:
    named: _Object = {"name": str(name), "names": name.as_dict()}
    if description:
        named |= {"description": str(description), "descriptions": description.as_dict()}
    return named


def _maintainable(artefact: Maintainable, version: Version = "2.0") -> _Object:
    head = {
        "id": artefact.id,
        "agencyID": artefact.agency,
        "version": artefact.version,
        "isExternalReference": False,
    }
    if isinstance(artefact, (sdmx.AgencyScheme, sdmx.MetadataProviderScheme)):
        head["isPartial"] = True
    # The schema of links does not know the URNs of metadata sets, nor that of 2.0 those of value lists.
    if not isinstance(artefact, MetadataSet) and (version, artefact.kind) != ("2.0", "ValueList"):
        head["links"] = [{"rel": "self", "urn": artefact.urn}]
    notes = _filled("annotations", [_annotation(note) for note in artefact.annotations])
    return head | _named(artefact.name, artefact.description) | notes


def _annotation(note: Annotation) -> _Object:
    written = {"id": note.id, "title": note.title, "type": note.type}
    texts = {"text": str(note.text), "texts": note.text.as_dict()} if note.text else {}
    return {key: value for key, value in written.items() if value is not None} | texts


def _agencies(scheme: sdmx.AgencyScheme) -> _Object:
    return _filled("agencies", [{"id": entry.id} | _named(entry.name) for entry in scheme.agencies])


def _providers(scheme: sdmx.MetadataProviderScheme) -> _Object:
    return _filled("metadataProviders", [{"id": entry.id} | _named(entry.name) for entry in scheme.providers])


def _codes(codelist: sdmx.Codelist) -> _Object:
    codes = [
        {"id": code.id} | _named(code.name, code.description) | ({"parent": code.parent} if code.parent else {})
        for code in codelist.codes
    ]
    extensions = [_extension(extension) for extension in codelist.extensions]
    partial = {"isPartial": True} if codelist.is_partial else {}
    return partial | _filled("codes", codes) | _filled("codelistExtensions", extensions)


def _extension(extension: sdmx.CodelistExtension) -> _Object:
    written: _Object = {"codelist": extension.codelist.urn}
    if extension.prefix:
        written["prefix"] = extension.prefix
    if extension.values:
        plain = [value for value in extension.values if "%" not in value]
        wild = [value for value in extension.values if "%" in value]
        selection = {"memberValues": plain, "wildcardedMemberValues": wild}
        key = "exclusiveCodeSelection" if extension.excluded else "inclusiveCodeSelection"
        written[key] = {name: values for name, values in selection.items() if values}
    return written


def _values(valuelist: sdmx.ValueList) -> _Object:
    items = [
        {"id": code.id} | (_named(code.name, code.description) if code.name else {}) for code in valuelist.codes
    ]
    return _filled("valueItems", items)


def _concepts(scheme: sdmx.ConceptScheme) -> _Object:
    return _filled("concepts", [_concept(concept) for concept in scheme.concepts])


def _concept(concept: sdmx.Concept) -> _Object:
    written: _Object = {"id": concept.id} | _named(concept.name, concept.description)
    written |= _filled("annotations", [_annotation(note) for note in concept_notes(concept)])
    if concept.representation:
        several = concept.representation.max_occurs != 1
        occurs = {"maxOccurs": _occurrences(concept.representation.max_occurs)} if several else {}
        written["coreRepresentation"] = _representation(concept.representation) | occurs
    return written


def _occurrences(most: int | None) -> int | str:
    return "unbounded" if most is None else most


def _filled(name: str, items: list[_Object]) -> _Object:
    """The list under its name; nothing where it is empty, because the schema refuses empty lists."""
    return {name: items} if items else {}


def _representation(representation: Representation, multilingual: bool | None = None) -> _Object:
    if representation.codelist:
        return {"enumeration": representation.codelist.urn}
    translatable = multilingual is not None and representation.text_type in _TEXT_TYPES
    facets = {
        "dataType": representation.text_type,
        "minLength": representation.min_length or None,
        "maxLength": representation.max_length or None,
        "minValue": _number(representation.min_value),
        "maxValue": _number(representation.max_value),
        "decimals": representation.decimals or None,
        "pattern": representation.pattern,
        "isMultiLingual": multilingual if translatable else None,
    }
    return {"format": {key: value for key, value in facets.items() if value is not None}}


def _number(value: str | None) -> int | float | None:
    if value is None:
        return None
    try:
        return int(value)
    except ValueError:
        return float(value)


def _component(part: sdmx.Dimension | sdmx.Measure | sdmx.Attribute) -> _Object:
    representation = _representation(part.representation, None if isinstance(part, sdmx.Dimension) else False)
    written: _Object = {"id": part.id, "conceptIdentity": part.concept.urn}
    if not part.representation.from_concept:
        written["localRepresentation"] = representation
    if isinstance(part, sdmx.Dimension):
        return written | ({} if part.is_time else {"position": part.position})
    representation |= {"minOccurs": int(part.mandatory), "maxOccurs": _occurrences(part.representation.max_occurs)}
    return written | {"usage": "mandatory" if part.mandatory else "optional"}


def _data_structure(structure: sdmx.DataStructure) -> _Object:
    ordered = sorted(structure.dimensions, key=lambda part: part.position)
    dimensions: _Object = {"id": "DimensionDescriptor"}
    dimensions |= _filled("dimensions", [_component(part) for part in ordered if not part.is_time])
    for time in (part for part in ordered if part.is_time):
        dimensions["timeDimension"] = _component(time)
    components: _Object = {"dimensionList": dimensions}
    groups: list[_Object] = [
        {"id": group.id, "groupDimensions": list(group.dimensions)} for group in structure.groups
    ]
    components |= _filled("groups", groups)
    attributes = _filled("attributes", [_attribute(part) for part in structure.attributes])
    attributes |= _filled("metadataAttributeUsages", [_metadata_usage(part) for part in structure.metadata_usages])
    if attributes:
        components["attributeList"] = {"id": "AttributeDescriptor"} | attributes
    if structure.measures:
        measures = [_component(part) for part in structure.measures]
        components["measureList"] = {"id": "MeasureDescriptor", "measures": measures}
    link = {"metadata": structure.metadata.urn} if structure.metadata else {}
    return {"dataStructureComponents": components} | link


def _attribute(attribute: sdmx.Attribute) -> _Object:
    measures = {"measureRelationship": list(attribute.measures)} if attribute.measures else {}
    return _component(attribute) | _relationship(attribute) | measures


def _metadata_usage(usage: sdmx.MetadataAttributeUsage) -> _Object:
    return {"metadataAttributeReference": usage.id} | _relationship(usage)


def _relationship(attribute: sdmx.Attribute | sdmx.MetadataAttributeUsage) -> _Object:
    if attribute.group:
        return {"attributeRelationship": {"group": attribute.group}}
    if isinstance(attribute.attachment, tuple):
        return {"attributeRelationship": {"dimensions": list(attribute.attachment)}}
    return {"attributeRelationship": {attribute.attachment: {}}}


def _dataflow(dataflow: sdmx.Dataflow) -> _Object:
    return {"structure": dataflow.structure.urn}


def _metadata_structure(structure: sdmx.MetadataStructure) -> _Object:
    attributes = [_metadata_attribute(attribute) for attribute in structure.attributes]
    listed = {"id": "MetadataAttributeDescriptor", "metadataAttributes": attributes}
    return {"metadataStructureComponents": {"metadataAttributeList": listed}}


def _metadata_attribute(attribute: sdmx.MetadataAttribute) -> _Object:
    """Occurrences are always written, because some readers take other defaults than the schema's (1)."""
    written: _Object = {
        "id": attribute.id,
        "minOccurs": attribute.min_occurs,
        "maxOccurs": _occurrences(attribute.max_occurs),
        "isPresentational": attribute.presentational,
        "conceptIdentity": attribute.concept.urn,
    }
    if not attribute.representation.from_concept:
        written["localRepresentation"] = _representation(attribute.representation, multilingual=True)
    return written | _filled("metadataAttributes", [_metadata_attribute(child) for child in attribute.children])


def _metadataflow(flow: sdmx.Metadataflow) -> _Object:
    return {"structure": flow.structure.urn, "targets": list(flow.targets)}


def _agreement(agreement: sdmx.MetadataProvisionAgreement) -> _Object:
    return {"metadataflow": agreement.metadataflow.urn, "metadataProvider": agreement.provider.urn}


def _constraint(constraint: sdmx.DataConstraint, version: Version, beside: frozenset[str]) -> _Object:
    """A constraint; `beside` are ids of components that are no dimensions."""
    written: _Object = {}
    if version == "2.0":
        written["role"] = "Allowed" if constraint.allowed else "Actual"
    elif not constraint.allowed:
        raise ConversionError(Phrase("error.sdmx.actual", {"id": constraint.urn}))
    refuse_more_than_two_regions(constraint)
    if constraint.attached:
        written["constraintAttachment"] = _attached(constraint)
    key_sets: list[_Object] = [
        {"isIncluded": included, "keys": [_key(key, beside) for _, key in keys]}
        for included, keys in groupby(constraint.keys, key=lambda key: key[0])
    ]
    regions = [_cube_region(region, beside) for region in constraint.regions]
    return written | _filled("dataKeySets", key_sets) | _filled("cubeRegions", regions)


def _attached(constraint: sdmx.DataConstraint) -> _Object:
    kind = attachment(constraint)
    name = kind[0].lower() + kind[1:]
    urns = [ref.urn for ref in constraint.attached]
    return {name: urns[0]} if kind == "DataProvider" else {f"{name}s": urns}


def _key(key: Sequence[tuple[str, str]], beside: frozenset[str]) -> _Object:
    dimensions = [{"id": part, "value": value} for part, value in key if part not in beside]
    others = [{"id": part, "values": [{"value": value}]} for part, value in key if part in beside]
    return _filled("keyValues", dimensions) | _filled("components", others)


def _cube_region(region: sdmx.CubeRegion, beside: frozenset[str]) -> _Object:
    """A region; each value is an object, because some readers do not take plain strings, which are allowed too."""
    written: _Object = {"include": region.included}
    for name, wanted in (("keyValues", False), ("components", True)):
        written |= _filled(
            name,
            [{"id": part} | _member(values) for part, values in members(region) if (part in beside) is wanted],
        )
    return written


def _member(values: Sequence[str] | sdmx.TimeRange) -> _Object:
    if not isinstance(values, sdmx.TimeRange):
        return _filled("values", [{"value": value} for value in values])
    return {
        "timeRange": {
            f"{name[0].lower()}{name[1:]}": {"period": period, "isInclusive": included}
            for name, period, included in limits(values)
        }
    }


def _representation_map(mapping: sdmx.RepresentationMap) -> _Object:
    columns = {
        end: [{"codelist": entry.urn} if isinstance(entry, Ref) else {"dataType": entry} for entry in entries]
        for end, entries in (("source", mapping.sources), ("target", mapping.targets))
    }
    rows: list[_Object] = [
        {"sourceValues": [{"value": value} for value in row.sources]}
        | ({"targetValues": list(row.targets)} if row.targets else {})
        for row in mapping.mappings
    ]
    return columns | _filled("representationMappings", rows)


def _structure_map(mapping: sdmx.StructureMap) -> _Object:
    dates: list[_Object] = [
        {
            "id": f"DATE_{number}",
            "mappedComponents": [{"source": date.source, "target": date.target}],
            "targetFrequencyID": date.frequency,
            "sourcePattern": date.pattern,
            "locale": date.locale,
        }
        for number, date in enumerate(mapping.dates, start=1)
    ]
    components = [
        {"source": list(part.sources), "target": list(part.targets)}
        | ({"representationMap": part.representation_map.urn} if part.representation_map else {})
        for part in mapping.components
    ]
    fixed = [{"target": part.target, "values": list(part.values)} for part in mapping.fixed]
    return (
        {"source": mapping.source.urn, "target": mapping.target.urn}
        | _filled("datePatternMaps", dates)
        | _filled("componentMaps", components)
        | _filled("fixedValueMaps", fixed)
    )


def _set(report: MetadataSet) -> _Object:
    dates = {"reportingBegin": report.reporting_begin, "reportingEnd": report.reporting_end}
    return (
        _maintainable(report)
        | {key: value.isoformat() for key, value in dates.items() if value}
        | {"metadataflow": report.metadataflow.urn, "targets": list(report.targets)}
        | _filled("attributes", [_reported(attribute) for attribute in report.attributes])
    )


def _reported(attribute: sdmx.ReportedAttribute) -> _Object:
    written: _Object = {"id": attribute.id}
    if attribute.value is not None:
        written["value"] = attribute.value.as_dict() if isinstance(attribute.value, Text) else attribute.value
    return written | _filled("attributes", [_reported(child) for child in attribute.children])


def _writers(
    artefacts: Sequence[Structure], version: Version
) -> Mapping[str, tuple[str, Callable[[Any], _Object]]]:
    """Kind to its container and writer, each kind behind what it refers to."""

    def constraint(artefact: sdmx.DataConstraint) -> _Object:
        return _constraint(artefact, version, beside_the_key(artefact, artefacts))

    return {
        "AgencyScheme": ("agencySchemes", _agencies),
        "MetadataProviderScheme": ("metadataProviderSchemes", _providers),
        "Codelist": ("codelists", _codes),
        "ValueList": ("valueLists", _values),
        "ConceptScheme": ("conceptSchemes", _concepts),
        "DataStructure": ("dataStructures", _data_structure),
        "Dataflow": ("dataflows", _dataflow),
        "MetadataStructure": ("metadataStructures", _metadata_structure),
        "Metadataflow": ("metadataflows", _metadataflow),
        "MetadataProvisionAgreement": ("metadataProvisionAgreements", _agreement),
        "RepresentationMap": ("representationMaps", _representation_map),
        "StructureMap": ("structureMaps", _structure_map),
        "DataConstraint": ("dataConstraints", constraint),
    }
