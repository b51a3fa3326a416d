"""OAuth sessions on their bad days: what the token endpoint may say, and what it must never be believed."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator
from urllib.parse import parse_qsl, urlsplit

import pytest

from bridge.errors import (
    Blocked,
    NotACalendarServer,
    NotPermitted,
    ProviderError,
    RetryLater,
    SignInNeeded,
    Unreachable,
)
from bridge.providers import oauth
from bridge.providers.http import Http
from bridge.providers.oauth import App, Session, Terms
from tests.servers import fault
from tests.servers.fault import FaultProxy

TERMS = Terms("Google Calendar", ("openid", "events"), frozenset({"events"}), {"prompt": "consent"})
BACK = "https://bridge.example/oauth/google/callback"


@pytest.fixture
def app(server: FaultProxy) -> App:
    """At a server of prepared answers, that says where its parts are."""
    issuer = server.url.rstrip("/")
    parts = {
        f"{name}_endpoint": f"{issuer}/{name}"
        for name in ("authorization", "token", "revocation", "userinfo")
    }
    server.fault("GET", _json(parts), path="openid-configuration", times=99)
    return App(issuer, f"{issuer}/api", "client", "s3cret")


@pytest.fixture
def http(app: App) -> Iterator[Http]:
    http = oauth.session_http(app, frozenset())
    yield http
    http.close()


@pytest.fixture
def kept() -> list[str]:
    """The secrets that were handed over to be kept."""
    return []


def _json(body: object, status: int = 200) -> fault.Fault:
    return fault.answer(status, json.dumps(body).encode(), {"Content-Type": "application/json"})


def _session(app: App, http: Http, kept: list[str], expires_in: float = 3600) -> Session:
    token = {"access_token": "old", "refresh_token": "r1", "expires_at": int(time.time() + expires_in)}
    return Session(app, "Google Calendar", json.dumps(token), http, kept.append)


def _sent(server: FaultProxy, path: str) -> list[dict[str, str]]:
    """The forms that were posted there."""
    return [dict(parse_qsl(seen.body.decode())) for seen in server.log if seen.path == path]


def _authorizations(server: FaultProxy) -> list[str]:
    return [seen.headers.get("Authorization", "") for seen in server.log if seen.path.startswith("/api")]


# --- beginning and finishing ---------------------------------------------------------------------------


def test_the_address_to_open_asks_for_as_little_as_works_with_pkce(app: App, http: Http):
    begun, other = (oauth.begin(app, TERMS, BACK, http, hint="anna@example.com") for _ in range(2))
    asked = dict(parse_qsl(urlsplit(begun.url).query))
    assert asked["scope"] == "openid events"
    assert (asked["redirect_uri"], asked["state"], asked["login_hint"]) == (
        BACK,
        begun.state,
        "anna@example.com",
    )
    assert asked["code_challenge_method"] == "S256"
    assert begun.verifier not in begun.url
    assert (begun.state, begun.verifier) != (other.state, other.verifier)


def test_a_code_becomes_a_secret(app: App, http: Http, server: FaultProxy):
    answer = {
        "access_token": "a",
        "refresh_token": "r",
        "expires_in": 3600,
        "id_token": "long",
        "scope": "events",
    }
    server.fault("POST", _json(answer), path="/token")
    secret = json.loads(oauth.finish(app, TERMS, BACK, http, code="c", verifier="v"))
    assert secret["refresh_token"] == "r"
    assert "id_token" not in secret
    (form,) = _sent(server, "/token")
    assert (
        form.items()
        >= {"code": "c", "code_verifier": "v", "redirect_uri": BACK, "client_secret": "s3cret"}.items()
    )


@pytest.mark.parametrize(
    ("status", "answer", "kind", "words"),
    [
        (200, {"access_token": "a", "refresh_token": "r", "scope": "openid"}, NotPermitted, "tick them all"),
        (200, {"access_token": "a", "scope": "openid events"}, SignInNeeded, "only for an hour"),
        (400, {"error": "invalid_grant"}, SignInNeeded, "sign in again"),
        (401, {"error": "invalid_client"}, NotPermitted, "administrator"),
        (400, {"error": "temporarily_unavailable"}, RetryLater, "busy"),
        (503, {}, RetryLater, "busy"),
        (429, {}, RetryLater, "busy"),
        (200, ["nonsense"], Unreachable, "nothing to sign in with"),
    ],
)
def test_a_code_that_is_refused(
    app: App,
    http: Http,
    server: FaultProxy,
    status: int,
    answer: object,
    kind: type[ProviderError],
    words: str,
):
    server.fault("POST", _json(answer, status), path="/token")
    with pytest.raises(kind, match=words):
        oauth.finish(app, TERMS, BACK, http, code="c", verifier="v")


def test_an_issuer_that_is_none_is_said_so(server: FaultProxy):
    server.fault("GET", fault.answer(200, b"<html>Welcome</html>"))
    app = App(server.url + "elsewhere", server.url, "client", "secret")
    http = oauth.session_http(app, frozenset())
    with pytest.raises(NotACalendarServer, match="sign-in service"):
        oauth.begin(app, TERMS, BACK, http)


# --- signing requests ----------------------------------------------------------------------------------


def test_a_token_that_ran_out_is_renewed_before_it_is_used(
    app: App, http: Http, server: FaultProxy, kept: list[str]
):
    server.fault("POST", _json({"access_token": "new", "expires_in": 3600}), path="/token")
    server.fault("GET", _json({}), path="/api")
    assert _session(app, http, kept, expires_in=10).request("GET", app.api_url).status == 200
    assert _authorizations(server) == ["Bearer new"]
    assert [json.loads(secret)["refresh_token"] for secret in kept] == ["r1"]


def test_a_refresh_token_that_is_changed_is_handed_over(
    app: App, http: Http, server: FaultProxy, kept: list[str]
):
    for number in (2, 3):
        answer = {"access_token": f"a{number}", "refresh_token": f"r{number}", "expires_in": 3600}
        server.fault("POST", _json(answer), path="/token")
    session = _session(app, http, kept)
    session.renew()
    session.renew()
    assert [form["refresh_token"] for form in _sent(server, "/token")] == ["r1", "r2"]
    assert [json.loads(secret)["refresh_token"] for secret in kept] == ["r2", "r3"]


def test_a_401_is_tried_once_more_with_a_new_token(app: App, http: Http, server: FaultProxy, kept: list[str]):
    server.fault("GET", fault.answer(401), path="/api")
    server.fault("GET", _json({}), path="/api")
    server.fault("POST", _json({"access_token": "new", "expires_in": 3600}), path="/token")
    assert _session(app, http, kept).request("GET", app.api_url).status == 200
    assert _authorizations(server) == ["Bearer old", "Bearer new"]


def test_a_401_that_stays_means_signing_in_again(app: App, http: Http, server: FaultProxy, kept: list[str]):
    server.fault("GET", fault.answer(401), path="/api", times=2)
    server.fault("POST", _json({"access_token": "new", "expires_in": 3600}), path="/token")
    with pytest.raises(SignInNeeded, match="Sign in again"):
        _session(app, http, kept).request("GET", app.api_url)


def test_consent_that_was_taken_back_means_signing_in_again(
    app: App, http: Http, server: FaultProxy, kept: list[str]
):
    server.fault("POST", _json({"error": "invalid_grant"}, 400), path="/token")
    with pytest.raises(SignInNeeded, match="has ended our access"):
        _session(app, http, kept, expires_in=0).request("GET", app.api_url)
    assert kept == []


@pytest.mark.parametrize("lost", [fault.lose_request, fault.answer(503), fault.answer(502, b"<html>")])
def test_a_token_endpoint_that_is_away_is_no_verdict_on_the_sign_in(
    app: App, http: Http, server: FaultProxy, kept: list[str], lost: fault.Fault
):
    server.fault("POST", lost, path="/token")
    with pytest.raises((Unreachable, RetryLater)):
        _session(app, http, kept, expires_in=0).request("GET", app.api_url)
    assert kept == []


def test_a_token_never_follows_a_redirect_to_another_house(
    app: App, http: Http, server: FaultProxy, kept: list[str]
):
    with FaultProxy("http://127.0.0.1:1/") as elsewhere:
        elsewhere.fault("GET", _json({}))
        server.fault("GET", fault.answer(307, headers={"Location": elsewhere.url + "api"}), path="/api")
        with pytest.raises(Blocked):
            _session(app, http, kept).request("GET", app.api_url)
        assert elsewhere.log == []


def test_what_another_house_says_about_signing_in_is_not_believed(server: FaultProxy):
    """Else the client's secret and the code would go where it says."""
    with FaultProxy("http://127.0.0.1:1/") as elsewhere:
        app = App(server.url + "moved", server.url, "client", "s3cret")
        parts = {f"{name}_endpoint": f"{elsewhere.url}{name}" for name in ("authorization", "token")}
        elsewhere.fault("GET", _json(parts))
        server.fault("GET", fault.answer(302, headers={"Location": f"{elsewhere.url}openid"}))
        http = oauth.session_http(app, frozenset({elsewhere.host_and_port}))
        with pytest.raises(Blocked, match="do not believe"):
            oauth.begin(app, TERMS, BACK, http)


