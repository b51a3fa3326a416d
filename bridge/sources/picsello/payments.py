"""A lead's payment plan moves with its shoots, as Picsello itself moves it; a job's invoices stay.

Source: 2.4 of the notes, step 4. Only for leads; deltas are whole minutes.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from bridge.sources.picsello.database import Asking

INVOICES_STAY = "the invoices keep their dates; change them there if they should move."


def lock(asking: Asking, job_id: int) -> None:
    """Before anything of the job is read: the application's order is job, shoots, invoices."""
    asking.rows("SELECT id FROM payment_schedules WHERE job_id = %s ORDER BY id FOR UPDATE", job_id)


def ends(asking: Asking, job_id: int) -> tuple[datetime | None, datetime | None]:
    """When the job's first and last shoots begin."""
    row = asking.one(
        "SELECT min(starts_at) AS first, max(starts_at) AS last FROM shoots WHERE job_id = %s", job_id
    )
    return (row.first, row.last) if row else (None, None)


def owes(asking: Asking, job_id: int) -> bool:
    """Whether the job has invoices that are not paid."""
    unpaid = "SELECT 1 AS it FROM payment_schedules WHERE job_id = %s AND paid_at IS NULL LIMIT 1"
    return asking.one(unpaid, job_id) is not None


def shift(
    asking: Asking,
    job_id: int,
    before: tuple[datetime | None, datetime | None],
    after: tuple[datetime | None, datetime | None],
    now: datetime,
) -> None:
    """Move the plan of a lead whose shoots moved from ``before`` to ``after``. ``now`` is naive UTC."""
    by_first, by_last = (_delta(old, new) for old, new in zip(before, after, strict=True))
    plan = asking.rows(
        "SELECT s.id, s.description, s.due_interval, s.shoot_interval, s.due_at, s.schedule_date, s.price"
        " FROM package_payment_schedules s JOIN jobs j ON j.package_id = s.package_id"
        " WHERE j.id = %s ORDER BY s.id FOR UPDATE OF s",
        job_id,
    )
    for part in plan:
        due = part.schedule_date
        if "To Book" in (part.due_interval or "", part.description):
            due = now
        elif part.due_at is not None:
            pass
        elif part.shoot_interval == "Before Last Shoot":
            due += by_last
        else:
            due += by_first
        if due == part.schedule_date:
            continue
        asking.do(
            "UPDATE package_payment_schedules SET schedule_date = %s, updated_at = %s WHERE id = %s",
            due,
            now,
            part.id,
        )
        asking.do(
            "UPDATE payment_schedules SET due_at = %s, updated_at = %s"
            " WHERE job_id = %s AND description = %s AND paid_at IS NULL",
            due,
            now,
            job_id,
            part.description,
        )


def _delta(old: datetime | None, new: datetime | None) -> timedelta:
    if old is None or new is None:
        return timedelta(0)
    return timedelta(minutes=int((new - old).total_seconds() // 60))
