"""Webhooks: an address of the user's is told that bookings changed, and which; never what they say.

A delivery is a POST of JSON, signed; whoever wants to know more asks the API with a token. Deliveries come in
order, one at a time, until they are taken (any 2xx); the same ``id`` is the same delivery again. A webhook
that is behind is found in the store, so nothing is lost while the other side, or we, are away.

=========================  ==================================================================
``X-Bridge-Signature``     ``t=<seconds since 1970>,v1=<hex>``: HMAC-SHA-256 of ``<t>.<body>``
``X-Bridge-Delivery``      the delivery's ``id``
=========================  ==================================================================
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import secrets
import threading
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from bridge.errors import AlreadyThere, Blocked, BridgeError, Invalid, NotFound, UnknownOutcome
from bridge.providers.guard import Guard
from bridge.providers.http import Http, Limits
from bridge.service import Bridge, audit
from bridge.store import calendars, changes, people, webhooks
from bridge.store.webhooks import WebhookRow

log = logging.getLogger(__name__)

MOST = 20
LONGEST_URL = 2000
#: Changes that one delivery names; after more, it says that everything may be new.
MOST_CHANGES = 200
#: The other side has to answer quickly, and its answer is not read.
LIMITS = Limits(connect=5.0, seconds=10.0, bytes=64 * 1024, redirects=0)
#: While one delivery is on its way nobody else tries it.
CLAIMED = timedelta(seconds=60)
FIRST_DELAY = timedelta(seconds=30)
LONGEST_DELAY = timedelta(hours=6)

#: One thread of a process delivers; an address that is slow holds up no passes.
_delivering = threading.Lock()


@dataclass(frozen=True, slots=True)
class Webhook:
    """A webhook and what signs its deliveries."""

    row: WebhookRow
    secret: str


def add(bridge: Bridge, email: str, url: str) -> Webhook:
    """Tell this address from now on. Raises Invalid, Blocked, NotFound, AlreadyThere."""
    url = url.strip()
    if not 1 <= len(url) <= LONGEST_URL:
        raise Invalid("Give the address to call, such as https://example.com/hooks/bookings.")
    Guard(bridge.settings.allow_hosts).check(url)
    nonce = secrets.token_hex(16)
    with bridge.db.writing() as tx:
        user = people.user_by_email(tx, email)
        known = webhooks.of_user(tx, user.id)
        if any(row.url == url for row in known):
            raise AlreadyThere("This address is told already. Remove it first to get another secret.")
        if len(known) >= MOST:
            raise Invalid(f"There are {MOST} webhooks already; remove one that is not needed any more.")
        seq = calendars.bookings(tx, user.id).seq
        row = webhooks.get(tx, user.id, webhooks.add(tx, user.id, url, nonce, seq, bridge.clock.now()))
        audit.note(bridge, tx, user.id, "webhook-added", url)
    return Webhook(row, secret(bridge, row))


def list_(bridge: Bridge, email: str) -> list[Webhook]:
    """The user's webhooks, oldest first. Raises NotFound."""
    with bridge.db.reading() as tx:
        rows = webhooks.of_user(tx, people.user_by_email(tx, email).id)
    return [Webhook(row, secret(bridge, row)) for row in rows]


def remove(bridge: Bridge, email: str, webhook: int | str) -> WebhookRow:
    """Tell it nothing any more; by number or address. Raises NotFound."""
    with bridge.db.writing() as tx:
        user = people.user_by_email(tx, email)
        for row in webhooks.of_user(tx, user.id):
            if str(webhook) in (str(row.id), row.url):
                webhooks.remove(tx, row.id)
                audit.note(bridge, tx, user.id, "webhook-removed", row.url)
                return row
    raise NotFound(f"There is no webhook “{webhook}”. See: picsello-bridge webhook list {email}")


