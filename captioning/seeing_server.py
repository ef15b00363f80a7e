"""An OpenAI-compatible server that sees: it reads letters and colours from the pixels it receives, and nothing else.

The passing side of every probe without a GPU, and by name each way to fail one.
"""

from __future__ import annotations

import base64
import io
import json
import re
import time
from collections.abc import Iterator, Mapping
from typing import Any, Literal, get_args

import numpy as np
from PIL import Image

from captioning.letter_reader import read_capitals
from captioning.probe_pictures import COLOURS
from captioning.scripted_server import VisionServer

Fault = Literal[
    "blind", "swapped", "first frame", "shapeless", "thinking", "cut off",
    "broken stream", "one piece", "bad arguments", "no calls", "written calls", "other tool",
]  # fmt: skip
FAULTS: tuple[Fault, ...] = get_args(Fault)

_CAPITALS = re.compile(r"three words")
_COLOURS = re.compile(r"two colour names")
_REPEAT = re.compile(r"[Rr]epeat[^:]*: ([\w ]+)")


class SeeingServer(VisionServer):
    """Serves `/v1/models` and `/v1/chat/completions`, whole or streamed, with pictures, frames, tools and JSON schema.

    Captions are `VisionServer`'s. With a fault it is "blind" (guesses without looking), sees frames "swapped" or only
    the "first frame", is "shapeless" (ignores JSON schemas), starts "thinking" aloud, is "cut off" at its bound, has a
    "broken stream", streams in "one piece", emits "bad arguments", makes "no calls", leaves "written calls" in the
    text, or calls an "other tool".

    Args:
        fault: What is wrong with it, all the time.
        model: The name it serves.
    """

    def __init__(self, fault: Fault | None = None, *, model: str = "seeing") -> None:
        super().__init__()
        self.fault = fault
        self.models = (model,)

    def answer(self, act: str, request: dict[str, Any]) -> dict[str, Any]:
        """Return a chat completion."""
        text, call = self._reply(act, request)
        message = {"role": "assistant", "content": text, **({"tool_calls": [_call(call)]} if call else {})}
        finish = "length" if self.fault == "cut off" else "tool_calls" if call else "stop"
        choice = {"index": 0, "message": message, "finish_reason": finish}
        return {**_head(request, "chat.completion"), "choices": [choice], "usage": _usage(request, text or "")}

    def events(self, act: str, request: dict[str, Any]) -> Iterator[str]:
        """Yield the chunks as vLLM does: a role, the text word by word, a call's name and its arguments in pieces."""
        text, call = self._reply(act, request)
        pieces = re.findall(r"\s*\S+", text or "")
        if self.fault == "one piece":
            pieces = [text or ""]
        deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}, *({"content": piece} for piece in pieces)]
        if call:
            name, arguments = call
            deltas.append({"tool_calls": [{"index": 0, **_call((name, ""))}]})
            for at in range(0, len(arguments), 9):
                deltas.append({"tool_calls": [{"index": 0, "function": {"arguments": arguments[at : at + 9]}}]})
        kept = deltas[: len(deltas) // 2] if self.fault == "broken stream" else deltas
        for delta in kept:
            yield _chunk(request, delta)
        if self.fault == "broken stream":
            return
        finish = "length" if self.fault == "cut off" else "tool_calls" if call else "stop"
        yield _chunk(request, {}, finish)
        yield json.dumps(
            {**_head(request, "chat.completion.chunk"), "choices": [], "usage": _usage(request, text or "")}
        )
        yield "[DONE]"

    def _reply(self, act: str, request: dict[str, Any]) -> tuple[str | None, tuple[str, str] | None]:
        """Return the text and the tool call of an answer."""
        said = _said(request)
        if request.get("tools"):
            return self._call_tool(said, request["tools"][0]["function"])
        schema = _schema(request)
        if schema is not None and "caption" in schema.get("properties", {}):
            content = super().answer(act, request)["choices"][0]["message"]["content"]
            return str(content), None
        if schema is not None and self.fault != "shapeless":
            text = json.dumps(_fill(schema))
        elif _CAPITALS.search(said):
            text = " ".join(self._words(request))
        elif _COLOURS.search(said):
            text = ", ".join(self._colours(request))
        elif repeat := _REPEAT.search(said):
            text = repeat.group(1).strip()
        else:
            text = "Certainly! Here is the form, filled in."
        return f"<think>Let me look closely.</think>\n{text}" if self.fault == "thinking" else text, None

    def _words(self, request: Mapping[str, Any]) -> list[str]:
        if self.fault == "blind":
            return ["HELLO", "WORLD", "AGAIN"]
        return [word for image in pictures_of(request) for word in read_capitals(image)]

    def _colours(self, request: Mapping[str, Any]) -> list[str]:
        if self.fault == "blind":
            return ["pink", "orange"]
        seen = list(dict.fromkeys(_colour(image) for image in pictures_of(request)))
        return seen[::-1] if self.fault == "swapped" else seen[:1] if self.fault == "first frame" else seen

    def _call_tool(self, said: str, function: Mapping[str, Any]) -> tuple[str | None, tuple[str, str] | None]:
        if self.fault == "no calls":
            return "I have put it there for you.", None
        properties: Mapping[str, Mapping[str, Any]] = function["parameters"]["properties"]
        given: dict[str, Any] = {}
        for name, schema in properties.items():
            found = re.search(rf"\b{name} ([\w-]+)", said)
            value = found.group(1) if found else ""
            given[name] = int(value) if schema.get("type") == "integer" and value.isdigit() else value
        arguments = json.dumps(given)
        if self.fault == "written calls":
            return f'<tool_call>\n{{"name": "{function["name"]}", "arguments": {arguments}}}\n</tool_call>', None
        name = "sing" if self.fault == "other tool" else str(function["name"])
        return None, (name, arguments[:-4] if self.fault == "bad arguments" else arguments)


def pictures_of(request: Mapping[str, Any]) -> list[Image.Image]:
    """Return every picture of a chat request in order, the frames of a `video/jpeg` among them."""
    found = []
    for message in request["messages"]:
        for part in message["content"] if isinstance(message["content"], list) else ():
            kind = part["type"]
            if kind not in ("image_url", "video_url"):
                continue
            for data in part[kind]["url"].split(",")[1:]:
                with Image.open(io.BytesIO(base64.b64decode(data))) as image:
                    found.append(image.convert("RGB"))
    return found


def _colour(image: Image.Image) -> str:
    mean = np.asarray(image, np.float64).mean(axis=(0, 1))
    return min(COLOURS, key=lambda name: float(np.linalg.norm(mean - COLOURS[name])))


def _said(request: Mapping[str, Any]) -> str:
    """Return the words of the last message."""
    content = request["messages"][-1]["content"]
    return content if isinstance(content, str) else " ".join(part.get("text", "") for part in content)


def _schema(request: Mapping[str, Any]) -> Mapping[str, Any] | None:
    form = request.get("response_format") or {}
    return form["json_schema"]["schema"] if form.get("type") == "json_schema" else None


def _fill(schema: Mapping[str, Any]) -> Any:
    """Return something that fits a schema."""
    if "enum" in schema:
        return schema["enum"][-1]
    kind = schema.get("type")
    if kind == "object":
        return {name: _fill(inner) for name, inner in schema["properties"].items()}
    return {"integer": schema.get("minimum", 0), "array": [], "string": "something"}.get(str(kind))


def _call(call: tuple[str, str]) -> dict[str, Any]:
    return {"id": "call_0", "type": "function", "function": {"name": call[0], "arguments": call[1]}}


def _head(request: Mapping[str, Any], kind: str) -> dict[str, Any]:
    return {"id": "chatcmpl-seeing", "object": kind, "created": int(time.time()), "model": request["model"]}


def _chunk(request: Mapping[str, Any], delta: Mapping[str, Any], finish: str | None = None) -> str:
    head = _head(request, "chat.completion.chunk")
    return json.dumps({**head, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})


def _usage(request: Mapping[str, Any], text: str) -> dict[str, int]:
    """Count four characters a token and 256 tokens a picture."""
    prompt, completion = len(_said(request)) // 4 + 256 * len(pictures_of(request)), len(text) // 4 + 1
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}
