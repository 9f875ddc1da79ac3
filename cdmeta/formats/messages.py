"""What the readers of messages share: what is told of a message that cannot be read, and of what was not read."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cdmeta.errors import ConversionError
from cdmeta.formats.sdmx_ml import PARENT
from cdmeta.formats.sdmx_ml_parts import MATCH, SAME_AS
from cdmeta.phrase import Phrase
from cdmeta.sdmx.artefacts import Annotation
from cdmeta.text import printable


@dataclass(frozen=True)
class Skipped:
    """An artefact of a message that was not read.

    It is of a kind that our artefacts do not know, a mere reference to where it can be had, or says more than ours
    can hold.

    Attributes:
        kind: the SDMX class, as the message calls it: `CategoryScheme`.
        agency, id, version: as far as the message gives them.
    """

    kind: str
    agency: str
    id: str
    version: str

    def __str__(self) -> str:
        return printable(f"{self.kind} {self.agency}:{self.id}({self.version})")


def refusal(key: str, **params: Any) -> ConversionError:
    """The error of a message that cannot be read; `params` are made fit to be shown."""
    shown = {name: printable(value, 300) if isinstance(value, str) else value for name, value in params.items()}
    return ConversionError(Phrase(f"error.message.{key}", shown))


def absent(place: Phrase | str, name: str) -> ConversionError:
    """The error of a part that has to be there, and is not or cannot be understood."""
    return refusal("absent", place=place, name=name)


def whole(value: str) -> int | None:
    """A whole number that is not absurdly long; None where it is none."""
    text = value.strip()
    return int(text) if text.isascii() and text.lstrip("+-").isdigit() and len(text) < 20 else None


def day(value: str) -> dt.date | None:
    """The day of a date or of a time; None where it is neither."""
    try:
        return dt.date.fromisoformat(value.strip()[:10])
    except ValueError:
        return None


def concept_told(notes: Sequence[Annotation]) -> dict[str, Any]:
    """What annotations of a concept tell: the concept that it equals, those that match, and how many tell else."""
    told = [(note.type, note.title) for note in notes if note.type and note.title]
    same = next((title for kind, title in told if kind == SAME_AS), None)
    matches = tuple((kind.removesuffix(MATCH).lower(), title) for kind, title in told if kind.endswith(MATCH))
    return {"same_as": same, "matches": matches, "unread": len(notes) - len(matches) - (same is not None)}


def code_told(notes: Sequence[Annotation]) -> tuple[str | None, int]:
    """What annotations of a code tell: the code above it, and how many tell else."""
    parent = next((note.title for note in notes if note.type == PARENT), None)
    return parent, len(notes) - (parent is not None)
