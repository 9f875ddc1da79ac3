"""Small tables held in memory, and what is asked of them, wherever that is sure to be what the engine would say.

For a table of a few thousand cells a question to the engine costs more than all its answers. What a condition is
to the engine stands in SQL; here the same is said in Python. Where the two might differ, nothing is said here, and
the engine is asked; `tests/test_held.py` holds that they do not differ elsewhere.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from cdmeta.tables.engine import literal

MAX_BYTES = 2**16
"""Of the files of a package: tables up to this size are held."""
_LONG = 300
"""Characters of a cell up to which patterns are searched here; the engine's time grows by length alone."""
# RE2 and Python differ in what \s and $ mean for a vertical tab and for a line feed at the end, and in which
# letters beyond ASCII are k and s in other cases. A bare carriage return is refused by the engine's reader.
_ODD = re.compile("[\0\x0b\r\u017f\u212a\ud800-\udfff]|\n(?:\x1f|\\Z)")
_NUMBER = re.compile(r"-?[0-9]{1,15}(?:[.][0-9]{1,15})?")
_NO_NUMBER = re.compile(r"[0-9]+-|[^0-9nN]*\Z|.*[^-+0-9.eE_\sINFATYinfaty]", re.DOTALL)

_LETTERS = {r"\p{Lu}": "[A-Z]", r"\p{Ll}": "[a-z]", r"\pL": "A-Za-z", r"\pN": "0-9"}
"""Letters and digits as patterns name them, the short names always within brackets, and those of them in ASCII."""

Cells = Sequence[str | None]
Test = Callable[[str | None], bool]
"""A cell, None where it is missing → whether something holds; raises UnsureError where the engine has to say."""


class UnsureError(Exception):
    """What the engine would say is not certain."""


@dataclass(frozen=True)
class Condition:
    """Something that may hold of a cell.

    Attributes:
        sql: the same for the engine.
        cell: the column, by its name in the engine.
        test: the same in Python; None where there is none.
    """

    sql: str
    cell: str
    test: Test | None = field(default=None, compare=False)

    def __str__(self) -> str:
        return self.sql

    def __and__(self, other: Condition) -> Condition:
        one, two = self.test, other.test
        both = None if one is None or two is None else lambda cell: one(cell) and two(cell)
        return self._joined(f"({self.sql} AND {other.sql})", other, both)

    def __or__(self, other: Condition) -> Condition:
        one, two = self.test, other.test
        either = None if one is None or two is None else lambda cell: one(cell) or two(cell)
        return self._joined(f"({self.sql} OR {other.sql})", other, either)

    def _joined(self, sql: str, other: Condition, test: Test | None) -> Condition:
        return Condition(sql, self.cell, test if self.cell == other.cell else None)


@lru_cache(maxsize=1024)
def matches(cell: str, pattern: str, *, least: int = 3) -> Condition:
    """A pattern is found in a cell; what is shorter than `least` is not searched."""
    found = f"regexp_matches({cell}, {literal(pattern)})"
    return Condition(
        f"(CASE WHEN length({cell}) >= {least} THEN {found} ELSE false END)", cell, _search(pattern, least)
    )


@lru_cache(maxsize=1024)
def lacks(cell: str, pattern: str, *, least: int = 3) -> Condition:
    """A pattern is not found in a cell, missing ones among them."""
    found = matches(cell, pattern, least=least)
    test = _search(pattern, least)
    return Condition(f"(NOT {found})", cell, lambda text: not test(text))


def holds_text(cell: str, text: str) -> Condition:
    """A text without `%` and `_` stands in a cell."""
    return Condition(f"{cell} LIKE '%{text}%'", cell, lambda found: found is not None and text in found)


def at_most(cell: str, length: int) -> Condition:
    """A cell has no more characters."""
    return Condition(f"length({cell}) <= {length}", cell, lambda text: text is not None and len(text) <= length)


@lru_cache(maxsize=256)
def _search(pattern: str, least: int) -> Test:
    has_letters = r"\p" in pattern
    search = re.compile(in_ascii(pattern), re.ASCII).search

    def test(text: str | None) -> bool:
        if text is None or len(text) < least:
            return False
        # Which characters beyond ASCII are letters depends on the version of Unicode.
        if len(text) > _LONG or (has_letters and not text.isascii()):
            raise UnsureError
        return search(text) is not None

    return test


