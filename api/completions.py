"""`POST /v1/chat/completions`: any OpenAI client can talk to the shop."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse, Response, StreamingResponse

from agent.base import ChatRequest, Done, Problem, Spoken, Token
from api.answers import AnswerOut, answer_out
from api.chat import STREAM, STREAM_HEADERS
from api.dialogue import CompletionBody, request_of
from api.fields import check_top_n
from api.openai_answers import CompletionOut, ModelsOut
from api.service import Service
from api.turns import KeepAlive, Turns
from api.voice import hear, sound_of

MODEL = "vitrine"
NO_TOKENS = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
"""The shop does not meter tokens; clients that sum them expect the field."""


def completion_routes(service: Service, turns: Turns) -> APIRouter:
    """Return the router of the OpenAI-compatible doors."""
    router = APIRouter(tags=["openai"])

    @router.post(
        "/v1/chat/completions",
        response_model=CompletionOut,
        summary="Say something to the shop with an OpenAI client",
        responses={200: {"description": "The completion, whole or streamed.", "content": STREAM}, 501: {}},
    )
    async def completions(body: CompletionBody, request: Request) -> Response:
        """Answer the last user message; system messages carry no authority, unknown parameters are ignored."""
        check_top_n(body.top_n, service.config)
        tenant = request.state.tenant
        voiced = any(message.voice for message in body.messages)
        read = partial(request_of, body, service.config, partial(_heard, service))
        asked = await run_in_threadpool(read) if voiced else read()
        if body.stream:
            with_usage = bool(body.stream_options and body.stream_options.get("include_usage"))
            lines = _chunks(turns, asked, tenant, with_usage)
            return StreamingResponse(lines, media_type="text/event-stream", headers=STREAM_HEADERS)
        answer = await turns.answer(asked, tenant)
        message = {"role": "assistant", "content": answer.text, "refusal": None}
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
        whole = {**_head("chat.completion"), "choices": [choice], "usage": NO_TOKENS}
        return JSONResponse({**whole, **extension(answer_out(answer, service.now().shop, spoken=asked.spoken))})

    @router.get("/v1/models", response_model=ModelsOut, summary="The one model there is")
    def models() -> dict[str, Any]:
        """List the names a client may put into `model`; any other name works as well."""
        return {"object": "list", "data": [{"id": MODEL, "object": "model", "created": 0, "owned_by": "vitrine"}]}

    return router


def _heard(service: Service, url: str, field: str) -> Spoken:
    sound = sound_of(url, service.shop.senses, field)
    return hear(service.shop.senses, sound, field, service.config.heard_below).spoken


def extension(answer: AnswerOut) -> dict[str, Any]:
    """Return the fields the shop adds at the top level, so that programs never parse prose."""
    fields: dict[str, Any] = json.loads(answer.model_dump_json(exclude={"text"}))
    return fields


async def _chunks(turns: Turns, asked: ChatRequest, tenant: str, with_usage: bool) -> AsyncIterator[str]:
    head = _head("chat.completion.chunk")
    yield _chunk(head, {"role": "assistant", "content": ""})
    spoken = False
    async for event in turns.stream(asked, tenant):
        match event:
            case KeepAlive():
                yield ": still here\n\n"
            case Token(text=text):
                spoken = True
                yield _chunk(head, {"content": text})
            case Problem(detail=detail) if not spoken:
                spoken = True
                yield _chunk(head, {"content": detail})
            case Done(answer=answer):
                extra = extension(answer_out(answer, turns.service.now().shop, spoken=asked.spoken))
                if not spoken and answer.text:
                    yield _chunk(head, {"content": answer.text})
                yield _chunk({**head, **extra}, {}, "stop")
                if with_usage:
                    yield f"data: {json.dumps({**head, **extra, 'choices': [], 'usage': NO_TOKENS})}\n\n"
    yield "data: [DONE]\n\n"


def _head(kind: str) -> dict[str, Any]:
    return {"id": f"chatcmpl-{uuid.uuid4().hex}", "object": kind, "created": int(time.time()), "model": MODEL}


def _chunk(head: dict[str, Any], delta: dict[str, Any], finish: str | None = None) -> str:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
    return f"data: {json.dumps({**head, 'choices': [choice]}, ensure_ascii=False)}\n\n"
