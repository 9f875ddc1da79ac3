"""Write an approved package as SDMX: verify, copy, check, write, judge by the official schemas, rename."""

from __future__ import annotations

import csv
import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from types import MappingProxyType
from typing import Any

from cdmeta import framework, profile
from cdmeta.dataset import Dataset, to_dataset
from cdmeta.errors import ConversionError
from cdmeta.finding import Finding, errors_of
from cdmeta.package import Package
from cdmeta.phrase import Phrase
from cdmeta.sdmx.artefacts import Codelist, Header, MetadataSet, Structure
from cdmeta.sdmx.attachments import attached
from cdmeta.sdmx.metadata import MetadataReport, report
from cdmeta.sdmx.observations import observations
from cdmeta.sdmx.reports import ForeignReport, foreign_report, templates
from cdmeta.sdmx.structures import Flow, Structures, codes_of, structures
from cdmeta.tables.engine import session, sparingly
from cdmeta.tables.relations import code_rows
from cdmeta.workflows.accept import Accepted, accepted
from cdmeta.workflows.bundle import README, Bundle, dotstat, fmr
from cdmeta.workflows.messages import FORMS, USUAL, Described, Form, Options, data_name, drafted, put, put_report
from cdmeta.workflows.output import staged

MANIFEST = "manifest.json"
TABLES = FORMS["sdmx-csv-2.0"]
"""The form of data that systems take."""
_PLAIN_NAME = re.compile(r"[a-z0-9][a-z0-9._-]*")


@dataclass(frozen=True)
class Conversion:
    """What was written.

    Attributes:
        files: names of the files in the folder, the manifest last; none where findings stood in the way.
        findings: `CD7xx`, those that stood in the way among them.
        reports: by other people's metadata structures, with what they miss.
    """

    files: tuple[str, ...]
    findings: tuple[Finding, ...]
    reports: tuple[ForeignReport, ...] = ()

    @property
    def errors(self) -> tuple[Finding, ...]:
        """The findings that stood in the way."""
        return errors_of(self.findings)


@dataclass(frozen=True)
class _Material:
    """All that writers need of one package."""

    accepted: Accepted
    dataset: Dataset
    structures: Structures
    report: MetadataReport
    foreign: tuple[ForeignReport, ...]
    prepared: datetime
    draft: bool
    options: Options

    @property
    def package(self) -> Package:
        return self.accepted.package

    def header(self, what: str) -> Header:
        return Header(f"{self.dataset.id}_{what}", self.prepared, self.dataset.agency, test=self.draft)

    def metadata_structures(self) -> tuple[Structure, ...]:
        return metadata_structures(self.report, self.foreign)

    def metadata_sets(self) -> Iterator[tuple[str, MetadataSet]]:
        """Each report with the name of its file."""
        yield "metadata", self.report.set
        for made in self.foreign:
            yield f"metadata-{made.template.id.lower()}", made.report.set

    def codelists(self) -> tuple[Codelist, ...]:
        return tuple(codes_of(self.structures.codelists).values())


def metadata_structures(own: MetadataReport, foreign: Iterable[ForeignReport]) -> tuple[Structure, ...]:
    """What reports are made by: the profile's structures, who reports, metadataflows of structures of others."""
    from cdmeta.sdmx.profile_artefacts import artefacts

    others = (part for made in foreign for part in (made.metadataflow, made.report.agreement))
    return (*artefacts(), *own.artefacts, *others)


class RefusedError(Exception):
    """Ends the writing of a folder that must not appear."""


