"""The decision, rule by rule, against the worked cases, and against a naive reading of the rules."""

import itertools
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from cdmeta import framework, profile
from cdmeta.facts import stages_of, who_of
from cdmeta.framework import BY_ID, OUTCOMES, RULES, decide, possible, read
from cdmeta.initiative import CIVIC, DESIGN, LATER, LEVELS, NO_LAY_COLLECTORS, PATHS, STAGES, STATE, TYPES, Answers

KINDS = tuple(profile.load().codelists["CL_ACTOR_KIND"].codes)
TRADITIONS = tuple(profile.load().codelists["CL_DATA_TRADITION"].codes)
OBJECTIVES = tuple(profile.load().codelists["CL_OBJECTIVE"].codes)
COLLECTORS = tuple(profile.load().codelists["CL_COLLECTOR_TYPE"].codes)
CSOS = ("CSO_COMMUNITY", "CSO_LARGE")


def levels(design: str = "0000", collection: int = 0, later: str = "0000") -> dict[str, Any]:
    """Levels from ranks, `-` for a stage that did not take place: four of design, collection, four after it."""
    ranks = f"{design}{collection}{later}"
    return {name: "_Z" if rank == "-" else LEVELS[int(rank)] for name, rank in zip(STAGES, ranks, strict=True)}


def case(kind: str, initiators: str, partners: str = "", **more: Any) -> Answers:
    """Complete answers of a plain initiative; `more` overrides."""
    plain: dict[str, Any] = {
        "tradition": "CITIZEN_GENERATED",
        "objectives": ("SERVICES",),
        "collectors": ("COMMUNITY_MEMBER",),
        "direct": True,
        "representation": True,
        "regular": False,
        "response": False,
    }
    return Answers(kind, tuple(initiators.split()), tuple(partners.split()), **(plain | levels() | more))


SCIENCE: dict[str, Any] = {
    "tradition": "CITIZEN_SCIENCE",
    "objectives": ("SCIENCE",),
    "collectors": ("VOLUNTEER",),
}
REGULAR: dict[str, Any] = {"regular": True, "response": False}
RESPONSE: dict[str, Any] = {"regular": True, "response": True}

