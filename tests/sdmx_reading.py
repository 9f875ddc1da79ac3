"""Our messages read back into values by lxml and json alone, to be compared with what was written."""

import datetime as dt
import json
from collections.abc import Callable, Iterable
from typing import Any

from lxml import etree

from cdmeta.sdmx import artefacts as sdmx
from cdmeta.sdmx.artefacts import MetadataSet, Representation, Structure
from cdmeta.text import Text
from cdmeta.urn import Ref

Node = etree._Element
NS = {
    prefix: f"http://www.sdmx.org/resources/sdmxml/schemas/v3_0/{path}"
    for prefix, path in {
        "mes": "message",
        "str": "structure",
        "com": "common",
        "gen": "metadata/generic",
    }.items()
}
LANG = "{http://www.w3.org/XML/1998/namespace}lang"


def find(node: Node, path: str) -> list[Node]:
    return node.findall(path, NS)


def attr(node: Node, name: str) -> str:
    return str(node.attrib[name])


def ref(urn: str | None) -> Ref:
    read = Ref.parse(urn)
    assert read is not None, urn
    return read


def content(node: Node, path: str) -> str | None:
    found = node.find(path, NS)
    return None if found is None else (found.text or "")


def texts(node: Node, path: str) -> Text:
    return Text(tuple((attr(entry, LANG), entry.text or "") for entry in find(node, path)))


def annotation(node: Node, kind: str) -> str | None:
    for note in find(node, "com:Annotations/com:Annotation"):
        if content(note, "com:AnnotationType") == kind:
            return content(note, "com:AnnotationTitle")
    return None


def matches(notes: Iterable[tuple[str | None, str | None]]) -> tuple[tuple[str, str], ...]:
    """What annotations of the types `CLOSE_MATCH` and the like say."""
    return tuple(
        (kind.removesuffix("_MATCH").lower(), title or "")
        for kind, title in notes
        if kind and kind.endswith("_MATCH")
    )


def representation(node: Node, path: str = "str:LocalRepresentation") -> Representation | None:
    if (found := node.find(path, NS)) is None:
        return None
    if (codelist := content(found, "str:Enumeration")) is not None:
        return Representation(ref(codelist))
    facets = {str(key): str(value) for key, value in find(found, "str:TextFormat")[0].attrib.items()}
    return Representation(
        None,
        facets["textType"],
        int(facets["minLength"]) if "minLength" in facets else None,
        int(facets["maxLength"]) if "maxLength" in facets else None,
        facets.get("minValue"),
        facets.get("maxValue"),
        facets.get("pattern"),
    )


def local(node: Node) -> Representation:
    read = representation(node)
    assert read is not None
    return read


def common(node: Node) -> dict[str, Any]:
    kind = etree.QName(node).localname
    read: dict[str, Any] = {
        "agency": attr(node, "agencyID"),
        "id": attr(node, "id"),
        "version": node.get("version", "1.0"),
        "name": texts(node, "com:Name"),
        "description": texts(node, "com:Description"),
    }
    assert attr(node, "urn") == Ref(kind, read["agency"], read["id"], read["version"]).urn
    return read


def concept(node: Node) -> Ref:
    return ref(content(node, "str:ConceptIdentity"))


def agencies(node: Node) -> sdmx.AgencyScheme:
    assert node.get("version") is None
    assert node.get("isPartial") == "true"
    items = tuple(sdmx.Agency(attr(item, "id"), texts(item, "com:Name")) for item in find(node, "str:Agency"))
    return sdmx.AgencyScheme(**common(node), agencies=items)


def providers(node: Node) -> sdmx.MetadataProviderScheme:
    assert node.get("version") is None
    assert node.get("isPartial") == "true"
    found = find(node, "str:MetadataProvider")
    items = tuple(sdmx.Agency(attr(item, "id"), texts(item, "com:Name")) for item in found)
    return sdmx.MetadataProviderScheme(**common(node), providers=items)


