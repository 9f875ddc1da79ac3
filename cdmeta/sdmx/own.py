"""Attributes that our data structures have without a column: units, statuses, and where the figures come from.

What is told of a measure is one attribute, `OBS_STATUS`, where there is one measure. With several, each has a
status of its own, `OBS_STATUS_` and the id of the measure, because one may be missing where the other is not;
units, multipliers and decimals are parted only where they differ. A column that has one of these ids takes its
place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from cdmeta import profile
from cdmeta.columns import Column, Table
from cdmeta.components import ABOUT_MEASURES, PROVENANCE
from cdmeta.dataset import Dataset
from cdmeta.profile import AGENCY, VERSION
from cdmeta.sdmx.profile_artefacts import CONCEPTS_ID
from cdmeta.urn import Ref

FREQUENCIES = Ref("Codelist", "SDMX", "CL_FREQ", "2.1")
STATUSES = Ref("Codelist", "SDMX", "CL_OBS_STATUS", "2.3")
CONFIDENTIALITY = Ref("Codelist", "SDMX", "CL_CONF_STATUS", "1.3")
MULTIPLIERS = Ref("Codelist", "SDMX", "CL_UNIT_MULT", "1.1")
DECIMALS = Ref("Codelist", "SDMX", "CL_DECIMALS", "1.0")
NO_UNIT = "_U"
_UNKNOWN = "_U"


def _field(id_: str) -> profile.Field:
    return profile.load().fields[PROVENANCE[id_]]


def provenance_lists() -> frozenset[Ref]:
    """The profile's code lists of where figures come from."""
    return frozenset(Ref("Codelist", AGENCY, _field(id_).codelist, VERSION) for id_ in PROVENANCE)


@dataclass(frozen=True)
class OwnAttribute:
    """An attribute that no column is.

    Attributes:
        id: id of the component.
        kind: what it tells: `UNIT_MEASURE`, `OBS_STATUS` …; its own id, where it tells of all figures.
        measures: the measures that it is about; none for all.
        value: the same for all observations; None where each has its own, or where nothing is known.
        mandatory: True where each observation, or all of them together, must have it.
        codelist: the code list, where it does not follow from the kind.
        field: path of the profile's field that it tells of.
        concept: URN of the profile's concept that its own equals.
    """

    id: str
    kind: str
    measures: tuple[Column, ...] = ()
    value: str | None = None
    mandatory: bool = True
    codelist: Ref | None = None
    field: str | None = None
    concept: str | None = None


def own_attributes(dataset: Dataset, table: Table) -> Iterator[OwnAttribute]:
    """The attributes of a table's data structure that no column is, in the order in which they stand there."""
    measures = table.measures
    yield from _shared(table, "UNIT_MEASURE", unit_of)
    if any(column.multiplier for column in measures):
        yield from _shared(table, "UNIT_MULT", lambda column: column.multiplier or "0")
    if all(column.decimals for column in measures):
        yield from _shared(table, "DECIMALS", lambda column: column.decimals)
    else:
        for column in measures if not table.has("DECIMALS") else ():
            if column.decimals and not table.has(_id(table, "DECIMALS", column)):
                yield OwnAttribute(
                    _id(table, "DECIMALS", column), "DECIMALS", _about(table, column), column.decimals
                )
    for kind in ("OBS_STATUS", "CONF_STATUS"):
        for column in () if table.has(kind) else measures:
            asked = kind == "OBS_STATUS" or any(status.confidentiality for _, status in column.statuses)
            if asked and not table.has(id_ := _id(table, kind, column)):
                yield OwnAttribute(id_, kind, _about(table, column))
    yield from _provenance(dataset)


def kind_of(table: Table, id_: str) -> tuple[str, Column | None]:
    """What a component tells, and of which of several measures: `OBS_STATUS_RATE` → `OBS_STATUS` and `RATE`."""
    for measure in table.measures if len(table.measures) > 1 else ():
        for kind in ABOUT_MEASURES:
            if id_ == f"{kind}_{measure.id}":
                return kind, measure
    return id_, None


def unit_of(measure: Column) -> str:
    """The code of a measure's unit."""
    return measure.unit.id if measure.unit else NO_UNIT


def _id(table: Table, kind: str, measure: Column) -> str:
    return kind if len(table.measures) == 1 else f"{kind}_{measure.id}"


def _about(table: Table, measure: Column) -> tuple[Column, ...]:
    return () if len(table.measures) == 1 else (measure,)


def _shared(table: Table, kind: str, value: Callable[[Column], str]) -> Iterator[OwnAttribute]:
    """One attribute where all measures have the same value, else one for each."""
    if table.has(kind):
        return
    values = {value(column) for column in table.measures}
    if len(values) == 1:
        yield OwnAttribute(kind, kind, (), values.pop())
        return
    for column in table.measures:
        if not table.has(id_ := _id(table, kind, column)):
            yield OwnAttribute(id_, kind, (column,), value(column))


def _provenance(dataset: Dataset) -> Iterator[OwnAttribute]:
    for id_ in PROVENANCE:
        entry = _field(id_)
        codelist = Ref("Codelist", AGENCY, entry.codelist, VERSION)
        concept = Ref("Concept", AGENCY, CONCEPTS_ID, VERSION, entry.concept).urn
        value = _principal(dataset, entry)
        yield OwnAttribute(id_, id_, (), value, codelist=codelist, field=entry.path, concept=concept)


def _principal(dataset: Dataset, entry: profile.Field) -> str | None:
    """The first code answered; not known, where there is none and the list can say so."""
    known = profile.load().codelists[entry.codelist].codes
    answers = (dataset.decision.outcome,) if entry.concept == "CD_STATUS" else dataset.codes(entry.path)
    first = next(iter(answers), None)
    return first if first in known else _UNKNOWN if _UNKNOWN in known else None
