"""From what a clause says to what it asks for."""

from __future__ import annotations

import re

from agent.understanding import asking
from agent.understanding.choice import Choice
from agent.understanding.discourse import TURNS
from agent.understanding.forms import compare, details, facts, feedback, history, more
from agent.understanding.gist import Gist
from agent.understanding.intent import Ask, IntentState, Recommend, Search
from agent.understanding.kinship import fact, kin, known
from agent.understanding.likeness import similar, still, variant
from agent.understanding.merging import Change, by_title, merge, nested
from agent.understanding.pointing import resolve_all
from agent.understanding.reactions import beyond, otherwise, why
from agent.understanding.relating import newest, relative
from agent.understanding.softly import refining
from agent.understanding.spelling import mashed
from agent.understanding.vocabulary import Vocabulary
from agent.understanding.wish import Facets, Wish

_PRESENT = re.compile(r"(?<!\bas )(?<!\bfor )(?<!\bis )(?<!'s )(?<!\bbe )\b(?:an?|some) (?:\w+ )?(?:gift|present)s?\b")
_GIFTS = re.compile(
    r"(?:(?:and|also|now|then|maybe|any|some|good|nice|other|\w+day|wedding|anniversary|christmas|housewarming) )*"
    r"(?:(?:gift|present)s?(?: ideas?| suggestions?)?|ideas) for\b|"
    r"(?:and |so )?what (?:else )?(?:can|could|should|do|shall|might) (?:i|we) (?:get|buy|give|bring)\b"
    r"(?! (?:it|this|that|these|those|them)\b)"
)
"""How a message begins that asks what would be a present, whatever was looked for before."""

_BARE = re.compile(r"(?:an?|some) (?!.*\bones?\b)")
_SOMETHING = re.compile(r"\b(?:something|anything)\b")
_CHAT = re.compile(
    r"(?:i'?m|i am|you(?:'re| are)|(?:this|that|it)(?:'s| is)|we(?:'re| are)|my)\b(?! (?:looking|after))"
)
MAX_BESIDE = 5
"""Wishes beside the current one that can be come back to."""

_ARTICLE = re.compile(r"\b(?:an?|another|some|new)\b")
_BEGINS = re.compile(r"(?:an?|another|some)\b")
_FOR = re.compile(r"\bfor (?:an?|the|my|our|his|her|their|someone|somebody)\b")
_INSTEAD = re.compile(r"\binstead\b(?! of)|\bactually\b")


FORMS = (
    known, fact, kin, otherwise, why, beyond, history, feedback, compare, facts, variant, details, similar, more,
)  # fmt: skip
"""From the most telling to the least."""


def choose(part: Gist, state: IntentState, vocabulary: Vocabulary, *, opened: bool = False) -> Choice:
    """Decide what a clause asks for.

    The forms are tried from the most telling to the least; what is none of them is a search.

    Args:
        part: The clause taken apart.
        state: The conversation so far.
        vocabulary: The catalogue's words.
        opened: Whether an earlier clause of the same message has been acted on.
    """
    part = refining(part, state.wish, vocabulary)
    for form in (
        known,
        fact,
        kin,
        otherwise,
        why,
        beyond,
        history,
        feedback,
        compare,
        facts,
        variant,
        details,
        similar,
        more,
    ):
        found = form(part, state, vocabulary)
        if found is not None:
            return found
    return _search(part, state, vocabulary, opened)


