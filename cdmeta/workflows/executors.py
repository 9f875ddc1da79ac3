"""Where packages are checked: in this process, in processes of this machine, or on a Dask cluster."""

from __future__ import annotations

import os
import signal
import socket
import struct
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context, parent_process
from typing import ParamSpec, TypeVar, cast
from urllib.parse import urlsplit

from cdmeta.errors import CdmetaError
from cdmeta.phrase import Phrase

P = ParamSpec("P")
T = TypeVar("T")
DASK = "dask://"
WAIT = 10
"""Seconds in which a cluster has to answer."""
_LENGTH = 8
"""Bytes that tell the length of what a scheduler says."""
_MAX_GREETING = 2**16


class Here(Executor):
    """Runs everything at once, in this process and this thread."""

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Run a function and give its outcome."""
        future: Future[T] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001  # kept for whoever asks the future, as every executor does
            future.set_exception(error)
        return future


class _Pool(ProcessPoolExecutor):
    """Processes that hear nothing of Ctrl-C, as it is this process that ends them."""

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        # Processes start in here, and inherit what is blocked; ours gets a Ctrl-C of meanwhile when it is over.
        if not hasattr(signal, "pthread_sigmask"):
            return super().submit(fn, *args, **kwargs)
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            return super().submit(fn, *args, **kwargs)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def kill(self) -> None:
        """End all processes, whatever they do."""
        for process in list((self._processes or {}).values()):
            process.kill()


@contextmanager
def processes(jobs: int) -> Iterator[Executor]:
    """A pool of new processes, which end with the block, and their temporary files with them.

    Args:
        jobs: how many.
    """
    with tempfile.TemporaryDirectory(prefix="cdmeta-many-", ignore_cleanup_errors=True) as scratch:
        pool = _Pool(jobs, get_context("spawn"), _begin, (scratch,))
        try:
            yield pool
        except BaseException:
            pool.kill()
            raise
        finally:
            pool.shutdown(cancel_futures=True)


def _begin(scratch: str) -> None:
    """What a process of a pool does first."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    tempfile.tempdir = scratch
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    if (parent := parent_process()) is not None:
        parent.join()
        os._exit(1)


def _place(address: str) -> tuple[str, int]:
    """Host and port of a scheduler."""
    try:
        parts = urlsplit(address)
        if f"{parts.scheme}://" == DASK and parts.hostname and parts.port and not parts.path:
            return parts.hostname, parts.port
    except ValueError:
        pass
    raise CdmetaError(Phrase("error.executor", {"value": address}))


def _greeted(place: tuple[str, int]) -> None:
    """Look whether a scheduler answers: it speaks first, and tells its Python.

    A client of Dask that meets anything else waits for ever, or leaves a traceback behind when it goes.

    Raises:
        OSError: nobody answers, or something else does.
    """
    deadline = time.monotonic() + WAIT
    with socket.create_connection(place, WAIT) as connection:
        (size,) = struct.unpack("<Q", _received(connection, _LENGTH, deadline))
        if size > _MAX_GREETING or b"python" not in _received(connection, size, deadline):
            raise ConnectionError(place)


def _received(connection: socket.socket, size: int, deadline: float) -> bytes:
    """So many bytes.

    Raises:
        OSError: they have not come by the deadline.
    """
    found = b""
    while len(found) < size:
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        connection.settimeout(left)
        part = connection.recv(size - len(found))
        if not part:
            raise ConnectionError
        found += part
    return found


@contextmanager
def cluster(address: str) -> Iterator[Executor]:
    """The workers of a Dask cluster; they need the same cdmeta, and the packages under the same paths.

    Args:
        address: of its scheduler: `dask://HOST:PORT`.

    Raises:
        CdmetaError: the address is none, `dask.distributed` is not installed, or nobody answers.
    """
    place = _place(address)
    try:
        from distributed import Client
    except ImportError as error:
        raise CdmetaError(Phrase("error.dask.absent")) from error
    try:
        _greeted(place)
        scheduler = f"tcp://{address.removeprefix(DASK)}"
        client = Client(scheduler, timeout=WAIT, set_as_default=False)  # type: ignore[no-untyped-call]  # has no types
    except (OSError, ValueError) as error:
        raise CdmetaError(Phrase("error.dask.silent", {"value": address})) from error
    with client:
        # Not pure: the same path may hold something else than a minute ago.
        yield cast(Executor, client.get_executor(pure=False))  # type: ignore[no-untyped-call]  # likewise
