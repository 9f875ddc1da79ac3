"""SDMX-ML 2.1: what is written is what was meant, valid, and refused where 2.1 cannot say it."""

import dataclasses
from io import BytesIO
from typing import Any

import pysdmx.io
import pytest
import sdmx
from hypothesis import given
from lxml import etree
from pysdmx.errors import NotImplemented as NotSupported
from sdmx.exceptions import XMLParseError
from sdmx_everything import (
    ACTUAL,
    AGENCIES,
    AGENCY,
    AGREEMENT,
    ALLOWED,
    ANSWER_MAP,
    ANSWERS_MAP,
    BARE,
    CL_ANSWER,
    CL_AREA,
    CL_WIDER,
    CONCEPTS,
    DATAFLOW,
    DSD,
    FLOW,
    HEADER,
    LINES,
    LISTS_OF_OTHERS,
    LOOSE,
    MARKED_UP,
    MSD,
    NOTES,
    OF_PROVIDER,
    PROVIDERS,
    QUOTES,
    REPORT,
    STRUCTURES,
    VL_SIZE,
    WIDE,
    WIDE_FLOW,
    text,
)
from sdmx_reading import legal_texts, spaces
from sdmx_reading_21 import said_of, sets_from_21, structures_from_21
from test_interop import all_languages, same_codes

from cdmeta.errors import ConversionError
from cdmeta.formats import oracle, sdmx_ml_21
from cdmeta.sdmx.artefacts import (
    Annotation,
    Attribute,
    Codelist,
    ConceptScheme,
    DataStructure,
    Group,
    Measure,
    MetadataSet,
    ReportedAttribute,
    Representation,
    Structure,
)
from cdmeta.text import Text
from cdmeta.urn import Ref

KIND: oracle.Kind = "sdmx-ml-2.1"
ONE = dataclasses.replace(DSD, measures=DSD.measures[:1])
"""The structure with one measure, as 2.1 wants it."""
GROUPED = dataclasses.replace(
    DSD,
    id="DSD_GROUPED",
    measures=(Measure("OBS_VALUE", DSD.measures[0].concept, Representation(text_type="Decimal", decimals=2)),),
    attributes=(
        Attribute("TITLE", DSD.attributes[0].concept, Representation(), ("ANSWER", "REF_AREA"), group="AREAS"),
        *DSD.attributes[1:],
    ),
    groups=(Group("AREAS", ("ANSWER", "REF_AREA")), Group("SIBLING", ("ANSWER",))),
    annotations=NOTES,
)
PARTIAL = dataclasses.replace(CL_WIDER, extensions=())
SAID: tuple[Structure, ...] = (
    *(ONE if artefact is DSD else artefact for artefact in STRUCTURES),
    GROUPED,
    PARTIAL,
    ALLOWED,
    ACTUAL,
    LOOSE,
    OF_PROVIDER,
    WIDE_FLOW,
)
MESSAGE = sdmx_ml_21.structures(SAID, HEADER)


def in_21(artefact: Structure) -> Structure:
    """What is left of an artefact in 2.1, in the terms of 3.0."""
    if artefact is FLOW:
        return dataclasses.replace(FLOW, targets=())
    if artefact is AGREEMENT:
        provider = Ref("DataProvider", "CDMETA", "DATA_PROVIDERS", "1.0", "WARD")
        return dataclasses.replace(AGREEMENT, provider=provider)
    return artefact


def by_urn(artefacts: Any) -> list[Structure]:
    return sorted(artefacts, key=lambda artefact: artefact.urn)


def test_every_kind_of_structure_is_valid_and_read_back_value_by_value() -> None:
    assert oracle.problems(MESSAGE, KIND) == ()
    assert by_urn(structures_from_21(MESSAGE)) == by_urn(map(in_21, SAID))


@pytest.mark.parametrize("artefact", SAID, ids=lambda artefact: artefact.id)
def test_each_artefact_alone_is_a_valid_message(artefact: Structure) -> None:
    assert oracle.problems(sdmx_ml_21.structures((artefact,), HEADER), KIND) == ()


