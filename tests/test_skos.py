"""The profile as SKOS: rdflib reads it, every statement is the profile's, and the integrity conditions hold."""

import warnings
from collections import Counter
from pathlib import Path

import languages
import pytest
from rdflib import RDF, RDFS, SKOS, Graph, Literal, URIRef
from rdflib.compare import isomorphic
from rdflib.namespace import DCTERMS
from rdflib.term import Node

from cdmeta import mapping, profile
from cdmeta.formats import rdf, skos
from cdmeta.profile import Field

BASE = "https://w3id.org/cdmeta/citizen-data/1.0"
LOADED = profile.load()
SEMANTIC = (SKOS.broader, SKOS.narrower, SKOS.related)
MAPPINGS = (SKOS.exactMatch, SKOS.closeMatch, SKOS.broadMatch, SKOS.narrowMatch, SKOS.relatedMatch)


def parsed() -> Graph:
    return Graph().parse(data=rdf.serialise(skos.vocabulary(), "turtle", skos.USED), format="turtle")


GRAPH = parsed()
CONCEPTS = set(GRAPH.subjects(RDF.type, SKOS.Concept))
SCHEMES = set(GRAPH.subjects(RDF.type, SKOS.ConceptScheme))


def iri(entry: Field) -> URIRef:
    return URIRef(f"{BASE}/fields/{entry.path.replace('[]', '')}")


def texts(subject: URIRef, predicate: URIRef) -> dict[str | None, str]:
    return {
        value.language: str(value) for value in GRAPH.objects(subject, predicate) if isinstance(value, Literal)
    }


# --- what is there


def test_everything_of_the_profile_is_there_and_nothing_else() -> None:
    assert {str(scheme) for scheme in SCHEMES} == {
        f"{BASE}/fields",
        *(f"{BASE}/codelists/{name}" for name in LOADED.codelists),
    }
    codes = {f"{BASE}/codelists/{each.id}#{code}" for each in LOADED.codelists.values() for code in each.codes}
    fields = {str(iri(entry)) for entry in LOADED.fields.values()}
    assert len(fields) == len(LOADED.fields)
    assert {str(concept) for concept in CONCEPTS} == codes | fields


def test_json_ld_says_the_same() -> None:
    written = rdf.serialise(skos.vocabulary(), "json-ld")
    with warnings.catch_warnings():
        # rdflib warns of itself in its own JSON-LD parser.
        warnings.filterwarnings("ignore", "ConjunctiveGraph is deprecated", DeprecationWarning)
        read = Graph().parse(data=written, format="json-ld")
    assert isomorphic(read, GRAPH)


@pytest.mark.parametrize("entry", LOADED.fields.values(), ids=LOADED.fields)
def test_a_field_value_by_value(entry: Field) -> None:
    subject = iri(entry)
    assert texts(subject, SKOS.prefLabel) == profile.in_languages("fields", entry.path, "title").as_dict()
    assert texts(subject, SKOS.definition) == profile.in_languages("fields", entry.path, "description").as_dict()
    assert [str(value) for value in GRAPH.objects(subject, SKOS.notation)] == [entry.path]
    assert list(GRAPH.objects(subject, SKOS.inScheme)) == [URIRef(f"{BASE}/fields")]
    own = f"urn:sdmx:org.sdmx.infomodel.conceptscheme.Concept=CDMETA:CS_CITIZEN_DATA(1.0).{entry.concept}"
    found = {
        (str(predicate), str(target)) for predicate in MAPPINGS for target in GRAPH.objects(subject, predicate)
    }
    assert found == {
        (str(SKOS[f"{match.kind}Match"]), match.iri)
        for match in mapping.of_field(entry)
        if match.kind not in ("see", "none")
    } | ({(str(SKOS.exactMatch), own)} if entry.concept else set())
    assert {str(target) for target in GRAPH.objects(subject, RDFS.seeAlso)} == {
        match.iri for match in mapping.of_field(entry) if match.kind == "see"
    } | ({f"{BASE}/codelists/{entry.codelist}"} if entry.codelist else set())


