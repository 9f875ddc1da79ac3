"""cdmeta demo."""

from __future__ import annotations

from pathlib import Path

import click

from cdmeta.cli.clock import now
from cdmeta.cli.language import text
from cdmeta.workflows.demo import FOLDER, demo


@click.command("demo")
@click.option("--out", type=click.Path(path_type=Path), default=FOLDER, show_default=True)
def command(out: Path) -> None:
    """Make a worked example: a made-up survey, checked, approved, converted to SDMX and published as pages."""
    steps = demo(out, now=now())
    width = max(len(step.place) for step in steps) + len(str(out)) + 1
    for step in steps:
        click.echo(f"{out / step.place!s:<{width}}  {text(f'demo.{step.text}', **step.params)}")
    click.echo()
    click.echo(text("demo.next", out=out))
