"""The profile's fields as questions, one a row, with the answers that a descriptor has already."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

from cdmeta import profile
from cdmeta.profile import WITHHELD, Field
from cdmeta.shorthand import expand
from cdmeta.text import OPEN_QUESTION, is_language_tag, is_missing, printable

ANSWERS = 3
"""Cells for answers in a row; what has more stands in the last one, parted."""
SEPARATOR = ";"
TAKE_OUT = "-"
"""Written as an answer, it takes out the one that is there: an empty cell leaves it."""
SECTIONS = ("core", "conditional", "recommended", "full")
"""Tiers in the order in which they are asked."""
WRITTEN_BY_TOOLS = ("citizenData.profile", "citizenData.metadataUpdated")
"""Fields that nobody has to be asked for."""
LIMIT = 32_000
"""Characters that a cell holds; a spreadsheet stops at 32,767."""

_SHOWN = 60
"""Characters of the name of a column or table."""
_ROOM = {"initiators": 3, "partners": 3, "funding": 2, "tools": 2}
"""Numbered rows of a list in an empty sheet; one where it is not named."""
_MOST = {"resources": 20, "fields": 200}
"""Lists of which only what is there is asked, and how many at most."""
# What XML 1.0 cannot hold, and what spreadsheets take for an escape of it (ISO/IEC 29500-1 §22.9.2.19).
_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]|_x[0-9A-Fa-f]{4}_")

Cell = str | int | float


@dataclass(frozen=True)
class Question:
    """A row of the sheet.

    Attributes:
        path: the field, its list elements numbered from 1 (`citizenData.initiators[2].kind`); behind it `.start`
            or `.end` of a period, `@` and the language of a translation.
        entry: the field, in the language of the sheet.
        section: the tier under which it is asked: that of the list or object which it belongs to.
        number: number of the innermost list element; 0 where there is none.
        about: the column and table that it is about, where it is about a column.
        cells: the answers there are, as cells hold them: names of codes, Yes and No.
    """

    path: str
    entry: Field
    section: str
    number: int = 0
    about: tuple[str, ...] = ()
    cells: tuple[Cell, ...] = ()

    @property
    def part(self) -> str:
        """`start` or `end` of a period; else empty."""
        last = self.path.rpartition(".")[2]
        return last if self.entry.type == "period" and last in ("start", "end") else ""

    @property
    def tag(self) -> str:
        """Language of a translation; else empty."""
        return self.path.partition("@")[2]


def questions(language: str, descriptor: Mapping[str, Any]) -> tuple[Question, ...]:
    """All questions, the open ones first within their section, in the profile's order otherwise.

    Args:
        language: in which they are asked; BCP 47.
        descriptor: what is answered already; its `citizenData.language` is that of plain texts.
    """
    descriptor = expand(descriptor)
    own = own_language(descriptor) or language
    entries = [
        entry
        for entry in profile.load(language).fields.values()
        if is_asked_by_itself(entry) and entry.path not in WRITTEN_BY_TOOLS
    ]
    asked = [question for entry in _groups(entries, descriptor) for question in _rows(*entry, own, language)]
    answered = {_whole(question) for question in asked if question.cells}
    return tuple(sorted(asked, key=lambda q: (SECTIONS.index(q.section), _whole(q) in answered)))


def _whole(question: Question) -> str:
    """What stays together: the path of an answer, or of a whole list."""
    return question.path.partition("[")[0]


def is_list(entry: Field) -> bool:
    """Tell whether several answers may be given."""
    return entry.type in ("codes", "strings")


def is_asked_by_itself(entry: Field) -> bool:
    """Tell whether a field has cells of its own: it is no list or object, and is not computed."""
    return entry.tier != "tool" and entry.type not in ("list", "object")


# --- places


@dataclass(frozen=True)
class _Place:
    """Where fields lie: the path with numbers, the value there, and what it is about."""

    path: str
    value: Any
    number: int = 0
    about: tuple[str, ...] = ()

    def below(self, name: str) -> _Place:
        """A member."""
        value = self.value.get(name) if isinstance(self.value, Mapping) else None
        return replace(self, path=f"{self.path}.{name}" if self.path else name, value=value)


def _groups(entries: list[Field], descriptor: Mapping[str, Any]) -> Iterator[tuple[Field, _Place]]:
    """Each field with the place of what holds it; all parts of a list element before the next element."""
    for above, group in groupby(entries, key=_list_above):
        members = list(group)
        for place in _places(above.split(".") if above else [], _Place("", descriptor)):
            for entry in members:
                yield entry, place


def _list_above(entry: Field) -> str:
    return "".join(entry.path.rpartition("[]")[:2])


def _places(parts: list[str], place: _Place) -> Iterator[_Place]:
    if not parts:
        yield place
        return
    name, rest = parts[0].removesuffix("[]"), parts[1:]
    found = place.below(name)
    if not parts[0].endswith("[]"):
        yield from _places(rest, found)
        return
    given = found.value if isinstance(found.value, list) else []
    for index in range(_count(name, given)):
        value = given[index] if index < len(given) else None
        if name not in _MOST:
            yield from _places(rest, _Place(f"{found.path}[{index + 1}]", value, index + 1, place.about))
        elif isinstance(value, Mapping):
            about = (printable(str(value.get("name", index + 1)), _SHOWN), *place.about)
            yield from _places(rest, _Place(f"{found.path}[{index + 1}]", value, index + 1, about))


def _count(name: str, given: list[Any]) -> int:
    """Rows of a list: what is there and room for one more, or room as in an empty sheet."""
    if name in _MOST:
        return min(len(given), _MOST[name])
    return max(0 if is_missing(given) else len(given) + 1, _ROOM.get(name, 1))


# --- rows


def _rows(entry: Field, place: _Place, own: str, language: str) -> Iterator[Question]:
    holder = place
    *above, name = entry.path.removeprefix(_list_above(entry)).strip(".").split(".")
    for part in above:
        holder = holder.below(part)
    found = holder.below(name)
    row = Question(found.path, entry, _section(entry), place.number, place.about)
    if entry.type == "period":
        for part in ("start", "end"):
            value = found.value if found.value == WITHHELD else found.below(part).value
            yield replace(row, path=f"{found.path}.{part}", cells=_cells(entry, value, language))
        return
    texts = _texts(found.value, own) if entry.type == "text" else {"": found.value}
    if entry.type == "text" and isinstance(holder.value, Mapping):
        texts |= _beside(holder.value, name)
    for tag, value in texts.items():
        path = f"{found.path}@{tag}" if tag else found.path
        yield replace(row, path=path, cells=_cells(entry, value, language))


def _section(entry: Field) -> str:
    """The tier of the list or object above a field; its own where there is none."""
    fields = profile.load().fields
    parts = entry.path.split(".")
    above = (".".join(parts[:length]).removesuffix("[]") for length in range(1, len(parts)))
    return next((fields[path].tier for path in above if path in fields), entry.tier)


def _texts(value: Any, own: str) -> dict[str, Any]:
    """Language to text: the package's own under the empty name."""
    if not isinstance(value, Mapping):
        return {"": value}
    others = {tag: text for tag, text in value.items() if tag != own and is_language_tag(tag)}
    return {"": value.get(own), **others}


