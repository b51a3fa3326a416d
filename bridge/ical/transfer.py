"""Moving field groups, whole components and their zones from one text to another, line by line.

What moves keeps its bytes (its line end follows the receiver); all other bytes of the receiver stay.
What to move is decided by ``merge``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from bridge.ical import moments
from bridge.ical.definitions import definition, same_rules
from bridge.ical.fields import COMPONENT, GroupKey, Instance, Reading, group_of, reading, unit_value
from bridge.ical.text import Component, Line, with_line_end

Item = TypeVar("Item", Line, Component, Line | Component)

#: How many years after the last date a moved definition must hold for a repeating event.
_YEARS_AHEAD = 10
#: The stamps that travel with a change; the later one holds. SEQUENCE travels too, the higher one holds.
_STAMPS = ("DTSTAMP", "LAST-MODIFIED")
_OURS = frozenset({"X-PICSELLO-BRIDGE"})


class Receiver:
    """A text under change: a copy of what was read, and what has been moved into it."""

    def __init__(self, reading: Reading):
        self.before = reading
        self.calendar = reading.calendar.copy()
        copies = dict(zip(map(id, reading.calendar.components()), self.calendar.components(), strict=True))
        self.instances = {key: copies[id(component)] for key, component in reading.instances.items()}
        self._moved: dict[int, Line] = {}  # by id: the lines that came from the other text

    def take_group(self, source: Reading, instance: Instance, group: str) -> None:
        """Replace the lines (or sub-components) of a group by those of the source.

        Lines that mean the same stay as they are spelled here. A line that changed takes the place of
        the one of its name; what was not here goes behind the neighbour it has in the source."""
        target, giver = self.instances[instance], source.instances[instance]
        mine = _units(target, group, self.before.zones)
        theirs = _units(giver, group, source.zones)
        slots: list[list[Line | Component]] = [[], *([item] for item in target.items)]
        free = dict(mine)
        placed: dict[int, int] = {}  # index in the source -> slot
        for index, key in theirs.items():
            same = next((mine_index for mine_index, mine_key in free.items() if mine_key == key), None)
            if same is not None:
                del free[same]
                placed[index] = same + 1
        for index in theirs:
            if index not in placed:
                item = giver.items[index]
                spot = next((at for at in free if target.items[at].name == item.name), None)
                if spot is not None:
                    del free[spot]
                    slots[spot + 1] = [self._adopt(item, target.line_end)]
                else:
                    spot = _neighbour(giver, index, target, placed)
                    slots[spot + 1].append(self._adopt(item, target.line_end))
                placed[index] = spot + 1
        for index in free:
            slots[index + 1].clear()
        target.items = [item for slot in slots for item in slot]

    def take_component(self, source: Reading, instance: Instance) -> None:
        """Add a whole master or override, without our marker, behind those that are here."""
        added = self._adopt(source.instances[instance], self.calendar.line_end)
        added.items = [item for item in added.items if item.name not in _OURS]
        items = self.calendar.items
        last = max(
            (at for at, item in enumerate(items) if isinstance(item, Component)), default=len(items) - 1
        )
        items.insert(last + 1, added)
        self.instances[instance] = added

    def drop_component(self, instance: Instance) -> None:
        """Remove a master or override."""
        gone = self.instances.pop(instance)
        self.calendar.items = [item for item in self.calendar.items if item is not gone]

    def take_bookkeeping(self, source: Reading, instance: Instance) -> None:
        """The later DTSTAMP and LAST-MODIFIED and the higher SEQUENCE of both texts."""
        target, giver = self.instances[instance], source.instances[instance]
        for name in _STAMPS:
            self._take_greater(target, giver, name, lambda line: line.value.strip())
        self._take_greater(target, giver, "SEQUENCE", lambda line: _number(line.value))

    def _take_greater(
        self, target: Component, giver: Component, name: str, rank: Callable[[Line], str | int]
    ) -> None:
        index = next((at for at, item in enumerate(target.items) if item.name == name), None)
        offered, mine = giver.first(name), target.first(name)
        if offered is None or (mine is not None and rank(offered) <= rank(mine)):  # type: ignore[operator]
            return
        adopted = offered._replace(raw=with_line_end(offered.raw, target.line_end))
        if index is not None:
            target.items[index] = adopted
            return
        at = next(at for at, item in enumerate(giver.items) if item is offered)
        target.items.insert(_neighbour(giver, at, target, {}) + 1, adopted)

    def lift_exclusions(self, tolerated: frozenset[Instance]) -> None:
        """Take those instances out of EXDATE that have an override here: somebody excluded what somebody
        else edited, and the edit wins. Not those which a writer itself had put so (``tolerated``)."""
        master = self.instances.get(None)
        lifted = frozenset(self.instances) - tolerated
        if master is None or not lifted:
            return
        zones = moments.ZoneNames(self.calendar)
        kept: list[Line | Component] = []
        for item in master.items:
            if isinstance(item, Line) and item.name == "EXDATE":
                tzid = item.param("TZID")
                dates = item.value.split(",")
                left = [date for date in dates if moments.period(date, tzid, zones) not in lifted]
                if not left:
                    continue
                if len(left) < len(dates):
                    made = item.with_value(",".join(left))
                    item = made._replace(raw=with_line_end(made.raw, master.line_end))
            kept.append(item)
        master.items = kept

    def take_zones(self, source: Reading) -> None:
        """Bring the definitions that moved lines need, once everything has been moved.

        A different definition of the same TZID never mixes: if nothing else here uses the one that is
        here, it is replaced, else the moved lines get a name of their own."""
        moved = [line for line in self.calendar.deep_lines() if id(line) in self._moved]
        staying = [line for line in self.calendar.deep_lines() if id(line) not in self._moved]
        used = {line.param("TZID") for line in staying if line.params}
        for tzid in sorted({line.param("TZID") or "" for line in moved} - {""}):
            offered, mine = definition(source.calendar, tzid), definition(self.calendar, tzid)
            if offered is None:
                continue
            offered = _with_line_end(offered, self.calendar.line_end)
            years = _years(line for line in moved if line.param("TZID") == tzid)
            if mine is None:
                self._add_zone(offered)
            elif same_rules(offered, mine, *years):
                continue
            elif tzid not in used:
                index = next(at for at, item in enumerate(self.calendar.items) if item is mine)
                self.calendar.items[index] = offered
            else:
                self._rename_moved(tzid, self._add_renamed(tzid, offered, years))

    def _add_zone(self, zone: Component) -> None:
        items = self.calendar.items
        zones = [at for at, item in enumerate(items) if item.name == "VTIMEZONE"]
        first = next((at for at, item in enumerate(items) if isinstance(item, Component)), len(items))
        items.insert(zones[-1] + 1 if zones else first, zone)

    def _add_renamed(self, tzid: str, zone: Component, years: tuple[int, int]) -> str:
        """Add a definition under the first name of ours that is free, or means the same already."""
        plain = moments.OWN_PREFIX.sub("", tzid).lstrip("/")
        number = 1
        while True:
            name = f"/picsello-bridge/{number}/{plain}"
            there = definition(self.calendar, name)
            if there is None:
                break
            if same_rules(zone, there, *years):
                return name
            number += 1
        end = self.calendar.line_end
        zone.items = [_renamed(item, name, end) if item.name == "TZID" else item for item in zone.items]
        self._add_zone(zone)
        return name

    def _rename_moved(self, tzid: str, name: str) -> None:
        def rename(component: Component) -> None:
            for at, item in enumerate(component.items):
                if isinstance(item, Component):
                    rename(item)
                elif id(item) in self._moved and item.param("TZID") == tzid:
                    line = item.with_param("TZID", name)
                    line = line._replace(raw=with_line_end(line.raw, component.line_end))
                    self._moved[id(line)] = line
                    component.items[at] = line

        rename(self.calendar)

    def _adopt(self, item: Item, line_end: str) -> Item:
        """A copy with the receiver's line end, remembered as moved."""
        copy = _with_line_end(item, line_end)
        for line in copy.deep_lines() if isinstance(copy, Component) else [copy]:
            self._moved[id(line)] = line
        return copy


