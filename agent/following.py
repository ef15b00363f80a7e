"""Work that is due at the end of a turn, done while the LLM thinks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import copy_context
from typing import Generic, Self, TypeVar

AFTER = 0.015
"""Seconds until it begins: by then the LLM has been asked, which the work would otherwise hold up (one thread of Python
runs at a time)."""

T = TypeVar("T")


class Following(Generic[T]):
    """A result that is worked out in a thread once the LLM has been asked.

    Args:
        work: Gives the result; it must change nothing that the turn changes meanwhile.

    Example:
        >>> async def length(word: str) -> int:
        ...     with Following(lambda: len(word)) as following:
        ...         return await following.result()
        >>> asyncio.run(length("vase"))
        4
    """

    def __init__(self, work: Callable[[], T]) -> None:
        self._loop = asyncio.get_running_loop()
        self._work = work
        self._context = copy_context()
        self._future: asyncio.Future[T] | None = None
        self._timer = self._loop.call_later(AFTER, self._begin)

    async def result(self) -> T:
        """Return the result, or raise what went wrong; an LLM quicker than `AFTER` leaves the work to do now."""
        self._timer.cancel()
        return self._work() if self._future is None else await self._future

    def __enter__(self) -> Self:
        """Return itself; behind the block the result is not wanted any more, and what went wrong with it neither."""
        return self

    def __exit__(self, *raised: object) -> None:
        """Leave off."""
        self._timer.cancel()
        if self._future is not None:
            self._future.cancel()

    def _begin(self) -> None:
        self._future = self._loop.run_in_executor(None, self._context.run, self._work)
        self._future.add_done_callback(lambda done: done.cancelled() or done.exception())
