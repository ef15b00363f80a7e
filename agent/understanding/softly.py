"""Readings that are no more than likely, in the middle of a wish: they may add to it and never take its place.

"Alien" is a film; said of the science fiction asked for a moment ago, it is what that should be about.
"""

from __future__ import annotations

import re
from dataclasses import replace

from agent.understanding.gist import Gist
from agent.understanding.merging import matches
from agent.understanding.vocabulary import Vocabulary
from agent.understanding.wish import Wish
from agent.understanding.words import keys

_ALONE = re.compile(
    r"(?:(?:and|but|also|maybe|perhaps|rather|it should be|it has to be|with|about|of|an?|the|some)[ ,]+)*"
    r"(?P<what>.+?)(?:[ ,]+(?:please|too|as well|maybe|preferably))*[ .!?]*"
)


def refining(part: Gist, wish: Wish, vocabulary: Vocabulary) -> Gist:
    """Return a clause with its words as a quality of what was asked for before, where records of that have it as such.

    That goes for a title alone, which is then no title, and for an everyday word alone ("love"), which is then a word
    of the wish. A clause that asks for something ("do you have Alien?") is left as it is.
    """
    alone = _ALONE.fullmatch(part.text)
    if alone is None or part.mentions or part.references or part.price or part.years or not (part.titled or part.bare):
        return part
    what = alone["what"]
    if part.titled and part.titled != (what,):
        return part
    rows = matches(wish, vocabulary)
    if not rows or not vocabulary.valued(rows, keys(what)):
        return part
    return replace(part, words=(what,), titled=(), unknown=())
