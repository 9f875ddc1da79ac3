"""SDMX-ML 2.1, 3.0 and 3.1 messages of structures, read as streams with lxml.

Items of schemes, keys of constraints and rows of maps are turned into values and let go of one by one, so that
memory grows with the artefacts and not with the message.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, BinaryIO

from cdmeta.formats import sdmx_ml_definitions_read as definitions
from cdmeta.formats import sdmx_ml_items_read as items
from cdmeta.formats import sdmx_ml_rules_read as rules
from cdmeta.formats.messages import Skipped, refusal
from cdmeta.formats.sdmx_ml_parts_read import TRUE, Items, Readers, below, events, first, forget, local_name
from cdmeta.sdmx.artefacts import Structure

if TYPE_CHECKING:
    from lxml.etree import _Element as Element


def structures(stream: BinaryIO) -> Iterator[Structure | Skipped]:
    """The artefacts of a structure message, in its order, and what of it is not read.

    Args:
        stream: bytes of a message, of which the caller knows that it is XML.

    Raises:
        ConversionError: it is no well-formed XML or no such message, or lacks what an artefact has to have.
    """
    for element, found in _maintainables(stream):
        kind = local_name(element.tag)
        read = _READERS.get(kind)
        if read is None or element.get("isExternalReference") in TRUE or _is_beyond(element, found):
            yield Skipped(kind, element.get("agencyID", ""), element.get("id", ""), element.get("version", "1.0"))
        else:
            yield read(element, found)


def _maintainables(stream: BinaryIO) -> Iterator[tuple[Element, list[Any]]]:
    """Each maintainable element at its end, with the values of its items, which it holds no more."""
    depth, base = 0, None
    found: list[Any] = []
    before: list[Element | None] = [None, None]
    for event, element in events(stream):
        if event == "start":
            depth += 1
            if base is None and local_name(element.tag) == "Structures":
                base = depth
            elif base is None and depth == 1 and local_name(element.tag) not in ("Structure", "RegistryInterface"):
                raise refusal("kind.structure", name=local_name(element.tag))
            continue
        depth -= 1
        level = depth + 1 - base if base is not None else 0
        if level == 2:
            yield element, found
            found = []
            forget(element, before, 0)
            before[1] = None
        elif level == 3 and (read := _item_reader(element)):
            found.append(read(element))
            forget(element, before, 1)


def _item_reader(element: Element) -> Callable[[Element], Any] | None:
    parent = element.getparent()
    return None if parent is None else _ITEMS.get(local_name(parent.tag), {}).get(local_name(element.tag))


_CONTENT = {
    "Dataflow": "Structure",
    "Metadataflow": "Structure",
    "DataStructure": "DataStructureComponents",
    "MetadataStructure": "MetadataStructureComponents",
}
"""By kind: what is not there where the artefact is a mere stub."""


def _is_beyond(element: Element, found: list[Any]) -> bool:
    """True of an artefact that says what our artefacts cannot hold, so that to read it by halves would mislead."""
    kind = local_name(element.tag)
    if None in found:
        return True
    if kind == "StructureMap":
        fixed = any(first(entry, "Source") is not None for entry in below(element, "FixedValueMap"))
        dated = any(
            first(entry, "FrequencyDimension") is not None or len(below(entry, "Source")) > 1
            for entry in below(element, "DatePatternMap")
        )
        return fixed or dated or any(below(element, name) for name in ("EpochMap", "FrequencyFormatMapping"))
    return kind in _CONTENT and first(element, _CONTENT[kind]) is None


_ITEMS: Items = {**items.ITEMS, **rules.ITEMS}
_READERS: Readers = {**items.READERS, **definitions.READERS, **rules.READERS}
