"""A report as JSON lines, for programs that read line by line: what is true of the whole, then each finding."""

from __future__ import annotations

from cdmeta.finding import Report
from cdmeta.reporters.json_ import as_dict, written
from cdmeta.reporters.shown import Style


def render(report: Report, style: Style) -> str:
    """The report as JSON objects, one a line; the members are those of the JSON report."""
    whole = as_dict(report, style.language)
    findings = whole.pop("findings")
    return "".join(written(value) for value in (whole, *findings))
