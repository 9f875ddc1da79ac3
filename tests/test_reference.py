"""The pages made from the profile: committed as they would be made now, whole, and every link leads somewhere."""

import json
import re
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from commands import exit_code
from hypothesis import given
from hypothesis import strategies as st
from lxml import html as lxml_html
from marko.ext.gfm import gfm

from cdmeta import framework, mapping, profile
from cdmeta import markdown as md
from cdmeta.reference import COMMAND, render
from cdmeta.reference.book import blanked, cited, open_book
from cdmeta.workflows.export import MARK

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = render()
LOADED = profile.load()
BOOK = open_book("en")


@cache
def tree(text: str) -> Any:
    """A page as another program renders it."""
    return lxml_html.fromstring(f"<div>{gfm.convert(text)}</div>")


TREES = {path: tree(data.decode()) for path, data in PAGES.items()}


def shown(path: str) -> str:
    """The text of a page as a reader sees it."""
    return " ".join(TREES[path].text_content().split())


def plain(text: str) -> str:
    return " ".join(text.split())


# --- committed


def test_the_committed_pages_are_those_that_would_be_made_now() -> None:
    found = {
        path.relative_to(DOCS / "profile").as_posix(): path.read_bytes()
        for path in (DOCS / "profile").rglob("*")
        if path.is_file() and path.name != MARK
    }
    stale = sorted(path for path in found.keys() | PAGES.keys() if found.get(path) != PAGES.get(path))
    assert stale == [], f"the pages are not those of the profile any more; run: {COMMAND}"


def test_the_command_that_is_named_writes_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A command line of the program as it is, so that who follows the hint gets there."""
    monkeypatch.chdir(tmp_path)
    program, *words = COMMAND.split()
    assert program == "cdmeta"
    assert exit_code(*words) == 0
    made = tmp_path / "docs" / "profile"
    assert {path: (made / path).read_bytes() for path in PAGES} == PAGES
    committed = (DOCS / "profile" / MARK).read_bytes()
    assert committed == (made / MARK).read_bytes(), f"run: {COMMAND}"


# --- links


@cache
def anchors(text: str) -> set[str]:
    """The anchors of a page, by GitHub's rule: repeated headings are numbered."""
    seen: Counter[str] = Counter()
    found = set()
    for heading in tree(text).xpath("//h1|//h2|//h3|//h4"):
        name = re.sub(r"[^\w\- ]", "", heading.text_content().strip().lower()).replace(" ", "-")
        found.add(f"{name}-{seen[name]}" if seen[name] else name)
        seen[name] += 1
    return found


@pytest.mark.parametrize("page", [*(f"profile/{path}" for path in PAGES), "framework.md"])
def test_every_link_and_anchor_leads_somewhere(page: str) -> None:
    text = (DOCS / page).read_text(encoding="utf-8")
    for target in tree(text).xpath("//a/@href"):
        if re.match(r"https?:", target):
            continue
        path, _, anchor = target.partition("#")
        file = ((DOCS / page).parent / path).resolve() if path else DOCS / page
        assert file.is_file(), f"{page}: {target}"
        assert not anchor or anchor in anchors(file.read_text(encoding="utf-8")), f"{page}: {target}"


def test_every_page_is_reached_from_the_front_page() -> None:
    todo, seen = ["README.md"], {"README.md"}
    while todo:
        here = todo.pop()
        for target in TREES[here].xpath("//a/@href"):
            path = target.partition("#")[0]
            if path and not path.startswith("http"):
                there = (Path("/") / Path(here).parent / path).as_posix()
                name = str(Path(there).resolve()).lstrip("/")
                if name not in seen:
                    seen.add(name)
                    todo.append(name)
    assert seen == set(PAGES)


