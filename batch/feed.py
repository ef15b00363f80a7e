"""`Feed`: blocks of pieces on their way to workers on other machines, by number."""

from __future__ import annotations

import asyncio
from collections import Counter

PREPARE, INFER = "prepare", "infer"
"""Stages that a block comes to."""
SKIPPED = b""
"""Stands for a block that is done already, or that the end of the run overtook."""


class Feed:
    """Blocks of pieces on their way, by number; an actor. A block stays until its results are with the driver."""

    def __init__(self) -> None:
        self._blocks: dict[int, bytes] = {}
        self._end: int | None = None
        self._begun: dict[int, Counter[str]] = {}
        self._next = 0
        self._stopped = False
        self._idle = True
        self._news = asyncio.Condition()

    async def put(self, number: int, block: bytes) -> None:
        """Add a block."""
        async with self._news:
            self._blocks[number] = block
            self._news.notify_all()

    async def close(self, end: int) -> None:
        """Say how many blocks there are: no more will come."""
        async with self._news:
            self._end = end
            self._news.notify_all()

    async def stop(self) -> None:
        """End the run: nothing more is given out."""
        async with self._news:
            self._stopped = True
            self._news.notify_all()

    async def done(self, number: int) -> None:
        """Forget a block whose results have come back."""
        self._blocks.pop(number, None)
        self._begun.pop(number, None)

    async def get(self, number: int) -> bytes | None:
        """Return a block, `SKIPPED` when it is done, None at the end."""
        async with self._news:
            await self._news.wait_for(
                lambda: self._stopped or number == self._end or number < self._next or number in self._blocks
            )
            if self._stopped or number == self._end:
                return None
            self._next = max(self._next, number + 1)
            return self._blocks.get(number, SKIPPED)

    async def begin(self, stage: str, number: int) -> int:
        """Return how often a block came to a stage, this time included; 0: leave it, the run is over."""
        self._idle = self._idle and stage == PREPARE
        begun = self._begun.setdefault(number, Counter())
        begun[stage] += 1
        return 0 if self._stopped else begun[stage]

    async def is_idle(self) -> bool:
        """Return whether no worker has taken a block yet."""
        return self._idle
