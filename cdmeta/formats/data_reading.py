"""SDMX data messages of others, told apart by what is in them, as tables of the engine."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from cdmeta.formats import sdmx_csv_read, sdmx_json_data_read, sdmx_json_own, sdmx_ml_data_read
from cdmeta.formats.data_sets import ReadData as ReadData
from cdmeta.formats.reading import opened
from cdmeta.sdmx.artefacts import DataStructure, Structure
from cdmeta.sdmx.store import Store
from cdmeta.tables.engine import Session
from cdmeta.urn import Ref


def data(session: Session, path: Path, store: Store) -> tuple[ReadData, ...]:
    """The data sets of a message: SDMX-ML 2.1, 3.0 and 3.1, SDMX-CSV and SDMX-JSON 1.0 to 2.1, zipped or not.

    Attributes of the data set, of series and of groups are spread onto the observations. An observation that a
    message gives its own value keeps that. Attributes without any observation are not in the tables.

    Args:
        session: where the tables are made, as temporary ones; the file need not be in a folder that it sees.
        path: the file.
        store: artefacts at hand. They tell dimensions from attributes in groups of structure-specific messages,
            and ids from labels in SDMX-CSV; what a data set names need not be among them.

    Raises:
        ConversionError: the file is no such message, or is damaged; the text names the file and the place in it.
    """

    def structure(ref: Ref | None) -> DataStructure | None:
        return None if ref is None else store.data_structure(ref)

    def dimensions(ref: Ref | None) -> frozenset[str] | None:
        found = structure(ref)
        return None if found is None else frozenset(part.id for part in found.dimensions)

    with opened(path) as (stream, syntax):
        if syntax == "csv":
            return sdmx_csv_read.data(session, stream, structure)
        reader = sdmx_ml_data_read if syntax == "xml" else sdmx_json_data_read
        return tuple(found.table() for found in reader.data_sets(session, stream, dimensions))


def own_structures(paths: Iterable[Path]) -> tuple[Structure, ...]:
    """What messages of data say of the structure of their own data, as SDMX-JSON does; others say nothing.

    Raises:
        ConversionError: as for `data`.
    """
    return sdmx_json_own.structures(_of_json(paths))


def _of_json(paths: Iterable[Path]) -> Iterator[BinaryIO]:
    for path in paths:
        with opened(path) as (stream, syntax):
            if syntax == "json":
                yield stream
