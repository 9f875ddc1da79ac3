"""What tables and files give away: each rule at its edges, k and l against others, and no value in any output."""

from __future__ import annotations

import csv
import datetime as dt
import gzip
import io
import json
import logging
import re
import shutil
import subprocess
import sys
import zipfile
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
import hypothesis
import pytest
from commands import exit_code
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook
from rule_cases import exif

from cdmeta import pictures, profile
from cdmeta.checks import disclosure
from cdmeta.checks.columns import column_words, identifier_words, identity_modules, thresholds, tokens
from cdmeta.errors import ConversionError
from cdmeta.finding import Finding
from cdmeta.identifiers import has_iban, is_national_id, is_phone
from cdmeta.package import Package, load
from cdmeta.reporters import REPORTERS, render
from cdmeta.tables.engine import small_session
from cdmeta.tables.loading import tables
from cdmeta.workflows.validate import validate

MICRO = {"personalDataCollected": "ORDINARY", "releaseForm": "ANON_MICRO", "accessRights": "OPEN"}
AGGREGATE = {"personalDataCollected": "ORDINARY", "releaseForm": "AGGREGATE", "accessRights": "OPEN"}
THINGS = {"personalDataCollected": "NONE", "releaseForm": "NON_PERSONAL", "accessRights": "OPEN"}
Columns = dict[str, Any]


def field(name: str, given: Any) -> dict[str, Any]:
    """A field: a role, or the members of its descriptor."""
    if isinstance(given, str):
        return {"name": name, "type": "string", "citizenData": {"disclosureRole": given}}
    entry = {"name": name, "type": "string", **given}
    role = entry.pop("role", "NONE")
    note = {"disclosureNote": entry.pop("note")} if "note" in entry else {}
    return entry | ({"citizenData": {"disclosureRole": role} | note} if role else {})


def text(rows: Iterable[Sequence[Any]]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue()


def make(
    folder: Path, answers: Mapping[str, Any], columns: Columns, rows: Iterable[Sequence[Any]], **schema: Any
) -> Path:
    """A package of one table."""
    folder.mkdir(exist_ok=True)
    fields = [field(name, given) for name, given in columns.items()]
    resource = {"name": "t", "path": "t.csv", "format": "csv", "schema": {"fields": fields, **schema}}
    (folder / "t.csv").write_text(text([list(columns), *rows]), encoding="utf-8")
    write(folder, answers, resource)
    return folder


def write(folder: Path, answers: Mapping[str, Any], *resources: Mapping[str, Any]) -> None:
    descriptor = {"name": "x", "citizenData": dict(answers), "resources": list(resources)}
    (folder / "datapackage.json").write_text(json.dumps(descriptor), encoding="utf-8")


def findings(folder: Path) -> list[Finding]:
    return list(disclosure.check(load(folder)))


def found(folder: Path) -> list[tuple[str, str | None, int | None]]:
    """Code, column and row of all findings but the one that says that nothing is proven."""
    return [(f.code, f.where.field, f.where.row) for f in findings(folder) if f.code != "CD538"]


def codes(folder: Path) -> set[str]:
    return {code for code, _, _ in found(folder)}


def one(folder: Path, answers: Mapping[str, Any], given: Any, values: Iterable[Any], name: str = "c") -> set[str]:
    """The codes for a package of one column beside one of places, of which there are enough alike."""
    rows = [(value, "HILL") for value in values]
    return codes(make(folder, answers, {name: given, "area": "LOCATION"}, rows))


# Data of the profile


def test_every_threshold_is_used_and_is_as_strict_where_data_are_sensitive() -> None:
    modules = ("disclosure", "columns", "identifying", "microdata", "aggregates", "places")
    source = "".join(Path(disclosure.__file__).with_name(f"{name}.py").read_text() for name in modules)
    for name, (plain, sensitive) in thresholds().items():
        assert re.search(rf"""["']{name.removesuffix("-site")}["']""", source), name
        smaller = name in ("decimals", "geohash", "plus-code", "t-closeness", "t-closeness-ordered")
        assert sensitive <= plain if smaller else sensitive >= plain, name
    assert all(row["source"] for row in profile.table("thresholds.csv"))


def test_word_lists_are_in_three_languages_and_without_accents() -> None:
    for table in ("direct-identifiers.csv", "column-words.csv", "text-words.csv"):
        rows = profile.table(table)
        assert {"en", "es", "fr"} <= {row["language"] for row in rows}
        if table == "text-words.csv":
            # These are looked for in texts, with their accents.
            continue
        assert all(row["words"] == " ".join(tokens(row["words"])) for row in rows if row["language"] != "sdmx")
        assert len({(row["words"], row["kind"], row["language"]) for row in rows}) == len(rows)
    kinds = {kind for _, kind, _ in identifier_words()}
    assert {f"identifier.{kind}" for kind in kinds} <= profile.texts().keys()
    assert {"quasi", "age", "people", "establishments", "share", "total"} <= column_words().keys()


def test_every_module_of_identity_numbers_is_there_and_can_refuse() -> None:
    for row in profile.table("national-ids.csv"):
        assert identity_modules((row["country"],), True)
        assert not is_national_id("no number", (row["module"],))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("FirstName", ("first", "name")),
        ("prénom_usuel", ("prenom", "usuel")),
        ("a.b-C2", ("a", "b", "c2")),
        ("", ()),
    ],
)
def test_words_of_a_name(name: str, words: tuple[str, ...]) -> None:
    assert tokens(name) == words


# D01, D02


def test_roles_are_asked_for_where_data_are_about_people(tmp_path: Path) -> None:
    columns: Columns = {"a": {"role": ""}, "b": "NONE"}
    for answers, expected in ((AGGREGATE, {"CD505"}), (MICRO, {"CD506", "CD516"}), (THINGS, set())):
        assert codes(make(tmp_path, answers, columns, [("x", "y")])) == expected
    (told,) = findings(make(tmp_path, AGGREGATE, columns, [("x", "y")]))
    assert (told.where.pointer, told.params["count"]) == ("/resources/0", 1)


def test_a_table_of_codes_needs_no_roles(tmp_path: Path) -> None:
    make(tmp_path, MICRO, {"area": "LOCATION"}, [("HILL",)] * 5)
    given = json.loads((tmp_path / "datapackage.json").read_bytes())
    areas = {"name": "areas", "path": "areas.csv", "schema": {"fields": [{"name": "id"}, {"name": "name"}]}}
    (tmp_path / "areas.csv").write_text("id,name\nHILL,Hill\n")
    write(tmp_path, MICRO, *given["resources"], areas)
    assert codes(tmp_path) == {"CD506", "CD507", "CD516"}
    key = {"fields": "area", "reference": {"resource": "areas", "fields": "id"}}
    given["resources"][0]["schema"]["foreignKeys"] = [key]
    write(tmp_path, MICRO, *given["resources"], areas)
    assert codes(tmp_path) == set()


@pytest.mark.parametrize(
    ("name", "in_figures", "in_records"),
    [
        ("first_name", True, True),
        ("Apellidos", True, True),
        ("prénom", True, True),
        ("phone_2", True, True),
        ("name", False, True),
        ("Nombre", False, True),
        ("id", False, True),
        ("water_point_name", False, False),
        ("country_name", False, False),
        ("telephony", False, False),
        ("value", False, False),
    ],
)
def test_names_of_identifiers(tmp_path: Path, name: str, in_figures: bool, in_records: bool) -> None:
    values = ["something", "something"] * 5
    assert ("CD507" in one(tmp_path, AGGREGATE, {}, values, name)) == in_figures
    assert ("CD507" in one(tmp_path, MICRO, {}, values, name)) == in_records
    assert one(tmp_path, THINGS, {}, values, name) == set()
    assert "CD507" not in one(tmp_path, MICRO, {"note": "Made up."}, values, name)


def test_titles_count_as_names(tmp_path: Path) -> None:
    assert one(tmp_path, AGGREGATE, {"title": {"es": "Correo electrónico"}}, ["x"]) == {"CD507"}
    assert one(tmp_path, AGGREGATE, {"title": "Reached by phone"}, ["long enough"]) == set()


def test_a_direct_identifier_is_an_error_as_soon_as_it_has_values(tmp_path: Path) -> None:
    assert one(tmp_path, AGGREGATE, "DIRECT_ID", ["", "x"]) == {"CD508"}
    assert one(tmp_path, AGGREGATE, "DIRECT_ID", ["", ""]) == set()


