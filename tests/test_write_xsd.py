"""`cdmeta xsd`: the schemas of a data structure, which judge data beside the official ones."""

import dataclasses
import datetime as dt
import json
import re
from pathlib import Path

import pytest
from commands import run
from lxml import etree
from sdmx_checked import AREA, DSD, FLOW, SEX, structures
from xsd_judged import xsd_problems

from cdmeta.sdmx import xsd
from cdmeta.workflows.convert import convert
from cdmeta.workflows.messages import Options

EXAMPLE = Path(__file__).parent.parent / "examples" / "water-points" / "package"
NOW = dt.datetime(2026, 3, 2, 10, 0, tzinfo=dt.UTC)


@pytest.mark.parametrize("version", ["2.1", "3.0", "3.1"])
@pytest.mark.parametrize("by_series", [False, True])
def test_the_schema_takes_our_data_and_refuses_changed_ones(
    version: str, by_series: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "sdmx"
    convert(
        EXAMPLE,
        f"sdmx-ml-{version}",
        out,
        allowed_signers=None,
        draft=True,
        now=NOW,
        options=Options(by_series=by_series),
    )
    args = ["--dsd", out / "structures.xml", "--out", tmp_path / "xsd", "--version", version, "--complete"]
    code, told, _ = run(capsys, "xsd", *args, "--by-series" if by_series else "--flat")
    assert (code, told.startswith("Wrote to")) == (0, True)
    index = json.loads((tmp_path / "xsd" / "index.json").read_text(encoding="utf-8"))
    ((name, urn),) = index.items()
    assert "DF_WATER_POINTS_SCORES" in urn
    schema = (tmp_path / "xsd" / name).read_bytes()
    data = (out / "data-scores.xml").read_bytes()
    assert xsd_problems(data, schema) == ()
    assert xsd_problems(re.sub(rb'TIME_PERIOD="\d', b'TIME_PERIOD="x', data, count=1), schema)


def test_a_data_structure_without_a_dataflow_has_a_schema_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    known = structures(tmp_path, SEX, AREA, DSD)
    assert run(capsys, "xsd", "--dsd", known, "--out", tmp_path / "xsd")[0] == 0
    index = json.loads((tmp_path / "xsd" / "index.json").read_text(encoding="utf-8"))
    assert index == {"ZZ_DSD_1.0.xsd": DSD.urn}
    # Once more: what was written before is replaced.
    known = structures(tmp_path, SEX, AREA, DSD, FLOW)
    assert run(capsys, "xsd", "--dsd", known, "--out", tmp_path / "xsd")[0] == 0
    assert sorted(path.name for path in (tmp_path / "xsd").iterdir()) == ["ZZ_DF_1.0.xsd", "index.json"]


def test_there_is_a_schema_for_each_dataflow_and_for_a_structure_without_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    alone = dataclasses.replace(DSD, id="ALONE")
    known = structures(tmp_path, SEX, AREA, DSD, alone, FLOW)
    args = ["--dsd", known, "--out", tmp_path / "xsd", "--version", "2.1", "--by-series"]
    assert run(capsys, "xsd", *args)[0] == 0
    index = json.loads((tmp_path / "xsd" / "index.json").read_text(encoding="utf-8"))
    assert index == {"ZZ_DF_1.0.xsd": FLOW.urn, "ZZ_ALONE_1.0.xsd": alone.urn}
    for name, usage, structure in (("DF", FLOW, DSD), ("ALONE", alone, alone)):
        made = (tmp_path / "xsd" / f"ZZ_{name}_1.0.xsd").read_bytes()
        assert made == xsd.schema(structure, (SEX, AREA), usage, "TIME_PERIOD", version="2.1")
        assert etree.fromstring(made).get("targetNamespace") == f"{usage.urn}:ObsLevelDim:TIME_PERIOD"


def test_what_has_no_data_structure_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, told = run(capsys, "xsd", "--dsd", structures(tmp_path, SEX), "--out", tmp_path / "xsd")
    assert (code, told) == (2, "cdmeta: There is no data structure in these files.\n")
    assert not (tmp_path / "xsd").exists()