def codelist(node: Node) -> sdmx.Codelist:
    codes = tuple(
        sdmx.Code(
            attr(code, "id"),
            texts(code, "com:Name"),
            texts(code, "com:Description"),
            content(code, "str:Parent") or annotation(code, "PARENT"),
        )
        for code in find(node, "str:Code")
    )
    return sdmx.Codelist(**common(node), codes=codes)


def concepts(node: Node) -> sdmx.ConceptScheme:
    read = tuple(
        sdmx.Concept(
            attr(entry, "id"),
            texts(entry, "com:Name"),
            texts(entry, "com:Description"),
            representation(entry, "str:CoreRepresentation"),
            annotation(entry, "SAME_AS"),
            matches(
                (content(note, "com:AnnotationType"), content(note, "com:AnnotationTitle"))
                for note in find(entry, "com:Annotations/com:Annotation")
            ),
        )
        for entry in find(node, "str:Concept")
    )
    return sdmx.ConceptScheme(**common(node), concepts=read)


def attachment(node: Node) -> Any:
    (relationship,) = find(node, "str:AttributeRelationship")
    dimensions = tuple(entry.text for entry in find(relationship, "str:Dimension"))
    return dimensions or etree.QName(relationship[0]).localname.lower()


def data_structure(node: Node) -> sdmx.DataStructure:
    base = "str:DataStructureComponents/"
    dimensions = [
        sdmx.Dimension(attr(part, "id"), concept(part), local(part), int(attr(part, "position")))
        for part in find(node, f"{base}str:DimensionList/str:Dimension")
    ]
    for part in find(node, f"{base}str:DimensionList/str:TimeDimension"):
        position = len(dimensions) + 1
        dimensions.append(sdmx.Dimension(attr(part, "id"), concept(part), local(part), position, is_time=True))
    measures = tuple(
        sdmx.Measure(attr(part, "id"), concept(part), local(part), attr(part, "usage") == "mandatory")
        for part in find(node, f"{base}str:MeasureList/str:Measure")
    )
    attributes = tuple(
        sdmx.Attribute(
            attr(part, "id"), concept(part), local(part), attachment(part), attr(part, "usage") == "mandatory"
        )
        for part in find(node, f"{base}str:AttributeList/str:Attribute")
    )
    return sdmx.DataStructure(
        **common(node), dimensions=tuple(dimensions), measures=measures, attributes=attributes
    )


def dataflow(node: Node) -> sdmx.Dataflow:
    return sdmx.Dataflow(**common(node), structure=ref(content(node, "str:Structure")))


def metadata_attribute(node: Node) -> sdmx.MetadataAttribute:
    most = attr(node, "maxOccurs")
    return sdmx.MetadataAttribute(
        attr(node, "id"),
        concept(node),
        local(node),
        int(attr(node, "minOccurs")),
        None if most == "unbounded" else int(most),
        attr(node, "isPresentational") == "true",
        tuple(metadata_attribute(child) for child in find(node, "str:MetadataAttribute")),
    )


def metadata_structure(node: Node) -> sdmx.MetadataStructure:
    found = find(node, "str:MetadataStructureComponents/str:MetadataAttributeList/str:MetadataAttribute")
    return sdmx.MetadataStructure(**common(node), attributes=tuple(metadata_attribute(entry) for entry in found))


def metadataflow(node: Node) -> sdmx.Metadataflow:
    targets = tuple(target.text or "" for target in find(node, "str:Target"))
    return sdmx.Metadataflow(**common(node), structure=ref(content(node, "str:Structure")), targets=targets)


def agreement(node: Node) -> sdmx.MetadataProvisionAgreement:
    flow, provider = ref(content(node, "str:Metadataflow")), ref(content(node, "str:MetadataProvider"))
    return sdmx.MetadataProvisionAgreement(**common(node), metadataflow=flow, provider=provider)


