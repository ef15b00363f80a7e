"""A web host on loopback that answers by script: the double behind the tests of the downloader."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

from catalog.loopback import LoopbackServer


@dataclass(frozen=True)
class Reply:
    """One answer; `Content-Length` is that of the body unless `headers` say otherwise."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


Act = Reply | Callable[[BaseHTTPRequestHandler], Reply | None]
"""An answer, or what makes one of the request, or writes to the wire itself and gives None."""


class ScriptedHost(LoopbackServer):
    """Answers GET, and HEAD by what stands fast, by path, 404 where the script has none; a context manager.

    Args:
        acts: Path -> answer.
        address: Of this machine.
        port: None: a free one.
        certificate: PEM file of certificate and key; the host speaks TLS then.

    Attributes:
        asked: Paths in the order they were asked for.
        names: The `Host` header of each.
        most: Requests that were under way at once, at most.
    """

    request_queue_size = 64

    def __init__(
        self,
        acts: Mapping[str, Act],
        *,
        address: str = "127.0.0.1",
        port: int = 0,
        certificate: Path | None = None,
    ) -> None:
        super().__init__((address, port), _Handler)
        self.acts = dict(acts)
        self.asked: list[str] = []
        self.names: list[str] = []
        self.most = self._now = 0
        self._lock = threading.Lock()
        self._scheme = "http"
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
            self._scheme = "https"

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.server_address[1])

    def url(self, path: str, host: str = "127.0.0.1") -> str:
        """Return the URL of a path under a name of this host."""
        return f"{self._scheme}://{host}:{self.port}{path}"

    def answer(self, handler: BaseHTTPRequestHandler) -> Reply | None:
        """Note the request and return what the script says."""
        with self._lock:
            self.asked.append(handler.path)
            self.names.append(handler.headers.get("Host", ""))
            self._now += 1
            self.most = max(self.most, self._now)
        try:
            act = self.acts.get(handler.path, Reply(b"not here", 404))
            return act if isinstance(act, Reply) else act(handler)
        finally:
            with self._lock:
                self._now -= 1


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: ScriptedHost

    def do_GET(self) -> None:
        reply = self.server.answer(self)
        if reply is None:
            self.close_connection = True
            return
        self._head(reply)
        self.wfile.write(reply.body)

    def do_HEAD(self) -> None:
        act = self.server.acts.get(self.path, Reply(status=404))
        self._head(act if isinstance(act, Reply) else Reply(status=501))

    def _head(self, reply: Reply) -> None:
        self.send_response(reply.status)
        for name, value in {"Content-Length": str(len(reply.body)), **reply.headers}.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Write no access log."""
