"""Turns of phrase the planner's sentences share."""

from __future__ import annotations

from collections.abc import Sequence

from agent.planner_turn import Turn
from agent.understanding.wish import Wish


def listing(parts: Sequence[str], word: str = "and") -> str:
    """Return parts as prose: "a, b and c"."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} {word} {parts[-1]}" if parts else ""


def handles(names: Sequence[str]) -> str:
    """Return handles as prose: "#1, #2 and #3"."""
    return listing(list(names))


def things(wish: Wish, number: int) -> str:
    """Return what a wish is for, in the number: "lamps", "item"."""
    names = [category.casefold() for category in wish.wanted.categories]
    if len(names) == 1 and names[0].endswith("s") and number != 1:
        return names[0]
    return "item" if number == 1 else "items"


def vary(forms: Sequence[str], turn: Turn) -> str:
    """Return one of `forms`, the next one each turn."""
    return forms[(turn.understanding.state.turns - 1) % len(forms)]
