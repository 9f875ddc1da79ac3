"""The results of several packages as text: a line each, the errors grouped, and how many there are of what."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from cdmeta.finding import Finding, Report, Result
from cdmeta.phrase import Phrase, number, say
from cdmeta.reporters.shown import Style, as_shown, following, verdict
from cdmeta.reporters.text import MAX_PLACES, Page
from cdmeta.text import printable


@dataclass
class _Rule:
    """The errors of one code: one of them, in how many packages they are, and the first places."""

    first: Finding
    packages: int = 0
    places: list[str] = field(default_factory=list)


@dataclass
class _Tally:
    """What is left of results that have been told; the reports themselves are let go."""

    lines: list[str] = field(default_factory=list)
    rules: dict[str, _Rule] = field(default_factory=dict)
    states: Counter[str] = field(default_factory=Counter)
    kept: int = 0
    worst: Report | None = None


def render(results: Iterable[Result], style: Style) -> str:
    """The results, in order, as text, with a line break at its end; lines have 20 to 100 columns."""
    page = Page(style)
    tally = _Tally()
    for result in results:
        _count(result, tally, page)
    parts = [tally.lines]
    if tally.rules:
        parts.append(list(page.lines(page.say("error").upper(), style="error")))
        parts += [list(_rule(code, tally.rules[code], page)) for code in sorted(tally.rules)]
    parts += [list(_totals(tally, page)), list(_next(tally, page))]
    return "\n\n".join("\n".join(lines) for lines in parts if lines) + "\n"


def _count(result: Result, tally: _Tally, page: Page) -> None:
    if result.report is None:
        tally.states["unread"] += 1
        tally.lines += page.lines(printable(say(result.error, page.language)), style="error")
        return
    report, most = as_shown(result.report), MAX_PLACES if page.asked.limit is None else page.asked.limit
    tally.states["valid" if report.valid else "invalid"] += 1
    tally.kept += result.cached
    tally.worst = tally.worst or (None if report.valid else report)
    told = Phrase("error.path", {"path": printable(result.source, 200), "what": verdict(report, page.language)})
    tally.lines += page.lines(told.told(page.language), style="plain" if report.valid else "error")
    for code, count in Counter(finding.code for finding in report.errors).items():
        first = next(finding for finding in report.errors if finding.code == code)
        rule = tally.rules.setdefault(code, _Rule(first))
        rule.packages += 1
        if rule.packages <= most or not most:
            times = f" ({number(count, page.language)})" if count > 1 else ""
            rule.places.append(printable(result.source, 200) + times)


def _rule(code: str, rule: _Rule, page: Page) -> Iterator[str]:
    title = rule.first.title(page.language)
    yield from page.lines(f"{code} {title} ({_packages(rule.packages, page)})", style="error")
    for place in rule.places:
        yield from page.lines(place, "  - ")
    if (more := rule.packages - len(rule.places)) > 0:
        yield from page.lines(page.say("more", count=more), "  - ")


def _packages(count: int, page: Page) -> str:
    return page.say("many.packages", count=count)


def _totals(tally: _Tally, page: Page) -> Iterator[str]:
    total = tally.states.total()
    counts = {state: number(tally.states[state], page.language) for state in ("valid", "invalid", "unread")}
    said = page.say("many.totals", packages=number(total, page.language), **counts)
    yield from page.lines(said, style="good" if tally.states["valid"] == total else "bold")
    if tally.kept:
        yield from page.lines(page.say("many.kept", packages=_packages(tally.kept, page)))


def _next(tally: _Tally, page: Page) -> Iterator[str]:
    if tally.worst is not None:
        yield from page.lines(page.say("many.next"))
        yield "  " + following(tally.worst, page.language)[1]