def test_an_empty_message_is_valid() -> None:
    assert oracle.problems(sdmx_ml_21.structures((), HEADER), KIND) == ()


def test_the_same_input_gives_the_same_bytes_of_2_1_alone() -> None:
    assert sdmx_ml_21.structures(SAID, HEADER) == MESSAGE
    assert b"/v3_0/" not in MESSAGE


REPORTS = (REPORT, BARE, MARKED_UP)


def test_reports_are_valid_and_read_back_value_by_value() -> None:
    message = sdmx_ml_21.metadata(REPORTS, HEADER)
    assert oracle.problems(message, KIND) == ()
    for (about, reports), given_report in zip(sets_from_21(message), REPORTS, strict=True):
        assert about == said_of(given_report)
        assert reports == [
            (("REPORT", "DATAFLOW_TARGET", (), target), given_report.attributes) for target in given_report.targets
        ]


def test_reports_on_a_part_of_the_data_by_the_metadata_structure_of_others() -> None:
    key, structure = (
        (("SERIES", "SI_POV_DAY1"), ("REF_AREA", "404")),
        Ref("MetadataStructure", "X", "SDG_MSD", "1.0"),
    )
    message = sdmx_ml_21.metadata((BARE,), HEADER, key, sdmx_ml_21.SDG_IDS, structure)
    assert oracle.problems(message, KIND) == ()
    ((about, ((target, attributes),)),) = sets_from_21(message)
    assert about["by"] == ("Structure", structure)
    assert target == ("SDG_META_RPT", "KEY_TARGET", key, DATAFLOW.urn)
    assert attributes == BARE.attributes
    places = etree.fromstring(message).iterfind(".//{*}ReferenceValue")
    assert [place.get("id") for place in places] == ["DIMENSION_DESCRIPTOR_VALUES_TARGET", "Dataflow"]


def test_two_flows_are_named_once_each_in_the_header() -> None:
    other = dataclasses.replace(BARE, metadataflow=Ref("Metadataflow", "X", "MDF", "1.0"))
    message = sdmx_ml_21.metadata((BARE, other, BARE), HEADER)
    assert oracle.problems(message, KIND) == ()
    assert [about["by"][1] for about, _ in sets_from_21(message)] == [FLOW.ref, other.metadataflow, FLOW.ref]
    assert (
        len(etree.fromstring(message).findall("mes:Header/mes:Structure", spaces(etree.fromstring(message)))) == 2
    )


@given(legal_texts(), legal_texts())
def test_any_legal_text_comes_back_as_it_was(first: str, second: str) -> None:
    both = Text((("en", first), ("ar", second)))
    codelist = Codelist("CDMETA", "CL_X", "1.0", both, description=both, codes=(CL_ANSWER.codes[0],))
    assert structures_from_21(sdmx_ml_21.structures((codelist,), HEADER)) == [codelist]
    attributes = (ReportedAttribute("TITLE", both), ReportedAttribute("PLAIN", second))
    report = dataclasses.replace(BARE, name=both, attributes=attributes)
    ((about, ((_, read),)),) = sets_from_21(sdmx_ml_21.metadata((report,), HEADER))
    assert (about["name"], read) == (both, attributes)


ALLOWED_SIMPLY = dataclasses.replace(ALLOWED, regions=ALLOWED.regions[:1])
LINK = Annotation("METADATA", MSD.urn)


def test_the_metadata_structure_of_a_data_structure_is_the_annotation_that_dotstat_reads() -> None:
    assert sdmx_ml_21.metadata_annotation(MSD.ref) == LINK
    linked = dataclasses.replace(ONE, metadata=MSD.ref)
    annotated = dataclasses.replace(ONE, annotations=(LINK,))
    assert structures_from_21(sdmx_ml_21.structures((linked,), HEADER)) == [annotated]
    both = dataclasses.replace(annotated, metadata=MSD.ref)
    assert structures_from_21(sdmx_ml_21.structures((both,), HEADER)) == [annotated]


