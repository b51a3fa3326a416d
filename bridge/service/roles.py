"""Roles: what an account's calendars are for, and the links and mirrors that follow from it.

``select`` turns the user's choice into links and mirrors; what then travels is the engine's business. A
calendar made for the bookings is ``dedicated``'s.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from bridge.errors import NotAllowed, NotFound
from bridge.ports import RemoteCalendar
from bridge.service import Bridge, audit
from bridge.service.mirrors import new_mirror
from bridge.store import accounts, links, pairings
from bridge.store import calendars as calendar_rows
from bridge.store.accounts import AccountRow
from bridge.store.links import LinkRow

if TYPE_CHECKING:
    from bridge.sync.report import Report


@dataclass(frozen=True, slots=True)
class Choice:
    """One remote calendar, with the roles it has now."""

    id: str
    name: str
    color: str | None
    writable: bool
    reads: bool
    edits: bool
    writes: bool


@dataclass(frozen=True, slots=True)
class Roles:
    """What one remote calendar is to be used for."""

    reads: bool = False
    edits: bool = False
    writes: bool = False

    @classmethod
    def of(cls, link: LinkRow) -> Roles:
        """Those that a link has."""
        return cls(link.reads, link.edits, link.writes)

    def __bool__(self) -> bool:
        return self.reads or self.edits or self.writes


@dataclass(frozen=True, slots=True)
class Selected:
    """What ``select`` saved. ``links``: the account's calendars that take part now; ``plan``: what the first
    pass of those that wait would do, in sentences; ``reports``: one for each pass that was tried or run for
    it; ``instead_of``: the calendar of another account that the bookings went to before."""

    links: Sequence[int]
    plan: Sequence[str] = ()
    reports: Sequence[Report] = field(default_factory=tuple)
    instead_of: str | None = None


def calendars_of(bridge: Bridge, account_id: int) -> list[Choice]:
    """The provider's calendars as they are now, with their roles. Raises NotFound, ProviderError kinds."""
    offered = listed(bridge, account_id)
    with bridge.db.reading() as tx:
        known = {link.remote_id: Roles.of(link) for link in links.of_account(tx, account_id)}
    return [
        Choice(remote.id, remote.name, remote.color, remote.writable, roles.reads, roles.edits, roles.writes)
        for remote in offered
        for roles in (known.get(remote.id, Roles()),)
    ]


def select(
    bridge: Bridge,
    account_id: int,
    *,
    read: Collection[str] = (),
    edit: Collection[str] = (),
    write: str | None = None,
    yes: bool = False,
    look: bool = True,
    user_id: int | None = None,
) -> Selected:
    """Set the roles of the account's calendars to exactly these; ``edit`` implies ``read``.

    With ``yes`` the links are due at once. Without, those whose roles changed wait: their first pass is
    planned and shown (``look``), and nothing is written before ``sync --confirm``. A calendar that is no
    longer read loses its mirror; one that is no longer written gives back, in its next pass, what was pushed
    there. One calendar per user takes the bookings: a new one takes over from the old one, whatever its
    account.

    Raises NotFound (no such account, or not ``user_id``'s; no such calendar), NotAllowed (read-only there),
    ProviderError kinds (the listing failed; nothing was changed).
    """
    if user_id is not None:
        with bridge.db.reading() as tx:
            accounts.mine(tx, user_id, account_id)
    offered = {remote.id: remote for remote in listed(bridge, account_id)}
    wanted = {
        remote_id: Roles(remote_id in read or remote_id in edit, remote_id in edit, remote_id == write)
        for remote_id in dict.fromkeys([*read, *edit, *([write] if write else [])])
    }
    with bridge.db.writing() as tx:
        account = accounts.get(tx, account_id)
        _check(account, wanted, offered)
        change = _Change(bridge, tx, yes)
        before = links.writer(tx, account.user_id) if write else None
        elsewhere = before if before and before.account_id != account_id else None
        if elsewhere:
            change.apply(elsewhere, Roles(elsewhere.reads, elsewhere.edits, False))
        for link in links.of_account(tx, account_id):
            if link.remote_id not in wanted:
                change.apply(link, Roles())
        for remote_id, roles in wanted.items():
            change.apply(_known(bridge, tx, account_id, offered[remote_id]), roles)
        audit.note(bridge, tx, account.user_id, "roles-changed", account.label)
        here = links.of_account(tx, account_id)
        taking_part = [link.id for link in here if Roles.of(link)]
        waiting = [link.id for link in [*here, *filter(None, [elsewhere])] if not _released(tx, link.id)]
    instead_of = elsewhere.name if elsewhere else None
    if not yes:
        waiting = waiting if look else []
        reports = [bridge.engine().run(link_id, dry_run=True, by_hand=True) for link_id in waiting]
        return Selected(taking_part, [line for one in reports for line in one.plan], reports, instead_of)
    for link_id in change.changed:
        bridge.enqueue(link_id)
    reports = [give_back(bridge, link_id) for link_id in change.without_role]
    return Selected(taking_part, (), reports, instead_of)


