"""SDMX messages of others, told apart by what is in them, read into artefacts.

Packed or not, SDMX-ML 2.1, 3.0 and 3.1 and SDMX-JSON 1.0, 2.0 and 2.1; SDMX-CSV for reports. Names of files say
nothing.
"""

from __future__ import annotations

import gzip
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal, cast

from cdmeta.errors import ConversionError
from cdmeta.formats import sdmx_csv_metadata_read, sdmx_json_read, sdmx_ml_metadata_read, sdmx_ml_read
from cdmeta.formats.messages import Skipped, refusal
from cdmeta.phrase import Phrase, os_reason
from cdmeta.sdmx.artefacts import MetadataSet, Structure
from cdmeta.tables.packed import limit
from cdmeta.text import printable

Syntax = Literal["xml", "json", "csv"]

_REPORTS: Mapping[Syntax, Callable[[BinaryIO], Iterator[MetadataSet]]] = {
    "xml": sdmx_ml_metadata_read.metadata,
    "json": sdmx_json_read.metadata,
    "csv": sdmx_csv_metadata_read.metadata,
}
_ZIP = b"PK\x03\x04"
_GZIP = b"\x1f\x8b"
_WEB_PAGE = re.compile(rb"(?:\xef\xbb\xbf)?\s*<(?:!doctype\s+html|html)\b", re.IGNORECASE)
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_LITTER = ("__MACOSX", ".DS_Store", "Thumbs.db")
_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True)
class Read:
    """What a message of structures holds.

    Attributes:
        artefacts: in the order of the message.
        skipped: what it holds besides.
    """

    artefacts: tuple[Structure, ...]
    skipped: tuple[Skipped, ...] = ()


def structures(path: Path) -> tuple[Structure, ...]:
    """The artefacts of a message of structures; `read` also tells what else it holds.

    Raises:
        ConversionError: the file is no such message, or is damaged; the text names the file and the place in it.
    """
    return read(path).artefacts


def read(path: Path) -> Read:
    """A message of structures, with the names of what of it is not read.

    Raises:
        ConversionError: as for `structures`.
    """
    with opened(path) as (stream, syntax):
        if syntax == "csv":
            is_data = _start(stream.read(64)).lstrip(b'"').startswith((b"DATAFLOW", b"STRUCTURE"))
            raise refusal("kind.structure", name="SDMX-CSV") if is_data else refusal("unknown")
        reader = sdmx_ml_read if syntax == "xml" else sdmx_json_read
        found = tuple(reader.structures(stream))
    artefacts = tuple(entry for entry in found if not isinstance(entry, Skipped))
    return Read(artefacts, tuple(entry for entry in found if isinstance(entry, Skipped)))


def metadata(path: Path) -> tuple[MetadataSet, ...]:
    """The reports of a message of reference metadata: SDMX-ML 2.1 to 3.1, SDMX-JSON and SDMX-CSV 2.0 and 2.1.

    Raises:
        ConversionError: as for `structures`.
    """
    with opened(path) as (stream, syntax):
        return tuple(_REPORTS[syntax](stream))


@contextmanager
def opened(path: Path) -> Iterator[tuple[BinaryIO, Syntax]]:
    """The bytes of a message, unpacked where it is zipped, and its syntax by its first characters.

    Raises:
        ConversionError: whatever goes wrong while it is open, with the name of the file before it.
    """
    try:
        with _bytes(path) as stream:
            start = stream.read(512)
        if _WEB_PAGE.match(start):
            raise refusal("page")
        with _bytes(path) as stream:
            yield stream, _syntax(start)
    except ConversionError as error:
        raise _named(path, error.args[0]) from error
    except (zipfile.BadZipFile, gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise _named(path, Phrase("error.message.zip")) from error
    except OSError as error:
        reason = os_reason(error)
        raise _named(path, Phrase("error.unreadable", {"reason": reason})) from error


def _named(path: Path, what: object) -> ConversionError:
    return ConversionError(Phrase("error.path", {"path": printable(path.name), "what": what}))


def _start(start: bytes) -> bytes:
    """The first characters of a text, without what encodings put before and between them."""
    for mark in _MARKS:
        start = start.removeprefix(mark)
    return start.replace(b"\0", b"").lstrip()


def _syntax(start: bytes) -> Syntax:
    first = _start(start)[:1]
    return "xml" if first == b"<" else "json" if first in (b"{", b"[") else "csv"


@contextmanager
def _bytes(path: Path) -> Iterator[BinaryIO]:
    with path.open("rb") as file:
        start = file.read(len(_ZIP))
        file.seek(0)
        if start.startswith(_GZIP):
            with gzip.open(file) as unpacked:
                yield cast(BinaryIO, _Bounded(cast(BinaryIO, unpacked), limit(path.stat().st_size)))
            return
        if start != _ZIP:
            yield file
            return
        with zipfile.ZipFile(file) as archive:
            members = [entry for entry in archive.infolist() if not _is_litter(entry.filename)]
            if len(members) != 1:
                raise refusal("zip.files", count=len(members))
            if members[0].flag_bits & 1 or members[0].compress_type not in _METHODS:
                raise refusal("zip.method")
            with archive.open(members[0]) as member:
                yield cast(BinaryIO, _Bounded(cast(BinaryIO, member), limit(path.stat().st_size)))


def _is_litter(name: str) -> bool:
    return name.endswith("/") or any(part in _LITTER for part in name.split("/"))


class _Bounded:
    """A stream that ends in an error where it is longer than it may be."""

    def __init__(self, stream: BinaryIO, most: int) -> None:
        self._stream, self._left, self._most = stream, most, most

    def read(self, size: int = -1) -> bytes:
        """The next bytes, none at the end."""
        found = self._stream.read(self._left + 1 if size < 0 else min(size, self._left + 1))
        self._left -= len(found)
        if self._left < 0:
            raise refusal("large", limit=Phrase("package.bytes", {"count": self._most}))
        return found
