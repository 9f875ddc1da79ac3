"""A report as JSON, for programs; docs/report.schema.json describes it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from cdmeta.finding import Finding, Report
from cdmeta.phrase import closest
from cdmeta.reporters.shown import Style
from cdmeta.text import printable

FORMAT_VERSION = "1.3"
"""Raised in its first part when a member goes or changes its meaning, in its second when one is added."""


def render(report: Report, style: Style) -> str:
    """The report as one JSON object, with a line break at its end."""
    return written(as_dict(report, style.language), indent=2)


def written(value: Any, indent: int | None = None) -> str:
    """A value as JSON whose texts can be shown anywhere, a line break at its end; without indent on one line."""
    return json.dumps(clean(value), ensure_ascii=False, indent=indent, allow_nan=False) + "\n"


def as_dict(report: Report, language: str = "en") -> dict[str, Any]:
    """The report as plain values."""
    return {
        "format_version": FORMAT_VERSION,
        "language": closest(language),
        **of_the_whole(report),
        "findings": [_finding(finding, report.gate, language) for finding in report.findings],
        "quality": report.quality.as_dict(language) if report.quality else None,
    }


def of_the_whole(report: Report) -> dict[str, Any]:
    """What is true of the report as a whole: of what, by which gate, how it ended."""
    return {
        "about": report.about,
        "source": report.source,
        "name": report.name,
        "version": report.version,
        "gate": report.gate,
        "valid": report.valid,
        "counts": report.counts,
        "decision": report.decision,
    }


def _finding(finding: Finding, gate: str, language: str) -> dict[str, Any]:
    return {
        "code": finding.code,
        "severity": finding.severity(gate),
        "title": finding.title(language),
        "message": finding.message(language),
        "remedy": finding.remedy(language),
        "source": finding.rule.source,
        "where": finding.where.as_dict(),
        "params": finding.spoken(language),
    }


def clean(value: Any) -> Any:
    """Plain JSON values whose texts can be written and shown anywhere."""
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, Mapping):
        return {printable(str(key)): clean(part) for key, part in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [clean(part) for part in value]
    return value if value is None or isinstance(value, (bool, int, float)) else printable(str(value))
