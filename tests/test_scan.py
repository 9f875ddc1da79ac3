"""The scan and the judge together find what the judge finds alone: on made tables, hostile ones on purpose.

`HYPOTHESIS_PROFILE=long CDMETA_CASES=20000 pytest tests/test_scan.py` makes that many, others each time.
"""

import gzip
import json
import os
import tempfile
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from cdmeta.finding import Finding
from cdmeta.package import Resource, load
from cdmeta.tables import engine, gates, plain, scan
from cdmeta.tables.cells import column
from cdmeta.tables.judge import judge
from cdmeta.tables.records import MAX_CELL_CHARACTERS, Dialect, read_records

CASES = int(os.environ.get("CDMETA_CASES", "120"))
HARD = settings(max_examples=CASES, deadline=None, suppress_health_check=list(HealthCheck))

TEXTS = [
    "", " ", "a", "A", "ab", "abc", "z", "é", "e\u0301", "🤦🏼‍♂️", "NA", "na", "-", "x y", " a", "a ", "'",
    "\\", "%", "*", "P1", "P12",
    "a.b", "a\tb", "\u2028", "\u00a0", "\ufeff", "0", "1", "true", "NULL", "None",
]  # fmt: skip
NUMBERS = [
    "0", "1", "-1", "+1", "01", "007", "12", "120", "121", "1.0", "1.5", "1.", ".5", "1e3", "1E-2", "NaN",
    "INF", "-INF", "inf",
    "1_000", "1,000", "٣", "１", " 1", "1 ", "--1", "1-", "0x1", "9" * 18, "9" * 19, "9" * 40, "1" + "0" * 17,
    "0." + "0" * 18 + "1", "5%", "-0", "+0", "1.50", "true",
]  # fmt: skip
DATES = [
    "2024-01-01", "2024-02-29", "2023-02-29", "2024-13-01", "2024-1-1", "0000-01-01", "0001-01-01",
    "9999-12-31", "10000-01-01",
    "2024-01-01 ", "20240101", "01/02/2024", "2024", "0000", "999", "12024", "2024-01",
    "2024-01-01T00:00:00", "٢٠٢٤-٠١-٠١",
]  # fmt: skip
BOOLEANS = ["true", "True", "TRUE", "1", "false", "False", "FALSE", "0", "tRUE", "yes", "no", "T"]
PATTERNS = [
    "a", "a|z", "^a|z$", "[a-z]+", "[A-Za-z0-9]*", "P[0-9]{1,2}", r"P\d+", r"\w+", ".", ".*", "(a|b)+c?",
    "^abc$", "a{2,1}", "a++",
    r"\D", "[^a]", "[[:alpha:]]", r"\p{L}", "(", "a$b", r"\s", "a{,2}", "(?i)A", r"\.", "x*y?",
]  # fmt: skip
QUOTES = [
    '"', '""', 'a"b', '"a"', "a,b", ",", ",,", '","', '"",""', ' "a"', '"a" ', "a;b", "a\tb", "|", "'a'", '\\"',
    '","\\', '"a","b"', ',""', '"",', " , ",
]  # fmt: skip
BREAKS = ["a\nb", "\n", "a\r\nb", "\n\n", 'a"\n"b', '",\n,"', "\r", '"\n']
HOSTILE = {
    "blank before": " {quoted}", "blank behind": "{quoted} ", "behind": "{quoted}{cell}",
    "before": "{cell}{quoted}", "open": "{open}", "closed": '{cell}"', "three": '"{quoted}"', "zero": "\0{quoted}",
}  # fmt: skip
"""What quotes look like now and then in a table that nobody should write so, by the style of the table."""
STYLES = ("none", "none", "all", "mixed", "mixed", "mixed", "breaks", *HOSTILE)
"""How a table is written: no cell in quotes; each; some; also with line ends in them; as nobody should."""
DIALECTS: list[dict[str, Any]] = [
    {"delimiter": ";"}, {"delimiter": "\t"}, {"delimiter": "|"}, {"delimiter": " "}, {"delimiter": "'"},
    {"quoteChar": '"', "doubleQuote": True, "lineTerminator": "\n"}, {"doubleQuote": False}, {"quoteChar": "'"},
    {"escapeChar": "\\"}, {"escapeChar": "\\", "doubleQuote": False}, {"quoteChar": None},
    {"header": False}, {"headerRows": [1, 2]}, {"headerRows": [2]}, {"commentRows": [2]}, {"commentChar": "a"},
    {"commentChar": '"'}, {"skipInitialSpace": True}, {"nullSequence": "NA"},
]  # fmt: skip
KINDS = ("string", "integer", "number", "boolean", "date", "year", "any", "datetime", "list", "yearmonth")
POOL = {"integer": NUMBERS, "number": NUMBERS, "year": DATES + NUMBERS, "date": DATES, "boolean": BOOLEANS}


