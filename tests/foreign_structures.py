"""Metadata structures of others as far as our templates of their reports know them, to judge reports by."""

from cdmeta.sdmx.artefacts import MetadataAttribute, MetadataStructure, Representation
from cdmeta.sdmx.reports import HEADING, Slot, Template
from cdmeta.text import Text
from cdmeta.urn import Ref


def foreign_structure(template: Template) -> MetadataStructure:
    """What we know of a structure, to judge reports by: each attribute at most once."""
    top = tuple(_attribute(slot, template) for slot in template.slots if not slot.parent)
    ref = template.structure
    return MetadataStructure(ref.agency, ref.id, ref.version, Text.of(template.name, "en"), attributes=top)


def _attribute(slot: Slot, template: Template) -> MetadataAttribute:
    concepts = Ref("Concept", template.structure.agency, template.structure.id, "1.0", slot.id)
    return MetadataAttribute(
        slot.id,
        concepts,
        Representation(text_type="GregorianDay" if slot.type == "GregorianDay" else "String"),
        min_occurs=0,
        max_occurs=1,
        presentational=slot.type == HEADING,
        children=tuple(_attribute(below, template) for below in template.slots if below.parent == slot.id),
    )
