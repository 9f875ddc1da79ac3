"""The language of the command line: what was asked for, or what the environment speaks; English otherwise."""

from __future__ import annotations

import gettext
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import click

from cdmeta import profile
from cdmeta.phrase import FORMS, Phrase, closest, form
from cdmeta.text import is_language_tag

OPTION = "--lang"
VARIABLES = ("CDMETA_LANG", "LC_ALL", "LC_MESSAGES", "LANG")
"""The first that is set names the language (POSIX, Base Definitions §8.2; ours comes first)."""


def chosen(args: Sequence[str], environment: Mapping[str, str]) -> str:
    """The language that a command line or the environment names, as one that there is.

    It is known before the command line is parsed, so that what is wrong with that is told in it too.
    """
    named = ""
    for number, arg in enumerate(args):
        if arg == "--":
            break
        if arg == OPTION and number + 1 < len(args):
            named = args[number + 1]
        elif arg.startswith(f"{OPTION}="):
            named = arg.partition("=")[2]
    variable = next((environment[name] for name in VARIABLES if environment.get(name)), "")
    # A locale is language_COUNTRY.encoding@variant; C and POSIX name none.
    return closest(named or variable.split(".")[0].split("@")[0])


def spoken() -> str:
    """The language in which the present command speaks."""
    context = click.get_current_context(silent=True)
    return (context.find_object(str) if context else None) or profile.ENGLISH


def text(key: str, /, **params: object) -> str:
    """A text in that language."""
    return Phrase(key, params).told(spoken())


def worded(command: click.Command, name: str, language: str) -> click.Command:
    """Give a command its help in a language, and the option for it; also those below it."""
    texts = profile.texts(language)
    command.help = texts.get(f"help.{name}", command.help)
    command.short_help = texts.get(f"help.{name}.in-short", command.short_help)
    if all(OPTION not in param.opts for param in command.params):
        command.params.append(click.Option([OPTION], expose_value=False, metavar="LANG", callback=_is_tag))
    for param in command.params:
        if isinstance(param, click.Option):
            keys = (f"help.{name}.{param.name}", f"help.{param.name}")
            param.help = next((texts[key] for key in keys if key in texts), param.help)
    for below in command.commands.values() if isinstance(command, click.Group) else ():
        worded(below, f"{name}.{below.name}", language)
    return command


def _is_tag(_: click.Context, __: click.Parameter, value: str | None) -> None:
    if value is not None and not is_language_tag(value.replace("_", "-")):
        raise click.BadParameter(text("error.language"))


@contextmanager
def words_of_click(language: str) -> Iterator[None]:
    """Let what click itself says be in the language, where the texts below `click.` have it.

    click asks gettext, whose catalogues are compiled files. Ours are rows as all other texts are, so that a new
    language needs no other kind of file; gettext answers from them while a command runs.
    """
    own, english = profile.texts(language), profile.texts()
    catalogue = {text: own[key] for key, text in english.items() if key.startswith("click.")}
    before = gettext.dgettext, gettext.dngettext

    def one(domain: str, message: str) -> str:  # noqa: ARG001  # called as gettext.dgettext is
        return catalogue.get(message, message)

    def many(domain: str, msgid1: str, msgid2: str, n: int) -> str:  # noqa: ARG001  # likewise
        return form(catalogue.get(known := f"{msgid1}{FORMS}{msgid2}", known), n, language)

    gettext.dgettext, gettext.dngettext = one, many
    try:
        yield
    finally:
        gettext.dgettext, gettext.dngettext = before
