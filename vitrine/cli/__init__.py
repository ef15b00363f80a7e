"""The command line. Commands import what they need when they run, so that `--help` is instant."""

from __future__ import annotations

import errno
import logging
import sys
from collections.abc import Sequence
from typing import Annotated, NoReturn

import typer

from catalog.errors import JobPaused, VitrineError
from catalog.plain_text import one_line
from vitrine.cli import (
    ab,
    build,
    compare,
    data,
    demo,
    events,
    find,
    info,
    intents,
    keys,
    learn,
    mcp,
    media,
    models,
    real,
    recommend,
    reproduce,
    retrain,
    search,
    speech,
    sync,
    talk,
    traces,
    videos,
)
from vitrine.cli.output import say

USAGE_ERROR = 2
SIGNALLED = 128
"""Added to the number of the signal that paused a job: 130 after Ctrl-C, 143 after SIGTERM."""
WIDTH = 100

app = typer.Typer(
    name="vitrine",
    help="A recommender that sees and talks. Start with `vitrine demo`, or `vitrine import --help`.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"max_content_width": WIDTH},
)
for module in (
    build,
    sync,
    media,
    speech,
    intents,
    data,
    learn,
    retrain,
    ab,
    compare,
    search,
    reproduce,
    real,
    models,
    videos,
    find,
    recommend,
    events,
    keys,
    talk,
    traces,
    mcp,
    info,
    demo,
):
    module.register(app)


def _say_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        say(f"vitrine {version('vitrine')}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_say_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    pass


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command; a mistake the user can mend is one line on standard error and exit status 2."""
    try:
        code = app(args=None if arguments is None else list(arguments), prog_name="vitrine", standalone_mode=False)
    except typer.TyperException as error:
        _refuse_options(error, sys.argv[1:] if arguments is None else arguments)
    except typer.Abort:
        sys.exit(1)
    except JobPaused as error:
        say(one_line(str(error)), error=True)
        sys.exit(SIGNALLED + error.signal)
    except VitrineError as error:
        _refuse(str(error), error)
    except OSError as error:
        if error.filename is None and error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise  # no file of the user's: a bug
        place = f"{str(error.filename)!r}: " if error.filename is not None else ""
        _refuse(f"{place}{error.strerror}", error)
    else:
        if code:
            sys.exit(code)


def _refuse_options(error: typer.TyperException, arguments: Sequence[str]) -> NoReturn:
    """Say what is wrong with the command line; a group without a command is no mistake, it shows its help."""
    context = getattr(error, "ctx", None)
    if context is not None and error.message == context.get_help():
        say(error.message, error=True)
        sys.exit(USAGE_ERROR)
    text = error.format_message().removesuffix(".").replace(": Value error, ", ": ")
    for name in getattr(getattr(error, "param", None), "opts", ()):
        given = _given(name, arguments)
        if given not in text:
            text = text.replace(f"for '{name}': ", f"for '{name}'{given}: ", 1)
    text = text[:1].lower() + text[1:] + ("" if text.endswith("?") else ";")
    if (pair := _pair_alone(arguments)) is not None and pair in text:
        _refuse(f"{text} every setting has a --set of its own: --set {pair} would be valid", error)
    _refuse(
        f"{text} {context.command_path if context is not None else 'vitrine'} --help shows what would be valid", error
    )


def _pair_alone(arguments: Sequence[str]) -> str | None:
    """Return the first KEY=VALUE that follows the one of a `--set`, which takes no second."""
    for at, word in enumerate(arguments):
        after = (at > 1 and arguments[at - 2] == "--set") or (at > 0 and arguments[at - 1].startswith("--set="))
        if after and "=" in word and not word.startswith("-"):
            return word
    return None


def _given(name: str, arguments: Sequence[str]) -> str:
    """Return the value of an option as the command line has it, quoted, or nothing where it is not to be seen."""
    for at, word in enumerate(arguments):
        if word == name and at + 1 < len(arguments):
            return f" {arguments[at + 1]!r}"
        if word.startswith(f"{name}="):
            return f" {word.removeprefix(f'{name}=')!r}"
    return ""


def _refuse(text: str, error: Exception) -> NoReturn:
    """Say one line, whatever was in the file that `text` quotes, and leave."""
    logging.getLogger("vitrine.cli").debug("command refused", exc_info=error)
    say(one_line(f"error: {text}"), error=True)
    sys.exit(USAGE_ERROR)
