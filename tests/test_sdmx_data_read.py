"""Data messages become tables: what we write comes back, all shapes are one table, what is broken is refused."""

import json
from collections.abc import Iterator
from dataclasses import replace
from importlib import import_module
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sdmx_everything import DATAFLOW, DSD, HEADER, HOSTILE
from sdmx_reading import Put, legal_texts

from cdmeta.errors import ConversionError
from cdmeta.formats import data_reading, sdmx_csv, sdmx_ml_data
from cdmeta.formats.data_reading import ReadData
from cdmeta.sdmx.artefacts import Attribute, DataStructure, Dimension, Group, Measure, Representation
from cdmeta.sdmx.observations import Cell, Observations
from cdmeta.sdmx.store import Store
from cdmeta.tables.engine import Session, identifier, literal, small_session
from cdmeta.text import Text
from cdmeta.urn import Ref

Rows = list[dict[str, str | None]]
NOTHING = Store(())


@pytest.fixture
def session() -> Iterator[Session]:
    with small_session() as opened:
        yield opened


def rows(session: Session, read: ReadData) -> Rows:
    """The rows of a table, what is missing left away."""
    found = session.connection.execute(f"SELECT * FROM {read.table} ORDER BY row").fetchall()
    assert len(found) == read.rows
    return [
        {name: value for name, value in zip(("row", *read.components), row, strict=True) if value is not None}
        for row in found
    ]


def observations(session: Session, values: list[str | None]) -> Observations:
    """Observations of our data structure, with a free text each."""
    listed = ", ".join(f"({n}, {'NULL' if v is None else literal(v)})" for n, v in enumerate(values, start=1))
    session.connection.execute(f"CREATE OR REPLACE TEMP VIEW given AS SELECT * FROM (VALUES {listed}) t(n, v)")
    cells = (
        Cell("FREQ", "'A'"),
        Cell("ANSWER", "'YES'"),
        Cell("REF_AREA", "'KE'"),
        Cell("TIME_PERIOD", "CAST(1900 + n AS VARCHAR)"),
        Cell("OBS_VALUE", "CAST(n AS VARCHAR)"),
        Cell("AGE", "NULL"),
        Cell("NOTE", "v::VARCHAR", is_free=True),
    )
    free = [replace(part, attachment="observation") for part in DSD.attributes]
    return Observations(replace(DSD, attributes=tuple(free)), DATAFLOW, "given", cells)


def expected(values: list[str | None], first: int) -> Rows:
    found: Rows = []
    for number, value in enumerate(values):
        row: dict[str, Any] = {"row": first + number, "FREQ": "A", "ANSWER": "YES", "REF_AREA": "KE"}
        row |= {"TIME_PERIOD": str(1901 + number), "OBS_VALUE": str(number + 1)}
        found.append(row | ({} if value is None else {"NOTE": value}))
    return found


TEXTS = st.lists(st.one_of(st.none(), legal_texts()), min_size=1, max_size=4)


@given(values=TEXTS)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_we_write_as_xml_comes_back(session: Session, values: list[str | None]) -> None:
    path = session.scratch / "written.xml"
    sdmx_ml_data.data(session, observations(session, values), path, HEADER)
    (read,) = data_reading.data(session, path, NOTHING)
    assert (read.ref, read.action) == (DATAFLOW.ref, "I")
    assert rows(session, read) == expected(values, 1)


@given(values=TEXTS)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_we_write_as_csv_comes_back(session: Session, values: list[str | None]) -> None:
    path = session.scratch / "written.csv"
    sdmx_csv.data(session, observations(session, values), path)
    (read,) = data_reading.data(session, path, NOTHING)
    assert (read.ref, read.action) == (DATAFLOW.ref, "I")
    assert read.components == ("FREQ", "ANSWER", "REF_AREA", "TIME_PERIOD", "OBS_VALUE", "AGE", "NOTE")
    assert rows(session, read) == expected(values, 2)


