"""Every route there is, walked as another tenant and as nobody.

A route that is new is walked too. It fails here if it has a variable that nothing of Anna's stands for, if it
is open to everybody without being named below, or if it tells, changes or even confirms anything of hers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from werkzeug.routing import Rule

from bridge.service import tokens
from bridge.store.people import UserRow
from bridge.store.tables import metadata
from bridge.web import access, session
from bridge.wiring import Bridge
from tests.web.annas import Everything, furnish, owner, rows
from tests.web.browser import Browser
from tests.web.conftest import BERT

#: What anybody may call, and why it tells nothing: another one is a decision to be made here.
OPEN = {
    "api_document.show": "a description of calls",
    "contact.show": "whom to tell of a weakness",
    "booking.studio": "names of public booking pages",
    "booking.show": "a public booking page: free times, no reasons",
    "booking.book": "takes a slot of a public page",
    "booking.slots": "free times, no reasons",
    "booking_receipt.show": "by the receipt's own secret",
    "booking_receipt.file": "by the receipt's own secret",
    "booking_receipt.cancel": "by the receipt's own secret",
    "booking_receipt.move": "by the receipt's own secret",
    "device_setup.show": "by a secret of a quarter of an hour",
    "device_setup.profile": "by a secret of a quarter of an hour",
    "feed.fetch": "by the feed's own secret",
    "hooks.google": "by the channel's own secret",
    "hooks.microsoft": "by the subscription's own secret",
    "oauth.come_back": "by the state that began it",
    "signin.show": "a form",
    "signin.submit": "a password",
    "signin.leave": "ends one's own session",
    "sign_in_code.ask": "a form",
    "sign_in_code.check": "after the password, a code",
    "forgotten.ask": "a form",
    "forgotten.send": "the same answer for every address",
    "forgotten.choose": "by the mail's own secret",
    "forgotten.chosen": "by the mail's own secret",
    "welcome.ask": "only while there is no user",
    "welcome.create": "only while there is no user",
    "static": "scripts and styles",
}
#: Variables that choose a word or hold a secret, not a number or name of something of hers.
WORDS = {
    "kind": "caldav",
    "filename": "bridge.css",
    "studio": "nobody",
    "answer": "approve",
    "choice": "ours",
    "day": "2026-12-05",
    "what": "hide",
    "booking-pages/start": "1796457600",
}
#: Something for every field of every form, so that a request reaches what it is about.
FIELDS = {
    "name": "x",
    "password": "x",
    "url": "https://127.0.0.1:9/",
    "username": "x",
    "pushed": "remove-all",
    "read": "/Quixotic family/",
    "write": "/Quixotic work/",
    "start": "2026-11-26T10:00",
    "end": "2026-11-26T12:00",
    "date": "2026-11-26",
    "from": "10:00",
    "to": "12:00",
    "etag": "x",
    "scopes": "read",
    "detail": "busy",
    "title": "x",
    "status": "disabled",
    "length": "60",
    "hours": "09:00-12:00",
}
BODIES: dict[str, dict[str, Any]] = {
    "api.move": {"start": "2026-11-26T10:00", "etag": "x"},
    "api_bookings.move": {"start": "2026-11-26T10:00"},
    "api_bookings.add": {"title": "Bert's", "start": "2026-11-26T10:00", "duration": 60},
}


@pytest.fixture
def hers(bridge: Bridge, anna: UserRow, bert: UserRow) -> Everything:
    return furnish(bridge, anna)


def calls(app: Flask) -> Iterator[tuple[Rule, str]]:
    for rule in app.url_map.iter_rules():
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            yield rule, method


def about(rule: Rule, things: dict[str, Any]) -> str:
    """The route's address for these things. KeyError: say in ``annas.furnish`` what stands for it."""
    secret = rule.endpoint in OPEN  # its variables are secrets that nobody gave away
    values = {}
    for name in rule.arguments:
        section = f"{rule.rule.split('/')[1]}/{name}"  # where a name means something else than elsewhere
        key = section if section in things or section in WORDS else name
        values[name] = WORDS[key] if key in WORDS else "0" * 40 if secret else things[key]
    return re.sub(r"<(?:[^:<>]+:)?(\w+)>", lambda match: str(values[match[1]]), rule.rule)


