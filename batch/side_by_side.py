"""Calls at the same time, in threads that hold up no end of the process."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from queue import SimpleQueue
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def side_by_side(work: Callable[[T], R], given: Sequence[T], at_once: int, name: str = "call") -> list[R]:
    """Return `work` of each, in order, at most `at_once` at a time.

    A `ThreadPoolExecutor` is waited for when the process ends, however long its requests hang; these threads are not.
    The first error is raised as soon as it comes; what was not begun by then is not done.
    """
    if len(given) == 1:
        return [work(given[0])]
    places = deque(range(len(given)))
    found: SimpleQueue[tuple[int, R] | BaseException] = SimpleQueue()

    def run() -> None:
        while True:
            try:
                at = places.popleft()
            except IndexError:
                return
            try:
                found.put((at, work(given[at])))
            except BaseException as error:  # noqa: BLE001 - raised again in the caller's thread
                found.put(error)
                return

    for number in range(min(at_once, len(given))):
        threading.Thread(target=run, name=f"{name}-{number}", daemon=True).start()
    results: dict[int, R] = {}
    try:
        while len(results) < len(given):
            got = found.get()
            if isinstance(got, BaseException):
                raise got
            results[got[0]] = got[1]
    finally:
        places.clear()
    return [results[at] for at in range(len(given))]