def secret(bridge: Bridge, row: WebhookRow) -> str:
    """What signs its deliveries; derived, so that a stolen copy of the database can sign nothing."""
    return "pbw_" + bridge.vault.mac(f"webhook:{row.nonce}")[:40]


def signature(key: str, moment: int, body: bytes) -> str:
    """The header that proves where a delivery comes from, and when it was made."""
    digest = hmac.new(key.encode(), b"%d." % moment + body, hashlib.sha256).hexdigest()
    return f"t={moment},v1={digest}"


def deliver(bridge: Bridge) -> int:
    """One delivery to each webhook that is behind; returns how many were taken. Safe in many processes."""
    with bridge.db.reading() as tx:
        behind = webhooks.behind(tx, bridge.clock.now())
    return sum(_deliver(bridge, row) for row in behind)


def soon(bridge: Bridge) -> None:
    """Begin to deliver what waits, without making anybody wait for it."""
    with bridge.db.reading() as tx:
        waiting = bool(webhooks.behind(tx, bridge.clock.now(), 1))
    if waiting and _delivering.acquire(blocking=False):
        threading.Thread(target=_quietly, args=(bridge,), name="webhooks", daemon=True).start()


def _quietly(bridge: Bridge) -> None:
    try:
        deliver(bridge)
    except Exception:  # nobody waits for this thread; what is behind stays behind
        log.exception("webhooks could not be told")
    finally:
        _delivering.release()


def _deliver(bridge: Bridge, row: WebhookRow) -> bool:
    now = bridge.clock.now()
    with bridge.db.writing() as tx:
        if not webhooks.claim(tx, row, now + CLAIMED):
            return False
        upto, told = _told(tx, row)
    body = json.dumps({**told, "at": now.isoformat()}, ensure_ascii=False).encode()
    taken, answer = _send(bridge, row, body, str(told["id"]), int(now.timestamp()))
    if taken:
        outcome = {"seq": upto, "failures": 0, "next_try": None, "delivered": now}
    else:
        delay = min(FIRST_DELAY * 2 ** min(row.failures, 12), LONGEST_DELAY)
        outcome = {"failures": row.failures + 1, "next_try": now + delay}
        log.warning("webhook %s: %s", row.id, answer)
    with bridge.db.writing() as tx:
        webhooks.set_(tx, row.id, tried=now, answer=answer, **outcome)
    return taken


def _told(tx: Any, row: WebhookRow) -> tuple[int, dict[str, Any]]:
    """Up to which ``seq`` it is told, and what. ``everything``: list the bookings anew."""
    calendar = calendars.bookings(tx, row.user_id)
    try:
        delta = changes.changed_since(tx, calendar.id, row.seq)
        found = [{"uid": one.uid, "deleted": False} for one in delta.changed]
        found += [{"uid": one.uid, "deleted": True} for one in delta.deleted]
    except Invalid:  # away for so long that the log does not reach back
        found = []
    everything = not 0 < len(found) <= MOST_CHANGES
    told = {
        "id": f"{row.id}-{calendar.generation}-{calendar.seq}",
        "type": "bookings.changed",
        "changes": [] if everything else found,
        "everything": everything,
    }
    return calendar.seq, told


def _send(bridge: Bridge, row: WebhookRow, body: bytes, name: str, moment: int) -> tuple[bool, str]:
    """Whether it was taken, and what to say about it."""
    headers = {
        "Content-Type": "application/json",
        "X-Bridge-Delivery": name,
        "X-Bridge-Signature": signature(secret(bridge, row), moment, body),
    }
    http = Http(Guard(bridge.settings.allow_hosts), limits=LIMITS)
    try:
        answer = http.request("POST", row.url, body=body, headers=headers)
    except Blocked as error:
        return False, f"Not sent: {error}"
    except UnknownOutcome:
        return False, "It did not answer in time."
    except BridgeError as error:
        return False, str(error)
    finally:
        http.close()
    return 200 <= answer.status < 300, f"It answered {answer.status}."
