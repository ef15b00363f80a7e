"""What Prometheus is told: requests by route, stages, channels, tools and calls of the LLM; of one worker or of all."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from catalog.telemetry import SpanKind

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry, Histogram

MULTIPROCESS = "PROMETHEUS_MULTIPROC_DIR"
"""Where the workers of one server keep their counts; read by prometheus_client when it is first imported."""
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})
MOST_NAMES = 64
"""Values one label may take; what comes after them is `other`, so that nothing a caller sends makes a new series."""
MOST_SERIES = 1_000
_OF_KIND = {"stage": "pipeline stages", "channel": "retrievers", "tool": "tools", "llm": "calls of the LLM's server"}


class Metrics:
    """Counts of one application.

    With `PROMETHEUS_MULTIPROC_DIR` set, counts of all workers are in its files and any worker tells them.
    """

    def __init__(self) -> None:
        from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

        registry = CollectorRegistry()
        self._registry: CollectorRegistry = registry
        self._names: dict[str, set[str]] = {}
        self._series: dict[tuple[SpanKind, str, bool], Histogram] = {}
        self._requests = Counter(
            "vitrine_http_requests", "Requests answered.", ("method", "route", "status"), registry=registry
        )
        self._seconds = Histogram(
            "vitrine_http_request_seconds", "Until the last byte.", ("route",), buckets=SECONDS, registry=registry
        )
        self._refused = Counter(
            "vitrine_http_refused", "Requests that found no place.", ("lane", "reason"), registry=registry
        )
        self._at_work = Gauge(
            "vitrine_http_at_work", "Requests answered now.", ("lane",), registry=registry, multiprocess_mode="livesum"
        )
        self._waiting = Gauge(
            "vitrine_http_waiting", "Requests that wait for a place.", ("lane",),
            registry=registry, multiprocess_mode="livesum",
        )  # fmt: skip
        self._spans = {
            kind: Histogram(
                f"vitrine_{kind}_seconds", f"Seconds of {what}.", (kind, "outcome"), buckets=SECONDS, registry=registry
            )
            for kind, what in _OF_KIND.items()
        }

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request; `route` is the template of its address (`-`: none)."""
        named = self._bounded("route", route)
        self._requests.labels(method if method in METHODS else "other", named, str(status)).inc()
        self._seconds.labels(named).observe(seconds)

    def expect(self, lane: str) -> None:
        """Begin the counts of a lane at 0: of a count that first comes as 1 Prometheus sees no increase."""
        for reason in ("full", "waited"):
            self._refused.labels(lane, reason)
        self.occupied(lane, 0, 0)

    def refused(self, lane: str, reason: str) -> None:
        """Count a request that found no place."""
        self._refused.labels(lane, reason).inc()

    def occupied(self, lane: str, at_work: int, waiting: int) -> None:
        """Say how full a lane is."""
        self._at_work.labels(lane).set(at_work)
        self._waiting.labels(lane).set(waiting)

    def took(self, kind: SpanKind, name: str, seconds: float, *, failed: bool) -> None:
        """Count a span."""
        # "liked:text-minilm" and "keyword:V01" name a source and what it started from; the id is nobody's label.
        name = name.partition(":")[0]
        # Finding a series by its labels costs more than counting in it.
        series = self._series.get((kind, name, failed))
        if series is None and (histogram := self._spans.get(kind)) is not None:
            series = histogram.labels(self._bounded(kind, name), "failed" if failed else "ok")
            if len(self._series) < MOST_SERIES:
                self._series[kind, name, failed] = series
        if series is not None:
            series.observe(seconds)

    def text(self) -> bytes:
        """Return everything in Prometheus' text format, of all workers where there are several."""
        from prometheus_client import CollectorRegistry, generate_latest, multiprocess

        if MULTIPROCESS not in os.environ:
            return generate_latest(self._registry)
        together = CollectorRegistry()
        multiprocess.MultiProcessCollector(together)  # type: ignore[no-untyped-call]
        return generate_latest(together)

    def _bounded(self, label: str, value: str) -> str:
        known = self._names.setdefault(label, set())
        if value not in known:
            if len(known) >= MOST_NAMES:
                return "other"
            known.add(value)
        return value


@dataclass
class MetricSpan:
    """The observer that counts."""

    metrics: Metrics
    kind: SpanKind | None = None
    name: str = ""
    began: float = 0.0

    def begin(self, kind: SpanKind, name: str) -> MetricSpan:
        """Begin a span inside."""
        return MetricSpan(self.metrics, kind, name, time.perf_counter())

    def end(self, *, failed: bool) -> None:
        """Count it."""
        if self.kind is not None:
            self.metrics.took(self.kind, self.name, time.perf_counter() - self.began, failed=failed)
