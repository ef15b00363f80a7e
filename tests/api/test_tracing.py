"""Spans reach a collector, nest inside the caller's own, and carry nobody's words."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from api.tracing import Tracing, TracingConfig, tracing_of
from catalog.errors import ConfigError

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


@pytest.fixture
def collector() -> Iterator[tuple[str, list[bytes]]]:
    bodies: list[bytes] = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Collector) as http:
        thread = threading.Thread(target=http.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{http.server_address[1]}/v1/traces", bodies
        http.shutdown()
        thread.join()


def test_a_request_and_what_is_inside_it(collector):
    endpoint, bodies = collector
    tracing = Tracing(TracingConfig(endpoint=endpoint))
    request = tracing.request("POST", {"traceparent": f"00-{TRACE}-{PARENT}-01"})
    stage = request.begin("stage", "retrieve")
    stage.begin("channel", "keyword:V01").end(failed=True)
    stage.end(failed=False)
    request.answered("POST", "/v1/search", 200, "r-1")
    tracing.close()
    [sent] = [ExportTraceServiceRequest.FromString(body) for body in bodies]
    spans = {span.name: span for span in sent.resource_spans[0].scope_spans[0].spans}
    assert set(spans) == {"POST /v1/search", "stage retrieve", "channel keyword"}
    assert {span.trace_id.hex() for span in spans.values()} == {TRACE}
    assert spans["POST /v1/search"].parent_span_id.hex() == PARENT
    assert spans["channel keyword"].parent_span_id == spans["stage retrieve"].span_id
    assert spans["channel keyword"].status.code == 2 and spans["stage retrieve"].status.code == 0


def test_off_by_default_and_a_missing_extra_is_one_line():
    assert tracing_of(TracingConfig()) is None

    def missing(_config: TracingConfig) -> Tracing:
        raise ModuleNotFoundError("No module named 'opentelemetry'", name="opentelemetry")

    with pytest.raises(ConfigError, match=r"'\.\[otel\]'"):
        tracing_of(TracingConfig(endpoint="http://127.0.0.1:4318/v1/traces"), missing)
