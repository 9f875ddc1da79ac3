"""The command line in another language: how it is chosen, what is told in it, and what stays in English."""

import gettext
import json
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import click
import languages
import pytest
from commands import run

from cdmeta import profile
from cdmeta.cli import COMMANDS, module_of
from cdmeta.cli.language import chosen
from cdmeta.phrase import Phrase

EXAMPLES = Path(__file__).parent.parent / "examples"
PACKAGE = str(EXAMPLES / "public-service-satisfaction" / "package")
TEXTS = {
    "help.validate": "Qcheck a PACKAGE.",
    "help.validate.in-short": "Qcheck.",
    "help.validate.gate": "Qgate.",
    "help.lang": "Qlanguage.",
    "click.usage": "Qusage:",
    "click.missing.argument": "Qmissing argument",
    "click.choice": "{value!r} qis qno {choice}.|{value!r} qis qnone qof {choices}.",
    "click.error": "Qerror: {message}",
    "error.package.absent": "qis qnot qthere.",
    "os.ENOENT": "qno qfile",
    "report.error": "Qerrors",
    "number.thousand": "1\u202f000",
    "plural.forms": "n%10==1 && n%100!=11 ? 0 : n%10>=2 && n%10<=4 ? 1 : 2",
    "report.more": "qone {count:,}|qfew {count:,}|qmany {count:,}",
}


@pytest.fixture
def qq(tmp_path: Path) -> Iterator[Path]:
    languages.write(tmp_path / "qq", "texts", {(key,): {"text": text} for key, text in TEXTS.items()})
    languages.write(
        tmp_path / "qq", "rules", {("CD101",): {"title": "Qunreadable", "message": "{path} q: {reason}."}}
    )
    with languages.using(tmp_path):
        yield tmp_path


@pytest.mark.parametrize(
    ("args", "environment", "language"),
    [
        ([], {}, "en"),
        ([], {"LANG": "qq_CO.UTF-8"}, "qq"),
        ([], {"LANG": "qq_CO@euro"}, "qq"),
        ([], {"LANG": "qq"}, "qq"),
        ([], {"LANG": "C"}, "en"),
        ([], {"LANG": "C.UTF-8"}, "en"),
        ([], {"LANG": "POSIX"}, "en"),
        ([], {"LANG": "pt_BR.UTF-8"}, "en"),
        ([], {"LANG": "../../qq"}, "en"),
        ([], {"LANG": "en_GB.UTF-8", "LC_MESSAGES": "qq_CO.UTF-8"}, "qq"),
        ([], {"LANG": "qq_CO.UTF-8", "LC_ALL": "C"}, "en"),
        ([], {"LC_ALL": "", "LANG": "qq"}, "qq"),
        ([], {"LC_ALL": "C", "CDMETA_LANG": "qq"}, "qq"),
        (["--lang", "qq", "validate"], {"LANG": "en"}, "qq"),
        (["validate", "--lang", "qq-CO"], {}, "qq"),
        (["validate", "--lang=qq"], {}, "qq"),
        (["--lang", "qq", "validate", "--lang", "en"], {}, "en"),
        (["validate", "--", "--lang", "qq"], {}, "en"),
        (["validate", "--lang"], {"LANG": "qq"}, "qq"),
    ],
)
def test_the_language_is_that_asked_for_or_that_of_the_environment(
    qq: Path, args: list[str], environment: dict[str, str], language: str
) -> None:
    assert chosen(args, environment) == language


