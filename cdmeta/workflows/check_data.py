"""`cdmeta check-data`: data or a report of anybody's, and structures of anybody's → a report of what is wrong."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path

from cdmeta.errors import ConversionError
from cdmeta.finding import Finding, Report
from cdmeta.formats import data_reading, kinds, reading
from cdmeta.phrase import Phrase
from cdmeta.sdmx import check, check_report
from cdmeta.sdmx.artefacts import (
    Dataflow,
    DataStructure,
    Metadataflow,
    MetadataStructure,
    Representation,
)
from cdmeta.sdmx.store import Store
from cdmeta.sdmx.target import Target, at_hand, of_structure, whole
from cdmeta.tables.engine import Session, data_session, sparingly
from cdmeta.text import printable
from cdmeta.urn import Ref
from cdmeta.workflows.fetched import artefacts


def check_data(path: Path, structures: Sequence[str], flow: str | None = None) -> Report:
    """Check a message of data or of reference metadata against structures.

    Args:
        path: the message: SDMX-ML, SDMX-JSON or SDMX-CSV.
        structures: paths and addresses of messages of structures, which may refer to each other.
        flow: the dataflow, data structure, metadataflow or metadata structure to check against, as a URN or as
            `AGENCY:ID(1.0)`; what the message names where it is None.

    Raises:
        ConversionError: a message cannot be read or is empty, or what to check against is not among the
            structures.
    """
    # The cross-domain lists that cdmeta knows stand in for those that the structures refer to and do not hold.
    store = at_hand(artefacts(structures)[0])
    checked = sparingly(partial(_checked, path, store, flow))
    if not checked:
        raise ConversionError(Phrase("error.check.empty", {"name": printable(path.name)}))
    names = dict.fromkeys(name for name, _ in checked)
    found = tuple(finding for _, findings in checked for finding in findings)
    return Report(str(path), found, name=", ".join(names) or None, about="data")


_Checked = Iterator[tuple[str, tuple[Finding, ...]]]
"""What was checked against, and what was found."""


def _checked(path: Path, store: Store, flow: str | None, threads: int) -> list[tuple[str, tuple[Finding, ...]]]:
    found = _reports if kinds.kind(path) == "metadata" else _data
    with data_session(threads=threads) as session:
        return list(found(session, path, store, flow))


def _data(session: Session, path: Path, store: Store, flow: str | None) -> _Checked:
    for read in data_reading.data(session, path, store):
        ref = _wanted(flow, ("Dataflow", "DataStructure"), store) or read.ref
        at = _target(path, store, ref)
        rows = check.Rows(path.name, read.table, read.components, read.action, read.multiple)
        yield _named(_structural(ref) or at.structure.ref), check.check(session, rows, at.known)


def _target(path: Path, store: Store, ref: Ref | None) -> Target:
    """What data name, or what there is if they name none that is read."""
    ref = _structural(ref)
    if ref is None:
        there = [artefact for artefact in store if isinstance(artefact, DataStructure)]
        if len(there) == 1:
            return of_structure(there[0], store)
        params = {"name": printable(path.name), "known": _known(store)}
        raise ConversionError(Phrase("error.check.unnamed", params))
    found, structure = store.get(ref), store.data_structure(ref)
    if structure is None:
        raise _absent(path, ref, store)
    return Target(found, structure, store) if isinstance(found, Dataflow) else of_structure(structure, store)


def _structural(ref: Ref | None) -> Ref | None:
    """What data name; None of a provision agreement, which is not read, so that it tells of no structure."""
    return None if ref is not None and ref.kind == "ProvisionAgreement" else ref


def _reports(session: Session, path: Path, store: Store, flow: str | None) -> _Checked:
    for report in reading.metadata(path):
        ref = _wanted(flow, ("Metadataflow", "MetadataStructure"), store) or report.metadataflow
        structure, metadataflow = _metadata_structure(path, store, ref)
        found = check_report.check(
            session, path.name, report, structure, metadataflow, lambda taken: _codes(store, taken)
        )
        yield _named(ref), found


def _metadata_structure(path: Path, store: Store, ref: Ref) -> tuple[MetadataStructure, Metadataflow | None]:
    found = store.get(ref)
    if isinstance(found, Metadataflow):
        structure = store.get(found.structure)
        if isinstance(structure, MetadataStructure):
            return structure, found
        raise _absent(path, found.structure, store)
    if isinstance(found, MetadataStructure):
        return found, None
    raise _absent(path, ref, store)


def _wanted(flow: str | None, kinds: Iterable[str], store: Store) -> Ref | None:
    """What the caller names, as what there is of it."""
    if flow is None:
        return None
    named = [Ref.read(flow), *(Ref.parse_short(kind, flow) for kind in kinds)]
    for ref in named:
        if ref is not None and store.get(ref) is not None:
            return ref
    raise ConversionError(Phrase("error.check.no-flow", {"name": printable(flow, 200), "known": _known(store)}))


def _codes(store: Store, taken: Representation) -> frozenset[str] | None:
    """The ids in the list of a representation; None where it is not at hand, or not whole."""
    found = whole(store, taken)
    return None if found is None else frozenset(code.id for code in found.codes)


def _absent(path: Path, ref: Ref, store: Store) -> ConversionError:
    params = {"name": printable(path.name), "wanted": _named(ref), "known": _known(store)}
    return ConversionError(Phrase("error.check.absent", params))


def _known(store: Store) -> str:
    """What the structures could be asked for."""
    kinds = (Dataflow, DataStructure, Metadataflow, MetadataStructure)
    found = [_named(artefact.ref) for artefact in store if isinstance(artefact, kinds)]
    return ", ".join(found[:10]) + (" …" if len(found) > 10 else "") or "–"


def _named(ref: Ref) -> str:
    return printable(f"{ref.kind} {ref.short}")
