"""Take over what a person wrote into the sheet: sheet → answers → the descriptor, all of them or none."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from cdmeta import form, layout
from cdmeta.approval import STATEMENT
from cdmeta.beside import read_beside, write_beside
from cdmeta.checks import consent
from cdmeta.checks import descriptor as asked
from cdmeta.errors import OutputError, SheetError
from cdmeta.finding import OPEN_QUESTIONS
from cdmeta.package import DESCRIPTOR, Package, load
from cdmeta.phrase import Phrase, at, title_of
from cdmeta.text import is_missing
from cdmeta.workflows.private import unreadable

UPDATED = "citizenData.metadataUpdated"
_OPEN_CONSENT = ("CD301", "CD321")
"""Rules of consent by which one is: no basis, no jurisdiction."""


@dataclass(frozen=True)
class Filled:
    """What came of a sheet.

    Attributes:
        file: the descriptor, or the zip that it lies in.
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
        path: folder, descriptor or zip; of a zip, all other members keep their bytes.
        sheet: an .xlsx or .csv as `cdmeta new` writes it.
        today: becomes the day of the last change, where the sheet changes anything and does not tell it.

    Raises:
        PackageError: there is no package, or its descriptor cannot be read.
        SheetError: the sheet cannot be opened.
        OutputError: the package cannot be written.
        OSError: the sheet is not there.
    """
    package = load(path)
    if not package.readable:
        raise unreadable(package)
    read = form.read(_bytes(sheet), str(sheet))
    merged = form.merge(layout.read(package.raw), read.answers)
    file, problems = path / DESCRIPTOR if path.is_dir() else path, (*read.problems, *merged.problems)
    if other := _of_another(package, read.answers.get("name")):
        problems = (other, *problems)
    if problems:
        return Filled(file, (), problems, (), False)
    if merged.changed:
        told = {} if UPDATED in read.answers else {UPDATED: today.isoformat()}
        _write(package, file, layout.written(form.merge(merged.descriptor, told).descriptor))
    approved = read_beside(package, STATEMENT) is not None
    return Filled(file, merged.changed, (), _open(load(path)), approved and bool(merged.changed))


def _of_another(package: Package, name: object) -> Phrase | None:
    """Why a sheet is not this package's; a name is hardly ever changed, and a sheet taken for another one's is."""
    own = package.descriptor.get("name")
    if name is None or is_missing(own) or name == own:
        return None
    return Phrase("form.wrong.package", {"sheet": name, "package": own})


def _bytes(sheet: Path) -> bytes:
    with sheet.open("rb") as file:
        data = file.read(form.MAX_BYTES + 1)
    if not data:
        raise SheetError(at(sheet, "form.error.kind"))
    return data


def _open(package: Package) -> tuple[tuple[Phrase, str], ...]:
    """What is missing by the profile, and what the rules of consent ask for in its place."""
    missing = (finding.params for finding in asked.check(package) if finding.code in OPEN_QUESTIONS)
    found = [(params["title"], params["path"]) for params in missing]
    for finding in consent.check(package):
        if finding.code in _OPEN_CONSENT:
            path = (finding.where.pointer or "")[1:].replace("/", ".")
            found.append((title_of(path), path))
    return tuple(found)


def _write(package: Package, file: Path, data: bytes) -> None:
    if not os.access(file, os.W_OK):
        raise OutputError(at(file, "error.fmt.read-only"))
    write_beside(package, {DESCRIPTOR: data})
