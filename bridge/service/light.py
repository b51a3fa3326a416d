"""The “Light” calendar: sunrise, sunset and golden hours of the days to come, at the places one chose.

A calendar like a mirror, but of no link: read only, and it closes no slots. It is written for a stretch of
days and moved on with them; an event whose light has not changed keeps its bytes, so clients fetch nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from bridge.ical import build
from bridge.service import Bridge, mirrors
from bridge.slots.light import Light, light
from bridge.store import calendars, links, objects, people, places
from bridge.store.calendars import CalendarRow
from bridge.store.people import UserRow
from bridge.store.places import PlaceRow

TITLE = "Light"
ACTOR = "light"
#: So many days are told, from today on.
AHEAD = 200
#: What every event says it was made; the sun's times are no news of today.
_MADE = datetime(2000, 1, 1, tzinfo=ZoneInfo("UTC"))


def refresh(bridge: Bridge, user_id: int) -> int:
    """Bring the user's calendar up to date; returns how many events changed. It goes when no place is watched
    any more."""
    with bridge.db.writing() as tx:
        user = people.user_by_id(tx, user_id)
        watched = [place for place in places.of_user(tx, user_id) if place.light]
        calendar = _calendar(tx, user, bool(watched), bridge.clock.now())
        if calendar is None:
            return 0
        zone = ZoneInfo(user.time_zone)
        today = bridge.clock.now().astimezone(zone).date()
        wanted = {}
        for place in watched:
            for number in range(AHEAD):
                day = today + timedelta(days=number)
                text = _event(place, day, zone)
                if text is not None:
                    wanted[f"{place.id}-{day}.ics"] = text
        return _write(tx, calendar, wanted, bridge.clock.now())


def refresh_everybody(bridge: Bridge) -> None:
    """Once a day, for all whose light is told."""
    with bridge.db.reading() as tx:
        users = sorted({place.user_id for place in places.watched(tx)})
    for user_id in users:
        refresh(bridge, user_id)


def words(known: Light) -> list[str]:
    """The light of a day, line by line."""
    found = []
    if known.morning:
        found.append(f"Golden hour in the morning: {_span(known.morning)}")
    if known.sunrise:
        found.append(f"Sunrise: {known.sunrise:%H:%M}")
    if known.sunset:
        found.append(f"Sunset: {known.sunset:%H:%M}")
    if known.evening:
        found.append(f"Golden hour in the evening: {_span(known.evening)}")
    return found


def in_one_line(known: Light, day: date, clock: Callable[[datetime], str] = "{:%H:%M}".format) -> str:
    """The light of a session's day for its client; ``day`` is the session's by the same clocks, which far
    from the studio may be another one."""

    def on(moment: datetime) -> str:
        other = " the day before" if moment.date() < day else " the next day" if moment.date() > day else ""
        return clock(moment) + other

    found = [
        f"{name} {on(moment)}"
        for name, moment in (("sunrise", known.sunrise), ("sunset", known.sunset))
        if moment
    ]
    golden = [f"{on(span[0])} to {on(span[1])}" for span in (known.morning, known.evening) if span]
    if golden:
        found.append("golden hour " + " and ".join(golden))
    return ", ".join(found)


def _span(span: tuple[datetime, datetime]) -> str:
    return f"{span[0]:%H:%M} to {span[1]:%H:%M}"


def _calendar(tx: Connection, user: UserRow, wanted: bool, now: datetime) -> CalendarRow | None:
    linked = {link.mirror_id for link in links.of_user(tx, user.id)}
    known = next(
        (
            calendar
            for calendar in calendars.of_user(tx, user.id)
            if calendar.kind == "mirror" and calendar.title == TITLE and calendar.id not in linked
        ),
        None,
    )
    if known is None and wanted:
        return calendars.get(tx, mirrors.new_mirror(tx, user.id, TITLE, editable=False, now=now))
    if known is not None and not wanted:
        calendars.remove(tx, known.id)
        return None
    return known


def _event(place: PlaceRow, day: date, zone: ZoneInfo) -> str | None:
    """The evening's golden hour, with the rest of the day's light in its notes; the morning's, or the
    sunset, where there is none."""
    if place.latitude is None or place.longitude is None:
        return None
    known = light(day, place.latitude, place.longitude, zone)
    span = known.evening or known.morning
    if span is None:
        return None
    text = build.booking_text(
        f"light-{place.id}-{day}@picsello-bridge",
        f"Golden hour: {place.name}",
        span[0],
        end=span[1],
        zone=zone,
        place=place.address or place.name,
        notes="\n".join(words(known)),
        now=_MADE,
    )
    # a whole line of its own: what people typed is folded behind the name of its property
    return text.replace("\r\nTRANSP:OPAQUE\r\n", "\r\nTRANSP:TRANSPARENT\r\n")


def _write(tx: Connection, calendar: CalendarRow, wanted: dict[str, str], now: datetime) -> int:
    changed = 0
    there = {listed.href: listed.etag for listed in objects.listing(tx, calendar.id)}
    for href in there.keys() - wanted.keys():
        objects.delete(tx, calendar.id, href, actor=ACTOR, now=now, journal=False)
        changed += 1
    for href, text in wanted.items():
        if there.get(href) != objects.etag_of(text):
            objects.put(tx, calendar.id, href, text, actor=ACTOR, now=now, journal=False)
            changed += 1
    return changed
