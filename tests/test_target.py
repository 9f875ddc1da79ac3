"""Packages mapped onto somebody else's data structure: proposals, mappings, data, what stands in the way."""

import contextlib
import csv
import dataclasses
import datetime as dt
import gzip
import io
import json
import shutil
import threading
import time
import zipfile
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, cast

import pysdmx.io
import pytest
from pysdmx.io.pd import PandasDataset
from test_examples import run

from cdmeta.errors import ApprovalError, ConversionError, OutputError, SheetError
from cdmeta.formats import data_reading, mapping_csv, reading, sdmx_json
from cdmeta.package import load
from cdmeta.sdmx.artefacts import (
    Attribute,
    Code,
    Codelist,
    Concept,
    ConceptScheme,
    CubeRegion,
    DataConstraint,
    Dataflow,
    DataStructure,
    Dimension,
    Header,
    Measure,
    Representation,
    RepresentationMap,
    Structure,
    StructureMap,
    ValueMapping,
)
from cdmeta.sdmx.mappings import of_descriptor
from cdmeta.sdmx.proposals import code_map
from cdmeta.sdmx.structure_maps import java_pattern
from cdmeta.sdmx.target import Target, at_hand, target
from cdmeta.tables.engine import data_session, identifier
from cdmeta.text import NO_TEXT, Text
from cdmeta.urn import Ref
from cdmeta.workflows.fetched import artefacts, fetched
from cdmeta.workflows.map_package import MapResult, map_package
from cdmeta.workflows.messages import FORMS
from cdmeta.workflows.onto import onto

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "examples" / "public-service-satisfaction" / "package"
DSD = ROOT / "examples" / "structures" / "sdg-like.xml"
FLOW = Ref("Dataflow", "EXAMPLE_NSO", "DF_SDG_LIKE", "1.0")
NOW = dt.datetime(2026, 3, 2, 10, tzinfo=dt.UTC)
DIMENSIONS = (
    "FREQ", "REPORTING_TYPE", "SERIES", "REF_AREA", "SEX", "AGE", "URBANISATION", "INCOME_WEALTH_QUANTILE",
    "EDUCATION_LEV", "OCCUPATION", "CUST_BREAKDOWN", "COMPOSITE_BREAKDOWN", "DISABILITY_STATUS", "ACTIVITY",
    "PRODUCT", "TIME_PERIOD",
)  # fmt: skip
SAID: dict[str, dict[str, Any]] = {
    "REPORTING_TYPE": {"value": "N"},
    "SERIES": {"value": "MU_SAT_SERVICES"},
    "REF_AREA": {"field": "region", "codes": {"NORTH": "XA01", "COAST": "XA02", "LAKES": "XA03", "_T": "XA"}},
    "DISABILITY_STATUS": {"field": "disability", "codes": {"WITH": "PD", "WITHOUT": "PND"}},
    "UNIT_MEASURE": {"value": "PT"},
    "UNIT_MULT": {"value": "0"},
    "NATURE": {"value": "CD"},
    **{
        id_: {"value": "_T"}
        for id_ in DIMENSIONS
        if id_ in ("URBANISATION", "INCOME_WEALTH_QUANTILE", "EDUCATION_LEV", "OCCUPATION", "CUST_BREAKDOWN",
                   "COMPOSITE_BREAKDOWN", "ACTIVITY", "PRODUCT")
    },
}  # fmt: skip
"""What a person says, beside what is certain."""


def sheet(folder: Path, said: Mapping[str, Mapping[str, Any]], table: str = "satisfaction") -> Path:
    """A mapping file, with the maps of codes beside it."""
    lines = ["table,component,field,value,codes,format,frequency"]
    for id_, given in said.items():
        codes = f"codes-{id_}.csv" if "codes" in given else ""
        if codes:
            rows = "".join(f"{value},{code}\n" for value, code in given["codes"].items())
            (folder / codes).write_text(f"source,target\n{rows}", encoding="utf-8")
        told = [given.get(name, "") for name in ("field", "value")]
        lines.append(",".join([table, id_, *told, codes, given.get("format", ""), given.get("frequency", "")]))
    path = folder / "mapping.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def converted(
    out: Path, mapping: Path | None, to: str = "sdmx-csv-2.0", *, package: Path = PACKAGE, dsd: Path = DSD,
    dataflow: str = "",
) -> tuple[tuple[str, ...], list[tuple[str, str | None]]]:  # fmt: skip
    """The files that are written, and the findings with the component or column of each."""
    made = onto(
        package, to, out, dsds=(str(dsd),), dataflow=dataflow, mapping=mapping, allowed_signers=None, draft=True,
        now=NOW,
    )  # fmt: skip
    return made.files, [(finding.code, finding.where.field) for finding in made.findings]


