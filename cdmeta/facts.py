"""The facts at which the rules of the Copenhagen Framework look, as far as answers leave them open.

They are few (`Who`, `Stages`), so incomplete answers need no walk through all the ways to complete them: `Could`
carries, for each part of the answers, the facts that are possible, and, for each open question, the pairs of facts
that differ by its answer alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import reduce
from itertools import combinations, pairwise
from typing import Generic, NamedTuple, TypeVar

from cdmeta.initiative import (
    ALONE,
    CITIZENS_AMONG,
    CIVIC,
    CSOS,
    DESIGN,
    LATER,
    LEVELS,
    MAY_BE_LEFT_OUT,
    NO_LAY_COLLECTORS,
    NO_STAGE,
    OTHER_LED,
    STATE,
    TYPES,
    Answers,
    Codes,
)


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


A = TypeVar("A")
B = TypeVar("B")
R = TypeVar("R")


class Could(Generic[A]):
    """The facts that a part of the answers leaves possible.

    Attributes:
        values: each possible fact.
        pairs: for each unanswered field, pairs of facts that differ by its answer alone. A field's values form a
            chain, not all pairs: where two ends of a chain differ, two neighbours do.
    """

    def __init__(self, values: Iterable[A], pairs: Mapping[str, set[tuple[A, A]]]) -> None:
        self.values = tuple(dict.fromkeys(values))
        self.pairs = pairs


def _field(name: str, values: Iterable[A]) -> Could[A]:
    could = Could(values, {})
    chain = set(pairwise(could.values))
    return Could(could.values, {name: chain} if chain else {})


def _join(fact: Callable[[A, B], R], left: Could[A], right: Could[B]) -> Could[R]:
    """What two parts that are answered independently leave possible together."""
    facts = {(a, b): fact(a, b) for a in left.values for b in right.values}
    pairs: dict[str, set[tuple[R, R]]] = {}
    for name, chain in left.pairs.items():
        pairs[name] = {(facts[a, b], facts[c, b]) for a, c in chain for b in right.values}
    for name, links in right.pairs.items():
        pairs[name] = {(facts[a, b], facts[a, d]) for b, d in links for a in left.values}
    kept = {name: {(x, y) for x, y in chain if x != y} for name, chain in pairs.items()}
    return Could(facts.values(), kept)


# The stages.


class _Design(NamedTuple):
    full: bool
    some: bool
    three: bool
    low: bool


def stages_of(answers: Answers) -> Could[Stages]:
    """What the answers leave possible of the stages."""
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


def _level(answers: Answers, name: str, classes: tuple[int, ...], fact: Callable[[int], A]) -> Could[A]:
    """One level: its rank where it is known, else a rank of each class that the rules tell apart."""
    code = getattr(answers, name)
    if code in LEVELS:
        return _field(name, [fact(LEVELS.index(code))])
    if code == NO_STAGE and name in MAY_BE_LEFT_OUT:
        return _field(name, [fact(_NO_RANK)])
    left_out = (_NO_RANK,) if name in MAY_BE_LEFT_OUT else ()
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


def who_of(answers: Answers) -> Could[Who]:
    """What the answers leave possible of who takes part and why."""
    partners = () if answers.partners is None and answers.type in ALONE else answers.partners
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


def _flag(answers: Answers, name: str) -> Could[bool]:
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
    speak = kind in CITIZENS_AMONG
    csos, large = speak and group.csos, speak and group.large
    # Only Y2 asks for academia, and only of what others started.
    return _Cast(kind, group.civic, group.other, csos, large, group.state, not speak and group.academia)


def _with_partners(cast: _Cast, group: _Group) -> _Cast:
    speak = cast.type in OTHER_LED
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


def _science(answers: Answers) -> Could[_Science]:
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
    return who._replace(science=who.type in OTHER_LED and science.practised and (science.aimed_at or academia))
