"""What is kept of a sign-in on a provider's page, and what a slow renewal may not overwrite."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bridge.config import Settings
from bridge.errors import Refused
from bridge.service import oauth, people
from bridge.store import accounts, oauth_requests
from bridge.store.people import UserRow
from bridge.wiring import Bridge
from tests.servers.kept import kept

NOON = datetime(2026, 11, 22, 11, 0, tzinfo=UTC)


class Clock:
    def __init__(self) -> None:
        self.moment = NOON

    def now(self) -> datetime:
        return self.moment


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def bridge(tmp_path: Path, clock: Clock) -> Iterator[Bridge]:
    opened = Bridge.open(Settings(data=tmp_path), clock)
    yield opened
    opened.db.close()


@pytest.fixture
def anna(bridge: Bridge) -> UserRow:
    return people.add_user(bridge, "anna@studio.example", time_zone="Europe/Berlin")


def _begun(bridge: Bridge, user: UserRow, state: str = "state") -> int:
    """A sign-in under way, as ``begin`` leaves it."""
    mac = bridge.vault.mac(state)
    with bridge.db.writing() as tx:
        return oauth_requests.add(
            tx,
            state_mac=mac,
            user_id=user.id,
            provider="google",
            account_id=None,
            verifier=bridge.vault.seal("the-verifier", oauth_requests.bind(mac)),
            redirect_uri="http://127.0.0.1/oauth/google/callback",
            by_browser=False,
            now=bridge.clock.now(),
        )


def test_a_renewed_secret_never_overwrites_a_new_sign_in(bridge: Bridge, anna: UserRow):
    with bridge.db.writing() as tx:
        account = accounts.create(tx, anna.id, "google", label="Google", now=NOON)
        accounts.set_(tx, account, secret=b"first")
        assert accounts.replace_secret(tx, account, b"first", b"renewed")
        accounts.set_(tx, account, secret=b"signed in again")
        assert not accounts.replace_secret(tx, account, b"renewed", b"late")
        assert accounts.get(tx, account).secret == b"signed in again"


def test_neither_state_nor_verifier_can_be_read_in_the_database(bridge: Bridge, anna: UserRow):
    _begun(bridge, anna, "the-state")
    stored = kept(bridge.db)
    assert anna.email.encode() in stored
    assert b"the-state" not in stored
    assert b"the-verifier" not in stored


def test_a_sign_in_is_taken_once(bridge: Bridge, anna: UserRow):
    request = _begun(bridge, anna)
    with bridge.db.writing() as tx:
        assert oauth_requests.take(tx, request, NOON)
        assert not oauth_requests.take(tx, request, NOON)
        assert oauth_requests.find(tx, bridge.vault.mac("state"), NOON) is None


def test_who_waits_is_told_that_nobody_came_back(bridge: Bridge, anna: UserRow, clock: Clock):
    request = _begun(bridge, anna)
    assert oauth.outcome(bridge, request) is None
    clock.moment += timedelta(minutes=16)
    with pytest.raises(Refused, match="Nobody came back"):
        oauth.outcome(bridge, request)


def test_old_sign_ins_are_forgotten_and_who_still_waits_is_told(bridge: Bridge, anna: UserRow, clock: Clock):
    old = _begun(bridge, anna, "old")
    clock.moment += timedelta(hours=1)
    new = _begun(bridge, anna, "new")
    with bridge.db.reading() as tx:
        assert oauth_requests.get(tx, old) is None
        assert oauth_requests.get(tx, new) is not None
    with pytest.raises(Refused, match="Begin again"):
        oauth.outcome(bridge, old)


@pytest.mark.parametrize("kind", ["google"])
def test_without_a_client_id_the_administrator_is_named_what_is_missing(tmp_path: Path, kind: str):
    with pytest.raises(Refused, match=f"PICSELLO_BRIDGE_{kind.upper()}_CLIENT_ID"):
        oauth.app_of(Settings(data=tmp_path), kind)
    assert oauth.app_of(Settings(data=tmp_path), "icloud") is None
