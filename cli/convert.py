"""cdmeta convert."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, get_args

import click

from cdmeta.cli.clock import now
from cdmeta.cli.language import spoken, text
from cdmeta.cli.refusal import refused
from cdmeta.errors import ApprovalError
from cdmeta.finding import Finding
from cdmeta.phrase import Phrase
from cdmeta.sdmx.reports import ForeignReport, templates
from cdmeta.workflows.convert import FORMATS, convert
from cdmeta.workflows.messages import Keys, Options, Shown
from cdmeta.workflows.onto import onto


@click.command("convert")
@click.argument("package", type=click.Path(path_type=Path))
@click.option("--to", required=True, type=click.Choice(FORMATS))
@click.option("--out", required=True, type=click.Path(path_type=Path))
@click.option("--allowed-signers", type=click.Path(path_type=Path))
@click.option("--draft", is_flag=True)
@click.option("--report", "reports", multiple=True, type=click.Choice(list(templates()), case_sensitive=False))
@click.option("--dsd", "dsds", multiple=True, metavar="FILE|URL")
@click.option("--dataflow", default="", metavar="URN")
@click.option("--mapping", type=click.Path(path_type=Path))
@click.option("--by-series/--flat", "by_series", default=None)
@click.option("--labels", type=click.Choice(get_args(Shown)), default="id")
@click.option("--keys", type=click.Choice(get_args(Keys)), default="none")
@click.option("--compress", is_flag=True)
def command(package: Path, to: str, out: Path, **asked: Any) -> None:
    """Write PACKAGE as SDMX: structures, data and reference metadata, checked against the official schemas."""
    dsds, dataflow, mapping = (asked.pop(name) for name in ("dsds", "dataflow", "mapping"))
    layout = {name: asked.pop(name) for name in ("by_series", "labels", "keys", "compress")}
    if asked["allowed_signers"] is None and not asked["draft"]:
        raise click.UsageError(text("error.signers.unnamed"))
    if not dsds and (dataflow or mapping):
        raise click.UsageError(text("error.dsd.unnamed"))
    how = asked | {"now": now(), "options": Options(**layout, languages=(spoken(),))}
    try:
        if dsds:
            result = onto(package, to, out, dsds=dsds, dataflow=dataflow, mapping=mapping, **how)
        else:
            result = convert(package, to, out, **how)
    except ApprovalError as error:
        refused(error)
    if findings_told(result.findings):
        click.echo(text("convert.refused"), err=True)
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