@pytest.mark.parametrize("name", LOADED.codelists)
def test_a_code_list_value_by_value(name: str) -> None:
    codelist, scheme = LOADED.codelists[name], URIRef(f"{BASE}/codelists/{name}")
    assert texts(scheme, SKOS.prefLabel) == profile.in_languages("codelists", name, "name").as_dict()
    assert texts(scheme, DCTERMS.description) == profile.in_languages("codelists", name, "description").as_dict()
    for code in codelist.codes.values():
        subject = URIRef(f"{scheme}#{code.id}")
        assert texts(subject, SKOS.prefLabel) == profile.in_languages("codes", (name, code.id), "name").as_dict()
        assert [str(value) for value in GRAPH.objects(subject, SKOS.notation)] == [code.id]
        assert [str(value) for value in GRAPH.objects(subject, SKOS.broader)] == (
            [f"{scheme}#{code.parent}"] if code.parent else []
        )
        matches = {match.iri: match.kind for match in mapping.of_code(codelist, code) if match.iri}
        matches[f"urn:sdmx:org.sdmx.infomodel.codelist.Code=CDMETA:{name}(1.0).{code.id}"] = "exact"
        assert matches == {
            str(target): str(predicate).rsplit("#", 1)[1].removesuffix("Match")
            for predicate in MAPPINGS
            for target in GRAPH.objects(subject, predicate)
        }


def test_it_says_that_it_is_a_draft() -> None:
    for scheme in SCHEMES:
        assert texts(URIRef(str(scheme)), SKOS.editorialNote)["en"].startswith("Draft:")


def test_all_languages_are_kept(tmp_path: Path) -> None:
    """Two translations, one of them with holes: no hole is filled with English under a wrong tag."""
    languages.write(tmp_path / "es", "fields", {("title",): {"title": "Título"}})
    languages.write(tmp_path / "es", "codes", {("CL_ACCESS", "OPEN"): {"name": "Abierto"}})
    languages.write(tmp_path / "fr", "fields", {("title",): {"title": "Titre", "description": "Le nom."}})
    with languages.using(tmp_path):
        graph = parsed()
    title = URIRef(f"{BASE}/fields/title")
    assert set(graph.objects(title, SKOS.prefLabel)) == {
        Literal("Title", "en"),
        Literal("Título", "es"),
        Literal("Titre", "fr"),
    }
    assert {each.language for each in graph.objects(title, SKOS.definition)} == {"en", "fr"}  # type: ignore[attr-defined]
    opened = URIRef(f"{BASE}/codelists/CL_ACCESS#OPEN")
    assert {each.language for each in graph.objects(opened, SKOS.prefLabel)} == {"en", "es"}  # type: ignore[attr-defined]


# --- the integrity conditions of the SKOS Reference


def problems(graph: Graph) -> list[str]:
    """What violates an integrity condition, or would puzzle a browser of vocabularies, by number."""
    found: list[str] = []
    concepts = set(graph.subjects(RDF.type, SKOS.Concept))
    schemes = set(graph.subjects(RDF.type, SKOS.ConceptScheme))
    found += [f"S9 {each}" for each in concepts & schemes]
    for each in concepts | schemes:
        labels = Counter(
            value.language for value in graph.objects(each, SKOS.prefLabel) if isinstance(value, Literal)
        )
        found += [f"S14 {each} {language}" for language, count in labels.items() if count > 1]
        found += [f"no English label {each}"] * ("en" not in labels)
        kinds = [set(graph.objects(each, kind)) for kind in (SKOS.prefLabel, SKOS.altLabel, SKOS.hiddenLabel)]
        found += [f"S13 {each}"] * bool(kinds[0] & kinds[1] or kinds[0] & kinds[2] or kinds[1] & kinds[2])
    for each in concepts:
        above = set(graph.transitive_objects(each, SKOS.broader)) - {each}
        below = set(graph.transitive_objects(each, SKOS.narrower)) - {each}
        found += [f"S27 {each}"] * bool(set(graph.objects(each, SKOS.related)) & (above | below))
        found += [f"cycle {each}"] * any((parent, SKOS.broader, each) in graph for parent in above)
        found += [f"no place {each}"] * (not above and not set(graph.objects(each, SKOS.topConceptOf)))
        found += [f"top and below {each}"] * bool(above and set(graph.objects(each, SKOS.topConceptOf)))
        found += [f"not one scheme {each}"] * (len(set(graph.objects(each, SKOS.inScheme)) & schemes) != 1)
        found += [f"not one notation {each}"] * (len(set(graph.objects(each, SKOS.notation))) != 1)
        equal = same(graph, each)
        others = {
            target
            for one in equal
            for kind in (SKOS.broadMatch, SKOS.narrowMatch, SKOS.relatedMatch)
            for target in {*graph.objects(one, kind), *graph.subjects(kind, one)}
        }
        found += [f"S46 {each} {target}" for target in equal & others]
        found += [f"two of ours are equal {each}"] * (len(equal & concepts) > 1)
        targets = Counter(target for kind in MAPPINGS for target in graph.objects(each, kind))
        found += [f"matched twice {each} {target}" for target, count in targets.items() if count > 1]
    found += [f"S7 {s} {o}" for s, o in graph.subject_objects(SKOS.topConceptOf) if o not in schemes]
    found += [
        f"S8 {s} {o}"
        for s, o in graph.subject_objects(SKOS.topConceptOf)
        if (o, SKOS.hasTopConcept, s) not in graph
    ]
    found += [f"S25 {s} {o}" for s, o in graph.subject_objects(SKOS.broader) if (o, SKOS.narrower, s) not in graph]
    for predicate in SEMANTIC:
        found += [f"to nowhere {o}" for o in graph.objects(None, predicate) if o not in concepts]
    return found


