"""Codes of columns: from categories, an enum or a table of codes, with what stands above what."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from cdmeta.columns import Value
from cdmeta.errors import ConversionError
from cdmeta.finding import Finding, Where
from cdmeta.package import Package, Resource
from cdmeta.text import NO_TEXT, Text, is_blank
from cdmeta.urn import to_id

NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
"""Characters that XML cannot hold."""

Rows = Iterable[Mapping[str, str]]
CodeTable = Callable[[Resource], Rows]
"""Reads a small table of codes and labels, rows as column name to text; raises ConversionError where it cannot."""


@dataclass(frozen=True)
class _Raw:
    """A code as it is given: its text, its label, the text of the code above it, and its description."""

    text: str
    label: Text
    parent: str | None = None
    description: Text = NO_TEXT


class Codes:
    """Reads the codes of the columns of one table; what it cannot take becomes a finding."""

    def __init__(
        self, package: Package, resource: Resource, code_table: CodeTable, findings: list[Finding]
    ) -> None:
        self._package, self._resource = package, resource
        self._code_table, self._findings = code_table, findings
        self._keys = {
            fields[0]: reference(key)
            for key in foreign_keys(resource)
            if len(fields := names(key.get("fields"))) == 1
        }

    def of(self, name: str, entry: Mapping[str, Any]) -> tuple[Value, ...]:
        """The codes of a column; none where nothing lists them."""
        source = self._source(name, entry)
        raw = list(self._raw(name, entry, source))
        values = self._coded(name, raw, source)
        return self._nested(name, raw, values, source) if any(code.parent for code in raw) else values

    def _source(self, name: str, entry: Mapping[str, Any]) -> Resource | None:
        """The table that lists the codes of a column, where the descriptor does not."""
        if isinstance(entry.get("categories"), list) or name not in self._keys:
            return None
        others = (r for r in self._package.resources if r is not self._resource)
        return next((r for r in others if r.name == self._keys[name][0]), None)

    def _raw(self, name: str, entry: Mapping[str, Any], source: Resource | None) -> Iterator[_Raw]:
        constraints = entry.get("constraints")
        enum = constraints.get("enum") if isinstance(constraints, Mapping) else None
        if isinstance(categories := entry.get("categories"), list):
            for category in categories:
                given = category if isinstance(category, Mapping) else {"value": category}
                label, more = (Text.at(given, key, self._package.language) for key in ("label", "description"))
                yield _Raw(_cell(given.get("value")), label, _cell(given.get("parent")) or None, more)
        elif source is not None:
            yield from self._from_table(name, source)
        elif isinstance(enum, list) and name not in self._keys:
            for value in enum:
                yield _Raw(_cell(value), Text())

    def _from_table(self, name: str, source: Resource) -> Iterator[_Raw]:
        key = self._keys[name][1]
        parent = parent_column(source, key)
        labels = list(_label_columns(source, (key, parent), self._package.language))
        called = _called(source, (key, parent), ("description",), self._package.language)
        more = [pair for pair in called if pair not in labels]
        try:
            rows = list(self._code_table(source))
        except ConversionError as error:
            where = Where(resource=self._resource.name, field=name)
            params = {"resource": source.name, "field": name, "note": error.args[0]}
            self._findings.append(Finding("CD711", where, params))
            return
        self._findings += _unwritable(source, rows, (key, *(column for _, column in (*labels, *more))))
        for row in rows:
            above = row.get(parent) if parent else None
            yield _Raw(row.get(key, ""), _text(row, labels), above or None, _text(row, more))

    def _coded(self, name: str, raw: Sequence[_Raw], source: Resource | None) -> tuple[Value, ...]:
        """Codes with SDMX ids; two values that meet in one id, or leave none, are an error."""
        values: dict[str, Value] = {}
        clashes: list[tuple[int, str, str]] = []
        for number, given in enumerate(raw):
            code = to_id(given.text)
            if code and code not in values:
                label = given.label or Text.of(given.text, self._package.language)
                values[code] = Value(given.text, code, label, description=given.description)
            elif not code or values[code].raw != given.text:
                clashes.append((number, given.text, code))
        if source is not None and clashes:  # its rows are data: they are counted, and not quoted
            row = clashes[0][0] + _first_row(source)
            params = {"resource": source.name, "field": name, "count": len(clashes), "row": row}
            self._findings.append(Finding("CD720", Where(resource=source.name, row=row), params))
        for _, text, code in clashes if source is None else ():
            named = {"resource": self._resource.name, "field": name, "value": text, "id": code}
            named["other"] = values[code].raw if code else ""
            self._findings.append(Finding("CD706", Where(resource=self._resource.name, field=name), named))
        return tuple(values.values())

    def _nested(
        self, name: str, raw: Sequence[_Raw], values: tuple[Value, ...], source: Resource | None
    ) -> tuple[Value, ...]:
        """The codes with the code above each; one that is none, or that leads back, is an error."""
        ids = {value.raw: value.id for value in values}
        above = {ids[given.text]: ids.get(given.parent) for given in raw if given.parent and given.text in ids}
        lost = [n for n, given in enumerate(raw) if given.parent and given.parent not in ids]
        looped = _looped({id_: parent for id_, parent in above.items() if parent})
        circles = [n for n, given in enumerate(raw) if ids.get(given.text) in looped]
        for code, numbers in (("CD740", lost), ("CD741", circles)):
            if numbers:
                self._findings.append(self._misplaced(code, name, numbers, source))
        return tuple(
            replace(value, parent=None if value.id in looped else above.get(value.id)) for value in values
        )

    def _misplaced(self, code: str, name: str, numbers: Sequence[int], source: Resource | None) -> Finding:
        """A finding on codes whose parents are wrong: counted, and not quoted."""
        holder = source or self._resource
        row = numbers[0] + _first_row(source) if source else None
        params = {"resource": holder.name, "field": name, "count": len(numbers)}
        where = Where(resource=holder.name, row=row, field=None if source else name)
        return Finding(code, where, params)


def _looped(parents: Mapping[str, str]) -> set[str]:
    """Those that stand above themselves."""
    done: set[str] = set()
    looped: set[str] = set()
    for start in parents:
        way: dict[str, None] = {}
        here: str | None = start
        while here is not None and here not in done and here not in way:
            way[here] = None
            here = parents.get(here)
        if here is not None and here in way:
            passed = list(way)
            looped.update(passed[passed.index(here) :])
        done.update(way)
    return looped


def foreign_keys(resource: Resource) -> list[Mapping[str, Any]]:
    """The foreign keys of a resource, as they are given."""
    keys = resource.schema.get("foreignKeys") if resource.schema else None
    return [key for key in keys if isinstance(key, Mapping)] if isinstance(keys, list) else []


def names(value: Any) -> list[str]:
    """One name or a list of names, as keys give their fields."""
    parts = value if isinstance(value, list) else [value]
    return [part for part in parts if isinstance(part, str)]


def reference(key: Mapping[str, Any]) -> tuple[str, str]:
    """The resource and the first field that a foreign key refers to; its own resource is an empty name."""
    given = key.get("reference")
    if not isinstance(given, Mapping):
        return "", ""
    fields, resource = names(given.get("fields")), given.get("resource")
    return resource if isinstance(resource, str) else "", fields[0] if fields else ""


def parent_column(source: Resource, key: str) -> str | None:
    """The column of a table of codes with the code above each: by a foreign key to itself, or by its name."""
    for given in foreign_keys(source):
        fields = names(given.get("fields"))
        if len(fields) == 1 and fields[0] != key and reference(given) in (("", key), (source.name, key)):
            return fields[0]
    called = {"parent", f"parent_{key}".casefold(), f"{key}_parent".casefold()}
    found = (name for f in source.fields if isinstance(name := f.get("name"), str) and name != key)
    return next((name for name in found if name.casefold() in called), None)


def _first_row(resource: Resource) -> int:
    """The number of the first row of data, the header being row 1."""
    return 1 if (resource.dialect or {}).get("header") is False else 2


def _unwritable(resource: Resource, rows: list[Mapping[str, str]], columns: Iterable[str]) -> Iterator[Finding]:
    """Columns of a table of codes with characters that XML cannot hold."""
    for name in dict.fromkeys(columns):
        found = [
            number for number, row in enumerate(rows, _first_row(resource)) if NOT_XML.search(row.get(name, ""))
        ]
        if found:
            where = Where(resource=resource.name, row=found[0], field=name)
            params = {"field": name, "resource": resource.name, "count": len(found), "row": found[0]}
            yield Finding("CD716", where, params)


def _label_columns(resource: Resource, others: tuple[str, str | None], language: str) -> Iterator[tuple[str, str]]:
    """Language and name of the columns that label the codes of a code table.

    They are called `label`, `name` or `title` (or what the key is called, with `_label` or `_name`), alone or
    with a language behind `_` or `@`: `name_es`, `label@fr`. Where none is called so, it is the first text column
    beside the key and that of the parents.
    """
    found = list(_called(resource, others, ("label", "name", "title"), language))
    columns = (name for f in resource.fields if isinstance(name := f.get("name"), str) and name not in others)
    yield from found or ((language, name) for name in itertools.islice(columns, 1))


def _called(
    resource: Resource, others: tuple[str, str | None], stems: Sequence[str], language: str
) -> Iterator[tuple[str, str]]:
    """Language and name of the columns that are called so, alone or with a language behind `_` or `@`."""
    stems = (*stems, *(f"{others[0]}_{stem}".casefold() for stem in stems if stem != "title"))
    for name in (name for f in resource.fields if isinstance(name := f.get("name"), str) and name not in others):
        stem, _, tag = name.replace("@", "_").rpartition("_")
        if name.casefold() in stems:
            yield language, name
        elif stem.casefold() in stems and re.fullmatch("[A-Za-z]{2}", tag):  # an ISO 639-1 code
            yield tag.lower(), name


def _text(row: Mapping[str, str], columns: Iterable[tuple[str, str]]) -> Text:
    """What the columns of a text in several languages say in one row; of two in one language the later counts."""
    texts = ((tag, row[name].strip()) for tag, name in columns if row.get(name) and not is_blank(row[name]))
    return Text(tuple(dict(texts).items()))


def _cell(value: Any) -> str:
    """A category or enum value as it stands in a cell; empty for what no cell can hold."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, (str, int, float)) else ""
