"""The planner's sentences: short, plain, varied, naming items by handle and stating only what records say."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from agent.base import ShownItem
from agent.money import price_text
from agent.planner_phrases import UNDATED, counted, handles, limited, listing, things, unanswered, vary
from agent.planner_pictures import TOOL
from agent.planner_records import comparison, detail, explanation, history
from agent.planner_turn import Step, Turn
from agent.understanding.intent import (
    Ask,
    Compare,
    Details,
    Explain,
    Facts,
    Feedback,
    History,
    Note,
    OffTopic,
    Recommend,
    Search,
    Similar,
    SmallTalk,
)

NAMED = 3
"""Handles a sentence names at most; the others stand beside the text."""

_TALK: dict[str, tuple[str, ...]] = {
    "greeting": ("Hello! Tell me what you are looking for.", "Hi there! Tell me what you have in mind."),
    "thanks": ("You are welcome!", "My pleasure."),
    "bye": ("Goodbye, and see you soon!", "Take care!"),
    "wellbeing": ("Very well, thank you. Tell me what I can find for you.", "All good here. Tell me what you need."),
    "abilities": (
        "I help you find things in this shop. Describe what you want, then say what should be different. You can also "
        "ask for more like one of them, have them compared, or ask why I show it.",
    ),
    "assent": ("Good. What shall I look for?", "Fine. Tell me what you would like to see."),
    "refusal": ("All right. What would suit you better?", "As you like. Tell me what to change."),
    "reset": ("All right, we start afresh. What are you looking for?",),
}
_OFF_TOPIC = (
    "I can only help with what this shop sells. Tell me what you would like to find here.",
    "That is beyond a shop assistant. Ask me for anything this shop carries.",
)
_NOTED = ("What shall I look for?", "What would you like to see?")
_FOUND = ("Here are {n} {things} for you.", "I found {n} {things} that fit.", "These {n} {things} fit.")
_MORE = ("Here are {n} more.", "{n} others.")
_LIKE = ("{n} {things} in the same spirit.", "These {n} {things} come close to it.")
_CHEAPEST = "Nothing that fits is cheaper than what you have seen."
_PICTURED = ("These {n} {things} come closest to your picture.", "{n} {things} like the one in your picture.")
_PICKS = ("{n} {things} you may like.", "My {n} picks for you.")


def compose(turn: Turn) -> str:
    """Return the answer of a turn whose calls are all answered."""
    parts = [_notes(turn)]
    for step in turn.steps:
        parts.append(_step(step, turn))
    hint = _hint(turn)
    return " ".join(part for part in (*parts, hint) if part) or "I could not find that out just now. Please try again."


def _step(step: Step, turn: Turn) -> str:
    match step.act:
        case SmallTalk(topic=topic):
            return vary(_TALK[topic], turn)
        case OffTopic(service=True):
            return "I only know what this shop sells; questions of service are for the people who run it."
        case OffTopic():
            return vary(_OFF_TOPIC, turn)
        case Ask():
            return _question(step.act)
        case Note():
            return vary(_NOTED, turn)
        case _ if step.replies and all(reply.failed for reply in step.replies):
            return unanswered(step, turn)
        case Search() | Recommend() | Similar():
            return _items(step, turn)
        case Facts():
            return _facts(step, step.act, turn)
        case Compare():
            return comparison(step, step.act, turn)
        case Details():
            return " ".join(detail(row, step.act.about) for reply in step.replies for row in reply.rows.values())
        case Explain():
            return " ".join(explanation(reply) for reply in step.replies)
        case History():
            return history(step, turn)
        case Feedback():
            return step.replies[0].message.text if step.replies else ""


def _items(step: Step, turn: Turn) -> str:
    items = turn.listing(step)
    if not items:
        return _nothing(step, turn)
    listed = handles([item.handle for item in items])
    if turn.near(step):
        shown = [item.handle for item in items[:NAMED]]
        listed = handles(shown if len(items) <= NAMED else [*shown, f"{len(items) - NAMED} more"])
        if _out_of_stock(step):
            return f"What fits is out of stock: {listed}."
        return f"{_why_near(step, turn)} {'The nearest is' if len(items) == 1 else 'The nearest are'} {listed}."
    kind = things(step.wish, len(items))
    forms = {Similar: _LIKE, Recommend: _PICKS}.get(type(step.act), _FOUND)
    forms = _PICTURED if step.replies and step.replies[-1].call.name == TOOL else forms
    forms = _MORE if isinstance(step.act, Search | Recommend) and step.act.more else forms
    opening = f"{listed} fits." if len(items) == 1 else _said(vary(forms, turn), step, len(items), kind)
    stuck = _CHEAPEST if isinstance(step.act, Search) and step.act.stuck else ""
    stuck = UNDATED if isinstance(step.act, Search) and step.act.undated else stuck
    held = _held(step.act) if isinstance(step.act, Similar) else ""
    return " ".join(
        part
        for part in (stuck, held, opening, _lead(items), _beyond(step, items), _unmatched(step, turn), _aside(step))
        if part
    )


def _said(form: str, step: Step, number: int, kind: str) -> str:
    """Return an opening; without its number where no tool counted as many, since the gate would take it all away."""
    message = step.replies[-1].message if step.replies else None
    counted = {len(message.items), message.facts.get("total")} if message is not None else set()
    bare = "" if form.startswith(("These", "My")) else "some"
    said = " ".join(form.format(n=number if number in counted else bare, things=kind).split())
    return said[:1].upper() + said[1:]


def _lead(items: Sequence[ShownItem]) -> str:
    """Name the first of several; the others stand beside the text with their pictures and reasons."""
    if len(items) < 2:
        return ""
    price = price_text(items[0].price, items[0].currency)
    return f"{items[0].handle} comes first" + (f", at {price}." if price else ".")


def _beyond(step: Step, items: Sequence[ShownItem]) -> str:
    """Say which items break the price limit that was stated, when it had to be set aside."""
    broken = [item.handle for item in items if not step.wish.within(item.price)]
    if not broken or step.wish.limit is None:
        return ""
    named = handles(broken if len(broken) <= NAMED else [*broken[:NAMED], f"{len(broken) - NAMED} more"])
    return f"{named} {'is' if len(broken) == 1 else 'are'} not within your price limit, {step.wish.limit.words()}."


def _aside(step: Step) -> str:
    """Say what no longer holds since another kind of thing is wanted."""
    aside = step.act.aside[:3] if isinstance(step.act, Search) else ()
    said = listing([f"“{value.casefold()}”" for value in aside])
    return f"None of that kind is {said}, so I left that out." if said else ""


def _held(act: Similar) -> str:
    """Say what the item pointed at is not, or which kind holds on though what the shopper named is of another."""
    if act.lacks and act.handle:
        return f"{act.handle} is not on record in {listing(list(act.lacks[:2]))}."
    return f"I kept to {listing([name.casefold() for name in act.held[:2]])}." if act.held else ""


def _unmatched(step: Step, turn: Turn) -> str:
    """Say which words of the message nothing in the shop carries, and which qualities none of these is said to have."""
    strange = [f"“{word}”" for word in step.wish.unknown if word in turn.understanding.strange][:3]
    unsaid = [f"“{word}”" for word in turn.unsaid(step)][:3]
    nowhere = f"I found no mention of {listing(strange)} here." if strange else ""
    theirs = "Its record says" if len(turn.listing(step)) == 1 else "Their records say"
    return " ".join(filter(None, (nowhere, f"{theirs} nothing of {listing(unsaid)}." if unsaid else "")))


def _nothing(step: Step, turn: Turn) -> str:
    if isinstance(step.act, Search | Recommend) and step.act.more:
        return "That was everything that fits."
    given = step.replies[-1].message.items if step.replies else ()
    if given and all(item.handle in step.wish.not_items for item in given):
        return "That was everything that fits."  # the rest was turned down
    if isinstance(step.act, Similar) and step.act.title:
        return "I do not find that title here."
    why = _why_near(step, turn)
    return why if why != _NEAR else "I found nothing that fits."


_COLOUR = re.compile(r"colou?r", re.IGNORECASE)
_YEAR = re.compile(r"\(\d{4}\)\s*$")
_READ = re.compile(r"'(.+)' read as '(.+)'")
_NEAR = "Nothing here fits exactly."


def _why_near(step: Step, turn: Turn) -> str:
    reply = step.replies[-1] if step.replies else None
    unmet = turn.unmet(step)
    if unmet and (reply is None or reply.blocking is None):
        return f"Nothing fits everything: {unmet} is what stands in the way."
    if reply is not None and reply.blocking is not None:
        return f"Nothing fits everything: {blocked(reply.blocking)} is what stands in the way."
    strange = list(reply.message.facts.get("unknown_words") or ()) if reply else []
    strange = [str(word) for word in strange] or list(step.wish.unknown)
    if strange:
        return f"I find nothing here for {listing([f'“{word}”' for word in strange[:3]])}."
    return _NEAR


def _out_of_stock(step: Step) -> bool:
    blocking = step.replies[-1].blocking or {}
    return blocking.get("field") == "available" and not blocking.get("also") and step.wish.available is None


def blocked(blocking: Mapping[str, Any]) -> str:
    """Return the blocking constraint in a shopper's words."""
    field, value = str(blocking.get("field", "")), blocking.get("value")
    denied = field.startswith("not.")
    name = field.removeprefix("not.").removeprefix("attributes.")
    if name == "price":
        return "the price limit"
    if name == "available":
        return "that it must be in stock"
    values = value if isinstance(value, list | tuple) else [value] if value not in (None, "") else []
    said = " or ".join(str(v) for v in list(values)[:3])
    name = {"category": "kind of item"}.get(name, name.replace("_", " ")) or "one of your wishes"
    return f"the {'excluded ' if denied else ''}{name}" + (f" ({said})" if said else "")


