"""What a statistical office asks before it takes data (CD341, CD344, CD345).

Domain: the gateway of an office (field table, row 46a), disclosure check D23, and paradata on response (row 56).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from cdmeta.checks.consent import finding
from cdmeta.checks.principles import Case, columns, has_no_safeguard, is_chosen_without_lot, read
from cdmeta.finding import Finding, Where
from cdmeta.package import DESCRIPTOR, Package, Resource
from cdmeta.phrase import Phrase, Series, title_of

BASE = "BASE_N"
"""SDMX id of a column with the unweighted count behind each figure."""
_RANDOM = ("PROB_SIMPLE", "PROB_COMPLEX")
_DECIMAL = "number"
_WHOLE = "integer"


def check(package: Package) -> Iterator[Finding]:
    """Ask all rules of the gate."""
    case = read(package)
    for rule in RULES:
        yield from rule(case)


def _needed(case: Case) -> Iterator[Finding]:
    """One finding an answer that is missing."""
    for names, applies in NEEDED:
        if applies(case) and not any(map(case.tells, names)):
            named = [Phrase("code.named", {"name": title_of(f"citizenData.{n}"), "code": n}) for n in names]
            where = Where(DESCRIPTOR, f"/citizenData/{names[0]}")
            yield Finding("CD341", where, {"names": Series(tuple(named), "list.or")})


def _anywhere(_: Case) -> bool:
    return True


def _where_units_are_chosen(case: Case) -> bool:
    """Where nothing was chosen there is no list; where no lot decided, CD333 asks who is missing."""
    return not case.consent.says("samplingMethod", "_Z") and not is_chosen_without_lot(case)


def _where_people_are_concerned(case: Case) -> bool:
    """Where the data are sensitive and nobody looked at the risks at all, CD339 says so."""
    return case.consent.about_people and not has_no_safeguard(case)


NEEDED: tuple[tuple[tuple[str, ...], Callable[[Case], bool]], ...] = (
    (("revisions",), _anywhere),
    (("conflictOfInterest",), _anywhere),
    (("frame",), _where_units_are_chosen),
    (("qualityAssessment", "nsoAssessment"), _anywhere),
    (("ethicsReview",), _where_people_are_concerned),
)
"""The answers that an office needs, any of those that stand together, and where it needs them."""


def _no_base(case: Case) -> Iterator[Finding]:
    """D23: what a threshold is compared with is the number of people, not a share of them or a weighted count."""
    figures_of_people = case.consent.about_others and case.consent.says("releaseForm", "AGGREGATE")
    if not figures_of_people or case.tells("baseCounts"):
        return
    for resource in case.package.resources:
        figures = _derived(resource, weighted=case.tells("weighting"))
        if figures and not any(_sdmx(entry).get("id") == BASE for _, entry in columns(resource)):
            where = Where(DESCRIPTOR, f"{resource.pointer}/schema", resource.name)
            yield Finding("CD344", where, {"resource": resource.name, "fields": ", ".join(figures)})


def _derived(resource: Resource, *, weighted: bool) -> list[str]:
    """The columns of shares, means and rates, and of all figures where these are weighted.

    Where no column is declared as figures, each with decimals is taken for one.
    """
    entries = [entry for _, entry in columns(resource)]
    declared = [entry for entry in entries if _sdmx(entry).get("role") == "measure"]
    figures = declared or [entry for entry in entries if entry.get("type") == _DECIMAL]
    kinds = (_DECIMAL, _WHOLE) if weighted else (_DECIMAL,)
    return [str(entry["name"]) for entry in figures if entry.get("type") in kinds or _unit(entry) == "PERCENT"]


def _sdmx(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    own = entry.get("sdmx")
    return own if isinstance(own, Mapping) else {}


def _unit(entry: Mapping[str, Any]) -> Any:
    unit = _sdmx(entry).get("unit")
    return unit.get("code") if isinstance(unit, Mapping) else None


def _no_response(case: Case) -> Iterator[Finding]:
    """From the number invited an office works out the rate itself."""
    told = case.tells("responseRate") or case.tells("invitedCount")
    if case.consent.says("samplingMethod", *_RANDOM) and not told:
        yield finding("CD345", "responseRate", method=case.consent.named("samplingMethod", "CL_SAMPLING"))


RULES = (_needed, _no_base, _no_response)
