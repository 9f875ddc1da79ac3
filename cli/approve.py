"""cdmeta approve."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from cdmeta import profile
from cdmeta.approval import APPROVED, Approver
from cdmeta.cli.clock import now
from cdmeta.cli.keys import approver as read_approver
from cdmeta.cli.keys import signing_key
from cdmeta.cli.refusal import refused
from cdmeta.errors import ApprovalError
from cdmeta.workflows.approve import DECISIONS, Choice, approve


@click.command("approve")
@click.argument("package", type=click.Path(path_type=Path))
@click.option("--key", required=True, type=click.Path(path_type=Path), help="Your private key (ed25519, OpenSSH).")
@click.option("--approver", required=True, callback=read_approver, metavar='"NAME <MAIL>"', help="Who you are.")
@click.option("--organisation", default="", help="For whom you decide.")
@click.option("--decision", type=click.Choice(list(DECISIONS)), help="Your decision, where the outcome is ASSESS.")
@click.option("--reason", default="", help="Why you decide so; needed for ASSESS and to reject.")
@click.option("--gate", type=click.Choice(profile.GATES), default="publish", show_default=True)
@click.option("--passphrase-env", metavar="VAR", help="Environment variable that holds the key's passphrase.")
def command(
    package: Path,
    key: Path,
    approver: Approver,
    organisation: str,
    decision: str | None,
    reason: str,
    gate: str,
    passphrase_env: str | None,
) -> None:
    """Approve PACKAGE (a folder, its datapackage.json or a zip), and sign that.

    Writes approval.json and approval.json.sig beside the descriptor. Any later edit ends the approval.
    """
    approver = replace(approver, organisation=organisation)
    try:
        choice = Choice(gate, decision, reason)
        statement = approve(package, signing_key(key, passphrase_env), approver, time=now(), choice=choice)
    except ApprovalError as error:
        refused(error)
    words = {"approver": approver, "name": statement.name, "version": statement.version}
    words |= {"files": len(statement.subject), "time": statement.as_dict()["predicate"]["time"]}
    text = "approve.done" if statement.ruling.decision == APPROVED else "approve.done-rejected"
    click.echo(profile.texts()[text].format(**words))
