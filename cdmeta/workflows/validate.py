"""`cdmeta validate`: a path → its package → all checks and the Framework's decision → a report."""

from __future__ import annotations

from pathlib import Path

from cdmeta import checks, framework
from cdmeta.finding import Report, told_at
from cdmeta.package import Package, load


def validate(path: str | Path, gate: str = "publish") -> Report:
    """Check the package at a path.

    Raises:
        PackageError: there is no package at the path.
    """
    return examine(load(path), gate)


def examine(package: Package, gate: str = "publish") -> Report:
    """Check a package.

    Args:
        package: a package, however bad.
        gate: the gate by which severities are taken, one of `profile.GATES`.
    """
    decision = framework.decide(framework.read(package.answers)).as_dict() if package.readable else None
    return Report(
        source=package.source,
        findings=told_at(checks.run(package), gate),
        decision=decision,
        gate=gate,
        name=_text(package, "name"),
        version=_text(package, "version"),
    )


def _text(package: Package, key: str) -> str | None:
    value = package.descriptor.get(key)
    return value if isinstance(value, str) and value.strip() else None
