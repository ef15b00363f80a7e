"""The shopper's own past: what they did, and what they tell us now."""

# ruff: noqa: D417 -- the `Call` is no argument that a caller gives, so `Args` leaves it out
from __future__ import annotations

import hashlib
from typing import Annotated, Any, Literal

from pydantic import Field

from catalog.errors import ToolInapplicable, ToolRetry
from catalog.nouns import Candidate, Interaction
from tools.arguments import canonical, shown
from tools.base import ToolResult
from tools.item_ids import resolved
from tools.limits import MAX_ITEMS, Text
from tools.registry import Call, tool
from tools.taste import HISTORICAL, HISTORY, anonymous_id, past_events, taste_of
from tools.titles import called

FeedbackKind = Literal["dismiss", "cart", "rating", "return", "complaint", "praise"]

_ASKED = {
    "dismiss": "stop showing you", "cart": "record for the cart", "rating": "record the rating for",
    "return": "record the return of", "complaint": "record the complaint about", "praise": "record the praise for",
}  # fmt: skip
_DONE = {
    "dismiss": "{} is not shown to you any more.", "cart": "Recorded for the cart: {}.",
    "rating": "Recorded the rating for {}.", "return": "Recorded the return of {}.",
    "complaint": "Recorded the complaint about {}.", "praise": "Recorded the praise for {}.",
}  # fmt: skip
_TAKEN = {
    "dismiss": "the dismissal", "cart": "the addition to the cart", "rating": "the rating", "return": "the return",
    "complaint": "the complaint", "praise": "the praise",
}  # fmt: skip


@tool(access="read")
def shopper_history(call: Call, limit: Annotated[int, Field(ge=1, le=MAX_ITEMS)] = 20) -> ToolResult:
    """List what this shopper did lately: purchases, views, ratings, returns and the like, newest first.

    Args:
        limit: Most events to list.
    """
    shop, context = call.shop, call.context
    past = [e for e in past_events(context.shopper, shop.events, context.now) if e.kind != "impression"]
    events = [_told(call, event) for event in reversed(past[-limit:])]
    told = {event["item_id"] for event in events}
    earlier = [i for i, why in taste_of(shop, context.shopper, context.now).why if why == HISTORICAL and i not in told]
    for item_id in earlier[::-1][: limit - len(events)]:
        events.append({"item_id": item_id, "title": shop.catalog[item_id].title, "kind": HISTORICAL})
    ids = dict.fromkeys(event["item_id"] for event in events if event["item_id"] in shop.catalog)
    return ToolResult(
        text=f"{len(events)} events, newest first." if events else "Nothing is known of this shopper's past.",
        candidates=tuple(Candidate(item_id, 1.0, "shopper_history") for item_id in list(ids)[:MAX_ITEMS]),
        facts={"events": events},
    )


@tool(access="write")
def record_feedback(
    call: Call,
    item_id: str,
    kind: FeedbackKind,
    value: float | None = None,
    text: Text | None = None,
) -> ToolResult:
    """Record what the shopper says of an item; it counts for them at once. Needs the shopper's confirmation.

    The first call writes nothing and asks for the confirmation; once the shopper has agreed, the same call
    with the very same arguments writes.

    Args:
        item_id: The item.
        kind: What they say: dismiss (do not show it), cart, rating, return, complaint or praise.
        value: With a rating, the stars from 1 to 5; else left out.
        text: Their words, where they gave some.
    """
    shop, context = call.shop, call.context
    item = shop.catalog[resolved(shop.catalog, item_id, "item_id")]
    if kind == "rating" and (value is None or not 1 <= value <= 5):
        raise ToolRetry(f"'value' is {value!r}: a rating needs 1 to 5")
    if kind != "rating" and value is not None:
        raise ToolRetry(f"'value' is {value!r}: only a rating has a value; leave it out of {kind!r}")
    user_id = _written_for(call)
    arguments = canonical({"item_id": item.item_id, "kind": kind, "value": value, "text": text})
    about = (Candidate(item.item_id, 1.0, "record_feedback"),)
    name = called(item)
    if not call.confirmed(arguments):
        question = f"Shall I {_ASKED[kind]} {name}?"
        return ToolResult(question, about, call.question(question, arguments))
    yes = context.confirmation or context.request_id
    stamp = hashlib.sha256(f"{user_id}\0{yes}\0{arguments}".encode()).hexdigest()[:32]
    event = Interaction(
        event_id=f"feedback-{stamp}",
        user_id=user_id,
        item_id=item.item_id,
        timestamp=context.now,
        kind=kind,
        session_id=context.shopper.session_id,
        value=value,
        text=text,
        context={"tool": "record_feedback"},
    )
    new = call.once(lambda: bool(shop.events.put([event]).accepted))
    if not new and all(each.event_id != event.event_id for each in shop.events.for_user(user_id, HISTORY)):
        raise ToolRetry("'confirmation' has written before, and that was taken back; call without it to ask anew")
    recorded = {"event_id": event.event_id, "kind": kind, "item_id": item.item_id, "new": new}
    return ToolResult(_DONE[kind].format(name), about, {"recorded": recorded})


@tool(access="write", destructive=True)
def undo_feedback(call: Call, event_id: str | None = None) -> ToolResult:
    """Take back feedback that was recorded for this shopper, as if they had never given it. Needs their confirmation.

    The first call takes nothing back and asks for the confirmation, as with record_feedback. What the shopper did
    elsewhere (purchases, views) cannot be taken back.

    Args:
        event_id: The event_id that record_feedback gave; the shopper's latest feedback when left out.
    """
    events = call.shop.events
    given = [e for e in events.for_user(_written_for(call), HISTORY) if e.context.get("tool") == "record_feedback"]
    found = given[0] if given and event_id is None else next((e for e in given if e.event_id == event_id), None)
    if found is None and event_id is None:
        raise ToolInapplicable("there is no feedback of this shopper to take back")
    if found is None:
        known = ", ".join(e.event_id for e in given[:3]) or "none"
        raise ToolRetry(f"'event_id' is {shown(event_id)}: no feedback of this shopper; their latest: {known}")
    item = call.shop.catalog.get(found.item_id)
    about = () if item is None else (Candidate(item.item_id, 1.0, "undo_feedback"),)
    what = f"{_TAKEN[found.kind]} for {called(item) if item else found.item_id}"
    arguments = canonical({"event_id": found.event_id})
    if not call.confirmed(arguments):
        question = f"Shall I take back {what}?"
        return ToolResult(question, about, call.question(question, arguments))
    call.once(lambda: events.forget_event(found.event_id))
    undone = {"event_id": found.event_id, "kind": found.kind, "item_id": found.item_id}
    return ToolResult(f"Took back {what}.", about, {"undone": undone})


def _written_for(call: Call) -> str:
    """Return under whose id a write rests: the shopper's, or the session's of one who is not signed in."""
    shopper = call.context.shopper
    user_id = shopper.user_id or (anonymous_id(shopper.session_id) if shopper.session_id else None)
    if user_id is None:
        raise ToolInapplicable("feedback cannot be recorded: neither shopper nor session is known")
    return user_id


def _told(call: Call, event: Interaction) -> dict[str, Any]:
    item = call.shop.catalog.get(event.item_id)
    fields = {
        "item_id": event.item_id,
        "title": item.title if item else None,
        "kind": event.kind,
        "value": event.value,
        "text": event.text,
        "when": event.timestamp.isoformat(),
    }
    return {name: value for name, value in fields.items() if value is not None}
