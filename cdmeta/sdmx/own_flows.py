"""Data structures that cdmeta made, known again: what in them follows from the rest is no column of its own."""

from __future__ import annotations

from dataclasses import dataclass

from cdmeta.columns import FIGURE
from cdmeta.components import ABOUT_MEASURES, PROVENANCE
from cdmeta.profile import AGENCY
from cdmeta.sdmx.artefacts import DataStructure


@dataclass(frozen=True)
class OwnFlow:
    """A data structure of ours.

    Attributes:
        package: the part of its ids that comes from the package.
        table: the part of its id that comes from the table.
        added: ids of the attributes that no column was.
    """

    package: str
    table: str
    added: frozenset[str]


def own_flow(structure: DataStructure) -> OwnFlow | None:
    """What a data structure of ours was made from; None for one that somebody else made.

    Ours have the four attributes of where figures come from, behind all others that no column is and before all
    that are columns, and an id that begins with that of their concept scheme.
    """
    ids = [part.id for part in structure.attributes]
    sources = [part for part in structure.attributes if part.id in PROVENANCE]
    if {part.id for part in sources} != set(PROVENANCE):
        return None
    concepts = {part.concept for part in sources}
    lists = {part.representation.codelist for part in sources}
    schemes = {(ref.agency, ref.id) for ref in concepts}
    if schemes != {(structure.agency, next(iter(concepts)).id)} or any(
        ref is None or ref.agency != AGENCY for ref in lists
    ):
        return None
    package = next(iter(concepts)).id.removeprefix("CS_")
    start = f"DSD_{package}_"
    if not structure.id.startswith(start):
        return None
    last = max(ids.index(id_) for id_ in PROVENANCE)
    return OwnFlow(package, structure.id.removeprefix(start), frozenset(ids[: last + 1]))


def told_of(structure: DataStructure, id_: str) -> tuple[str, tuple[str, ...]]:
    """What an attribute tells, and of which measures: `OBS_STATUS_RATE` → `OBS_STATUS` and `RATE`."""
    measures = tuple(part.id for part in structure.measures)
    for kind in ABOUT_MEASURES:
        if id_ == kind:
            return kind, measures
        if id_.startswith(f"{kind}_") and (about := id_.removeprefix(f"{kind}_")) in measures:
            return kind, (about,)
    return id_, measures


def is_figure(structure: DataStructure, id_: str) -> bool:
    """Tell whether a component is the one measure that needs no id of its own."""
    return id_ == FIGURE and len(structure.measures) == 1
