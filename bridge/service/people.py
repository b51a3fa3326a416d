"""People and their devices: who may sign in, to what, and by which rules their bookings live.

Addresses are compared in small letters. Passwords of people are kept as argon2 hashes; an app password, being
random, as an HMAC, so that checking it costs a CalDAV request next to nothing.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import quote
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import Connection

from bridge.errors import AlreadyThere, Invalid, NotFound
from bridge.service import Bridge, audit
from bridge.store import calendars, horizon, people
from bridge.store.people import DeviceRow, UserRow

if TYPE_CHECKING:
    from argon2 import PasswordHasher

    from bridge.vault import Vault

#: By form only: one @, nothing that could end a path segment or a Basic user name (RFC 7617 2: no colon).
_EMAIL = re.compile(r"[^\s@:/\\?#%<>\"(),;\[\]\x00-\x1f\x7f]+@[^\s@:/\\?#%<>\"(),;\[\]\x00-\x1f\x7f]+")
_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
#: RFC 5321 4.5.3.1.3.
LONGEST_EMAIL = 254
LONGEST_NAME = 80
LONGEST_PASSWORD = 1024
#: No 0/o, 1/l/i: an app password is often typed from a screen. 20 of these are 99 bits.
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"


# --- users -------------------------------------------------------------------------------------------


def add_user(
    bridge: Bridge,
    email: str,
    *,
    time_zone: str | None = None,
    studio: str | None = None,
    password: str | None = None,
) -> UserRow:
    """A new user with an empty bookings calendar, in the studio of that slug (made if there is none yet)
    or in one of their own. Raises Invalid, AlreadyThere."""
    email = _checked_email(email)
    zone = _checked_zone(time_zone) if time_zone is not None else machine_zone()
    if studio is not None and not _SLUG.fullmatch(studio):
        raise Invalid(
            f"A studio's name in addresses is like “anna-berg”: letters a-z, digits, hyphens; not “{studio}”."
        )
    hashed = _hashed(password) if password is not None else None
    now = bridge.clock.now()
    with bridge.db.writing() as tx:
        slug = studio or _free_slug(tx, email)
        found = people.studio_by_slug(tx, slug)
        studio_id = found.id if found else people.add_studio(tx, slug, slug, now)
        user_id = people.add_user(tx, studio_id, email, time_zone=zone, password_hash=hashed, now=now)
        calendars.create(tx, user_id, calendars.BOOKINGS, kind="bookings", title="Bookings", now=now)
        audit.note(bridge, tx, user_id, "user-added")
        return people.user_by_id(tx, user_id)


def set_user(
    bridge: Bridge,
    email: str,
    *,
    on_delete: str | None = None,
    on_move: str | None = None,
    time_zone: str | None = None,
    password: str | None = None,
) -> UserRow:
    """Change what is given. A new password ends every web session. Raises Invalid, NotFound."""
    changes: dict[str, Any] = {"on_delete": on_delete, "on_move": on_move}
    if time_zone is not None:
        changes["time_zone"] = _checked_zone(time_zone)
    if password is not None:
        changes["password_hash"] = _hashed(password)
    changes = {name: value for name, value in changes.items() if value is not None}
    if not changes:
        raise Invalid("Nothing to change was given. See: picsello-bridge user set --help")
    with bridge.db.writing() as tx:
        user = people.user_by_email(tx, email)
        if password is not None:
            changes["session_version"] = user.session_version + 1
        people.set_user(tx, user.id, **changes)
        if password is not None:
            audit.note(bridge, tx, user.id, "password-changed")
        if any(value is not None for value in (on_delete, on_move, time_zone)):
            audit.note(bridge, tx, user.id, "settings-changed")
        if time_zone is not None:  # all-day and floating events now mean other moments
            for calendar in calendars.of_user(tx, user.id):
                horizon.reindex(tx, calendar.id, ZoneInfo(time_zone))
        return people.user_by_id(tx, user.id)


def user(bridge: Bridge, email: str) -> UserRow:
    """Raises NotFound."""
    with bridge.db.reading() as tx:
        return people.user_by_email(tx, email)


def list_users(bridge: Bridge) -> list[UserRow]:
    """All users, by address."""
    with bridge.db.reading() as tx:
        return people.users(tx)


def check_password(bridge: Bridge, email: str, password: str) -> UserRow | None:
    """The user, if the password for the pages is right. Takes as long for an unknown address."""
    with bridge.db.reading() as tx:
        user = people.find_user(tx, email)
    known = user.password_hash if user else None
    right = _verified(known or _nobodys_hash(), password[:LONGEST_PASSWORD])
    if not (user and known and right):
        return None
    if _hasher().check_needs_rehash(known):
        with bridge.db.writing() as tx:
            people.set_user(tx, user.id, password_hash=_hashed(password))
    return user


# --- devices -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class NewDevice:
    """What a calendar app has to be told. The password is shown here and never again."""

    device_id: int
    username: str
    password: str
    url: str


@dataclass(frozen=True, slots=True)
class Verified:
    """Whom a device's password belongs to."""

    user_id: int
    email: str
    device_id: int


