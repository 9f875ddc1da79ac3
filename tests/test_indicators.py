"""Figures from records: against a plain reference, and against somebody who works out what is hidden."""

from __future__ import annotations

import csv
import datetime as dt
import json
import statistics
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cdmeta import framework
from cdmeta.dataset import Dataset, to_dataset
from cdmeta.finding import Finding
from cdmeta.indicators import indicators
from cdmeta.package import Package, Resource, load
from cdmeta.sdmx import suppression
from cdmeta.sdmx.indicators import rows_of
from cdmeta.tables.engine import ROW, session
from cdmeta.tables.relations import code_rows
from cdmeta.workflows.convert import FORMATS, convert
from cdmeta.workflows.validate import validate

EXAMPLE = Path(__file__).parent.parent / "examples" / "public-service-satisfaction" / "package"
NOW = dt.datetime(2026, 3, 2, 10, 0, tzinfo=dt.UTC)
T = "_T"
Json = dict[str, Any]
THINGS = {"personalDataCollected": "NONE", "releaseForm": "NON_PERSONAL", "consentBasis": ["NO_PERSONAL_DATA"]}
PEOPLE = {"personalDataCollected": "ORDINARY", "releaseForm": "ANON_MICRO"}


def coded(name: str, codes: Iterable[str], **more: Any) -> Json:
    return {"name": name, "type": "string", "categories": [{"value": c, "label": c} for c in codes]} | more


FIELDS: list[Json] = [
    coded("district", "ABCD"),
    coded("sex", "FM"),
    {"name": "day", "type": "date"},
    coded("answer", ["yes", "no"]),
    {"name": "wait", "type": "integer"},
    {"name": "weight", "type": "number"},
]
NAMES = [entry["name"] for entry in FIELDS]
YES = [{"field": "answer", "in": ["yes"]}]
TABLE: Json = {
    "name": "figures",
    "resource": "visits",
    "dimensions": ["district", "sex"],
    "time": {"field": "day", "period": "year"},
}
COUNT: Json = {"name": "people", "calculate": "count", "unit": "PS"}


def package(
    folder: Path, rows: Iterable[Iterable[str]], answers: Json, *tables: Json, fields: Any = FIELDS
) -> Path:
    made = folder / "package"
    (made / "data").mkdir(parents=True)
    with (made / "data" / "visits.csv").open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream, lineterminator="\n").writerows([[entry["name"] for entry in fields], *rows])
    descriptor = json.loads((EXAMPLE / "datapackage.json").read_text(encoding="utf-8"))
    schema = {"fields": fields}
    descriptor["resources"] = [{"name": "visits", "path": "data/visits.csv", "format": "csv", "schema": schema}]
    descriptor["citizenData"] |= answers
    descriptor["sdmx"]["indicators"] = list(tables)
    (made / "datapackage.json").write_text(json.dumps(descriptor), encoding="utf-8")
    return made


@dataclass(frozen=True)
class Made:
    """Figures by time and codes: the texts of the measures, what stands for a missing one in its place."""

    dataset: Dataset
    cells: Mapping[tuple[str, ...], tuple[str, ...]]
    findings: tuple[Finding, ...]

    @property
    def codes(self) -> list[str]:
        return [finding.code for finding in self.findings]


def made(path: Path) -> Made:
    loaded = load(path)
    decision = framework.decide(framework.read(loaded.answers))
    dataset, findings = to_dataset(loaded, decision, lambda resource: code_rows(loaded, resource))
    (table,) = dataset.tables
    with session(loaded) as opened:
        view, told = rows_of(opened, loaded, table)
        keys = [f"f{c.index}" for c in (table.time, *table.dimensions)]
        cells = ", ".join([*keys, *(f"r{c.index}" for c in table.measures)])
        rows = opened.connection.execute(f"SELECT {cells} FROM {view} ORDER BY {ROW}").fetchall()
    assert all(f.message(tag) and f.remedy(tag) for f in (*findings, *told) for tag in ("en", "es", "fr"))
    width = len(keys)
    return Made(dataset, {row[:width]: row[width:] for row in rows}, (*findings, *told))


# Values

