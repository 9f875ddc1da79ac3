"""cdmeta verify."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import click

from cdmeta.approval import Statement, Verdict
from cdmeta.cli.language import spoken, text
from cdmeta.workflows.verify import as_dict, verify


@click.command("verify")
@click.argument("package", type=click.Path(path_type=Path))
@click.option(
    "--allowed-signers",
    required=True,
    type=click.Path(path_type=Path),
)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("--sums", is_flag=True)
def command(package: Path, allowed_signers: Path, form: str, sums: bool) -> None:
    """Tell who approved PACKAGE, what and when, and whether that still holds.

    Exit code 1 where it does not, with each reason.
    """
    verdict = verify(package, allowed_signers)
    if sums:
        click.echo(verdict.statement.sums if verdict.statement else "", nl=False)
    # With --sums, standard output is for sha256sum alone.
    told = (
        json.dumps(as_dict(verdict, spoken()), ensure_ascii=False, indent=2)
        if form == "json"
        else "\n".join(_told(verdict))
    )
    click.echo(told, err=sums)
    if not verdict.approved:
        click.get_current_context().exit(1)


def _told(verdict: Verdict) -> Iterator[str]:
    statement = verdict.statement
    if verdict.approved:
        yield text("verify.approved")
    else:
        yield text("verify.refused", count=len(verdict.reasons))
        for reason in verdict.reasons:
            yield f"  {reason.code} {reason.message(spoken())}"
            yield f"        {reason.remedy(spoken())}"
    if statement is not None:
        if not verdict.approved:
            yield text("verify.claimed")
        yield from _said(statement)
    if verdict.key:
        yield text("verify.key", key=verdict.key)


def _said(statement: Statement) -> Iterator[str]:
    ruling = statement.ruling
    yield text("verify.package", name=statement.name, version=statement.version)
    yield text("verify.by", approver=statement.approver)
    yield text("verify.time", time=statement.as_dict()["predicate"]["time"])
    words = {
        "decision": ruling.decision,
        "outcome": ruling.outcome,
        "rule": ruling.rule or "–",
        "gate": ruling.gate,
    }
    yield text("verify.decision", **words)
    if ruling.reason:
        yield text("verify.reason", reason=ruling.reason)
    yield text("verify.files", count=len(statement.subject))
