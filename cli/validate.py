"""`cdmeta validate`."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import click

from cdmeta.cli.language import spoken
from cdmeta.cli.many import Wanted, show
from cdmeta.profile import GATES
from cdmeta.reporters import REPORTERS, render
from cdmeta.workflows.validate import validate


@click.command()
@click.argument("packages", metavar="PACKAGE...", nargs=-1, required=True, type=click.Path())
@click.option("--gate", type=click.Choice(GATES), default="publish")
@click.option("--format", "form", type=click.Choice(tuple(REPORTERS)), default="text")
@click.option("--recursive", "-r", is_flag=True)
@click.option("--jobs", type=click.IntRange(1), metavar="N")
@click.option("--cache", type=click.Path(path_type=Path), metavar="DIR")
@click.option("--no-cache", is_flag=True)
@click.option("--executor", metavar="dask://HOST:PORT")
def command(
    packages: tuple[str, ...],
    gate: str,
    form: str,
    recursive: bool,
    jobs: int | None,
    cache: Path | None,
    no_cache: bool,
    executor: str | None,
) -> None:
    """Check each PACKAGE: its answers, its files and its rows; one alone is told of in full."""
    width = shutil.get_terminal_size().columns
    if recursive or len(packages) > 1:
        wanted = Wanted(packages, gate, form, recursive, jobs, cache, no_cache, executor)
        code = show(wanted, color=_color(), width=width)
    else:
        report = validate(packages[0], gate)
        click.echo(render(report, form, color=_color(), width=width, language=spoken()), nl=False, color=True)
        code = 0 if report.valid else 1
    click.get_current_context().exit(code)


def _color() -> bool:
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
