"""Messages of structures: what we write is read back, what others write is read, what is broken is refused."""

import dataclasses
import gzip
import json
import re
import typing
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from sdmx_everything import BARE, CL_ANSWER, DSD, HEADER, MORE, REPORT, STRUCTURES
from sdmx_reading import Put, legal_texts

from cdmeta.errors import ConversionError
from cdmeta.formats import reading, sdmx_json, sdmx_ml, sdmx_ml_21
from cdmeta.sdmx import artefacts as sdmx
from cdmeta.sdmx.artefacts import Annotation, Code, Codelist, Representation, Structure
from cdmeta.sdmx.store import Store, best_version
from cdmeta.text import NO_TEXT, Text
from cdmeta.urn import Ref


def told(artefacts: tuple[Structure, ...]) -> list[Structure]:
    """Artefacts in the order of their URNs; components that a constraint names without a value bind nothing."""

    def binding(entry: Structure) -> Structure:
        if not isinstance(entry, sdmx.DataConstraint):
            return entry
        regions = (
            dataclasses.replace(region, values=tuple(pair for pair in region.values if pair[1]))
            for region in entry.regions
        )
        return dataclasses.replace(entry, regions=tuple(regions))

    return by_urn(tuple(map(binding, artefacts)))


def by_urn(artefacts: tuple[Structure, ...]) -> list[Structure]:
    return sorted(artefacts, key=lambda entry: entry.urn)


@pytest.mark.parametrize("version", ["3.0", "3.1"])
def test_every_kind_that_we_write_is_read_value_by_value(put: Put, version: sdmx_ml.Version) -> None:
    for artefacts in (STRUCTURES, MORE):
        read = reading.structures(put(sdmx_ml.structures(artefacts, HEADER, version)))
        assert by_urn(read) == told(artefacts)


WRITERS: list[Callable[[tuple[Structure, ...]], bytes]] = [
    lambda artefacts: sdmx_ml.structures(artefacts, HEADER),
    lambda artefacts: sdmx_ml.structures(artefacts, HEADER, "3.1"),
    lambda artefacts: sdmx_ml_21.structures(artefacts, HEADER),
    lambda artefacts: sdmx_json.structures(artefacts, HEADER),
    lambda artefacts: sdmx_json.structures(artefacts, HEADER, "2.1"),
]


@pytest.mark.parametrize("write", WRITERS)
def test_what_a_concept_says_of_a_component_is_left_to_the_concept(
    put: Put, write: Callable[[tuple[Structure, ...]], bytes]
) -> None:
    silent = Representation(from_concept=True)
    one = dataclasses.replace(
        DSD,
        dimensions=(dataclasses.replace(DSD.dimensions[1], representation=silent, position=1), DSD.dimensions[3]),
        measures=(dataclasses.replace(DSD.measures[0], representation=silent),),
        attributes=(dataclasses.replace(DSD.attributes[2], representation=silent),),
    )
    (read,) = reading.structures(put(write((one,))))
    assert isinstance(read, sdmx.DataStructure)
    parts = [part for part in read.components if part.id != "TIME_PERIOD"]
    assert [part.representation for part in parts] == [silent] * 3


@given(name=legal_texts(), description=legal_texts())
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_comes_back(put: Put, name: str, description: str) -> None:
    code = Code("A", Text((("en", name), ("fr", description))), Text((("es", description),)))
    codelist = dataclasses.replace(CL_ANSWER, codes=(code,), name=Text((("en", name),)))
    message = sdmx_ml.structures((codelist,), HEADER)
    assert reading.structures(put(message)) == (codelist,)


HEAD_21 = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    '<m:Structure xmlns:m="http://www.sdmx.org/resources/sdmxml/schemas/v2_1/message" '
    'xmlns:s="http://www.sdmx.org/resources/sdmxml/schemas/v2_1/structure" '
    'xmlns:c="http://www.sdmx.org/resources/sdmxml/schemas/v2_1/common"><m:Structures>'
)
TAIL = "</m:Structures></m:Structure>"
ENGLISH = '<c:Name xml:lang="en">N</c:Name>'
N = Text((("en", "N"),))


def message_21(content: str) -> str:
    return HEAD_21 + content + TAIL


def message_30(content: str, version: str = "v3_0") -> str:
    return HEAD_21.replace("v2_1", version) + content + TAIL


def concept_21(id_: str) -> str:
    return (
        f'<s:ConceptIdentity><Ref maintainableParentID="CS" maintainableParentVersion="1.2" agencyID="ZZ" '
        f'id="{id_}" package="conceptscheme" class="Concept"/></s:ConceptIdentity>'
    )


def concept(id_: str, version: str = "1.2") -> Ref:
    return Ref("Concept", "ZZ", "CS", version, id_)


