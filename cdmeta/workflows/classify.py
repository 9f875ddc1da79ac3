"""`cdmeta classify`: the Framework's decision on a package, and which answers would change or settle it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

from cdmeta import profile
from cdmeta.checks import participation
from cdmeta.finding import Finding
from cdmeta.framework import Decision, Rule, decide, possible, read
from cdmeta.initiative import LEVELS, NO_LAY_COLLECTORS, PATHS, STAGES, TYPES, Answers
from cdmeta.package import load
from cdmeta.text import printable


@dataclass(frozen=True)
class Change:
    """One answer whose change alone changes the outcome.

    Attributes:
        path: path of the field.
        now: the answer as it is; None where there is none.
        then: the nearest answer with another outcome.
        outcome, rule: what the decision would be; `rule` is empty where several rules give that outcome.
    """

    path: str
    now: Any
    then: Any
    outcome: str
    rule: str


@dataclass(frozen=True)
class Classification:
    """The decision on one package, with what explains it.

    Attributes:
        source: the path as the caller gave it.
        name: the package's name; empty where it has none.
        decision: the decision; None where the descriptor could not be read.
        rules: the rules that may have given the outcome: one, unless answers are open that do not bear on it.
        changes: see `changes`.
        findings: contradictions and what is worth a second look; or why the descriptor could not be read.
    """

    source: str
    name: str
    decision: Decision | None
    rules: tuple[Rule, ...] = ()
    changes: tuple[Change, ...] = ()
    findings: tuple[Finding, ...] = ()

    def as_dict(self, language: str = "en") -> dict[str, Any]:
        """For programs; `outcome` and `rule` are None where there is no decision."""
        decision = self.decision.as_dict() if self.decision else {"outcome": None, "rule": None}
        return {
            "source": printable(self.source),
            "name": printable(self.name),
            "framework": profile.FRAMEWORK,
            **decision,
            "rules": [rule.id for rule in self.rules],
            "changes": [change.__dict__ for change in self.changes],
            "findings": [
                {"code": f.code, "where": f.where.as_dict(), "message": f.message(language)} for f in self.findings
            ],
        }


def classify(path: str | Path) -> Classification:
    """Decide on a package by what its descriptor declares; its rows are not looked at.

    Raises:
        PackageError: there is no package at the path.
    """
    package = load(path)
    name = package.descriptor.get("name")
    title = name if isinstance(name, str) else ""
    if not package.readable:
        return Classification(package.source, title, None, findings=package.findings)
    answers = read(package.answers)
    notes = tuple(f for f in participation.check(package) if f.rule.id)
    return Classification(
        package.source, title, decide(answers), possible(answers), tuple(changes(answers)), notes
    )


def changes(answers: Answers) -> Iterator[Change]:
    """For each single answer, the nearest other one that changes the outcome.

    Where the outcome is open, only the unanswered fields: for each outcome to which an answer alone would settle
    it, the first such answer. What would only open further questions, or contradict other answers, is left out.
    """
    decision = decide(answers)
    for name in _IN_ORDER:
        if PATHS[name] in decision.open:
            yield from _changes_of(answers, name, decision.outcome)
        elif not decision.open and getattr(answers, name) is not None:
            yield from islice(_changes_of(answers, name, decision.outcome), 1)


_IN_ORDER = (*STAGES, *(name for name in PATHS if name not in STAGES))
_CONTRADICTIONS = {"T1", "T2", "T3", "N2"}


def _changes_of(answers: Answers, name: str, present: str) -> Iterator[Change]:
    now = getattr(answers, name)
    seen = {present}
    for then in _candidates(name, now):
        rules = possible(replace(answers, **{name: then}))
        outcome, *more = {rule.outcome for rule in rules}
        if more or outcome in seen or not _CONTRADICTIONS.isdisjoint(rule.id for rule in rules):
            continue
        seen.add(outcome)
        yield Change(PATHS[name], _plain(now), _plain(then), outcome, rules[0].id if len(rules) == 1 else "")


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _candidates(name: str, now: Any) -> Iterable[Any]:
    """The other answers that a field may have, nearest first, as far as the rules tell them apart."""
    if name in STAGES:
        return _by_distance(LEVELS, now)
    if name == "type":
        return _by_distance(TYPES, now)
    if name == "tradition":
        return [code for code in ("CITIZEN_SCIENCE", "_O") if code != now]
    if name in ("initiators", "partners"):
        return _other_kinds(now or (None,))
    if name == "objectives":
        return [tuple(code for code in now or () if code != "SCIENCE"), (*(now or ()), "SCIENCE")]
    if name == "collectors":
        staff = tuple(code for code in now or () if code in NO_LAY_COLLECTORS)
        return [(*(now or ()), "COMMUNITY_MEMBER"), staff or ("PAID_ENUMERATOR",)]
    return [value for value in (True, False) if value != now]


def _by_distance(scale: tuple[str, ...], now: str | None) -> list[str]:
    """Other codes of a list in order, nearest first, the higher before the lower."""
    if now not in scale:
        return list(scale)
    here = scale.index(now)
    return sorted(
        (code for code in scale if code != now), key=lambda code: (abs(scale.index(code) - here), code < now)
    )


def _other_kinds(now: tuple[str | None, ...]) -> Iterator[tuple[str | None, ...]]:
    """With another kind for one actor: for one whose kind is unknown, where there is such a one."""
    kinds = profile.load().codelists["CL_ACTOR_KIND"].codes
    places = [place for place, kind in enumerate(now) if kind is None] or range(len(now))
    for place in places:
        yield from ((*now[:place], kind, *now[place + 1 :]) for kind in kinds if kind != now[place])
