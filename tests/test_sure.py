"""What is right beyond doubt is right to frictionless too, and means the same."""

from __future__ import annotations

import json
import subprocess
import sys
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cdmeta.tables import sure
from cdmeta.tables.cells import _Builder, column
from cdmeta.tables.conformance import CONSTRAINTS, FIELD_TYPES, _accepts_text
from cdmeta.tables.sure import conforms, known_cells

EXAMPLES = Path(__file__).parent.parent / "examples"
KINDS = tuple(sure._BUILDERS)
TEXTS = [
    "",
    " ",
    "a",
    "A",
    "ab",
    "é",
    "NA",
    "0",
    "00",
    "1",
    "-1",
    "+1",
    "1.0",
    "1.5",
    "1.",
    ".5",
    "1e3",
    "1_000",
    " 1",
    "1 ",
    "1\n",
    "5",
    "120",
    "121",
    "2024",
    "0999",
    "9999",
    "10000",
    "999999999999999999",
    "9999999999999999999",
    "0.000000000000000001",
    "true",
    "True",
    "TRUE",
    "tRue",
    "false",
    "False",
    "FALSE",
    "yes",
    "2024-02-29",
    "2023-02-29",
    "0001-01-01",
    "0000-01-01",
    "2024-2-9",
    "20240209",
    "2024-02-29\n",
    "٣",
    "²",
    "NaN",
    "INF",
    "-0",
    "a\nb",
    "x" * 50,
]
MISSING: tuple[list[str], ...] = ([""], ["", "NA", "0"], [], ["a", "true", "2024"])
CONSTRAINED: list[dict[str, Any]] = [
    {},
    {"required": True},
    {"required": False, "unique": True},
    {"minLength": 2},
    {"maxLength": 1},
    {"minLength": 1, "maxLength": 3},
    {"enum": ["a", "A", "é"]},
    {"enum": ["a", "NA"]},
    {"enum": []},
    {"enum": [1, 2]},
    {"pattern": "[a-z]+"},
    *({name: bound} for name in sure._SIGNS for bound in (-1, 0, 1, 120, 2024, 10**17, 1.5, "1", True)),
    {"minimum": 1, "maximum": 120},
]
OTHER: list[dict[str, Any]] = [
    {},
    {"categories": ["a", "A"]},
    {"categories": [{"value": "a", "label": "NA"}, {"value": "é"}], "categoriesOrdered": True},
    {"categories": []},
    {"categories": ["a", ""]},
    {"categories": [1, 2]},
    {"missingValues": ["ab", "1"]},
    {"missingValues": [{"value": "ab"}, {"value": "1"}]},
    {"trueValues": ["a"], "falseValues": ["ab"]},
    {"bareNumber": False},
    {"decimalChar": ","},
    {"title": "x", "title@fr": "y", "sdmx": {"id": "X"}},
    {"format": "default"},
    {"format": "email"},
]


def values_of(given_field: dict[str, Any], missing: list[str]) -> list[Any]:
    own = given_field.get("missingValues", missing)
    return [part["value"] if isinstance(part, dict) else part for part in own]


@pytest.mark.parametrize("kind", [*KINDS, None])
def test_cells_are_read_as_frictionless_reads_them(kind: str | None) -> None:
    certain = 0
    for constraints, other, missing in product(CONSTRAINED, OTHER, MISSING):
        given_field = {"name": "a", "constraints": constraints, **other} | ({"type": kind} if kind else {})
        known = known_cells(given_field, values_of(given_field, missing))
        if known is None:
            continue
        stock, quick = _Builder(given_field, missing).column(), column(given_field, missing)
        assert (quick.name, quick.type, quick.required, quick.unique, quick.problems) == (
            (stock.name, stock.type, stock.required, stock.unique, stock.problems)
        )
        for text in [*TEXTS, None, 1, 1.5, True, ["a"]]:
            told, wanted = quick.read(text), stock.read(text)
            assert repr(told) == repr(wanted), (given_field, missing, text)
            certain += isinstance(text, str) and known(text) is not None
    assert certain > 100


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from(KINDS),
    st.sampled_from(CONSTRAINED),
    st.lists(
        st.one_of(st.text(max_size=6), st.from_regex(r"[-+]?[0-9]{0,19}[.]?[0-9]{0,19}", fullmatch=True)),
        max_size=9,
    ),
)
def test_any_cell_is_read_alike(kind: str, constraints: dict[str, Any], texts: list[str]) -> None:
    given_field = {"name": "a", "type": kind, "constraints": constraints}
    if known_cells(given_field, [""]) is not None:
        stock, quick = _Builder(given_field, [""]).column(), column(given_field, [""])
        for text in texts:
            assert repr(quick.read(text)) == repr(stock.read(text)), text


