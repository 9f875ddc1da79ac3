"""What is released, against what people and communities agreed to (CD3xx).

Consent is to uses: what was not agreed to must not happen to the data (Principle 3), and identifying information
is never made public (Principle 9).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from cdmeta.checks.consent import OPEN_TO_ALL, RECORDS, Consent, finding, read
from cdmeta.finding import Finding
from cdmeta.licence import find, names
from cdmeta.package import Package
from cdmeta.profile import WITHHELD

_COVERED_BY = {
    "AGGREGATE": frozenset({"PUBLISH_AGG", "PUBLISH_MICRO", "REUSE_ANY"}),
    "ANON_MICRO": frozenset({"PUBLISH_MICRO"}),
    "PSEUDONYMISED_MICRO": frozenset(
        {"PUBLISH_MICRO", "SHARE_PARTNERS", "SHARE_NSO", "REUSE_RESEARCH", "REUSE_ANY"}
    ),
}
"""Form of release → the uses that cover it; whoever may see records may make tables of them."""
_TO_AN_OFFICE = frozenset({"SHARE_NSO", "PUBLISH_AGG", "PUBLISH_MICRO", "REUSE_ANY"})
_NAMES = r"(community[ -]use[ -]only|secret( ?/ ?|-)sacred)"
_CLOSED_LABEL = re.compile(
    rf"(TK[ _:-]*)?(label[ _:-]*)?(CO|SS|{_NAMES}( \(.*\))?)|https?://\S*/(tk-)?{_NAMES}/?", re.IGNORECASE
)
"""TK Community Use Only and TK Secret / Sacred: short names, names and pages (Local Contexts, TK Labels)."""


def check(package: Package) -> Iterator[Finding]:
    """Ask all rules of the release."""
    consent = read(package.answers)
    for rule in RULES:
        yield from rule(consent)
    yield from _licence_beyond_scope(consent, package.descriptor.get("licenses"))


def _open_pseudonyms(consent: Consent) -> Iterator[Finding]:
    """C06."""
    if consent.says("releaseForm", "PSEUDONYMISED_MICRO") and consent.says("accessRights", *OPEN_TO_ALL):
        yield finding("CD306", "releaseForm", access=consent.named("accessRights", "CL_ACCESS"))


def _beyond_scope(consent: Consent) -> Iterator[Finding]:
    """C12, the form of release."""
    scope, form = consent.codes("consentScope"), consent.raw.get("releaseForm")
    covered = _COVERED_BY.get(form) if isinstance(form, str) else None
    if consent.about_people and scope and covered and covered.isdisjoint(scope):
        told = consent.named("releaseForm", "CL_RELEASE_FORM")
        yield finding("CD312", "consentScope", form=told, scope=", ".join(scope))


def _not_for_an_office(consent: Consent) -> Iterator[Finding]:
    """C12, handing the data over to an office; what nobody agreed to publish is told above."""
    scope = consent.codes("consentScope")
    data = consent.says("releaseForm", *_COVERED_BY)
    if consent.about_people and data and scope and _TO_AN_OFFICE.isdisjoint(scope):
        yield finding("CD325", "consentScope", scope=", ".join(scope))


def _no_scope(consent: Consent) -> Iterator[Finding]:
    """C12, where it is not said what people agreed to."""
    if consent.people_were_asked and not consent.codes("consentScope"):
        yield finding("CD326", "consentScope")


def _closed_by_the_community(consent: Consent) -> Iterator[Finding]:
    """C14; who decides is the community, so what it decided is written down, and neither guessed nor withheld."""
    closed = [label for label in consent.codes("communityLabels") if _CLOSED_LABEL.fullmatch(label.strip())]
    decided = consent.tells("governanceBody") and not consent.says("governanceBody", WITHHELD)
    if closed and consent.says("accessRights", "OPEN") and not decided:
        yield finding("CD314", "communityLabels", labels=", ".join(closed))


def _licence_beyond_scope(consent: Consent, licenses: Any) -> Iterator[Finding]:
    """C15, of records: a table holds nobody's answers, and an open licence for it takes nothing from anybody."""
    scope = consent.codes("consentScope")
    given = [licence for licence in map(find, names(licenses)) if licence and licence.commercial]
    goes_too_far = bool(scope and given) and "REUSE_ANY" not in scope
    if goes_too_far and consent.people_were_asked and consent.says("releaseForm", *RECORDS):
        yield finding("CD315", "consentScope", licence=given[0].id)


RULES = (_open_pseudonyms, _beyond_scope, _not_for_an_office, _no_scope, _closed_by_the_community)