def table(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"), newline="")))


def expected() -> list[dict[str, str | None]]:
    """The observations, worked out from the rows without the code under test."""
    made = []
    codes: Mapping[str, Mapping[str, str]] = {
        "region": SAID["REF_AREA"]["codes"],
        "disability": {**SAID["DISABILITY_STATUS"]["codes"], "_T": "_T"},
    }
    for row in table(PACKAGE / "data" / "satisfaction.csv"):
        observed: dict[str, str | None] = dict.fromkeys(DIMENSIONS, "_T")
        observed |= {"FREQ": "A", "REPORTING_TYPE": "N", "SERIES": "MU_SAT_SERVICES"}
        observed |= {"REF_AREA": codes["region"][row["region"]], "SEX": row["sex"], "AGE": row["age"]}
        observed |= {"DISABILITY_STATUS": codes["disability"][row["disability"]], "TIME_PERIOD": row["year"]}
        observed |= {"OBS_VALUE": row["satisfied"] or None, "OBS_STATUS": "A" if row["satisfied"] else "O"}
        observed |= {"UNIT_MULT": "0", "UNIT_MEASURE": "PT", "NATURE": "CD", "BASE_N": row["respondents"]}
        made.append(observed)
    return made


def read_back(path: Path) -> list[dict[str, str | None]]:
    """The observations of a message, read by the readers of data of others."""
    store = at_hand(reading.structures(DSD))
    with data_session(path.parent) as session:
        (found,) = data_reading.data(session, path, store)
        listed = ", ".join(identifier(id_) for id_ in found.components)
        rows = session.connection.execute(f"SELECT {listed} FROM {found.table}").fetchall()
    return [{i: v for i, v in zip(found.components, row, strict=True) if v is not None} for row in rows]


def in_order(rows: list[dict[str, str | None]]) -> list[list[tuple[str, str | None]]]:
    return sorted(sorted((id_, value) for id_, value in row.items() if value is not None) for row in rows)


# Data


@pytest.mark.parametrize("to", FORMS)
def test_the_data_say_what_the_rows_and_the_person_say(to: str, tmp_path: Path) -> None:
    files, found = converted(tmp_path / "out", sheet(tmp_path, SAID), to)
    assert found == []
    ending = FORMS[to].ending
    data = f"data-satisfaction{'.draft.csv' if ending == '.csv' else ending}"
    report = {".json": "metadata.json", ".csv": "metadata.draft.csv"}.get(ending, "metadata.xml")
    report = "metadata.xml" if to == "sdmx-csv-1.0" else report  # which has no reports of its own
    assert set(files) == {data, report, "structure-map.xml", "manifest.json"}
    assert in_order(read_back(tmp_path / "out" / data)) == in_order(expected())


def test_the_data_are_of_their_dataflow_and_so_are_the_reports(tmp_path: Path) -> None:
    converted(tmp_path / "out", sheet(tmp_path, SAID), "sdmx-ml-3.0")
    (report,) = reading.metadata(tmp_path / "out" / "metadata.xml")
    assert report.targets == (FLOW.urn,)
    told = json.loads((tmp_path / "out" / "manifest.json").read_text(encoding="utf-8"))
    assert set(told["beside"]) == {
        "sdg-like.xml",
        "mapping.csv",
        "codes-REF_AREA.csv",
        "codes-DISABILITY_STATUS.csv",
    }


def test_another_reader_takes_the_data(tmp_path: Path) -> None:
    converted(tmp_path / "out", sheet(tmp_path, SAID), "sdmx-csv-2.0")
    (found,) = pysdmx.io.read_sdmx(tmp_path / "out" / "data-satisfaction.draft.csv").data or ()
    assert isinstance(found, PandasDataset)
    assert found.structure == "Dataflow=EXAMPLE_NSO:DF_SDG_LIKE(1.0)"
    rows = [
        {id_: value or None for id_, value in row.items()} for row in found.data.astype(str).to_dict("records")
    ]
    assert in_order(rows) == in_order(expected())


def test_the_mapping_is_written_as_artefacts_of_sdmx(tmp_path: Path) -> None:
    converted(tmp_path / "out", sheet(tmp_path, SAID))
    found = reading.structures(tmp_path / "out" / "structure-map.xml")
    codes = {a.id: a for a in found if isinstance(a, RepresentationMap)}
    (made,) = (a for a in found if isinstance(a, StructureMap))
    assert made.target == FLOW
    by_target = {part.targets: part for part in made.components}
    assert by_target["SEX",].sources == ("SEX",)
    assert by_target["BASE_N",].sources == ("BASE_N",)
    area = by_target["REF_AREA",].representation_map
    assert area is not None
    assert codes[area.id].mappings == tuple(
        ValueMapping((value,), (code,)) for value, code in SAID["REF_AREA"]["codes"].items()
    )
    assert {part.target: part.values for part in made.fixed} == {
        id_: (given["value"],) for id_, given in SAID.items() if "value" in given
    }
    disability = by_target["DISABILITY_STATUS",].representation_map
    assert disability is not None
    assert codes[disability.id].mappings[-1] == ValueMapping(("_T",), ("_T",))


def test_another_reader_takes_the_maps(tmp_path: Path) -> None:
    converted(tmp_path / "out", sheet(tmp_path, SAID))
    read = pysdmx.io.read_sdmx(tmp_path / "out" / "structure-map.xml")
    kinds = sorted(type(part).__name__ for part in read.structures or ())
    assert kinds == ["RepresentationMap", "RepresentationMap", "StructureMap"]


def test_many_codes_are_looked_up_and_the_rows_keep_their_order(tmp_path: Path) -> None:
    codes = {f"NOWHERE{n}": "XA" for n in range(2000)} | SAID["REF_AREA"]["codes"]
    said = {**SAID, "REF_AREA": {"field": "region", "codes": codes}}
    for number, each in enumerate((SAID, said)):
        folder = tmp_path / str(number)
        folder.mkdir()
        assert converted(folder / "out", sheet(folder, each))[1] == []
    one, other = (tmp_path / str(n) / "out" / "data-satisfaction.draft.csv" for n in range(2))
    assert one.read_bytes() == other.read_bytes()


# What a person says in the descriptor


def with_target(folder: Path, said: Mapping[str, Any], *, dataflow: str = FLOW.urn) -> Path:
    package = shutil.copytree(PACKAGE, folder / "package")
    path = package / "datapackage.json"
    descriptor = json.loads(path.read_text(encoding="utf-8"))
    descriptor["resources"][0]["sdmx"] = {"target": {"dataflow": dataflow, "components": said}}
    path.write_text(json.dumps(descriptor, ensure_ascii=False), encoding="utf-8")
    return package


def test_the_descriptor_may_say_it(tmp_path: Path) -> None:
    package = with_target(tmp_path, SAID)
    assert converted(tmp_path / "out", None, package=package)[1] == []
    rows = read_back(tmp_path / "out" / "data-satisfaction.draft.csv")
    assert in_order(rows) == in_order(expected())


def test_a_table_of_the_package_may_map_codes(tmp_path: Path) -> None:
    said = {**SAID, "REF_AREA": {"field": "region", "codes": "areas"}}
    package = with_target(tmp_path, said)
    path = package / "datapackage.json"
    descriptor = json.loads(path.read_text(encoding="utf-8"))
    fields = [{"name": name, "type": "string"} for name in ("source", "target")]
    descriptor["resources"].append({"name": "areas", "path": "data/areas.csv", "schema": {"fields": fields}})
    path.write_text(json.dumps(descriptor, ensure_ascii=False), encoding="utf-8")
    codes = "".join(f"{value},{code}\n" for value, code in SAID["REF_AREA"]["codes"].items())
    (package / "data" / "areas.csv").write_text(f"source,target\n{codes}", encoding="utf-8")
    assert converted(tmp_path / "out", None, package=package)[1] == []
    rows = read_back(tmp_path / "out" / "data-satisfaction.draft.csv")
    assert in_order(rows) == in_order(expected())


def test_a_mapping_file_counts_before_the_descriptor(tmp_path: Path) -> None:
    package = with_target(tmp_path, {"SERIES": {"value": "NONE"}, "X": {}})
    assert converted(tmp_path / "out", sheet(tmp_path, SAID), package=package)[1] == []


@pytest.mark.parametrize(
    "said", [{"SEX": 1}, {"SEX": {"field": 1, "codes": [1], "value": None}}, [], "x", {"SEX": {"codes": {"A": 1}}}]
)
def test_a_strange_mapping_in_the_descriptor_is_no_crash(said: Any, tmp_path: Path) -> None:
    package = with_target(tmp_path, said, dataflow="x")
    of_descriptor(load(package))
    with pytest.raises(ConversionError, match="The dataflow x is in none"):
        converted(tmp_path / "out", None, package=package)


# Findings


def without(*ids: str) -> dict[str, Any]:
    return {id_: given for id_, given in SAID.items() if id_ not in ids}


def test_each_missing_component_is_told_with_what_comes_nearest(tmp_path: Path) -> None:
    said = without("DISABILITY_STATUS", "NATURE", "UNIT_MULT", "SERIES")
    made = onto(
        PACKAGE, "sdmx-csv-2.0", tmp_path / "out", dsds=(str(DSD),), mapping=sheet(tmp_path, said),
        allowed_signers=None, draft=True, now=NOW,
    )  # fmt: skip
    assert not (tmp_path / "out").exists()
    told = [(each.code, each.where.field, each.params.get("near")) for each in made.findings]
    assert told == [
        ("CD760", "SERIES", ""),
        ("CD760", "DISABILITY_STATUS", "disability"),
        ("CD760", "UNIT_MULT", ""),
        ("CD760", "NATURE", ""),
        ("CD761", "disability", None),
    ]
    assert 'Did you mean "disability"?' in made.findings[1].message()


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ({"SEXO": {"field": "sex"}}, [("CD762", "SEXO")]),
        ({"SEX": {"field": "sexo"}}, [("CD763", "SEX"), ("CD761", "sex")]),
        ({"SEX": {}}, [("CD760", "SEX"), ("CD761", "sex")]),
        ({"BASE_N": {}}, [("CD761", "respondents")]),
        ({"SEX": {"field": "sex", "value": "_T"}}, [("CD765", "SEX")]),
        ({"TIME_PERIOD": {"field": "year", "frequency": "X"}}, [("CD765", "TIME_PERIOD")]),
        ({"TIME_PERIOD": {"field": "year", "format": "%Q"}}, [("CD765", "TIME_PERIOD")]),
        ({"TIME_PERIOD": {"field": "year", "format": "dd/mm"}}, [("CD765", "TIME_PERIOD")]),
        ({"TIME_PERIOD": {"field": "year", "format": "%Y", "codes": {"1": "2"}}}, [("CD765", "TIME_PERIOD")]),
        ({"SEX": {"value": "X"}}, [("CD761", "sex"), ("CD783", "SEX"), ("CD786", ", ".join(DIMENSIONS))]),
        ({"AGE": {"field": "age", "codes": {"Y_GE60": "OLD"}}}, [("CD783", "AGE")]),
        ({"UNIT_MEASURE": {"field": "sex", "codes": {"F": "PT", "M": "PS", "_T": "NUMBER"}}}, []),
        ({"SOURCE_DETAIL": {"field": "BASE_N"}}, [("CD787", "SOURCE_DETAIL")]),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_and_keeps_data_from_being_written(
    said: dict[str, Any], found: list[tuple[str, str]], tmp_path: Path
) -> None:
    files, told = converted(tmp_path / "out", sheet(tmp_path, {**SAID, **said}))
    assert told == found
    errors = [code for code, _ in found if code != "CD761"]
    assert bool(files) is (not errors)
    assert (tmp_path / "out").exists() is (not errors)


def test_lines_on_one_component_and_on_no_table(tmp_path: Path) -> None:
    path = sheet(tmp_path, SAID)
    with path.open("a", encoding="utf-8") as file:
        file.write("satisfaction,SEX,sex,,,,\nsatisfaction,SEX,,_T,,,\nsatisfation,AGE,age,,,,\n")
    assert converted(tmp_path / "out", path)[1] == [("CD766", "AGE"), ("CD765", "SEX"), ("CD761", "sex")]


def test_maps_of_codes_that_are_not_there_or_are_none(tmp_path: Path) -> None:
    path = sheet(tmp_path, SAID)
    (tmp_path / "codes-REF_AREA.csv").unlink()
    (tmp_path / "codes-DISABILITY_STATUS.csv").write_text("from,to\nWITH,PD\n", encoding="utf-8")
    made = onto(
        PACKAGE, "sdmx-csv-2.0", tmp_path / "out", dsds=(str(DSD),), mapping=path, allowed_signers=None,
        draft=True, now=NOW,
    )  # fmt: skip
    assert [(each.code, each.where.row, each.params["reason"]) for each in made.findings] == [
        ("CD765", 4, "mapping-codes"),
        ("CD765", 5, "mapping-columns"),
    ]
    assert 'there is no map of codes "codes-REF_AREA.csv"' in made.findings[0].message()
    (tmp_path / "codes-REF_AREA.csv").write_text("source,target\nNORTH,A\nNORTH,B\n", encoding="utf-8")
    assert converted(tmp_path / "out", path)[1] == [("CD765", "REF_AREA"), ("CD765", "DISABILITY_STATUS")]


def test_no_file_outside_the_folder_of_the_mapping_is_read(tmp_path: Path) -> None:
    (tmp_path / "codes.csv").write_text("source,target\nNORTH,XA01\n", encoding="utf-8")
    (tmp_path / "in").mkdir()
    path = tmp_path / "in" / "mapping.csv"
    for name in ("../codes.csv", str(tmp_path / "codes.csv")):
        path.write_text(f"table,component,field,codes\nsatisfaction,REF_AREA,region,{name}\n", encoding="utf-8")
        assert ("CD765", "REF_AREA") in converted(tmp_path / "out", path)[1]


def test_tables_of_which_nothing_is_said_are_left_out(tmp_path: Path) -> None:
    made = two_tables(tmp_path, "2024-06-01")
    said = {"TIME_PERIOD": {"field": "day"}}
    files, found = converted(tmp_path / "out", sheet(tmp_path, said, "t"), **made)
    assert found == [("CD764", None)]
    assert [name for name in files if name.startswith("data")] == ["data-t.draft.csv"]
    assert converted(tmp_path / "out", None, **made)[0][:2] == ("data-t.draft.csv", "data-u.draft.csv")


# Files as spreadsheets save them


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "windows-1252"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_sheets_are_read_as_spreadsheets_save_them(encoding: str, delimiter: str, tmp_path: Path) -> None:
    text = "remark,TABLE,Component ,value,field\nañadido,t,SEX,,sexo\n,t,AGE,'=A1,\n,,,,\n"
    data = text.replace(",", delimiter).replace("\n", "\r\n").encode(encoding)
    read = mapping_csv.read(data, "m.csv", lambda name: None)
    assert [(line.table, line.component, line.source.component, line.source.value) for line in read.lines] == [
        ("t", "SEX", "sexo", ""),
        ("t", "AGE", "", "=A1"),
    ]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"a,b\n1,2\n",
        b"PK\x03\x04\0\0",
        b"table\ncomponent\n",
        b'table,component\n"a',
        b"table,component,field,Field\nt,SEX,sex,\n",
        b"table,component,field\n" + b"t,SEX,sex\n" * 5001,
    ],
)
def test_what_is_no_mapping_is_refused_in_one_line(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "m.csv"
    path.write_bytes(data)
    with pytest.raises(SheetError) as caught:
        converted(tmp_path / "out", path)
    assert str(caught.value).startswith("m.csv: ")
    assert "xlsx" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_mapping_that_cannot_be_read_is_told_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(ConversionError, match=r"mapping\.csv: cannot be read"):
        converted(tmp_path / "out", tmp_path / "mapping.csv")


# Proposals


def proposed(result: MapResult) -> dict[str, tuple[str, str, str]]:
    (made,) = result.tables
    return {
        part.component.id: (part.proposal.source.component, part.proposal.source.value, part.proposal.reason)
        for part in made.parts
    }


def test_what_is_proposed_and_why(tmp_path: Path) -> None:
    result = map_package(PACKAGE, (str(DSD),), tmp_path / "m")
    assert proposed(result) == {
        "FREQ": ("FREQ", "", "id"),
        "REPORTING_TYPE": ("", "", ""),
        "SERIES": ("", "", ""),
        "REF_AREA": ("REF_AREA", "", "id"),
        "SEX": ("SEX", "", "id"),
        "AGE": ("AGE", "", "id"),
        **{
            id_: ("", "_T", "whole")
            for id_ in DIMENSIONS
            if id_ in SAID and SAID[id_].get("value") == "_T"
        },
        "DISABILITY_STATUS": ("DISABILITY", "", "near"),
        "TIME_PERIOD": ("TIME_PERIOD", "", "id"),
        "OBS_VALUE": ("OBS_VALUE", "", "id"),
        "OBS_STATUS": ("OBS_STATUS", "", "id"),
        "UNIT_MULT": ("", "", ""),
        "UNIT_MEASURE": ("UNIT_MEASURE", "", "id"),
        "NATURE": ("CD_STATUS_ATT", "", "values"),
        "BASE_N": ("BASE_N", "", "id"),
        "COMMENT_OBS": ("", "", ""),
        "SOURCE_DETAIL": ("", "", ""),
    }  # fmt: skip
    assert result.tables[0].left == ()
    codes = table(tmp_path / "m" / "codes-satisfaction-REF_AREA.csv")
    assert [(row["source"], row["target"]) for row in codes] == [
        ("COAST", "XA02"),
        ("LAKES", "XA03"),
        ("NORTH", "XA01"),
        ("_T", ""),
    ]


def test_an_edited_proposal_is_what_is_converted(tmp_path: Path) -> None:
    map_package(PACKAGE, (str(DSD),), tmp_path / "m")
    rows = table(tmp_path / "m" / "mapping.csv")
    for row in rows:
        row |= (
            {"remark": "", **{name: str(SAID[row["component"]].get(name, "")) for name in ("field", "value")}}
            if (row["component"] in SAID)
            else {}
        )
    for id_ in ("REF_AREA", "DISABILITY_STATUS"):
        codes = "".join(f"{value};{code}\r\n" for value, code in SAID[id_]["codes"].items())
        (tmp_path / "m" / f"codes-satisfaction-{id_}.csv").write_text(
            f"source;target\r\n{codes}", encoding="utf-16"
        )
        next(row for row in rows if row["component"] == id_)["codes"] = f"codes-satisfaction-{id_}.csv"
    stream = io.StringIO(newline="")
    edited = csv.DictWriter(stream, list(rows[0]), delimiter=";")
    edited.writeheader()
    edited.writerows({**row, "codes": "" if row["value"] else row["codes"]} for row in rows)
    (tmp_path / "m" / "mapping.csv").write_text(stream.getvalue(), encoding="windows-1252")
    assert converted(tmp_path / "out", tmp_path / "m" / "mapping.csv")[1] == []
    assert in_order(read_back(tmp_path / "out" / "data-satisfaction.draft.csv")) == in_order(expected())


def test_an_edited_mapping_is_never_written_over_unasked(tmp_path: Path) -> None:
    (tmp_path / "mapping.csv").write_text("mine", encoding="utf-8")
    with pytest.raises(OutputError, match="may have been edited"):
        map_package(PACKAGE, (str(DSD),), tmp_path)
    assert (tmp_path / "mapping.csv").read_text(encoding="utf-8") == "mine"
    map_package(PACKAGE, (str(DSD),), tmp_path, replaced=True)
    assert len(table(tmp_path / "mapping.csv")) == 24


def test_what_the_descriptor_says_is_in_the_proposal(tmp_path: Path) -> None:
    package = with_target(tmp_path, SAID)
    result = map_package(package, (str(DSD),), tmp_path / "m")
    said = {id_ for id_, (_, _, reason) in proposed(result).items() if reason == "said"}
    assert said == set(SAID)
    assert converted(tmp_path / "out", tmp_path / "m" / "mapping.csv")[1] == []


def test_codes_are_proposed_by_ids_and_by_names_in_any_language() -> None:
    codes = [
        Code("PS", Text((("en", "Persons"), ("es", "Personas")))),
        Code("H-1", Text((("en", "Women"),))),
        Code("A", Text((("en", "Twice"),))),
        Code("B", Text((("en", "twice"),))),
    ]
    own = [
        ("ps", Text()), ("x", Text((("es", "PERSONAS"),))), ("h 1", Text()), ("women", Text()), ("twice", Text()),
        ("A", Text((("en", "Women"),))), ("y", Text((("en", "Persons"), ("es", "women")))),
    ]  # fmt: skip
    assert code_map(own, codes) == {
        "ps": "PS", "x": "PS", "h 1": "H-1", "women": "H-1", "twice": "", "A": "A", "y": "",
    }  # fmt: skip


def test_common_codes_are_known_by_name_where_their_list_has_one_language() -> None:
    codes = [Code("F", Text((("en", "Female"),))), Code("M", Text((("en", "Male"),))), Code("_T", NO_TEXT)]
    own = [("Mujer", Text()), ("HOMBRES", Text()), ("f", Text()), ("otro", Text())]
    assert code_map(own, codes, "SEX") == {"Mujer": "F", "HOMBRES": "M", "f": "F", "otro": ""}
    assert code_map(own[:1], codes, "AGE") == {"Mujer": ""}
    assert code_map(own[:1], [Code("W", Text((("es", "Mujer"),))), codes[0]], "SEX") == {"Mujer": ""}


# Time


@pytest.mark.parametrize(
    ("format_", "frequency", "cells", "periods"),
    [
        ("", "A", "2024-05-31", "2024"),
        ("", "S", "2024-07-01", "2024-S2"),
        ("", "S", "2024-06-30", "2024-S1"),
        ("", "Q", "2024-05-31", "2024-Q2"),
        ("", "M", "2024-05-31", "2024-05"),
        ("", "W", "2024-12-30", "2025-W01"),
        ("", "D", "2024-05-31", "2024-05-31"),
        ("%d/%m/%Y", "", "31/05/2024", "2024-05-31"),
        ("%d/%m/%Y", "Q", "31/05/2024", "2024-Q2"),
        ("%m.%Y", "M", "05.2024", "2024-05"),
    ],
)
def test_dates_become_time_periods(format_: str, frequency: str, cells: str, periods: str, tmp_path: Path) -> None:
    made = small(tmp_path, cells, "string" if format_ else "date")
    said = {"TIME_PERIOD": {"field": "day", "format": format_, "frequency": frequency}, "FREQ": {"value": "A"}}
    files, found = converted(tmp_path / "out", sheet(tmp_path, said, "t"), **made)
    assert (found, bool(files)) == ([("CD761", "year")] if format_ else [], True)
    (row,) = table(tmp_path / "out" / "data-t.draft.csv")
    assert row["TIME_PERIOD"] == periods


def test_what_is_no_such_date_is_found_and_not_written(tmp_path: Path) -> None:
    made = small(tmp_path, "31-05-2024", "string")
    said = {"TIME_PERIOD": {"field": "day", "format": "%d/%m/%Y", "frequency": "M"}, "FREQ": {"value": "A"}}
    files, found = converted(tmp_path / "out", sheet(tmp_path, said, "t"), **made)
    assert (files, found) == ((), [("CD761", "year"), ("CD784", "TIME_PERIOD")])


def test_forms_of_dates_are_written_as_sdmx_has_them() -> None:
    assert java_pattern("%d/%m/%Y") == "dd/MM/yyyy"
    assert java_pattern("%Y week %-d %b") == "yyyy' week 'd MMM"
    assert java_pattern("") == ""


def small(folder: Path, cell: str, kind: str) -> dict[str, Any]:
    """A package of one row with a day, and a structure of others without codes."""
    package = folder / "package"
    package.mkdir()
    fields: list[dict[str, Any]] = [{"name": "day", "type": kind}]
    if kind == "string":
        fields.append({"name": "year", "type": "year"})
    fields.append({"name": "n", "type": "integer", "sdmx": {"role": "measure", "unit": "PT"}})
    key = [entry["name"] for entry in fields[:-1]]
    resource = {"name": "t", "path": "t.csv", "schema": {"fields": fields, "primaryKey": key}}
    descriptor = json.loads((PACKAGE / "datapackage.json").read_text(encoding="utf-8")) | {"resources": [resource]}
    (package / "datapackage.json").write_text(json.dumps(descriptor), encoding="utf-8")
    cells = [cell, "2024", "5"] if kind == "string" else [cell, "5"]
    (package / "t.csv").write_text(f"{','.join([*key, 'n'])}\n{','.join(cells)}\n", encoding="utf-8")
    (folder / "dsd.json").write_bytes(sdmx_json.structures(plain_structure(), Header("X", NOW, "Y")))
    return {"package": package, "dsd": folder / "dsd.json"}


def two_tables(folder: Path, *days: str) -> dict[str, Any]:
    """The same with a second table, of these days."""
    made = small(folder, "2024-05-31", "date")
    path = made["package"] / "datapackage.json"
    descriptor = json.loads(path.read_text(encoding="utf-8"))
    descriptor["resources"].append({**descriptor["resources"][0], "name": "u", "path": "u.csv"})
    path.write_text(json.dumps(descriptor), encoding="utf-8")
    rows = "".join(f"{day},7\n" for day in days)
    (made["package"] / "u.csv").write_text(f"day,n\n{rows}", encoding="utf-8")
    return made


def plain_structure() -> tuple[DataStructure | Dataflow, ...]:
    def concept(id_: str) -> Ref:
        return Ref("Concept", "Y", "CS", "1.0.0", id_)

    name = Text((("en", "Made up"),))
    structure = DataStructure(
        "Y", "D", "1.0.0", name,
        dimensions=(
            Dimension("FREQ", concept("FREQ"), Representation(), 1),
            Dimension(
                "TIME_PERIOD", concept("T"), Representation(text_type="ObservationalTimePeriod"), 2, is_time=True
            ),
        ),
        measures=(Measure("OBS_VALUE", concept("V"), Representation(text_type="Integer")),),
    )  # fmt: skip
    return structure, Dataflow("Y", "F", "1.0.0", name, structure=structure.ref)


@pytest.mark.parametrize("id_", ["22_289", "DSD_A@DF_A", "$X"])
@pytest.mark.parametrize("to", FORMS)
def test_dataflows_may_have_any_id_of_sdmx(id_: str, to: str, tmp_path: Path) -> None:
    made = small(tmp_path, "2024-05-31", "date")
    structure, flow = plain_structure()
    named = dataclasses.replace(flow, id=id_)
    made["dsd"].write_bytes(sdmx_json.structures((structure, named), Header("X", NOW, "Y")))
    files, found = converted(tmp_path / "out", sheet(tmp_path, {"TIME_PERIOD": {"field": "day"}}, "t"), to, **made)
    assert found == []
    (name,) = (name for name in files if name.startswith("data"))
    with data_session(tmp_path) as session:
        (read,) = data_reading.data(session, tmp_path / "out" / name, at_hand((structure, named)))
    assert read.ref == named.ref


# Which dataflow


def told(error: type[Exception], *args: Any) -> str:
    with pytest.raises(error) as caught:
        target(*args)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_which_dataflow_is_meant_is_never_guessed() -> None:
    structure, flow = plain_structure()
    assert isinstance(structure, DataStructure)
    assert isinstance(flow, Dataflow)
    other = Dataflow("Y", "G", "2.0.0", flow.name, structure=structure.ref)
    assert target(at_hand((structure, flow))).dataflow == flow
    for text in (flow.urn, "Y:F(1.0.0)", " Y:F(1.0+.0) "):
        assert target(at_hand((structure, flow, other)), text).dataflow == flow
    assert told(ConversionError, at_hand((structure, flow, other))).endswith("Y:F(1.0.0), Y:G(2.0.0)")
    for text in ("F", "Y:F", "Y:F(3.0.0)", "urn:nonsense"):
        assert f"The dataflow {text} is in none" in told(ConversionError, at_hand((structure, flow)), text)
    assert "have no data structure" in told(ConversionError, at_hand(()))
    assert "--dataflow AGENCY:ID(VERSION)" in told(ConversionError, at_hand((structure,)))
    named = target(at_hand((structure,)), "Z:OWN(1.0)")
    assert (named.dataflow.urn, named.structure) == (Ref("Dataflow", "Z", "OWN", "1.0").urn, structure)


def test_a_dataflow_without_its_structure_is_refused() -> None:
    structure, flow = plain_structure()
    assert isinstance(structure, DataStructure)
    elsewhere = DataStructure("Y", "E", "1.0.0", structure.name, dimensions=(), measures=())
    assert "Y:D(1.0.0)" in told(ConversionError, at_hand((elsewhere, flow)))


def test_only_lists_with_all_their_codes_bind() -> None:
    structure, flow = plain_structure()
    assert isinstance(structure, DataStructure)
    assert isinstance(flow, Dataflow)
    ref = Ref("Codelist", "Y", "CL", "1.0.0")
    part = Attribute("NOTE", Ref("Concept", "Y", "CS", "1.0.0", "N"), Representation(ref))
    name = Text((("en", "N"),))
    for partial in (True, False):
        codes = Codelist("Y", "CL", "1.0.0", name, codes=(Code("A", name),), is_partial=partial)
        made = Target(flow, structure, at_hand((codes,)))
        assert made.known.codes(part.representation) == (None if partial else frozenset("A"))


# Addresses


def zipped(data: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("dsd.xml", data)
    return stream.getvalue()


BODIES = {
    "/sign-in": b"\n<!DOCTYPE html><html><body><br></body></html>",
    "/old-page": b"<HTML><body>Please sign in</body></HTML>",
    "/unpackable": b"hello",
    "/dsd.gz": gzip.compress(DSD.read_bytes()),
    "/dsd.zip": zipped(DSD.read_bytes()),
}


class _Answers(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        data = DSD.read_bytes()
        if self.path.startswith("/missing"):
            self.send_error(404)
        elif self.path == "/elsewhere":
            self.send_response(302)
            self.send_header("Location", "file:///etc/hostname")
            self.end_headers()
        elif self.path in ("/moved", "/circle"):
            self.send_response(302)
            self.send_header("Location", "/dsd?key=secret" if self.path == "/moved" else "/circle")
            self.end_headers()
        elif self.path == "/dripping":
            self.send_response(200)
            self.end_headers()
            with contextlib.suppress(OSError):
                for _ in range(50):
                    self.wfile.write(b" ")
                    self.wfile.flush()
                    time.sleep(0.05)
        elif self.path in BODIES:
            self.send_response(200)
            if self.path == "/unpackable":
                self.send_header("Content-Encoding", "gzip")
            self.send_header("Content-Length", str(len(BODIES[self.path])))
            self.end_headers()
            self.wfile.write(BODIES[self.path])
        elif self.path == "/broken":
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data[:1000])
        else:
            packed = gzip.compress(data) if self.path == "/packed" else data
            self.send_response(200)
            if self.path == "/packed":
                self.send_header("Content-Encoding", "gzip")
            self.send_header("Content-Length", str(len(packed)))
            self.end_headers()
            self.wfile.write(packed)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # its name there
        """Nothing."""


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Answers) as httpd:
        thread = threading.Thread(target=httpd.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{httpd.server_address[1]}"
        httpd.shutdown()
        thread.join()


@pytest.mark.parametrize("path", ["/dsd?key=secret", "/packed", "/moved", "/dsd.gz", "/dsd.zip"])
def test_structures_are_fetched(server: str, path: str) -> None:
    found, digests = artefacts((server + path,))
    assert found == reading.structures(DSD)
    assert list(digests) == [(server + path).partition("?")[0]]


def test_what_an_address_gives_away_is_told_nowhere(server: str) -> None:
    address = server.replace("//", "//me:secret@")
    _, digests = artefacts((f"{address}/dsd?key=secret",))
    assert list(digests) == [f"{server}/dsd"]
    with pytest.raises(ConversionError) as caught:
        artefacts((f"{address}/missing?key=secret",))
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("/missing", "status 404"),
        ("/elsewhere", "in circles, or to an address that is not fetched"),
        ("/circle", "in circles, or to an address that is not fetched"),
        ("/broken", "the answer is damaged, or breaks off"),
        ("/unpackable", "the answer is damaged, or breaks off"),
    ],
)
def test_what_cannot_be_fetched_is_told_in_one_line(server: str, path: str, told: str) -> None:
    with pytest.raises(ConversionError) as caught:
        artefacts((server + path,))
    assert str(caught.value).startswith(f"{server}{path}: ")
    assert told in str(caught.value)


