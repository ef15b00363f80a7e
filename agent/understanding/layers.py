"""Whether a catalogue's categories run from wide to narrow or stand side by side."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

from catalog.nouns import Item

SAMPLE = 500
"""Items that are looked at to know how a catalogue uses its fields."""

LAYERED = 0.7
"""Share of items whose narrowest category lies in the same wider one as most of its items, from which categories are
layers ("Bags, Handbags"). Below it they are marks side by side ("Comedy, Drama"). Measured: 0.95 against 0.42."""


def side_by_side(items: Sequence[Item]) -> bool:
    """Whether categories are marks side by side, of which one thing has several; where none has two they are not."""
    above: dict[str, Counter[str]] = defaultdict(Counter)
    for item in items[:SAMPLE]:
        if len(item.categories) > 1:
            above[item.categories[-1]][item.categories[-2]] += 1
    held = sum(counts.most_common(1)[0][1] for counts in above.values())
    return held < LAYERED * sum(counts.total() for counts in above.values())
