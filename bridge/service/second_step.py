"""The second step of signing in: six digits from an app (TOTP, RFC 6238), or a recovery code.

The secret is kept sealed, bound to its user; recovery codes as MACs, each good once. A code is good for its
half minute and the ones beside it, as clocks differ, and no code is good twice (RFC 6238 5.2). How often one
may try is the page's business.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
import struct
from urllib.parse import quote, urlencode

from bridge.errors import Invalid
from bridge.service import Bridge, audit
from bridge.store import people
from bridge.store.people import UserRow

STEP_SECONDS = 30
DIGITS = 6
#: How far the clock of the app may be off, in steps.
DRIFT = 1
#: RFC 4226 4, R6: as long as the digest.
SECRET_BYTES = 20
RECOVERY_CODES = 8
ISSUER = "Picsello Bridge"
#: No 0/o, 1/l/i: they are copied by hand. 10 of these are 49 bits.
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"

WRONG = "That is not the code of this moment. Wait for the next one in your app, then type that."


def new_secret() -> str:
    """A secret for an app, in base32; kept only by ``turn_on``."""
    return base64.b32encode(secrets.token_bytes(SECRET_BYTES)).decode("ascii")


def address(email: str, secret: str) -> str:
    """What the app's camera reads (Key URI Format of Google Authenticator, which they all know)."""
    asked = urlencode({"secret": secret, "issuer": ISSUER}, quote_via=quote)
    return f"otpauth://totp/{quote(ISSUER)}:{quote(email)}?{asked}"


def code(key: bytes, step: int, digits: int = DIGITS) -> str:
    """HOTP (RFC 4226 5.3) of a time step."""
    digest = hmac.new(key, struct.pack(">Q", step), hashlib.sha1).digest()
    at = digest[-1] & 0xF
    number = struct.unpack(">I", digest[at : at + 4])[0] & 0x7FFFFFFF
    return f"{number % 10**digits:0{digits}d}"


def turn_on(bridge: Bridge, user_id: int, secret: str, typed: str) -> tuple[UserRow, list[str]]:
    """From now on it is asked for; every session ends. Returns the recovery codes, which are shown this once.
    Raises Invalid: the app does not show the right code yet."""
    step = _fitting(bridge, secret, typed, after=0)
    if step is None:
        raise Invalid(WRONG)
    codes = ["-".join(_letters(5) for _ in range(2)) for _ in range(RECOVERY_CODES)]
    with bridge.db.writing() as tx:
        user = people.user_by_id(tx, user_id)
        people.set_user(
            tx,
            user_id,
            totp=bridge.vault.seal(secret, bind(user_id)),
            totp_step=step,
            recovery=[_mac(bridge, user_id, one) for one in codes],
            session_version=user.session_version + 1,
        )
        audit.note(bridge, tx, user_id, "second-step-on")
        return people.user_by_id(tx, user_id), codes


def turn_off(bridge: Bridge, user_id: int) -> UserRow:
    """The password alone is enough again; every session ends."""
    with bridge.db.writing() as tx:
        user = people.user_by_id(tx, user_id)
        version = user.session_version + 1
        people.set_user(tx, user_id, totp=None, totp_step=0, recovery=None, session_version=version)
        audit.note(bridge, tx, user_id, "second-step-off")
        return people.user_by_id(tx, user_id)


def passes(bridge: Bridge, user_id: int, typed: str) -> bool:
    """Whether this is a code of the moment or a recovery code that is left; it is used up by asking."""
    with bridge.db.writing() as tx:
        user = people.user_by_id(tx, user_id)
        if user.totp is None:
            return False
        secret = bridge.vault.unseal(user.totp, bind(user_id))
        step = _fitting(bridge, secret, typed, after=user.totp_step)
        if step is not None:
            people.set_user(tx, user_id, totp_step=step)
            return True
        left, mac = list(user.recovery or ()), _mac(bridge, user_id, typed)
        if not any(hmac.compare_digest(mac, one) for one in left):
            return False
        people.set_user(tx, user_id, recovery=[one for one in left if one != mac])
        audit.note(bridge, tx, user_id, "recovery-code-used", f"{len(left) - 1} left")
        return True


def bind(user_id: int) -> str:
    """Where a sealed secret belongs."""
    return f"second step of user {user_id}"


def _fitting(bridge: Bridge, secret: str, typed: str, *, after: int) -> int | None:
    """The time step whose code was typed, if it is near enough and later than the last one used."""
    digits = re.sub(r"\s", "", typed)
    key = base64.b32decode(secret)
    now = int(bridge.clock.now().timestamp()) // STEP_SECONDS
    for step in range(max(now - DRIFT, after + 1), now + DRIFT + 1):
        if hmac.compare_digest(code(key, step).encode(), digits.encode("utf-8", "replace")):
            return step
    return None


def _letters(count: int) -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(count))


def _mac(bridge: Bridge, user_id: int, typed: str) -> str:
    """A recovery code as it is kept, however it was typed."""
    plain = re.sub(r"[\s-]", "", typed).lower()[:64]
    return bridge.vault.mac(f"recovery code of user {user_id}: {plain}")
