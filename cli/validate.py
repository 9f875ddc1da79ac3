"""`cdmeta validate`."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

import click

from cdmeta.cli.language import spoken, text
from cdmeta.cli.many import Wanted, show
from cdmeta.cli.progress import Ticker
from cdmeta.cli.told import color, tell
from cdmeta.profile import GATES
from cdmeta.reporters import REPORTERS
from cdmeta.text import quoted
from cdmeta.workflows.validate import validate


@click.command()
@click.argument("packages", metavar="PACKAGE...", nargs=-1, required=True, type=click.Path())
@click.option("--gate", type=click.Choice(GATES), default="publish")
@click.option("--format", "form", type=click.Choice(tuple(REPORTERS)), default="text")
@click.option("--limit", type=click.IntRange(min=0))
@click.option("--output", type=click.Path(), default="-", metavar="FILE")
@click.option("--recursive", "-r", is_flag=True)
@click.option("--jobs", type=click.IntRange(1), metavar="N")
@click.option("--cache", type=click.Path(path_type=Path), metavar="DIR")
@click.option("--no-cache", is_flag=True)
@click.option("--executor", metavar="dask://HOST:PORT")
def command(**options: Any) -> None:
    """Check each PACKAGE: its answers, its files and its rows; one alone is told of in full."""
    wanted = Wanted(**options)
    several = wanted.recursive or len(wanted.packages) > 1
    width = shutil.get_terminal_size().columns
    code = show(wanted, color=color(), width=width) if several else _one(wanted, width)
    click.get_current_context().exit(code)


def _one(wanted: Wanted, width: int) -> int:
    with Ticker(spoken(), width, shown=sys.stderr.isatty()) as ticker:
        report = validate(wanted.packages[0], wanted.gate, ticker.tell)
    longer = text("report.longer", package=quoted(wanted.packages[0]))
    code: int = tell(report, wanted.form, wanted.output, wanted.limit, longer)
    return code
