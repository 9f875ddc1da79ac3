"""What of a table may be what somebody else's data structure asks for: by concepts, ids, names and values.

Only ever written down for a person to look through (`workflows.map_package`), and told beside what is missing.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Literal

from cdmeta.components import ABOUT_MEASURES, PROVENANCE
from cdmeta.phrase import in_languages, rows
from cdmeta.sdmx.artefacts import Code, Dimension
from cdmeta.sdmx.own import kind_of
from cdmeta.sdmx.structures import Flow
from cdmeta.sdmx.target import (
    Component,
    Source,
    Target,
    certain,
    column_name,
    ids_about,
    is_column,
    same_concept,
    values_of,
)
from cdmeta.text import Text, unaccented

WHOLE = ("_T", "_Z", "_X", "_U")
"""Codes that stand for all, for not applicable, for not specified and for not known, in the order of proposals."""
NEAR = 0.75
"""How alike two names have to be to be called near, from 0 to 1."""
_ALMOST = 0.7
"""The likeness from which on a name that comes near is proposed: all words of one are in the other, or almost."""
OVERLAP = 0.5
"""The share of a column's values that have to be codes of a list, for the list to be proposed by values."""


Reason = Literal["concept", "id", "label", "values", "near"]


@dataclass(frozen=True)
class Candidate:
    """A component of the table that may be what a component of the target asks for.

    Attributes:
        component: its id.
        reason: why.
        likeness: from 0 to 1.
    """

    component: str
    reason: Reason
    likeness: float


@dataclass(frozen=True)
class Proposal:
    """Where a component of the target may have its values from.

    Attributes:
        source: that; an empty one where nothing is found.
        reason: that of a candidate; or `measure` for the measure that is meant, `single` for the only code there
            is, `allowed` for the only one that their constraints allow, `whole` for a code that stands for all or
            for none; empty where nothing is found.
    """

    source: Source
    reason: str = ""

    @property
    def is_certain(self) -> bool:
        """True of what is taken without a mapping as well."""
        return self.reason in ("concept", "id")


def propose(
    flow: Flow, target: Target, values: Mapping[str, Sequence[str]], measure: str = ""
) -> dict[str, Proposal]:
    """A mapping for a person to look through, the components of the target in their order.

    Args:
        flow: the table.
        target: the dataflow.
        values: by the id of a component of the table, the values that occur in it, as far as they are few.
        measure: the id of the only measure that is meant, where the table has several.
    """
    flow = about(flow, measure)
    found = {
        id_: Proposal(source, "concept" if _by_concept(flow, target, id_, source) else "id")
        for id_, source in certain(flow, target, measure).items()
    }
    for part in target.structure.measures if measure else ():
        found.setdefault(part.id, Proposal(Source(measure), "measure"))
    taken = {proposal.source.component for proposal in found.values()}
    ranked = sorted(
        (
            (candidate.likeness, -number, part.id, candidate)
            for number, part in enumerate(target.structure.components)
            if part.id not in found
            for candidate in candidates(flow, target, part, values)
            if candidate.reason != "near" or candidate.likeness >= _ALMOST
        ),
        key=lambda entry: entry[:3],
        reverse=True,
    )
    for _, _, id_, candidate in ranked:
        if id_ not in found and candidate.component not in taken:
            found[id_] = Proposal(Source(candidate.component), candidate.reason)
            taken.add(candidate.component)
    return {
        part.id: _filled(part, found.get(part.id), flow, target, values) for part in target.structure.components
    }


def about(flow: Flow, measure: str) -> Flow:
    """A table as if a measure were its only one; as it is where none is named."""
    ids = ids_about(flow, measure)
    made = flow.structure
    measures = tuple(part for part in made.measures if part.id in ids)
    attributes = tuple(part for part in made.attributes if part.id in ids)
    return replace(flow, structure=replace(made, measures=measures, attributes=attributes))


def candidates(
    flow: Flow, target: Target, part: Component, values: Mapping[str, Sequence[str]] = MappingProxyType({})
) -> tuple[Candidate, ...]:
    """The components of a table that may be what a component of the target asks for, the likeliest first."""
    labels = {plain(text) for _, text in target.name(part)} | {plain(part.id)} | _called(part.id)
    index = _Index.of(target.codes(part) if values else (), part.id)
    found = (
        _candidate(flow, own, part, labels, _share(flow, own, index, values)) for own in flow.structure.components
    )
    return tuple(sorted(filter(None, found), key=lambda candidate: -candidate.likeness))


def _candidate(flow: Flow, own: Component, part: Component, labels: set[str], share: float) -> Candidate | None:
    names = _names(flow, own)
    if same_concept(own, part):
        return Candidate(own.id, "concept", 1.0)
    if own.id == part.id:
        return Candidate(own.id, "id", 1.0)
    if names & labels:
        return Candidate(own.id, "label", 0.95)
    if share > OVERLAP and kind_of(flow.table, own.id)[0] not in ABOUT_MEASURES:
        return Candidate(own.id, "values", 0.9 * share)
    like = max((_likeness(one, other) for one in labels for other in names), default=0.0)
    return Candidate(own.id, "near", 0.8 * like) if like >= NEAR else None


def code_map(own: Iterable[tuple[str, Text]], codes: Sequence[Code], component: str = "") -> dict[str, str]:
    """What values become, by id and by name in any language; empty where nothing is found.

    Args:
        own: the values, each with its name.
        codes: of the target.
        component: the id of the component of the target; of common ones it is known how their codes are called.
    """
    index = _Index.of(codes, component)
    return {value: index.code(value, name) for value, name in own}


