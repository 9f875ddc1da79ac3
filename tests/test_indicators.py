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

from hypothesis import given, settings
from hypothesis import strategies as st

from cdmeta import framework
from cdmeta.dataset import Dataset, to_dataset
from cdmeta.finding import Finding
from cdmeta.package import load
from cdmeta.sdmx import suppression
from cdmeta.sdmx.indicators import rows_of
from cdmeta.tables.engine import ROW, code_rows, session

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
    heavy = [(row["answer"] == "yes", number(row["weight"]) or 0) for row in answered if row["weight"]]
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
    known = {key: Fraction(counts[0]) for key, counts in cube.items()}
    one = known | {("A", "F"): None}
    assert worked_out(one, cube, 1) == {("A", "F")}
    assert worked_out(one | {("A", "M"): None}, cube, 1) == {("A", "F"), ("A", "M")}
    four = dict.fromkeys(product("AB", "FM"))
    assert worked_out(known | four, cube, 1) == set()
    ones = cube_of(dict.fromkeys(product("AB", "FM"), (1,)))
    assert worked_out({key: Fraction(n) for key, (n,) in ones.items()} | four, ones, 1) == set(four)


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
    for number in range(3):
        known = {
            key: None if key in hidden else Fraction(counts[number]) for key, counts in cube.items() if shown(key)
        }
        assert all(value is None or value == 0 or value >= threshold for value in known.values())
        assert worked_out(known, cube, least=1 if number == 0 else 0) == set()


def test_what_need_not_be_hidden_is_told() -> None:
    assert protected(cube_of({("A", "F"): (30,), ("B", "M"): (7,)}), 5) == frozenset()
    cube = cube_of(dict.fromkeys(product("ABCD", "FM"), (50,)) | {("A", "F"): (2,)})
    assert len(protected(cube, 5)) == 4


def test_cells_of_one_are_not_told_by_their_number() -> None:
    cube = cube_of(dict.fromkeys(product("ABC", "FMX"), (1,)))
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
