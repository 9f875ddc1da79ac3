"""What attributes belong to, worked out from the rows where the descriptor asks for it (`sdmx.attachment: auto`).

Asked for, and never done in silence: a data structure is a contract that outlives a release, and one more row may
tell that a note is not the same for all of a region. Where nobody asks, an attribute belongs to the observation,
which every later release keeps.
"""

from __future__ import annotations

from dataclasses import replace

from cdmeta.columns import Column, Level, Table
from cdmeta.dataset import Dataset
from cdmeta.finding import Finding, Where
from cdmeta.package import Package
from cdmeta.sdmx.row_checks import varies
from cdmeta.sdmx.structures import dimension_ids
from cdmeta.sdmx.values import frequency_of, time_of, value_of, view_of
from cdmeta.tables.engine import ROW, Session, session


def attached(package: Package, dataset: Dataset) -> tuple[Dataset, tuple[Finding, ...]]:
    """A dataset whose attributes all have an attachment, and what was worked out (`CD747`).

    It is the coarsest at which a column never varies, an empty cell being a value like any other: the data set,
    else a part of the key, else the series, else the observation. The same rows give the same. A table without
    rows tells nothing, so its attributes belong to the observation.

    Args:
        package: the package.
        dataset: what it says.

    Raises:
        ConversionError: the rows cannot be read.
    """
    if not any(_asks(table) for table in dataset.tables):
        return dataset, ()
    findings: list[Finding] = []
    with session(package) as opened:
        tables = tuple(
            _settled(opened, package, table, findings) if _asks(table) else table for table in dataset.tables
        )
    return replace(dataset, tables=tables), tuple(findings)


def _asks(table: Table) -> bool:
    return any(column.attachment == "auto" for column in table.columns)


def _settled(opened: Session, package: Package, table: Table, findings: list[Finding]) -> Table:
    view = view_of(opened, package, table)
    filled = bool(opened.connection.execute(f"SELECT {ROW} FROM {view} LIMIT 1").fetchall())  # noqa: S608
    columns = []
    for column in table.columns:
        if column.attachment == "auto":
            level = _coarsest(opened, view, table, column) if filled else "observation"
            told = ", ".join(_names(table, level)) if isinstance(level, tuple) else level
            params = {"resource": table.name, "field": column.name, "level": told}
            findings.append(Finding("CD747", Where(resource=table.name, field=column.name), params))
            columns.append(replace(column, attachment=level))
        else:
            columns.append(column)
    return replace(table, columns=tuple(columns))


def _names(table: Table, level: tuple[str, ...]) -> list[str]:
    columns = {column.id: column.name for column in table.dimensions}
    return [columns.get(id_, id_) for id_ in level]


def _coarsest(opened: Session, view: str, table: Table, column: Column) -> Level:
    """The data set, or the key without what it can do without: first the frequency, then from the last."""
    value, key = value_of(table, column), _key(table)
    if not varies(opened, view, (), value):
        return "dataset"
    if varies(opened, view, key.values(), value):
        return "observation"
    needed = dict(key)
    for id_ in ("FREQ", *(id_ for id_ in reversed(key) if id_ != "FREQ")):
        fewer = {other: sql for other, sql in needed.items() if other != id_}
        if fewer and not varies(opened, view, fewer.values(), value):
            needed = fewer
    # The frequency follows from the time, so a key that lacks nothing else is that of the series.
    return tuple(needed) if set(key) - set(needed) - {"FREQ"} else "series"


def _key(table: Table) -> dict[str, str]:
    """SQL of each dimension of a series, by its id, in the order of the key."""
    columns = {column.id: column for column in table.dimensions}
    return {
        id_: value_of(table, columns[id_]) if id_ in columns else frequency_of(time_of(table))
        for id_ in dimension_ids(table)
    }
