"""All that SDMX 3.0 and 3.1 say, in XML and JSON: as it was meant, valid, and refused where it cannot be said."""

import dataclasses
import json
import re
from collections.abc import Callable
from typing import Any, get_args

import pytest
from lxml import etree
from sdmx_everything import (
    ACTUAL,
    ALLOWED,
    BARE,
    CL_ANSWER,
    CL_WIDER,
    DATAFLOW,
    DSD,
    HEADER,
    MARKED_UP,
    MORE,
    REPORT,
    STRUCTURES,
    WIDE,
    WIDE_FLOW,
    text,
)
from sdmx_reading import find, sets_from_json, sets_from_ml, structures_from_json, structures_from_ml

from cdmeta.errors import ConversionError
from cdmeta.formats import oracle, sdmx_json, sdmx_ml
from cdmeta.sdmx.artefacts import Annotation, DataConstraint, MetadataSet, ReportedAttribute, Structure
from cdmeta.text import Text
from cdmeta.urn import Ref

ALL = (*MORE, *STRUCTURES)
ML: tuple[sdmx_ml.Version, ...] = ("3.0", "3.1")
JSON: tuple[sdmx_json.Version, ...] = ("2.0", "2.1")


def ml_kind(version: sdmx_ml.Version) -> oracle.Kind:
    return "sdmx-ml-3.0" if version == "3.0" else "sdmx-ml-3.1"


def json_kind(version: sdmx_json.Version, message: str) -> oracle.Kind:
    kinds: dict[tuple[str, str], oracle.Kind] = {
        ("2.0", "structure"): "sdmx-json-2.0-structure",
        ("2.0", "metadata"): "sdmx-json-2.0-metadata",
        ("2.1", "structure"): "sdmx-json-2.1-structure",
        ("2.1", "metadata"): "sdmx-json-2.1-metadata",
    }
    return kinds[version, message]


def by_urn(artefacts: Any) -> list[Structure]:
    return sorted(artefacts, key=lambda artefact: artefact.urn)


@pytest.mark.parametrize("version", ML)
def test_everything_is_valid_and_read_back_from_xml(version: sdmx_ml.Version) -> None:
    message = sdmx_ml.structures(ALL, HEADER, version)
    assert oracle.problems(message, ml_kind(version)) == ()
    assert by_urn(structures_from_ml(message)) == by_urn(ALL)
    assert sdmx_ml.structures(ALL, HEADER, version) == message


@pytest.mark.parametrize("version", JSON)
def test_everything_is_valid_and_read_back_from_json(version: sdmx_json.Version) -> None:
    message = sdmx_json.structures(ALL, HEADER, version)
    assert oracle.problems(message, json_kind(version, "structure")) == ()
    assert by_urn(structures_from_json(message)) == by_urn(ALL)
    assert sdmx_json.structures(ALL, HEADER, version) == message


@pytest.mark.parametrize("artefact", ALL, ids=lambda artefact: artefact.id)
def test_each_artefact_alone_is_valid_in_every_version(artefact: Structure) -> None:
    for version in ML:
        assert oracle.problems(sdmx_ml.structures((artefact,), HEADER, version), ml_kind(version)) == ()
    for form in JSON:
        message = sdmx_json.structures((artefact,), HEADER, form)
        assert oracle.problems(message, json_kind(form, "structure")) == ()


REPORTS = (REPORT, BARE, MARKED_UP)


@pytest.mark.parametrize("version", ML)
def test_reports_are_valid_and_read_back_from_xml(version: sdmx_ml.Version) -> None:
    message = sdmx_ml.metadata(REPORTS, HEADER, version)
    assert oracle.problems(message, ml_kind(version)) == ()
    assert sets_from_ml(message) == list(REPORTS)


def unmarked(attribute: ReportedAttribute) -> ReportedAttribute:
    """As SDMX-JSON holds it, where the metadata structure alone says what is XHTML."""
    below = tuple(map(unmarked, attribute.children))
    return dataclasses.replace(attribute, structured=False, children=below)


