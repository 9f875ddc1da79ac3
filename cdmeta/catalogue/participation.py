"""Participation by stage of the data value chain, as a picture and as a table that says the same."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from cdmeta import profile
from cdmeta.catalogue.view import View
from cdmeta.entry import STAGES, Entry
from cdmeta.html import Html, element, join
from cdmeta.phrase import Phrase, name_of, say

LEVELS = 5
SUFFICIENT = 4
"""From this level on participation is sufficient (Framework ¶22, ¶24)."""

_CODELIST = "CL_PARTICIPATION_LEVEL"
_WIDTH, _CELL, _BAR, _GAP = 360, 58, 16, 4
_LINE, _TOP, _LETTERS = 19, 50, 46


def figure(entry: Entry, view: View) -> Html:
    """The picture with its caption, and the table beside it."""
    caption = element("figcaption", view.word("participation.caption"))
    return element(
        "div",
        element("figure", picture(entry, view), caption),
        element("div", table(entry, view), class_="wide"),
        class_="participation",
    )


def rank(code: str) -> int | None:
    """The height of a level from 0 to 5; None where the stage did not take place or is not known."""
    if code == "NOT_INVOLVED":
        return 0
    return int(code[1]) if len(code) == 2 and code[0] == "L" and code[1] in "12345" else None


def table(entry: Entry, view: View) -> Html:
    """Stage and level in words."""
    head = element(
        "tr", *(element("th", view.word(f"participation.{key}"), scope="col") for key in ("stage", "level"))
    )
    rows = [
        element(
            "tr",
            element("th", _stage(view, number, stage), scope="row"),
            element("td", _level(entry, view, stage)),
        )
        for number, stage in STAGES
    ]
    caption = element("caption", view.word("participation.table"))
    return element("table", caption, element("thead", head), element("tbody", rows))


def legend(view: View) -> Html:
    """What the levels mean, in the profile's words."""
    codelist = profile.load().codelists.get(_CODELIST)
    rows = [
        element("div", view.told("dt", _numbered(code.id)), view.told("dd", _meaning(code.id)))
        for code in (codelist.codes.values() if codelist else ())
        if not code.id.startswith("_")
    ]
    summary = element("summary", view.word("participation.legend"))
    return element("details", summary, element("dl", rows)) if rows else Html("")


def picture(entry: Entry, view: View) -> Html:
    """One bar a stage, five cells a bar; sufficient levels are solid, lower ones hatched, as print needs it."""
    drawn: list[Html] = []
    y = _TOP
    for number, stage in STAGES:
        lines = textwrap.wrap(_stage_text(view, number, stage), _LETTERS)
        for line in lines:
            drawn.append(element("text", line, x=0, y=y + 13, class_="stage"))
            y += _LINE
        drawn += _bar(entry.level(stage), y)
        y += _BAR + 12
    return element(
        "svg",
        element("title", view.text("participation.title"), id="participation-title"),
        element("desc", _in_words(entry, view), id="participation-desc"),
        _HATCH,
        _scale(view),
        drawn,
        viewBox=f"0 0 {_WIDTH} {y}",
        width=_WIDTH,
        height=y,
        role="img",
        direction="ltr",
        aria_labelledby="participation-title participation-desc",
    )


_HATCH = element(
    "defs",
    element(
        "pattern",
        element("path", d="M0 6 6 0", class_="hatch"),
        id="hatch",
        width=6,
        height=6,
        patternUnits="userSpaceOnUse",
    ),
)


def _scale(view: View) -> Html:
    """The numbers of the levels, and a brace over those at which participation is sufficient."""
    numbers = [
        element("text", str(level), x=_x(level) + _CELL // 2, y=37, class_="scale")
        for level in range(1, LEVELS + 1)
    ]
    start, end = _x(SUFFICIENT) + 1, _x(LEVELS) + _CELL - 1
    brace = element("path", d=f"M{start} 24V18H{end}V24", class_="brace")
    name = element("text", view.text("participation.sufficient"), x=(start + end) // 2, y=12, class_="scale")
    return join([name, brace, numbers])


def _bar(code: str, y: int) -> Iterator[Html]:
    level = rank(code)
    for cell in range(1, LEVELS + 1):
        kind = "none" if level is None else "empty"
        if level is not None and cell <= level:
            kind = "full" if level >= SUFFICIENT else "low"
        yield element("rect", x=_x(cell) + 0.5, y=y + 0.5, width=_CELL - 1, height=_BAR - 1, class_=kind)
    sign = {"_Z": "–", "_U": "?"}.get(code, str(level) if level is not None else "?")
    yield element("text", sign, x=_x(LEVELS + 1) + 8, y=y + 13, class_="level")


def _x(cell: int) -> int:
    return (cell - 1) * (_CELL + _GAP)


def _stage(view: View, number: str, stage: str) -> Html:
    return join([f"{number} ", view.word(f"stage.{stage}")])


def _stage_text(view: View, number: str, stage: str) -> str:
    return f"{number} {view.text(f'stage.{stage}')}"


def _level(entry: Entry, view: View, stage: str) -> Html:
    return view.told("span", _numbered(entry.level(stage)))


def _meaning(code: str) -> Phrase:
    return Phrase((_CODELIST, code), {}, "codes", "description")


def _numbered(code: str) -> Phrase | str:
    level, name = rank(code), name_of(_CODELIST, code)
    return name if level is None else Phrase("site.level", {"level": level, "name": name})


def _in_words(entry: Entry, view: View) -> str:
    return "; ".join(
        f"{_stage_text(view, number, stage)}: {say(_numbered(entry.level(stage)), view.language)}"
        for number, stage in STAGES
    )
