"""Reference metadata as SDMX-CSV: cells as in the field guide, and read back, whatever stands in the texts."""

import csv
import dataclasses
import io
from pathlib import Path
from typing import Any

import pysdmx.io
import pytest
import sdmx
from hypothesis import given
from hypothesis import strategies as st
from pysdmx.errors import Invalid
from sdmx_everything import BARE, DATAFLOW, DSD, FLOW, HEADER, LINES, MARKED_UP, MSD, QUOTES, REPORT, text
from sdmx_reading import legal_texts

from cdmeta.errors import ConversionError
from cdmeta.formats import kinds, oracle, reading, sdmx_csv_metadata, sdmx_csv_metadata_read, sdmx_ml_21
from cdmeta.sdmx.artefacts import MetadataSet, ReportedAttribute, Representation
from cdmeta.text import NO_TEXT, Text

csv.field_size_limit(10_000_000)
Row = dict[str, str]


def table(message: bytes) -> list[Row]:
    return list(csv.DictReader(io.StringIO(message.decode(), newline="")))


def read(message: bytes) -> list[MetadataSet]:
    return list(sdmx_csv_metadata_read.metadata(io.BytesIO(message)))


def plain(found: tuple[ReportedAttribute, ...]) -> tuple[ReportedAttribute, ...]:
    """As a table holds them: without a word on XHTML, which the metadata structure says."""
    return tuple(dataclasses.replace(each, structured=False, children=plain(each.children)) for each in found)


REPORTS = (REPORT, BARE, MARKED_UP)
MESSAGE = sdmx_csv_metadata.metadata(REPORTS)


def test_each_report_is_a_row_and_comes_back_value_by_value() -> None:
    rows = table(MESSAGE)
    for found, report in zip(read(MESSAGE), REPORTS, strict=True):
        assert dataclasses.replace(found, attributes=sorted_like_a_table(found.attributes)) == dataclasses.replace(
            report,
            name=NO_TEXT,
            description=NO_TEXT,
            annotations=(),
            attributes=sorted_like_a_table(plain(report.attributes)),
        )
    assert {row["MDSTRUCTURE[;]"] for row in rows} == {"metadataflow"}
    assert {row["MDSTRUCTURE_ID"] for row in rows} == {"CDMETA.WARD:MDF_WARD(1.0)"}
    assert [row["METADATASET_ID"] for row in rows][:2] == [
        "CDMETA.WARD:MDS_WARD(2.0.1)",
        "CDMETA.WARD:MDS_BARE(1.0.0)",
    ]
    assert [row["TARGET_TYPES"] for row in rows] == ["dataflow;dataflow", "dataflow", "dataflow"]
    assert rows[0]["ANSWER[].WHY[en;fr;ar]"] == ""
    assert rows[0]["TARGET_IDS"] == "CDMETA.WARD:DF_WARD_ANSWERS(1.0);CDMETA.WARD:OTHER(1.0)"
    assert [(row["reportingBegin"], row["reportingEnd"]) for row in rows] == [
        ("2025-02-01", "2025-03-15"),
        ("", ""),
        ("", ""),
    ]


def test_the_header_tells_what_repeats_and_in_which_languages() -> None:
    (header, *_) = csv.reader(io.StringIO(MESSAGE.decode(), newline=""))
    assert header == [
        "MDSTRUCTURE[;]",
        "MDSTRUCTURE_ID",
        "METADATASET_ID",
        "ACTION",
        "TARGET_TYPES",
        "TARGET_IDS",
        "TITLE[en;fr;ar]",
        "ANSWER[]",
        "ANSWER[].WHY[en;fr;ar]",
        "UPDATED",
        "LONG[en;fr;ar]",
        "PLAIN",
        "OPEN",
        "COUNT",
        "CONTACT[].CONTACT_NAME[][en;fr;ar]",
        "reportingBegin",
        "reportingEnd",
    ]