# D03


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("Ask ama@example.org soon", "email"),
        ("José.Núñez@correo.example", "email"),
        ("Ring +254 712 345678", "phone"),
        ("Account GB82 WEST 1234 5698 7654 32.", "iban"),
        ("192.0.2.17", "ip"),
        ("2001:db8:85a3:0:0:8a2e:370:7334", "ip"),
        ("@ama_made_up", "handle"),
        ("https://www.facebook.com/ama.made.up", "handle"),
        ("ama at example", ""),
        ("+1 2 3", ""),
        ("GB83 WEST 1234 5698 7654 32", ""),
        ("1.2.3", ""),
        ("1.2.3.40", ""),
        ("1.2.3.256", ""),
        ("10:30:00", ""),
        ("@", ""),
        ("https://example.org/ama", ""),
        ("12/05/2024", ""),
    ],
)
def test_values_that_identify(tmp_path: Path, value: str, kind: str) -> None:
    rows = [("HILL", "plain"), ("HILL", value), ("HILL", "plain"), ("HILL", value)]
    columns: Columns = {"area": "LOCATION", "c": "NONE"}
    told = [f for f in findings(make(tmp_path, AGGREGATE, columns, rows)) if f.code == "CD509"]
    assert [(f.where.field, f.where.row, f.params["count"], f.params["kind"].key) for f in told] == (
        [("c", 3, 2, f"identifier.{kind}")] if kind else []
    )
    weak = {"CD510"} if kind in ("ip", "handle") else {"CD509"} if kind else set()
    assert codes(make(tmp_path, THINGS, columns, rows)) == weak
    cleared = make(tmp_path, AGGREGATE, columns | {"c": {"note": "It is that of a desk."}}, rows)
    assert codes(cleared) == ({"CD536"} if kind else set())
    no_reason = make(tmp_path, AGGREGATE, columns | {"c": {"note": "tbd"}}, rows)
    assert codes(no_reason) == ({"CD509"} if kind else set())


PHONES = ["0712 345678", "0712 345679", "0712 345680", "0712 345681"]
KENYA = {**AGGREGATE, "jurisdiction": ["KE"]}


def test_national_phone_numbers_by_country_name_and_share(tmp_path: Path) -> None:
    assert one(tmp_path, KENYA, {}, PHONES) == {"CD509"}
    assert one(tmp_path, {**AGGREGATE, "geography": ["KE-30"]}, {}, PHONES) == {"CD509"}
    assert one(tmp_path, AGGREGATE, {}, PHONES) == set()
    assert one(tmp_path, KENYA, {}, [*PHONES[:2], "ABC", "DEF"]) == set()
    assert one(tmp_path, KENYA, {}, [PHONES[0], "ABC", "DEF"], "telefono") == {"CD509"}
    assert one(tmp_path, KENYA, {"type": "integer"}, ["712345678"], "phone") == {"CD509"}
    assert one(tmp_path, KENYA, {"type": "integer"}, [712345678 + n for n in range(9)]) == set()
    assert one(tmp_path, KENYA, {}, ["Call 0712 345678 at night", "ABC"]) == {"CD509"}


CPF = ["529.982.247-25", "111.444.777-35", "390.533.447-05", "168.995.350-09", "52998224725"]
BRAZIL = {**AGGREGATE, "jurisdiction": ["BR"]}


def test_identity_numbers_by_country_name_and_share(tmp_path: Path) -> None:
    assert all(is_national_id(number, ("br.cpf",)) for number in CPF)
    assert one(tmp_path, BRAZIL, {}, CPF) == {"CD509"}
    assert one(tmp_path, BRAZIL, {}, CPF[:4]) == set()
    assert one(tmp_path, BRAZIL, {}, [CPF[0], "x"], "cedula") == {"CD509"}
    assert one(tmp_path, KENYA, {}, CPF) == set()
    running = [f"{number:011}" for number in range(52998220000, 52998220300)]
    assert one(tmp_path, BRAZIL, {}, running) == set()
    assert (
        one(
            tmp_path,
            BRAZIL,
            {"type": "integer"},
            [52998224725, 11144477735, 39053344705, 16899535009, 52998224725],
        )
        == set()
    )


def test_judges_of_single_values() -> None:
    assert has_iban("DE89370400440532013000")
    assert not has_iban("DE88370400440532013000")
    assert is_phone("+254712345678", ())
    assert not is_phone("0712345678", ())
    assert is_phone("0712345678", ("KE",))
    assert not is_phone("no number", ("KE", "XX"))
    assert identity_modules(("CO",), True) == ("co.nit",)
    assert identity_modules(("CO",), False) == ()


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("opendata@city.example", "CD510"),
        ("Write to Open.Data@city.example, or info@city.example.", "CD510"),
        ("application.donneesouvertes@ville.example", "CD510"),
        ("mailto:datos-abiertos.info@ciudad.example", "CD510"),
        ("rainford@city.example", "CD509"),
        ("info.rainford", ""),
        ("info@city.example; ama@city.example", "CD509"),
        ("dataama@city.example", "CD509"),
    ],
)
def test_the_address_of_an_office_is_no_persons(tmp_path: Path, value: str, code: str) -> None:
    for answers in (AGGREGATE, THINGS):
        told = one(tmp_path, answers, {}, [value])
        assert told == ({code, "CD510"} if "info@" in value and code else {code} - {""})
    told = one(tmp_path, MICRO | {"accessRights": "OPEN"}, {"note": "It is that of a desk."}, [value] * 5)
    assert told == ({"CD536"} if code else set())


# D04


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("asked Mrs Agyeman about it", "name"),
        ("la señora Pérez no estaba", "name"),
        ("habló con la Dra. Núñez", "name"),
        ("M. Dupont était absent", "name"),
        ("lives at 12 Mill Road now", "address"),
        ("vive en la calle Los Olivos 45", "address"),
        ("Carrera 7 # 12 alto", "address"),
        ("habite 3 bis rue de la Paix", "address"),
        ("the road was closed for 12 days", ""),
        ("Mr and Mrs were not asked", ""),
        ("2 avenues for change", ""),
        ("waited 3 Long hours", ""),
        ("drs Said so", ""),
        ("on board the MS Zaandam", ""),
    ],
)
def test_texts_that_name_somebody(tmp_path: Path, value: str, kind: str) -> None:
    rows = [("HILL", "plain words only"), ("HILL", value)]
    columns: Columns = {"area": "LOCATION", "c": {}}
    told = [f for f in findings(make(tmp_path, AGGREGATE, columns, rows)) if f.code == "CD539"]
    assert [(f.where.field, f.where.row, f.params["count"], f.params["kind"].key) for f in told] == (
        [("c", 3, 1, f"identifier.{kind}")] if kind else []
    )
    assert codes(make(tmp_path, THINGS, columns, rows)) == set()
    assert codes(make(tmp_path, AGGREGATE, columns | {"c": {"note": "Made up."}}, rows)) == set()


# D05, D06, D16


WORDS = [f"visit {n} took long and nobody was there" for n in range(10)]


def test_free_text(tmp_path: Path) -> None:
    assert one(tmp_path, MICRO, {}, WORDS) == {"CD512"}
    assert one(tmp_path, MICRO | {"disclosureControl": ["REVIEWED_TEXT"]}, {}, WORDS) == set()
    assert one(tmp_path, AGGREGATE, {}, WORDS) == set()
    assert one(tmp_path, MICRO, {}, WORDS[:1] * 10) == set()
    assert one(tmp_path, MICRO, {}, [f"short {n} x" for n in range(10)]) == set()
    assert one(tmp_path, MICRO, {}, [word.replace(" ", "_") for word in WORDS]) == set()
    assert one(tmp_path, MICRO, {"categories": WORDS}, WORDS) == set()
    assert one(tmp_path, MICRO, "FREE_TEXT", ["x"] * 5) == {"CD512"}
    assert one(tmp_path, MICRO, {"note": "Read, and made up."}, WORDS) == set()


def test_columns_that_tell_nearly_every_record_apart(tmp_path: Path) -> None:
    many = [f"C{n}" for n in range(20)]
    assert one(tmp_path, MICRO, {}, many) == {"CD513"}
    assert one(tmp_path, MICRO, {}, many[:19]) == set()
    assert one(tmp_path, MICRO, {}, [*many[:19], "C0"]) == {"CD513"}
    assert one(tmp_path, MICRO, {}, [*many[:18], "C0", "C1"]) == set()
    assert one(tmp_path, AGGREGATE, {}, many) == set()
    assert one(tmp_path, MICRO, {"type": "number"}, range(20)) == set()
    assert one(tmp_path, MICRO, {"type": "number", "role": "WEIGHT"}, range(20)) == {"CD528"}
    rows = [(value, "HILL") for value in many]
    columns: Columns = {"c": "NONE", "area": "LOCATION"}
    assert codes(make(tmp_path, MICRO, columns, rows, primaryKey="c")) == set()
    assert codes(make(tmp_path, MICRO, columns, rows, uniqueKeys=[["c"]])) == set()
    assert codes(make(tmp_path, MICRO, columns, rows, primaryKey=["c", "area"])) == {"CD513"}


