"""What pysdmx and sdmx1 read of what SDMX 3.0 has beyond 2.1, and of 3.1: the rest of docs/interop.md, held."""

import dataclasses
from io import BytesIO
from typing import Any

import pysdmx.io
import pytest
import sdmx
from pysdmx.errors import Invalid
from sdmx.exceptions import XMLParseError
from sdmx_everything import (
    ACTUAL,
    AGENCIES,
    ALLOWED,
    ANSWER_MAP,
    ANSWERS_MAP,
    BARE,
    CL_ANSWER,
    CL_AREA,
    CL_WIDER,
    CONCEPTS,
    DSD,
    HEADER,
    LINKED,
    LISTS_OF_OTHERS,
    LOOSE,
    MARKED_UP,
    MSD,
    NOTES,
    OF_PROVIDER,
    QUOTES,
    REPORT,
    STRUCTURES,
    VL_SIZE,
    WIDE,
    WIDE_FLOW,
)

from cdmeta.formats import sdmx_json, sdmx_ml
from cdmeta.sdmx.artefacts import (
    ComponentMap,
    DataConstraint,
    DatePatternMap,
    FixedValueMap,
    RepresentationMap,
    Structure,
    ValueMapping,
)

FORMATS = ("sdmx-ml-3.0", "sdmx-ml-3.1", "sdmx-json-2.0", "sdmx-json-2.1")
JSON = FORMATS[2:]
XML = FORMATS[:2]


def written(name: str, *artefacts: Structure) -> bytes:
    if name == "sdmx-json-2.1":
        return sdmx_json.structures(artefacts, HEADER, "2.1")
    if name == "sdmx-json-2.0":
        return sdmx_json.structures(artefacts, HEADER)
    return sdmx_ml.structures(artefacts, HEADER, "3.1" if name == "sdmx-ml-3.1" else "3.0")


def by_pysdmx(name: str, *artefacts: Structure) -> Any:
    """The last artefact, as pysdmx reads it."""
    read: Any = pysdmx.io.read_sdmx(BytesIO(written(name, *artefacts)), validate=name in XML).structures
    return next(entry for entry in read if entry.id == artefacts[-1].id)


def by_sdmx1(*artefacts: Structure) -> Any:
    return sdmx.read_sdmx(BytesIO(sdmx_ml.structures(artefacts, HEADER)))


def told(read: Any) -> list[tuple[str | None, str | None, str | None]]:
    return [(note.id, note.type, note.title) for note in read.annotations]


NOTED = [(note.id, note.type, note.title) for note in NOTES]
VALUES = dataclasses.replace(VL_SIZE, codes=VL_SIZE.codes[:2])
"""The value list without an item that has no name."""


@pytest.mark.parametrize("name", FORMATS)
def test_pysdmx_reads_value_lists(name: str) -> None:
    read = by_pysdmx(name, VALUES)
    assert (read.sdmx_type, read.name) == ("valuelist", VALUES.name.best("en"))
    assert [(code.id, code.name, code.description) for code in read] == [
        (code.id, code.name.best("en"), code.description.best("en") or None) for code in VALUES.codes
    ]


@pytest.mark.parametrize("name", JSON)
def test_pysdmx_fails_on_a_value_without_a_name_in_json(name: str) -> None:
    with pytest.raises(Invalid, match="could not be read"):
        by_pysdmx(name, VL_SIZE)
    assert by_pysdmx("sdmx-ml-3.0", VL_SIZE)["5 – 10"].name is None


def test_sdmx1_reads_value_lists() -> None:
    read = by_sdmx1(VL_SIZE).valuelist["VL_SIZE"]
    assert dict(read.name.localizations) == VL_SIZE.name.as_dict()
    assert [item.id for item in read.items] == [code.id for code in VL_SIZE.codes]


@pytest.mark.parametrize("name", FORMATS)
def test_pysdmx_reads_annotations(name: str) -> None:
    assert told(by_pysdmx(name, WIDE_FLOW)) == NOTED
    assert told(by_pysdmx(name, VALUES)) == NOTED
    assert by_pysdmx(name, WIDE_FLOW).annotations[1].text == QUOTES


def test_sdmx1_reads_annotations() -> None:
    for read in (by_sdmx1(WIDE_FLOW).dataflow["DF_WIDE"], by_sdmx1(CL_WIDER).codelist["CL_WIDER"]):
        assert told(read) == NOTED
        assert dict(read.annotations[1].text.localizations) == NOTES[1].text.as_dict()


