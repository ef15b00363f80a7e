"""`Progress`: how a long task tells how far it is, without knowing who listens."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """A bar on a terminal, a log line, or nothing at all."""

    def start(self, task: str, total: int | None, done: int = 0) -> None:
        """Begin `task` of `total` steps (None: unknown); an earlier run did `done` of them, at whatever rate."""

    def advance(self, steps: int = 1, note: str = "") -> None:
        """Report `steps` more done; `note` is a short state such as `recall@20 0.123`."""

    def finish(self) -> None:
        """End the task."""


class Silent:
    """Says nothing."""

    def start(self, task: str, total: int | None, done: int = 0) -> None:
        """Do nothing."""

    def advance(self, steps: int = 1, note: str = "") -> None:
        """Do nothing."""

    def finish(self) -> None:
        """Do nothing."""


SILENT = Silent()
