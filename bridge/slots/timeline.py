"""Busy time in order, so that what touches a stretch is found without looking at the rest."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date
from itertools import accumulate
from zoneinfo import ZoneInfo

from bridge.slots.days import day_of, week_of
from bridge.slots.rules import Busy


class Timeline:
    """All busy time of one question. Empty stretches take no time."""

    def __init__(self, busy: Iterable[Busy]):
        self._busy = sorted((one for one in busy if one.ends > one.starts), key=lambda one: one.starts)
        self._starts = [one.starts for one in self._busy]
        self._reach = list(accumulate((one.ends for one in self._busy), max))
        self._widest = max((max(one.before, one.after) for one in self._busy), default=0)

    def meeting(self, starts: int, ends: int, before: int = 0, after: int = 0) -> list[Busy]:
        """What leaves ``[starts, ends)`` less room than ``before`` and ``after``, or than it wants: the
        same free time serves both neighbours. Earliest first."""
        found: list[Busy] = []
        if ends <= starts:
            return found
        busy, reach, far = self._busy, self._reach, max(self._widest, before, after)
        position = bisect_left(self._starts, ends + far) - 1
        while position >= 0 and reach[position] + far > starts:
            one = busy[position]
            if starts < one.ends + max(before, one.after) and one.starts - max(after, one.before) < ends:
                found.append(one)
            position -= 1
        found.reverse()
        return found

    def sessions(self, zone: ZoneInfo) -> tuple[Counter[date], Counter[date]]:
        """How many sessions begin on each local day, and in each week (by its Monday)."""
        by_day = Counter(day_of(one.starts, zone) for one in self._busy if one.session)
        by_week: Counter[date] = Counter()
        for day, number in by_day.items():
            by_week[week_of(day)] += number
        return by_day, by_week

    def free(self, starts: int, ends: int) -> Iterator[tuple[int, int]]:
        """The stretches of ``[starts, ends)`` that nothing takes or wants free, in order."""
        moment = starts
        for opens, closes in sorted(
            (one.starts - one.before, one.ends + one.after) for one in self.meeting(starts, ends)
        ):
            if opens > moment:
                yield moment, opens
            moment = max(moment, closes)
        if moment < ends:
            yield moment, ends


def joined(stretches: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """The same time in order and without overlaps; what touches is one."""
    found: list[tuple[int, int]] = []
    for starts, ends in sorted(stretches):
        if not found or starts > found[-1][1]:
            found.append((starts, ends))
        elif ends > found[-1][1]:
            found[-1] = found[-1][0], ends
    return found
