"""SDMX-ML 3.0: what is written is what was meant, the official schemas take it, and they can refuse."""

import dataclasses
import datetime as dt

import pytest
from hypothesis import given
from lxml import etree
from sdmx_everything import AGENCIES, AGREEMENT, BARE, CL_ANSWER, DSD, HEADER, REPORT, STRUCTURES, text
from sdmx_reading import NS, legal_texts, sets_from_ml, structures_from_ml

from cdmeta.errors import ConversionError
from cdmeta.formats import oracle, sdmx_ml
from cdmeta.sdmx.artefacts import (
    Attribute,
    Codelist,
    MetadataSet,
    ReportedAttribute,
    Representation,
    Structure,
)
from cdmeta.text import Text

KIND: oracle.Kind = "sdmx-ml-3.0"
EVERYTHING = sdmx_ml.structures(STRUCTURES, HEADER)
REPORTS = sdmx_ml.metadata((REPORT, BARE), HEADER)


def test_every_kind_of_structure_is_valid_and_read_back_value_by_value() -> None:
    assert oracle.problems(EVERYTHING, KIND) == ()
    read = structures_from_ml(EVERYTHING)
    assert {entry.kind for entry in read} == {entry.kind for entry in STRUCTURES}
    assert sorted(read, key=lambda entry: entry.urn) == sorted(STRUCTURES, key=lambda entry: entry.urn)


@pytest.mark.parametrize("artefact", STRUCTURES, ids=lambda artefact: artefact.id)
def test_each_artefact_alone_is_a_valid_message(artefact: Structure) -> None:
    message = sdmx_ml.structures((artefact,), HEADER)
    assert oracle.problems(message, KIND) == ()
    assert structures_from_ml(message) == [artefact]


def test_reports_are_valid_and_read_back_value_by_value() -> None:
    assert oracle.problems(REPORTS, KIND) == ()
    assert sets_from_ml(REPORTS) == [REPORT, BARE]


def test_an_empty_message_is_valid() -> None:
    assert oracle.problems(sdmx_ml.structures((), HEADER), KIND) == ()


def test_what_is_referred_to_stands_before_what_refers() -> None:
    read = [entry.kind for entry in structures_from_ml(EVERYTHING)]
    assert read.index("Codelist") < read.index("ConceptScheme") < read.index("DataStructure")
    assert read.index("DataStructure") < read.index("Dataflow") < read.index("MetadataStructure")
    assert read.index("Metadataflow") < read.index("MetadataProvisionAgreement")


def test_a_message_starts_with_the_xml_declaration_and_has_the_same_bytes_each_time() -> None:
    assert EVERYTHING.startswith(b"<?xml version='1.0' encoding='UTF-8'?>\n<mes:Structure")
    assert sdmx_ml.structures(STRUCTURES, HEADER) == EVERYTHING
    assert sdmx_ml.metadata((REPORT, BARE), HEADER) == REPORTS


@pytest.mark.parametrize("message", [EVERYTHING, REPORTS])
def test_the_header_is_what_was_given(message: bytes) -> None:
    head = etree.fromstring(message).find("mes:Header", NS)
    assert head is not None
    assert head.findtext("mes:ID", namespaces=NS) == "IDREF1"
    assert head.findtext("mes:Prepared", namespaces=NS) == "2026-01-02T03:04:05+00:00"
    assert [entry.get("id") for entry in head.findall("mes:Sender", NS)] == ["CDMETA_WARD"]


@pytest.mark.parametrize("test", [True, False])
def test_a_draft_says_that_it_is_a_test(test: bool) -> None:
    header = dataclasses.replace(HEADER, test=test)
    for message in (sdmx_ml.structures((AGENCIES,), header), sdmx_ml.metadata((BARE,), header)):
        assert etree.fromstring(message).findtext("mes:Header/mes:Test", namespaces=NS) == str(test).lower()
        assert oracle.problems(message, KIND) == ()