# Every rule, with answers on both sides of its borders.
BY_RULE = [
    ("R0", Answers(**levels("5555", 5), initiators=("COMMUNITY",))),
    ("R0", Answers(**levels("5555", 5), type="CIVIC_ACTION")),
    ("R0", Answers(**levels("5555", 5), type="CIVIC_ACTION", initiators=())),
    ("T1", case("CIVIC_ACTION", "COMMUNITY MEDIA", **levels("5555", 5))),
    ("T1", case("CIVIC_DRIVEN", "NSO", **levels("5555", 5))),
    ("T2", case("JOINT", "COMMUNITY", "NSO", **levels("4444", 4))),
    ("T2", case("JOINT", "NSO STATE_AGENCY", **levels("4444", 4))),
    ("T3", case("NSO_DRIVEN", "CSO_LARGE", **levels("4444", 4))),
    ("T3", case("OTHER_DRIVEN", "CITIZENS COMMUNITY", **levels("4444", 4))),
    ("T3", case("NO_COLLAB", "INDIGENOUS_BODY", **levels("4444", 4))),
    ("G1", case("NSO_DRIVEN", "NSO", "CITIZENS", **levels("4443", 5), **RESPONSE)),
    ("G1", case("OTHER_DRIVEN", "INTL_ORG", "NSO CITIZENS", **RESPONSE)),
    ("G1", case("NO_COLLAB", "STATE_AGENCY", **RESPONSE)),
    ("G2", case("NSO_DRIVEN", "NSO", "CITIZENS", **levels("4-44"), **RESPONSE)),
    ("G3", case("CIVIC_DRIVEN", "COMMUNITY", "NSO", **levels("5555", 5), **RESPONSE)),
    ("G3", case("JOINT", "COMMUNITY STATE_AGENCY", **RESPONSE)),
    ("G4", case("NSO_DRIVEN", "NSO", "CITIZENS", **levels("2222", 3, "5555"), **REGULAR)),
    ("G4", case("OTHER_DRIVEN", "ACADEMIA", "STATE_AGENCY", **REGULAR)),
    ("G5", case("NSO_DRIVEN", "NSO", "CITIZENS", **levels("0003", 0), **REGULAR)),
    ("G5", case("NSO_DRIVEN", "NSO", "CITIZENS", **levels("0000", 4), **REGULAR)),
    ("Y4", case("NSO_DRIVEN", "NSO", "CITIZENS", **levels("0004", 3), **REGULAR)),
    ("Y1", case("NSO_DRIVEN", "NSO", "CITIZENS", **levels("4444", 0), **REGULAR)),
    ("C1", case("JOINT", "COMMUNITY NSO", **levels("4444", 0), **REGULAR)),
    ("S1", case("OTHER_DRIVEN", "ACADEMIA", "CITIZENS", **levels("0101", 1, "3000"))),
    ("S1", case("NO_COLLAB", "NSO", **levels("1-11", 0, "-002"))),
    ("S1", case("NSO_DRIVEN", "NSO", "CITIZENS", **levels("0000", 0, "-040"))),
    ("S2", case("OTHER_DRIVEN", "ACADEMIA", "CITIZENS", **levels("0000", 0, "4000"))),
    ("S2", case("NO_COLLAB", "ACADEMIA", **levels("1111", 1, "5555"))),
    ("Y5", case("OTHER_DRIVEN", "ACADEMIA", "CITIZENS", **levels("1111", 2, "4444"))),
    ("Y5", case("OTHER_DRIVEN", "ACADEMIA", "CITIZENS", **levels("1121", 1, "4444"))),
    ("Y5", case("OTHER_DRIVEN", "ACADEMIA", "CITIZENS", **levels("1111", 1, "1111"))),
    ("N1", case("NO_COLLAB", "PRIVATE", **levels("3333", 3))),
    ("N2", case("NO_COLLAB", "PRIVATE", **levels("0004", 0))),
    ("N2", case("NO_COLLAB", "PRIVATE", **levels("0000", 4))),
    ("N2", case("NO_COLLAB", "PRIVATE", **levels("4444", 4))),
    ("C2", case("CIVIC_ACTION", "COMMUNITY", **levels("3333", 3, "5555"))),
    ("C2", case("CIVIC_DRIVEN", "CSO_COMMUNITY", "NSO", **levels("0000", 0))),
    ("C2", case("JOINT", "COMMUNITY NSO", **levels("3333", 3))),
    ("C3", case("JOINT", "COMMUNITY NSO", **levels("4440", 3))),
    ("C1", case("JOINT", "COMMUNITY NSO", **levels("4-44", 0))),
    ("C1", case("JOINT", "COMMUNITY NSO", **levels("0000", 4))),
    ("C1", case("CIVIC_ACTION", "COMMUNITY", **levels("0004", 0))),
    ("C1", case("CIVIC_DRIVEN", "CITIZENS", "NSO", **levels("0000", 5))),
    ("Y1", case("OTHER_DRIVEN", "NHRI", "COMMUNITY", **levels("4544", 0))),
    ("Y2", case("OTHER_DRIVEN", "ACADEMIA", "CITIZENS", **levels("4440", 4), **SCIENCE)),
    ("Y2", case("NSO_DRIVEN", "NSO", "CITIZENS", **levels("0000", 4), **SCIENCE)),
    (
        "Y2",
        case("NSO_DRIVEN", "NSO", "CITIZENS ACADEMIA", **levels("0000", 4), **SCIENCE | {"objectives": ("_O",)}),
    ),
    ("Y3", case("NSO_DRIVEN", "NSO", "CITIZENS", **levels("0000", 4), **SCIENCE | {"objectives": ("_O",)})),
    (
        "Y3",
        case("OTHER_DRIVEN", "ACADEMIA", "CITIZENS", **levels("0000", 4), **SCIENCE | {"tradition": "VGI"}),
    ),
    *(
        (
            "Y3",
            case("OTHER_DRIVEN", "ACADEMIA", "CITIZENS", **levels("0000", 4), **SCIENCE | {"collectors": (who,)}),
        )
        for who in ("SELF", "SENSOR", "OFFICIAL_STAFF", "PAID_ENUMERATOR", "RESEARCHER")
    ),
    (
        "Y2",
        case(
            "OTHER_DRIVEN",
            "ACADEMIA",
            "CITIZENS",
            **levels("0000", 4),
            **SCIENCE | {"collectors": ("SENSOR", "SELF", "VOLUNTEER")},
        ),
    ),
    ("Y3", case("OTHER_DRIVEN", "ACADEMIA", "CITIZENS", **levels("4443", 4))),
    ("Y4", case("OTHER_DRIVEN", "ACADEMIA", "CITIZENS", **levels("4443", 3))),
    ("Y5", case("OTHER_DRIVEN", "ACADEMIA", "CITIZENS", **levels("3333", 3))),
    ("O1", case("CIVIC_ACTION", "CSO_COMMUNITY", **levels("5555", 5), direct=False)),
    ("O1", case("CIVIC_ACTION", "CSO_LARGE CSO_COMMUNITY", **levels("5555", 5), representation=False)),
    ("C1", case("CIVIC_ACTION", "CSO_COMMUNITY", **levels("5555", 5), representation=False)),
    ("C1", case("CIVIC_ACTION", "CSO_LARGE COMMUNITY", **levels("5555", 5), direct=False, representation=False)),
    ("C1", case("CIVIC_DRIVEN", "COMMUNITY", "NSO CSO_LARGE", **levels("5555", 5), direct=False)),
    ("O1", case("JOINT", "NSO CSO_LARGE", "COMMUNITY", **levels("4444", 4), direct=False)),
    ("O1", case("OTHER_DRIVEN", "NHRI", "CSO_LARGE ACADEMIA", **levels("4444", 4), representation=False)),
    ("O1", case("OTHER_DRIVEN", "NHRI CSO_COMMUNITY", "CSO_LARGE", **levels("4444", 4), direct=False)),
    ("Y1", case("OTHER_DRIVEN", "NHRI CSO_COMMUNITY", "ACADEMIA", **levels("4444", 4), direct=False)),
    ("O1", case("OTHER_DRIVEN", "ACADEMIA", "CSO_COMMUNITY", **levels("0000", 4), **SCIENCE, direct=False)),
    ("Y3", case("OTHER_DRIVEN", "ACADEMIA", "CSO_COMMUNITY", **levels("0000", 4), direct=False)),
    ("C2", case("CIVIC_ACTION", "CSO_LARGE", **levels("3333", 3), direct=False)),
]