def call(app: Flask, who: Browser, rule: Rule, method: str, path: str, headers: dict[str, str]) -> Any:
    """The answer, and its text without the address and the form's token."""
    more: dict[str, Any] = {"headers": headers, "environ_overrides": who.environ}
    if method == "GET":
        more["query_string"] = {"day": WORDS["day"]}
    else:
        body = BODIES.get(rule.endpoint)
        token = {} if headers else {"csrf_token": who.token()}
        more |= {"json": body} if body else {"data": FIELDS | token}
        if token:
            more["headers"] = {"X-CSRFToken": token["csrf_token"]}
    answer = who.client.open(path, method=method, **more)
    if answer.mimetype == "text/event-stream":
        answer.close()
        return answer, ""
    text = re.sub(r'name="csrf_token"[^>]*>|\?v=\w+', "", answer.get_data(as_text=True))
    return answer, text.replace(path, "").replace(path.replace("/", "%2F"), "")


def walk(app: Flask, who: Browser, hers: Everything, headers: dict[str, str] | None = None) -> None:
    """Ask for everything of Anna's; what is not there answers the same in every letter."""
    for rule, method in calls(app):
        if rule.endpoint == "signin.leave":
            continue  # it would end the walk
        real, told = call(app, who, rule, method, about(rule, hers.mine), headers or {})
        assert real.status_code < 500, (rule, method)
        for secret in hers.secrets:
            assert secret not in told, (rule, method, secret)
            assert secret not in str(real.headers), (rule, method, secret)
        if set(rule.arguments) & hers.mine.keys() and rule.endpoint not in OPEN:
            other, nothing = call(app, who, rule, method, about(rule, hers.nowhere), headers or {})
            assert real.status_code == other.status_code, (rule, method)
            assert told == nothing, (rule, method)
            if who.environ.get("signed in"):
                assert real.status_code in (303, 404), (rule, method, real.status_code)  # 303: says so next


def untouched(bridge: Bridge, before: dict[Any, Any], but: int | None) -> None:
    """Nothing is new, other or gone but what belongs to user ``but``."""
    with bridge.db.reading() as tx:
        after = rows(tx)
    for key in before.keys() | after.keys():
        table = metadata.tables[key[0]]
        if before.get(key) == after.get(key) or table.name == "attempt":
            continue
        known = after if key in after else before
        assert owner(known, table, known[key]) == but != None, (key, before.get(key), after.get(key))  # noqa: E711


def test_another_tenant_sees_and_changes_nothing(
    app: Flask, bridge: Bridge, bert: UserRow, hers: Everything
) -> None:
    with bridge.db.reading() as tx:
        before = rows(tx)
    who = Browser(app).sign_in(BERT)
    who.environ["signed in"] = "1"
    walk(app, who, hers)
    untouched(bridge, before, bert.id)


def test_another_tenants_token_opens_nothing(
    app: Flask, bridge: Bridge, bert: UserRow, hers: Everything
) -> None:
    token = tokens.add(bridge, BERT, "His", list(tokens.SCOPES)).token
    with bridge.db.reading() as tx:
        before = rows(tx)
    headers = {"Authorization": f"Bearer {token}"}
    walk(app, Browser(app), hers, headers)
    untouched(bridge, before, bert.id)


def test_nobody_sees_and_changes_nothing(app: Flask, bridge: Bridge, hers: Everything) -> None:
    with bridge.db.reading() as tx:
        before = rows(tx)
    walk(app, Browser(app), hers)
    untouched(bridge, before, None)


def test_what_is_open_to_everybody_was_decided(app: Flask) -> None:
    public = {
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if rule.endpoint.partition(".")[0] in session.PUBLIC or rule.endpoint in ("static", access.OPEN)
    }
    assert public == OPEN.keys()


def test_every_api_call_says_which_scope_opens_it(app: Flask) -> None:
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith("/api/") and rule.endpoint != access.OPEN:
            assert getattr(app.view_functions[rule.endpoint], "scopes", None), rule
            writes = bool((rule.methods or set()) - access.SAFE)
            assert ("write" in app.view_functions[rule.endpoint].scopes) or not writes, rule
