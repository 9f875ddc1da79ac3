"""A report of reference metadata against its metadata structure: places, occurrences, codes, types, languages."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence

from cdmeta.finding import Finding, Where
from cdmeta.sdmx import facets
from cdmeta.sdmx.artefacts import (
    MetadataAttribute,
    Metadataflow,
    MetadataSet,
    MetadataStructure,
    ReportedAttribute,
    Representation,
)
from cdmeta.tables.engine import Session, accepts, literal
from cdmeta.text import Text, is_language_tag

Codes = Callable[[Representation], frozenset[str] | None]
_TEXTS = ("String", "XHTML")
"""Types whose values may be in several languages."""


def check(
    session: Session,
    file: str,
    report: MetadataSet,
    structure: MetadataStructure,
    flow: Metadataflow | None,
    codes: Codes,
) -> tuple[Finding, ...]:
    """What is wrong with a report (`CD79x`), in its order.

    Args:
        session: any session; values are judged by the engine, as those of data are.
        file: name of the message.
        report: the report.
        structure: the metadata structure that it reports by.
        flow: the metadataflow that it names, if it is at hand.
        codes: the ids in the code list of a representation; None where it is not at hand, or not whole.
    """
    found = _Report(session, file, codes)
    return (*found.targets(report, flow), *found.level(report.attributes, structure.attributes, ""))


class _Report:
    """Tells what is wrong at each place of one report."""

    def __init__(self, session: Session, file: str, codes: Codes) -> None:
        self._session, self._file, self._codes = session, file, codes

    def targets(self, report: MetadataSet, flow: Metadataflow | None) -> Iterator[Finding]:
        """Targets that the metadataflow does not know (SDMX 3.0 Section 2, "Metadataflow")."""
        if flow is None:
            return
        for target in report.targets:
            if not any(_matches(target, allowed) for allowed in flow.targets):
                yield self._told("CD796", "", target=target)

    def level(
        self, reported: Sequence[ReportedAttribute], known: Iterable[MetadataAttribute], above: str
    ) -> Iterator[Finding]:
        """The attributes of one level, each against its definition; and those that are missing."""
        by_id = {entry.id: entry for entry in known}
        counts = Counter(entry.id for entry in reported)
        numbers: Counter[str] = Counter()
        for entry in reported:
            numbers[entry.id] += 1
            place = f"{above}/{entry.id}" + (f"[{numbers[entry.id]}]" if counts[entry.id] > 1 else "")
            if entry.id not in by_id:
                yield self._told("CD790", place, id=entry.id)
                continue
            yield from self._value(entry, by_id[entry.id], place)
            yield from self.level(entry.children, by_id[entry.id].children, place)
        for id_, definition in by_id.items():
            yield from self._occurs(counts[id_], definition, f"{above}/{id_}")

    def _occurs(self, count: int, definition: MetadataAttribute, place: str) -> Iterator[Finding]:
        if count < definition.min_occurs:
            yield self._told("CD791", place, id=definition.id, count=count, least=definition.min_occurs)
        elif definition.max_occurs is not None and count > definition.max_occurs:
            yield self._told("CD792", place, id=definition.id, count=count, most=definition.max_occurs)

    def _value(self, entry: ReportedAttribute, definition: MetadataAttribute, place: str) -> Iterator[Finding]:
        value, taken = entry.value, definition.representation
        if value is None or definition.presentational:
            if (value is None) != definition.presentational and (value is not None or not entry.children):
                yield self._told("CD797" if value is not None else "CD798", place, id=entry.id)
        elif taken.codelist is not None:
            yield from self._coded(value, taken, entry.id, place)
        elif isinstance(value, Text):
            yield from self._text(value, taken, entry.id, place)
        else:
            yield from self._typed(value, taken, entry.id, place)

    def _coded(self, value: Text | str, taken: Representation, id_: str, place: str) -> Iterator[Finding]:
        codes = self._codes(taken)
        if isinstance(value, Text):
            yield self._told("CD795", place, id=id_)
        elif codes is None:
            yield self._told("CD789", place, field=id_)
        elif value not in codes:
            yield self._told("CD793", place, id=id_)

    def _text(self, value: Text, taken: Representation, id_: str, place: str) -> Iterator[Finding]:
        if taken.text_type not in _TEXTS:
            yield self._told("CD795", place, id=id_)
            return
        languages = [language for language, _ in value]
        if len(set(languages)) < len(languages) or not all(map(is_language_tag, languages)):
            yield self._told("CD799", place, id=id_)
        for _, part in value:
            yield from self._typed(part, taken, id_, place)

    def _typed(self, value: str, taken: Representation, id_: str, place: str) -> Iterator[Finding]:
        if (read := facets.pattern(taken)) is not None and not accepts(self._session, read):
            yield self._told("CD789", place, field=id_)
        elif (wrong := facets.wrong(literal(value), taken)) is not None:
            ((is_wrong,),) = self._session.connection.execute(f"SELECT {wrong}").fetchall()  # literals
            if is_wrong:
                yield self._told("CD794", place, id=id_, type=taken.text_type)

    def _told(self, code: str, place: str, **params: object) -> Finding:
        where = Where(self._file, pointer=place or None)
        return Finding(code, where, {"file": self._file, "place": place} | params)


def _matches(target: str, allowed: str) -> bool:
    """Whether a URN is one that a target of a metadataflow means; `*` stands for any characters there."""
    form = ".*".join(re.escape(part) for part in allowed.split("*"))
    return re.fullmatch(form, target, re.DOTALL) is not None
