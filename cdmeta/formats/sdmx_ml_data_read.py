"""SDMX-ML data messages as streams: 2.1 generic and structure-specific, 3.0 and 3.1; flat, by series, with groups.

Parsed by expat, which calls us for elements alone, with their attributes at once: a tree of lxml, even one that is
let go of, takes several times as long.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import BinaryIO
from xml.parsers import expat

from cdmeta.formats.data_sets import ACTIONS, DataSet, listed
from cdmeta.formats.messages import refusal
from cdmeta.formats.sdmx_ml_parts_read import check_name
from cdmeta.tables.engine import Session
from cdmeta.urn import Ref, known_kind

DimensionsOf = Callable[[Ref | None], frozenset[str] | None]
"""Ids of the dimensions of what a data set names, where its structure is at hand."""

_CHUNK = 1 << 18
_MAX_TOKEN = 1 << 23
_MAX_DEPTH = 64
_REFERENCES = {
    "Structure": "DataStructure",
    "StructureUsage": "Dataflow",
    "ProvisionAgreement": "ProvisionAgreement",
    "ProvisionAgrement": "ProvisionAgreement",  # as the schema of SDMX 2.1 spells it
}
_OF_MESSAGES = frozenset(
    [
        "structureRef",
        "setID",
        "action",
        "dataScope",
        "reportingBeginDate",
        "reportingEndDate",
        "validFromDate",
        "validToDate",
        "publicationYear",
        "publicationPeriod",
    ]
)
_FLAT = "AllDimensions"
_LANGUAGE = "http://www.w3.org/XML/1998/namespace}lang"
_TYPE = "http://www.w3.org/2001/XMLSchema-instance}type"


def data_sets(session: Session, stream: BinaryIO, dimensions: DimensionsOf) -> list[DataSet]:
    """The data sets of a message, their rows in the scratch folder of the session.

    Raises:
        ConversionError: it is no well-formed XML or no such message.
    """
    parser = expat.ParserCreate(namespace_separator="}")
    reader = _Reader(session, parser, dimensions)
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = None
    parser.StartDoctypeDeclHandler = _no_doctype
    parser.buffer_text = True
    given = 0
    try:
        while chunk := stream.read(_CHUNK):
            parser.Parse(chunk, False)
            given += len(chunk)
            if given - max(parser.CurrentByteIndex, 0) > _MAX_TOKEN:
                raise refusal("xml", line=parser.CurrentLineNumber, reason="token too long")
        parser.Parse(b"", True)
    except expat.ExpatError as error:
        raise refusal("xml", line=error.lineno, reason=expat.ErrorString(error.code)) from error
    finally:
        for data_set in reader.found:
            data_set.close()
    return reader.found


def _no_doctype(*_: object) -> None:
    raise refusal("doctype")


class _Reader:
    """Where in a message the parser is."""

    def __init__(self, session: Session, parser: expat.XMLParserType, dimensions: DimensionsOf) -> None:
        self.found: list[DataSet] = []
        self._session, self._parser, self._dimensions = session, parser, dimensions
        self._locals: dict[str, str] = {}
        self._path: list[str] = []
        self._number = 0
        self._is_generic = False
        # Of the header
        self._refs: dict[str, Ref] = {}
        self._levels: dict[str, str] = {}
        self._explicit: set[str] = set()
        self._header_id = ""
        self._action = "I"
        # Of the data set: attributes of the series, and of what is open (series, observation, group)
        self._series: dict[str, str] = {}
        self._open: dict[str, str] = {}
        self._key: set[str] = set()
        self._kind = ""
        self._level = "TIME_PERIOD"
        self._is_explicit = False
        # Of a component with several values
        self._component: str | None = None
        self._values: list[str | dict[str, str]] = []
        self._language: str | None = None
        self._text: list[str] = []

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        local = self._locals.get(tag)
        if local is None:
            local = self._locals[tag] = tag.rpartition("}")[2]
        path = self._path
        path.append(local)
        if local == "Obs":
            if self._is_explicit:
                self._measured(attributes)
            self._open = attributes
            return
        if len(path) > _MAX_DEPTH:
            raise refusal("xml", line=self._parser.CurrentLineNumber, reason="nested too deeply")
        if len(path) == 1:
            self._root(tag, local)
        elif path[1] == "Header":
            self._in_header(local, attributes)
        elif path[1] == "DataSet":
            if len(path) == 2:
                self._data_set(attributes)
            elif self._is_generic:
                self._in_generic(local, attributes)
            else:
                self._in_specific(local, attributes)

    def end(self, _: str) -> None:
        path = self._path
        local = path.pop()
        if local == "Obs":
            if path[1:2] != ["DataSet"]:
                raise refusal("xml", line=self._parser.CurrentLineNumber, reason="Obs outside of a DataSet")
            self._number += 1
            row = {**self._series, **self._open} if self._series else self._open
            self.found[-1].observations.add(self._number, row)
            self._open = self._series
        elif len(path) > 1:
            if path[1] == "Header":
                self._end_in_header(local)
            elif path[1] == "DataSet":
                self._end_in_data_set(local)

    def _root(self, tag: str, local: str) -> None:
        check_name(tag)
        if not local.endswith("Data") or not local.startswith(("Generic", "StructureSpecific")):
            raise refusal("kind.data", name=local)
        self._is_generic = local.startswith("Generic")

    def _in_header(self, local: str, attributes: dict[str, str]) -> None:
        depth = len(self._path)
        if local == "Structure" and depth == 3:
            self._header_id = attributes.get("structureID", "")
            self._levels[self._header_id] = attributes.get("dimensionAtObservation", "TIME_PERIOD")
            if attributes.get("explicitMeasures") in ("true", "1"):
                self._explicit.add(self._header_id)
        elif local == "Ref" and depth == 5 and self._path[3] in _REFERENCES:
            kind = known_kind(attributes.get("class", "")) or _REFERENCES[self._path[3]]
            agency, id_ = attributes.get("agencyID"), attributes.get("id")
            if agency and id_:
                self._refs[self._header_id] = Ref(kind, agency, id_, attributes.get("version", "1.0"))
        if local in ("URN", "DataSetAction") or (depth == 4 and local in _REFERENCES):
            self._listen()

    def _end_in_header(self, local: str) -> None:
        if self._parser.CharacterDataHandler is None:
            return
        text = self._heard().strip()
        if local == "DataSetAction":
            self._action = ACTIONS.get(text, "I")
        elif (ref := Ref.read(text)) is not None:
            self._refs[self._header_id] = ref

    def _listen(self) -> None:
        self._text.clear()
        self._parser.CharacterDataHandler = self._text.append

    def _heard(self) -> str:
        self._parser.CharacterDataHandler = None
        return "".join(self._text)

    def _data_set(self, attributes: dict[str, str]) -> None:
        own = {name.rpartition("}")[2]: value for name, value in attributes.items()}
        id_ = own.get("structureRef", "")
        if id_ not in self._refs and len(self._refs) == 1:
            id_ = next(iter(self._refs))
        ref = self._refs.get(id_)
        self._level = self._levels.get(id_, "TIME_PERIOD")
        self._is_explicit = id_ in self._explicit and not self._is_generic
        action = ACTIONS.get(own.get("action", ""), self._action)
        made = DataSet(self._session, len(self.found), ref, action, self._dimensions(ref))
        if not self._is_generic:
            made.attributes |= {
                name: value for name, value in attributes.items() if "}" not in name and name not in _OF_MESSAGES
            }
        self.found.append(made)
        self._series, self._open = {}, {}

    def _in_specific(self, local: str, attributes: dict[str, str]) -> None:
        if local == "Series":
            self._series = self._open = _plain(attributes)
        elif local in ("Group", "Atts"):
            self._kind = attributes.get(_TYPE, local).rpartition(":")[2]
            self._open = _plain(attributes)
        elif local == "Comp":
            self._component, self._values = attributes.get("id"), []
        elif local == "Value" and self._component is not None:
            self._values.append("")
            self._listen()
        elif local in ("Text", "StructuredText") and self._component is not None:
            self._language = attributes.get(_LANGUAGE, "en")
            self._listen()

    def _measured(self, attributes: dict[str, str]) -> None:
        """Put the measure that an observation is of, which its type tells, into its values (SDMX 2.1 alone).

        The measure dimension is that at the observation or, in flat data, the one that an observation lacks;
        `type` is what the types of observations fix by it.
        """
        named = attributes.get(_TYPE, "").rpartition(":")[2]
        concept, level = attributes.pop("type", named), self._level
        dimensions = self.found[-1].dimensions
        if level == _FLAT and dimensions is not None:
            lacking = dimensions - attributes.keys()
            if len(lacking) != 1:
                return
            (level,) = lacking
        if concept:
            attributes.setdefault(level, concept)

    def _in_generic(self, local: str, attributes: dict[str, str]) -> None:
        if local == "Series":
            self._series = self._open = {}
        elif local == "Group":
            self._open, self._key = {}, set()
            self._kind = attributes.get("type", "")
        elif local == "Value":
            self._generic_value(attributes.get("id", ""), attributes.get("value"))
        elif local == "ObsDimension":
            self._generic_value(attributes.get("id", self._level), attributes.get("value"))
        elif local == "ObsValue":
            self._generic_value(attributes.get("id", "OBS_VALUE"), attributes.get("value"))

    def _generic_value(self, id_: str, value: str | None) -> None:
        if value is None or not id_:
            return
        parent = self._path[-2]
        if parent == "GroupKey":
            self._key.add(id_)
        if len(self._path) == 4 and parent == "Attributes":
            self.found[-1].attributes[id_] = value
        else:
            self._open[id_] = value

    def _end_in_data_set(self, local: str) -> None:
        if local == "Series":
            self._series = {}
        elif local in ("Group", "Atts"):
            key = frozenset(self._key) if self._is_generic else None
            self.found[-1].group(self._open, key, self._kind)
            self._open = {}
        elif self._component is not None:
            self._end_in_component(local)

    def _end_in_component(self, local: str) -> None:
        if local in ("Text", "StructuredText") and self._values:
            text, value = self._heard(), self._values[-1]
            texts = value if isinstance(value, dict) else {}
            self._values[-1] = texts | {self._language or "en": text}
        elif local == "Value":
            if self._parser.CharacterDataHandler is not None and not isinstance(self._values[-1], dict):
                self._values[-1] = self._heard()
            self._parser.CharacterDataHandler = None
        elif local == "Comp" and self._component:
            self._open[listed(self._component)] = json.dumps(self._values, ensure_ascii=False)
            self._component = None


def _plain(attributes: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in attributes.items() if "}" not in name}
