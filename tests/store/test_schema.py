"""The schema: made once, the same on both databases, never touched by an older program."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import IntegrityError

from bridge.errors import StoreError
from bridge.store import (
    calendars,
    changes,
    contents,
    horizon,
    links,
    objects,
    pairings,
    people,
    schema,
    shown,
)
from bridge.store.db import Database
from bridge.store.prepared import Prepared
from bridge.store.tables import tell_postgresql
from tests.store.studio import NOW, Studio, event


def test_an_empty_database_is_brought_up_to_date_once(empty: Database) -> None:
    assert not empty.is_current()
    empty.migrate()
    assert empty.is_current()
    empty.migrate()
    with empty.reading() as tx:
        assert schema.revision(tx) == schema.HEAD


def test_the_migrations_lead_to_what_the_tables_say(empty: Database) -> None:
    empty.migrate()
    with empty.reading() as tx:
        context = MigrationContext.configure(tx, opts={"compare_type": True})
        assert compare_metadata(context, tell_postgresql()) == []


def test_an_index_of_few_rows_holds_no_others(empty: Database) -> None:
    """Whether an index has a condition is not among what Alembic compares, and without it PostgreSQL reads
    all that is there for the few that are due."""
    empty.migrate()
    few = {
        str(index.name)
        for table in tell_postgresql().tables.values()
        for index in table.indexes
        if "postgresql_where" in index.info
    }
    told = (
        "SELECT name FROM sqlite_master WHERE type = 'index' AND sql LIKE '% WHERE %'"
        if empty.on_sqlite
        else "SELECT indexname FROM pg_indexes WHERE schemaname = 'public' AND indexdef LIKE '% WHERE %'"
    )
    with empty.reading() as tx:
        assert set(tx.execute(text(told)).scalars()) == few


def test_the_newest_step_is_the_one_we_name() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(schema.__file__).parent / "migrations"))
    assert ScriptDirectory.from_config(config).get_heads() == [schema.HEAD]


def test_a_newer_schema_is_refused_and_left_alone(db: Database) -> None:
    with db.writing() as tx:
        tx.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    assert not db.is_current()
    with pytest.raises(StoreError, match="newer version"):
        db.migrate()
    with db.reading() as tx:
        assert schema.revision(tx) == "9999"


def test_threads_and_processes_that_start_at_once_migrate_once(empty: Database) -> None:
    url = empty.url.render_as_string(hide_password=False)
    with ThreadPoolExecutor(3) as pool:
        for done in [pool.submit(empty.migrate) for _ in range(3)]:
            done.result()
    forked = get_context("fork")
    processes = [forked.Process(target=migrate, args=(url,)) for _ in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0]
    assert empty.is_current()


def test_processes_that_start_on_nothing_migrate_once(empty: Database) -> None:
    url = empty.url.render_as_string(hide_password=False)
    forked = get_context("fork")
    processes = [forked.Process(target=migrate, args=(url,)) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0, 0]
    assert empty.is_current()


def test_a_table_that_is_made_anew_keeps_what_refers_to_it(studio: Studio) -> None:
    """SQLite's only way to alter most of a table must not delete everybody's calendars."""
    studio.put("a.ics", event("a"))
    with studio.db.rebuilding() as tx:
        operations = Operations(MigrationContext.configure(tx))
        with operations.batch_alter_table("user", recreate="auto") as user:
            user.alter_column("source", nullable=True)
    assert studio.get("a.ics") is not None
    with pytest.raises(IntegrityError), studio.db.writing() as tx:
        calendars.create(tx, 999, "orphan", kind="mirror", title="", now=NOW)


def test_a_step_that_loses_a_reference_is_taken_back(tmp_path: Path) -> None:
    studio = migrated_studio(tmp_path)
    with pytest.raises(StoreError, match="nothing was changed"), studio.db.rebuilding() as tx:
        tx.execute(text('DELETE FROM "user"'))
    assert studio.get("a.ics") is not None


def migrated_studio(folder: Path) -> Studio:
    database = Database(f"sqlite:///{folder}/bridge.db")
    database.migrate()
    studio = Studio.opened(database, "anna@studio.example")
    studio.put("a.ics", event("a"))
    return studio


#: What every poll, save and pass asks.
HOT = {
    "an object": contents._GET,
    "an object by UID": contents._BY_UID,
    "the listing": contents._LISTING,
    "a stretch of time": horizon._WHOLE.exact,
    "dense series": horizon._WHOLE.dense,
    "series beyond the horizon": horizon._WHOLE.series,
    "a delta": changes._SINCE,
    "a client's delta": shown._steps,
    "taken time": shown._taken,
    "the UID check": objects._MEETS,
    "links to wake for bookings": links._DUE_WRITERS,
    "links to wake for a mirror": links._DUE_EDITORS,
    "unsettled pairings": pairings._UNSETTLED,
    "pairings with a problem": pairings._PROBLEMS,
    "a first look": pairings._ANY,
    "a remote object": pairings._BY_HREF,
    "a home": calendars._OF_EMAIL,
    "a device": people._BY_MAC,
}


@pytest.mark.parametrize("question", HOT)
def test_no_hot_question_walks_a_table(tmp_path: Path, question: str) -> None:
    """Its time must follow what is asked for, not what others keep."""
    studio = migrated_studio(tmp_path)
    asked = HOT[question]
    statement = asked.statement if isinstance(asked, Prepared) else asked
    sql = str(statement.compile(dialect=sqlite.dialect()))
    with studio.db.reading() as tx:
        plan = tx.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", (1,) * sql.count("?")).all()
    steps = [str(step[3]) for step in plan]
    assert steps
    assert [step for step in steps if step.startswith("SCAN") and "installation" not in step] == []


def migrate(url: str) -> None:
    Database(url).migrate()
