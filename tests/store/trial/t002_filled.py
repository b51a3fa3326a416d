"""A trial step: the column is filled and gets an index."""

from bridge.store.migrations import gently

revision = "t002"
down_revision = "t001"


def upgrade() -> None:
    gently.fill("object", "trial = id * 2", "trial IS NULL")
    gently.add_index("ix_object_trial", "object", ["trial"])
