"""Approve a package: check it, state what was decided over which bytes, sign that, and lay it beside it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cdmeta.approval import (
    APPROVABLE,
    APPROVED,
    REJECTED,
    SIGNATURE,
    STATEMENT,
    Approver,
    Ruling,
    Statement,
    make,
    sign,
)
from cdmeta.beside import write_beside
from cdmeta.errors import ApprovalError
from cdmeta.finding import Report
from cdmeta.package import load
from cdmeta.phrase import Phrase
from cdmeta.sshsig import SigningKey
from cdmeta.text import is_missing
from cdmeta.workflows.private import private_copy
from cdmeta.workflows.validate import examine

DECISIONS = {"approve": APPROVED, "reject": REJECTED}


@dataclass(frozen=True)
class Choice:
    """What the approver chose.

    Attributes:
        gate: `publish` or `official`.
        decision: a key of DECISIONS; None to approve what the Framework settles.
        reason: in the approver's words; an ASSESS and a rejection need one.
    """

    gate: str = "publish"
    decision: str | None = None
    reason: str = ""


def approve(
    path: Path, key: SigningKey, approver: Approver, *, time: datetime, choice: Choice | None = None
) -> Statement:
    """Approve (or reject) a package, and write `approval.json` and its signature beside the descriptor.

    What is checked, hashed and signed are the same bytes: those of a private copy.

    Args:
        path: folder, descriptor or zip; a zip is written anew with all other members as they were.
        key: of the approver.
        approver: who decides.
        time: now.
        choice: what was chosen.

    Raises:
        PackageError: there is no package, or its descriptor cannot be read.
        ApprovalError: it has errors, or cannot be approved by the Framework, or the choice is not complete.
        OutputError: the approval cannot be written.
    """
    choice = choice or Choice()
    package = load(path)
    with private_copy(package) as copy:
        report = examine(copy.package, gate=choice.gate)
        reasons = tuple(_refusals(report, choice))
        if reasons:
            raise ApprovalError(Phrase("approve.refused", {"source": package.source}), reasons)
        found = report.decision or {}
        decision = DECISIONS[choice.decision or "approve"]
        ruling = Ruling(found["outcome"], found["rule"], choice.gate, decision, choice.reason.strip())
        statement = make(copy.package, copy.digests, report, ruling, approver, time)
    content = statement.to_bytes()
    write_beside(package, {STATEMENT: content, SIGNATURE: sign(content, key)})
    return statement


def _refusals(report: Report, choice: Choice) -> Iterator[Phrase]:
    outcome = (report.decision or {}).get("outcome", "INSUFFICIENT_INFORMATION")
    if report.errors:
        params = {"count": len(report.errors), "source": report.source, "gate": choice.gate}
        yield Phrase("approve.errors", params)
    if outcome not in APPROVABLE:
        yield Phrase("approve.outcome", {"outcome": outcome})
    if outcome == "ASSESS" and (choice.decision is None or is_missing(choice.reason)):
        yield Phrase("approve.assess")
    if choice.decision == "reject" and is_missing(choice.reason):
        yield Phrase("approve.reject")
