"""How far the fits of a table are: which row, which seed, how many are left."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from catalog.progress import Progress

NO_LOSS = "loss 0.0000"
"""What models without a loss say of it."""


@runtime_checkable
class BoundedProgress(Protocol):
    """A listener that can tell a limit from a length: early stopping may end a task long before its last step."""

    def start_at_most(self, task: str, most: int) -> None:
        """Begin a task of `most` steps or fewer."""


class FitProgress:
    """Passes a model's progress on under the name of its row, as a task that may end early.

    Args:
        listener: Who is told.
        model: Name under which the model speaks of itself.
        title: What is said instead, such as `lirdrec (picture shuffled), seed 1, 3 of 8`.
    """

    def __init__(self, listener: Progress, model: str, title: str) -> None:
        self._listener, self._model, self._title = listener, model, title

    def start(self, task: str, total: int | None, done: int = 0) -> None:
        """Begin a task of the model; a part of it (`model: part`) is named behind the row."""
        part = task.removeprefix(self._model).removeprefix(": ").strip()
        name = f"{self._title}: {part}" if part else self._title
        if total is not None and total > 1 and not done and isinstance(self._listener, BoundedProgress):
            self._listener.start_at_most(name, total)
        else:
            self._listener.start(name, total, done)

    def advance(self, steps: int = 1, note: str = "") -> None:
        """Pass a step on; a loss that the model does not have is left out."""
        self._listener.advance(steps, note.removeprefix(NO_LOSS).strip())

    def finish(self) -> None:
        """End the task."""
        self._listener.finish()