@pytest.mark.parametrize("name", JSON)
def test_pysdmx_loses_what_code_lists_take_over_in_json(name: str) -> None:
    read = by_pysdmx(name, CL_WIDER)
    assert read.is_partial
    assert [code.id for code in read] == ["DK", "DK1"]
    assert "CL_AREA" not in repr(read)


@pytest.mark.parametrize("name", XML)
def test_pysdmx_fails_on_what_code_lists_take_over_in_xml(name: str) -> None:
    with pytest.raises(TypeError, match="Unexpected keyword argument 'CodelistExtension'"):
        by_pysdmx(name, CL_WIDER)
    alone = by_pysdmx(name, dataclasses.replace(CL_WIDER, extensions=()))
    assert alone.is_partial
    assert [code.id for code in alone] == ["DK", "DK1"]


def test_sdmx1_reads_partial_code_lists() -> None:
    read = by_sdmx1(CL_WIDER).codelist["CL_WIDER"]
    assert read.is_partial
    assert [code.id for code in read] == ["DK", "DK1"]


AROUND = (CL_ANSWER, CL_AREA, *LISTS_OF_OTHERS, VALUES, CONCEPTS)
FEW = dataclasses.replace(
    WIDE,
    measures=tuple(
        dataclasses.replace(
            part,
            representation=dataclasses.replace(
                part.representation, max_occurs=part.representation.max_occurs or 5
            ),
        )
        for part in WIDE.measures
    ),
    attributes=WIDE.attributes[:1],
)
"""Without what pysdmx fails on in JSON: any number of values."""


@pytest.mark.parametrize("name", FORMATS)
def test_pysdmx_reads_groups_decimals_and_the_dimensions_of_a_group(name: str) -> None:
    read = by_pysdmx(name, *AROUND, FEW)
    assert [(group.id, group.dimensions) for group in read.groups] == [
        (group.id, group.dimensions) for group in FEW.groups
    ]
    components = {component.id: component for component in read.components}
    assert components["OBS_VALUE"].local_facets.decimals == (2 if name in JSON else "2")
    assert components["TITLE"].attachment_level == "ANSWER,REF_AREA"
    assert components["NOTE"].local_enum_ref == VL_SIZE.urn


def test_pysdmx_reads_how_many_values_there_may_be_in_json_and_loses_it_in_xml() -> None:
    for name in FORMATS:
        components = {component.id: component for component in by_pysdmx(name, *AROUND, FEW).components}
        found = {key: components[key].array_def for key in ("AGE", "NOTE")}
        if name in JSON:
            assert {key: array.max_size for key, array in found.items()} == {"AGE": 3, "NOTE": 5}
        else:
            assert found == {"AGE": None, "NOTE": None}


def test_sdmx1_loses_how_many_values_there_may_be() -> None:
    several = tuple(
        dataclasses.replace(part, representation=dataclasses.replace(part.representation, max_occurs=3))
        for part in DSD.attributes
        if part.attachment != "dataflow"
    )
    structure = dataclasses.replace(DSD, attributes=several)
    read = by_sdmx1(AGENCIES, CL_ANSWER, CL_AREA, CONCEPTS, structure).structure[structure.id]
    assert [part.id for part in read.attributes.components] == [part.id for part in several]
    for part in read.attributes.components:
        assert set(vars(part.local_representation)) == {"enumerated", "non_enumerated"}


@pytest.mark.parametrize("name", JSON)
def test_pysdmx_fails_on_any_number_of_values_in_json(name: str) -> None:
    with pytest.raises(Invalid, match="could not be read"):
        by_pysdmx(name, *AROUND, WIDE)


@pytest.mark.parametrize("name", FORMATS)
def test_pysdmx_loses_where_an_attribute_of_some_measures_belongs(name: str) -> None:
    measured = dataclasses.replace(FEW, attributes=WIDE.attributes[2:])
    components = {component.id: component for component in by_pysdmx(name, *AROUND, measured).components}
    assert components["UPDATED"].attachment_level == "AGE,NOTE"  # these are measures; it is "O"


@pytest.mark.parametrize("name", FORMATS)
def test_pysdmx_loses_the_metadata_structure_of_a_data_structure(name: str) -> None:
    around = (dataclasses.replace(entry, annotations=()) for entry in AROUND)
    read = by_pysdmx(name, *around, dataclasses.replace(FEW, annotations=()))
    assert "DSD_WIDE" in repr(read)
    assert "MSD_WARD" not in repr(read)


