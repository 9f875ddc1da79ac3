"""Data of SDMX 2.1 by a measure dimension, the measures being types of observations: read, checked, imported."""

import csv
import datetime as dt
import json
from importlib import import_module
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from cdmeta.formats import data_reading, reading
from cdmeta.sdmx.namespaces import base
from cdmeta.sdmx.store import Store
from cdmeta.tables.engine import data_session
from cdmeta.workflows.check_data import check_data
from cdmeta.workflows.import_ import import_

BASE = base("2.1")
SPACES = (
    f'xmlns:m="{BASE}/message" xmlns:s="{BASE}/structure" xmlns:c="{BASE}/common" xmlns:g="{BASE}/data/generic" '
    f'xmlns:ss="{BASE}/data/structurespecific" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
)
HEAD = (
    '<m:ID>X</m:ID><m:Test>true</m:Test><m:Prepared>2026-01-02T03:04:05</m:Prepared><m:Sender id="WARD"/>'
    "{structure}</m:Header>"
)


def concept(id_: str) -> str:
    return (
        '<s:ConceptIdentity><Ref agencyID="ZZ" maintainableParentID="CS" maintainableParentVersion="1.0" '
        f'id="{id_}" package="conceptscheme" class="Concept"/></s:ConceptIdentity>'
    )


def concepts(id_: str, *names: str) -> str:
    items = "".join(f'<s:Concept id="{name}"><c:Name>{name.title()}</c:Name></s:Concept>' for name in names)
    head = f'<s:ConceptScheme agencyID="ZZ" id="{id_}" version="1.0">'
    return f"{head}<c:Name>{id_}</c:Name>{items}</s:ConceptScheme>"


STRUCTURES = (
    f"<m:Structure {SPACES}><m:Header>{HEAD.format(structure='')}<m:Structures><s:Concepts>"
    + concepts("CS", "AREA", "MEASURED", "TIME_PERIOD", "OBS_VALUE", "UNIT")
    + concepts("CS_MEASURES", "BORN", "DIED")
    + '</s:Concepts><s:DataStructures><s:DataStructure agencyID="ZZ" id="D" version="1.0"><c:Name>D</c:Name>'
    f'<s:DataStructureComponents><s:DimensionList id="DimensionDescriptor"><s:Dimension id="AREA" position="1">'
    f'{concept("AREA")}</s:Dimension><s:MeasureDimension id="MEASURED" position="2">{concept("MEASURED")}'
    '<s:LocalRepresentation><s:Enumeration><Ref agencyID="ZZ" id="CS_MEASURES" version="1.0" '
    'package="conceptscheme" class="ConceptScheme"/></s:Enumeration></s:LocalRepresentation></s:MeasureDimension>'
    f'<s:TimeDimension id="TIME_PERIOD" position="3">{concept("TIME_PERIOD")}<s:LocalRepresentation>'
    '<s:TextFormat textType="ObservationalTimePeriod"/></s:LocalRepresentation></s:TimeDimension>'
    "</s:DimensionList>"
    f'<s:AttributeList id="AttributeDescriptor"><s:Attribute id="UNIT" assignmentStatus="Conditional">'
    f'{concept("UNIT")}<s:AttributeRelationship><s:PrimaryMeasure><Ref id="OBS_VALUE"/></s:PrimaryMeasure>'
    '</s:AttributeRelationship></s:Attribute></s:AttributeList><s:MeasureList id="MeasureDescriptor">'
    f'<s:PrimaryMeasure id="OBS_VALUE">{concept("OBS_VALUE")}</s:PrimaryMeasure></s:MeasureList>'
    "</s:DataStructureComponents></s:DataStructure></s:DataStructures></m:Structures></m:Structure>"
)
ROWS = [
    {"AREA": "a", "TIME_PERIOD": "2020", "MEASURED": "BORN", "OBS_VALUE": "1.5", "UNIT": "k"},
    {"AREA": "a", "TIME_PERIOD": "2020", "MEASURED": "DIED", "OBS_VALUE": "2", "UNIT": "k"},
    {"AREA": "b", "TIME_PERIOD": "2021", "MEASURED": "DIED", "UNIT": "k"},
]


