"""Who is told when a tool has written: the wire, for its audit log, whichever way the tool was called."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_TOLD: ContextVar[Callable[[str], None] | None] = ContextVar("told_of_writes", default=None)


def wrote(name: str) -> None:
    """Say that a tool, or the conversation itself, wrote; called before anybody is told that it did."""
    told = _TOLD.get()
    if told is not None:
        told(name)


@contextmanager
def told_of_writes(told: Callable[[str], None]) -> Iterator[None]:
    """Have `told` called with the name of each write inside the block, in its threads and tasks too."""
    token = _TOLD.set(told)
    try:
        yield
    finally:
        _TOLD.reset(token)
