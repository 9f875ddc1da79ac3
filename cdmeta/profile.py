"""The citizen-data profile as data: fields, code lists, rules and texts, read from what is installed."""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources.abc import Traversable
from types import MappingProxyType
from typing import Any, Literal, cast

from cdmeta.errors import UnknownNameError
from cdmeta.phrase import ENGLISH as ENGLISH
from cdmeta.phrase import TRANSLATED as TRANSLATED
from cdmeta.phrase import VERSION as VERSION
from cdmeta.phrase import Phrase, Words, locales, rows
from cdmeta.phrase import closest as closest
from cdmeta.phrase import folder as folder
from cdmeta.phrase import in_languages as in_languages
from cdmeta.phrase import languages as languages
from cdmeta.phrase import texts as texts
from cdmeta.phrase import words as words

STATUS = "draft"
URL = f"https://w3id.org/cdmeta/citizen-data/{VERSION}/datapackage.json"
FRAMEWORK = "UNSC55-2024"
AGENCY = "CDMETA"
GATES = ("publish", "official")
WITHHELD = "WITHHELD_SAFETY"
"""Stands for an answer that would endanger somebody if it were published (Principle 8)."""
Severity = Literal["error", "warning", "info"]
Grade = Severity | Literal["none"]
"""What a rule is at a gate; of a rule with `none` nothing is told there."""


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
        severity: gate to severity; `none` where nothing is told of it.
        title: what is wrong, in a few words.
        message: one sentence with `{params}` of the finding.
        remedy: how to mend it, in a sentence or two, with the same params.
        why: why it matters.
        source: paragraph of the Framework, principle, or section of a specification.
        implies: codes that always come with it.
    """

    code: str
    id: str
    severity: Mapping[str, Grade] = field(hash=False)
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


def load(language: str = ENGLISH) -> Profile:
    """The installed profile in the language closest to the one wanted, read once; English part by part."""
    return _load(closest(language))


@cache
def _load(language: str) -> Profile:
    root = folder()
    examples = _examples(language)
    told = _told(root, "fields", language)
    fields = [_field({**row, "example": examples.get(row["path"], row["example"])}) for row in told]
    codelists = [_codelist(row, root, words("codes", language)) for row in _told(root, "codelists", language)]
    rules = [_rule(row) for row in _told(root, "rules", language)]
    return Profile(
        MappingProxyType({entry.path: entry for entry in fields}),
        MappingProxyType({entry.id: entry for entry in codelists}),
        MappingProxyType({entry.code: entry for entry in rules}),
        digest(root),
    )


def _examples(language: str) -> dict[str, str]:
    """Examples of answers in a language's own words, by path; a language need not have any."""
    file = locales().joinpath(language, "examples.csv")
    return {row["path"]: row["example"] for row in rows(file)} if file.is_file() else {}


def _told(root: Traversable, file: str, language: str) -> Iterable[dict[str, str]]:
    """The rows of a file of the version, with the words that the language has for them."""
    keys, _ = TRANSLATED[file]
    own = words(file, language)
    for row in rows(root.joinpath(f"{file}.csv")):
        yield {**row, **own.get(tuple(row[key] for key in keys), {})}


def table(name: str) -> list[dict[str, str]]:
    """The rows of another table of the version, `mappings.csv` for instance, by column."""
    return rows(folder().joinpath(name))


def schema_bytes() -> bytes:
    """The profile's JSON Schema (draft-07), as generated from its fields and code lists."""
    return folder().joinpath("datapackage.json").read_bytes()


def digest(root: Traversable) -> str:
    """The digest of a version: sha256 of the sorted lines `sha256  path` of its files."""
    lines = sorted(f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in _walk(root, ""))
    return hashlib.sha256("".join(lines).encode()).hexdigest()


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
    key = "error.unknown.near" if near else "error.unknown"
    raise UnknownNameError(Phrase(key, {"name": name, "near": near}))


def _walk(node: Traversable, path: str) -> Iterable[tuple[str, bytes]]:
    for child in node.iterdir():
        name = f"{path}/{child.name}".lstrip("/")
        if child.is_dir():
            yield from _walk(child, name)
        else:
            yield name, child.read_bytes()


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
        for entry in rows(root.joinpath("codelists", f"{row['id']}.csv"))
    ]
    by_id = MappingProxyType({code.id: code for code in codes})
    return Codelist(row["id"], row["name"], row["description"], by_id)


def _rule(row: Mapping[str, str]) -> Rule:
    values: dict[str, Any] = {
        key: row[key] for key in ("code", "id", "title", "message", "remedy", "why", "source")
    }
    severity = MappingProxyType({gate: cast(Grade, row[gate]) for gate in GATES})
    return Rule(**values, severity=severity, implies=_split(row["implies"]))
