"""A report as text for people: the verdict first, then what is wrong, worst first, then what to do next."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from cdmeta.finding import SEVERITIES, Finding, Report, Where
from cdmeta.package import DESCRIPTOR
from cdmeta.phrase import ENGLISH, Citation, Phrase, Series, closest, number, title_of
from cdmeta.profile import Severity
from cdmeta.quality import Dimension, Quality, Step
from cdmeta.text import printable

MAX_PLACES = 5
"""Places of one kind of finding that are shown; open questions are shown all, as each has to be answered."""
QUESTIONS = ("CD130", "CD131")
FRAMEWORK = ("CD201", "CD202", "CD203", "CD204")
"""Findings that tell what the Framework says of a case."""

_STYLES = {"error": "1;31", "warning": "1;33", "info": "1;36", "good": "1;32", "bold": "1", "plain": ""}
_MIN_WIDTH, _MAX_WIDTH = 20, 100
# French sets no-break spaces before a colon and between thousands; str.split would break there.
_BREAK = re.compile(r"[^\S\u00a0\u202f]+")


@dataclass(frozen=True)
class Page:
    """How lines are laid out, and their words."""

    color: bool
    width: int
    language: str

    @classmethod
    def of(cls, color: bool, width: int, language: str) -> Page:
        """A page as wide as can be read well."""
        return cls(color, min(max(width, _MIN_WIDTH), _MAX_WIDTH), language)

    def say(self, key: str, **params: object) -> str:
        """The text `report.KEY`."""
        return Phrase(f"report.{key}", params).told(self.language)

    def verdict(self, report: Report) -> str:
        """Whether a package is valid, and how many errors and warnings it has."""
        counts = report.counts
        key = "invalid" if not report.valid else "valid-warnings" if counts["warning"] else "valid"
        errors, warnings = (number(counts[severity], self.language) for severity in ("error", "warning"))
        return self.say(key, errors=errors, warnings=warnings)

    def style(self, line: str, name: str) -> str:
        """A line as a key of `_STYLES` has it, where there is colour."""
        return f"\x1b[{_STYLES[name]}m{line}\x1b[0m" if self.color and _STYLES[name] else line

    def lines(self, text: str, indent: str = "", style: str = "plain") -> Iterator[str]:
        """Text broken to the width, every line behind the indent; an item's mark stands in the first line only."""
        hanging = indent.replace("-", " ")
        for index, line in enumerate(wrap(text, self.width - len(indent))):
            yield (indent if index == 0 else hanging) + self.style(line, style)


def render(report: Report, *, color: bool = False, width: int = 80, language: str = "en") -> str:
    """The report as text, with a line break at its end.

    Args:
        report: what to show.
        color: True where escape sequences of ANSI terminals may be used.
        width: columns of the terminal; lines are never shorter than 20 or longer than 100.
        language: BCP 47 tag of the words; English where there is no translation.
    """
    page = Page.of(color, width, language)
    shown = as_shown(report)
    parts = [list(_verdict(shown, page))]
    for severity in SEVERITIES:
        groups = _groups(shown.of(severity))
        if groups:
            parts.append(list(page.lines(page.say(severity).upper(), style=severity)))
            parts += [list(_group(group, severity, page)) for group in groups]
    if any(finding.code in FRAMEWORK for finding in shown.findings) and closest(language) != ENGLISH:
        parts.append(list(page.lines(Phrase("translation.unofficial").told(language))))
    if report.quality:
        parts += [list(part) for part in _weighed(report.quality, page)]
    parts.append(list(_next(report, page)))
    return "\n\n".join("\n".join(lines) for lines in parts if lines) + "\n"


def as_shown(report: Report) -> Report:
    """The report without findings that another one says better."""
    return replace(report, findings=tuple(_without_implied(report.findings)))


def _without_implied(findings: Sequence[Finding]) -> Iterator[Finding]:
    """Leave out what another finding, at the same place or within it, says better (`implies` in rules.csv)."""
    implied = {(code, finding.where.pointer or "") for finding in findings for code in finding.rule.implies}
    codes = {code for code, _ in implied}
    for finding in findings:
        own = finding.where.pointer or ""
        if finding.code not in codes or not any(
            code == finding.code and f"{pointer}/".startswith(f"{own}/") for code, pointer in implied
        ):
            yield finding


def _verdict(report: Report, page: Page) -> Iterator[str]:
    verdict = page.verdict(report)
    if report.decision:
        verdict += " " + page.say(f"outcome.{report.decision['outcome']}")
    yield from page.lines(verdict, style="good" if report.valid else "error")
    named = " ".join(printable(part, 80) for part in (report.name, report.version) if part)
    yield from page.lines(
        page.say("subject", source=printable(report.source, 200), name=named or page.say("unnamed"))
    )
    if report.gate != "publish":
        yield from page.lines(page.say(f"gate.{report.gate}"))


def _groups(findings: Sequence[Finding]) -> list[list[Finding]]:
    """Findings by code, in the order of the codes: what keeps a package from being read comes first."""
    groups: dict[str, list[Finding]] = {}
    for finding in findings:
        groups.setdefault(finding.code, []).append(finding)
    return [groups[code] for code in sorted(groups)]


def _group(findings: Sequence[Finding], severity: Severity, page: Page) -> Iterator[str]:
    rule = findings[0].rule
    count = f" ({number(len(findings), page.language)})" if len(findings) > 1 else ""
    yield from page.lines(f"{rule.code} {findings[0].title(page.language)}{count}", style=severity)
    if rule.code in QUESTIONS:
        yield from _questions(findings, page)
    else:
        yield from _places(findings, page)
    if rule.source:
        yield from page.lines(page.say("source", source=Citation(rule.source)), "  ")


