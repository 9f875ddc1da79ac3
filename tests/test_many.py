"""Many packages: found, checked in parallel, each told of, and not checked again where nothing has changed."""

import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
import zipfile
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from rule_cases import Example, from_builders, from_files

from cdmeta import finding
from cdmeta.cli import main
from cdmeta.cli.many import Bar, own_folder
from cdmeta.cli.validate import command
from cdmeta.errors import OutputError
from cdmeta.phrase import Phrase, Series
from cdmeta.profile import GATES
from cdmeta.reporters import render
from cdmeta.workflows import kept, many
from cdmeta.workflows.many import find, validate_many
from cdmeta.workflows.plain import from_plain, report_of, to_plain
from cdmeta.workflows.validate import validate

ROOT = Path(__file__).parent.parent
EXAMPLES = ROOT / "examples"
GOOD = EXAMPLES / "water-points" / "package"
BROKEN = EXAMPLES / "broken" / "package"
PACKAGES = sorted(str(path) for path in EXAMPLES.glob("*/package"))
REPORT = Draft202012Validator(json.loads((ROOT / "docs" / "report.schema.json").read_text(encoding="utf-8")))
PROGRAM = Path(sys.executable).parent / "cdmeta"


@pytest.fixture(autouse=True)
def _own_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / ".xdg"))


@pytest.fixture
def three(tmp_path: Path) -> list[str]:
    """A good package, one that is none, and one with errors."""
    made = tmp_path / "three"
    shutil.copytree(GOOD, made / "a")
    (made / "b").mkdir()
    shutil.copytree(BROKEN, made / "c")
    return [str(made / name) for name in "abc"]


def zipped(folder: Path, target: Path, top: str = "") -> Path:
    with zipfile.ZipFile(target, "w") as archive:
        for path in folder.rglob("*.*"):
            archive.write(path, Path(top) / path.relative_to(folder))
    return target


def programs(*args: object) -> list[str]:
    return [str(PROGRAM), *map(str, args)]


def said(*args: object) -> Result:
    """What the command says, without other processes."""
    return CliRunner().invoke(command, ["--jobs", "1", *map(str, args)])


# --- finding packages


def test_packages_are_found_in_folders_and_zips(tmp_path: Path) -> None:
    for name in ("b/deep/er", "a", "c"):
        shutil.copytree(GOOD, tmp_path / name)
    zipped(GOOD, tmp_path / "b" / "one.zip")
    zipped(GOOD, tmp_path / "b" / "TOP.ZIP", "inner")
    with zipfile.ZipFile(tmp_path / "photos.zip", "w") as archive:
        archive.writestr("photo.txt", "no package")
    (tmp_path / "broken.zip").write_bytes(b"PK no zip")
    (tmp_path / "table.csv").write_text("a\n1\n", encoding="utf-8")
    expected = ["broken.zip", "a", "b/TOP.ZIP", "b/one.zip", "b/deep/er", "c"]
    assert find(tmp_path) == tuple(str(tmp_path / name) for name in expected)


def test_what_lies_in_a_package_is_part_of_it(tmp_path: Path) -> None:
    package = Path(shutil.copytree(GOOD, tmp_path / "p"))
    shutil.copytree(GOOD, package / "data" / "older")
    zipped(GOOD, package / "older.zip")
    assert find(tmp_path) == find(package) == (str(package),)
    told = [finding.params["path"] for finding in validate(package).findings if finding.code == "CD111"]
    assert "older.zip" in told
    assert "data/older/datapackage.json" in told


def test_hidden_folders_and_links_are_left_out(tmp_path: Path) -> None:
    shutil.copytree(GOOD, tmp_path / "root" / ".hidden" / "p")
    outside = shutil.copytree(GOOD, tmp_path / "outside")
    (tmp_path / "root" / "link").symlink_to(outside)
    (tmp_path / "root" / "round").symlink_to(tmp_path / "root")
    (tmp_path / "root" / "link.zip").symlink_to(zipped(GOOD, tmp_path / "p.zip"))
    assert find(tmp_path / "root") == (str(tmp_path / "root"),)
    (tmp_path / "named").symlink_to(outside)
    assert find(tmp_path / "named") == (str(tmp_path / "named"),)


def test_a_descriptor_that_is_a_link_is_told_of(tmp_path: Path) -> None:
    (tmp_path / "root" / "p").mkdir(parents=True)
    (tmp_path / "root" / "p" / "datapackage.json").symlink_to(GOOD / "datapackage.json")
    assert find(tmp_path / "root") == (str(tmp_path / "root" / "p"),)
    (result,) = validate_many(find(tmp_path / "root"))
    assert result.report is not None
    assert [finding.code for finding in result.report.errors] == ["CD107"]