def test_the_measure_is_called_obs_value() -> None:
    renamed = dataclasses.replace(ONE, measures=(dataclasses.replace(ONE.measures[0], id="COUNT"),))
    assert structures_from_21(sdmx_ml_21.structures((renamed,), HEADER)) == [ONE]


@pytest.mark.parametrize(
    ("text_type", "written"), [("XHTML", "String"), ("GeospatialInformation", "String"), ("Duration", "Duration")]
)
def test_a_type_that_2_1_does_not_know_for_data_is_a_string(text_type: str, written: str) -> None:
    attribute = dataclasses.replace(ONE.attributes[0], representation=Representation(text_type=text_type))
    message = sdmx_ml_21.structures((dataclasses.replace(ONE, attributes=(attribute,)),), HEADER)
    assert oracle.problems(message, KIND) == ()
    (read,) = structures_from_21(message)
    assert isinstance(read, DataStructure)
    assert read.attributes[0].representation.text_type == written


SEVERAL = dataclasses.replace(ONE.attributes[0], representation=Representation(max_occurs=None))
VALUES = dataclasses.replace(ONE.attributes[0], representation=Representation(VL_SIZE.ref))
CONCEPT = dataclasses.replace(CONCEPTS.concepts[0], representation=Representation(max_occurs=2))


@pytest.mark.parametrize(
    ("artefact", "told"),
    [
        (VL_SIZE, "SDMX 2.1 has no such thing as .*VL_SIZE"),
        (ANSWER_MAP, "SDMX 2.1 has no such thing as .*RM_ANSWER"),
        (ANSWERS_MAP, "SDMX 2.1 has no such thing as .*SM_ANSWERS"),
        (CL_WIDER, "CL_WIDER.* takes over codes from another list"),
        (WIDE, r"DSD_WIDE\(1.0\) has several measures: OBS_VALUE, AGE, NOTE\."),
        (dataclasses.replace(ONE, measures=()), "has no measure"),
        (dataclasses.replace(ONE, attributes=(SEVERAL,)), "TITLE of .* may have several values"),
        (dataclasses.replace(ONE, attributes=(VALUES,)), "no such thing as .*ValueList"),
        (dataclasses.replace(CONCEPTS, concepts=(CONCEPT,)), "FREQ of .* may have several values"),
    ],
)
def test_what_2_1_cannot_say_is_refused(artefact: Structure, told: str) -> None:
    with pytest.raises(ConversionError, match=told):
        sdmx_ml_21.structures((AGENCIES, artefact), HEADER)


def test_a_character_that_xml_cannot_hold_is_refused_with_its_place() -> None:
    report = dataclasses.replace(BARE, attributes=(ReportedAttribute("CONTACT_NAME", "a\x0bb"),))
    with pytest.raises(ConversionError, match=r"of CONTACT_NAME of REPORT: the character U\+000B"):
        sdmx_ml_21.metadata((report,), HEADER)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'type="Allowed"', b'type="Maybe"'),
        (b'objectType="Dataflow"', b'objectType="DataflowDefinition"'),
        (b'assignmentStatus="Mandatory"', b'assignmentStatus="must"'),
        (b'<Ref id="OBS_VALUE"/>', b'<Ref id="OTHER"/>'),
        (b'textType="KeyValues"', b'textType="String"'),
        (b'id="DATA_PROVIDERS"', b'id="PROVIDERS"'),
        (b"<str:MetadataTarget>", b"<str:Target>"),
        (b'class="Codelist"', b'class="ValueList"'),
    ],
)
def test_the_oracle_refuses_what_is_wrong(old: bytes, new: bytes) -> None:
    assert old in MESSAGE
    assert oracle.problems(MESSAGE.replace(old, new), KIND) != ()


# What others read of it.

CONSTRAINTS = (ALLOWED, ACTUAL, LOOSE, OF_PROVIDER)
READ_BY_SDMX1: Any = sdmx.read_sdmx(
    BytesIO(sdmx_ml_21.structures([artefact for artefact in SAID if artefact not in CONSTRAINTS], HEADER))
)


