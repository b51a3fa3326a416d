"""A step to another schema, with data, while others read and write (``trial`` holds the step)."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, inspect, text
from sqlalchemy import event as listened

from bridge.errors import StoreError
from bridge.store import considerate, schema
from bridge.store.db import Database
from tests.servers.postgres import Cluster
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


def test_who_reads_long_makes_the_step_wait_and_nobody_else(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On PostgreSQL an ALTER TABLE that waits would keep all later readers waiting with it."""
    studio.put("a.ics", event("a"))
    waits = watched(monkeypatch)
    step = threading.Thread(target=schema.apply, args=(studio.db, TRIAL))
    with studio.db.reading() as slow:
        slow.execute(text("SELECT count(*) FROM object")).scalar_one()
        step.start()
        while step.is_alive() and len(waits) < 4:
            impatient_read(studio.db)
    step.join(60)
    assert not step.is_alive()
    assert waits == ["55P03"] * len(waits), "it waited for a lock, and for nothing else"
    assert bool(waits) != studio.db.on_sqlite, "on SQLite no reader is in its way"
    trial_of(studio)


def watched(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The SQLSTATE of each time that a step stood back, as it comes."""
    seen: list[str] = []
    judged = considerate.stood_back

    def stood_back(error: Exception) -> bool:
        seen.append(getattr(getattr(error, "orig", None), "sqlstate", type(error).__name__))
        return judged(error)

    monkeypatch.setattr(considerate, "stood_back", stood_back)
    monkeypatch.setattr(considerate, "LOOK_AGAIN", 0.1)
    return seen


def impatient_read(db: Database) -> int:
    """Read as a client does; on PostgreSQL it fails if it stands behind a lock for a second."""
    with db.reading() as tx:
        if not db.on_sqlite:
            tx.execute(text("SET LOCAL lock_timeout = 1000"))
        return int(tx.execute(text("SELECT count(*) FROM object")).scalar_one())


@pytest.fixture
def served(cluster: Cluster, migrated_name: str) -> Iterator[Studio]:
    """Anna's studio on PostgreSQL, with one event."""
    database = Database(cluster.url(cluster.create(migrated_name)))
    studio = Studio.opened(database, "anna@studio.example")
    studio.put("a.ics", event("a"))
    yield studio
    database.close()


def further_step(folder: Path, *body: str, after: str = "0001") -> Path:
    """A folder with one step that does ``body``."""
    lines = [
        "import sqlalchemy as sa",
        "from alembic import op",
        "from bridge.store.migrations import gently",
    ]
    lines += [
        'revision = "t100"',
        f'down_revision = "{after}"',
        "def upgrade():",
        *(f"    {x}" for x in body),
    ]
    (folder / "t100_further.py").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


ALTERS = 'op.add_column("object", sa.Column("further", sa.Integer()))'


def test_a_step_is_as_brief_after_one_that_may_take_its_time(served: Studio, tmp_path: Path) -> None:
    """The index before it waits as long as it must; the next table that is altered must not inherit that."""
    held: list[tuple[str, int, int, int]] = []

    def look(connection: Connection, cursor: Any, statement: str, *_: object) -> None:
        if statement.startswith("ALTER TABLE"):
            shown = []
            for name in ("lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout"):
                cursor.execute(f"SELECT setting::int FROM pg_settings WHERE name = '{name}'")
                shown.append(cursor.fetchone()[0])
            held.append((statement, shown[0], shown[1], shown[2]))

    listened.listen(Engine, "after_cursor_execute", look)
    try:
        schema.apply(served.db, TRIAL, further_step(tmp_path, ALTERS, after="t002"))
    finally:
        listened.remove(Engine, "after_cursor_execute", look)
    assert [statement.split()[-2] for statement, *_ in held] == ["trial", "further"]
    for _, wait, work, pause in held:
        assert 0 < wait <= considerate.LONGEST_WAIT_MS
        assert 0 < work <= considerate.LONGEST_STEP_MS
        assert 0 < pause <= considerate.LONGEST_STEP_MS
    assert considerate.LONGEST_STEP_MS * 2 < 1000, "even frozen, it lets readers in within a second"


@pytest.mark.parametrize(
    ("long", "state"),
    [
        ('op.execute("SELECT pg_sleep(30)")', "57014"),
        ('[op.execute("SELECT pg_sleep(0.05)") for _ in range(600)]', ""),
    ],
    ids=["one statement", "many statements"],
)
def test_a_step_that_works_for_long_with_a_table_in_its_hands_is_refused(
    served: Studio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, long: str, state: str
) -> None:
    """A table with a million rows rewritten by mistake: nobody is kept out for that."""
    waits = watched(monkeypatch)
    monkeypatch.setattr(considerate, "PATIENCE", 0)
    with pytest.raises(StoreError, match=r"no moment of 0\.4 s for the next step\. Nothing is lost"):
        schema.apply(served.db, further_step(tmp_path, ALTERS, long))
    assert waits
    assert not state or set(waits) == {state}
    with served.db.reading() as tx:
        assert schema.revision(tx) == "0001"
        assert "further" not in {column["name"] for column in inspect(tx).get_columns("object")}


def test_a_step_frozen_with_a_table_in_its_hands_loses_it(
    served: Studio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing comes from it any more, and it still holds its lock: the server ends it, and readers go on."""
    from bridge.store.migrations import gently

    read: list[int] = []
    with monkeypatch.context() as frozen:
        frozen.setattr(gently, "fill", lambda *_: read.append(impatient_read(served.db)))
        frozen.setattr(considerate, "PATIENCE", 0)
        with pytest.raises(StoreError, match="start again"):
            schema.apply(served.db, further_step(tmp_path, ALTERS, "gently.fill()", ALTERS))
    assert read[0] == 1
    schema.apply(served.db, further_step(tmp_path, ALTERS))
    assert impatient_read(served.db) == 1


def test_a_row_that_somebody_holds_makes_the_filling_wait_and_lose_nothing(
    served: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bridge.store.migrations import gently

    waits, begun, taken, filled = watched(monkeypatch), threading.Event(), threading.Event(), gently.fill

    def fill(*values: str) -> None:
        begun.set()
        taken.wait(30)
        filled(*values)

    monkeypatch.setattr(gently, "fill", fill)
    step = threading.Thread(target=schema.apply, args=(served.db, TRIAL))
    step.start()
    assert begun.wait(30)
    with served.db.writing() as tx:
        tx.execute(text("UPDATE object SET seq = seq"))
        taken.set()
        while len(waits) < 3:
            step.join(0.05)
    step.join(60)
    assert not step.is_alive()
    assert set(waits) == {"55P03"}
    assert [trial == 2 * number for number, trial in trial_of(served)] == [True]


def test_of_many_processes_one_steps_and_the_others_wait(studio: Studio) -> None:
    studio.put("a.ics", event("a"))
    steps = [threading.Thread(target=schema.apply, args=(studio.db, TRIAL)) for _ in range(4)]
    for step in steps:
        step.start()
    for step in steps:
        step.join(60)
    assert not any(step.is_alive() for step in steps)
    trial_of(studio)
