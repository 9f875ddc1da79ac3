"""Cells against their field: frictionless reads them, corrected where it departs from Table Schema 2.0.

Each correction is listed in CORRECTIONS with its reason, and each is held in a test beside the verdict of stock
frictionless, so that one that is no longer needed is noticed.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from cdmeta.tables.conformance import BEYOND_FRICTIONLESS
from cdmeta.tables.patterns import PatternTooLargeError, matcher
from cdmeta.tables.sure import Known, known_cells

CORRECTIONS = (
    ("categories", "Table Schema 2.0, categories: a value outside them is an error; frictionless ignores them"),
    ("unclosed-quote", "RFC 4180: a quote has to be closed; frictionless swallows the rest of the file"),
    ("text-after-quote", "RFC 4180: nothing follows a closing quote but a separator; frictionless reads on"),
    ("blank-first-line", "the header is the first row; frictionless takes an empty one for no header at all"),
    ("pattern-alternatives", "pattern holds for the whole value; frictionless compiles ^a|z$"),
    ("pattern-line-end", "pattern holds for the whole value; in frictionless $ also matches before a line end"),
    ("pattern-endless", "what cannot be checked is told; frictionless asks a pattern however long it takes"),
    ("pattern-unreadable", "a schema that is wrong is a finding; frictionless raises"),
    ("list-delimiter-empty", "a schema that is wrong is a finding; frictionless raises"),
    ("dialect-not-sniffed", "Table Dialect 2.0: the delimiter is a comma unless told; frictionless guesses"),
    ("header-not-sniffed", "Table Dialect 2.0: the first row unless told; frictionless guesses by width"),
    ("missing-values-objects", "Table Schema 2.0, missingValues: objects are allowed; not so without $schema"),
    ("number-literals", "Table Schema 2.0, number: ASCII digits, NaN, INF or -INF; frictionless asks Python"),
    ("integer-literals", "Table Schema 2.0, integer: an optional sign and ASCII digits; frictionless asks Python"),
    ("integer-group-char", "Table Schema 2.0, integer: groupChar; frictionless has it for number only"),
    ("date-literals", "Table Schema 2.0, date: YYYY-MM-DD; frictionless takes 2020-1-5"),
    ("datetime-literals", "Table Schema 2.0, datetime: T before the time; frictionless takes any character"),
    ("year-literals", "Table Schema 2.0, year: four ASCII digits; frictionless asks Python"),
    ("time-literals", "XML Schema, time: a colon in the zone; frictionless does without"),
    ("yearmonth-literals", "Table Schema 2.0, yearmonth: YYYY-MM; frictionless takes 2020-1"),
    ("geopoint-literals", "Table Schema 2.0, geopoint: two numbers; frictionless asks Python"),
    ("binary-alphabet", "RFC 4648: other characters are no base64; frictionless drops them"),
    ("list-enum", "Table Schema 2.0, enum: for fields of all types; frictionless refuses it for list"),
    ("primary-key-empty", "Table Schema 2.0, primaryKey: no part may be empty; stock: not all may be"),
    ("unique-keys", "Table Schema 2.0, uniqueKeys; frictionless ignores them"),
    ("fields-match-array", "the profile of Table Schema 2.0 has an array of one; frictionless refuses it"),
    ("null-sequence", "Table Dialect 2.0, nullSequence; frictionless ignores it"),
    ("hash-algorithms", "Data Resource 2.0, hash: any algorithm by its prefix; frictionless knows md5 and sha256"),
    ("zero-bytes", "Data Resource 2.0, encoding: UTF-8 is text without zero bytes; frictionless reads on"),
)  # fmt: skip
"""Where frictionless departs from the standards, and what the standards say: name, reason."""

_DIGITS = r"[0-9]+"
_NUMBER = r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|(?i:NaN|-?INF)"
_ZONE = r"(?:Z|[+-][0-9]{2}:[0-9]{2})?"
_LEXICAL = {
    "integer": rf"[+-]?{_DIGITS}",
    "number": _NUMBER,
    "date": r"[0-9]{4}-[0-9]{2}-[0-9]{2}",
    "time": rf"[0-9]{{2}}:[0-9]{{2}}:[0-9]{{2}}(?:\.[0-9]+)?{_ZONE}",
    "datetime": rf"[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}T[0-9]{{2}}:[0-9]{{2}}:[0-9]{{2}}(?:\.[0-9]+)?{_ZONE}",
    "year": r"[0-9]{4}",
    "yearmonth": r"[0-9]{4}-[0-9]{2}",
    "geopoint": rf"\s*(?:{_NUMBER})\s*,\s*(?:{_NUMBER})\s*",
}
_BEFORE_NUMBER = re.compile(r"[^-\d]*")
_OF_OTHER_DIALECTS = re.compile(r"\\[pPicIC]|-\[")
"""What XML Schema and ECMAScript have in regular expressions and Python has not."""

# What stock readers let through, beside what they catch: comparing times with and without a zone, for instance.
_RAISED_BY_READERS = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)

_READ_BY = ("name", "trueValues", "falseValues", "bareNumber", "decimalChar", "groupChar", "delimiter", "itemType")
"""Properties of a field, beside type and format, by which its cells are read."""

LATE = "late"
"""Stands among what a cell breaks where its pattern was not asked, because it takes too long."""
Read = Callable[[Any], tuple[Any, tuple[str, ...]]]
"""A cell to its value, None where it has none, and what it breaks: `type`, names of constraints, or LATE."""
_Check = Callable[[Any], str]
"""The name of what a value breaks; empty where it breaks nothing."""


@dataclass(frozen=True)
class SchemaProblem:
    """Something in a field that cannot be: its place below the field, key of a text, what fills it."""

    pointer: str
    reason: str
    params: Mapping[str, Any]
    code: str = "CD416"


@dataclass(frozen=True)
class Column:
    """A field ready to read cells.

    Attributes:
        name: its name.
        type: its type.
        read: reads a cell.
        required: True where an empty cell is an error.
        unique: True where a value may stand once.
        problems: what in its schema cannot be, and is left aside.
    """

    name: str
    type: str
    read: Read
    required: bool = False
    unique: bool = False
    problems: tuple[SchemaProblem, ...] = field(default=())


def free_column(number: int) -> Column:
    """A column that the schema does not speak of: anything may stand in it, and its name may be anything."""
    return Column(f"#{number}", "any", lambda cell: (cell if cell != "" else None, ()))


def column(given: Mapping[str, Any], missing: Iterable[Any]) -> Column:
    """Make a field ready.

    Args:
        given: a field descriptor that conforms to the standard (`conformance.schema_problems`).
        missing: the missingValues of its schema.
    """
    known = known_cells(given, listed := _values(given.get("missingValues", missing)))
    return _Builder(given, missing).column() if known is None else _quick(given, listed, known)


def _quick(given: Mapping[str, Any], missing: Iterable[Any], known: Known) -> Column:
    """A field whose cells are shown to frictionless only where they are not surely right."""
    constraints = given.get("constraints", {})
    is_required = constraints.get("required") is True
    none = frozenset(value for value in missing if isinstance(value, str))
    judges: list[Read] = []

    def read(cell: Any) -> tuple[Any, tuple[str, ...]]:
        if type(cell) is str:
            if cell in none:
                if not is_required:
                    return None, ()
            elif (value := known(cell)) is not None:
                return value, ()
        if not judges:
            judges.append(_Builder(given, missing).column().read)
        return judges[0](cell)

    return Column(given["name"], given.get("type", "any"), read, is_required, constraints.get("unique") is True)


class _Builder:
    """Takes a field apart into the stock reader and what is put around it."""

    def __init__(self, given: Mapping[str, Any], missing: Iterable[Any]) -> None:
        self._given = given
        self._type: str = given.get("type", "any")
        self._format: str = given.get("format", "default")
        self._missing = frozenset(_values(given.get("missingValues", missing)))
        self._constraints: Mapping[str, Any] = given.get("constraints", {})
        self._problems: list[SchemaProblem] = []

    def column(self) -> Column:
        if self._type == "list" and self._given.get("delimiter", ",") == "":
            self._problem("/delimiter", "list-delimiter")
            return self._finished(free_column(0).read)
        bare = self._stock({})
        value = self._mended(bare)
        good = self._readable_constraints(value)
        stock = self._mended(self._stock(good)) if good else value
        return self._finished(self._with_own_checks(stock, value))

    def _finished(self, read: Read) -> Column:
        constraints = self._constraints
        return Column(
            self._given["name"],
            self._type,
            read,
            constraints.get("required") is True,
            constraints.get("unique") is True,
            tuple(self._problems),
        )

    def _problem(self, pointer: str, reason: str, code: str = "CD416", **params: Any) -> None:
        params |= {"field": self._given["name"], "type": self._type}
        self._problems.append(SchemaProblem(pointer, reason, params, code))

    def _stock(self, constraints: Mapping[str, Any]) -> Read:
        """The reader of frictionless, its notes cut down to the names of what is broken."""
        from frictionless import Field

        properties = {key: self._given[key] for key in _READ_BY if key in self._given}
        properties |= {"type": self._type, "format": self._format.removeprefix("fmt:")}
        properties |= {"missingValues": sorted(self._missing), "constraints": dict(constraints)}
        reader = Field.from_descriptor(properties).create_cell_reader()
        bounds = tuple(name for name in constraints if "imum" in name)

        def read(cell: Any) -> tuple[Any, tuple[str, ...]]:
            try:
                value, notes = reader(cell)
            except _RAISED_BY_READERS:
                return None, bounds or ("type",)
            return value, tuple(notes) if notes else ()

        return read

    def _mended(self, stock: Read) -> Read:
        """The stock reader behind the gate of the lexical forms that the standard allows."""
        allows, simplify, missing = self._lexical(), self._simplify(), self._missing
        if allows is None:
            return stock

        def read(cell: Any) -> tuple[Any, tuple[str, ...]]:
            if isinstance(cell, str) and cell not in missing:
                if not allows(simplify(cell)):
                    return None, ("type",)
                cell = simplify(cell) if self._type == "integer" else cell
            return stock(cell)

        return read

    def _lexical(self) -> Callable[[str], bool] | None:
        if self._type == "string" and self._format == "binary":
            return _is_base64
        if self._type == "list":
            item = _LEXICAL.get(self._given.get("itemType", "string"))
            delimiter = self._given.get("delimiter", ",")
            return (lambda cell: all(_matches(item, part) for part in cell.split(delimiter))) if item else None
        # Formats other than the default have forms of their own.
        if self._format != "default" or self._type not in _LEXICAL:
            return None
        pattern = re.compile(_LEXICAL[self._type])
        return lambda cell: pattern.fullmatch(cell) is not None

    def _simplify(self) -> Callable[[str], str]:
        """A number as it would be with a point, without groups and units; of other types the cell as it is."""
        if self._type not in ("integer", "number"):
            return lambda cell: cell
        is_bare = self._given.get("bareNumber", True)
        group, decimal = self._given.get("groupChar", ""), self._given.get("decimalChar", ".")

        def simplify(cell: str) -> str:
            text = cell.strip()
            text = text if is_bare else _bare(text)
            text = text.replace(group, "") if group else text
            if decimal == "." or self._type == "integer":
                return text
            return text.replace(".", "?").replace(decimal, ".") if decimal else text

        return simplify

    def _readable_constraints(self, value: Read) -> dict[str, Any]:
        """The constraints that frictionless shall check; what cannot be is told of and left out."""
        good: dict[str, Any] = {}
        for name, given in self._constraints.items():
            if name == "jsonSchema":
                self._problem("/constraints/jsonSchema", "json-schema", "CD418")
            elif name in ("pattern", "unique") or self._type in BEYOND_FRICTIONLESS.get(name, ()):
                continue
            elif "imum" in name and _read(value, given) is None:
                self._problem(f"/constraints/{name}", "constraint", constraint=name)
            elif name == "enum" and any(_read(value, one) is None for one in given):
                self._problem("/constraints/enum", "constraint", constraint=name)
            else:
                good[name] = given
        return good

    def _with_own_checks(self, stock: Read, value: Read) -> Read:
        checks = [*self._pattern(), *self._categories(value), *self._list_enum(value)]
        if not checks:
            return stock

        def read(cell: Any) -> tuple[Any, tuple[str, ...]]:
            found, broken = stock(cell)
            if found is None:
                return found, broken
            return found, broken + tuple(name for check in checks if (name := check(found)))

        return read

    def _pattern(self) -> Iterable[_Check]:
        if "pattern" not in self._constraints:
            return
        given = self._constraints["pattern"]
        try:
            holds = matcher(given)
        except PatternTooLargeError:
            self._problem("/constraints/pattern", "pattern-large", "CD432")
            return
        except (re.error, OverflowError, RecursionError):
            is_foreign = _OF_OTHER_DIALECTS.search(given) is not None
            reason, code = ("pattern-foreign", "CD418") if is_foreign else ("pattern", "CD416")
            self._problem("/constraints/pattern", reason, code)
            return
        answers = {True: "", False: "pattern", None: LATE}
        yield lambda cell: answers[holds(cell) if isinstance(cell, str) else False]

    def _categories(self, value: Read) -> Iterable[_Check]:
        given = self._given.get("categories")
        if given is None:
            return
        wanted = [_read(value, one) for one in _values(given)] if isinstance(given, list) else []
        if not wanted or None in wanted:
            self._problem("/categories", "categories")
            return
        yield lambda found: "" if found in wanted else "categories"

    def _list_enum(self, value: Read) -> Iterable[_Check]:
        if self._type != "list" or not isinstance(given := self._constraints.get("enum"), list):
            return
        wanted = [_read(value, one) for one in given]
        yield lambda found: "" if found in wanted else "enum"


def _bare(text: str) -> str:
    r"""A number without what stands around it: what frictionless takes out as `(^[^-\d]*)|(\D*$)`.

    That pattern looks through the rest of a cell from each of its characters on.
    """
    found = _BEFORE_NUMBER.match(text)
    start, end = found.end() if found else 0, len(text)
    while end > start and not text[end - 1].isdecimal():
        end -= 1
    return text[start:end]


def _values(entries: Any) -> list[Any]:
    """Plain values of a list of values, or of objects with a value."""
    return [entry.get("value") if isinstance(entry, Mapping) else entry for entry in entries]


def _read(value: Read, given: Any) -> Any:
    found, broken = value(given)
    return None if broken else found


def _matches(pattern: str, text: str) -> bool:
    return re.fullmatch(pattern, text) is not None


def _is_base64(cell: str) -> bool:
    try:
        base64.b64decode(cell, validate=True)
    except (binascii.Error, ValueError):
        return False
    return True
