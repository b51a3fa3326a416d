"""``token``, ``webhook`` and ``audit`` on the command line."""

from __future__ import annotations

from tests.cli.conftest import Call


def test_a_token_is_printed_once_listed_and_revoked(call: Call, anna: str) -> None:
    plain = call("token", "add", anna, "Website").out.strip()
    assert plain.startswith("pbt_")
    made = call(
        "token", "add", anna, "Script", "--scope", "write", "--scope", "read", "--days", "30", "--json"
    )
    assert made.json["scopes"] == ["read", "write"]
    listed = call("token", "list", anna, "--json")
    assert [(row["name"], row["scopes"]) for row in listed.json] == [
        ("Website", ["availability"]),
        ("Script", ["read", "write"]),
    ]
    assert listed.json[1]["expires"]
    assert plain not in listed.out
    assert "already" in call("token", "add", anna, "Script").refusal
    assert "3660 days" in call("token", "add", anna, "Old", "--days", "9999").refusal
    assert call("token", "revoke", anna, "Website").code == 0
    assert "no token “Website”" in call("token", "revoke", anna, "Website").refusal
    assert call("token", "add", anna, "x", "--scope", "everything").code == 2


def test_a_webhook_is_added_with_its_secret_listed_and_removed(call: Call, anna: str) -> None:
    secret = call("webhook", "add", anna, "https://example.com/hook").out.strip()
    assert secret.startswith("pbw_")
    (row,) = call("webhook", "list", anna, "--json").json
    assert (row["url"], row["failures"], row["answer"]) == ("https://example.com/hook", 0, None)
    assert "https://" in call("webhook", "add", anna, "http://example.com/hook").refusal
    assert call("webhook", "remove", anna, str(row["id"])).code == 0
    assert "no webhook" in call("webhook", "remove", anna, "7").refusal


def test_the_access_log_is_told_newest_first(call: Call, anna: str) -> None:
    call("device", "add", anna, "Phone")
    call("user", "set", anna, "--password-stdin", stdin="a good password")
    rows = call("audit", anna, "--json").json
    assert [(row["action"], row["detail"], row["actor"]) for row in rows] == [
        ("password-changed", "", "command"),
        ("device-added", "Phone", "command"),
        ("user-added", "", "command"),
    ]
    assert len(call("audit", anna, "--last", "1", "--json").json) == 1
    assert "nobody@" in call("audit", "nobody@studio.example").refusal