def _facts(step: Step, act: Facts, turn: Turn) -> str:
    reply = step.replies[-1]
    facts, items = reply.message.facts, turn.listing(step)
    count = facts.get("count")
    if act.question == "carries":
        return _carries(step, act, items)
    if act.question == "values":
        groups = [g for g in facts.get("groups", ()) if isinstance(g, Mapping) and "value" in g]
        if groups:
            said = listing([f"{g['value']} ({g['count']})" for g in groups[:8]])
            rest = int(facts.get("distinct", len(groups))) - len(groups[:8])
            return f"There {'is' if len(groups) == 1 else 'are'} {said}" + (f", and {rest} more." if rest > 0 else ".")
    if act.question in ("cheapest", "dearest") and items:
        price = price_text(items[0].price, items[0].currency)
        word = "cheapest" if act.question == "cheapest" else "most expensive"
        return f"The {word} is {items[0].handle}" + (f", at {price}." if price else ".")
    price_facts = facts.get("price")
    if act.question == "prices" and isinstance(price_facts, Mapping):
        low, high = (price_text(float(price_facts[end]), price_facts.get("currency")) for end in ("min", "max"))
        return f"Prices run from {low} to {high}."
    if isinstance(count, int):
        if act.wish.years is not None:
            # The facts of the catalogue know no years, and a figure without them would be another one.
            return f"There are {count} {counted(act.wish, count)} in all; by year I cannot count them."
        stock = facts.get("in_stock")
        tail = f", {stock} of them in stock" if isinstance(stock, int) and 0 < stock < count else ""
        said = f"{counted(act.wish, count)}{limited(act.wish)}{tail}"
        return f"There {'is' if count == 1 else 'are'} {count or 'no'} {said}."
    return reply.message.text


