"""The profile's own SDMX artefacts."""

import pytest

from cdmeta import profile
from cdmeta.sdmx.artefacts import Codelist, ConceptScheme, MetadataAttribute, Metadataflow, MetadataStructure
from cdmeta.sdmx.profile_artefacts import artefacts
from cdmeta.urn import Ref, is_code_id, is_concept_id, to_concept_id

FIELDS = profile.load().fields
ALL = artefacts()
CODELISTS = {each.id: each for each in ALL if isinstance(each, Codelist)}
(CONCEPTS,) = (each for each in ALL if isinstance(each, ConceptScheme))
(MSD,) = (each for each in ALL if isinstance(each, MetadataStructure))
(FLOW,) = (each for each in ALL if isinstance(each, Metadataflow))
ATTRIBUTES = {attribute.id: attribute for top in MSD.attributes for attribute in top.walk()}
BY_CONCEPT = {entry.concept: entry for entry in FIELDS.values() if entry.concept}

DSD_IDS = {"FREQ", "REF_AREA", "TIME_PERIOD", "OBS_VALUE", "UNIT_MEASURE", "OBS_STATUS"}
COMMON_COLUMNS = (
    "id", "name", "title", "description", "year", "date", "month", "period", "time", "region", "district", "area",
    "country", "place", "location", "geography", "sex", "gender", "age", "age group", "disability", "language",
    "population", "households", "minors", "children", "value", "count", "number", "total", "share", "rate", "unit",
    "unit measure", "status", "frequency", "source", "funding", "funder", "purpose", "objective", "type", "kind",
    "method", "mode", "sample", "weight", "base n", "notes", "comment", "jurisdiction", "access", "role",
    "organisation", "phone", "email", "url", "indicator", "sdg", "service", "facility", "satisfied", "respondents",
)  # fmt: skip


def test_what_is_there() -> None:
    assert {(type(each).__name__, each.agency, each.version) for each in ALL} == {
        ("Codelist", "CDMETA", "1.0"),
        ("ConceptScheme", "CDMETA", "1.0"),
        ("MetadataStructure", "CDMETA", "1.0"),
        ("Metadataflow", "CDMETA", "1.0"),
    }
    assert (CONCEPTS.id, MSD.id, FLOW.id) == ("CS_CITIZEN_DATA", "MSD_CITIZEN_DATA", "MDF_CITIZEN_DATA")
    assert set(CODELISTS) == set(profile.load().codelists)
    assert set(ATTRIBUTES) == set(BY_CONCEPT)


def test_ids_are_legal_and_unique_in_their_scope() -> None:
    assert len({each.urn for each in ALL}) == len(ALL)
    assert all(is_concept_id(each.id) for each in ALL)
    for codelist in CODELISTS.values():
        ids = [code.id for code in codelist.codes]
        assert len(ids) == len(set(ids))
        assert all(is_code_id(code) for code in ids)
        assert {code.parent for code in codelist.codes if code.parent} <= set(ids)
    ids = [concept.id for concept in CONCEPTS.concepts]
    assert len(ids) == len(set(ids))
    assert all(is_concept_id(concept) for concept in ids)
    walked = [attribute.id for top in MSD.attributes for attribute in top.walk()]
    assert len(walked) == len(set(walked))


def test_everything_has_a_name() -> None:
    for each in ALL:
        assert each.name.as_dict().keys() == set(profile.languages())
    for codelist in CODELISTS.values():
        assert all(code.name and code.description for code in codelist.codes)
    assert all(concept.name and concept.description for concept in CONCEPTS.concepts)


def test_references_lead_somewhere() -> None:
    urns = {each.urn for each in ALL} | {CONCEPTS.concept_ref(each.id).urn for each in CONCEPTS.concepts}
    external = set()
    for representation in (
        *(attribute.representation for attribute in ATTRIBUTES.values()),
        *(concept.representation for concept in CONCEPTS.concepts),
    ):
        if representation and representation.codelist and representation.codelist.urn not in urns:
            external.add(representation.codelist)
    assert external == {Ref("Codelist", "SDMX", "CL_FREQ", "2.1")}
    assert {attribute.concept.urn for attribute in ATTRIBUTES.values()} <= urns
    assert all(attribute.concept.item == attribute.id for attribute in ATTRIBUTES.values())
    assert FLOW.structure.urn == MSD.urn