def test_a_fetched_file_has_limits_of_size_and_time(server: str) -> None:
    with pytest.raises(ConversionError, match="is larger than"), fetched(f"{server}/packed", most=2000):
        pass
    with pytest.raises(ConversionError, match="takes too long"), fetched(f"{server}/dsd", seconds=0):
        pass


def test_addresses_of_other_kinds_are_files_that_are_not_there() -> None:
    for address in ("ftp://127.0.0.1/x", "file:///etc/hostname", "http//x"):
        with pytest.raises(ConversionError, match="cannot be read"):
            artefacts((address,))
    with pytest.raises(ConversionError, match="is no address"):
        artefacts(("http://[x",))


def test_an_address_that_nobody_answers_at() -> None:
    with pytest.raises(ConversionError, match="there is no answer"):
        artefacts(("http://127.0.0.1:9/x",))


def test_a_server_that_speaks_without_a_secret_is_not_trusted(server: str) -> None:
    with pytest.raises(ConversionError, match="the server is not who it says it is"):
        artefacts((server.replace("http:", "https:"),))


@pytest.mark.parametrize("path", ["/sign-in", "/old-page"])
def test_a_web_page_is_told_as_one(server: str, path: str) -> None:
    with pytest.raises(ConversionError, match="is a web page, and no SDMX message"):
        artefacts((server + path,))


