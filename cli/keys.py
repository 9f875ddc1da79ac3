"""What commands that use a key ask on the command line."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import click

from cdmeta.approval import Approver, is_identity
from cdmeta.cli.language import text
from cdmeta.errors import KeyFileError
from cdmeta.phrase import at
from cdmeta.sshsig import SigningKey, load_key, needs_passphrase

_APPROVER = re.compile(r"\s*([^<>]*[^<>\s])\s*<([^<>]+)>\s*")


def approver(ctx: click.Context, param: click.Parameter, value: str) -> Approver:
    """Read `Name <mail>`."""
    match = _APPROVER.fullmatch(value)
    if match is None or not is_identity(match[2]):
        raise click.BadParameter(text("error.approver", value=value), ctx, param)
    return Approver(match[1], match[2])


def passphrase_from(variable: str | None) -> str | None:
    """The passphrase in an environment variable; never an argument, which others on the machine could read."""
    if variable is None:
        return None
    if not (value := os.environ.get(variable)):
        raise click.ClickException(text("error.variable", name=variable))
    return value


def signing_key(path: Path, variable: str | None) -> SigningKey:
    """Read a key; a passphrase that is needed comes from the variable, or is asked for on a terminal."""
    content = path.read_bytes()
    passphrase = passphrase_from(variable)
    if passphrase is None and needs_passphrase(content):
        if not sys.stdin.isatty():
            raise KeyFileError(at(path, "error.key.variable"))
        passphrase = click.prompt(text("cli.passphrase"), hide_input=True, err=True)
    return load_key(content, passphrase)
