"""What people do on either side, at random or as told, and the ledger of it.

People edit through the store's one write module, as the plugin does, and straight on the far sides.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from bridge.ical.build import with_status
from bridge.store import objects, pairings
from bridge.store.objects import StoredObject
from tests.simulation.ground import Ground, Link
from tests.simulation.ledger import GROUPS, new_text, shown, uid_of, with_edit

T = TypeVar("T")


@dataclass(slots=True)
class World(Ground):
    """The ground with people on it."""

    # --- at random --------------------------------------------------------------------------------

    def somebody_acts(self) -> None:
        self._busy = True
        try:
            link = self.random.choice(self.links)
            acts = [self._book, self._edit_here, self._edit_there, self._edit_here, self._edit_there]
            acts += [self._delete_there, self._delete_here, self._add_there, self._add_block, self._cancel]
            acts += [self._rename_there] if self.random.random() < 0.3 else []
            acts += [self._poison_there] if self.random.random() < 0.1 else []
            self.random.choice(acts)(link)
        finally:
            self._busy = False

    def _book(self, _link: Link) -> None:
        self.add_here("booking")

    def _add_block(self, _link: Link) -> None:
        self.add_here("block")

    def _add_there(self, link: Link) -> None:
        self.add_there(link)

    def _edit_here(self, link: Link) -> None:
        where = self.bookings_id
        if link.edits and link.mirror_id is not None and self.random.random() < 0.5:
            where = link.mirror_id
        with self.db.reading() as tx:
            found = [o for o in objects.all_objects(tx, where) if o.uid in self.ledger.stories]
        if found:
            self.edit_here(self._one_of_few(found), self.random.choice(GROUPS))

    def _edit_there(self, link: Link) -> None:
        if held := self._known_there(link):
            self.edit_there(link, self._one_of_few(held), self.random.choice(GROUPS))

    def _delete_there(self, link: Link) -> None:
        if held := self._known_there(link):
            self.delete_there(link, self._one_of_few(held))

    def _rename_there(self, link: Link) -> None:
        if held := self._known_there(link) if link.far.profile.renames else []:
            self.rename_there(link, self._one_of_few(held))

    def _poison_there(self, link: Link) -> None:
        self.poison_there(link)

    def _delete_here(self, link: Link) -> None:
        """A block, or an event of a mirror that may be edited; bookings are cancelled, not deleted."""
        where = link.mirror_id if link.edits and link.mirror_id is not None else self.bookings_id
        with self.db.reading() as tx:
            found = [
                o
                for o in objects.all_objects(tx, where)
                if o.kind != "booking" and o.uid in self.ledger.stories
            ]
        if found:
            self.delete_here(self._one_of_few(found))

    def _cancel(self, _link: Link) -> None:
        if self.random.random() < 0.6:
            return  # people book more than they cancel
        with self.db.reading() as tx:
            found = [o for o in objects.all_objects(tx, self.bookings_id) if o.kind == "booking"]
        if found:
            self.cancel(self._one_of_few(found))

    def _one_of_few(self, found: Sequence[T]) -> T:
        """A third of all edits hit the same few objects."""
        if self.random.random() < 0.5:
            found = found[:3]
        return self.random.choice(found)

    def _known_there(self, link: Link) -> list[str]:
        """The hrefs of what has a story."""
        return [h for h, (_, t) in link.remote.objects.items() if uid_of(t) in self.ledger.stories]

    # --- here -------------------------------------------------------------------------------------

    def stored(self, calendar_id: int, uid: str) -> StoredObject | None:
        """Our object, hidden or not."""
        with self.db.reading() as tx:
            return objects.by_uid(tx, calendar_id, uid, with_hidden=True)

    def add_here(self, kind: str) -> str:
        """A booking or a block; its UID."""
        uid = f"{kind}-{len(self.ledger.stories)}"
        number = self.ledger.created(uid, kind, None, "hub")
        self.put_here(self.bookings_id, f"{uid}.ics", new_text(uid, number), kind)
        return uid

    def edit_here(self, stored: StoredObject, group: str) -> None:
        number = self.ledger.edited(stored.uid, group, shown(stored.text), "hub")
        self.put_here(stored.calendar_id, stored.href, with_edit(stored.text, group, number), None)
        self.trace.append(f"edit here {stored.uid} {group} {number}")

    def delete_here(self, stored: StoredObject) -> None:
        self.ledger.deleted(stored.uid, shown(stored.text))
        with self.db.writing() as tx:
            objects.delete(tx, stored.calendar_id, stored.href, actor="device:1", now=self.clock.now())
        self.trace.append(f"delete here {stored.uid}")

    def cancel(self, stored: StoredObject) -> None:
        self.ledger.stories[stored.uid].cancelled = True
        now = self.clock.now()
        with self.db.writing() as tx:
            text = with_status(stored.text, "CANCELLED", now)
            objects.put(
                tx, self.bookings_id, stored.href, text, kind="booking", hidden=True, actor="command", now=now
            )
        self.trace.append(f"cancel {stored.uid}")

    def put_here(self, calendar_id: int, href: str, text: str, kind: str | None) -> None:
        with self.db.writing() as tx:
            objects.put(tx, calendar_id, href, text, kind=kind, actor="device:1", now=self.clock.now())

    # --- there ------------------------------------------------------------------------------------

    def add_there(self, link: Link) -> str:
        """An event that is nobody's booking; its UID."""
        uid = f"foreign-{len(self.ledger.stories)}"
        number = self.ledger.created(uid, "foreign", self.links.index(link), "far")
        link.far.store(link.remote_id, f"{link.remote_id}{uid}.ics", new_text(uid, number))
        self.trace.append(f"add there {uid}")
        return uid

    def edit_there(self, link: Link, href: str, group: str) -> None:
        text = link.remote.objects[href][1]
        uid = uid_of(text)
        number = self.ledger.edited(uid, group, shown(text), "far")
        self._note_blindness(link, href, uid)
        link.far.store(link.remote_id, href, with_edit(text, group, number))
        self.trace.append(f"edit there {uid} {group} {number}")

    def delete_there(self, link: Link, href: str) -> None:
        text = link.remote.objects[href][1]
        self.ledger.deleted(uid_of(text), shown(text))
        self._note_blindness(link, href, uid_of(text))
        link.far.remove(link.remote_id, href)
        self.trace.append(f"delete there {uid_of(text)}")

    def rename_there(self, link: Link, href: str) -> None:
        """The same object under another href, as after a server's migration."""
        text = link.remote.objects[href][1]
        self._note_blindness(link, href, uid_of(text))
        link.far.remove(link.remote_id, href)
        link.far.store(link.remote_id, f"{link.remote_id}moved-{link.far.versions}.ics", text)
        self.trace.append(f"rename there {uid_of(text)}")

    def poison_there(self, link: Link) -> None:
        """Something that is no iCalendar at all."""
        text = f"UID:poison\r\nThis is {link.far.versions}."
        link.far.store(link.remote_id, f"{link.remote_id}poison.ics", text)
        self.trace.append("poison there")

    def _note_blindness(self, link: Link, href: str, uid: str) -> None:
        """Somebody acted over there while the outcome of a write of ours was unknown."""
        with self.db.reading() as tx:
            row = pairings.by_href(tx, link.id, href) or pairings.by_uid(tx, link.id, self.bookings_id, uid)
        if row is not None and row.flight is not None:
            self.ledger.stories[uid].blind = True