def test_a_body_that_never_ends_is_given_up_in_time(server: str) -> None:
    start = time.monotonic()
    with pytest.raises(ConversionError, match="takes too long"), fetched(f"{server}/dripping", seconds=0.3):
        pass
    assert time.monotonic() - start < 2


# Commands


def test_the_commands_tell_what_is_certain_proposed_and_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    printed = run(["map", str(PACKAGE), "--dsd", str(DSD), "--out", "m"])
    for line in (
        "satisfaction → EXAMPLE_NSO:DF_SDG_LIKE(1.0)",
        "  REPORTING_TYPE (Reporting type): MISSING",
        (
            "  REF_AREA (Reference area): region (certain: the same id); 1 value has no code yet, see "
            "codes-satisfaction-REF_AREA.csv"
        ),
        "  UNIT_MULT (Unit multiplier): MISSING",
        "  NATURE (Nature of the data): CD_STATUS_ATT (proposed: values that are codes of its list)",
    ):
        assert line in printed.splitlines()
    assert "--replace" in run(["map", str(PACKAGE), "--dsd", str(DSD), "--out", "m"])
    to = ["convert", str(PACKAGE), "--to", "sdmx-csv-1.0", "--out", "out", "--draft"]
    assert 'error CD760: Their data structure SDG_LIKE asks for "SERIES" (Series)' in run([*to, "--dsd", str(DSD)])
    assert not (tmp_path / "out").exists()
    printed = run([*to, "--dsd", str(DSD), "--mapping", str(sheet(tmp_path, SAID))])
    assert printed == (
        "Wrote sdmx-csv-1.0 to out: data-satisfaction.draft.csv, metadata.xml, structure-map.xml, manifest.json.\n"
    )


