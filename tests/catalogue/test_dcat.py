"""DCAT-AP: read by rdflib, judged by pyshacl with shapes of our own, each of which is shown to fail."""

import copy
import datetime as dt
import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyshacl
import pytest
from rdflib import DCTERMS, FOAF, RDF, RDFS, SH, SKOS, XSD, Graph, Literal, Namespace, URIRef
from rdflib.term import Node

from cdmeta.entry import Entry
from cdmeta.formats import dcat, rdf
from cdmeta.formats.dcat import Site
from cdmeta.text import Text

SHAPES = Graph().parse(Path(__file__).parent / "shapes" / "dcat-ap.ttl")
SPDX = Namespace("http://spdx.org/rdf/terms#")
DCAT = Namespace("http://www.w3.org/ns/dcat#")
VCARD = Namespace("http://www.w3.org/2006/vcard/ns#")
EU = "http://publications.europa.eu/resource/authority/"
BASE = "https://data.example.org/citizen"
OWN = URIRef(f"{BASE}/CDMETA.EXAMPLELAND/public-service-satisfaction/")
HOSTILE = 'A "quoted"\nline </script><b>&amp; \\ \u202eturned \u0645\u0631\u062d\u0628\u0627 <http://x> """'


def graph(entry: Entry, site: Site) -> Graph:
    return Graph().parse(data=rdf.serialise(dcat.catalogue((entry,), site), "turtle"), format="turtle")


def conforms(data: Graph) -> tuple[bool, str]:
    result, _, text = pyshacl.validate(data, shacl_graph=SHAPES)
    return bool(result), str(text)


def constraints() -> Iterator[tuple[URIRef, URIRef, URIRef, Node]]:
    """Every constraint of the shapes: target class, path, component, value."""
    for shape, target in SHAPES.subject_objects(SH.targetClass):
        for prop in SHAPES.objects(shape, SH.property):
            path = SHAPES.value(prop, SH.path)
            for component in (SH.minCount, SH.maxCount, SH["class"], SH.datatype, SH.nodeKind):
                for value in SHAPES.objects(prop, component):
                    assert isinstance(target, URIRef)
                    assert isinstance(path, URIRef)
                    yield target, path, component, value


def broken(data: Graph, target: URIRef, path: URIRef, component: URIRef, value: Node) -> Graph:
    """A graph in which one constraint does not hold, on the first node that it is about."""
    changed = copy.deepcopy(data)
    subject, found = min((s, o) for s in data.subjects(RDF.type, target) for o in data.objects(s, path))
    if component == SH.minCount:
        changed.remove((subject, path, None))
    elif component == SH.maxCount:
        other = URIRef("https://example.org/other") if isinstance(found, URIRef) else Literal("2001-01-01")
        for triple in data.triples((found, None, None)):
            changed.add((other, *triple[1:]))
        changed.add((subject, path, other))
    elif component == SH["class"]:
        assert isinstance(value, URIRef)
        changed.remove((found, RDF.type, value))
    else:
        wrong = URIRef("https://example.org/wrong") if value == SH.Literal else Literal("wrong")
        changed.remove((subject, path, found))
        changed.add((subject, path, wrong))
    return changed


# rdflib's own JSON-LD reader uses what rdflib deprecates.
@pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated:DeprecationWarning")
def test_turtle_and_json_ld_are_one_graph_without_blank_nodes_or_context(entry: Entry, site: Site) -> None:
    triples = dcat.catalogue((entry,), site)
    turtle = Graph().parse(data=rdf.serialise(triples, "turtle"), format="turtle")
    written = rdf.serialise(triples, "json-ld")
    assert set(turtle) == set(Graph().parse(data=written, format="json-ld"))
    assert len(turtle) == len(triples) == len(set(triples)) > 80
    assert not [node for triple in turtle for node in triple if not isinstance(node, URIRef | Literal)]
    assert b"@context" not in written
    assert json.loads(written)


def test_the_catalogue_conforms(entry: Entry, site: Site) -> None:
    assert conforms(graph(entry, site)) == (True, "Validation Report\nConforms: True\n")


