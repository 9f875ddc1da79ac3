"""Rows: cdmeta beside frictionless and a hand-written query, on made-up tables, in one run.

python benchmarks/rows.py [--rows 1000000] [--peers cdmeta,frictionless,query] [--tables plain,quoted]
"""

import argparse
import json
import os
import platform
import random
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

FIELDS = [
    {"name": "id", "type": "string", "constraints": {"required": True, "pattern": "P[0-9]{8}"}},
    {"name": "district", "type": "string"},
    {"name": "sex", "type": "string", "constraints": {"enum": ["F", "M"]}},
    {"name": "age", "type": "integer", "constraints": {"minimum": 0, "maximum": 120}},
    {"name": "value", "type": "number"},
    {"name": "day", "type": "date"},
    {"name": "member", "type": "boolean"},
    {"name": "phone", "type": "string", "constraints": {"pattern": r"\+2547[0-9]{8}"}},
]
KEY = {
    "primaryKey": ["id"],
    "foreignKeys": [{"fields": ["district"], "reference": {"resource": "districts", "fields": ["code"]}}],
}
BAD = 1_000
"""Bad rows of each of five kinds."""

CDMETA = """
import sys
from cdmeta import load
from cdmeta.checks.rows import check
print(sum(1 for _ in check(load(sys.argv[1]))))
"""
FRICTIONLESS = """
import sys, frictionless
report = frictionless.validate(sys.argv[1] + "/datapackage.json", limit_errors=1_000_000)
print(sum(len(task.errors) for task in report.tasks))
"""
QUERY = """
import sys, duckdb
names = ", ".join(f"'{name}': 'VARCHAR'" for name in sys.argv[2].split(","))
people = f"'{sys.argv[1]}/people.csv', header = true, auto_detect = false, delim = ',', columns = {{{names}}}"
scan = f"read_csv({people})"
codes = f"read_csv('{sys.argv[1]}/districts.csv', header = true, all_varchar = true)"
good = (
    "regexp_full_match(id, 'P[0-9]{8}') AND sex IN ('F', 'M') AND TRY_CAST(age AS INTEGER) BETWEEN 0 AND 120 "
    "AND TRY_CAST(value AS DOUBLE) IS NOT NULL AND TRY_CAST(day AS DATE) IS NOT NULL "
    "AND member IN ('true', 'false') AND regexp_full_match(phone, '\\\\+2547[0-9]{8}')"
)
duckdb.sql("SET memory_limit = '512MB'")
duckdb.sql("SET enable_progress_bar = false")
(bad,) = duckdb.sql(f"SELECT count(*) FROM {scan} WHERE NOT coalesce({good}, false)").fetchall()[0]
(twice,) = duckdb.sql(f"SELECT count(*) - count(DISTINCT id) FROM {scan}").fetchall()[0]
(lost,) = duckdb.sql(f"SELECT count(*) FROM {scan} WHERE district NOT IN (SELECT code FROM {codes})").fetchall()[0]
print(bad + twice + lost)
"""
PEERS = {"cdmeta": CDMETA, "frictionless": FRICTIONLESS, "query": QUERY}


def make(folder: Path, rows: int, *, bad: bool, quoted: bool) -> None:
    """A package of people and districts, its texts and header between quotes or not; all of it is made up."""
    texts = [place for place, field in enumerate(FIELDS) if field["type"] == "string"] if quoted else []
    source = random.Random(1)
    wrong = sorted(source.sample(range(rows), 5 * BAD)) if bad else []
    kinds = {row: number % 5 for number, row in enumerate(wrong)}
    with (folder / "districts.csv").open("w", encoding="utf-8") as file:
        file.write("code,name\n")
        file.writelines(f"D{number:03},District {number} (made up)\n" for number in range(300))
    with (folder / "people.csv").open("w", encoding="utf-8") as file:
        mark = '"' if quoted else ""
        file.write(",".join(f"{mark}{field['name']}{mark}" for field in FIELDS) + "\n")
        for row in range(rows):
            cells = [
                f"P{row:08}",
                f"D{source.randrange(300):03}",
                source.choice("FM"),
                str(source.randrange(121)),
                f"{source.random() * 1000:.3f}",
                f"20{source.randrange(10, 26)}-{source.randrange(1, 13):02}-{source.randrange(1, 29):02}",
                source.choice(("true", "false")),
                f"+2547{source.randrange(10**8):08}",
            ]
            if (kind := kinds.get(row)) is not None:
                place, cell = [(0, "X1"), (1, "D999"), (3, "150"), (5, "2024-13-01"), (2, "Q")][kind]
                cells[place] = cell if place else f"X{row}"
            for place in texts:
                cells[place] = f'"{cells[place]}"'
            file.write(",".join(cells) + "\n")
    people = {"name": "people", "path": "people.csv", "schema": {"fields": FIELDS} | KEY}
    codes = {"fields": [{"name": "code", "type": "string"}, {"name": "name", "type": "string"}]}
    districts = {"name": "districts", "path": "districts.csv", "schema": codes}
    (folder / "datapackage.json").write_text(json.dumps({"name": "people", "resources": [people, districts]}))


def measure(peer: str, folder: Path) -> tuple[float, float, str]:
    """Seconds, megabytes at the peak, and what it counted."""
    names = ",".join(str(field["name"]) for field in FIELDS)
    watch = (
        "import resource, subprocess, sys, time\n"
        "start = time.perf_counter()\n"
        "run = subprocess.run(sys.argv[1:], capture_output=True, text=True)\n"
        "print(time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)\n"
        "print(run.stdout.strip() or run.stderr.strip().splitlines()[-1])\n"
    )
    command = [sys.executable, "-c", watch, sys.executable, "-c", PEERS[peer], str(folder), names]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    seconds, megabytes = map(float, told[0].split())
    return seconds, megabytes, told[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--peers", default=",".join(PEERS))
    parser.add_argument("--tables", default="plain,quoted")
    given = parser.parse_args()
    versions = ", ".join(f"{name} {version(name)}" for name in ("cdmeta", "frictionless", "duckdb"))
    print(f"{platform.platform()}, {os.cpu_count()} processors, Python {platform.python_version()}, {versions}")
    print(f"{given.rows:,} rows × {len(FIELDS)} columns, a primary and a foreign key\n")
    print("| table | who | seconds | times cdmeta | peak MB | findings |\n| --- | --- | --- | --- | --- | --- |")
    for table in given.tables.split(","):
        for bad in (False, True):
            compare(given.rows, given.peers.split(","), bad=bad, quoted=table == "quoted")


def compare(rows: int, peers: list[str], *, bad: bool, quoted: bool) -> None:
    """One table, made anew, and each of the peers in turn."""
    with tempfile.TemporaryDirectory() as name:
        make(Path(name), rows, bad=bad, quoted=quoted)
        ours = 0.0
        for peer in peers:
            seconds, megabytes, count = measure(peer, Path(name))
            ours = ours or seconds
            table = ("quoted, " if quoted else "") + (f"5 × {BAD:,} bad rows" if bad else "clean")
            print(f"| {table} | {peer} | {seconds:.2f} | {seconds / ours:.1f} | {megabytes:.0f} | {count} |")


if __name__ == "__main__":
    main()
