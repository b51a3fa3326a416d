"""Things on a calendar and around it, put straight into the store."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from bridge.store import accounts, calendars, links, objects
from bridge.store.people import UserRow
from bridge.wiring import Bridge


def event(uid: str, title: str, when: str, *more: str) -> str:
    """An event; ``when`` and ``more`` are whole lines."""
    lines = [f"UID:{uid}", "DTSTAMP:20260101T000000Z", *when.split("|"), f"SUMMARY:{title}", *more]
    body = "".join(f"{line}\r\n" for line in lines)
    head = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:test\r\n"
    return f"{head}BEGIN:VEVENT\r\n{body}END:VEVENT\r\nEND:VCALENDAR\r\n"


def book(bridge: Bridge, user: UserRow, text: str, *, kind: str = "booking", actor: str = "command") -> None:
    """Put an object into the user's bookings."""
    with bridge.db.writing() as tx:
        calendar = calendars.bookings(tx, user.id)
        uid = next(line[4:] for line in text.splitlines() if line.startswith("UID:"))
        objects.put(tx, calendar.id, f"{uid}.ics", text, actor=actor, now=bridge.clock.now(), kind=kind)


def account(bridge: Bridge, user: UserRow, label: str = "Apple iCloud", **values: Any) -> int:
    """An account that signed in once."""
    with bridge.db.writing() as tx:
        number = accounts.create(
            tx,
            user.id,
            "icloud",
            label=label,
            url="https://caldav.icloud.com/1/",
            username=user.email,
            now=bridge.clock.now(),
        )
        secret = bridge.vault.seal("geheim", accounts.bind(number))
        accounts.set_(tx, number, secret=secret, **values)
    return number


def link(bridge: Bridge, account_id: int, name: str, color: str | None = None, **values: Any) -> int:
    """A calendar of it that takes part; with ``reads`` it has a mirror."""
    now: datetime = bridge.clock.now()
    with bridge.db.writing() as tx:
        user_id = accounts.get(tx, account_id).user_id
        number = links.create(tx, account_id, f"/{name}/", name=name, color=color, writable=True, now=now)
        if values.get("reads"):
            values["mirror_id"] = calendars.create(
                tx, user_id, f"mirror-{number}", kind="mirror", title=name, now=now, editable=False
            )
        links.set_(tx, number, **({"released": True, "state": "healthy"} | values))
    return number


def mirrored(bridge: Bridge, link_id: int, text: str) -> None:
    """Put an object into a link's mirror, as a pass would."""
    with bridge.db.writing() as tx:
        mirror = links.get(tx, link_id).mirror_id
        assert mirror is not None
        uid = next(line[4:] for line in text.splitlines() if line.startswith("UID:"))
        objects.put(tx, mirror, f"{uid}.ics", text, actor="pass:1", now=bridge.clock.now(), link_id=link_id)
