"""Goodbye by command, with what is kept and what is taken back: Google, and a CalDAV server whose password
changed on the way."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bridge.config import Settings
from bridge.store import accounts
from bridge.wiring import Bridge
from tests.journeys.consenting import Consenting
from tests.journeys.installation import EMAIL, Installation
from tests.journeys.test_google import STUDIO, anna, google, house
from tests.servers.emulate import Emulate
from tests.servers.radicale import radicale
from tests.standins.google import GoogleStandIn
from tests.standins.google_hands import Hands

__all__ = ["anna", "google", "house"]

LEFT = {
    "keep": ["Next week", "Past", "Theirs"],
    "remove-future": ["Past", "Theirs"],
    "remove-all": ["Theirs"],
}


def day(days: int) -> str:
    return f"{datetime.now(UTC) + timedelta(days=days):%Y-%m-%d}T10:00"


def test_google_keeps_exactly_what_was_said_and_takes_its_token_back(
    anna: Consenting, google: GoogleStandIn, house: Emulate
):
    anna.book("Next week", day(7))
    anna.book("Past", day(-7))
    with anna.serving():
        for pushed, left in LEFT.items():
            name = f"{pushed}@group.calendar.example.com"
            made = google.make_calendar(name, summary=pushed)
            Hands(google, made).create("Theirs", f"{day(8)}:00+01:00", f"{day(8)[:-5]}11:00:00+01:00")
            added, _ = anna.consent(house, "account", "add", EMAIL, "google", as_=STUDIO)
            account = added["account"]
            anna.run("account", "select", str(account), "--write", name, "--yes")
            anna.sync()
            secret = anna.secret(account)
            anna.run("account", "remove", str(account), "--pushed", pushed)
            shown = [event["summary"] for event in made.events.values() if event["status"] != "cancelled"]
            assert sorted(shown) == left
            assert not house.refreshes(secret["refresh_token"])
            assert anna.json("account", "list", EMAIL) == []


@pytest.mark.parametrize("pushed", list(LEFT))
def test_caldav_goes_on_after_a_new_password_and_keeps_exactly_what_was_said(tmp_path: Path, pushed: str):
    with radicale(tmp_path / "provider") as server:
        work = server.make_calendar("work", title="Work")
        work.put("theirs.ics", _event("Theirs", day(8)))
        anna = Installation.of_anna(tmp_path / "data", server)
        anna.book("Next week", day(7))
        account = anna.connect(server)
        anna.select(account, write=work)
        anna.sync()

        _forget_password(anna, account)
        anna.book("Past", day(-7))
        refused = anna.try_("sync", "--json")
        assert refused.code == 1
        (row,) = anna.json("account", "list", EMAIL)
        assert row["state"] == "needs-sign-in"
        assert f"account sign-in {account}" in row["action"]
        anna.run("account", "sign-in", str(account), "--password-stdin", stdin=f"{server.password}\n")
        anna.sync()
        assert [row["account"] for row in anna.json("account", "list", EMAIL)] == [account]

        anna.run("account", "remove", str(account), "--pushed", pushed)
        texts = work.texts().values()
        assert (
            sorted(line[8:] for text in texts for line in text.splitlines() if line[:8] == "SUMMARY:")
            == (LEFT[pushed])
        )


def _forget_password(anna: Installation, account: int) -> None:
    """It was changed over there."""
    bridge = Bridge.open(Settings(data=anna.data))
    with bridge.db.writing() as tx:
        accounts.set_(tx, account, secret=bridge.vault.seal("of last year", accounts.bind(account)))
    bridge.db.close()


def _event(title: str, start: str) -> str:
    at = start.replace("-", "").replace(":", "") + "00"
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//tests//EN", "BEGIN:VEVENT", f"UID:{title}"]
    lines += ["DTSTAMP:20260101T000000Z", f"DTSTART:{at}Z", "DURATION:PT1H", f"SUMMARY:{title}"]
    return "\r\n".join([*lines, "END:VEVENT", "END:VCALENDAR", ""])
