"""SDMX-ML 2.1 data messages: structure-specific and generic, flat and by series (SDMX 2.1 Section 3A, Part IV).

Version 2.1 knows one measure, `OBS_VALUE`, and no `Atts`: attributes of the data set stand in the data set, those
of a group in a `Group`, those of a partial key at each observation (flat) or series.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from cdmeta.formats.sdmx_ml_data import XSI, body, columns, group_line, opened, split, structure_id
from cdmeta.sdmx.artefacts import Header
from cdmeta.sdmx.levels import Layout, Level, dataset_values, layout, level_rows, series_rows
from cdmeta.sdmx.namespaces import base
from cdmeta.sdmx.observations import Cell, Observations, Piece, escaped, line, xml_attribute
from cdmeta.sdmx.xsd import PRIMARY_MEASURE, ObservationDimension, namespace, with_primary_measure
from cdmeta.tables.engine import Session, literal
from cdmeta.tables.writing import write_lines, written

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

_VERSION = "2.1"
_BASE = base(_VERSION)
_MES, _COM = f"{_BASE}/message", f"{_BASE}/common"
_GENERIC, _SPECIFIC = f"{_BASE}/data/generic", f"{_BASE}/data/structurespecific"


def data(
    session: Session,
    observations: Observations,
    path: Path,
    header: Header,
    *,
    by_series: bool = False,
    generic: bool = False,
    compress: bool = False,
) -> None:
    """Write a data message.

    Args:
        session: the session of the observations, which may write to the folder of `path`.
        observations: observations without findings.
        path: the file.
        header: id, time and sender of the message.
        by_series: True for `Series` that hold the observations, sorted by key and time.
        generic: True for GenericData, False for StructureSpecificData.
        compress: True for a zip with the message as its one entry.

    Raises:
        ConversionError: the rows cannot be read, raised when the session ends; there are several measures, or
            components with several values; or the data structure has no time dimension, and data by series were
            asked for.
    """
    observations = _with_primary_measure(observations)
    parted = layout(observations, by_series=by_series)
    values = dataset_values(session, observations, parted.dataset)
    for value in values.values():
        session.connection.execute(f"SELECT {escaped(literal(value))}")  # refuses what XML cannot hold
    dimension: ObservationDimension = "TIME_PERIOD" if by_series else "AllDimensions"
    envelope = _generic_envelope if generic else _specific_envelope
    before, after = split(envelope(observations, header, dimension, values))
    of_group, of_rest = (_generic_group, _generic_body) if generic else (_specific_group, body)
    queries = [level_rows(observations, level, of_group(level, observations)) for level in parted.partial]
    queries.append(f"SELECT line FROM ({of_rest(observations, parted)})")  # noqa: S608  # built here
    with written(session, path, compress=compress) as target:
        write_lines(session, " UNION ALL ".join(f"({query})" for query in queries), target, before, after)


def _with_primary_measure(observations: Observations) -> Observations:
    """The observations with their one measure called `OBS_VALUE`, as it has to be in 2.1."""
    old = {part.id for part in observations.structure.measures}
    cells = tuple(
        dataclasses.replace(cell, id=PRIMARY_MEASURE) if cell.id in old else cell for cell in observations.cells
    )
    return dataclasses.replace(observations, structure=with_primary_measure(observations.structure), cells=cells)


def _specific_envelope(
    observations: Observations, header: Header, dimension: ObservationDimension, values: dict[str, str]
) -> Element:
    from lxml import etree

    dataflow = observations.dataflow
    own = namespace(dataflow, dimension)
    about = {"structureID": structure_id(dataflow), "namespace": own, "dimensionAtObservation": dimension}
    root, usage = opened(
        "StructureSpecificData", _VERSION, header, about, {"ss": _SPECIFIC, "xsi": XSI, "ns1": own}
    )
    _refer(usage, observations)
    attributes = {
        f"{{{XSI}}}type": "ns1:DataSetType",
        f"{{{_SPECIFIC}}}structureRef": structure_id(dataflow),
        f"{{{_SPECIFIC}}}dataScope": "Dataflow",
        f"{{{_SPECIFIC}}}action": "Information",
    }
    etree.SubElement(root, f"{{{_MES}}}DataSet", attributes | values)
    return root


def _generic_envelope(
    observations: Observations, header: Header, dimension: ObservationDimension, values: dict[str, str]
) -> Element:
    from lxml import etree

    dataflow = observations.dataflow
    about = {"structureID": structure_id(dataflow), "dimensionAtObservation": dimension}
    root, usage = opened("GenericData", _VERSION, header, about, {"gen": _GENERIC})
    _refer(usage, observations)
    attributes = {"structureRef": structure_id(dataflow), "action": "Information"}
    dataset = etree.SubElement(root, f"{{{_MES}}}DataSet", attributes)
    if values:
        said = etree.SubElement(dataset, f"{{{_GENERIC}}}Attributes")
        for id_, value in values.items():
            etree.SubElement(said, f"{{{_GENERIC}}}Value", id=id_, value=value)
    return root


def _refer(usage: Element, observations: Observations) -> None:
    from lxml import etree

    flow = observations.dataflow
    etree.SubElement(usage, "Ref", agencyID=flow.agency, id=flow.id, version=flow.version)


def _generic_body(observations: Observations, parted: Layout) -> str:
    """A query of the lines of `gen:Obs`, in `gen:Series` or without."""
    of_key = {part.id for part in observations.structure.dimensions}
    free = [cell for cell in parted.observation if cell.id in of_key]
    measures = [cell for cell in parted.observation if cell.id == PRIMARY_MEASURE]
    said = [cell for cell in parted.observation if cell not in free and cell not in measures]
    start, end = Piece("<gen:Obs>"), Piece("</gen:Obs>")
    rest = [*chain.from_iterable(_single("ObsValue", cell) for cell in measures), *_said(said), end]
    if parted.series is None:
        observation = line([start, *_key("ObsKey", free), *rest])
        return f"SELECT {observation} AS line FROM {observations.in_order}"  # noqa: S608  # ids and literals
    time = chain.from_iterable(_single("ObsDimension", cell) for cell in free)
    keyed, attributes = columns(parted.series)
    lines = {
        "opening": line([Piece("<gen:Series>"), *_key("SeriesKey", keyed), *_said(attributes)]),
        "observation": line([start, *time, *rest]),
        "end": "'</gen:Series>'",
    }
    return series_rows(observations, parted.series, lines)


def _specific_group(level: Level, observations: Observations) -> str:
    return group_line(level, observations.structure)


def _generic_group(level: Level, _: Observations) -> str:
    key, attributes = columns(level)
    start, end = Piece(f'<gen:Group type="{level.group}">'), Piece("</gen:Group>")
    return line([start, *_key("GroupKey", key), *_said(attributes), end])


def _key(name: str, cells: Sequence[Cell]) -> Iterator[Piece]:
    """An element with a `gen:Value` for each dimension."""
    yield Piece(f"<gen:{name}>")
    for cell in cells:
        yield Piece(f'<gen:Value id="{cell.id}"')
        yield from xml_attribute(Cell("value", cell.sql, cell.is_free), always=True)
        yield Piece("/>")
    yield Piece(f"</gen:{name}>")


def _said(cells: Sequence[Cell]) -> Iterator[Piece]:
    """An element with a `gen:Value` for each attribute that has a value; nothing where none has."""
    if cells:
        none = f"coalesce({', '.join(cell.sql for cell in cells)}) IS NULL"
        yield Piece(sql=f"if({none}, '', '<gen:Attributes>')")
        for cell in cells:
            yield from _where_there(f'<gen:Value id="{cell.id}"', cell)
        yield Piece(sql=f"if({none}, '', '</gen:Attributes>')")


def _single(name: str, cell: Cell) -> Iterator[Piece]:
    """An element with the value of one component; nothing where it has none."""
    return _where_there(f"<gen:{name}", cell)


def _where_there(start: str, cell: Cell) -> Iterator[Piece]:
    absent = f"{cell.sql} IS NULL"
    yield Piece(sql=f"if({absent}, '', {literal(start)})")
    yield from xml_attribute(Cell("value", cell.sql, cell.is_free))
    yield Piece(sql=f"if({absent}, '', '/>')")
