"""The guides, followed word for word."""

import csv
import re
import shlex
import shutil
from pathlib import Path

import openpyxl
import pytest
from test_examples import ENVIRONMENT, Command, agrees, read, run

from cdmeta import profile
from cdmeta.framework import RULES
from cdmeta.workflows.map_package import map_package

ROOT = Path(__file__).parent.parent
GUIDES = ROOT / "docs" / "guides"
FIRST = [GUIDES / path for path in ("first-package.md", "es/primer-paquete.md", "fr/premier-paquet.md")]
REVIEWING = [GUIDES / path for path in ("reviewing.md", "es/revisar.md", "fr/examiner.md")]
BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def stem(value: object) -> str:
    """The name of a test's case: that of its guide, which is another in each language."""
    return value.stem if isinstance(value, Path) else "translations"


def commands(guide: Path) -> list[Command]:
    """The commands of a guide and what they print, in order."""
    return [command for block in BLOCK.findall(guide.read_text(encoding="utf-8")) for command in read(block)]


def language(guide: Path) -> str:
    """The language of a guide, from its folder; the English lie beside the folders."""
    return "en" if guide.parent == GUIDES else guide.parent.name


def follow(guide: Path, folder: Path, patch: pytest.MonkeyPatch) -> None:
    """Begin in an empty folder, in the language of the guide, set in the way that the guide tells its readers."""
    patch.chdir(folder)
    for name, value in ENVIRONMENT.items():
        patch.setenv(name, value)
    told = re.findall(r"^export (\w+)=(\w+)$", guide.read_text(encoding="utf-8"), re.MULTILINE)
    assert told == ([] if language(guide) == "en" else [("CDMETA_LANG", language(guide))])
    for name, value in told:
        patch.setenv(name, value)


