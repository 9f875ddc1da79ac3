"""SDMX-CSV 2.0 and 2.1 metadata messages, read whole (SDMX-CSV field guide for metadata messages).

What the guide leaves open is read as `sdmx_csv_metadata` writes it. The format does not say which texts are XHTML;
and it has no names of reports but as labels, whose language it does not tell, so they are left out.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO

from cdmeta.formats.messages import day, refusal
from cdmeta.formats.sdmx_csv_read import identified
from cdmeta.phrase import Phrase
from cdmeta.sdmx.artefacts import MetadataSet, ReportedAttribute
from cdmeta.tables.records import MAX_CELL_CHARACTERS
from cdmeta.text import NO_TEXT, Text
from cdmeta.urn import urn_of

_START = re.compile(r'"?MDSTRUCTURE(\[(?P<inner>[^\]])\])?"?(?P<outer>[,;\t|])')
_OF_MESSAGES = (
    "MDSTRUCTURE_ID",
    "METADATASET_ID",
    "ACTION",
    "IS_PARTIAL_LANGUAGE",
    "TARGET_TYPES",
    "TARGET_IDS",
)
_NAMES = ("MDSTRUCTURE_NAME", "METADATASET_NAME", "TARGET_NAMES")
_CUSTOM = ("publicationPeriod", "publicationYear", "reportingBegin", "reportingEnd", "prepared")
"""Columns that the guide names as examples of those that are no attributes."""
_KINDS = {"metadataflow": "Metadataflow", "metadataprovision": "MetadataProvisionAgreement"}
_STEP = r"[A-Za-z0-9_@$-]+(\[\])?"
_HEADER = re.compile(rf"(?P<path>{_STEP}(\.{_STEP})*)(\[(?P<languages>[^\]]+)\])?(?P<label>: .*)?", re.DOTALL)
_CODE = re.compile(r"(?P<id>[A-Z0-9_@$-]+): .*", re.DOTALL)
_MAX_BYTES = 128 * 2**20
"""Of a message: it is read whole, and needs several times its size."""
_MAX_DEPTH = 32
_DELETE = "D"


@dataclass(frozen=True)
class _Column:
    """A column of an attribute: its place, the ids on its path and whether each repeats, its languages if any."""

    place: int
    path: tuple[tuple[str, bool], ...]
    languages: tuple[str, ...]
    has_label: bool


@dataclass
class _Node:
    """An occurrence of an attribute while it is read."""

    value: Text | str | None = None
    below: dict[str, list[_Node]] = field(default_factory=dict)


def is_metadata(stream: BinaryIO) -> bool:
    """Tell whether a message in SDMX-CSV is one of reference metadata, by its first column."""
    return _START.match(stream.read(256).removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace")) is not None


def metadata(stream: BinaryIO) -> Iterator[MetadataSet]:
    """The reports of a message, row by row; those that it deletes are none.

    Where a column holds an id and a label (`labels=both`), what looks like a code before a label is the value.

    Raises:
        ConversionError: it is no such message, or not in UTF-8, or a row names no metadataflow or no report.
    """
    content = stream.read(_MAX_BYTES + 1)
    if len(content) > _MAX_BYTES:
        raise refusal("long", limit=Phrase("package.bytes", {"count": _MAX_BYTES}))
    try:
        text = content.decode("utf-8-sig")
    except UnicodeError as error:
        raise refusal("csv.encoding") from error
    if (start := _START.match(text)) is None:
        raise refusal("unknown")
    try:
        yield from _rows(text, start["inner"] or ";", start["outer"])
    except csv.Error as error:
        raise refusal("csv", reason=str(error)) from error


def _rows(text: str, inner: str, outer: str) -> Iterator[MetadataSet]:
    csv.field_size_limit(MAX_CELL_CHARACTERS)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=outer, strict=True)
    header = next(rows)
    columns = tuple(_columns(header))
    fixed = {name.partition(": ")[0]: place for place, name in enumerate(header)}
    fixed["MDSTRUCTURE"] = 0
    for number, row in enumerate(rows, start=2):
        if not row:
            continue
        if len(row) != len(header):
            raise refusal("csv.width", row=number)
        told = {name: row[place] for name, place in fixed.items()}
        if told.get("ACTION") != _DELETE:
            yield _report(told, row, columns, inner, number)


def _columns(header: Sequence[str]) -> Iterator[_Column]:
    """The columns of attributes; a label beside each (`labels=name`) is none."""
    has_labels = any(name in header for name in _NAMES)
    seen: set[tuple[str, ...]] = set()
    places = iter(range(1, len(header)))
    for place in places:
        name = header[place]
        if name.partition(": ")[0] in (*_OF_MESSAGES, *_NAMES, *_CUSTOM):
            continue
        match = _HEADER.fullmatch(name)
        if match is None:
            raise refusal("csv.column", name=name)
        path = tuple((step.removesuffix("[]"), step.endswith("[]")) for step in match["path"].split("."))
        if len(path) > _MAX_DEPTH:
            raise refusal("json.deep")
        ids = tuple(id_ for id_, _ in path)
        if ids in seen:
            raise refusal("csv.twice", name=name)
        seen.add(ids)
        # An example in the guide parts them by another sign than it parts values by.
        languages = tuple(re.findall("[a-z0-9-]+", (match["languages"] or "").lower()))
        yield _Column(place, path, languages, match["label"] is not None)
        if has_labels:
            next(places, None)


def _report(
    told: Mapping[str, str], row: Sequence[str], columns: Sequence[_Column], inner: str, number: int
) -> MetadataSet:
    flow = identified(_KINDS, told["MDSTRUCTURE"], told.get("MDSTRUCTURE_ID", ""))
    own = identified({"": "MetadataSet"}, "", told.get("METADATASET_ID", ""))
    if flow is None or own is None:
        name = "MDSTRUCTURE_ID" if flow is None else "METADATASET_ID"
        raise refusal("absent", place=Phrase("error.message.row", {"row": number}), name=name)
    kinds, ids = (told.get(name, "").split(inner) for name in ("TARGET_TYPES", "TARGET_IDS"))
    top = _Node()
    for column in columns:
        if cell := row[column.place]:
            _put(top, column.path, column, cell, inner)
    return MetadataSet(
        own.agency,
        own.id,
        own.version,
        NO_TEXT,
        metadataflow=flow,
        targets=tuple(urn_of(kind, id_.partition(": ")[0]) for kind, id_ in zip(kinds, ids, strict=False) if id_),
        attributes=_reported(top.below),
        reporting_begin=day(told.get("reportingBegin", "")),
        reporting_end=day(told.get("reportingEnd", "")),
    )


def _put(above: _Node, path: Sequence[tuple[str, bool]], column: _Column, cell: str, inner: str) -> None:
    """Put what a cell says of an attribute below one occurrence of its parent."""
    (id_, repeats), *rest = path
    found = above.below.setdefault(id_, [])
    for number, part in enumerate(map(_unquoted, _split(cell, inner)) if repeats else (cell,)):
        if number == len(found):
            found.append(_Node())
        if part and rest:
            _put(found[number], rest, column, part, inner)
        elif part:
            found[number].value = _value(part, column, inner)


def _split(cell: str, inner: str, before: str = "") -> list[str]:
    """The parts of a cell, still between quotation marks, where the separator may stand; `before` is a pattern."""
    end = re.escape(inner)
    form = re.compile(rf'((?:{before})?"(?:[^"]++|"")*+"|[^{end}]*){end}')
    return [match[1] for match in form.finditer(cell + inner)]


def _unquoted(part: str) -> str:
    is_quoted = len(part) > 1 and part.startswith('"') and part.endswith('"')
    return part[1:-1].replace('""', '"') if is_quoted else part


def _value(cell: str, column: _Column, inner: str) -> Text | str:
    if not column.languages:
        coded = _CODE.fullmatch(cell) if column.has_label else None
        return coded["id"] if coded is not None else cell
    if cell.startswith('"'):
        return _unquoted(cell)
    entries: list[tuple[str, str]] = []
    for part in _split(cell, inner, "[A-Za-z0-9-]+:"):
        tag, colon, rest = part.partition(":")
        if colon and tag.lower() in column.languages:
            entries.append((tag, _unquoted(rest)))
        elif entries:
            # A separator that nobody put between quotation marks is part of the text.
            entries[-1] = (entries[-1][0], f"{entries[-1][1]}{inner}{part}")
        else:
            return cell
    return Text(tuple(dict(entries).items()))


def _reported(nodes: Mapping[str, Sequence[_Node]]) -> tuple[ReportedAttribute, ...]:
    return tuple(
        ReportedAttribute(id_, node.value, _reported(node.below)) for id_, found in nodes.items() for node in found
    )
