"""The profile as data: fields, code lists, rules, texts, and the schema generated from them."""

import re
import string
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest

from cdmeta import profile, schema
from cdmeta.errors import UnknownNameError
from cdmeta.profile import Code, Codelist, Field, Rule
from cdmeta.text import OPEN_QUESTION
from cdmeta.urn import is_code_id, is_concept_id

PROFILE = profile.load()
FIELDS = PROFILE.fields
TIERS = ("core", "conditional", "recommended", "full", "tool")
TYPES = (
    "text", "string", "code", "codes", "strings", "date", "period", "boolean", "integer", "number",
    "percent", "uri", "list", "object",
)  # fmt: skip
SOURCES = re.compile(r"Principle|¶|Table|Data Package|SDMX|BCP 47|CARE")


def by_path(path: str) -> Field:
    return FIELDS[path]


# --- fields


@pytest.mark.parametrize("entry", FIELDS.values(), ids=FIELDS)
def test_a_field_is_whole(entry: Field) -> None:
    assert entry.tier in TIERS
    assert entry.type in TYPES
    assert (entry.type in ("code", "codes")) == bool(entry.codelist)
    assert not entry.codelist or entry.codelist in PROFILE.codelists
    assert bool(entry.when) == (entry.tier == "conditional")
    assert not entry.when.endswith(".")
    for words in (entry.title, entry.description, entry.question, entry.example, entry.source):
        assert words == words.strip() != ""
    assert entry.description.endswith(".")
    assert SOURCES.search(entry.source)
    assert not entry.concept or is_concept_id(entry.concept)
    ours = entry.path.startswith(("citizenData.", "resources[].schema.fields[].citizenData."))
    assert ours or entry.tier == "tool" or "." not in entry.path.split("[]")[0]


@pytest.mark.parametrize("entry", FIELDS.values(), ids=FIELDS)
def test_a_question_asks_or_tells(entry: Field) -> None:
    """It ends as a question, or as an instruction that may follow one."""
    assert entry.question.endswith(("?", "."))
    assert "?" in entry.question or entry.question.startswith("Leave ")
    assert entry.question[0].isupper()


def test_the_core_is_the_one_of_the_domain() -> None:
    """Rows 1 to 33 of the field table, containers and their parts counted apart."""
    core = [path for path, entry in FIELDS.items() if entry.tier == "core"]
    ours = {path.removeprefix("citizenData.") for path in core if path.startswith("citizenData.")}
    assert ours == {
        "profile", "language", "initiativeType", "dataTradition", "initiators", "initiators[].name",
        "initiators[].kind", "participation.designObjectives", "participation.designPartnerships",
        "participation.designMethods", "participation.designAccessUse", "participation.collection", "objectives",
        "purpose", "methodology", "collectionMode", "population", "geography", "collectionPeriod",
        "referencePeriod", "samplingMethod", "achievedCount", "collectorType", "validation", "limitations",
        "personalDataCollected", "consentBasis", "releaseForm", "dataUse", "accessRights", "metadataUpdated",
    }  # fmt: skip
    assert {path for path in core if not path.startswith("citizenData.")} == {
        "name", "title", "description", "version", "licenses", "licenses[].name", "contributors",
        "contributors[].title",
    }  # fmt: skip


def test_the_questions_on_levels_ask_for_decisions_not_for_work() -> None:
    """A level is the share of the decisions held by the people whom the data concern (domain §1.8)."""
    levels = [entry for path, entry in FIELDS.items() if path.startswith("citizenData.participation.")]
    assert len(levels) == 9
    for entry in levels:
        assert "share of the decisions held by the people whom the data concern" in entry.question
        assert "not their share of the work" in entry.question