@pytest.mark.parametrize("access", ["OPEN", "REGISTERED", "METADATA_ONLY"])
def test_poor_and_hostile_entries_conform_as_well(access: str, make_entry: Any, site: Site) -> None:
    def change(descriptor: dict[str, Any]) -> None:
        descriptor |= {
            "title": HOSTILE,
            "description": {"xx bad tag": HOSTILE, "ar": HOSTILE},
            "keywords": [HOSTILE],
        }
        descriptor["contributors"] = [{"title": HOSTILE, "email": 'a"b <c>@x y', "path": "javascript:alert(1)"}]
        descriptor["licenses"] = [{"name": "other", "title": HOSTILE}]
        answers = descriptor["citizenData"]
        answers |= {"accessRights": access, "geography": [HOSTILE], "initiators": [{"name": HOSTILE, "kind": "X"}]}
        answers |= {"referencePeriod": "WITHHELD_SAFETY", "objectives": ["NO SUCH CODE", "SERVICES"]}
        descriptor["resources"][0] |= {"title": HOSTILE, "mediatype": "no type", "format": "odd"}

    data = graph(make_entry(change), site)
    assert conforms(data)[0], conforms(data)[1]
    assert {str(title) for title in data.objects(OWN, DCTERMS.title)} >= {HOSTILE}
    assert {str(name) for name in data.objects(URIRef(f"{OWN}#initiator-1"), FOAF.name)} == {HOSTILE}
    assert Literal(HOSTILE, lang="ar") in set(data.objects(OWN, DCTERMS.description))
    # What stands under no language tag is no text in any language, and is left out when the descriptor is read.
    assert Literal(HOSTILE) not in set(data.objects(OWN, DCTERMS.description))


@pytest.mark.parametrize("tag", ["und", "no tag", ""])
def test_a_text_in_no_known_language_is_written_without_one(tag: str, entry: Entry, site: Site) -> None:
    said = replace(entry.dataset, description=Text(((tag, HOSTILE),)))
    assert set(graph(replace(entry, dataset=said), site).objects(OWN, DCTERMS.description)) == {Literal(HOSTILE)}


@pytest.mark.parametrize(
    ("target", "path", "component", "value"),
    [pytest.param(*c, id="-".join(str(part).rsplit("/", 1)[-1] for part in c[:3])) for c in sorted(constraints())],
)
def test_every_constraint_can_fail(
    target: URIRef, path: URIRef, component: URIRef, value: Node, entry: Entry, site: Site
) -> None:
    good, text = conforms(broken(graph(entry, site), target, path, component, value))
    assert not good
    assert str(path).rsplit("#", 1)[-1].rsplit("/", 1)[-1] in text


def test_a_licence_has_its_address_however_its_name_is_spaced(
    make_entry: Callable[..., Entry], site: Site
) -> None:
    def change(descriptor: dict[str, Any]) -> None:
        descriptor["licenses"] = [{"name": "CC BY 4.0"}]

    data = graph(make_entry(change), site)
    assert data.value(OWN, DCTERMS.license) == URIRef("https://creativecommons.org/licenses/by/4.0/")


def test_what_is_said_of_the_dataset(entry: Entry, site: Site) -> None:
    data = graph(entry, site)
    assert set(data.objects(OWN, DCTERMS.title)) == {
        Literal("Satisfaction with public services (made-up example)", lang="en"),
        Literal("Satisfaction à l'égard des services publics (exemple inventé)", lang="fr"),
    }
    assert data.value(OWN, DCTERMS.identifier) == Literal(str(OWN))
    assert data.value(OWN, DCAT.version) == Literal("1.0.0")
    assert data.value(OWN, DCTERMS.modified) == Literal("2026-01-15", datatype=XSD.date)
    assert data.value(OWN, DCTERMS.issued) == Literal("2026-02-01", datatype=XSD.date)
    assert set(data.objects(OWN, DCTERMS.language)) == {URIRef(f"{EU}language/ENG"), URIRef(f"{EU}language/FRA")}
    assert data.value(OWN, DCTERMS.license) == URIRef("https://creativecommons.org/licenses/by/4.0/")
    assert data.value(URIRef(f"{OWN}#contact-1"), VCARD.hasEmail) == URIRef("mailto:citizen-data@example.org")
    period = URIRef(f"{OWN}#period-1")
    assert data.value(period, DCAT.startDate) == Literal("2024-01-01", datatype=XSD.date)
    assert data.value(period, DCAT.endDate) == Literal("2025-12-31", datatype=XSD.date)
    assert data.value(URIRef(f"{OWN}#place-1"), SKOS.prefLabel) == Literal("Exampleland (made up)", lang="en")
    assert set(data.objects(URIRef(f"{BASE}/#catalogue"), DCAT.dataset)) == {OWN}
    said = str(data.value(URIRef(f"{OWN}#provenance"), RDFS.label))
    for part in (
        "NSO-driven",
        "Y1",
        "¶24(a)",
        "Collecting: Partnership",
        "Explicit informed consent",
        "2026-02-01",
    ):
        assert part in said


