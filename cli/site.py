"""`cdmeta site`: approved packages as web pages that registries harvest."""

from __future__ import annotations

from pathlib import Path

import click

from cdmeta.cli.clock import now
from cdmeta.cli.language import spoken, text
from cdmeta.workflows.site import Options, publish_packages


@click.command(name="site")
@click.argument("packages", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="PACKAGE...")
@click.option("--out", required=True, type=click.Path(path_type=Path), metavar="DIR")
@click.option("--base-url", required=True, metavar="URL")
@click.option("--allowed-signers", required=True, type=click.Path(path_type=Path), metavar="FILE")
@click.option("--title", default="")
@click.option("--publisher", default="")
@click.option("--language", default=spoken)
@click.option("--allow-removal", is_flag=True)
def command(
    packages: tuple[Path, ...],
    out: Path,
    base_url: str,
    allowed_signers: Path,
    title: str,
    publisher: str,
    language: str,
    allow_removal: bool,
) -> None:
    """Write approved packages as web pages that registries harvest.

    The folder can be put on any web host. Data files are in it only where access is open.
    """
    options = Options(base_url, title, publisher, language, allow_removal)
    done = publish_packages(packages, out, allowed_signers, options, today=now().date())
    for address in done.addresses:
        click.echo(address)
    for address in done.removed:
        click.echo(text("site.gone", address=address), err=True)
    click.echo(text("site.done", count=done.files, index=out / "index.html"), err=True)
