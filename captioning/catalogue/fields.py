"""What the shop states of its items, as fields that a head can learn: categories by level, attributes by name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from captioning.catalogue.config import CatalogueConfig
from catalog.nouns import Item

CATEGORY = "category "
"""Fields of the category path are `category 1` (the broadest), `category 2` and so on."""
_SEVERAL = 0.05
"""Share of the items with several values from which an attribute is several yes-or-no questions."""

Stated = dict[str, tuple[str, ...]]
"""What is stated of one item, by field; a field it does not state is absent."""


@dataclass(frozen=True, slots=True)
class Field:
    """One thing to say of an item.

    Attributes:
        name: `category 2`, or the attribute's own name.
        values: Those that are learned, sorted.
        several: Whether an item may have more than one of them.
    """

    name: str
    values: tuple[str, ...]
    several: bool

    @property
    def level(self) -> int | None:
        """Level of the category path, 1 the broadest; None of an attribute."""
        return int(self.name.removeprefix(CATEGORY)) if self.name.startswith(CATEGORY) else None

    def told(self) -> dict[str, Any]:
        """Return it as JSON can say it."""
        return {"name": self.name, "values": list(self.values), "several": self.several}


def stated(item: Item) -> Stated:
    """Return what the shop states of an item."""
    found: Stated = {f"{CATEGORY}{level}": (name,) for level, name in enumerate(item.categories, 1)}
    # An attribute that is called like a level would be one; it is left out.
    return found | {
        name: tuple(dict.fromkeys(values))
        for name, values in item.attributes.items()
        if values and not name.startswith(CATEGORY)
    }


def fields_of(items: Sequence[Stated], config: CatalogueConfig) -> tuple[Field, ...]:
    """Return the fields that can be learned from `items`: two or more values with support, not too many, often stated.

    Categories come first, the broadest before the narrower; attributes follow by name.

    Args:
        items: What is stated of the items to learn from, and of no others.
        config: Bounds.
    """
    counts: dict[str, Counter[str]] = {}
    with_any: Counter[str] = Counter()
    with_several: Counter[str] = Counter()
    for item in items:
        for name, values in item.items():
            counts.setdefault(name, Counter()).update(values)
            with_any[name] += 1
            with_several[name] += len(values) > 1
    found = []
    for name, of in counts.items():
        values = tuple(sorted(value for value, count in of.items() if count >= config.support))
        enough = with_any[name] >= config.coverage * len(items)
        if enough and 2 <= len(values) <= config.most_values:
            found.append(Field(name, values, with_several[name] > _SEVERAL * with_any[name]))
    return tuple(sorted(found, key=lambda field: (field.level is None, field.level or 0, field.name)))


def targets(field: Field, items: Sequence[Stated]) -> npt.NDArray[np.float32]:
    """Return (n, values) 1 where an item has a value, 0 where it has not, NaN in the rows that teach nothing.

    Those are items that do not state the field, and, where an item has one value, those whose value is too rare.
    """
    at = {value: column for column, value in enumerate(field.values)}
    out = np.zeros((len(items), len(field.values)), np.float32)
    for row, item in enumerate(items):
        values = item.get(field.name, ())[: None if field.several else 1]
        known = [at[value] for value in values if value in at]
        out[row, known] = 1
        if not values or (not known and not field.several):
            out[row] = np.nan
    return out
