"""One request out of the house: redirects, credentials, bounds, and lines that break."""

from __future__ import annotations

import gzip
import io
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from ssl import SSLContext

import httpx2
import pytest

from bridge.errors import Blocked, BridgeError, NotACalendarServer, UnknownOutcome, Unreachable
from bridge.providers.guard import Guard
from bridge.providers.http import Http, Limits, same_house
from tests.servers import fault
from tests.servers.fault import FaultProxy
from tests.servers.world import Certificates

SECRET = httpx2.BasicAuth("anna", "geheim")


@pytest.fixture
def server() -> Iterator[FaultProxy]:
    with FaultProxy("http://127.0.0.1:1/") as proxy:
        yield proxy


@pytest.fixture
def other() -> Iterator[FaultProxy]:
    with FaultProxy("http://127.0.0.1:1/") as proxy:
        yield proxy


def to(place: str, status: int = 301) -> fault.Fault:
    return fault.answer(status, headers={"Location": place})


def http(*servers: FaultProxy, **limits: float) -> Http:
    return Http(Guard({server.host_and_port for server in servers}), limits=Limits(**limits))  # type: ignore[arg-type]


# --- whom we trust ---------------------------------------------------------------------------------------


def secure(*servers: FaultProxy, trust: SSLContext | None = None) -> Http:
    allowed = {f"{host}:{server.port}" for server in servers for host in ("localhost", "127.0.0.1")}
    return Http(Guard(allowed, lambda *_: ["127.0.0.1"]), verify=trust)


def test_only_a_certificate_that_is_trusted_is_talked_to(server: FaultProxy, tmp_path: Path):
    certificates = Certificates(tmp_path, "localhost")
    with FaultProxy(server.url, tls=certificates.server) as house:
        house.fault("GET", fault.answer(200, b"inside"), times=9)
        url = f"https://localhost:{house.port}/"
        server.fault("GET", to(url))  # also where the session began without encryption
        for place in (url, url, server.url):
            with pytest.raises(Unreachable, match="certificate"):
                secure(server, house).request("GET", place)
        assert house.log == []
        assert secure(house, trust=certificates.client).request("GET", url).body == b"inside"


# --- redirects ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_in_the_house_keeps_method_body_and_credentials(server: FaultProxy, status: int):
    server.fault("PROPFIND", to("/dav/", status), path="well-known")
    server.fault("PROPFIND", fault.answer(207, b"here"), path="^/dav/$")
    answer = http(server).request("PROPFIND", server.url + ".well-known/caldav", body=b"<x/>", auth=SECRET)
    assert (answer.status, answer.body, answer.url) == (207, b"here", server.url + "dav/")
    assert [seen.body for seen in server.log] == [b"<x/>", b"<x/>"]
    assert all("Authorization" in seen.headers for seen in server.log)


def test_credentials_do_not_follow_to_another_house(server: FaultProxy, other: FaultProxy):
    server.fault("PROPFIND", to(other.url))
    other.fault("PROPFIND", fault.answer(401))
    answer = http(server, other).request("PROPFIND", server.url, auth=SECRET)
    assert answer.status == 401
    assert "Authorization" in server.log[0].headers
    assert "Authorization" not in other.log[0].headers


def test_credentials_are_not_given_back_on_the_way_home(server: FaultProxy, other: FaultProxy):
    server.fault("GET", to(other.url))
    other.fault("GET", to(server.url + "back"))
    server.fault("GET", fault.answer(200), path="back")
    http(server, other).request("GET", server.url, auth=SECRET)
    assert "Authorization" not in other.log[0].headers


@pytest.mark.parametrize(
    "place",
    [
        "http://169.254.169.254/latest/meta-data/",
        "https://169.254.169.254/",
        "https://[::1]/",
        "https://127.1/",
        "https://2130706433/",
        "https://localhost/",
        "http://example.com/",
        "file:///etc/passwd",
        "ftp://127.0.0.1/",
        "https://[::ffff:127.0.0.1]/",
        "https://0/",
    ],
)
def test_a_redirect_into_the_private_network_is_not_followed(server: FaultProxy, place: str):
    server.fault("GET", to(place))
    session = http(server)
    with pytest.raises(Blocked):
        session.request("GET", server.url, auth=SECRET)
    assert len(server.log) == 1


