"""`Turns`: which URL is asked next, so that no host is asked more at once, or sooner, than is polite."""

from __future__ import annotations

import heapq
from collections import deque
from dataclasses import dataclass, field
from itertools import count

from catalog.errors import FetchError
from catalog.media.sniff import MediaKind

HOST_REASONS = frozenset({"unresolved host", "unreachable", "timeout", "broken answer"})
"""Reasons that speak of the host; several in a row, and the rest of its URLs are left."""

UNASKED = frozenset({"refused address", "bad URL"})
"""Reasons for which nobody was asked; they say nothing of the host, and a changed setting mends them."""


@dataclass(eq=False)
class Ask:
    """One URL to bring, and how often this run asked for it."""

    url: str
    kinds: tuple[MediaKind, ...]
    host: Host
    tries: int = 0


@dataclass(eq=False)
class Host:
    """What is known of one host in this run."""

    name: str
    queue: deque[Ask] = field(default_factory=deque)
    flying: int = 0
    wakes: float = 0.0
    refusals: int = 0
    in_a_row: int = 0
    down: bool = False
    in_line: bool = False


class Turns:
    """Hosts in turn, each with at most `per_host` requests under way; every step costs the same.

    Args:
        per_host: Requests to one host at once.
        host_failures: Failures of a host in a row after which its other URLs are left for another run.
        backoff: Seconds before a second request, doubled each time.
        longest_wait: Seconds waited at most; a host that asks for more is left for another run.
        tries: Requests for one URL.
    """

    def __init__(self, *, per_host: int, host_failures: int, backoff: float, longest_wait: float, tries: int) -> None:
        self._per_host, self._host_failures = per_host, host_failures
        self._backoff, self._longest, self._tries = backoff, longest_wait, tries
        self._hosts: dict[str, Host] = {}
        self._line: deque[Host] = deque()
        self._later: list[tuple[float, int, Host | Ask]] = []
        self._numbers = count()
        self.left: list[Ask] = []

    def add(self, url: str, kinds: tuple[MediaKind, ...], host: str) -> None:
        """Put a URL at the end of its host's queue."""
        entry = self._hosts.setdefault(host, Host(host))
        entry.queue.append(Ask(url, kinds, entry))
        self._line_up(entry, 0.0)

    def next(self, now: float) -> Ask | None:
        """Return what may be asked now, None where every host is busy or waits."""
        while self._later and self._later[0][0] <= now:
            waiter = heapq.heappop(self._later)[2]
            host = waiter if isinstance(waiter, Host) else waiter.host
            if isinstance(waiter, Ask):
                (self.left if host.down else host.queue).append(waiter)
            self._line_up(host, now)
        while self._line:
            host = self._line.popleft()
            host.in_line = False
            if not host.queue or host.flying >= self._per_host or host.wakes > now:
                continue
            ask = host.queue.popleft()
            host.flying += 1
            ask.tries += 1
            self._line_up(host, now)
            return ask
        return None

    def until(self, now: float) -> float | None:
        """Return the seconds until a host or URL that waits is due, None where none does."""
        return max(0.0, self._later[0][0] - now) if self._later else None

    def done(self, ask: Ask, now: float) -> None:
        """Note that the host answered, with the medium or with a plain no."""
        ask.host.flying -= 1
        ask.host.in_a_row = ask.host.refusals = 0
        self._line_up(ask.host, now)

    def failed(self, ask: Ask, error: FetchError, now: float) -> bool:
        """Note a failure; return whether the URL is asked again in this run."""
        host, limited = ask.host, error.reason in ("HTTP 429", "HTTP 503")
        host.flying -= 1
        speaks_of_host = limited or error.reason in HOST_REASONS or error.reason.startswith("HTTP 5")
        if error.reason not in UNASKED:
            host.in_a_row = host.in_a_row + 1 if speaks_of_host else 0
        again = error.retryable and ask.tries < self._tries
        if limited:  # the whole host waits
            host.refusals += 1
            pause = self._backoff * 2.0 ** min(host.refusals - 1, 30)
            wait = min(self._longest, pause) if error.wait is None else max(error.wait, self._backoff)
            again = again and wait <= self._longest
            host.down = host.down or wait > self._longest
            host.wakes = max(host.wakes, now + wait)
            if again:
                host.queue.appendleft(ask)
            if not host.down:
                heapq.heappush(self._later, (host.wakes, next(self._numbers), host))
        elif again:
            pause = min(self._longest, self._backoff * 2.0 ** (ask.tries - 1))
            heapq.heappush(self._later, (now + pause, next(self._numbers), ask))
        host.down = host.down or host.in_a_row >= self._host_failures
        if host.down:
            self.left += host.queue
            host.queue.clear()
        self._line_up(host, now)
        return again

    def _line_up(self, host: Host, now: float) -> None:
        if host.queue and not host.in_line and host.flying < self._per_host and host.wakes <= now:
            host.in_line = True
            self._line.append(host)
