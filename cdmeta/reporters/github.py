"""A report as workflow commands of GitHub Actions, which shows them at the files of a change.

The form and what has to be escaped in it: GitHub Docs, "Workflow commands for GitHub Actions", and the function
`escapeProperty` of the package @actions/core.
"""

from __future__ import annotations

from collections.abc import Iterator

from cdmeta.finding import SEVERITIES, Finding, Report
from cdmeta.phrase import Phrase
from cdmeta.reporters import shown
from cdmeta.reporters.shown import Style
from cdmeta.text import printable

_COMMANDS = {"error": "error", "warning": "warning", "info": "notice"}


def render(report: Report, style: Style) -> str:
    """The report as workflow commands, one a line: the verdict, then the findings, worst first.

    GitHub shows only the first few of each kind, so the verdict with its counts comes before all.
    """
    told = shown.as_shown(report)
    return "".join(f"{line}\n" for line in _lines(told, style.language))


def _lines(report: Report, language: str) -> Iterator[str]:
    name = shown.named(report, language)
    yield _command("notice", shown.verdict(report, language), title=f"cdmeta: {name}")
    for severity in SEVERITIES:
        for group in shown.groups(report.of(severity)):
            for finding in group:
                yield _command(
                    _COMMANDS[severity], _message(finding, language), **_place(report, finding, language)
                )


def _message(finding: Finding, language: str) -> str:
    remedy = Phrase("report.remedy", {"remedy": finding.remedy(language)}).told(language)
    return f"{shown.at_place(finding, language)} {remedy}"


def _place(report: Report, finding: Finding, language: str) -> dict[str, str]:
    line = shown.line_of(report, finding)
    return {
        "file": shown.path_of(report, shown.file_of(finding)),
        **({"line": str(line)} if line else {}),
        "title": f"{finding.code} {finding.title(language)}",
    }


def _command(name: str, message: str, **properties: str) -> str:
    written = ",".join(f"{key}={_property(printable(value))}" for key, value in properties.items())
    return f"::{name} {written}::{_data(printable(message))}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
