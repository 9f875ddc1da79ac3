"""`cdmeta fill`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from cdmeta.phrase import say
from cdmeta.text import printable, quoted
from cdmeta.workflows.fill import Filled, fill

from .clock import now
from .language import spoken, text

_SHOWN = 5
"""Answers taken over that are named; what is still open comes below them, and has to stay on the screen."""
_SHEET = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("fill")
@click.argument("package", type=click.Path(path_type=Path))
@click.argument("sheet", type=_SHEET)
def command(package: Path, sheet: Path) -> None:
    """Take over the answers of a SHEET (.xlsx or .csv) into PACKAGE, all of them or none.

    The exit code is 1 where the sheet holds what cannot be read.
    """
    filled = fill(package, sheet, now().date())
    click.echo("\n".join(_refused(filled, sheet) if filled.problems else _text(filled, package)))
    if filled.problems:
        click.get_current_context().exit(1)


def _refused(filled: Filled, sheet: Path) -> Iterator[str]:
    yield text("fill.problems", sheet=sheet, file=filled.file.name, count=len(filled.problems))
    yield from (f"  - {printable(say(problem, spoken()))}" for problem in filled.problems)


def _text(filled: Filled, package: Path) -> Iterator[str]:
    yield text("fill.changed" if filled.changed else "fill.same", file=filled.file, count=len(filled.changed))
    yield from (f"  {path}" for path in filled.changed[:_SHOWN])
    if len(filled.changed) > _SHOWN:
        yield text("fill.changed.more", count=len(filled.changed) - _SHOWN)
    if filled.approval_ends:
        yield text("fill.approval", package=quoted(package))
    if filled.open:
        yield text("fill.open", count=len(filled.open))
        yield from (f"  - {say(title, spoken())} ({path})" for title, path in filled.open)
    yield text("fill.next", package=quoted(package))
