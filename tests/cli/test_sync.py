"""``account`` and ``sync`` from the command line, with a stock Radicale as the provider."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.cli.conftest import Call, wrong
from tests.servers.dav import Outside, Server
from tests.servers.radicale import radicale
from tests.service.conftest import TODAY, event


@pytest.fixture(scope="module")
def radicales(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Server]]:
    folder = tmp_path_factory.mktemp("provider")
    with radicale(folder) as server:
        yield folder / "collections" / "collection-root", server


@pytest.fixture
def server(radicales: tuple[Path, Server], monkeypatch: pytest.MonkeyPatch) -> Server:
    """An empty provider that the administrator allows."""
    folder, running = radicales
    shutil.rmtree(folder / running.user, ignore_errors=True)
    monkeypatch.setenv("PICSELLO_BRIDGE_ALLOW_HOSTS", running.host_and_port)
    return running


@pytest.fixture
def work(server: Server) -> Outside:
    return server.make_calendar("work", title="Work")


@pytest.fixture
def private(server: Server) -> Outside:
    return server.make_calendar("private", title="Private")


@pytest.fixture
def account(call: Call, anna: str, server: Server, work: Outside, private: Outside) -> str:
    """Anna's account with the calendars *Work* and *Private*; its number."""
    answer = call(
        *("account", "add", anna, "caldav", "--url", server.url, "--username", server.user),
        *("--password-stdin", "--json"),
        stdin=f"{server.password}\n",
    )
    assert set(answer.json) == {"account"}
    return str(answer.json["account"])


def _book(call: Call, email: str, title: str) -> str:
    words = ("booking", "add", email, "--title", title, "--start", "2027-05-08T14:30", "--duration", "60")
    return str(call(*words, "--json").json["uid"])


def test_the_calendars_of_an_account_are_listed_with_their_roles(
    call: Call, account: str, work: Outside, private: Outside
) -> None:
    call("account", "select", account, "--read", private.path, "--write", work.path, "--yes")
    rows = {row["name"]: row for row in call("account", "calendars", account, "--json").json}
    assert set(rows) == {"Work", "Private"}
    for row in rows.values():
        assert {"id", "name", "color", "writable", "reads", "writes"} <= set(row)
    assert (rows["Work"]["id"], rows["Work"]["reads"], rows["Work"]["writes"]) == (work.path, False, True)
    assert (rows["Private"]["reads"], rows["Private"]["writes"]) == (True, False)


def test_the_first_plan_is_shown_then_confirmed_then_everything_is_quiet(
    call: Call, anna: str, account: str, work: Outside, private: Outside
) -> None:
    uid = _book(call, anna, "Portrait: Maya")
    private.put("p.ics", event("p@home", "Dentist", TODAY))
    chosen = call("account", "select", account, "--read", private.path, "--write", work.path, "--json")
    assert chosen.code == 0
    assert any("Portrait: Maya" in line for line in chosen.json["plan"])
    held = call("sync", "--json")
    assert held.code == 1
    assert all(row["held"] for row in held.json["links"] if row["link"])
    assert work.texts() == {}
    confirmed = call("sync", "--confirm", "--json")
    assert confirmed.code == 0
    assert sum(row["pushed"] for row in confirmed.json["links"]) == 1
    assert sum(row["pulled"] for row in confirmed.json["links"]) == 1
    assert work.by_uid(uid) is not None
    quiet = call("sync", anna, "--json")
    assert quiet.code == 0
    assert sum(row["requests"] for row in quiet.json["links"]) <= 2
    assert all(
        row[count] == 0 for row in quiet.json["links"] for count in ("pulled", "pushed", "merged", "deleted")
    )


def test_a_dry_run_says_what_it_would_do_and_does_nothing(
    call: Call, anna: str, account: str, work: Outside
) -> None:
    call("account", "select", account, "--write", work.path, "--yes")
    _book(call, anna, "Portrait: Maya")
    dry = call("sync", "--dry-run")
    assert dry.code == 0
    assert "Portrait: Maya" in dry.out
    assert work.texts() == {}