NOTHING: dict[str, Any] = dict.fromkeys(STAGES)
WORKED = [
    ("satisfaction app, questionnaire co-designed", "ASSESS", "Y4",
     case("NSO_DRIVEN", "NSO", "CSO_COMMUNITY", **levels("2242", 1))),
    ("satisfaction app, all design decisions shared", "CITIZEN_DATA", "Y1",
     case("NSO_DRIVEN", "NSO", "CSO_COMMUNITY", **levels("4444", 1))),
    ("census with volunteer enumerators", "OUT_OF_SCOPE", "G1",
     case("NSO_DRIVEN", "NSO", "CITIZENS", **levels("1111", 2), **RESPONSE, collectors=("VOLUNTEER",))),
    ("census module designed jointly, for inclusion", "ASSESS", "G3",
     case("JOINT", "NSO CSO_LARGE", **levels("4444", 2), **RESPONSE)),
    ("university sensors, volunteers follow the protocol", "NOT_CITIZEN_DATA", "Y5",
     case("OTHER_DRIVEN", "ACADEMIA", "CITIZENS", **levels("1111", 2), **SCIENCE)),
    ("NGO survey where people only answer", "ASSESS", "C2",
     case("CIVIC_ACTION", "CSO_LARGE", **levels("2222", 2), direct=False)),
    ("the same, level 5 claimed, nobody takes part", "ASSESS", "O1",
     case("CIVIC_ACTION", "CSO_LARGE", **levels("5555", 5), direct=False)),
    ("community scorecard", "CITIZEN_DATA", "C1",
     Answers("CIVIC_ACTION", ("COMMUNITY",), **(NOTHING | dict.fromkeys((*DESIGN, "collection"), "L5")))),
    ("NSO mapathon on OpenStreetMap", "ASSESS", "Y3",
     case("NSO_DRIVEN", "NSO", "COMMUNITY", **levels("2222", 4), tradition="VGI")),
    ("journalists' database, declared type 5", "NOT_CITIZEN_DATA", "Y5",
     case("OTHER_DRIVEN", "MEDIA", "CITIZENS", **levels("0000", 2), collectors=("JOURNALIST",))),
    ("journalists' database, declared type 1", "ASSESS", "T1",
     case("CIVIC_ACTION", "MEDIA", **levels("0000", 2), collectors=("JOURNALIST",))),
    ("Indigenous-led monitoring with a university", "CITIZEN_DATA", "C1",
     case("CIVIC_DRIVEN", "INDIGENOUS_BODY", "ACADEMIA", **levels("5555", 5))),
    ("platform scraping", "NOT_CITIZEN_DATA", "N1", case("NO_COLLAB", "PRIVATE")),
    ("image classification, nothing else known", "INSUFFICIENT_INFORMATION", "",
     Answers("OTHER_DRIVEN", ("ACADEMIA",), tradition="CITIZEN_SCIENCE")),
    ("datathon on census data", "OUT_OF_SCOPE", "S1",
     case("NSO_DRIVEN", "NSO", "CITIZENS", **levels("0000", 0, "0440"))),
    ("university's own panel", "NOT_CITIZEN_DATA", "Y5",
     case("OTHER_DRIVEN", "ACADEMIA", "CITIZENS", **levels("1111", 2), **REGULAR)),
    ("NSO with one international NGO, nobody takes part", "ASSESS", "O1",
     case("NSO_DRIVEN", "NSO", "CSO_LARGE", **levels("4444", 4), direct=False)),
    ("human-rights institution, all design decisions shared", "CITIZEN_DATA", "Y1",
     case("OTHER_DRIVEN", "NHRI", "COMMUNITY", **levels("4444", 1))),
    ("community start, levels unknown", "INSUFFICIENT_INFORMATION", "",
     Answers("CIVIC_ACTION", ("COMMUNITY",))),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "answers"), BY_RULE)
