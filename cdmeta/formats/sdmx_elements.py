"""What SDMX-ML of any version is built of: elements in its namespaces, texts, annotations, XHTML, the header."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Literal, cast

from cdmeta.errors import ConversionError
from cdmeta.phrase import Phrase, Series
from cdmeta.sdmx.artefacts import Annotation, Header, TimeRange
from cdmeta.sdmx.constraints import limits
from cdmeta.sdmx.namespaces import base
from cdmeta.text import Text

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

Version = Literal["2.1", "3.0", "3.1"]
Attributes = Mapping[str, str | None]

XHTML = "http://www.w3.org/1999/xhtml"
"""Namespace of what stands in `com:StructuredText`."""

_PATHS = {"mes": "message", "str": "structure", "gen": "metadata/generic", "com": "common"}
_LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"
# What is no Char of XML 1.0 (§2.2).
_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@cache
def namespaces(version: Version) -> Mapping[str, str]:
    """Prefixes of the namespaces that our messages of a version use."""
    return {prefix: f"{base(version)}/{path}" for prefix, path in _PATHS.items()}


def root(version: Version, name: str, *prefixes: str) -> Element:
    """The root of a message, with the prefixes that stand in it."""
    from lxml import etree

    known = namespaces(version)
    return etree.Element(f"{{{known['mes']}}}{name}", nsmap={key: known[key] for key in ("mes", *prefixes)})


def as_bytes(element: Element) -> bytes:
    """The message, indented."""
    from lxml import etree

    return etree.tostring(element, encoding="UTF-8", xml_declaration=True, pretty_print=True)


def version_of(element: Element) -> Version:
    """The version of the message that an element stands in."""
    return _version(element.tag.partition("}")[0][1:])


@cache
def _version(namespace: str) -> Version:
    versions: tuple[Version, ...] = ("2.1", "3.0", "3.1")
    return next(version for version in versions if namespace in namespaces(version).values())


def add(
    parent: Element,
    name: str,
    attributes: Attributes | None = None,
    text: str | None = None,
    nsmap: Mapping[str | None, str] | None = None,
) -> Element:
    """A new last child: `str:Code` is in the namespace of the message's version, `Ref` in none.

    Raises:
        ConversionError: a value holds a character that XML cannot hold; the message names the place.
    """
    from lxml import etree

    prefix, _, local = name.rpartition(":")
    tag = f"{{{namespaces(version_of(parent))[prefix]}}}{local}" if prefix else local
    # None, for the default namespace, is missing in lxml-stubs.
    element = etree.SubElement(parent, tag, nsmap=cast("Mapping[str, str] | None", nsmap))
    for key, value in (attributes or {}).items():
        if value is not None:
            element.set(key, _legal(value, element))
    if text is not None:
        element.text = _legal(text, element)
    return element


def _legal(value: str, element: Element) -> str:
    """The value, if XML can hold it: what was approved is written as it is, or not at all."""
    if (illegal := _ILLEGAL.search(value)) is None:
        return value
    raise ConversionError(Phrase("error.xml", {"place": _place(element), "code": f"{ord(illegal[0]):04X}"}))


def _place(element: Element) -> Series:
    nodes = (element, *element.iterancestors())
    place = [element.tag.partition("}")[2], *filter(None, (node.get("id") for node in nodes))]
    return Series(tuple(place), "list.within")


def boolean(value: bool) -> str:
    """As XML Schema writes it."""
    return "true" if value else "false"


def texts(parent: Element, name: str, text: Text) -> None:
    """An element for each language."""
    for language, part in text:
        add(parent, name, {_LANGUAGE: language}, part)


def structured(parent: Element, text: Text | str) -> None:
    """A `com:StructuredText` for each language, its XHTML as elements; without one, in English, as by default.

    Raises:
        ConversionError: a text is no well-formed XML.
    """
    for language, part in text if isinstance(text, Text) else (("en", text),):
        element = add(parent, "com:StructuredText", {_LANGUAGE: language}, nsmap={None: XHTML})
        content = _xhtml(_legal(part, element), element)
        # A text, be it empty, keeps the content from being indented: white space is part of it.
        element.text = content.text or ""
        element.extend(list(content))


def _xhtml(text: str, place: Element) -> Element:
    from lxml import etree

    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        return etree.fromstring(f'<div xmlns="{XHTML}">{text}</div>'.encode(), parser)
    except etree.XMLSyntaxError as error:
        raise ConversionError(Phrase("error.xhtml", {"place": _place(place), "reason": error.msg})) from error


def annotate(parent: Element, notes: Iterable[Annotation]) -> None:
    """`com:Annotations`, where there are any."""
    group = None
    for note in notes:
        group = add(parent, "com:Annotations") if group is None else group
        element = add(group, "com:Annotation", {"id": note.id})
        if note.title is not None:
            add(element, "com:AnnotationTitle", text=note.title)
        if note.type is not None:
            add(element, "com:AnnotationType", text=note.type)
        texts(element, "com:AnnotationText", note.text)


def put_members(parent: Element, prefix: str, given: Sequence[str] | TimeRange) -> None:
    """What a region of a constraint says of a component: its values, or its range of time."""
    if not isinstance(given, TimeRange):
        for value in given:
            add(parent, f"{prefix}:Value", text=value)
        return
    element = add(parent, f"{prefix}:TimeRange")
    for name, period, included in limits(given):
        add(element, f"{prefix}:{name}", {"isInclusive": boolean(included)}, period)


def header(parent: Element, told: Header) -> Element:
    """The header of a message, as far as all kinds have it."""
    element = add(parent, "mes:Header")
    add(element, "mes:ID", text=told.id)
    add(element, "mes:Test", text=boolean(told.test))
    add(element, "mes:Prepared", text=told.prepared.isoformat())
    add(element, "mes:Sender", {"id": sender_id(told.sender)})
    return element


def sender_id(agency: str) -> str:
    """The id of a party in a header: that of the agency, whose dots are forbidden there (IDType)."""
    return agency.replace(".", "_")
