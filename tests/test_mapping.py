"""How fields and codes match ids of other standards: decided in data, and each decision is used."""

import csv
import re

import pytest

from cdmeta import mapping, profile
from cdmeta.mapping import Match

FIELDS = profile.load().fields
CODELISTS = profile.load().codelists
SUBJECTS = {entry.path: entry.links for entry in FIELDS.values()} | {
    f"{codelist.id}.{code.id}": code.links for codelist in CODELISTS.values() for code in codelist.codes.values()
}
KINDS = {"exact", "close", "broad", "narrow", "related", "see", "none"}


@pytest.mark.parametrize("subject", SUBJECTS)
def test_every_link_has_a_namespace(subject: str) -> None:
    """If this fails, add the prefix to profiles/citizen-data/1.0/namespaces.csv."""
    assert [link for link in SUBJECTS[subject] if mapping.namespace(link) is None] == []


def test_every_decision_is_of_a_link_and_says_why() -> None:
    """If this fails, a link was taken out: take its row out of profiles/citizen-data/1.0/mappings.csv."""
    rows = profile.table("mappings.csv")
    assert len(rows) == len(mapping.decided()) > 90
    for row in rows:
        assert row["target"] in SUBJECTS.get(row["subject"], ()), row
        assert row["why"].endswith("."), row
        space = mapping.namespace(row["target"])
        assert space is not None
        assert row["match"] in KINDS - {"see", "none", space.match}, row
        assert space.match not in ("see", "none"), row


def test_namespaces_are_whole() -> None:
    for space in mapping.namespaces():
        assert space.match in KINDS
        assert (space.match == "none") == (not space.iri)
        assert re.fullmatch(r"(https?://|urn:sdmx:)\S+", space.iri or "urn:sdmx:x")
        assert space.title
        assert space.source.startswith("http")
    prefixes = [space.prefix for space in mapping.namespaces()]
    assert len(prefixes) == len(set(prefixes))
    used = {mapping.namespace(link) for links in SUBJECTS.values() for link in links}
    assert {space.prefix for space in mapping.namespaces() if space not in used} <= {"dwc:", "dpv:is"}


def test_the_rows_of_both_tables_have_all_their_cells() -> None:
    for name in ("namespaces.csv", "mappings.csv"):
        with (profile.folder() / name).open(encoding="utf-8", newline="") as stream:  # type: ignore[call-overload]
            assert {len(row) for row in csv.reader(stream)} == {5 if name.startswith("name") else 4}


@pytest.mark.parametrize(
    ("link", "iri"),
    [
        ("dpv:Consent", "https://w3id.org/dpv#Consent"),
        ("dpv:hasPurpose", "https://w3id.org/dpv#hasPurpose"),
        ("GSBPM:4", "http://id.unece.org/models/gsbpm/4"),
        ("DUO:0000042", "http://purl.obolibrary.org/obo/DUO_0000042"),
        ("PPSR:projectAim", "https://core.citizenscience.org/docs/project#projectAim"),
        ("PPSR:methodType", "https://core.citizenscience.org/docs/dataset#methodType"),
        ("PPSR:dcterms:title", "http://purl.org/dc/terms/title"),
        ("ESMS:CONTACT", "urn:sdmx:org.sdmx.infomodel.conceptscheme.Concept=ESTAT:ESMS_CONCEPTS(1.0).CONTACT"),
        (
            "DDI:Probability.SimpleRandom",
            "http://rdf-vocabulary.ddialliance.org/cv/SamplingProcedure/1.1/#Probability.SimpleRandom",
        ),
        ("SDMX:CL_FREQ(2.1)", "urn:sdmx:org.sdmx.infomodel.codelist.Codelist=SDMX:CL_FREQ(2.1)"),
        ("LC:BC-CV", "https://localcontexts.org/label/bc-consent-verified/"),
        ("DDI:collMode", ""),
    ],
)
def test_the_longest_prefix_gives_the_address(link: str, iri: str) -> None:
    found = {match.target: match.iri for entry in FIELDS.values() for match in mapping.of_field(entry)}
    for codelist in CODELISTS.values():
        for code in codelist.codes.values():
            found |= {match.target: match.iri for match in mapping.of_code(codelist, code)}
    assert found[link] == iri


def test_a_property_is_no_concept() -> None:
    """What is an rdf:Property elsewhere is never a SKOS match."""
    properties = re.compile(r"(dct|dcat|schema|prov|vcard|dwc|PPSR:dcterms):|dpv:(has|is)[A-Z]")
    for entry in FIELDS.values():
        for match in mapping.of_field(entry):
            assert (match.kind == "see") == bool(properties.match(match.target) or "SDMX:CL_" in match.target), (
                match
            )


def test_decided_ones_and_those_that_follow_their_namespace() -> None:
    basis = CODELISTS["CL_CONSENT_BASIS"]
    matches = mapping.of_code(basis, basis.codes["CONSENT_EXPRESSED"])
    assert matches[0] == Match(
        "dpv:ExpressedConsent",
        "broad",
        "https://w3id.org/dpv#ExpressedConsent",
        "There it takes in explicit consent; here it does not.",
    )
    assert matches[1].kind == "related"
    assert matches[1].why == ""
