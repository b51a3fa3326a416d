"""What a client may PUT into one of our calendars: RFC 4791 4.1, and an iCalendar text that can be used.

Strict where the RFC is, tolerant where real clients are not: missing PRODID or VERSION, TZIDs without
VTIMEZONE (RFC 7809), unknown properties and components all pass. What we read from providers is not
checked here: it is kept as it came.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from bridge.errors import Invalid, TooLarge
from bridge.ical.fields import Reading
from bridge.ical.moments import duration, wall_time
from bridge.ical.recurrence import Rule
from bridge.ical.text import NOT_CALENDAR_DATA, Component, Line, parse

NOT_AN_OBJECT = "valid-calendar-object-resource"


def check_resource(text: str, *, max_bytes: int, components: Collection[str] = ("VEVENT",)) -> Reading:
    """Check a whole resource and give it back read, so that nobody need parse it again.

    Raises TooLarge (max-resource-size) above ``max_bytes`` of UTF-8, else Invalid with the precondition of
    RFC 4791 5.3.2.1: ``valid-calendar-data`` (no usable iCalendar), ``valid-calendar-object-resource``
    (METHOD; several UIDs, types or masters; none at all) or ``supported-calendar-component``."""
    size = len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
    if size > max_bytes:
        raise TooLarge(
            f"This event takes {size // 1024 + 1} kB, and at most {max_bytes // 1024} kB are accepted."
            " Attach large files as links.",
            "max-resource-size",
        )
    if "\0" in text:
        raise Invalid("The calendar data holds a NUL character.", NOT_CALENDAR_DATA)
    calendar = parse(text)
    _check_lines(calendar)
    version = (calendar.value("VERSION") or "2.0").strip()
    if version != "2.0":
        raise Invalid(
            f"iCalendar version {version[:10]} is not supported; send 2.0.", "supported-calendar-data"
        )
    method = calendar.first("METHOD")
    if method is not None:
        raise Invalid("A calendar keeps events, not messages: leave out METHOD.", NOT_AN_OBJECT)
    parts = [part for part in calendar.components() if part.name != "VTIMEZONE"]
    _check_identity(parts, components)
    reading = Reading(calendar)
    for part in parts:
        _check_times(part)
    return reading


def _check_lines(component: Component) -> None:
    for item in component.items:
        if isinstance(item, Component):
            _check_lines(item)
        elif item.value and (not item.name or _has_loose_end(item)):
            shown = (item.value.splitlines()[-1] if item.name else item.value).strip()[:60]
            raise Invalid(f"“{shown}” is no calendar property; a line seems broken.", NOT_CALENDAR_DATA)


def _has_loose_end(line: Line) -> bool:
    """Whether ``parse`` had to append a line that is no property: only then a value holds a line end."""
    return "\n" in line.value


def _check_identity(parts: list[Component], components: Collection[str]) -> None:
    """One type, one UID, at most one master (RFC 4791 4.1)."""
    kinds = {part.name for part in parts}
    if not kinds:
        raise Invalid("This calendar data holds no event.", NOT_AN_OBJECT)
    foreign = sorted(kinds - set(components))
    if foreign:
        raise Invalid(
            f"This calendar takes events only, not {foreign[0]}. Choose another calendar for it.",
            "supported-calendar-component",
        )
    if len(kinds) > 1:
        raise Invalid("Events and other things can't share one calendar object.", NOT_AN_OBJECT)
    uids = {(part.value("UID") or "").strip() for part in parts}
    if "" in uids:
        raise Invalid("The event has no UID, so it could not be found again.", NOT_AN_OBJECT)
    if len(uids) > 1:
        raise Invalid("Several events in one calendar object: send each one by itself.", NOT_AN_OBJECT)
    masters = sum(part.first("RECURRENCE-ID") is None for part in parts)
    if masters > 1:
        raise Invalid("The same event stands twice in one calendar object.", NOT_AN_OBJECT)


def _check_times(part: Component) -> None:
    """DTSTART where RFC 5545 3.6.1 asks for it, readable times, a usable rule."""
    start = part.first("DTSTART")
    if start is None and part.name == "VEVENT":
        raise Invalid("The event has no start (DTSTART).", NOT_CALENDAR_DATA)
    for line in _times(part):
        if wall_time(line.value.strip().upper().removesuffix("Z")) is None:
            raise Invalid(f"{line.name}: “{line.value[:40]}” is no date or time.", NOT_CALENDAR_DATA)
    length = part.value("DURATION")
    if length is not None and duration(length) is None:
        raise Invalid(f"DURATION: “{length[:40]}” is no length of time.", NOT_CALENDAR_DATA)
    for line in part.lines("RRULE"):
        _check_rule(line.value)


def _times(part: Component) -> Iterator[Line]:
    for name in ("DTSTART", "DTEND", "DUE", "RECURRENCE-ID"):
        yield from part.lines(name)


def _check_rule(value: str) -> None:
    """Readable, and with numbers that mean something: no rule of zero steps, no end that is no date."""
    rule = Rule.parse(value)
    given = dict(part.upper().split("=", 1) for part in value.split(";") if "=" in part)
    for name in ("INTERVAL", "COUNT"):
        number = given.get(name, "1").strip()
        if not (number.isascii() and number.isdigit() and 0 < int(number) < 1_000_000):
            raise Invalid(f"The repetition rule's {name} must be a number from 1 up.", NOT_CALENDAR_DATA)
    if rule.until is not None and wall_time(rule.until.upper().removesuffix("Z")) is None:
        raise Invalid(
            f"The repetition rule ends at “{rule.until[:40]}”, which is no date.", NOT_CALENDAR_DATA
        )
