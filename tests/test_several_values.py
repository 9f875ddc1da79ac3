"""Several values of one component at once: written in SDMX 3.x, read back and judged; refused by other formats."""

import ast
import csv
import dataclasses
import json
from collections.abc import Sequence
from importlib import import_module
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from frictionless import Package as FrictionlessPackage
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from sdmx_observed import (
    ARTEFACTS,
    CL_AREA,
    DSD,
    FREE,
    HOSTILE,
    LINES,
    LISTS,
    ROWS,
    Row,
    by_time,
    concept,
    observed,
)
from sdmx_reading import legal_texts
from test_convert import NOW, draft
from test_import import agree, around, columns, notes
from test_interop_messages import by_json_parser, by_pysdmx, by_sdmx1, needs_parser, of_parser, structure_of_sdmx1
from test_sdmx_data import Write, cs, js, json_problems, ml, xml_problems
from test_structure_of_tables import attribute, made, measure, package

from cdmeta.errors import ConversionError
from cdmeta.formats import data_reading, reading
from cdmeta.sdmx import check, xsd
from cdmeta.sdmx.artefacts import Attribute, Representation
from cdmeta.sdmx.store import Store
from cdmeta.sdmx.target import of_structure
from cdmeta.tables.engine import data_session
from cdmeta.urn import Ref
from cdmeta.workflows.check_data import check_data
from cdmeta.workflows.onto import onto

KEY = ("FREQ", "REF_AREA", "KIND")
ADDED = (
    Attribute("SOURCES", concept("NOTE"), Representation(max_occurs=None), "dataflow"),
    Attribute("MAKERS", concept("NOTE"), Representation(max_occurs=3), KEY),
    Attribute("PLACES", concept("NOTE"), Representation(max_occurs=None), ("REF_AREA", "KIND"), group="SIBLING"),
    Attribute("AREAS", concept("NOTE"), Representation(CL_AREA.ref, max_occurs=3)),
    Attribute("COUNTS", concept("NOTE"), Representation(text_type="BigInteger", max_occurs=None)),
    Attribute("FLAGS", concept("NOTE"), Representation(text_type="Boolean", max_occurs=2)),
    Attribute("REMARKS", concept("NOTE"), Representation(max_occurs=None)),
)
STRUCTURE = dataclasses.replace(DSD, attributes=(*DSD.attributes, *ADDED))
STORE = Store((*(part for part in ARTEFACTS if part is not DSD), STRUCTURE))
MULTIPLE = frozenset(part.id for part in ADDED)
FREE_TEXTS = FREE | {"SOURCES", "MAKERS", "PLACES", "REMARKS"}


def listed(*values: str) -> str:
    return json.dumps(values, ensure_ascii=False, separators=(",", ":"))


def rows() -> list[Row]:
    made = []
    for number, row in enumerate(ROWS):
        area = str(row["REF_AREA"])
        more: Row = {
            "SOURCES": listed(HOSTILE, LINES, "a;b", '"', ""),
            "MAKERS": None if area == "UG" else listed(f"{area}{row['KIND']}", '"quoted"', ";"),
            "PLACES": listed(f"{area} & {row['KIND']}", " spaced ", "<b>"),
            "AREAS": (listed("KE", "UG", "0-1@$"), listed("UG"), None)[number % 3],
            "COUNTS": (listed("3", "-2", "12345678901"), listed("0"), None)[number % 3],
            "FLAGS": (listed("true", "false"), listed("true"), None)[number % 3],
            "REMARKS": (listed(HOSTILE, LINES), listed("]]>", "", ";;"), listed(""), None)[number % 4],
        }
        made.append(row | more)
    return made


