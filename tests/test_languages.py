"""Languages: files in a folder, English part by part, the closest language to the one wanted."""

from collections.abc import Iterator
from pathlib import Path

import languages
import pytest

from cdmeta import profile
from cdmeta.phrase import Citation

KIND = "citizenData.initiators[].kind"


@pytest.fixture
def qq(tmp_path: Path) -> Iterator[Path]:
    """A made-up language that covers one text of each file."""
    folder = tmp_path / "qq"
    languages.write(folder, "fields", {(KIND,): {"title": "Qind"}})
    languages.write(folder, "codelists", {("CL_ACCESS",): {"description": "Qualls."}})
    languages.write(folder, "codes", {("CL_ACCESS", "OPEN"): {"name": "Qopen"}})
    languages.write(folder, "rules", {("CD130",): {"message": "“{title}” qis qmissing. {question}"}})
    languages.write(folder, "texts", {("report.error",): {"text": "Qerrors"}, ("report.warning",): {"text": ""}})
    with languages.using(tmp_path):
        yield folder


def test_english_is_there_first() -> None:
    assert profile.languages()[0] == "en"


@pytest.mark.parametrize(
    ("tag", "language"),
    [
        ("en", "en"), ("qq", "qq"), ("QQ", "qq"), ("qq-CO", "qq"), ("qq_CO", "qq"), ("qq-Latn-CO", "qq"),
        ("q", "en"), ("qqq", "en"), ("pt", "en"), ("", "en"), ("en-GB", "en"), ("../qq", "en"),
        ("zz", "zz-Hant"), ("zz-Hant-TW", "zz-Hant"), ("zz-Hans", "zz-Hant"),
    ],
)  # fmt: skip
def test_the_closest_language_is_taken(qq: Path, tag: str, language: str) -> None:
    (qq.parent / "zz-Hant").mkdir()
    assert profile.languages() == ("en", "qq", "zz-Hant")
    assert profile.closest(tag) == language


def test_each_part_falls_back_to_english_by_itself(qq: Path) -> None:
    own, english = profile.load("qq-CO"), profile.load()
    assert own is profile.load("qq")
    assert own.fields[KIND].title == "Qind"
    assert own.fields[KIND].description == english.fields[KIND].description
    assert own.fields[KIND].example == english.fields[KIND].example
    assert own.codelists["CL_ACCESS"].description == "Qualls."
    assert own.codelists["CL_ACCESS"].name == english.codelists["CL_ACCESS"].name
    assert own.codelists["CL_ACCESS"].codes["OPEN"].name == "Qopen"
    assert own.codelists["CL_ACCESS"].codes["OPEN"].links == english.codelists["CL_ACCESS"].codes["OPEN"].links
    assert own.codelists["CL_ETHICS"] == english.codelists["CL_ETHICS"]
    assert own.rules["CD130"].message == "“{title}” qis qmissing. {question}"
    assert own.rules["CD130"].severity == english.rules["CD130"].severity
    assert own.rules["CD131"] == english.rules["CD131"]
    assert list(own.fields) == list(english.fields)
    assert list(own.rules) == list(english.rules)


def test_the_digest_is_of_the_version_and_no_language(qq: Path) -> None:
    assert profile.load("qq").digest == profile.load("en").digest == profile.digest(profile.folder())


def test_texts_fall_back_to_english_one_by_one(qq: Path) -> None:
    own, english = profile.texts("qq"), profile.texts()
    assert own == {**english, "report.error": "Qerrors"}
    assert profile.texts("qq-CO") is own
    assert profile.texts("pt") is english


def test_a_text_in_all_languages_holds_only_those_that_have_it(qq: Path) -> None:
    english = profile.load()
    kind = english.fields[KIND]
    assert profile.in_languages("fields", KIND, "title").as_dict() == {"en": kind.title, "qq": "Qind"}
    assert profile.in_languages("fields", KIND, "description").as_dict() == {"en": kind.description}
    assert profile.in_languages("fields", KIND, "when").as_dict() == {}
    assert profile.in_languages("codes", ("CL_ACCESS", "OPEN"), "name").as_dict() == {
        "en": english.codelists["CL_ACCESS"].codes["OPEN"].name,
        "qq": "Qopen",
    }
    assert profile.in_languages("texts", "report.warning", "text").as_dict() == {"en": "Warnings"}
    assert profile.in_languages("fields", "nothing", "title").as_dict() == {}


def test_english_words_are_those_of_the_profile() -> None:
    english = profile.load()
    assert [key[0] for key in profile.words("fields")] == list(english.fields)
    assert [key[0] for key in profile.words("rules")] == list(english.rules)
    codes = [(entry.id, code) for entry in english.codelists.values() for code in entry.codes]
    assert list(profile.words("codes")) == codes
    name = english.codelists["CL_ACCESS"].codes["OPEN"].name
    description = english.codelists["CL_ACCESS"].codes["OPEN"].description
    assert profile.words("codes")["CL_ACCESS", "OPEN"] == {"name": name, "description": description}


def test_find_speaks_the_language(qq: Path) -> None:
    assert profile.find("OPEN", "qq").name == "Qopen"  # type: ignore[union-attr]  # it is a code


@pytest.mark.parametrize(
    ("citation", "spanish"),
    [
        ("Principles 3 and 9; ¶21", "principios 3 y 9; ¶21"),
        ("Principle 7; Data Package 2.0, name", "principio 7; Data Package 2.0, name"),
        ("Box 1, ¶24, Table 2, ¶14", "recuadro 1, ¶24, cuadro 2, ¶14"),
        ("Table Schema 2.0, hash and bytes", "Table Schema 2.0, hash and bytes"),
    ],
)
def test_places_in_the_framework_are_told_in_the_readers_language(citation: str, spanish: str) -> None:
    assert Citation(citation).told("es-CO") == spanish
    assert Citation(citation).told("en") == str(Citation(citation)) == citation
