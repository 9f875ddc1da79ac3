"""The judge of rows: what it finds, and where it departs from stock frictionless on purpose."""

import hashlib
import json
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import frictionless
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cdmeta import profile
from cdmeta.checks import rows
from cdmeta.finding import Finding
from cdmeta.package import Package, load
from cdmeta.tables.cells import CORRECTIONS
from cdmeta.tables.conformance import metadata_problems
from cdmeta.tables.judge import LISTED, judge
from cdmeta.tables.records import CHUNK

ROOT = Path(__file__).parent.parent
V2 = "https://datapackage.org/profiles/2.0/datapackage.json"
Place = tuple[str, int | None, str | None]


def write(folder: Path, table: bytes, schema: Any, *, v2: bool = False, **resource: Any) -> Path:
    """A package of one table in a folder of its own."""
    folder.mkdir(exist_ok=True)
    (folder / "t.csv").write_bytes(table)
    entry = {"name": "t", "path": "t.csv"} | ({"schema": schema} if schema is not None else {}) | resource
    entry = {key: value for key, value in entry.items() if value is not None}
    descriptor = ({"$schema": V2} if v2 else {}) | {"resources": [entry]}
    (folder / "datapackage.json").write_text(json.dumps(descriptor), encoding="utf-8")
    return folder


def ours(folder: Path) -> list[Finding]:
    return list(rows.check(load(folder)))


def places(findings: list[Finding]) -> list[Place]:
    return [(f.code, f.where.row, f.where.field) for f in findings]


def stock(folder: Path) -> list[Place] | str:
    """What frictionless says by itself: its errors, or the name of what it raises."""
    try:
        report = frictionless.validate(str(folder / "datapackage.json"), type="package")
    except (ValueError, re.error) as error:
        return type(error).__name__
    errors = [*report.errors, *(error for task in report.tasks for error in task.errors)]
    return [(e.type, getattr(e, "row_number", None), getattr(e, "field_name", None)) for e in errors]


def one(name: str = "a", kind: str = "string", **more: Any) -> dict[str, Any]:
    return {"fields": [{"name": name, "type": kind} | more]}


# Departures: each as (schema, table, other properties, what we say, what stock frictionless says).

