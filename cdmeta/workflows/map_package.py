"""Propose how a package becomes data of somebody else's dataflow, written down for a person to edit."""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from cdmeta.errors import ConversionError, OutputError
from cdmeta.finding import Finding, errors_of
from cdmeta.formats import mapping_csv
from cdmeta.formats.mapping_csv import NAME, Row
from cdmeta.phrase import SEMICOLON, Phrase, Series, at, os_reason
from cdmeta.sdmx.artefacts import Dimension
from cdmeta.sdmx.mappings import Line, Sheet, of_descriptor, own_source
from cdmeta.sdmx.observations import Observations, observations
from cdmeta.sdmx.proposals import Proposal, near, propose, value_names
from cdmeta.sdmx.store import Store
from cdmeta.sdmx.structures import Flow, structures
from cdmeta.sdmx.target import (
    LEFT_OUT,
    Component,
    Source,
    Target,
    at_hand,
    column_name,
    component_of,
    only_measure,
    target,
    values_of,
)
from cdmeta.tables.engine import Session, session
from cdmeta.text import Text
from cdmeta.workflows.accept import accepted
from cdmeta.workflows.convert import described
from cdmeta.workflows.fetched import artefacts
from cdmeta.workflows.output import write

MOST = 1000
"""Values of a column of which a map of codes is proposed; where there are more, they are hardly codes."""
SHORT = 20
"""Codes of a list that are named to the person who has to choose; a longer one is looked up in the structure."""
SAID = "said"
"""The reason of what the descriptor says."""
_BOM = "\ufeff"
"""By which spreadsheets know UTF-8."""


@dataclass(frozen=True)
class Part:
    """A component of a target, and what is proposed for it.

    Attributes:
        component: the component.
        name: in all languages.
        is_needed: True where data cannot be without it.
        proposal: what is proposed; the reason `said` where the descriptor says it.
        nearest: names of columns that come nearest, where nothing is proposed.
        codes: the name of the file with its map of codes; empty where it has none.
        open: how many values have no code yet.
    """

    component: Component
    name: Text
    is_needed: bool
    proposal: Proposal
    nearest: str = ""
    codes: str = ""
    open: int = 0

    @property
    def is_missing(self) -> bool:
        """True where nothing is proposed."""
        return self.proposal.source == Source()


@dataclass(frozen=True)
class Proposed:
    """What is proposed for a table, or for one of its parts.

    Attributes:
        flow: the table.
        target: the dataflow.
        parts: the components of the target, in order; of a table in parts, those that all of them share, and then
            for each part the others.
        left: names of the columns that it has no place for.
        name: of the part; empty for what is the same in all.
    """

    flow: Flow
    target: Target
    parts: tuple[Part, ...]
    left: tuple[str, ...] = ()
    name: str = ""


@dataclass(frozen=True)
class MapResult:
    """What was written.

    Attributes:
        tables: what is proposed for each; none where findings stood in the way.
        files: names of the files in the folder.
        findings: what keeps the package from being SDMX at all.
    """

    tables: tuple[Proposed, ...]
    files: tuple[str, ...]
    findings: tuple[Finding, ...] = ()


def map_package(
    path: Path, dsds: Sequence[str], out: Path, *, dataflow: str = "", language: str = "en", replaced: bool = False
) -> MapResult:
    """Write a mapping to edit, and the maps of codes beside it.

    Args:
        path: folder, descriptor or zip; it need not be approved.
        dsds: paths and addresses of messages with their structures.
        out: the folder to write into.
        dataflow: the dataflow, as a URN or `AGENCY:ID(VERSION)`; may be empty where the descriptor names it, or
            where there is only one.
        language: of the remarks.
        replaced: write over a mapping that is there.

    Raises:
        PackageError: there is no package.
        ConversionError: a structure cannot be read, or it is not plain which dataflow is meant; the rows cannot be
            read.
        OutputError: there is a mapping already, or the folder cannot be written.
    """
    _keep(out, () if replaced else (NAME,))
    store = at_hand(artefacts(dsds)[0])
    with accepted(path, None, draft=True) as package:
        dataset, findings = described(package.package)
        if errors_of(findings):
            return MapResult((), (), findings)
        own, sheet = structures(dataset), of_descriptor(package.package)
        if not own.flows:
            raise ConversionError(Phrase("convert.onto.nothing", {"name": dataset.name}))
        made: list[Proposed] = []
        values: dict[str, Mapping[str, Sequence[str]]] = {}
        for flow in own.flows:
            name = flow.table.name
            with session(package.package) as opened:
                rows, told = observations(opened, package.package, dataset, flow, own.codelists)
                # What cannot be computed, or would tell of people, is nothing to look at.
                hidden = flow.table.computed is not None and bool(errors_of(told))
                values[name] = {} if hidden else _values(opened, rows)
            made += _proposed(flow, partial(_chosen, store, dataflow, sheet, name), sheet, values[name])
    return MapResult(tuple(made), _write(_files(made, values, language), out, replaced=replaced), findings)


