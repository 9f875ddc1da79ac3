"""`cdmeta validate`: a path → its package → all checks and the Framework's decision → a report."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from cdmeta import checks, framework, layout
from cdmeta.finding import Finding, Report, told_at
from cdmeta.package import DESCRIPTOR, Package, load
from cdmeta.profile import Severity
from cdmeta.quality import Quality, gateway, summary
from cdmeta.tables.progress import Progress, silent

OFFICIAL = "official"


def validate(path: str | Path, gate: str = "publish", progress: Progress = silent) -> Report:
    """Check the package at a path.

    Args:
        path: of a folder, a descriptor or a zip.
        gate: one of `profile.GATES`.
        progress: is told what is being done, now and then.

    Raises:
        PackageError: there is no package at the path.
    """
    return examine(load(path), gate, progress)


def examine(package: Package, gate: str = "publish", progress: Progress = silent) -> Report:
    """Check a package.

    Args:
        package: a package, however bad.
        gate: the gate by which severities are taken, one of `profile.GATES`.
        progress: is told what is being done, now and then.
    """
    decision = framework.decide(framework.read(package.answers)).as_dict() if package.readable else None
    findings = told_at(checks.run(package, progress), gate)
    return Report(
        source=package.source,
        findings=findings,
        decision=decision,
        gate=gate,
        name=_text(package, "name"),
        version=_text(package, "version"),
        quality=_weigh(package, findings, decision["outcome"]) if decision and gate == OFFICIAL else None,
        lines=_lines(package, findings) if package.readable else {},
    )


def _lines(package: Package, findings: Iterable[Finding]) -> dict[str, int]:
    places = (finding.where for finding in findings)
    return layout.lines(package.raw, [at.pointer for at in places if at.pointer and at.file in (None, DESCRIPTOR)])


def _weigh(package: Package, findings: Iterable[Finding], outcome: str) -> Quality:
    errors, warnings = (tuple(_keys(findings, severity)) for severity in ("error", "warning"))
    return Quality(gateway(errors, warnings, outcome), summary(package.descriptor, package.language))


def _keys(findings: Iterable[Finding], severity: Severity) -> Iterator[str]:
    for finding in findings:
        if finding.severity(OFFICIAL) == severity:
            yield f"{finding.code}:{finding.where.pointer or ''}"


def _text(package: Package, key: str) -> str | None:
    value = package.descriptor.get(key)
    return value if isinstance(value, str) and value.strip() else None
