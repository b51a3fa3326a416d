"""Google tells us: with calendars that are looked at once a day, a change there is here within seconds, as
long as the channel lives; and when we leave, it ends."""

from __future__ import annotations

from pathlib import Path

from tests.journeys.consenting import Consenting
from tests.journeys.installation import EMAIL
from tests.journeys.test_google import FAMILY, STUDIO, anna, google, house
from tests.journeys.waiting import soon
from tests.servers.emulate import Emulate
from tests.standins.google import GoogleStandIn
from tests.standins.google_hands import Hands

__all__ = ["anna", "google", "house"]


def test_a_change_is_here_within_seconds_of_googles_word(
    anna: Consenting, google: GoogleStandIn, house: Emulate, tmp_path: Path
):
    anna.settings |= {"PICSELLO_BRIDGE_PUSH": "on", "PICSELLO_BRIDGE_POLL_SECONDS": "86400"}
    family, studio = (Hands(google, google.calendars[name]) for name in (FAMILY, STUDIO))
    with anna.serving():
        added, _ = anna.consent(house, "account", "add", EMAIL, "google", as_=STUDIO)
        account = str(added["account"])
        uid = anna.book("Hochzeit Müller", "2027-05-01T14:00", 90)
        anna.run("account", "select", account, "--read", FAMILY, "--write", STUDIO, "--yes")
        soon(lambda: len(google.channels.open) == 2, "the worker asked for a channel for each calendar")

        family.create("Zahnarzt", "2027-03-01T08:00:00+01:00", "2027-03-01T09:00:00+01:00")
        soon(lambda: "Zahnarzt" in str(anna.json("journal", EMAIL)), "their event came in")
        (event,) = google.calendars[STUDIO].events.values()
        later = {"timeZone": "Europe/Berlin"}
        studio.edit(
            event["id"],
            start={"dateTime": "2027-05-01T16:00:00+02:00", **later},
            end={"dateTime": "2027-05-01T17:30:00+02:00", **later},
        )
        soon(
            lambda: (
                {row["uid"]: row["start"][:16] for row in anna.json("booking", "list", EMAIL)}
                == {uid: "2027-05-01T16:00"}
            ),
            "their move of our booking came in",
        )
        answers = google.channels.teller.answers
        assert answers.count(204) >= 2
        assert len(answers) - answers.count(204) <= 2, "only the first word of a channel may be too early"

        anna.run("account", "remove", account, "--pushed", "remove-all")
        assert google.channels.open == {}
        assert studio.list() == {}


def test_a_channel_that_died_without_a_word_costs_a_poll_and_no_event(
    anna: Consenting, google: GoogleStandIn, house: Emulate
):
    anna.settings |= {"PICSELLO_BRIDGE_PUSH": "on", "PICSELLO_BRIDGE_POLL_SECONDS": "10"}
    family = Hands(google, google.calendars[FAMILY])
    with anna.serving():
        added, _ = anna.consent(house, "account", "add", EMAIL, "google", as_=STUDIO)
        anna.run("account", "select", str(added["account"]), "--read", FAMILY, "--yes")
        soon(lambda: len(google.channels.open) == 1, "the worker asked for a channel")
        google.channels.open.clear()
        family.create("Zahnarzt", "2027-03-01T08:00:00+01:00", "2027-03-01T09:00:00+01:00")
        soon(lambda: "Zahnarzt" in str(anna.json("journal", EMAIL)), "their event came in")
