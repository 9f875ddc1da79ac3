"""How commands tell that a package is not approved."""

from __future__ import annotations

from typing import NoReturn

import click

from cdmeta.cli.language import spoken
from cdmeta.errors import ApprovalError
from cdmeta.phrase import say


def refused(error: ApprovalError) -> NoReturn:
    """Tell each reason once, and end with exit code 1: the data, not the command, stand in the way."""
    told, reasons = say(error.args[0], spoken()), [say(reason, spoken()) for reason in error.because]
    click.echo(
        "\n".join([f"cdmeta: {told}", *(f"  {reason}" for reason in reasons if reason not in told)]), err=True
    )
    raise click.exceptions.Exit(1)
