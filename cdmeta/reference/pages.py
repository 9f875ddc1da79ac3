"""The pages of fields, code lists and rules, and their indexes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from cdmeta import mapping, profile
from cdmeta import markdown as md
from cdmeta.formats.skos import codelist_iri, field_iri
from cdmeta.mapping import Match
from cdmeta.profile import Code, Codelist, Field, Rule
from cdmeta.reference.book import COMMAND, Book, blanked, cited
from cdmeta.schema import example


def field_page(book: Book, entry: Field) -> bytes:
    """The page of one field."""
    texts = book.texts
    lines = [*_head(book, entry.title), f"{md.code(entry.path)}", "", md.escape(entry.description), ""]
    if entry.tier != "tool":
        lines += [*_section(texts["explain.question"]), md.escape(entry.question), ""]
    lines += [*_section(texts["explain.tier"]), md.escape(_who(book, entry)), ""]
    lines += [*_section(texts["explain.form"]), *_form(book, entry), ""]
    if entry.tier != "tool":
        value = json.dumps(example(entry), ensure_ascii=False, indent=2)
        lines += [*_section(texts["explain.example"]), *md.fence(f'"{entry.name}": {value}', "json"), ""]
    rules = book.rules_on(entry.path)
    lines += _listed(texts["page.rules.on"], [book.to_rule(name) for name in rules])
    lines += _source(book, entry.source)
    if entry.concept:
        occurs = "1" if entry.tier == "core" else "0"
        most = "*" if entry.repeats else "1"
        below = texts["page.concept.below"].format(concept=md.code(entry.parent)) if entry.parent else ""
        lines += [
            *_section(texts["explain.concept"]),
            f"{md.code(entry.concept)} ({occurs}…{md.escape(most)}) {below}",
        ]
    lines += ["", *_elsewhere(book, mapping.of_field(entry))]
    return md.page([*lines, *_address(book, field_iri(entry))])


def _who(book: Book, entry: Field) -> str:
    when = book.texts["explain.when"].format(when=entry.when) if entry.when else ""
    return f"{book.texts[f'explain.tier.{entry.tier}']} {when}".strip()


def _form(book: Book, entry: Field) -> Iterator[str]:
    withhold = book.texts["explain.withhold"] if entry.withhold else ""
    yield md.escape(f"{book.texts[f'explain.type.{entry.type}']} {withhold}".strip())
    below = (f"{entry.path}[].", f"{entry.path}.")
    if parts := [path for path in book.profile.fields if path.startswith(below)]:
        yield from ("", f"{md.escape(book.texts['explain.parts'])}: {', '.join(map(book.to_field, parts))}")
    if entry.codelist:
        codes = book.profile.codelists[entry.codelist].codes.values()
        yield from ("", f"{md.escape(book.texts['explain.list'])} {book.to_codelist(entry.codelist)}:", "")
        for each in codes:
            yield f"- {book.to_codelist(entry.codelist, each.id)}: {md.escape(each.name)}"


def codelist_page(book: Book, codelist: Codelist) -> bytes:
    """The page of one code list, with an anchor a code."""
    lines = [*_head(book, codelist.name), md.code(codelist.id), "", md.escape(codelist.description), ""]
    fields = [book.to_field(path) for path, entry in book.profile.fields.items() if entry.codelist == codelist.id]
    lines += _listed(book.texts["explain.used"], fields)
    rules = [book.to_rule(name) for name, lists in book.lists_of.items() if codelist.id in lists]
    lines += _listed(book.texts["page.rules.codes"], rules)
    lines += _section(book.texts["explain.codes"].format(codelist=codelist.id))
    for code in codelist.codes.values():
        lines += _code(book, codelist, code)
    return md.page([*lines, *_address(book, codelist_iri(codelist.id))])


def _code(book: Book, codelist: Codelist, code: Code) -> Iterator[str]:
    yield from (f"### {md.escape(code.id)}", "", f"**{md.escape(code.name)}.** {md.escape(code.description)}", "")
    facts = []
    if code.alias:
        facts.append(f"{md.escape(book.texts['page.alias'])}: {md.code(code.alias)}")
    if code.parent:
        facts.append(f"{md.escape(book.texts['explain.above'])}: {book.to_codelist(codelist.id, code.parent)}")
    if code.source:
        facts.append(f"{md.escape(book.texts['explain.source'])}: {_linked(book, code.source)}")
    facts += [_one_line(book, match) for match in mapping.of_code(codelist, code)]
    yield from (*(f"- {fact}" for fact in facts), "")


def rule_page(book: Book, rule: Rule) -> bytes:
    """The page of one rule: what, why and how to mend it, and an example of both."""
    texts = book.texts
    lines = _head(book, f"{rule.code}: {rule.title}")
    if rule.id:
        lines += [texts["page.rule.id"].format(id=md.code(rule.id)), ""]
    head = _labels(book, *(f"page.gate.{gate}" for gate in profile.GATES))
    lines += [*md.table(head, [_grades(book, rule)]), ""]
    for key, text in (("message", blanked(rule.message)), ("why", rule.why), ("remedy", blanked(rule.remedy))):
        if text:
            lines += [*_section(texts[f"explain.{key}"]), md.escape(text), ""]
    lines += _listed(texts["explain.implies"], [book.to_rule(name) for name in rule.implies])
    above = [name for name, each in book.profile.rules.items() if rule.code in each.implies]
    lines += _listed(texts["page.implied"], [book.to_rule(name) for name in above])
    touched = [*map(book.to_field, book.fields_of[rule.code]), *map(book.to_codelist, book.lists_of[rule.code])]
    lines += _listed(texts["page.touches"], touched)
    lines += _source(book, rule.source)
    return md.page([*lines, *_cases(book, book.examples.get(rule.code, {}))])


def _cases(book: Book, cases: Mapping[str, Any]) -> Iterator[str]:
    for key in ("raises", "mended"):
        if case := cases.get(key):
            yield from _section(book.texts[f"page.{key}"])
            yield from (md.escape(book.texts["page.case"]), "")
            yield from md.fence(json.dumps(case, ensure_ascii=False, indent=2), "json")
            yield ""


def index_pages(book: Book) -> dict[str, bytes]:
    """The front page, and an index of the fields, of the code lists and of the rules."""
    texts, loaded = book.texts, book.profile
    counts = {"fields": len(loaded.fields), "codelists": len(loaded.codelists), "rules": len(loaded.rules)}
    front = [
        f"# {md.escape(texts['page.title'].format(version=profile.VERSION))}",
        "",
        f"**{md.escape(texts[f'profile.status.{profile.STATUS}'])}**",
        "",
        *(
            f"- {md.link(md.escape(texts[f'page.{kind}']), f'{kind}/README.md')} ({counts[kind]})"
            for kind in counts
        ),
        f"- {md.link(md.escape(texts['page.framework']), 'framework.md')}",
        "",
        md.escape(texts["page.about"]),
        "",
        *md.fence(COMMAND, "sh"),
        "",
        *_section(texts["page.namespaces"]),
        *md.table(
            [md.escape(texts[f"page.namespaces.{name}"]) for name in ("prefix", "title", "iri")],
            (
                (md.code(each.prefix), md.link(md.escape(each.title), each.source), md.code(each.iri))
                for each in mapping.namespaces()
            ),
        ),
    ]
    return {
        "README.md": md.page(front),
        "fields/README.md": md.page([*_head(book, texts["page.fields"]), *_field_index(book)]),
        "codelists/README.md": md.page([*_head(book, texts["page.codelists"]), *_codelist_index(book)]),
        "rules/README.md": md.page([*_head(book, texts["page.rules"]), *_rule_index(book)]),
    }


def _field_index(book: Book) -> Iterator[str]:
    for tier in dict.fromkeys(entry.tier for entry in book.profile.fields.values()):
        chosen = [entry for entry in book.profile.fields.values() if entry.tier == tier]
        yield from _section(f"{book.texts[f'page.tier.{tier}']} ({len(chosen)})")
        yield from md.table(
            [
                md.escape(book.texts[key])
                for key in ("page.field", "page.name", "explain.concept", "page.codelist")
            ],
            (
                (
                    book.to_field(each.path),
                    md.escape(each.title),
                    md.code(each.concept),
                    book.to_codelist(each.codelist) if each.codelist else "",
                )
                for each in chosen
            ),
        )
        yield ""


def _codelist_index(book: Book) -> Iterator[str]:
    yield from md.table(
        _labels(book, "page.codelist", "page.name", "page.codes"),
        (
            (book.to_codelist(name), md.escape(each.name), str(len(each.codes)))
            for name, each in book.profile.codelists.items()
        ),
    )


def _rule_index(book: Book) -> Iterator[str]:
    for group in dict.fromkeys(name[:3] for name in book.profile.rules):
        yield from _section(book.texts.get(f"page.group.{group}", group))
        yield from md.table(
            [
                md.escape(book.texts["page.rule"]),
                *(md.escape(book.texts[f"page.gate.{g}"]) for g in profile.GATES),
            ],
            (
                (
                    book.to_rule(name),
                    *(book.texts[f"page.severity.{rule.severity[gate]}"] for gate in profile.GATES),
                )
                for name, rule in book.profile.rules.items()
                if name.startswith(group)
            ),
        )
        yield ""


def _labels(book: Book, *keys: str) -> list[str]:
    return [md.escape(book.texts[key]) for key in keys]


def _grades(book: Book, rule: Rule) -> list[str]:
    return _labels(book, *(f"page.severity.{rule.severity[gate]}" for gate in profile.GATES))


def _head(book: Book, title: str) -> list[str]:
    up = md.link(md.escape(book.texts["page.title"].format(version=profile.VERSION)), "../README.md")
    return [f"# {md.escape(title)}", "", f"{up} · {md.escape(book.texts[f'profile.status.{profile.STATUS}'])}", ""]


def _section(title: str) -> list[str]:
    return [f"## {md.escape(title)}", ""]


def _listed(title: str, links: Iterable[str]) -> list[str]:
    found = [f"- {each}" for each in links]
    return [*_section(title), *found, ""] if found else []


def _source(book: Book, source: str) -> list[str]:
    return [*_section(book.texts["explain.source"]), _linked(book, source), ""] if source else []


def _linked(book: Book, source: str) -> str:
    """A source, with links to what is said of the places of the Framework in it."""
    links = ", ".join(book.to_paragraph(place) for place in cited(source))
    return f"{md.escape(source)} ({links})" if links else md.escape(source)


def _elsewhere(book: Book, matches: Iterable[Match]) -> list[str]:
    rows = [_match(book, match) for match in matches]
    if not rows:
        return []
    head = [md.escape(book.texts[f"page.match.{name}"]) for name in ("id", "kind", "why")]
    return [*_section(book.texts["explain.links"]), *md.table(head, rows), ""]


def _match(book: Book, match: Match) -> tuple[str, str, str]:
    shown = md.code(match.target)
    target = md.link(shown, match.iri) if match.iri.startswith("http") else shown
    return target, md.escape(book.texts[f"page.match.{match.kind}"]), md.escape(match.why)


def _one_line(book: Book, match: Match) -> str:
    target, kind, why = _match(book, match)
    return f"{target}: {kind}. {why}".strip()


def _address(book: Book, iri: str) -> list[str]:
    return [*_section(book.texts["page.address"]), md.code(iri)]
