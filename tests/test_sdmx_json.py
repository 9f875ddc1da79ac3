"""SDMX-JSON 2.0: what is written is what was meant, the official schemas take it, and they can refuse."""

import dataclasses
import json
from typing import Any

import pytest
from hypothesis import given
from sdmx_everything import AGENCIES, AGREEMENT, BARE, CL_ANSWER, DSD, HEADER, REPORT, STRUCTURES, text
from sdmx_reading import legal_texts, sets_from_json, structures_from_json

from cdmeta.errors import ConversionError
from cdmeta.formats import oracle, sdmx_json
from cdmeta.sdmx.artefacts import Codelist, ReportedAttribute, Representation, Structure
from cdmeta.text import Text

EVERYTHING = sdmx_json.structures(STRUCTURES, HEADER)
REPORTS = sdmx_json.metadata((REPORT, BARE), HEADER)
STRUCTURE: oracle.Kind = "sdmx-json-2.0-structure"
METADATA: oracle.Kind = "sdmx-json-2.0-metadata"


def test_every_kind_of_structure_is_valid_and_read_back_value_by_value() -> None:
    assert oracle.problems(EVERYTHING, STRUCTURE) == ()
    read = structures_from_json(EVERYTHING)
    assert sorted(read, key=lambda entry: entry.urn) == sorted(STRUCTURES, key=lambda entry: entry.urn)


@pytest.mark.parametrize("artefact", STRUCTURES, ids=lambda artefact: artefact.id)
def test_each_artefact_alone_is_a_valid_message(artefact: Structure) -> None:
    message = sdmx_json.structures((artefact,), HEADER)
    assert oracle.problems(message, STRUCTURE) == ()
    assert structures_from_json(message) == [artefact]


def test_reports_are_valid_and_read_back_value_by_value() -> None:
    assert oracle.problems(REPORTS, METADATA) == ()
    assert sets_from_json(REPORTS) == [REPORT, BARE]


def test_several_values_repeat_the_attribute() -> None:
    attributes = json.loads(REPORTS)["data"]["metadataSets"][0]["attributes"]
    assert [entry["value"] for entry in attributes if entry["id"] == "ANSWER"] == ["YES", "NO-1"]


@pytest.mark.parametrize(("message", "kind"), [(EVERYTHING, "structure"), (REPORTS, "metadata")])
def test_the_schema_of_the_message_stands_where_readers_look_for_it(message: bytes, kind: str) -> None:
    assert f"2.0.0/sdmx-json-{kind}-schema.json" in message[:350].decode()
    assert next(iter(json.loads(message)["meta"])) == "schema"


@pytest.mark.parametrize("test", [True, False])
def test_the_header_is_what_was_given(test: bool) -> None:
    header = dataclasses.replace(HEADER, test=test)
    meta = json.loads(sdmx_json.structures((AGENCIES, CL_ANSWER), header))["meta"]
    del meta["schema"]
    assert meta == {
        "id": "IDREF1",
        "test": test,
        "prepared": "2026-01-02T03:04:05+00:00",
        "contentLanguages": ["ar", "en", "fr", "pt-br", "zh-hant-tw"],
        "sender": {"id": "CDMETA_WARD"},
    }


def test_the_same_input_gives_the_same_bytes() -> None:
    assert sdmx_json.structures(STRUCTURES, HEADER) == EVERYTHING
    assert sdmx_json.metadata((REPORT, BARE), HEADER) == REPORTS


def test_an_empty_message_is_valid() -> None:
    assert oracle.problems(sdmx_json.structures((), HEADER), STRUCTURE) == ()


def test_bounds_are_numbers() -> None:
    bounds = Representation(text_type="Decimal", min_value="-0.5", max_value="7")
    measure = dataclasses.replace(DSD.measures[0], representation=bounds)
    message = sdmx_json.structures((dataclasses.replace(DSD, measures=(measure,)),), HEADER)
    assert oracle.problems(message, STRUCTURE) == ()
    components = json.loads(message)["data"]["dataStructures"][0]["dataStructureComponents"]
    written = components["measureList"]["measures"][0]["localRepresentation"]
    assert written == {
        "format": {"dataType": "Decimal", "minValue": -0.5, "maxValue": 7},
        "minOccurs": 0,
        "maxOccurs": 1,
    }