def test_a_gate_lets_nothing_through_that_the_judge_objects_to() -> None:
    """Every value of the pools against every kind of field that has a gate."""
    import duckdb

    connection = duckdb.connect()
    everything = sorted({*TEXTS, *NUMBERS, *DATES, *BOOLEANS})
    seen = let_through = 0
    for given_field, missing in gated_fields():
        made, owner = gates.gate(given_field, missing), column(given_field, missing)
        if made is None or owner.problems:
            continue
        rows = [[value] for value in everything]
        connection.execute("CREATE OR REPLACE TABLE t (c VARCHAR)")
        connection.executemany("INSERT INTO t VALUES (?)", rows)
        for value, holds in connection.execute(f"SELECT c, {made('c')} FROM t").fetchall():
            seen += 1
            assert holds is not None, (given_field, value)
            if holds:
                let_through += 1
                assert owner.read(value)[1] == (), (given_field, missing, value)
    assert seen > 10_000
    assert let_through > seen / 10


def gated_fields() -> list[tuple[dict[str, Any], list[str]]]:
    constraints: list[tuple[str, dict[str, Any]]] = [
        *((kind, {}) for kind in KINDS),
        *((kind, {"required": True}) for kind in KINDS),
        *(("string", {"pattern": pattern}) for pattern in PATTERNS),
        *(("string", {name: length}) for name in ("minLength", "maxLength") for length in range(5)),
        *(
            (kind, {name: bound})
            for kind in ("integer", "number", "year")
            for name in ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")
            for bound in (-1, 0, 1, 120, 2024, 10**17)
        ),
        ("integer", {"minimum": 0, "maximum": 120, "required": True}),
        ("string", {"enum": ["a", "A", "NA", "é"]}),
        ("date", {"minimum": "2024-01-01"}),
        ("number", {"minimum": 0.5}),
    ]
    return [
        ({"name": "a", "type": kind, "constraints": given_constraints}, missing)
        for kind, given_constraints in constraints
        for missing in ([""], ["", "NA", "0"], [])
    ]


def found(folder: Path, *, scanned: bool) -> tuple[list[tuple[str, str]], bool]:
    """The findings, and whether the scan took the first table."""
    taken: list[bool] = []
    real = scan.doubts

    def doubts(*args: Any) -> scan.Doubts | None:
        result = real(*args) if scanned else None
        taken.append(result is not None)
        return result

    with patch.object(scan, "SMALL", -1), patch.object(scan, "doubts", doubts):
        package = load(folder)
        findings: list[Finding] = [f for resource in package.resources for f in judge(package, resource)]
    return [(f.code, repr((f.where, f.spoken()))) for f in findings], bool(taken) and taken[0]


def cells_of(kind: str, style: str) -> st.SearchStrategy[str]:
    own = POOL.get(kind, TEXTS)
    pools = [own, own[:6], TEXTS, *([QUOTES] if style != "none" else []), *([BREAKS] if style == "breaks" else [])]
    return st.one_of(*map(st.sampled_from, pools))


@st.composite
def written(draw: st.DrawFn, cell: str, style: str, delimiter: str) -> str:
    """A cell as it stands in the file."""
    quoted = '"' + cell.replace('"', '""') + '"'
    plain = "".join(";" if mark == delimiter == "," else "," if mark == delimiter else mark for mark in cell)
    if style == "none":
        return plain
    if style in HOSTILE and draw(st.integers(0, 3)) == 0:
        return HOSTILE[style].format(cell=plain, quoted=quoted, open=quoted[:-1])
    has_to_be = style == "all" or not {*'"\r\n', delimiter}.isdisjoint(cell)
    return quoted if has_to_be or draw(st.booleans()) else cell


