"""Answers that cannot both be true."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdmeta.checks.contradictions import check
from cdmeta.package import load

BASE = load(Path(__file__).parent.parent / "examples" / "rules" / "base")


def found(**changes: Any) -> list[str]:
    answers = {**BASE.answers, **changes}
    return [
        f.where.pointer or "" for f in check(replace(BASE, descriptor={**BASE.descriptor, "citizenData": answers}))
    ]


def test_the_base_contradicts_nothing() -> None:
    assert found() == []


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"validation": ["NONE", "AUTO_RULES"]}, "validation"),
        ({"incentives": ["CASH", "NONE"]}, "incentives"),
        ({"disclosureControl": ["_Z", "AGGREGATED"]}, "disclosureControl"),
        ({"personalDataCollected": "NONE", "releaseForm": "ANON_MICRO"}, "releaseForm"),
        ({"invitedCount": 10, "achievedCount": 11}, "invitedCount"),
        ({"collectionPeriod": {"start": "3025-01-01", "end": "3025-02-01"}}, "collectionPeriod"),
    ],
)
def test_two_answers_that_cannot_both_be_true(changes: dict[str, Any], place: str) -> None:
    assert found(**changes) == [f"/citizenData/{place}"]


@pytest.mark.parametrize(
    "changes",
    [
        {"validation": ["NONE"]},
        {"invitedCount": 10, "achievedCount": 10},
        {"invitedCount": True, "achievedCount": 11},
        {"personalDataCollected": "CONTRIBUTORS", "releaseForm": "ANON_MICRO"},
        {"collectionPeriod": {"start": "3025-01-01", "end": "3025-02-01"}, "achievedCount": 0},
        {"collectionPeriod": "WITHHELD_SAFETY"},
        {"metadataUpdated": ["2025-01-01"]},
    ],
)
def test_what_may_stand_together(changes: dict[str, Any]) -> None:
    assert found(**changes) == []


NAMES = ["validation", "releaseForm", "invitedCount", "achievedCount", "collectionPeriod", "metadataUpdated"]
JSON = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=5)
    | st.lists(st.none() | st.text(max_size=5), max_size=3)
)


@given(st.dictionaries(st.sampled_from(NAMES), JSON | st.dictionaries(st.just("start"), JSON)))
def test_no_json_breaks_it(answers: dict[str, Any]) -> None:
    assert all(pointer.startswith("/citizenData/") for pointer in found(**answers))
