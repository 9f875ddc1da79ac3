"""Every command of every example prints what its `cmd.txt` says.

`python tests/test_examples.py` writes the outputs anew where they differ.
"""

import contextlib
import io
import re
import shlex
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from cdmeta.cli import main

EXAMPLES = Path(__file__).parent.parent / "examples"
CASES = [
    "broken/classify",
    "broken/explain",
    "broken/no-package",
    "broken/validate",
    "public-service-satisfaction/validate",
    "water-points/classify",
    "water-points/convert",
    "water-points/new",
    "water-points/validate",
]
ENVIRONMENT = {"COLUMNS": "80", "NO_COLOR": "1", "SOURCE_DATE_EPOCH": "1767225600"}
ANYTHING = "…"


@dataclass(frozen=True)
class Command:
    """A line `$ cdmeta …` and the lines that it prints."""

    line: str
    expected: str

    @property
    def args(self) -> list[str]:
        program, *args = shlex.split(self.line)
        assert program == "cdmeta"
        return args


def cases() -> list[str]:
    return sorted(path.parent.relative_to(EXAMPLES).as_posix() for path in EXAMPLES.glob("*/*/cmd.txt"))


def read(text: str) -> list[Command]:
    parts = re.split(r"^\$ (.*)\n", text, flags=re.MULTILINE)
    assert not parts[0].strip(), "a cmd.txt starts with a command"
    return [Command(line, expected) for line, expected in zip(parts[1::2], parts[2::2], strict=True)]


def run(args: list[str]) -> str:
    """What a command prints, both on its output and on its error output, and its exit code where it is not 0."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        try:
            main(args)
        except SystemExit as end:
            code = end.code
    text = printed.getvalue()
    text += "\n" if text and not text.endswith("\n") else ""
    return text + (f"[exit {code}]\n" if code else "")


def agrees(expected: str, printed: str) -> bool:
    """Compare line by line; blank lines between commands are no output, and `…` stands for any lines."""
    lines = [".*" if line == ANYTHING else re.escape(line) for line in expected.strip("\n").split("\n")]
    return re.fullmatch("\n".join(lines), printed.strip("\n"), flags=re.DOTALL) is not None


@contextlib.contextmanager
def copy_of(case: str) -> Iterator[None]:
    """Work in a copy of the example, with the clock and the terminal that the outputs were written with."""
    example = EXAMPLES / case.split("/")[0]
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        shutil.copytree(example, Path(folder) / example.name)
        patch.chdir(Path(folder) / example.name)
        for name, value in ENVIRONMENT.items():
            patch.setenv(name, value)
        yield


@pytest.mark.parametrize("case", cases())
def test_an_example_prints_what_it_says(case: str) -> None:
    with copy_of(case):
        for command in read((EXAMPLES / case / "cmd.txt").read_text(encoding="utf-8")):
            printed = run(command.args)
            if not agrees(command.expected, printed):
                assert printed == command.expected, "if this is meant: python tests/test_examples.py"


def test_no_example_vanishes() -> None:
    assert cases() == CASES


def test_every_example_is_listed_and_says_what_it_is_modelled_on() -> None:
    folders = {path.parent.name for path in EXAMPLES.glob("*/package/")}
    listed = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| \[([a-z-]+)\]\(\1\)", listed, flags=re.MULTILINE)) == folders
    for name in folders:
        text = (EXAMPLES / name / "README.md").read_text(encoding="utf-8").lower()
        assert "modelled on" in text
        assert "made up" in text or "made-up" in text


def test_the_comparison_can_fail() -> None:
    assert agrees("one\n…\nlast\n\n", "one\na\nb\nlast\n")
    assert not agrees("one\nlast\n", "one\na\nlast\n")
    assert not agrees("a.b\n", "axb\n")
    assert not agrees("one\n", "one\n[exit 1]\n")
    assert not agrees("", "one\n")
    assert agrees("", "")
    assert run(["validate", "no-such-folder"]) == (
        "cdmeta: no-such-folder: there is no such file or folder.\n[exit 2]\n"
    )


def rewrite() -> None:
    for case in cases():
        path = EXAMPLES / case / "cmd.txt"
        with copy_of(case):
            told = []
            for command in read(path.read_text(encoding="utf-8")):
                printed = run(command.args)
                kept = command.expected if agrees(command.expected, printed) else f"{printed}\n"
                told.append(f"$ {command.line}\n{kept}")
        path.write_text("".join(told).rstrip("\n") + "\n", encoding="utf-8")


if __name__ == "__main__":
    rewrite()