def test_what_needs_a_structure_of_others_says_so(tmp_path: Path) -> None:
    out = ["--out", str(tmp_path / "out"), "--draft"]
    assert "need --dsd" in run(["convert", str(PACKAGE), "--to", "sdmx-csv-2.0", *out, "--mapping", "m.csv"])
    assert "cannot be read" in run(["map", str(PACKAGE), "--out", str(tmp_path / "m"), "--dsd", "x.xml"])


# Traits of structures of others


def of_others(folder: Path, *more: Structure, **parts: Any) -> dict[str, Any]:
    """A package and a structure, a part of which is another, beside more artefacts."""
    made = small(folder, "2024-05-31", "date")
    structure, flow = plain_structure()
    changed = dataclasses.replace(structure, **parts)
    made["dsd"].write_bytes(sdmx_json.structures((changed, flow, *more), Header("X", NOW, "Y")))
    return made


def dimension(id_: str, representation: Representation) -> tuple[Dimension, ...]:
    structure, _ = plain_structure()
    assert isinstance(structure, DataStructure)
    added = Dimension(id_, Ref("Concept", "Y", "CS", "1.0.0", id_), representation, 2)
    freq, time = structure.dimensions
    return (freq, added, dataclasses.replace(time, position=3))


DAY = {"TIME_PERIOD": {"field": "day"}}


