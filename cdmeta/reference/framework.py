"""The page on the Framework: which words each rule rests on, and where the text is silent or at odds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from cdmeta import framework, profile
from cdmeta import markdown as md
from cdmeta.reference.book import Book, cited


def framework_page(book: Book) -> bytes:
    """The page, with an anchor a paragraph (`#17`), principle, table and box."""
    texts = book.texts
    lines = [f"# {md.escape(texts['page.framework'])}", "", md.escape(texts["page.framework.about"]), ""]
    lines += [f"## {md.escape(texts['page.decision'])}", "", md.escape(texts["page.decision.about"]), ""]
    lines += [*_decision(book), "", f"## {md.escape(texts['page.places'])}", ""]
    places: dict[str, list[Mapping[str, str]]] = {}
    for row in profile.table("paragraphs.csv"):
        places.setdefault(row["id"], []).append(row)
    for place, rows in places.items():
        lines += _place(book, place, rows)
    lines += [f"## {md.escape(texts['page.open'])}", "", md.escape(texts["page.open.about"]), ""]
    for row in profile.table("open-points.csv"):
        lines += _open_point(book, row)
    return md.page(lines)


def _decision(book: Book) -> list[str]:
    head = [md.escape(book.texts[f"page.decision.{name}"]) for name in ("rule", "outcome", "when", "source")]
    return md.table(
        head,
        (
            (
                rule.id,
                book.to_codelist("CL_CD_STATUS", rule.outcome, "."),
                md.escape(book.texts[f"rule.{rule.id}"]),
                _places("; ".join(rule.paragraphs)),
            )
            for rule in framework.RULES
        ),
    )


def _place(book: Book, place: str, rows: Iterable[Mapping[str, str]]) -> Iterator[str]:
    yield from (f"### {md.escape(place)}", "")
    for row in rows:
        quote = f"“{md.escape(row['quote'])}”: " if row["quote"] else ""
        yield f"- {quote}{md.escape(row['about'])}"
    yield ""
    decided = [rule.id for rule in framework.RULES if place in cited("; ".join(rule.paragraphs))]
    rules = [book.to_rule(name, ".") for name, rule in book.profile.rules.items() if place in cited(rule.source)]
    fields = [
        book.to_field(path, ".") for path, each in book.profile.fields.items() if place in cited(each.source)
    ]
    for key, found in (("decision", decided), ("rules", rules), ("fields", fields)):
        if found:
            yield from (f"{md.escape(book.texts[f'page.{key}'])}: {', '.join(found)}.", "")


def _open_point(book: Book, row: Mapping[str, str]) -> Iterator[str]:
    yield from (f"### {row['id']}", "", f"{md.escape(row['issue'])} ({_places(row['paragraphs'])})", "")
    rules = ", ".join(row["rules"].split())
    told = f" ({md.escape(rules)})" if rules else ""
    yield from (f"**{md.escape(book.texts['page.open.handling'])}** {md.escape(row['handling'])}{told}", "")


def _places(source: str) -> str:
    """Links on this page."""
    return ", ".join(md.link(place, f"#{md.slug(place)}") for place in cited(source))
