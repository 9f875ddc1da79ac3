"""Damaged tables of all forms: findings, and never anything else."""

import base64
import gzip
import io
import json
import struct
import subprocess
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from cdmeta.checks import disclosure, rows
from cdmeta.finding import Finding
from cdmeta.package import load
from cdmeta.tables import workbook

CSV = 'a,b,c\nx,1,2024-01-02\n"é, ü",2,2024-02-03\n'.encode()
FIELDS = [{"name": "a", "type": "string"}, {"name": "b", "type": "integer"}, {"name": "c", "type": "date"}]
XLS = zlib.decompress(base64.b85decode(
    'c-rk(Uuc_E6hHUNm-'
    'I{5wO_h*&Tflwx~*H=xiQd+&UWiIH&7~b{y_pRO~0;nX;Zoi&4Zdb2R>||>_G<u8FU~B>JYXE|F!tw9u$4qgQCz41Z6%%QDk5nf9HHR>D'
    'QP*lFfmd6VAOi=l(h8o_qd%Uw;*vJ$t_O3KhTu<fHj)kOCf>0$RC0Hj$xe^Vw`RN6yyZUj=iz=QlL*etsaod7XaOpzdq%--'
    'P{?#BYKkw3|lJk5h^&ffcYA?|J3ynJ;r)xlrR@J%5hh9LIgYLjUJj&;DNzTmozWE(JCMo7@yYAz(9b8E`qUMQnoTHsDI&?Z8&xD&T6(JF'
    'I)gJ274hyi3#8p<iE%Ikyag7G5#nrw^BY!A~x4e+3rtzBwayaTOS)F}97~SRx*|Rj^ZJh$)s~8b-'
    'PuBSmLGZKU^v`jNET#rgm}6zS3y{j|{|vY(W8t+b8A`!C9#Z-'
    'ugz!t|Y3`D@|?it1D^#VA3;)Q>ngj1{ePiT&#(S;5|+cE}8`x{=wi*+5h5V-Gu{&Uh>lHbZod{VN5Cc8-'
    'ihI|l}4#i6F?_iV)Dywee;^O-{btvtF>A)Wqr^eO1Bn4a6+^_fEY#uD_767)?a=)t0Nf;oshW(heX3-'
    'nV47Nsf6y`A<+A4&(LZ%&)iFH6@+zdY^F9uy}yj!^!&obIQ`ha6|(1b8X@W|RdaI&f0aHF}04eP+L~3S>B<vq-th-;3L5Nrrv#Q+Sj`M-'
    '?)MHLZHk_E7j2+sz#oY}`U_u>L^$_!AkyuX7GghynY7ao{8{l||;U=vC9rJaMZ9xbQ$Nx;HpIxnay+6vi4L<^aTJ#}A3fHjeA;U48B9y{'
    '+BP3O&8>K|||UkJO=#VrItNBs<!reOcD#(%Uhiy&~=U{Qe)iH+aTv`EjOuqi1{;;V1~HNK|crTZdZN5I8n-'
    'aJD<wD|!Mm7QG<XCUx3s(l>2%1BtYpur0&Z;|@2-'
    's3xJQA~Zu1{bHI~K%0|P?<RNB{}leI{69nV>Hbr)lI8dqL0HMkfavJLX9iaB8bj7FpBIgK(PERF^9fp0N`)1m{UE2ALQ(WHJ;q!zd)*hy'
    'SlYmN8vHU_+%q$6LJwx_A|;MN^|Fumu)ZELn(0Eo%@afq$_o&!(emdQ01m-'
    'A4_V%WRIaS5FIGz_R4TrDw+6E<!*xk_Y7f^uj}FJjlSh(+6OrAMaVHVE|Gv%xv3@6!a70%-'
    'hX)6{Zlv~8t}|8*^H~x@EOIW*9)IiC>wQD^JFi>RzTty!Sn+S_+E8g#@{{e=bz)R2X-'
    'L<L6S`(h>$>rTt~Gy}BMR$1$uVbiEH#;6o?$(|MW3C6zl|@}ot{d4ue{@%eSdM6%U@nTvw4+$>J8k#<NCY1*!c=*QC;WeqM+@$<0INl86'
    'tYVOV9UsYH!xnj<K;Po$({X$<f6+V*PI0yp{ebxS8L7a{mG!D7J@nG97fsPl5Y59Y)2)avZK${$?^nU#9*JDtF&KbvZll1>X@=xP6e}xv'
    'Kd4Jl|mD>{$ccm-n+i)Pqjd@5e#4((k`J^tYN${`5TVKZ3fH-'
    '+mvgU{KzKDHEtylc1D_HqGB(f&SSSF6H^}0*AQB;D`lQCQnxt_rDwXcJ2FL;4kVg7$*'
))  # fmt: skip
"""A sheet of the same columns and two rows, as LibreOffice writes it."""
ODS = b"""<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"
 xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"
 xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"><office:body><office:spreadsheet>
<table:table table:name="s1"><table:table-row><table:table-cell office:value-type="string"><text:p>a</text:p>
</table:table-cell><table:table-cell office:value-type="string"><text:p>b</text:p></table:table-cell>
</table:table-row></table:table></office:spreadsheet></office:body></office:document-content>""".replace(
    b"\n<", b"<"
)


