"""What a pass has to look at: small references to the objects that may have changed, on either side.

``survey_sides`` asks the provider what changed since the cursor and the store what changed since the last
pass. It yields *sights*, without texts, so that a calendar of 50,000 events costs what changed, not what is
there. Looking at them is left to ``observe``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from bridge.errors import CursorLost, Invalid
from bridge.ports import Changes, Provider
from bridge.store import objects, pairings, whole
from bridge.store.db import Database
from bridge.store.links import LinkRow
from bridge.store.pairings import Paired
from bridge.sync.context import Context

#: Marks the pairing of a remote object that was left out: it has no UID of ours.
UNREAD = "?"


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
    agreed: int  # objects both sides had agreed on, for the guard; counted only if something is gone
    bookings_seq: int
    mirror_seq: int
    rest: float | None  # seconds that the provider asks us to wait
    proven: list[int]  # pairings of what earlier passes made there, which this one sees or looks for

    def nothing_new(self, link: LinkRow) -> bool:
        """Whether neither side has changed, or has anything to be looked at, since the link's last pass."""
        seen = (self.bookings_seq, self.mirror_seq) == (link.bookings_seq, link.mirror_seq)
        return seen and not self.sights and not self.gone


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
            look_again += [row for row in pairings.given_up(tx, link.id) if row.uid.startswith(UNREAD)]
        doubted = pairings.unproven(tx, link.id)
        if not changes.complete:  # what was made there and deleted again since may be in no delta
            shown = {entry.href for entry in changes.entries}
            look_again += [row for row in doubted if row.href not in shown]
        for row in look_again:
            if row.id not in known:
                known.add(row.id)
                sights.append(Sight(row.id, row.href, fresh=True))
        mirror_id = context.mirror.id if context.mirror else None
        seqs = whole.seqs(tx, context.bookings.id, mirror_id)
        for calendar_id, since, goes_out in context.hub_sides():
            if goes_out and seqs[calendar_id] != since:
                sights += _hub_sights(tx, link.id, calendar_id, since, known)
        for calendar_id in context.withdrawn():
            rows = pairings.of_calendar(tx, link.id, calendar_id)
            sights += [Sight(row.id, row.href, fresh=True) for row in rows if row.id not in known]
        listing_empty = changes.complete and not changes.entries
        agreed = pairings.count_agreed(tx, link.id) if gone or listing_empty else 0
    return Observation(
        sights=sights,
        gone=gone,
        cursor=changes.cursor,
        complete=changes.complete,
        listing_empty=listing_empty,
        agreed=agreed,
        bookings_seq=seqs[context.bookings.id],
        mirror_seq=link.mirror_seq if mirror_id is None else seqs[mirror_id],
        rest=changes.rest,
        proven=[row.id for row in doubted],
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


def being_made(row: Paired) -> bool:
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
            deleted=not changes.complete or (row.base_tag is not None and not being_made(row)),
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
