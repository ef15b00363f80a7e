"""The chat answer, in the one form every door gives it (design, section 8)."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from fastapi import Response
from pydantic import BaseModel, Field

from agent.base import Answer, Outcome, ShownRecommendation, Spoken
from api.voice import TranscriptOut, transcript_out
from catalog.nouns import Evidence, Item
from tools.shop import Shop


class EvidenceOut(BaseModel):
    """One fact behind a recommendation."""

    kind: str = Field(examples=["field"])
    name: str = Field(examples=["price"])
    value: Any = Field(examples=[24.0])
    text: str = Field(examples=["24.00 EUR, under your 30 EUR"])


class RecommendationOut(BaseModel):
    """An item of an answer; `title` verbatim from the record, `price` a number or null, `rank` from 1."""

    item_id: str
    title: str
    price: float | None
    currency: str | None
    brand: str | None
    rank: int
    score: float | None
    reason: str
    evidence: list[EvidenceOut]
    image: str | None = Field(description="Address of its picture at this service, or null.")
    caption: str | None = Field(description="What was read from its picture, or null.")


class AnswerOut(BaseModel):
    """A whole turn."""

    outcome: Outcome
    text: str
    recommendations: list[RecommendationOut]
    blocking: dict[str, Any] | None = None
    disclosures: list[str] = []
    session_id: str
    session_restarted: bool = False
    request_id: str
    trace_id: str | None
    transcript: TranscriptOut | None = Field(None, description="What was heard, where the message was spoken.")


def json_of(answer: BaseModel) -> Response:
    """Return an answer as FastAPI would send it, written where it was made.

    A route that returns the model itself has every field checked once more, and written on the event loop: for a page
    of recommendations that took as long as a third of the ranking.
    """
    return Response(answer.__pydantic_serializer__.to_json(answer, by_alias=True), media_type="application/json")


def recommendation_out(shown: ShownRecommendation, shop: Shop) -> RecommendationOut:
    """Return a recommendation with the address of its picture in place of its file."""
    item = shop.catalog.get(shown.item_id)
    return RecommendationOut(
        item_id=shown.item_id,
        title=shown.title,
        price=shown.price,
        currency=shown.currency,
        brand=item.brand if item else None,
        rank=shown.rank,
        score=shown.score,
        reason=shown.reason,
        evidence=[evidence_out(each) for each in shown.evidence],
        image=picture_address(item),
        caption=caption_of(shown.item_id, shop),
    )


def evidence_out(evidence: Evidence) -> EvidenceOut:
    """Return evidence in the wire's form."""
    return EvidenceOut(kind=evidence.kind, name=evidence.name, value=evidence.value, text=evidence.text)


def answer_out(
    answer: Answer, shop: Shop, *, session_restarted: bool = False, spoken: Spoken | None = None
) -> AnswerOut:
    """Return an answer in the wire's form.

    Args:
        answer: As the agent gave it.
        shop: Whose items it names.
        session_restarted: Adds to what the agent itself noticed.
        spoken: What was heard, where the message was spoken.
    """
    return AnswerOut(
        outcome=answer.outcome,
        text=answer.text,
        recommendations=[recommendation_out(each, shop) for each in answer.recommendations],
        blocking=dict(answer.blocking) if answer.blocking else None,
        disclosures=list(answer.disclosures),
        session_id=answer.session_id,
        session_restarted=answer.session_restarted or session_restarted,
        request_id=answer.request_id,
        trace_id=answer.trace_id or None,
        transcript=transcript_out(spoken),
    )


def picture_address(item: Item | None) -> str | None:
    """Return where this service gives the item's first picture, or None."""
    if item is None or not item.images:
        return None
    return f"/v1/items/{quote(item.item_id, safe='')}/picture"


def caption_of(item_id: str, shop: Shop) -> str | None:
    """Return the words read from the item's first picture, or None."""
    captions = shop.captions.get(item_id, ())
    return captions[0].text if captions else None
