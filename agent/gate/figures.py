"""Figures written as words become digits, so that a claim is checked alike however it is spelled."""

from __future__ import annotations

import re
import unicodedata

_ONES = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_VALUES = {word: value for value, word in enumerate(_ONES)} | {word: 10 * at for at, word in enumerate(_TENS, 2)}
_SCALES = {"hundred": 100, "thousand": 1000}
_WORD = "|".join(sorted((*_VALUES, *_SCALES), key=len, reverse=True))
_DIGIT = "|".join(_ONES[:10])
_RUN = rf"(?:{_WORD})(?:(?:[\s-]+(?:and\s+)?)(?:{_WORD}))*(?:\s+point(?:\s+(?:{_DIGIT}))+)?"
_NAMES_ITEM = r"(?:item|product|option|handle|number|no\.|nr\.)\s+"
_CUE = (
    r"(?:costs?|priced? (?:at|is|of)|price:|(?:goes|going|yours|sells|selling) (?:for|at)|rated|ratings? (?:of|is)|"
    r"scores?|worth|(?:reviews?|ratings?|stars?):)\s+(?:(?:just|only|merely|a mere|about|around|exactly|at)\s+)*"
)
_UNIT = (
    r"(?:euros?|eur|dollars?|usd|pounds?|gbp|bucks|quid|cents?|pence|francs?|yen|rupees?|kron(?:a|or|er)|[$€£¥₹%]|"
    r"per\s?cent|stars?|reviews?|ratings?|customers|shoppers|votes?|cm|centimet(?:er|re)s?|mm|millimet(?:er|re)s?|"
    r"met(?:er|re)s?|inch(?:es)?|feet|foot|lit(?:er|re)s?|ml|millilit(?:er|re)s?|kilos?|kilograms?|kg|grams?|ounces?|"
    r"watts?|years?|months?|weeks?|days?|hours?|minutes?|out of (?:five|5|ten|10))(?!\w)"
)
_CLAIMED = re.compile(rf"(?<![\w-])(?P<figure>{_RUN})(?=[\s-]+{_UNIT})", re.IGNORECASE)
_CUED = re.compile(rf"(?P<cue>(?<!\w){_CUE})(?P<figure>{_RUN})(?!\w)", re.IGNORECASE)
_ITEM = re.compile(rf"(?P<cue>(?<!\w){_NAMES_ITEM})(?P<figure>{_RUN})(?!\w)", re.IGNORECASE)
_ANY = re.compile(rf"(?<!\w)(?P<figure>{_RUN})(?!\w)", re.IGNORECASE)
_OUT_OF = re.compile(r"(?<=\d )out of (?:five|ten)\b", re.IGNORECASE)
_CENTS = re.compile(
    r"\b(?P<whole>\d+) (?P<unit>euros?|dollars?|pounds?) (?:and )?(?P<cents>\d{1,2})(?: cents?| pence)?\b"
)
_STARS = re.compile(r"[★⭐✭✮](?:\ufe0f?\s?[★⭐✭✮☆]\ufe0f?)+")


def in_digits(text: str) -> str:
    """Return text whose spelled-out prices, ratings, counts and measures stand in digits; other words stay.

    Example:
        >>> in_digits("It costs twenty-four euros, rated four point nine; one of two, ★★★★☆")
        'It costs 24 euros, rated 4.9; one of two, 4★'
    """
    text = _STARS.sub(lambda m: f"{sum(c in '★⭐✭✮' for c in m.group())}★", text)
    for pattern in (_CLAIMED, _CUED):
        text = pattern.sub(_written, text)
    text = _OUT_OF.sub(lambda m: "out of 5" if "five" in m.group().casefold() else "out of 10", text)
    return _CENTS.sub(lambda m: f"{m['whole']}.{int(m['cents']):02d} {m['unit']}", text)


def item_numbers(text: str) -> str:
    """Return text in which "item nine" is "item 9", and digits of any script are ours."""
    text = _ITEM.sub(_written, text)
    if text.isascii():
        return text
    return "".join(str(unicodedata.decimal(c)) if c.isdecimal() and not c.isascii() else c for c in text)


def all_in_digits(text: str) -> str:
    """Return text with every figure in digits, whatever it counts: what a record says, it says in any spelling."""
    return _ANY.sub(_written, text)


def _written(match: re.Match[str]) -> str:
    return match.group()[: match.start("figure") - match.start()] + _value(match["figure"])


def _value(figure: str) -> str:
    whole, _, fraction = re.sub(r"[\s-]+", " ", figure.casefold()).partition(" point ")
    total = part = 0
    for word in whole.split():
        if word == "thousand":
            total, part = total + max(part, 1) * 1000, 0
        elif word == "hundred":
            part = max(part, 1) * 100
        elif word != "and":
            part += _VALUES[word]
    digits = "".join(str(_VALUES[word]) for word in fraction.split())
    return f"{total + part}{'.' if digits else ''}{digits}"
