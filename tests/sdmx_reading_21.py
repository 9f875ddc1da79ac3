"""Our messages of SDMX-ML 2.1 read back into values, in the terms of 3.0, by lxml alone."""

from typing import Any

from lxml import etree
from sdmx_reading import (
    LANG,
    Node,
    annotations,
    attr,
    by_facets,
    concepts_of,
    content,
    date,
    find,
    metadata_attribute,
    organisations,
    regions_and_keys,
    spaces,
    texts,
    xhtml,
)

from cdmeta.sdmx import artefacts as sdmx
from cdmeta.sdmx.artefacts import MetadataSet, Representation, Structure
from cdmeta.text import Text
from cdmeta.urn import Ref

__all__ = ["LANG", "sets_from_21", "structures_from_21"]

KINDS = {
    "ContentConstraint": "DataConstraint",
    "DataProviderScheme": "MetadataProviderScheme",
    "ProvisionAgreement": "MetadataProvisionAgreement",
}


def ref(node: Node, path: str) -> Ref:
    """What a reference by its parts refers to."""
    (found,) = node.findall(f"{path}/Ref", spaces(node))
    kind, agency = attr(found, "class"), attr(found, "agencyID")
    if (parent := found.get("maintainableParentID")) is None:
        read = Ref(kind, agency, attr(found, "id"), attr(found, "version"))
    else:
        read = Ref(kind, agency, parent, attr(found, "maintainableParentVersion"), attr(found, "id"))
    assert read.urn.split(".")[3] == attr(found, "package")
    return read


def local(node: Node, path: str) -> tuple[str, ...]:
    """Ids of what is in the same artefact."""
    found = node.findall(f"{path}/Ref", spaces(node))
    assert all(list(entry.attrib) == ["id"] for entry in found)
    return tuple(attr(entry, "id") for entry in found)


def common(node: Node) -> dict[str, Any]:
    assert attr(node, "isFinal") == "false"
    kind = etree.QName(node).localname
    read: dict[str, Any] = {
        "agency": attr(node, "agencyID"),
        "id": attr(node, "id"),
        "version": attr(node, "version"),
        "name": texts(node, "com:Name"),
        "description": texts(node, "com:Description"),
        "annotations": annotations(node),
    }
    assert attr(node, "urn") == Ref(kind, read["agency"], read["id"], read["version"]).urn
    return read


def representation(node: Node, path: str = "str:LocalRepresentation") -> Representation | None:
    if not (found := find(node, path)):
        return None
    if find(found[0], "str:Enumeration"):
        return Representation(ref(found[0], "str:Enumeration"))
    return by_facets(found[0])


def of_component(node: Node) -> Representation:
    read = representation(node)
    assert read is not None
    return read


def agencies(node: Node) -> sdmx.AgencyScheme:
    assert attr(node, "isPartial") == "true"
    return sdmx.AgencyScheme(**common(node), agencies=organisations(node, "str:Agency"))


def providers(node: Node) -> sdmx.MetadataProviderScheme:
    assert attr(node, "id") == "DATA_PROVIDERS"
    read = common(node) | {"id": "METADATA_PROVIDERS"}
    return sdmx.MetadataProviderScheme(**read, providers=organisations(node, "str:DataProvider"))


def codes(node: Node) -> sdmx.Codelist:
    read = tuple(
        sdmx.Code(
            attr(code, "id"),
            texts(code, "com:Name"),
            texts(code, "com:Description"),
            next(iter(local(code, "str:Parent")), None),
        )
        for code in find(node, "str:Code")
    )
    return sdmx.Codelist(**common(node), codes=read, is_partial=node.get("isPartial") == "true")


def concepts(node: Node) -> sdmx.ConceptScheme:
    return sdmx.ConceptScheme(**common(node), concepts=concepts_of(node, representation))


def attached(node: Node, groups: dict[str, tuple[str, ...]]) -> tuple[Any, str | None]:
    (relationship,) = find(node, "str:AttributeRelationship")
    kind = etree.QName(relationship[0]).localname
    if kind == "PrimaryMeasure":
        assert local(relationship, "str:PrimaryMeasure") == ("OBS_VALUE",)
        return "observation", None
    if kind == "None":
        return "dataflow", None
    if kind == "Group":
        (name,) = local(relationship, "str:Group")
        return groups[name], name
    return local(relationship, "str:Dimension"), None


def data_structure(node: Node) -> sdmx.DataStructure:
    (parts,) = find(node, "str:DataStructureComponents")
    groups = {
        attr(group, "id"): local(group, "str:GroupDimension/str:DimensionReference")
        for group in find(parts, "str:Group")
    }
    dimensions = tuple(
        sdmx.Dimension(
            attr(part, "id"),
            ref(part, "str:ConceptIdentity"),
            of_component(part),
            int(attr(part, "position")),
            etree.QName(part).localname == "TimeDimension",
        )
        for part in find(parts, "str:DimensionList/*")
    )
    attributes = []
    for part in find(parts, "str:AttributeList/str:Attribute"):
        attachment, group = attached(part, groups)
        mandatory = {"Mandatory": True, "Conditional": False}[attr(part, "assignmentStatus")]
        concept, values = ref(part, "str:ConceptIdentity"), of_component(part)
        attributes.append(sdmx.Attribute(attr(part, "id"), concept, values, attachment, mandatory, group))
    (measure,) = find(parts, "str:MeasureList/str:PrimaryMeasure")
    return sdmx.DataStructure(
        **common(node),
        dimensions=dimensions,
        measures=(sdmx.Measure(attr(measure, "id"), ref(measure, "str:ConceptIdentity"), of_component(measure)),),
        attributes=tuple(attributes),
        groups=tuple(sdmx.Group(name, ids) for name, ids in groups.items()),
    )


