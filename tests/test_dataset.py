"""A descriptor as a Dataset, and a Dataset as SDMX structures."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cdmeta import framework
from cdmeta.dataset import Dataset, read_answers, to_dataset
from cdmeta.finding import Finding
from cdmeta.package import load
from cdmeta.sdmx.artefacts import Attribute, Codelist, ConceptScheme, Dimension, Measure
from cdmeta.sdmx.metadata import report
from cdmeta.sdmx.profile_artefacts import metadata_structure
from cdmeta.sdmx.structures import standard_codelists, structures
from cdmeta.tables.relations import code_rows

EXAMPLES = Path(__file__).parent.parent / "examples"
GOOD = ("public-service-satisfaction", "water-points")


def read(folder: Path) -> tuple[Dataset, tuple[Finding, ...]]:
    package = load(folder)
    decision = framework.decide(framework.read(package.answers))
    return to_dataset(package, decision, lambda resource: code_rows(package, resource))


def changed(tmp_path: Path, schema: dict[str, Any], **answers: Any) -> Path:
    """The example with one inline table of a schema."""
    folder = Path(shutil.copytree(EXAMPLES / GOOD[0] / "package", tmp_path / "p"))
    descriptor = json.loads((folder / "datapackage.json").read_text(encoding="utf-8"))
    descriptor["resources"] = [{"name": "t", "path": "data/regions.csv", "schema": schema}]
    descriptor["citizenData"] |= answers
    (folder / "datapackage.json").write_text(json.dumps(descriptor), encoding="utf-8")
    return folder


def schema(*fields: dict[str, Any], key: Any = ("place", "year")) -> dict[str, Any]:
    base = [{"name": "place", "type": "string"}, {"name": "year", "type": "year"}]
    return {"fields": [*base, *fields], "primaryKey": list(key)}


FIGURE = {"name": "figure", "type": "number"}


@pytest.mark.parametrize("name", GOOD)
def test_every_reference_resolves_and_versions_have_two_parts(name: str) -> None:
    dataset, findings = read(EXAMPLES / name / "package")
    assert [finding.code for finding in findings] == []
    made = structures(dataset)
    lists = {artefact.ref for artefact in made.artefacts if isinstance(artefact, Codelist)} | set(
        standard_codelists()
    )
    concepts = {
        artefact.concept_ref(concept.id)
        for artefact in made.artefacts
        if isinstance(artefact, ConceptScheme)
        for concept in artefact.concepts
    }
    parts: list[Dimension | Measure | Attribute] = [p for flow in made.flows for p in flow.structure.components]
    assert parts
    assert {part.concept for part in parts} <= concepts
    assert {part.representation.codelist for part in parts} - {None} <= lists
    assert {artefact.version for artefact in made.artefacts} == {"1.1" if name == "water-points" else "1.0"} | (
        {"1.0"} if made.agencies else set()
    )
    assert all(flow.dataflow.structure == flow.structure.ref for flow in made.flows)


@pytest.mark.parametrize("name", GOOD)
def test_no_component_has_the_id_of_a_metadata_attribute(name: str) -> None:
    dataset, _ = read(EXAMPLES / name / "package")
    components = {part.id for flow in structures(dataset).flows for part in flow.structure.components}
    assert components.isdisjoint(attribute.id for attribute in metadata_structure().attributes)
    assert {"FREQ", "TIME_PERIOD", "OBS_VALUE", "UNIT_MEASURE", "OBS_STATUS"} <= components


CONCEPT = "urn:sdmx:org.sdmx.infomodel.conceptscheme.Concept"
TOP = sorted(attribute.id for attribute in metadata_structure().attributes)


def text(name: str, **sdmx: str) -> dict[str, Any]:
    return {"name": name, "type": "string", "sdmx": {"role": "attribute"} | sdmx}


def test_a_column_called_like_a_metadata_attribute_has_another_id(tmp_path: Path) -> None:
    dataset, findings = read(changed(tmp_path, schema(FIGURE, text("licence"), text("note"))))
    assert [c.id for c in dataset.tables[0].by_role("attribute")] == ["LICENCE_COL", "NOTE"]
    (told,) = [finding for finding in findings if finding.code == "CD719"]
    assert (told.severity(), told.severity("official"), told.where.field) == ("info", "info", "licence")
    assert told.message() == (
        'The column "licence" of "t" is called "LICENCE_COL" in SDMX, '
        'because "LICENCE" is the id of "Name of the licence" in the metadata.'
    )
    assert '"sdmx": {"id": "…"}' in told.remedy()
    assert [finding.code for finding in findings if finding.severity() == "error"] == []


@pytest.mark.parametrize(
    ("fields", "ids"),
    [
        ([text("licence"), text("Licence col")], ["LICENCE_COL2", "LICENCE_COL"]),
        (
            [text("licence_col"), text("licence"), text("x", id="licence_col2")],
            ["LICENCE_COL", "LICENCE_COL3", "licence_col2"],
        ),
        ([text("licence"), text("contact")], ["LICENCE_COL", "CONTACT_COL"]),
        ([text("licence", id="MY_LICENCE")], ["MY_LICENCE"]),
        ([{"name": "contact", "type": "string", "sdmx": {"role": "dimension"}}], ["CONTACT_COL"]),
        ([text("licence", concept=f"{CONCEPT}=A:B(1.0).LICENCE")], ["LICENCE_COL"]),
    ],
)
def test_the_other_id_is_nobody_elses(fields: list[dict[str, Any]], ids: list[str], tmp_path: Path) -> None:
    dataset, findings = read(changed(tmp_path, schema(FIGURE, *fields)))
    assert [finding.code for finding in findings if finding.severity() == "error"] == []
    assert [column.id for column in dataset.tables[0].columns[3:]] == ids


@pytest.mark.parametrize(
    "fields",
    [
        [text("x", id="LICENCE")],  # an id that somebody chose is not changed
        [text("licence"), text("Licence")],  # two columns of one name stay two columns of one id
        [text("licence"), text("x", id="LICENCE")],
    ],
)
def test_what_somebody_chose_is_refused_where_it_is_taken(fields: list[dict[str, Any]], tmp_path: Path) -> None:
    _, findings = read(changed(tmp_path, schema(FIGURE, *fields)))
    wrong = [(f.code, f.where.field) for f in findings if f.severity() == "error"]
    assert wrong == [("CD704", fields[-1]["name"])]


def test_a_unit_in_a_column_is_no_metadata_attribute_of_the_top(tmp_path: Path) -> None:
    dataset, findings = read(changed(tmp_path, schema(FIGURE, text("unit_measure"))))
    assert findings == ()
    assert [column.id for column in dataset.tables[0].by_role("attribute")] == ["UNIT_MEASURE"]


@given(
    names=st.lists(st.sampled_from(TOP).map(str.lower), unique=True, min_size=1, max_size=8), more=st.booleans()
)
@settings(max_examples=20)
def test_no_component_ever_has_the_id_of_a_metadata_attribute(
    names: list[str], more: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    beside = [text(f"{name}_col") for name in names if more and f"{name}_col".upper() not in TOP]
    folder = changed(tmp_path_factory.mktemp("any"), schema(FIGURE, *map(text, names), *beside))
    dataset, findings = read(folder)
    assert [f.where.field for f in findings if f.code == "CD719"] == names
    assert [f.code for f in findings if f.severity() == "error"] == []
    ids = [part.id for flow in structures(dataset).flows for part in flow.structure.components]
    assert set(ids).isdisjoint(TOP)
    assert len({id_.casefold() for id_ in ids}) == len(ids) == 5 + 4 + 1 + len(names) + len(beside)
    again, _ = read(folder)
    assert again == dataset


def test_roles_come_from_key_and_types_unless_told(tmp_path: Path) -> None:
    dataset, _ = read(changed(tmp_path, schema(FIGURE, {"name": "note", "type": "string"})))
    (table,) = dataset.tables
    assert {column.name: (column.role, column.id) for column in table.columns} == {
        "place": ("dimension", "PLACE"),
        "year": ("time", "TIME_PERIOD"),
        "figure": ("measure", "OBS_VALUE"),
        "note": ("attribute", "NOTE"),
    }


def test_what_the_descriptor_says_of_a_column_counts(tmp_path: Path) -> None:
    base = {"name": "base", "type": "integer", "sdmx": {"role": "attribute", "id": "BASE_N"}}
    dataset, findings = read(changed(tmp_path, schema(FIGURE, base)))
    assert [finding.severity() for finding in findings] == ["warning"]
    assert [(c.id, c.name) for c in dataset.tables[0].by_role("attribute")] == [("BASE_N", "base")]


@pytest.mark.parametrize(
    ("table", "code"),
    [
        (schema(FIGURE, key=()), "CD702"),
        (schema(), "CD703"),
        (schema(FIGURE, {"name": "other", "type": "number"}), "CD703"),
        (schema(FIGURE, key=("place",)), "CD705"),
        (schema(FIGURE, {"name": "Figure", "type": "string"}, {"name": "figurE", "type": "string"}), "CD704"),
        (schema(FIGURE, {"name": "kind", "type": "string", "categories": ["a b", "a_b"]}), "CD706"),
        (schema(FIGURE, {"name": "kind", "type": "string", "categories": ["!"]}), "CD706"),
    ],
)
def test_what_sdmx_cannot_take_is_told(table: dict[str, Any], code: str, tmp_path: Path) -> None:
    _, findings = read(changed(tmp_path, table))
    assert [f.code for f in findings if f.severity() == "error"] == [code]
    assert all(f.message() and f.remedy() for f in findings)


def test_records_of_people_have_no_table(tmp_path: Path) -> None:
    dataset, findings = read(changed(tmp_path, schema(FIGURE), releaseForm="PSEUDONYMISED_MICRO"))
    assert dataset.tables == ()
    assert [finding.code for finding in findings] == ["CD709"]
    target = "urn:sdmx:org.sdmx.infomodel.base.Agency=CDMETA:AGENCIES(1.0).EXAMPLELAND"
    assert report(dataset, structures(dataset)).set.targets == (target,)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
PLACES = (
    "sdmx",
    "name",
    "version",
    "title",
    "resources",
    "resources/0/schema",
    "resources/0/schema/fields",
    "resources/0/schema/fields/0",
    "resources/0/schema/fields/0/sdmx",
    "resources/0/schema/fields/0/name",
    "resources/0/schema/fields/1/categories",
    "resources/0/schema/fields/1/constraints",
    "resources/0/schema/primaryKey",
    "resources/0/schema/foreignKeys",
    "resources/0/schema/foreignKeys/0/reference",
    "resources/0/schema/missingValues",
    "resources/0/dialect",
    "resources/0/path",
    "citizenData",
    "citizenData/releaseForm",
    "citizenData/initiators",
    "citizenData/participation",
)


@given(place=st.sampled_from(PLACES), value=JSON)
@settings(max_examples=150)
def test_no_json_anywhere_breaks_it(place: str, value: Any, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("any")
    shutil.copytree(EXAMPLES / GOOD[0] / "package", folder, dirs_exist_ok=True)
    descriptor = json.loads((folder / "datapackage.json").read_text(encoding="utf-8"))
    holder: Any = descriptor
    *way, last = place.split("/")
    for part in way:
        holder = holder[int(part) if part.isdigit() else part]
    holder[int(last) if last.isdigit() else last] = value
    (folder / "datapackage.json").write_text(json.dumps(descriptor), encoding="utf-8")
    dataset, findings = read(folder)
    assert all(finding.message() and finding.remedy() for finding in findings)
    if all(finding.severity() != "error" for finding in findings):
        made = structures(dataset)
        assert report(dataset, made).set.urn
        assert all(flow.structure.measures for flow in made.flows)


def test_a_parent_that_nobody_answers_holds_what_stands_below_it() -> None:
    answers = read_answers({"citizenData": {"responseRate": {"value": 79.2}, "weighting": "None"}}, "en")
    told = {(top.field.concept, top.value): [child.field.concept for child in top.children] for top in answers}
    assert told == {("NONRESPONSE_ERR", None): ["RESPONSE_RATE"], ("DATA_COMP", None): ["WEIGHTING"]}
