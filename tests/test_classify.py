"""The findings on participation, and `cdmeta classify`."""

import json
from pathlib import Path
from typing import Any

import pytest
from commands import run

from cdmeta import profile
from cdmeta.checks import participation
from cdmeta.finding import Finding
from cdmeta.framework import OUTCOMES, decide
from cdmeta.initiative import PATHS, Answers
from cdmeta.package import load
from cdmeta.workflows.classify import changes, classify

EXAMPLE = Path(__file__).parent.parent / "examples/public-service-satisfaction/package"
STAGES = ("designObjectives", "designPartnerships", "designMethods", "designAccessUse", "collection")
ALL_KNOWN: dict[str, Any] = {
    "dataTradition": "CITIZEN_GENERATED", "objectives": ["SERVICES"], "collectorType": ["COMMUNITY_MEMBER"],
    "directInvolvement": True, "representation": {"adequate": True}, "regularOfficial": False,
    "mainPurposeResponse": False,
}  # fmt: skip


def answers(kind: str, initiators: str, partners: str = "", level: str = "", **more: Any) -> dict[str, Any]:
    given = {"initiativeType": kind, "initiators": [{"name": "A", "kind": kind} for kind in initiators.split()]}
    return {
        **given,
        "partners": [{"name": "B", "kind": kind} for kind in partners.split()],
        "participation": dict.fromkeys(STAGES, level) if level else {},
        **more,
    }


def package(folder: Path, citizen_data: Any) -> Path:
    (folder / "datapackage.json").write_text(json.dumps({"name": "x", "citizenData": citizen_data}))
    return folder


def findings(folder: Path, citizen_data: Any) -> list[Finding]:
    return list(participation.check(load(package(folder, citizen_data))))


def levels(**more: str) -> dict[str, Any]:
    return {"participation": dict.fromkeys(STAGES, "L4") | more}


CASES: list[tuple[list[tuple[str, str]], dict[str, Any]]] = [
    ([], answers("CIVIC_ACTION", "COMMUNITY", level="L5")),
    ([("CD201", "/citizenData/participation/designObjectives")], answers("CIVIC_ACTION", "COMMUNITY")),
    ([("CD201", "/citizenData/initiativeType")], {}),
    ([("CD201", "/citizenData/initiators")], {"initiativeType": "JOINT"}),
    ([("CD202", "/citizenData"), ("CD221", "/citizenData/participation/designObjectives")],
     answers("CIVIC_DRIVEN", "COMMUNITY", "NSO", level="L3", **ALL_KNOWN)),
    ([("CD203", "/citizenData")],
     answers("OTHER_DRIVEN", "ACADEMIA", "CITIZENS", level="L3", **ALL_KNOWN)),
    ([("CD204", "/citizenData")],
     answers("NSO_DRIVEN", "NSO", "CITIZENS", level="L2", **ALL_KNOWN | {"regularOfficial": True})),
    ([("CD202", "/citizenData"), ("CD211", "/citizenData/initiators/1/kind")],
     answers("CIVIC_ACTION", "COMMUNITY MEDIA", level="L5")),
    ([("CD202", "/citizenData"), ("CD212", "/citizenData/initiators")],
     answers("JOINT", "COMMUNITY", "NSO", level="L4")),
    ([("CD202", "/citizenData"), ("CD213", "/citizenData/initiativeType")],
     answers("OTHER_DRIVEN", "COMMUNITY", "NSO", level="L4")),
    ([("CD202", "/citizenData"), ("CD214", "/citizenData/participation/designMethods")],
     answers("NO_COLLAB", "PRIVATE", participation=dict.fromkeys(STAGES, "L1") | {"designMethods": "L4"})),
    ([("CD221", "/citizenData/participation/collection")],
     answers("CIVIC_ACTION", "COMMUNITY", participation=dict.fromkeys(STAGES, "L5") | {"collection": "L4"})),
    ([("CD222", "/citizenData/participation/designMethods")],
     answers("OTHER_DRIVEN", "NHRI", "COMMUNITY", **ALL_KNOWN, **levels(designMethods="L5"))),
    ([("CD222", "/citizenData/participation/processing"), ("CD223", "/citizenData/participation/processing")],
     answers("OTHER_DRIVEN", "NHRI", "COMMUNITY", **ALL_KNOWN, **levels(processing="L5"))),
    ([("CD224", "/citizenData/partners")], answers("CIVIC_ACTION", "COMMUNITY", "ACADEMIA", level="L5")),
    ([("CD225", "/citizenData/initiators")],
     answers("NSO_DRIVEN", "STATE_AGENCY", "COMMUNITY", level="L4", **ALL_KNOWN)),
    ([("CD226", "/citizenData/partners")], answers("CIVIC_DRIVEN", "COMMUNITY", "ACADEMIA PRIVATE", level="L5")),
    ([], answers("CIVIC_DRIVEN", "COMMUNITY", "ACADEMIA NSO", level="L5", **ALL_KNOWN)),
    ([("CD227", "/citizenData/initiators")], answers("JOINT", "COMMUNITY ACADEMIA", "MEDIA", level="L4")),
]  # fmt: skip


