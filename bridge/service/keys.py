"""The master key: another one in its place, or a new beginning where it is lost for good."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from bridge.errors import Refused, StoreError
from bridge.service import Bridge, feeds
from bridge.store import feeds as feed_rows
from bridge.store import installation, locked, people
from bridge.vault import Vault

#: Processes that sealed something while the key changed may have used the old one: looked at again.
ROUNDS = 5
LOST = "Its password was locked with a key file that is lost."


def rotate(bridge: Bridge) -> int:
    """A new key; everything that is sealed is sealed anew, then the old key is dropped. Everything works on
    meanwhile, and app passwords stay as they are. Returns how many secrets there are.

    Raises StoreError, with the old key kept, if something opens with neither.
    """
    vault = bridge.vault.rotate()
    for _ in range(ROUNDS):
        with bridge.db.writing() as tx:
            found, renewed = locked.seal_anew(tx, vault.is_sealed_anew, vault.reseal)
        if not renewed:
            break
    vault.drop_old_keys()
    return found


@dataclass(frozen=True, slots=True)
class NewBeginning:
    """What a lost key costs: accounts that must sign in again, devices that need another password, feeds that
    have another address."""

    accounts: int
    devices: int
    feeds: int


def begin_anew(bridge: Bridge) -> NewBeginning:
    """Go on with a new key file where the old one is lost. Raises Refused if it is not."""
    path = bridge.settings.key_file
    with bridge.db.reading() as tx:
        row = installation.get(tx)
    if path.exists():
        if _fits(bridge, row.key_id if row else None):
            raise Refused(
                "The key file is there and fits: nothing is lost. To change it: picsello-bridge rotate-key"
            )
        path.rename(path.with_name(f"{path.name}.other-{datetime.now(UTC):%Y%m%d-%H%M%S}"))
    vault = Vault.open(path)
    with bridge.db.writing() as tx:
        installation.set_key(tx, vault.id)
    return give_up(bridge)


def give_up(bridge: Bridge) -> NewBeginning:
    """Do without everything that another key file locked."""
    with bridge.db.writing() as tx:
        accounts, devices = locked.give_up(tx, LOST, bridge.clock.now())
        known = [(user, feed) for user in people.users(tx) for feed in feed_rows.of_user(tx, user.id)]
        for user in people.users(tx):
            people.set_user(tx, user.id, session_version=user.session_version + 1)
    for user, feed in known:
        feeds.rotate(bridge, user.email, feed.id)
    return NewBeginning(accounts, devices, len(known))


def _fits(bridge: Bridge, key_id: str | None) -> bool:
    try:
        return Vault.open(bridge.settings.key_file).id == key_id
    except StoreError:
        return False
