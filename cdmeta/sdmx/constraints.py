"""What all writers have to know of a data constraint: what it is on, and which components are no dimensions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from cdmeta.errors import ConversionError
from cdmeta.phrase import Phrase
from cdmeta.sdmx.artefacts import (
    CubeRegion,
    DataConstraint,
    Dataflow,
    DataStructure,
    Dimension,
    Maintainable,
    TimeRange,
)

_ATTACHABLE = ("DataStructure", "Dataflow", "ProvisionAgreement", "DataProvider")


def attachment(constraint: DataConstraint) -> str:
    """The kind of what a constraint is on; all versions of SDMX want it to be one.

    Raises:
        ConversionError: the constraint is on things of several kinds, on several providers, or on what cannot have
            constraints.
    """
    kinds = {ref.kind for ref in constraint.attached}
    if (
        len(kinds) == 1
        and kinds <= set(_ATTACHABLE)
        and (kinds != {"DataProvider"} or len(constraint.attached) == 1)
    ):
        return kinds.pop()
    raise ConversionError(Phrase("error.sdmx.attached", {"id": constraint.urn}))


def refuse_more_than_two_regions(constraint: DataConstraint) -> None:
    """SDMX 3.0 and 3.1 know one region that is included and one that is left out.

    Raises:
        ConversionError: there are two of a sort.
    """
    sorts = [region.included for region in constraint.regions]
    if len(sorts) > len(set(sorts)):
        raise ConversionError(Phrase("error.sdmx.regions", {"id": constraint.urn}))


def beside_the_key(constraint: DataConstraint, artefacts: Iterable[Maintainable]) -> frozenset[str]:
    """Ids of the attributes and measures of the structures that a constraint is on.

    Only what is among `artefacts` is known; any other component of a constraint is taken for a dimension, unless
    it is named without values, which the schemas do not allow of dimensions.
    """
    known = {artefact.ref: artefact for artefact in artefacts}
    found = {part for region in constraint.regions for part, values in region.values if not values}
    for ref in constraint.attached:
        entry = known.get(ref)
        structure = known.get(entry.structure) if isinstance(entry, Dataflow) else entry
        if isinstance(structure, DataStructure):
            found |= {part.id for part in structure.components if not isinstance(part, Dimension)}
    return frozenset(found)


def members(region: CubeRegion) -> Iterator[tuple[str, Sequence[str] | TimeRange]]:
    """What a region says of each component: its values, sorted, or its range of time."""
    yield from ((part, sorted(values)) for part, values in region.values)
    yield from region.ranges


def limits(given: TimeRange) -> Iterator[tuple[str, str, bool]]:
    """The limits of a range as SDMX names them: with both `StartPeriod` and `EndPeriod`, a lone one otherwise."""
    names = ("AfterPeriod", "BeforePeriod") if None in (given.start, given.end) else ("StartPeriod", "EndPeriod")
    for name, period, included in zip(
        names, (given.start, given.end), (given.start_included, given.end_included), strict=True
    ):
        if period is not None:
            yield name, period, included


def bounds(constraint: DataConstraint, component: str) -> tuple[tuple[bool, frozenset[str]], ...]:
    """What the regions of a constraint say of one component, whatever the others are.

    Returns:
        Pairs of True with the values that there may be, or False with values that there may not be; `%` in a value
        stands for any characters.
    """
    kept = [dict(region.values).get(component) for region in constraint.regions if region.included]
    left = [dict(region.values) for region in constraint.regions if not region.included and not region.ranges]
    union = frozenset[str]().union(*(values for values in kept if values))
    included = ((True, union),) if kept and all(kept) else ()
    return (*included, *((False, values[component]) for values in left if values.keys() == {component}))


def among(value: str, values: Iterable[str]) -> bool:
    """Tell whether a value is one of those that a constraint names."""
    return any(re.fullmatch(".*".join(map(re.escape, each.split("%"))), value, re.DOTALL) for each in values)
