"""The properties of everything we serve, each as a function that writes its content (RFC 4918 15).

Four kinds of resources: the root, a user's principal (which is their calendar home), a calendar, an object.
A property that a resource does not have is None. What many objects have alike (``OBJECT_ALIKE``) is written
once for all of them; what differs (``OBJECT_OWN``) comes from the row, and says how much of the row it needs.
"""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from bridge.errors import Invalid
from bridge.ical.text import parse
from bridge.ical.vtimezone import vtimezone
from bridge.ical.zones import Zones, iana_name
from bridge.store import calendars, objects, shown
from bridge.store.calendars import CalendarRow
from radicale_plugin import deadprops
from radicale_plugin.deadprops import DISPLAYNAME, TIME_ZONE, TIME_ZONE_ID
from radicale_plugin.export import whole_calendar
from radicale_plugin.item import http_date
from radicale_plugin.multistatus import element, escaped, href
from radicale_plugin.request import Request
from radicale_plugin.runtime import Runtime
from radicale_plugin.xmlbody import CALDAV, DAV

CALENDARSERVER = "{http://calendarserver.org/ns/}"
RESOURCE_TYPE = DAV + "resourcetype"
CALENDAR_DATA = CALDAV + "calendar-data"
COMPONENT_SET = CALDAV + "supported-calendar-component-set"

#: How much of an object's row a property needs: a ``Named``, a ``Shown``, a whole ``StoredObject``.
NAME, TEXT, WHOLE = 0, 1, 2

COLLATIONS = ("i;ascii-casemap", "i;octet", "i;unicode-casemap")
_READ = "<privilege><read/></privilege>"
#: Calendars of one's own are made and deleted in the home (RFC 3744 3.9, 3.10).
_MAKE = "<privilege><bind/></privilege><privilege><unbind/></privilege>"
_FREE_BUSY = "<privilege><C:read-free-busy/></privilege>"
_WRITE = "".join(
    f"<privilege><{name}/></privilege>" for name in ("all", "write", "write-properties", "write-content")
)
_OUR_NAMESPACE = uuid.UUID("5b0f4a5c-6f0e-4f3e-9f59-1c1d3f0f7c11")


@dataclass(frozen=True, slots=True)
class Asking:
    """One request, and what writing its answer takes."""

    request: Request
    actor: str
    runtime: Runtime

    @property
    def home(self) -> str:
        return self.request.address(self.request.user)

    def calendar(self, row: CalendarRow) -> str:
        """The calendar's address."""
        return self.request.address(self.request.user, row.name)

    def used(self, *rows: CalendarRow) -> int:
        """The bytes that the objects of these calendars have together; of all calendars if none is named."""
        with self.runtime.transaction("r") as tx:
            wanted = rows or calendars.of_email(tx, self.request.user)
            return sum(shown.size(tx, row.id) for row in wanted)

    def length(self, row: CalendarRow) -> int:
        """The bytes of a GET of the calendar."""
        with self.runtime.transaction("r") as tx:
            return sum(map(len, whole_calendar(title(row), shown.texts(tx, row.id))))


Of = Callable[[Asking], str | None]
OfCalendar = Callable[[Asking, CalendarRow], str | None]


def _reports(*names: str) -> str:
    return "".join(f"<supported-report><report><{name}/></report></supported-report>" for name in names)


def _free(asking: Asking) -> str | None:
    """Nobody has a quota here: what the disk of the data folder has left is all there is (RFC 4331 3)."""
    bridge = asking.runtime.bridge
    return str(shutil.disk_usage(bridge.settings.data).free) if bridge.db.on_sqlite else None


#: What every resource has.
EVERY: Mapping[str, Of] = {
    DAV + "current-user-principal": lambda asking: href(asking.home),
    DAV + "principal-collection-set": lambda asking: href(asking.request.address()),
    CALDAV + "max-resource-size": lambda asking: str(asking.runtime.max_object),
}

