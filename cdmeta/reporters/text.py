"""A report as text for people: the verdict first, then what is wrong, worst first, then what to do next."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cdmeta.finding import OPEN_QUESTIONS, SEVERITIES, Finding, Report
from cdmeta.phrase import Citation, Phrase, Series, number, title_of
from cdmeta.profile import Severity
from cdmeta.quality import Dimension, Quality
from cdmeta.reporters import shown
from cdmeta.reporters.shown import Style

MAX_PLACES = 5
"""Places of one kind of finding that are usually shown."""

_STYLES = {"error": "1;31", "warning": "1;33", "info": "1;36", "good": "1;32", "bold": "1", "plain": ""}
_MIN_WIDTH, _MAX_WIDTH = 20, 100
# French sets no-break spaces before a colon and between thousands; str.split would break there.
_BREAK = re.compile(r"[^\S\u00a0\u202f]+")


@dataclass(frozen=True)
class Page:
    """How lines are laid out, and their words."""

    asked: Style

    @property
    def language(self) -> str:
        """The language of its words."""
        return self.asked.language

    @property
    def width(self) -> int:
        """Columns, as many as can be read well."""
        return min(max(self.asked.width, _MIN_WIDTH), _MAX_WIDTH)

    def say(self, key: str, **params: object) -> str:
        """The text `report.KEY`."""
        return Phrase(f"report.{key}", params).told(self.language)

    def style(self, line: str, name: str) -> str:
        """A line as a key of `_STYLES` has it, where there is colour."""
        return f"\x1b[{_STYLES[name]}m{line}\x1b[0m" if self.asked.color and _STYLES[name] else line

    def lines(self, text: str, indent: str = "", style: str = "plain") -> Iterator[str]:
        """Text broken to the width, every line behind the indent; an item's mark stands in the first line only."""
        hanging = indent.replace("-", " ")
        for index, line in enumerate(wrap(text, self.width - len(indent))):
            yield (indent if index == 0 else hanging) + self.style(line, style)


def render(report: Report, style: Style) -> str:
    """The report as text, with a line break at its end; lines have 20 to 100 columns."""
    page, told = Page(style), shown.as_shown(report)
    parts = [list(_verdict(told, page))]
    for severity in SEVERITIES:
        groups = shown.groups(told.of(severity))
        if groups:
            parts.append(list(page.lines(page.say(severity).upper(), style=severity)))
            parts += [list(_group(group, severity, page)) for group in groups]
    parts.append(list(page.lines(shown.unofficial(told, page.language))))
    if report.quality:
        parts += [list(part) for part in _weighed(report.quality, page)]
    parts.append(list(_next(report, page)))
    return "\n\n".join("\n".join(lines) for lines in parts if lines) + "\n"


def _verdict(report: Report, page: Page) -> Iterator[str]:
    verdict = shown.verdict(report, page.language)
    if report.decision:
        verdict += " " + page.say(f"outcome.{report.decision['outcome']}")
    yield from page.lines(verdict, style="good" if report.valid else "error")
    yield from page.lines(shown.subject(report, page.language))
    if report.gate != "publish":
        yield from page.lines(page.say(f"gate.{report.gate}"))


def _group(findings: Sequence[Finding], severity: Severity, page: Page) -> Iterator[str]:
    rule = findings[0].rule
    count = f" ({number(len(findings), page.language)})" if len(findings) > 1 else ""
    yield from page.lines(f"{rule.code} {findings[0].title(page.language)}{count}", style=severity)
    yield from (_questions if rule.code in OPEN_QUESTIONS else _places)(findings, page)
    if rule.source:
        yield from page.lines(page.say("source", source=Citation(rule.source)), "  ")


def _more(findings: Sequence[Finding], some: Sequence[Finding], page: Page) -> Iterator[str]:
    if len(some) < len(findings):
        yield from page.lines(page.say("more", count=len(findings) - len(some)), "  - ")


def _questions(findings: Sequence[Finding], page: Page) -> Iterator[str]:
    explained: set[str] = set()
    some = page.asked.some(findings, MAX_PLACES)
    for finding in some:
        asked = shown.question(finding, page.language)
        question, mark, explanation = asked["question"].partition("? ")
        if explanation in explained:
            asked["question"] = question + mark.strip()
        explained.add(explanation)
        yield from page.lines(page.say("question.because" if "because" in asked else "question", **asked), "  - ")
    yield from _more(findings, some, page)
    yield from page.lines(page.say("remedy", remedy=page.say("answer")), "  ")


def _places(findings: Sequence[Finding], page: Page) -> Iterator[str]:
    some = page.asked.some(findings, MAX_PLACES)
    remedies = {finding.remedy(page.language) for finding in some}
    for finding in some:
        yield from page.lines(shown.at_place(finding, page.language), "  - ")
        if len(remedies) > 1:
            yield from page.lines(page.say("remedy", remedy=finding.remedy(page.language)), "    ")
    yield from _more(findings, some, page)
    if len(remedies) == 1:
        yield from page.lines(page.say("remedy", remedy=remedies.pop()), "  ")


def _weighed(quality: Quality, page: Page) -> Iterator[Iterator[str]]:
    """What a statistical office weighs, part by part."""
    yield page.lines(page.say("gateway").upper(), style="bold")
    yield (
        line for step in quality.gateway for line in page.lines(shown.gateway_step(step, page.language), "  - ")
    )
    yield page.lines(page.say("quality").upper(), style="bold")
    yield page.lines(page.say("quality.about"))
    for dimension in quality.dimensions:
        yield _dimension(dimension, page)


def _dimension(dimension: Dimension, page: Page) -> Iterator[str]:
    yield from page.lines(dimension.title.told(page.language), style="bold")
    for answer in dimension.answers:
        told = page.say("quality.answer", title=title_of(answer.path), answer=answer.told(page.language))
        yield from page.lines(told, "  - ")
    if dimension.silent:
        titles = Series(tuple(title_of(path) for path in dimension.silent))
        yield from page.lines(page.say("quality.silent", titles=titles), "  ")


def _next(report: Report, page: Page) -> Iterator[str]:
    told, command = shown.following(report, page.language)
    yield from page.lines(told)
    if command:
        yield f"  {command}"


def wrap(text: str, width: int) -> list[str]:
    """Break a text into lines of at most `width` terminal columns; only a word longer than that is cut."""
    lines, line = [], ""
    for word in filter(None, _BREAK.split(text)):
        joined = f"{line} {word}" if line else word
        if columns(joined) <= width:
            line = joined
            continue
        if line:
            lines.append(line)
        *full, line = _cut(word, width)
        lines += full
    return [*lines, line] if line else lines


def columns(text: str) -> int:
    """The columns that a terminal takes for a text: two for wide characters, none for marks on others."""
    return sum(map(_columns, text)) if not text.isascii() else len(text)


def _columns(character: str) -> int:
    if unicodedata.combining(character) or unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _cut(word: str, width: int) -> list[str]:
    pieces, piece, used = [], "", 0
    for character in word:
        size = _columns(character)
        if used + size > max(width, 2):
            pieces.append(piece)
            piece, used = "", 0
        piece, used = piece + character, used + size
    return [*pieces, piece]
