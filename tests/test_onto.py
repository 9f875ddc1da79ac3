"""Figures from records, several tables, rows that are left out, as data of an office's dataflow; and bundles."""

import csv
import dataclasses
import datetime as dt
import io
import json
import shutil
from collections import Counter
from collections.abc import Iterable, Mapping
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from statistics import median
from typing import Any

import pysdmx.io
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_examples import run

from cdmeta.errors import ConversionError, OutputError
from cdmeta.finding import Finding
from cdmeta.formats import data_reading, oracle, reading, sdmx_ml_21
from cdmeta.sdmx.artefacts import (
    Annotation,
    Attribute,
    Code,
    Codelist,
    Concept,
    ConceptScheme,
    Dataflow,
    DataStructure,
    Dimension,
    Header,
    Measure,
    MetadataStructure,
    Representation,
    RepresentationMap,
    Structure,
    StructureMap,
    ValueMapping,
)
from cdmeta.sdmx.profile_artefacts import artefacts as profile_artefacts
from cdmeta.sdmx.profile_artefacts import metadata_structure
from cdmeta.sdmx.store import Store
from cdmeta.sdmx.target import at_hand
from cdmeta.tables.engine import data_session, identifier
from cdmeta.text import Text
from cdmeta.urn import Ref
from cdmeta.workflows.convert import BUNDLES, FORMATS, Conversion
from cdmeta.workflows.map_package import map_package
from cdmeta.workflows.onto import onto

ROOT = Path(__file__).parent.parent
RECORDS = ROOT / "examples" / "clinic-visits" / "package"
NOW = dt.datetime(2026, 3, 2, 10, tzinfo=dt.UTC)
AGENCY = "EXAMPLE_NSO"
NAME = Text((("en", "Made up"),))
T = "_T"
Row = dict[str, str | None]


# An office's structure: one measure, and a dimension that tells indicators apart

LISTS = {
    "CL_INDICATOR": ("VISITS", "SERVED", "ANSWERS", "WAIT"),
    "CL_AREA": ("XA", "XA01", "XA02", "XA03"),
    "CL_SEX": ("F", "M", T),
    "CL_AGE": ("Y0T17", "Y18T59", "Y60T89", T),
    "CL_STATUS": ("A", "M", "Q"),
    "CL_CONF": ("F", "C"),
    "CL_UNIT": ("NUMBER", "PT", "MIN"),
}


def listed(id_: str) -> Codelist:
    return Codelist(AGENCY, id_, "1.0", NAME, codes=tuple(Code(code, NAME) for code in LISTS[id_]))


def concept(id_: str) -> Ref:
    return Ref("Concept", AGENCY, "CS_OFFICE", "1.0", id_)


def dimension(id_: str, position: int, codelist: str = "") -> Dimension:
    taken = Representation(listed(codelist).ref) if codelist else Representation()
    return Dimension(id_, concept(id_), taken, position)


def attribute(id_: str, codelist: str = "", *, series: bool = False, mandatory: bool = False) -> Attribute:
    taken = Representation(listed(codelist).ref) if codelist else Representation()
    return Attribute(id_, concept(id_), taken, DIMENSIONS[:-1] if series else "observation", mandatory)


DIMENSIONS = ("FREQ", "INDICATOR", "REF_AREA", "SEX", "AGE", "TIME_PERIOD")
STATUSES = (attribute("OBS_STATUS", "CL_STATUS"), attribute("CONF_STATUS", "CL_CONF"))
UNIT = attribute("UNIT_MEASURE", "CL_UNIT", series=True, mandatory=True)


def office(
    *attributes: Attribute, annotations: tuple[Annotation, ...] = (), flow: str = "DF_HEALTH"
) -> list[Structure]:
    parts = (*DIMENSIONS, "OBS_VALUE", "OBS_STATUS", "CONF_STATUS", "UNIT_MEASURE")
    scheme = ConceptScheme(AGENCY, "CS_OFFICE", "1.0", NAME, concepts=tuple(Concept(id_, NAME) for id_ in parts))
    time = Representation(text_type="ObservationalTimePeriod")
    structure = DataStructure(
        AGENCY, "DSD_HEALTH", "1.0", NAME, annotations=annotations,
        dimensions=(
            dimension("FREQ", 1), dimension("INDICATOR", 2, "CL_INDICATOR"), dimension("REF_AREA", 3, "CL_AREA"),
            dimension("SEX", 4, "CL_SEX"), dimension("AGE", 5, "CL_AGE"),
            Dimension("TIME_PERIOD", concept("TIME_PERIOD"), time, 6, is_time=True),
        ),
        measures=(Measure("OBS_VALUE", concept("OBS_VALUE"), Representation(text_type="Double")),),
        attributes=attributes,
    )  # fmt: skip
    dataflow = Dataflow(AGENCY, flow, "1.0", NAME, structure=structure.ref)
    return [*map(listed, LISTS), scheme, structure, dataflow]


def put_office(folder: Path, artefacts: Iterable[Structure]) -> Path:
    path = folder / "office.xml"
    path.write_bytes(sdmx_ml_21.structures(tuple(artefacts), Header("OFFICE", NOW, AGENCY)))
    return path


FULL = (*STATUSES, UNIT)
MEASURES = {"visits": "VISITS", "served_share": "SERVED", "answers": "ANSWERS", "median_minutes": "WAIT"}
UNITS = {"VISITS": "NUMBER", "SERVED": "PT", "ANSWERS": "NUMBER", "WAIT": "MIN"}
AREAS = {"HILL": "XA01", "MARKET": "XA02", "RIVER": "XA03", T: "XA"}
AGES = {"0-17": "Y0T17", "18-59": "Y18T59", "60-89": "Y60T89", T: T}