def zipped(**members: bytes) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return target.getvalue()


def xlsx() -> bytes:
    book, target = Workbook(), io.BytesIO()
    for row in (["a", "b", "c"], ["x", 1, None]):
        book.worksheets[0].append(row)
    book.save(target)
    return target.getvalue()


def parquet() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        query = "SELECT 'x' AS a, 1::BIGINT AS b, DATE '2024-01-02' AS c"
        duckdb.connect().execute(f"COPY ({query}) TO '{folder}/t.parquet' (FORMAT parquet)")
        return Path(folder, "t.parquet").read_bytes()


SEEDS = {
    "csv": CSV,
    "csv.gz": gzip.compress(CSV),
    "csv.zip": zipped(t=CSV),
    "jsonl": b'{"a": "x", "b": 1, "c": null}\n{"a": "y", "b": 2, "c": "2024-01-02"}\n',
    "parquet": parquet(),
    "xlsx": xlsx(),
    "ods": zipped(
        mimetype=b"application/vnd.oasis.opendocument.spreadsheet",
        **{"META-INF/manifest.xml": b"<x/>", "content.xml": ODS},
    ),
    "xls": XLS,
}


def found(folder: Path, ending: str, content: bytes) -> list[Finding]:
    (folder / f"t.{ending}").write_bytes(content)
    table = {"name": "t", "path": f"t.{ending}", "schema": {"fields": FIELDS, "primaryKey": "b"}}
    (folder / "datapackage.json").write_text(json.dumps({"resources": [table]}))
    return list(rows.check(load(folder)))


def are_of_rows(findings: list[Finding]) -> bool:
    """All are of the judge of rows, and tell of the one table that there is."""
    return all(f.code.startswith("CD4") and f.where.resource == "t" and f.message() for f in findings)


@pytest.mark.parametrize("ending", SEEDS)
def test_the_tables_are_read_while_they_are_whole(ending: str, tmp_path: Path) -> None:
    assert "CD401" not in [finding.code for finding in found(tmp_path, ending, SEEDS[ending])]


Change = Callable[[bytes], bytes]


@st.composite
def damage(draw: st.DrawFn, content: bytes) -> bytes:
    place = draw(st.integers(0, len(content) - 1))
    noise = draw(
        st.sampled_from([b"", b"\0\0\0\0", b"\xff\xff\xff\xff", b"\xff\xff\xff\x7f"]) | st.binary(max_size=8)
    )
    gone = draw(st.sampled_from([0, len(noise), 64, len(content)]))
    return content[:place] + noise + content[place + gone :]


def inside(content: bytes, data: st.DataObject) -> bytes:
    """A zip of which one member is damaged, and nothing else."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    name = data.draw(st.sampled_from(sorted(members)))
    return zipped(**members | {name: data.draw(damage(members[name]))})


@settings(max_examples=60, deadline=None)
@given(st.sampled_from([ending for ending in SEEDS if ending != "xls"]), st.booleans(), st.data())
def test_damage_gives_findings_only(ending: str, is_inside: bool, data: st.DataObject) -> None:
    content = SEEDS[ending]
    if is_inside and content.startswith(b"PK"):
        content = inside(content, data)
    elif is_inside and ending == "csv.gz":
        content = gzip.compress(data.draw(damage(CSV)))
    else:
        content = data.draw(damage(content))
    with tempfile.TemporaryDirectory() as folder:
        assert are_of_rows(found(Path(folder), ending, content))


@settings(max_examples=20, deadline=None)
@given(damage(XLS))
def test_damage_of_an_xls_gives_findings_only(content: bytes) -> None:
    """Fewer, because each is tried in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        assert are_of_rows(found(Path(folder), "xls", content))


