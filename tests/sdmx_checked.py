"""Messages of data and of reports to be checked, each sound but for what a case changes; all made up."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from cdmeta.finding import Finding
from cdmeta.formats import sdmx_ml
from cdmeta.sdmx.artefacts import (
    Attachment,
    Attribute,
    Code,
    Codelist,
    ConceptScheme,
    CubeRegion,
    DataConstraint,
    Dataflow,
    DataStructure,
    Dimension,
    Header,
    Measure,
    MetadataAttribute,
    Metadataflow,
    MetadataSet,
    MetadataStructure,
    ReportedAttribute,
    Representation,
    Structure,
)
from cdmeta.text import Text
from cdmeta.urn import Ref
from cdmeta.workflows.check_data import check_data

HEADER = Header("CHECKED", dt.datetime(2026, 1, 2, tzinfo=dt.UTC), "ZZ")
NAME = Text((("en", "Made up"),))


def concept(id_: str) -> Ref:
    return Ref("Concept", "ZZ", "CS", "1.0", id_)


def codelist(id_: str, *codes: str) -> Codelist:
    return Codelist("ZZ", id_, "1.0", NAME, codes=tuple(Code(code, NAME) for code in codes))


def attribute(id_: str, attachment: Attachment, taken: Representation, *, mandatory: bool = False) -> Attribute:
    return Attribute(id_, concept(id_), taken, attachment, mandatory)


SEX, AREA = codelist("CL_SEX", "F", "M", "_T"), codelist("CL_AREA", "X1", "X2")
TIME = Representation(text_type="ObservationalTimePeriod")
DSD = DataStructure(
    "ZZ",
    "DSD",
    "1.0",
    NAME,
    dimensions=(
        Dimension("SEX", concept("SEX"), Representation(SEX.ref), 1),
        Dimension("AREA", concept("AREA"), Representation(AREA.ref), 2),
        Dimension("TIME_PERIOD", concept("TIME_PERIOD"), TIME, 3, is_time=True),
    ),
    measures=(Measure("OBS_VALUE", concept("OBS_VALUE"), Representation(text_type="Double")),),
    attributes=(
        attribute("UNIT", ("SEX", "AREA"), Representation(), mandatory=True),
        attribute("NOTE", "observation", Representation(Ref("Codelist", "ZZ", "CL_ELSEWHERE"))),
    ),
)
FLOW = Dataflow("ZZ", "DF", "1.0", NAME, structure=DSD.ref)
ALLOWED = DataConstraint(
    "ZZ",
    "CON",
    "1.0",
    NAME,
    attached=(FLOW.ref,),
    regions=(CubeRegion((("SEX", frozenset({"F", "M"})),)),),
)
IDS = ("SEX", "AREA", "TIME_PERIOD", "OBS_VALUE", "UNIT")
ROWS = (
    ("F", "X1", "2020", "1.5", "people"),
    ("M", "X1", "2020", "2", "people"),
    ("F", "X1", "2021", "3", "people"),
)


def structures(folder: Path, *artefacts: Structure) -> Path:
    """A message of structures, with what they refer to."""
    path = folder / "structures.xml"
    path.write_bytes(sdmx_ml.structures(artefacts, HEADER))
    return path


def of_data(
    folder: Path,
    rows: Sequence[Sequence[str]] = ROWS,
    ids: Sequence[str] = IDS,
    *,
    constraints: Sequence[DataConstraint] = (),
    dsd: DataStructure = DSD,
) -> tuple[Finding, ...]:
    """What is found in rows of SDMX-CSV."""
    lines = [
        ("STRUCTURE", "STRUCTURE_ID", "ACTION", *ids),
        *(("dataflow", "ZZ:DF(1.0)", "I", *row) for row in rows),
    ]
    path = folder / "data.csv"
    path.write_text("".join(",".join(line) + "\n" for line in lines), encoding="utf-8")
    return check_data(path, [str(structures(folder, SEX, AREA, dsd, FLOW, *constraints))]).findings


def timed(text_type: str) -> DataStructure:
    """The structure with another type of its time."""
    time = replace(DSD.dimensions[2], representation=Representation(text_type=text_type))
    return replace(DSD, dimensions=(*DSD.dimensions[:2], time))


def message(
    content: str, level: str = "TIME_PERIOD", usage: str = "Structure", id_: str = "DSD", more: str = ""
) -> str:
    """A structure-specific message of SDMX-ML 2.1."""
    return _SPECIFIC.format(content=content, level=level, usage=usage, id=id_, more=more)


_BASE = "http://www.sdmx.org/resources/sdmxml/schemas/v2_1"
_SPECIFIC = f"""<m:StructureSpecificData xmlns:m="{_BASE}/message" xmlns:c="{_BASE}/common" xmlns:x="urn:x"
 xmlns:d="{_BASE}/data/structurespecific" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
