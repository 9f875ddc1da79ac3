"""SDMX-ML 2.1 data messages: structure-specific and generic, flat and by series (SDMX 2.1 Section 3A, Part IV).

Version 2.1 knows one measure, `OBS_VALUE`, and no `Atts`: attributes of the data set stand in the data set, those
of a group in a `Group`, those of a partial key at each observation (flat) or series.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cdmeta.formats.sdmx_ml_data import XSI, base, body, group_line, opened, split
from cdmeta.sdmx.artefacts import Header
from cdmeta.sdmx.levels import Layout, Level, dataset_values, layout, level_rows, series_rows
from cdmeta.sdmx.observations import Cell, Observations, xml_attribute
from cdmeta.sdmx.xsd import PRIMARY_MEASURE, ObservationDimension, namespace, with_primary_measure
from cdmeta.tables.engine import Session, literal, write_lines, written

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
        ConversionError: the rows cannot be read, raised when the session ends; there are several measures; or the
            data structure has no time dimension, and data by series were asked for.
    """
    observations = _with_primary_measure(observations)
    parted = layout(observations, by_series=by_series)
    values = dataset_values(session, observations, parted.dataset)
    dimension: ObservationDimension = "TIME_PERIOD" if by_series else "AllDimensions"
    envelope = _generic_envelope if generic else _specific_envelope
    before, after = split(envelope(observations, header, dimension, values))
    line, lines = (_generic_group, _generic_body) if generic else (group_line, body)
    queries = [level_rows(observations, level, line(level)) for level in parted.partial]
    queries.append(f"SELECT line FROM ({lines(observations, parted)})")  # noqa: S608  # built here
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
    about = {"structureID": dataflow.id, "namespace": own, "dimensionAtObservation": dimension}
    root, usage = opened(
        "StructureSpecificData", _VERSION, header, about, {"ss": _SPECIFIC, "xsi": XSI, "ns1": own}
    )
    _refer(usage, observations)
    attributes = {
        f"{{{XSI}}}type": "ns1:DataSetType",
        f"{{{_SPECIFIC}}}structureRef": dataflow.id,
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
    about = {"structureID": dataflow.id, "dimensionAtObservation": dimension}
    root, usage = opened("GenericData", _VERSION, header, about, {"gen": _GENERIC})
    _refer(usage, observations)
    attributes = {"structureRef": dataflow.id, "action": "Information"}
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
    structure = observations.structure
    of_key = {part.id for part in structure.dimensions}
    free = [cell for cell in parted.observation if cell.id in of_key]
    measures = [cell for cell in parted.observation if cell.id == PRIMARY_MEASURE]
    said = [cell for cell in parted.observation if cell not in free and cell not in measures]
    rest = [*(_single("ObsValue", cell) for cell in measures), _values("Attributes", said), "'</gen:Obs>'"]
    if parted.series is None:
        key = _values("ObsKey", free)
        line = _joined(["'<gen:Obs>'", key, *rest])
        return f"SELECT {line} AS line FROM {observations.view}"  # noqa: S608  # ids and literals
    observation = _joined(["'<gen:Obs>'", *(_single("ObsDimension", cell) for cell in free), *rest])
    keyed, attributes = _columns(parted.series)
    opening = _joined(["'<gen:Series>'", _values("SeriesKey", keyed), _values("Attributes", attributes)])
    lines = {"opening": opening, "observation": observation, "end": "'</gen:Series>'"}
    return series_rows(observations, parted.series, lines)


def _generic_group(level: Level) -> str:
    key, attributes = _columns(level)
    start, end = literal(f'<gen:Group type="{level.group}">'), literal("</gen:Group>")
    return _joined([start, _values("GroupKey", key), _values("Attributes", attributes), end])


def _columns(level: Level) -> tuple[list[Cell], list[Cell]]:
    """Key and attributes of a level, over the columns of `level_rows` and `series_rows`."""
    key = [Cell(cell.id, f"d{place}", cell.is_free) for place, cell in enumerate(level.dimensions)]
    attributes = [Cell(cell.id, f"a{place}", cell.is_free) for place, cell in enumerate(level.attributes)]
    return key, attributes


def _joined(parts: Iterable[str]) -> str:
    return " || ".join(part for part in parts if part)


def _values(name: str, cells: Sequence[Cell]) -> str:
    """SQL of an element with a `gen:Value` for each component that has a value; empty text where none has."""
    if not cells:
        return ""
    opened = [(literal(f'<gen:Value id="{cell.id}"'), _value(cell)) for cell in cells]
    parts = [f"coalesce({start} || {value} || '/>', '')" for start, value in opened]
    some = f"coalesce({', '.join(cell.sql for cell in cells)}) IS NOT NULL"
    return f"CASE WHEN {some} THEN '<gen:{name}>' || {_joined(parts)} || '</gen:{name}>' ELSE '' END"


def _single(name: str, cell: Cell) -> str:
    """SQL of an element with the value of one component; empty text where it has none."""
    return f"coalesce('<gen:{name}' || {_value(cell)} || '/>', '')"


def _value(cell: Cell) -> str:
    """SQL of the attribute `value`; NULL where there is none."""
    return f"nullif({xml_attribute(Cell('value', cell.sql, cell.is_free))}, '')"
