"""`DELETE /v1/users/{user_id}`: a shopper who wants to be forgotten."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel

from api.fields import ExternalId
from api.service import Service


class ForgottenOut(BaseModel):
    """What was erased; 0 where nothing was known, so that asking twice does no harm."""

    user_id: str
    events: int
    conversations: int


def user_routes(service: Service) -> APIRouter:
    """Return the router of the doors to one shopper's data."""
    router = APIRouter(tags=["users"])

    # An id may hold a slash; doors below a shopper's, such as their memory, are to be declared before this one.
    @router.delete("/v1/users/{user_id:path}", summary="Forget a shopper")
    def forget(user_id: Annotated[ExternalId, Path(description="Whose data goes.")]) -> ForgottenOut:
        """Erase a shopper's events, lists shown, traces, dead letters and conversations.

        The log the shop was loaded with, and models trained on it, change with the next import and training.
        """
        # The conversation first: a turn that ends now would write another trace.
        conversations = service.agent.forget_user(user_id)
        events = service.shop.events.forget_user(user_id)
        return ForgottenOut(user_id=user_id, events=events, conversations=conversations)

    return router
