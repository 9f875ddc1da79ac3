"""`cdmeta classify`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import click

from cdmeta.phrase import ENGLISH, Citation, Phrase, title_of
from cdmeta.text import printable
from cdmeta.workflows.classify import Change, Classification, classify

from .language import spoken, text

_SHOWN = 6


@click.command("classify")
@click.argument("package", type=click.Path())
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(package: str, form: str) -> None:
    """Tell whether PACKAGE is citizen data, by which rule, and why.

    It goes by what the descriptor declares and by the Copenhagen Framework; the rows are not looked at.
    """
    result = classify(package)
    if form == "json":
        click.echo(json.dumps(result.as_dict(spoken()), ensure_ascii=False, indent=2))
    elif result.decision is not None:
        click.echo("\n".join(_text(result)))
    if result.decision is None:
        for finding in result.findings:
            click.echo(printable(f"{finding.message(spoken())} {finding.remedy(spoken())}"), err=True)
        click.get_current_context().exit(1)


def _text(result: Classification) -> Iterator[str]:
    decision = result.decision
    if decision is None:
        return
    outcome, name = text(f"outcome.{decision.outcome}"), printable(result.name or result.source, 80)
    yield text("classify.outcome", name=name, outcome=outcome, code=decision.outcome)
    if decision.rule or decision.outcome != "INSUFFICIENT_INFORMATION":
        yield from (line for rule in result.rules for line in _rule(rule.id, rule.paragraphs))
    for finding in result.findings:
        told = {part: finding.phrase(part) for part in ("title", "message", "remedy")}
        yield "\n" + text("classify.finding", **told)
    if decision.open:
        yield "\n" + text("classify.open")
        yield from (f"  - {_title(path)} ({path.replace('[]', '')})" for path in decision.open)
    if result.changes:
        yield "\n" + text("classify.settles" if decision.open else "classify.changes", count=len(result.changes))
        yield from (f"  - {_change(change)}" for change in result.changes[:_SHOWN])
        if (more := len(result.changes) - _SHOWN) > 0:
            yield "  " + text("classify.more", count=more)
    elif not result.findings:
        yield "\n" + text("classify.unchanged")
    if spoken() != ENGLISH:
        yield "\n" + text("translation.unofficial")


def _rule(rule: str, paragraphs: tuple[str, ...]) -> Iterator[str]:
    places = f" ({Citation(', '.join(paragraphs)).told(spoken())})" if paragraphs else ""
    yield text("classify.rule", rule=rule, places=places, reason=Phrase(f"rule.{rule}"))


def _change(change: Change) -> str:
    return text(
        "classify.change",
        title=_title(change.path),
        value=_value(change.then),
        now=_value(change.now),
        outcome=Phrase(f"outcome.{change.outcome}"),
    )


def _value(value: Any) -> str:
    if value is None:
        return text("classify.unanswered")
    if isinstance(value, bool):
        return text("classify.yes" if value else "classify.no")
    return ", ".join(_value(part) for part in value) if isinstance(value, list) else str(value)


def _title(path: str) -> str:
    return title_of(path).told(spoken())
