"""Every rule has an example that raises it, with what it implies and no other error, and a twin with no error."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from rule_cases import BASE, FOLDER, Example, faults, from_builders, from_files, gaps, implied, materialise, merged

from cdmeta import profile
from cdmeta.finding import Finding
from cdmeta.profile import GATES, Rule
from cdmeta.workflows.validate import validate

RULES = profile.load().rules
EXAMPLES = [*from_files(), *from_builders()]


def codes(findings: tuple[Finding, ...]) -> set[str]:
    return {finding.code for finding in findings}


def test_every_rule_has_an_example_and_every_example_a_rule() -> None:
    assert gaps(RULES, EXAMPLES) == []
    assert len(EXAMPLES) == len(RULES)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.code)
def test_a_rule_is_raised_by_its_example_and_not_by_the_twin(example: Example, tmp_path: Path) -> None:
    for name in ("raises", "mended"):
        (tmp_path / name).mkdir()
    raised, mended = codes(example.raises(tmp_path / "raises")), codes(example.mended(tmp_path / "mended"))
    assert faults(example, RULES, raised, mended) == []


@pytest.mark.parametrize("gate", GATES)
def test_the_base_has_nothing_that_anybody_could_mend(gate: str) -> None:
    assert codes(validate(BASE, gate).findings) == set()


def test_what_a_rule_implies_are_rules() -> None:
    for code in RULES:
        assert implied(code, RULES) <= RULES.keys() - {code}


def test_an_example_changes_something(tmp_path: Path) -> None:
    for example in EXAMPLES:
        for number, case in enumerate(example.cases[:1]):
            made = materialise(case, tmp_path / f"{example.code}-{number}")
            assert contents(made) != contents(BASE), example.code


def contents(folder: Path) -> dict[str, Any]:
    """The files of a folder, JSON as what it says."""
    return {
        path.relative_to(folder).as_posix(): plain(path.read_text(encoding="utf-8"))
        for path in folder.rglob("*")
        if path.is_file()
    }


def plain(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def test_the_twin_is_another_package_than_the_example() -> None:
    for example in EXAMPLES:
        if example.cases:
            raises, mended = example.cases
            assert raises != mended, example.code


def test_the_patches_of_rfc_7396() -> None:
    """The cases of its appendix A."""
    cases: list[tuple[Any, Any, Any]] = [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        (["a", "b"], ["c", "d"], ["c", "d"]),
        ({"a": "b"}, ["c"], ["c"]),
        ({"a": "foo"}, None, None),
        ({"a": "foo"}, "bar", "bar"),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ]
    for target, patch, result in cases:
        assert merged(target, patch) == result


# The judging can fail


def none(folder: Path) -> tuple[Finding, ...]:
    return ()


def rule(code: str, severity: Any, *implies: str) -> Rule:
    return Rule(code, "", dict.fromkeys(GATES, severity), "", "", "", "", "", implies)


def test_a_missing_a_stray_and_a_double_example_are_told() -> None:
    shown = [Example(code, "publish", none, none) for code in ("CD101", "CD102", "CD102", "CD999")]
    assert gaps(["CD101", "CD102", "CD103"], shown) == [
        "CD103 has no example",
        "CD999 has an example and is no rule",
        "CD102 has two examples",
    ]


@pytest.mark.parametrize(
    ("raised", "mended", "told"),
    [
        ({"A", "B", "C"}, set(), []),
        ({"A", "B", "C", "W"}, {"W"}, []),
        (set(), set(), ["A is not raised", "B is not raised", "C is not raised"]),
        ({"A", "B"}, set(), ["C is not raised"]),
        ({"A", "B", "C", "D"}, set(), ["D is an error beside it"]),
        ({"A", "B", "C"}, {"D"}, ["D is an error of the twin"]),
        ({"A", "B", "C"}, {"A"}, ["A is an error of the twin", "A is raised by the twin"]),
    ],
)
def test_an_example_that_shows_something_else_is_told(raised: set[str], mended: set[str], told: list[str]) -> None:
    """A implies B, and B implies the warning C; W is another warning, D another error."""
    rules = {
        "A": rule("A", "error", "B"),
        "B": rule("B", "error", "C"),
        "C": rule("C", "warning", "B"),
        "D": rule("D", "error"),
        "W": rule("W", "warning"),
    }
    assert faults(Example("A", "publish", none, none), rules, raised, mended) == told


def test_a_warning_comes_without_an_error_and_not_in_the_twin() -> None:
    rules = {"W": rule("W", "warning"), "D": rule("D", "error")}
    example = Example("W", "publish", none, none)
    assert faults(example, rules, {"W"}, set()) == []
    assert faults(example, rules, {"W", "D"}, {"W"}) == ["D is an error beside it", "W is raised by the twin"]


def test_every_file_of_the_folder_is_an_example() -> None:
    names = {path.name for path in FOLDER.iterdir()} - {"base", "README.md"}
    assert names == {f"{example.code}.json" for example in EXAMPLES if example.cases}
