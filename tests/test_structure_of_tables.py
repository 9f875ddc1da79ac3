"""What tables are in SDMX: measures, attachments, hierarchies, statuses, provenance, and odd values."""

import csv
import datetime as dt
import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from cdmeta import framework
from cdmeta.codes import _looped
from cdmeta.columns import Status
from cdmeta.components import PROVENANCE, status_words
from cdmeta.dataset import Dataset, to_dataset
from cdmeta.finding import Finding
from cdmeta.package import load
from cdmeta.sdmx.artefacts import Attribute, Codelist, DataStructure
from cdmeta.sdmx.attachments import attached
from cdmeta.sdmx.observations import observations
from cdmeta.sdmx.profile_artefacts import metadata_structure
from cdmeta.sdmx.structures import Structures, standard_codelists, structures
from cdmeta.sdmx.values import MANY_CODES
from cdmeta.tables.engine import ROW, session
from cdmeta.tables.relations import code_rows
from cdmeta.workflows.convert import convert
from cdmeta.workflows.validate import validate

EXAMPLE = Path(__file__).parent.parent / "examples" / "public-service-satisfaction" / "package"
NOW = dt.datetime(2026, 3, 2, 10, 0, tzinfo=dt.UTC)
WORD = "zqcanaryqz"
Field = dict[str, Any]
Row = dict[str, str | None]

PLACE: Field = {"name": "place", "type": "string"}
YEAR: Field = {"name": "year", "type": "year"}
NOTE: Field = {"name": "note", "type": "string"}


def measure(name: str = "figure", **sdmx: Any) -> Field:
    return {"name": name, "type": "number", "sdmx": {"role": "measure", "unit": "KM"} | sdmx}


def attribute(name: str = "note", **sdmx: Any) -> Field:
    return {"name": name, "type": "string", "sdmx": {"role": "attribute"} | sdmx}


def package(
    folder: Path, fields: list[Field], rows: list[list[str]], answers: Field | None = None, **more: Any
) -> Path:
    """The example with one table of its own, `t`, whose key is every field before the first measure."""
    made = Path(shutil.copytree(EXAMPLE, folder / "package"))
    with (made / "data" / "t.csv").open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream, lineterminator="\n").writerows([[f["name"] for f in fields], *rows])
    first = next(n for n, f in enumerate(fields) if f.get("sdmx", {}).get("role") == "measure")
    schema = {"fields": fields, "primaryKey": [f["name"] for f in fields[:first]]} | more.pop("schema", {})
    resource = {"name": "t", "type": "table", "path": "data/t.csv", "format": "csv", "schema": schema}
    descriptor = json.loads((made / "datapackage.json").read_text(encoding="utf-8"))
    descriptor["resources"] = [resource, *more.pop("others", [])]
    descriptor["citizenData"] |= answers or {}
    descriptor["sdmx"] |= more
    (made / "datapackage.json").write_text(json.dumps(descriptor, ensure_ascii=False), encoding="utf-8")
    return made


@dataclass(frozen=True)
class Made:
    """What a package became: everything up to the writers."""

    dataset: Dataset
    structures: Structures
    rows: list[Row]
    findings: list[tuple[str, str | None, int | None, Any]]
    told: tuple[Finding, ...]

    @property
    def dsd(self) -> DataStructure:
        return self.structures.flows[0].structure

    def attribute(self, id_: str) -> Attribute:
        return next(part for part in self.dsd.attributes if part.id == id_)

    def column(self, id_: str) -> list[str | None]:
        return [row.get(id_) for row in self.rows]

    def codelist(self, id_: str) -> Codelist:
        return next(each for each in self.structures.codelists if each.id.endswith(f"_{id_}"))


def made(path: Path, flow: int = 0) -> Made:
    loaded = load(path)
    decision = framework.decide(framework.read(loaded.answers))
    dataset, findings = to_dataset(loaded, decision, lambda resource: code_rows(loaded, resource))
    errors = [f for f in findings if f.severity() == "error"]
    rows: list[Row] = []
    built = Structures(None, (), None, ())
    if not errors:
        dataset, worked_out = attached(loaded, dataset)
        built = structures(dataset)
        findings += worked_out
        with session(loaded) as opened:
            seen, broken = observations(opened, loaded, dataset, built.flows[flow], built.codelists)
            cells = ", ".join(cell.sql for cell in seen.cells)
            found = opened.connection.execute(f"SELECT {cells} FROM {seen.view} ORDER BY {ROW}").fetchall()
            rows = [dict(zip([cell.id for cell in seen.cells], row, strict=True)) for row in found]
        findings += broken
    told = [(f.code, f.where.field, f.where.row, f.params.get("count")) for f in findings]
    assert all(f.message(tag) and f.remedy(tag) for f in findings for tag in ("en", "es", "fr"))
    assert not any(WORD in f"{f} {f.message()}" for f in findings)
    return Made(dataset, built, rows, told, findings)


# Several measures

TWO = [PLACE, YEAR, measure("rate", unit="PERCENT"), measure("people", unit={"code": "PS", "name": "Persons"})]


