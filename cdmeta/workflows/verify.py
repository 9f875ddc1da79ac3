"""Tell who approved what, and whether it still holds."""

from __future__ import annotations

from pathlib import Path

from cdmeta import approval
from cdmeta.approval import Verdict
from cdmeta.package import load


def verify(path: Path, allowed_signers: Path) -> Verdict:
    """The verdict on the approval that lies beside a package.

    Raises:
        PackageError: there is no package.
        KeyFileError: the file of who may approve cannot be read.
    """
    return approval.verify(load(path), allowed_signers)


def as_dict(verdict: Verdict, language: str = "en") -> dict[str, object]:
    """A verdict for programs, its messages in a language."""
    statement = verdict.statement
    return {
        "approved": verdict.approved,
        "signer": verdict.signer,
        "key": verdict.key,
        "reasons": [
            {"code": reason.code, "where": reason.where.as_dict(), "message": reason.message(language)}
            for reason in verdict.reasons
        ],
        "statement": statement and statement.as_dict(),
    }
