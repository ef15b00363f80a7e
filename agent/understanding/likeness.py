"""Clauses that want things like an item: "more like the second", "like this but blue", "films like Alien"."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Literal

from agent.base import ShownItem
from agent.understanding import asking
from agent.understanding.choice import Choice, describes, pointed
from agent.understanding.gist import Gist
from agent.understanding.intent import Details, IntentState, Search, Similar
from agent.understanding.merging import merge
from agent.understanding.pointing import holds
from agent.understanding.relating import relative
from agent.understanding.terms import Term, TermKind
from agent.understanding.titles import Titled, blanked
from agent.understanding.vocabulary import Vocabulary
from agent.understanding.wish import Facets, Wish
from agent.understanding.words import keys, singular

Aspect = Literal["look", "words", "both"]
_ALIKE = re.compile(
    r"\b(?:similar|alike|comparable|"
    r"(?:more|something|anything|films|movies|things|one|ones) like (?:that|those|it|them)|"
    r"(?:more )?of the same|in the same vein|along (?:those|these|the same) lines)\b"
)
_VARIANT = re.compile(
    r"\b(?:do|does|is|are|can|could|have|has|got|what about|how about)\b.*\b(?:in|with|as) (?:an? |the )?[a-z]|"
    r"^(?:and |but |or )?the (?:first|second|third|fourth|fifth|last)(?: one)?,? in [a-z]|"
    r"^(?:and |but )?(?:the same|that one|this one|that|this|it|them|those)(?: one| thing)?,? (?:but )?in [a-z]"
)
_SEVERAL = re.compile(r"\b(?:them|they|those|these|any|some|all)\b")
_OTHER_VALUE = re.compile(r"\b(?:in )?(?:another|other|different|a different) (?P<facet>[a-z]+)\b")


def similar(part: Gist, state: IntentState, vocabulary: Vocabulary) -> Choice | None:
    """Return the choice of a clause that wants things like an item, None when it does not."""
    text = part.text
    liked = tuple(each for each in part.titles if not each.seen)
    if not liked and _ALIKE.search(blanked(text, list(part.titles))):
        liked = part.titles  # "we have seen Alien, something similar?"
    if liked and not part.pointed:
        loved = asking.LOVED.search(text[: liked[0].start]) is not None
        return _like_titles(liked, part, state, vocabulary, loved=loved)
    match = asking.SIMILAR.search(text)
    other = _OTHER_VALUE.search(text)
    other_facet = vocabulary.facet_named(singular(other["facet"])) if other else None
    if match is None and other_facet is None:
        return None
    handles = pointed(part, state, vocabulary, after=match.end() if match else 0) or (
        pointed(part, state, vocabulary) if match is None or match.group().startswith("same") else ()
    )
    aspect = _aspect(text)
    if not handles and match is None and other_facet is not None:
        changed = _different(other_facet, part, state, vocabulary)
        if changed is not None or state.focus is None:
            return changed
        handles = (state.focus,)
    if not handles:
        return None
    return _like(handles[0], part, state, vocabulary, aspect=aspect, other=other_facet)


def variant(part: Gist, state: IntentState, vocabulary: Vocabulary) -> Choice | None:
    """Return the choice of a clause that asks for what was shown with another value, None when it does not.

    "Does the second come in green?" is answered from its record where that says green, and by what is like it and green
    where it does not; "do you have them in green?" looks for the same wish in green.
    """
    asked = [m for m in part.wanted if m.term.kind in ("attribute", "size")]
    if not asked or describes(part) or part.categories or part.words or not state.last_list:
        return None
    if not _VARIANT.search(part.text):
        return None
    if _SEVERAL.search(part.text):
        wish = merge(state.wish, part, "refine", vocabulary)
        return Choice((Search(wish=wish),), state.model_copy(update={"wish": wish, "focus": None}))
    handles = pointed(part, state, vocabulary)
    anchor = state.item(handles[0]) if handles else None
    if anchor is None:
        return None
    if all(holds(anchor, mention.term) for mention in asked):
        about = asked[0].term.name or asked[0].term.kind
        return Choice((Details(handles=handles[:1], about=about),), state.model_copy(update={"focus": handles[0]}))
    return _like(handles[0], part, state, vocabulary, lacks=tuple(mention.text for mention in asked))


def _like(
    handle: str,
    part: Gist,
    state: IntentState,
    vocabulary: Vocabulary,
    *,
    aspect: Aspect = "both",
    other: tuple[TermKind, str] | None = None,
    lacks: tuple[str, ...] = (),
) -> Choice:
    """Look for what resembles a shown item, with what the clause says besides.

    Args:
        handle: The item.
        part: The clause.
        state: The conversation so far.
        vocabulary: The catalogue's words.
        aspect: In what it resembles.
        other: A facet in which it must differ from the item.
        lacks: What was asked of the item itself and its record does not say.
    """
    anchor = state.item(handle)
    kinds = tuple(c for c in state.wish.wanted.categories if anchor is not None and c in anchor.categories)
    if anchor is not None and not kinds and part.wanted and not vocabulary.flat:
        kinds = anchor.categories[-1:]  # "more like that in grey" wants another planter, not a grey teapot
    base = Wish(
        wanted=Facets(categories=kinds if not part.categories else ()), unwanted=state.wish.unwanted,
        not_items=state.wish.not_items, available=state.wish.available, recipient=state.wish.recipient,
    ).priced(*_bounds(anchor, state.wish), state.wish.limit)  # fmt: skip
    wish = merge(base, part, "refine", vocabulary)
    if other and anchor is not None and other[0] == "attribute":
        name = other[1]
        unwanted = {**wish.unwanted.attributes, name: anchor.attributes.get(name, ())}
        wish = wish.model_copy(update={"unwanted": wish.unwanted.model_copy(update={"attributes": unwanted})})
    wish, fallback = relative(wish, part, [anchor] if anchor else [], None, vocabulary)
    searched = fallback or wish
    return Choice(
        (Similar(handle=handle, wish=wish, aspect=aspect, lacks=lacks),),
        state.model_copy(update={"focus": handle, "wish": _about(anchor, searched)}),
    )


def _like_titles(
    liked: tuple[Titled, ...], part: Gist, state: IntentState, vocabulary: Vocabulary, *, loved: bool
) -> Choice:
    """Look for what resembles one title or several.

    "A comedy like Alien" narrows. What was asked for before holds on when a title is only praised ("I loved Alien");
    a request for things like it is a subject of its own.
    """
    named = tuple(dict.fromkeys(each.title for each in liked))
    anchor = next((item for item in state.shown if keys(item.title) == keys(named[0])), None)
    base = Wish(not_titles=state.wish.not_titles)
    if loved:
        kept = {"said": (), "unknown": (), "strangers": (), "sort": "relevance", "count": None}
        base = state.wish.model_copy(update={**kept, "wanted": state.wish.wanted.model_copy(update={"words": ()})})
    elif anchor is not None or state.budget:
        base = base.priced(*_bounds(anchor, state.wish), state.wish.limit)
    quiet = replace(part, words=(), denied_words=(), unknown=(), strangers=())
    wish = merge(base, quiet, "refine", vocabulary).model_copy(update={"like": named})
    aspect = _aspect(blanked(part.text, list(part.titles)))
    act = Similar(title=named[0], others=named[1:], wish=wish, aspect=aspect, held=_held(named, wish, part, vocabulary))
    return Choice((act,), state.model_copy(update={"wish": wish, "focus": None}))


def still(wish: Wish) -> Similar | None:
    """Return the look for what resembles the titles a wish has named, now that it says more; None where it has none."""
    return Similar(title=wish.like[0], others=wish.like[1:], wish=wish) if wish.like else None


def _held(named: tuple[str, ...], wish: Wish, part: Gist, vocabulary: Vocabulary) -> tuple[str, ...]:
    """Return the kinds wanted before that none of the titles is: the shopper is told that they hold on."""
    now = {value for mention in part.wanted for value in mention.term.values}
    rows = frozenset[int]().union(*(vocabulary.title_rows(keys(title)) for title in named))
    return tuple(
        value
        for value in wish.wanted.categories
        if value not in now and rows and not rows & vocabulary.rows([Term("category", "", (value,))])
    )


def _different(facet: tuple[TermKind, str], part: Gist, state: IntentState, vocabulary: Vocabulary) -> Choice | None:
    """Search for the same wish with another value of a facet it names; None where it names none."""
    term = Term(*facet, ())
    values = state.wish.wanted.values(term)
    if not values:
        return None
    cleared = merge(state.wish, replace(part, drops=(facet[1] or facet[0],)), "refine", vocabulary)
    unwanted = cleared.unwanted.plus(Term(*facet, values))
    wish = cleared.model_copy(update={"unwanted": unwanted})
    return Choice((Search(wish=wish),), state.model_copy(update={"wish": wish}), replaces=True)


def _bounds(anchor: ShownItem | None, wish: Wish) -> tuple[float | None, float | None]:
    """Return the price bounds that still make sense around the item pointed at.

    Outside bounds that came from comparing ("cheaper"), the limit that was stated still holds; outside that one the
    shopper has gone beyond it, and the answer says so.
    """
    stated = wish.limit.bounds if wish.limit is not None else (None, None)
    price = anchor.price if anchor is not None else None
    active = (wish.price_min, wish.price_max)
    for low, high in (active if active != (None, None) else stated, stated):
        if price is None or ((low is None or price >= low) and (high is None or price <= high)):
            return low, high
    return None, None


def _about(anchor: ShownItem | None, wish: Wish) -> Wish:
    """Return the wish a "more like this" leaves behind: the anchor's own kind of thing."""
    if anchor is None or wish.wanted.categories or not anchor.categories:
        return wish
    return wish.model_copy(update={"wanted": wish.wanted.model_copy(update={"categories": anchor.categories[-1:]})})


def _aspect(text: str) -> Aspect:
    if asking.LOOK.search(text):
        return "look"
    return "words" if asking.STORY.search(text) else "both"
