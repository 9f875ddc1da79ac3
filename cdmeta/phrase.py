"""Words in any language: what the profile has of them, and phrases that are worded when they are shown.

English stands where it is edited: in the version's folder of the profile, and in `locales/en/texts.csv`. Another
language is files in `locales/LANGUAGE/` and no code. What it lacks is told in English, part by part.
"""

from __future__ import annotations

import csv
import errno
import io
import re
import string
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from types import MappingProxyType
from typing import Any

from cdmeta.text import Text, printable

VERSION = "1.0"
ENGLISH = "en"
"""The language in which the profile is written; what a translation lacks is told in it."""
TRANSLATED: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = MappingProxyType(
    {
        "fields": (("path",), ("title", "description", "question", "when")),
        "codelists": (("id",), ("name", "description")),
        "codes": (("codelist", "code"), ("name", "description")),
        "rules": (("code",), ("title", "message", "remedy", "why")),
        "texts": (("key",), ("text",)),
    }
)
"""What a translation consists of: each file of `locales/LANGUAGE/`, its key columns and its columns of words."""
FORMS = "|"
"""Parts the forms of a text that its `count` chooses from, in the order of the language's `plural.forms`."""
COMMA, SEMICOLON, SENTENCES = "list.comma", "list.semicolon", "list.sentences"
"""Keys of the texts that join the parts of a series."""
Key = tuple[str, ...]
Words = Mapping[Key, Mapping[str, str]]
"""Key of a row → column → words that are not empty."""


def folder() -> Traversable:
    """The folder of the profile's version."""
    return files("cdmeta.profiles").joinpath("citizen-data", VERSION)


def locales() -> Traversable:
    """The folder of the languages: a folder a language, called by its BCP 47 tag."""
    return files("cdmeta.profiles").joinpath("locales")


@cache
def languages() -> tuple[str, ...]:
    """The languages in which the profile speaks, English first; each is a folder of files and no code."""
    others = sorted(child.name for child in locales().iterdir() if child.is_dir() and child.name != ENGLISH)
    return (ENGLISH, *others)


@lru_cache(maxsize=256)
def closest(tag: str) -> str:
    """The language that comes closest to a wanted tag; English where there is none: `es-CO` → `es`.

    The tag is shortened from its end until a language has that name (RFC 4647 §3.4); where none has, any of the
    same primary language does, because its speakers can read it.
    """
    by_fold = {name.casefold(): name for name in languages()}
    parts = tag.casefold().replace("_", "-").split("-")
    for length in range(len(parts), 0, -1):
        if (found := by_fold.get("-".join(parts[:length]))) is not None:
            return found
    return next((name for fold, name in by_fold.items() if fold.split("-")[0] == parts[0]), ENGLISH)


@cache
def words(file: str, language: str = ENGLISH) -> Words:
    """What a language has of its own, and nothing from English: key of a row → column → words.

    Args:
        file: one of `TRANSLATED`, for instance `fields`.
        language: one of `languages()`.
    """
    keys, columns = TRANSLATED[file]
    return MappingProxyType(
        {
            tuple(row[key] for key in keys): {name: row[name] for name in columns if (row.get(name) or "").strip()}
            for row in (_english(file) if language == ENGLISH else _rows_of(language, file))
        }
    )


def rows(file: Traversable) -> list[dict[str, str]]:
    """The rows of a CSV file by the names of its header."""
    return list(csv.DictReader(io.StringIO(file.read_text(encoding="utf-8"), newline="")))


def _english(file: str) -> Iterable[dict[str, str]]:
    """English stands in the version's folder, codes in a file a list; texts are no part of a version."""
    if file == "texts":
        return _rows_of(ENGLISH, file)
    if file != "codes":
        return rows(folder().joinpath(f"{file}.csv"))
    lists = (row["id"] for row in rows(folder().joinpath("codelists.csv")))
    return [
        row | {"codelist": name, "code": row["id"]}
        for name in lists
        for row in rows(folder().joinpath("codelists", f"{name}.csv"))
    ]


