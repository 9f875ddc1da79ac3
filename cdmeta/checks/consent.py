"""Consent and ethics, as far as the descriptor tells (CD3xx).

The rules rest on Principles 3, 8 and 9 of the Framework, not on one country's law. Consent is described for the
data set as a whole; records of who agreed never belong into a package.

What is merely not answered is for the descriptor check to tell. The rules here speak of emptiness only where it is
the point of the rule: no basis (C01), no law named (C20), no jurisdiction (C21).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from cdmeta.finding import Finding, Where
from cdmeta.initiative import STATE
from cdmeta.package import DESCRIPTOR, Package
from cdmeta.phrase import Phrase, name_of
from cdmeta.profile import WITHHELD
from cdmeta.text import is_missing

NO_PERSONAL_DATA = "NO_PERSONAL_DATA"
NO_BASIS = frozenset({"NONE", "_U"})
"""Codes of CL_CONSENT_BASIS that name no basis; DPV holds unknown consent to be invalid for processing."""
LAWS = ("STAT_LAW", "PUBLIC_INTEREST", "LEGAL_OBLIGATION")
ASKED = (
    "CONSENT_EXPLICIT",
    "CONSENT_EXPRESSED",
    "CONSENT_GUARDIAN",
    "CONSENT_ASSENT",
    "MATURE_MINOR",
    "CONSENT_COMMUNITY",
    "CONSENT_IMPLIED",
)
"""Codes that say that somebody was asked, in whatever way."""
_WITHOUT_ASKING = frozenset({*LAWS, "LEGIT_INTEREST", "VITAL_INTEREST", "PUBLIC_RECORD"})
_BY_ONE = frozenset(ASKED) - {"CONSENT_COMMUNITY", "CONSENT_IMPLIED"}
"""Agreement that single persons expressed."""
_OF_CHILDREN = frozenset({"CONSENT_ASSENT", "MATURE_MINOR"})
"""Agreement that only young people give, whatever `minors` says."""
_BEYOND_CONTRIBUTORS = ("ORDINARY", "SENSITIVE", "_U")
_FIT_FOR_SENSITIVE = frozenset({"CONSENT_EXPLICIT", "CONSENT_GUARDIAN", "STAT_LAW", "PUBLIC_INTEREST"})
RECORDS = ("ANON_MICRO", "PSEUDONYMISED_MICRO", "IDENTIFIABLE")
"""Forms of release in which each record is a person."""
OPEN_TO_ALL = ("OPEN", "REGISTERED")
"""Codes of CL_ACCESS by which anybody may have the data."""
_COUNTRY = re.compile(r"([A-Z]{2})(-[A-Z0-9]{1,3})?")
"""ISO 3166-1 alpha-2, or ISO 3166-2, which begins with it."""
_MAX_PLACE = 60
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

    def named(self, name: str, codelist: str) -> Phrase | str:
        """The answer to a field with a code list, by its name."""
        return name_of(codelist, str(self.raw.get(name)))

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
    def people_were_asked(self) -> bool:
        """Data about people rest on somebody's consent, among other things or alone."""
        return self.about_people and any(code in ASKED for code in self.basis)

    @property
    def nobody_agreed(self) -> bool:
        """Data about people, and no person is said to have agreed.

        The terms for contributors are an agreement only where nobody else is in the data.
        """
        agreed = _BY_ONE | ({"CONTRIBUTOR_TERMS"} if self.personal == "CONTRIBUTORS" else set())
        return self.about_people and agreed.isdisjoint(self.basis)

    @property
    def about_others(self) -> bool:
        """The data are, or may be, about more people than those who contributed."""
        return self.personal in _BEYOND_CONTRIBUTORS

    @cached_property
    def regions(self) -> tuple[str, ...]:
        """ISO 3166-1 alpha-2 codes of the countries that the answers name."""
        named = (*self.codes("jurisdiction"), *self.codes("geography"))
        found = (_COUNTRY.fullmatch(code.strip()) for code in named)
        return tuple(dict.fromkeys(match[1] for match in found if match))

    def codes(self, name: str) -> tuple[str, ...]:
        """An answer that is a list of codes, or of texts; empty where there is none."""
        return tuple(_strings(self.raw.get(name)))

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


def finding(code: str, name: str, **params: str | Phrase) -> Finding:
    """A finding on an answer of `citizenData`."""
    return Finding(code, Where(DESCRIPTOR, f"/citizenData/{name}"), params)


def _listed(codes: tuple[str, ...]) -> str:
    return ", ".join(codes)


def _no_basis(consent: Consent) -> Iterator[Finding]:
    """C01."""
    if consent.about_people and NO_BASIS.issuperset(consent.basis):
        yield finding("CD301", "consentBasis", personal=str(consent.personal))


def _no_personal_data_but_some(consent: Consent) -> Iterator[Finding]:
    """C02."""
    if consent.about_people and NO_PERSONAL_DATA in consent.basis:
        yield finding("CD302", "consentBasis", personal=str(consent.personal))


def _basis_without_personal_data(consent: Consent) -> Iterator[Finding]:
    """C02, the converse."""
    if consent.personal == "NONE" and consent.basis and NO_PERSONAL_DATA not in consent.basis:
        yield finding("CD322", "consentBasis", basis=_listed(consent.basis))


def _exclusive_codes(consent: Consent) -> Iterator[Finding]:
    """C03."""
    alone = tuple(code for code in consent.basis if code == NO_PERSONAL_DATA or code in NO_BASIS)
    if alone and len(consent.basis) > 1:
        yield finding("CD303", "consentBasis", basis=_listed(alone))


