"""What pysdmx and sdmx1 read of our messages, value by value, or how exactly they fail: docs/interop.md, held.

A test with `fails` or `loses` in its name fails when the peer mends its fault; then docs/interop.md changes too.
"""

import dataclasses
import re
import textwrap
from io import BytesIO
from pathlib import Path
from typing import Any

import pysdmx.io
import pytest
import sdmx
from pysdmx.errors import NotFound
from pysdmx.model import (
    Agency,
    AgencyScheme,
    Codelist,
    Component,
    ConceptScheme,
    Dataflow,
    DataStructureDefinition,
    Facets,
    Metadataflow,
    MetadataProviderScheme,
    MetadataProvisionAgreement,
    MetadataStructure,
)
from sdmx.exceptions import XMLParseError
from sdmx_everything import (
    AGENCIES,
    AGREEMENT,
    BARE,
    CL_ANSWER,
    CL_AREA,
    CONCEPTS,
    DATA_STRUCTURES,
    DATAFLOW,
    DSD,
    FLOW,
    HEADER,
    LISTS_OF_OTHERS,
    MSD,
    PROVIDERS,
    REPORT,
    STRUCTURES,
)

from cdmeta.formats import sdmx_json, sdmx_ml
from cdmeta.sdmx import artefacts
from cdmeta.sdmx.artefacts import ReportedAttribute, Representation, Structure
from cdmeta.text import Text

FORMATS = ("sdmx-ml-3.0", "sdmx-json-2.0")


def first(text: Text) -> str | None:
    """What a reader of one language keeps: English where there is some, else the first."""
    return text.best("en") or None


def by_pysdmx(name: str, *more: Structure) -> dict[type, list[Any]]:
    """Everything as pysdmx reads it, by type.

    In SDMX-ML the code lists of others are in the message too, because it is not read without them.
    """
    if name == "sdmx-ml-3.0":
        message = sdmx_ml.structures((*STRUCTURES, *LISTS_OF_OTHERS, *more), HEADER)
    else:
        message = sdmx_json.structures((*STRUCTURES, *more), HEADER)
    read = pysdmx.io.read_sdmx(BytesIO(message), validate=name == "sdmx-ml-3.0")
    found: dict[type, list[Any]] = {}
    for structure in read.structures or ():
        found.setdefault(type(structure), []).append(structure)
    return found


def same_head(read: Any, ours: artefacts.Maintainable) -> None:
    agency = read.agency.id if isinstance(read.agency, Agency) else read.agency
    assert (agency, read.id, read.version) == (ours.agency, ours.id, ours.version)
    assert (read.name, read.description) == (first(ours.name), first(ours.description))


@pytest.mark.parametrize("name", FORMATS)
def test_pysdmx_reads_agencies_and_providers(name: str) -> None:
    read = by_pysdmx(name)
    (agencies,) = read[AgencyScheme]
    assert agencies.is_partial
    # pysdmx puts the parent in front of the id of an agency.
    assert [(item.id, item.name) for item in agencies.items] == [("CDMETA.WARD", "Ward 5")]
    (providers,) = read[MetadataProviderScheme]
    assert providers.is_partial
    assert [(item.id, item.name) for item in providers.items] == [("WARD", "Ward 5")]


@pytest.mark.parametrize("name", FORMATS)
def test_pysdmx_reads_code_lists_in_one_language(name: str) -> None:
    read = {codelist.id: codelist for codelist in by_pysdmx(name)[Codelist]}
    for ours in (CL_ANSWER, CL_AREA):
        same_head(read[ours.id], ours)
        assert [(code.id, code.name, code.description) for code in read[ours.id]] == [
            (code.id, first(code.name), first(code.description)) for code in ours.codes
        ]


def with_letters(codelist: artefacts.Codelist) -> artefacts.Codelist:
    """The code list with a parent that begins with a letter, as `str:Parent` wants it."""
    codes = (dataclasses.replace(code, id="T") if code.id == "_T" else code for code in codelist.codes)
    return dataclasses.replace(
        codelist,
        id="CL_LETTERS",
        codes=tuple(dataclasses.replace(code, parent="T" if code.parent else None) for code in codes),
    )


@pytest.mark.parametrize("name", FORMATS)
def test_pysdmx_loses_the_parents_of_codes(name: str) -> None:
    read = {codelist.id: codelist for codelist in by_pysdmx(name, with_letters(CL_ANSWER))[Codelist]}
    assert not any(hasattr(code, "parent") for code in read["CL_LETTERS"])
    assert "Parent" not in repr(read["CL_LETTERS"])


