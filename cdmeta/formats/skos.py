"""The profile as SKOS: a concept scheme for its fields and one for each code list, in all languages.

Addresses, for good: `…/1.0/fields` and `…/1.0/fields/citizenData.initiators.kind` (the path of the field without
`[]`), `…/1.0/codelists/CL_ACCESS` and `…/1.0/codelists/CL_ACCESS#OPEN`, below `https://w3id.org/cdmeta/citizen-data`.
They are named like the pages of `docs/profile/`. Each concept also matches, exactly, its twin among our SDMX
artefacts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from cdmeta import mapping, profile
from cdmeta.formats.rdf import PREFIXES, Node, grouped
from cdmeta.mapping import Match
from cdmeta.profile import AGENCY, VERSION, Code, Codelist, Field
from cdmeta.sdmx.profile_artefacts import CONCEPTS_ID
from cdmeta.text import Text
from cdmeta.urn import Ref

if TYPE_CHECKING:
    from pyoxigraph import Triple

BASE = profile.URL.rsplit("/", 1)[0]
"""Where the addresses of a version begin."""
USED: Mapping[str, str] = {name: PREFIXES[name] for name in ("dct", "owl", "rdf", "rdfs", "skos", "xsd")}
"""The prefixes that the Turtle uses."""

_MATCHES = {
    "exact": "skos:exactMatch",
    "close": "skos:closeMatch",
    "broad": "skos:broadMatch",
    "narrow": "skos:narrowMatch",
    "related": "skos:relatedMatch",
    "see": "rdfs:seeAlso",
}


def vocabulary() -> tuple[Triple, ...]:
    """All schemes and concepts, as triples, each once, in the order of the profile."""
    loaded = profile.load()
    below = (triple for codelist in loaded.codelists.values() for triple in _codelist(codelist))
    return grouped([*_fields(loaded.fields.values()), *below])


def field_iri(entry: Field) -> str:
    """The address of a field."""
    return f"{BASE}/fields/{slug(entry.path)}"


def codelist_iri(codelist: str) -> str:
    """The address of a code list."""
    return f"{BASE}/codelists/{codelist}"


def code_iri(codelist: str, code: str) -> str:
    """The address of a code."""
    return f"{codelist_iri(codelist)}#{code}"


def slug(path: str) -> str:
    """The path of a field as part of an address or the name of a file: without `[]`."""
    return path.replace("[]", "")


def _fields(fields: Iterable[Field]) -> Iterator[Triple]:
    scheme = Node(f"{BASE}/fields")
    title, description = (_text(key) for key in ("skos.fields", "skos.fields.description"))
    yield from _scheme(scheme, title, description)
    for entry in fields:
        node = Node(field_iri(entry))
        yield from _concept(node, scheme, entry.path, entry.source)
        yield from node.texts("skos:prefLabel", profile.in_languages("fields", entry.path, "title"))
        yield from node.texts("skos:definition", profile.in_languages("fields", entry.path, "description"))
        yield from node.texts("skos:scopeNote", profile.in_languages("fields", entry.path, "question"))
        yield from node.plain("skos:example", entry.example)
        yield from _place(node, scheme, field_iri(above) if (above := _container(entry)) else None)
        if entry.codelist:
            yield from node.link("rdfs:seeAlso", Node(codelist_iri(entry.codelist)))
        if entry.concept:
            twin = Ref("Concept", AGENCY, CONCEPTS_ID, VERSION, entry.concept)
            yield from node.link("skos:exactMatch", Node(twin.urn))
        yield from _matches(node, mapping.of_field(entry))


def _codelist(codelist: Codelist) -> Iterator[Triple]:
    scheme = Node(codelist_iri(codelist.id))
    names = (profile.in_languages("codelists", codelist.id, column) for column in ("name", "description"))
    yield from _scheme(scheme, *names)
    yield from scheme.plain("dct:identifier", codelist.id)
    yield from scheme.link("rdfs:seeAlso", Node(Ref("Codelist", AGENCY, codelist.id, VERSION).urn))
    for code in codelist.codes.values():
        yield from _code(codelist, code, scheme)


def _code(codelist: Codelist, code: Code, scheme: Node) -> Iterator[Triple]:
    node, key = Node(code_iri(codelist.id, code.id)), (codelist.id, code.id)
    yield from _concept(node, scheme, code.id, code.source)
    yield from node.texts("skos:prefLabel", profile.in_languages("codes", key, "name"))
    yield from node.texts("skos:definition", profile.in_languages("codes", key, "description"))
    yield from node.plain("skos:hiddenLabel", code.alias)
    yield from _place(node, scheme, code_iri(codelist.id, code.parent) if code.parent else None)
    yield from node.link("skos:exactMatch", Node(Ref("Code", AGENCY, codelist.id, VERSION, code.id).urn))
    yield from _matches(node, mapping.of_code(codelist, code))


def _scheme(node: Node, title: Text, description: Text) -> Iterator[Triple]:
    yield from node.a("skos:ConceptScheme")
    yield from node.texts("skos:prefLabel", title)
    yield from node.texts("dct:title", title)
    yield from node.texts("dct:description", description)
    yield from node.plain("owl:versionInfo", f"{VERSION} ({profile.STATUS})")
    yield from node.texts("skos:editorialNote", _text(f"profile.status.{profile.STATUS}"))
    yield from node.link("dct:isPartOf", Node(profile.URL))


def _concept(node: Node, scheme: Node, notation: str, source: str) -> Iterator[Triple]:
    yield from node.a("skos:Concept")
    yield from node.link("skos:inScheme", scheme)
    yield from node.plain("skos:notation", notation)
    yield from node.plain("dct:bibliographicCitation", source)


def _place(node: Node, scheme: Node, above: str | None) -> Iterator[Triple]:
    """Where it stands: below another concept, or at the top of the scheme; both ways."""
    if above is None:
        yield from node.link("skos:topConceptOf", scheme)
        yield from scheme.link("skos:hasTopConcept", node)
    else:
        yield from node.link("skos:broader", Node(above))
        yield from Node(above).link("skos:narrower", node)


def _container(entry: Field) -> Field | None:
    """The field that a field is a part of: `licenses` of `licenses[].name`."""
    return profile.load().fields.get(entry.path.rpartition(".")[0].removesuffix("[]"))


def _matches(node: Node, matches: Iterable[Match]) -> Iterator[Triple]:
    for match in matches:
        if match.iri:
            yield from node.link(_MATCHES[match.kind], Node(match.iri))


def _text(key: str) -> Text:
    return profile.in_languages("texts", key, "text")
