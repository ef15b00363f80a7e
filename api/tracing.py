"""OpenTelemetry: a span for each request, and inside it one for each tool, stage, retriever and call of the LLM.

Off unless `api.tracing.endpoint` is set. Spans carry names, durations and outcomes, never what a shopper typed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field

from catalog.errors import ConfigError
from catalog.telemetry import SpanKind

if TYPE_CHECKING:
    from opentelemetry.trace import Span, Tracer


class TracingConfig(BaseModel):
    """Where spans are sent."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    endpoint: str | None = Field(None, pattern=r"^https?://")
    """An OTLP collector over HTTP, e.g. `http://127.0.0.1:4318/v1/traces`; needs the extra `otel`. None: no spans.
    Headers such as a token come by the environment, `OTEL_EXPORTER_OTLP_HEADERS`."""
    service_name: str = "vitrine"
    """What this server is called there."""
    sample: float = Field(1.0, ge=0, le=1)
    """Share of requests that are traced; a caller's `traceparent` decides for its own."""


class Tracing:
    """Spans of one application, sent in the background."""

    def __init__(self, config: TracingConfig) -> None:
        """Open the way to the collector; see `tracing_of`."""
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
        from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        self._provider = TracerProvider(
            resource=Resource.create({"service.name": config.service_name}),
            sampler=ParentBased(TraceIdRatioBased(config.sample)),
            shutdown_on_exit=False,
        )
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(config.endpoint)))
        self._tracer: Tracer = self._provider.get_tracer("vitrine")
        self._propagator = TraceContextTextMapPropagator()

    def request(self, method: str, headers: Mapping[str, str]) -> RequestSpan:
        """Begin the span of a request, inside the caller's own when it names one."""
        from opentelemetry.trace import SpanKind as Kind

        parent = self._propagator.extract(dict(headers))
        span = self._tracer.start_span(method, parent, kind=Kind.SERVER, attributes={"http.request.method": method})
        return RequestSpan(self._tracer, span)

    def close(self) -> None:
        """Send what waits; called when the server stops."""
        self._provider.shutdown()


@dataclass(frozen=True)
class RequestSpan:
    """A span and what begins inside it."""

    tracer: Tracer
    span: Span

    def begin(self, kind: SpanKind, name: str) -> RequestSpan:
        """Begin a span inside."""
        from opentelemetry.trace import SpanKind as Kind
        from opentelemetry.trace import set_span_in_context

        own = name.split(":", 1)[0]
        inside = set_span_in_context(self.span)
        outward = Kind.CLIENT if kind == "llm" else Kind.INTERNAL
        return RequestSpan(self.tracer, self.tracer.start_span(f"{kind} {own}", inside, kind=outward))

    def end(self, *, failed: bool) -> None:
        """Close it."""
        from opentelemetry.trace import Status, StatusCode

        if failed:
            self.span.set_status(Status(StatusCode.ERROR))
        self.span.end()

    def answered(self, method: str, route: str, status: int, request_id: str) -> None:
        """Say what the request was and close it."""
        self.span.update_name(f"{method} {route}")
        self.span.set_attribute("http.route", route)
        self.span.set_attribute("http.response.status_code", status)
        self.span.set_attribute("vitrine.request_id", request_id)
        self.end(failed=status >= 500)


def tracing_of(config: TracingConfig, make: Callable[[TracingConfig], Tracing] = Tracing) -> Tracing | None:
    """Return the way to the collector; None where none is named.

    Raises:
        ConfigError: When the extra is not installed.
    """
    if config.endpoint is None:
        return None
    try:
        return make(config)
    except ImportError as error:
        raise ConfigError(
            f"api.tracing.endpoint is {config.endpoint!r} and OpenTelemetry is not installed ({error.name}); "
            "pip install -e '.[otel]' -c constraints.txt in the checkout brings it"
        ) from error
