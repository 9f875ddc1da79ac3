"""`cdmeta import`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from cdmeta.package import QUESTIONS
from cdmeta.text import is_language_tag, quoted
from cdmeta.workflows.import_ import Imported, import_

from .clock import now
from .language import text

_SOURCE = click.Path(exists=True, dir_okay=False, path_type=Path)


def _language(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    if value is not None and not is_language_tag(value):
        raise click.BadParameter(text("error.language"))
    return value


@click.command("import")
@click.argument("sources", metavar="SDMX...", nargs=-1, required=True, type=_SOURCE)
@click.option("--out", metavar="FOLDER", required=True, type=click.Path(path_type=Path))
@click.option("--language", callback=_language)
def command(sources: tuple[Path, ...], out: Path, language: str | None) -> None:
    """Make a package in FOLDER from SDMX messages: structures, data and reference metadata."""
    click.echo("\n".join(_text(import_(out, sources, now().date(), language=language))))


def _text(made: Imported) -> Iterator[str]:
    yield text("import.done", folder=made.out, name=made.name)
    for name, count in made.tables:
        yield text("import.table", name=name, count=count)
    if made.notes:
        yield text("import.notes", count=len(made.notes))
        yield from (text("import.note", note=note) for note in made.notes)
    yield text("new.agency", agency=made.agency)
    questions, other = (quoted(made.out / name) for name in QUESTIONS)
    folder = quoted(made.out)
    if made.open:
        yield text("new.next", count=made.open, questions=questions, other=other, folder=folder)
    else:
        yield text("import.next", folder=folder)
