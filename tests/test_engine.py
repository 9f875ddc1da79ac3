"""Rows as a relation of text: read as the descriptor says, or refused, and nothing outside the package."""

import json
import shutil
from pathlib import Path
from typing import Any

import duckdb
import pytest

from cdmeta.errors import ConversionError
from cdmeta.package import load
from cdmeta.tables.engine import data_session, session
from cdmeta.tables.plain import MAX_LINE_BYTES
from cdmeta.tables.relations import code_rows, relation

FIELDS = [{"name": "a", "type": "string"}, {"name": "b", "type": "string"}]


def rows(folder: Path, *files: bytes, **resource: Any) -> list[tuple[str | None, ...]]:
    """The cells of a package with one resource of these files."""
    names = [f"t{number}.csv" for number in range(len(files))]
    for name, content in zip(names, files, strict=True):
        (folder / name).write_bytes(content)
    table: dict[str, Any] = {"name": "t", "schema": {"fields": FIELDS}}
    if files:
        table["path"] = names if len(names) > 1 else names[0]
    (folder / "datapackage.json").write_text(json.dumps({"resources": [table | resource]}), encoding="utf-8")
    package = load(folder)
    with session(package) as opened:
        read: list[tuple[str | None, ...]] = relation(opened, package, package.resources[0]).fetchall()
    width = len(FIELDS)
    return [tuple(row[-width:]) if len(row) > width else tuple(row) for row in read]


@pytest.mark.parametrize(
    ("content", "resource"),
    [
        (b"a,b\n1,2\n", {}),
        (b"a;b\n1;2\n", {"dialect": {"delimiter": ";"}}),
        (b"a\tb\r\n1\t2\r\n", {"dialect": {"delimiter": "\t"}}),
        (b"1,2\n", {"dialect": {"header": False}}),
        (b"\xef\xbb\xbfa,b\n1,2\n", {}),
        ("a,b\n1,2\n".encode("utf-16"), {"encoding": "utf-16"}),
        (b'"a","b"\n"1","2"\n', {}),
        (b"a,b\n1, 2\n", {"dialect": {"skipInitialSpace": True}}),
    ],
)
def test_rows_are_read_as_the_descriptor_says(content: bytes, resource: dict[str, Any], tmp_path: Path) -> None:
    assert [row[-2:] for row in rows(tmp_path, content, **resource)] == [("1", "2")]


def test_text_stays_text_whatever_it_looks_like(tmp_path: Path) -> None:
    content = 'a,b\n007,"x ""y"", z\nw"\nNULL,é\ntrue,\n'.encode()
    assert rows(tmp_path, content) == [("007", 'x "y", z\nw'), ("NULL", "é"), ("true", None)]


def test_the_encoding_is_the_one_that_is_named(tmp_path: Path) -> None:
    assert rows(tmp_path, "a,b\né,ñ\n".encode("latin-1"), encoding="latin-1") == [("é", "ñ")]
    with pytest.raises(ConversionError):
        rows(tmp_path, "a,b\né,ñ\n".encode("latin-1"))


@pytest.mark.parametrize("missing", [["NA", "-"], [{"value": "NA", "label": "no answer"}, {"value": "-"}]])
def test_missing_values_are_no_values(missing: list[Any], tmp_path: Path) -> None:
    schema = {"fields": FIELDS, "missingValues": missing}
    assert rows(tmp_path, b"a,b\nNA,1\n-,NAN\n", schema=schema) == [(None, "1"), (None, "NAN")]


def test_a_carriage_return_in_the_first_cell_is_no_line_end(tmp_path: Path) -> None:
    assert [row[-2:] for row in rows(tmp_path, b'a,b\n"x\ry","\r"\n"z",""\n')] == [("x\ry", "\r"), ("z", None)]


def test_several_files_are_one_table(tmp_path: Path) -> None:
    assert rows(tmp_path, b"a,b\n1,2\n", b"a,b\n3,4\n") == [("1", "2"), ("3", "4")]


def test_inline_rows(tmp_path: Path) -> None:
    assert rows(tmp_path, data=[{"a": 1, "b": "x"}, {"a": None, "b": True}]) == [("1", "x"), (None, "true")]