GIVEN = rows()
FORMATS: dict[str, tuple[Write, bool]] = {
    "ml-3.0-flat": (ml(by_series=False), False),
    "ml-3.0-series": (ml(by_series=True), True),
    "ml-3.1-flat": (ml(by_series=False, version="3.1"), False),
    "ml-3.1-series": (ml(by_series=True, version="3.1"), True),
    "json-2.0-flat": (js(by_series=False), False),
    "json-2.0-series": (js(by_series=True), True),
    "json-2.1-flat": (js(by_series=False, version="2.1"), False),
    "json-2.1-series": (js(by_series=True, version="2.1"), True),
    "csv-2.0": (cs(), False),
    "csv-2.0-both": (cs(shown="both"), False),
    "csv-2.0-name": (cs(shown="name", keys="both"), False),
}


def out(folder: Path, write: Write, given: Sequence[Row] = GIVEN) -> Path:
    with observed(folder, given, STRUCTURE, FREE_TEXTS) as (session, observations):
        write(session, observations, folder / "out")
    return folder / "out"


def read(path: Path) -> list[Row]:
    with data_session() as session:
        (found,) = data_reading.data(session, path, STORE)
        names = [f'"{id_}"' for id_ in found.components]
        query = f"SELECT {', '.join(names)} FROM {found.table} ORDER BY row"
        cells = session.connection.execute(query).fetchall()
    told = [dict(zip(found.components, row, strict=True)) for row in cells]
    return [{id_: _canonical(id_, value) for id_, value in row.items()} for row in told]


def _canonical(id_: str, value: str | None) -> str | None:
    return listed(*json.loads(value)) if id_ in MULTIPLE and value is not None else value


def without(given: Sequence[Row], *, empty: bool) -> list[Row]:
    return [{id_: value for id_, value in row.items() if value is not None and (empty or value)} for row in given]


@pytest.mark.parametrize("name", FORMATS)
def test_several_values_are_read_back_as_they_were(tmp_path: Path, name: str) -> None:
    write, by_series = FORMATS[name]
    found = read(out(tmp_path, write))
    is_csv = name.startswith("csv")
    assert without(found, empty=not is_csv) == without(by_time(GIVEN) if by_series else GIVEN, empty=not is_csv)


def test_lxml_alone_finds_the_values_in_comp_elements(tmp_path: Path) -> None:
    dataset = etree.parse(out(tmp_path, ml(by_series=True))).getroot()[1]
    found = {
        (node.tag, comp.get("id")): [value.text or "" for value in comp]
        for node in dataset.iter("Atts", "Group", "Series", "Obs")
        for comp in node.iterchildren("Comp")
    }
    assert found[("Atts", "SOURCES")] == [HOSTILE, LINES, "a;b", '"', ""]
    assert found[("Series", "MAKERS")] == ["KEb", '"quoted"', ";"]
    assert found[("Group", "PLACES")] == ["UG & b", " spaced ", "<b>"]
    assert not any(node.get(id_) for node in dataset.iter() for id_ in MULTIPLE)


def test_json_alone_finds_indexes_numbers_and_texts(tmp_path: Path) -> None:
    message = json.loads(out(tmp_path, js(by_series=False, version="2.1")).read_bytes())["data"]
    parts = [part["id"] for part in message["structures"][0]["attributes"]["observation"]]
    first = dict(zip(parts, next(iter(message["dataSets"][0]["observations"].values()))[1:], strict=True))
    areas = next(p for p in message["structures"][0]["attributes"]["observation"] if p["id"] == "AREAS")
    assert [areas["values"][place]["id"] for place in first["AREAS"]] == ["KE", "UG", "0-1@$"]
    assert (areas["maxOccurs"], areas["minOccurs"]) == (3, 0)
    assert first["COUNTS"] == [3, -2, 12345678901]
    assert first["FLAGS"] == [True, False]
    assert first["REMARKS"] == [HOSTILE, LINES]


def test_json_of_2_0_has_texts_because_its_schema_refuses_arrays_of_whole_numbers(tmp_path: Path) -> None:
    message = out(tmp_path, js(by_series=False)).read_text(encoding="utf-8")
    assert json_problems(message.encode(), "2.0") == []
    assert '["3","-2","12345678901"]' in message
    changed = message.replace('["3","-2","12345678901"]', "[3,-2,12345678901]")
    assert json_problems(changed.encode(), "2.0")


