"""Stock frictionless reads and validates every example of ours that shall be valid, with its data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import frictionless
import pytest
from rule_cases import BASE, FOLDER, Example, from_files, materialise

from cdmeta.package import DESCRIPTOR

PACKAGES = sorted(path.parent for path in FOLDER.parent.glob(f"*/package/{DESCRIPTOR}"))
EXAMPLES = list(from_files())
NOT_VALID = {
    "broken": "it shows what is told of mistakes, one of them a file that is not there",
}
"""Packages of ours that frictionless refuses, and why they are there all the same."""


def notes(folder: Path) -> list[str]:
    """What stock frictionless says of a package and its data."""
    try:
        report = frictionless.Package(str(folder / DESCRIPTOR)).validate()
    except frictionless.FrictionlessException as error:
        return [f"{error.error.type}: {error.error.note}"]
    return [f"{place}: {note}" for place, note in report.flatten(["type", "note"])]


def test_the_base_is_read_with_its_data() -> None:
    assert notes(BASE) == []
    package: Any = frictionless.Package(str(BASE / DESCRIPTOR))
    rows = package.get_resource("scores").read_rows()
    assert [row.to_dict() for row in rows][:1] == [
        {"clinic": "HILL", "year": 2024, "within_hour": 62.5, "answers": 88}
    ]
    assert len(rows) == 6


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.code)
def test_a_mended_twin_is_valid(example: Example, tmp_path: Path) -> None:
    assert notes(materialise(example.cases[1], tmp_path)) == []


@pytest.mark.parametrize("folder", PACKAGES, ids=lambda folder: folder.parent.name)
def test_an_example_is_valid(folder: Path) -> None:
    assert (notes(folder) == []) == (folder.parent.name not in NOT_VALID)


REFUSED = {
    "CD101": "package-error",
    "CD102": "package-error",
    "CD105": "package-error",
    "CD106": "scheme-error",
    "CD110": "package-error",
    "CD113": "schema-error",
    "CD120": "package-error",
    "CD401": "source-error",
    "CD403": "duplicate-label",
    "CD404": "incorrect-label",
    "CD405": "missing-cell",
    "CD406": "extra-cell",
    "CD407": "blank-row",
    "CD408": "type-error",
    "CD409": "constraint-error",
    "CD410": "constraint-error",
    "CD411": "unique-error",
    "CD412": "primary-key",
    "CD413": "foreign-key",
    "CD420": "byte-count",
}
"""The rules that belong to the standard, and what frictionless calls it."""


@pytest.mark.parametrize("code", REFUSED)
def test_what_breaks_the_standard_is_refused_by_both(code: str, tmp_path: Path) -> None:
    (example,) = [example for example in EXAMPLES if example.code == code]
    found = notes(materialise(example.cases[0], tmp_path))
    assert REFUSED[code] in [note.split(":")[0] for note in found]