def _beside(holder: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Translations beside a property: `title@fr` (Data Package recipe "Language Support")."""
    found = {key.removeprefix(f"{name}@"): value for key, value in holder.items() if key.startswith(f"{name}@")}
    return {tag: value for tag, value in found.items() if is_language_tag(tag)}


def own_language(descriptor: Mapping[str, Any]) -> str:
    """The language of plain texts; empty where it is not told."""
    answers = descriptor.get("citizenData")
    value = answers.get("language") if isinstance(answers, Mapping) else None
    return str(value) if is_language_tag(value) else ""


# --- cells


def _cells(entry: Field, value: Any, language: str) -> tuple[Cell, ...]:
    """An answer as cells hold it; none where there is no answer, or cells cannot hold it as it is."""
    if is_missing(value):
        return ()
    if not is_list(entry):
        cell = _cell(entry, value, language)
        return () if cell is None else (cell,)
    if not isinstance(value, list) or not all(isinstance(part, str) and part.strip() for part in value):
        return ()
    parts = [_cell(entry, part, language) for part in value]
    cells = [part if entry.codelist else quoted(part) for part in parts if isinstance(part, str)]
    last = f"{SEPARATOR} ".join(cells[ANSWERS - 1 :])
    return (
        () if len(cells) < len(value) or len(last) > LIMIT else (*cells[: ANSWERS - 1], *([last] if last else ()))
    )


def _cell(entry: Field, value: Any, language: str) -> Cell | None:
    if entry.type in ("integer", "number", "percent"):
        return value if isinstance(value, int | float) and not isinstance(value, bool) else None
    if entry.type == "boolean":
        return yes_no(value, language) if isinstance(value, bool) else None
    if not isinstance(value, str) or not is_writable(value):
        return None
    code = profile.load(language).codelists[entry.codelist].codes.get(value) if entry.codelist else None
    return code.name if code else value


def unnumbered(path: str) -> str:
    """The path that the numbered elements of a list share, the language of a translation left out."""
    return re.sub(r"\[[0-9]+\]", "[]", path.partition("@")[0])


def yes_no(value: bool, language: str) -> str:
    """A truth value as it is chosen in the sheet."""
    return profile.texts(language)["form.yes" if value else "form.no"]


def is_writable(value: str) -> bool:
    """Tell whether a cell gives a text back as it is."""
    text = value.strip()
    return text not in (TAKE_OUT, OPEN_QUESTION) and len(value) <= LIMIT and _UNWRITABLE.search(value) is None


def quoted(item: str) -> str:
    """An item of a list; in quotation marks where it would fall apart."""
    if re.search(rf'[{SEPARATOR}\r\n]|^"', item):
        return '"' + item.replace('"', '""') + '"'
    return item
