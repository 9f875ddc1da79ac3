"""cdmeta explain: what a code, a field or a code list is."""

from __future__ import annotations

import click

from cdmeta.cli.language import spoken
from cdmeta.workflows.explain import explain


@click.command()
@click.argument("name", metavar="CODE|FIELD|CODELIST")
def command(name: str) -> None:
    """Explain a code, a field or a code list.

    For instance: cdmeta explain CD130, cdmeta explain consentBasis, cdmeta explain CL_COLL_MODE.
    """
    click.echo(explain(name, spoken()))
