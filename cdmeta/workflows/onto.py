"""Write an approved package as data of somebody else's dataflow: map, check by their structure, write, judge."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from cdmeta.errors import ConversionError
from cdmeta.finding import Finding, errors_of
from cdmeta.formats import mapping_csv
from cdmeta.phrase import Phrase, os_reason
from cdmeta.sdmx.mappings import Sheet, left_out, mapped, no_place, of_descriptor, unknown_tables
from cdmeta.sdmx.structures import Structures, structures
from cdmeta.sdmx.target import Mapped, Target, at_hand, target
from cdmeta.workflows.accept import accepted
from cdmeta.workflows.convert import Conversion, described
from cdmeta.workflows.fetched import artefacts
from cdmeta.workflows.messages import USUAL, Options
from cdmeta.workflows.onto_files import Job, write

_UNIT = "UNIT_MEASURE"


def onto(
    path: Path,
    to: str,
    out: Path,
    *,
    dsds: Sequence[str],
    dataflow: str = "",
    mapping: Path | None = None,
    allowed_signers: Path | None,
    draft: bool = False,
    now: datetime,
    reports: Iterable[str] = (),
    options: Options = USUAL,
) -> Conversion:
    """Write a package as data of somebody else's dataflow, with its reports on that, and the mapping as SDMX.

    Args:
        path: folder, descriptor or zip.
        to: one of FORMATS.
        out: the folder to write; one that an earlier conversion wrote is replaced.
        dsds: paths and addresses of messages with their structures.
        dataflow: the dataflow, as a URN or `AGENCY:ID(VERSION)`; may be empty where the mapping names it, or where
            there is only one.
        mapping: a mapping file; without, the descriptor's mapping counts.
        allowed_signers: the receiver's file of who may approve.
        draft: convert even what is not approved, marked so.
        now: when the messages are prepared.
        reports: ids of other people's metadata structures to report by as well.
        options: how data are laid out.

    Raises:
        PackageError, KeyFileError, ApprovalError, OutputError: as `convert`.
        SheetError: the mapping file is none.
        ConversionError: a structure cannot be read, or it is not plain which dataflow is meant; or what was
            written is against its schema.
    """
    found, digests = artefacts(dsds)
    store = at_hand(found)
    with accepted(path, allowed_signers, draft=draft) as package:
        dataset, findings = described(package.package)
        if errors_of(findings):
            return Conversion((), findings)
        own = structures(dataset)
        sheet, beside = read_sheet(mapping) if mapping is not None else (of_descriptor(package.package), {})
        findings = tuple(finding for finding in findings if not _has_unit(finding, sheet))
        made, told = _mapped(own, sheet, lambda name: target(store, dataflow or name))
        if errors_of(told):
            return Conversion((), (*findings, *told))
        job = Job(package, dataset, own, made, now, draft and not package.is_approved, digests | beside, options)
        return write(job, to, out, tuple(reports), (*findings, *told))


def _has_unit(finding: Finding, sheet: Sheet) -> bool:
    """True of a missing unit (`CD708`) that the mapping gives all figures of the table."""
    if finding.code != "CD708":
        return False
    table = finding.params["resource"]
    parts = [sheet.of(table, part) for part in sheet.parts(table)]
    return all(any(line.component == _UNIT and line.source.value for line in lines) for lines in parts)


def read_sheet(path: Path) -> tuple[Sheet, dict[str, str]]:
    """A mapping file with the maps of codes beside it, and the digests (sha256, hex) of all by their names.

    Raises:
        SheetError: it is none.
        ConversionError: it cannot be read.
    """
    digests: dict[str, str] = {}

    def opened(file: Path) -> bytes:
        data = file.read_bytes()
        digests[file.name] = hashlib.sha256(data).hexdigest()
        return data

    def beside(name: str) -> bytes | None:
        file = path.parent / name
        return opened(file) if Path(name).name == name and file.is_file() else None

    try:
        return mapping_csv.read(opened(path), path.name, beside), digests
    except OSError as error:
        what = Phrase("error.unreadable", {"reason": os_reason(error)})
        raise ConversionError(Phrase("error.path", {"path": path, "what": what})) from error


def _mapped(
    own: Structures, sheet: Sheet, choose: Callable[[str], Target]
) -> tuple[tuple[Mapped, ...], tuple[Finding, ...]]:
    """The tables that anything is said of, or all where nothing is said of any; and what stands in the way."""
    findings = list(unknown_tables(sheet, own.flows))
    made = []
    for flow in own.flows:
        name = flow.table.name
        if sheet.tables and name not in sheet.tables:
            findings.append(left_out(sheet, flow))
            continue
        parts = [mapped(flow, choose(sheet.dataflow(name, part)), sheet, part) for part in sheet.parts(name)]
        made += [part for part, _ in parts]
        findings += [*_once(parts), *no_place([part for part, _ in parts])]
    return tuple(made), tuple(findings)


def _once(parts: Sequence[tuple[Mapped, tuple[Finding, ...]]]) -> tuple[Finding, ...]:
    """What is found of all parts of a table, once; what is not of all, with the name of the part."""
    found: list[Finding] = []
    for part, told in parts:
        for finding in told:
            is_common = all(finding in others for _, others in parts)
            params = finding.params if is_common else {**finding.params, "resource": part.label}
            named = replace(finding, params=params)
            found += [named] if named not in found else []
    return tuple(found)
