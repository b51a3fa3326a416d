"""One origin of several applications, and whose word about the client's address counts."""

from __future__ import annotations

from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIEnvironment
from wsgiref.util import setup_testing_defaults

import pytest

from bridge.serve import Listener, Origin, behind_proxies


def _named(name: str) -> object:
    def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [])
        seen = (name, environ["SCRIPT_NAME"], environ["PATH_INFO"])
        return ["|".join(seen).encode()]

    return application


def _ask(application: object, path: str, **environ: str) -> str:
    asked: dict[str, object] = {"PATH_INFO": path, "SCRIPT_NAME": "", **environ}
    setup_testing_defaults(asked)
    return b"".join(application(asked, lambda *_: None)).decode()  # type: ignore[operator]


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("/dav/anna@studio.example/", "dav|/dav|/anna@studio.example/"),
        ("/dav/", "dav|/dav|/"),
        ("/dav", "dav|/dav|"),
        ("/david", "pages||/david"),
        ("/", "pages||/"),
        ("", "pages||"),
        ("/.well-known/caldav", "known|/.well-known/caldav|"),
    ],
)
def test_the_path_decides_who_answers(path: str, answer: str) -> None:
    mounts = {"/dav": _named("dav"), "/.well-known/caldav": _named("known")}
    assert _ask(Origin(mounts, _named("pages")), path) == answer  # type: ignore[arg-type]


def _seen(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", [])
    return [f"{environ['REMOTE_ADDR']} {environ['wsgi.url_scheme']} {environ['HTTP_HOST']}".encode()]


FORWARDED = {
    "HTTP_X_FORWARDED_FOR": "203.0.113.9",
    "HTTP_X_FORWARDED_PROTO": "https",
    "HTTP_X_FORWARDED_HOST": "calendar.example",
    "HTTP_HOST": "127.0.0.1:5232",
}


@pytest.mark.parametrize(
    ("trusted", "answer"),
    [
        (frozenset({"127.0.0.1"}), "203.0.113.9 https calendar.example"),
        (frozenset({"10.0.0.1"}), "127.0.0.1 http 127.0.0.1:5232"),
        (frozenset(), "127.0.0.1 http 127.0.0.1:5232"),
    ],
)
def test_only_a_trusted_proxy_is_believed(trusted: frozenset[str], answer: str) -> None:
    assert _ask(behind_proxies(_seen, trusted), "/", REMOTE_ADDR="127.0.0.1", **FORWARDED) == answer


def test_an_open_port_says_where_a_browser_finds_it() -> None:
    everywhere = Listener("0.0.0.0", 0)
    sixth = Listener("::1", 0)
    try:
        assert everywhere.url == f"http://127.0.0.1:{everywhere.port}"
        assert sixth.url == f"http://[::1]:{sixth.port}"
    finally:
        everywhere.socket.close()
        sixth.socket.close()
