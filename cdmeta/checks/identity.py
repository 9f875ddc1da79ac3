"""Which columns are on who people are: sex, ethnicity, faith, disability and the like (Principle 6)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from cdmeta.profile import table
from cdmeta.text import unaccented

_WORD = re.compile(r"[^\W\d_]+")
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")

Words = tuple[str, ...]


def concept_of(column: Mapping[str, Any]) -> str | None:
    """What a column tells of who people are, by its name, titles or SDMX id; None where it is something else.

    Args:
        column: a field of a Table Schema, whatever the JSON.

    Returns:
        A concept of the table `identity.csv`, for instance `ethnicity`.
    """
    for name in _names(column):
        words = words_of(name)
        for concept, wanted, whole in _known():
            if words == wanted if whole else holds(words, wanted):
                return concept
    return None


def _names(column: Mapping[str, Any]) -> Iterator[str]:
    sdmx = column.get("sdmx")
    told = [value for key, value in column.items() if key in ("name", "title") or str(key).startswith("title@")]
    for value in (*told, sdmx.get("id") if isinstance(sdmx, Mapping) else None):
        if isinstance(value, str):
            yield value


def words_of(name: str) -> Words:
    """The words of a name, without accents and case: `sexoReal`, `Sexo real` and `SEXO_REAL` are alike."""
    return tuple(word.casefold() for word in _WORD.findall(_HUMP.sub(" ", unaccented(name))))


@cache
def _known() -> tuple[tuple[str, Words, bool], ...]:
    return tuple((row["concept"], words_of(row["words"]), row["whole"] == "yes") for row in table("identity.csv"))


def holds(words: Words, wanted: Words) -> bool:
    """Tell whether some words stand among others, one behind the other."""
    length = len(wanted)
    return any(words[start : start + length] == wanted for start in range(len(words) - length + 1))