def test_lists_that_are_not_at_hand_bind_nothing_and_that_is_told(tmp_path: Path) -> None:
    made = of_others(tmp_path, dimensions=dimension("SEX", Representation(Ref("Codelist", "Z", "CL", "1.0.0"))))
    files, found = converted(tmp_path / "out", sheet(tmp_path, {**DAY, "SEX": {"value": "9"}}, "t"), **made)
    assert (found, files[0]) == ([("CD789", "SEX")], "data-t.draft.csv")


@pytest.mark.parametrize(("value", "found"), [("A", []), ("AB", [("CD784", "SEX")])])
def test_facets_bind_where_there_is_no_list(value: str, found: list[tuple[str, str]], tmp_path: Path) -> None:
    made = of_others(tmp_path, dimensions=dimension("SEX", Representation(max_length=1)))
    assert converted(tmp_path / "out", sheet(tmp_path, {**DAY, "SEX": {"value": value}}, "t"), **made)[1] == found


@pytest.mark.parametrize(("value", "found"), [("F", []), ("M", [("CD788", None)])])
@pytest.mark.parametrize("on", ["dataflow", "structure"])
def test_constraints_bind_by_dataflow_and_by_structure(
    value: str, found: list[tuple[str, None]], on: str, tmp_path: Path
) -> None:
    structure, flow = plain_structure()
    about = flow.ref if on == "dataflow" else structure.ref
    keys = ((True, (("SEX", "F"),)), (True, (("SEX", "_T"),)))
    constraint = DataConstraint("Y", "C", "1.0.0", flow.name, attached=(about,), keys=keys)
    made = of_others(tmp_path, constraint, dimensions=dimension("SEX", Representation()))
    assert converted(tmp_path / "out", sheet(tmp_path, {**DAY, "SEX": {"value": value}}, "t"), **made)[1] == found


