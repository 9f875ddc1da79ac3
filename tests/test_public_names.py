"""The public names, and what importing them costs."""

import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import cdmeta
from cdmeta import profile

PUBLIC = [
    "ApprovalError", "CdmetaError", "ConversionError", "Dataset", "Decision", "Finding", "Package", "PackageError",
    "Report", "Where", "check", "find", "load", "render", "to_dataset",
]  # fmt: skip
EXAMPLE = Path(__file__).parent.parent / "examples" / "water-points" / "package"


def test_the_public_names_are_these() -> None:
    assert cdmeta.__all__ == PUBLIC
    assert len(PUBLIC) <= 15
    assert set(PUBLIC) <= set(dir(cdmeta))


@pytest.mark.parametrize("name", PUBLIC)
def test_a_public_name_is_there_and_explained(name: str) -> None:
    assert inspect.getdoc(getattr(cdmeta, name))


def test_a_name_that_is_not_there() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        cdmeta.nothing  # noqa: B018  # the access is what is tested


def test_what_the_docstring_shows_works() -> None:
    report = cdmeta.check(cdmeta.load(EXAMPLE))
    assert [finding.code for finding in report.findings] == ["CD143"]
    assert report.valid
    assert cdmeta.render(report).startswith("Valid")
    assert cdmeta.find("CD301") is profile.load().rules["CD301"]


def test_importing_loads_nothing_else() -> None:
    code = "import sys; before = set(sys.modules); import cdmeta; print(sorted(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    loaded = [name for name in eval(done.stdout) if name.split(".")[0] not in sys.stdlib_module_names]  # noqa: S307
    assert loaded == ["cdmeta"]
