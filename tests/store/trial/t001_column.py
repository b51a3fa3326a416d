"""A trial step: a column for a table that is large."""

import sqlalchemy as sa
from alembic import op

revision = "t001"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("object", sa.Column("trial", sa.Integer()))
