"""Consent: each rule raised by one descriptor, and not by its mended twin."""

import json
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdmeta import profile
from cdmeta.checks import consent, release
from cdmeta.finding import Finding
from cdmeta.package import load

PLAIN: dict[str, Any] = {
    "personalDataCollected": "ORDINARY",
    "consentBasis": ["CONSENT_EXPRESSED"],
    "consentInformed": "YES",
    "consentWithdrawal": "ANYTIME",
    "consentScope": ["ANALYSE", "SHARE_NSO", "PUBLISH_AGG", "PUBLISH_MICRO"],
    "minors": "NO",
    "jurisdiction": ["XX"],
    "releaseForm": "AGGREGATE",
    "initiators": [{"name": "A", "kind": "COMMUNITY"}],
}
RULES = consent.RULES + release.RULES
BY_LAW: dict[str, Any] = {
    "legalBasisNote": "Statistics Act of Exampleland (made up), section 4",
    "partners": [{"name": "B", "kind": "NSO"}],
}
SENSITIVE: dict[str, Any] = {"personalDataCollected": "SENSITIVE"}
MATURE: dict[str, Any] = {"consentBasis": ["MATURE_MINOR"], "ethicsReview": "APPROVED"}
PSEUDONYMS: dict[str, Any] = {"releaseForm": "PSEUDONYMISED_MICRO"}
RECORDS: dict[str, Any] = {"releaseForm": "ANON_MICRO"}
PEOPLE: dict[str, Any] = {"populationGroups": ["INDIGENOUS"]}
UNIVERSITY: dict[str, Any] = BY_LAW | {"partners": [{"name": "C", "kind": "ACADEMIA"}]}
LAW_ONLY: dict[str, Any] = {"ethicsReview": "EXEMPT", "legalBasisNote": "Health Act of Exampleland (made up)"}


def found(changes: dict[str, Any]) -> list[Finding]:
    answers = {key: value for key, value in (PLAIN | changes).items() if value != "absent"}
    state = consent.read(answers)
    return [finding for rule in RULES for finding in rule(state)]


def codes(changes: dict[str, Any]) -> list[str]:
    return [finding.code for finding in found(changes)]


def errors(changes: dict[str, Any]) -> set[str]:
    return {finding.code for finding in found(changes) if finding.severity("official") == "error"}


def test_the_plain_case_is_clean() -> None:
    assert codes({}) == []


