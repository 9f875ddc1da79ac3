"""`cdmeta check-data`: messages of ours, changed ones beside the official schema, and the command."""

import datetime as dt
import json
import zipfile
from functools import cache
from pathlib import Path

import pytest
from commands import exit_code as code
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from sdmx_checked import (
    AREA,
    CONCEPTS,
    DSD,
    FLOW,
    LEVEL,
    METADATAFLOW,
    MSD,
    SAID,
    SEX,
    changed,
    of_data,
    structures,
)
from xsd_judged import xsd_problems

from cdmeta.errors import ConversionError
from cdmeta.formats import reading, sdmx_csv_metadata
from cdmeta.reporters import REPORTERS, render
from cdmeta.sdmx import xsd
from cdmeta.sdmx.artefacts import MetadataSet, ReportedAttribute
from cdmeta.sdmx.store import Store
from cdmeta.sdmx.structures import codes_of
from cdmeta.workflows.check_data import check_data
from cdmeta.workflows.convert import convert

EXAMPLES = Path(__file__).parent.parent / "examples"
NOW = dt.datetime(2026, 3, 2, 10, 0, tzinfo=dt.UTC)
FIGURES = ("waiting-times", "beach-litter", "water-points")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Our examples as SDMX, a folder each."""
    made = tmp_path_factory.mktemp("sdmx")
    for name in FIGURES:
        for form in ("sdmx-ml-3.0", "sdmx-csv-2.0"):
            out = made / f"{name}-{form}"
            convert(EXAMPLES / name / "package", form, out, allowed_signers=None, draft=True, now=NOW)
    return made


@pytest.mark.parametrize("name", FIGURES)
@pytest.mark.parametrize("form", ["sdmx-ml-3.0", "sdmx-csv-2.0"])
def test_what_we_write_keeps_to_its_structure(folder: Path, name: str, form: str) -> None:
    known = folder / f"{name}-sdmx-ml-3.0" / "structures.xml"
    files = sorted((folder / f"{name}-{form}").glob("data-*"))
    assert files
    for file in files:
        report = check_data(file, [str(known)])
        assert [(f.code, f.where.field) for f in report.findings if f.code != "CD789"] == []
        assert {f.where.field for f in report.findings} <= {"UNIT_MULT"}
        assert report.valid
        assert report.about == "data"


@pytest.mark.parametrize("name", FIGURES)
def test_what_we_report_keeps_to_its_structure(folder: Path, name: str) -> None:
    made = folder / f"{name}-sdmx-ml-3.0"
    report = check_data(made / "metadata.xml", [str(made / "metadata-structures.xml")])
    assert report.findings == ()
    assert report.name == "Metadataflow CDMETA:MDF_CITIZEN_DATA(1.0)"


@cache
def _message(folder: Path) -> tuple[bytes, Path, bytes]:
    """A data message, its structures, and the schema of its data structure."""
    made = folder / "waiting-times-sdmx-ml-3.0"
    (file,) = made.glob("data-*")
    artefacts = reading.structures(made / "structures.xml")
    store = Store(artefacts)
    flow = next(entry for entry in artefacts if entry.kind == "Dataflow")
    dsd = store.data_structure(flow.ref)
    assert dsd is not None
    lists = list(codes_of(entry for entry in artefacts if entry.kind == "Codelist").values())  # type: ignore[misc]  # lists
    schema = xsd.schema(dsd, lists, flow, complete=True)  # type: ignore[arg-type]  # a dataflow
    return file.read_bytes(), made / "structures.xml", schema


ODD = [
    "",
    "X",
    "_T",
    "A",
    "M",
    "Q",
    "2020",
    "2020-13",
    "2020-Q1",
    "2024-01",
    "1",
    "-1",
    "1.5",
    "1e3",
    "NaN",
    "a b",
    "é",
    "0",
    "true",
    "A,B",
    "2020-02-30",
]
VALUES = st.sampled_from(ODD)


@settings(max_examples=120, deadline=None)
@given(place=st.integers(0, 10**6), value=st.one_of(VALUES, st.none()))
def test_a_changed_value_is_wrong_where_the_official_schema_says_so(
    folder: Path, tmp_path_factory: pytest.TempPathFactory, place: int, value: str | None
) -> None:
    """Codes, types and what is mandatory: the structure-specific schema is somebody else's word on each value."""
    content, known, schema = _message(folder)
    root = etree.fromstring(content)
    spots = [
        (node, key) for node in root.iter("Obs", "Atts", "Group") for key in node.attrib if "}" not in str(key)
    ]
    node, key = spots[place % len(spots)]
    if value is None:
        del node.attrib[key]
    else:
        node.set(key, value)
    changed_message = etree.tostring(root)
    file = tmp_path_factory.mktemp("changed") / "data.xml"
    file.write_bytes(changed_message)
    codes = {finding.code for finding in check_data(file, [str(known)]).errors}
    is_invalid = bool(xsd_problems(changed_message, schema))
    # A key that another observation has, and values that differ within a level, no schema can see.
    ours = codes - {"CD786", "CD787"}
    unseen = value is None and node.tag != "Obs"
    assert bool(ours) == is_invalid or unseen, (key, value, codes, xsd_problems(changed_message, schema))