def test_what_is_referred_to_comes_first() -> None:
    kinds = [type(each).__name__ for each in ALL]
    assert kinds == sorted(kinds, key=["Codelist", "ConceptScheme", "MetadataStructure", "Metadataflow"].index)


def test_no_attribute_at_the_top_is_a_component_of_a_data_structure() -> None:
    """.Stat puts both side by side; what is nested is told apart by its path (domain §5.2a)."""
    top = {attribute.id for attribute in MSD.attributes}
    assert not top & DSD_IDS
    assert set(ATTRIBUTES) & DSD_IDS == {"UNIT_MEASURE"}
    assert "TITLE" not in top
    assert not top & {to_concept_id(column) for column in COMMON_COLUMNS}


@pytest.mark.parametrize("attribute", ATTRIBUTES.values(), ids=ATTRIBUTES)
def test_cardinalities_follow_the_tiers(attribute: MetadataAttribute) -> None:
    entry = BY_CONCEPT[attribute.id]
    assert attribute.min_occurs == (1 if entry.tier == "core" else 0)
    assert attribute.max_occurs == (None if entry.repeats else 1)
    assert entry.repeats == (entry.type in ("codes", "strings", "list") or entry.path.endswith("[].name"))


def test_nesting() -> None:
    nested = {top.id: [child.id for child in top.children] for top in MSD.attributes if top.children}
    assert nested == {
        "LICENCE": ["LICENCE_URI"],
        "CONTACT": ["CONTACT_NAME", "CONTACT_ORGANISATION", "CONTACT_EMAIL", "CONTACT_URI"],
        "INITIATOR": ["INITIATOR_KIND"],
        "PARTNER": ["PARTNER_KIND", "PARTNER_ROLE"],
        "CSO_REPRESENT": ["CSO_REPRESENT_HOW"],
        "FUNDING_SOURCE": ["FUNDING_KIND"],
        "STAT_CONC_DEF": ["UNIT_MEASURE"],
        "NONRESPONSE_ERR": ["RESPONSE_RATE", "RESPONSE_DEF", "NONRESP_REASON", "ITEM_NONRESP"],
        "TOOL": ["TOOL_VERSION"],
        "DATA_COMP": ["WEIGHTING"],
        "NSO_ASSESSMENT": ["NSO_FRAMEWORK", "NSO_ASSESSOR", "NSO_ASSESSMENT_DATE", "NSO_RESULTS"],
    }
    containers = {attribute.id for attribute in ATTRIBUTES.values() if attribute.presentational}
    assert containers == {"CONTACT", "NONRESPONSE_ERR", "NSO_ASSESSMENT"}


@pytest.mark.parametrize(
    ("concept", "expected"),
    [
        ("DATASET_TITLE", "String"),
        ("COLL_METHOD", "String"),
        ("ACHIEVED_COUNT", "Integer"),
        ("CSO_DIRECT", "Boolean"),
        ("META_LAST_UPDATE", "GregorianDay"),
        ("CONFORMS_TO", "String"),
        # WITHHELD_SAFETY may stand for it, and is no time range
        ("COLL_PERIOD", "String"),
        ("COLL_MODE", "urn:sdmx:org.sdmx.infomodel.codelist.Codelist=CDMETA:CL_COLL_MODE(1.0)"),
        ("FREQ_COLL", "urn:sdmx:org.sdmx.infomodel.codelist.Codelist=SDMX:CL_FREQ(2.1)"),
    ],
)
def test_representations(concept: str, expected: str) -> None:
    attribute = ATTRIBUTES[concept].representation
    (core,) = (each.representation for each in CONCEPTS.concepts if each.id == concept)
    for representation in (attribute, core):
        assert representation is not None
        assert (representation.codelist.urn if representation.codelist else representation.text_type) == expected


