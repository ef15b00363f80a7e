"""What tells an item from its neighbours in the list: its kinds, who made it, what it is made of, what it costs.

None of it is named as a cause; it is what the record says besides.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

from agent.explanation_fragments import Fragment, field_fragment, listed
from agent.figures import figure
from agent.gate.grounds import Record
from agent.gate.vocabulary import kind_of, tokens
from agent.messages import clean
from agent.money import price_text
from agent.trace import ToolRun
from agent.understanding.layers import SAMPLE, side_by_side
from catalog.items import Catalog
from catalog.nouns import Item
from tools.titles import called

COMMONPLACE = 0.25
"""Share of the items from which a value is no news: most films are in English."""

_ROLES = {
    "director": "directed by {}", "author": "by {}", "artist": "by {}", "writer": "written by {}", "actor": "with {}",
    "cast": "with {}", "starring": "with {}", "designer": "designed by {}",
}  # fmt: skip
"""How a sentence puts whoever an attribute of this name holds."""

_NAMED = 2


def telling(value: str) -> bool:
    """Whether a value of an attribute is words: no number, no code, no yes or no."""
    return any(c.isalpha() for c in value) and not any(c.isdigit() for c in value) and value.casefold() not in _NO_WORDS


_NO_WORDS = frozenset({"true", "false", "yes", "no", "none", "unknown", "n/a", "other"})


@dataclass(frozen=True)
class Usage:
    """How a catalogue uses its fields, seen on its first items.

    Attributes:
        flat: Whether categories are marks side by side ("Comedy, Drama") rather than layers of which the last says all.
        commonplace: Attributes and values that so many items have that sharing one says nothing.
    """

    flat: bool
    commonplace: frozenset[tuple[str, str]]


_KNOWN: WeakKeyDictionary[Catalog, Usage] = WeakKeyDictionary()
"""What is known of the catalogues that are open: to look through one again would be a fifth of a page's time."""


def usage_of(catalog: Catalog) -> Usage:
    """Return how a catalogue, which never changes, uses its fields; looked for once."""
    found = _KNOWN.get(catalog)
    if found is None:
        found = _KNOWN[catalog] = usage(catalog.items)
    return found


def usage(items: Sequence[Item]) -> Usage:
    """Return how a catalogue uses its fields."""
    sample = items[:SAMPLE]
    values = Counter((name, value) for item in sample for name, given in item.attributes.items() for value in given)
    shared = (each for each, number in values.items() if number > max(COMMONPLACE * len(sample), 10))
    return Usage(side_by_side(items), frozenset(shared))


def asked_kinds(run: ToolRun | None) -> tuple[str, ...]:
    """Return the categories a call was filtered by."""
    filters = run.arguments.get("filters") if run is not None else None
    found: Any = filters.get("category") if isinstance(filters, Mapping) else None
    return tuple(map(str, found)) if isinstance(found, list | tuple) else ()


def kinds(record: Record, asked: Iterable[str]) -> Iterator[Fragment]:
    """Yield what kinds of thing an item is where it is of several side by side, those asked for first."""
    folded = [name.casefold() for name in asked]
    own = sorted(record.item.categories, key=lambda name: name.casefold() not in folded)
    if own:
        yield field_fragment(listed([clean(name, 40) for name in own[:3]]), "category", own[0])


def further(record: Record, said: str, *, flat: bool) -> Iterator[Fragment]:
    """Yield what else the record says of an item than what was `said`, what tells most first; its title last."""
    item, known = record.item, said.casefold()
    if item.rating is not None:
        people = "shopper" if item.rating_count == 1 else "shoppers"
        count = f" by {item.rating_count} {people}" if item.rating_count else ""
        yield field_fragment(f"rated {figure(item.rating)}{count}", "rating", item.rating)
    for kind in ("material", "color", "pattern"):
        for name, values in item.attributes.items():
            if kind_of(name) == kind and (fresh := [clean(v, 40) for v in values if v.casefold() not in known]):
                yield field_fragment(" and ".join(fresh), name, list(values))
    yield from _people(item, known)
    price = price_text(item.price, item.currency)
    if price and price not in said:
        yield field_fragment(price, "price", item.price)
    if item.brand:
        yield field_fragment(f"by {clean(item.brand, 60)}", "brand", item.brand)
    if item.categories and not flat:
        yield field_fragment(clean(item.categories[-1], 60), "category", item.categories[-1])
    yield from _others(item, known)
    if item.title:
        yield field_fragment(called(item), "title", item.title)


def _people(item: Item, known: str) -> Iterator[Fragment]:
    """Yield who made it and who is in it, as one clause each."""
    for name, values in item.attributes.items():
        form = _ROLES.get(tokens(name.replace("_", " "))[-1] if tokens(name) else "")
        named = [clean(v, 40) for v in values if v.casefold() not in known][:_NAMED]
        if form is not None and named:
            yield field_fragment(form.format(listed(named)), name, named[0])


def _others(item: Item, known: str) -> Iterator[Fragment]:
    """Yield the attributes that are words and were not said yet; codes and yes or no tell a shopper nothing."""
    for name, values in item.attributes.items():
        told = [clean(v, 40) for v in values if telling(v) and v.casefold() not in known][:_NAMED]
        form = _ROLES.get(tokens(name.replace("_", " "))[-1] if tokens(name) else "")
        if told and form is None and kind_of(name) is None:
            yield field_fragment(listed(told), name, told[0])
