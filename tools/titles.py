"""A title in a sentence. On a card it stands as the merchant wrote it; in a sentence it would be the shop that says it.

So prose leaves out of it what is the shop's to say: addresses, terms of sale, prices, what is carried.
"""

from __future__ import annotations

import re
import unicodedata

from catalog.nouns import Item

TERMS = re.compile(
    r"\b(?:free (?:shipping|delivery|returns?)|shipping|ships|deliver(?:y|ed|s)|discount(?:ed|s)?|on sale|coupons?|"
    r"vouchers?|promo(?:tion)?s?|clearance|warrant(?:y|ies)|guarantee[ds]?|refund(?:able|s)?|money[- ]back|"
    r"half(?: the)? price|half off|(?:\d+ ?%|\w+ per ?cent) (?:off|discount|less|cheaper|reduction)|for free|"
    r"free of charge|(?:promo|discount|coupon|voucher) code|with (?:the )?code|limited time)\b",
    re.IGNORECASE,
)
"""Terms of the house: no merchant's text can grant them, only a field of a record or a tool can."""

_HOUSE = r"(?:shop|store|catalogue|catalog|range)"
_KEEP = r"(?:have|has|carry|carries|sell|sells|stock|stocks|offer|offers|keep|keeps)(?: got)?"
_OURS = rf"(?:we|i|the {_HOUSE}|this {_HOUSE}|our {_HOUSE})\s+(?:currently |really |just |simply )?"
DENIAL = re.compile(
    rf"\b{_OURS}(?:(?:do(?:es)?n['’]t|do(?:es)? not|can['’]?t|cannot)\s+(?:currently |really )?"
    rf"{_KEEP}(?: any(?:thing)?)?"
    rf"|{_KEEP}\s+(?:no|none|nothing|not a single)|(?:haven['’]t|hasn['’]t) got any(?:thing)?)\b"
    rf"|\bthere (?:is|are)(?:n['’]t| not)? (?:no(?:thing|ne)?|any(?:thing)?)\b(?=[^.!?]*\b(?:{_HOUSE}|here|stock)\b)"
    rf"|\b(?:is|are)(?:n['’]t| not) (?:carried|sold|stocked)\b|\bnot in (?:our|the|this) {_HOUSE}\b",
    re.IGNORECASE,
)
"""Sentences that deny the shop has something."""

_LINK = re.compile(r"!?\[([^\]\n]*)\]\((?:[^)\n]*\)|[^)\s]*)")
_URL = re.compile(
    r"\b(?:[a-z][a-z+.-]{1,12}://|www\.)\S+|(?<![\w/])//[\w-]+\.\S+|\b(?:data|javascript|vbscript|mailto):\S+"
    r"|\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+"
    r"|\b(?:[a-z0-9-]+\.)+(?:com|net|org|info|biz|io|dev|xyz|online|site|example|invalid|onion|ru|cn)\b(?:[:/?#]\S*)?"
    r"|\b(?:[a-z0-9-]+\.)+[a-z]{2,12}(?::\d+)?/\S+",
    re.IGNORECASE,
)
_TAG = re.compile(r"<[^<>]{0,80}>|[<>`]")
_PIECE = re.compile(r"(?<=[.!?:;|–—\"“”])\s+|\s+(?=[(\[{|–—\"“-]\s?)")
_TOLD = re.compile(r"#\s?\d|\d\s?%|\d[.,]\d\d\b")

TITLE_CHARS = 80
"""Of a title in a sentence."""


def without_links(text: str) -> str:
    """Return text without links, addresses and mail addresses; of a link its words stay."""
    return _URL.sub("", _LINK.sub(r"\1", text))


def called(item: Item) -> str:
    """Return what a sentence calls an item."""
    return spoken_title(item.title) if item.title else item.item_id


def spoken_title(title: str) -> str:
    """Return a title as a sentence says it: whole where it is short and plain, else its first part.

    Example:
        >>> spoken_title("Red bowl: now 50% off, see http://shop.example"), spoken_title("Love, Guaranteed")
        ('Red bowl', 'Love, Guaranteed')
    """
    plain = _one_line(without_links(title))
    first, *rest = _PIECE.split(plain)
    if plain == title and len(plain) <= TITLE_CHARS and not any(map(speaks_for_shop, rest)):
        return plain
    if len(first) > TITLE_CHARS:
        cut = first[:TITLE_CHARS]
        first = cut[: cut.rfind(",")] if "," in cut[20:] else f"{cut.rsplit(' ', 1)[0]}…"
    return first.strip().rstrip(",:;|–—").strip() or "this item"


def speaks_for_shop(piece: str) -> bool:
    """Whether words of a title or a caption say what is the shop's to say: terms, prices, what it carries, handles."""
    return bool(TERMS.search(piece) or _TOLD.search(piece) or DENIAL.search(piece))


def _one_line(text: str) -> str:
    kept = (" " if c.isspace() else c for c in text)
    plain = "".join(c for c in kept if unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Co", "Cn"))
    return " ".join(_TAG.sub(" ", plain).split())
