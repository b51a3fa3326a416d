"""Observation: what a pass has to look at, and everything known about it, as ``plan.Item`` values.

Two steps. ``survey_sides`` asks the provider what changed since the cursor and the store what changed since
the last pass, and yields *sights*: small references without texts, so that a calendar of 50,000 events
costs what changed, not what is there. ``Looker.items`` then turns portions of them into items, fetching
only the texts that are needed. Deciding is left to ``plan``, writing to ``apply``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from sqlalchemy import Connection

from bridge.errors import CursorLost, Invalid
from bridge.ical.facts import facts
from bridge.ical.marker import marker
from bridge.ports import Changes, Entry, Provider
from bridge.store import calendars, objects, pairings
from bridge.store.db import Database
from bridge.store.objects import StoredObject
from bridge.store.pairings import Paired, PairingRow
from bridge.sync.context import Context
from bridge.sync.plan import Base, Flight, Hub, Item, Kind, Remote, marker_uid

#: Marks the pairing of a remote object that was left out: it has no UID of ours.
UNREAD = "?"

#: UIDs of the one-way subscription that Picsello offers (picsello-domain.md 3.1).
OLD_SUBSCRIPTION = ("shoot_", "@picsello.com")
OLD_SUBSCRIPTION_SEEN = (
    "This calendar still holds bookings from Picsello's old calendar subscription. Each is shown once here; "
    "remove the subscription over there."
)


@dataclass(frozen=True, slots=True)
class Sight:
    """One object to look at. Known by its pairing, by its remote href, or by our calendar and UID.

    ``tag`` is what a listing just said; None: not listed, so the base's or, with ``fresh``, to be fetched.
    ``gone``: the listing says that it is not there (any more); ``deleted``: that it was there and went.
    """

    pairing_id: int | None = None
    href: str | None = None
    calendar_id: int | None = None
    uid: str | None = None
    tag: str | None = None
    text: str | None = None
    fresh: bool = False
    gone: bool = False
    deleted: bool = False

    @property
    def looked_for(self) -> bool:
        """Whether its text is asked for over there (or came with the listing)."""
        return self.href is not None and not self.gone and (self.fresh or self.tag is not None)


@dataclass(slots=True)
class Observation:
    """What a pass has to look at, and what to remember once it is done."""

    sights: list[Sight]
    gone: list[Sight]  # looked at last: a new href of the same UID may turn one into a rename
    cursor: str | None
    complete: bool
    listing_empty: bool
    agreed: int  # objects both sides had agreed on, for the guard
    bookings_seq: int
    mirror_seq: int
    rest: float | None  # seconds that the provider asks us to wait


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


def derived_key(installation: str, uid: str, generation: int) -> str:
    """The name of an object we create at a provider: found again, never repeated (R-ID)."""
    return sha256(f"{installation}\n{uid}\n{generation}".encode()).hexdigest()[:32]


def survey_sides(
    db: Database, context: Context, provider: Provider, *, full: bool, by_hand: bool, state: str | None
) -> Observation:
    """Ask both sides what changed. ``full`` asks the provider for everything; ``by_hand`` looks again at
    objects that were given up or wait for the user; ``state`` is the cursor that a survey of the whole
    account just told, if there was one."""
    link = context.link
    changes = _ask(provider, link.remote_id, None if full else link.cursor, state)
    with db.reading() as tx:
        if changes.complete:
            paired = pairings.bases_index(tx, link.id)
        else:
            paired = pairings.by_hrefs(
                tx, link.id, [*(e.href for e in changes.entries), *sorted(changes.gone)]
            )
        sights, gone = _remote_sights(changes, {row.href: row for row in paired}, context, by_hand)
        known = {s.pairing_id for s in (*sights, *gone) if s.pairing_id is not None}
        look_again = pairings.unsettled(tx, link.id, given_up=by_hand)
        if gone:  # what vanished may be what was left out before, as a second object of the same UID
            look_again += pairings.left_out(tx, link.id)
        for row in look_again:
            if row.id not in known:
                known.add(row.id)
                sights.append(Sight(row.id, row.href, fresh=True))
        seqs: dict[int, int] = {}
        for calendar_id, since, goes_out in context.hub_sides():
            seqs[calendar_id] = calendars.get(tx, calendar_id).seq
            if goes_out:
                sights += _hub_sights(tx, link.id, calendar_id, since, known)
        for calendar_id in context.withdrawn():
            rows = pairings.of_calendar(tx, link.id, calendar_id)
            sights += [Sight(row.id, row.href, fresh=True) for row in rows if row.id not in known]
        agreed = pairings.count_agreed(tx, link.id)
    mirror_id = context.mirror.id if context.mirror else None
    return Observation(
        sights=sights,
        gone=gone,
        cursor=changes.cursor,
        complete=changes.complete,
        listing_empty=changes.complete and not changes.entries,
        agreed=agreed,
        bookings_seq=seqs[context.bookings.id],
        mirror_seq=link.mirror_seq if mirror_id is None else seqs[mirror_id],
        rest=changes.rest,
    )


def _ask(provider: Provider, calendar: str, cursor: str | None, state: str | None) -> Changes:
    """What the provider reports since the cursor; without a request where a survey said: nothing."""
    if cursor is not None and state == cursor:
        return Changes((), frozenset(), False, cursor)
    try:
        return provider.changes(calendar, cursor)
    except CursorLost:
        return provider.changes(calendar, None)


def _hub_sights(tx: Connection, link_id: int, calendar_id: int, since: int, known: set[int]) -> list[Sight]:
    """What changed here since the last pass, but for what that pass wrote itself and already remembers."""
    try:
        delta = objects.changed_since(tx, calendar_id, since)
        uids = [change.uid for change in (*delta.changed, *delta.deleted)]
    except Invalid:  # the change log no longer reaches back so far
        uids = [row.uid for row in objects.listing(tx, calendar_id, with_hidden=True)]
        uids += [row.uid for row in pairings.of_calendar(tx, link_id, calendar_id)]
    rows = {row.uid: row for row in pairings.by_uids(tx, link_id, calendar_id, uids)}
    etags = objects.etags_by_uid(tx, calendar_id, uids)
    sights: list[Sight] = []
    for uid in dict.fromkeys(uids):
        row = rows.get(uid)
        if row is None:
            sights.append(Sight(calendar_id=calendar_id, uid=uid))
        elif row.id not in known and row.base_etag != etags.get(uid):
            known.add(row.id)
            sights.append(Sight(row.id))
    return sights


def _being_made(row: Paired) -> bool:
    """Whether a create is in flight: its base, if there is one, is that of an earlier object that is gone."""
    return row.flight == "put" and row.flight_expect is None


def _remote_sights(
    changes: Changes, index: Mapping[str, Paired], context: Context, by_hand: bool
) -> tuple[list[Sight], list[Sight]]:
    """Entries that differ from what we know, and pairings whose object is gone."""
    if changes.complete:
        present = {entry.href for entry in changes.entries}
        missing = [row for href, row in index.items() if href not in present]
    else:
        missing = [index[href] for href in sorted(changes.gone) if href in index]
    gone = [
        Sight(
            row.id,
            row.href,
            row.calendar_id,
            row.uid,
            gone=True,
            deleted=not changes.complete or (row.base_tag is not None and not _being_made(row)),
        )
        for row in missing
        if row.base_tag is not None or row.flight or row.problem_kind
    ]
    # what we never saw may be a foreign event, our own of an earlier time, or what vanished under a new name
    strangers = (
        context.link.reads
        or context.policy.is_source
        or context.first_look
        or bool(gone)
        or not changes.complete
    )
    sights: list[Sight] = []
    for entry in changes.entries:
        row = index.get(entry.href)
        if row is None:
            if strangers:
                sights.append(Sight(None, entry.href, tag=entry.tag, text=entry.text))
        elif row.problem_kind == "give up" and row.problem_tag == entry.tag and not by_hand:
            continue
        elif row.base_tag != entry.tag or row.flight or row.problem_kind:
            sights.append(Sight(row.id, entry.href, tag=entry.tag, text=entry.text))
    return sights, gone


@dataclass(slots=True)
class Looker:
    """Turns sights into items, portion by portion. ``vanished`` holds the pairings whose object is gone, so
    that the same UID under another href is taken for the rename it is, not for a deletion and a new event.

    ``missing``: an object that should be there was not found by looking for it. That is no deletion yet: it
    may
    have been renamed since, and only a complete listing can tell (design.md 4.3).
    """

    db: Database
    context: Context
    provider: Provider
    vanished: dict[int, Sight] = field(default_factory=dict)
    missing: bool = False
    _placed: set[tuple[int, str]] = field(default_factory=set)

    def items(self, sights: Sequence[Sight]) -> tuple[list[Looked], list[Unusable]]:
        """Everything known about these sights. Raises what the provider raises."""
        with self.db.reading() as tx:
            rows = pairings.get_full(tx, [s.pairing_id for s in sights if s.pairing_id is not None])
        texts = self._texts(sights)
        looked: list[Looked] = []
        unusable: list[Unusable] = []
        with self.db.reading() as tx:
            for sight in sights:
                row = rows.get(sight.pairing_id) if sight.pairing_id is not None else None
                found = self._look(tx, sight, row, _remote(sight, row, texts))
                if isinstance(found, Unusable):
                    unusable.append(found)
                elif found is not None:
                    looked.append(found)
        return looked, unusable

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
        if remote is None and sight.looked_for and row is not None and row.base_tag is not None:
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
        stored = objects.by_uid(tx, calendar_id, uid, with_hidden=True)
        item = Item(
            uid,
            self._kind(calendar_id, stored, known_there=remote is not None or row is not None),
            _hub(stored),
            remote,
            _base(row),
            _flight(row),
            row.generation if row else 1,
            sight.deleted,
            row.rewrites if row else 0,
        )
        old = row is None and calendar_id != self.context.bookings.id and _of_old_subscription(uid)
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
            row = pairings.by_uid(tx, context.link.id, context.bookings.id, uid)
            if row is not None and not self._took_over(row):
                return Unusable(remote.href, remote.tag, "", quiet=True)
            return context.bookings.id, uid, row
        mark = marker(remote.text)
        marked = mark is not None and mark.installation == context.policy.installation
        booking = objects.by_uid(tx, context.bookings.id, uid, with_hidden=True)
        ours = marked and mark is not None and marker_uid(mark.key) == uid
        if booking is not None or ours:
            own = self._own(tx, remote, uid, adopt=booking is not None and context.link.writes)
            if ours or not isinstance(own, Unusable) or not _of_old_subscription(uid):
                return own
        if _of_old_subscription(uid) and (booking is not None or context.user.source != "studio"):
            # the bookings themselves are shown from where they live
            return Unusable(remote.href, remote.tag, OLD_SUBSCRIPTION_SEEN, notice="old-subscription")
        if context.mirror is None or not context.link.reads or known.component != "VEVENT":
            return Unusable(remote.href, remote.tag, "", quiet=True, text=remote.text)
        row = pairings.by_uid(tx, context.link.id, context.mirror.id, uid)
        if row is not None and not self._took_over(row):
            return Unusable(remote.href, remote.tag, f"A second event with the identity {uid} is left out.")
        return context.mirror.id, uid, row

    def _own(
        self, tx: Connection, remote: Remote, uid: str, *, adopt: bool
    ) -> tuple[int, str, PairingRow | None] | Unusable:
        """One of our bookings, found by marker or UID: taken back into its pairing, or left alone."""
        bookings_id = self.context.bookings.id
        row = pairings.by_uid(tx, self.context.link.id, bookings_id, uid)
        if (adopt and row is None) or (row is not None and self._took_over(row)):
            return bookings_id, uid, row
        return Unusable(remote.href, remote.tag, "", quiet=True, ours=True)

    def _took_over(self, row: PairingRow) -> bool:
        """Whether the pairing is free for another href: its own vanished, or it had none."""
        return self.vanished.pop(row.id, None) is not None or (row.base_tag is None and row.flight is None)

    def _kind(self, calendar_id: int, stored: StoredObject | None, *, known_there: bool) -> Kind:
        if calendar_id != self.context.bookings.id:
            return "foreign"
        if self.context.policy.is_source and known_there:
            return "booking"  # also if a calendar app had brought it here before, from an old subscription
        return "booking" if stored is not None and stored.kind == "booking" else "block"


def _of_old_subscription(uid: str) -> bool:
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
