"""The check of the descriptor: each kind of wrong answer has its finding, and nothing makes it fail."""

import copy
import json
import string
import subprocess
import sys
from collections.abc import Iterator, Mapping
from importlib.resources import files
from pathlib import Path
from types import ModuleType
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdmeta import profile
from cdmeta.checks.descriptor import check
from cdmeta.finding import Finding
from cdmeta.package import Package, Resource, load

EXAMPLE = Path(str(files("cdmeta.examples"))) / "public-service-satisfaction" / "package"
Descriptor = dict[str, Any]
PARAMS = {
    "CD120": {"note"},
    "CD130": {"title", "question", "path"},
    "CD131": {"title", "question", "path", "because"},
    "CD132": {"value", "codelist", "near", "codes"},
    "CD133": {"path", "expected"},
    "CD134": {"path", "near"},
    "CD135": {"url"},
    "CD136": {"value"},
    "CD137": {"path", "reason"},
    "CD138": set(),
    "CD139": {"value"},
    "CD140": {"path", "value"},
    "CD141": {"path"},
    "CD142": {"path"},
    "CD144": {"path", "language", "others"},
}


class Judge(ModuleType):
    """Stands in for frictionless: says what it is told to say."""

    def __init__(self) -> None:
        super().__init__("cdmeta.tables.conformance")
        self.problems: list[tuple[str, str]] = []
        self.seen: list[Mapping[str, Any]] = []

    def metadata_problems(self, descriptor: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        self.seen.append(descriptor)
        yield from self.problems


@pytest.fixture(autouse=True)
def judge(monkeypatch: pytest.MonkeyPatch) -> Judge:
    stand_in = Judge()
    monkeypatch.setitem(sys.modules, "cdmeta.tables.conformance", stand_in)
    return stand_in


def good() -> Descriptor:
    """The descriptor of the first example."""
    value: Descriptor = json.loads((EXAMPLE / "datapackage.json").read_bytes())
    return value


def package_of(descriptor: Any) -> Package:
    """A package in memory; its resources as the loader gives them."""
    listed = descriptor.get("resources") if isinstance(descriptor, dict) else None
    resources = []
    for index, raw in enumerate(listed if isinstance(listed, list) else []):
        if isinstance(raw, dict):
            schema = raw.get("schema")
            resources.append(
                Resource(index, f"#{index}", raw, (), schema if isinstance(schema, dict) else None, None)
            )
    return Package("p", Path("p"), b"{}", descriptor, tuple(resources), (), (), ())


def found(descriptor: Any) -> list[Finding]:
    return list(check(package_of(descriptor)))


def short(findings: list[Finding]) -> list[tuple[str, str | None]]:
    return [(finding.code, finding.where.pointer) for finding in findings]


def change(path: str, value: Any) -> Descriptor:
    """The good descriptor with another value at a path; `...` takes it out."""
    descriptor = good()
    *above, last = [int(part) if part.isdigit() else part for part in path.split("/")]
    node: Any = descriptor
    for part in above:
        node = node[part]
    if value is ...:
        del node[last]
    else:
        node[last] = value
    return descriptor


# --- the good ones


@pytest.mark.parametrize("folder", sorted(EXAMPLE.parent.parent.glob("*/package")), ids=lambda p: p.parent.name)
def test_an_example_that_shall_be_valid_gives_no_finding(folder: Path) -> None:
    if folder.parent.name in ("broken", "services-survey-draft"):
        return
    assert [finding.code for finding in check(load(folder)) if finding.code != "CD141"] == []


def test_the_minimum_of_the_core_is_enough() -> None:
    """Only core answers, none of which calls for a conditional one."""
    own = good()["citizenData"]
    core = {
        path.split(".")[1].removesuffix("[]")
        for path, entry in profile.load().fields.items()
        if entry.tier == "core" and path.startswith("citizenData.")
    }
    own = {key: value for key, value in own.items() if key in core}
    own |= {
        "initiativeType": "CIVIC_ACTION",
        "initiators": [{"name": "A", "kind": "COMMUNITY"}],
        "personalDataCollected": "NONE",
        "consentBasis": ["NO_PERSONAL_DATA"],
    }
    assert found(good() | {"citizenData": own}) == []


def test_nothing_is_changed_by_checking() -> None:
    descriptor = change("citizenData/purpose", "?")
    before = copy.deepcopy(descriptor)
    found(descriptor)
    assert descriptor == before


# --- missing


CORE = [path for path, entry in profile.load().fields.items() if entry.tier == "core"]


@pytest.mark.parametrize("path", CORE)
@pytest.mark.parametrize("empty", [..., None, "", " ", "?", [], {}, ["?"], {"en": "?"}])
def test_a_missing_core_answer_is_one_finding(path: str, empty: Any) -> None:
    place = path.replace("[]", ".0").replace(".", "/")
    code = "CD135" if path == "citizenData.profile" else "CD130"
    told_by_consent = path == "citizenData.consentBasis"
    assert short(found(change(place, empty))) == ([] if told_by_consent else [(code, f"/{place}")])


def test_a_word_taken_for_a_placeholder_is_told_because_it_may_be_a_name() -> None:
    def told(value: Any) -> str:
        (finding,) = found(change("citizenData/geography", value))
        return finding.message()

    reason = (
        '"Pendiente" stands there, and is taken for an open question; if it is the answer, write more than that.'
    )
    assert told(["Pendiente"]).endswith(f" {reason}")
    assert "stands there" not in told(["?"])


@pytest.mark.parametrize(
    ("place", "value", "code", "at"),
    [
        ("citizenData/initiators/0/name", {"en": "WITHHELD_SAFETY", "fr": "Ama (made up)"}, "CD133", ""),
        ("citizenData/initiators/0", {"name": "WITHHELD_SAFETY", "name@fr": "Ama (made up)", "kind": "COMMUNITY"},
         "CD133", "citizenData/initiators/0/name"),
        ("contributors/0", {"title": "WITHHELD_SAFETY", "title@fr": "Ama (made up)", "email": "a@example.org"},
         "CD133", "contributors/0/title"),
        ("citizenData/initiators/0/name", {"en": "WITHHELD_SAFETY", "fr": "WITHHELD_SAFETY"}, "CD141", ""),
        ("citizenData/initiators/0/name", {"en": "WITHHELD_SAFETY", "fr": "?"}, "CD141", ""),
    ],
)  # fmt: skip
def test_what_is_withheld_is_told_in_no_language(place: str, value: Any, code: str, at: str) -> None:
    findings = [entry for entry in found(change(place, value)) if entry.code in ("CD133", "CD141")]
    assert short(findings) == [(code, f"/{at or place}")]
    assert "Ama" not in findings[0].message()


@pytest.mark.parametrize(("personal", "asked"), [("NONE", True), ("?", True), ("ORDINARY", False), ("_U", False)])
def test_a_missing_basis_is_told_once(personal: str, asked: bool) -> None:
    """Where personal data were collected, rule C01 of consent tells it."""
    descriptor = change("citizenData/consentBasis", ...)
    descriptor["citizenData"]["personalDataCollected"] = personal
    assert (("CD130", "/citizenData/consentBasis") in short(found(descriptor))) == asked


def test_an_empty_package_lacks_the_core_and_nothing_else() -> None:
    """Each answer once, in the order of the profile; the parts of a list that is missing are not asked for."""
    expected = [
        ("CD135" if path == "citizenData.profile" else "CD130", "/" + path.replace(".", "/"))
        for path in CORE
        if "[]" not in path
    ]
    assert short(found({})) == expected


def conditions() -> Iterator[tuple[str, dict[str, Any], bool]]:
    """A conditional field, answers, and whether they call for it."""
    yield "partners", {"initiativeType": "CIVIC_DRIVEN"}, True
    yield "partners", {"initiativeType": "OTHER_DRIVEN"}, True
    yield "partners", {"initiativeType": "JOINT"}, False
    yield "partners", {"initiativeType": "CIVIC_ACTION"}, False
    yield "partners", {"initiativeType": "NO_COLLAB"}, False
    civic = {"initiativeType": "CIVIC_ACTION", "partners": None}
    small, large = {"name": "A", "kind": "CSO_COMMUNITY"}, {"name": "B", "kind": "CSO_LARGE"}
    people, office = {"name": "C", "kind": "CITIZENS"}, {"name": "D", "kind": "NSO"}
    yield "directInvolvement", civic | {"initiators": [small]}, True
    yield "directInvolvement", civic | {"initiators": [small, people]}, False
    yield "directInvolvement", civic | {"initiators": [people]}, False
    yield "directInvolvement", civic | {"initiativeType": "JOINT", "initiators": [small, office]}, True
    yield "directInvolvement", {"partners": [small]}, True
    yield "directInvolvement", {"partners": [small, people]}, False
    yield "directInvolvement", {"partners": [office]}, False
    yield "representation", civic | {"initiators": [large, small], "directInvolvement": True}, True
    yield "representation", civic | {"initiators": [small], "directInvolvement": True}, False
    yield "representation", {"partners": [large]}, True
    yield "representation", {"partners": [large, people]}, False
    for name in ("regularOfficial", "mainPurposeResponse"):
        yield name, {"initiators": [office]}, True
        yield name, {"initiators": [people], "partners": [{"name": "E", "kind": "STATE_AGENCY"}, people]}, True
        yield name, {"initiators": [people], "partners": [people]}, False
    for name in ("consentInformed", "consentWithdrawal"):
        yield name, {"consentBasis": ["PUBLIC_RECORD", "CONSENT_IMPLIED"]}, True
        yield name, {"consentBasis": ["CONTRIBUTOR_TERMS"]}, False
    for code, asked in (("CONTRIBUTORS", True), ("ORDINARY", True), ("_U", True), ("NONE", False)):
        yield "minors", {"personalDataCollected": code}, asked


@pytest.mark.parametrize(("name", "answers", "asked"), list(conditions()))
def test_a_conditional_answer_is_asked_for_where_it_is_needed(
    name: str, answers: dict[str, Any], asked: bool
) -> None:
    descriptor = good()
    descriptor["citizenData"] |= answers
    descriptor["citizenData"].pop(name, None)
    expected = [("CD131", f"/citizenData/{name}")] if asked else []
    assert [pair for pair in short(found(descriptor)) if pair[1] == f"/citizenData/{name}"] == expected


def test_a_conditional_answer_says_why_it_is_asked_for() -> None:
    (finding,) = found(change("citizenData/minors", "?"))
    assert finding.spoken()["because"] == "data about people were collected"
    assert "It is asked because data about people were collected." in finding.message()


@pytest.mark.parametrize("name", ["jurisdiction", "legalBasisNote"])
def test_what_the_consent_rules_ask_for_is_not_asked_for_twice(name: str) -> None:
    descriptor = change("citizenData/consentBasis", ["CONSENT_EXPLICIT", "STAT_LAW"])
    descriptor["citizenData"].pop(name, None)
    assert found(descriptor) == []


def test_the_parts_of_a_partner_are_asked_for_where_a_partner_is_listed() -> None:
    assert short(found(change("citizenData/partners/1", {"role": "Advice"}))) == [
        ("CD131", "/citizenData/partners/1/name"),
        ("CD131", "/citizenData/partners/1/kind"),
    ]


# --- wrong


@pytest.mark.parametrize(
    ("place", "value", "code", "at"),
    [
        ("name", "Has Space", "CD133", ""),
        ("name", 7, "CD133", ""),
        ("title", {"en": "x"}, "", ""),
        ("title", 7, "CD133", ""),
        ("title@e_n", "x", "CD136", ""),
        ("version", "1.0", "CD139", ""),
        ("version", 1.0, "CD139", ""),
        ("version", "1.0.0\n", "CD139", ""),
        ("version", "01.0.0", "CD139", ""),
        ("licenses", "CC-BY-4.0", "CD133", ""),
        ("licenses/0", "CC-BY-4.0", "CD133", ""),
        ("licenses/0/path", "two words", "CD133", ""),
        ("contributors/0", {"title": "A"}, "CD138", "contributors"),
        ("contributors/0", {"title": "A", "path": "nobody"}, "CD138", "contributors"),
        ("contributors/0", {"title": "A", "path": "https://"}, "CD138", "contributors"),
        ("contributors/0", {"title": "A", "path": "https://example.org/ask"}, "", ""),
        ("contributors/0/email", "nobody", "CD133", ""),
        ("contributors/0/roles", "publisher", "CD133", ""),
        ("citizenData", ["a"], "CD133", ""),
        ("citizenData/participation", "L4", "CD142", ""),
        ("citizenData/profile", "https://example.org/profile.json", "CD135", ""),
        ("citizenData/language", "english words", "CD136", ""),
        ("citizenData/language", ["en"], "CD136", ""),
        ("citizenData/languages", ["en", "e_n"], "CD136", "citizenData/languages/1"),
        ("citizenData/languages", ["en", 7], "CD133", "citizenData/languages/1"),
        ("citizenData/purpose", {"en": "a", "e_n": "b"}, "CD136", ""),
        ("citizenData/purpose@fr", "b", "", ""),
        ("citizenData/purpose", {"en": 7}, "CD133", ""),
        ("citizenData/purpose", ["a"], "CD133", ""),
        ("citizenData/initiativeType", "NSO", "CD132", ""),
        ("citizenData/initiativeType", 4, "CD142", ""),
        ("citizenData/initiativeType", 7, "CD132", ""),
        ("citizenData/initiativeType", True, "CD133", ""),
        ("citizenData/initiativeType", ["JOINT"], "CD133", ""),
        ("citizenData/participation/collection", "4", "CD142", ""),
        ("citizenData/participation/collection", "l4", "CD132", ""),
        ("citizenData/participation/collection", "_Z", "CD133", ""),
        ("citizenData/participation/designPartnerships", "_Z", "", ""),
        ("citizenData/participation/review", "_Z", "", ""),
        ("citizenData/collectionMode", "WEB", "CD142", ""),
        ("citizenData/collectionMode", ["WEB", "?"], "", ""),
        ("citizenData/collectionMode", ["WEB", "web"], "CD132", "citizenData/collectionMode/1"),
        ("citizenData/collectionMode", ["WEB", "PHONE", "WEB"], "CD140", ""),
        ("citizenData/geography", ["KE", "KE"], "CD140", ""),
        ("citizenData/geography", "KE", "CD142", ""),
        ("citizenData/initiators", {"name": "A", "kind": "NSO"}, "CD142", ""),
        ("citizenData/initiators/0", "A", "CD133", ""),
        ("citizenData/initiators/0/kind", "OFFICE", "CD132", ""),
        ("citizenData/directInvolvement", "true", "CD133", ""),
        ("citizenData/achievedCount", "4212", "CD133", ""),
        ("citizenData/achievedCount", 4212.0, "CD133", ""),
        ("citizenData/achievedCount", -1, "CD133", ""),
        ("citizenData/achievedCount", 0, "", ""),
        ("citizenData/achievedCount", True, "CD133", ""),
        ("citizenData/metadataUpdated", "2026-02-30", "CD133", ""),
        ("citizenData/metadataUpdated", "15.1.2026", "CD133", ""),
        ("citizenData/frequency", "yearly", "CD133", ""),
        ("citizenData/frequency", "A", "", ""),
        ("citizenData/colection", "x", "CD134", ""),
        ("citizenData/participation/design", "L4", "CD134", ""),
        ("citizenData/partners/0/part", "x", "CD134", ""),
        ("citizenData/collectionPeriod/until", "2026", "CD134", ""),
        ("sdmx/agency", "1X", "CD133", ""),
        ("resources/0/schema/fields/0/sdmx/role", "key", "CD133", ""),
        ("resources/0/schema/fields/0/sdmx", "REF_AREA", "CD133", ""),
        ("resources/0/schema/fields/0/sdmx/concept", "REF_AREA", "CD133", ""),
        ("resources/0/schema/fields/0/sdmx/id", "1A", "CD133", ""),
        ("resources/0/schema/fields/1/citizenData/disclosureRole", "QUASI", "CD132", ""),
        ("resources/0/schema/fields/1/citizenData/declineOption", "yes", "CD133", ""),
        ("resources/0/schema/fields/1/citizenData/role", "QUASI_ID", "CD134", ""),
    ],
)
def test_a_wrong_answer_is_one_finding(place: str, value: Any, code: str, at: str) -> None:
    expected = [(code, f"/{at or place}")] if code else []
    assert short(found(change(place, value))) == expected


@pytest.mark.parametrize(
    ("path", "value", "near"),
    [
        ("citizenData/initiativeType", "nso driven", "NSO_DRIVEN"),
        ("citizenData/participation/collection", "Partnership", "L4"),
        ("citizenData/consentBasis/0", "CONSENT_EXPLICT", "CONSENT_EXPLICIT"),
        ("citizenData/accessRights", "zzzz", ""),
        ("citizenData/collectortype", "x", "collectorType"),
        ("citizenData/participation/colection", "x", "collection"),
    ],
)
def test_what_was_meant_is_guessed(path: str, value: Any, near: str) -> None:
    assert [finding.params["near"] for finding in found(change(path, value))] == [near]


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("2025", "kind"),
        (2025, "kind"),
        (["2025-01-01", "2025-01-02"], "kind"),
        ({"start": "2025-01-01"}, "no-end"),
        ({"start": "?", "end": "2025-01-01"}, "no-start"),
        ({"start": "2025", "end": "2025-01-01"}, "start"),
        ({"start": "2025-01-01", "end": "2025-02-30"}, "end"),
        ({"start": 20250101, "end": 7}, "start"),
        ({"start": "2025-01-02", "end": "2025-01-01"}, "order"),
        ({"start": "2025-01-01", "end": "2025-01-01"}, ""),
    ],
)
@pytest.mark.parametrize("name", ["collectionPeriod", "referencePeriod"])
def test_a_period_has_two_days_in_order(name: str, value: Any, reason: str) -> None:
    findings = found(change(f"citizenData/{name}", value))
    assert short(findings) == ([("CD137", f"/citizenData/{name}")] if reason else [])
    for finding in findings:
        assert finding.params["reason"] == f"period-{reason}"
        assert f"reason.period-{reason}" in profile.texts()


