"""The command line: one command a file; each parses, calls a workflow, renders, and gives an exit code."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence
from gettext import gettext
from importlib import import_module
from importlib.metadata import version
from keyword import iskeyword

import click

from cdmeta.errors import CdmetaError
from cdmeta.phrase import Phrase, os_reason, say
from cdmeta.text import printable

from .language import chosen, spoken, text, worded, words_of_click

# In the order of the help. A command's module is imported when it is called, and not before.
COMMANDS = (
    "demo",
    "new",
    "fill",
    "validate",
    "classify",
    "fmt",
    "explain",
    "keygen",
    "approve",
    "verify",
    "map",
    "convert",
    "check-data",
    "xsd",
    "import",
    "site",
    "profile",
)


def module_of(command: str) -> str:
    """The module of a command: `_` for `-`, and behind a word that Python keeps for itself."""
    name = command.replace("-", "_")
    return f"cdmeta.cli.{name}_" if iskeyword(name) else f"cdmeta.cli.{name}"


class _Commands(click.Group):
    """A group whose commands are imported when they are used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(module_of(cmd_name)).command
        return worded(command, cmd_name, spoken())

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        # click looks for what comes near among the commands that it holds, and this group holds none.
        if args[0] not in COMMANDS and (near := _near(args[0])):
            ctx.fail(text("error.command.near", name=args[0], near=near))
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        # Their modules are not imported for a line each.
        with formatter.section(gettext("Commands")):
            formatter.write_dl([(name, text(f"help.{name}.in-short")) for name in COMMANDS])


def _near(name: str) -> str:
    from difflib import get_close_matches

    return next(iter(get_close_matches(name.casefold(), COMMANDS, n=1)), "")


def _version(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    if value:
        click.echo(f"cdmeta {version('cdmeta')}")
        ctx.exit()


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_version)
def cli() -> None:
    """Metadata and publishing toolkit for citizen data; the help of all commands stands in the texts."""


def main(args: Sequence[str] | None = None) -> None:
    """Run the command line; no traceback ever reaches a person.

    Exit codes: 0 done, 1 the data have errors, 2 it could not be done.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal that cannot show a character gets its escape, not a traceback.
            stream.reconfigure(errors="backslashreplace")
    args = sys.argv[1:] if args is None else args
    language = chosen(args, os.environ)
    with words_of_click(language):
        sys.exit(_run(args, language))


def _run(args: Sequence[str], language: str) -> int:
    """Run a command line in a language, and give its exit code."""
    try:
        worded(cli, "cdmeta", language)
        # Without standalone mode, click gives back the code of `Context.exit`, or what the command returned.
        result = cli.main(list(args), prog_name="cdmeta", standalone_mode=False, obj=language)
        return result if isinstance(result, int) else 0
    except click.ClickException as error:
        error.show()
        return 2
    except (click.Abort, KeyboardInterrupt):
        click.echo(Phrase("cli.stopped").told(language), err=True)
        return 130
    except BrokenPipeError:
        # The reader of our output has gone, as `head` does; what is left in the buffer has nowhere to go.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except CdmetaError as error:
        click.echo(printable(f"cdmeta: {say(error.args[0], language)}"), err=True)
        return 2
    except OSError as error:
        name = error.filename or Phrase("cli.file").told(language)
        click.echo(printable(f"cdmeta: {name}: {say(os_reason(error), language)}"), err=True)
        return 2
