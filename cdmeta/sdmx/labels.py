"""Names of components and codes, in all languages, by what refers to them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cdmeta.sdmx.artefacts import (
    Attribute,
    Codelist,
    ConceptScheme,
    Dimension,
    Measure,
    Representation,
    Structure,
    ValueList,
)
from cdmeta.text import NO_TEXT, Text
from cdmeta.urn import Ref


@dataclass(frozen=True)
class Labels:
    """Names, as far as the artefacts are at hand.

    Attributes:
        concepts: by the reference to a concept.
        codes: by the reference to a code list or value list, then by the id of a code.
    """

    concepts: Mapping[Ref, Text]
    codes: Mapping[Ref, Mapping[str, Text]]

    def component(self, part: Dimension | Measure | Attribute) -> Text:
        """The name of a component, which is that of its concept; empty where it is unknown."""
        return self.concepts.get(part.concept, NO_TEXT)

    def values(self, representation: Representation) -> Mapping[str, Text]:
        """The names of the codes that a component takes; none where it takes no codes, or they are unknown."""
        return self.codes.get(representation.codelist, {}) if representation.codelist else {}


def labels(artefacts: Iterable[Structure]) -> Labels:
    """The names in artefacts: concept schemes, code lists and value lists; others are passed over."""
    concepts: dict[Ref, Text] = {}
    codes: dict[Ref, Mapping[str, Text]] = {}
    for artefact in artefacts:
        if isinstance(artefact, ConceptScheme):
            concepts |= {artefact.concept_ref(concept.id): concept.name for concept in artefact.concepts}
        elif isinstance(artefact, Codelist | ValueList):
            codes[artefact.ref] = {code.id: code.name for code in artefact.codes}
    return Labels(concepts, codes)