def test_hostile_texts_come_back_from_both(session: Session) -> None:
    values: list[str | None] = [*HOSTILE.values(), None]
    for name in ("a.xml", "a.csv"):
        made, path = observations(session, values), session.scratch / name
        if name == "a.xml":
            sdmx_ml_data.data(session, made, path, HEADER)
        else:
            sdmx_csv.data(session, made, path)
        (read,) = data_reading.data(session, path, NOTHING)
        assert rows(session, read) == expected(values, 1 if name == "a.xml" else 2)


def part(id_: str) -> tuple[str, Ref, Representation]:
    return id_, Ref("Concept", "ZZ", "CS", "1.0", id_), Representation(Ref("Codelist", "ZZ", "CL"))


EXR = DataStructure(
    "ZZ",
    "EXR",
    "1.0",
    Text((("en", "Rates"),)),
    dimensions=(
        Dimension(*part("FREQ"), 1),
        Dimension(*part("CURRENCY"), 2),
        Dimension(*part("TIME_PERIOD"), 3, is_time=True),
    ),
    measures=(Measure("OBS_VALUE", part("OBS_VALUE")[1], Representation()),),
    attributes=(
        Attribute(*part("SOURCE"), "dataflow"),
        Attribute("TITLE", part("TITLE")[1], Representation(), ("CURRENCY",), group="Sibling"),
        Attribute(*part("DECIMALS"), ("FREQ", "CURRENCY")),
        Attribute(*part("OBS_STATUS")),
    ),
    groups=(Group("Sibling", ("CURRENCY",)),),
)
STORE = Store((EXR,))
SAME: Rows = [
    {
        "FREQ": "M",
        "CURRENCY": currency,
        "TIME_PERIOD": time,
        "OBS_VALUE": value,
        "OBS_STATUS": "A",
        "DECIMALS": decimals,
        "TITLE": title,
        "SOURCE": "4F0",
    }
    for currency, time, value, decimals, title in (
        ("CHF", "2010-08", "1.3413", "4", "Swiss <franc>"),
        ("CHF", "2010-09", "1.3089", "4", "Swiss <franc>"),
        ("GBP", "2010-08", "0.82363", "5", 'Pound "sterling"'),
    )
]
URN = "urn:sdmx:org.sdmx.infomodel.datastructure.DataStructure=ZZ:EXR(1.0)"


SENT = '<m:ID>X</m:ID><m:Test>false</m:Test><m:Prepared>2026-01-02T03:04:05</m:Prepared><m:Sender id="ZZ"/>'


def xml(kind: str, version: str, level: str, content: str, attributes: str = "") -> str:
    base = f"http://www.sdmx.org/resources/sdmxml/schemas/{version}"
    old = '<Ref agencyID="ZZ" id="EXR" version="1.0"/>'
    return f"""<?xml version="1.0" encoding="UTF-8"?><m:{kind} xmlns:m="{base}/message" xmlns:c="{base}/common"
 xmlns:g="{base}/data/generic" xmlns:ss="{base}/data/structurespecific" xmlns:n="urn:n"
 xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
<m:Header>{SENT}<m:Structure structureID="S" dimensionAtObservation="{level}">
<c:Structure>{old if version == "v2_1" else URN}</c:Structure></m:Structure>
<m:DataSetAction>Replace</m:DataSetAction></m:Header>
<m:DataSet {"structureRef" if kind.startswith("Generic") else "ss:structureRef"}="S"{attributes}>{content}
</m:DataSet></m:{kind}>"""


def values(**given: str) -> str:
    return "".join(f'<g:Value id="{name}" value="{value}"/>' for name, value in given.items())


