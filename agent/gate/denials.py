"""What is carried is not denied: "we have no blue vases" stands only where the catalogue holds none."""

from __future__ import annotations

import re
from collections.abc import Iterator

from agent.gate.grounds import Grounds
from agent.gate.numbers import Fault
from agent.gate.references import MARK
from agent.gate.vocabulary import phrase, tokens, word_set
from tools.titles import DENIAL

_LIMITED = re.compile(
    r"\d|\b(?:under|below|above|over|cheaper|dearer|more|less|other|others|else|except|but|without|exactly|both|also|"
    r"available|in stock|left|these|those|this|not (?!carried|sold|stocked|in)\w+ (?:and|or))\b",
    re.IGNORECASE,
)
_GONE = re.compile(
    r"\b(?:we|i)(?:['’]re| are|['’]m| am| ran| have run)(?: all)? out of\b(?! (?:stock|your|range|reach|time|ideas))"
    r"|\b(?:stopped|quit|gave up) (?:selling|carrying|stocking|offering)\b"
    r"|\b(?:no longer|never|don['’]t) (?:sell|carry|stock|offer)\b|\bnot something (?:we|i) (?:have|carry|"
    r"sell|stock|offer)\b"
    r"|\bnothing\b(?=.*\bexists?\b)|\b(?:do|does)(?:n['’]t| not) exist\b",
    re.IGNORECASE,
)
"""More ways to deny that the shop has something."""
_SOFT = re.compile(
    r"\bthere (?:is|are|was|were)(?:n['’]t| not)? (?:no|any)\b|\b(?:i|we) (?:found|find|see|saw|get|"
    r"got) (?:no|none|nothing)\b"
    r"|\b(?:could|can|did|do)(?:n['’]t| ?not) (?:find|see|locate|spot)(?: any(?:thing)?| a single)?\b"
    r"|^\W*(?:(?:sorry|unfortunately|alas|oh)\W+)?(?:we have )?"
    r"no(?=\s+(?!(?:problem|worries|doubt|need|rush|hurry)\b)\w)|^\W*(?:none|nothing)(?=\W*$)",
    re.IGNORECASE,
)
"""Denials that may tell how a search ended: true where one came back with nothing that fits."""
_WHERE = re.compile(r"\b(?:in|at|from) (?:the|this|our) (?:shop|store|catalogue|catalog|range)\b", re.IGNORECASE)
_EMPTY = word_set(
    "we i the shop store catalogue catalog range our this that it is are a an any anything no none nothing "
    "not single "
    "of in at for with to you your like such thing item product kind sort piece one sorry unfortunately afraid "
    "currently really just simply here right now moment made have has carry sell stock offer keep got do doe don't "
    "doesn't can't cannot haven't hasn't there isn't aren't carried sold stocked carrie selling color colour "
    "from by found find see saw get got could any exist exists out ran longer something "
    "stopped anymore still today yet back"
)


def denial_faults(text: str, grounds: Grounds) -> Iterator[Fault]:
    """Yield denials of what the shop carries.

    A denial is judged where every word that says what is denied is one of the catalogue's own, or where it says
    nothing of its own ("nothing like that") and a tool found what was asked for. Denials with limits or exceptions
    ("nothing under 20", "none but this") are other checks' business.
    """
    match = DENIAL.search(text) or _GONE.search(text) or (None if grounds.missed else _SOFT.search(text))
    if match is None or MARK.search(text) or _LIMITED.search(rest := _rest(text, match)):
        return
    said = [word for word in tokens(rest) if word not in _EMPTY]
    carried = grounds.fits if not said else _carried(said, grounds)
    if carried:
        yield Fault(*match.span(), f"what {text.strip()!r} denies is carried")


def _rest(text: str, match: re.Match[str]) -> str:
    """Return what a denial is about: the sentence without the denial itself and without where it was looked."""
    return _WHERE.sub(" ", f"{text[: match.start()]} {text[match.end() :]}")


def _carried(said: list[str], grounds: Grounds) -> bool:
    """Whether some item has every one of the words in the fields a shop fills in on purpose."""
    wanted = [phrase(word) for word in said]
    return any(all(word in names for word in wanted) for names in grounds.words.names)
