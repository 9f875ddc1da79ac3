"""What is right beyond doubt: objects of a descriptor, and cells, on which frictionless need not be asked.

frictionless decides on all that is not certain here, so a package in which nothing is odd never waits for it.
`tests/test_sure.py` holds that it agrees with whatever is certain.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from cdmeta.tables.gates import TRANSLATED

_LARGEST = 10**18
_PLAIN = frozenset({"name", "type", "format", "title", "description", "constraints", "missingValues", "example"})
_PLAIN |= {"rdfType", "citizenData", "sdmx"}
_LISTED = frozenset({"categories", "categoriesOrdered"})
_SIGNS: Mapping[str, Callable[[Any, int], bool]] = {
    "minimum": lambda value, bound: bool(value >= bound),
    "maximum": lambda value, bound: bool(value <= bound),
    "exclusiveMinimum": lambda value, bound: bool(value > bound),
    "exclusiveMaximum": lambda value, bound: bool(value < bound),
}

Known = Callable[[str], Any]
"""A cell to its value, where it is surely right; else None."""


# --- cells


def known_cells(given: Mapping[str, Any], missing: Iterable[Any]) -> Known | None:
    """What reads the cells of a field that surely are right; None where the field needs frictionless.

    Args:
        given: a field descriptor that conforms to the standard.
        missing: the missing values that hold for it, as plain values.
    """
    constraints = given.get("constraints", {})
    build = _BUILDERS.get(given.get("type", "any"))
    own = _PLAIN | _LISTED if build is _string else _PLAIN
    if build is None or given.get("format", "default") != "default":
        return None
    if any(not key.startswith(TRANSLATED) for key in given.keys() - own):
        return None
    return build(
        given,
        {key: value for key, value in constraints.items() if key not in ("required", "unique")},
        frozenset(value for value in missing if isinstance(value, str)),
    )


def _any(_: Mapping[str, Any], constraints: Mapping[str, Any], __: frozenset[str]) -> Known | None:
    return None if constraints else lambda cell: cell


def _string(given: Mapping[str, Any], constraints: Mapping[str, Any], missing: frozenset[str]) -> Known | None:
    least, most, known = 0, _LARGEST, list[frozenset[str]]()
    listed = [("categories", given["categories"])] if "categories" in given else []
    for name, value in [*constraints.items(), *listed]:
        if name in ("minLength", "maxLength") and _is_count(value):
            least, most = (value, most) if name == "minLength" else (least, value)
        elif name in ("enum", "categories") and (texts := _texts(value)) and missing.isdisjoint(texts):
            known.append(frozenset(texts))
        else:
            return None
    if not known and (least, most) == (0, _LARGEST):
        return lambda cell: cell
    return lambda cell: cell if least <= len(cell) <= most and all(cell in texts for texts in known) else None


def _is_count(value: Any) -> bool:
    return type(value) is int and 0 <= value < _LARGEST


def _texts(value: Any) -> list[str]:
    """The texts of a list of them, or of objects with a value; none where something else is among them."""
    listed = value if isinstance(value, list) else []
    texts: list[Any] = [entry.get("value") if isinstance(entry, Mapping) else entry for entry in listed]
    return texts if all(isinstance(text, str) for text in texts) else []


def _numeric(pattern: str, make: Callable[[str], Any], lowest: int, highest: int) -> Callable[..., Known | None]:
    is_form = re.compile(pattern).fullmatch

    def is_plain(bound: Any, missing: frozenset[str]) -> bool:
        return type(bound) is int and lowest <= bound <= highest and str(bound) not in missing

    def build(_: Mapping[str, Any], constraints: Mapping[str, Any], missing: frozenset[str]) -> Known | None:
        if not all(name in _SIGNS and is_plain(bound, missing) for name, bound in constraints.items()):
            return None
        bounds = [(_SIGNS[name], value) for name, value in constraints.items()]

        def known(cell: str) -> Any:
            if is_form(cell) is None:
                return None
            value = make(cell)
            return value if all(sign(value, bound) for sign, bound in bounds) else None

        return known

    return build


def _boolean(_: Mapping[str, Any], constraints: Mapping[str, Any], __: frozenset[str]) -> Known | None:
    values = {"true": True, "True": True, "TRUE": True, "1": True}
    values |= {"false": False, "False": False, "FALSE": False, "0": False}
    return None if constraints else values.get


def _date(_: Mapping[str, Any], constraints: Mapping[str, Any], __: frozenset[str]) -> Known | None:
    is_form = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}").fullmatch

    def known(cell: str) -> date | None:
        try:
            return date.fromisoformat(cell) if is_form(cell) else None
        except ValueError:
            return None

    return None if constraints else known


_BUILDERS: Mapping[str, Callable[[Mapping[str, Any], Mapping[str, Any], frozenset[str]], Known | None]] = {
    "any": _any,
    "string": _string,
    "integer": _numeric("[+-]?[0-9]{1,18}", int, -_LARGEST, _LARGEST),
    "number": _numeric(r"[+-]?[0-9]{1,18}(?:\.[0-9]{1,18})?", Decimal, -_LARGEST, _LARGEST),
    "year": _numeric("[1-9][0-9]{3}", int, 1, 9999),
    "boolean": _boolean,
    "date": _date,
}


# --- objects of a descriptor


Holds = Callable[[Any], bool]


def conforms(layer: str, part: Mapping[str, Any]) -> bool:
    """Whether an object surely has nothing wrong with it.

    Args:
        layer: `package`, `resource`, `dialect`, `schema` or `field`, as `conformance` has them.
        part: some of its properties, and what has to stand beside them.
    """
    known = _KNOWN[layer]
    if not all(name in known and known[name](value) for name, value in part.items()):
        return False
    beside = _BESIDE.get(layer)
    return beside is None or beside(part)


def _matching(pattern: str) -> Holds:
    whole = re.compile(pattern).fullmatch
    return lambda value: isinstance(value, str) and whole(value) is not None


def _list_of(holds: Holds) -> Holds:
    return lambda value: isinstance(value, list) and bool(value) and all(map(holds, value))


def _object_of(**members: Holds) -> Holds:
    def holds(value: Any) -> bool:
        if not isinstance(value, dict):
            return False
        return all(key in members and members[key](part) for key, part in value.items())

    return holds


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool)


def _is_unlike(value: Any) -> bool:
    return len(set(value)) == len(value)


_NAME = _matching("[a-z0-9][a-z0-9._-]*")
_WORD = _matching(r"\S.*")
_WEB = _matching("https?://[a-z0-9-]+([.][a-z0-9-]+)+(/[A-Za-z0-9._~/-]*)?")
_MAIL = _matching(r"[A-Za-z0-9._-]+@[a-z0-9-]+([.][a-z0-9-]+)+")
_MARK = _matching("[,;|\t]")
_NAMES = _list_of(_is_text)
_LICENSE = _object_of(name=_matching("[A-Za-z0-9][A-Za-z0-9._-]*"), path=_WEB, title=_is_text)
_SOURCE = _object_of(title=_WORD, path=_WEB, email=_MAIL, version=_WORD)
_CONTRIBUTOR = _object_of(
    title=_WORD,
    givenName=_WORD,
    familyName=_WORD,
    path=_WEB,
    email=_MAIL,
    roles=_list_of(_WORD),
    organization=_WORD,
)
_ABOUT: Mapping[str, Holds] = {
    "homepage": _WEB,
    "licenses": _list_of(lambda value: _LICENSE(value) and "name" in value),
    "sources": _list_of(lambda value: _SOURCE(value) and "title" in value),
}


def _names_of(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else value if _NAMES(value) and _is_unlike(value) else []


def _is_reference(value: Any) -> bool:
    if not isinstance(value, dict) or value.keys() != {"fields", "reference"}:
        return False
    reference = value["reference"]
    if not isinstance(reference, dict) or not {"fields"} <= reference.keys() <= {"fields", "resource"}:
        return False
    here, there = value["fields"], reference["fields"]
    alike = type(here) is type(there) and len(_names_of(here)) == len(_names_of(there)) > 0
    return alike and _is_text(reference.get("resource", ""))


def _stands_on_fields(part: Mapping[str, Any]) -> bool:
    """All columns that keys name are columns of the table."""
    names = {entry["name"] for entry in part["fields"]}
    used = [*_names_of(part.get("primaryKey", []))]
    used += [name for key in part.get("foreignKeys", []) for name in _names_of(key["fields"])]
    return names.issuperset(used)


_SIMPLE = frozenset(
    {"any", "boolean", "date", "integer", "number", "string", "time", "datetime", "year", "yearmonth"}
)
_OF_TYPE = {"bareNumber": ("integer", "number"), "decimalChar": ("number",), "groupChar": ("number",)}
_OF_TYPE |= {"trueValues": ("boolean",), "falseValues": ("boolean",)}


def _fits_type(part: Mapping[str, Any]) -> bool:
    """Properties and constraints of a field are some of its type."""
    kind = part.get("type", "any")
    if not all(kind in _OF_TYPE[name] for name in part if name in _OF_TYPE):
        return False
    return all(_fits(kind, name, value) for name, value in part.get("constraints", {}).items())


def _fits(kind: str, name: str, value: Any) -> bool:
    if name == "required":
        return _is_flag(value)
    if name == "unique":
        return _is_flag(value) and kind != "boolean"
    if name in ("minLength", "maxLength"):
        return kind == "string" and _is_count(value)
    if name in ("minimum", "maximum"):
        return kind in ("integer", "number") and type(value) is int and abs(value) < _LARGEST
    if name == "enum":
        return kind == "string" and _NAMES(value) and _is_unlike(value)
    return name == "pattern" and kind == "string" and _matching("[A-Za-z0-9_ -]*")(value)


_MISSING: Holds = lambda value: isinstance(value, list) and all(map(_is_text, value)) and _is_unlike(value)  # noqa: E731
_KNOWN: Mapping[str, Mapping[str, Holds]] = {
    "package": {
        "name": _NAME,
        **_ABOUT,
        "contributors": _list_of(lambda value: _CONTRIBUTOR(value) and "title" in value),
        "keywords": lambda value: _list_of(_WORD)(value) and _is_unlike(value),
        "version": _WORD,
    },
    "resource": {
        "name": _NAME,
        "type": lambda value: value == "table",
        **_ABOUT,
        "format": _NAME,
        "mediatype": _matching("[a-z]+/[a-z.-]+"),
        "encoding": _matching("utf-?8"),
        "bytes": _is_count,
        "hash": _matching("([a-z0-9]+:)?[0-9a-f]{32,128}"),
    },
    "dialect": {"header": _is_flag, "delimiter": _MARK, "quoteChar": lambda value: value == '"'},
    "schema": {
        "fields": _list_of(_object_of(name=_is_text, type=lambda value: value == "any")),
        "fieldsMatch": lambda value: value in ("exact", "equal", "subset", "superset", "partial"),
        "missingValues": _MISSING,
        "primaryKey": lambda value: bool(_names_of(value)),
        "foreignKeys": _list_of(_is_reference),
    },
    "field": {
        "type": lambda value: isinstance(value, str) and value in _SIMPLE,
        "format": lambda value: value == "default",
        "missingValues": _MISSING,
        "bareNumber": _is_flag,
        "decimalChar": _matching("[.,]"),
        "groupChar": _matching("[., ]"),
        "trueValues": _NAMES,
        "falseValues": _NAMES,
        "constraints": lambda value: isinstance(value, dict),
    },
}
_BESIDE: Mapping[str, Callable[[Mapping[str, Any]], bool]] = {"schema": _stands_on_fields, "field": _fits_type}
