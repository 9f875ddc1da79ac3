"""Item schemes of SDMX-ML of any version, and their items: codes, concepts, organisations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cdmeta.formats.messages import code_told, concept_told
from cdmeta.formats.sdmx_ml_parts_read import (
    LANGUAGE,
    TRUE,
    Items,
    Readers,
    annotations_of,
    below,
    common_parts,
    first,
    id_of,
    local_ids,
    local_name,
    ref_of,
    representation_of,
    texts_of,
)
from cdmeta.sdmx import artefacts as sdmx
from cdmeta.text import NO_TEXT, Text

if TYPE_CHECKING:
    from lxml.etree import _Element as Element


def _code(element: Element) -> sdmx.Code:
    """A code; there may be a million of them, so its parts are gone through once."""
    texts: dict[str, list[tuple[str, str]]] = {"Name": [], "Description": []}
    parent: str | None = None
    unread = 0
    for part in element:
        name = local_name(part.tag)
        if name in texts and part.text:
            texts[name].append((part.get(LANGUAGE, "en"), part.text))
        elif name == "Parent":
            parent = next(local_ids(element, "Parent"), None)
        elif name == "Annotations":
            above, unread = code_told(annotations_of(element))
            parent = parent or above
    name_, description = (Text(tuple(entries)) if entries else NO_TEXT for entries in texts.values())
    return sdmx.Code(id_of(element), name_, description, parent, unread)


def _codelist(element: Element, items: list[Any]) -> sdmx.Codelist:
    extensions = tuple(item for item in items if isinstance(item, sdmx.CodelistExtension))
    codes = tuple(item for item in items if isinstance(item, sdmx.Code))
    partial_ = element.get("isPartial") in TRUE
    return sdmx.Codelist(**common_parts(element), codes=codes, is_partial=partial_, extensions=extensions)


def _extension(element: Element) -> sdmx.CodelistExtension:
    excluded = first(element, "ExclusiveCodeSelection")
    chosen = excluded if excluded is not None else first(element, "InclusiveCodeSelection")
    values = () if chosen is None else tuple(entry.text or "" for entry in below(chosen, "MemberValue"))
    codelist = ref_of(first(element, "Codelist"), "Codelist", element)
    return sdmx.CodelistExtension(codelist, element.get("prefix", ""), values, excluded is not None)


def _value_list(element: Element, items: list[Any]) -> sdmx.ValueList:
    return sdmx.ValueList(**common_parts(element), codes=tuple(items))


def _concept(element: Element) -> sdmx.Concept:
    core = first(element, "CoreRepresentation")
    return sdmx.Concept(
        id_of(element),
        texts_of(element, "Name"),
        texts_of(element, "Description"),
        None if core is None else representation_of(core),
        **concept_told(annotations_of(element)),
    )


def _concept_scheme(element: Element, items: list[Any]) -> sdmx.ConceptScheme:
    return sdmx.ConceptScheme(**common_parts(element), concepts=tuple(items))


def _organisation(element: Element) -> sdmx.Agency:
    return sdmx.Agency(id_of(element), texts_of(element, "Name"))


def _agencies(element: Element, items: list[Any]) -> sdmx.AgencyScheme:
    return sdmx.AgencyScheme(**common_parts(element), agencies=tuple(items))


def _data_providers(element: Element, items: list[Any]) -> sdmx.DataProviderScheme:
    return sdmx.DataProviderScheme(**common_parts(element), providers=tuple(items))


def _metadata_providers(element: Element, items: list[Any]) -> sdmx.MetadataProviderScheme:
    return sdmx.MetadataProviderScheme(**common_parts(element), providers=tuple(items))


ITEMS: Items = {
    "Codelist": {"Code": _code, "CodelistExtension": _extension},
    "ValueList": {"ValueItem": _code},
    "ConceptScheme": {"Concept": _concept},
    "AgencyScheme": {"Agency": _organisation},
    "DataProviderScheme": {"DataProvider": _organisation},
    "MetadataProviderScheme": {"MetadataProvider": _organisation},
}
READERS: Readers = {
    "AgencyScheme": _agencies,
    "DataProviderScheme": _data_providers,
    "MetadataProviderScheme": _metadata_providers,
    "Codelist": _codelist,
    "ValueList": _value_list,
    "ConceptScheme": _concept_scheme,
}