def test_each_rule(rule: str, answers: Answers) -> None:
    decision = decide(answers)
    assert (decision.rule, decision.outcome) == (rule, BY_ID[rule].outcome)
    assert decision.paragraphs == BY_ID[rule].paragraphs
    assert decision.errors == ((rule,) if rule in ("T1", "T2", "T3", "N2") else ())


def test_the_table_holds_every_rule_of_the_page() -> None:
    page = "R0 T1 T2 T3 G1 G2 G3 G4 G5 S1 S2 N1 N2 C2 C3 C1 Y1 Y2 Y3 Y4 Y5 O1"
    assert " ".join(rule.id for rule in RULES) == page
    assert {rule for rule, _ in BY_RULE} == set(page.split())


@pytest.mark.parametrize(("what", "outcome", "rule", "answers"), WORKED, ids=[row[0] for row in WORKED])
def test_worked_cases(what: str, outcome: str, rule: str, answers: Answers) -> None:
    decision = decide(answers)
    assert (decision.outcome, decision.rule) == (outcome, rule)


@pytest.mark.parametrize(
    ("rule", "warned", "not_warned"),
    [
        ("W1", case("CIVIC_ACTION", "COMMUNITY", **levels("5555", 5, "5554")),
         case("CIVIC_DRIVEN", "COMMUNITY", "NSO", **levels("5-55", 5, "--55"))),
        ("W2", case("JOINT", "COMMUNITY NSO", **levels("5444", 4)),
         case("JOINT", "COMMUNITY NSO", **levels("4444", 4, "4444"))),
        ("W2", case("OTHER_DRIVEN", "NHRI", "COMMUNITY", **levels("4444", 4, "0005")),
         case("NO_COLLAB", "NHRI", **levels("5555", 5))),
        ("W3", case("NSO_DRIVEN", "NSO", "COMMUNITY", **levels("4444", 4, "5000")),
         case("NSO_DRIVEN", "NSO", "COMMUNITY", **levels("4444", 4, "4455"))),
        ("W3", case("OTHER_DRIVEN", "NHRI", "COMMUNITY", **levels("4444", 4, "0500")),
         case("JOINT", "COMMUNITY NSO", **levels("4444", 4, "5500"))),
        ("W4", case("CIVIC_ACTION", "COMMUNITY", "ACADEMIA", **levels("5555", 5)),
         case("CIVIC_ACTION", "COMMUNITY", "", **levels("5555", 5))),
        ("W5", case("NSO_DRIVEN", "STATE_AGENCY", "COMMUNITY"),
         case("NSO_DRIVEN", "STATE_AGENCY NSO", "COMMUNITY")),
        ("W5", case("NSO_DRIVEN", "NHRI", "NSO"), Answers("NSO_DRIVEN", ("STATE_AGENCY", None))),
    ],
)  # fmt: skip
def test_warnings(rule: str, warned: Answers, not_warned: Answers) -> None:
    assert rule in decide(warned).warnings
    assert rule not in decide(not_warned).warnings


