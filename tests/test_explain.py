"""`cdmeta explain`: everything that has a name can be explained, and nothing is invented."""

import pytest
from click.testing import CliRunner
from commands import run

from cdmeta import profile
from cdmeta.cli.explain import command
from cdmeta.errors import UnknownNameError
from cdmeta.workflows.explain import explain

PROFILE = profile.load()
NAMES = [*PROFILE.rules, *PROFILE.fields, *PROFILE.codelists]


@pytest.mark.parametrize("name", NAMES)
def test_everything_that_has_a_name_can_be_explained(name: str) -> None:
    text = explain(name)
    assert text.startswith(f"{name}")
    assert all(len(line) <= 92 or " " not in line.strip() for line in text.splitlines())


def test_a_rule() -> None:
    text = explain("CD138")
    assert text == (
        "CD138: Nobody can be asked\n"
        "In a package to be published: error. At the gate of a statistical office: error.\n"
        "\n"
        "What it says\n"
        "  None of the contributors can be reached.\n"
        "\n"
        "Why it matters\n"
        "  People must be able to ask about the data, and to ask that something be taken out.\n"
        "\n"
        "How to mend it\n"
        "  Give one contributor an email (a role mailbox is enough) or a path, the web address of a\n"
        "  form or of somebody who passes messages on.\n"
        "\n"
        "Rests on\n"
        "  Principles 7 and 8"
    )


def test_what_a_finding_fills_in_is_left_open() -> None:
    assert "What it says\n  … is not in the list ….…\n" in explain("CD132")


def test_a_field() -> None:
    text = explain("minors")
    assert text.startswith("citizenData.minors: Data about minors\n")
    assert "Those whom it concerns. It is asked when data about people were collected." in text
    assert "Are there data about, or from, people under legal age?" in text
    assert "Codes of CL_MINORS\n  YES: Yes. There are.\n" in text
    assert "SDMX concept\n  MINORS_COVERED\n" in text


def test_a_field_with_parts() -> None:
    assert "citizenData.initiators[].name, citizenData.initiators[].kind" in explain("initiators")


def test_a_code_list_with_its_short_forms() -> None:
    text = explain("cl_participation_level")
    assert "  L4 (4): Partnership. Planning and decisions were shared by agreement.\n" in text
    assert "citizenData.participation.collection" in text


def test_a_code_in_every_list_that_has_it() -> None:
    lists = [codelist for codelist in PROFILE.codelists.values() if "NONE" in codelist.codes]
    text = explain("NONE")
    assert len(lists) > 5
    assert text.count("In the list\n") == len(lists)
    for codelist in lists:
        assert f"{codelist.id} ({codelist.name})" in text


def test_an_id_of_the_domain_gives_all_its_rules() -> None:
    text = explain("c02")
    assert "CD302 (C02)" in text
    assert "CD322 (C02)" in text


def test_an_unknown_name() -> None:
    with pytest.raises(UnknownNameError, match=r"Did you mean purpose\?"):
        explain("purpos")


def test_the_command() -> None:
    result = CliRunner().invoke(command, ["CD138"])
    assert (result.exit_code, result.output) == (0, f"{explain('CD138')}\n")


def test_an_unknown_name_ends_with_2_and_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, told = run(capsys, "explain", "purpos")
    assert code == 2
    assert told == ('cdmeta: There is no rule, field, code list or code called "purpos". Did you mean purpose?\n')
