"""How a link and its account stand after a pass: what their rows say, and when to look again.

Called in the caller's transaction, which has made sure that the link is still its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection

from bridge.errors import CalendarGone, NotPermitted, ProviderError, Verdict, classify
from bridge.store import accounts, links, pairings
from bridge.sync.context import Context
from bridge.sync.survey import Observation

#: Objects whose ground kept moving are looked at again this soon.
SOON = timedelta(seconds=5)
#: A right that was taken away may be given back: look again this often.
ASK_AGAIN = timedelta(hours=1)


def held(tx: Connection, link_id: int, reasons: Sequence[str]) -> None:
    """The plan waits for the user."""
    links.set_(tx, link_id, held=reasons, state="held", state_reason=reasons[0], due_at=None)


def done(
    tx: Connection,
    context: Context,
    observation: Observation,
    not_permitted: str | None,
    now: datetime,
    *,
    unsettled: bool,
) -> None:
    """The pass came to its end; ``unsettled``: though not with every object, so that what it was told must
    be told again."""
    link = context.link
    values: dict[str, object] = {"held": None, "released": True, "state": "healthy", "state_reason": None}
    if not unsettled:
        values["restored"] = False
        values["cursor"] = observation.cursor
        values["bookings_seq"] = observation.bookings_seq
        values["mirror_seq"] = observation.mirror_seq
        values["listed_at"] = now if observation.complete else link.listed_at
        if not pairings.problems(tx, link.id):
            values["agreed_at"] = now
        elif not_permitted or link.state == "read-only":
            values["state"] = "read-only"
            values["state_reason"] = not_permitted or link.state_reason
    if observation.rest and not link.writes and not link.edits:
        due = links.get(tx, link.id).due_at if link.source else None
        if due is None or due > now:  # nothing here made it due meanwhile
            values["due_at"] = now + timedelta(seconds=observation.rest)
    links.set_(tx, link.id, **values)
    if unsettled:
        links.make_due(tx, link.id, now + SOON)
    if context.account.state != "healthy" or context.account.failures:
        accounts.set_(
            tx,
            context.account.id,
            state="healthy",
            state_reason=None,
            state_since=now,
            failures=0,
            next_try=None,
        )


def failed(tx: Connection, link_id: int, error: ProviderError, now: datetime) -> bool:
    """The calendar could not be used; True if the reason is its own, and the account is well."""
    link = links.get(tx, link_id)
    if isinstance(error, CalendarGone):
        links.set_(tx, link_id, state="gone", state_reason=str(error), due_at=None)
        return True
    if isinstance(error, NotPermitted):
        state = "read-only" if link.writes or link.edits else "retrying"
        links.set_(tx, link_id, state=state, state_reason=str(error), due_at=now + ASK_AGAIN)
        return True
    links.set_(tx, link_id, state="retrying", state_reason=str(error))
    account = accounts.get(tx, link.account_id)
    state = "needs-sign-in" if classify(error) is Verdict.SIGN_IN else "retrying"
    since = account.state_since if account.state == state else now
    accounts.set_(tx, account.id, state=state, state_reason=str(error), state_since=since)
    return False