DSD_21 = f"""<s:DataStructures><s:DataStructure id="DSD" agencyID="ZZ" version="1.0">
<c:Annotations><c:Annotation id="a"><c:AnnotationTitle>urn:x</c:AnnotationTitle><c:AnnotationType>METADATA
</c:AnnotationType><c:AnnotationText xml:lang="fr">t</c:AnnotationText></c:Annotation></c:Annotations>
{ENGLISH}<s:DataStructureComponents>
<s:DimensionList id="DimensionDescriptor">
 <s:TimeDimension id="TIME_PERIOD" position="3">{concept_21("TIME_PERIOD")}<s:LocalRepresentation>
   <s:TextFormat textType="ObservationalTimePeriod"/></s:LocalRepresentation></s:TimeDimension>
 <s:Dimension id="FREQ" position="1">{concept_21("FREQ")}<s:LocalRepresentation><s:Enumeration>
   <Ref agencyID="SDMX" id="CL_FREQ" version="2.0" package="codelist" class="Codelist"/></s:Enumeration>
   <s:EnumerationFormat textType="String" maxLength="1"/></s:LocalRepresentation></s:Dimension>
 <s:MeasureDimension position="2">{concept_21("INDICATOR")}<s:LocalRepresentation><s:Enumeration>
   <URN>urn:sdmx:org.sdmx.infomodel.conceptscheme.ConceptScheme=ZZ:CS_M(latest)</URN></s:Enumeration>
   </s:LocalRepresentation></s:MeasureDimension>
</s:DimensionList>
<s:Group id="Sibling"><s:GroupDimension><s:DimensionReference><Ref id="INDICATOR"/></s:DimensionReference>
 </s:GroupDimension></s:Group>
<s:AttributeList id="AttributeDescriptor">
 <s:Attribute id="A_NONE" assignmentStatus="Mandatory">{concept_21("A")}<s:AttributeRelationship><s:None/>
   </s:AttributeRelationship></s:Attribute>
 <s:Attribute id="A_DIM" assignmentStatus="Conditional">{concept_21("A")}<s:AttributeRelationship>
   <s:Dimension><Ref id="FREQ"/></s:Dimension><s:Dimension><Ref id="INDICATOR"/></s:Dimension>
   </s:AttributeRelationship></s:Attribute>
 <s:Attribute id="A_GROUP" assignmentStatus="Conditional">{concept_21("A")}<s:AttributeRelationship>
   <s:Group><Ref id="Sibling"/></s:Group></s:AttributeRelationship></s:Attribute>
 <s:Attribute assignmentStatus="Mandatory">{concept_21("A_OBS")}<s:LocalRepresentation>
   <s:TextFormat textType="Decimal" minValue="0" maxValue="1.50" decimals="2"/></s:LocalRepresentation>
   <s:AttributeRelationship><s:PrimaryMeasure><Ref id="OBS_VALUE"/></s:PrimaryMeasure></s:AttributeRelationship>
   </s:Attribute>
</s:AttributeList>
<s:MeasureList id="MeasureDescriptor"><s:PrimaryMeasure>{concept_21("VALUE")}</s:PrimaryMeasure></s:MeasureList>
</s:DataStructureComponents></s:DataStructure></s:DataStructures>"""
OF_CONCEPT = Representation(from_concept=True)
READ_21 = sdmx.DataStructure(
    "ZZ",
    "DSD",
    "1.0",
    N,
    annotations=(Annotation("METADATA", "urn:x", Text((("fr", "t"),)), "a"),),
    dimensions=(
        sdmx.Dimension("FREQ", concept("FREQ"), Representation(Ref("Codelist", "SDMX", "CL_FREQ", "2.0")), 1),
        sdmx.Dimension(
            "INDICATOR", concept("INDICATOR"), Representation(Ref("ConceptScheme", "ZZ", "CS_M", "latest")), 2
        ),
        sdmx.Dimension(
            "TIME_PERIOD",
            concept("TIME_PERIOD"),
            Representation(text_type="ObservationalTimePeriod"),
            3,
            is_time=True,
        ),
    ),
    measures=(sdmx.Measure("OBS_VALUE", concept("VALUE"), OF_CONCEPT),),
    attributes=(
        sdmx.Attribute("A_NONE", concept("A"), OF_CONCEPT, "dataflow", mandatory=True),
        sdmx.Attribute("A_DIM", concept("A"), OF_CONCEPT, ("FREQ", "INDICATOR")),
        sdmx.Attribute("A_GROUP", concept("A"), OF_CONCEPT, ("INDICATOR",), group="Sibling"),
        sdmx.Attribute(
            "A_OBS",
            concept("A_OBS"),
            Representation(text_type="Decimal", min_value="0", max_value="1.50", decimals=2),
            mandatory=True,
        ),
    ),
    groups=(sdmx.Group("Sibling", ("INDICATOR",)),),
)


def test_a_data_structure_of_sdmx_2_1_is_in_the_terms_of_3_0(put: Put) -> None:
    assert reading.structures(put(message_21(DSD_21))) == (READ_21,)


def urn(kind: str, rest: str) -> str:
    return f"urn:sdmx:org.sdmx.infomodel.{kind}={rest}"


CONCEPT_30 = f"<s:ConceptIdentity>{urn('conceptscheme.Concept', 'ZZ:CS(1.2+.0).A')}</s:ConceptIdentity>"
DSD_30 = f"""<s:DataStructures><s:DataStructure id="DSD" agencyID="ZZ" version="1.0.0">{ENGLISH}
<s:DataStructureComponents><s:DimensionList>
 <s:Dimension id="B">{CONCEPT_30}<s:LocalRepresentation><s:Enumeration>
   {urn("codelist.ValueList", "ZZ:VL(1.0+.0)")}</s:Enumeration></s:LocalRepresentation></s:Dimension>
 <s:TimeDimension>{CONCEPT_30}<s:LocalRepresentation><s:TextFormat/></s:LocalRepresentation></s:TimeDimension>
</s:DimensionList>
<s:Group id="G"><s:GroupDimension><s:DimensionReference>B</s:DimensionReference></s:GroupDimension></s:Group>
<s:AttributeList>
 <s:Attribute id="X" usage="mandatory">{CONCEPT_30}<s:LocalRepresentation maxOccurs="unbounded"><s:TextFormat
   textType="String"/></s:LocalRepresentation><s:AttributeRelationship><s:Observation/></s:AttributeRelationship>
   <s:MeasureRelationship><s:Measure>M1</s:Measure><s:Measure>M2</s:Measure></s:MeasureRelationship></s:Attribute>
 <s:Attribute id="Y">{CONCEPT_30}<s:AttributeRelationship><s:Group>G</s:Group>
   </s:AttributeRelationship></s:Attribute>
 <s:MetadataAttributeUsage><s:MetadataAttributeReference>CONTACT</s:MetadataAttributeReference>
   <s:AttributeRelationship><s:Dataflow/></s:AttributeRelationship></s:MetadataAttributeUsage>
</s:AttributeList>
<s:MeasureList><s:Measure id="M1" usage="mandatory">{CONCEPT_30}</s:Measure><s:Measure id="M2">{CONCEPT_30}
 </s:Measure></s:MeasureList></s:DataStructureComponents>
 <s:Metadata>{urn("metadatastructure.MetadataStructure", "ZZ:MSD(1.0)")}</s:Metadata>
</s:DataStructure></s:DataStructures>"""