MEASURES: list[Json] = [
    {"name": "n", "calculate": "count"},
    {"name": "n_yes", "calculate": "count", "where": YES},
    {"name": "n_weighted", "calculate": "count", "weight": "weight", "decimals": 3},
    {"name": "s", "calculate": "sum", "field": "wait"},
    {"name": "s_weighted", "calculate": "sum", "field": "wait", "weight": "weight", "decimals": 3},
    {"name": "mean", "calculate": "mean", "field": "wait", "decimals": 3},
    {"name": "mean_weighted", "calculate": "mean", "field": "wait", "weight": "weight", "decimals": 3},
    {"name": "median", "calculate": "median", "field": "wait", "decimals": 3},
    {"name": "median_weighted", "calculate": "median", "field": "wait", "weight": "weight", "decimals": 3},
    {"name": "share", "calculate": "share", "where": YES, "decimals": 3},
    {"name": "share_weighted", "calculate": "share", "where": YES, "weight": "weight", "per": 1, "decimals": 3},
    {
        "name": "share_of", "calculate": "share", "where": YES, "decimals": 3, "base": "share_base",
        "of": [{"field": "wait", "atLeast": 3, "below": 9}],
    },
]  # fmt: skip
RECORD = st.tuples(
    st.sampled_from(["A", "B", "C", ""]),
    st.sampled_from("FM"),
    st.sampled_from(["2024-02-29", "2024-12-31", "2025-01-01", ""]),
    st.sampled_from(["yes", "no", ""]),
    st.sampled_from(["", *map(str, range(-2, 12))]),
    st.sampled_from(["", "0", "0.5", "1", "2.25", "1e1"]),
)


def number(text: str) -> Fraction | None:
    return Fraction(text) if text else None


def weighted_median(pairs: list[tuple[Fraction, Fraction]]) -> Fraction | None:
    """By hand: the values in order, each as long as its weight; what lies in the middle."""
    pairs = sorted((value, weight) for value, weight in pairs if weight > 0)
    half = sum((weight for _, weight in pairs), Fraction(0)) / 2
    before, found = Fraction(0), []
    for value, weight in pairs:
        if before <= half <= before + weight:
            found.append(value)
        before += weight
    return (min(found) + max(found)) / 2 if found else None


def reference(rows: list[dict[str, str]]) -> list[Fraction | None]:
    """The figures of MEASURES for the records of one cell."""
    yes = [row for row in rows if row["answer"] == "yes"]
    answered = [row for row in rows if row["answer"]]
    waits = [w for row in rows if (w := number(row["wait"])) is not None]
    pairs = [(w, g) for row in rows if None not in (w := number(row["wait"]), g := number(row["weight"]))]
    both: list[tuple[Fraction, Fraction]] = [(w, g) for w, g in pairs if w is not None and g is not None]
    weights = [g for row in rows if (g := number(row["weight"])) is not None]
    heavy = [(row["answer"] == "yes", Fraction(row["weight"])) for row in answered if row["weight"]]
    whole = sum((g for _, g in heavy), Fraction(0))
    of = [row for row in rows if row["wait"] and 3 <= int(row["wait"]) < 9]
    zero, mass = Fraction(0), sum((g for _, g in both), Fraction(0))
    return [
        Fraction(len(rows)),
        Fraction(len(yes)),
        sum(weights, zero),
        sum(waits, zero),
        sum((w * g for w, g in both), zero),
        Fraction(sum(waits), len(waits)) if waits else None,
        sum((w * g for w, g in both), zero) / mass if mass else None,
        Fraction(statistics.median(waits)) if waits else None,
        weighted_median(both),
        Fraction(100 * len(yes), len(answered)) if answered else None,
        sum((g for is_yes, g in heavy if is_yes), zero) / whole if whole else None,
        Fraction(100 * sum(row["answer"] == "yes" for row in of), len(of)) if of else None,
        Fraction(len(of)),
    ]


def cells_of(records: Iterable[tuple[str, ...]]) -> dict[tuple[str, ...], list[dict[str, str]]]:
    cells: dict[tuple[str, ...], list[dict[str, str]]] = {}
    for record in records:
        row = dict(zip(NAMES, record, strict=True))
        if row["district"] and row["day"]:
            for key in product([row["day"][:4]], [row["district"], T], [row["sex"], T]):
                cells.setdefault(key, []).append(row)
    return cells


