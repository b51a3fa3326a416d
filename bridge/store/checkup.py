"""Whether what is kept hangs together: what no run of ours leaves, but a failing disk or a hand may."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from sqlalchemy import Connection, exists, select, text

from bridge.store.tables import calendar, link, object_, occurrence

PORTION = 500


def database(tx: Connection) -> Sequence[str]:
    """What the database itself finds wrong (SQLite; PostgreSQL checks its pages whenever it reads them)."""
    if tx.dialect.name != "sqlite":
        return ()
    found = [str(line) for line in tx.execute(text("PRAGMA quick_check(5)")).scalars() if line != "ok"]
    broken = {str(row[0]) for row in tx.execute(text("PRAGMA foreign_key_check"))}
    return found + [f"rows of “{name}” refer to something that is gone" for name in sorted(broken)]


#: What PostgreSQL may be told not to do, and then loses in a crash what it said is saved.
PROMISES = ("fsync", "full_page_writes", "synchronous_commit")


def broken_promises(tx: Connection) -> list[tuple[str, str]]:
    """Which of ``PROMISES`` are off for us, and where that was said (``pg_settings.source``: ``database``,
    ``user``, ``command line``, ``configuration file``…). Of SQLite we say it ourselves."""
    if tx.dialect.name == "sqlite":
        return []
    asked = text(
        "SELECT name, source FROM pg_settings WHERE name = ANY(:names) AND setting = 'off' ORDER BY name"
    )
    return [(row.name, row.source) for row in tx.execute(asked, {"names": list(PROMISES)})]


def damaged(tx: Connection) -> list[tuple[int, int, str]]:
    """Objects whose text is not what their tag was made of: calendar, object, UID."""
    wanted = select(object_.c.calendar_id, object_.c.id, object_.c.uid, object_.c.etag, object_.c.text)
    rows = tx.execute(wanted, execution_options={"yield_per": PORTION})
    return [
        (row.calendar_id, row.id, row.uid)
        for row in rows
        if hashlib.sha256(row.text.encode()).hexdigest()[:32] != row.etag
    ]


def orphaned_mirrors(tx: Connection) -> list[tuple[int, int, str]]:
    """Mirrors of calendars that are linked no more: calendar, user, title."""
    linked = exists().where(link.c.mirror_id == calendar.c.id)
    rows = tx.execute(
        select(calendar.c.id, calendar.c.user_id, calendar.c.title).where(
            calendar.c.kind == "mirror", ~linked
        )
    )
    return [(row.id, row.user_id, row.title) for row in rows]


def unindexed(tx: Connection) -> list[tuple[int, int]]:
    """Calendars with events that no question about a time would find: calendar, how many."""
    found = exists().where(occurrence.c.object_id == object_.c.id)
    rows = tx.execute(
        select(object_.c.calendar_id)
        .join(calendar, calendar.c.id == object_.c.calendar_id)
        .where(
            object_.c.starts >= calendar.c.horizon_start,
            object_.c.starts < calendar.c.horizon_end,
            object_.c.recurring.is_(False),
            object_.c.component == "VEVENT",
            ~found,
        )
    ).scalars()
    counts: dict[int, int] = {}
    for calendar_id in rows:
        counts[calendar_id] = counts.get(calendar_id, 0) + 1
    return sorted(counts.items())
