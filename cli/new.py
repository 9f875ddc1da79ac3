"""`cdmeta new`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from cdmeta import profile
from cdmeta.package import QUESTIONS
from cdmeta.text import is_language_tag
from cdmeta.urn import is_agency_id
from cdmeta.workflows.new import Started, new

from .clock import now

_SOURCE = click.Path(exists=True, dir_okay=False, path_type=Path)


def _language(_: click.Context, __: click.Parameter, value: str) -> str:
    if not is_language_tag(value):
        raise click.BadParameter("is no language tag; write one such as en, es, fr-CA (BCP 47).")
    return value


def _agency(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    if value is not None and not is_agency_id(value):
        raise click.BadParameter("is no SDMX agency id; write letters, digits, _ and -, parts joined by dots.")
    return value


@click.command("new")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--from", "source", metavar="FILE", required=True, type=_SOURCE, help="The table, as CSV or TSV.")
@click.option("--language", default="en", show_default=True, callback=_language, help="Language of your answers.")
@click.option("--agency", callback=_agency, help="SDMX agency, if you have one.  [default: CDMETA.<DIR>]")
def command(folder: Path, source: Path, language: str, agency: str | None) -> None:
    """Start a package in DIR from a table: what can be found out is filled in, the rest is asked.

    DIR must not be there yet, or be empty.
    """
    started = new(folder, source, now().date(), language=language, agency=agency)
    click.echo("\n".join(_text(started)))


def _text(started: Started) -> Iterator[str]:
    texts, found = profile.texts(), started.inferred
    columns = ", ".join(f"{field['name']} ({field['type']})" for field in found.schema["fields"])
    yield texts["new.started"].format(folder=started.out, rows=f"{found.rows:,}")
    yield texts["new.columns"].format(columns=columns)
    yield from (texts[f"infer.{key}"].format_map(params) for key, params in found.notes)
    yield texts["new.agency"].format(agency=started.agency)
    yield texts["new.next"].format(count=started.open, questions=started.out / QUESTIONS, folder=started.out)
