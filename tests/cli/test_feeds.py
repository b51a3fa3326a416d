"""``feed``: addresses to subscribe to."""

from __future__ import annotations

from tests.cli.conftest import Call


def test_a_feed_is_made_listed_and_taken_back(call: Call, anna: str) -> None:
    made = call("feed", "add", anna, "Second shooter", "--detail", "busy", "--json").json
    assert set(made) == {"feed", "url"}
    assert made["url"].endswith(".ics")
    (row,) = call("feed", "list", anna, "--json").json
    assert (row["feed"], row["name"], row["detail"], row["url"]) == (
        made["feed"],
        "Second shooter",
        "busy",
        made["url"],
    )
    assert call("feed", "add", anna, "Mum").out.strip().startswith("http")
    assert call("feed", "revoke", anna, "Second shooter").code == 0
    assert [row["name"] for row in call("feed", "list", anna, "--json").json] == ["Mum"]
    assert "no link" in call("feed", "revoke", anna, "Second shooter").refusal


def test_a_feed_needs_a_user_and_a_name_of_its_own(call: Call, anna: str) -> None:
    call("feed", "add", anna, "x")
    assert "already" in call("feed", "add", anna, "x").refusal
    assert "no user" in call("feed", "add", "nobody@studio.example", "x").refusal
