"""Rows as a relation of text, exactly as the judge of rows sees them, or not at all.

Nothing is sniffed: dialect, encoding and header come from the descriptor. A file is handed to DuckDB as it lies
only where no reader could read it differently. Any other is first read by Python's csv, as the judge reads it, and
written plainly into a scratch folder. What neither can take is refused.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cdmeta.package import Package, Resource
from cdmeta.phrase import Phrase, os_reason
from cdmeta.tables.engine import ROW, Session, identifier, is_pattern, literal, session
from cdmeta.tables.packed import unpacked
from cdmeta.tables.parquet import parquet_columns, parquet_scan
from cdmeta.tables.plain import MAX_LINE_BYTES, csv_scan, dialect_of, first_record, plain, quoted, refused
from cdmeta.tables.records import TableReadError, kind, missing_values

if TYPE_CHECKING:
    from duckdb import DuckDBPyRelation

MAX_CODE_ROWS = 200_000
_OTHERS = ("json", "geojson", "jsonl", "ndjson", "xlsx", "xlsm", "xls", "ods")
_PARQUET_TEXT = re.compile(
    r"U?(?:TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT)|BOOLEAN|VARCHAR|DATE|TIME|UUID|DECIMAL\(.*|ENUM\(.*"
)
"""Types whose text in DuckDB is that of Table Schema."""


def column(index: int) -> str:
    """The name, in a relation, of the field at a place of `resource.fields`."""
    return f"f{index}"


def as_written(index: int) -> str:
    """The name, in a relation, of the same field with its missing values as they are written."""
    return f"r{index}"


def relation(
    session: Session, package: Package, resource: Resource, written: Container[int] = ()
) -> DuckDBPyRelation:
    """The rows of a resource: `row`, and a column of text `f0`, `f1` … for each of `resource.fields`.

    Args:
        session: the session.
        package: the package.
        resource: the resource.
        written: places of fields of which there are also columns `r0`, `r1` …, which keep what stands for a
            missing value.

    NULL stands for a missing value (`missingValues` of the field or of the schema), and for a column that is not
    in the file where `fieldsMatch` allows that. Rows come in the order of the files.

    Raises:
        ConversionError: the rows cannot be read as the descriptor says; the text names the resource.
    """
    source = _source(session, package, resource)
    places = {name: number for number, name in enumerate(source.header)}
    cells = []
    for index, entry in enumerate(resource.fields):
        place = places.get(str(entry.get("name")))
        cell = "NULL::VARCHAR" if place is None else source.cell(place)
        cells.append(f"{_without_missing(cell, resource, entry)} AS {column(index)}")
        if index in written:
            cells.append(f"{cell} AS {as_written(index)}")
    first = 2 if source.has_header else 1
    numbered = f"row_number() OVER () + {first - 1} AS {ROW}"
    query = f"SELECT {', '.join([numbered, *cells])} FROM {source.scan}"  # noqa: S608  # all parts quoted here
    made: DuckDBPyRelation = session.connection.query(query)
    if made.count("*").fetchall() != [(source.rows,)]:
        raise refused(resource, "apart")
    return made


def code_rows(package: Package, resource: Resource) -> list[dict[str, str]]:
    """The rows of a small table of codes and labels, as field name to text; missing values are left out.

    Raises:
        ConversionError: the rows cannot be read, or are more than MAX_CODE_ROWS.
    """
    names = [str(entry.get("name")) for entry in resource.fields]
    with session(package) as opened:
        rows = relation(opened, package, resource).limit(MAX_CODE_ROWS + 1).fetchall()
    if len(rows) > MAX_CODE_ROWS:
        raise refused(resource, "codes", count=MAX_CODE_ROWS)
    return [{name: value for name, value in zip(names, row[1:], strict=True) if value is not None} for row in rows]


@dataclass(frozen=True)
class _Source:
    """Where rows lie for DuckDB.

    Attributes:
        scan: the table function that reads them, columns `c0`, `c1` …
        header: the names in the file, in its order.
        rows: how many records a plain reader sees below the header.
        has_header: False where the names come from the schema.
        null_is_empty: True where an empty cell comes as NULL.
    """

    scan: str
    header: tuple[str, ...]
    rows: int
    has_header: bool
    null_is_empty: bool

    def cell(self, place: int) -> str:
        return f"coalesce(c{place}, '')" if self.null_is_empty else f"c{place}"


def _source(session: Session, package: Package, resource: Resource) -> _Source:
    if "data" in resource.raw:
        return _inline(session, resource)
    if not resource.complete:
        raise refused(resource, "incomplete")
    if (named := kind(resource)) not in ("parquet", "csv", "tsv") and (
        "format" in resource.raw or named in _OTHERS
    ):
        raise refused(resource, "format")
    dialect = dialect_of(resource)
    try:
        paths = list(unpacked(package, resource, session.scratch).values())
        if named == "parquet":
            return _parquet(session, resource, paths)
        connection = session.connection
        proofs = [plain(connection, path, resource, dialect=dialect, longest=MAX_LINE_BYTES) for path in paths]
        records = [proof.records for proof in proofs if proof and not proof.breaks]
        # DuckDB may still refuse line ends in cells, where the first is of another kind than those of the lines.
        if len(records) == len(paths):
            return _as_it_lies(resource, dialect, paths, sum(records))
        return _rewritten(session, resource, dialect, paths)
    except TableReadError as error:
        reason = Phrase(f"rows.{error.reason}", error.params)
        raise refused(resource, "unreadable", reason=reason) from error
    except OSError as error:
        raise refused(resource, "unreadable", reason=os_reason(error)) from error


def _as_it_lies(resource: Resource, dialect: Mapping[str, Any], paths: Sequence[Path], records: int) -> _Source:
    delimiter = str(dialect["delimiter"])
    headers = [first_record(path, delimiter) for path in paths]
    has_header = dialect["header"] is not False
    rows = records - (len(paths) if has_header else 0)
    header = _header(resource, headers) if has_header else _field_names(resource, len(headers[0]))
    scan = csv_scan(paths, len(header), delimiter, header=has_header)
    return _Source(scan, header, rows, has_header, null_is_empty=True)


def _rewritten(session: Session, resource: Resource, dialect: Mapping[str, Any], paths: Sequence[Path]) -> _Source:
    """Rows read by Python's csv and written with every cell between quotes."""
    has_header = dialect["header"] is not False
    headers: list[list[str]] = []

    def records() -> Iterator[list[str]]:
        for path in paths:
            rows = _records(path, resource, dialect)
            if has_header:
                headers.append(next(rows, []))
            yield from rows

    written, count, width = _write_plain(session, resource, records())
    header = _header(resource, headers) if has_header else _field_names(resource, width)
    if width not in (-1, len(header)):
        raise refused(resource, "cells")
    scan = csv_scan([written], len(header), ",", header=False, ours=True)
    return _Source(scan, header, count, has_header, False)


