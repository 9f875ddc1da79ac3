"""Our messages read back into values by lxml and json alone, to be compared with what was written."""

import datetime as dt
import html
import json
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from lxml import etree

from cdmeta.sdmx import artefacts as sdmx
from cdmeta.sdmx.artefacts import MetadataSet, Representation, Structure
from cdmeta.text import Text
from cdmeta.urn import Ref

Node = etree._Element
Put = Callable[[str | bytes], Path]
"""Writes a message into a file."""
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


def spaces(node: Node) -> dict[str, str]:
    """The namespaces of the version of a message."""
    version = re.search("schemas/(v[0-9]_[0-9])", str(node.tag))
    assert version is not None
    return {prefix: name.replace("v3_0", version[1]) for prefix, name in NS.items()}


def find(node: Node, path: str) -> list[Node]:
    return node.findall(path, spaces(node))


def attr(node: Node, name: str) -> str:
    return str(node.attrib[name])


def ref(urn: str | None) -> Ref:
    read = Ref.parse(urn)
    assert read is not None, urn
    return read


def content(node: Node, path: str) -> str | None:
    found = node.find(path, spaces(node))
    return None if found is None else (found.text or "")


def texts(node: Node, path: str) -> Text:
    return Text(tuple((attr(entry, LANG), entry.text or "") for entry in find(node, path)))


def annotations(node: Node) -> tuple[sdmx.Annotation, ...]:
    return tuple(
        sdmx.Annotation(
            content(note, "com:AnnotationType"),
            content(note, "com:AnnotationTitle"),
            texts(note, "com:AnnotationText"),
            note.get("id"),
        )
        for note in find(node, "com:Annotations/com:Annotation")
    )


def annotation(node: Node, kind: str) -> str | None:
    return next((note.title for note in annotations(node) if note.type == kind), None)


def matches(notes: Iterable[tuple[str | None, str | None]]) -> tuple[tuple[str, str], ...]:
    """What annotations of the types `CLOSE_MATCH` and the like say."""
    return tuple(
        (kind.removesuffix("_MATCH").lower(), title or "")
        for kind, title in notes
        if kind and kind.endswith("_MATCH")
    )


def representation(node: Node, path: str = "str:LocalRepresentation") -> Representation | None:
    if (found := node.find(path, spaces(node))) is None:
        return None
    if (codelist := content(found, "str:Enumeration")) is not None:
        return Representation(ref(codelist), max_occurs=occurs(found))
    return by_facets(found, occurs(found))


def by_facets(node: Node, most: int | None = 1) -> Representation:
    """A representation by a type of text and its facets."""
    facets = {str(key): str(value) for key, value in find(node, "str:TextFormat")[0].attrib.items()}
    return Representation(
        None,
        facets["textType"],
        int(facets["minLength"]) if "minLength" in facets else None,
        int(facets["maxLength"]) if "maxLength" in facets else None,
        facets.get("minValue"),
        facets.get("maxValue"),
        facets.get("pattern"),
        int(facets["decimals"]) if "decimals" in facets else None,
        most,
    )


def occurs(node: Node) -> int | None:
    most = node.get("maxOccurs", "1")
    return None if most == "unbounded" else int(most)


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
        "annotations": annotations(node),
    }
    assert attr(node, "urn") == Ref(kind, read["agency"], read["id"], read["version"]).urn
    return read


def concept(node: Node) -> Ref:
    return ref(content(node, "str:ConceptIdentity"))


def organisations(node: Node, path: str) -> tuple[sdmx.Agency, ...]:
    return tuple(sdmx.Agency(attr(item, "id"), texts(item, "com:Name")) for item in find(node, path))


def agencies(node: Node) -> sdmx.AgencyScheme:
    assert (node.get("version"), node.get("isPartial")) == (None, "true")
    return sdmx.AgencyScheme(**common(node), agencies=organisations(node, "str:Agency"))


