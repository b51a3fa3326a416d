"""A backup taken while everybody writes, then a bad day: all agree again, and nothing is doubled."""

from __future__ import annotations

import threading
from pathlib import Path

from tests.journeys.installation import EMAIL, Installation
from tests.journeys.phones import PythonCaldav, uid_of
from tests.journeys.test_crashes import retitle
from tests.servers.radicale import radicale
from tests.simulation.ledger import new_text


def test_a_backup_under_load_brings_everybody_together_again(tmp_path: Path) -> None:
    with radicale(tmp_path / "provider") as provider:
        work, private = (provider.make_calendar(name, title=name.title()) for name in ("work", "private"))
        anna = Installation.of_anna(tmp_path / "data", provider)
        uids = [anna.book(f"b{n}", f"2027-01-{n + 1:02}T10:00") for n in range(6)]
        private.put("dentist.ics", new_text("dentist", 0))
        account = anna.connect(provider)
        anna.select(account, read=(private,), write=work)
        anna.sync()
        password = anna.json("device", "add", EMAIL, "phone")["password"]

        # the backup is taken while the worker syncs and the phone writes
        with anna.serving() as origin:
            phone = PythonCaldav(f"{origin}/dav/{EMAIL}/", EMAIL, password)
            busy = threading.Thread(
                target=lambda: [phone.create("bookings", new_text(f"block-{n}", n)) for n in range(4)]
            )
            busy.start()
            anna.run("backup", str(tmp_path / "noon.backup"), "--password-stdin", stdin="horse\n")
            busy.join()

            # after it: a new booking, an edit on each side, a deletion, all carried to the provider
            later = anna.book("Later", "2027-02-01T10:00")
            phone.edit("bookings", uids[0], lambda text: retitle(text, "by phone"))
            phone.delete("bookings", "block-3")
            anna.sync()
            name = work.name_of(uids[1])
            work.put(name, retitle(work.get(name) or "", "at the provider"), work.etag(name))
            private.put("optician.ics", new_text("optician", 1))
            anna.sync()
            seen = phone.objects("bookings")
        assert uid_of(seen[later]) == later

        # the disk dies; another machine gets the backup, which brings the key file
        other = Installation(tmp_path / "other", [provider.host_and_port], anna.port)
        other.run("restore", str(tmp_path / "noon.backup"), "--password-stdin", stdin="horse\n")
        before = work.texts(), private.texts()
        held = other.try_("sync", "--json")
        assert held.code == 1 and all(row["held"] for row in held.json["links"] if row["link"])
        assert (work.texts(), private.texts()) == before, "nothing is written before somebody looked"
        other.run("sync", "--confirm")
        other.sync()
        with other.serving() as origin:
            phone = PythonCaldav(f"{origin}/dav/{EMAIL}/", EMAIL, password)
            here, mirrored = phone.objects("bookings"), phone.objects("private")
        there = [uid_of(text) for text in work.texts().values()]
        assert len(there) == len(set(there)), "something is there twice"
        assert set(there) == set(here) >= {*uids, later}
        assert "SUMMARY:by phone" in here[uids[0]], "what reached the provider after the backup is not lost"
        assert "SUMMARY:at the provider" in here[uids[1]]
        assert {uid: text for text in work.texts().values() if (uid := uid_of(text)) in uids}.keys() == {
            *uids
        }
        assert set(mirrored) == {"dentist", "optician"}
        assert all(row[count] == 0 for row in other.sync() for count in ("pulled", "pushed", "deleted"))
