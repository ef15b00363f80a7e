"""The pipeline's trace: what each stage did, in milliseconds."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import Any

from catalog.telemetry import timed


class Trace:
    """Collects stages and notes; `as_dict` is JSON-ready."""

    def __init__(self) -> None:
        self.stages: list[dict[str, Any]] = []
        self.notes: dict[str, Any] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[dict[str, Any]]:
        """Time a stage by the clock; what is put into the dict is kept beside."""
        entry: dict[str, Any] = {"stage": name}
        started = perf_counter()
        try:
            with timed("stage", name):
                yield entry
        finally:
            entry["ms"] = round((perf_counter() - started) * 1000, 3)
            self.stages.append(entry)

    def as_dict(self) -> dict[str, Any]:
        """Return `{"stages": [...], ...notes}`."""
        return {"stages": self.stages, **self.notes}
