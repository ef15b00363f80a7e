"""An OpenAI-compatible LLM (vLLM or any other) as a mind of the agent loop.

LlamaIndex's own class asserts on half-filled stream chunks and turns broken tool arguments into `{}`; this one reads
the stream itself, mends arguments where that is unambiguous, and turns every way a server can fail into one
`ServiceError`. Import this module late: it loads LlamaIndex and the OpenAI client.
"""

from __future__ import annotations

import asyncio
import json
import re
import ssl
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import httpx
import openai
import openai.resources  # loaded lazily by the client otherwise, a second of the first call's time
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
from catalog.errors import ServiceError

if TYPE_CHECKING:
    from llama_index.core.tools import BaseTool

_HIDDEN = re.compile(r"<think>.*?(?:</think>\s*|$)|<tool_call>.*?(?:</tool_call>\s*|$)|<\|[^|]*\|>", re.DOTALL)
_UNDECIDED = re.compile(r"<[/|\w]*$")
_WRITTEN_CALL = re.compile(r"<tool_call>\s*(\{.*?\})\s*(?:</tool_call>|$)", re.DOTALL)

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
        content, shown, usage = "", "", None
        calls: dict[int, dict[str, str]] = {}
        async for chunk in self._chunks(messages, kwargs):
            usage = chunk.get("usage") or usage
            delta = _delta(chunk)
            content += str(delta.get("content") or "")
            for place, part in enumerate(delta.get("tool_calls") or ()):
                _collect(calls, place, part)
            visible = _visible(self._without_key(content, whole=False))
            if len(visible) > len(shown):
                yield _response(visible, visible[len(shown) :], (), usage)
                shown = visible
        content = self._without_key(content)
        made = [call for _, call in sorted(calls.items()) if call["name"]] or _written_calls(content)
        made = [{part: self._without_key(value) for part, value in call.items()} for call in made]
        final = _HIDDEN.sub("", content)
        if not final.strip() and not made:
            raise ServiceError(f"{self._who()} gave an empty answer", retryable=True)
        yield _response(final, final[len(shown) :], made, usage)

    async def _chunks(
        self, messages: Sequence[ChatMessage], kwargs: Mapping[str, Any]
    ) -> AsyncIterator[dict[str, Any]]:
        """Yield stream chunks as plain objects, all of them within the time one call may take."""
        deadline = asyncio.get_running_loop().time() + self._settings.timeout_seconds
        async with self._failing(), self._client() as client:
            body = self._get_model_kwargs(stream=True, stream_options={"include_usage": True}, **kwargs)
            body["messages"] = to_openai_message_dicts(messages, model=self.model)
            async with asyncio.timeout_at(deadline):
                stream: openai.AsyncStream[Any] = await client.chat.completions.create(**body)
            chunks = aiter(stream)
            while True:
                try:
                    async with asyncio.timeout_at(deadline):
                        chunk = await anext(chunks)
                except StopAsyncIteration:
                    return
                if not isinstance(chunk, openai.BaseModel):
                    raise ServiceError(f"{self._who()} streams {type(chunk).__name__} where objects belong")
                yield chunk.to_dict()

    @asynccontextmanager
    async def _failing(self) -> AsyncIterator[None]:
        """Turn every failure of the server into one ServiceError."""
        try:
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
            retryable = status == 429 or status >= 500
            raise ServiceError(f"{self._who()} answered {status}", retryable=retryable) from error
        except (openai.OpenAIError, httpx.HTTPError) as error:
            raise ServiceError(f"{self._who()} broke off: {type(error).__name__}", retryable=True) from error
        except ValueError as error:
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

    def _who(self) -> str:
        return f"the LLM {self._settings.model!r} at {self._settings.base_url!r}"


def _delta(chunk: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the delta of a chunk's first choice; a chunk without one (usage, keep-alive) gives an empty one."""
    choices = chunk.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    delta = first.get("delta") if isinstance(first, dict) else None
    if isinstance(delta, dict) and isinstance(delta.get("tool_calls") or [], list):
        return delta
    return {}


def _collect(calls: dict[int, dict[str, str]], place: int, part: object) -> None:
    """Add a piece of a tool call, whatever of it is missing."""
    if not isinstance(part, dict):
        return
    index = part.get("index")
    call = calls.setdefault(index if isinstance(index, int) else place, {"id": "", "name": "", "arguments": ""})
    function = part.get("function")
    given = function if isinstance(function, dict) else {}
    call["id"] = call["id"] or str(part.get("id") or "")
    call["name"] = call["name"] or str(given.get("name") or "")
    arguments = given.get("arguments")
    call["arguments"] += arguments if isinstance(arguments, str) else ""


def _written_calls(content: str) -> list[dict[str, str]]:
    """Return tool calls a server left in the text because its parser did not know the model's dialect."""
    found = [read_arguments(match.group(1)) for match in _WRITTEN_CALL.finditer(content)]
    return [
        {"id": f"written_{place}", "name": str(call["name"]), "arguments": _text_of(call.get("arguments"))}
        for place, call in enumerate(found)
        if call.get("name")
    ]


def _text_of(arguments: object) -> str:
    return arguments if isinstance(arguments, str) else json.dumps(arguments or {})


def _visible(content: str) -> str:
    """Return what may be shown so far: no thinking, no tool calls in the text, no half-written tag."""
    return _UNDECIDED.sub("", _HIDDEN.sub("", content))


def _response(
    text: str, delta: str, calls: Sequence[Mapping[str, str]], usage: Mapping[str, Any] | None
) -> ChatResponse:
    blocks: list[ContentBlock] = [TextBlock(text=text)] if text else []
    blocks += [
        ToolCallBlock(tool_call_id=call["id"] or f"call_{place}", tool_name=call["name"], tool_kwargs=call["arguments"])
        for place, call in enumerate(calls)
    ]
    return ChatResponse(
        message=ChatMessage(role=MessageRole.ASSISTANT, blocks=blocks), delta=delta, raw={"usage": usage}
    )