SHA = hashlib.sha512(b"a\nx\n").hexdigest()
DEPARTURES: dict[str, tuple[Any, bytes, Mapping[str, Any], list[Place], list[Place] | str]] = {
    "categories": (one(categories=["x", {"value": "y"}]), b"a\nx\ny\nz\n", {}, [("CD414", 4, "a")], []),
    "unclosed-quote": (one(), b'a\n"x\ny\nz\n', {}, [("CD415", 2, None)], []),
    "text-after-quote": (one(), b'a\n"x\ny" z\n', {}, [("CD415", 2, None)], []),
    "blank-first-line": (one(), b"\nx\n", {}, [("CD403", 1, None)], []),
    "pattern-alternatives": (one(constraints={"pattern": "a|z"}), b"a\nabc\n", {}, [("CD410", 2, "a")], []),
    "pattern-line-end": (one(constraints={"pattern": "x"}), b'a\n"x\n"\n', {}, [("CD410", 2, "a")], []),
    "pattern-endless": (
        one(constraints={"pattern": "(?:a{999}){999}"}),
        b"a\nx\n",
        {},
        [("CD432", None, "a")],
        [("constraint-error", 2, "a")],
    ),
    "pattern-unreadable": (
        one(constraints={"pattern": "("}),
        b"a\nx\n",
        {},
        [("CD416", None, "a")],
        re.error.__name__,
    ),
    "list-delimiter-empty": (one(kind="list", delimiter=""), b"a\nx\n", {}, [("CD416", None, "a")], "ValueError"),
    "dialect-not-sniffed": (
        {"fields": [{"name": "a", "type": "string"}, {"name": "b", "type": "string"}]},
        b"a;b\nx;y\nz;w\n",
        {},
        [("CD404", 1, None)],
        [],
    ),
    "header-not-sniffed": (
        {"fields": [{"name": name, "type": "string"} for name in "abcde"]},
        b"Survey\na,b,c,d,e\nx,y,z,u,v\nx,y,z,u,v\n",
        {},
        [("CD404", 1, None), *(("CD406", row, None) for row in (2, 3, 4))],
        [],
    ),
    "missing-values-objects": (
        one(kind="integer") | {"missingValues": [{"value": "-", "label": "none"}]},
        b"a\n1\n5\n",
        {},
        [],
        [("schema-error", None, None)],
    ),
    "number-literals": (
        one(kind="number"),
        "a\n1_000\n٣\nInfinity\nnan\n1e5\n.5\nNaN\n-INF\n".encode(),
        {},
        [("CD408", row, "a") for row in (2, 3, 4)],
        [],
    ),
    "integer-literals": (
        one(kind="integer"),
        "a\n1_000\n٣\n+7\n".encode(),
        {},
        [("CD408", 2, "a"), ("CD408", 3, "a")],
        [],
    ),
    "integer-group-char": (
        one(kind="integer", groupChar=" "),
        b"a\n1 000\n",
        {},
        [],
        [("type-error", 2, "a")],
    ),
    "date-literals": (one(kind="date"), b"a\n2020-1-5\n2020-01-05\n", {}, [("CD408", 2, "a")], []),
    "datetime-literals": (
        one(kind="datetime"),
        b"a\n2020-01-05 10:00:00\n2020-01-05T10:00:00Z\n2020-01-05T10:00:00+0100\n",
        {},
        [("CD408", 2, "a"), ("CD408", 4, "a")],
        [],
    ),
    "year-literals": (
        one(kind="year"),
        "a\n1_00\n٢٠٢٠\n2020\n".encode(),
        {},
        [("CD408", 2, "a"), ("CD408", 3, "a")],
        [],
    ),
    "time-literals": (one(kind="time"), b"a\n10:00:00+0100\n10:00:00.5+01:00\n", {}, [("CD408", 2, "a")], []),
    "yearmonth-literals": (one(kind="yearmonth"), b"a\n2020-1\n2020-01\n", {}, [("CD408", 2, "a")], []),
    "geopoint-literals": (one(kind="geopoint"), b'a\n"1_0, 2"\n"10, 2"\n', {}, [("CD408", 2, "a")], []),
    "binary-alphabet": (one(format="binary"), b"a\n!!!!\nYWJj\n", {}, [("CD408", 2, "a")], []),
    "list-enum": (
        one(kind="list", constraints={"enum": ["x;y"]}, delimiter=";"),
        b"a\nx;y\nx\n",
        {},
        [("CD410", 3, "a")],
        [("field-error", None, None)],
    ),
    "primary-key-empty": (
        {"fields": [{"name": "a", "type": "string"}, {"name": "b", "type": "string"}], "primaryKey": ["a", "b"]},
        b"a,b\nx,\n",
        {},
        [("CD412", 2, None)],
        [],
    ),
    "unique-keys": (one() | {"uniqueKeys": [["a"]]}, b"a\nx\nx\n", {}, [("CD411", 3, "a")], []),
    "fields-match-array": (
        one(name="b") | {"fieldsMatch": ["subset"]},
        b"a,b\nx,y\n",
        {},
        [],
        [("schema-error", None, None), ("schema-error", None, None)],
    ),
    "null-sequence": (
        one(kind="integer"),
        b"a\n1\n\\N\n2\n",
        {"dialect": {"delimiter": ",", "nullSequence": "\\N"}},
        [("CD407", 3, None)],
        [("type-error", 3, "a")],
    ),
    "hash-algorithms": (one(), b"a\ny\n", {"hash": f"sha512:{SHA}"}, [("CD420", None, None)], []),
    "zero-bytes": (
        one(),
        "a\nx\n".encode("utf-16-le"),
        {"encoding": "utf-8"},
        [("CD402", None, None)],
        [("incorrect-label", None, "a")],
    ),
}


def test_each_correction_is_held_here() -> None:
    assert list(DEPARTURES) == [name for name, _ in CORRECTIONS]


@pytest.mark.parametrize("name", DEPARTURES)
def test_a_departure_of_frictionless_is_mended(name: str, tmp_path: Path) -> None:
    schema, table, more, expected, verdict = DEPARTURES[name]
    folder = write(tmp_path / "p", table, schema, **more)
    assert places(ours(folder)) == expected
    assert stock(folder) == verdict
    assert dict(CORRECTIONS)[name]


# What frictionless finds, we find.

MAPPED = {
    "blank-row": "CD407",
    "missing-cell": "CD405",
    "extra-cell": "CD406",
    "type-error": "CD408",
    "primary-key": "CD412",
    "foreign-key": "CD413",
    "unique-error": "CD411",
    "blank-label": "CD403",
    "duplicate-label": "CD403",
    "incorrect-label": "CD404",
    "missing-label": "CD404",
    "extra-label": "CD404",
    "unmatched-header": "CD404",
    "byte-count": "CD420",
    "hash-count": "CD420",
    "source-error": "CD401",
    "encoding-error": "CD402",
}