def annotations(concept: artefacts.Concept) -> list[tuple[str, str]]:
    """Pairs of type and title."""
    same = [("SAME_AS", concept.same_as)] if concept.same_as else []
    return [*same, *((f"{kind.upper()}_MATCH", target) for kind, target in concept.matches)]


@pytest.mark.parametrize("name", FORMATS)
def test_pysdmx_reads_concepts(name: str) -> None:
    (read,) = by_pysdmx(name)[ConceptScheme]
    same_head(read, CONCEPTS)
    for concept, ours in zip(read.concepts, CONCEPTS.concepts, strict=True):
        assert (concept.id, concept.name, concept.description) == (
            ours.id,
            first(ours.name),
            first(ours.description),
        )
        assert ours.representation is not None
        if ours.representation.codelist is None:
            assert str(concept.dtype) == ours.representation.text_type
        elif ours.representation.codelist == CL_ANSWER.ref:
            assert [code.id for code in concept.codes] == [code.id for code in CL_ANSWER.codes]
        if name == "sdmx-ml-3.0":
            assert [(note.type, note.title) for note in concept.annotations] == annotations(ours)


def test_pysdmx_loses_the_annotations_of_concepts_in_json() -> None:
    assert any(concept.same_as for concept in CONCEPTS.concepts)
    (read,) = by_pysdmx("sdmx-json-2.0")[ConceptScheme]
    assert [concept.annotations for concept in read.concepts] == [()] * len(CONCEPTS.concepts)


def test_pysdmx_loses_white_space_around_texts_in_ml() -> None:
    spaced = dataclasses.replace(CL_AREA, name=Text((("en", " Areas \n"),)))
    read: Any = pysdmx.io.read_sdmx(BytesIO(sdmx_ml.structures((spaced,), HEADER)), validate=True)
    assert [codelist.name for codelist in read.structures] == ["Areas"]


def facets(representation: Representation) -> dict[str, Any]:
    number = {"min_value": representation.min_value, "max_value": representation.max_value}
    held = {
        "min_length": representation.min_length,
        "max_length": representation.max_length,
        "pattern": representation.pattern,
        **{key: float(value) if value else None for key, value in number.items()},
    }
    return {key: value for key, value in held.items() if value is not None}


def facets_read(read: Facets | None) -> dict[str, Any]:
    """Numbers as numbers: from SDMX-ML pysdmx keeps lengths as text."""
    kinds = {"min_length": int, "max_length": int, "pattern": str, "min_value": float, "max_value": float}
    held = {key: getattr(read, key, None) for key in kinds}
    return {key: kinds[key](value) for key, value in held.items() if value is not None}


def same_representation(read: Any, ours: Representation) -> None:
    assert read.local_enum_ref == (ours.codelist.urn if ours.codelist else None)
    if ours.codelist is None:
        assert str(read.local_dtype) == ours.text_type
    assert facets_read(read.local_facets) == facets(ours)


def level(part: artefacts.Dimension | artefacts.Measure | artefacts.Attribute) -> str | None:
    if not isinstance(part, artefacts.Attribute):
        return None
    if isinstance(part.attachment, tuple):
        return ",".join(part.attachment)
    return {"observation": "O", "dataflow": "D"}[part.attachment]


@pytest.mark.parametrize("name", FORMATS)
def test_pysdmx_reads_data_structures(name: str) -> None:
    (read,) = by_pysdmx(name)[DataStructureDefinition]
    same_head(read, DSD)
    components: dict[str, Component] = {component.id: component for component in read.components}
    assert list(components) == [part.id for part in DSD.components]
    for ours in DSD.components:
        component = components[ours.id]
        same_representation(component, ours.representation)
        assert str(component.role.name).lower() == type(ours).__name__.lower()
        assert component.attachment_level == level(ours)
        assert component.required is (isinstance(ours, artefacts.Dimension) or ours.mandatory)
        assert component.concept.id == ours.concept.item


@pytest.mark.parametrize("name", FORMATS)
def test_pysdmx_reads_dataflows(name: str) -> None:
    (read,) = by_pysdmx(name)[Dataflow]
    same_head(read, DATAFLOW)
    assert DSD.id in repr(read.structure)


def occurrences(attribute: artefacts.MetadataAttribute) -> tuple[int, int | None] | None:
    """What pysdmx can hold of it: nothing of what occurs once at most, whether it must or not."""
    if attribute.max_occurs == 1:
        return None
    return attribute.min_occurs, attribute.max_occurs


