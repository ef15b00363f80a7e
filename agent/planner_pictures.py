"""What the planner makes of a picture beside a message: what it searches for looks like it. No LlamaIndex here."""

from __future__ import annotations

import re
from collections.abc import Sequence

from agent.planner_calls import Call, asked, made
from agent.understanding.intent import Act, Ask, OffTopic, Recommend, Search, Similar, SmallTalk
from agent.understanding.wish import Wish

TOOL = "search_by_picture"
FIRST = "1"
"""The picture that is looked at, as the tool counts them."""

_SHOWN = r"(?:picture|photo(?:graph)?|image|pic|snapshot|screenshot)s?"
_POINTING = re.compile(
    rf"\b(?:(?:similar|close|identical)(?: looking)? to|(?:that |which )?(?:looks?|looking) like|resembl(?:es?|ing)|"
    rf"(?:something|anything|things?) like|as (?:in|on))?\s*(?:in |on |from )?"
    rf"\b(?:this|that|these|those|the|my|attached|the attached)\s+(?:attached\s+)?{_SHOWN}\b|"
    r"\bsimilar(?: looking)?\b|\b(?:looks?|looking) like\b",
    re.IGNORECASE,
)


def unpointed(message: str) -> str:
    """Return a message without the words that only point at the picture beside it.

    Example:
        >>> unpointed("a mug similar to this picture, under 20")
        'a mug , under 20'
    """
    return " ".join(_POINTING.sub(" ", message).split())


def pictured(acts: Sequence[Act]) -> tuple[Act, ...]:
    """Return the acts of a message that came with a picture.

    What looks for items, and what says nothing of any, becomes one search that the picture leads; questions about
    items and about the shopper's past stay as they are.
    """
    found = [
        Search(wish=getattr(act, "wish", Wish())) if isinstance(act, Recommend | Similar | Ask | SmallTalk | OffTopic)
        else act
        for act in acts
    ]  # fmt: skip
    searches = [act for act in found if isinstance(act, Search)]
    return tuple(act for act in found if not isinstance(act, Search) or act is searches[0])


def by_picture(wish: Wish, top_n: int) -> Call:
    """Return the search for what looks like the picture, within a wish."""
    sort = None if wish.sort == "relevance" else wish.sort
    query = wish.query() or None
    return made(TOOL, picture=FIRST, query=query, filters=wish.filters(), sort=sort, top_n=asked(wish, top_n))
