"""Data messages: cdmeta beside pysdmx and sdmx1, on made-up observations, in one run.

python benchmarks/sdmx.py [--rows 10000000] [--peer-rows 1000000] [--sdmx1-rows 100000]
python benchmarks/sdmx.py --growth 10000,100000,1000000,10000000
python benchmarks/sdmx.py --shapes 1000000

Seconds are those of writing alone, measured inside the process; cdmeta reads the rows from a file meanwhile, the
others have them in memory before; sdmx1's are those of building its objects too. Peak memory is that of the whole
process. sdmx1 writes no SDMX-ML 3.0 and no series of it: what it is measured with as "3.0 flat" is 2.1.
"""

import argparse
import os
import platform
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import IO

DIMENSIONS = ("FREQ", "REF_AREA", "SEX", "AGE", "TIME_PERIOD")
COLUMNS = (*DIMENSIONS, "OBS_VALUE", "OBS_STATUS", "NOTE")
"""What the rows have: five dimensions, a measure and two attributes."""
MADE = """
    SELECT 'A' AS FREQ, 'D' || lpad((i % 300)::VARCHAR, 3, '0') AS REF_AREA,
        ['F', 'M', '_T'][1 + (i // 300) % 3] AS SEX,
        'Y' || ((i // 900) % 20) AS AGE, (1000 + i // 18000)::VARCHAR AS TIME_PERIOD,
        round(random() * 1000, 3)::VARCHAR AS OBS_VALUE, ['A', 'E', 'P'][1 + i % 3] AS OBS_STATUS,
        'note ' || (i % 100) AS NOTE
    FROM range({rows}) AS made(i) ORDER BY hash(i)
"""
SHAPES = {
    "18,000 series": MADE,
    "one series": (
        "SELECT 'A' AS FREQ, 'D' AS REF_AREA, 'F' AS SEX, 'Y' AS AGE, "
        "strftime(DATE '0001-01-01' + (i % 3000000)::INTEGER, '%Y-%m-%d') AS TIME_PERIOD, "
        "'1.5' AS OBS_VALUE, 'A' AS OBS_STATUS, 'note' AS NOTE FROM range({rows}) AS made(i)"
    ),
    "series of one": (
        "SELECT 'A' AS FREQ, 'D' || i AS REF_AREA, 'F' AS SEX, 'Y' AS AGE, '2020' AS TIME_PERIOD, "
        "'1.5' AS OBS_VALUE, 'A' AS OBS_STATUS, 'note' AS NOTE FROM range({rows}) AS made(i)"
    ),
}