def _records(path: Path, resource: Resource, dialect: Mapping[str, Any]) -> Iterator[list[str]]:
    encoding = str(resource.raw.get("encoding", "utf-8"))
    comment = dialect.get("commentChar")
    try:
        encoding = "utf-8-sig" if encoding.lower().replace("_", "-") in ("utf-8", "utf8") else encoding
        with path.open(encoding=encoding, newline="") as file:
            lines = (line for line in file if not line.startswith(comment)) if comment else file
            yield from csv.reader(
                lines,
                delimiter=dialect["delimiter"],
                quotechar=dialect["quoteChar"],
                doublequote=dialect["doubleQuote"] is not False,
                escapechar=dialect.get("escapeChar"),
                skipinitialspace=dialect.get("skipInitialSpace") is True,
            )
    except (LookupError, UnicodeError) as error:
        raise refused(resource, "encoding") from error
    except (csv.Error, TypeError, ValueError) as error:
        raise refused(resource, "csv", reason=error) from error


def _write_plain(
    session: Session, resource: Resource, records: Iterable[Sequence[str | None]]
) -> tuple[Path, int, int]:
    """The file written, how many records it has, and how many cells each has (-1 where there are none)."""
    path = session.scratch / f"{resource.index}.csv"
    count, width = 0, -1
    with path.open("w", encoding="utf-8", newline="") as file:
        for record in records:
            width = len(record) if width < 0 else width
            if not record or len(record) != width:
                raise refused(resource, "empty-row")
            try:
                file.write(",".join(map(quoted, record)) + "\n")
            except UnicodeEncodeError as error:
                raise refused(resource, "characters") from error
            count += 1
    return path, count, width


