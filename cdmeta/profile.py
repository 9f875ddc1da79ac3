"""The citizen-data profile as data: fields, code lists, rules and texts, read from what is installed."""

from __future__ import annotations

import csv
import difflib
import hashlib
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from types import MappingProxyType
from typing import Any, Literal, cast

from cdmeta.errors import UnknownNameError
from cdmeta.text import Text

VERSION = "1.0"
STATUS = "draft"
URL = f"https://w3id.org/cdmeta/citizen-data/{VERSION}/datapackage.json"
FRAMEWORK = "UNSC55-2024"
AGENCY = "CDMETA"
GATES = ("publish", "official")
WITHHELD = "WITHHELD_SAFETY"
"""Stands for an answer that would endanger somebody if it were published (Principle 8)."""
Severity = Literal["error", "warning", "info"]
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
Key = tuple[str, ...]
Words = Mapping[Key, Mapping[str, str]]
"""Key of a row → column → words that are not empty."""


@dataclass(frozen=True)
class Field:
    """One property that the profile asks for.

    Attributes:
        path: dotted path from the root of the descriptor, `[]` behind a list of objects:
            `title`, `citizenData.initiators[].kind`; a column's begin with `resources[].schema.fields[]`.
        tier: `core`, `conditional`, `recommended` or `full`; `tool` for what is computed and never declared.
        type: `text` (string or language map), `string`, `code`, `codes`, `strings`, `date`, `period`,
            `boolean`, `integer`, `number` (0 or more), `percent` (0 to 100), `uri`, `list`, `object`.
        codelist: id of its code list, for `code` and `codes`.
        concept: id of its SDMX concept; empty where it is no metadata attribute.
        parent: concept id of the metadata attribute that holds it, where nested.
        repeats: True where the metadata attribute may occur more than once.
        when: for conditional fields, when it is asked for, in words.
        title: its name for people.
        description: what it means.
        question: what a producer is asked.
        example: an answer.
        source: the principle, paragraph or section that demands it.
        links: ids in other standards, for instance `ESMS:COLL_METHOD`, `SDG_MSD:COLL_METHOD`, `dct:title`.
        withhold: True where `WITHHELD_SAFETY` may stand for the answer.
    """

    path: str
    tier: str
    type: str
    codelist: str
    concept: str
    parent: str
    repeats: bool
    when: str
    title: str
    description: str
    question: str
    example: str
    source: str
    links: tuple[str, ...]
    withhold: bool

    @property
    def name(self) -> str:
        """The last part of the path, without `[]`."""
        return self.path.rsplit(".", 1)[-1].removesuffix("[]")


@dataclass(frozen=True)
class Code:
    """One code of a code list.

    Attributes:
        id: the code, a legal SDMX id.
        alias: a short form accepted on input, or empty.
        parent: the code above it, or empty.
        name: its name for people.
        description: what it means.
        source: where it comes from.
        links: ids in other standards, for instance `dpv:Consent`, `GSBPM:4`.
    """

    id: str
    alias: str
    parent: str
    name: str
    description: str
    source: str
    links: tuple[str, ...]


@dataclass(frozen=True)
class Codelist:
    """A code list of the profile: its id (`CL_…`), name, description, and codes by id, in order."""

    id: str
    name: str
    description: str
    codes: Mapping[str, Code] = field(hash=False)


@dataclass(frozen=True)
class Rule:
    """One rule, and how its finding is told.

    Attributes:
        code: permanent code, `CD101`.
        id: the id that the domain gives it (`C01`, `W1`, `T1`), or empty.
        severity: gate to severity.
        title: what is wrong, in a few words.
        message: one sentence with `{params}` of the finding.
        remedy: how to mend it, in a sentence or two, with the same params.
        why: why it matters.
        source: paragraph of the Framework, principle, or section of a specification.
        implies: codes that always come with it.
    """

    code: str
    id: str
    severity: Mapping[str, Severity] = field(hash=False)
    title: str
    message: str
    remedy: str
    why: str
    source: str
    implies: tuple[str, ...]


@dataclass(frozen=True)
class Profile:
    """A version of the profile.

    Attributes:
        fields: by path, in the order in which they are asked.
        codelists: by id.
        rules: by code.
        digest: sha256, in hex, of the sorted lines `sha256  path` of the version's files.
    """

    fields: Mapping[str, Field] = field(hash=False)
    codelists: Mapping[str, Codelist] = field(hash=False)
    rules: Mapping[str, Rule] = field(hash=False)
    digest: str


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


def load(language: str = ENGLISH) -> Profile:
    """The installed profile in the language closest to the one wanted, read once; English part by part."""
    return _load(closest(language))


@cache
def _load(language: str) -> Profile:
    root = folder()
    fields = [_field(row) for row in _told(root, "fields", language)]
    codelists = [_codelist(row, root, words("codes", language)) for row in _told(root, "codelists", language)]
    rules = [_rule(row) for row in _told(root, "rules", language)]
    return Profile(
        MappingProxyType({entry.path: entry for entry in fields}),
        MappingProxyType({entry.id: entry for entry in codelists}),
        MappingProxyType({entry.code: entry for entry in rules}),
        digest(root),
    )


def _told(root: Traversable, file: str, language: str) -> Iterable[dict[str, str]]:
    """The rows of a file of the version, with the words that the language has for them."""
    keys, _ = TRANSLATED[file]
    own = words(file, language)
    for row in _rows(root.joinpath(f"{file}.csv")):
        yield {**row, **own.get(tuple(row[key] for key in keys), {})}


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
            tuple(row[key] for key in keys): {name: row[name] for name in columns if row.get(name)}
            for row in (_english(file) if language == ENGLISH else _rows_of(locales(), language, file))
        }
    )


