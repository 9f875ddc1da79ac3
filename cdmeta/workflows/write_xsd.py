"""`cdmeta xsd`: structures of anybody's → the XML schemas of data by them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

from cdmeta.errors import ConversionError
from cdmeta.phrase import Phrase
from cdmeta.sdmx import xsd
from cdmeta.sdmx.artefacts import Dataflow, DataStructure
from cdmeta.sdmx.store import Store
from cdmeta.sdmx.target import Target, at_hand, of_structure
from cdmeta.workflows.fetched import artefacts
from cdmeta.workflows.output import staged

INDEX = "index.json"
"""Tells which schema is that of which dataflow."""


def write_xsd(
    dsds: Sequence[str],
    out: Path,
    *,
    version: Literal["2.1", "3.0", "3.1"] = "3.0",
    by_series: bool = False,
    complete: bool = False,
) -> tuple[str, ...]:
    """Write the structure-specific schema of each dataflow, and of each data structure that none of them uses.

    Args:
        dsds: paths and addresses of messages with structures.
        out: the folder to write; one that was written before is replaced.
        version: of SDMX-ML.
        by_series: True for data in series, False for flat data.
        complete: True to require what is mandatory, as in whole data; updates need not have it.

    Returns:
        The names of the files, the index last.

    Raises:
        ConversionError: a message cannot be read, holds no data structure, or one that the version cannot have.
        OutputError: the folder cannot be written, or holds something else.
    """
    found, _ = artefacts(dsds)
    level: xsd.ObservationDimension = "TIME_PERIOD" if by_series else "AllDimensions"
    with staged(out, INDEX) as stage:
        written = {}
        for usage, target in _usages(at_hand(found)):
            schema = xsd.schema(
                target.resolved, target.whole_lists, usage, level, complete=complete, version=version
            )
            name = f"{usage.agency}_{usage.id}_{usage.version}.xsd"
            (stage / name).write_bytes(schema)
            written[name] = usage.urn
        if not written:
            raise ConversionError(Phrase("error.xsd.none"))
        (stage / INDEX).write_text(json.dumps(written, indent=2) + "\n", encoding="utf-8")
    return (*sorted(written), INDEX)


def _usages(store: Store) -> Iterator[tuple[Dataflow | DataStructure, Target]]:
    """What data may be of: each dataflow, and each data structure without one."""
    used = set()
    for artefact in store:
        if isinstance(artefact, Dataflow) and (structure := store.data_structure(artefact.ref)) is not None:
            used.add(structure.ref)
            yield artefact, Target(artefact, structure, store)
    for artefact in store:
        if isinstance(artefact, DataStructure) and artefact.ref not in used:
            yield artefact, of_structure(artefact, store)