def providers(node: Node) -> sdmx.MetadataProviderScheme:
    assert (node.get("version"), node.get("isPartial")) == (None, "true")
    return sdmx.MetadataProviderScheme(**common(node), providers=organisations(node, "str:MetadataProvider"))


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
    found = tuple(map(extension, find(node, "str:CodelistExtension")))
    return sdmx.Codelist(**common(node), codes=codes, is_partial=node.get("isPartial") == "true", extensions=found)


def extension(node: Node) -> sdmx.CodelistExtension:
    values = tuple(value.text or "" for value in find(node, "*/str:MemberValue"))
    excluded = bool(find(node, "str:ExclusiveCodeSelection"))
    return sdmx.CodelistExtension(ref(content(node, "str:Codelist")), node.get("prefix", ""), values, excluded)


def valuelist(node: Node) -> sdmx.ValueList:
    codes = tuple(
        sdmx.Code(attr(item, "id"), texts(item, "com:Name"), texts(item, "com:Description"))
        for item in find(node, "str:ValueItem")
    )
    return sdmx.ValueList(**common(node), codes=codes)


def concepts(node: Node) -> sdmx.ConceptScheme:
    return sdmx.ConceptScheme(**common(node), concepts=concepts_of(node, representation))


def concepts_of(node: Node, values_of: Callable[[Node, str], Representation | None]) -> tuple[sdmx.Concept, ...]:
    return tuple(
        sdmx.Concept(
            attr(entry, "id"),
            texts(entry, "com:Name"),
            texts(entry, "com:Description"),
            values_of(entry, "str:CoreRepresentation"),
            annotation(entry, "SAME_AS"),
            matches((note.type, note.title) for note in annotations(entry)),
        )
        for entry in find(node, "str:Concept")
    )


def attachment(node: Node, groups: tuple[sdmx.Group, ...]) -> Any:
    (relationship,) = find(node, "str:AttributeRelationship")
    if (group := content(relationship, "str:Group")) is not None:
        return next(entry.dimensions for entry in groups if entry.id == group)
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
    groups = tuple(
        sdmx.Group(
            attr(group, "id"),
            tuple(part.text or "" for part in find(group, "str:GroupDimension/str:DimensionReference")),
        )
        for group in find(node, f"{base}str:Group")
    )
    attributes = tuple(
        sdmx.Attribute(
            attr(part, "id"),
            concept(part),
            local(part),
            attachment(part, groups),
            attr(part, "usage") == "mandatory",
            content(part, "str:AttributeRelationship/str:Group"),
            tuple(measure.text or "" for measure in find(part, "str:MeasureRelationship/str:Measure")),
        )
        for part in find(node, f"{base}str:AttributeList/str:Attribute")
    )
    usages = tuple(
        sdmx.MetadataAttributeUsage(
            content(part, "str:MetadataAttributeReference") or "",
            attachment(part, groups),
            content(part, "str:AttributeRelationship/str:Group"),
        )
        for part in find(node, f"{base}str:AttributeList/str:MetadataAttributeUsage")
    )
    link = content(node, "str:Metadata")
    return sdmx.DataStructure(
        **common(node),
        dimensions=tuple(dimensions),
        measures=measures,
        attributes=attributes,
        groups=groups,
        metadata=ref(link) if link else None,
        metadata_usages=usages,
    )


def region(node: Node) -> tuple[tuple[str, tuple[str, ...]], ...]:
    return tuple(
        (attr(part, "id"), tuple(value.text or "" for value in find(part, "str:Value"))) for part in children(node)
    )


def regions_and_keys(
    node: Node, region: Callable[[Node], Iterable[tuple[str, tuple[str, ...]]]]
) -> dict[str, Any]:
    """What a constraint binds; `region` reads the values of its components."""
    return {
        "regions": tuple(
            sdmx.CubeRegion(
                tuple((part, frozenset(values)) for part, values in region(entry)),
                attr(entry, "include") == "true",
            )
            for entry in find(node, "str:CubeRegion")
        ),
        "keys": tuple(
            (attr(keys, "isIncluded") == "true", tuple((part, values[0]) for part, values in region(key)))
            for keys in find(node, "str:DataKeySet")
            for key in find(keys, "str:Key")
        ),
    }