@pytest.mark.parametrize(
    ("regions", "codes", "proposal"),
    [
        ([], ("A", "_T"), ("", "_T", "whole")),
        ([(True, {"A"})], ("A", "B", "_T"), ("", "A", "allowed")),
        ([(True, {"A", "B"})], ("A", "B", "_T"), ("", "", "")),
        ([(False, {"_T"})], ("A", "B", "_T", "_Z"), ("", "_Z", "whole")),
        ([], ("A",), ("", "A", "single")),
    ],
)
def test_nothing_is_proposed_that_a_constraint_forbids(
    regions: list[tuple[bool, set[str]]], codes: tuple[str, ...], proposal: tuple[str, str, str], tmp_path: Path
) -> None:
    _, flow = plain_structure()
    listed = Codelist("Y", "CL", "1.0.0", flow.name, codes=tuple(Code(code, flow.name) for code in codes))
    given = tuple(CubeRegion((("SEX", frozenset(values)),), included=included) for included, values in regions)
    constraint = DataConstraint("Y", "C", "1.0.0", flow.name, attached=(flow.ref,), regions=given)
    made = of_others(
        tmp_path, listed, *([constraint] if given else []), dimensions=dimension("SEX", Representation(listed.ref))
    )
    found = proposed(map_package(made["package"], (str(made["dsd"]),), tmp_path / "m"))
    assert found["SEX"] == proposal


def test_regions_of_one_constraint_allow_what_any_of_them_does() -> None:
    structure, flow = plain_structure()
    listed = Codelist("Y", "CL", "1.0.0", flow.name, codes=tuple(Code(code, NO_TEXT) for code in ("A", "B", "_T")))
    _, part, _ = dimension("SEX", Representation(listed.ref))

    def allowed(*regions: CubeRegion) -> list[str]:
        constraint = DataConstraint("Y", "C", "1.0.0", flow.name, attached=(structure.ref,), regions=regions)
        made = Target(
            cast(Dataflow, flow), cast(DataStructure, structure), at_hand((structure, listed, constraint))
        )
        return [code.id for code in made.allowed(part)]

    one, other = CubeRegion((("SEX", frozenset({"A"})),)), CubeRegion((("SEX", frozenset({"_%"})),))
    assert allowed(one) == ["A"]
    assert allowed(one, other) == ["A", "_T"]
    assert allowed(one, CubeRegion((("FREQ", frozenset({"A"})),))) == ["A", "B", "_T"]
    of_a_key = CubeRegion((("SEX", frozenset({"A"})), ("FREQ", frozenset({"A"}))), included=False)
    assert allowed(dataclasses.replace(other, included=False), of_a_key) == ["A", "B"]


def test_codes_for_what_is_not_known_are_no_sign_of_a_list() -> None:
    urban = [Code("U", Text((("en", "Urban"),))), Code("R", NO_TEXT), Code("_T", NO_TEXT)]
    own = [("_U", Text((("en", "Not known"),))), ("T", NO_TEXT), ("u", NO_TEXT), ("_R", NO_TEXT)]
    assert code_map(own, urban) == {"_U": "", "T": "_T", "u": "U", "_R": ""}


def test_a_map_of_codes_names_values_as_they_stand_in_the_rows(tmp_path: Path) -> None:
    """In SDMX `50+` is `50` here, because `+` is in no id."""
    made = of_others(tmp_path, dimensions=dimension("AGE", Representation(max_length=3)))
    path = made["package"] / "datapackage.json"
    descriptor = json.loads(path.read_text(encoding="utf-8"))
    (resource,) = descriptor["resources"]
    resource["schema"]["fields"].insert(1, {"name": "age", "type": "string", "categories": ["50+", "_T"]})
    resource["schema"]["primaryKey"].append("age")
    path.write_text(json.dumps(descriptor), encoding="utf-8")
    (made["package"] / "t.csv").write_text("day,age,n\n2024-05-31,50+,5\n2024-05-31,_T,6\n", encoding="utf-8")
    for named in ("50+", "50"):
        mapping = sheet(tmp_path, {**DAY, "AGE": {"field": "age", "codes": {named: "OLD"}}}, "t")
        assert converted(tmp_path / named, mapping, **made)[1] == []
        assert [row["AGE"] for row in table(tmp_path / named / "data-t.draft.csv")] == ["OLD", "_T"]
    listed = Codelist(
        "Y", "CL", "1.0.0", Text((("en", "Made up"),)), codes=(Code("_T", NO_TEXT), Code("O", NO_TEXT))
    )
    structure, flow = plain_structure()
    structure = dataclasses.replace(
        cast(DataStructure, structure), dimensions=dimension("AGE", Representation(listed.ref))
    )
    made["dsd"].write_bytes(sdmx_json.structures((structure, flow, listed), Header("X", NOW, "Y")))
    map_package(made["package"], (str(made["dsd"]),), tmp_path / "m")
    codes = table(tmp_path / "m" / "codes-t-AGE.csv")
    assert [(row["source"], row["target"]) for row in codes] == [("50+", ""), ("_T", "_T")]


