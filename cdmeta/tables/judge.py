"""Tables against their schema: the judge that decides, and words what is wrong.

Bytes and records are read by `records`, cells by frictionless as corrected in `cells`; what concerns a row as a
whole, its keys and its references, is decided here. No finding holds the content of a cell.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from cdmeta.finding import Finding, Where
from cdmeta.package import DESCRIPTOR, Package, Resource
from cdmeta.phrase import Phrase
from cdmeta.tables import scan
from cdmeta.tables.cells import LATE, Column, column, free_column
from cdmeta.tables.conformance import metadata_problems, schema_problems
from cdmeta.tables.inputs import READABLE, opened
from cdmeta.tables.progress import Progress, Step, counted, silent
from cdmeta.tables.records import Record, Table, TableReadError, canonical, kind

__all__ = ["LISTED", "READABLE", "judge", "metadata_problems"]

LISTED = 100
"""So many findings of one code are listed for a resource; of the rest the number is told."""

_CHUNK = 2**20
_CELL_CODES = {"type": "CD408", "required": "CD409", "categories": "CD414"}


def judge(package: Package, resource: Resource, progress: Progress = silent) -> Iterator[Finding]:
    """Everything that is wrong with the files and rows of a resource (CD401 to CD432).

    Args:
        package: the package as it was opened; files are reached only through it.
        resource: one of its resources whose files are there, or whose rows stand in the descriptor.
        progress: is told how many rows have been read, now and then.

    Yields:
        At most LISTED findings of one code, then CD421 with the number of the others.
    """
    counts: Counter[str] = Counter()
    for finding in _judge(package, resource, progress):
        counts[finding.code] += 1
        if counts[finding.code] <= LISTED:
            yield finding
    for code, count in counts.items():
        if count > LISTED:
            params = {"count": count - LISTED, "code": code, "resource": resource.name, "total": count}
            yield Finding("CD421", Where(resource=resource.name), params)


def _judge(package: Package, resource: Resource, progress: Progress) -> Iterator[Finding]:
    size = _size(package, resource) if resource.complete else 0
    progress(Step("rows", resource.name, size))
    yield from _integrity(package, resource)
    if reason := _not_checked(resource):
        yield _unchecked(resource, reason, format=kind(resource))
        return
    if resource.schema is None:
        yield Finding("CD419", _place(resource), {"resource": resource.name})
    problems = list(schema_problems(resource.schema)) if resource.schema is not None else []
    if problems and isinstance(resource.raw.get("schema"), str):
        for pointer, note in problems:
            yield Finding("CD416", Where(resource.raw["schema"], pointer, resource.name), {"note": note})
    elif problems:
        # The check of the descriptor has told what is wrong with it.
        yield _unchecked(resource, "schema")
    try:
        schema = None if problems else resource.schema
        yield from _rows(package, resource, schema, lambda rows: progress(Step("rows", resource.name, size, rows)))
    except TableReadError as error:
        yield _read_finding(resource, error)


def _rows(
    package: Package, resource: Resource, schema: Mapping[str, Any] | None, tell: Callable[[int], None]
) -> Iterator[Finding]:
    with opened(package, resource) as table:
        told = replace(table, records=counted(table.records, tell))
        yield from _of_table(package, resource, schema, told)


def _of_table(
    package: Package, resource: Resource, schema: Mapping[str, Any] | None, table: Table
) -> Iterator[Finding]:
    columns = _columns(schema)
    yield from table.findings
    for owner in columns:
        yield from _column_problems(resource, owner)
    if table.labels is not None and not any(table.labels):
        first = next(table.records, None)
        code, reason = ("CD401", "empty") if first is None and not table.labels else ("CD403", "header-blank")
        raise TableReadError(code, reason, _file(resource), table.header_row if code == "CD403" else None)
    layout = _Layout(resource, columns, table, schema)
    yield from layout.findings()
    if layout.columns is None:
        return
    checks: list[_Key | _Reference] = [*_keys(schema or {}, layout.columns)]
    for found in _references(package, resource, schema or {}, layout.columns):
        if isinstance(found, Finding):
            yield found
        else:
            checks.append(found)
    compared = list(_compared(checks, layout.columns))
    doubts = scan.doubts(package, resource, table.labels, layout.columns, compared, table.files)
    count = doubts.rows if doubts else 0
    late = _Late()
    for number, record in enumerate(doubts.records if doubts else table.records, start=1):
        count = count if doubts else number
        yield from _row(resource, record, layout.columns, checks, late)
    yield from late.findings(resource)
    yield from table.closing()
    if not count:
        yield Finding("CD417", Where(_file(resource), resource=resource.name), {"resource": resource.name})


def _compared(checks: Iterable[_Key | _Reference], columns: list[Column]) -> Iterator[scan.Keyed]:
    """What the rows are compared by, as the scan takes it."""
    places = {owner.name: place for place, owner in enumerate(columns)}
    for check in checks:
        known = check.known if isinstance(check, _Reference) else None
        may_be_empty = isinstance(check, _Reference) or check.code != "CD412"
        yield scan.Keyed(tuple(places[name] for name in check.names), may_be_empty, known)


class _Late:
    """Cells whose pattern was not asked, because it takes too long: how many, and where the first is."""

    def __init__(self) -> None:
        self._cells: dict[str, tuple[int, Where]] = {}

    def without(self, where: Where, broken: Iterable[tuple[Column, str]]) -> Iterator[tuple[Column, str]]:
        """What is broken in a row, without the cells that are kept here."""
        for owner, note in broken:
            if note == LATE:
                count, first = self._cells.get(owner.name, (0, _at(where, owner.name)))
                self._cells[owner.name] = (count + 1, first)
            else:
                yield owner, note

    def findings(self, resource: Resource) -> Iterator[Finding]:
        """One for each column."""
        for name, (count, first) in self._cells.items():
            note = _text("pattern-late", field=name, count=count, row=first.row)
            yield Finding("CD432", first, {"resource": resource.name, "field": name, "note": note})


def _row(
    resource: Resource, record: Record, columns: list[Column], checks: list[_Key | _Reference], late: _Late
) -> Iterator[Finding]:
    """The findings of one row: an empty one has no others, a short one no values where it ends."""
    if not columns:
        return
    cells = record.cells
    where = Where(record.file, resource=resource.name, sheet=record.sheet, row=record.row)
    values: dict[str, Any] = {}
    broken: list[tuple[Column, str]] = []
    for owner, cell in zip(columns, cells, strict=False):
        values[owner.name], notes = owner.read(cell)
        if notes:
            broken += late.without(where, [(owner, note) for note in notes])
    if all(value is None for value in values.values()) and all(note == "required" for _, note in broken):
        yield Finding("CD407", where, {"row": record.row})
        return
    for owner, note in broken:
        yield _cell_finding(where, owner, note)
    for owner in columns[len(cells) :]:
        yield Finding("CD405", _at(where, owner.name), {"row": record.row, "field": owner.name})
    if len(cells) > len(columns):
        yield Finding("CD406", where, {"row": record.row})
    wrong = {owner.name for owner, _ in broken} | {owner.name for owner in columns[len(cells) :]}
    for check in checks:
        # A cell that is wrong in itself, or is not there, has been told of and is not compared.
        if wrong.isdisjoint(check.names):
            yield from check.findings(where, values)


def _cell_finding(where: Where, owner: Column, note: str) -> Finding:
    params = {"row": where.row, "field": owner.name, "type": owner.type, "constraint": note}
    return Finding(_CELL_CODES.get(note, "CD410"), _at(where, owner.name), params)


def _at(where: Where, name: str | None) -> Where:
    return replace(where, field=name)


# The header


class _Layout:
    """Which column each cell of a row belongs to, by the header and `fieldsMatch`.

    Attributes:
        columns: by place in a row; None where the header leaves it open.
    """

    def __init__(
        self, resource: Resource, fields: list[Column], table: Table, schema: Mapping[str, Any] | None
    ) -> None:
        self._resource, self._fields, self._labels = resource, fields, table.labels or []
        self._where = Where(_file(resource), resource=resource.name, sheet=table.sheet, row=table.header_row)
        match = (schema or {}).get("fieldsMatch", "exact")
        self._match = "partial" if schema is None else match[0] if isinstance(match, list) else match
        self._required = {f.name for f in fields if f.required} | set(_names((schema or {}).get("primaryKey")))
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
        return Finding(code, _at(self._where, params.get("field")), {"note": _text(reason, **params)} | params)


def _separator(label: str, count: int) -> str | None:
    """What the cells of a header that was taken for one cell most likely stand apart by."""
    names = {";": "a semicolon", "\t": "a tab", "|": "a vertical bar", ",": "a comma"}
    return next((name for mark, name in names.items() if 0 < label.count(mark) == count - 1), None)


# Keys and references


@dataclass(frozen=True)
class _Key:
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
                yield self._finding(where, _text("key-empty", field=self.names[cells.index(None)]))
        elif (other := self.seen.get(cells)) is not None:
            yield self._finding(where, _text("key-same", other=other), other)
        else:
            self.seen[cells] = where.row or 0

    def _finding(self, where: Where, note: Phrase, other: int | None = None) -> Finding:
        names = ", ".join(self.names)
        params = {"row": where.row, "fields": names, "field": names, "other": other, "note": note}
        return Finding(self.code, _at_all(where, self.names), params)


@dataclass(frozen=True)
class _Reference:
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
    return _at(where, names[0]) if len(names) == 1 else where


def _keys(schema: Mapping[str, Any], columns: list[Column]) -> Iterator[_Key]:
    present = {owner.name for owner in columns}
    primary = _names(schema.get("primaryKey"))
    if primary and present.issuperset(primary):
        yield _Key(primary, "CD412")
    alone = [(owner.name,) for owner in columns if owner.unique and (owner.name,) != primary]
    for names in [*alone, *map(tuple, schema.get("uniqueKeys", ()))]:
        if present.issuperset(names):
            yield _Key(names, "CD411")


def _references(
    package: Package, resource: Resource, schema: Mapping[str, Any], columns: list[Column]
) -> Iterator[_Reference | Finding]:
    """The references of a table, ready to be followed; a finding for each that leads nowhere."""
    present = {owner.name for owner in columns}
    file, top = _schema_file(resource)
    for index, key in enumerate(schema.get("foreignKeys", ())):
        reference = key.get("reference", {})
        names, targets = _names(key.get("fields")), _names(reference.get("fields"))
        if names and present.issuperset(names):
            where = Where(file, f"{top}/foreignKeys/{index}", resource.name)
            yield _reference(package, resource, where, names, reference.get("resource", ""), targets)


def _reference(
    package: Package, resource: Resource, where: Where, names: tuple[str, ...], name: str, targets: tuple[str, ...]
) -> _Reference | Finding:
    target = _target(package, resource, name)
    if target is None:
        return Finding("CD416", where, {"note": _text("reference-resource", target=name)})
    there = {entry.get("name") for entry in target.fields}
    if missing := [column for column in targets if column not in there]:
        return Finding("CD416", where, {"note": _text("reference-field", target=target.name, field=missing[0])})
    known = _known(package, target, targets)
    if known is None:
        reason = _text("reference-unread", target=target.name)
        return Finding("CD418", where, {"resource": resource.name, "reason": reason})
    return _Reference(names, target.name, known)


def _target(package: Package, resource: Resource, name: str) -> Resource | None:
    if name in ("", resource.name):
        return resource
    return next((other for other in package.resources if other.name == name), None)


def _known(package: Package, resource: Resource, names: tuple[str, ...]) -> frozenset[Any] | None:
    """The values of some columns of a table, None where it cannot be read; its own errors are told elsewhere."""
    if _not_checked(resource) or resource.schema is None or any(schema_problems(resource.schema)):
        return None
    known: set[Any] = set()
    try:
        with opened(package, resource) as table:
            layout = _Layout(resource, _columns(resource.schema), table, resource.schema)
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


# Files, schemas, and what is not checked


def _integrity(package: Package, resource: Resource) -> Iterator[Finding]:
    """The size and the hash that the descriptor gives, over all files in their order."""
    size, given = resource.raw.get("bytes"), resource.raw.get("hash")
    if not resource.complete:
        return
    where = Where(_file(resource), f"{resource.pointer}", resource.name)
    path = ", ".join(resource.paths)
    if isinstance(size, int) and not isinstance(size, bool) and size != _size(package, resource):
        yield Finding("CD420", where, {"path": path, "property": "bytes"})
    if isinstance(given, str):
        name, _, digest = given.rpartition(":")
        try:
            found = _digest(package, resource, name or "md5")
        except ValueError:
            yield _unchecked(resource, "hash", algorithm=name[:20])
            return
        if found != digest.lower():
            yield Finding("CD420", where, {"path": path, "property": "hash"})


def _size(package: Package, resource: Resource) -> int:
    return sum(package.path(part).stat().st_size for part in resource.paths)


def _digest(package: Package, resource: Resource, name: str) -> str:
    """The digest in hex.

    Raises:
        ValueError: there is no such algorithm, or it gives digests of any length.
    """
    algorithm = hashlib.new(name.lower().replace("sha-", "sha"), usedforsecurity=False)
    if not algorithm.digest_size:
        raise ValueError(name)
    for part in resource.paths:
        with package.path(part).open("rb") as file:
            while chunk := file.read(_CHUNK):
                algorithm.update(chunk)
    return algorithm.hexdigest()


def _not_checked(resource: Resource) -> str | None:
    """Key of the text that says why the rows of a resource cannot be read; None where they can."""
    if "data" in resource.raw and not resource.paths:
        return None
    if not resource.complete:
        return "incomplete"
    if kind(resource) not in READABLE:
        return "format"
    for part in ("schema", "dialect"):
        if resource.raw.get(part) not in (None, {}) and getattr(resource, part) is None:
            return f"{part}-unread"
    return None


def _columns(schema: Mapping[str, Any] | None) -> list[Column]:
    if schema is None:
        return []
    missing = schema.get("missingValues", [""])
    return [column(given, missing) for given in schema["fields"]]


def _column_problems(resource: Resource, owner: Column) -> Iterator[Finding]:
    for problem in owner.problems:
        file, top = _schema_file(resource)
        place = [f.get("name") for f in resource.fields].index(owner.name)
        where = Where(file, f"{top}/fields/{place}{problem.pointer}", resource.name, field=owner.name)
        note = _text(problem.reason, **problem.params)
        params = (
            {"note": note} if problem.code in ("CD416", "CD432") else {"resource": resource.name, "reason": note}
        )
        yield Finding(problem.code, where, params)


def _schema_file(resource: Resource) -> tuple[str, str]:
    given = resource.raw.get("schema")
    return (given, "") if isinstance(given, str) else (DESCRIPTOR, f"{resource.pointer}/schema")


def _read_finding(resource: Resource, error: TableReadError) -> Finding:
    note = _text(error.reason, **error.params)
    where = Where(error.file or _file(resource), resource=resource.name, row=error.row)
    if error.code == "CD416":
        where = Where(DESCRIPTOR, f"{resource.pointer}/dialect", resource.name)
    named = {"resource": resource.name, "note": note, "reason": note, "row": error.row}
    return Finding(error.code, where, error.params | named)


def _unchecked(resource: Resource, reason: str, **params: Any) -> Finding:
    return Finding("CD418", _place(resource), {"resource": resource.name, "reason": _text(reason, **params)})


def _place(resource: Resource) -> Where:
    return Where(DESCRIPTOR, resource.pointer, resource.name)


def _file(resource: Resource) -> str | None:
    return resource.paths[0] if resource.paths else DESCRIPTOR


def _names(value: Any) -> tuple[str, ...]:
    given: Iterable[Any] = [value] if isinstance(value, str) else value or ()
    return tuple(name for name in given if isinstance(name, str))


def _text(key: str, **params: Any) -> Phrase:
    return Phrase(f"rows.{key}", params)