def children(node: Node) -> list[Node]:
    return [*find(node, "str:KeyValue"), *find(node, "str:Component")]


def constraint(node: Node) -> sdmx.DataConstraint:
    return sdmx.DataConstraint(
        **common(node),
        allowed=node.get("role", "Allowed") == "Allowed",
        attached=tuple(ref(entry.text) for entry in find(node, "str:ConstraintAttachment/*")),
        **regions_and_keys(node, region),
    )


def ends(node: Node, end: str) -> tuple[Ref | str, ...]:
    found = (entry for entry in node if etree.QName(entry).localname.startswith(end))
    return tuple(Ref.parse(entry.text) or entry.text or "" for entry in found)


def values(node: Node, path: str) -> tuple[str, ...]:
    return tuple(entry.text or "" for entry in find(node, path))


def representation_map(node: Node) -> sdmx.RepresentationMap:
    return sdmx.RepresentationMap(
        **common(node),
        sources=ends(node, "Source"),
        targets=ends(node, "Target"),
        mappings=tuple(
            sdmx.ValueMapping(values(row, "str:SourceValue"), values(row, "str:TargetValue"))
            for row in find(node, "str:RepresentationMapping")
        ),
    )


def structure_map(node: Node) -> sdmx.StructureMap:
    def component(part: Node) -> sdmx.ComponentMap:
        used = content(part, "str:RepresentationMap")
        return sdmx.ComponentMap(
            values(part, "str:Source"), values(part, "str:Target"), ref(used) if used else None
        )

    def date(part: Node) -> sdmx.DatePatternMap:
        (source,), (target,) = values(part, "str:Source"), values(part, "str:Target")
        frequency = content(part, "str:TargetFrequencyID") or ""
        return sdmx.DatePatternMap(source, target, attr(part, "sourcePattern"), attr(part, "locale"), frequency)

    return sdmx.StructureMap(
        **common(node),
        source=ref(content(node, "str:Source")),
        target=ref(content(node, "str:Target")),
        components=tuple(map(component, find(node, "str:ComponentMap"))),
        fixed=tuple(
            sdmx.FixedValueMap(content(part, "str:Target") or "", values(part, "str:Value"))
            for part in find(node, "str:FixedValueMap")
        ),
        dates=tuple(map(date, find(node, "str:DatePatternMap"))),
    )


def dataflow(node: Node) -> sdmx.Dataflow:
    return sdmx.Dataflow(**common(node), structure=ref(content(node, "str:Structure")))


def metadata_attribute(
    node: Node, concept_of: Callable[[Node], Ref], values_of: Callable[[Node], Representation]
) -> sdmx.MetadataAttribute:
    most = attr(node, "maxOccurs")
    return sdmx.MetadataAttribute(
        attr(node, "id"),
        concept_of(node),
        values_of(node),
        int(attr(node, "minOccurs")),
        None if most == "unbounded" else int(most),
        attr(node, "isPresentational") == "true",
        tuple(metadata_attribute(below, concept_of, values_of) for below in find(node, "str:MetadataAttribute")),
    )


def metadata_structure(node: Node) -> sdmx.MetadataStructure:
    found = find(node, "str:MetadataStructureComponents/str:MetadataAttributeList/str:MetadataAttribute")
    return sdmx.MetadataStructure(
        **common(node), attributes=tuple(metadata_attribute(each, concept, local) for each in found)
    )


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
    "ValueList": valuelist,
    "DataConstraint": constraint,
    "RepresentationMap": representation_map,
    "StructureMap": structure_map,
}


def structures_from_ml(message: bytes) -> list[Structure]:
    found = find(etree.fromstring(message), "mes:Structures/*/*")
    return [ML[etree.QName(node).localname](node) for node in found]


def ml_attribute(node: Node) -> sdmx.ReportedAttribute:
    marked_up = xhtml(node)
    value = marked_up or texts(node, "com:Text") or content(node, "gen:Value")
    below = tuple(ml_attribute(child) for child in find(node, "gen:Attribute"))
    return sdmx.ReportedAttribute(attr(node, "id"), value, below, structured=bool(marked_up))


