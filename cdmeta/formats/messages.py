"""What the readers of messages share: what is told of a message that cannot be read, and of what was not read."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from cdmeta.errors import ConversionError
from cdmeta.formats.sdmx_ml_parts import MATCH, SAME_AS
from cdmeta.phrase import Phrase
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


def annotations_told(
    pairs: Iterable[tuple[str | None, str | None]],
) -> tuple[str | None, tuple[tuple[str, str], ...]]:
    """What annotations of a concept, by type and title, tell: the concept that it equals, and those that match."""
    told = [(kind, title) for kind, title in pairs if kind and title]
    same = next((title for kind, title in told if kind == SAME_AS), None)
    return same, tuple((kind.removesuffix(MATCH).lower(), title) for kind, title in told if kind.endswith(MATCH))