def test_csv_alone_finds_them_between_semicolons(tmp_path: Path) -> None:
    text = out(tmp_path, cs(shown="both")).read_bytes().decode()
    first = next(csv.DictReader(StringIO(text, newline="")))
    assert next(iter(first)) == "STRUCTURE[;]"
    areas = next(value for name, value in first.items() if name.startswith("AREAS[]"))
    assert areas.startswith("KE: Kenya;UG: Name: with, comma;")
    assert str(first["SOURCES[]: Note, named"]).endswith(';"a;b";"""";""')


@pytest.mark.parametrize("version", ["3.0", "3.1"])
@pytest.mark.parametrize("by_series", [False, True], ids=["flat", "series"])
def test_the_schema_of_the_structure_takes_them(tmp_path: Path, version: str, *, by_series: bool) -> None:
    message = out(tmp_path, ml(by_series=by_series, version=version)).read_bytes()
    assert xml_problems(message, version, by_series=by_series, structure=STRUCTURE) == ()


@pytest.mark.parametrize("version", ["2.0", "2.1"])
@pytest.mark.parametrize("by_series", [False, True], ids=["flat", "series"])
def test_the_schema_of_json_takes_them(tmp_path: Path, version: str, *, by_series: bool) -> None:
    assert json_problems(out(tmp_path, js(by_series=by_series, version=version)).read_bytes(), version) == []


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("<Value>KE</Value>", "<Value>FR</Value>", "'FR' is not an element of the set"),
        ("<Value>0-1@$</Value>", "<Value>UG</Value><Value>KE</Value>", "'Value': This element is not expected"),
        ("<Value>-2</Value>", "<Value>many</Value>", "'many' is not a valid value"),
        ('<Comp id="FLAGS"', '<Comp id="AREAS"', "does not match the fixed value constraint"),
        ('ns1:FLAGS_ATTRIBUTE"', 'ns1:NOBODY"', "NOBODY"),
        (' xsi:type="ns1:FLAGS_ATTRIBUTE"', "", "The type definition is abstract"),
        ('CHECKED="true"', 'CHECKED="true" FLAGS="true"', "'FLAGS' is not allowed"),
    ],
)
def test_changed_values_are_refused(tmp_path: Path, old: str, new: str, told: str) -> None:
    message = out(tmp_path, ml(by_series=False)).read_text(encoding="utf-8")
    assert old in message
    problems = xml_problems(message.replace(old, new).encode(), "3.0", by_series=False, structure=STRUCTURE)
    assert any(told in problem for problem in problems), problems


@pytest.mark.parametrize(
    ("write", "named"),
    [
        (ml(by_series=False, version="2.1"), "SDMX-ML 2.1"),
        (ml(by_series=True, version="2.1", generic=True), "SDMX-ML 2.1"),
        (cs(version="1.0"), "SDMX-CSV 1.0"),
    ],
)
def test_what_knows_one_value_only_is_refused_before_anything_is_written(
    tmp_path: Path, write: Write, named: str
) -> None:
    with pytest.raises(ConversionError, match=f"{named} takes one value of a component at a time.*AREAS, COUNTS"):
        out(tmp_path, write)
    assert not (tmp_path / "out").exists()


def test_the_schema_of_2_1_is_refused() -> None:
    with pytest.raises(ConversionError, match=r"SDMX-ML 2\.1 takes one value"):
        xsd.schema(STRUCTURE, LISTS, STRUCTURE, version="2.1")


