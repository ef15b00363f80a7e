"""What is timed while a request is answered, for whoever watches it: spans that nest, through threads and tasks.

The layers below the wire say *what* they do (`timed("stage", "filter")`); who counts or traces it stands above. Without
an observer, a span costs one look-up.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Literal, Protocol

SpanKind = Literal["stage", "channel", "tool", "llm", "opening"]
"""`stage` of the pipeline, `channel` a retriever, `tool` a call of the agent, `llm` a call of its server, `opening` a
part of the shop that is loaded."""


class Observer(Protocol):
    """One span as its watcher sees it; `begin` opens another inside it."""

    def begin(self, kind: SpanKind, name: str) -> Observer:
        """Return the observer of a span that begins now."""

    def end(self, *, failed: bool) -> None:
        """Close this span."""


_OBSERVER: ContextVar[Observer | None] = ContextVar("observer", default=None)


@contextmanager
def observed_by(observer: Observer) -> Iterator[None]:
    """Let `observer` see what is timed inside the block, in its threads and tasks too."""
    before = _OBSERVER.get()
    _OBSERVER.set(observer)
    try:
        yield
    finally:
        _OBSERVER.set(before)


@contextmanager
def timed(kind: SpanKind, name: str) -> Iterator[None]:
    """Time a block.

    Args:
        kind: What kind of thing.
        name: Which of them, from a small set: a stage, a retriever, a tool. Never what somebody typed.
    """
    outer = _OBSERVER.get()
    if outer is None:
        yield
        return
    span = outer.begin(kind, name)
    # Set back by hand: a token is refused where an async generator is closed in another context than it began in.
    _OBSERVER.set(span)
    failed = True
    try:
        yield
        failed = False
    except GeneratorExit:
        failed = False
        raise
    finally:
        _OBSERVER.set(outer)
        span.end(failed=failed)
