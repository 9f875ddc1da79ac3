"""Dataset → a report by somebody else's metadata structure: that of the SDG indicators, or ESMS.

Which answers fill which attribute is a table, `profiles/reports/<id>.csv`; what nobody answered is told as
missing, never made up. The structures belong to others: they are referred to, and not written.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from cdmeta import profile
from cdmeta.dataset import Answer, Dataset
from cdmeta.period import bounds, to_date
from cdmeta.sdmx.artefacts import (
    Metadataflow,
    ReportedAttribute,
)
from cdmeta.sdmx.metadata import MetadataReport, by_metadataflow
from cdmeta.sdmx.own import FREQUENCIES
from cdmeta.sdmx.profile_artefacts import TARGETS
from cdmeta.sdmx.structures import Structures, standard_codelists
from cdmeta.text import Text
from cdmeta.urn import Ref

HEADING = "heading"
_DAY = "GregorianDay"


@dataclass(frozen=True)
class Slot:
    """One metadata attribute of somebody else's structure, and what fills it.

    Attributes:
        id, parent: its id, and that of the attribute above it or empty.
        name: its name in that structure.
        type: `heading` for an attribute without a value, `GregorianDay`, or empty for text.
        answers: paths of the fields whose answers fill it, in order; of alternatives the first that is answered.
        take: how many parts of a dotted number are taken (`16.6.2` → `16`, `16.6`); None for all.
    """

    id: str
    parent: str
    name: str
    type: str
    answers: tuple[tuple[str, ...], ...]
    take: int | None

    @property
    def paths(self) -> tuple[str, ...]:
        """All fields that could fill it."""
        return tuple(path for alternatives in self.answers for path in alternatives)


@dataclass(frozen=True)
class Template:
    """Somebody else's metadata structure.

    Attributes:
        id: `SDG_MSD` or `ESMS_MSD`.
        structure: the structure that the report refers to.
        name: of the report, for people.
        source: where its attributes were read.
        slots: its attributes, in its order, each after its parent.
    """

    id: str
    structure: Ref
    name: str
    source: str
    slots: tuple[Slot, ...]


@dataclass(frozen=True)
class ForeignReport:
    """A report by somebody else's structure.

    Attributes:
        template: the structure.
        metadataflow: ours, which makes the structure usable in a report.
        report: the report, with who reports.
        missing: attributes that no answer fills.
    """

    template: Template
    metadataflow: Metadataflow
    report: MetadataReport
    missing: tuple[Slot, ...]

    @property
    def filled(self) -> int:
        """How many attributes have a value."""
        return sum(1 for slot in self.template.slots if slot.type != HEADING) - len(self.missing)


@cache
def templates() -> Mapping[str, Template]:
    """The structures that reports can be made by, by id."""
    return {row["id"]: _template(row) for row in _rows("structures")}


def foreign_report(template: Template, dataset: Dataset, structures: Structures) -> ForeignReport:
    """Fill a structure with what a dataset says.

    A text is given in each language in which all that it is made of is told.
    """
    values = {slot.id: _value(slot, dataset) for slot in template.slots if slot.type != HEADING}
    flow = Metadataflow(
        profile.AGENCY,
        f"MDF_{template.id}",
        "1.0",
        Text.of(template.name, "en"),
        structure=template.structure,
        targets=TARGETS,
    )
    report = by_metadataflow(dataset, structures, flow.ref, tuple(_tree(template, values)), suffix=template.id)
    missing = tuple(slot for slot in template.slots if slot.id in values and values[slot.id] is None)
    return ForeignReport(template, flow, report, missing)


def _template(row: Mapping[str, str]) -> Template:
    structure = Ref("MetadataStructure", row["agency"], row["id"], row["version"])
    return Template(row["id"], structure, row["name"], row["source"], tuple(map(_slot, _rows(row["id"]))))


def _slot(row: Mapping[str, str]) -> Slot:
    answers = tuple(tuple(group.split("|")) for group in row["answers"].split())
    take = int(row["take"]) if row["take"] else None
    return Slot(row["id"], row["parent"], row["name"], row["type"], answers, take)


def _rows(name: str) -> list[dict[str, str]]:
    text = files("cdmeta.profiles").joinpath("reports", f"{name}.csv").read_text(encoding="utf-8")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def _tree(
    template: Template, values: Mapping[str, Text | str | None], parent: str = ""
) -> Iterator[ReportedAttribute]:
    """What has a value, below headings that hold something."""
    for slot in template.slots:
        if slot.parent != parent:
            continue
        children, value = tuple(_tree(template, values, slot.id)), values.get(slot.id)
        if children or value is not None:
            yield ReportedAttribute(slot.id, value, children)


def _value(slot: Slot, dataset: Dataset) -> Text | str | None:
    by_path = _by_path(dataset)
    found = [next((by_path[path] for path in group if path in by_path), []) for group in slot.answers]
    groups = [group for group in found if group]
    if slot.type == _DAY:
        days = [answer.value for group in groups for answer in group if to_date(answer.value)]
        return str(days[0]) if days else None
    told = ((tag, _told(slot, groups, tag)) for tag in _languages(groups, dataset))
    entries = tuple((tag, words) for tag, words in told if words)
    return Text(entries) if entries else None


def _by_path(dataset: Dataset) -> dict[str, list[Answer]]:
    """All answers by path; the Framework's outcome stands among them."""
    found: dict[str, list[Answer]] = {}
    status = Answer(profile.load().fields["citizenDataStatus"], dataset.decision.outcome)
    for answer in _walk((*dataset.answers, status)):
        if answer.value is not None:
            found.setdefault(answer.field.path, []).append(answer)
    return found


