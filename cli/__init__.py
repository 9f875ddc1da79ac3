"""The command line: one command a file; each parses, calls a workflow, renders, and gives an exit code."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import version

import click

from cdmeta.errors import CdmetaError
from cdmeta.text import printable

# Name → what it does, in one line. A command's module is imported when it is called, and not before.
COMMANDS = {
    "demo": "Make a worked example, from the package to SDMX and a site.",
    "new": "Start a package from a table.",
    "validate": "Check a package, its answers and its rows.",
    "classify": "Tell whether it is citizen data, and why.",
    "explain": "Explain a code, a field or a code list.",
    "keygen": "Make a key to approve with.",
    "approve": "Approve a package, and sign that.",
    "verify": "Tell who approved what, and whether it still holds.",
    "convert": "Write an approved package as SDMX.",
    "site": "Write approved packages as web pages that registries harvest.",
    "profile": "Write the profile itself as SDMX, SKOS, JSON Schema or pages.",
}


class _Commands(click.Group):
    """A group whose commands are imported when they are used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"cdmeta.cli.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


def _version(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    if value:
        click.echo(f"cdmeta {version('cdmeta')}")
        ctx.exit()


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Show the version."
)
def cli() -> None:
    """Metadata and publishing toolkit for citizen data.

    Start with: cdmeta demo
    """


def main(args: Sequence[str] | None = None) -> None:
    """Run the command line; no traceback ever reaches a person.

    Exit codes: 0 done, 1 the data have errors, 2 it could not be done.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal that cannot show a character gets its escape, not a traceback.
            stream.reconfigure(errors="backslashreplace")
    try:
        # Without standalone mode, click gives back the code of `Context.exit`, or what the command returned.
        result = cli.main(args, prog_name="cdmeta", standalone_mode=False)
        code = result if isinstance(result, int) else 0
    except click.ClickException as error:
        error.show()
        code = 2
    except (click.Abort, KeyboardInterrupt):
        click.echo("Stopped.", err=True)
        code = 130
    except BrokenPipeError:
        # The reader of our output has gone, as `head` does; what is left in the buffer has nowhere to go.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    except CdmetaError as error:
        click.echo(printable(f"cdmeta: {error}"), err=True)
        code = 2
    except OSError as error:
        click.echo(printable(f"cdmeta: {error.filename or 'file'}: {error.strerror or error}"), err=True)
        code = 2
    sys.exit(code)
