"""Files of a table that are compressed: how each is, as the descriptor or its name says, and its bytes unpacked.

Nothing is unpacked beyond a limit that grows with the size of the file, as for a package that is a zip.
"""

from __future__ import annotations

import bz2
import errno
import gzip
import lzma
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any, Protocol

from cdmeta.package import MAX_UNPACKED_BYTES, MAX_ZIP_RATIO, RATIO_FREE_BYTES, Package, Resource
from cdmeta.phrase import Phrase
from cdmeta.tables.records import CHUNK, COMPRESSIONS, TableReadError, bare_name

_XZ_MEMORY = 2**28
"""Bytes that unpacking xz may take; what its own program writes at its highest setting takes a quarter."""
_DAMAGE = (
    EOFError,
    NotImplementedError,
    RuntimeError,
    ValueError,
    lzma.LZMAError,
    zipfile.BadZipFile,
    zlib.error,
)
_LITTER = ("__MACOSX", ".DS_Store", "Thumbs.db")


def method(resource: Resource, part: str) -> str | None:
    """How a file of a resource is compressed: `gz`, `bz2`, `xz` or `zip`; None where it is not.

    What the resource says (`compression`, as frictionless has it) goes before the ending of the name.

    Raises:
        TableReadError: CD418, it is compressed in another way.
    """
    given = resource.raw.get("compression")
    if given in (None, ""):
        ending = PurePosixPath(part).suffix.lower().removeprefix(".")
        return COMPRESSIONS[ending] if bare_name(part) != part else None
    if isinstance(given, str) and given.lower() in ("no", "none"):
        return None
    if not isinstance(given, str) or given.lower() not in COMPRESSIONS:
        raise TableReadError("CD418", "compression", part)
    return COMPRESSIONS[given.lower()]


def is_packed(resource: Resource) -> bool:
    """Tell whether some file of a resource is compressed, in whatever way."""
    try:
        return any(method(resource, part) for part in resource.paths)
    except TableReadError:
        return True


def unpacked(package: Package, resource: Resource, scratch: Path) -> dict[str, Path]:
    """Where each file of a resource lies uncompressed, by its name in the package.

    Args:
        package: the package.
        resource: one whose files are there.
        scratch: a folder for what has to be unpacked.

    Raises:
        TableReadError: CD401, a file is damaged, or too large unpacked; CD418, it is compressed in another way.
    """
    return {
        part: _unpacked(package, resource, part, scratch / f"{resource.index}-{number}")
        for number, part in enumerate(resource.paths)
    }


def _unpacked(package: Package, resource: Resource, part: str, target: Path) -> Path:
    path, how = package.path(part), method(resource, part)
    if how is None:
        return path
    inner = resource.raw.get("innerpath")
    with damage_told("packed-damaged", part), target.open("wb") as file:
        for chunk in bounded(_READERS[how](path, inner), path.stat().st_size, part):
            file.write(chunk)
    return target


@contextmanager
def damage_told(reason: str, part: str, *more: type[Exception]) -> Iterator[None]:
    """Tell that a file is damaged where what unpacks it says so.

    Args:
        reason: key of the text.
        part: the file.
        more: further exceptions that damaged bytes raise here.

    Raises:
        TableReadError: CD401, the bytes are to blame.
        OSError: the disk is. What gzip and bz2 raise on bytes that are not theirs has no number; zipfile may seek
            where nothing can be.
    """
    damage: tuple[type[Exception], ...] = (*_DAMAGE, *more)
    try:
        yield
    except damage as error:
        raise TableReadError("CD401", reason, part) from error
    except OSError as error:
        if error.errno not in (None, errno.EINVAL):
            raise
        raise TableReadError("CD401", reason, part) from error


def limit(size: int) -> int:
    """The bytes that a file of so many bytes may hold unpacked."""
    return min(MAX_UNPACKED_BYTES, max(RATIO_FREE_BYTES, size * MAX_ZIP_RATIO))


def bounded(chunks: Iterator[bytes], size: int, part: str) -> Iterator[bytes]:
    """The same chunks, as long as they are no more than a file of so many bytes may hold.

    Raises:
        TableReadError: CD401, they are more.
    """
    left = limit(size)
    for chunk in chunks:
        left -= len(chunk)
        if left < 0:
            most = Phrase("package.bytes", {"count": limit(size)})
            raise TableReadError("CD401", "packed-large", part, limit=most)
        yield chunk


def _gz(path: Path, _: Any) -> Iterator[bytes]:
    with gzip.open(path) as file:
        yield from chunks(file)


def _bz2(path: Path, _: Any) -> Iterator[bytes]:
    with bz2.open(path) as file:
        yield from chunks(file)


def _xz(path: Path, _: Any) -> Iterator[bytes]:
    """One stream after the other; the reader of the standard library has no limit on memory."""
    with path.open("rb") as file:
        given = file.read(CHUNK)
        while given:
            stream = lzma.LZMADecompressor(memlimit=_XZ_MEMORY)
            while not stream.eof:
                yield stream.decompress(given, CHUNK)
                given = file.read(CHUNK) if stream.needs_input else b""
                if stream.needs_input and not given:
                    raise EOFError
            given = (stream.unused_data or file.read(CHUNK)).lstrip(b"\0")


def _zip(path: Path, inner: Any) -> Iterator[bytes]:
    """The file in a zip that `innerpath` names, or the only one."""
    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if not name.endswith("/") and not _is_litter(name)]
        if isinstance(inner, str):
            names = [name for name in names if name == inner]
        if len(names) != 1:
            raise TableReadError("CD401", "packed-files", path.name, count=len(names))
        with archive.open(names[0]) as file:
            yield from chunks(file)


_READERS: dict[str, Callable[[Path, Any], Iterator[bytes]]] = {"gz": _gz, "bz2": _bz2, "xz": _xz, "zip": _zip}


def _is_litter(name: str) -> bool:
    return any(part in _LITTER for part in name.split("/"))


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes:
        """The next bytes, none at the end."""


def chunks(file: _Readable) -> Iterator[bytes]:
    """What is left of a file, piece by piece."""
    while chunk := file.read(CHUNK):
        yield chunk
