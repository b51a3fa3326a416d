"""The whole journey with Google: sign in on its page, choose calendars, sync both ways, lose the sign-in,
sign in again, say goodbye. The sign-in is ``emulate``'s, the calendars are those of the stand-in that is held
to Google's own discovery document."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journeys.consenting import Consenting
from tests.journeys.installation import EMAIL
from tests.servers.emulate import Emulate, emulate
from tests.servers.google_client import discovery_document
from tests.standins.google import GoogleStandIn
from tests.standins.google_hands import Hands
from tests.standins.google_rights import APP_CREATED

STUDIO, FAMILY = "anna@example.com", "family@group.calendar.example.com"


@pytest.fixture
def google() -> Iterator[GoogleStandIn]:
    with GoogleStandIn(discovery_document(), email=STUDIO) as standin:
        standin.make_calendar(STUDIO, summary="Anna", primary=True)
        standin.make_calendar(FAMILY, summary="Familie")
        yield standin
        assert standin.violations == []


@pytest.fixture
def anna(tmp_path: Path, google: GoogleStandIn) -> Consenting:
    settings = {"CLIENT_ID": "client", "CLIENT_SECRET": "secret", "API_URL": google.url}
    return Consenting.of_anna_with(
        tmp_path / "data", {f"PICSELLO_BRIDGE_GOOGLE_{name}": value for name, value in settings.items()}
    )


@pytest.fixture
def house(tmp_path: Path, anna: Consenting) -> Iterator[Emulate]:
    """Google's sign-in, where Anna and Bert have accounts."""
    back = f"{anna.origin}/oauth/google/callback"
    with emulate(
        tmp_path / "emulate", "google", users=(STUDIO, "bert@example.com"), redirect_uri=back
    ) as house:
        anna.settings["PICSELLO_BRIDGE_GOOGLE_ISSUER"] = house.issuer
        yield house


def test_from_signing_in_to_saying_goodbye(anna: Consenting, google: GoogleStandIn, house: Emulate):
    studio = google.calendars[STUDIO]
    hands, family = Hands(google, studio), Hands(google, google.calendars[FAMILY])
    with anna.serving():
        added, page = anna.consent(house, "account", "add", EMAIL, "google", as_=STUDIO)
        account = added["account"]
        assert "You can close this window" in page

        offered = {row["id"]: row for row in anna.json("account", "calendars", str(account))}
        assert {id_: row["name"] for id_, row in offered.items()} == {STUDIO: "Anna", FAMILY: "Familie"}

        # bookings go out, private events come in
        made = family.create("Zahnarzt", "2027-03-01T08:00:00+01:00", "2027-03-01T09:00:00+01:00")
        uid = anna.book("Hochzeit Müller", "2027-05-01T14:00", 90)
        anna.run("account", "select", str(account), "--read", FAMILY, "--write", STUDIO, "--yes")
        anna.sync()
        (event,) = [event for event in studio.events.values() if event["status"] != "cancelled"]
        assert event["summary"] == "Hochzeit Müller"
        assert event["start"] == {"dateTime": "2027-05-01T14:00:00+02:00", "timeZone": "Europe/Berlin"}
        assert event["extendedProperties"]["private"]["X-PICSELLO-UID"] == uid
        assert google.mails == []

        # an edit at Google comes back, and what we do not know of stays
        moved = {"dateTime": "2027-05-01T16:00:00+02:00", "timeZone": "Europe/Berlin"}
        later = {"dateTime": "2027-05-01T17:30:00+02:00", "timeZone": "Europe/Berlin"}
        hands.edit(event["id"], start=moved, end=later, colorId="7")
        anna.sync()
        (booking,) = anna.json("booking", "list", EMAIL)
        assert booking["start"].startswith("2027-05-01T16:00")
        anna.run("booking", "move", EMAIL, uid, "--start", "2027-05-02T10:00")
        anna.sync()
        assert studio.events[event["id"]]["start"]["dateTime"] == "2027-05-02T10:00:00+02:00"
        assert studio.events[event["id"]]["colorId"] == "7"

        # a pass without news costs one request a calendar
        quiet = anna.sync()
        assert [row["requests"] for row in quiet] == [1, 1]

        # an access token that ran out is renewed without a word
        before = anna.secret(account)
        google.expire_tokens()
        anna.sync()
        assert anna.secret(account)["access_token"] != before["access_token"]

        # access taken back at Google: told in plain words, one action, nothing lost and nothing doubled
        house.revoke(anna.secret(account)["refresh_token"])
        google.expire_tokens()
        refused = anna.try_("sync", "--json")
        assert refused.code == 1
        assert "sign in again" in str(refused.json["links"][0]["errors"]).lower()
        (row,) = anna.json("account", "list", EMAIL)
        assert row["state"] == "needs-sign-in"
        anna.book("Porträt Schulz", "2027-06-01T10:00")

        _, page = anna.consent(house, "account", "sign-in", str(account), as_="bert@example.com")
        assert "this is the account of anna@example.com" in page
        anna.consent(house, "account", "sign-in", str(account), as_=STUDIO)
        anna.sync()
        assert [row["account"] for row in anna.json("account", "list", EMAIL)] == [account]
        assert sorted(e["summary"] for e in studio.events.values() if e["status"] != "cancelled") == [
            "Hochzeit Müller",
            "Porträt Schulz",
        ]

        # goodbye: what we put there goes, theirs stays, and our access ends
        secret = anna.secret(account)
        assert house.refreshes(secret["refresh_token"])
        anna.run("account", "remove", str(account), "--pushed", "remove-all")
        assert hands.list() == {}
        assert set(family.list()) == {made}
        assert not house.refreshes(secret["refresh_token"])


