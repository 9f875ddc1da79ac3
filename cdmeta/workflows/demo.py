"""The worked example from start to end: a bundled package, checked, approved, converted and published."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import as_file, files
from pathlib import Path

from cdmeta.approval import Approver
from cdmeta.errors import OutputError
from cdmeta.phrase import at
from cdmeta.sshsig import load_key
from cdmeta.workflows.approve import Choice, approve
from cdmeta.workflows.convert import convert
from cdmeta.workflows.keygen import keygen
from cdmeta.workflows.output import staged
from cdmeta.workflows.site import Options, publish_packages
from cdmeta.workflows.validate import validate
from cdmeta.workflows.verify import verify

EXAMPLE = "public-service-satisfaction"
FOLDER = "cdmeta-demo"
MARK = "allowed_signers"
_APPROVER = Approver("Demo Reviewer (made up)", "reviewer@example.org")
_BASE_URL = "https://data.example.org/citizen-data"


SHOWN = ("sdmx-ml-3.0", "sdmx-json-2.0", "sdmx-csv-2.0")
"""The formats of SDMX that the example is written in."""


@dataclass(frozen=True)
class Step:
    """One step that is done.

    Attributes:
        text: key of its text, below `demo.`.
        place: what it wrote or looked at, from the folder of the demo.
        params: what the text names beside it.
    """

    text: str
    place: str
    params: dict[str, str | int]


def demo(out: Path, *, now: datetime) -> list[Step]:
    """Make the worked example.

    Args:
        out: the folder; one that an earlier demo made is replaced.
        now: the time of the approval and of the messages.

    Returns:
        What was done, in order.

    Raises:
        OutputError: the folder holds something else or cannot be written.
    """
    with staged(out, MARK) as stage:
        return list(_steps(stage, now))


def _steps(stage: Path, now: datetime) -> Iterator[Step]:
    package, signers = stage / "package", stage / MARK
    with as_file(files("cdmeta.examples").joinpath(EXAMPLE, "package")) as bundled:
        # The mode of installed files may be read-only, and the copy is there to be edited.
        shutil.copytree(bundled, package, copy_function=shutil.copyfile)
    yield Step("copied", "package", {})
    report = validate(package)
    if not report.valid:
        raise OutputError(at(EXAMPLE, "error.demo"))
    outcome = str((report.decision or {})["outcome"])
    yield Step("validated", "package", {"outcome": outcome, "rule": str((report.decision or {})["rule"])})
    (stage / "keys").mkdir(mode=0o700)
    key = stage / "keys" / "demo"
    signers.write_text(keygen(key, _APPROVER.identity) + "\n", encoding="utf-8")
    yield Step("keygen", "keys", {})
    choice = Choice(reason="A demonstration; nobody looked at these made-up figures.")
    statement = approve(package, load_key(key.read_bytes(), None), _APPROVER, time=now, choice=choice)
    verdict = verify(package, signers)
    yield Step("approved", "package/approval.json", {"files": len(statement.subject), "key": verdict.key or ""})
    for name in SHOWN:
        made = convert(package, name, stage / "sdmx" / name, allowed_signers=signers, now=now)
        text = "converted-csv" if "csv" in name else "converted"
        yield Step(text, f"sdmx/{name}", {"format": name, "files": len(made.files)})
    options = Options(_BASE_URL, title="Citizen data (made-up example)")
    site = publish_packages([package], stage / "site", signers, options, today=now.date())
    yield Step("site", "site/index.html", {"files": site.files})