def same_metadata_attributes(read: Any, ours: tuple[artefacts.MetadataAttribute, ...]) -> None:
    assert [component.id for component in read] == [attribute.id for attribute in ours]
    for component, attribute in zip(read, ours, strict=True):
        assert component.is_presentational is attribute.presentational
        # A concept that is not in the message stays a reference.
        assert getattr(component.concept, "item_id", component.concept.id) == attribute.concept.item
        same_representation(component, attribute.representation)
        array = component.array_def
        occurs = (array.min_size or 0, array.max_size) if array else None
        assert occurs == occurrences(attribute)
        same_metadata_attributes(component.components, attribute.children)


@pytest.mark.parametrize("name", FORMATS)
def test_pysdmx_reads_metadata_structures_but_loses_whether_one_occurrence_is_mandatory(name: str) -> None:
    (read,) = by_pysdmx(name)[MetadataStructure]
    same_head(read, MSD)
    assert {attribute.min_occurs for attribute in MSD.attributes if attribute.max_occurs == 1} == {1}
    same_metadata_attributes(read.components, MSD.attributes)


@pytest.mark.parametrize("name", FORMATS)
def test_pysdmx_reads_metadataflows_and_agreements(name: str) -> None:
    read = by_pysdmx(name)
    (flow,), (agreement,) = read[Metadataflow], read[MetadataProvisionAgreement]
    same_head(flow, FLOW)
    assert tuple(flow.targets) == FLOW.targets
    assert MSD.id in repr(flow.structure)
    same_head(agreement, AGREEMENT)
    assert (agreement.metadataflow, agreement.metadata_provider) == (FLOW.ref.urn, AGREEMENT.provider.urn)


def test_pysdmx_fails_on_a_code_list_of_others_beside_one_of_ours() -> None:
    message = sdmx_ml.structures(DATA_STRUCTURES, HEADER)
    told = (
        "Not found: Could not find an artefact matching the following URN: Codelist=SDMX:CL_FREQ(2.1). "
        "The artefacts received were: ['CDMETA.WARD:CL_ANSWER(1.0)', 'CDMETA.WARD:CL_AREA(1.0)']."
    )
    with pytest.raises(NotFound, match=f"^{re.escape(told)}$"):
        pysdmx.io.read_sdmx(BytesIO(message), validate=True)


def test_pysdmx_reads_the_same_in_two_messages_code_lists_apart() -> None:
    lists = tuple(entry for entry in DATA_STRUCTURES if isinstance(entry, artefacts.Codelist))
    rest = tuple(entry for entry in DATA_STRUCTURES if not isinstance(entry, artefacts.Codelist))
    sizes = [
        len(pysdmx.io.read_sdmx(BytesIO(sdmx_ml.structures(part, HEADER)), validate=True).structures or ())
        for part in (lists, rest)
    ]
    assert sizes == [len(lists), len(rest)]


def merged(attributes: tuple[ReportedAttribute, ...]) -> list[tuple[str, Any, Any]]:
    """The attributes as pysdmx holds them: containers first, several values of an attribute in one tuple."""
    containers = [(entry.id, None, merged(entry.children)) for entry in attributes if entry.children]
    values: dict[str, list[Any]] = {}
    for entry in attributes:
        if not entry.children:
            value = entry.value.as_dict() if isinstance(entry.value, Text) else entry.value
            values.setdefault(entry.id, []).append(value)
    return containers + [(key, held[0] if len(held) == 1 else tuple(held), []) for key, held in values.items()]


def as_read(attributes: Any) -> list[tuple[str, Any, Any]]:
    return [(entry.id, entry.value, as_read(entry.attributes)) for entry in attributes]


def same_report(read: Any, ours: artefacts.MetadataSet) -> None:
    assert (read.agency, read.id, read.version, read.name) == (
        ours.agency,
        ours.id,
        ours.version,
        first(ours.name),
    )
    assert (read.metadataflow, tuple(read.targets)) == (ours.metadataflow.urn, ours.targets)
    begin, end = ours.reporting_begin, ours.reporting_end
    assert read.reportingBegin == (begin.isoformat() if begin else None)
    assert read.reportingEnd == (end.isoformat() if end else None)


def test_pysdmx_reads_reports_from_json_with_all_languages() -> None:
    message = sdmx_json.metadata((REPORT, BARE), HEADER)
    reports = pysdmx.io.read_sdmx(BytesIO(message), validate=False).reports or ()
    for read, ours in zip(reports, (REPORT, BARE), strict=True):
        same_report(read, ours)
        assert read.description == first(ours.description)
        assert as_read(read.attributes) == merged(ours.attributes)