def sheet(folder: Path, areas: Mapping[str, str] = AREAS, measures: Mapping[str, str] = MEASURES) -> Path:
    """What a person says: a part for each measure, and maps of codes that all of them share."""
    lines = ["table,part,component,field,value,codes", "visit-figures,,REF_AREA,clinic,,areas.csv"]
    lines.append("visit-figures,,AGE,age,,ages.csv")
    for field, code in measures.items():
        lines += [f"visit-figures,{field},{line}" for line in (
            f"OBS_VALUE,{field},,", f"INDICATOR,,{code},", f"UNIT_MEASURE,,{UNITS[code]},"
        )]  # fmt: skip
    for name, codes in (("areas", areas), ("ages", AGES)):
        rows = "".join(f"{value},{code}\n" for value, code in codes.items())
        (folder / f"{name}.csv").write_text(f"source,target\n{rows}", encoding="utf-8")
    path = folder / "mapping.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def made(
    folder: Path, to: str = "sdmx-csv-2.0", *, mapping: Path | None = None, structure: Iterable[Structure] = (),
    package: Path = RECORDS,
) -> Conversion:  # fmt: skip
    dsd = put_office(folder, structure or office(*FULL))
    return onto(
        package, to, folder / "out", dsds=(str(dsd),), mapping=mapping or sheet(folder), allowed_signers=None,
        draft=True, now=NOW,
    )  # fmt: skip


def codes(findings: Iterable[Finding]) -> dict[str, int]:
    return dict(Counter(finding.code for finding in findings))


def read_back(folder: Path) -> list[Row]:
    """All observations of the messages of a conversion, read by the readers of data of others."""
    store = at_hand(reading.structures(folder / "office.xml"))
    found: list[Row] = []
    for path in sorted((folder / "out").glob("data-*")):
        with data_session(path.parent) as session:
            (data,) = data_reading.data(session, path, store)
            names = ", ".join(identifier(id_) for id_ in data.components)
            rows = session.connection.execute(f"SELECT {names} FROM {data.table}").fetchall()
        found += [dict(zip(data.components, row, strict=True)) for row in rows]
    return found


# The same figures, worked out from the records one by one


def records() -> list[dict[str, str]]:
    text = (RECORDS / "data" / "visits.csv").read_text(encoding="utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def rounded(value: Decimal, decimals: int) -> Decimal:
    return value.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)


def figures(rows: list[dict[str, str]]) -> dict[str, Decimal]:
    """What a cell says of its records."""
    answered = [row for row in rows if row["served"]]
    weights = sum(Decimal(row["weight"]) for row in answered)
    served = sum(Decimal(row["weight"]) for row in answered if row["served"] == "yes")
    waits = [Decimal(row["minutes"]) for row in rows if row["minutes"]]
    return {
        "VISITS": Decimal(len(rows)),
        "SERVED": rounded(100 * served / weights, 1) if weights else Decimal(-1),
        "ANSWERS": Decimal(len(answered)),
        "WAIT": rounded(Decimal(median(waits)), 0) if waits else Decimal(-1),
    }


def naive() -> dict[tuple[str, ...], Decimal]:
    """By indicator, area, sex, age and year, all figures that are declared, the hidden ones too."""
    cells: dict[tuple[str, ...], list[dict[str, str]]] = {}
    for row in records():
        clinic, sex, age = row["clinic"], row["sex"], row["age"]
        for key in ((clinic, sex, T), (clinic, T, age), (clinic, T, T), (T, sex, T), (T, T, age), (T, T, T)):
            cells.setdefault((AREAS[key[0]], key[1], AGES[key[2]], row["year"]), []).append(row)
    return {(code, *key): value for key, rows in cells.items() for code, value in figures(rows).items()}


def key_of(row: Row) -> tuple[str, ...]:
    return tuple(str(row[id_]) for id_ in DIMENSIONS[1:])


@pytest.mark.parametrize("to", FORMATS)
def test_figures_from_records_become_data_of_an_office(to: str, tmp_path: Path) -> None:
    result = made(tmp_path, to)
    assert codes(result.findings) == {"CD758": 1}
    rows, wanted = read_back(tmp_path), naive()
    assert {row["FREQ"] for row in rows} == {"A"}
    assert sorted(map(key_of, rows)) == sorted(wanted)
    hidden = set()
    for row in rows:
        key = key_of(row)
        assert row.get("UNIT_MEASURE") == UNITS[key[0]]
        if row.get("OBS_VALUE") in (None, "NaN"):
            assert (row["OBS_STATUS"], row["CONF_STATUS"]) == ("Q", "C")
            hidden.add(key[1:])
        else:
            assert (row["OBS_STATUS"], row["CONF_STATUS"]) == ("A", "F")
            assert Decimal(str(row["OBS_VALUE"])) == wanted[key], key
    few = {key[1:] for key, value in wanted.items() if key[0] == "VISITS" and value < 5}
    assert len(hidden) == result.findings[0].params["count"] == 8
    assert few <= hidden


