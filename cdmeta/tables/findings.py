"""Where in the files of a resource something is, and in which words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from cdmeta.finding import Finding, Where
from cdmeta.package import DESCRIPTOR, Resource
from cdmeta.phrase import Phrase


def at(where: Where, name: str | None) -> Where:
    """The same place, in a field."""
    return replace(where, field=name)


def schema_file(resource: Resource) -> tuple[str, str]:
    """The file in which the schema of a resource stands, and the pointer to it."""
    given = resource.raw.get("schema")
    return (given, "") if isinstance(given, str) else (DESCRIPTOR, f"{resource.pointer}/schema")


def unchecked(resource: Resource, reason: str, **params: Any) -> Finding:
    """CD418: the rows of a resource are not checked, by the key of the text that says why."""
    return Finding("CD418", declared_at(resource), {"resource": resource.name, "reason": worded(reason, **params)})


def declared_at(resource: Resource) -> Where:
    """Where the descriptor tells of a resource."""
    return Where(DESCRIPTOR, resource.pointer, resource.name)


def file_of(resource: Resource) -> str | None:
    """The first file of a resource; the descriptor where its rows stand there."""
    return resource.paths[0] if resource.paths else DESCRIPTOR


def names_of(value: Any) -> tuple[str, ...]:
    """The names of fields, where a schema gives one or several."""
    given: Iterable[Any] = [value] if isinstance(value, str) else value or ()
    return tuple(name for name in given if isinstance(name, str))


def worded(key: str, **params: Any) -> Phrase:
    """What is said of rows, by its key."""
    return Phrase(f"rows.{key}", params)