@pytest.mark.parametrize("version", ["v3_0", "v3_1"])
def test_a_data_structure_of_sdmx_3_holds_what_is_new_there(put: Put, version: str) -> None:
    (read,) = reading.structures(put(message_30(DSD_30, version)))
    core = concept("A", "1.2+.0")
    assert read == sdmx.DataStructure(
        "ZZ",
        "DSD",
        "1.0.0",
        N,
        dimensions=(
            sdmx.Dimension("B", core, Representation(Ref("ValueList", "ZZ", "VL", "1.0+.0")), 1),
            sdmx.Dimension(
                "TIME_PERIOD", core, Representation(text_type="ObservationalTimePeriod"), 2, is_time=True
            ),
        ),
        measures=(sdmx.Measure("M1", core, OF_CONCEPT, mandatory=True), sdmx.Measure("M2", core, OF_CONCEPT)),
        attributes=(
            sdmx.Attribute(
                "X", core, Representation(max_occurs=None), "observation", mandatory=True, measures=("M1", "M2")
            ),
            sdmx.Attribute("Y", core, OF_CONCEPT, ("B",), group="G"),
        ),
        groups=(sdmx.Group("G", ("B",)),),
        metadata=Ref("MetadataStructure", "ZZ", "MSD", "1.0"),
        metadata_usages=(sdmx.MetadataAttributeUsage("CONTACT", "dataflow"),),
    )


LISTS_30 = f"""<s:Codelists><s:Codelist id="CL" agencyID="ZZ" version="1.0.0" isPartial="true">{ENGLISH}
<s:Code id="A"><c:Name>Plain</c:Name><c:Name xml:lang="fr">Clair</c:Name></s:Code>
<s:CodelistExtension prefix="X_"><s:Codelist>{urn("codelist.Codelist", "ZZ:CL_B(1.0)")}</s:Codelist>
 <s:InclusiveCodeSelection><s:MemberValue>A%</s:MemberValue></s:InclusiveCodeSelection></s:CodelistExtension>
<s:CodelistExtension><s:Codelist>{urn("codelist.Codelist", "ZZ:CL_C(1.0)")}</s:Codelist>
 <s:ExclusiveCodeSelection><s:MemberValue>Z</s:MemberValue></s:ExclusiveCodeSelection></s:CodelistExtension>
</s:Codelist></s:Codelists>
<s:ValueLists><s:ValueList id="VL" agencyID="ZZ" version="1.0">{ENGLISH}<s:ValueItem id="€ 5"/></s:ValueList>
</s:ValueLists><s:CategorySchemes><s:CategoryScheme id="CAT" agencyID="ZZ" version="1.0">{ENGLISH}
<s:Category id="A">{ENGLISH}</s:Category></s:CategoryScheme></s:CategorySchemes>
<s:Dataflows><s:Dataflow id="STUB" agencyID="ZZ" version="1.0" isExternalReference="true">{ENGLISH}</s:Dataflow>
</s:Dataflows>"""


def test_lists_extend_others_and_what_is_not_read_is_told(put: Put) -> None:
    read = reading.read(put(message_30(LISTS_30)))
    b, c = (sdmx.CodelistExtension(Ref("Codelist", "ZZ", name, "1.0")) for name in ("CL_B", "CL_C"))
    assert read.artefacts == (
        Codelist(
            "ZZ",
            "CL",
            "1.0.0",
            N,
            codes=(Code("A", Text((("en", "Plain"), ("fr", "Clair")))),),
            is_partial=True,
            extensions=(
                dataclasses.replace(b, prefix="X_", values=("A%",)),
                dataclasses.replace(c, values=("Z",), excluded=True),
            ),
        ),
        sdmx.ValueList("ZZ", "VL", "1.0", N, codes=(Code("€ 5", NO_TEXT),)),
    )
    assert [str(entry) for entry in read.skipped] == ["CategoryScheme ZZ:CAT(1.0)", "Dataflow ZZ:STUB(1.0)"]


CONSTRAINT_21 = f"""<s:Constraints><s:ContentConstraint id="CC" agencyID="ZZ" version="1.0" type="Actual">{ENGLISH}
<s:ConstraintAttachment><s:Dataflow><Ref agencyID="ZZ" id="DF" version="1.0" class="Dataflow"/></s:Dataflow>
</s:ConstraintAttachment>
<s:CubeRegion include="true"><c:KeyValue id="FREQ"><c:Value>A</c:Value><c:Value>M</c:Value></c:KeyValue>
 <c:KeyValue id="AREA" include="false"><c:Value>KE</c:Value></c:KeyValue>
 <c:KeyValue id="TIME_PERIOD"><c:TimeRange><c:BeforePeriod>2020</c:BeforePeriod></c:TimeRange></c:KeyValue>
</s:CubeRegion>
<s:DataKeySet isIncluded="false"><s:Key><c:KeyValue id="FREQ"><c:Value>M</c:Value></c:KeyValue>
 <c:KeyValue id="AREA"><c:Value>UG</c:Value></c:KeyValue>
 <c:Attribute id="NOTE"><c:Value>x</c:Value></c:Attribute></s:Key></s:DataKeySet>
</s:ContentConstraint></s:Constraints>"""


