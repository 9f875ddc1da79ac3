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
from cdmeta.cli.language import text
from cdmeta.cli.refusal import refused
from cdmeta.errors import ApprovalError
from cdmeta.workflows.approve import DECISIONS, Choice, approve


@click.command("approve")
@click.argument("package", type=click.Path(path_type=Path))
@click.option("--key", required=True, type=click.Path(path_type=Path))
@click.option("--approver", required=True, callback=read_approver, metavar='"NAME <MAIL>"')
@click.option("--organisation", default="")
@click.option("--decision", type=click.Choice(list(DECISIONS)))
@click.option("--reason", default="")
@click.option("--gate", type=click.Choice(profile.GATES), default="publish", show_default=True)
@click.option("--passphrase-env", metavar="VAR")
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
    told = "approve.done" if statement.ruling.decision == APPROVED else "approve.done-rejected"
    click.echo(text(told, **words))
