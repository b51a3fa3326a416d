"""What a calendar client's PUT, DELETE and MOVE mean: the rules of the house, in one transaction.

In a mirror a client may do what its role *edits* allows. In the bookings, an event that we don't know is
a *block*; a booking changes by the user's policy on moving, and is never deleted in its source unasked
(design 4.4): a DELETE restores it, hides it or cancels it. HTTP is left to the plugin, waking the worker
too: what is due stands in the store when the transaction ends.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from bridge.errors import Invalid, NotAllowed, NotFound, Stale
from bridge.ical import build
from bridge.ical.facts import facts
from bridge.ical.fields import changed
from bridge.store import accounts, links, notices, objects, pairings, suggestions
from bridge.store.calendars import CalendarRow
from bridge.store.objects import Stored, StoredObject
from bridge.store.people import UserRow
from bridge.sync.plan import PERSONAL

#: Called with the ETag of what the client can see at the href (None: nothing); raises Stale to refuse.
Condition = Callable[[str | None], None]


@dataclass(frozen=True, slots=True)
class Put:
    """What a PUT left behind. ``changed_bytes``: it is not what the client sent, so it must fetch it.
    ``created``: the client saw nothing at this href before."""

    stored: Stored
    changed_bytes: bool
    created: bool


class UidInUse(Invalid):
    """CALDAV:no-uid-conflict; ``href`` names the object that has the UID."""

    def __init__(self, message: str, href: str):
        super().__init__(message, "no-uid-conflict")
        self.href = href


class SourceRefuses(NotAllowed):
    """The booking lives where nothing can be written, and its user wants no overlay; ``uid`` names it."""

    def __init__(self, message: str, uid: str):
        super().__init__(message)
        self.uid = uid


def anything(etag: str | None) -> None:
    """The condition that always holds."""


def put(
    tx: Connection,
    user: UserRow,
    calendar: CalendarRow,
    href: str,
    text: str,
    *,
    actor: str,
    now: datetime,
    condition: Condition = anything,
) -> Put:
    """A client stores ``text`` at ``href``. ``text`` has passed ``ical.check.check_resource``.

    Raises Stale by ``condition``, NotAllowed for a calendar that clients may not change, SourceRefuses (then
    call ``note_refusal`` in a transaction of its own), Invalid with a precondition (``no-uid-conflict``,
    ``supported-calendar-component``).
    """
    calendar = objects.lock(tx, calendar.id)
    there = objects.get(tx, calendar.id, href, with_hidden=True)
    seen = None if there is None or there.hidden else there
    condition(seen.etag if seen else None)
    _may_change(calendar)
    known = facts(text)
    _fits(calendar, known.component)
    if there is not None and there.uid != known.uid:
        raise UidInUse("This address already belongs to another event: an event's UID never changes.", href)
    if there is None:
        there = _same_uid_elsewhere(tx, calendar, known.uid, href, actor, now)
    zone = ZoneInfo(user.time_zone)
    if there is not None and there.kind == "booking" and user.source != "studio":
        _ask_source(tx, user, calendar, there, text)
    if there is not None and there.kind == "booking" and _needs_approval(user, there.text, text):
        return _suggest(tx, user, calendar, there, text, actor=actor, now=now)
    kind = there.kind if there else "block" if calendar.kind == "bookings" else "foreign"
    stored = objects.put(
        tx, calendar.id, href, text, kind=kind, actor=actor, now=now, zone=zone, hidden=False
    )
    return Put(stored, changed_bytes=False, created=seen is None)


def delete(
    tx: Connection,
    user: UserRow,
    calendar: CalendarRow,
    href: str,
    *,
    actor: str,
    now: datetime,
    condition: Condition = anything,
) -> str:
    """A client deletes the object at ``href``; returns what became of it: ``deleted``, ``restored`` (there
    again under a new ETag), ``hidden`` (from clients) or ``cancelled`` (and hidden, as all cancelled ones).

    Raises NotFound, Stale, NotAllowed.
    """
    calendar = objects.lock(tx, calendar.id)
    there = objects.get(tx, calendar.id, href)
    condition(there.etag if there else None)
    if there is None:
        raise NotFound("This event does not exist (any more).")
    _may_change(calendar)
    if there.kind != "booking":
        objects.delete(tx, calendar.id, href, actor=actor, now=now)
        return "deleted"
    policy = "hide" if there.status == "CANCELLED" else user.on_delete
    text, hidden = there.text, False
    match policy:
        case "hide":
            outcome, hidden = "hidden", True
        case "cancel":
            outcome, hidden = "cancelled", True
            text = build.with_status(there.text, "CANCELLED", now)
        case _:
            outcome, text = "restored", build.bumped(there.text, now)
    zone = ZoneInfo(user.time_zone)
    action = "restore" if outcome == "restored" else "delete" if hidden else "update"
    objects.put(tx, calendar.id, href, text, actor=actor, now=now, zone=zone, hidden=hidden, action=action)
    if outcome == "restored":
        title = facts(there.text).summary or "A booking"
        notices.add(
            tx,
            user.id,
            kind="booking-restored",
            uid=there.uid,
            message=f"“{title}” was deleted in a calendar app. It is a booking, so it was put back. "
            "If the shoot is off, cancel it here.",
            now=now,
        )
    return outcome


def move(
    tx: Connection,
    calendar: CalendarRow,
    href: str,
    to_calendar: CalendarRow,
    to_href: str,
    *,
    actor: str,
    now: datetime,
    overwrite: bool,
    condition: Condition = anything,
) -> bool:
    """A client gives the object another href, or moves it to another calendar of the same user; returns
    whether something was replaced there (only if ``overwrite``, and only the same event, by UID).

    Raises NotFound, Stale, NotAllowed (a booking stays among the bookings), Invalid (``no-uid-conflict``).
    """
    for calendar_id in sorted({calendar.id, to_calendar.id}):
        objects.lock(tx, calendar_id)
    there = objects.get(tx, calendar.id, href)
    condition(there.etag if there else None)
    if there is None:
        raise NotFound("This event does not exist (any more).")
    _may_change(calendar)
    _may_change(to_calendar)
    across = calendar.id != to_calendar.id
    if across and there.kind == "booking":
        raise NotAllowed("A booking stays in the bookings calendar.")
    target = objects.get(tx, to_calendar.id, to_href, with_hidden=True)
    if target is not None and (calendar.id, href) != (to_calendar.id, to_href):
        if target.uid != there.uid:
            raise UidInUse("This address already belongs to another event.", to_href)
        if not target.hidden and not overwrite:
            raise Stale("There is an event at this address already.")
    _fits(to_calendar, there.component)
    kind = ("block" if to_calendar.kind == "bookings" else "foreign") if across else there.kind
    objects.move(
        tx, calendar.id, href, to_href, to_calendar_id=to_calendar.id, kind=kind, actor=actor, now=now
    )
    return target is not None and not target.hidden


def _may_change(calendar: CalendarRow) -> None:
    if calendar.kind == "mirror" and not calendar.editable:
        raise NotAllowed(
            "This calendar shows another one and is read-only here. Change the event where it comes from, "
            "or allow editing in the calendar settings."
        )


def _fits(calendar: CalendarRow, component: str) -> None:
    if component not in calendar.components:
        held = {"VEVENT": "events", "VTODO": "tasks", "VJOURNAL": "journal entries"}
        raise Invalid(
            f"This calendar holds {' and '.join(held[one] for one in calendar.components)} only. "
            "Choose another calendar for this.",
            "supported-calendar-component",
        )


def _same_uid_elsewhere(
    tx: Connection, calendar: CalendarRow, uid: str, href: str, actor: str, now: datetime
) -> StoredObject | None:
    """The object that has the UID at another href: a clash if clients see it. A hidden one they don't
    know of (the client deleted it and now undoes that): it comes back, where the client wants it."""
    other = objects.by_uid(tx, calendar.id, uid, with_hidden=True)
    if other is None:
        return None
    if not other.hidden:
        raise UidInUse("This calendar already has this event (the same UID) at another address.", other.href)
    objects.move(tx, calendar.id, other.href, href, actor=actor, now=now)
    return other


def note_refusal(tx: Connection, user: UserRow, refusal: SourceRefuses, now: datetime) -> None:
    """List in the app what a client was refused."""
    notices.add(tx, user.id, "source-refused", str(refusal), now=now, uid=refusal.uid)


def _ask_source(
    tx: Connection, user: UserRow, calendar: CalendarRow, booking: StoredObject, text: str
) -> None:
    """Raises SourceRefuses if this change cannot reach the booking's source, and may not stay here alone."""
    link = links.of_source(tx, user.id)
    if link is None or accounts.get(tx, link.account_id).profile.get("edits") != "refuse":
        return
    if pairings.by_uid(tx, link.id, calendar.id, booking.uid) is None:
        return  # made here, before the bookings came from there
    if any(group not in PERSONAL for _, group in changed(booking.text, text)):
        title = facts(booking.text).summary or "This booking"
        raise SourceRefuses(
            f"“{title}” was changed in a calendar app, but its bookings can only be changed in Picsello. "
            "Change it there.",
            booking.uid,
        )


def _needs_approval(user: UserRow, before: str, after: str) -> bool:
    """Whether the change to a booking waits for the user's answer (policy *approve*)."""
    return user.on_move == "approve" and any(group not in PERSONAL for _, group in changed(before, after))


def _suggest(
    tx: Connection,
    user: UserRow,
    calendar: CalendarRow,
    booking: StoredObject,
    text: str,
    *,
    actor: str,
    now: datetime,
) -> Put:
    """Keep the change as a suggestion, and the booking as it is, under a new ETag: the client's next sync
    brings the truth back."""
    suggestions.add(
        tx,
        user.id,
        calendar_id=calendar.id,
        uid=booking.uid,
        before=booking.text,
        after=text,
        actor=actor,
        now=now,
    )
    title = facts(booking.text).summary or "A booking"
    message = f"“{title}” was changed in a calendar app. The change waits for your approval."
    notices.add(tx, user.id, "approval", message, now=now, uid=booking.uid)
    zone = ZoneInfo(user.time_zone)
    kept = build.bumped(booking.text, now)
    stored = objects.put(
        tx, calendar.id, booking.href, kept, actor=actor, now=now, zone=zone, action="restore"
    )
    return Put(stored, changed_bytes=True, created=False)
