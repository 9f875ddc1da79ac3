"""What a package says, frozen and typed: the one value from which all writers work."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from cdmeta import components, profile
from cdmeta.codes import CodeTable
from cdmeta.columns import Table
from cdmeta.computed import computed
from cdmeta.finding import Finding, Where
from cdmeta.framework import Decision
from cdmeta.indicators import indicators
from cdmeta.package import DESCRIPTOR, Package, Resource
from cdmeta.period import time_range, to_date
from cdmeta.phrase import Phrase
from cdmeta.text import Text, is_missing
from cdmeta.urn import is_agency_id, to_concept_id

PUBLISHABLE_FORMS = ("AGGREGATE", "NON_PERSONAL")
"""Release forms whose rows become observations; from others only metadata are written,
and figures that are computed from them (`sdmx.indicators`)."""

_VERSION = re.compile(r"(0|[1-9][0-9]*)(\.(0|[1-9][0-9]*)){2}", re.ASCII)


@dataclass(frozen=True)
class Answer:
    """One answer to one field of the profile; a field that repeats has one Answer an occurrence.

    Attributes:
        field: the field.
        value: a Text, or the plain value as SDMX writes it (code, date, number, `true`); None for a container.
        children: answers to the fields below it.
    """

    field: profile.Field
    value: Text | str | None
    children: tuple[Answer, ...] = ()


@dataclass(frozen=True)
class Dataset:
    """What a package says.

    Attributes:
        name: machine name of the package.
        version: its own version, three parts.
        agency: SDMX agency that maintains its artefacts.
        language: of plain texts.
        title, description: for people.
        keywords: as given.
        homepage: address, or empty.
        modified: ISO date of the last change of the metadata, or empty.
        release_form: code of CL_RELEASE_FORM, or empty.
        access: code of CL_ACCESS, or empty.
        answers: all answers of the profile, in its order.
        tables: those resources whose rows become observations.
        resources: all resources.
        decision: the Framework's decision.
    """

    name: str
    version: str
    agency: str
    language: str
    title: Text
    description: Text
    keywords: tuple[str, ...]
    homepage: str
    modified: str
    release_form: str
    access: str
    answers: tuple[Answer, ...]
    tables: tuple[Table, ...]
    resources: tuple[Resource, ...]
    decision: Decision

    @property
    def artefact_version(self) -> str:
        """The version of its SDMX artefacts: the first two parts of the package's (domain rule on versions)."""
        return ".".join(self.version.split(".")[:2])

    @property
    def id(self) -> str:
        """The part of its SDMX ids that comes from its name."""
        return to_concept_id(self.name)

    def answer(self, path: str) -> tuple[Answer, ...]:
        """All answers to the field with a path, wherever they are nested."""
        return tuple(answer for answer in _walk(self.answers) if answer.field.path == path)

    def codes(self, path: str) -> tuple[str, ...]:
        """The plain values given to a field."""
        return tuple(answer.value for answer in self.answer(path) if isinstance(answer.value, str))


def to_dataset(package: Package, decision: Decision, code_table: CodeTable) -> tuple[Dataset, tuple[Finding, ...]]:
    """Read a Dataset from a package.

    Args:
        package: any package whose descriptor could be read; what is wrong in it is left out.
        decision: the Framework's decision on it.
        code_table: reads the rows of a resource that a foreign key refers to.

    Returns:
        The dataset, and findings (`CD7xx`) on what keeps it from being written as SDMX.
    """
    descriptor, language = package.expanded, package.language
    findings: list[Finding] = []
    agency = _agency(descriptor, findings)
    findings += _unnameable(descriptor)
    form = _string(package.answers.get("releaseForm"))
    tables = _tables(package, form, code_table, findings)
    keywords = descriptor.get("keywords")
    dataset = Dataset(
        _string(descriptor.get("name")),
        _string(descriptor.get("version")),
        agency,
        language,
        Text.at(descriptor, "title", language),
        Text.at(descriptor, "description", language),
        tuple(k for k in keywords if isinstance(k, str)) if isinstance(keywords, list) else (),
        _string(descriptor.get("homepage")),
        _string(package.answers.get("metadataUpdated")),
        form,
        _string(package.answers.get("accessRights")),
        read_answers(descriptor, language),
        tables,
        package.resources,
        decision,
    )
    return dataset, tuple(findings)


def _tables(package: Package, form: str, code_table: CodeTable, findings: list[Finding]) -> tuple[Table, ...]:
    """The tables that may be published: of figures all, those that are computed last; of records those alone."""
    declared = indicators(package, findings)
    made = tuple(computed(package, declared, code_table, findings))
    if form in PUBLISHABLE_FORMS:
        records = {table.source.name for table in declared}
        return (*components.tables(package, code_table, findings, records), *made)
    if not made:
        where = Where(DESCRIPTOR, "/citizenData/releaseForm")
        findings.append(Finding("CD709", where, {"form": form or "_U"}))
    return made