def _english(file: str) -> Iterable[dict[str, str]]:
    """English stands in the version's folder, codes in a file a list; texts are no part of a version."""
    if file == "texts":
        return _rows_of(locales(), ENGLISH, file)
    if file != "codes":
        return _rows(folder().joinpath(f"{file}.csv"))
    lists = (row["id"] for row in _rows(folder().joinpath("codelists.csv")))
    return [
        row | {"codelist": name, "code": row["id"]}
        for name in lists
        for row in _rows(folder().joinpath("codelists", f"{name}.csv"))
    ]


def _rows_of(home: Traversable, language: str, file: str) -> list[dict[str, str]]:
    found = home.joinpath(language, f"{file}.csv")
    return _rows(found) if found.is_file() else []


def in_languages(file: str, key: str | Key, column: str) -> Text:
    """One text of the profile in all languages that have it, English first; empty where English has none.

    Args:
        file: one of `TRANSLATED`.
        key: the key of the row: `"citizenData.initiators[].kind"`, `("CL_ACCESS", "OPEN")`, `"CD130"`.
        column: one of the file's columns of words, for instance `"title"`.
    """
    wanted = (key,) if isinstance(key, str) else key
    found = ((language, words(file, language).get(wanted, {}).get(column, "")) for language in languages())
    entries = tuple((language, text) for language, text in found if text)
    return Text(entries if entries and entries[0][0] == ENGLISH else ())


def table(name: str) -> list[dict[str, str]]:
    """The rows of another table of the version, `mappings.csv` for instance, by column."""
    return _rows(folder().joinpath(name))


def schema_bytes() -> bytes:
    """The profile's JSON Schema (draft-07), as generated from its fields and code lists."""
    return folder().joinpath("datapackage.json").read_bytes()


def digest(root: Traversable) -> str:
    """The digest of a version: sha256 of the sorted lines `sha256  path` of its files."""
    lines = sorted(f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in _walk(root, ""))
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def texts(language: str = ENGLISH) -> Mapping[str, str]:
    """The texts of reports, pages and commands by key, in the closest language, each falling back to English."""
    return _texts(closest(language))


@cache
def _texts(language: str) -> Mapping[str, str]:
    english, own = words("texts", ENGLISH), words("texts", language)
    return MappingProxyType({key[0]: {**row, **own.get(key, {})}["text"] for key, row in english.items()})


def nearest(word: str, names: Iterable[str]) -> str | None:
    """The name that a mistyped word most likely means, whatever its case; None where none is near."""
    by_fold = {name.casefold(): name for name in names}
    matches = difflib.get_close_matches(word.casefold(), by_fold, n=1, cutoff=0.6)
    return by_fold[matches[0]] if matches else None


def find(name: str, language: str = ENGLISH) -> Field | Codelist | Code | Rule:
    """What a person means by a code of a rule, the name of a field, a code list, or a code.

    Raises:
        UnknownNameError: nothing is called so; the message names what is nearest.
    """
    loaded = load(language)
    fields = tuple(loaded.fields.values())
    table: dict[str, Field | Codelist | Code | Rule] = {}
    for codelist in loaded.codelists.values():
        table |= {code.id: code for code in codelist.codes.values() if not code.id.startswith("_")}
    table |= {entry.name: entry for entry in reversed(fields)}
    table |= {entry.concept: entry for entry in fields if entry.concept}
    for entry in fields:
        table |= dict.fromkeys((entry.path.replace("[]", ""), entry.path), entry)
    table |= loaded.codelists
    table |= {rule.id: rule for rule in loaded.rules.values() if rule.id}
    table |= loaded.rules
    by_fold = {key.casefold(): entry for key, entry in table.items()}
    if (found := by_fold.get(name.casefold())) is not None:
        return found
    near = nearest(name, table)
    hint = f" Did you mean {near}?" if near else ""
    raise UnknownNameError(f"There is no rule, field, code list or code called {name!r}.{hint}")


def _walk(node: Traversable, path: str) -> Iterable[tuple[str, bytes]]:
    for child in node.iterdir():
        name = f"{path}/{child.name}".lstrip("/")
        if child.is_dir():
            yield from _walk(child, name)
        else:
            yield name, child.read_bytes()


def _rows(file: Traversable) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(file.read_text(encoding="utf-8"), newline="")))


def _split(cell: str) -> tuple[str, ...]:
    return tuple(cell.split())


def _field(row: Mapping[str, str]) -> Field:
    values: dict[str, Any] = dict(row) | {key: row[key] == "yes" for key in ("repeats", "withhold")}
    return Field(**values | {"links": _split(row["links"])})


def _codelist(row: Mapping[str, str], root: Traversable, own: Words) -> Codelist:
    codes = [
        Code(
            **cast(
                dict[str, Any], {**entry, "links": _split(entry["links"]), **own.get((row["id"], entry["id"]), {})}
            )
        )
        for entry in _rows(root.joinpath("codelists", f"{row['id']}.csv"))
    ]
    by_id = MappingProxyType({code.id: code for code in codes})
    return Codelist(row["id"], row["name"], row["description"], by_id)


def _rule(row: Mapping[str, str]) -> Rule:
    values: dict[str, Any] = {
        key: row[key] for key in ("code", "id", "title", "message", "remedy", "why", "source")
    }
    severity = MappingProxyType({gate: cast(Severity, row[gate]) for gate in GATES})
    return Rule(**values, severity=severity, implies=_split(row["implies"]))
