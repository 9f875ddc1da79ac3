"""What pysdmx, sdmx1 and sdmx-json-parser read of data messages with attributes at every level."""

import contextlib
import io
import json
import os
import subprocess
import warnings
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from sdmx_observed import AGENCY, ARTEFACTS, COLUMNS, DSD, HEADER, ROWS, TITLE, Row, by_time, observed

from cdmeta.formats import sdmx_csv, sdmx_json_data, sdmx_ml_data, sdmx_ml_data_21

ABOVE = ("TITLE", "UNIT", "AREA_NOTE", "SIBLING_NOTE")
"""Attributes that do not belong to observations."""
SERIES, FLAT = {"by_series": True}, {"by_series": False}
GENERIC = {"generic": True}
Writer = Callable[..., None]


def written(folder: Path, write: Writer, name: str, without: Sequence[str] = (), **options: Any) -> Path:
    """A message of the rows, some attributes left out."""
    rows = [{k: v for k, v in given.items() if k not in without} for given in ROWS]
    with observed(folder, rows) as (session, observations):
        if write is sdmx_csv.data:
            write(session, observations, folder / name, **options)
        else:
            write(session, observations, folder / name, HEADER, **options)
    return folder / name


def wanted(rows: Sequence[Row], without: Sequence[str] = ()) -> list[dict[str, str]]:
    """The rows, without what is missing or empty: peers do not tell one from the other."""
    return [{k: v for k, v in given.items() if v and k not in without} for given in rows]


def by_pysdmx(path: Path) -> tuple[dict[str, Any], list[dict[str, str]]]:
    """Attributes of the data set, and the rows."""
    from pysdmx.io import read_sdmx

    read: Any = read_sdmx(path, validate=False)
    (dataset,) = read.data
    assert str(dataset.structure) == f"Dataflow={AGENCY}:DF(1.0)"
    rows = dataset.data.astype("object").where(dataset.data.notna(), "").to_dict("records")
    return dataset.attributes, [{k: v for k, v in row.items() if v} for row in rows]


@pytest.mark.parametrize("options", [{"version": "3.0"}, {"version": "3.1"}])
def test_pysdmx_reads_messages_by_series(tmp_path: Path, options: dict[str, Any]) -> None:
    above, rows = by_pysdmx(written(tmp_path, sdmx_ml_data.data, "m.xml", by_series=True, **options))
    assert above == {"Atts": {"TITLE": TITLE}}
    assert rows == wanted(by_time(ROWS), ["TITLE"])


@pytest.mark.parametrize("options", [{}, GENERIC])
def test_pysdmx_reads_messages_by_series_of_21(tmp_path: Path, options: dict[str, Any]) -> None:
    above, rows = by_pysdmx(written(tmp_path, sdmx_ml_data_21.data, "m.xml", by_series=True, **options))
    assert above == {"TITLE": TITLE}
    assert rows == wanted(by_time(ROWS), ["TITLE"])


@pytest.mark.parametrize("version", ["3.0", "3.1"])
def test_pysdmx_loses_groups_of_flat_messages_and_leaves_atts_apart(tmp_path: Path, version: str) -> None:
    above, rows = by_pysdmx(written(tmp_path, sdmx_ml_data.data, "m.xml", version=version))
    assert rows == wanted(ROWS, ABOVE)
    told = above["Atts"]
    assert told[0] == {"TITLE": TITLE}
    assert {"REF_AREA": "KE", "AREA_NOTE": '"KE"'} in told
    assert {"FREQ": "A", "REF_AREA": "KE", "KIND": "a", "UNIT": "unit <KEa>"} in told
    assert all("SIBLING_NOTE" not in each for each in told)


@pytest.mark.parametrize("options", [{}, GENERIC])
def test_pysdmx_loses_groups_of_flat_messages_of_21(tmp_path: Path, options: dict[str, Any]) -> None:
    above, rows = by_pysdmx(written(tmp_path, sdmx_ml_data_21.data, "m.xml", **options))
    assert above == {"TITLE": TITLE}
    assert rows == wanted(ROWS, ["TITLE", "SIBLING_NOTE"])


