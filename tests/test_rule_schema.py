"""Whoever takes only the profile's JSON Schema gets the same verdict, on all that a schema of ours says.

Two validators that know nothing of us judge the descriptors of all examples by the committed schema.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import fastjsonschema
import jsonschema
import pytest
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT7
from rule_cases import BASE, FOLDER, descriptor, from_files, materialise

from cdmeta import profile
from cdmeta.checks import consent
from cdmeta.checks import descriptor as answers
from cdmeta.package import DESCRIPTOR, load
from cdmeta.schema import BASE as STANDARD
from cdmeta.workflows.validate import validate

RULES = profile.load().rules
SAYS = {
    "CD130": "required members",
    "CD131": "required members, where the condition is the code of another answer",
    "CD132": "enumerations",
    "CD133": "types, forms and bounds",
    "CD135": "a constant",
    "CD136": "a pattern",
    "CD139": "a pattern",
    "CD140": "unique items; our check takes it for a warning",
    "CD142": "types and enumerations; our check takes a short form for what it stands for",
    "CD320": "a required member, as far as the law has no name; that no state body stands behind it is weighed",
    "CD321": "a required member",
}
"""The rules that the schema says, and by what."""

_FILES = "it is about files, and a schema sees one JSON value"
_STANDARD = "it belongs to the Data Package standard, whose own schema says it"
_WEIGHED = "answers are weighed against each other; the schema says which are there, and the form of each"
CANNOT = {
    "CD101": "what is no JSON has no value that a schema could see",
    "CD102": _STANDARD,
    "CD105": _FILES,
    "CD106": _FILES,
    "CD107": _FILES,
    "CD108": _FILES,
    "CD109": "an address is a path by the standard; it is we who fetch nothing",
    "CD110": "a schema cannot compare a member of one element with that of another",
    "CD111": _FILES,
    "CD112": _FILES,
    "CD113": _FILES,
    "CD114": _FILES,
    "CD115": _STANDARD,
    "CD116": _FILES,
    "CD120": _STANDARD,
    "CD134": "other standards may have members of their own in the same objects, so none is forbidden",
    "CD137": "the schema says the form of a period, and cannot tell which of two days comes first",
    "CD138": "by the standard each way to reach somebody may be left out; that one is there is a sum over all",
    "CD141": "it is no mistake",
    "CD143": "what is recommended may be left out",
    "CD145": "a schema cannot compare one answer with another",
    "CD144": "a schema cannot compare the names of members with another answer",
    "CD2": _WEIGHED,
    "CD3": _WEIGHED,
    "CD4": "it is about rows and files",
    "CD5": "a schema cannot tell what identifies a person or a place",
    "CD6": "it is about approvals",
    "CD7": "it is about what SDMX can hold, which only a conversion asks for",
}
"""Why the schema does not say the others, by code or by the beginning of codes."""

Accepts = Callable[[Any], bool]


@cache
def by_jsonschema() -> Accepts:
    """The whole schema; that of the standard takes anything, because it is frictionless's to judge."""
    registry: Registry[Any] = Registry().with_resource(STANDARD, Resource.from_contents({}, DRAFT7))
    formats = jsonschema.Draft7Validator.FORMAT_CHECKER
    schema = json.loads(profile.schema_bytes())
    return jsonschema.Draft7Validator(schema, registry=registry, format_checker=formats).is_valid


@cache
def by_fastjsonschema() -> Accepts:
    """The same by another program, which makes Python of the schema."""
    judge = fastjsonschema.compile(json.loads(profile.schema_bytes()), handlers={"https": lambda address: {}})

    def accepts(value: Any) -> bool:
        try:
            judge(value)
        except fastjsonschema.JsonSchemaValueException:
            return False
        return True

    return accepts


VALIDATORS = {"jsonschema": by_jsonschema, "fastjsonschema": by_fastjsonschema}


