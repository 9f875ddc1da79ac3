"""The gate of a statistical office: what is told there and not elsewhere, and what an office asks for."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from rule_cases import BASE, merged

from cdmeta import profile, quality
from cdmeta.checks import consent
from cdmeta.finding import Finding, Report, told_at
from cdmeta.package import load
from cdmeta.reporters import render
from cdmeta.reporters.explain import render as explain
from cdmeta.workflows.validate import examine, validate

SCHEMA = Path(__file__).parent.parent / "docs" / "report.schema.json"
VALIDATOR = Draft202012Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))

UNKNOWN_CHILDREN = {"citizenData": {"minors": "_U"}}


def silent_at(monkeypatch: pytest.MonkeyPatch, code: str, gate: str) -> None:
    loaded = profile.load()
    rule = loaded.rules[code]
    severity = MappingProxyType({**rule.severity, gate: "none"})
    rules = MappingProxyType({**loaded.rules, code: replace(rule, severity=severity)})
    monkeypatch.setattr(profile, "load", lambda language="en": replace(loaded, rules=rules))


@pytest.mark.parametrize("gate", profile.GATES)
def test_a_rule_is_told_at_the_gate_where_it_has_a_severity(monkeypatch: pytest.MonkeyPatch, gate: str) -> None:
    silent_at(monkeypatch, "CD323", gate)
    base = load(BASE)
    package = replace(base, descriptor=merged(base.descriptor, UNKNOWN_CHILDREN))
    assert "CD323" in [finding.code for finding in consent.check(package)]
    told = {each: [f.code for f in examine(package, each).findings if f.code == "CD323"] for each in profile.GATES}
    assert told == {each: [] if each == gate else ["CD323"] for each in profile.GATES}


def test_what_is_not_told_counts_for_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    silent_at(monkeypatch, "CD301", "publish")
    finding = Finding("CD301", params={"personal": "ORDINARY"})
    assert told_at((finding,), "publish") == ()
    assert told_at((finding,), "official") == (finding,)
    report = Report("x", (finding,))
    assert (report.valid, sum(report.counts.values())) == (True, 0)


def test_explain_says_where_nothing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    silent_at(monkeypatch, "CD323", "publish")
    text = explain([(profile.load().rules["CD323"], None)])
    assert "In a package to be published: not told. At the gate of a statistical office: warning." in text


# --- the gateway


def test_every_finding_of_the_checks_belongs_to_a_step() -> None:
    for code, rule in profile.load().rules.items():
        if code < "CD6" and rule.severity["official"] in ("error", "warning"):
            assert quality.step_of(f"{code}:/citizenData"), code
    ids = [row["id"] for row in profile.table("gateway.csv")]
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize(
    ("key", "step"),
    [
        ("CD203:/citizenData/initiativeType", "framework"),
        ("CD312:/citizenData/consentScope", "consent"),
        ("CD305:/citizenData/releaseForm", "disclosure"),
        ("CD339:/citizenData/riskAssessment", "ethics"),
        ("CD341:/citizenData/ethicsReview", "ethics"),
        ("CD341:/citizenData/frame", "answers"),
        ("CD338:/citizenData/metadataLicense", "agreement"),
        ("CD130:/licenses", "agreement"),
        ("CD130:/citizenData/purpose", "answers"),
        ("CD502:/title", "disclosure"),
        ("CD504:/citizenData/riskAssessment", "ethics"),
        ("CD408:", "rows"),
        ("CD601:", None),
    ],
)
def test_the_step_of_a_finding(key: str, step: str | None) -> None:
    assert quality.step_of(key) == step


def test_the_states_of_steps() -> None:
    steps = quality.gateway(["CD341:/a", "CD341:/b", "CD130:/c"], ["CD334:/licenses", "CD330:/d"], "ASSESS")
    told = {step.id: (step.state, step.codes) for step in steps}
    assert told == {
        "framework": ("person", ()),
        "consent": ("yes", ()),
        "ethics": ("yes", ()),
        "agreement": ("yes", ("CD334",)),
        "disclosure": ("yes", ()),
        "answers": ("no", ("CD341", "CD130")),
        "rows": ("yes", ()),
    }
    assert quality.gateway(["CD211:/x"], [], "ASSESS")[0].state == "no"


EXAMPLES = sorted(BASE.parent.parent.glob("*/package"))


@pytest.mark.parametrize("folder", [*EXAMPLES, BASE], ids=lambda folder: folder.parent.name)
def test_a_package_passes_where_no_step_says_no(folder: Path) -> None:
    report = validate(folder, "official")
    assert report.quality is not None
    assert report.valid == all(step.state != "no" for step in report.quality.gateway)
    assert {code for step in report.quality.gateway if step.state == "no" for code in step.codes} == {
        finding.code for finding in report.errors
    }
    assert validate(folder).quality is None


@pytest.mark.parametrize("name", ["public-service-satisfaction", "beach-litter", "hard-to-measure"])
def test_what_an_office_may_take(name: str) -> None:
    report = validate(BASE.parent.parent / name / "package", "official")
    assert report.quality is not None
    assert {step.state for step in report.quality.gateway} == {"yes"}


# --- quality in words


def said(descriptor: dict[str, Any], language: str = "en", own: str = "en") -> dict[str, str]:
    dimensions = quality.summary(descriptor, own)
    return {answer.path.split(".")[-1]: answer.told(language) for each in dimensions for answer in each.answers}


def test_answers_in_words() -> None:
    given = {
        "collectionPeriod": {"start": "2025-02-01", "end": "2025-03-15"},
        "referencePeriod": "WITHHELD_SAFETY",
        "complaintsContact": {"en": "WITHHELD_SAFETY"},
        "achievedCount": 4212,
        "responseRate": {"value": 79.5},
        "collectionMode": ["SMS_IVR", "?", "by drum"],
        "funding": [{"name": {"en": "Own means", "fr": "Moyens propres"}}, {"kind": "NSO"}, 3],
        "purpose": {"sw": "Maji", "fr": "Eau"},
        "limitations": "wordy " * 60,
        "methodology": "字" * 300,
    }
    descriptor = {"licenses": [{"name": "CC0-1.0"}, {"name": "ODbL-1.0"}], "citizenData": given}
    english = said(descriptor)
    assert english["collectionPeriod"] == "2025-02-01 to 2025-03-15"
    assert english["referencePeriod"] == english["complaintsContact"] == "withheld for safety"
    assert (english["achievedCount"], english["value"]) == ("4,212", "79.5 per cent")
    assert english["collectionMode"].endswith("; by drum")
    assert english["name"] == "Own means"
    assert english["purpose"] == "Maji"
    assert english["limitations"] == "wordy " * 26 + "…"
    assert english["methodology"] == "字" * quality.MAX_ANSWER + " …"
    french = said(descriptor, "fr-CA")
    assert (french["name"], french["purpose"]) == ("Moyens propres", "Eau")
    assert french["collectionPeriod"] == "2025-02-01 à 2025-03-15"


def test_what_is_not_said_is_told() -> None:
    for each in quality.summary({"citizenData": {"purpose": "?", "frame": "tbd"}}, "en"):
        assert each.answers == ()
        assert each.silent
    paths = [path for row in profile.table("quality.csv") for path in row["paths"].split()]
    assert len(set(paths)) == len(paths)
    assert set(paths) <= profile.load().fields.keys()


@pytest.mark.parametrize("language", profile.languages())
@pytest.mark.parametrize("width", [40, 80])
def test_an_office_reads_it_after_the_findings(width: int, language: str) -> None:
    report = validate(BASE.parent.parent / "building-map" / "package", "official")
    text = render(report, width=width, language=language)
    lines = text.split("\n")
    texts = profile.texts(language)
    order = [text.index(texts[f"report.{key}"].upper()[:15]) for key in ("error", "gateway", "quality")]
    assert order == sorted(order)
    command = lines[-2]
    assert "--gate official" in command
    assert all(len(line) <= width for line in lines if line != command)
    assert "building-map" not in text[order[1] : text.index(command)]


def test_programs_read_it_too() -> None:
    value = json.loads(render(validate(BASE, "official"), "json", language="es"))
    VALIDATOR.validate(value)
    step, dimension = value["quality"]["gateway"][0], value["quality"]["dimensions"][0]
    assert (step["id"], step["state"], step["title"]) == ("framework", "yes", "Datos ciudadanos según el Marco")
    assert dimension["title"] == "Pertinencia"
    assert dimension["answers"][0]["path"] == "citizenData.purpose"
    assert dimension["silent"] == [{"path": "citizenData.impact", "title": "Qué cambió"}]
    assert not VALIDATOR.is_valid(value | {"quality": {"score": 5}})
    assert json.loads(render(validate(BASE), "json"))["quality"] is None


def test_what_cannot_be_read_is_not_weighed(tmp_path: Path) -> None:
    (tmp_path / "datapackage.json").write_text("[]")
    report = validate(tmp_path, "official")
    assert report.quality is None
    VALIDATOR.validate(json.loads(render(report, "json")))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just("WITHHELD_SAFETY"),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["name", "value", "start", "end", "en", "x"]), inner, max_size=3)
    ),
    max_leaves=8,
)
PATHS = [path for row in profile.table("quality.csv") for path in row["paths"].split()]
NAMES = sorted({path.split(".")[1].removesuffix("[]") for path in PATHS if path.startswith("citizenData")})


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(NAMES), JSON, max_size=8), JSON, JSON)
def test_no_json_breaks_the_summary(answers: dict[str, Any], licences: Any, other: Any) -> None:
    for descriptor in ({"citizenData": answers, "licenses": licences}, {"citizenData": other}):
        made = quality.Quality(quality.gateway([], [], None), quality.summary(descriptor, "und"))
        report = Report("x", (), None, "official", quality=made)
        VALIDATOR.validate(json.loads(render(report, "json")))
        text = render(report, width=40)
        assert {character for character in text if not character.isprintable()} <= {"\n", "\xa0"}