def _search(part: Gist, state: IntentState, vocabulary: Vocabulary, opened: bool) -> Choice:
    lost = part.unknown and set(part.words) == set(part.unknown) and not part.mentions and not part.price
    if lost and _CHAT.match(part.text) and not asking.NEED.search(part.text):
        # A remark on life or on us ("i'm bored"): no word of it is wanted, and the wish stays as it is.
        return Choice((Ask(about="unclear", choices=vocabulary.choices()),), state)
    change = _change(part, state, vocabulary, opened)
    if change == "fresh" and (beside := _beside(part, state)) is not None:
        rest = tuple(wish for wish in state.others if wish != beside)
        state = state.model_copy(update={"wish": beside, "others": (*rest, state.wish)[-MAX_BESIDE:]})
        change = "refine"
    if lost and change == "refine" and all(mashed(word) for word in part.unknown):
        return Choice((Ask(about="unclear", choices=vocabulary.choices()),), state)
    before = state.wish
    budget = state.budget or bool(part.price and part.price.budget)
    wish = merge(state.wish, part, change, vocabulary, keep_price=state.budget)
    anchors = [i for h in resolve_all(part.pointed, state, vocabulary) if (i := state.item(h)) is not None]
    focus = state.item(state.focus) if state.focus else None
    listed = anchors or ([focus] if focus and change != "fresh" else []) or list(state.listed())
    wish, fallback = relative(wish, part, listed if change != "fresh" else anchors, state.wish, vocabulary)
    if wish.sort == "newest" and not vocabulary.dated:
        wish = newest(wish, vocabulary) or wish
    state = state.model_copy(update={"wish": wish, "budget": budget, "focus": None})
    if not wish.narrow:
        explicit = asking.RECOMMEND.search(part.text) or part.count or part.sort or part.drops
        if explicit or state.asked:
            return Choice((Recommend(wish=wish),), state)
        if wish.recipient and (wish.occasion or opened):
            return Choice((Recommend(wish=wish),), state)
        known = asking.NEED.search(part.text) or part.recipient or part.occasion
        about = "wish" if known else "unclear"
        return Choice((Ask(about=about, choices=vocabulary.choices()),), state.model_copy(update={"asked": True}))
    wished = asking.NEED.search(part.text) or _BARE.match(part.text)
    if lost and change == "fresh" and not wished and len(part.unknown) > 1:
        unclear = Ask(about="unclear", choices=vocabulary.choices())
        return Choice((unclear,), state.model_copy(update={"wish": Wish(), "asked": state.asked}))
    if not wish.wanted.terms() and not wish.query() and (wish.recipient or wish.occasion):
        return Choice((Recommend(wish=wish),), state, replaces=change != "fresh")
    facets_only = not wish.wanted.words and not wish.wanted.sizes
    if asking.RECOMMEND.search(part.text) and facets_only and not part.sort and not part.words:
        return Choice((Recommend(wish=wish),), state, replaces=change != "fresh")
    if _only_refuses(wish) and not wish.like:
        return Choice((Recommend(wish=wish),), state, replaces=change != "fresh")
    resembling = still(wish) if change == "refine" and not wish.wanted.words and wish.sort == "relevance" else None
    if resembling is not None:
        return Choice((resembling,), state, replaces=True)
    seen = [item.price for item in listed if item.price is not None]
    stuck = part.relative == "cheaper" and bool(seen) and (wish.price_max or 0) >= min(seen)
    aside = _aside(before, wish) if change == "swap" else ()
    undated = not vocabulary.dated and (wish.sort == "newest" or (part.relative == "newer" and wish.years is None))
    others = part.relative in ("newer", "older") and bool(state.last_list)
    if others:
        state = state.model_copy(update={"cursor": None})
    act = Search(
        wish=by_title(wish, vocabulary), fallback=fallback, stuck=stuck, aside=aside, undated=undated, more=others
    )
    return Choice((act,), state, replaces=change != "fresh")


