"""Tables that are no plain CSV: compressed, in several files, JSON lines, workbooks, Parquet."""

import bz2
import datetime as dt
import gzip
import io
import json
import lzma
import shutil
import subprocess
import tempfile
import zipfile
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any
from unittest.mock import patch

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from cdmeta.cli import main
from cdmeta.errors import ConversionError
from cdmeta.finding import Finding
from cdmeta.package import load
from cdmeta.tables import packed, scan
from cdmeta.tables.engine import session
from cdmeta.tables.judge import judge
from cdmeta.tables.relations import relation

Place = tuple[str, int | None, str | None]
TWO = {"fields": [{"name": "a", "type": "integer"}, {"name": "b", "type": "string"}]}


def write(folder: Path, files: dict[str, bytes], schema: Any = TWO, **resource: Any) -> Path:
    """A package of one table in these files."""
    folder.mkdir(exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    path = list(files) if len(files) > 1 else next(iter(files))
    descriptor = {"resources": [{"name": "t", "path": path, "schema": schema} | resource]}
    (folder / "datapackage.json").write_text(json.dumps(descriptor), encoding="utf-8")
    return folder


def ours(folder: Path) -> list[Finding]:
    """What is found, each finding worded in all three languages."""
    package = load(folder)
    found = [finding for resource in package.resources for finding in judge(package, resource)]
    for finding in found:
        for language in ("en", "es", "fr"):
            assert "{" not in finding.message(language) + finding.remedy(language)
    return found


def places(found: list[Finding]) -> list[Place]:
    return [(f.code, f.where.row, f.where.field) for f in found]


# Compressed


def zipped(content: bytes, name: str = "t.csv", *more: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for one in (name, *more):
            archive.writestr(one, content)
    return file.getvalue()


PACK: dict[str, Callable[[bytes], bytes]] = {
    "gz": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zip": zipped,
}


@pytest.mark.parametrize("how", PACK)
def test_a_compressed_table_is_read_like_the_plain_one(how: str, tmp_path: Path) -> None:
    table = b"a,b\n1,x\n?,y\n"
    named = write(tmp_path / "a", {f"t.csv.{how}": PACK[how](table)})
    told = write(tmp_path / "b", {"t.bin": PACK[how](table)}, format="csv", compression=how)
    assert places(ours(named)) == places(ours(told)) == [("CD408", 3, "a")]
    assert ours(named)[0].where.file == f"t.csv.{how}"


@pytest.mark.parametrize("how", PACK)
def test_several_streams_behind_each_other_are_one_file(how: str, tmp_path: Path) -> None:
    if how != "zip":
        table = PACK[how](b"a,b\n1,x\n") + PACK[how](b"?,y\n")
        assert places(ours(write(tmp_path / "a", {f"t.csv.{how}": table}))) == [("CD408", 3, "a")]


@pytest.mark.parametrize("how", PACK)
@pytest.mark.parametrize(
    "spoil",
    [
        lambda content: content[: len(content) // 2],
        lambda content: b"",
        lambda content: b"a,b\n1,x\n",
        lambda content: content.replace(content[60:64], b"\xff\xff\xff\xff"),
    ],
)
def test_what_cannot_be_unpacked_is_told(how: str, spoil: Callable[[bytes], bytes], tmp_path: Path) -> None:
    table = "a,b\n" + "".join(f"{n},é{n * n}\n" for n in range(500))
    content = spoil(PACK[how](table.encode()))
    (finding,) = ours(write(tmp_path / "p", {f"t.csv.{how}": content}))
    # gzip takes a file of no bytes for one of no streams.
    assert finding.code == "CD401"
    assert (how == "gz" and not content) or "unpacked" in finding.message() or not content


@pytest.mark.parametrize("how", PACK)
def test_a_bomb_is_not_unpacked(how: str, tmp_path: Path) -> None:
    folder = write(tmp_path / "p", {f"t.csv.{how}": PACK[how](b"a,b\n" + b"1,xxxxxxxx\n" * 400_000)})
    assert ours(folder) == []
    with patch.object(packed, "RATIO_FREE_BYTES", 2**20), patch.object(packed, "MAX_ZIP_RATIO", 2):
        (finding,) = ours(folder)
    assert (finding.code, "1,048,576 bytes" in finding.message()) == ("CD401", True)


def test_a_zip_holds_one_table_or_says_which(tmp_path: Path) -> None:
    table = b"a,b\n1,x\n"
    two = zipped(table, "one.csv", "two.csv")
    (finding,) = ours(write(tmp_path / "a", {"t.csv.zip": two}))
    assert (finding.code, "2 were found" in finding.message()) == ("CD401", True)
    assert ours(write(tmp_path / "b", {"t.csv.zip": two}, innerpath="two.csv")) == []
    assert ours(write(tmp_path / "c", {"t.csv.zip": zipped(table, "one.csv", "__MACOSX/one.csv")})) == []


def test_a_compression_that_is_not_read_is_told(tmp_path: Path) -> None:
    for number, way in enumerate(["zst", 5, ["gz"]]):
        folder = write(tmp_path / str(number), {"t.csv": b"a,b\n1,x\n"}, compression=way)
        assert [f.code for f in ours(folder)] == ["CD418"]
    assert ours(write(tmp_path / "no", {"t.csv": b"a,b\n1,x\n"}, compression="no")) == []


def test_the_scan_takes_compressed_tables_and_several_files(tmp_path: Path) -> None:
    first = "a,b\n" + "".join(f"{n},x\n" for n in range(100))
    second = "".join(f"{n},x\n" for n in range(100, 120)) + "no,x\n"
    files = {"t.csv.gz": gzip.compress(first.encode()), "u.csv": ("a,b\n" + second).encode(), "v.csv": b"?,x\n"}
    folder = write(tmp_path / "p", files)
    taken = []
    real = scan.doubts

    def doubts(*args: Any) -> scan.Doubts | None:
        taken.append(real(*args))
        return taken[-1]

    with patch.object(scan, "SMALL", -1), patch.object(scan, "doubts", doubts):
        found = ours(folder)
    assert [(f.where.file, f.where.row) for f in found] == [("u.csv", 22), ("v.csv", 1)]
    assert found == ours(folder)
    (result,) = taken
    assert result is not None
    assert result.rows == 122
    assert len(result.records) == 2


def test_a_compressed_table_is_converted(tmp_path: Path) -> None:
    package = load(write(tmp_path / "p", {"t.csv.gz": gzip.compress(b"a,b\n1,x\n2,\n")}, format="csv"))
    with session(package) as opened:
        rows = relation(opened, package, package.resources[0]).fetchall()
    assert rows == [(2, "1", "x"), (3, "2", None)]


# JSON lines


@pytest.mark.parametrize("ending", ["jsonl", "ndjson", "jsonl.gz"])
def test_json_lines_are_read_as_rows_in_the_descriptor_are(ending: str, tmp_path: Path) -> None:
    lines = [{"a": 1, "b": "x"}, {"b": "y", "a": 2}, {"a": "no", "b": "z"}, {"b": "w"}, {"a": 5, "b": 7}]
    text = "\n".join(map(json.dumps, lines)).encode()
    content = gzip.compress(text) if ending.endswith("gz") else text
    found = places(ours(write(tmp_path / "p", {f"t.{ending}": content})))
    assert found == [("CD408", 3, "a"), ("CD408", 5, "b")]
    inline = tmp_path / "q"
    inline.mkdir()
    entry = {"name": "t", "data": lines, "schema": TWO}
    (inline / "datapackage.json").write_text(json.dumps({"resources": [entry]}))
    assert [(code, row and row - 1, field) for code, row, field in places(ours(inline))] == found


def test_a_line_that_is_no_row_is_told_with_its_number_and_the_others_are_read(tmp_path: Path) -> None:
    lines = ['{"a": 1, "b": "x"}', "", "{", "[1]", '"secret"', '{"a": NaN}', '{"a": 1, "a": 2}', '{"a": "q"}', "é"]
    found = ours(write(tmp_path / "p", {"t.jsonl": "\r\n".join(lines).encode()}))
    assert places(found) == [*(("CD430", row, None) for row in (3, 4, 5, 6, 7, 9)), ("CD408", 8, "a")]
    assert "line 3" in found[0].message()
    assert "secret" not in repr(found)


def test_the_keys_of_all_lines_are_the_columns(tmp_path: Path) -> None:
    found = ours(write(tmp_path / "p", {"t.jsonl": b'{"a": 1}\n{"a": 2, "b": "x", "c": 3}\n'}))
    assert [(f.code, f.params.get("label")) for f in found] == [("CD404", "c")]
    assert [f.code for f in ours(write(tmp_path / "q", {"t.jsonl": b""}))] == ["CD417"]


def test_lists_in_lines_have_a_header(tmp_path: Path) -> None:
    files = {"t.jsonl": b'["a", "b"]\n[1, "x"]\n["?", "y"]\n', "u.jsonl": b'["a", "b"]\n[2]\n{"a": 3}\n'}
    found = ours(write(tmp_path / "p", files))
    assert [(f.code, f.where.file, f.where.row) for f in found] == [
        ("CD430", "u.jsonl", 3),
        ("CD408", "t.jsonl", 3),
        ("CD405", "u.jsonl", 2),
    ]


ROWS: list[dict[str, Any]] = [{"a": 1, "b": "x"}, {"a": "?", "b": "y"}, {"a": 3}]


@pytest.mark.parametrize("rows", [ROWS, [["a", "b"], *([row.get("a"), row.get("b")] for row in ROWS)]])
@pytest.mark.parametrize("ending", ["json", "json.gz"])
def test_json_is_read_as_rows_in_the_descriptor_are(rows: Any, ending: str, tmp_path: Path) -> None:
    content = json.dumps(rows).encode()
    packed_content = gzip.compress(content) if ending.endswith("gz") else content
    found = ours(write(tmp_path / "p", {f"t.{ending}": packed_content}))
    (tmp_path / "q").mkdir()
    inline = {"resources": [{"name": "t", "data": rows, "schema": TWO}]}
    (tmp_path / "q" / "datapackage.json").write_text(json.dumps(inline), encoding="utf-8")
    assert places(found) == places(ours(tmp_path / "q")) == [("CD408", 3, "a")]


def test_features_are_rows_and_their_places_too_where_the_schema_has_them(tmp_path: Path) -> None:
    features = [
        {"type": "Feature", "id": n, "properties": row, "geometry": {"type": "Point", "coordinates": [1, 2]}}
        for n, row in enumerate(ROWS)
    ]
    content = json.dumps({"type": "FeatureCollection", "features": features}).encode()
    assert places(ours(write(tmp_path / "p", {"t.geojson": content}))) == [("CD408", 3, "a")]
    fields = [*TWO["fields"], {"name": "geometry", "type": "geojson"}]
    assert places(ours(write(tmp_path / "q", {"t.geojson": content}, {"fields": fields}))) == [("CD408", 3, "a")]


@pytest.mark.parametrize(
    ("content", "code"),
    [(b"{", "CD401"), (b"[{}, {", "CD401"), (b"\xff\xfe", "CD401"), (b"[1, 2]", "CD418"), (b'{"a": []}', "CD418")],
)
def test_json_without_rows_is_told(content: bytes, code: str, tmp_path: Path) -> None:
    assert [f.code for f in ours(write(tmp_path / "p", {"t.json": content}))] == [code]


def test_a_line_without_end_is_told(tmp_path: Path) -> None:
    found = ours(write(tmp_path / "p", {"t.jsonl": b'{"a": "' + b"x" * 2**23}))
    assert [f.code for f in found] == ["CD401"]


# Workbooks

Grid = list[list[Any]]


def book(*sheets: Grid, **hidden: str) -> Workbook:
    """A workbook with these sheets, called s1, s2 …; `s2="hidden"` hides one."""
    made = Workbook()
    made.remove(made.worksheets[0])
    for number, grid in enumerate(sheets, start=1):
        sheet = made.create_sheet(f"s{number}")
        sheet.sheet_state = hidden.get(f"s{number}", "visible")
        for row in grid:
            sheet.append(row)
    return made


def saved(made: Workbook) -> bytes:
    file = io.BytesIO()
    made.save(file)
    return file.getvalue()


def sheets(*grids: Grid, **hidden: str) -> dict[str, bytes]:
    return {"t.xlsx": saved(book(*grids, **hidden))}


def fields(**types: str) -> dict[str, Any]:
    return {"fields": [{"name": name, "type": kind} for name, kind in types.items()]}


DAY, MOMENT = dt.date(2024, 1, 2), dt.datetime.fromisoformat("2024-01-02T03:04:05")


@pytest.mark.parametrize(
    ("kind", "value", "codes"),
    [
        ("integer", 5, []),
        ("integer", 712345678.0, []),
        ("integer", 1.5, ["CD408"]),
        ("integer", "5", []),
        ("integer", True, ["CD408"]),
        ("integer", DAY, ["CD408", "CD428"]),
        ("number", 1.5, []),
        ("number", 2, []),
        ("number", DAY, ["CD408", "CD428"]),
        ("string", "x", []),
        ("string", 7.0, ["CD431"]),
        ("string", DAY, ["CD428"]),
        ("string", True, []),
        ("boolean", True, []),
        ("boolean", 1, []),
        ("boolean", 2, ["CD408"]),
        ("date", DAY, []),
        ("date", dt.datetime.fromisoformat("2024-01-02"), []),
        ("date", MOMENT, ["CD408"]),
        ("date", "2024-01-02", []),
        ("date", 45293, ["CD408", "CD428"]),
        ("datetime", MOMENT, []),
        ("datetime", DAY, []),
        ("time", dt.time(3, 4), []),
        ("year", 2024, []),
        ("year", 12024, ["CD408"]),
        ("yearmonth", DAY, ["CD408", "CD428"]),
        ("yearmonth", "2024-01", []),
        ("any", DAY, []),
        ("any", 5, []),
        ("list", 5, []),
        ("string", "=1+1", ["CD423"]),
    ],
)
def test_cells_are_read_as_their_field_has_them(kind: str, value: Any, codes: list[str], tmp_path: Path) -> None:
    files = sheets([["a", "b"], [value, "x"]])
    found = ours(write(tmp_path / "p", files, fields(a=kind, b="string")))
    assert [f.code for f in found] == (codes if value != "=1+1" else ["CD423"])
    assert {(f.where.sheet, f.where.file) for f in found} <= {("s1", "t.xlsx")}


def test_what_is_read_is_the_value_and_not_only_its_type(tmp_path: Path) -> None:
    """By constraints that hold for the value alone."""
    grid: Grid = [["a", "b", "c", "d"], [712345678.0, 0.25, DAY, True]]
    schema = {
        "fields": [
            {"name": "a", "type": "string", "constraints": {"enum": ["712345678"]}},
            {"name": "b", "type": "number", "constraints": {"minimum": 0.25, "maximum": 0.25}},
            {"name": "c", "type": "date", "constraints": {"enum": ["2024-01-02"]}},
            {"name": "d", "type": "string", "constraints": {"enum": ["TRUE"]}},
        ]
    }
    assert ours(write(tmp_path / "p", sheets(grid), schema)) == []


def test_rows_are_the_rows_of_the_spreadsheet(tmp_path: Path) -> None:
    made = book([["Survey of wells"], [], ["a", "b", None], [1, "x", None], [None], ["?", "y"], [2, "z", "more"]])
    folder = write(tmp_path / "p", {"t.xlsx": saved(made)}, dialect={"headerRows": [3]})
    found = ours(folder)
    assert places(found) == [("CD407", 5, None), ("CD408", 6, "a"), ("CD406", 7, None)]
    header = ours(
        write(tmp_path / "q", {"t.xlsx": saved(made)}, fields(a="any", c="any"), dialect={"headerRows": [3]})
    )
    assert (header[0].code, header[0].where.row, header[0].where.sheet) == ("CD404", 3, "s1")


def test_several_rows_of_header_are_joined(tmp_path: Path) -> None:
    grid: Grid = [["a", "b"], ["x", 2020], [1, "y"]]
    schema = fields(**{"a x": "integer", "b 2020": "string"})
    assert ours(write(tmp_path / "p", sheets(grid), schema, dialect={"headerRows": [1, 2]})) == []


def test_a_table_may_begin_in_another_column(tmp_path: Path) -> None:
    found = ours(write(tmp_path / "p", sheets([[None, "a", "b"], [None, 1, "x"], [None, "?", "=1"]])))
    assert [(f.code, f.where.row, f.where.field) for f in found] == [("CD423", 3, "b"), ("CD408", 3, "a")]


def test_the_sheet_is_the_one_that_the_dialect_names(tmp_path: Path) -> None:
    files = sheets([["z"], [1]], [["a", "b"], [1, "x"]])
    for number, dialect in enumerate([{"sheetName": "s2"}, {"sheetNumber": 2}, {"excel": {"sheet": "s2"}}]):
        assert ours(write(tmp_path / str(number), files, dialect=dialect)) == []
    for number, dialect in enumerate([{"sheetName": "S2"}, {"sheetNumber": 3}]):
        (finding,) = ours(write(tmp_path / f"a{number}", files, dialect=dialect))
        assert (finding.code, "s1, s2" in finding.message()) == ("CD422", True)
    for number, bad in enumerate([0, True, "", ["s1"]]):
        (finding,) = ours(write(tmp_path / f"b{number}", files, dialect={"sheetNumber": bad}))
        assert (finding.code, finding.where.pointer) == ("CD416", "/resources/0/dialect")


def test_other_sheets_with_data_are_told_where_none_is_named(tmp_path: Path) -> None:
    files = sheets([["a", "b"], [1, "x"]], [], [["left over"]], s3="hidden")
    found = ours(write(tmp_path / "p", files))
    assert [(f.code, f.params["others"]) for f in found] == [("CD429", "s3")]


def test_formulas_and_errors_are_told_by_column(tmp_path: Path) -> None:
    made = book([["a", "b"], ["=1+1", "x"], ["=2", "y"], [3, "#REF!"], [4, "z"]])
    found = ours(write(tmp_path / "p", {"t.xlsx": saved(made)}))
    told = [(f.code, f.where.row, f.where.field, f.params["count"]) for f in found]
    assert told == [("CD423", 2, "a", 2), ("CD424", 4, "b", 1)]


def test_a_formula_that_was_calculated_is_its_result(tmp_path: Path) -> None:
    content = edited(saved(book([["a", "b"], ["=1+1", "=2"]])), SHEET, [
        (b"<f>1+1</f><v></v>", b"<f>1+1</f><v>2</v>"),
        (b'r="B2"><f>2</f><v></v>', b'r="B2" t="str"><f>2</f><v></v>'),
        (b"<f>1+1</f><v />", b"<f>1+1</f><v>2</v>"),
        (b'r="B2"><f>2</f><v />', b'r="B2" t="str"><f>2</f><v />'),
    ])  # fmt: skip
    assert ours(write(tmp_path / "p", {"t.xlsx": content})) == []


SHEET = "xl/worksheets/sheet1.xml"


def edited(content: bytes, member: str, changes: list[tuple[bytes, bytes]]) -> bytes:
    """A zip with a member of it changed."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            data = old.read(name)
            for before, after in changes if name == member else ():
                data = data.replace(before, after)
            new.writestr(name, data)
    return made.getvalue()


def test_merged_cells_in_header_or_rows_are_told_and_a_title_above_is_not(tmp_path: Path) -> None:
    made = book([["Title", None], ["a", "b"], [1, "x"], [2, None]])
    made["s1"].merge_cells("A1:B1")
    dialect = {"headerRows": [2]}
    assert ours(write(tmp_path / "a", {"t.xlsx": saved(made)}, dialect=dialect)) == []
    made["s1"].merge_cells("B3:B4")
    found = ours(write(tmp_path / "b", {"t.xlsx": saved(made)}, dialect=dialect))
    assert [(f.code, f.where.row, f.params["count"]) for f in found] == [("CD425", 3, 1)]


def test_hidden_data_are_told(tmp_path: Path) -> None:
    made = book([["a", "b"], [1, "x"], [2, "y"], [3, "z"]])
    sheet = made["s1"]
    sheet.row_dimensions[3].hidden = sheet.row_dimensions[9].hidden = True
    sheet.column_dimensions["B"].hidden = sheet.column_dimensions["E"].hidden = True
    found = ours(write(tmp_path / "p", {"t.xlsx": saved(made)}))
    assert [(f.code, f.where.row) for f in found] == [("CD427", 3), ("CD427", None)]
    assert "1 row that holds data is hidden" in found[0].message()
    assert "are hidden: b." in found[1].message()
    hidden = sheets([["z"]], [["a", "b"], [1, "x"]], s2="hidden")
    (finding,) = ours(write(tmp_path / "q", hidden, dialect={"sheetName": "s2"}))
    assert (finding.code, "s2" in finding.message()) == ("CD427", True)


@pytest.mark.parametrize("word", ["Total", "TOTAL:", "Suma", "Ensemble", "Gesamt", "Total general", " Sum "])
def test_a_row_of_totals_at_the_end_is_told(word: str, tmp_path: Path) -> None:
    schema = fields(place="string", n="integer")
    grid: Grid = [["place", "n"], ["Hill", 1], ["River", 2]]
    (finding,) = ours(write(tmp_path / "a", sheets([*grid, [word, 3]]), schema))
    assert (finding.code, finding.where.row) == ("CD426", 4)
    assert ours(write(tmp_path / "b", sheets([*grid, [word, 3], ["Hill", 3]]), schema)) == []
    assert ours(write(tmp_path / "c", sheets([*grid, [word, 3], ["Hill", 3], [word, 3]]), schema)) == []
    assert ours(write(tmp_path / "d", sheets([*grid, ["Totally", 3]]), schema)) == []


def test_findings_hold_no_value_of_a_cell(tmp_path: Path) -> None:
    secret = 7123456789
    made = book([["a", "b"], [DAY, secret], ["Zuzana", "#REF!"], ["=1", MOMENT], ["Total", secret]], [["Zuzana"]])
    made["s1"].merge_cells("A2:B2")
    made["s1"].row_dimensions[3].hidden = True
    found = ours(write(tmp_path / "p", {"t.xlsx": saved(made)}))
    assert {f.code for f in found} >= {"CD408", "CD423", "CD424", "CD425", "CD426", "CD427", "CD428", "CD429"}
    for finding in found:
        told = finding.message() + finding.remedy() + repr(finding)
        assert not any(value in told for value in ("Zuzana", "7123456789", "2024"))


def test_several_workbooks_are_one_table(tmp_path: Path) -> None:
    files = {
        "t.xlsx": saved(book([["a", "b"], [1, "x"]])),
        "u.xlsx": saved(book([["a", "b"], ["?", "y"]])),
        "v.xlsx": saved(book([["!", "z"]])),
    }
    found = ours(write(tmp_path / "p", files))
    assert [(f.code, f.where.file, f.where.row) for f in found] == [("CD408", "u.xlsx", 2), ("CD408", "v.xlsx", 1)]


def test_a_key_and_a_reference_are_followed_into_workbooks(tmp_path: Path) -> None:
    keyed = fields(a="integer", b="string") | {"primaryKey": ["a"]}
    found = ours(write(tmp_path / "p", sheets([["a", "b"], [1, "x"], [1.0, "y"]]), keyed))
    assert [(f.code, f.where.row, f.where.sheet) for f in found] == [("CD412", 3, "s1")]
    folder = write(
        tmp_path / "q",
        {
            "t.xlsx": saved(book([["a", "b"], [1, "x"]])),
        },
    )
    (folder / "u.csv").write_bytes(b"r\n1\n2\n")
    descriptor = json.loads((folder / "datapackage.json").read_text())
    key = {"fields": "r", "reference": {"resource": "t", "fields": "a"}}
    descriptor["resources"].append(
        {"name": "u", "path": "u.csv", "schema": fields(r="integer") | {"foreignKeys": [key]}}
    )
    (folder / "datapackage.json").write_text(json.dumps(descriptor))
    assert places(ours(folder)) == [("CD413", 3, "r")]


GOOD = saved(book([["a", "b"], [1, "x"]]))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"PK\x03\x04",
        b"a,b\n1,x\n",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600,
        GOOD[: len(GOOD) // 2],
        edited(GOOD, SHEET, [(b"<sheetData>", b"<sheetData><row>")]),
        edited(GOOD, SHEET, [(b'r="A1"', b'r="ABCD1"')]),
        edited(GOOD, SHEET, [(b'r="A1"', b'r="A0"')]),
        edited(GOOD, SHEET, [(b'r="A1"', b'r="A99999999"')]),
        edited(GOOD, SHEET, [(b'r="A1"', b'r="\xc3\xa9"')]),
        edited(GOOD, SHEET, [(b"<worksheet", b"<!DOCTYPE x [<!ENTITY y 'z'>]><worksheet")]),
        edited(GOOD, "xl/workbook.xml", [(b"<workbook", b"<!DOCTYPE x [<!ENTITY y 'z'>]><workbook")]),
        edited(GOOD, "xl/_rels/workbook.xml.rels", [(b"sheet1.xml", b"../../../../etc/passwd")]),
        edited(GOOD, "xl/workbook.xml", [(b"<sheets>", b"<sheets><sheet name='s' sheetId='9' r:id='none'/>")]),
    ],
    ids=range(14),
)  # fmt: skip
@pytest.mark.parametrize("ending", ["xlsx", "xls", "ods"])
def test_a_hostile_workbook_is_a_finding(content: bytes, ending: str, tmp_path: Path) -> None:
    (finding,) = ours(write(tmp_path / "p", {f"t.{ending}": content}))
    assert finding.code == "CD401"


def test_a_sheet_that_claims_to_be_endless_is_not_kept(tmp_path: Path) -> None:
    far = edited(GOOD, SHEET, [(b'r="A2"', b'r="XFD1048576"')])
    (finding,) = ours(write(tmp_path / "p", {"t.xlsx": far}))
    assert (finding.code, "10,000,000" in finding.message()) == ("CD401", True)


def test_a_workbook_that_unpacks_to_much_more_is_not_opened(tmp_path: Path) -> None:
    bomb = edited(GOOD, SHEET, [(b"</worksheet>", b"<!--" + b" " * 2**22 + b"--></worksheet>")])
    assert ours(write(tmp_path / "p", {"t.xlsx": bomb})) == []
    with patch.object(packed, "RATIO_FREE_BYTES", 2**20):
        (finding,) = ours(write(tmp_path / "p", {"t.xlsx": bomb}))
    assert (finding.code, "larger than" in finding.message()) == ("CD401", True)


def test_a_member_that_is_longer_than_it_says_is_cut_or_refused(tmp_path: Path) -> None:
    """What calamine is handed was written anew: it cannot be told another length than was checked."""
    content = bytearray(GOOD)
    place = content.rindex(b"PK\x01\x02")
    content[place + 24 : place + 28] = (10).to_bytes(4, "little")
    (finding,) = ours(write(tmp_path / "p", {"t.xlsx": bytes(content)}))
    assert finding.code == "CD401"


@settings(max_examples=60, deadline=None)
@given(st.integers(0, len(GOOD) - 1), st.binary(min_size=1, max_size=8))
def test_any_damage_gives_findings_only(place: int, noise: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for ending in ("xlsx", "ods", "xls"):
            content = GOOD[:place] + noise + GOOD[place + len(noise) :]
            ours(write(Path(folder) / ending, {f"t.{ending}": content}))


# Parquet


def parquet(query: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t.parquet"
        duckdb.connect().execute(f"COPY ({query}) TO '{path}' (FORMAT parquet)")
        return path.read_bytes()


def test_parquet_is_compared_with_the_schema(tmp_path: Path) -> None:
    good = parquet("SELECT 1 AS a, 'x' AS b UNION ALL SELECT 2, NULL")
    assert ours(write(tmp_path / "a", {"t.parquet": good})) == []
    other = parquet("SELECT 1 AS a, 'x' AS c")
    assert [f.code for f in ours(write(tmp_path / "b", {"t.parquet": other}))] == ["CD404"]
    wrong = parquet("SELECT 'x' AS a, 5 AS b UNION ALL SELECT '7', 6")
    found = places(ours(write(tmp_path / "c", {"t.parquet": wrong})))
    assert sorted(found) == [("CD408", 2, "a"), ("CD408", 2, "b"), ("CD408", 3, "b")]
    assert [
        f.code for f in ours(write(tmp_path / "d", {"t.parquet": parquet("SELECT 1 AS a, 'x' AS b LIMIT 0")}))
    ] == ["CD417"]


TYPED = """SELECT 5::HUGEINT AS a, 1.5::DECIMAL(4, 2) AS b, 0.25::DOUBLE AS c, DATE '2024-01-02' AS d,
    TIMESTAMP '2024-01-02 03:04:05' AS e, TIMESTAMPTZ '2024-01-02 03:04:05+00' AS f, true AS g,
    TIME '03:04:05' AS h, uuid() AS i, [1, 2] AS j, {'x': 1} AS k, 2.0::DOUBLE AS l, 'nan'::FLOAT AS m"""
KINDS = "integer number number date datetime datetime boolean time string array object integer number"
TYPES = dict(zip("abcdefghijklm", KINDS.split(), strict=True))


def test_the_types_of_parquet_are_those_of_table_schema(tmp_path: Path) -> None:
    assert ours(write(tmp_path / "p", {"t.parquet": parquet(TYPED)}, fields(**TYPES))) == []
    swapped = dict(zip(TYPES, reversed(TYPES.values()), strict=True))
    found = ours(write(tmp_path / "q", {"t.parquet": parquet(TYPED)}, fields(**swapped)))
    assert {f.code for f in found} == {"CD408"}


def test_several_and_oddly_named_files_of_parquet(tmp_path: Path) -> None:
    files = {"t[1]*.parquet": parquet("SELECT 1 AS a, 'x' AS b"), "u.parquet": parquet("SELECT 2 AS a, 5 AS b")}
    found = ours(write(tmp_path / "p", files))
    assert [(f.code, f.where.file, f.where.row) for f in found] == [("CD408", "u.parquet", 2)]
    files["u.parquet"] = parquet("SELECT 2 AS a")
    assert [f.code for f in ours(write(tmp_path / "q", files))] == ["CD401"]


@pytest.mark.parametrize("content", [b"", b"PAR1", b"a,b\n", parquet("SELECT 1 AS a, 'x' AS b")[:-20]])
def test_what_is_no_parquet_is_told(content: bytes, tmp_path: Path) -> None:
    (finding,) = ours(write(tmp_path / "p", {"t.parquet": content}))
    assert (finding.code, "Parquet" in finding.message()) == ("CD401", True)


def test_parquet_is_converted_as_the_text_of_table_schema(tmp_path: Path) -> None:
    query = """SELECT 5 AS a, 1.5::DOUBLE AS b, 2.0::DOUBLE AS c, TIMESTAMP '2024-01-02 03:04:05' AS d, true AS e,
        DATE '2024-01-02' AS f, 'NA' AS g
        UNION ALL SELECT NULL, 'nan'::DOUBLE, '-inf'::DOUBLE, NULL, NULL, NULL, 'x'"""
    schema = fields(a="integer", b="number", c="number", d="datetime", e="boolean", f="date", g="string")
    package = load(write(tmp_path / "p", {"t.parquet": parquet(query)}, schema | {"missingValues": ["NA"]}))
    with session(package) as opened:
        rows = relation(opened, package, package.resources[0]).fetchall()
    assert rows == [
        (2, "5", "1.5", "2", "2024-01-02T03:04:05", "true", "2024-01-02", None),
        (3, None, "NaN", "-INF", None, None, None, "x"),
    ]
    package = load(write(tmp_path / "q", {"t.parquet": parquet("SELECT [1] AS a")}, fields(a="array")))
    with session(package) as opened, pytest.raises(ConversionError, match="type that is not converted"):
        relation(opened, package, package.resources[0])


@pytest.mark.parametrize("name", ["t.xlsx", "t.jsonl"])
def test_what_is_not_converted_says_what_to_do(name: str, tmp_path: Path) -> None:
    package = load(write(tmp_path / "p", {name: GOOD if name == "t.xlsx" else b'{"a": 1}'}))
    with session(package) as opened, pytest.raises(ConversionError, match="save it as CSV"):
        relation(opened, package, package.resources[0])


# A package from a workbook


def command(*words: str) -> tuple[int, str]:
    """The exit code of `cdmeta`, and what it says, on one line."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err), pytest.raises(SystemExit) as ended:
        main(list(words))
    return int(ended.value.code or 0), " ".join((out.getvalue() + err.getvalue()).split())


def started(folder: Path, content: bytes, *more: str) -> tuple[int, str]:
    source = folder / "wells.xlsx"
    source.write_bytes(content)
    return command("new", str(folder / "out"), "--from", str(source), *more)


def test_a_package_is_started_from_a_sheet(tmp_path: Path) -> None:
    grid: Grid = [["well", "seen", "depth", "phone", "ok"], ["A", DAY, 12.0, "0712", True], ["Total", None, 0.25]]
    made = book(grid)
    made["s1"].row_dimensions[2].hidden = True
    code, output = started(tmp_path, saved(made))
    assert code == 0, output
    assert "Written as CSV from the sheet of the workbook: 2 rows." in output
    assert "seems to be a total" in output
    assert "1 row that holds data is hidden" in output
    table = (tmp_path / "out/data/wells.csv").read_text(encoding="utf-8")
    assert table == "well,seen,depth,phone,ok\nA,2024-01-02,12,0712,TRUE\nTotal,,0.25,,\n"
    descriptor = json.loads((tmp_path / "out/datapackage.json").read_text(encoding="utf-8"))
    (resource,) = descriptor["resources"]
    types = {entry["name"]: entry["type"] for entry in resource["schema"]["fields"]}
    assert types == {"well": "string", "seen": "date", "depth": "number", "phone": "string", "ok": "boolean"}
    assert (resource["path"], resource["format"], resource["encoding"]) == ("data/wells.csv", "csv", "utf-8")
    assert ours(tmp_path / "out") == []


@pytest.mark.parametrize(
    ("grids", "told"),
    [
        ([[["a"], ["=1+1"]]], "holds a formula and no result"),
        ([[["a"], [1]], [["left over"]]], "--sheet names the sheet"),
        ([[[None], ["x"]]], "has no names of columns"),
        ([[]], "has no names of columns"),
    ],
)
def test_nothing_is_lost_on_the_way_from_a_sheet(grids: list[Grid], told: str, tmp_path: Path) -> None:
    code, output = started(tmp_path, saved(book(*grids)))
    assert (code, (tmp_path / "out").exists()) == (2, False)
    assert told in output
    assert "wells.xlsx" in output


def test_the_sheet_to_start_from_can_be_named(tmp_path: Path) -> None:
    content = saved(book([["a"], [1]], [["b"], [2]]))
    assert "no sheet" in started(tmp_path, content, "--sheet", "s3")[1]
    assert started(tmp_path, content, "--sheet", "s2")[0] == 0
    assert (tmp_path / "out/data/wells.csv").read_text(encoding="utf-8") == "b\n2\n"
    source = tmp_path / "t.csv"
    source.write_text("a\n1\n")
    code, output = command("new", str(tmp_path / "o"), "--from", str(source), "--sheet", "s")
    assert (code, "Leave --sheet out" in output) == (2, True)


# Other programs' workbooks


@pytest.mark.system
@pytest.mark.parametrize("ending", ["xls", "ods", "xlsx"])
def test_workbooks_that_libreoffice_writes_are_read(ending: str, tmp_path: Path) -> None:
    made = book(
        [["a", "b", "c"], [1, "x", DAY], ["?", "y", DAY], ["=1+1", "z", DAY], [5, "#REF!", DAY]], [["more"]]
    )
    made["s1"]["B5"].data_type = "f"
    made["s1"]["B5"] = "=1/0"
    made["s1"].merge_cells("B2:B3")
    (tmp_path / "in").mkdir()
    (tmp_path / "in/t.xlsx").write_bytes(saved(made))
    office = shutil.which("soffice")
    assert office is not None
    profile = f"-env:UserInstallation=file://{tmp_path}/profile"
    command = [office, profile, "--headless", "--convert-to", ending, "--outdir", str(tmp_path), "in/t.xlsx"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, timeout=120)
    content = (tmp_path / f"t.{ending}").read_bytes()
    found = ours(write(tmp_path / "p", {f"t.{ending}": content}, fields(a="integer", b="string", c="date")))
    wanted = [("CD429", None, None), ("CD424", 5, "b"), ("CD425", 2, None), ("CD408", 3, "a")]
    # In an xls, nothing tells an error from an empty cell.
    assert places(found) == [place for place in wanted if ending != "xls" or place[0] != "CD424"]


# OpenDocument that stands for more than it is long

NAMES = 'xmlns:{0}="urn:oasis:names:tc:opendocument:xmlns:{0}:1.0"'


def opendocument(rows: str) -> bytes:
    names = " ".join(NAMES.format(name) for name in ("office", "table", "text"))
    body = f'<table:table table:name="s1">{rows}</table:table>'
    for name in ("spreadsheet", "body", "document-content"):
        body = f"<office:{name} {names if name == 'document-content' else ''}>{body}</office:{name}>"
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("META-INF/manifest.xml", "<manifest/>")
        archive.writestr("styles.xml", "<styles/>")
        archive.writestr("content.xml", body)
    return made.getvalue()


def line(*cells: str, times: int | str = 1) -> str:
    return f'<table:table-row table:number-rows-repeated="{times}">{"".join(cells)}</table:table-row>'


def one_cell(content: str, times: int = 1) -> str:
    start = f'<table:table-cell office:value-type="string" table:number-columns-repeated="{times}">'
    return f"{start}<text:p>{content}</text:p></table:table-cell>"


def blank(times: int) -> str:
    return f'<table:table-cell table:number-columns-repeated="{times}"/>'


HEADER, ROW = line(one_cell("a"), one_cell("b")), line(one_cell("1"), one_cell("x"))


@pytest.mark.parametrize(
    ("rows", "codes"),
    [
        (HEADER + ROW, []),
        (HEADER + ROW + line(blank(10**9), times=10**9), []),
        (HEADER + line(one_cell("1"), one_cell("x"), blank(10**9)), []),
        (HEADER + line(one_cell("1"), one_cell("x"), times=10**9), ["CD401"]),
        (HEADER + line(one_cell("1"), one_cell("x", 10**9)), ["CD401"]),
        (HEADER + line(blank(1), times=10**9) + ROW, ["CD401"]),
        (HEADER + line(one_cell("1"), times="9" * 5000), ["CD401"]),
        (HEADER + line(one_cell("1"), one_cell("x"), times=2) + line(one_cell("?"), one_cell("y")), ["CD408"]),
    ],
)
def test_repeated_rows_and_cells_are_counted_before_they_are_kept(
    rows: str, codes: list[str], tmp_path: Path
) -> None:
    found = ours(write(tmp_path / "p", {"t.ods": opendocument(rows)}))
    assert [f.code for f in found] == codes
    if codes == ["CD408"]:
        assert found[0].where.row == 4
