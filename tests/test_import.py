"""SDMX messages → a package: what a package said before it became SDMX, and what others say in theirs."""

import csv
import datetime as dt
import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import pytest
from click.testing import CliRunner
from frictionless import Package as FrictionlessPackage
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sdmx_observed import CL_AREA, COLUMNS, CONCEPTS, DATAFLOW, DSD, LISTS, ROWS, Row, observed
from test_structure_of_tables import attribute, measure, package

from cdmeta import framework
from cdmeta.cli import cli
from cdmeta.codes import NOT_XML
from cdmeta.dataset import Dataset, to_dataset
from cdmeta.errors import ConversionError, OutputError
from cdmeta.finding import OPEN_QUESTIONS
from cdmeta.formats import (
    sdmx_csv,
    sdmx_csv_metadata,
    sdmx_json,
    sdmx_json_data,
    sdmx_ml,
    sdmx_ml_21,
    sdmx_ml_data,
    sdmx_ml_data_21,
)
from cdmeta.package import load
from cdmeta.sdmx.artefacts import (
    Annotation,
    Code,
    Codelist,
    DataConstraint,
    DataStructure,
    Header,
    MetadataSet,
    ReportedAttribute,
    Structure,
)
from cdmeta.sdmx.attachments import attached
from cdmeta.sdmx.metadata import report
from cdmeta.sdmx.observations import Observations, observations
from cdmeta.sdmx.profile_artefacts import artefacts as profile_artefacts
from cdmeta.sdmx.structures import Structures, structures
from cdmeta.tables.engine import ROW, Session, session
from cdmeta.tables.relations import code_rows
from cdmeta.text import Text, is_missing
from cdmeta.urn import Ref
from cdmeta.workflows.import_ import Imported, import_
from cdmeta.workflows.validate import validate

EXAMPLES = Path(__file__).parent.parent / "examples"
HEADER = Header("M", dt.datetime(2026, 3, 2, 10, 0, tzinfo=dt.UTC), "CDMETA.EXAMPLELAND")
TODAY = dt.date(2026, 3, 2)
Rows = list[dict[str, str | None]]

STRUCTURES: dict[str, Callable[[Sequence[Structure]], bytes]] = {
    "sdmx-ml-3.0": lambda found: sdmx_ml.structures(found, HEADER),
    "sdmx-ml-3.1": lambda found: sdmx_ml.structures(found, HEADER, "3.1"),
    "sdmx-ml-2.1": lambda found: sdmx_ml_21.structures(found, HEADER),
    "sdmx-json-2.0": lambda found: sdmx_json.structures(found, HEADER),
    "sdmx-json-2.1": lambda found: sdmx_json.structures(found, HEADER, "2.1"),
}
METADATA: dict[str, Callable[[MetadataSet], bytes]] = {
    "sdmx-csv-2.0": lambda found: sdmx_csv_metadata.metadata([found]),
    "sdmx-ml-3.0": lambda found: sdmx_ml.metadata([found], HEADER),
    "sdmx-ml-3.1": lambda found: sdmx_ml.metadata([found], HEADER, "3.1"),
    "sdmx-ml-2.1": lambda found: sdmx_ml_21.metadata([found], HEADER),
    "sdmx-json-2.0": lambda found: sdmx_json.metadata([found], HEADER),
    "sdmx-json-2.1": lambda found: sdmx_json.metadata([found], HEADER, "2.1"),
}
DATA: dict[str, Callable[[Session, Observations, Path], None]] = {
    "ml-3.0": partial(sdmx_ml_data.data, header=HEADER),
    "ml-3.0-series": partial(sdmx_ml_data.data, header=HEADER, by_series=True),
    "ml-3.1-zip": partial(sdmx_ml_data.data, header=HEADER, version="3.1", compress=True),
    "ml-2.1": partial(sdmx_ml_data_21.data, header=HEADER),
    "ml-2.1-series": partial(sdmx_ml_data_21.data, header=HEADER, by_series=True),
    "ml-2.1-generic": partial(sdmx_ml_data_21.data, header=HEADER, generic=True),
    "ml-2.1-generic-series": partial(sdmx_ml_data_21.data, header=HEADER, generic=True, by_series=True),
    "json-2.0": partial(sdmx_json_data.data, header=HEADER),
    "json-2.0-flat": partial(sdmx_json_data.data, header=HEADER, by_series=False),
    "json-2.1": partial(sdmx_json_data.data, header=HEADER, version="2.1"),
    "csv-2.0": sdmx_csv.data,
    "csv-2.0-keys": partial(sdmx_csv.data, keys="both"),
    "csv-1.0": partial(sdmx_csv.data, version="1.0"),
}
ONE_MEASURE = ("ml-2.1", "ml-2.1-series", "ml-2.1-generic", "ml-2.1-generic-series", "csv-1.0")