@pytest.mark.parametrize("name", XML)
def test_pysdmx_fails_on_attributes_of_the_metadata_structure_alone(name: str) -> None:
    with pytest.raises(IndexError, match="list index out of range"):
        by_pysdmx(name, *AROUND, LINKED)


GROUPED = dataclasses.replace(WIDE, measures=WIDE.measures[:1], metadata=None, metadata_usages=())


def test_sdmx1_fails_on_attributes_of_a_group_or_of_some_measures() -> None:
    for attribute, fault in (
        (WIDE.attributes[0], "AttributeError: Measure"),
        (WIDE.attributes[2], "MeasureRelation"),
    ):
        with pytest.raises(XMLParseError, match=fault):
            by_sdmx1(dataclasses.replace(GROUPED, attributes=(attribute,)))


def test_sdmx1_fails_on_attributes_of_the_metadata_structure() -> None:
    with pytest.raises(XMLParseError):
        by_sdmx1(LINKED)


def test_sdmx1_reads_groups_but_loses_the_annotations_of_a_data_structure() -> None:
    read = by_sdmx1(dataclasses.replace(GROUPED, attributes=())).structure[WIDE.id]
    found = {key: [part.id for part in group] for key, group in read.group_dimensions.items()}
    assert found == {group.id: list(group.dimensions) for group in WIDE.groups}
    assert read.annotations == []


def regions(read: Any) -> list[Any]:
    return [
        (region.is_included, {part.id: {value.value for value in part.values} for part in region.key_values})
        for region in read.cube_regions
    ]


SIMPLE: DataConstraint = dataclasses.replace(
    ALLOWED,
    regions=tuple(dataclasses.replace(region, values=region.values[:1]) for region in ALLOWED.regions),
)
"""On dimensions alone."""


@pytest.mark.parametrize("name", FORMATS)
def test_pysdmx_reads_constraints(name: str) -> None:
    read = by_pysdmx(name, SIMPLE)
    assert regions(read) == [
        (region.included, {part: set(values) for part, values in region.values}) for region in SIMPLE.regions
    ]
    assert tuple(read.constraint_attachment.dataflows) == (WIDE_FLOW.urn,)
    assert by_pysdmx(name, OF_PROVIDER).constraint_attachment.data_provider == OF_PROVIDER.attached[0].urn
    assert by_pysdmx(name, LOOSE).name == "On nothing"


@pytest.mark.parametrize("name", FORMATS)
def test_pysdmx_loses_what_a_constraint_says_of_attributes(name: str) -> None:
    message = written(name, *AROUND, FEW, WIDE_FLOW, ALLOWED)
    read: Any = pysdmx.io.read_sdmx(BytesIO(message), validate=False).structures
    (constraint,) = (entry for entry in read if entry.id == ALLOWED.id)
    assert [sorted(values) for _, values in regions(constraint)] == [["ANSWER"], ["REF_AREA"]]


@pytest.mark.parametrize("name", ["sdmx-ml-3.0", "sdmx-json-2.0"])
def test_pysdmx_fails_on_the_keys_of_what_data_there_are(name: str) -> None:
    with pytest.raises(Invalid, match="An Actual constraint with key sets cannot be represented"):
        by_pysdmx(name, ACTUAL)


def test_sdmx1_reads_constraints_but_only_if_they_are_on_something_and_on_dimensions() -> None:
    read = by_sdmx1(SIMPLE, WIDE_FLOW).constraint[SIMPLE.id]
    for region, ours in zip(read.data_content_region, SIMPLE.regions, strict=True):
        found = {part.id: {value.value for value in chosen.values} for part, chosen in region.member.items()}
        assert found == {part: set(values) for part, values in ours.values}
        assert region.included == str(ours.included).lower()  # it stays the text that was written
    with pytest.raises(XMLParseError, match="StopIteration"):
        by_sdmx1(LOOSE)
    with pytest.raises(XMLParseError, match="Component"):
        by_sdmx1(ALLOWED, WIDE_FLOW)


WHOLE: RepresentationMap = dataclasses.replace(ANSWER_MAP, mappings=ANSWER_MAP.mappings[:2])


@pytest.mark.parametrize("name", FORMATS)
def test_pysdmx_reads_representation_maps(name: str) -> None:
    read = by_pysdmx(name, WHOLE)
    assert [ValueMapping(tuple(row.source), tuple(row.target)) for row in read.maps] == list(WHOLE.mappings)
    one = dataclasses.replace(
        WHOLE, sources=("String",), targets=(CL_ANSWER.ref,), mappings=(ValueMapping((QUOTES,), ("YES",)),)
    )
    read = by_pysdmx(name, one)
    assert (str(read.source), read.target) == ("String", CL_ANSWER.urn)
    assert [(row.source, row.target) for row in read.maps] == [(QUOTES, "YES")]


