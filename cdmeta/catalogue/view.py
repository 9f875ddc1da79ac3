"""How values are said on a page: labels and texts in its language, each marked with the language it is in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from cdmeta import profile
from cdmeta.dataset import Answer
from cdmeta.entry import Agent, Entry, has_texts, is_web_address, is_withheld
from cdmeta.html import Html, element, escape, join
from cdmeta.period import bounds
from cdmeta.phrase import Phrase, closest, name_of, say, title_of
from cdmeta.text import Text, is_language_tag

_UNITS = ("B", "kB", "MB", "GB", "TB")


def size(number: int) -> str:
    """A number of bytes for people, decimal units."""
    amount, unit = float(number), 0
    while amount >= 999.5 and unit < len(_UNITS) - 1:
        amount, unit = amount / 1000, unit + 1
    return f"{amount:.0f}\u00a0{_UNITS[unit]}"


@dataclass(frozen=True)
class View:
    """One language of the site.

    Attributes:
        language: BCP 47 tag of the texts that are wanted.
    """

    language: str

    @cached_property
    def labels(self) -> str:
        """The language of our own labels: the wanted one where we have it, else English."""
        return self.language if has_texts(self.language) else "en"

    def text(self, key: str, /, **params: object) -> str:
        """A label of ours where there can be no markup."""
        return Phrase(f"site.{key}", params).told(self.language)

    def word(self, key: str, /, **params: object) -> Html:
        """A label of ours; where it stays in English, it is marked so."""
        return self.marked(Phrase(f"site.{key}", params))

    def marked(self, phrase: Phrase | str) -> Html:
        """Words of the profile, or a code that it does not know; what stays in English is marked so."""
        text, tag = escape(say(phrase, self.language)), self.tag_of(phrase)
        return element("span", text, lang=tag) if tag else text

    def told(self, name: str, phrase: Phrase | str, **attributes: str | None) -> Html:
        """Words of the profile as an element; what stays in English is marked so."""
        return element(name, say(phrase, self.language), lang=self.tag_of(phrase), **attributes)

    def tag_of(self, phrase: Phrase | str) -> str | None:
        """The language of a phrase where it is another one than that of our labels."""
        own = phrase.language(self.language) if isinstance(phrase, Phrase) else "en"
        return None if own == closest(self.labels) else own

    def inline(self, text: Text) -> Html:
        """A text in the language wanted, or in any, set apart from what stands around it."""
        tag, part = self._pick(text)
        if is_withheld(part):
            return element("em", self.word("withheld"))
        return element("bdi", part, lang=tag)

    def plain(self, text: Text) -> str:
        """A text where there can be no markup: a title, an attribute."""
        part = self._pick(text)[1]
        return self.text("withheld") if is_withheld(part) else part

    def block(self, text: Text, class_: str | None = None) -> Html:
        """A text as paragraphs, parted at blank lines."""
        tag, part = self._pick(text)
        if is_withheld(part):
            return element("p", element("em", self.word("withheld")), class_=class_)
        paragraphs = [piece.strip() for piece in part.replace("\r\n", "\n").split("\n\n") if piece.strip()]
        return join(element("p", piece, lang=tag, dir="auto", class_=class_) for piece in paragraphs)

    def people(self, agents: tuple[Agent, ...]) -> Html:
        """A list of people and organisations, with what they are and did."""
        return element("ul", [element("li", self.person(agent)) for agent in agents], class_="plain")

    def person(self, agent: Agent) -> Html:
        """Somebody, with what they are and did."""
        name = self.inline(agent.name) if agent.name else self.word("unnamed")
        kind = self.told("span", name_of("CL_ACTOR_KIND", agent.kind)) if agent.kind else None
        role = self.inline(agent.role) if agent.role else None
        member = element("bdi", agent.organisation) if agent.organisation else None
        notes = [element("span", part, class_="note") for part in (member, kind, role) if part]
        return join([name, notes])

    def reach(self, agent: Agent) -> Html:
        """Somebody, with how to reach them."""
        mail = element("a", agent.email, href=f"mailto:{agent.email}") if "@" in agent.email else None
        web = element("a", agent.url, href=agent.url) if is_web_address(agent.url) else None
        return join([self.person(agent), [element("span", part, class_="note") for part in (mail, web) if part]])

    def rows(self, entry: Entry, *fields: str) -> Html:
        """Fields of `citizenData` with what was answered, as rows of a description list."""
        by_path: dict[str, list[Answer]] = {}
        for answer in entry.dataset.answers:
            by_path.setdefault(answer.field.path, []).append(answer)
        wanted = [
            path
            for field in fields
            for path in by_path
            if re.split(r"[.\[]", path.removeprefix("citizenData."))[0] == field
            and path.startswith("citizenData.")
        ]
        return join(self.row(by_path[path]) for path in wanted)

    def row(self, answers: list[Answer]) -> Html:
        """The answers to one field, as one row of a description list."""
        said = [self.answer(answer) for answer in answers]
        value = (
            said[0] if len(said) == 1 else element("ul", [element("li", part) for part in said], class_="plain")
        )
        return pair(self.told("dt", title_of(answers[0].field.path)), value)

    def answer(self, answer: Answer) -> Html:
        """One answer, with those below it."""
        below = [
            element(
                "span",
                self.told("span", title_of(child.field.path)),
                self.text("colon"),
                " ",
                self._value(child, False),
                class_="note",
            )
            for child in _walk(answer.children)
            if child.value is not None
        ]
        return join([self._value(answer) if answer.value is not None else None, below])

    def _value(self, answer: Answer, explain: bool = True) -> Html:
        value, field = answer.value, answer.field
        if isinstance(value, Text):
            _, part = self._pick(value)
            return self.block(value) if "\n\n" in part else self.inline(value)
        if value is None or is_withheld(value):
            return element("em", self.word("withheld"))
        if field.codelist:
            return self._code(field, value, explain)
        if days := bounds(value):
            return self.word("range", start=days[0].isoformat(), end=days[1].isoformat())
        if field.type == "boolean":
            return self.word("yes" if value == "true" else "no")
        return element("a", value, href=value) if is_web_address(value) else element("bdi", value)

    def _code(self, field: profile.Field, code: str, explain: bool) -> Html:
        """The name of a code; where asked for, and the field has one code only, also what it means."""
        name = self.told("span", name_of(field.codelist, code))
        codelist = profile.load().codelists.get(field.codelist)
        known = codelist.codes.get(code) if codelist else None
        explained = explain and (field.type == "code" or field.name == "consentBasis")
        if known is None or not known.description or not explained:
            return name
        return join(
            [name, self.told("span", Phrase((field.codelist, code), {}, "codes", "description"), class_="note")]
        )

    def _pick(self, text: Text) -> tuple[str | None, str]:
        """A text, and its language where it is another one than that of our labels."""
        part = text.best(self.language)
        tag = next((tag for tag, value in text if value == part), self.labels)
        return (tag if tag != self.labels and tag != "und" and is_language_tag(tag) else None), part


def pair(term: str, *value: str) -> Html:
    """One row of a description list."""
    head = term if isinstance(term, Html) and term.startswith("<dt") else element("dt", term)
    return element("div", head, element("dd", *value))


def _walk(answers: tuple[Answer, ...]) -> Iterator[Answer]:
    for answer in answers:
        yield answer
        yield from _walk(answer.children)
