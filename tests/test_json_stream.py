"""JSON as a stream says what Python's decoder says, wherever it is cut; SDMX-JSON with its parts in any order."""

import json
import tracemalloc
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sdmx_observed import ARTEFACTS, ROWS, by_time
from test_sdmx_data import js, written

from cdmeta.errors import ConversionError
from cdmeta.formats import data_reading, json_stream, kinds, sdmx_json_read
from cdmeta.formats.json_stream import JsonStream
from cdmeta.sdmx.store import Store
from cdmeta.tables.engine import data_session

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=20,
)


def stream(text: str | bytes) -> JsonStream:
    return JsonStream(BytesIO(text.encode() if isinstance(text, str) else text))


def as_decoded(text: str) -> Any:
    """What Python's decoder says, numbers as the readers of messages take them."""
    return json.loads(text, parse_float=str, parse_int=lambda number: int(number) if len(number) < 16 else number)


def walked(message: JsonStream) -> Any:
    """The value that is next, gone through as far as it can be."""
    kind = message.first()
    if kind == "{":
        return {name: walked(message) for name in message.members()}
    if kind == "[":
        return [walked(message) for _ in message.items()]
    return message.value()


SIZES = [4, 5, 7, 64, 1 << 18]


@pytest.fixture(params=SIZES)
def cut(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_stream, "_CHUNK", request.param)


@given(value=VALUES, indent=st.sampled_from([None, 1]), size=st.sampled_from(SIZES), plain=st.booleans())
def test_any_value_is_read_as_by_the_decoder_wherever_it_is_cut(
    value: Any, indent: int | None, size: int, *, plain: bool
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_stream, "_CHUNK", size)
        read_every_way(json.dumps({"a": value, "b": [value, {"c": value}]}, indent=indent, ensure_ascii=plain))


def read_every_way(text: str) -> None:
    wanted = as_decoded(text)
    assert stream(text).value() == wanted
    assert walked(stream(text)) == wanted
    assert dict(stream(text).pairs()) == wanted
    behind = stream(f"[{text}, 7]")
    for number, _ in enumerate(behind.items()):
        if number == 0:
            behind.skip()
        else:
            assert behind.value() == 7
    behind.end()


@pytest.mark.parametrize("number", ["1.5", "1e5", "-12E+34", "0.25e-10", "0"])
def test_a_number_is_read_whole_wherever_it_is_cut(cut: None, number: str) -> None:
    for before in range(12):
        text = " " * before + f"[{number}, {number}]"
        assert walked(stream(text)) == as_decoded(text)
        assert walked(stream(" " * before + number)) == as_decoded(number)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_every_encoding_of_json_is_read(cut: None, encoding: str) -> None:
    assert stream('{"é𝄞": [1.50, "ñ"]}'.encode(encoding)).value() == {"é𝄞": ["1.50", "ñ"]}


WRONG = {
    '{"a": 1,\n "b" 2}': r"line 2: Expecting ':' delimiter",
    '{"a": 1\n "b": 2}': r"line 2: Expecting ',' delimiter",
    '{"a": 1,\n}': r"line 2: Expecting property name",
    '{"a":\n\n nul}': r"line 3: Expecting value",
    '{"a": "b': r"line 1: Unterminated string",
    '{"a": 1} x': r"line 1: Extra data",
    '{"a": 1, "a": 2}': r'"a" twice|a',
    '{"a": NaN}': r"NaN",
    "": r"line 1: Expecting value",
}


@pytest.mark.parametrize("text", WRONG)
def test_what_is_no_json_is_told_with_its_line(cut: None, text: str) -> None:
    def read() -> None:
        message = stream(text)
        walked(message)
        message.end()

    with pytest.raises(ConversionError, match=WRONG[text]):
        read()


def test_members_that_are_taken_whole_may_be_wrong_too(cut: None) -> None:
    for text in ('{"a": [1, 2}', '{"a": {"b": 1, "b": 2}}', '{"a": 1 "b": 2}', '{"a": 1,}', "{a: 1}", '{"a" 1}'):
        with pytest.raises(ConversionError):
            list(stream(text).pairs())


def test_a_wrong_value_is_told_at_once_and_not_at_the_end_of_the_file() -> None:
    class Long(BytesIO):
        given = 0

        def read(self, size: int | None = -1) -> bytes:
            self.given += size or 0
            return super().read(size)

    source = Long(b'{"a": [1 2], "b": "' + b"x" * 50_000_000 + b'"}')
    with pytest.raises(ConversionError, match="line 1: Expecting ',' delimiter"):
        walked(JsonStream(source))
    assert source.given < 2_000_000