@pytest.mark.parametrize("guide", REVIEWING, ids=stem)
def test_the_guide_for_reviewers(guide: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    follow(guide, tmp_path, monkeypatch)
    steps = commands(guide)
    assert [step.args[0] for step in steps] == ["keygen", "validate", "classify", "approve", "verify"]
    printed: list[str] = []
    for step in steps:
        args, *file = " ".join(step.args).split(" > ") if ">" in step.args else (step.args,)
        printed.append(run(args.split() if isinstance(args, str) else args))
        for name in file:
            # The line goes to the output, the words about it to the error output.
            Path(name).write_text("".join(line for line in printed[-1].splitlines(True) if "ssh-ed25519" in line))
        assert agrees(step.expected, printed[-1]), printed[-1]
    assert printed[-1].startswith(profile.texts(language(guide))["verify.approved"])


def test_the_guide_for_dissemination(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    guide = GUIDES / "converting.md"
    follow(guide, tmp_path, monkeypatch)
    for step in commands(guide):
        args, *file = step.line.removeprefix("cdmeta ").split(" > ")
        printed = run(shlex.split(args))
        for name in file:
            Path(name).write_text("".join(line for line in printed.splitlines(True) if "ssh-ed25519" in line))
        assert agrees(step.expected, printed), printed
        assert "[exit" not in printed, printed
    assert {path.name for path in tmp_path.iterdir()} >= {
        "draft",
        "sdmx-ml",
        "sdmx-csv",
        "dotstat",
        "sdg",
        "imported",
        "site",
    }


def test_the_guide_for_mappings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    guide = GUIDES / "mapping.md"
    follow(guide, tmp_path, monkeypatch)
    for step in commands(guide):
        printed = run(shlex.split(step.line.removeprefix("cdmeta ")))
        assert agrees(step.expected, printed), printed
    assert (tmp_path / "theirs" / "data-satisfaction.xml").is_file()


def test_the_mapping_of_the_guide_is_the_proposal_but_for_what_the_guide_says(tmp_path: Path) -> None:
    edited = ROOT / "examples" / "structures" / "mapping"
    package, structure = (
        ROOT / "examples" / "public-service-satisfaction" / "package",
        edited.parent / "sdg-like.xml",
    )
    map_package(package, (str(structure),), tmp_path)
    changed = {
        path.name: [
            (new["component"] if "component" in new else new["source"], *(new[k] for k in new if new[k] != old[k]))
            for old, new in zip(sheet(tmp_path / path.name), sheet(path), strict=True)
            if old != new
        ]
        for path in sorted(edited.glob("*.csv"))
    }
    assert changed == {
        "codes-satisfaction-DISABILITY_STATUS.csv": [("WITH", "PD"), ("WITHOUT", "PND")],
        "codes-satisfaction-NATURE.csv": [],
        "codes-satisfaction-REF_AREA.csv": [("_T", "XA")],
        "mapping.csv": [
            ("REPORTING_TYPE", "N"),
            ("SERIES", "MU_SAT_SERVICES"),
            ("UNIT_MULT", "0"),
            ("UNIT_MEASURE", "", "PT", ""),
        ],
    }


def sheet(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.mark.parametrize("guide", REVIEWING, ids=stem)
def test_the_guide_for_reviewers_has_every_open_rule(guide: Path) -> None:
    """A rule whose outcome is ASSESS has a row with questions; no other has."""
    rows = re.findall(r"^\| `(\w\d)` \|", guide.read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(rows) == sorted(rule.id for rule in RULES if rule.outcome == "ASSESS")


LINKING = [*sorted(GUIDES.rglob("*.md")), ROOT / "README.md", ROOT / "docs" / "translating.md"]


@pytest.mark.parametrize("guide", LINKING, ids=stem)
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


ROW = re.compile(r"^\| (?!---)([^|]+) \| ([^|]+) \|$", re.MULTILINE)


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


@pytest.mark.parametrize("guide", FIRST, ids=stem)
def test_a_guide_names_the_tabs_of_the_sheet(guide: Path) -> None:
    named = {" ".join(name.split()) for name in re.findall(r"(?<!\*)\*([^*]+)\*(?!\*)", guide.read_text("utf-8"))}
    texts = profile.texts(language(guide))
    assert {texts[f"form.tab.{tab}"] for tab in ("core", "conditional", "recommended", "codes")} <= named


def answers_of(step: str) -> dict[str, str]:
    """The rows of the table of answers in a part of a guide, without its head."""
    return dict(ROW.findall(step)[1:])


@pytest.mark.parametrize("guide", FIRST, ids=stem)
def test_thirty_minutes_to_a_valid_package(guide: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = guide.read_text(encoding="utf-8")
    follow(guide, tmp_path, monkeypatch)
    (name,) = set(re.findall(r"`(\w+\.csv)`", text))
    (table,) = re.findall(r"^```csv\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    Path(name).write_text(table, encoding="utf-8")
    answers = iter([answers_of(text.split(f"\n## {step}. ")[1].split("\n## ")[0]) for step in (4, 5)])
    steps = commands(guide)
    assert [step.args[0] for step in steps] == ["new", "fill", "fill", "validate", "classify"]
    for step in steps:
        if step.args[0] == "fill":
            answer(Path(step.args[2]), next(answers))
        printed = run(step.args)
        assert agrees(step.expected, printed), printed
    assert next(answers, None) is None


@pytest.mark.parametrize(("english", "others"), [(FIRST[0], FIRST[1:]), (REVIEWING[0], REVIEWING[1:])], ids=stem)
def test_the_translations_say_as_much_as_the_english(english: Path, others: list[Path]) -> None:
    """As many sections, commands, steps and links, though not in the same words."""
    assert sorted(path.parent.name for path in others) == ["es", "fr"]
    for other in others:
        assert shape(other) == shape(english)


SHAPE = {"sections": r"^##+ ", "commands": r"^\$ ", "list": r"^(?:-|\d\.) ", "links": r"\]\((?!https:)"}


def shape(guide: Path) -> dict[str, int]:
    text = guide.read_text(encoding="utf-8")
    return {part: len(re.findall(pattern, text, re.MULTILINE)) for part, pattern in SHAPE.items()}


@pytest.mark.parametrize("guide", FIRST + REVIEWING, ids=stem)
def test_a_guide_names_the_others_in_their_languages(guide: Path) -> None:
    line = guide.read_text(encoding="utf-8").splitlines()[2]
    kind = FIRST if guide in FIRST else REVIEWING
    linked = {(guide.parent / target).resolve() for target in re.findall(r"\]\(([^)]+)\)", line)}
    assert linked == {path.resolve() for path in kind if path != guide}
