"""Patterns of Table Schema, asked within a time.

Python's `re` has no limit: `(a+)+$` keeps it at one cell of forty characters for days. `regex` reads the same
language and stops in time. Where it reads more (`{e}` as mistakes that are allowed, `[:alpha:]` as a class), the
pattern is written so that it means what it means to `re`.
"""

from __future__ import annotations

import re
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any

CELL_SECONDS = 0.5
"""Seconds that a pattern may take over one cell."""
COLUMN_SECONDS = 5.0
"""Seconds that a pattern may take over all cells of a column that it is slow with."""
MAX_PARTS = 100_000
"""Parts of a pattern, repeated ones counted as often as they are repeated: `regex` takes memory for each."""
_SLOW = 0.001
_TOKEN = re.compile(r"\\.|\[\^?\]?|\{(?:[0-9]+(?:,[0-9]*)?|,[0-9]*)\}|.", re.DOTALL)
_IN_CLASS = re.compile(r"\\.|.", re.DOTALL)

Matcher = Callable[[str], bool | None]
"""Whether a whole text is what the pattern says; None where that would take too long."""


class PatternTooLargeError(Exception):
    """A pattern has more than MAX_PARTS."""


def matcher(pattern: str) -> Matcher:
    """Make a pattern ready. Once it has taken too long, it is asked no more.

    Raises:
        re.error, OverflowError, RecursionError: it is no regular expression of Python.
        PatternTooLargeError: it is one that repeats too much.
    """
    import regex

    with warnings.catch_warnings():
        # Python warns of what it may read otherwise some day; the author of a package cannot act on it.
        warnings.simplefilter("ignore")
        if re.compile(pattern).flags & re.VERBOSE:
            raise re.error("verbose")
        tokens = list(_tokens(pattern))
        if _parts(tokens) > MAX_PARTS:
            raise PatternTooLargeError
        try:
            return _timed(regex.compile("".join(tokens)))
        except regex.error as error:
            raise re.error(str(error)) from error


def _timed(compiled: Any) -> Matcher:
    left = COLUMN_SECONDS

    def holds(text: str) -> bool | None:
        nonlocal left
        if left <= 0:
            return None
        began = time.perf_counter()
        try:
            return compiled.fullmatch(text, timeout=CELL_SECONDS) is not None
        except TimeoutError:
            left = 0
            return None
        finally:
            taken = time.perf_counter() - began
            left -= taken if taken > _SLOW else 0

    return holds


def _tokens(pattern: str) -> Iterator[str]:
    """The parts of a pattern that `re` reads, as `regex` reads the same: a class is one."""
    place = 0
    while found := _TOKEN.match(pattern, place):
        part, place = found.group(), found.end()
        while part[0] == "[" and (part[-1] != "]" or part in ("[]", "[^]")):
            step = _IN_CLASS.match(pattern, place)
            if step is None:
                break
            place = step.end()
            part += step.group() if step.group() != "[" else r"\["
            if step.group() == "]":
                break
        yield r"\{" if part == "{" else part


def _parts(tokens: list[str]) -> int:
    """How many parts a pattern has where repetitions are written out."""
    sums, last = [0], 0
    for part in tokens:
        if part == "(":
            sums.append(0)
            last = 0
        elif part == ")" and len(sums) > 1:
            last = sums.pop()
            sums[-1] += last
        elif part[0] == "{" and len(part) > 1:
            times = max(int(number) for number in [*re.findall("[0-9]+", part), "1"])
            sums[-1] += last * (times - 1)
            last *= times
        else:
            last = 1
            sums[-1] += 1
    return sum(sums)
