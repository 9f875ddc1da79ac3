"""Reports as people and programs read them."""

import json
import re
import string
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from decided import DECISION
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from cdmeta import profile
from cdmeta.finding import SEVERITIES, Finding, Report, Where
from cdmeta.package import load
from cdmeta.reporters import REPORTERS, render
from cdmeta.reporters.shown import dotted, place
from cdmeta.reporters.text import MAX_PLACES, columns, wrap

SCHEMA = json.loads((Path(__file__).parent.parent / "docs" / "report.schema.json").read_text(encoding="utf-8"))
VALIDATOR = Draft202012Validator(SCHEMA)
MISSING = Finding("CD106", Where("datapackage.json", "/resources/0/path", "r"), {"path": "a.csv", "near": "b.csv"})
HOSTILE = "\x1b[2J\u202e\x9b\udc80\n"


def unnamed(count: int) -> tuple[Finding, ...]:
    return tuple(Finding("CD111", Where(file=f"f{n}.csv"), {"path": f"f{n}.csv"}) for n in range(count))


def test_a_valid_report() -> None:
    report = Report("in/x.zip", (), DECISION, "publish", "x", "1.0.0")
    assert render(report) == (
        "Valid: nothing stands in the way. By these answers, this is citizen data.\n"
        "Package: x 1.0.0, in in/x.zip\n"
        "\n"
        "What next? Send the package to the office that shall publish it. Its reviewer\n"
        "approves it:\n"
        '  cdmeta approve in/x.zip --key KEY --approver "NAME <MAIL>"\n'
    )


def test_a_report_groups_findings_worst_first_and_says_what_to_do() -> None:
    report = Report("my folder", (*unnamed(7), MISSING), None)
    assert render(report) == (
        "Not valid yet. Errors: 1, warnings: 7.\n"
        "Package: (without a name), in my folder\n"
        "\n"
        "ERRORS\n"
        "\n"
        "CD106 A file is missing\n"
        '  - table r, path: The file "a.csv" is named in the descriptor, and is not\n'
        '    there. Did you mean "b.csv"?\n'
        "  To mend: Put the file into the package, or correct its name.\n"
        "  Rests on: Data Package 2.0, Data Resource, path\n"
        "\n"
        "WARNINGS\n"
        "\n"
        "CD111 A file that the descriptor does not name (7)\n"
        + "".join(
            f'  - "f{n}.csv" lies in the package, and the descriptor does not name it. It was\n'
            "    not read, and will not be published.\n"
            for n in range(MAX_PLACES)
        )
        + "  - and 2 more\n"
        "  To mend: Name it as a resource, or take it out before you send the package.\n"
        "  Rests on: Principle 9\n"
        "\n"
        "What next? Mend the errors, the first ones first, and check again:\n"
        '  cdmeta validate "my folder"\n'
    )


@pytest.mark.parametrize(
    ("where", "words"),
    [
        (Where(), ""),
        (Where("datapackage.json", "/citizenData/purpose"), "Need or issue (citizenData.purpose)"),
        (Where("datapackage.json", "/citizenData/initiators/0/kind"),
         "Kind of initiator (citizenData.initiators #1.kind)"),
        (Where("datapackage.json", "/citizenData/unknown"), "citizenData.unknown"),
        (Where("datapackage.json", "/resources/1/schema/fields/2", "v"), "table v, schema.fields #3"),
        (Where("datapackage.json", "/resources/1"), "resources #2"),
        (Where("datapackage.json", "/a~1b/c~0d"), "a/b.c~d"),
        (Where("datapackage.json", ""), ""),
        (Where("s.json"), "s.json"),
        (Where("v.csv", None, "v", "Tab 1", 1207, "age"), "table v, sheet Tab 1, row 1,207, column age"),
    ],
)  # fmt: skip
def test_places_in_words(where: Where, words: str) -> None:
    assert place(where) == words


def test_a_pointer_of_odd_numbers() -> None:
    assert dotted("/a/²/99999999999/-1") == "a.².99999999999.-1"


