"""Progress on a terminal (a bar with rate and time left) or, elsewhere, a line every few seconds."""

from __future__ import annotations

import sys
import time

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as RichProgress

from catalog.plain_text import one_line
from catalog.progress import Progress
from vitrine.cli.output import say

EVERY_SECONDS = 5.0
AT_MOST = "at most"


def progress() -> Progress:
    """Return the bar where standard error is a terminal, else the plain lines."""
    return TerminalBar() if sys.stderr.isatty() else PlainLines()


class Pace:
    """How fast a task goes; steps of an earlier run count as done, not as speed."""

    def __init__(self, done: int) -> None:
        self.done = self._before = done
        self._started = time.monotonic()

    @property
    def seconds(self) -> float:
        """Since the start."""
        return max(time.monotonic() - self._started, 1e-6)

    @property
    def rate(self) -> float:
        """Steps a second."""
        return (self.done - self._before) / self.seconds

    def seconds_left(self, total: int | None) -> float | None:
        """Return the seconds to go at this rate, or None where nobody can tell."""
        return (total - self.done) / self.rate if total and self.rate else None


class TerminalBar:
    """A rich progress bar on standard error."""

    def __init__(self) -> None:
        self._bar: RichProgress | None = None
        self._pace = Pace(0)
        self._note = ""

    def start(self, task: str, total: int | None, done: int = 0) -> None:
        """Begin a bar."""
        self._begin(task, total, done, "")

    def start_at_most(self, task: str, most: int) -> None:
        """Begin a bar that may end before it is full (`eval.fit_progress`)."""
        self._begin(task, most, 0, AT_MOST)

    def _begin(self, task: str, total: int | None, done: int, most: str) -> None:
        self.finish()
        self._pace, self._note = Pace(done), _before(done)
        self._bar = RichProgress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=28),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TextColumn(most),
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}", markup=False),
            console=Console(stderr=True),
            transient=False,
        )
        self._bar.add_task(one_line(task), total=total, completed=done, rate="", note=self._note)
        self._bar.start()

    def advance(self, steps: int = 1, note: str = "") -> None:
        """Move the bar."""
        if self._bar is None:
            return
        self._pace.done += steps
        self._note = one_line(note) or self._note
        rate = f"{self._pace.rate:.1f}/s"
        self._bar.update(self._bar.task_ids[0], advance=steps, rate=rate, note=self._note)

    def finish(self) -> None:
        """Leave the finished bar on the screen."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None


class PlainLines:
    """A line every few seconds and one at the end of a task."""

    def __init__(self) -> None:
        self._task, self._note = "", ""
        self._pace = Pace(0)
        self._total: int | None = None
        self._most = ""
        self._spoken = 0.0

    def start(self, task: str, total: int | None, done: int = 0) -> None:
        """Begin a task."""
        self._task, self._total, self._note, self._most = task, total, _before(done), ""
        self._pace = Pace(done)
        self._spoken = time.monotonic()

    def start_at_most(self, task: str, most: int) -> None:
        """Begin a task that may end before its last step (`eval.fit_progress`)."""
        self.start(task, most)
        self._most = f"{AT_MOST} "

    def advance(self, steps: int = 1, note: str = "") -> None:
        """Count, and speak now and then."""
        self._pace.done += steps
        self._note = note or self._note
        if time.monotonic() - self._spoken >= EVERY_SECONDS and self._pace.done != self._total:
            self._spoken = time.monotonic()
            left = self._pace.seconds_left(self._total)
            self._say("" if left is None else f", {self._most}{left:.0f} s left")

    def finish(self) -> None:
        """Say the last line."""
        if self._task:
            self._say(f", {self._pace.seconds:.1f} s")
            self._task = ""

    def _say(self, time_text: str) -> None:
        of = f"/{self._total}" if self._total is not None else ""
        rate = f", {self._pace.rate:.1f}/s" if self._pace.rate else ""
        note = f", {self._note}" if self._note else ""
        say(one_line(f"{self._task}: {self._pace.done}{of}{rate}{time_text}{note}"), error=True)


def _before(done: int) -> str:
    return f"{done} done before" if done else ""