MIXED: dict[str, Any] = {
    "fields": [
        {"name": "id", "type": "integer", "constraints": {"required": True, "unique": True}},
        {"name": "n", "type": "number", "constraints": {"minimum": 0, "exclusiveMaximum": 10}},
        {"name": "d", "type": "date", "constraints": {"minimum": "2020-01-01"}},
        {"name": "s", "type": "string", "constraints": {"maxLength": 3, "enum": ["a", "bb", "cccc"]}},
        {"name": "b", "type": "boolean"},
    ],
    "missingValues": ["", "NA"],
    "primaryKey": ["s", "d"],
}
CELLS = [
    ["1", "2", "3", "x", "", "NA"],
    ["0", "9.5", "-1", "10", "1e0", "NA", "?"],
    ["2020-01-01", "2021-12-31", "2019-01-01", "2020-13-01", ""],
    ["a", "bb", "cccc", "dd", ""],
    ["true", "0", "yes", ""],
]
row_of_cells = st.tuples(*(st.sampled_from(cells) for cells in CELLS)).map(list)
ragged = st.one_of(row_of_cells, row_of_cells, row_of_cells, row_of_cells.map(lambda r: r[:3]), st.just([]))


def row_codes(found: list[Place]) -> set[Place]:
    """What both can be compared by: a missing cell is told once, and an empty key part is a departure."""
    return {place for place in found if place[1] is not None}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(ragged, min_size=1, max_size=12))
def test_the_same_rows_and_fields_as_frictionless(tmp_path: Path, table: list[list[str]]) -> None:
    text = "id,n,d,s,b\n" + "".join(",".join(row) + "\n" for row in table)
    schema = {**MIXED, "primaryKey": []}
    folder = write(tmp_path / "p", text.encode(), schema, v2=True, dialect={"delimiter": ",", "header": True})
    verdict = stock(folder)
    assert isinstance(verdict, list)
    short = {row for kind, row, _ in verdict if kind == "missing-cell"}
    required = {(row, "id") for row in range(2, len(table) + 2)}
    theirs: set[Place] = set()
    for kind, row, field in verdict:
        code = MAPPED.get(kind) or ("CD409" if (row, field) in required and is_empty(table, row) else "CD410")
        theirs.add((code, row, field))
    mine = row_codes(places(ours(folder)))
    assert {place for place in mine if place[1] not in short} == {p for p in theirs if p[1] not in short}
    assert {p for p in mine if p[0] == "CD405"} == {p for p in theirs if p[0] == "CD405"}


def is_empty(table: list[list[str]], row: int | None) -> bool:
    assert row is not None
    return table[row - 2][0] in ("", "NA")


HEADERS: dict[str, tuple[str, bytes, list[str]]] = {
    "other name": ("exact", b"a,x\n1,2\n", ["CD404"]),
    "other order": ("exact", b"b,a\n1,2\n", ["CD404", "CD404"]),
    "extra column": ("exact", b"a,b,c\n1,2,3\n", ["CD404"]),
    "missing column": ("exact", b"a\n1\n", ["CD404"]),
    "empty name": ("exact", b"a,\n1,2\n", ["CD403"]),
    "twice": ("exact", b"a,a\n1,2\n", ["CD403"]),
    "equal, other order": ("equal", b"b,a\n1,2\n", []),
    "equal, extra": ("equal", b"b,a,c\n1,2,3\n", ["CD404"]),
    "subset, extra": ("subset", b"b,a,c\n1,2,3\n", []),
    "subset, missing": ("subset", b"b,c\n1,2\n", ["CD404"]),
    "superset, missing": ("superset", b"b\n1\n", []),
    "superset, extra": ("superset", b"b,c\n1,2\n", ["CD404"]),
    "partial, both": ("partial", b"c,b\n1,2\n", []),
    "partial, none": ("partial", b"c,d\n1,2\n", ["CD404"]),
    "clean": ("exact", b"a,b\n1,2\n", []),
}


@pytest.mark.parametrize("name", HEADERS)
def test_headers_are_judged_as_by_frictionless(name: str, tmp_path: Path) -> None:
    match, table, expected = HEADERS[name]
    schema = {"fields": [{"name": "a", "type": "integer"}, {"name": "b", "type": "integer"}], "fieldsMatch": match}
    folder = write(tmp_path / "p", table, schema, v2=True, dialect={"delimiter": ",", "header": True})
    assert [f.code for f in ours(folder)] == expected
    verdict = stock(folder)
    assert isinstance(verdict, list)
    assert [MAPPED[kind] for kind, _, _ in verdict] == expected


# Files


def test_bytes_that_are_not_utf_8_are_told_with_their_place(tmp_path: Path) -> None:
    latin = ours(write(tmp_path / "a", "a\ncafé\n".encode("latin-1"), one()))
    utf_16 = ours(write(tmp_path / "b", "a\nx\n".encode("utf-16"), one()))
    assert [(f.code, f.params["encoding"]) for f in latin + utf_16] == [("CD402", "utf-8")] * 2
    assert "byte 6 " in latin[0].message()
    assert "UTF-16" in utf_16[0].message()


