"""Keys and references of a table: what may stand once, and what has to stand elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from cdmeta.finding import Finding, Where
from cdmeta.package import Package, Resource
from cdmeta.phrase import Phrase
from cdmeta.tables.cells import Column
from cdmeta.tables.conformance import schema_problems
from cdmeta.tables.findings import at, names_of, schema_file, worded
from cdmeta.tables.header import Layout, columns_of
from cdmeta.tables.inputs import opened, unreadable
from cdmeta.tables.records import Record, TableReadError, canonical


@dataclass(frozen=True)
class Key:
    """Columns whose values together may stand once.

    Attributes:
        names: the columns.
        code: CD412 for a primary key, CD411 for other unique values.
        seen: values, and the row in which each was seen first.
    """

    names: tuple[str, ...]
    code: str
    seen: dict[Any, int] = field(default_factory=dict)

    def findings(self, where: Where, values: Mapping[str, Any]) -> Iterator[Finding]:
        """What is wrong with one row."""
        cells = tuple(canonical(values[name]) for name in self.names)
        if None in cells:
            if self.code == "CD412":
                yield self._finding(where, worded("key-empty", field=self.names[cells.index(None)]))
        elif (other := self.seen.get(cells)) is not None:
            yield self._finding(where, worded("key-same", other=other), other)
        else:
            self.seen[cells] = where.row or 0

    def _finding(self, where: Where, note: Phrase, other: int | None = None) -> Finding:
        names = ", ".join(self.names)
        params = {"row": where.row, "fields": names, "field": names, "other": other, "note": note}
        return Finding(self.code, _at_all(where, self.names), params)


@dataclass(frozen=True)
class Reference:
    """Columns whose values together have to stand in another table, or in their own.

    Attributes:
        names: the columns.
        target: name of the other resource.
        known: what stands there.
    """

    names: tuple[str, ...]
    target: str
    known: frozenset[Any]

    def findings(self, where: Where, values: Mapping[str, Any]) -> Iterator[Finding]:
        """A row whose reference is not there; one without any value refers to nothing."""
        cells = tuple(canonical(values[name]) for name in self.names)
        if set(cells) != {None} and cells not in self.known:
            params = {"row": where.row, "field": ", ".join(self.names), "target": self.target}
            yield Finding("CD413", _at_all(where, self.names), params)


def _at_all(where: Where, names: tuple[str, ...]) -> Where:
    return at(where, names[0]) if len(names) == 1 else where


def keys(schema: Mapping[str, Any], columns: list[Column]) -> Iterator[Key]:
    """What may stand once in a table: its primary key, its unique keys and fields."""
    present = {owner.name for owner in columns}
    primary = names_of(schema.get("primaryKey"))
    if primary and present.issuperset(primary):
        yield Key(primary, "CD412")
    alone = [(owner.name,) for owner in columns if owner.unique and (owner.name,) != primary]
    for names in [*alone, *map(tuple, schema.get("uniqueKeys", ()))]:
        if present.issuperset(names):
            yield Key(names, "CD411")


def references(
    package: Package, resource: Resource, schema: Mapping[str, Any], columns: list[Column]
) -> Iterator[Reference | Finding]:
    """The references of a table, ready to be followed; a finding for each that leads nowhere."""
    present = {owner.name for owner in columns}
    file, top = schema_file(resource)
    for index, key in enumerate(schema.get("foreignKeys", ())):
        reference = key.get("reference", {})
        names, targets = names_of(key.get("fields")), names_of(reference.get("fields"))
        if names and present.issuperset(names):
            where = Where(file, f"{top}/foreignKeys/{index}", resource.name)
            yield _reference(package, resource, where, names, reference.get("resource", ""), targets)


def _reference(
    package: Package, resource: Resource, where: Where, names: tuple[str, ...], name: str, targets: tuple[str, ...]
) -> Reference | Finding:
    target = _target(package, resource, name)
    if target is None:
        return Finding("CD416", where, {"note": worded("reference-resource", target=name)})
    there = {entry.get("name") for entry in target.fields}
    if missing := [column for column in targets if column not in there]:
        return Finding("CD416", where, {"note": worded("reference-field", target=target.name, field=missing[0])})
    known = _known(package, target, targets)
    if known is None:
        reason = worded("reference-unread", target=target.name)
        return Finding("CD418", where, {"resource": resource.name, "reason": reason})
    return Reference(names, target.name, known)


def _target(package: Package, resource: Resource, name: str) -> Resource | None:
    if name in ("", resource.name):
        return resource
    return next((other for other in package.resources if other.name == name), None)


def _known(package: Package, resource: Resource, names: tuple[str, ...]) -> frozenset[Any] | None:
    """The values of some columns of a table, None where it cannot be read; its own errors are told elsewhere."""
    if unreadable(resource) or resource.schema is None or any(schema_problems(resource.schema)):
        return None
    known: set[Any] = set()
    try:
        with opened(package, resource) as table:
            layout = Layout(resource, columns_of(resource.schema), table, resource.schema)
            places = {owner.name: place for place, owner in enumerate(layout.columns or ())}
            if not places.keys() >= set(names):
                return None
            wanted = [(places[name], (layout.columns or [])[places[name]]) for name in names]
            for record in table.records:
                known.add(tuple(canonical(_value(owner, record, place)) for place, owner in wanted))
    except TableReadError:
        return None
    return frozenset(known)


def _value(owner: Column, record: Record, place: int) -> Any:
    return owner.read(record.cells[place])[0] if place < len(record.cells) else None
