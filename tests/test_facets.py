"""Values of SDMX data types, judged by the engine, against the XML Schema types that the standard gives them."""

from collections.abc import Callable
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from cdmeta.sdmx import facets, xsd
from cdmeta.sdmx.artefacts import Representation
from cdmeta.tables.engine import literal, small_session

XS = "http://www.w3.org/2001/XMLSchema"
COM = "http://www.sdmx.org/resources/sdmxml/schemas/v3_0/common"
DAYS_THAT_THE_SCHEMA_FORGETS = tuple(f"2020-D0{tens}0" for tens in range(1, 10))
"""SDMXCommon.xsd has `0[0-9][1-9]` for the first hundred days, so the tenth is none. The standard means all."""
KINDS = (*facets.FORMS, "String")
VALUES = (
    "", "1", "-1", "+1", "1.5", ".5", "5.", ".", "1e3", "INF", "-INF", "+INF", "NaN", "nan", "abc", "a1",
    "true", "TRUE", "0", "2020", "0000", "0001", "-0001", "12345", "2020Z", "2020+14:00", "2020+14:01",
    "2020-01", "2020-13", "2020-02-30", "2020-02-29", "2021-02-29", "1900-02-29", "2020-02-29Z",
    "2020-02-29T24:00:00", "2020-02-29T24:00:01", "2020-01-01T10:00:00.5Z", "2020-02-30T10:00:00",
    "2020-A1", "2020-S2", "2020-S3", "2020-T3", "2020-T4", "2020-Q4", "2020-Q5", "2020-M12", "2020-M13",
    "2020-W53", "2020-W54", "2020-D366", "2020-D367", "2020-D000", "2020-Q1Z", "2020-01-01/P1D",
    "2020-01-01/P", "2020-01-01T10:00:00/PT1H", "2020-02-30/P1D", "2020-01-01/2020-01-02", "--02-29",
    "--02-30", "--02-31", "--04-31", "--12", "--13", "---31", "---32", "10:00:00", "24:00:00", "25:00:00",
    "P1Y", "-P1D", "PT", "P1YT", "PT1S", " 1 ", "\t1\n", " true", "32767", "32768", "-32768", "-32769",
    "2147483647", "2147483648", "é", "1٣", "1,5", "1 000",
)  # fmt: skip


@cache
def by_schema(kind: str) -> Callable[[str], bool]:
    """What the official schema says of a value of a type."""
    base = f"xs:{xsd._XML_TYPES[kind]}" if kind in xsd._XML_TYPES else f"com:{kind}Type"
    written = (
        f'<xs:schema xmlns:xs="{XS}" xmlns:com="{COM}">'
        f'<xs:import namespace="{COM}" schemaLocation="SDMXCommon.xsd"/>'
        f'<xs:element name="v"><xs:complexType><xs:attribute name="a" type="{base}"/></xs:complexType>'
        "</xs:element></xs:schema>"
    )
    schema = etree.XMLSchema(etree.fromstring(written.encode(), xsd._schema_parser(b"", "3.0")))

    def judge(value: str) -> bool:
        element = etree.Element("v")
        element.set("a", value)
        return schema.validate(element)

    return judge


def is_value(value: str, taken: Representation) -> bool:
    wrong = facets.wrong(literal(value), taken)
    if wrong is None:
        return True
    with small_session() as session:
        ((found,),) = session.connection.execute(f"SELECT {wrong}").fetchall()
    assert isinstance(found, bool)
    return not found


@pytest.mark.parametrize("kind", KINDS)
def test_values_are_what_the_official_schema_says(kind: str) -> None:
    judge = by_schema(kind)
    assert {v for v in VALUES if is_value(v, Representation(text_type=kind))} == {v for v in VALUES if judge(v)}


@pytest.mark.parametrize("value", DAYS_THAT_THE_SCHEMA_FORGETS)
def test_the_tenth_day_is_one_though_the_official_schema_refuses_it(value: str) -> None:
    assert not by_schema("ReportingDay")(value)
    assert is_value(value, Representation(text_type="ReportingDay"))


def test_libxml2_takes_an_exponent_without_digits_and_no_year_beyond_its_own_integers() -> None:
    assert by_schema("Double")("1e")
    assert not is_value("1e", Representation(text_type="Double"))
    assert not by_schema("GregorianYear")("9" * 44)
    assert is_value("9" * 44, Representation(text_type="GregorianYear"))


@pytest.mark.parametrize(
    ("kind", "last"), [("Short", 2**15 - 1), ("Integer", 2**31 - 1), ("Long", 2**63 - 1), ("BigInteger", 10**60)]
)
def test_whole_numbers_have_the_room_that_their_type_gives(kind: str, last: int) -> None:
    numbers = [str(last), str(last + 1), str(-last - 1), str(-last - 2)]
    judge = by_schema(kind)
    assert [is_value(n, Representation(text_type=kind)) for n in numbers] == [judge(n) for n in numbers]


@settings(max_examples=150)
@given(kind=st.sampled_from(KINDS), value=st.text(alphabet="0123456789-+:.TZPYMDHSWQAein/ ", max_size=22))
def test_any_text_is_judged_as_the_official_schema_does(kind: str, value: str) -> None:
    if value != value.strip() or any(value.endswith(day[-5:]) for day in DAYS_THAT_THE_SCHEMA_FORGETS):
        return  # told apart above, and below
    year = value.lstrip("-").partition("-")[0]
    if len(year) > 9 or value.endswith("e"):
        return  # see above
    assert is_value(value, Representation(text_type=kind)) == by_schema(kind)(value)


def test_white_space_belongs_to_times_and_not_to_numbers() -> None:
    assert is_value(" 1.5 ", Representation(text_type="Double"))
    assert not is_value(" 2020-Q1", Representation(text_type="ObservationalTimePeriod"))


@pytest.mark.parametrize(
    ("taken", "good", "bad"),
    [
        (Representation(min_length=2, max_length=3), ("ab", "𝔘𝔘𝔘"), ("a", "abcd", "")),
        (Representation(text_type="Integer", min_value="-5", max_value="10"), ("-5", "10", "+7"), ("-6", "11")),
        (Representation(text_type="Double", max_value="1e300"), ("1e300", "NaN"), ("1.1e300", "INF")),
        (Representation(text_type="ExclusiveValueRange", min_value="0", max_value="1"), ("0.5",), ("0", "1")),
        (Representation(text_type="InclusiveValueRange", min_value="0", max_value="1"), ("0", "1"), ("1.01",)),
        (
            Representation(text_type="BigInteger", max_value="99999999999999999999"),
            ("99999999999999999999",),
            ("100000000000000000000", "1e400"),
        ),
        (Representation(text_type="Decimal", decimals=2), ("1.25", "1", "-.5"), ("1.255",)),
        (Representation(pattern="[A-Z]{2}[0-9]+"), ("AB1",), ("AB", "xAB1", "AB1x")),
    ],
)
def test_facets_bind(taken: Representation, good: tuple[str, ...], bad: tuple[str, ...]) -> None:
    assert [value for value in good if not is_value(value, taken)] == []
    assert [value for value in bad if is_value(value, taken)] == []


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_missing_on_purpose_is_a_value_of_each_type(kind: str) -> None:
    assert is_value(facets.INTENTIONALLY_MISSING, Representation(text_type=kind, max_length=1, pattern="x"))
