"""What pysdmx and sdmx1 read of our data messages, value by value; docs/interop.md names these tests."""

import csv
import datetime as dt
import json
import shutil
import warnings
from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from example_rows import satisfaction_rows
from sdmx_reading import sets_from_json, sets_from_ml, structures_from_json, structures_from_ml

from cdmeta.formats import sdmx_ml
from cdmeta.sdmx.artefacts import Codelist, ConceptScheme, DataStructure, Header
from cdmeta.sdmx.structures import standard_codelists
from cdmeta.workflows.convert import FORMATS, convert

EXAMPLE = Path(__file__).parent.parent / "examples" / "public-service-satisfaction" / "package"
NOW = dt.datetime(2026, 3, 2, 10, 0, tzinfo=dt.UTC)
HOSTILE = "A \"quoted\" 'word' <b>&amp; مرحبا 𝄞 ]]> \\n $1"
WITH_NEWLINE = "two\nlines"
FLOW = "CDMETA.EXAMPLELAND:DF_PUBLIC_SERVICE_SATISFACTION_SATISFACTION(1.0)"
Rows = list[dict[str, str]]


def messages(folder: Path, package: Path) -> Path:
    for to in ("sdmx-csv-2.0", "sdmx-ml-3.0"):
        convert(package, to, folder / to, allowed_signers=None, draft=True, now=NOW)
    return folder


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return messages(tmp_path_factory.mktemp("example"), EXAMPLE)


