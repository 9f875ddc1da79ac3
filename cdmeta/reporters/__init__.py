"""Reporters: how a report is shown. Each is a module with a pure function `render(report, style) -> str`."""

from __future__ import annotations

from importlib import import_module
from typing import Protocol, cast

from cdmeta.finding import Report
from cdmeta.reporters.shown import Style

REPORTERS = {
    "text": "cdmeta.reporters.text",
    "json": "cdmeta.reporters.json_",
    "jsonl": "cdmeta.reporters.jsonl",
    "html": "cdmeta.reporters.html_",
    "sarif": "cdmeta.reporters.sarif",
    "junit": "cdmeta.reporters.junit",
    "github": "cdmeta.reporters.github",
}
"""Name of a report format to its module, imported when it is used."""


class _Reporter(Protocol):
    def render(self, report: Report, style: Style) -> str: ...


def render(
    report: Report,
    name: str = "text",
    *,
    color: bool = False,
    width: int = 80,
    language: str = "en",
    limit: int | None = None,
) -> str:
    """Show a report.

    Args:
        report: what to show.
        name: a key of REPORTERS.
        color: True where escape sequences of ANSI terminals may be used; only for text.
        width: columns of the terminal; only for text.
        language: BCP 47 tag of the words; English where there is no translation.
        limit: findings of one rule that text and html show, 0 for all; None for what is usual there.
    """
    reporter = cast(_Reporter, import_module(REPORTERS[name]))
    return reporter.render(report, Style(color, width, language, limit))
