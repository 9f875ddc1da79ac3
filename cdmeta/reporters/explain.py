"""What a rule, a field, a code list or a code is, why it is asked for, and where it comes from, as text."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator

from cdmeta import profile
from cdmeta.phrase import ENGLISH, Citation, blanked, closest
from cdmeta.profile import Code, Codelist, Field, Rule

_WIDTH = 92


def render(entries: Iterable[tuple[Field | Codelist | Rule, Code | None]], language: str = "en") -> str:
    """The entries as text, one below the other.

    Args:
        entries: rules, fields and code lists; a code list with one of its codes tells of that code alone.
        language: of the labels.
    """
    told = list(entries)
    parts = ["\n".join(_lines(entry, code, language)) for entry, code in told]
    if closest(language) != ENGLISH and any(_rests_on_framework(entry) for entry, _ in told):
        parts.append("\n".join(_wrapped(profile.texts(language)["translation.unofficial"])))
    return "\n\n".join(parts)


def _rests_on_framework(entry: Field | Codelist | Rule) -> bool:
    """Tell whether the Copenhagen Framework stands behind an entry, by its sources."""
    codelist = entry if isinstance(entry, Codelist) else None
    sources = [code.source for code in codelist.codes.values()] if codelist else []
    if not isinstance(entry, Codelist):
        sources = [entry.source]
    return any(re.search(r"¶|Table|Box|Principle", source) for source in sources)


def _lines(entry: Field | Codelist | Rule, code: Code | None, language: str) -> Iterator[str]:
    if isinstance(entry, Rule):
        yield from _rule(entry, language)
    elif isinstance(entry, Field):
        yield from _field(entry, language)
    elif code is not None:
        yield from _code(entry, code, language)
    else:
        yield from _codelist(entry, language)


def _rule(rule: Rule, language: str) -> Iterator[str]:
    texts = profile.texts(language)
    yield f"{rule.code}{f' ({rule.id})' if rule.id else ''}: {rule.title}"
    grades = (
        texts[f"explain.gate.{gate}"].format(severity=texts[f"severity.{rule.severity[gate]}"])
        for gate in profile.GATES
    )
    yield from _wrapped(" ".join(grades))
    parts = (
        ("message", blanked(rule.message)),
        ("why", rule.why),
        ("remedy", blanked(rule.remedy)),
        ("source", Citation(rule.source).told(language)),
        ("implies", " ".join(rule.implies)),
    )
    yield from _labelled(parts, language)


def _field(entry: Field, language: str) -> Iterator[str]:
    texts = profile.texts(language)
    yield f"{entry.path}: {entry.title}"
    yield from _wrapped(entry.description)
    when = texts["explain.when"].format(when=entry.when) if entry.when else ""
    below = (f"{entry.path}[].", f"{entry.path}.")
    withhold = texts["explain.withhold"] if entry.withhold else ""
    parts = (
        ("tier", f"{texts[f'explain.tier.{entry.tier}']} {when}".strip()),
        ("form", f"{texts[f'explain.type.{entry.type}']} {withhold}".strip()),
        ("question", entry.question),
        ("parts", ", ".join(path for path in profile.load().fields if path.startswith(below))),
        ("example", entry.example),
        ("source", Citation(entry.source).told(language)),
        ("concept", entry.concept),
        ("links", " ".join(entry.links)),
    )
    yield from _labelled(parts, language)
    if entry.codelist:
        yield from _codes(profile.load(language).codelists[entry.codelist], language)


def _codelist(codelist: Codelist, language: str) -> Iterator[str]:
    yield f"{codelist.id}: {codelist.name}"
    yield from _wrapped(codelist.description)
    users = [entry.path for entry in profile.load().fields.values() if entry.codelist == codelist.id]
    yield from _labelled((("used", ", ".join(users)),), language)
    yield from _codes(codelist, language)


def _code(codelist: Codelist, code: Code, language: str) -> Iterator[str]:
    yield f"{code.id}: {code.name}"
    yield from _wrapped(code.description)
    above = f"{code.parent} ({codelist.codes[code.parent].name})" if code.parent else ""
    parts = (
        ("list", f"{codelist.id} ({codelist.name})"),
        ("above", above),
        ("source", Citation(code.source).told(language)),
        ("links", " ".join(code.links)),
    )
    yield from _labelled(parts, language)


def _codes(codelist: Codelist, language: str) -> Iterator[str]:
    yield ""
    yield profile.texts(language)["explain.codes"].format(codelist=codelist.id)
    for code in codelist.codes.values():
        alias = f" ({code.alias})" if code.alias else ""
        yield from textwrap.wrap(
            f"{code.id}{alias}: {code.name}. {code.description}",
            _WIDTH,
            initial_indent="  ",
            subsequent_indent="      ",
            break_on_hyphens=False,
        )


def _labelled(parts: Iterable[tuple[str, str]], language: str) -> Iterator[str]:
    """Parts that say something, each below its label."""
    for key, value in parts:
        if value:
            yield ""
            yield profile.texts(language)[f"explain.{key}"]
            yield from _wrapped(value, "  ")


def _wrapped(value: str, indent: str = "") -> list[str]:
    return textwrap.wrap(
        value,
        _WIDTH,
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
