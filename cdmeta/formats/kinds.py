"""What a message of others holds, told by what is in it: structures, data or reference metadata."""

from __future__ import annotations

import io
from pathlib import Path
from typing import BinaryIO, Literal

from cdmeta.formats import sdmx_csv_metadata_read, sdmx_json_read, sdmx_ml_parts_read
from cdmeta.formats.reading import opened

Kind = Literal["structures", "data", "metadata"]

_START = 1 << 16
_REPORTS = ("GenericMetadata", "StructureSpecificMetadata", "MetadataSets")


def kind(path: Path) -> Kind:
    """What a message holds; of one that is none, what its reader will say so of.

    Raises:
        ConversionError: it cannot be read at all; the text names the file.
    """
    with opened(path) as (stream, syntax):
        if syntax == "csv":
            return "metadata" if sdmx_csv_metadata_read.is_metadata(stream) else "data"
        return _of_xml(stream) if syntax == "xml" else sdmx_json_read.held(stream)


def _of_xml(stream: BinaryIO) -> Kind:
    _, root = next(sdmx_ml_parts_read.events(io.BytesIO(stream.read(_START))))
    name = root.tag.rpartition("}")[2]
    if name in _REPORTS:
        return "metadata"
    return "structures" if name in ("Structure", "RegistryInterface") else "data"