def test_a_byte_far_into_a_file_has_its_true_place(tmp_path: Path) -> None:
    table = b"a\n" + "é\n".encode() * 700_000 + b"\xff\n"
    found = ours(write(tmp_path / "p", table, one()))
    assert f"byte {len(table) - 1:d} " in found[0].message()


def test_a_letter_that_is_cut_between_two_pieces_has_its_true_place(tmp_path: Path) -> None:
    table = b"a\n" + b"x" * (CHUNK - 3) + b"\xc3(\n"
    found = ours(write(tmp_path / "p", table, one()))
    assert f"byte {CHUNK:d} " in found[0].message()


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "windows-1252", "iso-8859-1", "shift_jis"])
def test_encodings_that_are_named_are_read(encoding: str, tmp_path: Path) -> None:
    text = "a\n日\n" if encoding == "shift_jis" else "a\né\n"
    named = "utf-8" if encoding == "utf-8-sig" else encoding
    schema = one(constraints={"enum": ["é", "日"]})
    assert ours(write(tmp_path / "p", text.encode(encoding), schema, encoding=named)) == []


def test_utf_8_that_is_called_latin_1_is_not_read_as_other_letters(tmp_path: Path) -> None:
    found = ours(write(tmp_path / "p", "a\ncafé\n".encode(), one(), encoding="iso-8859-1"))
    assert [f.code for f in found] == ["CD402"]


@pytest.mark.parametrize("encoding", ["klingon", "hex", "unicode_escape", "", "a\0b", 5])
def test_an_encoding_that_does_not_exist_is_told(encoding: Any, tmp_path: Path) -> None:
    assert [f.code for f in ours(write(tmp_path / "p", b"a\nx\n", one(), encoding=encoding))] == ["CD402"]


def test_empty_and_header_only_tables(tmp_path: Path) -> None:
    assert places(ours(write(tmp_path / "a", b"", one()))) == [("CD401", None, None)]
    assert [f.code for f in ours(write(tmp_path / "b", b"a\n", one()))] == ["CD417"]
    assert [f.code for f in ours(write(tmp_path / "c", b"\xef\xbb\xbf", one()))] == ["CD401"]


def test_rows_are_counted_as_records(tmp_path: Path) -> None:
    table = b'a,b\r\n"1\n2\n3",x\r\n\r\n# note\r\n4,yy\r\n'
    schema = {
        "fields": [
            {"name": "a", "type": "string"},
            {"name": "b", "type": "string", "constraints": {"maxLength": 1}},
        ]
    }
    folder = write(tmp_path / "p", table, schema, dialect={"delimiter": ",", "commentChar": "#"})
    assert places(ours(folder)) == [("CD407", 3, None), ("CD410", 5, "b")]
    assert stock(folder) == [("blank-row", 3, None), ("constraint-error", 5, "b")]


def test_carriage_returns_alone_end_rows(tmp_path: Path) -> None:
    assert places(ours(write(tmp_path / "p", b"a\r1\rx\r", one(kind="integer")))) == [("CD408", 3, "a")]


def test_the_dialect_of_the_descriptor_is_taken(tmp_path: Path) -> None:
    two = {"fields": [{"name": "a", "type": "string"}, {"name": "b", "type": "integer"}]}
    semicolon = {"delimiter": ";", "quoteChar": "'", "skipInitialSpace": True}
    assert ours(write(tmp_path / "a", b"a; b\n'x;y'; 2\n", two, dialect=semicolon)) == []
    headless = ours(write(tmp_path / "b", b"x,1\ny,z\n", two, dialect={"header": False}))
    assert places(headless) == [("CD408", 2, "b")]
    joined = {"headerRows": [2, 3], "headerJoin": "_", "commentRows": [1]}
    named = {"fields": [{"name": "a_x", "type": "string"}, {"name": "b", "type": "integer"}]}
    assert ours(write(tmp_path / "c", b"title\na,b\nx,b\n1,2\n", named, dialect=joined)) == []
    assert ours(write(tmp_path / "d", b"a\tb\nx\t2\n", two, format="tsv")) == []


@pytest.mark.parametrize(
    "bad",
    [
        {"delimiter": 5},
        {"delimiter": ""},
        {"quoteChar": "ab"},
        {"headerRows": ["x"]},
        {"headerRows": 3},
        {"headerRows": [0]},
        {"commentChar": 4},
        {"commentRows": 7},
    ],
)
def test_a_dialect_that_cannot_be_is_a_finding(bad: dict[str, Any], tmp_path: Path) -> None:
    assert [f.code for f in ours(write(tmp_path / "p", b"a\nx\n", one(), dialect=bad))] == ["CD416"]


