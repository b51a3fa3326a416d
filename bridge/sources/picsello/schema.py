"""Which Picsello this is, who the user is there, and what our role may do: found out before anything is kept.

Two generations are known: the second has ``booking_event_dates`` (slots kept as rows) and a materialized
``job_statuses``.
"""

from __future__ import annotations

from dataclasses import dataclass

from bridge.errors import NotACalendarServer, NotFound, NotPermitted
from bridge.sources.picsello.database import Asking

#: What is read, always.
READ = {
    "organizations": ("id", "name", "slug"),
    "users": ("id", "email", "organization_id", "time_zone", "deleted_at"),
    "clients": ("id", "name", "phone", "organization_id", "updated_at"),
    "jobs": (
        "id",
        "type",
        "client_id",
        "job_name",
        "booking_event_id",
        "archived_at",
        "completed_at",
        "updated_at",
    ),
    "shoots": ("id", "job_id", "starts_at", "duration_minutes", "name", "location", "address", "notes"),
    "job_statuses": ("job_id", "is_lead"),
}
#: What is needed besides to write: table, right, what for.
WRITE = (
    ("shoots", "UPDATE", "move and edit shoots"),
    ("jobs", "UPDATE", "cancel a booking"),
    ("packages", "SELECT", "tell leads from jobs"),
    ("payment_schedules", "SELECT", "move a lead's payment plan"),
    ("payment_schedules", "UPDATE", "move a lead's payment plan"),
    ("package_payment_schedules", "SELECT", "move a lead's payment plan"),
    ("package_payment_schedules", "UPDATE", "move a lead's payment plan"),
)


@dataclass(frozen=True, slots=True)
class Found:
    """A database that we know. ``slots``: the second generation, with slots kept as rows."""

    slots: bool
    materialized: bool


@dataclass(frozen=True, slots=True)
class Studio:
    """The user's studio in Picsello."""

    organization_id: int
    name: str
    slug: str
    user_id: int | None
    time_zone: str | None


def detect(asking: Asking) -> Found:
    """Raises NotACalendarServer (no Picsello we know), NotPermitted (a table we may not even see into)."""
    columns: dict[str, set[str]] = {}
    kinds: dict[str, str] = {}
    for row in asking.rows(
        "SELECT c.relname, c.relkind::text AS kind, a.attname FROM pg_class c"
        " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped"
        " WHERE c.oid = ANY(SELECT to_regclass(quote_ident(t)) FROM unnest(%s::text[]) t)",
        [*READ, "booking_event_dates"],
    ):
        columns.setdefault(row.relname, set()).add(row.attname)
        kinds[row.relname] = row.kind
    for table, wanted in READ.items():
        missing = [name for name in wanted if name not in columns.get(table, set())]
        if missing:
            what = f"the table {table}" if table not in columns else f"{table}.{missing[0]}"
            raise NotACalendarServer(
                f"This database is not a Picsello that we know: {what} is missing. Check the address."
            )
    return Found("booking_event_dates" in columns, kinds["job_statuses"] == "m")


def check_rights(asking: Asking, found: Found, *, writes: bool) -> None:
    """Raises NotPermitted with one sentence that says what is missing."""
    needed = [(table, "SELECT", "read the bookings") for table in READ]
    if writes:
        needed += WRITE
        if found.slots:
            needed += [
                ("booking_event_dates", "SELECT", "move a slot"),
                ("booking_event_dates", "UPDATE", "move a slot"),
            ]
    role = asking.rows("SELECT current_user AS name")[0].name
    rights = asking.rows(
        "SELECT t, r, to_regclass(quote_ident(t)) IS NOT NULL"
        " AND has_table_privilege(quote_ident(t), r) AS may FROM unnest(%s::text[], %s::text[]) AS n(t, r)",
        [table for table, _, _ in needed],
        [right for _, right, _ in needed],
    )
    lacking = [need for need, row in zip(needed, rights, strict=True) if not row.may]
    if lacking:
        table, right, purpose = lacking[0]
        grants = "; ".join(dict.fromkeys(f"GRANT {r} ON {t} TO {role}" for t, r, _ in lacking))
        instead = "" if right == "SELECT" and purpose == "read the bookings" else " Or choose --mode read."
        raise NotPermitted(
            f"The role {role} may not {purpose}: {right} on {table} is missing. "
            f"Picsello's database administrator can run: {grants}.{instead}"
        )
    if writes and found.materialized:
        owner = asking.one(
            "SELECT pg_get_userbyid(relowner) AS name, pg_has_role(current_user, relowner, 'MEMBER') AS may"
            " FROM pg_class WHERE oid = to_regclass('job_statuses')"
        )
        if owner is not None and not owner.may:
            raise NotPermitted(
                f"The role {role} must belong to {owner.name}, because Picsello recomputes job_statuses with "
                f"the rights of whoever writes: GRANT {owner.name} TO {role}. Or choose --mode read."
            )


