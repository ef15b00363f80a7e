"""What a shopper told, as it counts for a list that no conversation asked for: what is kept out, what goes first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from agent.memory import speaking
from agent.memory.recall import bears, likings, within
from agent.understanding.intent import IntentState
from agent.understanding.terms import Term
from agent.understanding.vocabulary import Vocabulary
from agent.understanding.wish import Facets, Limit, Wish
from catalog.filters import Filters
from catalog.ids import Rows, no_rows
from catalog.nouns import Item
from catalog.told import Told


@dataclass(frozen=True)
class Heeded:
    """What was told and counts beside some filters.

    Attributes:
        kept: What keeps items out.
        liked: What goes first, and what it stands for.
        barred: Rows of the catalogue that `kept` keeps out, (n,) ascending.
    """

    kept: tuple[Told, ...] = ()
    liked: tuple[tuple[Told, Term], ...] = ()
    barred: Rows = field(default_factory=no_rows)

    def likings(self, item: Item) -> int:
        """Return how many of the likes an item bears."""
        return sum(bears(item, term) for _, term in self.liked)

    def account(self, *, set_aside: bool, first: Item | None) -> dict[str, list[str]]:
        """Return the ids of the entries that counted, as the trace of a chat holds them (`kept`, `liked`, `set_aside`).

        Args:
            set_aside: Whether `kept` left nothing, so that the list was made without it.
            first: The item at the head of the list: a like that it does not bear put nothing first.
        """
        liked = [told.entry_id for told in self._at_head(first)]
        kept = [told.entry_id for told in self.kept]
        given = {"set_aside" if set_aside else "kept": kept, "liked": liked}
        return {name: ids for name, ids in given.items() if ids}

    def sentence(self, session_id: str | None, *, set_aside: bool, first: Item | None) -> str:
        """Return what is said of it, "" for nothing; see `account`."""
        if set_aside:
            return speaking.set_aside(self.kept)
        return speaking.kept_to(self.kept, self._at_head(first), session_id or "")

    def _at_head(self, first: Item | None) -> list[Told]:
        return [told for told, term in self.liked if first is not None and bears(first, term)]


NOTHING = Heeded()
"""Of somebody who told nothing."""


def heeded(filters: Filters, told: Sequence[Told], vocabulary: Vocabulary) -> Heeded:
    """Return what was told and counts for a list under `filters`, as for a chat's recommendation of the same wish.

    What the filters say of a facet themselves wins, as today's word does in a chat.
    """
    wish, state = _wish(filters, vocabulary), IntentState()
    kept_to, kept, _ = within(wish, told, state, vocabulary)
    liked = tuple(likings(wish, told, state, vocabulary))
    return Heeded(kept, liked, _barred(wish, kept_to, vocabulary) if kept else NOTHING.barred)


def _barred(wish: Wish, kept_to: Wish, vocabulary: Vocabulary) -> Rows:
    """Return the rows that the wish with what was told does not take, and the wish alone does not speak of."""
    new = [
        Term(each.kind, each.name, tuple(v for v in each.values if v not in wish.unwanted.values(each)))
        for each in kept_to.unwanted.terms()
    ]
    out = np.zeros(len(vocabulary.prices), np.bool_)
    out[sorted(vocabulary.rows(new))] = True
    if kept_to.price_max != wish.price_max and kept_to.price_max is not None:
        # As a price filter does: what has no price is not known to keep to a budget.
        out |= ~(vocabulary.prices <= kept_to.price_max)
    if kept_to.wanted.sizes:
        sized = vocabulary.facets[("size", "")].rows
        fitting = set().union(*(sized.get(size, set()) for size in kept_to.wanted.sizes))
        # What says nothing of sizes does no harm.
        out[sorted(set().union(*sized.values()) - fitting)] = True
    return np.flatnonzero(out)


def _wish(filters: Filters, vocabulary: Vocabulary) -> Wish:
    """Return filters as the wish that they are."""
    price = filters.price
    low, high = (price.min, price.max) if price is not None else (None, None)
    limit = Limit(low=low, high=high) if (low, high) != (None, None) else None
    wish = Wish(wanted=_facets(filters, vocabulary), available=filters.available).priced(low, high, limit)
    return wish if filters.not_ is None else wish.model_copy(update={"unwanted": _facets(filters.not_, vocabulary)})


def _facets(filters: Filters, vocabulary: Vocabulary) -> Facets:
    """Return the facets of filters by the names and in the spelling of the catalogue's records."""
    found = Facets()
    names = {name.casefold(): name for kind, name in vocabulary.facets if kind == "attribute"}
    # A facet that no item has says nothing that the memory could speak of.
    given = [Term("category", "", filters.category), Term("brand", "", filters.brand)]
    given += [Term("attribute", names.get(n.casefold(), n), values) for n, values in filters.attributes.items()]
    for term in given:
        facet = vocabulary.facets.get(term.facet)
        if facet is not None and term.values:
            wanted = {value.casefold() for value in term.values}
            spelt = tuple(value for value in facet.rows if value.casefold() in wanted)
            found = found.put(term, spelt or term.values)
    return found
