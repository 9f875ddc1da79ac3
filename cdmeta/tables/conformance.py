"""Conformance of a descriptor to the Data Package standard itself: frictionless judges, we say it in words.

frictionless is asked about one object, and where it objects, about one property at a time. So each problem has the
place where it lies, whatever shape the JSON has, and its words are ours. Only the standard's own properties are
shown to it: nothing can be fetched, and what others add (`citizenData`, `sdmx`, `title@fr`) cannot disturb it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from cdmeta import profile
from cdmeta.phrase import SENTENCES, Phrase, Series
from cdmeta.tables.sure import conforms
from cdmeta.text import pointer_step

FIELD_TYPES = (
    "any", "array", "boolean", "date", "datetime", "duration", "geojson", "geopoint", "integer", "list", "number",
    "object", "string", "time", "year", "yearmonth",
)  # fmt: skip
CONSTRAINTS = (
    "enum", "exclusiveMaximum", "exclusiveMinimum", "jsonSchema", "maxLength", "maximum", "minLength", "minimum",
    "pattern", "required", "unique",
)  # fmt: skip
BEYOND_FRICTIONLESS = {"jsonSchema": ("array", "geojson", "list", "object"), "enum": ("list",)}
"""Constraints of Table Schema 2.0 that frictionless refuses for these types."""

_ABOUT = ("title", "description", "homepage", "licenses", "sources")
_PROPERTIES = {
    "package": ("name", *_ABOUT, "contributors", "keywords", "image", "version", "created"),
    "resource": ("name", "type", *_ABOUT, "format", "mediatype", "encoding", "bytes", "hash"),
    "dialect": (
        "header", "headerRows", "headerJoin", "commentRows", "commentChar", "delimiter", "lineTerminator",
        "quoteChar", "doubleQuote", "escapeChar", "nullSequence", "skipInitialSpace",
    ),
    "schema": ("fieldsMatch", "missingValues", "primaryKey", "foreignKeys"),
    "field": (
        "title", "description", "format", "missingValues", "rdfType", "trueValues", "falseValues", "bareNumber",
        "decimalChar", "groupChar", "itemType",
    ),
}  # fmt: skip
_VERSION_2 = "https://datapackage.org/profiles/2.0/{}.json"

Problem = tuple[str, "Phrase | Series"]
"""JSON Pointer, and what is wrong there, in one sentence."""


def metadata_problems(descriptor: Mapping[str, Any]) -> Iterator[Problem]:
    """What contradicts Data Package 2.0 in a descriptor, its resources, inline dialects and inline schemas.

    A package of version 1 is judged by 2.0 too, which allows more. Paths are the loader's to judge.

    Args:
        descriptor: any JSON value; an object, where it is a descriptor.

    Yields:
        JSON Pointer (RFC 6901) and a note; `$schema` and `profile` are never looked at or fetched.
    """
    if not isinstance(descriptor, Mapping):
        yield "", _text("package")
        return
    yield from _layer("package", descriptor, "")
    resources = descriptor.get("resources")
    if not isinstance(resources, list) or not resources:
        yield ("/resources" if "resources" in descriptor else ""), _text("package.resources")
        return
    for index, resource in enumerate(resources):
        if isinstance(resource, Mapping):
            yield from _resource(resource, f"/resources/{index}")


def schema_problems(schema: Mapping[str, Any], pointer: str = "") -> Iterator[Problem]:
    """What contradicts Table Schema 2.0 in a schema, its pointers below `pointer`."""
    fields = schema.get("fields")
    if not isinstance(fields, list):
        yield pointer, _text("schema.fields")
        return
    for index, field in enumerate(fields):
        if isinstance(field, Mapping):
            yield from _field(field, f"{pointer}/fields/{index}")
        else:
            yield f"{pointer}/fields/{index}", _text("field")
    names = [field.get("name") for field in fields if isinstance(field, Mapping)]
    if twice := _first_twice([name for name in names if isinstance(name, str)]):
        yield f"{pointer}/fields", _text("schema.twice", name=twice)
    yield from _layer("schema", schema, pointer)
    if not _is_unique_keys(schema.get("uniqueKeys"), names):
        yield f"{pointer}/uniqueKeys", _text("schema.uniqueKeys")


def _resource(resource: Mapping[str, Any], pointer: str) -> Iterator[Problem]:
    if "name" not in resource:
        yield pointer, _text("resource.unnamed")
    # Version 0 wrote url, which the standard still takes for path.
    if not {"path", "data", "url"}.intersection(resource):
        yield pointer, _text("resource.empty")
    if "path" in resource and "data" in resource:
        yield pointer, _text("resource.both")
    if resource.get("path") == []:
        yield f"{pointer}/path", _text("resource.path")
    yield from _layer("resource", resource, pointer)
    if isinstance(dialect := resource.get("dialect"), Mapping):
        yield from _layer("dialect", dialect, f"{pointer}/dialect")
    if isinstance(schema := resource.get("schema"), Mapping):
        yield from schema_problems(schema, f"{pointer}/schema")


def _field(field: Mapping[str, Any], pointer: str) -> Iterator[Problem]:
    if not isinstance(field.get("name"), str):
        yield pointer, _text("field.name")
    kind = field.get("type", "any")
    if kind not in FIELD_TYPES:
        near = profile.nearest(kind, FIELD_TYPES) if isinstance(kind, str) else None
        yield f"{pointer}/type", _hinted(_text("field.type", types=", ".join(FIELD_TYPES)), near)
        return
    yield from _layer("field", field, pointer)
    yield from _constraints(field.get("constraints", {}), kind, f"{pointer}/constraints")


def _constraints(constraints: Any, kind: str, pointer: str) -> Iterator[Problem]:
    if not isinstance(constraints, Mapping):
        yield pointer, _text("field.constraints")
        return
    for name, value in constraints.items():
        place = f"{pointer}/{pointer_step(name)}"
        if name not in CONSTRAINTS:
            yield place, _hinted(_text("constraint.unknown", name=name), profile.nearest(name, CONSTRAINTS))
        elif kind not in BEYOND_FRICTIONLESS.get(name, ()) and not _accepts(
            "field", {"type": kind, "constraints": {name: value}}
        ):
            known = _accepts("field", {"type": kind, "constraints": {name: _HARMLESS.get(name, 0)}})
            yield place, _text(f"constraint.{name}" if known else "constraint.type", name=name, type=kind)


# A value of the right JSON type for each constraint: if even this is refused, the type has no such constraint.
_HARMLESS: dict[str, Any] = {"enum": [], "pattern": "a", "required": True, "unique": True}


_WORDS = ("title", "description")
"""Any string will do; leaving them out makes most objects alike."""


def _layer(layer: str, given: Mapping[str, Any], pointer: str) -> Iterator[Problem]:
    """The problems of one object, without what lies below it."""
    present = {
        name: _leniently(name, given[name])
        for name in _PROPERTIES[layer]
        if name in given and not (name in _WORDS and isinstance(given[name], str))
    }
    context = _context(layer, given)
    if _accepts(layer, context | present):
        return
    wrong = [name for name in present if not _accepts(layer, context | {name: present[name]})]
    for name in wrong:
        yield f"{pointer}/{name}", _text(f"{layer}.{name}")
    if not wrong:
        yield pointer, _text(layer)


def _context(layer: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """The least that has to stand beside a property for frictionless to look at it."""
    if layer == "field":
        return {"type": given.get("type", "any")}
    if layer == "schema":
        fields = given["fields"] if isinstance(given.get("fields"), list) else []
        names = [f["name"] for f in fields if isinstance(f, Mapping) and isinstance(f.get("name"), str)]
        return {"fields": [{"name": name, "type": "any"} for name in dict.fromkeys(names)]}
    return {}


def _leniently(name: str, value: Any) -> Any:
    # The prose of Table Schema 2.0 says a string, its JSON profile says an array of one: both are out there.
    if name == "fieldsMatch" and isinstance(value, list) and len(value) == 1:
        return value[0]
    return value


def _accepts(layer: str, part: dict[str, Any]) -> bool:
    """Whether frictionless has nothing to say against an object; the same objects come again and again."""
    return conforms(layer, part) or _accepts_text(layer, json.dumps(part))


@lru_cache(maxsize=4096)
def _accepts_text(layer: str, text: str) -> bool:
    part = json.loads(text)
    from frictionless import Dialect, Package, Resource, Schema

    probe: dict[str, Any]
    try:
        if layer == "package":
            probe = {"$schema": _VERSION_2.format("datapackage"), "resources": []} | part
            return bool(Package.validate_descriptor(probe).valid)
        if layer == "resource":
            probe = {"$schema": _VERSION_2.format("dataresource"), "name": "x", "data": []} | part
            return bool(Resource.validate_descriptor(probe).valid)
        if layer == "dialect":
            return bool(Dialect.validate_descriptor(part).valid)
        if layer == "field":
            part = {"fields": [{"name": "x"} | part]}
        probe = {"$schema": _VERSION_2.format("tableschema")} | part
        return bool(Schema.validate_descriptor(probe).valid)
    except _RAISED_BY_FRICTIONLESS:
        return False


# What frictionless lets through where a value has a shape that it does not expect.
_RAISED_BY_FRICTIONLESS = (
    ArithmeticError, AssertionError, AttributeError, LookupError, RecursionError, TypeError, ValueError,
)  # fmt: skip


def _is_unique_keys(value: Any, names: list[Any]) -> bool:
    if value is None:
        return True
    return (
        bool(value)
        and isinstance(value, list)
        and all(isinstance(key, list) and key and all(name in names for name in key) for key in value)
    )


def _first_twice(names: list[str]) -> str | None:
    return next((name for index, name in enumerate(names) if name in names[:index]), None)


def _hinted(problem: Phrase, near: str | None) -> Phrase | Series:
    return Series((problem, _text("near", near=near)), SENTENCES) if near else problem


def _text(key: str, **params: str) -> Phrase:
    return Phrase(f"base.{key}", params)
