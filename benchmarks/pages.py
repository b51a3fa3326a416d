"""The month view: the page and the events of its six weeks, as the server answers them.

``python -m benchmarks.pages [EVENTS ...]``: each EVENTS is a studio with so many events, a third of them
bookings, the rest in a linked calendar, every seventy-fifth repeating, over four years. Then the growth: a
hundred events in the six weeks, and ever more elsewhere. Prints medians in milliseconds, without the network.
The answers come from the application as it is, signed in, cookies and headers included; a browser asks again
and again, so the second look and those after it are measured. ``first``: the first of a fresh process. At the
end a feed, beside writing the stored texts out.
"""

from __future__ import annotations

import argparse
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

from flask.testing import FlaskClient

from bridge.config import Settings
from bridge.ical import build
from bridge.service import feeds, people
from bridge.store import accounts, calendars, links, objects, shown
from bridge.store import people as people_rows
from bridge.web import make_app
from bridge.wiring import Bridge

NOW = datetime(2027, 5, 10, 9, 0, tzinfo=UTC)
WEEKS = datetime(2027, 4, 26, tzinfo=UTC), datetime(2027, 6, 7, tzinfo=UTC)
ASKED = f"/api/v1/events?from={WEEKS[0]:%Y-%m-%d}&to={WEEKS[1]:%Y-%m-%d}"
BERLIN = ZoneInfo("Europe/Berlin")
ROUNDS = 41
REPEATS_EVERY = 75
SIX_WEEKS = 100
ANNA = "anna@studio.example"


class Standing:
    """A clock that does not move."""

    def now(self) -> datetime:
        return NOW


def studio(folder: Path, starts: Iterator[datetime], *, repeats: bool) -> Bridge:
    """A store with an event at each of these moments."""
    bridge = Bridge.open(Settings(data=folder), Standing())
    people.add_user(bridge, ANNA, time_zone=BERLIN.key, password="a good password")  # noqa: S106
    with bridge.db.writing() as tx:
        anna = people_rows.user_by_email(tx, ANNA)
        account = accounts.create(tx, anna.id, "icloud", label="iCloud", now=NOW)
        link = links.create(tx, account, "/family/", name="Family", color="#d9480f", writable=True, now=NOW)
        mirror = calendars.create(tx, anna.id, "family", kind="mirror", title="Family", now=NOW)
        links.set_(tx, link, reads=True, released=True, state="healthy", agreed_at=NOW, mirror_id=mirror)
        bookings = calendars.bookings(tx, anna.id).id
    moments = list(enumerate(starts))
    for portion in range(0, len(moments), 2000):
        with bridge.db.writing() as tx:
            for number, at in moments[portion : portion + 2000]:
                own = number % 3 == 0
                text = build.booking_text(
                    f"event-{number}",
                    f"Session {number}",
                    at.astimezone(BERLIN),
                    duration=timedelta(minutes=90),
                    zone=BERLIN,
                    place="Old Mill, Mill Lane 3",
                    notes="Bring the long lens.",
                    now=NOW,
                )
                if repeats and not own and number % REPEATS_EVERY == 1:
                    text = text.replace("SUMMARY:", "RRULE:FREQ=WEEKLY;COUNT=100\r\nSUMMARY:")
                where, kind = (bookings, "booking") if own else (mirror, None)
                href = f"event-{number}.ics"
                objects.put(tx, where, href, text, kind=kind, actor="bench", now=NOW, journal=False)
    return bridge


def spread(events: int) -> Iterator[datetime]:
    """Over four years around now."""
    dice = Random(events)  # noqa: S311 - no secret
    first = NOW - timedelta(days=730)
    return (first + timedelta(minutes=15 * dice.randrange(4 * 24 * 1460)) for _ in range(events))


def elsewhere(events: int) -> Iterator[datetime]:
    """A hundred in the six weeks, the rest outside of them."""
    dice = Random(events)  # noqa: S311 - no secret
    for number in range(events):
        if number < SIX_WEEKS:
            yield WEEKS[0] + timedelta(minutes=15 * dice.randrange(4 * 24 * 40))
        else:
            away = timedelta(days=60) + timedelta(minutes=15 * dice.randrange(4 * 24 * 600))
            yield NOW + away * dice.choice([-1, 1])


def signed_in(bridge: Bridge) -> FlaskClient:
    """A browser of hers."""
    client = make_app(bridge).test_client()
    page = client.get("/sign-in").get_data(as_text=True)
    (token,) = re.findall(r'name="csrf_token" value="([^"]+)"', page)
    typed = {"csrf_token": token, "email": ANNA, "password": "a good password"}
    assert client.post("/sign-in", data=typed).status_code == 303
    return client


def milliseconds(ask: Callable[[], None]) -> tuple[float, float]:
    """The first answer, and the median of those after it."""
    took = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        ask()
        took.append((time.perf_counter() - begun) * 1000)
    return took[0], statistics.median(took[1:])


