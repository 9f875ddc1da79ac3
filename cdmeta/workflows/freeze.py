"""Freezing a version of the profile: its digest beside its folder, after which nothing in it may change."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from cdmeta import profile
from cdmeta.errors import OutputError


@dataclass(frozen=True)
class State:
    """How a version stands to its frozen digest.

    Attributes:
        verdict: `draft` where no digest was ever written, `frozen` where it is the one found, `changed` where a
            file of the version was changed, added or taken away since.
        found: the digest of the files as they are, sha256 in hex.
        file: where the frozen digest stands, or would stand.
    """

    verdict: Literal["draft", "frozen", "changed"]
    found: str
    file: Path


def digest(*, write: bool = False, folder: Path | None = None) -> State:
    """Compare a version with its frozen digest, or freeze it.

    Args:
        write: write the digest beside the folder; only once, because what is frozen never changes.
        folder: the version's folder; the installed one where it is None.

    Raises:
        OutputError: the version was frozen before with another digest, says that it is a draft, or the file cannot
            be written.
    """
    home = folder or Path(str(profile.folder()))
    file = home.parent / f"{home.name}.sha256"
    found = profile.digest(home)
    frozen = file.read_text(encoding="ascii").split()[0] if file.is_file() else None
    if write and frozen is None:
        _write(file, f"{found}  {home.name}\n")
        frozen = found
    elif write and frozen != found:
        raise OutputError(profile.texts()["digest.error.frozen"].format(file=file))
    verdict: Literal["draft", "frozen", "changed"] = "draft"
    if frozen is not None:
        verdict = "frozen" if frozen == found else "changed"
    return State(verdict, found, file)


def _write(file: Path, line: str) -> None:
    try:
        file.write_text(line, encoding="ascii")
    except OSError as error:
        raise OutputError(f"{file}: cannot be written ({error.strerror or error}).") from error
