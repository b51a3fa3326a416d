"""The audit log: who changed what may be done in a user's name, when and from where; never what was booked.

Use-cases note what they did in the transaction that does it. Who is acting is said once, by whoever lets
people in: ``acting`` at the start of each request; the command line is the default.
"""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection

from bridge.service import Bridge
from bridge.store import audit, people

#: How long entries are kept.
KEPT = timedelta(days=400)
LONGEST_DETAIL = 200

#: Every action there is, in words.
WORDS = {
    "signed-in": "Signed in to the pages",
    "sign-in-failed": "A sign-in to the pages failed",
    "user-added": "The user was added",
    "password-changed": "The password for the pages was changed",
    "password-reset": "A new password was chosen with a link by mail",
    "second-step-on": "The second step of signing in was turned on",
    "second-step-off": "The second step of signing in was turned off",
    "recovery-code-used": "A recovery code was used to sign in",
    "settings-changed": "Time zone or rules were changed",
    "device-added": "A device was added",
    "device-revoked": "A device was removed",
    "token-added": "An API token was made",
    "token-revoked": "An API token was taken back",
    "webhook-added": "A webhook was added",
    "webhook-removed": "A webhook was removed",
    "feed-added": "A 1-way link was made",
    "feed-renewed": "A 1-way link got a new address",
    "feed-revoked": "A 1-way link was taken back",
    "account-added": "An account was connected",
    "account-signed-in": "An account was signed in to again",
    "account-removed": "An account was disconnected",
    "roles-changed": "What an account's calendars are used for was changed",
    "source-set": "Where bookings come from was changed",
}


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts, and from which address."""

    name: str = "command"
    address: str = ""


_COMMAND = Actor()
_actor: ContextVar[Actor] = ContextVar("actor", default=_COMMAND)


def acting(name: str, address: str = "") -> None:
    """From here on, in this context, it is they: "user:<id>", "token:<id>", "nobody"."""
    _actor.set(Actor(name, address))


def over() -> None:
    """They are done: what follows in this thread is not theirs."""
    _actor.set(_COMMAND)


def actor() -> str:
    """Who acts, as the change log and the journal spell it."""
    return _actor.get().name


def note(bridge: Bridge, tx: Connection, user_id: int, action: str, detail: str = "") -> None:
    """Remember that this was done, if ``tx`` is committed."""
    assert action in WORDS, action
    who = _actor.get()
    shown = " ".join("".join(letter if letter.isprintable() else " " for letter in detail).split())
    audit.add(
        tx,
        user_id,
        action,
        detail=shown[:LONGEST_DETAIL],
        actor=who.name,
        address=who.address[:64],
        now=bridge.clock.now(),
    )


def sign_in(bridge: Bridge, email: str, *, well: bool) -> None:
    """Somebody signed in, or failed to, as this user; nothing where there is no such user."""
    with bridge.db.writing() as tx:
        user = people.find_user(tx, email)
        if user is not None:
            if well:
                acting(f"user:{user.id}", _actor.get().address)
            note(bridge, tx, user.id, "signed-in" if well else "sign-in-failed")


def list_(bridge: Bridge, email: str, limit: int = 100) -> list[dict[str, Any]]:
    """What was done in a user's name, newest first. Raises NotFound."""
    with bridge.db.reading() as tx:
        rows = audit.of_user(tx, people.user_by_email(tx, email).id, limit)
    return [
        {
            "id": row.id,
            "at": row.at,
            "action": row.action,
            "says": WORDS.get(row.action, row.action),
            "detail": row.detail,
            "actor": row.actor,
            "address": row.address,
        }
        for row in rows
    ]
