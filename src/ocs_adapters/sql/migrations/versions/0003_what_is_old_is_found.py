"""What is old is found without a look at everything: answers to forget, and runs that have ended.

Revision ID: 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    answered, ended = sa.text("answer IS NOT NULL"), sa.text("finished_at IS NOT NULL")
    op.create_index(
        "ix_requests_answered", "requests", ["performed_at"], postgresql_where=answered, sqlite_where=answered
    )
    op.create_index(
        "ix_process_runs_finished_at", "process_runs", ["finished_at"], postgresql_where=ended, sqlite_where=ended
    )