def test_several_measures_are_told_apart_by_their_ids_and_each_has_its_status(tmp_path: Path) -> None:
    it = made(package(tmp_path, TWO, [["A", "2024", "1.5", ""], ["B", "2024", "", "7"]]))
    assert it.findings == []
    assert [part.id for part in it.dsd.measures] == ["RATE", "PEOPLE"]
    about = {part.id: part.measures for part in it.dsd.attributes if part.id not in PROVENANCE}
    assert about == {
        "UNIT_MEASURE_RATE": ("RATE",),
        "UNIT_MEASURE_PEOPLE": ("PEOPLE",),
        "OBS_STATUS_RATE": ("RATE",),
        "OBS_STATUS_PEOPLE": ("PEOPLE",),
    }
    told = [{id_: row[id_] for id_ in ("RATE", "PEOPLE", *about)} for row in it.rows]
    units = {"UNIT_MEASURE_RATE": "PERCENT", "UNIT_MEASURE_PEOPLE": "PS"}
    assert told == [
        {"RATE": "1.5", "PEOPLE": None, "OBS_STATUS_RATE": "A", "OBS_STATUS_PEOPLE": "O"} | units,
        {"RATE": None, "PEOPLE": "7", "OBS_STATUS_RATE": "O", "OBS_STATUS_PEOPLE": "A"} | units,
    ]
    concepts = {it.attribute(id_).concept.item for id_ in ("UNIT_MEASURE_RATE", "UNIT_MEASURE_PEOPLE")}
    assert concepts == {"UNIT_MEASURE"}
    assert [code.id for code in it.codelist("UNIT_MEASURE").codes] == ["PERCENT", "PS"]


def test_measures_of_one_unit_share_it(tmp_path: Path) -> None:
    fields = [PLACE, YEAR, measure("men"), measure("women")]
    it = made(package(tmp_path, fields, [["A", "2024", "1", "2"]]))
    assert it.attribute("UNIT_MEASURE").measures == ()
    assert it.column("UNIT_MEASURE") == ["KM"]
    ids = {part.id for part in it.dsd.attributes} - PROVENANCE.keys()
    assert ids == {"UNIT_MEASURE", "OBS_STATUS_MEN", "OBS_STATUS_WOMEN"}


def test_a_column_of_statuses_is_of_one_measure_or_of_all(tmp_path: Path) -> None:
    own = [*TWO, attribute("s", id="OBS_STATUS_RATE")]
    it = made(package(tmp_path / "own", own, [["A", "2024", "1", "2", "E"], ["B", "2024", "1", "2", ""]]))
    assert it.attribute("OBS_STATUS_RATE").measures == ("RATE",)
    assert (it.column("OBS_STATUS_RATE"), it.column("OBS_STATUS_PEOPLE")) == (["E", "A"], ["A", "A"])
    shared = [*TWO, attribute("s", id="OBS_STATUS")]
    rows = [["A", "2024", "1", "2", "E"], ["B", "2024", "1", "", ""], ["C", "2024", "", "", ""]]
    it = made(package(tmp_path / "all", shared, rows))
    assert [part.id for part in it.dsd.attributes if "STATUS" in part.id] == ["CD_STATUS_ATT", "OBS_STATUS"]
    assert it.column("OBS_STATUS") == ["E", "A", "O"]


def test_one_measure_stays_obs_value(tmp_path: Path) -> None:
    it = made(package(tmp_path, [PLACE, YEAR, measure("rate")], [["A", "2024", "1"]]))
    assert [part.id for part in it.dsd.measures] == ["OBS_VALUE"]
    assert [part.id for part in it.dsd.attributes] == ["UNIT_MEASURE", "OBS_STATUS", *PROVENANCE]


@pytest.mark.parametrize("id_", ["UNIT_MEASURE_RATE", "OBS_STATUS_PEOPLE", "INITIATIVE_TYPE_ATT"])
def test_a_dimension_may_not_have_the_id_of_what_is_told_of_figures(id_: str, tmp_path: Path) -> None:
    fields = [PLACE | {"sdmx": {"id": id_}}, *TWO[1:]]
    assert made(package(tmp_path, fields, [["A", "2024", "1", "2"]])).findings == [("CD704", "place", None, None)]


def test_several_measures_are_written_valid(tmp_path: Path) -> None:
    path = package(tmp_path, TWO, [["A", "2024", "1.5", ""], ["B", "2024", "", "7"]])
    convert(path, "sdmx-ml-3.0", tmp_path / "ml", allowed_signers=None, draft=True, now=NOW)
    observed = [dict(each.attrib) for each in etree.parse(tmp_path / "ml" / "data-t.xml").iter("Obs")]
    assert [(o.get("RATE"), o.get("PEOPLE"), o["OBS_STATUS_RATE"]) for o in observed] == [
        ("1.5", None, "A"),
        (None, "7", "O"),
    ]


# Attachments

BY_PLACE = [
    ["A", "F", "2023", "1", "hill"],
    ["A", "M", "2024", "1", "hill"],
    ["B", "F", "2023", "1", "lake"],
    ["B", "M", "2024", "1", "lake"],
]
SEX: Field = {"name": "sex", "type": "string"}


def told(values: list[str]) -> list[list[str]]:
    return [[*row[:4], value] for row, value in zip(BY_PLACE, values, strict=True)]


