"""From a package to files: what is written equals what the package says, and nothing else is written."""

import csv
import datetime as dt
import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest
from commands import run
from example_rows import satisfaction_rows
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from cdmeta.approval import Approver
from cdmeta.dataset import read_answers
from cdmeta.errors import ApprovalError, ConversionError, OutputError
from cdmeta.sdmx.artefacts import MetadataAttribute
from cdmeta.sdmx.profile_artefacts import metadata_structure
from cdmeta.sshsig import load_key
from cdmeta.tables.engine import Session
from cdmeta.tables.writing import write_lines
from cdmeta.workflows.approve import approve
from cdmeta.workflows.convert import FORMATS, Conversion, convert
from cdmeta.workflows.keygen import keygen

EXAMPLE = Path(__file__).parent.parent / "examples" / "public-service-satisfaction" / "package"
NOW = dt.datetime(2026, 3, 2, 10, 0, tzinfo=dt.UTC)
MES = "{http://www.sdmx.org/resources/sdmxml/schemas/v3_0/message}"
STR = "{http://www.sdmx.org/resources/sdmxml/schemas/v3_0/structure}"
COM = "{http://www.sdmx.org/resources/sdmxml/schemas/v3_0/common}"
LANG = "{http://www.w3.org/XML/1998/namespace}lang"
Edit = Callable[[dict[str, Any]], object]


@pytest.fixture
def package(tmp_path: Path) -> Path:
    return Path(shutil.copytree(EXAMPLE, tmp_path / "package"))


def edit(package: Path, change: Edit) -> None:
    file = package / "datapackage.json"
    descriptor = json.loads(file.read_text(encoding="utf-8"))
    change(descriptor)
    file.write_text(json.dumps(descriptor, ensure_ascii=False), encoding="utf-8")


def draft(package: Path, to: str, out: Path) -> Conversion:
    return convert(package, to, out, allowed_signers=None, draft=True, now=NOW)


def small(folder: Path, rows: list[list[str]], fields: list[dict[str, Any]], **resource: Any) -> Path:
    """A package with one table of its own, otherwise like the example; its first two fields are the key."""
    package = folder / "package"
    shutil.copytree(EXAMPLE, package)
    with (package / "data" / "t.csv").open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream, lineterminator="\n").writerows([[f["name"] for f in fields], *rows])
    schema = {"fields": fields, "primaryKey": [fields[0]["name"], fields[1]["name"]]}
    table = {"name": "t", "type": "table", "path": "data/t.csv", "format": "csv", "schema": schema}
    edit(package, lambda d: d.update(resources=[table | resource]))
    return package


PLAIN: list[dict[str, Any]] = [
    {"name": "place", "type": "string"},
    {"name": "year", "type": "year"},
    {"name": "figure", "type": "number", "sdmx": {"role": "measure", "unit": "KM"}},
]


def csv_rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def xml_rows(path: Path) -> list[dict[str, str]]:
    return [{str(k): str(v) for k, v in obs.attrib.items()} for obs in etree.parse(path).iter("Obs")]


PROVENANCE = {
    "INITIATIVE_TYPE_ATT": "NSO_DRIVEN",
    "CD_STATUS_ATT": "CITIZEN_DATA",
    "CONSENT_BASIS_ATT": "CONSENT_EXPLICIT",
    "OFFICIAL_USE_ATT": "COMPLEMENTARY",
}
"""What tells where the example's figures come from: once in SDMX-ML, in each row of SDMX-CSV."""


def test_csv_holds_the_rows(package: Path, tmp_path: Path) -> None:
    made = draft(package, "sdmx-csv-2.0", tmp_path / "out")
    assert made.files == ("data-satisfaction.draft.csv", "metadata.draft.csv", "manifest.json")
    rows = csv_rows(tmp_path / "out" / made.files[0])
    flow = "CDMETA.EXAMPLELAND:DF_PUBLIC_SERVICE_SATISFACTION_SATISFACTION(1.0)"
    first = {"STRUCTURE": "dataflow", "STRUCTURE_ID": flow, "ACTION": "I"}
    assert rows == [first | row | PROVENANCE for row in satisfaction_rows(package)]
    assert len(rows) == 288


