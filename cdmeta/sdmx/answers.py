"""Reference metadata → answers to the profile's fields: what `metadata` writes, back again.

Of reports by other people's metadata structures only attributes that one field alone fills, with a text or a day,
are taken; what was put together of several answers cannot be taken apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Any

from cdmeta import profile
from cdmeta.period import bounds, to_date
from cdmeta.profile import Field
from cdmeta.sdmx.artefacts import MetadataSet, ReportedAttribute
from cdmeta.sdmx.metadata import METADATAFLOW
from cdmeta.sdmx.reports import HEADING, Template, templates
from cdmeta.text import Text

_LISTED = ("codes", "strings")
_NUMBERS = ("integer", "number", "percent")


def put_text(holder: dict[str, Any], key: str, text: Text, language: str) -> None:
    """Put a text as a standard property has it: plain in the language of the package, others beside it (`@fr`)."""
    for tag, part in text:
        holder[key if tag == language else f"{key}@{tag}"] = part


def is_ours(report: MetadataSet) -> bool:
    """Tell whether a report is made by the profile's own metadata structure."""
    ref = report.metadataflow
    ids = (METADATAFLOW.id, METADATAFLOW.id.replace("MDF_", "MSD_"))
    return ref.agency == METADATAFLOW.agency and ref.id in ids


def language_of(report: MetadataSet) -> str | None:
    """The language in which a report of ours was written."""
    found = (part.value for part in report.attributes if part.id == "META_LANGUAGE")
    return next((value for value in map(_plain, found) if value), None)


def answered(report: MetadataSet, language: str) -> tuple[dict[str, Any], tuple[str, ...]]:
    """What a report says, as members of a descriptor; and the ids of attributes that it could not take.

    Args:
        report: a report by any metadata structure.
        language: of the plain texts of the descriptor.
    """
    descriptor: dict[str, Any] = {}
    left: list[str] = []
    if is_ours(report):
        for part in report.attributes:
            _take(descriptor, part, "", None, language, left)
    elif template := _template(report):
        _from_template(descriptor, template, report, language, left)
    else:
        left += [part.id for top in report.attributes for part in _walk(top) if part.value is not None]
    return descriptor, tuple(dict.fromkeys(left))


@cache
def _fields() -> Mapping[tuple[str, str], Field]:
    return {(entry.concept, entry.parent): entry for entry in profile.load().fields.values() if entry.concept}


def _take(
    descriptor: dict[str, Any],
    part: ReportedAttribute,
    parent: str,
    element: dict[str, Any] | None,
    language: str,
    left: list[str],
) -> None:
    """Put one attribute and all below it; `element` is the object of a list that the parent stands for."""
    entry = _fields().get((part.id, parent))
    if entry is None:
        left += [below.id for below in _walk(part) if below.value is not None]
        return
    if entry.tier == "tool":
        return
    path = entry.path
    if entry.type == "list":
        element = _added(descriptor, path)
    elif "[]." in path:
        above, _, path = path.rpartition("[].")
        element = element if parent and element is not None else _added(descriptor, above)
    holder = element if element is not None and "[]." in entry.path else descriptor
    if part.value is not None and not _put(holder, path, entry, part.value, language):
        left.append(part.id)
    for child in part.children:
        _take(descriptor, child, part.id, element, language, left)


def _added(descriptor: dict[str, Any], path: str) -> dict[str, Any]:
    """A new object at the end of a list."""
    holder, last = _holder(descriptor, path)
    made: dict[str, Any] = {}
    holder.setdefault(last, []).append(made)
    return made


def _holder(descriptor: dict[str, Any], path: str) -> tuple[dict[str, Any], str]:
    *above, last = path.split(".")
    for step in above:
        descriptor = descriptor.setdefault(step, {})
    return descriptor, last


def _put(descriptor: dict[str, Any], path: str, entry: Field, value: Text | str, language: str) -> bool:
    """Put a value at a path; False where it is none of the field's type."""
    holder, last = _holder(descriptor, path)
    if entry.type == "text" and isinstance(value, Text):
        if entry.path.startswith("citizenData."):
            alone = value.languages == (language,)
            holder[last] = value.best(language) if alone else value.as_dict()
        else:
            put_text(holder, last, value, language)
        return True
    plain = _typed(entry, _plain(value))
    if plain is None:
        return False
    if entry.type in _LISTED:
        holder.setdefault(last, []).append(plain)
    else:
        holder[last] = plain
    return True


def _typed(entry: Field, value: str) -> Any:
    """A value as a descriptor has it; None where it is none of the field's type."""
    if value == profile.WITHHELD or not value:
        return value or None
    if entry.type == "boolean":
        return {"true": True, "1": True, "false": False, "0": False}.get(value)
    if entry.type in _NUMBERS:
        try:
            number = Decimal(value)
        except InvalidOperation:
            return None
        return int(number) if number.is_finite() and number == int(number) else float(number)
    if entry.type == "period":
        days = bounds(value)
        return {"start": days[0].isoformat(), "end": days[1].isoformat()} if days else None
    return value


def _plain(value: Text | str | None) -> str:
    return value.best("en") if isinstance(value, Text) else value or ""


def _walk(part: ReportedAttribute) -> Iterator[ReportedAttribute]:
    yield part
    for child in part.children:
        yield from _walk(child)


def _template(report: MetadataSet) -> Template | None:
    """Whose metadata structure a report is made by, where we know it."""
    for template in templates().values():
        if report.metadataflow.id in (template.id, template.structure.id, f"MDF_{template.id}"):
            return template
    return None


def _from_template(
    descriptor: dict[str, Any], template: Template, report: MetadataSet, language: str, left: list[str]
) -> None:
    slots = {slot.id: slot for slot in template.slots if slot.type != HEADING}
    fields = profile.load().fields
    for part in _all(report.attributes):
        if part.value is None:
            continue
        slot = slots.get(part.id)
        alone = slot is not None and len(slot.paths) == 1 and slot.take is None
        entry = fields.get(slot.paths[0]) if slot is not None and alone else None
        if entry is None or "[]" in entry.path or not _fits(entry, part.value):
            left.append(part.id)
            continue
        value = part.value if isinstance(part.value, Text) else Text.of(part.value, language)
        _put(descriptor, entry.path, entry, value if entry.type == "text" else _plain(part.value), language)


def _fits(entry: Field, value: Text | str) -> bool:
    return entry.type == "text" or (entry.type == "date" and to_date(_plain(value)) is not None)


def _all(attributes: Iterable[ReportedAttribute]) -> Iterator[ReportedAttribute]:
    for part in attributes:
        yield from _walk(part)