def near(flow: Flow, target: Target, part: Component) -> str:
    """The names of the columns that come nearest to what a component asks for; empty where none does."""
    return ", ".join(column_name(flow, each.component) for each in candidates(flow, target, part)[:3])


def value_names(flow: Flow, component: str) -> dict[str, Text]:
    """The names of the codes of a column."""
    return {value.id: value.name for value in values_of(flow, component)}


def plain(text: str) -> str:
    """A name without case, accents and punctuation."""
    return " ".join("".join(c if c.isalnum() else " " for c in unaccented(text).casefold()).split())


@dataclass(frozen=True)
class _Index:
    """The codes of a list by id, and by what else means one of them only."""

    ids: frozenset[str]
    folded: Mapping[str, str]
    labels: Mapping[str, str]

    @classmethod
    def of(cls, codes: Sequence[Code], component: str) -> _Index:
        common = ((name, code.id) for code in codes for name in _called(f"{component}={code.id}"))
        return cls(
            frozenset(code.id for code in codes),
            _unique((plain(code.id), code.id) for code in codes),
            _unique((*((plain(text), code.id) for code in codes for _, text in code.name), *common)),
        )

    def code(self, value: str, name: Text) -> str:
        """The code that a value means; empty where it is not plain which."""
        if value in self.ids:
            return value
        found = self.folded.get(plain(value), "")
        # `_U`, not known, is not `U`, which may be urban; a total is both `T` and `_T`.
        if (found and (value[:1] == "_") == (found[:1] == "_")) or plain(value) == "t":
            return found
        named = {
            self.labels[each] for each in (plain(value), *(plain(text) for _, text in name)) if each in self.labels
        }
        return named.pop() if len(named) == 1 else ""


def _by_concept(flow: Flow, target: Target, id_: str, source: Source) -> bool:
    own = next(part for part in flow.structure.components if part.id == source.component)
    return same_concept(own, next(part for part in target.structure.components if part.id == id_))


def _filled(
    part: Component, found: Proposal | None, flow: Flow, target: Target, values: Mapping[str, Sequence[str]]
) -> Proposal:
    """A proposal with the codes that its values become; or the one value that stands for all."""
    codes = target.codes(part)
    if found is None:
        return _constant(part, target)
    occurring = values.get(found.source.component, ())
    if not codes or not set(occurring) - {code.id for code in codes}:
        return found
    names = value_names(flow, found.source.component)
    told = code_map([(value, names.get(value, Text())) for value in occurring], target.allowed(part), part.id)
    return replace(found, source=replace(found.source, codes=told))


def _constant(part: Component, target: Target) -> Proposal:
    """The one code that there may be, or that stands for all, of a dimension; nothing for anything else."""
    if not isinstance(part, Dimension) or part.is_time:
        return Proposal(Source())
    codes, allowed = target.codes(part), [code.id for code in target.allowed(part)]
    if len(allowed) == 1 and (len(codes) > 1 or target.has_all_codes(part)):
        return Proposal(Source(value=allowed[0]), "single" if len(codes) == 1 else "allowed")
    for_all = next((code for code in WHOLE if code in allowed), "")
    return Proposal(Source(value=for_all), "whole" if for_all else "")


@cache
def _called(id_: str) -> frozenset[str]:
    """What columns that stand for a common concept, or texts that stand for one of its codes, are often called."""
    return frozenset(plain(row["name"]) for row in _common() if row["id"] == id_)


@cache
def _common() -> tuple[dict[str, str], ...]:
    return tuple(rows(files("cdmeta.profiles").joinpath("sdmx", "names.csv")))


def _names(flow: Flow, own: Component) -> set[str]:
    """What a component of a table is called: its id, its column's name and titles, or what we call it."""
    column = next((each for each in flow.table.columns if each.id == own.id), None)
    title = column.title if column is not None else in_languages("texts", f"sdmx.{own.id}", "text")
    names = (own.id, column.name if column is not None else own.id, *(text for _, text in title))
    return {plain(name) for name in names} - {""}


def _likeness(one: str, other: str) -> float:
    """How alike two names are; one whose words are all in the other is near it."""
    words, others = set(one.split()), set(other.split())
    if words and others and (words <= others or others <= words):
        return 0.9  # times 0.8 it is more than _ALMOST, and less than what values tell
    return difflib.SequenceMatcher(None, one, other).ratio()


def _share(flow: Flow, own: Component, index: _Index, values: Mapping[str, Sequence[str]]) -> float:
    """The share of the values of a component that are codes of a list.

    Frequency, status and the like, which we make, are known by their ids: `A` is a code of many lists.
    """
    # Nearly every list has a code for all, so that one tells nothing.
    occurring = [value for value in values.get(own.id, ()) if value not in WHOLE]
    if not occurring or not index.ids or not (own.id in PROVENANCE or is_column(flow, own.id)):
        return 0.0
    names = value_names(flow, own.id)
    return sum(bool(index.code(value, names.get(value, Text()))) for value in occurring) / len(occurring)


def _unique(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Names that mean one code only."""
    found: dict[str, set[str]] = {}
    for name, code in pairs:
        found.setdefault(name, set()).add(code)
    return {name: codes.pop() for name, codes in found.items() if name and len(codes) == 1}
