"""The head of a request, bounded: uvicorn's fast parser would keep one of any size, and wait for it for ever."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from api.problems import MEDIA_TYPE, problem

MOST_BYTES = 64 << 10
"""Of address and headers, or of what follows a body, beyond the first read."""
MOST_SECONDS = 20.0
"""From the connection, or the first byte of a further request, to the end of its head."""


class BoundedHead(HttpToolsProtocol):
    """A connection that is closed when a head is too large (after a 400) or does not come to its end."""

    _went_on, _unheard = False, 0
    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._wait_no_more()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on, as long as what comes belongs to a body or ends a head in time."""
        self._went_on = False
        super().data_received(data)
        self._unheard = 0 if self._went_on else self._unheard + len(data)
        if self._unheard > MOST_BYTES and not self.transport.is_closing():
            self.send_400_response(f"The head of the request is larger than {MOST_BYTES} bytes.")

    def send_400_response(self, msg: str) -> None:
        """Say what is wrong with what is no request, as every refusal is said, and close."""
        data = json.dumps(problem(400, msg)).encode()
        fields = [*self.server_state.default_headers, (b"content-type", MEDIA_TYPE.encode())]
        fields += [(b"content-length", b"%d" % len(data)), (b"connection", b"close")]
        head = b"".join(b"%s: %s\r\n" % field for field in fields)
        self.transport.write(b"".join((STATUS_LINE[400], head, b"\r\n", data)))
        self.transport.close()

    def on_message_begin(self) -> None:
        """Begin to wait for the end of a head."""
        self._went_on = True
        super().on_message_begin()
        self._wait()

    def on_headers_complete(self) -> None:
        """Go on to the body, whose size and time the guard bounds."""
        self._went_on = True
        self._wait_no_more()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Pass a part of the body on."""
        self._went_on = True
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Be ready for another request."""
        self._went_on = True
        super().on_message_complete()

    def _wait(self) -> None:
        self._wait_no_more()
        self._timer = self.loop.call_later(MOST_SECONDS, self._too_late)

    def _wait_no_more(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _too_late(self) -> None:
        cycle: Any = self.cycle
        if (cycle is None or cycle.response_complete) and not self.transport.is_closing():
            self.transport.close()
