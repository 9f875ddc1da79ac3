"""How far the check of a package is, for whoever wants to show it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

EVERY = 5_000
"""Rows between two reports of progress."""
T = TypeVar("T")


@dataclass(frozen=True)
class Step:
    """What is being done.

    Attributes:
        check: the name of the check, as `rows`.
        resource: name of the table that is read; empty where none is.
        size: bytes of its files.
        rows: of it read so far; 0 where it is asked of an engine that does not count.
    """

    check: str
    resource: str = ""
    size: int = 0
    rows: int = 0


Progress = Callable[[Step], None]
"""Is told each step, and how many rows have been read, now and then."""


def silent(_: Step) -> None:
    """Tell nobody."""


def counted(rows: Iterable[T], tell: Callable[[int], None]) -> Iterator[T]:
    """The same rows; every EVERY of them, how many have gone by is told."""
    for number, row in enumerate(rows, start=1):
        if not number % EVERY:
            tell(number)
        yield row
