"""Who answers at the address while no worker can: live, not ready, and try again in a moment."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Mapping
from contextlib import suppress
from types import TracebackType

from api import opening_page
from api.accepting import Acceptor
from api.problems import problem
from api.request_ids import HEADER, request_id_from

_SECONDS = 10.0
"""How long a caller has to say what it wants, and as long again to hear the answer, however it spreads its bytes."""
_MOST_CALLERS = 256
"""At a time; one too many is cut off, since new workers need files of this process too."""
_MOST_BYTES = 16_384


class Porter:
    """Answers in a thread inside a `with` block, every caller in one line of HTTP/1.1; then the address is others'.

    Whoever was let in before the end of the block still gets an answer after it.

    Args:
        listener: The address, listening.
    """

    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener
        self._stop = asyncio.Event()
        self._begun, self._left = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._work()), name="porter", daemon=True)
        self._loop: asyncio.AbstractEventLoop

    def __enter__(self) -> Porter:
        self._thread.start()
        self._begun.wait()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._left.wait()

    async def _work(self) -> None:
        answers: set[asyncio.Task[None]] = set()

        def come(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            if len(answers) >= _MOST_CALLERS:
                writer.close()
                return
            answers.add(task := asyncio.create_task(_answer(reader, writer)))
            task.add_done_callback(answers.discard)

        def caller() -> asyncio.StreamReaderProtocol:
            return asyncio.StreamReaderProtocol(asyncio.StreamReader(limit=_MOST_BYTES), come)

        self._loop = asyncio.get_running_loop()
        door = Acceptor(self._listener, caller)
        self._begun.set()
        await self._stop.wait()
        door.close()
        self._left.set()
        await door.wait_closed()
        await asyncio.gather(*answers)


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    head = b""
    with suppress(OSError):  # a caller that went away meanwhile, or whose time is over
        try:
            async with asyncio.timeout(_SECONDS):
                head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError as error:
            head = error.partial
        except asyncio.LimitOverrunError as error:
            head = await reader.readexactly(error.consumed)
        with suppress(asyncio.IncompleteReadError):
            async with asyncio.timeout(_SECONDS):
                writer.write(_said_to(head))
                await writer.drain()
                writer.write_eof()
                while await reader.read(65_536):  # a body still on its way: closing on it would take the answer back
                    continue
    writer.close()


def _said_to(head: bytes) -> bytes:
    words = head.split(b"\r\n", 1)[0].split(b" ")
    path = words[1].split(b"?", 1)[0] if len(words) == 3 else b""
    request_id = request_id_from(_field(head, HEADER))
    if opening_page.is_for(path.decode("latin-1"), _field(head, "Accept")):
        return _written("503 Service Unavailable", {**opening_page.HEADERS, HEADER: request_id}, opening_page.PAGE)
    status, kind, body = "503 Service Unavailable", "application/json", {"status": "starting"}
    if path == b"/health/live":
        status, body = "200 OK", {"status": "live"}
    elif path != b"/health/ready":
        kind = "application/problem+json"
        body = problem(503, "the shop is being opened; try again in 2 s", request_id=request_id)
    later = {} if status.startswith("200") else {"Retry-After": str(opening_page.SECONDS)}
    return _written(status, {"Content-Type": kind, HEADER: request_id, **later}, json.dumps(body).encode())


def _written(status: str, headers: Mapping[str, str], data: bytes) -> bytes:
    whole = {**headers, "Content-Length": str(len(data)), "Connection": "close"}
    fields = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in whole.items())]
    return "\r\n".join((*fields, "", "")).encode() + data


def _field(head: bytes, wanted: str) -> str:
    fields = (line.decode("latin-1").partition(":") for line in head.split(b"\r\n")[1:])
    return ",".join(value.strip() for name, _, value in fields if name.strip().lower() == wanted.lower())
