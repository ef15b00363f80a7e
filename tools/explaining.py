"""Why an item stands where it does for this shopper: the whole evidence in one call."""

# ruff: noqa: D417 -- the `Call` is no argument that a caller gives, so `Args` leaves it out
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from catalog.filters import Filters
from catalog.nouns import Candidate
from tools.answers import ranked_trace
from tools.base import ToolResult
from tools.because import because
from tools.evidence import evidence_of
from tools.item_ids import resolved, resolved_all
from tools.limits import DEFAULT_TOP_N, MAX_ITEMS, ItemIds, Text
from tools.pipeline.nouns import Mode, PipelineRequest, PipelineResult
from tools.pipeline.run import run
from tools.registry import Call, tool
from tools.taste import past_events
from tools.vocabulary import spoken

TOLD_FEATURES = 5
"""Features of the ranker that the answer tells; its trace has all of them."""

TRIED = 10
"""Items of the shopper's past that are tried for one explanation."""


@tool(access="read")
def explain_item(
    call: Call,
    item_id: str,
    query: Text | None = None,
    filters: Filters = Filters(),  # noqa: B008  # frozen
    like: ItemIds = (),
) -> ToolResult:
    """Tell why an item is shown to this shopper, or why it is not.

    What found it and how high, which words of the wish stand where in its record and captions, which of the
    shopper's own events it would stand lower without, and which features moved it. With a query or filters it is
    looked at as a result of that search, with examples as one of what resembles them, else as a recommendation.

    Args:
        item_id: The item.
        query: What was searched for, in the shopper's words.
        filters: What every result had to satisfy.
        like: Ids of the items that the results were to resemble.
    """
    shop, context = call.shop, call.context
    item_id = resolved(shop.catalog, item_id, "item_id")
    wanted, _ = spoken(filters, shop.facets)
    query = (query or "").strip() or None
    examples = tuple(each for each in resolved_all(shop.catalog, like, "like") if each != item_id)
    mode: Mode = "recommend" if query is None and wanted.empty and not examples else "search"
    if examples and query is None:
        mode = "similar"
    reach = max(shop.pipeline.pool, 3 * DEFAULT_TOP_N)
    request = PipelineRequest(
        context.shopper, context.now, mode, query, wanted, like=examples, top_n=MAX_ITEMS, reach=reach
    )
    result = run(shop, request)
    about = (Candidate(item_id, 1.0, "explain_item"),)
    ranked = next((each for each in result.ranked if each.item_id == item_id), None)
    if ranked is None:
        reason = _absent(result, item_id)
        facts: dict[str, Any] = {"shown": False, "reason": reason, "total": result.total, "ground": result.ground}
        return ToolResult(f"It is not among the first {len(result.ranked)}: {reason}.", about, facts, result.trace)
    past = past_events(context.shopper, shop.events, context.now)
    page = result
    if ranked.rank <= DEFAULT_TOP_N:
        page, request = replace(result, ranked=result.ranked[:DEFAULT_TOP_N]), replace(request, top_n=DEFAULT_TOP_N)
    found = because(shop, request, page, past=past, tried=TRIED)
    said = " ".join([query or "", *values_of(wanted.model_dump(mode="json", exclude={"not"}, by_alias=True))])
    every = [ranked_trace(each, found) for each in result.ranked]
    entry, sources = every[result.ranked.index(ranked)], result.trace["sources"]
    evidence = evidence_of(shop, entry, proposed=sources, others=every, said=said, past=past)
    facts = {"shown": True, "total": result.total, "ground": result.ground, "evidence": _told(evidence)}
    near = ranked.closest
    if near is not None and near.item_id in examples:
        title = shop.catalog[near.item_id].title
        facts["like"] = {"item_id": near.item_id, "title": title, "likeness": round(near.cosine, 4)}
    return ToolResult(
        _sentence(evidence, result, facts.get("like")), about, facts, {**result.trace, "evidence": evidence}
    )


def values_of(filters: Any) -> list[str]:
    """Return every text asked for in filters, in order."""
    if isinstance(filters, Mapping):
        return [value for inner in filters.values() for value in values_of(inner)]
    if isinstance(filters, list | tuple):
        return [value for inner in filters for value in values_of(inner)]
    return [filters] if isinstance(filters, str) else []


def _absent(result: PipelineResult, item_id: str) -> str:
    dropped = result.trace.get("drops", {}).get(item_id)
    if item_id in result.unavailable:
        return "it is out of stock"
    if dropped:
        return str(dropped)
    holder = next((shown for shown, variants in result.variants.items() if item_id in variants), None)
    if holder is not None:
        return "a variant of it has its place"
    hidden = [name for name, rows in result.trace["stages"][1]["hidden"].items() if rows]
    return f"others come first, or it is hidden by {' or '.join(hidden)}" if hidden else "others come first"


def _told(evidence: Mapping[str, Any]) -> dict[str, Any]:
    """Return the evidence without the texts that words stand in, and with the strongest features alone."""
    words = [{name: value for name, value in each.items() if name != "text"} for each in evidence["words"]]
    return {**evidence, "words": words, "features": evidence["features"][:TOLD_FEATURES]}


def _sentence(evidence: Mapping[str, Any], result: PipelineResult, like: Mapping[str, Any] | None) -> str:
    parts = [f"It stands at place {evidence['rank']} of {result.total}"]
    if like is not None:
        parts.append(f"its likeness to {like['title'] or like['item_id']} is {like['likeness']:.2f}")
    if evidence["signals"]:
        first = evidence["signals"][0]
        parts.append(f"{first['name']} has it at {first['rank']} of {first['of']}")
    words = list(dict.fromkeys(each["word"].casefold() for each in evidence["words"]))
    if words:
        parts.append(f"it says {', '.join(words[:4])}")
    moved = [each for each in evidence["events"] if each["moved"] and each["title"]]
    if moved:
        place = f"at {moved[0]['place_without']}" if moved[0]["place_without"] else "lower"
        parts.append(f"without {moved[0]['title']} in the shopper's past it would stand {place}")
    return "; ".join(parts) + "."
