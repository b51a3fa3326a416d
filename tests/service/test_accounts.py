"""Connecting a provider, choosing roles, disconnecting: against a stock Radicale."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bridge.errors import AlreadyThere, Invalid, NotAllowed, NotFound, SignInNeeded, Unreachable
from bridge.service import accounts, disconnecting, passes, status
from bridge.store import accounts as account_rows
from bridge.wiring import Bridge
from tests.service.conftest import ANNA, TODAY, Annas, event

BERTA = "berta@studio.example"


def _listed(bridge: Bridge) -> list[int]:
    return [row["account"] for row in status.list_accounts(bridge)]


# --- signing in --------------------------------------------------------------------------------------


def test_an_account_is_saved_after_it_could_be_listed(annas: Annas) -> None:
    account_id = annas.connect()
    assert annas.roles(account_id) == {"Work": "", "Private": "", "Team": ""}
    assert _listed(annas.bridge) == [account_id]


def test_its_password_is_kept_sealed_and_bound_to_the_account(annas: Annas) -> None:
    row = accounts.find(annas.bridge, annas.connect())
    assert row.secret is not None
    assert annas.server.password.encode() not in row.secret
    assert annas.bridge.vault.unseal(row.secret, account_rows.bind(row.id)) == annas.server.password
    with pytest.raises(Exception, match=r".") as refused:
        annas.bridge.vault.unseal(row.secret, account_rows.bind(row.id + 1))
    assert annas.server.password not in str(refused.value)


def test_a_wrong_password_saves_nothing(annas: Annas) -> None:
    with pytest.raises(SignInNeeded):
        accounts.add(
            annas.bridge, ANNA, "caldav", url=annas.server.url, username="anna", secret="not this one"
        )
    assert _listed(annas.bridge) == []


def test_a_server_that_is_not_there_saves_nothing(annas: Annas) -> None:
    settings = replace(annas.bridge.settings, allow_hosts=frozenset({"127.0.0.1:9"}))
    bridge = replace(annas.bridge, settings=settings)
    with pytest.raises(Unreachable):
        accounts.add(bridge, ANNA, "caldav", url="http://127.0.0.1:9/", username="anna", secret="geheim")
    assert _listed(annas.bridge) == []


@pytest.mark.parametrize(("kind", "url"), [("moonphase", "https://calendar.example"), ("caldav", None)])
def test_an_unknown_provider_or_a_missing_address_is_refused(
    annas: Annas, kind: str, url: str | None
) -> None:
    with pytest.raises(Invalid):
        accounts.add(annas.bridge, ANNA, kind, url=url, username="anna", secret="geheim")


def test_the_same_account_is_not_connected_twice(annas: Annas) -> None:
    first = annas.connect()
    with pytest.raises(AlreadyThere, match=f"account {first}"):
        annas.connect()
    assert _listed(annas.bridge) == [first]


def test_two_people_may_connect_the_same_provider_account(annas: Annas) -> None:
    assert annas.connect(ANNA) != annas.connect(BERTA)


def test_signing_in_again_ends_what_waited_for_it(annas: Annas) -> None:
    account_id = annas.connect()
    accounts.select(annas.bridge, account_id, read=[annas.private.path], yes=True)
    now = annas.bridge.clock.now()
    with annas.bridge.db.writing() as tx:
        account_rows.set_state(
            tx, account_id, "needs-sign-in", "The password has expired.", now=now, failures=3
        )
    with pytest.raises(SignInNeeded):
        accounts.sign_in(annas.bridge, account_id, "wrong again")
    assert accounts.find(annas.bridge, account_id).state == "needs-sign-in"
    renewed = accounts.sign_in(annas.bridge, account_id, annas.server.password)
    assert (renewed.state, renewed.state_reason, renewed.failures) == ("healthy", None, 0)


# --- roles -------------------------------------------------------------------------------------------


def test_a_read_calendar_gets_a_mirror_called_after_it(annas: Annas) -> None:
    account_id = annas.connect()
    accounts.select(annas.bridge, account_id, read=[annas.private.path], yes=True)
    (mirror,) = annas.mirrors().values()
    assert (mirror.name, mirror.title, mirror.editable) == ("private", "Private", False)
    assert annas.roles(account_id) == {"Work": "", "Private": "r", "Team": ""}


def test_a_second_calendar_of_the_same_name_gets_a_mirror_of_its_own(annas: Annas) -> None:
    other = annas.server.make_calendar("other", title="Private")
    accounts.select(annas.bridge, annas.connect(), read=[annas.private.path, other.path], yes=True)
    assert set(annas.mirrors()) == {"private", "private-2"}


def test_editing_implies_reading_and_opens_the_mirror(annas: Annas) -> None:
    account_id = annas.connect()
    accounts.select(annas.bridge, account_id, edit=[annas.private.path], yes=True)
    assert annas.roles(account_id)["Private"] == "re"
    assert annas.mirrors()["private"].editable
    accounts.select(annas.bridge, account_id, read=[annas.private.path], yes=True)
    assert not annas.mirrors()["private"].editable


def test_what_is_not_named_again_loses_its_role_and_its_mirror(annas: Annas) -> None:
    account_id = annas.connect()
    accounts.select(annas.bridge, account_id, read=[annas.private.path, annas.work.path], yes=True)
    accounts.select(annas.bridge, account_id, read=[annas.work.path], yes=True)
    assert annas.roles(account_id) == {"Work": "r", "Private": "", "Team": ""}
    assert set(annas.mirrors()) == {"work"}


def test_an_unknown_calendar_changes_nothing(annas: Annas) -> None:
    account_id = annas.connect()
    accounts.select(annas.bridge, account_id, read=[annas.private.path], yes=True)
    with pytest.raises(NotFound, match="/anna/nowhere/"):
        accounts.select(annas.bridge, account_id, read=["/anna/nowhere/"], yes=True)
    assert annas.roles(account_id)["Private"] == "r"


@pytest.mark.parametrize("role", ["edit", "write"])
def test_a_read_only_calendar_can_be_read_and_nothing_else(annas: Annas, role: str) -> None:
    account_id = annas.connect()
    wanted = {"edit": [annas.team.path]} if role == "edit" else {"write": annas.team.path}
    with pytest.raises(NotAllowed, match="“Team” is read-only"):
        accounts.select(annas.bridge, account_id, **wanted, yes=True)  # type: ignore[arg-type]
    accounts.select(annas.bridge, account_id, read=[annas.team.path], yes=True)
    assert annas.roles(account_id)["Team"] == "r"


def test_somebody_elses_account_does_not_exist(annas: Annas) -> None:
    account_id = annas.connect(BERTA)
    annas_id = 1
    with pytest.raises(NotFound):
        accounts.select(annas.bridge, account_id, read=[annas.private.path], yes=True, user_id=annas_id)
    assert annas.roles(account_id)["Private"] == ""


def test_without_a_yes_the_plan_is_shown_and_nothing_is_written(annas: Annas) -> None:
    annas.book("a@studio", 3, "Portrait: Maya")
    annas.private.put("p.ics", event("p@home", "Dentist", TODAY))
    selected = accounts.select(
        annas.bridge, annas.connect(), read=[annas.private.path], write=annas.work.path
    )
    assert any("Portrait: Maya" in line for line in selected.plan)
    assert any("Dentist" in line for line in selected.plan)
    assert annas.work.texts() == {}
    assert annas.mirrored("private") == set()


def test_nothing_is_written_before_it_is_confirmed(annas: Annas) -> None:
    annas.book("a@studio", 3)
    account_id = annas.connect()
    accounts.select(annas.bridge, account_id, write=annas.work.path)
    (report,) = annas.bridge.engine().run_account(account_id)
    assert report.held
    assert annas.work.texts() == {}
    (report,) = annas.bridge.engine().run_account(account_id, confirm=True)
    assert (report.held, report.errors, report.pushed) == ([], [], 1)
    assert annas.work.by_uid("a@studio") is not None


def test_another_calendar_takes_the_bookings_over(annas: Annas) -> None:
    annas.book("a@studio", 3)
    account_id = annas.connect()
    accounts.select(annas.bridge, account_id, write=annas.work.path, yes=True)
    annas.bridge.engine().run_account(account_id)
    assert annas.work.by_uid("a@studio") is not None
    accounts.select(annas.bridge, account_id, write=annas.private.path, yes=True)
    annas.bridge.engine().run_account(account_id)
    assert annas.roles(account_id) == {"Work": "", "Private": "w", "Team": ""}
    assert annas.private.by_uid("a@studio") is not None
    assert annas.work.texts() == {}


def test_what_somebody_else_put_there_is_not_taken_back(annas: Annas) -> None:
    annas.book("a@studio", 3)
    annas.work.put("mine.ics", event("mine@home", "Dentist", TODAY))
    account_id = annas.connect()
    accounts.select(annas.bridge, account_id, write=annas.work.path, yes=True)
    annas.bridge.engine().run_account(account_id)
    accounts.select(annas.bridge, account_id, yes=True)
    assert set(annas.work.texts()) == {"mine.ics"}


# --- disconnecting -----------------------------------------------------------------------------------


@pytest.fixture
def pushed(annas: Annas) -> int:
    """An account with a booking of last month and one of next month pushed, and one mirrored event."""
    annas.book("past@studio", -30)
    annas.book("coming@studio", 30)
    annas.private.put("p.ics", event("p@home", "Dentist", TODAY))
    annas.work.put("mine.ics", event("mine@home", "Lunch", TODAY))
    account_id = annas.connect()
    accounts.select(annas.bridge, account_id, read=[annas.private.path], write=annas.work.path, yes=True)
    annas.bridge.engine().run_account(account_id)
    assert len(annas.work.texts()) == 3
    return account_id


def test_the_effect_is_told_in_numbers_first(annas: Annas, pushed: int) -> None:
    effect = disconnecting.removal(annas.bridge, pushed)
    assert (effect.pushed, effect.future, effect.mirrored) == (2, 1, 1)


@pytest.mark.parametrize(
    ("choice", "left"),
    [
        ("keep", {"past@studio", "coming@studio", "mine@home"}),
        ("remove-future", {"past@studio", "mine@home"}),
        ("remove-all", {"mine@home"}),
    ],
)
def test_disconnecting_leaves_what_was_chosen(annas: Annas, pushed: int, choice: str, left: set[str]) -> None:
    removed = disconnecting.remove(annas.bridge, pushed, pushed=choice)
    assert (removed.deleted, removed.left) == (3 - len(left), [])
    uids = {"past@studio", "coming@studio", "mine@home"}
    assert {uid for uid in uids if annas.work.by_uid(uid)} == left
    assert annas.private.by_uid("p@home") is not None
    assert annas.mirrors() == {}
    assert _listed(annas.bridge) == []
    assert passes.choose(annas.bridge, ANNA, None).accounts == []


def test_a_booking_edited_over_there_goes_too(annas: Annas, pushed: int) -> None:
    name = annas.work.name_of("coming@studio")
    text = annas.work.get(name)
    assert text is not None
    annas.work.put(name, text.replace("SUMMARY:Shoot", "SUMMARY:Renamed there"), annas.work.etag(name))
    assert disconnecting.remove(annas.bridge, pushed, pushed="remove-all").left == []
    assert set(annas.work.texts()) == {"mine.ics"}


def test_a_calendar_that_is_gone_does_not_keep_anybody(annas: Annas, pushed: int) -> None:
    annas.work.drop()
    disconnecting.remove(annas.bridge, pushed, pushed="remove-all")
    assert _listed(annas.bridge) == []


def test_a_dead_sign_in_is_said_and_does_not_keep_anybody(annas: Annas, pushed: int) -> None:
    with annas.bridge.db.writing() as tx:
        account_rows.set_(tx, pushed, secret=annas.bridge.vault.seal("old", account_rows.bind(pushed)))
    removed = disconnecting.remove(annas.bridge, pushed, pushed="remove-all")
    (sentence,) = removed.left
    assert sentence.startswith("2 bookings are still in “Work”")
    assert removed.deleted == 0
    assert _listed(annas.bridge) == []
    assert len(annas.work.texts()) == 3