def test_more_values_than_there_may_be_are_found(tmp_path: Path) -> None:
    wrong = [row | {"FLAGS": listed("true", "false", "true"), "AREAS": listed("KE", "FR")} for row in GIVEN[:2]]
    path = out(tmp_path, ml(by_series=False), wrong)
    with data_session() as session:
        (found,) = data_reading.data(session, path, STORE)
        told = check.check(
            session,
            check.Rows("out", found.table, found.components, found.action, found.multiple),
            of_structure(STRUCTURE, STORE).known,
        )
    assert [(each.code, each.where.field, each.params["count"]) for each in told] == [
        ("CD783", "AREAS", 2),
        ("CD784", "FLAGS", 2),
    ]
    assert "2 values at a time" in told[1].message("en")
    assert "2 valores a la vez" in told[1].message("es")


@settings(max_examples=20)
@given(values=st.lists(st.lists(legal_texts(), min_size=1, max_size=4), min_size=1, max_size=5))
def test_any_texts_come_back(tmp_path_factory: pytest.TempPathFactory, values: list[list[str]]) -> None:
    # A character that no format of the three may hold is tried elsewhere.
    given_ = [
        GIVEN[0] | {"TIME_PERIOD": str(2000 + number), "REMARKS": listed(*texts)}
        for number, texts in enumerate(values)
    ]
    for write in (ml(by_series=False), js(by_series=False, version="2.1"), cs()):
        found = read(out(tmp_path_factory.mktemp("any"), write, given_))
        assert [row["REMARKS"] for row in found] == [listed(*texts) for texts in values]


TAGS = attribute("tags") | {"type": "list", "delimiter": "|"}
COUNTED = attribute("counted", attachment=["place"]) | {"type": "list", "itemType": "integer"}
AREA = attribute("area", codelist="SDMX:CL_AREA(1.0)") | {"type": "list", "delimiter": " "}
FIELDS = [
    {"name": "place", "type": "string"},
    {"name": "year", "type": "year"},
    measure(),
    TAGS,
    COUNTED,
    AREA,
]
TABLE = [
    ["a", "2023", "1", 'red|"blue"|x;y', "1,2", "KE UG"],
    ["a", "2024", "2", "", "1,2", "KE"],
    ["b", "2024", "3", "<b>|&amp;|", "7", ""],
]


def test_a_list_of_a_package_is_an_attribute_of_any_number_of_values(tmp_path: Path) -> None:
    found = made(package(tmp_path, FIELDS, TABLE))
    assert found.attribute("TAGS").representation == Representation(max_occurs=None)
    assert found.attribute("COUNTED").representation == Representation(text_type="BigInteger", max_occurs=None)
    area = found.attribute("AREA").representation
    assert (area.max_occurs, str(area.codelist)) == (None, str(Ref.parse_short("Codelist", "SDMX:CL_AREA(1.0)")))
    assert found.column("TAGS") == [listed("red", '"blue"', "x;y"), None, listed("<b>", "&amp;", "")]
    assert found.column("COUNTED") == [listed("1", "2"), listed("1", "2"), listed("7")]
    assert found.column("AREA") == [listed("KE", "UG"), listed("KE"), None]


@pytest.mark.parametrize(
    ("column", "cell", "code"),
    [(4, "1,many", "CD717"), (5, "KE U:G", "CD710"), (3, "a|\x01", "CD716")],
    ids=["number", "code", "character"],
)
def test_one_wrong_value_of_several_is_found(tmp_path: Path, column: int, cell: str, code: str) -> None:
    rows_ = [[*row[:column], cell, *row[column + 1 :]] if row[0] == "b" else row for row in TABLE]
    found = made(package(tmp_path, FIELDS, rows_)).findings
    assert [(each[0], each[1], each[2]) for each in found if each[0] == code] == [
        (code, FIELDS[column]["name"], 4)
    ]


