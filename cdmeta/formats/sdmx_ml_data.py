"""SDMX-ML 3.0 data messages: StructureSpecificData, flat, as streams (SDMX 3.0 Section 3A)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from cdmeta.formats.sdmx_ml import sender_id
from cdmeta.sdmx.artefacts import Dataflow, Header
from cdmeta.sdmx.observations import Cell, Observations, xml_attribute
from cdmeta.sdmx.xsd import namespace
from cdmeta.tables.engine import Session, write_lines

_BASE = "http://www.sdmx.org/resources/sdmxml/schemas/v3_0"
_MES, _COM, _SS = f"{_BASE}/message", f"{_BASE}/common", f"{_BASE}/data/structurespecific"
_XSI = "http://www.w3.org/2001/XMLSchema-instance"


def data(session: Session, observations: Observations, path: Path, header: Header) -> None:
    """Write a data message, an `Obs` a row with its components as attributes.

    Args:
        session: the session of the observations, which may write to the folder of `path`.
        observations: observations without findings.
        path: the file.
        header: id, time and sender of the message.

    Raises:
        ConversionError: the rows cannot be read; raised when the session ends.
    """
    before, after = _envelope(observations.dataflow, header)
    observed = {part.id for part in observations.structure.components}
    observed -= {part.id for part in observations.structure.attributes if part.attachment != "observation"}
    line = _element("Obs", [cell for cell in observations.cells if cell.id in observed])
    query = f"SELECT {line} FROM {observations.view}"  # noqa: S608  # ids are SDMX ids, texts literals
    write_lines(session, " UNION ALL ".join((*_levels(observations), query)), path, before, after)


def _levels(observations: Observations) -> Iterator[str]:
    """SQL of the attributes of the data set, of groups and of series, each with its part of the key."""
    by_id = {cell.id: cell for cell in observations.cells}
    levels: dict[tuple[str, ...], list[Cell]] = {}
    for part in observations.structure.attributes:
        if part.attachment != "observation" and part.id in by_id:
            key = part.attachment if isinstance(part.attachment, tuple) else ()
            levels.setdefault(key, []).append(by_id[part.id])
    for key, cells in levels.items():
        keyed = [by_id[id_] for id_ in key]
        told = [Cell(cell.id, f"max({cell.sql})", cell.is_free) for cell in cells]
        grouping = f" GROUP BY {', '.join(cell.sql for cell in keyed)}" if keyed else " HAVING count(*) > 0"
        rows = f"SELECT {_element('Atts', [*keyed, *told])} AS line FROM {observations.view}{grouping}"  # noqa: S608
        yield f"(SELECT line FROM ({rows}) ORDER BY line)"  # noqa: S608  # built here


def _element(name: str, cells: Iterable[Cell]) -> str:
    return " || ".join([f"'<{name}'", *map(xml_attribute, cells), "'/>'"])


def _envelope(dataflow: Dataflow, header: Header) -> tuple[str, str]:
    """What stands before the first and after the last observation."""
    from lxml import etree

    nsmap = {"mes": _MES, "com": _COM, "ss": _SS, "xsi": _XSI, "ns1": namespace(dataflow)}
    root = etree.Element(f"{{{_MES}}}StructureSpecificData", nsmap=nsmap)
    head = etree.SubElement(root, f"{{{_MES}}}Header")
    for name, text in (
        ("ID", header.id),
        ("Test", "true" if header.test else "false"),
        ("Prepared", header.prepared.isoformat()),
    ):
        etree.SubElement(head, f"{{{_MES}}}{name}").text = text
    etree.SubElement(head, f"{{{_MES}}}Sender", id=sender_id(header.sender))
    about = {
        "structureID": dataflow.id,
        "namespace": namespace(dataflow),
        "dimensionAtObservation": "AllDimensions",
    }
    structure = etree.SubElement(head, f"{{{_MES}}}Structure", about)
    etree.SubElement(structure, f"{{{_COM}}}StructureUsage").text = dataflow.urn
    attributes = {
        f"{{{_XSI}}}type": "ns1:DataSetType",
        f"{{{_SS}}}structureRef": dataflow.id,
        f"{{{_SS}}}action": "Information",
    }
    etree.SubElement(root, f"{{{_MES}}}DataSet", attributes).text = "\n"
    text = etree.tostring(root, encoding="unicode")
    before, _, after = text.partition("\n</mes:DataSet>")
    return f"<?xml version='1.0' encoding='UTF-8'?>\n{before}\n", f"\n</mes:DataSet>{after}\n"