@pytest.mark.parametrize("artefacts", [(AGENCIES,), (AGREEMENT,)])
def test_half_a_character_is_refused(artefacts: tuple[Any, ...]) -> None:
    broken = dataclasses.replace(artefacts[0], name=text("a\ud800b"))
    with pytest.raises(ConversionError, match=r"Half a character \(U\+D800\) stands behind: .*a"):
        sdmx_json.structures((broken,), HEADER)


def change(message: bytes, path: str, value: Any) -> bytes:
    """The message with the value at a path replaced, or taken out where the value is None."""
    *way, last = (int(part) if part.isdigit() else part for part in path.split("/"))
    root = node = json.loads(message)
    for part in way:
        node = node[part]
    if value is None:
        del node[last]
    else:
        node[last] = value
    return json.dumps(root).encode()


COMPONENTS = "data/dataStructures/0/dataStructureComponents"
ATTRIBUTES = "data/metadataStructures/0/metadataStructureComponents/metadataAttributeList/metadataAttributes"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("meta/id", "with spaces"),
        ("meta/test", "no"),
        ("meta/sender", None),
        ("data/codelists", []),
        ("data/codelists/0/codes", []),
        ("data/codelists/0/codes/0/id", "a b"),
        ("data/codelists/0/codes/0/name", None),
        ("data/codelists/0/codes/1/names/fr", 7),
        ("data/codelists/0/agencyID", "1.x"),
        ("data/codelists/0/version", "one"),
        ("data/agencySchemes/0/id", "OTHERS"),
        ("data/dataflows/0/structure", "DSD"),
        (f"{COMPONENTS}/groups", []),
        (f"{COMPONENTS}/dimensionList", None),
        (f"{COMPONENTS}/dimensionList/timeDimension/localRepresentation", {"enumeration": "x"}),
        (f"{COMPONENTS}/attributeList/attributes/0/attributeRelationship", {}),
        (f"{COMPONENTS}/attributeList/attributes/0/usage", "must"),
        (f"{COMPONENTS}/measureList/measures/1/localRepresentation/format/minValue", "0"),
        (f"{ATTRIBUTES}/0/minOccurs", -1),
        (f"{ATTRIBUTES}/0/maxOccurs", "many"),
        ("data/metadataflows/0/targets", []),
        ("data/metadataProvisionAgreements/0/metadataProvider", "WARD"),
    ],
)
def test_the_oracle_refuses_what_is_wrong_in_structures(path: str, value: Any) -> None:
    found = oracle.problems(change(EVERYTHING, path, value), STRUCTURE)
    assert found != ()
    assert all(line.startswith("$") for line in found)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("meta/prepared", None),
        ("data/metadataSets/0/targets", []),
        ("data/metadataSets/0/metadataflow", None),
        ("data/metadataSets/0/version", "1.0"),
        ("data/metadataSets/0/attributes/1/value", ["YES", "NO-1"]),
        ("data/metadataSets/0/attributes/0/id", None),
        ("data/metadataSets/0/attributes/0/text", "x"),
        ("data/metadataSets/0/reportingBegin", 2025),
    ],
)
def test_the_oracle_refuses_what_is_wrong_in_reports(path: str, value: Any) -> None:
    assert oracle.problems(change(REPORTS, path, value), METADATA) != ()


@pytest.mark.parametrize("broken", [b"", b"{", b"\xff\xfe", b"[]", b"7", b"[" * 100_000])
def test_the_oracle_refuses_what_is_no_message(broken: bytes) -> None:
    assert len(oracle.problems(broken, STRUCTURE)) == 1


def test_the_oracle_keeps_its_lines_short() -> None:
    (line, *_) = oracle.problems(change(EVERYTHING, "data/codelists/0/codes", "x" * 5000), STRUCTURE)
    assert line.startswith("$.data.codelists[0].codes: 'xxx")
    assert len(line) < 320


@given(legal_texts(), legal_texts())
def test_any_text_comes_back_as_it_was(first: str, second: str) -> None:
    both = Text((("en", first), ("ar", second)))
    codelist = Codelist("CDMETA", "CL_X", "1.0", both, description=both, codes=(CL_ANSWER.codes[0],))
    report = dataclasses.replace(
        BARE, name=both, attributes=(ReportedAttribute("TITLE", both), ReportedAttribute("PLAIN", second))
    )
    assert structures_from_json(sdmx_json.structures((codelist,), HEADER)) == [codelist]
    assert sets_from_json(sdmx_json.metadata((report,), HEADER)) == [report]