TITLES = {"CHF": "Swiss &lt;franc&gt;", "GBP": "Pound &quot;sterling&quot;"}
GENERIC_GROUPS = "<g:Attributes>" + values(SOURCE="4F0") + "</g:Attributes>" + "".join(
    f'<g:Group type="Sibling"><g:GroupKey>{values(CURRENCY=currency)}</g:GroupKey>'
    f"<g:Attributes>{values(TITLE=title)}</g:Attributes></g:Group>"
    for currency, title in TITLES.items()
)  # fmt: skip
STATUS = f"<g:Attributes>{values(OBS_STATUS='A')}</g:Attributes>"
GENERIC_SERIES = GENERIC_GROUPS + "".join(
    f"<g:Series><g:SeriesKey>{values(FREQ='M', CURRENCY=currency)}</g:SeriesKey>"
    f"<g:Attributes>{values(DECIMALS=decimals)}</g:Attributes>"
    + "".join(
        f'<g:Obs><g:ObsDimension value="{row["TIME_PERIOD"]}"/><g:ObsValue value="{row["OBS_VALUE"]}"/>'
        f"{STATUS}</g:Obs>"
        for row in SAME
        if row["CURRENCY"] == currency
    )
    + "</g:Series>"
    for currency, decimals in (("CHF", "4"), ("GBP", "5"))
)
GENERIC_FLAT = GENERIC_GROUPS + "".join(
    f"<g:Obs><g:ObsKey>{values(FREQ='M', CURRENCY=str(row['CURRENCY']), TIME_PERIOD=str(row['TIME_PERIOD']))}"
    f'</g:ObsKey><g:ObsValue value="{row["OBS_VALUE"]}"/>'
    f"<g:Attributes>{values(OBS_STATUS='A', DECIMALS=str(row['DECIMALS']))}</g:Attributes></g:Obs>"
    for row in SAME
)


def specific(groups: str, *, flat: bool) -> str:
    if flat:
        return groups + "".join(
            f'<Obs FREQ="M" CURRENCY="{row["CURRENCY"]}" TIME_PERIOD="{row["TIME_PERIOD"]}" OBS_STATUS="A" '
            f'OBS_VALUE="{row["OBS_VALUE"]}" DECIMALS="{row["DECIMALS"]}"/>'
            for row in SAME
        )
    made = (
        f'<Series FREQ="M" CURRENCY="{currency}" DECIMALS="{decimals}">'
        + "".join(
            f'<Obs TIME_PERIOD="{row["TIME_PERIOD"]}" OBS_VALUE="{row["OBS_VALUE"]}" OBS_STATUS="A"/>'
            for row in SAME
            if row["CURRENCY"] == currency
        )
        + "</Series>"
        for currency, decimals in (("CHF", "4"), ("GBP", "5"))
    )
    return groups + "".join(made)


GROUPS_21 = "".join(
    f'<Group xsi:type="n:Sibling" CURRENCY="{currency}" TITLE="{title}"/>' for currency, title in TITLES.items()
)
ATTS_30 = '<Atts SOURCE="4F0"/>' + GROUPS_21.replace('Group xsi:type="n:Sibling"', "Atts")
OWN = ' xsi:type="n:DataSetType" ss:dataScope="DataStructure" SOURCE="4F0"'
MESSAGES = {
    "2.1 generic series": xml("GenericData", "v2_1", "TIME_PERIOD", GENERIC_SERIES),
    "2.1 generic time series": xml("GenericTimeSeriesData", "v2_1", "TIME_PERIOD", GENERIC_SERIES),
    "2.1 generic flat": xml("GenericData", "v2_1", "AllDimensions", GENERIC_FLAT),
    "2.1 series": xml("StructureSpecificData", "v2_1", "TIME_PERIOD", specific(GROUPS_21, flat=False), OWN),
    "2.1 flat": xml("StructureSpecificData", "v2_1", "AllDimensions", specific(GROUPS_21, flat=True), OWN),
    "3.0 series": xml("StructureSpecificData", "v3_0", "TIME_PERIOD", specific(ATTS_30, flat=False)),
    "3.0 groups last": xml("StructureSpecificData", "v3_0", "AllDimensions", specific("", flat=True) + ATTS_30),
    "3.1 flat": xml("StructureSpecificData", "v3_1", "AllDimensions", specific(ATTS_30, flat=True)),
}


@pytest.mark.parametrize("shape", MESSAGES)
def test_all_shapes_of_a_data_set_are_one_table(session: Session, put: Put, shape: str) -> None:
    (read,) = data_reading.data(session, put(MESSAGES[shape]), STORE)
    assert (read.ref, read.action, read.multiple) == (EXR.ref, "R", frozenset())
    assert rows(session, read) == [{"row": n, **row} for n, row in enumerate(SAME, start=1)]


