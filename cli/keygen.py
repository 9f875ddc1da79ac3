"""cdmeta keygen."""

from __future__ import annotations

from pathlib import Path

import click

from cdmeta.cli.keys import passphrase_from
from cdmeta.cli.language import text
from cdmeta.workflows.keygen import keygen


@click.command("keygen")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--identity", required=True, metavar="MAIL")
@click.option("--passphrase", is_flag=True)
@click.option("--passphrase-env", metavar="VAR")
def command(file: Path, identity: str, passphrase: bool, passphrase_env: str | None) -> None:
    """Make a key to approve with: FILE, for you alone, and FILE.pub.

    Prints the line that those who receive your approvals put into their allowed_signers file. A key that
    ssh-keygen made (ed25519) does as well.
    """
    secret = passphrase_from(passphrase_env)
    if passphrase and secret is None:
        secret = click.prompt(text("cli.passphrase"), hide_input=True, confirmation_prompt=True, err=True)
    line = keygen(file, identity, secret)
    click.echo(text("keygen.done", path=file), err=True)
    click.echo(line)