@pytest.mark.parametrize(("expected", "citizen_data"), CASES)
def test_findings(tmp_path: Path, expected: list[tuple[str, str]], citizen_data: dict[str, Any]) -> None:
    found = findings(tmp_path, citizen_data)
    assert [(finding.code, finding.where.pointer) for finding in found] == expected
    assert {finding.where.file for finding in found} <= {"datapackage.json"}
    for finding in found:
        assert "{" not in finding.message() + finding.remedy()
        assert "?" not in finding.spoken().get("type", "")


def test_every_row_on_participation_has_its_case() -> None:
    rows = {code for code in profile.load().rules if code.startswith("CD2")}
    assert {code for expected, _ in CASES for code, _ in expected} == rows


def test_what_a_finding_says(tmp_path: Path) -> None:
    (joint,) = findings(tmp_path, answers("JOINT", "COMMUNITY NSO", level="L3"))
    assert joint.message() == (
        "The Framework does not settle this case (rule G3/C2; ¶17 s.1, ¶28, ¶22, ¶30, Table 2). "
        f"{profile.texts()['rule.G3']} {profile.texts()['rule.C2']} "
        "A reviewer must decide, and record who decided, when and why."
    )
    (unknown,) = findings(
        tmp_path, answers("CIVIC_ACTION", "COMMUNITY", participation=dict.fromkeys(STAGES[1:], "L3"))
    )[:1]
    assert unknown.spoken()["open"] == ("Level in setting objectives (citizenData.participation.designObjectives)")
    warned = findings(
        tmp_path,
        answers("CIVIC_ACTION", "COMMUNITY", participation=dict.fromkeys(STAGES, "L5") | {"review": "L1"}),
    )
    assert [finding.spoken()["levels"] for finding in warned] == ["Level in reviewing impact"]
    led = answers("OTHER_DRIVEN", "NHRI", "COMMUNITY", **ALL_KNOWN, **levels(collection="L5", dissemination="L5"))
    assert [finding.spoken()["levels"] for finding in findings(tmp_path, led)] == [
        "Level in collecting, Level in analysis and dissemination",
        "Level in analysis and dissemination",
    ]


# Changes.


def complete(**more: Any) -> Answers:
    plain: dict[str, Any] = dict.fromkeys(
        ("design_objectives", "design_partnerships", "design_methods", "design_access_use", "collection"), "L4"
    )
    later: dict[str, Any] = dict.fromkeys(("processing", "dissemination", "uptake", "review"), "L3")
    rest: dict[str, Any] = {
        "tradition": "VGI", "objectives": ("SERVICES",), "collectors": ("COMMUNITY_MEMBER",),
        "direct": True, "representation": True, "regular": False, "response": False,
    }  # fmt: skip
    return Answers("NSO_DRIVEN", ("NSO",), ("CSO_COMMUNITY",), **(plain | later | rest | more))


def told(given: Answers) -> dict[str, list[tuple[Any, str, str]]]:
    found: dict[str, list[tuple[Any, str, str]]] = {}
    for change in changes(given):
        found.setdefault(change.path.removeprefix("citizenData."), []).append(
            (change.then, change.outcome, change.rule)
        )
    return found


