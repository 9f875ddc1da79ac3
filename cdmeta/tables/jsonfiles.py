"""Files of JSON: a list of objects, or of lists of which the first is the header; and GeoJSON, a row a feature.

A file is read whole, so it may not be larger than a descriptor.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from cdmeta.package import MAX_DESCRIPTOR_BYTES, Resource
from cdmeta.phrase import Phrase
from cdmeta.strictjson import UnreadableError, parse
from cdmeta.tables.records import Table, TableReadError, kind, open_inline

FORMATS = ("json", "geojson")
_BESIDE = ("id", "geometry")
"""Members of a feature that are no properties of it (RFC 7946 §3.2)."""


def open_json(resource: Resource, files: Mapping[str, Path], *, whole: bool) -> Table:
    """Open a resource whose files are JSON.

    Args:
        resource: the resource.
        files: its files, uncompressed, by name.
        whole: True for the id and the geometry of all features; else those of them that are fields of the schema.

    Raises:
        TableReadError: a file is no JSON, is too large to be read whole, or holds no rows.
    """
    names = {entry.get("name") for entry in resource.fields}
    beside = [name for name in _BESIDE if whole or name in names]
    rows = [row for part, path in files.items() for row in _rows(resource, part, path, beside)]
    return open_inline(replace(resource, raw={**resource.raw, "data": rows}, paths=()))


def _rows(resource: Resource, part: str, path: Path, beside: Iterable[str]) -> list[Any]:
    if path.stat().st_size > MAX_DESCRIPTOR_BYTES:
        raise TableReadError("CD418", "format", part, format=kind(resource))
    try:
        value = parse(path.read_bytes())
    except UnreadableError as error:
        note = Phrase(f"reason.{error.params['reason']}", error.params)
        raise TableReadError("CD401", "json", part, note=note) from error
    found = value.get("features") if isinstance(value, dict) else value
    if not isinstance(found, list):
        raise TableReadError("CD418", "format", part, format=kind(resource))
    return [_feature(row, beside) for row in found]


def _feature(value: Any, beside: Iterable[str]) -> Any:
    if not isinstance(value, dict) or value.get("type") != "Feature":
        return value
    told = value.get("properties")
    more = {name: value[name] for name in beside if value.get(name) is not None}
    return (told if isinstance(told, dict) else {}) | more
