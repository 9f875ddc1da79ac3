"""A report as one page for people: it opens without a network or a script, on a phone, and on paper."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from importlib.resources import files

from cdmeta.finding import OPEN_QUESTIONS, SEVERITIES, Finding, Report
from cdmeta.html import Child, Html, direction, document, element, join, style_block
from cdmeta.phrase import ENGLISH, Citation, Phrase, Series, closest, number, title_of, words
from cdmeta.profile import Severity
from cdmeta.quality import Dimension, Quality, Step
from cdmeta.reporters import shown
from cdmeta.reporters.shown import Style
from cdmeta.text import printable

MAX_PLACES = 20
"""Places of one kind of finding that are usually shown."""

_MARKS = {"error": "✕", "warning": "!", "info": "i", "yes": "✓", "no": "✕", "person": "?"}


@dataclass(frozen=True)
class _Page:
    asked: Style

    @property
    def language(self) -> str:
        return closest(self.asked.language)

    def word(self, key: str, /, **params: object) -> Html:
        return self.marked(Phrase(key, params))

    def marked(self, phrase: Phrase) -> Html:
        """Words of the profile; what stays in English is marked so."""
        own = phrase.language(self.language)
        told = phrase.told(self.language)
        return join([told]) if own == self.language else element("span", told, lang=own)


def render(report: Report, style: Style) -> str:
    """The report as one HTML page; usually with 20 places of each rule, and with all open questions."""
    page, told = _Page(style), shown.as_shown(report)
    title = Phrase("report.page.title", {"name": shown.named(told, page.language)}).told(page.language)
    groups = [(severity, shown.groups(told.of(severity))) for severity in SEVERITIES]
    body = [
        element("a", page.word("site.skip"), href="#main", class_="skip"),
        element("header", element("h1", _data(title)), _subject(told, page)),
        element(
            "main",
            _summary(told, page),
            _contents(groups, page),
            (_findings(severity, found, page) for severity, found in groups if found),
            _weighed(report.quality, page) if report.quality else None,
            id="main",
        ),
        element("footer", _footer(told, page)),
    ]
    return document(page.language, direction(page.language), _head(title), body)


def _head(title: str) -> list[Child]:
    css = files("cdmeta.reporters").joinpath("report.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    return [
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=policy),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", title),
        style_block(css),
    ]


def _data(text: str) -> Html:
    """What may come from a package: its direction does not leak into what stands around it."""
    return element("bdi", printable(text))


def _subject(report: Report, page: _Page) -> Html:
    gate = page.word(f"report.gate.{report.gate}") if report.gate != "publish" else None
    return join([element("p", _data(shown.subject(report, page.language))), element("p", gate) if gate else None])


def _summary(report: Report, page: _Page) -> Html:
    following, command = shown.following(report, page.language)
    counts = [
        element(
            "li", page.word("report.page.count", title=Phrase(f"report.{severity}"), count=count), class_=severity
        )
        for severity, count in report.counts.items()
    ]
    return element(
        "section",
        element("h2", page.word("report.page.summary")),
        element(
            "p",
            element("span", _MARKS["yes" if report.valid else "no"], aria_hidden="true", class_="mark"),
            " ",
            shown.verdict(report, page.language),
            class_=f"verdict {'yes' if report.valid else 'no'}",
        ),
        element("ul", counts, class_="counts"),
        list(_decision(report, page)),
        element("p", following),
        element("pre", element("code", command)) if command else None,
        id="summary",
    )


def _decision(report: Report, page: _Page) -> Iterator[Html]:
    """What the Framework says, in words."""
    if not report.decision:
        return
    yield element("h3", page.word("report.page.decision"))
    yield element("p", page.word(f"report.outcome.{report.decision['outcome']}"))
    rule, paragraphs = (report.decision.get(key) for key in ("rule", "paragraphs"))
    rows = []
    if rule and (f"rule.{rule}",) in words("texts"):
        named = element("small", page.word("site.decision.name", rule=rule))
        rows.append(_row(page.word("site.decision.rule"), page.word(f"rule.{rule}"), " ", named))
    if paragraphs:
        rows.append(
            _row(
                page.word("site.decision.paragraphs"),
                Citation(", ".join(map(str, paragraphs))).told(page.language),
            )
        )
    yield element("dl", rows)


def _row(name: Child, *value: Child) -> Html:
    return element("div", element("dt", name), element("dd", *value))


def _contents(groups: Sequence[tuple[Severity, Sequence[Sequence[Finding]]]], page: _Page) -> Html | None:
    """What was found, as links, folded away; none where one look shows it all."""
    if sum(len(found) for _, found in groups) < 4:
        return None
    parts = [
        element("li", element("a", page.word(f"report.{severity}"), href=f"#{severity}"), _links(found, page))
        for severity, found in groups
        if found
    ]
    folded = element("details", element("summary", page.word("site.contents")), element("ul", parts))
    return element("nav", folded, aria_label=Phrase("site.contents").told(page.language))


def _links(groups: Sequence[Sequence[Finding]], page: _Page) -> Html:
    links = (
        element("a", f"{group[0].code} ", _title(group[0], page), href=f"#{group[0].code}") for group in groups
    )
    return element("ul", (element("li", link) for link in links))


def _title(finding: Finding, page: _Page) -> Html:
    return page.marked(finding.phrase("title"))


def _findings(severity: Severity, groups: Sequence[Sequence[Finding]], page: _Page) -> Html:
    heading = element("h2", _mark(severity), " ", page.word(f"report.{severity}"), id=severity)
    articles = (_group(group, page) for group in groups)
    return element("section", heading, articles, class_=severity, aria_labelledby=severity)


def _mark(kind: str) -> Html:
    return element("span", _MARKS[kind], aria_hidden="true", class_="mark")


def _group(findings: Sequence[Finding], page: _Page) -> Html:
    first, some = findings[0], page.asked.some(findings, MAX_PLACES)
    questions = first.code in OPEN_QUESTIONS
    remedies = list(dict.fromkeys(finding.remedy(page.language) for finding in some))
    items = [
        element("li", _question(finding, page) if questions else _place(finding, page, len(remedies) > 1))
        for finding in some
    ]
    if len(some) < len(findings):
        items.append(element("li", page.word("report.more", count=len(findings) - len(some)), class_="more"))
    remedy = page.word("report.answer") if questions else page.marked(first.phrase("remedy"))
    rows = [
        _row(page.word("report.page.remedy"), remedy) if questions or len(remedies) == 1 else None,
        _row(page.word("report.page.why"), page.marked(first.phrase("why"))) if first.why(page.language) else None,
        _row(page.word("report.page.source"), Citation(first.rule.source).told(page.language))
        if first.rule.source
        else None,
    ]
    count = f" ({number(len(findings), page.language)})" if len(findings) > 1 else None
    heading = element("h3", element("code", first.code), " ", _title(first, page), count)
    return element("article", heading, element("ul", items, class_="places"), element("dl", rows), id=first.code)


def _question(finding: Finding, page: _Page) -> Html:
    asked = shown.question(finding, page.language)
    key = "report.question.because" if "because" in asked else "report.question"
    return _data(Phrase(key, asked).told(page.language))


def _place(finding: Finding, page: _Page, mended_apart: bool) -> Html:
    where, message = shown.placed(finding, page.language)
    remedy = page.word("report.remedy", remedy=finding.phrase("remedy"))
    return join(
        [
            element("b", _data(where), class_="place") if where else None,
            element("span", _data(message)),
            element("span", remedy, class_="remedy") if mended_apart else None,
        ]
    )


def _weighed(quality: Quality, page: _Page) -> list[Html]:
    """What a statistical office weighs, part by part."""
    return [
        element(
            "section",
            element("h2", page.word("report.gateway"), id="gateway"),
            element("ul", (_step(step, page) for step in quality.gateway), class_="steps"),
            aria_labelledby="gateway",
        ),
        element(
            "section",
            element("h2", page.word("report.quality"), id="quality"),
            element("p", page.word("report.quality.about")),
            (_dimension(dimension, page) for dimension in quality.dimensions),
            aria_labelledby="quality",
        ),
    ]


def _step(step: Step, page: _Page) -> Html:
    return element("li", _mark(step.state), " ", shown.gateway_step(step, page.language), class_=step.state)


def _dimension(dimension: Dimension, page: _Page) -> Html:
    titles = Series(tuple(title_of(path) for path in dimension.silent))
    rows = [
        _row(page.marked(title_of(answer.path)), _data(answer.told(page.language))) for answer in dimension.answers
    ]
    return element(
        "article",
        element("h3", page.marked(dimension.title)),
        element("dl", rows) if rows else None,
        element("p", page.word("report.quality.silent", titles=titles), class_="quiet")
        if dimension.silent
        else None,
    )


def _footer(report: Report, page: _Page) -> list[Html]:
    told = [element("p", page.word("report.page.made", version=version("cdmeta")))]
    if report.decision and page.language != ENGLISH:
        told.append(element("p", page.word("translation.unofficial")))
    return told