def test_a_token_request_is_not_sent_on_to_another_house(
    app: App, http: Http, server: FaultProxy, kept: list[str]
):
    with FaultProxy("http://127.0.0.1:1/") as elsewhere:
        open_ = oauth.session_http(app, frozenset({elsewhere.host_and_port}))
        server.fault("POST", fault.answer(307, headers={"Location": elsewhere.url + "token"}), path="/token")
        with pytest.raises(Blocked):
            _session(app, open_, kept, expires_in=0).request("GET", app.api_url)
        assert (elsewhere.log, kept) == ([], [])


# --- giving it back ------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [200, 400])
def test_the_consent_is_given_back_with_what_renews_it(
    app: App, http: Http, server: FaultProxy, kept: list[str], status: int
):
    """400: it knows the token no longer, which is just as well."""
    server.fault("POST", _json({}, status), path="/revocation")
    assert _session(app, http, kept).revoke()
    (sent,) = _sent(server, "/revocation")
    assert sent["token"] == "r1"


def test_a_provider_that_could_not_take_it_back_is_said_so(
    app: App, http: Http, server: FaultProxy, kept: list[str]
):
    server.fault("POST", fault.answer(503), path="/revocation")
    with pytest.raises(Unreachable, match="could not take it back"):
        _session(app, http, kept).revoke()


