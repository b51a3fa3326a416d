"""calendar-query and calendar-multiget (RFC 4791 7.8, 7.9), answered from the store and its time index."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from bridge.errors import Invalid
from bridge.ical.occurrences import occurrences
from bridge.ical.zones import iana_name
from bridge.store import contents, horizon, shown
from bridge.store.calendars import CalendarRow
from bridge.store.shown import Shown
from radicale_plugin import filters, multistatus, paths
from radicale_plugin.answers import Answer
from radicale_plugin.lines import Lines, Show, names
from radicale_plugin.properties import CALENDAR_DATA, WHOLE, Asking, zone_in, zone_of
from radicale_plugin.report import Expansion
from radicale_plugin.views import View
from radicale_plugin.xmlbody import CALDAV, DAV

#: No zone is further from another, in seconds; candidates of a query in another zone than the index's.
_APART = 27 * 3600


def multiget(asking: Asking, tx: Connection, row: CalendarRow, root: ET.Element) -> Answer:
    """Each href once; what is not there, or not in this calendar, is a 404 of its own."""
    lines = _lines(asking, row, root, zone_of(row), keep=True)
    base = f"{asking.request.prefix}{asking.request.path}".rstrip("/") + "/"
    wanted = dict.fromkeys((said.text or "").strip() for said in root.findall(DAV + "href"))
    named = {said: _name(said, base) for said in wanted}
    hrefs = [name for name in named.values() if name is not None]
    found: dict[str, Any] = dict(
        contents.get_many(tx, row.id, hrefs) if lines.needs == WHOLE else shown.of_hrefs(tx, row.id, hrefs)
    )
    there = [found[name] for name in dict.fromkeys(hrefs) if name in found]
    gone = [said for said, name in named.items() if name not in found]
    return multistatus.answer([*lines.of(there), *(multistatus.status(said, 404) for said in gone)])


def _name(said: str, base: str) -> str | None:
    """The name in the calendar at ``base`` that an href of a multiget spells; None for what no address may
    hold: nothing can be there, and PostgreSQL does not even look for some of it."""
    try:
        path = paths.checked(unquote_to_bytes(urlsplit(said).path))
    except (ValueError, Invalid):
        return None
    name = path.removeprefix(base)
    return name if path.startswith(base) and name and "/" not in name else None


def query(asking: Asking, tx: Connection, row: CalendarRow, root: ET.Element) -> Answer:
    """Raises Invalid for a filter or a form of the data that we don't know."""
    zone = _zone(root, row)
    lines = _lines(asking, row, root, zone, keep=False)
    found: Iterable[Any] = matching(tx, row, root.findall(CALDAV + "filter"), zone)
    if lines.needs == WHOLE:
        found = contents.get_many(tx, row.id, (stored.href for stored in found)).values()
    return multistatus.answer(lines.of(found))


def matching(tx: Connection, row: CalendarRow, rules: Sequence[ET.Element], zone: ZoneInfo) -> Iterator[Any]:
    """The objects (``Shown``) that pass every filter; floating times and dates are read in ``zone``."""
    window = filters.only_window(rules)
    uid = filters.only_uid(rules)
    known: dict[tuple[int | None, int | None], set[int]] = {}

    def ids(start: int | None, end: int | None) -> set[int]:
        if (start, end) not in known:
            known[start, end] = {stored.id for stored in in_range(tx, row, start, end, zone)}
        return known[start, end]

    candidates: Iterable[Any] = shown.of_uid(tx, row.id, uid) if uid else ()
    if not candidates and window:
        candidates = in_range(tx, row, *window, zone)
        known[window] = {stored.id for stored in candidates}
    elif not candidates:
        candidates = shown.everything(tx, row.id)
    return (stored for stored in candidates if filters.matches(rules, stored, ids, zone))


def in_range(
    tx: Connection, row: CalendarRow, start: int | None, end: int | None, zone: ZoneInfo
) -> Sequence[Shown]:
    """The objects with an occurrence in ``[start, end)``, dates and floating times being ``zone``'s."""
    if zone.key == row.time_zone:
        return horizon.shown_in_range(tx, row, start, end)
    first = horizon.FIRST if start is None else start
    last = horizon.LAST if end is None else end
    candidates = horizon.shown_in_range(tx, row, first - _APART, last + _APART)
    return [stored for stored in candidates if _takes_place(stored.text, first, last, zone)]


def _takes_place(text: str, first: int, last: int, zone: ZoneInfo) -> bool:
    try:
        return bool(occurrences(text, first, last, zone))
    except Invalid:
        return False


def _zone(root: ET.Element, row: CalendarRow) -> ZoneInfo:
    """The query's own zone (RFC 4791 9.8, RFC 7809 5.1), or the calendar's."""
    named = (root.findtext(CALDAV + "timezone-id") or "").strip()
    if named:
        known = iana_name(named)
        if known is None:
            raise Invalid("This time zone is unknown here.", "valid-timezone")
        return ZoneInfo(known)
    said = root.findtext(CALDAV + "timezone")
    return zone_in(said, row) if said else zone_of(row)


def _lines(asking: Asking, row: CalendarRow, root: ET.Element, zone: ZoneInfo, *, keep: bool) -> Lines:
    """``keep``: an object that was named is shown as it is where nothing of it lies in an expansion."""
    prop = root.find(DAV + "prop")
    data = None if prop is None else prop.find(CALENDAR_DATA)
    return Lines(asking, row, names(prop), _show(data, row, zone, keep=keep))


def _show(data: ET.Element | None, row: CalendarRow, zone: ZoneInfo, *, keep: bool) -> Show:
    """The form of the data that was asked for (RFC 4791 9.6). Raises Invalid for one that we don't have."""
    if data is None:
        return lambda stored: stored.text
    kind = (data.get("content-type") or "text/calendar", data.get("version") or "2.0")
    if kind != ("text/calendar", "2.0"):
        raise Invalid("Events are text/calendar of version 2.0 here.", "supported-calendar-data")
    view = View.of(data)
    expand = data.find(CALDAV + "expand")
    if expand is not None:
        start, end = filters.window(expand)
        if start is not None and end is not None:  # xmlbody refuses one without both
            return partial(_expanded, Expansion(start, end), view, zone, keep, zone.key == row.time_zone)
    return (lambda stored: stored.text) if view is None else (lambda stored: view.shown(stored.text, zone))


def _expanded(
    expansion: Expansion, view: View | None, zone: ZoneInfo, keep: bool, indexed: bool, stored: Any
) -> str | None:
    text = expansion.of(stored, zone, indexed=indexed)
    if text is None and keep:
        text = str(stored.text)
    return text if text is None or view is None else view.shown(text, zone)