@pytest.mark.parametrize("content", [b"a,b\n1\n", b"a,b\n1,2,3\n", b'a,b\n"1,2\n', b""])
def test_what_cannot_be_read_without_doubt_is_refused(content: bytes, tmp_path: Path) -> None:
    with pytest.raises(ConversionError):
        rows(tmp_path, content)


def test_the_engine_sees_the_package_alone(tmp_path: Path) -> None:
    outside = tmp_path / "outside.csv"
    outside.write_text("secret\n1\n")
    (tmp_path / "p").mkdir()
    rows(tmp_path / "p", b"a,b\n1,2\n")
    package = load(tmp_path / "p")
    with session(package) as opened:
        for statement in (
            f"SELECT * FROM read_csv('{outside}')",
            "INSTALL httpfs",
            "SET enable_external_access=true",
        ):
            with pytest.raises(duckdb.Error):
                opened.connection.execute(statement)


@pytest.mark.parametrize(
    "query",
    [
        "SELECT CAST('Amina 555' AS INTEGER)",
        "SELECT strptime('Amina 555', '%Y')",
        "SELECT json_array_length('Amina 555')",
    ],
)
def test_values_of_rows_are_in_no_message_of_the_engine(query: str) -> None:
    with pytest.raises(ConversionError) as caught, data_session() as opened:
        opened.connection.execute(query).fetchall()
    assert "Amina" not in str(caught.value)
    assert "555" not in str(caught.value)
    assert str(caught.value).startswith("The rows cannot be processed: ")


def test_a_ctrl_c_while_the_scratch_folder_is_taken_away_leaves_none(monkeypatch: pytest.MonkeyPatch) -> None:
    real, calls = shutil.rmtree, []

    def rmtree(*args: Any, **options: Any) -> None:
        calls.append(args)
        if len(calls) == 1:
            raise KeyboardInterrupt
        real(*args, **options)

    with pytest.raises(KeyboardInterrupt), data_session() as opened:
        monkeypatch.setattr("shutil.rmtree", rmtree)
    assert len(calls) == 2
    assert not opened.scratch.exists()


def test_a_full_disk_is_told_as_such() -> None:
    told = 'Async write failed: {"exception_message":"Could not write: No space left on device"}'
    with pytest.raises(ConversionError) as caught, data_session():
        raise duckdb.IOException(told)
    assert [str(caught.value), caught.value.args[0].told("es")] == [
        "The rows cannot be processed: the disk is full",
        "No se pueden procesar las filas: el disco está lleno",
    ]


def test_rows_of_a_code_table(tmp_path: Path) -> None:
    rows(tmp_path, b"a,b\nN,North\nS,\n")
    package = load(tmp_path)
    assert code_rows(package, package.resources[0]) == [{"a": "N", "b": "North"}, {"a": "S"}]


def test_a_file_may_be_larger_than_the_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The buffers are small against the memory, whatever the size of the file."""
    monkeypatch.setattr("cdmeta.tables.engine.MEMORY_LIMIT", "128MB")
    line = f"{'x' * 5000},{'y' * 4998}\n".encode()
    (tmp_path / "t.csv").write_bytes(b"a,b\n" + line * 16_000)
    table = {"name": "t", "path": "t.csv", "schema": {"fields": FIELDS}}
    (tmp_path / "datapackage.json").write_text(json.dumps({"resources": [table]}), encoding="utf-8")
    package = load(tmp_path)
    with session(package) as opened:
        read = relation(opened, package, package.resources[0])
        assert read.aggregate("count(*), min(length(f0)), max(length(f1))").fetchall() == [(16_000, 5000, 4998)]


def test_a_line_may_be_long_and_one_without_end_is_refused(tmp_path: Path) -> None:
    long = "x" * (MAX_LINE_BYTES - 100)
    assert rows(tmp_path, f"a,b\n{long},y\n".encode()) == [(long, "y")]
    with pytest.raises(ConversionError) as refused:
        rows(tmp_path, f"a,b\n{long * 2},y\n".encode())
    assert "xx" not in str(refused.value)
    assert refused.value.__suppress_context__
