"""Text that others wrote, made fit for a terminal, a heading or a log: one line, and nothing that steers a terminal."""

from __future__ import annotations

import json
import unicodedata

_JOINERS = "\u200c\u200d"
"""Invisible, and part of the spelling of Persian, of Indic scripts and of many emoji."""


def one_line(text: str) -> str:
    r"""Return `text` as one line: blanks are blanks, marks of direction are gone, what else cannot be printed escaped.

    Example:
        >>> one_line("\x1b[31mred\nvase\u202e")
        '\\x1b[31mred vase'
    """
    return text if text.isprintable() else "".join(_plain(character) for character in text)


def whole_text(text: str) -> str:
    r"""Return `text` as UTF-8 can write it: the halves of a character that meet are one, those alone are `\ufffd`.

    JSON, a command line and a stream cut between two halves all give such texts; no database and no socket takes them.

    Example:
        >>> whole_text("a vase \ud83c" + "\udffa"), whole_text("a vase \ud83c")
        ('a vase 🏺', 'a vase \ufffd')
    """
    return text if text.isascii() else text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def plain_lines(text: str) -> str:
    """Return `text` with each of its lines as `one_line` gives it; a newline alone ends a line."""
    return "\n".join(one_line(line) for line in text.split("\n"))


def plain_json(text: str) -> str:
    r"""Return a JSON text that reads the same and has nothing unprintable but newlines: the rest is escaped.

    Example:
        >>> plain_json('"\x9b31m"')
        '"\\u009b31m"'
    """
    return "".join(c if c.isprintable() or c == "\n" else json.dumps(c)[1:-1] for c in text)


def _plain(character: str) -> str:
    if character.isprintable() or character in _JOINERS:
        return character
    if character.isspace():
        return " "
    return "" if unicodedata.category(character) == "Cf" else repr(character)[1:-1]