STRUCTURE = """
import datetime as dt
from cdmeta.sdmx.artefacts import Attribute, Dataflow, DataStructure, Dimension, Header, Measure, Representation
from cdmeta.text import Text
from cdmeta.urn import Ref

def concept(id_):
    return Ref("Concept", "BENCH", "CS", "1.0", id_)

KEY = ("FREQ", "REF_AREA", "SEX", "AGE")
DSD = DataStructure(
    "BENCH", "DSD", "1.0", Text(),
    dimensions=(
        *(Dimension(id_, concept(id_), Representation(), place) for place, id_ in enumerate(KEY, 1)),
        Dimension("TIME_PERIOD", concept("TIME_PERIOD"), Representation(text_type="BasicTimePeriod"), 5, True),
    ),
    measures=(Measure("OBS_VALUE", concept("OBS_VALUE"), Representation(text_type="Double")),),
    attributes=(
        Attribute("OBS_STATUS", concept("OBS_STATUS"), Representation()),
        Attribute("NOTE", concept("NOTE"), Representation()),
    ),
)
FLOW = Dataflow("BENCH", "DF", "1.0", Text((("en", "Made up"),)), structure=DSD.ref)
HEADER = Header("B", dt.datetime(2026, 1, 1, tzinfo=dt.UTC), "BENCH")
"""
CDMETA = (
    STRUCTURE
    + """
import sys, time
from pathlib import Path
from cdmeta.formats import sdmx_csv, sdmx_json_data, sdmx_ml_data, sdmx_ml_data_21
from cdmeta.sdmx.observations import Cell, Observations
from cdmeta.tables.engine import data_session, sparingly
from cdmeta.tables.plain import csv_scan

format_, source, out = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
ids = [part.id for part in DSD.components]
def write(threads):
    with data_session(source.parent, threads=threads) as session:
        cells = ", ".join(f"c{place} AS {id_}" for place, id_ in enumerate(ids))
        scan = csv_scan([source], len(ids), ",", header=True)
        made = f"SELECT row_number() OVER () + 1 AS row, {cells} FROM {scan}"
        session.connection.execute(f"CREATE VIEW made AS {made}")
        rows = Observations(DSD, FLOW, "made", tuple(Cell(id_, id_, id_ == "NOTE") for id_ in ids))
        if format_ == "csv":
            sdmx_csv.data(session, rows, out)
        elif format_.startswith("json"):
            sdmx_json_data.data(session, rows, out, HEADER, by_series="series" in format_)
        elif format_.startswith("2.1"):
            generic = "generic" in format_
            sdmx_ml_data_21.data(session, rows, out, HEADER, by_series="series" in format_, generic=generic)
        else:
            zipped = "zip" in format_
            sdmx_ml_data.data(session, rows, out, HEADER, by_series="series" in format_, compress=zipped)

start = time.perf_counter()
sparingly(write)
print(time.perf_counter() - start)
"""
)
PYSDMX = """
import sys, time
import pandas
from pysdmx.io import write_sdmx
from pysdmx.io.format import Format
from pysdmx.io.pd import PandasDataset
from pysdmx.model import Component, Components, Concept, DataType, Role, Schema
from pysdmx.model.message import Header

format_, source, out = sys.argv[1:]
frame = pandas.read_csv(source, dtype=str)
roles = {"OBS_VALUE": Role.MEASURE, "OBS_STATUS": Role.ATTRIBUTE, "NOTE": Role.ATTRIBUTE}
parts = [
    Component(
        id_, True, roles.get(id_, Role.DIMENSION), Concept(id_, dtype=DataType.STRING),
        attachment_level="O" if roles.get(id_) is Role.ATTRIBUTE else None,
    )
    for id_ in frame.columns
]
schema = Schema("dataflow", "BENCH", "DF", Components(parts), "1.0", artefacts=[])
data = PandasDataset(structure=schema, data=frame)
start = time.perf_counter()
if format_ == "csv":
    write_sdmx(data, Format.DATA_SDMX_CSV_2_0_0, out)
else:
    extra = {"dimension_at_observation": {schema.short_urn: "TIME_PERIOD"}} if "series" in format_ else {}
    write_sdmx(data, Format.DATA_SDMX_ML_3_0, out, header=Header(id="B"), **extra)
print(time.perf_counter() - start)
"""
SDMX1 = """
import csv, sys, time
import sdmx
from sdmx.model import v21 as m

format_, source, out = sys.argv[1:]
start = time.perf_counter()
dsd = m.DataStructureDefinition(id="DSD", maintainer=m.Agency(id="BENCH"), version="1.0")
for place, id_ in enumerate(("FREQ", "REF_AREA", "SEX", "AGE"), 1):
    dsd.dimensions.append(m.Dimension(id=id_, order=place))
dsd.dimensions.append(m.TimeDimension(id="TIME_PERIOD", order=5))
dsd.measures.append(m.PrimaryMeasure(id="OBS_VALUE"))
for id_ in ("OBS_STATUS", "NOTE"):
    dsd.attributes.append(m.DataAttribute(id=id_, related_to=m.PrimaryMeasureRelationship()))
flow = m.DataflowDefinition(id="DF", maintainer=m.Agency(id="BENCH"), version="1.0", structure=dsd)
data = m.StructureSpecificDataSet(structured_by=dsd, described_by=flow)
said = {id_: dsd.attributes.get(id_) for id_ in ("OBS_STATUS", "NOTE")}
with open(source, newline="") as stream:
    data.add_obs([
        m.Observation(
            dimension=dsd.make_key(m.Key, {k: row[k] for k in ("FREQ", "REF_AREA", "SEX", "AGE", "TIME_PERIOD")}),
            value=row["OBS_VALUE"], value_for=dsd.measures[0],
            attached_attribute={k: m.AttributeValue(value=row[k], value_for=said[k]) for k in said},
        )
        for row in csv.DictReader(stream)
    ])
if format_ == "csv":
    sdmx.to_csv(data, path=__import__("pathlib").Path(out), attributes="o", rtype=__import__("pandas").DataFrame)
else:
    from sdmx.message import DataMessage, Header
    message = DataMessage(data=[data], header=Header(id="B"))
    with open(out, "wb") as stream:
        stream.write(sdmx.to_xml(message))
print(time.perf_counter() - start)
"""
WHO = {"cdmeta": CDMETA, "pysdmx": PYSDMX, "sdmx1": SDMX1}