ML: dict[str, Callable[[Node], Structure]] = {
    "AgencyScheme": agencies,
    "MetadataProviderScheme": providers,
    "Codelist": codelist,
    "ConceptScheme": concepts,
    "DataStructure": data_structure,
    "Dataflow": dataflow,
    "MetadataStructure": metadata_structure,
    "Metadataflow": metadataflow,
    "MetadataProvisionAgreement": agreement,
}


def structures_from_ml(message: bytes) -> list[Structure]:
    found = find(etree.fromstring(message), "mes:Structures/*/*")
    return [ML[etree.QName(node).localname](node) for node in found]


def ml_attribute(node: Node) -> sdmx.ReportedAttribute:
    value = texts(node, "com:Text") or content(node, "gen:Value")
    children = tuple(ml_attribute(child) for child in find(node, "gen:Attribute"))
    return sdmx.ReportedAttribute(attr(node, "id"), value, children)


def sets_from_ml(message: bytes) -> list[MetadataSet]:
    return [
        MetadataSet(
            **common(node),
            metadataflow=ref(content(node, "gen:Metadataflow")),
            targets=tuple(target.text or "" for target in find(node, "gen:Target")),
            attributes=tuple(ml_attribute(attribute) for attribute in find(node, "gen:Attribute")),
            reporting_begin=date(node.get("reportingBeginDate")),
            reporting_end=date(node.get("reportingEndDate")),
        )
        for node in find(etree.fromstring(message), "mes:MetadataSet")
    ]


def date(value: str | None) -> dt.date | None:
    return None if value is None else dt.date.fromisoformat(value)


Object = dict[str, Any]


def json_text(entry: Object, key: str = "name") -> Text:
    read = Text(tuple(entry.get(f"{key}s", {}).items()))
    assert entry.get(key, "") == (read.entries[0][1] if read else "")
    return read


def json_common(entry: Object) -> Object:
    return {
        "agency": entry["agencyID"],
        "id": entry["id"],
        "version": entry["version"],
        "name": json_text(entry),
        "description": json_text(entry, "description"),
    }


def json_representation(entry: Object | None) -> Representation | None:
    if entry is None:
        return None
    if "enumeration" in entry:
        return Representation(ref(entry["enumeration"]))
    facets = entry["format"]
    low, high = (str(facets[key]) if key in facets else None for key in ("minValue", "maxValue"))
    lengths = (facets.get("minLength"), facets.get("maxLength"))
    return Representation(None, facets["dataType"], *lengths, low, high, facets.get("pattern"))


def json_component(entry: Object) -> tuple[str, Ref, Representation]:
    read = json_representation(entry["localRepresentation"])
    assert read is not None
    return entry["id"], ref(entry["conceptIdentity"]), read


def json_codelist(entry: Object) -> sdmx.Codelist:
    codes = tuple(
        sdmx.Code(code["id"], json_text(code), json_text(code, "description"), code.get("parent"))
        for code in entry["codes"]
    )
    return sdmx.Codelist(**json_common(entry), codes=codes)


def json_concept(entry: Object) -> sdmx.Concept:
    pairs = [(note["type"], note["title"]) for note in entry.get("annotations", ())]
    core = json_representation(entry.get("coreRepresentation"))
    names = (json_text(entry), json_text(entry, "description"))
    return sdmx.Concept(entry["id"], *names, core, dict(pairs).get("SAME_AS"), matches(pairs))


def json_data_structure(entry: Object) -> sdmx.DataStructure:
    parts = entry["dataStructureComponents"]
    assert "groups" not in parts
    flat = parts["dimensionList"]["dimensions"]
    dimensions = [sdmx.Dimension(*json_component(part), part["position"]) for part in flat]
    if time := parts["dimensionList"].get("timeDimension"):
        dimensions.append(sdmx.Dimension(*json_component(time), len(dimensions) + 1, is_time=True))
    measures = parts.get("measureList", {}).get("measures", ())
    attributes = []
    for part in parts.get("attributeList", {}).get("attributes", ()):
        (place,) = part["attributeRelationship"]
        attached = tuple(part["attributeRelationship"]["dimensions"]) if place == "dimensions" else place
        attributes.append(sdmx.Attribute(*json_component(part), attached, part["usage"] == "mandatory"))
    return sdmx.DataStructure(
        **json_common(entry),
        dimensions=tuple(dimensions),
        measures=tuple(sdmx.Measure(*json_component(part), part["usage"] == "mandatory") for part in measures),
        attributes=tuple(attributes),
    )


