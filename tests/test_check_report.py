"""Reports of reference metadata against their metadata structure."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from foreign_structures import foreign_structure

from cdmeta import framework
from cdmeta.dataset import to_dataset
from cdmeta.package import load
from cdmeta.sdmx.artefacts import (
    MetadataAttribute,
    Metadataflow,
    MetadataSet,
    MetadataStructure,
    ReportedAttribute,
    Representation,
)
from cdmeta.sdmx.check_report import check
from cdmeta.sdmx.metadata import report
from cdmeta.sdmx.profile_artefacts import codelists, metadata_structure, metadataflow
from cdmeta.sdmx.reports import foreign_report, templates
from cdmeta.sdmx.structures import standard_codelists, structures
from cdmeta.tables.engine import small_session
from cdmeta.tables.relations import code_rows
from cdmeta.text import Text
from cdmeta.urn import Ref
from cdmeta.workflows.validate import validate

EXAMPLES = sorted(Path("examples").resolve().glob("*/package"))
OWN = {
    each.ref: frozenset(code.id for code in each.codes) for each in (*codelists(), *standard_codelists().values())
}
NAME = Text((("en", "Made up"),))
DSD = "urn:sdmx:org.sdmx.infomodel.datastructure.Dataflow=X:DF(1.0)"


def concept(id_: str) -> Ref:
    return Ref("Concept", "X", "CS", "1.0", id_)


def attribute(id_: str, taken: Representation = Representation(), **more: object) -> MetadataAttribute:  # noqa: B008  # frozen
    return MetadataAttribute(id_, concept(id_), taken, **more)  # type: ignore[arg-type]  # as the caller names them


CODED = Representation(Ref("Codelist", "X", "CL"))
STRUCTURE = MetadataStructure(
    "X",
    "MSD",
    "1.0",
    NAME,
    attributes=(
        attribute("CONTACT", presentational=True, max_occurs=None, children=(attribute("MAIL", min_occurs=1),)),
        attribute("LEVEL", CODED),
        attribute("DATE", Representation(text_type="GregorianDay")),
        attribute("NOTE", Representation(max_length=10), max_occurs=2),
    ),
)
FLOW = Metadataflow(
    "X", "MDF", "1.0", NAME, structure=STRUCTURE.ref, targets=(DSD.replace("X:DF(1.0)", "*:*(*)"),)
)
SOUND = MetadataSet(
    "X",
    "SET",
    "1.0.0",
    NAME,
    metadataflow=FLOW.ref,
    targets=(DSD,),
    attributes=(
        ReportedAttribute("CONTACT", None, (ReportedAttribute("MAIL", "a@example.org"),)),
        ReportedAttribute("LEVEL", "L5"),
        ReportedAttribute("DATE", "2026-02-28"),
        ReportedAttribute("NOTE", Text((("en", "Some"), ("fr", "Un peu")))),
    ),
)


def found(
    made: MetadataSet, structure: MetadataStructure = STRUCTURE, flow: Metadataflow | None = FLOW
) -> list[tuple[str, str | None]]:
    lists = OWN | {CODED.codelist: frozenset({"L1", "L5"})}
    with small_session() as session:
        findings = check(session, "report.xml", made, structure, flow, lambda taken: lists.get(taken.codelist))
    return [(finding.code, finding.where.pointer) for finding in findings]


def with_attribute(index: int, *parts: ReportedAttribute) -> MetadataSet:
    return replace(SOUND, attributes=(*SOUND.attributes[:index], *parts, *SOUND.attributes[index + 1 :]))


def test_a_sound_report_has_no_findings() -> None:
    assert found(SOUND) == []
    assert found(SOUND, flow=None) == []


R = ReportedAttribute


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (with_attribute(1, R("LEVELS", "L5")), [("CD790", "/LEVELS")]),
        (with_attribute(0, R("MAIL", "x")), [("CD790", "/MAIL")]),
        (
            with_attribute(0, R("CONTACT", None, (R("LEVEL", "L1"),))),
            [("CD790", "/CONTACT/LEVEL"), ("CD791", "/CONTACT/MAIL")],
        ),
        (with_attribute(0, R("CONTACT", "x", (R("MAIL", "x"),))), [("CD797", "/CONTACT")]),
        (with_attribute(1, R("LEVEL", "L5"), R("LEVEL", "L1")), [("CD792", "/LEVEL")]),
        (with_attribute(1, R("LEVEL", "L2")), [("CD793", "/LEVEL")]),
        (with_attribute(1, R("LEVEL", Text((("en", "L5"),)))), [("CD795", "/LEVEL")]),
        (with_attribute(1, R("LEVEL")), [("CD798", "/LEVEL")]),
        (with_attribute(2, R("DATE", "2026-02-29")), [("CD794", "/DATE")]),
        (with_attribute(2, R("DATE", Text((("en", "2026-02-28"),)))), [("CD795", "/DATE")]),
        (with_attribute(3, R("NOTE", "x" * 11)), [("CD794", "/NOTE")]),
        (with_attribute(3, R("NOTE", "x"), R("NOTE", "x" * 11)), [("CD794", "/NOTE[2]")]),
        (with_attribute(3, R("NOTE", Text((("en", "a"), ("en", "b"))))), [("CD799", "/NOTE")]),
        (with_attribute(3, R("NOTE", Text((("no language", "a"),)))), [("CD799", "/NOTE")]),
        (replace(SOUND, targets=(DSD.replace("Dataflow", "DataStructure"),)), [("CD796", None)]),
    ],
)  # fmt: skip
def test_one_fault_is_found_where_it_stands(made: MetadataSet, expected: list[tuple[str, str | None]]) -> None:
    assert found(made) == expected


def test_a_code_list_that_is_not_at_hand_is_told() -> None:
    level = attribute("LEVEL", Representation(Ref("Codelist", "X", "CL_ELSEWHERE")))
    structure = replace(STRUCTURE, attributes=(STRUCTURE.attributes[0], level, *STRUCTURE.attributes[2:]))
    assert found(SOUND, structure) == [("CD789", "/LEVEL")]


@pytest.mark.parametrize("package", EXAMPLES, ids=lambda path: path.parent.name)
def test_our_own_reports_keep_to_the_profile_and_to_the_structures_of_others(package: Path) -> None:
    loaded = load(package)
    decision = framework.decide(framework.read(loaded.answers))
    dataset, _ = to_dataset(loaded, decision, lambda resource: code_rows(loaded, resource))
    made = structures(dataset)
    own = report(dataset, made).set
    told = {code for code, _ in found(own, metadata_structure(), metadataflow())}
    unanswered = any(finding.code == "CD130" for finding in validate(package).findings)
    assert ("CD791" in told) if unanswered else told == set()
    for template in templates().values():
        foreign = foreign_report(template, dataset, made)
        assert found(foreign.report.set, foreign_structure(template), None) == []


@pytest.mark.parametrize("change", [lambda text: text[:-1], lambda text: text + "_"])
def test_a_wrong_code_in_our_own_report_is_found(change: Callable[[str], str]) -> None:
    loaded = load(EXAMPLES[0])
    decision = framework.decide(framework.read(loaded.answers))
    dataset, _ = to_dataset(loaded, decision, lambda resource: code_rows(loaded, resource))
    own = report(dataset, structures(dataset)).set
    coded = next(entry for entry in own.attributes if entry.id == "INITIATIVE_TYPE")
    assert isinstance(coded.value, str)
    wrong = replace(coded, value=change(coded.value))
    broken = replace(own, attributes=tuple(wrong if entry is coded else entry for entry in own.attributes))
    assert found(broken, metadata_structure(), metadataflow()) == [("CD793", "/INITIATIVE_TYPE")]
