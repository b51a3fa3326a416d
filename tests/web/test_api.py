"""Programs at ``/api/v1``: let in by token and scope, answered as the description says, refused in words."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from flask import Flask

from bridge.service import audit, tokens
from bridge.store import links
from bridge.store.people import UserRow
from bridge.web.api_document import document
from bridge.wiring import Bridge
from tests.servers.kept import kept
from tests.web import studio
from tests.web.browser import Browser
from tests.web.conftest import ANNA, BERT, Clock
from tests.web.program import Program

EVERYTHING = tuple(tokens.SCOPES)
SHOOT = {"title": "Miller wedding", "start": "2026-11-24T10:00", "duration": 90, "place": "Town hall"}


def token_of(bridge: Bridge, email: str = ANNA, *scopes: str, name: str = "Website") -> str:
    return tokens.add(bridge, email, name, scopes or EVERYTHING).token


@pytest.fixture
def program(app: Flask, bridge: Bridge) -> Program:
    """Anna's, with every scope."""
    return Program(app, token_of(bridge))


def test_the_description_has_every_call_and_no_other(app: Flask) -> None:
    described = {
        (method.upper(), re.sub(r"{(\w+)}", "*", path))
        for path, calls in document("x")["paths"].items()
        for method in calls
        if method != "parameters"
    }
    there = {
        (method, re.sub(r"<[^>]+>", "*", rule.rule))
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if rule.rule.startswith("/api/")
    }
    assert described == there


def test_a_booking_is_added_moved_and_cancelled_by_a_program(program: Program) -> None:
    made = program("POST", "/api/v1/bookings", SHOOT)
    assert made.status_code == 201
    at = made.headers["Location"]
    assert program("GET", at).json == program("GET", "/api/v1/bookings").json["bookings"][0]
    assert program("GET", at).json["start"] == "2026-11-24T10:00:00+01:00"
    moved = program("PATCH", at, {"start": "2026-11-24T12:00"}).json
    assert (moved["start"], moved["end"]) == ("2026-11-24T12:00:00+01:00", "2026-11-24T13:30:00+01:00")
    assert program("PATCH", at, {"start": "2026-11-24T12:00", "duration": 60}).json["end"][11:16] == "13:00"
    shown = program("GET", "/api/v1/events", **{"from": "2026-11-24", "to": "2026-11-25"}).json
    assert [(one["title"], one["kind"]) for one in shown] == [("Miller wedding", "booking")]
    move = {"start": "2026-11-25T12:00", "etag": shown[0]["etag"]}
    assert program("POST", f"/api/v1/events/{shown[0]['object']}/move", move).status_code == 200
    assert program("POST", f"/api/v1/events/{shown[0]['object']}/move", move).status_code == 409
    assert program("DELETE", at).status_code == 204
    assert program("GET", at).json["status"] == "cancelled"
    assert program("PATCH", at, {"start": "2026-11-24T12:00"}).status_code == 403
    assert program("GET", "/api/v1/bookings").json["total"] == 1
    assert program("GET", "/api/v1/bookings", offset="1", limit="1").json["bookings"] == []


def test_how_all_fares_is_told(program: Program, bridge: Bridge, anna: UserRow) -> None:
    account = studio.account(bridge, anna, state="needs-sign-in", state_reason="It wants a new password.")
    studio.link(bridge, account, "Private", reads=True, held=["7 events would be deleted."])
    told = program("GET", "/api/v1/status").json
    assert not told["ok"]
    assert told["accounts"][0]["reason"] == "It wants a new password."
    (link,) = program("GET", "/api/v1/links").json
    assert (link["name"], link["reads"], link["held"]) == ("Private", True, ["7 events would be deleted."])
    first, second = program("GET", "/api/v1/calendars").json
    assert first["url"].endswith(f"/dav/{ANNA}/bookings/")
    assert (second["kind"], second["title"]) == ("mirror", "Private")
    me = program("GET", "/api/v1/me").json
    assert (me["email"], me["scopes"]) == (ANNA, list(EVERYTHING))
    with bridge.db.reading() as tx:
        assert links.get(tx, link["id"]).user_id == anna.id