def without_texts(attributes: tuple[ReportedAttribute, ...]) -> tuple[ReportedAttribute, ...]:
    return tuple(
        dataclasses.replace(
            entry,
            value=None if isinstance(entry.value, Text) else entry.value,
            children=without_texts(entry.children),
        )
        for entry in attributes
    )


def test_pysdmx_loses_every_text_and_the_description_of_reports_in_ml() -> None:
    message = sdmx_ml.metadata((REPORT, BARE), HEADER)
    reports = pysdmx.io.read_sdmx(BytesIO(message), validate=True).reports or ()
    for read, ours in zip(reports, (REPORT, BARE), strict=True):
        same_report(read, ours)
        assert read.description is None
        assert as_read(read.attributes) == merged(without_texts(ours.attributes))
    assert reports[1].attributes[0].value == "Plain"


def by_sdmx1(*ours: Structure) -> Any:
    return sdmx.read_sdmx(BytesIO(sdmx_ml.structures(ours, HEADER)))


def all_languages(read: Any, ours: Text) -> None:
    assert read.localizations == ours.as_dict()


def same_codes(read: Any, ours: artefacts.Codelist) -> None:
    """A code list as sdmx1 reads it, but for what stands above a code."""
    all_languages(read.name, ours.name)
    all_languages(read.description, ours.description)
    assert [code.id for code in read] == [code.id for code in ours.codes]
    for code in ours.codes:
        all_languages(read[code.id].name, code.name)
        all_languages(read[code.id].description, code.description)


# An attribute of the dataflow makes sdmx1 lose the names of the DSD (see below).
SERIES_ONLY = dataclasses.replace(DSD, attributes=DSD.attributes[1:])


def test_sdmx1_reads_code_lists_with_all_languages_and_parents() -> None:
    letters = with_letters(CL_ANSWER)
    message = by_sdmx1(CL_ANSWER, letters)
    for ours in (CL_ANSWER, letters):
        read = message.codelist[ours.id]
        same_codes(read, ours)
        assert (read.maintainer.id, str(read.version)) == (ours.agency, ours.version)
    parents = {code.id: getattr(code.parent, "id", None) for code in message.codelist["CL_LETTERS"]}
    # The parent of a code without one is its code list in sdmx1.
    assert parents == {code.id: code.parent or "CL_LETTERS" for code in letters.codes}


def test_sdmx1_reads_concepts_with_all_languages() -> None:
    read = by_sdmx1(CL_ANSWER, CL_AREA, CONCEPTS).concept_scheme[CONCEPTS.id]
    all_languages(read.name, CONCEPTS.name)
    assert [concept.id for concept in read] == [concept.id for concept in CONCEPTS.concepts]
    for ours in CONCEPTS.concepts:
        concept = read[ours.id]
        all_languages(concept.name, ours.name)
        all_languages(concept.description, ours.description)
        assert ours.representation is not None
        same_sdmx1_representation(concept.core_representation, ours.representation)
        assert [(note.type, note.title) for note in concept.annotations] == annotations(ours)


def same_sdmx1_representation(read: Any, ours: Representation) -> None:
    if ours.codelist is not None:
        assert (read.enumerated.maintainer.id, read.enumerated.id) == (ours.codelist.agency, ours.codelist.id)
        return
    (facet,) = read.non_enumerated
    assert facet.value_type.name.lower() == ours.text_type.lower()
    held = (facet.type.min_length, facet.type.max_length, facet.type.min_value, facet.type.max_value)
    assert held == (ours.min_length, ours.max_length, ours.min_value, ours.max_value)
    assert facet.type.pattern == ours.pattern


def test_sdmx1_reads_agencies_with_all_languages() -> None:
    read = by_sdmx1(AGENCIES).organisation_scheme["AGENCIES"]
    all_languages(read.name, AGENCIES.name)
    all_languages(read["WARD"].name, AGENCIES.agencies[0].name)


def test_sdmx1_reads_data_structures_and_dataflows() -> None:
    message = by_sdmx1(CL_ANSWER, CL_AREA, CONCEPTS, SERIES_ONLY, DATAFLOW)
    read = message.structure[DSD.id]
    all_languages(read.name, DSD.name)
    all_languages(read.description, DSD.description)
    parts = [*read.dimensions.components, *read.measures.components, *read.attributes.components]
    for component, ours in zip(parts, SERIES_ONLY.components, strict=True):
        assert (component.id, component.concept_identity.id) == (ours.id, ours.concept.item)
        same_sdmx1_representation(component.local_representation, ours.representation)
    assert [part.order for part in read.dimensions.components] == [1, 2, 3, 4]
    note, status = (attribute.related_to for attribute in read.attributes.components)
    assert tuple(dimension.id for dimension in note.dimensions) == SERIES_ONLY.attributes[0].attachment
    assert type(status).__name__ == "ObservationRelationship"
    flow = message.dataflow[DATAFLOW.id]
    all_languages(flow.name, DATAFLOW.name)
    all_languages(flow.description, DATAFLOW.description)
    assert flow.structure.id == DSD.id