@pytest.mark.parametrize(
    ("place", "value", "code"),
    [
        ("citizenData/initiators/0/name", "WITHHELD_SAFETY", "CD141"),
        ("citizenData/partners/1/name", {"en": "WITHHELD_SAFETY"}, "CD141"),
        ("citizenData/geography", ["KE", "WITHHELD_SAFETY"], "CD141"),
        ("citizenData/collectionPeriod", "WITHHELD_SAFETY", "CD141"),
        ("contributors/0/title", "WITHHELD_SAFETY", "CD141"),
        ("citizenData/funding", [{"name": "WITHHELD_SAFETY"}], "CD141"),
        ("citizenData/limitations", "WITHHELD_SAFETY", "CD133"),
        ("citizenData/methodology", {"en": "WITHHELD_SAFETY"}, "CD133"),
        ("citizenData/accessRights", "WITHHELD_SAFETY", "CD132"),
        ("citizenData/metadataUpdated", "WITHHELD_SAFETY", "CD133"),
    ],
)
def test_what_may_be_withheld_and_what_may_not(place: str, value: Any, code: str) -> None:
    at = f"{place}/0/name" if place.endswith("funding") else place
    assert short(found(change(place, value))) == [(code, f"/{at}")]


def test_findings_stand_in_the_order_of_the_fields() -> None:
    descriptor = change("citizenData/accessRights", "x")
    descriptor["title"] = "?"
    descriptor["citizenData"] |= {"purpose": "?", "collectionPeriod": "x", "zz": 1, "geography": ["A", "A"]}
    descriptor["citizenData"]["initiators"] = [{"kind": "NSO"}] * 11
    findings = short(found(descriptor))
    names = [f"/citizenData/initiators/{index}/name" for index in range(11)]
    assert [pointer for _, pointer in findings] == [
        "/title", *names, "/citizenData/purpose", "/citizenData/geography", "/citizenData/collectionPeriod",
        "/citizenData/accessRights", "/citizenData/zz",
    ]  # fmt: skip


