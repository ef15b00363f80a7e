"""`vitrine find`: a query of words, picture, voice and film over the open shop, as a table or as JSON."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

from agent.money import price_text
from catalog.errors import ConfigError
from catalog.filters import Filters
from catalog.plain_text import one_line
from tools.base import Shopper
from tools.crossmodal.config import Modality
from tools.crossmodal.media import read_query
from tools.crossmodal.search import Found, find
from tools.pipeline.nouns import PipelineRequest
from tools.shop import Shop
from tools.vocabulary import spoken

MODALITIES: tuple[Modality, ...] = get_args(Modality)
TITLE = 34


@dataclass(frozen=True)
class Wanted:
    """What the command line asks for."""

    text: str | None = None
    picture: Path | None = None
    voice: Path | None = None
    video: Path | None = None
    filters: Filters = field(default_factory=Filters)
    user_id: str | None = None
    top_n: int = 10


def find_in(shop: Shop, wanted: Wanted) -> Found:
    """Search the open shop.

    Raises:
        ConfigError: When nothing is asked for.
        MediaError: When a file cannot be decoded, or nobody is heard in it.
        NotBuiltError: When nothing here can look at it.
        ToolRetry: When a filter names an attribute that no item has.
    """
    media = {"picture": wanted.picture, "voice": wanted.voice, "video": wanted.video}
    if not (wanted.text or "").strip() and not any(media.values()):
        raise ConfigError("nothing is looked for: words, --picture, --voice or --video would be valid")
    query = read_query(shop.senses, wanted.text, **media)
    filters, _ = spoken(wanted.filters, shop.facets)
    request = PipelineRequest(Shopper(wanted.user_id), datetime.now(UTC), filters=filters, top_n=wanted.top_n)
    return find(shop, query, request)


def found_text(shop: Shop, found: Found) -> str:
    """Return the results as a table with a column a modality, and what was made of the query above it."""
    lines = []
    if found.wish.heard:
        lines.append(f"heard: {one_line(found.wish.heard)}")
    if found.wish.seen:
        lines.append(f"seen: {one_line(found.wish.seen)}")
    lines += [f"left out: {one_line(each)}" for each in found.wish.left_out]
    if not found.result.ranked:
        return "\n".join([*lines, "Nothing in the shop fits that."])
    if found.result.nearest:
        lines.append("Nothing fits in every way; these come nearest.")
    asked = [modality for modality in MODALITIES if modality in found.searched]
    ids = max(len(each.item_id) for each in found.result.ranked)
    names = "".join(f"{name:>9}" for name in asked)
    lines.append(f"{'':>3}  {'item':<{ids}}  {'title':<{TITLE}}  {'price':>12}{names}")
    for each in found.result.ranked:
        item, scores = shop.catalog[each.item_id], found.scores[each.item_id]
        title = one_line(item.title or item.item_id)
        cells = "".join(f"{_score(scores.get(name)):>9}" for name in asked)
        price = price_text(item.price, item.currency) or "-"
        cut = title if len(title) <= TITLE else f"{title[: TITLE - 1]}…"
        lines.append(f"{each.rank:>3}  {each.item_id:<{ids}}  {cut:<{TITLE}}  {price:>12}{cells}")
    return "\n".join(lines)


def found_json(shop: Shop, found: Found) -> str:
    """Return the results as JSON; scores by modality, null where an item has nothing to compare."""
    items: list[dict[str, Any]] = []
    for each in found.result.ranked:
        item, scores = shop.catalog[each.item_id], found.scores[each.item_id]
        items.append(
            {
                "rank": each.rank, "item_id": each.item_id, "title": item.title, "price": item.price,
                "currency": item.currency, "score": round(each.score, 6), "modalities": dict(scores),
            }
        )  # fmt: skip
    told = {
        "total": found.result.total,
        "nearest": found.result.nearest,
        "blocking": found.result.blocking.as_fact() if found.result.blocking else None,
        "searched": dict(found.searched),
        "heard": found.wish.heard,
        "seen": found.wish.seen,
        "left_out": list(found.wish.left_out),
        "items": items,
    }
    return json.dumps(told, indent=2, ensure_ascii=False)


def _score(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
