"""Choosing for the shopper: what they may want, and how they would order given items."""

# ruff: noqa: D417 -- the `Call` is no argument that a caller gives, so `Args` leaves it out
from __future__ import annotations

from dataclasses import replace

from catalog.errors import ToolRetry
from catalog.filters import Filters
from tools.answers import answer
from tools.base import ToolResult
from tools.because import because
from tools.item_ids import resolved_all
from tools.limits import DEFAULT_TOP_N, MAX_ITEMS, ItemIds, Text, TopN
from tools.pipeline.nouns import PipelineRequest
from tools.pipeline.run import run
from tools.recommended import as_asked
from tools.registry import Call, tool
from tools.vocabulary import spoken


@tool(access="read")
def recommend_items(
    call: Call,
    filters: Filters = Filters(),  # noqa: B008  # frozen
    exclude: ItemIds = (),
    top_n: TopN = DEFAULT_TOP_N,
) -> ToolResult:
    """Recommend items to this shopper from what they bought, viewed and rated, this session included.

    What they own, dismissed or returned is left out. For a shopper nobody knows yet these are the popular
    items, and the answer says so in its ground.

    Args:
        filters: What every item must satisfy.
        exclude: Ids not to show, e.g. those shown before.
        top_n: Most items to return.
    """
    shop = call.shop
    wanted, unknown = spoken(filters, shop.facets)
    excluded = resolved_all(shop.catalog, exclude, "exclude")
    request = PipelineRequest(
        call.context.shopper, call.context.now, "recommend", filters=wanted, exclude=excluded, top_n=top_n
    )
    found = (call.context.recommend or as_asked)(shop, request)
    because_of = because(shop, found.request, found.result)
    told = answer("recommend_items", found.request, found.result, unknown=unknown, because=because_of)
    if not found.memory:
        return told
    text = f"{told.text} {found.said}".strip()
    return replace(told, text=text, facts={**told.facts, "memory": found.memory})


@tool(access="read")
def rank_items(call: Call, item_ids: ItemIds, query: Text | None = None) -> ToolResult:
    """Order given items, best first: by how well they match a query, else by this shopper's taste.

    Every item given comes back; none is dropped or added.

    Args:
        item_ids: The items to order.
        query: What matters, in the shopper's words.
    """
    if not item_ids:
        raise ToolRetry("'item_ids' is empty; one or more ids would be valid")
    shop = call.shop
    request = PipelineRequest(
        call.context.shopper,
        call.context.now,
        "rank",
        query=(query or "").strip() or None,
        only=resolved_all(shop.catalog, item_ids, "item_ids"),
        top_n=MAX_ITEMS,
    )
    return answer("rank_items", request, run(shop, request))