def in_ascii(pattern: str) -> str:
    """A pattern of the engine for Python, for texts of ASCII where it speaks of letters."""
    for letters, plain in _LETTERS.items():
        pattern = pattern.replace(letters, plain)
    return pattern


def to_number(text: str) -> float | None:
    """A text as the engine casts it to a number; None where it is none.

    Raises:
        UnsureError: it is written in a way that only the engine may judge.
    """
    if _NUMBER.fullmatch(text):
        return float(text)
    if _NO_NUMBER.match(text):
        return None
    raise UnsureError


@dataclass(frozen=True)
class Held:
    """The cells of a table.

    Attributes:
        rows: numbers of its records.
        columns: the cells of each column, by its name in the engine; None where one is missing.
    """

    rows: Sequence[int]
    columns: dict[str, Cells]

    @property
    def is_plain(self) -> bool:
        """No cell holds a character that the two engines of patterns take differently."""
        return not any(_ODD.search("\x1f".join(cell for cell in cells if cell)) for cells in self.columns.values())

    def matching(self, cell: str, condition: Condition) -> list[tuple[str, int, int]]:
        """The different values of a column that meet a condition, how often each stands there, and its first row.

        They come in the order of their first rows.

        Raises:
            UnsureError: the engine has to be asked.
        """
        if condition.test is None or condition.cell != cell:
            raise UnsureError
        counts: dict[str, tuple[int, int]] = {}
        for text, row in zip(self.columns[cell], self.rows, strict=True):
            if text is None:
                continue
            count, first = counts.get(text, (0, row))
            counts[text] = (count + 1, min(first, row))
        met = [(text, count, row) for text, (count, row) in counts.items() if condition.test(text)]
        return sorted(met, key=lambda entry: entry[2])

    def count(self, condition: Condition) -> tuple[int, int | None]:
        """How many rows meet a condition, and the first of them.

        Raises:
            UnsureError: the engine has to be asked.
        """
        if condition.test is None:
            raise UnsureError
        cells, test = self.columns[condition.cell], condition.test
        known: dict[str | None, bool] = {cell: test(cell) for cell in set(cells)}
        met = [row for cell, row in zip(cells, self.rows, strict=True) if known[cell]]
        return len(met), min(met, default=None)

    def distinct(self, cell: str) -> int:
        """How many different values a column holds."""
        return len(set(self.columns[cell]) - {None})

    def groups(self, cells: Sequence[str]) -> list[tuple[int, int]]:
        """The records in each group of equal values, and the first row of it; a missing value equals another."""
        return _grouped(zip(*(self.columns[cell] for cell in cells), strict=True), self.rows)

    def values(self, cell: str) -> list[tuple[int, int]]:
        """The records of each value of a column, and the first row of it; missing ones are left out."""
        pairs = [(text, row) for text, row in zip(self.columns[cell], self.rows, strict=True) if text is not None]
        return _grouped((text for text, _ in pairs), [row for _, row in pairs])

    def alike(self, keys: Sequence[str], secret: str) -> list[tuple[int, int, int]]:
        """By groups of equal keys: different secrets, records that have one, and the first row."""
        found: dict[object, tuple[set[str], int, int]] = {}
        by = list(zip(*(self.columns[cell] for cell in keys), strict=True)) or [()] * len(self.rows)
        for key, text, row in zip(by, self.columns[secret], self.rows, strict=True):
            texts, count, first = found.get(key, (set[str](), 0, row))
            if text is not None:
                texts.add(text)
            found[key] = (texts, count + (text is not None), min(first, row))
        return [(len(texts), count, first) for texts, count, first in found.values()]


def _grouped(keys: Iterable[object], rows: Sequence[int]) -> list[tuple[int, int]]:
    listed = list(keys)
    counts = Counter(listed)
    first: dict[object, int] = {}
    for key, row in zip(listed, rows, strict=True):
        first[key] = min(first.get(key, row), row)
    return [(count, first[key]) for key, count in counts.items()]