@dataclass(frozen=True)
class Said:
    """What a package says in SDMX: structures, report, and the rows of each table, sorted."""

    dataset: Dataset
    structures: Structures
    report: MetadataSet
    rows: dict[str, Rows]
    types: dict[str, str]


def said(folder: Path, write: Callable[[Session, Observations, str], None] | None = None) -> Said:
    loaded = load(folder)
    dataset, findings = to_dataset(
        loaded,
        framework.decide(framework.read(loaded.answers)),
        lambda resource: code_rows(loaded, resource),
    )
    assert [f for f in findings if f.severity() == "error"] == []
    dataset, _ = attached(loaded, dataset)
    built = structures(dataset)
    rows = {}
    for flow in built.flows:
        with session(loaded, *([folder.parent] if write else [])) as opened:
            seen, broken = observations(opened, loaded, dataset, flow, built.codelists)
            assert [f for f in broken if f.severity() == "error"] == []
            cells = ", ".join(cell.sql for cell in seen.cells)
            found = opened.connection.execute(f"SELECT {cells} FROM {seen.view} ORDER BY {ROW}").fetchall()
            ids = [cell.id for cell in seen.cells]
            told = [dict(zip(ids, row, strict=True)) for row in found]
            rows[flow.dataflow.id] = sorted(told, key=lambda row: [str(row[id_]) for id_ in ids])
            if write:
                write(opened, seen, flow.table.name)
    types = {table.id: table.time.type for table in dataset.tables}
    return Said(dataset, built, report(dataset, built).set, rows, types)


def around(
    folder: Path, out: Path, of_structures: str, of_data: str, of_report: str | None = None
) -> tuple[Said, Said, Imported]:
    """A package as SDMX, and as the package that is made of that."""
    sent = out / "sent"
    sent.mkdir(parents=True)

    def write(opened: Session, seen: Observations, name: str) -> None:
        made = folder.parent / f"{name}.message"
        DATA[of_data](opened, seen, made)
        made.rename(sent / made.name)

    before = said(folder, write)
    (sent / "s").write_bytes(STRUCTURES[of_structures](before.structures.artefacts))
    (sent / "p").write_bytes(STRUCTURES[of_structures](profile_artefacts()))
    (sent / "m").write_bytes(METADATA[of_report or of_structures](before.report))
    made = import_(out / "made", sorted(sent.iterdir()), TODAY)
    return before, said(out / "made"), made


def agree(before: Said, after: Said) -> None:
    """Hold that a package says the same."""
    assert after.structures.codelists == before.structures.codelists
    assert after.structures.concepts == before.structures.concepts
    assert before.structures.flows
    for mine, theirs in zip(after.structures.flows, before.structures.flows, strict=True):
        assert mine.structure == theirs.structure
        assert mine.dataflow == theirs.dataflow
    assert after.rows == before.rows
    assert after.report == before.report
    assert after.types == before.types


def without_low_bases(it: Said) -> Said:
    """What a package says where statuses follow from another column: they come back as columns.

    They stand behind the other attributes then, and have SDMX's concept of a status, which ours equals.
    """
    (flow,) = it.structures.flows
    assert it.structures.concepts is not None
    ref = "SDMX:CROSS_DOMAIN_CONCEPTS(2.0).OBS_STATUS"
    status = Ref.parse_short("Concept", ref)
    parts = [
        replace(part, concept=status) if part.id.startswith("OBS_STATUS") and status else part
        for part in sorted(flow.structure.attributes, key=lambda part: part.id)
    ]
    kept = tuple(concept for concept in it.structures.concepts.concepts if concept.id != "OBS_STATUS")
    by_name = tuple(sorted(kept, key=lambda concept: concept.id))
    made = replace(
        it.structures,
        flows=(replace(flow, structure=replace(flow.structure, attributes=tuple(parts))),),
        concepts=replace(it.structures.concepts, concepts=by_name),
    )
    rows = {
        name: sorted(rows, key=lambda row: str(sorted(row.items(), key=lambda cell: cell[0])))
        for name, rows in it.rows.items()
    }
    return replace(it, structures=made, rows=rows)


def published() -> list[str]:
    """The examples whose rows become observations."""
    found = []
    for path in sorted(EXAMPLES.glob("*/package/datapackage.json")):
        loaded = load(path.parent)
        decision = framework.decide(framework.read(loaded.answers))
        dataset, findings = to_dataset(loaded, decision, partial(code_rows, loaded))
        if dataset.tables and not any(f.severity() == "error" for f in findings):
            found.append(path.parent.parent.name)
    return found


def copied(name: str, folder: Path) -> Path:
    return Path(shutil.copytree(EXAMPLES / name / "package", folder / "package"))


