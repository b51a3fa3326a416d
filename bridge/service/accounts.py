"""Accounts: connecting a provider, choosing what its calendars are for, disconnecting.

``select`` turns the user's choice into links and mirrors; what then travels is the engine's business.
Every function that takes ``user_id`` acts for that user alone: another's account does not exist for them.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from bridge import providers
from bridge.errors import AlreadyThere, Invalid, NotAllowed, NotFound
from bridge.ports import RemoteCalendar
from bridge.service import Bridge
from bridge.service.mirrors import new_mirror
from bridge.store import accounts, calendars, links, pairings, people
from bridge.store.accounts import AccountRow
from bridge.store.links import LinkRow

if TYPE_CHECKING:
    from bridge.sync.report import Report


@dataclass(frozen=True, slots=True)
class Added:
    """A new account, and what its provider offers."""

    account_id: int
    label: str
    calendars: Sequence[RemoteCalendar]


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
class Selected:
    """What ``select`` saved. ``links``: the calendars that take part; ``plan``: what the first pass of those whose
    roles changed would do, in sentences; ``reports``: one for each pass that was tried or run for it."""

    links: list[int]
    plan: list[str] = field(default_factory=list)
    reports: list[Report] = field(default_factory=list)


def add(
    bridge: Bridge, email: str, kind: str, *, url: str | None, username: str | None, secret: str
) -> Added:
    """Sign in, list, and only then save. Raises Invalid, NotFound, AlreadyThere, ProviderError kinds."""
    with bridge.db.reading() as tx:
        user = people.user_by_email(tx, email)
    username = (username or user.email).strip()
    signed_in = providers.sign_in(kind, url or "", username, secret, bridge.settings.allow_hosts)
    with bridge.db.writing() as tx:
        if same := accounts.find(tx, user.id, kind, signed_in.home_url, username):
            raise AlreadyThere(
                f"{username} at {same.label} is connected already, as account {same.id}. "
                f"Renew its password with: picsello-bridge account sign-in {same.id}"
            )
        account_id = accounts.create(
            tx,
            user.id,
            kind,
            label=signed_in.label,
            url=signed_in.home_url,
            username=username,
            profile=signed_in.profile,
            now=bridge.clock.now(),
        )
        accounts.set_(tx, account_id, secret=bridge.vault.seal(secret, accounts.bind(account_id)))
    return Added(account_id, signed_in.label, signed_in.calendars)


def sign_in(bridge: Bridge, account_id: int, secret: str, *, user_id: int | None = None) -> AccountRow:
    """Try a new password, keep it if it is accepted, and let everything that waited for it run."""
    row = find(bridge, account_id, user_id)
    signed_in = providers.sign_in(row.provider, row.url, row.username, secret, bridge.settings.allow_hosts)
    now = bridge.clock.now()
    with bridge.db.writing() as tx:
        sealed = bridge.vault.seal(secret, accounts.bind(account_id))
        accounts.set_(tx, account_id, secret=sealed, profile=signed_in.profile)
        accounts.set_state(tx, account_id, "healthy", now=now)
        due = [link.id for link in links.of_account(tx, account_id) if takes_part(link)]
        for link_id in due:
            links.make_due(tx, link_id, now)
    for link_id in due:
        bridge.enqueue(link_id)
    return find(bridge, account_id, user_id)


def set_(bridge: Bridge, account_id: int, *, conflict: str | None = None, mail: bool | None = None) -> AccountRow:
    """Change who wins a conflict, or whether the provider may mail guests. Raises Invalid, NotFound."""
    changes: dict[str, Any] = {"conflict": conflict, "mail": mail}
    changes = {name: value for name, value in changes.items() if value is not None}
    if not changes:
        raise Invalid("Nothing to change was given. See: picsello-bridge account set --help")
    find(bridge, account_id)
    with bridge.db.writing() as tx:
        accounts.set_(tx, account_id, **changes)
    return find(bridge, account_id)


def find(bridge: Bridge, account_id: int, user_id: int | None = None) -> AccountRow:
    """The account; only if it is the user's, where one is named. Raises NotFound."""
    with bridge.db.reading() as tx:
        return accounts.get(tx, account_id) if user_id is None else accounts.mine(tx, user_id, account_id)


def calendars_of(bridge: Bridge, account_id: int, *, user_id: int | None = None) -> list[Choice]:
    """The provider's calendars as they are now, with their roles."""
    find(bridge, account_id, user_id)
    offered = _listed(bridge, account_id)
    with bridge.db.reading() as tx:
        known = {link.remote_id: link for link in links.of_account(tx, account_id)}
    return [_choice(remote, known.get(remote.id)) for remote in offered]


def _choice(remote: RemoteCalendar, link: LinkRow | None) -> Choice:
    roles = (link.reads, link.edits, link.writes) if link else (False, False, False)
    return Choice(remote.id, remote.name, remote.color, remote.writable, *roles)