def test_each_part_has_a_message_and_a_map_of_its_own(tmp_path: Path) -> None:
    assert set(made(tmp_path).files) == {
        *(f"data-visit-figures@{name}.draft.csv" for name in MEASURES),
        "metadata.draft.csv", "structure-map.xml", "manifest.json",
    }  # fmt: skip
    maps = reading.structures(tmp_path / "out" / "structure-map.xml")
    found = {artefact.id: artefact for artefact in maps if isinstance(artefact, StructureMap)}
    assert set(found) == {f"SM_CLINIC_VISITS_VISIT_FIGURES_DF_HEALTH@{name}" for name in MEASURES}
    served = found["SM_CLINIC_VISITS_VISIT_FIGURES_DF_HEALTH@served_share"]
    sources = {part.targets[0]: part.sources[0] for part in served.components}
    assert (sources["OBS_VALUE"], sources["OBS_STATUS"]) == ("SERVED_SHARE", "OBS_STATUS_SERVED_SHARE")
    assert sources["CONF_STATUS"] == "CONF_STATUS_SERVED_SHARE"
    assert len(pysdmx.io.read_sdmx(tmp_path / "out" / "structure-map.xml").structures or ()) == len(maps)


def test_a_measure_that_nobody_maps_is_told_as_not_published(tmp_path: Path) -> None:
    told = made(
        tmp_path, mapping=sheet(tmp_path, measures={"visits": "VISITS", "median_minutes": "WAIT"})
    ).findings
    assert [(f.code, f.where.field) for f in told if f.code == "CD761"] == [
        ("CD761", "served_share"), ("CD761", "answers"),
    ]  # fmt: skip


def test_data_without_any_figure_are_none(tmp_path: Path) -> None:
    path = sheet(tmp_path, measures={"visits": "VISITS"})
    path.write_text(path.read_text(encoding="utf-8").replace("OBS_VALUE,visits", "OBS_VALUE,"), encoding="utf-8")
    result = made(tmp_path, mapping=path)
    assert result.files == ()
    assert ("CD760", "OBS_VALUE") in [(f.code, f.where.field) for f in result.findings]


@pytest.mark.parametrize("name", ["../out", "A B", "é", "-", "x" * 65])
def test_a_part_is_called_so_that_files_can_be(name: str, tmp_path: Path) -> None:
    path = sheet(tmp_path)
    path.write_text(path.read_text(encoding="utf-8").replace(",visits,", f",{name},", 1), encoding="utf-8")
    result = made(tmp_path, mapping=path)
    assert (result.files, (tmp_path / "out").exists()) == ((), False)
    (told,) = (f for f in result.findings if f.code == "CD765" and f.params["component"] == "part")
    assert "small letters" in told.message()


@pytest.mark.parametrize(
    ("flow", "found"),
    [("DF_OTHER", 1), ("DF_HEALTH", 0), ("urn:sdmx:org.sdmx.infomodel.datastructure.Dataflow=", 0)],
)
def test_a_part_becomes_data_of_one_dataflow(flow: str, found: int, tmp_path: Path) -> None:
    path = sheet(tmp_path)
    with path.open(encoding="utf-8", newline="") as stream:
        header, *lines = csv.reader(stream)
    named = f"{flow}{AGENCY}:DF_HEALTH(1.0)" if flow.startswith("urn") else f"{AGENCY}:{flow}(1.0)"
    flows = [f"{AGENCY}:DF_HEALTH(1.0)"] * (len(lines) - 1) + [named]
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows(
            [[*header, "dataflow"]] + [[*a, b] for a, b in zip(lines, flows, strict=True)]
        )
    told = [f.params["reason"] for f in made(tmp_path, mapping=path).findings if f.code == "CD765"]
    assert told == ["mapping-dataflow"] * found


def test_one_part_of_a_descriptor_has_one_dataflow(tmp_path: Path) -> None:
    package = shutil.copytree(RECORDS, tmp_path / "package")
    path = package / "datapackage.json"
    descriptor = json.loads(path.read_text(encoding="utf-8"))
    descriptor["sdmx"]["indicators"][0]["target"] = [
        {"dataflow": f"{AGENCY}:DF_HEALTH(1.0)", "components": {"AGE": {"field": "age", "codes": AGES}}},
        {"dataflow": f"{AGENCY}:DF_OTHER(1.0)", "components": {"OBS_VALUE": {"field": "visits"}}},
    ]
    path.write_text(json.dumps(descriptor), encoding="utf-8")
    dsd = put_office(tmp_path, office(*FULL))
    result = onto(
        package, "sdmx-csv-2.0", tmp_path / "out", dsds=(str(dsd),), allowed_signers=None, draft=True, now=NOW
    )
    (told,) = (finding for finding in result.findings if finding.code == "CD765")
    assert (told.params["reason"], told.params["component"]) == ("mapping-dataflow", "OBS_VALUE")


def test_figures_are_no_one_value_which_those_that_are_suppressed_would_have_too(tmp_path: Path) -> None:
    path = sheet(tmp_path)
    path.write_text(
        path.read_text(encoding="utf-8").replace("OBS_VALUE,visits,", "OBS_VALUE,,0"), encoding="utf-8"
    )
    result = made(tmp_path, mapping=path)
    (told,) = (finding for finding in result.findings if finding.code == "CD765")
    assert (told.params["component"], told.params["reason"], result.files) == ("OBS_VALUE", "mapping-measure", ())


def test_a_sign_that_leaves_rows_out_is_no_value(tmp_path: Path) -> None:
    path = sheet(tmp_path)
    path.write_text(path.read_text(encoding="utf-8").replace(",VISITS,", ",~,"), encoding="utf-8")
    (told,) = (finding for finding in made(tmp_path, mapping=path).findings if finding.code == "CD765")
    assert told.params["reason"] == "mapping-left-out"


