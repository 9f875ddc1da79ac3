"""All that `cdmeta convert` writes, in every format: judged by its schema, read back, and checked as anybody's."""

import csv
import datetime as dt
import json
import re
import zipfile
from pathlib import Path

import pysdmx.io
import pytest

from cdmeta.errors import ConversionError
from cdmeta.formats import data_reading, oracle, reading
from cdmeta.sdmx.store import Store
from cdmeta.tables.engine import data_session
from cdmeta.workflows.check_data import check_data
from cdmeta.workflows.convert import BUNDLES, FORMATS, convert
from cdmeta.workflows.messages import FORMS, Options

EXAMPLES = Path(__file__).parent.parent / "examples"
NOW = dt.datetime(2026, 3, 2, 10, 0, tzinfo=dt.UTC)
FIGURES = {"water-points": "scores", "beach-litter": "litter"}
SEVERAL = "waiting-times"
"""An example with several measures."""
BARE = ("sdmx-csv-2.0", "sdmx-csv-1.0")


def draft(name: str, to: str, out: Path, **options: object) -> tuple[str, ...]:
    made = convert(
        EXAMPLES / name / "package",
        to,
        out,
        allowed_signers=None,
        draft=True,
        now=NOW,
        options=Options(**options),  # type: ignore[arg-type]  # as the caller names them
    )
    assert made.errors == ()
    return made.files