ROOT: Mapping[str, Of] = {
    **EVERY,
    RESOURCE_TYPE: lambda _: "<collection/>",
    DAV + "owner": lambda _: "",
    DAV + "current-user-privilege-set": lambda _: _READ,
    DAV + "supported-report-set": lambda _: _reports(
        "principal-property-search", "principal-search-property-set"
    ),
}

PRINCIPAL: Mapping[str, Of] = {
    **ROOT,
    RESOURCE_TYPE: lambda _: "<principal/><collection/>",
    DISPLAYNAME: lambda asking: escaped(asking.request.user),
    DAV + "owner": lambda asking: href(asking.home),
    DAV + "current-user-privilege-set": lambda _: _READ + _MAKE,
    DAV + "principal-URL": lambda asking: href(asking.home),
    DAV + "group-membership": lambda _: "",
    DAV + "quota-used-bytes": lambda asking: str(asking.used()),
    DAV + "quota-available-bytes": _free,
    CALDAV + "calendar-home-set": lambda asking: href(asking.home),
    CALDAV + "calendar-user-address-set": lambda asking: (
        href(f"mailto:{asking.request.user}") + href(asking.home)
    ),
    CALDAV + "calendar-user-type": lambda _: "INDIVIDUAL",
}


def privileges(row: CalendarRow) -> str:
    """What clients see of ``rights``: a calendar that may not be changed looks it."""
    return _READ + _WRITE if row.editable else _READ


def title(row: CalendarRow) -> str:
    """The name a client gave the calendar, or ours."""
    return deadprops.plain(row.props.get(DISPLAYNAME, "")) or row.title


def zone_of(row: CalendarRow) -> ZoneInfo:
    """The zone of dates and floating times: the client's choice (RFC 4791 5.2.2), or the user's."""
    named = deadprops.plain(row.props.get(TIME_ZONE_ID, "")).strip()
    if not named and TIME_ZONE in row.props:
        return zone_in(deadprops.plain(row.props[TIME_ZONE]), row)
    return ZoneInfo(iana_name(named) or row.time_zone)


def zone_in(text: str, row: CalendarRow) -> ZoneInfo:
    """The zone that an iCalendar with a VTIMEZONE names; the user's if it names none we know."""
    fallback = ZoneInfo(row.time_zone)
    try:
        calendar = parse(text)
    except Invalid:
        return fallback
    zones = Zones(calendar, fallback)
    for definition in calendar.components("VTIMEZONE"):
        found = zones.get(definition.value("TZID") or "")
        if isinstance(found, ZoneInfo):
            return found
    return fallback


@lru_cache(maxsize=50)
def _definition(name: str, year: int) -> str:
    body = vtimezone(name, date(year - 5, 1, 1), date(year + 5, 12, 31))
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//picsello-bridge//EN\r\n{body}END:VCALENDAR\r\n"


def resource_id(row: CalendarRow, object_id: int | None = None) -> str:
    """RFC 5842 3.1: stays when the resource moves."""
    name = f"{row.generation}:{row.id}:{object_id or ''}"
    return href(uuid.uuid5(_OUR_NAMESPACE, name).urn)


def _for_each(write: Of) -> OfCalendar:
    return lambda asking, _: write(asking)