def make(path: Path, rows: int, query: str = MADE) -> None:
    """A file of rows, all of it made up, in no order."""
    import duckdb

    with duckdb.connect(
        config={"memory_limit": "2GB", "temp_directory": str(path.parent / "spill")}
    ) as connection:
        connection.execute("SET enable_progress_bar = false")
        connection.execute(f"COPY ({query.format(rows=rows)}) TO '{path}' (FORMAT csv, HEADER true)")


def measure(who: str, format_: str, source: Path, out: Path) -> tuple[float, float]:
    """Seconds of writing, and megabytes at the peak."""
    watch = (
        "import resource, subprocess, sys\n"
        "run = subprocess.run(sys.argv[1:], capture_output=True, text=True)\n"
        "print(run.stdout.strip().splitlines()[-1] if run.returncode == 0 else run.stderr[-2000:])\n"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)\n"
    )
    command = [sys.executable, "-c", watch, sys.executable, "-c", WHO[who], format_, str(source), str(out)]
    *told, megabytes = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    try:
        return float(told[-1]), float(megabytes)
    except ValueError:
        raise SystemExit("\n".join(told)) from None


def check(format_: str, path: Path, rows: int) -> str:
    """Whether a message is valid, and as many rows as were to be written are in it."""
    if format_ == "csv":
        return _check_csv(path, rows)
    if format_.startswith("json"):
        return _check_json(path, rows)
    from cdmeta.formats.sdmx_ml_data import Parts
    from cdmeta.sdmx import xsd

    names: dict[str, object] = {}
    exec(STRUCTURE, names)  # it stands above
    old = format_.startswith("2.1")
    level: xsd.ObservationDimension = "TIME_PERIOD" if "series" in format_ else "AllDimensions"
    schema = xsd.schema(names["DSD"], (), names["FLOW"], level, complete=True, version="2.1" if old else "3.0")  # type: ignore[arg-type]  # they are what they are called
    mark = b"<gen:Obs>" if "generic" in format_ else b"<Obs "
    judge = xsd.compiled(schema)
    with _opened(path, format_) as stream:
        if "generic" in format_:
            problems = xsd.stream_problems(stream, judge)
        else:
            problems = tuple(each for part in Parts(stream) for each in xsd.chunk_problems(part, judge))
    with _opened(path, format_) as stream:
        found = sum(line.count(mark) for line in stream)
    return "valid" if not problems and found == rows else f"{found} observations, {problems[:1]}"


@contextmanager
def _opened(path: Path, format_: str) -> Iterator[IO[bytes]]:
    if "zip" not in format_:
        with path.open("rb") as stream:
            yield stream
        return
    with zipfile.ZipFile(path) as archive, archive.open(archive.namelist()[0]) as stream:
        yield stream