def _inline(session: Session, resource: Resource) -> _Source:
    """Rows that stand in the descriptor: objects, or arrays of which the first is the header."""
    data = resource.raw["data"]
    rows = data if isinstance(data, list) else []
    if rows and all(isinstance(row, Mapping) for row in rows):
        names = list(dict.fromkeys(key for row in rows for key in row))
        records = [[_cell(row.get(name)) for name in names] for row in rows]
    elif rows and all(isinstance(row, list) for row in rows):
        names = [_cell(cell) or "" for cell in rows[0]]
        records = [[_cell(cell) for cell in row] for row in rows[1:]]
    else:
        raise refused(resource, "inline")
    header = _header(resource, [names])
    written, count, width = _write_plain(session, resource, records)
    if width not in (-1, len(header)):
        raise refused(resource, "cells")
    scan = csv_scan([written], len(header), ",", header=False, ours=True)
    return _Source(scan, header, count, True, False)


def _cell(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)


def _parquet(session: Session, resource: Resource, paths: Sequence[Path]) -> _Source:
    """Parquet as text, in the forms of Table Schema."""
    if any(map(is_pattern, paths)):
        raise refused(resource, "parquet-name")
    do = session.connection.execute
    columns = [do(parquet_columns(path)).fetchall() for path in paths]
    if any(other != columns[0] for other in columns):
        raise refused(resource, "headers")
    header = _header(resource, [[name for name, _ in found] for found in columns])
    texts = [_parquet_text(resource, name, kind) for name, kind in columns[0]]
    cells = ", ".join(f"{text} AS c{place}" for place, text in enumerate(texts))
    scan = parquet_scan(paths)
    ((rows,),) = do(f"SELECT count(*) FROM {scan}").fetchall()  # noqa: S608  # all parts quoted here
    return _Source(f"(SELECT {cells} FROM {scan})", header, rows, True, False)  # noqa: S608  # likewise


def _parquet_text(resource: Resource, name: str, kind: str) -> str:
    cell = identifier(name)
    if _PARQUET_TEXT.fullmatch(kind):
        return f"{cell}::VARCHAR"
    if kind in ("FLOAT", "DOUBLE"):
        return (
            f"CASE WHEN isnan({cell}) THEN 'NaN' WHEN isinf({cell}) THEN if({cell} > 0, 'INF', '-INF') "
            f"WHEN {cell} = trunc({cell}) AND abs({cell}) < 1e15 THEN {cell}::BIGINT::VARCHAR "
            f"ELSE {cell}::VARCHAR END"
        )
    if kind == "TIMESTAMP":
        whole = f"strftime({cell}, '%Y-%m-%dT%H:%M:%S')"
        return f"{whole} || if(microsecond({cell}) % 1000000 = 0, '', strftime({cell}, '.%f'))"
    raise refused(resource, "parquet-type", name=name)


def _header(resource: Resource, headers: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """The names in the header, where they agree with the schema and from file to file."""
    header, wanted = tuple(headers[0]), _field_names(resource, None)
    if any(tuple(other) != header for other in headers):
        raise refused(resource, "headers")
    if len(set(header)) != len(header) or len(set(wanted)) != len(wanted):
        raise refused(resource, "twice")
    given = (resource.schema or {}).get("fieldsMatch", "exact")
    match = given[0] if isinstance(given, list) and given else given
    found, asked = set(header), set(wanted)
    fits = {
        "exact": header == wanted,
        "equal": found == asked,
        "subset": found >= asked,
        "superset": found <= asked,
        "partial": bool(found & asked),
    }
    if not fits.get(match if isinstance(match, str) else "", False):
        raise refused(resource, "header")
    return header


def _field_names(resource: Resource, width: int | None) -> tuple[str, ...]:
    names = tuple(str(entry.get("name")) for entry in resource.fields)
    if width not in (None, -1, len(names)):
        raise refused(resource, "columns")
    return names


def _without_missing(cell: str, resource: Resource, entry: Mapping[str, Any]) -> str:
    texts = sorted(missing_values(resource, entry))
    if not texts:
        return cell
    return f"CASE WHEN {cell} IN ({', '.join(map(literal, texts))}) THEN NULL ELSE {cell} END"
