"""Types, keys, encodings and delimiters from the bytes of a table."""

import json
import tempfile
from pathlib import Path
from typing import Any

import frictionless
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cdmeta.checks import rows
from cdmeta.errors import TableError
from cdmeta.package import load
from cdmeta.tables.infer import Inferred, infer


def table(folder: Path, text: str | bytes) -> Path:
    path = folder / "t.csv"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def one(folder: Path, *values: str, name: str = "x") -> dict[str, Any]:
    """The field of a column with these values, beside a column that keeps rows from being blank."""
    lines = [f"{name};k", *(f"{value};k" for value in values)]
    found: dict[str, Any] = infer(table(folder, "\n".join(lines) + "\n")).schema["fields"][0]
    assert found.pop("name") == name
    return found


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["1", "-20", "0"], "integer"),
        (["007", "12"], "string"),
        (["-01"], "string"),
        (["+4479"], "string"),
        (["1_000"], "string"),
        (["1 000"], "string"),
        (["٣"], "string"),
        (["1.5", "2", ".5", "-3.25e-7"], "number"),
        (["00.5"], "string"),
        (["12E4", "13E4"], "string"),
        (["Infinity", "1"], "string"),
        (["NaN"], "string"),
        (["1,000", "2,500"], "string"),
        (["true", "false"], "boolean"),
        (["TRUE", "False"], "boolean"),
        (["0", "1"], "integer"),
        (["yes", "no"], "string"),
        (["2020-02-29"], "date"),
        (["2021-02-29"], "string"),
        (["2020-1-5"], "string"),
        (["05/01/2020"], "string"),
        (["2020-01-05T10:00:00Z"], "datetime"),
        (["2020-01-05T10:00:00Z", "2020-01-05"], "string"),
        (["2020-01", "2020-12"], "yearmonth"),
        (["2010-11", "2019-20"], "string"),
        (["10:30:00"], "time"),
        (["2020", "1900"], "year"),
        (["2020", "1899"], "integer"),
        ([], "string"),
        ([""], "string"),
        (["NA"], "string"),
    ],
)
def test_a_type_is_taken_only_where_nothing_is_lost(values: list[str], kind: str, tmp_path: Path) -> None:
    assert one(tmp_path, *values) == {"type": kind}


@pytest.mark.parametrize(
    ("name", "kind"), [("Year", "year"), ("birth_year", "year"), ("Jahr", "year"), ("n", "integer")]
)
def test_a_year_long_ago_is_one_in_a_column_called_so(name: str, kind: str, tmp_path: Path) -> None:
    assert one(tmp_path, "1850", "2020", name=name) == {"type": kind}
    assert one(tmp_path, "0850", name=name) == {"type": "string"}


def test_a_decimal_comma_is_taken_where_it_can_be_nothing_else(tmp_path: Path) -> None:
    assert one(tmp_path, "1,5", "2", "-0,25") == {"type": "number", "decimalChar": ","}
    assert one(tmp_path, "1,5", "2.5") == {"type": "string"}
    quoted = infer(table(tmp_path, 'x,k\n"1,5",a\n'))
    assert quoted.schema["fields"][0] == {"name": "x", "type": "string"}


def test_what_stands_for_nothing_is_found_and_told(tmp_path: Path) -> None:
    found = infer(table(tmp_path, "n,d,s\n1,-,a\nNA,2020-01-01,b\n,2020-01-02,c\n"))
    assert found.schema["missingValues"] == ["", "NA", "-"]
    assert [field["type"] for field in found.schema["fields"]] == ["integer", "date", "string"]
    assert ("missing", {"tokens": "-, NA"}) in found.notes


def test_a_country_called_na_stays_one(tmp_path: Path) -> None:
    schema = infer(table(tmp_path, "country,n\nNA,1\nZA,NA\n")).schema
    assert schema["missingValues"] == [""]
    assert schema["fields"][1] == {"name": "n", "type": "integer", "missingValues": ["", "NA"]}


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("region,sex,n\nA,F,1\nA,M,2\nB,F,1\n", ["region", "sex"]),
        ("n,region\n1,A\n2,B\n", ["region"]),
        ("id,region,n\n1,A,5\n2,A,5\n", ["id"]),
        ("region,sex,n\nA,F,1\nA,F,2\n", None),
        ("region,note\nA,x\nB,y\n", None),
        ("region,year,n\nA,2020,1\nA,2021,1\nB,2020,1\n", ["region", "year"]),
        ("a,b,n\nA,,1\nB,x,2\nA,x,3\n", None),
        ("region,n\nA,1\n", None),
    ],
)
def test_a_key_is_proposed_for_tables_of_figures(text: str, key: list[str] | None, tmp_path: Path) -> None:
    found = infer(table(tmp_path, text))
    assert found.schema.get("primaryKey") == key
    assert any(name == "key" for name, _ in found.notes) == (key is not None)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiters_are_found(delimiter: str, tmp_path: Path) -> None:
    text = "a,b,c\n1,x,2.5\n2,y,3.5\n".replace(",", delimiter)
    assert infer(table(tmp_path, text)).delimiter == delimiter