def with_tables(folder: Path, fields: Sequence[Mapping[str, Any]], tables: Mapping[str, list[list[str]]]) -> Path:
    """The example with tables of its own, whose key is the first two fields."""
    package = Path(shutil.copytree(EXAMPLE, folder / "package"))
    descriptor = json.loads((package / "datapackage.json").read_text(encoding="utf-8"))
    names = [field["name"] for field in fields]
    schema = {"fields": fields, "primaryKey": names[:2]}
    descriptor["resources"] = []
    for name, rows in tables.items():
        with (package / "data" / f"{name}.csv").open("w", newline="", encoding="utf-8") as stream:
            csv.writer(stream).writerows([names, *rows])
        descriptor["resources"].append({"name": name, "path": f"data/{name}.csv", "schema": schema})
    (package / "datapackage.json").write_text(json.dumps(descriptor), encoding="utf-8")
    return package


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One table whose notes are hostile; a second one, `lines`, whose note holds a line end."""
    folder = tmp_path_factory.mktemp("hostile")
    fields = [
        {"name": "place", "type": "string"},
        {"name": "year", "type": "year"},
        {"name": "figure", "type": "number"},
        {"name": "note", "type": "string"},
    ]
    rows = {name: [["A", "2024", "1.5", note]] for name, note in (("t", HOSTILE), ("lines", WITH_NEWLINE))}
    return messages(folder, with_tables(folder, fields, rows))


PROVENANCE = {
    "INITIATIVE_TYPE_ATT": "NSO_DRIVEN",
    "CD_STATUS_ATT": "CITIZEN_DATA",
    "CONSENT_BASIS_ATT": "CONSENT_EXPLICIT",
    "OFFICIAL_USE_ATT": "COMPLEMENTARY",
}


def by_pysdmx(path: Path) -> tuple[str, Rows]:
    from pysdmx.io import read_sdmx

    read: Any = read_sdmx(path, validate=False)
    (dataset,) = read.data
    rows = dataset.data.astype("object").where(dataset.data.notna(), "").to_dict("records")
    return str(dataset.structure), [{str(k): str(v) for k, v in row.items()} for row in rows]


def by_sdmx1(path: Path, structures: Path) -> Rows:
    import sdmx

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        read = sdmx.read_sdmx(BytesIO(for_sdmx1(structures.read_bytes())))
        known = {dsd.id: dsd for dsd in read.structure.values()}  # type: ignore[attr-defined]
        wanted = next(dsd for id_, dsd in known.items() if id_.lower().endswith(path.name.split(".")[0][5:]))
        message = BytesIO(for_sdmx1(path.read_bytes()))
        (dataset,) = sdmx.read_sdmx(message, format=path.suffix[1:], structure=wanted).data  # type: ignore[attr-defined]
    return [sdmx1_row(observation) for observation in dataset.obs]


def for_sdmx1(message: bytes) -> bytes:
    """A message without what sdmx1 fails on: attributes of the dataflow are of observations, and are not told."""
    plain = message.replace(b"<str:Dataflow/>", b"<str:Observation/>")
    return b"".join(line for line in plain.splitlines(keepends=True) if not line.startswith(b"<Atts "))


def sdmx1_row(observation: Any) -> dict[str, str]:
    key = {id_: str(value.value) for id_, value in observation.key.values.items()}
    said = {id_: str(value.value) for id_, value in observation.attached_attribute.items()}
    value = "" if observation.value is None or observation.value != observation.value else str(observation.value)
    return key | {"OBS_VALUE": value} | said


def test_pysdmx_reads_csv(example: Path) -> None:
    structure, rows = by_pysdmx(example / "sdmx-csv-2.0" / "data-satisfaction.draft.csv")
    assert structure == f"Dataflow={FLOW}"
    assert rows == [row | PROVENANCE for row in satisfaction_rows(EXAMPLE)]


def test_pysdmx_reads_ml(example: Path) -> None:
    structure, rows = by_pysdmx(example / "sdmx-ml-3.0" / "data-satisfaction.xml")
    assert structure == f"Dataflow={FLOW}"
    assert rows == satisfaction_rows(EXAMPLE)


def test_pysdmx_reads_what_belongs_to_the_dataflow_in_ml(example: Path) -> None:
    from pysdmx.io import read_sdmx

    read: Any = read_sdmx(example / "sdmx-ml-3.0" / "data-satisfaction.xml", validate=False)
    assert read.data[0].attributes == {"Atts": PROVENANCE}


def test_sdmx1_fails_on_attributes_of_the_dataflow(example: Path) -> None:
    import sdmx

    structures = (example / "sdmx-ml-3.0" / "structures.xml").read_bytes()
    with pytest.raises(sdmx.exceptions.XMLParseError, match="Cannot construct URN for <Dataflow"):
        sdmx.read_sdmx(BytesIO(structures))
    read = sdmx.read_sdmx(BytesIO(for_sdmx1(structures)))
    (dsd,) = read.structure.values()  # type: ignore[attr-defined]
    with (
        (example / "sdmx-ml-3.0" / "data-satisfaction.xml").open("rb") as stream,
        pytest.raises(sdmx.exceptions.XMLParseError, match="NotImplementedError: \\('Atts', 'start'\\)"),
    ):
        sdmx.read_sdmx(stream, structure=dsd)


def test_sdmx1_reads_csv(example: Path) -> None:
    path = example / "sdmx-csv-2.0" / "data-satisfaction.draft.csv"
    told = [row | PROVENANCE for row in satisfaction_rows(EXAMPLE)]
    assert by_sdmx1(path, example / "sdmx-ml-3.0" / "structures.xml") == told


def test_sdmx1_reads_ml(example: Path) -> None:
    path = example / "sdmx-ml-3.0" / "data-satisfaction.xml"
    assert by_sdmx1(path, example / "sdmx-ml-3.0" / "structures.xml") == satisfaction_rows(EXAMPLE)


@pytest.mark.parametrize(("name", "text"), [("t", HOSTILE), ("lines", WITH_NEWLINE)])
def test_pysdmx_reads_hostile_text(name: str, text: str, hostile: Path) -> None:
    for path in (
        hostile / "sdmx-csv-2.0" / f"data-{name}.draft.csv",
        hostile / "sdmx-ml-3.0" / f"data-{name}.xml",
    ):
        (row,) = by_pysdmx(path)[1]
        assert (row["NOTE"], row["OBS_VALUE"]) == (text, "1.5")


@pytest.mark.parametrize(("name", "text"), [("t", HOSTILE), ("lines", WITH_NEWLINE)])
def test_sdmx1_reads_hostile_text_in_ml(name: str, text: str, hostile: Path) -> None:
    structures = hostile / "sdmx-ml-3.0" / "structures.xml"
    (row,) = by_sdmx1(hostile / "sdmx-ml-3.0" / f"data-{name}.xml", structures)
    assert (row["NOTE"], row["OBS_VALUE"]) == (text, "1.5")


def test_sdmx1_reads_hostile_text_in_csv(hostile: Path) -> None:
    structures = hostile / "sdmx-ml-3.0" / "structures.xml"
    (row,) = by_sdmx1(hostile / "sdmx-csv-2.0" / "data-t.draft.csv", structures)
    assert (row["NOTE"], row["OBS_VALUE"]) == (HOSTILE, "1.5")


def test_sdmx1_loses_line_ends_in_csv(hostile: Path) -> None:
    structures = hostile / "sdmx-ml-3.0" / "structures.xml"
    (row,) = by_sdmx1(hostile / "sdmx-csv-2.0" / "data-lines.draft.csv", structures)
    assert row["NOTE"] == "twolines"


# A column whose name is the id of a metadata attribute: `LICENCE_COL` in everything that is written

RENAMED = {"LICENCE": "LICENCE_COL", "CONTACT": "CONTACT_COL"}
TOLD = [{"CONTACT_COL": "PHONE", "LICENCE_COL": "by <sea>"}, {"CONTACT_COL": "SHOP", "LICENCE_COL": "none"}]


@pytest.fixture(scope="module")
def renamed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One table with a dimension `contact`, which has codes, and an attribute `licence`."""
    folder = tmp_path_factory.mktemp("renamed")
    fields: list[dict[str, Any]] = [
        {"name": "contact", "type": "string", "categories": ["PHONE", "SHOP"]},
        {"name": "year", "type": "year"},
        {"name": "figure", "type": "number", "sdmx": {"role": "measure", "unit": "KM"}},
        {"name": "licence", "title": "Fishing licence", "type": "string"},
    ]
    rows = [[row["CONTACT_COL"], "2024", "1.5", row["LICENCE_COL"]] for row in TOLD]
    package = with_tables(folder, fields, {"t": rows})
    for to in FORMATS:
        made = convert(package, to, folder / to, allowed_signers=None, draft=True, now=NOW)
        assert [(f.code, f.params["id"], f.params["renamed"]) for f in made.findings] == [
            ("CD719", id_, new) for id_, new in reversed(RENAMED.items())
        ]
    return folder


