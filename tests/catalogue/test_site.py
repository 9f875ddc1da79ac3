"""`cdmeta site` from start to end: approved packages in, files out, old or new and never half."""

import base64
import datetime as dt
import hashlib
import json
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from cdmeta.approval import Approver, allowed_signers_line
from cdmeta.cli import cli
from cdmeta.entry import Entry
from cdmeta.errors import ApprovalError, ConversionError, OutputError
from cdmeta.package import Package
from cdmeta.sshsig import SigningKey, new_key
from cdmeta.workflows.approve import Choice, approve
from cdmeta.workflows.site import Options, Source, publish, publish_packages
from cdmeta.workflows.verify import verify

EXAMPLES = Path(__file__).parents[2] / "examples"
OPTIONS = Options("https://data.example.org/citizen/")
APPROVED_AT = dt.datetime(2026, 2, 1, 9, 30, tzinfo=dt.UTC)
TODAY = dt.date(2026, 11, 21)
SATISFACTION = "CDMETA.EXAMPLELAND/public-service-satisfaction"
WATER = "CDMETA.VALLE_EJEMPLO/water-points"
KEY = new_key()

Approve = Callable[..., Path]


@pytest.fixture
def signers(tmp_path: Path) -> Path:
    path = tmp_path / "allowed_signers"
    path.write_text(allowed_signers_line("r@example.org", KEY) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def approved(tmp_path: Path) -> Approve:
    """A copy of an example, changed as asked and then approved."""
    numbers = iter(range(100))

    def make(
        example: str = "public-service-satisfaction",
        change: Callable[[dict[str, Any]], None] = lambda descriptor: None,
        key: SigningKey = KEY,
        reason: str = "",
    ) -> Path:
        folder = tmp_path / f"approved-{next(numbers)}"
        shutil.copytree(EXAMPLES / example / "package", folder)
        path = folder / "datapackage.json"
        descriptor = json.loads(path.read_text(encoding="utf-8"))
        change(descriptor)
        path.write_text(json.dumps(descriptor, ensure_ascii=False), encoding="utf-8")
        (folder / "unnamed.txt").write_text("named by nobody", encoding="utf-8")
        approver = Approver("Rita Reviewer", "r@example.org", "The Office (made up)")
        approve(folder, key, approver, time=APPROVED_AT, choice=Choice(decision="approve", reason=reason))
        return folder

    return make


def tree(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def closed(descriptor: dict[str, Any]) -> None:
    descriptor["citizenData"]["accessRights"] = "RESTRICTED"


def assessed(descriptor: dict[str, Any]) -> None:
    for stage in ("designPartnerships", "designMethods", "collection"):
        descriptor["citizenData"]["participation"][stage] = "L2"


def test_approved_packages_become_a_site(tmp_path: Path, approved: Approve, signers: Path) -> None:
    done = publish_packages(
        [approved(), approved("water-points")], tmp_path / "site", signers, OPTIONS, today=TODAY
    )
    files = tree(tmp_path / "site")
    assert done.addresses == tuple(f"https://data.example.org/citizen/{path}/" for path in (SATISFACTION, WATER))
    assert (done.removed, done.files) == ((), len(files))
    assert set(files) == {
        *("index.html", "index.fr.html", "index.es.html", "catalog.ttl", "catalog.jsonld", "sitemap.xml"),
        *("site.css", "manifest.json"),
        *(f"{SATISFACTION}/{name}" for name in ("index.html", "index.fr.html", "dcat.ttl", "dcat.jsonld")),
        *(f"{WATER}/{name}" for name in ("index.html", "index.en.html", "dcat.ttl", "dcat.jsonld")),
        *(
            f"{path}/package/{name}"
            for path in (SATISFACTION, WATER)
            for name in ("approval.json", "approval.json.sig")
        ),
        *(f"{path}/package/datapackage.json" for path in (SATISFACTION, WATER)),
        *(f"{SATISFACTION}/package/data/{name}.csv" for name in ("satisfaction", "regions")),
        f"{WATER}/package/data/scores.csv",
    }
    manifest = json.loads(files.pop("manifest.json"))
    assert manifest["files"] == {path: hashlib.sha256(data).hexdigest() for path, data in sorted(files.items())}
    assert manifest["datasets"] == {SATISFACTION: "1.0.0", WATER: "1.1.0"}
    page = files[f"{SATISFACTION}/index.html"].decode()
    assert "Rita Reviewer, The Office (made up)" in page
    assert KEY.public.fingerprint in page


def test_what_is_published_can_be_verified_again(tmp_path: Path, approved: Approve, signers: Path) -> None:
    publish_packages([approved()], tmp_path / "site", signers, OPTIONS, today=TODAY)
    assert verify(tmp_path / "site" / SATISFACTION / "package", signers).approved


@pytest.mark.parametrize("embargo", [None, "2026-11-22", "WITHHELD_SAFETY"])
def test_of_closed_data_there_is_no_data_file(
    embargo: str | None, tmp_path: Path, approved: Approve, signers: Path
) -> None:
    def change(descriptor: dict[str, Any]) -> None:
        if embargo is None:
            closed(descriptor)
        else:
            descriptor["citizenData"]["embargoUntil"] = embargo

    package = approved(change=change)
    publish_packages([package], tmp_path / "site", signers, OPTIONS, today=TODAY)
    files = tree(tmp_path / "site")
    names = {path.removeprefix(f"{SATISFACTION}/package/") for path in files if "/package/" in path}
    assert names == {"datapackage.json", "approval.json", "approval.json.sig"}
    rows = (package / "data" / "satisfaction.csv").read_bytes().splitlines()
    assert len(rows) > 150
    assert not [path for path, data in files.items() if rows[7] in data or rows[100] in data]
    assert b"downloadURL" not in files["catalog.ttl"]


def test_an_assessed_package_says_who_decided_and_why(tmp_path: Path, approved: Approve, signers: Path) -> None:
    package = approved(change=assessed, reason="The board <meets> monthly & decides.")
    publish_packages([package], tmp_path / "site", signers, OPTIONS, today=TODAY)
    page = (tmp_path / "site" / SATISFACTION / "index.html").read_text(encoding="utf-8")
    assert "Decided case by case" in page
    assert "The board &lt;meets&gt; monthly &amp; decides." in page
    assert "<dt>Decided by</dt><dd><bdi>Rita Reviewer, The Office (made up)</bdi></dd>" in page
    assert "<dt>Decided on</dt><dd>2026-02-01</dd>" in page


def test_what_is_not_approved_is_not_published(tmp_path: Path, approved: Approve, signers: Path) -> None:
    good, changed, foreign = approved("water-points"), approved(), approved(key=new_key())
    with (changed / "data" / "regions.csv").open("a", encoding="utf-8") as file:
        file.write("X,X,X\n")
    plain = tmp_path / "plain"
    shutil.copytree(EXAMPLES / "public-service-satisfaction" / "package", plain)
    for bad in (changed, foreign, plain):
        with pytest.raises(ApprovalError):
            publish_packages([good, bad], tmp_path / "site", signers, OPTIONS, today=TODAY)
        assert not (tmp_path / "site").exists()


def test_two_runs_give_the_same_bytes(tmp_path: Path, approved: Approve, signers: Path) -> None:
    one, other = approved(), approved("water-points")
    publish_packages([one, other], tmp_path / "site", signers, OPTIONS, today=TODAY)
    first = tree(tmp_path / "site")
    publish_packages([other, one], tmp_path / "site", signers, OPTIONS, today=TODAY)
    assert tree(tmp_path / "site") == first
    publish_packages([one, other], tmp_path / "again", signers, OPTIONS, today=TODAY)
    assert tree(tmp_path / "again") == first


@pytest.mark.parametrize("base", ["https://data.example.org/citizen", "https://data.example.org/elsewhere"])
def test_a_site_that_shrank_is_not_published_unless_meant(
    base: str, tmp_path: Path, approved: Approve, signers: Path
) -> None:
    """A new base address moves every dataset, which is the same to a harvester."""
    one, other = approved(), approved("water-points")
    out, options = tmp_path / "site", replace(OPTIONS, base_url=base)
    publish_packages([one, other], out, signers, OPTIONS, today=TODAY)
    before = tree(out)
    with pytest.raises(OutputError, match=r"would be gone: .*water-points/.*--allow-removal"):
        publish_packages([one], out, signers, options, today=TODAY)
    assert tree(out) == before
    done = publish_packages([one], out, signers, replace(options, allow_removal=True), today=TODAY)
    assert f"https://data.example.org/citizen/{WATER}/" in done.removed
    assert done.addresses == (f"{base}/{SATISFACTION}/",)
    assert not (out / WATER).exists()


def test_what_others_laid_into_the_folder_is_never_lost(tmp_path: Path, approved: Approve, signers: Path) -> None:
    package, out = approved(), tmp_path / "site"
    publish_packages([package], out, signers, OPTIONS, today=TODAY)
    (out / ".git").mkdir()
    (out / ".git" / "HEAD").write_text("ref", encoding="utf-8")
    with pytest.raises(OutputError, match=r'holds "\.git/HEAD"'):
        publish_packages([package], out, signers, OPTIONS, today=TODAY)
    assert (out / ".git" / "HEAD").read_text(encoding="utf-8") == "ref"


@pytest.mark.parametrize(
    ("manifest", "told"),
    [
        ('{"kind": "conversion"}', "something else"),
        ("no JSON", "something else"),
        ("[]", "something else"),
        ('{"kind": "cdmeta-site", "base": "https://x.org"}', "damaged"),
        ('{"kind": "cdmeta-site", "base": "https://x.org", "datasets": [], "files": {}}', "damaged"),
    ],
)
def test_a_folder_that_is_not_ours_is_left_alone(manifest: str, told: str, tmp_path: Path) -> None:
    out = tmp_path / "site"
    out.mkdir()
    (out / "manifest.json").write_text(manifest, encoding="utf-8")
    with pytest.raises(OutputError, match=told):
        publish([], out, OPTIONS)
    assert tree(out) == {"manifest.json": manifest.encode()}


@pytest.mark.parametrize(
    "address",
    ["", "data.example.org", "ftp://x.org", "https://", "https://u:p@x.org", "https://x.org/?a", "https://x.org/#a",
     "https://x y.org", "javascript:alert(1)", 'https://x.org/"><b>'],
)  # fmt: skip
def test_an_address_that_is_none_is_refused(address: str, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="no address of a site"):
        publish([], tmp_path / "site", replace(OPTIONS, base_url=address))


def test_a_file_that_changed_meanwhile_is_noticed(
    tmp_path: Path, make_package: Callable[..., Package], entry: Entry
) -> None:
    package = make_package(lambda descriptor: None)
    for name in ("approval.json", "approval.json.sig"):
        package.path(name).write_bytes(b"")
    package.path("data/regions.csv").write_bytes(b"other")
    sources: list[Source] = [(entry, package)]
    with pytest.raises(OutputError, match=r"regions[.]csv: changed"):
        publish(sources, tmp_path / "site", OPTIONS)
    assert not (tmp_path / "site").exists()


def test_rows_inside_the_descriptor_of_closed_data_stop_the_site(
    tmp_path: Path, approved: Approve, signers: Path
) -> None:
    def change(descriptor: dict[str, Any]) -> None:
        closed(descriptor)
        regions = descriptor["resources"][1]
        del regions["path"], regions["format"], regions["mediatype"], regions["encoding"]
        regions["data"] = [
            {"region": code, "name_en": code, "name_fr": code} for code in ("NORTH", "COAST", "LAKES", "_T")
        ]

    with pytest.raises(ConversionError, match="inside its descriptor"):
        publish_packages([approved(change=change)], tmp_path / "site", signers, OPTIONS, today=TODAY)


def test_the_command(tmp_path: Path, approved: Approve, signers: Path) -> None:
    package, out = approved(), tmp_path / "site"
    given = [
        "site",
        str(package),
        "--out",
        str(out),
        "--base-url",
        "https://x.org",
        "--allowed-signers",
        str(signers),
    ]
    done = CliRunner().invoke(
        cli, [*given, "--title", "Our data", "--publisher", "The Office"], catch_exceptions=False
    )
    assert done.exit_code == 0
    assert done.stdout == f"https://x.org/{SATISFACTION}/\n"
    assert f"{len(tree(out))} files are written. Open {out / 'index.html'}" in done.stderr
    index = (out / "index.html").read_text(encoding="utf-8")
    assert "<h1><bdi>Our data</bdi></h1>" in index
    assert "Published by The Office." in index
    moved = CliRunner().invoke(cli, [*(part.replace("x.org", "y.org") for part in given), "--allow-removal"])
    assert moved.exit_code == 0
    assert f"No longer there: https://x.org/{SATISFACTION}/" in moved.stderr


@pytest.mark.parametrize(("language", "index"), [("en", "index.es.html"), ("es", "index.html")])
def test_our_own_words_on_a_site_are_in_the_language_of_the_page(
    language: str, index: str, tmp_path: Path, approved: Approve, signers: Path
) -> None:
    def spanish(descriptor: dict[str, Any]) -> None:
        descriptor["citizenData"]["language"] = "es"

    out = tmp_path / "site"
    given = ["site", str(approved(change=spanish)), "--out", str(out), "--base-url", "https://x.org"]
    done = CliRunner().invoke(cli, [*given, "--allowed-signers", str(signers), "--language", language])
    assert done.exit_code == 0
    page = (out / index).read_text(encoding="utf-8")
    assert "<h1><bdi>Datos ciudadanos</bdi></h1>" in page or "<h1>Datos ciudadanos</h1>" in page
    assert "Datos hechos por las personas a quienes se refieren" in page
    assert "Data made by" not in page


MEASURE = """<!doctype html><body style="margin:0"><p id="told">?</p><script>
const told = [], wanted = %s;
(async () => {
  for (const [page, width] of wanted) {
    const frame = document.createElement("iframe");
    frame.style = `width:${width}px;height:800px;border:0`;
    frame.src = page;
    await new Promise(done => { frame.onload = done; document.body.append(frame); });
    const view = frame.contentDocument.scrollingElement;
    told.push([page, width, view.clientWidth, view.scrollWidth,
      frame.contentWindow.getComputedStyle(frame.contentDocument.body).overflowWrap]);
    frame.remove();
  }
  document.getElementById("told").textContent = btoa(JSON.stringify(told));
})();
</script>"""


@pytest.mark.system("chromium")
def test_no_page_scrolls_sideways_on_a_phone_or_a_desk(tmp_path: Path, approved: Approve, signers: Path) -> None:
    def long(descriptor: dict[str, Any]) -> None:
        assessed(descriptor)
        closed(descriptor)
        descriptor |= {"name": "long", "title": "Donaudampfschifffahrtsgesellschaft" * 6}
        descriptor["citizenData"]["purpose"] = {"en": "w" * 400}
        descriptor["contributors"][0]["title"] = "y" * 300

    site = tmp_path / "site"
    packages = [approved(), approved("water-points"), approved(change=long, reason="z" * 300)]
    publish_packages(packages, site, signers, OPTIONS, today=TODAY)
    wide = tmp_path / "wide.html"
    wide.write_text('<!doctype html><div style="width:2000px">wide</div>', encoding="utf-8")
    pages = [path.as_uri() for path in sorted(site.rglob("*.html"))]
    wanted = [(page, width) for page in (*pages, wide.as_uri()) for width in (360, 1280)]
    found = measured(tmp_path, wanted)
    assert [(page, width) for page, width, *_ in found] == wanted
    assert {(width, scroll > client) for page, width, client, scroll, _ in found if page == wide.as_uri()} == {
        (360, True), (1280, True)
    }  # fmt: skip
    for page, width, client, scroll, wrap in found:
        if page != wide.as_uri():
            assert client >= width - 20, page
            assert scroll <= client, (page, width, scroll)
            assert wrap == "anywhere", f"{page} is shown without its style"
    assert len(pages) == 9


def measured(folder: Path, wanted: list[tuple[str, int]]) -> list[tuple[str, int, int, int, str]]:
    """Page, width asked for, width there is, width that the content takes, and a property of its style."""
    wrapper = folder / "measure.html"
    wrapper.write_text(MEASURE % json.dumps(wanted), encoding="utf-8")
    done = subprocess.run(
        [
            *("chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
            *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
            *("--allow-file-access-from-files", f"--user-data-dir={folder / 'chromium'}"),
            *("--virtual-time-budget=20000", "--window-size=1400,900", "--dump-dom", wrapper.as_uri()),
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    match = re.search(r'id="told">([A-Za-z0-9+/=]+)<', done.stdout)
    assert match, done.stdout[-2000:]
    return [tuple(row) for row in json.loads(base64.b64decode(match[1]))]
