"""What the description itself gives away of people and places (CD5xx).

A description is published even where the data are not, and can endanger those whom it names (Principle 8). No
finding holds what was found: only its kind and where it stands.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from cdmeta.checks.consent import Consent, read
from cdmeta.finding import Finding, Where
from cdmeta.identifiers import PLACE, kinds
from cdmeta.package import DESCRIPTOR, Package
from cdmeta.phrase import Phrase, Series, name_of
from cdmeta.profile import WITHHELD
from cdmeta.text import pointer_step

_MAX_SCANNED = 2_000_000
"""Characters of texts with numbers that are searched, once for each country and once for all."""
_DIGITS = re.compile(r"(?:[^0-9]*[0-9]){7}")
_LOOKED_AT_ELSEWHERE = re.compile(
    r"(/resources/\d+)?/(contributors|sources|author|maintainers|publishers)"
    r"|/citizenData/complaintsContact(@[^/]*)?|/resources/\d+/data"
)
"""Answers that are there so that somebody can be reached (those before Data Package 1.0 too), and rows of data."""
_ADDRESS = re.compile(r"(https?://|urn:)\S*")
_AT_RISK = (
    "CHILDREN",
    "DISABILITY",
    "INDIGENOUS",
    "ETHNIC_MINORITY",
    "LGBTI",
    "MIGRANTS",
    "REFUGEES",
    "STATELESS",
    "HOMELESS",
    "RELIGIOUS_MINORITY",
)
"""Codes of CL_POP_GROUP whose people can be harmed by being found."""
_LARGE_AREA = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,3})?|[A-Z]{3}|\d{3}")
"""A country or its first level: ISO 3166-1 alpha-2 or alpha-3, ISO 3166-2, UN M49."""


def check(package: Package) -> Iterator[Finding]:
    """Look for identifiers and exact places in the descriptor (domain table of disclosure checks, D21)."""
    consent = read(package.answers)
    yield from _identifiers(package.descriptor, consent)
    yield from _small_areas(consent)


def _identifiers(descriptor: Mapping[str, Any], consent: Consent) -> Iterator[Finding]:
    code = "CD502" if consent.personal == "SENSITIVE" else "CD501"
    left = most = _MAX_SCANNED // (1 + len(consent.regions))
    is_cut = False
    for pointer, text in _texts(descriptor, ""):
        if _DIGITS.match(text):
            text, left, is_cut = text[:left], max(left - len(text), 0), is_cut or len(text) > left
        for kind in kinds(text, consent.regions):
            if kind != PLACE and _ADDRESS.fullmatch(text):
                # The numbers of a page are no phone's, and a map shows where somebody lives.
                continue
            yield Finding(code, Where(DESCRIPTOR, pointer), {"kind": Phrase(f"identifier.{kind}")})
    if is_cut:
        yield Finding("CD544", Where(DESCRIPTOR), {"count": most})


def _texts(value: Any, pointer: str) -> Iterator[tuple[str, str]]:
    """All texts with their place, but for what tells whom to ask, and for data."""
    parts = value.items() if isinstance(value, dict) else enumerate(value)
    for key, part in parts:
        place = f"{pointer}/{pointer_step(key)}"
        if isinstance(part, str):
            if not _LOOKED_AT_ELSEWHERE.fullmatch(place):
                yield place, part
        elif isinstance(part, (dict, list)) and not _LOOKED_AT_ELSEWHERE.fullmatch(place):
            yield from _texts(part, place)


def _small_areas(consent: Consent) -> Iterator[Finding]:
    groups = [code for code in _AT_RISK if code in consent.codes("populationGroups")]
    places = [place for place in consent.codes("geography") if not _is_large(place)]
    if groups and places and not consent.tells("riskAssessment"):
        named = Series(tuple(name_of("CL_POP_GROUP", code) for code in groups))
        code = "CD504" if consent.personal == "SENSITIVE" else "CD503"
        yield Finding(code, Where(DESCRIPTOR, "/citizenData/riskAssessment"), {"groups": named})


def _is_large(place: str) -> bool:
    return place == WITHHELD or _LARGE_AREA.fullmatch(place.strip()) is not None