def region(node: Node) -> tuple[tuple[str, tuple[str, ...]], ...]:
    parts = (*find(node, "com:KeyValue"), *find(node, "com:Attribute"))
    return tuple(
        (attr(part, "id"), tuple(value.text or "" for value in find(part, "com:Value"))) for part in parts
    )


def constraint(node: Node) -> sdmx.DataConstraint:
    places = find(node, "str:ConstraintAttachment/*")
    return sdmx.DataConstraint(
        **common(node),
        allowed={"Allowed": True, "Actual": False}[attr(node, "type")],
        attached=tuple(ref(place, ".") for place in places),
        **regions_and_keys(node, region),
    )


def metadata_structure(node: Node) -> sdmx.MetadataStructure:
    (parts,) = find(node, "str:MetadataStructureComponents")
    (report,) = find(parts, "str:ReportStructure")
    targets = [attr(target, "id") for target in find(parts, "str:MetadataTarget")]
    assert targets == list(local(report, "str:MetadataTarget")) == ["KEY_TARGET", "DATAFLOW_TARGET"]
    assert attr(report, "id") == "REPORT"
    found = tuple(
        metadata_attribute(entry, lambda part: ref(part, "str:ConceptIdentity"), of_component)
        for entry in find(report, "str:MetadataAttribute")
    )
    return sdmx.MetadataStructure(**common(node), attributes=found)


READERS: dict[str, Any] = {
    "AgencyScheme": agencies,
    "DataProviderScheme": providers,
    "Codelist": codes,
    "ConceptScheme": concepts,
    "DataStructure": data_structure,
    "Dataflow": lambda node: sdmx.Dataflow(**common(node), structure=ref(node, "str:Structure")),
    "ContentConstraint": constraint,
    "MetadataStructure": metadata_structure,
    "Metadataflow": lambda node: sdmx.Metadataflow(
        **common(node), structure=ref(node, "str:Structure"), targets=()
    ),
    "ProvisionAgreement": lambda node: sdmx.MetadataProvisionAgreement(
        **common(node),
        metadataflow=ref(node, "str:StructureUsage"),
        provider=ref(node, "str:DataProvider"),
    ),
}


def structures_from_21(message: bytes) -> list[Structure]:
    found = find(etree.fromstring(message), "mes:Structures/*/*")
    return [READERS[etree.QName(node).localname](node) for node in found]


def reported(node: Node) -> sdmx.ReportedAttribute:
    marked_up = xhtml(node)
    value = marked_up or texts(node, "com:Text") or node.get("value")
    below = tuple(reported(child) for child in find(node, "gen:AttributeSet/gen:ReportedAttribute"))
    return sdmx.ReportedAttribute(attr(node, "id"), value, below, structured=bool(marked_up))


def target(node: Node) -> tuple[str, tuple[tuple[str, str], ...], str]:
    """Id of the target, its key, and what it is about."""
    keys = find(node, "gen:ReferenceValue/gen:DataKey/com:KeyValue")
    (about,) = node.findall("gen:ReferenceValue/gen:ObjectReference/URN", spaces(node))
    pairs = tuple((attr(key, "id"), content(key, "com:Value") or "") for key in keys)
    return attr(node, "id"), pairs, about.text or ""


def sets_from_21(message: bytes) -> list[tuple[dict[str, Any], list[tuple[Any, tuple[Any, ...]]]]]:
    """What each set says of itself, and its reports: target and attributes."""
    root = etree.fromstring(message)
    structures = {attr(node, "structureID"): node[0] for node in find(root, "mes:Header/mes:Structure")}
    read = []
    for node in find(root, "mes:MetadataSet"):
        named = structures[attr(node, "structureRef")]
        about = {
            "id": attr(node, "setID"),
            "name": texts(node, "com:Name"),
            "annotations": annotations(node),
            "begin": date(node.get("reportingBeginDate")),
            "end": date(node.get("reportingEndDate")),
            "by": (etree.QName(named).localname, ref(named, ".")),
        }
        reports = []
        for report in find(node, "gen:Report"):
            (place,) = find(report, "gen:Target")
            attributes = tuple(map(reported, find(report, "gen:AttributeSet/gen:ReportedAttribute")))
            reports.append(((attr(report, "id"), *target(place)), attributes))
        read.append((about, reports))
    return read


def said_of(report: MetadataSet) -> dict[str, Any]:
    """What 2.1 can say of a set."""
    return {
        "id": report.id,
        "name": report.name,
        "annotations": report.annotations,
        "begin": report.reporting_begin,
        "end": report.reporting_end,
        "by": ("StructureUsage", report.metadataflow),
    }


def marked(text: str) -> Text:
    return Text((("en", text),))