@pytest.mark.parametrize("shape", ["2.1 series", "2.1 flat", "2.1 generic series"])
def test_groups_are_spread_without_the_structure_where_they_can_be(session: Session, put: Put, shape: str) -> None:
    (read,) = data_reading.data(session, put(MESSAGES[shape]), NOTHING)
    assert rows(session, read) == [{"row": n, **row} for n, row in enumerate(SAME, start=1)]


def test_a_value_of_an_observation_goes_before_that_of_its_group(session: Session, put: Put) -> None:
    own = specific(ATTS_30, flat=True).replace("<Obs ", '<Obs TITLE="own" ', 1)
    (read,) = data_reading.data(session, put(xml("StructureSpecificData", "v3_0", "AllDimensions", own)), STORE)
    assert [row["TITLE"] for row in rows(session, read)] == ["own", "Swiss <franc>", 'Pound "sterling"']


def test_several_values_and_languages_are_json_arrays(session: Session, put: Put) -> None:
    content = """<Series FREQ="M" CURRENCY="CHF"><Comp id="TITLE"><Value><c:Text xml:lang="en">one</c:Text>
<c:Text xml:lang="fr">un</c:Text></Value><Value><c:Text>two</c:Text></Value></Comp>
<Obs TIME_PERIOD="2010" OBS_VALUE="1"><Comp id="OBS_STATUS"><Value>A</Value><Value>F</Value></Comp></Obs>
<Obs TIME_PERIOD="2011" OBS_VALUE="2" OBS_STATUS="A"/></Series>"""
    (read,) = data_reading.data(session, put(xml("StructureSpecificData", "v3_0", "TIME_PERIOD", content)), STORE)
    assert read.multiple == {"TITLE", "OBS_STATUS"}
    first, second = rows(session, read)
    assert json.loads(str(first["TITLE"])) == [{"en": "one", "fr": "un"}, {"en": "two"}]
    assert (first["OBS_STATUS"], second["OBS_STATUS"]) == ('["A", "F"]', '["A"]')


@pytest.mark.parametrize("of_all", ["4F0", ["4F0", "x"]])
@pytest.mark.parametrize("of_group", ["g", ["g", "h"]])
@pytest.mark.parametrize("own", [None, "o", ["o"]])
def test_one_value_here_and_several_there_are_lists(
    session: Session, put: Put, of_all: Any, of_group: Any, own: Any
) -> None:
    text = json.dumps(JSON_20).replace('"SOURCE"', '"NOTE"').replace('"TITLE"', '"NOTE"')
    text = text.replace('"OBS_STATUS", "values": [{"id": "A"}]', '"NOTE"').replace(
        "1.3413, 0]", f"1.3413, {json.dumps(own)}]"
    )
    text = text.replace('"4F0"', json.dumps(of_all)).replace(
        '":0:": ["Swiss <franc>"]', f'":0:": [{json.dumps(of_group)}]'
    )
    (read,) = data_reading.data(session, put(text), STORE)
    told = str(rows(session, read)[0]["NOTE"])
    wanted = own or of_group
    if read.multiple:
        assert json.loads(told) == (wanted if isinstance(wanted, list) else [wanted])
    else:
        assert told == wanted


def test_several_data_sets_number_their_observations_through(session: Session, put: Put) -> None:
    message = xml("StructureSpecificData", "v3_0", "AllDimensions", specific(ATTS_30, flat=True))
    again = '<m:DataSet ss:structureRef="S" ss:action="Delete"><Obs FREQ="A" NEW="x"/></m:DataSet></m:Structure'
    read = data_reading.data(session, put(message.replace("</m:StructureS", again + "S")), STORE)
    assert [(entry.action, entry.rows) for entry in read] == [("R", 3), ("D", 1)]
    assert rows(session, read[1]) == [{"row": 4, "FREQ": "A", "NEW": "x"}]


def test_components_that_come_up_late_have_their_column(session: Session, put: Put) -> None:
    content = "".join(f'<Obs FREQ="A" C{n % 7}="{n}"/>' for n in range(10_000))
    (read,) = data_reading.data(
        session, put(xml("StructureSpecificData", "v3_0", "AllDimensions", content)), STORE
    )
    assert read.rows == 10_000
    assert rows(session, read)[9_999] == {"row": 10_000, "FREQ": "A", "C3": "9999"}


