"""What is known of a shopper at this moment: liked, disliked and owned items, newest last."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property

from catalog.event_claims import guest_id
from catalog.events import EventStore
from catalog.nouns import NEGATIVE_KINDS, Interaction
from catalog.told import Told
from tools.base import Shopper
from tools.shop import Shop

HISTORY = 200
"""Latest events of a shopper that are read for one answer."""

LOW_RATING = 2.5
"""A rating at or below this (of 5) speaks against an item."""

VISIT = timedelta(minutes=30)
"""Events this recent belong to the visit at hand, whatever session they name; the usual bound of a visit on the web."""

HISTORICAL = "history"
"""Why an item counts as liked when only the log of the load says so."""


@dataclass(frozen=True)
class Taste:
    """A shopper's own events, digested.

    Attributes:
        liked: Item ids engaged with and not spoken against since, newest last.
        disliked: Item ids dismissed, returned, complained about or rated low, and not liked since.
        owned: Item ids bought and not returned since.
        returned: Item ids returned and not bought since.
        why: For each liked item, the event or the session that says so: the kind, e.g. `purchase`.
        session: Liked items that come from the session at hand.
        visit: Liked items of the visit at hand, newest last: this session's, and those of the last `VISIT`.
    """

    liked: tuple[str, ...] = ()
    disliked: frozenset[str] = frozenset()
    owned: frozenset[str] = frozenset()
    returned: frozenset[str] = frozenset()
    why: tuple[tuple[str, str], ...] = ()
    session: frozenset[str] = frozenset()
    visit: tuple[str, ...] = ()

    @cached_property
    def live(self) -> tuple[str, ...]:
        """Liked items that stand in live events or the session, not only in the log the shop was loaded with."""
        return tuple(item_id for item_id, why in self.why if why != HISTORICAL)

    @property
    def empty(self) -> bool:
        """Whether nothing is known."""
        return not (self.liked or self.disliked or self.owned)


def anonymous_id(session_id: str) -> str:
    """Return the user id under which events of a shopper who is not signed in rest."""
    return guest_id(session_id)


def taste_of(shop: Shop, shopper: Shopper, now: datetime, past: Sequence[Interaction] | None = None) -> Taste:
    """Read what a shopper did: the log as of the shop's load, then live events up to `now`, then this session.

    `past` are those live events (`past_events`), where they were read already.
    """
    past = past_events(shopper, shop.events, now) if past is None else past
    live = digested(past, shopper.recent)
    at_hand = {*shopper.recent, *(e.item_id for e in past if _at_hand(e, shopper, now))}
    live = replace(live, visit=tuple(item_id for item_id in live.liked if item_id in at_hand))
    if shop.statistics is None or shopper.user_id is None:
        return live
    rows = shop.statistics.taken(shopper.user_id)
    taken = dict.fromkeys(item_id for item_id in shop.catalog.ids.at(rows[-HISTORY:]))
    before = [item_id for item_id in taken if item_id not in live.liked and item_id not in live.disliked]
    return replace(
        live,
        liked=(*before, *live.liked),
        owned=live.owned | frozenset(taken) - live.returned,
        why=(*((item_id, HISTORICAL) for item_id in before), *live.why),
    )


def _at_hand(event: Interaction, shopper: Shopper, now: datetime) -> bool:
    same = shopper.session_id is not None and event.session_id == shopper.session_id
    return same or event.timestamp >= now - VISIT


def past_events(shopper: Shopper, events: EventStore, now: datetime) -> list[Interaction]:
    """Return the events of the shopper and of the session at hand, oldest first, each once."""
    return visited(shopper, events, now)[0]


def visited(shopper: Shopper, events: EventStore, now: datetime) -> tuple[list[Interaction], tuple[Told, ...]]:
    """Return `past_events`, and what the shopper told of themselves (the latest first), by one read."""
    newest_first, visit, told = events.of_visit(shopper.user_id or None, shopper.session_id or None, HISTORY)
    # Clocks of whole seconds give a purchase and its return one moment: as they came is the order they happened in.
    found = {e.event_id: e for e in reversed(newest_first)}
    if shopper.session_id:
        # A session reused by someone else gives none of the first shopper's events away.
        mine = {shopper.user_id, anonymous_id(shopper.session_id)}
        found.update({e.event_id: e for e in visit if e.user_id in mine})
    past = sorted(found.values(), key=lambda e: e.timestamp)
    if past and past[-1].timestamp > now:
        past = _happened(past, now)
    return past, (tuple(told) if shopper.user_id else shopper.told)


def _happened(past: Sequence[Interaction], now: datetime) -> list[Interaction]:
    """Return the events that had happened by `now`, oldest first.

    The wire takes no event from the future. One that is ahead of the present all the same was dated before the clock
    was set back: it has happened, and counts as of just before `now`.
    """
    present, before = max(datetime.now(UTC), now), now - timedelta(microseconds=1)
    return [e if e.timestamp <= now else replace(e, timestamp=before) for e in past if not now < e.timestamp <= present]


def digested(past: Sequence[Interaction], recent: Sequence[str] = ()) -> Taste:
    """Digest events (oldest first) and the session's items (newest last); the latest word on an item counts."""
    liked: dict[str, str] = {}
    disliked: set[str] = set()
    bought: dict[str, bool] = {}
    for event in past:
        if event.kind == "impression":
            continue
        against = event.kind in NEGATIVE_KINDS or (
            event.kind == "rating" and event.value is not None and event.value <= LOW_RATING
        )
        liked.pop(event.item_id, None)  # taken out first, so that liking again makes it the newest
        if against:
            disliked.add(event.item_id)
        else:
            disliked.discard(event.item_id)
            liked[event.item_id] = event.kind
        if event.kind in ("purchase", "return"):
            bought[event.item_id] = event.kind == "purchase"
    for item_id in recent:
        liked.pop(item_id, None)
        disliked.discard(item_id)
        liked[item_id] = "session"
    return Taste(
        liked=tuple(liked),
        disliked=frozenset(disliked),
        owned=frozenset(item_id for item_id, kept in bought.items() if kept),
        returned=frozenset(item_id for item_id, kept in bought.items() if not kept),
        why=tuple(liked.items()),
        session=frozenset(recent),
    )