def test_a_pointer_escapes_what_has_a_meaning_there() -> None:
    assert short(found(change("citizenData/x", 1) | change("citizenData/a~b", 1))) == [
        ("CD134", "/citizenData/a~0b")
    ]
    assert short(found(good() | {"citizenData": good()["citizenData"] | {"a/b": 1}})) == [
        ("CD134", "/citizenData/a~1b")
    ]


def test_the_schema_of_a_table_in_a_file_of_its_own_is_looked_at(tmp_path: Path) -> None:
    descriptor = good()
    schema = descriptor["resources"][0]["schema"]
    schema["fields"][1]["citizenData"]["disclosureRole"] = "QUASI"
    schema["fields"][0]["citizenData"] = {"disclosurerole": "NONE"}
    descriptor["resources"][0]["schema"] = "schema.json"
    (tmp_path / "data").mkdir()
    for file in ("data/regions.csv", "data/satisfaction.csv"):
        (tmp_path / file).write_bytes((EXAMPLE / file).read_bytes())
    (tmp_path / "schema.json").write_text(json.dumps(schema), encoding="utf-8")
    (tmp_path / "datapackage.json").write_text(json.dumps(descriptor), encoding="utf-8")
    assert [(f.code, f.where.file, f.where.pointer, f.where.resource) for f in check(load(tmp_path))] == [
        ("CD132", "schema.json", "/fields/1/citizenData/disclosureRole", "satisfaction"),
        ("CD134", "schema.json", "/fields/0/citizenData/disclosurerole", "satisfaction"),
    ]


