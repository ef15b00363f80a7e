"""Results of the pipeline on the wire: records with a score for every channel, a reason and its evidence."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel, Field

from api.answers import EvidenceOut, caption_of, picture_address
from api.service import Service
from catalog.nouns import Item, Slate
from tools.base import Shopper
from tools.pipeline.nouns import PipelineResult, Ranked
from tools.shop import Shop

GROUNDS = {
    "history": "Chosen from what you bought and looked at before.",
    "session": "Chosen from what you looked at just now.",
    "content": "Chosen by what the pieces are, since there is little of your past to go by.",
    "popularity": "What others like most, since nothing is known of you yet.",
    "query": "The best match for your words comes first.",
    "example": "The nearest comes first.",
    "catalogue": "In the order you asked for.",
}
REASONS = {
    "history": "Fits what you chose before",
    "session": "Fits what you looked at just now",
    "content": "Fits by what it is",
    "popularity": "Liked by many",
    "query": "Fits your words",
    "example": "Close to the example",
    "catalogue": "Fits your filters",
}


class ListedOut(BaseModel):
    """One result; `channels` holds the score of every retriever that proposed it, each on its own scale."""

    item_id: str
    title: str
    price: float | None
    currency: str | None
    brand: str | None
    rank: int
    score: float | None
    channels: dict[str, float]
    reason: str
    evidence: list[EvidenceOut]
    image: str | None
    caption: str | None


class ListOut(BaseModel):
    """A page of results and what its order rests on."""

    request_id: str
    text: str = Field(description="One sentence for a person.")
    ground: str
    total: int
    nearest: bool = Field(description="Nothing fits exactly; these come nearest.")
    blocking: dict[str, Any] | None = Field(None, description="The constraint that leaves nothing.")


class RecommendationsOut(ListOut):
    """What the shop would show this shopper."""

    recommendations: list[ListedOut]


class FoundOut(ListOut):
    """What was found."""

    items: list[ListedOut]
    cursor: str | None = Field(None, description="Send it back for the next page; null on the last.")


def listed(result: PipelineResult, shop: Shop) -> list[ListedOut]:
    """Return the results of a page."""
    return [_listed(ranked, result, shop) for ranked in result.ranked]


def header(result: PipelineResult, request_id: str) -> dict[str, Any]:
    """Return what every list says of itself."""
    text = "Nothing fits in every way; these come nearest." if result.nearest else GROUNDS[result.ground]
    return {
        "request_id": request_id,
        "text": text if result.ranked else "Nothing in the shop fits that.",
        "ground": result.ground,
        "total": result.total,
        "nearest": result.nearest,
        "blocking": result.blocking.as_fact() if result.blocking else None,
    }


def show(result: PipelineResult, shopper: Shopper, service: Service) -> str:
    """Log what is shown and return the id under which events may cite it."""
    request_id = uuid.uuid4().hex
    item_ids = tuple(ranked.item_id for ranked in result.ranked)
    now = datetime.now(UTC)
    slate = Slate(request_id, shopper.user_id, shopper.session_id, now, item_ids, (1.0,) * len(item_ids))
    service.shop.events.put_slate(slate)
    return request_id


def _listed(ranked: Ranked, result: PipelineResult, shop: Shop) -> ListedOut:
    item = shop.catalog[ranked.item_id]
    return ListedOut(
        item_id=item.item_id,
        title=item.title or item.item_id,
        price=item.price,
        currency=item.currency,
        brand=item.brand,
        rank=ranked.rank,
        score=ranked.score,
        channels={source.name: source.score for source in ranked.sources},
        reason=_reason(ranked, result, shop),
        evidence=_evidence(ranked, item, shop),
        image=picture_address(item),
        caption=caption_of(item.item_id, shop),
    )


def _reason(ranked: Ranked, result: PipelineResult, shop: Shop) -> str:
    closest = ranked.closest and shop.catalog.get(ranked.closest.item_id)
    if ranked.matched:
        return f"{REASONS[result.ground]}: {', '.join(match.word for match in ranked.matched[:4])}."
    if closest and closest.title:
        verb = _VERBS.get(ranked.closest.why if ranked.closest else "", "is close to")
        return f"Close to {closest.title}, which {verb}." if verb != "is close to" else f"Close to {closest.title}."
    return f"{REASONS[result.ground]}."


_VERBS = {
    "purchase": "you bought",
    "cart": "you put in your basket",
    "view": "you looked at",
    "click": "you looked at",
    "rating": "you rated",
    "praise": "you praised",
}


def _evidence(ranked: Ranked, item: Item, shop: Shop) -> list[EvidenceOut]:
    found: list[EvidenceOut] = []
    for match in ranked.matched:
        text = f"“{match.word}” stands in its {' and '.join(match.fields)}"
        kind = "caption" if match.fields == ("caption",) else "field"
        found.append(EvidenceOut(kind=kind, name=match.fields[0], value=match.word, text=text))
    if ranked.closest is not None and ranked.closest.item_id in shop.catalog:
        near = shop.catalog[ranked.closest.item_id]
        text = f"{ranked.closest.cosine:.0%} alike {near.title or near.item_id} in {ranked.closest.space}"
        kind = "signal" if ranked.closest.why == "example" else "event"
        found.append(EvidenceOut(kind=kind, name=ranked.closest.why, value=near.item_id, text=text))
    for source in ranked.sources:
        text = f"{source.name} put it at place {source.rank}"
        found.append(EvidenceOut(kind="signal", name=source.name, value=source.score, text=text))
    if item.rating is not None:
        text = f"rated {item.rating} of 5" + (f" by {item.rating_count}" if item.rating_count else "")
        found.append(EvidenceOut(kind="field", name="rating", value=item.rating, text=text))
    return found
