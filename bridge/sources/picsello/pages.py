"""Picsello's own booking events, of both generations, to be looked at: making and changing them stays there.

The first generation keeps days and blocks as JSON of the event and works the slots out anew each time; the
second keeps a row a day, with its slots. A column that an older or newer release lacks is simply empty.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, time
from typing import Any

from bridge.sources.picsello.database import Asking

#: Rows of one answer.
_MOST = 500


@dataclass(frozen=True, slots=True)
class OwnSlot:
    """Wall times. ``status`` in Picsello's words: open, booked, reserved, hidden, break."""

    starts: time
    ends: time
    status: str


@dataclass(frozen=True, slots=True)
class OwnDay:
    """One day of an event."""

    day: date
    place: str
    slots: Sequence[OwnSlot]


@dataclass(frozen=True, slots=True)
class OwnPage:
    """One booking event. ``status``: active, disabled or archive; ``minutes``: of a session."""

    number: int
    name: str
    place: str
    minutes: int
    status: str
    days: Sequence[OwnDay]


def read(asking: Asking, organization: int, second: bool) -> list[OwnPage]:
    """The studio's booking events, the newest first. Raises ProviderError kinds as ``Asking``."""
    rows = asking.rows(
        "SELECT to_jsonb(e) AS event FROM booking_events e"
        " LEFT JOIN packages p ON p.id = e.package_template_id"
        " WHERE coalesce((to_jsonb(e)->>'organization_id')::bigint, p.organization_id) = %s"
        " ORDER BY e.id DESC LIMIT %s",
        organization,
        _MOST,
    )
    events: list[Mapping[str, Any]] = [row.event for row in rows]
    kept: dict[int, list[Mapping[str, Any]]] = {}
    if second and events:
        days = asking.rows(
            "SELECT to_jsonb(d) AS day FROM booking_event_dates d WHERE booking_event_id = ANY(%s)"
            " ORDER BY date, id",
            [event["id"] for event in events],
        )
        for row in days:
            kept.setdefault(row.day["booking_event_id"], []).append(row.day)
    return [_page(event, kept.get(event["id"])) for event in events]


def _page(event: Mapping[str, Any], kept: list[Mapping[str, Any]] | None) -> OwnPage:
    minutes = event.get("duration_minutes") or 0
    if kept is not None:
        days = [_stored(day) for day in kept if day.get("date")]
        minutes = minutes or next((day["session_length"] for day in kept), 0)
    else:
        gap = event.get("buffer_minutes") or 0
        days = [_worked_out(day, minutes or 5, gap, _place(event)) for day in event.get("dates") or ()]
    return OwnPage(
        event["id"],
        event.get("name") or "(no name)",
        _place(event),
        minutes,
        event.get("status") or "active",
        sorted(days, key=lambda day: day.day),
    )


def _stored(day: Mapping[str, Any]) -> OwnDay:
    """The second generation's: its slots as they stand."""
    slots = [
        OwnSlot(_time(slot["slot_start"]), _time(slot["slot_end"]), slot.get("status") or "open")
        for slot in day.get("slots") or ()
        if slot.get("slot_start") and slot.get("slot_end")
    ]
    return OwnDay(date.fromisoformat(day["date"]), _place(day), slots)


def _worked_out(day: Mapping[str, Any], minutes: int, gap: int, place: str) -> OwnDay:
    """The first generation's: from each block's start, every length and gap, as long as the session ends by
    the block's end, within the day."""
    blocks = [block for block in day.get("time_blocks") or () if block.get("start_time")]
    offered: dict[int, str] = {}
    for block in blocks:
        if not block.get("is_break"):
            opens, closes = _minute(block["start_time"]), _minute(block["end_time"])
            for start in range(opens, closes - minutes + 1, minutes + gap):
                offered.setdefault(start, "hidden" if block.get("is_hidden") else "open")
    for block in blocks:
        if block.get("is_break"):
            shut = range(_minute(block["start_time"]), _minute(block["end_time"]))
            offered.update({start: "break" for start in offered if start in shut})
    slots = [
        OwnSlot(_clock(start), _clock(start + minutes), status) for start, status in sorted(offered.items())
    ]
    return OwnDay(date.fromisoformat(day["date"]), place, slots)


def _place(row: Mapping[str, Any]) -> str:
    parts: Iterable[str | None] = (row.get("location"), row.get("address"))
    return ", ".join(part for part in parts if part)


def _time(text: str) -> time:
    return time.fromisoformat(text)


def _minute(text: str) -> int:
    at = _time(text)
    return 60 * at.hour + at.minute


def _clock(minute: int) -> time:
    return time(minute // 60 % 24, minute % 60)