def actual(*key: tuple[str, str]) -> sdmx.DataConstraint:
    """What the messages below say that there is: two regions, and not the data of a key."""
    return sdmx.DataConstraint(
        "ZZ",
        "CC",
        "1.0",
        N,
        allowed=False,
        attached=(Ref("Dataflow", "ZZ", "DF", "1.0"),),
        regions=(
            sdmx.CubeRegion(
                (("FREQ", frozenset({"A", "M"})),), ranges=(("TIME_PERIOD", sdmx.TimeRange(end="2020")),)
            ),
            sdmx.CubeRegion((("AREA", frozenset({"KE"})),), included=False),
        ),
        keys=((False, key),),
    )


def test_a_constraint_of_sdmx_2_1_is_a_data_constraint(put: Put) -> None:
    (read,) = reading.structures(put(message_21(CONSTRAINT_21)))
    assert read == actual(("FREQ", "M"), ("AREA", "UG"), ("NOTE", "x"))


MSD_21 = f"""<s:MetadataStructures><s:MetadataStructure id="MSD" agencyID="ZZ" version="1.0">{ENGLISH}
<s:MetadataStructureComponents><s:MetadataTarget id="T"><s:IdentifiableObjectTarget id="I" objectType="Dataflow"/>
</s:MetadataTarget><s:ReportStructure id="R">
<s:MetadataAttribute id="CONTACT" isPresentational="true" minOccurs="0" maxOccurs="unbounded">{concept_21("A")}
 <s:MetadataAttribute>{concept_21("B")}<s:LocalRepresentation><s:TextFormat textType="XHTML"/>
 </s:LocalRepresentation></s:MetadataAttribute></s:MetadataAttribute></s:ReportStructure>
<s:ReportStructure id="R2"><s:MetadataAttribute id="C">{concept_21("C")}</s:MetadataAttribute></s:ReportStructure>
</s:MetadataStructureComponents></s:MetadataStructure></s:MetadataStructures>"""


def test_a_metadata_structure_of_sdmx_2_1_has_the_attributes_of_all_its_reports(put: Put) -> None:
    (read,) = reading.structures(put(message_21(MSD_21)))
    child = sdmx.MetadataAttribute("B", concept("B"), Representation(text_type="XHTML"), 1, 1)
    assert isinstance(read, sdmx.MetadataStructure)
    assert read.attributes == (
        sdmx.MetadataAttribute(
            "CONTACT", concept("A"), OF_CONCEPT, 0, None, presentational=True, children=(child,)
        ),
        sdmx.MetadataAttribute("C", concept("C"), OF_CONCEPT, 1, 1),
    )


MAPS = f"""<s:RepresentationMaps><s:RepresentationMap id="RM" agencyID="ZZ" version="1.0">{ENGLISH}
<s:SourceCodelist>{urn("codelist.Codelist", "ZZ:CL(1.0)")}</s:SourceCodelist>
<s:TargetDataType>String</s:TargetDataType>
<s:RepresentationMapping><s:SourceValue>1</s:SourceValue><s:TargetValue>a b</s:TargetValue>
</s:RepresentationMapping></s:RepresentationMap><s:RepresentationMap id="RX" agencyID="ZZ" version="1.0">{ENGLISH}
<s:SourceDataType>String</s:SourceDataType><s:TargetDataType>String</s:TargetDataType>
<s:RepresentationMapping><s:SourceValue isRegEx="true">.*</s:SourceValue></s:RepresentationMapping>
</s:RepresentationMap></s:RepresentationMaps>
<s:StructureMaps><s:StructureMap id="SM" agencyID="ZZ" version="1.0">{ENGLISH}
<s:Source>{urn("datastructure.DataStructure", "ZZ:A(1.0)")}</s:Source>
<s:Target>{urn("datastructure.Dataflow", "ZZ:B(1.0)")}</s:Target>
<s:DatePatternMap sourcePattern="dd/MM/yyyy" locale="fr"><s:Source>WHEN</s:Source><s:Target>TIME_PERIOD</s:Target>
<s:TargetFrequencyID>M</s:TargetFrequencyID></s:DatePatternMap>
<s:ComponentMap><s:Source>X</s:Source><s:Source>Y</s:Source><s:Target>Z</s:Target>
<s:RepresentationMap>{urn("structuremapping.RepresentationMap", "ZZ:RM(1.0)")}</s:RepresentationMap>
</s:ComponentMap>
<s:FixedValueMap><s:Target>FREQ</s:Target><s:Value>A</s:Value></s:FixedValueMap>
</s:StructureMap></s:StructureMaps>"""


