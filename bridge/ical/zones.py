"""Which zone a TZID means, for one object at a time; and local times that a person typed.

Order: an IANA name (vendors' prefixes included), Windows' name for a zone (CLDR, by tzlocal), the
object's own VTIMEZONE, the name without the suffix that Exchange and Google append, a plain offset,
then the reader's zone. An IANA name wins over a VTIMEZONE of the same TZID: the copies that clients
carry are often cut down to one year, and sometimes plainly wrong. Any other TZID, and bare abbreviations
such as EST, mean what their own object says; nothing is registered anywhere, so two objects can never
share a definition by name.

Reading and writing VTIMEZONE is left to ``vtimezone``.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from tzlocal.windows_tz import win_tz

from bridge.errors import Invalid
from bridge.ical.text import Component, tree
from bridge.ical.times import parse_offset
from bridge.ical.vtimezone import read_vtimezone, vtimezone

__all__ = ["Zones", "iana_name", "parse_local", "vtimezone", "zone_named"]

#: Names that no table lists: of old Outlook and Exchange versions, and Microsoft Graph's word for UTC.
EXTRA_NAMES = {
    "utc": "UTC",
    "z": "UTC",
    "gmt": "UTC",
    "zulu": "UTC",
    "coordinated universal time": "UTC",
    "tzone://microsoft/utc": "UTC",
    "gmt standard time": "Europe/London",
    "greenwich mean time": "Europe/London",
    "greenwich mean time : dublin, edinburgh, lisbon, london": "Europe/London",
    "western europe": "Europe/Berlin",
    "w. europe": "Europe/Berlin",
    "west europe": "Europe/Berlin",
    "central europe": "Europe/Budapest",
    "central european": "Europe/Warsaw",
    "romance": "Europe/Paris",
    "gtb": "Europe/Athens",
    "e. europe": "Europe/Chisinau",
    "eastern": "America/New_York",
    "central": "America/Chicago",
    "mountain": "America/Denver",
    "pacific": "America/Los_Angeles",
    "eastern time (us & canada)": "America/New_York",
    "central time (us & canada)": "America/Chicago",
    "mountain time (us & canada)": "America/Denver",
    "pacific time (us & canada)": "America/Los_Angeles",
    "us eastern standard time": "America/Indiana/Indianapolis",
    "mexico standard time": "America/Mexico_City",
    "mexico standard time 2": "America/Chihuahua",
    "kamchatka standard time": "Asia/Kamchatka",
    "mid-atlantic standard time": "Etc/GMT+2",
    "india": "Asia/Kolkata",
}
_WINDOWS = {name.lower(): zone for name, zone in win_tz.items()}
_SUFFIX = re.compile(r"(?:[ _-]?\d{1,3}|[ _-]\(?copy\)?)$", re.IGNORECASE)
_DISPLAY = re.compile(r"\((?:UTC|GMT)([+-]\d\d)?:?([0-5]\d)?\)\s*(.*)", re.IGNORECASE | re.ASCII)
_FIXED = re.compile(r"(?:UTC|GMT)?\s*([+-])(\d{1,2}):?([0-5]\d)?", re.IGNORECASE | re.ASCII)
#: Files in a zone database that are no zones of their own; those under ``right/`` count leap seconds.
_NO_ZONES = ("right/", "posix/", "SystemV/", "posixrules", "localtime", "Factory")
_SAFE_NAME = re.compile(r"[A-Za-z0-9_+-]+(?:/[A-Za-z0-9_+-]+){0,2}", re.ASCII)


@lru_cache(maxsize=1)
def _lower_case_names() -> dict[str, str]:
    return {name.lower(): name for name in available_timezones()}


@lru_cache(maxsize=4096)
def _exact(name: str) -> ZoneInfo | None:
    if not _SAFE_NAME.fullmatch(name) or name.startswith(_NO_ZONES):
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        pass
    proper = _lower_case_names().get(name.lower())
    return ZoneInfo(proper) if proper else None


@lru_cache(maxsize=4096)
def iana_name(tzid: str) -> str | None:
    """The IANA zone that a TZID names by itself, without looking at any VTIMEZONE.

    ``Europe/Berlin``, ``/freeassociation.sourceforge.net/Europe/Berlin``, ``W. Europe Standard Time``.
    """
    name = tzid.strip().strip('"').strip()
    zone = _exact(name)
    if zone is None and "/" in name:
        # a vendor's path: the zone's name is its end, of two or three parts (one only for UTC)
        parts = [part for part in name.split("/") if part]
        ends = ("/".join(parts[-size:]) for size in (3, 2) if len(parts) >= size)
        zone = next((found for end in ends if (found := _exact(end))), None)
        if zone is None and parts and parts[-1].upper() in ("UTC", "GMT"):
            zone = ZoneInfo("UTC")
    if zone is None:
        known = EXTRA_NAMES.get(name.lower()) or _WINDOWS.get(name.lower())
        zone = _exact(known) if known else None
    return zone.key if zone else None


@lru_cache(maxsize=4096)
def _loose(tzid: str) -> tzinfo | None:
    """What a TZID may still mean when no VTIMEZONE defines it."""
    name = tzid.strip().strip('"').strip()
    display = _DISPLAY.fullmatch(name)
    if display:  # "(UTC+01:00) Europe/Berlin", "(GMT-05:00) Eastern Time (US & Canada)"
        known = iana_name(display[3])
        if known:
            return ZoneInfo(known)
        name = f"{display[1] or '+00'}{display[2] or '00'}"
    fixed = _FIXED.fullmatch(name)
    if fixed and int(fixed[2]) < 24:
        return timezone(parse_offset(f"{fixed[1]}{int(fixed[2]):02}{fixed[3] or '00'}"))
    shorter = _SUFFIX.sub("", name)
    known = iana_name(shorter) if shorter != name else None
    return ZoneInfo(known) if known else None


class Zones:
    """The zones of one object. ``unknown`` lists, in order, the TZIDs that nothing could resolve; they
    are read in ``fallback``. Anything malformed in a VTIMEZONE makes it as good as absent."""

    def __init__(self, source: str | Component, fallback: tzinfo):
        self._calendar = tree(source)
        self.fallback = fallback
        self.unknown: list[str] = []
        self._known: dict[str, tzinfo] = {}

    def get(self, tzid: str) -> tzinfo:
        """The zone of a TZID; never fails."""
        zone = self._known.get(tzid)
        if zone is None:
            zone = self._known[tzid] = self._resolve(tzid)
        return zone

    def _resolve(self, tzid: str) -> tzinfo:
        name = iana_name(tzid)
        if name in ("UTC", "Etc/UTC"):
            return UTC
        if name is not None and (name != tzid or "/" in name):
            return ZoneInfo(name)
        # GMT, EST or CET: in such a name people put what they like, London's summer time for instance
        zone = self._own(tzid) or (ZoneInfo(name) if name else _loose(tzid))
        if zone is None:
            self.unknown.append(tzid)
            return self.fallback
        return zone

    def _own(self, tzid: str) -> tzinfo | None:
        for definition in self._calendar.components("VTIMEZONE"):
            if (definition.value("TZID") or "").strip().strip('"') == tzid.strip().strip('"'):
                try:
                    return read_vtimezone(definition.serialize())
                except Invalid:
                    return None
        return None


def zone_named(name: str) -> ZoneInfo:
    """The zone of an IANA or Windows name that a person gave. Raises ``Invalid``."""
    known = iana_name(name)
    if known is None:
        raise Invalid(
            f"The time zone “{name[:60]}” is unknown. Give a name such as Europe/Berlin or America/New_York."
        )
    return ZoneInfo(known)


def parse_local(iso: str, zone: str | ZoneInfo) -> datetime:
    """A time that a person typed, as an aware time in ``zone``.

    ``2024-05-01T10:00``, seconds and a blank for the T allowed. A trailing Z or an offset is honoured and
    converted. A time that occurs twice means the first (RFC 5545 3.3.5). Raises ``Invalid`` for nonsense,
    a bare date, an unknown zone, and a time that daylight saving leaves out.
    """
    info = zone_named(zone) if isinstance(zone, str) else zone
    text = iso.strip()
    try:
        wall = datetime.fromisoformat(text)
        if len(text) <= 10 or text[8:9] in ("", "W"):  # a date (or week date) without a time
            raise ValueError(text)
    except ValueError:
        raise Invalid(
            f"“{text[:40]}” is no date and time. Write it like 2024-05-01T10:00 "
            "(or with an offset: 2024-05-01T10:00+02:00)."
        ) from None
    try:
        if wall.tzinfo is not None:
            return wall.astimezone(info).replace(microsecond=0)
        aware = wall.replace(microsecond=0, tzinfo=info)
        back = aware.astimezone(UTC).astimezone(info)
    except OverflowError:
        raise Invalid(f"“{text[:40]}” is too far away. Give a year between 2 and 9998.") from None
    if back.replace(tzinfo=None) != aware.replace(tzinfo=None):
        raise Invalid(
            f"{aware:%H:%M} does not exist on {aware.date().isoformat()} in {info.key}: "
            f"the clocks go forward then. Choose a time from {_after_gap(aware):%H:%M} on."
        )
    return aware


def _after_gap(missing: datetime) -> datetime:
    """The first minute that exists after a wall time in a gap."""
    minute = timedelta(minutes=1)
    time = missing.replace(second=0)
    while time.astimezone(UTC).astimezone(time.tzinfo).replace(tzinfo=None) != time.replace(tzinfo=None):
        time += minute
    return time