@cache
def judged() -> dict[str, tuple[Any, frozenset[str]]]:
    """The descriptors of all examples, each with the codes that our check finds in its package."""
    found: dict[str, tuple[Any, frozenset[str]]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for example in from_files():
            for name, case in zip(("raises", "mended"), example.cases, strict=True):
                if (value := descriptor(case)) is not None:
                    key = f"{example.code} {name}"
                    found[key] = (value, codes(materialise(case, Path(folder) / key)))
    for path in sorted(FOLDER.parent.glob(f"*/package/{DESCRIPTOR}")):
        found[path.parent.parent.name] = json.loads(path.read_bytes()), codes(path.parent)
    return found


def codes(folder: Path) -> frozenset[str]:
    return frozenset(finding.code for finding in validate(folder).findings)


@pytest.mark.parametrize("name", VALIDATORS)
def test_a_plain_validator_refuses_what_our_check_refuses(name: str) -> None:
    accepts = VALIDATORS[name]()
    differing = {
        key: sorted(found & SAYS.keys())
        for key, (value, found) in judged().items()
        if accepts(value) != found.isdisjoint(SAYS)
    }
    assert differing == {}


def test_every_rule_that_the_schema_says_is_refused_by_itself() -> None:
    """Each is seen: its example has no other code that the schema says."""
    alone = {code for code in SAYS if judged()[f"{code} raises"][1] & SAYS.keys() == {code}}
    assert alone == SAYS.keys()


def test_of_every_rule_it_is_told_whether_a_schema_says_it() -> None:
    for code in RULES:
        reasons = [key for key in CANNOT if code.startswith(key)]
        assert (code in SAYS) or reasons, f"{code}: put it into SAYS or CANNOT"
    assert SAYS.keys() <= RULES.keys()
    assert all(any(code.startswith(key) for code in RULES) for key in CANNOT)


@pytest.mark.parametrize("name", VALIDATORS)
def test_the_validators_can_refuse(name: str) -> None:
    accepts, good = VALIDATORS[name](), json.loads((BASE / DESCRIPTOR).read_bytes())
    assert accepts(good)
    assert not accepts({})
    assert not accepts({key: value for key, value in good.items() if key != "citizenData"})


# Beyond the examples: every field with values of every kind

PERIODS = "CD137"
"""The schema says the form of a period; that its first day comes first is beyond it, and no value here asks it."""
VALUES: tuple[Any, ...] = (
    -1, "x", "WITHHELD_SAFETY", ["x", "WITHHELD_SAFETY"], {"en": "WITHHELD_SAFETY"}, {"e n": "x"},
)  # fmt: skip
"""None of them counts as missing: an empty answer is no answer to our check, and a wrong one to a schema."""


def changed(path: str, value: Any) -> Any:
    """The base with another value at a field; what has to be above it is put there."""
    whole = node = json.loads((BASE / DESCRIPTOR).read_bytes())
    *above, last = path.split(".")
    for name in above:
        node = node.setdefault(name.removesuffix("[]"), [{}] if name.endswith("[]") else {})
        node = node[0] if name.endswith("[]") else node
    node[last] = value
    return whole


def fields() -> Iterator[str]:
    for path, entry in profile.load().fields.items():
        if entry.tier != "tool" and not path.startswith("resources[]"):
            yield path


def test_plain_validators_agree_on_every_field_with_values_of_every_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    standard = ModuleType("cdmeta.tables.conformance")
    standard.metadata_problems = lambda _: ()  # type: ignore[attr-defined]  # stands in for frictionless
    monkeypatch.setitem(sys.modules, standard.__name__, standard)
    validators, said, base = [make() for make in VALIDATORS.values()], {*SAYS, PERIODS}, load(BASE)
    for path in fields():
        for value in VALUES:
            package = replace(base, descriptor=changed(path, value))
            found = {finding.code for finding in (*answers.check(package), *consent.check(package))}
            verdicts = [accepts(package.descriptor) for accepts in validators]
            assert verdicts == [found.isdisjoint(said)] * 2, (path, value, found)