def message(root: str, told: str, body: str, attributes: str, level: str = "MEASURED") -> str:
    """A data message whose dimension at the observation is that of the measures."""
    structure = (
        f'<m:Structure structureID="S" dimensionAtObservation="{level}" {told}><c:Structure>'
        '<Ref agencyID="ZZ" id="D" version="1.0"/></c:Structure></m:Structure>'
    )
    return (
        f'<m:{root} {SPACES} xmlns:n="urn:n"><m:Header>{HEAD.format(structure=structure)}'
        f"<m:DataSet {attributes}>{body}</m:DataSet></m:{root}>"
    )


def specific(observation: str, told: str = "") -> str:
    """Structure-specific series; `{0}` in `observation` is the measure."""
    series = ""
    for area, time in (("a", "2020"), ("b", "2021")):
        rows = [row for row in ROWS if row["AREA"] == area]
        values = [f'OBS_VALUE="{row["OBS_VALUE"]}"' if "OBS_VALUE" in row else "" for row in rows]
        told_ = [
            f"<Obs {observation.format(r['MEASURED'])} {v} UNIT='k'/>" for r, v in zip(rows, values, strict=True)
        ]
        series += f'<Series AREA="{area}" TIME_PERIOD="{time}">{"".join(told_)}</Series>'
    named = f'namespace="urn:n" {told}'
    return message("StructureSpecificData", named, series, 'xsi:type="n:DataSetType" ss:structureRef="S"')


def flat(told: str = "") -> str:
    """Structure-specific observations without series; `told` is what each has besides."""
    body = ""
    for row in ROWS:
        values = " ".join(f'{id_}="{value}"' for id_, value in row.items() if id_ != "MEASURED")
        body += f'<Obs xsi:type="n:{row["MEASURED"]}" {told.format(row["MEASURED"])} {values}/>'
    named = 'namespace="urn:n" explicitMeasures="true"'
    of_set = 'xsi:type="n:DataSetType" ss:structureRef="S"'
    return message("StructureSpecificData", named, body, of_set, "AllDimensions")


def generic() -> str:
    series = ""
    for area, time in (("a", "2020"), ("b", "2021")):
        series += (
            f'<g:Series><g:SeriesKey><g:Value id="AREA" value="{area}"/><g:Value id="TIME_PERIOD" value="{time}"/>'
        )
        series += "</g:SeriesKey>"
        for row in (row for row in ROWS if row["AREA"] == area):
            value = f'<g:ObsValue value="{row["OBS_VALUE"]}"/>' if "OBS_VALUE" in row else ""
            series += (
                f'<g:Obs><g:ObsDimension value="{row["MEASURED"]}"/>{value}<g:Attributes>'
                '<g:Value id="UNIT" value="k"/></g:Attributes></g:Obs>'
            )
        series += "</g:Series>"
    return message("GenericData", "", series, 'structureRef="S"')


EXPLICIT = specific('xsi:type="n:{0}"', 'explicitMeasures="true"')
MESSAGES = {
    "explicit": EXPLICIT,
    "explicit, by the attribute that its types fix": specific('xsi:type="n:T" type="{0}"', 'explicitMeasures="1"'),
    "explicit, told twice": specific('xsi:type="n:{0}" MEASURED="{0}"', 'explicitMeasures="true"'),
    "by the dimension": specific('MEASURED="{0}"'),
    "by the dimension, which is told to be so": specific('MEASURED="{0}"', 'explicitMeasures="false"'),
    "generic": generic(),
}