def select(
    bridge: Bridge,
    account_id: int,
    *,
    read: Collection[str] = (),
    edit: Collection[str] = (),
    write: str | None = None,
    yes: bool = False,
    user_id: int | None = None,
) -> Selected:
    """Set the roles of the account's calendars to exactly these; ``edit`` implies ``read``.

    With ``yes`` the links are due at once. Without, those whose roles changed wait: their first pass is planned
    and shown, and nothing is written before ``sync --confirm``. A calendar that is no longer read loses its
    mirror; one that is no longer written gives back, in its next pass, what was pushed there.

    Raises NotFound (no such account or calendar), NotAllowed (read-only, or another calendar is written already),
    ProviderError kinds (the listing failed; nothing was changed).
    """
    account = find(bridge, account_id, user_id)
    wanted = {*read, *edit, *([write] if write else [])}
    offered = {remote.id: remote for remote in _listed(bridge, account_id)}
    for remote_id in wanted - offered.keys():
        raise NotFound(
            f"Account {account_id} has no calendar “{remote_id}”. See: picsello-bridge account calendars {account_id}"
        )
    for remote_id in {*edit, *([write] if write else [])}:
        if not offered[remote_id].writable:
            raise NotAllowed(f"“{offered[remote_id].name}” is read-only at {account.label}: it can only be read.")
    with bridge.db.writing() as tx:
        _only_writer(tx, account, write)
        changed = [
            link_id
            for remote_id in [*wanted, *_known(tx, account_id, wanted)]
            if (
                link_id := _set_roles(
                    bridge,
                    tx,
                    account,
                    remote_id,
                    offered.get(remote_id),
                    reads=remote_id in wanted and (remote_id in read or remote_id in edit),
                    edits=remote_id in edit,
                    writes=remote_id == write,
                    yes=yes,
                )
            )
        ]
        taking_part = [link.id for link in links.of_account(tx, account_id) if takes_part(link)]
        waiting = [link.id for link in links.of_account(tx, account_id) if not link.released]
    if yes:
        for link_id in changed:
            bridge.enqueue(link_id)
        return Selected(taking_part, reports=_given_back(bridge, set(changed) - set(taking_part)))
    reports = [bridge.engine().run(link_id, dry_run=True, by_hand=True) for link_id in waiting]
    return Selected(taking_part, [line for report in reports for line in report.plan], reports)


def takes_part(link: LinkRow) -> bool:
    """Whether the link has a role."""
    return link.reads or link.edits or link.writes


def _listed(bridge: Bridge, account_id: int) -> list[RemoteCalendar]:
    provider = bridge.connect(account_id)
    try:
        return [remote for remote in provider.calendars() if remote.events]
    finally:
        provider.close()


def _known(tx: Connection, account_id: int, wanted: Collection[str]) -> list[str]:
    return [link.remote_id for link in links.of_account(tx, account_id) if link.remote_id not in wanted]


def _only_writer(tx: Connection, account: AccountRow, write: str | None) -> None:
    """One calendar per user takes the bookings, over all accounts."""
    other = links.writer(tx, account.user_id)
    if write is None or other is None or other.account_id == account.id:
        return
    raise NotAllowed(
        f"The bookings go to “{other.name}” of account {other.account_id} already. Take that role away first: "
        f"picsello-bridge account select {other.account_id}, without --write."
    )


def _set_roles(
    bridge: Bridge,
    tx: Connection,
    account: AccountRow,
    remote_id: str,
    remote: RemoteCalendar | None,
    *,
    reads: bool,
    edits: bool,
    writes: bool,
    yes: bool,
) -> int | None:
    """Bring one link to these roles; its id if that changed anything (or lets it begin now)."""
    now = bridge.clock.now()
    link = next((link for link in links.of_account(tx, account.id) if link.remote_id == remote_id), None)
    if link is None:
        assert remote is not None
        link_id = links.create(
            tx, account.id, remote.id, name=remote.name, color=remote.color, writable=remote.writable, now=now
        )
        link = links.get(tx, link_id)
    if remote is not None:
        links.set_(tx, link.id, name=remote.name, color=remote.color, writable=remote.writable)
    same = (link.reads, link.edits, link.writes) == (reads, edits, writes)
    if same and (link.released or not yes):
        return None
    mirror_id = link.mirror_id
    if reads and mirror_id is None:
        title = remote.name if remote else link.name
        mirror_id = new_mirror(tx, account.user_id, title, editable=edits, now=now)
    elif reads and mirror_id is not None:
        calendars.set_editable(tx, mirror_id, edits)
    elif mirror_id is not None:
        calendars.remove(tx, mirror_id)
        mirror_id = None
    if not (reads or writes) and pairings.count(tx, link.id) == 0:
        links.remove(tx, link.id)
        return None
    links.set_(
        tx,
        link.id,
        reads=reads,
        edits=edits,
        writes=writes,
        mirror_id=mirror_id,
        released=yes,
        held=None,
        cursor=None,  # new roles see every object with new eyes
        bookings_seq=0,
        mirror_seq=0,
        due_at=now if yes else None,
    )
    return link.id


def _given_back(bridge: Bridge, without_role: Collection[int]) -> list[Report]:
    """Run the last pass of links that lost every role: it takes back what was pushed there."""
    return [bridge.engine().run(link_id, confirm=True, by_hand=True) for link_id in sorted(without_role)]
