"""What surely is right in a cell, as an expression of SQL.

A gate is sound: where it holds, the judge finds nothing wrong (`tests/test_scan.py` holds that). It may fail on
what is right as well; such values are shown to the judge. Nothing is proved by a cast alone, because `1.5` casts
to an integer, and no regular expression is taken over that DuckDB (RE2) might read more widely than Python.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from cdmeta.tables.engine import literal

_PLAIN_PATTERN = re.compile(
    r"""\^?(?:
        [A-Za-z0-9\ _/:,;@#%&=<>~!'"-]      # a character that stands for itself
      | \\[.\-+*?()\[\]{}|/^$\\dw]          # an escaped one; the digits and letters of RE2 are some of Python's
      | \[[A-Za-z0-9_\ .,:;/+-]+\]          # a positive class of ASCII
      | \((?:\?:)? | \) | \| | \.
      | [?*+](?![?*+{]) | \{[0-9]{1,3}(?:,[0-9]{1,3})?\}(?![?*+{])
    )*\$?""",
    re.VERBOSE,
)
_BOOLEAN = {"trueValues": ("true", "True", "TRUE", "1"), "falseValues": ("false", "False", "FALSE", "0")}
_PROPERTIES = frozenset(
    {"name", "type", "title", "description", "constraints", "missingValues", "example", "rdfType"}
)
_PROPERTIES |= {"citizenData", "sdmx", "format"}
TRANSLATED = ("title@", "description@")
"""What the properties of a field begin with that say its title and description in other languages."""
_LARGEST = 10**18

Gate = Callable[[str], str]
"""The name of a column of text that is never NULL → an expression that is true only where the cell is right."""


def is_missing(cell: str, missing: Iterable[Any]) -> str:
    """An expression that is true where a cell is one of the missing values."""
    texts = sorted({value for value in missing if isinstance(value, str)})
    return _among(cell, texts)


def gate(given: Mapping[str, Any], missing: Iterable[Any]) -> Gate | None:
    """The gate of a field; None where every value has to be seen by the judge.

    Args:
        given: a field descriptor that conforms to the standard.
        missing: the missing values that hold for it, as plain values.
    """
    wanted = list(missing)
    given = {name: value for name, value in given.items() if not name.startswith(TRANSLATED)}
    constraints = given.get("constraints", {})
    build = _BUILDERS.get(given.get("type", "any"))
    if build is None or given.get("format", "default") != "default":
        return None
    right = build(given, {key: value for key, value in constraints.items() if key not in ("required", "unique")})
    if right is None:
        return None
    is_required = constraints.get("required") is True

    def whole(cell: str) -> str:
        none = is_missing(cell, wanted)
        return f"(NOT {none} AND {right(cell)})" if is_required else f"({none} OR {right(cell)})"

    return whole


def _any(given: Mapping[str, Any], constraints: Mapping[str, Any]) -> Gate | None:
    return None if constraints or not given.keys() <= _PROPERTIES else lambda _: "true"


def _string(given: Mapping[str, Any], constraints: Mapping[str, Any]) -> Gate | None:
    parts: list[Gate] = []
    if not given.keys() <= _PROPERTIES | {"categories", "categoriesOrdered"}:
        return None
    for name, value in [*constraints.items(), ("categories", given.get("categories"))]:
        part = _of_string(name, value) if value is not None else _true
        if part is None:
            return None
        parts.append(part)
    return lambda cell: _all(part(cell) for part in parts)


def _of_string(name: str, value: Any) -> Gate | None:
    if name in ("minLength", "maxLength") and isinstance(value, int) and 0 <= value < _LARGEST:
        sign = ">=" if name == "minLength" else "<="
        return lambda cell: f"length({cell}) {sign} {value}"
    if name in ("enum", "categories") and isinstance(value, list):
        texts = [entry.get("value") if isinstance(entry, Mapping) else entry for entry in value]
        known = [text for text in texts if isinstance(text, str)]
        return (lambda cell: _among(cell, known)) if len(known) == len(texts) else None
    if name == "pattern" and isinstance(value, str) and _is_plain(value):
        return lambda cell: f"regexp_full_match({cell}, {literal(value)})"
    return None


def _is_plain(pattern: str) -> bool:
    if _PLAIN_PATTERN.fullmatch(pattern) is None:
        return False
    try:
        re.compile(pattern)
    except (re.error, OverflowError, RecursionError):
        return False
    return True


def _integer(given: Mapping[str, Any], constraints: Mapping[str, Any]) -> Gate | None:
    bounds = _bounds(given, constraints)
    if bounds is None:
        return None
    return lambda cell: _form(
        cell, "[+-]?[0-9]{1,18}", [f"TRY_CAST({cell} AS BIGINT) {bound}" for bound in bounds]
    )


def _number(given: Mapping[str, Any], constraints: Mapping[str, Any]) -> Gate | None:
    bounds = _bounds(given, constraints)
    if bounds is None:
        return None
    cast = "TRY_CAST({} AS DECIMAL(38, 18))"
    form = r"[+-]?[0-9]{1,18}(\.[0-9]{1,18})?"
    return lambda cell: _form(cell, form, [f"{cast.format(cell)} {bound}" for bound in bounds])


_SIGNS = {"minimum": ">=", "maximum": "<=", "exclusiveMinimum": ">", "exclusiveMaximum": "<"}


def _bounds(given: Mapping[str, Any], constraints: Mapping[str, Any]) -> list[str] | None:
    if not given.keys() <= _PROPERTIES or not constraints.keys() <= _SIGNS.keys():
        return None
    if not all(type(value) is int and abs(value) < _LARGEST for value in constraints.values()):
        return None
    return [f"{_SIGNS[name]} {value}" for name, value in constraints.items()]


def _boolean(given: Mapping[str, Any], constraints: Mapping[str, Any]) -> Gate | None:
    values = [value for name, default in _BOOLEAN.items() for value in given.get(name, default)]
    known = given.keys() <= _PROPERTIES | _BOOLEAN.keys() and all(isinstance(value, str) for value in values)
    return (lambda cell: _among(cell, values)) if known and not constraints else None


def _date(given: Mapping[str, Any], constraints: Mapping[str, Any]) -> Gate | None:
    if constraints or not given.keys() <= _PROPERTIES:
        return None
    form = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
    return lambda cell: _form(cell, form, [f"TRY_CAST({cell} AS DATE) >= DATE '0001-01-01'"])


def _year(given: Mapping[str, Any], constraints: Mapping[str, Any]) -> Gate | None:
    bounds = _bounds(given, constraints)
    if bounds is None:
        return None
    return lambda cell: _form(cell, "[1-9][0-9]{3}", [f"TRY_CAST({cell} AS BIGINT) {bound}" for bound in bounds])


_BUILDERS: Mapping[str, Callable[[Mapping[str, Any], Mapping[str, Any]], Gate | None]] = {
    "any": _any,
    "string": _string,
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
    "date": _date,
    "year": _year,
}


def _form(cell: str, pattern: str, more: Iterable[str]) -> str:
    return _all([f"regexp_full_match({cell}, {literal(pattern)})", *(f"coalesce({part}, false)" for part in more)])


def _among(cell: str, texts: Iterable[str]) -> str:
    listed = ", ".join(literal(text) for text in texts)
    return f"({cell} IN ({listed}))" if listed else "false"


def _all(parts: Iterable[str] | Iterator[str]) -> str:
    return "(" + (" AND ".join(parts) or "true") + ")"


def _true(_: str) -> str:
    return "true"