def named(rows: Rows) -> Rows:
    return [{id_: row[id_] for id_ in sorted(row) if id_.endswith("_COL")} for row in rows]


def test_the_other_id_stands_in_all_structures_and_the_metadata_keep_theirs(renamed: Path) -> None:
    ml, js = renamed / "sdmx-ml-3.0", renamed / "sdmx-json-2.0"
    for made in (
        structures_from_ml((ml / "structures.xml").read_bytes()),
        structures_from_json((js / "structures.json").read_bytes()),
    ):
        (dsd,) = [part for part in made if isinstance(part, DataStructure)]
        by_id = {part.id: part for part in dsd.components}
        assert by_id.keys() & {*RENAMED, *RENAMED.values()} == set(RENAMED.values())
        assert {id_: by_id[id_].concept.item for id_ in RENAMED.values()} == {id_: id_ for id_ in RENAMED.values()}
        (scheme,) = [part for part in made if isinstance(part, ConceptScheme)]
        names = {concept.id: concept.name.entries for concept in scheme.concepts}
        assert names["LICENCE_COL"] == (("en", "Fishing licence"),)
        assert "LICENCE" not in names
        lists = [part.ref for part in made if isinstance(part, Codelist)]
        assert by_id["CONTACT_COL"].representation.codelist in lists
    for (told,) in (
        sets_from_ml((ml / "metadata.xml").read_bytes()),
        sets_from_json((js / "metadata.json").read_bytes()),
    ):
        said = {attribute.id for attribute in told.attributes}
        assert said >= set(RENAMED)
        assert said.isdisjoint(RENAMED.values())


def test_pysdmx_reads_the_other_id(renamed: Path) -> None:
    from pysdmx.io import read_sdmx
    from pysdmx.model import DataStructureDefinition

    for path in (renamed / "sdmx-csv-2.0" / "data-t.draft.csv", renamed / "sdmx-ml-3.0" / "data-t.xml"):
        assert named(by_pysdmx(path)[1]) == TOLD
    # pysdmx reads a data structure only together with the code lists that it refers to (docs/interop.md).
    ours = structures_from_ml((renamed / "sdmx-ml-3.0" / "structures.xml").read_bytes())
    whole = sdmx_ml.structures((*ours, *standard_codelists().values()), Header("WHOLE", NOW, "CDMETA.EXAMPLELAND"))
    read: Any = read_sdmx(BytesIO(whole), validate=True)
    (dsd,) = [part for part in read.structures if isinstance(part, DataStructureDefinition)]
    assert [part.id for part in dsd.components if part.id.endswith("_COL")] == ["CONTACT_COL", "LICENCE_COL"]


def test_sdmx1_reads_the_other_id(renamed: Path) -> None:
    structures = renamed / "sdmx-ml-3.0" / "structures.xml"
    assert named(by_sdmx1(renamed / "sdmx-csv-2.0" / "data-t.draft.csv", structures)) == TOLD
    assert named(by_sdmx1(renamed / "sdmx-ml-3.0" / "data-t.xml", structures)) == TOLD
