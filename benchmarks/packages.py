"""Many small packages: cdmeta beside frictionless, both in a pool of processes, in one run.

python benchmarks/packages.py [--packages 1000] [--jobs 4]
"""

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

MODEL = Path(__file__).parent.parent / "examples" / "water-points" / "package"
CDMETA = """
import sys
from pathlib import Path
from cdmeta.workflows.many import find, validate_many
if __name__ == "__main__":
    cache = Path(sys.argv[3]) if sys.argv[3] else None
    results = validate_many(find(Path(sys.argv[1])), cache=cache, jobs=int(sys.argv[2]))
    print(sum(1 for result in results if result.report and result.report.valid))
"""
FRICTIONLESS = """
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
def judge(path):
    import frictionless
    return frictionless.validate(path).valid
if __name__ == "__main__":
    paths = sorted(map(str, Path(sys.argv[1]).glob("*/datapackage.json")))
    with ProcessPoolExecutor(int(sys.argv[2]), get_context("spawn")) as pool:
        print(sum(pool.map(judge, paths)))
"""


def make(folder: Path, count: int) -> None:
    """Copies of an example, each with another name, other titles and other rows."""
    descriptor = json.loads((MODEL / "datapackage.json").read_text(encoding="utf-8"))
    table = (MODEL / "data" / "scores.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    for number in range(count):
        package = folder / f"{number:05}"
        shutil.copytree(MODEL, package)
        changed = descriptor | {"name": f"package-{number}", "title": f"Package {number} (made up)"}
        for field in changed["resources"][0]["schema"]["fields"]:
            field["title"] = f"Column {field['name']} of package {number}"
        (package / "datapackage.json").write_text(json.dumps(changed), encoding="utf-8")
        (package / "data" / "scores.csv").write_text("".join(table[: 2 + number % (len(table) - 2)]), "utf-8")


def compiled(folder: Path) -> dict[str, str]:
    """An environment in which modules are kept compiled, as an installation leaves them."""
    ours = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return ours | {"PYTHONPYCACHEPREFIX": str(folder)}


def measure(environment: dict[str, str], script: Path, *args: object) -> tuple[float, str]:
    """Seconds, and what it counted."""
    watch = (
        "import subprocess, sys, time\n"
        "start = time.perf_counter()\n"
        "run = subprocess.run(sys.argv[1:], capture_output=True, text=True)\n"
        "print(time.perf_counter() - start)\n"
        "print(run.stdout.strip() or run.stderr.strip().splitlines()[-1])\n"
    )
    command = [sys.executable, "-c", watch, sys.executable, str(script), *map(str, args)]
    seconds, told = subprocess.run(
        command, capture_output=True, text=True, check=True, env=environment
    ).stdout.splitlines()
    return float(seconds), told


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--packages", type=int, default=1_000)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    given = parser.parse_args()
    versions = ", ".join(f"{name} {version(name)}" for name in ("cdmeta", "frictionless"))
    print(f"{platform.platform()}, {os.cpu_count()} processors, Python {platform.python_version()}, {versions}")
    print(f"{given.packages:,} packages, {given.jobs} processes\n")
    print("| who | seconds | packages a second | times frictionless | valid |\n| --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as name:
        packages, kept = Path(name) / "packages", Path(name) / "kept"
        make(packages, given.packages)
        scripts = {"cdmeta": CDMETA, "frictionless": FRICTIONLESS}
        for who, text in scripts.items():
            (Path(name) / f"run_{who}.py").write_text(text, encoding="utf-8")
        runs = {
            "frictionless": ("frictionless", ""),
            "cdmeta": ("cdmeta", ""),
            "cdmeta, first run with a cache": ("cdmeta", kept),
            "cdmeta, second run": ("cdmeta", kept),
        }
        environment = compiled(Path(name) / "compiled")
        make(Path(name) / "few", 8)
        for who in scripts:
            measure(environment, Path(name) / f"run_{who}.py", Path(name) / "few", 2, "")
        floor = 0.0
        for told, (who, cache) in runs.items():
            seconds, valid = measure(environment, Path(name) / f"run_{who}.py", packages, given.jobs, cache)
            floor = floor or seconds
            rate = given.packages / seconds
            print(f"| {told} | {seconds:.2f} | {rate:.0f} | {floor / seconds:.1f} | {valid} |", flush=True)


if __name__ == "__main__":
    main()