def test_the_header_of_reports_names_each_metadataflow_once() -> None:
    head = etree.fromstring(REPORTS).find("mes:Header", NS)
    assert head is not None
    named = [entry.findtext("com:StructureUsage", namespaces=NS) for entry in head.findall("mes:Structure", NS)]
    assert named == [REPORT.metadataflow.urn]


def test_data_attributes_have_no_measure_relationship_and_are_not_multilingual() -> None:
    tree = etree.fromstring(EVERYTHING)
    assert tree.find(".//str:MeasureRelationship", NS) is None
    formats = tree.findall(".//str:DataStructureComponents//str:TextFormat[@textType='String']", NS)
    assert [entry.get("isMultiLingual") for entry in formats] == ["false", "false"]
    formats = tree.findall(
        ".//str:MetadataAttribute/str:LocalRepresentation/str:TextFormat[@textType='String']", NS
    )
    assert {entry.get("isMultiLingual") for entry in formats} == {"true"}


def test_a_parent_that_the_schema_refuses_is_an_annotation() -> None:
    tree = etree.fromstring(sdmx_ml.structures((CL_ANSWER,), HEADER))
    assert tree.findall(".//str:Parent", NS) == []
    codes = tuple(dataclasses.replace(code, id="T") if code.id == "_T" else code for code in CL_ANSWER.codes)
    codes = tuple(dataclasses.replace(code, parent="T" if code.parent else None) for code in codes)
    tree = etree.fromstring(sdmx_ml.structures((dataclasses.replace(CL_ANSWER, codes=codes),), HEADER))
    assert [entry.text for entry in tree.findall(".//str:Parent", NS)] == ["T", "T"]
    assert tree.find(".//com:Annotation", NS) is None


ILLEGAL = ["\x00", "\x0b", "\x1f", "\ufffe", "\uffff", "\ud800"]


@pytest.mark.parametrize("character", ILLEGAL)
def test_a_character_that_xml_cannot_hold_is_refused_with_its_place(character: str) -> None:
    code = dataclasses.replace(CL_ANSWER.codes[1], name=text(f"a{character}b"))
    broken = dataclasses.replace(CL_ANSWER, codes=(code,))
    place = f"^Name of YES of CL_ANSWER: the character U\\+{ord(character):04X} cannot be written in XML"
    with pytest.raises(ConversionError, match=place):
        sdmx_ml.structures((broken,), HEADER)


@pytest.mark.parametrize("value", ["a\x0bb", Text((("en", "a\x0bb"),))])
def test_the_same_in_a_report(value: str | Text) -> None:
    child = ReportedAttribute("CONTACT_NAME", value)
    report = dataclasses.replace(BARE, attributes=(ReportedAttribute("CONTACT", children=(child,)),))
    with pytest.raises(ConversionError, match="of CONTACT_NAME of CONTACT of MDS_BARE: the character U"):
        sdmx_ml.metadata((report,), HEADER)


def test_an_illegal_pattern_is_refused_too() -> None:
    part = Attribute("NOTE", DSD.attributes[1].concept, Representation(pattern="\x01"))
    with pytest.raises(ConversionError, match=r"^TextFormat of NOTE .*U\+0001"):
        sdmx_ml.structures((dataclasses.replace(DSD, attributes=(part,)),), HEADER)


MUTATIONS = [
    (b'<com:Name xml:lang="en">Agencies</com:Name>', b"<com:Title/>"),
    (
        b'isExternalReference="false" agencyID="CDMETA" id="AGENCIES"',
        b'agencyID="CDMETA" id="AGENCIES" version="1.0"',
    ),
    (b'id="AGENCIES"', b'id="OTHERS"'),
    (b"<mes:Test>false", b"<mes:Test>no"),
    (b'<mes:Sender id="CDMETA_WARD"/>', b'<mes:Sender id="CDMETA.WARD"/>'),
    (b"<mes:Prepared>2026-01-02T", b"<mes:Prepared>2026-13-02T"),
    (b'textType="Double"', b'textType="Number"'),
    (b'usage="mandatory"', b'usage="must"'),
    (b'minOccurs="2"', b'minOccurs="-2"'),
    (b'maxOccurs="unbounded"', b'maxOccurs="many"'),
    (b"<str:Enumeration>urn:sdmx:org.sdmx.infomodel.codelist.Codelist=", b"<str:Enumeration>CL_"),
    (b"<str:Target>urn:sdmx:org.sdmx.infomodel.", b"<str:Target>"),
    (b'<str:TimeDimension id="TIME_PERIOD"', b'<str:TimeDimension id="TIME"'),
    (b"<str:Observation/>", b""),
    (b'id="NOTE"', b'id="TITLE"'),
    (b'xml:lang="fr"', b'xml:lang="fr fr"'),
]


