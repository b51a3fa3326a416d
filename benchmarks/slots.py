"""A month of slots, beside what a naive expansion of every event takes.

``python -m benchmarks.slots [EVENTS ...]``: each EVENTS is a store of that many events, a third of them
bookings, the rest in a linked calendar, every seventy-fifth repeating a hundred weeks. ``spread`` lays them
over four years, so that the month itself holds more as the store grows; ``around`` keeps the same 250 of
them, five of those repeating, in the month's own quarter, and lays the rest over the years before and after,
which tells what the size of the calendar alone costs. Prints medians in milliseconds: of a month that changed
since it was last looked at (every event is asked for), of one that did not, and of the page's own answer to
a changed month. The naive way reads every text with icalendar and expands it with recurring-ical-events,
once: it takes long.
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
from bridge.slots.offer import Slot
from bridge.store import accounts, busy, calendars, links, objects
from bridge.store import people as people_rows
from bridge.store.booking_events import EventRow
from bridge.store.people import UserRow
from bridge.web import make_app
from bridge.wiring import Bridge

NOW = datetime(2027, 5, 1, 9, 0, tzinfo=UTC)
MONTH = datetime(2027, 6, 1, tzinfo=UTC), datetime(2027, 7, 1, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
ROUNDS = 31
IN_QUARTER = 250
REPEATS_EVERY = 75


class Standing:
    """A clock that does not move."""

    def now(self) -> datetime:
        return NOW


def studio(folder: Path, events: int, *, around: bool = False) -> tuple[Bridge, EventRow, UserRow]:
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
    for portion in range(0, events, 2000):
        with bridge.db.writing() as tx:
            for number in range(portion, min(portion + 2000, events)):
                own, repeats = number % 3 == 0, number % 3 and number % REPEATS_EVERY == 1
                starts = _start(dice, number, bool(repeats), around=around).astimezone(BERLIN)
                text = build.booking_text(
                    f"event-{number}",
                    "An event",
                    starts,
                    duration=timedelta(minutes=dice.choice([30, 60, 120])),
                    zone=BERLIN,
                    now=NOW,
                )
                if repeats:
                    text = text.replace("SUMMARY:", "RRULE:FREQ=WEEKLY;COUNT=100\r\nSUMMARY:")
                where, kind = (bookings, "booking") if own else (mirror, None)
                href = f"event-{number}.ics"
                objects.put(tx, where, href, text, kind=kind, actor="bench", now=NOW, journal=False)
    return bridge, event, anna


def _start(dice: Random, number: int, repeats: bool, *, around: bool) -> datetime:
    """When an event begins."""
    if not around:
        first, days = NOW - timedelta(days=730), 1460
    elif number < IN_QUARTER:
        first, days = MONTH[0] - timedelta(days=30), 90
    elif dice.random() < 0.5:  # a series has to be over by then
        first, days = MONTH[0] - timedelta(days=760 if repeats else 395), 30 if repeats else 365
    else:
        first, days = MONTH[0] + timedelta(days=60), 365
    return first + timedelta(minutes=15 * dice.randrange(4 * 24 * days))


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


def measured(events: int, *, around: bool, with_naive: bool) -> str:
    """One line of figures."""
    first, last = (int(moment.timestamp()) for moment in MONTH)
    with tempfile.TemporaryDirectory() as folder:
        bridge, event, user = studio(Path(folder), events, around=around)
        browser = make_app(bridge).test_client()
        address = f"/book/{event.studio}/{event.slug}/slots?from={MONTH[0]:%Y-%m-%d}&to={MONTH[1]:%Y-%m-%d}"

        def known() -> list[Slot]:
            return client_booking.slots(bridge, event, user, first, last)

        def changed() -> list[Slot]:
            busy.forget()
            return known()

        def page() -> None:
            busy.forget()
            answer = browser.get(address)
            assert answer.status_code == 200, answer.text

        found, ours = known(), median(changed)
        how = "around" if around else "spread"
        line = f"{events}\t{how}\t{len(found)}\t{sum(slot.free for slot in found)}"
        line += f"\t{ours:.1f}\t{median(known):.1f}\t{median(page):.1f}"
        if with_naive:
            other = naive(bridge, user)
            line += f"\t{other:.0f}\t{ours / other:.5f}"
        bridge.db.close()
    return line


def main() -> None:
    """Measure each size; the naive way at 15,000 alone."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("events", nargs="*", type=int, default=[500, 15_000, 50_000])
    arguments.add_argument("--no-naive", action="store_true")
    options = arguments.parse_args()
    print("events\tlaid\tslots\tfree\tchanged (ms)\tunchanged (ms)\tpage (ms)\tnaive (ms)\tratio")
    for events in options.events:
        for around in (True, False):
            with_naive = not around and events == 15_000 and not options.no_naive
            print(measured(events, around=around, with_naive=with_naive), flush=True)


if __name__ == "__main__":
    sys.exit(main())
