"""Rows that break what their own schema says: nothing is written that SDMX would refuse, and no cell is quoted."""

import csv
import datetime as dt
import json
import math
import shutil
import zipfile
from pathlib import Path
from typing import Any

import pytest
from commands import exit_code
from lxml import etree

from cdmeta.approval import Approver
from cdmeta.columns import Column
from cdmeta.errors import CdmetaError
from cdmeta.sdmx.structures import representation
from cdmeta.sshsig import load_key
from cdmeta.text import Text
from cdmeta.workflows.approve import approve
from cdmeta.workflows.convert import FORMATS, Conversion, convert
from cdmeta.workflows.keygen import keygen

EXAMPLE = Path(__file__).parent.parent / "examples" / "public-service-satisfaction" / "package"
NOW = dt.datetime(2026, 3, 2, 10, 0, tzinfo=dt.UTC)
WORD, NUMBER = "zqcanaryqz", "73519846"
ROWS = [(role, to) for role in ("dimension", "measure") for to in ("sdmx-ml-3.0", "sdmx-csv-2.0")]
Field = dict[str, Any]


def small(folder: Path, rows: list[list[str]], fields: list[Field], key: list[str], **schema: Any) -> Path:
    """A package with one table of its own, otherwise like the example."""
    package = Path(shutil.copytree(EXAMPLE, folder / "package"))
    with (package / "data" / "t.csv").open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream, lineterminator="\n").writerows([[f["name"] for f in fields], *rows])
    table = {"name": "t", "type": "table", "path": "data/t.csv", "format": "csv"}
    file = package / "datapackage.json"
    descriptor = json.loads(file.read_text(encoding="utf-8"))
    descriptor["resources"] = [table | {"schema": {"fields": fields, "primaryKey": key} | schema}]
    file.write_text(json.dumps(descriptor), encoding="utf-8")
    return package


def with_cells(folder: Path, field: Field, *cells: str, **schema: Any) -> Path:
    """A package in whose table the column of a field holds these cells, from row 2 on."""
    part = field.get("sdmx", {}).get("role", "attribute")
    place = {"name": "place", "type": "string"}
    year = {"name": "year", "type": "year"}
    figure = {"name": "figure", "type": "number", "sdmx": {"role": "measure", "unit": "KM"}}
    key = ["place", "year"]
    rows = [[f"P{number}", "2023", "1", cell] for number, cell in enumerate(cells)]
    if part == "measure":
        fields, rows = [place, year, field], [[row[0], row[1], row[3]] for row in rows]
    else:
        fields = [place, year, figure, field]
        key += [field["name"]] if part == "dimension" else []
    return small(folder, rows, fields, key, **schema)


def draft(package: Path, to: str, out: Path) -> Conversion:
    return convert(package, to, out, allowed_signers=None, draft=True, now=NOW)


def codes(made: Conversion) -> list[tuple[str, str | None, int | None, int]]:
    return [(f.code, f.where.field, f.where.row, f.params["count"]) for f in made.errors]


def column(path: Path, id_: str) -> list[str]:
    with path.open(newline="", encoding="utf-8") as stream:
        return [row[id_] for row in csv.DictReader(stream)]


# No cell is quoted


BROKEN: dict[str, tuple[Field, dict[str, Any], list[str]]] = {
    "minimum": ({"type": "integer"}, {"minimum": 80000000}, ["90000000", NUMBER]),
    "maximum": ({"type": "integer"}, {"maximum": 70000000}, ["1", NUMBER]),
    "minimum of a number": ({"type": "number"}, {"minimum": 80000000.5}, ["90000000", NUMBER]),
    "maximum of a number": ({"type": "number"}, {"maximum": 1.5}, ["1", NUMBER]),
    "maximum of a large integer": ({"type": "integer"}, {"maximum": 10**40}, ["1", NUMBER * 9]),
    "minLength": ({"type": "string"}, {"minLength": 11}, ["long enough for it", WORD]),
    "maxLength": ({"type": "string"}, {"maxLength": 9}, ["short", WORD]),
    "pattern": ({"type": "string"}, {"pattern": "[a-y]+"}, ["abc", WORD]),
    "enum": ({"type": "string"}, {"enum": ["A", "B"]}, ["A", WORD]),
    "enum of numbers": ({"type": "integer"}, {"enum": [1, 2]}, ["1", NUMBER]),
    "required": ({"type": "string"}, {"required": True}, [WORD, ""]),
    "required number": ({"type": "number"}, {"required": True}, [NUMBER, ""]),
    "unique": ({"type": "string"}, {"unique": True}, [WORD, WORD]),
    "type": ({"type": "integer"}, {}, ["1", WORD]),
    "boolean": ({"type": "boolean"}, {}, ["true", WORD]),
    "control character": ({"type": "string"}, {}, ["a", f"{WORD}\x07"]),
    "markup in a measure": ({"type": "string"}, {}, ["a", f"<{WORD}"]),
}


