"""Signing in by device password: what counts, what is refused, and how guessing is slowed down."""

from __future__ import annotations

import base64
from datetime import timedelta
from multiprocessing import get_context

import pytest

from bridge.service import people
from radicale_plugin import gate
from radicale_plugin.front import make_dav_app
from tests.plugin.conftest import Client, Studio

ANNA = "anna@studio.example"
HOME = f"/{ANNA}/"


def with_header(studio: Studio, value: str) -> int:
    return Client(studio.app)("PROPFIND", HOME, Authorization=value).status


def basic(text: str | bytes) -> str:
    return "Basic " + base64.b64encode(text.encode() if isinstance(text, str) else text).decode()


def test_the_address_is_written_in_any_case(studio: Studio) -> None:
    client = Client(studio.app, "Anna@Studio.Example", studio.anna.password)
    assert client.props(HOME, "D:displayname").status == 207


def test_the_password_of_the_pages_is_not_one_of_a_device(studio: Studio) -> None:
    people.set_user(studio.bridge, ANNA, password="correct horse battery staple")
    assert Client(studio.app, ANNA, "correct horse battery staple").props(HOME, "D:displayname").status == 401


def test_a_device_opens_its_own_users_calendars_only(studio: Studio) -> None:
    assert Client(studio.app, ANNA, studio.berta.password).props(HOME, "D:displayname").status == 401


@pytest.mark.parametrize(
    "header",
    [
        "Basic",
        "Basic !!!not base64!!!",
        "Basic " + "A" * 5,
        basic("no colon"),
        basic(":only a password"),
        basic(f"{ANNA}:line\nbreak"),
        basic(b"\xff\xfe:\xff"),
        basic(f"{ANNA}:" + "x" * 100_000),
        basic("a" * 100_000 + ":x"),
        "Bearer abc",
        'Digest username="anna"',
        "Negotiate YII",
        basic("anna@studio.example/../berta@elsewhere.example:x"),
        basic("*:*"),
        basic("' OR 1=1 --:x"),
    ],
)
def test_what_is_no_credential_is_asked_again_and_never_an_error(studio: Studio, header: str) -> None:
    assert with_header(studio, header) == 401


def test_the_scheme_is_written_in_any_case(studio: Studio) -> None:
    assert with_header(studio, basic(f"{ANNA}:{studio.anna.password}").replace("Basic", "bASIC")) == 207


def test_the_bodys_charset_does_not_change_the_password(studio: Studio) -> None:
    for charset in ("utf-16", "klingon", "hex"):
        answer = studio.anna("PROPFIND", HOME, "", Content_Type=f"application/xml; charset={charset}")
        assert answer.status == 207


def test_a_revoked_device_is_out_at_once(studio: Studio) -> None:
    client = fresh(studio)
    assert client.props(HOME, "D:displayname").status == 207
    people.revoke_device(studio.bridge, ANNA, "Tablet")
    assert client.props(HOME, "D:displayname").status == 401
    assert studio.anna.props(HOME, "D:displayname").status == 207  # the other device is untouched


def fresh(studio: Studio) -> Client:
    """Another device, in an application of its own."""
    device = people.add_device(studio.bridge, ANNA, "Tablet")
    return Client(make_dav_app(studio.bridge), device.username, device.password)


def test_guessing_is_slowed_down_for_the_guesser(studio: Studio) -> None:
    guesser = Client(studio.app, ANNA, address="198.51.100.9")
    seen = []
    for number in range(gate.PER_USER + 5):
        guesser.password = f"guess-{number}"
        answer = guesser.props(HOME, "D:displayname")
        seen.append(answer.status)

    assert seen == [401] * gate.PER_USER + [429] * 5
    assert 1 <= int(answer.headers["Retry-After"]) <= 60


def test_a_device_that_worked_before_is_not_locked_out_by_guessers(studio: Studio) -> None:
    assert studio.anna.props(HOME, "D:displayname").status == 207
    for number in range(gate.PER_USER + 1):
        Client(studio.app, ANNA, f"guess-{number}", address=studio.anna.address).props(HOME, "D:displayname")

    assert studio.anna.props(HOME, "D:displayname").status == 207
    assert studio.berta.props("/berta@elsewhere.example/", "D:displayname").status == 207


def test_an_address_that_tries_many_users_is_slowed_down_too(studio: Studio) -> None:
    for number in range(gate.PER_ADDRESS):
        Client(studio.app, f"user{number}@studio.example", "x", address="198.51.100.9").props(
            "/", "D:displayname"
        )

    late = Client(studio.app, "fresh@studio.example", "x", address="198.51.100.9")
    assert late.props("/", "D:displayname").status == 429
    late.address = "198.51.100.10"
    assert late.props("/", "D:displayname").status == 401


def test_failures_are_forgotten_after_a_minute(studio: Studio) -> None:
    door = gate.Gate(studio.bridge, per_address=2, per_user=2)
    door.failed("a", "u")
    door.failed("a", "u")
    assert door.wait("a", "u", "x") > 0
    assert door.wait("b", "v", "x") == 0
    studio.clock.moment += timedelta(seconds=61)
    assert door.wait("a", "u", "x") == 0


def test_failures_are_counted_for_every_process_at_once(studio: Studio) -> None:
    """Each application counts as another process would: they share nothing but the store."""
    fleet = [make_dav_app(studio.bridge) for _ in range(4)]
    seen = [
        Client(fleet[number % 4], ANNA, f"guess-{number}", address="198.51.100.9").props("/", "D:x").status
        for number in range(gate.PER_USER + 8)
    ]
    assert seen == [401] * gate.PER_USER + [429] * 8
    assert studio.anna.props(HOME, "D:displayname").status == 207, "a right password, from elsewhere"


def test_a_device_that_worked_before_is_let_in_by_its_own_process(studio: Studio) -> None:
    assert studio.anna.props(HOME, "D:displayname").status == 207
    other = make_dav_app(studio.bridge)
    for number in range(gate.PER_USER + 1):
        Client(other, ANNA, f"guess-{number}", address="198.51.100.9").props("/", "D:x")
    assert studio.anna.props(HOME, "D:displayname").status == 207


def test_a_device_that_worked_before_is_let_in_by_every_process_of_its_server(studio: Studio) -> None:
    door = gate.Gate(studio.bridge, per_address=1, per_user=1)
    other = get_context("fork").Process(target=door.succeeded, args=(ANNA, "right"))
    other.start()
    other.join()
    door.failed("an office", ANNA)
    assert door.wait("an office", ANNA, "right") == 0
    assert door.wait("an office", ANNA, "wrong") > 0


def test_a_device_that_worked_long_ago_is_a_stranger_again(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1_000_000.0]
    monkeypatch.setattr("time.time", lambda: now[0])
    door = gate.Gate(studio.bridge, per_address=1, per_user=1)
    door.succeeded(ANNA, "right")
    door.failed("an office", ANNA)
    now[0] += gate.KNOWN
    assert door.wait("an office", ANNA, "right") == 0
    now[0] += gate.KNOWN
    assert door.wait("an office", ANNA, "right") > 0
