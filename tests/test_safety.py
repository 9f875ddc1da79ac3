"""What the description gives away: identifiers and exact places in its texts, people at risk in small areas."""

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdmeta.checks import safety
from cdmeta.checks.consent import read
from cdmeta.finding import Finding
from cdmeta.identifiers import EMAIL, PHONE, PLACE, kinds
from cdmeta.package import Package, load

BASE = load(Path(__file__).parent.parent / "examples" / "rules" / "base")


def package(**changes: Any) -> Package:
    return replace(BASE, descriptor={**BASE.descriptor, "citizenData": {**BASE.answers, **changes}})


def found(package: Package) -> list[tuple[str, str | None]]:
    return [(finding.code, finding.where.pointer) for finding in safety.check(package)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("write to ama@example.org, please", [EMAIL]),
        ("Écrire à ama.b+x@mail.example.org.", [EMAIL]),
        ("call +57 601 555 0100", [PHONE]),
        ("tel. 020 7946 0018", [PHONE]),
        ("at 4.60971, -74.08175", [PLACE]),
        ("at −33.8688 151.2093", [PLACE]),
        ("at 4.610° N, 74.082° W", [PLACE]),
        ("4°36′35″N 74°04′54″W", [PLACE]),
        ("ama@example.org lives at 4.60971;-74.08175", [EMAIL, PLACE]),
        ("lat: 4.60971, lon: -74.08175", [PLACE]),
        ("Latitud 4,60971; longitud -74,08175", [PLACE]),
        ("a 4,60971, -74,08175", [PLACE]),
        ("Bogota,4.60971,-74.08175", [PLACE]),
        ("à 48,85837 ; 2,29448", [PLACE]),
        ("N 4° 36' 35\" W 74° 4' 54\"", [PLACE]),
        ("doi.org/10.1000/123.4567 and doi:10.1000/123.4567", []),
        ("12,5 %; 1.234,5678 and 2,25 of 3,75", []),
        ("a flat of 4.6097 rooms", []),
        ("ten days, 2024-03-04 to 2025-03-14", []),
        ("rates of 0.123, 0.456 and 3.145", []),
        ("ISBN 978-3-16-148410-0, grant 2021/1234567", []),
        ("1 000 000 000 people, 95.1234 %", []),
        ("from 400.1234, 500.1234 on", []),
        ("me@home", []),
        ("", []),
    ],
)
def test_kinds(text: str, expected: list[str]) -> None:
    assert list(kinds(text, ["GB", "CO", "XX"])) == expected


def test_a_national_number_is_known_in_its_country_only() -> None:
    assert list(kinds("tel. 020 7946 0018", ["GB"])) == [PHONE]
    assert list(kinds("tel. 020 7946 0018")) == []


def test_a_long_text_takes_no_longer_than_it_must() -> None:
    before = time.process_time()
    assert list(kinds(("a" * 64 + "@") * 40_000)) == []
    assert time.process_time() - before < 2


@pytest.mark.parametrize(
    ("text", "raised"),
    [
        ("https://example.org/ is our page; write to ama@example.org", True),
        ("https://maps.example.org/?mlat=4.60971&mlon=-74.08175", True),
        ("https://maps.example.org/@4.60971,-74.08175,19z", True),
        ("https://example.org/forms/3015551234?user=ama@example.org", False),
        ("https://doi.org/10.1000/123.4567", False),
    ],
)
def test_an_address_is_left_alone_but_for_positions(text: str, raised: bool) -> None:
    assert bool(found(package(instrument=[text]))) is raised


def test_phone_numbers_of_the_area_are_known_where_no_jurisdiction_is_told() -> None:
    told = {"jurisdiction": [], "limitations": "cel. 301 5551234"}
    assert found(package(**told, geography=["CO-ANT"])) == [("CD501", "/citizenData/limitations")]
    assert found(package(**told, geography=["Bogota"])) == []


@pytest.mark.parametrize("country", ["DK", "LU", "ML", "MR", "UY"])
def test_a_date_is_no_phone_number_wherever_numbers_have_eight_digits(country: str) -> None:
    """The dates of every package would be told, and with sensitive data each of them as an error."""
    for text in (
        "2026-01-20",
        "from 2024-03-04 to 2025-03-14",
        "2024-2025",
        "2023–2024",
        "20.03.2024",
        "4/3/2024",
    ):
        assert list(kinds(text, [country])) == [], text
    assert found(package(jurisdiction=[country], geography=[country], personalDataCollected="SENSITIVE")) == []


def test_a_number_beside_a_date_is_seen() -> None:
    assert list(kinds("since 2024-03-04, tel. 020 7946 0018", ["GB"])) == [PHONE]
    assert list(kinds("20 24 03 04", ["ML"])) == [PHONE]


@given(st.text(max_size=200) | st.from_regex(r"[-+ 0-9.,;/°'@a-z]{0,80}", fullmatch=True))
def test_any_text_can_be_looked_at(text: str) -> None:
    assert set(kinds(text, ["GB"])) <= {EMAIL, PHONE, PLACE}


