"""Reports by other people's metadata structures: what fills them, and that they keep to them."""

import csv
import dataclasses
import datetime as dt
import json
import shutil
from io import BytesIO
from pathlib import Path
from typing import Any

import pysdmx.io
import pytest
from commands import exit_code as run
from foreign_structures import foreign_structure

from cdmeta import framework, profile
from cdmeta.dataset import Dataset, to_dataset
from cdmeta.formats import sdmx_json, sdmx_ml
from cdmeta.formats.oracle import problems
from cdmeta.package import load
from cdmeta.schema import example
from cdmeta.sdmx.artefacts import Header, MetadataAttribute, ReportedAttribute
from cdmeta.sdmx.reports import (
    HEADING,
    ForeignReport,
    Template,
    foreign_report,
    templates,
)
from cdmeta.sdmx.structures import structures
from cdmeta.tables.relations import code_rows
from cdmeta.text import Text

EXAMPLE = Path(__file__).parent.parent / "examples" / "public-service-satisfaction" / "package"
NOW = dt.datetime(2026, 3, 2, 10, 0, tzinfo=dt.UTC)
FIELDS = profile.load().fields
TEMPLATES = templates()
SDG, ESMS = TEMPLATES["SDG_MSD"], TEMPLATES["ESMS_MSD"]
HEADER = Header("REPORT", NOW, "CDMETA.EXAMPLELAND")
SLOTS = [(template, slot) for template in TEMPLATES.values() for slot in template.slots]


def read(package: Path) -> Dataset:
    loaded = load(package)
    decision = framework.decide(framework.read(loaded.answers))
    return to_dataset(loaded, decision, lambda resource: code_rows(loaded, resource))[0]