def test_figures_from_records_come_back_as_figures_whose_form_is_asked_anew(tmp_path: Path) -> None:
    """Their report is on the records, and what is imported are none."""
    told = "The report says of “Form of release”: “Anonymised records”. "
    told += "What is imported are figures, so it is asked anew."
    before, after, made = around(copied("clinic-visits", tmp_path), tmp_path / "o", "sdmx-ml-3.0", "ml-3.0")
    assert (before.dataset.release_form, after.dataset.release_form, made.open) == ("ANON_MICRO", "?", 1)
    assert [note.told("en") for note in made.notes if note.key == "import.note.release"] == [told]
    dataset_parts(made.out)
    answered = said(made.out)
    assert [flow.dataflow for flow in answered.structures.flows] == [
        flow.dataflow for flow in before.structures.flows
    ]
    assert answered.rows == before.rows


@pytest.mark.parametrize("name", [name for name in published() if name != "clinic-visits"])
def test_an_example_comes_back(name: str, tmp_path: Path) -> None:
    before, after, made = around(copied(name, tmp_path), tmp_path / "o", "sdmx-ml-3.0", "ml-3.0")
    if name == "waiting-times":
        before, after = without_low_bases(before), without_low_bases(after)
    agree(before, after)
    assert made.notes == ()
    assert made.open == 0
    assert FrictionlessPackage(str(tmp_path / "o" / "made" / "datapackage.json")).validate().valid


@pytest.mark.parametrize(
    ("of", "data"), [([*STRUCTURES][number % len(STRUCTURES)], data) for number, data in enumerate(DATA)]
)
def test_an_example_comes_back_through_every_format(of: str, data: str, tmp_path: Path) -> None:
    report = "sdmx-csv-2.0" if data.startswith("csv") else of
    before, after, made = around(copied("public-service-satisfaction", tmp_path), tmp_path / "o", of, data, report)
    agree(before, after)
    assert made.notes == ()


# Small tables of any content

WORDS = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cs", "Cc", "Cn")), min_size=1, max_size=12
).filter(lambda text: not is_missing(text) and text == text.strip() and not NOT_XML.search(text))
HOSTILE = st.one_of(
    WORDS, st.sampled_from(['a "q" <b>&amp; \' ]]>', "مرحبا 𝄞", "two\nlines\tand tabs", "=1+1", "1e5"])
)
CODES = st.lists(st.from_regex(r"[A-Z][A-Z0-9_]{0,3}", fullmatch=True), min_size=1, max_size=4, unique=True)


@st.composite
def made_up(draw: st.DrawFn) -> tuple[list[dict[str, Any]], list[list[str]]]:
    """Fields and rows of a table: codes with parents, one or two measures, attributes at several levels."""
    codes, several = draw(CODES), draw(st.booleans())
    categories = [{"value": code, "label": draw(WORDS), "label@fr": draw(WORDS)} for code in codes]
    categories[0] |= draw(st.sampled_from([{}, {"description": "What\n<it> means"}, {"description@fr": "Quoi"}]))
    for number, category in enumerate(categories[1:], 1):
        if draw(st.booleans()):
            category["parent"] = codes[draw(st.integers(0, number - 1))]
    level = draw(st.sampled_from(["observation", "series", "dataset", ["place"]]))
    units = draw(st.sampled_from([("KM", "KM"), ("KM", {"code": "PS", "name": draw(WORDS)})]))
    more: dict[str, Any] = draw(st.sampled_from([{}, {"decimals": 1}, {"unitMult": 3}]))
    fields: list[dict[str, Any]] = [
        {"name": "place", "type": "string", "title": draw(WORDS), "categories": categories},
        {"name": "kind", "type": "string"},
        {"name": "year", "type": "year"},
        measure("figure", unit=units[0], statuses={"-": "suppressed"}, **more) | {"missingValues": ["", "-"]},
        *([measure("other", unit=units[1], **more)] if several else []),
        attribute("note", attachment=level) | {"title@fr": draw(WORDS)},
        attribute("remark") | {"constraints": {"maxLength": 40}},
    ]
    delimiter, item = draw(st.sampled_from([None, ";", ",", "|"])), draw(st.sampled_from(["string", "integer"]))
    item_of = {"string": HOSTILE, "integer": st.integers().map(str)}[item]
    if delimiter:
        fields.append(attribute("tags") | {"type": "list", "delimiter": delimiter, "itemType": item})
    keys = draw(
        st.lists(
            st.tuples(st.sampled_from(codes), st.sampled_from("xy"), st.sampled_from(["2023", "2024"])),
            min_size=1,
            max_size=6,
            unique=True,
        )
    )
    notes = {code: draw(HOSTILE) for code in codes}
    one = draw(HOSTILE)
    rows = []
    for place, kind, year in keys:
        figures = [
            draw(st.sampled_from(["1", "-2.5", "", "-"])),
            *([draw(st.sampled_from(["7", ""]))] if several else []),
        ]
        note = one if level in ("series", "dataset") else notes[place]
        rows.append([place, kind, year, *figures, note, draw(st.one_of(st.just(""), HOSTILE))])
        if delimiter:
            items = draw(st.lists(item_of.filter(lambda text: delimiter not in text), max_size=3))
            rows[-1].append(delimiter.join(items))
    return fields, rows


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(table=made_up(), of=st.sampled_from([*STRUCTURES]), data=st.sampled_from([*DATA]))
def test_any_table_comes_back(table: tuple[list[dict[str, Any]], list[list[str]]], of: str, data: str) -> None:
    fields, rows = table
    several = sum(1 for each in fields if each.get("sdmx", {}).get("role") == "measure") > 1
    several = several or fields[-1]["type"] == "list"
    if several and data in ONE_MEASURE:
        data = "ml-3.0"
    of = "sdmx-ml-3.0" if several and of == "sdmx-ml-2.1" else of
    with TemporaryDirectory() as name:
        path = package(Path(name), fields, rows)
        before, after, made = around(path, Path(name) / "o", of, data)
        agree(before, after)
        assert made.notes == ()
        assert FrictionlessPackage(str(made.out / "datapackage.json")).validate().valid


