"""Facts of the whole catalogue: counts, prices, extremes, values."""

# ruff: noqa: D417 -- the `Call` is no argument that a caller gives, so `Args` leaves it out
from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from pydantic import Field

from catalog.errors import ToolRetry, did_you_mean
from catalog.filters import Filters
from catalog.nouns import Candidate
from catalog.vectors import Mask
from tools.base import ToolResult
from tools.limits import MAX_ITEMS
from tools.records import record
from tools.registry import Call, tool
from tools.relaxation import blocking, constraints
from tools.shop import Shop
from tools.vocabulary import attribute_name, spoken


@tool(access="read")
def catalogue_facts(
    call: Call,
    filters: Filters = Filters(),  # noqa: B008  # frozen
    group_by: str | None = None,
    top: Annotated[int, Field(ge=1, le=MAX_ITEMS)] = 10,
) -> ToolResult:
    """Count and measure everything in the shop that passes the filters, not one page of results.

    Gives how many items there are and how many are in stock, the lowest, median and highest price with the
    cheapest and the dearest item, and, grouped by a field, its values with their counts.

    Args:
        filters: What to count; everything when left out.
        group_by: A field whose values to count: brand, category, or an attribute such as colour.
        top: Most values to list when grouping.
    """
    shop = call.shop
    wanted, unknown = spoken(filters, shop.facets)
    mask = shop.facets.mask(wanted)
    allowed = np.ones(len(shop.catalog), np.bool_) if mask is None else mask
    count = int(allowed.sum())
    facts: dict[str, Any] = {
        "count": count,
        "in_catalogue": len(shop.catalog),
        "in_stock": int((allowed & shop.in_stock).sum()),
        **_prices(shop, allowed),
    }
    if not wanted.empty:
        facts["filters"] = wanted.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    if group_by is not None:
        facts |= _groups(shop, group_by, allowed, top)
    if unknown:
        facts["unknown"] = [{"field": u.field, "value": u.value, "closest": list(u.closest)} for u in unknown]
    blocked = blocking(constraints(wanted, shop.facets)) if not count else None
    if blocked is not None:
        facts["blocking"] = blocked.as_fact()
    ends = dict.fromkeys(facts[name]["item_id"] for name in ("cheapest", "dearest") if name in facts)
    return ToolResult(
        text=_sentence(facts),
        candidates=tuple(Candidate(item_id, 1.0, "catalogue_facts") for item_id in ends),
        facts=facts,
    )


def _prices(shop: Shop, allowed: Mask) -> dict[str, Any]:
    span = shop.facets.price_span(allowed)
    if span is None:
        return {}
    priced = [shop.catalog.items[row] for row in np.flatnonzero(allowed) if shop.catalog.items[row].price is not None]
    currencies = sorted({item.currency for item in priced if item.currency is not None})
    price: dict[str, Any] = {"count": span.count, "min": span.min, "median": span.median, "max": span.max}
    if len(currencies) == 1:
        price["currency"] = currencies[0]
    elif currencies:
        # Amounts of different currencies do not compare; whoever states them must know.
        price["currencies"] = currencies
    return {
        "price": price,
        "cheapest": record(shop.catalog[span.cheapest]),
        "dearest": record(shop.catalog[span.dearest]),
    }


def _groups(shop: Shop, group_by: str, allowed: Mask, top: int) -> dict[str, Any]:
    facet = group_by.removeprefix("attributes.")
    known = facet.casefold() if facet.casefold() in shop.facets.facets else attribute_name(facet, shop.facets)
    if known is None:
        hint = did_you_mean(group_by, list(shop.facets.facets[:50]))
        raise ToolRetry(f"'group_by' is {group_by!r}, which no item has. {hint}")
    counts = shop.facets.counts(known, allowed)
    return {
        "group_by": known,
        "groups": [{"value": each.value, "count": each.count} for each in counts[:top]],
        "distinct": len(counts),
    }


def _sentence(facts: dict[str, Any]) -> str:
    items = f"{facts['count']} of {facts['in_catalogue']} items"
    price = facts.get("price")
    if price is None:
        return f"{items}{' pass, none with a price' if facts['count'] else ' pass'}."
    money = f" {price['currency']}" if "currency" in price else ""
    return f"{items} pass, {facts['in_stock']} in stock, priced {price['min']:.2f} to {price['max']:.2f}{money}."