def test_a_zip_whose_directory_points_before_its_start_is_damaged(tmp_path: Path) -> None:
    """zipfile seeks there, and the system says no: an OSError like that of a disk."""
    for ending in ("xlsx", "csv.zip"):
        content = bytearray(SEEDS[ending])
        end = content.rindex(b"PK\5\6")
        content[end + 16 : end + 20] = (2**32 - 2).to_bytes(4, "little")
        assert [f.code for f in found(tmp_path, ending, bytes(content))] == ["CD401"]


# Memory of an xls


def claims(rows_: int, columns: int) -> bytes:
    """The xls, its sheet said to be so large (MS-XLS 2.4.90, Dimensions)."""
    place = XLS.index(struct.pack("<HH", 0x200, 14)) + 4
    return XLS[:place] + struct.pack("<IIHH", 0, rows_, 0, columns) + XLS[place + 12 :]


@pytest.mark.parametrize(("rows_", "columns"), [(2**31 - 1, 2**16 - 1), (2**19, 256)])
def test_an_xls_that_claims_much_memory_is_not_opened(tmp_path: Path, rows_: int, columns: int) -> None:
    (finding,) = found(tmp_path, "xls", claims(rows_, columns))
    assert (finding.code, "more memory" in finding.message()) == ("CD401", True)


def test_an_xls_with_a_cell_far_away_is_not_kept(tmp_path: Path) -> None:
    """calamine keeps all cells between: 16,777,216 of them."""
    place = XLS.index(struct.pack("<HH", 0x27E, 10)) + 4
    (finding,) = found(tmp_path, "xls", XLS[:place] + struct.pack("<HH", 2**16 - 1, 255) + XLS[place + 4 :])
    assert (finding.code, "more memory" in finding.message()) == ("CD401", True)


def test_an_xls_that_takes_too_long_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook, "_TRIAL_SECONDS", 0.001)
    (finding,) = found(tmp_path, "xls", XLS)
    assert (finding.code, "or time" in finding.message()) == ("CD401", True)


def test_a_breakdown_of_the_reader_is_not_shown(tmp_path: Path) -> None:
    """calamine panics on a compound file that ends early, and a panic is written to the terminal."""
    assert [f.code for f in found(tmp_path, "xls", XLS[:600])] == ["CD401"]
    program = Path(sys.executable).parent / "cdmeta"
    done = subprocess.run([program, "validate", tmp_path], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (1, "")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("t.geojson", b'{"type": "Topology", "objects": {}}'),
        ("t.json", b'{"a": [1, 2]}'),
        ("t.gpkg", b"SQLite format 3\0"),
        ("t.shp.zip", zipped(**{"t.shp": b"", "t.dbf": b""})),
        ("t.zip", zipped(**{"t.shp": b"", "t.dbf": b""})),
        ("t.shp", b"\0\0\x27\x0a"),
        ("t.kml", b"<kml/>"),
    ],
)
@pytest.mark.parametrize("has_schema", [True, False])
def test_what_is_not_read_is_told_as_unchecked(
    tmp_path: Path, name: str, content: bytes, has_schema: bool
) -> None:
    """Both its rows, and what it gives away of people and places."""
    (tmp_path / name).write_bytes(content)
    schema = {"schema": {"fields": FIELDS}} if has_schema else {}
    for more in ({}, {"format": name.rpartition(".")[2]}):
        table = {"name": "t", "path": name} | schema | more
        (tmp_path / "datapackage.json").write_text(json.dumps({"resources": [table]}))
        package = load(tmp_path)
        told = [f for f in (*rows.check(package), *disclosure.check(package)) if f.code in ("CD418", "CD511")]
        known = ["CD418", "CD511"]
        assert [(f.code, f.severity("publish")) for f in told] == [(code, "warning") for code in known]