def _change(part: Gist, state: IntentState, vocabulary: Vocabulary, opened: bool) -> Change:
    """Say whether a clause starts afresh, refines the wish, or swaps its kind of thing."""
    wish = state.wish
    if not (wish.narrow or wish.recipient or wish.occasion):
        return "fresh"
    new = [m.term for m in part.categories]
    if (part.titled and not part.mentions) or (wish.titled and (new or part.words)):
        return "fresh"
    if not new and (_opens(part) or (not opened and _asks_for_gifts(part))):
        return "fresh"
    if not new and part.words and not opened and (_led_nowhere(wish) or (_wordy(wish) and _BARE.match(part.text))):
        return "fresh"
    if not new:
        anew = asking.ANEW.search(part.text)
        subject = part.words and anew and not part.relative and not part.references
        return "fresh" if subject and not opened and _names_a_thing(part, wish) else "refine"
    old = [t for t in wish.wanted.terms() if t.kind == "category"]
    if not old and not opened and _led_nowhere(wish):
        return "fresh"
    if not old:
        bounded = wish.wanted.terms() or wish.unwanted != Facets() or wish.price_min or wish.price_max
        return "fresh" if wish.wanted.words and not bounded and asking.ANEW.search(part.text) else "refine"
    if set(v for t in old for v in t.values) & set(v for t in new for v in t.values) or nested(old, new, vocabulary):
        return "refine"
    swap = asking.SWAP.search(part.text) or TURNS.search(part.text)
    if swap and (not opened or _INSTEAD.search(part.text)):
        return "swap"
    more = part.words or part.denied or part.price or any(m.term.kind != "category" for m in part.wanted)
    if opened and more and _BEGINS.match(part.text):
        return "fresh"  # "a comedy with Hanks and a thriller with Pacino" are two wishes, whatever is both
    overlap = vocabulary.rows(old) & vocabulary.rows(new)
    return "refine" if overlap and not asking.ANEW.search(part.text) else "fresh"


def _aside(before: Wish, after: Wish) -> tuple[str, ...]:
    """Return the values wanted before that a swap of kinds gave up, because nothing of the new kind has them."""
    lost = [term for term in before.wanted.terms() if term.kind != "category" and not after.wanted.values(term)]
    return tuple(value for term in lost for value in term.values)


def _beside(part: Gist, state: IntentState) -> Wish | None:
    """Return the wish beside the current one that a clause comes back to: of mug and teapot, "the mug"."""
    named = {value for mention in part.categories for value in mention.term.values}
    if not named or _ARTICLE.search(part.text):
        return None
    return next((wish for wish in reversed(state.others) if named & set(wish.wanted.categories)), None)


def _only_refuses(wish: Wish) -> bool:
    """Whether a wish says what it is not and nothing else ("not leather"): taste decides among the rest."""
    asked = wish.wanted.terms() or wish.query() or wish.years or wish.sort != "relevance"
    return not asked and wish.price_min is None and wish.price_max is None and wish.unwanted != Facets()


def _led_nowhere(wish: Wish) -> bool:
    """Whether a wish is for something nothing in the shop is called, and nothing else: another takes its place."""
    return bool(wish.wanted.words) and not wish.wanted.terms() and set(wish.wanted.words) <= set(wish.unknown)


def _wordy(wish: Wish) -> bool:
    """Whether a wish is free words and nothing else: behind "something rainy", "a silent film" is another wish."""
    bare = wish.wanted.model_copy(update={"words": ()}) == Facets() and wish.unwanted == Facets()
    return bool(wish.wanted.words) and bare and wish.price_min is None and wish.price_max is None


def _opens(part: Gist) -> bool:
    """Whether a clause opens a new wish without a kind of thing: "a gift for my mother", "something for a picnic"."""
    if part.relative or part.references or part.price:
        return False
    if _BARE.match(part.text) and part.unknown and not part.mentions:
        return True
    return bool(_PRESENT.search(part.text) or (_SOMETHING.search(part.text) and _FOR.search(part.text)))


def _asks_for_gifts(part: Gist) -> bool:
    """Whether a clause asks for presents of no kind: "gift ideas for dad", "what could I get my mother?"."""
    told = part.recipient or part.occasion
    return bool(told and _GIFTS.match(part.text)) and not (part.relative or part.references or part.price)


def _names_a_thing(part: Gist, wish: Wish) -> bool:
    """Whether the free words name a new subject rather than a quality of the old one."""
    return not part.price and len(part.words) <= 4 and not set(part.words) & set(wish.wanted.words)
