"""A chat server that sends bytes as they were written down: for streams that no sound server would send.

Every piece travels as a chunk of its own, so that a client reads it as it was cut, be it inside a character.
"""

from __future__ import annotations

import json
import socket
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

from catalog.loopback import LoopbackServer

_LINGER_NOT = struct.pack("ii", 1, 0)


@dataclass(frozen=True)
class Sent:
    """One answer on the wire.

    Attributes:
        pieces: The body as it is cut.
        status: Of the answer.
        headers: Beside `Content-Type`.
        breaks: How it ends: `no` as it should, `off` the connection closes in mid-body, `reset` it is torn down.
    """

    pieces: tuple[bytes, ...] = ()
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    breaks: str = "no"


def delta(text: str | None = None, *calls: Mapping[str, Any], finish: str | None = None, **more: Any) -> dict[str, Any]:
    """Return a chunk of a streamed completion."""
    said: dict[str, Any] = {**more, **({} if text is None else {"content": text})}
    if calls:
        said["tool_calls"] = list(calls)
    return {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "scripted",
            "choices": [{"index": 0, "delta": said, "finish_reason": finish}]}  # fmt: skip


def part(
    index: int | None, arguments: Any = None, *, name: str | None = None, call_id: str | None = None
) -> dict[str, Any]:
    """Return a piece of a tool call; what is None is left out, but for the arguments of a piece that names the tool."""
    function = {
        **({"name": name} if name else {}),
        **({"arguments": arguments} if name or arguments is not None else {}),
    }
    found = {"index": index, "id": call_id, "type": "function" if name else None}
    return {**{key: value for key, value in found.items() if value is not None}, "function": function}


def stream(*chunks: Mapping[str, Any], done: bool = True, newline: str = "\n") -> bytes:
    """Return chunks as server-sent events."""
    events = [f"data: {json.dumps(chunk, ensure_ascii=False)}" for chunk in chunks] + (["data: [DONE]"] if done else [])
    return "".join(f"{event}{newline}{newline}" for event in events).encode()


def cut(body: bytes, size: int) -> tuple[bytes, ...]:
    """Return a body in pieces of `size` bytes."""
    return tuple(body[at : at + size] for at in range(0, len(body), size))


class ByteServer(LoopbackServer):
    """Gives one answer after another while its context is open, the last of them again and again.

    Attributes:
        bodies: What was asked, as it came.
    """

    def __init__(self, *answers: Sent) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers: Sequence[Sent] = answers
        self.bodies: list[bytes] = []

    @property
    def base_url(self) -> str:
        """What an OpenAI client takes as `base_url`."""
        return f"http://127.0.0.1:{self.server_address[1]}/v1"

    @property
    def requests(self) -> list[dict[str, Any]]:
        """What was asked, read."""
        return [json.loads(body) for body in self.bodies]


class _Handler(BaseHTTPRequestHandler):
    server: ByteServer
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Send the next answer."""
        told = self.server
        told.bodies.append(self.rfile.read(int(self.headers.get("Content-Length", "0"))))
        answer = told.answers[min(len(told.bodies), len(told.answers)) - 1]
        self.send_response(answer.status)
        self.send_header("Content-Type", "text/event-stream" if answer.status == 200 else "application/json")
        self.send_header("Transfer-Encoding", "chunked")
        self.send_header("Connection", "close")  # said, or a client may ask again on a connection that is about to go
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.close_connection = True
        for piece in answer.pieces:
            self.wfile.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
            self.wfile.flush()
        if answer.breaks == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
        elif answer.breaks == "no":
            self.wfile.write(b"0\r\n\r\n")

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Keep quiet."""
