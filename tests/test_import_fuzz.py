"""Damaged messages: `import` and `check-data` take them or refuse them in one line; nothing is left half made."""

import datetime as dt
import random
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from sdmx_checked import METADATAFLOW, MSD, SAID
from sdmx_observed import ARTEFACTS, DATAFLOW, DSD, ROWS, observed

from cdmeta.errors import CdmetaError, OutputError
from cdmeta.formats import (
    sdmx_csv,
    sdmx_csv_metadata,
    sdmx_json,
    sdmx_json_data,
    sdmx_ml,
    sdmx_ml_21,
    sdmx_ml_data,
    sdmx_ml_data_21,
)
from cdmeta.package import load
from cdmeta.sdmx.artefacts import Header, MetadataSet
from cdmeta.workflows.check_data import check_data
from cdmeta.workflows.import_ import import_

HEADER = Header("M", dt.datetime(2026, 3, 2, 10, 0, tzinfo=dt.UTC), "CDMETA.WARD")
TODAY = dt.date(2026, 3, 2)
REPORT = MetadataSet(
    "ZZ", "SET", "1.0.0", DSD.name, metadataflow=METADATAFLOW.ref, targets=(DATAFLOW.urn,), attributes=SAID
)
REPORTED = (*ARTEFACTS, MSD, METADATAFLOW)
STRUCTURES: dict[str, Callable[[], bytes]] = {
    "ml-3.0-s": lambda: sdmx_ml.structures(REPORTED, HEADER),
    "ml-2.1-s": lambda: sdmx_ml_21.structures(REPORTED, HEADER),
    "json-2.0-s": lambda: sdmx_json.structures(REPORTED, HEADER),
}
REPORTS: dict[str, Callable[[], bytes]] = {
    "ml-3.0-m": lambda: sdmx_ml.metadata([REPORT], HEADER),
    "ml-2.1-m": lambda: sdmx_ml_21.metadata([REPORT], HEADER),
    "json-2.0-m": lambda: sdmx_json.metadata([REPORT], HEADER),
    "csv-2.0-m": lambda: sdmx_csv_metadata.metadata([replace(REPORT, reporting_begin=TODAY)]),
}
DATA: dict[str, Callable[..., None]] = {
    "ml-3.0": partial(sdmx_ml_data.data, header=HEADER, by_series=True),
    "ml-2.1": partial(sdmx_ml_data_21.data, header=HEADER, by_series=True),
    "ml-2.1-generic": partial(sdmx_ml_data_21.data, header=HEADER, generic=True),
    "json-2.0": partial(sdmx_json_data.data, header=HEADER, names=ARTEFACTS),
    "csv-2.0": sdmx_csv.data,
    "csv-1.0": partial(sdmx_csv.data, version="1.0"),
}
TOKENS = re.compile(rb"[A-Za-z0-9_.:-]+|\s+|.", re.DOTALL)
ODD = (
    b"", b"<", b">", b"&", b"&amp;", b'"', b"'", b",", b";", b":", b"{", b"}", b"[", b"]", b"null", b"true", b"-1",
    b"0", b"1e400", b"NaN", b"99999999999999999999", b"2020-13-45", b"\0", b"\r", b"\n", b"\xff", b"\xed\xa0\x80",
    "\u202e".encode(), b"*", b"latest", b"1.0+", b"..", b"../x", b"%", b"\\u0000", b"a" * 300, b"(", b")",
    b"TIME_PERIOD", b"OBS_VALUE", b"row", b"ROW", b"structures", b"dataSets", b"xml:lang", b"D", b"[en;fr]", b"[]",
)  # fmt: skip

WORDS = re.compile(rb"[A-Za-z0-9_.-]+")
ODD_WORDS = (
    *(word for word in ODD if WORDS.fullmatch(word) or not word),
    "\u00e9\u202e\U00010000".encode(), b"a b", b"2020-W53", b"2020-02-30", b"CL_FREQ", b"-", b"1.0.0-draft", b"en",
    b"pt-BR", b"0:0:0:0:0:0:0", b"KE UG", b"false", b"1e5", b"0x1", b"INF", b"String", b"Integer", b"Obs",
    b"Series", b"DataSet", b"id", b"urn", b"value", b"values", b"A.B", b"None", b"unbounded", b"Dimension",
    b"REF_AREA", b"2147483648", b"1" * 40,
)  # fmt: skip


@cache
def seeds() -> dict[str, bytes]:
    """A small message of each kind and format."""
    found = {name: write() for name, write in {**STRUCTURES, **REPORTS}.items()}
    with TemporaryDirectory() as folder, observed(Path(folder), ROWS[:4]) as (opened, seen):
        for name, write in DATA.items():
            path = Path(folder) / "m"
            write(opened, seen, path)
            found[name] = path.read_bytes()
    return found


def damaged(content: bytes, by: random.Random) -> bytes:
    """A message after one to four accidents."""
    for _ in range(by.choice((1, 1, 1, 2, 4))):
        content = by.choice((_bytes, _token, _word, _word, _word, _word, _piece))(content, by)
    return content


