"""The story the product is for, on real servers and with real clients."""

from __future__ import annotations

import re
from collections.abc import Callable

from tests.journeys.installation import EMAIL, Installation
from tests.journeys.phones import Phone
from tests.servers.dav import Server

DENTIST = "\r\n".join(
    [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//somebody//EN",
        "BEGIN:VEVENT",
        "UID:dentist@private",
        "DTSTAMP:20261101T080000Z",
        "DTSTART:20261206T100000Z",
        "DTEND:20261206T110000Z",
        "SUMMARY:Dentist",
        "END:VEVENT",
        "END:VCALENDAR",
        "",
    ]
)


def summary(text: str) -> str:
    return re.search(r"(?m)^SUMMARY:(.*?)\r?$", text)[1]  # type: ignore[index]


def test_bookings_and_private_events_live_in_both_worlds(
    anna: Installation, provider: Server, pick_up: Callable[[Installation, str], Phone]
) -> None:
    work = provider.make_calendar("work", title="Work")
    private = provider.make_calendar("private", title="Private")
    uid = anna.book("Smith wedding", "2026-12-05T14:00", 90, place="Town hall", notes="Bring the flash")
    account = anna.connect(provider)
    anna.select(account, read=(work, private), write=work)
    anna.sync()

    # a booking made on the command line is, once, in the provider's calendar
    there = work.by_uid(uid)
    assert there is not None
    assert summary(there) == "Smith wedding"
    assert len(work.list()) == 1

    with anna.serving() as origin:
        phone = pick_up(anna, origin)
        here = phone.objects("bookings")
        assert list(here) == [uid]
        assert "DTSTART;TZID=Europe/Berlin:20261205T140000" in here[uid]
        assert "LOCATION:Town hall" in here[uid]

        # moved on the phone, it has moved at the provider
        phone.edit("bookings", uid, lambda text: text.replace("20261205T1", "20261207T1"))
        anna.sync()
        assert "DTSTART;TZID=Europe/Berlin:20261207T140000" in (work.by_uid(uid) or "")

        # retitled at the provider, it is retitled here
        name = work.name_of(uid)
        work.put(name, (work.get(name) or "").replace("Smith wedding", "Smith & Jones"), work.etag(name))
        anna.sync()
        assert summary(phone.objects("bookings")[uid]) == "Smith & Jones"

        # deleted at the provider, it is back, and the photographer is told
        work.delete(name)
        anna.sync()
        restored = work.by_uid(uid)
        assert restored is not None
        assert summary(restored) == "Smith & Jones"
        assert list(phone.objects("bookings")) == [uid]
        assert any(row["action"] == "restore" and row["uid"] == uid for row in anna.json("journal", EMAIL))

        # a private event appears in its mirror, changes there, goes there
        private.put("gym.ics", DENTIST.replace("dentist@private", "gym@private").replace("Dentist", "Gym"))
        private.put("dentist.ics", DENTIST)
        anna.sync()
        assert summary(phone.objects("private")["dentist@private"]) == "Dentist"
        private.put("dentist.ics", DENTIST.replace("Dentist", "Dentist at noon"), private.etag("dentist.ics"))
        anna.sync()
        assert summary(phone.objects("private")["dentist@private"]) == "Dentist at noon"
        private.delete("dentist.ics")
        anna.sync()
        assert list(phone.objects("private")) == ["gym@private"]

        # the calendar that is both read and written shows its own events, and no booking twice
        work.put("lunch.ics", DENTIST.replace("dentist@private", "lunch@work").replace("Dentist", "Lunch"))
        anna.sync()
        assert list(phone.objects("work")) == ["lunch@work"]
        assert list(phone.objects("bookings")) == [uid]

        # an event made on the phone is a block, and reaches the provider
        holiday = DENTIST.replace("dentist@private", "block@phone").replace("Dentist", "Holiday")
        phone.create("bookings", holiday)
        anna.sync()
        assert summary(work.by_uid("block@phone") or "") == "Holiday"
        phone.delete("bookings", "block@phone")
        anna.sync()
        assert work.by_uid("block@phone") is None

        # nothing new: nothing written, and at most two requests for the account
        rows = anna.sync()
        assert [sum(row[count] for row in rows) for count in ("pulled", "pushed", "deleted")] == [0, 0, 0]
        assert sum(row["requests"] for row in rows) <= 2
