"""Tokens, webhooks, counted attempts and the audit log, on both databases."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bridge.errors import NotFound
from bridge.store import attempts, audit, calendars, ended, tokens, webhooks
from tests.store.studio import NOW, Studio, event

LATER = NOW + timedelta(minutes=5)


def test_a_token_is_found_by_its_mac_until_it_is_removed(studio: Studio) -> None:
    with studio.db.writing() as tx:
        made = tokens.add(tx, studio.user_id, "Website", ["availability"], "mac-1", NOW, LATER)
        tokens.touch(tx, made, LATER)
    with studio.db.reading() as tx:
        found = tokens.by_mac(tx, "mac-1")
        assert found is not None
        assert (found.id, found.user_id, found.scopes) == (made, studio.user_id, ["availability"])
        assert (found.created, found.expires, found.last_used) == (NOW, LATER, LATER)
        assert tokens.by_mac(tx, "mac-2") is None
        assert tokens.of_user(tx, studio.user_id) == [found]
        assert tokens.of_user(tx, studio.user_id + 1) == []
    with studio.db.writing() as tx:
        tokens.remove(tx, made)
        assert tokens.by_mac(tx, "mac-1") is None


def test_a_webhook_is_behind_when_bookings_changed_and_taken_by_one_worker(studio: Studio) -> None:
    with studio.db.writing() as tx:
        seq = calendars.bookings(tx, studio.user_id).seq
        made = webhooks.add(tx, studio.user_id, "https://example.com/", "nonce", seq, NOW)
        assert webhooks.behind(tx, NOW) == []
    studio.put("a.ics", event("a"))
    with studio.db.writing() as tx:
        (row,) = webhooks.behind(tx, NOW)
        assert (row.id, row.seq) == (made, seq)
        assert webhooks.claim(tx, row, LATER)
        assert not webhooks.claim(tx, row, LATER)
        assert webhooks.behind(tx, NOW) == []
        assert [one.id for one in webhooks.behind(tx, LATER)] == [made]
        webhooks.set_(tx, made, seq=calendars.bookings(tx, studio.user_id).seq, next_try=None, failures=0)
        assert webhooks.behind(tx, LATER) == []
        with pytest.raises(NotFound):
            webhooks.get(tx, studio.user_id + 1, made)
        webhooks.remove(tx, made)
        assert webhooks.of_user(tx, studio.user_id) == []


def test_failures_are_summed_over_a_window_and_forgotten(studio: Studio) -> None:
    with studio.db.writing() as tx:
        for minute in (10, 10, 11, 25):
            attempts.count(tx, ["b", "a"], minute)
        attempts.count(tx, ["a"], 25)
    with studio.db.writing() as tx:
        assert attempts.since(tx, "a", 10) == [(10, 2), (11, 1), (25, 2)]
        assert attempts.since(tx, "a", 11) == [(11, 1), (25, 2)]
        assert attempts.since(tx, "b", 10) == [(10, 2), (11, 1), (25, 1)]
        assert attempts.since(tx, "c", 10) == []
        attempts.count(tx, ["a"], 25, by=-1)
        assert attempts.forget(tx, 25) == 4
        assert attempts.since(tx, "a", 0) == [(25, 1)]


def test_the_audit_log_is_read_newest_first_and_by_its_user_alone(studio: Studio) -> None:
    with studio.db.writing() as tx:
        for action, at in (("signed-in", NOW), ("device-added", LATER)):
            audit.add(tx, studio.user_id, action, detail="Phone", actor="command", address="", now=at)
        assert [row.action for row in audit.of_user(tx, studio.user_id)] == ["device-added", "signed-in"]
        assert [row.action for row in audit.of_user(tx, studio.user_id, 1)] == ["device-added"]
        assert audit.of_user(tx, studio.user_id + 1) == []
        assert audit.forget(tx, LATER) == 1
        assert [row.at for row in audit.of_user(tx, studio.user_id)] == [LATER]


def test_a_session_that_was_ended_stays_so_until_it_would_be_over(studio: Studio) -> None:
    with studio.db.writing() as tx:
        ended.add(tx, "one", LATER)
        ended.add(tx, "one", LATER)
        assert ended.is_ended(tx, "one")
        assert not ended.is_ended(tx, "two")
        assert ended.forget(tx, NOW) == 0
        assert ended.forget(tx, LATER) == 1
        assert not ended.is_ended(tx, "one")