@pytest.mark.parametrize(
    ("values", "level", "group"),
    [
        (["x", "x", "x", "x"], "dataflow", None),
        (["", "", "", ""], "dataflow", None),
        (["x", "x", "y", "y"], ("PLACE",), "GROUP_PLACE"),
        (["x", "y", "x", "y"], ("SEX",), "GROUP_SEX"),
        (["x", "y", "y", "x"], ("FREQ", "PLACE", "SEX"), None),
        (["x", "", "x", "x"], ("FREQ", "PLACE", "SEX"), None),
    ],
)
def test_what_an_attribute_belongs_to_is_worked_out_where_asked(
    values: list[str], level: Any, group: str | None, tmp_path: Path
) -> None:
    fields = [PLACE, SEX, YEAR, measure(), attribute(attachment="auto")]
    it = made(package(tmp_path, fields, told(values)))
    found = it.attribute("NOTE")
    assert (found.attachment, found.group) == (level, group)
    assert [(f[0], f[1]) for f in it.findings] == [("CD747", "note")]
    assert {part.id: part.dimensions for part in it.dsd.groups} == ({group: level} if group else {})
    assert made(tmp_path / "package").dsd == it.dsd


def test_what_differs_inside_a_series_belongs_to_the_observation(tmp_path: Path) -> None:
    fields = [PLACE, YEAR, measure(), attribute(attachment="auto")]
    rows = [["A", "2023", "1", "x"], ["A", "2024", "1", "y"]]
    assert made(package(tmp_path, fields, rows)).attribute("NOTE").attachment == "observation"


def test_a_table_without_rows_tells_nothing(tmp_path: Path) -> None:
    fields = [PLACE, YEAR, measure(), attribute(attachment="auto")]
    it = made(package(tmp_path, fields, []))
    assert (it.attribute("NOTE").attachment, it.rows) == ("observation", [])
    for to in ("sdmx-ml-3.0", "sdmx-csv-2.0"):
        assert convert(tmp_path / "package", to, tmp_path / to, allowed_signers=None, draft=True, now=NOW).files


def test_of_two_parts_of_the_key_the_earlier_is_kept(tmp_path: Path) -> None:
    fields = [PLACE, SEX, YEAR, measure(), attribute(attachment="auto")]
    rows = [["A", "F", "2023", "1", "x"], ["A", "F", "2024", "1", "x"], ["B", "M", "2024", "1", "y"]]
    assert made(package(tmp_path, fields, rows)).attribute("NOTE").attachment == ("PLACE",)


def test_nobody_asking_it_belongs_to_the_observation(tmp_path: Path) -> None:
    it = made(package(tmp_path, [PLACE, SEX, YEAR, measure(), NOTE], told(["x", "x", "x", "x"])))
    assert (it.attribute("NOTE").attachment, it.findings) == ("observation", [])


def test_the_package_may_ask_for_all_its_columns(tmp_path: Path) -> None:
    fields = [PLACE, SEX, YEAR, measure(), NOTE, attribute("base", attachment="observation")]
    rows = [[*row, "x"] for row in told(["x", "x", "y", "y"])]
    it = made(package(tmp_path, fields, rows, attachment="auto"))
    assert (it.attribute("NOTE").attachment, it.attribute("BASE").attachment) == (("PLACE",), "observation")


@pytest.mark.parametrize(
    ("given", "level", "group"),
    [
        ("dataset", "dataflow", None),
        ("series", ("FREQ", "PLACE", "SEX"), None),
        (["sex"], ("SEX",), "GROUP_SEX"),
        (["sex", "place"], ("PLACE", "SEX"), "GROUP_PLACE_SEX"),
        ("observation", "observation", None),
    ],
)
def test_what_an_attribute_belongs_to_may_be_declared(
    given: Any, level: Any, group: str | None, tmp_path: Path
) -> None:
    fields = [PLACE, SEX, YEAR, measure(), attribute(attachment=given)]
    it = made(package(tmp_path, fields, told(["x", "x", "x", ""])))
    assert (it.attribute("NOTE").attachment, it.attribute("NOTE").group) == (level, group)
    assert it.findings == []


@pytest.mark.parametrize(
    ("given", "values", "count", "row"),
    [
        ("dataset", ["x", "x", WORD, WORD], 2, 4),
        ("dataset", ["", WORD, "x", "x"], 2, 4),
        (["place"], ["x", "x", "y", WORD], 1, 5),
        (["sex"], ["x", "y", "x", WORD], 1, 5),
    ],
)
def test_rows_that_contradict_what_is_declared_are_counted(
    given: Any, values: list[str], count: int, row: int, tmp_path: Path
) -> None:
    fields = [PLACE, SEX, YEAR, measure(), attribute(attachment=given)]
    assert made(package(tmp_path, fields, told(values))).findings == [("CD742", "note", row, count)]


@pytest.mark.parametrize("given", ["group", ["year"], ["note"], ["nobody"], [], [1], 7, {"a": 1}])
def test_what_is_no_attachment_is_told(given: Any, tmp_path: Path) -> None:
    fields = [PLACE, SEX, YEAR, measure(), attribute(attachment=given)]
    assert made(package(tmp_path, fields, told(["x"] * 4))).findings == [("CD743", "note", None, None)]


