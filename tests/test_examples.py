"""Every command of every example prints what its `cmd.txt` says.

`python tests/test_examples.py` writes the outputs anew where they differ.
"""

import contextlib
import datetime as dt
import io
import re
import shlex
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from cdmeta import check, load
from cdmeta.cli import main
from cdmeta.workflows.convert import FORMATS, convert

EXAMPLES = Path(__file__).parent.parent / "examples"
CASES = [
    "beach-litter/classify",
    "beach-litter/convert",
    "beach-litter/validate",
    "broken/classify",
    "broken/explain",
    "broken/no-package",
    "broken/validate",
    "building-map/classify",
    "building-map/convert",
    "building-map/validate",
    "clinic-visits/convert",
    "clinic-visits/validate",
    "cocina-de-datos/convert",
    "cocina-de-datos/validate",
    "counted-by-readers/classify",
    "counted-by-readers/convert",
    "counted-by-readers/validate",
    "data-cooperative/convert",
    "data-cooperative/validate",
    "deaths-on-the-way/classify",
    "deaths-on-the-way/validate",
    "fact-book/classify",
    "fact-book/validate",
    "hard-to-measure/convert",
    "hard-to-measure/validate",
    "how-we-move/classify",
    "how-we-move/convert",
    "how-we-move/validate",
    "public-service-satisfaction/official",
    "public-service-satisfaction/validate",
    "services-survey-draft/classify",
    "services-survey-draft/validate",
    "waiting-times/convert",
    "waiting-times/validate",
    "water-points/classify",
    "water-points/convert",
    "water-points/fill",
    "water-points/new",
    "water-points/validate",
]
ENVIRONMENT = {"CDMETA_LANG": "en", "COLUMNS": "80", "NO_COLOR": "1", "SOURCE_DATE_EPOCH": "1767225600"}
ANYTHING = "…"
CONVERTED = ("CITIZEN_DATA", "ASSESS")
NOW = dt.datetime(2026, 3, 2, 10, 0, tzinfo=dt.UTC)


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
        text = " ".join((EXAMPLES / name / "README.md").read_text(encoding="utf-8").lower().split())
        assert "modelled on" in text
        assert "made up" in text or "made-up" in text


MODELLED = {
    "AppDiversa": ("hard-to-measure", "CITIZEN_DATA", "Y1", ()),
    "a pilot survey for SDG indicator 16.6.2": ("public-service-satisfaction", "CITIZEN_DATA", "Y1", ()),
    "a survey of a civil-society organisation in Iraq": (
        "services-survey-draft", "INSUFFICIENT_INFORMATION", "", ("CD130", "CD131", "CD201", "CD301"),
    ),
    "The Migrant Files": ("deaths-on-the-way", "NOT_CITIZEN_DATA", "Y5", ("CD203", "CD309")),
    "The Counted": ("counted-by-readers", "ASSESS", "Y3", ()),
    "DECODE, DataCommons": ("data-cooperative", "CITIZEN_DATA", "C1", ()),
    "How we move": ("how-we-move", "CITIZEN_DATA", "C1", ()),
    "Data Kitchen, HackBo, RedPaTodos": ("cocina-de-datos", "CITIZEN_DATA", "C1", ()),
    "Econ Factbook": ("fact-book", "NOT_CITIZEN_DATA", "N1", ("CD203",)),
    "Statistics Canada's pilot with OpenStreetMap": ("building-map", "ASSESS", "Y3", ()),
    "a survey of marine litter in Ghana": ("beach-litter", "CITIZEN_DATA", "Y2", ()),
    "community scorecards of basic services": ("water-points", "CITIZEN_DATA", "C1", ()),
}  # fmt: skip
"""What each example is modelled on, and what comes out of it: outcome, rule, and the codes of its errors."""


@pytest.mark.parametrize(("model", "expected"), MODELLED.items(), ids=MODELLED)
def test_an_example_shows_what_its_model_stands_for(
    model: str, expected: tuple[str, str, str, tuple[str, ...]]
) -> None:
    name, outcome, rule, codes = expected
    assert f"[{name}]({name}) |" in (listed := (EXAMPLES / "README.md").read_text(encoding="utf-8"))
    assert f"| {model} |" in listed
    report = check(load(EXAMPLES / name / "package"))
    decision = report.decision or {}
    assert (decision["outcome"], decision["rule"] or "") == (outcome, rule)
    assert tuple(sorted({finding.code for finding in report.errors})) == codes


@pytest.mark.parametrize("name", [name for name, outcome, _, _ in MODELLED.values() if outcome in CONVERTED])
def test_what_may_be_approved_is_converted_with_data(name: str, tmp_path: Path) -> None:
    for to in FORMATS:
        made = convert(EXAMPLES / name / "package", to, tmp_path / to, allowed_signers=None, draft=True, now=NOW)
        assert not made.errors
        assert to == "sdmx-json-2.0" or [file for file in made.files if file.startswith("data-")]


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
