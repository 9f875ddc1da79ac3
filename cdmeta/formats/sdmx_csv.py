"""SDMX-CSV 2.0 data messages (SDMX-CSV field guide 2.0, "Data message")."""

from __future__ import annotations

from pathlib import Path

from cdmeta.sdmx.observations import Observations
from cdmeta.tables.engine import Session, literal, write_csv
from cdmeta.urn import Ref

ACTION = "I"
"""Information: what the data are, with no instruction to a data base."""


def data(session: Session, observations: Observations, path: Path) -> None:
    """Write a data message.

    The columns are STRUCTURE, STRUCTURE_ID and ACTION, then the components in the order of the data structure. The
    format has no header, so it can hold neither a message id nor that it is a test.

    Raises:
        ConversionError: the rows cannot be read; raised when the session ends.
    """
    first = {"STRUCTURE": "dataflow", "STRUCTURE_ID": short_id(observations.dataflow.ref), "ACTION": ACTION}
    columns = [f'{literal(value)} AS "{name}"' for name, value in first.items()]
    columns += [f'{cell.sql} AS "{cell.id}"' for cell in observations.cells]
    query = f"SELECT {', '.join(columns)} FROM {observations.view}"  # noqa: S608  # ids are SDMX ids, texts literals
    write_csv(session, query, path)


def short_id(ref: Ref) -> str:
    """How SDMX-CSV names an artefact: `AGENCY:ID(1.0)`."""
    return f"{ref.agency}:{ref.id}({ref.version})"
