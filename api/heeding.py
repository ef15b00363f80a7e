"""Lists that no conversation asked for, with what the shopper told in one put into them."""

from __future__ import annotations

from collections.abc import Callable, Set
from dataclasses import replace
from typing import TypeAlias

from agent.memory.heeding import Heeded
from catalog.filters import Filters
from catalog.ids import no_rows
from catalog.told import Told
from tools.base import Shopper
from tools.experiment import arm_for
from tools.pipeline.nouns import PipelineRequest, Ranked
from tools.pipeline.run import run
from tools.recommended import Recommended
from tools.shop import Shop
from tools.taste import visited

Heed: TypeAlias = Callable[[Filters, Shopper, tuple[Told, ...]], Heeded]
"""What counts for a list under filters of what the store keeps of a shopper (`Agent.heed`)."""


def recommend(heed: Heed, shop: Shop, request: PipelineRequest) -> Recommended:
    """Recommend, and keep to what the shopper told; where that leaves nothing it is set aside, as in a chat."""
    shopper = request.shopper
    past, told = visited(shopper, shop.events, request.now)
    heeded = heed(request.filters, shopper, told)
    request = replace(request, barred=heeded.barred)
    result = run(shop, request, past)
    if not heeded.kept and not heeded.liked:
        return Recommended(request, result)
    aside = bool(heeded.kept) and (result.blocking is not None or not result.ranked)
    if aside:
        request = replace(request, barred=no_rows())
        result = run(shop, request, past)
    pins = {rule.place for rule in arm_for(shop, shopper).pipeline.rules if rule.do == "pin"}
    result = replace(result, ranked=_liked_first(shop, heeded, result.ranked, pins))
    first = shop.catalog[result.ranked[0].item_id] if result.ranked else None
    memory = heeded.account(set_aside=aside, first=first)
    said = heeded.sentence(shopper.session_id, set_aside=aside, first=first) if result.ranked else ""
    return Recommended(request, result, memory, said)


def barring(heed: Heed, shop: Shop, request: PipelineRequest) -> PipelineRequest:
    """Return a look through the catalogue with what the shopper's own words speak against, so that it comes last."""
    told = visited(request.shopper, shop.events, request.now)[1]
    return replace(request, barred=heed(request.filters, request.shopper, told).barred)


def _liked_first(shop: Shop, heeded: Heeded, ranked: tuple[Ranked, ...], pins: Set[int]) -> tuple[Ranked, ...]:
    """Return a page with what the shopper likes first, otherwise as it is; drawn and pinned items keep their places."""
    if not heeded.liked:
        return ranked
    free = [each for each in ranked if each.propensity == 1.0 and each.rank not in pins]
    places = [each.rank for each in free]
    ordered = sorted(free, key=lambda each: -heeded.likings(shop.catalog[each.item_id]))
    moved = {place: replace(each, rank=place) for place, each in zip(places, ordered, strict=True)}
    return tuple(moved.get(each.rank, each) for each in ranked)
