"""What a registry or a dissemination platform takes: which messages, in which order, and how each is sent.

Facts of Fusion Metadata Registry: its wiki on the web services for structures and for reference metadata. Facts of
.Stat Suite: its documentation of the NSI and the transfer web services.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from cdmeta.formats import oracle, sdmx_csv_metadata, sdmx_json, sdmx_ml_21
from cdmeta.markdown import code
from cdmeta.phrase import ENGLISH, Phrase
from cdmeta.sdmx.artefacts import Dataflow, DataStructure, Header, MetadataSet, MetadataStructure, Structure
from cdmeta.sdmx.parts import parts

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
    """A file and how it is sent.

    Attributes:
        name: of the file.
        how: told to the person who sends it.
        content: the message; None for a file with data, which is written elsewhere.
        kind: by which official schema the message is judged; None where there is none.
    """

    name: str
    how: Phrase
    content: bytes | None = None
    kind: oracle.Kind | None = None


@dataclass(frozen=True)
class Bundle:
    """Files in the order in which a system takes them."""

    title: Phrase
    steps: tuple[Step, ...]

    def readme(self, language: str = ENGLISH) -> str:
        """The order and the ways of sending, as Markdown."""
        lines = [f"# {self.title.told(language)}", "", Phrase("bundle.order").told(language), ""]
        lines += [
            f"{number}. {code(step.name)}: {step.how.told(language)}"
            for number, step in enumerate(self.steps, start=1)
        ]
        return "\n".join(lines) + "\n"


def fmr(
    artefacts: Iterable[Structure],
    reports: Sequence[MetadataSet],
    header: Callable[[str], Header],
    data: Sequence[str] = (),
) -> Bundle:
    """What Fusion Metadata Registry takes: SDMX-JSON 2.0, a message for each part of what refers to each other.

    Args:
        artefacts: all structures; also those of others that the registry may not have.
        reports: reference metadata, which the registry takes as SDMX-JSON alone.
        header: the header of a message, by its name.
        data: names of files with data, which the registry validates and does not keep.

    Raises:
        ConversionError: a text cannot be written.
    """
    made = [(name, sdmx_json.structures(chosen, header(name.upper()))) for name, chosen in parts(artefacts)]
    steps = [
        Step(f"{number}-{name}.json", Phrase("bundle.fmr.structures"), message, "sdmx-json-2.0-structure")
        for number, (name, message) in enumerate(made, start=1)
    ]
    if reports:
        message = sdmx_json.metadata(reports, header("METADATA"))
        name = f"{len(steps) + 1}-metadata.json"
        steps.append(Step(name, Phrase("bundle.fmr.metadata"), message, "sdmx-json-2.0-metadata"))
    steps += [Step(name, Phrase("bundle.fmr.data")) for name in data]
    return Bundle(Phrase("bundle.fmr.title"), tuple(steps))


def dotstat(
    artefacts: Iterable[Structure],
    reports: Sequence[MetadataSet],
    header: Callable[[str], Header],
    language: str,
    flows: Sequence[tuple[Dataflow, DataStructure, str]] = (),
) -> Bundle:
    """What .Stat Suite takes: structures as SDMX-ML 2.1, data and reference metadata as SDMX-CSV 2.0.

    Each data structure is linked to the metadata structure, each of whose attributes is there once. What .Stat has
    no use for (metadataflows, providers, agreements) is left out.

    Args:
        artefacts: all structures, with one metadata structure at most; also those of others that the space may not
            have.
        reports: reference metadata by that metadata structure, on all of the flows.
        header: the header of a message, by its name.
        language: of the texts in reference metadata; .Stat takes one.
        flows: each dataflow with its structure and the name of the file with its data.

    Raises:
        ConversionError: a text cannot be written, or SDMX 2.1 cannot say what an artefact says; or an attribute of
            the reports has the id of a dimension.
    """
    chosen = [artefact for artefact in artefacts if artefact.kind in _DOTSTAT_KINDS]
    message = sdmx_ml_21.structures(_linked(chosen), header("STRUCTURES"))
    steps = [Step("1-structures.xml", Phrase("bundle.dotstat.structures"), message, "sdmx-ml-2.1")]
    steps += [Step(name, Phrase("bundle.dotstat.data")) for _, _, name in flows]
    for dataflow, structure, _ in flows if reports else ():
        table = sdmx_csv_metadata.dotstat(reports, dataflow, structure, language)
        name = f"metadata-{dataflow.id.lower()}.csv"
        steps.append(Step(name, Phrase("bundle.dotstat.metadata"), table))
    return Bundle(Phrase("bundle.dotstat.title"), tuple(steps))


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
