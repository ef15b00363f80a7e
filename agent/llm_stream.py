"""A streamed chat completion put together again, whatever of it is missing, doubled or out of order."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from agent.arguments import BROKEN, read_arguments
from catalog.plain_text import whole_text

HIDDEN = re.compile(r"<think>.*?(?:</think>\s*|$)|<tool_call>.*?(?:</tool_call>\s*|$)|<\|[^|]*\|>", re.DOTALL)
"""What of a model's text no shopper reads: thinking, calls its server did not recognise, control tokens."""

_UNDECIDED = re.compile(r"<[/|\w]*$")
_WRITTEN_CALL = re.compile(r"<tool_call>\s*(\{.*?\})\s*(?:</tool_call>|$)", re.DOTALL)


@dataclass
class ToolPart:
    """One tool call as far as it came; `arguments` are text until the end, and an object when they were cut off."""

    call_id: str = ""
    name: str = ""
    arguments: str = ""


@dataclass
class Collected:
    """What came over one stream.

    Attributes:
        content: The text, thinking and tags included.
        calls: Tool calls with the index they came under, in the order in which they began.
        usage: Tokens as the server counts them.
        finish: Why the model stopped; None while the stream runs, and after one that broke off.
        chars: Characters of text and arguments so far.
    """

    content: str = ""
    calls: list[tuple[int, ToolPart]] = field(default_factory=list)
    usage: Mapping[str, Any] | None = None
    finish: str | None = None
    chars: int = 0
    _at: dict[int, ToolPart] = field(default_factory=dict)
    _half: str = ""

    def take(self, chunk: Mapping[str, Any]) -> None:
        """Add a chunk; one without a choice (usage, keep-alive) or of another shape adds what it has."""
        usage = chunk.get("usage")
        self.usage = usage if isinstance(usage, Mapping) else self.usage
        choices = chunk.get("choices")
        first = choices[0] if isinstance(choices, list) and choices else None
        if not isinstance(first, Mapping):
            return
        self.finish = str(first["finish_reason"]) if first.get("finish_reason") else self.finish
        delta = first.get("delta")
        if not isinstance(delta, Mapping):
            return
        text, parts = delta.get("content"), delta.get("tool_calls")
        self._say(text if isinstance(text, str) else "")
        for place, part in enumerate(parts if isinstance(parts, list) else ()):
            self._add(place, part)

    def _say(self, text: str) -> None:
        """Add text; the first half of a character waits for the second, which some servers send with the next chunk."""
        self.chars += len(text)
        text = self._half + text
        self._half = text[-1:] if "\ud800" <= text[-1:] <= "\udbff" else ""
        self.content += whole_text(text.removesuffix(self._half))

    def _add(self, place: int, part: object) -> None:
        if not isinstance(part, Mapping):
            return
        index = part.get("index")
        index = index if isinstance(index, int) else place
        given = part.get("function")
        function = given if isinstance(given, Mapping) else {}
        call_id, name, arguments = part.get("id"), function.get("name"), function.get("arguments")
        call = self._at.get(index)
        # Servers that know no index send every call whole under the same one: a second name with another id is one.
        if call is None or (name and call.name and call_id and call_id != call.call_id):
            call = self._at[index] = ToolPart()
            self.calls.append((index, call))
        call.call_id = call.call_id or whole_text(str(call_id or ""))
        call.name = call.name or whole_text(str(name or ""))
        if isinstance(arguments, Mapping):  # some send an object where text belongs
            call.arguments = json.dumps(arguments)
        elif isinstance(arguments, str):
            self.chars += len(arguments)
            call.arguments += arguments

    def made(self) -> list[ToolPart]:
        """Return the calls of a finished answer, by index, else those a server left in the text."""
        named = [call for _, call in sorted(self.calls, key=lambda each: each[0]) if call.name]
        return named or written_calls(self.content)


def written_calls(content: str) -> list[ToolPart]:
    """Return tool calls a server left in the text because its parser did not know the model's dialect."""
    found = [read_arguments(match.group(1)) for match in _WRITTEN_CALL.finditer(content)]
    return [
        ToolPart(f"written_{place}", str(call["name"]), _text_of(call.get("arguments")))
        for place, call in enumerate(found)
        if call.get("name")
    ]


def visible(content: str) -> str:
    """Return what may be shown so far: no thinking, no tool calls in the text, no half-written tag."""
    return _UNDECIDED.sub("", HIDDEN.sub("", content))


def cut_off(arguments: str, tokens: int) -> str | dict[str, str]:
    """Return the arguments of a call at which the model ran out of tokens.

    What is whole stands. What is not is never mended: the end that was cut off may have been what mattered.
    """
    try:
        json.loads(arguments or "{}")
    except (ValueError, RecursionError):
        return {BROKEN: f"cut off at {tokens} tokens: {arguments}"}
    return arguments


def wire_messages(messages: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the messages with every call's arguments as JSON that parses.

    vLLM reads the arguments of earlier calls into its chat template and refuses the whole request when they are
    broken: `{}` stands in the place of what nobody could read, and the tool's own message says what was wrong.
    """
    for message in messages:
        for call in message.get("tool_calls") or ():
            given = read_arguments(call["function"].get("arguments"))
            call["function"]["arguments"] = json.dumps({} if BROKEN in given else given, ensure_ascii=False)
    return list(messages)


def rounds_since_asked(messages: Sequence[Mapping[str, Any]]) -> int:
    """Return how often tools were asked for since the shopper's last message."""
    asked = 0
    for message in messages:
        if message.get("role") == "user":
            asked = 0
        elif message.get("role") == "assistant" and message.get("tool_calls"):
            asked += 1
    return asked


def _text_of(arguments: object) -> str:
    return arguments if isinstance(arguments, str) else json.dumps(arguments or {})
