"""What `cdmeta explain` does: find what a person means, and tell all there is to know about it."""

from __future__ import annotations

from collections.abc import Iterator

from cdmeta import profile
from cdmeta.profile import Code, Codelist, Field, Rule
from cdmeta.reporters.explain import render


def explain(name: str, language: str = "en") -> str:
    """The explanation of a rule's code, a field, a code list or a code, as text.

    Raises:
        UnknownNameError: nothing is called so; the message names what is nearest.
    """
    found = profile.find(name, language)
    return render(_all(found, name, language), language)


def _all(
    found: Field | Codelist | Code | Rule, name: str, language: str
) -> Iterator[tuple[Field | Codelist | Rule, Code | None]]:
    """What is meant; where several rules or code lists share the name, all of them."""
    loaded = profile.load(language)
    if isinstance(found, Code):
        for codelist in loaded.codelists.values():
            if found.id in codelist.codes:
                yield codelist, codelist.codes[found.id]
    elif isinstance(found, Rule) and name.casefold() == found.id.casefold():
        yield from ((rule, None) for rule in loaded.rules.values() if rule.id == found.id)
    else:
        yield found, None
