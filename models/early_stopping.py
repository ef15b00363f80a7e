"""The loop around epochs that every trained model shares: validate, keep the best, stop in time."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from catalog.errors import DataError
from catalog.progress import Progress
from models.base import FitReport, UserScorer, Validate

State = TypeVar("State")


@dataclass(frozen=True, eq=False)
class Epoch(Generic[State]):
    """One finished epoch.

    Attributes:
        loss: Mean training loss.
        scorer: Scores of the model as it stands now; used only until the next epoch begins.
        keep: Copies what serving needs; called for the best epoch so far.
    """

    loss: float
    scorer: UserScorer
    keep: Callable[[], State]


def run_epochs(
    name: str,
    epochs: Iterator[Epoch[State]],
    *,
    max_epochs: int,
    patience: int,
    default_epochs: int,
    validate: Validate | None,
    progress: Progress,
) -> tuple[State, FitReport]:
    """Train until validation stops rising, or for `default_epochs` without one; return the best state.

    Args:
        name: Of the model, for progress and errors.
        epochs: Trains one epoch a step, for ever.
        max_epochs: At most this many with a validation.
        patience: Epochs without a better value after which training stops.
        default_epochs: Epochs when there is no validation.
        validate: See `models.base.Validate`.
        progress: Told of every epoch.

    Raises:
        DataError: When the loss is no longer finite.
    """
    started = time.perf_counter()
    limit = max_epochs if validate else default_epochs
    history: list[float] = []
    best, best_epoch, best_value = None, 0, -math.inf
    number = 0
    progress.start(name, limit)
    for number, epoch in enumerate(epochs, start=1):
        if not math.isfinite(epoch.loss):
            raise DataError(f"{name}: the loss became {epoch.loss} in epoch {number}; a lower learning_rate is valid")
        note = f"loss {epoch.loss:.4f}"
        if validate:
            value = validate(epoch.scorer)
            history.append(value)
            note += f" valid {value:.4f}"
            if best is None or value > best_value:
                best, best_epoch, best_value = epoch.keep(), number, value
        progress.advance(1, note)
        if number >= limit or (validate and number - best_epoch >= patience):
            if best is None:
                best = epoch.keep()
            break
    progress.finish()
    assert best is not None
    report = FitReport(number, time.perf_counter() - started, best_value if validate else None, tuple(history))
    return best, report
