"""The profile as pages: a page a field, a code list and a rule, and one on the words of the Framework."""

from __future__ import annotations

from cdmeta.reference.book import COMMAND, Book, open_book
from cdmeta.reference.framework import framework_page
from cdmeta.reference.pages import codelist_page, field_page, index_pages, rule_page

__all__ = ["COMMAND", "Book", "open_book", "render"]


def render(language: str = "en") -> dict[str, bytes]:
    """All pages by their path, in GitHub-flavoured Markdown.

    Args:
        language: of the words; the names of files, and the anchors of codes and paragraphs, are the same in all.
    """
    book = open_book(language)
    loaded = book.profile
    return {
        **index_pages(book),
        "framework.md": framework_page(book),
        **{f"fields/{book.field_file(entry)}": field_page(book, entry) for entry in loaded.fields.values()},
        **{f"codelists/{name}.md": codelist_page(book, each) for name, each in loaded.codelists.items()},
        **{f"rules/{name}.md": rule_page(book, each) for name, each in loaded.rules.items()},
    }