# A second, naive reading of the rules, from raw complete answers and from top to bottom.


def naive(a: Answers) -> str:  # noqa: C901 - in one piece, so that it can be held against the page
    assert a.initiators is not None
    assert a.partners is not None
    started, partners = set(a.initiators), set(a.partners)
    t = TYPES.index(a.type) + 1 if a.type else 0
    if not t or not started:
        return "R0"
    rank = {name: -1 if getattr(a, name) == "_Z" else LEVELS.index(getattr(a, name)) for name in STAGES}
    d = [rank[name] for name in DESIGN if rank[name] >= 0]
    c, l3, later = rank["collection"], rank["processing"], [rank[name] for name in LATER]
    d_full, d_some, top = min(d) >= 4, max(d) >= 4, max([*d, c])
    if t in (1, 2) and started - CIVIC:
        return "T1"
    if t == 3 and not (started & CIVIC and started - CIVIC):
        return "T2"
    if t >= 4 and not started - CIVIC:
        return "T3"
    if a.regular and (started | partners) & STATE:
        if a.response and t >= 4:
            return "G2" if d_full else "G1"
        if a.response:
            return "G3"
        if t >= 4 and not d_some:
            return "G4" if 3 not in d and c < 4 else "G5"
    if t >= 4 and top <= 1 and max(later) >= 2:
        return "S1" if l3 < 4 else "S2"
    if t == 6:
        return "N1" if top < 4 else "N2"
    if t <= 3:
        if top <= 3:
            return "C2"
        if t == 3 and not d_full and c < 4:
            return "C3"
        yes = "C1"
    elif d_full:
        yes = "Y1"
    elif c >= 4:
        researched = "ACADEMIA" in started | partners or "SCIENCE" in (a.objectives or ())
        lay = bool(set(a.collectors or ()) - NO_LAY_COLLECTORS)
        if not (a.tradition == "CITIZEN_SCIENCE" and researched and lay):
            return "Y3"
        yes = "Y2"
    else:
        return "Y4" if d_some else "Y5"
    speakers = (started if t <= 3 else partners) & CIVIC
    only_csos = bool(speakers) and speakers <= set(CSOS)
    large = "CSO_LARGE" in speakers
    return "O1" if only_csos and (not a.direct or (large and not a.representation)) else yes


def test_all_combinations_of_what_the_rules_tell_apart() -> None:
    """Each class of who × each class of stages: exactly one outcome, and that of the naive reading."""
    designs = ["0000", "0-12", "0003", "0004", "3334", "4444", "4-44", "1-11"]
    stages = [
        levels(design, collection, later)
        for design in designs
        for collection in (0, 2, 4)
        for later in ("0-01", "0-02", "3000", "4000")
    ]
    groups = ["CITIZENS", "CSO_COMMUNITY", "CSO_LARGE", "NSO", "ACADEMIA", "_O", "CSO_LARGE NSO",
              "COMMUNITY CSO_LARGE STATE_AGENCY", "CSO_COMMUNITY ACADEMIA"]  # fmt: skip
    officials: list[dict[str, Any]] = [{"regular": False, "response": True}, REGULAR, RESPONSE]
    voices = [dict(zip(("direct", "representation"), pair, strict=True))
              for pair in itertools.product([True, False], repeat=2)]  # fmt: skip
    sciences: list[dict[str, Any]] = [
        {},
        SCIENCE,
        SCIENCE | {"objectives": ("_O",)},
        SCIENCE | {"collectors": ("SELF",)},
    ]
    stage_facts = [(given_levels, stages_of(Answers(**given_levels)).values) for given_levels in stages]
    seen, combinations = set(), 0
    for kind, started, partners, official, voice, science in itertools.product(
        TYPES, groups, ["", *groups], officials, voices, sciences
    ):
        if (kind in TYPES[:3] and science) or (kind == "NO_COLLAB" and (science or not voice["direct"])):
            continue  # Never asked of these types; the random test below covers that.
        answers = case(kind, started, partners, **official, **voice, **science)
        (who,) = who_of(answers).values
        for given_levels, facts in stage_facts:
            (stage,) = facts
            rule = framework._first(who, stage)
            assert rule.id == naive(replace(answers, **given_levels)), (answers, given_levels)
            assert rule.outcome in OUTCOMES
            seen.add(rule.id)
            combinations += 1
    assert seen == {rule.id for rule in RULES} - {"R0"}
    assert combinations > 300_000