CALENDAR: Mapping[str, OfCalendar] = {
    **{name: _for_each(write) for name, write in EVERY.items()},
    RESOURCE_TYPE: lambda _, row: "<C:calendar/><collection/>",
    DAV + "getetag": lambda _, row: escaped(etag(row)),
    CALENDARSERVER + "getctag": lambda _, row: escaped(etag(row)),
    DAV + "sync-token": lambda _, row: objects.token(row),
    DAV + "getlastmodified": lambda _, row: http_date(row.modified),
    DAV + "getcontentlength": lambda asking, row: str(asking.length(row)),
    DAV + "getcontenttype": lambda _, row: "text/calendar",
    DAV + "owner": lambda asking, _: href(asking.home),
    DAV + "current-user-privilege-set": lambda _, row: privileges(row) + _FREE_BUSY,
    DAV + "supported-report-set": lambda _, row: _reports(
        "C:calendar-query", "C:calendar-multiget", "C:free-busy-query", "sync-collection"
    ),
    DAV + "resource-id": lambda _, row: resource_id(row),
    DAV + "quota-used-bytes": lambda asking, row: str(asking.used(row)),
    DAV + "quota-available-bytes": lambda asking, _: _free(asking),
    COMPONENT_SET: lambda _, row: "".join(f'<C:comp name="{name}"/>' for name in row.components),
    CALDAV + "supported-calendar-data": lambda _, row: (
        '<C:calendar-data content-type="text/calendar" version="2.0"/>'
    ),
    CALDAV + "supported-collation-set": lambda _, row: "".join(
        f"<C:supported-collation>{name}</C:supported-collation>" for name in COLLATIONS
    ),
    CALDAV + "min-date-time": lambda _, row: "00010101T000000Z",
    CALDAV + "max-date-time": lambda _, row: "99991231T235959Z",
}

#: Live, but a client may say otherwise: what holds as long as nobody has.
UNLESS_SET: Mapping[str, OfCalendar] = {
    DISPLAYNAME: lambda _, row: escaped(row.title),
    TIME_ZONE: lambda _, row: escaped(
        _definition(zone_of(row).key, (row.modified.year // 5) * 5)  # written anew now and then, not always
    ),
    TIME_ZONE_ID: lambda _, row: escaped(zone_of(row).key),
    CALDAV + "schedule-calendar-transp": lambda _, row: "<C:opaque/>",
}


def etag(row: CalendarRow) -> str:
    """The ctag: moves with every change of the objects or the properties."""
    return f'"{row.id}-{row.generation}-{row.seq}"'


OBJECT_ALIKE: Mapping[str, OfCalendar] = {
    **{name: _for_each(write) for name, write in EVERY.items()},
    RESOURCE_TYPE: lambda _, row: "",
    DAV + "owner": lambda asking, _: href(asking.home),
    DAV + "current-user-privilege-set": lambda _, row: privileges(row),
    DAV + "supported-report-set": lambda _, row: "",
}

#: How much of the row it needs, and the content. ``calendar-data`` is the reports' own.
OBJECT_OWN: Mapping[str, tuple[int, Callable[[CalendarRow, Any], str]]] = {
    DAV + "getetag": (NAME, lambda _, stored: f'"{stored.etag}"'),
    DAV + "getcontenttype": (
        NAME,
        lambda _, stored: f"text/calendar;charset=utf-8;component={escaped(stored.component)}",
    ),
    DAV + "getcontentlength": (TEXT, lambda _, stored: str(len(stored.text.encode()))),
    DAV + "resource-id": (TEXT, lambda row, stored: resource_id(row, stored.id)),
    DAV + "getlastmodified": (WHOLE, lambda _, stored: http_date(stored.modified)),
    DAV + "creationdate": (WHOLE, lambda _, stored: _iso(stored.created)),
}

#: Ours to say, whatever a client would like (RFC 4918 15: protected).
PROTECTED = frozenset(
    {*PRINCIPAL, *CALENDAR, *OBJECT_OWN, DAV + "acl", DAV + "lockdiscovery", DAV + "supportedlock"}
) - {DISPLAYNAME}


def of_calendar(asking: Asking, row: CalendarRow, name: str) -> str | None:
    """The property as an element; None: the calendar has none of that name."""
    write = CALENDAR.get(name)
    if write is None:
        value = deadprops.visible(row, asking.actor).get(name)
        if value is not None and (value or name != DISPLAYNAME):
            return deadprops.written(name, value)
        write = UNLESS_SET.get(name)
    content = write(asking, row) if write else None
    return None if content is None else element(name, content)


def _iso(moment: datetime) -> str:
    """RFC 3339, as creationdate is written (RFC 4918 15.1)."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