def test_days_that_no_report_covers_are_no_columns() -> None:
    assert b"reporting" not in sdmx_csv_metadata.metadata((BARE, MARKED_UP))


def example(*reported: ReportedAttribute) -> str:
    """The cells of a report as they stand in the file, behind what identifies it."""
    report = dataclasses.replace(BARE, attributes=reported)
    return sdmx_csv_metadata.metadata((report,)).decode().split("DF_WARD_ANSWERS(1.0),", 1)[1].removesuffix("\r\n")


def both(en: str, **others: str) -> Text:
    return Text((("en", en), *others.items()))


def test_cells_are_those_of_the_examples_in_the_field_guide() -> None:
    several = (
        ReportedAttribute("A", both("Value1", fr="Valeur1")),
        ReportedAttribute("A", both("Value2", de="Wert2")),
    )
    assert example(*several) == '"""en:Value1;fr:Valeur1"";""en:Value2;de:Wert2"""'
    assert example(ReportedAttribute("A", both("Value1", fr="Valeur1"))) == "en:Value1;fr:Valeur1"
    assert example(ReportedAttribute("A", 'Text with "quotes"'), ReportedAttribute("A", "Another text")) == (
        '"""Text with """"quotes"""""";Another text"'
    )
    one, other = both("Value1"), both("Value2")
    assert example(ReportedAttribute("A", one), ReportedAttribute("A", other)) == '"""en:Value1"";""en:Value2"""'
    xhtml = both("<p>An XHTML text</p>", fr="<p>Un texte XHTML</p>")
    assert example(ReportedAttribute("A", xhtml, structured=True)) == (
        '"en:""<p>An XHTML text</p>"";fr:""<p>Un texte XHTML</p>"""'
    )
    assert example(ReportedAttribute("A", "123"), ReportedAttribute("A", "456")) == "123;456"


def test_a_value_per_parent_stays_with_its_parent() -> None:
    people = [
        ReportedAttribute("CONTACT", children=(ReportedAttribute("PHONE", "1"), ReportedAttribute("PHONE", "2"))),
        ReportedAttribute("CONTACT", "x"),
        ReportedAttribute("CONTACT", children=(ReportedAttribute("PHONE", "3"),)),
    ]
    assert example(*people) == ';x;,"""1;2"";;3"'


def trees() -> st.SearchStrategy[tuple[ReportedAttribute, ...]]:
    texts = legal_texts()
    values = st.one_of(
        texts,
        st.dictionaries(st.sampled_from(["en", "fr", "pt-BR"]), texts, min_size=1).map(
            lambda parts: Text(tuple(parts.items()))
        ),
    )
    ids = st.sampled_from(["A", "B", "C-1"])
    leaf = st.builds(ReportedAttribute, ids, values)

    def parents(below: Any) -> Any:
        children = st.lists(below, min_size=1, max_size=3).map(in_order)
        return st.builds(ReportedAttribute, ids, st.none() | values, children)

    return st.lists(st.recursive(leaf, parents, max_leaves=6), min_size=1, max_size=4).map(in_order)


def in_order(found: list[ReportedAttribute]) -> tuple[ReportedAttribute, ...]:
    """What repeats stands together, as a table cannot say anything else."""
    return tuple(sorted(found, key=lambda attribute: attribute.id))


def sorted_like_a_table(found: tuple[ReportedAttribute, ...]) -> tuple[ReportedAttribute, ...]:
    return in_order([dataclasses.replace(each, children=sorted_like_a_table(each.children)) for each in found])


@given(trees(), trees())
def test_any_report_comes_back(
    first: tuple[ReportedAttribute, ...], second: tuple[ReportedAttribute, ...]
) -> None:
    reports = [dataclasses.replace(BARE, attributes=found) for found in (first, second)]
    found = read(sdmx_csv_metadata.metadata(reports))
    assert [sorted_like_a_table(report.attributes) for report in found] == [first, second]


