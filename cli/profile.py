"""cdmeta profile: the profile itself, for people and programs that have no cdmeta."""

from __future__ import annotations

from pathlib import Path

import click

from cdmeta import profile
from cdmeta.cli.clock import now
from cdmeta.cli.language import spoken, text
from cdmeta.workflows.export import FORMS, Request, export
from cdmeta.workflows.freeze import digest


@click.group("profile")
def command() -> None:
    """The profile itself: write it in other forms, or freeze its version.

    For instance: cdmeta profile export --to skos --out vocabulary
    """


@command.command("export")
@click.option("--to", "form", required=True, type=click.Choice(list(FORMS)))
@click.option("--out", required=True, type=click.Path(path_type=Path), metavar="DIR")
@click.option("--lang", default=spoken)
def export_(form: str, out: Path, lang: str) -> None:
    """Write the profile as a JSON Schema, as SDMX, as SKOS, or as pages."""
    files = export(form, out, Request(lang, now()))
    click.echo(text("export.done", form=form, out=out, count=len(files)))
    click.echo(text(f"profile.status.{profile.STATUS}"), err=True)


@command.command("digest")
@click.option("--write", is_flag=True)
def digest_(write: bool) -> None:
    """Show the digest of the installed version, and whether it is the frozen one."""
    state = digest(write=write)
    click.echo(f"{state.found}  citizen-data/{profile.VERSION}")
    click.echo(text(f"digest.{state.verdict}", file=state.file.name), err=True)
    if state.verdict == "changed":
        click.get_current_context().exit(1)
