"""In which order, and in how many messages, a registry has to be given artefacts.

Fusion Metadata Registry resolves the references of a message against what it holds already, and now and then fails
on what stands in the same message. So a message of ours refers to earlier ones only, as far as kinds go.
"""

from __future__ import annotations

from collections.abc import Iterable

from cdmeta.sdmx.artefacts import Structure

PARTS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("codelists", ("AgencyScheme", "MetadataProviderScheme", "Codelist", "ValueList")),
    ("concepts", ("ConceptScheme",)),
    ("structures", ("MetadataStructure", "DataStructure", "Dataflow", "Metadataflow")),
    ("agreements", ("MetadataProvisionAgreement", "DataConstraint", "RepresentationMap", "StructureMap")),
)
"""Name of each part and the kinds in it, in the order in which a registry takes them; reports come last."""


def parts(artefacts: Iterable[Structure]) -> tuple[tuple[str, tuple[Structure, ...]], ...]:
    """Artefacts by the messages that they go into, in the order in which these have to be sent.

    Returns:
        Pairs of name and artefacts; parts that would be empty are left out. What is given twice is in it once.
    """
    given = tuple(dict.fromkeys(artefacts))
    made = (
        (name, tuple(entry for kind in kinds for entry in given if entry.kind == kind)) for name, kinds in PARTS
    )
    return tuple((name, chosen) for name, chosen in made if chosen)