def test_a_message_may_be_checked_against_another_version(tmp_path: Path) -> None:
    of_data(tmp_path)
    path, known = tmp_path / "data.csv", structures(tmp_path, SEX, AREA, DSD, FLOW)
    path.write_text(path.read_text().replace("DF(1.0)", "DF(2.0)"))
    with pytest.raises(ConversionError, match=r"data.csv is of Dataflow ZZ:DF\(2.0\).*They have: .*ZZ:DF\(1.0\)"):
        check_data(path, [str(known)])
    assert check_data(path, [str(known)], "ZZ:DF(1.0)").valid
    assert check_data(path, [str(known)], DSD.urn).valid
    with pytest.raises(ConversionError, match=r"no ZZ:OTHER\(1.0\) among the structures"):
        check_data(path, [str(known)], "ZZ:OTHER(1.0)")


def test_data_that_name_nothing_are_those_of_the_one_structure(tmp_path: Path) -> None:
    of_data(tmp_path)
    path = tmp_path / "data.csv"
    lines = [line.split(",", 3)[3] for line in path.read_text().splitlines()]
    path.write_text("DATAFLOW," + "\n".join([lines[0], *(f"ZZ:DF(1.0),{line}" for line in lines[1:])]) + "\n")
    assert check_data(path, [str(structures(tmp_path, SEX, AREA, DSD, FLOW))]).valid


def test_data_in_json_1_and_by_an_agreement_are_those_of_the_one_structure(tmp_path: Path) -> None:
    known = str(structures(tmp_path, SEX, AREA, DSD, FLOW))
    values = {"SEX": "M", "AREA": "X9", "TIME_PERIOD": "2020"}
    message = {
        "header": {"id": "OLD"},
        "structure": {
            "dimensions": {"observation": [{"id": id_, "values": [{"id": one}]} for id_, one in values.items()]}
        },
        "dataSets": [{"observations": {"0:0:0": [1]}}],
    }
    old, agreed = tmp_path / "old.json", tmp_path / "agreed.csv"
    old.write_text(json.dumps(message), encoding="utf-8")
    head = "STRUCTURE,STRUCTURE_ID,ACTION,SEX,AREA,TIME_PERIOD,OBS_VALUE"
    agreed.write_text(f"{head}\ndataprovision,ZZ:PA(1.0),I,M,X9,2020,1\n", encoding="utf-8")
    for path in (old, agreed):
        wrong = [f.code for f in check_data(path, [known]).findings if f.where.field == "AREA"]
        assert wrong == ["CD783"]


