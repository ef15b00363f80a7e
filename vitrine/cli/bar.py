"""Progress on a terminal (a bar with rate and time left) or, elsewhere, a line every few seconds."""

from __future__ import annotations

import sys
import time

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as RichProgress

from catalog.progress import Progress

EVERY_SECONDS = 5.0


def progress() -> Progress:
    """Return the bar where standard error is a terminal, else the plain lines."""
    return TerminalBar() if sys.stderr.isatty() else PlainLines()


class TerminalBar:
    """A rich progress bar on standard error."""

    def __init__(self) -> None:
        self._bar: RichProgress | None = None
        self._started = 0.0
        self._done = 0
        self._note = ""

    def start(self, task: str, total: int | None) -> None:
        """Begin a bar."""
        self.finish()
        self._started, self._done, self._note = time.monotonic(), 0, ""
        self._bar = RichProgress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=28),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}"),
            console=Console(stderr=True),
            transient=False,
        )
        self._bar.add_task(task, total=total, rate="", note="")
        self._bar.start()

    def advance(self, steps: int = 1, note: str = "") -> None:
        """Move the bar."""
        if self._bar is None:
            return
        self._done += steps
        task = self._bar.task_ids[0]
        rate = f"{self._done / max(time.monotonic() - self._started, 1e-6):.1f}/s"
        self._note = note or self._note
        self._bar.update(task, advance=steps, rate=rate, note=self._note)

    def finish(self) -> None:
        """Leave the finished bar on the screen."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None


class PlainLines:
    """One line at the start and end of a task and every few seconds in between."""

    def __init__(self) -> None:
        self._task, self._note, self._done = "", "", 0
        self._total: int | None = None
        self._started = self._spoken = 0.0

    def start(self, task: str, total: int | None) -> None:
        """Begin a task."""
        self._task, self._total, self._done, self._note = task, total, 0, ""
        self._started = self._spoken = time.monotonic()

    def advance(self, steps: int = 1, note: str = "") -> None:
        """Count, and speak now and then."""
        self._done += steps
        self._note = note or self._note
        if time.monotonic() - self._spoken >= EVERY_SECONDS:
            self._spoken = time.monotonic()
            self._say()

    def finish(self) -> None:
        """Say the last line."""
        if self._task:
            self._say(last=True)
            self._task = ""

    def _say(self, *, last: bool = False) -> None:
        seconds = max(time.monotonic() - self._started, 1e-6)
        rate = self._done / seconds
        of = f"/{self._total}" if self._total is not None else ""
        left = "" if last or not self._total or not rate else f", {(self._total - self._done) / rate:.0f} s left"
        took = f", {seconds:.1f} s" if last else ""
        note = f", {self._note}" if self._note else ""
        print(f"{self._task}: {self._done}{of}, {rate:.1f}/s{left}{took}{note}", file=sys.stderr, flush=True)
