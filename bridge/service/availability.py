"""Is the photographer free, and why not: one answer behind booking pages, the API and the pages' explainer.

Busy is whatever takes time in the user's bookings calendar (bookings, holds, blocks) and in the mirrors of
those linked calendars that close slots. It fails closed: a linked calendar that has not been read lately may
hold anything, so nothing is promised until it has been. Judging is left to ``bridge.slots``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from bridge.ical.facts import facts
from bridge.service import Bridge
from bridge.slots.days import Part
from bridge.slots.offer import Offer, reach
from bridge.slots.rules import Busy, Day, Reason, Rules, Why
from bridge.slots.timeline import joined
from bridge.store import accounts, booking_events, busy, calendars, links
from bridge.store.booking_events import DayParts, EventRow, Opening
from bridge.store.calendars import CalendarRow
from bridge.store.links import LinkRow
from bridge.store.people import UserRow

#: A linked calendar must have agreed with us within this, or within three looks if those are further apart.
FRESH = timedelta(minutes=15)

#: Reasons that clients may be told; what exactly is in the way is the photographer's own business.
WORDS = {
    Why.PAST: "This time is over.",
    Why.NOTICE: "This is too soon to prepare for.",
    Why.FURTHEST: "This is further ahead than can be booked.",
    Why.NOT_OFFERED: "No session is offered then.",
    Why.CLOSED: "The studio is closed then.",
    Why.BREAK: "There is a break then.",
    Why.HIDDEN: "This time is taken.",
    Why.BUSY: "This time is taken.",
    Why.BUFFER: "This time is kept free around what comes before or after.",
    Why.DAY_FULL: "No more sessions are taken on this day.",
    Why.WEEK_FULL: "No more sessions are taken in this week.",
    Why.UNREAD: "A calendar could not be read lately, so nothing can be promised.",
}


@dataclass(frozen=True, slots=True)
class Source:
    """What takes some time: an object of one of the user's calendars."""

    calendar_id: int
    calendar: str
    object_id: int
    uid: str
    kind: str
    tentative: bool


@dataclass(frozen=True, slots=True)
class Explained:
    """One reason in words. ``title`` and ``calendar`` are for the owner's eyes only."""

    why: str
    words: str
    starts: int
    ends: int
    uid: str | None = None
    title: str | None = None
    calendar: str | None = None
    object_id: int | None = None


def offer(
    tx: Connection,
    bridge: Bridge,
    user: UserRow,
    rules: Rules,
    start: int,
    end: int,
    *,
    but: Collection[str] = (),
    named: bool = True,
) -> Offer:
    """Everything needed to judge times in ``[start, end)``; ``but``: UIDs of bookings that do not count (one
    that is to be moved). Without ``named`` the reasons do not say which event is in the way: faster."""
    opening = booking_events.opening_of(tx, user.id)
    known = links.of_user(tx, user.id)
    unread = tuple(link.name for link in known if _closes(link) and not is_fresh(bridge, link))
    buffers = booking_events.buffers(tx, user.id, opening.buffers)
    widest = max(map(max, buffers.values()), default=0)
    around = reach(rules, max(widest, opening.private_before, opening.private_after))
    first, last = start - around, end + around
    # one's own calendar says what takes the time where that matters: a booking that does not count, sessions
    # that want room or are counted, private time that wants room
    private = (opening.private_before, opening.private_after)
    told = but or widest or any(private) or rules.per_day is not None or rules.per_week is not None
    taken: list[Busy] = []
    unnamed: list[tuple[int, int]] = []
    for closing in _closing(tx, user, known):
        own = closing.calendar.kind == "bookings"
        if named or (own and told):
            taken += [
                one for one in _busy(tx, closing, opening, buffers, first, last) if _uid(one) not in but
            ]
        else:
            tentative = own or opening.tentative_blocks
            unnamed += busy.stretches(tx, closing.calendar, first, last, closing.me, tentative=tentative)
    taken += [Busy(starts, ends, None, *private) for starts, ends in joined(unnamed)]
    now = int(bridge.clock.now().timestamp())
    return Offer(replace(rules, unread=unread), taken, now)


def busy_between(tx: Connection, user: UserRow, start: int, end: int) -> list[Busy]:
    """All that takes the user's time in ``[start, end)`` (seconds since 1970); sources are ``Source``."""
    opening = booking_events.opening_of(tx, user.id)
    buffers = booking_events.buffers(tx, user.id, opening.buffers)
    return [
        one
        for closing in _closing(tx, user, links.of_user(tx, user.id))
        for one in _busy(tx, closing, opening, buffers, start, end)
    ]


def blocking(tx: Connection, user: UserRow) -> list[CalendarRow]:
    """The calendars that close slots."""
    return [closing.calendar for closing in _closing(tx, user, links.of_user(tx, user.id))]


@dataclass(frozen=True, slots=True)
class _Closing:
    """A calendar that closes slots, and the addresses under which the user is invited there."""

    calendar: CalendarRow
    me: frozenset[str]


def _closing(tx: Connection, user: UserRow, known: Iterable[LinkRow]) -> list[_Closing]:
    mirrors = {link.mirror_id: link for link in known if _closes(link)}
    names = {account.id: account.username.strip().lower() for account in accounts.of_user(tx, user.id)}
    found = []
    for calendar in calendars.of_user(tx, user.id):
        if calendar.kind == "bookings":
            found.append(_Closing(calendar, frozenset({user.email})))
        elif calendar.id in mirrors:
            me = {user.email, names[mirrors[calendar.id].account_id]}
            found.append(_Closing(calendar, frozenset(me)))
    return found