def test_sdmx1_reads_organisations_and_agreements_of_2_1() -> None:
    schemes = READ_BY_SDMX1.organisation_scheme
    # sdmx1 puts the maintainer among the agencies that it maintains.
    assert [item.id for item in schemes["AGENCIES"]] == ["WARD", "CDMETA"]
    assert [item.id for item in schemes["DATA_PROVIDERS"]] == ["WARD"]
    all_languages(schemes["DATA_PROVIDERS"].name, PROVIDERS.name)
    all_languages(schemes["AGENCIES"]["WARD"].name, AGENCIES.agencies[0].name)
    agreement = READ_BY_SDMX1.provisionagreement["MPA_WARD"]
    all_languages(agreement.name, AGREEMENT.name)
    assert (agreement.structure_usage.id, agreement.data_provider.id) == (FLOW.id, "WARD")


def test_sdmx1_reads_code_lists_of_2_1_with_all_languages_and_parents() -> None:
    for ours in (CL_ANSWER, CL_AREA, PARTIAL):
        read = READ_BY_SDMX1.codelist[ours.id]
        same_codes(read, ours)
        for code in ours.codes:
            assert getattr(read[code.id].parent, "id", None) in (code.parent, ours.id)


def same_representation(read: Any, ours: Representation) -> None:
    if ours.codelist:
        assert (read.enumerated.id, read.enumerated.version) == (ours.codelist.id, ours.codelist.version)
        return
    (facet,) = read.non_enumerated
    assert facet.value_type.name.lower() == ours.text_type.lower()
    told = {
        "min_length": ours.min_length,
        "max_length": ours.max_length,
        "min_value": ours.min_value,
        "max_value": ours.max_value,
        "pattern": ours.pattern,
        "decimals": ours.decimals,
    }
    for name, value in told.items():
        found = getattr(facet.type, name)
        assert (None if found is None else str(found)) == (None if value is None else str(value)), name


def test_sdmx1_reads_concepts_of_2_1() -> None:
    read = READ_BY_SDMX1.concept_scheme[CONCEPTS.id]
    assert isinstance(CONCEPTS, ConceptScheme)
    for concept in CONCEPTS.concepts:
        all_languages(read[concept.id].name, concept.name)
        assert concept.representation is not None
        same_representation(read[concept.id].core_representation, concept.representation)


def test_sdmx1_reads_data_structures_of_2_1_with_groups_and_attachments() -> None:
    for ours in (ONE, GROUPED):
        read = READ_BY_SDMX1.structure[ours.id]
        all_languages(read.name, ours.name)
        assert [part.id for part in read.dimensions] == [part.id for part in ours.dimensions]
        assert [part.id for part in read.measures] == ["OBS_VALUE"]
        assert {key: [part.id for part in group] for key, group in read.group_dimensions.items()} == {
            group.id: list(group.dimensions) for group in ours.groups
        }
        for part in ours.components:
            found = next(
                entry for entry in (*read.dimensions, *read.measures, *read.attributes) if entry.id == part.id
            )
            same_representation(found.local_representation, part.representation)
            assert found.concept_identity.id == part.concept.item
        for attribute in ours.attributes:
            assert told_by_sdmx1(read.attributes.get(attribute.id).related_to) == told_by_us(attribute)


def told_by_us(attribute: Attribute) -> Any:
    if attribute.group:
        return ("group", attribute.group)
    return attribute.attachment


def told_by_sdmx1(related: Any) -> Any:
    if hasattr(related, "dimensions"):
        return tuple(part.id for part in related.dimensions)
    if hasattr(related, "group_key"):
        return ("group", related.group_key.id)
    name = getattr(related, "__name__", type(related).__name__)
    return {"NoSpecifiedRelationship": "dataflow", "PrimaryMeasureRelationship": "observation"}[name]


def test_sdmx1_reads_annotations_of_2_1_but_loses_those_of_a_data_structure() -> None:
    for read in (READ_BY_SDMX1.dataflow[WIDE_FLOW.id], READ_BY_SDMX1.codelist[PARTIAL.id]):
        assert [(note.id, note.type, note.title) for note in read.annotations] == [
            (note.id, note.type, note.title) for note in NOTES
        ]
        all_languages(read.annotations[1].text, NOTES[1].text)
    assert READ_BY_SDMX1.structure[GROUPED.id].annotations == []