# Data of others, and bad input


def foreign(folder: Path, *, lists: bool = True, structure: DataStructure = DSD) -> Path:
    """A message of structures that somebody else maintains."""
    path = folder / "structures.xml"
    parts = [CONCEPTS, *(LISTS if lists else ()), structure, DATAFLOW]
    path.write_bytes(sdmx_ml.structures(parts, HEADER))
    return path


def messages(folder: Path, rows: Sequence[Row] = ROWS, name: str = "data.xml") -> Path:
    with observed(folder, rows) as (opened, seen):
        sdmx_ml_data.data(opened, seen, folder / name, HEADER)
    return folder / name


def notes(made: Imported) -> list[str]:
    return [str(note.key).removeprefix("import.note.") for note in made.notes]


def table(made: Imported, name: str = "df") -> Rows:
    with (made.out / "data" / f"{name}.csv").open(encoding="utf-8", newline="") as stream:
        return [dict(row) for row in csv.DictReader(stream)]


def columns(made: Imported) -> dict[str, dict[str, Any]]:
    descriptor = json.loads((made.out / "datapackage.json").read_text(encoding="utf-8"))
    return {entry["name"]: entry for entry in descriptor["resources"][0]["schema"]["fields"]}


def test_data_of_others_keep_all_columns_concepts_and_lists(tmp_path: Path) -> None:
    made = import_(tmp_path / "p", [messages(tmp_path), foreign(tmp_path)], TODAY)
    told = sorted(table(made), key=lambda row: str(sorted(row.items())))
    assert told == sorted(
        ({id_: row[id_] or "" for id_ in COLUMNS} for row in ROWS), key=lambda row: str(sorted(row.items()))
    )
    found = columns(made)
    assert {name: entry["sdmx"]["role"] for name, entry in found.items()} == {
        **dict.fromkeys(("FREQ", "REF_AREA", "KIND"), "dimension"),
        "TIME_PERIOD": "time",
        "OBS_VALUE": "measure",
        **dict.fromkeys(
            ("TITLE", "UNIT", "AREA_NOTE", "SIBLING_NOTE", "OBS_STATUS", "NOTE", "CHECKED"), "attribute"
        ),
    }
    assert found["REF_AREA"]["sdmx"] == {
        "role": "dimension",
        "concept": "CDMETA.WARD:CS(1.0).REF_AREA",
        "codelist": "CDMETA.WARD:CL_AREA(1.0)",
    }
    assert found["REF_AREA"]["categories"][0] == {
        "value": "KE",
        "label": "Kenya",
        "label@fr": "Le Kenya",
        "label@ar": "كينيا",
    }
    assert {
        name: entry["sdmx"].get("attachment") for name, entry in found.items() if "attachment" in entry["sdmx"]
    } == {
        "TITLE": "dataset",
        "UNIT": "series",
        "AREA_NOTE": ["REF_AREA"],
        "SIBLING_NOTE": ["REF_AREA", "KIND"],
    }
    assert {name: found[name]["type"] for name in ("OBS_VALUE", "TIME_PERIOD", "CHECKED", "NOTE")} == {
        "OBS_VALUE": "number",
        "TIME_PERIOD": "string",
        "CHECKED": "boolean",
        "NOTE": "string",
    }
    assert (made.name, made.agency) == ("df", "CDMETA.WARD")
    assert {f.code for f in validate(made.out).findings if f.code in OPEN_QUESTIONS}
    assert made.open > 20
    assert FrictionlessPackage(str(made.out / "datapackage.json")).validate().valid
    assert {f.code for f in validate(made.out).findings if f.code.startswith("CD4")} == set()


def test_data_without_their_structure_are_refused_and_nothing_is_made(tmp_path: Path) -> None:
    data = messages(tmp_path)
    with pytest.raises(ConversionError) as raised:
        import_(tmp_path / "p", [data], TODAY)
    assert "DF(1.0)" in str(raised.value.args[0].told("en"))
    with pytest.raises(ConversionError):
        import_(tmp_path / "p", [foreign(tmp_path)], TODAY)
    assert not (tmp_path / "p").exists()


