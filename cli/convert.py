"""cdmeta convert."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from cdmeta import profile
from cdmeta.cli.clock import now
from cdmeta.cli.refusal import refused
from cdmeta.errors import ApprovalError
from cdmeta.sdmx.reports import ForeignReport, templates
from cdmeta.workflows.convert import FORMATS, convert


@click.command("convert")
@click.argument("package", type=click.Path(path_type=Path))
@click.option("--to", required=True, type=click.Choice(list(FORMATS)), help="What to write.")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="The folder to write.")
@click.option(
    "--allowed-signers",
    type=click.Path(path_type=Path),
    help="Your file of who may approve; needed but for --draft.",
)
@click.option("--draft", is_flag=True, help="Convert what is not approved or has errors, marked as a test.")
@click.option(
    "--report",
    "reports",
    multiple=True,
    type=click.Choice(list(templates()), case_sensitive=False),
    help="Report by this metadata structure too, and list what it misses.",
)
def command(
    package: Path, to: str, out: Path, allowed_signers: Path | None, draft: bool, reports: tuple[str, ...]
) -> None:
    """Write PACKAGE as SDMX: structures, data and reference metadata, checked against the official schemas."""
    if allowed_signers is None and not draft:
        raise click.UsageError("Say who may approve with --allowed-signers FILE, or convert a draft with --draft.")
    try:
        result = convert(
            package, to, out, allowed_signers=allowed_signers, draft=draft, now=now(), reports=reports
        )
    except ApprovalError as error:
        refused(error)
    for finding in result.findings:
        click.echo(f"{finding.severity()} {finding.code}: {finding.message()} {finding.remedy()}", err=True)
    if result.errors:
        click.get_current_context().exit(1)
    click.echo(profile.texts()["convert.done"].format(to=to, out=out, files=", ".join(result.files)))
    for made in result.reports:
        click.echo("\n".join(_reported(made)))


def _reported(made: ForeignReport) -> Iterator[str]:
    """How full a report by somebody else's structure is, and what it misses."""
    texts = profile.texts()
    told = {"id": made.template.id, "filled": made.filled, "missing": len(made.missing)}
    yield texts["convert.report"].format(**told)
    for slot in made.missing:
        if slot.paths:
            yield texts["convert.missing"].format(id=slot.id, name=slot.name, path=", ".join(slot.paths))
    if beyond := [slot.id for slot in made.missing if not slot.paths]:
        yield texts["convert.missing.beyond"].format(ids=", ".join(beyond))