def test_maps_are_read_and_those_beyond_ours_are_told(put: Put) -> None:
    read = reading.read(put(message_30(MAPS)))
    rm = Ref("RepresentationMap", "ZZ", "RM", "1.0")
    assert read.artefacts == (
        sdmx.RepresentationMap(
            "ZZ",
            "RM",
            "1.0",
            N,
            sources=(Ref("Codelist", "ZZ", "CL", "1.0"),),
            targets=("String",),
            mappings=(sdmx.ValueMapping(("1",), ("a b",)),),
        ),
        sdmx.StructureMap(
            "ZZ",
            "SM",
            "1.0",
            N,
            source=Ref("DataStructure", "ZZ", "A", "1.0"),
            target=Ref("Dataflow", "ZZ", "B", "1.0"),
            components=(sdmx.ComponentMap(("X", "Y"), ("Z",), rm),),
            fixed=(sdmx.FixedValueMap("FREQ", ("A",)),),
            dates=(sdmx.DatePatternMap("WHEN", "TIME_PERIOD", "dd/MM/yyyy", "fr", "M"),),
        ),
    )
    assert [entry.id for entry in read.skipped] == ["RX"]


BROKEN: dict[str, tuple[str | bytes, str]] = {
    "doctype": (
        '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "bbbbbbbbbb"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]>'
        + message_21(f"<s:Codelists>{ENGLISH}&c;</s:Codelists>").partition("?>")[2],
        "message: declares a document type (DOCTYPE), which no SDMX message does.",
    ),
    "external": (
        '<?xml version="1.0"?><!DOCTYPE a SYSTEM "file:///etc/passwd">' + message_21("").partition("?>")[2],
        "message: declares a document type (DOCTYPE), which no SDMX message does.",
    ),
    "truncated": (message_21(DSD_21)[:2000], "is no well-formed XML (line 17:"),
    "duplicate": (message_21('<s:A id="1" id="2"/>'), "is no well-formed XML (line 1: Attribute id redefined"),
    "encoding": (message_21("<s:Ñ/>").encode("latin-1"), "is no well-formed XML (line 1:"),
    "deep": (message_21("<s:A>" * 10_000 + "</s:A>" * 10_000), "is no well-formed XML (line 1: Excessive depth"),
    "no id": (
        message_21(f'<s:Codelists><s:Codelist agencyID="ZZ" id="CL">{ENGLISH}<s:Code/></s:Codelist>'
                   "</s:Codelists>"),
        "message: Codelist CL, Code (line 1): id is missing or cannot be read.",
    ),
    "no agency": (
        message_21(f'<s:Codelists><s:Codelist id="CL">{ENGLISH}</s:Codelist></s:Codelists>'),
        "message: Codelist CL (line 1): agencyID is missing or cannot be read.",
    ),
    "reference": (
        message_30('<s:Dataflows><s:Dataflow id="D" agencyID="Z"><s:Structure>urn:x</s:Structure></s:Dataflow>'
                   "</s:Dataflows>"),
        "message: Dataflow D, Structure (line 1): DataStructure is missing or cannot be read.",
    ),
    "2.0": (message_30("", "v2_0"), "message: is of SDMX version 2.0; 2.1, 3.0 and 3.1 are read."),
    "html": ("<html/>", "message: is a web page, and no SDMX message. Look there for a download as SDMX-ML"),
    "root": ("<svg/>", "message: is XML, but no SDMX message; it starts with svg."),
    "data": (
        message_21("").replace("m:Structure ", "m:GenericData ").replace("/m:Structure>", "/m:GenericData>"),
        "message: is a message of GenericData, and not one of structures.",
    ),
    "text": ("id,name\n", "message: is no SDMX message that can be read here;"),
    "empty": ("", "message: is no SDMX message that can be read here;"),
}  # fmt: skip


@pytest.mark.parametrize("case", BROKEN)
def test_what_is_broken_is_refused_in_one_line_that_names_the_place(put: Put, case: str) -> None:
    content, told = BROKEN[case]
    with pytest.raises(ConversionError) as caught:
        reading.structures(put(content))
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith("message: ")


