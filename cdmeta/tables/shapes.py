"""What a column of a table holds, in numbers: how it is measured, by the engine and in memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from cdmeta import profile
from cdmeta.tables.engine import literal
from cdmeta.tables.held import Condition, Held, UnsureError, matches, to_number

# Without upper bounds: they make RE2 build thousands of states, and it needs none to be quick.
_EMAIL = r"[\pL\pN_.+-]+@[\pL\pN_-]+[.][\pL\pN_-]"
_OCTET, _LARGE = "(25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])", "(25[0-5]|2[0-4][0-9]|1[0-9][0-9])"
# One part of three digits: 1.2.3.4 is the number of a section.
_IP = "|".join("[.]".join(_LARGE if part == large else _OCTET for part in range(4)) for large in range(4))
DIGITS = r"([0-9][^0-9A-Za-z]{0,2}){7}"
"""Seven digits, grouped or not: less is no phone number."""
_SITES = "twitter|x|facebook|instagram|tiktok|linkedin|threads|t|vk"
_ADDRESS = rf"(?i)(^|[/.\s])({_SITES})[.](com|me)/(in/|@)?[\w.%-]*[a-z][\w.%-]{{2,}}/?([?]|\s|$)"
PATTERNS = {
    "email": ("at", _EMAIL),
    "office": ("at", ""),
    "ip": ("dots", rf"^\s*({_IP})\s*$"),
    "ip6": ("colons", r"^\s*([0-9A-Fa-f]{1,4}:){3,7}(:?[0-9A-Fa-f]{1,4})+\s*$"),
    "handle": ("at", r"^\s*@\w[\w.]{2,29}\s*$"),
    "address": ("slashes", _ADDRESS),
}
"""What decides by itself: name → the mark without which there is none, and the pattern (offices: `_office`)."""
MARKS = {
    "at": "%@%",
    "dots": "%.%.%.%",
    "colons": "%:%:%:%",
    "slashes": "%_/_%",
    "plus": "%+%",
    "spaces": "% % %",
}
DAY = r"^\s*([0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{1,2}[/.][0-9]{1,2}[/.][0-9]{4})([T ][0-9:.]+)?(Z|[+-][0-9:]+)?\s*$"
"""A day, or a day and a time."""


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes:
        name: as the schema calls it; its number (`#3`) where it does not, because what stands where a header
            should may be values.
        label: as the header calls it, to be looked at and never shown.
        given: its field descriptor; empty where the schema has none.
        sql: its name in DuckDB.
        pointer: to the field in the schema; None where it has none there.
    """

    name: str
    label: str
    given: Mapping[str, Any] = field(hash=False)
    sql: str
    pointer: str | None


@dataclass(frozen=True)
class Shape:
    """What a column holds, in numbers.

    Attributes:
        filled: cells that are not missing.
        distinct: different values, near enough.
        length: mean number of characters.
        longest: greatest number of characters.
        numbers: cells that are a number.
        marks: name of a mark (`at`, `dots`, `colons`, `slashes`, `plus`, `spaces`) → cells that hold it.
    """

    filled: int = 0
    distinct: int = 0
    length: float = 0.0
    longest: int = 0
    numbers: int = 0
    marks: Mapping[str, int] = field(default_factory=dict, hash=False)


@cache
def _office() -> str:
    """E-mail addresses whose part before the sign holds a word for an office."""
    words = "|".join(row["words"] for row in profile.table("text-words.csv") if row["kind"] == "office")
    return rf"(?i)(^|[^\pL\pN._+-])([\pL\pN]+[._+-])*({words})([._+-][\pL\pN]+)*@[\pL\pN_-]+[.][\pL\pN_.-]+"


def hit(cell: str, name: str) -> Condition:
    """A condition for one of PATTERNS; an address of an office is none of a person."""
    if name == "office":
        return matches(cell, _office())
    if name == "email":
        others = f"regexp_replace({cell}, {literal(_office())}, ' ', 'g')"
        return Condition(str(matches(others, _EMAIL)), cell)
    return matches(cell, PATTERNS[name][1])


def shape_in_memory(held: Held, column: Column) -> Shape:
    """What `measures` measures; the different values are counted exactly."""
    cells = [cell for cell in held.columns[column.sql] if cell is not None]
    if not cells:
        return Shape(marks=dict.fromkeys(MARKS, 0))
    lengths = list(map(len, cells))
    return Shape(
        len(cells),
        len(set(cells)),
        sum(lengths) / len(cells),
        max(lengths),
        sum(to_number(_plainly(column, cell)) is not None for cell in cells),
        {name: sum(map(test, cells)) for name, test in _MARKED.items()},
    )


def _plainly(column: Column, cell: str) -> str:
    """As `number` writes a cell before it is cast."""
    given = column.given
    group, decimal = given.get("groupChar"), given.get("decimalChar", ".")
    if not given.get("bareNumber", True):
        raise UnsureError
    if isinstance(group, str) and group:
        cell = cell.replace(group, "")
    if isinstance(decimal, str) and decimal not in ("", "."):
        cell = cell.replace(decimal, ".")
    return cell


_MARKED: Mapping[str, Callable[[str], bool]] = {
    "at": lambda cell: "@" in cell,
    "dots": lambda cell: cell.count(".") >= 3,
    "colons": lambda cell: cell.count(":") >= 3,
    "slashes": lambda cell: "/" in cell[1:-1],
    "plus": lambda cell: "+" in cell,
    "spaces": lambda cell: cell.count(" ") >= 2,
}
"""The same as MARKS."""


def measures(column: Column) -> list[str]:
    """What `Shape` holds, as expressions over one column, in its order."""
    cell = column.sql
    return [
        f"count({cell})",
        f"approx_count_distinct({cell})",
        f"coalesce(avg(length({cell})), 0)",
        f"coalesce(max(length({cell})), 0)",
        f"count({number(column)})",
        *(f"count(*) FILTER ({cell} LIKE '{mark}')" for mark in MARKS.values()),
    ]


def measured(found: Sequence[Any]) -> Shape:
    """The shape that the values of `measures` say."""
    filled, distinct, length, longest, numbers, *marks = found
    return Shape(filled, min(distinct, filled), length, longest, numbers, dict(zip(MARKS, marks, strict=True)))


def number(column: Column) -> str:
    """A column as numbers, for SQL; NULL where a cell is none."""
    given, text = column.given, column.sql
    group, decimal = given.get("groupChar"), given.get("decimalChar", ".")
    if isinstance(group, str) and group:
        text = f"replace({text}, {literal(group)}, '')"
    if isinstance(decimal, str) and decimal not in ("", "."):
        text = f"replace({text}, {literal(decimal)}, '.')"
    text = text if given.get("bareNumber", True) else f"regexp_replace({text}, '^[^-0-9.]+|[^0-9.]+$', '', 'g')"
    return f"TRY_CAST({text} AS DOUBLE)"


def is_number(column: Column, sql: str, test: Callable[[float], bool]) -> Condition:
    """A condition on a column as numbers, false where a cell is none.

    Args:
        column: the column.
        sql: the condition, `{v}` standing for the number.
        test: the same in Python.
    """

    def of_cell(cell: str | None) -> bool:
        value = None if cell is None else to_number(_plainly(column, cell))
        return value is not None and test(value)

    return Condition(f"coalesce({sql.replace('{v}', number(column))}, false)", column.sql, of_cell)