def test_what_cannot_be_read_is_told_and_never_silent(tmp_path: Path) -> None:
    folder = write(tmp_path / "a", b"a\nx\n", one(), path="t.geojson")
    (folder / "t.geojson").write_bytes(b"{}")
    assert [f.code for f in ours(folder)] == ["CD418"]
    assert [f.code for f in ours(write(tmp_path / "b", b"a\nx\n", one(), compression="7z"))] == ["CD418"]
    assert [f.code for f in ours(write(tmp_path / "c", b"a\nx\n", None))] == ["CD419"]
    assert [f.code for f in ours(write(tmp_path / "d", b"a|x~", one(), dialect={"lineTerminator": "~"}))] == [
        "CD418"
    ]


def test_what_the_standard_has_and_we_cannot_read_yet_is_no_error(tmp_path: Path) -> None:
    assert [f.code for f in ours(write(tmp_path / "a", b"a\nx\n", one(), dialect={"delimiter": "::"}))] == [
        "CD418"
    ]
    old = write(tmp_path / "b", b"a\nx\n", one(), path=None, url="t.csv")
    assert [f.code for f in ours(old)] == ["CD418"]
    assert list(metadata_problems(json.loads((old / "datapackage.json").read_text()))) == []


def test_several_files_are_one_table(tmp_path: Path) -> None:
    folder = write(
        tmp_path / "p", b"a\n1\n2\n", one(kind="integer", constraints={"unique": True}), path=["t.csv", "u.csv"]
    )
    (folder / "u.csv").write_bytes(b"a\n2\nx")
    found = ours(folder)
    assert [(f.code, f.where.file, f.where.row) for f in found] == [("CD411", "u.csv", 2), ("CD408", "u.csv", 3)]
    (folder / "u.csv").write_bytes(b"3\ny\n")
    assert [(f.code, f.where.file, f.where.row) for f in ours(folder)] == [("CD408", "u.csv", 2)]


def test_rows_in_the_descriptor(tmp_path: Path) -> None:
    schema = {"fields": [{"name": "a", "type": "integer"}, {"name": "b", "type": "string"}]}
    listed = write(tmp_path / "a", b"", schema, path=None, data=[["a", "b"], [1, "x"], ["y", "z"], [2]])
    assert places(ours(listed)) == [("CD408", 3, "a"), ("CD405", 4, "b")]
    keyed = write(tmp_path / "b", b"", schema, path=None, data=[{"b": "x", "a": 1}, {"a": "no"}])
    assert places(ours(keyed)) == [("CD408", 3, "a")]
    assert [f.code for f in ours(write(tmp_path / "c", b"", schema, path=None, data="a,b"))] == ["CD418"]
    assert [f.code for f in ours(write(tmp_path / "d", b"", schema, path=None, data=[]))] == ["CD401"]


def test_size_and_hash(tmp_path: Path) -> None:
    table = b"a\nx\n"
    right: dict[str, Any] = {"bytes": 4, "hash": "sha256:" + hashlib.sha256(table).hexdigest().upper()}
    assert ours(write(tmp_path / "a", table, one(), **right)) == []
    plain = hashlib.md5(table, usedforsecurity=False).hexdigest()
    assert ours(write(tmp_path / "b", table, one(), hash=plain)) == []
    wrong = ours(write(tmp_path / "c", table, one(), bytes=5, hash="sha1:00"))
    assert [(f.code, f.params["property"]) for f in wrong] == [("CD420", "bytes"), ("CD420", "hash")]
    assert [f.code for f in ours(write(tmp_path / "d", table, one(), hash="crc9:00"))] == ["CD418"]
    assert [f.code for f in ours(write(tmp_path / "e", table, one(), hash="shake_128:00"))] == ["CD418"]


# Keys


def two_tables(folder: Path, key: dict[str, Any], other: bytes = b"id,name\n1,x\n2,y\n") -> Path:
    folder.mkdir()
    (folder / "t.csv").write_bytes(b"id,ref\n1,1\n2,3\n3,\n")
    (folder / "o.csv").write_bytes(other)
    fields = [{"name": "id", "type": "integer"}, {"name": "ref", "type": "integer"}]
    others = [{"name": "id", "type": "integer"}, {"name": "name", "type": "string"}]
    resources = [
        {"name": "t", "path": "t.csv", "schema": {"fields": fields, "foreignKeys": [key]}},
        {"name": "o", "path": "o.csv", "schema": {"fields": others}},
    ]
    (folder / "datapackage.json").write_text(json.dumps({"$schema": V2, "resources": resources}))
    return folder


