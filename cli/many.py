"""How `cdmeta validate` shows several packages."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

import click

from cdmeta.cli.language import spoken, text
from cdmeta.errors import OutputError
from cdmeta.finding import Result
from cdmeta.phrase import number
from cdmeta.reporters.jsonl import line
from cdmeta.reporters.many import render
from cdmeta.reporters.shown import Style
from cdmeta.workflows.executors import cluster
from cdmeta.workflows.kept import open_folder
from cdmeta.workflows.many import find, validate_many
from cdmeta.workflows.output import write

FORMATS = ("text", "jsonl")
QUIET = 2.0
"""Seconds before any progress is shown."""
PACE = 0.2
_CLEARED = "\r\x1b[K"


@dataclass(frozen=True)
class Wanted:
    """What was asked for on the command line."""

    packages: tuple[str, ...]
    gate: str
    form: str
    recursive: bool
    jobs: int | None
    cache: Path | None
    no_cache: bool
    executor: str | None
    limit: int | None = None
    output: str = "-"


def show(wanted: Wanted, *, color: bool, width: int) -> int:
    """Check the packages and show their results; gives the exit code."""
    if wanted.form not in FORMATS:
        raise click.UsageError(text("error.many.format", formats=", ".join(FORMATS)))
    paths = [path for named in wanted.packages for path in (find(Path(named)) if wanted.recursive else (named,))]
    codes = {0}
    bar = Bar(sys.stderr.isatty())
    with ExitStack() as stack:
        stack.callback(bar.clear)
        executor = stack.enter_context(cluster(wanted.executor)) if wanted.executor else None
        cache = _cache(wanted)
        made = validate_many(paths, wanted.gate, executor, cache, jobs=wanted.jobs, progress=bar.show)
        results = _noted(stack.enter_context(closing(made)), codes)
        if wanted.output != "-":
            style = Style(language=spoken(), limit=wanted.limit)
            lines = (line(result, wanted.gate, spoken()) for result in results)
            write(Path(wanted.output), "".join(lines) if wanted.form == "jsonl" else render(results, style))
        elif wanted.form == "jsonl":
            for result in results:
                bar.clear()
                click.echo(line(result, wanted.gate, spoken()), nl=False)
        else:
            told = render(results, Style(color, width, spoken(), wanted.limit))
            bar.clear()
            click.echo(told, nl=False, color=True)
    return max(codes)


def _noted(results: Iterator[Result], codes: set[int]) -> Iterator[Result]:
    """The results, and what each of them does to the exit code."""
    for result in results:
        codes.add(2 if result.report is None else 0 if result.report.valid else 1)
        yield result


def _cache(wanted: Wanted) -> Path | None:
    """The folder of kept reports; where it cannot be used, there is none, unless it was named."""
    if wanted.no_cache:
        return None
    folder = wanted.cache or own_folder(os.environ, sys.platform)
    if folder is None:
        return None
    try:
        open_folder(folder)
    except OutputError:
        if wanted.cache:
            raise
        return None
    return folder


def own_folder(environment: Mapping[str, str], platform: str) -> Path | None:
    """Where a system keeps what may be lost (XDG Base Directory; Windows: LOCALAPPDATA; macOS: Library/Caches)."""
    xdg = Path(environment.get("XDG_CACHE_HOME", ""))
    if xdg.is_absolute():  # by XDG, a relative one is to be ignored
        return xdg / "cdmeta"
    if platform == "win32" and environment.get("LOCALAPPDATA"):
        return Path(environment["LOCALAPPDATA"]) / "cdmeta" / "Cache"
    home = Path(environment.get("HOME", ""))
    if not home.is_absolute():
        return None
    return home / "Library" / "Caches" / "cdmeta" if platform == "darwin" else home / ".cache" / "cdmeta"


class Bar:
    """One line on a terminal that tells how far the work is, and goes before anything else is written."""

    def __init__(self, shown: bool) -> None:
        self._shown = shown
        self._next = time.monotonic() + QUIET
        self._drawn = False

    def show(self, done: int, total: int) -> None:
        """Draw it, if there was time enough since it was drawn."""
        if not self._shown or time.monotonic() < self._next:
            return
        self._next = time.monotonic() + PACE
        self._drawn = True
        told = text("cli.checking", done=number(done, spoken()), total=number(total, spoken()))
        click.echo(_CLEARED + told, nl=False, err=True, color=True)

    def clear(self) -> None:
        """Take it away."""
        if self._drawn:
            self._drawn = False
            click.echo(_CLEARED, nl=False, err=True, color=True)