def _carries(step: Step, act: Facts, items: Sequence[ShownItem]) -> str:
    said = (
        listing([*act.wish.wanted.brands, *([" ".join(act.wish.wanted.words)] * bool(act.wish.wanted.words))]) or "that"
    )
    if act.wish.unknown or not items or step.replies[-1].nearest:
        near = f" The closest I have: {handles([i.handle for i in items])}." if items else ""
        return f"No, I find nothing here for {said}.{near}"
    return f"Yes: {handles([item.handle for item in items])}."


def _question(act: Ask) -> str:
    if act.about == "which":
        return "The list does not go that far. Which one do you mean?"
    choices = f": {listing([c.casefold() for c in act.choices], 'or')}" if act.choices else ""
    if act.about == "unclear":
        return f"I did not quite catch that. What kind of thing are you looking for{choices}?"
    return f"Gladly! What should it be{choices}?"


def _notes(turn: Turn) -> str:
    read = [_READ.fullmatch(note) for note in turn.understanding.notes]
    said = [f"{match[1]} to mean {match[2]}" for match in read if match]
    return f"I took {listing(said[:2])}." if said else ""


def _hint(turn: Turn) -> str:
    """Return one idea for going on, after a list of several."""
    searches = [s for s in turn.steps if isinstance(s.act, Search | Recommend) and len(turn.listing(s)) > 2]
    if len(searches) != 1 or turn.understanding.state.turns > 1:
        return ""
    wish = searches[0].wish
    priced = any(item.price is not None for item in turn.listing(searches[0]))
    if priced and wish.price_max is None:
        return "A budget would narrow it down."
    items = turn.listing(searches[0])
    coloured = any(_COLOUR.search(name) for item in items for name in item.attributes)
    dated = any(_YEAR.search(item.title) for item in items)
    first = "Cheaper" if priced else "Something newer" if dated else "Another kind"
    return f"{first}, or {'in another colour' if coloured else 'more like one of these'}?"
