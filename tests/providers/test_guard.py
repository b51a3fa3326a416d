"""Addresses that people type, mistype, or were told to type by somebody who wants in."""

from __future__ import annotations

import threading
import time

import dns.nameserver
import dns.resolver
import pytest

from bridge.errors import Blocked, Unreachable
from bridge.providers import guard
from bridge.providers.guard import Guard, ascii_host, is_public, origin
from tests.servers.nameserver import NameServer

PRIVATE = [
    *("0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "127.0.0.1", "127.255.255.254"),
    *("169.254.0.1", "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.2.1"),
    *("192.168.0.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.250"),
    *("240.0.0.1", "255.255.255.255"),
    *(
        "::",
        "::1",
        "::127.0.0.1",
        "::10.0.0.1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::ffff:169.254.169.254",
    ),
    *(
        "64:ff9b::7f00:1",
        "64:ff9b::a00:1",
        "64:ff9b:1::a00:1",
        "2002:7f00:1::",
        "2002:a00:1::1",
        "2001:0:a00:1::1",
    ),
    *("fe80::1", "fe80::1%eth0", "fec0::1", "fc00::1", "fd12:3456::1", "ff02::1", "2001:db8::1", "100::1"),
]
PUBLIC = [
    "1.1.1.1",
    "17.253.144.10",
    "93.184.216.34",
    "2606:4700:4700::1111",
    "2a00:1450:4001::1",
    "::ffff:1.1.1.1",
]


@pytest.mark.parametrize("address", PRIVATE)
def test_no_address_inside_is_public(address: str):
    assert not is_public(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_the_public_internet_is(address: str):
    assert is_public(address)


@pytest.mark.parametrize(
    "host", ["127.1", "2130706433", "0x7f000001", "0177.0.0.1", "0", "127.0.1", "localhost"]
)
def test_other_spellings_of_this_machine_are_recognised_by_what_they_resolve_to(host: str):
    with pytest.raises(Blocked, match="private network"):
        Guard().addresses(host, 443)


@pytest.mark.parametrize("address", [a for a in PRIVATE if "%" not in a])
def test_a_name_that_leads_inside_is_refused(address: str):
    gate = Guard(resolve=lambda host, port: [address])
    with pytest.raises(Blocked, match="PICSELLO_BRIDGE_ALLOW_HOSTS"):
        gate.addresses("calendar.example.com", 443)


def test_one_private_address_among_public_ones_is_enough():
    gate = Guard(resolve=lambda host, port: ["1.1.1.1", "10.0.0.7"])
    with pytest.raises(Blocked):
        gate.addresses("calendar.example.com", 443)


def test_a_name_that_nobody_knows_is_unreachable():
    def nobody(host: str, port: int) -> list[str]:
        raise OSError

    with pytest.raises(Unreachable, match=r"calendar\.example\.com"):
        Guard(resolve=nobody).addresses("calendar.example.com", 443)


@pytest.mark.parametrize(
    "url",
    [
        "http://calendar.example.com/",
        "http://1.1.1.1/",
        "ftp://calendar.example.com/",
        "file:///etc/passwd",
        "gopher://calendar.example.com/",
        "unix:///run/docker.sock",
        "//calendar.example.com/",
        "calendar.example.com",
        "https://",
        "https:///dav/",
        "https://anna:secret@calendar.example.com/",
        "https://calendar.example.com@10.0.0.1/",
        "https://calendar.example.com:99999/",
        "https://calendar.example.com:-1/",
        "https://[::1/",
        "javascript:alert(1)",
        "",
    ],
)
def test_an_address_of_the_wrong_form_is_refused(url: str):
    with pytest.raises(Blocked):
        Guard().check(url)


def test_a_password_inside_an_address_is_not_repeated():
    for url in ("https://anna:geheim@calendar.example.com/", "ftp://anna:geheim@calendar.example.com/"):
        with pytest.raises(Blocked) as caught:
            Guard().check(url)
        assert "geheim" not in str(caught.value)


def test_the_administrator_opens_a_host_or_one_port_of_it():
    inside = lambda host, port: ["10.0.0.7"]  # noqa: E731
    gate = Guard({"nas.local", "10.0.0.8:8443", "[fd00::7]:5232"}, inside)
    gate.check("http://nas.local/dav/")
    gate.check("http://NAS.local.:5000/dav/")
    gate.check("https://10.0.0.8:8443/")
    assert gate.addresses("nas.local", 443) == ["10.0.0.7"]
    assert gate.allows("fd00::7", 5232)
    for url in (
        "http://10.0.0.8:8444/",
        "http://xnas.local/",
        "http://nas.local.example.com/",
        "http://10.0.0.8/",
    ):
        with pytest.raises(Blocked):
            gate.check(url)
    with pytest.raises(Blocked):
        gate.addresses("10.0.0.8", 8444)


def test_an_allowed_host_has_no_other_spellings():
    with pytest.raises(Blocked):
        Guard({"127.0.0.1"}).addresses("127.1", 443)


def test_an_international_name_is_spelt_as_dns_spells_it():
    assert ascii_host("Kalender-Müller.Example.") == "xn--kalender-mller-psb.example"
    assert origin("https://MÜLLER.example:8443/dav/") == ("https", "xn--mller-kva.example", 8443)


def test_name_servers_that_say_nothing_hold_nobody(monkeypatch: pytest.MonkeyPatch):
    over = threading.Event()

    def silent(*_: object, **__: object) -> None:
        over.wait(10)
        raise OSError

    monkeypatch.setattr(guard.socket, "getaddrinfo", silent)
    monkeypatch.setattr(guard, "RESOLVE_SECONDS", 0.05)
    start = time.monotonic()
    with pytest.raises(Unreachable):
        Guard().addresses("calendar.example.com", 443)
    over.set()
    assert time.monotonic() - start < 2


def test_a_name_server_that_rebinds_gains_nothing():
    """Public when it is checked, private when it is asked again: there is no second question."""
    records = {("rebind.example", "A"): [["93.184.216.34"], ["127.0.0.1"]]}
    with NameServer(records) as server:
        asking = dns.resolver.Resolver(configure=False)
        asking.nameservers = [
            dns.nameserver.Do53Nameserver("127.0.0.1", int(server.place.rpartition(":")[2]))
        ]

        def resolve(host: str, port: int) -> list[str]:
            return [record.address for record in asking.resolve(host, "A")]

        gate = Guard(resolve=resolve)
        checked = gate.addresses("rebind.example", 443)
        assert (checked, len(server.asked)) == (["93.184.216.34"], 1)
        with pytest.raises(Blocked):  # the next connection asks anew, and is checked anew
            gate.addresses("rebind.example", 443)