RAISED_AND_MENDED: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    # C01
    ("CD301", {"consentBasis": "absent"}, {}),
    ("CD301", {"consentBasis": []}, {"personalDataCollected": "NONE", "consentBasis": []}),
    ("CD301", {"consentBasis": ["?"]}, {"consentBasis": ["CONSENT_EXPLICIT"]}),
    ("CD301", {"consentBasis": ["NONE"]}, {"consentBasis": ["CONSENT_IMPLIED"]}),
    ("CD301", {"consentBasis": ["_U"]}, {"consentBasis": ["CONSENT_COMMUNITY"]}),
    ("CD301", {"consentBasis": [], "personalDataCollected": "CONTRIBUTORS"},
     {"consentBasis": ["CONTRIBUTOR_TERMS"], "personalDataCollected": "CONTRIBUTORS"}),
    ("CD301", {"consentBasis": [], "personalDataCollected": "_U"},
     {"consentBasis": [], "personalDataCollected": "absent"}),
    # C02 and its converse
    ("CD302", {"consentBasis": ["NO_PERSONAL_DATA"]},
     {"consentBasis": ["NO_PERSONAL_DATA"], "personalDataCollected": "NONE"}),
    ("CD302", {"consentBasis": ["NO_PERSONAL_DATA"], "personalDataCollected": "_U"},
     {"consentBasis": ["NO_PERSONAL_DATA"], "personalDataCollected": "?"}),
    ("CD322", {"personalDataCollected": "NONE"},
     {"personalDataCollected": "NONE", "consentBasis": ["NO_PERSONAL_DATA"]}),
    # C03
    ("CD303", {"consentBasis": ["CONSENT_EXPRESSED", "_U"]}, {"consentBasis": ["CONSENT_EXPRESSED"]}),
    ("CD303", {"consentBasis": ["NONE", "CONSENT_EXPRESSED"]},
     {"consentBasis": ["CONSENT_EXPRESSED", "CONSENT_COMMUNITY"]}),
    ("CD303", {"consentBasis": ["NO_PERSONAL_DATA", "CONTRIBUTOR_TERMS"], "personalDataCollected": "NONE"},
     {"consentBasis": ["NO_PERSONAL_DATA", "NO_PERSONAL_DATA"], "personalDataCollected": "NONE"}),
    # C04
    ("CD304", SENSITIVE, SENSITIVE | {"consentBasis": ["CONSENT_EXPLICIT"]}),
    ("CD304", SENSITIVE | {"consentBasis": ["CONSENT_COMMUNITY"]},
     SENSITIVE | {"consentBasis": ["CONSENT_COMMUNITY", "CONSENT_GUARDIAN"]}),
    ("CD304", SENSITIVE | BY_LAW | {"consentBasis": ["LEGAL_OBLIGATION"]},
     SENSITIVE | BY_LAW | {"consentBasis": ["STAT_LAW"]}),
    ("CD304", SENSITIVE | BY_LAW | {"consentBasis": ["LEGIT_INTEREST"]},
     SENSITIVE | BY_LAW | {"consentBasis": ["PUBLIC_INTEREST"]}),
    ("CD304", SENSITIVE | {"consentBasis": ["VITAL_INTEREST"]},
     SENSITIVE | {"consentBasis": ["VITAL_INTEREST"], "consentNote": {"en": "They were unconscious."}}),
    ("CD304", SENSITIVE | {"consentBasis": ["VITAL_INTEREST"], "consentNote": {"en": "?"}}, {}),
    # C05
    ("CD305", {"releaseForm": "IDENTIFIABLE"}, {"releaseForm": "PSEUDONYMISED_MICRO"}),
    # C09
    ("CD309", {"minors": "YES"}, {"minors": "YES", "consentBasis": ["CONSENT_GUARDIAN", "CONSENT_ASSENT"]}),
    ("CD309", {"minors": "YES", "consentBasis": ["CONSENT_ASSENT"]}, {"minors": "_Z"}),
    ("CD309", {"minors": "YES"} | MATURE | {"ethicsReview": "SELF_ASSESSED"}, {"minors": "YES"} | MATURE),
    ("CD309", {"minors": "YES"} | MATURE | {"ethicsReview": "EXEMPT"}, {"minors": "YES"} | MATURE | LAW_ONLY),
    ("CD309", {"minors": "YES"} | BY_LAW | {"consentBasis": ["STAT_LAW"]},
     {"minors": "YES"} | BY_LAW | {"consentBasis": ["STAT_LAW", "CONSENT_ASSENT"]}),
    ("CD309", {"minors": "YES"} | BY_LAW | {"consentBasis": ["PUBLIC_INTEREST", "CONSENT_ASSENT"]}, {}),
    ("CD309", {"consentBasis": ["CONSENT_ASSENT"]}, {"consentBasis": ["CONSENT_ASSENT", "CONSENT_GUARDIAN"]}),
    ("CD309", MATURE | {"minors": "_U", "ethicsReview": "absent"}, MATURE | {"minors": "_U"}),
    ("CD323", {"minors": "_U"}, {"minors": "absent"}),
    ("CD323", {"minors": "_U", "personalDataCollected": "_U"},
     {"minors": "_U", "personalDataCollected": "NONE", "consentBasis": ["NO_PERSONAL_DATA"]}),
    # C20
    *(("CD320", BY_LAW | {"consentBasis": [law], "legalBasisNote": "?"}, BY_LAW | {"consentBasis": [law]})
      for law in ("STAT_LAW", "PUBLIC_INTEREST", "LEGAL_OBLIGATION")),
    ("CD320", BY_LAW | {"consentBasis": ["CONSENT_EXPRESSED", "STAT_LAW"], "partners": []},
     BY_LAW | {"consentBasis": ["LEGIT_INTEREST"], "partners": []}),
    ("CD320", BY_LAW | {"consentBasis": ["PUBLIC_INTEREST"], "partners": [{"kind": "NHRI"}]},
     BY_LAW | {"consentBasis": ["PUBLIC_INTEREST"], "partners": [{"kind": "ACADEMIA"}]}),
    ("CD320", BY_LAW | {"consentBasis": ["STAT_LAW"], "partners": "NSO"},
     BY_LAW | {"consentBasis": ["STAT_LAW"], "partners": [], "initiators": [3, {"kind": "STATE_AGENCY"}]}),
    # C21
    ("CD321", {"jurisdiction": []}, {"jurisdiction": ["KE"]}),
    ("CD321", {"jurisdiction": "?"}, {"jurisdiction": [], "personalDataCollected": "NONE",
                                      "consentBasis": ["NO_PERSONAL_DATA"]}),
    ("CD321", {"jurisdiction": "absent", "personalDataCollected": "_U"},
     {"jurisdiction": "absent", "personalDataCollected": "absent"}),
    ("CD327", {"jurisdiction": ["Kenya"]}, {"jurisdiction": ["KE", "CO-ANT"]}),
    ("CD327", {"jurisdiction": ["KE", "ke"]}, {"jurisdiction": ["WITHHELD_SAFETY"]}),
    # C06
    ("CD306", PSEUDONYMS | {"accessRights": "OPEN"}, PSEUDONYMS | {"accessRights": "ON_REQUEST"}),
    ("CD306", PSEUDONYMS | {"accessRights": "REGISTERED"}, PSEUDONYMS | {"accessRights": "RESTRICTED"}),
    ("CD306", PSEUDONYMS | {"accessRights": "OPEN"}, {"releaseForm": "ANON_MICRO", "accessRights": "OPEN"}),
    # C07
    ("CD307", {"consentInformed": "NO"}, {"consentInformed": "YES"}),
    ("CD307", {"consentInformed": "NO", "consentBasis": ["CONSENT_COMMUNITY"]},
     {"consentInformed": "NO", "consentBasis": ["LEGIT_INTEREST"]}),
    ("CD324", {"consentInformed": "PARTIAL"}, {"consentInformed": "absent"}),
    ("CD324", {"consentInformed": "_U"}, {"consentInformed": "_Z", "consentBasis": ["LEGIT_INTEREST"]}),
    ("CD324", {"consentInformed": "_Z"}, {"consentInformed": ["PARTIAL"]}),
    # C08
    ("CD308", {"consentWithdrawal": "NOT_POSSIBLE"}, {"consentWithdrawal": "BEFORE_ANON"}),
    ("CD308", {"consentWithdrawal": "_U"}, {"consentWithdrawal": "_U", "consentBasis": ["PUBLIC_RECORD"]}),
    ("CD308", {"consentWithdrawal": "_Z"},
     {"consentWithdrawal": "_U", "personalDataCollected": "NONE", "consentBasis": ["NO_PERSONAL_DATA"]}),
    # C10
    ("CD310", {"consentBasis": ["LEGIT_INTEREST"]},
     {"consentBasis": ["LEGIT_INTEREST"], "consentNote": "A notice."}),
    ("CD310", BY_LAW | {"consentBasis": ["STAT_LAW", "PUBLIC_RECORD"]},
     BY_LAW | {"consentBasis": ["STAT_LAW", "CONSENT_EXPRESSED"]}),
    ("CD310", {"consentBasis": ["CONTRIBUTOR_TERMS", "LEGIT_INTEREST"]},
     {"consentBasis": ["CONTRIBUTOR_TERMS", "LEGIT_INTEREST"], "personalDataCollected": "CONTRIBUTORS"}),
    ("CD310", {"consentBasis": ["LEGIT_INTEREST"], "consentNote": "tbd"}, {"consentBasis": ["PUBLIC_RECORD"]}),
    # C11
    *(("CD311", UNIVERSITY | {"initiativeType": kind, "consentBasis": ["STAT_LAW"]},
       BY_LAW | {"initiativeType": kind, "consentBasis": ["STAT_LAW"]}) for kind in ("CIVIC_ACTION",
     "CIVIC_DRIVEN")),
    ("CD311", UNIVERSITY | {"initiativeType": "CIVIC_DRIVEN", "consentBasis": ["STAT_LAW"]},
     UNIVERSITY | {"initiativeType": "OTHER_DRIVEN", "consentBasis": ["STAT_LAW"]}),
    # C12
    ("CD312", {"consentScope": ["ANALYSE", "SHARE_NSO"]}, {"consentScope": ["REUSE_ANY"]}),
    ("CD312", {"consentScope": ["PUBLISH_AGG"], "releaseForm": "ANON_MICRO"},
     {"consentScope": ["PUBLISH_MICRO"], "releaseForm": "ANON_MICRO"}),
    ("CD312", {"consentScope": ["REUSE_ANY"], "releaseForm": "ANON_MICRO"},
     {"consentScope": ["ANALYSE"], "releaseForm": "METADATA_ONLY"}),
    ("CD312", {"consentScope": ["PUBLISH_AGG"]} | PSEUDONYMS, {"consentScope": ["SHARE_NSO"]} | PSEUDONYMS),
    ("CD312", {"consentScope": ["SHARE_NSO"]},
     {"consentScope": ["SHARE_NSO"], "personalDataCollected": "NONE", "consentBasis": ["NO_PERSONAL_DATA"]}),
    ("CD325", {"consentScope": ["SHARE_PARTNERS"]} | PSEUDONYMS,
     {"consentScope": ["SHARE_PARTNERS", "SHARE_NSO"]} | PSEUDONYMS),
    ("CD325", {"consentScope": ["REUSE_RESEARCH"]} | PSEUDONYMS,
     {"consentScope": ["ANALYSE"], "releaseForm": "METADATA_ONLY"}),
    ("CD326", {"consentScope": []}, {"consentScope": [], "consentBasis": ["LEGIT_INTEREST"]}),
    ("CD326", {"consentScope": ["tbd"]},
     {"consentScope": "absent", "personalDataCollected": "NONE", "consentBasis": ["NO_PERSONAL_DATA"]}),
    # C13
    ("CD313", PEOPLE, PEOPLE | {"governanceBody": "Assembly (made up)"}),
    ("CD313", PEOPLE | {"communityLabels": ["?"]}, PEOPLE | {"communityLabels": ["TK A"]}),
    ("CD313", PEOPLE, PEOPLE | {"consentBasis": ["CONSENT_EXPRESSED", "CONSENT_COMMUNITY"]}),
    ("CD313", PEOPLE, PEOPLE | {"governanceBody": "WITHHELD_SAFETY"}),
    # C14
    *(("CD314", {"accessRights": "OPEN", "communityLabels": ["TK A", label]},
       {"accessRights": "OPEN", "communityLabels": [label], "governanceBody": "Assembly (made up)"})
      for label in ("TK CO", "SS", "tk-ss", "TK Secret / Sacred", "Community Use Only (CO)")),
    ("CD314", {"accessRights": "OPEN", "communityLabels": ["TK SS"]},
     {"accessRights": "ON_REQUEST", "communityLabels": ["TK SS"]}),
    ("CD314", {"accessRights": "OPEN", "communityLabels": ["TK CO"]},
     {"accessRights": "OPEN", "communityLabels": ["https://example.org/projects/co", "BC CV", "TK Notice",
     "SSH"]}),
    *(("CD314", {"accessRights": "OPEN", "communityLabels": [label]},
       {"accessRights": "OPEN", "communityLabels": ["https://example.org/projects/tk-attribution/"]})
      for label in ("https://localcontexts.org/label/tk-secret-sacred/", "TK Label: Secret / Sacred",
                    "https://example.org/labels/tk-community-use-only")),
    ("CD314", {"accessRights": "OPEN", "communityLabels": ["TK SS"], "governanceBody": "WITHHELD_SAFETY"},
     {"accessRights": "RESTRICTED", "communityLabels": ["TK SS"], "governanceBody": "WITHHELD_SAFETY"}),
    # C16 to C19
    ("CD316", {"consentBasis": ["PUBLIC_RECORD"]}, {"consentBasis": ["LEGIT_INTEREST"]}),
    ("CD317", {"consentBasis": ["CONSENT_COMMUNITY"]},
     {"consentBasis": ["CONSENT_COMMUNITY", "CONSENT_EXPLICIT"]}),
    ("CD317", {"consentBasis": ["CONSENT_COMMUNITY", "CONSENT_IMPLIED"]},
     {"consentBasis": ["CONSENT_COMMUNITY"], "personalDataCollected": "NONE"}),
    ("CD317", {"consentBasis": ["CONSENT_COMMUNITY", "LEGIT_INTEREST"]},
     {"consentBasis": ["CONSENT_COMMUNITY", "LEGIT_INTEREST", "CONSENT_EXPRESSED"]}),
    ("CD318", {"consentBasis": ["CONTRIBUTOR_TERMS", "CONSENT_IMPLIED"]},
     {"consentBasis": ["CONTRIBUTOR_TERMS", "CONSENT_IMPLIED"], "personalDataCollected": "CONTRIBUTORS"}),
    ("CD318", {"consentBasis": ["CONSENT_IMPLIED"]}, {"consentBasis": ["CONSENT_IMPLIED", "CONSENT_EXPRESSED"]}),
    *(("CD319", {"consentBasis": ["CONTRIBUTOR_TERMS"], "personalDataCollected": personal},
       {"consentBasis": ["CONTRIBUTOR_TERMS"], "personalDataCollected": "CONTRIBUTORS"})
      for personal in ("ORDINARY", "_U")),
]  # fmt: skip


