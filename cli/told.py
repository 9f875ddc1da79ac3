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


def tell(report: Report, form: str, output: str, limit: int | None) -> int:
    """Show a report, or write it; the exit code that it gives."""
    if output == "-":
        width = shutil.get_terminal_size().columns
        told = render(report, form, color=color(), width=width, language=spoken(), limit=limit)
        click.echo(told, nl=False, color=True)
    else:
        write(Path(output), render(report, form, language=spoken(), limit=limit))
    return 0 if report.valid else 1


def color() -> bool:
    """Whether the terminal shows colours, and nobody minds."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
