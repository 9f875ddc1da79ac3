"""`cdmeta validate` of many packages: paths → packages, checked in parallel → a result each, in order."""

from __future__ import annotations

import os
import queue
import zipfile
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from cdmeta.errors import CdmetaError
from cdmeta.finding import Report, Result
from cdmeta.package import DESCRIPTOR, ZIP_DAMAGE, holds_descriptor, load
from cdmeta.phrase import Phrase, at, os_reason
from cdmeta.workflows.executors import Here, processes
from cdmeta.workflows.kept import keep, kept, key_of, key_of_file, open_folder, program
from cdmeta.workflows.plain import from_plain, report_of, to_plain

AHEAD = 256
"""Packages that an executor of the caller's is given before the first of them is done."""
BEAT = 0.2
"""Seconds between two reports of progress where nothing was done."""
Progress = Callable[[int, int], None]
"""Is told how many packages are done, and of how many."""


def find(root: Path) -> tuple[str, ...]:
    """The packages in a folder and below it, in order of their paths; what is none is given back as it is.

    A folder that holds a `datapackage.json` is one package, and what lies below it is part of it. So is a zip that
    holds one. Hidden folders are left out, and links are not followed. A folder or zip that cannot be read is
    given back like a package, so that it is told of. Where there is nothing, the root is, for the same reason.
    """
    return tuple(_below(root)) or (str(root),) if root.is_dir() else (str(root),)


def _below(root: Path) -> Iterator[str]:
    waiting = [str(root)]
    while waiting:
        path = waiting.pop()
        try:
            with os.scandir(path) as entries:
                found = sorted((e for e in entries if not e.name.startswith(".")), key=lambda e: e.name)
        except OSError:
            yield path
            continue
        if any(entry.name == DESCRIPTOR and not entry.is_dir(follow_symlinks=False) for entry in found):
            yield path
            continue
        yield from (entry.path for entry in found if _is_package_file(entry))
        waiting += [entry.path for entry in reversed(found) if entry.is_dir(follow_symlinks=False)]


def _is_package_file(entry: os.DirEntry[str]) -> bool:
    if not entry.name.lower().endswith(".zip") or not entry.is_file(follow_symlinks=False):
        return False
    try:
        with zipfile.ZipFile(entry.path) as archive:
            return holds_descriptor(archive)
    except (OSError, *ZIP_DAMAGE):
        return True


def validate_many(
    paths: Iterable[str | Path],
    gate: str = "publish",
    executor: Executor | None = None,
    cache: Path | None = None,
    *,
    jobs: int | None = None,
    progress: Progress | None = None,
) -> Generator[Result, None, None]:
    """Check many packages in parallel; their results come in the order given, as soon as that allows.

    A package that is named twice is checked once. One that cannot be checked, or that ends the process in which
    it is checked, has a result that says so; the others lose nothing.

    Args:
        paths: of packages: folders, descriptors or zips.
        gate: one of `profile.GATES`.
        executor: any; None for a pool of new processes (as `multiprocessing` starts them with "spawn", a script
            that calls this needs `if __name__ == "__main__"`). Its workers need the packages under the same
            paths. One that breaks down takes with it what it has not done.
        cache: a folder in which reports are kept and found by content; None for none.
        jobs: processes of that pool; None for one a processor; with 1, all is done in this process.
        progress: is told how many are done, now and then.
    """
    named = _unique(paths)
    run = _Run(gate, str(cache) if cache else None, len(named), progress)
    jobs = jobs or os.cpu_count() or 1
    waiting = deque(enumerate(named))
    if executor is not None:
        done = _by(executor, run, waiting)
    elif min(jobs, len(named)) <= 1:
        done = _through(Here(), run, waiting, 1, [])
    else:
        done = _by_processes(min(jobs, len(named)), run, waiting)
    yield from _in_order(done)


def _unique(paths: Iterable[str | Path]) -> list[str]:
    """The paths without those that lead to a package that was named before."""
    by_place: dict[str, str] = {}
    for path in map(str, paths):
        place = os.path.realpath(path)
        folder, name = os.path.split(place)
        by_place.setdefault(folder if name == DESCRIPTOR else place, path)
    return list(by_place.values())


def _in_order(done: Iterable[tuple[int, Result]]) -> Iterator[Result]:
    early: dict[int, Result] = {}
    number = 0
    for index, result in done:
        early[index] = result
        while number in early:
            yield early.pop(number)
            number += 1


@dataclass
class _Run:
    """What holds for all packages of a run, and how many are done."""

    gate: str
    cache: str | None
    total: int
    progress: Progress | None
    done: int = field(default=0)

    def beat(self, done: int = 0) -> None:
        self.done += done
        if self.progress:
            self.progress(self.done, self.total)


_Item = tuple[int, str]


def _by(executor: Executor, run: _Run, waiting: deque[_Item]) -> Iterator[tuple[int, Result]]:
    lost: list[_Item] = []
    yield from _through(executor, run, waiting, AHEAD, lost)
    for index, path in [*lost, *waiting]:
        run.beat(1)
        yield index, _failed(path, "error.many.executor")


