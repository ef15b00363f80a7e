"""What is said of the memory: what was noted, what an answer kept to, what had to be set aside."""

from __future__ import annotations

import json
from collections.abc import Sequence

from agent.memory.recall import bears, meant
from agent.messages import clean
from agent.understanding.vocabulary import Vocabulary
from catalog.nouns import Item
from catalog.told import Told

MOST = 6
"""Entries that one sentence names."""


def noted(told: Sequence[Told]) -> str:
    """Return the sentence by which the shopper learns what was written down."""
    return f"I will remember that you {_all(told)}. "


def kept_to(kept: Sequence[Told], liked: Sequence[Told], session_id: str) -> str:
    """Return the sentence that says what earlier words an answer kept to, and when they were said.

    Args:
        kept: What every item keeps to.
        liked: Likes that put items first.
        session_id: The conversation; what was told in it needs no date.
    """
    told = [*kept, *liked]
    if not told:
        return ""
    days: dict[str, list[Told]] = {}
    for each in sorted(told[:MOST], key=lambda t: t.told_at):
        now = each.session_id == session_id
        days.setdefault("earlier " if now else f"on {each.told_at.day} {each.told_at:%B %Y} ", []).append(each)
    said = _listed(
        [f"{day if len(days) > 1 or day[0] == 'o' else ''}that you {_all(what)}" for day, what in days.items()]
    )
    did = "kept to that" if kept else ""
    put = "put what you like first" if liked else ""
    return f"You told me {said}, so I {' and '.join(filter(None, (did, put)))}."


def missing(told: Sequence[Told]) -> str:
    """Return the sentence for sizes in which nothing comes that fits the rest."""
    return f"None of it that fits the rest comes in your size, {told[0].value}." if told else ""


def set_aside(kept: Sequence[Told]) -> str:
    """Return the sentence for a wish that what was told before left nothing of."""
    return f"Nothing fits both this and what you told me (you {_all(kept[:MOST])}), so I set that aside."


def not_theirs(told: Sequence[Told]) -> str:
    """Return the sentence for what does not count because somebody else is to have it."""
    if not told:
        return ""
    left = f"what you told me (you {_all(told[:MOST])})"
    return f"This is for somebody else, so I left aside {left}; say “for me” otherwise."


def against(broken: Sequence[tuple[Told, str]]) -> str:
    """Return the warning for items that go against what was told: entries and titles."""
    said = [f"{clean(title, 80)} does not go with what you told me (you {_said(each)})" for each, title in broken[:3]]
    return f"Mind that {_listed(said)}." if said else ""


def respects(told: Told, item: Item, vocabulary: Vocabulary) -> bool:
    """Whether an item goes with what was told; what its record does not say does no harm."""
    match told.kind:
        case "budget":
            return item.price is None or item.price <= told.amount
        case "size":
            return not item.sizes or told.value.casefold() in {size.casefold() for size in item.sizes}
        case "dislike":
            return not has(told, item, vocabulary)
        case _:
            return True


def has(told: Told, item: Item, vocabulary: Vocabulary) -> bool:
    """Whether an item bears the value that a taste is of."""
    term = meant(told, vocabulary)
    return term is not None and bears(item, term)


def data(told: Sequence[Told]) -> str:
    """Return what was told as an LLM reads it beside the message, "" where there is nothing."""
    rows = [{"on": f"{each.told_at:%Y-%m-%d}", "text": f"You {_said(each)}."} for each in told[:20]]
    return f"\n<told>{json.dumps(rows, ensure_ascii=False)}</told>" if rows else ""


def _all(told: Sequence[Told]) -> str:
    """Return entries after "you", tastes put together: "wear size M and do not like red or pink"."""
    tastes = {kind: [clean(t.value, 80) for t in told if t.kind == kind] for kind in ("like", "dislike")}
    said = [_said(each) for each in told if each.kind in ("size", "budget")]
    said += [f"like {_listed(tastes['like'])}"] if tastes["like"] else []
    said += [f"do not like {_listed(tastes['dislike'], 'or')}"] if tastes["dislike"] else []
    return _listed(said)


def _said(told: Told) -> str:
    return clean(told.sentence(), 120)


def _listed(parts: Sequence[str], word: str = "and") -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} {word} {parts[-1]}" if parts else ""
