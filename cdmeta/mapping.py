"""How fields and codes stand to ids in other standards: the kind of match, and the address of what is matched.

`links` of fields and codes name ids (`ESMS:COLL_METHOD`, `dpv:Consent`). What such an id is an address of, and how
it matches if nobody decided otherwise, stands in `namespaces.csv`; what was decided of one of them, and why, in
`mappings.csv`, both of the profile's version. The kinds of match are those of SKOS (SKOS Reference, section 10);
`see` points to what is no concept, such as a property; `none` is for ids without an address.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Literal, cast

from cdmeta import profile
from cdmeta.profile import Code, Codelist, Field

Kind = Literal["exact", "close", "broad", "narrow", "related", "see", "none"]


@dataclass(frozen=True)
class Namespace:
    """Ids that begin alike.

    Attributes:
        prefix: how they begin in `links`; the longest one that fits counts.
        iri: what their address has in the place of the prefix; empty where they have none.
        match: how they match, where nothing else is decided.
        title: the standard, for people.
        source: where it is described.
    """

    prefix: str
    iri: str
    match: Kind
    title: str
    source: str


@dataclass(frozen=True)
class Match:
    """One id of another standard.

    Attributes:
        target: the id as `links` has it.
        kind: how it matches: `broad` is for a target that means more, `narrow` for one that means less.
        iri: its address; empty where it has none.
        why: why it was decided so; empty where it follows its namespace.
    """

    target: str
    kind: Kind
    iri: str
    why: str = ""


@cache
def namespaces() -> tuple[Namespace, ...]:
    """The namespaces that links may use, in the order of the file."""
    return tuple(
        Namespace(row["prefix"], row["iri"], cast(Kind, row["match"]), row["title"], row["source"])
        for row in profile.table("namespaces.csv")
    )


@cache
def decided() -> Mapping[tuple[str, str], tuple[Kind, str]]:
    """By subject (path of a field, or `CL_X.CODE`) and target: the kind of match, and why."""
    return MappingProxyType(
        {
            (row["subject"], row["target"]): (cast(Kind, row["match"]), row["why"])
            for row in profile.table("mappings.csv")
        }
    )


def namespace(link: str) -> Namespace | None:
    """The namespace of an id, by its longest prefix; None where it has none."""
    fitting = [each for each in namespaces() if link.startswith(each.prefix)]
    return max(fitting, key=lambda each: len(each.prefix), default=None)


def of_field(entry: Field) -> tuple[Match, ...]:
    """How a field matches the ids that it links, in their order."""
    return tuple(_match(entry.path, link) for link in entry.links)


def of_code(codelist: Codelist, code: Code) -> tuple[Match, ...]:
    """How a code matches the ids that it links, in their order."""
    return tuple(_match(f"{codelist.id}.{code.id}", link) for link in code.links)


def _match(subject: str, link: str) -> Match:
    space = namespace(link)
    kind: Kind = space.match if space else "none"
    iri = space.iri + link.removeprefix(space.prefix) if space and space.iri else ""
    kind, why = decided().get((subject, link), (kind, ""))
    return Match(link, kind, iri, why)
