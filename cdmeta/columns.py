"""Tables and their columns as SDMX sees them: parts of a data structure, with codes, units and statuses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from cdmeta.indicators import Indicators
from cdmeta.package import Resource
from cdmeta.text import NO_TEXT, Text
from cdmeta.urn import Ref, to_concept_id

Role = Literal["dimension", "time", "measure", "attribute"]
ROLES: tuple[Role, ...] = ("dimension", "time", "measure", "attribute")
Level = Literal["observation", "series", "dataset", "auto"] | tuple[str, ...]
"""What the values of an attribute belong to: each observation, a series, all data, or what dimensions tell apart,
by the ids of their components; `auto` until the rows have told."""
LEVELS = ("observation", "series", "dataset", "auto")

FIGURE = "OBS_VALUE"
"""Id of the measure of a table that has one only."""


@dataclass(frozen=True)
class Value:
    """A value that a column may hold, as a code.

    Attributes:
        raw: its text in the rows.
        id: its SDMX id.
        name: its label.
        parent: the id of the code above it.
        description: what it means, where that is told.
    """

    raw: str
    id: str
    name: Text
    parent: str | None = None
    description: Text = NO_TEXT


@dataclass(frozen=True)
class Status:
    """Why a figure is missing: a code of SDMX:CL_OBS_STATUS; of SDMX:CL_CONF_STATUS, where it is confidential."""

    observation: str
    confidentiality: str = ""


@dataclass(frozen=True)
class Column:
    """A column of a table, with its part in SDMX.

    Attributes:
        name: its name in the table.
        title, description: for people; the title falls back to the name.
        type: Table Schema type.
        role: its part in the data structure.
        id: id of its SDMX component.
        concept: the concept it uses, where the descriptor names one.
        codelist: an existing code list that it uses, where the descriptor names one.
        values: its own code list, where it has one.
        required: True where every row has it.
        constraints: the Table Schema constraints.
        unit: unit of measure, for a measure.
        index: its place among the fields of the resource, from 0.
        multiplier: power of ten by which the figures are multiplied, for a measure; empty for none told.
        decimals: how many digits behind the point are meant, for a measure; empty for none told.
        statuses: for a measure, texts that stand for a missing figure, with what they say.
        small_base: for a measure, the column of how many were asked, and how many are too few to rely on.
        attachment: for an attribute, what its values belong to.
        item_type: for an attribute with several values in a cell, the Table Schema type of each; empty for none.
    """

    name: str
    title: Text
    description: Text
    type: str
    role: Role
    id: str
    concept: Ref | None = None
    codelist: Ref | None = None
    values: tuple[Value, ...] = ()
    required: bool = False
    constraints: Mapping[str, Any] = field(default_factory=dict, hash=False)
    unit: Value | None = None
    index: int = 0
    multiplier: str = ""
    decimals: str = ""
    statuses: tuple[tuple[str, Status], ...] = ()
    small_base: tuple[str, str] | None = None
    attachment: Level = "observation"
    item_type: str = ""


@dataclass(frozen=True)
class Computed:
    """What the rows of a table are computed from.

    Attributes:
        indicators: as it is declared.
        records: the records, their columns under their own names; dimensions have their codes.
    """

    indicators: Indicators
    records: Table


@dataclass(frozen=True)
class Table:
    """A tabular resource that becomes a dataflow.

    Attributes:
        name: name of the resource.
        title, description: for people.
        resource: the resource.
        columns: its columns, in its order.
        key: names of the columns of its primary key, in its order.
        computed: how its rows are computed from records; None where they are in a file.
    """

    name: str
    title: Text
    description: Text
    resource: Resource
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()
    computed: Computed | None = None

    @property
    def dimensions(self) -> tuple[Column, ...]:
        """The dimensions but time: in the order of the key, then those that stand outside it."""
        place = {name: number for number, name in enumerate(self.key)}
        return tuple(sorted(self.by_role("dimension"), key=lambda column: place.get(column.name, len(place))))

    @property
    def time(self) -> Column:
        """The column of time."""
        return self.by_role("time")[0]

    @property
    def measures(self) -> tuple[Column, ...]:
        """The columns of figures."""
        return self.by_role("measure")

    def by_role(self, role: Role) -> tuple[Column, ...]:
        """The columns of one role, in the order of the table."""
        return tuple(column for column in self.columns if column.role == role)

    def has(self, id_: str) -> bool:
        """Tell whether a column is the component with an id."""
        return any(column.id == id_ for column in self.columns)

    @property
    def id(self) -> str:
        """The part of its SDMX ids that comes from its name."""
        return to_concept_id(self.name)
