"""Where providers tell of changes: open to all, of use only to who knows the secret."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from bridge.service import push
from bridge.store import channels, links
from bridge.store.people import UserRow
from bridge.wiring import Bridge
from tests.web import studio
from tests.web.conftest import NOON


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


def _link(bridge: Bridge, anna: UserRow, kind: str) -> int:
    """A link that is told of changes, and due in an hour."""
    from bridge.store import accounts

    later = NOON + timedelta(hours=1)
    account = studio.account(bridge, anna, kind)
    link = studio.link(bridge, account, "Work", reads=True, due_at=later)
    with bridge.db.writing() as tx:
        accounts.set_(tx, account, provider=kind)
        channels.claim(tx, link, NOON, later)
        channels.keep(
            tx, link, name=f"channel-{kind}", resource="r", address="a", expires=later, look_at=later
        )
    return link


def _is_due(bridge: Bridge, link: int) -> bool:
    with bridge.db.reading() as tx:
        due = links.get(tx, link).due_at
    return due is not None and due <= NOON


def _google(client: FlaskClient, **headers: str) -> Any:
    return client.post(
        "/hooks/google", headers={f"X-Goog-{k.replace('_', '-')}": v for k, v in headers.items()}
    )


def test_googles_notice_needs_neither_sign_in_nor_form_token(
    bridge: Bridge, anna: UserRow, client: FlaskClient
):
    link = _link(bridge, anna, "google")
    secret = bridge.vault.mac(f"push channel of link {link}")
    told = {"Channel_ID": "channel-google", "Resource_State": "exists"}
    refused = _google(client, **told, Channel_Token="wrong")
    assert (refused.status_code, _is_due(bridge, link)) == (404, False)
    taken = _google(client, **told, Channel_Token=secret)
    assert (taken.status_code, taken.data, _is_due(bridge, link)) == (204, b"", True)


def test_a_channel_that_is_unknown_looks_like_a_wrong_secret(
    bridge: Bridge, anna: UserRow, client: FlaskClient
):
    _link(bridge, anna, "google")
    known = _google(client, Channel_ID="channel-google", Channel_Token="wrong")
    unknown = _google(client, Channel_ID="nobody's", Channel_Token="wrong")
    empty = _google(client)
    answers = {(answer.status_code, answer.data, answer.content_type) for answer in (known, unknown, empty)}
    assert len(answers) == 1


def test_graph_gets_its_token_back_as_plain_text_that_is_no_page(client: FlaskClient):
    token = "Validation: <script>alert(1)</script> ü & so on"
    answer = client.post("/hooks/microsoft", query_string={"validationToken": token})
    assert (answer.status_code, answer.text) == (200, token)
    assert answer.content_type == "text/plain; charset=utf-8"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert client.post("/hooks/microsoft", query_string={"validationToken": "x" * 5000}).status_code == 400


def test_graphs_notices_are_accepted_and_believed_only_with_the_secret(
    bridge: Bridge, anna: UserRow, client: FlaskClient
):
    link = _link(bridge, anna, "microsoft")
    notice = {"subscriptionId": "channel-microsoft", "changeType": "updated", "clientState": "wrong"}
    strange = [{"subscriptionId": said, "clientState": said} for said in ("\0", "\ud800", "a\nb", 7)]
    answer = client.post("/hooks/microsoft", json={"value": [notice, {"x": 1}, None, *strange, notice]})
    assert (answer.status_code, answer.data, _is_due(bridge, link)) == (202, b"", False)
    notice["clientState"] = bridge.vault.mac(f"push channel of link {link}")
    answer = client.post("/hooks/microsoft", json={"value": [{"subscriptionId": "?"}, notice]})
    assert (answer.status_code, _is_due(bridge, link)) == (202, True)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'{"value": 7}', b"\xff\xfe", b'{"value": {}}'])
def test_what_is_no_notice_is_refused_in_a_sentence(client: FlaskClient, body: bytes):
    answer = client.post("/hooks/microsoft", data=body, content_type="application/json")
    assert (answer.status_code, answer.text) == (400, "Notices are JSON, with a list called value.\n")


def test_a_body_too_large_to_be_a_notice_is_not_read(client: FlaskClient):
    body = b'{"value": [' + b" " * 400_000 + b"]}"
    assert client.post("/hooks/microsoft", data=body, content_type="application/json").status_code in (
        400,
        413,
    )


@pytest.mark.parametrize("method", ["get", "put", "delete"])
def test_only_notices_are_taken_there(client: FlaskClient, method: str):
    for provider in ("google", "microsoft"):
        assert getattr(client, method)(f"/hooks/{provider}").status_code == 405


def test_strangers_may_not_go_on_guessing_while_the_provider_is_still_heard(
    bridge: Bridge, anna: UserRow, client: FlaskClient
):
    link = _link(bridge, anna, "google")
    secret = bridge.vault.mac(f"push channel of link {link}")
    told = {"Channel_ID": "channel-google", "Resource_State": "exists"}
    for _ in range(200):  # the provider's own do not count
        assert _google(client, **told, Channel_Token=secret).status_code == 204
    statuses = [_google(client, **told, Channel_Token=f"guess {n}").status_code for n in range(80)]
    assert statuses[:50] == [404] * 50
    assert statuses[-1] == 429


def test_a_notice_after_the_goodbye_finds_nobody(bridge: Bridge, anna: UserRow, client: FlaskClient):
    link = _link(bridge, anna, "google")
    secret = bridge.vault.mac(f"push channel of link {link}")
    with bridge.db.writing() as tx:
        links.remove(tx, link)
    assert _google(client, Channel_ID="channel-google", Channel_Token=secret).status_code == 404


def test_the_secret_of_one_link_is_none_of_anothers(bridge: Bridge, anna: UserRow, client: FlaskClient):
    first = _link(bridge, anna, "google")
    other = bridge.vault.mac(f"push channel of link {first + 1}")
    assert _google(client, Channel_ID="channel-google", Channel_Token=other).status_code == 404
    assert not push.microsoft_told(bridge, {"subscriptionId": "channel-google", "clientState": other})
