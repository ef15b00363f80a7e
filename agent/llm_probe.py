"""Proof that the agent's LLM can work in a turn: it streams, calls a tool with arguments that parse, and fills a form.

Asked as `agent.llm` asks, but read without its leniency: that one mends what a shopper must not wait for, this one says
what is wrong with the server.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random, SystemRandom
from typing import TYPE_CHECKING, Any, Literal

from agent.config import LLMConfig
from captioning.odd_form import INSTRUCTION, draw_form
from captioning.probe_pictures import WORDS
from catalog.errors import ServiceError
from catalog.findings import Finding
from catalog.plain_text import one_line
from catalog.server_words import server_words

if TYPE_CHECKING:
    from openai import OpenAI

LLMCheck = Literal["streaming", "tools", "schema"]
LLM_CHECKS: tuple[LLMCheck, ...] = ("streaming", "tools", "schema")

TRIES = 2
"""Drawn anew: one slip of a good model says nothing."""
REPEATED = 12
"""Words the model repeats; they must come in at least `PIECES` chunks."""
PIECES = 3
MOST_BYTES = 8_000_000
"""Of one streamed answer, each of its pieces in a wrapping of its own."""
BAYS = ("north", "south", "east", "west")
SYSTEM = "You do exactly what is asked, without any further words."

_HELPS: dict[LLMCheck, str] = {
    "streaming": "let nothing stand between that collects or cuts the answer (a proxy with buffering or a time limit)",
    "tools": "start vLLM with --enable-auto-tool-choice and the model's own --tool-call-parser (hermes for Qwen2.5 and "
    "Qwen3, qwen3_xml for Qwen3-Coder and Qwen3.5), and with the chat template that knows tools",
    "schema": "the server ignores the JSON schema: it must honour response_format json_schema (vLLM does by itself), "
    "and a thinking model needs --reasoning-parser",
}
_HINTS: tuple[tuple[str, str], ...] = (
    (r"context length|max_model_len|longer than", "raise the server's --max-model-len, or lower agent.llm.max_tokens"),
    (r"(?m)^\s*<think>", "keep the thinking apart with --reasoning-parser (qwen3 for Qwen3)"),
    (
        r"^cut off",
        "raise agent.llm.max_tokens, or switch the thinking off "
        "(--default-chat-template-kwargs '{\"enable_thinking\": false}')",
    ),
)


@dataclass(slots=True)
class _Heard:
    """What came over one stream."""

    pieces: list[str] = field(default_factory=list)
    calls: dict[int, list[str]] = field(default_factory=dict)
    finish: str | None = None

    @property
    def text(self) -> str:
        return "".join(self.pieces)


@dataclass(frozen=True, slots=True)
class _Trial:
    """One request, what it asked for, and who judges what came."""

    request: Mapping[str, Any]
    told: str
    fault: Callable[[_Heard], str | None]


def examine_llm(config: LLMConfig, rng: Random | None = None) -> list[Finding]:
    """Return one finding a check, `bad` where the server answered wrongly `TRIES` times.

    Args:
        config: The server and model, asked with its own bounds.
        rng: Draws what is asked. None: by the system's own randomness.

    Raises:
        ConfigError: When the key is missing.
        ServiceError: When the server cannot be reached, is too slow, or refuses the key or the model.
    """
    from catalog.server_client import server_client

    rng = rng or SystemRandom()
    with server_client(
        config.base_url, config.api_key(), seconds=config.timeout_seconds, retries=1, most_bytes=MOST_BYTES
    ) as client:
        return [_check(check, client, config, rng) for check in LLM_CHECKS]


def _check(check: LLMCheck, client: OpenAI, config: LLMConfig, rng: Random) -> Finding:
    line = ""
    for _ in range(TRIES):
        trial = _DRAW[check](rng, config)
        heard, fault = _hear(client, config, trial.request)
        fault = fault or trial.fault(heard)
        if fault is None:
            return Finding("ok", check, f"asked for {trial.told}: right")
        made = [f"{name}({arguments})" for name, arguments in heard.calls.values()]
        answered = _short(" ".join([heard.text, *made]))
        hint = next((hint for pattern, hint in _HINTS if re.search(pattern, f"{fault}\n{heard.text}")), _HELPS[check])
        line = one_line(f"asked for {trial.told}, answered {answered!r} ({fault}): {hint}")
    return Finding("bad", check, line)


def _hear(client: OpenAI, config: LLMConfig, request: Mapping[str, Any]) -> tuple[_Heard, str | None]:
    """Stream one answer; return what came, and what was wrong with the stream itself."""
    import httpx
    import openai

    from catalog.server_client import redirected

    heard = _Heard()
    who = f"the LLM {config.model!r} at {config.base_url!r}"
    body: dict[str, Any] = {
        "model": config.model,
        "max_tokens": config.max_tokens,
        "temperature": config.temperature,
        "stream": True,
        "stream_options": {"include_usage": True},
        **({} if config.seed is None else {"seed": config.seed}),
        **request,
    }
    try:
        stream = client.chat.completions.create(**body)
        for chunk in stream:
            _take(heard, chunk)
    except openai.APITimeoutError as error:
        raise ServiceError(f"{who} took longer than {config.timeout_seconds:g} s", retryable=True) from error
    except openai.APIStatusError as error:
        if error.status_code in (401, 403, 404) or error.status_code >= 500:
            raise ServiceError(
                f"{who} answered {error.status_code}: {server_words(error, config.api_key())}"
            ) from error
        if (redirect := redirected(error)) is not None:
            raise ServiceError(f"{who} {redirect}") from error
        return heard, f"status {error.status_code}: {server_words(error, config.api_key())}"
    except openai.APIConnectionError as error:
        raise ServiceError(f"{who} is unreachable: {server_words(error, config.api_key())}", retryable=True) from error
    except (openai.OpenAIError, httpx.HTTPError, ValueError) as error:
        return heard, f"the stream broke: {type(error).__name__}"
    if heard.finish is None:
        return heard, "the stream broke off before its end"
    if heard.finish == "length":
        return heard, f"cut off at {config.max_tokens} tokens"
    return heard, None


def _take(heard: _Heard, chunk: Any) -> None:
    choice = chunk.choices[0] if chunk.choices else None
    if choice is None:
        return
    heard.finish = choice.finish_reason or heard.finish
    if choice.delta.content:
        heard.pieces.append(choice.delta.content)
    for part in choice.delta.tool_calls or ():
        call = heard.calls.setdefault(part.index, ["", ""])
        if part.function is not None:
            call[0] = call[0] or part.function.name or ""
            call[1] += part.function.arguments or ""


def _streaming(rng: Random, config: LLMConfig) -> _Trial:
    asked = [word.lower() for word in rng.sample(WORDS, REPEATED)]

    def fault(heard: _Heard) -> str | None:
        if " ".join(asked) not in " ".join(re.findall(r"[a-z]+", heard.text.lower())):
            return "the pieces do not add up to these words"
        if len(heard.pieces) < PIECES:
            return f"they came in {len(heard.pieces)} piece{'s' * (len(heard.pieces) != 1)}: it is not streamed"
        return None

    return _Trial(_messages(f"Repeat these words, in this order: {' '.join(asked)}"), f"{REPEATED} words", fault)


def _tools(rng: Random, config: LLMConfig) -> _Trial:
    wanted = {"parcel": f"{rng.choice(WORDS).lower()}-{rng.randint(100, 999)}", "shelf": rng.randint(1_000, 9_999)}
    wanted |= {"bay": rng.choice(BAYS)}
    function: dict[str, Any] = {
        "name": "put_away",
        "description": "Puts a parcel on a shelf of a bay.",
        "parameters": {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "parcel": {"type": "string", "description": "Code of the parcel."},
                "shelf": {"type": "integer", "minimum": 1_000, "maximum": 9_999},
                "bay": {"type": "string", "enum": list(BAYS)},
            },
            "required": ["parcel", "shelf", "bay"],
        },
    }
    if config.strict_tools:
        function["strict"] = True

    def fault(heard: _Heard) -> str | None:
        if not heard.calls:
            return "no tool was called"
        if len(heard.calls) > 1:
            return f"{len(heard.calls)} calls were made"
        name, arguments = next(iter(heard.calls.values()))
        if name != function["name"]:
            return f"the tool called is {name!r}"
        try:
            given = json.loads(arguments)
        except ValueError:
            return "the arguments are no JSON"
        return None if given == wanted else "the arguments are other ones"

    told = "put_away(" + ", ".join(f"{name}={value}" for name, value in wanted.items()) + ")"
    words = " in ".join([f"parcel {wanted['parcel']} on shelf {wanted['shelf']}", f"bay {wanted['bay']}"])
    request = _messages(f"Put {words}. Use the tool.")
    return _Trial({**request, "tools": [{"type": "function", "function": function}]}, told, fault)


def _schema(rng: Random, config: LLMConfig) -> _Trial:
    form = draw_form(rng)
    wrapped = {"name": "form", "strict": True, "schema": dict(form.schema)}
    request = {**_messages(INSTRUCTION), "response_format": {"type": "json_schema", "json_schema": wrapped}}
    return _Trial(request, f"a form ({form.told})", lambda heard: form.fault(heard.text))


_DRAW: dict[LLMCheck, Callable[[Random, LLMConfig], _Trial]] = {
    "streaming": _streaming,
    "tools": _tools,
    "schema": _schema,
}


def _messages(asked: str) -> dict[str, Any]:
    return {"messages": [{"role": "system", "content": SYSTEM}, {"role": "user", "content": asked}]}


def _short(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= 120 else flat[:119] + "…"
