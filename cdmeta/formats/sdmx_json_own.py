"""What SDMX-JSON data messages say of the structure of their own data, as artefacts.

A message lists the components, their names and the values that occur (SDMX-JSON 1.0, 2.0 and 2.1, "structures" of
the data message); types and code lists are known only as far as it says. What it does not name an agency for has
none: the id of the agency is empty then.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, BinaryIO

from cdmeta.formats.sdmx_json_data_read import LEVELS, described, linked
from cdmeta.formats.sdmx_json_read import notes, objects, reading_of, representation, strings, texts
from cdmeta.sdmx.artefacts import (
    Attachment,
    Attribute,
    Code,
    Codelist,
    Concept,
    ConceptScheme,
    Dataflow,
    DataStructure,
    Dimension,
    Measure,
    Representation,
    Structure,
)
from cdmeta.text import Text, is_language_tag
from cdmeta.urn import Ref

_TIMES = ("TIME_PERIOD", "time")
"""Roles of the time dimension."""
_FLOW = re.compile(r".*/dataflow/(?P<agency>[A-Za-z0-9_.-]+)/(?P<id>[A-Za-z0-9_@$-]+)(/(?P<version>[0-9.]+))?")
_LISTS = ("Codelist", "ValueList")

_Object = Mapping[str, Any]


def structures(messages: Iterable[BinaryIO]) -> tuple[Structure, ...]:
    """The data structures, dataflows, code lists and concepts of which messages of data tell.

    What several messages tell of the same one is put together.

    Raises:
        ConversionError: one is no JSON or no such message.
    """
    told = _Told()
    for message in messages:
        header, entries = described(message)
        language = _language(header)
        for entry in entries:
            reading_of("DataStructure", entry, partial(told.add, entry, language))
    return told.artefacts()


def _language(header: _Object) -> str:
    """The language of names that have none: the only one of the message, or else English."""
    found = header.get("contentLanguages")
    only = found[0] if isinstance(found, list) and len(found) == 1 else None
    return only if isinstance(only, str) and is_language_tag(only) else "en"


class _Told:
    """What was told so far."""

    def __init__(self) -> None:
        self._structures: dict[Ref, DataStructure] = {}
        self._flows: dict[Ref, Dataflow] = {}
        self._lists: dict[Ref, dict[str, Code]] = {}
        self._concepts: dict[Ref, dict[str, Concept]] = {}

    def artefacts(self) -> tuple[Structure, ...]:
        """All of it."""
        lists = (
            Codelist(ref.agency, ref.id, ref.version, Text(), codes=tuple(codes.values()), is_partial=True)
            for ref, codes in self._lists.items()
        )
        schemes = (
            ConceptScheme(ref.agency, ref.id, ref.version, Text(), concepts=tuple(concepts.values()))
            for ref, concepts in self._concepts.items()
        )
        return (*lists, *schemes, *self._structures.values(), *self._flows.values())

    def add(self, entry: _Object, language: str) -> None:
        """Take the structure of a message."""
        refs = linked(entry)
        flow = refs.get("Dataflow") or _flow(entry)
        at = refs.get("DataStructure") or Ref("DataStructure", "", flow.id if flow is not None else "DATA")
        of = _Entry(self, at, language)
        found = DataStructure(
            at.agency,
            at.id,
            at.version,
            texts(entry, language=language),
            annotations=notes(entry),
            dimensions=tuple(of.dimensions(entry)),
            measures=tuple(of.measures(entry)),
            attributes=tuple(of.attributes(entry)),
        )
        self._structures[at] = _both(self._structures.get(at), found)
        if flow is not None:
            names = (texts(entry, language=language), texts(entry, "description", language))
            self._flows[flow] = Dataflow(
                flow.agency, flow.id, flow.version, names[0], description=names[1], structure=at
            )

    def concept(self, ref: Ref, concept: Concept) -> None:
        """Take a concept."""
        scheme = Ref("ConceptScheme", ref.agency, ref.id, ref.version)
        self._concepts.setdefault(scheme, {}).setdefault(concept.id, concept)

    def codes(self, ref: Ref, codes: Iterable[Code]) -> None:
        """Take codes of a list."""
        known = self._lists.setdefault(ref, {})
        for code in codes:
            known.setdefault(code.id, code)


class _Entry:
    """Reads one structure, its concepts and codes."""

    def __init__(self, told: _Told, at: Ref, language: str) -> None:
        self._told, self._at, self._language = told, at, language

    def dimensions(self, entry: _Object) -> Iterator[Dimension]:
        """The dimensions in the order of their key, time last."""
        found = [part for level in LEVELS for part in _components(entry, "dimensions", level)]
        found.sort(key=_place)
        times = [part for part in found if _is_time(part)][:1]
        for number, part in enumerate([*(part for part in found if part not in times), *times], start=1):
            time = Representation(text_type="ObservationalTimePeriod") if part in times else None
            yield Dimension(part["id"], self._concept(part), time or self._values(part), number, time is not None)

    def measures(self, entry: _Object) -> Iterator[Measure]:
        """The measures; a message of SDMX-JSON 1.0 has one, and does not list it."""
        for part in _components(entry, "measures", "observation") or [{"id": "OBS_VALUE"}]:
            yield Measure(part["id"], self._concept(part), self._values(part), part.get("isMandatory") is True)

    def attributes(self, entry: _Object) -> Iterator[Attribute]:
        """The attributes, with what they belong to by their relationship, or else by where they stand."""
        series = tuple(part["id"] for level in LEVELS[:2] for part in _components(entry, "dimensions", level))
        levels: Mapping[str, Attachment] = {"dataSet": "dataflow", "series": series, "observation": "observation"}
        for level in ("dataSet", "dimensionGroup", "series", "observation"):
            for part in _components(entry, "attributes", level):
                attachment = _related(part) or levels.get(level, "observation")
                mandatory = part.get("isMandatory") is True
                yield Attribute(part["id"], self._concept(part), self._values(part), attachment, mandatory)

    def _concept(self, part: _Object) -> Ref:
        own = Ref("Concept", "", f"CS_{self._at.id}", self._at.version, part["id"])
        ref = linked(part).get("Concept") or own
        names = (texts(part, language=self._language), texts(part, "description", self._language))
        self._told.concept(ref, Concept(ref.item or part["id"], *names))
        return ref

    def _values(self, part: _Object) -> Representation:
        """A code list of the values that are listed with ids and names; else the type that is told."""
        given = part.get("format")
        form = given if isinstance(given, Mapping) else {}
        told = representation({"format": form, "maxOccurs": form.get("maxOccurs")})
        codes = [self._code(value) for value in objects(part, "values")] if _have_ids(part) else []
        # Values that are listed without names are no codes, as far as the message says.
        if all(text == code.id for code in codes for _, text in code.name):
            return told
        refs = linked(part)
        own = Ref("Codelist", "", f"CL_{self._at.id}_{part['id']}")
        ref = next((refs[kind] for kind in _LISTS if kind in refs), own)
        self._told.codes(ref, codes)
        return replace(Representation(ref), max_occurs=told.max_occurs)

    def _code(self, value: _Object) -> Code:
        parent = value.get("parent")
        names = (texts(value, language=self._language), texts(value, "description", self._language))
        return Code(value["id"], *names, parent if isinstance(parent, str) else None)


def _components(entry: _Object, kind: str, level: str) -> list[_Object]:
    held = entry.get(kind)
    found = objects(held, level) if isinstance(held, Mapping) else []
    return [part for part in found if isinstance(part.get("id"), str) and part["id"]]


def _place(part: _Object) -> int:
    place = part.get("keyPosition")
    return place if isinstance(place, int) else 1 << 20


def _is_time(part: _Object) -> bool:
    roles = [*strings(part, "roles"), part.get("role")]
    return part["id"] == _TIMES[0] or any(role in _TIMES for role in roles)


def _have_ids(part: _Object) -> bool:
    """Tell whether all values have ids; a text of an attribute has a name alone."""
    values = part.get("values")
    return isinstance(values, list) and all(
        isinstance(value, Mapping) and isinstance(value.get("id"), str) and value["id"] for value in values
    )


def _related(part: _Object) -> Attachment | None:
    given = part.get("relationship")
    if not isinstance(given, Mapping):
        return None
    if dimensions := strings(given, "dimensions"):
        return dimensions
    if given.keys() & {"none", "dataflow"}:
        return "dataflow"
    return "observation" if given.keys() & {"observation", "primaryMeasure"} else None


def _flow(entry: _Object) -> Ref | None:
    """The dataflow by the address of a link, where none has its URN (SDMX-JSON 1.0)."""
    for link in objects(entry, "links"):
        found = _FLOW.fullmatch(href) if isinstance(href := link.get("href"), str) else None
        if found is not None:
            return Ref("Dataflow", found["agency"], found["id"], found["version"] or "1.0")
    return None


def _both(one: DataStructure | None, other: DataStructure) -> DataStructure:
    """Two tellings of a structure: the components of both."""
    if one is None:
        return other
    known = {part.id for part in one.components}
    return replace(
        one,
        measures=(*one.measures, *(part for part in other.measures if part.id not in known)),
        attributes=(*one.attributes, *(part for part in other.attributes if part.id not in known)),
    )
