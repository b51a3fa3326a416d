"""Windows' names for time zones, both ways (CLDR's table by tzlocal; extras in ``bridge.ical.zones``).

Graph speaks Windows names. One Windows zone stands for many IANA zones, so Vienna comes back as Berlin
unless something else remembers it (``stash``). Pure.
"""

from __future__ import annotations

from datetime import UTC, tzinfo
from zoneinfo import ZoneInfo

from tzlocal.windows_tz import tz_win

from bridge.ical.zones import iana_name

#: What Graph calls Coordinated Universal Time, and the zone of every date without a time.
GREENWICH = "UTC"

_UTC_NAMES = frozenset({"UTC", "Etc/UTC", "Etc/GMT", "Etc/UCT", "Zulu", "GMT"})


def windows_name(zone: tzinfo) -> str | None:
    """What Windows calls a zone; None if it has no word for it (a zone of the object's own making)."""
    if zone is UTC:
        return GREENWICH
    key = getattr(zone, "key", None)
    if key in _UTC_NAMES:
        return GREENWICH
    return tz_win.get(key) if isinstance(key, str) else None


def known_name(*names: str | None) -> str:
    """The first of these names that means something, as Windows spells it; else UTC.

    Graph also answers with IANA names, ``tzone://Microsoft/Utc``, ``tzone://Microsoft/Custom`` and
    ``Customized Time Zone``; the last two mean nothing outside the mailbox.
    """
    for name in names:
        key = iana_name(name) if name else None
        if key is not None:
            return windows_name(ZoneInfo(key)) or GREENWICH
    return GREENWICH


def zone_of(windows: str) -> tzinfo:
    """The zone of a name that ``windows_name`` or ``known_name`` gave."""
    key = iana_name(windows)
    return UTC if key is None or key in _UTC_NAMES else ZoneInfo(key)