def _walk(answers: Iterable[Answer]) -> Iterator[Answer]:
    for answer in answers:
        yield answer
        yield from _walk(answer.children)


def _languages(groups: Sequence[Sequence[Answer]], dataset: Dataset) -> tuple[str, ...]:
    """The language of the description, and each other in which all texts of these answers are told."""
    texts = [answer.value for group in groups for answer in group if isinstance(answer.value, Text)]
    all_told = {tag: None for text in texts for tag in text.languages}
    others = (tag for tag in all_told if all(tag in text.languages for text in texts))
    return tuple(dict.fromkeys((dataset.language, *others)))


def _told(slot: Slot, groups: Sequence[Sequence[Answer]], language: str) -> str:
    """The answers in words; each field's under its name where several fill the attribute."""
    parts = []
    for group in groups:
        words = dict.fromkeys(_words(answer, language, slot.take) for answer in group)
        title = profile.load(language).fields[group[0].field.path].title
        parts.append(f"{title}: {'; '.join(words)}" if len(slot.answers) > 1 else "; ".join(words))
    return "\n".join(parts)


def _words(answer: Answer, language: str, take: int | None) -> str:
    kinds = [_plain(child, language) for child in answer.children if child.field.codelist and child.value]
    words = _plain(answer, language)
    if take is not None:
        words = ".".join(words.split(".")[:take])
    return f"{words} ({', '.join(kinds)})" if kinds else words


def _plain(answer: Answer, language: str) -> str:
    texts, value = profile.texts(language), answer.value
    if isinstance(value, Text):
        value = value.best(language)
    if value is None or value == profile.WITHHELD:
        return texts["site.withheld"]
    if days := bounds(value):
        return texts["site.range"].format(start=days[0].isoformat(), end=days[1].isoformat())
    if answer.field.type == "boolean":
        return texts["site.yes" if value == "true" else "site.no"]
    if answer.field.type == "percent":
        return f"{value} %"
    return _code(answer.field, value, language)


def _code(field: profile.Field, value: str, language: str) -> str:
    if field.concept == "FREQ_COLL":
        names = {code.id: code.name.best("en") for code in standard_codelists()[FREQUENCIES].codes}
        return names.get(value, value)
    codelist = profile.load(language).codelists.get(field.codelist)
    return codelist.codes[value].name if codelist and value in codelist.codes else value