@settings(max_examples=25, deadline=None)
@given(st.lists(RECORD, max_size=40))
def test_figures_are_those_of_a_plain_reference(records: list[tuple[str, ...]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        it = made(package(Path(folder), records, THINGS, TABLE | {"measures": MEASURES}))
    expected = cells_of(records)
    assert set(it.cells) == set(expected)
    for key, rows in expected.items():
        for measure, text, wanted in zip(
            [*MEASURES, {"name": "base"}], it.cells[key], reference(rows), strict=True
        ):
            assert (text == "M") == (wanted is None), (key, measure["name"])
            assert wanted is None or abs(Fraction(text) - wanted) <= Fraction(6, 10_000), (key, measure["name"])
    left_out = sum(not (record[0] and record[2]) for record in records)
    told = [f.params["count"] for f in it.findings if f.code == "CD756"]
    assert told == [left_out] * bool(left_out)


# What is hidden

Key = tuple[str, ...]
Cube = dict[Key, tuple[int, ...]]


def keys(*codes: str) -> Iterable[Key]:
    return product(*codes)


def cube_of(details: Mapping[Key, tuple[int, ...]]) -> Cube:
    cube: dict[Key, tuple[int, ...]] = {}
    for key, counts in details.items():
        for total in product(*((code, T) for code in key)):
            cube[total] = tuple(map(sum, zip(cube.get(total, (0,) * len(counts)), counts, strict=True)))
    return cube


def worked_out(known: Mapping[Key, Fraction | None], cube: Iterable[Key], least: int) -> set[Key]:
    """The cells that follow from the known ones, as any total is the sum of its parts.

    Args:
        known: what is published; None for a cell that is hidden, of which at least `least` is known.
        cube: all cells that are not empty; those that are not published may be anything from zero.
        least: the least value of a hidden cell.
    """
    cells = sorted(cube)
    unknown = [key for key in cells if known.get(key) is None]
    place = {key: number for number, key in enumerate(unknown)}
    equations: list[tuple[dict[int, Fraction], Fraction]] = []
    for key in cells:
        for dimension, code in enumerate(key):
            if code != T:
                continue
            parts = [k for k in cells if k[dimension] != T and (*k[:dimension], T, *k[dimension + 1 :]) == key]
            row: dict[int, Fraction] = {}
            rest = Fraction(0)
            for sign, cell in [(1, key), *((-1, part) for part in parts)]:
                value = known.get(cell)
                if value is None:
                    row[place[cell]] = row.get(place[cell], Fraction(0)) + sign
                else:
                    rest -= sign * value
            equations.append((row, rest))
    lows = {place[key]: Fraction(least if key in known else 0) for key in unknown}
    found = by_elimination(equations) | by_bounds(equations, lows)
    return {key for key in unknown if key in known and place[key] in found}


def by_elimination(equations: list[tuple[dict[int, Fraction], Fraction]]) -> set[int]:
    """The unknowns that linear algebra determines (reduced row echelon form)."""
    solved: dict[int, dict[int, Fraction]] = {}
    for given_row, _ in equations:
        row = dict(given_row)
        for pivot, other in solved.items():
            if factor := row.get(pivot):
                row = {k: v for k in {*row, *other} if (v := row.get(k, 0) - factor * other.get(k, Fraction(0)))}
        if not row:
            continue
        pivot = min(row)
        row = {k: v / row[pivot] for k, v in row.items()}
        for name, other in solved.items():
            if factor := other.get(pivot):
                solved[name] = {
                    k: v for k in {*row, *other} if (v := other.get(k, 0) - factor * row.get(k, Fraction(0)))
                }
        solved[pivot] = row
    return {pivot for pivot, row in solved.items() if len(row) == 1}


def by_bounds(equations: list[tuple[dict[int, Fraction], Fraction]], lows: dict[int, Fraction]) -> set[int]:
    """The unknowns whose bounds meet, each narrowed by the others of its equations until nothing changes."""
    low: dict[int, Fraction] = dict(lows)
    high: dict[int, Fraction] = {}
    changed = True
    while changed:
        changed = False
        for row, rest in equations:
            for name, sign in row.items():
                others = [(other, factor) for other, factor in row.items() if other != name]
                # sign * name = rest - sum of the others
                for is_most in (True, False):
                    picked = [(low.get(o) if (f > 0) == is_most else high.get(o), f) for o, f in others]
                    if any(value is None for value, _ in picked):
                        continue
                    bound = rest - sum((f * v for v, f in picked if v is not None), Fraction(0))
                    bound, upper = bound / sign, is_most == (sign > 0)
                    if upper and bound < high.get(name, bound + 1):
                        high[name], changed = bound, True
                    elif not upper and bound > low[name]:
                        low[name], changed = bound, True
    return {name for name, most in high.items() if most == low[name]}


def test_whoever_works_out_what_is_hidden_finds_what_is_badly_hidden() -> None:
    cube = cube_of({("A", "F"): (3,), ("A", "M"): (9,), ("B", "F"): (7,), ("B", "M"): (8,)})
    known: dict[Key, Fraction | None] = {key: Fraction(counts[0]) for key, counts in cube.items()}
    first: dict[Key, Fraction | None] = {("A", "F"): None}
    one: dict[Key, Fraction | None] = {**known, **first}
    assert worked_out(one, cube, 1) == {("A", "F")}
    assert worked_out({**one, ("A", "M"): None}, cube, 1) == {("A", "F"), ("A", "M")}
    hidden: dict[Key, Fraction | None] = dict.fromkeys(keys("AB", "FM"), None)
    assert worked_out({**known, **hidden}, cube, 1) == set()
    ones = cube_of(dict.fromkeys(keys("AB", "FM"), (1,)))
    assert worked_out({**{key: Fraction(n) for key, (n,) in ones.items()}, **hidden}, ones, 1) == set(hidden)


def protected(cube: Cube, threshold: int, shown: Callable[[Key], bool] = lambda key: True) -> frozenset[Key]:
    cells = {key: suppression.Cell(counts, any(0 < n < threshold for n in counts)) for key, counts in cube.items()}
    hidden, proved = suppression.Table(cells, shown, threshold).protected()
    assert proved
    return hidden


@st.composite
def details(draw: st.DrawFn) -> dict[Key, tuple[int, ...]]:
    codes = [[f"{name}{n}" for n in range(draw(st.integers(1, 4)))] for name in "abc"[: draw(st.integers(1, 3))]]
    small = st.integers(1, 4) | st.integers(1, 30)
    cells: dict[Key, tuple[int, ...]] = {}
    for key in product(*codes):
        if draw(st.integers(0, 9)):
            rows = draw(small)
            part = draw(st.integers(0, rows))
            cells[key] = (rows, part, rows - part)
    return cells


def too_little(
    cube: Cube, hidden: Iterable[Key], threshold: int, asked: Iterable[tuple[bool, ...]]
) -> Iterable[Key]:
    """Totals that are told and of which fewer are hidden, by any of the groupings asked for, than a cell has."""
    for total in cube:
        for kind in asked:
            is_total = tuple(code == T for code in total)
            if total in hidden or is_total not in asked or kind == is_total:
                continue
            parts = [
                key
                for key in hidden
                if tuple(code == T for code in key) == kind
                and all(code in (own, T) for own, code in zip(key, total, strict=True))
            ]
            if any(0 < sum(cube[key][n] for key in parts) < threshold for n in range(len(cube[total]))):
                yield total


@settings(max_examples=150, deadline=None)
@given(details(), st.sampled_from([3, 5, 10]), st.data())
def test_nothing_hidden_can_be_worked_out(
    cells: dict[Key, tuple[int, ...]], threshold: int, data: st.DataObject
) -> None:
    if not cells:
        return
    cube = cube_of(cells)
    width = len(next(iter(cube)))
    sets = list(product([True, False], repeat=width))
    asked = data.draw(st.lists(st.sampled_from(sets), min_size=1, unique=True) | st.just(sets))

    def shown(key: Key) -> bool:
        return tuple(code == T for code in key) in asked

    hidden = protected(cube, threshold, shown)
    assert not list(too_little(cube, hidden, threshold, asked))
    for number in range(3):
        known = {
            key: None if key in hidden else Fraction(counts[number]) for key, counts in cube.items() if shown(key)
        }
        assert all(value is None or value == 0 or value >= threshold for value in known.values())
        assert worked_out(known, cube, least=1 if number == 0 else 0) == set()


def test_what_need_not_be_hidden_is_told() -> None:
    assert protected(cube_of({("A", "F"): (30,), ("B", "M"): (7,)}), 5) == frozenset()
    cube = cube_of(dict.fromkeys(keys("ABCD", "FM"), (50,)) | {("A", "F"): (2,)})
    assert len(protected(cube, 5)) == 4


def test_cells_of_one_are_not_told_by_their_number() -> None:
    cells: dict[Key, tuple[int, ...]] = dict.fromkeys(keys("ABC", "FMX"), (1,))
    cube = cube_of(cells)
    hidden = protected(cube, 3)
    known = {key: None if key in hidden else Fraction(counts[0]) for key, counts in cube.items()}
    assert worked_out(known, cube, 1) == set()


@settings(max_examples=12, deadline=None)
@given(
    st.lists(
        st.tuples(
            *(st.sampled_from(c) for c in ("AAAABBC", "FM", ["2025-01-01"], ["yes", "no", ""])),
            st.sampled_from(["", *"0123456789"]),
            st.sampled_from("123"),
        ),
        min_size=20,
        max_size=150,
    )
)
def test_figures_that_are_published_do_not_tell_what_is_hidden(records: list[tuple[str, ...]]) -> None:
    share = {"name": "share", "calculate": "share", "where": YES, "decimals": 9, "base": "answers"}
    with tempfile.TemporaryDirectory() as folder:
        table = TABLE | {"measures": [COUNT, share]}
        it = made(package(Path(folder), records, PEOPLE, table))
    cube = {key[1:]: len(rows) for key, rows in cells_of(records).items()}
    figures = {key[1:]: texts for key, texts in it.cells.items()}
    assert set(figures) == set(cube)
    rows: dict[Key, Fraction | None] = {}
    part: dict[Key, Fraction | None] = {}
    for key, (count, ratio, base) in figures.items():
        assert (count == "Q") == (ratio == "Q") == (base == "Q")
        rows[key] = None if count == "Q" else Fraction(count)
        part[key] = (
            None
            if ratio == "Q"
            else Fraction(0)
            if ratio == "M"
            else Fraction(round(Fraction(ratio) * int(base) / 100))
        )
        assert count == "Q" or int(count) >= 5
        assert ratio in ("Q", "M") or 0 < Fraction(ratio) < 100
    assert worked_out(rows, cube, 1) == set()
    assert worked_out(part, cube, 0) == set()
    assert "CD759" not in it.codes


# What tells too much, one by one


def rows_by(count: int, district: str = "A", **given: str) -> list[tuple[str, ...]]:
    row = {"sex": "F", "day": "2025-05-01", "answer": "yes", "wait": "5", "weight": "1"} | given
    return [(district, *(row[name] for name in NAMES[1:]))] * count


MIXED = [*rows_by(20, wait="7"), *rows_by(20, answer="no", wait="")]
SHARE: Json = {"name": "share", "calculate": "share", "where": YES}
SOME: Json = {"name": "n", "calculate": "count", "where": YES}
MEDIAN: Json = {"name": "m", "calculate": "median", "field": "wait"}
UNSAFE: dict[str, tuple[list[tuple[str, ...]], list[Json]]] = {
    "few records": (rows_by(4), [COUNT]),
    "few records, whatever they weigh": (rows_by(4, weight="900"), [COUNT | {"weight": "weight"}]),
    "few who answered": ([*rows_by(2), *rows_by(2, answer="no"), *rows_by(30, answer="")], [SHARE]),
    "few of the part": ([*rows_by(4), *rows_by(30, answer="no")], [SHARE]),
    "few of the rest": ([*rows_by(30), *rows_by(4, answer="no")], [SHARE]),
    "everybody": (rows_by(30), [SHARE]),
    "nobody": (rows_by(30, answer="no"), [SHARE]),
    "a count that is a share in disguise": (rows_by(30), [COUNT, SOME]),
    "all with one value": (rows_by(30), [{"name": "m", "calculate": "mean", "field": "wait"}]),
    "few with a value": ([*rows_by(4), *rows_by(30, wait="")], [MEDIAN]),
    "a sum of two": (
        [*rows_by(2, wait="50"), *rows_by(30, wait="0")], [{"name": "s", "calculate": "sum", "field": "wait"}],
    ),
    "the difference of two counts": (
        [*rows_by(10, wait="20"), *rows_by(3, wait="10"), *rows_by(20, wait="1")],
        [{"name": f"n{n}", "calculate": "count", "where": [{"field": "wait", "atLeast": n}]} for n in (5, 15)],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", UNSAFE)
def test_a_cell_that_tells_too_much_is_hidden(name: str, tmp_path: Path) -> None:
    rows, measures = UNSAFE[name]
    it = made(package(tmp_path, rows, PEOPLE, TABLE | {"measures": measures, "by": [[]]}))
    assert set(it.cells.values()) == {("Q",) * len(measures)}
    assert it.codes.count("CD758") == 1
    things = made(package(tmp_path / "things", rows, THINGS, TABLE | {"measures": measures, "by": [[]]}))
    assert "Q" not in next(iter(things.cells.values()))


@pytest.mark.parametrize(
    "measures",
    [[COUNT], [SHARE], [COUNT, SHARE | {"base": "n"}], [{"name": "n", "calculate": "count", "where": YES}]],
)
def test_a_cell_that_tells_of_many_is_told(measures: list[Json], tmp_path: Path) -> None:
    it = made(package(tmp_path, MIXED, PEOPLE, TABLE | {"measures": measures, "by": [[]]}))
    assert "Q" not in next(iter(it.cells.values()))


@pytest.mark.parametrize(
    ("answers", "threshold", "count", "told"),
    [
        ({}, 0, 5, "5"), ({}, 0, 4, "Q"), ({}, 8, 7, "Q"), ({}, 8, 8, "8"),
        ({"personalDataCollected": "SENSITIVE"}, 0, 9, "Q"), ({"personalDataCollected": "SENSITIVE"}, 0, 10, "10"),
    ],
)  # fmt: skip
def test_the_threshold(answers: Json, threshold: int, count: int, told: str, tmp_path: Path) -> None:
    table = TABLE | {"measures": [COUNT], "by": [[]], "threshold": threshold}
    it = made(package(tmp_path, rows_by(count), PEOPLE | answers, table))
    assert list(it.cells.values()) == [(told,)]


# Dimensions, time and rows


@pytest.mark.parametrize(
    ("time", "told"),
    [
        ("day", "2025-05-01"),
        ({"field": "day", "period": "day"}, "2025-05-01"),
        ({"field": "day", "period": "month"}, "2025-05"),
        ({"field": "day", "period": "quarter"}, "2025-Q2"),
        ({"field": "day", "period": "year"}, "2025"),
        ({"value": "2024-S2"}, "2024-S2"),
    ],
)
def test_times(time: Any, told: str, tmp_path: Path) -> None:
    table = TABLE | {"measures": [COUNT], "by": [["sex"]], "time": time}
    assert made(package(tmp_path, rows_by(9), PEOPLE, table)).cells == {(told, T, "F"): ("9",)}


def test_what_is_not_known_has_a_code_where_it_is_asked_for(tmp_path: Path) -> None:
    rows = [*rows_by(6), *rows_by(7, district="")]
    table = TABLE | {"measures": [COUNT], "dimensions": [{"field": "district", "unknown": True}]}
    it = made(package(tmp_path, rows, PEOPLE, table))
    assert it.cells == {("2025", "A"): ("6",), ("2025", "_U"): ("7",), ("2025", T): ("13",)}
    values = {value.id: value.name.best("es") for value in it.dataset.tables[0].dimensions[0].values}
    assert (values["_U"], values[T]) == ("No se sabe", "Total")


def test_long_code_lists_and_codes_that_are_no_ids(tmp_path: Path) -> None:
    district = coded("district", [f"№ {n}" for n in range(600)])
    rows = [*rows_by(6, "№ 7"), *rows_by(8, "№ 599")]
    it = made(package(tmp_path, rows, PEOPLE, TABLE | {"measures": [COUNT]}, fields=[district, *FIELDS[1:]]))
    ids = {value.raw: value.id for value in it.dataset.tables[0].dimensions[0].values}
    assert {key[1] for key in it.cells} == {T, *(id_ for id_ in ids if id_.endswith(("_7", "_599")))}
    assert it.cells["2025", T, T] == ("14",)


@pytest.mark.parametrize(
    ("rows", "measure", "field"),
    [
        ([*rows_by(9), *rows_by(2, weight="-1")], {"weight": "weight"}, "weight"),
        ([*rows_by(9), *rows_by(2, wait="zqcanary")], {"calculate": "sum", "field": "wait"}, "wait"),
        ([*rows_by(9), *rows_by(2, day="zqcanary")], {}, "day"),
        ([*rows_by(9), *rows_by(2, district="zqcanary")], {}, "district"),
    ],
)
def test_records_that_cannot_be_computed_with(
    rows: list[tuple[str, ...]], measure: Json, field: str, tmp_path: Path
) -> None:
    it = made(package(tmp_path, rows, PEOPLE, TABLE | {"measures": [COUNT | measure]}))
    (found,) = [finding for finding in it.findings if finding.code == "CD757"]
    assert (found.where.field, found.where.row, found.params["count"]) == (field, 11, 2)
    assert found.severity() == "error"
    assert it.cells == {}
    assert not any("zqcanary" in f"{finding} {finding.message()}" for finding in it.findings)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"name": ""}, "CD748"),
        ({"name": "visits"}, "CD748"),
        ({"resource": "other"}, "CD749"),
        ({"dimensions": []}, "CD748"),
        ({"dimensions": ["sex", "sex"]}, "CD748"),
        ({"dimensions": ["other"]}, "CD749"),
        ({"dimensions": ["wait"]}, "CD751"),
        ({"time": None}, "CD752"),
        ({"time": "other"}, "CD749"),
        ({"time": {"field": "day", "period": "week"}}, "CD748"),
        ({"time": {"field": "sex", "period": "year"}}, "CD748"),
        ({"by": "all"}, "CD748"),
        ({"by": [["wait"]]}, "CD749"),
        ({"threshold": -1}, "CD748"),
        ({"measures": []}, "CD748"),
        ({"measures": ["count"]}, "CD748"),
        ({"measures": [COUNT, COUNT]}, "CD748"),
        ({"measures": [COUNT | {"calculate": "mode"}]}, "CD748"),
        ({"measures": [COUNT | {"field": "wait"}]}, "CD748"),
        ({"measures": [COUNT | {"of": YES}]}, "CD748"),
        ({"measures": [COUNT | {"decimals": 10}]}, "CD748"),
        ({"measures": [COUNT | {"weight": "answer"}]}, "CD750"),
        ({"measures": [COUNT | {"where": [{"field": "answer", "in": ["perhaps"]}]}]}, "CD748"),
        ({"measures": [COUNT | {"where": [{"field": "answer", "is": "yes"}]}]}, "CD748"),
        ({"measures": [COUNT | {"where": [{"field": "answer", "below": 3}]}]}, "CD750"),
        ({"measures": [COUNT | {"where": [{"field": "other"}]}]}, "CD749"),
        ({"measures": [{"name": "m", "calculate": "mean"}]}, "CD749"),
        ({"measures": [{"name": "m", "calculate": "share"}]}, "CD748"),
        ({"odd": 1}, "CD748"),
    ],
)
def test_what_cannot_be_used_is_told_by_both_commands(change: Json, code: str, tmp_path: Path) -> None:
    table = {k: v for k, v in (TABLE | {"measures": [COUNT]} | change).items() if v is not None}
    path = package(tmp_path, MIXED, PEOPLE, table)
    found = [finding for finding in validate(path).findings if "CD748" <= finding.code <= "CD759"]
    assert [finding.code for finding in found] == [code]
    assert (found[0].where.pointer or "").startswith("/sdmx/indicators/0")
    out = convert(path, "sdmx-csv-2.0", tmp_path / "out", allowed_signers=None, draft=True, now=NOW)
    assert [finding.code for finding in out.errors] == [code]
    assert out.files == ()