# D07, D08, D15, D19


@pytest.mark.parametrize(
    ("answers", "k"),
    [
        ({}, 5),
        ({"accessRights": "REGISTERED"}, 5),
        ({"accessRights": "RESTRICTED"}, 3),
        ({"accessRights": "ON_REQUEST"}, 3),
        ({"accessRights": None}, 5),
        ({"samplingMethod": "CENSUS"}, 10),
        ({"accessRights": "RESTRICTED", "samplingMethod": "CENSUS"}, 10),
        ({"accessRights": "RESTRICTED", "personalDataCollected": "SENSITIVE"}, 5),
        ({"releaseForm": "PSEUDONYMISED_MICRO"}, 5),
    ],
)
def test_how_many_have_to_be_alike(tmp_path: Path, answers: dict[str, Any], k: int) -> None:
    columns: Columns = {"age": "QUASI_ID", "area": "LOCATION"}
    for size, expected in ((k, set()), (k - 1, {"CD514"})):
        rows = [("A", "HILL")] * 20 + [("B", "HILL")] * size
        assert codes(make(tmp_path, MICRO | answers, columns, rows)) - {"CD527"} == expected
    (told,) = [f for f in findings(tmp_path) if f.code == "CD514"]
    assert {key: told.params[key] for key in ("k", "wanted", "records")} == {
        "k": k - 1,
        "wanted": k,
        "records": k - 1,
    }
    assert told.where.row == 22


def test_missing_answers_are_alike_and_count(tmp_path: Path) -> None:
    columns: Columns = {"age": "QUASI_ID", "area": "QUASI_ID"}
    rows = [("", "HILL")] * 5 + [("A", "HILL")] * 5
    assert codes(make(tmp_path, MICRO, columns, rows)) == set()
    assert codes(make(tmp_path, MICRO, columns, rows[1:])) == {"CD514"}


def test_columns_that_look_like_more_than_nothing(tmp_path: Path) -> None:
    assert one(tmp_path, MICRO, "NONE", ["A"] * 5, "age_group") == {"CD515"}
    assert one(tmp_path, MICRO, {"note": "Of the building."}, ["A"] * 5, "age") == set()
    assert one(tmp_path, AGGREGATE, "NONE", ["A"] * 5, "sexo") == set()
    assert codes(make(tmp_path, MICRO, {"a": "NONE"}, [("x",)])) == {"CD516"}


def test_a_secret_needs_two_answers_in_each_group(tmp_path: Path) -> None:
    columns: Columns = {"area": "LOCATION", "ill": "SENSITIVE"}
    mixed = [("HILL", "YES"), *[("HILL", "NO")] * 4]
    assert codes(make(tmp_path, MICRO, columns, mixed)) == set()
    assert codes(make(tmp_path, MICRO, columns, [*mixed, *[("RIVER", "YES")] * 5])) == {"CD517"}
    assert codes(make(tmp_path, MICRO, columns, [*mixed, *[("RIVER", "")] * 5])) == set()
    rows = [*mixed, ("RIVER", ""), *[("RIVER", "YES")] * 4]
    assert found(make(tmp_path, MICRO, columns, rows)) == [("CD517", "ill", 7)]
    assert "CD517" in codes(make(tmp_path, MICRO, {"ill": "SENSITIVE"}, [("YES",)] * 9))


def test_rare_categories(tmp_path: Path) -> None:
    def rows(count: int) -> list[tuple[str]]:
        return [("A",)] * 9 + [("B",)] * count + [("",)]

    restricted = MICRO | {"accessRights": "RESTRICTED"}
    assert "CD527" in codes(make(tmp_path, restricted, {"a": "QUASI_ID"}, rows(4)))
    assert "CD527" not in codes(make(tmp_path, restricted, {"a": "QUASI_ID"}, rows(5)))
    (told,) = [f for f in findings(make(tmp_path, restricted, {"a": "QUASI_ID"}, rows(4))) if f.code == "CD527"]
    assert (told.params["count"], told.params["records"], told.where.row) == (1, 4, 11)


RECORDS = st.lists(
    st.tuples(*[st.sampled_from(["", "A", "B"])] * 3, st.sampled_from(["X", "Y", "Z"])), min_size=1, max_size=40
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(RECORDS)
def test_k_and_l_are_what_counting_by_hand_gives(tmp_path: Path, rows: list[tuple[str, ...]]) -> None:
    groups: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for *keys, secret in rows:
        groups[tuple(keys)].append(secret)
    sizes = [len(group) for group in groups.values()]
    kinds = [len(set(group)) for group in groups.values()]
    folder = make(tmp_path, MICRO, dict.fromkeys("abcd", "NONE"), rows)
    with tables(load(folder)) as loaded:
        (table,) = loaded.tables
        *keys_of, secret_of = table.columns
        alike, secrets = table.groups(keys_of, 5), table.alike(keys_of, secret_of, 2)
    assert (alike.least, alike.small) == (min(sizes), sum(size < 5 for size in sizes))
    assert (alike.records, alike.unique) == (sum(size for size in sizes if size < 5), sizes.count(1))
    assert (secrets.least, secrets.small) == (min(kinds), kinds.count(1))
    assert secrets.records == sum(len(group) for group in groups.values() if len(set(group)) == 1)


@pytest.mark.skipif(sys.version_info >= (3, 13), reason="pycanon holds numpy to a version without wheels for it")
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(RECORDS)
def test_k_and_l_are_what_pycanon_gives(tmp_path: Path, rows: list[tuple[str, ...]]) -> None:
    import pandas as pd
    from pycanon import anonymity

    frame = pd.DataFrame(rows, columns=list("abcd"))
    folder = make(tmp_path, MICRO, dict.fromkeys("abcd", "NONE"), rows)
    with tables(load(folder)) as loaded:
        (table,) = loaded.tables
        *keys, secret = table.columns
        assert table.groups(keys, 5).least == anonymity.k_anonymity(frame, list("abc"))
        assert table.alike(keys, secret, 2).least == anonymity.l_diversity(frame, list("abc"), ["d"])


def _pycanon_t(frame: Any, secret: str) -> float:
    from pycanon import anonymity

    return float(anonymity.t_closeness(frame, ["a", "b"], [secret]))


@pytest.mark.skipif(sys.version_info >= (3, 13), reason="pycanon holds numpy to a version without wheels for it")
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(*[st.sampled_from("AB")] * 2, st.sampled_from("XYZ"), st.integers(0, 9)), min_size=2, max_size=40
    )
)
def test_t_is_what_pycanon_gives(tmp_path: Path, rows: list[tuple[Any, ...]]) -> None:
    import pandas as pd

    hypothesis.assume(len({row[3] for row in rows}) > 1)
    folder = make(tmp_path, MICRO, {**dict.fromkeys("abc", "NONE"), "d": {"type": "integer"}}, rows)
    frame = pd.DataFrame(rows, columns=list("abcd"))
    with tables(load(folder)) as loaded:
        (table,) = loaded.tables
        *keys, word, figure = table.columns
        for secret, is_ordered in ((word, False), (figure, True)):
            found, most = table.closeness(keys, secret, 0.3, is_ordered=is_ordered)
            assert most == pytest.approx(_pycanon_t(frame, secret.name), abs=1e-9)
            assert bool(found.small) == (most > 0.3)


def test_many_values_in_an_order_come_together(tmp_path: Path) -> None:
    """All of one group below all of the other: a quarter of the way, whatever the number of values."""
    for count in (10, 100, 1000):
        rows = [("A" if n < count / 2 else "B", n) for n in range(count)]
        folder = make(tmp_path, MICRO, {"a": "QUASI_ID", "d": {"type": "integer"}}, rows)
        with tables(load(folder)) as loaded:
            (table,) = loaded.tables
            _, most = table.closeness(table.columns[:1], table.columns[1], 0.3, is_ordered=True)
        assert most == pytest.approx(0.25, abs=0.03)


