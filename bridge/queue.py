"""The job queue: huey, on SQLite in the data folder or on Redis, with the one task there is.

A job carries nothing but the number of a link, and until when it was taken. The queue may be lost at any
moment without harm: what is due stands in the store (``bridge.store.turns``). Running jobs is the worker's
business.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bridge.errors import Invalid

SQLITE = "sqlite:///"


class Jobs:
    """Puts jobs on the queue; ``huey`` is what a consumer runs them from."""

    def __init__(self, url: str, run: Callable[[int, int], None]):
        """``url``: ``sqlite:///path`` or ``redis://…``. ``run(link_id, taken)`` is called for each job."""
        self.huey = _huey(url)
        self._task = self.huey.task(name="run_link")(run)

    def put(self, link_id: int, taken: int) -> None:
        """Ask for one pass of the link, by whichever worker is free. ``taken``: milliseconds since 1970."""
        self._task(link_id, taken)

    def waiting(self) -> int:
        """How many jobs nobody has begun."""
        return int(self.huey.pending_count())


def _huey(url: str) -> Any:
    # Imported here: whoever puts nothing on the queue need not load it.
    import huey

    class Unrevoked:
        """Nobody takes a job back, so nobody asks the queue whether one was: two questions less a job, one of
        them a write."""

        def is_revoked(self, *_: Any) -> bool:
            return False

        def delete(self, _key: str) -> bool:
            """Of the note that a job was revoked; nothing else is kept beside the jobs."""
            return False

    class OnSqlite(Unrevoked, huey.SqliteHuey):  # type: ignore[misc]
        pass

    class OnRedis(Unrevoked, huey.RedisHuey):  # type: ignore[misc]
        pass

    options: dict[str, Any] = {"name": "picsello-bridge", "results": False}
    if url.startswith(SQLITE):
        return OnSqlite(filename=url.removeprefix(SQLITE), timeout=30, **options)
    try:
        return OnRedis(url=url, **options)
    except ValueError as error:
        raise Invalid(f"The queue's address is not usable: {error}.") from error