def json_metadata_attribute(entry: Object) -> sdmx.MetadataAttribute:
    return sdmx.MetadataAttribute(
        *json_component(entry),
        entry["minOccurs"],
        None if entry["maxOccurs"] == "unbounded" else entry["maxOccurs"],
        entry["isPresentational"],
        tuple(json_metadata_attribute(child) for child in entry.get("metadataAttributes", ())),
    )


def json_metadata_structure(entry: Object) -> sdmx.MetadataStructure:
    listed = entry["metadataStructureComponents"]["metadataAttributeList"]["metadataAttributes"]
    return sdmx.MetadataStructure(
        **json_common(entry), attributes=tuple(json_metadata_attribute(attribute) for attribute in listed)
    )


def json_agencies(entry: Object, key: str) -> tuple[sdmx.Agency, ...]:
    assert entry["isPartial"] is True
    return tuple(sdmx.Agency(item["id"], json_text(item)) for item in entry[key])


JSON: dict[str, Callable[[Object], Structure]] = {
    "agencySchemes": lambda e: sdmx.AgencyScheme(**json_common(e), agencies=json_agencies(e, "agencies")),
    "metadataProviderSchemes": lambda e: sdmx.MetadataProviderScheme(
        **json_common(e), providers=json_agencies(e, "metadataProviders")
    ),
    "codelists": json_codelist,
    "conceptSchemes": lambda e: sdmx.ConceptScheme(
        **json_common(e), concepts=tuple(json_concept(entry) for entry in e["concepts"])
    ),
    "dataStructures": json_data_structure,
    "dataflows": lambda e: sdmx.Dataflow(**json_common(e), structure=ref(e["structure"])),
    "metadataStructures": json_metadata_structure,
    "metadataflows": lambda e: sdmx.Metadataflow(
        **json_common(e), structure=ref(e["structure"]), targets=tuple(e["targets"])
    ),
    "metadataProvisionAgreements": lambda e: sdmx.MetadataProvisionAgreement(
        **json_common(e), metadataflow=ref(e["metadataflow"]), provider=ref(e["metadataProvider"])
    ),
}


def structures_from_json(message: bytes) -> list[Structure]:
    data = json.loads(message)["data"]
    return [JSON[container](entry) for container, entries in data.items() for entry in entries]


def json_attribute(entry: Object) -> sdmx.ReportedAttribute:
    value = entry.get("value")
    read = Text(tuple(value.items())) if isinstance(value, dict) else value
    return sdmx.ReportedAttribute(entry["id"], read, tuple(map(json_attribute, entry.get("attributes", ()))))


def sets_from_json(message: bytes) -> list[MetadataSet]:
    return [
        MetadataSet(
            **json_common(entry),
            metadataflow=ref(entry["metadataflow"]),
            targets=tuple(entry["targets"]),
            attributes=tuple(map(json_attribute, entry["attributes"])),
            reporting_begin=date(entry.get("reportingBegin")),
            reporting_end=date(entry.get("reportingEnd")),
        )
        for entry in json.loads(message)["data"]["metadataSets"]
    ]


def legal_texts() -> Any:
    """Any text that XML can hold, as a hypothesis strategy."""
    from hypothesis import strategies as st

    wide = st.characters(min_codepoint=0x20, exclude_categories=["Cs"], exclude_characters="\ufffe\uffff")
    return st.text(st.one_of(wide, st.sampled_from("\t\n\r\"'<>&]\u2028\x85")), min_size=1)
