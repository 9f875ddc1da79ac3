"""Output that is either the old or the new, never half: written beside, then renamed."""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cdmeta.errors import OutputError
from cdmeta.phrase import at, os_reason


@contextmanager
def staged(out: Path, mark: str) -> Iterator[Path]:
    """A new folder beside `out` that takes its place when the block ends well, and goes when it does not.

    Args:
        out: where the output shall lie; an empty folder, or one that holds `mark`, is replaced.
        mark: name of a file that our own output of this kind always holds.

    Raises:
        OutputError: `out` holds something that is not ours, or cannot be written.
    """
    _check(out, mark)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        stage = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
        stage.chmod(0o755)
    except OSError as error:
        raise OutputError(at(out, "error.unwritable", reason=os_reason(error))) from error
    try:
        yield stage
        _replace(stage, out)
    except OSError as error:
        raise OutputError(at(out, "error.unwritable", reason=os_reason(error))) from error
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def refuse_used(out: Path) -> None:
    """Raise OutputError where a folder that is to be made is there already, unless it is empty."""
    if out.is_symlink() or (out.exists() and (not out.is_dir() or any(out.iterdir()))):
        raise OutputError(at(out, "error.output.there"))


def write(out: Path, text: str) -> None:
    """Write a file that is the old or the new; what is no regular file, as a pipe, is written to as it is.

    A link stays a link, and the file that it leads to is replaced.

    Raises:
        OutputError: it cannot be written.
    """
    try:
        if out.exists() and not out.is_file():
            out.write_bytes(text.encode())
        else:
            _write_beside(out.resolve(), text.encode())
    except OSError as error:
        raise OutputError(at(out, "error.unwritable", reason=os_reason(error))) from error


def _write_beside(out: Path, content: bytes) -> None:
    # A new file is as open to others as the system's mask lets it be; mkstemp's would be its owner's alone.
    beside = out.with_name(f".{secrets.token_hex(8)}.tmp")
    try:
        with beside.open("xb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        if out.exists():
            shutil.copymode(out, beside)
        beside.replace(out)
    finally:
        beside.unlink(missing_ok=True)


def _check(out: Path, mark: str) -> None:
    if out.is_symlink() or (out.exists() and not out.is_dir()):
        raise OutputError(at(out, "error.output.folder"))
    if out.exists() and any(out.iterdir()) and not (out / mark).exists():
        raise OutputError(at(out, "error.output.full"))


def _replace(stage: Path, out: Path) -> None:
    if not out.exists():
        stage.rename(out)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
    before = old / "old"
    try:
        out.rename(before)
        stage.rename(out)
    finally:
        # Whatever stops it, and be it the person at the keyboard, one of the two is there.
        if before.exists() and not out.exists():
            before.rename(out)
        shutil.rmtree(old, ignore_errors=True)
