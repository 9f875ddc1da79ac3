"""What is known of a licence by its short name (SPDX, Open Definition)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any, Literal

from cdmeta.profile import table
from cdmeta.text import is_missing

Openness = Literal["open", "closed", "unknown"]


@dataclass(frozen=True)
class Licence:
    """A licence.

    Attributes:
        id: its short name.
        open: anybody may use, change and share what stands under it, for anything (Open Definition 2.1).
        commercial: businesses may use it.
        source: where that is said.
    """

    id: str
    open: bool
    commercial: bool
    source: str


def find(name: str) -> Licence | None:
    """The licence with a short name, however it is spaced and cased; None where it is not known.

    >>> find("cc by 4.0").id
    'CC-BY-4.0'
    """
    return _known().get(_plain(name))


@cache
def _known() -> Mapping[str, Licence]:
    rows = [
        Licence(row["id"], row["open"] == "yes", row["commercial"] == "yes", row["source"])
        for row in table("licences.csv")
    ]
    return MappingProxyType({_plain(licence.id): licence for licence in rows})


def _plain(name: str) -> str:
    return re.sub(r"[\s_-]+", "-", name.strip()).casefold()


def names(licenses: Any) -> tuple[str, ...]:
    """The short names in `licenses` of a descriptor, whatever the JSON."""
    return tuple(_names(licenses))


def _names(licenses: Any) -> Iterator[str]:
    for entry in licenses if isinstance(licenses, list) else ():
        name = entry.get("name") if isinstance(entry, Mapping) else None
        if isinstance(name, str) and not is_missing(name):
            yield name


def openness(*given: str) -> Openness:
    """What users may do where several licences are given, of which they may choose one.

    `unknown` where none is known to be open, and one is not known at all.
    """
    found = [find(name) for name in given]
    if any(licence and licence.open for licence in found):
        return "open"
    return "closed" if all(found) and found else "unknown"