@pytest.mark.parametrize("to", ["sdmx-ml-3.0", "sdmx-ml-3.1", "sdmx-json-2.0", "sdmx-json-2.1", "sdmx-csv-2.0"])
def test_a_package_with_lists_is_written_and_stands_its_own_check(tmp_path: Path, to: str) -> None:
    done = draft(package(tmp_path, FIELDS, TABLE), to, tmp_path / "out")
    assert [each.code for each in done.findings if each.severity() == "error"] == []
    data = next(tmp_path.glob("out/data-t*"))
    draft(tmp_path / "package", "sdmx-ml-3.0", tmp_path / "ml")
    told = check_data(data, [str(next(tmp_path.glob("ml/structures*")))])
    assert [each.code for each in told.findings if each.severity() == "error"] == []


@pytest.mark.parametrize("to", ["sdmx-ml-3.0", "sdmx-json-2.0", "sdmx-csv-2.0"])
def test_a_row_is_left_out_for_any_one_of_its_values(tmp_path: Path, to: str) -> None:
    made_ = package(tmp_path, FIELDS, TABLE)
    draft(made_, "sdmx-ml-3.0", tmp_path / "ml")
    structure = next(tmp_path.glob("ml/structures*"))
    mapping = tmp_path / "mapping.csv"
    mapping.write_text(
        "table,component,field,codes\nt,TAGS,tags,tags.csv\nt,AREA,area,area.csv\n", encoding="utf-8"
    )
    (tmp_path / "tags.csv").write_text(
        'source,target\nx;y,~\nRED,~\n"red|""blue""",~\n<b>,bold\n', encoding="utf-8"
    )
    (tmp_path / "area.csv").write_text("source,target\nUG,~\nTZ,~\n", encoding="utf-8")
    done = onto(
        made_,
        to,
        tmp_path / "out",
        dsds=[str(structure)],
        mapping=mapping,
        allowed_signers=None,
        draft=True,
        now=NOW,
    )
    told = {(f.code, f.where.field): f.params["count"] for f in done.findings if f.code in ("CD770", "CD775")}
    assert told == {("CD770", "TAGS"): 1, ("CD775", "TAGS"): 2, ("CD770", "AREA"): 1, ("CD775", "AREA"): 1}
    store = Store(reading.structures(structure))
    with data_session() as session:
        (found,) = data_reading.data(session, next(tmp_path.glob("out/data-t*")), store)
        query = f'SELECT "PLACE", "TIME_PERIOD", "TAGS" FROM {found.table} ORDER BY ALL'
        rows_ = session.connection.execute(query).fetchall()
    assert [(place, time, json.loads(tags) if tags else None) for place, time, tags in rows_] == [
        ("a", "2024", None), ("b", "2024", ["bold", "&amp;", ""]),
    ]  # fmt: skip