def test_references_across_tables_and_to_itself(tmp_path: Path) -> None:
    across = {"fields": ["ref"], "reference": {"resource": "o", "fields": ["id"]}}
    folder = two_tables(tmp_path / "a", across)
    assert places(ours(folder)) == [("CD413", 3, "ref")]
    assert stock(folder) == [("foreign-key", 3, None)]
    itself = {"fields": "ref", "reference": {"fields": "name"}}
    assert places(ours(two_tables(tmp_path / "b", itself))) == [("CD416", None, None)]
    itself = {"fields": "ref", "reference": {"resource": "", "fields": "id"}}
    assert ours(two_tables(tmp_path / "c", itself)) == []


def test_references_that_lead_nowhere_are_told(tmp_path: Path) -> None:
    nowhere = {"fields": ["ref"], "reference": {"resource": "none", "fields": ["id"]}}
    assert [f.code for f in ours(two_tables(tmp_path / "a", nowhere))] == ["CD416"]
    unread = {"fields": ["ref"], "reference": {"resource": "o", "fields": ["id"]}}
    found = ours(two_tables(tmp_path / "b", unread, b"id,name\n\xff,x\n"))
    assert [(f.code, f.where.resource) for f in found] == [("CD418", "t"), ("CD402", "o")]


def test_keys_tell_the_row_that_was_first(tmp_path: Path) -> None:
    schema = {
        "fields": [{"name": "a", "type": "integer"}, {"name": "b", "type": "string"}],
        "primaryKey": ["a", "b"],
    }
    found = ours(write(tmp_path / "p", b"a,b\n1,x\n01,x\n1,y\n1,x\n", schema))
    assert [(f.code, f.where.row, f.params["other"]) for f in found] == [("CD412", 3, 2), ("CD412", 5, 2)]
    assert found[0].message() == "Row 3 cannot be told apart by its key (a, b): row 2 has the same."


def test_a_cell_that_is_wrong_or_not_there_is_not_compared(tmp_path: Path) -> None:
    schema = {
        "fields": [{"name": "a", "type": "string"}, {"name": "b", "type": "integer"}],
        "primaryKey": ["a", "b"],
    }
    found = ours(write(tmp_path / "p", b"a,b\nx,?\nx,?\nx\nx\n", schema))
    assert places(found) == [("CD408", 2, "b"), ("CD408", 3, "b"), ("CD405", 4, "b"), ("CD405", 5, "b")]


def test_what_is_there_of_an_incomplete_table_is_not_judged(tmp_path: Path) -> None:
    folder = write(tmp_path / "p", b"a\nx\n", one(kind="integer"), path=["t.csv", "gone.csv"], bytes=3, hash="00")
    package = load(folder)
    (finding,) = judge(package, package.resources[0])
    assert (finding.code, "not all of its files" in finding.message()) == ("CD418", True)
    assert ours(folder) == []


def test_values_that_no_set_takes_are_compared_too(tmp_path: Path) -> None:
    schema = {"fields": [{"name": "a", "type": "object", "constraints": {"unique": True}}], "primaryKey": "a"}
    table = b'a\n"{""x"": 1, ""y"": 2}"\n"{""y"": 2, ""x"": 1}"\n'
    assert places(ours(write(tmp_path / "p", table, schema))) == [("CD412", 3, "a")]


# Schemas


@pytest.mark.parametrize(
    ("field", "pointer"),
    [
        ({"type": "integer", "constraints": {"minimum": "x"}}, "/constraints/minimum"),
        ({"type": "date", "constraints": {"enum": ["soon"]}}, "/constraints/enum"),
        ({"type": "string", "constraints": {"pattern": "["}}, "/constraints/pattern"),
        ({"type": "string", "categories": 5}, "/categories"),
        ({"type": "integer", "categories": ["x"]}, "/categories"),
    ],
)
def test_what_cannot_be_in_a_field_is_told_at_its_place(
    field: dict[str, Any], pointer: str, tmp_path: Path
) -> None:
    found = ours(write(tmp_path / "p", b"a\n2\n", {"fields": [{"name": "a"} | field]}))
    pointers = [(f.code, f.where.pointer) for f in found if f.code == "CD416"]
    assert pointers == [("CD416", f"/resources/0/schema/fields/0{pointer}")]


def test_what_only_others_can_check_is_told(tmp_path: Path) -> None:
    foreign = one(constraints={"pattern": r"\p{Lu}+"})
    assert [f.code for f in ours(write(tmp_path / "a", b"a\nX\n", foreign))] == ["CD418"]
    nested = one(kind="object", constraints={"jsonSchema": {"type": "object"}})
    assert [f.code for f in ours(write(tmp_path / "b", b"a\n{}\n", nested))] == ["CD418"]


