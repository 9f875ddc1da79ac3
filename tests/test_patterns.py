"""Patterns of a schema: they mean what they mean to Python, and are asked within a time."""

import json
import re
import time
import warnings
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from cdmeta.checks import rows
from cdmeta.finding import Finding
from cdmeta.package import load
from cdmeta.tables import cells, patterns, scan
from cdmeta.tables.patterns import PatternTooLargeError, matcher

PARTS = [
    *(
        "a",
        "b",
        "1",
        "A",
        "é",
        "-",
        ":",
        "\n",
        ".",
        "^",
        "$",
        "|",
        "(",
        ")",
        "(?:",
        "(?i)",
        "(?=a)",
        "(?!b)",
        "(?<=a)",
    ),
    *(
        "*",
        "+",
        "?",
        "*?",
        "++",
        "{2}",
        "{1,}",
        "{,2}",
        "{,}",
        "{}",
        "{",
        "}",
        "{e}",
        "{e<=1}",
        "{i}",
        "\\{",
        "\\[",
    ),
    *("[a-z]", "[^b]", "[", "]", "[]a]", "[^]a]", "[[:alpha:]]", "[[a]", "[\\]a]", "[a--b]", "[a&&b]", "[a||b]"),
    *("\\d", "\\w", "\\b", "\\Z", "\\1", "(?P<n>a)", "(?P=n)", "(?>a)", "(?(1)a|b)"),
]
TEXTS = [
    "",
    "a",
    "b",
    "ab",
    "aab",
    "abab",
    "1",
    "A",
    "é",
    "-",
    ":",
    "a\n",
    "\n",
    "{",
    "}",
    "a{}",
    "a{e}",
    "a{e<=1}",
]
TEXTS += ["a{e}", "a{e<=1}", "a]", "b]", "h]", ":]", "[a]", "&", "|", "a{"]


@given(st.lists(st.sampled_from(PARTS), max_size=6).map("".join))
def test_a_pattern_means_what_it_means_to_python(pattern: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            stock = re.compile(pattern)
        except re.error:
            assume(False)
        ours = matcher(pattern)
    assert [(text, ours(text)) for text in TEXTS] == [(text, bool(stock.fullmatch(text))) for text in TEXTS]


@pytest.mark.parametrize("pattern", ["(", "a{3,2}", "*", "(?x) a # [", "\\p{L}"])
def test_what_is_no_pattern_or_a_commented_one_is_refused(pattern: str) -> None:
    with pytest.raises(re.error):
        matcher(pattern)


@pytest.mark.parametrize(
    ("pattern", "parts"),
    [
        ("abc", 3),
        ("a{7}", 7),
        ("[a-z]{7}-{2,3}", 10),
        ("(?:a{9}b){9}", 2 * 9 + 90),
        ("(a|bc){,5}", 20),
        ("\\(a{3}", 4),
    ],
)
def test_repetitions_are_counted_out(pattern: str, parts: int) -> None:
    assert patterns._parts(list(patterns._tokens(pattern))) == parts


@pytest.mark.parametrize("pattern", ["(?:a{999}){999}", "((a{99}){99}){99}", "(?:" * 5 + "a" + "{99})" * 5])
def test_a_pattern_that_would_fill_the_memory_is_refused(pattern: str) -> None:
    with pytest.raises(PatternTooLargeError):
        matcher(pattern)


SLOW = "(?:a|aa)+"
CELL = "a" * 500 + "b"


def test_a_pattern_that_took_too_long_once_is_asked_no_more() -> None:
    ask = matcher(SLOW)
    assert ask("aaa") is True
    began = time.monotonic()
    assert ask(CELL) is None
    assert time.monotonic() - began < 10 * patterns.CELL_SECONDS
    assert ask("aaa") is None


def test_a_pattern_that_is_slow_with_each_cell_has_a_limit_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patterns, "COLUMN_SECONDS", 0.05)
    monkeypatch.setattr(patterns, "_SLOW", 0.0)
    ask = matcher("a")
    deadline = time.monotonic() + 20
    while ask("a") is not None:
        assert time.monotonic() < deadline


def found(folder: Path, pattern: str, table_cells: list[str]) -> list[Finding]:
    fields = [
        {"name": "id", "type": "string"},
        {"name": "a", "type": "string", "constraints": {"pattern": pattern}},
    ]
    table = {"name": "t", "path": "t.csv", "schema": {"fields": fields, "primaryKey": "id"}}
    (folder / "datapackage.json").write_text(json.dumps({"resources": [table]}))
    lines = (f"{number},{cell}\n" for number, cell in enumerate(table_cells))
    (folder / "t.csv").write_text("id,a\n" + "".join(lines))
    return list(rows.check(load(folder)))


def test_cells_that_were_not_checked_are_told(tmp_path: Path) -> None:
    told = found(tmp_path, SLOW, ["aa", "b", CELL, "b", "aa"])
    assert [(f.code, f.where.row, f.where.field) for f in told] == [("CD410", 3, "a"), ("CD432", 4, "a")]
    assert told[1].message().endswith("from row 4 on, 3 cells were not checked against it.")
    assert told[1].severity("publish") == "error"
    assert CELL not in str(told)


def test_a_table_that_is_scanned_is_not_called_valid_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the scan has shown a value to the judge before, that takes too long, none is asked again."""
    monkeypatch.setattr(scan, "SMALL", 0)
    told = found(tmp_path, SLOW, ["aa", CELL, "aa"])
    assert [(f.code, f.where.row, f.where.field, f.params["note"].params["count"]) for f in told] == [
        ("CD432", 2, "a", 3)
    ]


def test_a_pattern_that_repeats_too_much_is_told(tmp_path: Path) -> None:
    told = found(tmp_path, "(?:a{999}){999}", ["a"])
    assert [(f.code, f.where.pointer) for f in told] == [
        ("CD432", "/resources/0/schema/fields/1/constraints/pattern")
    ]
    assert told[0].message().endswith("no cell was checked against it.")


@given(st.text(st.sampled_from("a1-. ٣½²\n€")).map(str.strip))
def test_what_stands_around_a_number_is_taken_out_as_frictionless_does(text: str) -> None:
    assert cells._bare(text) == re.sub(r"(^[^-\d]*)|(\D*$)", "", text)


def test_a_long_cell_around_a_number_takes_no_longer_than_another() -> None:
    began = time.monotonic()
    assert cells._bare("€" * 10 + "1" + "x" * 1_000_000 + "1" + "x") == "1" + "x" * 1_000_000 + "1"
    assert time.monotonic() - began < 2
