"""The engine of rows: DuckDB, which sees one package and what it may write, and nothing else.

It may read the folders that a session is opened for, and its scratch folder: no network, no extensions. What it
complains of comes as an error of ours, without the rows that it quotes.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from cdmeta.errors import ConversionError, MemoryUsedUpError
from cdmeta.package import Package
from cdmeta.phrase import Phrase

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

ROW = "row"
"""The column that numbers the records, the header being record 1."""
MEMORY_LIMIT = "512 MB"
MAX_THREADS = 4
_GLOB = frozenset("*?[]{}")
_REFUSED = re.compile(r"cdmeta:([a-z.-]+)")
_FULL = "No space left on device"
_QUOTE = re.compile("['\"]")
_T = TypeVar("_T")


@dataclass(frozen=True)
class Session:
    """A connection to DuckDB that sees one package, and the folder for what it writes.

    Attributes:
        connection: the connection; its settings are locked.
        scratch: a temporary folder that goes with the session.
    """

    connection: DuckDBPyConnection
    scratch: Path


@contextmanager
def session(package: Package, *writable: Path, threads: int = MAX_THREADS) -> Iterator[Session]:
    """A connection that may read a package's folder, and read and write its own scratch and the folders named.

    Raises:
        MemoryUsedUpError: the rows need more memory than there may be; fewer threads need less.
        ConversionError: the disk is used up, or DuckDB refuses for another reason.
    """
    with data_session(package.root, *writable, threads=threads) as opened:
        yield opened


@contextmanager
def data_session(*folders: Path, threads: int = MAX_THREADS) -> Iterator[Session]:
    """A connection for data that are in no package: it may read and write its own scratch and the folders named.

    Raises:
        ConversionError: as for `session`.
    """
    with _scratch() as scratch:
        yield from _held(_connect(scratch, *folders, threads=threads), scratch)


@contextmanager
def _scratch() -> Iterator[Path]:
    """A folder that goes with the block, also where a Ctrl-C comes while it is taken away."""
    folder = tempfile.TemporaryDirectory(prefix="cdmeta-rows-")
    try:
        yield Path(folder.name)
    finally:
        try:
            folder.cleanup()
        except KeyboardInterrupt:
            shutil.rmtree(folder.name, ignore_errors=True)
            raise


def sparingly(work: Callable[[int], _T]) -> _T:
    """Do what takes a number of threads; where the memory does not suffice, again with fewer.

    Sorting and grouping go to the disk bit by bit, but each thread holds what it is at: millions of keys, or of
    lines of a message, are too much for four of them.

    Raises:
        MemoryUsedUpError: one is too much as well.
    """
    for threads in (MAX_THREADS, 2):
        try:
            return work(threads)
        except MemoryUsedUpError:
            continue
    return work(1)


@contextmanager
def small_session() -> Iterator[Session]:
    """A connection that may read and write its own scratch alone, and is there at once.

    DuckDB takes longer to open than a small table to be looked at, so a process keeps one instance; what is made
    in a session has to be temporary, and goes with it.

    Raises:
        ConversionError: as for `session`.
    """
    instance, folder = _kept(os.getpid())
    with tempfile.TemporaryDirectory(dir=folder.name) as scratch:
        yield from _held(instance.cursor(), Path(scratch))


def _held(connection: DuckDBPyConnection, scratch: Path) -> Iterator[Session]:
    """A connection in use, closed afterwards; what it complains of comes as an error of ours."""
    try:
        with _told():
            yield Session(connection, scratch)
    finally:
        connection.close()


@cache
def _kept(_: int) -> tuple[DuckDBPyConnection, tempfile.TemporaryDirectory[str]]:
    """The instance of a process, by its number: one that forked may not use that of its parent."""
    folder = tempfile.TemporaryDirectory(prefix="cdmeta-rows-")
    return _connect(Path(folder.name)), folder


def _connect(scratch: Path, *folders: Path, threads: int = MAX_THREADS) -> DuckDBPyConnection:
    """An instance that reads and writes the folders, and nothing else; its settings are locked."""
    import duckdb

    seen = [str(folder.resolve()) for folder in (scratch, *folders)]
    with _told():
        connection = duckdb.connect(
            config={
                "memory_limit": MEMORY_LIMIT,
                "threads": min(threads, os.cpu_count() or 1),
                "temp_directory": str(scratch / "spill"),
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
                "allow_community_extensions": False,
                "python_enable_replacements": False,
                "preserve_insertion_order": True,
            }
        )
        connection.execute(f"SET allowed_directories = [{', '.join(map(literal, seen))}]")
        connection.execute("SET enable_external_access = false")
        # It would be drawn into the output after two seconds.
        connection.execute("SET enable_progress_bar = false")
        connection.execute("SET lock_configuration = true")
    return connection


@contextmanager
def _told() -> Iterator[None]:
    """What DuckDB complains of, as an error of ours."""
    import duckdb

    try:
        yield
    except duckdb.Error as error:
        if refused := _REFUSED.search(str(error)):
            raise ConversionError(Phrase(refused[1])) from None
        if isinstance(error, duckdb.OutOfMemoryException):
            raise MemoryUsedUpError(Phrase("error.rows.memory", {"limit": MEMORY_LIMIT})) from None
        # Not "from error": behind its first line DuckDB quotes the rows, which no log may hold.
        reason = Phrase("os.ENOSPC") if _FULL in str(error) else _first_line(error)
        raise ConversionError(Phrase("error.rows", {"reason": reason})) from None
    except RuntimeError as error:
        # What DuckDB makes of a Ctrl-C during a query.
        if str(error) == "Query interrupted":
            raise KeyboardInterrupt from None
        raise


def refusal(key: str) -> str:
    """SQL that ends the query, and with it the session, with an error of ours, by the key of its text."""
    return f"error({literal(f'cdmeta:{key}')})"


def literal(text: str) -> str:
    """A text as a literal of SQL."""
    parts = ["'" + part.replace("'", "''") + "'" for part in text.split("\0")]
    return parts[0] if len(parts) == 1 else "(" + " || chr(0) || ".join(parts) + ")"


def accepts(session: Session, query: str) -> bool:
    """Tell whether the engine can run a query; its result is thrown away."""
    import duckdb

    try:
        session.connection.execute(query).fetchall()
    except duckdb.Error:
        return False
    return True


def is_pattern(path: Path) -> bool:
    """Tell whether DuckDB would read the path of a file as a pattern."""
    return bool(_GLOB & set(str(path.resolve())))


def identifier(name: str) -> str:
    """A name as an identifier of SQL."""
    return '"' + name.replace('"', '""') + '"'


def _first_line(error: Exception) -> str:
    """What DuckDB complains of, without the lines, and of values without the words, that quote the data."""
    import duckdb

    line = str(error).partition("\n")[0]
    if isinstance(error, duckdb.DataError | duckdb.InvalidInputException):
        line = _QUOTE.split(line, maxsplit=1)[0]
    return line.rstrip(" .:")
