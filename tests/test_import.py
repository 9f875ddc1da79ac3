"""SDMX messages → a package: what a package said before it became SDMX, and what others say in theirs."""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import pytest
from frictionless import Package as FrictionlessPackage

from cdmeta import framework
from cdmeta.dataset import Dataset, to_dataset
from cdmeta.formats import (
    sdmx_csv,
    sdmx_json,
    sdmx_json_data,
    sdmx_ml,
    sdmx_ml_21,
    sdmx_ml_data,
    sdmx_ml_data_21,
)
from cdmeta.package import load
from cdmeta.sdmx.artefacts import Header, MetadataSet, Structure
from cdmeta.sdmx.attachments import attached
from cdmeta.sdmx.metadata import report
from cdmeta.sdmx.observations import Observations, observations
from cdmeta.sdmx.profile_artefacts import artefacts as profile_artefacts
from cdmeta.sdmx.structures import Structures, structures
from cdmeta.tables.engine import ROW, Session, code_rows, session
from cdmeta.urn import Ref
from cdmeta.workflows.import_ import Imported, import_

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
            assert broken == ()
            cells = ", ".join(cell.sql for cell in seen.cells)
            found = opened.connection.execute(f"SELECT {cells} FROM {seen.view} ORDER BY {ROW}").fetchall()
            ids = [cell.id for cell in seen.cells]
            told = [dict(zip(ids, row, strict=True)) for row in found]
            rows[flow.dataflow.id] = sorted(told, key=lambda row: [str(row[id_]) for id_ in ids])
            if write:
                write(opened, seen, flow.table.name)
    types = {table.id: table.time.type for table in dataset.tables}
    return Said(dataset, built, report(dataset, built).set, rows, types)


def around(folder: Path, out: Path, of_structures: str, of_data: str) -> tuple[Said, Said, Imported]:
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
    (sent / "m").write_bytes(METADATA[of_structures](before.report))
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
    import shutil

    return Path(shutil.copytree(EXAMPLES / name / "package", folder / "package"))


@pytest.mark.parametrize("name", published())
def test_an_example_comes_back(name: str, tmp_path: Path) -> None:
    before, after, made = around(copied(name, tmp_path), tmp_path / "o", "sdmx-ml-3.0", "ml-3.0")
    if name == "waiting-times":
        before, after = without_low_bases(before), without_low_bases(after)
    agree(before, after)
    assert made.notes == ()
    assert made.open == 0
    assert FrictionlessPackage(str(tmp_path / "o" / "made" / "datapackage.json")).validate().valid


@pytest.mark.parametrize("data", DATA)
@pytest.mark.parametrize("of", STRUCTURES)
def test_an_example_comes_back_through_every_format(of: str, data: str, tmp_path: Path) -> None:
    before, after, made = around(copied("public-service-satisfaction", tmp_path), tmp_path / "o", of, data)
    agree(before, after)
    assert made.notes == ()