def _by_processes(jobs: int, run: _Run, waiting: deque[_Item]) -> Iterator[tuple[int, Result]]:
    """In a pool; where it breaks down, those that it was at are checked alone, and a new pool takes the others."""
    while waiting:
        lost: list[_Item] = []
        with processes(jobs) as pool:
            yield from _through(pool, run, waiting, 2 * jobs, lost)
        for item in sorted(lost):
            alone: list[_Item] = []
            with processes(1) as pool:
                yield from _through(pool, run, deque([item]), 1, alone)
            if alone:
                run.beat(1)
                yield item[0], _failed(item[1], "error.many.crashed")


def _through(
    executor: Executor, run: _Run, waiting: deque[_Item], ahead: int, lost: list[_Item]
) -> Iterator[tuple[int, Result]]:
    """The results of an executor as they are done; where it breaks down, those that it was at go to `lost`."""
    ready: queue.SimpleQueue[Future[_Answer]] = queue.SimpleQueue()
    under_way: dict[Future[_Answer], _Item] = {}
    broken = False
    while under_way or (waiting and not broken):
        while waiting and not broken and len(under_way) < ahead:
            item = waiting.popleft()
            try:
                future = executor.submit(check, _placed(item[1]), item[1], run.gate, run.cache)
            except BrokenExecutor:
                broken = True
                lost.append(item)
                break
            under_way[future] = item
            future.add_done_callback(ready.put)
        try:
            future = ready.get(timeout=BEAT)
        except queue.Empty:
            run.beat()
            continue
        index, path = under_way.pop(future)
        if not future.cancelled() and isinstance(future.exception(), BrokenExecutor):
            broken = True
            lost.append((index, path))
            continue
        run.beat(1)
        yield index, _result(path, future)


def _placed(path: str) -> str:
    """A path that leads to the same place from any folder."""
    return path if "://" in path else str(Path(path).absolute())


def _result(path: str, future: Future[_Answer]) -> Result:
    if future.cancelled():
        return _failed(path, "error.many.executor")
    if (error := future.exception()) is not None:
        # A Dask cluster gives up on what ended several of its workers.
        died = type(error).__name__ == "KilledWorker"
        return _failed(path, "error.many.crashed" if died else "error.many.fault", kind=type(error).__name__)
    answer = future.result()
    if answer["program"] != program():
        return _failed(path, "error.many.program")
    if answer["error"] is not None:
        return Result(path, error=from_plain(answer["error"]))
    return Result(path, report_of(answer["report"]), cached=answer["cached"])


def _failed(path: str, key: str, **params: Any) -> Result:
    return Result(path, error=at(path, key, **params))


# --- in the worker

_Answer = dict[str, Any]
"""`program`, `report` or `error` as plain values, and `cached`."""


def check(path: str, source: str, gate: str, cache: str | None) -> _Answer:
    """Check one package, in whatever process.

    Args:
        path: where it lies.
        source: the path as the caller gave it, for reports.
        gate: one of `profile.GATES`.
        cache: the folder of kept reports; not used where others can write into it.
    """
    answer: _Answer = {"program": program(), "report": None, "error": None, "cached": False}
    try:
        report, answer["cached"] = _report(Path(path) if "://" not in path else path, gate, _usable(cache))
        answer["report"] = to_plain(replace(report, source=source))
    except CdmetaError as error:
        answer["error"] = to_plain(_called(error.args[0], path, source))
    except OSError as error:
        answer["error"] = to_plain(at(source, "error.package.unreadable", reason=os_reason(error)))
    return answer


def _called(phrase: Phrase, path: str, source: str) -> Phrase:
    """What is said of a path, under the name that the caller gave it."""
    named = str(phrase.params.get("path")) == path
    return replace(phrase, params={**phrase.params, "path": source}) if named else phrase


def _usable(cache: str | None) -> Path | None:
    if cache is not None:
        with suppress(CdmetaError):
            open_folder(Path(cache))
            return Path(cache)
    return None


def _report(path: Path | str, gate: str, cache: Path | None) -> tuple[Report, bool]:
    """The report on a package, and whether it is that of an earlier run.

    A report is kept only if the package is the same after the checks as it was before.
    """
    if cache is None:
        return _examined(path, gate), False
    key = _key(path, gate)
    if (report := kept(cache, key)) is not None:
        return report, True
    report = _examined(path, gate)
    if _key(path, gate) == key:
        keep(cache, key, report)
    return report, False


def _key(path: Path | str, gate: str) -> str:
    if isinstance(path, Path) and path.name != DESCRIPTOR and path.is_file():
        return key_of_file(path, gate)
    return key_of(load(path), gate)


def _examined(path: Path | str, gate: str) -> Report:
    # It brings all checks, which a package whose report is kept does not need.
    from cdmeta.workflows.validate import validate

    return validate(path, gate)
