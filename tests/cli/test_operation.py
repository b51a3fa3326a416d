"""What whoever runs the server sees of it: figures for those who may, logs that give nobody away."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from pathlib import Path

import pytest

from bridge import logs
from bridge.config import Settings, named, unknown
from bridge.errors import Invalid
from tests.cli.conftest import Call
from tests.cli.test_serve import Process, _signed, started
from tests.service.conftest import TODAY, event


def metrics(process: Process, **headers: str) -> dict[str, float]:
    status, _, body = process.ask("GET", "/metrics", **headers)
    assert status == 200, body
    lines = (line.rsplit(" ", 1) for line in body.decode().splitlines() if not line.startswith("#"))
    return {name: float(value) for name, value in lines}


def test_a_journey_leaves_figures_and_logs_that_give_nothing_away(
    data: Path, anna: str, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    password = call("device", "add", anna, "phone").out.strip()
    token = call("token", "add", anna, "Website", "--scope", "read", "--scope", "write").out.strip()
    feed = call("feed", "add", anna, "Second shooter", "--json").json["url"].rpartition("/")[2]
    call("user", "set", anna, "--password-stdin", stdin="geheim genug")
    monkeypatch.setenv("PICSELLO_BRIDGE_LOG_FORMAT", "json")
    monkeypatch.setenv("PICSELLO_BRIDGE_LOG_REQUESTS", "all")
    monkeypatch.setenv("PICSELLO_BRIDGE_METRICS_TOKEN", "figures-please")
    signed, bearer = _signed(anna, password), f"Bearer {token}"
    text = event("u-4711@phone", "Miller wedding", TODAY).encode()
    home = f"/dav/{anna}/bookings/"
    with started(data, "serve", "--port", "0", announces=2) as served:
        ids = set()
        for wanted, method, path, body, headers in (
            (201, "PUT", home + "u-4711.ics", text, {"Authorization": signed}),
            (207, "PROPFIND", home, b"", {"Authorization": signed, "Depth": "1"}),
            (401, "PROPFIND", home, b"", {"Authorization": _signed(anna, "geraten")}),
            (400, "REPORT", home, b"<Miller wedding", {"Authorization": signed}),
            (200, "GET", f"/feeds/{feed}", b"", {"User-Agent": "Kalender\tvon Miller"}),
            (404, "GET", "/feeds/" + "0" * 40 + ".ics", b"", {}),
            (200, "GET", "/api/v1/bookings", b"", {"Authorization": bearer}),
            (400, "POST", "/api/v1/bookings", b'{"title": "Miller"}', {"Authorization": bearer}),
            (400, "POST", "/sign-in", b"email=anna&password=geheim+genug", {}),
            (404, "GET", "/nowhere%0d%0a2027-01-01%20error%20forged?Miller", b"", {}),
            (404, "GET", "/nowhere%1b[31m/Miller", b"", {"X-Forwarded-For": "1.2.3.4\tforged"}),
        ):
            status, answered, _ = served.ask(method, path, body, **headers)
            assert status == wanted, (method, path, status)
            ids.add(answered["x-request-id"])
            assert answered["x-content-type-options"] == "nosniff"
        found = metrics(served)
        assert found['picsello_bridge_http_requests_total{method="PUT",part="dav",status="201"}'] == 1
        assert found['picsello_bridge_http_requests_total{method="PROPFIND",part="dav",status="401"}'] == 1
        assert found['picsello_bridge_http_seconds_count{method="GET",part="feeds"}'] == 2
        assert found["picsello_bridge_backlog"] == 0
        through_a_proxy = {"X-Forwarded-For": "127.0.0.1"}
        assert served.ask("GET", "/metrics", **through_a_proxy)[0] == 403
        wrong = {"Authorization": "Bearer no", **through_a_proxy}
        assert served.ask("GET", "/metrics", **wrong)[0] == 403
        assert metrics(served, Authorization="Bearer figures-please", **through_a_proxy)
        served.process.terminate()
        out, err = served.process.communicate(timeout=15)
    lines = [json.loads(line) for line in err.splitlines()]
    answered = {line["request"]: line for line in lines if line["message"] == "answered"}
    assert ids <= answered.keys()
    routes = {line["route"] for line in answered.values()}
    assert {"/feeds/<token>.ics", "/api/v1/bookings", "/dav"} <= routes
    assert {line["status"] for line in answered.values()} >= {200, 201, 207, 400, 401, 404}
    for secret in (
        "Miller",
        "u-4711",
        password,
        token,
        feed[:-4],
        "geheim",
        "geraten",
        "figures-please",
        anna,
    ):
        assert secret not in out + err, secret


def test_a_worker_tells_its_figures_where_it_is_asked_to(data: Path, anna: str) -> None:
    with started(data, "worker", "--port", "0", announces=1) as worker:
        assert worker.ask("GET", "/readyz")[0] == 200
        assert "picsello_bridge_backlog" in metrics(worker)
        assert worker.ask("GET", "/")[0] == 404
        assert worker.end() < 10


def test_an_unexpected_error_is_logged_by_its_kind_and_place_alone() -> None:
    try:
        int("Miller wedding")
    except ValueError:
        record = logging.LogRecord("x", logging.ERROR, __file__, 1, "It broke: %s", ("a\r\nb\x1b[31m",), None)
        record.exc_info = sys.exc_info()
    with logs.about(request="abc"):
        said = json.loads(logs.Json().format(record))
        line = logs.Text().format(record)
    assert said["error"] == "ValueError"
    assert "test_operation.py" in said["where"]
    assert (said["request"], said["message"]) == ("abc", r"It broke: a\r\nb\x1b[31m")
    assert "Miller" not in line + json.dumps(said)
    assert line.isprintable()


def test_everything_that_is_wrong_is_said_at_once(call: Call, tmp_path: Path) -> None:
    config = tmp_path / "bridge.toml"
    config.write_text(
        'trusted_proxy = ["10.0.0.1"]\npoll_seconds = 1\ntrusted_proxies = ["caddy"]\nlog_format = "xml"'
    )
    refusal = call("user", "list", "--config", str(config)).refusal
    for part in ("Did you mean “trusted_proxies”?", "poll_seconds", "not “caddy”", "text, json"):
        assert part in refusal


@pytest.mark.parametrize(("cores", "processes", "threads"), [(1, 1, 10), (2, 2, 5), (3, 3, 5), (16, 4, 5)])
def test_processes_and_threads_follow_the_cores(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cores: int, processes: int, threads: int
) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _process: set(range(cores)))
    settings = Settings.load(str(tmp_path), None, {})
    assert (settings.processes, settings.threads) == (processes, threads)
    said = {"PICSELLO_BRIDGE_SERVER_PROCESSES": "7", "PICSELLO_BRIDGE_SERVER_THREADS": "3"}
    settings = Settings.load(str(tmp_path), None, said)
    assert (settings.processes, settings.threads) == (7, 3)


def test_where_the_cores_may_not_be_counted_the_machines_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forbidden(_process: int) -> set[int]:
        raise PermissionError

    monkeypatch.setattr("os.sched_getaffinity", forbidden)
    monkeypatch.setattr("os.cpu_count", lambda: 3)
    assert Settings.load(str(tmp_path), None, {}).processes == 3


@pytest.mark.parametrize(("name", "value"), [("PROCESSES", "65"), ("THREADS", "1"), ("THREADS", "-1")])
def test_a_number_of_processes_or_threads_that_makes_no_sense_is_refused(
    tmp_path: Path, name: str, value: str
) -> None:
    variable = f"PICSELLO_BRIDGE_SERVER_{name}"
    with pytest.raises(Invalid, match=variable):
        Settings.load(str(tmp_path), None, {variable: value})


def test_a_secret_may_stand_in_a_file(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("smtp://user:geheim@mail.example\n")
    environ = {"PICSELLO_BRIDGE_SMTP_URL_FILE": str(secret), "PICSELLO_BRIDGE_MAIL_FROM": "a@b.example"}
    settings = Settings.load(str(tmp_path), None, environ)
    assert settings.smtp_url == "smtp://user:geheim@mail.example"
    assert "geheim" not in repr(settings)
    environ["PICSELLO_BRIDGE_SMTP_URL"] = "smtp://other.example"
    assert Settings.load(str(tmp_path), None, environ).smtp_url == "smtp://other.example"
    missing = {"PICSELLO_BRIDGE_METRICS_TOKEN_FILE": str(tmp_path / "none")}
    with pytest.raises(Invalid, match="cannot be read"):
        Settings.load(str(tmp_path), None, missing)
    with pytest.raises(Invalid, match="MAIL_FROM"):
        Settings.load(str(tmp_path), None, {"PICSELLO_BRIDGE_SMTP_URL": "smtp://mail.example"})


def test_a_name_that_is_no_setting_is_noticed() -> None:
    environ = dict.fromkeys(
        ("PICSELLO_BRIDGE_TRUSTED_PROXY", "PICSELLO_BRIDGE_KEY_FILE", "PICSELLO_BRIDGE_CONFIG", "HOME"), "x"
    )
    assert unknown(environ) == ["PICSELLO_BRIDGE_TRUSTED_PROXY"]


def test_proxies_are_believed_by_address_or_network() -> None:
    networks = frozenset({"10.1.0.0/16", "::1", "192.0.2.7"})
    assert [named(one, networks) for one in ("10.1.2.3", "::1", "192.0.2.7")] == [True] * 3
    assert [named(one, networks) for one in ("10.2.0.1", "::2", "", "x", None)] == [False] * 5


def test_the_command_line_loads_no_metrics() -> None:
    code = "import sys, bridge.cli.people, bridge.wiring; print('prometheus_client' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
