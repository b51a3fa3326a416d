"""A studio to tell stories about: one user with a bookings calendar, and the events that go into it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection

from bridge.store import accounts, calendars, installation, links, objects, people, pruning
from bridge.store.contents import StoredObject
from bridge.store.db import Database
from bridge.store.objects import Stored

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


def event(
    uid: str = "shoot-1", title: str = "Shoot", start: str = ";TZID=Europe/Berlin:20260511T100000", *more: str
) -> str:
    """An event of one hour, or what ``more`` lines make of it; ``start`` is everything after DTSTART."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//tests//EN", "BEGIN:VEVENT", f"UID:{uid}"]
    lines += ["DTSTAMP:20260501T080000Z", f"DTSTART{start}", *more]
    if not any(line.startswith(("DTEND", "DURATION")) for line in more) and "VALUE=DATE:" not in start:
        lines.append("DURATION:PT1H")
    lines += [f"SUMMARY:{title}", "END:VEVENT", "END:VCALENDAR", ""]
    return "\r\n".join(lines)


def epoch(iso: str) -> int:
    """Seconds since 1970 of a moment in UTC, as 2026-05-11T08:00."""
    return int(datetime.fromisoformat(iso).replace(tzinfo=UTC).timestamp())


@dataclass
class Studio:
    """Each call is a transaction of its own."""

    db: Database
    user_id: int
    bookings: int
    now: datetime = NOW

    @classmethod
    def opened(cls, db: Database, email: str, time_zone: str = "Europe/Berlin") -> Studio:
        with db.writing() as tx:
            installation.ensure(tx, NOW)
            studio_id = people.add_studio(tx, email.partition("@")[0], email, NOW)
            user_id = people.add_user(tx, studio_id, email, time_zone=time_zone, now=NOW)
            bookings = calendars.create(tx, user_id, "bookings", kind="bookings", title="Bookings", now=NOW)
        return cls(db, user_id, bookings)

    def mirror(self, name: str = "family", *, editable: bool = False) -> int:
        with self.db.writing() as tx:
            return calendars.create(
                tx, self.user_id, name, kind="mirror", title=name, now=self.now, editable=editable
            )

    def link(self, remote_id: str = "/anna/family/", **roles: object) -> int:
        """A linked calendar of an own account."""
        with self.db.writing() as tx:
            account_id = accounts.create(tx, self.user_id, "caldav", label=remote_id, now=self.now)
            link_id = links.create(
                tx, account_id, remote_id, name=remote_id, color=None, writable=True, now=self.now
            )
            if roles:
                links.set_(tx, link_id, **roles)
            return link_id

    def put(self, href: str, text: str, calendar: int | None = None, **how: object) -> Stored:
        self.now += timedelta(seconds=1)
        with self.db.writing() as tx:
            where = self.bookings if calendar is None else calendar
            return objects.put(tx, where, href, text, actor="device:1", now=self.now, **how)  # type: ignore[arg-type]

    def delete(self, href: str, calendar: int | None = None, **how: object) -> StoredObject:
        self.now += timedelta(seconds=1)
        with self.db.writing() as tx:
            where = self.bookings if calendar is None else calendar
            return objects.delete(tx, where, href, actor="device:1", now=self.now, **how)  # type: ignore[arg-type]

    def get(
        self, href: str, calendar: int | None = None, *, with_hidden: bool = False
    ) -> StoredObject | None:
        with self.db.reading() as tx:
            where = self.bookings if calendar is None else calendar
            return objects.get(tx, where, href, with_hidden=with_hidden)

    def calendar(self, calendar: int | None = None) -> calendars.CalendarRow:
        with self.db.reading() as tx:
            return calendars.get(tx, self.bookings if calendar is None else calendar)

    def in_range(self, start: str | None, end: str | None, calendar: int | None = None) -> list[str]:
        """Hrefs of what takes place between two moments (UTC), sorted."""
        with self.db.reading() as tx:
            found = objects.in_range(
                tx,
                self.bookings if calendar is None else calendar,
                None if start is None else epoch(start),
                None if end is None else epoch(end),
            )
        return sorted(stored.href for stored in found)

    def due(self, link_id: int) -> datetime | None:
        with self.db.reading() as tx:
            return links.get(tx, link_id).due_at


def forget_changes(tx: Connection, older_than: datetime, most: int = 500) -> int:
    """As housekeeping does, in one go; how many rows went."""
    found, _ = pruning.calendars_with_old_changes(tx, older_than, 0)
    gone = 0
    for calendar_id in found:
        while some := pruning.changes(tx, calendar_id, older_than, most):
            gone += some
    return gone
