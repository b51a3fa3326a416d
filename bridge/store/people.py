"""Studios, users and their devices. Passwords, tokens and policies are checked in ``bridge.service``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, bindparam, delete, insert, select, update

from bridge.errors import AlreadyThere, NotFound
from bridge.store.prepared import Prepared
from bridge.store.rows import columns
from bridge.store.tables import device, studio, user


@dataclass(frozen=True, slots=True)
class StudioRow:
    """A tenant."""

    id: int
    slug: str
    name: str
    created: datetime


@dataclass(frozen=True, slots=True)
class UserRow:
    """A person; ``studio`` is the studio's slug. See ``tables.user`` for the values of the policies."""

    id: int
    studio_id: int
    email: str
    password_hash: str | None
    session_version: int
    time_zone: str
    source: str
    on_delete: str
    on_move: str
    totp: bytes | None
    totp_step: int
    recovery: Sequence[str] | None
    created: datetime
    studio: str


@dataclass(frozen=True, slots=True)
class DeviceRow:
    """An app password, without the password."""

    id: int
    user_id: int
    name: str
    created: datetime
    last_used: datetime | None
    revoked: datetime | None


_STUDIO: Select[Any] = select(*columns(StudioRow, studio))
_USER: Select[Any] = select(*columns(UserRow, user, stop=-1), studio.c.slug).join(
    studio, studio.c.id == user.c.studio_id
)
_DEVICE: Select[Any] = select(*columns(DeviceRow, device))
_BY_EMAIL = Prepared(_USER.where(user.c.email == bindparam("email")), UserRow)
_BY_ID = Prepared(_USER.where(user.c.id == bindparam("id")), UserRow)
_BY_MAC = Prepared(
    _DEVICE.join(user, user.c.id == device.c.user_id).where(
        device.c.secret_mac == bindparam("mac"),
        user.c.email == bindparam("email"),
        device.c.revoked.is_(None),
    ),
    DeviceRow,
)


def canonical(email: str) -> str:
    """An address as it is kept and looked up: without surrounding blanks, in lower case."""
    return email.strip().lower()


# --- studios ---------------------------------------------------------------------------------------


def add_studio(tx: Connection, slug: str, name: str, now: datetime) -> int:
    """Returns its id. Raises AlreadyThere."""
    if studio_by_slug(tx, slug) is not None:
        raise AlreadyThere(f"There is already a studio called {slug}.")
    values = {"slug": slug, "name": name, "created": now}
    return int(tx.execute(insert(studio).returning(studio.c.id), values).scalar_one())


def studio_by_slug(tx: Connection, slug: str) -> StudioRow | None:
    row = tx.execute(_STUDIO.where(studio.c.slug == slug)).first()
    return None if row is None else StudioRow(*row)


# --- users -----------------------------------------------------------------------------------------


def add_user(
    tx: Connection,
    studio_id: int,
    email: str,
    *,
    time_zone: str,
    now: datetime,
    password_hash: str | None = None,
) -> int:
    """Returns the user's id; calendars are made by ``calendars.create``. Raises AlreadyThere."""
    if find_user(tx, email) is not None:
        raise AlreadyThere(f"There is already a user {canonical(email)}.")
    values = {
        "studio_id": studio_id,
        "email": canonical(email),
        "time_zone": time_zone,
        "password_hash": password_hash,
        "created": now,
    }
    return int(tx.execute(insert(user).returning(user.c.id), values).scalar_one())


def find_user(tx: Connection, email: str) -> UserRow | None:
    return _BY_EMAIL.first(tx, {"email": canonical(email)})


def user_by_email(tx: Connection, email: str) -> UserRow:
    """Raises NotFound."""
    found = find_user(tx, email)
    if found is None:
        raise NotFound(f"There is no user {canonical(email)}. See `picsello-bridge user list`.")
    return found


def user_by_id(tx: Connection, user_id: int) -> UserRow:
    """Raises NotFound."""
    row = _BY_ID.first(tx, {"id": user_id})
    if row is None:
        raise NotFound("This user does not exist (any more).")
    return row


def users(tx: Connection) -> list[UserRow]:
    """Everybody, by address."""
    return [UserRow(*row) for row in tx.execute(_USER.order_by(user.c.email))]


def set_user(tx: Connection, user_id: int, **values: Any) -> None:
    """Change columns. After a change of ``time_zone``, ``objects.reindex`` the user's calendars."""
    tx.execute(update(user).where(user.c.id == user_id).values(values))


def remove_user(tx: Connection, user_id: int) -> None:
    """The user with calendars, accounts, devices, journal; the studio too if nobody is left in it."""
    studio_id = tx.execute(select(user.c.studio_id).where(user.c.id == user_id)).scalar()
    tx.execute(delete(user).where(user.c.id == user_id))
    left = select(user.c.id).where(user.c.studio_id == studio_id)
    tx.execute(delete(studio).where(studio.c.id == studio_id, ~left.exists()))


# --- devices ---------------------------------------------------------------------------------------


def add_device(tx: Connection, user_id: int, name: str, secret_mac: str, now: datetime) -> int:
    values = {"user_id": user_id, "name": name, "secret_mac": secret_mac, "created": now}
    return int(tx.execute(insert(device).returning(device.c.id), values).scalar_one())


def devices(tx: Connection, user_id: int) -> list[DeviceRow]:
    """Those not revoked, oldest first."""
    mine = _DEVICE.where(device.c.user_id == user_id, device.c.revoked.is_(None))
    return [DeviceRow(*row) for row in tx.execute(mine.order_by(device.c.id))]


def device_by_mac(tx: Connection, email: str, secret_mac: str) -> DeviceRow | None:
    """The user's device whose password has this MAC, unless revoked."""
    return _BY_MAC.first(tx, {"email": canonical(email), "mac": secret_mac})


def revoke_device(tx: Connection, user_id: int, device_id: int, now: datetime) -> None:
    """Raises NotFound, also for another user's."""
    mine = update(device).where(
        device.c.id == device_id, device.c.user_id == user_id, device.c.revoked.is_(None)
    )
    if tx.execute(mine.values(revoked=now)).rowcount == 0:
        raise NotFound("There is no such device. See `picsello-bridge device list`.")


def touch_device(tx: Connection, device_id: int, now: datetime) -> None:
    """It was used; callers do this at most once a day."""
    tx.execute(update(device).where(device.c.id == device_id).values(last_used=now))