def test_pysdmx_reads_the_annotation_for_dotstat() -> None:
    annotated = dataclasses.replace(ONE, annotations=(LINK,))
    kept = (CL_ANSWER, CL_AREA, CONCEPTS, annotated, *LISTS_OF_OTHERS)
    read = pysdmx.io.read_sdmx(BytesIO(sdmx_ml_21.structures(kept, HEADER)), validate=True)
    structures: Any = read.structures
    (structure,) = (entry for entry in structures if entry.id == ONE.id)
    assert [(note.type, note.title) for note in structure.annotations] == [("METADATA", MSD.urn)]


def test_sdmx1_reads_flows_of_2_1() -> None:
    all_languages(READ_BY_SDMX1.dataflow[DATAFLOW.id].name, DATAFLOW.name)
    assert READ_BY_SDMX1.dataflow[DATAFLOW.id].structure.id == DSD.id
    assert READ_BY_SDMX1.metadataflow[FLOW.id].structure.id == MSD.id


def test_sdmx1_reads_metadata_structures_of_2_1_with_all_cardinalities() -> None:
    read = READ_BY_SDMX1.metadatastructure[MSD.id]
    all_languages(read.name, MSD.name)
    (report,) = read.report_structure.values()
    flat = [attribute for top in MSD.attributes for attribute in top.walk()]
    found = {}

    def walk(parts: Any) -> None:
        for part in parts:
            found[part.id] = part
            walk(part.child)

    walk(report.components)
    assert set(found) == {attribute.id for attribute in flat}
    for attribute in flat:
        same_representation(found[attribute.id].local_representation, attribute.representation)
        assert found[attribute.id].concept_identity.id == attribute.concept.item


def test_sdmx1_reads_constraints_of_2_1_but_fails_on_a_component_without_values() -> None:
    read: Any = sdmx.read_sdmx(BytesIO(sdmx_ml_21.structures((ALLOWED_SIMPLY, WIDE_FLOW), HEADER)))
    (region,) = read.constraint[ALLOWED_SIMPLY.id].data_content_region
    found = {part.id: {value.value for value in chosen.values} for part, chosen in region.member.items()}
    assert found == {part: set(values) for part, values in ALLOWED_SIMPLY.regions[0].values}
    assert read.constraint[ALLOWED_SIMPLY.id].role.role.name == "allowable"
    with pytest.raises(XMLParseError, match="RuntimeError"):
        sdmx.read_sdmx(BytesIO(sdmx_ml_21.structures((ALLOWED, WIDE_FLOW), HEADER)))


def test_sdmx1_fails_on_reports_on_a_dataflow_or_a_part_of_its_data() -> None:
    for key, told in (((), "has no attribute 'parent'"), ((("ANSWER", "YES"),), "DataKey")):
        with pytest.raises(XMLParseError, match=told):
            sdmx.read_sdmx(BytesIO(sdmx_ml_21.metadata((BARE,), HEADER, key)))


def told_to_sdmx1(report: MetadataSet) -> Any:
    message: Any = sdmx.read_sdmx(BytesIO(sdmx_ml_21.metadata((report,), HEADER)))
    return message.data[0].report[0]


def test_sdmx1_reads_plain_values_of_a_report_on_an_item_but_fails_on_names_and_texts() -> None:
    child = ReportedAttribute("CONTACT_NAME", LINES)
    attributes = (ReportedAttribute("PLAIN", QUOTES, children=(child,)), ReportedAttribute("COUNT", "2"))
    target = CONCEPTS.concept_ref("FREQ")
    report = dataclasses.replace(BARE, name=Text(), targets=(target.urn,), attributes=attributes)
    read = told_to_sdmx1(report)
    assert read.attaches_to.key_values["DATAFLOW"].obj.id == "FREQ"
    assert [(entry.value_for, entry.value) for entry in read.metadata] == [("PLAIN", QUOTES), ("COUNT", "2")]
    assert [(entry.value_for, entry.value) for entry in read.metadata[0].child] == [("CONTACT_NAME", LINES)]
    for broken, fault in (
        (dataclasses.replace(report, name=text("Name")), RuntimeError),
        (dataclasses.replace(report, attributes=(ReportedAttribute("TITLE", text("A")),)), XMLParseError),
    ):
        with pytest.raises(fault):
            told_to_sdmx1(broken)


