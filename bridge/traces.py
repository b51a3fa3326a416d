"""Traces for OpenTelemetry, where the settings switch them on (``traces``): a span for each request that is
answered, each pass, and each request that is sent to a provider or a webhook.

As with logs, nothing an event says and no secret is in them, nor an address beyond its host: numbers, kinds
and routes. They meet the logs by ``bridge.request`` and ``bridge.pass``. Where they go, and how many, is said
by the ``OTEL_…`` variables of the environment. Switched off, nothing of OpenTelemetry is loaded.

What a client sends as ``traceparent`` is not believed, and no provider is told one.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from importlib.util import find_spec
from typing import Any, Protocol
from urllib.parse import urlsplit

from bridge import __version__
from bridge.errors import Refused

NAME = "picsello-bridge"
#: How long the last spans may take to go out when we are asked to stop: seconds.
GRACE_SECONDS = 3.0
#: Packages of the extra ``opentelemetry``.
NEEDED = ("opentelemetry.sdk.trace", "opentelemetry.exporter.otlp.proto.http.trace_exporter")
MISSING = (
    "Traces are switched on (PICSELLO_BRIDGE_TRACES), but what sends them is not installed. "
    "Install picsello-bridge[opentelemetry], or switch them off."
)

#: What makes this process's spans; None: nothing does.
_tracer: Any = None


class Span(Protocol):
    """What is going on, for whoever knows more about it."""

    def say(self, **about: str | int | None) -> None:
        """Attributes of ours: ``say(outcome="done")`` is ``bridge.outcome``."""

    def answered(self, method: str, route: str, status: int) -> None:
        """How a request ended, by OpenTelemetry's names."""

    def failed(self, kind: str) -> None:
        """It went wrong, by an error of this kind."""


class _Nothing:
    def say(self, **about: str | int | None) -> None: ...
    def answered(self, method: str, route: str, status: int) -> None: ...
    def failed(self, kind: str) -> None: ...


class _Said:
    def __init__(self, span: Any):
        self._span = span

    def say(self, **about: str | int | None) -> None:
        for name, value in about.items():
            if value is not None:
                self._span.set_attribute(f"bridge.{name.replace('_', '.')}", value)

    def answered(self, method: str, route: str, status: int) -> None:
        self._span.set_attribute("http.response.status_code", status)
        if route:
            self._span.update_name(f"{method} {route}")
            self._span.set_attribute("http.route", route)
        if status >= 500:
            self.failed(str(status))

    def failed(self, kind: str) -> None:
        from opentelemetry.trace import StatusCode

        self._span.set_attribute("error.type", kind)
        self._span.set_status(StatusCode.ERROR)


_NOTHING = _Nothing()


def installed() -> bool:
    """Whether traces can be made at all."""
    try:
        return all(find_spec(name) is not None for name in NEEDED)
    except ModuleNotFoundError:
        return False


def destination() -> str:
    """Host and port of what they are sent to."""
    named = (os.environ.get(f"OTEL_EXPORTER_OTLP_{what}ENDPOINT") for what in ("TRACES_", ""))
    return urlsplit(next(filter(None, named), "http://localhost:4318")).netloc.rpartition("@")[2]


def check(on: bool) -> None:
    """Raises Refused if they are switched on and cannot be."""
    if on and not installed():
        raise Refused(MISSING)


@contextmanager
def sent(on: bool) -> Iterator[None]:
    """Inside, what this process does is traced; begin it after forking. Afterwards what is left goes out."""
    if not on:
        yield
        return
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    with made(BatchSpanProcessor(OTLPSpanExporter())):
        yield


@contextmanager
def made(processor: Any) -> Iterator[None]:
    """As ``sent``, with the spans going to ``processor``."""
    global _tracer  # noqa: PLW0603 - one for the process, as its counts and logs are
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider

    who = {"service.version": __version__, "service.instance.id": str(os.getpid())}
    if not os.environ.get("OTEL_SERVICE_NAME"):
        who["service.name"] = NAME
    provider = TracerProvider(resource=Resource.create(who), shutdown_on_exit=False)
    provider.add_span_processor(processor)
    _tracer = provider.get_tracer(NAME, __version__)
    try:
        yield
    finally:
        _tracer = None
        # it would wait for a collector that is away for as long as that is
        last = threading.Thread(target=provider.shutdown, name="last traces", daemon=True)
        last.start()
        last.join(GRACE_SECONDS)


def answering(request: str, part: str, method: str) -> AbstractContextManager[Span]:
    """A request of somebody's, with the id that the logs give it."""
    about = {"bridge.request": request, "bridge.part": part, "http.request.method": method}
    return _span(f"{method} /{part}", "SERVER", about)


def passing(link_id: int) -> AbstractContextManager[Span]:
    """A pass of a link."""
    return _span("pass", "INTERNAL", {"bridge.link": link_id})


def asking(method: str, url: str, within: Any = None) -> AbstractContextManager[Span]:
    """A request of ours. ``within``: what it belongs to where this thread is in the midst of nothing."""
    if _tracer is None:
        return _span("", "", {})
    host = urlsplit(url).hostname or ""
    return _span(method, "CLIENT", {"http.request.method": method, "server.address": host}, within)


def here() -> Any:
    """What this thread is in the midst of, for ``asking`` from another one; None if traces are off."""
    if _tracer is None:
        return None
    from opentelemetry import context

    return context.get_current()


@contextmanager
def _span(name: str, kind: str, about: Mapping[str, str | int], within: Any = None) -> Iterator[Span]:
    tracer = _tracer
    if tracer is None:
        yield _NOTHING
        return
    from opentelemetry.trace import SpanKind, get_current_span

    if get_current_span().get_span_context().is_valid:
        within = None
    # of an error only the kind: its message and its lines may quote anything
    with tracer.start_as_current_span(
        name,
        context=within,
        kind=SpanKind[kind],
        attributes=about,
        record_exception=False,
        set_status_on_exception=False,
    ) as span:
        said = _Said(span)
        try:
            yield said
        except BaseException as error:
            said.failed(type(error).__name__)
            raise
