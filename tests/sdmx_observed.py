"""Observations of a data structure with an attribute at every level, for the tests of data messages."""

import datetime as dt
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from cdmeta.sdmx.artefacts import (
    Attribute,
    Code,
    Codelist,
    Concept,
    ConceptScheme,
    Dataflow,
    DataStructure,
    Dimension,
    Group,
    Header,
    Measure,
    Representation,
)
from cdmeta.sdmx.observations import Cell, Observations
from cdmeta.tables.engine import Session, data_session, literal
from cdmeta.text import Text
from cdmeta.urn import Ref

AGENCY = "CDMETA.WARD"
HEADER = Header("D1", dt.datetime(2026, 3, 2, 10, 0, tzinfo=dt.UTC), AGENCY)
HOSTILE = "A \"quoted\" 'word' <b>&amp; & مرحبا 𝄞 ]]> \\n $1 {x} %s"
LINES = "two\nlines\r\nand\ttabs"
LONG = "ñandú & " * 12_500
LABELS = "Name: with, comma"

CL_FREQ = Codelist(
    "SDMX", "CL_FREQ", "2.1", Text((("en", "Freq"),)), codes=(Code("A", Text((("en", "Annual"),))),)
)
CL_AREA = Codelist(
    AGENCY,
    "CL_AREA",
    "1.0",
    Text((("en", "Areas"),)),
    codes=(
        Code("KE", Text((("en", "Kenya"), ("fr", "Le Kenya"), ("ar", "كينيا")))),
        Code("UG", Text((("en", LABELS), ("fr", 'L\'"Ouganda"')))),
        Code("0-1@$", Text((("fr", "Zone"),))),
        Code("ZZ", Text((("en", "Never there"),))),
    ),
)
CL_STATUS = Codelist(
    "SDMX",
    "CL_OBS_STATUS",
    "2.3",
    Text((("en", "Status"),)),
    codes=(Code("A", Text((("en", "Normal"),))), Code("O", Text((("en", "Missing"),)))),
)
_NAMES: tuple[str, ...] = (
    "FREQ",
    "REF_AREA",
    "KIND",
    "TIME_PERIOD",
    "OBS_VALUE",
    "BASE_N",
    "TITLE",
    "UNIT",
    "AREA_NOTE",
)
_NAMES += ("SIBLING_NOTE", "OBS_STATUS", "NOTE", "CHECKED")
CONCEPTS = ConceptScheme(
    AGENCY,
    "CS",
    "1.0",
    Text((("en", "Concepts"),)),
    concepts=tuple(
        Concept(id_, Text((("en", f"{id_.title()}, named"), ("fr", f"{id_.title()} nommé")))) for id_ in _NAMES
    ),
)
STRING, DOUBLE = Representation(), Representation(text_type="Double")


def concept(id_: str) -> Ref:
    return CONCEPTS.concept_ref(id_)


DSD = DataStructure(
    AGENCY,
    "DSD",
    "1.0",
    Text((("en", "Structure"),)),
    dimensions=(
        Dimension("FREQ", concept("FREQ"), Representation(CL_FREQ.ref), 1),
        Dimension("REF_AREA", concept("REF_AREA"), Representation(CL_AREA.ref), 2),
        Dimension("KIND", concept("KIND"), Representation(text_type="Alpha"), 3),
        Dimension(
            "TIME_PERIOD",
            concept("TIME_PERIOD"),
            Representation(text_type="ObservationalTimePeriod"),
            4,
            is_time=True,
        ),
    ),
    measures=(Measure("OBS_VALUE", concept("OBS_VALUE"), DOUBLE),),
    attributes=(
        Attribute("TITLE", concept("TITLE"), STRING, "dataflow"),
        Attribute("UNIT", concept("UNIT"), STRING, ("FREQ", "REF_AREA", "KIND")),
        Attribute("AREA_NOTE", concept("AREA_NOTE"), STRING, ("REF_AREA",)),
        Attribute("SIBLING_NOTE", concept("SIBLING_NOTE"), STRING, ("REF_AREA", "KIND"), group="SIBLING"),
        Attribute("OBS_STATUS", concept("OBS_STATUS"), Representation(CL_STATUS.ref)),
        Attribute("NOTE", concept("NOTE"), STRING),
        Attribute("CHECKED", concept("CHECKED"), Representation(text_type="Boolean")),
    ),
    groups=(Group("SIBLING", ("REF_AREA", "KIND")),),
)
DATAFLOW = Dataflow(AGENCY, "DF", "1.0", Text((("en", "Flow & more"), ("fr", "Flux"))), structure=DSD.ref)
LISTS = (CL_FREQ, CL_AREA, CL_STATUS)
ARTEFACTS = (CONCEPTS, *LISTS, DSD, DATAFLOW)
FREE = frozenset(("TITLE", "UNIT", "AREA_NOTE", "SIBLING_NOTE", "NOTE"))
TITLE = f"T {HOSTILE}"

COLUMNS = tuple(part.id for part in DSD.components)
Row = dict[str, str | None]


def row(area: str, kind: str, time: str, value: str | None, note: str | None = None, **other: str | None) -> Row:
    """A row whose higher attributes follow from its key, so that rows of one level agree."""
    return {
        "FREQ": "A",
        "REF_AREA": area,
        "KIND": kind,
        "TIME_PERIOD": time,
        "OBS_VALUE": value,
        "TITLE": TITLE,
        "UNIT": f"unit <{area}{kind}>" if area != "UG" else None,
        "AREA_NOTE": f'"{area}"',
        "SIBLING_NOTE": f"& {area} {kind}",
        "OBS_STATUS": "A" if value is not None else "O",
        "NOTE": note,
        "CHECKED": "true",
    } | other


ROWS: Sequence[Row] = (
    row("UG", "b", "2021", "1.5", HOSTILE),
    row("KE", "b", "2020-Q1", "-2", LINES),
    row("KE", "a", "2020", None, None, OBS_STATUS="O"),
    row("KE", "b", "2019", "1e3", LONG),
    row("0-1@$", "a", "2025-02-01/P43D", "NaN", "", CHECKED=None),
    row("UG", "b", "2020", "INF", "x", OBS_STATUS=None),
    row("KE", "a", "2019", "12345678901234567890.125", " spaced  "),
)


@contextmanager
def observed(
    folder: Path,
    rows: Sequence[Row] = ROWS,
    structure: DataStructure = DSD,
    free: frozenset[str] = FREE,
) -> Iterator[tuple[Session, Observations]]:
    """Observations of rows, in a session that may write to a folder."""
    ids = [part.id for part in structure.components if not rows or part.id in rows[0]]
    with data_session(folder) as session:
        columns = ", ".join(f'"{id_}" VARCHAR' for id_ in ids)
        session.connection.execute(f'CREATE TABLE observed ("row" BIGINT, {columns})')
        for number, given in enumerate(rows, 2):
            values = ", ".join("NULL" if given[id_] is None else literal(str(given[id_])) for id_ in ids)
            session.connection.execute(f"INSERT INTO observed VALUES ({number}, {values})")
        several = {part.id for part in structure.components if part.representation.max_occurs != 1}
        cells = tuple(Cell(id_, f'"{id_}"', id_ in free, id_ in several) for id_ in ids)
        yield session, Observations(structure, DATAFLOW, "observed", cells)


def by_time(rows: Sequence[Row]) -> list[Row]:
    """The rows in the order of data by series."""
    return sorted(rows, key=lambda given: tuple(str(given[id_]) for id_ in COLUMNS[:4]))
