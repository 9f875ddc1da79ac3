"""Short forms: what they stand for, that nothing else is touched, and that all checks read them in full."""

import copy
import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rule_cases import BASE

from cdmeta import framework, profile
from cdmeta.checks import consent, descriptor, participation, safety
from cdmeta.dataset import to_dataset
from cdmeta.finding import Finding
from cdmeta.package import DESCRIPTOR, Package, load
from cdmeta.shorthand import Parts, expand, in_full, mend
from cdmeta.text import is_missing

GOOD: dict[str, Any] = json.loads((BASE / DESCRIPTOR).read_bytes())
FIELDS = [entry for entry in profile.load().fields.values() if entry.tier != "tool"]
STAGES = [entry.name for entry in FIELDS if entry.path.startswith("citizenData.participation.")]
DESIGN = [name for name in STAGES if name.startswith("design")]
DESIGN_SET = frozenset(DESIGN)


@pytest.fixture(autouse=True)
def _no_frictionless(monkeypatch: pytest.MonkeyPatch) -> None:
    standard = ModuleType("cdmeta.tables.conformance")
    standard.metadata_problems = lambda _: ()  # type: ignore[attr-defined]  # stands in for frictionless
    monkeypatch.setitem(sys.modules, standard.__name__, standard)


def own(**answers: Any) -> dict[str, Any]:
    return {"citizenData": answers}


def levels(**answers: Any) -> dict[str, Any]:
    return own(participation=answers)


CIVIC = {"name": "A", "kind": "COMMUNITY"}


@pytest.mark.parametrize(
    ("short", "full"),
    [
        (own(initiativeType=1), own(initiativeType="CIVIC_ACTION")),
        (own(initiativeType="6"), own(initiativeType="NO_COLLAB")),
        (levels(collection=4, review="5"), levels(collection="L4", review="L5")),
        (levels(design=4), levels(**dict.fromkeys(DESIGN, "L4"))),
        (levels(design="_U"), levels(**dict.fromkeys(DESIGN, "_U"))),
        (levels(design="3", designMethods="?"), levels(**dict.fromkeys(DESIGN, "L3"))),
        (levels(designMethods=5, design=4), levels(**dict.fromkeys(DESIGN, "L4") | {"designMethods": "L5"})),
        (own(participation="NOT_INVOLVED"), levels(**dict.fromkeys(STAGES, "NOT_INVOLVED"))),
        (own(objectives="SERVICES"), own(objectives=["SERVICES"])),
        (own(collectionMode="INTERVIEW"), own(collectionMode=["INTERVIEW"])),
        (own(geography="KE", sdgIndicators="16.6.2"), own(geography=["KE"], sdgIndicators=["16.6.2"])),
        (own(initiators=CIVIC), own(initiators=[CIVIC])),
        (own(representation=False), own(representation={"adequate": False})),
    ],
)
def test_a_short_form_is_written_in_full(short: dict[str, Any], full: dict[str, Any]) -> None:
    assert expand(short) == full
    assert in_full(short)[1]
    assert in_full(full)[1] == ()
    assert expand(full) == full


@pytest.mark.parametrize(
    "value",
    [
        own(initiativeType=0),
        own(initiativeType=7),
        own(initiativeType=True),
        own(initiativeType=4.0),
        own(initiativeType=10**5000),
        own(initiativeType="joint"),
        own(initiativeType=["JOINT"]),
        levels(design="_Z"),
        levels(design="l4"),
        levels(design=None),
        levels(design={"methods": "L4"}),
        levels(design=4, **dict.fromkeys(DESIGN, "L5")),
        own(participation="_Z"),
        own(participation=[4]),
        own(objectives="?"),
        own(objectives=4),
        own(objectives=[]),
        own(geography=404),
        own(initiators="Ward committee"),
        own(nsoAssessment=True),
        own(purpose="Plain", methodology={"en": "In a language"}),
        own(**{"participation.collection": 4, "initiators[].kind": "4"}),
        {"licenses": {"name": "CC-BY-4.0"}, "participation": 4},
        {"citizenData": [{"initiativeType": 4}]},
    ],
)  # fmt: skip
def test_what_is_no_short_form_stays_for_the_checks(value: dict[str, Any]) -> None:
    assert expand(value) == value
    assert in_full(value)[1] == ()


