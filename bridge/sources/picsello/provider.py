"""Picsello's database behind the port of every spoke.

The href of a booking is its UID. Its tag is a digest of everything it depends on, so it moves whenever the
booking does, and a write guarded by it is guarded by what was read. The cursor holds the digests: a pass that
finds nothing new costs one query, and one changed shoot costs reading its part of the calendar.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any

from bridge.errors import CursorLost, NotPermitted, ObjectRefused, TagMismatch
from bridge.ical.added import noted
from bridge.ports import Capabilities, Changes, Entry, RemoteCalendar
from bridge.providers.cursors import read_cursor
from bridge.sources.picsello import pages, queries
from bridge.sources.picsello.booking import rendered, shoot_id, uid, zone_of
from bridge.sources.picsello.database import Asking, Database
from bridge.sources.picsello.options import Options
from bridge.sources.picsello.pages import OwnPage
from bridge.sources.picsello.queries import Row
from bridge.sources.picsello.writing import Writer

#: Moves when the same row is rendered differently by a newer version of ``booking``.
FORMAT = 1
#: Looking costs one query, and people wait for what they changed in Picsello: seconds between two looks.
REST = 10.0


class PicselloSource:
    """One studio's calendar."""

    def __init__(self, database: Database, profile: Mapping[str, Any]):
        self._database = database
        self._options = Options.of(profile)
        self._organization: int = profile["organization"]
        self._user: int | None = profile.get("user")
        self._slots = bool(profile.get("slots"))
        self._status = queries.MATERIALIZED if profile.get("materialized") else queries.VIEW
        self.capabilities = Capabilities(writes=self._options.mode == "write")

    @property
    def requests(self) -> int:
        return self._database.statements

    def calendars(self) -> list[RemoteCalendar]:
        return [RemoteCalendar(self._calendar, "Picsello", writable=self.capabilities.writes)]

    def pages(self) -> list[OwnPage]:
        """The studio's own booking events. Raises ProviderError kinds."""
        with self._database.looking() as asking:
            return pages.read(asking, self._organization, self._slots)

    def survey(self) -> Mapping[str, str] | None:
        return None

    def changes(self, calendar: str, cursor: str | None) -> Changes:
        self._check(calendar)
        with self._database.looking() as asking:
            parts, zone = queries.parts(asking, self._organization, self._user, self._options, self._status)
        # what changes from here on shows in the parts of the next look
        look = self._look(zone)
        if cursor is None:
            with self._database.looking() as asking:
                found = queries.digests(asking, self._organization, self._options, None, self._status)
            entries = [self._entry(number, digest, look) for number, digest in found.items()]
            return Changes(entries, frozenset(), True, _cursor(look, parts, found), rest=REST)
        known = read_cursor(cursor)
        if known.get("look") != look:
            raise CursorLost("Picsello's bookings look different now: all of them are read again.")
        before = {int(part): digest for part, digest in known["parts"].items()}
        moved = [part for part in before.keys() | parts.keys() if before.get(part) != parts.get(part)]
        if not moved:
            return Changes((), frozenset(), False, cursor, rest=REST)
        with self._database.looking() as asking:
            now = queries.digests(asking, self._organization, self._options, moved, self._status)
        rows = {int(number): digest for number, digest in known["rows"].items()}
        there = {number: digest for number, digest in rows.items() if number % queries.PARTS in moved}
        entries = [self._entry(n, digest, look) for n, digest in now.items() if there.get(n) != digest]
        gone = frozenset(uid(number) for number in there if number not in now)
        kept = {number: digest for number, digest in rows.items() if number not in there}
        return Changes(entries, gone, False, _cursor(look, parts, kept | now), rest=REST)

    def fetch(self, calendar: str, hrefs: Sequence[str]) -> Iterator[Entry]:
        self._check(calendar)
        ids = [number for number in map(shoot_id, hrefs) if number is not None]
        with self._database.reading() as asking:
            zone = self._zone(asking)
            rows = queries.shoots(asking, self._organization, self._options, ids, self._status)
        return iter([self._whole(row, zone) for row in rows])

    def put(self, calendar: str, href: str, text: str, expect: str | None) -> Entry:
        """Change the shoot as far as Picsello's rules allow. What comes back is the booking as it is then,
        with a note where it is not what was asked for."""
        number = self._writable(calendar, href, expect)
        assert expect is not None
        with self._database.writing() as asking:
            zone = self._zone(asking)
            self._check_look(expect, zone)
            writer = Writer(asking, self._organization, self._options, self._slots)
            row, said = writer.change(number, text, expect.partition(".")[0], zone_of(zone))
            entry = self._whole(row, zone)
        return Entry(entry.href, entry.tag, noted(entry.text or "", said) if said else entry.text)

    def delete(self, calendar: str, href: str, expect: str) -> None:
        """Cancel the booking: its job is archived, as Picsello does it."""
        number = self._writable(calendar, href, expect)
        with self._database.writing() as asking:
            self._check_look(expect, self._zone(asking))
            writer = Writer(asking, self._organization, self._options, self._slots)
            writer.archive(number, expect.partition(".")[0])

    def new_href(self, calendar: str, key: str) -> str:  # noqa: ARG002 - the port's
        raise ObjectRefused("A booking is made in Picsello, where it gets its job and its client.")

    def close(self) -> None:
        self._database.close()

    # --- reading ----------------------------------------------------------------------------------------

    @property
    def _calendar(self) -> str:
        return f"organization/{self._organization}"

    def _check(self, calendar: str) -> None:
        """One studio's account never reads another studio's rows."""
        if calendar != self._calendar:
            raise ValueError(f"{calendar} is not the calendar of this account")

    def _writable(self, calendar: str, href: str, expect: str | None) -> int:
        self._check(calendar)
        if not self.capabilities.writes:
            raise NotPermitted("This Picsello is only read. Change the booking there.")
        number = shoot_id(href)
        if number is None or expect is None:
            raise ObjectRefused("A booking is made in Picsello, where it gets its job and its client.")
        return number

    def _check_look(self, tag: str, zone: str | None) -> None:
        if tag.partition(".")[2] != self._look(zone):
            raise TagMismatch("The studio's time zone changed in the meantime.")

    def _zone(self, asking: Asking) -> str | None:
        found = asking.one("SELECT time_zone FROM users WHERE id = %s", self._user)
        return found.time_zone if found else None

    def _look(self, zone: str | None) -> str:
        """A short name for how rows are rendered: another one, and all bookings are read again."""
        options = sorted(self._options.as_profile().items())
        return sha256(repr((FORMAT, zone_of(zone).key, options)).encode()).hexdigest()[:6]

    def _entry(self, number: int, digest: str, look: str) -> Entry:
        return Entry(uid(number), f"{digest}.{look}")

    def _whole(self, row: Row, zone: str | None) -> Entry:
        text = rendered(row, zone_of(zone), self._options)
        return Entry(uid(row.id), f"{row.digest}.{self._look(zone)}", text)


def _cursor(look: str, parts: Mapping[int, str], rows: Mapping[int, str]) -> str:
    return json.dumps({"look": look, "parts": parts, "rows": rows}, separators=(",", ":"), sort_keys=True)
