"""GitHub-flavoured Markdown from values: the one place where text is escaped for it (GFM specification 0.29)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>|~#$&!@^])")
_START = re.compile(r"^(\d{1,9})([.)])(?=\s|$)|^([-+=:])")
_ADDRESS = re.compile(r"(?i)\b(https?|ftp)(:)|\b(www)(\.)")


def escape(text: str) -> str:
    """A text as text: on one line, nothing in it is markup, a link or the start of a list."""
    line = " ".join(text.split())
    safe = _SPECIAL.sub(r"\\\1", line)
    safe = _ADDRESS.sub(lambda found: f"{found[1] or found[3]}\\{found[2] or found[4]}", safe)
    return _START.sub(lambda found: f"{found[1]}\\{found[2]}" if found[1] else f"\\{found[3]}", safe)


def code(text: str) -> str:
    """A code span; no table may hold one with a bar in it but for an escaped one, as GFM wants it."""
    line = " ".join(text.split())
    fence = "`" * (max((len(run) for run in re.findall("`+", line)), default=0) + 1)
    pad = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{fence}{pad}{line}{pad}{fence}".replace("|", r"\|") if line else ""


def link(label: str, target: str) -> str:
    """A link; the label is Markdown already."""
    return f"[{label}](<{target}>)" if re.search(r"[\s()<>]", target) else f"[{label}]({target})"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """The lines of a table; cells are Markdown already."""
    lines = [head, ["---"] * len(head), *rows]
    return [f"| {' | '.join(line)} |" for line in lines]


def fence(text: str, language: str = "") -> list[str]:
    """The lines of a code block."""
    mark = "`" * max(3, max((len(run) for run in re.findall("`+", text)), default=0) + 1)
    return [f"{mark}{language}", *text.splitlines(), mark]


def slug(heading: str) -> str:
    """The anchor that GitHub gives to a heading: small letters, no punctuation, hyphens for spaces."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def page(lines: Iterable[str]) -> bytes:
    """A page from its lines; several blank lines become one."""
    text = re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n")
    return f"{text}\n".encode()