def _rows_of(language: str, file: str) -> list[dict[str, str]]:
    found = locales().joinpath(language, f"{file}.csv")
    return rows(found) if found.is_file() else []


def texts(language: str = ENGLISH) -> Mapping[str, str]:
    """The texts of reports, pages and commands by key, in the closest language, each falling back to English."""
    return _texts(closest(language))


@cache
def _texts(language: str) -> Mapping[str, str]:
    english, own = words("texts", ENGLISH), words("texts", language)
    return MappingProxyType({key[0]: {**row, **own.get(key, {})}["text"] for key, row in english.items()})


def in_languages(file: str, key: str | Key, column: str) -> Text:
    """One text of the profile in all languages that have it, English first; empty where English has none.

    Args:
        file: one of `TRANSLATED`.
        key: the key of the row: `"citizenData.initiators[].kind"`, `("CL_ACCESS", "OPEN")`, `"CD130"`.
        column: one of the file's columns of words, for instance `"title"`.
    """
    found = ((language, _own(file, key, column, language)) for language in languages())
    entries = tuple((language, text) for language, text in found if text)
    return Text(entries if entries and entries[0][0] == ENGLISH else ())


def _own(file: str, key: str | Key, column: str, language: str) -> str:
    return words(file, language).get((key,) if isinstance(key, str) else key, {}).get(column, "")


# --- phrases


@dataclass(frozen=True)
class Phrase:
    """Words of the profile that are worded when they are shown, in the reader's language.

    Attributes:
        key: of the row: a key of the texts, or of another file as `in_languages` takes it.
        params: what fills the blanks; phrases and series among it are worded likewise.
        file: one of `TRANSLATED`.
        column: of the file.
    """

    key: str | Key
    params: Mapping[str, Any] = field(default_factory=dict, hash=False)
    file: str = "texts"
    column: str = "text"

    def __str__(self) -> str:
        return self.told()

    def told(self, language: str = ENGLISH) -> str:
        """The phrase in the language closest to the one wanted; in English where that language lacks it.

        Raises:
            KeyError: English has no such key.
        """
        wanted = closest(language)
        own = _own(self.file, self.key, self.column, wanted)
        if own or wanted == ENGLISH:
            return _fill(own or _english_of(self), self.params, wanted, wanted)
        return _fill(_english_of(self), self.params, ENGLISH, wanted)

    def language(self, wanted: str) -> str:
        """The language in which it is told: the one closest to the one wanted; English if only a part of it is."""
        own = closest(wanted)
        parts = [part.language(wanted) for part in self.params.values() if isinstance(part, Phrase)]
        return own if _own(self.file, self.key, self.column, own) and ENGLISH not in parts else ENGLISH


@dataclass(frozen=True)
class Series:
    """Several words or phrases, one after the other.

    Attributes:
        parts: in order.
        pattern: key of the text that joins two of them, with the blanks `head` and `tail`.
    """

    parts: tuple[Any, ...]
    pattern: str = COMMA

    def __str__(self) -> str:
        return self.told()

    def told(self, language: str = ENGLISH) -> str:
        """The parts as one text; each of them is worded likewise."""
        told = ""
        for number, part in enumerate(self.parts):
            tail = say(part, language)
            told = Phrase(self.pattern, {"head": told, "tail": tail}).told(language) if number else tail
        return told


def first_of(parts: Sequence[Any], most: int, pattern: str = COMMA) -> Series:
    """The first of many parts, and how many more there are."""
    more = (Phrase("report.more", {"count": len(parts) - most}),) if len(parts) > most else ()
    return Series((*parts[:most], *more), pattern)


