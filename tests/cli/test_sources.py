"""``source set``, ``set-all`` and the source's row of ``sync``, from the command line."""

from __future__ import annotations

from datetime import datetime

import pytest

from tests.cli.conftest import Call
from tests.servers.postgres import postgres
from tests.sources.conftest import uid
from tests.sources.picsello import Picsello


def test_picsello_is_chosen_synced_and_left_again(call: Call, anna: str) -> None:
    with postgres() as cluster:
        name = cluster.create()
        app = Picsello.made(cluster.url(name), 2)
        url = f"postgresql://postgres@/{name}?host={cluster.folder}"
        shoot = app.shoot(app.job(app.studio(anna), paid=True), datetime(2027, 5, 1, 14))
        app.studio("berta@studio.example")

        chosen = call("source", "set", anna, "picsello", "--url", url, "--json").json
        assert (chosen["email"], chosen["source"]) == (anna, "picsello")
        (row,) = call("sync", anna, "--json").json["links"]
        assert (row["calendar"], row["pulled"], row["errors"], row["held"]) == ("Picsello", 1, [], [])
        assert row["account"] == chosen["account"]
        assert [one["uid"] for one in call("booking", "list", anna, "--json").json] == [uid(shoot)]

        refused = call("account", "remove", str(chosen["account"]), "--pushed", "remove-all")
        assert refused.code == 1
        assert "source set" in refused.err
        assert app.row("jobs", 1)["archived_at"] is None
        refused = call(
            "booking", "add", anna, "--title", "T", "--start", "2027-05-01T10:00", "--duration", "60"
        )
        assert refused.code == 1

        call("booking", "cancel", anna, uid(shoot))
        call("sync", anna)
        assert app.row("jobs", app.row("shoots", shoot)["job_id"])["archived_at"] is not None

        both = call("source", "set-all", "picsello", "--url", url, "--json").json
        assert [one["email"] for one in both] == [anna, "berta@studio.example"]
        assert call("source", "set", anna, "studio", "--json").json["source"] == "studio"
        app.connection.close()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("picsello",), "--url"),
        (("feed",), "--url"),
        (("picsello", "--url", "postgresql://anna:secret@db.example/p"), "--password-stdin"),
        (("picsello", "--url", "https://picsello.example/"), "postgresql://"),
        (("feed", "--url", "http://127.0.0.1:1/calendar/token"), "127.0.0.1"),
    ],
)
def test_what_cannot_be_used_is_refused_in_a_sentence(
    call: Call, anna: str, words: tuple[str, ...], said: str
) -> None:
    refused = call("source", "set", anna, *words)
    assert refused.code == 1
    assert said in refused.err
    assert "secret" not in refused.err
    assert len(refused.err.strip().splitlines()) == 1