def _chosen(store: Store, dataflow: str, sheet: Sheet, table: str, part: str) -> Target:
    """What a part of a table becomes data of."""
    return target(store, dataflow or sheet.dataflow(table, part))


def _values(opened: Session, rows: Observations) -> dict[str, tuple[str, ...]]:
    """By component, the values that occur, where they are few."""
    found = {}
    for cell in rows.cells:
        query = f"SELECT DISTINCT {cell.sql} AS v FROM {rows.view} LIMIT {MOST + 1}"  # noqa: S608  # built here
        told = [value for (value,) in opened.connection.execute(query).fetchall() if value is not None]
        if len(told) <= MOST:
            found[cell.id] = tuple(sorted(told))
    return found


def _proposed(
    flow: Flow, choose: Callable[[str], Target], sheet: Sheet, values: Mapping[str, Sequence[str]]
) -> Iterator[Proposed]:
    """What is proposed for a table; where it has parts, first what is the same for all of them."""
    targets = {part: choose(part) for part in sheet.parts(flow.table.name)}
    measures = _measures(flow, targets, sheet)
    made = {
        name: (target, _found(flow, target, sheet, values, name, measure))
        for name, (target, measure) in measures.items()
    }
    first, found = next(iter(made.values()))
    alone = len(made) == 1
    same = {id_ for id_ in found if alone or _is_shared(id_, tuple(made.values()))}
    taken = {each.source.component for _, proposals in made.values() for each in proposals.values()}
    left = tuple(column.name for column in flow.table.columns if column.id not in taken)
    shared = next(iter(made)) if alone else ""
    yield Proposed(flow, first, tuple(_lines(flow, first, found, same, shared)), left, shared)
    for name, (chosen, proposals) in made.items() if not alone else ():
        others = {id_ for id_ in proposals if id_ not in same}
        yield Proposed(flow, chosen, tuple(_lines(flow, chosen, proposals, others, name)), (), name)


def _is_shared(id_: str, made: Sequence[tuple[Target, Mapping[str, Proposal]]]) -> bool:
    """Whether a proposal is that of all parts; what is needed and nobody knows yet may be another in each."""
    target, found = made[0]
    part = next(each for each in target.structure.components if each.id == id_)
    is_open = found[id_].source == Source() and _is_needed(part)
    return not is_open and all(each == target and others[id_] == found[id_] for each, others in made)


def _measures(flow: Flow, targets: Mapping[str, Target], sheet: Sheet) -> dict[str, tuple[Target, str]]:
    """The parts of a table, each with its target and the measure that is meant.

    Where nothing is said of several measures, and their structure has one, each measure is a part.
    """
    found = {
        part: (target, only_measure(flow, target, _sources(flow, sheet.of(flow.table.name, part))))
        for part, target in targets.items()
    }
    several = flow.table.measures
    target, measure = next(iter(found.values()))
    if len(found) > 1 or measure or len(several) < 2 or len(target.structure.measures) != 1:
        return found
    names = {column.id: re.sub("[^a-z0-9_-]+", "-", column.name.lower()).strip("-_") for column in several}
    unique = len({*names.values(), ""}) == len(names) + 1
    return {names[c.id] if unique else f"m{n}": (target, c.id) for n, c in enumerate(several, 1)}


def _sources(flow: Flow, lines: Iterable[Line]) -> Iterator[str]:
    return (component_of(flow, line.source.component) for line in lines)


def _found(
    flow: Flow, target: Target, sheet: Sheet, values: Mapping[str, Sequence[str]], part: str, measure: str
) -> dict[str, Proposal]:
    """What is proposed; what the descriptor says goes before it."""
    found = propose(flow, target, values, measure)
    for line in sheet.of(flow.table.name, part):
        if line.component in found and not line.problem:
            found[line.component] = Proposal(own_source(flow, line.source), SAID)
    return found


def _lines(
    flow: Flow, target: Target, found: Mapping[str, Proposal], chosen: Container[str], name: str
) -> Iterator[Part]:
    for part in target.structure.components:
        if part.id in chosen:
            yield _part(flow, target, part, found[part.id], name)


