"""Sixty-odd addresses against name servers: right, or unknown, never wrong with confidence."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from bridge.providers.detect import UNKNOWN, Detection, detect
from bridge.providers.names import Names
from tests.servers.nameserver import NameServer

GOOGLE = ["1 aspmx.l.google.com.", "5 alt1.aspmx.l.google.com.", "10 alt3.aspmx.l.google.com."]
RECORDS = {
    # domains of their own at the large houses
    ("workspace.example", "MX"): GOOGLE,
    ("workspace-new.example", "MX"): ["1 smtp.google.com."],
    ("tenant.example", "MX"): ["0 tenant-example.mail.protection.outlook.com."],
    ("tenant-new.example", "MX"): ["0 tenant-example.q-v1.mx.microsoft."],
    ("apple-own.example", "MX"): ["10 mx01.mail.icloud.com.", "10 mx02.mail.icloud.com."],
    ("fastmail-own.example", "MX"): [
        "10 in1-smtp.messagingengine.com.",
        "20 in2-smtp.messagingengine.com.",
    ],
    ("mailbox-own.example", "MX"): ["10 mxext1.mailbox.org.", "10 mxext2.mailbox.org."],
    ("migadu-own.example", "MX"): ["10 aspmx1.migadu.com.", "20 aspmx2.migadu.com."],
    ("zoho-own.example", "MX"): ["10 mx.zoho.eu.", "20 mx2.zoho.eu."],
    ("zoho-com-own.example", "MX"): ["10 mx.zoho.com."],
    ("yahoo-own.example", "MX"): ["10 mta5.am0.yahoodns.net."],
    ("aol-own.example", "MX"): ["10 mx-aol.mail.gm0.yahoodns.net."],
    ("yandex-own.example", "MX"): ["10 mx.yandex.net."],
    ("infomaniak-own.example", "MX"): ["5 mta-gw.infomaniak.ch."],
    ("runbox-own.example", "MX"): ["10 mx.runbox.com."],
    ("purelymail-own.example", "MX"): ["50 mailserver.purelymail.com."],
    ("proton-own.example", "MX"): ["10 mail.protonmail.ch.", "20 mailsec.protonmail.ch."],
    ("tuta-own.example", "MX"): ["10 mail.tutanota.de."],
    # who says so himself
    ("_caldavs._tcp.srv.example", "SRV"): ["0 1 443 dav.srv.example."],
    ("_caldavs._tcp.path.example", "SRV"): ["0 1 8443 dav.path.example."],
    ("_caldavs._tcp.path.example", "TXT"): ['"path=/remote.php/dav"'],
    ("_caldavs._tcp.many.example", "SRV"): ["20 1 443 second.many.example.", "10 1 443 first.many.example."],
    ("_caldavs._tcp.self.example", "SRV"): ["0 1 443 self.example."],
    ("_caldavs._tcp.both.example", "SRV"): ["0 1 443 dav.both.example."],
    ("both.example", "MX"): GOOGLE,
    ("_caldavs._tcp.fm-srv.example", "SRV"): ["0 1 443 caldav.fastmail.com."],
    ("_caldavs._tcp.outside.example", "SRV"): ["0 1 443 calendar.hoster.example."],
    ("_caldavs._tcp.suffix.example", "SRV"): ["0 1 443 evilsuffix.example."],
    ("_caldavs._tcp.none.example", "SRV"): ["0 0 0 ."],
    ("none.example", "MX"): GOOGLE,
    ("_caldav._tcp.plain.example", "SRV"): ["0 1 80 dav.plain.example."],
    ("plain.example", "A"): ["192.0.2.1"],
    # what hides, or pretends
    ("filter-a.example", "MX"): ["10 mx0a-001.pphosted.com.", "10 mx0b-001.pphosted.com."],
    ("filter-b.example", "MX"): ["10 eu-smtp-inbound-1.mimecast.com."],
    ("filter-c.example", "MX"): ["10 d1.a.ess.barracudanetworks.com."],
    ("filter-d.example", "MX"): ["10 route1.mx.cloudflare.net."],
    ("filter-e.example", "MX"): ["5 mx.a.hornetsecurity.com.", "10 aspmx.l.google.com."],
    ("evil-a.example", "MX"): ["10 mail.evilgoogle.com."],
    ("evil-b.example", "MX"): ["10 google.com.evil.example."],
    ("evil-c.example", "MX"): ["10 mail-protection-outlook.com."],
    ("evil-d.example", "MX"): ["10 xn--ggle-0nda.com."],
    ("mixed.example", "MX"): ["10 aspmx.l.google.com.", "20 tenant.mail.protection.outlook.com."],
    ("own-mail.example", "MX"): ["10 mx.own-mail.example."],
    ("null-mx.example", "MX"): ["0 ."],
    ("empty.example", "A"): ["192.0.2.1"],
    ("xn--mller-kva.example", "MX"): GOOGLE,
    # look-alikes whose owners have set everything up
    ("gmial.com", "MX"): GOOGLE,
    ("_caldavs._tcp.iclould.com", "SRV"): ["0 1 443 caldav.iclould.com."],
    ("_caldavs._tcp.icl0ud.com", "SRV"): ["0 1 443 caldav.icl0ud.com."],
    ("_caldavs._tcp.xn--iclud-lye.com", "SRV"): ["0 1 443 caldav.xn--iclud-lye.com."],
}


@pytest.fixture(scope="module")
def server() -> Iterator[NameServer]:
    with NameServer(RECORDS) as running:
        yield running


@pytest.fixture
def names(server: NameServer) -> Names:
    server.mood = "answers"
    return Names([server.place])


@pytest.mark.parametrize(
    ("address", "provider", "sure"),
    [
        ("anna@gmail.com", "google", True),
        ("anna@googlemail.com", "google", True),
        ("Anna.Maier+work@GMAIL.com", "google", True),
        ("anna@outlook.com", "microsoft", True),
        ("anna@hotmail.co.uk", "microsoft", True),
        ("anna@live.nl", "microsoft", True),
        ("anna@msn.com", "microsoft", True),
        ("anna@studio.onmicrosoft.com", "microsoft", True),
        ("anna@icloud.com", "icloud", True),
        ("anna@me.com", "icloud", True),
        ("anna@fastmail.fm", "fastmail", True),
        ("anna@yahoo.de", "yahoo", True),
        ("anna@aol.com", "aol", True),
        ("anna@gmx.net", "gmx", True),
        ("anna@gmx.com", "gmx-com", True),
        ("anna@web.de", "web-de", True),
        ("anna@email.com", "mail-com", True),
        ("anna@posteo.de", "posteo", True),
        ("anna@mailbox.org", "mailbox-org", True),
        ("anna@zoho.eu", "zoho-eu", True),
        ("anna@zohomail.in", "zoho-in", True),
        ("anna@yandex.ru", "yandex", True),
        ("anna@mail.ru", "mail-ru", True),
        ("anna@ik.me", "infomaniak", True),
        ("anna@disroot.org", "disroot", True),
        ("anna@proton.me", "ics", True),
        ("anna@tuta.com", UNKNOWN, False),
        ("anna@workspace.example", "google", False),
        ("anna@workspace-new.example", "google", False),
        ("anna@müller.example", "google", False),
        ("anna@tenant.example", "microsoft", False),
        ("anna@tenant-new.example", "microsoft", False),
        ("anna@apple-own.example", "icloud", False),
        ("anna@fastmail-own.example", "fastmail", False),
        ("anna@mailbox-own.example", "mailbox-org", False),
        ("anna@migadu-own.example", "migadu", False),
        ("anna@zoho-own.example", "zoho-eu", False),
        ("anna@zoho-com-own.example", "zoho-com", False),
        ("anna@yahoo-own.example", "yahoo", False),
        ("anna@aol-own.example", "aol", False),
        ("anna@yandex-own.example", "yandex", False),
        ("anna@infomaniak-own.example", "infomaniak", False),
        ("anna@runbox-own.example", "runbox", False),
        ("anna@purelymail-own.example", "purelymail", False),
        ("anna@proton-own.example", "ics", False),
        ("anna@tuta-own.example", UNKNOWN, False),
        ("anna@srv.example", "caldav", True),
        ("anna@path.example", "caldav", True),
        ("anna@many.example", "caldav", True),
        ("anna@self.example", "caldav", True),
        ("anna@both.example", "caldav", True),
        ("anna@fm-srv.example", "fastmail", False),
        ("anna@outside.example", "caldav", False),
        ("anna@suffix.example", "caldav", False),
        ("anna@none.example", "google", False),
        ("anna@plain.example", UNKNOWN, False),
        ("anna@filter-a.example", UNKNOWN, False),
        ("anna@filter-b.example", UNKNOWN, False),
        ("anna@filter-c.example", UNKNOWN, False),
        ("anna@filter-d.example", UNKNOWN, False),
        ("anna@filter-e.example", UNKNOWN, False),
        ("x7k@privaterelay.appleid.com", UNKNOWN, False),
        ("anna@evil-a.example", UNKNOWN, False),
        ("anna@evil-b.example", UNKNOWN, False),
        ("anna@evil-c.example", UNKNOWN, False),
        ("anna@evil-d.example", UNKNOWN, False),
        ("anna@mixed.example", UNKNOWN, False),
        ("anna@own-mail.example", UNKNOWN, False),
        ("anna@null-mx.example", UNKNOWN, False),
        ("anna@empty.example", UNKNOWN, False),
        ("anna@nowhere.example", UNKNOWN, False),
        ("anna@gmial.com", UNKNOWN, False),
        ("anna@gmail.con", UNKNOWN, False),
        ("anna@iclould.com", UNKNOWN, False),
        ("anna@icl0ud.com", UNKNOWN, False),
        ("anna@gmai1.com", UNKNOWN, False),
        ("anna@grnail.com", UNKNOWN, False),
        ("anna@iclоud.com", UNKNOWN, False),  # a Cyrillic o
        ("anna@xn--iclud-lye.com", UNKNOWN, False),
        ("anna@ıcloud.com", UNKNOWN, False),
        ("anna@outlook.com.evil.example", UNKNOWN, False),
    ],
)
def test_an_address_leads_to_its_house_or_to_nothing(names: Names, address: str, provider: str, sure: bool):
    found = detect(address, names)
    assert (found.provider, found.sure) == (provider, sure)
    assert found.why.endswith(".")
    assert bool(found.signin) is (provider != UNKNOWN)


def test_the_address_of_the_server_comes_with_it(names: Names):
    def url(domain: str) -> str:
        return detect(f"anna@{domain}", names).url

    assert url("srv.example") == "https://dav.srv.example/"
    assert url("path.example") == "https://dav.path.example:8443/remote.php/dav"
    assert url("many.example") == "https://first.many.example/"
    assert url("workspace.example") == ""


def test_a_likeness_is_named(names: Names):
    assert "icloud.com" in detect("anna@iclоud.com", names).why
    assert "gmail.com" in detect("anna@gmial.com", names).why


def test_known_domains_cost_no_question(server: NameServer, names: Names):
    before = len(server.asked)
    detect("anna@gmail.com", names)
    assert len(server.asked) == before


def test_an_answer_is_remembered(server: NameServer, names: Names):
    first = detect("anna@workspace.example", names)
    before = len(server.asked)
    assert detect("berta@workspace.example", names) == first
    assert len(server.asked) - before <= 1  # that there is no SRV record may be asked again


@pytest.mark.parametrize("mood", ["silent", "broken"])
def test_trouble_with_the_name_servers_blocks_nobody(server: NameServer, mood: str):
    server.mood = mood
    start = time.monotonic()
    found = detect("anna@workspace.example", Names([server.place], seconds=0.5))
    assert (found.provider, found.sure) == (UNKNOWN, False)
    assert time.monotonic() - start < 2
    server.mood = "answers"


def test_a_name_server_that_is_not_there_is_no_error():
    found: Detection = detect("anna@workspace.example", Names(["127.0.0.1:9"], seconds=0.5))
    assert found.provider == UNKNOWN
