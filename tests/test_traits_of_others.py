"""Traits of messages that statistical offices and their systems write, each in a small message; all made up."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from sdmx_checked import (
    ALLOWED,
    AREA,
    DSD,
    FLOW,
    HEADER,
    IDS,
    NAME,
    SEX,
    concept,
    message,
    of_data,
    of_series,
    structures,
    timed,
)

from cdmeta.errors import ConversionError
from cdmeta.finding import Finding
from cdmeta.formats import oracle, reading, sdmx_json, sdmx_ml, sdmx_ml_21
from cdmeta.sdmx.artefacts import (
    Concept,
    ConceptScheme,
    CubeRegion,
    DataConstraint,
    Dimension,
    Representation,
    TimeRange,
)
from cdmeta.sdmx.periods import begins, ends
from cdmeta.tables.engine import small_session
from cdmeta.urn import Ref
from cdmeta.workflows.check_data import check_data


def put(folder: Path, content: str, name: str = "data.xml") -> Path:
    path = folder / name
    path.write_text(content, encoding="utf-8")
    return path


def found(report: Sequence[Finding]) -> list[tuple[str, str | None, object, object]]:
    return [(f.code, f.where.field, f.params.get("count"), f.params.get("row")) for f in report]


def csv(folder: Path, times: Sequence[str]) -> Path:
    """A message of SDMX-CSV 1.0, as .Stat writes it."""
    lines = [("DATAFLOW", *IDS), *(("ZZ:DF(1.0)", "F", "X1", time, "1", "people") for time in times)]
    return put(folder, "".join(",".join(line) + "\n" for line in lines), "data.csv")


@pytest.mark.parametrize(
    ("text_type", "times", "expected"),
    [
        ("DateTime", ["2018", "2018-Q1"], [("CD767", "TIME_PERIOD", 2, 2)]),
        ("DateTime", ["2018-01-01T00:00:00", "2018"], [("CD767", "TIME_PERIOD", 1, 3)]),
        ("DateTime", ["2018-01-01T00:00:00"], []),
        ("DateTime", ["May 2018", "2018"], [("CD784", "TIME_PERIOD", 1, 2), ("CD767", "TIME_PERIOD", 1, 3)]),
        ("GregorianYear", ["2018-Q1"], [("CD784", "TIME_PERIOD", 1, 2)]),
    ],
)
def test_periods_where_points_in_time_are_asked_for_are_told_and_taken(
    text_type: str, times: list[str], expected: list[object], tmp_path: Path
) -> None:
    known = structures(tmp_path, SEX, AREA, timed(text_type), FLOW)
    assert found(check_data(csv(tmp_path, times), [str(known)]).findings) == expected


def test_a_message_without_observations_is_told_once(tmp_path: Path) -> None:
    assert found(of_series(tmp_path)) == [("CD768", None, None, None)]
    (tmp_path / "all.xml").write_text(message('<Atts UNIT="people"/>'), encoding="utf-8")
    known = str(structures(tmp_path, SEX, AREA, DSD, FLOW))
    assert found(check_data(tmp_path / "all.xml", [known]).findings) == [("CD768", None, None, None)]
    assert found(of_series(tmp_path, '<Obs TIME_PERIOD="2020" OBS_VALUE="1"/>')) == []


def test_data_of_a_provision_agreement_are_those_of_the_one_structure_there_is(tmp_path: Path) -> None:
    series = '<Series SEX="F" AREA="X1" UNIT="people"><Obs TIME_PERIOD="2020" OBS_VALUE="{}"/></Series>'
    data = put(tmp_path, message(series.format("x"), usage="ProvisionAgrement", id_="PA"))
    report = check_data(data, [str(structures(tmp_path, SEX, AREA, DSD))])
    assert report.name == "DataStructure ZZ:DSD(1.0)"
    assert found(report.findings) == [("CD784", "OBS_VALUE", 1, 1)]
    both = structures(tmp_path, SEX, AREA, DSD, replace(DSD, id="OTHER"))
    with pytest.raises(ConversionError, match=r"Name it with --dataflow; .*ZZ:DSD\(1\.0\), .* ZZ:OTHER"):
        check_data(data, [str(both)])
    assert check_data(data, [str(both)], "ZZ:OTHER(1.0)").name == "DataStructure ZZ:OTHER(1.0)"


def test_data_that_are_given_for_their_structure_are_told_as_such(tmp_path: Path) -> None:
    data = csv(tmp_path, ["2020"])
    with pytest.raises(ConversionError, match="is a message of SDMX-CSV, and not one of structures"):
        check_data(data, [str(data)])
    quoted = put(tmp_path, '\ufeff"STRUCTURE";"STRUCTURE_ID"', "quoted.csv")
    with pytest.raises(ConversionError, match="is a message of SDMX-CSV, and not one of structures"):
        check_data(data, [str(quoted)])
    with pytest.raises(ConversionError, match="is no SDMX message that can be read here"):
        check_data(data, [str(put(tmp_path, "a,b", "other.csv"))])


CONCEPTS = ConceptScheme("ZZ", "CS_M", "1.0", NAME, concepts=(Concept("BIRTHS", NAME), Concept("DEATHS", NAME)))


def of_measures(folder: Path) -> Path:
    """A structure of SDMX 2.1 whose measures are the concepts of a scheme."""
    measures = Representation(Ref("Codelist", "ZZ", "CS_M", "1.0"))
    structure = replace(
        DSD,
        dimensions=(
            DSD.dimensions[0],
            Dimension("DEMO", concept("DEMO"), measures, 2),
            replace(DSD.dimensions[2], position=3),
        ),
        attributes=(),
    )
    path = structures(folder, SEX, structure, CONCEPTS)
    text = path.read_text(encoding="utf-8")
    named = text.replace("codelist.Codelist=ZZ:CS_M", "conceptscheme.ConceptScheme=ZZ:CS_M")
    assert named != text
    return put(folder, named, "structures.xml")


def test_the_type_of_an_observation_tells_its_measure(tmp_path: Path) -> None:
    """Cross-sectional data with explicit measures, SDMX 2.1."""
    series = """<Series SEX="F" TIME_PERIOD="2020"><Obs xsi:type="x:BIRTHS" OBS_VALUE="1"/>
    <Obs xsi:type="x:DEATHS" OBS_VALUE="2"/><Obs xsi:type="x:{}" OBS_VALUE="3"/></Series>"""
    known, explicit = of_measures(tmp_path), ' explicitMeasures="true"'
    data = put(tmp_path, message(series.format("MOVES"), "DEMO", more=explicit))
    assert found(check_data(data, [str(known)]).findings) == [("CD783", "DEMO", 1, 3)]
    data = put(tmp_path, message(series.format("DEATHS"), "DEMO", more=explicit))
    assert found(check_data(data, [str(known)]).findings) == [("CD786", "SEX, DEMO, TIME_PERIOD", 1, 3)]


def test_messages_of_sdmx_2_0_are_told_by_their_version(tmp_path: Path) -> None:
    known = structures(tmp_path, SEX, AREA, DSD)
    root = '<GenericData xmlns="http://www.SDMX.org/resources/SDMXML/schemas/v{}/message"/>'
    for written, told in (("2_0", "2.0"), ("1_0", "1.0")):
        with pytest.raises(ConversionError, match=f"is of SDMX version {told}; 2.1, 3.0 and 3.1 are read"):
            check_data(put(tmp_path, root.format(written)), [str(known)])


def test_drafts_of_sdmx_json_have_their_data_sets_at_the_top(tmp_path: Path) -> None:
    at = {"SEX": "F", "AREA": "X9", "TIME_PERIOD": "2020"}
    dimensions = ", ".join(f'{{"id": "{id_}", "values": [{{"id": "{code}"}}]}}' for id_, code in at.items())
    data = put(
        tmp_path,
        f"""{{"structure": {{"dimensions": {{"observation": [{dimensions}]}},
        "attributes": {{"observation": [{{"id": "UNIT", "values": [{{"id": "people"}}]}}]}}}},
        "dataSets": [{{"action": "Information", "observations": {{"0:0:0": [1.5, 0]}}}}]}}""",
        "data.json",
    )
    known = structures(tmp_path, SEX, AREA, DSD)
    assert found(check_data(data, [str(known)]).findings) == [("CD783", "AREA", 1, 1)]
    with pytest.raises(ConversionError, match="is no SDMX message that can be read"):
        check_data(put(tmp_path, '{"structure": {}}', "data.json"), [str(known)])


RANGES = (
    TimeRange("2018-01-01T00:00:00", "2020-12-31T00:00:00"),  # as .Stat writes it
    TimeRange(start="2019"),
    TimeRange(start="2019", start_included=False),
    TimeRange(end="2019-Q2"),
    TimeRange(end="2019-Q2", end_included=False),
    TimeRange("2019-W02", "2019-D100", start_included=False, end_included=False),
)


def ranged(limits: TimeRange, *, included: bool = True) -> DataConstraint:
    areas = (("AREA", frozenset({"X1"})),) if included else ()
    region = CubeRegion(areas, included, (("TIME_PERIOD", limits),))
    return replace(ALLOWED, regions=(region,))


@pytest.mark.parametrize(
    ("write", "kind"),
    [
        (sdmx_ml_21.structures, "sdmx-ml-2.1"),
        (sdmx_ml.structures, "sdmx-ml-3.0"),
        (partial(sdmx_ml.structures, version="3.1"), "sdmx-ml-3.1"),
        (sdmx_json.structures, "sdmx-json-2.0-structure"),
        (partial(sdmx_json.structures, version="2.1"), "sdmx-json-2.1-structure"),
    ],
)
def test_ranges_of_time_come_back_from_every_format(
    write: Callable[..., bytes], kind: oracle.Kind, tmp_path: Path
) -> None:
    for limits in RANGES:
        for constraint in (ranged(limits), ranged(limits, included=False)):
            written = write((constraint,), HEADER)
            assert oracle.problems(written, kind) == ()
            (tmp_path / "message").write_bytes(written)
            (read,) = reading.structures(tmp_path / "message")
            assert isinstance(read, DataConstraint)
            assert read.regions == constraint.regions


OBSERVED = (
    "2017",
    "2018",
    "2019-Q1",
    "2019-S2",
    "2019-04-10",
    "2019-M06",
    "2021",
    "2020-12-31T10:00:00Z",
    "2018/P1Y",
)


@pytest.mark.parametrize(
    ("limits", "outside"),
    [
        (RANGES[0], ["2017", "2021", "2020-12-31T10:00:00Z"]),
        (RANGES[1], ["2017", "2018"]),
        (RANGES[2], ["2017", "2018", "2019-Q1", "2019-S2", "2019-04-10", "2019-M06"]),
        (RANGES[3], ["2019-S2", "2021", "2020-12-31T10:00:00Z"]),
        (RANGES[4], ["2019-S2", "2019-04-10", "2019-M06", "2021", "2020-12-31T10:00:00Z"]),
        # Day 100 of 2019 is 10 April; the second week ends on 13 January.
        (RANGES[5], ["2017", "2018", "2019-S2", "2019-04-10", "2019-M06", "2021", "2020-12-31T10:00:00Z"]),
    ],
)
def test_ranges_of_time_bind_periods_that_lie_outside(
    limits: TimeRange, outside: list[str], tmp_path: Path
) -> None:
    """A period that lies in a range in part is in it; of what is no period, nothing is said here."""
    rows = [("F", "X1", period, "1", "people") for period in OBSERVED]
    inside = [number for number, period in enumerate(OBSERVED, start=2) if period not in outside]
    for included in (True, False):
        wrong = of_data(tmp_path, rows, constraints=(ranged(limits, included=included),))
        expected = len(outside) if included else len(inside) - ("2018/P1Y" not in outside)
        assert [(f.code, f.params["count"]) for f in wrong if f.code == "CD788"] == [("CD788", expected)]


@pytest.mark.parametrize(
    ("period", "first", "behind"),
    [
        ("2020", "2020-01-01", "2021-01-01"),
        ("2020-A1", "2020-01-01", "2021-01-01"),
        ("2020-S2", "2020-07-01", "2021-01-01"),
        ("2020-T3", "2020-09-01", "2021-01-01"),
        ("2020-Q2", "2020-04-01", "2020-07-01"),
        ("2020-02", "2020-02-01", "2020-03-01"),
        ("2020-M12", "2020-12-01", "2021-01-01"),
        ("2020-W01", "2019-12-30", "2020-01-06"),
        ("2020-D366", "2020-12-31", "2021-01-01"),
        ("2020-02-29", "2020-02-29", "2020-03-01"),
        ("2020-02-29Z", "2020-02-29", "2020-03-01"),
        ("2020-02-29/P2D", "2020-02-29", None),
        ("2020-02-30", None, None),
        ("2020-W60", None, None),
        ("soon", None, None),
    ],
)
def test_when_periods_begin_and_end(period: str, first: str | None, behind: str | None) -> None:
    with small_session() as session:
        sql = f"SELECT CAST({begins('p')} AS DATE), CAST({ends('p')} AS DATE) FROM (SELECT ? AS p)"
        (found,) = session.connection.execute(sql, [period]).fetchall()
    assert tuple(None if day is None else day.isoformat() for day in found) == (first, behind)
