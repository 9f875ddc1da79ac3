"""What a statistical office weighs: first whether data may be taken at all, then their quality, in words.

The gateway is passed or not, step by step. Quality is no score: for each dimension it is told what the package
says, and what it does not say. The dimensions are those of the national quality assurance frameworks (¶34).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from typing import Any, Literal

from cdmeta import profile
from cdmeta.phrase import SEMICOLON, Phrase, Series, closest, name_of, number, say, title_of
from cdmeta.profile import WITHHELD, Field
from cdmeta.text import Text, is_missing, printable

State = Literal["yes", "no", "person"]
"""A step is passed, is not passed, or a person has to decide."""
MAX_ANSWER = 160
"""Characters of an answer that the summary shows."""


@dataclass(frozen=True)
class Step:
    """A step of the gateway.

    Attributes:
        id: of the table `gateway.csv`.
        state: whether it is passed.
        codes: of the findings that keep it from being passed; where it is passed, of its warnings.
        source: what it rests on.
    """

    id: str
    state: State
    codes: tuple[str, ...]
    source: str

    @property
    def title(self) -> Phrase:
        """What is asked."""
        return Phrase(f"gateway.{self.id}")


@dataclass(frozen=True)
class Answer:
    """What a package says to a field.

    Attributes:
        path: of the field.
        value: as it stands in the descriptor; of a list of objects, the list of their values.
        own: the language of plain texts in the package.
    """

    path: str
    value: Any = field(hash=False)
    own: str

    def told(self, language: str) -> str:
        """The answer in words, shortened; texts in the language that comes closest."""
        text = printable(say(_worded(profile.load().fields[self.path], self.value, self.own, language), language))
        return text if len(text) <= MAX_ANSWER else f"{_cut(text)} …"


def _cut(text: str) -> str:
    """The beginning of a text, to the end of a word where it has spaces."""
    begun = text[: MAX_ANSWER + 1]
    return (begun.rpartition(" ")[0] or begun[:-1]).rstrip()


@dataclass(frozen=True)
class Dimension:
    """A dimension of quality.

    Attributes:
        id: of the table `quality.csv`.
        answers: what the package says.
        silent: paths of the fields to which it says nothing.
        source: the principles of quality frameworks behind it.
    """

    id: str
    answers: tuple[Answer, ...]
    silent: tuple[str, ...]
    source: str

    @property
    def title(self) -> Phrase:
        """Its name."""
        return Phrase(f"quality.{self.id}")


@dataclass(frozen=True)
class Quality:
    """What an office weighs: the steps of the gateway, and the dimensions of quality, each in order."""

    gateway: tuple[Step, ...]
    dimensions: tuple[Dimension, ...]

    def as_dict(self, language: str) -> dict[str, Any]:
        """For reports, in words of a language."""
        return {
            "gateway": [
                {
                    "id": step.id,
                    "title": step.title.told(language),
                    "state": step.state,
                    "codes": list(step.codes),
                    "source": step.source,
                }
                for step in self.gateway
            ],
            "dimensions": [
                {
                    "id": each.id,
                    "title": each.title.told(language),
                    "answers": [_named(a.path, language) | {"answer": a.told(language)} for a in each.answers],
                    "silent": [_named(path, language) for path in each.silent],
                    "source": each.source,
                }
                for each in self.dimensions
            ],
        }


def _named(path: str, language: str) -> dict[str, str]:
    return {"path": path, "title": title_of(path).told(language)}


# --- the gateway


def gateway(errors: Iterable[str], warnings: Iterable[str], outcome: str | None) -> tuple[Step, ...]:
    """The steps, by what was found.

    Args:
        errors: of each error at the gate of an office its code and place: `CD341:/citizenData/frame`.
        warnings: of each warning, likewise.
        outcome: of the Framework; None where the descriptor could not be read.
    """
    wrong, doubtful = (_by_step(keys) for keys in (errors, warnings))
    return tuple(
        _step(row, wrong.get(row["id"], ()), doubtful.get(row["id"], ()), outcome)
        for row in profile.table("gateway.csv")
    )


def _step(row: Mapping[str, str], wrong: tuple[str, ...], doubtful: tuple[str, ...], outcome: str | None) -> Step:
    undecided = row["id"] == "framework" and outcome == "ASSESS"
    state: State = "no" if wrong else "person" if undecided else "yes"
    return Step(row["id"], state, wrong or doubtful, row["source"])


def _by_step(keys: Iterable[str]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for key in keys:
        if step := step_of(key):
            code = key.partition(":")[0]
            found[step] = tuple(dict.fromkeys((*found.get(step, ()), code)))
    return found


def step_of(key: str) -> str | None:
    """The step that a finding belongs to: the one that names its code and place most exactly."""
    fitting = [(len(start), step) for start, step in _starts() if key.startswith(start)]
    return max(fitting)[1] if fitting else None


@cache
def _starts() -> tuple[tuple[str, str], ...]:
    rows = profile.table("gateway.csv")
    return tuple((start, row["id"]) for row in rows for start in row["findings"].split())


# --- the dimensions


def summary(descriptor: Mapping[str, Any], own: str) -> tuple[Dimension, ...]:
    """What a descriptor says of its quality, and what not; never raises, whatever the JSON.

    Args:
        descriptor: of a package.
        own: the language of its plain texts.
    """
    return tuple(_dimension(row, descriptor, own) for row in profile.table("quality.csv"))


def _dimension(row: Mapping[str, str], descriptor: Mapping[str, Any], own: str) -> Dimension:
    given = {path: _reach(descriptor, path.split(".")) for path in row["paths"].split()}
    answers = tuple(Answer(path, value, own) for path, value in given.items() if not is_missing(value))
    silent = tuple(path for path, value in given.items() if is_missing(value))
    return Dimension(row["id"], answers, silent, row["source"])


def _reach(value: Any, names: list[str]) -> Any:
    if not names or not isinstance(value, Mapping):
        return None if names else value
    below = value.get(names[0].removesuffix("[]"))
    if not names[0].endswith("[]"):
        return _reach(below, names[1:])
    parts = [_reach(part, names[1:]) for part in below] if isinstance(below, list) else []
    return [part for part in parts if not is_missing(part)]


def _worded(entry: Field, value: Any, own: str, language: str) -> Phrase | Series | str:
    """An answer in words, by the kind of its field; an answer of another kind as it stands."""
    if isinstance(value, list):
        return Series(tuple(_worded(entry, part, own, language) for part in value), SEMICOLON)
    if value == WITHHELD:
        return Phrase("quality.withheld")
    if entry.type == "period" and isinstance(value, Mapping):
        return Phrase("quality.period", {key: _day(value.get(key)) for key in ("start", "end")})
    if isinstance(value, Mapping):
        return _chosen(Text.of(value, own), language)
    if entry.codelist and isinstance(value, str):
        return name_of(entry.codelist, value)
    if isinstance(value, int) and not isinstance(value, bool) and entry.type == "integer":
        return number(value, language)
    return Phrase("quality.percent", {"value": value}) if entry.type == "percent" else str(value)


def _chosen(text: Text, language: str) -> str:
    return Phrase("quality.withheld").told(language) if str(text) == WITHHELD else text.best(closest(language))


def _day(value: Any) -> str:
    return value.isoformat() if isinstance(value, date) else str(value or "?")