def test_secrets_that_are_likelier_in_a_group(tmp_path: Path) -> None:
    columns: Columns = {"area": "LOCATION", "ill": "SENSITIVE"}
    rows = [*[("HILL", "NO")] * 89, ("HILL", "YES"), *[("RIVER", "YES")] * 9, ("RIVER", "NO")]
    (told,) = [f for f in findings(make(tmp_path, MICRO, columns, rows)) if f.code == "CD540"]
    assert (told.where.field, told.where.row) == ("ill", 92)
    assert {k: told.params[k] for k in ("groups", "records", "percent", "wanted")} == {
        "groups": 1,
        "records": 10,
        "percent": "80",
        "wanted": 50,
    }
    half = [*[("HILL", "NO")] * 50, *[("HILL", "YES")] * 40, *[("RIVER", "YES")] * 5, *[("RIVER", "NO")] * 5]
    assert codes(make(tmp_path, MICRO, columns, half)) == set()
    assert "CD540" not in codes(make(tmp_path, MICRO, columns, [*rows, ("SEA", "NO")]))
    assert "CD540" not in codes(make(tmp_path, AGGREGATE, columns, rows))
    columns = {"area": "LOCATION", "income": {"type": "integer", "role": "SENSITIVE"}}
    incomes = [("HILL", n) for n in range(60)]
    for step, raised in ((1, True), (6, False)):
        low = [("SEA", n * step) for n in range(10)]
        assert ("CD540" in codes(make(tmp_path, MICRO, columns, [*incomes, *low]))) == raised


