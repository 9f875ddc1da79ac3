"""cdmeta demo."""

from __future__ import annotations

from pathlib import Path

import click

from cdmeta import profile
from cdmeta.cli.clock import now
from cdmeta.workflows.demo import FOLDER, demo


@click.command("demo")
@click.option(
    "--out", type=click.Path(path_type=Path), default=FOLDER, show_default=True, help="The folder to make."
)
def command(out: Path) -> None:
    """Make a worked example: a made-up survey, checked, approved, converted to SDMX and published as pages."""
    texts = profile.texts()
    steps = demo(out, now=now())
    width = max(len(step.place) for step in steps) + len(str(out)) + 1
    for step in steps:
        click.echo(f"{out / step.place!s:<{width}}  {texts[f'demo.{step.text}'].format(**step.params)}")
    click.echo()
    click.echo(texts["demo.next"].format(out=out))
