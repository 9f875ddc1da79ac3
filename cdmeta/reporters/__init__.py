"""Reporters: how a report is shown. Each is a module with `render(report, *, color, width, language) -> str`."""

from __future__ import annotations

from importlib import import_module
from typing import Protocol, cast

from cdmeta.finding import Report

REPORTERS = {"text": "cdmeta.reporters.text", "json": "cdmeta.reporters.json_", "jsonl": "cdmeta.reporters.jsonl"}
"""Name of a report format to its module, imported when it is used."""


class _Reporter(Protocol):
    def render(self, report: Report, *, color: bool, width: int, language: str) -> str: ...


def render(
    report: Report, name: str = "text", *, color: bool = False, width: int = 80, language: str = "en"
) -> str:
    """Show a report.

    Args:
        report: what to show.
        name: a key of REPORTERS.
        color: True where escape sequences of ANSI terminals may be used.
        width: columns of the terminal; only for text.
        language: BCP 47 tag of the words; English where there is no translation.
    """
    reporter = cast(_Reporter, import_module(REPORTERS[name]))
    return reporter.render(report, color=color, width=width, language=language)
