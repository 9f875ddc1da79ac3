"""Write an approved package as data of somebody else's dataflow: map, check by their structure, write, judge."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from cdmeta.dataset import Dataset
from cdmeta.errors import ConversionError
from cdmeta.finding import Finding
from cdmeta.formats import mapping_csv
from cdmeta.phrase import Phrase, os_reason
from cdmeta.sdmx.artefacts import Header
from cdmeta.sdmx.check import Rows, check
from cdmeta.sdmx.mappings import Sheet, left_out, mapped, of_descriptor, unknown_tables
from cdmeta.sdmx.metadata import report
from cdmeta.sdmx.observations import observations
from cdmeta.sdmx.reports import ForeignReport, foreign_report, templates
from cdmeta.sdmx.structure_maps import structure_maps
from cdmeta.sdmx.structures import Structures, structures
from cdmeta.sdmx.target import Mapped, Target, at_hand, target
from cdmeta.sdmx.target import observations as onto_target
from cdmeta.tables.engine import session
from cdmeta.workflows.accept import Accepted, accepted
from cdmeta.workflows.convert import MANIFEST, Conversion, described, file_name, manifest, put_missing
from cdmeta.workflows.fetched import artefacts
from cdmeta.workflows.messages import FORMS, USUAL, Described, Options, data_name, drafted, put, put_report
from cdmeta.workflows.output import staged

STRUCTURE_MAP = "structure-map.xml"


@dataclass(frozen=True)
class _Job:
    """All that writers need.

    Attributes:
        accepted: the package.
        dataset: what it says.
        own: its structures.
        made: its tables, mapped.
        prepared: when the messages are prepared.
        draft: True where they are marked so.
        beside: the digests of the mapping and the structures.
        options: how data are laid out.
    """

    accepted: Accepted
    dataset: Dataset
    own: Structures
    made: tuple[Mapped, ...]
    prepared: datetime
    draft: bool
    beside: Mapping[str, str]
    options: Options

    @property
    def theirs(self) -> Structures:
        """Its structures, the dataflows being those that the data become data of, each once."""
        flows = {each.target.dataflow.urn: each.as_flow for each in self.made}
        return replace(self.own, flows=tuple(flows.values()))

    def header(self, what: str) -> Header:
        return Header(f"{self.dataset.id}_{what}", self.prepared, self.dataset.agency, test=self.draft)


class _RefusedError(Exception):
    """Ends the writing of a folder that must not appear."""


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
        to: one of FORMS.
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
        if _broken(findings):
            return Conversion((), findings)
        own = structures(dataset)
        sheet, beside = read_sheet(mapping) if mapping is not None else (of_descriptor(package.package), {})
        made, told = _mapped(own, sheet, lambda name: target(store, dataflow or name))
        if _broken(told):
            return Conversion((), (*findings, *told))
        approved = package.verdict is not None and package.verdict.approved and package.report.valid
        job = _Job(package, dataset, own, made, now, draft and not approved, digests | beside, options)
        return _write(job, to, out, tuple(reports), (*findings, *told))


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
        if sheet.tables and flow.table.name not in sheet.tables:
            findings.append(left_out(sheet, flow))
            continue
        each, told = mapped(flow, choose(sheet.dataflows.get(flow.table.name, "")), sheet)
        made.append(each)
        findings += told
    return tuple(made), tuple(findings)


def _broken(findings: Iterable[Finding]) -> bool:
    return any(finding.severity() == "error" for finding in findings)


def _write(job: _Job, to: str, out: Path, reports: Sequence[str], findings: tuple[Finding, ...]) -> Conversion:
    foreign = tuple(foreign_report(templates()[name], job.dataset, job.theirs) for name in dict.fromkeys(reports))
    broken: list[Finding] = []
    try:
        with staged(out, MANIFEST) as stage:
            broken += _write_data(job, to, stage)
            if _broken(broken):
                raise _RefusedError
            if not any(stage.iterdir()):
                raise ConversionError(Phrase("convert.onto.nothing", {"name": job.dataset.name}))
            _write_metadata(job, to, foreign, stage)
            put_missing(foreign, stage)
            names = tuple(sorted(path.name for path in stage.iterdir()))
            told = manifest(
                job.accepted, job.dataset, to, stage, names, now=job.prepared, draft=job.draft, beside=job.beside
            )
            (stage / MANIFEST).write_bytes(told)
    except _RefusedError:
        return Conversion((), (*findings, *broken))
    return Conversion((*names, MANIFEST), (*findings, *broken), foreign)


def _write_data(job: _Job, to: str, stage: Path) -> Iterator[Finding]:
    """Write the data of each table, as far as nothing is wrong with them, and tell what is."""
    form = FORMS[to]
    for each in job.made:
        with session(job.accepted.package, stage) as opened:
            rows, findings = observations(opened, job.accepted.package, job.dataset, each.flow, job.own.codelists)
            yield from findings
            if _broken(findings):
                continue
            name = data_name(f"data-{file_name(each.flow)}", form, job.options, draft=job.draft)
            theirs = onto_target(opened, rows, each, "onto")
            several = frozenset(cell.id for cell in theirs.cells if cell.several)
            present = Rows(name, theirs.view, tuple(cell.id for cell in theirs.cells), multiple=several)
            told = check(opened, present, each.target.known)
            yield from told
            if not _broken(told):
                at = each.target
                described = Described(theirs, at.dataflow, at.taken, at.whole_lists, tuple(at.store))
                form.data(opened, described, stage / name, job.header(f"DATA_{each.flow.table.id}"), job.options)


def _write_metadata(job: _Job, to: str, foreign: Iterable[ForeignReport], stage: Path) -> None:
    """The reports on their dataflows, and the mapping."""
    own = report(job.dataset, job.theirs)
    sets = {"metadata": own.set} | {f"metadata-{made.template.id.lower()}": made.report.set for made in foreign}
    form = FORMS[to]
    # What has no reports of its own has them beside it as SDMX-ML.
    told = form if form.report is not None else FORMS["sdmx-ml-3.0"]
    for name, each in sets.items():
        header = job.header(name.upper().replace("-", "_"))
        put_report(stage / drafted(f"{name}{told.ending}", draft=job.draft), told, each, header)
    from cdmeta.formats import sdmx_ml

    put(stage / STRUCTURE_MAP, sdmx_ml.structures(structure_maps(job.made), job.header("MAP")), "sdmx-ml-3.0")