JSON_20: dict[str, Any] = {
    "data": {
        "structures": [
            {
                "links": [{"urn": URN}],
                "dimensions": {
                    "dataSet": [{"id": "FREQ", "values": [{"id": "M"}]}],
                    "series": [{"id": "CURRENCY", "values": [{"id": "CHF"}, {"id": "GBP"}]}],
                    "observation": [{"id": "TIME_PERIOD", "values": [{"id": "2010-08"}, {"value": "2010-09"}]}],
                },
                "measures": {"observation": [{"id": "OBS_VALUE"}]},
                "attributes": {
                    "dataSet": [{"id": "SOURCE"}],
                    "dimensionGroup": [{"id": "TITLE"}],
                    "series": [{"id": "DECIMALS", "values": [{"id": "4"}, {"id": "5"}]}],
                    "observation": [{"id": "OBS_STATUS", "values": [{"id": "A"}]}],
                },
            }
        ],
        "dataSets": [
            {
                "action": "Replace",
                "attributes": ["4F0"],
                "dimensionGroupAttributes": {":0:": ["Swiss <franc>"], ":1:": ['Pound "sterling"']},
                "series": {
                    "0": {"attributes": [0], "observations": {"0": [1.3413, 0], "1": [1.3089, 0]}},
                    "1": {"attributes": [1], "observations": {"0": [0.82363, 0]}},
                },
            }
        ],
    }
}


def test_json_is_the_same_table(session: Session, put: Put) -> None:
    (read,) = data_reading.data(session, put(json.dumps(JSON_20)), NOTHING)
    assert (read.ref, read.action) == (EXR.ref, "R")
    assert rows(session, read) == [{"row": n, **row} for n, row in enumerate(SAME, start=1)]


def test_numbers_of_json_stay_as_they_are_written(session: Session, put: Put) -> None:
    for number in ("1.50", "-0.0", "1e400", "9" * 5000):
        content = json.dumps(JSON_20).replace("1.3413", number)
        (read,) = data_reading.data(session, put(content), NOTHING)
        assert rows(session, read)[0]["OBS_VALUE"] == number


def test_json_1_0_is_read(session: Session, put: Put) -> None:
    data = JSON_20["data"]
    structure = {key: value for key, value in data["structures"][0].items() if key != "measures"}
    message = {"header": {}, "structure": structure, "dataSets": data["dataSets"]}
    (read,) = data_reading.data(session, put(json.dumps(message)), NOTHING)
    assert [row["OBS_VALUE"] for row in rows(session, read)] == ["1.3413", "1.3089", "0.82363"]


LABELLED = (
    "STRUCTURE[;],STRUCTURE_ID,ACTION,FREQ: Frequency,CURRENCY: Currency,TIME_PERIOD: Time,OBS_VALUE: Value,"
    "TITLE: Title,MANY[],WORDS[en;fr]\n"
    'datastructure,ZZ:EXR(1.0): Rates,I,M: Monthly,CHF: Swiss: franc,2010: 2010,1,"Note: see, below",'
    "X;Y,en:a;fr:b:c\n"
    "datastructure,ZZ:EXR(1.0): Rates,D,M: Monthly,CHF: Swiss: franc,2011: 2011,,,,\n"
)


def test_labels_are_taken_away_from_codes_and_not_from_texts(session: Session, put: Put) -> None:
    first, second = data_reading.data(session, put(LABELLED), STORE)
    assert (first.ref, first.action, second.action) == (EXR.ref, "I", "D")
    assert first.multiple == {"MANY", "WORDS"}
    common = {"FREQ": "M", "CURRENCY": "CHF"}
    assert rows(session, first) == [
        {"row": 2, "TIME_PERIOD": "2010", "OBS_VALUE": "1", "TITLE": "Note: see, below", **common}
        | {"MANY": '["X","Y"]', "WORDS": '[{"en":"a","fr":"b:c"}]'}
    ]
    assert rows(session, second) == [{"row": 3, "TIME_PERIOD": "2011", **common}]