def xhtml(node: Node) -> Text:
    """What stands in `StructuredText`, as it was before it became elements of the namespace of XHTML."""
    found = []
    for entry in find(node, "com:StructuredText"):
        assert {etree.QName(part).namespace for part in entry.iterdescendants()} == {
            "http://www.w3.org/1999/xhtml"
        }
        parts = [html.escape(entry.text or "", quote=False)]
        parts += [etree.tostring(part, encoding="unicode") for part in entry]
        found.append((attr(entry, LANG), re.sub(' xmlns(:[a-z0-9]+)?="[^"]*"', "", "".join(parts))))
    return Text(tuple(found))


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
        "annotations": tuple(
            sdmx.Annotation(note.get("type"), note.get("title"), json_text(note, "text"), note.get("id"))
            for note in entry.get("annotations", ())
        ),
    }


def json_representation(entry: Object | None) -> Representation | None:
    if entry is None:
        return None
    if "enumeration" in entry:
        return Representation(ref(entry["enumeration"]), max_occurs=json_occurs(entry))
    facets = entry["format"]
    low, high = (str(facets[key]) if key in facets else None for key in ("minValue", "maxValue"))
    lengths = (facets.get("minLength"), facets.get("maxLength"))
    more = {"pattern": facets.get("pattern"), "decimals": facets.get("decimals"), "max_occurs": json_occurs(entry)}
    return Representation(None, facets["dataType"], *lengths, low, high, **more)


def json_occurs(entry: Object) -> int | None:
    most = entry.get("maxOccurs", 1)
    assert isinstance(most, int) or most == "unbounded"
    return most if isinstance(most, int) else None


def json_component(entry: Object) -> tuple[str, Ref, Representation]:
    read = json_representation(entry["localRepresentation"])
    assert read is not None
    return entry["id"], ref(entry["conceptIdentity"]), read


def json_codelist(entry: Object) -> sdmx.Codelist:
    codes = tuple(
        sdmx.Code(code["id"], json_text(code), json_text(code, "description"), code.get("parent"))
        for code in entry["codes"]
    )
    partial = entry.get("isPartial", False)
    found = tuple(map(json_extension, entry.get("codelistExtensions", ())))
    return sdmx.Codelist(**json_common(entry), codes=codes, is_partial=partial, extensions=found)


def json_extension(entry: Object) -> sdmx.CodelistExtension:
    excluded = "exclusiveCodeSelection" in entry
    chosen = entry.get("exclusiveCodeSelection") or entry.get("inclusiveCodeSelection") or {}
    meant = (*chosen.get("memberValues", ()), *chosen.get("wildcardedMemberValues", ()))
    return sdmx.CodelistExtension(ref(entry["codelist"]), entry.get("prefix", ""), meant, excluded)


def json_concept(entry: Object) -> sdmx.Concept:
    pairs = [(note["type"], note["title"]) for note in entry.get("annotations", ())]
    core = json_representation(entry.get("coreRepresentation"))
    names = (json_text(entry), json_text(entry, "description"))
    return sdmx.Concept(entry["id"], *names, core, dict(pairs).get("SAME_AS"), matches(pairs))


def json_attachment(entry: Object, groups: tuple[sdmx.Group, ...]) -> tuple[Any, str | None]:
    (place,) = entry["attributeRelationship"]
    if place == "group":
        name = entry["attributeRelationship"]["group"]
        return next(group.dimensions for group in groups if group.id == name), name
    return (tuple(entry["attributeRelationship"]["dimensions"]) if place == "dimensions" else place), None


