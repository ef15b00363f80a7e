"""Who reads which snapshot: a request keeps to one from its beginning to its end, and a deletion waits for the old."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

View = TypeVar("View")


@dataclass(eq=False)
class _Pin:
    """One reader's hold on a view; letting go twice does no harm."""

    pins: Pins[Any]
    view: Any
    number: int
    held: bool = True


_PIN: ContextVar[_Pin | None] = ContextVar("pin", default=None)
"""The hold of the running request; it follows the request into its threads and tasks."""


class Pins(Generic[View]):
    """The newest view, and who still holds which.

    Args:
        view: The first.
    """

    def __init__(self, view: View) -> None:
        self._view, self._number = view, 1
        self._held: Counter[int] = Counter()
        self._changed = threading.Condition()

    @property
    def current(self) -> View:
        """The view that this request is pinned to; outside of one, the newest."""
        pin = self._pin()
        view: View | None = pin.view if pin is not None else None  # None: let go of in this very moment
        return self._view if view is None else view

    @property
    def number(self) -> int:
        """Of the newest view; it grows with each."""
        return self._number

    def older(self, number: int) -> bool:
        """Whether somebody still holds a view from before `number`."""
        with self._changed:
            return any(held < number for held in self._held)

    @contextmanager
    def pinned(self) -> Iterator[View]:
        """Hold the newest view inside the block."""
        with self._changed:
            pin = _Pin(self, self._view, self._number)
            self._held[pin.number] += 1
        token = _PIN.set(pin)
        try:
            yield pin.view
        finally:
            _PIN.reset(token)
            self._let_go(pin)

    def publish(self, view: View) -> None:
        """Let a view be the newest."""
        with self._changed:
            self._view, self._number = view, self._number + 1

    def release(self) -> None:
        """Let go of this request's view: who waits for others must not be waited for."""
        pin = self._pin()
        if pin is not None:
            self._let_go(pin)

    def outlived(self, timeout: float) -> bool:
        """Wait until nobody holds an older view than the one that is the newest now; return whether that came about."""
        with self._changed:
            newest = self._number
            return self._changed.wait_for(lambda: all(number >= newest for number in self._held), timeout)

    def _pin(self) -> _Pin | None:
        pin = _PIN.get()
        return pin if pin is not None and pin.pins is self and pin.held else None

    def _let_go(self, pin: _Pin) -> None:
        with self._changed:
            if pin.held:
                pin.held = False
                # Timers and tasks that were begun in the request have a copy of its context, a resting connection's
                # for over a minute: none of them is to keep an old snapshot in memory.
                pin.view = None
                self._held[pin.number] -= 1
                self._held += Counter()  # drops what is held by nobody
                self._changed.notify_all()