def test_a_file_has_its_size_its_digest_and_its_address(entry: Entry, site: Site) -> None:
    data, example = graph(entry, site), Path(__file__).parents[2] / "examples/public-service-satisfaction/package"
    content = (example / "data" / "satisfaction.csv").read_bytes()
    file = URIRef(f"{OWN}#file-data/satisfaction.csv")
    assert data.value(file, DCAT.byteSize) == Literal(str(len(content)), datatype=XSD.nonNegativeInteger)
    digest = data.value(data.value(file, SPDX.checksum), SPDX.checksumValue)
    assert digest == Literal(hashlib.sha256(content).hexdigest(), datatype=XSD.hexBinary)
    assert data.value(file, DCAT.accessURL) == URIRef(f"{OWN}index.html")
    assert data.value(file, DCAT.downloadURL) == URIRef(f"{OWN}package/data/satisfaction.csv")
    assert data.value(file, DCAT.mediaType) == URIRef("https://www.iana.org/assignments/media-types/text/csv")
    assert data.value(file, DCTERMS["format"]) == URIRef(f"{EU}file-type/CSV")


@pytest.mark.parametrize(
    ("access", "embargo", "right", "downloads"),
    [
        ("OPEN", None, "PUBLIC", 2),
        ("OPEN", "2026-11-21", "PUBLIC", 2),
        ("OPEN", "2026-11-22", "RESTRICTED", 0),
        ("OPEN", "some day", "RESTRICTED", 0),
        ("OPEN", 2099, "RESTRICTED", 0),
        ("REGISTERED", None, "RESTRICTED", 0),
        ("ON_REQUEST", None, "RESTRICTED", 0),
        ("RESTRICTED", None, "RESTRICTED", 0),
        ("METADATA_ONLY", None, "NON_PUBLIC", 0),
        ("METADATA_ONLY", "2099-01-01", "NON_PUBLIC", 0),
        ("no such code", None, "NON_PUBLIC", 0),
    ],
)
def test_access_rights(
    access: str, embargo: object, right: str, downloads: int, make_entry: Any, site: Site
) -> None:
    def change(descriptor: dict[str, Any]) -> None:
        descriptor["citizenData"] |= {"accessRights": access} | ({"embargoUntil": embargo} if embargo else {})

    data = graph(make_entry(change, today=dt.date(2026, 11, 21)), site)
    assert set(data.objects(OWN, DCTERMS.accessRights)) == {URIRef(f"{EU}access-right/{right}")}
    assert len(set(data.objects(None, DCAT.downloadURL))) == downloads
    assert len(set(data.subject_objects(DCAT.accessURL))) == 2


def test_what_is_withheld_is_not_there(make_entry: Any, site: Site) -> None:
    def change(descriptor: dict[str, Any]) -> None:
        descriptor["contributors"][0]["title"] = "WITHHELD_SAFETY"
        answers = descriptor["citizenData"]
        answers["initiators"] = [
            {"name": "WITHHELD_SAFETY", "kind": "COMMUNITY"},
            {"name": "Other", "kind": "NSO"},
        ]
        answers |= {"geography": ["WITHHELD_SAFETY"], "referencePeriod": "WITHHELD_SAFETY"}

    entry = make_entry(change)
    written = rdf.serialise(dcat.catalogue((entry,), site), "turtle")
    data = graph(entry, site)
    assert b"WITHHELD" not in written
    assert [data.value(creator, FOAF.name) for creator in data.objects(OWN, DCTERMS.creator)] == [
        Literal("Other", lang="en")
    ]
    assert data.value(URIRef(f"{OWN}#publisher"), FOAF.name) == Literal("Withheld for safety", lang="en")
    assert not list(data.objects(OWN, DCTERMS.spatial))
    assert not list(data.objects(OWN, DCTERMS.temporal))


def test_addresses_stay_when_everything_else_changes(entry: Entry, make_entry: Any, site: Site) -> None:
    def change(descriptor: dict[str, Any]) -> None:
        descriptor |= {"version": "9.0.0", "title": "Other", "resources": descriptor["resources"][::-1]}

    nodes = (
        dcat.dataset_uri(entry, site.base),
        set(graph(entry, site).subjects(RDF.type, DCAT.Distribution)),
    )
    other = make_entry(change)
    assert nodes == (dcat.dataset_uri(other, BASE), set(graph(other, site).subjects(RDF.type, DCAT.Distribution)))


def test_the_file_of_one_dataset_holds_it_as_the_catalogue_does(entry: Entry, site: Site) -> None:
    alone = set(dcat.dataset(entry, site.base))
    assert alone < set(dcat.catalogue((entry,), site))
    assert conforms(Graph().parse(data=rdf.serialise(tuple(alone), "turtle"), format="turtle"))[0]
