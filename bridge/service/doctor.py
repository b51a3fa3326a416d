"""Is everything well? Looks at the installation from outside in, and says what to do about what is wrong.

What can be put right without losing anything carries its own cure. What is kept, and how we are reached,
are looked at in ``checkup`` and ``reach``.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bridge.config import Settings
from bridge.errors import BridgeError
from bridge.service import Bridge, checkup, reach
from bridge.store import accounts, links, people
from bridge.store.accounts import AccountRow
from bridge.store.links import LinkRow

#: No installation was made before this program existed: a clock that says so is wrong.
EARLIEST = datetime(2026, 1, 1, tzinfo=UTC)
#: A due link that waits longer than this has no worker.
LONG_AGO = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at, and a sentence about it. ``cure`` puts it right and says what was done."""

    what: str
    ok: bool
    says: str
    cure: Callable[[], str] | None = None


def examine(settings: Settings, opened: Callable[[], Bridge]) -> list[Finding]:
    """All findings. ``opened`` opens the bridge; what depends on it is left out if that fails."""
    findings = [_folder(settings.data), _key(settings.key_file)]
    try:
        bridge = opened()
        key = bridge.vault.path
    except BridgeError as error:
        return [*findings, Finding("database", False, str(error))]
    findings.append(Finding("database", True, f"reachable, of this version, and opens with {key.name}"))
    findings.append(_clock(bridge.clock.now()))
    findings += [Finding(*found) for found in checkup.look(bridge)]
    findings += [Finding(*found) for found in reach.look(bridge)]
    return [*findings, *_people(bridge), *_accounts(bridge)]


def cured(findings: list[Finding]) -> list[str]:
    """Put right what carries its cure; what was done, in sentences."""
    return [finding.cure() for finding in findings if not finding.ok and finding.cure is not None]


def _shut(path: Path, mode: int) -> Callable[[], str]:
    def cure() -> str:
        path.chmod(mode)
        return f"{path} is its owner's alone now."

    return cure


def _folder(data: Path) -> Finding:
    what = "data folder"
    if not data.is_dir():
        return Finding(what, True, f"{data} does not exist yet; it is made at the first use")
    if not os.access(data, os.R_OK | os.W_OK | os.X_OK):
        return Finding(what, False, f"{data} is not writable for this user. Run as its owner, or: chown it.")
    if _others_may(data):
        return Finding(
            what,
            False,
            f"Others on this machine can look into {data}. Run: chmod 700 {data}",
            _shut(data, 0o700),
        )
    return Finding(what, True, str(data))


def _key(key_file: Path) -> Finding:
    what = "master key"
    if not key_file.exists():
        return Finding(what, True, "none yet; it is made at the first use")
    if _others_may(key_file):
        return Finding(
            what,
            False,
            f"Others on this machine can read {key_file}. Run: chmod 600 {key_file}",
            _shut(key_file, 0o600),
        )
    if not os.access(key_file, os.R_OK):
        return Finding(what, False, f"{key_file} is not readable for this user. Run as its owner.")
    return Finding(what, True, str(key_file))


def _others_may(path: Path) -> bool:
    return bool(stat.S_IMODE(path.stat().st_mode) & (stat.S_IRWXG | stat.S_IRWXO))


def _clock(now: datetime) -> Finding:
    if now < EARLIEST:
        return Finding("clock", False, f"This machine says it is {now:%Y-%m-%d}. Set its clock (NTP does).")
    return Finding("clock", True, f"{now:%Y-%m-%d %H:%M} UTC")


def _people(bridge: Bridge) -> Iterator[Finding]:
    with bridge.db.reading() as tx:
        users = people.users(tx)
    count = f"{len(users)} user{'s' if len(users) != 1 else ''}"
    yield Finding("people", True, count if users else "no users yet: picsello-bridge user add EMAIL")


def _accounts(bridge: Bridge) -> Iterator[Finding]:
    now = bridge.clock.now()
    with bridge.db.reading() as tx:
        for account in accounts.everybody(tx):
            yield _account(account)
            for link in links.of_account(tx, account.id):
                if finding := _link(link, account, now):
                    yield finding


def _account(account: AccountRow) -> Finding:
    what = f"account {account.id} ({account.label}, {account.username})"
    match account.state:
        case "healthy":
            return Finding(what, True, "signed in")
        case "needs-sign-in":
            todo = f"Sign in again: picsello-bridge account sign-in {account.id}"
        case _:
            todo = f"Try now: picsello-bridge sync --account {account.id}"
    return Finding(what, False, f"{account.state_reason or account.state} {todo}")


def _link(link: LinkRow, account: AccountRow, now: datetime) -> Finding | None:
    what = f"calendar “{link.name}” of account {account.id}"
    if link.held:
        return Finding(what, False, f"{link.held[0]} Look and confirm: picsello-bridge sync --confirm")
    if link.state == "gone":
        todo = f"Choose others: picsello-bridge account calendars {account.id}"
        return Finding(what, False, f"{link.state_reason or 'It is no longer there.'} {todo}")
    waits = account.state != "healthy" or (account.next_try is not None and account.next_try > now)
    if link.due_at is not None and link.due_at < now - LONG_AGO and not waits:
        return Finding(what, False, "It waits for a worker. Start one: picsello-bridge serve (or worker)")
    return None
