"""An OpenAI-compatible chat server with a script for a brain, over real HTTP on the loopback interface."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler
from typing import Any

from agent.scripted_minds import Persona, Reply, reply
from catalog.loopback import LoopbackServer

MODEL = "scripted"


class ScriptedServer(LoopbackServer):
    """Serves `/v1/chat/completions` (streaming or not, with tool calls) and `/v1/models` while its context is open.

    Args:
        persona: How the model behaves; may be changed while it serves.
        pause: Seconds between two pieces of a streamed answer.
        think: Seconds before the first piece.
        port: 0 picks a free one.

    Attributes:
        requests: Bodies of the completions asked for, in order.
        took: Seconds from a completion asked for to its last byte, in order.

    Example:
        >>> with ScriptedServer("obedient") as server:
        ...     server.base_url.startswith("http://127.0.0.1:")
        True
    """

    def __init__(self, persona: Persona = "obedient", *, pause: float = 0.0, think: float = 0.0, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.persona: Persona = persona
        self.pause = pause
        self.think = think
        self.took: list[float] = []
        self.requests: list[dict[str, Any]] = []
        self._closing = threading.Event()

    @property
    def base_url(self) -> str:
        """What an OpenAI client takes as `base_url`."""
        return f"http://127.0.0.1:{self.server_address[1]}/v1"

    def __exit__(self, *raised: object) -> None:
        self._closing.set()
        super().__exit__(*raised)

    def wait(self, seconds: float) -> None:
        """Sleep, but not beyond the end of the server."""
        self._closing.wait(seconds)


class _Handler(BaseHTTPRequestHandler):
    server: ScriptedServer
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """List the one model."""
        self._json(200, {"object": "list", "data": [{"id": MODEL, "object": "model", "owned_by": "vitrine"}]})

    def do_POST(self) -> None:
        """Answer a chat completion in character."""
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", "0"))))
        scripted, asked = self.server, time.perf_counter()
        scripted.requests.append(body)
        if scripted.think:
            scripted.wait(scripted.think)
        self._answer(scripted, body)
        scripted.took.append(time.perf_counter() - asked)

    def _answer(self, scripted: ScriptedServer, body: Mapping[str, Any]) -> None:
        if scripted.persona == "failing":
            self._json(500, {"error": {"message": "the model fell over", "type": "server_error"}})
            return
        if scripted.persona == "hanging":
            scripted.wait(3600)
            return
        answer = reply(scripted.persona, body, self.headers.get("Authorization", "").removeprefix("Bearer "))
        if body.get("stream"):
            self._stream(answer, body)
        elif answer.breaks:
            self._raw(200, b'{"id": "broken", "choices": [{"message": {"content": "Let me s')
        else:
            self._json(200, _completion(answer, body))

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Keep quiet."""

    def _json(self, status: int, body: Mapping[str, Any]) -> None:
        self._raw(status, json.dumps(body).encode())

    def _raw(self, status: int, data: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _stream(self, answer: Reply, body: Mapping[str, Any]) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        for chunk in _chunks(answer, body):
            self._event(json.dumps(chunk))
        if answer.breaks:
            self._event('{"id": "broken", "choices": [{"delta": {"content": "is sho')
            return
        self._event("[DONE]")

    def _event(self, data: str) -> None:
        self.wfile.write(f"data: {data}\n\n".encode())
        self.wfile.flush()
        if self.server.pause:
            self.server.wait(self.server.pause)


def _completion(answer: Reply, body: Mapping[str, Any]) -> dict[str, Any]:
    calls = [_call(place, name, arguments) for place, (name, arguments) in enumerate(answer.calls)]
    message = {"role": "assistant", "content": answer.text or None, **({"tool_calls": calls} if calls else {})}
    choice = {"index": 0, "message": message, "finish_reason": "tool_calls" if calls else "stop"}
    return {**_head("chat.completion"), "choices": [choice], "usage": _usage(answer, body)}


def _chunks(answer: Reply, body: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Stream as vLLM does: a role, the text by a few letters, each call's name and then its arguments in pieces."""
    yield _chunk({"role": "assistant", "content": ""})
    for piece in re.findall(r"\s*\S{1,6}\s*", answer.text):
        yield _chunk({"content": piece})
    for place, (name, arguments) in enumerate(answer.calls):
        yield _chunk({"tool_calls": [{"index": place, **_call(place, name, None)}]})
        for at in range(0, len(arguments or ""), 8):
            piece = {"index": place, "function": {"arguments": (arguments or "")[at : at + 8]}}
            yield _chunk({"tool_calls": [piece]})
    if answer.breaks:
        return
    yield _chunk({}, "tool_calls" if answer.calls else "stop")
    if (body.get("stream_options") or {}).get("include_usage"):
        yield {**_head("chat.completion.chunk"), "choices": [], "usage": _usage(answer, body)}


def _chunk(delta: Mapping[str, Any], finish: str | None = None) -> dict[str, Any]:
    return {**_head("chat.completion.chunk"), "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}


def _call(place: int, name: str, arguments: str | None) -> dict[str, Any]:
    return {"id": f"call_{place}", "type": "function", "function": {"name": name, "arguments": arguments}}


def _head(kind: str) -> dict[str, Any]:
    return {"id": "chatcmpl-scripted", "object": kind, "created": int(time.time()), "model": MODEL}


def _usage(answer: Reply, body: Mapping[str, Any]) -> dict[str, int]:
    """Count four characters a token, as a model's own counter roughly would."""
    prompt = len(json.dumps(body.get("messages", []))) // 4
    completion = (len(answer.text) + sum(len(arguments or "") for _, arguments in answer.calls)) // 4 + 1
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}
