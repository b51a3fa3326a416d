"""Radicale's collections over the store: a user's home, and one calendar as it was at one moment.

``CalendarCollection`` is a snapshot of the calendar's row: ETag, token and properties need no query, and
Radicale asks for them after it has left the lock. Objects are read in the transaction of the request.
Deciding what a write means is left to ``bridge.service.client_writes``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from radicale.item import Item
from radicale.storage import BaseCollection
from radicale.xmlutils import make_clark, make_human_tag

from bridge.errors import BridgeError, Invalid, NotAllowed
from bridge.ical.check import check_resource
from bridge.ical.facts import facts
from bridge.service import client_writes
from bridge.store import objects, shown
from bridge.store.calendars import CalendarRow
from bridge.store.objects import StoredObject
from bridge.store.people import user_by_email
from radicale_plugin import capture, deadprops, report
from radicale_plugin import filters as caldav_filters
from radicale_plugin.auth import identity
from radicale_plugin.export import whole_calendar
from radicale_plugin.item import StoredItem, http_date, quoted
from radicale_plugin.properties import etag, title

if TYPE_CHECKING:
    import xml.etree.ElementTree as ET

    from radicale_plugin.storage import Storage

#: Properties that are the calendar's nature, not a client's to set.
_COMPONENTS = "C:supported-calendar-component-set"
_OURS = {"tag", _COMPONENTS}


class Folder(BaseCollection):
    """The root, or a user's principal, which is their calendar home too. Nothing in it can be changed."""

    def __init__(self, path: str):
        self._path = path

    @property
    def path(self) -> str:
        return self._path

    @property
    def etag(self) -> str:
        return quoted("folder")

    @property
    def last_modified(self) -> str:
        return "Thu, 01 Jan 1970 00:00:00 GMT"

    def get_multi(self, hrefs: Iterable[str]) -> Iterable[tuple[str, Item | None]]:
        return ((href, None) for href in hrefs)

    def get_all(self) -> Iterable[Item]:
        return ()

    def get_meta(self, key: str | None = None) -> Any:
        props = {"D:displayname": self._path} if self._path else {}
        return props if key is None else props.get(key)