# --- the standard


def test_the_judge_of_the_standard_is_heard(judge: Judge) -> None:
    judge.problems = [("/resources/0/name", "The name has a space."), ("", "Something is wrong.")]
    descriptor = good()
    findings = found(descriptor)
    assert short(findings) == [("CD120", "/resources/0/name"), ("CD120", "")]
    assert [finding.message() for finding in findings] == ["The name has a space.", "Something is wrong."]
    assert judge.seen == [descriptor]


@pytest.mark.parametrize("pointer", ["/licenses", "/licenses/0/path"])
def test_what_is_told_already_is_not_told_again(judge: Judge, pointer: str) -> None:
    judge.problems = [(pointer, "The licence has no address.")]
    assert short(found(change("licenses/0/path", "two words"))) == [("CD133", "/licenses/0/path")]
    assert short(found(good())) == [("CD120", pointer)]


def test_a_finding_on_a_column_hides_nothing_else_of_the_resource(judge: Judge) -> None:
    judge.problems = [("/resources", "There are none."), ("/resources/0/schema", "It is wrong.")]
    findings = short(found(change("resources/0/schema/fields/0/sdmx/role", "key")))
    assert findings[1:] == [("CD120", "/resources"), ("CD120", "/resources/0/schema")]


# --- whatever the descriptor is

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=8)
    | st.sampled_from(["?", "WITHHELD_SAFETY", "L4", "en", "2025-01-01", "1.0.0", "x@y", "CSO_LARGE"])
)
NAMES = sorted(
    {part.removesuffix("[]") for path in profile.load().fields for part in path.split(".")}
    | {
        "start",
        "end",
        "sdmx",
        "agency",
        "resources",
        "schema",
        "fields",
        "role",
        "title@fr",
        "title@",
        "purpose@x",
    }
)
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=5), inner, max_size=5)
    ),
    max_leaves=20,
)


