"""What of the shopper's own past, or of the items they pointed at, an item rests on.

Likeness alone proves nothing of the past: an event is named only where the pipeline found that the item would stand
lower without it (`tools.because`).
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from agent.explanation_fragments import DID, Fragment, listed
from agent.explanation_more import Usage
from agent.gate.grounds import Grounds, Record
from agent.gate.vocabulary import kind_of, tokens
from agent.messages import clean
from agent.signals import Held, Signals
from catalog.nouns import Evidence, Item
from tools.taste import HISTORICAL
from tools.titles import called

CLOSE = 0.4
"""Likeness (cosine) from which an item counts as close to one of its narrowest category. Across categories nothing is
called close: pictures of a shoe and of a notebook may well be alike."""
VERY_CLOSE = 0.75
"""The same where the records name no category."""


def like_example(
    grounds: Grounds, record: Record, signals: Signals, covered: set[str], use: Usage
) -> Iterator[Fragment]:
    """Yield the item the shopper pointed at that it is closest to."""
    if signals.example is None or signals.example[1] in DID or signals.example[0] not in grounds.catalog:
        return
    item_id, _, likeness = signals.example
    title = _called(grounds.catalog[item_id])
    if title and item_id != record.item.item_id:
        near = Evidence("signal", "likeness", round(likeness, 3), f"likeness to {title}: {likeness:.2f}")
        yield Fragment(f"like {title}{_both(record, grounds.record(item_id), covered, use)}", (near,))


def held_by(grounds: Grounds, record: Record, signals: Signals, covered: set[str], use: Usage) -> Iterator[Fragment]:
    """Yield the shopper's own events without which it would stand lower, what lowers it most first."""
    for held in signals.held:
        if held.item_id not in grounds.catalog or held.item_id == record.item.item_id or held.why not in DID:
            continue
        other = grounds.record(held.item_id)
        title = _called(other.item)
        if title:
            day = f" on {held.when[:10]}" if held.when else ""
            done = f"you chose {title} before" if held.why == HISTORICAL else f"you {DID[held.why]} {title}"
            event = Evidence("event", held.why, held.item_id, f"{done}{day}; {_without(held)}")
            yield Fragment(_clause(record, other, held, title, done, covered, use), (event,), theme=held.item_id)


def _called(item: Item) -> str:
    return called(item) if item.title else ""


def _clause(record: Record, other: Record, held: Held, title: str, done: str, covered: set[str], use: Usage) -> str:
    did = DID[held.why]
    if held.likeness >= _near(record, other):
        return f"close to {title}, which you {did}{_both(record, other, covered, use)}"
    if record.item.brand and record.item.brand == other.item.brand:
        return f"by {clean(record.item.brand, 60)}, like {title}, which you {did}"
    return f"chosen because {done}"


def _without(held: Held) -> str:
    return f"without it, place {held.place}" if held.place is not None else "without it, not on this page"


def _both(record: Record, other: Record, covered: set[str], use: Usage) -> str:
    """Return what two records share that not every other record has: "both blue", "Keanu Reeves in both"."""
    shared = [
        (name, value)
        for name, values in record.item.attributes.items()
        for value in values
        if value in other.item.attributes.get(name, ()) and not covered.issuperset(tokens(value))
    ]
    looks = [clean(value, 40) for name, value in shared if kind_of(name) is not None]
    if looks:
        return f": both {listed(looks[:2])}"
    told = [clean(value, 40) for name, value in shared if (name, value) not in use.commonplace]
    return f": {listed(told[:2])} in both" if told else ""


def _near(record: Record, other: Record) -> float:
    """Return how like two items must be to be called close."""
    mine, theirs = record.item.categories[-1:], other.item.categories[-1:]
    if not mine or not theirs:
        return VERY_CLOSE
    return CLOSE if mine == theirs else math.inf