def some(codes: tuple[str, ...], least: int = 1) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(st.sampled_from(codes), min_size=least, max_size=4).map(tuple)


MANY = settings(max_examples=max(400, settings().max_examples))
LEVEL = st.sampled_from(LEVELS)
LEVEL_OR_NONE_HELD = st.sampled_from((*LEVELS, "_Z"))
COMPLETE = st.builds(
    Answers,
    st.sampled_from(TYPES),
    some(KINDS),
    some(KINDS, 0),
    LEVEL,
    LEVEL_OR_NONE_HELD,
    LEVEL,
    LEVEL,
    LEVEL,
    *[LEVEL_OR_NONE_HELD] * 4,
    st.sampled_from(("CITIZEN_SCIENCE", *TRADITIONS)),
    some(OBJECTIVES),
    some(COLLECTORS),
    *[st.booleans()] * 4,
)
# Initiators that fit the type, so that the random test spends its time behind T1 to T3.
FITTING = COMPLETE.map(
    lambda a: replace(
        a,
        initiators={
            "CIVIC": ("CSO_LARGE",), "JOINT": ("COMMUNITY", "NSO")
        }.get((a.type or "").split("_")[0], (KINDS[5 + len(a.initiators or ())],)),
    )
)  # fmt: skip


@MANY
@given(COMPLETE | FITTING)
def test_complete_answers_have_one_outcome(answers: Answers) -> None:
    decision = decide(answers)
    assert decision.rule == naive(answers)
    assert decision.outcome == BY_ID[decision.rule].outcome
    assert decision.open == ()


def values(name: str, answers: Answers) -> list[Any]:
    """All that a field may hold where it is unknown; lists up to three codes, as the rules ask no more."""
    if name in STAGES:
        left_out = name in LATER or name == "design_partnerships"
        return [*LEVELS, "_Z"] if left_out else list(LEVELS)
    if name == "tradition":
        return list(TRADITIONS)
    if name == "partners":
        if answers.type in ("CIVIC_ACTION", "NO_COLLAB"):
            return [()]
        kinds = ("CITIZENS", "CSO_COMMUNITY", "CSO_LARGE", "STATE_AGENCY", "ACADEMIA", "NHRI")
        return [group for size in range(4) for group in itertools.combinations(kinds, size)]
    if name == "objectives":
        return [(code,) for code in OBJECTIVES]
    if name == "collectors":
        return [*((code,) for code in COLLECTORS), ("SELF", "VOLUNTEER")]
    return [True, False]


def completions(answers: Answers) -> Iterator[tuple[dict[str, Any], str]]:
    """Each way to complete the answers, and the rule that then decides."""
    unknown = [name for name in PATHS if getattr(answers, name) is None]
    for filled in itertools.product(*(values(name, answers) for name in unknown)):
        way = dict(zip(unknown, filled, strict=True))
        yield way, naive(replace(answers, **way))


def bearing(ways: list[tuple[dict[str, Any], str]]) -> tuple[str, ...]:
    """Paths of the unknown fields whose value alone changes the outcome in some completion of the others."""
    found = []
    for name in ways[0][0]:
        by_rest: dict[Any, set[str]] = {}
        for way, rule in ways:
            rest = tuple(value for other, value in way.items() if other != name)
            by_rest.setdefault(rest, set()).add(BY_ID[rule].outcome)
        if any(len(outcomes) > 1 for outcomes in by_rest.values()):
            found.append(PATHS[name])
    return tuple(found)


FIELDS = [name for name in PATHS if name not in ("type", "initiators")]