def renders(findings: list[Finding]) -> None:
    """Every finding can be told, has all its params, and stands at a place of its own.

    What is within a short form has no place of its own in the file, and is told where the short form stands.
    """
    for finding in findings:
        assert finding.code in PARAMS
        assert set(finding.params) == PARAMS[finding.code]
        assert finding.message()
        assert finding.remedy()
        assert finding.severity() in ("error", "warning", "info")
        json.dumps(finding.spoken())
    in_short = {pointer for code, pointer in short(findings) if code == "CD142"}
    placed = [pointer for _, pointer in short(findings) if pointer not in in_short]
    assert len(placed) == len(set(placed))


@given(st.dictionaries(st.sampled_from(NAMES), ANYTHING, max_size=6))
def test_no_descriptor_makes_the_check_fail(descriptor: Descriptor) -> None:
    renders(found(descriptor))


def places(value: Any, parts: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    yield parts
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in steps:
        yield from places(part, (*parts, key))


PLACES = [parts for parts in places(good()) if parts]


def takes(node: Any, part: str | int) -> bool:
    return part in (node if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else ())


@given(st.lists(st.tuples(st.sampled_from(PLACES), ANYTHING), min_size=1, max_size=3))
def test_no_value_at_any_place_makes_the_check_fail(
    changes: list[tuple[tuple[str | int, ...], Any]],
) -> None:
    descriptor = good()
    for (*above, last), value in changes:
        node: Any = descriptor
        for part in above:
            node = node[part] if takes(node, part) else None
        if isinstance(node, dict) or takes(node, last):
            node[last] = value
    renders(found(descriptor))


def test_params_are_those_of_the_rules() -> None:
    for code, params in PARAMS.items():
        rule = profile.load().rules[code]
        blanks = {
            name for words in (rule.message, rule.remedy) for _, name, _, _ in string.Formatter().parse(words)
        }
        assert blanks - {None} <= params, code


def test_all_words_that_are_filled_in_are_there() -> None:
    texts = profile.texts()
    for entry in profile.load().fields.values():
        if entry.type != "period":
            assert f"expected.{entry.type}" in texts


def test_jsonschema_is_imported_only_when_it_is_used() -> None:
    script = (
        "import sys, cdmeta.checks.descriptor; sys.exit(bool({'jsonschema', 'frictionless'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


@pytest.mark.parametrize("path", ["", *CORE])
def test_a_stock_validator_agrees_on_the_core(path: str) -> None:
    """Whoever takes only the schema gets the same verdict on what is there and what is not."""
    definitions = json.loads(profile.schema_bytes())["definitions"]
    stock = jsonschema.Draft7Validator({"$ref": "#/definitions/package", "definitions": definitions})
    descriptor = change(path.replace("[]", ".0").replace(".", "/"), ...) if path else good()
    assert stock.is_valid(descriptor) == (not path)
