"""Which part of the data a value belongs to, as SQL: data set, partial key or group, series, observation.

Attributes are columns of the rows, like everything else; formats want them once for what they belong to. Where
rows of one level do not agree, writers take the greatest of the values, so that the same rows always give the same
bytes; that they do not is told by `check` (CD787).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from cdmeta.errors import ConversionError
from cdmeta.phrase import Phrase
from cdmeta.sdmx.artefacts import Attribute
from cdmeta.sdmx.observations import Cell, Observations
from cdmeta.tables.engine import Session

Partial = Literal["level", "observation"]
"""Where attributes of a partial key go in flat data: a level of their own, or each observation."""


@dataclass(frozen=True)
class Level:
    """Attributes that belong to the same part of the data.

    Attributes:
        dimensions: its key, in the order of the data structure; none for the data set.
        attributes: what belongs to it.
        group: the id of the group that it is.
    """

    dimensions: tuple[Cell, ...] = ()
    attributes: tuple[Cell, ...] = ()
    group: str | None = None


@dataclass(frozen=True)
class Layout:
    """Observations, each component at its level.

    Attributes:
        dataset: what belongs to the data set.
        partial: what belongs to groups and to partial keys, each level once.
        series: key and attributes of a series; None in flat data.
        observation: what each observation holds: its dimensions, measures, and attributes, in this order.
    """

    dataset: Level
    partial: tuple[Level, ...]
    series: Level | None
    observation: tuple[Cell, ...]


def layout(
    observations: Observations,
    *,
    by_series: bool,
    partial: Partial = "observation",
    groups: bool = True,
    in_series: bool = True,
) -> Layout:
    """Observations with each component at its level.

    Args:
        observations: the observations.
        by_series: True for data by series, time at the observation; False for flat data.
        partial: where attributes of partial keys go in flat data.
        groups: True where the attributes of a group go to that group, False where they go where those of its
            dimensions go.
        in_series: True where, by series, attributes of a part of the key are attributes of the series.

    Raises:
        ConversionError: data by series of a data structure without a time dimension; or a dimension is missing.
    """
    structure = observations.structure
    by_id = {cell.id: cell for cell in observations.cells}
    if missing := [part.id for part in structure.dimensions if part.id not in by_id]:
        raise ConversionError(Phrase("error.data.dimension", {"names": ", ".join(missing)}))
    if by_series and structure.time is None:
        raise ConversionError(Phrase("error.data.time", {"name": structure.id}))
    key = tuple(part.id for part in structure.key)
    places: dict[tuple[str | None, tuple[str, ...]], list[Cell]] = {}
    observed: list[Cell] = []
    for part in structure.attributes:
        if (cell := by_id.get(part.id)) is None:
            continue
        group = group_of(part, observations) if groups else None
        dimensions = dimensions_of(part, observations)
        if dimensions is None:
            observed.append(cell)
        elif group or not dimensions:
            places.setdefault((group, dimensions), []).append(cell)
        elif by_series:
            _of_series(places, key, dimensions, cell, observed, in_series=in_series)
        elif partial == "level":
            places.setdefault((None, dimensions), []).append(cell)
        else:
            observed.append(cell)
    dataset = Level(attributes=tuple(places.pop((None, ()), [])))
    keyed = tuple(by_id[id_] for id_ in key)
    series = Level(keyed, tuple(places.pop((None, key), []))) if by_series else None
    levels = (
        Level(tuple(by_id[id_] for id_ in dimensions), tuple(cells), group)
        for (group, dimensions), cells in places.items()
    )
    time = [structure.time.id] if structure.time else []
    free = time if by_series else [*key, *time]
    measures = [by_id[part.id] for part in structure.measures if part.id in by_id]
    return Layout(dataset, tuple(levels), series, (*(by_id[id_] for id_ in free), *measures, *observed))


def _of_series(
    places: dict[tuple[str | None, tuple[str, ...]], list[Cell]],
    key: tuple[str, ...],
    dimensions: tuple[str, ...],
    cell: Cell,
    observed: list[Cell],
    *,
    in_series: bool,
) -> None:
    """Put an attribute of some dimensions where it belongs by series."""
    if not set(dimensions) <= set(key):
        observed.append(cell)
    else:
        places.setdefault((None, key if in_series else dimensions), []).append(cell)


def dimensions_of(part: Attribute, observations: Observations) -> tuple[str, ...] | None:
    """The dimensions that an attribute belongs to, in the order of the key; None for each observation."""
    structure = observations.structure
    if part.attachment == "observation":
        return None
    if part.attachment == "dataflow":
        return ()
    time = [entry.id for entry in structure.dimensions if entry.is_time]
    in_order = [*(entry.id for entry in structure.key), *time]
    found = tuple(id_ for id_ in in_order if id_ in part.attachment)
    return None if len(found) == len(in_order) else found


def group_of(part: Attribute, observations: Observations) -> str | None:
    """The id of the group that an attribute belongs to, where the data structure has it."""
    known = {group.id for group in observations.structure.groups}
    return part.group if part.group in known else None


def level_rows(observations: Observations, level: Level, line: str) -> str:
    """A query of the lines of a level, column `line`, in the order of its key; those without a value are left out.

    Args:
        observations: the observations.
        level: the level.
        line: SQL of a line over the columns `d0`, `d1` … (its dimensions) and `a0`, `a1` … (its attributes).
    """
    dimensions = [f"{cell.sql} AS d{place}" for place, cell in enumerate(level.dimensions)]
    attributes = [f"max({cell.sql}) AS a{place}" for place, cell in enumerate(level.attributes)]
    names = ", ".join(f"d{place}" for place in range(len(dimensions)))
    some = ", ".join(f"a{place}" for place in range(len(attributes)))
    grouped = f"SELECT {', '.join([*dimensions, *attributes])} FROM {observations.view}"  # noqa: S608  # built here
    if not dimensions:
        return f"SELECT {line} AS line FROM ({grouped}) WHERE coalesce({some}) IS NOT NULL"  # noqa: S608  # likewise
    ordered = f"{grouped} GROUP BY {', '.join(map(str, range(1, len(dimensions) + 1)))}"
    return (
        f"SELECT line FROM (SELECT {names}, {line} AS line FROM ({ordered}) "  # noqa: S608  # likewise
        f"WHERE coalesce({some}) IS NOT NULL ORDER BY {names})"
    )


def dataset_values(session: Session, observations: Observations, level: Level) -> dict[str, str]:
    """The values of the attributes of the data set, by id; those without a value are left out."""
    if not level.attributes:
        return {}
    values = ", ".join(f"max({cell.sql})" for cell in level.attributes)
    (row,) = session.connection.execute(f"SELECT {values} FROM {observations.view}").fetchall()  # noqa: S608
    return {cell.id: value for cell, value in zip(level.attributes, row, strict=True) if value is not None}


def series_rows(observations: Observations, series: Level, lines: Mapping[str, str]) -> str:
    """A query of data by series: an opening, its observations in the order of time, and an end, for each series.

    Columns `line` and `step`: 0 for an opening, 1 for an observation, 2 for an end. They are sorted by the key, on
    disk where memory does not suffice, so neither many series nor a long one need more memory. Rows are not
    numbered for it: the engine numbers them one after the other, which takes as long as the sorting itself.

    Args:
        observations: the observations, no two of the same key and time.
        series: key and attributes of a series.
        lines: SQL of an `opening` over `d0` … and `a0` …, of an `observation` over the view, and of an `end`.
    """
    names = ", ".join(f"d{place}" for place in range(len(series.dimensions)))
    dimensions = ", ".join(f"{cell.sql} AS d{place}" for place, cell in enumerate(series.dimensions))
    attributes = "".join(f", max({cell.sql}) AS a{place}" for place, cell in enumerate(series.attributes))
    time = next(cell.sql for cell in observations.cells if cell.id == _time(observations))
    view = observations.view
    observed = f"SELECT {dimensions}, 1 AS step, {time} AS t, {lines['observation']} AS line FROM {view}"  # noqa: S608  # built here
    keys = f"SELECT {dimensions}{attributes} FROM {view} GROUP BY ALL"  # noqa: S608  # likewise
    around = (
        f"SELECT {names}, unnest([0, 2]) AS step, NULL AS t, "  # noqa: S608  # likewise
        f"unnest([{lines['opening']}, {lines['end']}]) AS line FROM ({keys})"
    )
    order = f"{names}, step, t" if names else "step, t"
    return f"SELECT line, step FROM ({observed} UNION ALL {around}) ORDER BY {order}"  # noqa: S608  # likewise


def _time(observations: Observations) -> str | None:
    return observations.structure.time.id if observations.structure.time else None
