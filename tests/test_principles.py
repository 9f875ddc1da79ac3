"""The principles: each rule raised by one description, and not by its mended twin; and what nothing may break."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rule_cases import BASE, merged

from cdmeta import licence, profile
from cdmeta.checks import identity, official, principles
from cdmeta.finding import Finding
from cdmeta.package import load

Own = dict[str, Any]
DESCRIPTOR = json.loads((BASE / "datapackage.json").read_bytes())
NC = [{"name": "CC-BY-NC-4.0"}]
BY = [{"name": "CC-BY-4.0"}]
CIVIC: Own = {"initiativeType": "CIVIC_ACTION", "partners": None}
MINISTRY: Own = {"name": "Ministry (made up)", "kind": "STATE_AGENCY"}
SENSITIVE: Own = {
    "personalDataCollected": "SENSITIVE",
    **dict.fromkeys(("ethicsReview", "riskAssessment", "complaintsContact")),
}
LOTTERY: Own = {"samplingMethod": "PROB_COMPLEX", "responseRate": None, "invitedCount": None}


def own(**answers: Any) -> Own:
    return {"citizenData": answers}


def columns(*entries: Any, **answers: Any) -> Own:
    resource = {"name": "r", "path": "data/scores.csv", "schema": {"fields": list(entries)}}
    return {"resources": [resource], "citizenData": answers}


def sex(**said: Any) -> Own:
    return {"name": "sex", "citizenData": said}


def files(*paths: Any, **more: Any) -> Own:
    return {"resources": [{"name": f"r{n}", "path": path, **more} for n, path in enumerate(paths)]}


def share(**more: Any) -> Own:
    return {"name": "share", "type": "number", "sdmx": {"role": "measure"}, **more}


COUNT = {"name": "n", "type": "integer", "sdmx": {"id": "BASE_N"}}
PERCENT: Own = {"role": "measure", "unit": {"code": "PERCENT"}}
WHO: Own = {"selfIdentified": "SELF", "declineOption": True}


def found(folder: Path, patch: Own) -> list[Finding]:
    text = json.dumps(merged(DESCRIPTOR, patch))
    (folder / "datapackage.json").write_text(text, encoding="utf-8")
    package = load(folder)
    return [*principles.check(package), *official.check(package)]


def codes(folder: Path, patch: Own) -> list[str]:
    return [finding.code for finding in found(folder, patch)]


RAISED_AND_MENDED: list[tuple[str, Own, Own]] = [
    # Principle 1
    ("CD330", own(funding=None), own(funding=[{"name": "WITHHELD_SAFETY"}])),
    ("CD330", own(funding=[]), own(funding=[{"kind": "CITIZENS"}])),
    ("CD330", own(funding=[{"name": "?"}]), own(funding="a cake sale")),
    ("CD331", own(**CIVIC, funding=[MINISTRY]), own(**CIVIC, funding=[MINISTRY], independenceNote="By contract.")),
    ("CD331", own(**CIVIC, funding=[{"kind": "NSO"}]), own(**CIVIC, funding=[{"kind": "ACADEMIA"}])),
    ("CD331", own(**CIVIC | {"initiativeType": "1"}, funding=[MINISTRY]),
     own(initiativeType="CIVIC_DRIVEN", funding=[MINISTRY])),
    # Principle 2
    *(("CD332", own(participation={"designObjectives": low}), own(participation={"designObjectives": high}))
      for low, high in (("L3", "L4"), ("NOT_INVOLVED", "L5"), ("1", "_U"), ("L1", None))),
    # Principle 4
    *(("CD333", own(samplingMethod=method, frame=None), own(samplingMethod=method, frame="The market's stalls"))
      for method in ("NONPROB_QUOTA", "NONPROB_SNOWBALL", "NONPROB_VOLUNTEER", "OPPORTUNISTIC")),
    # Principles 5 and 10
    ("CD334", {"licenses": NC, **own(metadataLicense="CC0-1.0")}, {"licenses": [*NC, *BY]}),
    ("CD334", {"licenses": [{"name": "ours"}]}, {"licenses": [{"name": "cc by 4.0"}]}),
    ("CD334", {"licenses": [{"name": "other-nc"}], **own(metadataLicense="CC0-1.0")}, {"licenses": []}),
    ("CD334", {"licenses": NC, **own(metadataLicense="CC0-1.0")},
     {"licenses": NC, **own(metadataLicense="CC0-1.0", releaseForm="METADATA_ONLY")}),
    ("CD335", own(officialUse="INTEGRATED", dataSharingAgreement=None),
     own(officialUse="COMPLEMENTARY", dataSharingAgreement=None)),
    ("CD335", own(officialUse="INTEGRATED", dataSharingAgreement="?"),
     own(officialUse="INTEGRATED", dataSharingAgreement={"es": "Carta de 2025"})),
    # Principle 6
    ("CD336", columns(sex(declineOption=True)), columns(sex(**WHO))),
    ("CD336", columns(sex(declineOption=True, selfIdentified="PROXY")),
     columns(sex(declineOption=True, selfIdentified="PROXY"), personalDataCollected="NONE")),
    ("CD336", columns(sex(declineOption=True), personalDataCollected="_U"),
     columns(sex(), personalDataCollected="CONTRIBUTORS")),
    ("CD337", columns(sex(selfIdentified="SELF")), columns(sex(**WHO))),
    ("CD337", columns(sex(selfIdentified="SELF", declineOption=False)), columns(sex() | {"name": "age"})),
    ("CD337", columns(sex(selfIdentified="SELF", declineOption="true")),
     columns(sex() | {"sdmx": {"role": "measure"}})),
    # Principle 7
    ("CD338", own(metadataLicense="CC-BY-ND-4.0"), own(metadataLicense="ODbL-1.0")),
    ("CD338", own(metadataLicense="other-closed"), own(metadataLicense="something new")),
    ("CD338", own(metadataLicense="CC-BY-NC"), {"licenses": BY, **own(metadataLicense="?")}),
    # Principle 8
    *(("CD339", own(**SENSITIVE), own(**SENSITIVE | {"ethicsReview": "NONE", name: "WITHHELD_SAFETY"}))
      for name in ("riskAssessment", "complaintsContact")),
    *(("CD339", own(**SENSITIVE | {"ethicsReview": code}), own(**SENSITIVE | {"ethicsReview": "EXEMPT"}))
      for code in ("NONE", "_Z")),
    # Principle 9
    *(("CD340", own(disclosureControl=None, releaseForm=form),
       own(disclosureControl=["ROUNDED"], releaseForm=form))
      for form in ("AGGREGATE", "ANON_MICRO", "PSEUDONYMISED_MICRO")),
    ("CD340", own(disclosureControl=["NONE"]), own(disclosureControl=["NONE", "ROUNDED"])),
    ("CD340", own(disclosureControl=["_Z"]), own(disclosureControl="ROUNDED")),
    ("CD340", own(disclosureControl=None), own(disclosureControl=None, releaseForm="METADATA_ONLY")),
    ("CD340", own(disclosureControl=None, personalDataCollected="_U"),
     own(disclosureControl=None, personalDataCollected="CONTRIBUTORS")),
    # Principle 10
    ("CD342", files("a.xlsx"), files("a.xlsx", "a.csv")),
    ("CD342", files(["a.SAV", "b.sav"], "c.dta"), files(["a.json", "b.sav"])),
    ("CD342", files("a", format="XLS"), files("a.xls", format="csv")),
    ("CD342", files("a.pdf"), {"resources": [{"name": "r", "data": []}]}),
    ("CD343", own(accessibility=None), own(accessibility=["AUDIO"])),
    ("CD343", own(accessibility=["NONE"]), own(accessibility=["NONE", "BRAILLE"])),
    # The gate of an office
    ("CD341", own(revisions=None), own(revisions={"fr": "Aucune."})),
    ("CD341", own(conflictOfInterest=None), own(conflictOfInterest="None")),
    ("CD341", own(frame=None), own(frame=None, samplingMethod="_Z")),
    ("CD341", own(qualityAssessment=None, nsoAssessment=None), own(qualityAssessment=None)),
    ("CD341", own(qualityAssessment="?", nsoAssessment="?"),
     own(nsoAssessment=None, qualityAssessment="Good enough to see a trend.")),
    ("CD341", own(ethicsReview=None), own(ethicsReview=None, personalDataCollected="NONE")),
    ("CD341", own(ethicsReview=None, personalDataCollected="CONTRIBUTORS"), own(ethicsReview="NONE")),
    ("CD344", columns(share(), baseCounts=None), columns(share(), COUNT, baseCounts=None)),
    ("CD344", columns(share(), baseCounts=None), columns(share(), baseCounts="In the report, page 3")),
    ("CD344", columns({"name": "x", "type": "number"}, baseCounts=None),
     columns({"name": "x", "type": "number"}, share(type="integer"), baseCounts=None)),
    ("CD344", columns(share(type="integer"), baseCounts=None, weighting="By age"),
     columns(share(type="integer"), baseCounts=None)),
    ("CD344", columns(share(type="integer", sdmx=PERCENT), baseCounts=None),
     columns(share(), baseCounts=None, personalDataCollected="NONE")),
    ("CD344", columns(share(), baseCounts=None), columns(share(), baseCounts=None, releaseForm="ANON_MICRO")),
    ("CD345", own(**LOTTERY), own(**LOTTERY | {"invitedCount": 0})),
    ("CD345", own(**LOTTERY | {"samplingMethod": "PROB_SIMPLE"}),
     own(**LOTTERY | {"responseRate": {"value": 80}})),
    ("CD345", own(**LOTTERY), own(**LOTTERY | {"samplingMethod": "SYSTEMATIC"})),
]  # fmt: skip


@pytest.mark.parametrize(("code", "raised", "mended"), RAISED_AND_MENDED)
def test_each_rule_is_raised_and_mended(code: str, raised: Own, mended: Own, tmp_path: Path) -> None:
    assert codes(tmp_path, raised) == [code]
    assert codes(tmp_path, mended) == []


def test_every_rule_is_shown() -> None:
    rows = {code for code in profile.load().rules if "CD330" <= code < "CD4"}
    assert {code for code, _, _ in RAISED_AND_MENDED} == rows


def test_where_a_finding_stands_and_what_it_says(tmp_path: Path) -> None:
    (finding,) = found(tmp_path, own(**CIVIC, funding=[{"kind": "CITIZENS"}, MINISTRY]))
    assert finding.where.pointer == "/citizenData/funding/1/kind"
    (finding,) = found(tmp_path, columns({"name": "region"}, sex(**WHO), 3, sex(declineOption=True)))
    assert (finding.where.pointer, finding.where.field) == ("/resources/0/schema/fields/3", "sex")
    (finding,) = found(tmp_path, own(qualityAssessment=None, nsoAssessment=None))
    assert finding.message() == (
        "Not answered, and a statistical office needs it: Judgement of quality (qualityAssessment) or Assessment "
        "by a statistical office (nsoAssessment)."
    )
    assert " ou " in finding.message("fr")


def test_a_schema_in_a_file_of_its_own(tmp_path: Path) -> None:
    schema = {"fields": [{"name": "id"}, {"name": "etnia"}]}
    (tmp_path / "schema.json").write_text(json.dumps(schema), encoding="utf-8")
    patch = {"resources": [{"name": "r", "path": "a.csv", "schema": "schema.json"}]}
    told = [(f.code, f.where.file, f.where.pointer) for f in found(tmp_path, patch)]
    assert told == [("CD336", "schema.json", "/fields/1"), ("CD337", "schema.json", "/fields/1")]


def test_data_that_are_closed_keep_their_description_open(tmp_path: Path) -> None:
    """Where nothing is said of the description, the licence of the package holds for it."""
    assert codes(tmp_path, {"licenses": NC}) == ["CD334", "CD338"]
    assert codes(tmp_path, {"licenses": NC, **own(metadataLicense="CC-BY-4.0")}) == ["CD334"]


def test_a_gap_is_told_once(tmp_path: Path) -> None:
    """Who is missing in a sample without lot, and that nobody weighed the risks, have rules of their own."""
    assert codes(tmp_path, own(frame=None, samplingMethod="MIXED")) == ["CD341"]
    assert codes(tmp_path, own(frame=None, samplingMethod="NONPROB_QUOTA")) == ["CD333"]
    assert codes(tmp_path, own(**SENSITIVE)) == ["CD339"]
    assert codes(tmp_path, own(**SENSITIVE | {"riskAssessment": "Low"})) == ["CD341"]


@pytest.mark.parametrize("entry", [
    {"name": "sex"}, {"name": "SEX_CODE"}, {"name": "v1", "title": "Sexe"}, {"name": "v1", "title@es": "¿Género?"},
    {"name": "v1", "sdmx": {"id": "SEX"}}, {"name": "personaDiscapacidad"}, {"name": "langue"},
    {"name": "lengua_materna"}, {"name": "home-language"}, {"name": "orientation sexuelle"}, {"name": "handicapé"},
])  # fmt: skip
def test_columns_on_who_people_are(entry: Own) -> None:
    assert identity.concept_of(entry)


@pytest.mark.parametrize("entry", [
    {"name": "essex"}, {"name": "sexually"}, {"name": "age"}, {"name": "orientation"}, {"name": "traceback"},
    {"name": "interview_language"}, {"name": "programming language"}, {"name": 3, "title": ["sex"]}, {},
    {"name": "terrace"}, {"name": "faithful"}, {"name": "v1", "sdmx": "sex"},
])  # fmt: skip
def test_columns_on_something_else(entry: Own) -> None:
    assert identity.concept_of(entry) is None


def test_the_words_on_identity_are_found_by_themselves_in_three_languages() -> None:
    rows = profile.table("identity.csv")
    assert {row["language"] for row in rows} == {"en", "es", "fr"}
    for row in rows:
        assert identity.concept_of({"name": row["words"].upper().replace(" ", "_")}), row
    for concept in {row["concept"] for row in rows}:
        assert {row["language"] for row in rows if row["concept"] == concept} == {"en", "es", "fr"}, concept


def test_licences() -> None:
    rows = profile.table("licences.csv")
    assert len({licence._plain(row["id"]) for row in rows}) == len(rows)
    assert all(row["open"] in ("yes", "") and row["commercial"] in ("yes", "") and row["source"] for row in rows)
    assert all(row["commercial"] == "yes" for row in rows if row["open"] == "yes"), "open is open for business"
    assert all(not row["open"] for row in rows if {"NC", "ND"} & set(row["id"].split("-")))
    found = licence.find("  CC_BY 4.0 ")
    assert found is not None
    assert (found.id, found.open, found.commercial) == ("CC-BY-4.0", True, True)
    assert licence.find("CC-BY-5.0") is None
    assert licence.openness() == "unknown"
    assert licence.openness("CC-BY-NC-4.0", "mine") == "unknown"


def test_core_answers_alone_give_a_handful_of_warnings(tmp_path: Path) -> None:
    """A group that publishes for the first time is not flooded."""
    core = {path.split(".")[1].removesuffix("[]") for path, entry in profile.load().fields.items()
            if path.startswith("citizenData.") and entry.tier in ("core", "conditional")
            and entry.path.count(".") == 1} | {"participation"}  # fmt: skip
    answers = dict.fromkeys(name for name in DESCRIPTOR["citizenData"] if name not in core)
    patch = own(**answers, samplingMethod="NONPROB_VOLUNTEER", personalDataCollected="SENSITIVE")
    told = {finding.code for finding in found(tmp_path, patch) if finding.severity("publish") != "none"}
    assert told == {"CD330", "CD333", "CD339", "CD340", "CD343"}
    patch = own(**answers, personalDataCollected="NONE")
    told = {finding.code for finding in found(tmp_path, patch) if finding.severity("publish") != "none"}
    assert told == {"CD330", "CD343"}


CODES = sorted({code for codelist in profile.load().codelists.values() for code in codelist.codes})
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from(CODES),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["name", "kind", "code", "en", "role", "unit", "id", "fields"]), inner)
    ),
    max_leaves=8,
)
NAMES = sorted({path.split(".")[1].removesuffix("[]") for path in profile.load().fields if "citizenData." in path})
COLUMN = st.dictionaries(st.sampled_from(["name", "title", "type", "sdmx", "citizenData"]), JSON | st.just("sex"))
RESOURCE = st.fixed_dictionaries({}, optional={
    "name": JSON, "path": JSON | st.just("data/scores.csv"), "format": JSON,
    "schema": JSON | st.fixed_dictionaries({"fields": JSON | st.lists(COLUMN | JSON, max_size=3)}),
})  # fmt: skip


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    answers=st.dictionaries(st.sampled_from(NAMES), JSON, max_size=6),
    licences=JSON,
    resources=st.lists(RESOURCE | JSON, max_size=2),
    people=st.sampled_from(["SENSITIVE", "_U", "NONE"]),
)
def test_no_json_breaks_it(answers: Own, licences: Any, resources: list[Any], people: str, tmp_path: Path) -> None:
    patch: Own = {"licenses": licences, "resources": resources, "citizenData": {"personalDataCollected": people}}
    patch["citizenData"] |= answers
    for finding in found(tmp_path, patch):
        for language in profile.languages():
            assert finding.message(language)
            assert finding.remedy(language)