def test_a_no_on_googles_page_ends_the_waiting(anna: Consenting, house: Emulate):
    with anna.serving():
        said, page = anna.consent_refused("account", "add", EMAIL, "google")
    assert "you said no" in said
    assert "you said no" in page
    assert anna.json("account", "list", EMAIL) == []


def test_without_a_client_id_the_administrator_is_told_what_to_do(anna: Consenting):
    del anna.settings["PICSELLO_BRIDGE_GOOGLE_CLIENT_ID"]
    done = anna.try_("account", "add", EMAIL, "google")
    assert done.code == 1
    assert "PICSELLO_BRIDGE_GOOGLE_CLIENT_ID" in done.err


def test_a_calendar_for_the_bookings_is_made_by_command(
    anna: Consenting, google: GoogleStandIn, house: Emulate
):
    with anna.serving():
        added, _ = anna.consent(house, "account", "add", EMAIL, "google", as_=STUDIO)
        call = ("account", "make-calendar", str(added["account"]))

        # the box for it left empty: nothing is made, what is connected stays so
        nothing, page = anna.consent(house, *call, as_=STUDIO)
        assert nothing is None
        assert "Connected: " in page
        assert [row["state"] for row in anna.json("account", "list", EMAIL)] == ["healthy"]
        assert set(google.calendars) == {STUDIO, FAMILY}

        google.rights.consent(APP_CREATED)
        made, _ = anna.consent(house, *call, as_=STUDIO)
        assert made == {"account": added["account"], "id": made["id"], "name": "Picsello"}
        assert google.calendars[made["id"]].entry["summary"] == "Picsello"
        assert anna.json(*call) == made, "it is there: no second sign-in, and no second calendar"

        uid = anna.book("Hochzeit Müller", "2027-05-01T14:00", 90)
        anna.run("account", "select", str(added["account"]), "--write", made["id"], "--yes")
        anna.sync()
        (event,) = google.calendars[made["id"]].events.values()
        assert event["extendedProperties"]["private"]["X-PICSELLO-UID"] == uid