@pytest.mark.parametrize("version", JSON)
def test_reports_are_valid_and_read_back_from_json(version: sdmx_json.Version) -> None:
    message = sdmx_json.metadata(REPORTS, HEADER, version)
    assert oracle.problems(message, json_kind(version, "metadata")) == ()
    plain = [dataclasses.replace(report, attributes=tuple(map(unmarked, report.attributes))) for report in REPORTS]
    assert sets_from_json(message) == plain


def test_xml_of_3_1_has_its_namespaces_and_any_parent() -> None:
    message = sdmx_ml.structures((CL_ANSWER,), HEADER, "3.1")
    assert b"v3_0" not in message
    assert [node.text for node in find(etree.fromstring(message), ".//str:Parent")] == ["_T", "_T"]
    assert b"PARENT" not in message


def test_an_empty_title_of_an_annotation_is_kept() -> None:
    noted = dataclasses.replace(CL_WIDER, annotations=(Annotation(title=""), Annotation("")))
    assert structures_from_ml(sdmx_ml.structures((noted,), HEADER)) == [noted]
    assert structures_from_json(sdmx_json.structures((noted,), HEADER)) == [noted]


@pytest.mark.parametrize("kind", get_args(oracle.Kind))
def test_each_kind_of_the_oracle_has_a_schema_that_can_refuse(kind: oracle.Kind) -> None:
    assert oracle.problems(b"<nothing/>" if kind.startswith("sdmx-ml") else b"[]", kind) != ()


def test_json_of_2_1_names_its_schema() -> None:
    for kind, message in (
        ("structure", sdmx_json.structures((CL_ANSWER,), HEADER, "2.1")),
        ("metadata", sdmx_json.metadata((BARE,), HEADER, "2.1")),
    ):
        assert json.loads(message)["meta"]["schema"] == f"https://json.sdmx.org/2.1/sdmx-json-{kind}-schema.json"


def test_actual_constraints_are_of_3_0() -> None:
    others = (WIDE, DSD)
    message = sdmx_ml.structures((ACTUAL, *others), HEADER)
    assert oracle.problems(message, "sdmx-ml-3.0") == ()
    assert structures_from_ml(message)[-1] == ACTUAL
    document = sdmx_json.structures((ACTUAL, *others), HEADER)
    assert oracle.problems(document, "sdmx-json-2.0-structure") == ()
    assert structures_from_json(document)[-1] == ACTUAL
    told = "SDMX 3.1 has no constraint for that"
    with pytest.raises(ConversionError, match=told):
        sdmx_ml.structures((ACTUAL,), HEADER, "3.1")
    with pytest.raises(ConversionError, match=told):
        sdmx_json.structures((ACTUAL,), HEADER, "2.1")


def test_components_of_a_constraint_are_dimensions_where_the_structure_is_not_at_hand() -> None:
    for known in ((), (DATAFLOW, DSD), (WIDE_FLOW,)):
        root = etree.fromstring(sdmx_ml.structures((ALLOWED, *known), HEADER))
        assert [node.get("id") for node in find(root, ".//str:Component")] == ["CONTACT"]
    root = etree.fromstring(sdmx_ml.structures((ALLOWED, WIDE_FLOW, WIDE), HEADER))
    assert [node.get("id") for node in find(root, ".//str:Component")] == ["TITLE", "CONTACT"]


@pytest.mark.parametrize("version", ML)
def test_dimensions_stand_before_other_components_as_the_schema_wants_it(version: sdmx_ml.Version) -> None:
    (region, *_) = ALLOWED.regions
    turned = dataclasses.replace(ALLOWED, regions=(dataclasses.replace(region, values=region.values[::-1]),))
    assert [part for part, _ in turned.regions[0].values] == ["TITLE", "ANSWER"]
    message = sdmx_ml.structures((turned, WIDE_FLOW, WIDE), HEADER, version)
    assert oracle.problems(message, ml_kind(version)) == ()
    kept = dataclasses.replace(turned, regions=(region,))
    assert structures_from_ml(message)[-1] == kept


WRITERS: tuple[Callable[[tuple[Structure, ...], Any], bytes], ...] = (sdmx_ml.structures, sdmx_json.structures)


