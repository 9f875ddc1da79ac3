"""Reports as JSON lines: each the whole report of `json`, on a line of its own."""

from __future__ import annotations

from cdmeta.finding import Report, Result
from cdmeta.phrase import closest, say
from cdmeta.reporters.json_ import FORMAT_VERSION, as_dict, written
from cdmeta.reporters.shown import Style


def render(report: Report, style: Style) -> str:
    """The report as one line."""
    return written(as_dict(report, style.language))


def line(result: Result, gate: str, language: str = "en") -> str:
    """The result of one package of several; where it has no report, `error` says why, and `valid` is false."""
    if result.report is not None:
        return render(result.report, Style(language=language))
    told = {
        "format_version": FORMAT_VERSION,
        "language": closest(language),
        "source": result.source,
        "gate": gate,
        "valid": False,
        "error": say(result.error, language),
    }
    return written(told)
