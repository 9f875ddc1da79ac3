"""cdmeta: SDMX-compatible metadata and publishing toolkit for citizen data.

What the commands do, from Python:

    import cdmeta

    package = cdmeta.load("examples/water-points/package")  # a folder, its datapackage.json, or a zip
    report = cdmeta.check(package)
    for finding in report.findings:
        print(finding.code, finding.severity(report.gate), finding.message(), finding.remedy())
    if not report.valid:
        print(cdmeta.render(report))
    print(cdmeta.find("CD301"))  # a rule, a field, a code list or a code

What is wrong with data is a `Finding`; what could not be done is a `CdmetaError`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cdmeta.dataset import Dataset, to_dataset
    from cdmeta.errors import ApprovalError, CdmetaError, ConversionError, PackageError
    from cdmeta.finding import Finding, Report, Where
    from cdmeta.framework import Decision
    from cdmeta.package import Package, load
    from cdmeta.profile import find
    from cdmeta.reporters import render
    from cdmeta.workflows.validate import examine as check

__all__ = [
    "ApprovalError",
    "CdmetaError",
    "ConversionError",
    "Dataset",
    "Decision",
    "Finding",
    "Package",
    "PackageError",
    "Report",
    "Where",
    "check",
    "find",
    "load",
    "render",
    "to_dataset",
]

# Public name → where it lies; imported when it is used, so that `import cdmeta` costs next to nothing.
_HOMES = {
    "ApprovalError": "cdmeta.errors:ApprovalError",
    "CdmetaError": "cdmeta.errors:CdmetaError",
    "ConversionError": "cdmeta.errors:ConversionError",
    "Dataset": "cdmeta.dataset:Dataset",
    "Decision": "cdmeta.framework:Decision",
    "Finding": "cdmeta.finding:Finding",
    "Package": "cdmeta.package:Package",
    "PackageError": "cdmeta.errors:PackageError",
    "Report": "cdmeta.finding:Report",
    "Where": "cdmeta.finding:Where",
    "check": "cdmeta.workflows.validate:examine",
    "find": "cdmeta.profile:find",
    "load": "cdmeta.package:load",
    "render": "cdmeta.reporters:render",
    "to_dataset": "cdmeta.dataset:to_dataset",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, _, attribute = _HOMES[name].partition(":")
    return getattr(import_module(module), attribute)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
