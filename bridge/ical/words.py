"""Field groups in words for people: their names, and their values in a line."""

from __future__ import annotations

from bridge.ical import moments
from bridge.ical.fields import COMPONENT, Instance, Reading, group_of
from bridge.ical.text import Line

#: Longer values are cut for display.
SHOWN = 120

_NAMES = {
    "when": "time",
    "title": "title",
    "place": "place",
    "notes": "notes",
    "status": "status",
    "busy": "busy or free",
    "alarms": "reminders",
    "guests": "guests",
    COMPONENT: "this date of the series",
}
_DEFAULTS = {"status": "confirmed", "busy": "busy"}


def group_name(group: str) -> str:
    """``when`` -> ``time``; a property without a group of its own is named as it is in the file."""
    return _NAMES.get(group) or group.removeprefix("x:")


def group_text(reading: Reading, instance: Instance, group: str) -> str:
    """A group's value in at most ``SHOWN`` characters, ``none`` where there is none."""
    if instance not in reading.instances:
        return "none"
    if group == "when":
        return _shorten(_when(reading.groups(instance).get("when")))
    lines = [item for item in reading.instances[instance].items if group_of(item.name) == group]
    if group == "alarms":
        return _shorten(
            ", ".join(_alarm(item.value("TRIGGER") or "") for item in lines if not isinstance(item, Line))
        )
    texts = [item.text for item in lines if isinstance(item, Line) and not item.name.startswith("X-APPLE-")]
    if group in ("status", "busy"):
        word = (texts[0] if texts else _DEFAULTS[group]).lower()
        return {"opaque": "busy", "transparent": "free"}.get(word, word)
    if group == "guests":
        texts = [text.removeprefix("mailto:").removeprefix("MAILTO:") for text in texts]
        return _shorten(", ".join(texts))
    return _shorten(texts[0] if texts and group in ("title", "place", "notes") else ", ".join(texts))


def _shorten(text: str) -> str:
    text = " ".join(text.split())
    return (text if len(text) <= SHOWN else text[: SHOWN - 1] + "…") or "none"


def _when(value: object) -> str:
    if not isinstance(value, tuple):
        return ""
    start, end, rest = value
    shown = _moment(start) if start else ""
    if end and end != start:
        last = _moment(end)
        same_day = start and "T" in end and end[:8] == start[:8]
        shown += f" to {last.split(' ')[1] if same_day else last}"
    _, _, zone = (start or "").partition("@")
    if zone and not zone.startswith("rules:"):
        shown += f" ({zone})"
    names = {name for name, _, _ in rest}
    if names & {"RRULE", "RDATE"}:
        shown += ", repeating"
    if "EXDATE" in names:
        shown += f" except {sum(name == 'EXDATE' for name, _, _ in rest)}"
    return shown


def _moment(value: str) -> str:
    """``2024-05-01 10:00``; whole days as dates."""
    plain = value.partition("@")[0]
    wall = moments.wall_time(plain.removesuffix("Z"))
    if wall is None:
        return value
    if "T" not in plain:
        return f"{wall:%Y-%m-%d}"
    return f"{wall:%Y-%m-%d %H:%M}" + (" UTC" if plain.endswith("Z") else "")


def _alarm(trigger: str) -> str:
    length = moments.duration(trigger)
    if length is None:
        return _moment(trigger)
    minutes = abs(length.days * 1440 + length.seconds // 60)
    for unit, size in (("day", 1440), ("hour", 60), ("minute", 1)):
        if minutes and minutes % size == 0:
            count = minutes // size
            word = "after" if length > (0, 0) else "before"
            return f"{count} {unit}{'s' if count > 1 else ''} {word}"
    return "at the start"