def without_carriage_returns(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    return [{k: v.replace("\r\n", "\n") for k, v in row.items()} for row in rows]


@pytest.mark.parametrize("options", [{}, {"keys": "both"}, {"version": "1.0"}])
def test_pysdmx_reads_csv_of_both_versions(tmp_path: Path, options: dict[str, Any]) -> None:
    _, rows = by_pysdmx(written(tmp_path, sdmx_csv.data, "m.csv", **options))
    keys = ("SERIES_KEY", "OBS_KEY")
    found = [{k: v for k, v in row.items() if k not in keys} for row in rows]
    assert without_carriage_returns(found) == without_carriage_returns(wanted(ROWS))


@pytest.mark.parametrize("by_series", [False, True])
def test_pysdmx_fails_on_json_data(tmp_path: Path, *, by_series: bool) -> None:
    from pysdmx.errors import NotImplemented as NotThere

    path = written(tmp_path, sdmx_json_data.data, "m.json", by_series=by_series, names=ARTEFACTS)
    with pytest.raises(NotThere, match=r"This flavour of SDMX-JSON is not supported\."):
        by_pysdmx(path)


def structure_of_sdmx1(*, represented: bool = True) -> Any:
    """The data structure in sdmx1's own model, made by hand, so that only reading of data is tried."""
    model: Any = import_module("sdmx.model.v21")

    dsd: Any = model.DataStructureDefinition(id="DSD", maintainer=model.Agency(id=AGENCY), version="1.0")
    for place, part in enumerate(DSD.key, 1):
        dsd.dimensions.append(model.Dimension(id=part.id, order=place))
    dsd.dimensions.append(model.TimeDimension(id="TIME_PERIOD", order=4))
    dsd.measures.append(model.PrimaryMeasure(id="OBS_VALUE"))
    for attribute in DSD.attributes:
        concept = model.Concept(id=attribute.id)
        if represented:
            concept.core_representation = model.Representation()
        dsd.attributes.append(
            model.DataAttribute(
                id=attribute.id, concept_identity=concept, related_to=model.PrimaryMeasureRelationship()
            )
        )
    group: Any = model.GroupDimensionDescriptor(id="SIBLING")
    for id_ in ("REF_AREA", "KIND"):
        group.append(dsd.dimensions.get(id_))
    dsd.group_dimensions["SIBLING"] = group
    return dsd


def by_sdmx1(path: Path, structure: Any) -> tuple[dict[str, str], list[dict[str, str]]]:
    import sdmx

    # Once it has read a message of 2.1 with a namespace of its own, sdmx1 cannot import its reader of 3.0.
    import_module("sdmx.reader.xml.v30")
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):  # it prints its state when it fails
        warnings.simplefilter("ignore")
        with path.open("rb") as stream:
            (dataset,) = sdmx.read_sdmx(stream, format=path.suffix[1:], structure=structure).data  # type: ignore[attr-defined]
    rows = []
    for observation in dataset.obs:
        row = {id_: str(value.value) for id_, value in observation.key.values.items()}
        row |= {id_: str(value.value) for id_, value in observation.attrib.items()}
        row["OBS_VALUE"] = str(observation.value or "")
        rows.append({k: v for k, v in row.items() if v})
    above = getattr(dataset, "attrib", None) or {}
    return {id_: str(value.value) for id_, value in above.items()}, rows


@pytest.mark.parametrize(
    ("options", "rows"),
    [(FLAT, ROWS), (SERIES, by_time(ROWS)), (FLAT | GENERIC, ROWS), (SERIES | GENERIC, by_time(ROWS))],
)
def test_sdmx1_reads_messages_of_21(tmp_path: Path, options: dict[str, Any], rows: list[Row]) -> None:
    path = written(tmp_path, sdmx_ml_data_21.data, "m.xml", **options)
    above, found = by_sdmx1(path, structure_of_sdmx1())
    assert above == {"TITLE": TITLE}
    assert found == wanted(rows, ["TITLE"])


