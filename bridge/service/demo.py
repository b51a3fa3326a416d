"""A studio to look at: one user, one device, a dozen bookings and blocks around today in all their states.

Filling it twice changes nothing: the second time the same credentials are given again, which is why they are
kept, sealed, in the data folder. Only demo data is that careless.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from bridge.errors import BridgeError
from bridge.service import Bridge, bookings, client_writes
from bridge.service import people as people_service
from bridge.store import calendars, people
from bridge.store.people import UserRow

EMAIL = "demo@example.com"
STUDIO = "demo"
BOUND_TO = "demo"


@dataclass(frozen=True, slots=True)
class Credentials:
    """What opens the demo studio."""

    web_password: str
    device_password: str


@dataclass(frozen=True, slots=True)
class Demo:
    """How to get in."""

    web: str
    caldav: str
    username: str
    web_password: str
    device_password: str


@dataclass(frozen=True, slots=True)
class Shoot:
    """One booking of the demo: days from today, wall time, minutes."""

    day: int
    at: time
    minutes: int
    title: str
    place: str
    notes: str = ""
    status: str = "confirmed"
    cancelled: bool = False


SHOOTS = (
    Shoot(-9, time(10), 90, "Newborn: Okafor", "12 Linden Row", "Baby Amara, nine days old. Warm room."),
    Shoot(-4, time(17, 30), 60, "Headshots: Ruiz & Partners", "Ruiz & Partners, 4th floor"),
    Shoot(-1, time(9, 15), 120, "Family: the Lindqvists", "City park, north gate", "Bring the long lens."),
    Shoot(0, time(14), 60, "Portrait: Maya Stein", "Studio"),
    Shoot(1, time(11), 90, "Engagement: Priya & Tom", "Old harbour", "Backlight after noon."),
    Shoot(2, time(16), 60, "Headshot: D. Novak", "Studio", status="tentative"),
    Shoot(4, time(13), 480, "Wedding: Hannah & Luis", "St Mary's, then Mill House", "Second shooter: Ben."),
    Shoot(6, time(10, 30), 60, "Portrait: the Abbasi twins", "Studio", cancelled=True),
    Shoot(9, time(18), 90, "Maternity: Sofia Brandt", "Lake shore", "Golden hour.", status="tentative"),
    Shoot(16, time(9), 240, "Brand day: Kettle & Crumb", "Kettle & Crumb bakery"),
)
#: Days from today, from and to, title: what the photographer typed into a phone.
BLOCKS = ((1, time(8), time(9, 30), "Dentist"), (7, time(12), time(18), "Editing day"))


def fill(bridge: Bridge) -> Demo:
    """Make the demo studio, or find it. Raises BridgeError kinds."""
    kept = bridge.settings.data / "demo.sealed"
    with bridge.db.reading() as tx:
        user = people.find_user(tx, EMAIL)
    known = _kept(bridge, kept) if user else None
    if known is None:
        known = _made(bridge, user is None)
        kept.touch(0o600)
        kept.write_bytes(bridge.vault.seal(json.dumps(asdict(known)), BOUND_TO))
    return Demo(
        web=f"{bridge.public_url}/",
        caldav=people_service.home_url(bridge, EMAIL),
        username=EMAIL,
        web_password=known.web_password,
        device_password=known.device_password,
    )


def _kept(bridge: Bridge, kept: Path) -> Credentials | None:
    """The credentials of last time, if they still open the door."""
    try:
        known = Credentials(**json.loads(bridge.vault.unseal(kept.read_bytes(), BOUND_TO)))
    except (OSError, BridgeError, ValueError, TypeError):
        return None
    with bridge.db.reading() as tx:
        device = people_service.verify_device(tx, bridge.vault, EMAIL, known.device_password)
    if device and people_service.check_password(bridge, EMAIL, known.web_password):
        return known
    return None


def _made(bridge: Bridge, is_new: bool) -> Credentials:
    password = secrets.token_urlsafe(9)
    if is_new:
        user = people_service.add_user(bridge, EMAIL, studio=STUDIO, password=password)
        with bridge.db.writing() as tx:
            _furnish(tx, user, bridge.clock.now())
    else:
        people_service.set_user(bridge, EMAIL, password=password)
    taken = {device.name for device in people_service.list_devices(bridge, EMAIL)}
    number = next(number for number in range(1, len(taken) + 2) if f"demo {number}" not in taken)
    return Credentials(password, people_service.add_device(bridge, EMAIL, f"demo {number}").password)


def _furnish(tx: Connection, user: UserRow, now: datetime) -> None:
    zone = ZoneInfo(user.time_zone)
    today = now.astimezone(zone).date()
    for shoot in SHOOTS:
        start = datetime.combine(today + timedelta(days=shoot.day), shoot.at).isoformat(timespec="minutes")
        uid, _ = bookings.add(
            tx, user, shoot.title, start, shoot.minutes, shoot.place, shoot.notes, shoot.status, now
        )
        if shoot.cancelled:
            bookings.cancel(tx, user, uid, now)
    calendar = calendars.bookings(tx, user.id)
    for day, starts, ends, title in BLOCKS:
        date = today + timedelta(days=day)
        uid = secrets.token_hex(16).upper()
        first, last = (datetime.combine(date, at, zone) for at in (starts, ends))
        text = _from_a_phone(uid, title, first, last, now)
        client_writes.put(tx, user, calendar, f"{uid}.ics", text, actor="command", now=now)


def _from_a_phone(uid: str, title: str, starts: datetime, ends: datetime, now: datetime) -> str:
    def utc(moment: datetime) -> str:
        return f"{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}"

    lines = (
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//picsello-bridge//demo//EN",
        "BEGIN:VEVENT",
        f"UID:{uid}",
        f"DTSTAMP:{utc(now)}",
        f"DTSTART:{utc(starts)}",
        f"DTEND:{utc(ends)}",
        f"SUMMARY:{title}",
        "END:VEVENT",
        "END:VCALENDAR",
    )
    return "".join(f"{line}\r\n" for line in lines)
