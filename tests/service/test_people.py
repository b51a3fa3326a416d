"""Signing in: people by password, calendar apps by app password."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge.config import Settings
from bridge.errors import Invalid
from bridge.service import people
from bridge.wiring import Bridge

ANNA = "anna@studio.example"


@pytest.fixture
def bridge(tmp_path: Path) -> Iterator[Bridge]:
    opened = Bridge.open(Settings(data=tmp_path / "data"))
    people.add_user(opened, ANNA, time_zone="Europe/Berlin", password="correct horse")
    yield opened
    opened.db.close()


def _verified(bridge: Bridge, email: str, password: str) -> people.Verified | None:
    with bridge.db.reading() as tx:
        return people.verify_device(tx, bridge.vault, email, password)


def test_the_right_password_opens_the_pages(bridge: Bridge) -> None:
    user = people.check_password(bridge, " Anna@Studio.Example", "correct horse")
    assert user is not None
    assert user.email == ANNA


@pytest.mark.parametrize(
    ("email", "password"),
    [(ANNA, "Correct horse"), (ANNA, ""), ("berta@studio.example", "correct horse"), (ANNA, "x" * 100_000)],
)
def test_anything_else_does_not(bridge: Bridge, email: str, password: str) -> None:
    assert people.check_password(bridge, email, password) is None


def test_somebody_without_a_password_cannot_sign_in_with_none(bridge: Bridge) -> None:
    people.add_user(bridge, "berta@studio.example")
    assert people.check_password(bridge, "berta@studio.example", "") is None


def test_a_new_password_ends_the_old_one_and_every_session(bridge: Bridge) -> None:
    before = people.check_password(bridge, ANNA, "correct horse")
    after = people.set_user(bridge, ANNA, password="battery staple")
    assert before is not None
    assert after.session_version == before.session_version + 1
    assert people.check_password(bridge, ANNA, "correct horse") is None
    assert people.check_password(bridge, ANNA, "battery staple") == after


def test_an_empty_password_is_refused_and_nothing_changes(bridge: Bridge) -> None:
    with pytest.raises(Invalid, match="1 to"):
        people.set_user(bridge, ANNA, password="")
    assert people.check_password(bridge, ANNA, "correct horse") is not None


def test_a_device_signs_in_however_its_password_was_typed(bridge: Bridge) -> None:
    made = people.add_device(bridge, ANNA, "phone")
    for typed in (
        made.password,
        made.password.upper(),
        made.password.replace("-", ""),
        made.password.replace("-", " "),
    ):
        verified = _verified(bridge, ANNA.upper(), typed)
        assert verified is not None
        assert (verified.email, verified.device_id) == (ANNA, made.device_id)


def test_a_device_opens_its_own_users_calendars_alone(bridge: Bridge) -> None:
    people.add_user(bridge, "berta@studio.example")
    made = people.add_device(bridge, ANNA, "phone")
    assert _verified(bridge, "berta@studio.example", made.password) is None
    assert _verified(bridge, "nobody@studio.example", made.password) is None
    assert _verified(bridge, ANNA, "correct horse") is None


def test_revoking_one_device_leaves_the_others(bridge: Bridge) -> None:
    phone, tablet = (people.add_device(bridge, ANNA, name) for name in ("phone", "tablet"))
    people.revoke_device(bridge, ANNA, phone.device_id)
    assert _verified(bridge, ANNA, phone.password) is None
    assert _verified(bridge, ANNA, tablet.password) is not None
    assert [device.name for device in people.list_devices(bridge, ANNA)] == ["tablet"]


@pytest.mark.parametrize("name", ["", "   ", "x" * 81])
def test_a_device_needs_a_name_of_sensible_length(bridge: Bridge, name: str) -> None:
    with pytest.raises(Invalid, match="name"):
        people.add_device(bridge, ANNA, name)