def _questions(findings: Sequence[Finding], page: Page) -> Iterator[str]:
    explained: set[str] = set()
    for finding in findings:
        asked = {key: printable(str(value)) for key, value in finding.spoken(page.language).items()}
        question, mark, explanation = asked["question"].partition("? ")
        if explanation in explained:
            asked["question"] = question + mark.strip()
        explained.add(explanation)
        yield from page.lines(page.say("question.because" if "because" in asked else "question", **asked), "  - ")
    yield from page.lines(page.say("remedy", remedy=page.say("answer")), "  ")


def _places(findings: Sequence[Finding], page: Page) -> Iterator[str]:
    shown = findings[:MAX_PLACES]
    remedies = {finding.remedy(page.language) for finding in shown}
    for finding in shown:
        where, message = place(_unsaid(finding), page.language), finding.message(page.language)
        yield from page.lines(f"{where}: {message}" if where else message, "  - ")
        if len(remedies) > 1:
            yield from page.lines(page.say("remedy", remedy=finding.remedy(page.language)), "    ")
    if len(shown) < len(findings):
        yield from page.lines(page.say("more", count=len(findings) - len(shown)), "  - ")
    if len(remedies) == 1:
        yield from page.lines(page.say("remedy", remedy=remedies.pop()), "  ")


def _unsaid(finding: Finding) -> Where:
    """Those parts of the place that the message does not name itself."""
    where, template = finding.where, finding.rule.message
    said = {
        name for name, value in finding.params.items() if f"{{{name}" in template and value == _part(where, name)
    }
    if "{path" in template and finding.params.get("path") == dotted(where.pointer or ""):
        said |= {"pointer", "file"}
    return replace(where, **{"file" if name == "path" else name: None for name in said})


def _part(where: Where, name: str) -> str | int | None:
    return where.as_dict().get("file" if name == "path" else name)


def place(where: Where, language: str = "en") -> str:
    """A place in words: `table visits, row 7, column age`; the descriptor is not named, as nearly all is in it.

    A JSON Pointer becomes a dotted path; what stands in a list is counted from 1: `resources #2.schema`.
    """
    parts: list[str] = []
    pointer = dotted(where.pointer or "")
    if where.resource and not where.row and pointer.startswith("resources #"):
        pointer = pointer.partition(".")[2]
    if where.resource:
        parts.append(Phrase("report.where.resource", {"name": printable(where.resource, 80)}).told(language))
    elif where.file and where.file != DESCRIPTOR:
        parts.append(printable(where.file, 120))
    if where.sheet:
        parts.append(Phrase("report.where.sheet", {"name": printable(where.sheet, 80)}).told(language))
    if where.row:
        parts.append(Phrase("report.where.row", {"row": number(where.row, language)}).told(language))
    if where.field:
        parts.append(Phrase("report.where.field", {"name": printable(where.field, 80)}).told(language))
    if pointer and not where.row:
        parts.append(pointer)
    return ", ".join(parts)


def dotted(pointer: str) -> str:
    """A JSON Pointer as a path that people read: `/resources/0/name` is `resources #1.name`."""
    path = ""
    for step in pointer.split("/")[1:]:
        name = printable(step.replace("~1", "/").replace("~0", "~"), 80)
        path += f" #{int(name) + 1}" if name.isdecimal() and len(name) < 10 else f".{name}" if path else name
    return path.strip()


def _weighed(quality: Quality, page: Page) -> Iterator[Iterator[str]]:
    """What a statistical office weighs, part by part."""
    yield page.lines(page.say("gateway").upper(), style="bold")
    yield (line for step in quality.gateway for line in page.lines(_step(step, page), "  - "))
    yield page.lines(page.say("quality").upper(), style="bold")
    yield page.lines(page.say("quality.about"))
    for dimension in quality.dimensions:
        yield _dimension(dimension, page)


def _step(step: Step, page: Page) -> str:
    key = "yes-warnings" if step.state == "yes" and step.codes else step.state
    return page.say(f"gateway.{key}", title=step.title, codes=", ".join(step.codes))


def _dimension(dimension: Dimension, page: Page) -> Iterator[str]:
    yield from page.lines(dimension.title.told(page.language), style="bold")
    for answer in dimension.answers:
        told = page.say("quality.answer", title=title_of(answer.path), answer=answer.told(page.language))
        yield from page.lines(told, "  - ")
    if dimension.silent:
        titles = Series(tuple(title_of(path) for path in dimension.silent))
        yield from page.lines(page.say("quality.silent", titles=titles), "  ")


def _next(report: Report, page: Page) -> Iterator[str]:
    outcome = str(report.decision["outcome"]) if report.decision else ""
    key = "next.valid" if report.valid else "next.invalid"
    if report.valid and outcome == "ASSESS":
        key = "next.assess"
    yield from page.lines(page.say(key))
    yield "  " + command_of(report, key, page)


def command_of(report: Report, key: str, page: Page) -> str:
    """A command on the package of a report, from the text `report.KEY.command`."""
    gate = "" if report.gate == "publish" else f" --gate {report.gate}"
    return page.say(f"{key}.command", source=_quoted(report.source) + gate)


def _quoted(source: str) -> str:
    return f'"{printable(source)}"' if " " in source else printable(source)


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
