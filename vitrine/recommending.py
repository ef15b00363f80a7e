"""`vitrine recommend`: a list as the shop would serve it, and what every stage of the pipeline did to it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from agent.memory.heeding import NOTHING, Heeded
from agent.minds import ShopPlanner
from agent.money import price_text
from api.heeding import recommend
from catalog.filters import Filters
from catalog.plain_text import one_line
from catalog.told import Told
from tools.answers import ranked_trace
from tools.base import Shopper
from tools.pipeline.nouns import PipelineRequest, PipelineResult
from tools.shop import Shop

TITLE = 34
WHY = 4
"""Features of most weight that a line names."""


def recommended(shop: Shop, user_id: str | None, top_n: int, request_id: str | None = None) -> PipelineResult:
    """Return what the shop would recommend now.

    Args:
        shop: Open.
        user_id: Shopper; None: a stranger.
        top_n: How many.
        request_id: Draws the exploration slots as this request would; None: nothing is drawn.
    """
    request = PipelineRequest(Shopper(user_id), datetime.now(UTC), "recommend", top_n=top_n, request_id=request_id)
    planner = ShopPlanner(shop.catalog, shop.embedder, shop.captions)

    def heed(filters: Filters, shopper: Shopper, told: tuple[Told, ...]) -> Heeded:
        return planner.heed(filters, told) if told else NOTHING

    return recommend(heed, shop, request).result


def recommended_json(result: PipelineResult) -> str:
    """Return the list with its evidence, and the trace, as JSON."""
    ranked = [
        {**ranked_trace(each), "contributions": dict(each.contributions), "propensity": each.propensity}
        for each in result.ranked
    ]
    told = {"ground": result.ground, "total": result.total, "ranked": ranked, "trace": dict(result.trace)}
    return json.dumps(told, indent=2, ensure_ascii=False)


def recommended_text(shop: Shop, result: PipelineResult) -> str:
    """Return the list, each with who proposed it and what moved it, then the stages."""
    lines = [f"on the ground of {result.ground}"]
    ids = max((len(each.item_id) for each in result.ranked), default=4)
    for each in result.ranked:
        item = shop.catalog[each.item_id]
        title = one_line(item.title or each.item_id)
        cut = title if len(title) <= TITLE else f"{title[: TITLE - 1]}…"
        price = price_text(item.price, item.currency) or "-"
        lines.append(f"{each.rank:>3}  {each.item_id:<{ids}}  {cut:<{TITLE}}  {price:>12}  {each.score:.3f}")
        said = ", ".join(f"{source.name} {source.rank}" for source in each.sources) or "nobody"
        rules = [name for name in each.features if name.startswith("rule.")]
        moved = [*rules, *list(each.contributions)[:WHY], *(["explored"] if "explored" in each.features else [])]
        chance = f"; chance {each.propensity:.3f}" if each.propensity < 1 else ""
        lines.append(f"     proposed by {said}{'; by ' if moved else ''}{', '.join(moved)}{chance}")
    lines += ["", *(_stage(stage) for stage in result.trace["stages"])]
    for title, counted in (("proposed", result.trace["sources"]), ("dropped", result.trace["dropped"])):
        lines.append(f"{title}: {', '.join(f'{name} {n}' for name, n in counted.items()) or 'nothing'}")
    lines += [f"degraded: {each}" for each in result.trace["degraded"]]
    return "\n".join(lines)


def _stage(stage: dict[str, Any]) -> str:
    told = {name: value for name, value in stage.items() if name not in ("stage", "ms")}
    return f"{stage['stage']:>9} {stage['ms']:8.2f} ms  {', '.join(f'{name} {value}' for name, value in told.items())}"