def test_half_a_character_is_refused() -> None:
    report = dataclasses.replace(BARE, attributes=(ReportedAttribute("A", "a\ud800b"),))
    told = r"Half a character \(U\+D800\) stands behind: .*a"
    with pytest.raises(ConversionError, match=told):
        sdmx_csv_metadata.metadata((report,))
    with pytest.raises(ConversionError, match=told):
        sdmx_csv_metadata.dotstat((report,), DATAFLOW, DSD, "en")


def test_the_action_can_be_chosen() -> None:
    (row,) = table(sdmx_csv_metadata.metadata((BARE,), "R"))
    assert row["ACTION"] == "R"


def test_dotstat_takes_one_row_with_all_dimensions_and_one_text_for_each_attribute() -> None:
    report = dataclasses.replace(
        REPORT, attributes=tuple(each for each in REPORT.attributes if each.id != "ANSWER")
    )
    (row,) = table(sdmx_csv_metadata.dotstat((report, MARKED_UP_ALONE), DATAFLOW, DSD, "fr"))
    assert list(row)[:7] == ["STRUCTURE", "STRUCTURE_ID", "ACTION", "FREQ", "ANSWER", "REF_AREA", "TIME_PERIOD"]
    assert list(row.values())[:7] == ["dataflow", "CDMETA.WARD:DF_WARD_ANSWERS(1.0)", "I", "", "", "", ""]
    assert {key: row[key] for key in list(row)[7:]} == {
        "TITLE": LINES,
        "UPDATED": "2026-02-03",
        "PLAIN": QUOTES,
        "OPEN": "true",
        "COUNT": "412",
        "CONTACT.CONTACT_NAME": "Amina\nO'Brien\nZoë (fr)",
        "CONTACT.WHY": "<p>A</p>",
        "LONG": dict(REPORT.attributes[4].value or ())["fr"],  # type: ignore[arg-type]
    }


MARKED_UP_ALONE = dataclasses.replace(
    MARKED_UP,
    attributes=(
        ReportedAttribute("CONTACT", children=(ReportedAttribute("WHY", both("<p>A</p>"), structured=True),)),
    ),
)


def test_an_attribute_with_the_id_of_a_dimension_is_refused() -> None:
    with pytest.raises(ConversionError, match=r"^ANSWER: these are names of attributes"):
        sdmx_csv_metadata.dotstat((REPORT,), DATAFLOW, DSD, "en")


def test_dotstat_takes_a_report_on_a_part_of_the_data() -> None:
    key = {"ANSWER": "YES", "REF_AREA": "KE"}
    (row,) = table(sdmx_csv_metadata.dotstat((BARE,), DATAFLOW, DSD, "en", key, "R"))
    assert list(row.items()) == [
        ("STRUCTURE", "dataflow"),
        ("STRUCTURE_ID", "CDMETA.WARD:DF_WARD_ANSWERS(1.0)"),
        ("ACTION", "R"),
        ("FREQ", ""),
        ("ANSWER", "YES"),
        ("REF_AREA", "KE"),
        ("TIME_PERIOD", ""),
        ("TITLE", "Plain"),
    ]


def test_the_metadata_structure_for_dotstat_has_each_attribute_once() -> None:
    flat = sdmx_csv_metadata.flattened(MSD)
    told = {entry.id: (entry.min_occurs, entry.max_occurs) for top in flat.attributes for entry in top.walk()}
    assert told == {
        "TITLE": (1, 1),
        "ANSWER": (0, 1),
        "UPDATED": (1, 1),
        "CONTACT": (1, 1),
        "CONTACT_NAME": (0, 1),
    }
    kinds = {entry.id: entry.representation for top in flat.attributes for entry in top.walk()}
    assert kinds["TITLE"] == MSD.attributes[0].representation
    assert kinds["ANSWER"] == kinds["UPDATED"] == kinds["CONTACT_NAME"] == Representation()
    assert (flat.ref, flat.name) == (MSD.ref, MSD.name)
    assert oracle.problems(sdmx_ml_21.structures((flat,), HEADER), "sdmx-ml-2.1") == ()