def zipped(path: Path, **members: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def test_a_gzipped_message_is_read_a_bomb_and_a_damaged_one_are_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "message.gz"
    content = message_30("").encode()
    path.write_bytes(gzip.compress(content))
    assert reading.structures(path) == ()
    path.write_bytes(gzip.compress(content)[:-20])
    with pytest.raises(ConversionError, match="is a damaged zip or gzip file"):
        reading.structures(path)
    monkeypatch.setattr("cdmeta.tables.packed.RATIO_FREE_BYTES", 1000)
    path.write_bytes(gzip.compress(content + b" " * 2**20))
    with pytest.raises(ConversionError, match="unpacked, which is more than a message of its size can be"):
        reading.structures(path)


def test_a_zipped_message_is_read_and_a_bomb_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    message = sdmx_ml.structures(STRUCTURES, HEADER)
    assert len(reading.structures(zipped(tmp_path / "a.zip", a=message))) == len(STRUCTURES)
    with pytest.raises(ConversionError, match="has to hold exactly one message, and holds 2"):
        reading.structures(zipped(tmp_path / "b.zip", a=message, b=message))
    monkeypatch.setattr("cdmeta.tables.packed.RATIO_FREE_BYTES", 1000)
    bomb = message_21("<s:Codelists/>" * 100_000).encode()
    with pytest.raises(ConversionError, match=r"larger than .* bytes unpacked"):
        reading.structures(zipped(tmp_path / "c.zip", a=bomb))
    damaged = tmp_path / "d.zip"
    damaged.write_bytes((tmp_path / "a.zip").read_bytes()[:2000])
    with pytest.raises(ConversionError, match="damaged zip"):
        reading.structures(damaged)


def test_a_hundred_thousand_codes_are_read(put: Put) -> None:
    codes = "".join(f'<s:Code id="C{n}">{ENGLISH}</s:Code>' for n in range(100_000))
    (read,) = reading.structures(
        put(
            message_21(
                f'<s:Codelists><s:Codelist agencyID="Z" id="CL">{ENGLISH}{codes}</s:Codelist></s:Codelists>'
            )
        )
    )
    assert isinstance(read, Codelist)
    assert [read.codes[0].id, read.codes[-1].id, len(read.codes)] == ["C0", "C99999", 100_000]
    assert read.name == N


@pytest.mark.parametrize(
    ("wanted", "best"),
    [
        ("1.0.0", "1.0.0"),
        ("1.0+.0", "1.4.0"),
        ("1+.0.0", "2.1.0"),
        ("1.0.0+", "1.0.7"),
        ("1.5+.0", None),
        ("3.0+.0-", "3.0.0-draft"),
        ("2+.0.0", "2.1.0"),
        ("*", "2.1.0"),
        ("latest", "2.1.0"),
        ("9.9", None),
        ("odd", None),
    ],
)
def test_versions_with_wildcards_mean_the_latest_that_fits(wanted: str, best: str | None) -> None:
    there = ["1.0.0", "1.0.7", "1.4.0", "1.5.0-draft", "2.1.0", "3.0.0-draft"]
    assert best_version(wanted, there) == best
    assert best_version("1.0+", ["1.0", "1.10", "1.9", "2.0"]) == "1.10"


def codelist(name: str, *codes: Code, extensions: tuple[sdmx.CodelistExtension, ...] = ()) -> Codelist:
    return Codelist("ZZ", name, "1.0", N, codes=codes, extensions=extensions)


def test_a_list_takes_over_the_codes_of_others() -> None:
    b = codelist("CL_B", Code("A", N), Code("A1", N, parent="A"), Code("B", N))
    c = codelist("CL_C", Code("Z", N), Code("Y", Text((("en", "theirs"),)), parent="Z"))
    absent = sdmx.CodelistExtension(Ref("Codelist", "ZZ", "CL_GONE"))
    extended = codelist(
        "CL",
        Code("Y", N),
        extensions=(
            sdmx.CodelistExtension(b.ref, "X_", ("A%",)),
            sdmx.CodelistExtension(c.ref, values=("Z",), excluded=True),
            absent,
        ),
    )
    store = Store((extended, b, c))
    read = store.codelist(Representation(extended.ref))
    assert read is not None
    assert [(code.id, code.parent, code.name) for code in read.codes] == [
        ("X_A", None, N),
        ("X_A1", "X_A", N),
        ("Y", None, N),
    ]
    assert isinstance(read, Codelist)
    assert read.extensions == (absent,)
    assert store.missing() == (absent.codelist,)


def test_lists_that_extend_each_other_end() -> None:
    a, b = Ref("Codelist", "ZZ", "CL_A"), Ref("Codelist", "ZZ", "CL_B")
    store = Store(
        (
            codelist("CL_A", Code("A", N), extensions=(sdmx.CodelistExtension(b),)),
            codelist("CL_B", Code("B", N), extensions=(sdmx.CodelistExtension(a),)),
        )
    )
    read = store.codelist(Representation(a))
    assert read is not None
    assert [code.id for code in read.codes] == ["B", "A"]


def test_a_component_takes_the_values_of_its_concept_and_what_is_missing_is_told() -> None:
    core = Representation(Ref("Codelist", "ZZ", "CL_A", "1.0+"))
    scheme = sdmx.ConceptScheme("ZZ", "CS", "1.2", N, concepts=(sdmx.Concept("A", N, representation=core),))
    store = Store((scheme, codelist("CL_A"), READ_21))
    assert store.representation(READ_21.attributes[0]) == core
    assert store.representation(READ_21.attributes[3]) == READ_21.attributes[3].representation
    assert store.representation(READ_21.measures[0]) == Representation()
    assert store.codelist(core) == codelist("CL_A")
    assert Store((READ_21,)).get(READ_21.ref) == READ_21
    flow = sdmx.Dataflow("ZZ", "DF", "1.0", N, structure=READ_21.ref)
    assert Store((flow, READ_21)).data_structure(flow.ref) == READ_21
    missing = [ref.item or ref.id for ref in store.missing()]
    assert missing == ["FREQ", "CL_FREQ", "INDICATOR", "CS_M", "TIME_PERIOD", "VALUE", "A_OBS"]


BROKEN_JSON = {
    "twice": (b'{"data": {}, "data": {}}', 'has "data" where it cannot be'),
    "number": (b'{"data": NaN}', 'has "NaN" where it cannot be'),
    "deep": (b'{"data":' + b"[" * 200_000, "is nested too deeply."),
    "truncated": (sdmx_json.structures(STRUCTURES, HEADER).decode()[:5000].encode(), "is no JSON (line "),
    "encoding": (b'{"data": "\xff\xfe"}', "is JSON in an encoding other than UTF-8."),
    "list": (b"[]", "is no SDMX message that can be read here;"),
    "data": (b'{"data": {"dataSets": []}}', "is a message of dataSets, and not one of structures."),
    "shape": (
        b'{"data": {"codelists": [{"id": "CL", "agencyID": "Z", "codes": 5}]}}',
        "Codelist CL: codes is missing",
    ),
    "no id": (
        b'{"data": {"codelists": [{"id": "CL", "agencyID": "Z", "codes": [{}]}]}}',
        "Codelist CL: id is missing",
    ),
    "reference": (
        b'{"data": {"dataflows": [{"id": "DF", "agencyID": "Z", "structure": "x"}]}}',
        "Dataflow DF: structure is missing or cannot be read.",
    ),
}


@pytest.mark.parametrize("case", BROKEN_JSON)
def test_broken_json_is_refused_in_one_line(put: Put, case: str) -> None:
    content, told = BROKEN_JSON[case]
    with pytest.raises(ConversionError) as caught:
        reading.structures(put(content))
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


def test_every_kind_that_we_write_as_json_is_read_value_by_value(put: Put) -> None:
    for artefacts in (STRUCTURES, MORE):
        for version in typing.get_args(sdmx_json.Version):
            read = reading.structures(put(sdmx_json.structures(artefacts, HEADER, version)))
            assert by_urn(read) == told(artefacts)


@pytest.mark.parametrize("write", [sdmx_ml.metadata, sdmx_json.metadata])
def test_reports_are_read_value_by_value(put: Put, write: Callable[..., bytes]) -> None:
    assert reading.metadata(put(write((REPORT, BARE), HEADER))) == (REPORT, BARE)


JSON_REST = {
    "codelists": [
        {
            "id": "CL",
            "agencyID": "ZZ",
            "version": "1.0.0",
            "name": "N",
            "isPartial": True,
            "codes": [{"id": "A"}],
            "codelistExtensions": [
                {
                    "codelist": urn("codelist.Codelist", "ZZ:CL_B(1.0)"),
                    "prefix": "X_",
                    "inclusiveCodeSelection": {"wildcardedMemberValues": ["A%"]},
                },
                {
                    "codelist": urn("codelist.Codelist", "ZZ:CL_C(1.0)"),
                    "exclusiveCodeSelection": {"memberValues": [{"value": "Z"}, "Y"]},
                },
            ],
        }
    ],
    "valuelists": [{"id": "VL", "agencyID": "ZZ", "name": "N", "valueItems": [{"id": "€ 5"}]}],
    "categorySchemes": [{"id": "CAT", "agencyID": "ZZ"}],
    "dataConstraints": [
        {
            "id": "CC",
            "agencyID": "ZZ",
            "name": "N",
            "role": "Actual",
            "constraintAttachment": {"dataflows": [urn("datastructure.Dataflow", "ZZ:DF(1.0)")]},
            "cubeRegions": [
                {
                    "keyValues": [
                        {"id": "FREQ", "values": ["A", {"value": "M"}]},
                        {"id": "AREA", "include": False, "values": ["KE"]},
                        {
                            "id": "TIME_PERIOD",
                            "timeRange": {
                                "startPeriod": {"period": "2020", "isInclusive": False},
                                "endPeriod": {"period": "2021-Q2"},
                            },
                        },
                        {
                            "id": "LAST",
                            "include": False,
                            "timeRange": {"afterPeriod": {"period": "2020", "isInclusive": True}},
                        },
                    ]
                }
            ],
            "dataKeySets": [{"isIncluded": False, "keys": [{"keyValues": [{"id": "FREQ", "value": "M"}]}]}],
        }
    ],
    "structureMaps": [
        {
            "id": "SM",
            "agencyID": "ZZ",
            "name": "N",
            "source": urn("datastructure.DataStructure", "ZZ:A(1.0)"),
            "target": urn("datastructure.Dataflow", "ZZ:B(1.0)"),
            "componentMaps": [{"source": ["X"], "target": ["Z"]}],
            "fixedValueMaps": [{"target": "FREQ", "values": ["A"]}],
            "datePatternMaps": [
                {
                    "sourcePattern": "yyyy",
                    "locale": "fr",
                    "targetFrequencyID": "A",
                    "mappedComponents": [{"source": "WHEN", "target": "TIME_PERIOD"}],
                }
            ],
        }
    ],
    "representationMaps": [
        {
            "id": "RM",
            "agencyID": "ZZ",
            "name": "N",
            "source": [{"codelist": urn("codelist.Codelist", "ZZ:CL(1.0)")}],
            "target": [{"dataType": "String"}],
            "representationMappings": [{"sourceValues": [{"value": "1"}], "targetValues": ["a"]}],
        },
        {
            "id": "RX",
            "agencyID": "ZZ",
            "source": [],
            "target": [],
            "representationMappings": [{"sourceValues": [{"value": "1", "isRegEx": True}]}],
        },
    ],
}


def test_kinds_of_json_that_others_write(put: Put) -> None:
    read = reading.read(put(json.dumps({"data": JSON_REST})))
    codelist, values, constraint, structure_map, representation_map = read.artefacts
    assert isinstance(codelist, Codelist)
    assert (codelist.is_partial, codelist.codes) == (True, (Code("A", NO_TEXT),))
    assert codelist.extensions == (
        sdmx.CodelistExtension(Ref("Codelist", "ZZ", "CL_B"), "X_", ("A%",)),
        sdmx.CodelistExtension(Ref("Codelist", "ZZ", "CL_C"), "", ("Z", "Y"), excluded=True),
    )
    assert values == sdmx.ValueList("ZZ", "VL", "1.0", N, codes=(Code("€ 5", NO_TEXT),))
    assert constraint == sdmx.DataConstraint(
        "ZZ",
        "CC",
        "1.0",
        N,
        allowed=False,
        attached=(Ref("Dataflow", "ZZ", "DF", "1.0"),),
        regions=(
            sdmx.CubeRegion(
                (("FREQ", frozenset({"A", "M"})),),
                ranges=(("TIME_PERIOD", sdmx.TimeRange("2020", "2021-Q2", start_included=False)),),
            ),
            sdmx.CubeRegion((("AREA", frozenset({"KE"})),), included=False),
            sdmx.CubeRegion((), included=False, ranges=(("LAST", sdmx.TimeRange("2020")),)),
        ),
        keys=((False, (("FREQ", "M"),)),),
    )
    assert isinstance(structure_map, sdmx.StructureMap)
    assert structure_map.components == (sdmx.ComponentMap(("X",), ("Z",)),)
    assert structure_map.fixed == (sdmx.FixedValueMap("FREQ", ("A",)),)
    assert structure_map.dates == (sdmx.DatePatternMap("WHEN", "TIME_PERIOD", "yyyy", "fr", "A"),)
    assert isinstance(representation_map, sdmx.RepresentationMap)
    assert representation_map.sources == (Ref("Codelist", "ZZ", "CL"),)
    assert representation_map.mappings == (sdmx.ValueMapping(("1",), ("a",)),)
    assert [entry.id for entry in read.skipped] == ["CAT", "RX"]


REPORT_21 = """<?xml version="1.0"?><m:GenericMetadata
 xmlns:m="http://www.sdmx.org/resources/sdmxml/schemas/v2_1/message"
 xmlns:g="http://www.sdmx.org/resources/sdmxml/schemas/v2_1/metadata/generic"
 xmlns:c="http://www.sdmx.org/resources/sdmxml/schemas/v2_1/common">
<m:Header><m:ID>X</m:ID><m:Structure structureID="S"><c:Structure><Ref agencyID="ZZ" id="MSD" version="1.0"/>
</c:Structure></m:Structure></m:Header>
<m:MetadataSet structureRef="S"><g:Report id="R"><g:Target id="T"><g:ReferenceValue id="V"><g:ObjectReference>
<URN>urn:sdmx:org.sdmx.infomodel.datastructure.Dataflow=ZZ:DF(1.0)</URN></g:ObjectReference></g:ReferenceValue>
</g:Target><g:AttributeSet><g:ReportedAttribute id="A" value="5"><g:AttributeSet><g:ReportedAttribute id="B">
<c:Text xml:lang="en">one</c:Text><c:Text xml:lang="es">uno</c:Text></g:ReportedAttribute></g:AttributeSet>
</g:ReportedAttribute><g:ReportedAttribute id="C"><c:StructuredText xml:lang="en"
 xmlns="http://www.w3.org/1999/xhtml">a &lt; b <p class="x">c<br/>d</p> e</c:StructuredText></g:ReportedAttribute>
</g:AttributeSet></g:Report></m:MetadataSet></m:GenericMetadata>"""


@pytest.mark.parametrize(
    ("told", "mandatory"),
    [
        ({"usage": "mandatory"}, True),
        ({"assignmentStatus": "Mandatory"}, True),
        ({"isMandatory": True}, True),
        ({"isMandatory": False}, False),
        ({}, False),
    ],
)
def test_what_is_mandatory_has_three_names_in_json(put: Put, told: dict[str, Any], mandatory: bool) -> None:
    def part(id_: str) -> dict[str, Any]:
        return {"id": id_, "conceptIdentity": urn("conceptscheme.Concept", f"ZZ:CS(1.0).{id_}"), **told}

    structure = {
        "id": "DSD",
        "agencyID": "ZZ",
        "name": "N",
        "dataStructureComponents": {
            "attributeList": {"attributes": [{**part("A"), "attributeRelationship": {"observation": {}}}]},
            "measureList": {"measures": [part("M")]},
        },
    }
    (read,) = reading.structures(put(json.dumps({"data": {"dataStructures": [structure]}})))
    assert isinstance(read, sdmx.DataStructure)
    assert [read.attributes[0].mandatory, read.measures[0].mandatory] == [mandatory, mandatory]


def test_a_report_of_sdmx_2_1_is_a_metadata_set(put: Put) -> None:
    (read,) = reading.metadata(put(REPORT_21))
    assert read == sdmx.MetadataSet(
        "ZZ",
        "R",
        "1.0",
        NO_TEXT,
        metadataflow=Ref("MetadataStructure", "ZZ", "MSD", "1.0"),
        targets=(urn("datastructure.Dataflow", "ZZ:DF(1.0)"),),
        attributes=(
            sdmx.ReportedAttribute("A", "5", (sdmx.ReportedAttribute("B", Text((("en", "one"), ("es", "uno")))),)),
            sdmx.ReportedAttribute("C", Text((("en", 'a &lt; b <p class="x">c<br/>d</p> e'),)), structured=True),
        ),
    )


def test_a_structure_specific_report_says_what_the_generic_one_says(put: Put) -> None:
    """SDMX 2.1: elements are called by the ids of attributes, reports and targets known by their types."""
    spaces = (
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:n="urn:n" '
        'xmlns:ms="http://www.sdmx.org/resources/sdmxml/schemas/v2_1/metadata/structurespecific"'
    )
    text = REPORT_21.replace("GenericMetadata\n", f"GenericMetadata {spaces}\n").replace(
        "Generic", "StructureSpecific"
    )
    text = text.replace('MetadataSet structureRef="S"', 'MetadataSet ms:structureRef="S" xsi:type="n:SetType"')
    text = re.sub(r'<g:(Report|Target|ReferenceValue) id="(\w)"', r'<\1 xsi:type="n:\2"', text)
    for id_ in "ABC":
        text = text.replace(f'g:ReportedAttribute id="{id_}"', id_)
    closing = iter("BAC")
    text = re.sub("g:ReportedAttribute>", lambda _: f"{next(closing)}>", text).replace("g:", "")
    assert "ReportedAttribute" not in text
    assert reading.metadata(put(text)) == reading.metadata(put(REPORT_21))


def test_structures_are_no_reports(put: Put) -> None:
    with pytest.raises(ConversionError, match="is a message of Structure, and not one of reference metadata"):
        reading.metadata(put(message_21("")))