def test_colour_only_where_it_is_asked_for() -> None:
    report = Report("x", (MISSING, *unnamed(2)), DECISION)
    coloured = render(report, color=True)
    assert coloured.startswith("\x1b[1;31mNot valid yet.")
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == render(report)
    assert "\x1b" not in render(report)
    assert "\x1b" not in render(report, "json", color=True)


@pytest.mark.parametrize("width", [1, 20, 40, 80, 300])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    wide = Finding("CD106", Where(file="数据" * 30), {"path": "数据" * 40, "near": ""})
    report = Report("源" * 60, (MISSING, wide, *unnamed(2)), DECISION, "official", "名" * 30)
    lines = render(report, width=width).splitlines()
    assert max(columns(line) for line in lines[:-1]) <= min(max(width, 20), 100)
    assert lines[-1].endswith(f"{'源' * 60} --gate official"), "a command stays on one line, to be copied"


@given(st.text(), st.integers(2, 50))
def test_wrapping_loses_nothing_and_keeps_the_width(text: str, width: int) -> None:
    lines = wrap(text, width)
    assert "".join("".join(lines).split()) == "".join(text.split())
    assert all(columns(line) <= width for line in lines)


@pytest.mark.parametrize("space", ["\u00a0", "\u202f"])
def test_no_line_breaks_at_a_space_that_forbids_it(space: str) -> None:
    assert wrap(f"sa clé{space}: 20{space}000 lignes", 7) == ["sa", f"clé{space}:", f"20{space}000", "lignes"]


def test_all_open_questions_are_listed_in_few_lines() -> None:
    fields = [field for field in profile.load().fields.values() if field.tier == "core"]
    report = Report("x", tuple(question(field) for field in fields), None)
    text = render(report, width=80)
    asked = re.findall(
        r"^  - .*? \(([^)]+)\):", " ".join(text.split()).replace(" - ", "\n  - "), flags=re.MULTILINE
    )
    assert asked == [field.path for field in fields]
    assert text.count("To mend:") == 1
    assert " ".join(text.split()).count("Staff who speak for them do not count") == 1, (
        "what is explained once is enough"
    )


def question(field: profile.Field) -> Finding:
    where = Where("datapackage.json", "/" + field.path.replace("[]", "/0").replace(".", "/"))
    return Finding("CD130", where, {"title": field.title, "question": field.question, "path": field.path})


def test_what_another_finding_implies_is_not_told_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    rules = dict(profile.load().rules)
    rules["CD302"] = replace(rules["CD302"], implies=("CD202", "CD303"))
    changed = replace(profile.load(), rules=rules)
    monkeypatch.setattr(profile, "load", lambda: changed)
    params = dict.fromkeys(("personal", "basis", "rule", "reasons", "paragraphs"), "…")
    at = [Where("datapackage.json", pointer) for pointer in ("/citizenData/a", "/citizenData", "/citizenData/b")]
    findings = (
        Finding("CD302", at[0], params),
        Finding("CD202", at[1], params),
        Finding("CD303", at[0], params),
        Finding("CD303", at[2], params),
    )
    text = render(Report("x", findings))
    assert re.findall("^CD[0-9]+", text, flags=re.MULTILINE) == ["CD302", "CD303"]
    assert text.startswith("Not valid yet. Errors: 2, warnings: 0.")
    assert len(json.loads(render(Report("x", findings), "json"))["findings"]) == 4, "programs get all"


@pytest.mark.parametrize("outcome", ["ASSESS", "NOT_CITIZEN_DATA", "OUT_OF_SCOPE", "INSUFFICIENT_INFORMATION"])
def test_every_outcome_has_words(outcome: str) -> None:
    text = render(Report("x", (), DECISION | {"outcome": outcome}))
    assert profile.texts()[f"report.outcome.{outcome}"] in " ".join(text.split())
    assert ("--decision" in text) == (outcome == "ASSESS")


def test_the_report_schema_is_a_schema() -> None:
    Draft202012Validator.check_schema(SCHEMA)