def test_a_token_for_free_times_learns_no_more_than_free_times(app: Flask, bridge: Bridge) -> None:
    Program(app, token_of(bridge))("POST", "/api/v1/bookings", SHOOT)
    website = Program(app, token_of(bridge, ANNA, "availability", name="Free times"))
    window = {"from": "2026-11-24T09:00", "to": "2026-11-24T13:00"}
    told = website("GET", "/api/v1/availability", **window, duration="60").json
    assert told["free"]
    assert [set(reason) for reason in told["reasons"]] == [{"why", "start", "end"}]
    assert "Miller" not in website.client.get("/api/v1/availability", headers=website.headers).text
    for method, path in (
        ("GET", "/api/v1/events"),
        ("GET", "/api/v1/bookings"),
        ("GET", "/api/v1/calendars"),
        ("GET", "/api/v1/status"),
        ("POST", "/api/v1/bookings"),
    ):
        assert website(method, path, wrong=True).status_code == 403, path
    reader = Program(app, token_of(bridge, ANNA, "read", name="Reader"))
    assert reader("POST", "/api/v1/bookings", SHOOT).status_code == 403
    assert reader("GET", "/api/v1/availability", **window).json["reasons"][0]["title"] == "Miller wedding"


@pytest.mark.parametrize("token", ["", "nonsense", "pbt_" + "0" * 40, "pbt_ü", "pbt_" + "a" * 5000])
def test_a_wrong_token_opens_nothing(app: Flask, token: str) -> None:
    stranger = app.test_client()
    for path in ("/api/v1/me", "/api/v1/events", "/api/v1/bookings"):
        refused = stranger.get(path, headers={"Authorization": f"Bearer {token}".encode().decode("latin-1")})
        assert (refused.status_code, refused.mimetype) == (401, "application/problem+json")
        assert refused.headers["WWW-Authenticate"].startswith("Bearer")
        assert "new one" in refused.json["detail"]


def test_each_program_has_a_limit_of_its_own(app: Flask, bridge: Bridge) -> None:
    left = []
    for name in ("One", "Two"):
        program = Program(app, token_of(bridge, name=name))
        for _ in range(3):
            answer = program("GET", "/api/v1/me")
        left.append(int(answer.headers["X-RateLimit-Remaining"]))
    assert left == [597, 597]


def test_a_wrong_token_is_not_mended_by_a_good_cookie(at_annas: Browser) -> None:
    refused = at_annas.client.get("/api/v1/me", headers={"Authorization": "Bearer nonsense"})
    assert refused.status_code == 401


def test_a_token_counts_before_the_cookie(at_annas: Browser, bridge: Bridge, bert: UserRow) -> None:
    token = token_of(bridge, BERT)
    told = at_annas.client.get("/api/v1/me", headers={"Authorization": f"Bearer {token}"})
    assert told.json["email"] == BERT


def test_a_token_opens_no_page(app: Flask, bridge: Bridge) -> None:
    headers = {"Authorization": f"Bearer {token_of(bridge)}"}
    assert app.test_client().get("/devices", headers=headers).status_code == 302
    assert app.test_client().post("/devices", headers=headers, data={"name": "x"}).status_code == 400


def test_an_expired_or_revoked_token_is_refused_at_once(app: Flask, bridge: Bridge, clock: Clock) -> None:
    short = Program(app, tokens.add(bridge, ANNA, "Short", EVERYTHING, days=1).token)
    other = Program(app, token_of(bridge))
    assert short("GET", "/api/v1/me").status_code == 200
    clock.pass_(days=1)
    assert short("GET", "/api/v1/me").status_code == 401
    assert other("GET", "/api/v1/me").status_code == 200
    tokens.revoke(bridge, ANNA, "Website")
    assert other("GET", "/api/v1/me").status_code == 401


