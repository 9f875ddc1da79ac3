"""Make a key to approve with."""

from __future__ import annotations

import os
from pathlib import Path

from cdmeta.approval import allowed_signers_line, is_identity
from cdmeta.errors import KeyFileError
from cdmeta.phrase import Phrase, at, os_reason
from cdmeta.sshsig import new_key


def keygen(path: Path, identity: str, passphrase: str | None = None) -> str:
    """Write a new ed25519 key pair in OpenSSH's format: `path`, for its owner only, and `path` with `.pub`.

    Args:
        path: of the private key.
        identity: who it is for, mostly an e-mail address.
        passphrase: locks the private key.

    Returns:
        The line for an allowed-signers file.

    Raises:
        KeyFileError: a file is there already, or cannot be written, or the identity cannot stand in such a line.
    """
    if not is_identity(identity):
        raise KeyFileError(Phrase("error.key.identity", {"identity": identity}))
    public_path = path.with_name(f"{path.name}.pub")
    for taken in (path, public_path):
        if taken.exists() or taken.is_symlink():
            raise KeyFileError(at(taken, "error.key.there"))
    key = new_key()
    _write_new(path, key.to_bytes(passphrase), 0o600)
    try:
        _write_new(public_path, f"{key.public.line} {identity}\n".encode(), 0o644)
    except KeyFileError:
        path.unlink()
        raise
    return allowed_signers_line(identity, key)


def _write_new(path: Path, content: bytes, mode: int) -> None:
    """Write a file that is not there yet, with its rights from its first byte."""
    try:
        number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), mode)
        with os.fdopen(number, "wb") as stream:
            stream.write(content)
    except OSError as error:
        raise KeyFileError(at(path, "error.unwritable", reason=os_reason(error))) from error