def test_every_field_of_the_domain_is_there() -> None:
    """Rows 41 to 68 of the field table, by tier."""
    by_tier: dict[str, set[str]] = {}
    for path, entry in FIELDS.items():
        by_tier.setdefault(entry.tier, set()).add(path.rpartition("citizenData.")[2])
    assert by_tier["recommended"] >= {
        "consentGivenBy", "consentScope", "consentForm", "consentNote", "consentRecord",
        "participation.processing", "participation.dissemination", "participation.uptake",
        "participation.review", "funding", "revisions",
        "nsoAssessment", "conflictOfInterest", "frame", "baseCounts", "populationGroups", "populationDefinedBy",
        "statUnit", "definitions", "unitMeasure", "classifications", "frequency", "sdgIndicators", "officialUse",
        "invitedCount", "responseRate", "languages", "collectorTraining", "incentives", "instrument", "tools",
        "ethicsReview", "riskAssessment", "complaintsContact", "rightsHolder", "dataSharingAgreement",
        "securityMeasures", "disclosureControl", "confidentialityPolicy", "accessibility", "feedback",
        "qualityAssessment", "disclosureRole", "selfIdentified", "declineOption",
    }  # fmt: skip
    assert by_tier["full"] == {
        "sourceType", "releaseCalendar", "compiler", "mandate", "processing", "adjustment", "imputation",
        "weighting", "comparability", "coherence", "timeliness", "qualityAssurance", "documentation", "burden",
        "impact", "eligibleCount", "rejectedCount", "contactAttempts", "nonResponseReasons", "itemNonResponseRate",
        "medianDuration", "deviceTypes", "timestampsCaptured", "locationMethod", "locationAccuracyMetres",
        "duplicatesRemoved", "editRate", "imputationRate", "backCheckRate", "collectorCount", "proxyAnswers",
        "deviations", "communityLabels", "communityNotices", "governanceBody", "dataHeldBy", "retention",
        "repurposed", "embargoUntil", "independenceNote", "metadataLicense", "attribution", "disclosureNote",
    }  # fmt: skip


def test_a_nested_field_has_its_container() -> None:
    for path in FIELDS:
        if "[]." in path and not path.startswith("resources[]."):
            assert FIELDS[path.rsplit("[].", 1)[0]].type == "list"


def test_concepts_are_unique_and_parents_exist() -> None:
    concepts = [entry.concept for entry in FIELDS.values() if entry.concept]
    assert len(concepts) == len(set(concepts))
    assert {entry.parent for entry in FIELDS.values() if entry.parent} <= set(concepts)


def test_what_may_be_withheld_is_a_name_a_place_a_date_a_funder_or_a_partner() -> None:
    assert {path for path, entry in FIELDS.items() if entry.withhold} == {
        "contributors[].title", "contributors[].organization", "citizenData.initiators[].name",
        "citizenData.partners[].name", "citizenData.partners[].role", "citizenData.geography",
        "citizenData.collectionPeriod", "citizenData.referencePeriod", "citizenData.jurisdiction",
        "citizenData.funding[].name", "citizenData.complaintsContact", "citizenData.rightsHolder",
        "citizenData.dataHeldBy", "citizenData.nsoAssessment.assessor", "citizenData.compiler",
        "citizenData.governanceBody", "citizenData.embargoUntil",
    }  # fmt: skip


def test_nothing_computed_is_asked_in_the_descriptor() -> None:
    tool = {path: entry for path, entry in FIELDS.items() if entry.tier == "tool"}
    assert {path: (e.concept, e.codelist) for path, e in tool.items()} == {
        "citizenDataStatus": ("CD_STATUS", "CL_CD_STATUS"),
        "citizenDataRule": ("CD_RULE", ""),
    }


# --- code lists


@pytest.mark.parametrize("codelist", PROFILE.codelists.values(), ids=PROFILE.codelists)
def test_a_code_list_is_whole(codelist: Codelist) -> None:
    assert re.fullmatch("CL_[A-Z_]+", codelist.id)
    assert is_concept_id(codelist.id)
    assert codelist.name
    assert codelist.description.endswith(".")
    aliases = [code.alias for code in codelist.codes.values() if code.alias]
    assert len(aliases) == len(set(aliases))
    assert not set(aliases) & set(codelist.codes)
    for code in codelist.codes.values():
        assert is_code_id(code.id)
        assert not code.parent or code.parent in codelist.codes
        assert code.name
        assert code.description.endswith(".")
        assert code.source
        assert all(re.fullmatch(r"[A-Za-z_-]+:[^\s:]+", link) for link in code.links)


