"""Tables in all the forms that are read: which one a resource has, and its rows opened."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cdmeta.package import Package, Resource
from cdmeta.tables import jsonfiles, workbook
from cdmeta.tables.jsonlines import open_lines
from cdmeta.tables.packed import is_packed, unpacked
from cdmeta.tables.parquet import open_parquet
from cdmeta.tables.records import (
    Dialect,
    Table,
    TableReadError,
    encoding_of,
    kind,
    open_inline,
    open_text,
    undecodable,
)

_TEXTS = ("csv", "tsv")
"""Formats whose files are read as they lie, where they are not compressed."""
_LINES = ("jsonl", "ndjson")
READABLE = ("csv", "tsv", *_LINES, *jsonfiles.FORMATS, *workbook.FORMATS, "parquet")
"""Formats of files that are read."""


@contextmanager
def opened(package: Package, resource: Resource, *, whole: bool = False) -> Iterator[Table]:
    """Open a resource whose files are of a READABLE format, or whose rows stand in the descriptor.

    The rows of several files follow each other. What is compressed is unpacked into a temporary folder.

    Args:
        package: the package.
        resource: the resource.
        whole: True for all that a file tells in its rows, also beside the fields of the schema (GeoJSON).

    Raises:
        TableReadError: it cannot be read; the records may raise it too, later.
    """
    if "data" in resource.raw and not resource.paths:
        yield open_inline(resource)
        return
    if kind(resource) in _TEXTS and not is_packed(resource):
        # Making and removing a folder takes longer than reading a small table.
        yield _open(package, resource, Path(os.devnull), whole=whole)
        return
    with tempfile.TemporaryDirectory(prefix="cdmeta-table-") as scratch:
        yield _open(package, resource, Path(scratch), whole=whole)


def _open(package: Package, resource: Resource, scratch: Path, *, whole: bool) -> Table:
    files, named = unpacked(package, resource, scratch), kind(resource)
    if named == "parquet":
        return open_parquet(package, files, scratch)
    if named in jsonfiles.FORMATS:
        return jsonfiles.open_json(resource, files, whole=whole)
    dialect = Dialect.of(resource)
    if named in workbook.FORMATS:
        return workbook.open_workbook(resource, named, files, dialect, scratch)
    encoding = encoding_of(resource)
    for part, path in files.items():
        if problem := undecodable(path, encoding):
            raise TableReadError("CD402", problem[0], part, encoding=encoding, **problem[1])
    if named in _LINES:
        return open_lines(resource, files, encoding)
    return open_text(files, encoding, dialect)


def unreadable(resource: Resource) -> str | None:
    """Key of the text that says why the rows of a resource cannot be read; None where they can."""
    if "data" in resource.raw and not resource.paths:
        return None
    if not resource.complete:
        return "incomplete"
    if kind(resource) not in READABLE:
        return "format"
    for part in ("schema", "dialect"):
        if resource.raw.get(part) not in (None, {}) and getattr(resource, part) is None:
            return f"{part}-unread"
    return None
