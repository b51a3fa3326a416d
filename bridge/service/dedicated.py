"""A calendar at the provider for the bookings alone: made there, or found if it is there already."""

from __future__ import annotations

from bridge.errors import NotAllowed
from bridge.ports import MakesCalendars, RemoteCalendar
from bridge.service import Bridge
from bridge.service.roles import Selected, calendars_of, listed, select

#: What it is called.
NAME = "Picsello"


def can_make(bridge: Bridge, account_id: int) -> bool:
    """Whether a calendar can be made there, perhaps after the user allowed it. Raises NotFound,
    ProviderError kinds."""
    provider = bridge.connect(account_id)
    try:
        return isinstance(provider, MakesCalendars)
    finally:
        provider.close()


def make(bridge: Bridge, account_id: int) -> RemoteCalendar:
    """The new calendar, or the one of that name. Raises NotFound, NotAllowed, ConsentNeeded (the user has to
    allow it there first), ProviderError kinds."""
    for known in listed(bridge, account_id):
        if known.name == NAME and known.writable:
            return known
    provider = bridge.connect(account_id)
    try:
        if not isinstance(provider, MakesCalendars):
            raise NotAllowed("A calendar can't be made there from here. Make one there, then choose it here.")
        return provider.make_calendar(NAME)
    finally:
        provider.close()


def make_and_choose(bridge: Bridge, account_id: int) -> Selected:
    """Make it and let the bookings go there, once their plan was looked at; what is read stays. Raises as
    ``make`` and ``select`` do."""
    made = make(bridge, account_id)
    here = calendars_of(bridge, account_id)
    read, edit = ([one.id for one in here if one.reads], [one.id for one in here if one.edits])
    return select(bridge, account_id, read=read, edit=edit, write=made.id, look=False)