@st.composite
def fields(draw: st.DrawFn, name: str) -> dict[str, Any]:
    kind = draw(st.sampled_from(KINDS))
    constraints: dict[str, Any] = {}
    if draw(st.booleans()):
        constraints["required"] = True
    if draw(st.integers(0, 4)) == 0:
        constraints["unique"] = True
    if kind == "string" and draw(st.booleans()):
        constraints["pattern"] = draw(st.sampled_from(PATTERNS))
    if kind == "string" and draw(st.integers(0, 3)) == 0:
        constraints["enum"] = draw(st.lists(st.sampled_from(TEXTS), min_size=1, max_size=3, unique=True))
    if kind in ("integer", "number") and draw(st.booleans()):
        constraints[draw(st.sampled_from(["minimum", "maximum", "exclusiveMinimum"]))] = draw(
            st.sampled_from([0, 1, 120])
        )
    entry: dict[str, Any] = {"name": name, "type": kind, "constraints": constraints}
    if draw(st.integers(0, 4)) == 0:
        entry["missingValues"] = draw(st.sampled_from([[""], ["", "NA"], [], ["0", "-"]]))
    if kind == "integer" and draw(st.integers(0, 5)) == 0:
        entry["bareNumber"] = False
    if kind in ("string", "integer") and draw(st.integers(0, 3)) == 0:
        pool: list[Any] = TEXTS if kind == "string" else [0, 1, 12, 120]
        listed = draw(st.lists(st.sampled_from(pool), min_size=1, max_size=4, unique=True))
        entry["categories"] = [{"value": value} for value in listed] if draw(st.booleans()) else listed
    if draw(st.integers(0, 3)) == 0:
        entry["title@fr"] = "Titre"
    return entry


@st.composite
def files_of(draw: st.DrawFn, text: str, end: str, table: dict[str, Any]) -> dict[str, bytes]:
    """The table in a file, or in several that repeat the header or not; compressed now and then."""
    parts = [text]
    if (more := draw(st.integers(0, 5))) in (1, 2):
        first = end.join(text.split(end)[:2])
        others = [text, text.partition(end)[2], first, first + end, "a,b"]
        parts += draw(st.lists(st.sampled_from(others), min_size=more, max_size=more))
    names = [f"t{number or ''}.csv" for number in range(len(parts))]
    if len(parts) > 1:
        table["path"] = names
    files = {name: part.encode("utf-8") for name, part in zip(names, parts, strict=True)}
    if draw(st.integers(0, 7)) == 0:
        table["compression"] = "gz"
        return {name: gzip.compress(content, mtime=0) for name, content in files.items()}
    return files


@st.composite
def texts(draw: st.DrawFn, rows: list[tuple[str, ...]], style: str, delimiter: str, end: str) -> str:
    """The header and the rows as a file of text, with a line that is none of them now and then."""
    lines = [delimiter.join(draw(written(cell, style, delimiter)) for cell in row) for row in rows]
    if draw(st.integers(0, 5)) == 0 and len(lines) > 1:
        lines.insert(
            draw(st.integers(1, len(lines))),
            draw(
                st.sampled_from(["", "a", "a,b,c,d,e", ",", ",,", ",,,", '"a', '"a"b', '""', '"",', "\0", '"\0"'])
            ),
        )
    text: str = end.join(lines) + draw(st.sampled_from([*[end, ""] * 4, end + end]))
    if draw(st.integers(0, 9)) == 0:
        text = draw(st.sampled_from(["\ufeff", "\ufeff\ufeff"])) + text
    if draw(st.integers(0, 19)) == 0:
        text = text.replace(end, draw(st.sampled_from(["\r\n", "\r", "\n"])), 1)
    return text


