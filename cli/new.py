"""`cdmeta new`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from cdmeta.package import QUESTIONS
from cdmeta.text import is_language_tag, quoted
from cdmeta.urn import is_agency_id
from cdmeta.workflows.new import Started, new

from .clock import now
from .language import spoken, text

_SOURCE = click.Path(exists=True, dir_okay=False, path_type=Path)


def _language(_: click.Context, __: click.Parameter, value: str) -> str:
    if not is_language_tag(value):
        raise click.BadParameter(text("error.language"))
    return value


def _agency(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    if value is not None and not is_agency_id(value):
        raise click.BadParameter(text("error.agency"))
    return value


@click.command("new")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--from", "source", metavar="FILE", required=True, type=_SOURCE)
@click.option("--language", default=spoken, callback=_language)
@click.option("--agency", callback=_agency)
@click.option("--sheet", metavar="NAME")
def command(folder: Path, source: Path, language: str, agency: str | None, sheet: str | None) -> None:
    """Start a package in DIR from a table: what can be found out is filled in, the rest is asked.

    DIR must not be there yet, or be empty.
    """
    started = new(folder, source, now().date(), language=language, agency=agency, sheet=sheet)
    click.echo("\n".join(_text(started)))


def _text(started: Started) -> Iterator[str]:
    found = started.inferred
    columns = ", ".join(f"{field['name']} ({field['type']})" for field in found.schema["fields"])
    yield text("new.started", folder=started.out, count=found.rows)
    yield text("new.columns", columns=columns)
    yield from (text(f"infer.{key}", **params) for key, params in found.notes)
    if len(found.schema["fields"]) == 1:
        yield text("new.one-column")
    yield text("new.agency", agency=started.agency)
    questions, other = (quoted(started.out / name) for name in QUESTIONS)
    yield text("new.next", count=started.open, questions=questions, other=other, folder=quoted(started.out))
