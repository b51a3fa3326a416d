"""A forgotten password: a link by mail that is good once, for an hour, for whoever reads that mailbox.

The link holds who it is for, sealed; it is good only while the password (and with it the session version)
is still the one it was made for, so using it, or changing the password otherwise, ends it. Whether an address
is known here shows in nothing that whoever asks can see: everything is done after the answer.
"""

from __future__ import annotations

import logging
import threading
from datetime import UTC, datetime, timedelta

from bridge import mail
from bridge.errors import BridgeError, NotFound, StoreError
from bridge.service import Bridge, audit
from bridge.service import people as people_service
from bridge.store import people
from bridge.store.people import UserRow

log = logging.getLogger(__name__)

GOOD_FOR = timedelta(hours=1)
_BIND = "password reset"

EXPIRED = "This link is not valid any more: it works once, and for an hour. Ask for a new one."

LETTER = """\
Hello,

somebody, we hope you, wants to choose a new password for the pages of Picsello Bridge.
This address leads to it, once, within the next hour:

{address}

If it was not you, do nothing: your password stays as it is.
"""


def ask(bridge: Bridge, email: str) -> None:
    """Begin to send a link to that address if it is a user's; returns at once in any case."""
    threading.Thread(target=_quietly, args=(bridge, email), name="password reset", daemon=True).start()


def send(bridge: Bridge, email: str) -> bool:
    """Send it, if there is such a user. Raises what ``mail.send`` raises."""
    with bridge.db.reading() as tx:
        user = people.find_user(tx, email)
    if user is None:
        return False
    address = f"{bridge.public_url}/sign-in/new-password/{token(bridge, user)}"
    text = LETTER.format(address=address)
    settings = bridge.settings
    mail.send(settings.smtp_url, settings.mail_from, user.email, "A new password for your calendar", text)
    return True


def token(bridge: Bridge, user: UserRow) -> str:
    """The secret part of the link."""
    until = int((bridge.clock.now() + GOOD_FOR).timestamp())
    return bridge.vault.seal(f"{user.id} {user.session_version} {until}", _BIND).decode("ascii")


def whose(bridge: Bridge, link: str) -> UserRow:
    """The user whose password may be chosen with it. Raises NotFound: forged, used, too old."""
    try:
        words = bridge.vault.unseal(link.encode("ascii", "replace"), _BIND).split(" ")
        user_id, version, until = map(int, words)
    except (StoreError, ValueError):
        raise NotFound(EXPIRED) from None
    with bridge.db.reading() as tx:
        user = people.user_by_id(tx, user_id)
    if user.session_version != version or datetime.fromtimestamp(until, UTC) < bridge.clock.now():
        raise NotFound(EXPIRED)
    return user


def choose(bridge: Bridge, link: str, password: str) -> UserRow:
    """Set it; every session ends, and so does the link. Raises NotFound, Invalid."""
    user = people_service.set_user(bridge, whose(bridge, link).email, password=password)
    with bridge.db.writing() as tx:
        audit.note(bridge, tx, user.id, "password-reset")
    return user


def _quietly(bridge: Bridge, email: str) -> None:
    try:
        send(bridge, email)
    except BridgeError as error:
        log.warning("a mail with a link for a new password could not be sent: %s", error)
    except Exception:
        log.exception("a mail with a link for a new password could not be sent")
