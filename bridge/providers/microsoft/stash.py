"""The text that we sent, kept at the event: what Graph has no word for comes back byte for byte.

Two single-value extended properties hold our identity and the text as last written. While Graph's fields
still say what that text says, reading the event gives the text itself; where somebody changed a field in
Outlook, the house's own merge carries just that group into it. So unknown properties, several reminders, the
exact zone and our marker survive, and nobody's edit is hidden. Pure.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from bridge.errors import ObjectRefused
from bridge.ical.fields import changed
from bridge.ical.merge import merge
from bridge.ical.text import Component, Line, parse
from bridge.providers.microsoft.event import series_of
from bridge.providers.microsoft.render import Stamps, render
from bridge.providers.microsoft.translate import read

_SET = "String {7c1f6a52-3e0b-4a5d-9d6f-2b8e4c90a1d7} Name "
KEY = _SET + "PicselloBridgeKey"
TEXT = _SET + "PicselloBridgeText"

#: Both, with an event: an ``$expand``.
EXPAND = f"singleValueExtendedProperties($filter=id eq '{KEY}' or id eq '{TEXT}')"

#: Begins the identity of a series under construction: not one of ours yet.
DRAFT = "draft:"

#: Characters of one property. Exchange sets no public limit; larger texts leave their notes out.
LIMIT = 16_000
#: Of a text, unpacked: what a packed property may become.
_UNPACKED = 4 * 1024 * 1024
_PACKED = "z1:"
_LONG = frozenset({"DESCRIPTION", "X-ALT-DESC", "ATTACH", "VALARM"})

Property = dict[str, str]


def key_of(found: Mapping[str, Any]) -> str | None:
    """Our identity of an event, None if it is none of ours."""
    return _value(found, KEY)


def kept(found: Mapping[str, Any]) -> str | None:
    """The text that was last sent, None if there is none."""
    packed = _value(found, TEXT)
    if packed is None or not packed.startswith(_PACKED):
        return None
    unpacker = zlib.decompressobj()
    try:
        text = unpacker.decompress(base64.b64decode(packed[len(_PACKED) :]), _UNPACKED)
        return None if unpacker.unconsumed_tail else text.decode()
    except (binascii.Error, zlib.error, ValueError):
        return None


def draft_key(uid: str) -> str:
    """The identity of a series under construction: by its UID, so that any later attempt finds what an
    earlier one left behind."""
    return DRAFT + hashlib.sha256(uid.encode()).hexdigest()[:32]


def properties(key: str | None, text: str) -> list[Property]:
    """What to write beside an event's fields."""
    kept_text = next((packed for form in _shorter(text) if len(packed := _pack(form)) <= LIMIT), None)
    values = ((KEY, key), (TEXT, kept_text))
    return [{"id": name, "value": value} for name, value in values if value is not None]


def text_of(found: Mapping[str, Any]) -> str:
    """The one iCalendar text of an event (with its exceptions, if it is a master). Raises ``Invalid``."""
    now = series_of(found)
    edited = _stamp(found.get("lastModifiedDateTime")) or "19700101T000000Z"
    created = _stamp(found.get("createdDateTime"))
    ours = kept(found)
    if ours is not None:
        try:
            uid, sent = read(ours)
        except ObjectRefused:
            ours = None
    if ours is None:
        return render(now, Stamps(str(found.get("iCalUId") or found["id"]), edited, created))
    if sent == now:
        return ours
    stamps = Stamps(uid, edited, created)
    return merge(ours, ours, render(sent, stamps), render(now, stamps), "theirs").hub


def loses(text: str, found: Mapping[str, Any]) -> bool:
    """Whether Graph's fields alone, with what only Graph may change, would say less than the text does."""
    uid, series = read(text)
    before = series_of(found)
    master = replace(series.master, read_only=before.master.read_only)
    overrides = {
        instance: replace(event, read_only=(before.overrides.get(instance) or master).read_only)
        for instance, event in series.overrides.items()
    }
    series = replace(series, master=master, overrides=overrides)
    return bool(changed(text, render(series, Stamps(uid, "19700101T000000Z"))))


def _value(found: Mapping[str, Any], name: str) -> str | None:
    for said in found.get("singleValueExtendedProperties") or ():
        if str(said.get("id", "")).lower() == name.lower():
            value = said.get("value")
            return None if value is None else str(value)
    return None


def _pack(text: str) -> str:
    return _PACKED + base64.b64encode(zlib.compress(text.encode(), 9)).decode()


def _shorter(text: str) -> Iterator[str]:
    """The text, and the same without what may be long and is in Graph's fields, or in no field, anyway."""
    yield text
    calendar = parse(text).copy()
    for part in calendar.components("VEVENT"):
        part.items = [item for item in part.items if item.name not in _LONG]
    yield calendar.serialize()
    for part in calendar.components("VEVENT"):
        part.items = [item for item in part.items if not _bulky(item)]
    yield calendar.serialize()


def _bulky(item: Line | Component) -> bool:
    return isinstance(item, Line) and len(item.raw) > 500


def _stamp(moment: Any) -> str:
    """``2026-01-05T09:00:00.0000000Z`` as an iCalendar UTC time."""
    digits = str(moment or "")[:19].replace("-", "").replace(":", "")
    return f"{digits}Z" if len(digits) == 15 else ""