def test_indicators_may_say_in_the_descriptor_what_they_become(tmp_path: Path) -> None:
    package = shutil.copytree(RECORDS, tmp_path / "package")
    path = package / "datapackage.json"
    descriptor = json.loads(path.read_text(encoding="utf-8"))
    shared = {"REF_AREA": {"field": "clinic", "codes": AREAS}, "AGE": {"field": "age", "codes": AGES}}
    descriptor["sdmx"]["indicators"][0]["target"] = [
        {"part": field, "dataflow": f"{AGENCY}:DF_HEALTH(1.0)", "components": shared | {
            "OBS_VALUE": {"field": field}, "INDICATOR": {"value": code}, "UNIT_MEASURE": {"value": UNITS[code]},
        }}
        for field, code in MEASURES.items()
    ]  # fmt: skip
    path.write_text(json.dumps(descriptor), encoding="utf-8")
    dsd = put_office(tmp_path, office(*FULL))
    result = onto(
        package, "sdmx-csv-2.0", tmp_path / "out", dsds=(str(dsd),), allowed_signers=None, draft=True, now=NOW
    )
    assert codes(result.findings) == {"CD758": 1}
    said = read_back(tmp_path)
    assert codes(made(tmp_path).findings) == {"CD758": 1}
    assert said == read_back(tmp_path)


def test_what_one_part_lacks_is_told_of_it_and_what_all_lack_of_the_table(tmp_path: Path) -> None:
    path = sheet(tmp_path)
    text = path.read_text(encoding="utf-8").replace("INDICATOR,,WAIT,", "INDICATOR,,,")
    path.write_text(text.replace("visit-figures,,AGE,age,,ages.csv", "visit-figures,,AGE,,,"), encoding="utf-8")
    told = [
        (f.where.field, f.params["resource"]) for f in made(tmp_path, mapping=path).findings if f.code == "CD760"
    ]
    assert told == [("AGE", "visit-figures"), ("INDICATOR", "visit-figures (median_minutes)")]


def test_the_descriptor_may_have_parts(tmp_path: Path) -> None:
    package = shutil.copytree(ROOT / "examples" / "waiting-times" / "package", tmp_path / "package")
    path = package / "datapackage.json"
    descriptor = json.loads(path.read_text(encoding="utf-8"))
    said = [
        {"part": part, "dataflow": f"{AGENCY}:DF_HEALTH(1.0)", "components": {
            "OBS_VALUE": {"field": part}, "INDICATOR": {"value": code}, "REF_AREA": {"value": "XA"},
            "SEX": {"value": T}, "AGE": {"value": T}, "UNIT_MEASURE": {"value": "NUMBER"},
        }}
        for part, code in (("minutes", "WAIT"), ("served", "SERVED"))
    ]  # fmt: skip
    descriptor["resources"][0]["sdmx"] = {"target": said}
    path.write_text(json.dumps(descriptor), encoding="utf-8")
    (first, *_) = descriptor["resources"]
    measures = [f["name"] for f in first["schema"]["fields"] if f.get("sdmx", {}).get("role") == "measure"]
    assert len(measures) > 1
    dsd = put_office(tmp_path, office(*FULL))
    result = map_package(package, (str(dsd),), tmp_path / "m")
    names = [table.name for table in result.tables if table.flow.table.name == first["name"]]
    assert names == ["", "minutes", "served"]


# What is suppressed


@pytest.mark.parametrize(
    ("attributes", "changed", "count"),
    [
        (FULL, "", 0),
        ((STATUSES[0], UNIT), "", 0),
        ((STATUSES[1], UNIT), "", 0),
        ((UNIT,), "", 4),
        (FULL, "OBS_STATUS,,A,\nvisit-figures,,CONF_STATUS,,F,", 4),
        ((STATUSES[0], UNIT), "OBS_STATUS,,A,", 4),
    ],
)
def test_what_is_suppressed_says_so_or_is_told(
    attributes: tuple[Attribute, ...], changed: str, count: int, tmp_path: Path
) -> None:
    path = sheet(tmp_path)
    if changed:
        path.write_text(path.read_text(encoding="utf-8") + f"visit-figures,,{changed}\n", encoding="utf-8")
    result = made(tmp_path, mapping=path, structure=office(*attributes))
    told = [finding for finding in result.findings if finding.code == "CD773"]
    assert [finding.params["count"] for finding in told] == [8] * count
    assert all(finding.severity() == "warning" for finding in told)
    values = {key_of(row): row.get("OBS_VALUE") for row in read_back(tmp_path)}
    assert Counter(value is None for value in values.values())[True] == 8 * len(MEASURES)
    assert "0" not in values.values()


def test_a_code_that_others_have_tells_nothing_of_suppression(tmp_path: Path) -> None:
    path = sheet(tmp_path)
    lines = "".join(f"visit-figures,{name},OBS_STATUS,OBS_STATUS_{name.upper()},,flat.csv\n" for name in MEASURES)
    path.write_text(path.read_text(encoding="utf-8") + lines, encoding="utf-8")
    for code, count in (("A", 4), ("M", 0)):
        (tmp_path / "flat.csv").write_text(f"source,target\nQ,{code}\n", encoding="utf-8")
        result = made(tmp_path, mapping=path, structure=office(STATUSES[0], UNIT))
        assert codes(result.findings).get("CD773", 0) == count


CANARY = "canary7713"


