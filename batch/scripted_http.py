"""A JSON server on loopback that answers by script: the double behind every OpenAI-compatible test."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from http.server import BaseHTTPRequestHandler
from typing import Any

from catalog.loopback import LoopbackServer


class ScriptedServer(LoopbackServer):
    """Answers POST requests on a free port of 127.0.0.1; a context manager.

    An act that is a number ("429", or with words of its own "400 too long") is answered with that HTTP status;
    "drip" sends a blank every twentieth of a second without end, "redirect" sends the request back to the same address,
    "quote" refuses with 400 and says the key; an act named in `bodies` is answered with those bytes; other acts, and
    "honest" once the script has run out, are the subclass's.

    Args:
        script: The acts of the first requests, in the order they arrive.

    Attributes:
        requests: The bodies POSTed, in the order they arrived.
        bodies: Act -> the bytes of its answer, whatever they are.
        packing: Act of `bodies` -> its Content-Encoding.
        models: What `/v1/models` lists; None: it is not there.
        port: Where it listens, of the class; 0 takes a free one.
    """

    models: tuple[str, ...] | None = None
    port: int = 0

    def __init__(self, script: Sequence[str] = ()) -> None:
        super().__init__(("127.0.0.1", self.port), _Handler)
        self.requests: list[dict[str, Any]] = []
        self.bodies: Mapping[str, bytes] = {}
        self.packing: Mapping[str, str] = {}
        self._script = list(script)
        self._lock = threading.Lock()

    @property
    def base_url(self) -> str:
        """The address clients use."""
        return f"http://127.0.0.1:{self.server_address[1]}/v1"

    def answer(self, act: str, request: dict[str, Any]) -> dict[str, Any]:
        """Return the JSON body of one answer."""
        raise NotImplementedError

    def events(self, act: str, request: dict[str, Any]) -> Iterable[str]:
        """Return the data of each server-sent event of an answer that is to be streamed."""
        raise NotImplementedError

    def next_act(self, request: dict[str, Any]) -> str:
        """Note the request and return what the script does with it."""
        with self._lock:
            self.requests.append(request)
            return self._script.pop(0) if self._script else "honest"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: ScriptedServer

    def do_GET(self) -> None:
        if self.path.endswith("/models") and self.server.models is not None:
            self._send(200, {"object": "list", "data": [{"id": name} for name in self.server.models]})
        else:
            self._send(404, {"error": {"message": f"nothing at {self.path}"}})

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        act = self.server.next_act(request)
        status, _, said = act.partition(" ")
        if act in self.server.bodies:
            packed = {"Content-Encoding": self.server.packing[act]} if act in self.server.packing else {}
            self._send_bytes(200, self.server.bodies[act], packed)
        elif act == "drip":
            self._drip()
        elif act == "redirect":
            self._send_bytes(307, b"", {"Location": self.path})
        elif act == "quote":
            self._send(400, {"error": {"message": f"your key is {self.headers['Authorization']}"}})
        elif status.isdigit():
            self._send(int(status), {"error": {"message": said or f"scripted {act}"}})
        elif request.get("stream"):
            self._stream(self.server.events(act, request))
        else:
            self._send(200, self.server.answer(act, request))

    def _stream(self, events: Iterable[str]) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        for event in events:
            self.wfile.write(f"data: {event}\n\n".encode())
            self.wfile.flush()

    def _drip(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.close_connection = True
        while True:  # until the client goes away
            self.wfile.write(b" ")
            time.sleep(0.05)

    def _send(self, status: int, body: dict[str, Any]) -> None:
        self._send_bytes(status, json.dumps(body).encode(), {})

    def _send_bytes(self, status: int, data: bytes, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Retry-After-Ms", "10")
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Write no access log."""