def test_a_redirect_to_a_closed_port_of_an_allowed_host_is_refused(server: FaultProxy, other: FaultProxy):
    server.fault("GET", to(other.url))
    with pytest.raises(Blocked):
        http(server).request("GET", server.url)
    assert other.log == []


@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE", "PATCH", "MKCALENDAR"])
@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_change_is_never_sent_on_to_another_house(
    server: FaultProxy, other: FaultProxy, method: str, status: int
):
    """What it says is as private as the password; a token request holds secrets in its body."""
    server.fault(method, to(other.url, status))
    with pytest.raises(Blocked, match="sends a change on"):
        http(server, other).request(method, server.url, body=b"refresh_token=secret", auth=SECRET)
    assert other.log == []


def test_redirects_without_end_are_given_up(server: FaultProxy):
    server.fault("GET", to("/again"), times=99)
    with pytest.raises(Blocked, match="without end"):
        http(server, redirects=3).request("GET", server.url)
    assert len(server.log) == 4


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("https://caldav.icloud.com/", "https://p42-caldav.icloud.com/1234/", True),
        ("https://caldav.icloud.com/", "https://p42-caldav.icloud.com:8443/", False),
        ("https://caldav.icloud.com/", "http://p42-caldav.icloud.com/", False),
        ("https://caldav.icloud.com/", "https://caldav.evilicloud.com/", False),
        ("https://caldav.icloud.com/", "https://caldav.icloud.com.evil.example/", False),
        ("https://a.example/", "https://A.example:443/dav/", True),
        ("https://a.example/", "https://b.a.example/", False),
        ("https://a.example/", "https://a.example:8443/", False),
        ("https://a.example/", "http://a.example/", False),
        ("http://a.example/", "https://a.example/", True),
        ("http://a.example:8080/", "https://a.example/", False),
    ],
)
def test_what_belongs_to_one_house(first: str, second: str, same: bool):
    assert same_house(first, second) is same


# --- one DNS answer -------------------------------------------------------------------------------------


def test_a_name_that_changes_its_answer_is_asked_once_and_gains_nothing(server: FaultProxy):
    port = int(server.host_and_port.rpartition(":")[2])
    answers = iter([["203.0.113.9"], ["127.0.0.1"], ["127.0.0.1"]])
    session = Http(Guard(resolve=lambda host, port: next(answers)), limits=Limits(connect=0.2))
    with pytest.raises(Blocked):
        session.request("GET", f"https://rebind.example:{port}/")
    assert next(answers) == ["127.0.0.1"]
    assert server.log == []


