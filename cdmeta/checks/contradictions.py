"""Answers that cannot both be true, where no other rule weighs them (CD145).

What contradicts the Framework's types is told by `participation`, and what contradicts consent by `consent`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from cdmeta.checks.consent import RECORDS
from cdmeta.finding import Finding, Where
from cdmeta.package import DESCRIPTOR, Package
from cdmeta.period import to_date
from cdmeta.phrase import Phrase, title_of

_NOTHING = ("NONE", "_Z")
_LISTS = ("validation", "incentives", "accessibility", "disclosureControl")
"""Lists of codes in which NONE says that there is nothing to list."""


def check(package: Package) -> Iterator[Finding]:
    """Compare answers with each other, whatever their JSON."""
    for name, reason in _found(package.answers):
        title = title_of(f"citizenData.{name}")
        yield Finding("CD145", Where(DESCRIPTOR, f"/citizenData/{name}"), {"title": title, "what": Phrase(reason)})


def _found(answers: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name in _LISTS:
        codes = answers.get(name)
        if isinstance(codes, list) and len(codes) > 1 and any(code in codes for code in _NOTHING):
            yield name, "contradiction.nothing"
    if answers.get("personalDataCollected") == "NONE" and answers.get("releaseForm") in RECORDS:
        yield "releaseForm", "contradiction.people"
    invited, achieved = _count(answers.get("invitedCount")), _count(answers.get("achievedCount"))
    if invited is not None and 0 <= invited < (achieved or 0):
        yield "invitedCount", "contradiction.invited"
    period, updated = answers.get("collectionPeriod"), to_date(answers.get("metadataUpdated"))
    start = to_date(period.get("start")) if isinstance(period, Mapping) else None
    if start and updated and start > updated and achieved:
        yield "collectionPeriod", "contradiction.time"


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
