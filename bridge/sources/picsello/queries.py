"""What is on a studio's calendar, exactly, and how it is noticed that this changed.

The set is that of Picsello's own calendar page: shoots with a start whose job is not archived and is either
no lead or not a client's own unpaid booking; one row a shoot, although ``job_statuses`` has one a proposal.
A change is found by digest: neither ``updated_at`` alone (bulk updates leave it, and names and payments live
elsewhere) nor a trigger would tell.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bridge.sources.picsello.database import Asking
from bridge.sources.picsello.options import Options

#: A studio's shoots are counted in so many parts, so that a change is looked for in one of them.
PARTS = 64

_FACTS = """
    s.id, s.starts_at, s.duration_minutes, s.name, s.location, s.address, s.notes, s.inserted_at,
    s.updated_at, j.id AS job_id, j.type, j.job_name, j.booking_event_id, j.completed_at,
    j.updated_at AS job_updated_at, c.name AS client, c.phone, bool_and(st.is_lead) AS is_lead"""

_CALENDAR = """
    FROM shoots s
    JOIN jobs j ON j.id = s.job_id
    JOIN clients c ON c.id = j.client_id
    {status}
    WHERE c.organization_id = %s AND j.archived_at IS NULL AND s.starts_at IS NOT NULL
        AND st.is_lead IS NOT NULL {more}
    GROUP BY s.id, j.id, c.id
    HAVING (NOT bool_and(st.is_lead)) OR {leads}"""

#: How a job's status is looked up. A materialized ``job_statuses`` is joined; the view is asked job by job:
#: joined, it would be worked out for all studios every time.
MATERIALIZED = "JOIN job_statuses st ON st.job_id = j.id"
VIEW = """CROSS JOIN LATERAL (
        SELECT bool_and(x.is_lead) AS is_lead FROM job_statuses x WHERE x.job_id = j.id) st"""

#: The same from the tables below it (2.3 of the notes): in the second generation a transaction that pays or
#: archives rebuilds ``job_statuses``, and must not wait for one that has only looked at it.
TABLES = """LEFT JOIN packages p ON p.id = j.package_id
    CROSS JOIN LATERAL (SELECT NOT coalesce(j.is_gallery_only, false) AND p.collected_price IS NULL
        AND NOT EXISTS (SELECT 1 FROM payment_schedules x
            WHERE x.job_id = j.id AND (x.paid_at IS NOT NULL OR x.is_with_cash)) AS is_lead) st"""

#: Everything that the rendered booking depends on, and the marker of a write.
_DIGEST = """left(md5(ROW(
    f.starts_at, f.duration_minutes, f.name, f.location, f.address, f.notes, f.updated_at, f.type, f.job_name,
    f.booking_event_id IS NULL, f.completed_at, f.job_updated_at, f.client, f.phone, f.is_lead)::text), 12)"""


@dataclass(frozen=True, slots=True)
class Row:
    """One shoot with what a booking shows of its job and client. Times are naive UTC, as Picsello keeps
    them."""

    id: int
    starts_at: datetime
    duration_minutes: int | None
    name: str | None
    location: str | None
    address: str | None
    notes: str | None
    inserted_at: datetime
    updated_at: datetime
    job_id: int
    type: str
    job_name: str | None
    booking_event_id: int | None
    completed_at: datetime | None
    job_updated_at: datetime
    client: str | None
    phone: str | None
    is_lead: bool
    digest: str


def _calendar(options: Options, status: str, more: str = "") -> str:
    if options.leads:
        leads = "j.booking_event_id IS NULL" + (" OR true" if options.holds else "")
    else:
        leads = "j.booking_event_id IS NOT NULL" if options.holds else "false"
    return _CALENDAR.format(more=more, leads=f"({leads})", status=status)


def parts(
    asking: Asking, organization_id: int, user_id: int | None, options: Options, status: str
) -> tuple[dict[int, str], str | None]:
    """One query: a digest for each part of the studio's calendar, and the studio's time zone."""
    rows = asking.rows(
        f"SELECT f.id %% {PARTS} AS part,"  # noqa: S608 - our own words
        f" md5(string_agg(f.id || ':' || {_DIGEST}, ',' ORDER BY f.id)) AS digest"
        f" FROM (SELECT {_FACTS} {_calendar(options, status)}) f GROUP BY 1"
        " UNION ALL SELECT -1, (SELECT time_zone FROM users WHERE id = %s)",
        organization_id,
        user_id,
    )
    zone = next((row.digest for row in rows if row.part == -1), None)
    return {row.part: row.digest[:12] for row in rows if row.part >= 0}, zone


def digests(
    asking: Asking, organization_id: int, options: Options, only: Sequence[int] | None, status: str
) -> dict[int, str]:
    """Shoot id to digest, of some parts or of all."""
    more = "" if only is None else f"AND s.id %% {PARTS} = ANY(%s)"
    values: list[Any] = [organization_id] if only is None else [organization_id, list(only)]
    rows = asking.rows(
        f"SELECT f.id, {_DIGEST} AS digest"  # noqa: S608 - our own words
        f" FROM (SELECT {_FACTS} {_calendar(options, status, more)}) f",
        *values,
    )
    return {row.id: row.digest for row in rows}


def shoots(
    asking: Asking,
    organization_id: int,
    options: Options,
    ids: Sequence[int],
    status: str,
) -> list[Row]:
    """Those of these shoots that are on the calendar."""
    calendar = _calendar(options, status, "AND s.id = ANY(%s)")
    rows = asking.rows(
        f"SELECT f.*, {_DIGEST} AS digest"  # noqa: S608 - our own words
        f" FROM (SELECT {_FACTS} {calendar}) f ORDER BY f.id",
        organization_id,
        list(ids),
    )
    return [Row(*row) for row in rows]