def test_xml_holds_the_rows_and_leaves_out_what_is_missing(package: Path, tmp_path: Path) -> None:
    draft(package, "sdmx-ml-3.0", tmp_path / "out")
    rows = xml_rows(tmp_path / "out" / "data-satisfaction.xml")
    assert rows == [{k: v for k, v in row.items() if v} for row in satisfaction_rows(package)]
    missing = [row for row in rows if "OBS_VALUE" not in row]
    assert [row["OBS_STATUS"] for row in missing] == ["O"]
    (told,) = etree.parse(tmp_path / "out" / "data-satisfaction.xml").iter("Atts")
    assert dict(told.attrib) == PROVENANCE


def test_structures_hold_codes_and_labels_in_both_languages(package: Path, tmp_path: Path) -> None:
    draft(package, "sdmx-ml-3.0", tmp_path / "out")
    root = etree.parse(tmp_path / "out" / "structures.xml").getroot()
    assert root.findtext(f"{MES}Header/{MES}Test") == "true"
    lists = {
        codelist.get("id"): {
            code.get("id"): {name.get(LANG): name.text for name in code.findall(f"{COM}Name")}
            for code in codelist.findall(f"{STR}Code")
        }
        for codelist in root.iter(f"{STR}Codelist")
    }
    assert lists["CL_PUBLIC_SERVICE_SATISFACTION_SEX"] == {
        "F": {"en": "Female", "fr": "Féminin"},
        "M": {"en": "Male", "fr": "Masculin"},
        "_T": {"en": "Total", "fr": "Total"},
    }
    regions = {
        r["region"]: {"en": r["name_en"], "fr": r["name_fr"]} for r in csv_rows(package / "data/regions.csv")
    }
    assert lists["CL_PUBLIC_SERVICE_SATISFACTION_REF_AREA"] == regions
    dsd = next(root.iter(f"{STR}DataStructure"))
    ids = [part.get("id") for part in dsd.iter(f"{STR}Dimension", f"{STR}TimeDimension")]
    assert ids == ["FREQ", "REF_AREA", "SEX", "AGE", "DISABILITY", "TIME_PERIOD"]


def flat(answers: Any) -> list[tuple[str, Any]]:
    return [
        pair
        for answer in answers
        for pair in [
            (answer.field.concept, answer.value.as_dict() if hasattr(answer.value, "as_dict") else answer.value),
            *flat(answer.children),
        ]
    ]


def flat_json(attributes: Any) -> list[tuple[str, Any]]:
    return [
        pair
        for attribute in attributes
        for pair in [(attribute["id"], attribute.get("value")), *flat_json(attribute.get("attributes", []))]
    ]


def test_the_report_says_what_the_descriptor_says(package: Path, tmp_path: Path) -> None:
    draft(package, "sdmx-json-2.0", tmp_path / "out")
    (report,) = json.loads((tmp_path / "out" / "metadata.json").read_text())["data"]["metadataSets"]
    descriptor = json.loads((package / "datapackage.json").read_text())
    assert flat_json(report["attributes"]) == [
        *flat(read_answers(descriptor, "en")),
        ("CD_STATUS", "CITIZEN_DATA"),
        ("CD_RULE", "Y1"),
    ]
    said = dict(flat_json(report["attributes"]))
    assert said["COLL_PERIOD"] == "2025-02-03/P54D"
    assert said["RATIONALE"] == descriptor["citizenData"]["purpose"]


def test_the_report_keeps_to_the_metadata_structure(package: Path, tmp_path: Path) -> None:
    draft(package, "sdmx-json-2.0", tmp_path / "out")
    (report,) = json.loads((tmp_path / "out" / "metadata.json").read_text())["data"]["metadataSets"]

    def check(reported: list[dict[str, Any]], known: tuple[MetadataAttribute, ...]) -> None:
        by_id = {attribute.id: attribute for attribute in known}
        for id_ in {entry["id"] for entry in reported}:
            most = by_id[id_].max_occurs
            assert most is None or sum(entry["id"] == id_ for entry in reported) <= most
        for entry in reported:
            assert ("value" in entry) is not by_id[entry["id"]].presentational
            check(entry.get("attributes", []), by_id[entry["id"]].children)
        missing = {a.id for a in known if a.min_occurs} - {entry["id"] for entry in reported}
        assert missing == set()

    check(report["attributes"], metadata_structure().attributes)


