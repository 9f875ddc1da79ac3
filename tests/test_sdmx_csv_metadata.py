"""Reference metadata as SDMX-CSV: read back by csv and a few lines of our own, whatever stands in the texts."""

import csv
import dataclasses
import io
import re
from typing import Any

import pysdmx.io
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pysdmx.errors import Invalid
from sdmx_everything import BARE, DATAFLOW, DSD, FLOW, HEADER, LINES, MARKED_UP, MSD, QUOTES, REPORT, text
from sdmx_reading import legal_texts

from cdmeta.errors import ConversionError
from cdmeta.formats import oracle, sdmx_csv_metadata, sdmx_ml_21
from cdmeta.sdmx.artefacts import MetadataSet, ReportedAttribute, Representation
from cdmeta.text import Text

csv.field_size_limit(10_000_000)
Row = dict[str, str]


def table(message: bytes) -> list[Row]:
    return list(csv.DictReader(io.StringIO(message.decode(), newline="")))


def split(cell: str) -> list[str]:
    """The values of a cell, parted by the separator; still between their quotation marks."""
    parts, quoted = [""], False
    for sign in cell:
        if sign == ";" and not quoted:
            parts.append("")
            continue
        quoted ^= sign == '"'
        parts[-1] += sign
    return parts


def unquoted(part: str) -> str:
    return part[1:-1].replace('""', '"') if part.startswith('"') else part


def value(cell: str, languages: bool) -> Text | str:
    if not languages:
        return cell
    if cell.startswith('"'):
        return unquoted(cell)
    pairs = (part.partition(":") for part in split(cell))
    return Text(tuple((tag, unquoted(rest)) for tag, _, rest in pairs))


Node = dict[str, Any]


def put(nodes: dict[str, list[Node]], way: list[tuple[str, bool, bool]], cell: str) -> None:
    (name, repeats, languages), *rest = way
    cells = [unquoted(part) for part in split(cell)] if repeats else [cell]
    found = nodes.setdefault(name, [])
    for number, part in enumerate(cells):
        if number == len(found):
            found.append({"value": None, "children": {}})
        if part and rest:
            put(found[number]["children"], rest, part)
        elif part:
            found[number]["value"] = value(part, languages)


def way(header: str) -> list[tuple[str, bool, bool]]:
    found = re.findall(r"([A-Za-z0-9_@$-]+)(\[\])?(\[[^\]]+\])?(?:\.|$)", header)
    return [(name, bool(repeats), bool(languages)) for name, repeats, languages in found]


def attributes(nodes: dict[str, list[Node]]) -> tuple[ReportedAttribute, ...]:
    return tuple(
        ReportedAttribute(name, node["value"], attributes(node["children"]))
        for name, found in nodes.items()
        for node in found
    )


def read(row: Row) -> tuple[ReportedAttribute, ...]:
    nodes: dict[str, list[Node]] = {}
    for header, cell in list(row.items())[6:]:
        if cell and not header.startswith("reporting"):
            put(nodes, way(header), cell)
    return attributes(nodes)


def plain(found: tuple[ReportedAttribute, ...]) -> tuple[ReportedAttribute, ...]:
    """As a table holds them: without a word on XHTML, which the metadata structure says."""
    return tuple(dataclasses.replace(each, structured=False, children=plain(each.children)) for each in found)


REPORTS = (REPORT, BARE, MARKED_UP)
MESSAGE = sdmx_csv_metadata.metadata(REPORTS)


def test_each_report_is_a_row_and_comes_back_value_by_value() -> None:
    rows = table(MESSAGE)
    for row, report in zip(rows, REPORTS, strict=True):
        assert sorted_like_a_table(read(row)) == sorted_like_a_table(plain(report.attributes))
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
    rows = table(sdmx_csv_metadata.metadata(reports))
    assert [sorted_like_a_table(read(row)) for row in rows] == [first, second]


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


def test_reports_by_several_flows_share_a_table() -> None:
    other: MetadataSet = dataclasses.replace(BARE, metadataflow=dataclasses.replace(FLOW.ref, id="MDF_OTHER"))
    rows = table(sdmx_csv_metadata.metadata((other, REPORT)))
    assert [row["MDSTRUCTURE_ID"] for row in rows] == ["CDMETA.WARD:MDF_OTHER(1.0)", "CDMETA.WARD:MDF_WARD(1.0)"]
    assert [read(row)[0].value for row in rows] == ["Plain", text(QUOTES, LINES, REPORT_TITLE_IN_ARABIC)]


REPORT_TITLE_IN_ARABIC = dict(REPORT.attributes[0].value or ())["ar"]  # type: ignore[arg-type]
