"""SQL of the status and the confidentiality of a figure: one that is missing is never a zero.

Codes of SDMX:CL_OBS_STATUS and SDMX:CL_CONF_STATUS. A figure that is missing has the status that its text says
(`missingValues` with labels, or `sdmx.statuses`), else O; one that is there has U where too few were asked, V
where nobody validated, else A. What a column of statuses says comes first.
"""

from __future__ import annotations

from collections.abc import Iterable

from cdmeta.columns import Column, Table
from cdmeta.components import SUPPRESSED
from cdmeta.dataset import Dataset
from cdmeta.sdmx.values import missing_text, typed_cell, value_of
from cdmeta.tables.engine import literal


def status_of(dataset: Dataset, table: Table, measures: tuple[Column, ...]) -> str:
    """SQL of the status of the figures of a row: of one measure, or of several together."""
    if len(measures) > 1:
        figures = ", ".join(value_of(table, measure) for measure in measures)
        return f"CASE WHEN coalesce({figures}) IS NULL THEN 'O' ELSE '{_normal(dataset)}' END"
    (measure,) = measures
    missing = _by_text(measure, ((text, status.observation) for text, status in measure.statuses), "O")
    low = f"WHEN {few} THEN 'U' " if (few := _too_few(table, measure)) else ""
    return f"CASE WHEN {value_of(table, measure)} IS NULL THEN {missing} {low}ELSE '{_normal(dataset)}' END"


def confidentiality_of(table: Table, measure: Column, status: str) -> str:
    """SQL of the confidentiality of a figure: C where it is suppressed, else what its text says, else free (F)."""
    told = ((text, status.confidentiality or "F") for text, status in measure.statuses)
    missing = _by_text(measure, told, "F")
    return (
        f"CASE WHEN {status} = '{SUPPRESSED}' THEN 'C' "
        f"WHEN {value_of(table, measure)} IS NULL THEN {missing} ELSE 'F' END"
    )


def _normal(dataset: Dataset) -> str:
    return "V" if set(dataset.codes("citizenData.validation")) == {"NONE"} else "A"


def _by_text(measure: Column, told: Iterable[tuple[str, str]], otherwise: str) -> str:
    cases = " ".join(f"WHEN {literal(text)} THEN '{code}'" for text, code in told)
    return f"CASE {missing_text(measure)} {cases} ELSE '{otherwise}' END" if cases else f"'{otherwise}'"


def _too_few(table: Table, measure: Column) -> str:
    """SQL that tells whether a figure rests on too few answers; empty where nothing says how many are too few."""
    if measure.small_base is None:
        return ""
    name, below = measure.small_base
    base = next(column for column in table.columns if column.name == name)
    return f"try_cast({typed_cell(table, base)} AS DOUBLE) < {below}"