def test_years_become_data_of_a_structure_that_asks_for_points_in_time(tmp_path: Path) -> None:
    freq, time = cast(DataStructure, plain_structure()[0]).dimensions
    dated = dataclasses.replace(time, representation=Representation(text_type="DateTime"))
    made = of_others(tmp_path, dimensions=(freq, dated))
    mapping = sheet(tmp_path, {"TIME_PERIOD": {"field": "day", "frequency": "A"}}, "t")
    for to in FORMS:
        files, found = converted(tmp_path / to, mapping, to, **made)
        assert (found, len(files) > 2) == ([("CD767", "TIME_PERIOD")], True)


def test_measures_that_are_concepts_are_mapped_onto(tmp_path: Path) -> None:
    """As the measure dimension of SDMX 2.1 has them."""
    scheme = ConceptScheme("Y", "CS", "1.0.0", Text((("en", "Made up"),)), concepts=(Concept("BIRTHS", NO_TEXT),))
    measures = dimension("DEMO", Representation(Ref("ConceptScheme", "Y", "CS", "1.0.0")))
    made = of_others(tmp_path, scheme, dimensions=measures)
    for code, expected in (("BIRTHS", []), ("MOVES", [("CD783", "DEMO")])):
        said: dict[str, dict[str, Any]] = {**DAY, "DEMO": {"field": "FREQ", "codes": {"D": code}}}
        assert converted(tmp_path / code, sheet(tmp_path, said, "t"), **made)[1] == expected
    (maps, _) = reading.structures(tmp_path / "BIRTHS" / "structure-map.xml")
    assert isinstance(maps, RepresentationMap)
    assert maps.targets == ("String",)
    assert not (tmp_path / "MOVES").exists()


def test_a_structure_without_a_dataflow_needs_its_name(tmp_path: Path) -> None:
    made = small(tmp_path, "2024-05-31", "date")
    made["dsd"].write_bytes(sdmx_json.structures(plain_structure()[:1], Header("X", NOW, "Y")))
    mapping = sheet(tmp_path, DAY, "t")
    with pytest.raises(ConversionError, match="and no dataflow"):
        converted(tmp_path / "out", mapping, **made)
    assert converted(tmp_path / "out", mapping, dataflow="Z:OWN(2.0)", **made)[1] == []
    (row,) = table(tmp_path / "out" / "data-t.draft.csv")
    assert row["STRUCTURE_ID"] == "Z:OWN(2.0)"


def test_concepts_of_one_scheme_are_the_same_whatever_the_id(tmp_path: Path) -> None:
    made = small(tmp_path, "2024-05-31", "date")
    path = made["package"] / "datapackage.json"
    descriptor = json.loads(path.read_text(encoding="utf-8"))
    concept = Ref("Concept", "Y", "CS", "2.0", "T").urn
    descriptor["resources"][0]["schema"]["fields"][0]["sdmx"] = {"concept": concept}
    path.write_text(json.dumps(descriptor), encoding="utf-8")
    structure, flow = plain_structure()
    assert isinstance(structure, DataStructure)
    freq, time = structure.dimensions
    renamed = dataclasses.replace(structure, dimensions=(freq, dataclasses.replace(time, id="TIME")))
    made["dsd"].write_bytes(sdmx_json.structures((renamed, flow), Header("X", NOW, "Y")))
    result = map_package(made["package"], (str(made["dsd"]),), tmp_path / "m")
    assert proposed(result)["TIME"] == ("TIME_PERIOD", "", "concept")


@pytest.mark.parametrize("to", FORMS)
def test_structures_without_time_are_no_crash(to: str, tmp_path: Path) -> None:
    structure, _ = plain_structure()
    assert isinstance(structure, DataStructure)
    day = Dimension("DAY", Ref("Concept", "Y", "CS", "1.0.0", "D"), Representation(), 2)
    made = of_others(tmp_path, dimensions=(structure.dimensions[0], day))
    files, found = converted(tmp_path / "out", sheet(tmp_path, {"DAY": {"field": "day"}}, "t"), to, **made)
    assert found == []
    (name,) = (name for name in files if name.startswith("data"))
    with data_session(tmp_path) as session:
        (read,) = data_reading.data(session, tmp_path / "out" / name, at_hand(reading.structures(made["dsd"])))
        rows = session.connection.execute(f"SELECT FREQ, DAY, OBS_VALUE FROM {read.table}").fetchall()
    assert rows == [("D", "2024-05-31", "5")]


def test_two_tables_may_become_data_of_one_dataflow(tmp_path: Path) -> None:
    made = two_tables(tmp_path, "2024-06-01")
    files, found = converted(tmp_path / "out", None, "sdmx-ml-3.0", **made)
    assert (found, files[:2]) == ([], ("data-t.xml", "data-u.xml"))
    (report,) = reading.metadata(tmp_path / "out" / "metadata.xml")
    assert report.targets == (Ref("Dataflow", "Y", "F", "1.0.0").urn,)
    maps = reading.structures(tmp_path / "out" / "structure-map.xml")
    assert len({artefact.id for artefact in maps}) == 2


def test_nothing_that_nobody_approved_is_converted_but_as_a_draft(tmp_path: Path) -> None:
    with pytest.raises(ApprovalError):
        onto(
            PACKAGE, "sdmx-csv-2.0", tmp_path / "out", dsds=(str(DSD),), mapping=sheet(tmp_path, SAID),
            allowed_signers=None, now=NOW,
        )  # fmt: skip
    converted(tmp_path / "out", tmp_path / "mapping.csv", "sdmx-ml-3.0")
    assert b"<mes:Test>true</mes:Test>" in (tmp_path / "out" / "data-satisfaction.xml").read_bytes()


@pytest.mark.parametrize("partial", [True, False])
def test_the_only_code_of_a_list_is_proposed_where_the_list_is_whole(partial: bool, tmp_path: Path) -> None:
    name = Text((("en", "N"),))
    codes = Codelist("Y", "CL", "1.0.0", name, codes=(Code("ONLY", name),), is_partial=partial)
    made = of_others(tmp_path, codes, dimensions=dimension("SERIES", Representation(codes.ref)))
    result = map_package(made["package"], (str(made["dsd"]),), tmp_path / "m")
    assert proposed(result)["SERIES"] == (("", "", "") if partial else ("", "ONLY", "single"))


@pytest.mark.parametrize("value", ["=1+1", "'=1", "-5", "@x", "plain", "a;b", 'say "x"', "two\nlines"])
def test_what_is_written_for_a_spreadsheet_is_read_back(value: str) -> None:
    data = mapping_csv.write_codes([(value, value, "", "")]).encode("utf-8-sig")
    assert not data.decode("utf-8-sig").splitlines()[1].startswith(("=", "-", "@"))
    told = mapping_csv.read(b"table,component,field,codes\nt,SEX,sex,c.csv\n", "m.csv", lambda name: data)
    assert dict(told.lines[0].source.codes) == {value: value}
