"""Client bookings of the second generation: the slot moves with its shoot, or it would be sold twice.

A day (``booking_event_dates``) keeps its slots as JSON, in the studio's wall time. All days of an event are
locked together, in the order of their ids. A slot that is held and not paid yet is freed at its expiry by a
job in the application's queue, which names day and slot: it is aimed at the new ones.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from psycopg.types.json import Jsonb

from bridge.sources.picsello.database import Asking

NO_SLOT = "this was booked as a slot, and no slot is open at that time, so it stays where it was."
NOT_PAID = (
    "this client has not paid yet, and the end of the reservation cannot be moved along "
    "(we may not change oban_jobs there), so it stays where it was."
)
#: The application's job that ends a reservation, whatever its name space, and the states it waits in.
_EXPIRY = "worker LIKE '%%.ExpireBooking' AND state::text IN ('available', 'scheduled', 'retryable')"


def move(
    asking: Asking, event_id: int, job_id: int, starts_at: datetime, zone: ZoneInfo, now: datetime
) -> str | None:
    """Free the job's slot and take the one at ``starts_at`` (naive UTC); a sentence if there is none."""
    days = _days(asking, event_id)
    old = _held(days, job_id)
    if old is None:
        return None
    local = starts_at.replace(tzinfo=UTC).astimezone(zone)
    new = next(
        (
            (day, slot)
            for day in days
            if day["date"] == local.date()
            for slot in day["slots"]
            if slot.get("slot_start") == f"{local:%H:%M:%S}"
            and (slot.get("status") == "open" or slot is old[1])
        ),
        None,
    )
    if new is None:
        return NO_SLOT
    if new[1] is not old[1]:
        if not _aim_expiry(asking, job_id, new[0]["id"], new[0]["slots"].index(new[1])):
            return NOT_PAID
        new[1].update({key: old[1].get(key) for key in ("status", "client_id", "job_id")})
        _open(old[1])
        for day in {id(day): day for day, _ in (old, new)}.values():
            _save(asking, day, now)
    return None


def free(asking: Asking, event_id: int, job_id: int, now: datetime) -> None:
    """Open the slot of a job that was cancelled."""
    held = _held(_days(asking, event_id), job_id)
    if held is not None:
        _open(held[1])
        _save(asking, held[0], now)


def _aim_expiry(asking: Asking, job_id: int, day_id: int, slot: int) -> bool:
    """Let the end of the job's reservation, if one is waiting, free the new slot. False if we may not."""
    rights = asking.one(
        "SELECT has_table_privilege(o, 'SELECT') AS see, has_table_privilege(o, 'UPDATE') AS aim"
        " FROM to_regclass('oban_jobs') o WHERE o IS NOT NULL"
    )
    if rights is None:
        return True
    if not rights.see:  # only an unpaid booking waits for its expiry
        paid = "SELECT 1 AS it FROM payment_schedules WHERE job_id = %s AND (paid_at IS NOT NULL"
        paid += " OR is_with_cash)"
        return asking.one(paid, job_id) is not None
    waiting = f"{_EXPIRY} AND args->>'id' = %s AND args ? 'booking_date_id'"
    if asking.one(f"SELECT 1 AS it FROM oban_jobs WHERE {waiting} LIMIT 1", str(job_id)) is None:  # noqa: S608
        return True
    if not rights.aim:
        return False
    asking.do(
        "UPDATE oban_jobs SET args = args"  # noqa: S608 - our own words
        " || jsonb_build_object('booking_date_id', %s::bigint, 'slot_index', %s::int)"
        f" WHERE {waiting}",
        day_id,
        slot,
        str(job_id),
    )
    return True


def _days(asking: Asking, event_id: int) -> list[dict[str, Any]]:
    rows = asking.rows(
        "SELECT id, date, slots FROM booking_event_dates WHERE booking_event_id = %s ORDER BY id FOR UPDATE",
        event_id,
    )
    return [{"id": row.id, "date": row.date, "slots": list(row.slots or [])} for row in rows]


def _held(days: list[dict[str, Any]], job_id: int) -> tuple[dict[str, Any], dict[str, Any]] | None:
    return next(((day, slot) for day in days for slot in day["slots"] if slot.get("job_id") == job_id), None)


def _open(slot: dict[str, Any]) -> None:
    slot.update(status="open", client_id=None, job_id=None)


def _save(asking: Asking, day: dict[str, Any], now: datetime) -> None:
    asking.do(
        "UPDATE booking_event_dates SET slots = %s, updated_at = %s WHERE id = %s",
        Jsonb(day["slots"]),
        now,
        day["id"],
    )
