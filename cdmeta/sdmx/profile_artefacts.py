"""The profile's own SDMX artefacts: concepts, code lists, metadata structure and metadataflow of agency CDMETA.

A metadata attribute has the id of its concept. What stands at the top of the metadata structure must not be the id
of a component of a data structure, because dissemination systems put both side by side; what stands below another
attribute is told apart by its path. So `TITLE` is `DATASET_TITLE` here, `EMBARGO_TIME` is `DATASET_EMBARGO`,
`UNIT_MEASURE` stands below `STAT_CONC_DEF`, and an id of our own has two words or more where a column could well
be called so.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from cdmeta import mapping, profile
from cdmeta.profile import AGENCY, VERSION, Field
from cdmeta.sdmx.artefacts import (
    Code,
    Codelist,
    Concept,
    ConceptScheme,
    MetadataAttribute,
    Metadataflow,
    MetadataStructure,
    Representation,
    Structure,
)
from cdmeta.text import Text
from cdmeta.urn import Ref

CONCEPTS_ID = "CS_CITIZEN_DATA"
MSD_ID = "MSD_CITIZEN_DATA"
METADATAFLOW_ID = "MDF_CITIZEN_DATA"
TARGETS = (
    "urn:sdmx:org.sdmx.infomodel.datastructure.Dataflow=*:*(*)",
    "urn:sdmx:org.sdmx.infomodel.base.Agency=*:*(*).*",
)
"""What reports may be about: a dataflow; or its agency, where no rows are published."""

_CROSS_DOMAIN = "SDMX:CROSS_DOMAIN_CONCEPTS(2.0)."
_NUMBERS = {
    "integer": Representation(text_type="Integer", min_value="0"),
    "number": Representation(text_type="Decimal", min_value="0"),
    "percent": Representation(text_type="Decimal", min_value="0", max_value="100"),
}
# An address is a String, because sdmx1 fails on the text type URI (docs/interop.md).
_TEXT_TYPES = {"boolean": "Boolean", "date": "GregorianDay"}


@cache
def artefacts() -> tuple[Structure, ...]:
    """All of them, each after what it refers to: code lists, concepts, metadata structure, metadataflow."""
    return (*codelists(), concept_scheme(), metadata_structure(), metadataflow())


def codelists() -> tuple[Codelist, ...]:
    """The profile's code lists."""
    return tuple(_codelist(codelist) for codelist in profile.load().codelists.values())


def concept_scheme() -> ConceptScheme:
    """The concepts of all fields that are metadata attributes, in the order of the profile."""
    concepts = tuple(_concept(entry) for entry in _fields())
    name = profile.in_languages("texts", "sdmx.concepts", "text")
    return ConceptScheme(AGENCY, CONCEPTS_ID, VERSION, name, description=_status(), concepts=concepts)


def metadata_structure() -> MetadataStructure:
    """The metadata structure: what is core has to be there, all else may be."""
    fields = _fields()
    top = tuple(_attribute(entry, fields) for entry in fields if not entry.parent)
    name = profile.in_languages("texts", "sdmx.metadata", "text")
    return MetadataStructure(AGENCY, MSD_ID, VERSION, name, description=_status(), attributes=top)


def metadataflow() -> Metadataflow:
    """The metadataflow that reports are made by."""
    name = profile.in_languages("texts", "sdmx.metadata", "text")
    structure = Ref("MetadataStructure", AGENCY, MSD_ID, VERSION)
    return Metadataflow(
        AGENCY, METADATAFLOW_ID, VERSION, name, description=_status(), structure=structure, targets=TARGETS
    )


def _fields() -> list[Field]:
    return [entry for entry in profile.load().fields.values() if entry.concept]


def _status() -> Text:
    """What a reader of the profile has to know of its version, for instance that it is a draft."""
    return profile.in_languages("texts", f"profile.status.{profile.STATUS}", "text")


def _codelist(codelist: profile.Codelist) -> Codelist:
    codes = tuple(
        Code(
            code.id,
            profile.in_languages("codes", (codelist.id, code.id), "name"),
            profile.in_languages("codes", (codelist.id, code.id), "description"),
            code.parent or None,
        )
        for code in codelist.codes.values()
    )
    name, description = (
        profile.in_languages("codelists", codelist.id, column) for column in ("name", "description")
    )
    return Codelist(AGENCY, codelist.id, VERSION, name, description=description, codes=codes)


def _concept(entry: Field) -> Concept:
    found = [match for match in mapping.of_field(entry) if match.iri and match.kind not in ("see", "none")]
    same = [match.iri for match in found if match.kind == "exact" and match.target.startswith(_CROSS_DOMAIN)]
    return Concept(
        entry.concept,
        profile.in_languages("fields", entry.path, "title"),
        profile.in_languages("fields", entry.path, "description"),
        None if _is_container(entry) else _representation(entry),
        same[0] if same else None,
        tuple((match.kind, match.iri) for match in found if match.iri not in same),
    )


def _representation(entry: Field) -> Representation:
    """The code list, ours or the one of SDMX that a link names; else a text type.

    What may be withheld is a String whatever its type, because `WITHHELD_SAFETY` may stand for it.
    """
    if entry.codelist:
        return Representation(codelist=Ref("Codelist", AGENCY, entry.codelist, VERSION))
    for link in entry.links:
        ref = Ref.parse(f"urn:sdmx:org.sdmx.infomodel.codelist.Codelist={link}")
        if ref is not None and ref.item is None:
            return Representation(codelist=ref)
    if entry.type in _NUMBERS:
        return _NUMBERS[entry.type]
    return Representation(text_type="String" if entry.withhold else _TEXT_TYPES.get(entry.type, "String"))


def _attribute(entry: Field, fields: Iterable[Field]) -> MetadataAttribute:
    return MetadataAttribute(
        entry.concept,
        Ref("Concept", AGENCY, CONCEPTS_ID, VERSION, entry.concept),
        _representation(entry),
        min_occurs=1 if entry.tier == "core" else 0,
        max_occurs=None if entry.repeats else 1,
        presentational=_is_container(entry),
        children=tuple(_attribute(child, fields) for child in fields if child.parent == entry.concept),
    )


def _is_container(entry: Field) -> bool:
    return entry.type in ("list", "object")