def test_names_and_anchors_are_stable_and_the_same_in_any_language() -> None:
    assert set(PAGES) >= {
        "fields/citizenData.initiators.kind.md",
        "fields/name.md",
        "codelists/CL_ACCESS.md",
        "rules/CD130.md",
        "framework.md",
    }
    assert {"open", "_o"} & anchors(PAGES["codelists/CL_ACCESS.md"].decode()) == {"open"}
    assert {"17", "principle-3", "table-2", "box-1", "e14"} <= anchors(PAGES["framework.md"].decode())
    assert render("fr").keys() == PAGES.keys()
    folded = [path.casefold() for path in PAGES]
    assert len(folded) == len(set(folded)), "two pages would be one where names of files ignore case"


# --- what the pages say


@pytest.mark.parametrize("path", LOADED.fields)
def test_a_field_is_told_whole(path: str) -> None:
    entry = LOADED.fields[path]
    page = f"fields/{path.replace('[]', '')}.md"
    text = shown(page)
    for words in (entry.title, entry.path, entry.description, entry.source, entry.concept, entry.when):
        assert plain(words) in text
    if entry.tier != "tool":
        assert plain(entry.question) in text
        (block,) = TREES[page].xpath("//pre/code")
        example = json.loads(f"{{{block.text_content()}}}")[entry.name]
        assert example == (entry.example if isinstance(example, str) else json.loads(entry.example))
    for match in mapping.of_field(entry):
        assert match.target in text
        assert match.iri == "" or not match.iri.startswith("http") or match.iri in links(page)
    if entry.codelist:
        assert f"../codelists/{entry.codelist}.md" in links(page)
    for place in cited(entry.source):
        assert f"../framework.md#{md.slug(place)}" in links(page)


def links(page: str) -> set[str]:
    return set(TREES[page].xpath("//a/@href"))


@pytest.mark.parametrize("name", LOADED.codelists)
def test_a_code_list_is_told_whole(name: str) -> None:
    codelist, page = LOADED.codelists[name], f"codelists/{name}.md"
    text = shown(page)
    assert plain(codelist.name) in text
    assert plain(codelist.description) in text
    assert [heading.text_content() for heading in TREES[page].xpath("//h3")] == list(codelist.codes)
    for code in codelist.codes.values():
        assert f"{plain(code.name)}. {plain(code.description)}" in text
    for path, entry in LOADED.fields.items():
        assert (f"../fields/{path.replace('[]', '')}.md" in links(page)) >= (entry.codelist == name)


@pytest.mark.parametrize("name", LOADED.rules)
def test_a_rule_is_told_whole(name: str) -> None:
    rule, page = LOADED.rules[name], f"rules/{name}.md"
    text = shown(page)
    for words in (rule.title, blanked(rule.message), rule.why, blanked(rule.remedy), rule.source):
        assert plain(words) in text
    assert [cell.text_content() for cell in TREES[page].xpath("//td")] == [
        rule.severity[gate] for gate in profile.GATES
    ]
    assert {f"../rules/{each}.md" for each in rule.implies} <= links(page)
    for above in LOADED.rules.values():
        if name in above.implies:
            assert f"../rules/{above.code}.md" in links(page)
    blocks = [json.loads(block.text_content()) for block in TREES[page].xpath("//pre/code")]
    assert blocks == [
        BOOK.examples[name][key] for key in ("raises", "mended") if key in BOOK.examples.get(name, {})
    ]


def test_fields_and_rules_know_of_each_other() -> None:
    assert "../rules/CD304.md" in links("fields/citizenData.consentBasis.md")
    assert "../fields/citizenData.consentBasis.md" in links("rules/CD304.md")
    for name, paths in BOOK.fields_of.items():
        for path in paths:
            assert f"../rules/{name}.md" in links(f"fields/{path.replace('[]', '')}.md")


def test_examples_of_rules_are_found_where_they_are() -> None:
    home = ROOT / "examples" / "rules"
    there = {file.stem for file in home.glob("CD*.json")} if home.is_dir() else set()
    assert set(BOOK.examples) == there & LOADED.rules.keys()


# --- the Framework


