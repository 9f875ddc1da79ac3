"""The Copenhagen decision: what was declared → outcome, rule, paragraphs.

The rules are those of the Copenhagen Framework on Citizen Data in its version UNSC55-2024. The table `RULES` holds
them in the order in which they are asked; the first that applies decides. Where the text contradicts itself or is
silent, the rule says ASSESS and its paragraphs name the sides.

The rules look at few facts (`Who`, `Stages`), so incomplete answers need no walk through all the ways to complete
them: `_Could` carries, for each part of the answers, the facts that are possible, and, for each open question, the
pairs of facts that differ by its answer alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache, reduce
from itertools import combinations, pairwise
from types import MappingProxyType
from typing import Any, Generic, NamedTuple, TypeVar

from cdmeta import profile
from cdmeta.text import is_missing

OUTCOMES = ("CITIZEN_DATA", "ASSESS", "NOT_CITIZEN_DATA", "OUT_OF_SCOPE", "INSUFFICIENT_INFORMATION")

TYPES = ("CIVIC_ACTION", "CIVIC_DRIVEN", "JOINT", "NSO_DRIVEN", "OTHER_DRIVEN", "NO_COLLAB")
"""CL_INITIATIVE_TYPE, ¶25(1) to (6)."""
LEVELS = ("NOT_INVOLVED", "L1", "L2", "L3", "L4", "L5")
"""CL_PARTICIPATION_LEVEL without `_Z` and `_U`; a level's place is its rank (Table 1)."""
NO_STAGE = "_Z"
CSOS = frozenset({"CSO_COMMUNITY", "CSO_LARGE"})
CIVIC = CSOS | {"CITIZENS", "COMMUNITY", "INDIGENOUS_BODY"}
STATE = frozenset({"NSO", "STATE_AGENCY"})
NO_LAY_COLLECTORS = frozenset({"SELF", "SENSOR", "OFFICIAL_STAFF", "PAID_ENUMERATOR", "RESEARCHER"})
"""Collectors who are no citizens taking part in collection."""

_CIVIC_LED = frozenset({"CIVIC_ACTION", "CIVIC_DRIVEN"})
_CITIZENS_AMONG = _CIVIC_LED | {"JOINT"}
_OTHER_LED = frozenset({"NSO_DRIVEN", "OTHER_DRIVEN"})
_OTHERS = _OTHER_LED | {"NO_COLLAB"}
_ALONE = frozenset({"CIVIC_ACTION", "NO_COLLAB"})
"""Types that say by themselves that nobody else takes part."""

Codes = tuple[str | None, ...]


@dataclass(frozen=True)
class Answers:
    """The answers that the decision rests on; None is no answer, and so is a None inside a list.

    Attributes:
        type: code of CL_INITIATIVE_TYPE.
        initiators: kinds of the initiators, codes of CL_ACTOR_KIND.
        partners: kinds of the partners; an empty tuple says that there are none.
        design_objectives, design_partnerships, design_methods, design_access_use, collection, processing,
            dissemination, uptake, review: codes of CL_PARTICIPATION_LEVEL; `_Z`, the stage did not take place, for
            `design_partnerships` and the four stages behind `collection` only.
        tradition: code of CL_DATA_TRADITION.
        objectives: codes of CL_OBJECTIVE.
        collectors: codes of CL_COLLECTOR_TYPE.
        direct: the people concerned take part themselves.
        representation: the organisation adequately represents the groups concerned.
        regular: part of a regular census or survey of an NSO or other state agency.
        response: its main purpose in engaging citizens is the response rate or inclusiveness.
    """

    type: str | None = None
    initiators: Codes | None = None
    partners: Codes | None = None
    design_objectives: str | None = None
    design_partnerships: str | None = None
    design_methods: str | None = None
    design_access_use: str | None = None
    collection: str | None = None
    processing: str | None = None
    dissemination: str | None = None
    uptake: str | None = None
    review: str | None = None
    tradition: str | None = None
    objectives: Codes | None = None
    collectors: Codes | None = None
    direct: bool | None = None
    representation: bool | None = None
    regular: bool | None = None
    response: bool | None = None

    def known_levels(self) -> dict[str, int]:
        """The ranks of the levels that are known, by the name of their attribute, in the order of the stages."""
        codes = {name: getattr(self, name) for name in STAGES}
        return {name: LEVELS.index(code) for name, code in codes.items() if code in LEVELS}


DESIGN = ("design_objectives", "design_partnerships", "design_methods", "design_access_use")
LATER = ("processing", "dissemination", "uptake", "review")
STAGES = (*DESIGN, "collection", *LATER)
_MAY_BE_LEFT_OUT = frozenset({"design_partnerships", *LATER})