def test_pysdmx_fails_on_metadata_in_csv() -> None:
    with pytest.raises(Invalid):
        pysdmx.io.read_sdmx(io.BytesIO(MESSAGE), validate=False)


def test_sdmx1_fails_on_metadata_in_csv() -> None:
    with pytest.raises(ValueError, match=r"Invalid SDMX-CSV 2\.0\.0: 'MDSTRUCTURE\[;\]' in line 1, field 1"):
        sdmx.read_sdmx(io.BytesIO(MESSAGE), format="csv")


def test_reports_by_several_flows_share_a_table() -> None:
    other: MetadataSet = dataclasses.replace(BARE, metadataflow=dataclasses.replace(FLOW.ref, id="MDF_OTHER"))
    message = sdmx_csv_metadata.metadata((other, REPORT))
    rows = table(message)
    assert [row["MDSTRUCTURE_ID"] for row in rows] == ["CDMETA.WARD:MDF_OTHER(1.0)", "CDMETA.WARD:MDF_WARD(1.0)"]
    assert [report.attributes[0].value for report in read(message)] == [
        "Plain",
        text(QUOTES, LINES, REPORT_TITLE_IN_ARABIC),
    ]


REPORT_TITLE_IN_ARABIC = dict(REPORT.attributes[0].value or ())["ar"]  # type: ignore[arg-type]


# Messages of others


HEAD = "MDSTRUCTURE[;],MDSTRUCTURE_ID,METADATASET_ID,TARGET_TYPES,TARGET_IDS,"
ROW = "metadataflow,OECD:MDF(1.0.0),OECD:MDS(1.0.0),dataflow,OECD:DF(1.0.0),"


def only(header: str, row: str) -> MetadataSet:
    (report,) = read(f"{HEAD}{header}\n{ROW}{row}\n".encode())
    return report


def test_the_guides_example_of_nested_texts_in_languages() -> None:
    report = only(
        "ATTRIBUTE_1,ATTRIBUTE_1.ATTRIBUTE_1_2[][en;fr],ATTRIBUTE_2[],ATTRIBUTE_3[]",
        'CODE_ID,"""en:""""<p>An XHTML text</p>"""";fr:""""<p>Un texte XHTML</p>"""""";'
        '""en:""""<p>Another</p>"""";fr:""""<p>Un autre</p>""""""",'
        '"""Text with """"quotes"""""";""Another text""",123;456',
    )
    assert (report.urn, report.metadataflow.urn, report.targets) == (
        "urn:sdmx:org.sdmx.infomodel.metadatastructure.MetadataSet=OECD:MDS(1.0.0)",
        "urn:sdmx:org.sdmx.infomodel.metadatastructure.Metadataflow=OECD:MDF(1.0.0)",
        ("urn:sdmx:org.sdmx.infomodel.datastructure.Dataflow=OECD:DF(1.0.0)",),
    )
    assert report.attributes == (
        ReportedAttribute(
            "ATTRIBUTE_1",
            "CODE_ID",
            (
                ReportedAttribute("ATTRIBUTE_1_2", both("<p>An XHTML text</p>", fr="<p>Un texte XHTML</p>")),
                ReportedAttribute("ATTRIBUTE_1_2", both("<p>Another</p>", fr="<p>Un autre</p>")),
            ),
        ),
        ReportedAttribute("ATTRIBUTE_2", 'Text with "quotes"'),
        ReportedAttribute("ATTRIBUTE_2", "Another text"),
        ReportedAttribute("ATTRIBUTE_3", "123"),
        ReportedAttribute("ATTRIBUTE_3", "456"),
    )