@pytest.mark.parametrize("given", ["figures", [1], {"name": "figures"}])
def test_what_is_no_list_of_tables(given: Any, tmp_path: Path) -> None:
    path = package(tmp_path, MIXED, PEOPLE)
    descriptor = json.loads((path / "datapackage.json").read_text(encoding="utf-8"))
    descriptor["sdmx"]["indicators"] = given
    (path / "datapackage.json").write_text(json.dumps(descriptor), encoding="utf-8")
    assert [finding.code for finding in validate(path).findings if finding.code == "CD748"] == ["CD748"]


SCALAR = st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(["", "sex", "wait", "visits"])
OBJECT = st.dictionaries(st.sampled_from(["field", "in", "below", "value"]), SCALAR | st.lists(SCALAR, max_size=2))
JSON = SCALAR | OBJECT | st.lists(SCALAR | OBJECT | st.lists(SCALAR, max_size=2), max_size=3)
MEMBER = st.sampled_from(["name", "resource", "dimensions", "time", "by", "measures", "threshold", "title"])
OF_MEASURE = st.sampled_from(["name", "calculate", "field", "weight", "where", "of", "per", "decimals", "base"])


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(MEMBER, JSON, max_size=2), st.dictionaries(OF_MEASURE, JSON, max_size=2))
def test_whatever_is_declared_is_told_of_and_breaks_nothing(table: Json, measure: Json) -> None:
    given_table = {**TABLE, "measures": [COUNT | {"name": "m"} | measure], **table}
    schema = {"fields": FIELDS, "foreignKeys": {}}
    raw: Json = {"name": "visits", "schema": schema}
    resource = Resource(0, "visits", raw, (), schema, None)
    loaded = Package("p", Path(), b"", {"sdmx": {"indicators": [given_table]}}, (resource,), (), (), ())
    findings: list[Finding] = []
    read = indicators(loaded, findings)
    assert bool(read) != bool(findings)
    assert all(finding.message() for finding in findings)