def test_every_place_that_is_cited_is_told_of() -> None:
    """If this fails, add the paragraph to profiles/citizen-data/1.0/paragraphs.csv."""
    told = {row["id"] for row in profile.table("paragraphs.csv")}
    sources = [
        *(rule.source for rule in LOADED.rules.values()),
        *(entry.source for entry in LOADED.fields.values()),
        *(code.source for each in LOADED.codelists.values() for code in each.codes.values()),
        *("; ".join(rule.paragraphs) for rule in framework.RULES),
        *(row["paragraphs"] for row in profile.table("open-points.csv")),
    ]
    assert {place for source in sources for place in cited(source)} <= told


def test_the_page_on_the_framework_shows_every_rule_and_open_point() -> None:
    text = shown("framework.md")
    for row in profile.table("paragraphs.csv"):
        assert plain(row["about"]) in text
        assert not row["quote"] or f"“{plain(row['quote'])}”" in text
        assert len(row["quote"].split()) <= 25, "phrases only: the text itself is to be read where it stands"
    for rule in framework.RULES:
        assert plain(profile.texts()[f"rule.{rule.id}"]) in text
    points = profile.table("open-points.csv")
    assert [row["id"] for row in points] == [f"E{number}" for number in range(1, 17)]
    for row in points:
        assert plain(row["issue"]) in text
        assert plain(row["handling"]) in text
    known = {rule.id for rule in framework.RULES} | {rule.id for rule in LOADED.rules.values()}
    assert {word for row in points for word in row["rules"].split()} <= known


@pytest.mark.parametrize(
    ("source", "places"),
    [
        ("Principles 3, 7 and 8; ¶17, ¶25", ("¶17", "¶25", "Principle 3", "Principle 7", "Principle 8")),
        ("Box 1; ¶22–¶24; ¶25", ("Box 1", "¶22", "¶23", "¶24", "¶25")),
        ("¶28–30", ("¶28", "¶29", "¶30")),
        ("¶25(4)(5)(6)", ("¶25",)),
        ("Table 2, column 1", ("Table 2",)),
        ("Table 2 columns 4–5 s.2", ("Table 2",)),
        ("Data Package 2.0, Table Schema; Table Dialect", ()),
    ],
)
def test_places_are_read_from_a_source(source: str, places: tuple[str, ...]) -> None:
    assert sorted(cited(source)) == sorted(places)


# --- escaping


@given(st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=40))
def test_any_text_stays_text(text: str) -> None:
    written = md.escape(text)
    assert tree(written).text_content().strip() == " ".join(text.split())
    assert [child.tag for child in tree(f"x {written}").iter()] == ["div", "p"]


HOSTILE = [
    "a | b", "<b>x</b>", "*a* _b_ `c` ~~d~~", "# no heading", "- no item", "1. no item", "1) no", "+ x", "= x",
    "[x](y)", "![x](y)", "&amp; &lt;", "https://example.org www.example.org", "<https://example.org>", "\\*",
    "$x$", "a\n\n# b", "> x", "---", "***", "===", "```", "a@example.org", "| a |\n| --- |", "[^1]", ": x",
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_shown_as_it_is(text: str) -> None:
    lines = [
        md.escape(text),
        "",
        *md.table(["h"], [[md.escape(text)], [md.code(text)]]),
        "",
        f"# {md.escape(text)}",
    ]
    root = tree("\n".join(lines))
    wanted = " ".join(text.split())
    assert [child.tag for child in root] == ["p", "table", "h1"]
    assert [" ".join(child.text_content().split()) for child in (root[0], root[2])] == [wanted, wanted]
    assert [" ".join(cell.text_content().split()) for cell in root.xpath("//td")] == [wanted, wanted]
    assert not root.xpath("//b|//em|//strong|//del|//img")


def test_a_fence_is_longer_than_what_it_holds() -> None:
    (block,) = tree("\n".join(md.fence("a\n````", "json"))).xpath("//pre/code")
    assert block.text_content() == "a\n````\n"