def test_a_structure_that_has_a_component_twice_is_refused(tmp_path: Path) -> None:
    twice = replace(DSD, attributes=(*DSD.attributes, replace(DSD.attributes[0], attachment="observation")))
    with pytest.raises(ConversionError, match="has TITLE more than once"):
        import_(tmp_path / "p", [messages(tmp_path), foreign(tmp_path, structure=twice)], TODAY)


def test_a_folder_that_holds_something_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "p").mkdir()
    (tmp_path / "p" / "mine.txt").write_text("mine")
    with pytest.raises(OutputError):
        import_(tmp_path / "p", [messages(tmp_path), foreign(tmp_path)], TODAY)
    assert [path.name for path in (tmp_path / "p").iterdir()] == ["mine.txt"]


def test_without_code_lists_codes_stay_and_it_is_told(tmp_path: Path) -> None:
    made = import_(tmp_path / "p", [messages(tmp_path), foreign(tmp_path, lists=False)], TODAY)
    assert notes(made) == ["codelist"]  # the lists of SDMX are known
    assert "categories" not in columns(made)["REF_AREA"]
    assert columns(made)["REF_AREA"]["sdmx"]["codelist"] == "CDMETA.WARD:CL_AREA(1.0)"


def test_no_observation_is_a_table_without_rows(tmp_path: Path) -> None:
    made = import_(tmp_path / "p", [messages(tmp_path, ()), foreign(tmp_path)], TODAY)
    assert made.tables == (("df", 0),)
    assert table(made) == []
    assert list(columns(made)) == list(COLUMNS)


def spoken(folder: Path, version: Literal["2.0", "2.1"], *, by_series: bool) -> dict[str, Any]:
    """A message of SDMX-JSON that tells the structure of its data, as an object."""
    path, names = folder / "spoken.json", (CONCEPTS, *LISTS)
    with observed(folder, ROWS) as (opened, seen):
        sdmx_json_data.data(opened, seen, path, HEADER, by_series=by_series, names=names, version=version)
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def put(folder: Path, message: dict[str, Any]) -> Path:
    (folder / "spoken.json").write_text(json.dumps(message), encoding="utf-8")
    return folder / "spoken.json"


@pytest.mark.parametrize(("version", "by_series"), [("2.0", True), ("2.0", False), ("2.1", True)])
def test_a_message_of_json_needs_no_structure_beside_it(
    version: Literal["2.0", "2.1"], by_series: bool, tmp_path: Path
) -> None:
    message = put(tmp_path, spoken(tmp_path, version, by_series=by_series))
    alone = import_(tmp_path / "a", [message], TODAY)
    beside = import_(tmp_path / "b", [message, foreign(tmp_path)], TODAY)
    assert notes(alone)[0] == "own"
    assert "own" not in notes(beside)
    assert table(alone) == table(beside)
    assert (alone.name, alone.agency, alone.tables) == (beside.name, beside.agency, beside.tables)
    mine, theirs = columns(alone), columns(beside)
    for name, entry in mine.items():
        assert (entry["sdmx"]["role"], entry.get("title")) == (theirs[name]["sdmx"]["role"], theirs[name]["title"])
        assert entry["sdmx"].get("attachment") == theirs[name]["sdmx"].get("attachment")
        assert {"concept", "codelist"} & entry["sdmx"].keys() == set()
        known = {category["value"]: category for category in theirs[name].get("categories", ())}
        for category in entry.get("categories", ()):
            assert category == {key: told for key, told in known[category["value"]].items() if key != "parent"}
    assert {name for name in theirs if "categories" in theirs[name]} == {
        name for name in mine if "categories" in mine[name]
    }
    assert FrictionlessPackage(str(alone.out / "datapackage.json")).validate().valid


OLD = {
    "header": {"id": "M", "prepared": "2026-03-02T10:00:00Z", "test": False, "contentLanguages": ["fr"]},
    "dataSets": [
        {
            "action": "Information",
            "series": {"0:0": {"attributes": [0], "observations": {"0": ["1.50", 0], "1": [None, 1]}}},
        }
    ],
    "structure": {
        "links": [{"href": "https://example.org/rest/dataflow/ECB/EXR/1.0", "rel": "dataflow"}],
        "name": "Taux",
        "dimensions": {
            "observation": [
                {
                    "id": "TEMPS",
                    "name": "Temps",
                    "role": "time",
                    "values": [{"id": "2020", "name": "2020"}, {"id": "2021", "name": "2021"}],
                }
            ],
            "series": [
                {"id": "FREQ", "name": "Fréquence", "keyPosition": 1, "values": [{"id": "A", "name": "Annuelle"}]},
                {"id": "LIEU", "name": "Lieu", "keyPosition": 0, "values": [{"id": "KE", "name": "Le Kenya"}]},
            ],
        },
        "attributes": {
            "series": [{"id": "TITRE", "name": "Titre", "values": [{"name": "Un titre"}]}],
            "observation": [
                {
                    "id": "STATUT",
                    "name": "Statut",
                    "values": [{"id": "A", "name": "Normal"}, {"id": "M", "name": "?"}],
                }
            ],
        },
    },
}


