"""`Pause`: the first Ctrl-C or SIGTERM ends a job in good order, the second at once."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM)
SIGNALLED = 128
"""A process that a signal ended exits with this and the signal's number, as shells say."""
_SHOW_CURSOR = "\x1b[?25h"


def paused_text(name: str, done: int, rows: int, failed: int) -> str:
    """Return what a job says that a signal stopped: how far it is, and how it goes on."""
    lost = f", {failed:,} failed" if failed else ""
    return f"paused: {name}: {done:,} of {rows:,} done{lost}, run the same command to go on"


class Pause:
    """Whether somebody asked the job to stop, and by which signal."""

    def __init__(self) -> None:
        self.signal: int | None = None

    def __bool__(self) -> bool:
        return self.signal is not None

    def ask(self, number: int, frame: FrameType | None = None) -> None:
        """Note the first signal; the second ends the process here and now, as SIGKILL would.

        An exception would wait for the threads that are in the model, and a model that hangs is why one asks twice.
        """
        if self.signal is None:
            self.signal = number
            return
        for stream in (sys.stdout, sys.stderr):
            with suppress(Exception):  # the signal may have come in the middle of a write
                stream.write(_SHOW_CURSOR if stream.isatty() else "")  # a progress bar hides it
                stream.flush()
        os._exit(SIGNALLED + number)


@contextmanager
def pausing() -> Iterator[Pause]:
    """Listen for the signals inside the block; elsewhere than in the main thread nobody does."""
    pause = Pause()
    if threading.current_thread() is not threading.main_thread():
        yield pause
        return
    before = {number: signal.signal(number, pause.ask) for number in SIGNALS}
    try:
        yield pause
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
