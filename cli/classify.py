"""`cdmeta classify`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import click

from cdmeta import profile
from cdmeta.text import printable
from cdmeta.workflows.classify import Change, Classification, classify

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
        click.echo(json.dumps(result.as_dict(), ensure_ascii=False, indent=2))
    elif result.decision is not None:
        click.echo("\n".join(_text(result)))
    if result.decision is None:
        for finding in result.findings:
            click.echo(printable(f"{finding.message()} {finding.remedy()}"), err=True)
        click.get_current_context().exit(1)


def _text(result: Classification) -> Iterator[str]:
    texts, decision = profile.texts(), result.decision
    if decision is None:
        return
    outcome = texts[f"outcome.{decision.outcome}"]
    yield texts["classify.outcome"].format(
        name=printable(result.name or result.source, 80), outcome=outcome, code=decision.outcome
    )
    if decision.rule or decision.outcome != "INSUFFICIENT_INFORMATION":
        yield from (line for rule in result.rules for line in _rule(rule.id, rule.paragraphs))
    for finding in result.findings:
        yield f"\n{finding.rule.title}. {finding.message()} {finding.remedy()}"
    if decision.open:
        yield "\n" + texts["classify.open"]
        yield from (f"  - {_title(path)} ({path.replace('[]', '')})" for path in decision.open)
    if result.changes:
        yield "\n" + texts["classify.settles" if decision.open else "classify.changes"]
        yield from (f"  - {_change(change)}" for change in result.changes[:_SHOWN])
        if (more := len(result.changes) - _SHOWN) > 0:
            yield "  " + texts["classify.more"].format(count=more)
    elif not result.findings:
        yield "\n" + texts["classify.unchanged"]


def _rule(rule: str, paragraphs: tuple[str, ...]) -> Iterator[str]:
    texts = profile.texts()
    places = f" ({', '.join(paragraphs)})" if paragraphs else ""
    yield texts["classify.rule"].format(rule=rule, places=places, reason=texts[f"rule.{rule}"])


def _change(change: Change) -> str:
    texts = profile.texts()
    return texts["classify.change"].format(
        title=_title(change.path),
        value=_value(change.then),
        now=_value(change.now),
        outcome=texts[f"outcome.{change.outcome}"],
    )


def _value(value: Any) -> str:
    texts = profile.texts()
    if value is None:
        return texts["classify.unanswered"]
    if isinstance(value, bool):
        return texts["classify.yes" if value else "classify.no"]
    return ", ".join(_value(part) for part in value) if isinstance(value, list) else str(value)


def _title(path: str) -> str:
    return profile.load().fields[path].title
