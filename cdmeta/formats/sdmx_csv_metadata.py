"""Reference metadata as SDMX-CSV 2.0: the metadata message, and the data message that .Stat takes them in.

Grammar of the metadata message: SDMX-CSV field guide for metadata messages, version 2.0. Where it is silent, we do
this, so that what was written can be told from the header and the cells alone:

- values of an attribute that repeats below an attribute that repeats (`CONTACT[].PHONE[]`) are listed per parent,
  each list between quotation marks where it needs them; a parent without a value has an empty place;
- a plain value in a column of texts in languages stands between quotation marks, and has no language before it;
- a language is the whole tag (`pt-BR`), where the guide speaks of two letters;
- the days that a report covers are the custom columns `reportingBegin` and `reportingEnd`, which the guide names.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from cdmeta.errors import ConversionError
from cdmeta.formats.sdmx_csv import SEPARATOR
from cdmeta.phrase import Phrase
from cdmeta.sdmx.artefacts import (
    Dataflow,
    DataStructure,
    MetadataAttribute,
    MetadataSet,
    MetadataStructure,
    ReportedAttribute,
    Representation,
)
from cdmeta.text import Text

_TARGET = re.compile(r"urn:sdmx:org\.sdmx\.infomodel\.[a-z]+\.(?P<kind>[A-Za-z]+)=(?P<id>.+)")
_FIXED = (f"MDSTRUCTURE[{SEPARATOR}]", "MDSTRUCTURE_ID", "METADATASET_ID", "ACTION", "TARGET_TYPES", "TARGET_IDS")


def metadata(sets: Sequence[MetadataSet], action: str = "I") -> bytes:
    """A metadata message: a row for each report, a column for each attribute that has a value in one of them.

    Names and descriptions of the reports are not in it.

    Args:
        sets: the reports.
        action: `I` for information, `A` to append, `R` to replace, `D` to delete.
    """
    columns: dict[str, _Column] = {}
    for report in sets:
        _collect(columns, report.attributes)
    flat = list(_flat(columns))
    days = [name for name, there in _days(sets) if there]
    rows = [[*_FIXED, *(header for header, *_ in flat), *days]]
    for report in sets:
        targets = [_target(urn) for urn in report.targets]
        told = {"reportingBegin": report.reporting_begin, "reportingEnd": report.reporting_end}
        rows.append(
            [
                "metadataflow",
                report.metadataflow.urn.partition("=")[2],
                report.urn.partition("=")[2],
                action,
                SEPARATOR.join(kind for kind, _ in targets),
                SEPARATOR.join(name for _, name in targets),
                *(_cell(report.attributes, ids, way) for _, ids, way in flat),
                *(str(told[day] or "") for day in days),
            ]
        )
    return _table(rows)


def _days(sets: Iterable[MetadataSet]) -> tuple[tuple[str, bool], ...]:
    reports = tuple(sets)
    return (
        ("reportingBegin", any(report.reporting_begin for report in reports)),
        ("reportingEnd", any(report.reporting_end for report in reports)),
    )


def _target(urn: str) -> tuple[str, str]:
    """The kind of a target, as queries name it, and its identification."""
    match = _TARGET.fullmatch(urn)
    return (match["kind"].lower(), match["id"]) if match else ("", urn)


@dataclass
class _Column:
    """What is known of an attribute once all reports were looked at."""

    repeats: bool = False
    has_value: bool = False
    languages: dict[str, None] = field(default_factory=dict)
    children: dict[str, _Column] = field(default_factory=dict)


def _collect(columns: dict[str, _Column], attributes: Sequence[ReportedAttribute]) -> None:
    """Note the attributes that stand below one parent."""
    seen: set[str] = set()
    for attribute in attributes:
        column = columns.setdefault(attribute.id, _Column())
        column.repeats |= attribute.id in seen
        seen.add(attribute.id)
        column.has_value |= attribute.value is not None
        if isinstance(attribute.value, Text):
            column.languages |= dict.fromkeys(attribute.value.languages)
        _collect(column.children, attribute.children)


_Way = tuple[_Column, ...]


def _flat(
    columns: Mapping[str, _Column], ids: tuple[str, ...] = (), way: _Way = (), before: str = ""
) -> Iterable[tuple[str, tuple[str, ...], _Way]]:
    """Header, path of ids and columns on it of each attribute with values, parents first."""
    for name, column in columns.items():
        header = f"{before}{name}{'[]' if column.repeats else ''}"
        if column.has_value:
            languages = f"[{SEPARATOR.join(column.languages)}]" if column.languages else ""
            yield header + languages, (*ids, name), (*way, column)
        yield from _flat(column.children, (*ids, name), (*way, column), f"{header}.")


def _cell(attributes: Sequence[ReportedAttribute], ids: tuple[str, ...], way: _Way) -> str:
    """All values of the attribute at a path, below one parent."""
    column, in_languages = way[0], len(ids) == 1 and bool(way[0].languages)
    cells = [
        _cell(attribute.children, ids[1:], way[1:]) if ids[1:] else _value(attribute, in_languages)
        for attribute in attributes
        if attribute.id == ids[0]
    ]
    if not column.repeats or not any(cells):
        return "".join(cells)
    return SEPARATOR.join(_quoted(cell, always=in_languages and bool(cell)) for cell in cells)


def _value(attribute: ReportedAttribute, in_languages: bool) -> str:
    value = attribute.value
    if isinstance(value, Text):
        parts = (f"{tag}:{_quoted(part, always=attribute.structured)}" for tag, part in value)
        return SEPARATOR.join(parts)
    return _quoted(value, always=True) if in_languages and value is not None else value or ""


def _quoted(value: str, *, always: bool = False) -> str:
    if always or any(sign in value for sign in (SEPARATOR, '"', "\n", "\r")):
        return '"' + value.replace('"', '""') + '"'
    return value


def _table(rows: Iterable[Sequence[str]]) -> bytes:
    stream = io.StringIO(newline="")
    csv.writer(stream).writerows(rows)  # lines end as RFC 4180 says
    text = stream.getvalue()
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        before = text[max(0, error.start - 40) : error.start].split("\n")[-1].strip()
        code = f"{ord(text[error.start]):04X}"
        raise ConversionError(Phrase("error.surrogate", {"code": code, "before": before})) from error


def dotstat(
    reports: Sequence[MetadataSet],
    dataflow: Dataflow,
    structure: DataStructure,
    language: str,
    key: Mapping[str, str] | None = None,
    action: str = "I",
) -> bytes:
    """Reports on a dataflow as a data message of SDMX-CSV 2.0, which is how .Stat takes reference metadata.

    All dimensions are columns, empty where the report is on all of them. .Stat takes one text for an attribute:
    the one in a language, or in another where there is none in that, and texts of an attribute that repeats one
    below the other (`flattened` makes the metadata structure that allows for it).

    Args:
        reports: those by the metadata structure that the data structure is linked to.
        dataflow: what they are on; .Stat wants a file for each dataflow.
        structure: its data structure.
        language: BCP 47.
        key: the part of the data that they are on, by dimension; None for all.
        action: as in `metadata`.

    Raises:
        ConversionError: an attribute has the id of a dimension; or a text holds half a character.
    """
    key = key or {}
    cells: dict[str, list[str]] = {}
    for report in reports:
        _gather(cells, report.attributes, language)
    dimensions = [dimension.id for dimension in sorted(structure.dimensions, key=lambda part: part.position)]
    if same := [dimension for dimension in dimensions if dimension in cells]:
        raise ConversionError(Phrase("error.dotstat.same", {"names": ", ".join(same), "id": structure.urn}))
    name = dataflow.urn.partition("=")[2]
    start = ["dataflow", name, action, *(key.get(dimension, "") for dimension in dimensions)]
    return _table(
        [
            ["STRUCTURE", "STRUCTURE_ID", "ACTION", *dimensions, *cells],
            [*start, *("\n".join(values) for values in cells.values())],
        ]
    )


def _gather(
    cells: dict[str, list[str]], attributes: Iterable[ReportedAttribute], language: str, before: str = ""
) -> None:
    for attribute in attributes:
        path = f"{before}{attribute.id}"
        if attribute.value is not None:
            value = attribute.value
            text = value.best(language) if isinstance(value, Text) else value
            cells.setdefault(path, []).append(text)
        _gather(cells, attribute.children, language, f"{path}.")


def flattened(structure: MetadataStructure) -> MetadataStructure:
    """A metadata structure as .Stat can fill it: each attribute once, and text where it had several values."""
    return replace(structure, attributes=tuple(_once(attribute, False) for attribute in structure.attributes))


def _once(attribute: MetadataAttribute, repeats: bool) -> MetadataAttribute:
    repeats = repeats or attribute.max_occurs != 1
    return replace(
        attribute,
        representation=Representation() if repeats else attribute.representation,
        max_occurs=1,
        min_occurs=min(attribute.min_occurs, 1),
        children=tuple(_once(child, repeats) for child in attribute.children),
    )
