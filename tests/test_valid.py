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

from cdmeta.checks.descriptor import _answers, _definitions, _has_whole_float, _is_valid, _validator
from cdmeta.package import load

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
    assert told == right or (right and _has_whole_float(document)), json.dumps(document)


def test_both_agree_on_all_examples() -> None:
    """And most of them are valid, or nothing would be gained."""
    told = [_is_valid(definition)(document) for definition, document in DOCUMENTS]
    assert told == [not any(_validator(d).iter_errors(document)) for d, document in DOCUMENTS]
    assert told.count(True) > len(told) / 2


@pytest.mark.parametrize("document", [{"name": "\ud800"}, {"citizenData": {"achievedCount": 412.0}}])
def test_what_the_quick_one_cannot_take_is_left_to_the_other(document: Any) -> None:
    assert not _is_valid("package")(document)


def test_a_nesting_without_end_is_left_to_the_other() -> None:
    nested: Any = []
    for _ in range(100_000):
        nested = [nested]
    assert not _is_valid("package")({"name": nested})
