"""RDF of ours: statements as pyoxigraph's triples, and triples as Turtle and JSON-LD. The door to pyoxigraph."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Literal

from cdmeta.text import Text, is_language_tag

if TYPE_CHECKING:
    from pyoxigraph import Literal as RdfLiteral
    from pyoxigraph import NamedNode, Triple

Serialization = Literal["turtle", "json-ld"]

PREFIXES = {
    "dcat": "http://www.w3.org/ns/dcat#",
    "dct": "http://purl.org/dc/terms/",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "owl": "http://www.w3.org/2002/07/owl#",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "spdx": "http://spdx.org/rdf/terms#",
    "vcard": "http://www.w3.org/2006/vcard/ns#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}
"""What names in our code may begin with."""


def serialise(triples: Iterable[Triple], form: Serialization, prefixes: Mapping[str, str] = PREFIXES) -> bytes:
    """Triples as Turtle, or as expanded JSON-LD, which needs no context."""
    from pyoxigraph import RdfFormat, serialize

    formats = {"turtle": RdfFormat.TURTLE, "json-ld": RdfFormat.JSON_LD}
    written = io.BytesIO()
    serialize(triples, written, formats[form], prefixes=dict(prefixes))
    return written.getvalue()


def grouped(triples: Iterable[Triple]) -> tuple[Triple, ...]:
    """Each triple once, those of one subject together, so that Turtle names it once."""
    by_subject: dict[object, dict[Triple, None]] = {}
    for triple in triples:
        by_subject.setdefault(triple.subject, {})[triple] = None
    return tuple(triple for group in by_subject.values() for triple in group)


class Node:
    """A subject; its methods give the triples that say something of it."""

    def __init__(self, uri: str) -> None:
        from pyoxigraph import NamedNode

        self.uri, self.term = uri, NamedNode(uri)

    @classmethod
    def of(cls, uri: str) -> Node | None:
        """The node at an address that somebody typed; None where it is no address."""
        try:
            return cls(uri)
        except ValueError:
            return None

    def a(self, *classes: str) -> Iterator[Triple]:
        """It is of these classes."""
        for name in classes:
            yield self._triple("rdf:type", named(name))

    def link(self, predicate: str, node: Node) -> Iterator[Triple]:
        """It stands so to another node."""
        yield self._triple(predicate, node.term)

    def plain(self, predicate: str, value: str) -> Iterator[Triple]:
        """A literal without a language; none where it is empty."""
        from pyoxigraph import Literal as RdfLiteral

        if value:
            yield self._triple(predicate, RdfLiteral(value))

    def typed(self, predicate: str, value: str, datatype: str) -> Iterator[Triple]:
        """A literal of a datatype."""
        from pyoxigraph import Literal as RdfLiteral

        yield self._triple(predicate, RdfLiteral(value, datatype=named(datatype)))

    def date(self, predicate: str, day: dt.date) -> Iterator[Triple]:
        """A day."""
        yield from self.typed(predicate, day.isoformat(), "xsd:date")

    def texts(self, predicate: str, text: Text) -> Iterator[Triple]:
        """A literal a language; without a tag where the language is not known."""
        from pyoxigraph import Literal as RdfLiteral

        for tag, value in text:
            known = is_language_tag(tag) and tag != "und"
            yield self._triple(predicate, RdfLiteral(value, language=tag) if known else RdfLiteral(value))

    def _triple(self, predicate: str, value: NamedNode | RdfLiteral) -> Triple:
        from pyoxigraph import Triple

        return Triple(self.term, named(predicate), value)


def named(name: str) -> NamedNode:
    """The term of a name with a prefix, `dct:title`."""
    from pyoxigraph import NamedNode

    prefix, _, local = name.partition(":")
    return NamedNode(PREFIXES[prefix] + local)
