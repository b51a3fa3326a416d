"""What the engine may ask of the outside world: a clock, and a spoke (provider or source).

Plain values and Protocols only; no I/O and no policy. One conformance suite
(``tests/contracts/provider_contract.py``) runs over every implementation of ``Provider``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, runtime_checkable


class Clock(Protocol):
    """Where time comes from. Nothing below the wiring asks the system for it."""

    def now(self) -> datetime:
        """The present moment, aware, in UTC."""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a provider can do, declared by its kind and probed where servers differ (R-CAPS)."""

    writes: bool = True  # objects may be created, changed and deleted at all
    conditional_writes: bool = True  # If-Match / If-None-Match are honoured
    sync_token: bool = True  # changes(cursor) can be incremental
    trusts_token: bool = True  # an unknown token is refused, not silently answered in full
    tells_all: bool = True  # a delta leaves nothing out that a full listing would show
    lists_everything: bool = True  # a listing without cursor is complete: absence means deletion


@dataclass(frozen=True, slots=True)
class RemoteCalendar:
    """One calendar at a provider. ``id`` is stable (CalDAV: the URL path as the server spells it)."""

    id: str
    name: str
    color: str | None = None  # as the provider gives it, usually #RRGGBB or #RRGGBBAA
    writable: bool = True
    events: bool = True  # holds VEVENT


@dataclass(frozen=True, slots=True)
class Entry:
    """One remote object. ``tag`` is opaque. ``text`` is the original iCalendar text with CRLF line ends,
    or None where a listing did not carry it. ``read_after`` marks the answer to a write that had to be read
    by a request of its own: somebody may have been there in between."""

    href: str
    tag: str
    text: str | None = None
    read_after: bool = False


@dataclass(frozen=True, slots=True)
class Changes:
    """What a provider reported since a cursor.

    ``complete``: the entries are *all* objects of the calendar, so absence means deletion; otherwise
    they are a delta and only ``gone`` means deletion. ``cursor`` is what to pass next time
    (opaque, JSON-safe), None if the provider has none. ``rest``: the seconds that the provider asks us to
    wait before we ask again, if it does.
    """

    entries: Sequence[Entry]
    gone: frozenset[str]
    complete: bool
    cursor: str | None
    rest: float | None = None


@dataclass(frozen=True, slots=True)
class Channel:
    """A provider's promise to tell us when a calendar changes. ``name`` is what its notices call it,
    ``resource`` what some want to hear again when it is to end, ``expires`` when it does so by itself."""

    name: str
    resource: str
    expires: datetime


@runtime_checkable
class Announcing(Protocol):
    """A provider that can tell us of changes, as a hint: what changed is asked for all the same."""

    def watch(self, calendar: str, address: str, secret: str, known: Channel | None) -> Channel:
        """Be told at ``address`` (https) from now on, with ``secret`` in every notice. ``known``, if any,
        is the channel to the same address that this one follows. Raises ``ProviderError`` kinds."""

    def unwatch(self, channel: Channel) -> None:
        """Let it end. One that has ended already is no error. Raises ``ProviderError`` kinds."""


@runtime_checkable
class MakesCalendars(Protocol):
    """A provider where a calendar of its own can be made for the bookings."""

    def make_calendar(self, name: str) -> RemoteCalendar:
        """A new, empty calendar for events. Raises ConsentNeeded (the user has to allow it first),
        NotPermitted (not allowed there), UnknownOutcome (look whether it is listed before trying again) and
        other ``ProviderError`` kinds."""


class Provider(Protocol):
    """A signed-in spoke. All methods raise ``bridge.errors.ProviderError`` kinds and nothing else.

    Implementations are used by one thread at a time. ``requests`` counts every HTTP request made,
    the refused ones included.
    """

    @property
    def capabilities(self) -> Capabilities:
        """What it can do, as far as is known by now."""

    @property
    def requests(self) -> int:
        """How many HTTP requests were made so far."""

    def calendars(self) -> list[RemoteCalendar]:
        """All calendars of the account that can hold events. Raises SignInNeeded, NotACalendarServer."""

    def survey(self) -> Mapping[str, str] | None:
        """One request that tells for every calendar id the cursor ``changes`` would now return, or None
        where the provider can't. A calendar whose survey equals its stored cursor needs no ``changes``."""

    def changes(self, calendar: str, cursor: str | None) -> Changes:
        """What changed since ``cursor`` (None: everything). Raises CursorLost, CalendarGone."""

    def fetch(self, calendar: str, hrefs: Sequence[str]) -> Iterator[Entry]:
        """The objects' texts, in batches. An href missing from the answer no longer exists."""

    def put(self, calendar: str, href: str, text: str, expect: str | None) -> Entry:
        """Create (``expect`` None: must not exist) or update (``expect``: the tag it must still have).

        The entry carries the new tag, and the text if the provider had to read it back (no tag in the
        answer). Raises TagMismatch, ObjectGone, ObjectRefused, NotPermitted, UnknownOutcome."""

    def delete(self, calendar: str, href: str, expect: str) -> None:
        """Delete the object if it still has the tag. Raises TagMismatch, ObjectGone, UnknownOutcome."""

    def new_href(self, calendar: str, key: str) -> str:
        """The href for a new object, derived from ``key`` alone, so that a repeated create is found."""

    def close(self) -> None:
        """Give up connections."""
