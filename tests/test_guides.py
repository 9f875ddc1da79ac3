"""The guides, followed word for word."""

import re
import shutil
from pathlib import Path

import openpyxl
import pytest
from test_examples import ENVIRONMENT, Command, agrees, read, run

ROOT = Path(__file__).parent.parent
GUIDES = ROOT / "docs" / "guides"
BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def commands(guide: Path) -> list[Command]:
    """The commands of a guide and what they print, in order."""
    return [command for block in BLOCK.findall(guide.read_text(encoding="utf-8")) for command in read(block)]


def test_the_guide_for_reviewers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who receives the approval has put the line of the key into a file of their own, as the guide says."""
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    monkeypatch.chdir(tmp_path)
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    steps = commands(GUIDES / "reviewing.md")
    assert [step.args[0] for step in steps] == ["keygen", "validate", "classify", "approve", "verify"]
    printed: list[str] = []
    for step in steps:
        if step.args[0] == "verify":
            line = next(line for line in printed[0].splitlines() if "ssh-ed25519" in line)
            Path("allowed_signers").write_text(line + "\n")
        printed.append(run(step.args))
        assert agrees(step.expected, printed[-1]), printed[-1]
    assert printed[-1].startswith("Approved")


def test_the_guide_for_reviewers_has_every_open_rule() -> None:
    """A rule whose outcome is ASSESS has a row with questions; no other has."""
    from cdmeta.framework import RULES

    rows = re.findall(r"^\| `(\w\d)` \|", (GUIDES / "reviewing.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(rows) == sorted(rule.id for rule in RULES if rule.outcome == "ASSESS")


@pytest.mark.parametrize("guide", sorted(GUIDES.glob("*.md")), ids=lambda path: path.stem)
def test_every_link_of_a_guide_leads_somewhere(guide: Path) -> None:
    text = guide.read_text(encoding="utf-8")
    heads = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", head.lower()).replace(" ", "-") for head in heads}
    found = re.findall(r"\]\(([^)]+)\)", text)
    assert found
    for target in found:
        if target.startswith("https://"):
            continue
        path, _, anchor = target.partition("#")
        assert (guide.parent / path).exists() if path else anchor in anchors, target


ROW = re.compile(r"^\| (?!question|---)([^|]+) \| ([^|]+) \|$", re.MULTILINE)


def answer(sheet: Path, wanted: dict[str, str]) -> None:
    """Do by hand what the guide says: find the question, write the answer beside it."""
    book = openpyxl.load_workbook(sheet)
    left = dict(wanted)
    for tab in book.worksheets:
        for row in tab.iter_rows(min_row=2, max_col=2) if tab.sheet_state == "visible" else ():
            title = str(row[0].value or "").partition("\n")[0]
            if len(row) > 1 and title in left:
                row[1].value = left.pop(title)
    assert left == {}, "the guide names a question that is not in the sheet"
    book.save(sheet)


def test_thirty_minutes_to_a_valid_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (GUIDES / "first-package.md").read_text(encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    (table,) = re.findall(r"^```csv\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    Path("visits.csv").write_text(table, encoding="utf-8")
    first, second = (dict(ROW.findall(text.split(f"\n## {step}. ")[1].split("\n## ")[0])) for step in (4, 5))
    answers = iter((first, second))
    steps = commands(GUIDES / "first-package.md")
    assert [step.args[0] for step in steps] == ["new", "fill", "fill", "validate", "classify"]
    for step in steps:
        if step.args[0] == "fill":
            answer(Path("visits/QUESTIONS.xlsx"), next(answers))
        printed = run(step.args)
        assert agrees(step.expected, printed), printed
