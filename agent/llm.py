"""An OpenAI-compatible LLM (vLLM or any other) as a mind of the agent loop.

LlamaIndex's own class asserts on half-filled stream chunks and turns broken tool arguments into `{}`; this one reads
the stream itself, mends arguments where that is unambiguous, and turns every way a server can fail into one
`ServiceError`. Import this module late: it loads LlamaIndex and the OpenAI client.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import httpx
import openai
from llama_index.core.base.llms.types import (
    ChatMessage,
    ChatResponse,
    ChatResponseAsyncGen,
    ContentBlock,
    MessageRole,
    TextBlock,
    ToolCallBlock,
)
from llama_index.core.bridge.pydantic import PrivateAttr
from llama_index.core.llms.llm import ToolSelection
from llama_index.llms.openai.utils import to_openai_message_dicts
from llama_index.llms.openai_like import OpenAILike  # type: ignore[import-untyped]

from agent.arguments import read_arguments
from agent.config import LLMConfig
from agent.llm_stream import HIDDEN, Collected, ToolPart, cut_off, rounds_since_asked, visible, wire_messages
from catalog.errors import ServiceError
from catalog.media.answers import retry_after
from catalog.telemetry import timed

if TYPE_CHECKING:
    from llama_index.core.tools import BaseTool

BUSY = (429, 503)
"""Answers whose `Retry-After` is believed."""

MOST_CHARS = 40
"""Characters of an answer for each token it was allowed, far more than any language has: a server that goes on beyond
them does not keep to `max_tokens`, and every chunk costs what has come so far."""

KEY_REMOVED = "[key removed]"
"""What stands where a server quoted the key it was called with."""


class ServedLLM(OpenAILike):  # type: ignore[misc]
    """A chat model behind an OpenAI-compatible server, reading streams with distrust."""

    _settings: LLMConfig = PrivateAttr()
    _context: ssl.SSLContext = PrivateAttr()

    def __init__(self, config: LLMConfig) -> None:
        extra = {"seed": config.seed} if config.seed is not None else {}
        super().__init__(
            model=config.model,
            api_base=config.base_url,
            api_key=config.api_key(),
            is_chat_model=True,
            is_function_calling_model=True,
            context_window=config.context_window,
            max_tokens=config.max_tokens,
            temperature=config.temperature,
            timeout=config.timeout_seconds,
            max_retries=0,
            strict=config.strict_tools,
            additional_kwargs=extra,
        )
        self._settings = config
        self._context = ssl.create_default_context()

    @classmethod
    def class_name(cls) -> str:
        """Return the name LlamaIndex knows the class by."""
        return "ServedLLM"

    async def achat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponse:
        """Return the whole answer."""
        last = ChatResponse(message=ChatMessage(role=MessageRole.ASSISTANT, blocks=[]))
        async for response in await self.astream_chat(messages, **kwargs):
            last = response
        return last

    async def astream_chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponseAsyncGen:
        """Stream the answer: text as it comes, tool calls with the last response.

        Raises:
            ServiceError: While iterating, when the server is unreachable, slow, refuses, or answers in a shape no
                chat server uses.
        """
        return self._responses(messages, kwargs)

    def get_tool_calls_from_response(
        self, response: ChatResponse, error_on_no_tool_call: bool = True, **kwargs: Any
    ) -> list[ToolSelection]:
        """Return the tool calls of a response; unreadable arguments stand under `arguments.BROKEN`."""
        blocks = [block for block in response.message.blocks if isinstance(block, ToolCallBlock)]
        return [
            ToolSelection(
                tool_id=block.tool_call_id or f"call_{place}",
                tool_name=block.tool_name,
                tool_kwargs=read_arguments(block.tool_kwargs),
            )
            for place, block in enumerate(blocks)
        ]

    def _prepare_chat_with_tools(self, tools: Sequence[BaseTool], **kwargs: Any) -> dict[str, Any]:
        prepared = super()._prepare_chat_with_tools(tools, **kwargs)
        for spec in prepared["tools"] or ():
            if not self._settings.strict_tools:
                spec["function"].pop("strict", None)
        return {name: value for name, value in prepared.items() if value is not None}

    async def _responses(self, messages: Sequence[ChatMessage], kwargs: Mapping[str, Any]) -> ChatResponseAsyncGen:
        found, shown = Collected(), ""
        async for chunk in self._chunks(messages, kwargs):
            found.take(chunk)
            self._bounded(found)
            said = visible(self._without_key(found.content, whole=False))
            if len(said) > len(shown):
                yield _response(said, said[len(shown) :], (), None, found)
                shown = said
        if found.finish is None:
            raise ServiceError(f"{self._who()} broke off before the end of its answer", retryable=True)
        found.content = self._without_key(found.content)
        made = [
            ToolPart(*(self._without_key(value) for value in (call.call_id, call.name, call.arguments)))
            for call in found.made()
        ]
        final = HIDDEN.sub("", found.content)
        if not final.strip() and not made:
            cut = f"was cut off at {self.max_tokens} tokens before it had said anything"
            said = cut if found.finish == "length" else "gave an empty answer"
            raise ServiceError(f"{self._who()} {said}", retryable=True)
        yield _response(final, final[len(shown) :], made, self.max_tokens if found.finish == "length" else None, found)

    async def _chunks(
        self, messages: Sequence[ChatMessage], kwargs: Mapping[str, Any]
    ) -> AsyncIterator[dict[str, Any]]:
        """Yield stream chunks as plain objects, all of them within the time one call may take."""
        deadline = asyncio.get_running_loop().time() + self._settings.timeout_seconds
        body = self._body(messages, kwargs)
        async with self._failing(), self._client() as client:
            async with asyncio.timeout_at(deadline):
                stream = await self._opened(client, body)
            chunks = aiter(stream)
            while True:
                try:
                    async with asyncio.timeout_at(deadline):
                        chunk = await anext(chunks)
                except StopAsyncIteration:
                    return
                if not isinstance(chunk, dict):
                    raise ServiceError(f"{self._who()} streams {type(chunk).__name__} where objects belong")
                yield chunk

    def _body(self, messages: Sequence[ChatMessage], kwargs: Mapping[str, Any]) -> dict[str, Any]:
        body: dict[str, Any] = self._get_model_kwargs(stream=True, stream_options={"include_usage": True}, **kwargs)
        plain: Any = to_openai_message_dicts(messages, model=self.model)
        body["messages"] = wire_messages(plain)
        if body.get("tools") and rounds_since_asked(body["messages"]) >= self._settings.max_calls - 1:
            body["tool_choice"] = "none"  # the last call there is: it can only answer
        return body

    async def _opened(self, client: openai.AsyncOpenAI, body: dict[str, Any]) -> openai.AsyncStream[object]:
        """Ask, once more when the server says that it will be free in a moment.

        `chat.completions.create` would walk through every schema of every tool and make a model of every chunk, twenty
        milliseconds of processor time a turn for what is JSON before and after.
        """
        for last in (False, True):
            try:
                return await client.post(
                    "/chat/completions", body=body, cast_to=object, stream=True, stream_cls=openai.AsyncStream[object]
                )
            except openai.APIStatusError as error:
                wait = retry_after(error.response.headers.get("retry-after"))
                if last or error.status_code not in BUSY or wait is None or wait > self._settings.patience_seconds:
                    raise
                await asyncio.sleep(wait)
        raise AssertionError("unreachable")

    @asynccontextmanager
    async def _failing(self) -> AsyncIterator[None]:
        """Turn every failure of the server into one ServiceError, and time the call."""
        try:
            with timed("llm", "chat"):
                yield
        except TimeoutError as error:
            seconds = self._settings.timeout_seconds
            raise ServiceError(f"{self._who()} took longer than {seconds:g} s", retryable=True) from error
        except openai.APITimeoutError as error:
            raise ServiceError(f"{self._who()} timed out", retryable=True) from error
        except openai.APIConnectionError as error:
            raise ServiceError(f"{self._who()} is unreachable", retryable=True) from error
        except openai.APIStatusError as error:
            status = error.status_code
            wait = retry_after(error.response.headers.get("retry-after")) if status in BUSY else None
            retryable = status == 429 or status >= 500
            raise ServiceError(f"{self._who()} answered {status}", retryable=retryable, retry_after=wait) from error
        except (openai.OpenAIError, httpx.HTTPError) as error:
            raise ServiceError(f"{self._who()} broke off: {type(error).__name__}", retryable=True) from error
        except (ValueError, RecursionError) as error:
            raise ServiceError(f"{self._who()} sent broken JSON", retryable=True) from error

    @asynccontextmanager
    async def _client(self) -> AsyncIterator[openai.AsyncOpenAI]:
        """Open a client for one call: a client outlives neither its call nor its event loop."""
        limits = httpx.Timeout(self._settings.timeout_seconds)
        async with (
            httpx.AsyncClient(verify=self._context, timeout=limits) as http,
            openai.AsyncOpenAI(api_key=self.api_key, base_url=self.api_base, max_retries=0, http_client=http) as client,
        ):
            yield client

    def _without_key(self, text: str, *, whole: bool = True) -> str:
        """Return the text without our key, should a server quote it; of an unfinished one without what may begin it."""
        if self._settings.api_key_env is None or not self.api_key:
            return text
        text = text.replace(self.api_key, KEY_REMOVED)
        if not whole:
            begun = (n for n in range(min(len(self.api_key) - 1, len(text)), 0, -1) if text.endswith(self.api_key[:n]))
            text = text[: len(text) - next(begun, 0)]
        return text

    def _bounded(self, found: Collected) -> None:
        """Raise ServiceError when a server goes on far beyond the tokens it was asked for."""
        if found.chars > MOST_CHARS * max(self.max_tokens or 0, 100):
            said = f"has sent {found.chars} characters for at most {self.max_tokens} tokens"
            raise ServiceError(f"{self._who()} {said}", retryable=True)

    def _who(self) -> str:
        return f"the LLM {self._settings.model!r} at {self._settings.base_url!r}"


def _response(text: str, delta: str, calls: Sequence[ToolPart], cut: int | None, collected: Collected) -> ChatResponse:
    """Return a response of LlamaIndex; `cut`: the tokens after which the last call broke off."""
    blocks: list[ContentBlock] = [TextBlock(text=text)] if text else []
    for place, call in enumerate(calls):
        last = cut is not None and place == len(calls) - 1
        arguments = cut_off(call.arguments, cut or 0) if last else call.arguments
        name, call_id = call.name, call.call_id or f"call_{place}"
        blocks.append(ToolCallBlock(tool_call_id=call_id, tool_name=name, tool_kwargs=arguments))
    message = ChatMessage(role=MessageRole.ASSISTANT, blocks=blocks)
    return ChatResponse(message=message, delta=delta, raw={"usage": collected.usage, "finish": collected.finish})