def test_a_message_of_json_1_tells_its_structure_too(tmp_path: Path) -> None:
    made = import_(tmp_path / "p", [put(tmp_path, OLD)], TODAY)
    assert (made.name, made.agency, notes(made)) == ("exr", "ECB", ["own"])
    found = columns(made)
    assert [(name, entry["sdmx"], entry.get("title")) for name, entry in found.items()] == [
        ("LIEU", {"role": "dimension"}, "Lieu"),
        ("FREQ", {"role": "dimension"}, "Fréquence"),
        ("TEMPS", {"role": "time"}, "Temps"),
        ("OBS_VALUE", {"role": "measure"}, None),
        ("TITRE", {"role": "attribute", "attachment": "series"}, "Titre"),
        ("STATUT", {"role": "attribute"}, "Statut"),
    ]
    assert found["LIEU"]["categories"] == [{"value": "KE", "label": "Le Kenya"}]
    assert table(made, "exr")[0] == {
        "LIEU": "KE",
        "FREQ": "A",
        "TEMPS": "2020",
        "OBS_VALUE": "1.50",
        "TITRE": "Un titre",
        "STATUT": "A",
    }
    descriptor = json.loads((made.out / "datapackage.json").read_text(encoding="utf-8"))
    assert (descriptor["title"], descriptor["citizenData"]["language"]) == ("Taux", "fr")


def test_what_two_messages_tell_of_one_structure_is_put_together(tmp_path: Path) -> None:
    other = json.loads(json.dumps(OLD).replace("KE", "UG").replace("Le Kenya", "Ouganda").replace("TITRE", "NOTE"))
    (tmp_path / "b.json").write_text(json.dumps(other), encoding="utf-8")
    made = import_(tmp_path / "p", [put(tmp_path, OLD), tmp_path / "b.json"], TODAY)
    assert (made.tables, set(notes(made))) == ((("exr", 4),), {"own"})
    assert [category["value"] for category in columns(made)["LIEU"]["categories"]] == ["KE", "UG"]
    assert [(row["LIEU"], row["TITRE"], row["NOTE"]) for row in table(made, "exr")][1:3] == [
        ("KE", "Un titre", ""),
        ("UG", "", "Un titre"),
    ]


FLAT = "STRUCTURE,STRUCTURE_ID,ACTION,FREQ,REF_AREA,KIND,TIME_PERIOD,OBS_VALUE,NOTE,AREA_NOTE\n"
FLOW = "dataflow,CDMETA.WARD:DF(1.0)"


def flat(folder: Path, *rows: str, name: str = "d.csv") -> Path:
    (folder / name).write_text(FLAT + "".join(f"{FLOW},{row}\n" for row in rows), encoding="utf-8")
    return folder / name


def test_what_comes_again_counts_as_it_came_last(tmp_path: Path) -> None:
    first = flat(tmp_path, "I,A,KE,a,2020,1,,", "I,A,KE,b,2020,2,,")
    second = flat(tmp_path, "R,A,KE,a,2020,9,,", name="e.csv")
    made = import_(tmp_path / "p", [foreign(tmp_path), first, second], TODAY)
    assert [(row["KIND"], row["OBS_VALUE"]) for row in table(made)] == [("b", "2"), ("a", "9")]
    assert [(note.key, note.params["count"]) for note in made.notes if str(note.key).endswith("again")] == [
        ("import.note.again", 1)
    ]


def test_what_is_deleted_goes_and_what_comes_after_stays(tmp_path: Path) -> None:
    rows = ["I,A,KE,a,2020,1,,", "I,A,UG,a,2020,2,,", "I,A,UG,b,2020,3,,", "D,A,UG,,,,,", "A,A,UG,c,2020,4,,"]
    made = import_(tmp_path / "p", [foreign(tmp_path), flat(tmp_path, *rows)], TODAY)
    assert [row["OBS_VALUE"] for row in table(made)] == ["1", "4"]
    assert [note.params["count"] for note in made.notes if note.key == "import.note.delete"] == [2]


