"""What a command says: the one door to standard output, so that no title, id or name steers a terminal."""

from __future__ import annotations

import sys

from catalog.plain_text import plain_json, plain_lines


def say(text: object = "", *, end: str = "\n", error: bool = False) -> None:
    """Print text of one or several lines; what is in it of others is plain (`catalog.plain_text`).

    Args:
        text: What to print.
        end: Follows it.
        error: Whether it goes to standard error.
    """
    print(plain_lines(str(text)), end=end, file=sys.stderr if error else sys.stdout, flush=True)


def say_json(text: str) -> None:
    """Print a JSON text that reads the same."""
    print(plain_json(text), flush=True)
