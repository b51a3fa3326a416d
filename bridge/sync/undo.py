"""What undoing a pass means for one object: a pure function of what the pass did and of how things are now.

Each side that the pass wrote goes back to what it held before, unless somebody has changed it since. The
bases stay what they were: a side that was put back counts as edited, and the next pass carries that to the
other side like any edit, so that both agree again and the undone change does not come back by itself.
Two writes can't be left at that. A copy that was made goes without its original being deleted: over there
both sides agree that it is not there, here it is hidden. A copy that was deleted over there comes back
together with its original. Reading, writing and remembering are left to ``bridge.service.undo``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from bridge.errors import Invalid
from bridge.ical.facts import facts
from bridge.ical.fields import changed
from bridge.sync.plan import Hub, Remote


class Row(Protocol):
    """A journal row, as far as it matters here."""

    @property
    def side(self) -> str: ...
    @property
    def action(self) -> str: ...
    @property
    def calendar_id(self) -> int | None: ...
    @property
    def uid(self) -> str: ...
    @property
    def href(self) -> str: ...
    @property
    def before(self) -> str | None: ...
    @property
    def after(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Change:
    """What a pass did to one side of an object, all in all. ``hid`` and ``showed``: nothing but that."""

    href: str
    before: str | None
    after: str | None
    hid: bool = False
    showed: bool = False


@dataclass(frozen=True, slots=True)
class Touched:
    """One object that a pass wrote, on one side or both."""

    calendar_id: int
    uid: str
    here: Change | None
    there: Change | None

    @property
    def title(self) -> str:
        for change in (self.here, self.there):
            text = change and (change.after or change.before)
            if text:
                return facts(text).summary or "an event without a title"
        return self.uid


@dataclass(frozen=True, slots=True)
class PutHere:
    """Write ``text`` here, visible or hidden."""

    text: str
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class PutThere:
    """Write ``text`` there: over the version ``expect``, or anew."""

    text: str
    expect: str | None


@dataclass(frozen=True, slots=True)
class DeleteThere:
    """Take our copy back, if it is still the version ``expect``."""

    expect: str


@dataclass(frozen=True, slots=True)
class Undo:
    """What to do on either side, or ``why`` not (a sentence). Nothing of all: it is as it was already."""

    here: PutHere | None = None
    there: PutThere | DeleteThere | None = None
    why: str | None = None


def touched(rows: Iterable[Row]) -> list[Touched]:
    """The journal of one pass (oldest first), summed up per object."""
    sides: dict[tuple[int, str], dict[str, list[Row]]] = {}
    for row in rows:
        if row.calendar_id is not None:
            sides.setdefault((row.calendar_id, row.uid), {}).setdefault(row.side, []).append(row)
    return [
        Touched(calendar_id, uid, _net(of.get("hub")), _net(of.get("remote")))
        for (calendar_id, uid), of in sides.items()
    ]


def _net(rows: list[Row] | None) -> Change | None:
    if not rows:
        return None
    first, last = rows[0], rows[-1]
    same = first.before is not None and first.before == last.after
    return Change(
        last.href,
        first.before,
        last.after,
        hid=same and last.action == "delete",
        showed=same and last.action == "restore",
    )


def decide(one: Touched, hub: Hub | None, remote: Remote | None, calendar: str) -> Undo:
    """What undoing means for this object. ``hub`` and ``remote`` are how it is now (``remote`` only matters
    where the pass wrote there); ``calendar`` is the other side's name, for sentences."""
    here, there = one.here, one.there
    if here is not None and not (_as_left(here, hub) or _as_before(here, hub)):
        return Undo(why=f"“{one.title}” was changed here since, so it stays as it is.")
    if there is not None and not (_holds(there.after, remote) or _holds(there.before, remote)):
        return Undo(why=f"“{one.title}” was changed in {calendar} since, so it stays as it is.")
    went = there is not None and there.after is None and there.before is not None
    if went and hub is not None and hub.cancelled:
        return Undo(why=f"“{one.title}” is cancelled here, so it was not put back in {calendar}.")
    steps_here = None if here is None or _as_before(here, hub) else _here(here, hub)
    steps_there = None if there is None or _holds(there.before, remote) else _there(there, remote)
    return Undo(steps_here, steps_there)


def _here(change: Change, hub: Hub | None) -> PutHere:
    if change.hid:
        assert change.before is not None
        return PutHere(change.before)
    if change.before is None or change.showed:
        assert hub is not None
        return PutHere(hub.text, hidden=True)
    hidden = hub is not None and hub.hidden and not hub.cancelled
    return PutHere(change.before, hidden)


def _there(change: Change, remote: Remote | None) -> PutThere | DeleteThere:
    if change.before is None:
        assert remote is not None
        return DeleteThere(remote.tag)
    return PutThere(change.before, remote.tag if remote else None)


def _as_left(change: Change, hub: Hub | None) -> bool:
    """Whether our side is as the pass left it."""
    if change.hid or change.showed:
        return hub is not None and hub.hidden == change.hid and _same(change.after, hub.text)
    return _same(change.after, hub.text if hub else None)


def _as_before(change: Change, hub: Hub | None) -> bool:
    """Whether our side is as it was before the pass already; what is hidden stands for what never was."""
    if change.hid or change.showed:
        return hub is not None and hub.hidden == change.showed and _same(change.before, hub.text)
    if change.before is None and hub is not None and hub.hidden and not hub.cancelled:
        return True
    return _same(change.before, hub.text if hub else None)


def _holds(text: str | None, remote: Remote | None) -> bool:
    return _same(text, remote.text if remote else None)


def _same(one: str | None, other: str | None) -> bool:
    if one is None or other is None:
        return one is other
    try:
        return one == other or not changed(one, other)
    except Invalid:  # somebody left something there that is no event
        return False
