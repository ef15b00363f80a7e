"""Finding items: by words, filters and examples, and by likeness to one item."""

# ruff: noqa: D417 -- the `Call` is no argument that a caller gives, so `Args` leaves it out
from __future__ import annotations

from catalog.errors import ToolInapplicable
from catalog.filters import Filters
from tools.answers import answer
from tools.base import ToolResult
from tools.cursor import cursor_at, page_of
from tools.item_ids import resolved, resolved_all
from tools.limits import DEFAULT_TOP_N, ItemIds, Text, TopN
from tools.pipeline.nouns import PipelineRequest, Sort
from tools.pipeline.run import run
from tools.registry import Call, tool
from tools.spaces import Aspect, spaces_of
from tools.vocabulary import spoken


@tool(access="read")
def search_items(
    call: Call,
    query: Text | None = None,
    filters: Filters = Filters(),  # noqa: B008  # frozen
    like: ItemIds = (),
    unlike: ItemIds = (),
    sort: Sort = "relevance",
    top_n: TopN = DEFAULT_TOP_N,
    cursor: str | None = None,
) -> ToolResult:
    """Find items of the shop by free words, by exact constraints, by examples, or any mix of them.

    What must hold (price, brand, category, colour, material, stock) belongs in the filters, what it should
    be like in the query. When nothing fits, the answer names the constraint that leaves nothing and gives
    the nearest items instead. Out-of-stock items are left out unless asked for.

    Args:
        query: What is wanted, in the shopper's words.
        filters: What every item must satisfy.
        like: Ids of items the results should resemble.
        unlike: Ids of items the results should not resemble.
        sort: Order of the results; with a query, only items that match it well are sorted.
        top_n: Most items to return.
        cursor: The cursor of the previous page of this same search, for the next page.
    """
    shop = call.shop
    wanted, unknown = spoken(filters, shop.facets)
    liked, unliked = resolved_all(shop.catalog, like, "like"), resolved_all(shop.catalog, unlike, "unlike")
    query = (query or "").strip() or None
    same = {"query": query, "filters": wanted.model_dump(mode="json"), "like": liked, "unlike": unliked, "sort": sort}
    browsing = query is None and not liked and sort != "relevance"
    first = len(shop.catalog) if browsing else max(shop.pipeline.pool, 3 * top_n)
    offset, reach = page_of(cursor, same, first)
    request = PipelineRequest(
        call.context.shopper, call.context.now, "search", query, wanted, liked, unliked, sort=sort, top_n=top_n,
        offset=offset, reach=reach,
    )  # fmt: skip
    result = run(shop, request)
    end = offset + len(result.ranked)
    more = cursor_at(end, same, reach) if result.ranked and end < result.total else None
    return answer("search_items", request, result, unknown=unknown, cursor=more)


@tool(access="read")
def similar_items(
    call: Call,
    item_id: str,
    aspect: Aspect = "both",
    filters: Filters = Filters(),  # noqa: B008  # frozen
    top_n: TopN = DEFAULT_TOP_N,
) -> ToolResult:
    """Find items like one item; the item itself and its variants are left out.

    Args:
        item_id: The item to resemble.
        aspect: In its look (what pictures show), in its words (title, description, attributes), or both.
        filters: What every result must satisfy, e.g. a price below the item's own.
        top_n: Most items to return.
    """
    shop = call.shop
    example = resolved(shop.catalog, item_id, "item_id")
    spaces = spaces_of(shop, aspect)
    if aspect == "look" and not any(example in shop.spaces[space].ids for space in spaces):
        raise ToolInapplicable(f"nothing was read from the pictures of {example!r}; aspect 'words' or 'both' may do")
    wanted, unknown = spoken(filters, shop.facets)
    request = PipelineRequest(
        call.context.shopper, call.context.now, "similar", filters=wanted, like=(example,), spaces=spaces, top_n=top_n
    )
    return answer("similar_items", request, run(shop, request), unknown=unknown)