@MANY
@given(COMPLETE | FITTING, st.sets(st.sampled_from(FIELDS), min_size=1, max_size=4))
def test_incomplete_answers_are_decided_over_all_completions(answers: Answers, left_out: set[str]) -> None:
    partial = replace(answers, **dict.fromkeys(left_out))
    assume(len(list(itertools.islice(completions(partial), 5_001))) <= 5_000)
    ways = list(completions(partial))
    rules = {rule for _, rule in ways}
    outcomes = {BY_ID[rule].outcome for rule in rules}
    decision = decide(partial)
    assert {rule.id for rule in possible(partial)} == rules
    if len(outcomes) > 1:
        assert (decision.outcome, decision.rule) == ("INSUFFICIENT_INFORMATION", "")
        assert decision.open == bearing(ways)
        assert decision.open
    else:
        assert {decision.outcome} == outcomes
        assert decision.rule == (rules.pop() if len(rules) == 1 else "")
        assert decision.open == ()


RANK = {"CITIZEN_DATA": 2, "ASSESS": 1} | dict.fromkeys(OUTCOMES[2:], 0)


@MANY
@given(COMPLETE | FITTING, st.sets(st.sampled_from(FIELDS), min_size=1))
def test_leaving_answers_out_never_gets_a_better_outcome(answers: Answers, left_out: set[str]) -> None:
    """Whatever the honest answers are, silence about any of them does not beat them."""
    assume("partners" not in left_out or answers.type not in ("CIVIC_ACTION", "NO_COLLAB"))
    honest = decide(answers)
    silent = decide(replace(answers, **dict.fromkeys(left_out)))
    assert silent.outcome in (honest.outcome, "INSUFFICIENT_INFORMATION")
    assert RANK[silent.outcome] <= RANK[honest.outcome]


@given(COMPLETE | FITTING, st.data())
def test_unknown_kinds_may_be_any(answers: Answers, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(["initiators", "partners"]))
    kinds = getattr(answers, name)
    assume(kinds)
    place = data.draw(st.integers(0, len(kinds) - 1))

    def with_kind(kind: str | None) -> Answers:
        changed: dict[str, Any] = {name: (*kinds[:place], kind, *kinds[place + 1 :])}
        return replace(answers, **changed)

    rules, partial = {naive(with_kind(kind)) for kind in KINDS}, with_kind(None)
    assert {rule.id for rule in possible(partial)} == rules
    outcomes = {BY_ID[rule].outcome for rule in rules}
    assert decide(partial).open == ((PATHS[name],) if len(outcomes) > 1 else ())


@pytest.mark.parametrize("name", ["objectives", "collectors"])
def test_unknown_codes_in_a_list_may_be_any(name: str) -> None:
    plain: dict[str, Any] = SCIENCE | {"objectives": ("SERVICES",), "collectors": ("SELF",)}
    other = {"objectives": "collectors", "collectors": "objectives"}[name]
    settled = plain | {other: SCIENCE[other]}
    answers = case("NSO_DRIVEN", "NSO", "CITIZENS", **levels("0000", 4), **settled)
    assert decide(answers).rule == "Y3"
    unclear: dict[str, Any] = {name: (*getattr(answers, name), None)}
    assert decide(replace(answers, **unclear)).open == (PATHS[name],)
    clear: dict[str, Any] = {name: (None, *SCIENCE[name])}
    assert decide(replace(answers, **clear)).rule == "Y2"


def test_partners_not_told_are_unknown_unless_the_type_excludes_them() -> None:
    """Silence about the large organisation that is the only partner must not turn ASSESS into a yes."""
    told = case("NSO_DRIVEN", "NSO", "CSO_LARGE", **levels("4444", 4), direct=False)
    assert decide(told).rule == "O1"
    assert decide(replace(told, partners=None)).open == ("citizenData.partners[].kind",)
    assert decide(replace(told, partners=())).rule == "Y1"
    alone = case("CIVIC_ACTION", "COMMUNITY", **levels("5555", 5), regular=None, response=None)
    assert decide(replace(alone, partners=None)).rule == "C1"
    driven = replace(alone, type="CIVIC_DRIVEN", partners=None)
    assert decide(driven).open == (PATHS["partners"], PATHS["regular"], PATHS["response"])


def test_answers_that_cannot_matter_are_not_asked_for() -> None:
    decision = decide(Answers("CIVIC_ACTION", ("COMMUNITY",)))
    assert decision.open == tuple(PATHS[name] for name in (*DESIGN, "collection"))