def test_concepts_that_equal_one_of_sdmx_say_so() -> None:
    same = {each.id: each.same_as for each in CONCEPTS.concepts if each.same_as}
    scheme = "urn:sdmx:org.sdmx.infomodel.conceptscheme.Concept=SDMX:CROSS_DOMAIN_CONCEPTS(2.0)."
    assert same == {
        name: f"{scheme}{name}"
        for name in (
            "DATA_DESCR", "CONTACT_NAME", "CONTACT_ORGANISATION", "CONTACT_EMAIL", "META_LAST_UPDATE",
            "SOURCE_TYPE", "STAT_POP", "STAT_UNIT", "STAT_CONC_DEF", "UNIT_MEASURE", "CLASS_SYSTEM", "FREQ_COLL",
            "IMPUTATION",
            "COHER_X_DOM", "TIMELINESS", "REV_POLICY", "CONF_DATA_TR", "CONF_POLICY", "REL_CAL_POLICY",
            "INST_MANDATE", "COST_BURDEN",
        )
    }  # fmt: skip
    assert all(Ref.parse(urn) for urn in same.values())


def test_a_concept_that_sdmx_has_keeps_its_id_and_records_the_link() -> None:
    """Equal ones as `same_as`, others as a match; nothing is recorded twice."""
    scheme = "urn:sdmx:org.sdmx.infomodel.conceptscheme.Concept=SDMX:CROSS_DOMAIN_CONCEPTS(2.0)."
    found = 0
    for concept in CONCEPTS.concepts:
        entry = BY_CONCEPT[concept.id]
        links = [link for link in entry.links if link.startswith("SDMX:CROSS_DOMAIN_CONCEPTS(2.0).")]
        recorded = [urn for _, urn in concept.matches if urn.startswith(scheme)]
        assert [*recorded, *([concept.same_as] if concept.same_as else [])] == [
            f"urn:sdmx:org.sdmx.infomodel.conceptscheme.Concept={link}" for link in links
        ]
        assert all(link.endswith(f".{concept.id}") for link in links)
        found += len(links)
    assert found >= 25


def test_links_to_esms_and_to_the_sdg_metadata_structure_are_recorded() -> None:
    matches = {each.id: {target: kind for kind, target in each.matches} for each in CONCEPTS.concepts}
    base = "urn:sdmx:org.sdmx.infomodel.conceptscheme.Concept="
    assert matches["COLL_METHOD"] == {
        f"{base}SDMX:CROSS_DOMAIN_CONCEPTS(2.0).COLL_METHOD": "close",
        f"{base}ESTAT:ESMS_CONCEPTS(1.0).COLL_METHOD": "close",
        f"{base}IAEG-SDGs:SDG_META_CONCEPTS(1.0).COLL_METHOD": "close",
        "https://core.citizenscience.org/docs/dataset#methodAbstract": "close",
    }
    assert matches["META_LAST_UPDATE"] == {
        f"{base}ESTAT:ESMS_CONCEPTS(1.0).META_LAST_UPDATE": "exact",
        f"{base}IAEG-SDGs:SDG_META_CONCEPTS(1.0).META_LAST_UPDATE": "exact",
    }
    assert matches["INITIATIVE_TYPE"] == {}


def test_codes_keep_their_parents() -> None:
    stages = {code.id: code.parent for code in CODELISTS["CL_VALUE_CHAIN_STAGE"].codes}
    assert stages["S1C"] == "S1"
    assert stages["S1"] is None


def test_targets_are_dataflows_and_agencies() -> None:
    assert FLOW.targets == (
        "urn:sdmx:org.sdmx.infomodel.datastructure.Dataflow=*:*(*)",
        "urn:sdmx:org.sdmx.infomodel.base.Agency=*:*(*).*",
    )
