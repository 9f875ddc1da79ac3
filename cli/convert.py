"""cdmeta convert."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from cdmeta.cli.clock import now
from cdmeta.cli.language import text
from cdmeta.cli.refusal import refused
from cdmeta.errors import ApprovalError
from cdmeta.phrase import Phrase
from cdmeta.sdmx.reports import ForeignReport, templates
from cdmeta.workflows.convert import FORMATS, convert


@click.command("convert")
@click.argument("package", type=click.Path(path_type=Path))
@click.option("--to", required=True, type=click.Choice(list(FORMATS)))
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
def command(
    package: Path, to: str, out: Path, allowed_signers: Path | None, draft: bool, reports: tuple[str, ...]
) -> None:
    """Write PACKAGE as SDMX: structures, data and reference metadata, checked against the official schemas."""
    if allowed_signers is None and not draft:
        raise click.UsageError(text("error.signers.unnamed"))
    try:
        result = convert(
            package, to, out, allowed_signers=allowed_signers, draft=draft, now=now(), reports=reports
        )
    except ApprovalError as error:
        refused(error)
    for finding in result.findings:
        told = {part: finding.phrase(part) for part in ("message", "remedy")}
        severity = Phrase(f"severity.{finding.severity()}")
        click.echo(text("convert.finding", severity=severity, code=finding.code, **told), err=True)
    if result.errors:
        click.get_current_context().exit(1)
    click.echo(text("convert.done", to=to, out=out, files=", ".join(result.files)))
    for made in result.reports:
        click.echo("\n".join(_reported(made)))


def _reported(made: ForeignReport) -> Iterator[str]:
    """How full a report by somebody else's structure is, and what it misses."""
    told = {"id": made.template.id, "filled": made.filled, "missing": len(made.missing)}
    yield text("convert.report", **told)
    for slot in made.missing:
        if slot.paths:
            yield text("convert.missing", id=slot.id, name=slot.name, path=", ".join(slot.paths))
    if beyond := [slot.id for slot in made.missing if not slot.paths]:
        yield text("convert.missing.beyond", ids=", ".join(beyond))
