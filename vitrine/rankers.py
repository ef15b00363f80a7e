"""The served re-ranker and click model, as far as what they were taught with is still there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from catalog.shop_data import ShopData
from catalog.workspace import Workspace
from vitrine.settings import Settings

if TYPE_CHECKING:
    from tools.shop import Shop
    from vitrine.served import Served

AGAIN = "run vitrine train again"


def with_rankers(shop: Shop, settings: Settings, data: ShopData, opened: Served, meta: Mapping[str, Any]) -> Shop:
    """Return the shop with the ranker, the click model and look-ups that have their features.

    One that was taught with something that is gone is left out, and `active` says with what.

    Args:
        shop: With its recommender.
        settings: Say which kinds are positives.
        data: The log.
        opened: The parts of the served version.
        meta: What its training wrote down.
    """
    from vitrine.training import serving_statistics

    told, clicks = meta.get("ranker") or {}, meta.get("ctr") or {}
    lost_ranker = _lost(shop, settings, told) if opened.ranker else None
    lost_ctr = _lost(shop, settings, clicks) if opened.ctr else None
    active = dict(shop.active)
    if lost_ranker:
        active["ranker"] = f"none: it was trained with {lost_ranker}; {AGAIN}"
    if lost_ctr:
        active["click model"] = f"none: it was trained with {lost_ctr}; {AGAIN}"
    ranker = None if lost_ranker else opened.ranker
    ctr = None if lost_ctr else opened.ctr
    scorers = dict(opened.scorers)
    for scorer in scorers.values():
        roles: Mapping[str, str] = meta.get("scorers") or {}
        scorer.add_items({role: shop.spaces[space] for role, space in roles.items() if space in shop.spaces})
    shop = replace(shop, active=active, scorers=scorers)
    if ranker is None and ctr is None:
        return replace(shop, statistics=serving_statistics(settings, data, shop))
    spaces = dict.fromkeys((*(told.get("spaces", ()) if ranker else ()), *(clicks.get("spaces", ()) if ctr else ())))
    statistics = serving_statistics(
        settings, data, shop,
        spaces={space: shop.spaces[space] for space in spaces},
        sources=tuple(told["sources"]) if ranker else None,
        intents=told.get("intents") if ranker else None,
        scorers=tuple(scorers),
    )  # fmt: skip
    parts = (("ranker", ranker), ("click model", ctr))
    unknown = {
        part: gone for part, model in parts if model is not None and (gone := set(model.names) - set(statistics.names))
    }
    for part, gone in unknown.items():
        active[part] = f"none: it was trained with the feature {min(gone)}, which there is no more; {AGAIN}"
    return replace(
        shop,
        statistics=statistics,
        ranker=None if "ranker" in unknown else ranker,
        ctr=None if "click model" in unknown else ctr,
        active=active,
    )


def _lost(shop: Shop, settings: Settings, told: Mapping[str, Any]) -> str | None:
    """Return what a part was taught with and the store has no more; None when all is there."""
    lost = [space for space in told.get("spaces", ()) if space not in shop.spaces]
    if lost:
        return ", ".join(lost)
    said = told.get("intents")
    return f"intents/{said}" if said is not None and not Workspace(settings.store).has(f"intents/{said}") else None
