"""Write a descriptor as it is stored: answers in full, members in order, what is known filled in."""

from __future__ import annotations

import codecs
import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cdmeta import approval, layout, profile
from cdmeta.beside import read_beside, write_beside
from cdmeta.errors import OutputError, PackageError
from cdmeta.finding import Finding
from cdmeta.package import DESCRIPTOR, Package, load
from cdmeta.phrase import Phrase, at
from cdmeta.shorthand import mend, pointer
from cdmeta.strictjson import UnreadableError
from cdmeta.text import is_missing
from cdmeta.workflows.private import unreadable


@dataclass(frozen=True)
class Formatted:
    """What was changed in a descriptor, or would be.

    Attributes:
        path: the descriptor, or the zip that it lies in.
        changed: True where its bytes change.
        in_full: JSON Pointers to where an answer is now written in full, or in the case of its code.
        filled: what was filled in.
        reordered: True where members changed their places.
        approved: True where an approval of the bytes as they were lies beside it.
    """

    path: str
    changed: bool
    in_full: tuple[str, ...]
    filled: tuple[str, ...]
    reordered: bool
    approved: bool


def fmt(path: str | Path, *, check: bool = False) -> Formatted:
    """Write the descriptor of a package as it is stored; nothing that it says is lost.

    Args:
        path: folder, descriptor or zip; of a zip, all other members keep their bytes.
        check: only tell what would change.

    Raises:
        PackageError: there is no package, or its descriptor cannot be read.
        OutputError: it cannot be written, or is approved as it is, so that any change would end the approval.
    """
    package = load(path)
    stored = _stored(package)
    value, places = mend(stored)
    value, filled = _filled(value)
    content = layout.written(layout.ordered(value))
    result = Formatted(
        path=_path(package),
        changed=content != package.raw,
        in_full=tuple(pointer(parts) for parts, _ in places),
        filled=filled,
        reordered=content != layout.written(value),
        approved=_is_approved(package),
    )
    if result.changed and not check:
        _write(package, result, content)
    return result


def _write(package: Package, result: Formatted, content: bytes) -> None:
    if result.approved:
        raise OutputError(at(result.path, "error.fmt.approved"))
    if not os.access(result.path, os.W_OK):
        raise OutputError(at(result.path, "error.fmt.read-only"))
    write_beside(package, {DESCRIPTOR: content})


def _path(package: Package) -> str:
    source = Path(package.source)
    return str(source / DESCRIPTOR if source.is_dir() else source)


def _stored(package: Package) -> Mapping[str, Any]:
    """What the bytes say; a byte order mark, which some editors put there, is no part of it."""
    raw = package.raw.removeprefix(codecs.BOM_UTF8)
    if not package.readable and raw == package.raw:
        raise unreadable(package)
    try:
        value = layout.read(raw)
    except UnreadableError as error:
        reason = Finding("CD101", params={"path": DESCRIPTOR, **error.params}).phrase()
        raise PackageError(Phrase("error.path", {"path": package.source, "what": reason})) from error
    if not isinstance(value, Mapping):
        raise unreadable(package)
    return value


def _filled(descriptor: dict[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The profile, where no other is named, and where the package has anything of ours at all."""
    own = descriptor.get("citizenData")
    if not isinstance(own, Mapping):
        return descriptor, ()
    filled: list[str] = []
    if is_missing(own.get("profile")):
        descriptor = {**descriptor, "citizenData": {"profile": "", **own} | {"profile": profile.URL}}
        filled.append("citizenData.profile")
    of_ours = descriptor["citizenData"]["profile"] == profile.URL
    if of_ours and all(is_missing(descriptor.get(name)) for name in ("$schema", "profile")):
        descriptor = {"$schema": "", **descriptor} | {"$schema": profile.URL}
        filled.append("$schema")
    return descriptor, tuple(filled)


def _is_approved(package: Package) -> bool:
    """Whether a statement beside the package names the descriptor's present bytes."""
    content = read_beside(package, approval.STATEMENT)
    statement = approval.parse(content)[0] if isinstance(content, bytes) else None
    digest = hashlib.sha256(package.raw).hexdigest()
    return statement is not None and (DESCRIPTOR, digest) in statement.subject
