"""`PUT /v1/events`: what shoppers did, in batches that may be sent again."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    StringConstraints,
    ValidationError,
    model_validator,
)

from api.fields import Body, ExternalId, SessionId
from api.problems import ApiProblem, explain
from api.service import Service
from catalog.event_base import DeadLetter
from catalog.nouns import Interaction, Kind
from tools.taste import anonymous_id


class EventIn(Body):
    """One dated event; `event_id` is the client's own, and makes a second sending harmless."""

    event_id: ExternalId
    item_id: ExternalId
    kind: Kind
    user_id: ExternalId | None = Field(None, description="Left out for a guest, who is known by `session_id` alone.")
    session_id: SessionId | None = None
    timestamp: AwareDatetime | None = Field(None, strict=False, description="With a time zone; left out, it is now.")
    value: float | None = None
    text: Annotated[str, StringConstraints(max_length=8000)] | None = None
    context: dict[str, JsonValue] = Field(default_factory=dict)
    request_id: ExternalId | None = Field(None, description="The answer the item was shown in.")

    @model_validator(mode="after")
    def _someone(self) -> EventIn:
        if self.user_id is None and self.session_id is None:
            raise ValueError("user_id or session_id is needed: somebody did this")
        try:
            json.dumps(self.context, allow_nan=False)
        except ValueError:
            raise ValueError("context holds a number that is not finite") from None
        if "\0" in (self.text or ""):
            raise ValueError("text holds a NUL character; text without it would be valid")
        return self

    def noun(self, now: datetime) -> Interaction:
        """Return the event as the store keeps it; a guest is known by the session."""
        return Interaction(
            event_id=self.event_id,
            user_id=self.user_id or anonymous_id(self.session_id or ""),
            item_id=self.item_id,
            # A clock that runs a little ahead: left in the future, the next answer would not know of it yet.
            timestamp=min(self.timestamp or now, now).astimezone(UTC),
            kind=self.kind,
            session_id=self.session_id,
            value=self.value,
            text=self.text,
            context=self.context,
            request_id=self.request_id,
        )


class EventsBody(BaseModel):
    """A batch; its events are read one by one, so that a bad one does not stop the others."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    events: list[JsonValue] = Field(
        examples=[[{"event_id": "e-1", "user_id": "ana", "item_id": "V01", "kind": "click"}]],
    )


class RejectedOut(BaseModel):
    """An event that was not taken: its place in the batch, the field, and what would be valid."""

    index: int
    field: str
    detail: str


class TakenBackOut(BaseModel):
    """Whether there was such an event; asking twice does no harm."""

    event_id: str
    forgotten: bool


class DeadLetterOut(BaseModel):
    """An event that was not taken."""

    payload: str = Field(description="As sent, JSON text, cut at 16 kB.", examples=['{"kind": "stare"}'])
    field: str = Field(description="Which of its fields was at fault.", examples=["kind"])
    reason: str
    received_at: datetime = Field(description="When it came last.")
    event_id: str | None = Field(description="As far as it can be read, like `user_id` and `session_id`.")
    user_id: str | None
    session_id: str | None
    times: int = Field(description="How often the same was sent.")


class DeadLettersOut(BaseModel):
    """A page of what was not taken, the latest first."""

    dead_letters: list[DeadLetterOut]
    cursor: str | None = Field(description="Ask with it for the next page; null on the last.")


class EventsOut(BaseModel):
    """What became of a batch; everything accepted is on the disk."""

    accepted: int
    duplicates: int
    rejected: list[RejectedOut]


def event_routes(service: Service) -> APIRouter:
    """Return the router of the events door."""
    router = APIRouter(tags=["events"])

    @router.put("/v1/events", summary="Tell the shop what shoppers did")
    def put_events(body: EventsBody) -> EventsOut:
        """Take a batch; a bad event is rejected with its index, kept with the reason, and never stops the others."""
        most = service.config.max_events
        if len(body.events) > most:
            detail = f"events: {len(body.events)} in one batch; up to {most} would be valid"
            raise ApiProblem(422, detail, field="events")
        now = datetime.now(UTC)
        good: list[Interaction] = []
        rejected: list[RejectedOut] = []
        for index, raw in enumerate(body.events):
            read = _read(raw, service, now)
            if isinstance(read, EventIn):
                good.append(read.noun(now))
            else:
                rejected.append(RejectedOut(index=index, **read))
        put = service.shop.events.put(good)
        service.shop.events.put_dead_letters([_letter(body.events[each.index], each, now) for each in rejected])
        return EventsOut(accepted=put.accepted, duplicates=put.duplicates, rejected=rejected)

    @router.get("/v1/events/dead-letters", summary="What was not taken, and why")
    def dead_letters(
        limit: Annotated[int, Query(ge=1, le=1000, description="How many a page holds.")] = 100,
        cursor: Annotated[
            str | None, Query(pattern=r"^[0-9]{1,18}-[0-9]{1,18}$", description="From the page before.")
        ] = None,
    ) -> DeadLettersOut:
        """Return a page of the dead letters of the key's tenant; they hold what shoppers did, so it takes `admin`."""
        letters = service.shop.events.dead_letters(limit + 1, cursor)
        page = [DeadLetterOut.model_validate(each, from_attributes=True) for each in letters[:limit]]
        return DeadLettersOut(dead_letters=page, cursor=letters[limit - 1].place if len(letters) > limit else None)

    @router.delete("/v1/events/{event_id:event}", summary="Take an event back")
    def take_back(event_id: Annotated[ExternalId, Path(description="As it was put.")]) -> TakenBackOut:
        """Erase one event, as if it had not been; the next answer and the next chat turn know it."""
        return TakenBackOut(event_id=event_id, forgotten=service.shop.events.forget_event(event_id))

    return router


def _read(raw: Any, service: Service, now: datetime) -> EventIn | dict[str, str]:
    try:
        event = EventIn.model_validate(raw)
    except ValidationError as error:
        return explain(dict(error.errors(include_input=False)[0]), of_request=False)
    if not service.sells(event.item_id):
        return {"field": "item_id", "detail": f"unknown item {event.item_id!r}"}
    earliest = now - timedelta(days=service.config.event_age_days)
    latest = now + timedelta(seconds=service.config.event_future_seconds)
    if event.timestamp is not None and not earliest <= event.timestamp <= latest:
        detail = (
            f"timestamp {event.timestamp.isoformat()!r}: from {earliest.isoformat(timespec='seconds')} to "
            f"{latest.isoformat(timespec='seconds')} would be valid, or none, which is now"
        )
        return {"field": "timestamp", "detail": detail}
    return event


def _letter(raw: JsonValue, rejected: RejectedOut, now: datetime) -> DeadLetter:
    """Return what is kept of an event that was not taken."""
    sent = raw if isinstance(raw, dict) else {}
    event_id, user_id, session_id = (_text(sent.get(name)) for name in ("event_id", "user_id", "session_id"))
    return DeadLetter(
        payload=json.dumps(raw, sort_keys=True),
        field=rejected.field,
        reason=rejected.detail,
        received_at=now,
        event_id=event_id,
        user_id=user_id,
        session_id=session_id,
    )


def _text(value: JsonValue) -> str | None:
    return value if isinstance(value, str) else None