def test_the_second_account_for_the_same_address_is_refused(
    call: Call, anna: str, account: str, server: Server
) -> None:
    words = ("account", "add", anna, "caldav", "--url", server.url, "--username", server.user)
    assert f"account {account}" in call(*words, "--password-stdin", stdin=server.password).refusal


def test_a_wrong_password_is_one_sentence(call: Call, anna: str, server: Server) -> None:
    words = ("account", "add", anna, "caldav", "--url", server.url, "--username", server.user)
    answer = call(*words, "--password-stdin", stdin="not this one")
    assert answer.refusal
    assert "not this one" not in answer.err
    assert call("account", "list", "--json").json == []


def test_a_private_address_needs_the_administrators_word(
    call: Call, anna: str, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PICSELLO_BRIDGE_ALLOW_HOSTS")
    url = server.url.replace("http://", "https://")
    words = ("account", "add", anna, "caldav", "--url", url, "--username", server.user)
    assert "PICSELLO_BRIDGE_ALLOW_HOSTS" in call(*words, "--password-stdin", stdin=server.password).refusal


def test_a_web_page_is_no_calendar_server(call: Call, anna: str, monkeypatch: pytest.MonkeyPatch) -> None:
    class Page(BaseHTTPRequestHandler):
        def answer(self) -> None:
            body = b"<!doctype html><title>Welcome</title>"
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_PROPFIND = do_OPTIONS = answer

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as site:
        thread = threading.Thread(target=site.serve_forever)
        thread.start()
        try:
            netloc = f"127.0.0.1:{site.server_address[1]}"
            monkeypatch.setenv("PICSELLO_BRIDGE_ALLOW_HOSTS", netloc)
            words = ("account", "add", anna, "caldav", "--url", f"http://{netloc}/", "--password-stdin")
            assert call(*words, stdin="geheim").refusal
        finally:
            site.shutdown()
            thread.join()


def test_a_provider_that_is_away_is_an_error_of_its_links_and_bookings_are_kept(
    call: Call, anna: str, account: str, work: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    call("account", "select", account, "--write", work.path, "--yes")
    monkeypatch.setenv("PICSELLO_BRIDGE_ALLOW_HOSTS", "elsewhere.example")
    uid = _book(call, anna, "Portrait: Maya")
    away = call("sync", "--json")
    assert away.code == 1
    (row,) = [row for row in away.json["links"] if row["link"]]
    assert len(row["errors"]) == 1
    assert wrong(call)
    monkeypatch.setenv("PICSELLO_BRIDGE_ALLOW_HOSTS", work.server.host_and_port)
    assert call("sync").code == 0
    assert work.by_uid(uid) is not None
    assert wrong(call) == {}


def test_a_calendar_that_is_gone_is_said(call: Call, anna: str, account: str, work: Outside) -> None:
    call("account", "select", account, "--write", work.path, "--yes")
    assert call("sync").code == 0
    work.drop()
    uid = _book(call, anna, "Portrait: Maya")
    gone = call("sync", "--json")
    assert gone.code == 1
    (row,) = [row for row in gone.json["links"] if row["link"]]
    assert row["errors"]
    assert [booking["uid"] for booking in call("booking", "list", anna, "--json").json] == [uid]


def test_disconnecting_says_what_it_did(call: Call, anna: str, account: str, work: Outside) -> None:
    _book(call, anna, "Portrait: Maya")
    call("account", "select", account, "--write", work.path, "--yes")
    assert call("sync").code == 0
    assert len(work.texts()) == 1
    removed = call("account", "remove", account, "--pushed", "remove-all", "--json").json
    assert (removed["deleted"], removed["left"]) == (1, [])
    assert work.texts() == {}
    assert call("account", "list", "--json").json == []


def test_somebody_elses_account_is_not_synced_for_anna(call: Call, anna: str, account: str) -> None:
    call("user", "add", "berta@studio.example")
    assert "does not belong" in call("sync", "berta@studio.example", "--account", account).refusal