def test_a_value_of_several_may_hold_their_separator(session: Session, put: Put) -> None:
    cell = '"""a;b"";c ""d"";;""e""""f"""'
    message = f"STRUCTURE[;],STRUCTURE_ID,ACTION,MANY[],X[].Y[]\ndataflow,Z:D(1.0),I,{cell},p;q\n"
    (read,) = data_reading.data(session, put(message), NOTHING)
    assert read.multiple == {"MANY"}
    (row,) = rows(session, read)
    assert json.loads(str(row["MANY"])) == ["a;b", 'c "d"', "", 'e"f']
    assert row["X.Y"] == "p;q"


def test_sdmx_csv_1_0_and_columns_of_names_are_read(session: Session, put: Put) -> None:
    old = "DATAFLOW;FREQ;TIME_PERIOD;OBS_VALUE\nZZ:DF(1.0);A;2010;1,5\nZZ:DF(1.0);A;2011;2,5\n"
    (read,) = data_reading.data(session, put(old), NOTHING)
    assert (read.ref, read.action, read.rows) == (Ref("Dataflow", "ZZ", "DF", "1.0"), "I", 2)
    assert rows(session, read)[1] == {"row": 3, "FREQ": "A", "TIME_PERIOD": "2011", "OBS_VALUE": "2,5"}
    named = (
        "\ufeffSTRUCTURE,STRUCTURE_ID,STRUCTURE_NAME,ACTION,FREQ,Frequency\ndataflow,ZZ:DF(1.0),Flow,I,A,Annual\n"
    )
    (read,) = data_reading.data(session, put(named), NOTHING)
    assert rows(session, read) == [{"row": 2, "FREQ": "A"}]


def test_columns_that_others_add_in_sdmx_csv_are_read_under_their_names(session: Session, put: Put) -> None:
    message = "DATAFLOW,LAST UPDATE,FREQ\nZZ:DF(1.0),30/10/25 23:00:00,A\n"
    (read,) = data_reading.data(session, put(message), NOTHING)
    assert rows(session, read) == [{"row": 2, "LAST UPDATE": "30/10/25 23:00:00", "FREQ": "A"}]


FLAT = MESSAGES["3.1 flat"]
BROKEN: dict[str, tuple[str | bytes, str]] = {
    "doctype": (FLAT.replace("?>", '?><!DOCTYPE a [<!ENTITY b "c">]>'), "declares a document type (DOCTYPE)"),
    "truncated": (FLAT[:-400], "is no well-formed XML (line 7:"),
    "duplicate": (FLAT.replace('FREQ="M"', 'FREQ="M" FREQ="M"'), "(line 7: duplicate attribute)"),
    "encoding": (FLAT.replace("Swiss", "Süß").encode("latin-1"), "is no well-formed XML (line 7:"),
    "deep": (FLAT.replace("<Obs", "<a>" * 1000 + "<Obs"), "nested too deeply"),
    "2.0": (FLAT.replace("v3_1", "v2_0"), "is of SDMX version 2.0"),
    "structures": (FLAT.replace("StructureSpecificData", "Structure"), "is a message of Structure, and not"),
    "case": (FLAT.replace('FREQ="M"', 'FREQ="M" freq="M"'), 'names the component "freq" besides another'),
    "row": (FLAT.replace('FREQ="M"', 'FREQ="M" ROW="M"'), 'names the component "ROW"'),
    "wide": (FLAT.replace("<Obs", "<Obs " + " ".join(f'A{n}="1"' for n in range(1001))), "more than 1,000"),
    "csv width": ('STRUCTURE,STRUCTURE_ID,"ACTION",A\ndataflow,Z:D(1.0),I\n', "more or fewer cells in row 2"),
    "csv quote": ('STRUCTURE,STRUCTURE_ID,"ACTION",A\ndataflow,Z:D(1.0),I,"x\n', "is no readable CSV"),
    "csv encoding": ("STRUCTURE,STRUCTURE_ID,ACTION,É\n".encode("latin-1"), "in an encoding other than UTF-8"),
    "csv column": ("STRUCTURE,STRUCTURE_ID,ACTION,A[\ndataflow,Z:D(1.0),I,1\n", 'has a column "A["'),
    "other csv": ("a,b\n1,2\n", "is no SDMX message that can be read here"),
    "json place": (json.dumps(JSON_20).replace('{"attributes": [1]', '{"attributes": [7]'), "8 of DECIMALS"),
    "csv zero": (b"STRUCTURE,STRUCTURE_ID,ACTION,A\ndataflow,Z:D(1.0),I,\0\n", "in an encoding other than UTF-8"),
    "json zero": (json.dumps(JSON_20).replace("1.3413", '"\\u0000"'), "holds characters that are no text."),
    "json half": (json.dumps(JSON_20).replace("1.3413", '"\\ud800"'), "holds characters that are no text."),
    "json half id": (json.dumps(JSON_20).replace("CURRENCY", "\\ud800"), "holds characters that are no text."),
    "json half of all": (json.dumps(JSON_20).replace("4F0", "\\ud800"), "holds characters that are no text."),
    "json zero of all": (json.dumps(JSON_20).replace("4F0", "\\u0000"), "holds characters that are no text."),
    "json no list": (json.dumps(JSON_20).replace('[{"id": "SOURCE"}]', "true"), "tell of: attributes"),
    "json no component": (json.dumps(JSON_20).replace('[{"id": "SOURCE"}]', "[null]"), "tell of: attributes"),
    "json structures": ('{"data": {"codelists": []}}', "is a message of codelists, and not one of data."),
}  # fmt: skip


