"""The header of a table against its schema: which column each cell of a row belongs to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from cdmeta.finding import Finding, Where
from cdmeta.package import Resource
from cdmeta.tables.cells import Column, column, free_column
from cdmeta.tables.findings import at, file_of, names_of, worded
from cdmeta.tables.records import Table


class Layout:
    """Which column each cell of a row belongs to, by the header and `fieldsMatch`.

    Attributes:
        columns: by place in a row; None where the header leaves it open.
    """

    def __init__(
        self, resource: Resource, fields: list[Column], table: Table, schema: Mapping[str, Any] | None
    ) -> None:
        self._resource, self._fields, self._labels = resource, fields, table.labels or []
        self._where = Where(file_of(resource), resource=resource.name, sheet=table.sheet, row=table.header_row)
        match = (schema or {}).get("fieldsMatch", "exact")
        self._match = "partial" if schema is None else match[0] if isinstance(match, list) else match
        self._required = {f.name for f in fields if f.required} | set(names_of((schema or {}).get("primaryKey")))
        self._twice = {label for label in self._labels if label and self._labels.count(label) > 1}
        self.columns: list[Column] | None = fields if table.labels is None else self._by_label()

    def _by_label(self) -> list[Column] | None:
        if self._match == "exact":
            free = range(len(self._fields) + 1, len(self._labels) + 1)
            return [*self._fields[: len(self._labels)], *map(free_column, free)]
        if self._twice and self._fields:
            return None
        known = {owner.name: owner for owner in self._fields}
        return [known.get(label) or free_column(number) for number, label in enumerate(self._labels, start=1)]

    def findings(self) -> Iterator[Finding]:
        """What is wrong with the header."""
        if not self._labels:
            return
        for number, label in enumerate(self._labels, start=1):
            if not label:
                yield self._finding("CD403", "header-empty", number=number)
        for label in sorted(self._twice):
            numbers = [str(number) for number, other in enumerate(self._labels, start=1) if other == label]
            yield self._finding("CD403", "header-twice", numbers=", ".join(numbers))
        names = {owner.name for owner in self._fields}
        if names and names.isdisjoint(self._labels):
            # Perhaps it is no header: then it holds values, and they are not told.
            yield self._strange()
        else:
            yield from self._in_order() if self._match == "exact" else self._by_name()

    def _strange(self) -> Finding:
        separator = _separator(self._labels[0], len(self._fields)) if len(self._labels) == 1 else None
        if separator:
            return self._finding("CD404", "header-separator", separator=separator)
        return self._finding("CD404", "header-none")

    def _in_order(self) -> Iterator[Finding]:
        names = [owner.name for owner in self._fields]
        for number, (name, label) in enumerate(zip(names, self._labels, strict=False), start=1):
            if label and name != label and label not in self._twice:
                yield self._finding("CD404", "header-other", number=number, label=label, field=name)
        for label in self._labels[len(names) :]:
            yield self._finding("CD404", "header-extra", label=label)
        for name in names[len(self._labels) :]:
            yield self._finding("CD404", "header-missing", field=name)

    def _by_name(self) -> Iterator[Finding]:
        names = [owner.name for owner in self._fields]
        extra = [label for label in self._labels if label not in names]
        missing = [name for name in names if name not in self._labels]
        if self._match in ("superset", "partial"):
            missing = [name for name in missing if name in self._required]
        for label in extra if self._match in ("equal", "superset") else ():
            yield self._finding("CD404", "header-extra", label=label)
        for name in missing:
            yield self._finding("CD404", "header-missing", field=name)

    def _finding(self, code: str, reason: str, **params: Any) -> Finding:
        return Finding(code, at(self._where, params.get("field")), {"note": worded(reason, **params)} | params)


def _separator(label: str, count: int) -> str | None:
    """What the cells of a header that was taken for one cell most likely stand apart by."""
    names = {";": "a semicolon", "\t": "a tab", "|": "a vertical bar", ",": "a comma"}
    return next((name for mark, name in names.items() if 0 < label.count(mark) == count - 1), None)


def columns_of(schema: Mapping[str, Any] | None) -> list[Column]:
    """The columns that a schema declares, in its order."""
    if schema is None:
        return []
    missing = schema.get("missingValues", [""])
    return [column(given, missing) for given in schema["fields"]]