def test_rows_in_the_order_of_a_list(tmp_path: Path) -> None:
    columns: Columns = {"age": {"type": "integer", "role": "QUASI_ID"}, "c": "NONE"}
    up = [(9 + n // 7, "x") for n in range(28)]

    def told(rows: list[Any], given: Columns = columns) -> list[str]:
        found = [f for f in findings(make(tmp_path, MICRO, given, rows)) if f.code == "CD542"]
        return [str(f.params["names"]) for f in found]

    assert len(told(up)) == 1
    assert len(told(up[::-1])) == 1
    assert len(told([*up[:7], ("", "x"), *up[7:]])) == 1
    assert told([*up[7:], *up[:7]]) == []
    assert told([up[-1], *up[1:-1], up[0]]) == []
    assert told(up[:14]) == []
    assert told([(9, "x")] * 20 + [(10, "x")] * 8) == []
    assert told([(n, "x") for n in range(28)]) == []
    assert told(up, columns | {"age": {"type": "integer", "note": "Made up."}}) == []
    days = [(f"2025-03-{2 + n // 7:02}", "x") for n in range(28)]
    assert len(told(days, {"age": {"type": "date"}, "c": "NONE"})) == 1
    assert (
        told([(value, "x") for value in ["10", "9", "8"] for _ in range(9)], {"age": {"role": "NONE"}, "c": {}})
        == []
    )
    make(tmp_path, AGGREGATE, columns, up)
    assert "CD542" not in codes(tmp_path)


def test_the_order_of_many_rows_is_looked_at_to_the_end(tmp_path: Path) -> None:
    columns: Columns = {"age": {"type": "integer", "role": "QUASI_ID"}}
    rows = [(n // 50,) for n in range(1500)]
    assert "CD542" in codes(make(tmp_path, MICRO, columns, rows))
    assert "CD542" not in codes(make(tmp_path, MICRO, columns, [*rows, (3,)]))


def test_records_of_two_tables(tmp_path: Path) -> None:
    areas = [(f"R{n}", "HILL" if n % 2 else "RIVER") for n in range(20)]
    jobs = [(f"R{n}", "PILOT" if n < 3 else "FARMER") for n in range(20)]
    columns: Columns = {"record": "NONE", "area": "QUASI_ID"}
    make(tmp_path, MICRO, columns, areas, primaryKey="record")
    (resource,) = json.loads((tmp_path / "datapackage.json").read_bytes())["resources"]
    fields = [field("record", "NONE"), field("job", "QUASI_ID")]
    other = {"name": "u", "path": "u.csv", "schema": {"fields": fields, "primaryKey": "record"}}
    write(tmp_path, MICRO | {"accessRights": "RESTRICTED"}, resource, other)
    (tmp_path / "u.csv").write_text(text([("record", "job"), *jobs]))
    assert [f for f in found(tmp_path) if f[0] != "CD527"] == [("CD532", "record", None), ("CD533", "record", 2)]
    (tmp_path / "u.csv").write_text(text([("record", "job"), *((f"S{key}", job) for key, job in jobs)]))
    assert codes(tmp_path) == {"CD527"}


# D09, D10, D18


COUNTS = {"clinic": "NONE", "women": {"type": "integer"}}


def cells(*values: Any) -> list[tuple[str, Any]]:
    return [("HILL", value) for value in values]


def test_small_cells(tmp_path: Path) -> None:
    assert found(make(tmp_path, AGGREGATE, COUNTS, cells(5, 0, 4))) == [("CD518", "women", 4)]
    assert codes(make(tmp_path, AGGREGATE, COUNTS, cells(5, 0, ""))) == set()
    sensitive = AGGREGATE | {"personalDataCollected": "SENSITIVE"}
    assert codes(make(tmp_path, sensitive, COUNTS, cells(9))) == {"CD518"}
    assert codes(make(tmp_path, sensitive, COUNTS, cells(10))) == set()
    assert codes(make(tmp_path, THINGS, COUNTS, cells(1))) == set()
    noted = {"women": {"type": "integer", "note": "They are on statues."}}
    assert codes(make(tmp_path, AGGREGATE, COUNTS | noted, cells(1))) == set()


@pytest.mark.parametrize(
    ("name", "given", "counts"),
    [
        ("x", {"sdmx": {"role": "attribute", "id": "BASE_N"}}, True),
        ("x", {"sdmx": {"role": "measure", "unit": {"code": "PS", "name": "Persons"}}}, True),
        ("encuestados", {}, True),
        ("Nb ménages", {}, True),
        ("n", {}, True),
        ("n_pumps", {}, False),
        ("x", {}, False),
        ("cases_per_1000", {}, False),
        ("share_women", {}, False),
        ("women", {"type": "string", "categories": ["1", "2"]}, False),
    ],
)
def test_which_columns_count_people(tmp_path: Path, name: str, given: dict[str, Any], counts: bool) -> None:
    columns: Columns = {"clinic": "NONE", name: {"type": "integer", **given}}
    assert ("CD518" in codes(make(tmp_path, AGGREGATE, columns, cells(1, 2)))) == counts
    columns = {"clinic": "NONE", name: {"type": "number", **given}}
    assert "CD518" not in codes(make(tmp_path, AGGREGATE, columns, cells(1, 2.5)))


def test_numbers_are_read_as_the_schema_says(tmp_path: Path) -> None:
    columns: Columns = {"clinic": "NONE", "women": {"type": "number", "groupChar": ".", "decimalChar": ","}}
    assert codes(make(tmp_path, AGGREGATE, columns, cells("1.004", "2.000"))) == set()
    assert codes(make(tmp_path, AGGREGATE, columns, cells("1.004", "4,0"))) <= {"CD518"}


def test_establishments(tmp_path: Path) -> None:
    columns: Columns = {"area": "NONE", "empresas": {"type": "integer"}}
    for answers in (AGGREGATE, THINGS):
        assert found(make(tmp_path, answers, columns, cells(8, 4))) == [("CD519", "empresas", 3)]


TABLE = {"area": "NONE", "sex": "NONE", "women": {"type": "integer"}}


def grid(*empty: tuple[str, str]) -> list[tuple[str, str, Any]]:
    values = {"F": 20, "M": 30, "_T": 50}
    return [(a, s, "" if (a, s) in empty else n) for a in ("HILL", "RIVER", "_T") for s, n in values.items()]


@pytest.mark.parametrize(
    ("empty", "raised"),
    [
        ((), []),
        ((("HILL", "F"),), ["area", "sex"]),
        ((("HILL", "F"), ("HILL", "M")), ["area", "area"][:1]),
        ((("HILL", "F"), ("HILL", "M"), ("RIVER", "F"), ("RIVER", "M")), []),
        ((("HILL", "F"), ("HILL", "_T")), ["area"]),
    ],
)
def test_cells_that_can_be_worked_out(tmp_path: Path, empty: Any, raised: list[str]) -> None:
    told = [f for f in findings(make(tmp_path, AGGREGATE, TABLE, grid(*empty))) if f.code == "CD520"]
    assert [f.params["key"] for f in told] == raised


@pytest.mark.parametrize(
    ("parts", "total", "raised"),
    [
        ((20, 28), 50, 1),
        ((20, 30), 50, 0),
        ((20, 25), 50, 0),
        ((20, 26), 50, 1),
        (("", "", 46), 50, 1),
        (("", 46), 50, 0),
        ((30, 30), 50, 0),
        ((20, 28), "", 0),
    ],
)
def test_differences_of_totals(tmp_path: Path, parts: tuple[Any, ...], total: Any, raised: int) -> None:
    rows = [*((f"AREA{n}", value) for n, value in enumerate(parts)), ("_T", total)]
    columns: Columns = {"area": "NONE", "women": {"type": "integer"}}
    found = [f for f in findings(make(tmp_path, AGGREGATE, columns, rows)) if f.code == "CD543"]
    assert [(f.where.field, f.where.row, f.params["key"]) for f in found] == [
        ("women", len(parts) + 2, "area")
    ] * raised
    assert "CD543" not in codes(make(tmp_path, AGGREGATE | {"disclosureControl": ["ROUNDED"]}, columns, rows))
    assert "CD543" not in codes(make(tmp_path, THINGS, columns, rows))


def test_parts_that_are_more_than_their_total_are_no_parts(tmp_path: Path) -> None:
    columns: Columns = {"area": "NONE", "year": {"type": "year"}, "women": {"type": "integer"}}
    one_year = [("HILL", 2024, 20), ("RIVER", 2024, 28), ("_T", 2024, 50)]
    other = [("HILL", 2025, 20), ("RIVER", 2025, 38), ("_T", 2025, 50)]
    assert "CD543" in codes(make(tmp_path, AGGREGATE, columns, one_year))
    assert "CD543" not in codes(make(tmp_path, AGGREGATE, columns, [*one_year, *other]))


def test_sums_of_one_or_two(tmp_path: Path) -> None:
    columns: Columns = {"area": "NONE", "farms": {"type": "integer"}, "harvest": {"type": "number"}}
    rows: list[tuple[Any, ...]] = [
        ("HILL", 9, 100),
        ("RIVER", 2, 30),
        ("SEA", 2, ""),
        ("LAKE", 2, 0),
        ("SKY", 3, 5),
    ]
    for answers in (AGGREGATE, THINGS):
        told = [f for f in findings(make(tmp_path, answers, columns, rows)) if f.code == "CD541"]
        assert [(f.where.field, f.where.row, f.params["count"], f.params["base"]) for f in told] == [
            ("harvest", 3, 1, "farms")
        ]
    assert "CD541" not in codes(make(tmp_path, MICRO, columns, rows))
    two = columns | {"companies": {"type": "integer"}}
    assert "CD541" not in codes(make(tmp_path, THINGS, two, [(*row, 1) for row in rows]))
    base = two | {"companies": {"type": "integer", "sdmx": {"role": "attribute", "id": "BASE_N"}}}
    assert "CD541" in codes(make(tmp_path, AGGREGATE, base, [(*row, 1) for row in rows]))
    noted = columns | {"harvest": {"type": "number", "note": "Of public fields."}}
    assert "CD541" not in codes(make(tmp_path, THINGS, noted, rows))


def test_all_or_nobody(tmp_path: Path) -> None:
    columns: Columns = {"clinic": "NONE", "share": {"type": "number"}}
    sensitive = AGGREGATE | {"personalDataCollected": "SENSITIVE"}
    for values, raised in (((12.5, 100), 1), ((12.5, 0.0), 1), ((0.2, 1), 1), ((12.5, 1), 0), ((99.9, 0.1), 0)):
        assert codes(make(tmp_path, AGGREGATE, columns, cells(*values))) == ({"CD521"} if raised else set()), (
            values
        )
        assert codes(make(tmp_path, sensitive, columns, cells(*values))) == ({"CD522"} if raised else set())
    assert codes(make(tmp_path, THINGS, columns, cells(100))) == set()


# D12


@pytest.mark.parametrize(
    ("columns", "row", "fine", "exact"),
    [
        ({"lat": {"type": "number"}, "lon": {"type": "number"}}, ("5.61", "-0.18"), False, False),
        ({"lat": {"type": "number"}, "lon": {"type": "number"}}, ("5.610000", "-0.18000"), False, False),
        ({"lat": {"type": "number"}, "lon": {"type": "number"}}, ("5.612", "-0.187"), True, False),
        ({"latitud": {"type": "number"}, "longitud": {"type": "number"}}, ("5.6123", "-0.1876"), True, True),
        ({"lat": {"type": "number", "decimalChar": ","}, "long": {"type": "number"}}, ("5,6123", "1"), True, True),
        ({"long": {"type": "number"}, "x": {}}, ("5.6123", "x"), False, False),
        ({"lat": {"type": "number"}, "long": {"type": "number"}}, ("512.6123", "900.1234"), False, False),
        ({"p": {"type": "geopoint"}, "x": {}}, ("-0.1876, 5.6123", "x"), True, True),
        ({"p": {}, "x": {}}, ("5.61 -0.187", "x"), True, False),
        ({"p": {}, "x": {}}, ("SRID=4326;POINT (5.61234 -0.18765)", "x"), True, True),
        ({"p": {}, "x": {}}, ("5°36'44\"N 0°11'15\"W", "x"), True, True),
        ({"p": {}, "x": {}}, ("6CQXJR6G+VM", "x"), True, True),
        ({"p": {}, "x": {}}, ("6CQXJR00+", "x"), False, False),
        ({"geohash": {}, "x": {}}, ("ebzzg", "x"), False, False),
        ({"geohash": {}, "x": {}}, ("ebzzgm3", "x"), True, False),
        ({"easting": {"type": "integer"}, "northing": {"type": "integer"}}, ("500000", "620000"), False, False),
        ({"easting": {"type": "integer"}, "northing": {"type": "integer"}}, ("500123", "620456"), True, True),
        ({"ratio": {"type": "number"}, "x": {}}, ("5.61234", "x"), False, False),
    ],
)
def test_places(tmp_path: Path, columns: Columns, row: tuple[str, str], fine: bool, exact: bool) -> None:
    rows = [row] * 5
    assert ("CD523" in codes(make(tmp_path, MICRO, columns, rows))) == fine
    assert ("CD524" in codes(make(tmp_path, THINGS, columns, rows))) == exact
    assert "CD523" not in codes(make(tmp_path, AGGREGATE, columns, rows))


def test_places_of_people_in_sensitive_data_and_far_from_towns(tmp_path: Path) -> None:
    columns: Columns = {
        "lat": {"type": "number", "role": "LOCATION"},
        "lon": {"type": "number", "role": "LOCATION"},
    }
    rows = [("5.61", "-0.18")] * 10
    for answers in (MICRO, AGGREGATE):
        assert codes(make(tmp_path, answers, columns, rows)) == set()
        rural = {"populationGroups": ["RURAL_REMOTE"]}
        assert codes(make(tmp_path, answers | rural, columns, rows)) - {"CD534"} == {"CD523"}
    sensitive = AGGREGATE | {"personalDataCollected": "SENSITIVE"}
    assert codes(make(tmp_path, sensitive, columns, rows)) == {"CD523"}
    assert codes(make(tmp_path, sensitive, columns, [("5.6", "-0.2")] * 10)) == set()


@pytest.mark.parametrize("name", ["t.geojson", "t.json"])
def test_places_in_geojson(tmp_path: Path, name: str) -> None:
    def told(place: list[float]) -> set[str]:
        feature = {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": place},
            "properties": {"a": "x"},
        }
        content = {"type": "FeatureCollection", "features": [feature]}
        (tmp_path / name).write_text(json.dumps(content))
        write(tmp_path, THINGS, {"name": "t", "path": name})
        return codes(tmp_path)

    assert told([-0.18765, 5.61234]) == {"CD524"}
    assert told([-0.18, 5.61]) == set()
    (tmp_path / name).write_text('{"type": "FeatureCollection"')
    assert codes(tmp_path) == {"CD511"}


# D13, D14


@pytest.mark.parametrize(
    ("given", "value", "raised"),
    [
        ({"type": "date"}, "2025-03-02", True),
        ({"type": "datetime"}, "2025-03-02T10:00:00", True),
        ({"type": "yearmonth"}, "2025-03", False),
        ({}, "02/03/2025", True),
        ({}, "2025-03-02 10:00", True),
        ({}, "2025-03", False),
        ({"type": "date", "note": "The day of printing."}, "2025-03-02", False),
    ],
)
def test_days(tmp_path: Path, given: dict[str, Any], value: str, raised: bool) -> None:
    assert one(tmp_path, MICRO, given, [value] * 5) == ({"CD525"} if raised else set())
    assert one(tmp_path, AGGREGATE, given, [value] * 5) == set()


def test_extremes(tmp_path: Path) -> None:
    age = {"type": "integer", "role": "QUASI_ID"}
    assert one(tmp_path, MICRO, age, [89] * 9, "age") == set()
    assert one(tmp_path, MICRO, age, [90] * 9, "edad") == {"CD526"}
    assert one(tmp_path, MICRO | {"disclosureControl": ["TOP_CODED"]}, age, [91] * 9, "age") == set()
    income = {"type": "integer", "role": "SENSITIVE"}
    assert "CD526" in one(tmp_path, MICRO, income, [*range(100, 700), 99999], "income")
    assert "CD526" not in one(tmp_path, MICRO, income, [100, 200] * 300, "income")


# D17


@pytest.mark.parametrize("order", ["<", ">"])
def test_where_a_photo_was_taken(tmp_path: Path, order: str) -> None:
    photo = tmp_path / "photo.jpg"
    for tags, tells in (((), False), ((1, 3), False), ((2,), True), ((1, 2, 3, 4), True)):
        photo.write_bytes(exif(*tags, order=order))
        assert pictures.look(photo) == (pictures.PHOTO, tells)
    whole = exif(2, 4, order=order)
    photo.write_bytes(whole[whole.index(b"Exif") + 6 :])
    assert pictures.look(photo) == (pictures.PHOTO, True)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=60), st.integers(0, 60))
def test_no_file_makes_the_reader_fail(tmp_path: Path, noise: bytes, cut: int) -> None:
    path = tmp_path / "x.bin"
    for head in (exif(2, 4), b"II*\0", b"Exif\0\0MM\0*", b"\x89PNG\r\n\x1a\neXIfII*\0", b""):
        path.write_bytes(head[:cut] + noise + head[cut:])
        kind, tells = pictures.look(path)
        assert kind in (None, "photo", "drawing", "sound", "film")
        assert tells in (True, False)


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"\x89PNG\r\n\x1a\n", "drawing"),
        (b"RIFF\0\0\0\0WAVE", "sound"),
        (b"RIFF\0\0\0\0WEBP", "drawing"),
        (b"\0\0\0\x18ftypmp42", "film"),
        (b"\0\0\0\x18ftypheic", "photo"),
        (b"OggS", "sound"),
        (b"clinic,year\n", None),
    ],
)
def test_files_by_their_first_bytes(tmp_path: Path, head: bytes, kind: str | None) -> None:
    (tmp_path / "x.csv").write_bytes(head)
    assert pictures.look(tmp_path / "x.csv")[0] == kind


