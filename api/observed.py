"""The outermost layer: counts each request and what it spends its time on, and traces it where a collector is named."""

from __future__ import annotations

import time
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.metrics import METHODS, Metrics, MetricSpan
from api.tracing import RequestSpan, Tracing
from catalog.telemetry import Observer, SpanKind, observed_by


@dataclass(frozen=True)
class Observed:
    """An ASGI layer.

    Attributes:
        app: What answers.
        metrics: Counts.
        tracing: Traces; None where no collector is named.
    """

    app: ASGIApp
    metrics: Metrics
    tracing: Tracing | None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on, and count it at its last byte."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began, status = time.perf_counter(), 500
        method = scope["method"] if scope["method"] in METHODS else "other"
        watched = self.tracing is not None and scope["path"] != "/metrics" and not scope["path"].startswith("/health/")
        span = self.tracing.request(method, Headers(scope=scope)) if self.tracing is not None and watched else None

        async def send_on(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        observer: Observer = MetricSpan(self.metrics)
        try:
            with observed_by(observer if span is None else _Both(observer, span)):
                await self.app(scope, receive, send_on)
        finally:
            route = getattr(scope.get("route"), "path_format", "-")
            self.metrics.answered(method, route, status, time.perf_counter() - began)
            if span is not None:
                request_id = str(scope.get("state", {}).get("request_id", ""))
                span.answered(method, route, status, request_id)


@dataclass(frozen=True)
class _Both:
    counted: Observer
    traced: RequestSpan | Observer

    def begin(self, kind: SpanKind, name: str) -> _Both:
        return _Both(self.counted.begin(kind, name), self.traced.begin(kind, name))

    def end(self, *, failed: bool) -> None:
        self.counted.end(failed=failed)
        self.traced.end(failed=failed)
