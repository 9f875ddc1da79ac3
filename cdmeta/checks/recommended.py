"""What is not asked for, and would help whoever wants to use the data: one finding for all of it (CD143)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from cdmeta import profile
from cdmeta.finding import Finding, Where
from cdmeta.package import DESCRIPTOR, Package
from cdmeta.phrase import first_of, title_of
from cdmeta.profile import Field
from cdmeta.text import is_missing

_ABOUT_PEOPLE = frozenset(
    {
        "consentGivenBy",
        "consentScope",
        "consentRecord",
        "consentForm",
        "consentNote",
        "ethicsReview",
        "riskAssessment",
        "disclosureControl",
        "confidentialityPolicy",
    }
)
"""Answers that help only where data about people were collected."""
_MAX_LISTED = 5


def check(package: Package) -> Iterator[Finding]:
    """Name the recommended answers that are missing, as soon as those are there that have to be."""
    fields, answers = profile.load().fields.values(), package.answers
    missing = [entry.path for entry in fields if entry.tier == "recommended" and _is_open(entry, answers)]
    if missing and not any(_is_open(entry, answers) for entry in fields if entry.tier == "core"):
        params = {"count": len(missing), "names": first_of([title_of(path) for path in missing], _MAX_LISTED)}
        yield Finding("CD143", Where(DESCRIPTOR, "/citizenData"), params)


def _is_open(entry: Field, answers: Mapping[str, Any]) -> bool:
    """The answer is not there, and belongs to nothing that is not there either."""
    if not entry.path.startswith("citizenData.") or "[]" in entry.path:
        return False
    names = entry.path.split(".")[1:]
    if answers.get("personalDataCollected") == "NONE" and names[0] in _ABOUT_PEOPLE:
        return False
    for name in names[:-1]:
        inner = answers.get(name)
        if not isinstance(inner, Mapping):
            return name == "participation"
        answers = inner
    return is_missing(answers.get(names[-1]))
