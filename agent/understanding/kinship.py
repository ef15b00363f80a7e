"""Clauses that go on from an item: "what else did its director make?", "I've seen all of these, show me others"."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from agent.base import ShownItem
from agent.understanding.choice import Choice, pointed
from agent.understanding.gist import Gist
from agent.understanding.intent import Act, Details, IntentState, Recommend, Search
from agent.understanding.merging import merge
from agent.understanding.terms import Term, TermKind
from agent.understanding.title_phrases import fact_asked, fact_title
from agent.understanding.vocabulary import Vocabulary
from agent.understanding.wish import Facets, Wish
from agent.understanding.words import singular

_KNOWN = re.compile(
    r"\b(?:i|we)(?:'ve| have)? (?:already |just )?(?:seen|saw|watched|read|know|have|own|got|tried|played) "
    r"(?:all|both|most|each|every one|any)? ?(?:of )?(?:these|those|them)\b(?: all| already)*"
)
_FURTHER = re.compile(
    r"\b(?:else|others?|more|another|same|different|anything|something|films|movies|books|rest|also)\b"
)
_OF_ITS = re.compile(r"\b(?:its|the same|that same|same)\s+(?P<facet>[a-z]+)\b")
_OF_THEM = re.compile(
    r"\b(?:by|from|of|did|does|has|have|with) (?:him|her|them|he|she|they|hers|his|theirs|"
    r"(?:that|this|the) (?P<facet>director|author|artist|designer|writer|brand|maker|actor|actress))\b"
)
_MAKERS = ("director", "author", "artist", "designer", "writer", "brand")
_PLURAL = {"actress": "actor", "maker": "brand"}


def known(part: Gist, state: IntentState, vocabulary: Vocabulary) -> Choice | None:
    """Return the choice of a clause that knows all that was shown: the same wish without it. None when it is none."""
    if not state.last_list or part.mentions or not _KNOWN.search(part.text):
        return None
    wish = state.wish.model_copy(update={"count": part.count})
    act: Act = Search(wish=wish, more=True) if wish.narrow else Recommend(wish=wish, more=True)
    return Choice((act,), state.model_copy(update={"wish": wish, "focus": None}))


def fact(part: Gist, state: IntentState, vocabulary: Vocabulary) -> Choice | None:
    """Return the choice of a clause that asks a fact about a title ("who directed Heat?"), None when it does not."""
    title = fact_title(part.text, vocabulary)
    if title is None or part.pointed:
        return None
    act = Details(handles=(), title=title, about=fact_asked(part.text, vocabulary))
    return Choice((act,), state.model_copy(update={"focus": None}))


def kin(part: Gist, state: IntentState, vocabulary: Vocabulary) -> Choice | None:
    """Return the choice of a clause that wants what shares a facet with an item, None when it does not."""
    anchor = _anchor(part, state, vocabulary)
    facet = _facet(part.text, vocabulary)
    if anchor is None or facet is None or not _FURTHER.search(part.text):
        return None
    values = _values(anchor, facet)
    if not values:
        return None
    kept: tuple[str, ...] = ()
    if "same" in part.text and "else" not in part.text and not part.categories:
        kept = tuple(each for each in state.wish.wanted.categories if each in anchor.categories)
    base = Wish(wanted=Facets(categories=kept), not_items=(*state.wish.not_items, anchor.handle))
    wish = merge(base, replace(part, words=(), denied_words=(), unknown=(), titled=()), "refine", vocabulary)
    wish = wish.model_copy(update={"wanted": wish.wanted.put(Term(*facet, ()), values)})
    return Choice((Search(wish=wish),), state.model_copy(update={"wish": wish, "focus": None}))


def _anchor(part: Gist, state: IntentState, vocabulary: Vocabulary) -> ShownItem | None:
    handles: Sequence[str] = pointed(replace(part, references=part.pointed), state, vocabulary)
    candidates = [handle for handle in (*handles, state.focus, *state.last_list[:1]) if handle]
    return state.item(candidates[0]) if candidates else None


def _facet(text: str, vocabulary: Vocabulary) -> tuple[TermKind, str] | None:
    match = _OF_ITS.search(text) or _OF_THEM.search(text)
    if match is None:
        return None
    name = match["facet"]
    if name is not None:
        return vocabulary.facet_named(_PLURAL.get(singular(name), singular(name)))
    found = (vocabulary.facet_named(each) for each in _MAKERS)
    return next((facet for facet in found if facet is not None), None)


def _values(item: ShownItem, facet: tuple[TermKind, str]) -> tuple[str, ...]:
    kind, name = facet
    if kind == "category":
        return item.categories[-1:]
    if kind == "brand":
        return (item.brand,) if item.brand else ()
    return tuple(item.attributes.get(name, ())) if kind == "attribute" else ()