def test_no_text_takes_long() -> None:
    """Patterns that backtrack would not come back from these."""
    for text in ("1.0000, " * 20_000, "a@" + "a." * 50_000, "+" * 50_000, "1°1'" * 30_000, "9" * 200_000):
        assert set(kinds(text, ["GB"])) <= {EMAIL, PHONE, PLACE}


def test_where_an_identifier_stands_and_never_what_it_is() -> None:
    given = package(limitations={"en": "Ask ama@example.org", "es": "nada"}, methodology="from 5.60372, -0.18696")
    findings = list(safety.check(given))
    assert {(f.code, f.where.pointer) for f in findings} == {
        ("CD501", "/citizenData/limitations/en"),
        ("CD501", "/citizenData/methodology"),
    }
    for finding in findings:
        assert "ama" not in repr(finding) + finding.message()
        assert "5.6" not in repr(finding) + finding.message()


def test_whom_to_ask_may_be_told_where_it_is_asked_for() -> None:
    assert found(package(complaintsContact="+57 601 555 0100, ama@example.org")) == []
    contributors = [{"title": "A", "email": "ama@example.org", "path": "mailto:ama@example.org"}]
    assert found(replace(BASE, descriptor={**BASE.descriptor, "contributors": contributors})) == []
    resources = [{"name": "r", "sources": contributors}]
    assert (
        found(replace(BASE, descriptor={**BASE.descriptor, "sources": contributors, "resources": resources})) == []
    )


def test_columns_and_codes_are_texts_too() -> None:
    schema = {"fields": [{"name": "a", "type": "string", "example": "ama@example.org"}]}
    given = replace(BASE, descriptor={**BASE.descriptor, "resources": [{"name": "r", "schema": schema}]})
    assert found(given) == [("CD501", "/resources/0/schema/fields/0/example")]


def test_beside_sensitive_data_it_is_an_error() -> None:
    given = package(personalDataCollected="SENSITIVE", limitations="Ask ama@example.org")
    (finding,) = safety.check(given)
    assert (finding.code, finding.severity("publish")) == ("CD502", "error")


AT_RISK: dict[str, Any] = {"populationGroups": ["GENERAL", "MIGRANTS"], "riskAssessment": "tbd"}


@pytest.mark.parametrize(
    ("geography", "raised"),
    [
        (["Hill ward (made up)"], True),
        (["CO", "Hill ward (made up)"], True),
        (["CO", "CO-ANT", "COL", "170"], False),
        (["WITHHELD_SAFETY"], False),
        ([], False),
        ("CO", False),
        (None, False),
    ],
)
def test_people_at_risk_in_small_areas(geography: Any, raised: bool) -> None:
    expected = [("CD503", "/citizenData/riskAssessment")] if raised else []
    assert found(package(geography=geography, **AT_RISK)) == expected
    sensitive = package(geography=geography, personalDataCollected="SENSITIVE", **AT_RISK)
    assert [code for code, _ in found(sensitive)] == (["CD504"] if raised else [])
    assert found(package(geography=geography, **AT_RISK | {"riskAssessment": "Nobody (made up)."})) == []
    assert found(package(geography=geography, **AT_RISK | {"populationGroups": ["RURAL_REMOTE"]})) == []


def test_the_groups_are_named() -> None:
    (finding,) = safety.check(package(geography=["Hill ward (made up)"], **AT_RISK))
    assert isinstance(finding, Finding)
    assert "Migrants" in finding.message()


def described(**members: Any) -> list[tuple[str, str | None]]:
    return found(replace(BASE, descriptor={**BASE.descriptor, **members}))


def test_rows_in_the_description_and_old_names_of_contacts_are_no_texts_of_it() -> None:
    rows = [{"whom": "ama@example.org", "at": "4.60971, -74.08175"}]
    assert described(resources=[{"name": "t", "data": rows}]) == []
    assert described(resources=[{"name": "t", "note": rows}]) == [
        ("CD501", "/resources/0/note/0/whom"),
        ("CD501", "/resources/0/note/0/at"),
    ]
    asked = {"name": "Desk", "email": "ama@example.org"}
    assert described(author=asked, maintainers=[asked], publishers=[asked]) == []
    assert described(authors=[asked]) == [("CD501", "/authors/0/email")]


def test_numbers_are_searched_up_to_a_limit_for_all_countries(monkeypatch: pytest.MonkeyPatch) -> None:
    phone, long = "call +57 601 555 0100", "1234567 " + "x" * 1000
    regions = len(read(BASE.answers).regions)
    texts = {"first": phone, "long": long, "last": phone, "mail": "ama@example.org"}

    def limit(count: int) -> list[tuple[str, str | None]]:
        monkeypatch.setattr(safety, "_MAX_SCANNED", count * (1 + regions))
        only = replace(BASE, descriptor={"citizenData": BASE.answers, **texts})
        return [place for place in found(only) if place[1] is None or "/citizenData" not in place[1]]

    whole = [("CD501", "/first"), ("CD501", "/last"), ("CD501", "/mail")]
    needed = len(phone) * 2 + len(long)
    assert limit(2 * needed) == whole
    assert limit(len(phone) + 500) == [("CD501", "/first"), ("CD501", "/mail"), ("CD544", None)]