def add_device(bridge: Bridge, email: str, name: str) -> NewDevice:
    """A new app password. Raises Invalid, NotFound; AlreadyThere for a second device of that name."""
    name = " ".join(name.split())
    if not 1 <= len(name) <= LONGEST_NAME:
        raise Invalid(f"A device's name has 1 to {LONGEST_NAME} letters.")
    letters = [secrets.choice(_LETTERS) for _ in range(20)]
    password = "-".join("".join(letters[start : start + 5]) for start in range(0, 20, 5))
    with bridge.db.reading() as tx:
        people.user_by_email(tx, email)
    mac = bridge.vault.mac(_canonical(password))
    with bridge.db.writing() as tx:
        user = people.user_by_email(tx, email)
        if any(device.name == name for device in people.devices(tx, user.id)):
            raise AlreadyThere(
                f"{user.email} has a device “{name}” already. Choose another name, or revoke that one."
            )
        device_id = people.add_device(tx, user.id, name, mac, bridge.clock.now())
        audit.note(bridge, tx, user.id, "device-added", name)
    return NewDevice(device_id, user.email, password, home_url(bridge, user.email))


def list_devices(bridge: Bridge, email: str) -> list[DeviceRow]:
    """The user's devices that may sign in, oldest first."""
    with bridge.db.reading() as tx:
        return people.devices(tx, people.user_by_email(tx, email).id)


def revoke_device(bridge: Bridge, email: str, device: int | str) -> DeviceRow:
    """End one device's access, by number or name. Raises NotFound."""
    with bridge.db.writing() as tx:
        user = people.user_by_email(tx, email)
        for row in people.devices(tx, user.id):
            if str(device) in (str(row.id), row.name):
                people.revoke_device(tx, user.id, row.id, bridge.clock.now())
                audit.note(bridge, tx, user.id, "device-revoked", row.name)
                return row
    raise NotFound(f"{user.email} has no device “{device}”. See: picsello-bridge device list {user.email}")


def verify_device(tx: Connection, vault: Vault, email: str, password: str) -> Verified | None:
    """Whom an app password belongs to, if it is right, not revoked, and this user's."""
    if len(password) > LONGEST_PASSWORD:
        return None
    device = people.device_by_mac(tx, email, vault.mac(_canonical(password)))
    return Verified(device.user_id, people.canonical(email), device.id) if device else None


def home_url(bridge: Bridge, email: str) -> str:
    """The address a calendar app is given: the user's principal and home."""
    return f"{bridge.public_url}/dav/{quote(email, safe='@')}/"


# --- the small print ---------------------------------------------------------------------------------


def machine_zone() -> str:
    """The machine's own IANA zone, else UTC."""
    import tzlocal

    try:
        return _checked_zone(tzlocal.get_localzone_name())
    except (Invalid, LookupError, ValueError):
        return "UTC"


def _checked_email(email: str) -> str:
    normal = people.canonical(email)
    if len(normal) > LONGEST_EMAIL or not _EMAIL.fullmatch(normal):
        raise Invalid(f"“{email}” is not an e-mail address. It looks like anna@example.com.")
    return normal


def _checked_zone(name: str) -> str:
    try:
        return ZoneInfo(name).key
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise Invalid(
            f"“{name}” is not a time zone we know. Use a name such as Europe/Berlin or America/Denver."
        ) from error


def _free_slug(tx: Connection, email: str) -> str:
    """``anna-berg`` for anna.berg@example.com; ``anna-berg-2`` if that is taken."""
    wanted = re.sub(r"[^a-z0-9]+", "-", email.partition("@")[0]).strip("-") or "studio"
    slug, number = wanted, 1
    while people.studio_by_slug(tx, slug):
        number += 1
        slug = f"{wanted}-{number}"
    return slug


def _canonical(password: str) -> str:
    """An app password however it was typed: with or without hyphens, spaces, capitals."""
    return re.sub(r"[\s-]", "", password).lower()


@cache
def _hasher() -> PasswordHasher:
    from argon2 import PasswordHasher

    return PasswordHasher()


@cache
def _nobodys_hash() -> str:
    return _hasher().hash(secrets.token_hex(16))


def _hashed(password: str) -> str:
    if not 1 <= len(password) <= LONGEST_PASSWORD:
        raise Invalid(f"A password has 1 to {LONGEST_PASSWORD} letters.")
    return _hasher().hash(password)


def _verified(known: str, password: str) -> bool:
    from argon2.exceptions import InvalidHashError, VerificationError

    try:
        return _hasher().verify(known, password)
    except (VerificationError, InvalidHashError):
        return False