def watched(folder: Path, weight: str = "1.7713") -> Path:
    """The records with a column more, and one record with a weight that no other has."""
    package = shutil.copytree(RECORDS, folder / "package")
    path, table = package / "datapackage.json", package / "data" / "visits.csv"
    descriptor = json.loads(path.read_text(encoding="utf-8"))
    note = {"name": "note", "type": "string", "title": "Note", "citizenData": {"disclosureRole": "NONE"}}
    descriptor["resources"][0]["schema"]["fields"].append(note)
    path.write_text(json.dumps(descriptor), encoding="utf-8")
    rows = records()
    rows[3]["weight"] = weight
    with table.open("w", newline="", encoding="utf-8") as stream:
        written = csv.DictWriter(stream, [*rows[0], "note"])
        written.writeheader()
        written.writerows({**row, "note": f"{CANARY}-{number}"} for number, row in enumerate(rows))
    return package


@pytest.mark.parametrize("to", FORMATS)
@pytest.mark.parametrize("weight", ["1.7713", f"{CANARY}-x"])
def test_nothing_of_a_record_is_in_what_is_written_and_told(to: str, weight: str, tmp_path: Path) -> None:
    package = watched(tmp_path, weight)
    result = made(tmp_path, to, package=package)
    assert bool(result.files) is (weight == "1.7713")
    for finding in result.findings:
        for language in ("en", "es", "fr"):
            assert not told_by(finding.message(language) + finding.remedy(language) + str(finding.where))
    for path in (tmp_path / "out").glob("*"):
        assert not told_by(path.read_text(encoding="utf-8")), path.name
    printed = run([
        "map", str(package), "--dsd", str(tmp_path / "office.xml"), "--out", str(tmp_path / "m"),
    ])  # fmt: skip
    assert not told_by(printed)
    for path in (tmp_path / "m").glob("*"):
        assert not told_by(path.read_text(encoding="utf-8-sig")), path.name


def told_by(text: str) -> bool:
    return CANARY in text or "1.7713" in text


# What is proposed


def test_each_measure_is_proposed_as_a_part(tmp_path: Path) -> None:
    dsd = put_office(tmp_path, office(*FULL))
    result = map_package(RECORDS, (str(dsd),), tmp_path / "m")
    shared, *parts = result.tables
    assert [table.name for table in parts] == list(MEASURES)
    assert [part.component.id for part in shared.parts] == ["FREQ", "SEX", "AGE", "TIME_PERIOD"]
    for table in parts:
        sources = {part.component.id: part.proposal.source.component for part in table.parts}
        assert sources == {
            "INDICATOR": "", "REF_AREA": "", "OBS_VALUE": table.name.upper(),
            "OBS_STATUS": f"OBS_STATUS_{table.name.upper()}", "CONF_STATUS": f"CONF_STATUS_{table.name.upper()}",
            "UNIT_MEASURE": f"UNIT_MEASURE_{table.name.upper()}",
        }  # fmt: skip
    assert result.tables[0].left == ("clinic",)


def test_an_edited_proposal_in_parts_is_what_is_converted(tmp_path: Path) -> None:
    dsd = put_office(tmp_path, office(*FULL))
    folder = tmp_path / "m"
    map_package(RECORDS, (str(dsd),), folder)
    said = {
        "INDICATOR": ("value", MEASURES),
        "UNIT_MEASURE": ("value", {k: UNITS[c] for k, c in MEASURES.items()}),
    }
    with (folder / "mapping.csv").open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    for row in rows:
        if row["component"] in said:
            column, values = said[row["component"]]
            row |= {"field": "", "codes": "", column: values[row["part"]]}
        if row["component"] == "REF_AREA":
            row |= {"field": "clinic", "codes": "areas.csv"}
        if row["component"] == "AGE":
            row |= {"codes": "ages.csv"}
    sheet(folder)
    with (folder / "mapping.csv").open("w", encoding="utf-8", newline="") as stream:
        written = csv.DictWriter(stream, list(rows[0]))
        written.writeheader()
        written.writerows(rows)
    assert codes(made(tmp_path, mapping=folder / "mapping.csv").findings) == {"CD758": 1}
    edited = read_back(tmp_path)
    assert codes(made(tmp_path).findings) == {"CD758": 1}
    assert edited == read_back(tmp_path)


def test_maps_of_codes_that_a_person_edited_are_left_as_they_are(tmp_path: Path) -> None:
    dsd = put_office(tmp_path, office(*FULL))
    edited = (
        tmp_path
        / "mapping"
        / next(n for n in map_package(RECORDS, [str(dsd)], tmp_path / "m").files if "AGE" in n)
    )
    edited.parent.mkdir()
    edited.write_text("source,target\n0-17,Y0T17\n", encoding="utf-8")
    with pytest.raises(OutputError, match="may have been edited"):
        map_package(RECORDS, [str(dsd)], edited.parent)
    assert [path.name for path in edited.parent.iterdir()] == [edited.name]
    assert edited.read_text(encoding="utf-8") == "source,target\n0-17,Y0T17\n"
    assert edited.name in map_package(RECORDS, [str(dsd)], edited.parent, replaced=True).files


# Rows that are left out


@pytest.mark.parametrize("more", [0, 2000])
def test_a_value_to_be_left_out_that_no_row_has_is_told_and_not_shown(more: int, tmp_path: Path) -> None:
    areas = {**AREAS, "river": "~", "": "~", "RIVER": "~"} | {f"NOWHERE{n}": "XA" for n in range(more)}
    told = [f for f in made(tmp_path, mapping=sheet(tmp_path, areas)).findings if f.code == "CD775"]
    assert [(f.params["count"], f.where.field, f.severity()) for f in told] == [(2, "REF_AREA", "warning")] * 4
    assert not any("river" in f"{f}{f.message(language)}" for f in told for language in ("en", "es", "fr"))


