"""cdmeta convert."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import TypedDict

import click

from cdmeta.cli.clock import now
from cdmeta.cli.language import text
from cdmeta.cli.refusal import refused
from cdmeta.errors import ApprovalError
from cdmeta.finding import Finding
from cdmeta.phrase import Phrase
from cdmeta.sdmx.reports import ForeignReport, templates
from cdmeta.workflows.convert import FORMATS, convert
from cdmeta.workflows.onto import DATA, onto


class _How(TypedDict):
    """What both ways of converting take."""

    allowed_signers: Path | None
    draft: bool
    now: datetime
    reports: tuple[str, ...]


@click.command("convert")
@click.argument("package", type=click.Path(path_type=Path))
@click.option("--to", required=True, type=click.Choice(list(dict.fromkeys((*FORMATS, *DATA)))))
@click.option("--out", required=True, type=click.Path(path_type=Path))
@click.option(
    "--allowed-signers",
    type=click.Path(path_type=Path),
)
@click.option("--draft", is_flag=True)
@click.option(
    "--report",
    "reports",
    multiple=True,
    type=click.Choice(list(templates()), case_sensitive=False),
)
@click.option("--dsd", "dsds", multiple=True, metavar="FILE|URL")
@click.option("--dataflow", default="", metavar="URN")
@click.option("--mapping", type=click.Path(path_type=Path))
def command(
    package: Path,
    to: str,
    out: Path,
    allowed_signers: Path | None,
    draft: bool,
    reports: tuple[str, ...],
    dsds: tuple[str, ...],
    dataflow: str,
    mapping: Path | None,
) -> None:
    """Write PACKAGE as SDMX: structures, data and reference metadata, checked against the official schemas."""
    if allowed_signers is None and not draft:
        raise click.UsageError(text("error.signers.unnamed"))
    if not dsds and (dataflow or mapping):
        raise click.UsageError(text("error.dsd.unnamed"))
    if not dsds and to not in FORMATS:
        raise click.UsageError(text("error.dsd.format", to=to))
    how: _How = {"allowed_signers": allowed_signers, "draft": draft, "now": now(), "reports": reports}
    try:
        if dsds:
            result = onto(package, to, out, dsds=dsds, dataflow=dataflow, mapping=mapping, **how)
        else:
            result = convert(package, to, out, **how)
    except ApprovalError as error:
        refused(error)
    if findings_told(result.findings):
        click.get_current_context().exit(1)
    click.echo(text("convert.done", to=to, out=out, files=", ".join(result.files)))
    for made in result.reports:
        click.echo("\n".join(_reported(made)))


def findings_told(findings: Iterable[Finding]) -> bool:
    """Tell findings, and whether one of them is an error."""
    found = tuple(findings)
    for finding in found:
        told = {part: finding.phrase(part) for part in ("message", "remedy")}
        severity = Phrase(f"severity.{finding.severity()}")
        click.echo(text("convert.finding", severity=severity, code=finding.code, **told), err=True)
    return any(finding.severity() == "error" for finding in found)


def _reported(made: ForeignReport) -> Iterator[str]:
    """How full a report by somebody else's structure is, and what it misses."""
    told = {"id": made.template.id, "filled": made.filled, "missing": len(made.missing)}
    yield text("convert.report", **told)
    for slot in made.missing:
        if slot.paths:
            yield text("convert.missing", id=slot.id, name=slot.name, path=", ".join(slot.paths))
    if beyond := [slot.id for slot in made.missing if not slot.paths]:
        yield text("convert.missing.beyond", ids=", ".join(beyond))
