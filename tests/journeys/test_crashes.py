"""A pass killed with SIGKILL at fifty random moments: nothing lost, nothing doubled, both sides equal."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import time
from pathlib import Path

from bridge.config import Settings
from bridge.ical.facts import facts
from bridge.wiring import Bridge
from tests.journeys.installation import Installation
from tests.journeys.phones import uid_of
from tests.servers.dav import Outside
from tests.servers.radicale import radicale
from tests.simulation.ledger import new_text

KILLS = 50


def one_pass(settings: Settings, account: int) -> None:
    Bridge.open(settings).engine().run_account(account)


def killed_after(settings: Settings, account: int, seconds: float | None) -> float:
    """Run a pass in a process of its own and kill it after that time, if it still runs; gives how long it
    ran."""
    process = multiprocessing.get_context("fork").Process(target=one_pass, args=(settings, account))
    started = time.monotonic()
    process.start()
    process.join(seconds)
    if process.is_alive():
        os.kill(process.pid or 0, signal.SIGKILL)
        process.join()
    return time.monotonic() - started


def retitle(text: str, title: str) -> str:
    old = facts(text).summary
    return text.replace(f"SUMMARY:{old}", f"SUMMARY:{title}", 1)


def test_fifty_kills_lose_and_double_nothing(tmp_path: Path) -> None:
    chance = random.Random(50)
    with radicale(tmp_path / "provider") as provider:
        work = provider.make_calendar("work", title="Work")
        anna = Installation.of_anna(tmp_path / "data", provider)
        titles = {anna.book(f"b{n}", f"2027-01-{n + 1:02}T10:00"): f"b{n}" for n in range(6)}
        for number in range(6):
            work.put(f"f{number}.ics", new_text(f"foreign-{number}", number))
        account = anna.connect(provider)
        anna.select(account, read=(work,), write=work)
        allowed = {"PICSELLO_BRIDGE_ALLOW_HOSTS": provider.host_and_port}
        settings = Settings.load(str(anna.data), None, allowed)
        whole = killed_after(settings, account, None)
        for round_ in range(KILLS):
            uid = chance.choice(list(titles))
            titles[uid] = f"r{round_}"
            if chance.random() < 0.5:
                retitle_here(settings, uid, titles[uid])
            else:
                settle(settings, account)  # the edit over there starts from what both agree on
                name = work.name_of(uid)
                work.put(name, retitle(work.get(name) or "", titles[uid]), work.etag(name))
            extra = f"extra-{round_}"
            work.put(f"{extra}.ics", new_text(extra, round_))
            killed_after(settings, account, chance.uniform(0, whole))
        settle(settings, account)
        assert_equal(settings, work, titles)


def settle(settings: Settings, account: int) -> None:
    reports = Bridge.open(settings).engine().run_account(account)
    assert [(r.errors, r.held) for r in reports] == [([], [])]


def retitle_here(settings: Settings, uid: str, title: str) -> None:
    from bridge.store import calendars, objects, people

    bridge = Bridge.open(settings)
    with bridge.db.writing() as tx:
        calendar = calendars.bookings(tx, people.users(tx)[0].id)
        stored = objects.by_uid(tx, calendar.id, uid)
        assert stored is not None
        text = retitle(stored.text, title)
        objects.put(tx, calendar.id, stored.href, text, actor="device:1", now=bridge.clock.now())


def assert_equal(settings: Settings, work: Outside, titles: dict[str, str]) -> None:
    from bridge.store import calendars, objects, people

    bridge = Bridge.open(settings)
    with bridge.db.reading() as tx:
        user = people.users(tx)[0]
        here = {o.uid: o.text for o in objects.all_objects(tx, calendars.bookings(tx, user.id).id)}
        mirror = calendars.by_name(tx, user.id, "work")
        assert mirror is not None
        mirrored = {o.uid: o.text for o in objects.all_objects(tx, mirror.id)}
    there = list(work.texts().values())
    uids = [uid_of(text) for text in there]
    assert len(uids) == len(set(uids)), "something is there twice"
    assert {uid: facts(text).summary for uid, text in here.items()} == titles
    assert {uid_of(t): facts(t).summary for t in there if uid_of(t) in titles} == titles
    foreign = {uid_of(t): t for t in there if uid_of(t) not in titles}
    assert len(foreign) == 6 + KILLS
    assert mirrored == foreign