def test_changes_of_complete_answers() -> None:
    assert told(complete()) == {
        "participation.designObjectives": [("L3", "ASSESS", "Y3")],
        "participation.designPartnerships": [("L3", "ASSESS", "Y3")],
        "participation.designMethods": [("L3", "ASSESS", "Y3")],
        "participation.designAccessUse": [("L3", "ASSESS", "Y3")],
        "directInvolvement": [(False, "ASSESS", "O1")],
    }


def test_the_nearest_change_is_named() -> None:
    found = told(complete(design_methods="L2", collection="L1"))
    assert found["participation.designMethods"] == [("L4", "CITIZEN_DATA", "Y1")]
    assert "participation.collection" not in found


def test_changes_of_lists_flags_and_kinds() -> None:
    science = complete(design_methods="L2", tradition="CITIZEN_SCIENCE")
    found = told(science)
    assert found["objectives"] == [(["SERVICES", "SCIENCE"], "CITIZEN_DATA", "Y2")]
    assert found["partners[].kind"] == [(["ACADEMIA"], "CITIZEN_DATA", "Y2")]
    yes = told(complete(design_methods="L2", tradition="CITIZEN_SCIENCE", objectives=("SCIENCE",)))
    assert yes["objectives"] == [([], "ASSESS", "Y3")]
    assert yes["collectorType"] == [(["PAID_ENUMERATOR"], "ASSESS", "Y3")]
    assert yes["dataTradition"] == [("_O", "ASSESS", "Y3")]
    low: dict[str, Any] = dict.fromkeys(("design_objectives", "design_partnerships", "design_methods"), "L2")
    regular = told(complete(**low, design_access_use="L2", collection="L3", regular=True))
    assert regular["regularOfficial"] == [(False, "NOT_CITIZEN_DATA", "Y5")]
    assert regular["participation.collection"] == [("L4", "ASSESS", "G5")]


def test_what_would_settle_open_answers() -> None:
    found = told(Answers("CIVIC_ACTION", ("CSO_LARGE",), design_objectives="L5", direct=True))
    assert found == {"representation.adequate": [(True, "CITIZEN_DATA", "C1"), (False, "ASSESS", "O1")]}
    settled = told(Answers("CIVIC_ACTION", ("CSO_LARGE",), design_objectives="L5", representation=False))
    assert settled == {"initiators[].kind": [(["CITIZENS"], "CITIZEN_DATA", "C1")]}
    kinds = told(Answers("CIVIC_ACTION", ("COMMUNITY", None), design_objectives="L5"))
    assert kinds == {"initiators[].kind": [(["COMMUNITY", "CITIZENS"], "CITIZEN_DATA", "C1")]}


@pytest.mark.parametrize(
    "given",
    [
        complete(),
        complete(collection="L2"),
        Answers("CIVIC_ACTION", ("CSO_LARGE",), design_objectives="L5", direct=True),
    ],
)
def test_every_change_holds_when_made(given: Answers) -> None:
    by_path = {path: name for name, path in PATHS.items()}
    found = list(changes(given))
    assert found
    for change in found:
        then: Any = tuple(change.then) if isinstance(change.then, list) else change.then
        changed = decide(Answers(**{**given.__dict__, by_path[change.path]: then}))
        assert (changed.outcome, changed.rule) == (change.outcome, change.rule)
        assert changed.outcome != decide(given).outcome


# The command.


def test_text(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "classify", str(EXAMPLE))
    assert (code, err) == (0, "")
    assert out == (
        "public-service-satisfaction: Citizen data (CITIZEN_DATA)\n"
        "Rule Y1 (Box 1, ¶21, ¶24(a), Table 2): Others started it, and citizens share all design decisions.\n"
        "\n"
        "Each of these answers alone would change the outcome "
        "(correct an answer only where it does not say how it was):\n"
        "  - Level in setting objectives: L3 instead of L4 → A person has to decide\n"
        "  - Level in choosing partners: L3 instead of L4 → A person has to decide\n"
        "  - Level in choosing methods: L3 instead of L4 → A person has to decide\n"
        "  - Level in deciding on access and use: L3 instead of L4 → A person has to decide\n"
        "  - The people concerned take part themselves: no instead of yes → A person has to decide\n"
    )