def read_answers(descriptor: Mapping[str, Any], language: str) -> tuple[Answer, ...]:
    """All answers that a descriptor, its short forms in full, gives to the profile's fields."""
    fields = [f for f in profile.load().fields.values() if f.tier != "tool"]
    answers: list[Answer] = []
    for entry in fields:
        if "[]" in entry.path:
            continue
        value = _at(descriptor, entry.path)
        below = [f for f in fields if f.path.startswith(f"{entry.path}[].")]
        if below:
            answers += _elements(entry, below, value, language)
        elif entry.concept:
            answers += [
                Answer(entry, v) for v in _values(entry, _translated(descriptor, entry, language), language)
            ]
    return _nested(answers)


def _nested(answers: list[Answer]) -> tuple[Answer, ...]:
    """Answers whose field has a parent concept move below the first answer to that concept.

    A parent that nobody answered is put in without a value, so that the nesting is always the profile's.
    """
    holders: dict[str, profile.Field] = {}
    for entry in profile.load().fields.values():
        if entry.concept:
            holders.setdefault(entry.concept, entry)
    children: dict[str, list[Answer]] = {}
    order: list[Answer] = []
    present = {answer.field.concept for answer in answers}
    for answer in answers:
        parent = answer.field.parent
        if not parent or parent not in holders:
            order.append(answer)
            continue
        children.setdefault(parent, []).append(answer)
        while parent and parent not in present:
            present.add(parent)
            holder = Answer(holders[parent], None)
            parent = holder.field.parent
            (children.setdefault(parent, []) if parent in holders else order).append(holder)

    def filled(answer: Answer) -> Answer:
        below = tuple(filled(child) for child in children.pop(answer.field.concept, ()))
        return Answer(answer.field, answer.value, answer.children + below)

    return tuple(filled(answer) for answer in order)


def _elements(entry: profile.Field, below: list[profile.Field], value: Any, language: str) -> Iterator[Answer]:
    """The answers in a list of objects: each element is headed by its container, or by its parentless field."""
    for element in value if isinstance(value, list) else [value]:
        if not isinstance(element, Mapping) or is_missing(element):
            continue
        found = [
            Answer(f, v)
            for f in below
            if f.concept
            for v in _values(f, element.get(f.path.rsplit("[].", 1)[1]), language)
        ]
        if entry.concept:
            yield Answer(entry, None, tuple(found))
            continue
        heads = [answer for answer in found if not answer.field.parent]
        rest = tuple(answer for answer in found if answer.field.parent)
        head = next((f for f in below if f.concept and not f.parent), None)
        if heads:
            yield Answer(heads[0].field, heads[0].value, rest)
            yield from heads[1:]
        elif head and rest:
            yield Answer(head, None, rest)


def _told(value: Any) -> Any:
    """A text without the languages in which it only holds a place."""
    return (
        {tag: part for tag, part in value.items() if not is_missing(part)} if isinstance(value, Mapping) else value
    )


def _values(entry: profile.Field, value: Any, language: str) -> Iterator[Text | str]:
    for part in value if isinstance(value, list) else [value]:
        if is_missing(part):
            continue
        if entry.type == "period":
            yield from _period(part)
        elif entry.type == "text":
            if text := Text.of(_told(part), language):
                yield text
        elif isinstance(part, bool):
            yield "true" if part else "false"
        elif isinstance(part, (int, float)):
            yield format(Decimal(str(part)), "f")  # SDMX's Decimal has no exponent
        elif isinstance(part, str):
            yield part


def _translated(descriptor: Mapping[str, Any], entry: profile.Field, language: str) -> Any:
    """The value of a field; of a text, with the translations that stand beside it."""
    above, _, key = entry.path.rpartition(".")
    holder = _at(descriptor, above) if above else descriptor
    if entry.type == "text" and isinstance(holder, Mapping):
        return Text.at(holder, key, language).as_dict()
    return _at(descriptor, entry.path)


def _period(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        start, end = to_date(value.get("start")), to_date(value.get("end"))
        if start and end and start <= end:
            yield time_range(start, end)


def _unnameable(descriptor: Mapping[str, Any]) -> Iterator[Finding]:
    """What keeps artefacts from having an id and a version."""
    for name, good in (
        ("name", bool(to_concept_id(_string(descriptor.get("name"))))),
        ("version", bool(_VERSION.fullmatch(_string(descriptor.get("version"))))),
    ):
        if not good:
            yield Finding("CD715", Where(DESCRIPTOR, f"/{name}"), {"what": Phrase(f"dataset.{name}")})


def _agency(descriptor: Mapping[str, Any], findings: list[Finding]) -> str:
    sdmx = descriptor.get("sdmx")
    agency = sdmx.get("agency") if isinstance(sdmx, Mapping) else None
    if not is_agency_id(agency):
        findings.append(Finding("CD701", Where(DESCRIPTOR, "/sdmx/agency"), {}))
        return ""
    return str(agency)


def _at(descriptor: Mapping[str, Any], path: str) -> Any:
    value: Any = descriptor
    for part in path.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def _walk(answers: Iterable[Answer]) -> Iterator[Answer]:
    for answer in answers:
        yield answer
        yield from _walk(answer.children)


def _string(value: Any) -> str:
    return value if isinstance(value, str) else ""