def test_sdmx1_fails_on_an_attribute_of_the_data_set_whose_concept_has_no_representation(tmp_path: Path) -> None:
    from sdmx.exceptions import XMLParseError

    path = written(tmp_path, sdmx_ml_data_21.data, "m.xml")
    with pytest.raises(XMLParseError, match=r"'NoneType' object has no attribute 'enumerated'"):
        by_sdmx1(path, structure_of_sdmx1(represented=False))


def test_sdmx1_reads_messages_by_series_without_attributes_of_the_data_set(tmp_path: Path) -> None:
    path = written(tmp_path, sdmx_ml_data.data, "m.xml", ["TITLE"], **SERIES)
    assert by_sdmx1(path, structure_of_sdmx1()) == ({}, wanted(by_time(ROWS), ["TITLE"]))


def test_sdmx1_reads_flat_messages_whose_attributes_belong_to_observations(tmp_path: Path) -> None:
    path = written(tmp_path, sdmx_ml_data.data, "m.xml", ABOVE)
    assert by_sdmx1(path, structure_of_sdmx1()) == ({}, wanted(ROWS, ABOVE))


@pytest.mark.parametrize("options", [FLAT, SERIES])
def test_sdmx1_fails_on_atts(tmp_path: Path, options: dict[str, Any]) -> None:
    from sdmx.exceptions import XMLParseError

    path = written(tmp_path, sdmx_ml_data.data, "m.xml", **options)
    with pytest.raises(XMLParseError, match=r"NotImplementedError: \('Atts', 'start'\)"):
        by_sdmx1(path, structure_of_sdmx1())


def test_sdmx1_fails_on_messages_of_31(tmp_path: Path) -> None:
    path = written(tmp_path, sdmx_ml_data.data, "m.xml", ABOVE, version="3.1")
    with pytest.raises(AssertionError, match="Cannot determine SDMX-ML version"):
        by_sdmx1(path, structure_of_sdmx1())


def test_sdmx1_reads_csv_with_all_attributes(tmp_path: Path) -> None:
    path = written(tmp_path, sdmx_csv.data, "m.csv")
    _, found = by_sdmx1(path, structure_of_sdmx1())
    lost = [{k: "".join(v.splitlines()) for k, v in row.items()} for row in wanted(ROWS)]  # [14]
    assert found == lost


def test_sdmx1_fails_on_csv_of_10(tmp_path: Path) -> None:
    path = written(tmp_path, sdmx_csv.data, "m.csv", version="1.0")
    with pytest.raises(ValueError, match=r"STRUCTURE\[…\]"):
        by_sdmx1(path, structure_of_sdmx1())


@pytest.mark.parametrize("by_series", [False, True])
def test_sdmx1_fails_on_json_data(tmp_path: Path, *, by_series: bool) -> None:
    path = written(tmp_path, sdmx_json_data.data, "m.json", by_series=by_series, names=ARTEFACTS)
    with pytest.raises(TypeError, match="list indices must be integers or slices, not str"):
        by_sdmx1(path, structure_of_sdmx1())


MODULES = Path(os.environ.get("NODE_PATH", "node_modules"))
READ = """
const { SDMXParser } = require('sdmx-json-parser');
const text = require('fs').readFileSync(process.argv[1], 'utf8');
globalThis.fetch = async () => ({ status: 200, text: async () => text });
const parser = new SDMXParser();
parser.getDatasets('http://localhost/?a').then(() => {
  const read = {};
  for (const name of ['getName', 'getDimensions', 'getAttributes', 'getObservations', 'getData']) {
    try { read[name] = parser[name](); } catch (error) { read[name] = String(error); }
  }
  console.log(JSON.stringify(read));
});
"""
ABSENT = "npm's sdmx-json-parser is not in NODE_PATH"
HAS_PARSER = (MODULES / "sdmx-json-parser").is_dir()
needs_parser = pytest.mark.skipif(not HAS_PARSER and not os.environ.get("CDMETA_REQUIRE_SYSTEM"), reason=ABSENT)