def test_a_schema_file_is_judged_here_and_an_inline_schema_with_the_descriptor(tmp_path: Path) -> None:
    bad = one(kind="integr")
    assert [f.code for f in ours(write(tmp_path / "a", b"a\n1\n", bad))] == ["CD418"]
    folder = write(tmp_path / "b", b"a\n1\n", "s.json")
    (folder / "s.json").write_text(json.dumps(bad))
    found = ours(folder)
    assert [(f.code, f.where.file, f.where.pointer) for f in found] == [("CD416", "s.json", "/fields/0/type")]
    assert "Did you mean integer?" in found[0].message()


def test_times_with_and_without_a_zone_do_not_stop_the_judge(tmp_path: Path) -> None:
    schema = one(kind="datetime", constraints={"minimum": "2020-01-01T00:00:00Z"})
    found = ours(write(tmp_path / "p", b"a\n2021-01-01T00:00:00\n2021-01-01T00:00:00Z\n", schema))
    assert places(found) == [("CD410", 2, "a")]


# Promises


def test_of_many_findings_a_hundred_are_listed_and_the_rest_counted(tmp_path: Path) -> None:
    found = ours(write(tmp_path / "p", b"a\n" + b"x\n" * 250, one(kind="integer")))
    assert [f.code for f in found] == ["CD408"] * LISTED + ["CD421"]
    assert (found[-1].params["count"], found[-1].params["total"]) == (150, 250)


def test_no_finding_holds_what_stands_in_a_cell(tmp_path: Path) -> None:
    name = "Zuzana"
    schemas: list[Any] = [
        one(kind="integer"),
        one(constraints={"maxLength": 1}),
        one(categories=["x"]),
        one(constraints={"unique": True}),
        one() | {"primaryKey": ["a"]},
        None,
        one() | {"foreignKeys": [{"fields": "a", "reference": {"resource": "", "fields": "a"}}]},
        {"fields": [{"name": "b", "type": "string"}, {"name": "c", "type": "string"}]},
    ]
    tables = [
        b"a\nZuzana\nZuzana\n",
        b"Zuzana,Zuzana\nZuzana,Zuzana\n",
        b"Zuzana;x\n",
        b'a\nZuzana,"Zuzana" Zuzana',
    ]
    seen = 0
    for number, (schema, table) in enumerate((s, t) for s in schemas for t in tables):
        for finding in ours(write(tmp_path / str(number), table, schema)):
            seen += 1
            assert name not in finding.message() + finding.remedy() + repr(finding)
    assert seen > 40


def test_nothing_is_fetched_or_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("the network was asked")

    monkeypatch.setattr("socket.socket.connect", refuse)
    monkeypatch.setattr("socket.getaddrinfo", refuse)
    schema = one() | {"$schema": "https://example.org/s.json", "profile": "https://example.org/p.json"}
    more: dict[str, Any] = {"$schema": "https://example.org/r.json", "profile": "https://example.org/r.json"}
    folder = write(tmp_path / "p", b"a\nx\n", schema, **more)
    assert ours(folder) == []
    descriptor = json.loads((folder / "datapackage.json").read_text())
    descriptor |= {"$schema": "https://example.org/d.json", "profile": "https://example.org/d.json"}
    assert list(metadata_problems(descriptor)) == []


def test_the_example_is_clean() -> None:
    assert ours(ROOT / "examples/public-service-satisfaction/package") == []


numbers = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
json_values = st.recursive(
    st.none() | st.booleans() | numbers | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
KEYWORDS = [
    "fields",
    "name",
    "type",
    "format",
    "constraints",
    "missingValues",
    "primaryKey",
    "foreignKeys",
    "fieldsMatch",
    "categories",
    "pattern",
    "minimum",
    "enum",
    "required",
    "unique",
    "uniqueKeys",
    "delimiter",
    "decimalChar",
    "groupChar",
    "bareNumber",
    "trueValues",
    "itemType",
    "reference",
    "resource",
    "minLength",
    "value",
    "jsonSchema",
    "path",
    "data",
    "schema",
    "dialect",
    "resources",
    "headerRows",
    "commentChar",
    "quoteChar",
    "encoding",
    "hash",
    "bytes",
    "licenses",
    "contributors",
    "sources",
    "email",
    "created",
    "$schema",
    "profile",
    "title",
    "keywords",
]
WORDS = [
    "a",
    "b",
    "integer",
    "number",
    "string",
    "date",
    "list",
    "any",
    "(",
    "a|z",
    "default",
    "",
    "exact",
    ",",
    "0",
]
shaped = st.recursive(
    st.sampled_from(WORDS) | json_values,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYWORDS), inner, max_size=5),
    max_leaves=12,
)
objects = st.dictionaries(st.sampled_from(KEYWORDS), shaped, max_size=5)
TYPES = ["integer", "number", "string", "date", "list", "any", "array", "geojson", "datetime", "geopoint"]
field_like = st.fixed_dictionaries(
    {"name": st.sampled_from(["a", "b"]), "type": st.sampled_from(TYPES)},
    optional={
        "constraints": st.dictionaries(st.sampled_from(KEYWORDS), shaped, max_size=3),
        "categories": shaped,
        "missingValues": shaped,
        "delimiter": shaped,
        "format": shaped,
        "groupChar": shaped,
    },
)
schema_like = st.fixed_dictionaries(
    {"fields": st.lists(field_like, max_size=3)},
    optional={"primaryKey": shaped, "foreignKeys": shaped, "uniqueKeys": shaped, "missingValues": shaped},
)
tables = st.binary(max_size=60) | st.text(alphabet='ab12-.,;"\n\r é\0', max_size=60).map(str.encode)


