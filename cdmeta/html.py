"""Elements of a page as text. Whatever is not markup already is escaped here, and nowhere else."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from typing import TypeAlias

_RIGHT_TO_LEFT = ("ar", "ckb", "dv", "fa", "he", "ks", "ku", "prs", "ps", "sd", "syr", "ug", "ur", "yi")
_VOID = ("br", "hr", "img", "link", "meta")
# Characters that neither HTML nor XML may hold: controls other than tab, line feed and carriage return.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffe\uffff\ud800-\udfff]")


class Html(str):
    """Text that is markup already; only the functions of this module make it."""

    __slots__ = ()


Child: TypeAlias = "str | Iterable[Child] | None"
"""A text, several, or none; what is not Html is escaped."""


def escape(text: str) -> Html:
    """Text as markup; markup stays as it is."""
    return text if isinstance(text, Html) else Html(html.escape(_FORBIDDEN.sub("\ufffd", text)))


def join(children: Iterable[Child]) -> Html:
    """Several children, one after the other."""
    parts: list[str] = []
    for child in children:
        if isinstance(child, str):
            parts.append(escape(child))
        elif child is not None:
            parts.append(join(child))
    return Html("".join(parts))


def element(name: str, /, *children: Child, **attributes: str | float | None) -> Html:
    """An element. `class_` stands for `class`, `aria_label` for `aria-label`; None leaves an attribute out."""
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(str(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    return Html(f"<{name}{written}>" if name in _VOID else f"<{name}{written}>{join(children)}</{name}>")


def data_block(script: str) -> Html:
    """JSON-LD in a script element; what it holds has no `<` (see `schema_org.script`)."""
    return Html(f'<script type="application/ld+json">{script}</script>')


def style_block(css: str) -> Html:
    """A style sheet of ours in a style element.

    Raises:
        ValueError: it holds `</`, which could end the element.
    """
    if "</" in css:
        raise ValueError("a style sheet in a page may not hold </")
    return Html(f"<style>{css}</style>")


def direction(language: str) -> str:
    """The direction in which a language is written."""
    return "rtl" if language.split("-")[0].casefold() in _RIGHT_TO_LEFT else "ltr"


def document(language: str, direction: str, head: Child, body: Child) -> str:
    """A whole page."""
    page = element("html", element("head", head), element("body", body), lang=language, dir=direction)
    return f"<!doctype html>\n{page}\n"
