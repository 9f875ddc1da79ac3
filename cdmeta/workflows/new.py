"""Start a package from a table: a descriptor with all that can be found out, and questions for the rest."""

from __future__ import annotations

import re
import shutil
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from cdmeta import form, profile
from cdmeta.errors import OutputError
from cdmeta.layout import ordered, written
from cdmeta.package import DESCRIPTOR, QUESTIONS
from cdmeta.phrase import at
from cdmeta.profile import Field
from cdmeta.tables.infer import Inferred, infer
from cdmeta.text import OPEN_QUESTION
from cdmeta.urn import to_concept_id
from cdmeta.workflows.output import staged

FIRST_VERSION = "1.0.0"
_FILLED = ("name", "version", "citizenData.profile", "citizenData.language", "citizenData.metadataUpdated")
"""What is known without asking."""


@dataclass(frozen=True)
class Started:
    """A package that was started.

    Attributes:
        out: its folder.
        name: its name.
        agency: the SDMX agency that it proposes, or was given.
        open: number of questions to answer.
        inferred: what was found out about the table.
    """

    out: Path
    name: str
    agency: str
    open: int
    inferred: Inferred


def new(out: Path, source: Path, today: date, *, language: str = "en", agency: str | None = None) -> Started:
    """Make a package from a table.

    Args:
        out: the folder to make; it must not be there, or be empty.
        source: a table in CSV or TSV; it is copied as it is.
        today: the day of the descriptor.
        language: BCP 47 tag of the language in which the questions will be answered.
        agency: SDMX agency; `CDMETA.` and the name of the package, where there is none yet.

    Raises:
        OutputError: the folder is not empty, or cannot be written.
        TableError: the table cannot be read, or its header does not name each column.
        OSError: the table is not there.
    """
    if out.is_symlink() or (out.exists() and (not out.is_dir() or any(out.iterdir()))):
        raise OutputError(at(out, "error.output.there"))
    inferred = infer(source)
    name = slug(out.resolve().name)
    agency = agency or f"CDMETA.{to_concept_id(name)}"
    descriptor = _descriptor(name, agency, language, today, _resource(source, inferred))
    asked = [entry for entry in _core() if entry.path not in _FILLED and "[]." not in entry.path]
    with staged(out, DESCRIPTOR) as stage:
        target = stage / descriptor["resources"][0]["path"]
        target.parent.mkdir()
        shutil.copyfile(source, target)
        (stage / DESCRIPTOR).write_bytes(written(ordered(descriptor)))
        for file, data in zip(QUESTIONS, form.both(language, descriptor), strict=True):
            (stage / file).write_bytes(data)
    return Started(out, name, agency, len(asked), inferred)


def slug(text: str) -> str:
    """A name for machines: lower-case letters without accents, digits and hyphens; `data` if nothing is left."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-") or "data"


# The descriptor


def _descriptor(name: str, agency: str, language: str, today: date, resource: Mapping[str, Any]) -> dict[str, Any]:
    values = (name, FIRST_VERSION, profile.URL, language, today.isoformat())
    known = dict(zip(_FILLED, values, strict=True))
    descriptor: dict[str, Any] = {"$schema": profile.URL}
    for entry in _core():
        _put(descriptor, entry, known.get(entry.path))
    own = descriptor.pop("citizenData")
    return descriptor | {"sdmx": {"agency": agency}, "citizenData": own, "resources": [resource]}


def _core() -> list[Field]:
    return [entry for entry in profile.load().fields.values() if entry.tier == "core"]


def _put(descriptor: dict[str, Any], entry: Field, value: Any) -> None:
    """Put a field at its path, as an open question where no value is given."""
    *above, last = entry.path.split(".")
    holder = descriptor
    for part in above:
        if part.endswith("[]"):
            key = part.removesuffix("[]")
            if not isinstance(holder.get(key), list) or not isinstance(holder[key][0], dict):
                holder[key] = [{}]
            holder = holder[key][0]
        else:
            holder = holder.setdefault(part, {})
    holder.setdefault(last, _open(entry) if value is None else value)


def _open(entry: Field) -> Any:
    """An open question in the shape of its answer."""
    if entry.type == "period":
        return {"start": OPEN_QUESTION, "end": OPEN_QUESTION}
    return [OPEN_QUESTION] if entry.type in ("codes", "strings", "list") else OPEN_QUESTION


def _resource(source: Path, inferred: Inferred) -> dict[str, Any]:
    name = slug(source.stem)
    kind = "tsv" if source.suffix.lower() == ".tsv" else "csv"
    return {
        "name": name,
        "title": OPEN_QUESTION,
        "type": "table",
        "path": f"data/{name}.{kind}",
        "format": kind,
        "mediatype": "text/tab-separated-values" if kind == "tsv" else "text/csv",
        "encoding": inferred.encoding,
        "dialect": {"delimiter": inferred.delimiter},
        "schema": dict(inferred.schema),
    }
