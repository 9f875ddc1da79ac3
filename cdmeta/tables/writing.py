"""What a query gives, as files: CSV, lines of text, and the one entry of a zip."""

from __future__ import annotations

import os
import shutil
import threading
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from cdmeta.tables.engine import Session, literal

_PIPE = 1 << 20


def write_csv(session: Session, query: str, path: Path, header: Sequence[str] | None = None) -> None:
    """Write what a query gives as CSV (RFC 4180, UTF-8, lines ended by a line feed).

    NULL becomes an empty cell, an empty text one of two quotation marks.

    Args:
        session: one that may write to the folder of `path`.
        query: SQL; its column names must differ whatever their case.
        path: the file.
        header: what stands in the first line, any texts; by default the names of the columns.
    """
    options = "FORMAT csv, DELIMITER ',', QUOTE '\"', ESCAPE '\"', NULLSTR '', USE_TMP_FILE false"
    if header is not None:
        first = ", ".join(map(literal, header))
        query = f"SELECT {first} UNION ALL ({query})"  # literals, and a query of the caller
    options += f", HEADER {str(header is None).lower()}"
    session.connection.execute(f"COPY ({query}) TO {literal(str(path.resolve()))} ({options})")


def write_lines(session: Session, query: str, path: Path, before: str = "", after: str = "") -> None:
    """Write the one column of text that a query gives, a line each, between what comes before and after.

    Args:
        session: one that may write to the folder of `path`.
        query: SQL; its texts hold neither line ends nor the character U+0001.
        path: the file.
        before: lines that come first, each with its end.
        after: lines that come last, likewise.
    """
    around = [f"SELECT {literal(lines.removesuffix(chr(10)))}" for lines in (before, after) if lines]
    # In a union lines are written as they come. Without one each processor collects its own until those before
    # them are written: slower, and too much for the memory where there are a hundred million.
    parts = [*around[:1], f"({query})", *around[1:]]
    options = "FORMAT csv, HEADER false, DELIMITER '\x01', QUOTE '', ESCAPE '', USE_TMP_FILE false"
    session.connection.execute(f"COPY ({' UNION ALL '.join(parts)}) TO {literal(str(path.resolve()))} ({options})")


@contextmanager
def written(session: Session, path: Path, *, compress: bool = False) -> Iterator[Path]:
    """Where to let the engine write a file: its path, or, to be compressed, a pipe into the one entry of a zip.

    The entry is called as the file is, without `.zip`. No copy that is not compressed touches the disk.
    """
    if not compress:
        yield path
        return
    with zipped(path) as entry, piped(session, entry) as pipe:
        yield pipe


@contextmanager
def zipped(path: Path) -> Iterator[BinaryIO]:
    """The one entry of a new zip, to be written; the same content gives the same bytes."""
    entry = zipfile.ZipInfo(path.name.removesuffix(".zip"))
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o644 << 16
    with zipfile.ZipFile(path, "w") as archive, archive.open(entry, "w", force_zip64=True) as stream:
        yield cast(BinaryIO, stream)


@contextmanager
def piped(session: Session, stream: BinaryIO) -> Iterator[Path]:
    """A path whose content goes to a stream while the engine writes it, once.

    Where the system has no named pipes, it is a file of the scratch folder.

    Raises:
        OSError: the stream cannot be written.
    """
    path = session.scratch / "pipe"
    if not hasattr(os, "mkfifo"):
        yield path
        with path.open("rb") as file:
            shutil.copyfileobj(file, stream, _PIPE)
        path.unlink()
        return
    os.mkfifo(path)
    reading = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    # Held open until the engine is done, so that the pipe does not end before the engine has opened it.
    writing = os.open(path, os.O_WRONLY)
    os.set_blocking(reading, True)
    failed: list[OSError] = []
    pump = threading.Thread(target=_pump, args=(reading, stream, failed))
    pump.start()
    try:
        yield path
    finally:
        os.close(writing)
        pump.join()
        path.unlink()
        if failed:
            raise failed[0]


def _pump(reading: int, stream: BinaryIO, failed: list[OSError]) -> None:
    """Move what comes through a pipe to a stream; where that fails, the engine is told by a broken pipe."""
    try:
        while chunk := os.read(reading, _PIPE):
            stream.write(chunk)
    except OSError as error:
        failed.append(error)
    finally:
        os.close(reading)
