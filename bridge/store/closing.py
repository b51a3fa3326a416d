"""A store that was moved away is closed: who still writes to it is refused, so that nothing is lost there."""

from __future__ import annotations

from sqlalchemy import Connection, text

from bridge.store.failures import MOVED
from bridge.store.transfer import tables

#: Every change of anything touches one of these.
DOORS = ("calendar", "link", "account", "user", "device", "object")


def hold_still(tx: Connection) -> None:
    """Nobody else writes until this transaction ends (SQLite lets only one write anyway)."""
    if tx.dialect.name != "sqlite":
        quoted = ", ".join(tx.dialect.identifier_preparer.quote(name) for name in tables())
        tx.execute(text(f"LOCK TABLE {quoted} IN EXCLUSIVE MODE"))


def close_down(tx: Connection) -> None:
    """From the end of this transaction on, every process that still writes here is refused."""
    quote = tx.dialect.identifier_preparer.quote
    if tx.dialect.name == "sqlite":
        for name in DOORS:
            for act in ("INSERT", "UPDATE", "DELETE"):
                tx.execute(
                    text(
                        f"CREATE TRIGGER moved_{name}_{act} BEFORE {act} ON {quote(name)} "
                        f"BEGIN SELECT RAISE(ABORT, '{MOVED}'); END"
                    )
                )
        return
    tx.execute(
        text(
            "CREATE FUNCTION moved() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION '{MOVED}'; END $$"
        )
    )
    for name in DOORS:
        tx.execute(
            text(
                f"CREATE TRIGGER moved BEFORE INSERT OR UPDATE OR DELETE ON {quote(name)} "
                "EXECUTE FUNCTION moved()"
            )
        )


def reopen(tx: Connection) -> None:
    """The opposite of ``close_down``; nothing happens to a store that is open."""
    if tx.dialect.name != "sqlite":
        tx.execute(text("DROP FUNCTION IF EXISTS moved() CASCADE"))
        return
    for name in DOORS:
        for act in ("INSERT", "UPDATE", "DELETE"):
            tx.execute(text(f"DROP TRIGGER IF EXISTS moved_{name}_{act}"))
