"""The doctor: finds what is wrong, says what to do, and puts right what can be without losing anything."""

from __future__ import annotations

import http.server
import ssl
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from sqlalchemy import delete, update

from bridge.config import Settings
from bridge.store import accounts, calendars, people
from bridge.store.tables import object_, occurrence
from bridge.wiring import Bridge
from tests.cli.conftest import Call, wrong
from tests.servers.process import free_port

ANNA = "anna@studio.example"


@pytest.fixture
def bridge(call: Call, anna: str, data: Path) -> Bridge:
    call("booking", "add", anna, "--title", "Shoot", "--start", "2027-03-01T10:00", "--duration", "60")
    return Bridge.open(Settings(data=data))


def test_a_healthy_installation_is_told_so(call: Call, bridge: Bridge) -> None:
    assert wrong(call) == {}
    assert "whole, and hangs together" in call("doctor").out


def test_what_others_may_read_is_shut(call: Call, bridge: Bridge, data: Path) -> None:
    data.chmod(0o755)
    (data / "master.key").chmod(0o644)
    assert set(wrong(call)) == {"data folder", "master key"}
    assert call("doctor", "--fix").err.count("its owner's alone") == 2
    assert wrong(call) == {}
    assert (stat.S_IMODE(data.stat().st_mode), stat.S_IMODE((data / "master.key").stat().st_mode)) == (
        0o700,
        0o600,
    )


def test_events_that_no_question_of_time_would_find_are_indexed_anew(call: Call, bridge: Bridge) -> None:
    with bridge.db.writing() as tx:
        tx.execute(delete(occurrence))
    assert "1 events of calendar 1" in wrong(call)["index of times"]
    assert wrong(call, "--fix") == {}
    with bridge.db.reading() as tx:
        assert tx.execute(occurrence.select()).first() is not None


def test_a_mirror_of_nothing_can_go(call: Call, bridge: Bridge) -> None:
    now = bridge.clock.now()
    with bridge.db.writing() as tx:
        user = people.user_by_email(tx, ANNA)
        calendars.create(tx, user.id, "old", kind="mirror", title="Old family calendar", now=now)
    assert "Old family calendar" in wrong(call)["mirrors"]
    assert wrong(call, "--fix") == {}
    with bridge.db.reading() as tx:
        assert [row.name for row in calendars.of_user(tx, user.id)] == ["bookings"]


def test_a_text_that_a_disk_has_eaten_is_named_and_left_alone(call: Call, bridge: Bridge) -> None:
    with bridge.db.writing() as tx:
        tx.execute(update(object_).values(text=object_.c.text + " "))
    for words in ((), ("--fix",)):
        assert "restore the last backup" in wrong(call, *words)["what is kept"]


def test_a_provider_whose_name_is_not_found(call: Call, bridge: Bridge) -> None:
    with bridge.db.writing() as tx:
        user = people.user_by_email(tx, ANNA)
        accounts.create(
            tx,
            user.id,
            "caldav",
            label="Cloud",
            url="https://no-such-host.invalid/dav/",
            now=bridge.clock.now(),
        )
    assert "no-such-host.invalid (of Cloud) is not found" in wrong(call)["names"]


def test_a_queue_that_is_away(call: Call, bridge: Bridge, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PICSELLO_BRIDGE_QUEUE_URL", f"redis://127.0.0.1:{free_port()}/0")
    assert "nothing is lost" in wrong(call)["queue"]


class _Dated(http.server.BaseHTTPRequestHandler):
    behind = timedelta(0)

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def date_time_string(self, timestamp: Any = None) -> str:
        return super().date_time_string((datetime.now(UTC) - self.behind).timestamp())

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def https(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """``https(days=60)``: our public address, with a certificate that this machine trusts, good for so
    many days."""

    @contextmanager
    def serving(days: int, *, trusted: bool = True, behind: timedelta = timedelta(0)) -> Iterator[str]:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
        now = datetime.now(UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(1)
            .not_valid_before(now - timedelta(days=30))
            .not_valid_after(now + timedelta(days=days))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
            .sign(key, SHA256())
        )
        public, private = tmp_path / "cert.pem", tmp_path / "key.pem"
        public.write_bytes(certificate.public_bytes(Encoding.PEM))
        private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(public, private)
        handler = type("Handler", (_Dated,), {"behind": behind})
        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
            server.socket = context.wrap_socket(server.socket, server_side=True)
            threading.Thread(target=server.serve_forever, daemon=True).start()
            if trusted:
                monkeypatch.setenv("SSL_CERT_FILE", str(public))
            monkeypatch.setenv("PICSELLO_BRIDGE_PUBLIC_URL", f"https://localhost:{server.server_port}")
            yield f"https://localhost:{server.server_port}"
            server.shutdown()

    return serving


def test_a_certificate_is_looked_at(call: Call, bridge: Bridge, https: Callable[..., Any]) -> None:
    with https(60) as url:
        assert wrong(call) == {}
        assert f"{url}, certificate until" in call("doctor").out
    with https(5):
        assert "see why it is not renewed" in wrong(call)["public address"]
    with https(-1):
        assert "expired" in wrong(call)["public address"]


def test_a_certificate_of_nobodys(call: Call, bridge: Bridge, https: Callable[..., Any]) -> None:
    with https(60, trusted=False):
        assert "self-signed" in wrong(call)["public address"].replace("self signed", "self-signed")


def test_clocks_that_are_apart(call: Call, bridge: Bridge, https: Callable[..., Any]) -> None:
    with https(60, behind=timedelta(hours=1)):
        assert "are 3" in wrong(call)["clock"] and "NTP" in wrong(call)["clock"]


def test_a_public_name_that_is_not_found(call: Call, bridge: Bridge, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bridge.service.reach.NOBODYS", ())
    monkeypatch.setenv("PICSELLO_BRIDGE_PUBLIC_URL", "https://no-such-studio.invalid")
    assert "DNS record" in wrong(call)["public address"]
