"""Who answers at the address while the fork server still imports: live, not ready, and try again in a moment."""

from __future__ import annotations

import json
import selectors
import socket
import threading
import time
from contextlib import suppress
from types import TracebackType

from api.problems import problem

_SECONDS = 1.0
"""How long a caller has to say what it wants, and as long again to hear the answer, however it spreads its bytes."""
_MOST_BYTES = 16_384


class Porter:
    """Answers in a thread inside a `with` block, every caller in one line of HTTP/1.1; then the address is others'.

    Args:
        listener: The address, listening.
    """

    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener
        self._leave, self._left = socket.socketpair()
        self._thread = threading.Thread(target=self._work, name="porter", daemon=True)

    def __enter__(self) -> Porter:
        self._listener.setblocking(False)  # as the workers' event loops have it, whose listener is this one
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._leave.close()
        self._thread.join()
        self._left.close()

    def _work(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._listener, selectors.EVENT_READ)
            selector.register(self._left, selectors.EVENT_READ)
            while True:
                ready = {key.fileobj for key, _ in selector.select()}
                if self._left in ready:
                    return
                with suppress(OSError):  # a caller that went away meanwhile
                    caller, _ = self._listener.accept()
                    with caller:
                        _answer(caller)


def _answer(caller: socket.socket) -> None:
    read, until = b"", time.monotonic() + _SECONDS
    while b"\r\n\r\n" not in read and len(read) < _MOST_BYTES:
        part = _received(caller, until)
        if not part:
            break
        read += part
    words = read.split(b"\r\n", 1)[0].split(b" ")
    path = words[1].split(b"?", 1)[0] if len(words) == 3 else b""
    status, kind, body = "503 Service Unavailable", "application/json", {"status": "starting"}
    if path == b"/health/live":
        status, body = "200 OK", {"status": "live"}
    elif path != b"/health/ready":
        kind, body = "application/problem+json", problem(503, "the shop is being opened; try again in 2 s")
    data = json.dumps(body).encode()
    fields = [f"HTTP/1.1 {status}", f"Content-Type: {kind}", f"Content-Length: {len(data)}", "Connection: close"]
    fields += [] if status.startswith("200") else ["Retry-After: 2"]
    head = "\r\n".join((*fields, "", ""))
    until = time.monotonic() + _SECONDS
    caller.settimeout(_SECONDS)
    caller.sendall(head.encode() + data)
    caller.shutdown(socket.SHUT_WR)
    with suppress(TimeoutError):
        while _received(caller, until):  # a body still on its way: closing on it would take the answer back
            continue


def _received(caller: socket.socket, until: float) -> bytes:
    """Return what comes next, before a moment of the monotonic clock: one that drips would hold up the opening."""
    seconds = until - time.monotonic()
    if seconds <= 0:
        raise TimeoutError
    caller.settimeout(seconds)
    return caller.recv(65_536)
