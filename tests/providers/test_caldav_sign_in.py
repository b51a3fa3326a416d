"""From what people type to their calendars, and what they are told when it does not work."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from bridge.errors import Blocked, Invalid, NotACalendarServer, RetryLater, SignInNeeded, Unreachable
from bridge.providers import KINDS, connect, sign_in
from bridge.providers.caldav.discovery import starts
from bridge.providers.guard import Guard
from tests.providers.answers import IS_CALENDAR, IS_FOLDER, found, multistatus
from tests.providers.conftest import CALENDAR, Connect
from tests.servers import fault
from tests.servers.dav import Server
from tests.servers.fault import FaultProxy
from tests.servers.process import free_port
from tests.servers.radicale import radicale

HTML = fault.answer(200, b"<!DOCTYPE html><html><body>Welcome</body></html>", {"Content-Type": "text/html"})


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with radicale(tmp_path_factory.mktemp("radicale")) as server:
        server.make_calendar("work", title="Arbeit")
        yield server


@pytest.mark.parametrize(
    "typed", ["{place}", "http://{place}", "http://{place}/anna/", "http://{place}/anna/work/"]
)
def test_a_host_a_principal_and_a_calendar_all_lead_home(real: Server, typed: str):
    place = real.host_and_port
    signed = sign_in("caldav", typed.format(place=place), real.user, real.password, {place})
    assert signed.home_url == f"http://{place}/anna/"
    assert [calendar.name for calendar in signed.calendars] == ["Arbeit"]
    assert signed.profile["auth"] == "basic"
    assert signed.label == "anna at 127.0.0.1"


def test_a_wrong_password_is_said_so_without_showing_it(real: Server):
    with pytest.raises(SignInNeeded, match="password") as caught:
        sign_in("caldav", real.url, real.user, "falsches-geheimnis", {real.host_and_port})
    assert "falsches" not in str(caught.value)


def test_digest_sign_in_is_found_out_and_remembered(real: Server):
    with FaultProxy(real.url, digest=(real.user, real.password)) as gate:
        signed = sign_in("caldav", gate.url, real.user, real.password, {gate.host_and_port})
        assert signed.profile["auth"] == "digest"
        assert len(signed.calendars) == 1
        gate.heal()
        with pytest.raises(SignInNeeded):
            sign_in("caldav", gate.url, real.user, "falsch", {gate.host_and_port})
        # over plain http the password itself was never sent
        assert not any("Basic" in seen.headers.get("Authorization", "") for seen in gate.log)


def test_a_server_that_changed_its_sign_in_is_asked_anew(real: Server):
    with FaultProxy(real.url) as gate:
        account = SimpleNamespace(provider="caldav", url=gate.url + "anna/", username=real.user)
        profile = {"auth": "digest"}
        provider = connect(account, real.password, allow_hosts={gate.host_and_port}, profile=profile)
        assert len(provider.calendars()) == 1
        assert provider.profile["auth"] == "basic"  # type: ignore[attr-defined]


def test_a_web_page_is_no_calendar_server(server: FaultProxy):
    for method in ("PROPFIND", "GET", "REPORT"):
        server.fault(method, HTML, times=9)
    with pytest.raises(NotACalendarServer, match="web page"):
        sign_in("caldav", server.url, "anna", "geheim", {server.host_and_port})


@pytest.mark.parametrize("code", [404, 405, 501])
def test_a_server_of_another_kind_is_none_either(server: FaultProxy, code: int):
    server.fault("PROPFIND", fault.answer(code), times=9)
    with pytest.raises(NotACalendarServer):
        sign_in("caldav", server.url, "anna", "geheim", {server.host_and_port})


def test_a_web_page_at_well_known_does_not_hide_the_server(server: FaultProxy):
    """SOGo answers the well-known address with a page."""
    server.fault("PROPFIND", HTML, path="well-known")
    server.fault(
        "PROPFIND",
        multistatus(
            found("/", IS_FOLDER, "<d:current-user-principal><d:href>/p/</d:href></d:current-user-principal>")
        ),
        path="^/$",
    )
    home = "<c:calendar-home-set><d:href>/home/anna</d:href></c:calendar-home-set>"
    server.fault("PROPFIND", multistatus(found("/p/", home)), path="^/p/$")
    server.fault("PROPFIND", multistatus(found(CALENDAR, IS_CALENDAR)), path="^/home/anna/$")
    signed = sign_in("caldav", server.host_and_port, "anna", "geheim", {server.host_and_port})
    assert signed.home_url == server.url + "home/anna/"
    assert [calendar.id for calendar in signed.calendars] == [CALENDAR]


def test_a_server_that_greets_strangers_is_signed_in_to_unasked(server: FaultProxy):
    stranger = "<d:current-user-principal><d:unauthenticated/></d:current-user-principal>"
    known = "<c:calendar-home-set><d:href>/home/anna/</d:href></c:calendar-home-set>"

    def root(seen: fault.Seen, forward: fault.Forward) -> fault.Reply | None:
        signed = seen.headers.get("Authorization", "").startswith("Basic ")
        return multistatus(found("/", IS_FOLDER, known if signed else stranger))(seen, forward)

    server.fault("PROPFIND", fault.answer(404), path="well-known")
    server.fault("PROPFIND", root, path="^/$", times=9)
    server.fault("PROPFIND", multistatus(found(CALENDAR, IS_CALENDAR)), path="^/home/anna/$")
    signed = sign_in("caldav", server.host_and_port, "anna", "geheim", {server.host_and_port})
    assert signed.home_url == server.url + "home/anna/"


def test_one_calendar_without_a_home_is_a_home_of_one(server: FaultProxy):
    server.fault("PROPFIND", multistatus(found(CALENDAR, IS_CALENDAR)), path=CALENDAR, times=9)
    signed = sign_in("caldav", server.url.rstrip("/") + CALENDAR, "anna", "geheim", {server.host_and_port})
    assert [calendar.id for calendar in signed.calendars] == [CALENDAR]
    assert signed.profile["single"]
    assert {seen.headers["Depth"] for seen in server.log} == {"0"}


def test_a_home_in_another_house_is_named_and_gets_no_password(server: FaultProxy):
    with FaultProxy("http://127.0.0.1:1/") as other:
        away = f"<c:calendar-home-set><d:href>{other.url}home/</d:href></c:calendar-home-set>"
        server.fault("PROPFIND", multistatus(found("/", IS_FOLDER, away)), path="^/$", times=9)
        server.fault("PROPFIND", fault.answer(404), path="well-known")
        with pytest.raises(Blocked) as caught:
            sign_in("caldav", server.url, "anna", "geheim", {server.host_and_port, other.host_and_port})
        assert f"{other.url}home/" in str(caught.value)
        assert other.log == []


def test_a_redirect_to_another_house_is_named_and_gets_no_password(server: FaultProxy):
    with FaultProxy("http://127.0.0.1:1/") as other:
        server.fault("PROPFIND", fault.answer(301, headers={"Location": other.url + "dav/"}), times=9)
        other.fault("PROPFIND", fault.answer(401, headers={"WWW-Authenticate": "Basic"}), times=99)
        with pytest.raises(Blocked) as caught:
            sign_in("caldav", server.url, "anna", "geheim", {server.host_and_port, other.host_and_port})
        assert other.url + "dav/" in str(caught.value)
        assert not any("Authorization" in seen.headers for seen in other.log)


def test_who_answers_from_another_house_is_not_believed_and_gets_no_password(server: FaultProxy):
    """It greets everybody, and asks for the password only where its own addresses are followed."""
    with FaultProxy("http://127.0.0.1:1/") as other:
        server.fault("PROPFIND", fault.answer(301, headers={"Location": other.url + "dav/"}), times=99)
        principal = "<d:current-user-principal><d:href>/p/</d:href></d:current-user-principal>"
        other.fault("PROPFIND", multistatus(found("/dav/", IS_FOLDER, principal)), path="dav", times=99)
        other.fault("PROPFIND", fault.answer(401, headers={"WWW-Authenticate": "Basic"}), times=99)
        with pytest.raises(Blocked) as caught:
            sign_in("caldav", server.url, "anna", "geheim", {server.host_and_port, other.host_and_port})
        assert other.url + "dav/" in str(caught.value)
        assert not any("Authorization" in seen.headers for seen in other.log)


def test_what_another_house_says_is_in_a_calendar_is_not_believed(server: FaultProxy, connected: Connect):
    with FaultProxy("http://127.0.0.1:1/") as other:
        server.fault("REPORT", fault.answer(307, headers={"Location": other.url}), times=9)
        server.fault("PROPFIND", fault.answer(307, headers={"Location": other.url}), times=9)
        for method in ("REPORT", "PROPFIND"):
            other.fault(method, multistatus(token="7"), times=9)
        with pytest.raises(Blocked):
            connected(auth="basic", also=other).changes(CALENDAR, None)
        assert not any("Authorization" in seen.headers for seen in other.log)


def test_a_server_in_trouble_is_tried_later(server: FaultProxy):
    server.fault("PROPFIND", fault.answer(503), times=9)
    with pytest.raises(RetryLater):
        sign_in("caldav", server.url, "anna", "geheim", {server.host_and_port})


def test_nobody_there_is_unreachable():
    place = f"127.0.0.1:{free_port()}"
    with pytest.raises(Unreachable, match="does not answer"):
        sign_in("caldav", place, "anna", "geheim", {place})


def test_a_private_address_is_refused_before_anything_is_sent(server: FaultProxy):
    for typed in (server.host_and_port, f"https://{server.host_and_port}/", server.url):
        with pytest.raises(Blocked):
            sign_in("caldav", typed, "anna", "geheim")
    assert server.log == []


@pytest.mark.parametrize("typed", ["", "   "])
def test_an_address_is_asked_for_where_there_is_none(typed: str):
    with pytest.raises(Invalid, match="address"):
        sign_in("caldav", typed, "anna", "geheim")


def test_an_unknown_provider_is_told_the_known_ones():
    with pytest.raises(Invalid, match="icloud"):
        sign_in("hotmale", "", "anna", "geheim")


def test_every_kind_can_be_signed_in_to():
    for kind in KINDS.values():
        assert kind.label
        assert not kind.start or starts(kind.start, Guard()) == [kind.start]


def test_plain_http_is_tried_only_where_it_is_allowed():
    assert starts("calendar.example.com", Guard()) == ["https://calendar.example.com"]
    assert starts("anna@example.com", Guard()) == ["https://example.com"]
    allowed = Guard({"nas.local"})
    assert starts("nas.local", allowed) == ["https://nas.local", "http://nas.local"]
    assert starts("caldavs://nas.local/dav/", allowed) == ["https://nas.local/dav/"]


def test_nothing_secret_is_logged(real: Server, caplog: pytest.LogCaptureFixture):
    with caplog.at_level(logging.DEBUG):
        sign_in("caldav", real.url, real.user, real.password, {real.host_and_port})
    assert real.password not in caplog.text
    assert "Authorization" not in caplog.text
