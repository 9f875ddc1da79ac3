"""The ten principles as far as a description can show them (¶31; CD330 to CD340, CD342, CD343).

What the other checks ask is not asked again: an empty core answer (Principles 2, 4, 5 and 7), consent (3), and
what the rows and the description give away of people (9).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from cdmeta.checks.consent import Consent, finding
from cdmeta.checks.consent import read as read_consent
from cdmeta.checks.identity import concept_of
from cdmeta.finding import Finding, Where
from cdmeta.framework import read as read_answers
from cdmeta.initiative import STATE, Answers
from cdmeta.licence import names, openness
from cdmeta.package import DESCRIPTOR, Package, Resource
from cdmeta.phrase import Phrase, Series, name_of, title_of

PARTNERSHIP = 4
"""Rank of the level from which participation is sufficient (¶22)."""
SAFEGUARDS = ("ethicsReview", "riskAssessment", "complaintsContact")
_RELEASES_OF_PEOPLE = ("AGGREGATE", "ANON_MICRO", "PSEUDONYMISED_MICRO")
_NOTHING = frozenset({"NONE", "_Z"})
_FIGURES = ("measure", "attribute", "time")
PROPRIETARY = frozenset(
    ("xls", "xlsx", "xlsm", "xlsb", "doc", "docx", "pdf", "sav", "por", "dta", "sas7bdat", "mdb", "accdb")
)
"""Formats made for one maker's program, or from which no rows can be taken: 1 or 2 stars of 5-star Open Data."""


@dataclass(frozen=True)
class Case:
    """What the rules ask of a package.

    Attributes:
        package: the package.
        consent: what it says of people and consent.
        answers: what it says to the Framework.
    """

    package: Package
    consent: Consent
    answers: Answers = field(hash=False)

    def tells(self, name: str) -> bool:
        """Tell whether there is an answer in `citizenData`; withheld for safety is one."""
        return self.consent.tells(name)

    def does(self, name: str) -> bool:
        """Tell whether an answer that is a list of codes names anything that was done."""
        return not _NOTHING.issuperset(self.consent.codes(name))


def check(package: Package) -> Iterator[Finding]:
    """Ask all rules of the principles."""
    case = read(package)
    for rule in RULES:
        yield from rule(case)


def read(package: Package) -> Case:
    """Read what the rules ask; never raises, whatever the JSON."""
    return Case(package, read_consent(package.answers), read_answers(package.answers))


def is_chosen_without_lot(case: Case) -> bool:
    """Not everybody had a known chance to be chosen."""
    method = case.consent.raw.get("samplingMethod")
    return isinstance(method, str) and (method.startswith("NONPROB_") or method == "OPPORTUNISTIC")


def has_no_safeguard(case: Case) -> bool:
    """The data are sensitive, and nobody looked at what may come of them."""
    reviewed = case.tells("ethicsReview") and not case.consent.says("ethicsReview", *_NOTHING)
    return case.consent.personal == "SENSITIVE" and not (reviewed or any(map(case.tells, SAFEGUARDS[1:])))


def _no_funder(case: Case) -> Iterator[Finding]:
    """Principle 1; own means are an answer."""
    if not case.tells("funding"):
        yield finding("CD330", "funding")


def _paid_by_the_state(case: Case) -> Iterator[Finding]:
    """Principle 1."""
    given = case.consent.raw.get("funding")
    if case.answers.type != "CIVIC_ACTION" or case.tells("independenceNote"):
        return
    for place, who in enumerate(given if isinstance(given, list) else ()):
        kind = who.get("kind") if isinstance(who, Mapping) else None
        if isinstance(kind, str) and kind in STATE:
            yield finding("CD331", f"funding/{place}/kind", kind=name_of("CL_ACTOR_KIND", kind))


def _objectives_of_others(case: Case) -> Iterator[Finding]:
    """Principle 2."""
    rank = case.answers.known_levels().get("design_objectives")
    if rank is not None and rank < PARTNERSHIP:
        code = str(case.answers.design_objectives)
        level = Phrase("code.named", {"name": name_of("CL_PARTICIPATION_LEVEL", code), "code": code})
        yield finding("CD332", "participation/designObjectives", level=level)


def _not_said_who_is_missing(case: Case) -> Iterator[Finding]:
    """Principle 4."""
    if is_chosen_without_lot(case) and not case.tells("frame"):
        method = case.consent.named("samplingMethod", "CL_SAMPLING")
        yield finding("CD333", "frame", method=method)


