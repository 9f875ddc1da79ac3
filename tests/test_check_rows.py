"""Data in a view against a data structure: what is found, how often, and where first."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from sdmx_observed import COLUMNS, ROWS, Row
from sdmx_observed import DSD as OBSERVED

from cdmeta.sdmx.artefacts import (
    Attachment,
    Attribute,
    CubeRegion,
    DataConstraint,
    DataStructure,
    Dimension,
    Measure,
    Representation,
)
from cdmeta.sdmx.check import Known, Rows, check
from cdmeta.tables.engine import small_session
from cdmeta.text import Text
from cdmeta.urn import Ref

LISTS = {
    "CL_SEX": frozenset({"F", "M", "_T"}),
    "CL_AREA": frozenset({"X1", "X2"}),
    "CL_STATUS": frozenset({"A", "O"}),
}
NAME = Text((("en", "Made up"),))
CLEAN = (
    ("F", "X1", "2020", "1.5", "A", "people", "note"),
    ("M", "X1", "2020", "2", "O", "people", "note"),
    ("F", "X1", "2021", None, None, "people", "note"),
    ("F", "X2", "2021-Q1", "NaN", "A", None, "note"),
)
IDS = ("SEX", "AREA", "TIME_PERIOD", "OBS_VALUE", "OBS_STATUS", "UNIT", "TITLE")


def concept(id_: str) -> Ref:
    return Ref("Concept", "X", "CS", "1.0", id_)


def coded(name: str) -> Representation:
    return Representation(Ref("Codelist", "X", name))


def attribute(id_: str, attachment: Attachment, taken: Representation, *, mandatory: bool = False) -> Attribute:
    return Attribute(id_, concept(id_), taken, attachment, mandatory)


DSD = DataStructure(
    "X",
    "DSD",
    "1.0",
    NAME,
    dimensions=(
        Dimension("SEX", concept("SEX"), coded("CL_SEX"), 1),
        Dimension("AREA", concept("AREA"), coded("CL_AREA"), 2),
        Dimension(
            "TIME_PERIOD", concept("T"), Representation(text_type="ObservationalTimePeriod"), 3, is_time=True
        ),
    ),
    measures=(Measure("OBS_VALUE", concept("V"), Representation(text_type="Double", max_value="100")),),
    attributes=(
        attribute("OBS_STATUS", "observation", coded("CL_STATUS")),
        attribute("UNIT", ("SEX", "AREA"), Representation()),
        attribute("TITLE", "dataflow", Representation(max_length=20), mandatory=True),
    ),
)


def found(
    rows: Iterable[Sequence[str | None]],
    ids: Sequence[str] = IDS,
    dsd: DataStructure = DSD,
    action: str = "I",
    constraints: tuple[DataConstraint, ...] = (),
    multiple: frozenset[str] = frozenset(),
) -> list[tuple[str, str | None, int | None, Any]]:
    known = Known(
        dsd,
        lambda part: part.representation,
        lambda taken: LISTS.get(taken.codelist.id) if taken.codelist else None,
        constraints,
    )
    with small_session() as session:
        columns = ", ".join(f'"{id_}" VARCHAR' for id_ in ids)
        session.connection.execute(f"CREATE TEMP TABLE given (row BIGINT, {columns})")
        for number, row in enumerate(rows, 2):
            marks = ", ".join("?" * (len(row) + 1))
            session.connection.execute(f"INSERT INTO given VALUES ({marks})", [number, *row])
        findings = check(session, Rows("data.csv", "given", tuple(ids), action, multiple), known)
        session.connection.execute("DROP TABLE given")
    return [(f.code, f.where.field, f.where.row, f.params.get("count")) for f in findings]


def changed(row: int, id_: str, value: str | None) -> list[list[str | None]]:
    rows: list[list[str | None]] = [list(entry) for entry in CLEAN]
    rows[row][IDS.index(id_)] = value
    return rows


def test_clean_data_have_no_findings() -> None:
    assert found(CLEAN) == []
    assert found(()) == []


@pytest.mark.parametrize(
    ("row", "id_", "value", "code", "where"),
    [
        (1, "SEX", "X", "CD783", 3),
        (1, "SEX", "f", "CD783", 3),
        (0, "SEX", None, "CD782", 2),
        (3, "TIME_PERIOD", "2021Q1", "CD784", 5),
        (2, "TIME_PERIOD", "2021-02-30", "CD784", 4),
        (2, "OBS_VALUE", "1,5", "CD784", 4),
        (2, "OBS_VALUE", "100.01", "CD784", 4),
        (1, "OBS_STATUS", "", "CD783", 3),
        (1, "TITLE", "n" * 21, "CD784", 3),
        (2, "UNIT", "others", "CD787", 2),
    ],
)
def test_one_wrong_value_is_found_where_it_stands(
    row: int, id_: str, value: str | None, code: str, where: int
) -> None:
    told = found(changed(row, id_, value))
    assert (code, id_, where, 1) in told
    assert {entry[0] for entry in told} <= {code, "CD787"}  # another title differs from the other titles as well


def test_what_is_missing_on_purpose_is_no_wrong_value() -> None:
    assert found(changed(0, "OBS_VALUE", "#N/A")) == []
    assert found(changed(0, "OBS_STATUS", "#N/A")) == []


def test_rows_that_differ_inside_what_an_attribute_belongs_to_are_counted() -> None:
    def uneven(rows: Iterable[Row]) -> list[tuple[str | None, int | None, Any]]:
        cells = [[given[id_] for id_ in COLUMNS] for given in rows]
        return [tuple(rest) for code, *rest in found(cells, COLUMNS, OBSERVED) if code == "CD787"]

    assert uneven(ROWS) == []
    rows = [dict(given) for given in ROWS]
    rows[2]["TITLE"] = None  # a row that says nothing differs from none
    rows[3] |= {"UNIT": "another", "AREA_NOTE": "another"}
    rows[5] |= {"SIBLING_NOTE": "another", "NOTE": "another"}
    rows[6] |= {"AREA_NOTE": "a third"}
    assert uneven(rows) == [("UNIT", 3, 1), ("AREA_NOTE", 3, 1), ("SIBLING_NOTE", 2, 1)]
    rows[1]["TITLE"] = "another"
    assert uneven(rows)[0] == ("TITLE", 2, 1)


def test_a_data_set_has_one_value_of_an_attribute_of_the_dataflow() -> None:
    assert found(changed(1, "TITLE", "other")) == [("CD787", "TITLE", 2, 1)]
    assert found([[*row[:-1], None] for row in CLEAN]) == [("CD785", "TITLE", 2, 1)]
    assert found([[*row[:-1], "note" if row is CLEAN[2] else None] for row in CLEAN]) == []


def test_a_mandatory_attribute_of_a_series_is_asked_of_each_series() -> None:
    unit = replace(DSD.attributes[1], mandatory=True)
    dsd = replace(DSD, attributes=(DSD.attributes[0], unit, DSD.attributes[2]))
    assert found(CLEAN, dsd=dsd) == [("CD785", "UNIT", 5, 1)]


def test_mandatory_measures_are_asked_of_each_observation_unless_it_is_an_update() -> None:
    dsd = replace(DSD, measures=(replace(DSD.measures[0], mandatory=True),))
    assert found(CLEAN, dsd=dsd) == [("CD785", "OBS_VALUE", 4, 1)]
    assert found(CLEAN, dsd=dsd, action="M") == []


def test_repeated_keys_are_counted_without_the_first() -> None:
    rows = [CLEAN[0], CLEAN[1], (*CLEAN[0][:3], "7", None, "people", "note"), CLEAN[0]]
    assert found(rows) == [("CD786", "SEX, AREA, TIME_PERIOD", 4, 2)]


def test_components_that_are_missing_or_too_many() -> None:
    told = found([(*row[1:-1], "x") for row in CLEAN], (*IDS[1:-1], "EXTRA"))
    assert told[:3] == [
        ("CD780", "SEX", None, None),
        ("CD780", "TITLE", None, None),
        ("CD781", "EXTRA", None, None),
    ]


def test_what_cannot_be_checked_is_told() -> None:
    sex = replace(DSD.dimensions[0], representation=coded("CL_UNKNOWN"))
    title = replace(DSD.attributes[2], representation=Representation(pattern=r"(?<=a)b"))
    dsd = replace(DSD, dimensions=(sex, *DSD.dimensions[1:]), attributes=(*DSD.attributes[:2], title))
    assert found(CLEAN, dsd=dsd) == [("CD789", "SEX", None, None), ("CD789", "TITLE", None, None)]


def constraint(*regions: CubeRegion, allowed: bool = True, **more: Any) -> DataConstraint:
    return DataConstraint("X", "CON", "1.0", NAME, allowed=allowed, regions=regions, **more)


@pytest.mark.parametrize(
    ("given", "rows"),
    [
        (constraint(CubeRegion((("SEX", frozenset({"F"})),))), (3, 1)),
        (constraint(CubeRegion((("SEX", frozenset({"F"})),)), CubeRegion((("SEX", frozenset({"M"})),))), None),
        (constraint(CubeRegion((("SEX", frozenset({"M"})), ("AREA", frozenset({"X1"}))), included=False)), (3, 1)),
        (
            constraint(CubeRegion((("SEX", frozenset({"M"})), ("NOT_THERE", frozenset({"x"}))), included=False)),
            None,
        ),
        (constraint(CubeRegion((("AREA", frozenset({"X%"})),))), None),
        (constraint(CubeRegion((("AREA", frozenset({"X_"})),))), (2, 4)),
        (constraint(CubeRegion((("UNIT", frozenset({"people"})),))), None),
        (constraint(CubeRegion((("NOT_THERE", frozenset({"x"})),))), None),
        (constraint(CubeRegion((("SEX", frozenset({"M"})),)), allowed=False), None),
        (constraint(keys=((True, (("SEX", "F"), ("AREA", "X1"))), (True, (("SEX", "M"),)))), (5, 1)),
        (constraint(keys=((False, (("SEX", "F"), ("AREA", "X1"))),)), (2, 2)),
    ],
)
def test_constraints_bind(given: DataConstraint, rows: tuple[int, int] | None) -> None:
    expected = [] if rows is None else [("CD788", None, *rows)]
    assert found(CLEAN, constraints=(given,)) == expected


def test_a_hundred_thousand_codes_are_no_burden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(LISTS, "CL_SEX", frozenset({f"C{n}" for n in range(100_000)} | {"F"}))
    assert found(CLEAN) == [("CD783", "SEX", 3, 1)]


def test_each_of_several_values_is_looked_at() -> None:
    status = [
        (*row[:4], value, *row[5:]) for row, value in zip(CLEAN, ('["A"]', '["A","O"]', None, "[]"), strict=True)
    ]
    several = partial(found, dsd=with_attribute("OBS_STATUS", max_occurs=3), multiple=frozenset({"OBS_STATUS"}))
    assert several(status) == []
    status[1] = (*CLEAN[1][:4], '["A","x","y"]', *CLEAN[1][5:])
    assert several(status) == [("CD783", "OBS_STATUS", 3, 2)]


@pytest.mark.parametrize(("among", "included", "wrong"), [("AO", True, []), ("A", True, [2]), ("O", False, [2])])
def test_constraints_bind_each_of_several_values(among: str, wrong: list[int], *, included: bool) -> None:
    status = [(*CLEAN[0][:4], '["A","O"]', *CLEAN[0][5:]), (*CLEAN[1][:4], '["A"]', *CLEAN[1][5:])]
    given = constraint(CubeRegion((("OBS_STATUS", frozenset(among)),), included=included))
    dsd = with_attribute("OBS_STATUS", max_occurs=2)
    told = found(status, dsd=dsd, multiple=frozenset({"OBS_STATUS"}), constraints=(given,))
    assert told == [("CD788", None, row, 1) for row in wrong]


def test_a_pattern_that_cannot_be_read_leaves_the_type_of_the_time() -> None:
    time = Representation(text_type="DateTime", pattern=r"(?=2)[0-9]+")
    parts = [replace(part, representation=time) if part.is_time else part for part in DSD.dimensions]
    told = found(CLEAN, dsd=replace(DSD, dimensions=tuple(parts)))
    assert [code for code, *_ in told] == ["CD789", "CD767"]


def test_more_values_than_there_may_be_are_counted_by_row() -> None:
    status = [(*row[:4], '["A","O","A"]' if number else '["A"]', *row[5:]) for number, row in enumerate(CLEAN)]
    for most, wrong in ((1, 3), (2, 3), (3, 0), (None, 0)):
        told = found(status, dsd=with_attribute("OBS_STATUS", max_occurs=most), multiple=frozenset({"OBS_STATUS"}))
        assert told == ([("CD784", "OBS_STATUS", 3, wrong)] if wrong else [])


def with_attribute(id_: str, **taken: Any) -> DataStructure:
    """The data structure with another representation of an attribute."""
    return replace(
        DSD,
        attributes=tuple(
            replace(part, representation=replace(part.representation, **taken)) if part.id == id_ else part
            for part in DSD.attributes
        ),
    )