def json_data_structure(entry: Object) -> sdmx.DataStructure:
    parts = entry["dataStructureComponents"]
    groups = tuple(sdmx.Group(group["id"], tuple(group["groupDimensions"])) for group in parts.get("groups", ()))
    flat = parts["dimensionList"]["dimensions"]
    dimensions = [sdmx.Dimension(*json_component(part), part["position"]) for part in flat]
    if time := parts["dimensionList"].get("timeDimension"):
        dimensions.append(sdmx.Dimension(*json_component(time), len(dimensions) + 1, is_time=True))
    measures = parts.get("measureList", {}).get("measures", ())
    attributes = []
    for part in parts.get("attributeList", {}).get("attributes", ()):
        attached, group = json_attachment(part, groups)
        about = tuple(part.get("measureRelationship", ()))
        usage = part["usage"] == "mandatory"
        attributes.append(sdmx.Attribute(*json_component(part), attached, usage, group, about))
    usages = parts.get("attributeList", {}).get("metadataAttributeUsages", ())
    return sdmx.DataStructure(
        **json_common(entry),
        dimensions=tuple(dimensions),
        measures=tuple(sdmx.Measure(*json_component(part), part["usage"] == "mandatory") for part in measures),
        attributes=tuple(attributes),
        groups=groups,
        metadata=ref(entry["metadata"]) if "metadata" in entry else None,
        metadata_usages=tuple(
            sdmx.MetadataAttributeUsage(part["metadataAttributeReference"], *json_attachment(part, groups))
            for part in usages
        ),
    )


def json_region(entry: Object) -> tuple[tuple[str, tuple[str, ...]], ...]:
    parts = (*entry.get("keyValues", ()), *entry.get("components", ()))
    return tuple(
        (
            part["id"],
            (part["value"],) if "value" in part else tuple(value["value"] for value in part.get("values", ())),
        )
        for part in parts
    )


def json_constraint(entry: Object) -> sdmx.DataConstraint:
    attached = entry.get("constraintAttachment", {})
    assert len(attached) < 2
    urns = [urn for found in attached.values() for urn in (found if isinstance(found, list) else [found])]
    return sdmx.DataConstraint(
        **json_common(entry),
        allowed=entry.get("role", "Allowed") == "Allowed",
        attached=tuple(map(ref, urns)),
        regions=tuple(
            sdmx.CubeRegion(tuple((part, frozenset(found)) for part, found in json_region(part)), part["include"])
            for part in entry.get("cubeRegions", ())
        ),
        keys=tuple(
            (keys["isIncluded"], tuple((part, found[0]) for part, found in json_region(key)))
            for keys in entry.get("dataKeySets", ())
            for key in keys["keys"]
        ),
    )


def json_representation_map(entry: Object) -> sdmx.RepresentationMap:
    def columns(key: str) -> tuple[Ref | str, ...]:
        return tuple(ref(part["codelist"]) if "codelist" in part else part["dataType"] for part in entry[key])

    return sdmx.RepresentationMap(
        **json_common(entry),
        sources=columns("source"),
        targets=columns("target"),
        mappings=tuple(
            sdmx.ValueMapping(
                tuple(value["value"] for value in row["sourceValues"]), tuple(row.get("targetValues", ()))
            )
            for row in entry["representationMappings"]
        ),
    )


def json_structure_map(entry: Object) -> sdmx.StructureMap:
    dates = []
    for part in entry["datePatternMaps"]:
        (mapped,) = part["mappedComponents"]
        how = (part["sourcePattern"], part["locale"], part["targetFrequencyID"])
        dates.append(sdmx.DatePatternMap(mapped["source"], mapped["target"], *how))
    return sdmx.StructureMap(
        **json_common(entry),
        source=ref(entry["source"]),
        target=ref(entry["target"]),
        components=tuple(
            sdmx.ComponentMap(
                tuple(part["source"]),
                tuple(part["target"]),
                ref(part["representationMap"]) if "representationMap" in part else None,
            )
            for part in entry["componentMaps"]
        ),
        fixed=tuple(sdmx.FixedValueMap(part["target"], tuple(part["values"])) for part in entry["fixedValueMaps"]),
        dates=tuple(dates),
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
    "valueLists": lambda e: sdmx.ValueList(
        **json_common(e),
        codes=tuple(
            sdmx.Code(item["id"], json_text(item), json_text(item, "description")) for item in e["valueItems"]
        ),
    ),
    "dataConstraints": json_constraint,
    "representationMaps": json_representation_map,
    "structureMaps": json_structure_map,
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
