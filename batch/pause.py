"""`Pause`: the first Ctrl-C or SIGTERM ends a job in good order, the second at once."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Pause:
    """Whether somebody asked the job to stop, and by which signal."""

    def __init__(self) -> None:
        self.signal: int | None = None

    def __bool__(self) -> bool:
        return self.signal is not None

    def ask(self, number: int, frame: FrameType | None = None) -> None:
        """Note the first signal; a second ends the process as signals do.

        Raises:
            KeyboardInterrupt: At the second.
        """
        if self.signal is not None:
            raise KeyboardInterrupt
        self.signal = number


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
