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

from cdmeta import profile
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

_LANGUAGE = "en"
_CROSS_DOMAIN = "SDMX:CROSS_DOMAIN_CONCEPTS(2.0)."
_NUMBERS = {
    "integer": Representation(text_type="Integer", min_value="0"),
    "number": Representation(text_type="Decimal", min_value="0"),
    "percent": Representation(text_type="Decimal", min_value="0", max_value="100"),
}
_TEXT_TYPES = {"boolean": "Boolean", "date": "GregorianDay", "integer": "Integer", "uri": "URI"}


@cache
def artefacts() -> tuple[Structure, ...]:
    """All of them, each after what it refers to: code lists, concepts, metadata structure, metadataflow."""
    return (*codelists(), concept_scheme(), metadata_structure(), metadataflow())


def codelists() -> tuple[Codelist, ...]:
    """The profile's code lists."""
    return tuple(_codelist(codelist) for codelist in profile.load().codelists.values())


def concept_scheme() -> ConceptScheme:
    """The concepts of all fields that are metadata attributes, in the order of the profile."""
    name = _text("Concepts of citizen data")
    return ConceptScheme(
        AGENCY, CONCEPTS_ID, VERSION, name, concepts=tuple(_concept(entry) for entry in _fields())
    )


def metadata_structure() -> MetadataStructure:
    """The metadata structure: what is core has to be there, all else may be."""
    fields = _fields()
    top = tuple(_attribute(entry, fields) for entry in fields if not entry.parent)
    name = _text("Reference metadata of citizen data")
    return MetadataStructure(AGENCY, MSD_ID, VERSION, name, attributes=top)


def metadataflow() -> Metadataflow:
    """The metadataflow that reports are made by."""
    name = _text("Reference metadata of citizen data")
    structure = Ref("MetadataStructure", AGENCY, MSD_ID, VERSION)
    return Metadataflow(AGENCY, METADATAFLOW_ID, VERSION, name, structure=structure, targets=TARGETS)


def _fields() -> list[Field]:
    return [entry for entry in profile.load().fields.values() if entry.concept]


def _text(value: str) -> Text:
    return Text.of(value, _LANGUAGE)


def _codelist(codelist: profile.Codelist) -> Codelist:
    codes = tuple(
        Code(code.id, _text(code.name), _text(code.description), code.parent or None)
        for code in codelist.codes.values()
    )
    name, description = _text(codelist.name), _text(codelist.description)
    return Codelist(AGENCY, codelist.id, VERSION, name, description=description, codes=codes)


def _concept(entry: Field) -> Concept:
    same = next((link for link in entry.links if link.startswith(_CROSS_DOMAIN)), None)
    return Concept(
        entry.concept,
        _text(entry.title),
        _text(entry.description),
        None if _is_container(entry) else _representation(entry),
        f"urn:sdmx:org.sdmx.infomodel.conceptscheme.Concept={same}" if same else None,
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
