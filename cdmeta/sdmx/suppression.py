"""Which cells of a table with totals are left empty, so that none of them can be worked out from the others.

A cell whose figures must not be told is hidden, and with it others that make up for it: a hypercube, one pair of
codes in each dimension (J. M. Gonzalez and Repsilber's method; Handbook on Statistical Disclosure Control, 2nd
edition, chapter 4). If the cells at its corners are moved by one, up and down in turn, all totals stay as they
are: so each table of figures that is published has another one behind it that differs in that cell. Where a pair
is a code and its total, both move the same way. A hypercube proves this only if no count becomes impossible:
whole numbers, none below zero, none of a cell that is shown to be there below one.

What is promised: for each hidden cell, and each count behind its figures, there is another table of counts that
agrees with all that is published. No hidden cell can be worked out exactly; how closely, is not limited beyond
that hidden parts of a total that is shown are of at least so many rows as a cell has to have.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import nsmallest
from itertools import islice, product

from cdmeta.indicators import TOTAL

Key = tuple[str, ...]
"""A cell: a code for each dimension, `_T` for all of them."""
_CANDIDATES, _TRIED = 6, 2000
"""Codes of a dimension that are tried for the other side of a hypercube, and hypercubes that are tried."""


@dataclass(frozen=True)
class Cell:
    """What stands behind the figures of a cell.

    Attributes:
        counts: rows, then the counts behind each figure; that of a total is the sum of those of its parts.
        is_unsafe: its figures must not be told.
    """

    counts: tuple[int, ...]
    is_unsafe: bool = False


@dataclass(frozen=True)
class Corner:
    """A corner of a hypercube, and whether it moves with the cell that it protects."""

    key: Key
    is_with: bool


@dataclass
class _State:
    """What has been hidden so far, and which counts of which cells are protected, by which hypercube."""

    hidden: set[Key]
    proofs: dict[tuple[Key, int], tuple[Corner, ...]] = field(default_factory=dict)


@dataclass
class _Search:
    """What the best hypercube found so far costs."""

    least: int


class Table:
    """A table with all its totals, of one period.

    Args:
        cells: all that are not empty, those of totals too.
        is_shown: tells whether a cell is published, as far as it need not be hidden.
        threshold: the least number of rows that hidden parts of a total have together.
    """

    def __init__(self, cells: Mapping[Key, Cell], is_shown: Callable[[Key], bool], threshold: int) -> None:
        self._cells, self._threshold = cells, threshold
        self._shown = {key for key in cells if is_shown(key)}
        self._width = len(next(iter(cells.values())).counts) if cells else 0
        self._lines = self._read_lines()
        self._totals = self._read_totals()
        self._part: dict[Key, Key] = {}
        for key in sorted(key for key in cells if TOTAL not in key):
            for total in product(*((code, TOTAL) for code in key)):
                self._part.setdefault(total, key)

    def _read_lines(self) -> dict[tuple[int, Key], list[Key]]:
        """Dimension and total → the cells that it is the sum of."""
        lines: dict[tuple[int, Key], list[Key]] = {}
        for key in sorted(self._cells):
            for dimension, code in enumerate(key):
                if code != TOTAL:
                    lines.setdefault((dimension, _with(key, dimension, TOTAL)), []).append(key)
        return lines

    def _read_totals(self) -> dict[tuple[Key, tuple[bool, ...]], list[Key]]:
        """Total, and which dimensions its parts are told apart by → the parts, where all of them are published."""
        found: dict[tuple[Key, tuple[bool, ...]], list[Key]] = {}
        for key in sorted(self._shown):
            kind = tuple(code != TOTAL for code in key)
            for total in product(*((code, TOTAL) if code != TOTAL else (TOTAL,) for code in key)):
                if total != key and total in self._shown:
                    found.setdefault((total, kind), []).append(key)
        return found

    def protected(self) -> tuple[frozenset[Key], bool]:
        """The cells to hide, and whether each of them is proved to be safe."""
        state = _State({key for key in self._shown if self._cells[key].is_unsafe})
        waiting = deque(sorted(state.hidden))
        while waiting:
            while waiting:
                key = waiting.popleft()
                for number in range(self._width):
                    if (key, number) not in state.proofs:
                        waiting += self._protect(state, key, number)
            waiting += self._fill(state)
        return frozenset(state.hidden), self.is_proved(state)

    def is_proved(self, state: _State) -> bool:
        """Each hidden cell has, for each count, a hypercube of hidden cells that is possible; each line too."""
        for key in state.hidden:
            for number in range(self._width):
                corners = state.proofs.get((key, number), ())
                held = any(corner.key == key for corner in corners)
                if not held or not self._is_possible(corners, number) or self._new(state, corners):
                    return False
        return not any(True for _ in self._thin(state))

    def _new(self, state: _State, corners: Sequence[Corner]) -> list[Key]:
        return [c.key for c in corners if c.key in self._shown and c.key not in state.hidden]

    def _protect(self, state: _State, key: Key, number: int) -> list[Key]:
        """Hide the cheapest hypercube for a count of a cell; gives the cells that are hidden anew."""
        best = self._to_totals(key)
        least = self._cost(state, best)
        search = _Search(least)
        for corners in islice(self._grown(state, search, (Corner(key, is_with=True),), 0), _TRIED):
            if self._is_possible(corners, number):
                best, search.least = corners, self._cost(state, corners)
            if not search.least:
                break
        new = self._new(state, best)
        state.hidden.update(new)
        for corner in best:
            state.proofs.setdefault((corner.key, number), best)
        return new

    def _to_totals(self, key: Key) -> tuple[Corner, ...]:
        """A cell and all its totals, of one part: it protects whatever the counts are, and costs most."""
        pairs = ((code, TOTAL) for code in self._part[key])
        return tuple(Corner(corner, is_with=True) for corner in product(*pairs))

    def _grown(
        self, state: _State, search: _Search, corners: tuple[Corner, ...], dimension: int
    ) -> Iterator[tuple[Corner, ...]]:
        """Hypercubes with a cell at one corner, all of whose corners are there, cheaper than the best so far."""
        if dimension == len(corners[0].key):
            yield corners
            return
        for code, is_with in self._others(state, corners[0].key, dimension):
            added = tuple(Corner(_with(c.key, dimension, code), c.is_with == is_with) for c in corners)
            if all(corner.key in self._cells for corner in added):
                grown = corners + added
                if self._cost(state, grown) < search.least:
                    yield from self._grown(state, search, grown, dimension + 1)

    def _others(self, state: _State, key: Key, dimension: int) -> list[tuple[str, bool]]:
        """Codes for the other side of a dimension, the best first, and whether they move with this one."""
        is_total = key[dimension] == TOTAL
        line = self._lines.get((dimension, _with(key, dimension, TOTAL)), [])
        rest = (part for part in line if part != key)
        parts = nsmallest(_CANDIDATES, rest, key=lambda part: (self._price(state, part), part))
        others = [(part[dimension], is_total) for part in parts]
        return others if is_total else [*others, (TOTAL, True)]

    def _cost(self, state: _State, corners: Sequence[Corner]) -> int:
        return sum(self._price(state, corner.key) for corner in corners)

    def _price(self, state: _State, key: Key) -> int:
        """What is lost with a cell; nothing with one that is hidden or not published at all."""
        return 0 if key in state.hidden or key not in self._shown else 1 + self._cells[key].counts[0]

    def _is_possible(self, corners: Sequence[Corner], number: int) -> bool:
        """Some cells go up by one row of a kind and others down: one way or the other round."""
        return any(
            all(self._can_lose(corner.key, number) for corner in corners if corner.is_with == way)
            for way in (True, False)
        )

    def _can_lose(self, key: Key, number: int) -> bool:
        counts = self._cells[key].counts
        return counts[number] >= 1 and counts[0] >= (2 if key in self._shown else 1)

    def _fill(self, state: _State) -> list[Key]:
        """Where what is hidden of a total is too little, hide one part more, or the total."""
        new: list[Key] = []
        for total, parts in list(self._thin(state)):
            left = [part for part in parts if part not in state.hidden]
            left.sort(key=lambda part: (self._cells[part].counts[0], part))
            chosen = left[0] if left else total
            if chosen not in state.hidden:
                state.hidden.add(chosen)
                new.append(chosen)
        return new

    def _thin(self, state: _State) -> Iterator[tuple[Key, list[Key]]]:
        """Totals that are shown and of which fewer rows are hidden than a cell has to have, none excepted."""
        for (total, _), parts in self._totals.items():
            if total in state.hidden:
                continue
            hidden = [self._cells[part].counts for part in parts if part in state.hidden]
            sums = [sum(column) for column in zip(*hidden, strict=True)]
            if hidden and (len(hidden) < 2 or any(0 < count < self._threshold for count in sums)):
                yield total, parts


def _with(key: Key, dimension: int, code: str) -> Key:
    return (*key[:dimension], code, *key[dimension + 1 :])