@pytest.mark.parametrize("to", ["sdmx-ml-2.1", "sdmx-ml-2.1-generic", "sdmx-csv-1.0", "dotstat"])
def test_nothing_of_a_package_with_lists_is_written_where_it_cannot_be_said(tmp_path: Path, to: str) -> None:
    with pytest.raises(ConversionError, match="several"):
        draft(package(tmp_path, FIELDS, TABLE), to, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("data", ["ml-3.0", "ml-3.0-series", "ml-3.1-zip", "json-2.0", "json-2.1", "csv-2.0"])
def test_a_list_comes_back_as_a_list(tmp_path: Path, data: str) -> None:
    fields = [field for field in FIELDS if field is not AREA]
    before, after, done = around(
        package(tmp_path, fields, [row[:5] for row in TABLE]), tmp_path / "o", "sdmx-ml-3.0", data
    )
    agree(before, after)
    assert done.notes == ()
    assert {name: entry["type"] for name, entry in columns(done).items()}["TAGS"] == "list"
    assert columns(done)["COUNTED"]["itemType"] == "integer"
    assert FrictionlessPackage(str(done.out / "datapackage.json")).validate().valid


def test_values_with_every_sign_that_could_part_them_stay_json(tmp_path: Path) -> None:
    rows_ = [[*TABLE[0][:3], "a;b,c|d", *TABLE[0][4:]], *TABLE[1:]]
    fields = [FIELDS[0], FIELDS[1], FIELDS[2], TAGS | {"delimiter": "#"}]
    _, _, done = around(
        package(tmp_path, fields, [row[:4] for row in rows_]), tmp_path / "o", "sdmx-ml-3.0", "ml-3.0"
    )
    assert notes(done) == ["several"]
    assert columns(done)["TAGS"]["type"] == "array"


# What others read of them: docs/interop.md, "several values at once"

BY_OBSERVATION = dataclasses.replace(
    DSD, attributes=(ADDED[3], Attribute("REMARKS", concept("NOTE"), Representation(max_occurs=None)))
)
FEW = [
    {part.id: row[part.id] for part in BY_OBSERVATION.components} | {"REMARKS": listed("x", "y & z")}
    for row in GIVEN[:2]
]


def few(folder: Path, write: Write, name: str) -> Path:
    with observed(folder, FEW, BY_OBSERVATION, frozenset({"REMARKS"})) as (opened, seen):
        write(opened, seen, folder / name)
    return folder / name


def test_pysdmx_leaves_several_values_in_ml_as_a_text_that_python_shows(tmp_path: Path) -> None:
    above, rows_ = by_pysdmx(few(tmp_path, ml(by_series=False), "m.xml"))
    assert above == {}
    assert [ast.literal_eval(row["Comp"]) for row in rows_] == [
        [
            {"id": "AREAS", "xsi:type": "ns1:AREAS_ATTRIBUTE", "Value": ["KE", "UG", "0-1@$"]},
            {"id": "REMARKS", "xsi:type": "ns1:REMARKS_ATTRIBUTE", "Value": ["x", "y & z"]},
        ],
        [
            {"id": "AREAS", "xsi:type": "ns1:AREAS_ATTRIBUTE", "Value": "UG"},
            {"id": "REMARKS", "xsi:type": "ns1:REMARKS_ATTRIBUTE", "Value": ["x", "y & z"]},
        ],
    ]
    assert "REMARKS" not in rows_[0]


def test_sdmx1_fails_on_several_values_in_ml(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="uncollected items"):
        by_sdmx1(few(tmp_path, ml(by_series=False), "m.xml"), structure_of_sdmx1())


def test_pysdmx_fails_on_several_values_in_csv(tmp_path: Path) -> None:
    from pysdmx.errors import Invalid

    with pytest.raises(Invalid, match=r"Cannot parse input as SDMX-CSV\."):
        by_pysdmx(few(tmp_path, cs(), "m.csv"))


def test_sdmx1_reads_several_values_in_csv_as_one_text(tmp_path: Path) -> None:
    structure = structure_of_sdmx1()
    model: Any = import_module("sdmx.model.v21")
    related = model.PrimaryMeasureRelationship()
    structure.attributes.append(model.DataAttribute(id="REMARKS", related_to=related))
    _, rows_ = by_sdmx1(few(tmp_path, cs(), "m.csv"), structure)
    assert [row["REMARKS"] for row in rows_] == ["x;y & z", "x;y & z"]


@needs_parser
@pytest.mark.parametrize("version", ["2.0", "2.1"])
@pytest.mark.parametrize("by_series", [False, True], ids=["flat", "series"])
def test_json_parser_reads_several_values(tmp_path: Path, version: str, *, by_series: bool) -> None:
    given_ = [row | {"REMARKS": listed(HOSTILE, LINES)} for row in FEW]
    with observed(tmp_path, given_, BY_OBSERVATION, frozenset({"REMARKS"})) as (opened, seen):
        js(by_series=by_series, version=version)(opened, seen, tmp_path / "m.json")
    found = of_parser(by_json_parser(tmp_path / "m.json"), ("AREAS", "REMARKS"))
    assert sorted((row["REF_AREA"], json.loads(row["AREAS"]), json.loads(row["REMARKS"])) for row in found) == [
        ("KE", ["UG"], [HOSTILE, LINES]),
        ("UG", ["KE", "UG", "0-1@$"], [HOSTILE, LINES]),
    ]