def test_help_and_the_words_of_click_are_told_in_it(qq: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "validate", "--help", "--lang", "qq")
    assert code == 0
    assert out.startswith("Qusage: cdmeta validate")
    assert "Qcheck a PACKAGE." in out
    assert "Qgate." in out
    assert "Qlanguage." in out
    assert "Show this message and exit." in out
    assert "Qcheck." in run(capsys, "--lang", "qq", "--help")[1]
    assert "Qmissing argument 'PACKAGE...'" in run(capsys, "--lang=qq", "validate")[2]
    assert "Qerror: " in run(capsys, "--lang=qq", "validate")[2]
    assert (
        "'x' qis qnone qof 'publish', 'official'."
        in run(capsys, "validate", ".", "--gate", "x", "--lang", "qq")[2]
    )


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (["valida"], 'There is no command "valida". Did you mean validate?'),
        (["Aprove"], 'There is no command "Aprove". Did you mean approve?'),
        (["valida", "--lang", "es"], 'No existe el comando "valida". ¿Quiso decir validate?'),
        (["zzz"], "No such command 'zzz'."),
    ],
)
def test_a_command_that_comes_near_is_named(
    args: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = run(capsys, *args)
    assert (code, err.splitlines()[-1]) == (2, f"Error: {told}")


def test_the_next_command_speaks_english_again(qq: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = gettext.dgettext, gettext.dngettext
    run(capsys, "validate", "--help", "--lang", "qq")
    assert (gettext.dgettext, gettext.dngettext) == before
    out = run(capsys, "validate", "--help")[1]
    assert "Qcheck" not in out
    assert out.startswith("Usage: ")


def test_errors_and_findings_are_told_in_it_and_fall_back_part_by_part(
    qq: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(capsys, "validate", "no-such", "--lang", "qq")[2] == "cdmeta: no-such: qis qnot qthere.\n"
    (tmp_path / "p").mkdir()
    (tmp_path / "p" / "datapackage.json").write_text("", encoding="utf-8")
    out = run(capsys, "--lang", "qq", "validate", str(tmp_path / "p"))[1]
    assert "QERRORS" in out
    assert "CD101 Qunreadable" in out
    assert "datapackage.json q: it is empty." in out
    assert "To mend: Open datapackage.json" in out
    code, out, _ = run(capsys, "validate", str(tmp_path / "p"), "--format", "json", "--lang", "qq-CO")
    assert (code, json.loads(out)["language"]) == (1, "qq")
    assert json.loads(out)["findings"][0]["message"] == "datapackage.json q: it is empty."


def test_what_is_no_language_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run(capsys, "--lang", "!", "validate", PACKAGE)
    assert code == 2
    assert "is no language tag" in err
    assert run(capsys, "--lang", "pt", "validate", PACKAGE)[0] == 0


@pytest.mark.parametrize(
    ("count", "told"),
    [(1, "qone 1"), (3, "qfew 3"), (11, "qmany 11"), (21, "qone 21"), (12_345, "qmany 12\u202f345")],
)
def test_forms_and_numbers_are_those_of_the_language(qq: Path, count: int, told: str) -> None:
    assert Phrase("report.more", {"count": count}).told("qq") == told


def test_a_text_that_stays_in_english_has_its_english_form(qq: Path) -> None:
    of_files = [Phrase("package.files", {"count": count}).told("qq") for count in (1, 2, 21)]
    assert of_files == ["1 file", "2 files", "21 files"]


def test_a_new_language_needs_no_code_to_explain_or_classify(qq: Path, capsys: pytest.CaptureFixture[str]) -> None:
    languages.write(qq / "qq", "fields", {("citizenData.purpose",): {"title": "Qpurpose"}})
    languages.write(qq / "qq", "codes", {("CL_ACCESS", "OPEN"): {"name": "Qopen"}})
    languages.forget()
    unofficial = profile.texts()["translation.unofficial"]
    out = run(capsys, "explain", "purpose", "--lang", "qq")[1]
    assert out.startswith("citizenData.purpose: Qpurpose\n")
    assert " ".join(out.split()).count(unofficial) == 1
    assert "OPEN: Qopen" in run(capsys, "explain", "OPEN", "--lang", "qq")[1]
    assert run(capsys, "classify", PACKAGE, "--lang", "qq")[1].count(unofficial) == 1
    assert unofficial not in run(capsys, "classify", PACKAGE)[1]


def _commands() -> Iterator[tuple[str, click.Command]]:
    def walk(name: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
        yield name, command
        for below in command.commands.values() if isinstance(command, click.Group) else ():
            yield from walk(f"{name}.{below.name}", below)

    for name in COMMANDS:
        yield from walk(name, import_module(module_of(name)).command)


def test_every_command_and_option_has_its_help_among_the_texts() -> None:
    keys = {key for key in profile.texts() if key.startswith("help.")}
    wanted = {"help.cdmeta", "help.cdmeta.version", "help.lang", *(f"help.{name}.in-short" for name in COMMANDS)}
    for name, command in _commands():
        wanted.add(f"help.{name}")
        options = [param.name for param in command.params if isinstance(param, click.Option)]
        wanted |= {f"help.{name}.{option}" for option in options if option != "lang"}
    assert wanted - keys == set()
    assert {key for key in keys - wanted if not key.endswith(".lang")} == set()
