"""JSON lines: one object a line, or one list a line of which the first is the header.

A line that is none is told with its number and passed over. Rows are numbered as their lines.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from cdmeta.finding import Finding, Where
from cdmeta.package import Resource
from cdmeta.phrase import Phrase
from cdmeta.strictjson import UnreadableError, parse
from cdmeta.tables.records import MAX_CELL_CHARACTERS, Record, Table, TableReadError

_BOM = "\ufeff"


def open_lines(resource: Resource, files: Mapping[str, Path], encoding: str) -> Table:
    """Open a resource whose files are JSON lines.

    Args:
        resource: the resource; the names of its fields come first among the columns.
        files: its files, uncompressed, by name.
        encoding: one in which they are text.

    Raises:
        TableReadError: a line has no end.
    """
    shape, keys, findings = _looked_through(resource, files, encoding)
    if shape is list:
        return Table(keys, _listed(files, encoding), findings=findings)
    labels = list(dict.fromkeys([str(entry.get("name")) for entry in resource.fields] + keys))
    rows = (
        Record(part, number, [value.get(label) for label in labels])
        for part, number, value in _values(files, encoding)
        if isinstance(value, dict)
    )
    return Table(labels, rows, findings=findings)


def _looked_through(
    resource: Resource, files: Mapping[str, Path], encoding: str
) -> tuple[type | None, list[str], tuple[Finding, ...]]:
    """What the lines are, `dict` or `list`, as the first says; their keys, or the header; lines that are none."""
    shape: type | None = None
    keys: dict[str, None] = {}
    findings = []
    for part, number, value in _values(files, encoding):
        if isinstance(value, UnreadableError):
            note = Phrase(f"reason.{value.params['reason']}", value.params | {"line": number})
            findings.append(_finding(resource, part, number, note))
        elif shape is None and isinstance(value, (dict, list)):
            shape = type(value)
            keys = dict.fromkeys(map(str, value))
        elif type(value) is not shape:
            findings.append(_finding(resource, part, number, Phrase("rows.line-shape")))
        elif isinstance(value, dict):
            keys |= dict.fromkeys(value)
    return shape, list(keys), tuple(findings)


def _finding(resource: Resource, part: str, number: int, note: Phrase) -> Finding:
    return Finding("CD430", Where(part, resource=resource.name, row=number), {"row": number, "note": note})


def _listed(files: Mapping[str, Path], encoding: str) -> Iterator[Record]:
    header: list[Any] | None = None
    passed: set[str] = set()
    for part, number, value in _values(files, encoding):
        if not isinstance(value, list):
            continue
        is_first, header = part not in passed, value if header is None else header
        passed.add(part)
        if not (is_first and value == header):
            yield Record(part, number, value)


def _values(files: Mapping[str, Path], encoding: str) -> Iterator[tuple[str, int, Any]]:
    """File, number and value of each line that is not blank; why it has none, where it is no JSON."""
    for part, path in files.items():
        with path.open(encoding=encoding, newline="\n") as file:
            lines = iter(lambda: file.readline(MAX_CELL_CHARACTERS), "")
            for number, line in enumerate(lines, start=1):
                if len(line) == MAX_CELL_CHARACTERS and not line.endswith("\n"):
                    raise TableReadError("CD401", "long-line", part, limit=f"{MAX_CELL_CHARACTERS:,}")
                text = line.removeprefix(_BOM).strip() if number == 1 else line.strip()
                if text:
                    yield part, number, _value(text)


def _value(text: str) -> Any:
    try:
        return parse(text.encode())
    except UnreadableError as error:
        return error
