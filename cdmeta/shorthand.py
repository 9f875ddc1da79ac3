"""Short forms of answers, written in full: `4` for `L4`, one code where a list is asked for.

The fields and code lists of the profile say what is short for what. A short form is accepted in `citizenData`
only: the other properties belong to the Data Package standard, whose own tools take none. What is no short form
stays as it is, for the checks to word. A text needs no full form: a plain string is stored, and so is an object of
language tag and text.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Any

from cdmeta import profile
from cdmeta.profile import Field
from cdmeta.text import is_missing, pointer_step

Parts = tuple[str | int, ...]
"""A place in a JSON document: names of members and indices."""

Places = tuple[tuple[Parts, Any], ...]
"""Places in a descriptor, with what stands there."""

_OWN = "citizenData"
_STAGES = f"{_OWN}.participation"
_DESIGN = "design"
_LEVELS = "CL_PARTICIPATION_LEVEL"
_NUMBERS = 1_000
"""Short forms that are numbers are below; Python refuses to write out an endless one."""
_COLUMN = "resources[].schema.fields[].citizenData"
_NO_STAGE = "_Z"
"""Not every stage can be left out, so it is no level for several."""


def expand(descriptor: Mapping[str, Any]) -> dict[str, Any]:
    """A descriptor with its short forms written in full; the argument is left as it is, and never refused."""
    return in_full(descriptor)[0]


def in_full(descriptor: Mapping[str, Any]) -> tuple[dict[str, Any], Places]:
    """A descriptor with its short forms written in full, and where it has a short form, and which."""
    writer = _Writer()
    result = writer.descriptor(descriptor)
    return result, tuple(writer.short)


def mend(descriptor: Mapping[str, Any]) -> tuple[dict[str, Any], Places]:
    """A descriptor in full, with what is certain mended too, and the places of both.

    Mended are codes in another case or with spaces around them, and one value where the Data Package standard
    asks for a list.
    """
    writer = _Writer(mends=True)
    result = writer.descriptor(descriptor)
    return result, tuple(writer.short)


def pointer(parts: Parts) -> str:
    """A place as a JSON Pointer (RFC 6901)."""
    return "".join(f"/{pointer_step(part)}" for part in parts)


class _Writer:
    """Writes answers in full, and keeps the places of those that were not."""

    def __init__(self, *, mends: bool = False) -> None:
        self.short: list[tuple[Parts, Any]] = []
        self._mends = mends

    def descriptor(self, value: Mapping[str, Any]) -> dict[str, Any]:
        result = dict(value)
        if self._mends:
            result = self._object(result, "", ())
            result = self._columns(result)
        if isinstance(own := result.get(_OWN), Mapping):
            result[_OWN] = self._object(own, _OWN, (_OWN,))
        return result

    def _object(self, value: Mapping[str, Any], above: str, parts: Parts) -> dict[str, Any]:
        known, result = members().get(above, {}), dict[str, Any]()
        if above == _STAGES:
            value = self._design(value, parts)
        for key, part in value.items():
            place = (*parts, key)
            if above == _OWN and key == "participation":
                result[key] = self._participation(part, place)
            elif key in known and not is_missing(part):
                result[key] = self._value(part, known[key], place)
            else:
                result[key] = part
        return result

    def _value(self, value: Any, entry: Field, parts: Parts) -> Any:
        if entry.type == "code":
            return self._code(value, entry.codelist, parts)
        if entry.type in ("codes", "strings", "list"):
            return self._list(value, entry, parts)
        if entry.type != "object":
            return value
        if isinstance(value, Mapping):
            return self._object(value, entry.path, parts)
        # An object of a yes or no and what is told of it: the yes or no alone is its short form.
        asked = [name for name, below in members().get(entry.path, {}).items() if below.type == "boolean"]
        return self._told(parts, value, {asked[0]: value}) if isinstance(value, bool) and asked else value

    def _list(self, value: Any, entry: Field, parts: Parts) -> Any:
        if isinstance(value, list):
            return [self._element(part, entry, (*parts, index)) for index, part in enumerate(value)]
        kind = {"codes": (str, int), "strings": (str,), "list": (Mapping,)}[entry.type]
        if isinstance(value, bool) or not isinstance(value, kind):
            return value
        # What is short within it belongs to the same place.
        inner = _Writer(mends=self._mends)
        element = inner._element(value, entry, parts)
        if isinstance(value, int) and not inner.short:
            return value
        return self._told(parts, value, [element])

    def _element(self, value: Any, entry: Field, parts: Parts) -> Any:
        if entry.type == "codes":
            return self._code(value, entry.codelist, parts)
        if entry.type == "list" and isinstance(value, Mapping):
            return self._object(value, f"{entry.path}[]", parts)
        return value

    def _code(self, value: Any, codelist: str, parts: Parts) -> Any:
        code = self._known(value, codelist)
        return value if code is None or code == value else self._told(parts, value, code)

    def _known(self, value: Any, codelist: str) -> str | None:
        """The code that a value is or stands for."""
        if isinstance(value, bool) or not isinstance(value, (str, int)):
            return None
        if isinstance(value, int) and not 0 <= value < _NUMBERS:
            return None
        exact, loose = _codes(codelist)
        text = value if isinstance(value, str) else str(value)
        found = exact.get(text)
        return loose.get(text.strip().casefold()) if found is None and self._mends else found

    def _participation(self, value: Any, parts: Parts) -> Any:
        """One level stands for all stages."""
        if isinstance(value, Mapping):
            return self._object(value, _STAGES, parts)
        level = self._known(value, _LEVELS)
        if level is None or level == _NO_STAGE:
            return value
        return self._told(parts, value, dict.fromkeys(members()[_STAGES], level))

    def _design(self, value: Mapping[str, Any], parts: Parts) -> Mapping[str, Any]:
        """One level for the design stands for those of its sub-stages that have none of their own."""
        level = self._known(value.get(_DESIGN), _LEVELS)
        stages = [name for name in members()[_STAGES] if name.startswith(_DESIGN)]
        left = [name for name in stages if is_missing(value.get(name))]
        if level is None or level == _NO_STAGE or not left:
            return value
        result: dict[str, Any] = {}
        for key, part in value.items():
            if key == _DESIGN:
                result |= {name: result.get(name) for name in stages}
            else:
                result[key] = part
        self.short.append(((*parts, _DESIGN), value[_DESIGN]))
        return result | dict.fromkeys(left, level)

    def _columns(self, descriptor: dict[str, Any]) -> dict[str, Any]:
        """What is said of columns in the descriptor itself; a schema in a file of its own is not ours to write."""

        def column(value: Any, *parts: str | int) -> Any:
            own = value.get(_OWN) if isinstance(value, Mapping) else None
            if not isinstance(own, Mapping):
                return value
            return {**value, _OWN: self._object(own, _COLUMN, (*parts, _OWN))}

        def resource(value: Any, *parts: str | int) -> Any:
            schema = value.get("schema") if isinstance(value, Mapping) else None
            if not isinstance(schema, Mapping) or not isinstance(fields := schema.get("fields"), list):
                return value
            place = (*parts, "schema", "fields")
            told = [column(field, *place, index) for index, field in enumerate(fields)]
            return {**value, "schema": {**schema, "fields": told}}

        resources = descriptor.get("resources")
        if not isinstance(resources, list):
            return descriptor
        told = [resource(value, "resources", index) for index, value in enumerate(resources)]
        return {**descriptor, "resources": told}

    def _told(self, parts: Parts, short: Any, full: Any) -> Any:
        self.short.append((parts, short))
        return full


def value_at(document: Any, parts: Parts) -> Any:
    """What stands at a place of a document; None where there is nothing."""
    for part in parts:
        if isinstance(part, str):
            document = document.get(part) if isinstance(document, Mapping) else None
        else:
            document = document[part] if isinstance(document, list) and part < len(document) else None
    return document


@cache
def members() -> Mapping[str, Mapping[str, Field]]:
    """The fields by the path of their object and their name, in the order of the profile."""
    found: dict[str, dict[str, Field]] = {}
    for path, entry in profile.load().fields.items():
        if entry.tier != "tool":
            found.setdefault(path.rpartition(".")[0], {})[entry.name] = entry
    return MappingProxyType(found)


@cache
def _codes(codelist: str) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """Codes by themselves and by their short form; and by both in lower case, where that is one code's alone."""
    codes = profile.load().codelists[codelist].codes.values()
    exact = {code.alias: code.id for code in codes if code.alias} | {code.id: code.id for code in codes}
    folded = [name.casefold() for name in exact]
    loose = {name.casefold(): code for name, code in exact.items() if folded.count(name.casefold()) == 1}
    return MappingProxyType(exact), MappingProxyType(loose)