def test_every_file_of_codes_is_listed() -> None:
    files = {file.name for file in profile.folder().joinpath("codelists").iterdir()}
    assert files == {f"{name}.csv" for name in PROFILE.codelists}
    for name, codelist in PROFILE.codelists.items():
        lines = profile.folder().joinpath("codelists", f"{name}.csv").read_text(encoding="utf-8").splitlines()
        assert len(codelist.codes) == len(lines) - 1, f"{name} holds a code twice"


@pytest.mark.parametrize(
    ("codelist", "aliases"),
    [
        ("CL_PARTICIPATION_LEVEL", {"1": "L1", "2": "L2", "3": "L3", "4": "L4", "5": "L5"}),
        (
            "CL_INITIATIVE_TYPE",
            {
                "1": "CIVIC_ACTION",
                "2": "CIVIC_DRIVEN",
                "3": "JOINT",
                "4": "NSO_DRIVEN",
                "5": "OTHER_DRIVEN",
                "6": "NO_COLLAB",
            },
        ),
    ],
)
def test_short_forms(codelist: str, aliases: dict[str, str]) -> None:
    codes = PROFILE.codelists[codelist].codes.values()
    assert {code.alias: code.id for code in codes if code.alias} == aliases


def test_stages_and_their_gsbpm_phases() -> None:
    """¶23 of the Framework, with the phases that it gives."""
    stages = PROFILE.codelists["CL_VALUE_CHAIN_STAGE"].codes
    design = ("GSBPM:1", "GSBPM:2")
    assert {code.id: (code.parent, code.links) for code in stages.values()} == {
        "S1": ("", design), "S1A": ("S1", design), "S1B": ("S1", design), "S1C": ("S1", design),
        "S1D": ("S1", design), "S2": ("", ("GSBPM:3", "GSBPM:4")), "S3": ("", ("GSBPM:5",)),
        "S4": ("", ("GSBPM:6", "GSBPM:7")), "S5": ("", ("GSBPM:7",)), "S6": ("", ("GSBPM:8",)),
    }  # fmt: skip


# --- rules


def blanks(words: str) -> set[str]:
    return {name.split(".")[0] for _, name, _, _ in string.Formatter().parse(words) if name}


class Filled:
    """A value that any blank takes."""

    def __format__(self, spec: str) -> str:
        return "X"


@pytest.mark.parametrize("rule", PROFILE.rules.values(), ids=PROFILE.rules)
def test_a_rule_is_whole(rule: Rule) -> None:
    assert re.fullmatch(r"CD[1-7][0-9]{2}", rule.code)
    assert set(rule.severity) == set(profile.GATES)
    assert set(rule.severity.values()) <= {"error", "warning", "info", "none"}
    assert set(rule.severity.values()) != {"none"}, "it is told at no gate"
    assert rule.title
    assert not rule.title.endswith(".")
    assert rule.message
    assert rule.remedy
    assert set(rule.implies) <= set(PROFILE.rules)
    params = {name: Filled() for name in blanks(rule.message) | blanks(rule.remedy)}
    assert rule.message.format_map(params)
    assert rule.remedy.format_map(params)


def test_rules_stand_in_order_and_once() -> None:
    lines = profile.folder().joinpath("rules.csv").read_text(encoding="utf-8").splitlines()
    codes = [line.split(",")[0] for line in lines[1:]]
    assert codes == sorted(set(codes))


@pytest.mark.parametrize("code", [f"CD{number}" for number in [120, *range(130, 142)]])
def test_rules_on_answers_say_why_and_whence(code: str) -> None:
    rule = PROFILE.rules[code]
    assert rule.why
    assert rule.source


# --- the schema


def test_the_committed_schema_is_the_generated_one() -> None:
    assert profile.schema_bytes() == schema.render(), f"the schema is stale; run: {schema.COMMAND}"