def test_pysdmx_reads_structures_of_2_1_in_one_language() -> None:
    kept = (CL_ANSWER, CL_AREA, CONCEPTS, ONE, DATAFLOW, *LISTS_OF_OTHERS)
    read = pysdmx.io.read_sdmx(BytesIO(sdmx_ml_21.structures(kept, HEADER)), validate=True)
    structures: Any = read.structures
    found = {structure.id: structure for structure in structures}
    assert [code.name for code in found[CL_ANSWER.id]] == [code.name.best("en") for code in CL_ANSWER.codes]
    components = {component.id: component for component in found[ONE.id].components}
    assert list(components) == [part.id for part in ONE.components]
    for attribute in ONE.attributes:
        assert components[attribute.id].required is attribute.mandatory
    assert found[DATAFLOW.id].name == "Answers"
    assert QUOTES in [code.name for code in found[CL_ANSWER.id]]


def by_pysdmx(*artefacts: Structure) -> list[Any]:
    read = pysdmx.io.read_sdmx(BytesIO(sdmx_ml_21.structures(artefacts, HEADER)), validate=True)
    return list(read.structures or ())


def test_pysdmx_reads_organisations_and_agreements_of_2_1_in_one_language() -> None:
    agencies, providers, agreement = by_pysdmx(AGENCIES, PROVIDERS, AGREEMENT)
    assert (agencies.name, [(each.id, each.name) for each in agencies]) == (
        "Agencies",
        [("CDMETA.WARD", "Ward 5")],
    )
    # In 2.1 there are no providers of metadata: they are those of data, under the id that these always have.
    assert (providers.id, providers.name) == ("DATA_PROVIDERS", "Providers")
    assert [(each.id, each.name) for each in providers] == [("WARD", "Ward 5")]
    assert (agreement.id, agreement.name) == (AGREEMENT.id, "Agreement")
    assert agreement.dataflow == f"Metadataflow={FLOW.ref.short}"
    assert agreement.provider == "DataProvider=CDMETA:DATA_PROVIDERS(1.0).WARD"


def test_pysdmx_reads_constraints_of_2_1_but_loses_what_they_say_of_attributes() -> None:
    *_, read = by_pysdmx(ALLOWED, WIDE_FLOW)
    found = [
        (region.is_included, {part.id: {value.value for value in part.values} for part in region.key_values})
        for region in read.cube_regions
    ]
    told = [(region.included, dict(region.values)) for region in ALLOWED.regions]
    assert told[1][1].pop("CONTACT") == frozenset()
    assert found == [(included, {part: set(values) for part, values in said.items()}) for included, said in told]
    assert read.constraint_attachment.dataflows == (WIDE_FLOW.urn,)


def test_pysdmx_fails_on_reports_of_2_1() -> None:
    with pytest.raises(NotSupported, match=r"SDMX-ML 2\.1 reference metadata"):
        pysdmx.io.read_sdmx(BytesIO(sdmx_ml_21.metadata((BARE,), HEADER)), validate=True)


def test_pysdmx_fails_on_a_metadata_structure_of_2_1() -> None:
    with pytest.raises(KeyError, match="MetadataAttributeList"):
        pysdmx.io.read_sdmx(BytesIO(sdmx_ml_21.structures((MSD,), HEADER)), validate=True)


def test_the_agency_of_everything_is_ours() -> None:
    assert {artefact.agency for artefact in structures_from_21(MESSAGE)} == {AGENCY, "CDMETA"}
    assert text("a").languages == ("en", "fr", "ar")