def filled(package: Path, template: Template) -> ForeignReport:
    dataset = read(package)
    return foreign_report(template, dataset, structures(dataset))


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A package in which every field of the profile is answered, by its own example."""
    package = Path(shutil.copytree(EXAMPLE, tmp_path_factory.mktemp("full") / "package"))
    file = package / "datapackage.json"
    descriptor = json.loads(file.read_text(encoding="utf-8"))
    for path, entry in FIELDS.items():
        parts = path.split(".")
        if parts[0] != "citizenData" or "[]" in path or entry.tier == "tool" or len(parts) > 3:
            continue
        holder = descriptor["citizenData"]
        for part in parts[1:-1]:
            holder = holder.setdefault(part, {})
        holder.setdefault(parts[-1], example(entry))
    file.write_text(json.dumps(descriptor, ensure_ascii=False), encoding="utf-8")
    return package


def walk(attributes: tuple[ReportedAttribute, ...]) -> list[ReportedAttribute]:
    return [each for top in attributes for each in (top, *walk(top.children))]


def said(made: ForeignReport, language: str = "en") -> dict[str, str]:
    values = ((each.id, each.value) for each in walk(made.report.set.attributes) if each.value is not None)
    return {id_: value.as_dict().get(language, "") if isinstance(value, Text) else value for id_, value in values}


# --- the tables


def test_the_sdg_structure_is_the_published_one() -> None:
    """44 attributes, flat, each once; one of them a day."""
    urn = "urn:sdmx:org.sdmx.infomodel.metadatastructure.MetadataStructure=IAEG-SDGs:SDG_MSD(1.0)"
    assert SDG.structure.urn == urn
    assert len({slot.id for slot in SDG.slots}) == len(SDG.slots) == 44
    assert {slot.parent for slot in SDG.slots} == {""}
    assert [slot.id for slot in SDG.slots if slot.type == "GregorianDay"] == ["META_LAST_UPDATE"]


@pytest.mark.parametrize(("template", "slot"), SLOTS, ids=[f"{t.id}.{s.id}" for t, s in SLOTS])
def test_an_attribute_is_filled_by_fields_that_exist(template: Template, slot: Any) -> None:
    before = template.slots[: template.slots.index(slot)]
    assert not slot.parent or slot.parent in {each.id for each in before}
    assert slot.type in ("", HEADING, "GregorianDay")
    assert slot.type != HEADING or not slot.answers
    for path in slot.paths:
        assert FIELDS[path].concept, f"{path} is in no report, so it can fill nothing"


@pytest.mark.parametrize(("prefix", "template"), [("SDG_MSD:", SDG), ("ESMS:", ESMS)])
def test_what_the_profile_links_fills_what_it_links_to(prefix: str, template: Template) -> None:
    """The links of the fields and the tables of the reports tell the same."""
    slots = {slot.id: slot for slot in template.slots}
    wrong = {
        f"{path} → {target}"
        for path, entry in FIELDS.items()
        for link in entry.links
        if link.startswith(prefix) and (target := link.removeprefix(prefix)) in slots
        if slots[target].type != HEADING
        and not any(part == path or part.startswith(f"{path}[") for part in slots[target].paths)
    }
    assert wrong == set()


# --- the reports


@pytest.mark.parametrize("template", TEMPLATES.values(), ids=TEMPLATES)
def test_a_report_keeps_to_its_structure(template: Template, everything: Path) -> None:
    def check(reported: tuple[ReportedAttribute, ...], known: tuple[MetadataAttribute, ...]) -> None:
        by_id = {attribute.id: attribute for attribute in known}
        assert len({each.id for each in reported}) == len(reported)
        for each in reported:
            assert (each.value is None) is by_id[each.id].presentational
            check(each.children, by_id[each.id].children)

    for package in (EXAMPLE, everything):
        made = filled(package, template)
        check(made.report.set.attributes, foreign_structure(template).attributes)
        assert made.metadataflow.structure == template.structure
        assert made.report.set.metadataflow == made.metadataflow.ref
        assert made.report.agreement.metadataflow == made.metadataflow.ref


@pytest.mark.parametrize("template", TEMPLATES.values(), ids=TEMPLATES)
def test_what_is_answered_is_filled_and_the_rest_is_told_as_missing(template: Template, everything: Path) -> None:
    valued = {slot.id for slot in template.slots if slot.type != HEADING}
    for package in (EXAMPLE, everything):
        made = filled(package, template)
        missing = {slot.id for slot in made.missing}
        assert said(made).keys() | missing == valued
        assert not said(made).keys() & missing
        assert made.filled == len(said(made))
    assert {slot.id for slot in made.missing if slot.paths} == set()
    assert made.filled > len(valued) * 0.6


def test_an_sdg_report_tells_what_the_package_tells(everything: Path) -> None:
    told = said(filled(everything, SDG))
    assert (told["SDG_GOAL"], told["SDG_TARGET"], told["SDG_INDICATOR"]) == ("16", "16.6", "16.6.2")
    assert told["META_LAST_UPDATE"] == "2026-01-15"
    assert told["CONTACT_EMAIL"] == "citizen-data@example.org"
    assert told["DATA_VALIDATION"].splitlines()[1:] == ["Checked again: 10 %", "Duplicates removed: 3"]
    assert told["FREQ_COLL"] == "Frequency of collection: Annual\nPeriod of collection: 2025-02-03 to 2025-03-28"
    assert "Name of the initiator: Statistical Office of Exampleland (made up) (Nat" in told["SOURCE_TYPE"]
    assert "Status as citizen data: Citizen data" in told["SOURCE_TYPE"]
    assert "Level in collecting: Partnership" in told["COLL_METHOD"]
    assert "CONSENT_" not in told["COLL_METHOD"]


def test_headings_hold_what_stands_below_them() -> None:
    made = filled(EXAMPLE, ESMS)
    top = {each.id: each for each in made.report.set.attributes}
    assert [child.id for child in top["CONTACT"].children] == [
        "CONTACT_ORGANISATION", "CONTACT_NAME", "CONTACT_EMAIL",
    ]  # fmt: skip
    assert "COHERENCE" not in top, "nothing is known of coherence, so its heading is left out"


def test_a_language_stands_where_everything_is_told_in_it() -> None:
    """The example is written in English, its purpose also in French, its contact in English only."""
    values = {each.id: each.value for each in walk(filled(EXAMPLE, SDG).report.set.attributes)}
    purpose, contact = values["RATIONALE"], values["CONTACT_NAME"]
    assert isinstance(purpose, Text)
    assert isinstance(contact, Text)
    assert set(purpose.languages) == {"en", "fr"}
    assert set(contact.languages) == {"en"}
    assert "Les habitants ont dit" in purpose.as_dict()["fr"]
    assert "Les habitants ont dit" not in purpose.as_dict()["en"]


def test_what_is_withheld_is_said_to_be_withheld(tmp_path: Path) -> None:
    package = Path(shutil.copytree(EXAMPLE, tmp_path / "package"))
    file = package / "datapackage.json"
    descriptor = json.loads(file.read_text(encoding="utf-8"))
    descriptor["citizenData"]["initiators"][0]["name"] = profile.WITHHELD
    descriptor["citizenData"]["geography"] = [profile.WITHHELD]
    file.write_text(json.dumps(descriptor), encoding="utf-8")
    told = said(filled(package, SDG))
    assert "Name of the initiator: Withheld for safety (" in told["SOURCE_TYPE"]
    assert "Area: Withheld for safety" in told["COVERAGE"]
    assert not [value for value in told.values() if profile.WITHHELD in value]


@pytest.mark.parametrize("template", TEMPLATES.values(), ids=TEMPLATES)
def test_the_official_schemas_take_them(template: Template, everything: Path) -> None:
    made = filled(everything, template)
    sets, artefacts = [made.report.set], (made.metadataflow, *made.report.artefacts)
    assert not list(problems(sdmx_ml.metadata(sets, HEADER), "sdmx-ml-3.0"))
    assert not list(problems(sdmx_ml.structures(artefacts, HEADER), "sdmx-ml-3.0"))
    assert not list(problems(sdmx_json.metadata(sets, HEADER), "sdmx-json-2.0-metadata"))
    assert not list(problems(sdmx_json.structures(artefacts, HEADER), "sdmx-json-2.0-structure"))


def test_pysdmx_reads_an_sdg_report_value_by_value(everything: Path) -> None:
    made = filled(everything, SDG)
    message = BytesIO(sdmx_json.metadata([made.report.set], HEADER))
    (report,) = pysdmx.io.read_sdmx(message, validate=False).reports or ()
    read = {each.id: each.value for each in report.attributes}
    wanted = {
        each.id: each.value.as_dict() if isinstance(each.value, Text) else each.value
        for each in made.report.set.attributes
    }
    assert read == wanted
    assert report.metadataflow == made.metadataflow.urn


# --- the command


def test_the_command_writes_the_reports_and_lists_what_they_miss(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    options = ["--draft", "--to", "sdmx-ml-3.0", "--out", str(out), "--report", "sdg_msd", "--report", "ESMS_MSD"]
    assert run("convert", str(EXAMPLE), *options) == 0
    told = capsys.readouterr().out
    made = filled(EXAMPLE, SDG)
    assert f"SDG_MSD: {made.filled} attributes are filled, {len(made.missing)} are not:" in told
    assert "  UNIT_MEASURE (2.b. Unit of measure): answer citizenData.unitMeasure\n" in told
    assert "The profile does not ask for these: SDG_RELATED_INDICATORS, " in told
    names = {path.name for path in out.iterdir()}
    assert {"metadata-sdg_msd.xml", "metadata-esms_msd.xml", "metadata.xml", "missing-sdg_msd.csv"} <= names
    with (out / "missing-sdg_msd.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["attribute"] for row in rows] == [slot.id for slot in made.missing]
    unit = next(row for row in rows if row["attribute"] == "UNIT_MEASURE")
    assert (unit["answer"], unit["question"]) == (
        "citizenData.unitMeasure",
        FIELDS["citizenData.unitMeasure"].question,
    )
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    assert set(manifest["files"]) == names - {"manifest.json"}


def test_csv_1_holds_no_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--draft", "--to", "sdmx-csv-1.0", "--out", str(tmp_path / "out"), "--report", "SDG_MSD"]
    assert run("convert", str(EXAMPLE), *options) == 2
    assert "holds no report" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_dataset_without_tables_is_reported_on_by_its_agency() -> None:
    dataset = dataclasses.replace(read(EXAMPLE), tables=())
    made = foreign_report(SDG, dataset, structures(dataset))
    assert made.report.set.targets == ("urn:sdmx:org.sdmx.infomodel.base.Agency=CDMETA:AGENCIES(1.0).EXAMPLELAND",)
