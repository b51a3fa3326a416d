"""``booking``, ``source``, ``demo``, ``doctor``: the built-in source from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Answer, Call, wrong


def _add(call: Call, start: str, *more: str) -> Answer:
    words = ("booking", "add", "anna@studio.example", "--title", "Portrait: Maya; 2, “new”", "--start", start)
    return call(*words, "--duration", "60", "--json", *more)


def test_a_booking_is_added_listed_moved_and_cancelled(call: Call, anna: str) -> None:
    made = _add(call, "2027-05-08T14:30", "--place", "Old harbour", "--notes", "Bring the long lens.").json
    assert set(made) == {"uid", "href"}
    (row,) = call("booking", "list", anna, "--json").json
    assert row["uid"] == made["uid"]
    assert row["title"] == "Portrait: Maya; 2, “new”"
    assert row["start"] == "2027-05-08T14:30:00+02:00"
    assert call("booking", "move", anna, made["uid"], "--start", "2027-05-09T10:00").code == 0
    (row,) = call("booking", "list", anna, "--json").json
    assert (row["start"], row["end"]) == ("2027-05-09T10:00:00+02:00", "2027-05-09T11:00:00+02:00")
    assert call("booking", "cancel", anna, made["uid"]).code == 0
    (row,) = call("booking", "list", anna, "--json").json
    assert row["status"] == "cancelled"


def test_a_naive_time_is_in_the_users_zone_and_an_offset_is_kept(call: Call, anna: str) -> None:
    _add(call, "2027-05-08T14:30")
    _add(call, "2027-05-08T14:30-04:00")
    starts = [row["start"] for row in call("booking", "list", anna, "--json").json]
    assert starts == ["2027-05-08T14:30:00+02:00", "2027-05-08T20:30:00+02:00"]


@pytest.mark.parametrize(
    ("start", "said"),
    [
        ("2027-03-28T02:30", "does not exist"),  # clocks go forward in Berlin
        ("2027-13-01T10:00", "no date and time"),
        ("tomorrow", "no date and time"),
        ("2027-05-08", ""),
    ],
)
def test_a_start_that_cannot_be_is_refused_and_nothing_is_added(
    call: Call, anna: str, start: str, said: str
) -> None:
    assert said in _add(call, start).refusal
    assert call("booking", "list", anna, "--json").json == []


@pytest.mark.parametrize("minutes", ["0", "-5", "99999999"])
def test_a_duration_has_bounds(call: Call, anna: str, minutes: str) -> None:
    words = ("booking", "add", anna, "--title", "T", "--start", "2027-05-08T14:30")
    assert "minutes" in call(*words, f"--duration={minutes}").refusal


def test_an_unknown_booking_is_refused(call: Call, anna: str) -> None:
    move = call("booking", "move", anna, "nowhere@studio", "--start", "2027-05-09T10:00")
    cancel = call("booking", "cancel", anna, "nowhere@studio")
    assert "no booking nowhere@studio" in move.refusal
    assert "no booking nowhere@studio" in cancel.refusal


def test_the_journal_names_each_change(call: Call, anna: str) -> None:
    uid = _add(call, "2027-05-08T14:30").json["uid"]
    call("booking", "cancel", anna, uid)
    rows = call("journal", anna, "--json").json
    assert [(row["action"], row["side"], row["uid"]) for row in rows] == [
        ("update", "hub", uid),
        ("create", "hub", uid),
    ]
    assert rows[0]["before"] == rows[1]["after"]
    assert rows[1]["before"] is None


def test_the_built_in_source_is_there_from_the_start(call: Call, anna: str) -> None:
    assert call("source", "set", anna, "studio", "--json").json == {"email": anna, "source": "studio"}


def test_a_sync_without_links_has_the_sources_row_alone(call: Call, anna: str) -> None:
    answer = call("sync", "--json")
    assert answer.code == 0
    (row,) = answer.json["links"]
    assert (row["link"], row["account"], row["calendar"]) == (None, None, "studio")
    assert (row["held"], row["errors"], row["requests"]) == ([], [], 0)
    assert set(row) == {
        *("link", "account", "calendar", "pulled", "pushed", "merged", "conflicts"),
        *("deleted", "held", "errors", "requests"),
    }


@pytest.mark.parametrize(
    "words",
    [
        ("account", "calendars", "7"),
        ("account", "select", "7", "--read", "/x/"),
        ("account", "sign-in", "7", "--password-stdin"),
        ("account", "set", "7", "--mail", "on"),
        ("account", "remove", "7", "--pushed", "keep"),
        ("sync", "--account", "7"),
    ],
)
def test_an_unknown_account_is_refused(call: Call, anna: str, words: tuple[str, ...]) -> None:
    assert "no account 7" in call(*words, stdin="secret").refusal


def test_the_demo_is_filled_once_and_opens_with_the_same_keys(call: Call) -> None:
    first = call("demo", "--json").json
    rows = call("booking", "list", first["username"], "--json").json
    assert len(rows) == 12
    assert {row["status"] for row in rows} == {"confirmed", "tentative", "cancelled"}
    assert {row["kind"] for row in rows} == {"booking", "block"}
    assert call("demo", "--json").json == first
    assert call("booking", "list", first["username"], "--json").json == rows


def test_the_demo_gives_new_keys_when_the_old_ones_no_longer_open_it(call: Call) -> None:
    first = call("demo", "--json").json
    call("device", "revoke", first["username"], "demo 1")
    second = call("demo", "--json").json
    assert second["device_password"] != first["device_password"]
    assert call("demo", "--json").json == second


def test_the_doctor_finds_nothing_in_a_fresh_installation(call: Call) -> None:
    assert wrong(call) == {}


def test_the_doctor_says_what_to_do_about_open_doors(call: Call, anna: str, data: Path) -> None:
    call("device", "add", anna, "phone")
    (data / "master.key").chmod(0o644)
    data.chmod(0o755)
    found = wrong(call)
    assert set(found) == {"data folder", "master key"}
    assert f"chmod 700 {data}" in found["data folder"]
    assert f"chmod 600 {data / 'master.key'}" in found["master key"]


@pytest.mark.embedded
def test_the_doctor_reports_a_broken_database_instead_of_failing(call: Call, anna: str, data: Path) -> None:
    for file in data.glob("bridge.sqlite*"):
        file.write_bytes(b"ruined " * 1000)
    answer = call("doctor", "--json")
    assert answer.code == 1
    (found,) = [finding for finding in json.loads(answer.out) if not finding["ok"]]
    assert found["what"] == "database"