def _check_json(path: Path, rows: int) -> str:
    """Only that all observations are there: the schema of SDMX-JSON takes too long at this size."""
    import json

    if path.stat().st_size > 200e6:
        return "not read"
    (data,) = json.loads(path.read_bytes())["data"]["dataSets"]
    series = data.get("series", {"": data}).values()
    found = sum(len(part["observations"]) for part in series)
    return "read" if found == rows else f"{found} observations"


def _check_csv(path: Path, rows: int) -> str:
    import csv

    with path.open(newline="", encoding="utf-8") as stream:
        lines = csv.reader(stream)
        header = next(lines)
        found = sum(len(line) == len(header) for line in lines)
    wanted = ["STRUCTURE", "STRUCTURE_ID", "ACTION", *COLUMNS]
    return "valid" if header == wanted and found == rows else f"{found} rows, {header}"


def told(who: str, format_: str, rows: int, source: Path, *, checked: bool = True) -> float:
    """Measure, print a line of the table, and give the rows a second."""
    out = source.parent / "out"
    seconds, megabytes = measure(who, format_, source, out)
    size = out.stat().st_size / 1e6
    judged = check(format_, out, rows) if who == "cdmeta" and checked else "-"
    out.unlink()
    speed = rows / seconds
    figures = f"{rows:,} | {seconds:.2f} | {speed:,.0f} | {megabytes:.0f} | {size:,.0f}"
    print(f"| {format_} | {who} | {figures} | {judged} |")
    sys.stdout.flush()
    return speed


def compare(folder: Path, sizes: dict[str, int]) -> None:
    sources = {rows: folder / f"{rows}.csv" for rows in sizes.values()}
    for rows, source in sources.items():
        make(source, rows)
    for format_ in ("csv", "3.0 flat", "3.0 series"):
        speeds = {}
        for who, rows in sizes.items():
            if who != "sdmx1" or format_ != "3.0 series":
                speeds[who] = told(who, format_, rows, sources[rows])
        ratios = ", ".join(
            f"{speeds['cdmeta'] / speed:.1f} times {who}" for who, speed in speeds.items() if who != "cdmeta"
        )
        print(f"| {format_} | rows a second: cdmeta {ratios} | | | | | | |")


def grow(folder: Path, sizes: list[int]) -> None:
    for rows in sizes:
        source = folder / f"{rows}.csv"
        make(source, rows)
        for format_ in (
            "csv",
            "3.0 flat",
            "3.0 series",
            "2.1 flat",
            "2.1 generic series",
            "json series",
            "json flat",
        ):
            if rows <= 10_000_000 or not format_.startswith(("2.1", "json")):
                told("cdmeta", format_, rows, source)
        source.unlink()


def shape(folder: Path, rows: int) -> None:
    for name, query in SHAPES.items():
        source = folder / "shape.csv"
        make(source, rows, query)
        print(f"| {name} | | | | | | | |")
        for format_ in ("3.0 series", "3.0 series zip", "json series"):
            told("cdmeta", format_, rows, source)
        source.unlink()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--peer-rows", type=int, default=1_000_000)
    parser.add_argument("--sdmx1-rows", type=int, default=100_000)
    parser.add_argument("--growth", default="")
    parser.add_argument("--shapes", type=int, default=0)
    given = parser.parse_args()
    versions = ", ".join(f"{name} {version(name)}" for name in ("cdmeta", "duckdb", "pysdmx", "sdmx1"))
    print(f"{platform.platform()}, {os.cpu_count()} processors, Python {platform.python_version()}, {versions}\n")
    print("| message | who | observations | seconds | a second | peak MB | MB | |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if given.growth:
            grow(folder, [int(size) for size in given.growth.split(",")])
        elif given.shapes:
            shape(folder, given.shapes)
        else:
            compare(folder, {"cdmeta": given.rows, "pysdmx": given.peer_rows, "sdmx1": given.sdmx1_rows})


if __name__ == "__main__":
    main()
