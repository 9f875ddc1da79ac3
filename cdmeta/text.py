"""Texts in several languages, as a descriptor holds them and as SDMX and DCAT write them."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

LANGUAGE_TAG = (
    r"[A-Za-z]{2,3}(-[A-Za-z]{3}){0,3}(-[A-Za-z]{4})?(-([A-Za-z]{2}|[0-9]{3}))?"
    r"(-([A-Za-z0-9]{5,8}|[0-9][A-Za-z0-9]{3}))*(-[A-WY-Za-wy-z0-9](-[A-Za-z0-9]{2,8})+)*(-x(-[A-Za-z0-9]{1,8})+)?"
)
"""BCP 47 without its grandfathered tags: language, script, region, variants, extensions, private use."""

MAX_SHOWN = 4_000
"""Characters of a value that are shown to a person; the rest is left out in its middle."""

OPEN_QUESTION = "?"
"""What `cdmeta new` writes where a person still has to answer; it counts as missing."""


def is_language_tag(value: object) -> bool:
    """Tell whether a value is a well-formed BCP 47 language tag (RFC 5646 §2.1)."""
    return isinstance(value, str) and re.fullmatch(LANGUAGE_TAG, value) is not None


def is_blank(value: object) -> bool:
    """Tell whether a text holds nothing, or the open question alone."""
    return isinstance(value, str) and value.strip() in ("", OPEN_QUESTION)


def is_placeholder(value: str) -> bool:
    """Tell whether a text only holds a place for an answer: `TBD`, `n/a`, `xxx`, `por definir`, `…`.

    It counts as empty (domain table of the principles, Principle 7). The words are in `profiles/placeholders.csv`.
    """
    if _LONG.match(value):
        return False
    return _remembered(value) if len(value) < _SHORT else _holds_a_place(value)


@lru_cache(maxsize=2048)
def _remembered(value: str) -> bool:
    """Codes and the like come again and again."""
    return _holds_a_place(value)


def _holds_a_place(value: str) -> bool:
    folded = _folded(value)
    return not folded or _CROSSES.fullmatch(folded) is not None or folded in _placeholders()


_SHORT = 200
_AROUND = " .…!?()[]<>{}*_-–—/\"'"
_CROSSES = re.compile("x{3,}")
# Folding leaves these characters in, and no placeholder has so many of them (a test holds that).
_LONG = re.compile("(?:[^A-WYZa-wyz0-9]*+[A-WYZa-wyz0-9]){50}")


def _folded(value: str) -> str:
    """A text as people take it for the same: without case, accents, doubled spaces, and marks around it."""
    return " ".join(unaccented(value).casefold().split()).strip(_AROUND)


def unaccented(value: str) -> str:
    """A text without the accents of its letters: `Región` as `Region`."""
    if value.isascii():
        return value
    return "".join(c for c in unicodedata.normalize("NFKD", value) if not unicodedata.combining(c))


@cache
def _placeholders() -> frozenset[str]:
    text = files("cdmeta.profiles").joinpath("placeholders.csv").read_text(encoding="utf-8")
    return frozenset(_folded(row["text"]) for row in csv.DictReader(io.StringIO(text)))


def is_missing(value: object) -> bool:
    """Tell whether a value is no answer: absent, blank, an open question, a placeholder, a container of such."""
    if value is None:
        return True
    if isinstance(value, str):
        return is_blank(value) or is_placeholder(value)
    if isinstance(value, (list, tuple)):
        return all(map(is_missing, value))
    if isinstance(value, (dict, Mapping)):
        return all(map(is_missing, value.values()))
    return False


def printable(value: str, limit: int = MAX_SHOWN) -> str:
    r"""A text that may be shown anywhere: on one line, not endless, with nothing in it that steers a terminal.

    Control characters, characters that reorder or hide others, and half surrogates become escapes such as `\x1b`.
    """
    if len(value) > limit:
        value = f"{value[: limit // 2]} … {value[-limit // 2 :]}"
    if value.isprintable():
        return value
    return "".join(c if _is_harmless(c) else c.encode("unicode_escape").decode("ascii") for c in value)


def pointer_step(name: object) -> str:
    """The name of a member, or an index, as a step of a JSON Pointer (RFC 6901 §3)."""
    return str(name).replace("~", "~0").replace("/", "~1")


def quoted(path: object) -> str:
    """A path as it is typed in a command: between quotation marks, where it has spaces."""
    shown = printable(str(path))
    return f'"{shown}"' if " " in shown else shown


def _is_harmless(character: str) -> bool:
    # Spaces that do not break, and the joiners that Persian and the scripts of India are written with, are text.
    return character.isprintable() or unicodedata.category(character) == "Zs" or character in "\u200c\u200d"


@dataclass(frozen=True, slots=True)
class Text:
    """A text in one or more languages.

    Attributes:
        entries: pairs of BCP 47 language tag and text, in the order in which they were given.
    """

    entries: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, value: Any, language: str) -> Text:
        """Read a plain string (in `language`) or a mapping of language to string; anything else is empty.

        Entries under what is no language tag are left out: no format could write them.
        """
        pairs = value.items() if isinstance(value, Mapping) else [(language, value)]
        return cls(
            tuple(
                (tag, part.strip())
                for tag, part in pairs
                if isinstance(part, str) and not is_blank(part) and is_language_tag(tag)
            )
        )

    @classmethod
    def at(cls, mapping: Mapping[str, Any], key: str, language: str) -> Text:
        """Read the text at a key, with its translations: a language map, or `key@fr` beside `key`.

        The standard properties of a descriptor have to be plain strings, so their translations stand beside them
        (Data Package recipe "Language Support").
        """
        own = cls.of(mapping.get(key), language)
        beside = [
            (tag, value)
            for name, value in mapping.items()
            if name.startswith(f"{key}@") and (tag := name.partition("@")[2])
        ]
        return cls(tuple(dict(own.entries + cls.of(dict(beside), language).entries).items()))

    def __bool__(self) -> bool:
        return bool(self.entries)

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self.entries)

    def __str__(self) -> str:
        return self.best()

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages present, in order."""
        return tuple(tag for tag, _ in self.entries)

    def best(self, *wanted: str) -> str:
        """The text in the first wanted language there is, by exact tag and then by primary subtag; else any."""
        for want in wanted:
            for tag, part in self.entries:
                if tag.lower() == want.lower():
                    return part
            for tag, part in self.entries:
                if tag.lower().split("-")[0] == want.lower().split("-")[0]:
                    return part
        return self.entries[0][1] if self.entries else ""

    def as_dict(self) -> dict[str, str]:
        """Language tag to text."""
        return dict(self.entries)


NO_TEXT = Text()