@dataclass(frozen=True)
class Citation:
    """Where a rule rests: paragraphs, tables and standards, in English as the data of the profile hold them.

    Names of standards stay as they are; the words of ours around them, and the parts of the Framework, are told in
    the reader's language.

    Attributes:
        text: for instance `Principles 3 and 9; ¶21`.
    """

    text: str

    def __str__(self) -> str:
        return self.text

    def told(self, language: str = ENGLISH) -> str:
        """The citation in the language closest to the one wanted."""
        known = texts(language)
        return _CITED.sub(lambda match: known[f"cite.{match[0]}"], self.text)


_CITED = re.compile(r"\b(Principles?(?= [0-9])|Table(?= [0-9])|Box(?= [0-9])|and(?= [0-9]))")


def say(value: Any, language: str = ENGLISH) -> str:
    """A value in words, as it stands where it is no phrase."""
    return value.told(language) if isinstance(value, WORDED) else str(value)


WORDED = (Phrase, Series, Citation)
"""What is worded when it is shown."""


def title_of(path: str) -> Phrase:
    """The title of a field."""
    return Phrase(path, file="fields", column="title")


def name_of(codelist: str, code: str) -> Phrase | str:
    """The name of a code; the code itself where the profile does not know it."""
    return Phrase((codelist, code), file="codes", column="name") if (codelist, code) in words("codes") else code


def at(path: object, key: str, /, **params: Any) -> Phrase:
    """What is said of a path: the path, and a text behind it."""
    return Phrase("error.path", {"path": path, "what": Phrase(key, params)})


def os_reason(error: OSError) -> Phrase | str:
    """Why a file could not be used; in the words of the system where we have none."""
    key = f"os.{errno.errorcode.get(error.errno or 0)}"
    return Phrase(key) if (key,) in words("texts") else error.strerror or str(error)


def _english_of(phrase: Phrase) -> str:
    key = (phrase.key,) if isinstance(phrase.key, str) else phrase.key
    return words(phrase.file)[key].get(phrase.column, "")


def _fill(template: str, params: Mapping[str, Any], own: str, wanted: str) -> str:
    """A text in the language `own` with its blanks filled in the language `wanted`; both differ in a fallback."""
    if isinstance(count := params.get("count"), int):
        template = form(template, count, own)
    return _Blanks(wanted).vformat(template, (), params)


def form(template: str, count: int, language: str) -> str:
    """The form of a text that a language uses for a number."""
    forms = template.split(FORMS)
    rule = _own("texts", "plural.forms", "text", language)
    return forms[min(_plural(rule)(count), len(forms) - 1)] if len(forms) > 1 else template


@cache
def _plural(rule: str) -> Callable[[int], int]:
    """Number → place of its form; the rule is an expression as in the header `Plural-Forms` of gettext."""
    from gettext import c2py

    return c2py(rule or _own("texts", "plural.forms", "text", ENGLISH))


class _Blanks(string.Formatter):
    """Fills the blanks of a text; what comes from a package can neither steer a terminal nor flood it."""

    def __init__(self, language: str) -> None:
        self.language = language

    def convert_field(self, value: Any, conversion: str | None) -> Any:
        if conversion == "r" and not isinstance(value, int):
            return f'"{printable(say(value, self.language), 200)}"'
        return super().convert_field(value, conversion)

    def format_field(self, value: Any, format_spec: str) -> str:
        if isinstance(value, int) and format_spec == ",":
            return number(value, self.language)
        told = say(value, self.language) if isinstance(value, WORDED) else value
        return printable(str(super().format_field(told, format_spec)))


def number(value: int, language: str = ENGLISH) -> str:
    """A whole number as people write it, its thousands apart as in the language's text `number.thousand`."""
    separator = texts(language)["number.thousand"][1:-3]
    return f"{value:,}".replace(",", separator)


def blanked(template: str) -> str:
    """A text with `…` in place of each blank, in its last form."""
    fields = string.Formatter().parse(template.split(FORMS)[-1])
    return "".join(text + ("" if name is None else "…") for text, name, _, _ in fields)
