"""cdmeta verify."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import click

from cdmeta import profile
from cdmeta.approval import Statement, Verdict
from cdmeta.workflows.verify import as_dict, verify


@click.command("verify")
@click.argument("package", type=click.Path(path_type=Path))
@click.option(
    "--allowed-signers",
    required=True,
    type=click.Path(path_type=Path),
    help="Your file of who may approve, as for ssh-keygen -Y verify; never one that came with the package.",
)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("--sums", is_flag=True, help="Print the approved files as SHA256SUMS, for: sha256sum -c")
def command(package: Path, allowed_signers: Path, form: str, sums: bool) -> None:
    """Tell who approved PACKAGE, what and when, and whether that still holds.

    Exit code 1 where it does not, with each reason.
    """
    verdict = verify(package, allowed_signers)
    if sums:
        click.echo(verdict.statement.sums if verdict.statement else "", nl=False)
    # With --sums, standard output is for sha256sum alone.
    told = (
        json.dumps(as_dict(verdict), ensure_ascii=False, indent=2) if form == "json" else "\n".join(_told(verdict))
    )
    click.echo(told, err=sums)
    if not verdict.approved:
        click.get_current_context().exit(1)


def _told(verdict: Verdict) -> Iterator[str]:
    texts, statement = profile.texts(), verdict.statement
    if verdict.approved:
        yield texts["verify.approved"]
    else:
        yield texts["verify.refused"].format(count=len(verdict.reasons))
        for reason in verdict.reasons:
            yield f"  {reason.code} {reason.message()}"
            yield f"        {reason.remedy()}"
    if statement is not None:
        if not verdict.approved:
            yield texts["verify.claimed"]
        yield from _said(statement)
    if verdict.key:
        yield texts["verify.key"].format(key=verdict.key)


def _said(statement: Statement) -> Iterator[str]:
    texts, ruling = profile.texts(), statement.ruling
    yield texts["verify.package"].format(name=statement.name, version=statement.version)
    yield texts["verify.by"].format(approver=statement.approver)
    yield texts["verify.time"].format(time=statement.as_dict()["predicate"]["time"])
    words = {
        "decision": ruling.decision,
        "outcome": ruling.outcome,
        "rule": ruling.rule or "–",
        "gate": ruling.gate,
    }
    yield texts["verify.decision"].format(**words)
    if ruling.reason:
        yield texts["verify.reason"].format(reason=ruling.reason)
    yield texts["verify.files"].format(count=len(statement.subject))
