"""What a registry or a dissemination platform takes: which messages, in which order, and how each is sent.

Facts of Fusion Metadata Registry: its wiki on the web services for structures and for reference metadata. Facts of
.Stat Suite: its documentation of the NSI and the transfer web services.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from cdmeta.formats import oracle, sdmx_csv_metadata, sdmx_json, sdmx_ml_21
from cdmeta.markdown import code
from cdmeta.phrase import ENGLISH, Phrase
from cdmeta.profile import AGENCY
from cdmeta.sdmx.artefacts import Dataflow, DataStructure, Header, MetadataSet, MetadataStructure, Structure
from cdmeta.sdmx.parts import parts
from cdmeta.sdmx.store import Store
from cdmeta.urn import Ref

README = "README.md"

_DOTSTAT_KINDS = frozenset(
    {
        "AgencyScheme",
        "Codelist",
        "ConceptScheme",
        "DataStructure",
        "Dataflow",
        "DataConstraint",
        "MetadataStructure",
    }
)


@dataclass(frozen=True)
class Step:
    """A file and how it is sent, or what else has to be done.

    Attributes:
        name: of the file; empty where there is none.
        how: told to the person who sends it.
        content: the message; None for a file with data, which is written elsewhere.
        kind: by which official schema the message is judged; None where there is none.
    """

    name: str
    how: Phrase
    content: bytes | None = None
    kind: oracle.Kind | None = None

    def told(self, language: str) -> str:
        """The step as a line."""
        how = self.how.told(language)
        return f"{code(self.name)}: {how}" if self.name else how


@dataclass(frozen=True)
class Bundle:
    """Files in the order in which a system takes them.

    Attributes:
        title: what system.
        steps: the files, in order.
        needs: what the system has to have before.
        beside: what is told of files that are not sent.
    """

    title: Phrase
    steps: tuple[Step, ...]
    needs: tuple[Phrase, ...] = ()
    beside: tuple[Phrase, ...] = ()

    def readme(self, language: str = ENGLISH) -> str:
        """The order and the ways of sending, as Markdown."""
        lines = [f"# {self.title.told(language)}", ""]
        if self.needs:
            needs = [f"- {need.told(language)}" for need in self.needs]
            lines += [Phrase("bundle.needs").told(language), "", *needs, ""]
        lines += [Phrase("bundle.order").told(language), ""]
        lines += [f"{number}. {step.told(language)}" for number, step in enumerate(self.steps, start=1)]
        for note in self.beside:
            lines += ["", note.told(language)]
        return "\n".join(lines) + "\n"


def fmr(
    artefacts: Iterable[Structure],
    reports: Sequence[MetadataSet],
    header: Callable[[str], Header],
    data: Sequence[str] = (),
    *,
    given: Sequence[tuple[Dataflow, DataStructure]] = (),
) -> Bundle:
    """What Fusion Metadata Registry takes: SDMX-JSON 2.0, a message for each part of what refers to each other.

    Args:
        artefacts: all structures; also those of others that the registry may not have.
        reports: reference metadata, which the registry takes as SDMX-JSON alone.
        header: the header of a message, by its name.
        data: names of files with data, which the registry validates and does not keep.
        given: dataflows with their structures that the registry has already.

    Raises:
        ConversionError: a text cannot be written.
    """
    sent = tuple(artefacts)
    made = [(name, sdmx_json.structures(chosen, header(name.upper()))) for name, chosen in parts(sent)]
    steps = [
        Step(f"{number}-{name}.json", Phrase("bundle.fmr.structures"), message, "sdmx-json-2.0-structure")
        for number, (name, message) in enumerate(made, start=1)
    ]
    if reports:
        message = sdmx_json.metadata(reports, header("METADATA"))
        name = f"{len(steps) + 1}-metadata.json"
        steps.append(Step(name, Phrase("bundle.fmr.metadata"), message, "sdmx-json-2.0-metadata"))
    steps += [Step(name, Phrase("bundle.fmr.data")) for name in data]
    agency = Phrase("bundle.needs.agency", {"agency": AGENCY})
    return Bundle(Phrase("bundle.fmr.title"), tuple(steps), (*_needs(given, sent), agency))


def dotstat(
    artefacts: Iterable[Structure],
    reports: Sequence[MetadataSet],
    header: Callable[[str], Header],
    language: str,
    flows: Sequence[tuple[Dataflow, DataStructure, str]] = (),
    *,
    given: Sequence[tuple[Dataflow, DataStructure]] = (),
) -> Bundle:
    """What .Stat Suite takes: structures as SDMX-ML 2.1, data and reference metadata as SDMX-CSV 2.0.

    Each data structure is linked to the metadata structure, each of whose attributes is there once; one that the
    system has already is for its owners to link, and a step tells them how. What .Stat has no use for
    (metadataflows, providers, agreements) is left out.

    Args:
        artefacts: all structures, with one metadata structure at most; also those of others that the space may not
            have.
        reports: reference metadata by that metadata structure, on all of the flows.
        header: the header of a message, by its name.
        language: of the texts in reference metadata; .Stat takes one.
        flows: dataflows with their structures and the names of the files with data, of which there may be several.
        given: dataflows with their structures that the system has already.

    Raises:
        ConversionError: a text cannot be written, or SDMX 2.1 cannot say what an artefact says; or an attribute of
            the reports has the id of a dimension.
    """
    chosen = [artefact for artefact in artefacts if artefact.kind in _DOTSTAT_KINDS]
    message = sdmx_ml_21.structures(_linked(chosen), header("STRUCTURES"))
    steps = [Step("1-structures.xml", Phrase("bundle.dotstat.structures"), message, "sdmx-ml-2.1")]
    links = [entry.ref for entry in chosen if isinstance(entry, MetadataStructure)] if reports else []
    steps += [Step("", how) for ref in links for how in _to_link(given, ref)]
    steps += [Step(name, Phrase("bundle.dotstat.data")) for _, _, name in flows]
    on = {dataflow.urn: (dataflow, structure) for dataflow, structure, _ in flows if reports}
    for dataflow, structure in on.values():
        table = sdmx_csv_metadata.dotstat(reports, dataflow, structure, language)
        name = _free(f"metadata-{dataflow.id.lower()}", [step.name for step in steps])
        steps.append(Step(name, Phrase("bundle.dotstat.metadata"), table))
    return Bundle(Phrase("bundle.dotstat.title"), tuple(steps), tuple(_needs(given, chosen)))


def _free(stem: str, taken: Sequence[str]) -> str:
    """A name of a table that no other has, in systems too that do not tell case apart."""
    names = (f"{stem}.csv", *(f"{stem}-{number}.csv" for number in range(2, len(taken) + 3)))
    return next(name for name in names if name not in taken)


def link_of(structure: DataStructure) -> str:
    """The URN of the metadata structure that .Stat takes reference metadata of a data structure by; else empty."""
    told = [note.title for note in structure.annotations if note.type == sdmx_ml_21.METADATA and note.title]
    return told[0] if told else structure.metadata.urn if structure.metadata is not None else ""


def _needs(given: Sequence[tuple[Dataflow, DataStructure]], sent: Sequence[Structure]) -> Iterator[Phrase]:
    """What a system has to have: its own dataflows, and what that which is sent refers to."""
    for flow, structure in given:
        yield Phrase("bundle.needs.flow", {"flow": _named(flow), "structure": _named(structure)})
    others = dict.fromkeys(code(ref.short) for ref in Store(sent).missing())
    if others:
        yield Phrase("bundle.needs.others", {"others": ", ".join(others)})


def _to_link(given: Sequence[tuple[Dataflow, DataStructure]], metadata: Ref) -> Iterator[Phrase]:
    """What the owners of data structures have to do before .Stat takes reference metadata of them."""
    for structure in {structure.urn: structure for _, structure in given}.values():
        link = link_of(structure)
        told = {
            "structure": _named(structure),
            "metadata": _shown(metadata.urn),
            "annotation": _annotation(metadata),
        }
        if not link:
            yield Phrase("bundle.dotstat.link", told)
        elif link != metadata.urn:
            yield Phrase("bundle.dotstat.link.other", told | {"other": _shown(link)})


def _annotation(metadata: Ref) -> str:
    note = sdmx_ml_21.metadata_annotation(metadata)
    title, kind = (
        f"<AnnotationTitle>{note.title}</AnnotationTitle>",
        f"<AnnotationType>{note.type}</AnnotationType>",
    )
    return code(f"<Annotation>{title}{kind}</Annotation>")


def _named(artefact: Dataflow | DataStructure) -> str:
    return _shown(artefact.urn)


def _shown(urn: str) -> str:
    """An artefact as people write it, `AGENCY:ID(1.0)`, as Markdown."""
    return code(urn.partition("=")[2] or urn)


def _linked(artefacts: Sequence[Structure]) -> list[Structure]:
    """The structures as .Stat wants them: it finds reference metadata by an annotation of the data structure."""
    found = [entry for entry in artefacts if isinstance(entry, MetadataStructure)]
    made: list[Structure] = []
    for entry in artefacts:
        if isinstance(entry, MetadataStructure):
            made.append(sdmx_csv_metadata.flattened(entry))
        elif isinstance(entry, DataStructure) and found and entry.metadata is None:
            made.append(replace(entry, metadata=found[0].ref))
        else:
            made.append(entry)
    return made