@pytest.mark.parametrize("case", BROKEN)
def test_what_is_broken_is_refused_in_one_line(session: Session, put: Put, case: str) -> None:
    content, told = BROKEN[case]
    with pytest.raises(ConversionError) as caught:
        data_reading.data(session, put(content), STORE)
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith("message: ")


def test_ids_that_are_sql_stay_ids(session: Session, put: Put) -> None:
    content = json.dumps(JSON_20).replace('"OBS_STATUS"', '"a\\"; DROP TABLE x; --"')
    (read,) = data_reading.data(session, put(content), NOTHING)
    name = 'a"; DROP TABLE x; --'
    assert name in read.components
    found = session.connection.execute(f"SELECT {identifier(name)} FROM {read.table}").fetchall()
    assert found == [("A",)] * 3


def by_pysdmx(path: Path) -> list[int]:
    from pysdmx.io import read_sdmx

    return [len(getattr(entry, "data", ())) for entry in read_sdmx(path, validate=False).data or ()]


def by_sdmx1(path: Path) -> Rows:
    import sdmx

    # Once it has read a message of 2.1 with a namespace of its own, sdmx1 cannot import its reader of 3.0.
    import_module("sdmx.reader.xml.v30")
    message: Any = sdmx.read_sdmx(BytesIO(path.read_bytes()))
    (found,) = message.data
    told: Rows = []
    for entry in found.obs:
        row: dict[str, str | None] = {key.id: str(key.value) for key in entry.key.values.values()}
        row |= {name: str(value.value) for name, value in entry.attrib.items()}
        told.append(row | {"OBS_VALUE": str(entry.value)})
    return told


@pytest.mark.parametrize("shape", ["2.1 generic series", "2.1 generic flat", "2.1 generic time series"])
def test_sdmx1_reads_the_same_observations(session: Session, put: Put, shape: str) -> None:
    path = put(MESSAGES[shape]).rename(session.scratch / "message.xml")
    (read,) = data_reading.data(session, path, STORE)
    ours = [{name: value for name, value in row.items() if name != "row"} for row in rows(session, read)]
    # It keeps attributes of the data set apart.
    assert by_sdmx1(path) == [{name: value for name, value in row.items() if name != "SOURCE"} for row in ours]


@pytest.mark.parametrize("shape", ["2.1 generic series", "2.1 flat", "3.0 series"])
def test_pysdmx_reads_as_many(session: Session, put: Put, shape: str) -> None:
    path = put(MESSAGES[shape]).rename(session.scratch / "message.xml")
    (read,) = data_reading.data(session, path, STORE)
    assert by_pysdmx(path) == [read.rows]
