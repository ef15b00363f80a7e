"""`POST /v1/chat`: server-sent events, or one JSON answer to those who accept JSON only."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response, StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from agent.base import ChatRequest, Done, Outcome, Problem, Recommendations, Status, Token
from api.answers import AnswerOut, RecommendationOut, answer_out, recommendation_out
from api.fields import SOMETHING, Body, ExternalId, SessionId, TopN, check_image, check_message, check_top_n
from api.problems import problem, request_id_of
from api.service import Service
from api.turns import KeepAlive, Turns
from api.voice import hear, sound_of, transcript_out, with_words

STREAM: dict[str, dict[str, Any]] = {"text/event-stream": {}}
STREAM_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


class ChatBody(Body):
    """One message of a shopper."""

    model_config = ConfigDict(
        json_schema_extra={
            "anyOf": [
                {"required": ["message"], "properties": {"message": {"pattern": SOMETHING}}},
                {"required": ["images"], "properties": {"images": {"minItems": 1}}},
                {"required": ["audio"], "properties": {"audio": {"type": "string"}}},
            ]
        }
    )

    message: str = Field("", examples=["A blue vase under 30 euros"], description="May be empty beside media.")
    session_id: SessionId | None = None
    user_id: ExternalId | None = None
    images: list[str] = Field([], max_length=4, description="Pictures as data URLs.")
    audio: str | None = Field(None, description="The message as a voice, a data URL (`data:audio/webm;base64,...`).")
    top_n: TopN = 10


class ItemsOut(BaseModel):
    """What a `recommendations` event carries."""

    outcome: Outcome
    items: list[RecommendationOut]


def chat_routes(service: Service, turns: Turns) -> APIRouter:
    """Return the router of the chat door."""
    router = APIRouter(tags=["chat"])

    @router.post(
        "/v1/chat",
        response_model=AnswerOut,
        summary="Say something to the shop",
        responses={
            200: {"description": "The answer, streamed or whole.", "content": STREAM},
            501: {},
        },
    )
    async def chat(body: ChatBody, request: Request) -> Response:
        """Stream `transcript` (of a voice), `status`, `token`, `recommendations`, `error`, `done`.

        `Accept: application/json` gives one answer.
        """
        asked = await run_in_threadpool(to_request, body, service) if body.audio else to_request(body, service)
        tenant = request.state.tenant
        if wants_json(request.headers.get("accept", "")):
            answer = await turns.answer(asked, tenant)
            told = answer_out(answer, service.now().shop, spoken=asked.spoken)
            return Response(told.model_dump_json(), media_type="application/json")
        lines = sse_lines(turns, asked, tenant, request_id_of(request))
        return StreamingResponse(lines, media_type="text/event-stream", headers=STREAM_HEADERS)

    return router


def to_request(body: ChatBody, service: Service) -> ChatRequest:
    """Return the agent's request, or refuse what the limits do not allow."""
    images = tuple(check_image(image, f"images.{i}") for i, image in enumerate(body.images))
    top_n = check_top_n(body.top_n, service.config)
    message, spoken = body.message, None
    if body.audio is not None:
        sound = sound_of(body.audio, service.shop.senses, "audio")
        spoken = hear(service.shop.senses, sound, "audio", service.config.heard_below).spoken
        message = with_words(message, spoken)
    if message.strip() or not (images or spoken):
        message = check_message(message, service.config)
    return ChatRequest(message, body.session_id, body.user_id, images, top_n, spoken=spoken)


def wants_json(accept: str) -> bool:
    """Whether a caller asks for JSON and not for a stream."""
    kinds = {part.partition(";")[0].strip().lower() for part in accept.split(",")}
    return "application/json" in kinds and "text/event-stream" not in kinds


async def sse_lines(turns: Turns, request: ChatRequest, tenant: str, request_id: str) -> AsyncIterator[str]:
    """Give a turn as server-sent events."""
    shop = turns.service.now().shop
    if (heard := transcript_out(request.spoken)) is not None:
        yield sse("transcript", heard)
    async for event in turns.stream(request, tenant):
        match event:
            case KeepAlive():
                yield ": still here\n\n"
            case Status(tool=tool, text=text):
                yield sse("status", {"tool": tool, "text": text})
            case Token(text=text):
                yield sse("token", {"text": text})
            case Recommendations(outcome=outcome, items=items):
                shown = [recommendation_out(item, shop) for item in items]
                yield sse("recommendations", ItemsOut(outcome=outcome, items=shown))
            case Problem(title=title, detail=detail, status=status):
                yield sse("error", {**problem(status, detail, request_id=request_id), "title": title})
            case Done(answer=answer):
                yield sse("done", answer_out(answer, shop, spoken=request.spoken))


def sse(event: str, data: BaseModel | dict[str, Any]) -> str:
    """Return one server-sent event; JSON has no raw line break, so one `data` line holds it."""
    text = data.model_dump_json() if isinstance(data, BaseModel) else json.dumps(data, ensure_ascii=False)
    return f"event: {event}\ndata: {text}\n\n"
