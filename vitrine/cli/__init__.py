"""The command line. Commands import what they need when they run, so that `--help` is instant."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import typer

from catalog.errors import VitrineError
from vitrine.cli import build, demo, info, learn, talk

USAGE_ERROR = 2

app = typer.Typer(
    name="vitrine",
    help="A recommender that sees and talks. Start with `vitrine demo`, or `vitrine import --help`.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for module in (build, learn, talk, info, demo):
    module.register(app)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command; a mistake the user can mend is one line on standard error and exit status 2."""
    try:
        app(args=None if arguments is None else list(arguments))
    except VitrineError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(USAGE_ERROR)
    except KeyboardInterrupt:
        print("\nstopped", file=sys.stderr)
        sys.exit(130)