@st.composite
def packages(draw: st.DrawFn) -> tuple[dict[str, Any], dict[str, bytes]]:
    style = draw(st.sampled_from(STYLES))
    dialect: dict[str, Any] = draw(st.sampled_from(DIALECTS)) if draw(st.integers(0, 3)) == 0 else {}
    delimiter = dialect.get("delimiter", ",") if draw(st.integers(0, 4)) else ","
    known = ["a", "b", "c", "é"] if style == "none" else ["a", "b", "c", "é", 'x "y", z']
    names = draw(st.lists(st.sampled_from(known), min_size=1, max_size=4, unique=True))
    given_fields = [draw(fields(name)) for name in names]
    pools = [cells_of(entry["type"], style) for entry in given_fields]
    rows = draw(st.lists(st.tuples(*pools), max_size=12))
    end = draw(st.sampled_from(["\n", "\n", "\r\n"]))
    text = draw(texts([tuple(names), *rows], style, delimiter, end))
    schema: dict[str, Any] = {"fields": given_fields}
    if draw(st.integers(0, 9)) == 0:
        given_fields[-1]["name"] = names[0]
    if draw(st.booleans()):
        schema["primaryKey"] = draw(st.lists(st.sampled_from(names), min_size=1, max_size=2, unique=True))
    if draw(st.integers(0, 3)) == 0:
        schema["uniqueKeys"] = [draw(st.lists(st.sampled_from(names), min_size=1, max_size=2, unique=True))]
    if draw(st.integers(0, 2)) == 0:
        target = draw(st.sampled_from(["codes", ""]))
        reference = {"resource": target, "fields": ["code" if target else names[0]]}
        schema["foreignKeys"] = [{"fields": [draw(st.sampled_from(names))], "reference": reference}]
    if draw(st.integers(0, 3)) == 0:
        schema["missingValues"] = draw(st.sampled_from([["", "NA"], ["-"], []]))
    if draw(st.integers(0, 6)) == 0:
        schema["fieldsMatch"] = draw(st.sampled_from(["equal", "subset", "superset", "partial"]))
    table: dict[str, Any] = {"name": "t", "path": "t.csv", "format": "csv", "schema": schema}
    if dialect:
        table["dialect"] = dialect
    if draw(st.integers(0, 8)) == 0:
        table["encoding"] = draw(st.sampled_from(["utf-8", "ascii", "latin-1"]))
    codes = {
        "name": "codes",
        "path": "codes.csv",
        "schema": {"fields": [{"name": "code", "type": draw(st.sampled_from(["string", "integer"]))}]},
    }
    listed = draw(st.lists(st.sampled_from(["a", "1", "2", "01"]), max_size=3))
    files = draw(files_of(text, end, table)) | {"codes.csv": "\n".join(["code", *listed, ""]).encode()}
    return {"resources": [table, codes]}, files


@HARD
@given(packages())
def test_scan_and_judge_find_what_the_judge_finds_alone(made: tuple[dict[str, Any], dict[str, bytes]]) -> None:
    descriptor, files = made
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "datapackage.json").write_text(json.dumps(descriptor), encoding="utf-8")
        for file, content in files.items():
            (folder / file).write_bytes(content)
        together, taken = found(folder, scanned=True)
        alone, _ = found(folder, scanned=False)
        event(f"{'scanned' if taken else 'left to the judge'}: {described(descriptor, files)}")
        assert together == alone


def described(descriptor: dict[str, Any], files: dict[str, bytes]) -> str:
    packed = descriptor["resources"][0].get("compression") == "gz"
    content = b"".join(files.values()) if not packed else b"".join(map(gzip.decompress, list(files.values())[:-1]))
    quotes = "quotes" if b'"' in content else "no quotes"
    return f"{quotes}, {'compressed' if packed else 'plain'}, {'one file' if len(files) == 2 else 'several files'}"


