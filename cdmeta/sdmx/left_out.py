"""What structures say beside what becomes of their data, and a package has no place for: told, by kind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from cdmeta.phrase import Phrase
from cdmeta.sdmx.artefacts import (
    Codelist,
    Concept,
    DataConstraint,
    Dataflow,
    DataStructure,
    RepresentationMap,
    Structure,
    StructureMap,
    ValueList,
)
from cdmeta.sdmx.own_flows import own_flow
from cdmeta.sdmx.store import Store, references

_LINK = "METADATA"
"""The annotation by which .Stat finds the metadata structure of a data structure."""


def left_out(store: Store, structures: Sequence[DataStructure], flows: Sequence[Dataflow]) -> Iterator[Phrase]:
    """What is not kept of the structures of data, and of what they refer to.

    Args:
        store: artefacts at hand.
        structures: the data structures of what is imported, each as often as there are flows of it.
        flows: its dataflows.
    """
    used: dict[str, Structure] = {flow.urn: flow for flow in flows}
    used |= {structure.urn: structure for structure in structures}
    for structure in structures:
        used |= {found.urn: found for ref in references(structure) if (found := store.get(ref)) is not None}
    concepts = list(_concepts(store, structures))
    notes = Counter(
        artefact.kind
        for artefact in used.values()
        for annotation in artefact.annotations
        if annotation.type != _LINK
    )
    notes["Code"] += sum(
        code.unread for found in used.values() if isinstance(found, Codelist | ValueList) for code in found.codes
    )
    notes["Concept"] += sum(concept.unread for concept in concepts)
    for kind, count in (+notes).items():
        yield Phrase("import.note.annotations", {"kind": kind, "count": count})
    if count := sum(1 for concept in concepts if concept.same_as or concept.matches):
        yield Phrase("import.note.matches", {"count": count})
    kinds = Counter(part.kind for part in store if isinstance(part, RepresentationMap | StructureMap))
    kinds += Counter(part.kind for part in _constraints(store, used))
    for kind, count in kinds.items():
        yield Phrase("import.note.skipped", {"kind": kind, "count": count})


def _concepts(store: Store, structures: Iterable[DataStructure]) -> Iterator[Concept]:
    """The concepts of others that data use."""
    foreign = (structure for structure in structures if own_flow(structure) is None)
    for ref in dict.fromkeys(part.concept for structure in foreign for part in structure.components):
        if (concept := store.concept(ref)) is not None:
            yield concept


def _constraints(store: Store, used: Iterable[str]) -> Iterator[DataConstraint]:
    """The constraints on what is imported."""
    known = set(used)
    for artefact in store:
        if isinstance(artefact, DataConstraint):
            found = map(store.get, artefact.attached)
            if any(part is not None and part.urn in known for part in found):
                yield artefact
