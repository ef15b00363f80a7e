"""The conversation curve: how well the next item a shopper takes is ranked after 0 to 5 constraints they name.

The shopper knows the item they are after and names, one a message, what its record says. Ranked are that item alone
(NDCG@k of one relevant item is 1 / log2(rank + 1)), by four systems over the same shop:

- `search`: a search box, the words of all constraints so far, without the shopper;
- `facets`: the same search with the constraints as exact filters, what a filter column would do;
- `recommender`: the shopper's history, whatever they say;
- `agent`: the conversation.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np

from catalog.items import Catalog
from catalog.progress import SILENT, Progress
from eval.agent.facets import Facets
from eval.agent.harness import Harness
from eval.agent.shopper import phrase
from eval.agent.tasks import Wish
from eval.intervals import bootstrap_interval, paired_test
from eval.metrics import Metric, Values, per_user
from tools.base import Shopper, ToolContext
from tools.registry import Registry

MOST = 5
"""Constraints at the end of the curve; an item whose record says less keeps its last point."""

SYSTEMS = ("search", "facets", "recommender", "agent")
OPENING = "what would you recommend?"


@dataclass(frozen=True, slots=True)
class Case:
    """A shopper, the item they took next, and what its record says, in the order it is named."""

    user_id: str
    item_id: str
    wishes: tuple[Wish, ...]


def cases(catalog: Catalog, held_out: Mapping[str, str], *, n: int, seed: int) -> tuple[Case, ...]:
    """Return up to `n` shoppers whose held-out item is in stock and can be asked for.

    Args:
        catalog: The records.
        held_out: The item each shopper took last, which no system has seen them take.
        n: How many.
        seed: Of the draw and of the order of constraints; the kind of thing comes first, as people begin.
    """
    facets, rng = Facets(catalog), np.random.default_rng(seed)
    users = sorted(held_out)
    found: list[Case] = []
    for row in rng.permutation(len(users)).tolist():
        item = catalog.get(held_out[users[row]])
        if len(found) == n:
            break
        if item is None or item.availability is False:
            continue
        said = list(facets.of(item))
        if item.price is not None and (ceiling := facets.below(item.price)):
            said.append(ceiling)
        said = [said[k] for k in rng.permutation(len(said)).tolist()]
        said.sort(key=lambda wish: wish.field != "category")
        one_each = tuple({wish.slot: wish for wish in reversed(said)}.values())[::-1]
        if one_each:
            found.append(Case(users[row], item.item_id, one_each[:MOST]))
    return tuple(found)


def curve(
    harness: Harness,
    chosen: Sequence[Case],
    *,
    now: datetime,
    k: int = 20,
    seed: int = 0,
    progress: Progress = SILENT,
) -> dict[str, Any]:
    """Rank every case by every system after 0 to `MOST` constraints.

    Args:
        harness: The agent and its shop, which must not know the held-out events.
        chosen: The cases, at least one.
        now: When the tools are called.
        k: Width of a list.
        seed: Of the words and the intervals.
        progress: Told after every case.

    Returns:
        `{"k", "cases", "ndcg": {system: [{"mean", "low", "high"} after 0, 1, ... constraints]},
        "agent_minus": {system: [{"mean", "low", "high", "p"}]}}`.
    """
    places = np.zeros((len(SYSTEMS), MOST + 1, len(chosen)), np.int64)  # rank from 1, 0: not in the list
    progress.start("conversation curve", len(chosen))
    for column, case in enumerate(chosen):
        lists = _lists(harness, case, now, k, np.random.default_rng([seed, column]))
        for row, system in enumerate(SYSTEMS):
            for count, ids in enumerate(lists[system]):
                places[row, count, column] = ids.index(case.item_id) + 1 if case.item_id in ids else 0
        progress.advance()
    progress.finish()
    values = {system: [_ndcg(places[row, count], k) for count in range(MOST + 1)] for row, system in enumerate(SYSTEMS)}
    return {
        "k": k,
        "cases": len(chosen),
        "ndcg": {
            system: [_interval(bootstrap_interval(each, seed=seed)) for each in points]
            for system, points in values.items()
        },
        "agent_minus": {
            system: [_paired(a, b, seed) for a, b in zip(values["agent"], points, strict=True)]
            for system, points in values.items()
            if system != "agent"
        },
    }


def curve_text(found: Mapping[str, Any]) -> str:
    """Return the curve as a table: a row a system, a column a number of constraints."""
    lines = ["".join(["constraints".ljust(14), *(str(count).rjust(24) for count in range(MOST + 1))])]
    for system, points in found["ndcg"].items():
        cells = [f"{point['mean']:.4f} ({point['low']:.4f}-{point['high']:.4f})".rjust(24) for point in points]
        lines.append("".join([system.ljust(14), *cells]))
    return "\n".join([*lines, f"NDCG@{found['k']} of the item taken next, {found['cases']} shoppers, 95% intervals"])


def _lists(harness: Harness, case: Case, now: datetime, k: int, rng: np.random.Generator) -> dict[str, list[list[str]]]:
    """Return each system's list after 0, 1, ... `MOST` constraints."""
    counts = [min(count, len(case.wishes)) for count in range(MOST + 1)]
    registry = Registry(harness.shop)

    def ids(tool: str, user_id: str | None, **arguments: Any) -> list[str]:
        context = ToolContext(Shopper(user_id), now, "curve")
        return [each.item_id for each in registry.call(tool, {**arguments, "top_n": k}, context).candidates]

    said = [OPENING, *(phrase([wish], rng, whole=number == 0) for number, wish in enumerate(case.wishes))]
    talked = asyncio.run(_talk(harness, case.user_id, said, k))
    words = [phrase(case.wishes[:count], rng, whole=False) for count in counts]
    return {
        "search": [ids("search_items", None, **({"query": text} if text else {})) for text in words],
        "facets": [
            ids("search_items", None, query=text, filters=filters_of(case.wishes[:count]))
            if text
            else ids("search_items", None)
            for text, count in zip(words, counts, strict=True)
        ],
        "recommender": [ids("recommend_items", case.user_id)] * (MOST + 1),
        "agent": [talked[count] for count in counts],
    }


async def _talk(harness: Harness, user_id: str, said: Sequence[str], k: int) -> list[list[str]]:
    lists = []
    async for turn in harness.conversation(user_id, said, k):
        lists.append([entry["item_id"] for entry in turn["recommendations"]])
    harness.forget(user_id)
    return lists


def filters_of(wishes: Sequence[Wish]) -> dict[str, Any]:
    """Return wishes as the shop's filters."""
    filters: dict[str, Any] = {}
    for wish in wishes:
        if wish.field == "price":
            filters["price"] = {"max": wish.high}
        elif wish.field == "attribute":
            filters.setdefault("attributes", {})[wish.name] = [wish.value]
        else:
            filters[wish.field] = [wish.value]
    return filters


def _ndcg(places: np.ndarray[Any, np.dtype[np.int64]], k: int) -> Values:
    hit = places[:, None] == np.arange(1, k + 1)
    return per_user(Metric("ndcg", k), hit, np.ones(len(places), np.int64))


def _interval(found: Any) -> dict[str, float]:
    return {"mean": found.mean, "low": found.low, "high": found.high}


def _paired(a: Values, b: Values, seed: int) -> dict[str, float]:
    found = paired_test(a, b, seed=seed)
    return {**_interval(found.difference), "p": found.p}