PIECES = ["a", " ", ",", "é", "\n", "\r\n", '"', '""', '"a"', '"a",', ',"b"', '"\n', '\n"', 'a,"b, c"\n', '"",\n']
CELLS = [
    "",
    "a",
    "é",
    " a",
    '"\n"',
    '"a\nb"',
    '"\r\n"',
    '"\n\n"',
    '"\r"',
    '",\n"',
    '"""\n"',
    '""',
    '"a"',
    '" a "',
    '"a,b"',
    '"a""b"',
    '""""',
    '"",""',
]
ROWS = st.lists(st.tuples(*[st.sampled_from(CELLS)] * 2).map(",".join), min_size=1, max_size=6)
STARTS = ["", '"', "a,b\n", "\ufeff", '"a","b"\r\n', "a,b\n1,2\n"]
FILES = st.one_of(
    st.lists(st.sampled_from(PIECES), max_size=12).map("".join),
    *(ROWS.map(end.join) for end in ("\n", "\r\n")),
    st.tuples(ROWS, st.sampled_from([' "a",b', '"a" ,b', 'a"b",c', '"a,b', '"a', 'b","'])).map(
        lambda made: "\n".join([*made[0], made[1], *made[0]])
    ),
)


@settings(max_examples=2 * CASES, deadline=None)
@given(st.sampled_from(STARTS), FILES, st.sampled_from([None, 1, 2]))
def test_what_the_engine_takes_as_it_lies_is_what_the_judge_reads(
    start: str, rest: str, width: int | None
) -> None:
    """Cell by cell, of tables that are hardly any."""
    import duckdb

    resource = Resource(0, "t", {"path": "t.csv"}, ("t.csv",), None, None)
    content = start + rest
    with engine.small_session() as session:
        path = session.scratch / "t.csv"
        path.write_bytes(content.encode())
        proof = plain.plain(session.connection, path, resource, width)
        event(f"{'proved' if proof else 'left to the judge'}: {quotes_in(content, proof)}")
        if proof is None:
            return
        records = [record.cells for record in read_records(path, "t.csv", "utf-8", Dialect())]
        assert len(records) == proof.records
        table = plain.csv_scan([path], len(records[0]), ",", header=False, breaks=proof.breaks)
        try:
            found = session.connection.execute(f"SELECT * FROM {table}").fetchall()
        except duckdb.Error:
            # A cell too few, or the first line end, which stands in a cell, is not that of the lines.
            assert proof.breaks or '"' not in content
            event("refused by the engine")
            return
        assert [[cell or "" for cell in cells] for cells in found] == records
        assert width in (None, len(records[0]))


def quotes_in(content: str, proof: plain.Plain | None) -> str:
    if '"' not in content:
        return "no quotes"
    return "line ends in quotes" if proof and proof.breaks else "quotes"


def package(folder: Path, table: str, schema: dict[str, Any], **more: Any) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "t.csv").write_bytes(table.encode())
    entry = {"name": "t", "path": "t.csv", "format": "csv", "schema": schema} | more
    (folder / "datapackage.json").write_text(json.dumps({"resources": [entry]}), encoding="utf-8")
    return folder


IDS = {"fields": [{"name": "id", "type": "string"}, {"name": "n", "type": "integer"}], "primaryKey": ["id"]}


def test_a_clean_table_is_proved_clean_and_never_shown_to_the_judge(tmp_path: Path) -> None:
    folder = package(tmp_path / "p", "id,n\n" + "".join(f"r{i},{i}\n" for i in range(1000)), IDS)
    given_package = load(folder)
    (resource,) = given_package.resources
    columns = [column(entry, [""]) for entry in resource.fields]
    with patch.object(scan, "SMALL", -1):
        result = scan.doubts(given_package, resource, ["id", "n"], columns, [scan.Keyed((0,), False, None)])
    assert result == scan.Doubts((), 1000)


