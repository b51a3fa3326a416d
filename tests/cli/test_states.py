"""How an account fares, with its one action: from a bad day back to health, and nothing doubled."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Call
from tests.providers.answers import error, xml
from tests.servers import fault
from tests.servers.dav import Outside, Server
from tests.servers.fault import FaultProxy
from tests.servers.radicale import radicale
from tests.service.conftest import TODAY, event

_numbers = itertools.count()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with radicale(Path(tmp_path_factory.mktemp("states"))) as running:
        yield running


@pytest.fixture
def faults(server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultProxy]:
    with FaultProxy(server.url) as proxy:
        monkeypatch.setenv("PICSELLO_BRIDGE_ALLOW_HOSTS", proxy.host_and_port)
        yield proxy


@pytest.fixture
def work(server: Server) -> Outside:
    return server.make_calendar(f"work-{next(_numbers)}", title="Work")


@pytest.fixture
def account(call: Call, anna: str, server: Server, faults: FaultProxy, work: Outside) -> str:
    words = ("account", "add", anna, "caldav", "--url", faults.url, "--username", server.user)
    added = call(*words, "--password-stdin", "--json", stdin=server.password).json
    work.put("p.ics", event("p@home", "Dentist", TODAY))
    chosen = call(
        "account", "select", str(added["account"]), "--edit", work.path, "--write", work.path, "--yes"
    )
    assert chosen.code == 0
    assert call("sync").code == 0
    return str(added["account"])


def state(call: Call, account: str) -> dict[str, Any]:
    (row,) = [row for row in call("account", "list", "--json").json if str(row["account"]) == account]
    return dict(row)


def book(call: Call, email: str) -> str:
    words = ("booking", "add", email, "--title", "Maya", "--start", "2027-05-08T14:30", "--duration", "60")
    return str(call(*words, "--json").json["uid"])


def test_all_is_well_and_there_is_nothing_to_do(call: Call, account: str):
    row = state(call, account)
    assert (row["state"], row["reason"], row["action"]) == ("healthy", None, "")


@pytest.mark.parametrize("bad", [fault.answer(503), fault.lose_request], ids=["busy", "silent"])
def test_trouble_is_said_with_its_beginning_and_passes_by_itself(
    call: Call, account: str, faults: FaultProxy, bad: fault.Fault
):
    for method in ("PROPFIND", "REPORT"):
        faults.fault(method, bad, times=30)
    assert call("sync").code == 1
    row = state(call, account)
    assert (row["state"], row["action"]) == ("retrying", "")
    assert row["since"] and row["reason"].endswith(".")
    faults.heal()
    assert call("sync").code == 0
    assert state(call, account)["state"] == "healthy"


def test_a_refused_password_asks_for_a_sign_in_and_goes_on_after_it_without_a_double(
    call: Call, anna: str, account: str, faults: FaultProxy, server: Server, work: Outside
):
    for method in ("PROPFIND", "REPORT", "PUT", "GET"):
        faults.fault(method, fault.answer(401), times=30)
    uid = book(call, anna)
    assert call("sync").code == 1
    row = state(call, account)
    assert row["state"] == "needs-sign-in"
    assert f"account sign-in {account}" in row["action"]
    faults.heal()
    assert call("account", "sign-in", account, "--password-stdin", stdin=server.password).code == 0
    assert call("sync").code == 0
    assert state(call, account)["state"] == "healthy"
    assert work.by_uid(uid) is not None
    assert len(work.texts()) == 2


def test_a_right_that_was_taken_away_concerns_one_calendar(
    call: Call, anna: str, account: str, faults: FaultProxy, work: Outside
):
    faults.fault("PUT", xml(error("d:need-privileges"), 403), times=30)
    uid = book(call, anna)
    failed = call("sync", "--json")
    assert failed.code == 1
    row = state(call, account)
    assert row["state"] == "healthy"
    assert "right to write" in row["action"]
    faults.heal()
    assert call("sync").code == 0
    assert state(call, account)["action"] == ""
    assert work.by_uid(uid) is not None


def test_a_calendar_that_is_gone_asks_for_another(call: Call, account: str, work: Outside):
    work.drop()
    assert call("sync").code == 1
    row = state(call, account)
    assert row["state"] == "healthy"
    assert "“Work” is gone" in row["action"]
