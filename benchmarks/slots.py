"""A month of slots, beside what a naive expansion of every event takes.

``python benchmarks/slots.py [EVENTS ...]``: each EVENTS is a store of that many events, a third of them
bookings, the rest in a linked calendar, every seventy-fifth repeating; spread over four years, so that the
month itself holds more as the store grows. Prints medians in milliseconds, of a month that changed since it
was last looked at (every event is asked for) and of one that did not. The naive way reads every text with
icalendar and expands it with recurring-ical-events, once: it takes long.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

from bridge.config import Settings
from bridge.ical import build
from bridge.service import booking_events, booking_plans, client_booking, openings, people
from bridge.store import accounts, busy, calendars, links, objects
from bridge.store import people as people_rows
from bridge.store.booking_events import EventRow
from bridge.store.people import UserRow
from bridge.wiring import Bridge

NOW = datetime(2027, 5, 1, 9, 0, tzinfo=UTC)
MONTH = datetime(2027, 6, 1, tzinfo=UTC), datetime(2027, 7, 1, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
ROUNDS = 31
REPEATS_EVERY = 75


class Standing:
    """A clock that does not move."""

    def now(self) -> datetime:
        return NOW


def studio(folder: Path, events: int) -> tuple[Bridge, EventRow, UserRow]:
    """A store with so many events, and a booking page open every day from nine to five."""
    bridge = Bridge.open(Settings(data=folder), Standing())
    people.add_user(bridge, "anna@studio.example", time_zone=BERLIN.key)
    with bridge.db.writing() as tx:
        anna = people_rows.user_by_email(tx, "anna@studio.example")
        account = accounts.create(tx, anna.id, "icloud", label="iCloud", now=NOW)
        link = links.create(tx, account, "/family/", name="Family", color=None, writable=True, now=NOW)
        mirror = calendars.create(tx, anna.id, "family", kind="mirror", title="Family", now=NOW)
        links.set_(tx, link, reads=True, released=True, state="healthy", agreed_at=NOW, mirror_id=mirror)
        openings.set_opening(
            tx, anna, hours=[f"{day}=09:00-17:00" for day in booking_plans.WEEKDAYS], closed=[]
        )
        event = booking_events.add(tx, anna, booking_plans.Plan("Minis", 30, gap=15), NOW)
        bookings = calendars.bookings(tx, anna.id).id
    dice = Random(events)  # noqa: S311 - no secret
    first = NOW - timedelta(days=730)
    for portion in range(0, events, 2000):
        with bridge.db.writing() as tx:
            for number in range(portion, min(portion + 2000, events)):
                own = number % 3 == 0
                starts = (first + timedelta(minutes=15 * dice.randrange(4 * 24 * 1460))).astimezone(BERLIN)
                text = build.booking_text(
                    f"event-{number}",
                    "An event",
                    starts,
                    duration=timedelta(minutes=dice.choice([30, 60, 120])),
                    zone=BERLIN,
                    now=NOW,
                )
                if not own and number % REPEATS_EVERY == 1:
                    text = text.replace("SUMMARY:", "RRULE:FREQ=WEEKLY;COUNT=100\r\nSUMMARY:")
                where, kind = (bookings, "booking") if own else (mirror, None)
                href = f"event-{number}.ics"
                objects.put(tx, where, href, text, kind=kind, actor="bench", now=NOW, journal=False)
    return bridge, event, anna


def median(call: Callable[[], object], rounds: int = ROUNDS) -> float:
    """Milliseconds."""
    call()
    taken = []
    for _ in range(rounds):
        started = time.perf_counter()
        call()
        taken.append(1000 * (time.perf_counter() - started))
    return statistics.median(taken)


def naive(bridge: Bridge, user: UserRow) -> float:
    """Milliseconds to read and expand every event, once."""
    import icalendar
    import recurring_ical_events

    with bridge.db.reading() as tx:
        texts = [
            stored.text
            for calendar in calendars.of_user(tx, user.id)
            for stored in objects.all_objects(tx, calendar.id)
        ]
    started = time.perf_counter()
    for text in texts:
        recurring_ical_events.of(icalendar.Calendar.from_ical(text)).between(*MONTH)
    return 1000 * (time.perf_counter() - started)


def main() -> None:
    """Measure each size; the naive way at 15,000 alone."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("events", nargs="*", type=int, default=[500, 15_000, 50_000])
    arguments.add_argument("--no-naive", action="store_true")
    options = arguments.parse_args()
    first, last = (int(moment.timestamp()) for moment in MONTH)
    print("events\tslots\tfree\tchanged (ms)\tunchanged (ms)\tnaive (ms)\tratio")
    for events in options.events:
        with tempfile.TemporaryDirectory() as folder:
            bridge, event, user = studio(Path(folder), events)
            found = client_booking.slots(bridge, event, user, first, last)

            def again(bridge: Bridge = bridge, event: EventRow = event, user: UserRow = user) -> object:
                return client_booking.slots(bridge, event, user, first, last)

            def anew(again: Callable[[], object] = again) -> object:
                busy.forget()
                return again()

            ours, known = median(anew), median(again)
            line = f"{events}\t{len(found)}\t{sum(slot.free for slot in found)}\t{ours:.1f}\t{known:.1f}"
            if events == 15_000 and not options.no_naive:
                other = naive(bridge, user)
                line += f"\t{other:.0f}\t{ours / other:.5f}"
            print(line, flush=True)
            bridge.db.close()


if __name__ == "__main__":
    sys.exit(main())
