"""The schema: made once, the same on both databases, never touched by an older program."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from bridge.errors import StoreError
from bridge.store import schema
from bridge.store.db import Database
from bridge.store.tables import metadata


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
        assert compare_metadata(context, metadata) == []


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


def migrate(url: str) -> None:
    Database(url).migrate()
