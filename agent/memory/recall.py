"""What a shopper told before, put into a wish of today; whatever today's wish says itself wins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from agent.base import ShownItem
from agent.understanding.intent import Act, IntentState, Recommend, Search, Understanding
from agent.understanding.merging import matches
from agent.understanding.profile_talk import EVERYTHING, waives
from agent.understanding.terms import Term
from agent.understanding.vocabulary import Vocabulary
from agent.understanding.wish import Limit, Wish
from agent.understanding.words import keys, singular
from catalog.nouns import Item
from catalog.told import Told


@dataclass(frozen=True)
class Recalled:
    """A message as understood, with what is known of the shopper.

    Attributes:
        understanding: Its searches and recommendations keep to `kept`; the state is untouched, so that what was told is
            never mistaken for a wish.
        kept: What changes which items fit.
        missed: Sizes in which nothing comes that fits the rest.
        liked: What goes first among the items that fit, and who told so.
        theirs: What does not count because the wish is for somebody else, and would keep something out.
    """

    understanding: Understanding
    kept: tuple[Told, ...] = ()
    missed: tuple[Told, ...] = ()
    liked: tuple[tuple[Told, Term], ...] = ()
    theirs: tuple[Told, ...] = ()

    def order(self, items: Sequence[ShownItem]) -> tuple[ShownItem, ...]:
        """Return items with those the shopper likes first; otherwise their order stands."""
        return tuple(sorted(items, key=lambda item: -sum(bears(item, term) for _, term in self.liked)))


def recalled(understanding: Understanding, told: Sequence[Told], vocabulary: Vocabulary) -> Recalled:
    """Return the message with what the shopper told before put into its searches and recommendations.

    A search whose wish is widened so falls back on the wish alone: what was told sets nothing aside that was asked.
    """
    acts: list[Act] = []
    kept: dict[str, Told] = {}
    missed: dict[str, Told] = {}
    liked: dict[str, tuple[Told, Term]] = {}
    theirs: dict[str, Told] = {}
    for act in understanding.acts:
        if not isinstance(act, Search | Recommend) or (act.more and not understanding.state.recalled):
            acts.append(act)
            continue
        wish, used, without = within(act.wish, told, understanding.state, vocabulary)
        kept |= {each.entry_id: each for each in used}
        missed |= {each.entry_id: each for each in without}
        liked |= {
            each.entry_id: (each, term) for each, term in likings(act.wish, told, understanding.state, vocabulary)
        }
        if act.wish.recipient is not None:
            own = act.wish.model_copy(update={"recipient": None})
            _, would, _ = within(own, told, understanding.state, vocabulary)
            theirs |= {each.entry_id: each for each in would if each not in used}
        changes: dict[str, object] = {"wish": wish}
        if used and isinstance(act, Search) and act.fallback is None:
            changes["fallback"] = act.wish
        acts.append(act.model_copy(update=changes))
    state = understanding.state.model_copy(update={"recalled": bool(kept)})
    changed = understanding.model_copy(update={"acts": tuple(acts), "state": state})
    return Recalled(
        changed, tuple(kept.values()), tuple(missed.values()), tuple(liked.values()), tuple(theirs.values())
    )


def waiving(understanding: Understanding, before: IntentState, message: str) -> Understanding:
    """Return the message with what it sets aside ("any colour", "ignore my budget"), until another kind of thing."""
    now = waives(message)
    kinds = understanding.state.wish.wanted.categories
    earlier = before.waived if kinds == before.wish.wanted.categories or not before.wish.wanted.categories else ()
    waived = tuple(dict.fromkeys((*earlier, *now)))
    return understanding.model_copy(update={"state": understanding.state.model_copy(update={"waived": waived})})


def bears(item: ShownItem | Item, term: Term) -> bool:
    """Whether an item has a value of a term."""
    given: Sequence[str] = item.attributes.get(term.name, ())
    if term.kind == "category":
        given = item.categories
    elif term.kind == "brand":
        given = (item.brand,) if item.brand else ()
    folded = {value.casefold() for value in given}
    return any(value.casefold() in folded for value in term.values)


def meant(told: Told, vocabulary: Vocabulary) -> Term | None:
    """Return what a taste stands for in today's catalogue, None when nothing does."""
    words = keys(told.value)
    found = vocabulary.term(words) or (vocabulary.related(singular(words[0])) if len(words) == 1 else None)
    name = told.facet.removeprefix("attribute.") if told.facet.startswith("attribute.") else ""
    if found is None or (found.kind, found.name) != ("attribute" if name else told.facet, name):
        return None
    return found


