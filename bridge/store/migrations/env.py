"""How Alembic runs our steps, on the connection it is given: inside the transaction that is open there
(SQLite), or each in one of its own (PostgreSQL)."""

from alembic import context

from bridge.store.tables import tell_postgresql

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=tell_postgresql(),
    render_as_batch=True,
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