def test_sdmx1_loses_whether_attributes_are_mandatory() -> None:
    read = by_sdmx1(CL_ANSWER, CL_AREA, CONCEPTS, SERIES_ONLY).structure[DSD.id]
    assert [part.usage_status for part in read.attributes.components] == [None, None]


def test_sdmx1_loses_the_names_of_a_dsd_with_an_attribute_of_the_dataflow() -> None:
    read = by_sdmx1(*DATA_STRUCTURES).structure[DSD.id]
    assert read.name.localizations == {}
    assert [part.id for part in read.attributes.components] == [part.id for part in DSD.attributes]
    assert read.attributes.components[0].related_to is None


def same_sdmx1_attributes(read: Any, ours: tuple[artefacts.MetadataAttribute, ...]) -> None:
    assert [attribute.id for attribute in read] == [attribute.id for attribute in ours]
    for attribute, wanted in zip(read, ours, strict=True):
        assert (attribute.min_occurs, attribute.max_occurs) == (wanted.min_occurs, wanted.max_occurs)
        assert attribute.concept_identity.id == wanted.concept.item
        same_sdmx1_representation(attribute.local_representation, wanted.representation)
        assert attribute.is_presentational is True  # whatever is written: bool("false")
        same_sdmx1_attributes(attribute.child, wanted.children)


def test_sdmx1_reads_metadata_structures_with_all_cardinalities_but_loses_what_is_presentational() -> None:
    read = by_sdmx1(CL_ANSWER, CL_AREA, CONCEPTS, MSD).metadatastructure[MSD.id]
    all_languages(read.name, MSD.name)
    top = [attribute for attribute in read.attributes.components if attribute.parent is None]
    same_sdmx1_attributes(top, MSD.attributes)


STRUCTURE = "{http://www.sdmx.org/resources/sdmxml/schemas/v3_0/structure}"


@pytest.mark.parametrize(
    ("artefact", "told"),
    [
        (PROVIDERS, f"NotImplementedError: ('{STRUCTURE}MetadataProviderSchemes', 'start')"),
        (FLOW, "KeyError: 'Structure'"),
        (AGREEMENT, f"NotImplementedError: ('{STRUCTURE}MetadataProvisionAgreements', 'start')"),
    ],
    ids=lambda value: getattr(value, "id", None),
)
def test_sdmx1_fails_on_what_reports_need(artefact: Structure, told: str) -> None:
    with pytest.raises(XMLParseError) as caught:
        by_sdmx1(artefact)
    assert str(caught.value) == told


def test_sdmx1_fails_on_reports() -> None:
    with pytest.raises(XMLParseError) as caught:
        sdmx.read_sdmx(BytesIO(sdmx_ml.metadata((BARE,), HEADER)))
    assert str(caught.value) == "RuntimeError: No MSD when creating DataSet"


@pytest.mark.parametrize(
    "message", [sdmx_json.structures((CL_AREA,), HEADER), sdmx_json.metadata((BARE,), HEADER)]
)
def test_sdmx1_fails_on_json(message: bytes) -> None:
    with pytest.raises(KeyError) as caught:
        sdmx.read_sdmx(BytesIO(message))
    assert caught.value.args == ("structures",)


MATRIX = Path(__file__).parent.parent / "docs" / "interop.md"


def test_each_cell_of_the_matrix_names_a_test_and_each_test_stands_in_it() -> None:
    named = set(re.findall(r"`(test_\w+)`", MATRIX.read_text(encoding="utf-8")))
    ours = {
        name
        for file in Path(__file__).parent.glob("test_*.py")
        for name in re.findall(r"^def (test_\w+)", file.read_text(encoding="utf-8"), re.MULTILINE)
    }
    peers = {name for name in ours if name.startswith(("test_pysdmx", "test_sdmx1"))}
    assert named <= ours
    assert peers <= named


def test_each_reproduction_in_the_matrix_shows_what_it_says() -> None:
    blocks = re.findall(
        r"^( *)```python\n(.*?)^ *```", MATRIX.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    assert len(blocks) == 40
    names: dict[str, Any] = {}
    for _, block in blocks:
        exec(textwrap.dedent(block), names)  # noqa: S102  # our own page; each block asserts what it shows