def test_what_has_no_end_is_refused_by_size_and_depth(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConversionError, match="nested too deeply"):
        stream("[" * 100_000).skip()
    with pytest.raises(ConversionError, match="nested too deeply"):
        stream("[" * 100_000).value()
    monkeypatch.setattr(json_stream, "MAX_BYTES", 1_000_000)
    for text in ('"' + "x" * 3_000_000, "[" + "1," * 1_500_000, '["' + "x" * 3_000_000):
        with pytest.raises(
            ConversionError, match="has a part, such as a code list or an observation, that is larger than"
        ):
            stream(text).value()
    with pytest.raises(ConversionError):
        stream('["' + "x" * 3_000_000).skip()


# Data messages


def rows(path: Path) -> list[dict[str, str]]:
    with data_session() as session:
        (found,) = data_reading.data(session, path, Store(ARTEFACTS))
        names = ", ".join(f'"{id_}"' for id_ in found.components)
        cells = session.connection.execute(f"SELECT {names} FROM {found.table} ORDER BY row").fetchall()
        assert found.ref is not None
    return [{id_: v for id_, v in zip(found.components, row, strict=True) if v is not None} for row in cells]


def turned(value: Any, *, deep: int) -> Any:
    """Objects with their members in the opposite order, down to a depth."""
    if isinstance(value, dict) and deep:
        return {name: turned(each, deep=deep - 1) for name, each in reversed(value.items())}
    return [turned(each, deep=deep - 1) for each in value] if isinstance(value, list) and deep else value


@pytest.mark.parametrize("version", ["2.0", "2.1"])
@pytest.mark.parametrize("by_series", [False, True], ids=["flat", "series"])
def test_the_order_of_the_parts_of_a_message_does_not_matter(
    tmp_path: Path, version: str, *, by_series: bool
) -> None:
    plain = json.loads(written(tmp_path, js(by_series=by_series, version=version)), parse_float=str)
    (tmp_path / "a.json").write_text(json.dumps(plain), encoding="utf-8")
    (tmp_path / "b.json").write_text(json.dumps(turned(plain, deep=4)), encoding="utf-8")
    wanted = [{k: v for k, v in row.items() if v is not None} for row in (by_time(ROWS) if by_series else ROWS)]
    assert rows(tmp_path / "a.json") == wanted
    assert sorted(rows(tmp_path / "b.json"), key=str_of) == sorted(wanted, key=str_of)
    # Attributes of series behind their observations.
    for data_set in plain["data"]["dataSets"]:
        for key, series in data_set.get("series", {}).items():
            data_set["series"][key] = dict(reversed(series.items()))
    (tmp_path / "c.json").write_text(json.dumps(plain), encoding="utf-8")
    assert rows(tmp_path / "c.json") == wanted


def str_of(row: dict[str, str]) -> str:
    return str(sorted(row.items()))


def test_of_several_structures_the_one_that_is_named_first_counts(tmp_path: Path) -> None:
    plain = json.loads(written(tmp_path, js(by_series=False)))
    plain["data"]["structures"].insert(0, {"name": "another"})
    (data_set,) = plain["data"]["dataSets"]
    data_set["structure"] = 1
    ordered = {"structure": 1} | {name: value for name, value in data_set.items() if name != "structure"}
    for first, is_told in ((ordered, True), (dict(reversed(ordered.items())), False)):
        plain["data"]["dataSets"] = [first]
        (tmp_path / "m.json").write_text(json.dumps(plain), encoding="utf-8")
        if is_told:
            assert len(rows(tmp_path / "m.json")) == len(ROWS)
        else:
            with pytest.raises(ConversionError, match="structure"):
                rows(tmp_path / "m.json")


@pytest.mark.parametrize("form", ["1.0", "2.0"])
def test_what_a_message_holds_is_told_by_its_first_members(tmp_path: Path, form: str) -> None:
    plain = json.loads(written(tmp_path, js(by_series=False)))
    whole = plain["data"] if form == "1.0" else plain
    text = json.dumps(whole)
    (tmp_path / "m.json").write_text(text, encoding="utf-8")
    assert kinds.kind(tmp_path / "m.json") == "data"
    # What comes behind is not looked at.
    assert sdmx_json_read.held(BytesIO(text[: text.index('"dataSets": [{') + 13].encode())) == "data"


def test_memory_does_not_grow_with_the_observations(tmp_path: Path) -> None:
    plain = json.loads(written(tmp_path, js(by_series=False)))
    (data_set,) = plain["data"]["dataSets"]
    values = next(iter(data_set.pop("observations").values()))
    text = json.dumps(plain)
    place = text.index('"action": "Information"')
    observations = ",".join(f'"0:0:0:{n % 3}": {json.dumps(values)}' for n in range(100_000))
    (tmp_path / "m.json").write_text(
        f'{text[:place]}"observations": {{{observations}}}, {text[place:]}', encoding="utf-8"
    )
    size = (tmp_path / "m.json").stat().st_size
    tracemalloc.start()
    try:
        assert len(rows_of(tmp_path / "m.json")) == 100_000
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert size > 10_000_000
    assert peak < size


def rows_of(path: Path) -> range:
    with data_session() as session:
        (found,) = data_reading.data(session, path, Store(ARTEFACTS))
    return range(found.rows)
