"""Structures of others, from files and addresses: all that cdmeta ever fetches, and only when told to."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from cdmeta.errors import ConversionError
from cdmeta.formats import reading
from cdmeta.phrase import Phrase
from cdmeta.sdmx.artefacts import Structure
from cdmeta.text import printable

if TYPE_CHECKING:
    from requests import Response

MAX_BYTES = 500 * 2**20
MAX_SECONDS = 300.0
_WAIT = (10.0, 60.0)
"""Seconds to wait for a connection, and for more to come."""
_CHUNK = 1 << 16
_ACCEPT = (
    "application/vnd.sdmx.structure+xml, application/vnd.sdmx.structure+json;q=0.9, application/xml;q=0.8, "
    "text/xml;q=0.7, application/json;q=0.6, */*;q=0.1"
)
_ADDRESS = re.compile("https?://", re.IGNORECASE)


def artefacts(sources: Sequence[str]) -> tuple[tuple[Structure, ...], dict[str, str]]:
    """The artefacts of structure messages, and the digests (sha256, hex) of their files by name or address.

    Args:
        sources: paths, and addresses that start with `http://` or `https://`.

    Raises:
        ConversionError: one of them cannot be fetched, is none, or is damaged.
    """
    found: list[Structure] = []
    digests: dict[str, str] = {}
    for source in sources:
        with fetched(source) if _ADDRESS.match(source) else nullcontext(Path(source)) as path:
            found += reading.structures(path)
            with path.open("rb") as file:
                name = _shown(source) if _ADDRESS.match(source) else path.name
                digests[name] = hashlib.file_digest(file, "sha256").hexdigest()
    return tuple(found), digests


@contextmanager
def fetched(address: str, *, most: int = MAX_BYTES, seconds: float = MAX_SECONDS) -> Iterator[Path]:
    """What is at an address, in a temporary file that goes when the block ends.

    Args:
        address: an address of http or https.
        most: bytes that it may have, unpacked.
        seconds: how long it may take.

    Raises:
        ConversionError: it cannot be fetched, is too large, or takes too long.
    """
    try:
        name = _name(address)
    except ValueError as error:
        raise ConversionError(Phrase("error.fetch.address", {"address": printable(address)})) from error
    with TemporaryDirectory(prefix="cdmeta-dsd-") as folder:
        path = Path(folder) / name
        _fetch(address, path, most, time.monotonic() + seconds)
        yield path


def _fetch(address: str, path: Path, most: int, until: float) -> None:
    import requests
    from urllib3.exceptions import HTTPError

    try:
        with requests.get(address, stream=True, timeout=_WAIT, headers={"Accept": _ACCEPT}) as answer:
            if not answer.ok:
                raise _refusal(address, "status", status=answer.status_code)
            _save(address, _chunks(answer), path, most, until)
    except (requests.RequestException, HTTPError, ValueError) as error:
        raise _refusal(address, _why(error), kind=type(error).__name__) from error


def _chunks(answer: Response) -> Iterator[bytes]:
    """The body unpacked, piece by piece as it arrives: who waits for full pieces waits for ever if it drips."""
    read = getattr(answer.raw, "read1", answer.raw.read)
    while chunk := read(_CHUNK, decode_content=True):
        yield chunk


def _why(error: Exception) -> str:
    """Why an address cannot be fetched, a key of the texts after `error.fetch.`."""
    import requests
    from urllib3 import exceptions

    kinds: tuple[tuple[str, tuple[type[Exception], ...]], ...] = (
        ("time", (requests.Timeout, exceptions.TimeoutError)),
        ("secure", (requests.exceptions.SSLError,)),
        (
            "redirect",
            (requests.TooManyRedirects, requests.exceptions.InvalidSchema, requests.exceptions.InvalidURL),
        ),
        ("broken", (requests.exceptions.ChunkedEncodingError, requests.exceptions.ContentDecodingError)),
        ("broken", (exceptions.ProtocolError, exceptions.DecodeError)),
        ("connection", (requests.ConnectionError,)),
    )
    return next((key for key, types in kinds if isinstance(error, types)), "failed")


def _save(address: str, chunks: Iterator[bytes], path: Path, most: int, until: float) -> None:
    size = 0
    with path.open("wb") as file:
        for chunk in chunks:
            size += len(chunk)
            if size > most:
                raise _refusal(address, "large", limit=Phrase("package.bytes", {"count": most}))
            if time.monotonic() > until:
                raise _refusal(address, "time")
            file.write(chunk)


def _name(address: str) -> str:
    """A name for messages that tells where a file comes from, without what a query or a user may give away."""
    parts = urlsplit(address)
    return re.sub("[^A-Za-z0-9._-]+", "_", f"{parts.hostname}{parts.path}")[:100].strip("._") or "structures"


def _shown(address: str) -> str:
    """An address without what its query or its user may give away."""
    parts = urlsplit(address)
    return printable(f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}")


def _refusal(address: str, key: str, **params: object) -> ConversionError:
    what = Phrase(f"error.fetch.{key}", params)
    return ConversionError(Phrase("error.path", {"path": _shown(address), "what": what}))
