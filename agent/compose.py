"""The answer of a turn: which items, in which order, with which outcome, put together outside the mind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agent.base import Outcome, ShownRecommendation
from agent.explanation import Explained, Explainer
from agent.money import price_text
from agent.tooling import TurnTools
from agent.trace import ToolRun

FINDS = frozenset({"search_items", "search_by_picture", "similar_items", "recommend_items", "rank_items"})
"""Tools whose items are recommendations; the items of others are what the answer speaks of."""


@dataclass(frozen=True)
class Composed:
    """Everything about the answer but its prose.

    Attributes:
        asks: Questions of writes that wait for the shopper's yes; they must be read before a yes can mean them.
    """

    outcome: Outcome
    recommendations: tuple[ShownRecommendation, ...]
    blocking: Mapping[str, Any] | None
    dropped: tuple[dict[str, str], ...]
    asks: tuple[str, ...] = ()


def compose(
    turn: TurnTools, named: Sequence[str] | None, text: str, top_n: int, explainer: Explainer, *, failed: bool = False
) -> Composed:
    """Return the answer's items and outcome.

    Args:
        turn: What the tools gave.
        named: Items in the order the mind first named them; None: it named none, so the tool's order stands.
        text: The answer as the shopper reads it.
        top_n: Ceiling.
        explainer: Writes reasons.
        failed: Whether the turn ended in a bug; what is known is still given.
    """
    shop = turn.registry.shop
    run = _deciding(turn)
    found = run.items if run is not None and (run.tool in FINDS or failed) else ()
    pool = found if named is None else named
    known = [item_id for item_id in dict.fromkeys(pool) if item_id in shop.catalog]
    if known and run is not None and run.tool in FINDS:
        # What is sold out is offered only where the search itself gave it, as when the shopper asked for it.
        offered = [i for i in known if shop.catalog[i].availability is not False or i in run.items]
        known = offered or [i for i in run.items if i in shop.catalog]
    chosen = known[:top_n]
    explained = _explained(turn, chosen, run, explainer)
    shown = tuple(
        _shown(turn, item_id, rank, explained[item_id].reason, explained[item_id].evidence)
        for rank, item_id in enumerate(chosen, start=1)
    )
    blocking = _blocking(run)
    outcome: Outcome = "error" if failed else _outcome(turn, run, bool(shown), text, blocking)
    rest = [i for i in (run.items if run is not None else ()) if i not in chosen]
    dropped = [{"item_id": i, "reason": "beyond top_n" if i in known else "not named in the answer"} for i in rest]
    asks = tuple(each.text for each in turn.runs if "needs_confirmation" in each.facts and not each.memory)
    return Composed(outcome, shown, blocking if outcome in ("nearest", "nothing") else None, tuple(dropped), asks)


def _explained(
    turn: TurnTools, chosen: Sequence[str], run: ToolRun | None, explainer: Explainer
) -> Mapping[str, Explained]:
    """Explain each item by the call that found it: of two wishes in one message each has its own."""
    finds = [each for each in turn.runs if each.tool in FINDS and each.error is None and not each.memory]
    by_run: dict[int, list[str]] = {}
    for item_id in chosen:
        own = run is not None and item_id in run.items
        found = None if own else next((n for n, each in enumerate(finds) if item_id in each.items), None)
        by_run.setdefault(-1 if found is None else found, []).append(item_id)
    told: dict[str, Explained] = {}
    for number, item_ids in by_run.items():
        told |= explainer.explain(item_ids, run if number < 0 else finds[number])
    return told


def plain_text(composed: Composed) -> str:
    """Return what is said when a mind's own words are missing: true, and not much."""
    if not composed.recommendations:
        if composed.outcome == "nothing":
            return "I found nothing that fits."
        return "I could not find an answer to that. Could you put it in other words?"
    lead = "Nothing fits exactly; the nearest I found: " if composed.outcome == "nearest" else "Here is what I found: "
    return lead + "; ".join(_line(each) for each in composed.recommendations[:3]) + "."


def _line(shown: ShownRecommendation) -> str:
    price = price_text(shown.price, shown.currency)
    return f"{shown.title}, {price}" if price else shown.title


def _deciding(turn: TurnTools) -> ToolRun | None:
    """Return the call the answer rests on: the last that found items, else the last that gave any."""
    finds = [run for run in turn.runs if run.tool in FINDS and run.error is None and not run.memory]
    filled = [run for run in finds if run.items]
    if filled or finds:
        return (filled or finds)[-1]
    return turn.last_with_items() or next((run for run in reversed(turn.runs) if run.error is None), None)


def _blocking(run: ToolRun | None) -> Mapping[str, Any] | None:
    found = run.facts.get("blocking") if run is not None else None
    return found if isinstance(found, Mapping) and found else None


def _outcome(
    turn: TurnTools, run: ToolRun | None, shows: bool, text: str, blocking: Mapping[str, Any] | None
) -> Outcome:
    looked = run is not None and run.tool in FINDS
    if shows:
        if not looked or run is None:
            return "answered"
        return "nearest" if blocking is not None or run.facts.get("nearest") else "recommended"
    if looked:
        return "nothing"
    if not any(each.error is None for each in turn.runs) and text.rstrip().endswith(("?", "？")):
        return "question"
    return "question" if turn.asked else "answered"


def _shown(turn: TurnTools, item_id: str, rank: int, reason: str, evidence: Sequence[Any]) -> ShownRecommendation:
    item = turn.registry.shop.catalog[item_id]
    candidate = turn.found.get(item_id)
    return ShownRecommendation(
        item_id=item_id,
        title=item.title or item.item_id,
        price=item.price,
        currency=item.currency,
        rank=rank,
        score=round(float(candidate.score), 6) if candidate is not None else 0.0,
        reason=reason,
        evidence=tuple(evidence),
        image=item.images[0] if item.images else None,
    )
