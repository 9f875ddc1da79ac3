"""Whether a document is valid by a JSON Schema, told at once: yes, or that it is not certain.

A schema is made into functions once, which takes a few milliseconds; by them a valid descriptor is judged in a
tenth of one. They know the keywords of draft-07 that the profile's schema has, and no others. Where a document is
not valid, jsonschema words what is wrong; `tests/test_valid.py` holds that both agree.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from cdmeta.period import to_date

Valid = Callable[[Any], bool]
_WORDS = frozenset({"$schema", "$id", "$comment", "title", "description", "default", "examples", "definitions"})
_TYPES: Mapping[str, Callable[[Any], bool]] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    # 412.0 is an integer to JSON Schema, and would be written into SDMX as it stands.
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, (int, float)) and not isinstance(value, bool),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
}


class UnknownKeywordError(Exception):
    """A schema says something that is not known here."""


class _UncertainError(Exception):
    """A document holds something on which nothing is said here."""


def compiled(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> Valid:
    """A function that is true only for documents that are valid.

    Args:
        schema: a JSON Schema of draft-07.
        definitions: what its references `#/definitions/…` lead to.

    Raises:
        UnknownKeywordError: it has a keyword that is not known here.
    """
    whole = _Compiler(definitions).schema(schema)

    def valid(document: Any) -> bool:
        try:
            return whole(document)
        except (_UncertainError, RecursionError):
            return False

    return valid


class _Compiler:
    def __init__(self, definitions: Mapping[str, Any]) -> None:
        self._definitions = definitions
        self._named: dict[str, Valid] = {}

    def schema(self, schema: Any) -> Valid:
        """Whether all keywords of a schema hold."""
        if isinstance(schema, bool):
            return lambda _: schema
        if "$ref" in schema:
            return self._reference(schema["$ref"])
        parts = [self._keyword(name, schema) for name in schema if name not in _WORDS | {"then", "else"}]
        return parts[0] if len(parts) == 1 else _every(parts)

    def _keyword(self, name: str, schema: Mapping[str, Any]) -> Valid:
        if name == "if":
            return self._if(schema)
        if name == "additionalProperties":
            return self._additional(schema[name], frozenset(schema.get("properties", ())))
        build: Callable[[Any], Valid] | None = getattr(self, f"_on_{name}", None)
        if build is None:
            raise UnknownKeywordError(name)
        return build(schema[name])

    def _reference(self, reference: str) -> Valid:
        start, name = reference[:14], reference[14:]
        if start != "#/definitions/" or name not in self._definitions:
            raise UnknownKeywordError(reference)
        if name not in self._named:
            # A definition may refer to itself.
            self._named[name] = lambda value: self._named[name](value)
            self._named[name] = self.schema(self._definitions[name])
        return self._named[name]

    def _if(self, schema: Mapping[str, Any]) -> Valid:
        condition = self.schema(schema["if"])
        then, otherwise = self.schema(schema.get("then", True)), self.schema(schema.get("else", True))
        return lambda value: then(value) if condition(value) else otherwise(value)

    def _on_type(self, wanted: str | list[str]) -> Valid:
        kinds = [_TYPES[name] for name in ([wanted] if isinstance(wanted, str) else wanted)]
        return kinds[0] if len(kinds) == 1 else lambda value: any(kind(value) for kind in kinds)

    def _on_properties(self, wanted: Mapping[str, Any]) -> Valid:
        known = {name: self.schema(part) for name, part in wanted.items()}

        def properties(value: Any) -> bool:
            if isinstance(value, dict):
                for name, part in value.items():
                    if name in known and not known[name](part):
                        return False
            return True

        return properties

    def _on_required(self, wanted: list[str]) -> Valid:
        names = frozenset(wanted)
        return lambda value: not isinstance(value, dict) or names <= value.keys()

    def _on_propertyNames(self, wanted: Any) -> Valid:  # noqa: N802  # the keyword
        name = self.schema(wanted)
        return lambda value: not isinstance(value, dict) or all(map(name, value))

    def _additional(self, wanted: Any, known: frozenset[str]) -> Valid:
        other = self.schema(wanted)

        def additional(value: Any) -> bool:
            if isinstance(value, dict):
                return all(other(part) for name, part in value.items() if name not in known)
            return True

        return additional

    def _on_items(self, wanted: Any) -> Valid:
        if isinstance(wanted, list):
            raise UnknownKeywordError("items")
        item = self.schema(wanted)
        return lambda value: not isinstance(value, list) or all(map(item, value))

    def _on_contains(self, wanted: Any) -> Valid:
        item = self.schema(wanted)
        return lambda value: not isinstance(value, list) or any(map(item, value))

    def _on_minProperties(self, wanted: int) -> Valid:  # noqa: N802  # the keyword
        return lambda value: not isinstance(value, dict) or len(value) >= wanted

    def _on_minItems(self, wanted: int) -> Valid:  # noqa: N802  # the keyword
        return lambda value: not isinstance(value, list) or len(value) >= wanted

    def _on_minLength(self, wanted: int) -> Valid:  # noqa: N802  # the keyword
        return lambda value: not isinstance(value, str) or len(value) >= wanted

    def _on_minimum(self, wanted: float) -> Valid:
        number = _TYPES["number"]
        return lambda value: not number(value) or value >= wanted

    def _on_maximum(self, wanted: float) -> Valid:
        number = _TYPES["number"]
        return lambda value: not number(value) or value <= wanted

    def _on_uniqueItems(self, wanted: bool) -> Valid:  # noqa: N802  # the keyword and its value
        def unique(value: Any) -> bool:
            if not wanted or not isinstance(value, list):
                return True
            if not all(isinstance(item, str) for item in value):
                raise _UncertainError
            return len(set(value)) == len(value)

        return unique

    def _on_enum(self, wanted: list[Any]) -> Valid:
        if not all(isinstance(one, str) for one in wanted):
            raise UnknownKeywordError("enum")
        known = frozenset(wanted)
        return lambda value: isinstance(value, str) and value in known

    def _on_const(self, wanted: Any) -> Valid:
        return self._on_enum([wanted])

    def _on_pattern(self, wanted: str) -> Valid:
        search = re.compile(exact(wanted)).search
        return lambda value: not isinstance(value, str) or search(value) is not None

    def _on_format(self, wanted: str) -> Valid:
        if wanted != "date":
            raise UnknownKeywordError(wanted)
        return lambda value: not isinstance(value, str) or to_date(value) is not None

    def _on_allOf(self, wanted: list[Any]) -> Valid:  # noqa: N802  # the keyword
        return _every([self.schema(part) for part in wanted])

    def _on_anyOf(self, wanted: list[Any]) -> Valid:  # noqa: N802  # the keyword
        parts = [self.schema(part) for part in wanted]
        return lambda value: any(part(value) for part in parts)

    def _on_not(self, wanted: Any) -> Valid:
        part = self.schema(wanted)
        return lambda value: not part(value)


def _every(parts: list[Valid]) -> Valid:
    def every(value: Any) -> bool:
        # A generator would take most of the time.
        for part in parts:  # noqa: SIM110
            if not part(value):
                return False
        return True

    return every


def exact(pattern: str) -> str:
    """A pattern of JSON Schema (ECMA-262), whose `$` is the very end, for Python."""
    return f"{pattern[:-1]}\\Z" if pattern.endswith("$") else pattern
