"""The pages: well-formed, their links lead somewhere, and what packages say stays text."""

import json
import posixpath
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import languages
import pytest
from lxml import html as lxml_html
from lxml.html import HtmlElement

from cdmeta import html, profile
from cdmeta.catalogue import participation, site, view
from cdmeta.entry import STAGES, Approval, Entry
from cdmeta.errors import ConversionError, OutputError
from cdmeta.formats import schema_org
from cdmeta.formats.dcat import Site
from cdmeta.framework import OUTCOMES, Decision
from cdmeta.text import Text

OWN = "CDMETA.EXAMPLELAND/public-service-satisfaction"
HOSTILE = "\"><script>alert(1)</script></script><img src=x onerror=alert(1)>&lt;\u202e\x01' --> ]]>"
SHOWN = HOSTILE.replace("\x01", "\ufffd")
VOID = ("br", "hr", "img", "link", "meta")
BY_ASSESSMENT = Approval(
    "r@example.org", "SHA256:abc", "2026-02-01T09:30:00Z", "R. Viewer", "The Office", "They are elected <yearly>."
)


def hostile(descriptor: dict[str, Any]) -> None:
    """Every text of the descriptor says something nasty."""
    descriptor |= {
        "title": HOSTILE,
        "description": HOSTILE,
        "keywords": [HOSTILE],
        "homepage": "javascript:alert(1)",
    }
    descriptor['title@x" onload="alert(1)'] = HOSTILE
    descriptor["title@../../evil"] = HOSTILE
    descriptor["contributors"] = [
        {
            "title": HOSTILE,
            "email": f"a@b{HOSTILE}",
            "path": "javascript:alert(1)",
            "roles": ["publisher", "contact"],
        }
    ]
    descriptor["licenses"] = [{"name": HOSTILE, "path": "javascript:alert(1)"}]
    for key, value in descriptor["citizenData"].items():
        if isinstance(value, str) and key not in ("accessRights", "releaseForm", "language", "profile"):
            descriptor["citizenData"][key] = HOSTILE
        elif isinstance(value, list):
            descriptor["citizenData"][key] = [HOSTILE]
        elif key in ("purpose", "methodology", "population", "limitations", "dataUse"):
            descriptor["citizenData"][key] = {"en": HOSTILE, "fr": HOSTILE}
    descriptor["citizenData"]["initiators"] = [{"name": HOSTILE, "kind": HOSTILE}]
    descriptor["citizenData"]["partners"] = [{"name": HOSTILE, "kind": HOSTILE, "role": HOSTILE}]
    for resource in descriptor["resources"]:
        resource |= {"title": HOSTILE, "description": HOSTILE, "format": HOSTILE, "mediatype": HOSTILE}


