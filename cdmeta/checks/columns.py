"""What a column is for disclosure: its role as declared, what its name says, and the thresholds that apply.

Word lists and thresholds are data of the profile: `direct-identifiers.csv`, `column-words.csv`,
`text-words.csv`, `national-ids.csv` and `thresholds.csv`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any

from cdmeta import profile
from cdmeta.checks.consent import Consent, read
from cdmeta.checks.identity import holds
from cdmeta.package import Package
from cdmeta.tables.disclosure import Table
from cdmeta.tables.shapes import Column, Shape
from cdmeta.text import is_missing, unaccented

MICRO = ("ANON_MICRO", "PSEUDONYMISED_MICRO")
_ABOUT_PEOPLE = ("CONTRIBUTORS", "ORDINARY", "SENSITIVE", "_U")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_NO_TEXT = ("integer", "number", "boolean", "year", "yearmonth", "date", "time", "datetime", "duration")


@dataclass(frozen=True)
class Release:
    """What is released of whom to whom, as the answers say it.

    Attributes:
        consent: the answers.
    """

    consent: Consent

    @property
    def people(self) -> bool:
        """The data are said to be about people, contributors among them."""
        return self.consent.personal in _ABOUT_PEOPLE or self.micro

    @property
    def about_things(self) -> bool:
        """No data about people were collected."""
        return self.consent.personal == "NONE"

    @property
    def micro(self) -> bool:
        """They are records of people."""
        return self.says("releaseForm", *MICRO) and not self.about_things

    @property
    def aggregate(self) -> bool:
        """They are tables of figures about people."""
        return self.says("releaseForm", "AGGREGATE") and self.consent.about_others

    @property
    def sensitive(self) -> bool:
        """They are sensitive, so that the stricter thresholds hold."""
        return self.consent.personal == "SENSITIVE"

    def says(self, name: str, *codes: str) -> bool:
        """One of some codes is the answer."""
        return self.consent.says(name, *codes)

    def did(self, code: str) -> bool:
        """A step of disclosure control was taken (CL_SDC)."""
        return code in self.consent.codes("disclosureControl")

    def threshold(self, name: str, *, strict: bool = False) -> float:
        """A setting, the stricter one where the data are sensitive or where it is asked for."""
        return thresholds()[name][1 if self.sensitive or strict else 0]

    @property
    def k(self) -> int:
        """The least number of records that have to be alike (domain table of disclosure checks, D07)."""
        if self.says("samplingMethod", "CENSUS"):
            return int(self.threshold("k-census"))
        restricted = self.says("accessRights", "ON_REQUEST", "RESTRICTED")
        return int(self.threshold("k-restricted" if restricted else "k-open"))


def release(package: Package) -> Release:
    """The release that a package describes."""
    return Release(read(package.answers))


@dataclass(frozen=True)
class Look:
    """A column of a table as the checks see it.

    Attributes:
        column: the column.
        shape: what it holds, in numbers.
        role: its code of CL_DISCLOSURE_ROLE; empty where none is declared.
        cleared: True where it is declared to tell nothing about a person, and a reason stands beside.
        type: its type in the schema; `any` where it has none.
    """

    column: Column
    shape: Shape = field(hash=False)
    role: str
    cleared: bool
    type: str

    @property
    def is_text(self) -> bool:
        """It may hold words."""
        return self.type not in _NO_TEXT

    @property
    def is_category(self) -> bool:
        """Its values are listed in the schema."""
        constraints = self.column.given.get("constraints")
        return "categories" in self.column.given or (isinstance(constraints, Mapping) and "enum" in constraints)

    @cached_property
    def words(self) -> tuple[str, ...]:
        """The words of its name."""
        return tokens(self.column.label)

    @cached_property
    def titles(self) -> tuple[tuple[str, ...], ...]:
        """The words of its titles, in each language."""
        given = self.column.given.get("title")
        texts = given.values() if isinstance(given, Mapping) else [given]
        return tuple(tokens(text) for text in texts if isinstance(text, str))

    def names(self, kind: str) -> bool:
        """Its name holds words of a kind (`column-words.csv`)."""
        return any(words[0] in self.words and _within(words, self.words) for words in column_words().get(kind, ()))

    @cached_property
    def identifier(self) -> tuple[str, bool] | None:
        """The kind of direct identifier that its name or title says; True where it can mean nothing else."""
        for words, kind, certain in identifier_words():
            if words[0] not in self._all_words:
                continue
            named = _within(words, self.words) if certain else words == self.words
            titled = any(_within(words, title) if len(words) > 1 else words == title for title in self.titles)
            if named or titled:
                return kind, certain
        return None

    @cached_property
    def _all_words(self) -> frozenset[str]:
        return frozenset(self.words).union(*self.titles)

    def sdmx(self, name: str) -> Any:
        """A member of its `sdmx` object."""
        given = self.column.given.get("sdmx")
        return given.get(name) if isinstance(given, Mapping) else None

    def unit_is(self, kind: str) -> bool:
        """Its unit in `sdmx.unit` is one of a kind."""
        unit = self.sdmx("unit")
        code = unit.get("code") if isinstance(unit, Mapping) else unit
        return isinstance(code, str) and (code.casefold(),) in column_words().get(kind, ())


def looks(table: Table) -> tuple[Look, ...]:
    """All columns of a table."""
    pairs = zip(table.columns, table.shapes(), strict=True)
    roles = profile.load().codelists["CL_DISCLOSURE_ROLE"].codes
    return tuple(_look(column, shape, roles) for column, shape in pairs)


def _look(column: Column, shape: Shape, roles: Mapping[str, Any]) -> Look:
    answers = column.given.get("citizenData")
    answers = answers if isinstance(answers, Mapping) else {}
    role = answers.get("disclosureRole")
    role = role if isinstance(role, str) and role in roles else ""
    cleared = role == "NONE" and not is_missing(answers.get("disclosureNote"))
    kind = column.given.get("type", "any")
    return Look(column, shape, role, cleared, kind if isinstance(kind, str) else "any")


def tokens(text: str) -> tuple[str, ...]:
    """The words of a name in small letters without accents: `FirstName`, `first_name` → `first`, `name`."""
    return tuple(re.findall(r"[^\W_]+", unaccented(_CAMEL.sub(" ", text)).casefold()))


def is_called(name: str, kind: str) -> bool:
    """Tell whether a name holds words of a kind (`column-words.csv`)."""
    text = tokens(name)
    return any(_within(words, text) for words in column_words().get(kind, ()))


def _within(words: tuple[str, ...], text: tuple[str, ...]) -> bool:
    """Words follow each other in a text; a single letter has to be all of it."""
    if len(words) == 1 and len(words[0]) == 1:
        return words == text
    return holds(text, words)


@cache
def thresholds() -> Mapping[str, tuple[float, float]]:
    """Setting → its value, and that for sensitive data."""
    return {row["id"]: (float(row["value"]), float(row["sensitive"])) for row in profile.table("thresholds.csv")}


@cache
def identifier_words() -> tuple[tuple[tuple[str, ...], str, bool], ...]:
    """Words, the kind of identifier that they mean, and True where they mean it in any table."""
    rows = profile.table("direct-identifiers.csv")
    found = [(tokens(row["words"]), row["kind"], row["where"] == "all") for row in rows]
    return tuple(sorted(found, key=lambda entry: -len(entry[0])))


@cache
def column_words() -> Mapping[str, frozenset[tuple[str, ...]]]:
    """Kind of column → words that mean it; ids of SDMX stand whole, in small letters."""
    kinds: dict[str, set[tuple[str, ...]]] = {}
    for row in profile.table("column-words.csv"):
        whole = row["language"] == "sdmx"
        words = (row["words"].casefold(),) if whole else tokens(row["words"])
        kinds.setdefault(row["kind"], set()).add(words)
    return {kind: frozenset(words) for kind, words in kinds.items()}


@cache
def text_patterns() -> Mapping[str, str]:
    """Kind of identifier → a pattern for texts that hold one, by words before a name and in an address (RE2)."""
    kinds: dict[str, list[str]] = {}
    for row in profile.table("text-words.csv"):
        kinds.setdefault(row["kind"], []).append(re.escape(row["words"]))
    before, after = ("|".join(kinds[kind]) for kind in ("street-before", "street-after"))
    # In capitals they are other words, and "m." is metres: MS is a ship.
    small = (word if word.endswith(".") else f"[{word[0]}{word[0].lower()}]{word[1:]}" for word in kinds["title"])
    title = "|".join(small)
    addresses = (
        rf"(?i:(^|[^\pL])({before})[.]?)\s+[^,;]{{1,40}}\s(?i:n[°ºo.]*|no[.]|#)?\s?[0-9]{{1,5}}",
        rf"(^|[^0-9\pL])[0-9]{{1,5}}\s?(bis|ter)?,?\s+(?i:{before})\s+[\pL]",
        rf"(^|[^0-9\pL])[0-9]{{1,5}}[A-Za-z]?,?\s+(\p{{Lu}}[\pL'-]+\s+){{1,3}}(?i:{after})([^\pL]|$)",
    )
    return {
        "name": rf"(^|[^\pL])({title})[.]?\s+\p{{Lu}}\p{{Ll}}",
        "address": "|".join(f"({pattern})" for pattern in addresses),
    }


@cache
def identity_modules(regions: tuple[str, ...], people: bool) -> tuple[str, ...]:
    """Parts of python-stdnum for some countries; numbers that bodies have too only where data are about people."""
    rows = profile.table("national-ids.csv")
    return tuple(
        row["module"] for row in rows if row["country"] in regions and (people or row["holders"] == "people")
    )
