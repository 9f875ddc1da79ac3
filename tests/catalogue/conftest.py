"""Entries made from the first example, changed as a test asks."""

import datetime as dt
import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cdmeta import package
from cdmeta.dataset import to_dataset
from cdmeta.entry import Approval, Entry, to_entry
from cdmeta.formats.dcat import Site
from cdmeta.framework import Decision
from cdmeta.package import Package
from cdmeta.text import Text

EXAMPLE = Path(__file__).parents[2] / "examples" / "public-service-satisfaction" / "package"
TODAY = dt.date(2026, 11, 21)
YES = Decision("CITIZEN_DATA", "Y1", ("Box 1", "¶21", "¶24(a)", "Table 2"))
APPROVED = Approval(
    "reviewer@example.org",
    "SHA256:uW1hLy0p5Jn3mVd1dV2lY8gQm3dS3b0zS6u3O8mYV1c",
    "2026-02-01T09:30:00Z",
    "A. Reviewer",
)
SITE = Site(
    "https://data.example.org/citizen",
    Text.of("Citizen data of Exampleland", "en"),
    Text.of("Made-up data sets that show what a site looks like.", "en"),
    "Statistical Office of Exampleland (made up)",
)

Change = Callable[[dict[str, Any]], None]
MakeEntry = Callable[..., Entry]


@pytest.fixture
def site() -> Site:
    return SITE


@pytest.fixture
def make_package(tmp_path: Path) -> Callable[[Change], Package]:
    numbers = iter(range(1_000))

    def make(change: Change) -> Package:
        folder = tmp_path / f"package-{next(numbers)}"
        shutil.copytree(EXAMPLE, folder)
        descriptor = json.loads((folder / "datapackage.json").read_text(encoding="utf-8"))
        change(descriptor)
        (folder / "datapackage.json").write_text(json.dumps(descriptor, ensure_ascii=False), encoding="utf-8")
        return package.load(folder)

    return make


@pytest.fixture
def make_entry(make_package: Callable[[Change], Package]) -> MakeEntry:
    def make(
        change: Change = lambda descriptor: None,
        *,
        decision: Decision = YES,
        approval: Approval = APPROVED,
        today: dt.date = TODAY,
    ) -> Entry:
        loaded = make_package(change)
        digests = {part: hashlib.sha256(loaded.path(part).read_bytes()).hexdigest() for part in loaded.parts}
        said, _ = to_dataset(loaded, decision, lambda _: ())
        return to_entry(loaded, said, approval, digests, today)

    return make


@pytest.fixture
def entry(make_entry: MakeEntry) -> Entry:
    return make_entry()
