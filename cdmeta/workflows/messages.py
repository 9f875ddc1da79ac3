"""The SDMX formats: for each what writes structures, reports and data, and who judges them."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, BinaryIO, Literal, cast

from cdmeta.errors import ConversionError
from cdmeta.phrase import Phrase
from cdmeta.sdmx import xsd
from cdmeta.sdmx.artefacts import Codelist, Dataflow, DataStructure, Header, MetadataSet, Structure, ValueList
from cdmeta.sdmx.observations import Observations
from cdmeta.tables.engine import Session
from cdmeta.text import printable

if TYPE_CHECKING:
    from cdmeta.formats.oracle import Kind

Shown = Literal["id", "name", "both"]
Keys = Literal["none", "obs", "series", "both"]


@dataclass(frozen=True)
class Options:
    """How data are laid out; each format takes of it what it knows.

    Attributes:
        by_series: True for observations in series, False for flat data; None for what is usual in the format.
        labels: what SDMX-CSV shows of components and codes.
        keys: which keys SDMX-CSV shows.
        languages: of the names in SDMX-CSV, the first there is; and of the README beside the files.
        compress: True for each data file zipped.
    """

    by_series: bool | None = None
    labels: Shown = "id"
    keys: Keys = "none"
    languages: tuple[str, ...] = ()
    compress: bool = False

    def spoken(self, own: str) -> str:
        """The language of what is written for who converts; that of the package where none is asked for."""
        return next(iter(self.languages), own)


@dataclass(frozen=True)
class Described:
    """Observations with what is at hand of their structure.

    Attributes:
        observations: the observations.
        dataflow, structure: what they are data of.
        lists: the whole code lists and value lists that it takes its values from.
        names: artefacts with names for components and codes.
    """

    observations: Observations
    dataflow: Dataflow
    structure: DataStructure
    lists: tuple[Codelist | ValueList, ...]
    names: tuple[Structure, ...]


_LONG_LIST = 500
"""Codes of a list up to which a message is judged by it again: a schema compares each value with each code."""
USUAL = Options()
"""How data are laid out where nobody says."""

_Structures = Callable[[Sequence[Structure], Header], bytes]
_Report = Callable[[MetadataSet, Header], bytes]
_Data = Callable[[Session, Described, Path, Header, Options], None]


@dataclass(frozen=True)
class Form:
    """A format.

    Attributes:
        ending: of its files.
        data: writes a data message.
        structures: writes a message of structures, and by which schema it is judged; None where it has none.
        report: likewise of one report.
    """

    ending: str
    data: _Data
    structures: tuple[_Structures, Kind] | None = None
    report: tuple[_Report, Kind | None] | None = None


def put(path: Path, message: bytes, kind: Kind | None) -> None:
    """Write a message that the official schema accepts.

    Raises:
        ConversionError: it does not.
    """
    from cdmeta.formats import oracle

    for problem in oracle.problems(message, kind) if kind is not None else ():
        raise ConversionError(Phrase("convert.invalid", {"name": path.name, "problem": printable(problem)}))
    path.write_bytes(message)


def put_report(path: Path, form: Form, report: MetadataSet, header: Header) -> None:
    """Write a report in a format that has them.

    Raises:
        ConversionError: the format cannot say it, or the official schema does not accept it.
    """
    if form.report is None:
        raise ConversionError(Phrase("convert.no-reports"))
    write, kind = form.report
    put(path, write(report, header), kind)


def data_name(stem: str, form: Form, options: Options, *, draft: bool) -> str:
    """The name of a file with data; SDMX-CSV has no header that could say that they are a draft."""
    mark = ".draft" if draft and form.ending == ".csv" else ""
    return f"{stem}{mark}{form.ending}{'.zip' if options.compress else ''}"


def _ml(version: Literal["3.0", "3.1"]) -> Form:
    def structures(artefacts: Sequence[Structure], header: Header) -> bytes:
        from cdmeta.formats import sdmx_ml

        return sdmx_ml.structures(artefacts, header, version)

    def report(each: MetadataSet, header: Header) -> bytes:
        from cdmeta.formats import sdmx_ml

        return sdmx_ml.metadata([each], header, version)

    def data(session: Session, rows: Described, path: Path, header: Header, options: Options) -> None:
        from cdmeta.formats import sdmx_ml_data

        by_series, compress = bool(options.by_series), options.compress
        sdmx_ml_data.data(
            session, rows.observations, path, header, by_series=by_series, version=version, compress=compress
        )
        _judge(path, rows, version, by_series=by_series)

    kind: Kind = "sdmx-ml-3.0" if version == "3.0" else "sdmx-ml-3.1"
    return Form(".xml", data, (structures, kind), (report, kind))


def _ml_21(*, generic: bool) -> Form:
    def structures(artefacts: Sequence[Structure], header: Header) -> bytes:
        from cdmeta.formats import sdmx_ml_21

        return sdmx_ml_21.structures(artefacts, header)

    def report(each: MetadataSet, header: Header) -> bytes:
        from cdmeta.formats import sdmx_ml_21

        return sdmx_ml_21.metadata([each], header)

    def data(session: Session, rows: Described, path: Path, header: Header, options: Options) -> None:
        from cdmeta.formats import sdmx_ml_data_21

        by_series, compress = bool(options.by_series), options.compress
        sdmx_ml_data_21.data(
            session, rows.observations, path, header, by_series=by_series, generic=generic, compress=compress
        )
        if not generic:
            _judge(path, rows, "2.1", by_series=by_series)

    return Form(".xml", data, (structures, "sdmx-ml-2.1"), (report, "sdmx-ml-2.1"))


def _json(version: Literal["2.0", "2.1"]) -> Form:
    def structures(artefacts: Sequence[Structure], header: Header) -> bytes:
        from cdmeta.formats import sdmx_json

        return sdmx_json.structures(artefacts, header, version)

    def report(each: MetadataSet, header: Header) -> bytes:
        from cdmeta.formats import sdmx_json

        return sdmx_json.metadata([each], header, version)

    def data(session: Session, rows: Described, path: Path, header: Header, options: Options) -> None:
        from cdmeta.formats import sdmx_json_data

        by_series = options.by_series is not False and rows.structure.time is not None
        sdmx_json_data.data(
            session,
            rows.observations,
            path,
            header,
            by_series=by_series,
            names=rows.names,
            version=version,
            compress=options.compress,
        )

    kinds: tuple[Kind, Kind] = ("sdmx-json-2.0-structure", "sdmx-json-2.0-metadata")
    if version == "2.1":
        kinds = ("sdmx-json-2.1-structure", "sdmx-json-2.1-metadata")
    return Form(".json", data, (structures, kinds[0]), (report, kinds[1]))


def _csv(version: Literal["1.0", "2.0"]) -> Form:
    def report(each: MetadataSet, header: Header) -> bytes:
        from cdmeta.formats import sdmx_csv_metadata

        del header  # the format has none
        return sdmx_csv_metadata.metadata([each])

    def data(session: Session, rows: Described, path: Path, header: Header, options: Options) -> None:
        from cdmeta.formats import sdmx_csv

        del header
        sdmx_csv.data(
            session,
            rows.observations,
            path,
            version=version,
            shown=options.labels,
            keys=options.keys,
            names=rows.names,
            languages=options.languages,
            compress=options.compress,
        )

    return Form(".csv", data, report=(report, None) if version == "2.0" else None)


def _judge(path: Path, rows: Described, version: Literal["2.1", "3.0", "3.1"], *, by_series: bool) -> None:
    """Refuse a message that the schema of its data structure does not accept.

    Its codes have been looked up in the lists before it was written; long lists are not gone through again.
    """
    from cdmeta.formats import sdmx_ml_data

    level: xsd.ObservationDimension = "TIME_PERIOD" if by_series else "AllDimensions"
    lists = tuple(each for each in rows.lists if len(each.codes) <= _LONG_LIST)
    schema = xsd.schema(rows.structure, lists, rows.dataflow, level, complete=True, version=version)
    judge = xsd.compiled(schema)
    with _opened(path) as stream:
        for part in sdmx_ml_data.Parts(stream):
            if xsd.chunk_problems(part, judge):  # their text holds values from the rows
                raise ConversionError(Phrase("convert.invalid", {"name": path.name, "problem": ""}))


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    """The bytes of a message, unpacked where it is zipped."""
    if path.suffix != ".zip":
        with path.open("rb") as file:
            yield file
        return
    with zipfile.ZipFile(path) as archive, archive.open(archive.namelist()[0]) as member:
        yield cast(BinaryIO, member)


FORMS: Mapping[str, Form] = MappingProxyType(
    {
        "sdmx-ml-3.0": _ml("3.0"),
        "sdmx-ml-3.1": _ml("3.1"),
        "sdmx-ml-2.1": _ml_21(generic=False),
        "sdmx-ml-2.1-generic": _ml_21(generic=True),
        "sdmx-json-2.0": _json("2.0"),
        "sdmx-json-2.1": _json("2.1"),
        "sdmx-csv-2.0": _csv("2.0"),
        "sdmx-csv-1.0": _csv("1.0"),
    }
)
"""All formats by name."""


def drafted(name: str, *, draft: bool) -> str:
    """The name of a file without header, marked where it is a draft."""
    stem, _, ending = name.rpartition(".")
    return f"{stem}.draft.{ending}" if draft and ending == "csv" else name
