"""How commands tell that a package is not approved."""

from __future__ import annotations

from typing import NoReturn

import click

from cdmeta.errors import ApprovalError


def refused(error: ApprovalError) -> NoReturn:
    """Tell each reason, and end with exit code 1: the data, not the command, stand in the way."""
    click.echo("\n".join([f"cdmeta: {error}", *(f"  {reason}" for reason in error.reasons)]), err=True)
    raise click.exceptions.Exit(1)