@pytest.mark.parametrize("to", FORMATS)
def test_the_same_input_gives_the_same_bytes(to: str, package: Path, tmp_path: Path) -> None:
    for name in ("one", "two"):
        draft(package, to, tmp_path / name)
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()


@pytest.mark.parametrize("to", FORMATS)
def test_the_manifest_names_every_file_and_every_source(to: str, package: Path, tmp_path: Path) -> None:
    made = draft(package, to, tmp_path / "out")
    assert {path.name for path in (tmp_path / "out").iterdir()} == set(made.files)
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())

    def digest(path: Path) -> str:
        return hashlib.sha256(path.read_bytes()).hexdigest()

    assert manifest["files"] == {n: digest(tmp_path / "out" / n) for n in made.files if n != "manifest.json"}
    sources = ("data/regions.csv", "data/satisfaction.csv", "datapackage.json")
    assert manifest["source"] == {name: digest(package / name) for name in sources}
    assert (manifest["draft"], manifest["approval"]) == (True, None)


def test_only_what_is_approved_is_converted(package: Path, tmp_path: Path) -> None:
    signers = tmp_path / "allowed"
    signers.write_text(keygen(tmp_path / "key", "r@example.org") + "\n")
    out = tmp_path / "out"
    with pytest.raises(ApprovalError):
        convert(package, "sdmx-ml-3.0", out, allowed_signers=signers, now=NOW)
    approve(package, load_key((tmp_path / "key").read_bytes(), None), Approver("R", "r@example.org"), time=NOW)
    convert(package, "sdmx-ml-3.0", out, allowed_signers=signers, now=NOW)
    assert b"<mes:Test>false</mes:Test>" in (out / "structures.xml").read_bytes()
    assert json.loads((out / "manifest.json").read_text())["approval"]["approved"] is True
    before = (out / "data-satisfaction.xml").read_bytes()
    for part in ("data/satisfaction.csv", "data/regions.csv", "datapackage.json"):
        kept = (package / part).read_bytes()
        (package / part).write_bytes(kept.replace(b"O", b"0", 1))
        with pytest.raises(ApprovalError, match=part.replace(".", r"\.")):
            convert(package, "sdmx-ml-3.0", out, allowed_signers=signers, now=NOW)
        (package / part).write_bytes(kept)
    assert (out / "data-satisfaction.xml").read_bytes() == before