def texts_of(error: BaseException | None) -> str:
    """What an exception says, and those that a traceback of it shows."""
    said = ""
    while error is not None:
        said += f"{error!r} {error} "
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return said


def told_by_library(package: Path, to: str, out: Path, signers: Path | None = None) -> str:
    try:
        made = convert(package, to, out, allowed_signers=signers, draft=signers is None, now=NOW)
    except CdmetaError as error:
        return texts_of(error)
    told = repr([(f, f.message(), f.remedy(), f.why()) for f in made.findings]) + repr(made.files)
    return told + "".join(path.read_text(encoding="utf-8") for path in out.glob("manifest.json"))


def told_by_command(
    package: Path, to: str, out: Path, capsys: pytest.CaptureFixture[str], signers: Path | None = None
) -> str:
    how = ["--draft"] if signers is None else ["--allowed-signers", str(signers)]
    exit_code("convert", package, "--to", to, "--out", out, *how)
    return "".join(capsys.readouterr())


def zipped(package: Path) -> Path:
    path = package.with_suffix(".zip")
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(package.rglob("*")):
            if file.is_file():
                archive.write(file, file.relative_to(package).as_posix())
    return path


def quoted(told: str) -> list[str]:
    assert told
    return [word for word in (WORD, NUMBER, "fault of cdmeta") if word in told]


