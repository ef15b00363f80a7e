"""Where a server is in its life: starting, ready, draining; and the streams to be ended before it goes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal

Phase = Literal["starting", "ready", "draining"]


class Readiness:
    """One server's phase; `/health/ready` tells it. Used in one event loop.

    Attributes:
        phase: What it is now.
    """

    def __init__(self, phase: Phase = "ready") -> None:
        self.phase: Phase = phase
        self._streams: set[Callable[[], None]] = set()

    @contextmanager
    def streaming(self, end: Callable[[], None]) -> Iterator[None]:
        """Register a stream; `end` is called when its time is over and must make it say goodbye."""
        self._streams.add(end)
        try:
            yield
        finally:
            self._streams.discard(end)

    def end_streams(self) -> int:
        """Ask every stream that still runs to end; return how many there were."""
        running = list(self._streams)
        for end in running:
            end()
        return len(running)
