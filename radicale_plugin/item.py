"""One object as Radicale's ``Item``: the stored text as it is, and nothing that makes Radicale parse it."""

from __future__ import annotations

from datetime import datetime
from email.utils import format_datetime
from typing import TYPE_CHECKING

import vobject
from radicale.item import Item
from radicale.item.filter import TIMESTAMP_MAX, TIMESTAMP_MIN

from bridge.store.objects import StoredObject

if TYPE_CHECKING:
    from radicale_plugin.collection import CalendarCollection

#: What stands in where Radicale wants a parsed object of a text that vobject refuses.
_EMPTY = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//picsello-bridge//EN\r\nEND:VCALENDAR\r\n"


def http_date(moment: datetime) -> str:
    """RFC 9110 5.6.7; always in English."""
    return format_datetime(moment.replace(microsecond=0), usegmt=True)


def quoted(etag: str) -> str:
    """As ETag headers and getetag spell it."""
    return f'"{etag}"'


class StoredItem(Item):
    """Everything that Radicale asks of an item on our paths is given, so that vobject, which loses data and
    mixes up time zones of different users, never sees the text. ``text`` may be a derived one (an expanded
    series); the ETag is the stored object's."""

    def __init__(self, collection: CalendarCollection, stored: StoredObject, text: str | None = None):
        super().__init__(
            collection=collection,
            href=stored.href,
            last_modified=http_date(stored.modified),
            text=stored.text if text is None else text,
            etag=quoted(stored.etag),
            uid=stored.uid,
            name="VCALENDAR",
            component_name=stored.component,
            time_range=(
                TIMESTAMP_MIN if stored.starts is None else stored.starts,
                TIMESTAMP_MAX if stored.ends is None else stored.ends,
            ),
        )

    @property
    def vobject_item(self) -> vobject.base.Component:
        """For what is left of Radicale that parses (a query on a single object): a text that vobject
        refuses counts as an empty calendar there, so that it spoils no one else's answer."""
        if self._vobject_item is None:
            try:
                self._vobject_item = vobject.readOne(self._text)
            except Exception:  # vobject raises whatever its parts raise
                self._vobject_item = vobject.readOne(_EMPTY)
        return self._vobject_item
