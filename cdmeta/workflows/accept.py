"""Open a package only if its approval holds: what every command does that gives data away."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from cdmeta.approval import STATEMENT, Statement, Verdict, verify
from cdmeta.errors import ApprovalError
from cdmeta.finding import Finding, Report, Where
from cdmeta.package import Package, load
from cdmeta.phrase import SENTENCES, Phrase, Series
from cdmeta.workflows.private import Copy, private_copy
from cdmeta.workflows.validate import examine

MAX_TOLD = 3
"""Reasons in the one line of the error; it holds them all apart."""


@dataclass(frozen=True)
class Accepted:
    """A package that may be used.

    Attributes:
        package: a private copy of exactly the bytes that were judged; it goes when the block ends.
        report: the result of its checks at the gate `publish`.
        verdict: on its approval; None for a draft where nobody was named who may approve.
        digests: path to sha256 (hex) of each of its files.
    """

    package: Package
    report: Report
    verdict: Verdict | None
    digests: Mapping[str, str] = field(hash=False)

    @property
    def is_approved(self) -> bool:
        """Somebody whom the receiver named approved it, and nothing that was found stands in the way."""
        return self.verdict is not None and self.verdict.approved and self.report.valid


@contextmanager
def accepted(path: Path, allowed_signers: Path | None, *, draft: bool = False) -> Iterator[Accepted]:
    """Copy a package, verify its approval and check it, all on the same bytes.

    Args:
        path: folder, descriptor or zip.
        allowed_signers: the receiver's file of who may approve.
        draft: take the package even where it is not approved or has errors; its descriptor must be readable.

    Raises:
        PackageError: there is no package, or its descriptor cannot be read.
        KeyFileError: the file of who may approve cannot be read.
        ApprovalError: it is not approved, has changed since, or has errors, and is no draft; with all reasons.
    """
    with private_copy(load(path)) as copy:
        report = examine(copy.package, gate="publish")
        verdict = None if draft and allowed_signers is None else _judge(copy, allowed_signers, report)
        reasons = (*(verdict.reasons if verdict else ()), *report.errors)
        if reasons and not draft:
            raise _refusal(copy.package, reasons)
        yield Accepted(copy.package, report, verdict, copy.digests)


def _judge(copy: Copy, allowed_signers: Path | None, report: Report) -> Verdict:
    verdict = verify(copy.package, allowed_signers, copy.digests, copy.beside)
    decided = tuple(_on_outcome(verdict.statement, report))
    if not decided:
        return verdict
    return Verdict(False, verdict.reasons + decided, verdict.signer, verdict.key, verdict.statement)


def _on_outcome(statement: Statement | None, report: Report) -> Iterator[Finding]:
    """What was approved has to be what the answers give: an ASSESS never passes as settled."""
    found = (report.decision or {}).get("outcome")
    if statement is not None and found != statement.ruling.outcome:
        params = {"reason": "decision-differs", "outcome": statement.ruling.outcome, "found": str(found)}
        yield Finding("CD610", Where(STATEMENT, "/predicate/decision/outcome"), params)


def _refusal(package: Package, findings: tuple[Finding, ...]) -> ApprovalError:
    reasons = tuple({str(phrase): phrase for phrase in (finding.phrase() for finding in findings)}.values())
    told = list(reasons[:MAX_TOLD])
    if more := len(reasons) - len(told):
        told.append(Phrase("approval.more", {"count": more}))
    params = {"source": package.source, "reasons": Series(tuple(told), SENTENCES)}
    return ApprovalError(Phrase("approval.refused", params), reasons)
