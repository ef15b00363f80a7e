"""No address reaches the shopper in prose, neither a mind's nor one in a title."""

from __future__ import annotations

import re

from agent.gate.phrases import DENIAL, TERMS
from agent.messages import clean

_LINK = re.compile(r"!?\[([^\]\n]*)\]\((?:[^)\n]*)\)")
_URL = re.compile(
    r"\b(?:[a-z][a-z+.-]{1,12}://|www\.)\S+|(?<![\w/])//[\w-]+\.\S+|\b(?:data|javascript|vbscript|mailto):\S+"
    r"|\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+"
    r"|\b(?:[a-z0-9-]+\.)+(?:com|net|org|info|biz|io|dev|xyz|online|site|example|invalid|onion|ru|cn)\b(?:[:/?#]\S*)?"
    r"|\b(?:[a-z0-9-]+\.)+[a-z]{2,12}(?::\d+)?/\S+",
    re.IGNORECASE,
)
_PIECE = re.compile(r"(?<=[.!?:;|–—\"“”])\s+|\s+(?=[(\[|–—\"“-]\s?)|\n")
_TOLD = re.compile(r"#\s?\d|\d\s?%|\d[.,]\d\d\b")

TITLE_CHARS = 80
"""Of a title in prose; its card has the whole."""


def without_links(text: str) -> str:
    """Return text without links, addresses and mail addresses; of a link its words stay."""
    return _URL.sub("", _LINK.sub(r"\1", text))


def spoken_title(title: str) -> str:
    """Return a title as prose says it: its first part, and of the rest what fits and does not speak for the shop.

    A title is a merchant's text. On a card it stands as it is; in a sentence it would be the shop that says it.

    Example:
        >>> spoken_title("Red bowl: now 50% off, see http://shop.example"), spoken_title("Love, Guaranteed")
        ('Red bowl', 'Love, Guaranteed')
    """
    plain = clean(without_links(title), 4 * TITLE_CHARS)
    first, *rest = _PIECE.split(plain)
    if plain == title and len(plain) <= TITLE_CHARS and not any(map(_speaks, rest)):
        return plain
    if len(first) > TITLE_CHARS:
        cut = first[:TITLE_CHARS]
        return cut[: cut.rfind(",")] if "," in cut[20:] else f"{cut.rsplit(' ', 1)[0]}…"
    said = first
    for piece in rest:
        if _speaks(piece) or len(said) + 1 + len(piece) > TITLE_CHARS:
            break
        said = f"{said} {piece}"
    return said.strip().rstrip(",:;|–—").strip() or "this item"


def _speaks(piece: str) -> bool:
    """Whether a part of a title says what is the shop's to say: terms, prices, what it carries, handles."""
    return bool(TERMS.search(piece) or _TOLD.search(piece) or DENIAL.search(piece))