def convert(
    path: Path,
    to: str,
    out: Path,
    *,
    allowed_signers: Path | None,
    draft: bool = False,
    now: datetime,
    reports: Iterable[str] = (),
    options: Options = USUAL,
) -> Conversion:
    """Write a package as SDMX.

    Args:
        path: folder, descriptor or zip.
        to: one of FORMATS.
        out: the folder to write; one that an earlier conversion wrote is replaced.
        allowed_signers: the receiver's file of who may approve.
        draft: convert even what is not approved or has errors; marked as a test in each header, or as `.draft` in
            the name of a file without header.
        now: when the messages are prepared.
        reports: ids of other people's metadata structures (`sdmx.reports.templates`) to report by as well.
        options: how data are laid out.

    Raises:
        PackageError, KeyFileError, ApprovalError: as `accepted`.
        ConversionError: there is nothing to write in this format, or what was written is against its schema.
        OutputError: the folder cannot be written, or holds something else.
    """
    with accepted(path, allowed_signers, draft=draft) as package:
        dataset, findings = described(package.package)
        if errors_of(findings):
            return Conversion((), findings)
        made = structures(dataset)
        foreign = tuple(foreign_report(templates()[name], dataset, made) for name in dict.fromkeys(reports))
        own = report(dataset, made)
        material = _Material(package, dataset, made, own, foreign, now, draft and not package.is_approved, options)
        return _write(material, to, out, findings)


def described(package: Package) -> tuple[Dataset, tuple[Finding, ...]]:
    """What a package says, with what keeps it from being SDMX."""
    decision = framework.decide(framework.read(package.answers))
    dataset, findings = to_dataset(package, decision, lambda resource: code_rows(package, resource))
    if errors_of(findings):
        return dataset, findings
    dataset, told = attached(package, dataset)
    return dataset, (*findings, *told)


def _write(material: _Material, to: str, out: Path, findings: tuple[Finding, ...]) -> Conversion:
    broken: list[Finding] = []
    try:
        with staged(out, MANIFEST) as stage:
            if to in BUNDLES:
                BUNDLES[to](material, stage, broken)
            else:
                _write_form(material, FORMS[to], stage, broken)
            put_missing(material.foreign, stage)
            names = tuple(sorted(path.name for path in stage.iterdir()))
            if errors_of(broken):
                raise RefusedError
            if not names:
                raise ConversionError(Phrase("convert.nothing", {"name": material.dataset.name, "to": to}))
            (stage / MANIFEST).write_bytes(
                manifest(
                    material.accepted,
                    material.dataset,
                    to,
                    stage,
                    names,
                    now=material.prepared,
                    draft=material.draft,
                )
            )
    except RefusedError:
        return Conversion((), (*findings, *broken))
    return Conversion((*names, MANIFEST), (*findings, *broken), material.foreign)


def _write_form(material: _Material, form: Form, stage: Path, broken: list[Finding]) -> None:
    """Structures, reports and data, each in one format."""
    own, ending = material.structures.artefacts, form.ending
    if form.structures is not None:
        write, kind = form.structures
        described = material.metadata_structures()
        put(stage / f"metadata-structures{ending}", write(described, material.header("MSD")), kind)
        if own:
            put(stage / f"structures{ending}", write(own, material.header("DSD")), kind)
    for name, each in material.metadata_sets() if form.report is not None or material.foreign else ():
        file = stage / drafted(f"{name}{ending}", draft=material.draft)
        put_report(file, form, each, material.header(_message_id(name)))
    _write_data(material, form, stage, broken)


def _write_data(material: _Material, form: Form, stage: Path, broken: list[Finding]) -> dict[str, Flow]:
    """The data of each table, and the names of their files."""
    found: dict[str, Flow] = {}
    for flow in material.structures.flows:
        name = data_name(f"data-{file_name(flow)}", form, material.options, draft=material.draft)
        told = sparingly(partial(_write_table, material, form, flow, stage / name))
        broken += told
        if not errors_of(told):
            found[name] = flow
    return found


def _write_table(material: _Material, form: Form, flow: Flow, path: Path, threads: int) -> tuple[Finding, ...]:
    """Write the data of a table if nothing is wrong with them, and tell what is."""
    own, lists = material.structures, material.codelists()
    with session(material.package, path.parent, threads=threads) as opened:
        rows, findings = observations(opened, material.package, material.dataset, flow, own.codelists)
        if not errors_of(findings):
            described = Described(rows, flow.dataflow, flow.structure, lists, (*own.artefacts, *lists))
            header = material.header(f"DATA_{flow.table.id}")
            form.data(opened, described, path, header, material.options)
    return findings