@pytest.mark.parametrize("more", [0, 2000])
def test_rows_that_are_left_out_are_counted_and_no_other_is_missing(more: int, tmp_path: Path) -> None:
    areas = {**AREAS, "RIVER": "~", T: "~"} | {f"NOWHERE{n}": "XA" for n in range(more)}
    result = made(tmp_path, mapping=sheet(tmp_path, areas))
    told = [finding for finding in result.findings if finding.code == "CD770"]
    kept = {key: value for key, value in naive().items() if key[1] not in ("XA", "XA03")}
    assert sorted(map(key_of, read_back(tmp_path))) == sorted(kept)
    for finding in told:
        assert finding.params["total"] - finding.params["count"] == len(kept) // len(MEASURES)
        assert (finding.where.field, finding.severity()) == ("REF_AREA", "info")
    assert told


def test_the_map_of_codes_says_what_is_left_out(tmp_path: Path) -> None:
    made(tmp_path, mapping=sheet(tmp_path, {**AREAS, "RIVER": "~"}))
    path = tmp_path / "out" / "structure-map.xml"
    maps = [a for a in reading.structures(path) if isinstance(a, RepresentationMap) and a.id.endswith("REF_AREA")]
    assert {ValueMapping(("RIVER",), ()) in each.mappings for each in maps} == {True}
    assert oracle.problems(path.read_bytes(), "sdmx-ml-3.0") == ()


def test_a_part_of_which_all_rows_are_left_out_has_no_message(tmp_path: Path) -> None:
    path = sheet(tmp_path)
    text = path.read_text(encoding="utf-8") + "visit-figures,answers,SEX,sex,,none.csv\n"
    path.write_text(text, encoding="utf-8")
    (tmp_path / "none.csv").write_text("source,target\nF,~\nM,~\n_T,~\n", encoding="utf-8")
    result = made(tmp_path, mapping=path)
    (told,) = (f.params for f in result.findings if f.code == "CD770")
    assert (told["count"], told["total"]) == (48, 48)
    assert [name for name in result.files if name.startswith("data")] == [
        f"data-visit-figures@{name}.draft.csv" for name in sorted(MEASURES) if name != "answers"
    ]


def test_a_mapping_that_leaves_all_rows_out_is_none(tmp_path: Path) -> None:
    with pytest.raises(ConversionError, match="the mapping leaves all rows out"):
        made(tmp_path, mapping=sheet(tmp_path, dict.fromkeys(AREAS, "~")))
    assert not (tmp_path / "out").exists()


def test_a_value_without_a_code_is_never_left_out(tmp_path: Path) -> None:
    result = made(tmp_path, mapping=sheet(tmp_path, {**AREAS, "RIVER": ""}))
    assert result.files == ()
    assert set(codes(result.findings)) == {"CD758", "CD783"}


# Several tables onto one dataflow


PLAIN = json.loads((ROOT / "examples" / "rules" / "base" / "datapackage.json").read_text(encoding="utf-8"))


def tables(folder: Path, *given: Iterable[tuple[str, int]]) -> Path:
    """A package with a table of clinics and years for each set of keys."""
    package = folder / "tables"
    shutil.rmtree(package, ignore_errors=True)
    (package / "data").mkdir(parents=True)
    (table,) = PLAIN["resources"]
    resources = []
    for number, keys in enumerate(given):
        rows = "".join(f"{clinic},{year},5,10\n" for clinic, year in keys)
        text = f"clinic,year,within_hour,answers\n{rows}"
        (package / "data" / f"t{number}.csv").write_text(text, encoding="utf-8")
        resources.append(table | {"name": f"t{number}", "path": f"data/t{number}.csv"})
    (package / "datapackage.json").write_text(json.dumps(PLAIN | {"resources": resources}), encoding="utf-8")
    return package


def of_tables(folder: Path, *given: Iterable[tuple[str, int]], to: str = "sdmx-csv-2.0") -> Conversion:
    lines = ["table,component,field,value,codes"]
    for number, _ in enumerate(given):
        lines += [f"t{number},{line}" for line in (
            "REF_AREA,clinic,,areas.csv", "SEX,,_T,", "AGE,,_T,", "INDICATOR,,SERVED,", "UNIT_MEASURE,,PT,"
        )]  # fmt: skip
    path = sheet(folder).with_name("tables.csv")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return made(folder, to, mapping=path, package=tables(folder, *given))


KEYS = st.sets(st.tuples(st.sampled_from(["HILL", "MARKET", "RIVER"]), st.integers(2020, 2024)), min_size=1)


@settings(max_examples=15, deadline=None)
@given(first=KEYS, second=KEYS, third=KEYS)
def test_keys_of_tables_of_one_dataflow_are_looked_at_together(
    tmp_path_factory: pytest.TempPathFactory, first: Any, second: Any, third: Any
) -> None:
    given_ = [sorted(first), sorted(second), sorted(third)]
    result = of_tables(tmp_path_factory.mktemp("tables"), *given_)
    told = {
        (f.params["resource"], f.params["other"]): f.params["count"] for f in result.findings if f.code == "CD771"
    }
    pairs = {(0, 1): first & second, (0, 2): first & third, (1, 2): second & third}
    assert told == {(f"t{a}", f"t{b}"): len(keys) for (a, b), keys in pairs.items() if keys}
    assert bool(result.files) is (not told)


