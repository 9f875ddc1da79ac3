"""`cdmeta xsd`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from cdmeta.cli.language import text
from cdmeta.workflows.write_xsd import write_xsd


@click.command("xsd")
@click.option("--dsd", "dsds", metavar="FILE|URL", multiple=True, required=True)
@click.option("--out", required=True, type=click.Path(path_type=Path))
@click.option("--version", "version", type=click.Choice(("2.1", "3.0", "3.1")), default="3.0")
@click.option("--by-series/--flat", "by_series", default=False)
@click.option("--complete", is_flag=True)
def command(dsds: tuple[str, ...], out: Path, **how: Any) -> None:
    """Write the XML schemas by which structure-specific data of a data structure are judged."""
    files = write_xsd(dsds, out, **how)
    click.echo(text("xsd.done", out=out, files=", ".join(files)))