class CalendarCollection(BaseCollection):
    """One calendar. ``row`` is the snapshot."""

    def __init__(self, storage: Storage, owner: str, row: CalendarRow):
        self._storage = storage
        self._runtime = storage.runtime
        self.row = row
        self._path = f"{owner}/{row.name}"

    @property
    def path(self) -> str:
        return self._path

    @property
    def etag(self) -> str:
        """The ctag: moves with every change of the objects or the properties."""
        return etag(self.row)

    @property
    def last_modified(self) -> str:
        return http_date(self.row.modified)

    # --- reading -----------------------------------------------------------------------------------

    def get_all(self) -> Iterable[Item]:
        with self._runtime.transaction("r") as tx:
            for stored in objects.all_objects(tx, self.row.id):
                yield StoredItem(self, stored)

    def get_multi(self, hrefs: Iterable[str]) -> Iterable[tuple[str, Item | None]]:
        wanted = list(dict.fromkeys(hrefs))
        with self._runtime.transaction("r") as tx:
            found = objects.get_many(tx, self.row.id, wanted)
        expansion = report.expansion()
        for href in wanted:
            stored = found.get(href)
            yield href, None if stored is None else self._item(stored, expansion) or StoredItem(self, stored)

    def get_filtered(self, filters: Iterable[ET.Element]) -> Iterable[tuple[Item, bool]]:
        filters = list(filters)
        expansion, zone = report.expansion(), ZoneInfo(self.row.time_zone)
        window = caldav_filters.only_window(filters) or (expansion and (expansion.start, expansion.end))
        with self._runtime.transaction("r") as tx:
            known: dict[tuple[int | None, int | None], set[int]] = {}

            def in_range(start: int | None, end: int | None) -> set[int]:
                if (start, end) not in known:
                    known[start, end] = {row.id for row in objects.in_range(tx, self.row.id, start, end)}
                return known[start, end]

            uid = caldav_filters.only_uid(filters)
            only = objects.by_uid(tx, self.row.id, uid) if uid else None
            candidates: Iterable[StoredObject]
            if only is not None:
                candidates = [only]
            elif window:
                candidates = objects.in_range(tx, self.row.id, *window)
                known[window] = {row.id for row in candidates}
            else:
                candidates = objects.all_objects(tx, self.row.id)
            for stored in candidates:
                if caldav_filters.matches(filters, stored, in_range, zone) and (
                    item := self._item(stored, expansion)
                ):
                    yield item, True

    def _item(self, stored: StoredObject, expansion: report.Expansion | None) -> StoredItem | None:
        """The object as this report shows it; None if nothing of it lies in the expansion's window."""
        if expansion is None:
            return StoredItem(self, stored)
        text = expansion.of(stored, ZoneInfo(self.row.time_zone))
        return None if text is None else StoredItem(self, stored, text)

    def has_uid(self, uid: str) -> bool:
        with self._runtime.transaction("r") as tx:
            return objects.by_uid(tx, self.row.id, uid) is not None

    def sync(self, old_token: str = "") -> tuple[str, Iterable[str]]:
        """RFC 6578. Deleted hrefs are among the names; ``get_multi`` then finds nothing at them."""
        if not old_token:
            return objects.token(self.row), self._hrefs()
        try:
            seq = objects.parse_token(old_token, self.row)
            with self._runtime.transaction("r") as tx:
                delta = objects.changed_since(tx, self.row.id, seq)
        except Invalid as error:
            raise ValueError(str(error)) from error
        return objects.token(self.row), [change.href for change in (*delta.changed, *delta.deleted)]

    def _hrefs(self) -> Iterator[str]:
        """Lazy: Radicale asks for a token far more often than for everything."""
        with self._runtime.transaction("r") as tx:
            names = [listed.href for listed in objects.listing(tx, self.row.id)]
        yield from names

    def serialize(self, vcf_to_ics: bool = False, ShareActions: dict[str, Any] | None = None) -> str:
        with self._runtime.transaction("r") as tx:
            return b"".join(whole_calendar(title(self.row), shown.texts(tx, self.row.id))).decode()

    # --- properties --------------------------------------------------------------------------------

    def get_meta(self, key: str | None = None) -> Any:
        theirs = {make_human_tag(name): deadprops.plain(value) for name, value in self._visible().items()}
        props: Mapping[str, str] = theirs | {
            "D:displayname": title(self.row),
            "tag": "VCALENDAR",
            _COMPONENTS: ",".join(self.row.components),
        }
        return props if key is None else props.get(key)

    def set_meta(self, props: Mapping[str, str]) -> None:
        """Radicale gives all of them back, as text: only what differs from what it was given is a change."""
        wanted = {make_clark(name): value for name, value in props.items() if name not in _OURS}
        there = {name: deadprops.plain(value) for name, value in self._visible().items()}
        there.pop(make_clark(_COMPONENTS), None)
        there.setdefault(deadprops.DISPLAYNAME, self.row.title)
        updates: dict[str, str | None] = dict.fromkeys(there.keys() - wanted.keys())
        updates |= {name: value for name, value in wanted.items() if there.get(name) != value}
        try:
            kept = deadprops.changed(self.row.props, updates, self.actor)
        except BridgeError as error:
            raise refused(error) from error
        with self._runtime.transaction("w") as tx:
            objects.set_props(tx, self.row.id, kept, self._runtime.bridge.clock.now())

    def _visible(self) -> dict[str, str]:
        return deadprops.visible(self.row, self.actor)

    # --- writing, under ``python -m radicale`` only (``app`` answers PUT, DELETE and MOVE itself) -----

    def upload(self, href: str, item: Item) -> tuple[Item, Item | None]:
        text = self._as_sent(item)
        with self._runtime.transaction("w") as tx:
            now = self._runtime.bridge.clock.now()
            user = user_by_email(tx, self.owner)
            old = objects.get(tx, self.row.id, href)
            try:
                check_resource(text, max_bytes=self._runtime.max_object, components=self.row.components)
                with tx.begin_nested():  # Radicale commits what came before a ValueError
                    client_writes.put(tx, user, self.row, href, text, actor=self.actor, now=now)
            except BridgeError as error:
                raise refused(error) from error
            self._runtime.changed(self.row.id)
            stored = objects.get(tx, self.row.id, href)
        if stored is None:
            raise ValueError("the object is not there after its upload")
        return StoredItem(self, stored), StoredItem(self, old) if old else None

    def delete(self, href: str | None = None) -> None:
        if href is None:
            raise ValueError("[Errno 13] calendars are not removed by clients")
        with self._runtime.transaction("w") as tx:
            user = user_by_email(tx, self.owner)
            now = self._runtime.bridge.clock.now()
            client_writes.delete(tx, user, self.row, href, actor=self.actor, now=now)
            self._runtime.changed(self.row.id)

    @property
    def actor(self) -> str:
        """Who is writing, as the change log spells it."""
        found = identity.get()
        return found.actor if found else f"user:{self.row.user_id}"

    def _as_sent(self, item: Item) -> str:
        """The client's own text if it was caught and is the one that Radicale parsed."""
        sent = capture.text()
        if sent is not None:
            sent = sent.removeprefix("\ufeff")
            try:
                if facts(sent).uid == item.uid:
                    return sent
            except Invalid:
                pass
        return str(item.serialize())


def refused(error: BridgeError) -> ValueError:
    """As Radicale's own handlers understand it: a 403 for ``[Errno 13]``, else a 400."""
    return ValueError(f"[Errno 13] {error}" if isinstance(error, NotAllowed) else str(error))
