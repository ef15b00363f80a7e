"""Clauses about what was shown, what the catalogue holds, and the shopper's past; each form says None to the others."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Literal

from agent.understanding import asking
from agent.understanding.choice import Choice, describes, pointed
from agent.understanding.gist import Gist
from agent.understanding.intent import (
    QUALITY,
    Act,
    Compare,
    Details,
    Facts,
    Feedback,
    History,
    IntentState,
    Recommend,
    Search,
)
from agent.understanding.merging import merge
from agent.understanding.pointing import extreme, resolve_all
from agent.understanding.references import superlative
from agent.understanding.vocabulary import Vocabulary
from agent.understanding.wish import Wish
from agent.understanding.words import singular

_SAME = re.compile(
    r"\b(?:they|them|those|these)\b|"
    r"\bhow many (?:are there|are in stock|do you have|have you got)(?: in (?:total|all))?\W*$"
)
_WHETHER = re.compile(r"(?:and )?(?:is|are|does|do|has|have|can|will) (?:it|this|that|they|these|those|the)\b")
MAX_JUDGED = 2
"""Items one sentence may judge, each with the shopper's consent."""

Question = Literal["count", "cheapest", "dearest", "prices", "values", "carries"]


def history(part: Gist, state: IntentState, vocabulary: Vocabulary) -> Choice | None:
    """Return the choice of a clause about the shopper's own past, None when it is none."""
    if not asking.HISTORY.search(part.text):
        return None
    bought, last = asking.BOUGHT.search(part.text), asking.LAST.search(part.text)
    acts: tuple[Act, ...] = (History(bought=bool(bought), last=bool(last)),)
    if asking.LIKE_PAST.search(part.text):
        acts += (Recommend(wish=merge(state.wish, part, "fresh", vocabulary).model_copy(update={"count": None})),)
    return Choice(acts, state)


def feedback(part: Gist, state: IntentState, vocabulary: Vocabulary) -> Choice | None:
    """Return the choice of a clause that judges a shown item, None when it judges none."""
    text = part.text
    handles = pointed(part, state, vocabulary)
    if not handles or (part.relative == "cheaper" and "too" not in text):
        return None
    focused = state.model_copy(update={"focus": handles[0]})
    stars, dislike = asking.STARS.search(text), asking.DISLIKE.search(text)
    if stars:
        value = float(stars["stars"] or stars["only"])
        return Choice(tuple(Feedback(handle=h, signal="rating", value=value, text=text) for h in handles), focused)
    if asking.COMPLAINT.search(text):
        return Choice(tuple(Feedback(handle=h, signal="complaint", text=text) for h in handles), focused)
    if dislike:
        turned = tuple(dict.fromkeys((*state.wish.not_items, *handles)))
        wish = state.wish.model_copy(update={"not_items": turned})
        # Of a whole list only the search learns: nobody wants to confirm each of ten items.
        told = handles if len(handles) <= MAX_JUDGED else ()
        acts: list[Act] = [Feedback(handle=h, signal="dismiss", text=text) for h in told]
        if wish.narrow or not acts:
            acts.append(Search(wish=wish) if wish.narrow else Recommend(wish=wish))
        return Choice(tuple(acts), state.model_copy(update={"wish": wish, "focus": None}))
    question = "?" in text or part.mentions or asking.COMPARE.search(text) or asking.SIMILAR.search(_unloved(text))
    if asking.PRAISE.search(text) and not question and not asking.DETAILS.match(text):
        return Choice(tuple(Feedback(handle=h, signal="praise", text=text) for h in handles), focused)
    return None


def compare(part: Gist, state: IntentState, vocabulary: Vocabulary) -> Choice | None:
    """Return the choice of a clause that sets shown items against each other, None when it does not."""
    by = superlative(part.text)
    among = asking.AMONG.search(part.text) or (by and any(r.shape == "described" for r in part.references))
    if not state.last_list or not (asking.COMPARE.search(part.text) or among):
        return None
    named = [r for r in part.references if r.shape in ("item", "described") and superlative(r.words) is None]
    handles = resolve_all(named, state, vocabulary)
    if len(handles) < 2 and (among or not named):
        handles = state.last_list
    if len(handles) == 1 and state.focus and state.focus not in handles:
        handles = (state.focus, *handles)
    if len(handles) < 2 and not among:
        return None
    said = [m.text for m in part.wanted]
    query = "" if by else " ".join(dict.fromkeys((*said, *part.words, *filter(None, (part.recipient, part.occasion)))))
    best = extreme([i for i in state.listed() if i.handle in handles], by) if by else None
    focus = best.handle if best else state.focus
    return Choice((Compare(handles=handles, by=by, query=query),), state.model_copy(update={"focus": focus}))