def test_a_comma_inside_text_is_no_delimiter(tmp_path: Path) -> None:
    assert infer(table(tmp_path, "a;b\nx, y, z;1\nw;2\n")).delimiter == ";"
    assert infer(table(tmp_path, 'a,b\n"x;y;z",1\n"v;w;u",2\n')).delimiter == ","
    assert infer(table(tmp_path, "alone\nx\n")).delimiter == ","


@pytest.mark.parametrize(
    ("codec", "name"),
    [("utf-8", "utf-8"), ("utf-8-sig", "utf-8"), ("cp1252", "windows-1252"), ("utf-16", "utf-16"),
     ("utf-16-le", "utf-16-le"), ("utf-16-be", "utf-16-be")],
)  # fmt: skip
def test_encodings_are_found(codec: str, name: str, tmp_path: Path) -> None:
    found = infer(table(tmp_path, "café,n\né,1\n".encode(codec)))
    assert (found.encoding, found.schema["fields"][0]["name"]) == (name, "café")


def test_bytes_that_windows_1252_lacks_are_iso_8859_1(tmp_path: Path) -> None:
    assert infer(table(tmp_path, b"a,b\n\x81\xe9,1\n")).encoding == "iso-8859-1"


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "names of columns"),
        (b"\n1,2\n", "names of columns"),
        (b"a,,c\n1,2,3\n", "column 2"),
        (b"a,b,a\n1,2,3\n", 'two columns called "a"'),
        (b"PK\x03\x04 and so on", "workbook"),
        (b"a,b\n1,\x00\x00\x01\x00\x02\n", "no table of text"),
        (b'a,b\n1,"x\n2,y\n', "row 2"),
    ],
)
def test_what_is_no_table_is_told_in_one_line(data: bytes, says: str, tmp_path: Path) -> None:
    with pytest.raises(TableError) as error:
        infer(table(tmp_path, data))
    assert says in str(error.value)
    assert "\n" not in str(error.value)


def test_rows_beyond_the_first_piece_count_too(tmp_path: Path) -> None:
    text = "n,k\n" + "1,a\n" * 12_000 + "x,a\n"
    found = infer(table(tmp_path, text))
    assert (found.rows, found.schema["fields"][0]["type"]) == (12_001, "string")


cells = st.sampled_from(
    ["", "1", "007", "2.5", "NA", "-", "true", "2020", "1850", "2020-01-31", "2020-1", "a b", "1_0"]
)
tables = st.integers(1, 4).flatmap(
    lambda width: st.lists(st.lists(cells, min_size=width, max_size=width), min_size=1, max_size=8)
)


@settings(max_examples=80, deadline=None)
@given(tables)
def test_all_rows_fit_the_schema_that_is_found(values: list[list[str]]) -> None:
    """Neither our judge nor stock frictionless finds anything but rows that are blank as a whole."""
    with tempfile.TemporaryDirectory() as folder:
        header = [f"c{number}" for number in range(len(values[0]))]
        text = "".join(",".join(row) + "\n" for row in [[*header, "k"], *([*row, "k"] for row in values)])
        found: Inferred = infer(table(Path(folder), text))
        dialect = {"delimiter": found.delimiter, "header": True}
        entry = {"name": "t", "path": "t.csv", "schema": found.schema, "dialect": dialect}
        descriptor = {"$schema": "https://datapackage.org/profiles/2.0/datapackage.json", "resources": [entry]}
        path = Path(folder) / "datapackage.json"
        path.write_text(json.dumps(descriptor))
        assert list(rows.check(load(folder))) == []
        assert frictionless.validate(str(path), type="package").valid


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=80) | st.text(alphabet='ab1;,\t"\n\ré', max_size=80).map(str.encode))
def test_any_bytes_give_a_table_or_one_line(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        try:
            found = infer(table(Path(folder), data))
        except TableError as error:
            text = str(error)
        else:
            text = found.delimiter
            assert found.schema["fields"]
        assert "\n" not in text
