"""`cdmeta check-data`."""

from __future__ import annotations

from pathlib import Path

import click

from cdmeta.cli.told import tell
from cdmeta.reporters import REPORTERS
from cdmeta.workflows.check_data import check_data


@click.command("check-data")
@click.argument("data", type=click.Path(path_type=Path))
@click.option("--dsd", "structures", metavar="FILE|URL", multiple=True, required=True)
@click.option("--dataflow", metavar="URN")
@click.option("--format", "form", type=click.Choice(tuple(REPORTERS)), default="text")
@click.option("--limit", type=click.IntRange(min=0))
@click.option("--output", type=click.Path(), default="-", metavar="FILE")
def command(
    data: Path, structures: tuple[str, ...], dataflow: str | None, form: str, limit: int | None, output: str
) -> None:
    """Check DATA, an SDMX message of anybody's, against its structure."""
    report = check_data(data, structures, dataflow)
    click.get_current_context().exit(tell(report, form, output, limit))
