"""What this process counts, for Prometheus: requests, passes, failures. How things stand is in the store
(``bridge.store.figures``) and joins them when somebody asks.

Where several processes share one address (gunicorn), ``PROMETHEUS_MULTIPROC_DIR`` names the folder through
which they are added up; else each process is asked for itself.
"""

from __future__ import annotations

import os
from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

#: What Prometheus' text format is called.
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

#: Any other method is counted as one: a client must not make up names of series.
METHODS = frozenset(
    {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}  # RFC 9110, 5789
    | {"PROPFIND", "PROPPATCH", "REPORT", "MKCALENDAR", "MKCOL", "MOVE", "COPY"}  # RFC 4918, 3253, 4791
)

REGISTRY = CollectorRegistry()
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

HTTP = Counter(
    "picsello_bridge_http_requests", "Requests answered", ("part", "method", "status"), registry=REGISTRY
)
HTTP_SECONDS = Histogram(
    "picsello_bridge_http_seconds",
    "Time until the answer began",
    ("part", "method"),
    buckets=SECONDS,
    registry=REGISTRY,
)
PASSES = Counter("picsello_bridge_passes", "Passes that ended", ("provider", "outcome"), registry=REGISTRY)
PASS_SECONDS = Histogram(
    "picsello_bridge_pass_seconds",
    "How long passes took",
    ("provider",),
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300),
    registry=REGISTRY,
)
REQUESTS = Counter(
    "picsello_bridge_provider_requests", "HTTP requests of passes", ("provider",), registry=REGISTRY
)
FAILURES = Counter(
    "picsello_bridge_failures",
    "Passes that failed, by kind of error",
    ("provider", "kind"),
    registry=REGISTRY,
)
CHANGES = Counter(
    "picsello_bridge_changes", "Objects that passes changed", ("provider", "what"), registry=REGISTRY
)


def request(part: str, method: str, status: str, seconds: float) -> None:
    """One request was answered. ``part``: pages, api, dav, feeds, book, hooks, other."""
    known = method if method in METHODS else "other"
    HTTP.labels(part, known, status).inc()
    HTTP_SECONDS.labels(part, known).observe(seconds)


def passed(provider: str, outcome: str, seconds: float, requests: int, changes: dict[str, int]) -> None:
    """One pass ended: done, held, errors or failed."""
    PASSES.labels(provider, outcome).inc()
    PASS_SECONDS.labels(provider).observe(seconds)
    REQUESTS.labels(provider).inc(requests)
    for what, count in changes.items():
        if count:
            CHANGES.labels(provider, what).inc(count)


def failed(provider: str, kind: str) -> None:
    """A pass failed by an error of this kind."""
    FAILURES.labels(provider, kind).inc()


class _Given(Collector):
    def __init__(self, found: Iterable[Metric]):
        self._found = list(found)

    def collect(self) -> Iterable[Metric]:
        return self._found


def exported(figures: Iterable[Metric]) -> bytes:
    """Everything, in Prometheus' text format."""
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        counted = generate_latest(registry)
    else:
        counted = generate_latest(REGISTRY)
    standing = CollectorRegistry()
    standing.register(_Given(figures))
    return counted + generate_latest(standing)