def test_attributes_of_a_part_of_the_key_go_to_its_observations(tmp_path: Path) -> None:
    rows = ["I,A,KE,a,2020,1,own,", "I,A,KE,b,2020,2,,", "I,A,UG,b,2020,3,,", "I,,KE,,,,all,hill", "I,,ZZ,,,,x,y"]
    made = import_(tmp_path / "p", [foreign(tmp_path), flat(tmp_path, *rows)], TODAY)
    assert [(row["OBS_VALUE"], row["NOTE"], row["AREA_NOTE"]) for row in table(made)] == [
        ("1", "own", "hill"),
        ("2", "all", "hill"),
        ("3", "", ""),
    ]
    counts = {
        note.key: note.params["count"] for note in made.notes if str(note.key).endswith(("spread", "partial"))
    }
    assert counts == {"import.note.spread": 1, "import.note.partial": 1}


def test_without_a_dimension_nothing_is_thrown_away(tmp_path: Path) -> None:
    path = tmp_path / "d.csv"
    head = FLAT.replace("KIND,", "")
    path.write_text(f"{head}{FLOW},I,A,KE,2020,1,,\n{FLOW},I,A,KE,2020,2,,\n", encoding="utf-8")
    with pytest.raises(ConversionError) as raised:
        import_(tmp_path / "p", [foreign(tmp_path), path], TODAY)
    assert raised.value.args[0].key == "error.import.key"
    path.write_text(f"{head}{FLOW},I,A,KE,2020,1,,\n", encoding="utf-8")
    made = import_(tmp_path / "p", [foreign(tmp_path), path], TODAY)
    assert "dimension" in notes(made)
    assert "KIND" not in columns(made)


def test_codes_and_numbers_that_are_wrong_are_kept_and_told(tmp_path: Path) -> None:
    made = import_(tmp_path / "p", [foreign(tmp_path), flat(tmp_path, "I,A,QQ,a,2020,about 1,,")], TODAY)
    assert columns(made)["REF_AREA"]["categories"][-1] == {"value": "QQ"}
    assert columns(made)["OBS_VALUE"]["type"] == "string"
    assert {"codes", "type"} <= set(notes(made))
    assert FrictionlessPackage(str(made.out / "datapackage.json")).validate().valid


def test_a_hundred_thousand_codes_are_a_table_with_parents_and_labels(tmp_path: Path) -> None:
    meant = Text((("en", "Any of them"), ("fr", "N'importe lequel")))
    codes: tuple[Code, ...] = (Code("C0", Text((("en", "All"), ("fr", "Tout"), ("gsw", "Alles"))), meant),)
    codes += tuple(Code(f"C{n}", Text((("en", f"Number {n}"),)), parent="C0") for n in range(1, 100_000))
    many = Codelist(CL_AREA.agency, CL_AREA.id, CL_AREA.version, CL_AREA.name, codes=codes)
    path = tmp_path / "s.xml"
    path.write_bytes(sdmx_ml.structures([CONCEPTS, many, DSD, DATAFLOW], HEADER))
    made = import_(tmp_path / "p", [path, flat(tmp_path, "I,A,C7,a,2020,1,,")], TODAY)
    rows = table(made, "cl-area")
    none = {"label_fr": "", "description": "", "description_fr": ""}
    assert (len(rows), rows[7]) == (100_000, {"code": "C7", "parent": "C0", "label": "Number 7", **none})
    assert "language" in notes(made)
    (dataset, _) = to_dataset(*dataset_parts(made.out))
    values = next(column.values for column in dataset.tables[0].columns if column.id == "REF_AREA")
    assert (len(values), values[7].parent, values[0].name.as_dict(), values[0].description) == (
        100_000,
        "C0",
        {"en": "All", "fr": "Tout"},
        meant,
    )


def test_descriptions_are_not_taken_for_the_labels_that_are_not_there(tmp_path: Path) -> None:
    codes = tuple(Code(f"C{n}", Text(), Text((("en", f"Meaning {n}"),))) for n in range(501))
    many = replace(CL_AREA, codes=codes)
    path = tmp_path / "s.json"
    path.write_bytes(sdmx_json.structures([CONCEPTS, many, DSD, DATAFLOW], HEADER))
    made = import_(tmp_path / "p", [path, flat(tmp_path, "I,A,C7,a,2020,1,,")], TODAY)
    assert table(made, "cl-area")[7] == {"code": "C7", "label": "", "description": "Meaning 7"}
    (dataset, _) = to_dataset(*dataset_parts(made.out))
    values = next(column.values for column in dataset.tables[0].columns if column.id == "REF_AREA")
    assert (values[7].name.as_dict(), values[7].description.as_dict()) == ({"en": "C7"}, {"en": "Meaning 7"})