def test_where_nothing_takes_it_back_that_is_told_apart(server: FaultProxy, kept: list[str]):
    issuer = server.url + "tenant"
    parts = {"authorization_endpoint": f"{issuer}/authorize", "token_endpoint": f"{issuer}/token"}
    server.fault("GET", _json(parts), path="openid-configuration")
    app = App(issuer, server.url, "client", "s3cret")
    assert not _session(app, oauth.session_http(app, frozenset()), kept).revoke()


@pytest.mark.parametrize("secret", ["", "no json", "[]", "{}", '{"access_token": "a"}'])
def test_a_secret_that_is_none_means_signing_in_again(app: App, http: Http, kept: list[str], secret: str):
    with pytest.raises(SignInNeeded):
        Session(app, "Google Calendar", secret, http, kept.append)


def test_nothing_secret_is_logged_or_shown(
    app: App, http: Http, server: FaultProxy, kept: list[str], caplog: pytest.LogCaptureFixture
):
    server.fault(
        "POST", _json({"error": "invalid_grant", "error_description": "s3cret r1"}, 400), path="/token"
    )
    with caplog.at_level(logging.DEBUG), pytest.raises(SignInNeeded) as caught:
        _session(app, http, kept, expires_in=0).request("GET", app.api_url)
    said = caplog.text + str(caught.value) + repr(app)
    assert "s3cret" not in said
    assert "r1" not in said