def rows(file: Path, known: Path) -> list[dict[str, str]]:
    """Observations in the order of their keys, whatever the format."""
    store = Store(reading.structures(known))
    with data_session() as session:
        (read,) = data_reading.data(session, file, store)
        found = session.connection.execute(f"SELECT * EXCLUDE (row) FROM {read.table}").fetchall()
        names = read.components
    kept = [{n: v for n, v in zip(names, row, strict=True) if v is not None} for row in found]
    return sorted(kept, key=lambda row: sorted(row.items()))


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The structures of each example, as SDMX-ML 3.0."""
    found = {}
    for name in (*FIGURES, SEVERAL):
        out = tmp_path_factory.mktemp(name) / "out"
        draft(name, "sdmx-ml-3.0", out)
        found[name] = out / "structures.xml"
    return found


@pytest.mark.parametrize("by_series", [False, True])
@pytest.mark.parametrize("to", FORMS)
@pytest.mark.parametrize("name", FIGURES)
def test_each_format_says_the_same(
    name: str, to: str, by_series: bool, known: dict[str, Path], tmp_path: Path
) -> None:
    files = draft(name, to, tmp_path / "out", by_series=by_series)
    (data,) = (tmp_path / "out" / file for file in files if file.startswith("data-"))
    (first,) = known[name].parent.glob("data-*")
    assert rows(data, known[name]) == rows(first, known[name])
    own = [file for file in files if file.startswith("structures")]
    report = check_data(data, [str(tmp_path / "out" / own[0] if own else known[name])])
    assert report.errors == ()


@pytest.mark.parametrize("to", [form for form in FORMS if "2.1" not in form.removeprefix("sdmx-json")])
def test_several_measures_are_written_where_they_can_be(to: str, known: dict[str, Path], tmp_path: Path) -> None:
    if to == "sdmx-csv-1.0":
        with pytest.raises(ConversionError, match="holds one measure"):
            draft(SEVERAL, to, tmp_path / "out")
        return
    files = draft(SEVERAL, to, tmp_path / "out")
    (data,) = (tmp_path / "out" / file for file in files if file.startswith("data-"))
    (first,) = known[SEVERAL].parent.glob("data-*")
    assert rows(data, known[SEVERAL]) == rows(first, known[SEVERAL])


@pytest.mark.parametrize("to", FORMATS)
def test_a_zipped_conversion_holds_the_same(to: str, known: dict[str, Path], tmp_path: Path) -> None:
    plain = draft("water-points", to, tmp_path / "plain")
    zipped = draft("water-points", to, tmp_path / "zipped", compress=True)
    for file in plain:
        if file.startswith("data-"):
            assert f"{file}.zip" in zipped
            with zipfile.ZipFile(tmp_path / "zipped" / f"{file}.zip") as archive:
                (member,) = archive.namelist()
                assert archive.read(member) == (tmp_path / "plain" / file).read_bytes()
            assert rows(tmp_path / "zipped" / f"{file}.zip", known["water-points"])
    told = json.loads((tmp_path / "zipped" / "manifest.json").read_text(encoding="utf-8"))
    assert set(told["files"]) == set(zipped) - {"manifest.json"}


@pytest.mark.parametrize("to", BARE)
@pytest.mark.parametrize("labels", ["id", "name", "both"])
@pytest.mark.parametrize("keys", ["none", "obs", "series", "both"])
def test_sdmx_csv_shows_what_is_asked_for(to: str, labels: str, keys: str, tmp_path: Path) -> None:
    if to == "sdmx-csv-1.0" and (labels == "name" or keys != "none"):
        with pytest.raises(ConversionError, match="neither names in columns of their own nor keys"):
            draft("water-points", to, tmp_path / "out", labels=labels, keys=keys)
        return
    files = draft("water-points", to, tmp_path / "out", labels=labels, keys=keys)
    (data,) = (tmp_path / "out" / file for file in files if file.startswith("data-"))
    with data.open(encoding="utf-8", newline="") as stream:
        head, *records = csv.reader(stream)
    assert records
    assert ("SERIES_KEY" in head) == (keys in ("series", "both"))
    assert ("OBS_KEY" in head) == (keys in ("obs", "both"))
    assert any(": " in name for name in head) == (labels == "both")


def test_a_draft_says_so_in_every_file(tmp_path: Path) -> None:
    for to in FORMATS:
        for file in draft("water-points", to, tmp_path / to):
            content = (tmp_path / to / file).read_bytes()
            if file.endswith(".csv"):
                assert ".draft." in file or file.startswith("metadata-df")  # whose data are called so
            elif file.endswith((".xml", ".json")):
                assert re.search(rb'Test>true<|"test": ?true|"draft": true', content), (to, file)


@pytest.mark.parametrize("system", BUNDLES)
def test_a_bundle_tells_its_order_and_names_every_file(system: str, tmp_path: Path) -> None:
    files = draft("water-points", system, tmp_path / "out")
    told = (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    named = re.findall(r"^\d+\. `([^`]+)`", told, re.MULTILINE)
    assert sorted(named) == sorted(set(files) - {"README.md", "manifest.json"})
    numbered = [name for name in named if name[0].isdigit()]
    assert numbered == sorted(numbered)


def test_what_fmr_takes_is_read_step_by_step(tmp_path: Path) -> None:
    """Each message refers to what came before it, or to what SDMX itself maintains."""
    files = draft("water-points", "fmr", tmp_path / "out")
    there: list[object] = []
    for file in sorted(file for file in files if re.match(r"\d+-.*\.json", file) and "metadata" not in file):
        content = (tmp_path / "out" / file).read_bytes()
        assert oracle.problems(content, "sdmx-json-2.0-structure") == ()
        there += reading.structures(tmp_path / "out" / file)
        assert pysdmx.io.read_sdmx(content.decode(), validate=False).structures
        missing = Store(there).missing()  # type: ignore[arg-type]  # artefacts
        assert [ref.urn for ref in missing if ref.agency != "SDMX" and ref.kind != "MetadataProvider"] == []
    assert len({artefact.urn for artefact in there}) == len(there)  # type: ignore[attr-defined]  # artefacts


def test_what_dotstat_takes_is_linked_and_checked(tmp_path: Path) -> None:
    files = draft("water-points", "dotstat", tmp_path / "out")
    known = tmp_path / "out" / "1-structures.xml"
    content = known.read_text(encoding="utf-8")
    assert oracle.problems(content.encode(), "sdmx-ml-2.1") == ()
    assert re.search(r"AnnotationTitle>urn:sdmx:[^<]*MetadataStructure=CDMETA:MSD_CITIZEN_DATA[^<]*</", content)
    assert "AnnotationType>METADATA<" in content
    (data,) = (file for file in files if file.startswith("data-"))
    assert check_data(tmp_path / "out" / data, [str(known)]).errors == ()
    with (tmp_path / "out" / "metadata-df_water_points_scores.csv").open(encoding="utf-8", newline="") as stream:
        head, *records = csv.reader(stream)
    dsd = next(entry for entry in reading.structures(known) if entry.kind == "DataStructure")
    dimensions = [part.id for part in dsd.dimensions]  # type: ignore[union-attr]  # a data structure
    assert head[: 3 + len(dimensions)] == ["STRUCTURE", "STRUCTURE_ID", "ACTION", *dimensions]
    assert all(not any(record[3 : 3 + len(dimensions)]) for record in records)
    assert "COLL_METHOD" in head


def test_reports_by_others_go_into_every_format_that_holds_reports(tmp_path: Path) -> None:
    for to in FORMATS:
        out = tmp_path / to
        arguments = {"allowed_signers": None, "draft": True, "now": NOW, "reports": ["SDG_MSD"]}
        if to in ("sdmx-csv-1.0", "dotstat"):
            with pytest.raises(ConversionError, match="holds no report"):
                convert(EXAMPLES / "water-points" / "package", to, out, **arguments)  # type: ignore[arg-type]  # named
            continue
        made = convert(EXAMPLES / "water-points" / "package", to, out, **arguments)  # type: ignore[arg-type]  # named
        assert any("SDG" in (out / file).read_text(encoding="utf-8") for file in made.files if "metadata" in file)