@pytest.mark.parametrize(
    "more",
    [
        {"title@fr": "Sexe", "description@fr": "Le sexe"},
        {"categories": [{"value": "F", "label": "Female"}, "M"]},
        {"constraints": {"pattern": "(?i)[a-z]"}},
        {"type": "boolean", "trueValues": ["F"], "falseValues": ["M"], "example": "F", "own": 1},
    ],
    ids=["titles of other languages", "categories", "no gate", "no gate, another type"],
)
def test_a_key_of_texts_is_proved_whatever_else_is_said_of_its_columns(
    more: dict[str, Any], tmp_path: Path
) -> None:
    """Such tables went to the judge row by row, ten times as slow, and every multilingual package is so."""
    fields_ = [{"name": "sex", "type": "string"} | more, {"name": "place", "type": "string", "title@fr": "Lieu"}]
    schema = {"fields": fields_, "primaryKey": ["place", "sex"]}
    lines = [f"{sex},p{place}" for place in range(500) for sex in "FM"]
    together, taken = found(package(tmp_path / "p", "\n".join(["sex,place", *lines, ""]), schema), scanned=True)
    assert (together, taken) == ([], True)
    twice = "\n".join(["sex,place", *lines, "M,p7", ""])
    together, taken = found(package(tmp_path / "q", twice, schema), scanned=True)
    assert [code for code, _ in together] == ["CD412"]
    assert taken


def test_keys_that_are_read_alike_and_written_in_two_ways_are_left_to_the_judge(tmp_path: Path) -> None:
    fields_ = [{"name": "known", "type": "boolean", "own": 1}, {"name": "place", "type": "string"}]
    schema = {"fields": fields_, "primaryKey": ["known", "place"]}
    together, taken = found(package(tmp_path / "p", "known,place\ntrue,a\nTRUE,a\n", schema), scanned=True)
    assert not taken
    assert [code for code, _ in together] == ["CD412"]


def test_only_the_rows_in_doubt_are_shown_to_the_judge(tmp_path: Path) -> None:
    lines = [f"r{i},{i}" for i in range(1000)]
    lines[10], lines[500], lines[700] = "r10,x", "r3,500", ","
    folder = package(tmp_path / "p", "id,n\n" + "\n".join(lines) + "\n", IDS)
    given_package = load(folder)
    (resource,) = given_package.resources
    columns = [column(entry, [""]) for entry in resource.fields]
    with patch.object(scan, "SMALL", -1):
        result = scan.doubts(given_package, resource, ["id", "n"], columns, [scan.Keyed((0,), False, None)])
    assert result is not None
    assert [record.row for record in result.records] == [5, 12, 502, 702]
    assert found(folder, scanned=True)[0] == found(folder, scanned=False)[0]


@pytest.mark.parametrize("line", ["r5,5,", ",,", "r5", ""])
def test_a_line_of_another_width_is_no_matter_for_the_scan(line: str, tmp_path: Path) -> None:
    folder = package(tmp_path / "p", f"id,n\nr1,1\n{line}\nr2,2\n", IDS)
    together, taken = found(folder, scanned=True)
    assert not taken
    assert together == found(folder, scanned=False)[0]
    assert together


@pytest.mark.parametrize(
    ("width", "mine"), [(scan.MAX_COLUMNS, True), (scan.MAX_COLUMNS + 1, False), (9_000, False)]
)
def test_a_very_wide_table_is_left_to_the_judge(width: int, mine: bool, tmp_path: Path) -> None:
    """DuckDB ends the process where one expression speaks of nine thousand columns."""
    names = [f"c{number}" for number in range(width)]
    schema = {"fields": [{"name": name, "type": "integer"} for name in names]}
    line = ",".join("1" * width)
    together, taken = found(package(tmp_path / "p", f"{','.join(names)}\n{line}\n", schema), scanned=True)
    assert (together, taken) == ([], mine)


def test_many_different_doubtful_values_are_left_to_the_judge(tmp_path: Path) -> None:
    folder = package(tmp_path / "p", "id,n\n" + "".join(f"r{i},{i}.5\n" for i in range(50)), IDS)
    with patch.object(scan, "MAX_VALUES", 10):
        together, taken = found(folder, scanned=True)
    assert not taken
    assert together == found(folder, scanned=False)[0]
    assert len(together) == 50


@pytest.mark.parametrize("length", [MAX_CELL_CHARACTERS - 10, MAX_CELL_CHARACTERS, 5 * 2**20])
def test_a_line_without_end_is_no_matter_for_the_scan(length: int, tmp_path: Path) -> None:
    folder = package(tmp_path / "p", "id,n\n" + "a" * length + ",1\nb,2\n", IDS)
    assert found(folder, scanned=True)[0] == found(folder, scanned=False)[0]