PATHS: Mapping[str, str] = MappingProxyType(
    {
        "type": "citizenData.initiativeType",
        "initiators": "citizenData.initiators[].kind",
        "partners": "citizenData.partners[].kind",
        "design_objectives": "citizenData.participation.designObjectives",
        "design_partnerships": "citizenData.participation.designPartnerships",
        "design_methods": "citizenData.participation.designMethods",
        "design_access_use": "citizenData.participation.designAccessUse",
        "collection": "citizenData.participation.collection",
        "processing": "citizenData.participation.processing",
        "dissemination": "citizenData.participation.dissemination",
        "uptake": "citizenData.participation.uptake",
        "review": "citizenData.participation.review",
        "tradition": "citizenData.dataTradition",
        "objectives": "citizenData.objectives",
        "collectors": "citizenData.collectorType",
        "direct": "citizenData.directInvolvement",
        "representation": "citizenData.representation.adequate",
        "regular": "citizenData.regularOfficial",
        "response": "citizenData.mainPurposeResponse",
    }
)
"""Where each answer stands in the descriptor."""


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


class Who(NamedTuple):
    """What the rules ask about who takes part and why; what they do not ask of a type is False for it.

    Attributes:
        type: code of CL_INITIATIVE_TYPE.
        civic: a civic kind is among the initiators.
        other: a kind that is not civic is among the initiators.
        regular: part of a regular official collection, and an initiator or partner is a state kind.
        response: `regular`, and mainly for the response rate or inclusiveness.
        science: citizen science that researchers or a scientific objective bear out, and people who are neither
            respondents nor staff collect (Table 2, columns 4 and 5, second sentence).
        spoken_for: only organisations stand for the people concerned, and these do not take part themselves, or a
            large one does not adequately represent them (¶30).
    """

    type: str
    civic: bool
    other: bool
    regular: bool
    response: bool
    science: bool
    spoken_for: bool


class Stages(NamedTuple):
    """What the rules ask about the levels in the stages of the value chain.

    Attributes:
        full: every design sub-stage that took place is at level 4 or 5.
        some: at least one is.
        three: at least one is at level 3.
        collected: collection is at level 4 or 5.
        untouched: all design sub-stages and collection are at level 1 or below.
        later: `untouched`, and a stage behind collection is at level 2 or above.
        processed: `untouched`, and processing is at level 4 or 5.
    """

    full: bool
    some: bool
    three: bool
    collected: bool
    untouched: bool
    later: bool
    processed: bool


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
        return self.type in _CITIZENS_AMONG

    @property
    def from_others(self) -> bool:
        """T∈{4,5,6}: others started it."""
        return self.type in _OTHERS

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
    Rule("T1", "ASSESS", ("¶25(1)(2)",), lambda c: c.type in _CIVIC_LED and c.other),
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
    who, stages = _who(answers), _stages(answers)
    found = {_first(w, s).id for w in who.values for s in stages.values}
    return tuple(rule for rule in RULES if rule.id in found)


def open_questions(answers: Answers) -> tuple[str, ...]:
    """Paths of the unanswered fields whose value alone can change the outcome in some completion of the others."""
    who, stages = _who(answers), _stages(answers)
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


# What could be: the facts that incomplete answers leave possible.

A = TypeVar("A")
B = TypeVar("B")
R = TypeVar("R")


class _Could(Generic[A]):
    """The facts that a part of the answers leaves possible.

    Attributes:
        values: each possible fact.
        pairs: for each unanswered field, pairs of facts that differ by its answer alone. A field's values form a
            chain, not all pairs: where two ends of a chain differ, two neighbours do.
    """

    def __init__(self, values: Iterable[A], pairs: Mapping[str, set[tuple[A, A]]]) -> None:
        self.values = tuple(dict.fromkeys(values))
        self.pairs = pairs


def _field(name: str, values: Iterable[A]) -> _Could[A]:
    could = _Could(values, {})
    chain = set(pairwise(could.values))
    return _Could(could.values, {name: chain} if chain else {})


def _join(fact: Callable[[A, B], R], left: _Could[A], right: _Could[B]) -> _Could[R]:
    """What two parts that are answered independently leave possible together."""
    facts = {(a, b): fact(a, b) for a in left.values for b in right.values}
    pairs: dict[str, set[tuple[R, R]]] = {}
    for name, chain in left.pairs.items():
        pairs[name] = {(facts[a, b], facts[c, b]) for a, c in chain for b in right.values}
    for name, links in right.pairs.items():
        pairs[name] = {(facts[a, b], facts[a, d]) for b, d in links for a in left.values}
    kept = {name: {(x, y) for x, y in chain if x != y} for name, chain in pairs.items()}
    return _Could(facts.values(), kept)


