"""The pipeline's trace: what each stage did, in milliseconds."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter, thread_time
from typing import Any


class Trace:
    """Collects stages and notes; `as_dict` is JSON-ready."""

    def __init__(self) -> None:
        self.stages: list[dict[str, Any]] = []
        self.notes: dict[str, Any] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[dict[str, Any]]:
        """Time a stage by the clock and by this thread's processor time; what is put into the dict is kept beside."""
        entry: dict[str, Any] = {"stage": name}
        started, spent = perf_counter(), thread_time()
        try:
            yield entry
        finally:
            entry["ms"] = round((perf_counter() - started) * 1000, 3)
            entry["cpu_ms"] = round((thread_time() - spent) * 1000, 3)
            self.stages.append(entry)

    def as_dict(self) -> dict[str, Any]:
        """Return `{"stages": [...], ...notes}`."""
        return {"stages": self.stages, **self.notes}