class WellFormed(HTMLParser):
    """Fails where a tag is not closed in order, or an attribute stands twice."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.ids: list[str] = []
        self.feed(text)
        self.close()
        assert not self.open
        assert len(self.ids) == len(set(self.ids))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), (tag, names)
        self.ids += [value or "" for name, value in attrs if name == "id"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture
def files(entry: Entry, site: Site, make_entry: Any) -> dict[str, bytes]:
    """A site of three: open, withheld and assessed, and one that says nasty things."""
    return render(entry, make_entry(withheld, decision=Decision("ASSESS", "O1", ("¶30",))), make_entry(named))


def render(*entries: Entry, catalogue: Site | None = None) -> dict[str, bytes]:
    plain = Site("https://data.example.org/citizen", Text.of("Data", "en"), Text.of("All of it.", "en"), "Office")
    return site.render(entries, catalogue or plain)


def withheld(descriptor: dict[str, Any]) -> None:
    descriptor["name"] = "withheld"
    descriptor["contributors"][0]["title"] = "WITHHELD_SAFETY"
    descriptor["citizenData"] |= {
        "accessRights": "RESTRICTED",
        "initiators": [{"name": "WITHHELD_SAFETY", "kind": "COMMUNITY"}],
        "partners": [{"name": {"en": "WITHHELD_SAFETY"}, "kind": "NSO", "role": "WITHHELD_SAFETY"}],
        "funding": [{"name": "WITHHELD_SAFETY", "kind": "INTL_ORG"}],
        "geography": ["WITHHELD_SAFETY"],
        "collectionPeriod": "WITHHELD_SAFETY",
        "population": "WITHHELD_SAFETY",
    }


def named(descriptor: dict[str, Any]) -> None:
    hostile(descriptor)
    descriptor["name"] = "nasty"


def pages(files: dict[str, bytes]) -> dict[str, str]:
    return {path: data.decode() for path, data in files.items() if path.endswith(".html")}


def tree(text: str) -> HtmlElement:
    return lxml_html.document_fromstring(text)


def words(text: str | HtmlElement) -> str:
    element = tree(text) if isinstance(text, str) else text
    return " ".join(element.text_content().split())


def rows(text: str, section: str) -> dict[str, str]:
    found = tree(text).xpath(f"//section[@id='{section}']//dl/div")
    return {words(row.find("dt")): words(row.find("dd")) for row in found}


def test_pages_are_well_formed(files: dict[str, bytes]) -> None:
    found = pages(files)
    assert {path.rsplit("/", 1)[-1] for path in found} == {"index.html", "index.fr.html"}
    for text in found.values():
        assert text.startswith("<!doctype html>\n<html lang=")
        WellFormed(text)


def test_every_link_leads_to_a_file_or_a_place_on_the_page(files: dict[str, bytes], entry: Entry) -> None:
    copied = {f"{OWN}/package/{file.path}" for file in entry.files}
    for name in ("public-service-satisfaction", "withheld", "nasty"):
        copied |= {
            f"CDMETA.EXAMPLELAND/{name}/package/{file}"
            for file in ("datapackage.json", "approval.json", "approval.json.sig", *(f.path for f in entry.files))
        }
    seen = 0
    for path, text in pages(files).items():
        document = tree(text)
        for element, attribute, link, _ in document.iterlinks():
            parts = urlsplit(link)
            if parts.scheme:
                assert parts.scheme in ("https", "mailto"), link
                assert element.tag in ("a", "link"), link
            elif parts.path:
                target = posixpath.normpath(posixpath.join(posixpath.dirname(path), unquote(parts.path)))
                assert target in set(files) | copied, (path, link)
                seen += 1
            else:
                assert document.get_element_by_id(parts.fragment) is not None, link
            assert attribute in ("href", "src")
    assert seen > 60


def test_nothing_is_run_or_fetched_from_elsewhere(files: dict[str, bytes]) -> None:
    for text in pages(files).values():
        document = tree(text)
        assert {script.get("type") for script in document.iter("script")} <= {"application/ld+json"}
        assert not document.xpath(
            "//img | //iframe | //object | //embed | //form | //style | //base | //*[@style]"
        )
        assert not [name for node in document.iter() for name in node.attrib if str(name).startswith("on")]
        assert document.xpath("//link[@rel='stylesheet']/@href")[0].endswith("site.css")
        assert len(document.xpath("//meta[@http-equiv='Content-Security-Policy']")) == 1
    css = files["site.css"].decode()
    assert "@import" not in css
    assert set(re.findall(r"url\(([^)]*)\)", css)) == {"#hatch"}


def test_hostile_texts_stay_text(files: dict[str, bytes]) -> None:
    text = files["CDMETA.EXAMPLELAND/nasty/index.html"].decode()
    document = tree(text)
    assert document.find(".//h1").text_content() == SHOWN
    assert document.find(".//title").text == f"{SHOWN} – Data"
    assert words(text).count("<script>alert(1)</script>") >= 20
    assert "<script>alert" not in text
    block = re.search(r'<script type="application/ld\+json">(.*?)</script>', text, re.DOTALL)
    assert block
    assert not set("<>&\u2028") & set(block[1])
    assert not any(ord(character) < 32 and character not in "\n\t" for character in text)
    assert {path for path in files if "nasty" in path} == {
        f"CDMETA.EXAMPLELAND/nasty/{name}" for name in ("index.html", "index.fr.html", "dcat.ttl", "dcat.jsonld")
    }


def test_schema_org_is_read_from_the_page(entry: Entry, files: dict[str, bytes]) -> None:
    block = tree(files[f"{OWN}/index.fr.html"].decode()).xpath("//script/text()")
    value = json.loads(block[0])
    address = f"https://data.example.org/citizen/{OWN}/"
    assert value["@type"] == "Dataset"
    assert value["@context"] == "https://schema.org/"
    assert value["name"] == "Satisfaction à l'égard des services publics (exemple inventé)"
    assert value["@id"] == value["url"] == value["identifier"] == address
    assert value["license"] == "https://creativecommons.org/licenses/by/4.0/"
    assert value["temporalCoverage"] == ["2024-01-01/2025-12-31"]
    assert value["spatialCoverage"] == [{"@type": "Place", "name": "Exampleland (made up)"}]
    assert value["variableMeasured"] == [
        {"@type": "PropertyValue", "name": "Satisfaits, en pour cent", "unitText": "Pour cent"}
    ]
    assert value["isAccessibleForFree"] is True
    assert [download["contentUrl"] for download in value["distribution"]] == [
        f"{address}package/data/satisfaction.csv",
        f"{address}package/data/regions.csv",
    ]
    assert value["distribution"][0]["sha256"] == entry.files[0].sha256
    assert value["measurementTechnique"][0].startswith("Un comité mixte")
    nasty = json.loads(tree(files["CDMETA.EXAMPLELAND/nasty/index.html"].decode()).xpath("//script/text()")[0])
    assert nasty["name"] == HOSTILE
    closed = json.loads(tree(files["CDMETA.EXAMPLELAND/withheld/index.html"].decode()).xpath("//script/text()")[0])
    assert not {"isAccessibleForFree", "distribution", "creator", "spatialCoverage", "publisher"} & set(closed)


@pytest.mark.parametrize(("given", "shortest"), [("Short.", 50), ("", 50), ("x" * 9000, 5000)])
def test_the_description_is_as_long_as_search_engines_ask(given: str, shortest: int, make_entry: Any) -> None:
    def change(descriptor: dict[str, Any]) -> None:
        descriptor.pop("description@fr")
        descriptor["description"] = given

    said = schema_org.description(make_entry(change), "en")
    assert shortest <= len(said) <= 5000
    assert said.startswith(given[:100])


def test_what_is_withheld_is_said_in_words(files: dict[str, bytes]) -> None:
    for path in (path for path in files if "/withheld/" in path):
        assert b"WITHHELD" not in files[path], path
    text = files["CDMETA.EXAMPLELAND/withheld/index.html"].decode()
    about, more = rows(text, "about"), rows(text, "more")
    assert about["Started by"] == "Withheld for safetyCommunity"
    assert about["Published by"] == "Withheld for safety"
    assert about["Area"] == about["Population"] == "Withheld for safety"
    assert about["Together with"].count("Withheld for safety") == 2
    assert more["Name of the funder"] == "Withheld for safetyKind of funder: International organisation"
    assert rows(text, "method")["Period of collection"] == "Withheld for safety"


def test_closed_data_are_not_linked(files: dict[str, bytes]) -> None:
    closed = tree(files["CDMETA.EXAMPLELAND/withheld/index.html"].decode())
    assert not closed.xpath("//section[@id='files']//a")
    assert "The data are not open" in words(closed.get_element_by_id("files"))
    opened = tree(files[f"{OWN}/index.html"].decode())
    assert opened.xpath("//section[@id='files']//a/@href") == [
        "package/data/satisfaction.csv",
        "package/data/regions.csv",
    ]


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_the_decision_is_told(outcome: str, make_entry: Any) -> None:
    entry = make_entry(decision=Decision(outcome, "O1", ("¶30", "Table 2")), approval=BY_ASSESSMENT)
    told = rows(render(entry)[f"{OWN}/index.html"].decode(), "decision")
    assert told["Outcome"] == profile.texts()[f"site.outcome.{outcome}"]
    assert told["Why"] == profile.texts()["rule.O1"] + "Rule O1"
    assert told["Where the Framework says so"] == "¶30, Table 2"
    if outcome == "ASSESS":
        assert told["Decided by"] == "R. Viewer, The Office"
        assert told["Decided on"] == "2026-02-01"
        assert told["Reason"] == "They are elected <yearly>."
        assert told["Decided as"] == "Counts as citizen data"
    else:
        assert not {"Decided by", "Reason", "Decided as"} & set(told)


def test_who_approved_is_told(files: dict[str, bytes], entry: Entry) -> None:
    told = rows(files[f"{OWN}/index.html"].decode(), "approval")
    assert told["Approved by"] == "A. Reviewer"
    assert told["Approved at"] == "2026-02-01T09:30:00Z"
    assert told["Signed by, with key"] == f"reviewer@example.org{entry.approval.key}"
    listed = words(tree(files[f"{OWN}/index.html"].decode()).get_element_by_id("files"))
    for file in entry.files:
        assert file.sha256 in listed
        assert file.path in listed


LEVELS = ("NOT_INVOLVED", "L1", "L2", "L3", "L4", "L5", "_Z", "_U", "odd")


def test_the_picture_says_what_the_table_says(make_entry: Any) -> None:
    def change(descriptor: dict[str, Any]) -> None:
        stages = [stage for _, stage in STAGES]
        descriptor["citizenData"]["participation"] = dict(zip(stages, LEVELS, strict=True))

    text = render(make_entry(change))[f"{OWN}/index.html"].decode()
    document = tree(text)
    kinds = [rect.get("class") for rect in document.xpath("//svg//rect")]
    bars = [kinds[start : start + 5] for start in range(0, 45, 5)]
    low, full, gap, none = "low", "full", "empty", ["none"] * 5
    assert bars == [
        [gap] * 5,
        [low] + [gap] * 4,
        [low] * 2 + [gap] * 3,
        [low] * 3 + [gap] * 2,
        [full] * 4 + [gap],
        [full] * 5,
        none,
        none,
        none,
    ]
    assert [node.text for node in document.xpath("//svg//text[@class='level']")] == list("012345–??")
    cells = [words(cell) for cell in document.xpath("//section[@id='participation']//tbody//td")]
    names = ["0 – Not involved", "1 – Information", "2 – Consultation", "3 – Conciliatory", "4 – Partnership"]
    assert cells == [*names, "5 – Self-determination", "Stage did not take place", "Not known", "odd"]
    said = document.xpath("string(//svg/desc)")
    for (number, _), cell in zip(STAGES, cells, strict=True):
        assert re.search(rf"(^|; ){number} [^:]+: {re.escape(cell)}", said)
    labelled = document.xpath("//svg")[0].get("aria-labelledby").split()
    assert [document.get_element_by_id(name).tag for name in labelled] == ["title", "desc"]
    assert {participation.rank(code) for code in LEVELS} == {0, 1, 2, 3, 4, 5, None}


def test_all_answers_are_on_the_page(entry: Entry, files: dict[str, bytes]) -> None:
    said = words(files[f"{OWN}/index.html"].decode())
    skipped = {"citizenData.profile", "citizenData.language"}
    asked = [answer for answer in entry.dataset.answers if answer.field.path.startswith("citizenData.")]
    for answer in asked:
        if answer.field.path in skipped or "participation" in answer.field.path:
            continue
        if isinstance(answer.value, Text):
            assert answer.value.best("en") in said
        elif answer.field.codelist:
            codes = profile.load().codelists[answer.field.codelist].codes
            assert codes[str(answer.value)].name in said
    assert len(asked) > 30


def test_each_language_has_its_page_and_texts_are_marked(files: dict[str, bytes]) -> None:
    french, english = (tree(files[f"{OWN}/index{tag}.html"].decode()) for tag in (".fr", ""))
    assert french.find(".//h1/bdi").get("lang") is english.find(".//h1/bdi").get("lang") is None
    assert (french.get("lang"), english.get("lang")) == ("fr", "en")
    unofficial = profile.in_languages("texts", "translation.unofficial", "text").as_dict()
    assert french.text_content().count(unofficial["fr"]) == 1  # with its no-break space
    assert unofficial["en"] not in words(english)
    for page in (french, english):
        address = f"https://data.example.org/citizen/{OWN}/"
        links = page.xpath("//link[@hreflang]")
        assert [(link.get("hreflang"), link.get("href")) for link in links] == [
            ("en", address),
            ("fr", f"{address}index.fr.html"),
        ]
    assert french.xpath("//nav[@class='languages']//a/@href") == ["index.html"]
    assert french.xpath("//nav[@class='languages']//strong/text()") == ["fr"]
    assert french.xpath("string(//link[@rel='canonical']/@href)").endswith("/index.fr.html")
    assert "Un comité mixte" in words(french)
    assert "A joint board" in words(english)
    assert (
        tree(files["index.fr.html"].decode()).xpath("//ul[@class='cards']//h2/a/@href")[1]
        == f"{OWN}/index.fr.html"
    )


def test_a_translation_of_our_labels_is_used(tmp_path: Path, entry: Entry) -> None:
    languages.write(tmp_path / "ar", "texts", {("site.section.machines",): {"text": "للآلات"}})
    with languages.using(tmp_path):
        site = Site("https://x.org", Text.of("Data", "en"), Text(), "O", "ar")
        document = tree(render(entry, catalogue=site)["index.html"].decode())
        assert view.View("ar").word("section.machines") == "للآلات"
    assert (document.get("lang"), document.get("dir")) == ("ar", "rtl")
    assert document.find(".//h1/bdi").get("lang") == "en"
    assert document.xpath("string(//section[@id='machines']/h2)") == "للآلات"
    assert not document.xpath("//section[@id='machines']/h2//@lang")
    assert document.xpath("//a[@class='skip']/span/@lang") == ["en"]  # what we lack stays in English, and says so


def test_the_sitemap_names_every_page(files: dict[str, bytes]) -> None:
    found = re.findall(
        r"<url><loc>([^<]*)</loc>(?:<lastmod>([^<]*)</lastmod>)?</url>", files["sitemap.xml"].decode()
    )
    address = f"https://data.example.org/citizen/{OWN}/"
    assert (address, "2026-01-15") in found
    assert (f"{address}index.fr.html", "2026-01-15") in found
    assert len(found) == 1 + len([path for path in pages(files) if "/" in path])


@pytest.mark.parametrize(
    ("agency", "name"),
    [
        ("", "a"), ("../x", "a"), ("A/B", "a"), ("A", "../x"), ("A", ".."), ("A", ""), ("A", "a/b"), ("A", "a b"),
        ("A", ".hidden"), ("A", "x" * 101), ("A", "a\n"), ("A", "name."), ("A" * 101, "a"), ("sitemap.xml", "a"),
        ("SITE.CSS", "a"), ("index.html", "a"), ("catalog.ttl", "a"),
    ],
)  # fmt: skip
def test_what_is_no_safe_path_is_refused(agency: str, name: str, make_entry: Any) -> None:
    def change(descriptor: dict[str, Any]) -> None:
        descriptor |= {"name": name, "sdmx": {"agency": agency}}

    with pytest.raises((ConversionError, OutputError)):
        render(make_entry(change))


@pytest.mark.parametrize("other", [{}, {"version": "2.0.0"}, {"name": "Public-Service-Satisfaction"}])
def test_two_datasets_with_one_address_are_refused(other: dict[str, Any], entry: Entry, make_entry: Any) -> None:
    with pytest.raises(OutputError, match="would have one address"):
        render(entry, make_entry(lambda descriptor: descriptor.update(other)))


def test_rows_inside_the_descriptor_of_closed_data_are_refused(make_entry: Any) -> None:
    def change(descriptor: dict[str, Any]) -> None:
        descriptor["resources"][1] = {"name": "regions", "data": [{"region": "NORTH"}]}
        descriptor["citizenData"]["accessRights"] = "RESTRICTED"

    with pytest.raises(ConversionError, match="inside its descriptor"):
        make_entry(change)


def test_escaping_is_in_one_place() -> None:
    nasty = "<b a=\"1\" b='2'>&"
    assert html.element("p", nasty, [nasty, None], title=nasty, lang=None) == (
        '<p title="&lt;b a=&quot;1&quot; b=&#x27;2&#x27;&gt;&amp;">'
        "&lt;b a=&quot;1&quot; b=&#x27;2&#x27;&gt;&amp;&lt;b a=&quot;1&quot; b=&#x27;2&#x27;&gt;&amp;</p>"
    )
    assert html.element("br") == "<br>"
    assert html.element("p", html.element("b", "<")) == "<p><b>&lt;</b></p>"
    folder = Path(html.__file__).parent
    makers = [
        path.name for path in folder.rglob("*.py") if re.search(r"Html\((?!\"\"\))", path.read_text("utf-8"))
    ]
    assert makers == ["html.py"]


@pytest.mark.parametrize(
    ("number", "told"),
    [(0, "0 B"), (999, "999 B"), (1000, "1 kB"), (9446, "9 kB"), (999_600, "1 MB"), (3 * 10**12, "3 TB")],
)
def test_sizes(number: int, told: str) -> None:
    assert view.size(number) == told.replace(" ", "\u00a0")


def luminance(colour: str) -> float:
    parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize(
    ("front", "back", "least"),
    [
        ("ink", "paper", 4.5), ("quiet", "paper", 4.5), ("quiet", "ground", 4.5), ("brand", "paper", 4.5),
        ("brand", "ground", 4.5), ("brand-dark", "paper", 4.5), ("paper", "brand", 4.5),
        ("paper", "brand-dark", 4.5),
        ("ink", "accent", 4.5), ("ink", "caution", 4.5), ("quiet", "caution", 4.5), ("caution-line", "paper", 3),
    ],
)  # fmt: skip
def test_contrast_is_that_of_wcag_aa(front: str, back: str, least: float, entry: Entry) -> None:
    colours = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", render(entry)["site.css"].decode()))
    light, dark = sorted((luminance(colours[name]) for name in (front, back)), reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= least


def test_the_same_entries_in_any_order_give_the_same_bytes(entry: Entry, make_entry: Any) -> None:
    other = make_entry(withheld)
    assert render(entry, other) == render(other, entry)


def test_no_entries_give_an_index_that_says_so() -> None:
    files = render()
    assert "0 data sets" in words(files["index.html"].decode())
    assert set(files) == {"index.html", "site.css", "catalog.ttl", "catalog.jsonld", "sitemap.xml"}