def test_both_tables_are_named_in_each_language(tmp_path: Path) -> None:
    rows = [("HILL", 2024), ("RIVER", 2024)]
    (finding,) = (f for f in of_tables(tmp_path, rows, rows).findings if f.code == "CD771")
    for language, start in (("en", "2 combinations"), ("es", "2 combinaciones"), ("fr", "2 combinaisons")):
        told = finding.message(language)
        assert told.startswith(start)
        assert "t0" in told
        assert "t1" in told


def test_parts_with_one_key_are_told_too(tmp_path: Path) -> None:
    path = sheet(tmp_path)
    text = path.read_text(encoding="utf-8").replace("INDICATOR,,ANSWERS", "INDICATOR,,VISITS")
    path.write_text(text, encoding="utf-8")
    (told,) = (f for f in made(tmp_path, mapping=path).findings if f.code == "CD771")
    assert (told.params["resource"], told.params["other"]) == ("visit-figures (visits)", "visit-figures (answers)")
    assert told.params["count"] == 48


# Bundles


def steps(folder: Path) -> list[str]:
    lines = (folder / "out" / "README.md").read_text(encoding="utf-8").splitlines()
    return [line.partition(". ")[2] for line in lines if line[:1].isdigit()]


@pytest.mark.parametrize("to", BUNDLES)
def test_no_data_structure_is_in_a_bundle_for_those_who_have_it(to: str, tmp_path: Path) -> None:
    result = made(tmp_path, to)
    messages = [path for path in (tmp_path / "out").glob("[0-9]-*") if "metadata" not in path.name]
    found = [artefact for path in sorted(messages) for artefact in reading.structures(path)]
    kinds = {artefact.kind for artefact in found}
    assert {"Codelist", "ConceptScheme", "MetadataStructure"} <= kinds
    assert kinds.isdisjoint({"DataStructure", "Dataflow"})
    ours = {artefact.urn for artefact in profile_artefacts() if artefact.kind in kinds}
    others = {artefact.kind for artefact in found if artefact.urn not in ours}
    assert others <= {"AgencyScheme", "MetadataProviderScheme", "MetadataProvisionAgreement"}
    assert ours <= {artefact.urn for artefact in found}
    named = [line.split("`")[1] for line in steps(tmp_path) if line.startswith("`")]
    assert set(named) == set(result.files) - {"README.md", "structure-map.xml", "manifest.json"}
    told = (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    assert "`EXAMPLE_NSO:DF_HEALTH(1.0)`" in told
    assert "`EXAMPLE_NSO:DSD_HEALTH(1.0)`" in told
    missing = {ref.short for ref in Store(found).missing()}
    assert "SDMX:CL_FREQ(2.1)" in missing
    assert all(f"`{name}`" in told for name in missing)


def test_the_registry_gets_the_report_on_their_dataflow(tmp_path: Path) -> None:
    made(tmp_path, "fmr")
    (path,) = (tmp_path / "out").glob("*-metadata.json")
    (report,) = reading.metadata(path)
    assert report.targets == (Ref("Dataflow", AGENCY, "DF_HEALTH", "1.0").urn,)
    names = [line.split("`")[1] for line in steps(tmp_path)]
    assert names[:5] == [
        "1-codelists.json", "2-concepts.json", "3-structures.json", "4-agreements.json", "5-metadata.json",
    ]  # fmt: skip
    scheme = json.loads((tmp_path / "out" / "1-codelists.json").read_text(encoding="utf-8"))["data"][
        "agencySchemes"
    ]
    assert [agency["id"] for each in scheme for agency in each["agencies"]] == ["WAITING"]


def test_stat_gets_the_report_once_with_all_their_dimensions(tmp_path: Path) -> None:
    made(tmp_path, "dotstat")
    with (tmp_path / "out" / "metadata-df_health.csv").open(encoding="utf-8", newline="") as stream:
        (row,) = csv.DictReader(stream)
    assert row["STRUCTURE_ID"] == "EXAMPLE_NSO:DF_HEALTH(1.0)"
    assert tuple(row)[3:9] == DIMENSIONS
    assert {row[id_] for id_ in DIMENSIONS} == {""}
    paths = {".".join(path) for top in metadata_structure().attributes for path in ways(top)}
    assert set(tuple(row)[9:]) <= paths
    assert [line.split("`")[1] for line in steps(tmp_path) if line.startswith("`metadata")] == [
        "metadata-df_health.csv"
    ]


def ways(attribute_: Any, above: tuple[str, ...] = ()) -> Iterable[tuple[str, ...]]:
    yield (*above, attribute_.id)
    for child in attribute_.children:
        yield from ways(child, (*above, attribute_.id))


OURS = metadata_structure().ref
OTHER = dataclasses.replace(OURS, agency="X", id="OTHER")


@pytest.mark.parametrize(
    ("link", "step", "finding"), [(None, 1, 0), (OURS, 0, 0), (OTHER, 1, 1)], ids=["none", "ours", "other"]
)
def test_the_link_to_our_metadata_structure_is_theirs_to_make(
    link: Ref | None, step: int, finding: int, tmp_path: Path
) -> None:
    notes = (sdmx_ml_21.metadata_annotation(link),) if link else ()
    result = made(tmp_path, "dotstat", structure=office(*FULL, annotations=notes))
    own = [line for line in steps(tmp_path) if line.startswith("By you")]
    assert len(own) == step
    assert codes(result.findings).get("CD774", 0) == finding
    for line in own:
        assert steps(tmp_path).index(line) == 1
        assert f"<AnnotationTitle>{OURS.urn}</AnnotationTitle><AnnotationType>METADATA</AnnotationType>" in line
        assert (str(OTHER.id) in line) is (link == OTHER)


@pytest.mark.parametrize("language", ["en", "es", "fr"])
def test_the_readme_is_in_the_language_of_the_package(language: str, tmp_path: Path) -> None:
    package = shutil.copytree(RECORDS, tmp_path / "package")
    path = package / "datapackage.json"
    descriptor = json.loads(path.read_text(encoding="utf-8"))
    descriptor["citizenData"]["metadataLanguages"] = [language]
    path.write_text(json.dumps(descriptor | {"languages": [language]}), encoding="utf-8")
    made(tmp_path, "dotstat", package=package)
    lines = (tmp_path / "out" / "README.md").read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith("# ")
    assert len([line for line in lines if line.startswith("- ")]) == 2
    assert lines[-1].count("`") == 4


@pytest.mark.parametrize(("unit", "told"), [("PT", 0), ("", 1)])
def test_a_unit_that_the_mapping_gives_is_not_missed(unit: str, told: int, tmp_path: Path) -> None:
    package = shutil.copytree(ROOT / "examples" / "public-service-satisfaction" / "package", tmp_path / "package")
    path = package / "datapackage.json"
    descriptor = json.loads(path.read_text(encoding="utf-8"))
    for field in descriptor["resources"][0]["schema"]["fields"]:
        field.get("sdmx", {}).pop("unit", None)
    path.write_text(json.dumps(descriptor), encoding="utf-8")
    mapping = shutil.copytree(ROOT / "examples" / "structures" / "mapping", tmp_path / "mapping") / "mapping.csv"
    text = mapping.read_text(encoding="utf-8")
    assert text.count(",,PT,") == 1
    mapping.write_text(text.replace(",,PT,", f",,{unit},"), encoding="utf-8")
    dsd = str(ROOT / "examples" / "structures" / "sdg-like.xml")
    result = onto(
        package,
        "sdmx-csv-2.0",
        tmp_path / "out",
        dsds=(dsd,),
        mapping=mapping,
        allowed_signers=None,
        draft=True,
        now=NOW,
    )
    assert codes(result.findings).get("CD708", 0) == told


@pytest.mark.parametrize(("language", "title"), [("en", "# For .Stat Suite"), ("es", "# Para .Stat Suite")])
def test_the_command_writes_the_readme_in_the_language_of_who_converts(
    language: str, title: str, tmp_path: Path
) -> None:
    dsd = put_office(tmp_path, office(*FULL))
    out = tmp_path / "stat"
    run([
        "convert", str(RECORDS), "--to", "dotstat", "--out", str(out), "--draft", "--dsd", str(dsd),
        "--mapping", str(sheet(tmp_path)), "--lang", language,
    ])  # fmt: skip
    assert (out / "README.md").read_text(encoding="utf-8").splitlines()[0] == title


def test_tables_of_dataflows_with_one_id_have_files_of_their_own(tmp_path: Path) -> None:
    other = office(*FULL, flow="df_health")[-1]
    path = sheet(tmp_path)
    text = path.read_text(encoding="utf-8").replace("table,part,", "table,part,dataflow,")
    lines = text.splitlines()
    said = []
    for line in lines[1:]:
        table, part, *rest = line.split(",")
        flow = f"{AGENCY}:{'df_health' if part == 'visits' else 'DF_HEALTH'}(1.0)" if part else ""
        said.append(",".join([table, part, flow, *rest]))
    path.write_text("\n".join([lines[0], *said]) + "\n", encoding="utf-8")
    result = made(tmp_path, "dotstat", mapping=path, structure=[*office(*FULL), other])
    assert {name for name in result.files if name.startswith("metadata")} == {
        "metadata-df_health.csv",
        "metadata-df_health-2.csv",
    }


def test_a_report_by_another_structure_is_no_table_for_stat(tmp_path: Path) -> None:
    dsd = put_office(tmp_path, office(*FULL))
    given_: dict[str, Any] = {"dsds": (str(dsd),), "mapping": sheet(tmp_path), "allowed_signers": None}
    how: dict[str, Any] = {"draft": True, "now": NOW, "reports": ("SDG_MSD",)}
    with pytest.raises(ConversionError):
        onto(RECORDS, "dotstat", tmp_path / "out", **given_, **how)
    files = onto(RECORDS, "fmr", tmp_path / "out", **given_, **how).files
    assert "missing-sdg_msd.csv" in files
    (path,) = (tmp_path / "out").glob("*-metadata.json")
    assert len(reading.metadata(path)) == 2
    found = [a for p in (tmp_path / "out").glob("[1-4]-*") for a in reading.structures(p)]
    assert "MDF_SDG_MSD" in {a.id for a in found}
    assert not any(isinstance(a, MetadataStructure) and a.id == "SDG_MSD" for a in found)


def test_the_commands_take_bundles(tmp_path: Path) -> None:
    dsd = put_office(tmp_path, office(*FULL))
    for to in BUNDLES:
        printed = run([
            "convert", str(RECORDS), "--to", to, "--out", str(tmp_path / to), "--draft", "--dsd", str(dsd),
            "--mapping", str(sheet(tmp_path)),
        ])  # fmt: skip
        assert f"Wrote {to} to" in printed