def test_a_folder_that_cannot_be_read_is_told_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scandir = os.scandir

    def guarded(*path: Any) -> Any:
        if str(*path).endswith("/closed"):
            raise PermissionError(13, "Permission denied", str(*path))
        return scandir(*path)

    (tmp_path / "closed" / "p").mkdir(parents=True)
    shutil.copytree(GOOD, tmp_path / "open")
    monkeypatch.setattr(os, "scandir", guarded)
    closed, opened = validate_many(find(tmp_path), jobs=1)
    assert str(closed.error) == f"{tmp_path / 'closed'}: cannot be read (Permission denied)."
    assert opened.report is not None
    assert opened.report.valid


def test_a_thousand_empty_folders(tmp_path: Path) -> None:
    for number in range(1_000):
        (tmp_path / "root" / f"{number:04}").mkdir(parents=True)
    done = said("-r", tmp_path / "root")
    assert done.exit_code == 2
    assert "there is no datapackage.json in it." in done.output
    shutil.copytree(GOOD, tmp_path / "root" / "0500" / "p")
    assert said("-r", tmp_path / "root").exit_code == 0


# --- results


def test_results_come_in_the_order_given_whatever_they_are(three: list[str]) -> None:
    results = list(validate_many([*three, "nowhere", "http://example.org/p"]))
    assert [result.source for result in results] == [*three, "nowhere", "http://example.org/p"]
    assert [result.report and result.report.valid for result in results] == [True, None, False, None, None]
    told = [str(result.error) for result in results if result.error]
    assert told == [
        f"{three[1]}: there is no datapackage.json in it.",
        "nowhere: there is no such file or folder.",
        "http://example.org/p: lies on the network; nothing is fetched. Download it first.",
    ]


@pytest.mark.parametrize("gate", GATES)
def test_each_report_is_that_of_the_package_alone(gate: str) -> None:
    expected = [validate(path, gate) for path in PACKAGES]
    assert [result.report for result in validate_many(PACKAGES, gate, jobs=1)] == expected
    assert [result.report for result in validate_many(PACKAGES, gate, jobs=2)] == expected
    with ThreadPoolExecutor(2) as threads:
        assert [result.report for result in validate_many(PACKAGES, gate, threads)] == expected


def test_relative_paths_stay_as_they_were_given(monkeypatch: pytest.MonkeyPatch, three: list[str]) -> None:
    monkeypatch.chdir(Path(three[0]).parent)
    results = list(validate_many(["a", "./b", "c/datapackage.json"], jobs=2))
    assert [result.source for result in results] == ["a", "./b", "c/datapackage.json"]
    assert [result.report.source for result in results if result.report] == ["a", "c/datapackage.json"]
    assert str(results[1].error) == "./b: there is no datapackage.json in it."


def test_what_is_named_twice_is_checked_once(three: list[str], tmp_path: Path) -> None:
    good = Path(three[0])
    (tmp_path / "link").symlink_to(good)
    named: list[str | Path] = [
        good,
        f"{good}/",
        good / "datapackage.json",
        good / ".." / "a",
        tmp_path / "link",
        three[2],
        good,
    ]
    assert [result.source for result in validate_many(named)] == [str(good), three[2]]


def test_no_package_at_all() -> None:
    assert list(validate_many([])) == []


def test_progress_counts_every_package_once(three: list[str]) -> None:
    for jobs in (1, 2):
        told = Mock()
        list(validate_many(three, jobs=jobs, progress=told))
        seen = dict.fromkeys(call.args for call in told.call_args_list)
        assert [pair for pair in seen if pair[0]] == [(1, 3), (2, 3), (3, 3)]


# --- executors and workers that break down


class Breaking(Executor):
    """Breaks down at its second task, as a pool does whose process ends."""

    def __init__(self) -> None:
        self.tasks = 0

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        self.tasks += 1
        if self.tasks > 2:
            raise BrokenProcessPool
        future: Future[Any] = Future()
        if self.tasks == 2:
            future.set_exception(BrokenProcessPool())
        else:
            future.set_result(fn(*args, **kwargs))
        return future


def test_an_executor_that_breaks_down_loses_no_package_in_silence(three: list[str]) -> None:
    results = list(validate_many([*three, str(GOOD)], executor=Breaking()))
    assert [result.source for result in results] == [*three, str(GOOD)]
    assert results[0].report == validate(three[0])
    assert [str(result.error) for result in results[1:]] == [
        f"{path}: could not be checked, because the executor broke down before." for path in [*three[1:], GOOD]
    ]


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (ZeroDivisionError("a cell"), "could not be checked, by a fault of cdmeta (ZeroDivisionError)."),
        (type("KilledWorker", (Exception,), {})("x"), "could not be checked: it ended the process"),
    ],
)
def test_a_fault_is_told_for_its_package(
    monkeypatch: pytest.MonkeyPatch, three: list[str], error: Exception, text: str
) -> None:
    def fail(path: Path, gate: str) -> finding.Report:
        if path.name == "a":
            raise error
        return validate(path, gate)

    monkeypatch.setattr(many, "_examined", fail)
    results = list(validate_many(three, jobs=1))
    assert text in str(results[0].error)
    assert "a cell" not in str(results[0].error)
    assert results[2].report == validate(three[2])


