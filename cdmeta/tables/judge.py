"""Tables against their schema: the judge that decides, and words what is wrong.

Bytes and records are read by `records`, cells by frictionless as corrected in `cells`; the header is judged in
`header`, keys and references in `keys`, and here what concerns a row as a whole. No finding holds the content of a
cell.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from cdmeta.finding import Finding, Where
from cdmeta.package import DESCRIPTOR, Package, Resource
from cdmeta.tables import scan
from cdmeta.tables.cells import LATE, Column
from cdmeta.tables.conformance import schema_problems
from cdmeta.tables.findings import at, declared_at, file_of, schema_file, unchecked, worded
from cdmeta.tables.header import Layout, columns_of
from cdmeta.tables.inputs import opened, unreadable
from cdmeta.tables.keys import Key, Reference, keys, references
from cdmeta.tables.progress import Progress, Step, counted, silent
from cdmeta.tables.records import Record, Table, TableReadError, kind

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
    if reason := unreadable(resource):
        yield unchecked(resource, reason, format=kind(resource))
        return
    if resource.schema is None:
        yield Finding("CD419", declared_at(resource), {"resource": resource.name})
    problems = list(schema_problems(resource.schema)) if resource.schema is not None else []
    if problems and isinstance(resource.raw.get("schema"), str):
        for pointer, note in problems:
            yield Finding("CD416", Where(resource.raw["schema"], pointer, resource.name), {"note": note})
    elif problems:
        # The check of the descriptor has told what is wrong with it.
        yield unchecked(resource, "schema")
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
    columns = columns_of(schema)
    yield from table.findings
    for owner in columns:
        yield from _column_problems(resource, owner)
    if table.labels is not None and not any(table.labels):
        first = next(table.records, None)
        code, reason = ("CD401", "empty") if first is None and not table.labels else ("CD403", "header-blank")
        raise TableReadError(code, reason, file_of(resource), table.header_row if code == "CD403" else None)
    layout = Layout(resource, columns, table, schema)
    yield from layout.findings()
    if layout.columns is None:
        return
    checks: list[Key | Reference] = [*keys(schema or {}, layout.columns)]
    for found in references(package, resource, schema or {}, layout.columns):
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
        yield Finding("CD417", Where(file_of(resource), resource=resource.name), {"resource": resource.name})


def _compared(checks: Iterable[Key | Reference], columns: list[Column]) -> Iterator[scan.Keyed]:
    """What the rows are compared by, as the scan takes it."""
    places = {owner.name: place for place, owner in enumerate(columns)}
    for check in checks:
        known = check.known if isinstance(check, Reference) else None
        may_be_empty = isinstance(check, Reference) or check.code != "CD412"
        yield scan.Keyed(tuple(places[name] for name in check.names), may_be_empty, known)


class _Late:
    """Cells whose pattern was not asked, because it takes too long: how many, and where the first is."""

    def __init__(self) -> None:
        self._cells: dict[str, tuple[int, Where]] = {}

    def without(self, where: Where, broken: Iterable[tuple[Column, str]]) -> Iterator[tuple[Column, str]]:
        """What is broken in a row, without the cells that are kept here."""
        for owner, note in broken:
            if note == LATE:
                count, first = self._cells.get(owner.name, (0, at(where, owner.name)))
                self._cells[owner.name] = (count + 1, first)
            else:
                yield owner, note

    def findings(self, resource: Resource) -> Iterator[Finding]:
        """One for each column."""
        for name, (count, first) in self._cells.items():
            note = worded("pattern-late", field=name, count=count, row=first.row)
            yield Finding("CD432", first, {"resource": resource.name, "field": name, "note": note})


def _row(
    resource: Resource, record: Record, columns: list[Column], checks: list[Key | Reference], late: _Late
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
        yield Finding("CD405", at(where, owner.name), {"row": record.row, "field": owner.name})
    if len(cells) > len(columns):
        yield Finding("CD406", where, {"row": record.row})
    wrong = {owner.name for owner, _ in broken} | {owner.name for owner in columns[len(cells) :]}
    for check in checks:
        # A cell that is wrong in itself, or is not there, has been told of and is not compared.
        if wrong.isdisjoint(check.names):
            yield from check.findings(where, values)


def _cell_finding(where: Where, owner: Column, note: str) -> Finding:
    params = {"row": where.row, "field": owner.name, "type": owner.type, "constraint": note}
    return Finding(_CELL_CODES.get(note, "CD410"), at(where, owner.name), params)


def _integrity(package: Package, resource: Resource) -> Iterator[Finding]:
    """The size and the hash that the descriptor gives, over all files in their order."""
    size, given = resource.raw.get("bytes"), resource.raw.get("hash")
    if not resource.complete:
        return
    where = Where(file_of(resource), f"{resource.pointer}", resource.name)
    path = ", ".join(resource.paths)
    if isinstance(size, int) and not isinstance(size, bool) and size != _size(package, resource):
        yield Finding("CD420", where, {"path": path, "property": "bytes"})
    if isinstance(given, str):
        name, _, digest = given.rpartition(":")
        try:
            found = _digest(package, resource, name or "md5")
        except ValueError:
            yield unchecked(resource, "hash", algorithm=name[:20])
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


def _column_problems(resource: Resource, owner: Column) -> Iterator[Finding]:
    for problem in owner.problems:
        file, top = schema_file(resource)
        place = [f.get("name") for f in resource.fields].index(owner.name)
        where = Where(file, f"{top}/fields/{place}{problem.pointer}", resource.name, field=owner.name)
        note = worded(problem.reason, **problem.params)
        params = (
            {"note": note} if problem.code in ("CD416", "CD432") else {"resource": resource.name, "reason": note}
        )
        yield Finding(problem.code, where, params)


def _read_finding(resource: Resource, error: TableReadError) -> Finding:
    note = worded(error.reason, **error.params)
    where = Where(error.file or file_of(resource), resource=resource.name, row=error.row)
    if error.code == "CD416":
        where = Where(DESCRIPTOR, f"{resource.pointer}/dialect", resource.name)
    named = {"resource": resource.name, "note": note, "reason": note, "row": error.row}
    return Finding(error.code, where, error.params | named)