@pytest.mark.parametrize("name", JSON)
def test_pysdmx_fails_on_values_that_become_nothing_in_json(name: str) -> None:
    with pytest.raises(Invalid, match="could not be read"):
        by_pysdmx(name, ANSWER_MAP)
    assert len(by_pysdmx("sdmx-ml-3.0", ANSWER_MAP).maps) == 3


def mapped(entry: Any) -> Any:
    kind = type(entry).__name__
    if kind == "DatePatternMap":
        return DatePatternMap(entry.source, entry.target, entry.pattern, entry.locale, entry.frequency)
    if kind == "FixedValueMap":
        return FixedValueMap(entry.target, (entry.value,) if isinstance(entry.value, str) else tuple(entry.value))
    if kind == "ImplicitComponentMap":
        return ComponentMap((entry.source,), (entry.target,))
    assert kind == "MultiComponentMap"
    assert entry.values == WHOLE.urn
    return ComponentMap(tuple(entry.source), tuple(entry.target), WHOLE.ref)


@pytest.mark.parametrize("name", FORMATS)
def test_pysdmx_reads_structure_maps_and_loses_all_fixed_values_but_one_in_json(name: str) -> None:
    read = by_pysdmx(name, ANSWERS_MAP)
    assert (read.source, read.target) == (ANSWERS_MAP.source.urn, ANSWERS_MAP.target.urn)
    found = [mapped(entry) for entry in read.maps]
    ours = [*ANSWERS_MAP.dates, *ANSWERS_MAP.components, *ANSWERS_MAP.fixed]
    if name in JSON:  # of several fixed values one is left
        ours = [*ours[:-1], FixedValueMap("CONTACT", (QUOTES,))]
    assert sorted(found, key=repr) == sorted(ours, key=repr)


@pytest.mark.parametrize("artefact", [ANSWERS_MAP, ANSWER_MAP], ids=["structure", "representation"])
def test_sdmx1_fails_on_maps(artefact: Structure) -> None:
    with pytest.raises(XMLParseError, match=f"NotImplementedError: .*{artefact.kind}s"):
        by_sdmx1(artefact)


@pytest.mark.parametrize("name", ["sdmx-ml-3.1", "sdmx-json-2.1"])
def test_pysdmx_reads_3_1(name: str) -> None:
    others = LISTS_OF_OTHERS if name in XML else ()
    message = written(name, *STRUCTURES, *others)
    read: Any = pysdmx.io.read_sdmx(BytesIO(message), validate=name in XML)
    assert {entry.id for entry in read.structures} == {entry.id for entry in (*STRUCTURES, *others)}
    found = {entry.id: entry for entry in read.structures}
    assert [code.name for code in found["CL_ANSWER"]] == [code.name.best("en") for code in CL_ANSWER.codes]
    assert [part.id for part in found[MSD.id].components] == [part.id for part in MSD.attributes]


def test_pysdmx_reads_reports_of_json_2_1_with_all_languages() -> None:
    message = sdmx_json.metadata((REPORT, MARKED_UP), HEADER, "2.1")
    read: Any = pysdmx.io.read_sdmx(BytesIO(message), validate=False)
    first, second = ({entry.id: entry for entry in report.attributes} for report in read.reports)
    assert first["TITLE"].value == dict(REPORT.attributes[0].value or ())  # type: ignore[arg-type]
    assert second["TITLE"].value == dict(MARKED_UP.attributes[0].value or ())  # type: ignore[arg-type]


def test_sdmx1_fails_on_3_1() -> None:
    for message in (sdmx_ml.structures((AGENCIES,), HEADER, "3.1"), sdmx_ml.metadata((BARE,), HEADER, "3.1")):
        with pytest.raises(AssertionError, match="Cannot determine SDMX-ML version"):
            sdmx.read_sdmx(BytesIO(message))


def test_pysdmx_fails_on_xhtml_if_it_validates_and_loses_it_if_not() -> None:
    message = sdmx_ml.metadata((MARKED_UP,), HEADER)
    with pytest.raises(Invalid, match="demanded by the strict wildcard"):
        pysdmx.io.read_sdmx(BytesIO(message), validate=True)
    read: Any = pysdmx.io.read_sdmx(BytesIO(message), validate=False)
    assert read.reports[0].attributes[0].value is None
