"""The doctor's look at what is kept: whole, hanging together, found by every question about a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from zoneinfo import ZoneInfo

from bridge.service import Bridge
from bridge.store import calendars, checkup, horizon, people

#: What, whether it is well, the sentence, and the cure if there is one.
Found = tuple[str, bool, str, Callable[[], str] | None]


def look(bridge: Bridge) -> Iterator[Found]:
    """Everything that is kept, read once."""
    with bridge.db.reading() as tx:
        wrong = checkup.database(tx)
        careless = checkup.broken_promises(tx)
        damaged = checkup.damaged(tx)
        mirrors = checkup.orphaned_mirrors(tx)
        unindexed = checkup.unindexed(tx)
    if wrong:
        yield "what is kept", False, f"The database is damaged ({wrong[0]}). Restore the last backup.", None
    for name, source in careless:
        yield "what PostgreSQL promises", False, _careless(bridge, name, source), None
    for _, number, uid in damaged:
        said = (
            f"Event {uid} (object {number}) was changed by a failing disk or a hand: edit it once in a "
            "calendar app, or restore the last backup."
        )
        yield "what is kept", False, said, None
    for calendar_id, _, title in mirrors:
        said = f"The mirror “{title}” belongs to no linked calendar any more. It can go: doctor --fix"
        yield "mirrors", False, said, _drop(bridge, calendar_id, title)
    for calendar_id, count in unindexed:
        said = f"{count} events of calendar {calendar_id} are not found by their time: doctor --fix"
        yield "index of times", False, said, _reindex(bridge, calendar_id)
    if not (wrong or damaged or mirrors or unindexed):
        yield "what is kept", True, "whole, and hangs together", None


#: What is lost without it.
LOST = {
    "fsync": "a crash of its machine can damage the whole database",
    "full_page_writes": "a crash of its machine can damage what was being written",
    "synchronous_commit": "a crash loses the last moment of what apps were told is saved",
}


def _careless(bridge: Bridge, name: str, source: str) -> str:
    """``source``: where PostgreSQL has it from, and so where it is put right."""
    url = bridge.db.url
    match source:
        case "database":
            todo = f'As its administrator: ALTER DATABASE "{url.database}" RESET {name};'
        case "user":
            todo = f'As its administrator: ALTER ROLE "{url.username}" RESET {name};'
        case "database user":
            whose = f'ROLE "{url.username}" IN DATABASE "{url.database}"'
            todo = f"As its administrator: ALTER {whose} RESET {name};"
        case "command line":
            todo = f"Take it out of the command that starts PostgreSQL (-c {name}=off), and restart it."
        case "client" | "environment variable":
            todo = "Take it out of PICSELLO_BRIDGE_DATABASE_URL (options=…) and PGOPTIONS, and restart us."
        case _:
            todo = f"As its administrator: ALTER SYSTEM SET {name} = on; SELECT pg_reload_conf();"
    return f"PostgreSQL runs with {name} = off: {LOST[name]}. {todo}"


def _drop(bridge: Bridge, calendar_id: int, title: str) -> Callable[[], str]:
    def cure() -> str:
        with bridge.db.writing() as tx:
            calendars.remove(tx, calendar_id)
        return f"The mirror “{title}” is gone."

    return cure


def _reindex(bridge: Bridge, calendar_id: int) -> Callable[[], str]:
    def cure() -> str:
        with bridge.db.writing() as tx:
            owner = people.user_by_id(tx, calendars.get(tx, calendar_id).user_id)
            horizon.reindex(tx, calendar_id, ZoneInfo(owner.time_zone))
        return f"Calendar {calendar_id} is indexed anew."

    return cure
