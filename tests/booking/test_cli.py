"""``event`` and ``availability`` as people type them."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from bridge.config import Settings
from bridge.service import booking_events, client_booking
from bridge.service.client_booking import Taken
from bridge.service.clients import Client
from bridge.wiring import Bridge
from tests.cli.conftest import Call

EMAIL = "anna@studio.example"
ADD = ("event", "add", EMAIL, "Spring minis", "--length", "30")


@pytest.fixture
def anna(call: Call) -> None:
    assert call("user", "add", EMAIL, "--time-zone", "Europe/Berlin", "--studio", "anna").code == 0


@pytest.mark.usefixtures("anna")
def test_a_booking_page_from_its_making_to_the_archive(call: Call) -> None:
    when = ("--date", "2027-05-08", "2027-05-09", "--block", "09:00-13:00", "15:00-17:00", "--gap", "15")
    made = call(*ADD, *when, "--json").json
    assert made["url"].endswith("/book/anna/spring-minis") and set(made) == {"event", "url"}
    (row,) = call("event", "list", EMAIL, "--json").json
    assert (row["event"], row["name"], row["status"]) == (made["event"], "Spring minis", "active")
    assert (row["dates"], row["length"], row["gap"]) == (["2027-05-08", "2027-05-09"], 30, 15)
    for name, status in (("disable", "disabled"), ("enable", "active"), ("archive", "archived")):
        assert call("event", name, str(made["event"]), "--json").json["status"] == status
        assert call("event", "list", EMAIL, "--json").json[0]["status"] == status
    assert "archived" in call("event", "enable", str(made["event"])).refusal
    assert "no booking event" in call("event", "disable", "99").refusal


@pytest.mark.usefixtures("anna")
@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("--date", "2027-02-30", "--block", "09:00-13:00"), "no date"),
        (("--date", "2027-05-08", "--block", "9-13"), "no block"),
        (("--date", "2027-05-08", "--block", "13:00-09:00"), "ends before"),
        (("--date", "2027-05-08", "--block", "09:00-09:20"), "does not fit"),
        (("--date", "2027-05-08", "--block", "09:00-11:00", "10:00-12:00"), "overlap"),
        (("--date", "2027-05-08"), "at least one block"),
        (("--block", "09:00-11:00"), "needs a date"),
        (("--date", "2027-05-08", "--block", "09:00-11:00", "--gap", "-5"), "0 to 720"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_sentence(
    call: Call, arguments: tuple[str, ...], word: str
) -> None:
    assert word in call(*ADD, *arguments).refusal


@pytest.mark.usefixtures("anna")
def test_a_page_that_repeats(call: Call) -> None:
    weekly = ("--date", "2027-05-08", "--block", "09:00-13:00", "--repeat", "week", "--on", "sat", "sun")
    assert call(*ADD, *weekly, "--times", "3").code == 0
    (row,) = call("event", "list", EMAIL, "--json").json
    assert row["dates"] == ["2027-05-08", "2027-05-09", "2027-05-15"]
    assert "when it ends" in call(*ADD, *weekly).refusal
    assert "weekday" in call(*ADD, *weekly, "moonday", "--times", "3").refusal


@pytest.mark.usefixtures("anna")
def test_hiding_a_slot_and_confirming_a_hold(call: Call, data: Path) -> None:
    when = ("--date", "2127-05-10", "--block", "09:00-10:00", "--hold", "20")
    number = call(*ADD, *when, "--json").json["event"]
    bridge = Bridge.open(Settings(data=data))
    with bridge.db.reading() as tx:
        event, user = booking_events.at(tx, "anna", "spring-minis")
    start = int(datetime.fromisoformat("2127-05-10T09:30+02:00").timestamp())
    assert call("event", "hide", str(number), "2127-05-10T09:30").code == 0
    mary = Client("Mary", "mary@client.example", "+1 2")
    with pytest.raises(Taken):
        client_booking.take(bridge, event, user, start, mary)
    assert call("event", "open", str(number), "2127-05-10T09:30").code == 0
    assert "begins at" in call("event", "hide", str(number), "2127-05-10T09:40").refusal
    client_booking.take(bridge, event, user, start, mary)
    bridge.db.close()
    (row,) = call("event", "bookings", EMAIL, "--json").json
    assert (row["name"], row["status"], row["start"]) == ("Mary", "held", "2127-05-10T09:30:00+02:00")
    assert call("event", "confirm", str(row["booking"]), "--json").json["status"] == "confirmed"
    assert call("booking", "list", EMAIL, "--json").json[0]["status"] == "confirmed"


@pytest.mark.usefixtures("anna")
def test_a_reservation_from_its_making_to_its_end(call: Call) -> None:
    when = ("--date", "2127-05-10", "--block", "09:00-10:30")
    number = str(call(*ADD, *when, "--json").json["event"])
    mary = ("--name", "Mary", "--email", "mary@client.example")

    def day() -> list[tuple[str, str, str]]:
        rows = call("event", "day", number, "2127-05-10", "--json").json
        return [(row["start"][11:16], row["state"], row["name"]) for row in rows]

    assert day() == [("09:00", "open", ""), ("09:30", "open", ""), ("10:00", "open", "")]
    made = call("event", "reserve", number, "2127-05-10T09:00", *mary, "--json").json
    assert made["status"] == "reserved" and set(made) == {"booking", "uid", "status"}
    assert "taken" in call("event", "reserve", number, "2127-05-10T09:00", "--name", "Joe").refusal
    assert "No session is offered" in call("event", "reserve", number, "2127-05-10T09:10", *mary).refusal
    booking = str(made["booking"])
    moved = call("event", "move", booking, "2127-05-10T10:00", "--json").json
    assert moved == {"booking": made["booking"], "status": "reserved", "start": "2127-05-10T10:00:00+02:00"}
    assert day() == [("09:00", "open", ""), ("09:30", "open", ""), ("10:00", "reserved", "Mary")]
    block = ("--title", "Dentist", "--start", "2127-05-10T09:00", "--duration", "20")
    assert call("booking", "add", EMAIL, *block).code == 0
    reasons = call("event", "day", number, "2127-05-10", "--json").json[0]["reasons"]
    assert reasons == ["This time is taken. Dentist"]
    assert "taken" in call("event", "move", booking, "2127-05-10T09:00").refusal
    assert call("event", "confirm", booking, "--json").json["status"] == "confirmed"
    assert call("event", "cancel", booking, "--json").json["status"] == "cancelled"
    assert ("10:00", "open", "") in day()
    assert "off already" in call("event", "move", booking, "2127-05-10T10:00").refusal
    assert call("event", "cancel", "99").refusal
    assert "no date" in call("event", "day", number, "soon").refusal


@pytest.mark.usefixtures("anna")
def test_a_copy_of_a_booking_page_offers_nothing_until_it_is_enabled(call: Call) -> None:
    made = call(*ADD, "--date", "2127-05-10", "--block", "09:00-10:00", "--json").json
    copy = call("event", "duplicate", str(made["event"]), "--json").json
    assert (copy["status"], copy["url"]) == ("disabled", made["url"] + "-2")
    first, second = call("event", "list", EMAIL, "--json").json
    assert {**first, "event": 0, "url": "", "status": ""} == {**second, "event": 0, "url": "", "status": ""}
    assert call("event", "enable", str(copy["event"]), "--json").json["status"] == "active"
    assert "no booking event" in call("event", "duplicate", "99").refusal


@pytest.mark.usefixtures("anna")
def test_opening_hours_and_days_off(call: Call) -> None:
    hours = ("mon=09:00-12:00", "mon=13:00-17:00", "sat=10:00-14:00")
    closed = ("2027-12-24..2027-12-31", "2027-05-01")
    saved = call("availability", "set", EMAIL, "--hours", *hours, "--closed", *closed, "--tentative", "free")
    assert saved.code == 0
    around = ("--private", "15,30", "--buffer", "Wedding=60,120")
    assert call("availability", "set", EMAIL, *around).code == 0
    assert "before and after" in call("availability", "set", EMAIL, "--private", "half an hour").refusal
    assert call("availability", "show", EMAIL, "--json").json == {
        "hours": list(hours),
        "closed": list(closed),
        "tentative": ["free"],
        "private": ["15,30"],
        "buffers": ["wedding=60,120"],
    }
    assert "weekday" in call("availability", "set", EMAIL, "--hours", "moon=09:00-12:00").refusal
    assert call("availability", "set", EMAIL, "--always-open").code == 0
    assert call("availability", "show", EMAIL, "--json").json["hours"] == []
