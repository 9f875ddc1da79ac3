import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdmeta.text import _LONG, Text, _placeholders, is_blank, is_language_tag, is_missing


def test_language_tags() -> None:
    for tag in ("en", "es-419", "zh-Hant-TW", "sl-rozaj", "en-x-plain", "tw"):
        assert is_language_tag(tag), tag
    wrong: list[object] = ["", "english!", "e", "en_GB", "en--GB", 7, None, "?"]
    assert not any(is_language_tag(tag) for tag in wrong)


def test_missing_is_no_answer_at_any_depth() -> None:
    missing: list[object] = [None, "", "  ", "?", [], {}, ["?"], {"en": "?"}, [{"name": " ", "kind": "?"}]]
    assert all(is_missing(value) for value in missing)
    answers: list[object] = [0, False, "x", ["?", "x"], {"en": "", "es": "sí"}]
    assert not any(is_missing(value) for value in answers)


def test_translations_stand_in_a_map_or_beside_the_key() -> None:
    assert Text.of({"en": "Well", "es": " Pozo "}, "en").entries == (("en", "Well"), ("es", "Pozo"))
    assert Text.at({"title": "Well", "title@es": "Pozo", "titles@fr": "Puits"}, "title", "en").as_dict() == {
        "en": "Well",
        "es": "Pozo",
    }
    assert Text.at({"title": {"en": "Well"}, "title@fr": 3}, "title", "es").as_dict() == {"en": "Well"}
    assert not Text.at({"title": "?"}, "title", "en")


def test_the_best_language_is_exact_then_primary_then_any() -> None:
    text = Text((("pt-BR", "a"), ("es", "b"), ("en", "c")))
    assert text.best("es-MX") == "b"
    assert text.best("pt") == "a"
    assert text.best("fr", "en") == "c"
    assert text.best("fr") == "a"
    assert Text().best("en") == ""


@given(
    st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda c: st.dictionaries(st.text(), c))
)
def test_no_json_breaks_a_text(value: object) -> None:
    assert all(part.strip() for _, part in Text.of(value, "en"))


@pytest.mark.parametrize(
    "text",
    ["TBD", "tbd.", "n/a", "N.A.", "xxx", "XXXX", "por definir", "Por  Definir…", "À définir", "a definir",
     "(to be confirmed)", "<fill in>", "---", "…", ".", "??", "pendiente"],
)  # fmt: skip
def test_what_only_holds_a_place_is_missing(text: str) -> None:
    assert is_missing(text)
    assert is_missing({"en": text, "fr": [" "]})
    assert not is_blank(text) or text == "?"


@pytest.mark.parametrize(
    "text", ["none", "ninguna", "NA", "na", "XX", "0", "_Z", "XXX-1", "todo el país", "🐟", "لا", "%", "no"]
)
def test_a_short_answer_is_an_answer(text: str) -> None:
    assert not is_missing(text)


def test_no_placeholder_is_long() -> None:
    """So a long text is told from one by its first letters; it stays missing where it has hardly any."""
    assert max(map(len, _placeholders())) < 50
    assert _LONG.match("a" * 50)
    assert not any(map(_LONG.match, [*_placeholders(), "x" * 500, " …" * 500, "é" * 500]))
    assert is_missing("x" * 500)
    assert is_missing(" …" * 500)
    assert not is_missing("é" * 500)


def test_a_label_of_data_is_no_answer_and_is_kept() -> None:
    assert Text.of("N/A", "en").best() == "N/A"