@given(values=st.lists(st.sampled_from(["x", "y", ""]), min_size=8, max_size=8))
@settings(max_examples=8, deadline=None)
def test_what_is_worked_out_is_coarsest_and_true(
    values: list[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    keys = [(p, s, y) for p in "AB" for s in "FM" for y in ("2023", "2024")]
    fields = [PLACE, SEX, YEAR, measure(), attribute(attachment="auto")]
    rows = [[*key, "1", value] for key, value in zip(keys, values, strict=True)]
    it = made(package(tmp_path_factory.mktemp("any"), fields, rows))
    level = it.attribute("NOTE").attachment
    places = {"PLACE": 0, "SEX": 1}

    def holds(dimensions: tuple[str, ...]) -> bool:
        known: dict[tuple[str, ...], str] = {}
        parts = [tuple(key[places[d]] for d in dimensions if d in places) for key in keys]
        return all(known.setdefault(part, value) == value for part, value in zip(parts, values, strict=True))

    if level == "dataflow":
        assert holds(())
    elif level == "observation":
        assert not holds(("PLACE", "SEX"))
    else:
        assert isinstance(level, tuple)
        assert holds(level)
        assert not holds(())
        assert level in (("FREQ", "PLACE", "SEX"), ("PLACE",), ("SEX",))
        if len(level) == 3:
            assert not holds(("PLACE",))
            assert not holds(("SEX",))


# Hierarchies

TREE = [("_T", "Country", ""), ("N", "North", "_T"), ("N1", "Upper north", "N"), ("S", "South", "_T")]


def code_table(folder: Path, rows: list[tuple[str, str, str]], parent: str, **schema: Any) -> list[Field]:
    with (folder / "package" / "data" / "places.csv").open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream, lineterminator="\n").writerows(
            [("code", parent, "name"), *((c, p, n) for c, n, p in rows)]
        )
    fields = [{"name": name, "type": "string"} for name in ("code", parent, "name")]
    table = {"name": "places", "type": "table", "path": "data/places.csv", "format": "csv"}
    return [table | {"schema": {"fields": fields, "primaryKey": ["code"]} | schema}]


TO_PLACES = {"foreignKeys": [{"fields": "place", "reference": {"resource": "places", "fields": "code"}}]}
ABOVE = {"_T": None, "N": "_T", "N1": "N", "S": "_T"}


def with_table(folder: Path, rows: list[tuple[str, str, str]], parent: str = "parent", **schema: Any) -> Made:
    path = package(folder, [PLACE, YEAR, measure()], [["N1", "2024", "1"]], schema=TO_PLACES)
    descriptor = json.loads((path / "datapackage.json").read_text(encoding="utf-8"))
    descriptor["resources"] += code_table(folder, rows, parent, **schema)
    (path / "datapackage.json").write_text(json.dumps(descriptor), encoding="utf-8")
    return made(path)


@pytest.mark.parametrize("parent", ["parent", "Parent", "parent_code", "code_parent"])
def test_a_table_of_codes_may_tell_what_stands_above(parent: str, tmp_path: Path) -> None:
    it = with_table(tmp_path, TREE, parent)
    assert {code.id: code.parent for code in it.codelist("PLACE").codes} == ABOVE
    assert [str(code.name) for code in it.codelist("PLACE").codes] == [name for _, name, _ in TREE]


@pytest.mark.parametrize("resource", ["", "places"])
def test_a_foreign_key_of_a_table_to_itself_tells_what_stands_above(resource: str, tmp_path: Path) -> None:
    keys = [{"fields": ["within"], "reference": {"resource": resource, "fields": ["code"]}}]
    it = with_table(tmp_path, TREE, "within", foreignKeys=keys)
    assert {code.id: code.parent for code in it.codelist("PLACE").codes} == ABOVE


def test_categories_may_tell_what_stands_above(tmp_path: Path) -> None:
    categories = [
        {"value": c, "label": n, "label@fr": f"{n} (fr)"} | ({"parent": p} if p else {}) for c, n, p in TREE
    ]
    it = made(package(tmp_path, [PLACE | {"categories": categories}, YEAR, measure()], [["N1", "2024", "1"]]))
    assert {code.id: code.parent for code in it.codelist("PLACE").codes} == ABOVE
    assert it.codelist("PLACE").codes[1].name.as_dict() == {"en": "North", "fr": "North (fr)"}
    assert it.findings == []


def test_parents_are_transliterated_like_codes(tmp_path: Path) -> None:
    it = with_table(tmp_path, [("Côte d'Or", "Gold", ""), ("N1", "Dijon", "Côte d'Or")])
    assert {c.id: c.parent for c in it.codelist("PLACE").codes} == {"Cote_d_Or": None, "N1": "Cote_d_Or"}


@pytest.mark.parametrize(
    ("rows", "finding"),
    [
        ([("N1", "x", WORD), ("N", "x", "")], ("CD740", None, 2, 1)),
        ([("N", "x", ""), ("N1", "x", "M"), ("S", "x", "M")], ("CD740", None, 3, 2)),
        ([("N", "x", ""), ("N1", "x", "N1")], ("CD741", None, 3, 1)),
        ([("N", "x", "S"), ("N1", "x", "N"), ("S", "x", "N1"), ("W", "x", "N")], ("CD741", None, 2, 3)),
    ],
)
def test_parents_that_are_none_or_lead_back_are_counted(
    rows: list[tuple[str, str, str]], finding: Any, tmp_path: Path
) -> None:
    assert with_table(tmp_path, rows).findings == [finding]


@given(st.dictionaries(st.sampled_from("abcdefgh"), st.sampled_from("abcdefgh"), max_size=8))
def test_circles_are_found_wherever_they_are(parents: dict[str, str]) -> None:
    def leads_back(start: str) -> bool:
        here: str | None = parents.get(start)
        for _ in range(len(parents)):
            if here == start:
                return True
            here = parents.get(here) if here else None
        return False

    assert _looped(parents) == {code for code in parents if leads_back(code)}


def test_tables_share_a_list_only_where_the_hierarchy_is_the_same(tmp_path: Path) -> None:
    def categories(top: str) -> Field:
        return PLACE | {"categories": [{"value": top}, {"value": "X"}, {"value": "N", "parent": top}]}

    other = {"name": "u", "type": "table", "path": "data/t.csv", "format": "csv"}
    for name, top, count in (("same", "S", 1), ("other", "X", 2)):
        fields = [categories("S"), YEAR, measure()]
        schema = {"fields": [categories("S") if top == "S" else other_tree(), YEAR, measure()]}
        key = {"primaryKey": ["place", "year"]}
        path = package(tmp_path / name, fields, [["N", "2024", "1"]], others=[other | {"schema": schema | key}])
        it = made(path, flow=1)
        lists = [each.id for each in it.structures.codelists if each.id.endswith("_PLACE")]
        assert (len(lists), len(it.structures.flows), it.column("PLACE")) == (count, 2, ["N"])


def other_tree() -> Field:
    return PLACE | {"categories": [{"value": "S"}, {"value": "X"}, {"value": "N", "parent": "X"}]}


@pytest.mark.parametrize(
    ("given", "findings"),
    [
        ("SDMX:CL_SEX(2.1)", []),
        ("urn:sdmx:org.sdmx.infomodel.codelist.Codelist=SDMX:CL_SEX(2.1)", []),
        ("SDMX:CL_SEX", [("CD714", "sex", None, None)]),
        ("CL_SEX(2.1)", [("CD714", "sex", None, None)]),
        (7, [("CD714", "sex", None, None)]),
    ],
)
def test_a_code_list_of_others_may_be_named_in_short(given: Any, findings: Any, tmp_path: Path) -> None:
    fields = [SEX | {"sdmx": {"codelist": given}}, YEAR, measure()]
    it = made(package(tmp_path, fields, [["F", "2024", "1"]]))
    assert it.findings == findings
    if not findings:
        ref = it.dsd.dimensions[1].representation.codelist
        assert ref is not None
        assert (ref.agency, ref.id, ref.version) == ("SDMX", "CL_SEX", "2.1")


def test_codes_of_a_list_that_is_not_at_hand_are_judged_by_their_form(tmp_path: Path) -> None:
    fields = [SEX | {"sdmx": {"codelist": "SDMX:CL_SEX(2.1)"}}, YEAR, measure()]
    it = made(package(tmp_path, fields, [["F", "2024", "1"], [f"{WORD} é", "2024", "1"]]))
    assert it.findings == [("CD710", "sex", 3, 1)]


# Units and statuses


def test_multipliers_and_decimals_are_told_by_the_lists_of_sdmx(tmp_path: Path) -> None:
    it = made(package(tmp_path, [PLACE, YEAR, measure(unitMult=3, decimals=1)], [["A", "2024", "1.5"]]))
    assert (it.column("UNIT_MULT"), it.column("DECIMALS")) == (["3"], ["1"])
    lists = {id_: it.attribute(id_).representation.codelist for id_ in ("UNIT_MULT", "DECIMALS")}
    assert {id_: ref.short for id_, ref in lists.items() if ref} == {
        "UNIT_MULT": "SDMX:CL_UNIT_MULT(1.1)",
        "DECIMALS": "SDMX:CL_DECIMALS(1.0)",
    }
    scheme = it.structures.concepts
    assert scheme is not None
    same = {concept.id: concept.same_as for concept in scheme.concepts}
    assert str(same["UNIT_MULT"]).endswith("SDMX:CROSS_DOMAIN_CONCEPTS(2.0).UNIT_MULT")


def test_measures_differ_in_multipliers_and_decimals(tmp_path: Path) -> None:
    fields = [PLACE, YEAR, measure("a", unitMult=6), measure("b", decimals=2)]
    it = made(package(tmp_path, fields, [["A", "2024", "1", "2"]]))
    told = {id_: it.rows[0][id_] for id_ in it.rows[0] if id_.startswith(("UNIT_MULT", "DECIMALS"))}
    assert told == {"UNIT_MULT_A": "6", "UNIT_MULT_B": "0", "DECIMALS_B": "2"}


@pytest.mark.parametrize(
    "sdmx",
    [
        {"unitMult": 16},
        {"unitMult": "3"},
        {"decimals": -1},
        {"decimals": True},
        {"smallBase": 30},
        {"smallBase": {"field": "nobody", "below": 30}},
        {"smallBase": {"field": "place", "below": 30}},
        {"smallBase": {"field": "figure", "below": 0}},
    ],
)
def test_what_no_figure_can_be_told_by_is_told(sdmx: Field, tmp_path: Path) -> None:
    it = made(package(tmp_path, [PLACE, YEAR, measure(**sdmx)], [["A", "2024", "1.5"]]))
    assert it.findings == [("CD743", "figure", None, None)]


MARKS = ["", "-", "..", "x", "#"]
LABELLED = [
    {"value": "", "label": "no data"},
    {"value": "-", "label": "Suppressed"},
    {"value": "..", "label": "not collected"},
    {"value": "x", "label": "not_applicable"},
    {"value": "#", "label": "ask Ana"},
]
MARKED = [["A", str(2000 + n), mark] for n, mark in enumerate([*MARKS, "0", "5"])]


def test_labels_of_missing_values_are_statuses(tmp_path: Path) -> None:
    it = made(package(tmp_path, [PLACE, YEAR, measure()], MARKED, schema={"missingValues": LABELLED}))
    assert it.column("OBS_VALUE") == [None, None, None, None, None, "0", "5"]
    assert it.column("OBS_STATUS") == ["O", "Q", "L", "M", "O", "A", "A"]
    assert it.column("CONF_STATUS") == ["F", "C", "F", "F", "F", "F", "F"]
    assert [(f.code, f.params["label"]) for f in it.told] == [("CD746", "ask Ana")]


@pytest.mark.parametrize("everywhere", [True, False])
def test_statuses_may_be_declared(everywhere: bool, tmp_path: Path) -> None:
    statuses = {"-": "Q", "..": "no recopilado", "x": "sans objet", "#": "H", "": "O"}
    own: Field = {} if everywhere else {"statuses": statuses}
    all_: Field = {"statuses": statuses} if everywhere else {}
    it = made(package(tmp_path, [PLACE, YEAR, measure(**own)], MARKED, schema={"missingValues": MARKS}, **all_))
    assert it.column("OBS_STATUS") == ["O", "Q", "L", "M", "H", "A", "A"]
    assert it.column("CONF_STATUS") == ["F", "C", "F", "F", "F", "F", "F"]
    assert it.findings == []


def test_what_the_column_says_goes_before_the_package_and_that_before_the_label(tmp_path: Path) -> None:
    fields = [PLACE, YEAR, measure(statuses={"-": "L"}) | {"missingValues": LABELLED[:4]}]
    it = made(package(tmp_path, fields, MARKED[:4], statuses={"-": "M", "..": "M"}))
    assert it.column("OBS_STATUS") == ["O", "L", "M", "M"]
    assert "CONF_STATUS" not in it.rows[0]


@pytest.mark.parametrize("statuses", [{"-": "A"}, {"-": "because"}, {"-": 7}, {"absent": "Q"}])
def test_what_is_no_status_of_a_missing_figure_is_told(statuses: Field, tmp_path: Path) -> None:
    fields = [PLACE, YEAR, measure(statuses=statuses)]
    it = made(package(tmp_path, fields, MARKED[:2], schema={"missingValues": ["", "-"]}))
    assert it.findings == [("CD745", "figure", None, None)]


def test_a_column_of_statuses_goes_first_and_confidentiality_follows_it(tmp_path: Path) -> None:
    fields = [PLACE, YEAR, measure(), attribute("status", id="OBS_STATUS")]
    rows = [["A", "2023", "-", "O"], ["A", "2024", "-", ""], ["A", "2025", "", "Q"], ["A", "2026", "1", "E"]]
    it = made(package(tmp_path, fields, rows, schema={"missingValues": LABELLED[:2]}))
    assert it.column("OBS_STATUS") == ["O", "Q", "Q", "E"]
    assert it.column("CONF_STATUS") == ["C", "C", "C", "F"]


def test_a_figure_that_is_said_to_be_missing_is_counted(tmp_path: Path) -> None:
    fields = [PLACE, YEAR, measure(), attribute("status", id="OBS_STATUS")]
    rows = [["A", str(2000 + n), "1", code] for n, code in enumerate("AQLMOHE")]
    assert made(package(tmp_path, fields, rows)).findings == [("CD744", "figure", 3, 5)]


def test_without_validation_figures_are_unvalidated_and_on_few_answers_of_low_reliability(tmp_path: Path) -> None:
    few = measure(smallBase={"field": "asked", "below": 30})
    fields = [PLACE, YEAR, few, {"name": "asked", "type": "integer", "sdmx": {"role": "attribute"}}]
    rows = [["A", "2023", "1", "29"], ["A", "2024", "1", "30"], ["A", "2025", "", "5"], ["A", "2026", "1", ""]]
    it = made(package(tmp_path, fields, rows, {"validation": ["NONE"]}))
    assert it.column("OBS_STATUS") == ["U", "V", "O", "V"]


def test_not_a_number_is_missing_and_infinity_is_kept(tmp_path: Path) -> None:
    rows = [["A", str(2000 + n), cell] for n, cell in enumerate(["NaN", "nan", "INF", "-INF", "-0"])]
    it = made(package(tmp_path, [PLACE, YEAR, measure()], rows))
    assert it.column("OBS_VALUE") == [None, None, "INF", "-INF", "-0"]
    assert it.column("OBS_STATUS") == ["O", "O", "A", "A", "A"]


def test_words_for_statuses_are_codes_of_the_lists() -> None:
    known = {ref.id: {code.id for code in each.codes} for ref, each in standard_codelists().items()}
    words = status_words()
    assert words["suppressed"] == words["suprimido"] == words["supprime"] == Status("Q", "C")
    assert {status.observation for status in words.values()} == {"Q", "L", "M", "O"} <= known["CL_OBS_STATUS"]
    assert {status.confidentiality for status in words.values()} - {""} <= known["CL_CONF_STATUS"]


# Where figures come from


def test_figures_tell_where_they_come_from(tmp_path: Path) -> None:
    answers = {"consentBasis": ["CONSENT_COMMUNITY", "CONSENT_EXPLICIT"], "officialUse": None}
    it = made(package(tmp_path, [PLACE, YEAR, measure()], [["A", "2024", "1"]], answers))
    assert {id_: it.rows[0][id_] for id_ in PROVENANCE} == {
        "INITIATIVE_TYPE_ATT": "NSO_DRIVEN",
        "CD_STATUS_ATT": "CITIZEN_DATA",
        "CONSENT_BASIS_ATT": "CONSENT_COMMUNITY",
        "OFFICIAL_USE_ATT": "_U",
    }
    lists = {each.ref for each in it.structures.codelists}
    for id_ in PROVENANCE:
        part = it.attribute(id_)
        assert (part.attachment, part.mandatory, part.group, part.measures) == ("dataflow", True, None, ())
        assert part.representation.codelist in lists
        assert part.representation.codelist.agency == "CDMETA"
    scheme = it.structures.concepts
    assert scheme is not None
    concept = next(each for each in scheme.concepts if each.id == "CONSENT_BASIS_ATT")
    assert concept.same_as == (
        "urn:sdmx:org.sdmx.infomodel.conceptscheme.Concept=CDMETA:CS_CITIZEN_DATA(1.0).CONSENT_BASIS"
    )
    assert set(concept.name.languages) >= {"en", "es", "fr"}


def test_no_attribute_of_ours_has_the_id_of_a_metadata_attribute() -> None:
    ids = {attribute.id for top in metadata_structure().attributes for attribute in top.walk()}
    assert ids.isdisjoint(PROVENANCE)
    assert {id_.removesuffix("_ATT") for id_ in PROVENANCE} <= ids


def test_what_nobody_answered_is_not_made_up(tmp_path: Path) -> None:
    it = made(package(tmp_path, [PLACE, YEAR, measure()], [["A", "2024", "1"]], {"initiativeType": "PLANET"}))
    assert "INITIATIVE_TYPE_ATT" not in it.rows[0]
    assert it.rows[0]["CD_STATUS_ATT"] == "INSUFFICIENT_INFORMATION"


def test_our_own_names_stand_in_every_language(tmp_path: Path) -> None:
    it = made(package(tmp_path, [PLACE, YEAR, measure()], [["A", "2024", "1"]]))
    scheme = it.structures.concepts
    assert scheme is not None
    frequency = next(concept for concept in scheme.concepts if concept.id == "FREQ")
    assert frequency.name.as_dict() == {"en": "Frequency", "es": "Frecuencia", "fr": "Fréquence"}


# Odd values

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.sampled_from(["", "-", "Q", "place"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["field", "below", "-", "code", "name", "value"]), inner, max_size=3)
    ),
    max_leaves=6,
)
MEMBERS = ("attachment", "statuses", "unitMult", "decimals", "smallBase", "unit", "codelist", "concept", "parent")


