"""Parquet files as tables, read by DuckDB inside its fences.

Their values keep their types: 5 in a field of text is no text (Table Schema 2.0: what a format has natively is
written natively).
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from cdmeta.errors import ConversionError
from cdmeta.package import Package
from cdmeta.tables import engine
from cdmeta.tables.engine import literal
from cdmeta.tables.records import Record, Table, TableReadError

_AT_ONCE = 2_000


def open_parquet(package: Package, files: Mapping[str, Path], scratch: Path) -> Table:
    """Open files of Parquet; they have the same columns, and rows are counted as if there were a header.

    Args:
        package: the package.
        files: the files, uncompressed, by name.
        scratch: a folder for files whose names DuckDB would read as patterns.

    Raises:
        TableReadError: CD401, a file is damaged, or its columns are not those of the first.
    """
    places = {
        part: _plainly_named(path, scratch / f"parquet-{number}")
        for number, (part, path) in enumerate(files.items())
    }
    labels: list[str] | None = None
    for part, path in places.items():
        found = [name for name, _ in _asked(package, part, path, parquet_columns(path))]
        labels = found if labels is None else labels
        if found != labels:
            raise TableReadError("CD401", "parquet-columns", part)
    rows = (record for part, path in places.items() for record in _records(package, part, path))
    return Table(labels, rows)


def _plainly_named(path: Path, copy: Path) -> Path:
    return Path(shutil.copyfile(path, copy)) if engine.is_pattern(path) else path


def _asked(package: Package, part: str, path: Path, query: str) -> Iterator[tuple[Any, ...]]:
    """The rows of a query, some at once.

    Raises:
        TableReadError: CD401, DuckDB cannot read the file.
    """
    try:
        with engine.session(package, path.parent) as session:
            found = session.connection.execute(query)
            while rows := found.fetchmany(_AT_ONCE):
                yield from rows
    except ConversionError as error:
        raise TableReadError("CD401", "parquet-damaged", part) from error


def _records(package: Package, part: str, path: Path) -> Iterator[Record]:
    columns = list(_asked(package, part, path, parquet_columns(path)))
    cells = ", ".join(_readable(name, kind) for name, kind in columns)
    query = f"SELECT {cells} FROM {parquet_scan([path])}"  # noqa: S608  # all parts quoted here
    for number, row in enumerate(_asked(package, part, path, query), start=2):
        yield Record(part, number, list(row))


def _readable(name: str, kind: str) -> str:
    """A column as Python takes it without further packages."""
    quoted = engine.identifier(name)
    if kind == "TIMESTAMP WITH TIME ZONE":
        return f"strftime({quoted} AT TIME ZONE 'UTC', '%Y-%m-%dT%H:%M:%S.%fZ')"
    if "TIME ZONE" in kind or "INTERVAL" in kind or kind == "UUID":
        return f"{quoted}::VARCHAR"
    return quoted


def parquet_columns(path: Path) -> str:
    """A query for the names and types of the columns of a Parquet file."""
    return f"SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM {parquet_scan([path])})"  # noqa: S608


def parquet_scan(paths: Sequence[Path]) -> str:
    """A table function that reads Parquet files whose names are no patterns."""
    files = ", ".join(literal(str(path.resolve())) for path in paths)
    return f"read_parquet([{files}], hive_partitioning = false, union_by_name = false)"
