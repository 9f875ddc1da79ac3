"""A report as it is asked for: on the terminal, or into a file."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import click

from cdmeta.cli.language import spoken
from cdmeta.finding import Report
from cdmeta.reporters import render
from cdmeta.workflows.output import write


def tell(report: Report, form: str, output: str, limit: int | None, longer: str = "") -> int:
    """Show a report, or write it; the exit code that it gives.

    Args:
        report: the report.
        form: the format that is asked for.
        output: the file to write; `-` for the terminal.
        limit: findings of one rule that are shown.
        longer: what is told below a report that does not fit into the window.
    """
    if output == "-":
        size = shutil.get_terminal_size()
        told = render(report, form, color=color(), width=size.columns, language=spoken(), limit=limit)
        click.echo(told, nl=False, color=True)
        if longer and form == "text" and sys.stdout.isatty() and told.count("\n") > size.lines:
            click.echo(longer, err=True)
    else:
        write(Path(output), render(report, form, language=spoken(), limit=limit))
    return 0 if report.valid else 1


def color() -> bool:
    """Whether the terminal shows colours, and nobody minds."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
