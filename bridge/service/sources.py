"""Choosing where a user's bookings live: here (``studio``), in Picsello's database, or in its calendar link.

A source becomes an account with one link in the role *source*; the engine does the rest. Going from one to
another keeps the link with its pairings, and with them every UID, every copy at a provider and every device.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from bridge import sources
from bridge.errors import Invalid
from bridge.service import Bridge, audit, old_subscription
from bridge.service import people as users
from bridge.sources import SignedIn
from bridge.store import accounts, links, people
from bridge.store.links import LinkRow
from bridge.store.people import UserRow


@dataclass(frozen=True, slots=True)
class Chosen:
    """What was saved. ``account``: None for the built-in source; ``told``: sentences for the studio."""

    user: UserRow
    account: int | None = None
    told: Sequence[str] = ()


def set_(
    bridge: Bridge,
    email: str,
    kind: str,
    *,
    url: str | None = None,
    secret: str = "",
    options: Mapping[str, Any] | None = None,
) -> Chosen:
    """Sign in and check, then save; the first pass is due at once. Without ``url`` the source that is in use
    keeps its address and password, and what is not among ``options`` stays as it was chosen.

    Raises NotFound, Invalid (no address, wrong options), ProviderError kinds (in one sentence what is
    missing). Nothing is changed then."""
    with bridge.db.reading() as tx:
        user = people.user_by_email(tx, email)
    if kind == "studio":
        return _built_in(bridge, user)
    if not url:
        url, kept, before = _in_use(bridge, user, kind)
        secret, options = secret or kept, {**before, **(options or {})}
    signed_in = sources.sign_in(
        kind,
        url,
        secret,
        email=user.email,
        options=options or {},
        allow_hosts=bridge.settings.allow_hosts,
        clock=bridge.clock,
    )
    return _save(bridge, user, kind, signed_in, secret)


def set_all(bridge: Bridge, url: str, secret: str, options: Mapping[str, Any]) -> list[Chosen]:
    """Every photographer of a Picsello database, matched by e-mail; users that are missing here are made,
    in a studio named as in Picsello and in their time zone. Raises as ``set_``."""
    from bridge.sources import picsello

    chosen = []
    for email, studio, signed_in in picsello.everybody(url, secret, options):
        with bridge.db.reading() as tx:
            user = people.find_user(tx, email)
        if user is None:
            try:
                user = users.add_user(bridge, email, studio=studio.slug, time_zone=studio.time_zone)
            except Invalid:  # a zone or name that we can't keep: our own default then
                user = users.add_user(bridge, email)
        chosen.append(_save(bridge, user, "picsello", signed_in, secret))
    return chosen


def of_user(bridge: Bridge, user_id: int) -> LinkRow | None:
    """The link that a user's bookings come from; None for the built-in source."""
    with bridge.db.reading() as tx:
        return links.of_source(tx, user_id)


def _in_use(bridge: Bridge, user: UserRow, kind: str) -> tuple[str, str, dict[str, Any]]:
    """Address, password and choices of the source of that kind that is in use. Raises Invalid."""
    with bridge.db.reading() as tx:
        link = links.of_source(tx, user.id)
        account = None if link is None else accounts.get(tx, link.account_id)
    if account is None or account.provider != kind or account.secret is None:
        raise Invalid("Give the address with --url: of Picsello's database, or of its calendar link.")
    secret = bridge.vault.unseal(account.secret, accounts.bind(account.id))
    # of a calendar link the address is the secret
    return (secret if kind == "feed" else account.url), secret, dict(account.profile)


def _save(bridge: Bridge, user: UserRow, kind: str, signed_in: SignedIn, secret: str) -> Chosen:
    now = bridge.clock.now()
    with bridge.db.writing() as tx:
        before = links.of_source(tx, user.id)
        account_id = accounts.create(
            tx,
            user.id,
            kind,
            label=signed_in.label,
            url=signed_in.url,
            username=signed_in.username,
            profile=signed_in.profile,
            now=now,
        )
        kept = signed_in.secret if signed_in.secret is not None else secret
        accounts.set_(tx, account_id, secret=bridge.vault.seal(kept, accounts.bind(account_id)))
        if before is None:
            link_id = links.create(
                tx,
                account_id,
                signed_in.calendar,
                name=sources.KINDS[kind],
                color=None,
                writable=signed_in.profile["edits"] == "write",
                now=now,
            )
        else:
            link_id = before.id
            _take_over(tx, before, account_id, kind, signed_in)
        links.set_(tx, link_id, source=True, released=True, held=None, due_at=now)
        people.set_user(tx, user.id, source=kind)
        old_subscription.let_go(tx, user.id, now)
        audit.note(bridge, tx, user.id, "source-set", kind)
        user = people.user_by_id(tx, user.id)
    bridge.enqueue(link_id)
    return Chosen(user, account_id, signed_in.told)


def _take_over(tx: Connection, before: LinkRow, account_id: int, kind: str, signed_in: SignedIn) -> None:
    """The same link, now of another account: what both sides agreed on stays known."""
    same = before.remote_id == signed_in.calendar
    links.set_(
        tx,
        before.id,
        account_id=account_id,
        remote_id=signed_in.calendar,
        name=sources.KINDS[kind],
        writable=signed_in.profile["edits"] == "write",
        cursor=before.cursor if same else None,
        listed_at=None,
        bookings_seq=0,
        state="new",
        state_reason=None,
    )
    accounts.remove(tx, before.account_id)


def _built_in(bridge: Bridge, user: UserRow) -> Chosen:
    """The bookings stay as they are, and are edited here from now on."""
    with bridge.db.writing() as tx:
        link = links.of_source(tx, user.id)
        if link is not None:
            accounts.remove(tx, link.account_id)
        people.set_user(tx, user.id, source="studio")
        audit.note(bridge, tx, user.id, "source-set", "studio")
        return Chosen(people.user_by_id(tx, user.id))