def _busy(
    tx: Connection,
    closing: _Closing,
    opening: Opening,
    buffers: Mapping[int, tuple[int, int]],
    start: int,
    end: int,
) -> list[Busy]:
    calendar, own = closing.calendar, closing.calendar.kind == "bookings"
    wide = own and any(map(any, buffers.values()))
    booked = booking_events.booked(tx, calendar, start, end) if wide else {}
    private = (opening.private_before, opening.private_after)
    found = []
    for row in busy.between(tx, calendar, start, end, closing.me):
        if row.tentative and not own and not opening.tentative_blocks:
            continue
        session = row.kind == "booking"
        before, after = buffers.get(booked.get(row.object_id, 0), (0, 0)) if session else private
        source = Source(calendar.id, calendar.title, row.object_id, row.uid, row.kind, row.tentative)
        found.append(Busy(row.starts, row.ends, source, before, after, session))
    return found


def _uid(one: Busy) -> str:
    return one.source.uid if isinstance(one.source, Source) else ""


def _closes(link: LinkRow) -> bool:
    return link.reads and link.blocks_slots


def is_fresh(bridge: Bridge, link: LinkRow) -> bool:
    """Whether what we know of a linked calendar may be relied on."""
    bound = max(FRESH, timedelta(seconds=3 * bridge.settings.poll_seconds))
    return (
        link.agreed_at is not None
        and link.mirror_id is not None
        and link.state != "gone"
        and bridge.clock.now() - link.agreed_at <= bound
    )


# --- rules from rows -------------------------------------------------------------------------------


def rules_of(tx: Connection, event: EventRow, user: UserRow) -> Rules:
    """The rules of a booking event. Where it names its days, they count instead of the opening hours."""
    opening = booking_events.opening_of(tx, user.id)
    before, after = booking_events.buffers(tx, user.id, opening.buffers)[event.id]
    return replace(
        everyday(opening, ZoneInfo(user.time_zone), event.length),
        gap=event.gap,
        dates=None if event.days is None else {date.fromisoformat(d): _day(p) for d, p in event.days.items()},
        hidden_starts=frozenset(event.hidden_starts),
        before=before,
        after=after,
        notice=event.notice,
        furthest=event.furthest,
        per_day=event.per_day,
        per_week=event.per_week,
    )


def everyday(opening: Opening, zone: ZoneInfo, length: int) -> Rules:
    """The rules of a user's ordinary days: opening hours and days off."""
    hours = None
    if opening.hours is not None:
        hours = {int(weekday): Day(_parts(parts)) for weekday, parts in opening.hours.items()}
    closed = [(date.fromisoformat(first), date.fromisoformat(last)) for first, last in opening.closed]
    return Rules(zone, length, hours=hours, closed=closed)


def _day(parts: DayParts) -> Day:
    return Day(*(_parts(parts.get(name, ())) for name in ("open", "breaks", "hidden")))


def _parts(parts: Iterable[Sequence[int]]) -> tuple[Part, ...]:
    return tuple(Part(opens, closes) for opens, closes in parts)


# --- the explainer ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Answer:
    """``free``: there is room for ``length`` seconds within ``[starts, ends)``; ``room``: all such stretches;
    ``reasons``: everything in the way within."""

    starts: int
    ends: int
    length: int
    free: bool
    room: Sequence[tuple[int, int]]
    reasons: Sequence[Explained]


def explain(
    tx: Connection, bridge: Bridge, user: UserRow, starts: int, ends: int, length: int | None = None
) -> Answer:
    """Whether the user is free in ``[starts, ends)``, or for ``length`` seconds in it, and why not."""
    wanted = ends - starts if length is None else length
    rules = everyday(booking_events.opening_of(tx, user.id), ZoneInfo(user.time_zone), wanted)
    asked = offer(tx, bridge, user, rules, starts, ends)
    reasons = asked.explain(starts, ends)
    room = [] if asked.rules.unread else _room(asked, starts, ends, wanted)
    return Answer(starts, ends, wanted, bool(room), room, explained(tx, reasons))


def explain_session(
    tx: Connection, bridge: Bridge, user: UserRow, event: EventRow, starts: int
) -> tuple[bool, list[Explained]]:
    """Whether a client could book a session of the event that begins then, and why not."""
    ends = starts + event.length
    slot = offer(tx, bridge, user, rules_of(tx, event, user), starts, ends).slot(starts)
    free = slot.free and event.status == "active"
    reasons = explained(tx, slot.reasons)
    if event.status != "active":
        closed = Explained("disabled", "This booking page takes no bookings at the moment.", starts, ends)
        reasons.insert(0, closed)
    return free, reasons


def _room(asked: Offer, starts: int, ends: int, wanted: int) -> list[tuple[int, int]]:
    """What nothing takes and opening hours and days off allow, at least as long as wanted."""
    found = []
    for first, last in asked.room(max(starts, asked.now), ends):
        for opens, closes in asked.open_within(first, last):
            if closes - opens >= wanted:
                found.append((opens, closes))
    return found


def explained(tx: Connection, reasons: Iterable[Reason]) -> list[Explained]:
    """The reasons in words, with the events behind them, for their owner."""
    reasons = list(reasons)
    sources = [reason.source for reason in reasons if isinstance(reason.source, Source)]
    texts = busy.texts(tx, {source.object_id for source in sources})
    titles = {object_id: facts(text).summary for object_id, text in texts.items()}
    found = []
    for reason in reasons:
        one = Explained(reason.why.value, WORDS[reason.why], reason.starts, reason.ends)
        if isinstance(reason.source, Source):
            title = titles.get(reason.source.object_id, "")
            one = replace(
                one,
                uid=reason.source.uid,
                title=title,
                calendar=reason.source.calendar,
                object_id=reason.source.object_id,
            )
        elif isinstance(reason.source, str):
            one = replace(one, calendar=reason.source)
        found.append(one)
    return found