def look(client: FlaskClient, path: str) -> Callable[[], None]:
    """One request, its answer read to the end."""

    def ask() -> None:
        answer = client.get(path)
        assert answer.status_code == 200, answer.status_code
        answer.get_data()

    return ask


def measure(starts: Iterator[datetime], *, repeats: bool) -> tuple[int, float, float, float]:
    """Events in the answer; the first answer with them, then the medians of events and page."""
    with tempfile.TemporaryDirectory() as folder:
        bridge = studio(Path(folder), starts, repeats=repeats)
        client = signed_in(bridge)
        first, events = milliseconds(look(client, ASKED))
        _, page = milliseconds(look(client, "/"))
        count = len(client.get(ASKED).get_json())
        bridge.db.close()
    return count, first, events, page


def shown_by_feeds(events: int) -> Iterator[datetime]:
    """From three hundred days ago on: all of them are in a feed."""
    dice = Random(events)  # noqa: S311 - no secret
    first = NOW - timedelta(days=300)
    return (first + timedelta(minutes=15 * dice.randrange(4 * 24 * 1000)) for _ in range(events))


def feed(events: int) -> dict[str, tuple[float, float, float]]:
    """A feed of so many bookings beside writing out their stored texts, and a 304 beside an empty answer."""
    with tempfile.TemporaryDirectory() as folder:
        bridge = studio(Path(folder), shown_by_feeds(3 * events), repeats=False)  # a third are bookings
        made = {detail: feeds.add(bridge, ANNA, detail, feeds.Shows(detail)) for detail in feeds.DETAILS}
        app = make_app(bridge)
        app.add_url_rule("/floor", "signin.floor", lambda: ("", 304))
        client = app.test_client()
        paths = {detail: "/" + one.url.split("/", 3)[3] for detail, one in made.items()}
        etag = client.get(paths["full"]).headers["ETag"]
        with bridge.db.reading() as tx:
            anna = people_rows.user_by_email(tx, ANNA)
            bookings = calendars.bookings(tx, anna.id).id

        def written() -> None:
            with bridge.db.reading() as tx:
                "".join(shown.texts(tx, bookings)).encode()

        def first_read(detail: str) -> Callable[[], None]:
            def ask() -> None:
                feeds.forget()
                look(client, paths[detail])()

            return ask

        def empty() -> None:
            client.get("/floor").close()

        def unchanged() -> None:
            assert client.get(paths["full"], headers={"If-None-Match": etag}).status_code == 304

        took = {
            "full, first read ÷ stored texts": pairs(first_read("full"), written),
            "busy, first read ÷ stored texts": pairs(first_read("busy"), written),
            "full, read again ÷ stored texts": pairs(look(client, paths["full"]), written),
            "304 ÷ empty answer": pairs(unchanged, empty),
        }
        bridge.db.close()
    return took


def pairs(ours: Callable[[], None], floor: Callable[[], None]) -> tuple[float, float, float]:
    """Taken in turn, so that what else the machine does meets both: the medians of either in milliseconds,
    and of their ratio."""
    took: list[tuple[float, float]] = []
    for _ in range(ROUNDS + 1):
        moments = [time.perf_counter()]
        for ask in (ours, floor):
            ask()
            moments.append(time.perf_counter())
        took.append((moments[1] - moments[0], moments[2] - moments[1]))
    del took[0]
    our, their = zip(*took, strict=True)
    ratio = statistics.median(a / b for a, b in took)
    return statistics.median(our) * 1000, statistics.median(their) * 1000, ratio


def main(arguments: list[str]) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="benchmarks.pages")
    parser.add_argument("events", nargs="*", type=int, default=[500, 5_000, 10_000])
    parser.add_argument("--feed", type=int, default=5_000)
    parser.add_argument("--growth", nargs="*", type=int, default=[500, 5_000, 50_000])
    options = parser.parse_args(arguments)
    head = f"{'events':>8} {'shown':>6} {'first':>8} {'month':>8} {'page':>8}"
    for title, sizes, way, repeats in (
        ("Spread over four years, some repeating", options.events, spread, True),
        ("A hundred in the six weeks, the rest elsewhere", options.growth, elsewhere, False),
    ):
        print(f"{title} (medians in ms)\n{head}")
        base = 0.0
        for size in sizes:
            shown_, first, events, page = measure(way(size), repeats=repeats)
            base = base or events
            growth = f"  x{events / base:.2f}" if way is elsewhere else ""
            print(f"{size:>8} {shown_:>6} {first:>8.1f} {events:>8.1f} {page:>8.1f}{growth}", flush=True)
    if options.feed:
        print(
            f"A feed of {options.feed} bookings, in turns with what it is compared to (medians in ms, ratio)"
        )
        for name, (our, their, ratio) in feed(options.feed).items():
            print(f"{our:>8.2f} {their:>8.2f} {ratio:>6.2f}  {name}")


if __name__ == "__main__":
    main(sys.argv[1:])
