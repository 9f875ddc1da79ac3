"""SDMX-ML 3.0 and 3.1 data messages: StructureSpecificData, flat and by series (SDMX 3.0 Section 3A)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Literal

from cdmeta.formats.sdmx_elements import sender_id
from cdmeta.sdmx.artefacts import Dataflow, DataStructure, Header
from cdmeta.sdmx.levels import Layout, Level, layout, level_rows, series_rows
from cdmeta.sdmx.namespaces import base
from cdmeta.sdmx.observations import Cell, Observations, Piece, line, xml_attribute, xml_values
from cdmeta.sdmx.xsd import ObservationDimension, namespace, values_type
from cdmeta.tables.engine import Session
from cdmeta.tables.writing import write_lines, written
from cdmeta.urn import is_concept_id

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

XSI = "http://www.w3.org/2001/XMLSchema-instance"
_BLOCK = 1 << 16
Version = Literal["3.0", "3.1"]


def data(
    session: Session,
    observations: Observations,
    path: Path,
    header: Header,
    *,
    by_series: bool = False,
    version: Version = "3.0",
    compress: bool = False,
) -> None:
    """Write a data message: an `Obs` a row, its components as attributes.

    Attributes of the data set stand in `Atts`, those of a group in a `Group`, those of a partial key in `Atts`
    with that key (flat) or in each `Series` (by series).

    Args:
        session: the session of the observations, which may write to the folder of `path`.
        observations: observations without findings.
        path: the file.
        header: id, time and sender of the message.
        by_series: True for `Series` that hold the observations, sorted by key and time.
        version: of SDMX-ML.
        compress: True for a zip with the message as its one entry.

    Raises:
        ConversionError: the rows cannot be read, raised when the session ends; or the data structure has no time
            dimension, and data by series were asked for.
    """
    parted = layout(observations, by_series=by_series, partial="level")
    before, after = _envelope(
        observations.dataflow, header, "TIME_PERIOD" if by_series else "AllDimensions", version
    )
    with written(session, path, compress=compress) as target:
        write_lines(session, _lines(observations, parted), target, before, after)


def _lines(observations: Observations, parted: Layout) -> str:
    """A query of all lines between the envelope, in order."""
    levels = ([parted.dataset] if parted.dataset.attributes else []) + list(parted.partial)
    structure = observations.structure
    queries = [level_rows(observations, level, _level_line(level, structure)) for level in levels]
    queries.append(f"SELECT line FROM ({body(observations, parted)})")  # noqa: S608  # built here
    return " UNION ALL ".join(f"({query})" for query in queries)


def body(observations: Observations, parted: Layout) -> str:
    """A query of the lines of `Obs`, in `Series` or without, in structure-specific data of any version."""
    of_key = {part.id for part in observations.structure.dimensions}
    single = (cell for cell in parted.observation if not cell.several)
    attributes = (xml_attribute(cell, always=cell.id in of_key) for cell in single)
    observation = element("Obs", attributes, comps(observations.structure, parted.observation))
    if parted.series is None:
        return f"SELECT {observation} AS line FROM {observations.in_order}"  # noqa: S608  # ids and literals
    within = comps(observations.structure, columns(parted.series)[1])
    opening = element("Series", named(parted.series), [*within, ()], end="")
    return series_rows(
        observations, parted.series, {"opening": opening, "observation": observation, "end": "'</Series>'"}
    )


def _level_line(level: Level, structure: DataStructure) -> str:
    if level.group is None:
        return element("Atts", named(level), comps(structure, columns(level)[1]))
    return group_line(level, structure)


def group_line(level: Level, structure: DataStructure) -> str:
    """SQL of a `Group` of structure-specific data, over the columns of `level_rows`."""
    start = f'Group xsi:type="ns1:{level.group}"'
    return element(start, named(level), comps(structure, columns(level)[1]))


def columns(level: Level) -> tuple[list[Cell], list[Cell]]:
    """Key and attributes of a level, over the columns of `level_rows` and `series_rows`."""
    key = [replace(cell, sql=f"d{place}") for place, cell in enumerate(level.dimensions)]
    return key, [replace(cell, sql=f"a{place}") for place, cell in enumerate(level.attributes)]


def named(level: Level) -> Iterator[tuple[Piece, ...]]:
    """The components of a level as attributes of an element, over the columns of `level_rows`."""
    key, attributes = columns(level)
    for cell in key:
        yield xml_attribute(cell, always=True)
    for cell in attributes:
        if not cell.several:
            yield xml_attribute(cell)


def comps(structure: DataStructure, cells: Iterable[Cell]) -> list[tuple[Piece, ...]]:
    """The components with several values as elements, in the same order."""
    types = {part.id: values_type(part) for part in structure.components}
    return [xml_values(cell, types[cell.id]) for cell in cells if cell.several]


def element(
    start: str,
    attributes: Iterable[Iterable[Piece]],
    content: Sequence[Iterable[Piece]] = (),
    end: str | None = None,
) -> str:
    """SQL of an element: what it begins with, its attributes, its content, and an end other than its own."""
    inner = [Piece(">"), *chain.from_iterable(content)] if content else []
    name = start.partition(" ")[0]
    last = end if end is not None else f"</{name}>" if content else "/>"
    return line([Piece(f"<{start}"), *chain.from_iterable(attributes), *inner, Piece(last)])


def _envelope(
    dataflow: Dataflow, header: Header, dimension: ObservationDimension, version: Version
) -> tuple[str, str]:
    """What stands before the first and after the last line."""
    from lxml import etree

    specific = f"{base(version)}/data/structurespecific"
    own = namespace(dataflow, dimension)
    about = {"structureID": structure_id(dataflow), "namespace": own, "dimensionAtObservation": dimension}
    root, usage = opened("StructureSpecificData", version, header, about, {"ss": specific, "xsi": XSI, "ns1": own})
    usage.text = dataflow.urn
    attributes = {
        f"{{{XSI}}}type": "ns1:DataSetType",
        f"{{{specific}}}structureRef": structure_id(dataflow),
        f"{{{specific}}}action": "Information",
    }
    etree.SubElement(root, f"{{{base(version)}/message}}DataSet", attributes)
    return split(root)


def structure_id(dataflow: Dataflow) -> str:
    """What a message calls the dataflow of its data: its id, where XML takes that for one (`xs:ID`).

    Ids of artefacts may begin with a digit and hold `@` and `$` (IDType), as many of .Stat do.
    """
    return dataflow.id if is_concept_id(dataflow.id) else "_" + re.sub("[^A-Za-z0-9_-]", "_", dataflow.id)


def opened(
    name: str, version: str, header: Header, about: Mapping[str, str], prefixes: Mapping[str, str]
) -> tuple[Element, Element]:
    """The root of a data message of any version with its header, and its element for the dataflow, empty."""
    from lxml import etree

    mes, com = f"{base(version)}/message", f"{base(version)}/common"
    root = etree.Element(f"{{{mes}}}{name}", nsmap={"mes": mes, "com": com} | dict(prefixes))
    head = etree.SubElement(root, f"{{{mes}}}Header")
    for part, text in (
        ("ID", header.id),
        ("Test", "true" if header.test else "false"),
        ("Prepared", header.prepared.isoformat()),
    ):
        etree.SubElement(head, f"{{{mes}}}{part}").text = text
    etree.SubElement(head, f"{{{mes}}}Sender", id=sender_id(header.sender))
    structure = etree.SubElement(head, f"{{{mes}}}Structure", dict(about))
    return root, etree.SubElement(structure, f"{{{com}}}StructureUsage")


def split(root: Element) -> tuple[str, str]:
    """A message whose data set has no observations yet, as the lines before them and behind."""
    from lxml import etree

    last = root[-1]
    place = last[-1] if len(last) else last
    if len(last):
        place.tail = "\n"
    else:
        place.text = "\n"
    text = etree.tostring(root, encoding="unicode")
    end = "\n</mes:DataSet>"
    before, _, after = text.rpartition(end)
    return f"<?xml version='1.0' encoding='UTF-8'?>\n{before}\n", f"{end.lstrip()}{after}\n"


class Parts:
    """A message that `data` wrote, as messages of no more than some millions of lines.

    libxml2 gives up on an element with more than ten million others in it, and calls the next one unexpected.

    Args:
        stream: the message.
        most: lines of a part, to the nearest block that is read.
    """

    def __init__(self, stream: BinaryIO, most: int = 5_000_000) -> None:
        self._blocks, self._most = _blocks(stream), most
        before, end, rest = next(self._blocks, b"").partition(_DATA_SET)
        attributes, line_end, rest = rest.partition(b"\n")
        self._before, self._rest = before + end + attributes + line_end, rest
        self._series = b""
        self._is_over = False

    def __iter__(self) -> Iterator[Iterator[bytes]]:
        """The parts, each in blocks that have to be read before the next part is."""
        while not self._is_over:
            yield self._part()

    def _part(self) -> Iterator[bytes]:
        yield self._before + self._series
        lines = 0
        for block in chain([self._rest], self._blocks):
            self._rest = b""
            yield block
            if _END in block:
                break
            self._series = _open_series(block, self._series)
            lines += block.count(b"\n")
            if lines >= self._most:
                yield (b"</Series>" if self._series else b"") + _END + b"</mes:StructureSpecificData>"
                return
        self._is_over = True


_DATA_SET, _END, _SERIES = b"<mes:DataSet", b"</mes:DataSet>", b"<Series"


def _blocks(stream: BinaryIO) -> Iterator[bytes]:
    """A stream in blocks of whole lines."""
    tail = b""
    while chunk := stream.read(_BLOCK):
        whole, line_end, tail = (tail + chunk).rpartition(b"\n")
        if line_end:
            yield whole + line_end
    if tail:
        yield tail


def _open_series(block: bytes, before: bytes) -> bytes:
    """The line that opens the series in which a block ends; empty where it ends in none."""
    start, end = block.rfind(_SERIES), block.rfind(b"</Series>")
    if start > end:
        return block[start : block.index(b"\n", start) + 1]
    return b"" if end >= 0 else before
