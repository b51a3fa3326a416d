"""Accounts: connecting a provider, renewing the sign-in, the account's rules.

What its calendars are for is decided in ``roles``, and found here too; saying goodbye is ``disconnecting``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from bridge import providers
from bridge.errors import AlreadyThere, Invalid
from bridge.ports import RemoteCalendar
from bridge.service import Bridge, audit
from bridge.service.roles import calendars_of, give_back, refuse_source, select, takes_part, tidy
from bridge.store import accounts, links, people
from bridge.store.accounts import AccountRow

__all__ = [
    "Added",
    "add",
    "calendars_of",
    "check_kind",
    "find",
    "give_back",
    "keep_sign_in",
    "select",
    "set_",
    "sign_in",
    "takes_part",
    "tidy",
    "wake",
]


@dataclass(frozen=True, slots=True)
class Added:
    """A new account, and what its provider offers."""

    account_id: int
    label: str
    calendars: Sequence[RemoteCalendar]


def check_kind(bridge: Bridge, email: str, kind: str, url: str | None) -> None:
    """Refuse what can be refused before anybody types a password. Raises Invalid, NotFound."""
    with bridge.db.reading() as tx:
        people.user_by_email(tx, email)
    if kind not in providers.KINDS:
        raise Invalid(f"“{kind}” is no provider we know. Choose one of: {', '.join(providers.KINDS)}.")
    if not (url or providers.KINDS[kind].start):
        raise Invalid("Give the address of the calendar server, with --url.")


def add(
    bridge: Bridge, email: str, kind: str, *, url: str | None, username: str | None, secret: str
) -> Added:
    """Sign in, list, and only then save. Raises Invalid, NotFound, AlreadyThere, ProviderError kinds."""
    check_kind(bridge, email, kind, url)
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
        kept = signed_in.secret or secret
        accounts.set_(tx, account_id, secret=bridge.vault.seal(kept, accounts.bind(account_id)))
        audit.note(bridge, tx, user.id, "account-added", f"{signed_in.label} ({username})")
    return Added(account_id, signed_in.label, signed_in.calendars)


def sign_in(bridge: Bridge, account_id: int, secret: str) -> AccountRow:
    """Try a new password, keep it if it is accepted, and let everything that waited for it run. Not for the
    account that bookings come from: ``source set`` renews that."""
    with bridge.db.reading() as tx:
        refuse_source(tx, account_id)
    row = find(bridge, account_id)
    start = row.profile.get("start") or row.url  # a home may have moved since
    signed_in = providers.sign_in(row.provider, start, row.username, secret, bridge.settings.allow_hosts)
    with bridge.db.writing() as tx:
        due = keep_sign_in(tx, bridge, account_id, signed_in.secret or secret, signed_in.profile)
        accounts.set_(tx, account_id, url=signed_in.home_url)
        audit.note(bridge, tx, row.user_id, "account-signed-in", row.label)
    wake(bridge, due)
    return find(bridge, account_id)


def keep_sign_in(
    tx: Connection, bridge: Bridge, account_id: int, secret: str, profile: Mapping[str, Any]
) -> list[int]:
    """Keep an accepted secret, and let everything that waited for it run; the links to wake."""
    now = bridge.clock.now()
    sealed = bridge.vault.seal(secret, accounts.bind(account_id))
    accounts.set_(tx, account_id, secret=sealed, profile=dict(profile))
    accounts.set_state(tx, account_id, "healthy", now=now)
    due = [link.id for link in links.of_account(tx, account_id) if takes_part(link)]
    for link_id in due:
        links.make_due(tx, link_id, now)
    return due


def wake(bridge: Bridge, due: Iterable[int]) -> None:
    """Tell the worker, once what it should see is written."""
    for link_id in due:
        bridge.enqueue(link_id)


def set_(
    bridge: Bridge, account_id: int, *, conflict: str | None = None, mail: bool | None = None
) -> AccountRow:
    """Change who wins a conflict, or whether the provider may mail guests. Raises Invalid, NotFound."""
    changes: dict[str, Any] = {"conflict": conflict, "mail": mail}
    changes = {name: value for name, value in changes.items() if value is not None}
    if not changes:
        raise Invalid("Nothing to change was given. See: picsello-bridge account set --help")
    find(bridge, account_id)
    with bridge.db.writing() as tx:
        accounts.set_(tx, account_id, **changes)
    return find(bridge, account_id)


def find(bridge: Bridge, account_id: int) -> AccountRow:
    """Raises NotFound."""
    with bridge.db.reading() as tx:
        return accounts.get(tx, account_id)
