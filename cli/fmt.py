"""cdmeta fmt."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from cdmeta.cli.language import text
from cdmeta.reporters.shown import dotted
from cdmeta.text import printable
from cdmeta.workflows.fmt import Formatted, fmt


@click.command("fmt")
@click.argument("package", type=click.Path(path_type=Path))
@click.option("--check", is_flag=True)
def command(package: Path, check: bool) -> None:
    """Write the descriptor of PACKAGE as it is stored: answers in full, members in order.

    Exit code 1 where --check would change it.
    """
    result = fmt(package, check=check)
    click.echo("\n".join(_told(result, check=check)))
    if check and result.changed:
        click.get_current_context().exit(1)


def _told(result: Formatted, *, check: bool) -> Iterator[str]:
    path = printable(result.path)
    if not result.changed:
        yield text("fmt.unchanged", path=path)
        return
    yield text("fmt.would-change" if check else "fmt.changed", path=path)
    yield from (f"  {line}" for line in _changes(result))
    if check and result.approved:
        yield text("fmt.approved")


def _changes(result: Formatted) -> Iterator[str]:
    yield from (printable(text("fmt.in-full", path=dotted(place))) for place in result.in_full)
    yield from (text("fmt.filled", path=place) for place in result.filled)
    if result.reordered:
        yield text("fmt.reordered")
    elif not result.in_full and not result.filled:
        yield text("fmt.laid-out")