def by_json_parser(path: Path) -> dict[str, Any]:
    assert HAS_PARSER, ABSENT
    run = subprocess.run(
        ["node", "-e", READ, str(path)], capture_output=True, check=True, timeout=60, env=os.environ.copy()
    )
    read: dict[str, Any] = json.loads(run.stdout)
    return read


def of_parser(read: dict[str, Any], levels: Sequence[str]) -> list[dict[str, str]]:
    """Rows from what the parser gives of dimensions, attributes and observations."""

    def value(part: dict[str, Any], given: Any) -> str:
        is_place = "values" in part and isinstance(given, int)
        listed = part["values"][given] if is_place else {"id": given}
        if isinstance(given, list):
            return json.dumps([value(part, each) for each in given])
        told = listed.get("id", listed.get("value"))
        return str(told).lower() if isinstance(told, bool) else "" if told is None else str(told)

    attributes = [part for part in read["getAttributes"] if part["id"] in levels]
    rows = []
    for key, given in read["getObservations"].items():
        parts = zip(read["getDimensions"], key.split(":"), strict=True)
        row = {part["id"]: value(part, int(place)) for part, place in parts}
        row["OBS_VALUE"] = value({}, given[0])
        row |= {part["id"]: value(part, each) for part, each in zip(attributes, given[1:], strict=True)}
        rows.append({k: v for k, v in row.items() if v})
    return rows


def as_javascript(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    """Figures as JavaScript shows them."""
    told = {"1e3": "1000", "12345678901234567890.125": "12345678901234567000"}
    return [row | {"OBS_VALUE": told.get(row.get("OBS_VALUE", ""), row.get("OBS_VALUE", ""))} for row in rows]


def sorted_rows(rows: list[dict[str, str]]) -> list[list[tuple[str, str]]]:
    return sorted(sorted((k, v) for k, v in row.items() if v) for row in rows)


@needs_parser
@pytest.mark.parametrize(
    ("by_series", "levels"),
    [(False, ("OBS_STATUS", "NOTE", "CHECKED")), (True, ("UNIT", "OBS_STATUS", "NOTE", "CHECKED"))],
)
@pytest.mark.parametrize("version", ["2.0", "2.1"])
def test_json_parser_reads_messages(
    tmp_path: Path, version: str, levels: Sequence[str], *, by_series: bool
) -> None:
    path = written(tmp_path, sdmx_json_data.data, "m.json", by_series=by_series, names=ARTEFACTS, version=version)
    read = by_json_parser(path)
    assert read["getName"] == "Flow & more"
    names = read["getDimensions"][1]["names"]
    assert names == {
        "en": "Ref_Area, named",
        "fr": "Ref_Area nommé",
    }
    rest = [id_ for id_ in COLUMNS[5:] if id_ not in levels]
    found = of_parser(read, levels)
    assert sorted_rows(found) == sorted_rows(as_javascript(wanted(ROWS, rest)))


@needs_parser
def test_json_parser_fails_on_texts_when_it_makes_rows(tmp_path: Path) -> None:
    path = written(tmp_path, sdmx_json_data.data, "m.json", names=ARTEFACTS)
    assert (
        by_json_parser(path)["getData"]
        == "TypeError: Cannot read properties of undefined (reading 'unit <0-1@$a>')"
    )


@needs_parser
def test_json_parser_makes_rows_where_all_attributes_are_coded_but_loses_periods_that_are_no_ids(
    tmp_path: Path,
) -> None:
    path = written(tmp_path, sdmx_json_data.data, "m.json", [*ABOVE, "NOTE", "CHECKED"], names=ARTEFACTS)
    first, second, *_ = by_json_parser(path)["getData"]
    common = {"FREQ": "Annual", "KIND": "a", "OBS_STATUS": "Normal"}
    assert first == common | {"REF_AREA": "Zone", "value": "NaN"}
    assert second == common | {"REF_AREA": "Kenya", "TIME_PERIOD": "2019", "value": 12345678901234567000}
