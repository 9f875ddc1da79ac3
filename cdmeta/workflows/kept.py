"""Reports of earlier runs, kept under the sha256 of all that they depend on.

A key covers the bytes of every file that the package names, the names of those that it does not name, what was
found in opening it, the gate, all code and data of cdmeta, and the versions of Python and of what cdmeta rests on.
The bytes are hashed anew in each run. Size and time of a file say nothing here: a file may be changed without
either, and hashing is as fast as reading.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import platform
import re
import stat
import tempfile
from collections.abc import Iterator
from functools import cache
from importlib import metadata
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from cdmeta.beside import sha256_part
from cdmeta.errors import OutputError
from cdmeta.finding import Report
from cdmeta.package import DESCRIPTOR, Package
from cdmeta.phrase import at, os_reason
from cdmeta.workflows.plain import report_of, to_plain

FORM = "1"
"""Raised when keys or entries are made otherwise."""
_SOURCES = (".py", ".csv", ".json")
_ELSEWHERE = ("cli", "examples", "profiles", "__pycache__")


@cache
def program() -> str:
    """The sha256 (hex) of all code and data of cdmeta by which packages are judged."""
    digest = hashlib.sha256()
    for part in ("cdmeta", "cdmeta.profiles"):
        for name, content in sorted(_sources(files(part), part)):
            digest.update(f"{name}\0{len(content)}\0".encode())
            digest.update(content)
    return digest.hexdigest()


def _sources(folder: Traversable, name: str) -> Iterator[tuple[str, bytes]]:
    for child in folder.iterdir():
        if child.is_dir():
            if child.name not in _ELSEWHERE:
                yield from _sources(child, f"{name}/{child.name}")
        elif child.name.endswith(_SOURCES):
            yield f"{name}/{child.name}", child.read_bytes()


@cache
def _judges() -> tuple[str, ...]:
    """What judges packages: our own program, and the versions of what it rests on."""
    required = (line for line in metadata.requires("cdmeta") or () if "extra ==" not in line)
    names = sorted({found[0] for line in required if (found := re.match(r"[\w.-]+", line))})
    return (FORM, program(), platform.python_version(), *(f"{name} {metadata.version(name)}" for name in names))


def key_of_file(path: Path, gate: str) -> str:
    """The key of a package in one file, a zip.

    Raises:
        OSError: the file cannot be read.
    """
    with path.open("rb") as stream:
        return _key(gate, path.suffix.lower(), hashlib.file_digest(stream, "sha256").hexdigest())


def key_of(package: Package, gate: str) -> str:
    """The key of a package in a folder.

    Raises:
        OSError: a file of it cannot be read.
    """
    # A descriptor that was refused is no part to be read; why it was, stands among the findings.
    parts = [(part, sha256_part(package.root, part)) for part in package.parts if part != DESCRIPTOR]
    raw = hashlib.sha256(package.raw).hexdigest()
    return _key(gate, "folder", raw, parts, package.unnamed, to_plain(package.findings))


def _key(*parts: object) -> str:
    return hashlib.sha256(json.dumps([*_judges(), *parts]).encode()).hexdigest()


def open_folder(folder: Path) -> None:
    """Make the folder of kept reports, or see that nobody else can write into it.

    Raises:
        OutputError: it cannot be made, or others can write into it and so could plant a "valid".
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.stat()
    except OSError as error:
        raise OutputError(at(folder, "error.unwritable", reason=os_reason(error))) from error
    owned = not hasattr(os, "getuid") or (
        found.st_uid == os.getuid() and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    )
    if not owned:
        raise OutputError(at(folder, "error.cache.shared"))


def kept(folder: Path, key: str) -> Report | None:
    """The report that is kept under a key; None where there is none, or it is damaged."""
    try:
        entry = json.loads(_path(folder, key).read_bytes())
        text = entry["report"]
        if entry["key"] != key or entry["sha256"] != _digest(text):
            return None
        return report_of(json.loads(text))
    except (OSError, KeyError, TypeError, ValueError, RecursionError):
        return None


def keep(folder: Path, key: str, report: Report) -> None:
    """Keep a report under a key, whole or not at all; a full disk is no reason to fail."""
    text = json.dumps(to_plain(report))
    content = json.dumps({"key": key, "sha256": _digest(text), "report": text})
    path = _path(folder, key)
    with contextlib.suppress(OSError):
        path.parent.mkdir(mode=0o700, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=".", dir=path.parent)
        try:
            with os.fdopen(handle, "w", encoding="ascii") as stream:
                stream.write(content)
            Path(name).replace(path)
        except OSError:
            Path(name).unlink(missing_ok=True)
            raise


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _path(folder: Path, key: str) -> Path:
    return folder / key[:2] / f"{key}.json"