def test_places_are_those_of_the_file() -> None:
    value = levels(design=4) | {"x": 1}
    value["citizenData"] |= {"initiators": CIVIC, "consentBasis": ["NONE"], "objectives": "SCIENCE"}
    assert in_full(value)[1] == (
        (("citizenData", "participation", "design"), 4),
        (("citizenData", "initiators"), CIVIC),
        (("citizenData", "objectives"), "SCIENCE"),
    )


def test_what_is_certain_is_mended() -> None:
    broken = own(
        initiativeType=" joint ", participation={"design": "l4", "collection": "L4"}, objectives="services"
    )
    broken["citizenData"]["initiators"] = [{"name": "A", "kind": "nso"}]
    broken |= {"licenses": {"name": "CC-BY-4.0"}, "contributors": [{"title": "A", "roles": "publisher"}]}
    broken["resources"] = [
        {"schema": {"fields": [{"name": "a", "citizenData": {"disclosureRole": "direct_id"}}, 1]}}, 1,
        {"schema": "schema.json"},
    ]  # fmt: skip
    before = copy.deepcopy(broken)
    mended, places = mend(broken)
    assert broken == before
    assert mended == {
        "citizenData": {
            "initiativeType": "JOINT",
            "participation": {**dict.fromkeys(DESIGN, "L4"), "collection": "L4"},
            "objectives": ["SERVICES"],
            "initiators": [{"name": "A", "kind": "NSO"}],
        },
        "licenses": [{"name": "CC-BY-4.0"}],
        "contributors": [{"title": "A", "roles": ["publisher"]}],
        "resources": [
            {"schema": {"fields": [{"name": "a", "citizenData": {"disclosureRole": "DIRECT_ID"}}, 1]}}, 1,
            {"schema": "schema.json"},
        ],
    }  # fmt: skip
    assert {"/".join(map(str, parts)) for parts, _ in places} == {
        "citizenData/initiativeType", "citizenData/participation/design", "citizenData/objectives",
        "citizenData/initiators/0/kind", "licenses", "contributors/0/roles",
        "resources/0/schema/fields/0/citizenData/disclosureRole",
    }  # fmt: skip


def test_what_is_only_nearly_a_code_is_not_guessed() -> None:
    value = own(initiativeType="CIVICACTION", objectives=["SERVICE"], accessRights="?")
    assert mend(value) == (value, ())


# Any JSON value, at any field

CODES = sorted({code for codelist in profile.load().codelists.values() for code in codelist.codes})
SCALARS = st.none() | st.booleans() | st.integers(-2, 9) | st.floats(allow_nan=False) | st.text(max_size=4)
NEAR = st.sampled_from([*CODES, *map(str.lower, CODES[:40]), "?", "", " ", "KE", profile.WITHHELD, "1", "4", "6"])
VALUES = st.recursive(
    SCALARS | NEAR,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["name", "kind", "design", "collection", "adequate", "en", "zz"]), inner)
    ),
    max_leaves=6,
)


