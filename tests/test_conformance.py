"""What the judge of descriptors leaves out before it asks frictionless, frictionless would let pass."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cdmeta.tables.conformance import _PROPERTIES, _WORDS, _accepts, _context, schema_problems


@pytest.mark.parametrize("layer", _PROPERTIES)
@settings(max_examples=30)
@given(st.text())
def test_any_string_is_a_title_and_a_description(layer: str, text: str) -> None:
    words = {name: text for name in _WORDS if name in _PROPERTIES[layer]}
    assert _accepts(layer, _context(layer, {}) | words)


def test_no_other_value_is() -> None:
    values: tuple[object, ...] = (1, True, None, [], {}, ["a"])
    for value in values:
        field = {"name": "a", "title": value, "description": value}
        told = {pointer for pointer, _ in schema_problems({"fields": [field]})}
        assert told == {"/fields/0/title", "/fields/0/description"}, value


def test_what_is_alike_to_python_and_not_to_json_is_told_apart() -> None:
    def problems(value: object) -> list[str]:
        field = {"name": "a", "type": "string", "constraints": {"required": value}}
        return [pointer for pointer, _ in schema_problems({"fields": [field]})]

    assert problems(True) == []
    assert problems(1) == ["/fields/0/constraints/required"]
    assert problems(True) == []