@pytest.mark.parametrize(("code", "raised", "mended"), RAISED_AND_MENDED)
def test_each_rule_is_raised_and_mended(code: str, raised: dict[str, Any], mended: dict[str, Any]) -> None:
    assert code in codes(raised)
    assert errors(raised) <= {code}
    assert code not in codes(mended)
    assert errors(mended) == set()


def test_every_consent_rule_has_its_example() -> None:
    rows = {code for code in profile.load().rules if "CD301" <= code < "CD330"}
    assert {code for code, _, _ in RAISED_AND_MENDED} == {code for code in rows if code < "CD330"} - {"CD315"}


@pytest.mark.parametrize(
    ("licenses", "changes", "raised"),
    [
        ([{"name": "CC-BY-4.0"}], {}, True),
        ([{"name": "CC-BY-NC-4.0"}, {"name": "cc by 4.0"}], {}, True),
        ([{"name": "CC-BY-NC-4.0"}], {}, False),
        ([{"name": "CC-BY-4.0"}], {"consentScope": ["PUBLISH_AGG", "REUSE_ANY"]}, False),
        ([{"name": "CC-BY-4.0"}], {"consentScope": "absent"}, False),
        ([{"name": "CC-BY-4.0"}], {"consentBasis": ["LEGIT_INTEREST"]}, False),
        ([{"name": "CC-BY-4.0"}], {"releaseForm": "AGGREGATE"}, False),
        ([{"name": "A licence of our own"}, 3], {}, False),
        ("CC-BY-4.0", {}, False),
    ],
)
def test_a_licence_for_business_needs_consent_to_any_use(
    licenses: Any, changes: dict[str, Any], raised: bool, tmp_path: Path
) -> None:
    """C15."""
    answers = {key: value for key, value in (PLAIN | RECORDS | changes).items() if value != "absent"}
    (tmp_path / "datapackage.json").write_text(json.dumps({"licenses": licenses, "citizenData": answers}))
    assert ("CD315" in [finding.code for finding in release.check(load(tmp_path))]) is raised