def put(whole: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """The descriptor with another value at a field; what has to be above it is put there."""
    whole = node = copy.deepcopy(whole)
    *above, last = path.split(".")
    for name in above:
        key, many = name.removesuffix("[]"), name.endswith("[]")
        if not isinstance(node.get(key), list if many else dict) or not node[key]:
            node[key] = [{}] if many else {}
        if many and not isinstance(node[key][0], dict):
            node[key][0] = {}
        node = node[key][0] if many else node[key]
    node[last] = value
    return whole


@st.composite
def descriptors(draw: st.DrawFn) -> dict[str, Any]:
    whole = copy.deepcopy(GOOD)
    paths = [entry.path for entry in FIELDS if not entry.path.startswith("resources")]
    paths += ["citizenData.participation.design", "citizenData.zz", "citizenData.initiators[].zz"]
    for path in draw(st.lists(st.sampled_from([*paths, "citizenData.participation"]), min_size=1, max_size=5)):
        whole = put(whole, path, draw(VALUES))
    return whole


def leaves(value: Any, parts: Parts = ()) -> Iterator[tuple[Parts, Any]]:
    if isinstance(value, Mapping) and value:
        for key, part in value.items():
            yield from leaves(part, (*parts, key))
    elif isinstance(value, list) and value:
        for index, part in enumerate(value):
            yield from leaves(part, (*parts, index))
    else:
        yield parts, value


@given(descriptors() | st.dictionaries(st.sampled_from(["citizenData", "zz", "licenses", "resources"]), VALUES))
def test_nothing_is_lost_and_twice_is_once(value: dict[str, Any]) -> None:
    before = copy.deepcopy(value)
    expanded = expand(value)
    mended, places = mend(value)
    assert value == before
    assert (expand(expanded), in_full(expanded)[1]) == (expanded, ())
    assert mend(mended) == (mended, ())
    assert mend(expanded)[0] == mended
    for result, told in ((expanded, in_full(value)[1]), (mended, places)):
        after = dict(leaves(result))
        for parts, leaf in leaves(value):
            within = any(parts[: len(place)] == place for place, _ in told)
            was_open = not DESIGN_SET.isdisjoint(parts) and is_missing(leaf)
            if not within and not was_open:
                assert repr(after[parts]) == repr(leaf), parts


def findings(package: Package) -> list[Finding]:
    checks = (descriptor.check, participation.check, consent.check, safety.check)
    return [finding for check in checks for finding in check(package)]


def words(found: list[Finding]) -> list[tuple[str, str]]:
    return sorted((finding.code, str(finding.phrase())) for finding in found if finding.code != "CD142")


@given(descriptors())
def test_the_checks_find_in_a_short_form_what_they_find_in_full(value: dict[str, Any]) -> None:
    package = replace(load(BASE), descriptor=value)
    full = replace(package, descriptor=expand(value))
    found = findings(package)
    assert words(found) == words(findings(full))
    told = [finding.where.pointer for finding in found if finding.code == "CD142"]
    assert told == [f"/{'/'.join(map(str, parts))}" for parts, _ in in_full(value)[1]]
    assert not any(finding.code == "CD142" for finding in findings(full))
    assert package.answers == full.answers


def test_a_package_in_short_says_the_same_as_in_full() -> None:
    base = load(BASE)
    value = copy.deepcopy(GOOD)
    answers = value["citizenData"]
    answers["participation"] = {"design": 4} | {
        name: level.removeprefix("L") for name, level in answers["participation"].items() if name not in DESIGN
    }
    answers["initiativeType"] = (
        list(profile.load().codelists["CL_INITIATIVE_TYPE"].codes).index(answers["initiativeType"]) + 1
    )
    single = {key: part[0] for key, part in answers.items() if isinstance(part, list) and len(part) == 1}
    assert single
    short = replace(base, descriptor={**value, "citizenData": answers | single})
    full = replace(base, descriptor=put(GOOD, "citizenData.participation", short.answers["participation"]))
    decisions = [framework.decide(framework.read(package.answers)) for package in (short, full)]
    assert decisions[0] == decisions[1]
    told = [to_dataset(package, decisions[0], lambda _: ())[0].answers for package in (short, full)]
    assert told[0] == told[1]
    assert short.descriptor["citizenData"]["participation"]["design"] == 4, "what is stored stays as it is"


def test_what_is_wrong_within_a_short_form_is_told_where_it_stands() -> None:
    package = replace(load(BASE), descriptor=put(GOOD, "citizenData.collectionMode", "INTERVEW"))
    places = [(finding.code, finding.where.pointer) for finding in findings(package)]
    assert ("CD132", "/citizenData/collectionMode") in places
    assert ("CD142", "/citizenData/collectionMode") in places