def test_photos_beside_data(tmp_path: Path) -> None:
    make(tmp_path, AGGREGATE, COUNTS, cells(9))
    (resource,) = json.loads((tmp_path / "datapackage.json").read_bytes())["resources"]
    (tmp_path / "data.bin").write_bytes(exif())
    photo = {"name": "p", "path": "data.bin"}
    for answers, code in ((AGGREGATE, "CD530"), (THINGS, "CD531")):
        write(tmp_path, answers, resource, photo)
        assert codes(tmp_path) == {code, "CD511"}
    write(tmp_path, AGGREGATE, resource)
    (tmp_path / "data.bin").rename(tmp_path / "voice.mp3")
    for number in range(12):
        (tmp_path / f"{number:02}.jpg").touch()
    photos, sound = findings(tmp_path)
    assert (photos.code, photos.where.file, sound.code, sound.where.file) == (
        "CD531",
        "00.jpg",
        "CD531",
        "voice.mp3",
    )
    assert photos.message().count(".jpg") == 8


def test_rows_are_told_only_where_they_lead_somewhere(tmp_path: Path) -> None:
    make(tmp_path, AGGREGATE, COUNTS, cells(9, 1))
    assert found(tmp_path) == [("CD518", "women", 3)]
    (resource,) = json.loads((tmp_path / "datapackage.json").read_bytes())["resources"]
    write(tmp_path, AGGREGATE, resource | {"dialect": {"commentChar": "#"}})
    assert found(tmp_path) == [("CD518", "women", None)]
    (tmp_path / "u.csv").write_text("clinic,women\nHILL,9\n")
    write(tmp_path, AGGREGATE, resource | {"path": ["u.csv", "t.csv"]})
    assert found(tmp_path) == [("CD518", "women", None)]


# D20, D22 and what was not looked at


def test_claims(tmp_path: Path) -> None:
    values = ["ama@example.org"] * 5
    assert one(tmp_path, MICRO, {}, values) == {"CD509", "CD534"}
    assert one(tmp_path, MICRO | {"releaseForm": "PSEUDONYMISED_MICRO"}, {}, values) == {"CD509"}
    sensitive = MICRO | {"personalDataCollected": "SENSITIVE"}
    assert one(tmp_path, sensitive, {}, ["x"] * 10) == {"CD535"}
    assert one(tmp_path, sensitive | {"accessRights": "RESTRICTED"}, {}, ["x"] * 10) == set()
    assert one(tmp_path, sensitive | {"releaseForm": "AGGREGATE"}, {}, ["x"] * 10) == set()


def test_that_nothing_is_found_is_called_no_proof(tmp_path: Path) -> None:
    rows = [("x", "HILL")] * 5
    columns: Columns = {"c": "NONE", "area": "LOCATION"}
    (told,) = findings(make(tmp_path, MICRO, columns, rows))
    assert (told.code, told.severity()) == ("CD538", "info")
    assert "no proof" in told.message()
    assert findings(make(tmp_path, AGGREGATE, columns, rows)) == []


def test_tables_that_the_engine_refuses_are_read_all_the_same(tmp_path: Path) -> None:
    """A ragged row, a header that differs, a column without a field, rows in the descriptor, no schema."""
    make(tmp_path, AGGREGATE, {"clinic": "NONE", "c": "NONE"}, [])
    (resource,) = json.loads((tmp_path / "datapackage.json").read_bytes())["resources"]
    address = "ama@example.org"
    for content in (f"clinic,c\nHILL\nHILL,{address}\n", f"clinic,other\nX,Y\nHILL,{address}\n"):
        (tmp_path / "t.csv").write_text(content)
        assert ("CD509", 3) in {(code, row) for code, _, row in found(tmp_path)}
    (tmp_path / "t.csv").write_text(f"clinic,c,more\nHILL,x,{address}\n")
    resource["schema"]["fieldsMatch"] = "subset"
    write(tmp_path, AGGREGATE, resource)
    assert ("CD509", "#3", 2) in found(tmp_path)
    del resource["schema"]
    write(tmp_path, AGGREGATE, resource)
    assert ("CD509", "#3", 2) in found(tmp_path)
    write(tmp_path, AGGREGATE, {"name": "t", "path": "t.csv", "dialect": {"header": False}})
    assert ("CD509", "#3", 2) in found(tmp_path)
    (tmp_path / "t.csv").unlink()
    write(tmp_path, AGGREGATE, {"name": "t", "data": [{"a": 1, "b": address}, {"a": [address]}]})
    assert {("CD509", "#2", 2), ("CD509", "#1", 3)} <= set(found(tmp_path))


@pytest.mark.parametrize("content", [b"a,b\n\xff\xfe,x\n", b'a,b\n"never closed\n'])
def test_what_cannot_be_read_is_told(tmp_path: Path, content: bytes) -> None:
    make(tmp_path, AGGREGATE, {"a": "NONE", "b": "NONE"}, [])
    (tmp_path / "t.csv").write_bytes(content)
    assert codes(tmp_path) == {"CD511"}


@pytest.mark.parametrize("more", [{"format": "xlsx"}, {"compression": "gz"}, {"dialect": {"delimiter": "::"}}])
def test_what_is_written_in_another_way_is_told(tmp_path: Path, more: dict[str, Any]) -> None:
    make(tmp_path, AGGREGATE, {"a": "NONE"}, [("x",)])
    (resource,) = json.loads((tmp_path / "datapackage.json").read_bytes())["resources"]
    write(tmp_path, AGGREGATE, resource | more)
    assert codes(tmp_path) == {"CD511"}


# No value anywhere


CANARIES = {
    "email": "zebrafinch@canary.example",
    "phone": "+254 712 345678",
    "iban": "GB82WEST12345698765432",
    "national": "529.982.247-25",
    "ip": "203.0.113.77",
    "handle": "@zebrafinch_canary",
    "place": "POINT (5.6123456 -0.1876543)",
    "text": "Zebrafinch Canary was the only one who told of it that night",
    "day": "1931-04-17",
}
TYPES = [
    "string", "integer", "number", "boolean", "date", "datetime", "time", "year", "yearmonth", "duration",
    "geopoint", "geojson", "object", "array", "list", "any",
]  # fmt: skip