VALUES: list[Any] = [
    None,
    True,
    False,
    0,
    1,
    -1,
    1.5,
    10**30,
    "",
    " ",
    "x",
    "X",
    "x y",
    "a/b",
    "é",
    "x\n",
    "\n",
    ",",
    ";",
    ".",
    "..",
    "ab",
    '"',
    "'",
    "table",
    "json",
    "default",
    "any",
    "exact",
    "equal",
    ["exact"],
    "utf-8",
    "utf8",
    "text/csv",
    "CC-BY-4.0",
    "1.0.0",
    "https://example.org",
    "https://example.org/a?b=c",
    "http://x",
    "ftp://example.org",
    "mailto:a@example.org",
    "a@example.org",
    "d41d8cd98f00b204e9800998ecf8427e",
    "sha256:" + "0" * 64,
    "md5:x",
    "2024-01-01T00:00:00Z",
    [],
    ["x"],
    ["x", "x"],
    ["x", 1],
    [1],
    [""],
    ["a", "b"],
    [["a"]],
    [{}],
    {},
    {"x": 1},
    [{"name": "CC-BY-4.0"}],
    [{"path": "https://example.org"}],
    [{"name": "x y"}],
    [{"title": "x"}],
    [{"title": ""}],
    [{"title": "x", "email": "a@example.org"}],
    [{"title": "x", "email": "a"}],
    [{"title": "x", "path": "x y"}],
    [{"title": "x", "roles": ["a"]}],
    [{"title": "x", "roles": []}],
    [{"title": "x", "role": "a"}],
    [{"email": "a@example.org"}],
    [{"title": "x", "givenName": "y", "familyName": "z", "organization": "o"}],
    [{"title": "x", "path": "https://example.org"}],
    [{"title": "x", "version": "1"}],
    [{"name": "CC0-1.0", "title": "x", "path": "https://example.org/"}],
    [{"fields": "a", "reference": {"fields": "b"}}],
    [{"fields": ["a"], "reference": {"resource": "r", "fields": ["b"]}}],
    [{"fields": ["a", "b"], "reference": {"resource": "r", "fields": ["b"]}}],
    [{"fields": "z", "reference": {"fields": "b"}}],
    [{"fields": "a", "reference": {"resource": "", "fields": ["b"]}}],
    [{"fields": "a", "reference": {"resource": "r"}}],
    [{"fields": ["a", "b"], "reference": {"fields": ["x", "y"]}}],
]
COLUMNS = [{"name": "a", "type": "any"}, {"name": "b", "type": "any"}]


def beside(layer: str) -> dict[str, Any]:
    return {"fields": COLUMNS} if layer == "schema" else {}


@pytest.mark.parametrize("layer", sure._KNOWN)
def test_what_conforms_has_nothing_wrong_to_frictionless(layer: str) -> None:
    certain: set[str] = set()
    for name, value in product(sure._KNOWN[layer].keys() - {"type", "fields", "constraints"}, VALUES):
        for kind in FIELD_TYPES if layer == "field" else (None,):
            part = {"type": kind, name: value} if kind else beside(layer) | {name: value}
            if conforms(layer, part):
                certain.add(name)
                assert _accepts_text(layer, json.dumps(part)), part
    assert certain == sure._KNOWN[layer].keys() - {"type", "fields", "constraints"}


@pytest.mark.parametrize("kind", FIELD_TYPES)
def test_constraints_that_conform_have_nothing_wrong_to_frictionless(kind: str) -> None:
    for name, value in product(CONSTRAINTS, VALUES):
        part = {"type": kind, "constraints": {name: value}}
        assert not conforms("field", part) or _accepts_text("field", json.dumps(part)), part
    assert not conforms("field", {"type": kind}) or _accepts_text("field", json.dumps({"type": kind}))


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_several_properties_conform_together(data: st.DataObject) -> None:
    layer = data.draw(st.sampled_from(sorted(sure._KNOWN)))
    good = [(name, value) for name in sure._KNOWN[layer] for value in VALUES if sure._KNOWN[layer][name](value)]
    part = dict(data.draw(st.lists(st.sampled_from(good), max_size=6))) | beside(layer)
    if layer == "field":
        part["constraints"] = data.draw(st.sampled_from(CONSTRAINED))
    if conforms(layer, part):
        assert _accepts_text(layer, json.dumps(part)), part


def test_a_clean_package_waits_for_no_judge() -> None:
    script = (
        "import sys; from cdmeta import check, load\n"
        f"assert check(load({str(EXAMPLES / 'water-points' / 'package')!r})).valid\n"
        "print([name for name in ('frictionless', 'jsonschema', 'duckdb') if name in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-P", "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
