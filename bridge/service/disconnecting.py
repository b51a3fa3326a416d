"""Disconnecting an account, and what becomes of the bookings that we pushed there.

Only a pairing entitles us to delete at a provider; what cannot be deleted (a dead sign-in, a calendar that is
gone) is left behind and said, and never keeps anybody from disconnecting.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from bridge.errors import BridgeError, ObjectGone, ProviderError, Refused, TagMismatch
from bridge.ical.occurrences import enclosing
from bridge.ports import Provider
from bridge.providers.kinds import KINDS
from bridge.service import Bridge, audit, push
from bridge.service.roles import refuse_source
from bridge.store import accounts, calendars, links, objects, pairings, passes, people
from bridge.store.accounts import AccountRow
from bridge.store.links import LinkRow
from bridge.store.pairings import PairingRow

#: How long we wait for a pass that is running, and how long each of our own holds on a link lasts.
PATIENCE_SECONDS = 15.0
LEASE_SECONDS = 30.0
#: Deletions between two renewals of that hold; each may take as long as a provider's time-out.
RENEW_EVERY = 5


@dataclass(frozen=True, slots=True)
class Effect:
    """What disconnecting would touch: bookings there, of these the coming ones, and mirrored events here."""

    pushed: int
    future: int
    mirrored: int


@dataclass(frozen=True, slots=True)
class Removed:
    """What became of it. ``deleted``: objects there; ``left``: sentences about what was left behind."""

    label: str
    deleted: int
    left: Sequence[str]


def removal(bridge: Bridge, account_id: int) -> Effect:
    """The effect in numbers, before anything is done."""
    pushed = future = mirrored = 0
    with bridge.db.reading() as tx:
        for link in links.of_account(tx, account_id):
            there = _pushed(tx, link)
            pushed += len(there)
            future += len(_coming(tx, link, there, bridge.clock.now()))
            if link.mirror_id is not None:
                mirrored += len(objects.listing(tx, link.mirror_id))
    return Effect(pushed, future, mirrored)


def remove(bridge: Bridge, account_id: int, *, pushed: str) -> Removed:
    """Disconnect. ``pushed``: ``keep``, ``remove-future`` (what ends after now), or ``remove-all``.

    Raises NotFound, Refused (a pass does not come to its end); provider trouble is in ``left``.
    """
    with bridge.db.reading() as tx:
        account = accounts.get(tx, account_id)
        refuse_source(tx, account_id)
        rows = links.of_account(tx, account_id)
    deleted, left = 0, []
    fences = [(link, _hold(bridge, link)) for link in rows]
    if pushed != "keep":
        for link, fence in fences:
            count, sentences = _take_back(bridge, link, fence, only_coming=pushed == "remove-future")
            deleted += count
            left += sentences
    push.stop(bridge, account_id)
    with bridge.db.writing() as tx:
        for link, _ in fences:
            if link.mirror_id is not None:
                calendars.remove(tx, link.mirror_id)
        accounts.remove(tx, account_id)
        audit.note(bridge, tx, account.user_id, "account-removed", f"{account.label} ({account.username})")
    left += _give_back(bridge, account)
    return Removed(account.label, deleted, left)


def _give_back(bridge: Bridge, account: AccountRow) -> list[str]:
    """End our access at the provider, where that is a thing of its own; what to say if it did not work."""
    from bridge.service import oauth

    try:
        given_back, why = oauth.revoke(bridge, account), ""
    except BridgeError as error:
        given_back, why = False, f" {error}"
    if given_back:
        return []
    row = KINDS.get(account.provider)
    where = f" at {row.help}" if row is not None and row.help else ""
    return [f"Our access is still listed there: end it by hand{where}.{why}"]


def _hold(bridge: Bridge, link: LinkRow) -> int:
    """Keep passes away from the link; wait for one that is running."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        with bridge.db.writing() as tx:
            fence = links.acquire(tx, link.id, "disconnecting", bridge.clock.now(), LEASE_SECONDS)
        if fence is not None:
            return fence
        if time.monotonic() > deadline:
            raise Refused(f"“{link.name}” is being synced right now. Try again in a minute.")
        time.sleep(0.2)


def _pushed(tx: Connection, link: LinkRow) -> list[PairingRow]:
    """What we put there: pairings with the bookings calendar whose object is, or may be, at the provider."""
    bookings = calendars.bookings(tx, link.user_id).id
    ids = [row.id for row in pairings.bases_index(tx, link.id) if row.calendar_id == bookings]
    rows = pairings.get_full(tx, ids).values()
    return [row for row in rows if row.base_remote is not None or row.flight_text is not None]


def _coming(tx: Connection, link: LinkRow, rows: Sequence[PairingRow], now: datetime) -> list[PairingRow]:
    """Those that end after now, in the form the provider has."""
    zone = ZoneInfo(people.user_by_id(tx, link.user_id).time_zone)
    return [row for row in rows if _ends_after(row.base_remote or row.flight_text or "", now, zone)]


def _ends_after(text: str, now: datetime, zone: ZoneInfo) -> bool:
    starts, ends, _ = enclosing(text, zone)
    return starts is not None and (ends is None or ends > now.timestamp())


def _take_back(bridge: Bridge, link: LinkRow, fence: int, *, only_coming: bool) -> tuple[int, list[str]]:
    """Delete at the provider; how many went, and what to say about the rest."""
    with bridge.db.reading() as tx:
        rows = _pushed(tx, link)
        if only_coming:
            rows = _coming(tx, link, rows, bridge.clock.now())
    if not rows:
        return 0, []
    deleted, reason = 0, ""
    try:
        provider = bridge.connect(link.account_id)
    except BridgeError as error:
        return 0, [_left_behind(len(rows), link, str(error))]
    try:
        for number, row in enumerate(rows):
            if number % RENEW_EVERY == 0:
                _renew(bridge, link, fence)
            try:
                _delete(provider, link, row)
            except ProviderError as error:
                reason = str(error)
                continue
            deleted += 1
            with bridge.db.writing() as tx:
                gone_there(tx, link, row, actor="disconnecting", now=bridge.clock.now())
    finally:
        provider.close()
    failed = len(rows) - deleted
    return deleted, [_left_behind(failed, link, reason)] if failed else []


def _delete(provider: Provider, link: LinkRow, row: PairingRow) -> None:
    """Delete one object, whatever version of it is there now: that is what was asked for."""
    try:
        if row.base_tag is not None:
            try:
                provider.delete(link.remote_id, row.href, row.base_tag)
                return
            except TagMismatch:
                pass
        for entry in provider.fetch(link.remote_id, [row.href]):
            provider.delete(link.remote_id, entry.href, entry.tag)
    except ObjectGone:
        pass


def _renew(bridge: Bridge, link: LinkRow, fence: int) -> None:
    with bridge.db.writing() as tx:
        links.renew(tx, link.id, fence, bridge.clock.now(), 2 * LEASE_SECONDS)


def gone_there(tx: Connection, link: LinkRow, row: PairingRow, *, actor: str, now: datetime) -> None:
    """We deleted the pairing's object there, outside of a pass: that is journalled, and the pairing goes."""
    pairings.forget(tx, row.id)
    passes.journal(
        tx,
        user_id=link.user_id,
        side="remote",
        action="delete",
        uid=row.uid,
        href=row.href,
        before=row.base_remote,
        after=None,
        actor=actor,
        now=now,
        link_id=link.id,
    )


def _left_behind(count: int, link: LinkRow, reason: str) -> str:
    what = "1 booking is" if count == 1 else f"{count} bookings are"
    return f"{what} still in “{link.name}” there and can be deleted by hand: {reason}"