def _write_fmr(material: _Material, stage: Path, broken: list[Finding]) -> None:
    data = _write_data(material, TABLES, stage, broken)
    artefacts = _once((*material.metadata_structures(), *material.structures.artefacts))
    reports = [each for _, each in material.metadata_sets()]
    put_bundle(fmr(artefacts, reports, material.header, tuple(data)), _read_in(material), stage)


def _write_dotstat(material: _Material, stage: Path, broken: list[Finding]) -> None:
    if material.foreign:
        raise ConversionError(Phrase("convert.no-reports"))
    data = _write_data(material, TABLES, stage, broken)
    artefacts = _once((*material.metadata_structures(), *material.structures.artefacts))
    flows = [(flow.dataflow, flow.structure, name) for name, flow in data.items()]
    made = dotstat(artefacts, [material.report.set], material.header, material.dataset.language, flows)
    put_bundle(made, _read_in(material), stage)


def _read_in(material: _Material) -> str:
    return material.options.spoken(material.dataset.language)


def _once(artefacts: Iterable[Structure]) -> tuple[Structure, ...]:
    """Each artefact once: the profile's code lists are those of figures, too."""
    return tuple({artefact.urn: artefact for artefact in artefacts}.values())


def put_bundle(bundle: Bundle, language: str, stage: Path) -> None:
    """Write the messages of a bundle, as far as it has them, and what tells their order.

    Raises:
        ConversionError: a message is against its schema.
    """
    for step in bundle.steps:
        if step.content is not None:
            put(stage / step.name, step.content, step.kind)
    (stage / README).write_text(bundle.readme(language), encoding="utf-8")


def put_missing(reports: Iterable[ForeignReport], stage: Path) -> None:
    """What nobody answered of each report by somebody else's structure, for the person who completes it."""
    fields = profile.load().fields
    for made in reports:
        with (stage / f"missing-{made.template.id.lower()}.csv").open("w", encoding="utf-8", newline="") as stream:
            table = csv.writer(stream)
            table.writerow(("attribute", "name", "answer", "question"))
            for slot in made.missing:
                first = fields[slot.paths[0]].question if slot.paths else ""
                table.writerow((slot.id, slot.name, " ".join(slot.paths), first))


BUNDLES: Mapping[str, Callable[[_Material, Path, list[Finding]], None]] = MappingProxyType(
    {"fmr": _write_fmr, "dotstat": _write_dotstat}
)
"""What systems take, by their name: Fusion Metadata Registry, .Stat Suite."""
FORMATS = (*FORMS, *BUNDLES)
"""All that a package can be written as."""


def _message_id(name: str) -> str:
    return name.upper().replace("-", "_")


def file_name(flow: Flow) -> str:
    """What the files with the data of a table are called, without their ending."""
    return flow.table.name if _PLAIN_NAME.fullmatch(flow.table.name) else flow.table.id.lower()


def manifest(
    accepted: Accepted,
    dataset: Dataset,
    to: str,
    stage: Path,
    names: Iterable[str],
    *,
    now: datetime,
    draft: bool,
    beside: Mapping[str, str] = MappingProxyType({}),
) -> bytes:
    """What was made from what: each file's digest, the source's digests, the approval.

    Args:
        accepted: the package, with its verdict.
        dataset: what it says.
        to: the format.
        stage: the folder of the files.
        names: of the files.
        now: when they are prepared.
        draft: True where they are marked so.
        beside: what else they were made from, with its digest.
    """
    verdict = accepted.verdict
    approval: dict[str, Any] | None = None
    if verdict is not None and verdict.statement is not None:
        approval = {"approved": verdict.approved, "key": verdict.key} | verdict.statement.as_dict()["predicate"]
    told = {
        "generator": f"cdmeta {version('cdmeta')}",
        "format": to,
        "draft": draft,
        "prepared": now.isoformat(),
        "package": {"name": dataset.name, "version": dataset.version, "agency": dataset.agency},
        "source": dict(sorted(accepted.digests.items())),
        **({"beside": dict(beside)} if beside else {}),
        "approval": approval,
        "files": {name: _digest(stage / name) for name in names},
    }
    return (json.dumps(told, ensure_ascii=False, indent=2) + "\n").encode()


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
