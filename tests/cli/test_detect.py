"""``account detect`` and ``account add … auto``, against a name server on loopback."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cli.conftest import Call
from tests.servers.nameserver import NameServer

RECORDS = {
    ("workspace.example", "MX"): ["1 smtp.google.com."],
    ("own.example", "MX"): ["10 mx01.mail.icloud.com."],
    ("_caldavs._tcp.srv.example", "SRV"): ["0 1 443 localhost.srv.example."],
}


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[NameServer]:
    with NameServer(RECORDS) as running:
        monkeypatch.setenv("PICSELLO_BRIDGE_NAME_SERVERS", running.place)
        yield running


def test_an_address_is_told_apart(call: Call, server: NameServer):
    known = call("account", "detect", "anna@icloud.com", "--json").json
    assert set(known) == {"provider", "signin", "why", "sure"}
    assert (known["provider"], known["signin"], known["sure"]) == ("icloud", "app-specific password", True)
    hosted = call("account", "detect", "anna@workspace.example", "--json").json
    assert (hosted["provider"], hosted["signin"], hosted["sure"]) == ("google", "oauth", False)
    nobody = call("account", "detect", "anna@nowhere.example", "--json").json
    assert (nobody["provider"], nobody["sure"]) == ("unknown", False)
    assert call("account", "detect", "anna@workspace.example").out.startswith("google: ")


def test_what_is_no_address_is_refused(call: Call, server: NameServer):
    assert "e-mail address" in call("account", "detect", "anna").refusal


@pytest.mark.parametrize(
    ("email", "words"), [("anna@nowhere.example", "instead of “auto”"), ("anna@own.example", "--yes")]
)
def test_auto_sends_no_password_on_a_guess(call: Call, server: NameServer, email: str, words: str):
    call("user", "add", email)
    said = call("account", "add", email, "auto", "--password-stdin", stdin="geheim")
    assert words in said.refusal


def test_auto_goes_where_the_domain_says(call: Call, server: NameServer):
    call("user", "add", "anna@srv.example")
    said = call("account", "add", "anna@srv.example", "auto", "--password-stdin", stdin="geheim")
    assert "localhost.srv.example" in said.refusal


def test_a_name_server_must_be_an_address(call: Call, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PICSELLO_BRIDGE_NAME_SERVERS", "dns.example.com")
    assert "PICSELLO_BRIDGE_NAME_SERVERS" in call("account", "detect", "anna@icloud.com").refusal