def _licence_not_open(case: Case) -> Iterator[Finding]:
    """Principles 5 and 10."""
    given = names(case.package.descriptor.get("licenses"))
    kind = openness(*given)
    if given and kind != "open" and not case.consent.says("releaseForm", "METADATA_ONLY"):
        params = {"licence": ", ".join(given), "reason": Phrase(f"licence.{kind}")}
        yield Finding("CD334", Where(DESCRIPTOR, "/licenses"), params)


def _no_agreement(case: Case) -> Iterator[Finding]:
    """Principle 5."""
    if case.consent.says("officialUse", "INTEGRATED") and not case.tells("dataSharingAgreement"):
        yield finding("CD335", "dataSharingAgreement")


def _said_by_others(case: Case) -> Iterator[Finding]:
    """Principle 6, who said it."""
    for where, own in _identities(case):
        if own.get("selfIdentified") != "SELF":
            yield Finding("CD336", where, {"field": where.field})


def _no_way_to_decline(case: Case) -> Iterator[Finding]:
    """Principle 6, at people's own discretion."""
    for where, own in _identities(case):
        if own.get("declineOption") is not True:
            yield Finding("CD337", where, {"field": where.field})


def _identities(case: Case) -> Iterator[tuple[Where, Mapping[str, Any]]]:
    """The columns on who people are, with what is said of each."""
    for resource in case.package.resources if case.consent.about_others else ():
        for where, entry in columns(resource):
            sdmx, own = (entry.get(key) for key in ("sdmx", "citizenData"))
            role = sdmx.get("role") if isinstance(sdmx, Mapping) else None
            if role not in _FIGURES and concept_of(entry):
                yield where, own if isinstance(own, Mapping) else {}


def columns(resource: Resource) -> Iterator[tuple[Where, Mapping[str, Any]]]:
    """The columns that have a name, each with its place, in the descriptor or in a schema file of its own."""
    given = resource.raw.get("schema")
    file, start = (given, "") if isinstance(given, str) else (DESCRIPTOR, f"{resource.pointer}/schema")
    entries = resource.schema.get("fields") if resource.schema else None
    for place, entry in enumerate(entries if isinstance(entries, list) else ()):
        name = entry.get("name") if isinstance(entry, Mapping) else None
        if isinstance(entry, Mapping) and isinstance(name, str):
            yield Where(file, f"{start}/fields/{place}", resource.name, field=name), entry


def _description_not_open(case: Case) -> Iterator[Finding]:
    """Principle 7; where nothing is said of the description, the licence of the package holds for it."""
    own = case.consent.raw.get("metadataLicense")
    told = isinstance(own, str) and case.tells("metadataLicense")
    given = (str(own),) if told else names(case.package.descriptor.get("licenses"))
    if given and openness(*given) == "closed":
        yield finding("CD338", "metadataLicense", licence=", ".join(given))


def _no_safeguard(case: Case) -> Iterator[Finding]:
    """Principle 8."""
    if has_no_safeguard(case):
        titles = Series(tuple(title_of(f"citizenData.{name}") for name in SAFEGUARDS))
        yield Finding("CD339", Where(DESCRIPTOR, "/citizenData/riskAssessment"), {"names": titles})


def _unprotected(case: Case) -> Iterator[Finding]:
    """Principle 9."""
    released = case.consent.says("releaseForm", *_RELEASES_OF_PEOPLE)
    if case.consent.about_others and released and not case.does("disclosureControl"):
        yield finding("CD340", "disclosureControl", form=case.consent.named("releaseForm", "CL_RELEASE_FORM"))


def _proprietary_only(case: Case) -> Iterator[Finding]:
    """Principle 10."""
    formats = [_format(resource) for resource in case.package.resources if resource.raw.get("path")]
    if formats and PROPRIETARY.issuperset(formats):
        yield Finding("CD342", Where(DESCRIPTOR, "/resources"), {"formats": ", ".join(dict.fromkeys(formats))})


def _format(resource: Resource) -> str:
    """The format that a resource tells, or the ending of its first file."""
    told, path = resource.raw.get("format"), resource.raw.get("path")
    first = path[0] if isinstance(path, list) and path else path
    ending = PurePosixPath(first).suffix if isinstance(first, str) else ""
    return (told if isinstance(told, str) and told.strip() else ending).strip().lstrip(".").casefold()


def _not_for_everybody(case: Case) -> Iterator[Finding]:
    """Principle 10."""
    if not case.does("accessibility"):
        yield finding("CD343", "accessibility")


RULES = (
    _no_funder,
    _paid_by_the_state,
    _objectives_of_others,
    _not_said_who_is_missing,
    _licence_not_open,
    _no_agreement,
    _said_by_others,
    _no_way_to_decline,
    _description_not_open,
    _no_safeguard,
    _unprotected,
    _proprietary_only,
    _not_for_everybody,
)
