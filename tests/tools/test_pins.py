"""A hold on a view ends with its request, whatever outlives the request."""

from __future__ import annotations

import weakref
from contextvars import Context, copy_context

from tools.pins import Pins


class View:
    """What is held."""


def test_a_context_that_outlives_its_request_holds_no_view() -> None:
    """A timer or a task that was begun inside a request has a copy of its context for as long as it lives."""
    pins = Pins(View())
    old, contexts = weakref.ref(pins.current), list[Context]()
    with pins.pinned():
        contexts.append(copy_context())
        pins.publish(View())
        assert contexts[0].run(lambda: pins.current) is old() is not pins._view
    assert old() is None and contexts[0].run(lambda: pins.current) is pins.current