BY_ONE = {"CONSENT_EXPLICIT", "CONSENT_EXPRESSED", "CONSENT_GUARDIAN", "CONSENT_ASSENT", "MATURE_MINOR"}
"""Codes of CL_CONSENT_BASIS by which single persons agreed."""


@pytest.mark.parametrize("count", [1, 2, 3])
def test_no_mixture_of_codes_hides_that_no_person_agreed(count: int) -> None:
    """C10 and C16 to C19: what is weak alone is weak beside what is no better."""
    weak = [code for code in profile.load().codelists["CL_CONSENT_BASIS"].codes if code not in BY_ONE]
    for basis in combinations(weak, count):
        assert codes(BY_LAW | {"consentBasis": list(basis)}), basis


@pytest.mark.parametrize("review", ["absent", "COMMUNITY_APPROVED", "SELF_ASSESSED"])
def test_a_young_person_alone_needs_a_review_whatever_the_data(review: str) -> None:
    """C04 and C09."""
    assert codes(SENSITIVE | MATURE | {"ethicsReview": review}) == ["CD304", "CD309"]
    assert codes(SENSITIVE | MATURE) == codes(SENSITIVE | MATURE | LAW_ONLY) == []


def test_both_halves_of_c20() -> None:
    law, body, _ = found({"consentBasis": ["LEGAL_OBLIGATION", "STAT_LAW"]})
    assert law.message() == "LEGAL_OBLIGATION, STAT_LAW is declared, and no law is cited in legalBasisNote."
    assert (law.where.pointer, body.where.pointer) == ("/citizenData/legalBasisNote", "/citizenData/initiators")
    assert "no initiator or partner is a state body or a university" in body.message()