@settings(max_examples=150, deadline=None)
@given(
    shaped
    | st.fixed_dictionaries(
        {"resources": st.lists(st.dictionaries(st.sampled_from(KEYWORDS), shaped), max_size=3)}
    )
)
def test_metadata_problems_never_raise(descriptor: Any) -> None:
    for pointer, note in metadata_problems(descriptor):
        assert pointer == "" or pointer.startswith("/")
        assert str(note)


@settings(max_examples=200, deadline=None)
@given(tables, shaped | schema_like, st.dictionaries(st.sampled_from(KEYWORDS), shaped, max_size=2), shaped)
def test_any_bytes_and_any_schema_give_findings_only(
    table: bytes, schema: Any, more: dict[str, Any], dialect: Any
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        entry = {"dialect": dialect} | more | {"name": "t", "path": "t.csv", "schema": schema}
        (Path(folder) / "t.csv").write_bytes(table)
        (Path(folder) / "datapackage.json").write_text(json.dumps({"resources": [entry]}))
        package: Package = load(folder)
        for resource in package.resources:
            for finding in judge(package, resource):
                assert finding.message()
                assert finding.remedy()
                assert finding.code in profile.load().rules


@settings(max_examples=100, deadline=None)
@given(tables)
def test_any_bytes_under_a_good_schema_give_findings_only(table: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for finding in ours(write(Path(folder) / "p", table, MIXED)):
            assert finding.message()


# The standard itself


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"resources": []}, "/resources"),
        ({"title": {"en": "x"}}, "/title"),
        ({"licenses": [{}]}, "/licenses"),
        ({"contributors": [{"email": "nobody"}]}, "/contributors"),
        ({"resources": [{"path": "t.csv"}]}, "/resources/0"),
        ({"resources": [{"name": "t"}]}, "/resources/0"),
        ({"resources": [{"name": "t", "path": "t.csv", "schema": {}}]}, "/resources/0/schema"),
        (
            {"resources": [{"name": "t", "path": "t.csv", "schema": one(kind="strin")}]},
            "/resources/0/schema/fields/0/type",
        ),
        (
            {"resources": [{"name": "t", "path": "t.csv", "schema": one(constraints={"minimun": 1})}]},
            "/resources/0/schema/fields/0/constraints/minimun",
        ),
        (
            {"resources": [{"name": "t", "path": "t.csv", "schema": one() | {"primaryKey": ["z"]}}]},
            "/resources/0/schema/primaryKey",
        ),
        (
            {"resources": [{"name": "t", "path": "t.csv", "dialect": {"delimiter": 1}}]},
            "/resources/0/dialect/delimiter",
        ),
    ],
)
def test_problems_with_the_standard_have_their_place(change: dict[str, Any], pointer: str) -> None:
    good = {"name": "p", "resources": [{"name": "t", "path": "t.csv", "schema": one()}]}
    assert list(metadata_problems(good)) == []
    assert [place for place, _ in metadata_problems(good | change)] == [pointer]


@pytest.mark.parametrize(
    "field",
    [
        {"type": "number", "decimalChar": ",", "example": "1,5"},
        {"type": "list", "constraints": {"enum": ["a"]}},
        {"type": "object", "constraints": {"jsonSchema": {}}},
        {"missingValues": [{"value": "-"}]},
        {"title@fr": 5, "sdmx": {"role": "measure"}, "citizenData": {"disclosureRole": "NONE"}},
    ],
)
def test_what_the_standard_allows_is_no_problem(field: dict[str, Any]) -> None:
    more: dict[str, Any] = {"citizenData": {"language": "en"}, "sdmx": 5, "title@fr": [], "type": "Dataset"}
    schema = {"fields": [{"name": "a"} | field], "fieldsMatch": ["subset"], "type": "x"}
    descriptor = more | {"resources": [{"name": "a b", "path": "t.csv", "schema": schema}]}
    assert list(metadata_problems(descriptor)) == []