@pytest.mark.parametrize("separator", [";", "\t", "|"])
def test_labels_in_the_cells_and_beside_them_are_left_away(separator: str) -> None:
    beside = (
        "MDSTRUCTURE,MDSTRUCTURE_ID,MDSTRUCTURE_NAME,METADATASET_ID,METADATASET_NAME,IS_PARTIAL_LANGUAGE,"
        "TARGET_TYPES,TARGET_IDS,TARGET_NAMES,A,Name of A,B,Name of B\n"
        "metadataprovision,OECD:MDP,Agreement,OECD:MDS,Set,1,codelist,OECD:CL(1.0),List,CODE,Label,Text: more,\n"
    )
    inside = (
        "MDSTRUCTURE,MDSTRUCTURE_ID,METADATASET_ID,TARGET_TYPES,TARGET_IDS,A: Name of A,B: Name of B\n"
        "metadataprovision,OECD:MDP: Agreement,OECD:MDS: Set,codelist,OECD:CL(1.0): List,CODE: Label,Text: more\n"
    )
    for message in (beside, inside):
        (report,) = read(message.replace(",", separator).encode("utf-8-sig"))
        assert (report.id, report.version, report.metadataflow.kind) == (
            "MDS",
            "latest",
            "MetadataProvisionAgreement",
        )
        assert report.targets == ("urn:sdmx:org.sdmx.infomodel.codelist.Codelist=OECD:CL(1.0)",)
        assert report.attributes == (ReportedAttribute("A", "CODE"), ReportedAttribute("B", "Text: more"))


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("Note: a plain text", "Note: a plain text"),
        ("en:One; two;fr:Un", Text((("en", "One; two"), ("fr", "Un")))),
        ('en:with 5" pipes', Text((("en", 'with 5" pipes'),))),
        ("EN:Capital", Text((("EN", "Capital"),))),
        ("de:Auf Deutsch", "de:Auf Deutsch"),
    ],
)
def test_a_cell_that_is_not_as_the_guide_says_keeps_its_text(cell: str, said: Text | str) -> None:
    assert only("A[en;fr]", '"' + cell.replace('"', '""') + '"').attributes == (ReportedAttribute("A", said),)


def test_what_a_message_deletes_is_no_report() -> None:
    message = sdmx_csv_metadata.metadata((BARE,), "D")
    assert read(message) == []


@pytest.mark.parametrize(
    ("message", "told"),
    [
        (b"MDSTRUCTURED,A\n", "unknown"),
        (f"{HEAD}A\n{ROW}\xe9\n".encode("latin-1"), "csv.encoding"),
        (f"{HEAD}A\n{ROW}x,y\n".encode(), "csv.width"),
        (f'{HEAD}A\n{ROW}"x\n'.encode(), "csv"),
        (f"{HEAD}A,A[]\n{ROW}x,y\n".encode(), "csv.twice"),
        (f"{HEAD}A..B\n{ROW}x\n".encode(), "csv.column"),
        (f"{HEAD}{'A.' * 60}A\n{ROW}x\n".encode(), "json.deep"),
        (f"{HEAD}A\n{ROW.replace('OECD:MDS', 'OECD')}x\n".encode(), "absent"),
        (f"{HEAD}A\n{ROW.replace('metadataflow', 'dataflow')}x\n".encode(), "absent"),
    ],
)
def test_what_is_no_such_message_is_refused(message: bytes, told: str) -> None:
    with pytest.raises(ConversionError) as raised:
        read(message)
    assert raised.value.args[0].key == f"error.message.{told}"
    assert raised.value.args[0].told("en")


def test_a_message_is_known_by_its_first_column(tmp_path: Path) -> None:
    path = tmp_path / "report"
    path.write_bytes(MESSAGE)
    assert kinds.kind(path) == "metadata"
    assert [report.urn for report in reading.metadata(path)] == [report.urn for report in REPORTS]
    path.write_bytes(b"STRUCTURE[;],STRUCTURE_ID,ACTION\n")
    assert kinds.kind(path) == "data"
