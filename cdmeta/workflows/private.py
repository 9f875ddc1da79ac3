"""A copy of a package that nobody else can change while it is judged and used."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from cdmeta.beside import Refused, read_beside, sha256_part
from cdmeta.errors import PackageError
from cdmeta.finding import Finding
from cdmeta.package import APPROVAL_FILES, Package, load
from cdmeta.phrase import Phrase, at


@dataclass(frozen=True)
class Copy:
    """A package in a temporary folder of its own.

    Attributes:
        package: the copy; its `source` is the path of the original.
        digests: path to sha256 (hex) of each file of it, taken while it was copied.
        beside: the files of the approval as they were read, and copied where they could be.
    """

    package: Package
    digests: Mapping[str, str] = field(hash=False)
    beside: Mapping[str, bytes | Refused | None] = field(hash=False)


@contextmanager
def private_copy(package: Package) -> Iterator[Copy]:
    """Copy what the descriptor names, and the approval; the copy goes when the block ends.

    Raises:
        PackageError: the descriptor cannot be read, or changed meanwhile.
    """
    if not package.readable:
        raise unreadable(package)
    with tempfile.TemporaryDirectory(prefix="cdmeta-") as name:
        folder = Path(name)
        digests = {part: _copy(package.root, part, folder) for part in package.parts}
        beside = {file: read_beside(package, file) for file in APPROVAL_FILES}
        for file, content in beside.items():
            if isinstance(content, bytes):
                (folder / file).write_bytes(content)
        yield Copy(_as(package, load(folder)), digests, beside)


def unreadable(package: Package) -> PackageError:
    """Why the descriptor of a package cannot be read."""
    reasons = (finding.phrase() for finding in package.findings if finding.severity() == "error")
    reason = next(reasons, Phrase("error.package.no-reason"))
    return PackageError(Phrase("error.path", {"path": package.source, "what": reason}))


def _copy(root: Path, part: str, folder: Path) -> str:
    target = folder / part
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        with target.open("wb") as stream:
            return sha256_part(root, part, stream)
    except FileNotFoundError as error:
        raise PackageError(at(part, "error.package.changed")) from error


def _as(original: Package, copied: Package) -> Package:
    """The copy under the name of the original, with what was found in opening either."""
    if copied.raw != original.raw:
        raise PackageError(at(original.source, "error.package.changed"))
    told = {finding.where for finding in original.findings}
    more: tuple[Finding, ...] = tuple(finding for finding in copied.findings if finding.where not in told)
    return replace(copied, source=original.source, unnamed=original.unnamed, findings=(*original.findings, *more))
