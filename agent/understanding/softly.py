"""Readings that are no more than likely, in the middle of a wish: they may add to it and never take its place.

"Alien" is a film; said of the science fiction asked for a moment ago, it is what that should be about.
"""

from __future__ import annotations

import re

from agent.understanding.gist import Gist
from agent.understanding.merging import matches
from agent.understanding.vocabulary import Vocabulary
from agent.understanding.wish import Wish
from agent.understanding.words import keys

_ALONE = re.compile(
    r"(?:(?:and|but|also|maybe|perhaps|rather|it should be|it has to be|with|about)[ ,]+)*"
    r"(?P<what>.+?)(?:[ ,]+(?:please|too|as well|maybe|preferably))*[ .!?]*"
)
_ARTICLE = re.compile(r"^(?:an?|the|some) ")


def refining(part: Gist, wish: Wish, vocabulary: Vocabulary) -> Gist:
    """Return a clause with its words as a quality of what was asked for before, where records of that have it as such.

    So a title alone is no title, an everyday word alone ("love") counts, and no part of "anti war" or "sierra leone" is
    a genre or somebody's name. A clause that asks for something ("do you have Alien?") is left as it is, and so is one
    that names a value filters are made of.
    """
    what = quality(part, wish, vocabulary)
    if what is None or any(mention.text == what for mention in part.mentions):
        return part
    return Gist(text=part.text, words=(what,))


def quality(part: Gist, wish: Wish, vocabulary: Vocabulary) -> str | None:
    """Return what a clause names and nothing else, where a record that fits the wish so far has it as a value."""
    alone = _ALONE.fullmatch(part.text)
    if alone is None or part.price or part.years:
        return None
    for what in (alone["what"], _ARTICLE.sub("", alone["what"])):
        having = vocabulary.having(keys(what))
        if having and having & (matches(wish, vocabulary) or set()):
            return what
    return None
