"""Windows' names for time zones, both ways (CLDR's table by tzlocal; extras in ``bridge.ical.zones``).

Graph speaks Windows names. One Windows zone stands for many IANA zones, so Vienna comes back as Berlin
unless something else remembers it (``stash``). Pure.
"""

from __future__ import annotations

import re
from datetime import UTC, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

from tzlocal.windows_tz import tz_win

from bridge.ical.zones import iana_name

#: What Graph calls Coordinated Universal Time, and the zone of every date without a time.
GREENWICH = "UTC"

_DISPLAY = re.compile(r"\((?:UTC|GMT)(?:[+-]\d\d:\d\d)?\) (.+)")
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
        key = (iana_name(name) or _by_city(name)) if name else None
        if key is not None:
            return windows_name(ZoneInfo(key)) or GREENWICH
    return GREENWICH


def _by_city(name: str) -> str | None:
    """A zone by the name that people are shown: ``(UTC+01:00) Amsterdam, Berlin, Bern``."""
    shown = _DISPLAY.fullmatch(name.strip())
    if shown is None:
        return None
    cities = (city.strip().replace(" ", "_") for city in shown[1].split(","))
    return iana_name(shown[1]) or next((zone for city in cities if (zone := _cities().get(city))), None)


@lru_cache(maxsize=1)
def _cities() -> dict[str, str]:
    """Zones that Windows has a name for, by their city."""
    return {key.rpartition("/")[2]: key for key in sorted(tz_win) if "/" in key}


def zone_of(windows: str) -> tzinfo:
    """The zone of a name that ``windows_name`` or ``known_name`` gave."""
    key = iana_name(windows)
    return UTC if key is None or key in _UTC_NAMES else ZoneInfo(key)