@pytest.mark.parametrize("write", WRITERS, ids=["xml", "json"])
@pytest.mark.parametrize(
    "attached",
    [
        (DSD.ref, DATAFLOW.ref),
        (CL_ANSWER.ref,),
        tuple(Ref("DataProvider", "CDMETA", "DATA_PROVIDERS", "1.0", name) for name in ("A", "B")),
    ],
)
def test_a_constraint_on_what_no_constraint_can_be_on_is_refused(
    write: Callable[..., bytes], attached: tuple[Ref, ...]
) -> None:
    constraint = dataclasses.replace(ALLOWED, attached=attached)
    with pytest.raises(ConversionError, match="a constraint of SDMX is on one data provider"):
        write((constraint,), HEADER)


@pytest.mark.parametrize("write", WRITERS, ids=["xml", "json"])
def test_two_regions_of_a_sort_are_refused(write: Callable[..., bytes]) -> None:
    constraint: DataConstraint = dataclasses.replace(ALLOWED, regions=ALLOWED.regions[:1] * 2)
    with pytest.raises(ConversionError, match="several parts that are included"):
        write((constraint,), HEADER)


def marked(value: Text | str) -> MetadataSet:
    return dataclasses.replace(BARE, attributes=(ReportedAttribute("TITLE", value, structured=True),))


@pytest.mark.parametrize(
    "broken",
    ["<p>", "a & b", "<p></b>", "</div><div>", "<p>&nbsp;</p>", "<!DOCTYPE x>", "<x:p/>", "<?xml version='1.0'?>"],
)
def test_what_is_no_xhtml_is_refused_with_its_place(broken: str) -> None:
    with pytest.raises(ConversionError, match=r"^StructuredText of TITLE of MDS_BARE: this is no XHTML"):
        sdmx_ml.metadata((marked(text("<p>fine</p>", broken)),), HEADER)


@pytest.mark.parametrize("wrong", ["<script>alert(1)</script>", "<p><marquee/></p>", '<x xmlns="urn:x"/>'])
def test_the_oracle_knows_the_elements_of_xhtml(wrong: str) -> None:
    for version in ML:
        message = sdmx_ml.metadata((marked(Text((("en", wrong),))),), HEADER, version)
        assert len(oracle.problems(message, ml_kind(version))) == 1


def test_xhtml_without_a_language_is_in_the_default_of_the_schema() -> None:
    message = sdmx_ml.metadata((marked("one <b>two</b>"),), HEADER)
    assert oracle.problems(message, "sdmx-ml-3.0") == ()
    assert b'xml:lang="en">one <b>two</b></com:StructuredText>' in message


def test_white_space_inside_xhtml_is_kept_as_it_was() -> None:
    dense = "<ul><li><b>a</b><i>b</i></li>\n<li/></ul>"
    message = sdmx_ml.metadata((marked(Text((("en", dense),))),), HEADER)
    written = re.search(b"<com:StructuredText[^>]*>(.*)</com:StructuredText>", message, re.DOTALL)
    assert written is not None
    assert re.sub(b' xmlns="[^"]*"', b"", written[1]).decode() == dense


def test_a_code_with_a_hyphen_is_not_taken_over_alone_in_xml_because_the_schemas_forbid_it() -> None:
    extension = dataclasses.replace(CL_WIDER.extensions[0], values=("NO-1",))
    codelist = dataclasses.replace(CL_WIDER, extensions=(extension,))
    with pytest.raises(ConversionError, match=r"^NO-1 of urn:.*CL_ANSWER.* forbid a hyphen"):
        sdmx_ml.structures((codelist,), HEADER)
    message = sdmx_ml.structures((CL_WIDER,), HEADER).replace(b"<str:MemberValue>YES", b"<str:MemberValue>NO-1")
    (told,) = oracle.problems(message, "sdmx-ml-3.0")
    assert "The value 'NO-1' is not accepted by the pattern '[A-Za-z0-9_@$-%]+'" in told
    assert structures_from_json(sdmx_json.structures((codelist,), HEADER)) == [codelist]
