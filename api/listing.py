"""Results of the pipeline on the wire: records with a score for every channel, a reason and its evidence."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any

from pydantic import BaseModel, Field, TypeAdapter

from agent.explanation import Explained, Explainer
from agent.gate.grounds import Grounds
from agent.gate.vocabulary import ShopWords
from agent.handles import HandleBook
from agent.signals import signals_at
from agent.trace import ToolRun
from api.answers import EvidenceOut, caption_of, picture_address
from api.service import Service
from catalog.items import Catalog
from catalog.nouns import Slate
from tools.base import Shopper
from tools.because import because
from tools.crossmodal.search import Found
from tools.experiment import assignment_of
from tools.pipeline.nouns import PipelineRequest, PipelineResult, Ranked
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

TOLD_STRANGER = "What others like most, since you have looked at nothing here yet."
"""The ground of a list for somebody who did nothing yet, but told something."""


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


class FoundItemOut(ListedOut):
    """One result of a search; `modalities` holds its score in every way it could answer, null where it has nothing.

    `keyword` is BM25; the others (`text`, `caption`, `picture`, `video`, `fused`) are cosines in what `searched` names.
    """

    modalities: dict[str, float | None]


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
    memory: dict[str, list[str]] = Field(
        {},
        description="Ids of what the shopper told, by how it counted: `kept` (to), `liked` (goes first), `set_aside`.",
    )


class SimilarOut(ListOut):
    """What is close to an item."""

    items: list[ListedOut]


class FoundOut(ListOut):
    """What was found."""

    items: list[FoundItemOut]
    cursor: str | None = Field(None, description="Send it back for the next page; null on the last.")
    searched: dict[str, str] = Field({}, description="Which index answered for each modality.")
    heard: str | None = Field(None, description="What the voice said.")
    seen: str | None = Field(None, description="What was read from the picture or the film.")
    left_out: list[str] = Field([], description="What could not be looked at, and which command changes that.")


_LISTED = TypeAdapter(list[ListedOut])
"""Checks a page at one call: one for every piece of evidence takes half as long again."""


def at_once(service: Service) -> threading.Semaphore:
    """Return the room in which a worker makes pages, `api.load.pages` at a time."""
    return threading.BoundedSemaphore(service.config.load.pages)


def listed(result: PipelineResult, request: PipelineRequest, shop: Shop) -> list[ListedOut]:
    """Return the results of a page, each with why it stands there."""
    why = _explained(result, request, shop)
    return _LISTED.validate_python([_listed(ranked, why[ranked.item_id], shop) for ranked in result.ranked])


def found_items(found: Found, shop: Shop) -> list[FoundItemOut]:
    """Return the results of a search, each with why it stands there and its score by modality."""
    each = listed(found.result, found.request, shop)
    return [FoundItemOut(**dict(out), modalities=dict(found.scores[out.item_id])) for out in each]


def header(result: PipelineResult, request_id: str, said: str = "", *, told: bool = False) -> dict[str, Any]:
    """Return what every list says of itself.

    Args:
        result: The list.
        request_id: Of the slate.
        said: What it says of the shopper's memory, "" for nothing.
        told: Whether what the shopper told counted without a word about it.
    """
    ground = TOLD_STRANGER if (said or told) and result.ground == "popularity" else GROUNDS[result.ground]
    text = "Nothing fits in every way; these come nearest." if result.nearest else ground
    return {
        "request_id": request_id,
        "text": f"{text} {said}".rstrip() if result.ranked else "Nothing in the shop fits that.",
        "ground": result.ground,
        "total": result.total,
        "nearest": result.nearest,
        "blocking": result.blocking.as_fact() if result.blocking else None,
    }


def new_request_id() -> str:
    """Return an id under which events may cite what is about to be shown."""
    return uuid.uuid4().hex


def show(result: PipelineResult, shopper: Shopper, service: Service, request_id: str | None = None) -> str:
    """Log what is shown, with the chance of each item at its place, and return the id under which events cite it."""
    request_id = request_id or new_request_id()
    item_ids = tuple(ranked.item_id for ranked in result.ranked)
    chances = tuple(ranked.propensity for ranked in result.ranked)
    now = datetime.now(UTC)
    arm = assignment_of(service.shop, shopper)
    slate = Slate(request_id, shopper.user_id, shopper.session_id, now, item_ids, chances, arm)
    service.shop.events.put_slate(slate)
    return request_id


def _listed(ranked: Ranked, why: Explained, shop: Shop) -> dict[str, Any]:
    """Return the fields of a `ListedOut`."""
    item = shop.catalog[ranked.item_id]
    return {
        "item_id": item.item_id,
        "title": item.title or item.item_id,
        "price": item.price,
        "currency": item.currency,
        "brand": item.brand,
        "rank": ranked.rank,
        "score": ranked.score,
        "channels": {source.name: source.score for source in ranked.sources},
        "reason": why.reason,
        "evidence": [{"kind": e.kind, "name": e.name, "value": e.value, "text": e.text} for e in why.evidence],
        "image": picture_address(item),
        "caption": caption_of(item.item_id, shop),
    }


@cache
def _no_words() -> ShopWords:
    """Return the words of no catalogue: reasons are written from records, and the gate has no say in them."""
    return ShopWords.of(Catalog([]))


def _explained(result: PipelineResult, request: PipelineRequest, shop: Shop) -> Mapping[str, Explained]:
    """Let the agent's explainer give the reasons, as if one of its tools had found the items."""
    grounds = Grounds(shop.catalog, shop.captions, HandleBook(shop.catalog), _no_words())
    if request.query:
        grounds.heard(request.query)
    filters = request.filters.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    found = ToolRun(
        tool=request.mode,
        arguments={"query": request.query, "filters": filters},
        facts={"ground": result.ground},
    )
    signals = signals_at(result.ranked, because(shop, request, result))
    return Explainer(grounds).explain(list(signals), found, signals)