def studio_of(asking: Asking, email: str, organization_id: int | None) -> Studio:
    """The studio of the user with that e-mail, or the one that was named. Raises NotFound."""
    rows = asking.rows(
        "SELECT o.id, o.name, o.slug, u.id AS user_id, u.time_zone FROM users u"
        " JOIN organizations o ON o.id = u.organization_id"
        " WHERE lower(u.email::text) = lower(%s) AND u.deleted_at IS NULL ORDER BY u.id LIMIT 1",
        email,
    )
    if organization_id is not None and (not rows or rows[0].id != organization_id):
        rows = asking.rows(
            "SELECT o.id, o.name, o.slug, u.id AS user_id, u.time_zone FROM organizations o"
            " LEFT JOIN users u ON u.organization_id = o.id AND u.deleted_at IS NULL"
            " WHERE o.id = %s ORDER BY u.id LIMIT 1",
            organization_id,
        )
    if not rows:
        who = f"studio {organization_id}" if organization_id is not None else f"user {email}"
        raise NotFound(
            f"There is no {who} in this Picsello. Name the studio by its number with --organization."
        )
    row = rows[0]
    return Studio(row.id, row.name, row.slug, row.user_id, row.time_zone)


def everybody(asking: Asking) -> list[tuple[str, Studio]]:
    """Every photographer of the database, by e-mail."""
    return [
        (str(row.email).lower(), Studio(row.id, row.name, row.slug, row.user_id, row.time_zone))
        for row in asking.rows(
            "SELECT u.email::text AS email, o.id, o.name, o.slug, u.id AS user_id, u.time_zone FROM users u"
            " JOIN organizations o ON o.id = u.organization_id WHERE u.deleted_at IS NULL ORDER BY u.id"
        )
    ]


def old_sync(asking: Asking, organization_id: int) -> str | None:
    """A sentence about Picsello's own calendar sync, if it is still switched on, or left work behind."""
    if not _may_read(asking, "nylas_details"):
        return None
    on = asking.one(
        "SELECT 1 AS it FROM nylas_details n JOIN users u ON u.id = n.user_id WHERE u.organization_id = %s"
        " AND n.oauth_token IS NOT NULL AND n.external_calendar_rw_id IS NOT NULL",
        organization_id,
    )
    if not on:
        return None
    said = (
        "Picsello's own calendar sync is still switched on there. Its service has ended, so it does nothing "
        "any more: disconnect it in Picsello's calendar settings."
    )
    waiting = _undelivered(asking, organization_id) if _may_read(asking, "oban_jobs") else 0
    if not waiting:
        return said
    changes = "1 change waits" if waiting == 1 else f"{waiting} changes wait"
    return f"{said} {changes} in its queue and will never arrive by that way; this bridge delivers them."


def _undelivered(asking: Asking, organization_id: int) -> int:
    """How many of the studio's changes wait for the old sync in the application's queue."""
    found = asking.one(
        "SELECT count(*) AS n FROM oban_jobs q"
        " JOIN shoots s ON s.id::text = q.args->>'shoot_id'"
        " JOIN jobs j ON j.id = s.job_id JOIN clients c ON c.id = j.client_id"
        " WHERE q.worker LIKE '%%.CalendarEvent' AND c.organization_id = %s"
        " AND q.state::text IN ('available', 'scheduled', 'retryable', 'executing')",
        organization_id,
    )
    return int(found.n) if found else 0


def _may_read(asking: Asking, table: str) -> bool:
    found = asking.one("SELECT coalesce(has_table_privilege(to_regclass(%s), 'SELECT'), false) AS may", table)
    return bool(found and found.may)