@pytest.mark.parametrize("form", ["ANON_MICRO", "AGGREGATE", "NON_PERSONAL", None])
@pytest.mark.parametrize(
    "end", ["", '{text},"{email}"\n', '{text},"{email}\n'], ids=["good", "ragged", "unclosed"]
)
def test_no_output_holds_what_was_planted(
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    form: str | None,
    end: str,
) -> None:
    """Every identifier in a column of every type and role, in a good and in a broken file."""
    roles = [*profile.load().codelists["CL_DISCLOSURE_ROLE"].codes, ""]
    kinds = [(kind, roles[(n + step) % len(roles)]) for n, kind in enumerate(TYPES) for step in (0, 3, 6)]
    columns: Columns = {f"{kind}_{n}": {"type": kind, "role": role} for n, (kind, role) in enumerate(kinds)}
    columns |= {"lat": {"type": "number"}, "phone": {}, "women": {"type": "integer"}, "share": {"type": "number"}}
    rows = [[value] * len(columns) for value in CANARIES.values() for _ in range(3)]
    answers = {"personalDataCollected": "SENSITIVE", "releaseForm": form, "jurisdiction": ["KE", "BR"]}
    folder = make(tmp_path / "p", answers, columns, rows, primaryKey="string_0")
    with (folder / "t.csv").open("a") as file:
        file.write(end.format(**CANARIES))
    with caplog.at_level(logging.DEBUG):
        report = validate(folder)
        assert {"CD511" if end.count('"') == 1 else "CD509"} <= {finding.code for finding in report.findings}
        spoken = [render(report, name, language=tag) for name in REPORTERS for tag in ("en", "es", "fr")]
    everything = "\n".join([*spoken, repr(report), caplog.text, *capfd.readouterr()])
    for canary in (*CANARIES.values(), "zebrafinch", "Zebrafinch", "712 345678", "5.6123456", "12345698765432"):
        assert canary not in everything