def test_no_basis_for_sensitive_data_of_children_is_told_by_every_rule_that_it_breaks() -> None:
    assert codes(SENSITIVE | {"consentBasis": ["NONE"], "minors": "YES"}) == ["CD301", "CD304", "CD309"]


def test_missing_answers_are_left_to_the_descriptor_check() -> None:
    assert [f.code for rule in RULES for f in rule(consent.read({}))] == []
    bare = consent.read({"personalDataCollected": "SENSITIVE", "minors": "YES"})
    assert [f.code for rule in RULES for f in rule(bare)] == ["CD301", "CD321"]


def test_check_reads_a_package(tmp_path: Path) -> None:
    descriptor = {"name": "x", "citizenData": PLAIN | {"releaseForm": "IDENTIFIABLE"}}
    (tmp_path / "datapackage.json").write_text(json.dumps(descriptor))
    (finding,) = [*consent.check(load(tmp_path)), *release.check(load(tmp_path))]
    assert (finding.code, finding.where.file, finding.where.pointer) == (
        "CD305", "datapackage.json", "/citizenData/releaseForm",
    )  # fmt: skip


def test_messages_and_remedies_can_be_filled() -> None:
    for _, raised, _ in RAISED_AND_MENDED:
        for finding in found(raised):
            assert "{" not in finding.message() + finding.remedy()


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=8)
    | st.sampled_from(["SENSITIVE", "NONE", "YES"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8) | st.just("kind"), inner),
    max_leaves=8,
)
NAMES = st.sampled_from([*PLAIN, *BY_LAW, "ethicsReview", "consentNote"])


@given(st.dictionaries(NAMES, JSON))
def test_no_json_breaks_it(answers: dict[str, Any]) -> None:
    for rule in RULES:
        for finding in rule(consent.read(answers)):
            assert finding.message()
