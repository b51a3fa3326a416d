"""Radicale's ``[storage]`` over the bridge's store. Loaded by name: ``type = radicale_plugin.storage``.

Paths: ``/`` holds the principals, ``/<email>/`` is a user's principal and calendar home,
``/<email>/bookings/`` and ``/<email>/<mirror>/`` are the calendars. Who may see what: see ``rights``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from radicale.config import Configuration
from radicale.item import Item
from radicale.pathutils import strip_path
from radicale.storage import BaseCollection, BaseStorage

from bridge.errors import BridgeError
from bridge.service import client_writes
from bridge.store import calendars, objects
from radicale_plugin import runtime
from radicale_plugin.auth import identity
from radicale_plugin.collection import CalendarCollection, Folder, refused
from radicale_plugin.item import StoredItem


class Storage(BaseStorage):
    """Radicale makes two of these for one application; what they share is in ``runtime``."""

    # any name that a client chose is kept as it is
    _is_collision_free = True
    _supports_unicode = True
    _supports_trailing_whitespace = True
    _supports_problematic_chars = True

    def __init__(self, configuration: Configuration):
        super().__init__(configuration)
        self.runtime = runtime.of(configuration)

    @contextmanager
    def acquire_lock(self, mode: str, user: str = "", *args: Any, **kwargs: Any) -> Iterator[None]:
        """One transaction: everything a request reads is of one moment, everything it writes is committed
        together."""
        with self.runtime.transaction(mode):
            yield

    def discover(
        self,
        path: str,
        depth: str = "0",
        child_context_manager: Callable[[str, str | None], AbstractContextManager[None]] | None = None,
        user_groups: set[str] | None = None,
    ) -> Iterator[BaseCollection | Item]:
        """Lazy, the collection first: Radicale asks for the principal with depth 1 on every request and
        looks at the first element only."""
        match strip_path(path).split("/"):
            case [""]:
                yield Folder("")
                me = identity.get()
                if depth != "0" and me is not None:
                    yield Folder(me.email)
            case [email]:
                yield from self._home(email, depth)
            case [email, name]:
                for collection in self._calendars(email, name):
                    yield collection
                    if depth != "0":
                        yield from collection.get_all()
            case [email, name, href]:
                for collection in self._calendars(email, name):
                    with self.runtime.transaction("r") as tx:
                        stored = objects.get(tx, collection.row.id, href)
                    if stored is not None:
                        yield StoredItem(collection, stored)

    def _home(self, email: str, depth: str) -> Iterator[BaseCollection]:
        me = identity.get()
        if me is not None and me.email == email:  # signed in a moment ago: no need to look
            yield Folder(email)
            if depth != "0":
                yield from self._calendars(email)
            return
        found = self._calendars(email)
        if found:
            yield Folder(email)
            if depth != "0":
                yield from found

    def _calendars(self, email: str, name: str | None = None) -> list[CalendarCollection]:
        with self.runtime.transaction("r") as tx:
            return [CalendarCollection(self, email, row) for row in calendars.of_email(tx, email, name)]

    def move(self, item: Item, to_collection: BaseCollection, to_href: str) -> None:
        """Under ``python -m radicale`` only. Radicale has checked Overwrite and UIDs."""
        source = item.collection
        if not isinstance(source, CalendarCollection) or not isinstance(to_collection, CalendarCollection):
            raise ValueError("[Errno 13] only events move, and only between calendars")
        with self.runtime.transaction("w") as tx:
            try:
                with tx.begin_nested():
                    client_writes.move(
                        tx,
                        source.row,
                        str(item.href),
                        to_collection.row,
                        to_href,
                        actor=source.actor,
                        now=self.runtime.bridge.clock.now(),
                        overwrite=True,
                    )
            except BridgeError as error:
                raise refused(error) from error
            for collection in (source, to_collection):
                self.runtime.changed(collection.row.id)

    def create_collection(
        self, href: str, items: Iterable[Item] | None = None, props: Mapping[str, str] | None = None
    ) -> tuple[BaseCollection, dict[str, Item], list[str]]:
        """Calendars come with users and accounts, never from clients."""
        raise ValueError("[Errno 13] calendars are not made by clients")

    def verify(self) -> bool:
        """For ``--verify-storage``: the schema is this version's. ``picsello-bridge doctor`` looks deeper."""
        return self.runtime.bridge.db.is_current()