def test_no_command_and_no_kept_report_holds_what_was_planted(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """All that looks at rows: a package alone and among others, its kept report, a draft as SDMX, the decision."""
    columns: Columns = {"area": "QUASI_ID", "note": "FREE_TEXT", "score": {"type": "number"}}
    rows = [[value, value, "1"] for value in CANARIES.values() for _ in range(3)]
    folders = [str(make(tmp_path / name, MICRO, columns, rows)) for name in ("p", "q")]
    kept, out = tmp_path / "kept", tmp_path / "out"
    commands = [
        *(["validate", folders[0], "--format", name] for name in REPORTERS),
        *(["validate", *folders, "--format", name, "--cache", str(kept)] for name in ("text", "jsonl")),
        ["convert", folders[0], "--to", "sdmx-csv-2.0", "--out", str(out), "--draft"],
        ["classify", folders[0]],
        ["fmt", folders[0], "--check"],
    ]
    for args in commands:
        exit_code(*args)
    reports = [path.read_text() for path in sorted(kept.rglob("*")) if path.is_file()]
    assert reports
    everything = "\n".join([*reports, *capfd.readouterr()])
    assert "CD509" in everything
    for canary in (*CANARIES.values(), "zebrafinch", "Zebrafinch", "712 345678"):
        assert canary not in everything


def test_values_in_the_place_of_a_header_are_not_told(tmp_path: Path) -> None:
    make(tmp_path, MICRO, {"a": "NONE", "b": "NONE"}, [])
    values = list(CANARIES.values())
    (tmp_path / "t.csv").write_text(text([values, values]))
    for _ in range(2):
        told = [f for f in validate(tmp_path).findings if f.code.startswith("CD5")]
        assert {"CD509", "CD506"} <= {f.code for f in told}
        everything = repr(told) + "".join(f.message() + f.remedy() for f in told)
        assert not any(canary in everything for canary in values)
        write(tmp_path, MICRO, {"name": "t", "path": "t.csv", "format": "csv"})


@pytest.mark.parametrize("form", ["ANON_MICRO", "AGGREGATE", "NON_PERSONAL"])
def test_no_output_holds_what_was_planted_in_any_form_of_a_table(
    form: str, tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    rows = [["HILL", 30, DAY, True, 5.6, 0.2, value, value] for value in CANARIES.values() for _ in range(3)]
    fields = [field(name, given) for name, given in COLUMNS.items()]
    answers = {"personalDataCollected": "SENSITIVE", "releaseForm": form, "jurisdiction": ["KE", "BR"]}
    for name, (files, resource) in _in_all_forms(rows, tmp_path).items():
        folder = tmp_path / name
        folder.mkdir()
        for file, content in files.items():
            (folder / file).write_bytes(content)
        write(folder, answers, {"name": "t", **resource, "schema": {"fields": fields}})
        with caplog.at_level(logging.DEBUG):
            report = validate(folder)
            spoken = [render(report, reporter, language="es") for reporter in REPORTERS]
        everything = "\n".join([*spoken, repr(report), caplog.text, *capfd.readouterr()])
        assert "CD509" in everything
        for canary in (*CANARIES.values(), "zebrafinch", "Zebrafinch", "712 345678", "5.6123456"):
            assert canary not in everything, name


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(RECORDS)
def test_small_tables_are_told_of_as_large_ones(tmp_path: Path, rows: list[tuple[str, ...]]) -> None:
    roles = ("QUASI_ID", "QUASI_ID", "NONE", "SENSITIVE")
    folder = make(tmp_path, MICRO, dict(zip("abcd", roles, strict=True)), rows)
    small = found(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("cdmeta.tables.loading._SMALL", -1)
        assert found(folder) == small


@pytest.mark.parametrize("form", [None, "AGGREGATE", "ANON_MICRO", "PSEUDONYMISED_MICRO"])
def test_columns_without_any_value_are_looked_at(form: str | None, tmp_path: Path) -> None:
    """DuckDB counts nothing in a column of NULL as NULL, not as 0."""
    columns: Columns = {f"c{n}": {"type": kind, "role": "FREE_TEXT"} for n, kind in enumerate(TYPES)}
    folder = make(tmp_path, MICRO | {"releaseForm": form}, columns, [[""] * len(columns)] * 3)
    assert isinstance(found(folder), list)


def test_what_one_package_left_is_not_seen_by_the_next(tmp_path: Path) -> None:
    """The instance of the process is shared; the tables in it are not."""
    for name, rows in (("p", [("a", "1")] * 3), ("q", [("b", "2")] * 2)):
        with tables(load(make(tmp_path / name, MICRO, {"x": "NONE", "y": "NONE"}, rows))) as loaded:
            assert [table.rows for table in loaded.tables] == [len(rows)]
    with pytest.raises(ConversionError), small_session() as session:
        session.connection.execute("SELECT * FROM t0")
    with pytest.raises(ConversionError), small_session() as session:
        session.connection.execute(f"SELECT * FROM read_text('{tmp_path}/p/datapackage.json')")


def test_good_examples_give_nothing_away() -> None:
    for folder in sorted((Path(__file__).parent.parent / "examples").glob("*/package")):
        if folder.parent.name not in ("broken", "services-survey-draft"):
            # Records of people are never proved to be safe, whatever else is looked for.
            expected = ["CD538"] if folder.parent.name == "clinic-visits" else []
            assert [f.code for f in disclosure.check(load(folder))] == expected, folder.parent.name


def test_a_package_with_hostile_answers_is_checked(tmp_path: Path) -> None:
    for answers in ({"releaseForm": ["ANON_MICRO"]}, {"jurisdiction": {"a": 1}, "disclosureControl": 3}, {}):
        package: Package = load(make(tmp_path, answers, {"a": "NONE"}, [("x",)]))
        assert list(disclosure.check(package)) == []


def test_other_sheets_of_a_workbook_are_looked_at_too(tmp_path: Path) -> None:
    """A hidden one as well: the whole file is published. What is a resource of its own is told of once."""
    book = Workbook()
    grids: dict[str, list[list[Any]]] = {
        "t": [["clinic", "women"], ["HILL", 9]],
        "calls": [["when", "whom"], ["May", CANARIES["email"]]],
        "u": [["clinic"], ["HILL"]],
    }
    for title, rows in grids.items():
        sheet = book.create_sheet(title)
        sheet.sheet_state = "hidden" if title == "calls" else "visible"
        for row in rows:
            sheet.append(row)
    book.remove(book.worksheets[0])
    book.save(tmp_path / "t.xlsx")

    def resource(name: str, columns: Columns) -> dict[str, Any]:
        schema = {"fields": [field(column, given) for column, given in columns.items()]}
        return {"name": name, "path": "t.xlsx", "schema": schema, "dialect": {"sheetName": name}}

    write(tmp_path, AGGREGATE, resource("t", COUNTS), resource("u", {"clinic": "NONE"}))
    (told,) = findings(tmp_path)
    assert (told.code, told.where.sheet, told.where.row, told.params["field"]) == ("CD509", "calls", 2, "#2")


# Every form of a table


COLUMNS: Columns = {
    "area": "LOCATION",
    "age": {"type": "integer", "role": "QUASI_ID"},
    "seen": {"type": "date"},
    "ill": {"type": "boolean", "role": "SENSITIVE"},
    "lat": {"type": "number", "decimalChar": ",", "groupChar": "."},
    "lon": {"type": "number"},
    "said": "FREE_TEXT",
    "more": {"missingValues": ["-9", {"value": "NA", "label": "no answer"}]},
}
DAY = dt.date(2025, 3, 2)


def _rows_of_all_types() -> list[list[Any]]:
    rows = [
        [("HILL", "RIVER", None)[n % 3], 30 + n % 4, DAY, n % 5 == 0, 5.61234, 0.18, f"long {n} words here", "NA"]
        for n in range(24)
    ]
    rows[7] = ["SEA", 97, DAY, True, 5.5, 0.25, CANARIES["text"], CANARIES["email"]]
    rows[9][7] = CANARIES["phone"]
    rows[11][7] = "-9"
    return rows


def _text_of(value: Any, column: str) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value).replace(".", ",") if column == "lat" else str(value)


def _json_of(row: Sequence[Any]) -> list[Any]:
    return [value.isoformat() if isinstance(value, dt.date) else value for value in row]


def _sheet(rows: list[list[Any]]) -> bytes:
    book = Workbook()
    for row in [list(COLUMNS), *rows]:
        book.worksheets[0].append(row)
    made = io.BytesIO()
    book.save(made)
    return made.getvalue()


def _ods(rows: Sequence[Sequence[str]]) -> bytes:
    def cell(value: str) -> str:
        return f'<table:table-cell office:value-type="string"><text:p>{value}</text:p></table:table-cell>'

    body = "".join(f"<table:table-row>{''.join(map(cell, row))}</table:table-row>" for row in rows)
    spaces = " ".join(
        f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in ("office", "table", "text")
    )
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("META-INF/manifest.xml", "<manifest/>")
        archive.writestr("styles.xml", "<styles/>")
        archive.writestr(
            "content.xml",
            f"<office:document-content {spaces}><office:body><office:spreadsheet>"
            f'<table:table table:name="s">{body}</table:table>'
            "</office:spreadsheet></office:body></office:document-content>",
        )
    return made.getvalue()


def _parquet(rows: Sequence[Sequence[Any]], folder: Path) -> bytes:
    types = ("VARCHAR", "INTEGER", "DATE", "BOOLEAN", "DOUBLE", "DOUBLE", "VARCHAR", "VARCHAR")
    named = ", ".join(f"{name} {kind}" for name, kind in zip(COLUMNS, types, strict=True))
    with duckdb.connect() as connection:
        connection.execute(f"CREATE TABLE t ({named})")
        connection.executemany(
            f"INSERT INTO t VALUES ({', '.join('?' * len(types))})", [list(row) for row in rows]
        )
        connection.execute(f"COPY t TO '{folder}/t.parquet' (FORMAT parquet)")
    return (folder / "t.parquet").read_bytes()


def _in_all_forms(rows: list[list[Any]], folder: Path) -> dict[str, tuple[dict[str, bytes], dict[str, Any]]]:
    """Form → its files, and what the resource says beside its name and schema."""
    names, texts = list(COLUMNS), [[_text_of(v, c) for v, c in zip(row, COLUMNS, strict=True)] for row in rows]
    plain = text([names, *texts]).encode()
    quoted = "\n".join(",".join(f'"{cell}"' for cell in row) for row in [names, *texts]).encode()
    objects = [dict(zip(names, _json_of(row), strict=True)) for row in rows]
    lists = [names, *map(_json_of, rows)]
    half = [text([names, *texts[:12]]).encode(), text([names, *texts[12:]]).encode()]

    def lines(values: Iterable[Any]) -> bytes:
        return "\n".join(map(json.dumps, values)).encode()

    features = [
        {"type": "Feature", "geometry": None, "properties": {k: v for k, v in row.items() if v is not None}}
        for row in objects
    ]
    return {
        "csv": ({"t.csv": plain}, {"path": "t.csv"}),
        "csv, quoted": ({"t.csv": quoted}, {"path": "t.csv"}),
        "csv.gz": ({"t.csv.gz": gzip.compress(plain)}, {"path": "t.csv.gz"}),
        "csv, two files": ({"a.csv": half[0], "b.csv": half[1]}, {"path": ["a.csv", "b.csv"]}),
        "latin-1": ({"t.csv": plain}, {"path": "t.csv", "encoding": "latin-1"}),
        "tsv": ({"t.tsv": "\n".join("\t".join(row) for row in [names, *texts]).encode()}, {"path": "t.tsv"}),
        "xlsx": ({"t.xlsx": _sheet(rows)}, {"path": "t.xlsx"}),
        "ods": ({"t.ods": _ods([names, *texts])}, {"path": "t.ods"}),
        "jsonl": ({"t.jsonl": lines(objects)}, {"path": "t.jsonl"}),
        "jsonl, lists": ({"t.ndjson": lines(lists)}, {"path": "t.ndjson"}),
        "parquet": ({"t.parquet": _parquet(rows, folder)}, {"path": "t.parquet"}),
        "json": ({"t.json": json.dumps(objects).encode()}, {"path": "t.json"}),
        "geojson": ({"t.geojson": json.dumps({"features": features}).encode()}, {"path": "t.geojson"}),
        "data, objects": ({}, {"data": objects}),
        "data, lists": ({}, {"data": lists}),
    }


@pytest.mark.system
@pytest.mark.parametrize("ending", ["xls", "ods", "xlsx"])
def test_workbooks_of_libreoffice_give_away_the_same(ending: str, tmp_path: Path) -> None:
    rows = _rows_of_all_types()
    schema = {"fields": [field(name, given) for name, given in COLUMNS.items()]}
    (tmp_path / "in").mkdir()
    (tmp_path / "in/t.xlsx").write_bytes(_sheet(rows))
    office = shutil.which("soffice")
    assert office is not None
    profile_folder = f"-env:UserInstallation=file://{tmp_path}/profile"
    out = ["--convert-to", ending, "--outdir", str(tmp_path), str(tmp_path / "in/t.xlsx")]
    subprocess.run([office, profile_folder, "--headless", *out], check=True, capture_output=True, timeout=120)
    (tmp_path / "t.csv").write_bytes(_in_all_forms(rows, tmp_path)["csv"][0]["t.csv"])
    told = []
    for name in (f"t.{ending}", "t.csv"):
        write(tmp_path, MICRO, {"name": "t", "path": name, "schema": schema})
        told.append(_told(tmp_path))
    assert told[0] == told[1]


def _told(folder: Path) -> list[tuple[Any, ...]]:
    return sorted(
        (f.code, f.where.field or "", f.params.get("count"), f.params.get("records"), f.params.get("k"))
        for f in findings(folder)
    )


@pytest.mark.parametrize("answers", [MICRO | {"personalDataCollected": "SENSITIVE"}, AGGREGATE, THINGS])
def test_a_table_gives_away_the_same_in_every_form(tmp_path: Path, answers: dict[str, Any]) -> None:
    fields = [field(name, given) for name, given in COLUMNS.items()]
    rows = _rows_of_all_types()
    told = {}
    for form, (files, resource) in _in_all_forms(rows, tmp_path).items():
        folder = tmp_path / form
        folder.mkdir()
        for name, content in files.items():
            (folder / name).write_bytes(content)
        schema = {"fields": fields, "fieldsMatch": ["subset" if form == "geojson" else "exact"]}
        write(folder, answers, {"name": "t", **resource, "schema": schema})
        told[form] = _told(folder)
    given = {code for code, *_ in told["csv"]}
    assert "CD509" in given
    assert "CD511" not in given
    assert {form: found for form, found in told.items() if found != told["csv"]} == {}


@pytest.mark.parametrize("small", [2**20, -1])
def test_what_stands_for_no_value_is_none_on_both_ways(
    small: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An empty cell never is one, whatever the schema says."""
    monkeypatch.setattr("cdmeta.tables.loading._SMALL", small)
    columns: Columns = {
        "a": {"missingValues": ["-9", {"value": "NA", "label": "no answer"}]},
        "b": {"missingValues": []},
        "c": {},
    }
    rows = [("-9", "", ""), ("NA", "-9", "NA"), ("x", "x", "-9"), ("", "x", "x")]
    with tables(load(make(tmp_path, MICRO, columns, rows))) as loaded:
        (table,) = loaded.tables
        assert [shape.filled for shape in table.shapes()] == [1, 3, 3]