def test_the_schema_is_written_where_the_profile_lies(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(profile, "folder", lambda: tmp_path)
    monkeypatch.setattr(schema, "render", lambda: b"{}\n")
    schema.main()
    assert (tmp_path / "datapackage.json").read_bytes() == b"{}\n"


def test_the_schema_is_draft_07_and_leaves_the_standard_to_its_url() -> None:
    generated = schema.json_schema()
    jsonschema.Draft7Validator.check_schema(generated)
    assert generated["$id"] == "https://w3id.org/cdmeta/citizen-data/1.0/datapackage.json"
    assert generated["allOf"][0] == {"$ref": "https://datapackage.org/profiles/2.0/datapackage.json"}
    addresses = {ref for ref in references(generated) if not ref.startswith("#/definitions/")}
    assert addresses == {schema.BASE}
    assert {ref.removeprefix("#/definitions/") for ref in references(generated)} - {schema.BASE} <= set(
        generated["definitions"]
    )


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            assert len(value) == 1, "draft-07 ignores what stands beside a reference"
            yield value["$ref"]
        for part in value.values():
            yield from references(part)
    elif isinstance(value, list):
        for part in value:
            yield from references(part)


def validator(definition: str) -> jsonschema.Draft7Validator:
    definitions = schema.json_schema()["definitions"]
    return jsonschema.Draft7Validator({"$ref": f"#/definitions/{definition}", "definitions": definitions})


def property_of(path: str) -> dict[str, Any]:
    """The schema of a field."""
    definitions = schema.json_schema()["definitions"]
    if path.startswith("resources[]."):
        return {**definitions["column"]["properties"][by_path(path).name], "definitions": definitions}
    node = definitions["package"]
    for name in path.split("."):
        node = definitions["citizenData"] if name == "citizenData" else node["properties"][name.removesuffix("[]")]
        node = node["items"] if name.endswith("[]") else node
    return {**node, "definitions": definitions}


@pytest.mark.parametrize("path", [path for path, entry in FIELDS.items() if entry.tier != "tool"])
def test_a_property_is_told_and_takes_its_example(path: str) -> None:
    found = property_of(path)
    assert found["title"] == by_path(path).title
    assert found["description"] == by_path(path).description
    assert found["examples"] == [schema.example(by_path(path))]
    taken = jsonschema.Draft7Validator(found)
    assert list(taken.iter_errors(found["examples"][0])) == []
    assert not taken.is_valid(None)
    assert by_path(path).type in ("text", "string", "strings", "uri") or not taken.is_valid(OPEN_QUESTION)


@pytest.mark.parametrize("number", [1, 4, "1", "4"])
def test_short_forms_are_not_stored(number: Any) -> None:
    assert not validator("CL_PARTICIPATION_LEVEL").is_valid(number)
    assert not validator("CL_INITIATIVE_TYPE").is_valid(number)


def test_a_text_is_a_string_or_a_language_map() -> None:
    text = validator("text")
    assert [text.is_valid(value) for value in ("a", {"en": "a"}, {"en": "a", "fr-CA": "b"})] == [True] * 3
    wrong: list[Any] = [" ", "", {}, {"e_n": "a"}, {"en": 1}, 1, ["a"], None]
    assert [text.is_valid(value) for value in wrong] == [False] * len(wrong)


# --- find


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("title", "title"),
        ("kind", "citizenData.initiators[].kind"),
        ("citizenData.initiators.kind", "citizenData.initiators[].kind"),
        ("citizenData.initiators[].kind", "citizenData.initiators[].kind"),
        ("CONSENTBASIS", "citizenData.consentBasis"),
        ("consent_basis", "citizenData.consentBasis"),
    ],
)
def test_a_field_is_found_by_path_name_and_concept(name: str, path: str) -> None:
    found = profile.find(name)
    assert isinstance(found, Field)
    assert found.path == path


def test_other_things_are_found_by_their_ids() -> None:
    assert isinstance(profile.find("cd130"), Rule)
    assert isinstance(profile.find("C04"), Rule)
    assert isinstance(profile.find("cl_access"), Codelist)
    assert isinstance(profile.find("CONSENT_EXPLICIT"), Code)


def test_an_unknown_name_gets_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match=r"Did you mean consentBasis\?"):
        profile.find("concentBasis")