def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "classify", str(EXAMPLE), "--format", "json")
    told = json.loads(out)
    assert code == 0
    assert (told["outcome"], told["rule"], told["rules"]) == ("CITIZEN_DATA", "Y1", ["Y1"])
    assert (told["open"], told["errors"], told["warnings"], told["findings"]) == ([], [], [], [])
    assert told["paragraphs"] == ["Box 1", "¶21", "¶24(a)", "Table 2"]
    assert told["framework"] == "UNSC55-2024"
    assert told["changes"][0] == {
        "path": "citizenData.participation.designObjectives", "now": "L4", "then": "L3", "outcome": "ASSESS",
        "rule": "Y3",
    }  # fmt: skip


@pytest.mark.parametrize("citizen_data", [case for _, case in CASES])
def test_any_outcome_exits_0(tmp_path: Path, capsys: pytest.CaptureFixture[str], citizen_data: Any) -> None:
    code, out, _ = run(capsys, "classify", str(package(tmp_path, citizen_data)), "--format", "json")
    assert (code, json.loads(out)["outcome"] in OUTCOMES) == (0, True)
    code, out, _ = run(capsys, "classify", str(tmp_path))
    assert (code, out.startswith("x: ")) == (0, True)


def test_contradictions_and_open_answers_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, "classify", str(package(tmp_path, answers("CIVIC_ACTION", "NSO", level="L5"))))
    assert "x: A person has to decide (ASSESS)\nRule T1 (¶25(1)(2)): " in out
    assert "Type and initiators contradict each other. The initiative is declared as Civic action" in out
    _, out, _ = run(capsys, "classify", str(package(tmp_path, answers("CIVIC_ACTION", "COMMUNITY"))))
    assert "Rule" not in out
    assert "These answers would settle it:\n  - Level in setting objectives (citizenData.part" in out
    assert (
        "Each of these answers alone would settle it:\n  - Level in setting objectives: L4 instead of no answer"
        in out
    )


def test_a_long_list_of_changes_is_cut(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    low = answers("NSO_DRIVEN", "NSO", "CITIZENS", level="L2", **ALL_KNOWN | {"regularOfficial": True})
    _, out, _ = run(capsys, "classify", str(package(tmp_path, low)), "--format", "json")
    count = len(json.loads(out)["changes"])
    _, out, _ = run(capsys, "classify", str(tmp_path))
    assert count > 6
    assert out.count("instead of") == 6
    assert f"… and {count - 6} more; --format json lists all." in out


@pytest.mark.parametrize(("form", "out_has"), [("text", ""), ("json", '"outcome": null')])
def test_an_unreadable_descriptor_exits_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], form: str, out_has: str
) -> None:
    (tmp_path / "datapackage.json").write_text('{"name": "x",')
    code, out, err = run(capsys, "classify", str(tmp_path), "--format", form)
    assert code == 1
    assert out_has in out
    assert err.startswith("datapackage.json cannot be read as JSON: ")
    assert classify(tmp_path).decision is None


def test_no_package_exits_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "classify", str(tmp_path / "nothing"))
    assert (code, out, err.count("\n")) == (2, "", 1)
    code, _, err = run(capsys, "classify", str(tmp_path), "--format", "xml")
    assert code == 2


def test_a_foreign_package_is_told_what_is_missing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "datapackage.json").write_text('{"name": 3, "resources": 3}')
    code, out, _ = run(capsys, "classify", str(tmp_path))
    assert code == 0
    assert "Rule R0: The type of the initiative, or who started it, is not told." in out
    assert all(path.replace("[]", "") in out for path in PATHS.values())


def test_a_hostile_name_steers_no_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "datapackage.json").write_text(json.dumps({"name": "a\x1b[2J\u202e\x9b" + "x" * 5_000}))
    for form in ("text", "json"):
        _, out, _ = run(capsys, "classify", str(tmp_path), "--format", form)
        assert out.replace("\n", "").isprintable()
        assert "x" * 4_500 not in out