# The stages.


class _Design(NamedTuple):
    full: bool
    some: bool
    three: bool
    low: bool


def _stages(answers: Answers) -> _Could[Stages]:
    design = reduce(
        lambda left, right: _join(_both, left, right),
        (_level(answers, name, (1, 2, 3, 4), _design) for name in DESIGN),
    )
    collection = _level(answers, "collection", (1, 3, 4), lambda rank: (rank >= 4, rank <= 1))
    later = reduce(
        lambda left, right: _join(_either, left, right),
        (
            _level(answers, "processing", (1, 3, 4), lambda rank: (rank >= 2, rank >= 4)),
            *(_level(answers, name, (1, 2), lambda rank: (rank >= 2, False)) for name in LATER[1:]),
        ),
    )
    return _join(_stage_facts, _join(lambda d, c: (d, c), design, collection), later)


_NO_RANK = -1


def _level(answers: Answers, name: str, classes: tuple[int, ...], fact: Callable[[int], A]) -> _Could[A]:
    """One level: its rank where it is known, else a rank of each class that the rules tell apart."""
    code = getattr(answers, name)
    if code in LEVELS:
        return _field(name, [fact(LEVELS.index(code))])
    if code == NO_STAGE and name in _MAY_BE_LEFT_OUT:
        return _field(name, [fact(_NO_RANK)])
    left_out = (_NO_RANK,) if name in _MAY_BE_LEFT_OUT else ()
    return _field(name, [fact(rank) for rank in (*left_out, *classes)])


def _design(rank: int) -> _Design:
    """A sub-stage that did not take place is neutral in `_both`, so that it counts for nothing."""
    if rank == _NO_RANK:
        return _Design(full=True, some=False, three=False, low=True)
    return _Design(full=rank >= 4, some=rank >= 4, three=rank == 3, low=rank <= 1)


def _both(a: _Design, b: _Design) -> _Design:
    return _Design(a.full and b.full, a.some or b.some, a.three or b.three, a.low and b.low)


def _either(a: tuple[bool, bool], b: tuple[bool, bool]) -> tuple[bool, bool]:
    return a[0] or b[0], a[1] or b[1]


def _stage_facts(early: tuple[_Design, tuple[bool, bool]], later: tuple[bool, bool]) -> Stages:
    design, (collected, low) = early
    untouched = design.low and low
    return Stages(
        design.full,
        design.some,
        design.three,
        collected,
        untouched,
        untouched and later[0],
        untouched and later[1],
    )


# Who takes part, and why.


class _Group(NamedTuple):
    """What the rules ask about the kinds of some actors.

    Attributes:
        civic: a civic kind is among them.
        other: a kind that is not civic is among them.
        csos: their civic kinds are there, and are CSOs only.
        large: `csos`, and one is CSO_LARGE.
        state: a state kind is among them.
        academia: ACADEMIA is among them.
    """

    civic: bool
    other: bool
    csos: bool
    large: bool
    state: bool
    academia: bool


_KIND_CLASSES = ("CITIZENS", "CSO_COMMUNITY", "CSO_LARGE", "NSO", "ACADEMIA", "_O")
"""One kind of each class that the rules tell apart."""


def _who(answers: Answers) -> _Could[Who]:
    partners = () if answers.partners is None and answers.type in _ALONE else answers.partners
    started = _join(
        _started,
        _field("type", [answers.type] if answers.type else TYPES),
        _field("initiators", _groups(answers.initiators or None, 1)),
    )
    cast = _join(_with_partners, started, _field("partners", _groups(partners, 0)))
    official = _join(lambda r, m: (r, r and m), _flag(answers, "regular"), _flag(answers, "response"))
    voice = _join(lambda d, a: (d, d and a), _flag(answers, "direct"), _flag(answers, "representation"))
    spoken = _join(_with_voice, _join(_with_official, cast, official), voice)
    return _join(_with_science, spoken, _science(answers))


def _flag(answers: Answers, name: str) -> _Could[bool]:
    value = getattr(answers, name)
    return _field(name, [value] if isinstance(value, bool) else [False, True])


def _groups(kinds: Codes | None, least: int) -> list[_Group]:
    """The groups that some actors can be; all of at least so many kinds where nobody is named."""
    known = {kind for kind in kinds or () if kind is not None}
    return [_group(known | set(more)) for more in _completions(kinds, _KIND_CLASSES, least)]


