"""`cdmeta new`: a package from a table."""

import csv
import json
from datetime import date
from pathlib import Path
from typing import Any

import frictionless
import pytest
from commands import exit_code

from cdmeta import profile
from cdmeta.errors import OutputError, TableError
from cdmeta.package import load
from cdmeta.tables.conformance import metadata_problems
from cdmeta.tables.judge import judge
from cdmeta.text import is_missing
from cdmeta.workflows.convert import described
from cdmeta.workflows.new import new, slug

TODAY = date(2026, 3, 1)
TABLE = "Región;Año;Visitas;Código\nNorte;2024;1,5;007\nSur;2024;2,25;008\n"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "Visitas 2024.csv"
    path.write_bytes(TABLE.encode("windows-1252"))
    return path


def read(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "datapackage.json").read_text(encoding="utf-8"))
    return found


def test_what_can_be_found_out_is_written(source: Path, tmp_path: Path) -> None:
    started = new(tmp_path / "Clínica Norte", source, TODAY, language="es")
    descriptor = read(started.out)
    assert (descriptor["name"], descriptor["version"], descriptor["sdmx"]) == (
        "clinica-norte", "1.0.0", {"agency": "CDMETA.CLINICA_NORTE"},
    )  # fmt: skip
    own = descriptor["citizenData"]
    assert (own["profile"], own["language"], own["metadataUpdated"]) == (profile.URL, "es", "2026-03-01")
    assert descriptor["$schema"] == profile.URL
    assert descriptor["resources"] == [
        {
            "name": "visitas-2024",
            "type": "table",
            "path": "data/visitas-2024.csv",
            "format": "csv",
            "mediatype": "text/csv",
            "encoding": "windows-1252",
            "dialect": {"delimiter": ";"},
            "schema": {
                "fields": [
                    {"name": "Región", "type": "string"},
                    {"name": "Año", "type": "year"},
                    {"name": "Visitas", "type": "number", "decimalChar": ","},
                    {"name": "Código", "type": "string"},
                ],
                "missingValues": [""],
                "primaryKey": ["Región"],
            },
        }
    ]


BASE = {"sdmx": {"role": "attribute", "id": "BASE_N"}}


@pytest.mark.parametrize(
    ("header", "first", "base"),
    [
        ("Región;Año;% satisfechos;Encuestados", "Sur;2024;41,2;78", "Encuestados"),
        ("région;satisfaits;réponses", "Sud;41,2;78", "réponses"),
        ("region;satisfied;number_of_respondents", "South;41,2;78", "number_of_respondents"),
        ("region;visits;n", "South;412;78", "n"),
        # What its name leaves open, or what is the only figure, or one of two, or itself a share, is asked.
        ("region;satisfied;visits", "South;41,2;78", ""),
        ("region;respondents", "South;78", ""),
        ("region;respondents;answers", "South;78;70", ""),
        ("region;satisfied;pct_answers", "South;41,2;78", ""),
        ("region;satisfied;respondents", "South;41,2;78,5", ""),
    ],
)
def test_who_stands_behind_the_figures_is_no_figure(header: str, first: str, base: str, tmp_path: Path) -> None:
    source = tmp_path / "table.csv"
    other = ";".join(("Norte", *first.split(";")[1:]))
    source.write_text(f"{header}\n{first}\n{other}\n", encoding="utf-8")
    started = new(tmp_path / "p", source, TODAY)
    fields = read(started.out)["resources"][0]["schema"]["fields"]
    assert {each["name"]: each["sdmx"] for each in fields if "sdmx" in each} == (
        {base: BASE["sdmx"]} if base else {}
    )
    assert [params for key, params in started.inferred.notes if key == "base"] == (
        [{"name": base}] if base else []
    )
    if base:
        package = load(started.out)
        _, findings = described(package)
        assert "CD703" not in {each.code for each in findings}


def test_the_table_is_copied_as_it_is(source: Path, tmp_path: Path) -> None:
    started = new(tmp_path / "p", source, TODAY)
    assert (started.out / "data/visitas-2024.csv").read_bytes() == source.read_bytes()
    assert sorted(path.name for path in started.out.iterdir()) == [
        "QUESTIONS.xlsx",
        "data",
        "datapackage.json",
        "questions.csv",
    ]


def test_each_core_field_is_there_as_an_open_question_of_its_shape(source: Path, tmp_path: Path) -> None:
    descriptor = read(new(tmp_path / "p", source, TODAY).out)
    for entry in profile.load().fields.values():
        if entry.tier != "core":
            continue
        value: Any = descriptor
        for part in entry.path.split("."):
            value = value[part.removesuffix("[]")]
            value = value[0] if part.endswith("[]") else value
        auto = entry.path in ("name", "version") or entry.name in ("profile", "language", "metadataUpdated")
        assert is_missing(value) != auto, entry.path
        shape = {"codes": list, "strings": list, "list": list, "period": dict}.get(entry.type, str)
        assert isinstance(value, shape), entry.path


def test_the_package_conforms_to_the_standard_as_it_is(source: Path, tmp_path: Path) -> None:
    started = new(tmp_path / "p", source, TODAY)
    assert list(metadata_problems(read(started.out))) == []
    package = load(started.out)
    assert [finding for resource in package.resources for finding in judge(package, resource)] == []
    report = frictionless.validate(str(started.out / "datapackage.json"), type="package")
    assert report.valid, report.flatten()


