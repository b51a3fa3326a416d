"""The pages for programs: tokens shown once, webhooks and what became of them, the access log."""

from __future__ import annotations

import re

from flask import Flask

from bridge.service import people, tokens, webhooks
from bridge.store import webhooks as rows
from bridge.web import words
from bridge.wiring import Bridge
from tests.web.browser import Browser
from tests.web.conftest import ANNA, Clock


def test_a_token_is_made_shown_once_and_taken_back(app: Flask, at_annas: Browser, bridge: Bridge) -> None:
    at_annas.open("/profile").follow("Programs: API tokens and webhooks")
    at_annas.press("Make the token", name="Website", scopes=["availability"])
    found = re.search(r"pbt_[0-9a-f]{40}", at_annas.html)
    assert found is not None
    headers = {"Authorization": f"Bearer {found[0]}"}
    assert app.test_client().get("/api/v1/me", headers=headers).json["scopes"] == ["availability"]
    at_annas.follow("I have copied it")
    assert "pbt_" not in at_annas.html
    assert "Website" in at_annas.text
    assert "Last used" in at_annas.text
    at_annas.press("Take back Website")
    assert "no longer lets anybody in" in at_annas.text
    assert app.test_client().get("/api/v1/me", headers=headers).status_code == 401
    assert tokens.list_(bridge, ANNA) == []


def test_what_a_token_may_not_be_is_said_beside_its_name(at_annas: Browser) -> None:
    at_annas.open("/programs").press("Make the token", name="", scopes=["availability"])
    assert at_annas.beside("name").startswith("Please give it a name.")
    at_annas.open("/programs").press("Make the token", name="Website", scopes=[])
    assert "what the token may do" in at_annas.beside("name")
    at_annas.open("/programs").press("Make the token", name="Website", scopes=["read"])
    at_annas.open("/programs").press("Make the token", name="Website", scopes=["read"])
    assert "already" in at_annas.beside("name")


def test_a_webhook_is_added_shows_how_it_fares_and_is_removed(
    at_annas: Browser, bridge: Bridge, clock: Clock
) -> None:
    at_annas.open("/programs").press("Add the webhook", url="http://example.com/hook")
    assert "https://" in at_annas.beside("url")
    at_annas.open("/programs").press("Add the webhook", url="https://example.com/hook")
    (hook,) = webhooks.list_(bridge, ANNA)
    assert hook.secret in at_annas.html
    assert "Nothing to tell yet" in at_annas.text
    with bridge.db.writing() as tx:
        rows.set_(tx, hook.row.id, tried=clock.now(), answer="It answered 500.", failures=1)
    assert "It answered 500. It is tried again by itself." in at_annas.open("/programs").text
    at_annas.press("Remove https://example.com/hook")
    assert webhooks.list_(bridge, ANNA) == []


def test_the_access_log_says_who_did_what_from_where(app: Flask, bridge: Bridge) -> None:
    at_annas = Browser(app, REMOTE_ADDR="192.0.2.8").sign_in(ANNA)
    at_annas.open("/devices").press("Create its password", name="Anna's <b>phone")
    people.set_user(bridge, ANNA, on_move="approve")
    shown = at_annas.open("/profile").follow(
        "Access log: who signed in, and who changed devices and accounts"
    )
    for part in (
        "A device was added · Anna's <b>phone",
        "by you, on these pages, from 192.0.2.8",
        "Time zone or rules were changed",
        "by the command line",
        "Signed in to the pages",
    ):
        assert part in shown.text, part
    assert words.who("token:7", {}) == "a program, by its API token"
