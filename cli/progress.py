"""What is being done, on a terminal, where it takes long."""

from __future__ import annotations

import threading
import time
from types import TracebackType

import click

from cdmeta.phrase import Phrase, number
from cdmeta.tables.progress import Step
from cdmeta.text import printable

QUIET = 2.0
"""Seconds before anything is shown."""
PACE = 0.2
CLEARED = "\r\x1b[K"


class Ticker:
    """A line on standard error that tells the step and the seconds, and goes at the end.

    A thread of its own draws it, because the engine may be at one query for long.
    """

    def __init__(self, language: str, width: int, *, shown: bool) -> None:
        self._language, self._width, self._shown = language, width, shown
        self._step = Step("descriptor")
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._draw, daemon=True)
        self._began = time.monotonic()

    def tell(self, step: Step) -> None:
        """Take over what is being done; called by the checks."""
        self._step = step

    def __enter__(self) -> Ticker:
        if self._shown:
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        if self._shown:
            self._thread.join()

    def _draw(self) -> None:
        if self._over.wait(QUIET):
            return
        while True:
            line = printable(self._line())[: self._width - 1]
            click.echo(CLEARED + line, nl=False, err=True, color=True)
            if self._over.wait(PACE):
                break
        click.echo(CLEARED, nl=False, err=True, color=True)

    def _line(self) -> str:
        step = self._step
        params = {"name": step.resource, "seconds": int(time.monotonic() - self._began)}
        if step.check == "rows" and step.resource:
            params |= {"size": Phrase("package.bytes", {"count": step.size})}
            params |= {"rows": number(step.rows, self._language)}
            key = "rows" if step.rows else "opened"
        else:
            key = "disclosure" if step.check == "disclosure" else "description"
        return Phrase(f"cli.at.{key}", params).told(self._language)
