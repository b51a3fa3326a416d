"""Traces: what is answered, what passes do and whom they ask, and nothing of what an event says."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from bridge import traces
from bridge.errors import Unreachable
from bridge.providers.guard import Guard
from bridge.providers.http import Http
from tests.cli.conftest import Call, wrong
from tests.cli.test_serve import _signed, started
from tests.cli.test_sync import account, private, radicales, server, work
from tests.servers.collector import Collector, Span, collector
from tests.servers.dav import Outside, Server
from tests.servers.process import free_port
from tests.service.conftest import TODAY, event

__all__ = ["account", "private", "radicales", "server", "work"]

SERVER, CLIENT = 2, 3  # opentelemetry.proto.trace.v1.Span.SpanKind


@pytest.fixture
def collected(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    """Traces are switched on, and go here."""
    with collector() as running:
        monkeypatch.setenv("PICSELLO_BRIDGE_TRACES", "on")
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", running.url)
        monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "100")
        yield running


def soon(found: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not found():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)


def passes(collected: Collector) -> list[Span]:
    return [span for span in collected.spans() if span.name == "pass"]


@pytest.mark.parametrize("processes", ["1", "2"])
def test_a_journey_is_traced_and_gives_nothing_away(
    call: Call,
    anna: str,
    account: str,
    server: Server,
    work: Outside,
    private: Outside,
    data: Path,
    collected: Collector,
    monkeypatch: pytest.MonkeyPatch,
    processes: str,
) -> None:
    """A secret wedding goes from a phone to *Work*, a secret exam comes in from *Private*."""
    password = call("device", "add", anna, "phone").out.strip()
    token = call("token", "add", anna, "Website", "--scope", "read").out.strip()
    feed = call("feed", "add", anna, "Second shooter", "--json").json["url"].rpartition("/")[2]
    private.put("u-4712.ics", event("u-4712@exam", "Medical exam", TODAY))
    call("account", "select", account, "--write", work.path, "--read", private.path, "--yes")
    monkeypatch.setenv("PICSELLO_BRIDGE_LOG_FORMAT", "json")
    monkeypatch.setenv("PICSELLO_BRIDGE_LOG_REQUESTS", "all")
    monkeypatch.setenv("PICSELLO_BRIDGE_SERVER_PROCESSES", processes)
    signed, bearer = _signed(anna, password), f"Bearer {token}"
    text = event("u-4711@phone", "Miller wedding", TODAY).encode()
    with started(data, "serve", "--port", "0", announces=2) as served:
        path = f"/dav/{anna}/bookings/u-4711.ics"
        _, put, _ = served.ask(
            "PUT", path, text, Authorization=signed, traceparent=f"00-{'a' * 32}-{'b' * 16}-01"
        )
        asked = "/api/v1/bookings?from=2027-01-01&to=2027-02-01"
        _, got, _ = served.ask("GET", asked, Authorization=bearer)
        for unknown in (f"/feeds/{feed}", "/nowhere/Miller?title=wedding"):
            served.ask("GET", unknown)
        served.ask("GET", "/healthz")
        soon(lambda: work.by_uid("u-4711@phone") is not None)
        soon(lambda: any(span.about.get("bridge.pushed") == 1 for span in passes(collected)))
        served.process.terminate()
        _, err = served.process.communicate(timeout=15)
    spans = collected.spans()
    assert collected.services() == {"picsello-bridge"}
    answered = {span.about["bridge.request"]: span for span in spans if span.kind == SERVER}
    first = answered[put["x-request-id"]]
    assert (first.name, first.about["http.response.status_code"], first.parent) == ("PUT /dav", 201, b"")
    assert first.trace != bytes.fromhex("a" * 32), "what a client sends is not believed"
    assert answered[got["x-request-id"]].name == "GET /api/v1/bookings"
    assert "GET /feeds/<token>.ics" in {span.name for span in spans}
    assert not any("healthz" in span.name for span in spans)
    logged = [json.loads(line) for line in err.splitlines() if line.startswith("{")]
    told = {(line["link"], line["pass"]) for line in logged if line["message"] == "a pass ended"}
    traced = {(span.about["bridge.link"], span.about.get("bridge.pass")) for span in passes(collected)}
    assert told and told <= traced, "logs and traces meet"
    of_passes = {span.trace: span for span in passes(collected)}
    requests = [span for span in spans if span.kind == CLIENT]
    assert {span.about["server.address"] for span in requests} == {urlsplit(server.url).hostname}
    assert {"PUT", "REPORT"} <= {span.about["http.request.method"] for span in requests}
    for span in requests:
        assert span.parent == of_passes[span.trace].id, "each request belongs to its pass"
    for one in of_passes.values():
        mine = [span for span in requests if span.trace == one.trace]
        assert len(mine) == one.about.get("bridge.requests", 0)
        assert one.about["bridge.outcome"] == "busy" or (
            one.about["bridge.outcome"] == "done" and one.about["bridge.provider"] == "caldav"
        )
    assert not any(span.events for span in spans)
    for secret in (
        *("Miller", "wedding", "u-4711", "Medical", "u-4712", "nowhere", "2027-01-01"),
        *(password, token, feed.removesuffix(".ics"), anna, server.password, work.path, private.path),
    ):
        assert not any(secret.encode() in body for body in collected.bodies), secret


def test_of_an_error_only_its_kind_is_told() -> None:
    kept = InMemorySpanExporter()
    with traces.made(SimpleSpanProcessor(kept)):
        with pytest.raises(ValueError, match="Miller"), traces.passing(7):
            raise ValueError("Miller wedding")
        url = f"http://127.0.0.1:{free_port()}/Miller/?key=geheim"
        client = Http(Guard(frozenset({urlsplit(url).netloc})))
        with pytest.raises(Unreachable):
            client.request("PUT", url, body=b"Miller")
        client.close()
    broken, unreached = kept.get_finished_spans()
    for span, kind in ((broken, "ValueError"), (unreached, "ConnectError")):
        assert not span.events and not span.status.is_ok
        assert span.attributes is not None and span.attributes["error.type"] == kind
        assert "Miller" not in span.to_json() and "geheim" not in span.to_json()
    assert dict(unreached.attributes or {})["server.address"] == "127.0.0.1"


def test_the_name_and_more_come_from_the_standard_variables(
    collected: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_SERVICE_NAME", "calendar-of-anna")
    with traces.sent(on=True), traces.passing(1):
        pass
    assert collected.services() == {"calendar-of-anna"}
    before = len(collected.spans())
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "always_off")
    with traces.sent(on=True), traces.passing(1):
        pass
    assert before == 1 == len(collected.spans())


def test_a_collector_that_is_away_keeps_nobody_waiting(
    data: Path, anna: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PICSELLO_BRIDGE_TRACES", "on")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{free_port()}")
    with started(data, "serve", "--port", "0", announces=2) as served:
        assert served.ask("PROPFIND", f"/dav/{anna}/", Depth="0")[0] == 401
        assert served.end() < 10


@pytest.fixture
def without(monkeypatch: pytest.MonkeyPatch) -> None:
    """What sends traces is not installed."""
    for name in traces.NEEDED:
        monkeypatch.setitem(sys.modules, name, None)
    assert not traces.installed()


def test_traces_that_cannot_be_sent_are_refused_at_the_start(
    call: Call, anna: str, without: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PICSELLO_BRIDGE_TRACES", "on")
    for words in (("serve", "--port", "0"), ("web", "--port", "0"), ("dav", "--port", "0"), ("worker",)):
        assert "Install picsello-bridge[opentelemetry]" in call(*words).refusal
    assert "Install picsello-bridge[opentelemetry]" in wrong(call)["traces"]
    monkeypatch.setenv("PICSELLO_BRIDGE_TRACES", "off")
    assert wrong(call) == {}


def test_the_doctor_says_where_traces_go(call: Call, anna: str, collected: Collector) -> None:
    found = {row["what"]: row for row in call("doctor", "--json").json}
    assert found["traces"]["ok"]
    assert urlsplit(collected.url).netloc in found["traces"]["says"]


def test_switched_off_nothing_of_it_is_loaded() -> None:
    code = (
        "import sys, bridge.operation, bridge.worker, bridge.cli.processes, bridge.providers.http\n"
        "from bridge import traces\n"
        "with traces.sent(False), traces.passing(1) as one, traces.asking('GET', 'http://a'):\n"
        "    one.say(outcome='done')\n"
        "print([name for name in sys.modules if 'opentelemetry' in name])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