def within(
    wish: Wish, told: Sequence[Told], state: IntentState, vocabulary: Vocabulary
) -> tuple[Wish, tuple[Told, ...], tuple[Told, ...]]:
    """Return the wish with what was told; what of it keeps something out; sizes that none of the rest has."""
    if EVERYTHING in state.waived:
        return wish, (), ()
    used: list[Told] = []
    missed: list[Told] = []
    today = wish
    about: set[int] | None = None  # what today's wish takes: of a large catalogue its rows are looked for once
    for each in sorted(told, key=lambda t: ("budget", "dislike", "size", "like").index(t.kind)):
        changed = None
        if each.kind == "budget":
            changed = _budget(wish, each, state, vocabulary)
        elif today.recipient is None and each.kind == "dislike":
            term = meant(each, vocabulary)
            if term is not None and not _today(today, term, state):
                about = _rows(today, vocabulary) if about is None else about
                if about & vocabulary.rows([term]):
                    changed = wish.model_copy(update={"unwanted": wish.unwanted.plus(term)})
        elif today.recipient is None and each.kind == "size" and _comes_in(today, each, state, vocabulary):
            changed = _sized(wish, each, vocabulary)
            missed += [] if changed is not None else [each]
        if changed is not None:
            wish = changed
            used.append(each)
    return wish, tuple(used), tuple(missed)


def _rows(wish: Wish, vocabulary: Vocabulary) -> set[int]:
    found = matches(wish, vocabulary)
    return set(range(len(vocabulary.prices))) if found is None else found


def _budget(wish: Wish, told: Told, state: IntentState, vocabulary: Vocabulary) -> Wish | None:
    if "price" in state.waived or wish.limit is not None or (wish.price_min, wish.price_max) != (None, None):
        return None
    dear = any(vocabulary.prices[row] > told.amount for row in _rows(wish, vocabulary))
    return wish.priced(None, told.amount, Limit(high=told.amount)) if dear else None


def _comes_in(wish: Wish, told: Told, state: IntentState, vocabulary: Vocabulary) -> bool:
    """Whether the kind of thing that is wanted comes in several sizes, the shopper's among them."""
    facet = vocabulary.facets.get(("size", ""))
    if facet is None or "size" in state.waived or not wish.wanted.categories or wish.wanted.sizes:
        return False
    about = vocabulary.term(keys(told.about)) if told.about else None
    rows = vocabulary.rows([Term("category", "", wish.wanted.categories)])
    if about is not None and not rows & vocabulary.rows([about]):
        return False
    fitting = facet.rows.get(told.value, set()) & rows
    return bool(fitting) and any(row not in fitting for values in facet.rows.values() for row in values & rows)


def _sized(wish: Wish, told: Told, vocabulary: Vocabulary) -> Wish | None:
    """Return the wish in the shopper's size; None where nothing of the rest comes in it."""
    fitting = vocabulary.facets[("size", "")].rows.get(told.value, set()) & _rows(wish, vocabulary)
    if not fitting - vocabulary.rows(wish.unwanted.terms()):
        return None
    return wish.model_copy(update={"wanted": wish.wanted.model_copy(update={"sizes": (told.value,)})})


def likings(wish: Wish, told: Sequence[Told], state: IntentState, vocabulary: Vocabulary) -> list[tuple[Told, Term]]:
    """Return the likes that count beside a wish, and what each stands for in today's catalogue."""
    if wish.recipient is not None or wish.sort != "relevance" or EVERYTHING in state.waived:
        return []
    found = [(each, meant(each, vocabulary)) for each in told if each.kind == "like"]
    return [(each, term) for each, term in found if term is not None and not _today(wish, term, state)]


def _today(wish: Wish, term: Term, state: IntentState) -> bool:
    """Whether the wish itself says something of the facet, or set it aside: then today's word counts."""
    named = {singular(part) for part in (term.name or term.kind, *(value.casefold() for value in term.values))}
    said = (*wish.wanted.values(term), *wish.also.values(term), *wish.unwanted.values(term))
    return bool(said) or bool(named & set(state.waived))
