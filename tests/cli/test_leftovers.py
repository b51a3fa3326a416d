"""``leftover``: the calls, where nothing was left behind; what they do is tested beside the sources."""

from __future__ import annotations

from tests.cli.conftest import Call


def test_nothing_left_behind_is_said(call: Call, anna: str) -> None:
    assert call("leftover", "list", anna, "--json").json == []
    assert call("leftover", "remove", anna, "--all", "--json").json == {"gone": 0, "left": []}


def test_an_entry_that_is_not_there_is_refused(call: Call, anna: str) -> None:
    assert "no entry 7" in call("leftover", "adopt", anna, "7").refusal
    assert call("leftover", "remove", anna).code == 2
