"""A document that is valid at once is one in which jsonschema finds nothing wrong, and the other way round."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cdmeta.checks.descriptor import _answers, _definitions, _is_valid, _validator
from cdmeta.checks.valid import UnknownKeywordError, compiled
from cdmeta.package import load
from cdmeta.schema import json_schema

ROOT = Path(__file__).parent.parent
PACKAGES = sorted({path.parent for path in ROOT.glob("examples/**/datapackage.json")})
DOCUMENTS = [
    (definition, document)
    for folder in PACKAGES
    for package in [load(folder)]
    for definition, document in [
        ("package", _answers(package.expanded)),
        *(("tableSchema", resource.schema) for resource in package.resources if resource.schema),
    ]
]
VALUES: st.SearchStrategy[Any] = st.sampled_from(
    [
        None, True, False, 0, 1, -1, 2.5, 412.0, 10**30, "", " ", "x", "x\n", "\x1c", "2024-02-30", "2024-02-03",
        "en", "en\n",
        "CITIZEN", "PEOPLE", "COMMUNITY", "NONE", "SENSITIVE", "WITHHELD_SAFETY", "CONSENT_INDIVIDUAL", "1.0.0",
        "CIVIC_DRIVEN",
        [], ["x"], ["x", "x"], [1, 1], [1, True], [{}], [[]], {}, {"en": "x"}, {"e n": "x"}, {"kind": "COMMUNITY"},
        "urn:sdmx:x", "a@b", "L5", "_Z", ["NONE"], ["CONSENT_INDIVIDUAL"],
    ]
)  # fmt: skip


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in parts:
        yield from places(part, (*path, key))


def codes() -> list[str]:
    found: set[str] = set()

    def walk(value: Any) -> None:
        if isinstance(value, dict):
            found.update(one for one in value.get("enum", []) if isinstance(one, str))
            for part in value.values():
                walk(part)

    walk(_definitions())
    return sorted(found)


ANY = st.one_of(VALUES, st.sampled_from(codes()), st.lists(st.sampled_from(codes()), max_size=3)).map(
    copy.deepcopy
)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(DOCUMENTS), st.data())
def test_both_agree_on_documents_that_were_changed(known: tuple[str, Any], data: st.DataObject) -> None:
    definition, document = known[0], copy.deepcopy(known[1])
    for _ in range(data.draw(st.integers(0, 3))):
        paths = [path for path in places(document) if path]
        if not paths:
            break
        *above, last = data.draw(st.sampled_from(paths))
        holder = document
        for step in above:
            holder = holder[step]
        match data.draw(st.sampled_from(["change", "drop", "add"])):
            case "change":
                holder[last] = data.draw(ANY)
            case "drop":
                del holder[last]
            case _ if isinstance(holder, dict):
                names = sorted({*_definitions()["package"]["properties"], *_names()})
                holder[data.draw(st.sampled_from(names))] = data.draw(ANY)
    agree(definition, document)


def _names() -> set[str]:
    return {
        name
        for definition in _definitions().values()
        for part in [definition, *definition.get("allOf", [])]
        for name in part.get("properties", {})
    }


def agree(definition: str, document: Any) -> None:
    right = not any(_validator(definition).iter_errors(document))
    told = _is_valid(definition)(document)
    # Lists of unlike things are left to jsonschema.
    assert told == right or (right and _is_mixed(document)), json.dumps(document)


def _is_mixed(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_is_mixed, value.values()))
    if isinstance(value, list):
        return any(not isinstance(part, str) for part in value)
    return False


def test_both_agree_on_all_examples() -> None:
    """And most of them are valid, or nothing would be gained."""
    told = [_is_valid(definition)(document) for definition, document in DOCUMENTS]
    assert told == [not any(_validator(d).iter_errors(document)) for d, document in DOCUMENTS]
    assert told.count(True) > len(told) / 2


SCHEMAS: list[tuple[dict[str, Any], list[Any]]] = [
    ({"type": ["string", "null"]}, ["a", None, 1]),
    ({"type": "integer"}, [1, 1.0, True]),
    ({"type": "number"}, [1, 1.5, True, "1"]),
    (
        {"properties": {"a": {"type": "string"}}, "additionalProperties": False},
        [{"a": "x"}, {"b": 1}, 3],
    ),
    ({"additionalProperties": {"type": "string"}}, [{"a": "x"}, {"b": 1}]),
    ({"required": ["a"]}, [{"a": 1}, {}, []]),
    ({"propertyNames": {"pattern": "^a$"}}, [{"a": 1}, {"a\n": 1}, {"b": 1}]),
    ({"items": {"type": "string"}, "minItems": 1}, [[], ["a"], ["a", 1], "x"]),
    ({"minProperties": 1}, [{}, {"a": 1}, []]),
    ({"contains": {"enum": ["a"]}}, [[], ["a"], ["b"], "b"]),
    ({"uniqueItems": True}, [["a", "b"], ["a", "a"], "aa"]),
    ({"minLength": 2}, ["a", "ab", 1]),
    ({"minimum": 0, "maximum": 2}, [-1, 0, 2, 2.5, True, "x"]),
    ({"const": "a"}, ["a", "b", 1]),
    ({"not": {"enum": ["a"]}}, ["a", "b"]),
    ({"anyOf": [{"type": "string"}, {"type": "array"}]}, ["a", [], 1]),
    ({"allOf": [{"minLength": 1}, {"pattern": "a"}]}, ["a", "b", ""]),
    (
        {"if": {"required": ["a"]}, "then": {"required": ["b"]}, "else": {"required": ["c"]}},
        [{"a": 1}, {"c": 1}, {}],
    ),
    ({"format": "date"}, ["2024-02-29", "2023-02-29", 1]),
    ({"$ref": "#/definitions/list"}, [{"next": {"next": {}}}, {"next": 1}, 1]),
]


@pytest.mark.parametrize(("schema", "documents"), SCHEMAS, ids=lambda value: str(value)[:40])
def test_both_agree_on_each_keyword(schema: dict[str, Any], documents: list[Any]) -> None:
    recursive = {"list": {"type": "object", "properties": {"next": {"$ref": "#/definitions/list"}}}}
    known = _validator("package")
    formats: Any = known
    judge = type(known)(schema | {"definitions": recursive}, format_checker=formats.format_checker)
    found = [compiled(schema, recursive)(document) for document in documents]
    assert found == [judge.is_valid(document) for document in documents]
    assert len(set(found)) == 2


@pytest.mark.parametrize(
    "schema",
    [
        {"oneOf": []},
        {"format": "email"},
        {"enum": [1]},
        {"items": []},
        {"$ref": "https://x.org"},
        {"dependencies": {}},
    ],
)
def test_a_keyword_that_is_not_known_is_refused(schema: dict[str, Any]) -> None:
    with pytest.raises(UnknownKeywordError):
        compiled(schema, {})


def test_the_whole_schema_is_known() -> None:
    for definition in json_schema()["definitions"]:
        compiled({"$ref": f"#/definitions/{definition}"}, _definitions())