def give_back(bridge: Bridge, link_id: int) -> Report:
    """Run the last pass of a link that has lost every role: it takes back what was pushed there. Then the
    link goes, unless something could not be taken back."""
    report = bridge.engine().run(link_id, confirm=True, by_hand=True)
    tidy(bridge, report.account_id)
    return report


def tidy(bridge: Bridge, account_id: int) -> None:
    """Forget the links that have no role and nothing left to take back."""
    with bridge.db.reading() as tx:
        idle = [link.id for link in links.of_account(tx, account_id) if not takes_part(link)]
    if not idle:
        return
    with bridge.db.writing() as tx:
        for link_id in idle:
            if pairings.count(tx, link_id) == 0:
                links.remove(tx, link_id)


def refuse_source(tx: Connection, account_id: int) -> None:
    """Raises NotAllowed for the account that the bookings come from: it has no calendars to choose."""
    if any(link.source for link in links.of_account(tx, account_id)):
        raise NotAllowed(
            f"Account {account_id} is where the bookings come from. "
            "Choose another source with: picsello-bridge source set EMAIL studio|picsello|feed"
        )


def takes_part(link: LinkRow) -> bool:
    """Whether the link has a role."""
    return link.source or bool(Roles.of(link))


def listed(bridge: Bridge, account_id: int) -> list[RemoteCalendar]:
    """The provider's calendars for events. Raises NotFound, NotAllowed, ProviderError kinds."""
    with bridge.db.reading() as tx:
        refuse_source(tx, account_id)
    provider = bridge.connect(account_id)
    try:
        return [remote for remote in provider.calendars() if remote.events]
    finally:
        provider.close()


def _check(account: AccountRow, wanted: dict[str, Roles], offered: dict[str, RemoteCalendar]) -> None:
    for remote_id, roles in wanted.items():
        if remote_id not in offered:
            raise NotFound(
                f"Account {account.id} has no calendar “{remote_id}”. "
                f"See: picsello-bridge account calendars {account.id}"
            )
        if (roles.edits or roles.writes) and not offered[remote_id].writable:
            name = offered[remote_id].name
            raise NotAllowed(f"“{name}” is read-only at {account.label}: it can be read, not written to.")


def _known(bridge: Bridge, tx: Connection, account_id: int, remote: RemoteCalendar) -> LinkRow:
    """The link of a remote calendar, made or brought up to date."""
    facts = {"name": remote.name, "color": remote.color, "writable": remote.writable}
    for link in links.of_account(tx, account_id):
        if link.remote_id == remote.id:
            links.set_(tx, link.id, **facts)
            return link
    return links.get(
        tx,
        links.create(
            tx,
            account_id,
            remote.id,
            name=remote.name,
            color=remote.color,
            writable=remote.writable,
            now=bridge.clock.now(),
        ),
    )


def _released(tx: Connection, link_id: int) -> bool:
    """Whether nothing of the link waits for the user; also if it is gone."""
    try:
        return links.get(tx, link_id).released
    except NotFound:
        return True


@dataclass(slots=True)
class _Change:
    """Brings links to their new roles within one transaction, and remembers which ones changed."""

    bridge: Bridge
    tx: Connection
    yes: bool
    changed: list[int] = field(default_factory=list)
    without_role: list[int] = field(default_factory=list)

    def apply(self, link: LinkRow, roles: Roles) -> None:
        if roles == Roles.of(link) and roles and (link.released or not self.yes):
            return
        mirror_id = self._mirror(link, roles)
        if not roles and pairings.count(self.tx, link.id) == 0:
            links.remove(self.tx, link.id)
            return
        now = self.bridge.clock.now()
        links.set_(
            self.tx,
            link.id,
            reads=roles.reads,
            edits=roles.edits,
            writes=roles.writes,
            mirror_id=mirror_id,
            released=self.yes,
            held=None,
            cursor=None,  # with new roles every object is to be looked at anew
            listed_at=None,
            bookings_seq=0,
            mirror_seq=0,
            due_at=now if self.yes else None,
        )
        (self.changed if roles else self.without_role).append(link.id)

    def _mirror(self, link: LinkRow, roles: Roles) -> int | None:
        if not roles.reads:
            if link.mirror_id is not None:
                calendar_rows.remove(self.tx, link.mirror_id)
            return None
        if link.mirror_id is None:
            name = links.get(self.tx, link.id).name
            now = self.bridge.clock.now()
            return new_mirror(self.tx, link.user_id, name, editable=roles.edits, now=now)
        calendar_rows.set_editable(self.tx, link.mirror_id, roles.edits)
        return link.mirror_id
