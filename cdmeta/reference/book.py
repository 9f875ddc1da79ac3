"""What all pages of the reference share: words in a language, what belongs together, and where it is told."""

from __future__ import annotations

import json
import re
import string
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from cdmeta import markdown as md
from cdmeta import profile
from cdmeta.formats.skos import slug
from cdmeta.profile import Field, Profile, Rule

COMMAND = "cdmeta profile export --to markdown --out docs/profile"
"""What writes the committed pages anew."""

_CITED = re.compile(r"¶(\d+)(?:[–-]¶?(\d+))?|(Principle|Table|Box)s? (\d+(?:(?:, | and )\d+)*)")


@dataclass(frozen=True)
class Book:
    """The profile in a language, and what belongs together in it.

    Attributes:
        profile: in the language of the pages.
        texts: in the same language.
        examples: by rule: the example that raises it and its mended twin, where there is one.
        fields_of: by rule: paths of the fields that it speaks of or that its example changes.
        lists_of: by rule: the code lists that hold a code that it names.
    """

    profile: Profile
    texts: Mapping[str, str]
    examples: Mapping[str, Mapping[str, Any]]
    fields_of: Mapping[str, tuple[str, ...]]
    lists_of: Mapping[str, tuple[str, ...]]

    def field_file(self, entry: Field) -> str:
        """The name of the page of a field."""
        return f"{slug(entry.path)}.md"

    def to_field(self, path: str, root: str = "..") -> str:
        """A link to a field."""
        return md.link(md.code(path), f"{root}/fields/{slug(path)}.md")

    def to_codelist(self, name: str, code: str = "", root: str = "..") -> str:
        """A link to a code list, or to one of its codes."""
        anchor = f"#{md.slug(code)}" if code else ""
        return md.link(md.code(code or name), f"{root}/codelists/{name}.md{anchor}")

    def to_rule(self, name: str, root: str = "..") -> str:
        """A link to a rule, with its title."""
        return f"{md.link(name, f'{root}/rules/{name}.md')} {md.escape(self.profile.rules[name].title)}"

    def to_paragraph(self, name: str, root: str = "..") -> str:
        """A link to what is said of a paragraph."""
        return md.link(name, f"{root}/framework.md#{md.slug(name)}")

    def rules_on(self, path: str) -> tuple[str, ...]:
        """The rules that touch a field."""
        return tuple(name for name, paths in self.fields_of.items() if path in paths)


def open_book(language: str) -> Book:
    """The book in a language; what belongs together is found in the English words."""
    english = profile.load()
    examples = dict(_examples(english.rules))
    return Book(
        profile.load(language),
        profile.texts(language),
        examples,
        {name: _fields_of(rule, english, examples.get(name, {})) for name, rule in english.rules.items()},
        {name: _lists_of(rule, english) for name, rule in english.rules.items()},
    )


def cited(source: str) -> tuple[str, ...]:
    """The places of the Framework that a source names, each once: `¶17`, `Principle 3`, `Table 2`, `Box 1`."""
    return tuple(dict.fromkeys(_cited(source)))


def _cited(source: str) -> Iterator[str]:
    for first, last, kind, numbers in _CITED.findall(source):
        if kind:
            yield from (f"{kind} {number}" for number in re.findall(r"\d+", numbers))
        else:
            yield from (f"¶{number}" for number in range(int(first), int(last or first) + 1))


def blanked(template: str) -> str:
    """The text of a rule with `‹name›` where a finding fills in a value."""
    parts = string.Formatter().parse(template)
    return "".join(f"{text}{f'‹{name}›' if name is not None else ''}" for text, name, _, _ in parts)


def _examples(rules: Mapping[str, Rule]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    home = files("cdmeta.examples").joinpath("rules")
    for name in rules:
        file = home.joinpath(f"{name}.json")
        if file.is_file():
            yield name, json.loads(file.read_text(encoding="utf-8"))


def _fields_of(rule: Rule, loaded: Profile, example: Mapping[str, Any]) -> tuple[str, ...]:
    """Fields whose name is no English word (`consentBasis`), whose codes it names, or that the example changes."""
    lists = _lists_of(rule, loaded)
    words = set(re.findall(r"\b[a-z]+[A-Z]\w*", f"{rule.title} {rule.message} {rule.remedy}"))
    changed = set(_changed(example.get("raises", {}).get("patch"), ""))
    return tuple(
        path
        for path, entry in loaded.fields.items()
        if entry.name in words or entry.codelist in lists or ("[]" not in path and path in changed)
    )


def _changed(patch: Any, path: str) -> Iterator[str]:
    yield path
    if isinstance(patch, dict):
        for key, value in patch.items():
            yield from _changed(value, f"{path}.{key}".lstrip("."))


def _lists_of(rule: Rule, loaded: Profile) -> tuple[str, ...]:
    words = set(re.findall(r"\b[A-Z][A-Z0-9]*_[A-Z0-9_]+\b", f"{rule.title} {rule.message} {rule.remedy}"))
    return tuple(name for name, each in loaded.codelists.items() if words & ({name} | set(each.codes)))
