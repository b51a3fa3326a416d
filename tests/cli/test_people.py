"""``user`` and ``device``: the first minutes of a new installation."""

from __future__ import annotations

import re

from tests.cli.conftest import Call


def test_a_new_user_has_a_studio_named_after_the_address(call: Call) -> None:
    assert call("user", "add", "Anna.Berg@Studio.example", "--time-zone", "Europe/Berlin").code == 0
    assert call("user", "add", "anna.berg@other.example", "--time-zone", "America/Denver").code == 0
    rows = call("user", "list", "--json").json
    assert [(row["email"], row["studio"], row["time_zone"]) for row in rows] == [
        ("anna.berg@other.example", "anna-berg-2", "America/Denver"),
        ("anna.berg@studio.example", "anna-berg", "Europe/Berlin"),
    ]


def test_two_users_share_a_named_studio(call: Call) -> None:
    call("user", "add", "anna@studio.example", "--studio", "lumen")
    call("user", "add", "berta@studio.example", "--studio", "lumen")
    assert {row["studio"] for row in call("user", "list", "--json").json} == {"lumen"}


def test_a_user_is_added_once(call: Call, anna: str) -> None:
    assert "already" in call("user", "add", anna.upper()).refusal
    assert len(call("user", "list", "--json").json) == 1


def test_what_is_no_address_is_refused(call: Call) -> None:
    for wrong in (
        "anna",
        "anna@",
        "@studio.example",
        "an na@studio.example",
        "a/b@studio.example",
        "a:b@c.example",
    ):
        assert "not an e-mail address" in call("user", "add", wrong).refusal


def test_an_address_is_checked_by_its_form_only(call: Call) -> None:
    for fine in ("anna@studio.example", "o'neil+shoots@sub.studio.test", "zoë@bücher.example"):
        assert call("user", "add", fine).code == 0


def test_an_unknown_time_zone_is_refused_and_nobody_is_added(call: Call) -> None:
    for wrong in ("Europe/Nowhere", "", "../../etc/passwd", "Europe"):
        assert "time zone" in call("user", "add", "anna@studio.example", "--time-zone", wrong).refusal
    assert call("user", "list", "--json").json == []


def test_a_studio_slug_fits_into_an_address(call: Call) -> None:
    assert "letters a-z" in call("user", "add", "anna@studio.example", "--studio", "Foto Berg").refusal


def test_rules_are_changed_one_by_one(call: Call, anna: str) -> None:
    changed = call("user", "set", anna, "--on-delete", "hide", "--json").json
    assert (changed["on_delete"], changed["on_move"]) == ("hide", "apply")
    call("user", "set", anna, "--on-move", "approve", "--time-zone", "Asia/Tokyo")
    (row,) = call("user", "list", "--json").json
    assert (row["on_delete"], row["on_move"], row["time_zone"]) == ("hide", "approve", "Asia/Tokyo")


def test_setting_nothing_is_refused(call: Call, anna: str) -> None:
    assert "Nothing to change" in call("user", "set", anna).refusal


def test_a_removed_user_is_gone_with_everything(call: Call, anna: str) -> None:
    call("device", "add", anna, "phone")
    assert call("user", "remove", anna).code == 0
    assert call("user", "list", "--json").json == []
    assert anna in call("device", "list", anna).refusal


def test_whoever_is_unknown_is_unknown_everywhere(call: Call) -> None:
    for words in (
        ("user", "set", "nobody@studio.example", "--on-delete", "hide"),
        ("user", "remove", "nobody@studio.example"),
        ("device", "add", "nobody@studio.example", "phone"),
        ("device", "list", "nobody@studio.example"),
        ("device", "revoke", "nobody@studio.example", "1"),
        (
            "account",
            "add",
            "nobody@studio.example",
            "caldav",
            "--url",
            "https://cal.example",
            "--password-stdin",
        ),
        ("account", "list", "nobody@studio.example"),
        ("source", "set", "nobody@studio.example", "studio"),
        ("booking", "list", "nobody@studio.example"),
        ("sync", "nobody@studio.example"),
        ("journal", "nobody@studio.example"),
    ):
        assert "no user nobody@studio.example" in call(*words, stdin="secret").refusal, words


def test_a_device_password_is_one_line_shown_once(call: Call, anna: str) -> None:
    made = call("device", "add", anna, "Anna's phone")
    assert re.fullmatch(r"([a-z2-9]{5}-){3}[a-z2-9]{5}\n", made.out)
    assert made.err == ""
    (row,) = call("device", "list", anna, "--json").json
    assert row["name"] == "Anna's phone"
    assert made.out.strip() not in str(row)


def test_a_device_for_a_program_comes_with_everything_it_needs(call: Call, anna: str) -> None:
    made = call("device", "add", anna, "phone", "--json").json
    assert set(made) == {"username", "password", "url"}
    assert made["username"] == anna
    assert made["url"] == f"http://127.0.0.1:5232/dav/{anna}/"


def test_a_revoked_device_is_no_longer_listed_and_its_name_is_free(call: Call, anna: str) -> None:
    call("device", "add", anna, "phone")
    assert "already" in call("device", "add", anna, "phone").refusal
    assert call("device", "revoke", anna, "phone").code == 0
    assert "no device" in call("device", "revoke", anna, "phone").refusal
    assert call("device", "list", anna, "--json").json == []
    assert call("device", "add", anna, "phone").code == 0


def test_nobody_revokes_somebody_elses_device(call: Call, anna: str) -> None:
    call("user", "add", "berta@studio.example")
    call("device", "add", anna, "phone")
    (row,) = call("device", "list", anna, "--json").json
    assert "no device" in call("device", "revoke", "berta@studio.example", str(row["device"])).refusal
    assert len(call("device", "list", anna, "--json").json) == 1


def test_a_lost_phone_is_no_reason_to_stay_outside(call: Call, anna: str) -> None:
    assert call("user", "set", anna, "--second-step", "off").code == 0
    assert call("user", "set", anna, "--second-step", "off", "--on-move", "approve").code == 0
    assert call("user", "list", "--json").json[0]["on_move"] == "approve"
    assert "no user" in call("user", "set", "nobody@studio.example", "--second-step", "off").refusal