def test_a_folder_that_is_not_ours_stays(package: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("x")
    with pytest.raises(OutputError):
        draft(package, "sdmx-csv-2.0", tmp_path / "mine")
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["thesis.txt"]


def test_records_of_people_give_only_metadata(package: Path, tmp_path: Path) -> None:
    edit(package, lambda d: d["citizenData"].update(releaseForm="ANON_MICRO"))
    made = draft(package, "sdmx-ml-3.0", tmp_path / "out")
    assert made.files == ("metadata-structures.xml", "metadata.xml", "structures.xml", "manifest.json")
    assert [finding.code for finding in made.findings] == ["CD709"]
    assert "Obs" not in (tmp_path / "out" / "structures.xml").read_text()
    with pytest.raises(ConversionError, match="no figures"):
        draft(package, "sdmx-csv-1.0", tmp_path / "csv")
    assert not (tmp_path / "csv").exists()


@pytest.mark.parametrize(
    ("row", "code"),
    [
        (["A", "20x4", "1"], "CD707"),
        (["A", "2023", "1"], "CD712"),
        (["", "2024", "1"], "CD713"),
        (["A", "2024", "many"], "CD717"),
    ],
)
def test_a_wrong_row_is_told_and_nothing_is_written(row: list[str], code: str, tmp_path: Path) -> None:
    package = small(tmp_path, [["A", "2023", "1"], row], PLAIN)
    for to in ("sdmx-ml-3.0", "sdmx-csv-2.0"):
        made = draft(package, to, tmp_path / "out")
        assert [(f.code, f.where.row) for f in made.errors] == [(code, 3)]
        assert made.files == ()
        assert not (tmp_path / "out").exists()


def test_a_value_outside_its_list_is_told(tmp_path: Path) -> None:
    fields = [PLAIN[0] | {"categories": ["A", "B"]}, *PLAIN[1:]]
    made = draft(
        small(tmp_path, [["A", "2023", "1"], ["C", "2023", "1"]], fields), "sdmx-csv-2.0", tmp_path / "out"
    )
    assert [(f.code, f.where.row, f.params["count"]) for f in made.errors] == [("CD710", 3, 1)]


@pytest.mark.parametrize(
    ("field", "cell", "written"),
    [
        ({"type": "number", "decimalChar": ",", "groupChar": "."}, "1.234,5", "1234.5"),
        ({"type": "number"}, " 1e3 ", "1e3"),
        ({"type": "integer"}, "007", "007"),
        ({"type": "number"}, "-INF", "-INF"),
    ],
)
def test_numbers_are_written_as_sdmx_has_them(
    field: dict[str, Any], cell: str, written: str, tmp_path: Path
) -> None:
    package = small(tmp_path, [["A", "2023", cell]], [*PLAIN[:2], PLAIN[2] | field])
    draft(package, "sdmx-csv-2.0", tmp_path / "out")
    assert [row["OBS_VALUE"] for row in csv_rows(tmp_path / "out" / "data-t.draft.csv")] == [written]
    draft(package, "sdmx-ml-3.0", tmp_path / "ml")
    assert [row["OBS_VALUE"] for row in xml_rows(tmp_path / "ml" / "data-t.xml")] == [written]


@pytest.mark.parametrize(
    ("field", "cell", "period", "frequency"),
    [
        ({"type": "yearmonth"}, "2024-05", "2024-05", "M"),
        ({"type": "date"}, "2024-05-31", "2024-05-31", "D"),
        ({"type": "date", "format": "%d/%m/%Y"}, "31/05/2024", "2024-05-31", "D"),
        ({"type": "string", "sdmx": {"role": "time"}}, "2024-Q2", "2024-Q2", "Q"),
        ({"type": "string", "sdmx": {"role": "time"}}, "2024-W07", "2024-W07", "W"),
    ],
)
def test_times_give_their_frequency(
    field: dict[str, Any], cell: str, period: str, frequency: str, tmp_path: Path
) -> None:
    package = small(tmp_path, [["A", cell, "1"]], [PLAIN[0], {"name": "when"} | field, PLAIN[2]])
    draft(package, "sdmx-ml-3.0", tmp_path / "out")
    (row,) = xml_rows(tmp_path / "out" / "data-t.xml")
    assert (row["TIME_PERIOD"], row["FREQ"]) == (period, frequency)


def test_codes_are_transliterated_alike_in_list_and_rows(tmp_path: Path) -> None:
    fields = [PLAIN[0] | {"categories": [{"value": "Côte d'Or", "label": "Gold"}]}, *PLAIN[1:]]
    package = small(tmp_path, [["Côte d'Or", "2023", "1"]], fields)
    draft(package, "sdmx-ml-3.0", tmp_path / "out")
    (row,) = xml_rows(tmp_path / "out" / "data-t.xml")
    codes = [code.get("id") for code in etree.parse(tmp_path / "out" / "structures.xml").iter(f"{STR}Code")]
    assert row["PLACE"] == "Cote_d_Or"
    assert "Cote_d_Or" in codes


HOSTILE = "A \"quoted\" 'word' <b>&amp;\ttab\nline \u202eturned مرحبا 𝄞 ]]> {x!r} $1 \\n " + "é" * 10_000
NOTED = [*PLAIN, {"name": "note", "type": "string"}]
# XML can hold neither control characters nor surrogates; a carriage return ends a record in some readers.
XML_TEXT = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"), min_size=1, max_size=40
).filter(lambda text: text.strip() == text)


@pytest.mark.parametrize("text", [HOSTILE, "=1+1", "'", '"', "a,b;c", "100 % & more"])
def test_hostile_text_arrives_as_it_was(text: str, tmp_path: Path) -> None:
    package = small(tmp_path, [["A", "2023", "1", text], ["B", "2023", "2", ""]], NOTED)
    edit(package, lambda d: d["resources"][0].update(title=text.replace("\n", " "), description=text))
    draft(package, "sdmx-ml-3.0", tmp_path / "ml")
    draft(package, "sdmx-csv-1.0", tmp_path / "csv")
    assert [row.get("NOTE") for row in xml_rows(tmp_path / "ml" / "data-t.xml")] == [text, None]
    assert [row["NOTE"] for row in csv_rows(tmp_path / "csv" / "data-t.draft.csv")] == [text, ""]
    flow = next(etree.parse(tmp_path / "ml" / "structures.xml").iterfind(f".//{STR}Dataflow[@id]"))
    assert flow.findtext(f"{COM}Description") == text.strip()


