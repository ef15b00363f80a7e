"""A load generator: so many clients, each on one connection that it keeps, each asking again when it is answered.

Raw sockets under asyncio, HTTP/1.1 with keep-alive and no pipelining, so that what is measured is the server: one
request costs this side about 0.05 ms. The latency of every request is kept, from before it is written to the last byte
of its answer, and percentiles are of all of them.

    python -m bench.load_generator http://127.0.0.1:8000/v1/recommendations --body '{"user_id": "u1"}' --clients 16
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import numpy.typing as npt

PERCENTILES = (50, 90, 99, 99.9)

APART_SECONDS = 0.02
"""How long after another a client opens its connection."""

Judge = Callable[[int, int, bytes], None]
"""Told of every answer: the number of its request, its status, its body."""


class BrokenAnswer(ConnectionError):
    """The server closed the connection, or did not speak as it should."""


@dataclass
class Load:
    """What came of a load.

    Attributes:
        seconds: From the first request to the last answer.
        latencies: Milliseconds of every answer, in the order they came.
        statuses: How many answers had which status; 0 counts the requests that were not answered.
    """

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.latencies) / self.seconds if self.seconds else 0.0

    @property
    def failed(self) -> int:
        """How many were not answered with a 2xx."""
        return sum(count for status, count in self.statuses.items() if not 200 <= status < 300)

    def percentile(self, at: float) -> float:
        """Return a percentile of all latencies, in milliseconds; NaN when nothing was answered."""
        return float(np.percentile(self.sorted, at)) if self.latencies else float("nan")

    @property
    def sorted(self) -> npt.NDArray[np.float64]:
        """All latencies, ascending."""
        return np.sort(np.array(self.latencies, np.float64))

    def told(self) -> dict[str, Any]:
        """Return the load for a report."""
        return {
            "requests": sum(self.statuses.values()),
            "failed": self.failed,
            "seconds": round(self.seconds, 3),
            "rate": round(self.rate, 1),
            **{f"p{at:g}": round(self.percentile(at), 3) for at in PERCENTILES},
            "max": round(max(self.latencies, default=float("nan")), 3),
        }


def request_bytes(
    method: str, url: str, body: Mapping[str, Any] | None = None, headers: Mapping[str, str] | None = None
) -> bytes:
    """Return one HTTP request, ready to be written."""
    parts = urlsplit(url)
    content = b"" if body is None else json.dumps(body).encode()
    told = {"Host": parts.netloc, **(headers or {})}
    if body is not None:
        told |= {"Content-Type": "application/json", "Content-Length": str(len(content))}
    head = "".join(f"{name}: {value}\r\n" for name, value in told.items())
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + content


class Connection(asyncio.Protocol):
    """One client's connection: a request, its whole answer, and so on."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._whole: int | None = None
        self._head = 0
        self._status = 0
        self._answer: asyncio.Future[tuple[int, bytes]] | None = None
        self._transport: asyncio.Transport | None = None

    @property
    def open(self) -> bool:
        """Whether a request can be written."""
        return self._transport is not None and not self._transport.is_closing()

    async def ask(self, request: bytes) -> tuple[int, bytes]:
        """Write a request and return the status and the body of its answer.

        Raises:
            BrokenAnswer: When the connection ends before the answer does.
        """
        if self._transport is None or self._transport.is_closing():
            raise BrokenAnswer("the connection is closed")
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._answer

    def close(self) -> None:
        """End the connection."""
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See `asyncio.Protocol`."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        """See `asyncio.Protocol`."""
        self._settle(BrokenAnswer("the server closed the connection before its answer was whole"))

    def data_received(self, data: bytes) -> None:
        """See `asyncio.Protocol`."""
        self._buffer += data
        if self._whole is None:
            end = self._buffer.find(b"\r\n\r\n")
            if end < 0:
                return
            self._read_head(bytes(self._buffer[:end]), end + 4)
        if self._whole is not None and len(self._buffer) >= self._whole:
            body = bytes(self._buffer[self._head : self._whole])
            del self._buffer[: self._whole]
            self._whole = None
            if self._answer is not None and not self._answer.done():
                self._answer.set_result((self._status, body))

    def _read_head(self, head: bytes, begins: int) -> None:
        first, *lines = head.split(b"\r\n")
        headers = dict(line.lower().split(b": ", 1) for line in lines if b": " in line)
        length = headers.get(b"content-length")
        if length is None:
            self._settle(BrokenAnswer("an answer without a Content-Length cannot be read here"))
            self.close()
            return
        self._status, self._head, self._whole = int(first.split(b" ", 2)[1]), begins, begins + int(length)

    def _settle(self, error: BrokenAnswer) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error)


async def connected(url: str) -> Connection:
    """Open a connection to the server of a URL."""
    parts = urlsplit(url)
    host, port = parts.hostname or "127.0.0.1", parts.port or 80
    _, connection = await asyncio.get_running_loop().create_connection(Connection, host, port)
    return connection


async def load(
    url: str,
    requests: Sequence[bytes],
    *,
    clients: int = 1,
    total: int | None = None,
    seconds: float | None = None,
    first: int = 0,
    judge: Judge | None = None,
) -> Load:
    """Ask until `total` requests were made or `seconds` have passed; at least one of them ends it.

    A request that is not answered counts with status 0, and its client opens another connection.

    Args:
        url: Whose host and port are asked.
        requests: From `request_bytes`; asked in turn, over and over, by whichever client is free.
        clients: Connections, each with one request on its way.
        total: Requests at most.
        seconds: Time at most; requests on their way are waited for.
        first: Which of `requests` comes first.
        judge: Told of every answer.
    """
    if total is None and seconds is None:
        raise ValueError("neither total nor seconds ends the load; one of them would")
    result, asked = Load(), 0
    connections = []
    for number in range(clients):
        # Calls that come in one moment all fall to the worker that wakes first; people come one after another.
        await asyncio.sleep(APART_SECONDS if number else 0)
        connections.append(await connected(url))
    began = time.perf_counter()
    until = None if seconds is None else began + seconds

    async def client(connection: Connection) -> None:
        nonlocal asked
        while (total is None or asked < total) and (until is None or time.perf_counter() < until):
            number = first + asked
            asked += 1
            sent = time.perf_counter()
            try:
                status, body = await connection.ask(requests[number % len(requests)])
            except ConnectionError:
                result.statuses[0] += 1
                connection.close()
                connection = await connected(url)
                continue
            result.latencies.append((time.perf_counter() - sent) * 1000)
            result.statuses[status] += 1
            if judge is not None:
                judge(number, status, body)
        connection.close()

    await asyncio.gather(*map(client, connections))
    result.seconds = time.perf_counter() - began
    return result


def main() -> None:
    """Load one address and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url")
    parser.add_argument("--method", default="POST")
    parser.add_argument("--body", type=json.loads, help="JSON")
    parser.add_argument("--clients", type=int, default=1)
    parser.add_argument("--requests", type=int)
    parser.add_argument("--seconds", type=float, default=10.0)
    given = parser.parse_args()
    asked = [request_bytes(given.method, given.url, given.body)]
    until = None if given.requests else given.seconds
    print(asyncio.run(load(given.url, asked, clients=given.clients, total=given.requests, seconds=until)).told())


if __name__ == "__main__":
    main()