@pytest.mark.parametrize(("role", "to"), [("attribute", to) for to in FORMATS] + ROWS)
@pytest.mark.parametrize("kind", BROKEN)
def test_nothing_that_is_told_holds_a_cell(
    kind: str, role: str, to: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    field, constraints, cells = BROKEN[kind]
    given = {"name": "thing", "constraints": constraints, "sdmx": {"role": role}} | field
    package = with_cells(tmp_path, given, *cells)
    assert quoted(told_by_library(package, to, tmp_path / "library")) == []
    assert quoted(told_by_command(zipped(package), to, tmp_path / "command", capsys)) == []


@pytest.mark.parametrize("kind", ["maximum", "maxLength", "enum"])
def test_nothing_that_is_told_of_what_is_not_approved_holds_a_cell(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Rows that were changed after a person approved them."""
    field, constraints, cells = BROKEN[kind]
    package = with_cells(tmp_path, {"name": "thing", "constraints": constraints} | field, cells[0], cells[0])
    signers = tmp_path / "signers"
    signers.write_text(keygen(tmp_path / "key", "r@example.org") + "\n", encoding="utf-8")
    approve(package, load_key((tmp_path / "key").read_bytes(), None), Approver("R", "r@example.org"), time=NOW)
    table = package / "data" / "t.csv"
    table.write_text(table.read_text(encoding="utf-8") + f"P9,2023,1,{cells[1]}\n", encoding="utf-8")
    told = told_by_library(package, "sdmx-ml-3.0", tmp_path / "library", signers)
    told += told_by_command(zipped(package), "sdmx-ml-3.0", tmp_path / "command", capsys, signers)
    assert "t.csv" in told
    assert quoted(told) == []


def test_a_message_against_its_schema_is_not_quoted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Should our own checks ever let a row through that the schema refuses."""
    monkeypatch.setattr("cdmeta.sdmx.row_checks._outside", lambda *_: iter(()))
    package = with_cells(tmp_path, {"name": "thing", "type": "string", "constraints": {"maxLength": 3}}, WORD)
    told = told_by_library(package, "sdmx-ml-3.0", tmp_path / "library")
    told += told_by_command(package, "sdmx-ml-3.0", tmp_path / "command", capsys)
    assert "data-t.xml is against its official schema" in told
    assert WORD not in told
    assert not (tmp_path / "library").exists()


def test_what_the_engine_quotes_of_a_row_is_not_kept(tmp_path: Path) -> None:
    package = with_cells(tmp_path, {"name": "thing", "type": "string"}, "a")
    with (package / "data" / "t.csv").open("a", encoding="utf-8") as table:
        table.write(f"P1,2023,1,{WORD},{WORD}\nP1,2023,1\n")
    told = told_by_library(package, "sdmx-csv-2.0", tmp_path / "library")
    assert quoted(told) == []
    assert "CSV Error on Line: 3" in told


# What is broken, is told


@pytest.mark.parametrize(
    ("field", "cells", "finding"),
    [
        ({"type": "integer", "constraints": {"minimum": 5}}, ["5", "+4", "-6"], ("CD718", 3, 2)),
        ({"type": "integer", "constraints": {"minimum": 2, "maximum": 5}}, ["1", "6", "3"], ("CD718", 2, 2)),
        ({"type": "number", "constraints": {"maximum": 1.5}}, ["1.50", "15e-1", "1.51", "INF"], ("CD718", 4, 2)),
        ({"type": "number", "constraints": {"minimum": 0}}, ["-0", "1e400", "", "-INF"], ("CD718", 5, 1)),
        ({"type": "integer", "constraints": {"maximum": 2**53}}, [str(2**53), str(2**53 + 1)], ("CD718", 3, 1)),
        ({"type": "integer", "constraints": {"maximum": 7}}, ["7", "9" * 60], ("CD718", 3, 1)),
        ({"type": "integer", "constraints": {"minimum": 0.5}}, ["1", "0"], ("CD718", 3, 1)),
        ({"type": "integer", "constraints": {"maximum": 10.0}}, ["10", "11"], ("CD718", 3, 1)),
        ({"type": "number", "constraints": {"maximum": 1e22}}, ["1e22", "2e22"], ("CD718", 3, 1)),
        ({"type": "number", "groupChar": ",", "constraints": {"maximum": 10}}, ["10", "1,000"], ("CD718", 3, 1)),
        ({"type": "string", "constraints": {"minLength": 3}}, ["añ𝄞", "añ"], ("CD718", 3, 1)),
        ({"type": "string", "constraints": {"maxLength": 3}}, ["añ𝄞", "añ𝄞x"], ("CD718", 3, 1)),
        ({"type": "string", "constraints": {"required": True}}, ["a", "", ""], ("CD713", 3, 2)),
        ({"type": "integer", "constraints": {"required": True}}, ["1", ""], ("CD713", 3, 1)),
        ({"type": "string", "constraints": {"enum": ["A"]}}, ["A", "B"], ("CD710", 3, 1)),
        ({"type": "integer", "constraints": {"enum": [1, 2]}}, ["1", "3"], ("CD710", 3, 1)),
        ({"type": "integer", "constraints": {"maximum": 5}}, ["1", "many"], ("CD717", 3, 1)),
    ],
)
@pytest.mark.parametrize("to", ["sdmx-ml-3.0", "sdmx-csv-2.0"])
def test_rows_that_break_their_column_stop_it(
    field: Field, cells: list[str], finding: tuple[str, int, int], to: str, tmp_path: Path
) -> None:
    given = {"name": "thing", "sdmx": {"role": "attribute"}} | field
    made = draft(with_cells(tmp_path, given, *cells), to, tmp_path / "out")
    code, row, count = finding
    assert codes(made) == [(code, "thing", row, count)]
    assert made.files == ()
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("field", "cells"),
    [
        ({"type": "integer", "constraints": {"minimum": 1, "maximum": 5}}, ["1", "05", "+5", ""]),
        ({"type": "integer", "constraints": {"minimum": 0.5, "maximum": 0.7}}, [""]),
        ({"type": "number", "constraints": {"minimum": 5, "maximum": 1}}, ["3"]),
        ({"type": "number", "constraints": {"minimum": -1e300, "maximum": 1e300}}, ["1e301"]),
        ({"type": "integer", "constraints": {"maximum": 10**40}}, ["9" * 50]),
        ({"type": "number", "constraints": {"maximum": 1e-7}}, ["1e-7", "0"]),
        ({"type": "number", "constraints": {"minimum": True, "maximum": "x"}}, ["1"]),
        ({"type": "string", "constraints": {"minLength": 5, "maxLength": 1}}, ["abc"]),
        ({"type": "string", "constraints": {"minLength": 0, "maxLength": 10**30}}, ["abc"]),
        ({"type": "string", "constraints": {"pattern": "[0-9]+"}}, ["abc"]),
        ({"type": "string", "constraints": {"unique": True}}, ["abc", "abc"]),
    ],
)
@pytest.mark.parametrize("to", FORMATS)
def test_what_sdmx_cannot_say_of_a_column_stops_nothing(
    field: Field, cells: list[str], to: str, tmp_path: Path
) -> None:
    """What the rows break stays with `cdmeta validate`; SDMX has no such bound, so it is left out."""
    given = {"name": "thing", "sdmx": {"role": "attribute"}} | field
    made = draft(with_cells(tmp_path, given, *cells), to, tmp_path / "out")
    assert made.errors == ()
    if to == "sdmx-csv-2.0":
        assert column(tmp_path / "out" / "data-t.draft.csv", "THING") == cells


@pytest.mark.parametrize(
    ("kind", "constraints", "written"),
    [
        ("integer", {"minimum": 0.0, "maximum": 10.9}, {"minValue": "0", "maxValue": "10"}),
        ("number", {"minimum": -1.5, "maximum": 1e22}, {"minValue": "-1.5", "maxValue": f"1{'0' * 22}"}),
        ("number", {"minimum": 5, "maximum": 1}, {}),
        ("integer", {"minimum": 1, "maximum": 10**40}, {"minValue": "1"}),
        ("string", {"minLength": 2, "maxLength": 7}, {"minLength": "2", "maxLength": "7"}),
        ("string", {"minLength": 7, "maxLength": 2}, {}),
    ],
)
def test_bounds_become_facets(
    kind: str, constraints: dict[str, Any], written: dict[str, str], tmp_path: Path
) -> None:
    field = {"name": "thing", "type": kind, "constraints": constraints, "sdmx": {"role": "attribute"}}
    package = with_cells(tmp_path, field, "")
    draft(package, "sdmx-ml-3.0", tmp_path / "out")
    (thing,) = etree.parse(tmp_path / "out" / "structures.xml").iterfind(".//{*}Attribute[@id='THING']")
    (form,) = thing.iterfind(".//{*}TextFormat")
    read = {str(key): str(value) for key, value in form.attrib.items()}
    assert {key: value for key, value in read.items() if key.startswith(("min", "max"))} == written


@pytest.mark.parametrize("bound", [math.inf, -math.inf, math.nan, True, "5", None, [1]])
def test_a_bound_that_is_no_number_is_left_out(bound: Any) -> None:
    for kind in ("integer", "number"):
        facets = {"minimum": bound, "maximum": 9}
        made = representation(Column("x", Text(), Text(), kind, "attribute", "X", constraints=facets))
        assert (made.min_value, made.max_value) == (None, "9")


# Codes that are numbers


@pytest.mark.parametrize("given", ["categories", "enum"])
def test_codes_that_are_numbers_are_compared_as_numbers(given: str, tmp_path: Path) -> None:
    values: list[Any] = [1, 2.5, "1e3"]
    field = {"name": "thing", "type": "number", "sdmx": {"role": "attribute"}}
    field |= {"categories": values} if given == "categories" else {"constraints": {"enum": values}}
    package = with_cells(tmp_path, field, "1", "1.0", " 01", "+2.50", "2.5", "1000", "")
    draft(package, "sdmx-csv-2.0", tmp_path / "out")
    wanted = ["1", "1", "1", "2_5", "2_5", "1e3", ""]
    assert column(tmp_path / "out" / "data-t.draft.csv", "THING") == wanted


def test_large_integers_are_told_apart_and_texts_come_first(tmp_path: Path) -> None:
    large = [2**53, 2**53 + 1]
    field = {"name": "thing", "type": "integer", "sdmx": {"role": "attribute"}, "categories": [*large, "07", "7"]}
    package = with_cells(tmp_path, field, f"0{2**53 + 1}", str(2**53), "07", "7", "+7")
    draft(package, "sdmx-csv-2.0", tmp_path / "out")
    wanted = [str(2**53 + 1), str(2**53), "07", "7", "07"]
    assert column(tmp_path / "out" / "data-t.draft.csv", "THING") == wanted


def test_a_number_beside_the_codes_has_none(tmp_path: Path) -> None:
    field = {"name": "thing", "type": "integer", "sdmx": {"role": "attribute"}, "categories": [8]}
    made = draft(with_cells(tmp_path, field, "8", "7.6", "8_0", "9" * 50), "sdmx-csv-2.0", tmp_path / "out")
    assert codes(made) == [("CD710", "thing", 3, 3)]


def test_a_measure_of_text_arrives_as_it_was(tmp_path: Path) -> None:
    text = '<b> & "quoted"'
    package = with_cells(tmp_path, {"name": "thing", "type": "string", "sdmx": {"role": "measure"}}, text)
    draft(package, "sdmx-ml-3.0", tmp_path / "out")
    (row,) = etree.parse(tmp_path / "out" / "data-t.xml").iter("Obs")
    assert row.get("OBS_VALUE") == text


def test_empty_texts_are_empty_keys_where_nothing_stands_for_missing(tmp_path: Path) -> None:
    field = {"name": "thing", "type": "string", "sdmx": {"role": "dimension"}}
    made = draft(with_cells(tmp_path, field, "a", "", missingValues=[]), "sdmx-csv-2.0", tmp_path / "out")
    assert codes(made) == [("CD713", "thing", 3, 1)]


@pytest.mark.parametrize("version", ["1.0", "1.0.0-rc.1", "1.0.0+x", "1.0.x", "1.0.0.0"])
def test_a_version_has_three_numbers(version: str, tmp_path: Path) -> None:
    package = with_cells(tmp_path, {"name": "thing", "type": "string"}, "a")
    file = package / "datapackage.json"
    file.write_text(json.dumps(json.loads(file.read_text(encoding="utf-8")) | {"version": version}))
    made = draft(package, "sdmx-json-2.0", tmp_path / "out")
    assert [f.code for f in made.errors] == ["CD715"]


# Tables of codes


def with_codes(folder: Path, *codes: tuple[str, str], **dialect: Any) -> Path:
    """A package whose dimension refers to a table of these codes and labels."""
    field = {"name": "thing", "type": "string", "sdmx": {"role": "dimension"}}
    key = {"fields": ["thing"], "reference": {"resource": "codes", "fields": ["code"]}}
    package = with_cells(folder, field, "A", foreignKeys=[key])
    lines = [] if dialect else ["code,label"]
    lines += [f"{code},{label}" for code, label in codes]
    (package / "data" / "codes.csv").write_text("\n".join([*lines, ""]), encoding="utf-8")
    file = package / "datapackage.json"
    descriptor = json.loads(file.read_text(encoding="utf-8"))
    schema = {"fields": [{"name": "code", "type": "string"}, {"name": "label", "type": "string"}]}
    table = {"name": "codes", "type": "table", "path": "data/codes.csv", "format": "csv", "schema": schema}
    descriptor["resources"].append(table | ({"dialect": dialect} if dialect else {}))
    file.write_text(json.dumps(descriptor), encoding="utf-8")
    return package


@pytest.mark.parametrize(
    ("rows", "code", "row", "count"),
    [
        ([("A", "x"), (f"{WORD} a", "x"), (f"{WORD}_a", "x"), (f"{WORD}-a", "x")], "CD720", 4, 1),
        ([("A", "x"), ("ж", WORD), ("!", WORD)], "CD720", 3, 2),
        ([("A", "x"), ("B", f"{WORD}\x07"), (WORD, "\ufffe")], "CD716", 3, 2),
        ([("A", "x"), (f"{WORD}\x07", "x")], "CD716", 3, 1),
    ],
)
@pytest.mark.parametrize("to", FORMATS)
def test_what_is_wrong_in_a_table_of_codes_is_counted_and_not_quoted(
    rows: list[tuple[str, str]],
    code: str,
    row: int,
    count: int,
    to: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    package = with_codes(tmp_path, *rows)
    made = draft(package, to, tmp_path / "out")
    told = [(f.code, f.where.resource, f.where.row, f.params["count"]) for f in made.errors]
    assert told == [(code, "codes", row, count)]
    assert quoted(told_by_library(package, to, tmp_path / "library")) == []
    assert quoted(told_by_command(zipped(package), to, tmp_path / "command", capsys)) == []


def test_rows_of_a_table_of_codes_without_header_are_counted_from_one(tmp_path: Path) -> None:
    made = draft(with_codes(tmp_path, ("A", "x"), ("!", "x"), header=False), "sdmx-csv-2.0", tmp_path / "out")
    assert [(f.code, f.where.row) for f in made.errors] == [("CD720", 2)]