def _bytes(content: bytes, by: random.Random) -> bytes:
    place = by.randrange(len(content) + 1)
    kind = by.randrange(4)
    if kind == 0:
        return content[:place]
    if kind == 1:
        return content[:place] + bytes([by.randrange(256)]) + content[place + 1 :]
    if kind == 2:
        return content[:place] + bytes([by.randrange(256)]) + content[place:]
    return content[:place] + content[place + by.randrange(1, 20) :]


def _token(content: bytes, by: random.Random) -> bytes:
    tokens = TOKENS.findall(content) or [b""]
    place = by.randrange(len(tokens))
    tokens[place] = by.choice(tokens) if by.random() < 0.5 else by.choice(ODD)
    return b"".join(tokens)


def _word(content: bytes, by: random.Random) -> bytes:
    """Another word in the place of one, so that the message stays well formed."""
    words = list(WORDS.finditer(content))
    if not words:
        return content
    place, other = by.choice(words), by.choice(words)[0] if by.random() < 0.5 else by.choice(ODD_WORDS)
    return content[: place.start()] + other + content[place.end() :]


def _piece(content: bytes, by: random.Random) -> bytes:
    """Take a piece away, say it twice, or put it elsewhere."""
    marks = [match.start() for match in re.finditer(rb"[<{,\n]", content)] or [0]
    start, end = sorted((by.choice(marks), by.choice(marks)))
    end = min(end, start + 600)
    piece, rest = content[start:end], content[:start] + content[end:]
    place = by.choice((start, end, by.choice(marks)))
    return by.choice((rest, content[:end] + piece + content[end:], rest[:place] + piece + rest[place:]))


def others(name: str) -> Iterator[str]:
    """What stands beside a message, undamaged."""
    if not name.endswith("-s"):
        yield "ml-2.1-s" if name.startswith("ml-2.1") else "ml-3.0-s"
    if name.endswith(("-s", "-m")):
        yield "csv-2.0"


def attempt(name: str, content: bytes, folder: Path) -> str:
    """Import and check a message; what came of it, in a word each."""
    sources = {"m": content} | {other: seeds()[other] for other in others(name)}
    for file, written in sources.items():
        (folder / file).write_bytes(written)
    made = _done(partial(_imported, [folder / file for file in sources], folder / "out"))
    assert (folder / "out").exists() == (made == "done")
    known, data = (first, "m") if (first := next(others(name))) != "csv-2.0" else ("m", first)
    checked = _done(partial(check_data, folder / data, [str(folder / known)]))
    assert {path.name for path in folder.iterdir()} <= {*sources, "out"}
    return f"{made} {checked}"


def _imported(sources: list[Path], out: Path) -> None:
    made = import_(out, sources, TODAY)
    assert load(made.out).descriptor["resources"]
    assert all(note.told("en") for note in made.notes)


def _done(act: Callable[[], object]) -> str:
    """What came of it; any other error than ours gets out."""
    try:
        act()
    except CdmetaError as error:
        return "refused" if len(str(error).splitlines()) == 1 else "refused in many lines"
    return "done"


@pytest.mark.parametrize("name", [*STRUCTURES, *REPORTS, *DATA])
def test_a_damaged_message_is_taken_or_refused(name: str, tmp_path: Path) -> None:
    assert attempt(name, seeds()[name], tmp_path) == "done done"
    shutil.rmtree(tmp_path / "out")
    found = set()
    for number in range(10):
        folder = tmp_path / str(number)
        folder.mkdir()
        by = random.Random(f"{name} {number}")  # noqa: S311  # nothing is kept secret
        found.add(attempt(name, damaged(seeds()[name], by), folder))
    assert found <= {"done done", "done refused", "refused done", "refused refused"}


# What stops an import


@pytest.mark.parametrize("step", ["data_reading.data", "gathered", "tabular", "write_csv", "ask", "form.both"])
@pytest.mark.parametrize(
    ("stop", "told"),
    [(KeyboardInterrupt(), KeyboardInterrupt), (OSError(28, "No space left on device"), OutputError)],
)
def test_what_stops_an_import_leaves_nothing(
    step: str, stop: BaseException, told: type[BaseException], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*_: object, **__: object) -> None:
        raise stop

    for name in ("ml-3.0-s", "csv-2.0"):
        (tmp_path / name).write_bytes(seeds()[name])
    monkeypatch.setattr(f"cdmeta.workflows.import_.{step}", stopped)
    with pytest.raises(told):
        import_(tmp_path / "out", [tmp_path / "ml-3.0-s", tmp_path / "csv-2.0"], TODAY)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["csv-2.0", "ml-3.0-s"]


LIMITED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), int(sys.argv[1])))
from cdmeta.cli import main
main(sys.argv[2:])
"""


@pytest.mark.parametrize("size", [0, 100, 700, 4000, 12_000])
def test_files_that_cannot_grow_are_told_in_a_line(size: int, tmp_path: Path) -> None:
    """A limit on the size of files is what a full disk is: writing fails in Python and in the engine."""
    for name in ("ml-3.0-s", "csv-2.0"):
        (tmp_path / name).write_bytes(seeds()[name])
    made = [str(tmp_path / name) for name in ("ml-3.0-s", "csv-2.0")]
    command = [sys.executable, "-P", "-c", LIMITED, str(size), "import", *made, "--out", str(tmp_path / "out")]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (run.returncode, len(run.stderr.splitlines())) == (2, 1), run.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["csv-2.0", "ml-3.0-s"]
