"""What a translation lacks, has too much, or says with other names, codes and blanks than the English."""

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path

import languages
import pytest

from cdmeta import phrase, profile

TRANSLATIONS = ("es", "fr")
_BLANK = re.compile(r"{(\w*)[^{}]*}")
_NAMED = re.compile(
    r"\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b|\bCD[0-9]{3}\b|\b_[UZO]\b|(?<!\S)--[a-z][a-z-]+|\b[a-z]+[a-z0-9]*\.json\b"
    r"|\b[a-z]+(?:[A-Z][a-z]+)+\b|¶[0-9]+"
)


def missing(language: str) -> list[str]:
    """What is wrong with a translation, one line each; empty where it is whole."""
    return [f"{language}/{file}.csv {line}" for file in profile.TRANSLATED for line in _problems(language, file)]


def _problems(language: str, file: str) -> Iterator[str]:
    keys, columns = profile.TRANSLATED[file]
    path = phrase.locales().joinpath(language, f"{file}.csv")
    if not path.is_file():
        yield "is not there"
        return
    rows = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"), newline="")))
    if rows and set(rows[0]) != {*keys, *columns}:
        yield f"has the columns {', '.join(rows[0])}"
        return
    english = profile.words(file)
    given = [tuple(row[key] for key in keys) for row in rows]
    for key in sorted({key for key in given if given.count(key) > 1}):
        yield f"has {' '.join(key)} twice"
    for key in given:
        if key not in english:
            yield f"has {' '.join(key)}, which English has not"
    own = profile.words(file, language)
    for key, words in english.items():
        for column, text in words.items():
            yield from (f"{' '.join(key)} {column}: {said}" for said in _cell(text, own.get(key, {}).get(column)))


def _cell(english: str, own: str | None) -> Iterator[str]:
    if not own or not own.strip():
        yield "is missing"
        return
    for name, pattern in (("blanks", _BLANK), ("names and codes", _NAMED)):
        wanted, found = (_all(pattern, text) for text in (english, own))
        if wanted != found:
            yield f"other {name}: {', '.join(sorted(wanted ^ found))}"


def _all(pattern: re.Pattern[str], text: str) -> set[str]:
    return set(pattern.findall(text.replace("{{", "").replace("}}", "")))


@pytest.mark.parametrize("language", TRANSLATIONS)
def test_a_translation_is_whole(language: str) -> None:
    lines = missing(language)
    assert not lines, f"{len(lines)} problems:\n" + "\n".join(lines)


@pytest.mark.parametrize(
    ("language", "wrong"),
    [
        ("es", re.compile("[«»]|¿(?![^¿]*[?])|’")),
        ("fr", re.compile("[ \u202f][:;?!»]|«[^\u00a0]|[^\u00a0]»|[“”’]")),
    ],
)
def test_a_translation_keeps_the_signs_of_its_language(language: str, wrong: re.Pattern[str]) -> None:
    """Quotation marks, no-break spaces and apostrophes, as docs/translating.md has them."""
    cells = [
        (file, *key, column)
        for file in profile.TRANSLATED
        for key, words in profile.words(file, language).items()
        for column, text in words.items()
        if wrong.search(text)
    ]
    assert cells == []


@pytest.mark.parametrize("language", TRANSLATIONS)
def test_examples_of_answers_that_a_sheet_gives_first_are_in_the_language(language: str) -> None:
    english, own = profile.load().fields, profile.load(language).fields
    prose = {
        path: entry for path, entry in english.items()
        if entry.tier != "full" and entry.type in ("text", "string") and " " in entry.example
    }  # fmt: skip
    assert {path for path in english if own[path].example != english[path].example} == set(prose)
    for path in prose:
        assert own[path].example.strip()
        # What is made up says so in any language.
        assert ("invent" in own[path].example) == ("made up" in english[path].example), path


def test_english_has_each_key_once() -> None:
    path = phrase.locales().joinpath("en", "texts.csv")
    rows = list(csv.reader(io.StringIO(path.read_text(encoding="utf-8"), newline="")))
    assert [row for row in rows if len(row) != 2 or not row[1].strip()] == []
    assert len({row[0] for row in rows}) == len(rows)


@pytest.mark.parametrize(
    ("key", "own", "problem"),
    [
        (("report.error",), {"text": ""}, "texts.csv report.error text: is missing"),
        (("report.error",), {"text": " "}, "texts.csv report.error text: is missing"),
        (
            ("report.near",),
            {"text": "¿Es {otro!r}?"},
            "texts.csv report.near text: other blanks: near, otro",
        ),
        (("nothing",), {"text": "Nada"}, "texts.csv has nothing, which English has not"),
        (
            ("explain.withhold",),
            {"text": "SEGURIDAD"},
            "texts.csv explain.withhold text: other names and codes: WITHHELD_SAFETY",
        ),
        (("report.near",), {"text": "¿Quiso decir {near!r}?"}, None),
    ],
)
def test_what_is_wrong_is_found(
    key: tuple[str, ...], own: dict[str, str], problem: str | None, tmp_path: Path
) -> None:
    languages.write(tmp_path / "qq", "texts", {key: own})
    with languages.using(tmp_path):
        found = [line for line in missing("qq") if f" {key[0]} " in f"{line.replace(',', ' ')} "]
    assert found == ([f"qq/{problem}"] if problem else [])


def test_files_that_are_not_there_are_told(tmp_path: Path) -> None:
    (tmp_path / "qq").mkdir()
    with languages.using(tmp_path):
        assert missing("qq") == [f"qq/{file}.csv is not there" for file in profile.TRANSLATED]
