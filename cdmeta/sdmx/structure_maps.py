"""A mapping as artefacts of SDMX 3.0: a structure map, and a representation map for each map of codes.

By SDMX 3.0 Section 3A, "StructureMap" and "RepresentationMap".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from cdmeta.profile import in_languages
from cdmeta.sdmx.artefacts import (
    ComponentMap,
    DatePatternMap,
    FixedValueMap,
    Representation,
    RepresentationMap,
    Structure,
    StructureMap,
    ValueMapping,
)
from cdmeta.sdmx.proposals import value_names
from cdmeta.sdmx.target import LEFT_OUT, Component, Mapped, Source
from cdmeta.urn import Ref

_ISO = "yyyy-MM-dd"
_JAVA = {
    "%Y": "yyyy",
    "%y": "yy",
    "%m": "MM",
    "%-m": "M",
    "%d": "dd",
    "%-d": "d",
    "%b": "MMM",
    "%B": "MMMM",
    "%j": "DDD",
    "%H": "HH",
    "%I": "hh",
    "%p": "a",
    "%M": "mm",
    "%S": "ss",
    "%%": "%",
}
"""Codes of strptime, and what Java's SimpleDateFormat has for them; SDMX names the latter."""
_CODE = re.compile("%-?.|[^%]+")


def structure_maps(mapped: Sequence[Mapped]) -> tuple[Structure, ...]:
    """The artefacts of the mappings of a package: the maps of codes before the maps of structures."""
    maps = [part for made in mapped for part in _representation_maps(made)]
    return (*maps, *(_structure_map(made) for made in mapped))


def java_pattern(form: str) -> str:
    """A form of dates in the codes of strptime as SDMX writes it; what has no code there stays as it is."""
    return "".join(_JAVA.get(part, part if part[0] == "%" else _text(part)) for part in _CODE.findall(form))


def _text(part: str) -> str:
    return f"'{part}'" if re.search("[A-Za-z']", part) and "'" not in part else part.replace("'", "''")


def _structure_map(made: Mapped) -> StructureMap:
    flow = made.flow.dataflow
    dated = {id_: source for id_, source in made.sources.items() if source.format or source.frequency}
    plain = {id_: source for id_, source in made.sources.items() if source.component and id_ not in dated}
    return StructureMap(
        flow.agency,
        _id("SM", made),
        flow.version,
        in_languages("texts", "sdmx.structure-map", "text"),
        source=flow.ref,
        target=made.target.dataflow.ref,
        components=tuple(
            ComponentMap((source.component,), (id_,), _map_ref(made, id_) if _coded(source) else None)
            for id_, source in plain.items()
        ),
        fixed=tuple(
            FixedValueMap(id_, (source.value,)) for id_, source in made.sources.items() if not source.component
        ),
        dates=tuple(
            DatePatternMap(
                source.component, id_, java_pattern(source.format) or _ISO, frequency=source.frequency or "D"
            )
            for id_, source in dated.items()
        ),
    )


def _representation_maps(made: Mapped) -> Iterator[RepresentationMap]:
    """A map of codes for each component that has one, with the codes that stay as they are.

    A value whose rows are left out has no target value there (SDMX 3.0, RepresentationMapping).
    """
    own = {part.id: part.representation for part in made.flow.structure.components}
    parts = {part.id: part for part in made.target.structure.components}
    for id_, source in made.sources.items():
        if _coded(source):
            ref = _map_ref(made, id_)
            yield RepresentationMap(
                ref.agency,
                ref.id,
                ref.version,
                in_languages("texts", "sdmx.representation-map", "text"),
                sources=(_listed(own[source.component]),),
                targets=(_listed(made.target.store.representation(parts[id_])),),
                mappings=tuple(
                    ValueMapping((value,), (code,) if code != LEFT_OUT else ())
                    for value, code in (source.codes | _same(made, parts[id_], source)).items()
                    if value and code
                ),
            )


def _listed(taken: Representation) -> Ref | str:
    """The list that a column of a map has its values from; the concepts of SDMX 2.1 that are measures are none."""
    return taken.codelist if taken.codelist is not None and taken.codelist.kind != "ConceptScheme" else "String"


def _same(made: Mapped, part: Component, source: Source) -> dict[str, str]:
    """Codes that both have, and that the map does not name: they stay as they are."""
    theirs = {code.id for code in made.target.codes(part)}
    own = [value for value in value_names(made.flow, source.component) if not source.codes.get(value)]
    return {value: value for value in own if value in theirs}


def _coded(source: Source) -> bool:
    return bool(source.component) and any(value and code for value, code in source.codes.items())


def _map_ref(made: Mapped, id_: str) -> Ref:
    flow = made.flow.dataflow
    return Ref("RepresentationMap", flow.agency, f"{_id('RM', made)}_{id_}", flow.version)


def _id(start: str, made: Mapped) -> str:
    part = f"@{made.part}" if made.part else ""
    return f"{start}_{made.flow.dataflow.id.removeprefix('DF_')}_{made.target.dataflow.id}{part}"
