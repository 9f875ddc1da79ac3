"""Tables that are no plain CSV: compressed, in several files, JSON lines, workbooks, Parquet."""

import bz2
import gzip
import io
import json
import lzma
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from cdmeta.finding import Finding
from cdmeta.package import load
from cdmeta.tables import packed, scan
from cdmeta.tables.engine import relation, session
from cdmeta.tables.judge import judge

Place = tuple[str, int | None, str | None]
TWO = {"fields": [{"name": "a", "type": "integer"}, {"name": "b", "type": "string"}]}


def write(folder: Path, files: dict[str, bytes], schema: Any = TWO, **resource: Any) -> Path:
    """A package of one table in these files."""
    folder.mkdir(exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    path = list(files) if len(files) > 1 else next(iter(files))
    descriptor = {"resources": [{"name": "t", "path": path, "schema": schema} | resource]}
    (folder / "datapackage.json").write_text(json.dumps(descriptor), encoding="utf-8")
    return folder


def ours(folder: Path) -> list[Finding]:
    """What is found, each finding worded in all three languages."""
    package = load(folder)
    found = [finding for resource in package.resources for finding in judge(package, resource)]
    for finding in found:
        for language in ("en", "es", "fr"):
            assert "{" not in finding.message(language) + finding.remedy(language)
    return found


def places(found: list[Finding]) -> list[Place]:
    return [(f.code, f.where.row, f.where.field) for f in found]


# Compressed


def zipped(content: bytes, name: str = "t.csv", *more: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for one in (name, *more):
            archive.writestr(one, content)
    return file.getvalue()


PACK: dict[str, Callable[[bytes], bytes]] = {
    "gz": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zip": zipped,
}


@pytest.mark.parametrize("how", PACK)
def test_a_compressed_table_is_read_like_the_plain_one(how: str, tmp_path: Path) -> None:
    table = b"a,b\n1,x\n?,y\n"
    named = write(tmp_path / "a", {f"t.csv.{how}": PACK[how](table)})
    told = write(tmp_path / "b", {"t.bin": PACK[how](table)}, format="csv", compression=how)
    assert places(ours(named)) == places(ours(told)) == [("CD408", 3, "a")]
    assert ours(named)[0].where.file == f"t.csv.{how}"


@pytest.mark.parametrize("how", PACK)
def test_several_streams_behind_each_other_are_one_file(how: str, tmp_path: Path) -> None:
    if how != "zip":
        table = PACK[how](b"a,b\n1,x\n") + PACK[how](b"?,y\n")
        assert places(ours(write(tmp_path / "a", {f"t.csv.{how}": table}))) == [("CD408", 3, "a")]


@pytest.mark.parametrize("how", PACK)
@pytest.mark.parametrize(
    "spoil",
    [
        lambda content: content[: len(content) // 2],
        lambda content: b"",
        lambda content: b"a,b\n1,x\n",
        lambda content: content.replace(content[60:64], b"\xff\xff\xff\xff"),
    ],
)
def test_what_cannot_be_unpacked_is_told(how: str, spoil: Callable[[bytes], bytes], tmp_path: Path) -> None:
    table = "a,b\n" + "".join(f"{n},é{n * n}\n" for n in range(500))
    content = spoil(PACK[how](table.encode()))
    (finding,) = ours(write(tmp_path / "p", {f"t.csv.{how}": content}))
    # gzip takes a file of no bytes for one of no streams.
    assert finding.code == "CD401"
    assert (how == "gz" and not content) or "unpacked" in finding.message() or not content


@pytest.mark.parametrize("how", PACK)
def test_a_bomb_is_not_unpacked(how: str, tmp_path: Path) -> None:
    folder = write(tmp_path / "p", {f"t.csv.{how}": PACK[how](b"a,b\n" + b"1,xxxxxxxx\n" * 400_000)})
    assert ours(folder) == []
    with patch.object(packed, "RATIO_FREE_BYTES", 2**20), patch.object(packed, "MAX_ZIP_RATIO", 2):
        (finding,) = ours(folder)
    assert (finding.code, "1,048,576 bytes" in finding.message()) == ("CD401", True)


def test_a_zip_holds_one_table_or_says_which(tmp_path: Path) -> None:
    table = b"a,b\n1,x\n"
    two = zipped(table, "one.csv", "two.csv")
    (finding,) = ours(write(tmp_path / "a", {"t.csv.zip": two}))
    assert (finding.code, "2 were found" in finding.message()) == ("CD401", True)
    assert ours(write(tmp_path / "b", {"t.csv.zip": two}, innerpath="two.csv")) == []
    assert ours(write(tmp_path / "c", {"t.csv.zip": zipped(table, "one.csv", "__MACOSX/one.csv")})) == []


def test_a_compression_that_is_not_read_is_told(tmp_path: Path) -> None:
    for number, given in enumerate(["zst", 5, ["gz"]]):
        folder = write(tmp_path / str(number), {"t.csv": b"a,b\n1,x\n"}, compression=given)
        assert [f.code for f in ours(folder)] == ["CD418"]
    assert ours(write(tmp_path / "no", {"t.csv": b"a,b\n1,x\n"}, compression="no")) == []


def test_the_scan_takes_compressed_tables_and_several_files(tmp_path: Path) -> None:
    first = "a,b\n" + "".join(f"{n},x\n" for n in range(100))
    second = "".join(f"{n},x\n" for n in range(100, 120)) + "no,x\n"
    files = {"t.csv.gz": gzip.compress(first.encode()), "u.csv": ("a,b\n" + second).encode(), "v.csv": b"?,x\n"}
    folder = write(tmp_path / "p", files)
    taken = []
    real = scan.doubts

    def doubts(*args: Any) -> scan.Doubts | None:
        taken.append(real(*args))
        return taken[-1]

    with patch.object(scan, "SMALL", -1), patch.object(scan, "doubts", doubts):
        found = ours(folder)
    assert [(f.where.file, f.where.row) for f in found] == [("u.csv", 22), ("v.csv", 1)]
    assert found == ours(folder)
    (result,) = taken
    assert result is not None
    assert result.rows == 122
    assert len(result.records) == 2


def test_a_compressed_table_is_converted(tmp_path: Path) -> None:
    package = load(write(tmp_path / "p", {"t.csv.gz": gzip.compress(b"a,b\n1,x\n2,\n")}, format="csv"))
    with session(package) as opened:
        rows = relation(opened, package, package.resources[0]).fetchall()
    assert rows == [(2, "1", "x"), (3, "2", None)]


# JSON lines


@pytest.mark.parametrize("ending", ["jsonl", "ndjson", "jsonl.gz"])
def test_json_lines_are_read_as_rows_in_the_descriptor_are(ending: str, tmp_path: Path) -> None:
    lines = [{"a": 1, "b": "x"}, {"b": "y", "a": 2}, {"a": "no", "b": "z"}, {"b": "w"}, {"a": 5, "b": 7}]
    text = "\n".join(map(json.dumps, lines)).encode()
    content = gzip.compress(text) if ending.endswith("gz") else text
    found = places(ours(write(tmp_path / "p", {f"t.{ending}": content})))
    assert found == [("CD408", 3, "a"), ("CD408", 5, "b")]
    inline = tmp_path / "q"
    inline.mkdir()
    entry = {"name": "t", "data": lines, "schema": TWO}
    (inline / "datapackage.json").write_text(json.dumps({"resources": [entry]}))
    assert [(code, row and row - 1, field) for code, row, field in places(ours(inline))] == found


def test_a_line_that_is_no_row_is_told_with_its_number_and_the_others_are_read(tmp_path: Path) -> None:
    lines = ['{"a": 1, "b": "x"}', "", "{", "[1]", '"secret"', '{"a": NaN}', '{"a": 1, "a": 2}', '{"a": "q"}', "é"]
    found = ours(write(tmp_path / "p", {"t.jsonl": "\r\n".join(lines).encode()}))
    assert places(found) == [*(("CD430", row, None) for row in (3, 4, 5, 6, 7, 9)), ("CD408", 8, "a")]
    assert "line 3" in found[0].message()
    assert "secret" not in repr(found)


def test_the_keys_of_all_lines_are_the_columns(tmp_path: Path) -> None:
    found = ours(write(tmp_path / "p", {"t.jsonl": b'{"a": 1}\n{"a": 2, "b": "x", "c": 3}\n'}))
    assert [(f.code, f.params.get("label")) for f in found] == [("CD404", "c")]
    assert [f.code for f in ours(write(tmp_path / "q", {"t.jsonl": b""}))] == ["CD417"]


def test_lists_in_lines_have_a_header(tmp_path: Path) -> None:
    files = {"t.jsonl": b'["a", "b"]\n[1, "x"]\n["?", "y"]\n', "u.jsonl": b'["a", "b"]\n[2]\n{"a": 3}\n'}
    found = ours(write(tmp_path / "p", files))
    assert [(f.code, f.where.file, f.where.row) for f in found] == [
        ("CD430", "u.jsonl", 3),
        ("CD408", "t.jsonl", 3),
        ("CD405", "u.jsonl", 2),
    ]


def test_a_line_without_end_is_told(tmp_path: Path) -> None:
    found = ours(write(tmp_path / "p", {"t.jsonl": b'{"a": "' + b"x" * 2**23}))
    assert [f.code for f in found] == ["CD401"]
