"""Clauses that answer a list: "none of these", "something completely different", "why this one?", "the ninth"."""

from __future__ import annotations

import re

from agent.understanding import asking
from agent.understanding.choice import Choice, pointed
from agent.understanding.gist import Gist
from agent.understanding.intent import Act, Ask, Explain, IntentState, Recommend, Search
from agent.understanding.pointing import resolve
from agent.understanding.vocabulary import Vocabulary
from agent.understanding.wish import Facets

_NONE = re.compile(
    r"\b(?:none|not any) of (?:these|those|them|the above)\b(?!.*\b(?:is|are|has|have|come|comes|under|over)\b)"
)
_ELSE = re.compile(
    r"\b(?:(?:something|anything|things?|stuff) (?:(?:completely|totally|entirely|very|quite|wholly) )+different|"
    r"(?:something|anything) else (?:completely|entirely|altogether))\b"
)
_SAID = frozenset({"completely", "totally", "entirely", "wholly", "altogether", "above"})
_WHY = re.compile(
    r"^(?:(?:and|but|so|ok(?:ay)?),? )*(?:(?:(?:can|could) you )?(?:explain|tell me) )?why\b(?! not\b)|^how come\b"
)
_COMPARED = re.compile(r"\b(?:like|than|compare|as|to|with|of)\s+(?:the\s+)?$|^(?:and |so )?(?:the )?$")
_SHOWING = frozenset({"picked", "chosen", "chose", "suggested", "recommended", "shown", "showed", "showing", "listed"})
MAX_EXPLAINED = 2
"""Items whose place one answer explains."""


def otherwise(part: Gist, state: IntentState, vocabulary: Vocabulary) -> Choice | None:
    """Return the choice of a clause that turns a whole list down, None when it does not.

    "None of these" goes on looking for the same; "something completely different" leaves the kind of thing and keeps
    the limit, what is refused, and whom it is for.
    """
    other = _ELSE.search(part.text) is not None
    if not state.last_list or part.wanted or part.price or part.relative or not (other or _NONE.search(part.text)):
        return None
    if not set((*part.words, *part.denied_words)) <= _SAID:
        return None
    turned = tuple(dict.fromkeys((*state.wish.not_items, *state.last_list)))
    wish = state.wish.model_copy(update={"count": part.count, "not_items": turned})
    if not other:
        act: Act = Search(wish=wish) if wish.narrow else Recommend(wish=wish)
        return Choice((act,), state.model_copy(update={"wish": wish, "focus": None}))
    left = wish.wanted.categories
    bare = {"wanted": Facets(), "also": Facets(), "said": (), "unknown": (), "strangers": (), "sort": "relevance"}
    wish = wish.model_copy(update=bare)
    kinds = tuple(dict.fromkeys((*wish.unwanted.categories, *left)))
    elsewhere = wish.model_copy(update={"unwanted": wish.unwanted.model_copy(update={"categories": kinds})})
    after = state.model_copy(update={"wish": wish, "focus": None, "cursor": None})
    return Choice((Recommend(wish=elsewhere, more=True),), after)


def why(part: Gist, state: IntentState, vocabulary: Vocabulary) -> Choice | None:
    """Return the choice of a clause that asks why something is shown, None when it does not."""
    if not state.last_list or not _WHY.search(part.text) or part.price or asking.COMPARE.search(part.text):
        return None
    if not set(part.words) <= _SHOWING:
        return None
    handles = pointed(part, state, vocabulary) or ((state.focus,) if state.focus else ())
    # "This" after "more like the second" is what has come, not what it was to be like.
    handles = tuple(each for each in handles if each not in state.like) or state.last_list[:1]
    act = Explain(handles=handles[:MAX_EXPLAINED], wish=state.wish, like=state.like or state.wish.like)
    return Choice((act,), state.model_copy(update={"focus": handles[0]}))


def beyond(part: Gist, state: IntentState, vocabulary: Vocabulary) -> Choice | None:
    """Return the question back to a clause that points further down than any list went, None when it does not."""
    if not state.last_list or part.words:
        return None
    placed = [r for r in part.references if r.shape == "item" and r.positions]
    if part.wanted or part.denied or part.price:
        # "For her tenth birthday, in blue" points at nothing; "like the tenth but blue" does.
        placed = [r for r in placed if r.handle or _COMPARED.search(part.text[: r.start])]
    if all(resolve(reference, state, vocabulary) for reference in placed):
        return None
    return Choice((Ask(about="which"),), state)
