"""What the shoppers of a catalogue can ask for: values that say one thing only, and how common they are."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable

from catalog.nouns import Item
from eval.agent.tasks import Wish

LONGEST = 3
"""Words of a value that people still say as they stand."""

_SAYABLE = re.compile(r"[^\W\d_]{3,}(?:[ -][^\W\d_]+)*")


class Facets:
    """The askable values of a catalogue.

    A value is askable when it is one to `LONGEST` plain words, stands in one field only (a "glass" that is a
    material and a brand would be ambiguous), and an item in stock has it.

    Args:
        items: Every item of the catalogue.
    """

    def __init__(self, items: Iterable[Item]) -> None:
        self.items = tuple(items)
        self.stocked = tuple(item for item in self.items if item.availability is not False)
        slots: dict[str, set[tuple[str, str]]] = defaultdict(set)
        for item in self.items:
            for wish in _values(item):
                slots[wish.value.lower()].add(wish.slot)
        self._alone = {value for value, found in slots.items() if len(found) == 1 and _sayable(value)}
        self.counts = Counter(wish for item in self.stocked for wish in set(self.of(item)))
        self.prices = sorted({item.price for item in self.items if item.price is not None})

    def of(self, item: Item) -> tuple[Wish, ...]:
        """Return the askable values of one item: its narrowest askable category, then brand and attributes."""
        said = [wish for wish in _values(item) if wish.value.lower() in self._alone]
        kinds = [wish for wish in said if wish.field == "category"]
        return (*kinds[-1:], *(wish for wish in said if wish.field != "category"))

    def others(self, wish: Wish) -> tuple[Wish, ...]:
        """Return the other values of the same field, the most common first."""
        ranked = sorted(self.counts.items(), key=lambda pair: (-pair[1], pair[0].value))
        return tuple(each for each, _ in ranked if each.slot == wish.slot and each != wish)

    def below(self, price: float) -> Wish | None:
        """Return "under so much": a round sum above `price` that no record is priced at; None where there is none."""
        step = next(step for step in (1, 5, 10, 50, 100, 500, 1000, 10**9) if price / step < 20)
        for times in (1, 2, 3):
            ceiling = float((int(price // step) + times) * step)
            if ceiling > price and ceiling not in self.prices:
                return Wish(field="price", high=ceiling)
        return None


def _values(item: Item) -> list[Wish]:
    said = [Wish(field="category", value=value) for value in item.categories]
    if item.brand:
        said.append(Wish(field="brand", value=item.brand))
    for name, values in sorted(item.attributes.items()):
        said += [Wish(field="attribute", name=name, value=value) for value in values]
    return said


def _sayable(value: str) -> bool:
    return _SAYABLE.fullmatch(value) is not None and len(re.split(r"[ -]", value)) <= LONGEST
