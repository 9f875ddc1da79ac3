"""What messages of SDMX-ML of any version are read by: the stream, and the parts that all kinds of artefacts have.

Elements are taken by their local names, because the versions differ in namespaces far more than in names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache, partial
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from cdmeta.formats.messages import absent, refusal, whole
from cdmeta.phrase import Phrase
from cdmeta.sdmx.artefacts import Annotation, Representation, Structure
from cdmeta.sdmx.namespaces import SCHEMAS
from cdmeta.text import Text
from cdmeta.urn import Ref, known_kind

if TYPE_CHECKING:
    from lxml.etree import _Element as Element


VERSIONS = ("v2_1", "v3_0", "v3_1")

Items = Mapping[str, Mapping[str, Callable[["Element"], Any]]]
"""By kind: the parts that there may be many of, which are read and let go of one by one."""
Readers = Mapping[str, Callable[["Element", list[Any]], Structure]]
"""By kind: what makes the artefact, of its element and of what its items became."""
LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"


TRUE = ("true", "1")


def events(stream: BinaryIO) -> Iterator[tuple[str, Element]]:
    """Starts and ends of elements; nothing is fetched, no entity expanded, no document type taken.

    Raises:
        ConversionError: it is no well-formed XML of a version of SDMX-ML that is read.
    """
    from lxml import etree

    found = etree.iterparse(
        stream,
        events=("start", "end"),
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    first = True
    try:
        for event, element in found:
            if first:
                check_root(element)
                first = False
            yield event, element
    except etree.XMLSyntaxError as error:
        line = error.lineno or 1
        raise refusal("xml", line=line, reason=str(error.msg).partition(", line ")[0]) from error


def check_root(root: Element) -> None:
    """Raise ConversionError where a document has a document type, or is of no version that is read."""
    if root.getroottree().docinfo.internalDTD is not None:
        raise refusal("doctype")
    check_name(root.tag.removeprefix("{"))


def check_name(tag: str) -> None:
    """Raise ConversionError where the name of a root (`namespace}name`) is of no version that is read."""
    namespace, _, name = tag.rpartition("}")
    folded = namespace.casefold()  # that of 1.0 and 2.0 has capital letters: SDMX, SDMXML
    version = folded.removeprefix(SCHEMAS).partition("/")[0]
    if not folded.startswith(SCHEMAS):
        raise refusal("root", name=name)
    if version not in VERSIONS or folded != namespace:
        raise refusal("version", version=version.removeprefix("v").replace("_", "."))


def forget(element: Element, before: list[Element | None], place: int) -> None:
    """Empty an element, and take the one before it away: only what lies behind the parser may be touched."""
    for part in list(element):
        element.remove(part)
    element.text = None
    element.attrib.clear()
    previous, before[place] = before[place], element
    if previous is not None and (parent := previous.getparent()) is not None:
        parent.remove(previous)


@cache
def local_name(tag: str) -> str:
    """The name of an element, without its namespace."""
    return tag.rpartition("}")[2]


def below(element: Element, *names: str) -> list[Element]:
    """The elements below, by the names of a path."""
    found = [element]
    for name in names:
        found = [child for entry in found for child in entry if local_name(child.tag) == name]
    return found


def first(element: Element, *names: str) -> Element | None:
    """The first of the elements by a path; None where there is none."""
    return next(iter(below(element, *names)), None)


def text_of(element: Element, *names: str) -> str | None:
    """The text of an element below, without spaces around it, for ids and the like; None where it is not there."""
    found = first(element, *names)
    return None if found is None else (found.text or "").strip()


def texts_of(element: Element, name: str) -> Text:
    """A text in its languages; without one it is in English, which is the default of the schemas."""
    found = ((entry.get(LANGUAGE, "en"), entry.text) for entry in below(element, name))
    return Text(tuple((language, text) for language, text in found if text))


def _place(element: Element) -> str:
    """Where an element stands, as people find it: `Codelist CL_AREA, Code KE`."""
    above = [element, *element.iterancestors()]
    named = [f"{local_name(entry.tag)} {entry.get('id')}" for entry in reversed(above) if entry.get("id")]
    return ", ".join([*named, *([] if element.get("id") else [local_name(element.tag)])])


def lacking(element: Element, name: str) -> Exception:
    """The error of a part that has to be there, with the place of the element."""
    return absent(Phrase("error.message.at", {"place": _place(element), "line": _line(element)}), name)


def _line(element: Element) -> int:
    return int(cast(Any, element.sourceline) or 0)


def id_of(element: Element) -> str:
    """The id of an element, which has to have one."""
    if value := element.get("id"):
        return value
    raise lacking(element, "id")


def ref_of(element: Element | None, kind: str, owner: Element) -> Ref:
    """What an element refers to: a URN as its text (3.x), or the elements Ref or URN (2.1)."""
    found = None if element is None else reference_of(element, kind)
    if found is None:
        raise lacking(owner if element is None else element, kind)
    return found


def reference_of(element: Element, kind: str) -> Ref | None:
    """What an element refers to, as `ref_of`; None where it does not say so."""
    if (urn := text_of(element, "URN") or (element.text or "").strip()) and (found := Ref.read(urn)):
        return found
    if (ref := first(element, "Ref")) is None:
        return None
    agency, id_ = ref.get("agencyID"), ref.get("id")
    if not agency or not id_:
        return None
    kind = known_kind(ref.get("class", "")) or kind
    if parent := ref.get("maintainableParentID"):
        return Ref(kind, agency, parent, ref.get("maintainableParentVersion", "1.0"), id_)
    if (scheme := _SCHEMES.get(kind)) is not None:
        return Ref(kind, agency, scheme, "1.0", id_)
    return Ref(kind, agency, id_, ref.get("version", "1.0"))


_SCHEMES = {
    "Agency": "AGENCIES",
    "DataProvider": "DATA_PROVIDERS",
    "MetadataProvider": "METADATA_PROVIDERS",
}
"""Ids that the schemes of organisations always have."""


def annotations_of(element: Element) -> tuple[Annotation, ...]:
    """The annotations of an element."""
    return tuple(
        Annotation(
            text_of(note, "AnnotationType") or None,
            raw_text(note, "AnnotationTitle") or raw_text(note, "AnnotationValue"),
            texts_of(note, "AnnotationText"),
            note.get("id"),
        )
        for note in below(element, "Annotations", "Annotation")
    )


def raw_text(element: Element, name: str) -> str | None:
    """The text of an element below as it is written; None where there is none."""
    found = first(element, name)
    return None if found is None else found.text


def common_parts(element: Element) -> dict[str, Any]:
    """What all maintainable artefacts have."""
    agency = element.get("agencyID")
    if not agency:
        raise lacking(element, "agencyID")
    return {
        "agency": agency,
        "id": id_of(element),
        "version": element.get("version", "1.0"),
        "name": texts_of(element, "Name"),
        "description": texts_of(element, "Description"),
        "annotations": annotations_of(element),
    }


def representation_of(element: Element, default: str = "String") -> Representation:
    """What stands in an element such as `CoreRepresentation`."""
    most = element.get("maxOccurs", "1")
    occurs = None if most == "unbounded" else whole_number(element, most, "maxOccurs")
    if (enumeration := first(element, "Enumeration")) is not None:
        return Representation(ref_of(enumeration, "Codelist", element), max_occurs=occurs)
    facets = first(element, "TextFormat")
    if facets is None:
        return Representation(text_type=default, max_occurs=occurs)
    number = partial(_facet, facets)
    return Representation(
        None,
        facets.get("textType", default),
        number("minLength"),
        number("maxLength"),
        facets.get("minValue"),
        facets.get("maxValue"),
        facets.get("pattern"),
        number("decimals"),
        occurs,
    )


def _facet(element: Element, name: str) -> int | None:
    value = element.get(name)
    return None if value is None else whole_number(element, value, name)


def whole_number(element: Element, value: str, name: str) -> int:
    """A whole number, which an attribute has to be."""
    if (found := whole(value)) is None:
        raise lacking(element, name)
    return found


def local_representation(element: Element, default: str = "String") -> Representation:
    """The representation of a component; one that is the concept's says so."""
    found = first(element, "LocalRepresentation")
    return Representation(from_concept=True) if found is None else representation_of(found, default)


def concept_of(element: Element) -> Ref:
    """The concept of a component."""
    return ref_of(first(element, "ConceptIdentity"), "Concept", element)


def component_id(element: Element, concept: Ref, fixed: str | None = None) -> str:
    """The id of a component: in SDMX 2.1 that of its concept, where it has none of its own."""
    if found := element.get("id") or fixed or concept.item:
        return found
    raise lacking(element, "id")


def local_ids(element: Element, *names: str) -> Iterator[str]:
    """Ids of components that are referred to: as a text (3.x), or as the element Ref (2.1)."""
    for entry in below(element, *names):
        ref = first(entry, "Ref")
        if found := (entry.text or "").strip() if ref is None else ref.get("id", ""):
            yield found
