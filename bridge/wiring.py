"""The composition root: from settings to everything a process needs, wired.

The only file that knows every concrete class. A process opens one ``Bridge`` and passes it, or parts of it,
down; nothing below asks the system for the time, a setting or a key. What a short call does not need (keys,
providers, the engine) is loaded when first asked for.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from bridge.clock import SystemClock
from bridge.config import Settings
from bridge.errors import Refused, SignInNeeded
from bridge.ports import Clock, Provider
from bridge.store import accounts, installation, locked
from bridge.store.db import Database
from bridge.store.installation import InstallationRow

if TYPE_CHECKING:
    from bridge.providers.pace import Turns
    from bridge.sync.engine import Engine
    from bridge.vault import Vault

log = logging.getLogger("picsello_bridge")

#: Where ``serve`` listens unless told otherwise, and so where links point before it ever ran.
DEFAULT_URL = "http://127.0.0.1:5232"


@dataclass
class Bridge:
    """One process's view of the installation."""

    settings: Settings
    db: Database
    clock: Clock
    installation: str  # the uid in every marker we write at a provider
    due: threading.Event = field(default_factory=threading.Event)  # wakes this process's worker, if any
    _turns: dict[int, Turns] = field(default_factory=dict)  # by account

    @classmethod
    def open(cls, settings: Settings, clock: Clock | None = None, *, repairing: bool = False) -> Bridge:
        """Make the data folder and the key if need be, bring the database up to date. ``repairing``:
        also where the key file is lost, or everything was moved away. Raises BridgeError kinds."""
        clock = clock or SystemClock()
        _make_folder(settings)
        db = Database(settings.database_url)
        db.migrate()
        with db.reading() as tx:
            row = installation.get(tx)
        if row is None or row.key_id is None:
            row = _begun(settings, db, clock)
        elif not repairing:
            _check(settings, db, clock, row)
        return cls(settings, db, clock, row.uid)

    @cached_property
    def vault(self) -> Vault:
        """The keys. Raises StoreError if the key file is not the one that belongs to the installation."""
        from bridge.vault import Vault

        with self.db.reading() as tx:
            row = installation.get(tx)
        return Vault.open(self.settings.key_file, row.key_id if row else None)

    def connect(self, account_id: int) -> Provider:
        """A signed-in provider or source for the account. Raises SignInNeeded if no password is kept for it,
        Refused if the administrator has not set up its kind."""
        from bridge import providers, sources
        from bridge.service.oauth import app_of

        with self.db.reading() as tx:
            account = accounts.get(tx, account_id)
        if account.secret is None:
            raise SignInNeeded(f"{account.label} has no password any more: sign in again.")
        place = accounts.bind(account_id)
        kept = account.secret
        if account.provider in sources.KINDS:
            return sources.connect(
                account.provider,
                account.url,
                self.vault.unseal(kept, place),
                profile=account.profile,
                allow_hosts=self.settings.allow_hosts,
                clock=self.clock,
            )

        def keep(secret: str) -> None:
            """What the provider gave instead of the old secret, unless somebody signed in again meanwhile."""
            nonlocal kept
            sealed = self.vault.seal(secret, place)
            with self.db.writing() as tx:
                if accounts.replace_secret(tx, account_id, kept, sealed):
                    kept = sealed

        def learnt(profile: Mapping[str, Any]) -> None:
            """What was found out about the server."""
            with self.db.writing() as tx:
                accounts.set_(tx, account_id, profile=dict(profile))

        return providers.connect(
            account,
            self.vault.unseal(kept, place),
            allow_hosts=self.settings.allow_hosts,
            profile=account.profile,
            app=app_of(self.settings, account.provider),
            keep=keep,
            learnt=learnt,
            mail=account.mail,
            turns=self._turns_of(account_id),
        )

    def _turns_of(self, account_id: int) -> Turns:
        """When the account's requests may be made: a bucket that all processes take from."""
        from bridge.providers.pace import Turns

        def take(cost: float, depth: float) -> float:
            with self.db.writing() as tx:
                return accounts.take_turns(tx, account_id, cost, depth, self.clock.now())

        return self._turns.setdefault(account_id, Turns(take))

    def engine(self) -> Engine:
        """What runs passes."""
        from bridge.sync.engine import Engine

        return Engine(self.db, self.clock, self.connect, self.installation)

    def enqueue(self, link_id: int) -> None:
        """Say that the link became due: the worker of this process looks at once. Workers elsewhere look
        every second by themselves, so nothing is lost where this is never called."""
        log.debug("link %s is due", link_id)
        self.due.set()

    @property
    def public_url(self) -> str:
        """The origin in every link we print or hand out, without a final slash."""
        if self.settings.public_url:
            return self.settings.public_url
        with self.db.reading() as tx:
            row = installation.get(tx)
        return (row and row.public_url) or DEFAULT_URL


def _begun(settings: Settings, db: Database, clock: Clock) -> InstallationRow:
    """At the first start: the installation's own row, and the key file that belongs to it from now on."""
    from bridge.vault import Vault

    vault = Vault.open(settings.key_file)
    with db.writing() as tx:
        row = installation.ensure(tx, clock.now())
        installation.set_key(tx, vault.id)
    return row


def _check(settings: Settings, db: Database, clock: Clock, row: InstallationRow) -> None:
    """What would go wrong later is refused at the start."""
    if row.moved_to:
        raise Refused(
            f"Everything here was moved to {row.moved_to}. "
            "Set PICSELLO_BRIDGE_DATABASE_URL to that address, for every process."
        )
    if settings.key_file.exists():
        return
    from bridge.vault import Vault

    with db.reading() as tx:
        needed = locked.any_use(tx)
    if needed:
        Vault.open(settings.key_file, row.key_id)  # says what to do
    _begun(settings, db, clock)


def _make_folder(settings: Settings) -> None:
    try:
        settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise Refused(
            f"The data folder {settings.data} cannot be made: {error.strerror}. Choose another with --data."
        ) from error