def test_there_is_one_question_for_each_answer_that_validate_asks_for(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    started = new(tmp_path / "p", source, TODAY)
    with (started.out / "questions.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert exit_code("validate", started.out, "--format", "json") == 1
    findings = json.loads(capsys.readouterr().out)["findings"]
    missing = [f["params"]["path"] for f in findings if f["code"] == "CD130"]
    fields = profile.load().fields
    assert started.open == len(missing) == 30
    path_column = "Name of the field (leave as it is)"
    needed = [row for row in rows if row["When it is needed"] == "Needed" and not row["Your answer"]]
    asked = [row[path_column].replace("[1]", "[]") for row in needed]
    heads = dict.fromkeys(path.split("[")[0].removesuffix(".start").removesuffix(".end") for path in asked)
    assert list(heads) == missing
    for row in needed:
        path = row[path_column].replace("[1]", "[]").removesuffix(".start").removesuffix(".end")
        assert row["Question"].split("\n")[1] == fields[path].question
        codes = profile.load().codelists[fields[path].codelist].codes if fields[path].codelist else {}
        assert row["What to choose from"] == "\n".join(f"{code.name} ({code.id})" for code in codes.values())
    assert not {f["code"] for f in findings if f["severity"] == "error"} - {"CD130", "CD201"}


@pytest.mark.parametrize("make", ["file", "folder", "link"])
def test_nothing_is_overwritten(make: str, source: Path, tmp_path: Path) -> None:
    out = tmp_path / "p"
    if make == "file":
        out.write_text("mine")
    elif make == "link":
        out.symlink_to(tmp_path / "elsewhere")
    else:
        out.mkdir()
        (out / "datapackage.json").write_text("mine")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(OutputError):
        new(out, source, TODAY)
    assert sorted(tmp_path.rglob("*")) == before
    if make == "folder":
        assert (out / "datapackage.json").read_text() == "mine"


def test_an_empty_folder_is_taken(source: Path, tmp_path: Path) -> None:
    (tmp_path / "p").mkdir()
    assert new(tmp_path / "p", source, TODAY).out.joinpath("datapackage.json").is_file()


def test_a_table_that_cannot_be_read_leaves_nothing_behind(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(b'a,b\n1,"x\n')
    with pytest.raises(TableError):
        new(tmp_path / "p", path, TODAY)
    assert sorted(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("text", "name"), [("Clínica Norte", "clinica-norte"), ("a_b.c", "a-b-c"), ("数据", "data"), ("--x--", "x")]
)
def test_names_for_machines(text: str, name: str) -> None:
    assert slug(text) == name


def test_a_tsv_stays_one(tmp_path: Path) -> None:
    path = tmp_path / "t.tsv"
    path.write_text("a\tn\nx\t1\ny\t2\n")
    started = new(tmp_path / "p", path, TODAY, agency="OFFICE.X")
    (resource,) = read(started.out)["resources"]
    assert (resource["path"], resource["format"], resource["dialect"]) == (
        "data/t.tsv",
        "tsv",
        {"delimiter": "\t"},
    )
    assert read(started.out)["sdmx"] == {"agency": "OFFICE.X"}
    package = load(started.out)
    assert list(judge(package, package.resources[0])) == []


def test_the_command_tells_what_it_found(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "0")
    out = tmp_path / "p"
    assert exit_code("new", str(out), "--from", str(source), "--language", "es", "--agency", "A.B") == 0
    sheet = out / "QUESTIONS.xlsx"
    key = "Taken as what tells the rows apart (primaryKey): Región."
    assert capsys.readouterr().out.splitlines() == [
        f"Started {out} with 2 rows.",
        "Columns: Región (string), Año (year), Visitas (number), Código (string).",
        "The cells stand apart by a semicolon.",
        "The text is saved as windows-1252.",
        "Kept as text, because of leading zeros: Código.",
        "Taken as numbers with a decimal comma: Visitas.",
        f"{key} Correct it in the schema if it is something else.",
        "The SDMX agency is A.B; change it in sdmx.agency if your office gives you another.",
        f"Answer the 30 questions in {sheet} (or {out / 'questions.csv'}); then run: cdmeta fill {out} {sheet}",
    ]
    assert read(out)["citizenData"]["metadataUpdated"] == "1970-01-01"


def test_the_command_says_in_one_line_what_cannot_be_done(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full/x").touch()
    for args in (
        [str(tmp_path / "full"), "--from", str(source)],
        [str(tmp_path / "p"), "--from", str(tmp_path / "none.csv")],
        [str(tmp_path / "p"), "--from", str(source), "--language", "?"],
        [str(tmp_path / "p"), "--from", str(source), "--agency", "1 2"],
        [str(tmp_path / "p")],
    ):
        assert exit_code("new", *args) == 2
        assert "Traceback" not in capsys.readouterr().err
    assert not (tmp_path / "p").exists()


def test_the_questions_are_no_forgotten_file(tmp_path: Path) -> None:
    source = tmp_path / "visits.csv"
    source.write_text("ward,year,visits\nA,2024,3\nB,2024,4\n", encoding="utf-8")
    started = new(tmp_path / "visits", source, TODAY)
    assert "CD111" not in {finding.code for finding in load(started.out).findings}