def same(graph: Graph, start: Node) -> set[Node]:
    """All that exactMatch makes equal: it is symmetric and transitive (S44, S45)."""
    seen, todo = {start}, [start]
    while todo:
        here = todo.pop()
        step = {*graph.objects(here, SKOS.exactMatch), *graph.subjects(SKOS.exactMatch, here)}
        todo += step - seen
        seen |= step
    return seen


def test_the_integrity_conditions_hold() -> None:
    assert problems(GRAPH) == []


OPEN = URIRef(f"{BASE}/codelists/CL_ACCESS#OPEN")
SUB, STAGE = (
    URIRef(f"{BASE}/codelists/CL_VALUE_CHAIN_STAGE#S1A"),
    URIRef(f"{BASE}/codelists/CL_VALUE_CHAIN_STAGE#S1"),
)
PUBLIC = URIRef("http://publications.europa.eu/resource/authority/access-right/PUBLIC")
SDMX_OPEN = URIRef("urn:sdmx:org.sdmx.infomodel.codelist.Code=CDMETA:CL_ACCESS(1.0).OPEN")


@pytest.mark.parametrize(
    ("told", "triple"),
    [
        ("S9", (OPEN, RDF.type, SKOS.ConceptScheme)),
        ("S14", (OPEN, SKOS.prefLabel, Literal("Free", "en"))),
        ("S13", (OPEN, SKOS.altLabel, Literal(LOADED.codelists["CL_ACCESS"].codes["OPEN"].name, "en"))),
        ("S27", (SUB, SKOS.related, STAGE)),
        ("S46", (OPEN, SKOS.broadMatch, SDMX_OPEN)),
        ("matched twice", (OPEN, SKOS.broadMatch, PUBLIC)),
        ("two of ours", (URIRef(f"{BASE}/codelists/CL_ACCESS#RESTRICTED"), SKOS.exactMatch, SDMX_OPEN)),
        ("cycle", (STAGE, SKOS.broader, SUB)),
        ("top and below", (SUB, SKOS.topConceptOf, URIRef(f"{BASE}/codelists/CL_VALUE_CHAIN_STAGE"))),
        ("not one notation", (OPEN, SKOS.notation, Literal("X"))),
        ("to nowhere", (OPEN, SKOS.broader, PUBLIC)),
    ],
)
def test_each_condition_can_fail(told: str, triple: tuple[URIRef, URIRef, URIRef | Literal]) -> None:
    graph = Graph()
    graph += GRAPH
    graph.add(triple)
    assert any(problem.startswith(told) for problem in problems(graph))


def test_a_mapping_that_is_equal_by_two_steps_is_seen() -> None:
    """S46 holds over the closure: exact to a, which is exact to b, and broader than b."""
    graph = Graph()
    graph += GRAPH
    graph.add((SDMX_OPEN, SKOS.exactMatch, URIRef("urn:b")))
    graph.add((OPEN, SKOS.broadMatch, URIRef("urn:b")))
    assert [problem for problem in problems(graph) if problem.startswith("S46")]
