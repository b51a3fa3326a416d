"""The slots of a span of days, and the reasons against any one time: the same judgement behind both."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from typing import NamedTuple

from bridge.slots.days import day_of, days, instant, part_of, week_of
from bridge.slots.rules import NEVER, Busy, Reason, Rules, Why
from bridge.slots.timeline import Timeline, joined


class Slot(NamedTuple):
    """A session that could begin at ``starts``; ``reasons`` against it, none if it is free."""

    starts: int
    ends: int
    reasons: tuple[Reason, ...]

    @property
    def free(self) -> bool:
        return not self.reasons

    @property
    def offered(self) -> bool:
        """On offer, free or taken; not in the past, a break, or too soon."""
        for reason in self.reasons:  # noqa: SIM110 - asked of every slot of a page: a third of any()'s time
            if reason.why in NEVER:
                return False
        return True


class Offer:
    """The rules and the busy time of one question, ready to be asked about many times.

    ``busy`` must hold everything that touches the asked span widened by ``reach`` on both sides, and for
    ``per_week`` the whole weeks; ``now`` is in seconds since 1970.
    """

    def __init__(self, rules: Rules, busy: Iterable[Busy], now: int):
        self.rules = rules
        self._timeline = Timeline(busy)
        self.now = now
        self._today = day_of(now, rules.zone)
        self._on_day, self._in_week = self._timeline.sessions(rules.zone)
        self._days_off = [self._closed(first, last) for first, last in rules.closed]
        self._shut: dict[date, list[Reason]] = {}

    def slots(self, first: int, last: int) -> list[Slot]:
        """Every slot that begins in ``[first, last)``, in order."""
        return [
            Slot(starts, starts + self.rules.length, self.reasons(starts, starts + self.rules.length))
            for starts in starts_between(self.rules, first, last)
        ]

    def slot(self, starts: int) -> Slot:
        """The slot at this very start; where none begins, ``NOT_OFFERED`` is among the reasons."""
        ends = starts + self.rules.length
        reasons = self.reasons(starts, ends)
        if starts not in starts_between(self.rules, starts, starts + 1):
            reasons = (Reason(Why.NOT_OFFERED, starts, ends), *reasons)
        return Slot(starts, ends, reasons)

    def reasons(self, starts: int, ends: int) -> tuple[Reason, ...]:
        """Everything against a session ``[starts, ends)``, whether or not one is offered then."""
        rules, day = self.rules, day_of(starts, self.rules.zone)
        found = [Reason(why, starts, ends) for why in self._against_moment(starts, day)]
        for opens, closes in self._days_off:
            if starts < closes and opens < ends:
                found.append(Reason(Why.CLOSED, opens, closes))
        last = day_of(ends - 1, rules.zone)
        for touched in (day,) if last == day else days(day, last):
            for part in self._shut_on(touched):
                if starts < part.ends and part.starts < ends:
                    found.append(part)
        if starts in rules.hidden_starts:
            found.append(Reason(Why.HIDDEN, starts, ends))
        if rules.per_day is not None and self._on_day[day] >= rules.per_day:
            found.append(Reason(Why.DAY_FULL, starts, ends))
        if rules.per_week is not None and self._in_week[week_of(day)] >= rules.per_week:
            found.append(Reason(Why.WEEK_FULL, starts, ends))
        found += [
            Reason(
                Why.BUSY if one.starts < ends and starts < one.ends else Why.BUFFER,
                one.starts,
                one.ends,
                one.source,
            )
            for one in self._timeline.meeting(starts, ends, rules.before, rules.after)
        ]
        found += [Reason(Why.UNREAD, starts, ends, source) for source in rules.unread]
        return tuple(found)

    def explain(self, starts: int, ends: int) -> tuple[Reason, ...]:
        """Everything against any stretch of time, the hours of the studio included."""
        outside = Timeline(Busy(*stretch) for stretch in self._open(starts, ends)).free(starts, ends)
        return (*(Reason(Why.NOT_OFFERED, *stretch) for stretch in outside), *self.reasons(starts, ends))

    def open_within(self, starts: int, ends: int) -> list[tuple[int, int]]:
        """The stretches of ``[starts, ends)`` in which the studio is open: its hours without its days off."""
        closed = Timeline(Busy(*stretch) for stretch in self._days_off)
        return [stretch for part in self._open(starts, ends) for stretch in closed.free(*part)]

    def room(self, starts: int, ends: int) -> list[tuple[int, int]]:
        """The stretches of ``[starts, ends)`` that nothing on a calendar takes."""
        return list(self._timeline.free(starts, ends))

    def _open(self, starts: int, ends: int) -> list[tuple[int, int]]:
        """The parts in which the studio is open, within ``[starts, ends)``; what touches is one."""
        zone = self.rules.zone
        parts = (
            part_of(day, part, zone)
            for day in days(day_of(starts, zone), day_of(ends - 1, zone))
            for part in self.rules.day(day).open
        )
        within = ((max(opens, starts), min(closes, ends)) for opens, closes in parts)
        return joined((first, last) for first, last in within if first < last)  # midnight parts nothing

    def _closed(self, first: date, last: date) -> tuple[int, int]:
        zone = self.rules.zone
        return instant(first, 0, zone), instant(last + timedelta(days=1), 0, zone)

    def _against_moment(self, starts: int, day: date) -> Iterable[Why]:
        rules = self.rules
        if starts < self.now:
            yield Why.PAST
        elif starts < self.now + rules.notice:
            yield Why.NOTICE
        if rules.furthest is not None and (day - self._today).days > rules.furthest:
            yield Why.FURTHEST

    def _shut_on(self, day: date) -> list[Reason]:
        """The breaks and hidden parts of a day, worked out once."""
        if (found := self._shut.get(day)) is None:
            parts = self.rules.day(day)
            found = self._shut[day] = [
                Reason(why, *part_of(day, part, self.rules.zone))
                for why, shut in ((Why.BREAK, parts.breaks), (Why.HIDDEN, parts.hidden))
                for part in shut
            ]
        return found


def starts_between(rules: Rules, first: int, last: int) -> list[int]:
    """Where slots begin in ``[first, last)``: from each part's opening, every length and gap, as long as the
    session ends by its closing; the last one needs no gap after it. In order, each once."""
    if last <= first:
        return []
    step = rules.length + rules.gap
    found: set[int] = set()
    for day in days(day_of(first, rules.zone), day_of(last - 1, rules.zone)):
        for part in rules.day(day).open:
            opens, closes = part_of(day, part, rules.zone)
            skipped = max(0, -((opens - first) // step))  # whole steps, rounded up
            found.update(range(opens + skipped * step, min(closes - rules.length + 1, last), step))
    return sorted(found)


def nearest(slots: Iterable[Slot], wanted: int, most: int = 5) -> list[Slot]:
    """The free slots nearest to a moment, in order of time."""
    free = sorted(
        (slot for slot in slots if slot.free), key=lambda slot: (abs(slot.starts - wanted), slot.starts)
    )
    return sorted(free[:most], key=lambda slot: slot.starts)


def reach(rules: Rules, widest: int = 0) -> int:
    """How far around a span busy time matters, in seconds; ``widest`` is the most that any busy time wants
    around itself."""
    around = rules.length + max(rules.before, rules.after, widest)
    return around + (
        8 * 86_400 if rules.per_week is not None else 2 * 86_400 if rules.per_day is not None else 0
    )
