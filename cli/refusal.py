"""How commands tell that a package is not approved."""

from __future__ import annotations

from typing import NoReturn

import click

from cdmeta.errors import ApprovalError


def refused(error: ApprovalError) -> NoReturn:
    """Tell each reason once, and end with exit code 1: the data, not the command, stand in the way."""
    told = str(error)
    click.echo(
        "\n".join([f"cdmeta: {told}", *(f"  {reason}" for reason in error.reasons if reason not in told)]),
        err=True,
    )
    raise click.exceptions.Exit(1)
