"""Records: everything about one item, and a table of several."""

# ruff: noqa: D417 -- the `Call` is no argument that a caller gives, so `Args` leaves it out
from __future__ import annotations

from typing import Any

from catalog.errors import ToolRetry
from catalog.nouns import Candidate
from tools.base import ToolResult
from tools.item_ids import resolved, resolved_all
from tools.limits import ItemIds
from tools.records import comparable, full_record
from tools.registry import Call, tool
from tools.titles import called


@tool(access="read")
def item_details(call: Call, item_id: str) -> ToolResult:
    """Give the full record of one item: price, stock, attributes, description, what its pictures show, variants.

    Args:
        item_id: The item.
    """
    shop = call.shop
    item = shop.catalog[resolved(shop.catalog, item_id, "item_id")]
    return ToolResult(
        text=f"The record of {called(item)}.",
        candidates=(Candidate(item.item_id, 1.0, "item_details"),),
        facts={"item": full_record(shop, item)},
    )


@tool(access="read")
def compare_items(call: Call, item_ids: ItemIds) -> ToolResult:
    """Compare two or more items: a table of the fields in which they differ, and those they share.

    Args:
        item_ids: The items to compare.
    """
    shop = call.shop
    ids = resolved_all(shop.catalog, item_ids, "item_ids")
    if len(ids) < 2:
        raise ToolRetry(f"'item_ids' names {len(ids)} distinct items; two or more would be valid")
    rows = {item_id: comparable(shop.catalog[item_id]) for item_id in ids}
    fields = dict.fromkeys(name for row in rows.values() for name in row)
    differ: dict[str, dict[str, Any]] = {}
    same: dict[str, Any] = {}
    for name in fields:
        values = {item_id: row.get(name) for item_id, row in rows.items()}
        if all(value == values[ids[0]] for value in values.values()):
            same[name] = values[ids[0]]
        else:
            differ[name] = values
    return ToolResult(
        text=f"{len(ids)} items compared: they differ in {', '.join(differ) or 'nothing that is recorded'}.",
        candidates=tuple(Candidate(item_id, 1.0, "compare_items") for item_id in ids),
        facts={"differ": differ, "same": same},
    )