@pytest.mark.parametrize(
    ("dialect", "rows"),
    [
        ({"escapeChar": "\\"}, '"r\\1",1\n"r2",2'),
        ({"escapeChar": "\\"}, '"r\\"1",1\n"r2",2'),
        ({"escapeChar": "\\", "doubleQuote": False}, '"r""1",1\n"r2",2'),
        ({"doubleQuote": False}, '"r""1",1\n"r2",2'),
        ({"quoteChar": None}, '"r1",1\n"r2",2'),
        ({"quoteChar": "'"}, "\"r1\",1\n'r2',2"),
        ({"skipInitialSpace": True}, '"r1", 1\n"r2", 2'),
        ({"commentChar": "#"}, '"#r1",x\n"r2",2'),
        ({"commentRows": [2]}, '"r1","x"\n"r2",2'),
        ({"nullSequence": "r1"}, '"r1",1\n"r2",2'),
        ({"headerRows": [1, 2]}, '"id","n"\n"r2",2'),
    ],
)
def test_quotes_of_other_dialects_are_left_to_the_judge(
    dialect: dict[str, Any], rows: str, tmp_path: Path
) -> None:
    folder = package(tmp_path / "p", f"id,n\n{rows}\n", IDS, dialect=dialect)
    together, taken = found(folder, scanned=True)
    assert not taken
    assert together == found(folder, scanned=False)[0]


@pytest.mark.parametrize(
    ("rows", "taken"),
    [
        ('"r1","1"\n"r2",""', True),
        ('"r,1","1"\n"r""2""",2', True),
        ('" r1 ",1\n"r1",2', True),
        ('"NA",1\nr2,"NA"', True),
        ('"r\n1",1\n"r\n\n2",2', True),
        ('"r\r\n1",1\nr2,"x\n"', True),
        (' "r1",1\nr2,2', False),
        ('"r1" ,1\nr2,2', False),
        ('r"1",1\nr2,2', False),
        ('"r"1,1\nr2,2', False),
        ('r1"\n",1\nr2,2', False),
        ('"r1,1\nr2,2', False),
        ('"r1",1,""\nr2,2', False),
        ('"r1","\0"\nr2,2', False),
        ('"r1",1\n\n"r2",2', False),
        ('"r\n1",1\n\n"r2",2', False),
        ('"r\n1",1\r\n"r2",2', False),
        ('"r\n1",1,\n"r2"', False),
    ],
)
def test_quotes_are_proved_where_there_is_one_reading(rows: str, taken: bool, tmp_path: Path) -> None:
    schema = IDS | {"missingValues": ["", "NA"]}
    folder = package(tmp_path / "p", f'\ufeffid,"n"\n{rows}\n', schema)
    together, scanned = found(folder, scanned=True)
    assert scanned is taken
    assert together == found(folder, scanned=False)[0]


@pytest.mark.parametrize("length", [2**20, 3 * 2**20, MAX_CELL_CHARACTERS])
@pytest.mark.parametrize("piece", ['""', "a\n", "a"])
def test_a_cell_without_end_is_no_matter_for_the_scan(piece: str, length: int, tmp_path: Path) -> None:
    cell = '"' + piece * (length // len(piece)) + '"'
    folder = package(tmp_path / "p", f"id,n\nx,1\n{cell},1\nb,2\n", IDS)
    assert found(folder, scanned=True)[0] == found(folder, scanned=False)[0]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_large_table_with_line_ends_in_its_cells_is_proved(end: str, tmp_path: Path) -> None:
    """More than the engine and the proof read at once."""
    rows = "".join(f'"r{i}","{i}"{end}"a{i}{end}b ""c"", {i}",{i}{end}' for i in range(80_000))
    folder = package(tmp_path / "p", f"id,n{end}{rows}", IDS)
    assert found(folder, scanned=True) == ([], True)


def test_nothing_of_a_cell_is_in_what_goes_wrong(tmp_path: Path) -> None:
    folder = package(tmp_path / "p", "id,n\nsecret,1,2\n" + "secret2\n", IDS)
    together, _ = found(folder, scanned=True)
    assert "secret" not in repr(together)
