import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdmeta.urn import Ref, is_agency_id, is_code_id, is_concept_id, to_concept_id, to_id


@pytest.mark.parametrize(
    "urn",
    [
        "urn:sdmx:org.sdmx.infomodel.codelist.Codelist=SDMX:CL_FREQ(2.1)",
        "urn:sdmx:org.sdmx.infomodel.conceptscheme.Concept=SDMX:CROSS_DOMAIN_CONCEPTS(2.0).OBS_STATUS",
        "urn:sdmx:org.sdmx.infomodel.datastructure.Dataflow=CDMETA.EXAMPLELAND:DF_A_B(1.0)",
        "urn:sdmx:org.sdmx.infomodel.registry.MetadataProvisionAgreement=A:MPA(1.0)",
        "urn:sdmx:org.sdmx.infomodel.base.MetadataProvider=A.B:METADATA_PROVIDERS(1.0).X",
    ],
)
def test_a_urn_is_read_and_written(urn: str) -> None:
    ref = Ref.parse(urn)
    assert ref is not None
    assert ref.urn == urn
    tail = f".{ref.item}" if ref.item else ""
    assert ref.short + tail == urn.partition("=")[2]
    assert Ref.parse_short(ref.kind, ref.short + tail) == ref


@pytest.mark.parametrize("urn", ["", "x", None, 3, "urn:sdmx:org.sdmx.infomodel.base.Codelist=SDMX:CL_FREQ(2.1)"])
def test_what_is_no_urn_is_none(urn: object) -> None:
    assert Ref.parse(urn) is None


@given(st.text())
def test_any_text_becomes_a_legal_id_or_nothing(value: str) -> None:
    assert to_id(value) == "" or is_code_id(to_id(value))
    assert to_concept_id(value) == "" or is_concept_id(to_concept_id(value))


def test_legal_ids_are_kept_and_accents_dropped() -> None:
    assert to_id("Y_GE60") == "Y_GE60"
    assert to_id("_T") == "_T"
    assert to_id("Côte d'Ivoire") == "Cote_d_Ivoire"
    assert to_concept_id("2nd age") == "X_2ND_AGE"
    assert to_concept_id("año") == "ANO"


def test_agencies_are_dotted_names() -> None:
    assert is_agency_id("CDMETA.EXAMPLELAND")
    for value in ("", "1A", "A..B", "A.", None, "A B"):
        assert not is_agency_id(value)