def test_a_worker_with_another_cdmeta_is_not_believed(monkeypatch: pytest.MonkeyPatch, three: list[str]) -> None:
    real = many.check
    monkeypatch.setattr(many, "check", lambda *args: real(*args) | {"program": "other"})
    told = [str(result.error) for result in validate_many(three, jobs=1)]
    assert all("was checked by another version of cdmeta" in text for text in told)


# A script's own lines run in each process that it starts, so that what they change is changed there too.
SCRIPT = """
import os, sys, time
from pathlib import Path
from cdmeta.cli import main
from cdmeta.workflows import many
examined = many._examined
def strange(path, gate):
    if Path(path).name == "kills":
        os.kill(os.getpid(), 9)
    if Path(path).name == "lasts":
        import tempfile
        Path(tempfile.mkdtemp(prefix="cdmeta-left-")).joinpath("file").touch()
        Path(os.environ["STARTED"]).touch()
        time.sleep(60)
    return examined(path, gate)
many._examined = strange
if __name__ == "__main__":
    main(sys.argv[1:])
"""


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "script.py"
    path.write_text(SCRIPT, encoding="utf-8")
    return path


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where programs put temporary files."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    return folder


def test_a_package_that_ends_its_process_takes_no_other_with_it(
    tmp_path: Path, script: Path, temporary: Path
) -> None:
    for name in ("a", "b", "c", "kills", "more/d", "more/e", "more/kills", "z"):
        shutil.copytree(GOOD, tmp_path / "all" / name)
    args = ["validate", "-r", "--no-cache", "--jobs", "2", "--format", "jsonl", str(tmp_path / "all")]
    done = subprocess.run([sys.executable, str(script), *args], capture_output=True, text=True)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    names = [Path(line["source"]).relative_to(tmp_path / "all").as_posix() for line in lines]
    assert names == ["a", "b", "c", "kills", "more/d", "more/e", "more/kills", "z"]
    assert [name for name, line in zip(names, lines, strict=True) if not line["valid"]] == ["kills", "more/kills"]
    assert "it ended the process in which it was checked" in lines[3]["error"]
    assert (done.returncode, done.stderr) == (2, "")
    assert list(temporary.iterdir()) == []


def group_is_gone(group: int) -> bool:
    for _ in range(100):
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize("everybody", [True, False], ids=["terminal", "process"])
def test_ctrl_c_ends_clean(
    tmp_path: Path, script: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch, jobs: int, everybody: bool
) -> None:
    if jobs == 1:
        script.write_text(SCRIPT.replace("Path(tempfile.mkdtemp", "0 and Path(tempfile.mkdtemp"), encoding="utf-8")
    for name in ("a", "lasts", "z"):
        shutil.copytree(GOOD, tmp_path / "all" / name)
    monkeypatch.setenv("STARTED", str(tmp_path / "started"))
    args = [
        sys.executable,
        str(script),
        "validate",
        "-r",
        "--no-cache",
        "--jobs",
        str(jobs),
        str(tmp_path / "all"),
    ]
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(args, start_new_session=True, **pipes) as running:
        while not (tmp_path / "started").exists():
            assert running.poll() is None
            time.sleep(0.05)
        (os.killpg if everybody else os.kill)(running.pid, signal.SIGINT)
        out, err = running.communicate(timeout=20)
    assert (running.returncode, out, err) == (130, "", "\nStopped.\n")
    assert group_is_gone(running.pid)
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize("after", [0.1, 0.6])
def test_ctrl_c_at_any_time_leaves_nothing(tmp_path: Path, temporary: Path, after: float) -> None:
    for number in range(200):
        zipped(GOOD, tmp_path / f"{number}.zip", str(number))  # no two alike, so that none is found in the cache
    args = [str(PROGRAM), "validate", "-r", "--jobs", "3", "--format", "jsonl", str(tmp_path)]
    args += ["--cache", str(tmp_path / "cache")]
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(args, start_new_session=True, **pipes) as running:
        # Before that, Python itself is starting and would tell so.
        while not (tmp_path / "cache").exists():
            time.sleep(0.01)
        time.sleep(after)
        os.killpg(running.pid, signal.SIGINT)
        out, err = running.communicate(timeout=20)
    assert (running.returncode, err) == (130, "\nStopped.\n")
    assert all(json.loads(line)["valid"] for line in out.splitlines())
    assert group_is_gone(running.pid)
    assert list(temporary.iterdir()) == []


