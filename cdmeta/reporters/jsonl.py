"""Reports as JSON lines: each the whole report of `json`, on a line of its own."""

from __future__ import annotations

import json

from cdmeta.finding import Report, Result
from cdmeta.phrase import closest, say
from cdmeta.reporters.json_ import FORMAT_VERSION, as_dict, clean


def render(report: Report, *, color: bool = False, width: int = 80, language: str = "en") -> str:  # noqa: ARG001  # every reporter is called alike
    """The report as one line."""
    return json.dumps(clean(as_dict(report, language)), ensure_ascii=False, allow_nan=False) + "\n"


def line(result: Result, gate: str, language: str = "en") -> str:
    """The result of one package of several; where it has no report, `error` says why, and `valid` is false."""
    if result.report is not None:
        return render(result.report, language=language)
    told = {
        "format_version": FORMAT_VERSION,
        "language": closest(language),
        "source": result.source,
        "gate": gate,
        "valid": False,
        "error": say(result.error, language),
    }
    return json.dumps(clean(told), ensure_ascii=False) + "\n"
