"""Looking: everything known about the objects of a survey, as ``plan.Item`` values.

``Looker.portions`` turns sights into items, some at a time, and fetches only the texts that are needed.
Deciding is left to ``plan``, writing to ``apply``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256

from sqlalchemy import Connection

from bridge.errors import Invalid
from bridge.ical.facts import facts
from bridge.ical.marker import OWN_BOOKING, marker
from bridge.ports import Entry, Provider
from bridge.store import objects, pairings
from bridge.store.db import Database
from bridge.store.objects import StoredObject
from bridge.store.pairings import PairingRow
from bridge.store.rows import batches
from bridge.sync.ahead import ahead
from bridge.sync.context import Context
from bridge.sync.plan import Base, Flight, Hub, Item, Kind, Remote, marker_uid
from bridge.sync.survey import UNREAD, Sight, being_made

#: Objects per portion: bounds memory, and what one transaction holds.
PORTION = 200
#: From so many strangers on they are looked up together.
MANY = 8
#: UIDs of the one-way subscription that Picsello offers (picsello-domain.md 3.1).
OLD_SUBSCRIPTION = ("shoot_", "@picsello.com")
OLD_SUBSCRIPTION_SEEN = (
    "This calendar still holds bookings from Picsello's old calendar subscription. Each is shown once here; "
    "remove the subscription over there."
)


@dataclass(frozen=True, slots=True)
class Looked:
    """An item with its place: our calendar, and the pairing if there is one. ``instead_of`` is the pairing
    that noted it as left out, while it was."""

    item: Item
    calendar_id: int
    pairing: PairingRow | None
    instead_of: int | None = None
    notice: tuple[str, str] | None = None  # to be left with it: its kind and sentence


@dataclass(frozen=True, slots=True)
class Unusable:
    """A remote object that cannot take part, with the sentence that says why."""

    href: str
    tag: str
    why: str
    quiet: bool = False  # nothing the user need know
    notice: str | None = None  # the kind of notice to leave
    gone: bool = False  # it was left out before, and is no longer there
    ours: bool = False  # a second copy of a booking, perhaps its new place
    text: str | None = None  # of a stranger that takes no part: a preview compares it with ours


def derived_key(installation: str, uid: str, born: datetime, generation: int) -> str:
    """The name of an object we create at a provider: found again, never repeated (R-ID). One that was deleted
    here and made again is ``born`` anew, for its old name may be remembered there for ever."""
    life = int(born.timestamp() * 1000)
    return sha256(f"{installation}\n{uid}\n{life}\n{generation}".encode()).hexdigest()[:32]


@dataclass(slots=True)
class Looker:
    """Turns sights into items, portion by portion. ``vanished`` holds the pairings whose object is gone, so
    that the same UID under another href is taken for the rename it is, not for a deletion and a new event.

    ``missing``: an object that should be there was not found by looking for it. That is no deletion yet, and
    no proof that a create never arrived: it may have been renamed since, and only a complete listing can tell
    (design.md 4.3).
    """

    db: Database
    context: Context
    provider: Provider
    vanished: dict[int, Sight] = field(default_factory=dict)
    missing: bool = False
    ahead: bool = False
    _placed: set[tuple[int, str]] = field(default_factory=set)
    _unheard_of: frozenset[str] = frozenset()  # UIDs of this portion that nothing here knows

    def portions(self, sights: Sequence[Sight]) -> Iterator[tuple[list[Looked], list[Unusable]]]:
        """``items``, so many at a time that memory stays bounded.

        Strangers are read ahead where that is wanted: no write of ours is ever on its way to them."""
        portions = list(batches(sights, PORTION))
        if not self.ahead or len(portions) < 2:
            for portion in portions:
                yield self.items(portion)
            return
        for portion, texts in zip(portions, ahead(self._texts_of_strangers, portions), strict=True):
            yield self.items(portion, texts)

    def items(
        self, sights: Sequence[Sight], texts: Mapping[str, Entry] | None = None
    ) -> tuple[list[Looked], list[Unusable]]:
        """Everything known about these sights. Raises what the provider raises."""
        with self.db.reading() as tx:
            rows = pairings.get_full(tx, [s.pairing_id for s in sights if s.pairing_id is not None])
        if texts is None:
            texts = self._texts(sights)
        looked: list[Looked] = []
        unusable: list[Unusable] = []
        with self.db.reading() as tx:
            self._unheard_of = self._new_uids(tx, sights, texts)
            for sight in sights:
                row = rows.get(sight.pairing_id) if sight.pairing_id is not None else None
                found = self._look(tx, sight, row, _remote(sight, row, texts))
                if isinstance(found, Unusable):
                    unusable.append(found)
                elif found is not None:
                    looked.append(found)
        return looked, unusable

    def _new_uids(
        self, tx: Connection, sights: Sequence[Sight], texts: Mapping[str, Entry]
    ) -> frozenset[str]:
        """Asked at once, where there are many strangers: a first import would ask three times for each."""
        strangers = [texts.get(sight.href) for sight in sights if sight.href and sight.pairing_id is None]
        if len(strangers) < MANY:
            return frozenset()
        uids = {uid for entry in strangers if entry is not None and (uid := _uid(entry.text))}
        context, known = self.context, set[str]()
        for calendar in (context.bookings, context.mirror):
            if calendar is not None:
                known.update(objects.etags_by_uid(tx, calendar.id, uids))
                known.update(row.uid for row in pairings.by_uids(tx, context.link.id, calendar.id, uids))
        return frozenset(uids - known)

    def _object(self, tx: Connection, calendar_id: int, uid: str) -> StoredObject | None:
        if uid in self._unheard_of:
            return None
        return objects.by_uid(tx, calendar_id, uid, with_hidden=True)

    def _pairing(self, tx: Connection, calendar_id: int, uid: str) -> PairingRow | None:
        if uid in self._unheard_of:
            return None
        return pairings.by_uid(tx, self.context.link.id, calendar_id, uid)

    def _texts_of_strangers(self, sights: Sequence[Sight]) -> dict[str, Entry] | None:
        return self._texts(sights) if all(sight.pairing_id is None for sight in sights) else None

    def _texts(self, sights: Sequence[Sight]) -> dict[str, Entry]:
        """What the provider holds under the hrefs whose text we do not have."""
        found = {
            s.href: Entry(s.href, s.tag, s.text) for s in sights if s.href and s.tag and s.text is not None
        }
        wanted = [sight.href for sight in sights if sight.href and sight.text is None and sight.looked_for]
        if wanted:
            found.update((e.href, e) for e in self.provider.fetch(self.context.link.remote_id, wanted))
        return found

    def _look(
        self, tx: Connection, sight: Sight, row: PairingRow | None, remote: Remote | None
    ) -> Looked | Unusable | None:
        left_out: int | None = None
        if remote is None and sight.looked_for and row is not None and _was_there(row):
            self.missing = True
            return None
        if row is not None and not row.uid.startswith(UNREAD):
            calendar_id, uid = row.calendar_id, row.uid
        elif remote is not None:
            place = self._place(tx, remote)
            if isinstance(place, Unusable):
                return place
            left_out = row.id if row else None
            calendar_id, uid, row = place
            self._placed.add((calendar_id, uid))
        elif row is not None:
            return Unusable(row.href, "", "", gone=True)
        elif sight.calendar_id is not None and sight.uid is not None:
            calendar_id, uid = sight.calendar_id, sight.uid
            if (calendar_id, uid) in self._placed:
                return None  # it was found over there in this very pass, and looked at with what is here
        else:
            self.missing = (
                True  # a stranger that vanished before it could be read; it may be known by another name
            )
            return None
        stored = self._object(tx, calendar_id, uid)
        item = Item(
            uid,
            self._kind(calendar_id, uid, stored, known_there=remote is not None or row is not None),
            _hub(stored),
            remote,
            _base(row),
            _flight(row),
            row.generation if row else 1,
            sight.deleted,
            row.rewrites if row else 0,
        )
        old = row is None and calendar_id != self.context.bookings.id and of_old_subscription(uid)
        return Looked(
            item, calendar_id, row, left_out, ("old-subscription", OLD_SUBSCRIPTION_SEEN) if old else None
        )

    def _place(self, tx: Connection, remote: Remote) -> tuple[int, str, PairingRow | None] | Unusable:
        """Where a remote object without a pairing of its own belongs: our calendar, UID, and the pairing it
        takes over if the object moved to another href."""
        context = self.context
        try:
            known = facts(remote.text)
        except Invalid as error:
            return Unusable(remote.href, remote.tag, f"An event over there cannot be read: {error}")
        uid = known.uid
        if not uid:
            return Unusable(
                remote.href, remote.tag, "An event over there has no identity (UID), so it is left out."
            )
        if context.policy.is_source:
            row = self._pairing(tx, context.bookings.id, uid)
            if row is not None and not self._took_over(row):
                return Unusable(remote.href, remote.tag, "", quiet=True)
            return context.bookings.id, uid, row
        mark = marker(remote.text)
        marked = mark is not None and mark.installation == context.policy.installation
        booking = self._object(tx, context.bookings.id, uid)
        ours = marked and mark is not None and marker_uid(mark.key) == uid
        if booking is not None or ours:
            lost = context.policy.restored and not of_old_subscription(uid)
            own = self._own(tx, remote, uid, adopt=context.link.writes and (booking is not None or lost))
            if ours or not isinstance(own, Unusable) or not of_old_subscription(uid):
                return own
        if of_old_subscription(uid) and (booking is not None or context.user.source != "studio"):
            # the bookings themselves are shown from where they live
            return Unusable(remote.href, remote.tag, OLD_SUBSCRIPTION_SEEN, notice="old-subscription")
        if context.mirror is None or not context.link.reads or known.component != "VEVENT":
            return Unusable(remote.href, remote.tag, "", quiet=True, text=remote.text)
        row = self._pairing(tx, context.mirror.id, uid)
        if row is not None and not self._took_over(row):
            return Unusable(remote.href, remote.tag, f"A second event with the identity {uid} is left out.")
        return context.mirror.id, uid, row

    def _own(
        self, tx: Connection, remote: Remote, uid: str, *, adopt: bool
    ) -> tuple[int, str, PairingRow | None] | Unusable:
        """One of our bookings, found by marker or UID: taken back into its pairing, or left alone."""
        bookings_id = self.context.bookings.id
        row = self._pairing(tx, bookings_id, uid)
        if (adopt and row is None) or (row is not None and self._took_over(row)):
            return bookings_id, uid, row
        return Unusable(remote.href, remote.tag, "", quiet=True, ours=True)

    def _took_over(self, row: PairingRow) -> bool:
        """Whether the pairing is free for another href: its own vanished, or it had none."""
        return self.vanished.pop(row.id, None) is not None or (row.base_tag is None and row.flight is None)

    def _kind(self, calendar_id: int, uid: str, stored: StoredObject | None, *, known_there: bool) -> Kind:
        if calendar_id != self.context.bookings.id:
            return "foreign"
        if self.context.policy.is_source and known_there:
            return "booking"  # also if a calendar app had brought it here before, from an old subscription
        if self.context.policy.restored and stored is None and uid.endswith(OWN_BOOKING):
            return "booking"
        return "booking" if stored is not None and stored.kind == "booking" else "block"


def _uid(text: str | None) -> str:
    """The UID in it; empty if it cannot be read: that is said where it is placed."""
    try:
        return facts(text).uid if text is not None else ""
    except Invalid:
        return ""


def _was_there(row: PairingRow) -> bool:
    """Whether the object was there, or may have been: a create whose answer was lost."""
    return row.base_tag is not None or being_made(row)


def of_old_subscription(uid: str) -> bool:
    """Whether Picsello's own feed gives this UID to a shoot (M7)."""
    return uid.startswith(OLD_SUBSCRIPTION[0]) and uid.endswith(OLD_SUBSCRIPTION[1])


def _remote(sight: Sight, row: PairingRow | None, texts: Mapping[str, Entry]) -> Remote | None:
    """Their side of a sight: as just fetched, or as it was when both sides agreed."""
    if sight.gone:
        return None
    if sight.href and sight.looked_for:
        entry = texts.get(sight.href)
        return Remote(entry.href, entry.tag, entry.text) if entry and entry.text is not None else None
    if row is None or row.base_remote is None or row.base_tag is None:
        return None
    return Remote(row.href, row.base_tag, row.base_remote)


def _hub(stored: StoredObject | None) -> Hub | None:
    if stored is None:
        return None
    cancelled = stored.kind == "booking" and stored.status == "CANCELLED"
    return Hub(stored.href, stored.etag, stored.text, cancelled, stored.hidden)


def _base(row: PairingRow | None) -> Base | None:
    if row is None or row.base_etag is None:
        return None
    hub = row.base_hub if row.base_hub is not None else row.base_remote
    assert hub is not None
    return Base(hub, row.base_etag, row.base_remote, row.base_tag)


def _flight(row: PairingRow | None) -> Flight | None:
    if row is None or row.flight is None:
        return None
    return Flight(row.flight_text, row.flight_hub, row.flight_etag, row.flight_expect)
