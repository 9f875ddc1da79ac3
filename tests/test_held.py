"""What is said of small tables in memory is what the engine says of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cdmeta.checks import identifying, places
from cdmeta.checks.columns import text_patterns
from cdmeta.package import Resource
from cdmeta.tables import engine, shapes
from cdmeta.tables.disclosure import Table
from cdmeta.tables.held import (
    Cells,
    Condition,
    Held,
    UnsureError,
    at_most,
    holds_text,
    in_ascii,
    lacks,
    matches,
    to_number,
)
from cdmeta.tables.loading import _Shelf
from cdmeta.tables.shapes import DAY, DIGITS, PATTERNS, Column, _office, is_number

NAMES = ("f0", "f1", "f2")
# Pieces of what is looked for, so that it comes up, and what the two engines may take differently.
PIECES = st.sampled_from(
    [
        *"0159.,:;/@+-_% '°′\"()[]{}eEnN\t\n\r\f",
        "ab", "Area", "ana@example.org", "ñ", "É", "ſ", "\u212a", "\x0b", "\x1f", "²", "٣", "½", "中",
        "\U0001f600", "10.0.0.200", "fe80::1", "fe80:0:0:0:1:2", "@juan_perez", "facebook.com/juan.perez", "inf",
        "x.com/abc?",
        "nan", "2024-05-17", "17/05/2024", "T10:00", "-1.234567", "POINT (1.23456 2.5)", "6FG22222+22", "1e5",
        "KE12 3456", "12°34'5",
        "info@example.org", "Sra. Ana", " rue de ", "Calle ", "12 High Street ", "Bis",
        "coordinates", "A-1234567", "0712 345 678", "Infinity", "0x1F", "1_000", "-0", "00", ".5", "5.",
    ]
)  # fmt: skip
TEXTS = st.one_of(
    st.none(),
    st.sampled_from(["", "1", "2", "3", "1.5", "-2", "a", "b", "Peña Blanca", "2024", "0", "100", "1" * 16]),
    st.lists(PIECES, max_size=6).map("".join),
    st.integers(-(10**6), 10**6).map(str),
    st.decimals(-1000, 1000, places=3).map(str),
    st.text(max_size=12),
)
ROWS = st.lists(st.tuples(*[TEXTS] * len(NAMES)), min_size=1, max_size=30)
RESOURCE = Resource(0, "t", {}, (), None, None)
PATTERNS_ASKED = [
    *(pattern for _, pattern in PATTERNS.values()),
    DIGITS, DAY, identifying._IBAN_LIKE, identifying._ID_LIKE, identifying._MARKED_PHONE,
    places._PAIR, places._SHAPE, places._SECONDS, places._PLUS_CODE,
    "[.][0-9]{2}[0-9]*[1-9]", "[,][0-9]{3}[0-9]*[1-9]", "[A-Za-z]{2}",
    "^[0-9b-hjkmnp-z]{5,12}$", _office(), *text_patterns().values(),
]  # fmt: skip


def conditions(column: Column) -> Iterator[Condition]:
    cell = column.sql
    for number, pattern in enumerate(PATTERNS_ASKED):
        yield matches(cell, pattern, least=number % 8)
    yield lacks(cell, DAY, least=8)
    yield holds_text(cell, "+") & matches(cell, DIGITS)
    yield matches(cell, DIGITS, least=7) & lacks(cell, DAY, least=8)
    yield at_most(cell, 6)
    yield is_number(column, "{v} > 0 AND {v} < 10", lambda value: 0 < value < 10)
    yield is_number(column, "{v} <> floor({v})", lambda value: not value.is_integer())
    yield is_number(column, "abs({v}) <= 180", lambda value: abs(value) <= 180) | matches(cell, "[A-Za-z]{2}")


@pytest.fixture(scope="module")
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def both(rows: list[tuple[str | None, ...]], given: dict[str, Any]) -> tuple[Table, Table, ExitStack]:
    """A table in memory, the same in the engine, and what closes the latter."""
    stack = ExitStack()
    shelf = _Shelf(stack)
    columns = tuple(Column(name, name, given, name, None) for name in NAMES)
    clean = [[None if text is None else text.replace("\0", "") for text in row] for row in rows]
    cells: dict[str, Cells] = dict(zip(NAMES, zip(*clean, strict=True), strict=True))
    held = Held([2 + 3 * number % 7 for number in range(len(rows))], cells)
    shelf.add("t0", columns, held)
    there = Table(RESOURCE, columns, len(rows), _sql="t0", _connect=shelf.connect)
    here = replace(there, _connect=None, _held=held if held.is_plain else None)
    return here, there, stack


def sure(ask: Callable[..., Any], *args: Any) -> Any:
    try:
        return ask(*args)
    except UnsureError:
        return None


@settings(max_examples=25, deadline=None)
@given(
    ROWS,
    st.sampled_from([{}, {"groupChar": ","}, {"groupChar": " ", "decimalChar": ","}, {"bareNumber": False}]),
)
@example([("a" * 299 + ".com/a@b.cc", "x\n", "1\n")], {})
@example([("0", "-0", "007"), ("1.", "1e3", "nan")], {})
def test_memory_and_engine_say_the_same(rows: list[tuple[str | None, ...]], given: dict[str, Any]) -> None:
    here, there, stack = both(rows, given)
    with stack:
        if here._held is None:
            return
        one, two, three = here.columns
        for k in (1, 2, 3):
            assert here.groups((one, two), k) == there.groups((one, two), k)
            assert here.groups((three,), k) == there.groups((three,), k)
            assert here.rare(one, k) == there.rare(one, k)
            assert here.alike((one, two), three, k) == there.alike((one, two), three, k)
            assert here.alike((), three, k) == there.alike((), three, k)
        for column, shape in zip(here.columns, there.shapes(), strict=True):
            assert here.distinct(column) == there.distinct(column)
            # The engine counts different values to a few per cent only.
            told = sure(shape_in_memory, here, column)
            if told is not None:
                assert replace(told, distinct=0) == replace(shape, distinct=0)
                assert told.distinct == there.distinct(column)
                assert told.marks == shape.marks
            here_hits = here.hits(column, shape) if column.sql in decided(here, column) else None
            assert here_hits is None or here_hits == there.hits(column, shape)


def shape_in_memory(table: Table, column: Column) -> Any:
    assert table._held is not None
    return shapes.shape_in_memory(table._held, column)


def decided(table: Table, column: Column) -> tuple[str, ...]:
    """The column, where every pattern can be decided in memory."""
    assert table._held is not None
    held = table._held
    asked = [sure(held.count, matches(column.sql, p)) for _, p in PATTERNS.values()]
    return () if None in asked else (column.sql,)


@settings(max_examples=25, deadline=None)
@given(ROWS)
def test_conditions_hold_in_memory_where_they_hold_in_the_engine(rows: list[tuple[str | None, ...]]) -> None:
    here, there, stack = both(rows, {})
    with stack:
        if here._held is None:
            return
        for column in here.columns:
            known = [(condition, sure(here._held.count, condition)) for condition in conditions(column)]
            asked = [condition for condition, found in known if found is not None]
            counts = ", ".join(
                f"count(*) FILTER ({condition}), min(row) FILTER ({condition})" for condition in asked
            )
            (told,) = there.ask(f"SELECT {counts} FROM {{t}}")  # our own names
            found = [found for _, found in known if found is not None]
            for number, condition in enumerate(asked):
                assert found[number] == (told[2 * number], told[2 * number + 1]), condition.sql
            some = matches(column.sql, "[0-9A-Za-z]", least=1)
            if (values := sure(here._held.matching, column.sql, some)) is not None:
                assert sorted(values) == sorted(there._values(column, some, 100))


NUMBERS = st.one_of(
    st.from_regex(r"[-+]?[0-9]{0,18}[.]?[0-9]{0,18}([eE][-+]?[0-9]{1,3})?", fullmatch=True),
    st.text(alphabet="0123456789.,-+eEnNiaftyINFATY_ \t\n°/:xkñ٣²", max_size=10),
    TEXTS.filter(lambda text: text is not None),
)


@settings(max_examples=30, deadline=None)
@given(st.lists(NUMBERS, min_size=1, max_size=60))
def test_numbers_are_cast_alike(texts: list[str]) -> None:
    plain = [text.replace("\0", "") for text in texts]
    with engine.small_session() as session:
        for text in dict.fromkeys(plain):
            ((told,),) = session.connection.execute("SELECT TRY_CAST(?::VARCHAR AS DOUBLE)", [text]).fetchall()
            try:
                found = to_number(text)
            except UnsureError:
                continue
            assert found == told, text


def test_what_is_common_is_decided_in_memory() -> None:
    """Otherwise the tests above would hold of a program that always asks the engine."""
    for text in ("Peña Blanca", "2024-05-17", "3.5", "-2", "PENA", "ana at home", "Se rompió la bomba, otra vez."):
        to_number(text)
        for pattern in PATTERNS_ASKED:
            if r"\p" not in pattern or text.isascii():
                matches("f0", pattern, least=3).test(text)  # type: ignore[misc]  # it has one
    held = Held([2, 3], {"f0": ("a@b.cc", None), "f1": ("1", "x")})
    assert held.count(matches("f0", PATTERNS["email"][1])) == (1, 2)
    assert held.matching("f1", at_most("f1", 1)) == [("1", 1, 2), ("x", 1, 3)]


@pytest.mark.parametrize("text", ["a\x0bb", "ſ", "\u212a", "x\n", "\0"])
def test_what_engines_of_patterns_take_differently_is_left_to_the_engine(text: str) -> None:
    assert not Held([2], {"f0": (text,)}).is_plain
    assert Held([2], {"f0": ("a b\nc",)}).is_plain


def test_long_cells_are_left_to_the_engine() -> None:
    """Its time grows with their length alone."""
    with pytest.raises(UnsureError):
        Held([2], {"f0": ("x.com/" + "a" * 1000,)}).count(matches("f0", PATTERNS["address"][1]))


def test_no_pattern_means_anything_else_to_python() -> None:
    for pattern in PATTERNS_ASKED:
        plain = in_ascii(pattern)
        assert not re.search(r"(?:^|\])[^\[]*\\p[LN]", pattern), "in ASCII it is a part of a class"
        assert "\\p" not in plain
        re.compile(plain, re.ASCII)
        # An anchor is all that a dollar may be, and words have no bounds in common.
        assert not re.search(r"\\[$bBAzZ]|\[[^\]]*\$|\(\?[^:i]", plain)
