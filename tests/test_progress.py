"""What a person sees of long work, and what is left when it is broken off."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import pytest

from cdmeta import checks
from cdmeta.cli import progress as shown
from cdmeta.cli.progress import Ticker
from cdmeta.package import load
from cdmeta.tables import engine
from cdmeta.tables.progress import EVERY, Step

PROGRAM = Path(sys.executable).parent / "cdmeta"
FIELDS = [{"name": "id", "type": "integer"}, {"name": "place", "type": "string"}]


def package(folder: Path, rows: int, mark: str = "") -> Path:
    folder.mkdir(exist_ok=True)
    lines = (f"{number},{mark}h{number % 7}{mark}\n" for number in range(rows))
    (folder / "t.csv").write_text("id,place\n" + "".join(lines))
    table = {"name": "visits", "path": "t.csv", "schema": {"fields": FIELDS}}
    (folder / "datapackage.json").write_text(json.dumps({"name": "p", "resources": [table]}))
    return folder


def test_each_step_is_told_and_how_many_rows_were_read(tmp_path: Path) -> None:
    folder = package(tmp_path / "p", 2 * EVERY + 1)
    steps: list[Step] = []
    checks.run(load(folder), steps.append)
    size = (folder / "t.csv").stat().st_size
    assert [step for step in steps if step.check == "rows"] == [
        Step("rows", "visits", size),
        Step("rows", "visits", size, EVERY),
        Step("rows", "visits", size, 2 * EVERY),
    ]
    assert [step.check for step in steps if not step.resource] == [
        name.rpartition(".")[2] for name in checks.CHECKS if name != checks.ROWS
    ]


def told(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, step: Step, language: str = "en"
) -> str:
    monkeypatch.setattr(shown, "QUIET", 0.0)
    with Ticker(language, 60, shown=True) as ticker:
        ticker.tell(step)
        time.sleep(0.3)
    out, err = capfd.readouterr()
    assert out == ""
    assert err.endswith("\r\x1b[K")
    return err.removesuffix("\r\x1b[K").rpartition("\r\x1b[K")[2]


def test_a_line_tells_the_table_and_goes(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    step = Step("rows", "visits", 2048, 5000)
    assert told(capfd, monkeypatch, step) == "Checking visits (2,048 bytes): 5,000 rows, 0 s"
    assert told(capfd, monkeypatch, Step("rows", "visits", 2048)) == "Checking visits (2,048 bytes), 0 s"
    assert told(capfd, monkeypatch, Step("disclosure")).startswith("Looking for what the data give away")
    assert told(capfd, monkeypatch, Step("safety"), "es") == "Revisando la descripción, 0 s"


def test_a_name_neither_steers_the_terminal_nor_fills_a_second_line(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    line = told(capfd, monkeypatch, Step("rows", "a\x1b]0;b\n" + "c" * 300, 1))
    assert len(line) == 59
    assert line.isprintable()


def test_work_that_is_done_soon_shows_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    with Ticker("en", 80, shown=True) as ticker:
        ticker.tell(Step("rows", "visits", 1))
    assert capfd.readouterr() == ("", "")


def test_only_a_terminal_is_told(tmp_path: Path) -> None:
    folder = package(tmp_path / "p", 3)
    patched = "from cdmeta.cli import main, progress; progress.QUIET = 0; main(['validate', {!r}])"
    args = [sys.executable, "-P", "-c", patched.format(str(folder))]
    plain = subprocess.run(args, capture_output=True, text=True)
    assert plain.stderr == ""
    parent, child = os.openpty()
    on_terminal = subprocess.run(args, stdout=subprocess.PIPE, stderr=child, text=True)
    os.close(child)
    drawn = os.read(parent, 100_000).decode()
    os.close(parent)
    assert "\x1b[K" in drawn
    assert drawn.endswith("\r\x1b[K")
    assert on_terminal.stdout == plain.stdout


@pytest.mark.parametrize("mark", ["", '"'])
def test_ctrl_c_ends_with_one_line_and_leaves_nothing_behind(tmp_path: Path, mark: str) -> None:
    """While the engine is at a query, and while the judge reads row by row."""
    folder, temporary = package(tmp_path / "p", 400_000, mark), tmp_path / "tmp"
    temporary.mkdir()
    environment = os.environ | {"TMPDIR": str(temporary)}
    running = subprocess.Popen([PROGRAM, "validate", folder], stdout=-1, stderr=-1, text=True, env=environment)
    deadline = time.monotonic() + 20
    while not any(temporary.iterdir()):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    time.sleep(0.1)
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=20)
    assert (running.returncode, out, err) == (130, "", "\nStopped.\n")
    assert list(temporary.iterdir()) == []


def test_a_query_that_is_broken_off_is_a_ctrl_c(tmp_path: Path) -> None:
    """DuckDB makes a plain RuntimeError of it."""
    code = (
        "import duckdb, os, signal, threading\n"
        "connection = duckdb.connect(config={'threads': 1})\n"
        "connection.execute('SET enable_progress_bar = false')\n"
        "threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()\n"
        "try:\n"
        "    connection.execute('SELECT count(*) FROM range(1000000000) a(x), range(9) WHERE x % 7 = random()')\n"
        "except RuntimeError as error:\n"
        "    print(error)\n"
    )
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, timeout=30)
    assert (done.stdout, done.stderr) == ("Query interrupted\n", ""), duckdb.__version__
    with pytest.raises(KeyboardInterrupt), engine.session(load(package(tmp_path / "p", 3))):
        raise RuntimeError(done.stdout.strip())


def test_other_runtime_errors_stay_what_they_are(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="of ours"), engine.session(load(package(tmp_path / "p", 3))):
        raise RuntimeError("of ours")
