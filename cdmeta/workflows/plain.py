"""Reports as plain JSON values and back, in no language: what is kept, or sent to another process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from cdmeta.finding import Finding, Report, Where
from cdmeta.phrase import WORDED
from cdmeta.quality import Answer, Dimension, Quality, Step

_KIND = "="
"""Marks an object that stands for something that JSON has not."""
_KINDS: Mapping[str, Any] = {
    kind.__name__: kind for kind in (*WORDED, Answer, Dimension, Finding, Quality, Report, Step, Where)
}
"""All that is ever made when values are read back: no other class, and no code."""


def to_plain(value: Any) -> Any:
    """A report, or a part of one, as values that JSON has; what has no parts is kept as its text.

    Raises:
        TypeError: a part is of a kind that cannot be read back, and would be told otherwise.
    """
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list):
        return [to_plain(part) for part in value]
    if isinstance(value, tuple):
        return {_KIND: "tuple", "of": [to_plain(part) for part in value]}
    if isinstance(value, Mapping):
        return _mapping(value)
    if (name := type(value).__name__) in _KINDS:
        return {_KIND: name} | {part.name: to_plain(getattr(value, part.name)) for part in fields(value)}
    if is_dataclass(value):
        raise TypeError(type(value).__name__)
    return str(value)


def _mapping(value: Mapping[Any, Any]) -> Any:
    if all(isinstance(key, str) for key in value) and _KIND not in value:
        return {key: to_plain(part) for key, part in value.items()}
    return {_KIND: "map", "of": [[to_plain(key), to_plain(part)] for key, part in value.items()]}


def from_plain(value: Any) -> Any:
    """What `to_plain` was given.

    Raises:
        KeyError, TypeError, ValueError: it does not come from there.
    """
    if isinstance(value, list):
        return [from_plain(part) for part in value]
    if not isinstance(value, dict):
        return value
    kind = value.get(_KIND)
    if kind is None:
        return {key: from_plain(part) for key, part in value.items()}
    if kind == "tuple":
        return tuple(from_plain(part) for part in value["of"])
    if kind == "map":
        return {from_plain(key): from_plain(part) for key, part in value["of"]}
    return _KINDS[kind](**{key: from_plain(part) for key, part in value.items() if key != _KIND})


def report_of(value: Any) -> Report:
    """A report from its plain values.

    Raises:
        KeyError, TypeError, ValueError: they are none.
    """
    if not isinstance(report := from_plain(value), Report):
        raise TypeError("no report")
    return report