def test_workers_end_with_a_parent_that_is_killed(
    tmp_path: Path, script: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "lasts"):
        shutil.copytree(GOOD, tmp_path / "all" / name)
    monkeypatch.setenv("STARTED", str(tmp_path / "started"))
    args = [sys.executable, str(script), "validate", "-r", "--no-cache", "--jobs", "2", str(tmp_path / "all")]
    with subprocess.Popen(
        args, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as it:
        while not (tmp_path / "started").exists():
            time.sleep(0.05)
        it.kill()
    assert group_is_gone(it.pid)


def test_the_callers_thread_need_not_be_the_first(three: list[str]) -> None:
    with ThreadPoolExecutor(1) as threads:
        results = threads.submit(lambda: list(validate_many(three, jobs=2))).result()
    assert [result.report for result in results] == [validate(three[0]), None, validate(three[2])]


def test_leaving_early_ends_the_processes(three: list[str], temporary: Path) -> None:
    before = threading.active_count()
    results = validate_many([*three, *PACKAGES], jobs=2)
    assert next(results).source == three[0]
    results.close()
    assert threading.active_count() == before


# --- on the command line


def test_one_package_is_shown_as_before() -> None:
    for form in ("text", "json"):
        report = validate(BROKEN)
        assert said(BROKEN, "--format", form).output == render(report, form, width=80)


def test_several_packages_as_text(three: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(Path(three[0]).parent)
    shutil.copytree("c", "d")
    done = said("a", "b", "c", "d", "--no-cache")
    assert done.exit_code == 2
    lines = done.output.splitlines()
    assert lines[0].startswith("a: Valid")
    assert lines[1] == "b: there is no datapackage.json in it."
    assert lines[2].startswith("c: Not valid yet. Errors: ")
    assert lines[2].removeprefix("c") == lines[3].removeprefix("d")
    at = lines.index("CD408 Not a value of its type (2 packages)")
    assert lines[at + 1 : at + 3] == ["  - c (2)", "  - d (2)"]
    assert lines[-4:-3] == ["Packages: 4. Valid: 1, not valid yet: 2, could not be checked: 1."]
    assert lines[-2:] == [
        "What next? See what is wrong in a package, and how to mend it, for instance:",
        "  cdmeta validate c",
    ]


def test_a_line_says_what_the_package_alone_says(three: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(Path(three[0]).parent)
    for name in "ac":
        alone = said(name).output.splitlines()[0]
        (line,) = (line for line in said("a", "c").output.splitlines() if line.startswith(f"{name}: "))
        assert alone.startswith(line.removeprefix(f"{name}: "))


@pytest.mark.parametrize("language", ["en", "es", "fr"])
def test_several_packages_in_a_language(
    three: list[str], language: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["--lang", language, "validate", *three, "--jobs", "1"])
    told = capsys.readouterr().out
    totals = {
        "en": "Packages: 3. Valid: 1, not valid yet: 1, could not be checked: 1.",
        "es": "Paquetes: 3. Válidos: 1, todavía no válidos: 1, no se pudieron revisar: 1.",
        "fr": "Paquets\u00a0: 3. Valides\u00a0: 1, pas encore valides\u00a0: 1, impossibles à vérifier\u00a0: 1.",
    }
    assert totals[language] in told.splitlines()


def test_json_lines_are_whole_reports(three: list[str]) -> None:
    done = said(*three, "--format", "jsonl", "--gate", "official")
    good, none, bad = map(json.loads, done.output.splitlines())
    for value, path in ((good, three[0]), (bad, three[2])):
        REPORT.validate(value)
        assert value == json.loads(render(validate(path, "official"), "json"))
        assert [value] == [json.loads(said(path, "--format", "jsonl", "--gate", "official").output)]
    assert none == {
        "format_version": good["format_version"],
        "language": "en",
        "source": three[1],
        "gate": "official",
        "valid": False,
        "error": f"{three[1]}: there is no datapackage.json in it.",
    }
    assert done.exit_code == 2


def test_other_formats_are_for_one_package(three: list[str]) -> None:
    done = said(*three, "--format", "json")
    assert done.exit_code == 2
    assert "for several packages, --format has to be one of: text, jsonl." in done.output


@pytest.mark.parametrize(("names", "code"), [("aa", 0), ("ac", 1), ("abc", 2), ("ab", 2)])
def test_exit_codes(three: list[str], names: str, code: int) -> None:
    assert said(*(three["abc".index(name)] for name in names)).exit_code == code


def test_what_is_piped_to_somebody_who_goes(three: list[str]) -> None:
    args = [str(PROGRAM), "validate", "--jobs", "2", "--format", "jsonl", *three, *PACKAGES]
    with subprocess.Popen(args, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdout.close()
        assert running.stderr.read() == b""


def on_terminal(args: list[str], environment: dict[str, str]) -> str:
    """What a command writes to a terminal on its error output."""
    parent, child = os.openpty()
    with subprocess.Popen(args, stdout=subprocess.PIPE, stderr=child, env=environment) as running:
        os.close(child)
        running.communicate()
    try:
        return os.read(parent, 100_000).decode()
    except OSError:  # nothing was written, and the terminal is gone
        return ""
    finally:
        os.close(parent)


# As if two seconds were over at once.
HASTY = "import sys; from cdmeta.cli import main, many; many.QUIET = many.PACE = 0; main(sys.argv[1:])"


def test_progress_is_drawn_on_a_terminal_and_taken_away(three: list[str]) -> None:
    args = ["validate", "--jobs", "1", "--no-cache", *three, "nowhere"]
    written = on_terminal([sys.executable, "-P", "-c", HASTY, *args], os.environ | {"CDMETA_LANG": "es"})
    assert written == "".join(f"\r\x1b[KRevisando paquetes: {done} de 4" for done in range(1, 5)) + "\r\x1b[K"


def test_progress_is_drawn_after_two_seconds_and_not_without_end(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = Mock(return_value=100.0)
    monkeypatch.setattr(time, "monotonic", clock)
    bar, drawn = Bar(shown=True), []
    for clock.return_value in (100.0, 101.9, 102.1, 102.2, 102.4, 104.0):
        bar.show(1, 1_000)
        drawn.append(bool(capsys.readouterr().err))
    assert drawn == [False, False, True, False, True, True]
    bar.clear()
    bar.clear()
    assert capsys.readouterr().err == "\r\x1b[K"


def test_progress_is_not_drawn_where_nobody_looks(capsys: pytest.CaptureFixture[str]) -> None:
    bar = Bar(shown=False)
    bar._next = 0
    bar.show(1, 2)
    bar.clear()
    assert capsys.readouterr() == ("", "")


# --- reports as plain values

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.text() | st.just("="), inner, max_size=3)
        | st.dictionaries(st.integers(), inner, max_size=2)
        | st.builds(Phrase, st.text(), st.dictionaries(st.text(), inner, max_size=2))
        | st.builds(Phrase, st.tuples(st.text(), st.text()), st.just({}), st.just("codes"), st.just("name"))
        | st.builds(Series, st.lists(inner, max_size=2).map(tuple))
    ),
    max_leaves=8,
)


def strict(value: Any) -> str:
    """A text that tells 1 from 1.0 and True, and a list from a tuple."""
    return repr(value)


@given(VALUES)
def test_values_come_back_as_they_were(value: Any) -> None:
    back = from_plain(json.loads(json.dumps(to_plain(value))))
    assert strict(back) == strict(value)


def there_and_back(report: finding.Report) -> None:
    back = report_of(json.loads(json.dumps(to_plain(report))))
    assert back == report
    assert strict(back) == strict(report)
    for language in ("en", "es"):
        for form in ("text", "json"):
            assert render(back, form, language=language) == render(report, form, language=language)


@pytest.mark.parametrize("example", [*from_files(), *from_builders()], ids=lambda example: example.code)
def test_the_findings_of_every_rule_come_back_as_they_were(example: Example, tmp_path: Path) -> None:
    there_and_back(finding.Report("somewhere", example.raises(tmp_path), gate=example.gate))


@pytest.mark.parametrize("gate", GATES)
def test_reports_come_back_as_they_were(gate: str) -> None:
    for path in PACKAGES:
        there_and_back(validate(path, gate))


def test_a_kind_that_cannot_be_read_back_is_never_kept_as_its_text() -> None:
    assert to_plain(Path("a") / "b") == "a/b"
    with pytest.raises(TypeError, match="Result"):
        to_plain([finding.Result("a")])


@pytest.mark.parametrize(
    "value",
    [{"=": "Path", "path": "x"}, {"=": "Report"}, {"=": "tuple"}, {"=": "Phrase", "key": "x", "other": 1}, []],
)
def test_what_is_no_report_is_refused(value: Any) -> None:
    with pytest.raises((KeyError, TypeError, ValueError)):
        report_of(value)


# --- what is kept


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "kept"
    kept.open_folder(made)
    return made


def kept_of(path: str | Path, folder: Path, gate: str = "publish") -> list[bool]:
    return [result.cached for result in validate_many([path], gate, cache=folder, jobs=1)]


def test_a_second_run_finds_the_reports_of_the_first(folder: Path, tmp_path: Path) -> None:
    zips = [str(zipped(Path(path), tmp_path / f"{number}.zip")) for number, path in enumerate(PACKAGES)]
    for gate in GATES:
        first = list(validate_many([*PACKAGES, *zips], gate, cache=folder, jobs=1))
        assert not any(result.cached for result in first)
        again = list(validate_many([*PACKAGES, *zips], gate, cache=folder, jobs=2))
        assert all(result.cached for result in again)
        assert strict([result.report for result in again]) == strict([result.report for result in first])


MODULES = "import sys; from cdmeta.cli import _run; _run(sys.argv[1:], 'en'); print(*sys.modules)"


def test_the_checks_are_not_even_imported_for_what_is_kept(three: list[str]) -> None:
    args = ["validate", "--jobs", "1", three[0], three[2]]
    run = [sys.executable, "-P", "-c", MODULES, *args]
    told = [subprocess.run(run, capture_output=True, text=True) for _ in range(2)]
    assert ["frictionless" in done.stdout.splitlines()[-1].split() for done in told] == [True, False]
    assert "Not changed since an earlier run, and not checked again: 2 packages." in told[1].stdout
    assert (
        told[1]
        .stdout.replace("Not changed since an earlier run, and not checked again: 2 packages.\n", "")
        .splitlines()[:-1]
        == told[0].stdout.splitlines()[:-1]
    )


def test_a_copy_elsewhere_is_known_and_called_by_its_own_path(
    folder: Path, three: list[str], tmp_path: Path
) -> None:
    assert kept_of(three[2], folder) == [False]
    copy = shutil.copytree(three[2], tmp_path / "copy")
    (result,) = validate_many([copy], cache=folder, jobs=1)
    assert result.cached
    assert strict(result.report) == strict(validate(copy))


def test_a_byte_changed_without_a_change_of_size_and_time_is_seen(folder: Path, three: list[str]) -> None:
    table = Path(three[0]) / "data" / "scores.csv"
    assert kept_of(three[0], folder) == [False]
    assert kept_of(three[0], folder) == [True]
    before, raw = table.stat(), table.read_bytes()
    with table.open("r+b") as file:
        file.seek(len(raw) - 2)
        file.write(b'"')
    os.utime(table, ns=(before.st_atime_ns, before.st_mtime_ns))
    after = table.stat()
    assert (after.st_size, after.st_mtime_ns, after.st_ino) == (before.st_size, before.st_mtime_ns, before.st_ino)
    (result,) = validate_many([three[0]], cache=folder, jobs=1)
    assert not result.cached
    assert result.report == validate(three[0])
    assert not result.report.valid


CHANGES: dict[str, Any] = {
    "the descriptor": lambda p: (p / "datapackage.json").write_text((p / "datapackage.json").read_text() + " "),
    "a table": lambda p: (p / "data" / "scores.csv").write_text("village\nA\n"),
    "a file that is gone": lambda p: (p / "data" / "scores.csv").unlink(),
    "a file that became a link": lambda p: (
        shutil.copy(p / "data" / "scores.csv", p.parent / "s.csv"),
        (p / "data" / "scores.csv").unlink(),
        (p / "data" / "scores.csv").symlink_to(p.parent / "s.csv"),
    ),
    "a file that is not named": lambda p: (p / "more.txt").touch(),
    "a file that became a folder": lambda p: (
        (p / "data" / "scores.csv").unlink(),
        (p / "data" / "scores.csv").mkdir(),
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_any_change_is_seen(folder: Path, three: list[str], change: str) -> None:
    assert kept_of(three[0], folder) + kept_of(three[0], folder) == [False, True]
    CHANGES[change](Path(three[0]))
    (result,) = validate_many([three[0]], cache=folder, jobs=1)
    assert not result.cached
    assert result.report == validate(three[0])


def test_another_gate_or_another_program_is_another_key(
    folder: Path, three: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert kept_of(three[0], folder) + kept_of(three[0], folder) == [False, True]
    assert kept_of(three[0], folder, "official") == [False]
    monkeypatch.setattr(kept, "program", lambda: "other")
    kept._judges.cache_clear()
    assert kept_of(three[0], folder) == [False]
    kept._judges.cache_clear()


def test_the_program_is_all_code_and_data_by_which_packages_are_judged() -> None:
    names = {name for part in ("cdmeta", "cdmeta.profiles") for name, _ in kept._sources(files(part), part)}
    assert names >= {
        "cdmeta/checks/rows.py", "cdmeta/tables/judge.py", "cdmeta/package.py", "cdmeta/__init__.py",
        "cdmeta.profiles/citizen-data/1.0/rules.csv", "cdmeta.profiles/citizen-data/1.0/codelists/CL_ACCESS.csv",
        "cdmeta.profiles/locales/es/texts.csv",
    }  # fmt: skip
    expected = {path.relative_to(ROOT).as_posix() for path in ROOT.glob("cdmeta/**/*.py")}
    assert {name for name in names if name.endswith(".py") and name.startswith("cdmeta/")} == expected


def test_the_versions_of_what_judges_are_in_the_key() -> None:
    judges = kept._judges()
    for name in ("duckdb", "frictionless", "jsonschema", "phonenumberslite"):
        assert f"{name} {version(name)}" in judges


def test_a_package_that_changes_while_it_is_checked_is_not_kept(
    folder: Path, three: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def meanwhile(path: Path, gate: str) -> finding.Report:
        report = validate(path, gate)
        (path / "data" / "scores.csv").write_text("another\ntable\n")
        return report

    monkeypatch.setattr(many, "_examined", meanwhile)
    assert kept_of(three[0], folder) == [False]
    assert list(folder.rglob("*.json")) == []


DAMAGES: dict[str, Any] = {
    "cut": lambda raw: raw[:-20],
    "empty": lambda raw: b"",
    "no JSON": lambda raw: b"\xff\x00",
    "another thing": lambda raw: b"[]",
    "a flipped letter": lambda raw: raw.replace(b"CD408", b"CD409"),
    "made valid": lambda raw: raw.replace(b"findings", b"findingx"),
    "another key": lambda raw: raw.replace(b'{"key": "', b'{"key": "0'),
    "deep": lambda raw: b"[" * 100_000,
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_entry_is_not_believed(folder: Path, three: list[str], damage: str) -> None:
    assert kept_of(three[2], folder) == [False]
    (entry,) = folder.rglob("*.json")
    raw = entry.read_bytes()
    changed = DAMAGES[damage](raw)
    assert changed != raw
    entry.write_bytes(changed)
    (result,) = validate_many([three[2]], cache=folder, jobs=1)
    assert not result.cached
    assert result.report == validate(three[2])
    assert entry.read_bytes() == raw, "it is written anew"
    assert kept_of(three[2], folder) == [True]


def test_an_entry_under_another_name_is_not_believed(folder: Path, three: list[str]) -> None:
    kept_of(three[0], folder)
    (good,) = folder.rglob("*.json")
    kept_of(three[2], folder)
    (bad,) = set(folder.rglob("*.json")) - {good}
    shutil.copy(good, bad)
    assert kept_of(three[2], folder) == [False]


def test_the_folder_is_for_its_owner_alone(folder: Path, three: list[str], tmp_path: Path) -> None:
    kept_of(three[0], folder)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (folder, *folder.rglob("*"))}
    assert {mode & 0o077 for mode in modes.values()} == {0}
    folder.chmod(0o777)
    with pytest.raises(OutputError, match="other people can write into this folder"):
        kept.open_folder(folder)
    assert kept_of(three[0], folder) == [False], "what others could have planted is not used"
    done = said(*three, "--cache", folder)
    assert done.exception.args[0].key == "error.path"  # type: ignore[union-attr]  # the command raises it
    (tmp_path / "file").touch()
    assert kept_of(three[0], tmp_path / "file") == [False]


def test_a_folder_of_somebody_else_is_not_used(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    owner = folder.stat().st_uid
    monkeypatch.setattr(os, "getuid", lambda: owner + 1)
    with pytest.raises(OutputError, match="other people can write into this folder"):
        kept.open_folder(folder)


def test_a_full_disk_keeps_nothing_and_fails_nothing(
    folder: Path, three: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    assert kept_of(three[0], folder) == [False]
    assert [path for path in folder.rglob("*") if path.is_file()] == []


def test_nothing_is_kept_unless_wanted(three: list[str], tmp_path: Path) -> None:
    said(*three, "--no-cache")
    assert not (tmp_path / ".xdg").exists()
    said(*three)
    assert len(list((tmp_path / ".xdg" / "cdmeta").rglob("*.json"))) == 2


@pytest.mark.parametrize(
    ("environment", "platform", "expected"),
    [
        ({"XDG_CACHE_HOME": "/x", "HOME": "/h"}, "linux", "/x/cdmeta"),
        ({"XDG_CACHE_HOME": "x", "HOME": "/h"}, "linux", "/h/.cache/cdmeta"),
        ({"HOME": "/h"}, "linux", "/h/.cache/cdmeta"),
        ({"HOME": "/h"}, "darwin", "/h/Library/Caches/cdmeta"),
        ({"LOCALAPPDATA": "/l", "HOME": "/h"}, "win32", "/l/cdmeta/Cache"),
        ({}, "linux", None),
    ],
)
def test_where_it_lies(environment: dict[str, str], platform: str, expected: str | None) -> None:
    assert own_folder(environment, platform) == (Path(expected) if expected else None)


# --- a Dask cluster

CLUSTER = """
import sys
from distributed import LocalCluster, Client
if __name__ == "__main__":
    made = dict(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, host="127.0.0.1")
    with LocalCluster(**made) as cluster, Client(cluster) as client:
        print(cluster.scheduler_address, flush=True)
        sys.stdin.readline()
        told = client.run(lambda: __import__("sys").modules.keys() >= {"cdmeta.workflows.validate"})
        print(sum(told.values()), flush=True)
        sys.stdin.readline()
"""


def test_a_cluster_of_two_processes_gives_the_result_of_the_pool(
    three: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path / "three")
    path = tmp_path / "cluster.py"
    path.write_text(CLUSTER, encoding="utf-8")
    args = programs("validate", "--format", "jsonl", "--no-cache", "a", "b", "c", *PACKAGES)
    pool = subprocess.run([*args, "--jobs", "2"], capture_output=True, text=True)
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "cwd": tmp_path}
    with subprocess.Popen([sys.executable, str(path)], **pipes) as running:
        assert running.stdin is not None
        assert running.stdout is not None
        address = running.stdout.readline().strip().replace("tcp://", "dask://")
        done = subprocess.run([*args, "--executor", address], capture_output=True, text=True)
        running.stdin.write("\n")
        running.stdin.flush()
        assert running.stdout.readline() == "2\n", "both workers have checked packages"
        running.stdin.write("\n")
    assert (done.returncode, done.stdout, done.stderr) == (pool.returncode, pool.stdout, "")
    assert len(done.stdout.splitlines()) == 3 + len(PACKAGES)


@pytest.mark.parametrize(
    ("address", "text"),
    [
        ("tcp://127.0.0.1:1", '"tcp://127.0.0.1:1" is no address of a Dask cluster; write dask://HOST:PORT.'),
        ("dask://", '"dask://" is no address of a Dask cluster; write dask://HOST:PORT.'),
        ("dask://127.0.0.1:1", "dask://127.0.0.1:1: no Dask cluster answers there."),
        ("dask://nonsense.invalid:8786", "dask://nonsense.invalid:8786: no Dask cluster answers there."),
        ("dask://nonsense", '"dask://nonsense" is no address of a Dask cluster; write dask://HOST:PORT.'),
        ("dask://host:99999", '"dask://host:99999" is no address of a Dask cluster; write dask://HOST:PORT.'),
    ],
)
def test_where_there_is_no_cluster(three: list[str], address: str, text: str) -> None:
    code = "from cdmeta.workflows import executors; executors.WAIT = 1\nfrom cdmeta.cli import main; main()"
    args = [sys.executable, "-P", "-c", code, "validate", *three, "--executor", address]
    done = subprocess.run(args, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"cdmeta: {text}\n")


@pytest.mark.parametrize(
    ("greeting", "again"),
    [
        (b"", False),
        (b"SSH-2.0-OpenSSH_9.6\r\n", False),
        (bytes([200, *bytes(7)]), False),
        (b"\1" + bytes(8), False),
        (b"\1", True),
    ],
    ids=["says nothing", "another protocol", "half a greeting", "another greeting", "one byte after the other"],
)
def test_what_answers_and_is_no_scheduler_is_not_waited_for(
    three: list[str], greeting: bytes, again: bool
) -> None:
    over = threading.Event()

    def serve(server: socket.socket) -> None:
        connection, _ = server.accept()
        with connection, suppress(OSError):
            connection.sendall(greeting)
            while not over.wait(0.1):
                connection.sendall(greeting if again else b"")

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=serve, args=(server,), daemon=True).start()
        address = f"dask://127.0.0.1:{server.getsockname()[1]}"
        code = "from cdmeta.workflows import executors; executors.WAIT = 1\nfrom cdmeta.cli import main; main()"
        args = [sys.executable, "-P", "-c", code, "validate", *three, "--executor", address]
        done = subprocess.run(args, capture_output=True, text=True, timeout=15)
        over.set()
    told = f"cdmeta: {address}: no Dask cluster answers there.\n"
    assert (done.returncode, done.stdout, done.stderr) == (2, "", told)


def test_dask_is_imported_for_a_cluster_only(three: list[str]) -> None:
    args = [sys.executable, "-P", "-c", MODULES, "validate", "--jobs", "1", *three]
    done = subprocess.run(args, capture_output=True, text=True)
    assert {"distributed", "dask"}.isdisjoint(done.stdout.splitlines()[-1].split())


def test_without_dask_it_is_told_what_to_install(three: list[str]) -> None:
    code = "import sys; sys.modules['distributed'] = None\nfrom cdmeta.cli import main; main()"
    args = [sys.executable, "-P", "-c", code, "validate", *three, "--executor", "dask://127.0.0.1:1"]
    done = subprocess.run(args, capture_output=True, text=True)
    assert done.stderr == "cdmeta: Dask is not installed. Install it with: pip install 'cdmeta[dask]'\n"
    assert done.returncode == 2
