"""The checks of a package, in order: each takes a Package and yields findings, and none of them raises."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from importlib import import_module

from cdmeta.finding import Finding
from cdmeta.package import Package
from cdmeta.tables.progress import Progress, Step, silent

Check = Callable[[Package], Iterable[Finding]]

CHECKS = (
    "cdmeta.checks.descriptor",
    "cdmeta.checks.contradictions",
    "cdmeta.checks.participation",
    "cdmeta.checks.consent",
    "cdmeta.checks.release",
    "cdmeta.checks.principles",
    "cdmeta.checks.official",
    "cdmeta.checks.safety",
    "cdmeta.checks.rows",
    "cdmeta.checks.disclosure",
    "cdmeta.checks.indicators",
    "cdmeta.checks.recommended",
)

ROWS = "cdmeta.checks.rows"
"""The check that tells its progress itself."""


def run(package: Package, progress: Progress = silent) -> tuple[Finding, ...]:
    """All findings of all checks, each once, in order.

    Args:
        package: a package, however bad.
        progress: is told which check comes, and how far that of the rows is.
    """
    found = dict.fromkeys(package.findings)
    for name in CHECKS if package.readable else ():
        check: Check = import_module(name).check
        if name == ROWS:
            check = partial(import_module(name).check, progress=progress)
        else:
            progress(Step(name.rpartition(".")[2]))
        found |= dict.fromkeys(check(package))
    return tuple(found)
