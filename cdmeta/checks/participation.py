"""The Framework's decision on a package, and what contradicts it, as findings (CD2xx)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from cdmeta import profile
from cdmeta.finding import Finding, Where
from cdmeta.framework import Decision, decide, possible, read
from cdmeta.initiative import CIVIC, DESIGN, LATER, PATHS, STAGES, STATE, Answers
from cdmeta.package import DESCRIPTOR, Package
from cdmeta.phrase import SEMICOLON, SENTENCES, Citation, Phrase, Series, first_of, name_of, title_of

_OUTCOMES = {
    "INSUFFICIENT_INFORMATION": "CD201",
    "ASSESS": "CD202",
    "NOT_CITIZEN_DATA": "CD203",
    "OUT_OF_SCOPE": "CD204",
}
_CODES = {
    "T1": "CD211",
    "T2": "CD212",
    "T3": "CD213",
    "N2": "CD214",
    "W1": "CD221",
    "W2": "CD222",
    "W3": "CD223",
    "W4": "CD224",
    "W5": "CD225",
    "E7": "CD226",
    "E8": "CD227",
}
_LEVELS = {
    "N2": ((*DESIGN, "collection"), range(4, 6)),
    "W1": (STAGES, range(5)),
    "W2": (STAGES, range(5, 6)),
    "W3": (LATER[:2], range(5, 6)),
}
"""The stages and ranks that a finding is about."""

_MAX_LISTED = 5


def check(package: Package) -> Iterator[Finding]:
    """Decide by the Framework (UNSC55-2024); CITIZEN_DATA gives no finding of its own."""
    answers = read(package.answers)
    decision = decide(answers)
    yield from _outcome(answers, decision)
    for rule in decision.errors + decision.warnings + tuple(_silent(answers)):
        yield Finding(_CODES[rule], Where(DESCRIPTOR, _pointer(rule, answers)), _params(rule, answers))


def _outcome(answers: Answers, decision: Decision) -> Iterator[Finding]:
    code = _OUTCOMES.get(decision.outcome)
    if code is None:
        return
    rules = possible(answers)
    params: dict[str, Any] = {
        "rule": "/".join(rule.id for rule in rules),
        "reasons": Series(tuple(Phrase(f"rule.{rule.id}") for rule in rules), SENTENCES),
        "paragraphs": Citation(", ".join(decision.paragraphs)),
        "open": _listed(decision.open),
    }
    first = decision.open[0] if decision.open else "citizenData"
    yield Finding(code, Where(DESCRIPTOR, "/" + first.split("[]")[0].replace(".", "/")), params)


def _silent(answers: Answers) -> Iterator[str]:
    """Where the text knows no type for an initiative: beside citizens there is no office and no other state body.

    ¶25(2) and ¶25(3) name state actors only, and "no other collaborators" (Table 2) bars type 1.
    """
    initiators, partners = answers.initiators or (), answers.partners or ()
    everybody = {*initiators, *partners}
    if None in everybody or not STATE.isdisjoint(everybody):
        return
    if answers.type == "CIVIC_DRIVEN" and partners and CIVIC.issuperset(initiators):
        yield "E7"
    if answers.type == "JOINT" and not CIVIC.issuperset(initiators) and not CIVIC.isdisjoint(initiators):
        yield "E8"


def _listed(paths: tuple[str, ...]) -> Series:
    """The first fields, and how many more; all of them are in the decision itself."""
    named = [Phrase("code.named", {"name": title_of(path), "code": path.replace("[]", "")}) for path in paths]
    return first_of(named, _MAX_LISTED, SEMICOLON)


def _pointer(rule: str, answers: Answers) -> str:
    if rule == "T1":
        return f"/citizenData/initiators/{_stranger(answers)}/kind"
    if rule in ("T2", "W5", "E8"):
        return "/citizenData/initiators"
    if rule in ("W4", "E7"):
        return "/citizenData/partners"
    if rule in _LEVELS:
        return "/" + PATHS[_concerned(rule, answers)[0]].replace(".", "/")
    return "/citizenData/initiativeType"


def _params(rule: str, answers: Answers) -> dict[str, Any]:
    params: dict[str, Any] = {"type": _named("CL_INITIATIVE_TYPE", answers.type)}
    if rule == "T1":
        params["kind"] = _named("CL_ACTOR_KIND", (answers.initiators or ())[_stranger(answers)])
    if rule in _LEVELS:
        params["levels"] = Series(tuple(title_of(PATHS[name]) for name in _concerned(rule, answers)))
    return params


def _stranger(answers: Answers) -> int:
    """The place of the first initiator that is known not to be civic."""
    kinds = answers.initiators or ()
    return next(place for place, kind in enumerate(kinds) if kind is not None and kind not in CIVIC)


def _concerned(rule: str, answers: Answers) -> list[str]:
    stages, ranks = _LEVELS[rule]
    return _within(answers.known_levels(), stages, ranks)


def _within(levels: dict[str, int], stages: Iterable[str], ranks: range) -> list[str]:
    return [name for name in stages if levels.get(name) in ranks]


def _named(codelist: str, code: str | None) -> Phrase | str:
    if code is None or code not in profile.load().codelists[codelist].codes:
        return "?"
    return Phrase("code.named", {"name": name_of(codelist, code), "code": code})
