"""SDMX-JSON 2.0 messages of structures and of reference metadata, with all languages.

`name` is the text in the artefact's first language and `names` holds them all, because a reader cannot tell which
language a lone `name` is in. `meta.schema` comes first: some readers look for it only there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

from cdmeta.errors import ConversionError
from cdmeta.formats.sdmx_ml import SAME_AS, match_type, sender_id
from cdmeta.phrase import Phrase
from cdmeta.sdmx import artefacts as sdmx
from cdmeta.sdmx.artefacts import Header, Maintainable, MetadataSet, Representation, Structure
from cdmeta.text import NO_TEXT, Text

SCHEMA = "https://raw.githubusercontent.com/sdmx-twg/sdmx-json/master/{kind}-message/tools/schemas/2.0.0/sdmx-json-{kind}-schema.json"
"""Address of the schema of a kind of message, `structure` or `metadata`."""

_SURROGATE = re.compile("[\ud800-\udfff]")
_TEXT_TYPES = ("String", "XHTML")

_Object = dict[str, Any]


def structures(artefacts: Sequence[Structure], header: Header) -> bytes:
    """A structure message of any artefacts, in the order of the kinds below and, within a kind, as given.

    Raises:
        ConversionError: a text holds half a character (a lone surrogate), which no encoding can hold.
    """
    data = {
        container: written
        for kind, (container, write) in _WRITERS.items()
        if (written := [_maintainable(entry) | write(entry) for entry in artefacts if entry.kind == kind])
    }
    return _bytes({"meta": _meta("structure", header, artefacts), "data": data})


def metadata(sets: Sequence[MetadataSet], header: Header) -> bytes:
    """A message of metadata sets; an attribute that occurs more than once is repeated.

    Raises:
        ConversionError: a text holds half a character (a lone surrogate), which no encoding can hold.
    """
    return _bytes(
        {"meta": _meta("metadata", header, sets), "data": {"metadataSets": [_set(entry) for entry in sets]}}
    )


def _bytes(message: _Object) -> bytes:
    text = json.dumps(message, ensure_ascii=False, indent=1) + "\n"
    if half := _SURROGATE.search(text):
        before = text[max(0, half.start() - 40) : half.start()].split("\n")[-1].strip()
        raise ConversionError(Phrase("error.surrogate", {"code": f"{ord(half[0]):04X}", "before": before}))
    return text.encode()


def _meta(kind: str, header: Header, values: Sequence[Any]) -> _Object:
    languages = sorted({tag.lower() for tag in _languages(values)})
    return {
        "schema": SCHEMA.format(kind=kind),
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


def _maintainable(artefact: Maintainable) -> _Object:
    head = {
        "id": artefact.id,
        "agencyID": artefact.agency,
        "version": artefact.version,
        "isExternalReference": False,
    }
    if isinstance(artefact, (sdmx.AgencyScheme, sdmx.MetadataProviderScheme)):
        head["isPartial"] = True
    if not isinstance(artefact, MetadataSet):  # whose URN the schema of links does not know
        head["links"] = [{"rel": "self", "urn": artefact.urn}]
    return head | _named(artefact.name, artefact.description)


def _agencies(scheme: sdmx.AgencyScheme) -> _Object:
    return _filled("agencies", [{"id": entry.id} | _named(entry.name) for entry in scheme.agencies])


def _providers(scheme: sdmx.MetadataProviderScheme) -> _Object:
    return _filled("metadataProviders", [{"id": entry.id} | _named(entry.name) for entry in scheme.providers])


def _codes(codelist: sdmx.Codelist) -> _Object:
    codes = [
        {"id": code.id} | _named(code.name, code.description) | ({"parent": code.parent} if code.parent else {})
        for code in codelist.codes
    ]
    return _filled("codes", codes)


def _concepts(scheme: sdmx.ConceptScheme) -> _Object:
    return _filled("concepts", [_concept(concept) for concept in scheme.concepts])


def _concept(concept: sdmx.Concept) -> _Object:
    written: _Object = {"id": concept.id} | _named(concept.name, concept.description)
    same = [{"title": concept.same_as, "type": SAME_AS}] if concept.same_as else []
    matches = [{"title": target, "type": match_type(kind)} for kind, target in concept.matches]
    written |= _filled("annotations", [*same, *matches])
    if concept.representation:
        written["coreRepresentation"] = _representation(concept.representation)
    return written


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
    written: _Object = {"id": part.id, "conceptIdentity": part.concept.urn, "localRepresentation": representation}
    if isinstance(part, sdmx.Dimension):
        return written | ({} if part.is_time else {"position": part.position})
    representation |= {"minOccurs": int(part.mandatory), "maxOccurs": 1}
    return written | {"usage": "mandatory" if part.mandatory else "optional"}


def _data_structure(structure: sdmx.DataStructure) -> _Object:
    ordered = sorted(structure.dimensions, key=lambda part: part.position)
    dimensions: _Object = {"id": "DimensionDescriptor"}
    dimensions |= _filled("dimensions", [_component(part) for part in ordered if not part.is_time])
    for time in (part for part in ordered if part.is_time):
        dimensions["timeDimension"] = _component(time)
    components: _Object = {"dimensionList": dimensions}
    if structure.attributes:
        written = [_component(part) | _relationship(part) for part in structure.attributes]
        components["attributeList"] = {"id": "AttributeDescriptor", "attributes": written}
    if structure.measures:
        measures = [_component(part) for part in structure.measures]
        components["measureList"] = {"id": "MeasureDescriptor", "measures": measures}
    return {"dataStructureComponents": components}


def _relationship(attribute: sdmx.Attribute) -> _Object:
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
    written = {
        "id": attribute.id,
        "minOccurs": attribute.min_occurs,
        "maxOccurs": "unbounded" if attribute.max_occurs is None else attribute.max_occurs,
        "isPresentational": attribute.presentational,
        "conceptIdentity": attribute.concept.urn,
        "localRepresentation": _representation(attribute.representation, multilingual=True),
    }
    return written | _filled("metadataAttributes", [_metadata_attribute(child) for child in attribute.children])


def _metadataflow(flow: sdmx.Metadataflow) -> _Object:
    return {"structure": flow.structure.urn, "targets": list(flow.targets)}


def _agreement(agreement: sdmx.MetadataProvisionAgreement) -> _Object:
    return {"metadataflow": agreement.metadataflow.urn, "metadataProvider": agreement.provider.urn}


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


# Kind to its container and writer, each kind behind what it refers to.
_WRITERS: Mapping[str, tuple[str, Callable[[Any], _Object]]] = {
    "AgencyScheme": ("agencySchemes", _agencies),
    "MetadataProviderScheme": ("metadataProviderSchemes", _providers),
    "Codelist": ("codelists", _codes),
    "ConceptScheme": ("conceptSchemes", _concepts),
    "DataStructure": ("dataStructures", _data_structure),
    "Dataflow": ("dataflows", _dataflow),
    "MetadataStructure": ("metadataStructures", _metadata_structure),
    "Metadataflow": ("metadataflows", _metadataflow),
    "MetadataProvisionAgreement": ("metadataProvisionAgreements", _agreement),
}
