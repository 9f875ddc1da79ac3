"""Take over what a person wrote into the sheet: sheet → answers → the descriptor, all of them or none."""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from cdmeta import form
from cdmeta.checks import descriptor as asked
from cdmeta.errors import OutputError, PackageError, SheetError
from cdmeta.package import APPROVAL_FILES, DESCRIPTOR, Package, load
from cdmeta.phrase import Phrase, at, os_reason

UPDATED = "citizenData.metadataUpdated"
OPEN = ("CD130", "CD131")
"""Rules by which an answer is missing."""


@dataclass(frozen=True)
class Filled:
    """What came of a sheet.

    Attributes:
        file: the descriptor.
        changed: paths of answers that are other than before; nothing was written where there are none.
        problems: what could not be read; nothing was written where there are any.
        open: title and path of each answer that is still missing.
        approval_ends: True where there was an approval beside the descriptor, and answers were changed.
    """

    file: Path
    changed: tuple[str, ...]
    problems: tuple[Phrase, ...]
    open: tuple[tuple[Phrase, str], ...]
    approval_ends: bool


def fill(path: Path, sheet: Path, today: date) -> Filled:
    """Take over the answers of a sheet, all of them or none.

    Args:
        path: the folder of the package, or its descriptor.
        sheet: an .xlsx or .csv as `cdmeta new` writes it.
        today: becomes the day of the last change, where the sheet changes anything and does not tell it.

    Raises:
        PackageError: there is no package, or its descriptor cannot be read.
        SheetError: the sheet cannot be opened.
        OutputError: the package is a zip, or cannot be written.
        OSError: the sheet is not there.
    """
    package = _package(path)
    read = form.read(_bytes(sheet), str(sheet))
    merged = form.merge(package.descriptor, read.answers)
    file, problems = package.path(DESCRIPTOR), (*read.problems, *merged.problems)
    if problems:
        return Filled(file, (), problems, (), False)
    if merged.changed:
        told = {} if UPDATED in read.answers else {UPDATED: today.isoformat()}
        written = form.merge(merged.descriptor, told).descriptor
        text = json.dumps(written, ensure_ascii=False, indent=_indent(package.raw)) + "\n"
        _write(file, text.encode())
    approved = any((package.root / name).exists() for name in APPROVAL_FILES)
    return Filled(file, merged.changed, (), _open(load(path)), approved and bool(merged.changed))


def _package(path: Path) -> Package:
    package = load(path)
    if not path.is_dir() and path.name != DESCRIPTOR:
        raise OutputError(at(path, "fill.error.zip"))
    if not package.readable:
        raise PackageError(at(path, "fill.error.unreadable", file=DESCRIPTOR, package=path))
    return package


def _bytes(sheet: Path) -> bytes:
    with sheet.open("rb") as file:
        data = file.read(form.MAX_BYTES + 1)
    if not data:
        raise SheetError(at(sheet, "form.error.kind"))
    return data


def _indent(raw: bytes) -> int | str:
    """What the lines of the descriptor are indented by; two spaces where nothing shows it."""
    match = re.match(rb'\s*{\r?\n([ \t]+)"', raw)
    return match[1].decode() if match else 2


def _open(package: Package) -> tuple[tuple[Phrase, str], ...]:
    missing = (finding.params for finding in asked.check(package) if finding.code in OPEN)
    return tuple((params["title"], params["path"]) for params in missing)


def _write(file: Path, data: bytes) -> None:
    """Put a file in the place of another at once."""
    try:
        number, name = tempfile.mkstemp(prefix=f".{file.name}-", dir=file.parent)
        staged = Path(name)
        try:
            with os.fdopen(number, "wb") as stream:
                stream.write(data)
            shutil.copymode(file, staged)
            staged.replace(file)
        finally:
            staged.unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(at(file, "error.unwritable", reason=os_reason(error))) from error
