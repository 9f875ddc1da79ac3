"""Figures that are to be computed from records: whether what is declared of them can be used (CD748 to CD755)."""

from __future__ import annotations

from collections.abc import Iterator

from cdmeta.checks.columns import release
from cdmeta.finding import Finding
from cdmeta.indicators import indicators
from cdmeta.package import Package


def check(package: Package) -> Iterator[Finding]:
    """Read the declarations, and compare their thresholds with those of the profile."""
    findings: list[Finding] = []
    tables = indicators(package, findings)
    yield from findings
    limit = int(release(package).threshold("cell"))
    for table in tables:
        if 0 < table.threshold < limit:
            yield Finding("CD755", table.where, {"name": table.name, "limit": limit})