@pytest.mark.parametrize(("old", "new"), MUTATIONS)
def test_the_oracle_refuses_what_is_wrong_in_structures(old: bytes, new: bytes) -> None:
    assert old in EVERYTHING
    assert oracle.problems(EVERYTHING.replace(old, new), KIND) != ()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"<gen:Target>urn:sdmx:org", b"<gen:Target>urn:org"),
        (b"<mes:Structure structureID", b"<mes:Struct structureID"),
        (b'<gen:Attribute id="OPEN">', b"<gen:Attribute>"),
        (b'reportingBeginDate="2025-02-01"', b'reportingBeginDate="1 February"'),
        (b'<com:Text xml:lang="en">Amina</com:Text>', b'<com:Text xml:lang="en">A</com:Text>' * 2),
        (b"<gen:Value>true</gen:Value>", b'<gen:Value>true</gen:Value><com:Text xml:lang="en">t</com:Text>'),
        (b'version="2.0.1"', b'version="v2"'),
    ],
)
def test_the_oracle_refuses_what_is_wrong_in_reports(old: bytes, new: bytes) -> None:
    assert old in REPORTS
    assert oracle.problems(REPORTS.replace(old, new), KIND) != ()


@pytest.mark.parametrize("broken", [b"", b"no xml", EVERYTHING[:-20], EVERYTHING.replace(b"</str:Code>", b"", 1)])
def test_the_oracle_refuses_what_is_not_well_formed(broken: bytes) -> None:
    assert len(oracle.problems(broken, KIND)) >= 1


@pytest.mark.parametrize(
    "doctype",
    [
        b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>',
        b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>',
        b'<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd">',
    ],
)
def test_the_oracle_takes_no_document_type_declaration(doctype: bytes) -> None:
    declaration, _, rest = EVERYTHING.partition(b"\n")
    message = declaration + doctype + rest.replace(b"Kenya", b"&a;")
    assert oracle.problems(message, KIND) == ("A document type declaration is not allowed.",)


def test_the_oracle_counts_what_it_finds_often() -> None:
    broken = EVERYTHING.replace(b'usage="optional"', b'usage="may"').replace(b'usage="mandatory"', b'usage="may"')
    found = oracle.problems(broken, KIND)
    assert [line[-9:] for line in found] == ["(3 times)", "(2 times)"]
    assert all("The value 'may'" in line for line in found)


@given(legal_texts(), legal_texts())
def test_any_legal_text_comes_back_as_it_was(first: str, second: str) -> None:
    both = Text((("en", first), ("ar", second)))
    codelist = Codelist("CDMETA", "CL_X", "1.0", both, description=both, codes=(CL_ANSWER.codes[0],))
    report: MetadataSet = dataclasses.replace(
        BARE, name=both, attributes=(ReportedAttribute("TITLE", both), ReportedAttribute("PLAIN", second))
    )
    assert structures_from_ml(sdmx_ml.structures((codelist,), HEADER)) == [codelist]
    assert sets_from_ml(sdmx_ml.metadata((report,), HEADER)) == [report]


def test_times_keep_their_zone() -> None:
    zone = dt.timezone(dt.timedelta(hours=5, minutes=45))
    header = dataclasses.replace(HEADER, prepared=dt.datetime(2026, 1, 2, tzinfo=zone))
    assert b"<mes:Prepared>2026-01-02T00:00:00+05:45<" in sdmx_ml.structures((AGREEMENT,), header)