@given(texts=st.lists(XML_TEXT, min_size=1, max_size=6))
@settings(max_examples=15)
def test_any_text_arrives_as_it_was(texts: list[str], tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("any")
    rows = [["A", str(2000 + number), "1", text] for number, text in enumerate(texts)]
    package = small(folder, rows, NOTED)
    draft(package, "sdmx-ml-3.0", folder / "ml")
    draft(package, "sdmx-csv-2.0", folder / "csv")
    assert [row["NOTE"] for row in xml_rows(folder / "ml" / "data-t.xml")] == texts
    assert [row["NOTE"] for row in csv_rows(folder / "csv" / "data-t.draft.csv")] == texts


def test_a_character_that_xml_cannot_hold_is_told(tmp_path: Path) -> None:
    package = small(tmp_path, [["A", "2023", "1", "be\x07ll"]], NOTED)
    made = draft(package, "sdmx-ml-3.0", tmp_path / "out")
    assert [f.code for f in made.errors] == ["CD716"]
    assert "ll" not in made.errors[0].message().split()


@pytest.mark.parametrize(
    ("to", "writer"), [("sdmx-csv-2.0", "sdmx_csv.write_csv"), ("sdmx-ml-3.0", "sdmx_ml_data.write_lines")]
)
def test_memory_that_is_used_up_while_data_are_written_is_told(
    to: str, writer: str, package: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: Any
) -> None:
    def fail(*_: object) -> None:
        raise duckdb.OutOfMemoryException("Out of Memory Error: no block\nwith the words of a row")

    monkeypatch.setattr(f"cdmeta.formats.{writer}", fail)
    code, _, told = run(capsys, "convert", str(package), "--to", to, "--out", str(tmp_path / "out"), "--draft")
    assert code == 2
    assert told.startswith("cdmeta: The rows need more memory than cdmeta takes (512 MB)")
    assert told.count("\n") == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["package"]


def test_what_is_too_much_for_all_threads_is_written_with_fewer(
    package: Path, tmp_path: Path, monkeypatch: Any
) -> None:
    """The same bytes, and each finding once."""
    threads: list[int] = []

    def write(session: Session, *args: Any) -> None:
        ((found,),) = session.connection.execute("SELECT current_setting('threads')").fetchall()
        threads.append(found)
        write_lines(session, *args)
        if found > 1:
            raise duckdb.OutOfMemoryException("Out of Memory Error: no block")

    usual = draft(package, "sdmx-ml-3.0", tmp_path / "usual")
    monkeypatch.setattr("cdmeta.formats.sdmx_ml_data.write_lines", write)
    monkeypatch.setattr("cdmeta.tables.engine.os.cpu_count", lambda: 8)
    made = draft(package, "sdmx-ml-3.0", tmp_path / "spared")
    assert threads == [4, 2, 1]
    assert made == usual
    for name in made.files:
        assert (tmp_path / "spared" / name).read_bytes() == (tmp_path / "usual" / name).read_bytes()


def test_the_command(package: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = str(tmp_path / "out")
    code, told, _ = run(capsys, "convert", str(package), "--to", "sdmx-csv-2.0", "--out", out, "--draft")
    files = "data-satisfaction.draft.csv, metadata.draft.csv, manifest.json"
    assert (code, told) == (0, f"Wrote sdmx-csv-2.0 to {out}: {files}.\n")
    assert run(capsys, "convert", str(package), "--to", "sdmx-csv-2.0", "--out", out)[0] == 2
    (tmp_path / "nobody").write_text("")
    by_nobody = ("--out", f"{out}2", "--allowed-signers", tmp_path / "nobody")
    code, _, told = run(capsys, "convert", package, "--to", "sdmx-csv-2.0", *by_nobody)
    assert code == 1
    assert told.startswith("cdmeta: ")
    assert "approval.json" in told
    edit(package, lambda d: d.pop("sdmx"))
    code, _, told = run(capsys, "convert", str(package), "--to", "sdmx-csv-2.0", "--out", f"{out}3", "--draft")
    assert code == 1
    assert told.startswith("error CD701")
    assert not (tmp_path / "out3").exists()
