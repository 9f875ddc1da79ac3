"""Bundles: every message is valid, stands behind what it refers to, and the README tells the order."""

import csv
import dataclasses
import io
import json
from typing import Any

import pytest
from sdmx_everything import (
    BARE,
    DATAFLOW,
    DSD,
    HEADER,
    LISTS_OF_OTHERS,
    MARKED_UP,
    MORE,
    MSD,
    REPORT,
    STRUCTURES,
    WIDE,
)
from sdmx_reading import sets_from_json, structures_from_json
from sdmx_reading_21 import structures_from_21

from cdmeta.errors import ConversionError
from cdmeta.formats import oracle, sdmx_ml_21
from cdmeta.sdmx.artefacts import DataStructure, Header, MetadataStructure
from cdmeta.workflows import bundle

ONE = dataclasses.replace(DSD, measures=DSD.measures[:1])
OURS = tuple(ONE if artefact is DSD else artefact for artefact in STRUCTURES)


def header(name: str) -> Header:
    return dataclasses.replace(HEADER, id=name)


def by_urn(found: Any) -> list[Any]:
    return sorted(found, key=lambda artefact: artefact.urn)


def test_fmr_takes_parts_one_after_the_other_and_reports_last() -> None:
    made = bundle.fmr((*MORE, *STRUCTURES, *LISTS_OF_OTHERS), (REPORT, BARE), header, ["data-answers.csv"])
    assert [step.name for step in made.steps] == [
        "1-codelists.json",
        "2-concepts.json",
        "3-structures.json",
        "4-agreements.json",
        "5-metadata.json",
        "data-answers.csv",
    ]
    *messages, data = made.steps
    assert (data.content, data.kind) == (None, None)
    read: list[Any] = []
    for step in messages:
        assert step.content is not None
        assert step.kind is not None
        assert oracle.problems(step.content, step.kind) == ()
        if step.kind == "sdmx-json-2.0-structure":
            read += structures_from_json(step.content)
    assert by_urn(read) == by_urn((*MORE, *STRUCTURES, *LISTS_OF_OTHERS))
    assert sets_from_json(messages[-1].content or b"") == [REPORT, BARE]
    assert json.loads(messages[0].content or b"")["meta"]["id"] == "CODELISTS"


def test_fmr_without_reports_or_data_has_structures_alone() -> None:
    made = bundle.fmr((DATAFLOW,), (), header)
    assert [step.name for step in made.steps] == ["1-structures.json"]


REPORTS = (
    dataclasses.replace(REPORT, attributes=REPORT.attributes[3:]),
    dataclasses.replace(MARKED_UP, attributes=MARKED_UP.attributes[:1]),
)


def test_dotstat_takes_structures_then_data_then_reference_metadata() -> None:
    made = bundle.dotstat((*OURS, *LISTS_OF_OTHERS), REPORTS, header, "fr", [(DATAFLOW, ONE, "data-answers.csv")])
    assert [step.name for step in made.steps] == [
        "1-structures.xml",
        "data-answers.csv",
        "metadata-df_ward_answers.csv",
    ]
    first, data, table = made.steps
    assert data.content is None
    assert oracle.problems(first.content or b"", "sdmx-ml-2.1") == ()
    read = {entry.kind: entry for entry in structures_from_21(first.content or b"")}
    assert set(read) == {
        "AgencyScheme",
        "Codelist",
        "ConceptScheme",
        "DataStructure",
        "Dataflow",
        "MetadataStructure",
    }
    assert isinstance(read["DataStructure"], DataStructure)
    assert read["DataStructure"].annotations == (sdmx_ml_21.metadata_annotation(MSD.ref),)
    assert isinstance(read["MetadataStructure"], MetadataStructure)
    walked = [part for top in read["MetadataStructure"].attributes for part in top.walk()]
    assert {part.max_occurs for part in walked} == {1}
    (row,) = csv.DictReader(io.StringIO((table.content or b"").decode(), newline=""))
    assert row["STRUCTURE_ID"] == "CDMETA.WARD:DF_WARD_ANSWERS(1.0)"
    assert row["COUNT"] == "412"
    assert row["TITLE"].startswith("<p>A <b>b</b>")


def test_dotstat_keeps_the_link_that_a_data_structure_has() -> None:
    other = dataclasses.replace(MSD, id="MSD_OTHER").ref
    linked = dataclasses.replace(ONE, metadata=other)
    (step,) = bundle.dotstat((linked, MSD), (), header, "en").steps
    (read,) = (entry for entry in structures_from_21(step.content or b"") if isinstance(entry, DataStructure))
    assert [note.title for note in read.annotations] == [other.urn]


def test_dotstat_without_a_metadata_structure_has_no_link() -> None:
    (step,) = bundle.dotstat((ONE,), (), header, "en").steps
    assert structures_from_21(step.content or b"") == [ONE]


def test_dotstat_refuses_what_2_1_cannot_say() -> None:
    with pytest.raises(ConversionError, match="several measures"):
        bundle.dotstat((WIDE,), (), header, "en")


@pytest.mark.parametrize("language", ["en", "es", "fr"])
def test_the_readme_tells_the_order_in_the_language_of_the_reader(language: str) -> None:
    flows = [(DATAFLOW, ONE, "data-answers.csv")]
    for made in (
        bundle.fmr(OURS, (BARE,), header, ["data-answers.csv"]),
        bundle.dotstat(OURS, REPORTS, header, language, flows),
    ):
        lines = made.readme(language).splitlines()
        told = [line for line in lines if line[:1].isdigit()]
        assert [line.split("`")[1] for line in told] == [step.name for step in made.steps]
        assert [line.partition(".")[0] for line in told] == [str(number + 1) for number in range(len(told))]
        assert all(step.how.told(language) in line for step, line in zip(made.steps, told, strict=True))
        assert lines[0].startswith("# ")
    if language != "en":
        assert made.readme(language) != made.readme()