def test_a_write_with_the_session_needs_its_csrf_token(at_annas: Browser) -> None:
    refused = at_annas.client.post("/api/v1/bookings", json=SHOOT)
    assert (refused.status_code, refused.mimetype) == (400, "application/problem+json")
    token = {"X-CSRFToken": at_annas.token()}
    assert at_annas.client.post("/api/v1/bookings", json=SHOOT, headers=token).status_code == 201


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"duration": "90"}, "whole number"),
        ({"duration": True}, "whole number"),
        ({"duration": 721}, "720 minutes"),
        ({"start": "yesterday"}, "yesterday"),
        ({"title": "  "}, "needs a title"),
        ({"title": "\ud800"}, "half a character"),
        ({"notes": "a\x00b"}, "means nothing"),
        ({"status": "maybe"}, "maybe"),
        ({"colour": "red"}, "no field “colour”"),
    ],
)
def test_a_wrong_field_is_refused_in_words(program: Program, change: dict[str, object], why: str) -> None:
    refused = program("POST", "/api/v1/bookings", SHOOT | change, wrong=True)
    assert refused.status_code == 400
    assert why in refused.json["detail"]
    assert program("GET", "/api/v1/bookings").json["total"] == 0


def test_what_is_no_json_object_is_refused(program: Program) -> None:
    for sent in ([], "x", None):
        assert program("POST", "/api/v1/bookings", sent, wrong=True).status_code == 400
    for kind, data in (("text/plain", b"{}"), ("application/json", b"{"), ("application/json", b"\xff")):
        refused = program.client.post(
            "/api/v1/bookings", data=data, content_type=kind, headers=program.headers
        )
        assert refused.status_code == 400


def test_what_belongs_to_others_is_not_there(app: Flask, bridge: Bridge, program: Program) -> None:
    berts = Program(app, token_of(bridge, BERT))
    at = program("POST", "/api/v1/bookings", SHOOT).headers["Location"]
    shown = program("GET", "/api/v1/events", **{"from": "2026-11-24", "to": "2026-11-25"}).json[0]
    assert berts("GET", at).status_code == 404
    assert berts("PATCH", at, {"start": "2026-11-24T12:00"}).status_code == 404
    assert berts("DELETE", at).status_code == 404
    move = {"start": "2026-11-25T12:00", "etag": shown["etag"]}
    assert berts("POST", f"/api/v1/events/{shown['object']}/move", move).status_code == 404
    assert berts("POST", f"/api/v1/events/{2**63 - 1}/move", move).status_code == 404
    assert berts("GET", "/api/v1/events", **{"from": "2026-11-24", "to": "2026-11-25"}).json == []
    assert program("GET", at).json["start"] == "2026-11-24T10:00:00+01:00"


def test_the_description_is_for_everybody(app: Flask) -> None:
    told = Program(app, None)("GET", "/api/v1/openapi.json")
    assert told.json["openapi"] == "3.1.0"
    assert told.json["servers"][0]["url"].startswith("http")


def test_a_token_is_kept_as_a_mac_and_its_life_is_audited(app: Flask, bridge: Bridge, clock: Clock) -> None:
    made = tokens.add(bridge, ANNA, "Website", ["read"])
    assert ANNA.encode() in kept(bridge.db)
    assert made.token.encode() not in kept(bridge.db)
    clock.pass_(minutes=1)
    program = Program(app, made.token)
    program("GET", "/api/v1/me")
    assert tokens.list_(bridge, ANNA)[0].last_used == clock.now()
    clock.pass_(minutes=1)
    program("GET", "/api/v1/me")
    assert tokens.list_(bridge, ANNA)[0].last_used == clock.now() - timedelta(minutes=1)
    tokens.revoke(bridge, ANNA, made.row.id)
    told = [(row["action"], row["detail"]) for row in audit.list_(bridge, ANNA)]
    assert told[:2] == [("token-revoked", "Website"), ("token-added", "Website (read)")]