def test_what_structures_say_and_a_package_cannot_is_told_by_kind(tmp_path: Path) -> None:
    note = Annotation("ORDER", "1")
    (first, *others) = CONCEPTS.concepts
    concepts = replace(
        CONCEPTS, concepts=(replace(first, matches=(("close", "https://example.org/#a"),)), *others)
    )
    structure = replace(DSD, annotations=(note, note, Annotation("METADATA", "urn")))
    constraint = DataConstraint("CDMETA.WARD", "CON", "1.0", DSD.name, attached=(DATAFLOW.ref,))
    elsewhere = replace(constraint, id="OTHER", attached=(replace(DATAFLOW.ref, id="OTHER"),))
    lists = [replace(each, annotations=(note,)) for each in LISTS]
    path = tmp_path / "s.xml"
    parts: list[Structure] = [
        concepts,
        *lists,
        structure,
        replace(DATAFLOW, annotations=(note,)),
        constraint,
        elsewhere,
    ]
    order = b"<com:Annotation><com:AnnotationType>ORDER</com:AnnotationType></com:Annotation>"
    message = sdmx_ml.structures(parts, HEADER)
    for kind in (b"Code", b"Concept"):
        start = b"<str:" + kind + b" "
        at = message.index(b">", message.index(start)) + 1
        message = message[:at] + b"<com:Annotations>" + order * 2 + b"</com:Annotations>" + message[at:]
    path.write_bytes(message)
    made = import_(tmp_path / "p", [path, messages(tmp_path)], TODAY)
    told = [
        (str(each.key).removeprefix("import.note."), each.params.get("kind"), each.params["count"])
        for each in made.notes
    ]
    assert told == [
        ("annotations", "Dataflow", 1),
        ("annotations", "DataStructure", 2),
        ("annotations", "Codelist", len(LISTS)),
        ("annotations", "Code", 2),
        ("annotations", "Concept", 2),
        ("matches", None, 1),
        ("skipped", "DataConstraint", 1),
    ]


def dataset_parts(folder: Path) -> tuple[Any, Any, Any]:
    """What a Dataset is made of, as if somebody had said that the figures may be published."""
    path = folder / "datapackage.json"
    descriptor = json.loads(path.read_text(encoding="utf-8"))
    descriptor["citizenData"]["releaseForm"] = "AGGREGATE"
    path.write_text(json.dumps(descriptor), encoding="utf-8")
    loaded = load(folder)
    return loaded, framework.decide(framework.read(loaded.answers)), partial(code_rows, loaded)


def test_flows_whose_names_meet_are_told_apart(tmp_path: Path) -> None:
    other = replace(DATAFLOW, id="Df")
    path = tmp_path / "s.xml"
    path.write_bytes(sdmx_ml.structures([CONCEPTS, *LISTS, DSD, DATAFLOW, other], HEADER))
    first = flat(tmp_path, "I,A,KE,a,2020,1,,")
    second = tmp_path / "e.csv"
    second.write_text(first.read_text(encoding="utf-8").replace(":DF(", ":Df("), encoding="utf-8")
    made = import_(tmp_path / "p", [path, first, second], TODAY)
    assert made.tables == (("df", 1), ("df-2", 1))


def test_the_command_tells_what_was_made(tmp_path: Path) -> None:
    data, structures_ = flat(tmp_path, "I,A,QQ,a,2020,1,,"), foreign(tmp_path)
    told = CliRunner().invoke(cli, ["import", str(data), str(structures_), "--out", str(tmp_path / "p")], obj="en")
    assert told.exit_code == 0, told.output
    assert "df: 1 observation\n" in told.output
    assert "- DSD: REF_AREA has 1 code that is not in CL_AREA" in told.output


def elsewhere(*attributes: ReportedAttribute) -> MetadataSet:
    """A report by somebody else's metadata structure."""
    return MetadataSet(
        "CDMETA.WARD",
        "MDS",
        "1.0.0",
        DSD.name,
        metadataflow=Ref("Metadataflow", "CDMETA.WARD", "MDF_OTHER", "1.0"),
        targets=(DATAFLOW.urn,),
        attributes=attributes,
    )


MAIL = ReportedAttribute("CONTACT", None, (ReportedAttribute("MAIL", "y"),))


def test_reports_of_others_alone_are_told_from_nothing_at_all(tmp_path: Path) -> None:
    for form, write in METADATA.items():
        (tmp_path / form).write_bytes(write(elsewhere(ReportedAttribute("WHY", "x"), MAIL)))
        with pytest.raises(ConversionError, match=r"MDF_OTHER: .*name the data that it is on"):
            import_(tmp_path / "p", [tmp_path / form], TODAY)
        made = import_(tmp_path / f"with {form}", [tmp_path / form, foreign(tmp_path), messages(tmp_path)], TODAY)
        told = [(note.key, note.params["names"]) for note in made.notes]
        assert told == [("import.note.attributes", "WHY, MAIL")]


def test_reference_metadata_as_data_are_no_observations(tmp_path: Path) -> None:
    path = tmp_path / "beside.csv"
    path.write_bytes(sdmx_csv_metadata.dotstat((elsewhere(MAIL),), DATAFLOW, DSD, "en"))
    made = import_(tmp_path / "p", [path, foreign(tmp_path), messages(tmp_path)], TODAY)
    assert notes(made) == ["beside"]
    assert table(made) == table(import_(tmp_path / "q", [foreign(tmp_path), messages(tmp_path)], TODAY))
