"""Mappings as CSV, for a person to edit: `mapping.csv`, and a file beside it for each map of codes.

Columns that only explain are written, and not read back. A file is read as spreadsheets save it: comma, semicolon
or tab, UTF-8, UTF-16 or windows-1252.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from cdmeta.errors import SheetError
from cdmeta.finding import Where
from cdmeta.form.write import FORMULA
from cdmeta.phrase import at
from cdmeta.sdmx.mappings import CODE_COLUMNS, Line, Sheet, clash, pairs, problem_of
from cdmeta.sdmx.target import Source

NAME = "mapping.csv"
COLUMNS = (
    "table",
    "part",
    "dataflow",
    "component",
    "name",
    "usage",
    "field",
    "value",
    "codes",
    "format",
    "frequency",
    "remark",
)
"""Those from `field` to `frequency` are what a person says; those up to `component` tell of what."""
MAX_BYTES = 20 * 2**20
MAX_LINES = 5000
"""Lines of a mapping, each of which is held against all others; a map of codes may have as many as fit."""
_NEEDED = ("table", "component")
_ENCODINGS = ("utf-8-sig", "windows-1252", "iso-8859-1")


@dataclass(frozen=True)
class Row:
    """A line of a mapping, as it is written.

    Attributes:
        table: name of the table.
        dataflow: what it becomes data of.
        component, name, usage: of the target.
        source: where the component has its values from, by the name of a column or an id.
        codes: the name of the file with its map of codes; empty where it has none.
        remark: for the person.
        part: which of several mappings of the table it belongs to; empty for all.
    """

    table: str
    dataflow: str
    component: str
    name: str
    usage: str
    source: Source
    codes: str = ""
    remark: str = ""
    part: str = ""


def write(rows: Iterable[Row]) -> str:
    """A mapping."""
    lines = (
        (
            row.table,
            row.part,
            row.dataflow,
            row.component,
            row.name,
            row.usage,
            row.source.component,
            row.source.value,
            row.codes,
            row.source.format,
            row.source.frequency,
            row.remark,
        )
        for row in rows
    )
    return _text(COLUMNS, lines)


def write_codes(rows: Iterable[Sequence[str]]) -> str:
    """A map of codes: value, code, name of the value or the code, remark."""
    return _text((*CODE_COLUMNS, "label", "remark"), rows)


def read(data: bytes, name: str, beside: Callable[[str], bytes | None]) -> Sheet:
    """What a person wrote.

    Args:
        data: the bytes of the file.
        name: what it is called; for messages.
        beside: the bytes of another file of its folder, by its name; None where there is none.

    Raises:
        SheetError: it is no such file, is too large, or has no columns `table` and `component`.
    """
    lines: list[Line] = []
    dataflows: dict[tuple[str, str], str] = {}
    for number, row in _rows(data, name, _NEEDED):
        if not row["table"] and not row["component"]:
            continue
        if len(lines) == MAX_LINES:
            raise SheetError(at(name, "error.mapping.large"))
        where = Where(name, row=number, resource=row["table"] or None, field=row["component"] or None)
        line = _line(row, where, beside)
        if clash(dataflows, line.table, line.part, row.get("dataflow", "")):
            line = replace(line, problem=line.problem or "mapping-dataflow")
        lines.append(line)
    return Sheet(tuple(lines), dataflows, name)


def _line(row: Mapping[str, str], where: Where, beside: Callable[[str], bytes | None]) -> Line:
    told = {part: row.get(part, "") for part in ("field", "value", "format", "frequency")}
    source = Source(told["field"], told["value"], {}, told["format"], told["frequency"].upper())
    problem: str
    params: Mapping[str, Any]
    codes, problem, params = _codes(row.get("codes", ""), beside)
    source = replace(source, codes=codes)
    if not problem:
        problem, params = problem_of(source)
    return Line(row["table"], row["component"], source, where, problem, params, _part(row))


def _part(row: Mapping[str, str]) -> str:
    return row.get("part", "").lower()


def _codes(name: str, beside: Callable[[str], bytes | None]) -> tuple[dict[str, str], str, Mapping[str, Any]]:
    if not name:
        return {}, "", {}
    data = beside(name)
    if data is None:
        return {}, "mapping-codes", {"name": name}
    try:
        rows = [(row["source"], row["target"]) for _, row in _rows(data, name, CODE_COLUMNS)]
    except SheetError:
        return {}, "mapping-columns", {"name": name}
    return pairs(rows, name)


def _rows(data: bytes, name: str, needed: Sequence[str]) -> Iterator[tuple[int, dict[str, str]]]:
    """The rows below the header with their numbers, by the names of the columns."""
    text = _decoded(data, name)
    for delimiter in (",", ";", "\t"):
        header, *rows = _records(text, name, delimiter) or [(1, [])]
        names = [cell.strip().casefold() for cell in header[1]]
        if set(needed) <= set(names):
            if twice := [each for each in COLUMNS + CODE_COLUMNS if names.count(each) > 1]:
                raise SheetError(at(name, "error.mapping.twice", column=twice[0]))
            for number, cells in rows:
                yield number, dict.fromkeys(needed, "") | dict(zip(names, cells, strict=False))
            return
    raise SheetError(at(name, "error.mapping.column", column=needed[0]))


def _records(text: str, name: str, delimiter: str) -> list[tuple[int, list[str]]]:
    try:
        rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
        return [(number, [_read(cell) for cell in row]) for number, row in enumerate(rows, 1) if any(row)]
    except csv.Error as error:
        raise SheetError(at(name, "error.mapping.damaged", reason=str(error))) from error


def _decoded(data: bytes, name: str) -> str:
    if len(data) > MAX_BYTES:
        raise SheetError(at(name, "error.mapping.large"))
    is_wide = data.startswith((b"\xff\xfe", b"\xfe\xff"))
    for encoding in ("utf-16",) if is_wide else () if b"\0" in data else _ENCODINGS:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise SheetError(at(name, "error.mapping.kind"))


def _text(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    stream = io.StringIO(newline="")
    table = csv.writer(stream, lineterminator="\r\n")
    table.writerow(header)
    table.writerows([_written(cell) for cell in row] for row in rows)
    return stream.getvalue()


def _written(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula; `_read` takes the apostrophe away again."""
    return f"'{cell}" if cell.lstrip("'").startswith(FORMULA) else cell


def _read(cell: str) -> str:
    cell = cell.strip()
    return cell[1:] if cell.startswith("'") and cell.lstrip("'").startswith(FORMULA) else cell