def _completions(codes: Codes | None, classes: tuple[str, ...], least: int) -> Iterable[tuple[str, ...]]:
    """What the unknown entries of a list can add to it; where the list itself is unknown, what it can hold."""
    if codes is None:
        sizes = range(least, len(classes) + 1)
    else:
        unknown = codes.count(None)
        sizes = range(min(unknown, 1), min(unknown, len(classes)) + 1)
    return (more for size in sizes for more in combinations(classes, size))


def _group(kinds: set[str]) -> _Group:
    civic = kinds & CIVIC
    csos = bool(civic) and civic <= CSOS
    return _Group(
        civic=bool(civic),
        other=bool(kinds - CIVIC),
        csos=csos,
        large=csos and "CSO_LARGE" in civic,
        state=bool(kinds & STATE),
        academia="ACADEMIA" in kinds,
    )


class _Cast(NamedTuple):
    """What is known of the actors on the way to `Who`.

    Attributes:
        type, civic, other: as in `Who`.
        csos, large: as in `_Group`, of those who speak for the people concerned: the civic initiators, or, where
            others started it, the civic partners.
        state, academia: of all actors.
    """

    type: str
    civic: bool
    other: bool
    csos: bool
    large: bool
    state: bool
    academia: bool


def _started(kind: str, group: _Group) -> _Cast:
    speak = kind in _CITIZENS_AMONG
    csos, large = speak and group.csos, speak and group.large
    # Only Y2 asks for academia, and only of what others started.
    return _Cast(kind, group.civic, group.other, csos, large, group.state, not speak and group.academia)


def _with_partners(cast: _Cast, group: _Group) -> _Cast:
    speak = cast.type in _OTHER_LED
    csos, large = (group.csos, group.large) if speak else (cast.csos, cast.large)
    academia = cast.academia or (speak and group.academia)
    return _Cast(cast.type, cast.civic, cast.other, csos, large, cast.state or group.state, academia)


def _with_official(cast: _Cast, official: tuple[bool, bool]) -> tuple[_Cast, bool, bool]:
    regular, response = official
    return cast._replace(state=False), cast.state and regular, cast.state and response


class _Science(NamedTuple):
    """Citizen science with lay collectors, and whether science is an objective."""

    practised: bool
    aimed_at: bool


def _science(answers: Answers) -> _Could[_Science]:
    traditions = [answers.tradition] if answers.tradition else ["CITIZEN_SCIENCE", "_O"]
    tradition = _field("tradition", [code == "CITIZEN_SCIENCE" for code in traditions])
    collectors = _field("collectors", _has(answers.collectors, lambda code: code not in NO_LAY_COLLECTORS))
    objectives = _field("objectives", _has(answers.objectives, lambda code: code == "SCIENCE"))
    practised = _join(lambda x, lay: x and lay, tradition, collectors)
    return _join(lambda p, aim: _Science(p, p and aim), practised, objectives)


def _has(codes: Codes | None, wanted: Callable[[str], bool]) -> list[bool]:
    """Whether a list holds a code of some sort, as far as its unknown entries leave that open."""
    if codes is None:
        return [False, True]
    if any(wanted(code) for code in codes if code is not None):
        return [True]
    return [False, True] if None in codes else [False]


def _with_voice(part: tuple[_Cast, bool, bool], voice: tuple[bool, bool]) -> tuple[Who, bool]:
    cast, regular, response = part
    direct, adequate = voice
    spoken_for = cast.csos and (not direct or (cast.large and not adequate))
    return Who(cast.type, cast.civic, cast.other, regular, response, False, spoken_for), cast.academia


def _with_science(part: tuple[Who, bool], science: _Science) -> Who:
    who, academia = part
    return who._replace(science=who.type in _OTHER_LED and science.practised and (science.aimed_at or academia))


# What is declared beside the decision, and does not change it.


def _any_level(answers: Answers, names: Iterable[str], test: Callable[[int], bool]) -> bool:
    levels = answers.known_levels()
    return any(test(levels[name]) for name in names if name in levels)


_WARNINGS: Mapping[str, Callable[[Answers], bool]] = MappingProxyType(
    {
        "W1": lambda a: a.type in _CIVIC_LED and _any_level(a, STAGES, lambda rank: rank < 5),
        "W2": lambda a: a.type in _OTHER_LED | {"JOINT"} and _any_level(a, STAGES, lambda rank: rank == 5),
        "W3": lambda a: a.type in _OTHER_LED and _any_level(a, LATER[:2], lambda rank: rank == 5),
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
    return code if code in LEVELS or (code == NO_STAGE and name in _MAY_BE_LEFT_OUT) else None


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
