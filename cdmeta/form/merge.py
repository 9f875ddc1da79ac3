"""Answers of a sheet into a descriptor: new properties in the profile's order, everything else as it was."""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from cdmeta import profile
from cdmeta.form.questions import own_language, unnumbered
from cdmeta.phrase import Phrase
from cdmeta.profile import WITHHELD, Field
from cdmeta.shorthand import Parts, expand, value_at
from cdmeta.text import is_blank, is_missing

"""A place in a descriptor: names of members, and indices from 0."""

_LANGUAGE = "citizenData.language"
_OWN = "citizenData"


@dataclass(frozen=True)
class Merged:
    """A descriptor with the answers of a sheet.

    Attributes:
        descriptor: a copy, short forms written in full; what the sheet does not speak of is as it was.
        changed: paths of the sheet whose answers are other than before, in the profile's order.
        problems: answers that have no place in this package.
    """

    descriptor: dict[str, Any] = field(hash=False)
    changed: tuple[str, ...]
    problems: tuple[Phrase, ...]


@dataclass(frozen=True)
class _Place:
    """Where an answer belongs: its field, its place, and the language of a translation or nothing."""

    entry: Field
    steps: Parts
    tag: str


def merge(descriptor: Mapping[str, Any], answers: Mapping[str, Any]) -> Merged:
    """Take over answers: path as in `questions.Question` → value, or None to take the answer out."""
    before = expand(descriptor)
    merged = copy.deepcopy(before)
    own = str(answers.get(_LANGUAGE) or own_language(before))
    changed: list[str] = []
    problems: list[Phrase] = []
    for path in sorted(answers, key=_rank):
        place, value = _place(path, own), answers[path]
        if not _is_there(merged, place.steps):
            problems.append(Phrase("form.wrong.nowhere", {"path": path}))
        elif value is not None and (gap := _gap(before, answers, path)):
            problems.append(Phrase("form.wrong.gap", {"path": path, "gap": gap}))
        elif not _is_same(place.entry, _value(merged, place, own), value):
            _set(merged, place, value, own)
            changed.append(path)
    for path in changed:
        _tidy(merged, _place(path, own).steps)
    return Merged(merged, tuple(changed) if merged != before else (), tuple(problems))


def _rank(path: str) -> tuple[int, list[int]]:
    """The profile's order, and list elements by number."""
    paths = list(profile.load().fields)
    return paths.index(_field_of(path).path), [int(number) for number in re.findall(r"\[([0-9]+)\]", path)]


def _field_of(path: str) -> Field:
    generic = unnumbered(path)
    fields = profile.load().fields
    return fields.get(generic) or fields[generic.rpartition(".")[0]]


def _place(path: str, own: str) -> _Place:
    plain, _, tag = path.partition("@")
    steps: list[str | int] = []
    for name, number in re.findall(r"([^.\[\]]+)(?:\[([0-9]+)\])?", plain):
        steps += [name, int(number) - 1] if number else [name]
    return _Place(_field_of(path), tuple(steps), "" if tag == own else tag)


def _is_there(document: Mapping[str, Any], steps: Parts) -> bool:
    """Tables and columns are never made by a sheet."""
    if steps[0] != "resources":
        return True
    last = max(number for number, step in enumerate(steps) if isinstance(step, int))
    return isinstance(value_at(document, steps[: last + 1]), dict)


def _gap(document: Mapping[str, Any], answers: Mapping[str, Any], path: str) -> str:
    """The list element that has to be filled before this one may be; empty where there is none.

    With a gap, the same sheet taken over again would add its last element again.
    """
    head, sign, tail = path.partition("[")
    if not sign or head == "resources":
        return ""
    given = value_at(document, tuple(head.split(".")))
    count = len(given) if isinstance(given, list) and not _is_empty(given) else 0
    filled = {other.partition("]")[0] for other, value in answers.items() if value is not None}
    numbers = range(count + 1, int(tail.partition("]")[0]))
    return next((f"{head}[{number}]" for number in numbers if f"{head}[{number}" not in filled), "")


def _is_empty(value: Any) -> bool:
    """Nothing was written there; a word that looks like a placeholder may be somebody's name, and is kept."""
    if isinstance(value, dict | list):
        return all(map(_is_empty, value.values() if isinstance(value, dict) else value))
    return value is None or is_blank(value)


# --- one answer


def _value(document: Mapping[str, Any], place: _Place, own: str) -> Any:
    """The answer that is there."""
    found = value_at(document, place.steps)
    if place.entry.type == "period" and value_at(document, place.steps[:-1]) == WITHHELD:
        return WITHHELD
    if place.tag and (beside := value_at(document, _beside(place))) is not None:
        return beside
    if place.entry.type == "text" and isinstance(found, dict):
        return found.get(place.tag or own)
    return None if place.tag else found


