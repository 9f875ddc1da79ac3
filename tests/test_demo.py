import datetime as dt
import json
from pathlib import Path

import pytest
from commands import run

from cdmeta.errors import OutputError
from cdmeta.workflows.demo import demo
from cdmeta.workflows.verify import verify

NOW = dt.datetime(2026, 3, 2, 10, 0, tzinfo=dt.UTC)


def test_the_demo_ends_in_everything_it_names(tmp_path: Path) -> None:
    out = tmp_path / "cdmeta-demo"
    steps = demo(out, now=NOW)
    assert [step.text for step in steps][:4] == ["copied", "validated", "keygen", "approved"]
    assert all((out / step.place).exists() for step in steps)
    for name in ("sdmx-ml-3.0", "sdmx-json-2.0", "sdmx-csv-2.0"):
        manifest = json.loads((out / "sdmx" / name / "manifest.json").read_text())
        assert manifest["draft"] is False
        assert manifest["approval"]["approved"] is True
        assert set(manifest["files"]) == {p.name for p in (out / "sdmx" / name).iterdir()} - {"manifest.json"}
    assert verify(out / "package", out / "allowed_signers").approved
    assert (out / "keys" / "demo").stat().st_mode & 0o077 == 0


def test_a_second_run_replaces_the_first_and_nothing_else_is_touched(tmp_path: Path) -> None:
    out = tmp_path / "cdmeta-demo"
    demo(out, now=NOW)
    first = (out / "allowed_signers").read_text()
    demo(out, now=NOW)
    assert (out / "allowed_signers").read_text() != first
    other = tmp_path / "mine"
    other.mkdir()
    (other / "notes.txt").write_text("mine")
    with pytest.raises(OutputError):
        demo(other, now=NOW)
    assert [path.name for path in other.iterdir()] == ["notes.txt"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cdmeta-demo", "mine"]


def test_the_command_says_where_everything_lies(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, told, _ = run(capsys, "demo", "--out", tmp_path / "d")
    assert code == 0
    for part in ("package", "keys", "sdmx/sdmx-ml-3.0", "site/index.html", "allowed_signers"):
        assert str(tmp_path / "d" / part) in told
