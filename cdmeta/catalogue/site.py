"""The site: pages and feeds of approved packages, as files that any web host serves and registries harvest."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from cdmeta.catalogue import page
from cdmeta.catalogue.view import View
from cdmeta.entry import Entry
from cdmeta.errors import OutputError
from cdmeta.formats import dcat, rdf
from cdmeta.formats.dcat import Site
from cdmeta.html import Child, Html, direction, document, element, join
from cdmeta.period import to_date
from cdmeta.phrase import ENGLISH, Phrase, closest

MANIFEST = "manifest.json"
_KIND = "cdmeta-site"
_FEEDS: tuple[tuple[str, rdf.Serialization], ...] = (("ttl", "turtle"), ("jsonld", "json-ld"))
_TOP = ("catalog.ttl", "catalog.jsonld", "sitemap.xml", "site.css", MANIFEST)
# No script runs and nothing is fetched from elsewhere, whatever a package holds.
_POLICY = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'"


def render(entries: tuple[Entry, ...], site: Site) -> dict[str, bytes]:
    """All files that are made, by path: pages, feeds, sitemap and style.

    Args:
        entries: the datasets; their order does not matter.
        site: the catalogue; its title's first language is that of `index.html`.

    Raises:
        ConversionError: an agency or a name cannot be part of an address.
        OutputError: two datasets have one address.
    """
    ordered = _ordered(entries)
    made = {"site.css": files("cdmeta.catalogue").joinpath("site.css").read_bytes()}
    for suffix, form in _FEEDS:
        made[f"catalog.{suffix}"] = rdf.serialise(dcat.catalogue(ordered, site), form)
    for language in _languages(ordered, site):
        made[_index_name(language, site)] = _index(ordered, site, View(language)).encode()
    for entry in ordered:
        made |= {f"{entry.path}/{name}": data for name, data in _dataset(entry, site)}
    made["sitemap.xml"] = _sitemap(ordered, site).encode()
    return made


def manifest(entries: tuple[Entry, ...], site: Site, digests: Mapping[str, str]) -> bytes:
    """What the site holds: its datasets with their versions, and the sha256 of every file by path."""
    versions = {entry.path: entry.dataset.version for entry in _ordered(entries)}
    value = {"kind": _KIND, "base": site.base, "datasets": versions, "files": dict(sorted(digests.items()))}
    return (json.dumps(value, ensure_ascii=False, indent=2) + "\n").encode()


@dataclass(frozen=True)
class Before:
    """What a folder holds of an earlier run.

    Attributes:
        addresses: of its datasets.
        files: paths of the files that were written.
    """

    addresses: frozenset[str] = frozenset()
    files: frozenset[str] = frozenset()


def before(folder: Path) -> Before:
    """What a folder holds of an earlier run; nothing where there was none.

    Raises:
        OutputError: its manifest is none of a site, or damaged.
    """
    path = folder / MANIFEST
    if not path.exists():
        return Before()
    try:
        value = json.loads(path.read_bytes())
    except ValueError:
        value = None
    if not isinstance(value, dict) or value.get("kind") != _KIND:
        raise OutputError(Phrase("site.error.other", {"folder": folder}))
    base, datasets, written = (value.get(key) for key in ("base", "datasets", "files"))
    if not isinstance(datasets, dict) or not isinstance(written, dict):
        raise OutputError(Phrase("site.error.damaged", {"path": path}))
    return Before(frozenset(f"{base}/{name}/" for name in datasets), frozenset(written) | {MANIFEST})


def _ordered(entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
    """By address; no two may have the same, on a host that takes large and small letters for one either."""
    seen: dict[str, Entry] = {}
    for entry in sorted(entries, key=lambda entry: (entry.path, entry.dataset.version)):
        other = seen.setdefault(entry.path.casefold(), entry)
        if other is not entry:
            versions = {"version": entry.dataset.version, "other_version": other.dataset.version}
            names = {"path": entry.path, "other": other.path}
            raise OutputError(Phrase("site.error.twice", {**names, **versions}))
    for entry in seen.values():
        agency = entry.dataset.agency.casefold()
        if agency in _TOP or agency.startswith("index."):
            raise OutputError(Phrase("site.error.reserved", {"path": entry.path}))
    return tuple(seen.values())


def _languages(entries: tuple[Entry, ...], site: Site) -> list[str]:
    return list(dict.fromkeys([site.language, *page.iter_languages(entries)]))


def _index_name(language: str, site: Site) -> str:
    return "index.html" if language == site.language else f"index.{language}.html"


def _dataset(entry: Entry, site: Site) -> Iterator[tuple[str, bytes]]:
    triples = dcat.dataset(entry, site.base)
    for suffix, form in _FEEDS:
        yield f"dcat.{suffix}", rdf.serialise(triples, form)
    for language in entry.languages:
        view = View(language)
        name = page.name(entry, language)
        switch = [(tag, page.name(entry, tag)) for tag in entry.languages]
        head = [*page.head(entry, site, view)]
        title = f"{view.plain(entry.dataset.title)} – {view.plain(site.title)}"
        home = f"../../{_index_name(language, site)}"
        yield name, _page(view, site, title, head, page.body(entry, site, view), switch, home).encode()


def _index(entries: tuple[Entry, ...], site: Site, view: View) -> str:
    switch = [(tag, _index_name(tag, site)) for tag in _languages(entries, site)]
    own = _index_name(view.language, site)
    feeds = [
        element("li", element("a", file, href=file), element("span", view.word(key), class_="note"))
        for file, key in (("catalog.ttl", "machines.turtle"), ("catalog.jsonld", "machines.jsonld"))
    ]
    body = element(
        "main",
        element(
            "header",
            element("h1", view.inline(site.title)),
            view.block(site.description, "lead"),
            element("p", page.figures(entries, view), class_="small"),
            class_="title",
        ),
        element("ul", (page.card(entry, view) for entry in entries), class_="cards"),
        element(
            "section",
            element("h2", view.word("section.machines")),
            element("ul", feeds, class_="plain"),
            id="machines",
        ),
        id="main",
        class_="index",
    )
    head: list[Child] = [
        element("link", rel="canonical", href=f"{site.base}/" if own == "index.html" else f"{site.base}/{own}"),
        element("link", rel="alternate", type="text/turtle", href="catalog.ttl"),
        element("link", rel="alternate", type="application/ld+json", href="catalog.jsonld"),
    ]
    return _page(view, site, view.plain(site.title), head, body, switch, own)


def _page(
    view: View, site: Site, title: str, head: list[Child], body: Html, switch: list[tuple[str, str]], home: str
) -> str:
    """What all pages have: the way home, the languages, the footer."""
    root = "../../" if home.startswith("../") else ""
    top: list[Child] = [
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("title", title),
        element("link", rel="stylesheet", href=f"{root}site.css"),
    ]
    title_link = element("a", view.inline(site.title), href=home, class_="home")
    frame = [
        element("a", view.word("skip"), href="#main", class_="skip"),
        element("header", title_link, _switch(view, switch), class_="top"),
        body,
        element("footer", _footer(view, site), class_="foot"),
    ]
    return document(view.labels, direction(view.labels), [*top, *head], frame)


def _footer(view: View, site: Site) -> Html:
    """Who publishes; and once, that what is told of the Framework is our translation, where it is."""
    translated = closest(view.labels) != ENGLISH
    unofficial = element("p", view.marked(Phrase("translation.unofficial"))) if translated else None
    return join([element("p", view.word("footer", publisher=site.publisher)), unofficial])


def _switch(view: View, languages: list[tuple[str, str]]) -> Html | None:
    if len(languages) < 2:
        return None
    items = [
        element(
            "li",
            element("strong", tag, lang=tag, aria_current="page")
            if tag == view.language
            else element("a", tag, href=href, hreflang=tag, lang=tag),
        )
        for tag, href in languages
    ]
    return element("nav", element("ul", items), aria_label=view.text("languages"), class_="languages")


def _sitemap(entries: tuple[Entry, ...], site: Site) -> str:
    """The pages for search engines (sitemaps.org 0.9)."""
    rows = [_location(f"{site.base}/", "")]
    for entry in entries:
        rows += [_location(page.address(entry, tag, site), entry.dataset.modified) for tag in entry.languages]
    body = element("urlset", "\n", rows, xmlns="http://www.sitemaps.org/schemas/sitemap/0.9")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{body}\n'


def _location(address: str, modified: str) -> Html:
    day = element("lastmod", modified) if to_date(modified) else None
    return join([element("url", element("loc", address), day), "\n"])