@given(member=st.sampled_from(MEMBERS), value=JSON, everywhere=st.booleans())
@settings(max_examples=20, deadline=None)
def test_no_json_in_what_sdmx_says_breaks_it(
    member: str, value: Any, everywhere: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    category = {"value": "A", "label": "x"} | ({"parent": value} if member == "parent" else {})
    own = {} if member == "parent" else {member: value}
    fields = [PLACE | {"categories": [category]}, YEAR, measure(**own), attribute(**own)]
    rows = [["A", "2024", "1", "x"]]
    path = package(tmp_path_factory.mktemp("any"), fields, rows, **(own if everywhere else {}))
    it = made(path)
    assert all(f.message(tag) for f in validate(path).findings for tag in ("en", "es", "fr"))
    assert {code for code, *_ in it.findings} <= {
        "CD708",
        "CD710",
        "CD714",
        "CD740",
        "CD741",
        "CD743",
        "CD745",
        "CD747",
    }


@pytest.mark.parametrize(
    ("sdmx", "expected"),
    [
        ({"unit": False}, "what SDMX takes here"),
        ({"unitMult": 16}, "what SDMX takes here"),
        ({"decimals": "1"}, "what SDMX takes here"),
        ({"smallBase": {"field": "place"}}, "what SDMX takes here"),
        ({"statuses": {"-": 7}}, "a text, in quotation marks"),
        ({"codelist": "CL_SEX"}, "SDMX:CL_SEX(2.1)"),
        ({"id": "1x"}, "an SDMX id"),
    ],
)
def test_the_check_of_a_description_says_what_sdmx_takes(sdmx: Field, expected: str, tmp_path: Path) -> None:
    path = package(tmp_path, [PLACE, YEAR, measure(**sdmx)], [["A", "2024", "1"]])
    told = [f.message() + f.remedy() for f in validate(path).findings if (f.where.pointer or "").find("/sdmx") > 0]
    assert told
    assert any(expected in text for text in told), told


@pytest.mark.parametrize("told", ["UNIT_MEASURE", "UNIT_MEASURE_B"])
def test_a_unit_may_stand_in_a_column(told: str, tmp_path: Path) -> None:
    fields = [PLACE, YEAR, measure("a"), measure("b", unit=None), attribute("unit", id=told)]
    it = made(package(tmp_path, fields, [["A", "2024", "1", "2", "KG"]]))
    assert it.findings == []
    found = {id_: it.rows[0][id_] for id_ in it.rows[0] if id_.startswith("UNIT_MEASURE")}
    assert found == ({told: "KG"} if told == "UNIT_MEASURE" else {"UNIT_MEASURE_A": "KM", told: "KG"})


@pytest.mark.parametrize(
    "text",
    [
        'it\'s "quoted" <b>&amp; ]]>',
        "two\nlines\r\nand\ttab",
        "\u202eמימין لليسار",
        "𝄞" * 3,
        "x" * 100_000,
        "$1 \\n {field!r} %s ' || chr(0) || '",
    ],
    ids=["quotes", "lines", "right to left", "astral", "long", "code"],
)
def test_any_text_may_belong_to_anything(text: str, tmp_path: Path) -> None:
    levels: list[Any] = ["observation", "series", "dataset", ["place"]]
    notes = [attribute(f"note{n}", attachment=level) for n, level in enumerate(levels)]
    path = package(tmp_path, [PLACE, SEX, YEAR, measure(), *notes], [["A", "F", "2024", "1", *[text] * 4]])
    row = made(path).rows[0]
    assert [row[f"NOTE{n}"] for n in range(4)] == [text] * 4
    convert(path, "sdmx-ml-3.0", tmp_path / "ml", allowed_signers=None, draft=True, now=NOW)
    root = etree.parse(tmp_path / "ml" / "data-t.xml", etree.XMLParser(huge_tree=True))
    told = {
        id_: each.get(id_) for each in root.iter("Atts", "Group", "Obs") for id_ in each.attrib if "NOTE" in id_
    }
    assert told == {f"NOTE{n}": text for n in range(4)}


def test_control_characters_are_refused_at_any_level(tmp_path: Path) -> None:
    fields = [PLACE, YEAR, measure(), attribute(attachment="dataset")]
    it = made(package(tmp_path, fields, [["A", "2024", "1", f"{WORD}\x07"]]))
    assert it.findings == [("CD716", "note", 2, 1)]


@pytest.mark.parametrize(
    ("time", "frequency"),
    [
        ("2024", "A"),
        ("2024-A1", "A"),
        ("2024-S2", "S"),
        ("2024-T3", "A_3"),
        ("2024-Q4", "Q"),
        ("2024-M12", "M"),
        ("2024-12", "M"),
        ("2024-W53", "W"),
        ("2024-D366", "D"),
        ("2024-02-29", "D"),
        ("2024-02-29T23:59:59", "I"),
        ("2024-02-29/P1M", "I"),
        ("2024-02-29T00:00:00Z/PT2H", "I"),
    ],
)
def test_every_form_of_time_has_a_frequency(time: str, frequency: str, tmp_path: Path) -> None:
    when = {"name": "when", "type": "string", "sdmx": {"role": "time"}}
    it = made(package(tmp_path, [PLACE, when, measure()], [["A", time, "1"]]))
    assert (it.column("TIME_PERIOD"), it.column("FREQ")) == ([time], [frequency])


@pytest.mark.parametrize(
    "time",
    ["24", "0000", "2024-13", "2024-Q5", "2024-W54", "2023-02-29", "2024-02-30/P1D", "2024/2025", "May 2024"],
)
def test_what_is_no_time_is_told(time: str, tmp_path: Path) -> None:
    when = {"name": "when", "type": "string", "sdmx": {"role": "time"}}
    it = made(package(tmp_path, [PLACE, when, measure()], [["A", "2024", "1"], ["A", time, "1"]]))
    assert it.findings == [("CD707", "when", 3, 1)]


@pytest.mark.parametrize("count", [20_000, 20])
@pytest.mark.parametrize(
    ("to", "name", "form"),
    [
        ("sdmx-csv-2.0", "data-t.draft.csv", r",e_(\d+),A?,?2024,(\d+)"),
        ("sdmx-ml-3.0", "data-t.xml", r'PLACE="e_(\d+)" .*OBS_VALUE="(\d+)"'),
        ("sdmx-ml-2.1-generic", "data-t.xml", r'id="PLACE" value="e_(\d+)".*ObsValue value="(\d+)"'),
    ],
)
def test_many_codes_are_looked_up_in_the_order_of_the_rows(
    to: str, name: str, form: str, count: int, tmp_path: Path
) -> None:
    """Of tables longer than the list and of shorter ones, which the engine joins the other way round."""
    codes = [f"é {n}" for n in range(100_000)]
    fields = [PLACE | {"categories": codes}, YEAR, measure()]
    rows = [[code, "2024", str(n)] for n, code in enumerate(reversed(codes[:count]))]
    path = package(tmp_path, fields, rows)
    assert convert(path, to, tmp_path / "out", allowed_signers=None, draft=True, now=NOW).findings == ()
    written = re.findall(form, (tmp_path / "out" / name).read_text(encoding="utf-8"))
    assert written == [(str(count - 1 - n), str(n)) for n in range(count)]


def test_what_is_none_of_many_codes_is_counted(tmp_path: Path) -> None:
    codes = [f"é {n}" for n in range(MANY_CODES + 1)]
    rows = [["é 7", "2024", "1"], [f"{WORD} é", "2024", "1"], ["é 501", "2024", "1"]]
    it = made(package(tmp_path, [PLACE | {"categories": codes}, YEAR, measure()], rows))
    assert it.findings == [("CD710", "place", 3, 2)]
    assert len(it.codelist("PLACE").codes) == MANY_CODES + 1


def test_many_numbers_are_the_same_code_however_they_are_written(tmp_path: Path) -> None:
    codes = list(range(MANY_CODES + 1))
    fields = [{"name": "place", "type": "integer", "categories": codes}, YEAR, measure()]
    it = made(package(tmp_path, fields, [["007", "2024", "1"], ["8", "2024", "1"], ["-1", "2024", "1"]]))
    assert it.column("PLACE")[:2] == ["7", "8"]
    assert it.findings == [("CD710", "place", 4, 1)]
