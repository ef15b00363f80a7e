"""Which of the shopper's own events put a recommendation where it stands: without them it would stand lower.

An event that merely resembles an item need not have moved it, so nothing is guessed: the list is made once more as if
the shopper had never had to do with that item, and only what falls is said to rest on it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from catalog.nouns import Interaction
from tools.experiment import arm_for
from tools.pipeline.nouns import PipelineRequest, PipelineResult
from tools.pipeline.run import run
from tools.pipeline.wish import unit_rows
from tools.shop import Shop
from tools.spaces import spaces_of
from tools.taste import HISTORICAL, VISIT, Taste, past_events, taste_of

LATEST = 20
"""Latest liked items that are looked at."""

PERSONAL = frozenset({"history", "session", "content"})
"""Grounds of an order that the shopper's own events decide."""


@dataclass(frozen=True, slots=True)
class Because:
    """An item of the shopper's past that holds a result up.

    Attributes:
        item_id: What they had to do with.
        why: How, e.g. `purchase`.
        when: The latest such event; None where only the log of the shop's load tells of it.
        likeness: Its greatest cosine with the result over the shop's spaces.
        place: Where the result would stand without it, among the rest; None: not on the page.
    """

    item_id: str
    why: str
    when: datetime | None
    likeness: float
    place: int | None


def because(
    shop: Shop,
    request: PipelineRequest,
    result: PipelineResult,
    *,
    past: Sequence[Interaction] | None = None,
    tried: int | None = None,
) -> dict[str, tuple[Because, ...]]:
    """Return, by result, what of the shopper's past it would stand lower without, what lowers it most first.

    Each item tried costs one more run of the pipeline, so the few that most results resemble are. A shopper the model
    was trained on is asked about as a newcomer with the same past: what was learned cannot be unlearned at once.

    Args:
        shop: Open.
        request: What was asked.
        result: What was answered.
        past: The shopper's events, oldest first, where they were read already.
        tried: Items of the past that are tried; None: `pipeline.tried_events`, and none in a shop of
            `pipeline.exact_items` or more, where a page would wait for it.
    """
    shop = arm_for(shop, request.shopper)
    if tried is None:
        tried = shop.pipeline.tried_events if len(shop.catalog) < shop.pipeline.exact_items else 0
    if (
        not tried
        or request.mode != "recommend"
        or result.ground not in PERSONAL
        or result.blocking
        or not result.ranked
    ):
        return {}
    past = past_events(request.shopper, shop.events, request.now) if past is None else past
    taste = taste_of(shop, request.shopper, request.now, past)
    known = [item_id for item_id in taste.liked[-LATEST:] if item_id in shop.catalog]
    shown = [each.item_id for each in result.ranked]
    if not known:
        return {}
    asked, lived = _as_newcomer(shop, request, taste, past)
    same = asked is request and (request.request_id is None or not shop.pipeline.exploration.share)
    before = shown if same else _order(shop, asked, lived, ())
    likeness = _likeness(shop, shown, known)
    found: dict[str, list[Because]] = {item_id: [] for item_id in shown}
    why, when = dict(taste.why), {event.item_id: event.timestamp for event in past}
    for at in _chosen(likeness, tried):
        gone = known[at]
        after = _order(shop, asked, lived, (gone,))
        stood = [item_id for item_id in before if item_id != gone]
        for row, item_id in enumerate(shown):
            if item_id == gone or item_id not in stood:
                continue
            place = after.index(item_id) + 1 if item_id in after else None
            if place is None or place > stood.index(item_id) + 1:
                near = float(likeness[row, at])
                found[item_id].append(Because(gone, why[gone], when.get(gone), near, place))
    return {item_id: tuple(sorted(each, key=_lowest)) for item_id, each in found.items() if each}


def _lowest(because: Because) -> tuple[float, float]:
    return (-(because.place or np.inf), -because.likeness)


def _as_newcomer(
    shop: Shop, request: PipelineRequest, taste: Taste, past: Sequence[Interaction]
) -> tuple[PipelineRequest, tuple[Interaction, ...]]:
    """Return the request of somebody with the same past whom neither model nor statistics know, and that past."""
    user_id, shopper = request.shopper.user_id, request.shopper
    learned = shop.recommender is not None and user_id is not None and user_id in shop.recommender.users
    logged = [item_id for item_id, why in taste.why if why == HISTORICAL]
    if user_id is None or not (learned or logged):
        return request, tuple(past)
    began = min((event.timestamp for event in past), default=request.now) - VISIT
    events = [Interaction(f"log-{at}", user_id, item_id, began, "purchase") for at, item_id in enumerate(logged)]
    return replace(request, shopper=replace(shopper, user_id=None), request_id=None), (*events, *past)


def _order(shop: Shop, request: PipelineRequest, past: Sequence[Interaction], gone: Sequence[str]) -> list[str]:
    """Return the page of somebody who never had to do with `gone`, which is not on it either."""
    shopper = replace(
        request.shopper,
        recent=tuple(each for each in request.shopper.recent if each not in gone),
    )
    asked = replace(request, shopper=shopper, exclude=(*request.exclude, *gone), request_id=None)
    lived = [event for event in past if event.item_id not in gone]
    return [each.item_id for each in run(shop, asked, lived).ranked]


def _likeness(
    shop: Shop, shown: Sequence[str], known: Sequence[str]
) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    """Return the greatest cosine over the spaces of every result with every item of the past, (n, m)."""
    best = np.zeros((len(shown), len(known)), np.float32)
    for space in spaces_of(shop):
        table = shop.table(space)
        best = np.maximum(best, unit_rows(table, shown) @ unit_rows(table, known).T)
    return best


def _chosen(likeness: np.ndarray[tuple[int, int], np.dtype[np.float32]], tried: int) -> list[int]:
    """Return the columns that most rows are nearest to, then those nearest to any."""
    votes = Counter(likeness.argmax(axis=1).tolist())
    nearest = likeness.max(axis=0)
    return sorted(range(likeness.shape[1]), key=lambda column: (-votes[column], -nearest[column]))[:tried]


def told(found: Mapping[str, tuple[Because, ...]], item_id: str) -> list[dict[str, object]]:
    """Return what a result rests on, JSON-ready: `[{"item_id", "why", "when", "likeness", "place"}]`."""
    return [
        {
            "item_id": each.item_id,
            "why": each.why,
            "when": None if each.when is None else each.when.isoformat(),
            "likeness": round(each.likeness, 4),
            "place": each.place,
        }
        for each in found.get(item_id, ())
    ]