def put(folder: Path, text: str, name: str = "data.xml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def read(path: Path, store: Store) -> list[dict[str, str]]:
    with data_session() as session:
        (found,) = data_reading.data(session, path, store)
        names = ", ".join(f'"{id_}"' for id_ in found.components)
        rows = session.connection.execute(f"SELECT {names} FROM {found.table} ORDER BY row").fetchall()
    return [{id_: v for id_, v in zip(found.components, row, strict=True) if v is not None} for row in rows]


@pytest.mark.parametrize("shape", MESSAGES)
@pytest.mark.parametrize("known", [True, False], ids=["structures", "none"])
def test_all_shapes_are_one_table(tmp_path: Path, shape: str, *, known: bool) -> None:
    store = Store(reading.structures(put(tmp_path, STRUCTURES, "s.xml")) if known else ())
    assert read(put(tmp_path, MESSAGES[shape]), store) == ROWS


@pytest.mark.parametrize("told", ["", 'MEASURED="{0}"', 'type="{0}"'])
def test_of_flat_data_the_structure_tells_the_dimension(tmp_path: Path, told: str) -> None:
    structures = put(tmp_path, STRUCTURES, "s.xml")
    data = put(tmp_path, flat(told))
    assert read(data, Store(reading.structures(structures))) == ROWS
    assert check_data(data, [str(structures)]).findings == ()


def by_sdmx1(data: str) -> list[dict[str, str]]:
    import sdmx

    # Once it has read a message of 2.1 with a namespace of its own, sdmx1 cannot import its reader of 3.0.
    import_module("sdmx.reader.xml.v30")
    structure: Any = sdmx.read_sdmx(BytesIO(STRUCTURES.encode()))
    message_: Any = sdmx.read_sdmx(BytesIO(data.encode()), structure=structure.structure["D"])
    rows = []
    for found in message_.data[0].obs:
        row = {id_: str(value.value) for id_, value in found.key.values.items()}
        row |= {id_: str(value.value) for id_, value in found.attrib.items()}
        rows.append(row | ({} if found.value is None else {"OBS_VALUE": str(found.value)}))
    return rows


@pytest.mark.parametrize("shape", ["explicit", "by the dimension", "generic"])
def test_sdmx1_reads_the_same_measures(shape: str) -> None:
    assert by_sdmx1(MESSAGES[shape]) == ROWS


def test_data_are_checked_against_the_concepts_of_the_measure_dimension(tmp_path: Path) -> None:
    structures = str(put(tmp_path, STRUCTURES, "s.xml"))
    assert check_data(put(tmp_path, EXPLICIT), [structures]).findings == ()
    told = check_data(put(tmp_path, EXPLICIT.replace("n:BORN", "n:MOVED")), [structures]).findings
    assert [(each.code, each.where.field, each.params["count"]) for each in told] == [("CD783", "MEASURED", 1)]


def test_an_observation_of_no_measure_is_found(tmp_path: Path) -> None:
    structures = str(put(tmp_path, STRUCTURES, "s.xml"))
    told = check_data(put(tmp_path, EXPLICIT.replace('xsi:type="n:BORN"', "")), [structures]).findings
    assert [(each.code, each.where.field, each.params["count"]) for each in told] == [("CD782", "MEASURED", 1)]


def test_they_are_imported_with_the_names_of_the_measures(tmp_path: Path) -> None:
    messages = [put(tmp_path, EXPLICIT), put(tmp_path, STRUCTURES, "s.xml")]
    made = import_(tmp_path / "p", messages, dt.date(2026, 3, 2))
    with (made.out / "data" / "d.csv").open(encoding="utf-8", newline="") as stream:
        rows = [{id_: value for id_, value in row.items() if value} for row in csv.DictReader(stream)]
    assert sorted(sorted(row.items()) for row in rows) == sorted(sorted(row.items()) for row in ROWS)
    descriptor = json.loads((made.out / "datapackage.json").read_text(encoding="utf-8"))
    fields = {entry["name"]: entry for entry in descriptor["resources"][0]["schema"]["fields"]}
    assert fields["MEASURED"]["categories"] == [
        {"value": "BORN", "label": "Born"},
        {"value": "DIED", "label": "Died"},
    ]
