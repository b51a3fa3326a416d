"""A step to another schema, with data, while others read and write (``trial`` holds the step)."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest
from sqlalchemy import inspect, text

from bridge.store import schema
from bridge.store.db import Database
from tests.store.studio import Studio, event

TRIAL = Path(__file__).parent / "trial"


def trial_of(studio: Studio) -> list[tuple[int, int]]:
    with studio.db.reading() as tx:
        assert schema.revision(tx) == "t002"
        assert "ix_object_trial" in {index["name"] for index in inspect(tx).get_indexes("object")}
        return [(row.id, row.trial) for row in tx.execute(text("SELECT id, trial FROM object"))]


def test_a_step_takes_the_data_along(studio: Studio) -> None:
    for number in range(20):
        studio.put(f"{number}.ics", event(str(number)))
    schema.apply(studio.db, TRIAL)
    filled = trial_of(studio)
    assert len(filled) == 20
    assert all(trial == 2 * number for number, trial in filled)
    schema.apply(studio.db, TRIAL)
    assert not studio.db.is_current(), "an older program sees that it is older"


def test_a_step_that_was_cut_off_begins_again(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    from bridge.store.migrations import gently

    studio.put("a.ics", event("a"))

    def lost(*_: object) -> None:
        raise ConnectionError("the machine went away")

    with monkeypatch.context() as broken:
        broken.setattr(gently, "add_index", lost)
        with pytest.raises(ConnectionError):
            schema.apply(studio.db, TRIAL)
    assert studio.get("a.ics") is not None
    schema.apply(studio.db, TRIAL)
    assert all(trial == 2 * number for number, trial in trial_of(studio))


def test_who_reads_long_makes_the_step_wait_and_nobody_else(studio: Studio) -> None:
    """On PostgreSQL an ALTER TABLE that waits would keep all later readers waiting with it."""
    if studio.db.on_sqlite:
        studio.put("a.ics", event("a"))  # there readers never wait: the same must hold
    step = threading.Thread(target=schema.apply, args=(studio.db, TRIAL))
    with studio.db.reading() as slow:
        slow.execute(text("SELECT count(*) FROM object")).scalar_one()
        step.start()
        longest = waited_for(studio.db, seconds=2.5)
        waits = step.is_alive()
    step.join(60)
    assert not step.is_alive()
    assert waits or studio.db.on_sqlite
    assert longest < 5 * schema.LONGEST_WAIT_MS / 1000, "readers do not stand behind it"
    trial_of(studio)


def waited_for(db: Database, seconds: float) -> float:
    """The longest that one of many short reads took."""
    longest, end = 0.0, time.monotonic() + seconds
    while time.monotonic() < end:
        begun = time.monotonic()
        with db.reading() as tx:
            tx.execute(text("SELECT count(*) FROM object")).scalar_one()
        longest = max(longest, time.monotonic() - begun)
    return longest


def test_of_many_processes_one_steps_and_the_others_wait(studio: Studio) -> None:
    studio.put("a.ics", event("a"))
    steps = [threading.Thread(target=schema.apply, args=(studio.db, TRIAL)) for _ in range(4)]
    for step in steps:
        step.start()
    for step in steps:
        step.join(60)
    assert not any(step.is_alive() for step in steps)
    trial_of(studio)
