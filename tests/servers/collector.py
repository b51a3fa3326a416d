"""What traces are sent to: takes OTLP over HTTP on loopback, and keeps it as it came."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)


@dataclass(frozen=True)
class Span:
    """One that arrived. ``parent`` is empty for the first of a trace."""

    name: str
    kind: int
    trace: bytes
    id: bytes
    parent: bytes
    about: dict[str, Any]
    failed: bool
    events: int


@dataclass
class Collector:
    url: str = ""
    bodies: list[bytes] = field(default_factory=list)

    def requests(self) -> list[ExportTraceServiceRequest]:
        return [ExportTraceServiceRequest.FromString(body) for body in list(self.bodies)]

    def services(self) -> set[str]:
        """Who sent something."""
        return {
            one.value.string_value
            for request in self.requests()
            for sender in request.resource_spans
            for one in sender.resource.attributes
            if one.key == "service.name"
        }

    def spans(self) -> list[Span]:
        return [
            Span(
                span.name,
                span.kind,
                span.trace_id,
                span.span_id,
                span.parent_span_id,
                {one.key: getattr(one.value, str(one.value.WhichOneof("value"))) for one in span.attributes},
                span.status.code == span.status.STATUS_CODE_ERROR,
                len(span.events),
            )
            for request in self.requests()
            for sender in request.resource_spans
            for scope in sender.scope_spans
            for span in scope.spans
        ]


@contextmanager
def collector() -> Iterator[Collector]:
    """One that runs."""
    kept = Collector()

    class Take(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.path == "/v1/traces":
                kept.bodies.append(body)
            told = ExportTraceServiceResponse().SerializeToString()
            self.send_response(200)
            self.send_header("Content-Type", "application/x-protobuf")
            self.send_header("Content-Length", str(len(told)))
            self.end_headers()
            self.wfile.write(told)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Take)
    kept.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield kept
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
