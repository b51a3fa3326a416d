"""A published calendar from the command line: added, read, closed to writing, and safe on bad days."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cli.conftest import Call
from tests.contracts.samples import event
from tests.servers.feed import Published, Publisher


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Publisher]:
    with Publisher() as publisher:
        monkeypatch.setenv("PICSELLO_BRIDGE_ALLOW_HOSTS", publisher.host_and_port)
        yield publisher


@pytest.fixture
def work(site: Publisher) -> Published:
    made = site.publish("private-3f2a", title="Work")
    for number in range(8):
        made.put(f"{number}", event(f"e{number}", f"Event {number}"))
    return made


@pytest.fixture
def account(call: Call, anna: str, site: Publisher, work: Published) -> str:
    answer = call("account", "add", anna, "ics", "--url", f"{site.url}private-3f2a.ics", "--json")
    assert answer.code == 0, answer.err
    return str(answer.json["account"])


def test_its_events_arrive_and_follow(call: Call, account: str, work: Published):
    assert call("account", "select", account, "--read", "feed", "--yes").code == 0
    (row,) = [row for row in call("sync", "--json").json["links"] if row["link"]]
    assert (row["pulled"], row["errors"]) == (8, [])
    work.put("1", event("e1", "Moved"))
    work.delete("2")
    (row,) = [row for row in call("sync", "--json").json["links"] if row["link"]]
    assert (row["pulled"], row["deleted"], row["requests"]) == (1, 1, 1)
    (row,) = [row for row in call("sync", "--json").json["links"] if row["link"]]
    assert (row["pulled"], row["deleted"], row["requests"]) == (0, 0, 1)


def test_its_address_is_a_secret_and_shown_nowhere(call: Call, account: str):
    shown = call("account", "list", "--json")
    assert "private" not in shown.out
    assert shown.json[0]["label"] == "Work at 127.0.0.1"
    assert "private" not in call("account", "calendars", account, "--json").out


def test_bookings_cannot_go_there(call: Call, account: str):
    assert "read-only" in call("account", "select", account, "--write", "feed", "--yes").refusal


@pytest.mark.parametrize(
    "body", ["<html>Please sign in</html>", event("e1")[:120]], ids=["web page", "cut off"]
)
def test_a_bad_day_deletes_nothing(call: Call, account: str, work: Published, body: str):
    call("account", "select", account, "--read", "feed", "--yes")
    assert call("sync").code == 0
    work.serve(200, body)
    bad = call("sync", "--json")
    assert bad.code == 1
    (row,) = [row for row in bad.json["links"] if row["link"]]
    assert (row["deleted"], len(row["errors"])) == (0, 1)
    work.instead = None
    (row,) = [row for row in call("sync", "--json").json["links"] if row["link"]]
    assert (row["pulled"], row["deleted"], row["held"]) == (0, 0, [])


def test_a_calendar_that_is_suddenly_empty_waits_for_a_word(call: Call, account: str, work: Published):
    call("account", "select", account, "--read", "feed", "--yes")
    assert call("sync").code == 0
    work.parts.clear()
    (row,) = [row for row in call("sync", "--json").json["links"] if row["link"]]
    assert row["held"]
    assert row["deleted"] in (0, 8)  # the plan's count; nothing was deleted
    assert call("sync", "--confirm").code == 0


def test_a_new_address_for_one_that_died_goes_on_without_a_double(
    call: Call, account: str, site: Publisher, work: Published
):
    call("account", "select", account, "--read", "feed", "--yes")
    assert call("sync").code == 0
    site.calendars["private-new"] = site.calendars.pop("private-3f2a")
    assert call("sync").code == 1
    renewed = call("account", "sign-in", account, "--password-stdin", stdin=f"{site.url}private-new.ics\n")
    assert renewed.code == 0, renewed.err
    (row,) = [row for row in call("sync", "--json").json["links"] if row["link"]]
    assert (row["pulled"], row["deleted"], row["errors"]) == (0, 0, [])