def _too_weak_for_sensitive(consent: Consent) -> Iterator[Finding]:
    """C04."""
    vital = "VITAL_INTEREST" in consent.basis and consent.tells("consentNote")
    fit = vital or consent.young_people_decide or not _FIT_FOR_SENSITIVE.isdisjoint(consent.basis)
    if consent.personal == "SENSITIVE" and consent.basis and not fit:
        yield finding("CD304", "consentBasis", basis=_listed(consent.basis))


def _identifiable_release(consent: Consent) -> Iterator[Finding]:
    """C05."""
    if consent.says("releaseForm", "IDENTIFIABLE"):
        yield finding("CD305", "releaseForm")


def _children_without_guardian(consent: Consent) -> Iterator[Finding]:
    """C09."""
    by_law = {"STAT_LAW", "CONSENT_ASSENT"}.issubset(consent.basis)
    guarded = "CONSENT_GUARDIAN" in consent.basis or consent.young_people_decide or by_law
    children = consent.says("minors", "YES") or not _OF_CHILDREN.isdisjoint(consent.basis)
    if children and consent.basis and not guarded:
        yield finding("CD309", "minors")


def _children_unknown(consent: Consent) -> Iterator[Finding]:
    """C09, where it is not known."""
    if consent.says("minors", "_U") and consent.about_people:
        yield finding("CD323", "minors")


def _law_without_name_or_body(consent: Consent) -> Iterator[Finding]:
    """C20."""
    laws = tuple(code for code in consent.basis if code in LAWS)
    named, acts = consent.tells("legalBasisNote"), not _BODIES_UNDER_A_LAW.isdisjoint(consent.kinds)
    if laws and not named:
        yield finding("CD320", "legalBasisNote", basis=_listed(laws), reason=Phrase("consent.no_law"))
    if laws and not acts:
        yield finding("CD320", "initiators", basis=_listed(laws), reason=Phrase("consent.no_body"))


def _no_jurisdiction(consent: Consent) -> Iterator[Finding]:
    """C21."""
    if consent.about_people and not consent.tells("jurisdiction"):
        yield finding("CD321", "jurisdiction")


def _not_informed(consent: Consent) -> Iterator[Finding]:
    """C07."""
    if consent.people_were_asked and consent.says("consentInformed", "NO"):
        yield finding("CD307", "consentInformed")
    if consent.people_were_asked and consent.says("consentInformed", "PARTIAL", "_U", "_Z"):
        yield finding("CD324", "consentInformed", informed=consent.named("consentInformed", "CL_CONSENT_INFORMED"))


def _no_withdrawal(consent: Consent) -> Iterator[Finding]:
    """C08."""
    if consent.people_were_asked and consent.says("consentWithdrawal", "NOT_POSSIBLE", "_U", "_Z"):
        told = consent.named("consentWithdrawal", "CL_CONSENT_WITHDRAWAL")
        yield finding("CD308", "consentWithdrawal", withdrawal=told)


def _law_in_place_of_consent(consent: Consent) -> Iterator[Finding]:
    """C10; that records are all there is has a rule of its own (C16)."""
    basis = tuple(code for code in consent.basis if code != "CONTRIBUTOR_TERMS")
    only = _WITHOUT_ASKING.issuperset(basis) and basis not in ((), ("PUBLIC_RECORD",))
    if consent.nobody_agreed and only and not consent.tells("consentNote"):
        yield finding("CD310", "consentNote", basis=_listed(basis))


def _civic_under_statistics_law(consent: Consent) -> Iterator[Finding]:
    """C11; that no body at all acts under the law is C20's to tell."""
    civic = consent.says("initiativeType", "CIVIC_ACTION", "CIVIC_DRIVEN")
    if civic and "STAT_LAW" in consent.basis and STATE.isdisjoint(consent.kinds) and "ACADEMIA" in consent.kinds:
        yield finding("CD311", "consentBasis")


def _indigenous_without_authority(consent: Consent) -> Iterator[Finding]:
    """C13."""
    decided = "CONSENT_COMMUNITY" in consent.basis or any(
        consent.tells(name) for name in ("communityLabels", "governanceBody")
    )
    if "INDIGENOUS" in consent.codes("populationGroups") and not decided:
        yield finding("CD313", "governanceBody")


def _from_records(consent: Consent) -> Iterator[Finding]:
    """C16."""
    if consent.about_people and "PUBLIC_RECORD" in consent.basis:
        yield finding("CD316", "consentBasis")


def _community_alone(consent: Consent) -> Iterator[Finding]:
    """C17."""
    if consent.nobody_agreed and "CONSENT_COMMUNITY" in consent.basis:
        yield finding("CD317", "consentBasis")


def _implied_alone(consent: Consent) -> Iterator[Finding]:
    """C18."""
    if consent.nobody_agreed and "CONSENT_IMPLIED" in consent.basis:
        yield finding("CD318", "consentBasis")


def _terms_for_others(consent: Consent) -> Iterator[Finding]:
    """C19."""
    if consent.basis == ("CONTRIBUTOR_TERMS",) and consent.about_others:
        yield finding("CD319", "consentBasis", personal=str(consent.personal))


def _no_country(consent: Consent) -> Iterator[Finding]:
    """C21, what is named: by the code of a country its phone and identity numbers are known."""
    for place in consent.codes("jurisdiction"):
        if place != WITHHELD and not _COUNTRY.fullmatch(place):
            yield finding("CD327", "jurisdiction", place=place[:_MAX_PLACE])
            return


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
    _not_informed,
    _no_withdrawal,
    _law_in_place_of_consent,
    _civic_under_statistics_law,
    _indigenous_without_authority,
    _from_records,
    _community_alone,
    _implied_alone,
    _terms_for_others,
    _no_country,
)
