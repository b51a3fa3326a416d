"""Mails to clients: what was booked, moved or called off. They wait in the store until the mail server took
them, so neither a crash nor a mail server that is away loses one."""

from __future__ import annotations

import logging
import threading
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from bridge import mail
from bridge.errors import BridgeError
from bridge.service import Bridge, booking_days, client_sessions, light, receipts
from bridge.service.client_sessions import Session
from bridge.slots.days import day_of
from bridge.store import booking_events

log = logging.getLogger(__name__)

#: One thread of a process sends; a mail server that is slow holds up nobody else.
_sending = threading.Lock()

#: After a first failure; doubled with each further one.
FIRST_DELAY = timedelta(minutes=1)

_SUBJECTS = {
    "booked": "Your session is booked: {title}",
    "held": "Your session is held: {title}",
    "moved": "Your session has a new time: {title}",
    "cancelled": "Your session is cancelled: {title}",
}


def deliver(bridge: Bridge) -> int:
    """Send what waits; returns how many were sent. Cheap where nothing waits, safe in several processes."""
    if not bridge.settings.smtp_url:
        return 0
    now = bridge.clock.now()
    with bridge.db.reading() as tx:
        waiting = booking_events.to_mail(tx, now)
    sent = 0
    for row in waiting:
        with bridge.db.writing() as tx:
            if not booking_events.claim_mail(tx, row, now + FIRST_DELAY * 2**row.mail_tries):
                continue
            session = client_sessions.remembered(tx, client_sessions.find(tx, row.id))
        subject, text = _letter(bridge, session, row.mail or "")
        calendar = session.text if row.mail != "cancelled" else None
        try:
            mail.send(bridge.settings.smtp_url, bridge.settings.mail_from, row.email, subject, text, calendar)
        except BridgeError as error:
            log.warning("a mail to a client has to wait: %s", error)
            continue
        with bridge.db.writing() as tx:
            booking_events.mailed(tx, row)
        sent += 1
    return sent


def soon(bridge: Bridge) -> None:
    """Begin to send what waits, without making anybody wait for it; the worker sends what is left over."""
    if not bridge.settings.smtp_url:
        return
    with bridge.db.reading() as tx:
        waiting = bool(booking_events.to_mail(tx, bridge.clock.now(), 1))
    if waiting and _sending.acquire(blocking=False):
        threading.Thread(target=_quietly, args=(bridge,), name="mail", daemon=True).start()


def _quietly(bridge: Bridge) -> None:
    try:
        deliver(bridge)
    except Exception:  # nobody waits for this thread; the mail stays in the store
        log.exception("mails could not be sent")
    finally:
        _sending.release()


def _letter(bridge: Bridge, session: Session, what: str) -> tuple[str, str]:
    if what == "booked" and session.state == "held":
        what = "held"
    event = session.event
    lines = [f"Hello {session.row.name},", "", _SUBJECTS[what].format(title=event.title) + "."]
    if session.starts is not None and what == "cancelled":
        lines += ["", "It was to be on", *times(session)]
    elif session.starts is not None:
        lines += ["", *times(session)]
        lines += [line for line in (event.place, event.address) if line]
        lines += light_lines(session)
    if what == "held" and session.row.expires is not None:
        zone = session.row.time_zone
        until = session.row.expires.astimezone(ZoneInfo(zone))
        last = f"{until:%A}, {until.day} {until:%B}, {until:%H:%M} ({zone})"
        lines += ["", f"It is kept for you until {last}."]
    lines += ["", "See, move or cancel it here:", address(bridge, session), "", event.studio_name, ""]
    return _SUBJECTS[what].format(title=event.title), "\n".join(lines)


def address(bridge: Bridge, session: Session) -> str:
    """The link to the receipt, for people outside."""
    path = f"/book/{session.event.studio}/{session.event.slug}/receipt/{receipts.token(bridge, session)}"
    return bridge.public_url + path


def times(session: Session) -> list[str]:
    """When it is: in the client's zone, and in the studio's where that is another one."""
    assert session.starts is not None and session.ends is not None
    found = []
    for name in _zones(session):
        starts, ends = (datetime.fromtimestamp(at, ZoneInfo(name)) for at in (session.starts, session.ends))
        found.append(f"{starts:%A}, {starts.day} {starts:%B %Y}, {starts:%H:%M} to {ends:%H:%M} ({name})")
    return found


def light_lines(session: Session) -> list[str]:
    """The light of the day, where the session is outdoors; in the same zones."""
    known = booking_days.light_around(session)
    if known is None or session.starts is None:
        return []
    found = []
    for name in _zones(session):
        zone = ZoneInfo(name)
        told = light.in_one_line(known.seen_from(zone), day_of(session.starts, zone))
        found.append(f"{told.capitalize()} ({name})")
    return ["", *found]


def _zones(session: Session) -> list[str]:
    """The client's, and the studio's where that is another one."""
    return list(dict.fromkeys([session.row.time_zone, session.user.time_zone]))