def test_the_connection_goes_to_the_address_that_was_checked(server: FaultProxy):
    port = int(server.host_and_port.rpartition(":")[2])
    server.fault("GET", fault.answer(200, b"here"))
    asked: list[str] = []

    def resolve(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"]

    session = Http(Guard({"studio.example"}, resolve))
    assert session.request("GET", f"http://studio.example:{port}/").body == b"here"
    assert asked == ["studio.example"]
    assert server.log[0].headers["Host"] == f"studio.example:{port}"


def test_the_environment_names_no_proxy(server: FaultProxy, monkeypatch: pytest.MonkeyPatch):
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    server.fault("GET", fault.answer(200, b"here"))
    assert http(server).request("GET", server.url).body == b"here"


# --- bounds ---------------------------------------------------------------------------------------------


def bomb(megabytes: int) -> bytes:
    out = io.BytesIO()
    with gzip.GzipFile(fileobj=out, mode="wb", compresslevel=9) as packed:
        for _ in range(megabytes):
            packed.write(bytes(1024 * 1024))
    return out.getvalue()


def test_a_small_bomb_does_not_become_a_large_one(server: FaultProxy):
    server.fault("GET", fault.answer(200, bomb(64), {"Content-Encoding": "gzip"}))
    with pytest.raises(Blocked, match="MB"):
        http(server, bytes=2 * 1024 * 1024).request("GET", server.url)


def test_a_bomb_in_a_refusal_is_none_either(server: FaultProxy):
    challenge = {"Content-Encoding": "gzip", "WWW-Authenticate": 'Digest realm="x", nonce="1", qop="auth"'}
    server.fault("GET", fault.answer(401, bomb(64), challenge))
    with pytest.raises(Blocked, match="MB"):
        http(server, bytes=2 * 1024 * 1024).request("GET", server.url, auth=httpx2.DigestAuth("a", "b"))


def test_a_long_answer_is_cut_off(server: FaultProxy):
    server.fault("GET", fault.answer(200, bytes(3 * 1024 * 1024)))
    with pytest.raises(Blocked):
        http(server, bytes=2 * 1024 * 1024).request("GET", server.url)


def test_compressed_answers_arrive_whole(server: FaultProxy):
    body = b"BEGIN:VCALENDAR\r\n" * 9999
    server.fault("GET", fault.answer(200, gzip.compress(body), {"Content-Encoding": "gzip"}))
    assert http(server).request("GET", server.url).body == body


def test_damaged_compression_is_a_bad_line_not_a_crash(server: FaultProxy):
    server.fault("GET", fault.answer(200, b"no gzip at all", {"Content-Encoding": "gzip"}))
    with pytest.raises(Unreachable):
        http(server).request("GET", server.url)


@pytest.fixture
def raw() -> Iterator[Callable[[Callable[[socket.socket], None]], FaultProxy]]:
    """A server made of one function that gets the connection."""
    ends: list[socket.socket] = []

    def start(talk: Callable[[socket.socket], None]) -> str:
        listener = socket.create_server(("127.0.0.1", 0))
        ends.append(listener)

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    try:
                        connection.recv(65536)
                        talk(connection)
                    except OSError:
                        pass

        threading.Thread(target=serve, daemon=True).start()
        return f"127.0.0.1:{listener.getsockname()[1]}"

    yield start  # type: ignore[misc]
    for listener in ends:
        listener.close()


def drip(text: bytes) -> Callable[[socket.socket], None]:
    def talk(connection: socket.socket) -> None:
        for byte in text:
            connection.send(bytes([byte]))
            time.sleep(0.1)

    return talk


@pytest.mark.parametrize(
    "text",
    [
        b"HTTP/1.1 200 OK\r\nX-Slow: " + b"a" * 600,
        b"HTTP/1.1 200 OK\r\nContent-Length: 600\r\n\r\n" + b"a" * 600,
    ],
    ids=["in the headers", "in the body"],
)
def test_a_server_that_drips_holds_nobody_longer_than_the_limit(raw, text: bytes):
    place = raw(drip(text))
    session = Http(Guard({place}), limits=Limits(seconds=1))
    start = time.monotonic()
    with pytest.raises(Unreachable, match="too long"):
        session.request("GET", f"http://{place}/")
    assert time.monotonic() - start < 3


def test_a_server_that_says_nothing_is_given_up(raw):
    place = raw(lambda connection: time.sleep(3))
    start = time.monotonic()
    with pytest.raises(Unreachable):
        Http(Guard({place}), limits=Limits(seconds=1)).request("GET", f"http://{place}/")
    assert time.monotonic() - start < 2.5


def test_a_write_that_was_sent_and_not_answered_in_time_is_unknown(raw):
    place = raw(lambda connection: time.sleep(3))
    with pytest.raises(UnknownOutcome):
        Http(Guard({place}), limits=Limits(seconds=1)).request("PUT", f"http://{place}/x", body=b"x")


def test_what_speaks_no_http_is_no_calendar_server(raw):
    place = raw(lambda connection: connection.sendall(b"220 mail.example.com ESMTP\r\n\r\n"))
    with pytest.raises(NotACalendarServer):
        Http(Guard({place})).request("GET", f"http://{place}/")


def test_plain_http_behind_an_https_address_is_said_so(server: FaultProxy):
    with pytest.raises(Unreachable, match="secure"):
        http(server).request("GET", server.url.replace("http:", "https:"))


# --- lines that break -------------------------------------------------------------------------------------


def test_a_write_to_a_closed_door_was_not_applied(server: FaultProxy):
    with pytest.raises(Unreachable):
        Http(Guard({"127.0.0.1"})).request("PUT", "http://127.0.0.1:9/x", body=b"x")


def test_every_request_is_counted(server: FaultProxy):
    server.fault("GET", fault.lose_request)
    server.fault("GET", to("/b"))
    server.fault("GET", fault.answer(200))
    session = http(server)
    session.request("GET", server.url)
    assert session.requests == len(server.log) == 3


def test_no_failure_shows_a_password(server: FaultProxy):
    server.fault("GET", fault.lose_request, times=9)
    with pytest.raises(BridgeError) as caught:
        http(server).request("GET", server.url, auth=SECRET)
    assert "geheim" not in str(caught.value)
