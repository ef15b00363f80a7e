"""The session at hand, read from the live events, for the ranker's features."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from catalog.nouns import Interaction
from models.impressions import OPENED_KINDS
from models.session import Session
from tools.base import Shopper
from tools.shop import Shop
from tools.taste import anonymous_id


def session_of(shop: Shop, shopper: Shopper, now: datetime, past: Sequence[Interaction] | None = None) -> Session:
    """Return what the shopper looked at in this session before `now`, and on what device.

    A session reused by someone else gives none of the first shopper's events away. `past` are the live events up to
    `now`, oldest first, where they were read already (`tools.taste.past_events`).
    """
    if shopper.session_id is None:
        return Session(shopper.recent, shopper.device)
    mine = {shopper.user_id, anonymous_id(shopper.session_id)}
    if past is None:
        past = [e for e in shop.events.for_session(shopper.session_id) if e.user_id in mine]
    found = [e for e in past if e.session_id == shopper.session_id and e.timestamp < now]
    viewed = [event.item_id for event in found if event.kind in OPENED_KINDS]
    viewed += [item_id for item_id in shopper.recent if item_id not in viewed]
    devices = [str(event.context["device"]) for event in found if event.context.get("device")]
    return Session(tuple(viewed), shopper.device or (devices[-1] if devices else None))
