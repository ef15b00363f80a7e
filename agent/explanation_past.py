"""What of the shopper's own past, or of the items they pointed at, an item rests on.

Likeness alone proves nothing of the past: an event is named only where the pipeline found that the item would stand
lower without it (`tools.because`).
"""

from __future__ import annotations

from collections.abc import Iterator

from agent.explanation_fragments import DID, Fragment, listed
from agent.gate.grounds import Grounds, Record
from agent.gate.vocabulary import tokens
from agent.messages import clean
from agent.signals import Held, Signals
from catalog.nouns import Evidence, Item
from tools.titles import called

CLOSE = 0.4
"""Likeness (cosine) from which an item counts as close to one of its category the shopper knows."""
VERY_CLOSE = 0.75
"""The same across categories."""


def like_example(grounds: Grounds, record: Record, signals: Signals, covered: set[str]) -> Iterator[Fragment]:
    """Yield the item the shopper pointed at that it is closest to."""
    if signals.example is None or signals.example[1] in DID or signals.example[0] not in grounds.catalog:
        return
    item_id, _, likeness = signals.example
    title = _called(grounds.catalog[item_id])
    if title and item_id != record.item.item_id:
        near = Evidence("signal", "likeness", round(likeness, 3), f"likeness to {title}: {likeness:.2f}")
        yield Fragment(f"like {title}{_both(record, grounds.record(item_id), covered)}", (near,))


def held_by(grounds: Grounds, record: Record, signals: Signals, covered: set[str]) -> Iterator[Fragment]:
    """Yield the shopper's own events without which it would stand lower, what lowers it most first."""
    for held in signals.held:
        if held.item_id not in grounds.catalog or held.item_id == record.item.item_id or held.why not in DID:
            continue
        other = grounds.record(held.item_id)
        title, did = _called(other.item), DID[held.why]
        if title:
            day = f" on {held.when[:10]}" if held.when else ""
            event = Evidence("event", held.why, held.item_id, f"you {did} {title}{day}; {_without(held)}")
            yield Fragment(_clause(record, other, held, title, did, covered), (event,), theme=held.item_id)


def _called(item: Item) -> str:
    return called(item) if item.title else ""


def _clause(record: Record, other: Record, held: Held, title: str, did: str, covered: set[str]) -> str:
    near = CLOSE if _same_kind(record, other) else VERY_CLOSE
    if held.likeness >= near:
        return f"close to {title}, which you {did}{_both(record, other, covered)}"
    if record.item.brand and record.item.brand == other.item.brand:
        return f"by {clean(record.item.brand, 60)}, like {title}, which you {did}"
    return f"chosen because you {did} {title}"


def _without(held: Held) -> str:
    return f"without it, place {held.place}" if held.place is not None else "without it, not on this page"


def _both(record: Record, other: Record, covered: set[str]) -> str:
    shared = [v for n, vs in record.item.attributes.items() for v in vs if v in other.item.attributes.get(n, ())]
    shared = [value for value in shared if not covered.issuperset(tokens(value))]
    return f": both {listed([clean(value, 40) for value in shared[:2]])}" if shared else ""


def _same_kind(record: Record, other: Record) -> bool:
    return bool(record.item.categories) and record.item.categories[-1:] == other.item.categories[-1:]