def facts(part: Gist, state: IntentState, vocabulary: Vocabulary) -> Choice | None:
    """Return the choice of a clause that asks about the whole catalogue, None when it does not."""
    text = part.text
    about_list = bool(part.references) and bool(state.last_list)
    wish = merge(state.wish, replace(part, count=None, sort=None, relative=None), "fresh", vocabulary)
    wish = wish.model_copy(update={"recipient": None, "occasion": None})
    if not part.categories and state.wish.wanted.categories and _SAME.search(text):
        wish = state.wish
    facet = asking.VALUES.search(text)
    named = vocabulary.facet_named(singular(facet["facet"])) if facet else None
    if asking.COUNT.search(text):
        return _fact("count", wish, state)
    if asking.SELL.search(text):
        return _fact("values", Wish(), state, "category")
    if named is not None and not (about_list and not part.categories and not asking.HAVE.search(text)):
        kind, name = named
        return _fact("values", wish, state, name or kind)
    if about_list and not part.categories:
        return None
    if asking.DEAREST.search(text) and not (part.references and state.last_list):
        return _fact("dearest", wish, state)
    if asking.CHEAPEST.search(text) or (part.sort == "price_asc" and "cheapest" in text and asking.HAVE.search(text)):
        return _fact("cheapest", wish, state)
    if asking.PRICES.search(text) and (part.categories or wish.narrow):
        return _fact("prices", wish, state)
    only_brand = part.wanted and all(m.term.kind == "brand" for m in part.wanted)
    strange = part.unknown and not part.mentions and not part.recipient and len(part.words) <= 2
    if asking.CARRIES.search(text) and not part.price and (only_brand or strange):
        fresh = merge(state.wish, part, "fresh", vocabulary)
        return Choice((Facts(question="carries", wish=fresh),), state.model_copy(update={"wish": fresh}))
    return None


def details(part: Gist, state: IntentState, vocabulary: Vocabulary) -> Choice | None:
    """Return the choice of a clause that asks about shown items, None when it does not."""
    text = part.text
    handles = pointed(part, state, vocabulary)
    if not handles or part.relative or asking.SIMILAR.search(text.replace("look like", "")):
        return None
    about = next((name for name, pattern in asking.ABOUT if pattern.search(text)), None)
    about = about or next((m.term.name or m.term.kind for m in part.wanted if not describes(part)), None)
    if about is None and part.words and _WHETHER.match(text):
        about = f"{QUALITY}{' '.join(part.words)}"
    named = part.pointed
    leftover = part.words or part.wanted or part.denied or part.price
    if asking.DETAILS.search(text) or (named and (about or not leftover)) or (named and not part.categories and leftover
                                                                         and describes(part)):  # fmt: skip
        return Choice((Details(handles=handles, about=about),), state.model_copy(update={"focus": handles[0]}))
    return None


def more(part: Gist, state: IntentState, vocabulary: Vocabulary) -> Choice | None:
    """Return the choice of a clause that wants others than those shown, None when it does not."""
    if not asking.MORE.search(part.text) or not state.last_list or part.mentions or part.price or part.relative:
        return None
    if part.words and not set(part.words) <= {"different", "keep", "page", "seen", "results"}:
        return None
    wish = state.wish.model_copy(update={"count": part.count})
    act: Act = Search(wish=wish, more=True) if wish.narrow else Recommend(wish=wish, more=True)
    return Choice((act,), state.model_copy(update={"wish": wish}))


def _fact(question: Question, wish: Wish, state: IntentState, group_by: str | None = None) -> Choice:
    after = state.model_copy(update={"wish": wish}) if wish.wanted.categories else state
    return Choice((Facts(question=question, wish=wish, group_by=group_by),), after)


def _unloved(text: str) -> str:
    """Return `text` without "i like", which praises rather than compares."""
    return re.sub(r"\bi (?:really |just )?like\b", " ", text)
