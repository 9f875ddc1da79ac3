"""Make a package from SDMX messages: structures, data and, where given, reference metadata; all or nothing."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from cdmeta import form, profile
from cdmeta.dataset import PUBLISHABLE_FORMS
from cdmeta.errors import ConversionError
from cdmeta.formats import data_reading, kinds, reading
from cdmeta.formats.data_reading import ReadData
from cdmeta.layout import ordered, written
from cdmeta.package import DESCRIPTOR, QUESTIONS
from cdmeta.phrase import Phrase, name_of, title_of
from cdmeta.sdmx.answers import answered, is_ours, language_of, put_text
from cdmeta.sdmx.artefacts import ConceptScheme, Dataflow, DataStructure, MetadataSet
from cdmeta.sdmx.gathering import gathered
from cdmeta.sdmx.left_out import left_out
from cdmeta.sdmx.own_flows import own_flow
from cdmeta.sdmx.store import Store
from cdmeta.sdmx.structures import standard_codelists
from cdmeta.sdmx.tabular import CodeTables, tabular
from cdmeta.tables.engine import Session, data_session
from cdmeta.tables.writing import write_csv
from cdmeta.text import NO_TEXT, Text, printable
from cdmeta.urn import Ref, is_agency_id
from cdmeta.workflows.new import FIRST_VERSION, ask, slug
from cdmeta.workflows.output import refuse_used, staged

_VERSION = re.compile(r"[0-9]+(\.[0-9]+){0,2}")


@dataclass(frozen=True)
class Imported:
    """A package that was made.

    Attributes:
        out: its folder.
        name: its name.
        agency: the SDMX agency that maintains what it was made from.
        tables: pairs of the name of a table of observations and how many it holds.
        open: number of questions to answer.
        notes: what could not be kept, or is not as the structures say, one by one.
    """

    out: Path
    name: str
    agency: str
    tables: tuple[tuple[str, int], ...]
    open: int
    notes: tuple[Phrase, ...]


@dataclass(frozen=True)
class _Read:
    """All messages but those of data."""

    store: Store
    reports: tuple[MetadataSet, ...]
    data: tuple[Path, ...]
    skipped: Mapping[str, int]


@dataclass
class _Flow:
    """Data sets of one dataflow, or of a data structure where no dataflow is named."""

    structure: DataStructure
    dataflow: Dataflow | None
    sets: list[ReadData] = field(default_factory=list)

    @property
    def named(self) -> DataStructure | Dataflow:
        return self.dataflow or self.structure


@dataclass
class _Making:
    """The package while it is made."""

    language: str
    normal: str
    store: Store
    stage: Path
    resources: list[dict[str, Any]] = field(default_factory=list)
    answers: dict[str, Any] = field(default_factory=dict)
    notes: list[Phrase] = field(default_factory=list)
    counts: list[tuple[str, int]] = field(default_factory=list)
    codes: CodeTables = field(default_factory=CodeTables)
    names: set[str] = field(default_factory=set)

    def name(self, wanted: str) -> str:
        """A name that no resource has yet."""
        tries = (wanted if number == 1 else f"{wanted}-{number}" for number in range(1, len(self.names) + 2))
        name = next(name for name in tries if name not in self.names)
        self.names.add(name)
        return name


def import_(out: Path, sources: Sequence[Path], today: date, *, language: str | None = None) -> Imported:
    """Make a package from SDMX messages.

    Args:
        out: the folder to make; it must not be there, or be empty.
        sources: messages in any order: SDMX-ML 2.1, 3.0, 3.1, SDMX-JSON, SDMX-CSV, zipped or not.
        today: the day of the descriptor, where no reference metadata tell one.
        language: BCP 47 tag of the language of the descriptor; by default that of the reference metadata, else
            English where the names are told in it, else the first language of the names.

    Raises:
        ConversionError: a message cannot be read, or the structure of data is not at hand; or there is nothing.
        OutputError: the folder is not empty, or cannot be written.
    """
    refuse_used(out)
    read = _read(sources)
    own = [report for report in read.reports if is_ours(report)]
    with staged(out, DESCRIPTOR) as stage, data_session(stage) as session:
        store, flows, found = _flows(session, read)
        chosen = language or next(filter(None, map(language_of, own)), None) or _language(store)
        reported, notes = _reported(read.reports, chosen)
        normal = "V" if reported.get("citizenData", {}).get("validation") == ["NONE"] else "A"
        making = _Making(chosen, normal, store, stage, notes=[*notes, *found])
        making.notes += [Phrase("import.note.skipped", {"kind": k, "count": n}) for k, n in read.skipped.items()]
        if not flows and not own:
            raise ConversionError(_nothing(read.reports))
        (stage / "data").mkdir()
        if flows:
            _ask_release(reported, making)
        for flow in flows:
            _table(session, making, flow)
        making.notes += left_out(
            store, [each.structure for each in flows], [each.dataflow for each in flows if each.dataflow]
        )
        _code_tables(session, making)
        if not flows:
            (stage / "data").rmdir()
        return _finished(
            out, making, _described(out, making, flows, own, reported), _agency(flows, own, making), today
        )


def _nothing(reports: Sequence[MetadataSet]) -> Phrase:
    """Why there is nothing to import: reports by others are on data, which have to be named as well."""
    if not reports:
        return Phrase("error.import.nothing")
    flows = dict.fromkeys(printable(report.metadataflow.id) for report in reports)
    return Phrase("error.import.reports", {"names": ", ".join(flows)})


def _finished(out: Path, making: _Making, descriptor: dict[str, Any], agency: str, today: date) -> Imported:
    """Write the descriptor, its open questions in it, and the form that asks them."""
    known = {
        "citizenData.profile": profile.URL,
        "citizenData.language": making.language,
        "citizenData.metadataUpdated": today.isoformat(),
    }
    opened = ask(descriptor, known)
    descriptor |= {"sdmx": {"agency": agency}, "resources": making.resources}
    (making.stage / DESCRIPTOR).write_bytes(written(ordered(descriptor)))
    for file, data in zip(QUESTIONS, form.both(making.language, descriptor), strict=True):
        (making.stage / file).write_bytes(data)
    notes = tuple(dict.fromkeys(making.notes))
    return Imported(out, descriptor["name"], agency, tuple(making.counts), opened, notes)


# Reading


def _read(sources: Sequence[Path]) -> _Read:
    by_kind: dict[str, list[Path]] = {"structures": [], "data": [], "metadata": []}
    for path in sources:
        by_kind[kinds.kind(path)].append(path)
    found = [reading.read(path) for path in by_kind["structures"]]
    # The cross-domain lists that cdmeta knows stand in for those that the structures refer to and do not hold.
    known = [codelist for codelist in standard_codelists().values() if not codelist.is_partial]
    store = Store([*known, *(artefact for each in found for artefact in each.artefacts)])
    reports = tuple(report for path in by_kind["metadata"] for report in reading.metadata(path))
    skipped = Counter(part.kind for each in found for part in each.skipped)
    return _Read(store, reports, tuple(by_kind["data"]), skipped)


def _flows(session: Session, read: _Read) -> tuple[Store, list[_Flow], list[Phrase]]:
    """The data sets by what they are data of, in the order of the messages; and the artefacts at hand for them.

    Where the structure of data is not at hand, what their message says of it itself has to do, and that is told.
    """
    found = [(path, each) for path in read.data for each in data_reading.data(session, path, read.store)]
    lacking = dict.fromkeys(path for path, each in found if _structure(read.store, each) is None)
    # What was given counts more than what messages of data say of themselves.
    store = Store([*data_reading.own_structures(lacking), *read.store]) if lacking else read.store
    flows: dict[Ref, _Flow] = {}
    notes = [Phrase("import.note.own", {"path": path.name}) for path in lacking]
    for path, each in found:
        flow = _flow(store, each, path)
        if _is_beside(each, flow.structure):
            notes.append(Phrase("import.note.beside", {"path": path.name}))
        else:
            flows.setdefault(flow.named.ref, flow).sets.append(each)
    return store, list(flows.values()), notes


def _is_beside(found: ReadData, structure: DataStructure) -> bool:
    """Tell whether a data set holds reference metadata as .Stat takes them: attributes its structure lacks."""
    dimensions = {part.id for part in structure.dimensions}
    more = set(found.components) - dimensions
    return bool(more) and more.isdisjoint(part.id for part in structure.components)


def _structure(store: Store, found: ReadData) -> DataStructure | None:
    """The structure that a data set names, or the only one at hand where it names none that is known."""
    structures = [artefact for artefact in store if isinstance(artefact, DataStructure)]
    structure = store.data_structure(found.ref) if found.ref is not None else None
    if structure is None and len(structures) == 1 and _may_be(found, structures[0]):
        return structures[0]
    return structure


def _flow(store: Store, found: ReadData, path: Path) -> _Flow:
    """What a data set is data of."""
    structure = _structure(store, found)
    if structure is None:
        named = found.ref.urn if found.ref is not None else "?"
        raise ConversionError(Phrase("error.import.structure", {"path": path.name, "structure": named}))
    counts = Counter(part.id for part in structure.components)
    if twice := [printable(id_) for id_, count in counts.items() if count > 1]:
        params = {"structure": structure.urn, "names": ", ".join(twice)}
        raise ConversionError(Phrase("error.import.twice", params))
    there = store.get(found.ref) if found.ref is not None else None
    if isinstance(there, Dataflow):
        return _Flow(structure, there)
    of_it = [
        artefact
        for artefact in store
        if isinstance(artefact, Dataflow) and store.get(artefact.structure) is structure
    ]
    return _Flow(structure, of_it[0] if len(of_it) == 1 else None)


def _may_be(found: ReadData, structure: DataStructure) -> bool:
    """Tell whether a data set may be data of the only structure at hand.

    It names nothing, or what is never read (a provision agreement), or a dataflow that is not at hand, of the same
    agency; and it has all dimensions.
    """
    ref = found.ref
    if ref is not None and ref.kind in ("DataStructure", "Dataflow"):
        return (ref.kind, ref.agency) == ("Dataflow", structure.agency) and {
            part.id for part in structure.dimensions
        } <= set(found.components)
    return True


def _language(store: Store) -> str:
    """English where names are told in it, else the first language."""
    found: Counter[str] = Counter()
    for artefact in store:
        if isinstance(artefact, Dataflow | DataStructure):
            found.update(artefact.name.languages)
    return "en" if "en" in found or not found else next(iter(found))


def _reported(reports: Iterable[MetadataSet], language: str) -> tuple[dict[str, Any], list[Phrase]]:
    """What reference metadata say, the first of ours before all others; and what of them is not taken."""
    told: dict[str, Any] = {}
    notes: list[Phrase] = []
    seen = False
    for report in sorted(reports, key=lambda each: not is_ours(each)):
        if is_ours(report) and seen:
            notes.append(Phrase("import.note.report", {"id": report.id}))
            continue
        seen = seen or is_ours(report)
        said, left = answered(report, language)
        _merge(told, said)
        if left:
            params = {"id": report.id, "count": len(left), "names": ", ".join(left)}
            notes.append(Phrase("import.note.attributes", params))
    return told, notes


def _merge(into: dict[str, Any], more: Mapping[str, Any]) -> None:
    """Members that are not there yet."""
    for key, value in more.items():
        if isinstance(value, Mapping) and isinstance(into.get(key), dict) and key == "citizenData":
            _merge(into[key], value)
        else:
            into.setdefault(key, value)


def _ask_release(reported: Mapping[str, Any], making: _Making) -> None:
    """Leave the form of the release open where a report is on records: what is imported are figures from them."""
    answers = reported.get("citizenData", {})
    release = answers.get("releaseForm", PUBLISHABLE_FORMS[0])
    if release not in PUBLISHABLE_FORMS:
        del answers["releaseForm"]
        params = {"question": title_of("citizenData.releaseForm"), "answer": name_of("CL_RELEASE_FORM", release)}
        making.notes.append(Phrase("import.note.release", params))


# Writing


def _table(session: Session, making: _Making, flow: _Flow) -> None:
    """One table of observations: its file, and what the descriptor says of it."""
    source, notes = gathered(session, flow.sets, flow.structure)
    made = tabular(
        session,
        flow.structure,
        source,
        making.store,
        making.codes,
        language=making.language,
        normal=making.normal,
    )
    making.notes += [*notes, *made.notes]
    own = own_flow(flow.structure)
    name = making.name(slug(own.table if own else flow.named.id))
    cells = ", ".join(f"{sql} AS c{number}" for number, (_, sql) in enumerate(made.columns))
    query = f"SELECT {cells} FROM {source.view} ORDER BY row"  # noqa: S608  # names quoted
    path = f"data/{name}.csv"
    write_csv(session, query, making.stage / path, [column for column, _ in made.columns])
    resource: dict[str, Any] = {"name": name}
    put_text(resource, "title", flow.named.name, making.language)
    put_text(resource, "description", flow.named.description, making.language)
    making.resources.append(resource | _file(path) | {"schema": dict(made.schema)})
    making.answers |= {key: value for key, value in made.answers.items() if key not in making.answers}
    making.counts.append((name, source.rows))


def _file(path: str) -> dict[str, Any]:
    return {"type": "table", "path": path, "format": "csv", "mediatype": "text/csv", "encoding": "utf-8"}


def _code_tables(session: Session, making: _Making) -> None:
    """The lists of many codes: for each code the one above it, its label and its description in every language."""
    for wanted, codes in making.codes.lists.items():
        name = making.name(wanted)
        if name != wanted:
            _rename(making.resources, wanted, name)
        labels = list(_columns(making, name, "label", [code.name for code in codes.values()]))
        more = list(_columns(making, name, "description", [code.description for code in codes.values()]))
        if more and not labels:
            labels = [("label", [None] * len(codes))]  # else the descriptions would be taken for them
        parents = [code.parent if code.parent in codes else None for code in codes.values()]
        fields = {"code": list(codes), **({"parent": parents} if any(parents) else {}), **dict(labels + more)}
        path = f"data/{name}.csv"
        cells = ", ".join(f"unnest(${number}::VARCHAR[])" for number in range(1, len(fields) + 1))
        columns = ", ".join(f"c{number}" for number in range(len(fields)))
        do = session.connection.execute
        do(f"CREATE OR REPLACE TEMP TABLE codes ({', '.join(f'c{n} VARCHAR' for n in range(len(fields)))})")
        do(f"INSERT INTO codes SELECT {cells}", list(fields.values()))  # names of our own
        write_csv(session, f"SELECT {columns} FROM codes", making.stage / path, list(fields))  # noqa: S608
        schema: dict[str, Any] = {"primaryKey": ["code"]}
        if "parent" in fields:
            schema["foreignKeys"] = [{"fields": ["parent"], "reference": {"resource": "", "fields": ["code"]}}]
        schema["fields"] = [{"name": field, "type": "string"} for field in fields]
        making.resources.append({"name": name, **_file(path), "schema": schema})


def _columns(
    making: _Making, table: str, stem: str, texts: Sequence[Text]
) -> Iterator[tuple[str, list[str | None]]]:
    """A column for each language of texts of codes; in the language of the package it is called by the stem."""
    for tag in dict.fromkeys(tag for text in texts for tag in text.languages):
        if tag == making.language or re.fullmatch("[a-z]{2}", tag):
            column = stem if tag == making.language else f"{stem}_{tag}"
            yield column, [text.as_dict().get(tag) for text in texts]
        else:
            making.notes.append(Phrase("import.note.language", {"list": table, "language": tag}))


def _rename(resources: Iterable[dict[str, Any]], old: str, new: str) -> None:
    for resource in resources:
        for key in resource["schema"].get("foreignKeys", []):
            if key["reference"]["resource"] == old:
                key["reference"]["resource"] = new


# The descriptor


def _described(
    out: Path,
    making: _Making,
    flows: Sequence[_Flow],
    own: Sequence[MetadataSet],
    reported: Mapping[str, Any],
) -> dict[str, Any]:
    """The descriptor but for its resources, as far as the messages say it."""
    descriptor: dict[str, Any] = {"$schema": profile.URL, "name": _name(out, flows, own)}
    descriptor["version"] = _version(flows, own)
    descriptor |= reported
    if making.answers:
        descriptor["citizenData"] = making.answers | dict(descriptor.get("citizenData", {}))
    title, description = _titles(making.store, flows)
    if "title" not in descriptor:
        _put_any(descriptor, "title", title, making.language)
    if "description" not in descriptor:
        _put_any(descriptor, "description", description, making.language)
    for resource in making.resources:
        for key in [key for key in resource if key.startswith("description")]:
            if resource[key] == descriptor.get(key):
                del resource[key]
    return descriptor


def _put_any(descriptor: dict[str, Any], key: str, text: Text, language: str) -> None:
    """Put a text; in the language of the package it stands in any that there is, because it must be there."""
    put_text(descriptor, key, text, language)
    if text:
        descriptor.setdefault(key, text.best(language))


def _name(out: Path, flows: Sequence[_Flow], own: Sequence[MetadataSet]) -> str:
    packages = {made.package if (made := own_flow(flow.structure)) else None for flow in flows}
    if own and not flows:
        packages.add(own[0].id.removeprefix("MDS_"))
    (only,) = packages if len(packages) == 1 else (None,)
    return slug(only or (flows[0].named.id if len(flows) == 1 else out.resolve().name))


def _version(flows: Sequence[_Flow], own: Sequence[MetadataSet]) -> str:
    """Three numbers: of the report, or else of what the data are of."""
    reported = [_three(report.version) for report in own[:1]]
    found = [_three(flow.named.version) for flow in flows]
    # A report of SDMX 2.1 has no version of its own.
    fitting = [version for version in reported if not found or version.split(".")[:2] == found[0].split(".")[:2]]
    return next(iter((*fitting, *found)), FIRST_VERSION)


def _three(version: str) -> str:
    match = _VERSION.match(version)
    parts = [str(int(part)) for part in match[0].split(".")] if match else FIRST_VERSION.split(".")
    return ".".join((*parts, "0", "0")[:3])


def _titles(store: Store, flows: Sequence[_Flow]) -> tuple[Text, Text]:
    """Title and description of the package, where no report tells them."""
    if not flows:
        return NO_TEXT, NO_TEXT
    first = flows[0]
    made = own_flow(first.structure)
    if made is not None:
        ref = next(part.concept for part in first.structure.components if part.concept.id == f"CS_{made.package}")
        scheme = store.get(ref)
        if isinstance(scheme, ConceptScheme):
            return scheme.name, first.named.description
    return (first.named.name, first.named.description) if len(flows) == 1 else (NO_TEXT, NO_TEXT)


def _agency(flows: Sequence[_Flow], own: Sequence[MetadataSet], making: _Making) -> str:
    # A report of SDMX 2.1 has no agency of its own.
    agencies = dict.fromkeys([flow.named.agency for flow in flows] or [report.agency for report in own])
    found = [agency for agency in agencies if is_agency_id(agency)]
    for agency in found[1:]:
        making.notes.append(Phrase("import.note.agency", {"agency": agency, "kept": found[0]}))
    return found[0] if found else "?"