<m:Header><m:ID>X</m:ID><m:Structure structureID="S" dimensionAtObservation="{{level}}"{{more}}>
<c:{{usage}}><Ref agencyID="ZZ" id="{{id}}" version="1.0"/></c:{{usage}}></m:Structure></m:Header>
<m:DataSet d:structureRef="S">{{content}}</m:DataSet></m:StructureSpecificData>"""


def of_series(folder: Path, observations: str = "") -> tuple[Finding, ...]:
    """What is found in a series of SDMX-ML."""
    path = folder / "data.xml"
    path.write_text(message(f'<Series SEX="F" AREA="X1" UNIT="people">{observations}</Series>'), encoding="utf-8")
    return check_data(path, [str(structures(folder, SEX, AREA, DSD, FLOW))]).findings


def changed(row: int, id_: str, value: str) -> list[list[str]]:
    """The rows with one other value."""
    rows = [list(entry) for entry in ROWS]
    rows[row][IDS.index(id_)] = value
    return rows


LEVEL = codelist("CL_LEVEL", "L1", "L5")
MSD = MetadataStructure(
    "ZZ",
    "MSD",
    "1.0",
    NAME,
    attributes=(
        MetadataAttribute(
            "CONTACT",
            concept("CONTACT"),
            Representation(),
            presentational=True,
            children=(MetadataAttribute("MAIL", concept("MAIL"), Representation(), 1),),
        ),
        MetadataAttribute("LEVEL", concept("LEVEL"), Representation(LEVEL.ref)),
        MetadataAttribute("DATE", concept("DATE"), Representation(text_type="GregorianDay")),
        MetadataAttribute("NOTE", concept("NOTE"), Representation()),
    ),
)
METADATAFLOW = Metadataflow(
    "ZZ", "MDF", "1.0", NAME, structure=MSD.ref, targets=(FLOW.urn.replace("ZZ:DF(1.0)", "ZZ:*(*)"),)
)
SAID = (
    ReportedAttribute("CONTACT", None, (ReportedAttribute("MAIL", "office@example.org"),)),
    ReportedAttribute("LEVEL", "L5"),
    ReportedAttribute("DATE", "2026-02-28"),
    ReportedAttribute("NOTE", Text((("en", "Some"), ("fr", "Un peu")))),
)


def of_report(folder: Path, *said: ReportedAttribute, at: int = 0, target: str = FLOW.urn) -> tuple[Finding, ...]:
    """What is found in a report, some of which stands in the place of one of its attributes."""
    attributes = (*SAID[:at], *said, *SAID[at + 1 :]) if said else SAID
    report = MetadataSet(
        "ZZ", "SET", "1.0.0", NAME, metadataflow=METADATAFLOW.ref, targets=(target,), attributes=attributes
    )
    path = folder / "report.xml"
    path.write_bytes(sdmx_ml.metadata((report,), HEADER))
    return check_data(path, [str(structures(folder, LEVEL, MSD, METADATAFLOW, CONCEPTS))]).findings


CONCEPTS = ConceptScheme("ZZ", "CS", "1.0", NAME, concepts=())