# Messages


@pytest.mark.parametrize("to", FORMATS)
def test_all_formats_are_written_and_valid(to: str, tmp_path: Path) -> None:
    rows = [*MIXED, *rows_by(3, "B"), *rows_by(9, "C"), *rows_by(9, "C", sex="M", answer="no")]
    path = package(tmp_path, rows, PEOPLE, TABLE | {"measures": [COUNT]})
    converted = convert(path, to, tmp_path / "out", allowed_signers=None, draft=True, now=NOW)
    assert [f.code for f in converted.findings] == (["CD758"] if any("data" in n for n in converted.files) else [])
    assert converted.errors == ()
    assert converted.files


@pytest.mark.parametrize("to", ["sdmx-ml-3.0", "sdmx-csv-2.0", "sdmx-json-2.0"])
def test_several_measures_are_written(to: str, tmp_path: Path) -> None:
    rows = [*MIXED, *rows_by(3, "B"), *rows_by(9, "C"), *rows_by(9, "C", sex="M", answer="no")]
    path = package(tmp_path, rows, PEOPLE, TABLE | {"measures": [COUNT, SHARE | {"base": "answers"}]})
    converted = convert(path, to, tmp_path / "out", allowed_signers=None, draft=True, now=NOW)
    assert converted.errors == ()
    assert [f.code for f in converted.findings] == ["CD758"]
    if to != "sdmx-csv-2.0":
        return
    with (tmp_path / "out" / "data-figures.draft.csv").open(encoding="utf-8", newline="") as stream:
        written = list(csv.DictReader(stream))
    told = {(r["TIME_PERIOD"], r["DISTRICT"], r["SEX"]): (r["PEOPLE"], r["SHARE"], r["ANSWERS"]) for r in written}
    cells = made(path).cells
    assert told == {key: tuple("" if text in "QM" else text for text in texts) for key, texts in cells.items()}
    for row in written:
        hidden = cells[row["TIME_PERIOD"], row["DISTRICT"], row["SEX"]][0] == "Q"
        for measure in ("PEOPLE", "SHARE", "ANSWERS"):
            status = (row[f"OBS_STATUS_{measure}"], row[f"CONF_STATUS_{measure}"])
            assert status == (("Q", "C") if hidden else ("A", "F"))
    assert {row["STRUCTURE_ID"].rpartition(":")[2] for row in written} == {
        "DF_PUBLIC_SERVICE_SATISFACTION_FIGURES(1.0)"
    }


def test_the_same_records_give_the_same_bytes(tmp_path: Path) -> None:
    rows = [
        (d, s, "2025-01-01", "yes" if n % 3 else "no", f"{n % 50}", f"{n % 7}.1")
        for n, (d, s) in enumerate(list(product("ABCD", "FM")) * 200)
    ]
    measures = [
        COUNT | {"weight": "weight", "decimals": 9},
        {"name": "m", "calculate": "mean", "field": "wait", "weight": "weight", "decimals": 9},
    ]
    path = package(tmp_path, rows, PEOPLE, TABLE | {"measures": measures})
    for name in ("one", "two"):
        convert(path, "sdmx-csv-2.0", tmp_path / name, allowed_signers=None, draft=True, now=NOW)
    one, two = ((tmp_path / name / "data-figures.draft.csv").read_bytes() for name in ("one", "two"))
    assert one == two
