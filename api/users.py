"""What shoppers and guests told the shop, shown and erased, and a shopper who wants to be forgotten."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field

from api.fields import ExternalId, SessionId
from api.service import Service
from catalog.told import Told


class ForgottenOut(BaseModel):
    """What was erased; 0 where nothing was known, so that asking twice does no harm."""

    user_id: str
    events: int
    conversations: int


class ToldOut(BaseModel):
    """One thing a shopper told of themselves."""

    entry_id: str
    kind: Literal["like", "dislike", "size", "budget"]
    facet: str = Field(examples=["attribute.colour"])
    value: str = Field(examples=["red"])
    about: str | None = Field(description="The kind of thing a size is of.", examples=["shoes"])
    text: str = Field(examples=["You do not like red."])
    words: str = Field(description="The shopper's own sentence.", examples=["I can't stand red"])
    told_at: datetime
    session_id: str | None = Field(description="The conversation it was said in.")
    request_id: str | None = Field(description="The answer to it.")


class MemoryOut(BaseModel):
    """What a shopper told of themselves, the latest first."""

    user_id: str
    entries: list[ToldOut]


class ErasedOut(BaseModel):
    """How many entries were erased; 0 where there were none, so that asking twice does no harm."""

    user_id: str
    forgotten: int


class GuestMemoryOut(BaseModel):
    """What the guest of a conversation told of themselves, the latest first."""

    session_id: str
    entries: list[ToldOut]


class GuestErasedOut(BaseModel):
    """How many entries were erased; 0 where there were none, so that asking twice does no harm."""

    session_id: str
    forgotten: int


WhoseId = Annotated[ExternalId, Path(description="Whose.")]
GuestsId = Annotated[SessionId, Path(description="The conversation; who knows its id is its guest.")]
EntryId = Annotated[str, Path(description="`entry_id` of the entry.", pattern=r"^told-[0-9a-f]{12}$")]


def user_routes(service: Service) -> APIRouter:
    """Return the router of the doors to one shopper's data."""
    router = APIRouter(tags=["users"])

    @router.get("/v1/users/{user_id:id}/memory", summary="What a shopper told of themselves")
    def memory(user_id: WhoseId) -> MemoryOut:
        """Return sizes, budget, likes and dislikes, each with the shopper's own words and the date."""
        told = service.shop.events.told_by(user_id)
        return MemoryOut(user_id=user_id, entries=_entries(told))

    @router.delete("/v1/users/{user_id:id}/memory/{entry_id:id}", summary="Forget one thing a shopper told")
    def forget_one(user_id: WhoseId, entry_id: EntryId) -> ErasedOut:
        """Erase it from the store and the open conversations, with the shopper's traces that speak of it."""
        return ErasedOut(user_id=user_id, forgotten=service.now().agent.forget_told(user_id, entry_id))

    @router.delete("/v1/users/{user_id:id}/memory", summary="Forget all that a shopper told")
    def forget_all(user_id: WhoseId) -> ErasedOut:
        """Erase all of it; events, lists shown and conversations stay."""
        return ErasedOut(user_id=user_id, forgotten=service.now().agent.forget_told(user_id))

    @router.get("/v1/sessions/{session_id:id}/memory", summary="What a guest told of themselves")
    def guest_memory(session_id: GuestsId) -> GuestMemoryOut:
        """Return what was told in a conversation that nobody has signed in on; none of one that is over."""
        return GuestMemoryOut(session_id=session_id, entries=_entries(service.now().agent.told_in(session_id)))

    @router.delete("/v1/sessions/{session_id:id}/memory/{entry_id:id}", summary="Forget one thing a guest told")
    def forget_guests(session_id: GuestsId, entry_id: EntryId) -> GuestErasedOut:
        """Erase it from the conversation, with the sentence it was told by."""
        forgotten = service.now().agent.forget_told_in(session_id, entry_id)
        return GuestErasedOut(session_id=session_id, forgotten=forgotten)

    @router.delete("/v1/sessions/{session_id:id}/memory", summary="Forget all that a guest told")
    def forget_all_guests(session_id: GuestsId) -> GuestErasedOut:
        """Erase all of it; the conversation goes on."""
        return GuestErasedOut(session_id=session_id, forgotten=service.now().agent.forget_told_in(session_id))

    @router.delete("/v1/users/{user_id:id}", summary="Forget a shopper")
    def forget(user_id: Annotated[ExternalId, Path(description="Whose data goes.")]) -> ForgottenOut:
        """Erase a shopper's events, lists shown, traces, dead letters, conversations and what they told.

        The log the shop was loaded with, and models trained on it, change with the next import and training.
        """
        # The conversation first: a turn that ends now would write another trace.
        conversations = service.now().agent.forget_user(user_id)
        events = service.shop.events.forget_user(user_id)
        return ForgottenOut(user_id=user_id, events=events, conversations=conversations)

    return router


def _entries(told: Iterable[Told]) -> list[ToldOut]:
    return [ToldOut.model_validate(each.to_json()) for each in told]
