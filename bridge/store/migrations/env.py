"""How Alembic runs our steps: on the connection it is given, inside the transaction that is open."""

from alembic import context

from bridge.store.tables import tell_postgresql

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=tell_postgresql(), render_as_batch=True)
context.run_migrations()