def _part(flow: Flow, target: Target, part: Component, proposal: Proposal, name: str) -> Part:
    codes = proposal.source.codes
    return Part(
        part,
        target.name(part),
        _is_needed(part),
        proposal,
        near(flow, target, part) if proposal.source == Source() else "",
        f"codes-{'-'.join(filter(None, (_plain(flow.table.name), name, part.id)))}.csv" if codes else "",
        sum(not code for code in codes.values()),
    )


def _is_needed(part: Component) -> bool:
    return isinstance(part, Dimension) or part.mandatory


def _plain(name: str) -> str:
    return re.sub("[^A-Za-z0-9_-]+", "_", name).strip("_") or "table"


def _keep(out: Path, names: Iterable[str]) -> None:
    """Raise OutputError where one of the files is there: a person may have edited it."""
    for name in names:
        if (out / name).exists():
            raise OutputError(at(out / name, "error.mapping.there"))


def _files(
    made: Iterable[Proposed], values: Mapping[str, Mapping[str, Sequence[str]]], language: str
) -> dict[str, str]:
    """The files by their names; the mapping last, so that what it names is there."""
    rows: list[Row] = []
    files: dict[str, str] = {}
    for proposed in made:
        for part in proposed.parts:
            rows.append(_row(proposed, part, language))
            if part.codes:
                occurring = values[proposed.flow.table.name].get(part.proposal.source.component, ())
                files[part.codes] = mapping_csv.write_codes(_codes(proposed, part, occurring, language))
    return files | {NAME: mapping_csv.write(rows)}


def _write(files: Mapping[str, str], out: Path, *, replaced: bool) -> tuple[str, ...]:
    """Write the files: their names, that of the mapping first."""
    _keep(out, () if replaced else files)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(at(out, "error.unwritable", reason=os_reason(error))) from error
    for name, text in files.items():
        write(out / name, f"{_BOM}{text}")
    return (NAME, *(name for name in files if name != NAME))


def _row(proposed: Proposed, part: Part, language: str) -> Row:
    flow, source = proposed.flow, part.proposal.source
    shown = replace(source, component=column_name(flow, source.component))
    return Row(
        flow.table.name,
        proposed.target.dataflow.urn,
        part.component.id,
        part.name.best(language, "en"),
        usage(part).told(language),
        shown,
        part.codes,
        remark(part).told(language),
        proposed.name,
    )


def usage(part: Part) -> Phrase:
    """What a component is in its data structure."""
    kind = type(part.component).__name__.lower()
    if isinstance(part.component, Dimension):
        return Phrase("map.usage.time" if part.component.is_time else "map.usage.dimension")
    return Phrase(f"map.usage.{kind}.{'mandatory' if part.is_needed else 'optional'}")


def remark(part: Part) -> Phrase:
    """Why something is proposed, or what comes nearest where nothing is."""
    if part.is_missing:
        key = "map.missing" if part.is_needed else "map.none"
        return Phrase(f"{key}.near" if part.nearest else key, {"near": part.nearest})
    told = {"count": part.open, "file": part.codes}
    return Phrase("map.open", told | {"why": reason(part)}) if part.open else reason(part)


def reason(part: Part) -> Phrase:
    """Why something is proposed."""
    return Phrase(f"map.reason.{part.proposal.reason}")


def _codes(proposed: Proposed, part: Part, occurring: Sequence[str], language: str) -> Iterator[tuple[str, ...]]:
    """The values that occur, and those that a person named already, each with its code."""
    codes = part.proposal.source.codes
    names = value_names(proposed.flow, part.proposal.source.component)
    theirs = {code.id: code.name for code in proposed.target.codes(part.component)}
    raw = {value.id: value.raw for value in values_of(proposed.flow, part.proposal.source.component)}
    remarks = {LEFT_OUT: Phrase("map.codes.left-out").told(language), "": _to_choose(proposed, part, language)}
    for value in dict.fromkeys((*occurring, *codes)):
        code = codes.get(value, value if value in theirs else "")
        name = names.get(value, Text()).best(language, "en")
        told = theirs.get(code, Text()).best(language, "en")
        yield raw.get(value, value), code, name, told or remarks.get(code, "")


def _to_choose(proposed: Proposed, part: Part, language: str) -> str:
    """What a person writes where no code was found: of a short list, which codes there are."""
    allowed = proposed.target.allowed(part.component)
    if not 0 < len(allowed) <= SHORT:
        return Phrase("map.codes.open").told(language)
    named = [
        Phrase("code.named", {"name": each.name.best(language, "en") or each.id, "code": each.id})
        for each in allowed
    ]
    return Phrase("map.codes.open.of", {"codes": Series(tuple(named), SEMICOLON)}).told(language)
