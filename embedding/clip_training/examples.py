"""What the model learns from: which items have a picture and a text, in which words, and what they are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from catalog.errors import DataError
from catalog.nouns import Item
from embedding.clip_training.config import ClipTrainingConfig
from embedding.clip_training.rows import Ints
from embedding.item_text import PARTS, Part, fit, item_parts
from embedding.tokens import TokenCounter

LEAST = 8
"""Fewest items that anything can be learned from and measured on."""
MOST_LABELS = 300
"""A field with more values than this names items; it does not sort them."""


@dataclass(frozen=True, slots=True)
class Examples:
    """Items with a picture and a text, in the catalogue's order.

    Attributes:
        item_ids: n of them.
        parents: `parent_id` of each, or its own id; what belongs together is never divided.
        categories: The narrowest category of each, "" where it has none.
        pictures: References of each item's pictures.
        texts: Every distinct text.
        said: (n, 1 + parts) rows in `texts`: the whole text first, then each part alone; -1 where there is none.
        labels: (n, fields) what each item is by the shop's own word; -1 where it does not say.
        classes: How many values each field has.
    """

    item_ids: tuple[str, ...]
    parents: tuple[str, ...]
    categories: tuple[str, ...]
    pictures: tuple[tuple[str, ...], ...]
    texts: tuple[str, ...]
    said: Ints
    labels: Ints
    classes: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.item_ids)

    def groups(self) -> Ints:
        """Return (n,) one number a parent, in the order parents first appear."""
        seen: dict[str, int] = {}
        return np.array([seen.setdefault(parent, len(seen)) for parent in self.parents], np.int64)


def examples_of(items: Iterable[Item], config: ClipTrainingConfig, counter: TokenCounter | None) -> Examples:
    """Return what can be learned from; items without a picture or a text are left out.

    Args:
        items: Of the catalogue.
        config: Which parts make the text, and how many pictures of an item count.
        counter: Counts the tokens of the text tower; None: 300 characters are its budget.

    Raises:
        DataError: When fewer than `LEAST` items are left.
    """
    kept: list[tuple[Item, str, dict[Part, str]]] = []
    seen = 0
    for item in items:
        seen += 1
        parts = item_parts(item, parts=config.parts)
        if parts and item.images:
            kept.append((item, fit(parts, budget_chars=300, counter=counter).text, parts))
    if len(kept) < LEAST:
        raise DataError(
            f"{len(kept)} of the catalogue's {seen} items have a picture and a text; {LEAST} or more would be valid"
        )
    numbers: dict[str, int] = {}
    said = np.full((len(kept), 1 + len(PARTS)), -1, np.int64)
    for at, (_, whole, parts) in enumerate(kept):
        said[at, 0] = numbers.setdefault(whole, len(numbers))
        for column, part in enumerate(PARTS, 1):
            if part in parts:
                said[at, column] = numbers.setdefault(parts[part], len(numbers))
    labels, classes = _labels([item for item, _, _ in kept])
    return Examples(
        item_ids=tuple(item.item_id for item, _, _ in kept),
        parents=tuple(item.parent_id or item.item_id for item, _, _ in kept),
        categories=tuple(item.categories[-1] if item.categories else "" for item, _, _ in kept),
        pictures=tuple(tuple(dict.fromkeys(item.images))[: config.images_per_item] for item, _, _ in kept),
        texts=tuple(numbers),
        said=said[:, (said >= 0).any(0)],
        labels=labels,
        classes=classes,
    )


def _labels(items: list[Item]) -> tuple[Ints, tuple[int, ...]]:
    """Return what the shop states as classes: each level of the categories, and each attribute's first value."""
    fields: dict[str, list[str | None]] = {}
    for at, item in enumerate(items):
        stated = {f"category {level}": name for level, name in enumerate(item.categories)}
        stated |= {f"attribute {name}": values[0] for name, values in item.attributes.items() if values}
        for field, value in stated.items():
            fields.setdefault(field, [None] * len(items))[at] = value
    columns, classes = [], []
    for values in fields.values():
        counts = Counter(value for value in values if value is not None)
        common = sorted(value for value, count in counts.items() if count >= 2)
        if 2 <= len(common) <= MOST_LABELS:
            numbers = {value: number for number, value in enumerate(common)}
            columns.append([-1 if value is None else numbers.get(value, -1) for value in values])
            classes.append(len(common))
    labels = np.array(columns, np.int64).T.reshape(len(items), len(columns))
    return labels, tuple(classes)
