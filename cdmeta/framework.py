"""The Copenhagen decision: what was declared → outcome, rule, paragraphs.

The rules are those of the Copenhagen Framework on Citizen Data in its version UNSC55-2024. The table `RULES` holds
them in the order in which they are asked; the first that applies decides. Where the text contradicts itself or is
silent, the rule says ASSESS and its paragraphs name the sides. The rules look at few facts: `facts`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Any, NamedTuple

from cdmeta import profile
from cdmeta.facts import Stages, Who, stages_of, who_of
from cdmeta.initiative import (
    CITIZENS_AMONG,
    CIVIC_LED,
    LATER,
    LEVELS,
    MAY_BE_LEFT_OUT,
    NO_STAGE,
    OTHER_LED,
    OTHERS,
    PATHS,
    STAGES,
    Answers,
    Codes,
)
from cdmeta.text import is_missing

OUTCOMES = ("CITIZEN_DATA", "ASSESS", "NOT_CITIZEN_DATA", "OUT_OF_SCOPE", "INSUFFICIENT_INFORMATION")


@dataclass(frozen=True)
class Decision:
    """The Framework's decision on one initiative.

    Attributes:
        outcome: one of OUTCOMES.
        rule: id of the rule that gave it: `R0`, `T1` … `O1`; empty where several rules give the same outcome.
        paragraphs: where in the Framework it rests.
        open: paths of the fields whose answers would settle it; only for INSUFFICIENT_INFORMATION.
        errors: ids of the contradictions declared (`T1`, `T2`, `T3`, `N2`).
        warnings: ids of the consistency findings (`W1` … `W5`).
    """

    outcome: str
    rule: str
    paragraphs: tuple[str, ...] = ()
    open: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """For reports."""
        return {key: list(value) if isinstance(value, tuple) else value for key, value in self.__dict__.items()}


class Case(NamedTuple):
    """All that the rules ask; the attributes are those of `Who` and `Stages`."""

    type: str
    civic: bool
    other: bool
    regular: bool
    response: bool
    science: bool
    spoken_for: bool
    full: bool
    some: bool
    three: bool
    collected: bool
    untouched: bool
    later: bool
    processed: bool

    @property
    def from_civic(self) -> bool:
        """T∈{1,2,3}: citizens or their organisations started it, alone or with others."""
        return self.type in CITIZENS_AMONG

    @property
    def from_others(self) -> bool:
        """T∈{4,5,6}: others started it."""
        return self.type in OTHERS

    @property
    def sufficient(self) -> bool:
        """The highest level of design and collection is 4 or 5."""
        return self.some or self.collected


class Rule(NamedTuple):
    """A rule of the decision: its id, its outcome, where it rests, and when it applies."""

    id: str
    outcome: str
    paragraphs: tuple[str, ...]
    applies: Callable[[Case], bool]


RULES = (
    Rule("R0", "INSUFFICIENT_INFORMATION", (), lambda c: not c.type or not (c.civic or c.other)),
    # Who started it.
    Rule("T1", "ASSESS", ("¶25(1)(2)",), lambda c: c.type in CIVIC_LED and c.other),
    Rule("T2", "ASSESS", ("¶25(3)",), lambda c: c.type == "JOINT" and not (c.civic and c.other)),
    Rule("T3", "ASSESS", ("¶25(4)(5)(6)",), lambda c: c.from_others and not c.other),
    # Regular official collection.
    Rule("G1", "OUT_OF_SCOPE", ("¶17 s.1",), lambda c: c.response and c.from_others and not c.full),
    Rule("G2", "ASSESS", ("¶17 s.1", "¶20", "¶24"), lambda c: c.response and c.from_others and c.full),
    Rule("G3", "ASSESS", ("¶17 s.1", "¶28"), lambda c: c.response and c.from_civic),
    Rule(
        "G4",
        "OUT_OF_SCOPE",
        ("¶20 s.2",),
        lambda c: c.regular and c.from_others and not c.some and not c.three and not c.collected,
    ),
    Rule(
        "G5",
        "ASSESS",
        ("¶20", "Table 1 level 3", "¶24(b)"),
        lambda c: c.regular and c.from_others and not c.some,
    ),
    # Only after collection.
    Rule(
        "S1",
        "OUT_OF_SCOPE",
        ("¶17 s.2",),
        lambda c: c.from_others and c.untouched and c.later and not c.processed,
    ),
    Rule("S2", "ASSESS", ("¶17 s.2",), lambda c: c.from_others and c.untouched and c.processed),
    # Without collaboration.
    Rule("N1", "NOT_CITIZEN_DATA", ("¶29", "¶25(6)"), lambda c: c.type == "NO_COLLAB" and not c.sufficient),
    Rule("N2", "ASSESS", ("¶29", "¶25(6)"), lambda c: c.type == "NO_COLLAB" and c.sufficient),
    # Civic and joint initiatives.
    Rule("C2", "ASSESS", ("¶28", "¶22", "¶30", "Table 2"), lambda c: c.from_civic and not c.sufficient),
    Rule(
        "C3",
        "ASSESS",
        ("¶28", "Table 2 column 3"),
        lambda c: c.type == "JOINT" and not c.full and not c.collected,
    ),
    Rule("C1", "CITIZEN_DATA", ("Box 1", "¶21", "¶28"), lambda c: c.from_civic),
    # Initiated by others.
    Rule("Y1", "CITIZEN_DATA", ("Box 1", "¶21", "¶24(a)", "Table 2"), lambda c: c.full),
    Rule("Y2", "CITIZEN_DATA", ("¶24(b)", "Table 2 columns 4–5 s.2"), lambda c: c.collected and c.science),
    Rule("Y3", "ASSESS", ("Box 1", "¶24", "Table 2", "¶14"), lambda c: c.collected),
    Rule("Y4", "ASSESS", ("¶24(a)",), lambda c: c.some),
    Rule("Y5", "NOT_CITIZEN_DATA", ("¶21", "¶22", "¶24", "¶29"), lambda _: True),
    # Organisations that speak for people: asked where the rules above say yes.
    Rule("O1", "ASSESS", ("¶30",), lambda c: c.spoken_for),
)
"""The first that applies decides; but a yes of C1, Y1 or Y2 gives way to O1 where that applies."""
BY_ID: Mapping[str, Rule] = MappingProxyType({rule.id: rule for rule in RULES})
_ERRORS = ("T1", "T2", "T3", "N2")


def decide(answers: Answers) -> Decision:
    """Decide whether an initiative's data are citizen data.

    An unknown answer may be anything, whichever question it belongs to: levels, `direct`, `representation`,
    `regular` and `response`, and just so the kinds of the actors, tradition, objectives and collectors. To take
    silence about these for "nothing that bears on a rule" would let it get a better outcome than the honest
    answer, for instance where the only partner is a large organisation. Where `partners` is no answer at all,
    CIVIC_ACTION ("No other collaborators", Table 2) and NO_COLLAB say by themselves that there are none; for the
    other types it is unknown.

    If every way to complete the answers gives one outcome, that is the outcome; else it is
    INSUFFICIENT_INFORMATION, and `open` names each unanswered field whose value alone can change the outcome in
    some completion.
    """
    warnings = tuple(key for key, applies in _WARNINGS.items() if applies(answers))
    rules = possible(answers)
    if len({rule.outcome for rule in rules}) > 1 or rules == (BY_ID["R0"],):
        rule = rules[0].id if len(rules) == 1 else ""
        return Decision("INSUFFICIENT_INFORMATION", rule, (), open_questions(answers), (), warnings)
    paragraphs = tuple(dict.fromkeys(place for rule in rules for place in rule.paragraphs))
    rule = rules[0].id if len(rules) == 1 else ""
    return Decision(rules[0].outcome, rule, paragraphs, (), tuple(e for e in _ERRORS if e == rule), warnings)


def possible(answers: Answers) -> tuple[Rule, ...]:
    """The rules that decide in some way to complete the answers, in the order of the table; one where complete."""
    if answers.type is None or not answers.initiators:
        return (BY_ID["R0"],)
    who, stages = who_of(answers), stages_of(answers)
    found = {_first(w, s).id for w in who.values for s in stages.values}
    return tuple(rule for rule in RULES if rule.id in found)


def open_questions(answers: Answers) -> tuple[str, ...]:
    """Paths of the unanswered fields whose value alone can change the outcome in some completion of the others."""
    who, stages = who_of(answers), stages_of(answers)
    required = [name for name in ("type", "initiators") if not getattr(answers, name)]
    matter = {
        *required,
        *(n for n, p in who.pairs.items() if any(_differ((w, s), (v, s)) for w, v in p for s in stages.values)),
        *(n for n, p in stages.pairs.items() if any(_differ((w, s), (w, t)) for s, t in p for w in who.values)),
    }
    return tuple(path for name, path in PATHS.items() if name in matter)


def _differ(one: tuple[Who, Stages], other: tuple[Who, Stages]) -> bool:
    return _first(*one).outcome != _first(*other).outcome


@lru_cache(maxsize=2**14)
def _first(who: Who, stages: Stages) -> Rule:
    case = Case(*who, *stages)
    rule = next(rule for rule in RULES if rule.applies(case))
    speaks = BY_ID["O1"]
    return speaks if rule.outcome == "CITIZEN_DATA" and speaks.applies(case) else rule


# What is declared beside the decision, and does not change it.


def _any_level(answers: Answers, names: Iterable[str], test: Callable[[int], bool]) -> bool:
    levels = answers.known_levels()
    return any(test(levels[name]) for name in names if name in levels)


_WARNINGS: Mapping[str, Callable[[Answers], bool]] = MappingProxyType(
    {
        "W1": lambda a: a.type in CIVIC_LED and _any_level(a, STAGES, lambda rank: rank < 5),
        "W2": lambda a: a.type in OTHER_LED | {"JOINT"} and _any_level(a, STAGES, lambda rank: rank == 5),
        "W3": lambda a: a.type in OTHER_LED and _any_level(a, LATER[:2], lambda rank: rank == 5),
        "W4": lambda a: a.type == "CIVIC_ACTION" and bool(a.partners),
        "W5": lambda a: a.type == "NSO_DRIVEN" and {"NSO", None}.isdisjoint(a.initiators or (None,)),
    }
)


# From a descriptor.


def read(answers: Mapping[str, Any]) -> Answers:
    """Read the answers from the `citizenData` object of a descriptor.

    A value of the wrong shape, a code that is in no list, `_U`, and `_Z` where the stage cannot be left out are no
    answers. Never raises, whatever the JSON.
    """
    levels = answers.get("participation")
    levels = levels if isinstance(levels, Mapping) else {}
    stages = {name: _level_code(name, levels.get(PATHS[name].rsplit(".", 1)[1])) for name in STAGES}
    return Answers(
        type=_code("CL_INITIATIVE_TYPE", answers.get("initiativeType")),
        initiators=_kinds(answers.get("initiators")),
        partners=_kinds(answers.get("partners")),
        tradition=_code("CL_DATA_TRADITION", answers.get("dataTradition")),
        objectives=_codes("CL_OBJECTIVE", answers.get("objectives")),
        collectors=_codes("CL_COLLECTOR_TYPE", answers.get("collectorType")),
        direct=_boolean(answers.get("directInvolvement")),
        representation=_representation(answers.get("representation")),
        regular=_boolean(answers.get("regularOfficial")),
        response=_boolean(answers.get("mainPurposeResponse")),
        **stages,
    )


def _code(codelist: str, value: Any) -> str | None:
    """The code that a value is, or whose short form it is."""
    codes = profile.load().codelists[codelist].codes
    if not isinstance(value, str) or not value:
        return None
    return value if value in codes else next((code.id for code in codes.values() if code.alias == value), None)


def _level_code(name: str, value: Any) -> str | None:
    code = _code("CL_PARTICIPATION_LEVEL", value)
    return code if code in LEVELS or (code == NO_STAGE and name in MAY_BE_LEFT_OUT) else None


def _codes(codelist: str, value: Any) -> Codes | None:
    if not isinstance(value, list) or is_missing(value):
        return None
    return tuple(_code(codelist, entry) for entry in value)


def _kinds(value: Any) -> Codes | None:
    if not isinstance(value, list) or is_missing(value):
        return None
    return tuple(
        _code("CL_ACTOR_KIND", entry.get("kind")) if isinstance(entry, Mapping) else None for entry in value
    )


def _boolean(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


def _representation(value: Any) -> bool | None:
    return _boolean(value.get("adequate") if isinstance(value, Mapping) else value)
