"""Output that is either the old or the new, never half and never none."""

from pathlib import Path

import pytest

from cdmeta.workflows.output import staged

MARK = "mark.json"


def write(out: Path, text: str) -> None:
    with staged(out, MARK) as stage:
        (stage / MARK).write_text(text, encoding="utf-8")


@pytest.mark.parametrize("stop", [1, 2])
def test_who_stops_it_while_it_is_put_in_place_keeps_the_earlier_output(
    stop: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    write(out, "old")
    rename, calls = Path.rename, []

    def stopped(path: Path, target: Path) -> Path:
        calls.append(path)
        if len(calls) == stop:
            raise KeyboardInterrupt
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", stopped)
    with pytest.raises(KeyboardInterrupt):
        write(out, "new")
    assert (out / MARK).read_text(encoding="utf-8") == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_the_new_takes_the_place_of_the_old(tmp_path: Path) -> None:
    out = tmp_path / "out"
    write(out, "old")
    write(out, "new")
    assert (out / MARK).read_text(encoding="utf-8") == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
