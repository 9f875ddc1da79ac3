"""Start a package from a table: a descriptor with all that can be found out, and questions for the rest."""

from __future__ import annotations

import re
import shutil
import tempfile
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from cdmeta import form, profile
from cdmeta.checks.columns import is_called
from cdmeta.checks.official import BASE
from cdmeta.errors import TableError
from cdmeta.layout import ordered, written
from cdmeta.package import DESCRIPTOR, QUESTIONS
from cdmeta.phrase import SENTENCES, Phrase, Series, at
from cdmeta.profile import Field
from cdmeta.tables.infer import Inferred, infer
from cdmeta.tables.records import TableReadError
from cdmeta.tables.workbook import FORMATS, to_csv
from cdmeta.text import OPEN_QUESTION, is_missing
from cdmeta.urn import to_concept_id
from cdmeta.workflows.output import refuse_used, staged

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


def new(
    out: Path,
    source: Path,
    today: date,
    *,
    language: str = "en",
    agency: str | None = None,
    sheet: str | None = None,
) -> Started:
    """Make a package from a table.

    Args:
        out: the folder to make; it must not be there, or be empty.
        source: a table in CSV or TSV, which is copied as it is, or a workbook, of which a sheet is written as CSV.
        today: the day of the descriptor.
        language: BCP 47 tag of the language in which the questions will be answered.
        agency: SDMX agency; `CDMETA.` and the name of the package, where there is none yet.
        sheet: the sheet of a workbook in which several hold something.

    Raises:
        OutputError: the folder is not empty, or cannot be written.
        TableError: the table cannot be read, or its header does not name each column, or something would be lost.
        OSError: the table is not there.
    """
    refuse_used(out)
    with tempfile.TemporaryDirectory(prefix="cdmeta-new-") as scratch:
        table, inferred = _table(source, sheet, Path(scratch))
        return _started(out, source, table, _with_base(inferred), today, language, agency)


def _table(source: Path, sheet: str | None, scratch: Path) -> tuple[Path, Inferred]:
    """The table as text, and what was found out about it."""
    if source.suffix.lower().removeprefix(".") not in FORMATS:
        if sheet is not None:
            raise TableError(at(source, "infer.sheetless"))
        return source, infer(source)
    table = scratch / "table.csv"
    try:
        found = to_csv(source, table, sheet)
    except TableReadError as error:
        reason = Phrase(f"rows.{error.reason}", error.params)
        raise TableError(at(source, "infer.sheet-unreadable", reason=reason)) from error
    # Sheets that would be left out are as grave as cells that would be empty.
    if grave := [finding for finding in found if finding.severity() == "error" or finding.code == "CD429"]:
        told = tuple(finding.phrase(column) for finding in grave for column in ("message", "remedy"))
        raise TableError(at(source, "infer.sheet-refused", reasons=Series(told, SENTENCES)))
    inferred = infer(table, source)
    notes = [("sheet-seen", {"note": finding.phrase()}) for finding in found]
    return table, replace(inferred, notes=(("sheet", {"count": inferred.rows}), *notes, *inferred.notes))


def _with_base(inferred: Inferred) -> Inferred:
    """The column that counts the people behind the figures said to be that, where its name leaves no doubt.

    It is no figure to publish by itself; where nothing says so, nobody can tell which number is (`CD703`).
    """
    fields = inferred.schema["fields"]
    key = inferred.schema.get("primaryKey", [])
    numbers = [each for each in fields if each["type"] in ("integer", "number") and each["name"] not in key]
    counts = [each for each in numbers if each["type"] == "integer" and _is_base(each["name"])]
    if len(counts) != 1 or len(numbers) < 2 or not key:
        return inferred
    name = counts[0]["name"]
    said = {"sdmx": {"role": "attribute", "id": BASE}}
    made = [each | said if each["name"] == name else each for each in fields]
    return replace(
        inferred,
        schema={**inferred.schema, "fields": made},
        notes=(*inferred.notes, ("base", {"name": name})),
    )


def _is_base(name: str) -> bool:
    return is_called(name, "base") and not is_called(name, "share")


def _started(
    out: Path, source: Path, table: Path, inferred: Inferred, today: date, language: str, agency: str | None
) -> Started:
    name = slug(out.resolve().name)
    agency = agency or f"CDMETA.{to_concept_id(name)}"
    descriptor = _descriptor(name, agency, language, today, _resource(source, inferred))
    asked = [entry for entry in _core() if entry.path not in _FILLED and "[]." not in entry.path]
    with staged(out, DESCRIPTOR) as stage:
        target = stage / descriptor["resources"][0]["path"]
        target.parent.mkdir()
        shutil.copyfile(table, target)
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
    ask(descriptor, known)
    own = descriptor.pop("citizenData")
    return descriptor | {"sdmx": {"agency": agency}, "citizenData": own, "resources": [resource]}


def ask(descriptor: dict[str, Any], known: Mapping[str, Any]) -> int:
    """Put an open question wherever a core field has no value yet, or the value that is known by its path.

    Returns:
        How many of the fields are open, those in lists of objects not counted.
    """
    for entry in _core():
        _put(descriptor, entry, known.get(entry.path))
    asked = (entry for entry in _core() if "[]." not in entry.path)
    return sum(1 for entry in asked if is_missing(_at(descriptor, entry.path)))


def _at(descriptor: Mapping[str, Any], path: str) -> Any:
    value: Any = descriptor
    for part in path.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


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
        "type": "table",
        "path": f"data/{name}.{kind}",
        "format": kind,
        "mediatype": "text/tab-separated-values" if kind == "tsv" else "text/csv",
        "encoding": inferred.encoding,
        "dialect": {"delimiter": inferred.delimiter},
        "schema": dict(inferred.schema),
    }
