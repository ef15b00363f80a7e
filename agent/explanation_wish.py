"""What of an item answers the wish: values of its record, its price, words of its captions and texts.

A word counts where the shopper said it and the record says it; every place it stands in is evidence, since the item
would be found by any of them.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from agent.explanation_fragments import EMPTY, Fragment, around, field_fragment, listed
from agent.gate.grounds import Grounds, Record
from agent.gate.vocabulary import tokens
from agent.messages import clean
from agent.money import price_text
from agent.trace import ToolRun
from catalog.nouns import Evidence
from indexes.words import terms
from tools.titles import speaks_for_shop, without_links


def asked_words(grounds: Grounds, run: ToolRun | None) -> list[str]:
    """Return the words of the wish: what was searched for, as far as the shopper said it."""
    if run is None:
        return []
    filters = run.arguments.get("filters")
    wanted = {name: v for name, v in filters.items() if name != "not"} if isinstance(filters, Mapping) else {}
    text = f"{run.arguments.get('query') or ''} {_texts(wanted)}"
    # A word that the search passes over found nothing.
    return [w for w in dict.fromkeys(tokens(text)) if w not in EMPTY and terms(w) and f" {w} " in grounds.wishes]


def wished(record: Record, asked: Sequence[str], covered: set[str]) -> Iterator[Fragment]:
    """Yield the values of the record that were asked for; their words are then covered."""
    item = record.item
    values: list[str] = []
    evidence: list[Evidence] = []
    given = [(name, value) for name, found in item.attributes.items() for value in found]
    for name, value in [*given, *([("brand", item.brand)] if item.brand else [])]:
        words = tokens(value)
        if words and all(word in asked for word in words) and not covered.issuperset(words):
            covered.update(words)
            values.append(clean(value, 40) if name != "brand" else f"by {clean(value, 60)}")
            evidence.append(Evidence("field", name, value, f"{clean(name, 40)}: {clean(value, 60)}"))
    for category in reversed(item.categories):
        words = tokens(category)
        if words and all(word in asked for word in words) and not covered.issuperset(words):
            covered.update(words)
            evidence.append(Evidence("field", "category", category, f"category: {clean(category, 60)}"))
            break
    named = [each for each in asked if each in covered]
    also = (*_in_captions(record, named), *_in_texts(record, named))
    if values:
        yield Fragment(f"{listed(values[:3])}, as you asked", (*evidence, *also))
    elif evidence:
        told = f"one of the {clean(str(evidence[0].value), 60)} you asked for"
        yield Fragment(told, (*evidence, *also), plain=True)


def limited(grounds: Grounds, record: Record, run: ToolRun | None) -> Iterator[Fragment]:
    """Yield the price, where one was the limit."""
    item = record.item
    filters = run.arguments.get("filters") if run is not None else None
    bounds = filters.get("price") if isinstance(filters, Mapping) else None
    if item.price is None or not isinstance(bounds, Mapping):
        return
    price = price_text(item.price, item.currency) or ""
    highest = bounds.get("max")
    if isinstance(highest, int | float) and item.price <= highest:
        # "under 40" may have become a limit of 39.99.
        said = [n for n in grounds.wish_numbers if item.price <= n and abs(n - highest) < 0.02]
        text = f"{price}, within your limit of {price_text(said[0], item.currency)}" if said else price
        yield field_fragment(text, "price", item.price)


def seen(record: Record, asked: Sequence[str], covered: set[str]) -> Iterator[Fragment]:
    """Yield what a caption shows of the wish."""
    for caption in record.captions:
        words = [w for w in dict.fromkeys(tokens(caption.text)) if w in asked and w not in covered]
        if words:
            covered.update(words)
            clause = next(part for part in re.split(r"[,.;]", caption.text) if words[0] in tokens(part))
            shown = clean(without_links(clause), 80)
            if speaks_for_shop(clause):
                continue
            evidence = (*_in_captions(record, words), *_in_texts(record, words))
            yield Fragment(f"its picture shows {shown[:1].lower()}{shown[1:]}", evidence)
            return


def mentioned(record: Record, asked: Sequence[str], covered: set[str]) -> Iterator[Fragment]:
    """Yield what its title and its description say of the wish."""
    for name, text in _written(record):
        words = [w for w in dict.fromkeys(tokens(text)) if w in asked and w not in covered and len(w) > 2]
        if words:
            covered.update(words)
            yield Fragment(f"its {name} says {listed(words[:3])}", tuple(_in_texts(record, words)))


def _in_captions(record: Record, words: Collection[str]) -> Iterator[Evidence]:
    for caption in record.captions:
        found = [w for w in dict.fromkeys(tokens(caption.text)) if w in words]
        if found:
            yield Evidence("caption", "picture", found, clean(caption.text, 200))


def _in_texts(record: Record, words: Collection[str]) -> Iterator[Evidence]:
    for name, text in _written(record):
        found = [w for w in dict.fromkeys(tokens(text)) if w in words]
        if found:
            yield Evidence("field", name, found, around(found[0], text))


def _written(record: Record) -> Iterator[tuple[str, str]]:
    yield "title", record.item.title or ""
    yield "description", record.item.description or ""


def _texts(value: Any) -> str:
    if isinstance(value, Mapping):
        return " ".join(_texts(inner) for inner in value.values())
    if isinstance(value, list | tuple):
        return " ".join(_texts(inner) for inner in value)
    return value if isinstance(value, str) else ""