def test_a_report_in_csv_is_checked(tmp_path: Path) -> None:
    report = MetadataSet(
        "ZZ",
        "SET",
        "1.0.0",
        DSD.name,
        metadataflow=METADATAFLOW.ref,
        targets=(FLOW.urn,),
        attributes=(*SAID[:1], ReportedAttribute("LEVEL", "L9"), *SAID[2:]),
    )
    path = tmp_path / "report.csv"
    path.write_bytes(sdmx_csv_metadata.metadata((report,)))
    found = check_data(path, [str(structures(tmp_path, LEVEL, MSD, METADATAFLOW, CONCEPTS))]).findings
    assert [(f.code, f.where.pointer) for f in found] == [("CD793", "/LEVEL")]


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xfe\x00", b"<a", b"{", b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>"]
)
def test_what_is_no_message_is_refused_in_one_line(
    tmp_path: Path, content: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "data").write_bytes(content)
    known = structures(tmp_path, SEX, AREA, DSD, FLOW)
    assert code("check-data", tmp_path / "data", "--dsd", known) == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 1


def test_a_message_without_data_is_no_valid_one(folder: Path, tmp_path: Path) -> None:
    content, known, _ = _message(folder)
    root = etree.fromstring(content)
    for node in root.findall("{*}DataSet"):
        root.remove(node)
    (tmp_path / "data.xml").write_bytes(etree.tostring(root))
    with pytest.raises(ConversionError, match="holds neither data nor a report"):
        check_data(tmp_path / "data.xml", [str(known)])


def test_a_zipped_message_is_checked(tmp_path: Path) -> None:
    of_data(tmp_path, changed(0, "AREA", "X3"))
    with zipfile.ZipFile(tmp_path / "data.zip", "w") as archive:
        archive.write(tmp_path / "data.csv", "data.csv")
    report = check_data(tmp_path / "data.zip", [str(structures(tmp_path, SEX, AREA, DSD, FLOW))])
    assert [(f.code, f.where.row, f.where.field) for f in report.findings] == [("CD783", 2, "AREA")]


@pytest.mark.parametrize("form", REPORTERS)
@pytest.mark.parametrize("language", ["en", "es", "fr"])
def test_every_format_tells_of_data_and_never_their_values(tmp_path: Path, form: str, language: str) -> None:
    planted = "planted-value"
    of_data(tmp_path, [*changed(0, "AREA", planted), *changed(1, "OBS_VALUE", planted)])
    report = check_data(tmp_path / "data.csv", [str(tmp_path / "structures.xml")])
    told = render(report, form, language=language)
    assert planted not in told
    assert "CD783" in told
    assert "ZZ:DF(1.0)" in told or form in ("github", "junit")
    assert "approve" not in told


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    of_data(tmp_path, changed(0, "AREA", "X3"))
    args = ["check-data", str(tmp_path / "data.csv"), "--dsd", str(tmp_path / "structures.xml")]
    assert code(*args) == 1
    assert capsys.readouterr().out.startswith("Not valid yet. Errors: 1, warnings: 0.")
    assert code(*args, "--format", "json") == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["about"], told["valid"]) == ("data", False)
    assert told["findings"][0]["where"] == {"file": "data.csv", "row": 2, "field": "AREA"}
    of_data(tmp_path)
    assert code(*args, "--output", tmp_path / "report.html", "--format", "html") == 0
    assert capsys.readouterr().out == ""
    assert "ZZ:DF(1.0)" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_all_rows_are_counted(tmp_path: Path) -> None:
    rows = [
        (sex, area, str(year), "1", "people")
        for sex in "FM"
        for area in ("X1", "X2")
        for year in range(1000, 5000)
    ]
    assert of_data(tmp_path, rows) == ()
    assert [f.params["count"] for f in of_data(tmp_path, [*rows, *rows[:7]])] == [7]
