"""A chat completion request as a scripted model reads it, and what such a model answers."""

from __future__ import annotations

import base64
import binascii
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Reply:
    """What a model answers: text, tool calls (name and arguments as written), or a stream that breaks off."""

    text: str = ""
    calls: tuple[tuple[str, str | None], ...] = ()
    breaks: bool = False


@dataclass(frozen=True)
class Seen:
    """A request as a model reads it.

    Attributes:
        wish: The shopper's last message.
        rounds: Tool messages since then.
        items: Items of the latest tool message that had any, as written there.
        tools: Names of the tools offered.
        key: The key the model was called with.
        prompt: The system prompt.
        texts: Every string that came as data, each once: of tool messages, of what was shown before, and the words
            that uploaded pictures hold.
        called: Tool calls since the shopper's last message, `(name, arguments as written)`.
        first: Items of the earliest tool message that had any.
    """

    wish: str
    rounds: int
    items: list[dict[str, Any]] = field(default_factory=list)
    tools: tuple[str, ...] = ()
    key: str = ""
    prompt: str = ""
    texts: tuple[str, ...] = ()
    called: tuple[tuple[str, str], ...] = ()
    first: list[dict[str, Any]] = field(default_factory=list)

    @property
    def search(self) -> str:
        """The tool that searches."""
        return "search_items" if "search_items" in self.tools or not self.tools else self.tools[0]


def seen(body: Mapping[str, Any], key: str = "") -> Seen:
    """Read a chat completion request, made with a key."""
    messages: Sequence[Mapping[str, Any]] = body.get("messages", [])
    last = max((i for i, m in enumerate(messages) if m.get("role") == "user"), default=-1)
    wish = text_of(messages[last].get("content")) if last >= 0 else ""
    answers = [text_of(m.get("content")) for m in messages[last + 1 :] if m.get("role") == "tool"]
    given = [items for answer in answers if (items := _items(answer))]
    return Seen(
        wish,
        len(answers),
        given[-1] if given else [],
        tuple(tool["function"]["name"] for tool in body.get("tools") or ()),
        key,
        "".join(text_of(m.get("content")) for m in messages if m.get("role") == "system"),
        tuple(dict.fromkeys(_data(messages))),
        tuple(_calls(messages[last + 1 :])),
        given[0] if given else [],
    )


def text_of(content: Any) -> str:
    """Return the text of a message's content."""
    if isinstance(content, list):
        return " ".join(str(part.get("text", "")) for part in content if isinstance(part, Mapping))
    return str(content or "")


def words_in_picture(url: str) -> str:
    """Return the words a picture holds, as an eye would read them: those of its PNG text chunk `words`."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))) as picture:
            return str(picture.info.get("words", ""))
    except (UnidentifiedImageError, binascii.Error, OSError, ValueError):
        return ""


def _data(messages: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for message in messages:
        content = message.get("content")
        if message.get("role") == "tool":
            answer = text_of(content)
            try:
                yield from _strings(json.loads(answer))
            except ValueError:
                yield answer
        elif message.get("role") == "assistant" and "<shown>" in text_of(content):
            yield text_of(content).partition("<shown>")[2]
        elif message.get("role") == "user" and isinstance(content, list):
            for part in content:
                if part.get("type") == "image_url" and (words := words_in_picture(part["image_url"]["url"])):
                    yield words


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield str(name)
            yield from _strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _strings(inner)
    elif isinstance(value, str):
        yield value


def _calls(messages: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    for message in messages:
        for call in message.get("tool_calls") or ():
            yield call["function"]["name"], str(call["function"].get("arguments") or "")


def _items(answer: str) -> list[dict[str, Any]]:
    try:
        found = json.loads(answer).get("items", [])
    except (ValueError, AttributeError):
        return []
    return [item for item in found if isinstance(item, dict)]
