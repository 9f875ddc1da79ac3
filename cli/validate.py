"""`cdmeta validate`."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import click

from cdmeta.cli.language import spoken
from cdmeta.profile import GATES
from cdmeta.reporters import REPORTERS, render
from cdmeta.workflows.output import write
from cdmeta.workflows.validate import validate


@click.command()
@click.argument("package", type=click.Path())
@click.option("--gate", type=click.Choice(GATES), default="publish")
@click.option("--format", "form", type=click.Choice(tuple(REPORTERS)), default="text")
@click.option("--limit", type=click.IntRange(min=0))
@click.option("--output", type=click.Path(), default="-", metavar="FILE")
def command(package: str, gate: str, form: str, limit: int | None, output: str) -> None:
    """Check a PACKAGE: its answers, its files and its rows.

    PACKAGE is a folder, its datapackage.json, or a zip. The exit code is 0 where it is valid, 1 where it has
    errors, 2 where there is no package.
    """
    report = validate(package, gate)
    if output == "-":
        width = shutil.get_terminal_size().columns
        told = render(report, form, color=_color(), width=width, language=spoken(), limit=limit)
        click.echo(told, nl=False, color=True)
    else:
        write(Path(output), render(report, form, language=spoken(), limit=limit))
    if not report.valid:
        click.get_current_context().exit(1)


def _color() -> bool:
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