def _beside(place: _Place) -> Parts:
    """The place of a translation that stands beside the property: `title@fr`."""
    return (*place.steps[:-1], f"{place.steps[-1]}@{place.tag}")


def _is_same(entry: Field, old: Any, new: Any) -> bool:
    if new is None:
        return is_missing(old)
    if entry.type == "integer" and not isinstance(old, int):
        return False
    return isinstance(old, bool) == isinstance(new, bool) and bool(_plain(old) == _plain(new))


def _plain(value: Any) -> Any:
    """A value as a cell gives it back."""
    if isinstance(value, list):
        return [_plain(part) for part in value]
    return value.replace("\r\n", "\n").replace("\r", "\n").strip() if isinstance(value, str) else value


def _set(document: dict[str, Any], place: _Place, value: Any, own: str) -> None:
    steps = place.steps
    if place.entry.type == "period" and (WITHHELD in (value, value_at(document, steps[:-1]))):
        # A period is withheld, or told again, as a whole.
        steps, value = (steps[:-1], value) if value in (WITHHELD, None) else (steps, value)
    elif place.entry.type == "text":
        steps, value = _worded(document, place, value, own)
    holder, name = _made(document, steps[:-1]), str(steps[-1])
    if value is None:
        holder.pop(name, None)
    else:
        _insert(holder, name, value, _names(_generic(steps[:-1])))


def _worded(document: Mapping[str, Any], place: _Place, value: Any, own: str) -> tuple[Parts, Any]:
    """A text among its translations: where it is put, and what is put there."""
    found, beside = value_at(document, place.steps), _beside(place)
    if place.tag and (place.steps[0] != _OWN or value_at(document, beside) is not None):
        return beside, value
    if isinstance(found, dict):
        texts = found | {place.tag or own: value}
    elif place.tag:
        texts = ({} if is_missing(found) else {own: found}) | {place.tag: value}
    else:
        return place.steps, value
    return place.steps, {tag: text for tag, text in texts.items() if text is not None} or None


# --- places that have to be made


def _made(document: dict[str, Any], steps: Parts) -> dict[str, Any]:
    """The object at a place, made where it is not there."""
    holder: Any = document
    for number, step in enumerate(steps):
        kind = list if number + 1 < len(steps) and isinstance(steps[number + 1], int) else dict
        if isinstance(step, int):
            holder.extend({} for _ in range(len(holder), step + 1))
            holder[step] = holder[step] if isinstance(holder[step], dict) else {}
        elif not isinstance(holder.get(step), kind):
            _insert(holder, step, kind(), _names(_generic(steps[:number])))
        holder = holder[step]
    found: dict[str, Any] = holder
    return found


def _generic(steps: Parts) -> str:
    return "".join("[]" if isinstance(step, int) else f".{step}" for step in steps).removeprefix(".")


@cache
def _names(above: str) -> tuple[str, ...]:
    """The names of members in the profile's order."""
    start = f"{above}." if above else ""
    below = [path.removeprefix(start) for path in profile.load().fields if path.startswith(start)]
    return tuple(dict.fromkeys(path.partition(".")[0].removesuffix("[]") for path in below))


def _insert(holder: dict[str, Any], name: str, value: Any, order: tuple[str, ...]) -> None:
    """Put a member behind those that the profile asks for before it; one that is there keeps its place."""
    if name in holder:
        holder[name] = value
        return
    ranks = [(at, _place_in(order, key)) for at, key in enumerate(holder)]
    known = [(at, rank) for at, rank in ranks if rank[0] < len(order)]
    before = [at + 1 for at, rank in known if rank < _place_in(order, name)]
    at = max(before) if before else known[0][0] if known else len(holder)
    items = list(holder.items())
    holder.clear()
    holder.update([*items[:at], (name, value), *items[at:]])


def _place_in(order: tuple[str, ...], key: str) -> tuple[int, str]:
    """A property goes before its translations."""
    name, _, tag = key.partition("@")
    return (order.index(name) if name in order else len(order)), tag


def _tidy(document: dict[str, Any], steps: Parts) -> None:
    """Take out what holds no answer any more: elements that were left empty, and then their list or object."""
    for length in range(len(steps) - 1, 0, -1):
        holder, step = value_at(document, steps[: length - 1]), steps[length - 1]
        below = value_at(document, steps[:length])
        if steps[0] == "resources" or not isinstance(step, str) or not isinstance(holder, dict):
            continue
        if isinstance(below, list):
            answered = [element for element in below if not _is_empty(element)]
            holder[step] = below = answered or [element for element in below if element != {}]
        if below in ({}, []) and step != _OWN:
            del holder[step]