def test_several_rules_with_one_outcome() -> None:
    """Types 1 to 3 below level 4 are C2, of a regular collection for response G3: ASSESS either way."""
    answers = replace(case("JOINT", "COMMUNITY NSO"), regular=None, response=None)
    decision = decide(answers)
    assert (decision.outcome, decision.rule) == ("ASSESS", "")
    assert decision.paragraphs == ("¶17 s.1", "¶28", "¶22", "¶30", "Table 2")
    assert [rule.id for rule in possible(answers)] == ["G3", "C2"]


def test_nothing_known_is_decided_over_few_facts() -> None:
    """Billions of ways to complete, and some thousand cases that the rules are asked of."""
    framework._first.cache_clear()
    decision = decide(Answers())
    assert (decision.outcome, decision.rule) == ("INSUFFICIENT_INFORMATION", "R0")
    assert decision.open == tuple(PATHS.values())
    assert framework._first.cache_info().misses < 2_500


def test_the_paths_are_fields_of_the_profile() -> None:
    assert set(PATHS.values()) <= set(profile.load().fields)


def test_the_codes_that_rules_name_are_codes_of_the_profile() -> None:
    lists = profile.load().codelists
    assert tuple(lists["CL_INITIATIVE_TYPE"].codes) == TYPES
    assert (*LEVELS, "_Z", "_U") == tuple(lists["CL_PARTICIPATION_LEVEL"].codes)
    assert set(OUTCOMES) == set(lists["CL_CD_STATUS"].codes)
    assert CIVIC | STATE | {"ACADEMIA"} <= set(KINDS)
    assert set(COLLECTORS) > NO_LAY_COLLECTORS
    assert "CITIZEN_SCIENCE" in TRADITIONS
    assert "SCIENCE" in OBJECTIVES


def test_every_rule_and_outcome_has_its_words() -> None:
    texts = profile.texts()
    assert {f"rule.{rule.id}" for rule in RULES} <= set(texts)
    assert {f"outcome.{outcome}" for outcome in OUTCOMES} <= set(texts)


# Reading.


def test_read() -> None:
    answers = read(
        {
            "initiativeType": "JOINT",
            "initiators": [
                {"name": "A", "kind": "COMMUNITY"}, {"kind": "?"}, {"name": "B"}, "NSO", {"kind": ["NSO"]}
            ],
            "partners": [{"kind": "ACADEMIA"}],
            "participation": {
                "designObjectives": "L4", "designPartnerships": "_Z", "designMethods": "_Z",
                "designAccessUse": "_U", "collection": "5", "processing": "NOT_INVOLVED",
                "dissemination": "L6", "uptake": 4, "review": "_Z",
            },
            "dataTradition": "VGI",
            "objectives": ["SCIENCE", "SCIENSE"],
            "collectorType": ["SELF"],
            "directInvolvement": "yes",
            "representation": {"adequate": False, "how": "?"},
            "regularOfficial": True,
            "mainPurposeResponse": False,
        }
    )  # fmt: skip
    assert answers == Answers(
        "JOINT", ("COMMUNITY", None, None, None, None), ("ACADEMIA",),
        "L4", "_Z", None, None, "L5", "NOT_INVOLVED", None, None, "_Z",
        "VGI", ("SCIENCE", None), ("SELF",), None, False, True, False,
    )  # fmt: skip


@pytest.mark.parametrize("value", [None, [], {}, "?", ["?"], [{"name": "?", "kind": "?"}], "NSO", 3])
def test_read_what_is_no_list(value: Any) -> None:
    answers = read({"initiators": value, "partners": value, "objectives": value, "collectorType": value})
    assert (answers.initiators, answers.partners, answers.objectives) in [(None, None, None)]


def test_read_bare_representation() -> None:
    assert read({"representation": True}).representation is True
    assert read({"representation": 1}).representation is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
NAMES = st.sampled_from(
    ["initiativeType", "initiators", "partners", "participation", "objectives", "collectorType", "representation",
     "directInvolvement", "regularOfficial", "mainPurposeResponse", "dataTradition"]
)  # fmt: skip


@given(st.dictionaries(NAMES, JSON))
def test_no_json_breaks_it(answers: Mapping[str, Any]) -> None:
    decision = decide(read(answers))
    assert decision.outcome in OUTCOMES
    assert json.loads(json.dumps(decision.as_dict()))["outcome"] == decision.outcome
