"""The rows of all tables against their schemas."""

from __future__ import annotations

from collections.abc import Iterator

from cdmeta.finding import Finding
from cdmeta.package import Package
from cdmeta.tables.judge import judge
from cdmeta.tables.progress import Progress, silent


def check(package: Package, progress: Progress = silent) -> Iterator[Finding]:
    """What is wrong with rows and files (CD401 to CD432); of a resource that lacks files the loader has told."""
    for resource in package.resources:
        if resource.complete or "path" not in resource.raw:
            yield from judge(package, resource, progress)
