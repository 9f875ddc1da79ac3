"""Consent and ethics, as far as the descriptor tells (CD3xx).

The rules rest on Principles 3, 8 and 9 of the Framework, not on one country's law. Consent is described for the
data set as a whole; records of who agreed never belong into a package.

What is merely not answered is for the descriptor check to tell. The rules here speak of emptiness only where it is
the point of the rule: no basis (C01), no law named (C20), no jurisdiction (C21).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from cdmeta.finding import Finding, Where
from cdmeta.framework import STATE
from cdmeta.package import DESCRIPTOR, Package
from cdmeta.phrase import Phrase
from cdmeta.text import is_missing

NO_PERSONAL_DATA = "NO_PERSONAL_DATA"
NO_BASIS = frozenset({"NONE", "_U"})
"""Codes of CL_CONSENT_BASIS that name no basis; DPV holds unknown consent to be invalid for processing."""
LAWS = ("STAT_LAW", "PUBLIC_INTEREST", "LEGAL_OBLIGATION")
_FIT_FOR_SENSITIVE = frozenset({"CONSENT_EXPLICIT", "CONSENT_GUARDIAN", "STAT_LAW", "PUBLIC_INTEREST"})
_BODIES_UNDER_A_LAW = STATE | {"ACADEMIA"}


@dataclass(frozen=True)
class Consent:
    """What the rules ask of a descriptor.

    Attributes:
        raw: the `citizenData` object.
        personal: code of CL_PERSONAL_DATA; None where it is not answered.
        basis: codes of CL_CONSENT_BASIS, each once, the principal one first.
        kinds: kinds of the initiators and partners that are told.
    """

    raw: Mapping[str, Any] = field(hash=False)
    personal: str | None
    basis: tuple[str, ...]
    kinds: frozenset[str]

    @property
    def about_people(self) -> bool:
        """Personal data were collected, or it is not known whether they were (`_U`)."""
        return self.personal not in (None, "NONE")

    def says(self, name: str, *codes: str) -> bool:
        """Tell whether an answer is one of some codes."""
        return self.raw.get(name) in codes

    def tells(self, name: str) -> bool:
        """Tell whether there is an answer."""
        return not is_missing(self.raw.get(name))

    @property
    def young_people_decide(self) -> bool:
        """MATURE_MINOR counts: an ethics committee or a law allows it.

        COMMUNITY_APPROVED does not count, because the code is for young people whom asking at home would put at
        risk, and a community's approval is asking at home; SELF_ASSESSED and NONE are no review. EXEMPT counts
        where `legalBasisNote` names the law that allows it.
        """
        allowed = self.says("ethicsReview", "APPROVED")
        exempt = self.says("ethicsReview", "EXEMPT") and self.tells("legalBasisNote")
        return "MATURE_MINOR" in self.basis and (allowed or exempt)


def check(package: Package) -> Iterator[Finding]:
    """Ask all rules of consent."""
    consent = read(package.answers)
    for rule in RULES:
        yield from rule(consent)


def read(answers: Mapping[str, Any]) -> Consent:
    """Read what the rules ask from the `citizenData` object; never raises, whatever the JSON."""
    personal = answers.get("personalDataCollected")
    return Consent(
        answers,
        personal if isinstance(personal, str) and not is_missing(personal) else None,
        tuple(dict.fromkeys(_strings(answers.get("consentBasis")))),
        frozenset(_kinds(answers.get("initiators"))) | frozenset(_kinds(answers.get("partners"))),
    )


def _strings(value: Any) -> Iterator[str]:
    for entry in value if isinstance(value, list) else [value]:
        if isinstance(entry, str) and not is_missing(entry):
            yield entry


def _kinds(value: Any) -> Iterator[str]:
    for entry in value if isinstance(value, list) else ():
        if isinstance(entry, Mapping):
            yield from _strings(entry.get("kind"))


def _finding(code: str, name: str, **params: str | Phrase) -> Finding:
    return Finding(code, Where(DESCRIPTOR, f"/citizenData/{name}"), params)


def _listed(codes: tuple[str, ...]) -> str:
    return ", ".join(codes)


def _no_basis(consent: Consent) -> Iterator[Finding]:
    """C01."""
    if consent.about_people and NO_BASIS.issuperset(consent.basis):
        yield _finding("CD301", "consentBasis", personal=str(consent.personal))


def _no_personal_data_but_some(consent: Consent) -> Iterator[Finding]:
    """C02."""
    if consent.about_people and NO_PERSONAL_DATA in consent.basis:
        yield _finding("CD302", "consentBasis", personal=str(consent.personal))


def _basis_without_personal_data(consent: Consent) -> Iterator[Finding]:
    """C02, the converse."""
    if consent.personal == "NONE" and consent.basis and NO_PERSONAL_DATA not in consent.basis:
        yield _finding("CD322", "consentBasis", basis=_listed(consent.basis))


def _exclusive_codes(consent: Consent) -> Iterator[Finding]:
    """C03."""
    alone = tuple(code for code in consent.basis if code == NO_PERSONAL_DATA or code in NO_BASIS)
    if alone and len(consent.basis) > 1:
        yield _finding("CD303", "consentBasis", basis=_listed(alone))


def _too_weak_for_sensitive(consent: Consent) -> Iterator[Finding]:
    """C04."""
    vital = "VITAL_INTEREST" in consent.basis and consent.tells("consentNote")
    fit = vital or consent.young_people_decide or not _FIT_FOR_SENSITIVE.isdisjoint(consent.basis)
    if consent.personal == "SENSITIVE" and consent.basis and not fit:
        yield _finding("CD304", "consentBasis", basis=_listed(consent.basis))


def _identifiable_release(consent: Consent) -> Iterator[Finding]:
    """C05."""
    if consent.says("releaseForm", "IDENTIFIABLE"):
        yield _finding("CD305", "releaseForm")


def _children_without_guardian(consent: Consent) -> Iterator[Finding]:
    """C09."""
    by_law = {"STAT_LAW", "CONSENT_ASSENT"}.issubset(consent.basis)
    guarded = "CONSENT_GUARDIAN" in consent.basis or consent.young_people_decide or by_law
    if consent.says("minors", "YES") and consent.basis and not guarded:
        yield _finding("CD309", "minors")


def _children_unknown(consent: Consent) -> Iterator[Finding]:
    """C09, where it is not known."""
    if consent.says("minors", "_U") and consent.about_people:
        yield _finding("CD323", "minors")


def _law_without_name_or_body(consent: Consent) -> Iterator[Finding]:
    """C20."""
    laws = tuple(code for code in consent.basis if code in LAWS)
    named, acts = consent.tells("legalBasisNote"), not _BODIES_UNDER_A_LAW.isdisjoint(consent.kinds)
    if laws and not named:
        yield _finding("CD320", "legalBasisNote", basis=_listed(laws), reason=Phrase("consent.no_law"))
    if laws and not acts:
        yield _finding("CD320", "initiators", basis=_listed(laws), reason=Phrase("consent.no_body"))


def _no_jurisdiction(consent: Consent) -> Iterator[Finding]:
    """C21."""
    if consent.about_people and not consent.tells("jurisdiction"):
        yield _finding("CD321", "jurisdiction")


RULES = (
    _no_basis,
    _no_personal_data_but_some,
    _exclusive_codes,
    _too_weak_for_sensitive,
    _identifiable_release,
    _children_without_guardian,
    _law_without_name_or_body,
    _no_jurisdiction,
    _basis_without_personal_data,
    _children_unknown,
)
