"""cdmeta map."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from cdmeta.cli.convert import findings_told
from cdmeta.cli.language import spoken, text
from cdmeta.sdmx.target import column_name
from cdmeta.workflows.map_package import Part, Proposed, map_package, reason


@click.command("map")
@click.argument("package", type=click.Path(path_type=Path))
@click.option("--dsd", "dsds", multiple=True, required=True, metavar="FILE|URL")
@click.option("--dataflow", default="", metavar="URN")
@click.option("--out", required=True, type=click.Path(path_type=Path))
@click.option("--replace", "replaced", is_flag=True)
def command(package: Path, dsds: tuple[str, ...], dataflow: str, out: Path, replaced: bool) -> None:
    """Propose how PACKAGE becomes data of somebody else's data structure, written down for you to edit."""
    result = map_package(package, dsds, out, dataflow=dataflow, language=spoken(), replaced=replaced)
    if findings_told(result.findings):
        click.echo(text("convert.refused"), err=True)
        click.get_current_context().exit(1)
    for table in result.tables:
        click.echo("\n".join(_told(table)))
    click.echo(text("map.done", out=out, files=", ".join(result.files)))


def _told(table: Proposed) -> Iterator[str]:
    """What is certain, what is proposed and why, and what is missing."""
    told = {"resource": table.flow.table.name, "flow": table.target.dataflow.ref.short, "part": table.name}
    yield text("map.table.part" if table.name else "map.table", **told)
    for part in table.parts:
        if part.is_missing and not part.is_needed:
            continue
        name = part.name.best(spoken(), "en")
        shown = f"{part.component.id} ({name})" if name else part.component.id
        yield text("map.line", component=shown, source=_source(table, part))
    if table.left:
        yield text("map.left", fields=", ".join(table.left))


def _source(table: Proposed, part: Part) -> str:
    if part.is_missing:
        return str(text("map.line.missing.near" if part.nearest else "map.line.missing", near=part.nearest))
    source = part.proposal.source
    field = column_name(table.flow, source.component)
    key = "certain" if part.proposal.is_certain else "proposed"
    what = text(f"map.line.{key}", source=field or source.value, why=reason(part))
    return f"{what}{text('map.line.open', count=part.open, file=part.codes)}" if part.open else what
