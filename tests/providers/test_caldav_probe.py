"""What is found out about a server at sign-in, and how writes go where conditions are not looked at."""

from __future__ import annotations

import pytest

from bridge.errors import ObjectGone, ObjectRefused, TagMismatch
from bridge.providers import sign_in
from tests.contracts.samples import event
from tests.providers.answers import IS_CALENDAR, error, found, multistatus, xml
from tests.providers.conftest import CALENDAR, Connect
from tests.servers import fault
from tests.servers.fault import FaultProxy

HREF = f"{CALENDAR}a.ics"
HTML = fault.answer(200, b"<!doctype html>", {"Content-Type": "text/html"})


def profile(server: FaultProxy, *reports: fault.Fault, place: str = "/home/anna/") -> dict[str, object]:
    """The profile of a sign-in at a server that answers these reports."""
    home = f"<c:calendar-home-set><d:href>{place}</d:href></c:calendar-home-set>"
    server.fault("PROPFIND", multistatus(found("/", home)))
    server.fault("PROPFIND", multistatus(found(f"{place}work/", IS_CALENDAR)))
    for report in reports:
        server.fault("REPORT", report)
    return sign_in("caldav", server.url, "anna", "geheim", {server.host_and_port}).profile


def test_a_server_that_refuses_a_strange_token_is_trusted_with_its_own(server: FaultProxy):
    assert profile(server, xml(error("d:valid-sync-token"), 403)) == {}


def test_a_server_that_answers_a_strange_token_is_not(server: FaultProxy):
    assert profile(server, multistatus(token="data:,7"))["trust"] is False


def test_a_server_without_sync_collection_is_known_from_the_start(server: FaultProxy):
    assert profile(server, *[fault.answer(403)] * 4)["sync"] is False


def test_sogo_is_known_by_its_name_or_by_its_path(server: FaultProxy):
    named = fault.answer(400, headers={"Server": "SOPE 4.9.37/WebDAV"})
    by_name = profile(server, named, named)
    server.heal()
    by_path = profile(server, fault.answer(400), fault.answer(400), place="/SOGo/dav/anna/Calendar/")
    for learnt in (by_name, by_path):
        assert (learnt["conditional"], learnt["trust"], learnt["raw"]) == (False, False, True)


def test_a_probe_that_fails_costs_no_sign_in(server: FaultProxy):
    assert profile(server, fault.lose_request, fault.lose_request) == {}


def test_a_server_without_a_signpost_is_found_where_such_servers_are(server: FaultProxy):
    home = "<c:calendar-home-set><d:href>/remote.php/dav/calendars/anna/</d:href></c:calendar-home-set>"
    server.fault("PROPFIND", multistatus(found("/remote.php/dav/", home)), path="^/remote.php/dav/$")
    server.fault("PROPFIND", multistatus(), path="calendars/anna")
    server.fault("PROPFIND", HTML, times=9)
    signed = sign_in("caldav", server.host_and_port, "anna", "geheim", {server.host_and_port})
    assert signed.home_url == server.url + "remote.php/dav/calendars/anna/"


def there(server: FaultProxy, tag: str | None) -> None:
    """What a look at the object finds, as often as somebody looks."""
    gone = fault.answer(404)
    server.fault("GET", fault.answer(200, event("a").encode(), {"ETag": tag}) if tag else gone, times=9)


@pytest.mark.parametrize(
    ("expect", "tag", "error"),
    [(None, '"1"', TagMismatch), ('"1"', '"2"', TagMismatch), ('"1"', None, ObjectGone)],
)
def test_what_is_not_as_expected_is_not_overwritten_there(
    server: FaultProxy, connected: Connect, expect: str | None, tag: str | None, error: type[Exception]
):
    there(server, tag)
    provider = connected(conditional=False)
    with pytest.raises(error):
        provider.put(CALENDAR, HREF, event("a"), expect)
    if expect is not None:
        with pytest.raises(error):
            provider.delete(CALENDAR, HREF, expect)
    assert "PUT" not in server.methods() and "DELETE" not in server.methods()


def test_what_is_as_expected_is_written(server: FaultProxy, connected: Connect):
    there(server, '"1"')
    server.fault("PUT", fault.answer(204, headers={"ETag": '"2"'}))
    assert connected(conditional=False).put(CALENDAR, HREF, event("a"), '"1"').tag == '"2"'


@pytest.mark.parametrize(("expect", "tag"), [(None, None), ('"1"', '"1"')])
def test_a_412_about_the_entry_itself_is_no_conflict(
    server: FaultProxy, connected: Connect, expect: str | None, tag: str | None
):
    """DAViCal says 412 to what it can't read."""
    there(server, tag)
    server.fault("PUT", fault.answer(412), times=9)
    with pytest.raises(ObjectRefused):
        connected().put(CALENDAR, HREF, "no calendar", expect)


def test_hrefs_that_are_not_encoded_become_addresses(server: FaultProxy, connected: Connect):
    listing = multistatus(
        found(f"{CALENDAR}100% Jörg+a.ics", "<d:getetag>&quot;1&quot;</d:getetag>"), token="7"
    )
    server.fault("REPORT", listing)
    (entry,) = connected(raw=True).changes(CALENDAR, None).entries
    assert entry.href == f"{CALENDAR}100%25%20J%C3%B6rg%2Ba.ics"
