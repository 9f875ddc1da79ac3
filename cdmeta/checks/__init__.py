"""The checks of a package, in order: each takes a Package and yields findings, and none of them raises."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from importlib import import_module

from cdmeta.finding import Finding
from cdmeta.package import Package

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
    "cdmeta.checks.recommended",
)


def run(package: Package) -> tuple[Finding, ...]:
    """All findings of all checks, each once, in order."""
    found = dict.fromkeys(package.findings)
    for name in CHECKS if package.readable else ():
        check: Check = import_module(name).check
        found |= dict.fromkeys(check(package))
    return tuple(found)
