"""The files of a package that becomes data of somebody else's dataflows: data, reports, what comes before."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path

from cdmeta.dataset import Dataset
from cdmeta.errors import ConversionError
from cdmeta.finding import Finding, Where, errors_of
from cdmeta.phrase import Phrase
from cdmeta.sdmx.artefacts import Dataflow, DataStructure, Header
from cdmeta.sdmx.check import Rows, check, check_together
from cdmeta.sdmx.mappings import rows_told
from cdmeta.sdmx.metadata import MetadataReport, report
from cdmeta.sdmx.observations import Observations, observations
from cdmeta.sdmx.profile_artefacts import metadata_structure
from cdmeta.sdmx.reports import ForeignReport, foreign_report, templates
from cdmeta.sdmx.structure_maps import structure_maps
from cdmeta.sdmx.structures import Structures
from cdmeta.sdmx.target import Mapped
from cdmeta.sdmx.target import observations as onto_target
from cdmeta.tables.engine import Session, session, sparingly
from cdmeta.workflows.accept import Accepted
from cdmeta.workflows.bundle import dotstat, fmr, link_of
from cdmeta.workflows.convert import (
    BUNDLES,
    MANIFEST,
    TABLES,
    Conversion,
    RefusedError,
    file_name,
    manifest,
    metadata_structures,
    put_bundle,
    put_missing,
)
from cdmeta.workflows.messages import FORMS, Described, Form, Options, data_name, drafted, put, put_report
from cdmeta.workflows.output import staged

STRUCTURE_MAP = "structure-map.xml"


@dataclass(frozen=True)
class Job:
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
        """The header of a message."""
        return Header(f"{self.dataset.id}_{what}", self.prepared, self.dataset.agency, test=self.draft)


def write(job: Job, to: str, out: Path, reports: Sequence[str], findings: tuple[Finding, ...]) -> Conversion:
    """Write the folder, unless something stands in the way.

    Args:
        job: what is written.
        to: one of FORMATS.
        out: the folder.
        reports: ids of other people's metadata structures to report by as well.
        findings: what was found before.

    Raises:
        ConversionError, OutputError: as `onto`.
    """
    foreign = tuple(foreign_report(templates()[name], job.dataset, job.theirs) for name in dict.fromkeys(reports))
    own = report(job.dataset, job.theirs)
    broken: list[Finding] = []
    try:
        with staged(out, MANIFEST) as stage:
            data, told = _write_data(job, FORMS.get(to, TABLES), stage)
            broken += told
            if errors_of(broken):
                raise RefusedError
            if not data:
                is_left_out = any(finding.code == "CD770" for finding in told)
                key = "convert.onto.left-out" if is_left_out else "convert.onto.nothing"
                raise ConversionError(Phrase(key, {"name": job.dataset.name}))
            if to in BUNDLES:
                broken += _write_bundle(job, to, data, own, foreign, stage)
            else:
                _write_reports(job, FORMS[to], own, foreign, stage)
            _write_maps(job, stage)
            put_missing(foreign, stage)
            names = tuple(sorted(path.name for path in stage.iterdir()))
            digests = manifest(
                job.accepted, job.dataset, to, stage, names, now=job.prepared, draft=job.draft, beside=job.beside
            )
            (stage / MANIFEST).write_bytes(digests)
    except RefusedError:
        return Conversion((), (*findings, *broken))
    return Conversion((*names, MANIFEST), (*findings, *broken), foreign)


def _write_data(job: Job, form: Form, stage: Path) -> tuple[dict[str, Mapped], list[Finding]]:
    """Write the data of each mapping that nothing is wrong with: which is in which file, and what is wrong.

    Mappings onto one dataflow have a message each, and are judged together as well: a system that loads one after
    the other keeps the last of two observations of one key, and says nothing.
    """
    written: dict[str, Mapped] = {}
    findings: list[Finding] = []
    for urn in dict.fromkeys(each.target.dataflow.urn for each in job.made):
        group = [each for each in job.made if each.target.dataflow.urn == urn]
        made, told = sparingly(partial(_write_group, job, form, group, stage))
        written |= made
        findings += told
    return written, findings


def _write_group(
    job: Job, form: Form, group: Sequence[Mapped], stage: Path, threads: int
) -> tuple[dict[str, Mapped], list[Finding]]:
    """The same of mappings onto one dataflow."""
    findings: list[Finding] = []
    with session(job.accepted.package, stage, threads=threads) as opened:
        right = list(_judged(job, opened, form, group, findings))
        parts = [(part.made.label, part.rows) for part in right]
        if _noted(tuple(check_together(opened, parts, group[0].target.known)), findings):
            return {}, findings
        for part in right:
            at, path = part.made.target, stage / part.rows.file
            described = Described(part.data, at.dataflow, at.taken, at.whole_lists, tuple(at.store))
            form.data(opened, described, path, job.header(f"DATA_{part.id}"), job.options)
    return {part.rows.file: part.made for part in right}, findings


@dataclass(frozen=True)
class _Part:
    """Data that are right by themselves.

    Attributes:
        made: the mapping.
        data: its observations.
        rows: likewise, with the name of their file, as they are judged.
    """

    made: Mapped
    data: Observations
    rows: Rows

    @property
    def id(self) -> str:
        """What its message is called."""
        id_ = self.made.flow.table.id
        return f"{id_}_{self.made.part.upper()}" if self.made.part else id_


def _judged(
    job: Job, opened: Session, form: Form, group: Iterable[Mapped], findings: list[Finding]
) -> Iterator[_Part]:
    """The mappings of a dataflow that nothing is wrong with, as far as each goes; what is found is noted."""
    read: dict[str, tuple[Observations, bool]] = {}
    for number, made in enumerate(group):
        flow, view = made.flow, f"onto{number}"
        if flow.table.name not in read:
            rows, told = observations(opened, job.accepted.package, job.dataset, flow, job.own.codelists)
            read[flow.table.name] = rows, _noted(told, findings)
        own, is_wrong = read[flow.table.name]
        if is_wrong:
            continue
        theirs = onto_target(opened, own, made, view)
        name = data_name(f"data-{_stem(made)}", form, job.options, draft=job.draft)
        several = frozenset(cell.id for cell in theirs.cells if cell.several)
        data = Rows(name, view, tuple(cell.id for cell in theirs.cells), multiple=several)
        wrong = (*rows_told(opened, made, view), *check(opened, data, made.target.known))
        if not _noted(wrong, findings) and not _is_empty(opened, made, view):
            yield _Part(made, theirs, data)


def _is_empty(opened: Session, made: Mapped, view: str) -> bool:
    """Whether a mapping leaves all rows out, so that there is nothing to write."""
    if not any(source.left_out for source in made.sources.values()):
        return False
    return not opened.connection.execute(f"SELECT 1 FROM {view} LIMIT 1").fetchall()  # noqa: S608  # a name of ours


def _noted(told: Sequence[Finding], findings: list[Finding]) -> bool:
    """Note findings, and tell whether one of them stands in the way."""
    findings += told
    return bool(errors_of(told))


def _stem(made: Mapped) -> str:
    # No other file is called so: names of tables with an @ are not taken for names of files.
    return f"{file_name(made.flow)}@{made.part}" if made.part else file_name(made.flow)


def _write_reports(
    job: Job, form: Form, own: MetadataReport, foreign: Iterable[ForeignReport], stage: Path
) -> None:
    """The reports on their dataflows."""
    sets = {"metadata": own.set} | {f"metadata-{made.template.id.lower()}": made.report.set for made in foreign}
    # What has no reports of its own has them beside it as SDMX-ML.
    told = form if form.report is not None else FORMS["sdmx-ml-3.0"]
    for name, each in sets.items():
        header = job.header(name.upper().replace("-", "_"))
        put_report(stage / drafted(f"{name}{told.ending}", draft=job.draft), told, each, header)


def _write_maps(job: Job, stage: Path) -> None:
    """The mapping as structure maps."""
    from cdmeta.formats import sdmx_ml

    put(stage / STRUCTURE_MAP, sdmx_ml.structures(structure_maps(job.made), job.header("MAP")), "sdmx-ml-3.0")


def _write_bundle(
    job: Job,
    to: str,
    data: Mapping[str, Mapped],
    own: MetadataReport,
    foreign: Sequence[ForeignReport],
    stage: Path,
) -> Iterator[Finding]:
    """What a system takes beside the structures that it has, in its order; and what it has otherwise (`CD774`)."""
    artefacts = metadata_structures(own, foreign)
    flows = [(each.target.dataflow, each.target.structure, name) for name, each in data.items()]
    if to == "fmr":
        agencies = (job.own.agencies,) if job.own.agencies else ()
        sets = [own.set, *(made.report.set for made in foreign)]
        made = fmr((*agencies, *artefacts), sets, job.header, tuple(data), given=_given(flows))
    elif foreign:
        raise ConversionError(Phrase("convert.no-reports"))
    else:
        made = dotstat(artefacts, [own.set], job.header, job.dataset.language, flows, given=_given(flows))
        yield from _linked_otherwise(flows)
    note = Phrase("bundle.beside", {"name": STRUCTURE_MAP, "manifest": MANIFEST})
    put_bundle(replace(made, beside=(note,)), job.options.spoken(job.dataset.language), stage)


def _given(flows: Iterable[tuple[Dataflow, DataStructure, str]]) -> tuple[tuple[Dataflow, DataStructure], ...]:
    """Each dataflow once, with its structure."""
    return tuple({flow.urn: (flow, structure) for flow, structure, _ in flows}.values())


def _linked_otherwise(flows: Iterable[tuple[Dataflow, DataStructure, str]]) -> Iterator[Finding]:
    """Data structures that have reference metadata by another metadata structure: .Stat takes one."""
    ours = metadata_structure().ref
    for structure in {structure.urn: structure for _, structure in _given(flows)}.values():
        if (link := link_of(structure)) not in ("", ours.urn):
            params = {"structure": structure.ref.short, "other": link.partition("=")[2], "own": ours.short}
            yield Finding("CD774", Where(field=structure.id), params)
