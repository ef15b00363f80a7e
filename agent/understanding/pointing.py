"""From references to handles of shown items."""

from __future__ import annotations

from collections.abc import Iterable

from agent.base import ShownItem
from agent.understanding.intent import IntentState
from agent.understanding.mentions import mentions
from agent.understanding.references import Reference, superlative
from agent.understanding.terms import Term
from agent.understanding.vocabulary import Vocabulary
from agent.understanding.wish import Sort
from agent.understanding.words import keys, split


def resolve(reference: Reference, state: IntentState, vocabulary: Vocabulary) -> tuple[str, ...]:
    """Return the handles a reference means, () when it means nothing shown.

    A number counts within the last list first, then as a handle of the conversation: "#2" is what the shopper sees
    second. A pronoun means the item talked about, else the first of the list.
    """
    if reference.handle is not None:
        if reference.handle in state.last_list:
            return (reference.handle,)
        at = _counted(reference.positions, state)
        return at or ((reference.handle,) if state.item(reference.handle) else ())
    if reference.shape == "pronoun":
        focus = state.focus if state.focus and state.item(state.focus) else None
        return (focus,) if focus else state.last_list[:1]
    if reference.by in ("price_asc", "price_desc"):
        sign = 1 if reference.by == "price_asc" else -1
        priced = [
            (sign * item.price, n, item.handle) for n, item in enumerate(state.listed()) if item.price is not None
        ]
        return _at(reference.positions, tuple(handle for _, _, handle in sorted(priced)))
    if reference.shape == "described":
        return described(reference.words, state, vocabulary)
    return _counted(reference.positions, state)


def resolve_all(references: Iterable[Reference], state: IntentState, vocabulary: Vocabulary) -> tuple[str, ...]:
    """Return the distinct handles several references mean, in their order."""
    found = (handle for reference in references for handle in resolve(reference, state, vocabulary))
    return tuple(dict.fromkeys(found))


def described(words: str, state: IntentState, vocabulary: Vocabulary) -> tuple[str, ...]:
    """Return the shown item "the red one" or "the cheapest one" means, () when none or several fit equally badly."""
    items = state.listed()
    by = superlative(words)
    if by is not None:
        best = extreme(items, by)
        return (best.handle,) if best else ()
    named = mentions(words, split(words), vocabulary)
    fitting = [item for item in items if named and all(_has(item, m.term.facet, m.term.values) for m in named)]
    if not fitting:
        wanted = set(keys(words))
        fitting = [item for item in items if wanted and wanted <= set(keys(item.title))]
    return tuple(item.handle for item in fitting[:1])


def extreme(items: Iterable[ShownItem], by: Sort) -> ShownItem | None:
    """Return the cheapest or dearest of shown items, None where the records shown cannot tell."""
    priced = [item for item in items if item.price is not None]
    if by not in ("price_asc", "price_desc") or not priced:
        return None
    sign = 1 if by == "price_asc" else -1
    return min(priced, key=lambda item: sign * (item.price or 0.0))


def _counted(positions: tuple[int, ...], state: IntentState) -> tuple[str, ...]:
    """Count within the last list, or, where that has too few, within the last list of several."""
    return _at(positions, state.last_list) or _at(positions, state.earlier_list)


def _at(positions: tuple[int, ...], handles: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(handles[p] for p in positions if -len(handles) <= p < len(handles))


def holds(item: ShownItem, term: Term) -> bool:
    """Whether the record of a shown item has a value of a term."""
    return _has(item, term.facet, term.values)


def _has(item: ShownItem, facet: tuple[str, str], values: tuple[str, ...]) -> bool:
    kind, name = facet
    given: tuple[str, ...] = item.attributes.get(name, ())
    if kind == "category":
        given = item.categories
    elif kind == "brand":
        given = (item.brand,) if item.brand else ()
    folded = {value.casefold() for value in given}
    return any(value.casefold() in folded for value in values)