def with_groups(text: str, source: str, keys: Iterable[GroupKey]) -> str:
    """The text with these groups (or whole overrides) as the source has them."""
    receiver, giver = Receiver(reading(text)), reading(source)
    for instance, group in sorted(keys, key=lambda key: (key[0] or "", key[1])):
        if group != COMPONENT:
            receiver.take_group(giver, instance, group)
        elif instance in giver.instances:
            receiver.take_component(giver, instance)
        else:
            receiver.drop_component(instance)
    receiver.take_zones(giver)
    return receiver.calendar.serialize()


def exclusions(reading: Reading) -> frozenset[Instance]:
    """The instances that a text excludes by EXDATE."""
    master = reading.instances.get(None)
    if master is None:
        return frozenset()
    return frozenset(
        moments.period(date, line.param("TZID"), reading.zones)
        for line in master.lines("EXDATE")
        for date in line.value.split(",")
    )


def _units(component: Component, group: str, zones: moments.ZoneNames) -> dict[int, tuple[object, ...]]:
    """Index -> meaning of the lines and sub-components that make up a group."""
    found: dict[int, tuple[object, ...]] = {}
    for index, item in enumerate(component.items):
        if group_of(item.name) == group:
            meaning = unit_value(item, zones)
            if meaning or isinstance(item, Line):
                found[index] = (item.name, *meaning)
    return found


def _neighbour(giver: Component, index: int, target: Component, placed: dict[int, int]) -> int:
    """The index in ``target`` behind which the giver's item at ``index`` belongs (-1: before all)."""
    item = giver.items[index]
    for at in range(index - 1, -1, -1):
        if at in placed and type(giver.items[at]) is type(item):
            return placed[at] - 1
        before = giver.items[at]
        if isinstance(item, Line) and isinstance(before, Line) and before.name:
            same = [spot for spot, other in enumerate(target.items) if other.name == before.name]
            if same:
                return same[-1]
    if isinstance(item, Component):
        return len(target.items) - 1
    inner = (at for at, other in enumerate(target.items) if isinstance(other, Component))
    return next(inner, len(target.items)) - 1


def _with_line_end(item: Item, line_end: str) -> Item:
    """A copy with other line ends."""
    if isinstance(item, Line):
        return item._replace(raw=with_line_end(item.raw, line_end))
    items = [_with_line_end(part, line_end) for part in item.items]
    return Component(item.name, items, with_line_end(item.begin, line_end), with_line_end(item.end, line_end))


def _renamed(item: Line | Component, name: str, line_end: str) -> Line:
    assert isinstance(item, Line)
    line = item.with_value(name)
    return line._replace(raw=with_line_end(line.raw, line_end))


def _years(lines: Iterable[Line]) -> tuple[int, int]:
    """The years for which the definition of a moved line matters."""
    found = [int(line.value[:4]) for line in lines if line.value[:4].isdigit()]
    found = [year for year in found if 1900 <= year <= 9900] or [2020]
    return min(found), max(found) + _YEARS_AHEAD


def _number(value: str) -> int:
    value = value.strip()
    return int(value) if value.isascii() and value.isdigit() and len(value) < 10 else 0
