"""The Copenhagen decision: what was declared → outcome, rule, paragraphs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

OUTCOMES = ("CITIZEN_DATA", "ASSESS", "NOT_CITIZEN_DATA", "OUT_OF_SCOPE", "INSUFFICIENT_INFORMATION")


@dataclass(frozen=True)
class Decision:
    """The Framework's decision on one initiative.

    Attributes:
        outcome: one of OUTCOMES.
        rule: id of the rule that gave it: `R0`, `T1` … `O1`; empty where several rules give the same outcome.
        paragraphs: where in the Framework it rests.
        open: paths of the fields whose answers would settle it; only for INSUFFICIENT_INFORMATION.
        errors: ids of the contradictions declared (`T1`, `T2`, `T3`, `N2`).
        warnings: ids of the consistency findings (`W1` … `W5`).
    """

    outcome: str
    rule: str
    paragraphs: tuple[str, ...] = ()
    open: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """For reports."""
        return {key: list(value) if isinstance(value, tuple) else value for key, value in self.__dict__.items()}
