"""The planner's sentences on single records: details, comparisons, the shopper's past."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from agent.base import ShownItem
from agent.explanation_more import telling
from agent.figures import figure
from agent.money import price_text
from agent.planner_calls import Reply
from agent.planner_order import YEAR
from agent.planner_phrases import UNDATED, handles, listing
from agent.planner_turn import Step, Turn
from agent.understanding.intent import QUALITY, Compare
from agent.understanding.words import keys, singular

_SENTENCE = re.compile(r"(?<=[a-z\d)][.!?])\s+(?=[A-Z\"“])")
_MEASURED = re.compile(
    r"(?:long|short|bigg|small|larg|heavi|tall|wid|narrow|high|deep|thick|thinn|fast|slow|strong|loud)(?:er|est)"
)
"""What only a figure could tell; nearness of meaning is none."""
_SUPERLATIVES = {"price_asc": "the cheapest", "price_desc": "the most expensive", "rating": "the best rated",
                 "newest": "the newest", "relevance": "the best match"}  # fmt: skip


def comparison(step: Step, act: Compare, turn: Turn) -> str:
    """Return what a comparison came to, the answer first."""
    items = turn.listing(step)
    if not items:
        return "I could not compare those."
    first = items[0]
    rest = handles([item.handle for item in items[1:]])
    if act.by == "newest" and YEAR.search(first.title) is None:
        return UNDATED
    if act.by is not None:
        return f"{first.handle} is {_SUPERLATIVES[act.by]}{_figure(first, act.by, step)}." + (
            f" Then {rest}." if rest else "")  # fmt: skip
    if act.query and _MEASURED.fullmatch(act.query):
        return f"The shop does not say which is the {act.query}."
    if act.query:
        return f"{first.handle} suits that best." + (f" Then {rest}." if rest else "")
    return " ".join(detail(step.replies[-1].rows.get(item.handle, {"handle": item.handle}), None) for item in items[:4])


def detail(row: Mapping[str, Any], about: str | None) -> str:
    """Return one sentence on an item from its own record."""
    handle = str(row.get("handle", ""))
    price, rating = price_text(row.get("price"), row.get("currency")), row.get("rating")
    attributes: Mapping[str, Sequence[str]] = row.get("attributes") or {}
    lower = {name.casefold(): values for name, values in attributes.items()}
    if about == "price":
        return f"{handle} costs {price}." if price else f"{handle} has no price on record."
    if about == "available":
        known = {True: "is in stock", False: "is out of stock"}
        return f"{handle} {known.get(bool(row['available']))}." if row.get("available") is not None else (
            f"The shop does not say whether {handle} is in stock.")  # fmt: skip
    if about == "rating":
        return (
            f"{handle} is rated {figure(rating)}."
            if isinstance(rating, int | float)
            else f"{handle} has no rating yet."
        )
    if about == "brand":
        return f"{handle} is by {row['brand']}." if row.get("brand") else f"{handle} names no brand."
    if about == "description" and (plot := _first(str(row.get("description") or ""))):
        return f"{handle}: {plot}"
    if about and about.startswith(QUALITY):
        return _speaks(handle, about.removeprefix(QUALITY), row)
    if about == "size" and row.get("sizes"):
        return f"{handle} comes in {listing([str(size) for size in row['sizes'][:8]])}."
    if about and about.casefold() in lower:
        return f"{handle}: {about.replace('_', ' ')} {listing(list(lower[about.casefold()]))}."
    parts = [price] if price else []
    told = [(name, said) for name, values in attributes.items() if (said := [v for v in values if telling(v)])]
    parts += [f"{name.replace('_', ' ')} {listing(said[:3])}" for name, said in told[:3]]
    parts += [f"by {row['brand']}"] if row.get("brand") else []
    parts += [f"rated {figure(rating)}"] if isinstance(rating, int | float) else []
    return f"{handle}: {', '.join(parts)}." if parts else f"{handle}."


def _speaks(handle: str, quality: str, row: Mapping[str, Any]) -> str:
    """Return the sentence in which a record speaks of a quality, or that it does not."""
    wanted = set(keys(quality))
    for text in (row.get("description"), row.get("caption")):
        for said in _SENTENCE.split(" ".join(str(text or "").split())):
            if wanted <= set(keys(said)):
                return f"{handle}: {_first(said)}"
    return f"The record of {handle} says nothing of “{quality}”."


def _first(text: str) -> str:
    """Return the first sentence of a description; what follows would no longer be said of its item."""
    said = _SENTENCE.split(" ".join(text.split()), maxsplit=1)[0]
    return said if said.endswith((".", "!", "?", "…")) or not said else f"{said}."


_GROUNDS = {"popularity": "other shoppers choose it", "content": "it is like what you looked at"}


def explanation(reply: Reply) -> str:
    """Return why an item is shown, from the evidence of `explain_item`; its card says the rest."""
    facts, rows = reply.message.facts, reply.rows
    handle = next(iter(rows), "")
    if reply.failed or not handle:
        return reply.message.text
    if not facts.get("shown"):
        return f"{handle} is on no list now: {facts.get('reason', 'others come first')}."
    evidence = facts.get("evidence") or {}
    words = list(dict.fromkeys(singular(str(each["word"]).casefold()) for each in evidence.get("words", ())))
    moved = next((each for each in evidence.get("events", ()) if each.get("moved") and each.get("title")), None)
    like = facts.get("like") or {}
    because = [f"it is like {like['title']}"] if like.get("title") else []
    because += [f"its record says {listing(words[:4])}"] if words else []
    because += [f"it goes with {moved['title']} in your past here"] if moved else []
    if not because:
        searched = reply.call.arguments.get("query") or reply.call.arguments.get("filters")
        rests = "it goes with what you asked for" if searched else _GROUNDS.get(str(facts.get("ground")))
        return f"I show {handle} because {rests or 'it suits what I know of you'}."
    return f"I show {handle} because {listing(because)}."


def history(step: Step, turn: Turn) -> str:
    """Return what the shopper did before."""
    past = turn.past(step)
    if not past:
        return "I know of nothing of that kind in your past here."
    verbs = {"purchase": "bought", "view": "looked at", "rating": "rated", "return": "sent back",
             "cart": "put in the cart", "click": "looked at", "praise": "liked", "dismiss": "turned down"}  # fmt: skip
    return " ".join(f"You {verbs.get(kind, 'came across')} {listing(names[:6])}." for kind, names in past.items())


def _figure(item: ShownItem, by: str, step: Step) -> str:
    if by.startswith("price"):
        price = price_text(item.price, item.currency)
        return f", at {price}" if price else ""
    rating = step.replies[-1].rows.get(item.handle, {}).get("rating")
    return f", rated {figure(rating)}" if by == "rating" and isinstance(rating, int | float) else ""