def test_json_says_all() -> None:
    report = Report("x", (MISSING, *unnamed(2)), DECISION, "official", "n", "1.0.0")
    value = json.loads(render(report, "json"))
    VALIDATOR.validate(value)
    findings = value.pop("findings")
    assert value == {
        "format_version": "1.3",
        "language": "en",
        "about": "package",
        "source": "x",
        "name": "n",
        "version": "1.0.0",
        "gate": "official",
        "valid": False,
        "counts": {"error": 1, "warning": 2, "info": 0},
        "decision": DECISION,
        "quality": None,
    }
    assert findings[0] == {
        "code": "CD106",
        "severity": "error",
        "title": "A file is missing",
        "message": 'The file "a.csv" is named in the descriptor, and is not there. Did you mean "b.csv"?',
        "remedy": "Put the file into the package, or correct its name.",
        "source": "Data Package 2.0, Data Resource, path",
        "where": {"file": "datapackage.json", "pointer": "/resources/0/path", "resource": "r"},
        "params": {"path": "a.csv", "near": "b.csv"},
    }
    assert [finding["code"] for finding in findings] == ["CD106", "CD111", "CD111"]


def test_json_of_another_shape_is_refused() -> None:
    value = json.loads(render(Report("x", (MISSING,), DECISION), "json"))
    wrong: list[dict[str, Any]] = [
        value | {"valid": "no"},
        value | {"more": 1},
        value | {"decision": {"outcome": "YES"}},
        value | {"findings": [value["findings"][0] | {"severity": "fatal"}]},
        value | {"findings": [value["findings"][0] | {"where": {"line": 1}}]},
        {key: part for key, part in value.items() if key != "gate"},
    ]
    assert all(not VALIDATOR.is_valid(one) for one in wrong)


@pytest.mark.parametrize("name", REPORTERS)
def test_nothing_hostile_reaches_the_terminal(name: str) -> None:
    where = Where(HOSTILE, f"/{HOSTILE}", HOSTILE, HOSTILE, 3, HOSTILE)
    finding = Finding("CD106", where, {"path": HOSTILE, "near": HOSTILE, "more": {HOSTILE: [HOSTILE]}})
    text = render(Report(HOSTILE, (finding,), DECISION, "publish", HOSTILE, HOSTILE), name)
    text.encode("utf-8")
    assert {character for character in text if not character.isprintable()} == {"\n"}
    assert "\\x1b[2J" in (json.loads(text)["source"] if name == "json" else text)


@pytest.mark.parametrize("gate", profile.GATES)
def test_every_rule_has_a_severity_and_words(gate: str) -> None:
    for rule in profile.load().rules.values():
        assert rule.severity[gate] in (*SEVERITIES, "none")
        assert rule.title
        assert rule.message
        assert rule.remedy


def test_a_finding_speaks_words() -> None:
    where = Where("v.csv", resource="v", row=3, field="age")
    params = {"row": 3, "field": "age", "type": "integer", "constraint": "minimum"}
    assert Finding("CD408", where, params).message() == "age in row 3 is not a whole number."
    assert (
        Finding("CD410", where, params).message() == "age in row 3 is not allowed: it is smaller than the minimum."
    )
    assert Finding("CD410", where, params | {"constraint": "odd"}).message() == "age in row 3 is not allowed: odd."
    assert Finding("CD101", where, {"path": "p", "reason": "bom"}).message() == (
        "p cannot be read as JSON: it starts with a byte order mark; save it as UTF-8 without BOM."
    )


def test_the_blanks_of_all_words_can_be_filled() -> None:
    rules = profile.load().rules.values()
    words = [text for rule in rules for text in (rule.message, rule.remedy)]
    words += [
        text
        for key, text in profile.texts().items()
        if key.startswith(("constraint.", "reason.", "report.", "type."))
    ]
    blanks = {name for text in words for _, name, _, _ in string.Formatter().parse(text) if name is not None}
    assert [name for name in blanks if not name.isidentifier()] == []


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


@settings(deadline=None)
@given(JSON)
def test_whatever_a_package_holds_the_reports_can_be_written(
    tmp_path_factory: pytest.TempPathFactory, value: Any
) -> None:
    folder = tmp_path_factory.mktemp("p")
    (folder / "datapackage.json").write_text(json.dumps(value), encoding="utf-8")
    report = Report(str(folder), load(folder).findings, DECISION)
    VALIDATOR.validate(json.loads(render(report, "json")))
    assert render(report).endswith("\n")
