"""What is asked in the measure, and items without what was named of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from agent.gate.vocabulary import tokens
from catalog.filters import Filters
from catalog.nouns import Caption, Item
from eval.explain.claims import Claim
from indexes.words import terms
from tools.shop import Shop

Rng = np.random.Generator

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
SHARE = 0.2
"""Share of the items a word of a wish may stand in at most: what nearly all have says nothing of one."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A wish: its words, and what must hold."""

    query: str
    filters: Filters = Filters()  # noqa: RUF009  # frozen


def wishes(shop: Shop, n: int, rng: Rng) -> Iterator[Asked]:
    """Yield wishes that some item answers: its kind, one or two words of one of its texts, at times a limit in money.

    Words are drawn from the fields in turn (caption, description, title, attributes), so that each can be evidence.
    """
    items = [item for item in shop.catalog if item.availability is not False]
    common: dict[str, int] = {}
    for item in items:
        for word in set(tokens(" ".join(_fields(shop, item).values()))):
            common[word] = common.get(word, 0) + 1
    often = SHARE * len(items)
    for number, at in enumerate(rng.choice(len(items), min(n, len(items)), replace=False).tolist()):
        item = items[at]
        fields = {
            name: [w for w in dict.fromkeys(tokens(text)) if len(w) > 3 and w.isalpha() and common[w] <= often]
            for name, text in _fields(shop, item).items()
        }
        filled = [name for name, found in fields.items() if found]
        if not filled:
            continue
        found = fields[filled[number % len(filled)]]
        said = [str(word) for word in rng.choice(found, min(2, len(found)), replace=False)]
        kind = [item.categories[-1].lower()] if item.categories else []
        if item.price is not None and number % 3 == 2:
            limit = float(np.ceil(item.price * 1.2))
            yield Asked(
                f"{' '.join([*said, *kind])} under {limit:g}", Filters.model_validate({"price": {"max": limit}})
            )
        else:
            yield Asked(" ".join([*said, *kind]))


def _fields(shop: Shop, item: Item) -> dict[str, str]:
    return {
        "caption": " ".join(caption.text for caption in shop.captions.get(item.item_id, ())),
        "description": item.description or "",
        "title": item.title or "",
        "attributes": " ".join(value for values in item.attributes.values() for value in values),
    }


def without(
    item: Item, captions: tuple[Caption, ...], claim: Claim, words: Sequence[str]
) -> tuple[Item, tuple[Caption, ...]]:
    """Return an item and its captions with some words blank in the fields that a claim names.

    Values of other fields go when they hold one of the words; a price is no longer known.
    """
    if claim.kind == "price":
        return replace(item, price=None), captions
    fields = claim.fields

    def kept(name: str, values: Sequence[str]) -> tuple[str, ...]:
        return tuple(v for v in values if name not in fields or not set(tokens(v)) & set(words))

    attributes = {name: kept(name, values) for name, values in item.attributes.items()}
    changed = replace(
        item,
        title=blanked(item.title or "", words) if "title" in fields else item.title,
        description=blanked(item.description or "", words) if "description" in fields else item.description,
        attributes={name: values for name, values in attributes.items() if values},
        brand=next(iter(kept("brand", [item.brand] if item.brand else [])), None),
        categories=kept("category", item.categories),
    )
    if "caption" not in fields:
        return changed, captions
    return changed, tuple(replace(caption, text=blanked(caption.text, words)) for caption in captions)


def blanked(text: str, words: Sequence[str]) -> str:
    """Return `text` without some words, in whatever form they stand there.

    Example:
        >>> blanked("Two blue vases, hand-made", ["vase"])
        'Two blue , hand-made'
    """
    gone = set(tokens(" ".join(words))) | set(terms(" ".join(words)))
    kept = _WORD.sub(lambda m: "" if gone & {*tokens(m.group()), *terms(m.group())} else m.group(), text)
    return re.sub(r" {2,}", " ", kept)


def texts_of(item: Item, captions: Sequence[Caption], claim: Claim) -> Iterator[str]:
    """Yield the texts of the fields that a claim names."""
    given = {
        "title": item.title,
        "description": item.description,
        "caption": " ".join(caption.text for caption in captions),
        "brand": item.brand,
        "category": " ".join(item.categories),
        **{name: " ".join(values) for name, values in item.attributes.items()},
    }
    yield from (text for name, text in given.items() if text and name in claim.fields)
