"""The time, as commands tell it to the library."""

from __future__ import annotations

import os
from datetime import UTC, datetime

import click

from cdmeta.cli.language import text


def now() -> datetime:
    """The time in UTC; that of SOURCE_DATE_EPOCH where it is set, so that the same input gives the same bytes."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    if not epoch:
        return datetime.now(UTC).replace(microsecond=0)
    try:
        if not (epoch.isascii() and epoch.isdigit()):
            raise ValueError(epoch)
        return datetime.fromtimestamp(int(epoch), UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise click.ClickException(text("error.epoch", value=epoch)) from error
